"""The files that libraries for formats of lines ship: read, and compared with what those libraries read."""

import io
import logging
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import FormatError, Options, UnknownFormat, read

CORPUS = Path(__file__).parent / "corpus"
FOLDERS = (
    "aeb43",
    "bai2",
    "centrapay-swift-parser",
    "csb43",
    "febelfin-coda",
    "mt-940",
    "mt940js",
    "python-cfonb",
    "quiffen",
)
FILES = [
    path
    for folder in FOLDERS
    for path in sorted((CORPUS / folder).rglob("*"))
    if path.is_file() and "LICENSE" not in path.name and path.name != "COPYRIGHT"
]
#: Fixtures of single fields, empty ones, and files that are not statements: they can't be recognised.
NO_STATEMENTS = {
    *("amount_formats.sta", "currency_in_25.sta", "empty_86.sta", "empty_entry_date.sta", "empty_line.sta"),
    *("missing_crlf_at_end.sta", "account_balance_credit.sta", "account_balance_debit.sta"),
    *("account_identification_iban.sta", "account_identification_legacy.sta", "available_balance.sta"),
    *("closing_balance.sta", "reference.sta", "statement_details.sta", "statement_line.sta"),
    *("statement_number.sta", "empty_non_swift.sta", "invalid_statement.sta", "sparkassen.sta"),
    "empty.qif",
}
#: Files that are not whole, or have nothing of a bank account, and the sentence that says so.
REFUSED = {
    "sepa_snippet_broken.sta": ":62F:",
    "gv_codes.sta": ":62F:",
    "test_category_inherit.qif": "no transactions",
    "test_clear_autoswitch.qif": "no transactions",
    "test_nosymbol.qif": "no transactions",
    "test_option_autoswitch.qif": "no transactions",
    "test_unknown_account_type.qif": "securities",
}
MT940 = [
    path
    for path in FILES
    if path.suffix in (".sta", ".mt940", ".mt940x", ".mt942") and path.name not in {*NO_STATEMENTS, *REFUSED}
]


def read_file(path, **options):
    """:return: list of (statement, list of its transactions)"""
    found = read(io.BytesIO(path.read_bytes()), "", Options(currency="EUR", **options))
    return [(statement, list(statement.transactions)) for statement in found]


def name_of(path):
    return str(path.relative_to(CORPUS))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_file_of_the_corpus_is_read_whole_or_refused_with_a_reason(path):
    if path.name in NO_STATEMENTS:
        with pytest.raises(UnknownFormat):
            read_file(path)
    elif path.name in REFUSED:
        with pytest.raises(FormatError, match=REFUSED[path.name]):
            read_file(path)
    else:
        found = read_file(path)
        assert found
        assert not [one for _statement, transactions in found for one in transactions if "problem" in one]


def test_the_corpus_has_as_many_statements_and_transactions_as_its_libraries_ship():
    statements = transactions = 0
    for path in FILES:
        if path.name not in {*NO_STATEMENTS, *REFUSED}:
            found = read_file(path)
            statements += len(found)
            transactions += sum(len(one) for _statement, one in found)
    assert (len(FILES), statements, transactions) == (80, 102, 343)


@given(path=st.sampled_from(FILES), data=st.data())
def test_a_damaged_file_of_the_corpus_only_leads_to_a_format_error(path, data):
    lines = path.read_bytes().split(b"\n")
    for _damage in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        start = data.draw(st.integers(0, len(line)))
        damage = data.draw(st.sampled_from(["cut", "drop", "again", "swap", "insert", "digits"]))
        if damage == "cut":
            lines[place] = line[:start]
        elif damage == "drop":
            lines[place : place + 1] = [] if len(lines) > 1 else [b""]
        elif damage == "again":
            lines.insert(place, line)
        elif damage == "swap":
            lines[place], lines[-1] = lines[-1], line
        elif damage == "insert":
            lines[place] = line[:start] + data.draw(st.binary(max_size=4)) + line[start:]
        else:
            lines[place] = line[:start] + b"9" * 30 + line[start:]
    try:
        for statement in read(io.BytesIO(b"\n".join(lines)), "", Options(currency="EUR")):
            for one in statement.transactions:
                assert "problem" in one or Decimal(one["amount"]).is_finite()
    except FormatError as error:
        assert error.sentence


