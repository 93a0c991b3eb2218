from markupsafe import Markup

from odoo import fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError


class BankSyncClient(models.Model):
    """Another database as a client of this proxy: its state, its secrets, and what support sees of it."""

    _name = "bank.sync.client"
    _inherit = ["bank.sync.client", "mail.thread"]

    name = fields.Char(tracking=True)
    url = fields.Char(
        string="Address",
        readonly=True,
        copy=False,
        tracking=True,
        help="Where its users work: pages lead back there, events are sent there.",
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
