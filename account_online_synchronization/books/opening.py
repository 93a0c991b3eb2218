"""The opening balance of a journal, computed from the bank's balance.

The bank reports its booked balance at the end of one day. All transactions booked between the beginning of the journal
and that day are subtracted from it, whether they are lines, parked, left out, deleted by a user or lines of another
journal. Without a booked balance, or with an unreadable amount among them, the opening balance is unknown: the first
statement is marked (``online_start_unknown``), no statement of the journal is complete, and each run tries again.
"""

from datetime import timedelta
from decimal import Decimal

from ..sync.beginning import Row, start_of
from ..sync.identity import LEGACY, OPENING
from . import statements
from .read import policy_of


class Beginning:
    """The opening balance of one journal.

    :param account: ``account.online.account`` with a journal
    """

    def __init__(self, account):
        self.account, self.env, self.journal = account, account.env, account.journal_ids
        self.Line = self.env["account.bank.statement.line"]
        self.Transaction = self.env["account.online.transaction"]

    def doubt(self):
        """Mark the opening balance as unknown if an older day was loaded that contains an unreadable transaction."""
        first = statements.first_statement(self.journal)
        begins_here = first.online_period_start and first.line_ids.online_account_id == self.account
        if begins_here and any(row.amount is None for row in self._rows_beside(first.online_period_start)):
            first.online_start_unknown = True
            statements.settle(self.journal, first, first.online_period_start)

    def settle(self):
        """Write the start balance of the first statement as soon as it is known."""
        waiting = statements.of_unknown_start(self.journal)
        if not waiting:
            return
        first = statements.first_statement(self.journal)
        day = statements.first_day(first)
        start = self._start(first.first_line_index, day)
        if start is None:
            if day:
                # Why: users may have deleted lines of an incomplete statement, which does not update the next one.
                statements.settle(self.journal, first, day)
            return
        waiting.online_start_unknown = False
        # Why: the balance that is known now contains all transactions kept so far.
        late = [("account_online_account_id", "=", self.account.id), ("is_late", "=", True)]
        self.Transaction.search(late).is_late = False
        statements.settle(self.journal, first, day, float(start))

    def start(self):
        """:return: the opening balance, index and day of the journal's first line; None if not known"""
        unknown = None, None, None
        first = statements.first_statement(self.journal)
        if statements.of_unknown_start(self.journal):
            return unknown
        if first.online_period_start:
            day = statements.first_day(first)
            return (Decimal(str(first.balance_start)), first.first_line_index, day) if day else unknown
        line = self.Line.search(
            [
                ("journal_id", "=", self.journal.id),
                ("online_account_id", "=", self.account.id),
                ("online_transaction_identifier", "!=", OPENING),
                ("online_transaction_identifier", "not =like", f"{LEGACY}%"),
                ("state", "=", "posted"),
            ],
            order="internal_index",
            limit=1,
        )
        if first or not line:
            # Why not if a user created the first statement: its balance was entered by the user.
            return unknown
        start = self._start(line.internal_index, line.date)
        return unknown if start is None else (start, line.internal_index, line.date)

    def _start(self, index, day):
        account = self.account
        if not day or not account.balance_at:
            return None
        balance_day = account._balance_day()
        if balance_day < day and account.loaded_since and account.loaded_since > balance_day:
            # Not all days between the balance and the beginning were requested.
            return None
        rows = [*self._line_rows(index, day, balance_day), *self._rows_beside(day)]
        return start_of(Decimal(str(account._signed_balance())), balance_day, rows)

    def _line_rows(self, index, day, balance_day):
        """Lines of the account in any journal, and those that users typed in place of unreadable transactions."""
        self.Line.flush_model()
        self.env["account.move"].flush_model(["date", "state"])
        self.env.cr.execute(
            """
            SELECT COALESCE(SUM(amount) FILTER (WHERE is_inside AND day <= %(balance_day)s), 0),
                   COALESCE(SUM(amount) FILTER (WHERE NOT is_inside AND day > %(balance_day)s), 0)
              FROM (
                    SELECT line.amount,
                           -- A digest begins with the booking day; a line may have the value date.
                           COALESCE(substring(line.online_transaction_digest FROM '^[0-9]{4}-[0-9]{2}-[0-9]{2}'),
                                    move.date::text) AS day,
                           CASE WHEN line.journal_id = %(journal)s THEN line.internal_index >= %(index)s
                                ELSE move.date >= %(first_day)s END AS is_inside
                      FROM account_bank_statement_line line
                      JOIN account_move move ON move.id = line.move_id
                     WHERE move.state = 'posted'
                       AND (line.online_account_id = ANY(%(accounts)s)
                            OR (line.journal_id = %(journal)s AND line.online_account_id IS NULL
                                AND (%(with_typed)s OR line.online_transaction_identifier IS NOT NULL)))
                       AND line.online_transaction_identifier IS DISTINCT FROM %(opening)s
                   ) line
            """,
            {
                "accounts": (self.account | self._earlier_accounts()).ids,
                "journal": self.journal.id,
                "with_typed": self._has_dismissed(),
                "opening": OPENING,
                "index": index,
                "first_day": day,
                "balance_day": balance_day.isoformat(),
            },
        )
        inside, outside = (Decimal(str(amount)) for amount in self.env.cr.fetchone())
        return [Row(balance_day, inside), Row(balance_day + timedelta(days=1), outside, is_inside=False)]

    def _rows_beside(self, day):
        policy = policy_of(self.account)
        beside = self.Transaction.search(
            [
                ("account_online_account_id", "=", self.account.id),
                ("state", "in", ("parked", "left_out", "deleted")),
            ]
        )
        for one in beside:
            entry = one._entry()
            if entry:
                line_day = policy.line_date(entry.transaction)
                amount = entry.transaction.amount * policy.sign
                # Why never inside before the start date: the user excluded these days from the journal.
                is_inside = line_day >= day and one.reason_code != "before_start"
                yield Row(entry.transaction.booking_date, amount, is_inside)
            elif one.state == "parked" and self._is_booked(one):
                yield Row(None, None)

    def _earlier_accounts(self):
        """Accounts of earlier connections that filled this journal and may be the same bank account."""
        groups = self.Line._read_group([("journal_id", "=", self.journal.id)], ["online_account_id"])
        others = self.account.union(*(account for (account,) in groups)) - self.account
        return others.filtered(
            lambda other: (
                other.account_online_link_id != self.account.account_online_link_id
                and not self.account._is_certainly_another(other.account_number)
            )
        )

    def _has_dismissed(self):
        """Whether users have dismissed unreadable transactions, and may have typed them instead."""
        dismissed = [("account_online_account_id", "=", self.account.id), ("state", "=", "deleted")]
        dismissed = self.Transaction.search([*dismissed, ("online_transaction_digest", "=", False)])
        return any(not one._entry() for one in dismissed)

    @staticmethod
    def _is_booked(one):
        details = one.transaction_details
        return not isinstance(details, dict) or details.get("status") != "pending"
