from urllib.parse import urlsplit

from odoo import api, fields, models


class BankSyncClientAddress(models.Model):
    """Where a client's data goes, as the pages show it to the user who gives the consent.

    Name and address are claims of the client. An address is confirmed once the client has answered an event there with
    a proof that only the holder of its secret can make: a client that registers with the address of another company's
    database cannot do that.
    """

    _inherit = "bank.sync.client"  # pylint: disable=consider-merging-classes-inherited

    confirmed_url = fields.Char(readonly=True, copy=False)
    is_address_confirmed = fields.Boolean(
        string="Address Confirmed",
        compute="_compute_is_address_confirmed",
        help="The database has proven that it can be reached at this address. The pages on which users connect a "
        "bank warn of an address that is not confirmed.",
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("url", "confirmed_url", "is_embedded")
    def _compute_is_address_confirmed(self):
        for client in self:
            client.is_address_confirmed = client.is_embedded or bool(client.url and client.url == client.confirmed_url)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _ask_to_confirm_address(self):
        """Send an event without effect: the database's answer to any event confirms its address."""
        if not self.is_address_confirmed and self.state == "active":
            self.env["bank.sync.event"]._emit(self, "client.active")

    def _describe_receiver(self):
        self.ensure_one()
        if self.is_embedded:
            return super()._describe_receiver()
        is_first = not self.env["bank.sync.connection"].search_count(
            [("client_id", "=", self.id), ("state", "!=", "pending")], limit=1
        )
        return {
            "name": self.name,
            "host": urlsplit(self.url or "").netloc,
            "is_here": False,
            "is_confirmed": self.is_address_confirmed,
            "is_first": is_first,
            "is_doubtful": is_first or not self.is_address_confirmed,
        }
