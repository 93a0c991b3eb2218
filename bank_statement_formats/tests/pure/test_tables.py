"""Tables are read as their banks mean them, and what is not certain is asked."""

import io
import json
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from bank_statement_formats.formats import Balance, FormatError, MappingNeeded, Options, TooLarge, read, workbooks
from bank_statement_formats.formats.tables import CSV, answer, fits, propose_mapping

CASES = Path(__file__).parent / "cases" / "csv"
#: What each case says, in its order.
PAYMENTS = [("2026-05-04", "-61.80"), ("2026-05-15", "1234.50"), ("2026-05-29", "-85.00")]


def propose(text, encoding="utf-8", **options):
    return propose_mapping(io.BytesIO(text.encode(encoding)), "", Options(**options))


def read_text(text, mapping=None, currency="EUR"):
    stream = io.BytesIO(text.encode())
    return [
        (statement, list(statement.transactions))
        for statement in CSV.statements(stream, Options(mapping=mapping, currency=currency))
    ]


def read_case(name, currency="EUR"):
    stream = io.BytesIO((CASES / name).read_bytes())
    return [(one, list(one.transactions)) for one in read(stream, name, Options(currency=currency))]


def amounts(transactions):
    return [(one["booking_date"], one["amount"]) for one in transactions]


@pytest.mark.parametrize(
    "name",
    [
        "german_bank.csv",
        "british_bank.csv",
        "french_bank.csv",
        "spanish_bank.csv",
        "dutch_bank.csv",
        "chinese_bank.csv",
        "american_bank.csv",
    ],
)
def test_days_and_amounts_of_each_language_are_found_without_a_question(name):
    [(_statement, found)] = read_case(name)
    assert amounts(found) == PAYMENTS


def test_a_german_bank_names_everything_in_its_columns():
    [(statement, found)] = read_case("german_bank.csv")
    assert (statement.number, statement.currency) == ("DE89370400440532013000", "EUR")
    assert found[1]["counterparty"] == {
        "name": "Müller & Söhne GmbH",
        "account_number": "DE02500105170137075030",
        "bic": "INGDDEFFXXX",
    }
    assert found[1]["remittance"] == ["Gutschrift", "RE 2026-0815"]
    assert found[1]["end_to_end_id"] == "E2E-0815" and found[2]["end_to_end_id"] is None
    assert found[2]["mandate_id"] == "M-2019-7"
    assert "Windows-1252" in statement.warnings[0]


def test_balances_give_opening_closing_and_the_order_of_the_lines():
    for name, opening in (("british_bank.csv", "0.00"), ("dutch_bank.csv", "0.00"), ("chinese_bank.csv", "1000.00")):
        [(statement, _found)] = read_case(name)
        assert statement.opening == Balance(Decimal(opening), date(2026, 5, 3))
        assert statement.closing.day == date(2026, 5, 29)


def test_a_sum_below_the_table_is_not_a_transaction_and_is_reported():
    [(statement, found)] = read_case("chinese_bank.csv")
    assert len(found) == 3
    assert any("合计" in warning for warning in statement.warnings)


def test_currencies_become_statements_of_their_own_and_balances_prove_fees():
    (euro, in_euro), (dollar, in_dollar) = read_case("several_currencies.csv")
    assert (euro.currency, dollar.currency) == ("EUR", "USD")
    assert [one["amount"] for one in in_euro] == ["100.00", "-12.50", "-21.00"]
    assert [one["amount"] for one in in_dollar] == ["50.00"]
    assert euro.closing.amount == Decimal("66.50")
    assert any("declined" in warning for warning in euro.warnings)


def test_days_before_the_13th_are_asked_and_the_answer_is_kept():
    text = "Date,Description,Amount\n03/05/2026,Coffee,-2.50\n04/05/2026,Tea,-2.00\n"
    with pytest.raises(MappingNeeded) as caught:
        read_text(text)
    mapping = json.loads(json.dumps(caught.value.mapping))
    assert [question["field"] for question in mapping["unsure"]] == ["date_order"]
    choices = [choice["value"] for choice in mapping["unsure"][0]["choices"]]
    assert set(choices) == {"dmy", "mdy"}
    for order, day in (("dmy", "2026-05-03"), ("mdy", "2026-03-05")):
        [(_statement, found)] = read_text(text, answer(mapping, "date_order", order))
        assert found[0]["booking_date"] == day


