"""Reads stored transactions for :mod:`..sync.decide`, with a few queries for any number of transactions."""

import re
from datetime import datetime, timezone

from ..client.errors import BadTransaction
from ..client.messages import parse_transaction
from ..sync.adoption import TOLERANCE, Candidate
from ..sync.decide import FUTURE, Policy
from ..sync.identity import LEGACY, OPENING
from ..sync.likeness import NEAR, Texts
from ..sync.matching import Known
from ..sync.windows import day_at_the_bank
from . import locks
from .kept import Kept

#: Country code at the beginning of an IBAN.
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}")


def policy_of(account):
    """:param account: ``account.online.account``"""
    iban = IBAN.match((account.account_number or "").upper())
    country = iban[0][:2] if iban else account.company_id.country_id.code
    seen_on = day_at_the_bank(datetime.now(timezone.utc), country)
    if account.balance_at:
        # Why: the booked balance contains only booked transactions; the Demo Bank's clock may be days ahead.
        seen_on = max(seen_on, account._balance_day())
    return Policy(
        seen_on=seen_on,
        is_load=not account.last_sync,
        start_date=account.start_date or None,
        by_value_date=account.date_choice == "value",
        sign=account._transaction_sign(),
        decimal_places=account.currency_id.decimal_places,
        reports_fees=account.reports_fees,
        fees_on_own_line=account.fee_lines == "own",
    )


class Books:
    """
    :param account: ``account.online.account`` with a journal
    :param window: :class:`~..sync.decide.Window`
    :param bool for_writing: lock dates are read again and can't change until the transaction ends
    """

    def __init__(self, account, window, for_writing=False):
        self.account, self.window, self.for_writing = account, window, for_writing
        self.env, self.journal = account.env, account.journal_ids
        self.policy = self._policy()
        self.Line = self.env["account.bank.statement.line"]
        self.Transaction = self.env["account.online.transaction"]

    def _policy(self):
        return policy_of(self.account)

    def retried(self):
        """:return: list of :class:`~..sync.identity.Entry` to retry"""
        return Kept(self.account, self.policy).retried()

    def stored(self, identifiers):
        """
        :return: list of :class:`~..sync.matching.Known`: those with these identifiers, also shared ones; those of the
            window's days and the last days before it; and withdrawn ones whose lines are still there
        """
        self.Line.flush_model(
            [
                "online_account_id",
                "online_transaction_identifier",
                "online_transaction_digest",
                "online_was_future",
                "online_withdrawn",
            ]
        )
        self.Transaction.flush_model()
        self.env.cr.execute(
            """
            SELECT 'line', id, online_transaction_identifier, online_transaction_digest, NULL,
                   COALESCE(online_withdrawn, FALSE), COALESCE(online_was_future, FALSE), NULL
              FROM account_bank_statement_line
             WHERE online_account_id = %(account)s AND online_transaction_identifier NOT LIKE %(legacy)s
               AND (online_transaction_identifier = ANY(%(identifiers)s) OR online_transaction_digest >= %(day)s
                    OR online_withdrawn
                    OR (online_transaction_identifier LIKE '%% ~%%'
                        AND split_part(online_transaction_identifier, ' ~', 1) = ANY(%(identifiers)s)))
         UNION ALL
            SELECT CASE WHEN state = 'deleted' AND journal_id IS DISTINCT FROM %(journal)s THEN 'elsewhere'
                        ELSE state END,
                   id, online_transaction_identifier, online_transaction_digest, reason_code, FALSE, FALSE,
                   similar_line_id
              FROM account_online_transaction
             WHERE account_online_account_id = %(account)s AND (state != 'pending' OR reason_code = %(future)s)
               AND (online_transaction_identifier = ANY(%(identifiers)s) OR online_transaction_digest >= %(day)s)
            """,
            {
                "account": self.account.id,
                "journal": self.journal.id,
                "identifiers": [*identifiers, *self.window.removed],
                "day": self._first_day(),
                "future": FUTURE,
                # Why not those: of lines of an earlier module only day and amount are known, see candidates().
                "legacy": f"{LEGACY}%",
            },
        )
        return [Known(*row) for row in self.env.cr.fetchall()]

    def _first_day(self):
        """Why some days before the window: transactions that the bank now dates later were stored there."""
        window = self.window
        days = [day for day in (window.first_day, None if window.is_delta else window.since) if day]
        return min(days, default=None) and (min(days) - NEAR).isoformat()

    def contents(self, known):
        """:return: dict from identifier to the bank's last version of the transaction, if readable"""
        details = {}
        for is_line, model in ((True, self.Line), (False, self.Transaction)):
            some = model.browse([one.record_id for one in known if (one.kind == "line") == is_line])
            details.update(
                {(is_line, one["id"]): one["transaction_details"] for one in some.read(["transaction_details"])}
            )
        contents = {}
        for one in known:
            try:
                contents[one.identifier] = parse_transaction(details[one.kind == "line", one.record_id])
            except BadTransaction:
                continue
        return contents

    def deleted_before(self, digests):
        """:return: list of :class:`~..sync.matching.Known` that a user deleted, and whose account no longer exists"""
        found = self.Transaction.search(
            [
                ("account_online_account_id", "=", False),
                ("journal_id", "=", self.journal.id),
                ("online_transaction_digest", "in", digests),
            ]
        )
        return [
            Known(one.state, one.id, one.online_transaction_identifier, one.online_transaction_digest, one.reason_code)
            for one in found
        ]

    def candidates(self, first, last):
        """Lines that are not linked to a transaction of this account.

        :return: list of :class:`~..sync.adoption.Candidate` of these and neighboring days
        """
        self.Line.flush_model()
        self.env["account.move"].flush_model(["date", "state"])
        self.env.cr.execute(
            """
            SELECT line.id, move.date, line.amount, line.online_transaction_digest, other.account_number,
                   COALESCE(line.online_transaction_identifier LIKE %(legacy)s, FALSE) AS is_legacy,
                   line.payment_ref, COALESCE(partner.name, line.partner_name), line.account_number
              FROM account_bank_statement_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN account_online_account other ON other.id = line.online_account_id
             WHERE line.journal_id = %(journal)s AND move.state != 'cancel'
               AND line.online_transaction_identifier IS DISTINCT FROM %(opening)s
               AND (line.online_account_id IS DISTINCT FROM %(account)s
                    OR line.online_transaction_identifier LIKE %(legacy)s)
               AND move.date BETWEEN %(first)s AND %(last)s
          ORDER BY line.internal_index
            """,
            {
                "legacy": f"{LEGACY}%",
                "opening": OPENING,
                "journal": self.journal.id,
                "account": self.account.id,
                "first": first - TOLERANCE,
                "last": last + TOLERANCE,
            },
        )
        complete_from = self.window.first_day
        return [
            Candidate(
                line_id,
                day,
                self.policy.exact(amount),
                None if is_legacy else content,
                is_among=is_legacy and complete_from is not None and day >= complete_from,
                texts=Texts.of_line(*texts),
            )
            for line_id, day, amount, content, number, is_legacy, *texts in self.env.cr.fetchall()
            # Why: lines of another bank account in this journal are never transactions of this one.
            if not self.account._is_certainly_another(number)
        ]

    def locked_days(self, days):
        """:return: those of the days that are in a locked period"""
        if self.for_writing:
            locks.hold(self.journal)
        return locks.locked_days(self.journal, days)
