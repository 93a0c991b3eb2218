from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..books import locks, statements
from ..books.opening import Beginning
from ..sync.identity import OPENING
from .server_fields import as_server


class AccountOnlineAccount(models.Model):
    """The opening balance in the ledger: statements begin with a balance, entries have to be told of it by a line."""

    _inherit = "account.online.account"  # pylint: disable=consider-merging-classes-inherited

    opening_balance = fields.Monetary(
        string="Missing Opening Balance",
        compute="_compute_opening_balance",
        help="What the bank held before the first imported transaction, less what the ledger account of the journal "
        "contains of it. As long as it is not booked, the ledger account differs from the bank by this amount.",
    )
    opening_to_book = fields.Monetary(
        readonly=True, copy=False, help="The missing opening balance when the bank was last synchronized."
    )
    opening_unknown = fields.Boolean(
        readonly=True,
        copy=False,
        help="The balance with which the journal begins is not known: the bank gives no booked balance, or something "
        "that it contains could not be read.",
    )
    opening_declined = fields.Boolean(
        string="Opening Balance Not Needed",
        readonly=True,
        copy=False,
        help="A user has said that no opening balance is to be booked in this journal.",
    )

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("balance", "inverse_balance_sign", "last_sync", "journal_ids", "opening_to_book", "opening_unknown")
    def _compute_opening_balance(self):
        for account in self:
            # sudo: reads amounts of the account's own journal, for users whom Odoo lets read the account
            account.opening_balance = account.sudo()._missing_opening()

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_book_opening_balance(self):
        """*Book Opening Balance*: ask for the counterpart account.

        :return: action that opens the question
        """
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        # sudo: the right to connect and write access to the account were checked above
        wizard = as_server(self.env["account.online.opening"])._create_for(as_server(self))
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.online.opening",
            "res_id": wizard.id,
            "name": self.env._("Opening Balance of %s", self.journal_ids.display_name),
            "views": [(False, "form")],
            "target": "new",
        }

    def action_decline_opening_balance(self):
        """*Not Needed*: somebody books it in another way, or does not want it in the books."""
        self._decide_on_opening(True)

    def action_reconsider_opening_balance(self):
        """*Ask Again*: undo *Not Needed*."""
        self._decide_on_opening(False)

    def _decide_on_opening(self, is_declined):
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        # sudo: the right to connect and write access to the account were checked above
        as_server(self).opening_declined = is_declined

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _refresh_opening(self):
        """After a run, and after the opening balance was booked: what the dashboard shows without asking the ledger."""
        for account in self:
            missing = account._missing_opening()
            unknown = bool(statements.of_unknown_start(account.journal_ids))
            if account.opening_unknown != unknown or account.currency_id.compare_amounts(
                account.opening_to_book, missing
            ):
                account.write({"opening_to_book": missing, "opening_unknown": unknown})

    def _missing_opening(self):
        """:return: what the ledger misses of the balance with which the journal begins; 0 where that is not known"""
        self.ensure_one()
        if not self.journal_ids or not self.last_sync:
            return 0.0
        start, index, day = Beginning(self).start()
        if start is None:
            return 0.0
        return self.currency_id.round(float(start - self._ledger_before(index, day)))

    def _ledger_before(self, index, day):
        """What the journal's ledger account contains of the time before the journal's first synchronized line.

        Lines of the journal count by their place. Other entries count by their day, the company's opening entry always.

        :return: Decimal, in the currency of the journal
        """
        journal = self.journal_ids
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
                "online_account": self.id,
                "journal": journal.id,
                "day": day,
                "index": index,
                "opening": OPENING,
                "opening_move": journal.company_id.account_opening_move_id.id or None,
            },
        )
        return Decimal(str(self.env.cr.fetchone()[0]))

    def _opening_day(self):
        """:return: the day before the journal's first synchronized line, None where nothing can be said"""
        _start, _index, day = Beginning(self).start()
        return day and fields.Date.subtract(day, days=1)

    def _default_opening_counterpart(self):
        """Where Odoo balances opening entries. Empty where the chart has no such account: then the user chooses."""
        company = self.company_id
        Account = self.env["account.account"].with_company(company)
        domain = [*Account._check_company_domain(company), *self._opening_counterpart_domain()]
        return Account.search([*domain, ("account_type", "=", "equity_unaffected")], limit=1)

    def _opening_counterpart_domain(self):
        return [
            ("account_type", "not in", ("asset_receivable", "liability_payable", "off_balance")),
            ("currency_id", "in", (False, self.currency_id.id)),
            ("id", "not in", (self.journal_ids.default_account_id + self.journal_ids.suspense_account_id).ids),
        ]

    def _explain_opening(self):
        # Why with the company: the code of a ledger account is that of the company in the environment.
        journal, day = self.with_company(self.company_id).journal_ids, self._opening_day()
        return self.env._(
            "Before %(day)s, the day of the first imported transaction, the bank held %(start)s. The bank statements "
            "of %(journal)s begin with it, but the ledger account %(ledger)s does not: it differs by %(missing)s.",
            day=format_date(self.env, fields.Date.add(day, days=1)),
            start=self.currency_id.format(float(Beginning(self).start()[0])),
            journal=journal.display_name,
            ledger=journal.default_account_id.display_name,
            missing=self.currency_id.format(self.opening_balance),
        )

    def _explain_unknown_opening(self):
        if not self.balance_at:
            return self.env._(
                "The bank reports no booked balance of this account, so it is not known with which balance the journal "
                "begins. Compare the last running balance with a statement of the bank."
            )
        return self.env._(
            "The bank's balance contains transactions that could not be read, so it is not known yet with which "
            "balance the journal begins. It is corrected once they can be read, or once you have dismissed them."
        )

    def _check_opening(self):
        if self.opening_unknown or not self.last_sync or not self.journal_ids:
            raise UserError(
                self.env._(
                    "The opening balance of %s is not known yet. It becomes known with the next synchronization in "
                    "which the bank reports a booked balance and all its transactions can be read.",
                    self.display_name,
                )
            )
        if not self.opening_balance:
            raise UserError(
                self.env._("The ledger account of %s agrees with the bank: nothing is missing.", self.journal_ids.name)
            )

    def _book_opening_balance(self, counterpart):
        """Book what is missing as one line before all others, balanced against an account.

        :param counterpart: ``account.account``
        :return: the line
        """
        self.ensure_one()
        self._check_opening()
        journal, day = self.journal_ids, self._opening_day()
        if not counterpart:
            raise UserError(self.env._("Choose the account against which the opening balance is booked."))
        if not counterpart.filtered_domain(self._opening_counterpart_domain()):
            raise UserError(
                self.env._("%s can't balance an opening balance. Choose an equity account.", counterpart.display_name)
            )
        locks.hold(journal)
        if locks.locked_days(journal, [day]):
            raise UserError(
                self.env._(
                    "The opening balance would be of %s, which is in a locked period. Change the lock date first, or "
                    "book it with a miscellaneous entry on an open day and choose Not Needed.",
                    format_date(self.env, day),
                )
            )
        # Why one line: of an earlier one, booked before older days were loaded, the amount is no longer right.
        earlier = self.env["account.bank.statement.line"].search(
            [("online_account_id", "=", self.id), ("online_transaction_identifier", "=", OPENING)]
        )
        amount = self.opening_balance + sum(earlier.mapped("amount"))
        earlier.statement_id = False
        earlier.unlink()
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "date": day,
                "amount": amount,
                "payment_ref": self.env._("Opening balance"),
                "online_account_id": self.id,
                "online_transaction_identifier": OPENING,
                "counterpart_account_id": counterpart.id,
            }
        )
        self.write({"opening_declined": False, "journal_balance": self._current_journal_balance()})
        self._refresh_opening()
        return line
