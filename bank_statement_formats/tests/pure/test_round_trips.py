"""A statement that is written as CAMT, OFX, CSV or XLSX and read back is the same, but for what the format can't hold.

What it can't hold is in the table of docs/statement_formats.md; here it is :data:`LOSES`. Formats of lines:
``test_line_round_trips.py``.
"""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import MappingNeeded, Options, read
from bank_statement_formats.formats.tables import answer
from bank_statement_formats.tests.pure.camt_files import IBAN, Writer, balance

LOSES = {
    "camt": {"id"},
    "ofx": {"end_to_end_id", "mandate_id", "bic", "opening"},
    "csv": {"bic"},
    "xlsx": {"bic"},
}
START = date(2026, 1, 31)
PLACES = {"EUR": 2, "JPY": 0, "KWD": 3}
NUMBERS = ["DE02500105170137075030", "FR1420041010050500013M02606", "NL91ABNA0417164300"]
#: Letters of several languages; no word that says nothing, such as NA.
WORDS = st.text("ABCxyzäöüßéñçŁ&<>'\"7", min_size=4, max_size=12).map(lambda word: f"T{word}")
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@st.composite
def payments(draw, places):
    booked = START + timedelta(days=draw(st.integers(1, 40)))
    return {
        "booking_date": booked,
        "value_date": booked + timedelta(days=draw(st.integers(-3, 3))),
        "amount": Decimal(draw(st.integers(-(10**9), 10**9).filter(bool))).scaleb(-places),
        "name": draw(TEXTS),
        "account_number": draw(st.sampled_from(NUMBERS)),
        "bic": draw(st.sampled_from([None, "INGDDEFFXXX"])),
        "text": draw(TEXTS),
        "end_to_end_id": draw(st.none() | st.integers(1, 10**9).map(lambda number: f"E2E-{number}")),
        "mandate_id": draw(st.none() | st.integers(1, 10**9).map(lambda number: f"M-{number}")),
    }


@st.composite
def statements(draw):
    currency = draw(st.sampled_from(sorted(PLACES)))
    rows = draw(st.lists(payments(PLACES[currency]), min_size=1, max_size=8))
    rows.sort(key=lambda row: row["booking_date"])
    for number, row in enumerate(rows):
        row["id"] = f"F{number}"
    return currency, Decimal(draw(st.integers(-(10**9), 10**9))).scaleb(-PLACES[currency]), rows


def closing(opening, rows):
    return opening + sum(row["amount"] for row in rows)


def camt(currency, opening, rows, version):
    writer = Writer(version=version)
    entries = [
        writer.entry(
            row["amount"],
            writer.detail(
                row["amount"],
                row["name"],
                row["account_number"],
                row["bic"],
                [row["text"]],
                end_to_end=row["end_to_end_id"],
                mandate=row["mandate_id"],
                is_credit=row["amount"] > 0,
                currency=currency,
            ),
            day=str(row["booking_date"]),
            value_day=str(row["value_date"]),
            currency=currency,
        )
        for row in rows
    ]
    balances = balance("OPBD", opening, str(START), currency)
    balances += balance("CLBD", closing(opening, rows), str(rows[-1]["booking_date"]), currency)
    return writer.document(writer.statement(*entries, balances=balances, currency=currency)).encode()


def ofx(currency, opening, rows, version):
    closes = version % 2

    def tag(name, value):
        return f"<{name}>{escape(str(value))}" + (f"</{name}>" if closes else "\n")

    lines = []
    for row in rows:
        other = f"<BANKACCTTO>{tag('ACCTID', row['account_number'])}</BANKACCTTO>"
        fields = (
            ("DTPOSTED", f"{row['booking_date']:%Y%m%d}"),
            ("DTAVAIL", f"{row['value_date']:%Y%m%d}"),
            ("TRNAMT", f"{row['amount']:f}"),
            ("FITID", row["id"]),
            ("NAME", row["name"]),
        )
        lines.append(f"<STMTTRN>{''.join(tag(*field) for field in fields)}{other}{tag('MEMO', row['text'])}</STMTTRN>")
    day = f"{rows[-1]['booking_date']:%Y%m%d}"
    account = f"<BANKACCTFROM>{tag('ACCTID', IBAN)}</BANKACCTFROM><BANKTRANLIST>{''.join(lines)}</BANKTRANLIST>"
    balances = f"<LEDGERBAL>{tag('BALAMT', closing(opening, rows))}{tag('DTASOF', day)}</LEDGERBAL>"
    body = f"<OFX><STMTRS>{tag('CURDEF', currency)}{account}{balances}</STMTRS></OFX>"
    return f"OFXHEADER:100\nENCODING:UTF-8\n\n{body}".encode()


