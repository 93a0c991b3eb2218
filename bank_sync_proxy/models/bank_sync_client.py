import uuid

from markupsafe import Markup

from odoo import api, fields, models

from ..providers.errors import ConsentError
from .server_fields import as_server


class BankSyncClient(models.Model):
    """A database that asks this proxy. It sees its own connections and nothing else."""

    _name = "bank.sync.client"
    _description = "Bank Synchronization Client"
    _inherit = ["mail.thread", "bank.sync.server.fields"]
    _order = "id"

    name = fields.Char(required=True, tracking=True)
    identifier = fields.Char(
        string="Client ID", required=True, readonly=True, copy=False, default=lambda self: uuid.uuid4().hex
    )
    database_uuid = fields.Char(string="Database UUID", required=True, readonly=True, copy=False)
    is_embedded = fields.Boolean(
        string="This Database", readonly=True, copy=False, help="The proxy's own database, asked without a network."
    )
    url = fields.Char(
        string="Address",
        readonly=True,
        copy=False,
        tracking=True,
        help="Where its users work: pages lead back there, events go there.",
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
        readonly=True, copy=False, tracking=True, help="Why it is blocked or disconnected; its users read it."
    )
    # {"current": …, "next": …}: the shared secrets, encrypted. The next one counts from its first use on.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    connection_ids = fields.One2many(comodel_name="bank.sync.connection", inverse_name="client_id", readonly=True)
    connection_count = fields.Integer(compute="_compute_connection_count")

    _identifier_unique = models.UniqueIndex("(identifier)", "Client IDs are unique.")
    _embedded_unique = models.UniqueIndex(
        "(database_uuid) WHERE is_embedded IS TRUE", "A database is its own client once."
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("connection_ids")
    def _compute_connection_count(self):
        counts = dict(
            self.env["bank.sync.connection"]._read_group(
                [("client_id", "in", self.ids)], groupby=["client_id"], aggregates=["__count"]
            )
        )
        for client in self:
            client.connection_count = counts.get(client, 0)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _get_embedded(self):
        """:return: this database as a client of its own proxy, made at the first need"""
        # sudo: makes one fixed client, that of this very database
        client_sudo = as_server(self)
        # sudo: reads the uuid of this database, which no caller can choose
        database_uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        domain = [("is_embedded", "=", True), ("database_uuid", "=", database_uuid)]
        return client_sudo.search(domain, limit=1) or client_sudo.create(
            {"name": self.env.cr.dbname, "database_uuid": database_uuid, "is_embedded": True}
        )

    def _check_usable(self):
        """:raise ConsentError: when the client gets nothing but a way out of that"""
        self.ensure_one()
        codes = {
            "phone_required": "phone_required",
            "blocked": "client_suspended" if self.blocked_by == "support" else "client_blocked",
            "disconnected": "client_disconnected",
        }
        if self.state in codes:
            raise ConsentError(codes[self.state], f"the client is {self.state}", note=self.reason or None)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SECRETS
    # -------------------------------------------------------------------------

    def _secrets(self):
        """:return: dict: ``current`` is what the database signs with, ``next`` what it was given to sign with later"""
        # sudo: callers are private: signatures are checked and made with it, it leaves the proxy never
        stored = self.sudo().secret_data
        return self.env["bank.sync.vault"]._decrypt(stored) if stored else {}

    def _write_secrets(self, **named):
        # sudo: callers are private: registration and rotation, whose questions the gate has checked
        as_server(self).secret_data = self.env["bank.sync.vault"]._encrypt(named)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - BLOCKING
    # -------------------------------------------------------------------------

    def _block(self, reason, by="suspicion"):
        """Answer nothing any more but the way out.

        :param str reason: its users read it
        :param str by: ``suspicion``: the phone code unblocks it; ``support``: only support does
        """
        self._set_state("blocked", reason, by)

    def _unblock(self, reason=None):
        """Let it ask again. What was suspicious counts no more, or the next little thing would block it again."""
        self.env["bank.sync.suspicion"]._settle(self)
        for client in self:
            client._set_state("phone_required" if client.awaits_phone_since else "active", reason)

    def _disconnect(self, reason=None):
        """Cut a database off, until a user of it reconnects. Its connections stay."""
        self._set_state("disconnected", reason)

    def _set_state(self, state, reason=None, by=False):
        for client in self:
            client.write(
                {"state": state, "blocked_by": by, "reason": reason if state in ("blocked", "disconnected") else False}
            )
            if reason:
                # Who and when: the author of the message is the user, also with superuser rights.
                client.message_post(body=Markup("<b>%s</b><br/>%s") % (client._tell_state(), reason))
            self.env["bank.sync.event"]._emit(client, f"client.{state}")

    def _tell_state(self):
        if self.blocked_by == "support":
            return self.env._("Blocked by support.")
        return {
            "phone_required": self.env._("Unblocked; a phone number has to be confirmed."),
            "active": self.env._("Unblocked."),
            "blocked": self.env._("Blocked because of suspicious activity."),
            "disconnected": self.env._("Disconnected."),
        }[self.state]

    def _note_suspicion(self, kind, detail="", address=None):
        """Something that an attacker would do. Too much of it blocks the client; see :class:`BankSyncSuspicion`."""
        self.env["bank.sync.suspicion"]._note(self, kind, detail, address)