def test_one_day_after_the_12th_proves_the_order_for_all_lines():
    text = "Date,Description,Amount\n" + "03/05/2026,Coffee,-2.50\n" * 500 + "25/04/2026,Tea,-2.00\n"
    assert propose(text, currency="EUR")["date_order"] == "dmy"
    assert not propose(text, currency="EUR")["unsure"]


def test_three_digits_behind_a_separator_are_asked():
    text = "Datum;Text;Betrag\n13.05.2026;Miete;-1.234\n14.05.2026;Lohn;2.500\n"
    mapping = propose(text)
    assert [question["field"] for question in mapping["unsure"]] == ["decimal"]
    assert not propose(text.replace("2.500", "2.500,00"))["unsure"]


def test_positive_amounts_alone_are_asked():
    text = "Date,Description,Amount\n2026-05-13,Coffee,2.50\n2026-05-14,Tea,2.00\n"
    mapping = propose(text)
    assert [question["field"] for question in mapping["unsure"]] == ["sign"]
    [(_statement, found)] = read_text(text, answer(mapping, "sign", "inverted"))
    assert [one["amount"] for one in found] == ["-2.50", "-2.00"]


def test_fees_beside_the_amount_are_asked():
    text = "Date,Description,Amount,Fee\n2026-05-13,Coffee,-2.50,0.00\n2026-05-14,Abroad,-50.00,1.00\n"
    mapping = propose(text)
    assert [question["field"] for question in mapping["unsure"]] == ["fee"]
    for value, amount in (("apart", "-51.00"), ("included", "-50.00")):
        [(_statement, found)] = read_text(text, answer(mapping, "fee", value))
        assert found[1]["amount"] == amount


def test_which_side_an_iban_belongs_to_is_asked():
    own, other = "NL91ABNA0417164300", "NL02RABO0123456789"
    text = f"Date,Description,Amount,IBAN\n2026-05-13,Coffee,-2.50,{own}\n2026-05-14,Rent,-50.00,{other}\n"
    mapping = propose(text)
    assert [question["field"] for question in mapping["unsure"]] == ["account_column"]
    [(one, _found), (two, _rest)] = read_text(text, answer(mapping, "account_column", "own"))
    assert (one.number, two.number) == (own, other)
    [(one, _found)] = read_text(text, answer(mapping, "account_column", "counterparty"))
    assert one.number is None


def test_balances_prove_that_expenses_are_written_positive():
    text = "Date,Description,Amount,Balance\n2026-05-13,Coffee,2.50,97.50\n2026-05-14,Pay,-50.00,147.50\n"
    [(statement, found)] = read_text(text)
    assert [one["amount"] for one in found] == ["-2.50", "50.00"]
    assert statement.opening.amount == Decimal("100.00")


def test_words_of_a_side_that_are_not_known_are_asked():
    text = "Date,Description,Amount,D/C\n2026-05-13,Coffee,2.50,X\n2026-05-14,Pay,50.00,Y\n"
    mapping = propose(text)
    assert [question["field"] for question in mapping["unsure"]] == ["debit_words"]
    [(_statement, found)] = read_text(text, answer(mapping, "debit_words", ["X"]))
    assert [one["amount"] for one in found] == ["-2.50", "50.00"]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("(2.50)", "-2.50"),
        ("2.50-", "-2.50"),
        ("-£2.50", "-2.50"),
        ("£-2.50", "-2.50"),
        ("−2.50", "-2.50"),
        ("2.50 DR", "-2.50"),
        ("2.50 CR", "2.50"),
        ("-2.50 DR", "-2.50"),
        ("2.50-DR", "-2.50"),
        ("(-2.50)", "-2.50"),
        ("(2.50-)", "-2.50"),
        ("\u20112.50", "-2.50"),
        ("\uff0d2.50", "-2.50"),
        ("\u200e-2.50\u200e", "-2.50"),
        ("1\u2007002.50", "1002.50"),
        ("1\u200a002.50", "1002.50"),
        ("EUR 2.50", "2.50"),
        ("+2.50", "2.50"),
        ("1'002.50", "1002.50"),
        ("1 002.50", "1002.50"),
        ("$1,002.50", "1002.50"),
    ],
)
def test_signs_and_groups_of_digits_are_read(written, amount):
    text = f'Date,Description,Amount\n2026-05-13,Coffee,"{written}"\n2026-05-14,Tea,-2.00\n'
    [(_statement, found)] = read_text(text)
    assert found[0]["amount"] == amount


