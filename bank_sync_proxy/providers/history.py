"""A bank that offers less history than requested: which period to request next. One rule for all adapters.

Banks differ in how far back they go, and most show it only by a refusal. A refused period is requested again, shorter
each time, within the same request of the database. The answer contains how far back the bank went, so that the next run
begins there (``history_days`` in docs/protocol.md).
"""

import re
from datetime import date, timedelta

#: Days back, one after the other. 89: banks under PSD2 give 90 without a new authentication, and some count today.
RUNGS = (89, 60, 30)
#: What banks under the Berlin Group's rules say, passed on by intermediaries, anywhere in an answer.
#: NextGenPSD2 XS2A Framework, Implementation Guidelines 1.3.12, 14.11.2
PERIOD_CODES = re.compile(r"\b(?:PERIOD_INVALID|TIMESTAMP_INVALID)\b")
#: Statuses of a request that was understood, but is refused in this form.
MAYBE_STATUSES = (400, 416, 422)
DAY = re.compile(r"(?<![0-9])(20[0-9]{2}-[01][0-9]-[0-3][0-9])(?![0-9])")
DAYS = re.compile(r"(?<![0-9.,:-])([1-9][0-9]{0,3})[ _-]*(?:days?\b|tage?n?\b|jours?\b)", re.IGNORECASE)


def named_periods(text, today):
    """First days that a refusal names, as a date or as a number of days.

    Words of a bank decide nothing here: they only say what is worth asking for.
    """
    found = []
    for day in DAY.findall(text):
        try:
            found.append(date.fromisoformat(day))
        except ValueError:
            continue
    for number in map(int, DAYS.findall(text)):
        # Whether today counts is not said.
        found += [today - timedelta(days=number), today - timedelta(days=number - 1)]
    return tuple(sorted({day for day in found if day <= today}))


def next_period(requested, today, named=()):
    """The first day to request after a refusal.

    :param list requested: first days requested so far; None: without a first day, the provider's longest period
    :param named: first days that the refusals have named
    :return: (a date later than all refused ones, or None without a first day), or ``()`` if nothing is left to request
    """
    latest = max((day for day in requested if day), default=date.min)
    rungs = [today - timedelta(days=days) for days in RUNGS]
    # What a refusal names comes first, unless it is so short that another date of the answer may have been taken for
    # it: a period that is granted is never made longer again.
    named_first = [day for day in named if latest < day <= rungs[-1]]
    later = named_first or [day for day in (*rungs, *named) if latest < day < today]
    if later:
        return (min(later),)
    return () if None in requested else (None,)


def is_refused_for_its_period(error, first_day, today, sends_dates):
    """Whether a shorter period may be granted.

    :param error: :class:`~.errors.ProviderError`
    :param date first_day: the one that was requested, or None
    :param bool sends_dates: the date is part of the provider's request, so an unknown refusal may be about it
    """
    if error.code == "period_refused":
        return True
    is_long = first_day is not None and first_day < today - timedelta(days=RUNGS[-1])
    is_maybe = error.code == "unexpected_answer" and error.status in MAYBE_STATUSES
    # Some plans may read only the last days.
    return sends_dates and is_long and (is_maybe or error.code == "permission_missing")
