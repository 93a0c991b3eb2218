import hmac
import re
import secrets
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up
from odoo.addons.bank_sync_proxy.providers.errors import ConfigurationError, ConsentError, ProtocolError
from odoo.addons.bank_sync_proxy.tools.urls import UrlRefused, clean_url
from odoo.tools import str2bool

UUID = re.compile(r"[0-9A-Za-z-]{8,64}")
DIGEST = re.compile(r"[0-9a-f]{64}")
LANGUAGE = re.compile(r"[A-Za-z@_-]{2,20}")
MAX_NAME = 100
#: Days after which a client without a confirmed phone number and without a bank is deleted.
KEEP_UNCONFIRMED_DAYS = 30


class BankSyncClientRegistration(models.Model):
    """How a database becomes a client, keeps its credentials, and is distinguished from its copies."""

    _inherit = "bank.sync.client"  # pylint: disable=consider-merging-classes-inherited

    language = fields.Char(readonly=True, copy=False, help="Of the user who registered the database.")
    database_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")
    copy_noted_at = fields.Datetime(readonly=True, copy=False, help="When a copy of the database was last reported.")
    refused_database_ids = fields.One2many(
        comodel_name="bank.sync.refused.database", inverse_name="client_id", string="Refused Databases", readonly=True
    )

    # -------------------------------------------------------------------------
    # REGISTRATION
    # -------------------------------------------------------------------------

    @api.model
    def _register_database(self, payload, address=None):
        """Register a new database. One that registers again becomes a second client; the first one stays.

        :param dict payload: of ``clients.register``
        :param str address: where the request came from
        :return: ``client_id``, ``client_secret`` and ``state`` of docs/protocol.md
        :raise ProviderError: ``url_refused``, ``invalid_request``
        """
        values = self._about(payload, required=("name", "url"))
        values["database_uuid"] = self._matching(payload, "database_uuid", UUID, required=True)
        values["database_digest"] = self._matching(payload, "database", DIGEST)
        values["language"] = self._matching(payload, "language", LANGUAGE)
        now = fields.Datetime.now()
        # No user is logged in here: the system is the author of messages.
        # sudo: an unauthenticated caller: _about and _matching have checked each value, the gate has limited the rate
        client = self.with_user(SUPERUSER_ID).create({**values, "state": "phone_required", "awaits_phone_since": now})
        secret = secrets.token_urlsafe(32)
        client._write_secrets(current=secret)
        client._post_registration(address)
        return {"client_id": client.identifier, "client_secret": secret, "state": client.state}

    def _post_registration(self, address):
        earlier = self.search([("database_uuid", "=", self.database_uuid), ("id", "!=", self.id)])
        text = self.env._("Registered from %s.", address or self.env._("an unknown address"))
        if earlier:
            text += " " + self.env._("The same database has registered before: %s.", ", ".join(earlier.mapped("name")))
        self.message_post(body=text)

    def _update(self, payload):
        """Update what a database says about itself, as far as it has changed."""
        values = self._about(payload)
        if self.is_embedded:
            values.pop("url", None)
        changed = {name: value for name, value in values.items() if value != (self[name] or None)}
        if changed:
            self.write(changed)

    @api.model
    def _about(self, payload, required=()):
        """:return: checked values of what a database says about itself; only those that it sent"""
        texts = {name: self.env["bank.sync.api"]._text(payload, name, name in required) for name in ("name", "url")}
        values = {}
        if texts["name"]:
            # Control characters could make a name look like other text where it is shown.
            values["name"] = "".join(filter(str.isprintable, texts["name"])).strip()[:MAX_NAME]
            if not values["name"]:
                raise ProtocolError("invalid_request", "name must be a name")
        if texts["url"]:
            values["url"] = self._checked_url(texts["url"])
        if payload.get("contact_email"):
            values["contact_email"] = self.env["bank.sync.api"]._email(payload)
        return values

    @api.model
    def _matching(self, payload, key, shape, required=False):
        text = self.env["bank.sync.api"]._text(payload, key, required)
        if text is not None and not shape.fullmatch(text):
            raise ProtocolError("invalid_request", f"{key} does not look like one")
        return text

    @api.model
    def _allows_private_addresses(self):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        value = self.env["ir.config_parameter"].sudo().get_param("bank_sync_proxy.allow_private_addresses")
        return str2bool((value or "").strip(), False)

    @api.model
    def _checked_url(self, url):
        try:
            return clean_url(url, allow_private=self._allows_private_addresses())
        except UrlRefused as error:
            raise ConfigurationError("url_refused", f"{url}: {error}")

    # -------------------------------------------------------------------------
    # CREDENTIALS
    # -------------------------------------------------------------------------

    def _rotate_secret(self):
        """
        :return: the next secret, which becomes current with its first use. Until then the present one stays valid: the
            answer may get lost, or the database may stop before storing it. Asking again returns another next secret.
        """
        secret = secrets.token_urlsafe(32)
        self._write_secrets(current=self._secrets()["current"], next=secret)
        return secret

    def _confirm_secret(self, used):
        """Called for each genuine request. Writes only if the next secret is used for the first time.

        :param str used: the secret that it was signed with
        """
        waiting = self._secrets().get("next")
        if waiting and hmac.compare_digest(waiting, used):
            self._write_secrets(current=waiting)

    # -------------------------------------------------------------------------
    # COPIES
    # -------------------------------------------------------------------------

    def _check_copy(self, digest, address, is_noted=True):
        """Distinguish the original from its copies: the first database that is seen is the original.

        :param str digest: header ``Bank-Sync-Database``
        :param str address: network where the request came from
        :param bool is_noted: False beyond the rate limit, so that a flood of digests pushes no database out of the list
        :raise ConsentError: ``database_copied``; what is noted about it is kept by :meth:`BankSyncError._attempt`
        """
        self.ensure_one()
        # sudo: the gate has checked the client's signature; notes about copies are written by the system, not by a user
        client = self.with_user(SUPERUSER_ID)
        if not client.database_digest:
            client.database_digest = digest
        if hmac.compare_digest(client.database_digest, digest):
            return
        databases = self.env["bank.sync.refused.database"].with_env(client.env)
        if is_noted:
            databases._note(client, digest, address)
            client._note_copy()
        note = self.env._("Database code for support: %s.", databases._code_of(digest))
        raise ConsentError("database_copied", "another database signs with these credentials", note=note, keeps=True)

    def _note_copy(self):
        """Notify support, at most once a day."""
        now = fields.Datetime.now()
        if self.copy_noted_at and self.copy_noted_at > now - timedelta(days=1):
            return
        self.copy_noted_at = now
        self.message_post(
            body=self.env._(
                "A copy of this database, or the database itself after a move, sends requests with its credentials and "
                "is refused. The original is not affected. If it was moved on purpose, use Accept New Database."
            )
        )

    # -------------------------------------------------------------------------
    # CLEAN-UP
    # -------------------------------------------------------------------------

    @api.autovacuum
    def _gc_unconfirmed(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_UNCONFIRMED_DAYS)
        domain = [("awaits_phone_since", "<", limit), ("connection_ids", "=", False), ("blocked_by", "!=", "support")]
        return clean_up(self, domain, 1000, order="awaits_phone_since")
