"""Similarity of transactions, and pairs of vanished and new ones. Pure Python.

>>> from datetime import date
>>> gone = [Thing(1, date(2026, 5, 14), "-9.00 EUR"), Thing(2, date(2026, 5, 16), "-7.00 EUR")]
>>> come = [Thing(3, date(2026, 5, 15), "-9.00 EUR"), Thing(4, date(2026, 5, 17), "-7.00 EUR")]
>>> find_shift(gone, come).name
'1 day later'

A single one may be another transaction: at least two amounts have to agree.

>>> find_shift(gone[:1], come[:1]) is None
True
>>> [(one.key, other.key) for one, other in nearest(gone[:1], come)]
[(1, 3)]
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

#: Maximum number of days between two dates of one transaction: a long weekend, or Easter.
NEAR = timedelta(days=5)

#: A shift is certain if this many times more transactions agree with it than contradict it.
AGREEMENT = 4

#: Up to this number all pairs are compared; above it only equal texts count.
FEW = 30

ONE_DAY = timedelta(days=1)


class Thing(NamedTuple):
    """A transaction to compare. ``money`` is amount and currency as a text. ``texts`` are the bank's texts, if known.

    ``may_be``: it has perhaps not vanished, because the window does not include its day · ``is_requested``: its day was
    requested, even if the window begins later.
    """

    key: object
    day: date
    money: str
    texts: "Texts | None" = None
    may_be: bool = False
    is_requested: bool = True


class Texts(NamedTuple):
    """A bank's texts of a transaction in a comparable form."""

    number: str
    name: str
    reference: str
    words: frozenset

    @classmethod
    def of(cls, transaction):
        return cls.of_line(
            " ".join(transaction.remittance),
            transaction.counterparty_name,
            transaction.counterparty_number,
            transaction.reference,
        )

    @classmethod
    def of_line(cls, label, name, number, reference=""):
        return cls(
            "".join(filter(str.isalnum, (number or "").upper())),
            " ".join((name or "").casefold().split()),
            reference or "",
            frozenset((label or "").casefold().split()),
        )

    def likeness(self, other):
        """Larger if they are more likely the same. The counterparty's number counts more than any text."""
        same = sum(
            weight
            for weight, mine, theirs in (
                (100, self.number, other.number),
                (50, self.reference, other.reference),
                (25, self.name, other.name),
            )
            if mine and mine == theirs
        )
        common = len(self.words & other.words)
        return same + (20 * common / max(len(self.words), len(other.words)) if common else 0)


# -------------------------------------------------------------------------------------------------
# Among equals
# -------------------------------------------------------------------------------------------------


def pair(things, others):
    """Pair transactions of equal amount: by texts and counterparty, then by the order of the keys.

    :param things, others: lists of :class:`Thing`
    :return: list of pairs, as many as the shorter list has

    >>> rent, gym = (Texts("", "", "", frozenset([text])) for text in ("rent", "gym"))
    >>> day = date(2026, 5, 3)
    >>> pairs = pair([Thing(1, day, "-9 EUR", rent), Thing(2, day, "-9 EUR", gym)], [Thing(3, day, "-9 EUR", gym)])
    >>> [(one.key, other.key) for one, other in pairs]
    [(2, 3)]
    """
    if len(things) == len(others) == 1:
        return [(things[0], others[0])]
    pairs, things, others = pair_equal(things, others, lambda one: one.texts, lambda other: other.texts)
    if len(things) <= FEW and len(others) <= FEW:
        ranked = sorted(
            ((one, other) for one in things for other in others if one.texts and other.texts),
            # sorted() is stable: among equally similar ones the order of the lists is kept.
            key=lambda both: -both[0].texts.likeness(both[1].texts),
        )
        for one, other in ranked:
            if one in things and other in others and one.texts.likeness(other.texts):
                things.remove(one)
                others.remove(other)
                pairs.append((one, other))
    return pairs + list(zip(things, others, strict=False))


def pair_equal(things, others, key, other_key):
    """Pair things and others with equal keys, in order; those whose key is None stay unpaired.

    :return: the pairs, and the rest of both lists
    """
    waiting = group(reversed(others), other_key)
    pairs, left = [], []
    for one in things:
        if key(one) and waiting[key(one)]:
            pairs.append((one, waiting[key(one)].pop()))
        else:
            left.append(one)
    taken = {other.key for _one, other in pairs}
    return pairs, left, [other for other in others if other.key not in taken]


def group(things, key):
    """:return: ``defaultdict`` from key to the list of things with this key, in their order"""
    groups = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return groups


# -------------------------------------------------------------------------------------------------
# A whole window that has shifted
# -------------------------------------------------------------------------------------------------


