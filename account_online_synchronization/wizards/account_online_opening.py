from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..books.ledger import OpeningBalance


class AccountOnlineOpening(models.TransientModel):
    """Asks against which account the opening balance of a synchronized journal is booked."""

    _name = "account.online.opening"
    _description = "Opening Balance of a Bank Journal"
    _inherit = ["account.online.server.fields"]
    _check_company_auto = True

    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account", required=True, readonly=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True)
    journal_id = fields.Many2one(comodel_name="account.journal", readonly=True)
    ledger_account_id = fields.Many2one(comodel_name="account.account", readonly=True)
    suspense_account_id = fields.Many2one(comodel_name="account.account", readonly=True)
    currency_id = fields.Many2one(related="account_online_account_id.currency_id", related_sudo=False)
    amount = fields.Monetary(string="Opening Balance", readonly=True)
    date = fields.Date(readonly=True)
    explanation = fields.Text(readonly=True)
    counterpart_account_id = fields.Many2one(
        comodel_name="account.account",
        string="Counterpart",
        check_company=True,
        domain="[('account_type', 'not in', ('asset_receivable', 'liability_payable', 'off_balance')),"
        " ('currency_id', 'in', (False, currency_id)), ('id', 'not in', (ledger_account_id, suspense_account_id))]",
        help="Usually the equity account against which the other opening balances of the company are booked.",
    )

    @api.model
    def _create_for(self, account):
        OpeningBalance(account).check()
        journal = account.journal_ids
        return self.create(
            {
                "account_online_account_id": account.id,
                "company_id": account.company_id.id,
                "journal_id": journal.id,
                "ledger_account_id": journal.default_account_id.id,
                "suspense_account_id": journal.suspense_account_id.id,
                "amount": account.opening_balance,
                "date": OpeningBalance(account).day(),
                "explanation": OpeningBalance(account).explain(),
                "counterpart_account_id": OpeningBalance(account).default_counterpart().id,
            }
        )

    def action_book(self):
        """*Book* the currently missing amount, even if the form has shown another one."""
        self.ensure_one()
        account = self._checked_account()
        # sudo: _checked_account has checked the user; the amount, the day and the journal are the server's own
        OpeningBalance(as_server(account)).book(as_server(self.counterpart_account_id))
        return {"type": "ir.actions.act_window_close"}

    def action_decline(self):
        """*Not Needed*."""
        self.ensure_one()
        self._checked_account().action_decline_opening_balance()
        return {"type": "ir.actions.act_window_close"}

    def _checked_account(self):
        self.env["account.online.link"]._check_may_connect()
        account = self.account_online_account_id
        account.check_access("write")
        self.counterpart_account_id.check_access("read")
        return account
