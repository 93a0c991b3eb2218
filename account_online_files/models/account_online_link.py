from odoo import api, fields, models
from odoo.addons.account_online_synchronization.sync.status import Status
from odoo.tools.misc import format_date


class AccountOnlineLink(models.Model):
    """Files are a provider like the others: a link without a consent and without requests."""

    _inherit = "account.online.link"

    is_files = fields.Boolean(
        string="Statement Files",
        readonly=True,
        copy=False,
        help="Its accounts are filled from statement files. There is no connection to a bank.",
    )

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_fetch_transactions(self):
        """*Synchronize Now*: asks the user for a file, because nothing can be fetched."""
        self.ensure_one()
        if self.is_files:
            self._check_may_synchronize()
            return self.env["account.online.file.import"]._open()
        return super().action_fetch_transactions()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _for_files(self, company):
        """:return: the only link of a company's statement files"""
        link = self.search([("is_files", "=", True), ("company_id", "=", company.id)], limit=1)
        return link or self.create(
            {
                "name": self.env._("Statement files"),
                "company_id": company.id,
                "is_files": True,
                "auto_sync": False,
                "state": "connected",
            }
        )

    def _notify(self, message, kind):
        """Why without a title: the link's name, “Statement files”, adds nothing to the message."""
        action = super()._notify(message, kind)
        if self.is_files:
            action["params"].pop("title", None)
        return action

    def _note_file(self, moment):
        """Update the link after the import of a file."""
        if self.is_files:
            self.last_refresh = moment
        self._send_status("done")

    def _has_consent(self):
        """Why never: a connection of the same account replaces it without asking the user."""
        return not self.is_files and super()._has_consent()

    def _close_replaced(self):
        """Why not closed: the next file of an account without a connection needs it again."""
        return None if self.is_files else super()._close_replaced()

    @api.model
    def _search_due(self, domain=()):
        return super()._search_due([*domain, ("is_files", "=", False)])

    def _get_status(self, refused):
        return Status("", "", "", "") if self.is_files else super()._get_status(refused)

    def _get_online_sync_cards(self):
        cards = super()._get_online_sync_cards()
        for link in self:
            cards[link.id]["is_files"] = link.is_files
        return cards

    def _describe_hole(self, hole, currency):
        return self.env._(
            "Statements are missing between %(after)s and %(before)s: the balances differ by %(amount)s.",
            after=format_date(self.env, hole.after),
            before=format_date(self.env, hole.before),
            amount=currency.format(float(hole.amount)),
        )
