from odoo import api, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..books.writer import WRITTEN


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model_create_multi
    def create(self, vals_list):
        """End the chain for entries of the bulk writer: they exist already, so only other addons' overrides run."""
        written = self.env.context.get(WRITTEN)
        created = written and written.created(self, vals_list)
        return super().create(vals_list) if created is None else created

    def write(self, vals):
        """End the chain for values that the bulk writer has stored already, so only other addons' overrides run."""
        written = self.env.context.get(WRITTEN)
        return True if written and written.is_done(self, vals) else super().write(vals)

    def _post(self, soft=True):
        """End the chain for entries of the bulk writer: they are posted already, so only others' overrides run."""
        written = self.env.context.get(WRITTEN)
        return written.post(self) if written and written.is_about(self) else super()._post(soft)

    @api.ondelete(at_uninstall=False)
    def _unlink_remember_online_transaction(self):
        """Why here, too: a line is deleted with its entry by ON DELETE CASCADE, without calling ``unlink()``."""
        if not (self.env.su and self.env.context.get("online_withdrawn")):
            # sudo: Odoo has checked that the user may delete these entries; this notes what was deleted
            as_server(self.env["account.online.transaction"])._remember_deleted(self.statement_line_ids)
