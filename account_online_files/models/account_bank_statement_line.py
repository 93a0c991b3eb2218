from odoo import fields, models


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    online_file_id = fields.Many2one(
        comodel_name="account.online.file",
        string="Statement File",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The imported file that brought this transaction.",
    )
