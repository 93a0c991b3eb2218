from odoo import api
from odoo.addons.bank_sync_common.models.server_fields import ServerFields


class AccountOnlineServerFields(ServerFields):
    """For every model of this addon, and for extended models with fields that only the server may set."""

    _name = "account.online.server.fields"
    _description = "Fields That Only the Server Sets"

    @api.model
    def _server_addons(self):
        return {"account_online_synchronization"}
