from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.client.errors import BadTransaction
from account_online_synchronization.client.messages import (
    AMOUNT,
    MAX_AMOUNT,
    MAX_DECIMALS,
    Transaction,
    parse_moment,
    parse_transaction,
)
from account_online_synchronization.client.texts import read_texts, readable
from account_online_synchronization.sync.fetch import read_transaction


def message(**changes):
    values = {
        "id": "T1",
        "status": "booked",
        "booking_date": "2026-05-03",
        "amount": "-12.30",
        "currency": "EUR",
        "remittance": ["Invoice 42"],
    }
    return values | changes


def test_an_amount_keeps_every_cent():
    assert parse_transaction(message(amount="1234567890.10")).amount == Decimal("1234567890.10")


def test_a_date_stays_the_date_that_the_bank_named():
    assert parse_transaction(message()).booking_date == date(2026, 5, 3)


def test_the_value_date_serves_where_the_booking_date_is_missing():
    assert parse_transaction(message(booking_date=None, value_date="2026-05-04")).booking_date == date(2026, 5, 4)


def test_each_value_has_its_place():
    said = message(
        value_date="2026-05-04",
        foreign_amount="-14.00",
        foreign_currency="usd",
        counterparty={"name": "Azure Ltd", "account_number": "BE71096123456769"},
        remittance=["Invoice 42", "Thank you"],
        creditor_reference="RF18539007547034",
        end_to_end_id="E2E",
        pending_id="P1",
        fee={"amount": "-0.30", "description": "Fee"},
    )
    assert parse_transaction(said) == Transaction(
        id="T1",
        booked=True,
        booking_date=date(2026, 5, 3),
        value_date=date(2026, 5, 4),
        amount=Decimal("-12.30"),
        currency="EUR",
        foreign_amount=Decimal("-14.00"),
        foreign_currency="USD",
        counterparty_name="Azure Ltd",
        counterparty_number="BE71096123456769",
        remittance=("Invoice 42", "Thank you"),
        reference="RF18539007547034",
        pending_id="P1",
        fee=Decimal("-0.30"),
        fee_description="Fee",
    )
    assert parse_transaction(said).message is said
    assert not parse_transaction(said).is_storable


def test_unknown_keys_are_ignored():
    assert parse_transaction(message(invented_tomorrow={"a": 1})).id == "T1"


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n"])
def test_a_blank_id_counts_as_missing(blank):
    assert parse_transaction(message(id=blank)).id is None


def test_all_texts_of_the_bank_are_kept():
    assert parse_transaction(message(remittance=["Invoice 42", " ", "Thank you"])).label == "Invoice 42 Thank you"


def test_without_text_the_counterparty_is_the_label():
    assert parse_transaction(message(remittance=None, counterparty={"name": "Azure Ltd"})).label == "Azure Ltd"


def test_control_characters_do_not_reach_the_database():
    assert parse_transaction(message(remittance=["a\x00b\x1bc"])).label == "a b c"


def test_a_foreign_amount_comes_with_its_currency():
    transaction = parse_transaction(message(foreign_amount="-14.00", foreign_currency="USD"))
    assert (transaction.foreign_amount, transaction.foreign_currency) == (Decimal("-14.00"), "USD")


@pytest.mark.parametrize(
    "half",
    [
        {"foreign_currency": "USD"},
        {"foreign_amount": "-14.00"},
        {"foreign_amount": "-12.30", "foreign_currency": "EUR"},
        {"foreign_amount": "0", "foreign_currency": "USD"},
        {"foreign_amount": "14.00", "foreign_currency": "USD"},
    ],
)
def test_half_a_foreign_pair_is_left_out(half):
    transaction = parse_transaction(message(**half))
    assert transaction.foreign_amount is None
    assert transaction.foreign_currency is None


@pytest.mark.parametrize("status", [None, "", "BOOK", "posted", 1])
def test_only_a_clear_status_is_believed(status):
    with pytest.raises(BadTransaction, match="neither booked nor pending"):
        parse_transaction(message(status=status))


@pytest.mark.parametrize(
    "amount", [None, True, 12.3, "", "NaN", "Infinity", "1e400", "1e-999999999", "99999999999999999999", "12,30"]
)
def test_an_amount_that_is_not_an_exact_number_is_refused(amount):
    with pytest.raises(BadTransaction, match="amount"):
        parse_transaction(message(amount=amount))


@pytest.mark.parametrize("day", [None, "", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31", 20260503.5])
def test_a_date_that_cannot_be_right_is_refused(day):
    with pytest.raises(BadTransaction):
        parse_transaction(message(booking_date=day, value_date=day))


def test_a_pending_transaction_needs_no_date():
    assert not parse_transaction(message(status="pending", booking_date=None)).booked


@pytest.mark.parametrize("garbage", [None, [], "text", 7])
def test_garbage_is_refused_with_a_sentence(garbage):
    with pytest.raises(BadTransaction, match="not a transaction"):
        parse_transaction(garbage)


def test_moments_become_naive_utc():
    assert parse_moment("2026-05-03T11:15:00+02:00") == datetime(2026, 5, 3, 9, 15)
    assert parse_moment("2026-05-03T09:15:00Z") == datetime(2026, 5, 3, 9, 15)
    assert parse_moment("soon") is None


# -------------------------------------------------------------------------
# FAST PATHS RETURN THE SAME AS THOROUGH ONES
# -------------------------------------------------------------------------

TEXTS = st.one_of(
    st.sampled_from(["", " ", "a", " a", "a ", "a  b", "a b", "\u00a0", "\u200d", "x" * 2001, "\x00", "é😀", "\u2028"]),
    st.text(max_size=6),
)


@given(st.lists(st.one_of(st.none(), TEXTS, TEXTS, TEXTS, st.sampled_from([0, 7, 1.5, False, True, [], {"a": 1}]))))
def test_texts_read_together_equal_those_read_one_by_one(values):
    assert read_texts(values) == [readable(value) for value in values]


def thorough_amount(value):
    """:return: the amount, read without the shortcut for the usual form"""
    text = str(value)[:100].strip()
    if not AMOUNT.fullmatch(text):
        return None
    amount = Decimal(text)
    return amount if abs(amount) < MAX_AMOUNT and amount.as_tuple().exponent >= -MAX_DECIMALS else None


@given(
    st.one_of(
        st.from_regex(r"[+-]?[0-9]{1,14}(\.[0-9]{0,45})?(E[+-]?[0-9]{1,2})?", fullmatch=True),
        st.text("0123456789.,+-eE _٣", max_size=15),
    ),
    st.integers(0, 4),
)
def test_an_amount_in_any_form_is_read_exactly_or_refused(text, decimal_places):
    expected = thorough_amount(text)
    message = {"status": "booked", "booking_date": "2026-05-20", "currency": "EUR", "amount": text}
    try:
        amount = read_transaction(message, "EUR", decimal_places).amount
    except BadTransaction:
        assert expected is None or expected.normalize().as_tuple().exponent < -decimal_places
    else:
        assert repr(amount) == repr(expected)
        assert amount.normalize().as_tuple().exponent >= -decimal_places
