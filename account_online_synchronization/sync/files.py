"""Finds the transactions of a statement file that are known already from other files or connections.

Files share no ids with other sources, and may begin or end in the middle of a day. Certainty follows from the *part* of
a day that each file contains: of a whole day, all transactions of one amount are counted; two files that both begin
with the day contain nested parts of it, so the longer one includes the other. If two parts may or may not overlap,
equal amounts prove nothing: the transaction is *doubtful*, and a user decides.

>>> from account_online_synchronization.client.messages import Transaction
>>> day = date(2026, 5, 20)
>>> coffee = Transaction(None, True, day, Decimal("-2.50"), "EUR")
>>> morning = Coverage(day, day, from_start=True)
>>> [one.outcome for one in recognise([coffee, coffee], morning, "csv")]
['new', 'new']
>>> known = [Stored(f"file:csv:{fingerprint(coffee)}:1", digest(coffee))]

Both parts begin with the day, so the first coffee is the known one:

>>> [one.outcome for one in recognise([coffee, coffee], morning, "csv", known, [morning])]
['known', 'new']

The afternoon's coffee may be the one in the morning's file, or another one:

>>> afternoon = Coverage(day, day, to_end=True)
>>> [one.outcome for one in recognise([coffee], afternoon, "csv", known, [morning])]
['doubtful']
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from ..client.messages import Transaction
from .identity import digest, fingerprint
from .likeness import Texts, Thing, group, pair, pair_equal
from .matching import money

#: Prefix of identifiers from files. The format follows, because ids of two formats have different meanings.
FILE = "file:"

#: Outcomes for a transaction of a file: stored · stored with other content · not stored · perhaps stored.
KNOWN, CHANGED, NEW, DOUBTFUL = "known", "changed", "new", "doubtful"

#: Which part of a day a file contains; :meth:`Coverage.part` returns None for days outside.
WHOLE, BEGINNING, END, MIDDLE = "whole", "beginning", "end", "middle"


@dataclass(frozen=True)
class Coverage:
    """The days that a file or a connection contains.

    ``from_start``: the first day from its beginning · ``to_end``: the last day to its end · ``is_complete``: all
    transactions in between; False for a file of single entries · ``opening``, ``closing``: booked balances before the
    first and after the last transaction, None if the file has none.
    """

    first: date
    last: date
    from_start: bool = False
    to_end: bool = False
    is_complete: bool = True
    opening: Decimal | None = None
    closing: Decimal | None = None

    def part(self, day):
        """:return: the part of a day that is contained; None for a day outside this coverage"""
        if not self.first <= day <= self.last:
            return None
        if not self.is_complete:
            return MIDDLE
        begins, ends = self.first < day or self.from_start, self.last > day or self.to_end
        return {(True, True): WHOLE, (True, False): BEGINNING, (False, True): END}.get((begins, ends), MIDDLE)


class Stored(NamedTuple):
    """A stored transaction of the account: a line, or a deleted or parked transaction."""

    identifier: str
    digest: str
    kind: str = "line"
    texts: Texts | None = None

    @property
    def day(self):
        return date.fromisoformat(self.digest[:10])

    @property
    def key(self):
        return self.digest[:10], money(self.digest)


class Found(NamedTuple):
    """One transaction of the file, under its identifier, with its outcome. ``stored``: its match, or a possible one."""

    transaction: Transaction
    outcome: str
    stored: Stored | None = None


def identifiers(transactions, code):
    """:return: the identifiers under which transactions with a bank's id may be stored already"""
    return [_own_identifier(one, code) for one in transactions if one.id]


def recognise(transactions, coverage, code, stored=(), others=()):
    """
    :param list transactions: booked :class:`~..client.messages.Transaction` of one account, in the file's order
    :param Coverage coverage: of the file
    :param str code: of the format
    :param stored: :class:`Stored` of the file's days, and those with one of :func:`identifiers`
    :param others: :class:`Coverage` of all files and connections from which stored ones were imported
    :return: list of :class:`Found` in the order of the file; ``id`` of its transactions is the identifier
    """
    return _Recognition(transactions, coverage, code, stored, others).run()


def as_new(transactions, code, stored):
    """:return: the transactions under unused identifiers"""
    naming = _Recognition(transactions, None, code, stored, ())
    return [replace(one, id=naming.new_identifier(number)) for number, one in enumerate(transactions)]


