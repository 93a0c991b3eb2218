import json
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest

from bank_sync_proxy.providers import reading
from bank_sync_proxy.providers.reading import Number


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
    ],
)
def test_a_moment(text, moment):
    assert reading.moment(text) == datetime(2026, 5, 3, *moment, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["yesterday", "2026-05-03", "2026-13-03T09:15:00Z", "20260503T091500Z"])
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


def test_a_currency():
    assert reading.currency("EUR") == "EUR"
    for wrong in ("eur", "EURO", None, 978, "EUR\n"):
        with pytest.raises(ValueError):
            reading.currency(wrong)
