from odoo import fields, models


class AccountOnlineRun(models.Model):
    _inherit = "account.online.run"

    trigger = fields.Selection(selection_add=[("file", "A file")], ondelete={"file": "set default"})
    file_ids = fields.One2many(comodel_name="account.online.file", inverse_name="run_id", readonly=True)
