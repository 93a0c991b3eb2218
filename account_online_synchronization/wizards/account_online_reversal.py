from decimal import Decimal, InvalidOperation

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from ..books import statements
from ..books.ledger import running_balance
from ..sync.identity import LEGACY, OPENING

#: Maximum number of lines that are listed; further ones are counted.
MAX_NAMED = 20


class AccountOnlineReversal(models.TransientModel):
    """*Reverse Transactions*: invert the sign of a bank's transactions, and optionally that of existing lines."""

    _name = "account.online.reversal"
    _description = "Reverse the Transactions of a Bank Account"
    _inherit = ["account.online.server.fields"]

    account_id = fields.Many2one(
        comodel_name="account.online.account",
        string="Bank Account",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    is_reversed = fields.Boolean(
        readonly=True, help="The state when this window was opened; later changes are not undone."
    )
    scope = fields.Selection(
        selection=[
            ("new", "Only transactions that are imported from now on"),
            ("open", "Also the open transactions that are in the journal"),
        ],
        string="What is reversed",
    )
    with_balance = fields.Boolean(
        string="Reverse the balance, too",
        help="For banks that report credit card debt as positive.",
    )
    open_count = fields.Integer(string="Transactions to Reverse", compute="_compute_lines")
    left_count = fields.Integer(string="Left as They Are", compute="_compute_lines")
    left_text = fields.Text(string="Transactions Left as They Are", compute="_compute_lines")

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("account_id")
    def _compute_lines(self):
        for wizard in self:
            lines, left = wizard._sort_lines()
            wizard.open_count, wizard.left_count = len(lines), len(left)
            wizard.left_text = "\n".join(wizard._name_lines(left))

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _open(self, account):
        """:return: action that shows the question for an account"""
        # sudo: action_reverse_transactions has checked the right to connect and write access to the account
        wizard = as_server(self).create(
            {"account_id": account.id, "is_reversed": account.inverse_transaction_sign, "with_balance": False}
        )
        return wizard._get_records_action(name=self.env._("Reverse Transactions"), target="new", context={})

    def action_reverse(self):
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        account = self.account_id
        account.check_access("write")
        self._hold_account()
        lines, left = self._sort_lines()
        if not self.scope and lines:
            raise UserError(
                self.env._("Please choose what to do with the transactions that are already in the journal.")
            )
        turned = lines if self.scope == "open" else lines.browse()
        turned.check_access("write")
        # sudo: the right to connect, write access to the account and to the lines were checked above
        wizard, turned = as_server(self), as_server(turned)
        wizard._reverse(turned)
        wizard._note_reversal(turned, left if self.scope == "open" else [])
        return {"type": "ir.actions.act_window_close"}

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _hold_account(self):
        """Lock the account, and compare it with the state that the user has seen.

        :raise UserError: when it is in use, or was reversed in the meantime
        """
        account, link = self.account_id, self.account_id.account_online_link_id
        # Why the link, too: a running synchronization would continue with the previous sign.
        link._lock_or_refuse(link)
        link._lock_or_refuse(account)
        if account.inverse_transaction_sign != self.is_reversed:
            raise UserError(
                self.env._(
                    "The transactions of %s were already reversed after this window was opened, so nothing was "
                    "changed now. Close the window, and open Reverse Transactions again to see the current state.",
                    account.display_name,
                )
            )

    def _sort_lines(self):
        """:return: (lines that can be inverted, list of (other line, reason))"""
        account = self.account_id
        lines = self.env["account.bank.statement.line"].search(
            [
                ("online_account_id", "=", account.id),
                ("journal_id", "in", account.journal_ids.ids),
                ("state", "=", "posted"),
                ("online_transaction_identifier", "not in", (False, OPENING)),
                # Lines of an earlier module are not affected by this addon's sign.
                "!",
                ("online_transaction_identifier", "=like", f"{LEGACY}%"),
            ]
        )
        reasons = {line: self._why_not(line) for line in lines}
        return lines.filtered(lambda line: not reasons[line]), [pair for pair in reasons.items() if pair[1]]

    def _why_not(self, line):
        """:return: a sentence with the reason why the line can't be inverted, or None"""
        if line.online_adopted:
            return self.env._("In the journal before the bank reported it.")
        if reason := line._why_not_deletable():
            return reason
        details = line.transaction_details
        try:
            said = Decimal(str(details.get("amount"))) * self.account_id._transaction_sign()
        except (InvalidOperation, AttributeError):
            # The bank's data is no longer stored, so nothing can be compared.
            return None
        if line.currency_id.compare_amounts(line.amount, float(said)):
            return self.env._("Its amount was changed by hand.")
        return None

    def _name_lines(self, left):
        """:return: list of sentences, one for each line, and one for how many more there are"""
        described = [
            self.env._("%(line)s: %(reason)s", line=line._describe(), reason=reason)
            for line, reason in left[:MAX_NAMED]
        ]
        if len(left) > MAX_NAMED:
            described.append(self.env._("And %s more.", len(left) - MAX_NAMED))
        return described

    def _reverse(self, lines):
        """Invert the sign of the account and of lines. The difference between bank and journal does not change."""
        account = self.account_id
        journal = account.journal_ids
        difference = account._signed_balance() - running_balance(account) if lines else 0.0
        touched, day = lines.statement_id, min(lines.mapped("date"), default=None)
        account.inverse_transaction_sign = not account.inverse_transaction_sign
        if self.with_balance:
            account.inverse_balance_sign = not account.inverse_balance_sign
        for line in lines:
            values = {"amount": -line.amount}
            if line.foreign_currency_id:
                values["amount_currency"] = -line.amount_currency
            line.write(values)
        if not lines:
            return
        if touched:
            statements.settle(journal, touched, day)
        self._keep_difference(difference)
        account._note_journal_balance()

    def _keep_difference(self, difference):
        """Adjust the start balance of the first statement, which was computed from the bank's balance and the lines.

        Not if a user has created that statement, or if the opening balance is a line.
        """
        account = self.account_id
        journal = account.journal_ids
        first = statements.first_statement(journal)
        is_booked = self.env["account.bank.statement.line"].search_count(
            [("journal_id", "=", journal.id), ("online_transaction_identifier", "=", OPENING)], limit=1
        )
        if not first.online_period_start or not account.balance_at or is_booked:
            return
        missing = account._signed_balance() - difference - running_balance(account)
        if not account.currency_id.is_zero(missing):
            statements.settle(journal, first, first.online_period_start, first.balance_start + missing)

    def _note_reversal(self, turned, left):
        """Note in the connection's chatter what was done, and which lines were not changed."""
        account = self.account_id
        parts = [
            self.env._("Transactions of %s are reversed from now on.", account.display_name)
            if account.inverse_transaction_sign
            else self.env._("Transactions of %s are no longer reversed.", account.display_name),
            self.env._("The signs of %s transactions in the journal were reversed.", len(turned)) if turned else "",
            self.env._("These were left as they are; please correct them by hand:") if left else "",
            *self._name_lines(left),
        ]
        account.account_online_link_id.message_post(body="\n".join(filter(None, parts)))
