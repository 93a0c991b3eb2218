from odoo import fields, models


class AccountOnlineLink(models.Model):
    """What a link knows of its bank before anything is fetched."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    history_days = fields.Integer(
        readonly=True, copy=False, help="How many days back the bank gives transactions; 0 where it does not tell."
    )

    def _update_from_proxy(self, connection, accounts):
        capabilities = (connection.get("institution") or {}).get("capabilities")
        days = capabilities.get("history_days") if isinstance(capabilities, dict) else None
        # Why a limit: it is only told to people, and a date has to be made of it.
        if isinstance(days, int) and 0 < days < 36_500 and days != self.history_days:
            self.history_days = days
        return super()._update_from_proxy(connection, accounts)