@pytest.mark.parametrize("path", MT940, ids=name_of)
def test_mt940_is_read_as_the_library_reads_it(path):
    models = pytest.importorskip("mt940.models")
    options = pytest.importorskip("mt940.options")
    logging.getLogger("mt940").setLevel(logging.CRITICAL)
    theirs = models.Transactions(options=options.Options.all())
    theirs.parse(path.read_bytes().decode("latin-1"))
    expected = [
        (row.data["amount"].amount, str(row.data.get("entry_date") or row.data["date"]), str(row.data["date"]))
        for row in theirs
        if row.data.get("amount")
    ]
    found = [
        (Decimal(one["amount"]), one["booking_date"], one["value_date"])
        for _statement, transactions in read_file(path)
        for one in transactions
    ]
    assert found == expected


def test_coda_is_read_as_the_library_reads_it():
    coda = pytest.importorskip("coda")
    for path in sorted((CORPUS / "febelfin-coda").glob("*.txt")):
        statements = coda.CODA(str(path)).statements
        found = read_file(path, split_batches=False)
        assert len(found) == len(statements)
        for (statement, transactions), theirs in zip(found, statements, strict=True):
            assert (statement.opening.amount, statement.opening.day) == (theirs.old_balance, theirs.old_balance_date)
            assert (statement.closing.amount, statement.closing.day) == (theirs.new_balance, theirs.new_balance_date)
            assert [describe(one) for one in transactions] == [
                {
                    "amount": move.amount,
                    "booking_date": move.entry_date.isoformat(),
                    "value_date": move.value_date.isoformat(),
                    "name": (move.counterparty_name or "").strip() or None,
                }
                for move in theirs.moves
            ]


def describe(one):
    return {
        "amount": Decimal(one["amount"]),
        "booking_date": one["booking_date"],
        "value_date": one["value_date"],
        "name": one["counterparty"]["name"],
    }


@pytest.mark.parametrize("path", [CORPUS / "aeb43/AEB43.txt", CORPUS / "csb43/sample_sepa.csb"], ids=name_of)
def test_norma43_is_read_as_the_library_reads_it(path):
    aeb43 = pytest.importorskip("aeb43")
    theirs = aeb43.AEB43(io.StringIO(path.read_text("latin-1"))).accounts
    found = read_file(path)
    assert [statement.number for statement, _one in found] == [account.iban for account in theirs]
    for (statement, transactions), account in zip(found, theirs, strict=True):
        assert (statement.opening.amount, statement.closing.amount) == (account.initial_balance, account.final_balance)
        assert [(Decimal(one["amount"]), one["booking_date"], one["value_date"]) for one in transactions] == [
            (one.amount, one.transaction_date.isoformat(), one.value_date.isoformat()) for one in account.transactions
        ]


@pytest.mark.parametrize("path", sorted((CORPUS / "bai2").glob("*.bai2")), ids=name_of)
def test_bai2_is_read_as_the_library_reads_it(path):
    bai2 = pytest.importorskip("bai2.bai2")
    with path.open() as stream:
        theirs = bai2.parse_from_file(stream, check_integrity=False)
    accounts = [account for group in theirs.children for account in group.children]
    found = read_file(path)
    assert [statement.number for statement, _one in found] == [
        account.header.customer_account_number for account in accounts
    ]
    for (_statement, transactions), account in zip(found, accounts, strict=True):
        assert [abs(Decimal(one["amount"])) * 100 for one in transactions] == [one.amount for one in account.children]
