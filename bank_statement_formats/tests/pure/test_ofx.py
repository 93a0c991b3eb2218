"""OFX: days, amounts, ids and accounts as the banks mean them."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bank_statement_formats.formats import Balance, FormatError, Options, read

FOLDER = Path(__file__).parent
CORPUS = sorted((FOLDER / "corpus" / "ofxparse").glob("*.ofx"))
START = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS>"
END = "</STMTTRNRS></BANKMSGSRSV1></OFX>\n"


def account(*rows, number="123", currency="EUR", more=""):
    rows = "".join(f"<STMTTRN>{row}</STMTTRN>" for row in rows)
    head = f"<STMTRS><CURDEF>{currency}<BANKACCTFROM><BANKID>1<ACCTID>{number}<ACCTTYPE>CHECKING</BANKACCTFROM>"
    return f"{head}<BANKTRANLIST><DTSTART>20260501<DTEND>20260531{rows}</BANKTRANLIST>{more}</STMTRS>"


def row(amount="-1.00", day="20260504", id="A", more=""):
    return f"<TRNTYPE>DEBIT<DTPOSTED>{day}<TRNAMT>{amount}<FITID>{id}<NAME>Shop{more}"


def read_text(*accounts, encoding="cp1252", start=START):
    content = (start + "".join(accounts) + END).encode(encoding)
    return [(one, list(one.transactions)) for one in read(io.BytesIO(content), "", Options())]


def read_case(name):
    stream = io.BytesIO((FOLDER / "cases" / "ofx" / name).read_bytes())
    return [(one, list(one.transactions)) for one in read(stream)]


def test_tags_without_an_end_are_read():
    [(statement, found)] = read_case("bank_1.ofx")
    assert (statement.number, statement.number_type) == ("FR1420041010050500013M02606", "iban")
    assert statement.closing == Balance(Decimal("1087.70"), date(2026, 5, 31)) and statement.opening is None
    assert [(one["id"], one["booking_date"], one["amount"]) for one in found] == [
        ("A1", "2026-05-04", "-61.80"),
        ("A2", "2026-05-15", "1234.50"),
        ("A3", "2026-05-29", "-85.00"),
    ]
    assert found[0]["remittance"] == ["CAFE DE LA GARE", "CB & sans contact"]
    assert found[2]["remittance"] == ["CHEQUE", "0004711"]


def test_a_card_in_xml_is_read():
    [(statement, found)] = read_case("card_2.qfx")
    assert (statement.number, statement.closing.amount) == ("5555444433331111", -258)
    assert found[0]["counterparty"]["name"] == 'Hôtel "R&B" <Paris>'
    assert (found[0]["foreign_amount"], found[0]["foreign_currency"]) == ("-100.00", "EUR")
    assert found[1]["counterparty"]["name"] == "Example Ltd"


@pytest.mark.parametrize(
    "day",
    ["20260504", "20260504230000", "20260504230000.000[-8:PST]", "20260504003000[+10:AEST]", "20260504120000[0:GMT]"],
)
def test_a_day_is_the_one_that_the_bank_writes(day):
    [(_statement, [found])] = read_text(account(row(day=day)))
    assert found["booking_date"] == "2026-05-04"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("-12.30", "-12.30"),
        ("-12,30", "-12.30"),
        ("+5", "5"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("-.5", "-0.5"),
        ("1,234,567.00", "1234567.00"),
    ],
)
def test_an_amount_has_a_point_or_a_comma(written, amount):
    [(_statement, [found])] = read_text(account(row(written)))
    assert Decimal(found["amount"]) == Decimal(amount)


@pytest.mark.parametrize(
    "damage", [{"amount": "1,234"}, {"amount": "abc"}, {"amount": ""}, {"day": "20261304"}, {"day": ""}]
)
def test_a_transaction_that_can_not_be_read_is_a_problem_and_the_rest_goes_on(damage):
    [(statement, found)] = read_text(account(row(id="A"), "\n" + row(**{"id": "B", **damage}), row(id="C")))
    assert [one.get("amount") for one in found] == ["-1.00", None, "-1.00"]
    assert found[1]["problem"] and found[1]["id"] == "B" and statement.warnings


def test_several_accounts_are_several_statements():
    found = read_text(account(row(), number="1"), account(row(), row(id="B"), number="2", currency="USD"))
    assert [(one.number, one.currency, len(rows)) for one, rows in found] == [("1", "EUR", 1), ("2", "USD", 2)]


def test_an_id_of_different_transactions_is_none():
    [(statement, found)] = read_text(account(row("-1.00"), row("-2.00"), row("-3.00", id="B"), row("-3.00", id="B")))
    assert [one["id"] for one in found] == [None, None, "B", "B"]
    assert "same id" in statement.warnings[0]


def test_ids_that_say_nothing_leave_it_to_the_contents():
    [(statement, found)] = read_text(account(row(id="0000"), row(id="")))
    assert [one["id"] for one in found] == [None, None] and statement.id_scheme == "fingerprint"


def test_an_amount_in_another_currency_is_converted_with_a_warning():
    foreign = "<CURRENCY><CURRATE>0.5<CURSYM>USD</CURRENCY>"
    [(statement, [found])] = read_text(account(row("-10.00", more=foreign)))
    assert (found["amount"], found["foreign_amount"], found["foreign_currency"]) == ("-5.00", "-10.00", "USD")
    assert "converted" in statement.warnings[0]


def test_an_available_balance_is_not_a_booked_one():
    balances = "<AVAILBAL><BALAMT>99.00<DTASOF>20260531</AVAILBAL>"
    [(statement, _found)] = read_text(account(row(), more=balances))
    assert statement.closing is None
    [(statement, _found)] = read_text(
        account(row(), more=f"<LEDGERBAL><BALAMT>5.00<DTASOF>20260531</LEDGERBAL>{balances}")
    )
    assert statement.closing.amount == 5


def test_of_an_investment_account_the_cash_is_read():
    cash = "<INVBANKTRAN><STMTTRN>" + row("-7.00") + "</STMTTRN><SUBACCTFUND>CASH</INVBANKTRAN>"
    stock = "<BUYSTOCK><INVBUY><TOTAL>-100.00</INVBUY></BUYSTOCK>"
    content = f"<INVSTMTRS><CURDEF>USD<INVACCTFROM><BROKERID>X<ACCTID>9</INVACCTFROM><INVTRANLIST>{cash}{stock}"
    [(statement, found)] = read_text(content + "</INVTRANLIST></INVSTMTRS>")
    assert [one["amount"] for one in found] == ["-7.00"]
    assert "securities" in statement.warnings[0]


def test_pending_transactions_of_version_2_are_pending():
    pending = "<STMTTRNP><TRNTYPE>DEBIT<DTTRAN>20260504<TRNAMT>-3.00<NAME>Shop</STMTTRNP>"
    [(_statement, [_booked, found])] = read_text(account(row(), more=f"<BANKTRANLISTP>{pending}</BANKTRANLISTP>"))
    assert (found["status"], found["amount"]) == ("pending", "-3.00")


def test_the_header_names_the_encoding():
    [(statement, [found])] = read_text(account(row(more=" Müller €")))
    assert found["counterparty"]["name"] == "Shop Müller €" and not statement.warnings
    [(statement, [found])] = read_text(account(row(more=" Müller")), encoding="utf-8")
    assert found["counterparty"]["name"] == "Shop Müller" and not statement.warnings


@pytest.mark.parametrize("cut", [5, 60, 120])
def test_half_a_file_names_the_line(cut):
    content = (START + account(row()) + END)[:-cut]
    with pytest.raises(FormatError) as caught:
        list(read(io.BytesIO(content.encode())))
    assert caught.value.place.startswith("line ")


def test_what_the_bank_says_instead_of_a_statement_is_shown():
    with pytest.raises(FormatError) as caught:
        list(read(io.BytesIO((FOLDER / "corpus" / "ofxparse" / "signon_fail.ofx").read_bytes())))
    assert "bank says" in caught.value.sentence


#: Files without a transaction, or without a statement.
WITHOUT = {
    *("account_listing_aggregation", "bank_small", "error_message"),
    *("signon_fail", "signon_success", "signon_success_no_message"),
}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_each_file_of_the_corpus_is_read_or_refused_with_a_sentence(path):
    try:
        found = [
            (one, list(one.transactions)) for one in read(io.BytesIO(path.read_bytes()), "", Options(currency="USD"))
        ]
    except FormatError as error:
        assert path.stem in WITHOUT or error.place
    else:
        assert path.stem not in WITHOUT and all(statement.number for statement, _rows in found)


def test_the_corpus_is_read_as_the_library_reads_it():
    """The result of ofxparse for its own files, except for days that it moves to UTC."""
    ofxparse = pytest.importorskip("ofxparse")
    compared = 0
    for path in CORPUS:
        try:
            theirs = ofxparse.OfxParser.parse(io.BytesIO(path.read_bytes())).accounts
            ours = list(read(io.BytesIO(path.read_bytes()), "", Options(currency="USD")))
        except Exception:
            continue
        # It takes amounts in another currency for those of the account.
        rows = {
            one.number: [Decimal(row["foreign_amount"] or row["amount"]) for row in one.transactions if "amount" in row]
            for one in ours
        }
        for one in theirs:
            cash = [row.amount for row in getattr(one.statement, "transactions", ()) if hasattr(row, "amount")]
            if one.account_id in rows and cash:
                # Its order of an investment account is its own.
                assert sorted(rows[one.account_id]) == sorted(cash), path.name
                compared += len(cash)
    assert compared == 18
