"""Statement periods: which days share one bank statement.

>>> day = date(2026, 5, 20)
>>> [(choice, period_of(day, choice).name) for choice in PERIODICITIES[1:]]
[('day', '2026-05-20'), ('week', '2026-W21'), ('bimonthly', '2026-05-16/31'), ('month', '2026-05')]
>>> start, end, _name = period_of(day, "week")
>>> str(start), str(end)
('2026-05-18', '2026-05-24')
>>> period_of(day, "none")
"""

import calendar
from datetime import date, timedelta
from typing import NamedTuple

#: The journal's choices, in the order of the selection field.
PERIODICITIES = ("none", "day", "week", "bimonthly", "month")


class Period(NamedTuple):
    """First and last day, both included, and a short name such as ``2026-05``."""

    start: date
    end: date
    name: str


def period_of(day, periodicity):
    """The period that holds a day.

    :param date day:
    :param str periodicity: one of :data:`PERIODICITIES`; ``bimonthly`` is twice a month (1–15 and 16–end), ``week`` is
        the ISO week from Monday to Sunday
    :return: :class:`Period`, or None for ``none``
    """
    if periodicity == "none":
        return None
    if periodicity == "day":
        return Period(day, day, day.isoformat())
    if periodicity == "week":
        monday = day - timedelta(days=day.weekday())
        year, week, _weekday = day.isocalendar()
        return Period(monday, monday + timedelta(days=6), f"{year}-W{week:02}")
    first = day.replace(day=1)
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    month = f"{day:%Y-%m}"
    if periodicity == "month":
        return Period(first, last, month)
    if periodicity == "bimonthly":
        middle = day.replace(day=15)
        if day <= middle:
            return Period(first, middle, f"{month}-01/15")
        return Period(middle + timedelta(days=1), last, f"{month}-16/{last:%d}")
    raise ValueError(f"Unknown periodicity {periodicity!r}; known are {', '.join(PERIODICITIES)}.")
