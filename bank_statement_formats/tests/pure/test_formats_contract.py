"""What every reader of statement files promises, over all files of ``cases/<code of the format>/``.

A new format needs a line in ``FORMATS`` and at least one file there.
"""

import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import (
    FORMATS,
    HEAD,
    Balance,
    FormatError,
    Limits,
    Options,
    Sentence,
    TooLarge,
    UnknownFormat,
    format_class,
    read,
    recognise,
)

EUR = Options(currency="EUR")
CASES = Path(__file__).parent / "cases"
FILES = sorted(path for code in FORMATS for path in (CASES / code).glob("*"))
KINDS = {"statement", "interim", "advice", "list"}
ID_SCHEMES = {"transaction_id", "entry_reference", "fingerprint"}
#: Keys of *transaction* in docs/protocol.md that each one has; ``duplicate`` and ``pending_id`` are not for files.
KEYS = {
    "id",
    "status",
    "booking_date",
    "value_date",
    "amount",
    "currency",
    "foreign_amount",
    "foreign_currency",
    "counterparty",
    "remittance",
    "end_to_end_id",
    "creditor_reference",
    "mandate_id",
    "raw",
}
AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
each_format = pytest.mark.parametrize("code", FORMATS)


def read_all(content, name="", options=EUR):
    """:return: list of (statement, list of its transactions)"""
    return [(statement, list(statement.transactions)) for statement in read(io.BytesIO(content), name, options)]


def transactions_of(path):
    return [one for _statement, found in read_all(path.read_bytes(), path.name) for one in found]


@each_format
def test_each_format_has_a_case(code):
    assert any(path.parent.name == code for path in FILES)
    found = format_class(code)
    assert found.code == code and found.label and found.extensions


@each_file
def test_a_file_is_recognised_by_its_content_alone(path):
    assert recognise(path.read_bytes()[:HEAD]) is format_class(path.parent.name)


@each_file
def test_a_statement_has_the_types_of_the_contract(path):
    for statement, _transactions in read_all(path.read_bytes(), path.name):
        assert statement.kind in KINDS
        assert statement.id_scheme in ID_SCHEMES
        assert statement.number_type in ("iban", "other")
        assert statement.number is None or (type(statement.number) is str and statement.number)
        assert statement.currency is None or re.fullmatch("[A-Z]{3}", statement.currency)
        for balance in (statement.opening, statement.closing):
            assert balance is None or type(balance) is Balance
            assert balance is None or type(balance.amount) is Decimal
            assert balance is None or balance.day is None or type(balance.day) is date
        for day in (statement.start, statement.end):
            assert day is None or type(day) is date
        assert set(statement.sums) <= {"credit", "debit", "credit_count", "debit_count"}
        assert all(type(warning) is Sentence for warning in statement.warnings)


@each_file
def test_a_transaction_has_the_form_of_the_protocol(path):
    for one in transactions_of(path):
        if "problem" in one:
            assert set(one) == {"id", "status", "problem", "raw"}
            continue
        assert set(one) == KEYS
        assert one["status"] in ("booked", "pending")
        assert type(one["amount"]) is str and AMOUNT.fullmatch(one["amount"])
        assert re.fullmatch("[A-Z]{3}", one["currency"])
        assert (one["foreign_amount"] is None) == (one["foreign_currency"] is None)
        if one["foreign_amount"]:
            assert (Decimal(one["foreign_amount"]) < 0) == (Decimal(one["amount"]) < 0)
        assert date.fromisoformat(one["booking_date"]) or one["status"] == "pending"
        assert one["value_date"] is None or date.fromisoformat(one["value_date"])
        assert set(one["counterparty"]) == {"name", "account_number", "bic"}
        assert type(one["remittance"]) is list and all(type(text) is str and text.strip() for text in one["remittance"])
        assert one["raw"]


@each_file
def test_balances_agree_with_the_transactions_or_a_warning_says_so(path):
    for statement, found in read_all(path.read_bytes(), path.name):
        if statement.opening and statement.closing and not statement.warnings:
            total = sum((Decimal(one["amount"]) for one in found if one["status"] == "booked"), Decimal(0))
            assert statement.opening.amount + total == statement.closing.amount


@each_file
def test_reading_a_file_again_gives_the_same(path):
    assert transactions_of(path) == transactions_of(path)


@each_file
def test_more_transactions_than_the_limit_are_refused(path):
    if len(transactions_of(path)) > 1:
        with pytest.raises(TooLarge):
            read_all(path.read_bytes(), path.name, Options(currency="EUR", limits=Limits(transactions=1)))


@each_file
@given(data=st.data())
def test_any_damage_raises_only_a_format_error(path, data):
    content = bytearray(path.read_bytes())
    for _damage in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 40)))
        content[start:end] = data.draw(
            st.one_of(st.binary(max_size=40), st.sampled_from([b"\n", b"\x00", b"9" * 40, b"-", b"\xff", b"32", b":"]))
        )
    try:
        read_all(bytes(content), path.name)
    except FormatError as error:
        assert type(error.sentence) is Sentence


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00" * 100, b"Dear customer,\nplease find attached", b"%PDF-1.7"])
def test_a_file_without_a_statement_is_refused_with_a_sentence(content):
    with pytest.raises(UnknownFormat) as caught:
        read_all(content, "letter.txt")
    assert "letter.txt" in caught.value.sentence


@each_format
@given(content=st.binary(max_size=300))
def test_any_bytes_only_lead_to_a_format_error(code, content):
    try:
        for statement in format_class(code).statements(io.BytesIO(content), EUR):
            list(statement.transactions)
    except FormatError:
        pass
