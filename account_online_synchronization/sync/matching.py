"""Matches the bank's transactions with stored ones, although their ids, days or texts may have changed.

>>> from datetime import date
>>> from decimal import Decimal
>>> from ..client.messages import Transaction
>>> from .identity import identify
>>> def bank(*rows):
...     payments = [Transaction(name, True, date(2026, 5, day), Decimal(amount), "EUR") for name, day, amount in rows]
...     return identify(payments)
>>> before = bank(("A", 4, "-9"), ("B", 6, "-7"), ("C", 7, "-5"))
>>> stored = [Known("line", number, entry.identifier, entry.digest) for number, entry in enumerate(before)]
>>> def compare(*rows):
...     found = match(bank(*rows), stored, date(2026, 5, 1))
...     return [(one.kind, one.known and one.known.record_id, one.similar and one.similar.record_id) for one in found]

An id counts more than a day, equal content more than equal amounts:

>>> compare(("A", 4, "-9"), ("B", 9, "-7"), ("NEW", 7, "-5"))
[('same', 0, None), ('changed', 1, None), ('moved', 2, None)]

A shift of the whole window is certain, a single payment that may have moved is not:

>>> compare(("X", 5, "-9"), ("Y", 7, "-7"), ("Z", 8, "-5"))
[('shifted', 0, None), ('shifted', 1, None), ('shifted', 2, None)]
>>> compare(("A", 4, "-9"), ("B", 6, "-7"), ("NEW", 8, "-5"))
[('same', 0, None), ('same', 1, None), ('new', None, 2)]
"""

import functools
import operator
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from .identity import Entry, bank_id
from .likeness import NEAR, Texts, Thing, find_shift, group, nearest, pair, pair_shifted

SAME, MOVED, CHANGED, SHIFTED, NEW = "same", "moved", "changed", "shifted", "new"

#: So much later, an id names another payment unless the bank's answer proves a move: some banks give all payments of a
#: standing order one id, and none moves a booked one so far. A fortnight, less a holiday.
AGAIN = timedelta(days=13)


class Known(NamedTuple):
    """A stored transaction of the account: a statement line or a kept transaction.

    ``kind`` is ``line``, or the state of a kept transaction; ``elsewhere``: a user deleted it from another journal.
    ``digest`` is None if it was stored before digests existed; then it is recognized by its identifier only.
    """

    kind: str
    record_id: int
    identifier: str
    digest: str | None
    reason: str | None = None
    #: The bank has withdrawn it, and the line stayed because users have worked with it.
    is_withdrawn: bool = False
    #: The bank reported it as booked before its day.
    was_future: bool = False
    #: Line that may be this transaction, which is pending because of its day.
    similar_id: int | None = None

    @property
    def day(self):
        return date.fromisoformat(self.digest[:10])

    @property
    def money(self):
        """Amount and currency."""
        return money(self.digest)


RECORD_ID = operator.attrgetter("record_id")


class Match(NamedTuple):
    """An entry, with its final identifier and its match.

    ``same``: nothing to do · ``moved``: the same content under a new id · ``changed``: other content, perhaps also
    under a new id · ``shifted``: the dates of all transactions have changed · ``new``: ``known`` is None, and
    ``similar`` is a line or a deleted transaction that it may be.
    """

    entry: Entry
    kind: str
    known: Known | None = None
    similar: Known | None = None


def money(digest):
    """Amount and currency of a digest.

    >>> money("2026-05-20 -12.3 EUR 0f5c")
    '-12.3 EUR'
    """
    return " ".join(digest.split(" ")[1:3])


def match(entries, stored, first_day=None, removed=frozenset(), since=None, contents=None):
    """Compare a window with stored transactions. Certain matches come first; each stored one is matched once.

    :param entries: list of :class:`~.identity.Entry`
    :param stored: list of :class:`Known`: all with one of the entries' identifiers, and all of the window's days
    :param date first_day: from this day on the window is complete, so that missing ones have vanished. None for a
        window of changes.
    :param removed: identifiers that the bank has removed
    :param date since: first requested day. Between it and ``first_day`` the bank shows nothing, because there is
        nothing or its history does not reach as far back.
    :param contents: function from a list of :class:`Known` to a dict from their identifiers to the bank's last version,
        :class:`~..client.messages.Transaction`; called if only texts distinguish equal ones
    :return: list of :class:`Match`, in the order of the entries
    """
    return _Matching(entries, stored, first_day, removed, since, contents or (lambda knowns: {})).run()


