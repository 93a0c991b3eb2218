"""Which of the bank's transactions are known already, whatever the bank did to their ids, days or texts since.

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

An id is stronger than a day, equal content is stronger than equal amounts:

>>> compare(("A", 4, "-9"), ("B", 9, "-7"), ("NEW", 7, "-5"))
[('same', 0, None), ('changed', 1, None), ('moved', 2, None)]

A whole window that shifts is certain, one payment that may have moved is a question:

>>> compare(("X", 5, "-9"), ("Y", 7, "-7"), ("Z", 8, "-5"))
[('shifted', 0, None), ('shifted', 1, None), ('shifted', 2, None)]
>>> compare(("A", 4, "-9"), ("B", 6, "-7"), ("NEW", 8, "-5"))
[('same', 0, None), ('same', 1, None), ('new', None, 2)]
"""

import functools
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from .identity import Entry, bank_id
from .likeness import NEAR, Texts, Thing, find_shift, group, nearest, pair, pair_shifted

SAME, MOVED, CHANGED, SHIFTED, NEW = "same", "moved", "changed", "shifted", "new"


class Known(NamedTuple):
    """Something stored for the account: a statement line, or a transaction that is none for a reason.

    ``kind`` is ``line``, or the state of what is no line; ``elsewhere`` is what a user deleted from another journal.
    ``digest`` is None where it was stored before digests were; such a thing is recognised by its identifier only.
    """

    kind: str
    record_id: int
    identifier: str
    digest: str | None
    reason: str | None = None
    #: The bank has withdrawn it, and the line stayed because somebody has worked with it.
    is_withdrawn: bool = False
    #: The bank showed it as booked before its day.
    was_future: bool = False
    #: Of what is pending because of its day: the line that it may be.
    similar_id: int | None = None

    @property
    def day(self):
        return date.fromisoformat(self.digest[:10])

    @property
    def money(self):
        """Amount and currency."""
        return money(self.digest)


class Match(NamedTuple):
    """An entry, with its final identifier, and what it is.

    ``same``: nothing to do · ``moved``: the same content under a new id · ``changed``: other content, perhaps under a
    new id, too · ``shifted``: the bank dates all transactions otherwise than before · ``new``: ``known`` is None, and
    ``similar`` is the line that it may be, but not for certain, or what a user has deleted.
    """

    entry: Entry
    kind: str
    known: Known | None = None
    similar: Known | None = None


def money(digest):
    """Amount and currency, as a digest has them.

    >>> money("2026-05-20 -12.3 EUR 0f5c")
    '-12.3 EUR'
    """
    return " ".join(digest.split(" ")[1:3])


def match(entries, stored, first_day=None, removed=frozenset(), since=None, contents=None):
    """Compare a window with what is stored. What is certain comes first; each stored thing is matched once.

    :param entries: list of :class:`~.identity.Entry`
    :param stored: list of :class:`Known`: all with one of the entries' identifiers, and all of the window's days
    :param date first_day: from this day on the window is complete, so that what it does not show has vanished.
        None for a window that holds changes only.
    :param removed: identifiers that the bank says are gone
    :param date since: first day that was asked for. From there to ``first_day`` the bank shows nothing, because there
        is nothing or because it does not reach as far back.
    :param contents: function from a list of :class:`Known` to a dict from their identifiers to what the bank said last,
        :class:`~..client.messages.Transaction`; called where only texts tell equal ones apart
    :return: list of :class:`Match`, in the order of the entries
    """
    return _Matching(entries, stored, first_day, removed, since, contents or (lambda knowns: {})).run()


