"""Transactions without a line: pending, parked, left out, deleted (``account.online.transaction``)."""

from odoo import fields

from ..sync.decide import FUTURE
from ..sync.identity import Entry, digest
from ..sync.matching import AGAIN
from . import locks


class Kept:
    """
    :param account: ``account.online.account`` with a journal
    :param policy: :class:`~..sync.decide.Policy`
    """

    def __init__(self, account, policy):
        self.account, self.policy, self.env = account, policy, account.env
        self.Transaction = self.env["account.online.transaction"]

    def retried(self):
        """:return: list of :class:`~..sync.identity.Entry` to retry: parked ones, those that are no longer locked, and
        those that an earlier start date now includes
        """
        kept = self.Transaction.search(
            [("account_online_account_id", "=", self.account.id), ("state", "in", ("parked", "left_out"))]
        )
        locked = locks.locked_days(self.account.journal_ids, kept.mapped("date"))
        start = self.policy.start_date
        return [
            entry
            for one in kept
            if one.state == "parked"
            or (one.reason_code == "locked" and one.date not in locked)
            or (one.reason_code == "before_start" and not (start and one.date < start))
            if (entry := one._entry())
        ]

    def values(self, entry):
        """Values of the record for a transaction without a statement line, except state and reason.

        :param entry: :class:`~..sync.identity.Entry`
        """
        transaction = entry.transaction
        return {
            "account_online_account_id": self.account.id,
            "journal_id": self.account.journal_ids.id,
            "online_transaction_identifier": entry.identifier,
            "online_transaction_digest": entry.digest,
            "transaction_details": transaction.raw,
            "date": transaction.booking_date and self.policy.line_date(transaction),
            "amount": float(transaction.amount * self.policy.sign),
            "payment_ref": transaction.label,
            "partner_name": transaction.counterparty_name,
        }

    def unreadable_values(self, identifier, reason, message):
        return {
            "account_online_account_id": self.account.id,
            "journal_id": self.account.journal_ids.id,
            "state": "parked",
            "reason_code": "parked",
            "reason": reason[:500],
            "online_transaction_identifier": identifier,
            "transaction_details": message,
            "payment_ref": self.env._("Unreadable"),
        }

    def keep_pending(self, window, held=()):
        """Store pending transactions. A full window replaces the stored ones, a list of changes adds to them.

        :param held: list of :class:`~..sync.decide.Decision` on booked transactions with a day in the future
        """
        account = self.account
        shown = {one.entry.identifier: (one.entry, FUTURE, one.similar_line_id) for one in held}
        shown = {**{entry.identifier: (entry, False, None) for entry in self._announced(window)}, **shown}
        # Why the count: only this method stores pending ones, so if it counted none there are none to delete.
        if not shown and not account.pending_count:
            return
        known = self.Transaction.search([("account_online_account_id", "=", account.id), ("state", "=", "pending")])
        contents = {identifier: (entry.digest, reason) for identifier, (entry, reason, _similar) in shown.items()}
        same = known.filtered(
            lambda one: (
                contents.get(one.online_transaction_identifier) == (one.online_transaction_digest, one.reason_code)
            )
        )
        gone = known - same
        if window.is_delta:
            over = {*self._booked_ids(window), *window.removed, *shown}
            gone = gone.filtered(lambda one: one.online_transaction_identifier in over)
        for identifier in same.mapped("online_transaction_identifier"):
            del shown[identifier]
        kept = known - gone
        gone.unlink()
        for identifier in self._lines_among(shown):
            # Why: it would count twice, in the journal and beside it.
            del shown[identifier]
        kept += self.Transaction.create(
            [
                {**self.values(entry), "state": "pending", "reason_code": reason, "similar_line_id": similar}
                for entry, reason, similar in shown.values()
            ]
        )
        values = {"pending_count": len(kept), "pending_amount": sum(kept.mapped("amount"))}
        if any(account[name] != value for name, value in values.items()):
            account.write(values)

    def _lines_among(self, shown):
        """:return: list of the identifiers that are lines: the bank reports as pending what it has booked before. Weeks
        later the same id names another transaction, see :data:`~..sync.matching.AGAIN`.
        """
        if not shown:
            return []
        Line = self.env["account.bank.statement.line"]
        names = [
            ("online_account_id", "=", self.account.id),
            ("online_transaction_identifier", "in", [*shown]),
        ]
        return [
            line.online_transaction_identifier
            for line in Line.search(names)
            if not self._is_another(line, shown[line.online_transaction_identifier][0].transaction.booking_date)
        ]

    @staticmethod
    def _is_another(line, day):
        booked = line.online_transaction_digest and fields.Date.to_date(line.online_transaction_digest[:10])
        return bool(day and booked) and day - booked >= AGAIN

    def _announced(self, window):
        """Yield an entry for each pending transaction that is not booked in the same window."""
        booked = self._booked_ids(window)
        for number, transaction in enumerate(window.pending):
            if not transaction.id or transaction.id not in booked:
                content = digest(transaction)
                yield Entry(transaction.id or f"pending:{content}:{number}", content, transaction)

    @staticmethod
    def _booked_ids(window):
        return {name for transaction in window.booked for name in (transaction.id, transaction.pending_id)}
