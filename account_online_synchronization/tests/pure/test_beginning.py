"""The balance with which a journal begins is what the bank says, or it is not known."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.sync.beginning import Row, start_of

DAY = date(2026, 5, 20)


def days(number):
    return DAY + timedelta(days=number)


def row(amount, day=0, is_inside=True):
    return Row(None if day is None else days(day), None if amount is None else Decimal(amount), is_inside)


def test_what_is_dated_after_the_balance_is_not_in_it():
    """1000.00 on 20 May, −20.00 on the 18th, −300.00 dated 15 June."""
    assert start_of(Decimal(1000), DAY, [row("-20.00", -2), row("-300.00", 26)]) == 1020


def test_what_could_not_be_read_makes_the_beginning_unknown():
    assert start_of(Decimal(150), DAY, [row("100.00"), row(None, None)]) is None
    assert start_of(Decimal(150), DAY, [row("100.00"), row("50.00")]) == 0


def test_an_amount_without_a_day_makes_the_beginning_unknown():
    assert start_of(Decimal(150), DAY, [row("100.00", None)]) is None


def test_without_a_booked_balance_the_beginning_is_unknown():
    assert start_of(None, None, [row("1.00")]) is None


def test_a_balance_from_before_the_beginning_grows_by_what_was_booked_in_between():
    rows = [row("5.00", -3, is_inside=False), row("7.00", -1, is_inside=False), row("11.00", 0)]
    assert start_of(Decimal(100), days(-2), rows) == 107


amounts = st.decimals(min_value=-1000, max_value=1000, places=2)


@given(
    opening=amounts,
    booked=st.lists(
        st.tuples(st.integers(-40, 20), amounts, st.sampled_from(["line", "parked", "left out", "unreadable"]))
    ),
    balance_day=st.integers(-40, 5),
    begin=st.integers(-40, 5),
)
def test_the_start_and_all_rows_give_the_bank_s_balance_of_each_day(opening, booked, balance_day, begin):
    def at_the_bank(day):
        return opening + sum(amount for when, amount, _fate in booked if when <= day)

    # An unreadable transaction has neither an amount nor a day here; the bank has counted it all the same.
    rows = [
        row(None, None) if fate == "unreadable" else row(amount, when, is_inside=when >= begin)
        for when, amount, fate in booked
    ]
    start = start_of(at_the_bank(balance_day), days(balance_day), rows)
    if any(fate == "unreadable" for _when, _amount, fate in booked):
        assert start is None
        return
    for end in range(begin, 21):
        inside = sum(one.amount for one in rows if one.is_inside and one.day <= days(end))
        assert start + inside == at_the_bank(end)