def test_a_reversal_does_not_turn_the_signs_of_all_other_amounts():
    text = "Date,Description,Amount,D/C\n2026-05-13,Coffee,-2.50,D\n2026-05-14,Pay,50.00,C\n2026-05-15,Pay,-5.00,C\n"
    [(_statement, found)] = read_text(text)
    assert [one["amount"] for one in found] == ["-2.50", "50.00", "-5.00"]


def test_a_reversed_debit_of_amounts_without_signs_comes_in():
    text = "Date,Description,Amount,D/C\n2026-05-13,Coffee,2.50,D\n2026-05-14,Tea,4.00,D\n2026-05-15,Coffee,-2.50,D\n"
    [(_statement, found)] = read_text(text)
    assert [one["amount"] for one in found] == ["-2.50", "-4.00", "2.50"]


def test_balances_prove_that_amounts_beside_a_side_have_their_signs():
    text = (
        "Date,Description,Amount,D/C,Balance\n"
        "2026-05-13,Coffee,-2.50,D,97.50\n2026-05-14,Coffee,2.50,D,100.00\n2026-05-15,Pay,50.00,C,150.00\n"
    )
    [(_statement, found)] = read_text(text)
    assert [one["amount"] for one in found] == ["-2.50", "2.50", "50.00"]


def test_a_line_that_can_not_be_read_is_a_problem_and_the_rest_goes_on():
    lines = ("2026-05-13,Coffee,-2.50", "2026-05-14,Tea,abc", "2026-02-30,Cake,-1.00", "2026-05-15,Pie,-3")
    text = "Date,Description,Amount\n" + "\n".join(lines)
    [(_statement, found)] = read_text(text)
    assert [one.get("amount") for one in found] == ["-2.50", None, None, "-3"]
    assert "line 3" in found[1]["problem"] and "line 4" in found[2]["problem"]


def test_a_missing_line_is_noticed_by_the_balances():
    lines = [f"2026-05-{10 + number},Text,-1.00,{100 - number}.00" for number in range(1, 10)]
    del lines[4]
    [(statement, found)] = read_text("Date,Description,Amount,Balance\n" + "\n".join(lines))
    assert len(found) == 8 and statement.opening is None
    assert "line 6" in statement.warnings[0]


def test_a_quotation_mark_that_is_not_closed_names_its_line():
    text = 'Date;Description;Amount\n2026-05-13;"Coffee;-2.50\n2026-05-14;Tea;-2.00\n2026-05-15;Pie;-3.00\n' + "\n" * 40
    with pytest.raises(FormatError) as caught:
        read_text(text.replace("-3.00\n", "-3.00;x;y\n").replace("Tea;", "Tea, green;;"))
    assert caught.value.place == "line 2"


def test_a_cell_that_is_far_too_long_is_refused_with_its_line():
    text = f"Date;Description;Amount\n2026-05-13;Tea;-2.50\n2026-05-13;{'x' * 200_000};-2.50\n"
    with pytest.raises(TooLarge) as caught:
        read_text(text)
    assert caught.value.place == "line 3"


def test_quotation_marks_within_texts_are_letters():
    text = 'Date;Description;Amount\n2026-05-13;The "old" house;-2.50\n2026-05-14;"A" and "B";-2.00\n'
    [(_statement, found)] = read_text(text)
    assert [one["remittance"] for one in found] == [['The "old" house'], ['"A" and "B"']]


