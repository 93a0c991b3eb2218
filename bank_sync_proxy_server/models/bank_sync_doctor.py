from odoo import api, models


class BankSyncDoctor(models.AbstractModel):
    _inherit = "bank.sync.doctor"

    @api.model
    def _modules(self):
        return (*super()._modules(), "bank_sync_proxy_server")
