"""Proposes a booking that users have made at least twice in the same way.

>>> from datetime import date
>>> from decimal import Decimal
>>> def spotify(day):
...     return Line(day, date(2026, day, 7), Decimal("-9.99"), label=f"CARD 0{day}/07 SPOTIFY P1F7A{day} STOCKHOLM")
>>> memory = Memory([Booking(spotify(day), account=620) for day in (1, 2)])
>>> memory.recall(spotify(3)).account, memory.recall(spotify(3)).times
(620, 2)

Nothing is proposed after different bookings:

>>> Memory([Booking(spotify(1), account=620), Booking(spotify(2), account=610)]).recall(spotify(3)) is None
True
"""

import re
from collections import defaultdict
from typing import NamedTuple

from .facts import Line
from .partners import account_key, name_keys

#: Minimum number of equal bookings for a proposal.
ENOUGH = 2

#: Words of letters only: words with digits are days, numbers or references, which differ each time.
WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,40}(?![^\W_])")
#: Number of words that are compared: the first ones describe the payment.
MOST_WORDS = 6


class Booking(NamedTuple):
    """A line that a user has booked against one account."""

    line: Line
    account: object
    taxes: tuple = ()
    partner: object = None
    analytic: object = None


class Habit(NamedTuple):
    """``label``: common part of the lines' texts, for a rule that the user may create."""

    account: object
    taxes: tuple
    partner: object
    analytic: object
    times: int
    label: str
    lines: tuple


class Likeness(NamedTuple):
    """``who``: the counterparty's account number, otherwise its name."""

    is_incoming: bool
    currency: str
    who: str
    words: tuple


def words_of(line):
    return [word.casefold() for text in line.texts for word in WORD.findall(text[:500])]


def likeness(line):
    """The key of lines of one kind: direction, counterparty, first words."""
    who = account_key(line.account) or min(name_keys(line.name), default="")
    words = tuple(words_of(line)[:MOST_WORDS])
    return Likeness(line.amount > 0, line.currency, who, words) if who or words else None


class Memory:
    """Past bookings by the likeness of their lines."""

    def __init__(self, bookings=()):
        alike = defaultdict(list)
        for booking in bookings:
            key = likeness(booking.line)
            if key:
                alike[key].append(booking)
        self._habits = {key: habit for key, some in alike.items() if (habit := _habit(some))}

    def recall(self, line):
        """:return: :class:`Habit`, or None"""
        return self._habits.get(likeness(line))


def _habit(bookings):
    ways = {(one.account, one.taxes, one.partner, str(one.analytic)) for one in bookings}
    if len(bookings) < ENOUGH or len(ways) > 1:
        return None
    first = bookings[0]
    label = " ".join(words_of(first.line)[:MOST_WORDS])
    keys = tuple(one.line.key for one in bookings)
    return Habit(first.account, first.taxes, first.partner, first.analytic, len(bookings), label, keys)
