"""What the bank shows and the journal does not have, and the other way round. It only reads.

It asks the same questions as :mod:`.storing`: what is a transaction recognised by, is it known, is it a line that was
typed. So what is called missing here is what an import would make a new line of, and nothing else.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from .adoption import Wanted, adopt
from .identity import identify
from .matching import NEW, SAME, match
from .storing import Storing

#: Why something is missing. What is in the first tuple can be imported, the rest can only be seen.
IMPORTABLE = ("next", "unseen", "similar", "before_start", "deleted", "parked")
REASONS = (*IMPORTABLE, "locked", "unreadable")


class Missing(NamedTuple):
    """A booked transaction that is no line of the journal.

    ``entry`` is None where the bank's message can't be read; ``kept`` is the ``account.online.transaction`` that tells
    of it, if any; ``details`` is a sentence of somebody else, such as Odoo's refusal.
    """

    key: str
    entry: object
    reason: str
    kept: object
    is_changed: bool = False
    details: str = ""
    message: dict | None = None

    @property
    def is_importable(self):
        return self.reason in IMPORTABLE


@dataclass
class Comparison:
    """``missing`` is in booking order; ``gone`` are statement lines that the bank no longer shows.

    ``shown`` counts the booked transactions of the range, ``known`` those of them that the journal has, ``alike`` those
    of the known that stand there as lines of another origin, not yet recognised as the bank's.
    """

    missing: list
    pending: list
    gone: object
    shown: int
    known: int
    alike: int


def compare(account, window, last_day):
    """
    :param account: ``account.online.account`` with a journal
    :param window: :class:`~.storing.Window` of all that the bank shows since its first day
    :param date last_day: the bank has no end for its answers, so what is later is left out here
    :return: :class:`Comparison`
    """
    return _Comparing(account, window, last_day).run()


class _Comparing:
    def __init__(self, account, window, last_day):
        self.account, self.window, self.last_day = account, window, last_day
        # Why without a run: of its methods only those are called that read.
        self.storing = Storing(account, None, window)
        self.journal = account.journal_ids

    def run(self):
        entries = identify(self.window.booked)
        names = [name for entry in entries for name in (entry.identifier, entry.shared().identifier)]
        stored = self.storing._stored(names)
        matches = match(entries, stored, self.window.first_day, since=self.window.since)
        # Why the first day, too: some providers answer more than the question.
        in_range = [found for found in matches if self._is_in_range(found.entry.transaction.booking_date)]
        is_line = [found.kind != NEW and found.known.kind == "line" for found in in_range]
        left = [found for found, known in zip(in_range, is_line, strict=True) if not known]
        left, similar, alike = self._without_lines_of_others(left)
        missing = [self._explain(found, similar) for found in left]
        known = sum(is_line) + alike
        missing.sort(key=lambda one: self.account._line_date(one.entry.transaction))
        return Comparison(
            missing=missing + self._unreadable(),
            pending=[one for one in self.window.pending if not one.booking_date or one.booking_date <= self.last_day],
            gone=self._gone(stored, {found.known.identifier for found in matches if found.known}),
            shown=len(in_range),
            known=known,
            alike=alike,
        )

    def _is_in_range(self, day):
        return (not self.window.since or self.window.since <= day) and day <= self.last_day

    # -------------------------------------------------------------------------
    # WHAT THE JOURNAL HAS
    # -------------------------------------------------------------------------

    def _without_lines_of_others(self, matches):
        """Take out what is certainly a line that was typed, or came in a file or by another connection.

        :return: the matches that are left, identifiers of those that have similar lines, and how many were taken out
        """
        deleted = self._deleted()
        asked = [found for found in matches if not self._is_deleted(found, deleted)]
        sign = self.account._transaction_sign()
        wanted = [
            Wanted(
                found.entry.identifier,
                self.account._line_date(found.entry.transaction),
                self.storing._exact(found.entry.transaction.amount * sign),
                found.entry.digest,
            )
            for found in asked
        ]
        adopted, similar = adopt(wanted, self.storing._candidates(wanted) if wanted else [])
        left = [found for found in matches if found.entry.identifier not in adopted]
        return left, similar, len(adopted)

    def _gone(self, stored, matched):
        """Lines of days that the bank tells completely, and it does not tell of them. Nothing follows from that."""
        first = self.window.first_day
        if not first:
            return self.storing.Line
        days = (first.isoformat(), self.last_day.isoformat())
        ids = [
            known.record_id
            for known in stored
            if known.kind == "line"
            and known.identifier not in matched
            and known.digest
            and days[0] <= known.digest[:10] <= days[1]
        ]
        return self.storing.Line.browse(ids).exists().sorted("internal_index")

    # -------------------------------------------------------------------------
    # WHY SOMETHING IS MISSING
    # -------------------------------------------------------------------------

    def _kept(self, found):
        return self.storing.Transaction.browse(found.known.record_id if found.known else [])

    def _deleted(self):
        """What users deleted from the journal when another connection brought it: how many of each content."""
        if not hasattr(self, "_deleted_before"):
            beside = self.storing.Transaction.search(
                [("account_online_account_id", "=", False), ("journal_id", "=", self.journal.id)]
            )
            self._deleted_before = Counter(filter(None, beside.mapped("online_transaction_digest")))
        return self._deleted_before

    def _is_deleted(self, found, deleted):
        kept = self._kept(found)
        if kept:
            return kept.state == "deleted" and kept.journal_id == self.journal
        return bool(deleted[found.entry.digest])

    def _explain(self, found, similar):
        entry, kept, details = found.entry, self._kept(found), ""
        day = self.account._line_date(entry.transaction)
        if self.journal.company_id._get_violated_lock_dates(day, False, self.journal):
            reason = "locked"
        elif self._is_deleted(found, self._deleted()):
            reason, details = "deleted", kept.reason or ""
        elif kept.state == "parked":
            reason, details = "parked", kept.reason or ""
        elif entry.identifier in similar:
            reason = "similar"
        elif self.account.start_date and entry.transaction.booking_date < self.account.start_date:
            reason = "before_start"
        else:
            reason = "next" if self._comes_next(entry.transaction) else "unseen"
        return Missing(entry.identifier, entry, reason, kept, found.kind not in (NEW, SAME), details)

    def _comes_next(self, transaction):
        """Whether the next synchronization asks for its day."""
        account = self.account
        if not account.last_sync:
            return True
        return transaction.booking_date >= account.last_sync - timedelta(days=account._overlap_days())

    def _unreadable(self):
        return [
            Missing(identifier, None, "unreadable", self.storing.Transaction, details=reason, message=message)
            for identifier, reason, message in self.window.unreadable
        ]
