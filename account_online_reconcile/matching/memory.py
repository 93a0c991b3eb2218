"""What a user has booked twice in the same way is proposed the third time.

>>> from datetime import date
>>> from decimal import Decimal
>>> def spotify(day):
...     return Line(day, date(2026, day, 7), Decimal("-9.99"), label=f"CARD 0{day}/07 SPOTIFY P1F7A{day} STOCKHOLM")
>>> memory = Memory([Booking(spotify(day), account=620) for day in (1, 2)])
>>> memory.recall(spotify(3)).account, memory.recall(spotify(3)).times
(620, 2)

What was booked in two ways is not proposed:

>>> Memory([Booking(spotify(1), account=620), Booking(spotify(2), account=610)]).recall(spotify(3)) is None
True
"""

import re
from collections import defaultdict
from typing import NamedTuple

from .facts import Line
from .partners import account_key, name_keys

#: So many equal bookings make a proposal.
ENOUGH = 2

#: Words of letters only: what has digits in it is a day, a number, a reference, and different each time.
WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,40}(?![^\W_])")
#: A payment's words; the first ones say what it is.
MOST_WORDS = 6


class Booking(NamedTuple):
    """A line that a user has booked against one account."""

    line: Line
    account: object
    taxes: tuple = ()
    partner: object = None
    analytic: object = None


class Habit(NamedTuple):
    """``label``: what the texts of all these lines have in common, for the rule that a user may make of it."""

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
    """What lines have in common that are of one kind: direction, counterparty, the first words."""
    who = account_key(line.account) or min(name_keys(line.name), default="")
    words = tuple(words_of(line)[:MOST_WORDS])
    return Likeness(line.amount > 0, line.currency, who, words) if who or words else None


class Memory:
    """The bookings of the past, by what their lines are like."""

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
