from urllib.parse import urlsplit

from markupsafe import Markup

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError
from odoo.exceptions import AccessError


class BankSyncClient(models.Model):
    """Another database as a client of this proxy: its state, secrets and address, and what support sees of it.

    Name and address are claims of the client. An address is confirmed once the client has answered an event there with
    a proof that requires its secret: a client that registers with the address of another company's database can't
    answer it.
    """

    _name = "bank.sync.client"
    _inherit = ["bank.sync.client", "mail.thread"]
    _rec_names_search = ["name", "identifier", "database_uuid", "url", "contact_email"]
    # Support writes notes and changes nothing.
    _mail_post_access = "read"

    name = fields.Char(tracking=True)
    url = fields.Char(
        string="Address",
        readonly=True,
        copy=False,
        tracking=True,
        help="Where its users work: pages lead back there, events are sent there.",
    )
    confirmed_url = fields.Char(readonly=True, copy=False)
    is_address_confirmed = fields.Boolean(
        string="Address Confirmed",
        compute="_compute_is_address_confirmed",
        help="The database has proven that it can be reached at this address. The pages on which users connect a "
        "bank warn of an address that is not confirmed.",
    )
    contact_email = fields.Char(readonly=True, copy=False, tracking=True)
    state = fields.Selection(
        selection=[
            ("phone_required", "Phone Number Required"),
            ("active", "Active"),
            ("blocked", "Blocked"),
            ("disconnected", "Disconnected"),
        ],
        required=True,
        readonly=True,
        default="active",
        copy=False,
        tracking=True,
    )
    blocked_by = fields.Selection(
        selection=[("suspicion", "Suspicious Activity"), ("support", "Support")], readonly=True, copy=False
    )
    reason = fields.Text(
        readonly=True, copy=False, tracking=True, help="Why it is blocked or disconnected; its users can read this."
    )
    # {"current": …, "next": …}: the shared secrets, encrypted. The next one replaces the current one when it is first
    # used.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    last_activity_at = fields.Datetime(
        string="Last Activity",
        compute="_compute_last_activity_at",
        help="The last news of a bank, page of a bank, or failure. Nothing is written at each request.",
    )
    error_ids = fields.One2many(comodel_name="bank.sync.error", inverse_name="client_id", readonly=True)
    suspicion_ids = fields.One2many(comodel_name="bank.sync.suspicion", inverse_name="client_id", readonly=True)
    event_ids = fields.One2many(comodel_name="bank.sync.event", inverse_name="client_id", readonly=True)
    error_count = fields.Integer(compute="_compute_support_counts")
    suspicion_count = fields.Integer(string="Suspicious Activity", compute="_compute_support_counts")
    event_count = fields.Integer(compute="_compute_support_counts")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("url", "confirmed_url", "is_embedded")
    def _compute_is_address_confirmed(self):
        for client in self:
            client.is_address_confirmed = client.is_embedded or bool(client.url and client.url == client.confirmed_url)

    @api.depends("error_ids", "suspicion_ids", "event_ids")
    def _compute_support_counts(self):
        for name, model in (
            ("error_count", "bank.sync.error"),
            ("suspicion_count", "bank.sync.suspicion"),
            ("event_count", "bank.sync.event"),
        ):
            groups = self.env[model]._read_group([("client_id", "in", self.ids)], ["client_id"], ["__count"])
            counts = dict(groups)
            for client in self:
                client[name] = counts.get(client, 0)

    @api.depends("connection_ids.refreshed_at", "error_ids")
    def _compute_last_activity_at(self):
        latest = {client.id: client.create_date for client in self}
        for model, moment in (
            ("bank.sync.connection", "refreshed_at:max"),
            ("bank.sync.connection", "create_date:max"),
            ("bank.sync.error", "create_date:max"),
        ):
            for client, last in self.env[model]._read_group([("client_id", "in", self.ids)], ["client_id"], [moment]):
                latest[client.id] = max(filter(None, (latest[client.id], last)), default=False)
        for client in self:
            client.last_activity_at = latest[client.id]

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _check_usable(self):
        """:raise ConsentError: when the client is blocked or disconnected"""
        self.ensure_one()
        codes = {
            "phone_required": "phone_required",
            "blocked": "client_suspended" if self.blocked_by == "support" else "client_blocked",
            "disconnected": "client_disconnected",
        }
        if self.state in codes:
            raise ConsentError(codes[self.state], f"the client is {self.state}", note=self.reason or None)

    def _check_support(self):
        """Support may only read clients; its further actions run with superuser rights after this check."""
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group("bank_sync_proxy.group_support")):
            raise AccessError(self.env._("Only the support of the connection service may do this."))

    def _ask_to_confirm_address(self):
        """Send an event without any effect: the database's answer to it confirms the address."""
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

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SECRETS
    # -------------------------------------------------------------------------

    def _secrets(self):
        """:return: dict: ``current`` is the secret that the database signs with, ``next`` the one that it was given for
        later"""
        # sudo: callers are private: signatures are checked and made with it, it never leaves the proxy
        return self.env["bank.sync.vault"]._decrypt(self.sudo(), "secret_data")

    def _write_secrets(self, **named):
        # sudo: callers are private: registration and rotation, whose requests the gate has checked
        as_server(self).secret_data = self.env["bank.sync.vault"]._encrypt(self, "secret_data", named)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - BLOCKING
    # -------------------------------------------------------------------------

    def _block(self, reason, by="suspicion"):
        """Block the client: only the operations that end the block are answered.

        :param str reason: shown to the database's users
        :param str by: ``suspicion``: a phone code unblocks it; ``support``: only support can unblock it
        """
        self._set_state("blocked", reason, by)

    def _unblock(self, reason=None):
        """Unblock the client. Earlier suspicions no longer count, or the next one would block it again at once."""
        self.env["bank.sync.suspicion"]._settle(self)
        for client in self:
            client._set_state("phone_required" if client.awaits_phone_since else "active", reason)

    def _disconnect(self, reason=None):
        """Disconnect a database, until a user of it reconnects. Its connections stay."""
        self._set_state("disconnected", reason)

    def _set_state(self, state, reason=None, by=False):
        for client in self:
            client.write(
                {"state": state, "blocked_by": by, "reason": reason if state in ("blocked", "disconnected") else False}
            )
            if reason:
                # The message records who did it and when: its author is the user, also with superuser rights.
                client.message_post(body=Markup("<b>%s</b><br/>%s") % (client._state_message(), reason))
            self.env["bank.sync.event"]._emit(client, f"client.{state}")

    def _state_message(self):
        if self.blocked_by == "support":
            return self.env._("Blocked by support.")
        return {
            "phone_required": self.env._("Unblocked; a phone number has to be confirmed."),
            "active": self.env._("Unblocked."),
            "blocked": self.env._("Blocked because of suspicious activity."),
            "disconnected": self.env._("Disconnected."),
        }[self.state]

    def _note_suspicion(self, kind, detail="", address=None):
        """Note a suspicious action. Too many block the client; see :class:`BankSyncSuspicion`."""
        self.env["bank.sync.suspicion"]._note(self, kind, detail, address)
