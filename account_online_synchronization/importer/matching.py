"""Which of the bank's transactions are known already, whatever the bank did to their ids or texts since."""

from collections import defaultdict
from typing import NamedTuple

from .identity import Entry

SAME, MOVED, CHANGED, NEW = "same", "moved", "changed", "new"


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


class Match(NamedTuple):
    """An entry, with its final identifier, and what it is.

    ``same``: nothing to do · ``moved``: the same content under a new id · ``changed``: other content, perhaps under a
    new id, too · ``new``: ``known`` is None.
    """

    entry: Entry
    kind: str
    known: Known | None = None


def match(entries, stored, first_day=None, removed=frozenset(), since=None):
    """Compare a window with what is stored. What is certain comes first; each stored thing is matched once.

    :param entries: list of :class:`~.identity.Entry`
    :param stored: list of :class:`Known`: all with one of the entries' identifiers, and all of the window's days
    :param date first_day: from this day on the window is complete, so that what it does not show has vanished.
        None for a window that holds changes only.
    :param removed: identifiers that the bank says are gone
    :param date since: first day that was asked for. From there to ``first_day`` the bank shows nothing, because there
        is nothing or because it does not reach as far back.
    :return: list of :class:`Match`, in the order of the entries
    """
    return _Matching(entries, stored, first_day, removed, since).run()


class _Matching:
    def __init__(self, entries, stored, first_day, removed, since):
        self.entries = entries
        # Why sorted: where a line and something beside the books have one identifier, the line counts.
        in_order = sorted(stored, key=lambda known: known.kind == "line")
        self.by_identifier = {known.identifier: known for known in in_order}
        self.first_day = first_day and first_day.isoformat()
        self.since = since and since.isoformat()
        self.removed = removed
        self.reported = {entry.identifier for entry in entries} | {entry.shared().identifier for entry in entries}
        self.matches = {}
        self.used = set()
        self.given = set()

    def run(self):
        self._find_same()
        if len(self.matches) < len(self.entries):
            # Why these only: another content under a known id is a change of what has that id, if it can be.
            self._find_vanished(MOVED, lambda digest: digest, lambda entry: entry.identifier not in self.by_identifier)
            self._find_changed()
            # Why last: the same day and amount are weak evidence, so everything stronger goes before.
            self._find_vanished(CHANGED, lambda digest: digest.rpartition(" ")[0], lambda entry: True)
        return [self.matches.get(number) or self._new(entry) for number, entry in enumerate(self.entries)]

    def _open(self):
        return [(number, entry) for number, entry in enumerate(self.entries) if number not in self.matches]

    def _set(self, number, entry, kind, known):
        self.matches[number] = Match(entry, kind, known)
        self.used.add(known.identifier)
        self.given.add(entry.identifier)

    def _find_same(self):
        """Id and content are as they were."""
        for number, entry in enumerate(self.entries):
            for candidate in (entry, entry.shared()):
                known = self.by_identifier.get(candidate.identifier)
                if known and known.identifier not in self.used and known.digest in (entry.digest, None):
                    self._set(number, candidate, SAME, known)
                    break

    def _find_changed(self):
        """The id is as it was, the content is not. That is a change only where the old content is gone."""
        for number, entry in self._open():
            known = self.by_identifier.get(entry.identifier)
            if not known or known.identifier in self.used:
                continue
            if not self.first_day or self._is_covered(known) or self._has_only_moved(known, entry):
                self._set(number, entry, CHANGED, known)

    def _has_only_moved(self, known, entry):
        """To a later day, and was the first of the window: it is not to be seen any more where it was."""
        return bool(
            self.since
            and known.digest
            and known.digest >= self.since
            and known.digest.split(" ")[1:3] == entry.digest.split(" ")[1:3]
        )

    def _find_vanished(self, kind, key, may_be):
        """What is no longer shown, and something alike that has just appeared, are one transaction under two ids."""
        vanished = defaultdict(list)
        for known in self.by_identifier.values():
            if known.digest and known.identifier not in self.used and self._has_vanished(known):
                vanished[key(known.digest)].append(known)
        for number, entry in self._open():
            if vanished[key(entry.digest)] and may_be(entry):
                self._set(number, self._distinct(entry), kind, vanished[key(entry.digest)].pop(0))

    def _has_vanished(self, known):
        if known.identifier in self.removed:
            return True
        return known.identifier not in self.reported and self.first_day is not None and self._is_covered(known)

    def _is_covered(self, known):
        return bool(known.digest) and known.digest >= self.first_day

    def _new(self, entry):
        entry = self._distinct(entry)
        self.given.add(entry.identifier)
        return Match(entry, NEW)

    def _distinct(self, entry):
        """Where its id names another transaction already, the content goes into the identifier."""
        taken = entry.identifier in self.by_identifier or entry.identifier in self.given
        return entry.shared() if taken else entry
