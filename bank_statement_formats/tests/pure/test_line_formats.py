"""What formats of lines mean: signs, days, references, parts of a batch, and questions that only a person answers."""

import io
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import FormatError, Limits, MappingNeeded, Options, TooLarge, format_class, read
from bank_statement_formats.formats.lines import Lines
from bank_statement_formats.formats.tables import answer
from bank_statement_formats.tests.pure import renderers
from bank_statement_formats.tests.pure.renderers import Account, Payment

CASES = Path(__file__).parent / "cases"
CODES = ("mt940", "coda", "cfonb", "norma43", "bai2", "qif")


def read_text(text, **options):
    """:return: list of (statement, list of its transactions)"""
    options = Options(**{"currency": "EUR", **options})
    return [(one, list(one.transactions)) for one in read(io.BytesIO(text.encode()), "", options)]


def case(name):
    return (CASES / name).read_bytes().decode()


def transactions(text, **options):
    return [one for _statement, found in read_text(text, **options) for one in found]


def mt940(lines, head=":60F:C260430EUR100,00", tail=":62F:C260531EUR100,00\n-"):
    return f":20:X\n:25:DE89370400440532013000\n:28C:1\n{head}\n{lines}\n{tail}\n"


# -------------------------------------------------------------------------
# MT940
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "amount", "status"),
    [
        ("C", "5.00", "booked"),
        ("D", "-5.00", "booked"),
        ("RC", "-5.00", "booked"),
        ("RD", "5.00", "booked"),
        ("EC", "5.00", "pending"),
        ("CR", "5.00", "booked"),
        ("RDR", "5.00", "booked"),
    ],
)
def test_a_reversal_has_the_opposite_sign_and_a_funds_code_has_none(mark, amount, status):
    (one,) = transactions(mt940(f":61:2605040504{mark}5,00NTRFNONREF"))
    assert (one["amount"], one["status"]) == (amount, status)


@pytest.mark.parametrize(
    ("days", "booked", "value"),
    [
        ("2601020102", "2026-01-02", "2026-01-02"),
        ("2601021230", "2025-12-30", "2026-01-02"),
        ("2512300102", "2026-01-02", "2025-12-30"),
        ("260102", "2026-01-02", "2026-01-02"),
        ("260102    ", "2026-01-02", "2026-01-02"),
        ("2601020000", "2026-01-02", "2026-01-02"),
        ("2602300230", "2026-02-28", "2026-02-28"),
        ("9912310103", "2000-01-03", "1999-12-31"),
    ],
)
def test_the_entry_date_is_in_the_year_that_brings_it_next_to_the_value_date(days, booked, value):
    (one,) = transactions(mt940(f":61:{days}C5,NTRFNONREF"))
    assert (one["booking_date"], one["value_date"]) == (booked, value)


@pytest.mark.parametrize(
    ("written", "currency", "amount"),
    [("5,", "EUR", "5"), ("1000,", "JPY", "1000"), ("1,234", "KWD", "1.234"), ("00000012,5", "EUR", "12.5")],
)
def test_amounts_have_the_decimals_of_their_currency(written, currency, amount):
    text = mt940(f":61:260504C{written}NTRFNONREF").replace("EUR", currency)
    ((statement, (one,)),) = read_text(text)
    assert (one["amount"], one["currency"], statement.currency) == (amount, currency, currency)


def test_a_line_that_cannot_be_read_is_a_problem_and_the_others_are_read():
    found = transactions(mt940(":61:260504C5,NTRFNONREF\n:61:2613X\n:86:what\n:61:260505D5,NTRFNONREF"))
    assert [one.get("amount") for one in found] == ["5", None, "-5"]
    assert found[1]["problem"].startswith("line 6: ") and ":61:2613X" in found[1]["raw"]["mt940"]


def test_text_that_looks_like_a_field_stays_in_the_details():
    (one,) = transactions(mt940(":61:260504C5,NTRFNONREF\n:86:CALL AT\n:12:30 OR LATER\n- NOT THE END"))
    assert one["remittance"] == ["CALL AT :12:30 OR LATER - NOT THE END"]


