import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError

_logger = logging.getLogger(__name__)

#: Rows of one digest; the page shows the rest.
MAX_ROWS = 100


class BankSyncFirmMember(models.Model):
    """A user of an accounting firm, and whether this user wants a digest by e-mail."""

    _name = "bank.sync.firm.member"
    _description = "User of an Accounting Firm"
    _inherit = ["bank.sync.server.fields"]
    _order = "firm_id, id"
    _rec_name = "user_id"

    firm_id = fields.Many2one(comodel_name="bank.sync.firm", required=True, index=True, ondelete="cascade")
    user_id = fields.Many2one(
        comodel_name="res.users",
        required=True,
        index=True,
        ondelete="cascade",
        domain=lambda self: [("all_group_ids", "in", self.env.ref("bank_sync_proxy_server.group_firm").ids)],
    )
    digest = fields.Selection(
        selection=[("none", "No E-Mail"), ("daily", "Every Day"), ("weekly", "Every Monday")],
        required=True,
        default="none",
        help="An e-mail that lists the consents that need attention. Nothing is sent if there are none.",
    )
    digest_on = fields.Date(string="Last Digest", readonly=True, copy=False)

    _user_unique = models.UniqueIndex("(firm_id, user_id)", "This user belongs to the accounting firm already.")

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        """Users may change their own digest only; the operator decides who belongs to which firm."""
        is_operator = self.env.su or self.env.user.has_group("bank_sync_proxy.group_administrator")
        if not is_operator and set(vals) - {"digest"}:
            raise AccessError(self.env._("Only administrators of the proxy change who belongs to an accounting firm."))
        return super().write(vals)

    # -------------------------------------------------------------------------
    # DIGEST
    # -------------------------------------------------------------------------

    @api.model
    def _cron_send_digests(self):
        today = fields.Date.context_today(self)
        kinds = ["daily", "weekly"] if today.weekday() == 0 else ["daily"]
        # Why also later: if the server was down on Monday, the weekly digest is sent as soon as it runs again.
        due = [
            ("firm_id.active", "=", True),
            ("user_id.active", "=", True),
            "|",
            "&",
            ("digest", "in", kinds),
            "|",
            ("digest_on", "=", False),
            ("digest_on", "<", today),
            "&",
            ("digest", "=", "weekly"),
            ("digest_on", "<", today - timedelta(days=6)),
        ]
        members = self.search(due)
        self.env["ir.cron"]._commit_progress(remaining=len(members))
        for member in members:
            member.digest_on = today
            member._send_digest()
            self.env["ir.cron"]._commit_progress(1)

    def _send_digest(self):
        """Send the user what needs attention, as far as this user may see it at this moment."""
        self.ensure_one()
        user = self.user_id
        if not user.email or not user.has_group("bank_sync_proxy_server.group_firm"):
            return
        # Why as the user: the record rules decide what it contains, as on the page.
        consents = self.env["bank.sync.firm.consent"].with_user(user).with_context(lang=user.lang)
        urgent = [("firm_id", "=", self.firm_id.id), ("is_urgent", "=", True)]
        found = consents.search(urgent, limit=MAX_ROWS)
        if not found:
            return
        env = consents.env
        count = consents.search_count(urgent) if len(found) == MAX_ROWS else len(found)
        subject = env._("Bank consents that need attention: %s", count)
        # sudo: the rows were read with the rights of the user to whom they are sent
        as_server(env["mail.mail"]).create(
            {
                "subject": subject,
                "body_html": env["ir.qweb"]._render(
                    "bank_sync_proxy_server.firm_digest",
                    {"consents": found, "count": count, "firm": self.firm_id.name, "base_url": self.get_base_url()},
                    lang=user.lang,
                ),
                "email_to": user.email_formatted,
                "email_from": self.env["bank.sync.firm.letter"]._sender(self.firm_id.name, user),
                "auto_delete": True,
            }
        )