class _Matching:
    def __init__(self, entries, stored, first_day, removed, since, contents):
        self.entries = entries
        # Why sorted: the order of rows says nothing, and where a line and something beside the books have one
        # identifier, the line counts.
        in_order = sorted(stored, key=lambda known: (known.kind == "line", known.record_id))
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
        """Why not at once: where all is as it was, nobody asks."""
        return {name for entry in self.entries for name in (entry.identifier, entry.shared_identifier)}

    def run(self):
        self._find_same()
        if len(self.matches) < len(self.entries):
            # Why not by the matches alone: where nothing is known of the window's days, no id can have changed.
            is_renamed = not self.matches and any(self._has_vanished(known) for known in self._gone())
            self._find_shifted()
            # Why these only: another content under a known id is a change of what has that id, if it can be.
            self._find_vanished(MOVED, lambda digest: digest, lambda entry: entry.identifier not in self.by_identifier)
            self._find_changed()
            is_renamed = is_renamed and not any(one.kind == CHANGED for one in self.matches.values())
            # Why last: the same day and amount are weak evidence, so everything stronger goes before.
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
        """Id and content are as they were."""
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
        """The id is as it was, the content is not. That is a change only where the old content is gone."""
        by_id = defaultdict(list)
        for known in self.by_identifier.values():
            by_id[bank_id(known.identifier)].append(known)
        shown = Counter(entry.identifier for entry in self.entries)
        for number, entry in self._open():
            known = self.by_identifier.get(entry.identifier)
            if known and known.identifier not in self.used and self._may_have_changed(known, entry):
                self._set(number, entry, CHANGED, known)
                continue
            # Why by amount: an id that comes again with another one names something else, such as a tax.
            alike = [
                one
                for one in by_id[entry.identifier]
                if one.identifier not in self.used and one.digest and one.money == money(entry.digest)
            ]
            is_shared = len(by_id[entry.identifier]) > 1 or shown[entry.identifier] > 1
            if is_shared:
                # Why: of several transactions under one id only what is no longer shown can have moved.
                vanished = [one for one in alike if self._has_vanished(one)]
                self._doubt(number, entry, alike)
                alike = vanished if len(vanished) == 1 else []
            if alike:
                self._set(number, entry if alike[0] is known else self._distinct(entry), CHANGED, alike[0])

    def _doubt(self, number, entry, alike):
        lines = [one for one in alike if one.kind == "line" and abs(one.day - entry.transaction.booking_date) <= NEAR]
        if lines:
            self.similar[number] = lines[-1]

    def _may_have_changed(self, known, entry):
        return not self.first_day or self._is_covered(known) or self._has_only_moved(known, entry)

    def _has_only_moved(self, known, entry):
        """To a later day, and was the first of the window: it is not to be seen any more where it was."""
        return bool(self.since and known.digest and known.day >= self.since and known.money == money(entry.digest))

    # -------------------------------------------------------------------------
    # BY CONTENT
    # -------------------------------------------------------------------------

    def _find_shifted(self):
        """The bank dates everything otherwise than before: another provider, or another kind of day."""
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
        """What is no longer shown, and something alike that has just appeared, are one transaction under two ids."""
        gone = group([known for known in self._gone() if self._has_vanished(known)], lambda known: key(known.digest))
        if not gone:
            return
        come = group([both for both in self._open() if may_be(both[1])], lambda both: key(both[1].digest))
        pairs = [(gone[same], come[same]) for same in gone if same in come]
        # Why only these: most days hold one of an amount, and need nobody to read what the bank said.
        unclear = [known for knowns, others in pairs for known in knowns if len(knowns) > 1 or len(others) > 1]
        texts = self._texts(unclear) if kind == CHANGED else {}
        for knowns, others in pairs:
            for one, other in pair([self._thing(known, texts) for known in knowns], self._come(others)):
                entry = self._distinct(self.entries[other.key])
                self._set(other.key, entry, kind, self.by_identifier[one.key])

    def _find_similar(self, is_renamed):
        """One gone and one come, nearly alike: a question for a person.

        :param is_renamed: nothing is recognised by its id, so that of equal amounts on many days nobody knows which are
            one
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
        """:return: list of :class:`Known` that are not shown any more, or may not be"""
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
        """It is of the days just before the window, or the bank has withdrawn it some time ago."""
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
            is_asked=self.since is None or known.day >= self.since or known.identifier in self.removed,
        )

    def _texts(self, knowns):
        found = self.contents(knowns) if knowns else {}
        return {identifier: Texts.of(transaction) for identifier, transaction in found.items()}

    def _come(self, numbered):
        return [
            Thing(number, entry.transaction.booking_date, money(entry.digest), Texts.of(entry.transaction))
            for number, entry in numbered
        ]

    # -------------------------------------------------------------------------
    # NEW
    # -------------------------------------------------------------------------

    def _new(self, number, entry):
        entry = self._distinct(entry)
        self.given.add(entry.identifier)
        return Match(entry, NEW, similar=self.similar.get(number))

    def _distinct(self, entry):
        """Where its id names another transaction already, the content goes into the identifier."""
        taken = entry.identifier in self.by_identifier or entry.identifier in self.given
        return entry.shared() if taken else entry
