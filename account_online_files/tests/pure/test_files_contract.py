"""What every format of statement files promises to the books, over generated files: the case set *files*.

What a format can't keep, because it has no place for it, is in ``impossible`` of its script, with the reason. What
files of banks look like is for the tests of each reader.
"""

import gzip
import io
import itertools
import logging
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from odoo.addons.account_online_files.books.reading import read_upload
from odoo.addons.account_online_synchronization.sync import files
from odoo.addons.account_online_synchronization.sync.identity import digest

from account_online_files.tests.pure.files_contract import (
    MONTH,
    OTHER_ACCOUNT,
    PROMISES,
    SCRIPTS,
    SECRETS,
    Entry,
    Lossy,
    account,
    of_currency,
)
from bank_statement_formats.formats import FORMATS, Limits, Options
from bank_statement_formats.formats.values import is_same_account

DAY = date(2026, 3, 20)
PLACEHOLDERS = ("NOTPROVIDED", "NONREF", "n/a", "null", "-")
NO_NUMBERS = ("0000000000", "************1111", "XXXXXXXX")
MASKED = ("DE89XXXXXXXXXXXXXX3000", "****4321", "5412XXXXXXXX1234", "...1234")

each_format = pytest.mark.parametrize("code", SCRIPTS)


def possible(code, promise):
    script = SCRIPTS[code]
    if reason := script.impossible.get(promise):
        pytest.skip(f"{code}: {reason}")
    return script


def write(script, first=0, last=14, payments=MONTH):
    return script.write([account(*script.numbers[0], first, last, payments)])


def read(content, **options):
    """:return: list of statements, none of which has a problem"""
    found = read_upload(content, "", Options(currency="EUR", **options))
    assert not [one.problem for one in found if one.problem]
    return found


def rows(statements):
    """:return: list of the transactions, without how the bank has written them"""
    return [{**one, "raw": None} for statement in statements for one in statement.messages]


def facts(statements):
    return [(one["booking_date"], Decimal(one["amount"]), one["currency"]) for one in rows(statements)]


def texts_of(value):
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)
    elif isinstance(value, str):
        yield value


def import_all(contents):
    """Decide about files as the import does, and keep what is new.

    :return: (digests of what is kept, outcomes)
    """
    stored, shown, outcomes = [], [], []
    for content in contents:
        (statement,) = read(content)
        booked = statement.window("EUR", 2).booked
        coverage = statement.coverage(booked)
        found = files.recognise(booked, coverage, statement.code, stored, shown)
        outcomes += [one.outcome for one in found]
        new = [one.transaction for one in found if one.outcome == files.NEW]
        stored += [files.Stored(one.id, digest(one)) for one in new]
        shown.append(coverage)
    return Counter(one.digest for one in stored), Counter(outcomes)


# -------------------------------------------------------------------------
# THE CASES THEMSELVES
# -------------------------------------------------------------------------


def test_each_format_has_a_script():
    assert set(SCRIPTS) == set(FORMATS)


@each_format
def test_what_is_impossible_says_why(code):
    for promise, reason in SCRIPTS[code].impossible.items():
        assert promise in PROMISES and len(reason.split()) > 3


def test_each_promise_is_kept_by_some_format():
    assert not [name for name in PROMISES if all(name in script.impossible for script in SCRIPTS.values())]


# -------------------------------------------------------------------------
# NO LOSS, NO DOUBLE
# -------------------------------------------------------------------------


@each_format
def test_the_same_file_twice_gives_the_same_and_nothing_new(code):
    content = write(possible(code, "same_twice"))
    once, again = read(content), read_upload(content, "another name", Options(currency="EUR"))
    assert rows(once) == rows(again) and len(rows(once)) == len(MONTH)
    assert [one.digest for one in once] == [one.digest for one in again]
    kept, outcomes = import_all([content, content])
    assert sum(kept.values()) == len(MONTH)
    # A day of which a list shows only a part can't be certain without ids.
    assert outcomes[files.KNOWN] + outcomes[files.DOUBTFUL] == len(MONTH)


@each_format
def test_two_files_agree_on_the_days_that_both_show(code):
    script = possible(code, "overlap")
    shared = [(MONTH[0].booked + timedelta(days=number)).isoformat() for number in range(6, 10)]
    early, late = (
        [one for one in rows(read(write(script, *days))) if one["booking_date"] in shared] for days in ((0, 9), (6, 14))
    )
    assert early == late and len(early) == 8


@each_format
def test_the_same_is_imported_for_any_order_of_files(code):
    script = possible(code, "any_order")
    contents = [write(script, *days) for days in ((0, 6), (4, 10), (8, 14))]
    whole, _outcomes = import_all([write(script)])
    assert sum(whole.values()) == len(MONTH)
    for order in itertools.permutations(contents):
        kept, outcomes = import_all(order)
        assert kept == whole
        assert not outcomes[files.DOUBTFUL]


@each_format
def test_of_a_part_of_a_file_no_row_comes_in_that_the_whole_does_not_have(code):
    content = write(possible(code, "truncated"), 0, 4)
    whole = Counter(map(str, rows(read(content))))
    step = 3 if len(content) < 10_000 else 37
    for end in range(0, len(content), step):
        for statement in read_upload(content[:end], "", Options(currency="EUR")):
            if statement.problem:
                assert str(getattr(statement.problem, "sentence", statement.problem))
                continue
            read_rows = rows([statement])
            come = [one for one in read_rows if "problem" not in one]
            assert not Counter(map(str, come)) - whole, content[max(0, end - 100) : end]
            # A row that can't be read is kept word for word for the user, with a warning.
            assert statement.warnings or len(come) == len(read_rows)


