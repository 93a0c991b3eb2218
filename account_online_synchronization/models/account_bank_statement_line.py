from odoo import fields, models


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        readonly=True,
        copy=False,
        # Why: the account may go, what it brought stays.
        ondelete="set null",
        help="The bank account that this transaction was synchronized from.",
    )
    online_transaction_identifier = fields.Char(
        readonly=True,
        copy=False,
        help="The bank's identifier of the transaction, or a fingerprint where the bank gives none.",
    )

    # The last word on doubles is PostgreSQL's: whatever two workers do at the same time, one of them is refused.
    _online_transaction_unique = models.UniqueIndex(
        "(online_account_id, online_transaction_identifier) WHERE online_transaction_identifier IS NOT NULL",
        "This bank transaction has already been imported.",
    )
