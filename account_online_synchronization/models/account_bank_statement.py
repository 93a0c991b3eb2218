from odoo import fields, models


class AccountBankStatement(models.Model):
    _name = "account.bank.statement"
    _inherit = ["account.bank.statement", "account.online.server.fields"]

    # Why: a statement is found again by its period, never by its name, which the user may change.
    online_period_start = fields.Date(
        readonly=True, copy=False, help="First day of a statement made by synchronization."
    )
    online_period_end = fields.Date(readonly=True, copy=False, help="Last day of a statement made by synchronization.")