def _own_identifier(transaction, code):
    return f"{FILE}{code}:id:{transaction.id}"


class _Recognition:
    def __init__(self, transactions, coverage, code, stored, others):
        self.rows, self.coverage, self.code, self.others = transactions, coverage, code, others
        self.stored = list(stored)
        self.by_identifier = {one.identifier: one for one in self.stored}
        self.digests = [digest(one) for one in self.rows]
        self.keys = [(text[:10], money(text)) for text in self.digests]
        self.found, self.used, self.repeats = {}, set(), {}
        self.given = set(self.by_identifier)

    def run(self):
        self._drop_repeats()
        self._find_by_id()
        self._find_by_amount()
        self._find_changed()
        return [self._result(number) for number in range(len(self.rows))]

    def _open(self):
        return [number for number in range(len(self.rows)) if number not in self.found]

    def _set(self, number, outcome, stored):
        self.found[number] = (outcome, stored)
        self.used.add(stored.identifier)

    def _drop_repeats(self):
        """Drop repeats of the same id with the same content."""
        first = {}
        for number, row in enumerate(self.rows):
            if row.id and first.setdefault((row.id, self.digests[number]), number) != number:
                self.repeats[number] = first[row.id, self.digests[number]]
                self.found[number] = (KNOWN, None)

    def _find_by_id(self):
        for number, stored in self._of_same_id():
            if stored.key == self.keys[number]:
                self._set(number, self._outcome(number, stored), stored)

    def _of_same_id(self):
        """Yield the transactions that are not recognized yet, each with the stored one of the same id and format."""
        for number in self._open():
            row = self.rows[number]
            stored = row.id and self.by_identifier.get(_own_identifier(row, self.code))
            if stored and stored.identifier not in self.used:
                yield number, stored

    def _outcome(self, number, stored):
        """Why only of one format: other formats have other texts for the same transaction."""
        is_same = stored.digest == self.digests[number] or stored.kind != "line"
        return KNOWN if is_same or not stored.identifier.startswith(f"{FILE}{self.code}:") else CHANGED

    # -------------------------------------------------------------------------
    # BY DAY AND AMOUNT
    # -------------------------------------------------------------------------

    def _find_by_amount(self):
        come = group(self._open(), self.keys.__getitem__)
        there = group([one for one in self.stored if one.identifier not in self.used], lambda one: one.key)
        certain = {}
        for key, numbers in come.items():
            if key not in there:
                continue
            day = date.fromisoformat(key[0])
            if day not in certain:
                certain[day] = self._is_certain(day)
            self._pair(numbers, there[key], certain[day])

    def _is_certain(self, day):
        """Whether equal amounts of a day are the same transactions: True, False, or None if unknown."""
        part = self.coverage.part(day)
        others = [other for other in self.others if other.part(day)]
        continuing = [other for other in others if self._continues(other, day)]
        parts = {other.part(day) for other in others if other not in continuing}
        if continuing:
            # Why: even if it claims to contain the whole day, its balances prove that another one has a part of it.
            return True if WHOLE in parts else None if parts else False
        if WHOLE in (part, *parts):
            return True
        return True if parts == {part} and part != MIDDLE else None

    def _continues(self, other, day):
        """Whether the balances prove that the file begins where the other one ended within the day, or ends there."""
        mine = self.coverage
        if not mine.is_complete or not other.is_complete or mine.opening is None or other.opening is None:
            return False
        follows = other.last == mine.first == day and other.closing == mine.opening
        precedes = mine.last == other.first == day and mine.closing == other.opening
        if other.opening == mine.opening or other.closing == mine.closing or not (follows or precedes):
            return False
        return not self._may_overlap(other) and not self._may_be_within(day)

    def _may_overlap(self, other):
        """Whether the other one may begin or end between two rows of the file, where its balance equals the file's.

        Why in both directions: some files begin with the newest row.
        """
        for rows in (self.rows, self.rows[::-1]):
            balances = list(accumulate((row.amount for row in rows), initial=self.coverage.opening))
            if other.closing in balances[1:] or other.opening in balances[:-1]:
                return True
        return False

    def _may_be_within(self, day):
        """Whether all rows of the day may be part of another file."""
        mine = Counter(key for key in self.keys if key[0] == day.isoformat())
        there = Counter(one.key for one in self.stored if one.day == day)
        return mine < there

    def _pair(self, numbers, there, is_certain):
        if is_certain is False:
            return
        things = [Thing(one, one.day, "", one.texts) for one in sorted(there, key=self._preference)]
        others = [Thing(number, things[0].day, "", Texts.of(self.rows[number])) for number in numbers]
        # Equal content first, then the most similar.
        pairs, things, others = pair_equal(
            things, others, lambda one: one.key.digest, lambda other: self.digests[other.key]
        )
        for one, other in pairs + pair(things, others):
            if is_certain:
                self._set(other.key, self._outcome(other.key, one.key), one.key)
            else:
                self._set(other.key, DOUBTFUL, one.key)

    @staticmethod
    def _preference(stored):
        """Sort key: lines before kept transactions; the order of database rows means nothing."""
        return stored.kind != "line", stored.identifier

    def _find_changed(self):
        """Find transactions that the bank has corrected: the file covers the day of the old version, but lacks it."""
        for number, stored in self._of_same_id():
            if self.coverage.part(stored.day) == WHOLE:
                self._set(number, CHANGED if stored.kind == "line" else KNOWN, stored)

    def _result(self, number):
        row = self.rows[number]
        if number in self.repeats:
            outcome, stored = self.found.get(self.repeats[number], (NEW, None))
            return Found(row, KNOWN, stored)
        outcome, stored = self.found.get(number, (NEW, None))
        identifier = stored.identifier if outcome in (KNOWN, CHANGED) else self.new_identifier(number)
        return Found(replace(row, id=identifier), outcome, stored)

    def new_identifier(self, number):
        """The bank's id if it is unused, otherwise the content with its number among equals."""
        row = self.rows[number]
        if row.id and (identifier := _own_identifier(row, self.code)) not in self.given:
            self.given.add(identifier)
            return identifier
        content, count = fingerprint(row), 1
        while (identifier := f"{FILE}{self.code}:{content}:{count}") in self.given:
            count += 1
        self.given.add(identifier)
        return identifier