class _Matching:
    def __init__(self, entries, stored, first_day, removed, since, contents):
        self.entries = entries
        # Why sorted: the order of database rows means nothing, and if a line and a kept transaction share an
        # identifier, the line counts.
        in_order = sorted(sorted(stored, key=RECORD_ID), key=lambda known: known.kind == "line")
        self.by_identifier = {known.identifier: known for known in in_order}
        self.first_day, self.since = first_day, since
        self.removed = removed
        self.contents = contents
        self.matches = {}
        self.used = set()
        self.given = set()
        self.similar = {}

    @functools.cached_property
    def reported(self):
        """Why lazily: where nothing has changed, it is not needed."""
        return {name for entry in self.entries for name in (entry.identifier, entry.shared_identifier)}

    def run(self):
        self._find_same()
        if len(self.matches) < len(self.entries):
            # Why not by the matches alone: if nothing is stored of the window's days, no id can have changed.
            is_renamed = not self.matches and any(self._has_vanished(known) for known in self._gone())
            self._find_shifted()
            # Why these only: other content under a known id is a change of that transaction, if possible.
            self._find_vanished(MOVED, lambda digest: digest, lambda entry: entry.identifier not in self.by_identifier)
            self._find_changed()
            is_renamed = is_renamed and not any(one.kind == CHANGED for one in self.matches.values())
            # Why last: the same day and amount are weak evidence.
            self._find_vanished(CHANGED, lambda digest: digest.rpartition(" ")[0], lambda entry: True)
            self._find_similar(is_renamed)
        return [self.matches.get(number) or self._new(number, entry) for number, entry in enumerate(self.entries)]

    def _open(self):
        return [(number, entry) for number, entry in enumerate(self.entries) if number not in self.matches]

    def _set(self, number, entry, kind, known):
        self.matches[number] = Match(entry, kind, known)
        self.used.add(known.identifier)
        self.given.add(entry.identifier)

    # -------------------------------------------------------------------------
    # BY ID
    # -------------------------------------------------------------------------

    def _find_same(self):
        """Id and content are unchanged."""
        for number, entry in enumerate(self.entries):
            if known := self._same(entry.identifier, entry):
                self._set(number, entry, SAME, known)
            elif known := self._same(entry.shared_identifier, entry):
                self._set(number, entry.shared(), SAME, known)

    def _same(self, identifier, entry):
        known = self.by_identifier.get(identifier)
        is_same = known and known.identifier not in self.used and known.digest in (entry.digest, None)
        return known if is_same else None

    def _find_changed(self):
        """The id is unchanged, the content is not. That is a change only if the old content has vanished."""
        by_id = defaultdict(list)
        for known in self.by_identifier.values():
            by_id[bank_id(known.identifier)].append(known)
        shown = Counter(entry.identifier for entry in self.entries)
        for number, entry in self._open():
            known = self.by_identifier.get(entry.identifier)
            known = known if known and known.identifier not in self.used else None
            if known and self._may_have_changed(known, entry) and not self._comes_again(known, entry):
                self._set(number, entry, CHANGED, known)
                continue
            # Why by amount: an id that is repeated with another amount belongs to something else, such as a tax.
            alike = [
                one
                for one in by_id[entry.identifier]
                if one.identifier not in self.used and one.digest and one.money == money(entry.digest)
            ]
            is_shared = len(by_id[entry.identifier]) > 1 or shown[entry.identifier] > 1
            if is_shared:
                # Why: of several transactions under one id, only vanished ones can have moved.
                vanished = [one for one in alike if self._has_vanished(one)]
                self._doubt(number, entry, alike)
                alike = vanished if len(vanished) == 1 else []
            elif alike and self._comes_again(alike[0], entry):
                if alike[0].kind in ("line", "deleted"):
                    self.similar[number] = alike[0]
                alike = []
            if alike:
                self._set(number, entry if alike[0] is known else self._distinct(entry), CHANGED, alike[0])

    def _doubt(self, number, entry, alike):
        lines = [one for one in alike if one.kind == "line" and abs(one.day - entry.transaction.booking_date) <= NEAR]
        if lines:
            self.similar[number] = lines[-1]

    def _may_have_changed(self, known, entry):
        return not self.first_day or self._is_covered(known) or self._has_only_moved(known, entry)

    def _has_only_moved(self, known, entry):
        """Whether it moved to a later day and was the first of the window, which therefore begins later."""
        return bool(self.since and known.digest and known.day >= self.since and known.money == money(entry.digest))

    def _comes_again(self, known, entry):
        """Whether the id names another payment now. A list of changes is clear: it names what it changes."""
        if not self.first_day or not known.digest or known.is_withdrawn or known.identifier in self.removed:
            return False
        return not self._is_covered(known) and entry.transaction.booking_date - known.day >= AGAIN

    # -------------------------------------------------------------------------
    # BY CONTENT
    # -------------------------------------------------------------------------

    def _find_shifted(self):
        """All dates have changed, as with another provider or another kind of date."""
        gone = self._gone()
        if not gone:
            return
        come = [
            (number, entry)
            for number, entry in self._open()
            if entry.identifier not in self.by_identifier and entry.transaction.booking_date
        ]
        shift = find_shift(self._things(gone, texts=False), self._come(come), self.since or date.min)
        if not shift:
            return
        for one, other in pair_shifted(self._things(gone), self._come(come), shift):
            known, entry = self.by_identifier[one.key], self.entries[other.key]
            kind = MOVED if known.digest == entry.digest else CHANGED if one.day == other.day else SHIFTED
            self._set(other.key, self._distinct(entry), kind, known)

    def _find_vanished(self, kind, key, may_be):
        """Match vanished ones with similar new ones: the same transaction under two ids."""
        gone = group([known for known in self._gone() if self._has_vanished(known)], lambda known: key(known.digest))
        if not gone:
            return
        come = group([both for both in self._open() if may_be(both[1])], lambda both: key(both[1].digest))
        pairs = [(gone[same], come[same]) for same in gone if same in come]
        # Why only these: most days have one transaction of an amount, so the bank's texts need not be read.
        unclear = [known for knowns, others in pairs for known in knowns if len(knowns) > 1 or len(others) > 1]
        texts = self._texts(unclear) if kind == CHANGED else {}
        for knowns, others in pairs:
            for one, other in pair([self._thing(known, texts) for known in knowns], self._come(others)):
                entry = self._distinct(self.entries[other.key])
                self._set(other.key, entry, kind, self.by_identifier[one.key])

    def _find_similar(self, is_renamed):
        """Find vanished ones that are similar to new ones, about which the user is asked.

        :param is_renamed: no id is recognized, so that equal amounts on several days are ambiguous
        """
        gone = [known for known in self._gone() if known.kind in ("line", "deleted")]
        if not gone:
            return
        come = [(number, entry) for number, entry in self._open() if number not in self.similar]
        amounts = {money(entry.digest) for _number, entry in come}
        gone = [known for known in gone if known.money in amounts]
        things, others = self._things(gone), self._come(come)
        for one, other in nearest(things, others, timedelta.max if is_renamed else NEAR):
            self.similar[other.key] = self.by_identifier[one.key]

    def _gone(self):
        """:return: list of :class:`Known` that have vanished, or may have"""
        return [
            known
            for known in self.by_identifier.values()
            if known.digest
            and known.identifier not in self.used
            and (self._has_vanished(known) or self._may_have_vanished(known))
        ]

    def _has_vanished(self, known):
        if known.identifier in self.removed:
            return True
        return known.identifier not in self.reported and self.first_day is not None and self._is_covered(known)

    def _may_have_vanished(self, known):
        """Whether it is of the days just before the window, or the bank has withdrawn it earlier."""
        if known.identifier in self.reported:
            return False
        return known.is_withdrawn or (
            self.first_day is not None and min(self.first_day, self.since or date.max) - NEAR <= known.day
        )

    def _is_covered(self, known):
        return bool(known.digest) and known.day >= self.first_day

    def _things(self, knowns, texts=True):
        texts = self._texts(knowns) if texts else {}
        return [self._thing(known, texts) for known in knowns]

    def _thing(self, known, texts):
        return Thing(
            known.identifier,
            known.day,
            known.money,
            texts.get(known.identifier),
            may_be=not self._has_vanished(known),
            is_requested=self.since is None or known.day >= self.since or known.identifier in self.removed,
        )

    def _texts(self, knowns):
        found = self.contents(knowns) if knowns else {}
        return {identifier: Texts.of(transaction) for identifier, transaction in found.items()}

    def _come(self, numbered):
        return [
            Thing(number, entry.transaction.booking_date, money(entry.digest), Texts.of(entry.transaction))
            for number, entry in numbered
        ]

    def _new(self, number, entry):
        entry = self._distinct(entry)
        self.given.add(entry.identifier)
        return Match(entry, NEW, similar=self.similar.get(number))

    def _distinct(self, entry):
        """If its id is already used by another transaction, the content is added to the identifier."""
        taken = entry.identifier in self.by_identifier or entry.identifier in self.given
        return entry.shared() if taken else entry
