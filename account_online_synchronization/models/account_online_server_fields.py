from odoo import api
from odoo.addons.bank_sync_common.models.server_fields import ServerFields


class AccountOnlineServerFields(ServerFields):
    """For every model of this addon, and for extended models with fields that only the server may set."""

    _name = "account.online.server.fields"
    _description = "Server-Only Fields"

    @api.model
    def _server_addons(self):
        return {"account_online_synchronization"}

    def _write_changes(self, values):
        """Write changed values only, because a write costs queries even if nothing changes."""
        changed = {name: value for name, value in values.items() if (self[name] or None) != (value or None)}
        if changed:
            self.write(changed)
