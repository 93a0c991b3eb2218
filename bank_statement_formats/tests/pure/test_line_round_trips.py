"""A statement that is written in a format and read back is the same, but for what the format can't hold.

What it can't hold is in the table of docs/statement_formats.md; here it is :data:`LOSES`.
"""

import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import FormatError, Options, format_class, read
from bank_statement_formats.tests.pure import renderers
from bank_statement_formats.tests.pure.renderers import Account, Payment

#: What is not in a file of this format.
LOSES = {
    "mt940": set(),
    "coda": set(),
    "cfonb": set(),
    # The counterparty has a place only in a direct debit.
    "norma43": {"account_number", "end_to_end_id", "name"},
    "bai2": {"account_number", "end_to_end_id", "mandate_id", "name", "booking_date"},
    "qif": {"account_number", "end_to_end_id", "mandate_id", "value_date", "closing", "number", "currency"},
}
#: Accounts as the files have them, and as their readers give them.
NUMBERS = {
    "mt940": [("DE89370400440532013000", "DE89370400440532013000"), ("NL02ABNA0123456789", "NL02ABNA0123456789")],
    "coda": [("BE68539007547034", "BE68539007547034"), ("BE02123456789002", "BE02123456789002")],
    "cfonb": [
        ("20041010050500013M026", "FR1420041010050500013M02606"),
        ("300060000112345678901", "FR7630006000011234567890189"),
    ],
    "norma43": [("210004180200051332", "ES9121000418450200051332"), ("008153980001414452", "ES0600815398730001414452")],
    "bai2": [("0975312468", "0975312468"), ("4444", "4444")],
    "qif": [("Checking", None), ("Savings", None)],
}
#: Currencies with their decimals; Norma 43 has two, whatever the currency.
CURRENCIES = {"norma43": [("EUR", 2), ("USD", 2)]}
ALL_CURRENCIES = [("EUR", 2), ("JPY", 0), ("KWD", 3)]
#: Records with the closing balance. QIF has none.
CLOSINGS = {"mt940": ":62F:", "coda": "8001", "cfonb": "07", "norma43": "33", "bai2": "03,"}
WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=3, max_size=9)
START = date(2025, 12, 20)


def texts(most):
    """Words separated by single spaces. No placeholders, such as NA and 0000."""
    found = st.lists(WORDS, min_size=1, max_size=6).map(lambda words: f"INV{' '.join(words)}"[:most].strip())
    return found


@st.composite
def payments(draw, places, end):
    booked = START + timedelta(days=draw(st.integers(1, 40)))
    amount = Decimal(draw(st.integers(-(10**9), 10**9).filter(bool))).scaleb(-places)
    return Payment(
        amount=amount,
        booked=min(booked, end),
        value=booked + timedelta(days=draw(st.integers(-3, 3))),
        text=draw(texts(62)),
        name=draw(st.none() | texts(35)),
        account=draw(st.sampled_from([None, "DE02120300000000202051", "FR7630006000011234567890189"])),
        end_to_end=draw(st.none() | texts(35).map(lambda text: text.replace(" ", "-"))),
        mandate=draw(st.none() | texts(35).map(lambda text: text.replace(" ", "-"))),
    )


@st.composite
def accounts(draw, code):
    found = []
    for number, iban in draw(st.sampled_from([NUMBERS[code][:1], NUMBERS[code]])):
        currency, places = draw(st.sampled_from(CURRENCIES.get(code, ALL_CURRENCIES)))
        end = START + timedelta(days=60)
        found.append(
            Account(
                number=number,
                iban=iban,
                currency=currency,
                places=places,
                opening=Decimal(draw(st.integers(-(10**9), 10**9))).scaleb(-places),
                start=START,
                end=end,
                payments=tuple(draw(st.lists(payments(places, end), max_size=6))),
            )
        )
    return found


def read_lines(lines, end="\r\n", **options):
    content = end.join([*lines, ""]).encode()
    return [(one, list(one.transactions)) for one in read(io.BytesIO(content), "", Options(currency="EUR", **options))]


