import itertools
import json
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_sync_proxy.providers import reading
from bank_sync_proxy.providers.reading import Number
from bank_sync_proxy.providers.types import Counterparty


@pytest.mark.parametrize(
    "value, text",
    [
        ("12.30", "12.30"),
        ("-0.00", "0.00"),
        ("+5", "5"),
        (1500, "1500"),
        (-7, "-7"),
        (Number("0.10"), "0.10"),
        (Number("89.40000000000001"), "89.4"),
        (Number("1234567.89"), "1234567.89"),
        (Number("1e2"), "100"),
        (Number("-1.005"), "-1.005"),
        (Number("0.000000001"), "0"),
        ("999999999999999999.999999", "999999999999999999.999999"),
    ],
)
def test_an_amount_is_what_was_written(value, text):
    assert reading.amount(value) == Decimal(text)
    assert f"{reading.amount(value):f}".lstrip("-") == text.lstrip("-")


@pytest.mark.parametrize(
    "value",
    [
        *(12.3, True, None, "", "1,00", "1 000", "1e5", "NaN", "Infinity", "1.", ".5", "--1", "٣", [], {}),
        *(10**18, "1" * 19, Number("1e18"), Number("1e999"), "0." + "1" * 13),
    ],
)
def test_what_is_no_amount(value):
    with pytest.raises(ValueError):
        reading.amount(value)


def test_a_number_is_written_again_as_json():
    assert json.dumps(json.loads('{"a": [0.1, -2.5]}', parse_float=Number)) == '{"a": [0.1, -2.5]}'


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-05-03T09:15:00Z", (9, 15, 0)),
        ("2026-05-03T09:15:00", (9, 15, 0)),
        ("2026-05-03T11:15:00+02:00", (9, 15, 0)),
        ("2026-05-03T11:15:00+0200", (9, 15, 0)),
        ("2026-05-03T09:15:00.1Z", (9, 15, 0, 100_000)),
        ("2026-05-03T09:15:00.123456789Z", (9, 15, 0, 123_456)),
        ("2026-05-03T09:15Z", (9, 15, 0)),
        ("2026-05-03T11:15+02:00", (9, 15, 0)),
        ("2026-05-03 09:15:00.123456", (9, 15, 0, 123_456)),
        ("2026-05-03T11:15:00.123+02:00", (9, 15, 0, 123_000)),
    ],
)
def test_a_moment(text, moment):
    assert reading.moment(text) == datetime(2026, 5, 3, *moment, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "2026-05-03", "2026-13-03T09:15:00Z", "20260503T091500Z", "2026-05-03T09:15:00.Z"),
        # Python 3.11 would read these, 3.10 would not.
        *("2026-05-03T09:15:00,123456", "2026-05-03T09:15:00:123", "2026-05-03T09:15:00+02:00:30"),
        "2026-05-03T09:15:008",
    ],
)
def test_what_is_no_moment(text):
    with pytest.raises((ValueError, AttributeError)):
        reading.moment(text)


@pytest.mark.parametrize(
    "moment, day",
    [
        ("2026-07-01T22:00:00Z", date(2026, 7, 2)),
        ("2026-07-01T21:59:59Z", date(2026, 7, 1)),
        ("2026-12-01T22:00:00Z", date(2026, 12, 1)),
        ("2026-12-01T23:00:00Z", date(2026, 12, 2)),
        ("2026-12-01T00:00:00Z", date(2026, 12, 1)),
        # Summer time began on 29 March and ended on 25 October.
        ("2026-03-28T22:30:00Z", date(2026, 3, 28)),
        ("2026-03-29T22:30:00Z", date(2026, 3, 30)),
        ("2026-10-24T22:30:00Z", date(2026, 10, 25)),
        ("2026-10-25T22:30:00Z", date(2026, 10, 25)),
    ],
)
def test_days_of_central_europe(moment, day):
    assert reading.central_european_day(reading.moment(moment)) == day


def test_days():
    assert reading.day("2026-05-03") == reading.day("2026-05-03T23:00:00Z") == date(2026, 5, 3)
    assert reading.day(None) is reading.day("") is None
    with pytest.raises(ValueError):
        reading.day("03.05.2026")


def test_texts_keep_their_order_and_come_once():
    assert reading.texts(" b ", ["a", None, "b"], None, "", 7) == ("b", "a", "7")


@pytest.mark.parametrize(
    "value, iban",
    [("be68 5390 0754 7034", "BE68539007547034"), ("539-0075470-34", None), (None, None), ("BE68", None)],
)
def test_an_iban(value, iban):
    assert reading.iban(value) == iban


