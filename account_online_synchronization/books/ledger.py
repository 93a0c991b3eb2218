"""Balances of a journal: the opening balance, for which the ledger needs a line, and the running one."""

from decimal import Decimal

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..sync.identity import OPENING
from . import locks, statements
from .opening import Beginning
from .writer import REFUSALS


class OpeningBalance:
    """The part of a journal's opening balance that is missing in its ledger account.

    :param account: ``account.online.account`` that fills the journal
    """

    def __init__(self, account):
        account.ensure_one()
        self.account, self.journal, self.env = account, account.journal_ids, account.env

    def missing(self):
        """:return: float in the account's currency; 0 if not known"""
        if not self.journal or not self.account.last_sync:
            return 0.0
        start, index, day = Beginning(self.account).start()
        if start is None:
            return 0.0
        return self.account.currency_id.round(float(start - self._ledger_before(index, day)))

    def day(self):
        """:return: the day before the journal's first synchronized line, or None without one"""
        _start, _index, day = Beginning(self.account).start()
        return day and fields.Date.subtract(day, days=1)

    # -------------------------------------------------------------------------
    # IN WORDS
    # -------------------------------------------------------------------------

    def explain(self):
        # Why with the company: the code of a ledger account depends on the company of the environment.
        journal, money = self.journal.with_company(self.account.company_id), self.account.currency_id.format
        start, _index, day = Beginning(self.account).start()
        return self.env._(
            "Before %(day)s, the day of the first imported transaction, the bank held %(start)s. The bank statements "
            "of %(journal)s begin with it, but the ledger account %(ledger)s does not: it differs by %(missing)s.",
            day=format_date(self.env, day),
            start=money(float(start)),
            journal=journal.display_name,
            ledger=journal.default_account_id.display_name,
            missing=money(self.account.opening_balance),
        )

    def explain_unknown(self):
        if not self.account.balance_at:
            return self.env._(
                "The bank reports no booked balance for this account, so the opening balance of the journal is not "
                "known. Compare the last running balance with a statement of the bank."
            )
        return self.env._(
            "The bank's balance contains transactions that could not be read, so the opening balance of the "
            "journal is not known yet. It is corrected once they can be read or you have dismissed them."
        )

    # -------------------------------------------------------------------------
    # BOOKING
    # -------------------------------------------------------------------------

    def default_counterpart(self):
        """The account against which Odoo balances opening entries; empty if there is none, and the user chooses."""
        company = self.account.company_id
        Account = self.env["account.account"].with_company(company)
        domain = [*Account._check_company_domain(company), *self._counterpart_domain()]
        return Account.search([*domain, ("account_type", "=", "equity_unaffected")], limit=1)

    def check(self):
        """:raise UserError: where there is nothing to book"""
        account = self.account
        if account.opening_unknown or not account.last_sync or not self.journal:
            raise UserError(
                self.env._(
                    "The opening balance of %s is not known yet. It becomes known with the next synchronization in "
                    "which the bank reports a booked balance and all its transactions can be read.",
                    account.display_name,
                )
            )
        self._check_missing(account.opening_balance)

    def _check_missing(self, amount):
        if self.account.currency_id.is_zero(amount):
            raise UserError(
                self.env._("The ledger account of %s agrees with the bank: nothing is missing.", self.journal.name)
            )

    def book(self, counterpart):
        """Book the missing amount as one line before all others, balanced against an account.

        :param counterpart: ``account.account``
        :return: the line
        """
        self.check()
        day = self.day()
        self._check_booking(counterpart, day)
        # Why replaced: an opening balance that was booked before older days were loaded has the wrong amount.
        Line = self.env["account.bank.statement.line"]
        earlier = Line.search(
            [("online_account_id", "=", self.account.id), ("online_transaction_identifier", "=", OPENING)]
        )
        # Why: if the account filled another journal before, that journal still needs its line.
        elsewhere = earlier.filtered(lambda line: line.journal_id != self.journal)
        elsewhere.online_account_id = False
        elsewhere.flush_recordset(["online_account_id"])
        earlier -= elsewhere
        earlier.statement_id = False
        earlier.unlink()
        # Why computed now, not as a sum of both: the earlier line may be on another ledger account than the journal's.
        amount = self.missing()
        self._check_missing(amount)
        line = Line.create(
            {
                "journal_id": self.journal.id,
                "date": day,
                "amount": amount,
                "payment_ref": self.env._("Opening balance"),
                "online_account_id": self.account.id,
                "online_transaction_identifier": OPENING,
                "counterpart_account_id": counterpart.id,
            }
        )
        self.account.write({"opening_declined": False, "journal_balance": running_balance(self.account)})
        self.account._refresh_opening()
        return line

    def keep_first(self):
        """Move the line of the opening balance before the journal's first transaction, which the bank has booked late.

        Why: otherwise each later statement would contain the opening balance twice, in its start balance and as the
        line. In a locked period, and where Odoo refuses the day, as for a secured entry, the line stays, because only a
        user can decide there.
        """
        Line = self.env["account.bank.statement.line"]
        line = Line.search(
            [
                ("journal_id", "=", self.journal.id),
                ("online_transaction_identifier", "=", OPENING),
                ("statement_id", "=", False),
                ("state", "=", "posted"),
            ],
            limit=1,
        )
        if not line:
            return
        _start, index, day = Beginning(self.account).start()
        if not index or line.internal_index < index:
            return
        day = fields.Date.subtract(day, days=1)
        locks.hold(self.journal)
        if locks.locked_days(self.journal, [day]):
            return
        # Why a new number: that of another year is refused.
        has_moved = self._redate(line, day) or self._redate(line, day, with_new_number=True)
        first = statements.first_statement(self.journal)
        if has_moved and first:
            statements.settle(self.journal, first, day)

    def _redate(self, line, day, with_new_number=False):
        """:return: whether Odoo allows it; otherwise no run could store anything of this account any more"""
        try:
            with self.env.cr.savepoint():
                if with_new_number:
                    line.move_id.name = False
                line.date = day
        except REFUSALS:
            return False
        return True

    def _check_booking(self, counterpart, day):
        if not counterpart:
            raise UserError(self.env._("Choose the account against which the opening balance is booked."))
        if not counterpart.filtered_domain(self._counterpart_domain()):
            raise UserError(
                self.env._("%s can't balance an opening balance. Choose an equity account.", counterpart.display_name)
            )
        locks.hold(self.journal)
        if locks.locked_days(self.journal, [day]):
            raise UserError(
                self.env._(
                    "The opening balance would be dated %s, which is in a locked period. Change the lock date "
                    "first, or book it with a miscellaneous entry on an open day and choose Not Needed.",
                    format_date(self.env, day),
                )
            )

    def _counterpart_domain(self):
        return [
            ("account_type", "not in", ("asset_receivable", "liability_payable", "off_balance")),
            ("currency_id", "in", (False, self.account.currency_id.id)),
            ("id", "not in", (self.journal.default_account_id + self.journal.suspense_account_id).ids),
        ]

    # -------------------------------------------------------------------------
    # THE LEDGER
    # -------------------------------------------------------------------------

    def _ledger_before(self, index, day):
        """The balance of the journal's ledger account before the journal's first synchronized line.

        Lines of the journal count by their position, other entries by their date; the company's opening entry always
        counts.

        :return: Decimal, in the currency of the journal
        """
        journal = self.journal
        self.env["account.move.line"].flush_model()
        self.env["account.move"].flush_model(["date", "state", "statement_line_id"])
        self.env["account.bank.statement.line"].flush_model(["internal_index", "online_transaction_identifier"])
        in_currency = journal.currency_id and journal.currency_id != journal.company_id.currency_id
        self.env.cr.execute(
            """
            SELECT COALESCE(SUM(CASE WHEN %(in_currency)s THEN item.amount_currency ELSE item.balance END), 0)
              FROM (
                    SELECT id, move_id, amount_currency, balance
                      FROM account_move_line
                     WHERE account_id = %(account)s AND date <= %(day)s AND parent_state = 'posted'
                     UNION
                    SELECT id, move_id, amount_currency, balance
                      FROM account_move_line
                     WHERE account_id = %(account)s AND move_id = %(opening_move)s AND parent_state = 'posted'
                     UNION
                    SELECT booked.id, booked.move_id, booked.amount_currency, booked.balance
                      FROM account_bank_statement_line opening
                      JOIN account_move_line booked ON booked.move_id = opening.move_id
                     WHERE opening.online_account_id = %(online_account)s
                       AND opening.online_transaction_identifier = %(opening)s
                       AND booked.account_id = %(account)s AND booked.parent_state = 'posted'
                   ) item
              JOIN account_move move ON move.id = item.move_id
         LEFT JOIN account_bank_statement_line line ON line.move_id = move.id
             WHERE CASE WHEN line.id IS NULL THEN move.date < %(day)s OR move.id = %(opening_move)s
                        ELSE line.journal_id = %(journal)s
                             AND (line.internal_index < %(index)s
                                  OR line.online_transaction_identifier IS NOT DISTINCT FROM %(opening)s) END
            """,
            {
                "in_currency": bool(in_currency),
                "account": journal.default_account_id.id or None,
                "online_account": self.account.id,
                "journal": journal.id,
                "day": day,
                "index": index,
                "opening": OPENING,
                "opening_move": journal.company_id.account_opening_move_id.id or None,
            },
        )
        return Decimal(str(self.env.cr.fetchone()[0]))