def test_a_table_without_a_header_is_found_by_its_contents():
    text = "2026-05-13;Coffee;-2.50\n2026-05-14;Tea;-2.00\n"
    [(_statement, found)] = read_text(text)
    assert amounts(found) == [("2026-05-13", "-2.50"), ("2026-05-14", "-2.00")]
    assert found[0]["remittance"] == ["Coffee"]


def test_a_mapping_is_used_for_files_with_the_same_header_only():
    text = "Date,Description,Amount\n2026-05-13,Coffee,-2.50\n"
    mapping = propose(text)
    assert fits(mapping, io.BytesIO(b"Preamble,1\n" + text.encode()))
    other = text.replace("Description,Amount", "Amount,Description").replace("Coffee,-2.50", "-2.50,Coffee")
    assert not fits(mapping, io.BytesIO(other.encode()))
    with pytest.raises(MappingNeeded) as caught:
        read_text(other, mapping)
    assert caught.value.mapping["columns"]["amount"] == [1]


def test_a_kept_mapping_reads_what_could_not_be_proved_alone():
    mapping = propose("Date,Description,Amount\n25/05/2026,Coffee,-2.50\n")
    [(_statement, found)] = read_text("Date,Description,Amount\n03/05/2026,Coffee,-2.50\n", mapping)
    assert found[0]["booking_date"] == "2026-05-03"


def test_a_column_of_ibans_that_change_is_of_the_other_side():
    rows = "".join(f"2026-05-{10 + day},Text,-1.00,NL02RABO012345678{day}\n" for day in range(9))
    [(statement, found)] = read_text("Date,Description,Amount,IBAN\n" + rows)
    assert statement.number is None and found[0]["counterparty"]["account_number"] == "NL02RABO0123456780"
    [(statement, _found)] = read_text(
        "Date,Description,Amount,IBAN\n" + rows.replace("Text", "x").replace("567880", "5")
    )
    one = "".join(f"2026-05-{10 + day},Text,-1.00,NL91ABNA0417164300\n" for day in range(9))
    [(statement, found)] = read_text("Date,Description,Amount,IBAN\n" + one)
    assert statement.number == "NL91ABNA0417164300" and found[0]["counterparty"]["account_number"] is None


def test_a_proposal_is_json_with_a_sample_and_a_preview():
    mapping = propose((CASES / "dutch_bank.csv").read_text(), currency="EUR")
    assert json.loads(json.dumps(mapping)) == mapping
    assert mapping["rows"] == 3 and mapping["sample_line"] == 2
    assert mapping["sample"][0][1] == "ENERGIE NEDERLAND"
    assert mapping["preview"][0]["counterparty"]["name"] == "ENERGIE NEDERLAND"


@given(text=st.text(alphabet=st.sampled_from("0123456789-/.,;\t\"'()€ \n ADateAmountBetrag"), max_size=300))
def test_any_table_only_leads_to_a_format_error(text):
    try:
        for statement in CSV.statements(io.BytesIO(f"Date;Amount;Text;Balance\n{text}".encode()), Options()):
            list(statement.transactions)
    except FormatError:
        pass


CORPUS = Path(__file__).parent / "corpus" / "csv2ofx"
#: What csv2ofx has to be configured with for these files, and is detected here. Amounts as written, in file order.
FOUND = {
    "capitalone": ({"booking_date": 0, "debit": 5, "credit": 6}, []),
    "creditunion": ({"booking_date": 1, "amount": 3}, ["sign"]),
    "gls": ({"booking_date": 1, "value_date": 2, "amount": 19, "currency": 21}, []),
    "ingesp": ({"booking_date": 0, "amount": 6}, []),
    "mint": ({"booking_date": 0, "amount": 3, "sign": 4}, None),
    "n26-fr": ({"booking_date": 0, "counterparty_name": 2, "counterparty_number": 3, "amount": 7}, []),
    "outbank": ({"account_number": 1, "booking_date": 2, "amount": 4, "counterparty_number": 7}, []),
    "payoneer": ({"booking_date": 0, "id": 3, "credit": 5, "debit": 6, "currency": 7}, ["date_order"]),
    "pcmastercard": ({"counterparty_name": 0, "booking_date": 2, "amount": 4}, None),
    "schwab-checking": ({"booking_date": 0, "debit": 5, "credit": 6, "balance": 7}, []),
    "stripe-all": ({"booking_date": 3, "amount": 4, "currency": 6, "fee": 9}, ["sign", "fee"]),
    "ubs-ch-fr_trimmed": ({"currency": 1, "booking_date": 3, "debit": 8, "credit": 9}, []),
    "xero": ({"booking_date": 1, "amount": 3}, []),
}