class Shift(NamedTuple):
    """A way in which a bank's dates have changed: functions that map old and new dates to a common day."""

    name: str
    of_gone: Callable
    of_come: Callable
    is_usual: bool = True


def _later(days):
    sense = "later" if days > 0 else "earlier"
    name = f"{abs(days)} day{'s' if abs(days) > 1 else ''} {sense}"
    return Shift(name, lambda day: day + days * ONE_DAY, lambda day: day, is_usual=abs(days) == 1)


def _monday(day):
    """The same day, or the Monday after a weekend."""
    return day + (8 - day.isoweekday()) * ONE_DAY if day.isoweekday() > 5 else day


def _friday(day):
    """The same day, or the Friday before a weekend."""
    return day - max(0, day.isoweekday() - 5) * ONE_DAY


#: The more likely ones first.
SHIFTS = (
    _later(1),
    _later(-1),
    Shift("weekends on Monday", _monday, _monday),
    Shift("weekends on Friday", _friday, _friday),
    *(_later(sign * days) for days in range(2, NEAR.days + 1) for sign in (1, -1)),
)


def find_shift(gone, come, first=date.min):
    """The way in which a whole window has shifted, as after a change of the provider.

    It is certain if it explains nearly all vanished ones, more than equal days do, and if those that have moved have at
    least two amounts: one vanished payment and a new one a day later may be two payments.

    :param gone, come: lists of :class:`Thing`
    :param date first: first requested day
    :return: :class:`Shift`, or None
    """
    # Why not the days before: transactions there have not vanished, and prove nothing.
    gone = [thing for thing in gone if thing.is_requested]
    if not gone or not come:
        return None
    come_by = Counter((thing.day, thing.money) for thing in come)
    most = _explained(Counter((thing.day, thing.money) for thing in gone), come_by)
    last = max(thing.day for thing in come)
    best = None
    for shift in SHIFTS if most < len(gone) else ():
        # Why not: days outside the window are too weak as evidence for an unusual shift.
        some = gone if shift.is_usual else [thing for thing in gone if not thing.may_be]
        gone_by = Counter((shift.of_gone(thing.day), thing.money) for thing in some)
        shifted = Counter((shift.of_come(thing.day), thing.money) for thing in come)
        found = _explained(gone_by, shifted)
        # Why not later ones: their days were not requested, or are in the future.
        missing = sum(first <= day <= last for day, _money in gone_by.elements()) - found
        if found > most and found >= AGREEMENT * missing and _moves_two_amounts(shift, some, come_by, shifted):
            best, most = shift, found
    return best


def _explained(gone_by, come_by):
    return sum(min(count, come_by[key]) for key, count in gone_by.items())


def _moves_two_amounts(shift, gone, come_by, shifted):
    moved = {
        one.money for one in gone if not come_by[one.day, one.money] and shifted[shift.of_gone(one.day), one.money]
    }
    return len(moved) > 1


def pair_shifted(gone, come, shift):
    """:return: list of pairs of :class:`Thing`"""
    come_by = group(come, lambda thing: (shift.of_come(thing.day), thing.money))
    pairs = []
    for key, things in group(gone, lambda thing: (shift.of_gone(thing.day), thing.money)).items():
        if come_by.get(key):
            # Why in this order: certainly vanished ones come before those that may still exist.
            things = sorted(things, key=lambda thing: thing.may_be)
            others = come_by[key]
            if len(things) > len(others):
                things = things[: len(others)] if things[len(others)].may_be else things
            pairs += pair(things, others)
    return pairs


# -------------------------------------------------------------------------------------------------
# Nearly alike
# -------------------------------------------------------------------------------------------------


def nearest(gone, come, reach=NEAR):
    """Pair vanished and new ones of the same amount within some days. It is only used to ask the user.

    :param timedelta reach: maximum distance
    :return: list of pairs of :class:`Thing`, each thing in one of them at most; equal texts first
    """
    pairs = []
    for with_texts in (True, False):
        taken = {thing.key for both in pairs for thing in both}
        some = [[thing for thing in things if thing.key not in taken] for things in (gone, come)]

        def key(thing, with_texts=with_texts):
            return (thing.money, thing.texts if with_texts else None)

        come_by = group(some[1], key)
        for same, things in group(some[0], key).items():
            if not with_texts or same[1]:
                pairs += _pair_near(things, come_by.get(same, []), reach)
    return pairs


def _pair_near(things, others, reach):
    """Greedy in order of days: gives as many pairs as possible, because the maximum distance is equal for all."""
    things, others = (sorted(some, key=lambda thing: thing.day) for some in (things, others))
    pairs, start = [], 0
    for one in things:
        while start < len(others) and one.day - others[start].day > reach:
            start += 1
        if start < len(others) and others[start].day - one.day <= reach:
            pairs.append((one, others[start]))
            start += 1
    return pairs