def test_references():
    assert reading.creditor_reference("RF18 5390 0754 7034") == "RF18539007547034"
    assert reading.creditor_reference("Invoice RF18") is None
    assert reading.end_to_end_id("NOTPROVIDED") is reading.end_to_end_id(" not provided ") is None
    assert reading.end_to_end_id(" E-1 ") == "E-1"


@pytest.mark.parametrize(
    "value",
    [
        *("NOTPROVIDED", "Not provided", " notprovided ", "NONREF", "N/A", "n.a.", "null", "None", "-", "--", "***"),
        *("Unknown", "UNDEFINED", "not available", "+++", "...", " "),
    ],
)
def test_what_stands_for_nothing_is_no_text(value):
    assert reading.text(value) is reading.identifier(value) is reading.number(value) is None
    assert reading.end_to_end_id(value) is reading.bic(value) is reading.structured_reference(value) is None
    assert reading.texts(value, [value, "a"]) == ("a",)


@pytest.mark.parametrize("value", ["Null", "None Ltd", "NA Imports", "Nonref 12", "0", "X", "💚", "Unknown Pleasures"])
def test_what_only_looks_like_a_placeholder_is_a_text(value):
    assert reading.text(value) == value
    assert reading.texts(value) == (value,)


@pytest.mark.parametrize(
    "value",
    ["0", "0000000000", "XXXXXXXX", "xxxx1234", "************1111", "••••1234", "DE89XXXXXXXXXXXX3000", "..1234"],
)
def test_a_masked_number_names_nobody(value):
    assert reading.number(value) is reading.iban(value) is None


@pytest.mark.parametrize(
    "value", ["DE89370400440532013000", "539-0075470-34", "1234567", "MT84MALT011000012345MTLCAST001S"]
)
def test_a_number_is_kept_as_it_is_written(value):
    assert reading.number(value) == value


def test_an_id_that_all_payments_share_is_none():
    assert [reading.identifier(value) for value in ("000", "XXXX", "XXXX-1234", "****1234")] == [None] * 4
    assert [reading.identifier(value) for value in ("x", "1", 12, "aXXXb", "a*b#1")] == [
        "x",
        "1",
        "12",
        "aXXXb",
        "a*b#1",
    ]
    with pytest.raises(ValueError):
        reading.identifier({"an": "object"})


@pytest.mark.parametrize("value", ["0000-00-00", "0001-01-01", "1900-01-01", "1970-01-01", "9999-12-31"])
def test_a_day_that_means_not_known_is_none(value):
    assert reading.day(value) is reading.day(f"{value}T00:00:00Z") is None
    assert value == "0000-00-00" or reading.moment(f"{value}T00:00:00+01:00") is None
    assert reading.first_day(None, value, "2026-05-03", "2026-05-04") == date(2026, 5, 3)


def test_a_moment_of_zero_seconds_is_not_known():
    assert reading.moment_of_epoch(0) is reading.moment_of_epoch(None) is reading.moment_of_epoch("0") is None
    assert reading.moment_of_epoch(-1) is None


def test_truth_may_be_a_word_or_a_number():
    assert all(map(reading.truth, (True, 1, "1", "true", " TRUE ")))
    assert not any(map(reading.truth, (False, 0, "0", "false", None, "", "no", [], {})))


@pytest.mark.parametrize(
    "value, bic",
    [("DEUTDEFF", "DEUTDEFF"), ("DEUTDEFF500", "DEUTDEFF500"), ("10020030", None), ("NOTPROVIDED", None), (None, None)],
)
def test_a_bic(value, bic):
    assert reading.bic(value) == bic


@pytest.mark.parametrize(
    "values, texts",
    [
        (("A\nB", ["A", "B"]), ("A\nB",)),
        ((["A", "B"], "A B"), ("A B",)),
        (("Rechnung 17", ["Rech", "nung 17"]), ("Rechnung 17",)),
        ((["Rechnung 17", "rest"], "Rechnung 17"), ("Rechnung 17", "rest")),
        (("Rechnung  17", "Rechnung 17"), ("Rechnung  17",)),
        (("A B C", ["B", "C"], "A"), ("A B C", "B", "C", "A")),
        (("AB", ["A", "C"], "B"), ("AB", "A", "C", "B")),
        (("Invoice 17", "17"), ("Invoice 17", "17")),
    ],
)
def test_a_text_and_its_lines_come_once(values, texts):
    assert reading.texts(*values) == texts


