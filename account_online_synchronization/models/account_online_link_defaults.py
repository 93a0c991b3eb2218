from odoo import api, fields, models

#: Whether new connections synchronize by themselves: ``0`` or ``1``, because Odoo keeps no parameter that is False.
AUTO_SYNC = "account_online_synchronization.auto_sync"

#: Addresses that new connections also tell of a consent that ends.
NOTICE_EMAIL = "account_online_synchronization.notice_email"


class AccountOnlineLink(models.Model):
    """What new connections take over from the settings. Those that stand stay as they are."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    auto_sync = fields.Boolean(default=lambda self: self._default_auto_sync())
    renewal_contact_email = fields.Char(default=lambda self: self._get_parameter(NOTICE_EMAIL))

    @api.model
    def _default_auto_sync(self):
        return self._get_parameter(AUTO_SYNC) != "0"

    @api.model
    def _get_parameter(self, name):
        # sudo: reads one of the settings above, which are no secrets
        return self.env["ir.config_parameter"].sudo().get_param(name)