@pytest.mark.parametrize("name", FOUND)
def test_columns_of_the_corpus_are_found(name):
    expected, questions = FOUND[name]
    mapping = propose_mapping(io.BytesIO((CORPUS / f"{name}.csv").read_bytes()), "", Options(currency="EUR"))
    assert {role: mapping["columns"].get(role, [None])[0] for role in expected} == expected
    if questions is not None:
        assert [question["field"] for question in mapping["unsure"]] == questions
    assert not any("problem" in one for one in mapping["preview"])


# -------------------------------------------------------------------------
# WORKBOOKS
# -------------------------------------------------------------------------


def workbook(*rows, change=lambda name, content: content):
    """:param change: of what is in the parts of the file"""
    book = openpyxl.Workbook()
    for row in (("Date", "Description", "Amount"), *rows):
        book.active.append(row)
    written, target = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, change(name, source.read(name)))
    target.seek(0)
    return target


def test_days_and_amounts_of_a_workbook_are_those_that_it_stores():
    content = workbook(
        (datetime(2026, 5, 3), "Coffee", -2.5), (date(2026, 5, 4), "Tea", 0.1 + 0.2), ("05.05.2026", "Pie", "-3,10")
    )
    [(_statement, found)] = [(one, list(one.transactions)) for one in read(content, "", Options(currency="EUR"))]
    assert amounts(found) == [("2026-05-03", "-2.5"), ("2026-05-04", "0.3"), ("2026-05-05", "-3.10")]


def two_sheets(*, is_first_empty=False):
    """A sheet that people see, and a hidden one with more columns and rows."""
    book = openpyxl.Workbook()
    if not is_first_empty:
        book.active.append(["Date", "Description", "Amount"])
        book.active.append([date(2026, 5, 3), "Coffee", -2.5])
    hidden = book.create_sheet("Last year")
    hidden.sheet_state = "hidden"
    hidden.append(["Booking date", "Value date", "Description", "Amount", "Balance"])
    for day in range(1, 20):
        hidden.append([date(2025, 5, day), date(2025, 5, day), "Old", -1, 100 - day])
    target = io.BytesIO()
    book.save(target)
    target.seek(0)
    return target


def test_a_hidden_sheet_is_not_read_in_place_of_the_one_that_people_see():
    (statement,) = read(two_sheets(), "", Options(currency="EUR"))
    assert amounts(statement.transactions) == [("2026-05-03", "-2.5")]


def test_a_hidden_sheet_is_read_where_no_other_one_has_a_table():
    (statement,) = read(two_sheets(is_first_empty=True), "", Options(currency="EUR"))
    assert len(list(statement.transactions)) == 19


@pytest.mark.parametrize("place", ['r="1048577"', 'r="999999999999"'])
def test_a_row_that_lies_far_away_is_refused(place):
    content = workbook(
        (date(2026, 5, 3), "Coffee", -2.5),
        change=lambda name, part: part.replace(b'<row r="2"', b"<row " + place.encode()),
    )
    with pytest.raises(FormatError):
        list(read(content, "", Options(currency="EUR")))


def test_many_rows_that_are_far_too_wide_are_refused():
    row = b'<row r="%d"><c r="XFD%d" t="n"><v>1</v></c></row>'
    rows = b"".join(row % (number, number) for number in range(3, 303))
    content = workbook(
        (date(2026, 5, 3), "Coffee", -2.5),
        change=lambda name, part: part.replace(b"</sheetData>", rows + b"</sheetData>"),
    )
    with pytest.raises(TooLarge):
        list(read(content, "", Options(currency="EUR")))