HEADER = ("Datum", "Valuta", "Name", "IBAN Gegenkonto", "Verwendungszweck", "End-to-End-ID", "Mandatsreferenz")
HEADER = (*HEADER, "Transaction ID", "Konto", "Betrag", "Währung", "Saldo")


def table(currency, opening, rows, written_day, written_amount):
    found, running = [], opening
    for row in rows:
        running += row["amount"]
        days = (written_day(row["booking_date"]), written_day(row["value_date"]))
        texts = (row["name"], row["account_number"], row["text"], row["end_to_end_id"] or "", row["mandate_id"] or "")
        amounts = (written_amount(row["amount"]), currency, written_amount(running))
        found.append((*days, *texts, row["id"], IBAN, *amounts))
    return found


def write_csv(currency, opening, rows, version):
    day, decimal, delimiter = (("%d.%m.%Y", ",", ";"), ("%m/%d/%Y", ".", ","), ("%Y-%m-%d", ".", "\t"))[version % 3]
    target = io.StringIO()
    writer = csv.writer(target, delimiter=delimiter)
    writer.writerow(HEADER)
    lines = table(
        currency, opening, rows, lambda one: one.strftime(day), lambda amount: f"{amount:f}".replace(".", decimal)
    )
    writer.writerows(lines if version % 2 else lines[::-1])
    return target.getvalue().encode()


def write_xlsx(currency, opening, rows, version):
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    for line in table(currency, opening, rows, lambda day: day, float):
        book.active.append(line)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


WRITERS = {"camt": camt, "ofx": ofx, "csv": write_csv, "xlsx": write_xlsx}


def read_answered(content, version):
    """Read; what a table can't prove is answered as the file was written."""
    answers = {"sign": "signed", "date_order": ("dmy", "mdy", "ymd")[version % 3], "decimal": ",."[bool(version % 3)]}
    mapping = None
    try:
        return [(one, list(one.transactions)) for one in read(io.BytesIO(content), "", Options())]
    except MappingNeeded as needed:
        mapping = needed.mapping
    for question in mapping["unsure"]:
        mapping = answer(mapping, question["field"], answers[question["field"]])
    return [(one, list(one.transactions)) for one in read(io.BytesIO(content), "", Options(mapping=mapping))]


@pytest.mark.parametrize("code", WRITERS)
@given(statement=statements(), version=st.integers(2, 14))
def test_a_statement_comes_back_as_it_was_written(code, statement, version):
    currency, opening, rows = statement
    [(found, transactions)] = read_answered(WRITERS[code](currency, opening, rows, version), version)
    loses = LOSES[code]
    assert (found.number, found.currency) == (IBAN, currency)
    assert found.closing.amount == closing(opening, rows)
    assert (found.opening is None) if "opening" in loses else (found.opening.amount == opening)
    assert not found.warnings
    assert len(transactions) == len(rows)
    # Banks write the newest first or last; within a day a table in reverse is put right by its balances.
    for row, one in zip(rows, transactions, strict=True):
        assert Decimal(one["amount"]) == row["amount"]
        assert (one["booking_date"], one["value_date"]) == (str(row["booking_date"]), str(row["value_date"]))
        assert row["text"] in one["remittance"]
        given = {**one, **one["counterparty"]}
        for key in ("name", "account_number", "bic", "end_to_end_id", "mandate_id", "id"):
            assert given[key] == (None if key in loses else row[key]), key
