from datetime import date
from decimal import Decimal

import pytest

from account_online_reconcile.matching.facts import Line
from account_online_reconcile.matching.memory import Booking, Memory


def line(key, label="CARD 01/07 SPOTIFY P1F7A STOCKHOLM", amount="-9.99", **values):
    return Line(key, date(2026, 5, key), Decimal(amount), label=label, **values)


def test_one_booking_is_not_a_habit():
    assert Memory([Booking(line(1), 620)]).recall(line(2)) is None


def test_two_equal_bookings_are_a_habit():
    habit = Memory([Booking(line(1), 620, (3,), 7), Booking(line(2), 620, (3,), 7)]).recall(line(3, amount="-11.99"))
    assert (habit.account, habit.taxes, habit.partner, habit.times, habit.lines) == (620, (3,), 7, 2, (1, 2))


@pytest.mark.parametrize("other", [Booking(line(2), 621), Booking(line(2), 620, (4,)), Booking(line(2), 620, (), 8)])
def test_two_different_bookings_are_no_habit(other):
    assert Memory([Booking(line(1), 620), other]).recall(line(3)) is None


@pytest.mark.parametrize(
    "values", [{"amount": "9.99"}, {"currency": "USD"}, {"label": "CARD NETFLIX"}, {"account": "X1"}]
)
def test_a_line_of_another_kind_is_not_recalled(values):
    memory = Memory([Booking(line(1), 620), Booking(line(2), 620)])
    assert memory.recall(line(3, **values)) is None


def test_lines_without_any_text_have_nothing_in_common():
    memory = Memory([Booking(line(1, label=""), 620), Booking(line(2, label="4711"), 620)])
    assert memory.recall(line(3, label="")) is None


def test_the_order_of_the_bookings_is_of_no_consequence():
    bookings = [Booking(line(key), 620) for key in (1, 2, 3)]
    assert Memory(bookings).recall(line(4)).label == Memory(bookings[::-1]).recall(line(4)).label