def test_a_workbook_of_old_excel_says_what_to_do():
    with pytest.raises(FormatError) as caught:
        list(read(io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "may.xls"))
    assert ".xlsx" in caught.value.sentence


CUT = "Date;Text;Amount;Balance\n13/05/2026;Coffee;-2.50;97.50\n14/05/2026;Books;-10.00;87.50\n"


def test_a_truncated_last_line_is_not_a_transaction():
    [(statement, found)] = read_text(CUT + "15/05/2026;Rent;-80")
    assert amounts(found[:2]) == [("2026-05-13", "-2.50"), ("2026-05-14", "-10.00")]
    assert "not whole" in found[2]["problem"]
    assert "The file ends within a transaction" in str(statement.warnings[0])


@pytest.mark.parametrize("end", ["15/05/2026;Rent;-80.00;7.50", "15/05/2026;Rent;-80.00;7.50\nTotal;-92.50"])
def test_a_last_line_without_an_end_is_whole_where_no_cell_is_missing(end):
    [(_statement, found)] = read_text(CUT + end)
    assert amounts(found)[2:] == [("2026-05-15", "-80.00")]


# -------------------------------------------------------------------------
# CELLS OF WORKBOOKS, BESIDE THE LIBRARY
# -------------------------------------------------------------------------

VALUES = [
    *("Text", "  blanks  ", "ünï <&> \"'", "", None, True, False, "#N/A", "=1+1"),
    *(0, -1, 12.5, -0.0, 89.40000000000001, 1e-7, 123456789012, 1e15, 1e20, 2.5e-3),
    *(date(2026, 5, 3), datetime(2026, 5, 3, 23, 59), time(9, 30), timedelta(hours=30)),
]


def as_cell(value):
    """What a value of openpyxl is in a table."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if type(value) in (int, float):
        if abs(value) >= 10**15:
            return str(value)
        return Decimal(repr(value)).quantize(Decimal("0.000001")).normalize() + 0
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else str(value)


def written(rows, *, write_only=False, epoch=None):
    book = openpyxl.Workbook(write_only=write_only)
    book.epoch = epoch or book.epoch
    sheet = book.create_sheet("Other") if write_only else book.active
    for row in rows:
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target


def assert_like_the_library(content):
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    (found,) = [[*read()] for _title, read, *_more in workbooks.sheets(io.BytesIO(content))]
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    expected = []
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [as_cell(value) for value in values]
        while cells and cells[-1] == "":
            cells.pop()
        expected.append((number, cells))
    assert [(line, cells) for line, cells, _is_wide in found if cells] == [row for row in expected if row[1]]


@pytest.mark.parametrize("write_only", [False, True])
@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
def test_cells_are_what_openpyxl_reads(write_only, epoch):
    rows = [VALUES, [], [None, None, *VALUES[::-1]], [VALUES[5]]]
    assert_like_the_library(written(rows, write_only=write_only, epoch=epoch).getvalue())


@given(rows=st.lists(st.lists(st.sampled_from(VALUES) | st.floats(-1e16, 1e16) | st.text("aé 1", max_size=5))))
def test_any_cells_are_what_openpyxl_reads(rows):
    assert_like_the_library(written(rows[:20]).getvalue())


@pytest.mark.parametrize(
    "old, new",
    [
        (b'<c r="A1"', b"<c"),
        (b'<row r="1"', b"<row"),
        (b"<t>Text</t>", b"<r><t>Te</t></r><r><t>xt</t></r><rPh sb='0' eb='1'><t>spoken</t></rPh>"),
        (b"<t>Text</t>", b""),
        (b"<t>Text</t>", b"<t/>"),
    ],
)
def test_cells_that_other_programs_write_are_what_openpyxl_reads(old, new):
    target = io.BytesIO()
    with zipfile.ZipFile(written([VALUES], write_only=True)) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            changed = part.replace(old, new, 1) if "sheet1" in name else part
            assert "sheet1" not in name or changed != part
            after.writestr(name, changed)
    assert_like_the_library(target.getvalue())