def test_a_creditor_reference_is_recognised_in_the_purpose():
    (one,) = transactions(mt940(":61:260504C5,NTRFNONREF\n:86:166?20SVWZ+RF18539007547034"))
    assert one["creditor_reference"] == "RF18539007547034"


def test_an_unknown_field_is_refused_with_its_line():
    with pytest.raises(FormatError) as caught:
        transactions(mt940(":99Z:WHAT"))
    assert caught.value.place == "line 5"


def test_an_interim_report_has_no_balances_and_its_sums_are_compared():
    ((statement, found),) = read_text(case("mt940/interim.942"))
    assert (statement.kind, statement.opening, statement.closing, len(found)) == ("interim", None, None, 2)
    assert statement.sums["credit"] == 121 and statement.warnings == []
    ((statement, _found),) = read_text(case("mt940/interim.942").replace("1EUR121,00", "2EUR121,00"))
    assert "2 credits" in statement.warnings[0]


def test_a_gap_between_two_statements_of_a_file_is_a_warning():
    text = case("mt940/german.sta").replace("\r\n:60F:C260531EUR919,50", "\r\n:60F:C260531EUR900,00")
    assert "a statement between them is missing" in read_text(text)[1][0].warnings[0]


def test_a_message_block_that_is_not_closed_is_cut_off():
    with pytest.raises(FormatError, match="-}"):
        read_text(case("mt940/dutch.940").replace("-}{5:{MAC:ABCDEFG}}", ""))


# -------------------------------------------------------------------------
# CODA, CFONB, NORMA 43
# -------------------------------------------------------------------------


def test_a_coda_batch_is_split_into_its_payments_or_stays_whole():
    split, whole = (transactions(case("coda/three_movements.cod"), split_batches=choice) for choice in (True, False))
    assert [one["amount"] for one in split] == ["121.00", "-84.51", "-100.00", "-200.00"]
    assert [one["amount"] for one in whole] == ["121.00", "-84.51", "-300.00"]


def test_a_coda_batch_whose_payments_do_not_add_up_stays_whole():
    text = case("coda/three_movements.cod").replace("1000000000100000", "1000000000100010")
    assert [one["amount"] for one in transactions(text)] == ["121.00", "-84.51", "-300.00"]


def test_a_belgian_structured_communication_is_the_reference_of_the_creditor():
    one = transactions(case("coda/three_movements.cod"))[0]
    assert one["creditor_reference"] == "+++010/8068/17183+++" and one["remittance"] == ["+++010/8068/17183+++"]


def test_a_belgian_communication_with_wrong_check_digits_is_only_a_text():
    one = transactions(case("coda/three_movements.cod").replace("010806817183", "010806817184"))[0]
    assert one["creditor_reference"] is None and one["remittance"] == ["010806817184"]


def test_the_number_of_records_of_coda_is_compared():
    with pytest.raises(FormatError, match="counts 15 records, but there are 14") as caught:
        read_text(case("coda/three_movements.cod").replace("\r\n2200030001", "\r\n4200030001", 1))
    assert caught.value.place


def test_version_1_of_coda_is_refused_by_its_name():
    with pytest.raises(FormatError, match="version 1"):
        read_text(case("coda/three_movements.cod").replace(f"{'2':>1}\r\n12001", "1\r\n12001"))


def test_an_amount_in_another_currency_is_kept_beside_the_accounts():
    for name in ("cfonb/two_accounts.cfo", "norma43/one_account.n43"):
        one = transactions(case(name))[2]
        assert (one["amount"], one["foreign_amount"], one["foreign_currency"]) == ("-25.50", "-22.00", "GBP")


def test_overpunched_signs_may_have_been_converted_from_the_french_alphabet():
    text = case("cfonb/two_accounts.cfo")
    assert transactions(text.replace("{", "é").replace("}", "è")) == [
        {**one, "raw": {"cfonb": [line.replace("{", "é").replace("}", "è") for line in one["raw"]["cfonb"]]}}
        for one in transactions(text)
    ]


