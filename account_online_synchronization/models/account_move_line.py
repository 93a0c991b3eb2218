from odoo import api, models

from ..books.writer import WRITTEN


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        """Other addons' ``create()`` sees the journal items of the importer, too; they stand already."""
        written = self.env.context.get(WRITTEN)
        created = written and written.created(self, vals_list)
        return super().create(vals_list) if created is None else created
