from odoo import api, models


class BankSyncDoctor(models.AbstractModel):
    _inherit = "bank.sync.doctor"

    @api.model
    def _addons_with_actions(self):
        return (*super()._addons_with_actions(), "bank_sync_proxy_server")