def test_a_cfonb_balance_of_another_account_does_not_close_this_one():
    lines = case("cfonb/two_accounts.cfo").split("\r\n")
    place = next(number for number, line in enumerate(lines) if line[:2] == "07")
    lines[place] = lines[place].replace("0500013M026", "0500013M099")
    with pytest.raises(FormatError) as caught:
        read_text("\r\n".join(lines))
    assert caught.value.place == f"line {place + 1}"


def test_norma_43_states_sums_and_counts_that_are_compared():
    text = case("norma43/one_account.n43").replace("3321000418020005133200002", "3321000418020005133200003")
    ((statement, _found),) = read_text(text)
    assert "1 credits and 3 debits; it has 1 and 2" in statement.warnings[0]


# -------------------------------------------------------------------------
# BAI2, QIF
# -------------------------------------------------------------------------


def test_a_type_code_without_a_direction_is_a_problem():
    found = transactions(case("bai2/two_accounts.bai").replace("16,475,2050", "16,721,2050"))
    assert "721" in found[1]["problem"] and found[0]["amount"] == "121.00"


def test_a_control_total_of_an_account_that_differs_is_a_warning():
    text = case("bai2/two_accounts.bai").replace("49,238350", "49,238351").replace("248350", "248351")
    ((statement, _one), _other) = read_text(text)
    assert "238351" in statement.warnings[0] and "line 8" in statement.warnings[0]


def test_a_missing_account_is_seen_by_the_control_total_of_its_group():
    lines = case("bai2/two_accounts.bai").splitlines()
    without = [line for line in lines if lines.index(line) not in range(8, 11)]
    without[-2] = without[-2].replace(",2,", ",1,")
    with pytest.raises(FormatError, match="a part is missing") as caught:
        read_text("\n".join(without))
    assert caught.value.place == "line 9"


def test_a_group_that_takes_back_another_one_is_refused():
    with pytest.raises(FormatError, match="withdraws"):
        read_text(case("bai2/two_accounts.bai").replace("122099999,1,260504", "122099999,2,260504"))


def qif(*rows):
    return "!Type:Bank\n" + "".join(f"D{day}\nT{amount}\n^\n" for day, amount in rows)


def test_one_day_after_the_12th_proves_the_order_for_all_rows():
    found = transactions(qif(("03/05/2026", "1.00"), ("13/05/2026", "2.00")))
    assert [one["booking_date"] for one in found] == ["2026-05-03", "2026-05-13"]


def test_days_that_can_be_read_in_two_ways_are_asked_about():
    with pytest.raises(MappingNeeded) as caught:
        read_text(qif(("03/05/2026", "1.00")))
    (question,) = caught.value.mapping["unsure"]
    assert question["field"] == "date_order"
    assert [choice["value"] for choice in question["choices"]] == ["dmy", "mdy"]
    (one,) = transactions(qif(("03/05/2026", "1.00")), mapping={"date_order": "mdy"})
    assert one["booking_date"] == "2026-03-05"


def test_questions_about_qif_are_answered_as_those_about_tables():
    text = qif(("03/05/2026", "1,234"))
    with pytest.raises(MappingNeeded) as caught:
        read_text(text)
    mapping = caught.value.mapping
    assert mapping["sample"] == [["03/05/2026", "1,234"]]
    for question in mapping["unsure"]:
        mapping = answer(mapping, question["field"], question["choices"][-1]["value"])
    (one,) = transactions(text, mapping=mapping)
    assert (one["booking_date"], one["amount"], mapping["unsure"]) == ("2026-03-05", "1.234", [])
    # An answer for one file is none for another.
    with pytest.raises(MappingNeeded) as caught:
        read_text(qif(("04/05/2026", "1,234")))
    assert caught.value.mapping["fingerprint"] != mapping["fingerprint"]


def test_days_that_mean_the_same_in_each_order_are_not_asked_about():
    assert transactions(qif(("05/05/2026", "1.00")))[0]["booking_date"] == "2026-05-05"


def test_amounts_that_can_be_read_in_two_ways_are_asked_about():
    with pytest.raises(MappingNeeded) as caught:
        read_text(qif(("13/05/2026", "1,234")))
    assert [one["field"] for one in caught.value.mapping["unsure"]] == ["decimal"]
    (one,) = transactions(qif(("13/05/2026", "1,234")), mapping={"decimal": ","})
    assert one["amount"] == "1.234"