@given(st.lists(st.text("ab \t\u00a0", min_size=1, max_size=5).map(str.strip).filter(bool), min_size=2, max_size=4))
def test_texts_that_are_said_to_begin_differently_are_no_parts_of_one_another(items):
    joined = ["".join(item.split()) for item in items]
    begins = any(one.startswith(two) for one, two in itertools.permutations(joined, 2))
    assert not (begins and reading._begin_differently(items))


def test_the_texts_of_a_large_batch_are_not_compared_with_each_other():
    texts = [f"Rechnung {number}" for number in range(20_000)]
    assert reading.texts(texts, texts) == tuple(texts)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a b", "ab", "c\na", "", "-"]), max_size=3), max_size=3))
def test_nothing_of_a_text_is_lost(groups):
    kept = "".join("".join(reading.texts(*groups)).split())
    for text in (text for texts in groups for text in texts if text != "-"):
        assert "".join(text.split()) in kept
    assert reading.texts(*reading.texts(*groups)) == reading.texts(*groups)


@pytest.mark.parametrize(
    "value, reference",
    [
        ("RF18 5390 0754 7034", "RF18539007547034"),
        ("+++090/9337/55493+++", "+++090/9337/55493+++"),
        ("21 00000 00003 13947 14300 09017", "21 00000 00003 13947 14300 09017"),
        ("RE-2024-17", "RE-2024-17"),
        ("SI12 1234567890120", "SI12 1234567890120"),
        ("HR00 123-456-789", "HR00 123-456-789"),
        ("N Rechnung 17 Dauerauftrag", None),
        ("Miete", None),
        ("Rechnung RE-2024-17", None),
        ("RF19 5390 0754 7034", None),
    ],
)
def test_free_text_is_no_creditor_reference(value, reference):
    assert reading.structured_reference(value) == reference


OWN, OTHER = "DE89370400440532013000", "BE68539007547034"


@pytest.mark.parametrize(
    "other, own, found",
    [
        (("Shop", OTHER), ("Us", OWN), "Shop"),
        (("Us", OWN), ("Shop", OTHER), "Shop"),
        (("Us", OWN), ("Shop", None), "Shop"),
        ((None, None), ("Shop", OTHER), "Shop"),
        ((None, None), ("Us", OWN), None),
        ((None, None), ("Us", None), None),
        (("Shop", None), ("Us", None), "Shop"),
        (("Shop", None), ("Other", OTHER), "Shop"),
        (("Us", OWN), (None, None), "Us"),
    ],
)
def test_the_other_side_is_not_who_has_the_account(other, own, found):
    assert reading.other_side(Counterparty(*other), Counterparty(*own), OWN).name == found


def test_without_a_number_of_its_own_the_sides_are_believed():
    assert reading.other_side(Counterparty("A", OTHER), Counterparty("B", OWN), None).name == "A"


def test_a_currency():
    assert reading.currency("EUR") == "EUR"
    for nothing in ("XXX", "XTS", None, ""):
        assert reading.currency(nothing, "EUR") == "EUR" and not reading.has_currency(nothing)
        with pytest.raises(ValueError):
            reading.currency(nothing)
    with pytest.raises(ValueError):
        reading.currency("eur", "EUR")
    for wrong in ("eur", "EURO", None, 978, "EUR\n"):
        with pytest.raises(ValueError):
            reading.currency(wrong)


@given(st.text("NUAnua0./_ éIX", max_size=12) | st.sampled_from(sorted(reading.PLACEHOLDERS | reading.NOTHINGS)))
def test_a_placeholder_is_recognized_by_what_is_left_without_separators(value):
    value = value.strip()
    core = reading.SEPARATORS.sub("", value).upper()
    assert reading.is_placeholder(value) == (value in reading.NOTHINGS or core in reading.PLACEHOLDERS or not core)


@given(st.lists(st.text("ab \n", min_size=1, max_size=6), min_size=2, max_size=5))
def test_a_text_said_again_is_never_overlooked(values):
    found = {"".join(value.split()): value for value in values if value.strip()}
    assert reading._may_say_again(found) or not reading._said_again(found)


def test_long_texts_are_not_remembered_as_numbers():
    reading._number.cache_clear()
    long = "XX99 " * 1000
    assert reading.number(long) == long.strip()
    assert reading.number("*" * 1000) is None
    assert reading._number.cache_info().currsize == 0