# -------------------------------------------------------------------------
# HOLES
# -------------------------------------------------------------------------


class Hole(NamedTuple):
    """Days between two statements whose balances do not meet, and by how much."""

    after: date
    before: date
    amount: Decimal


def find_holes(coverages, sum_between):
    """
    :param coverages: list of :class:`Coverage`; those without balances are ignored
    :param sum_between: function from two days to the sum of stored amounts between them, both excluded
    :return: list of :class:`Hole`, in order of days

    >>> may, july = date(2026, 5, 31), date(2026, 7, 1)
    >>> files = [Coverage(date(2026, 5, 1), may, opening=Decimal(0), closing=Decimal(100)),
    ...          Coverage(july, date(2026, 7, 31), opening=Decimal(130), closing=Decimal(90))]
    >>> [(str(hole.after), str(hole.before), str(hole.amount)) for hole in find_holes(files, lambda *days: Decimal(0))]
    [('2026-05-31', '2026-07-01', '30')]
    >>> find_holes(files, lambda *days: Decimal(30))
    []
    """
    known = [one for one in coverages if one.is_complete and None not in (one.opening, one.closing)]
    known.sort(key=lambda one: (one.first, one.last))
    holes, before = [], None
    for one in known:
        if before and one.last <= before.last:
            # Why not compared: it is contained in the one before.
            continue
        if before and one.first >= before.last:
            missing = one.opening - before.closing - sum_between(before.last, one.first)
            if missing:
                holes.append(Hole(before.last, one.first, missing))
        before = one
    return holes


def stored_until(coverages):
    """:return: the last day up to which the files have no hole; None without files

    >>> week = [date(2026, 5, day) for day in (4, 8, 11, 15)]
    >>> str(stored_until([Coverage(week[0], week[1]), Coverage(week[2], week[3])]))
    '2026-05-08'
    """
    complete = sorted((one for one in coverages if one.is_complete), key=lambda one: one.first)
    last, closing = None, None
    for one in complete:
        is_next = last and (one.first <= last + timedelta(days=1) or (closing is not None and closing == one.opening))
        if last and not is_next:
            break
        if not last or one.last > last:
            last, closing = one.last, one.closing
    return last
