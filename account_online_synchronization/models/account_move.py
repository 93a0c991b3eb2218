from odoo import api, models


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.ondelete(at_uninstall=False)
    def _unlink_remember_online_transaction(self):
        """Why here, too: a line that goes with its entry is deleted by the database, which asks no model."""
        if not self.env.context.get("online_withdrawn"):
            self.env["account.online.transaction"].sudo()._remember_deleted(self.statement_line_ids)
