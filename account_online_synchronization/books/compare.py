"""Compares the bank's transactions with the journal, in both directions. It only reads.

:func:`~..sync.decide.decide` decides what is missing and why, exactly as an import of the same window would; this
module only names the reasons.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ..sync.decide import ADOPT, DELETED, HELD, LEFT_OUT, decide
from ..sync.matching import NEW, SAME
from .read import Books

#: Reasons of missing transactions that can be imported; those that are ``locked`` or ``unreadable`` can't.
IMPORTABLE = ("next", "unseen", "similar", "before_start", "deleted", "parked")


class Missing(NamedTuple):
    """A booked transaction that is not a line of the journal.

    ``entry`` is None if the bank's message can't be read; ``kept`` is its ``account.online.transaction``, if any;
    ``details`` is an error message from elsewhere, such as Odoo's refusal.
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

    ``shown`` counts the booked transactions of the range, ``known`` those that the journal has, ``alike`` those of the
    known that are lines of another origin and have not been adopted yet.
    """

    missing: list
    pending: list
    gone: object
    shown: int
    known: int
    alike: int


def compare(account, window, first_day, last_day):
    """
    :param account: ``account.online.account`` with a journal
    :param window: :class:`~..sync.decide.Window` of all that the bank shows
    :param date first_day: earlier transactions are ignored; some providers return more than was requested
    :param date last_day: later transactions are ignored; requests have no last day
    :return: :class:`Comparison`
    """
    return _Comparing(account, window, first_day, last_day).run()


class _Comparing:
    def __init__(self, account, window, first_day, last_day):
        self.account, self.window = account, window
        self.first_day, self.last_day = first_day, last_day
        self.books = Books(account, window)
        self.policy = self.books.policy

    def run(self):
        decisions = decide(self.window, self.policy, self.books)
        in_range = [one for one in decisions if not one.is_retried and self._is_in_range(one.entry.transaction)]
        shown = [one for one in in_range if one.outcome != HELD]
        adopted = [one for one in shown if one.outcome == ADOPT]
        known = [one for one in shown if one.is_line]
        left = [one for one in shown if not one.is_line and one.outcome != ADOPT]
        left.sort(key=lambda one: self.policy.line_date(one.entry.transaction))
        return Comparison(
            missing=[self._describe(one) for one in left] + self._unreadable(),
            pending=self._pending(decisions),
            gone=self._gone(decisions.gone),
            shown=len(shown),
            known=len(known) + len(adopted),
            alike=len(adopted),
        )

    def _is_in_range(self, transaction):
        return self.first_day <= transaction.booking_date <= self.last_day

    def _pending(self, decisions):
        """Pending transactions and those with a day in the future, if the chosen range includes today."""
        held = [one.entry.transaction for one in decisions if one.outcome == HELD and not one.is_retried]
        announced = [one for one in self.window.pending if not one.booking_date or one.booking_date <= self.last_day]
        return announced + (held if self.last_day >= self.policy.seen_on else [])

    def _gone(self, known):
        """Lines that the bank does not show, on days that it shows completely. They are only listed."""
        ids = [one.record_id for one in known if self.first_day <= one.day <= self.last_day]
        return self.books.Line.browse(ids).exists().sorted("internal_index")

    def _describe(self, decision):
        known = decision.known
        kept = self.books.Transaction.browse(known.record_id if known else [])
        # Why returning ones, too: their account was deleted, so restoring them links them to this one.
        is_changed = decision.change not in (NEW, SAME) or decision.is_returning
        reason = self._reason(decision, kept)
        details = (kept.reason or "") if reason in ("deleted", "parked") else ""
        return Missing(decision.entry.identifier, decision.entry, reason, kept, is_changed, details)

    def _reason(self, decision, kept):
        """The reason that names a decision."""
        if decision.is_locked:
            return "locked"
        if decision.outcome == DELETED:
            return "deleted"
        if decision.outcome == LEFT_OUT:
            return decision.reason
        if kept.state == "parked":
            return "parked"
        if decision.similar_line_id or decision.may_be_deleted:
            return "similar"
        day = decision.entry.transaction.booking_date
        since = self.account._plan_fetch().since
        if not since or day >= since:
            return "next"
        return "before_start" if self.policy.start_date and day < self.policy.start_date else "unseen"

    def _unreadable(self):
        say = self.account.env["account.online.service"]._translate
        return [
            Missing(identifier, None, "unreadable", self.books.Transaction, details=say(reason), message=message)
            for identifier, reason, message in self.window.unreadable
        ]