def test_one_amount_proves_the_decimal_separator_for_all_rows():
    found = transactions(qif(("13/05/2026", "1,234"), ("13/05/2026", "12,50")))
    assert [one["amount"] for one in found] == ["1.234", "12.50"]


def test_years_after_an_apostrophe_are_of_this_century():
    found = transactions(qif(("1/13'26", "1.00"), ("1/13/98", "2.00")))
    assert [one["booking_date"] for one in found] == ["2026-01-13", "1998-01-13"]


def test_a_transaction_of_qif_that_is_cut_off_is_a_problem_and_a_warning():
    ((statement, found),) = read_text("!Type:Bank\nD13/05/2026\nT1.00\n^\nD13/05/2026\nT-12")
    assert "problem" in found[1] and "Download it again" in statement.warnings[0]


def test_securities_are_no_transactions_of_a_bank_account():
    with pytest.raises(FormatError, match="securities"):
        read_text("!Type:Invst\nD13/05/2026\nNBuy\n^\n")


# -------------------------------------------------------------------------
# ALL
# -------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_descending_days_are_read_as_they_are_written(code):
    numbers = {"mt940": "DE89370400440532013000", "coda": "BE68539007547034", "qif": "Checking", "bai2": "4444"}
    numbers |= {"cfonb": "20041010050500013M026", "norma43": "210004180200051332"}
    days = [date(2026, 5, 20), date(2026, 5, 13), date(2026, 5, 4)]
    payments = tuple(Payment(Decimal("1.00"), day, day, "TEXT") for day in days)
    account = Account(numbers[code], "", "EUR", 2, Decimal(0), date(2026, 4, 30), date(2026, 5, 31), payments)
    found = transactions("\n".join(getattr(renderers, code)([account])) + "\n")
    key = "value_date" if code == "bai2" else "booking_date"
    assert [one[key] for one in found] == [day.isoformat() for day in days]


@pytest.mark.parametrize("code", CODES)
def test_a_file_beyond_the_limits_is_refused(code):
    (path,) = list((CASES / code).glob("*"))[:1]
    for limits in (Limits(file_bytes=100), Limits(line=2), Limits(transactions=0)):
        with pytest.raises(TooLarge):
            for one in format_class(code).statements(
                io.BytesIO(path.read_bytes()), Options(currency="EUR", limits=limits)
            ):
                list(one.transactions)


@given(text=st.text(st.sampled_from("a\r\n\x0b\x0c\x1c\x85\u2028"), max_size=40))
def test_only_line_feeds_and_carriage_returns_end_a_line(text):
    ends = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert list(Lines(text, Limits())) == (ends if ends[-1] else ends[:-1])


@pytest.mark.parametrize("code", CODES)
def test_twice_as_much_takes_about_twice_the_time(code):
    """Whatever the file contains: many transactions, or one with very many lines."""
    path = sorted((CASES / code).glob("*"))[0]
    lines = path.read_bytes().decode().replace("\r\n", "\n").splitlines()
    for repeated in range(1, len(lines) - 1):
        # Why once first: what is done in less is not worth measuring.
        if _cost(code, lines, repeated, 6000, times=1) < 0.2:
            continue
        small, large = (_cost(code, lines, repeated, count) for count in (1500, 6000))
        # Four times as much. A quadratic reader takes sixteen times as long.
        assert large < max(9 * small, 0.2), (repeated, lines[repeated], small, large)


def _cost(code, lines, repeated, count, times=2):
    text = "\n".join([*lines[:repeated], *[lines[repeated]] * count, *lines[repeated + 1 :], ""])
    best = float("inf")
    for _time in range(times):
        begun = time.process_time()
        try:
            for statement in format_class(code).statements(io.BytesIO(text.encode()), Options(currency="EUR")):
                for _one in statement.transactions:
                    pass
        except FormatError:
            pass
        best = min(best, time.process_time() - begun)
    return best
