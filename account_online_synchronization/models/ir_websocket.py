from odoo import models


def accountants_of(company):
    """:return: the bus channel for messages to accountants about the bank connections of a company"""
    return company, "account_online_synchronization/accountants"


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Accountants subscribe to the companies whose journals they may read: their own and its parents."""
        channels = list(channels)
        if self.env.user.has_group("account.group_account_basic"):
            channels.extend(map(accountants_of, self.env.user.company_ids.parent_ids))
        return super()._build_bus_channel_list(channels)
