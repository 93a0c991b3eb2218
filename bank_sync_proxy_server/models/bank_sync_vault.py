from odoo import api, models


class BankSyncVault(models.AbstractModel):
    _inherit = "bank.sync.vault"

    @api.model
    def _secret_fields(self):
        return (
            *super()._secret_fields(),
            ("bank.sync.client", "secret_data"),
            ("bank.sync.client", "secret_phone"),
            ("bank.sync.phone.code", "secret_data"),
        )