def expected(payment, code, account):
    lost = LOSES[code]
    name = payment.name
    if code == "norma43" and payment.mandate:
        lost = lost - {"name"}
    found = {
        "amount": payment.amount,
        "currency": "EUR" if code == "qif" else account.currency,
        "booking_date": (account.end if code == "bai2" else payment.booked).isoformat(),
        "value_date": None if "value_date" in lost else payment.value.isoformat(),
        "name": None if "name" in lost else name,
        "account_number": None if "account_number" in lost else payment.account,
        "end_to_end_id": None if "end_to_end_id" in lost else payment.end_to_end,
        "mandate_id": None if "mandate_id" in lost else payment.mandate,
    }
    return found


def described(one):
    keys = ("currency", "booking_date", "value_date", "end_to_end_id", "mandate_id")
    return {
        "amount": Decimal(one["amount"]),
        **{key: one[key] for key in keys},
        "name": one["counterparty"]["name"],
        "account_number": one["counterparty"]["account_number"],
    }


@pytest.mark.parametrize("code", LOSES)
@given(data=st.data())
def test_what_is_written_is_read_back(code, data):
    written = data.draw(accounts(code))
    options = {"mapping": {"date_order": "dmy", "decimal": "."}} if code == "qif" else {}
    found = read_lines(getattr(renderers, code)(written), **options)
    assert len(found) == len(written)
    for (statement, transactions), account in zip(found, written, strict=True):
        assert statement.warnings == []
        assert statement.opening.amount == account.opening
        if "closing" not in LOSES[code]:
            assert (statement.closing.amount, statement.end) == (account.closing, account.end)
        if "number" not in LOSES[code]:
            assert (statement.number, statement.currency) == (account.iban, account.currency)
        assert [described(one) for one in transactions] == [expected(one, code, account) for one in account.payments]
        for one, payment in zip(transactions, account.payments, strict=True):
            assert payment.text.replace(" ", "") in "".join(one["remittance"]).replace(" ", "")


@pytest.mark.parametrize("code", [code for code in LOSES if code != "qif"])
@given(data=st.data())
def test_a_file_that_is_cut_off_is_refused_with_the_line(code, data):
    lines = getattr(renderers, code)(data.draw(accounts(code)))
    kept = lines[: data.draw(st.integers(1, len(lines) - (2 if code == "mt940" else 1)))]
    if code == "mt940" and kept[-1][:5] in (":62F:", "-"):
        # The first of two statements is whole; MT940 has no end of the file.
        return
    if code == "cfonb" and kept[-1][:2] == "07":
        return
    if code == "coda" and kept[-1][:1] == "9":
        assert "another statement follows" in read_lines(kept)[-1][0].warnings[-1]
        return
    with pytest.raises(FormatError) as caught:
        for statement in format_class(code).statements(io.BytesIO("\n".join(kept).encode()), Options(currency="EUR")):
            list(statement.transactions)
    assert caught.value.place and caught.value.place.startswith("line ")


@pytest.mark.parametrize("code", ["coda", "cfonb", "norma43"])
@given(data=st.data())
def test_records_without_line_ends_are_cut_by_their_length(code, data):
    lines = getattr(renderers, code)(data.draw(accounts(code)))
    glued = read_lines(lines, end="")
    assert [one for _statement, one in glued] == [one for _statement, one in read_lines(lines)]


@pytest.mark.parametrize("code", CLOSINGS)
@given(data=st.data())
def test_a_missing_transaction_is_seen_by_the_balances(code, data):
    account, *others = data.draw(accounts(code).filter(lambda found: found[0].payments))
    whole = getattr(renderers, code)([account, *others])
    lines = getattr(renderers, code)([replace(account, payments=account.payments[1:]), *others])
    # The balance at the end is that of all.
    lines[_closing(lines, code)] = whole[_closing(whole, code)]
    try:
        found = read_lines(lines)
    except FormatError as error:
        # The number of records says so before.
        assert error.place
    else:
        assert found[0][0].warnings


def _closing(lines, code):
    return next(place for place, line in enumerate(lines) if line.startswith(CLOSINGS[code]))
