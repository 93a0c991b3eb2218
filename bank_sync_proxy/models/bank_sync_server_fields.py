from odoo import api
from odoo.addons.bank_sync_common.models.server_fields import ServerFields


class BankSyncServerFields(ServerFields):
    """For every model of this addon."""

    _name = "bank.sync.server.fields"
    _description = "Server-Only Fields"

    @api.model
    def _server_addons(self):
        return {"bank_sync_proxy"}
