from odoo import api, models


class AccountOnlineServerFields(models.AbstractModel):
    _inherit = "account.online.server.fields"

    @api.model
    def _server_addons(self):
        return super()._server_addons() | {"account_online_files"}