def running_balance(account):
    """Running balance of the last posted line in the journal that an online account fills.

    Why not ``running_balance`` of that line: Odoo searches it among all lines of the journal, and computes the balance
    with five queries. Why by company: Odoo's index begins with it.
    """
    cr = account.env.cr
    account.env["account.bank.statement.line"].flush_model(
        ["amount", "company_id", "internal_index", "journal_id", "move_id"]
    )
    account.env["account.bank.statement"].flush_model(["balance_start", "first_line_index", "journal_id"])
    account.env["account.move"].flush_model(["state"])
    cr.execute(
        """
        WITH company AS (
              SELECT id
                FROM res_company
               WHERE parent_path LIKE (SELECT parent_path FROM res_company WHERE id = %(company)s) || '%%'
        ), last AS (
              SELECT MAX(line.internal_index) AS internal_index
                FROM company
                JOIN LATERAL (
                          SELECT line.internal_index
                            FROM account_bank_statement_line line
                            JOIN account_move move ON move.id = line.move_id
                           WHERE line.journal_id = %(journal)s AND line.company_id = company.id
                             AND move.state = 'posted'
                        ORDER BY line.internal_index DESC LIMIT 1
                     ) line ON TRUE
        ), anchor AS (
              SELECT first_line_index, balance_start
                FROM account_bank_statement
               WHERE journal_id = %(journal)s AND first_line_index <= (SELECT internal_index FROM last)
            ORDER BY first_line_index DESC LIMIT 1
        )
        SELECT COALESCE((SELECT balance_start FROM anchor), 0) + COALESCE(SUM(line.amount), 0)
          FROM company
          JOIN account_bank_statement_line line ON line.company_id = company.id
          JOIN account_move move ON move.id = line.move_id
         WHERE line.journal_id = %(journal)s AND move.state = 'posted'
           AND line.internal_index >= COALESCE((SELECT first_line_index FROM anchor), '')
        """,
        {"journal": account.journal_ids.id or None, "company": account.company_id.id},
    )
    return float(cr.fetchone()[0])
