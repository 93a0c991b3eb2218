from datetime import date, timedelta

import pytest

from account_online_synchronization.sync.periods import PERIODICITIES, period_of


@pytest.mark.parametrize(
    ("periodicity", "start", "end", "name"),
    [
        ("day", date(2024, 2, 29), date(2024, 2, 29), "2024-02-29"),
        ("week", date(2024, 2, 26), date(2024, 3, 3), "2024-W09"),
        ("bimonthly", date(2024, 2, 16), date(2024, 2, 29), "2024-02-16/29"),
        ("month", date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
    ],
)
def test_the_period_of_a_leap_day(periodicity, start, end, name):
    assert period_of(date(2024, 2, 29), periodicity) == (start, end, name)


def test_the_15th_closes_the_first_half_of_a_month():
    assert period_of(date(2026, 5, 15), "bimonthly").end == date(2026, 5, 15)
    assert period_of(date(2026, 5, 16), "bimonthly").start == date(2026, 5, 16)


def test_the_week_at_new_year_belongs_to_one_statement():
    assert period_of(date(2026, 12, 31), "week") == period_of(date(2027, 1, 1), "week")


def test_without_statements_there_is_no_period():
    assert period_of(date(2026, 5, 3), "none") is None


def test_an_unknown_periodicity_is_refused():
    with pytest.raises(ValueError, match="Unknown periodicity 'yearly'"):
        period_of(date(2026, 5, 3), "yearly")


@pytest.mark.parametrize("periodicity", [name for name in PERIODICITIES if name != "none"])
def test_periods_leave_no_gap_and_do_not_overlap(periodicity):
    day, previous = date(2023, 12, 1), None
    while day < date(2025, 2, 1):
        period = period_of(day, periodicity)
        assert period.start <= day <= period.end
        assert previous is None or period == previous or period.start == previous.end + timedelta(days=1)
        day, previous = day + timedelta(days=1), period
