from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    bank_statement_creation_groupby = fields.Selection(
        selection=lambda self: self.env["account.journal"]._fields["bank_statement_creation_groupby"].selection,
        string="Statement Periodicity",
        default="month",
        required=True,
        help="How synchronized transactions are grouped in the bank statements of new journals. Each journal's own "
        "form changes it later.",
    )
