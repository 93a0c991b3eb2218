from odoo import api, models


class AccountOnlineService(models.Model):
    _inherit = "account.online.service"

    @api.model
    def _reencrypt(self, _progress=None):
        """Passwords of folders are encrypted with the same master key."""
        counts = super()._reencrypt(_progress)
        counts.update(self.env["account.online.file.source"]._reencrypt())
        return counts
