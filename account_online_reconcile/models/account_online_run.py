from odoo import models
from odoo.addons.bank_sync_common.models.server_fields import as_server


class AccountOnlineRun(models.Model):
    _inherit = "account.online.run"

    def _after_import(self, journals):
        answer = super()._after_import(journals)
        # sudo: part of a synchronization, whose caller has checked the link; it names the journals itself
        as_server(journals)._reconcile_after_import()
        return answer