# -------------------------------------------------------------------------
# VALUES
# -------------------------------------------------------------------------


@each_format
def test_days_signs_and_amounts_are_those_of_the_bank(code):
    script = possible(code, "values")
    found = facts(read(write(script)))
    if code == "bai2":
        # See "overlap" of its script.
        assert [fact[1] for fact in found] == [one.amount for one in MONTH]
    else:
        assert found == [(one.booked.isoformat(), one.amount, "EUR") for one in MONTH]


@each_format
def test_each_currency_keeps_its_decimals(code):
    script = possible(code, "currencies")
    for currency, places in script.currencies:
        payments = of_currency(currency, places)
        first, last = ((one.booked - MONTH[0].booked).days for one in (payments[0], payments[-1]))
        whole = account(*script.numbers[0], first, last, payments, currency, places)
        (statement,) = read(script.write([whole]))
        assert [(fact[1], fact[2]) for fact in facts([statement])] == [(one.amount, currency) for one in payments]
        assert statement.currency in (currency, "")
        if statement.closing:
            assert statement.closing.amount == whole.closing


@each_format
def test_a_missing_row_is_seen_by_the_balances(code):
    script = possible(code, "balances")
    whole = account(*script.numbers[0])
    if code in ("csv", "xlsx"):
        # The balance of each row is the proof.
        content = without_a_row(code, script.write([whole]))
    else:
        payments = whole.payments[:4] + whole.payments[5:]
        values = {**vars(whole), "payments": payments}
        content = script.write([Lossy(**values, stated=whole.closing)])
    (statement,) = read_upload(content, "", Options(currency="EUR"))
    assert statement.problem or statement.warnings


def without_a_row(code, content):
    if code == "csv":
        found = content.splitlines(keepends=True)
        return b"".join(found[:5] + found[6:])
    import openpyxl

    book, target = openpyxl.load_workbook(io.BytesIO(content)), io.BytesIO()
    book.active.delete_rows(6)
    book.save(target)
    return target.getvalue()


@each_format
def test_two_accounts_of_one_file_stay_two(code):
    script = possible(code, "accounts")
    first = account(*script.numbers[0], 0, 4)
    second = account(*script.numbers[1], 5, 9)
    found = read(script.write([first, second]))
    assert [one.number or None for one in found] == [number for _written, number in script.numbers]
    assert [len(one.messages) for one in found] == [10, 10]
    assert sum((fact[1] for fact in facts(found[:1])), Decimal(0)) == first.closing - first.opening


@each_format
def test_a_placeholder_is_not_a_value(code):
    script = possible(code, "placeholders")
    payments = [
        Entry(Decimal("-1.10") - number, DAY, DAY, word, word, NO_NUMBERS[number % 3], word, id=f"P{number}")
        for number, word in enumerate(PLACEHOLDERS)
    ]
    payments.append(Entry(Decimal("7.77"), DAY, DAY, "Rent", "Somebody", OTHER_ACCOUNT, id="P9"))
    found = rows(read(write(script, 10, 10, tuple(payments))))
    assert len(found) == len(payments)
    for one in found:
        assert not {*texts_of(one)} & {*PLACEHOLDERS, *NO_NUMBERS}, one


@each_format
def test_a_masked_number_of_a_counterparty_matches_no_partner(code):
    script = possible(code, "masked_counterparty")
    payments = [
        Entry(Decimal("-1.10") - number, DAY, DAY, f"Card payment {number}", "Shop", masked, id=f"M{number}")
        for number, masked in enumerate(MASKED)
    ]
    payments.append(Entry(Decimal("7.77"), DAY, DAY, "Rent", "Somebody", OTHER_ACCOUNT, id="M9"))
    found = [one["counterparty"]["account_number"] for one in rows(read(write(script, 10, 10, tuple(payments))))]
    assert found == [*[None] * len(MASKED), OTHER_ACCOUNT]


@each_format
@pytest.mark.parametrize("masked", ["DE89XXXXXXXXXXXXXX3000", "******3000"])
def test_a_masked_number_of_the_account_is_that_of_no_account(code, masked):
    script = possible(code, "masked_account")
    for statement in read(script.write([account(masked, masked, 0, 4)])):
        assert not is_same_account(statement.number, "DE89370400440532013000")
        assert not statement.number


# -------------------------------------------------------------------------
# SAFETY
# -------------------------------------------------------------------------


@each_format
def test_a_bomb_is_refused_with_a_sentence(code):
    script = possible(code, "bomb")
    content = write(script)
    spoiled = script.spoil(content)
    assert spoiled != content
    (statement,) = read_upload(spoiled, "", Options(currency="EUR"))
    assert statement.problem and not statement.messages


@each_format
def test_an_archive_that_becomes_too_large_is_refused_with_a_sentence(code):
    content = write(possible(code, "archive"))
    packed = gzip.compress(content + b"\n" * 3_000_000)
    (statement,) = read_upload(packed, "statement.gz", Options(currency="EUR"))
    assert statement.problem and not statement.messages


@each_format
def test_more_rows_or_bytes_than_the_limit_are_refused_with_a_sentence(code):
    content = write(possible(code, "limits"))
    for limits in (Limits(transactions=5), Limits(file_bytes=len(content) - 1)):
        (statement,) = read_upload(content, "", Options(currency="EUR", limits=limits))
        assert statement.problem and not statement.messages


@each_format
def test_nothing_of_a_file_is_logged(code, caplog):
    caplog.set_level(logging.DEBUG)
    content = write(possible(code, "logs"))
    read(content)
    for end in (len(content) // 2, len(content) - 30):
        read_upload(content[:end], "", Options(currency="EUR"))
    for secret in SECRETS:
        assert secret not in caplog.text
