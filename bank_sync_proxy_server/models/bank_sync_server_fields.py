from odoo import api, models


class BankSyncServerFields(models.AbstractModel):
    _inherit = "bank.sync.server.fields"

    @api.model
    def _server_addons(self):
        return super()._server_addons() | {"bank_sync_proxy_server"}
