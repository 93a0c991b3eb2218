import secrets
from datetime import timedelta, timezone

from odoo import api, fields, models

from ..providers.errors import ConsentError
from ..providers.types import Challenge, Completed, Flow, Redirect, Refreshed, moment_text

#: Connections that nobody finished are of no use to anybody.
KEEP_UNFINISHED_DAYS = 7


def naive(moment):
    """An aware moment as Odoo stores it."""
    return moment and moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)


def aware(moment):
    return moment and moment.replace(tzinfo=timezone.utc)


class BankSyncConnection(models.Model):
    """One consent of one user at one institution, with the secrets that it brought."""

    _name = "bank.sync.connection"
    _description = "Bank Connection"
    _order = "id desc"
    _rec_name = "identifier"

    identifier = fields.Char(
        required=True, readonly=True, copy=False, default=lambda self: secrets.token_urlsafe(18), help="Random."
    )
    client_id = fields.Many2one(
        comodel_name="bank.sync.client", required=True, readonly=True, index=True, ondelete="cascade"
    )
    institution_id = fields.Many2one(comodel_name="bank.sync.institution", readonly=True, ondelete="restrict")
    provider_id = fields.Many2one(related="institution_id.provider_id", store=True, index=True)
    state = fields.Selection(
        selection=[
            ("pending", "Unfinished"),
            ("connected", "Connected"),
            ("expired", "Expired"),
            ("disconnected", "Disconnected"),
        ],
        required=True,
        readonly=True,
        default="pending",
        copy=False,
    )
    consent_expires_at = fields.Datetime(string="Consent Until", readonly=True, copy=False)
    refreshed_at = fields.Datetime(readonly=True, copy=False, help="When the bank gave its last news.")
    # What the adapter needs to speak for the user, encrypted.
    secret_state = fields.Text(readonly=True, copy=False, groups="base.group_system")
    visit_ids = fields.One2many(comodel_name="bank.sync.visit", inverse_name="connection_id")
    error_ids = fields.One2many(comodel_name="bank.sync.error", inverse_name="connection_id")

    _identifier_unique = models.UniqueIndex("(identifier)", "Identifiers of connections are unique.")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - STATE
    # -------------------------------------------------------------------------

    def _read_state(self):
        """:raise ConsentError: ``secrets_unreadable``"""
        return self.env["bank.sync.vault"]._decrypt(self.sudo().secret_state)

    def _take(self, result):
        """Store what an adapter gave at the end of a consent or of a refresh.

        :param result: :class:`~..providers.types.Completed` or :class:`~..providers.types.Refreshed`
        """
        values = {"state": "connected", "secret_state": self.env["bank.sync.vault"]._encrypt(result.state)}
        if result.refreshed_at:
            values["refreshed_at"] = naive(result.refreshed_at)
        if isinstance(result, Completed):
            values["consent_expires_at"] = naive(result.consent_expires_at)
        self.write(values)

    def _note_failure(self, error):
        """A consent that has ended stays ended, until the user gives a new one."""
        if self.state == "connected" and error.code in ("consent_expired", "consent_revoked"):
            self.state = "expired"
        elif self.state in ("connected", "expired") and error.code == "connection_disconnected":
            self.state = "disconnected"

    def _disconnect(self):
        """Forget the consent for good; the record stays for support."""
        self.visit_ids._close("cancelled")
        self.write({"state": "disconnected", "secret_state": False})

    def _check_usable(self):
        self.ensure_one()
        if self.state == "pending":
            raise ConsentError("connection_unfinished", "no consent yet")
        if self.state == "disconnected":
            raise ConsentError("connection_disconnected", "disconnected at the proxy")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ASKING THE PROVIDER
    # -------------------------------------------------------------------------

    def _flow(self, kind, language, data=None):
        """:return: the visit as the adapter sees it"""
        return Flow(
            kind=kind,
            institution=self.institution_id.provider_institution,
            language=language or "en_US",
            state=self._read_state(),
            data=data or {},
        )

    def _begin(self, kind, language):
        """Begin a consent.

        :return: :class:`~..providers.types.Challenge` or :class:`~..providers.types.Redirect`
        """
        adapter = self.provider_id._adapter()
        flow = self._flow(kind, language)
        if kind == "renew":
            return adapter.renew(flow.state, flow)
        return adapter.start(flow.institution, flow)

    def _refresh(self, user_present):
        """Ask the bank for its news.

        :return: None when they are there, or the challenge that the bank puts first
        """
        self._check_usable()
        result = self.provider_id._adapter().refresh(self._read_state(), user_present=user_present)
        if isinstance(result, Refreshed):
            self._take(result)
            return None
        if not user_present and isinstance(result, Challenge | Redirect):
            raise ConsentError("challenge_required", "the adapter asks although nobody is present")
        return result

    def _accounts(self):
        """:return: *account* objects of docs/protocol.md"""
        self._check_usable()
        return [account.to_protocol() for account in self.provider_id._adapter().accounts(self._read_state())]

    def _transactions(self, account, since, cursor, limit):
        """:return: :class:`~..providers.types.Page`"""
        self._check_usable()
        return self.provider_id._adapter().transactions(
            self._read_state(), account, since=since, cursor=cursor, limit=limit
        )

    def _revoke(self):
        """Give the consent back at the provider."""
        if self.state in ("connected", "expired") and self.provider_id:
            self.provider_id._adapter().revoke(self._read_state())

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PROTOCOL
    # -------------------------------------------------------------------------

    @api.model
    def _find(self, client, identifier):
        """A client's own connection. Another one's does not exist for it.

        :raise ConsentError: ``unknown_connection``
        """
        found = self.sudo().search_fetch([("client_id", "=", client.id), ("identifier", "=", identifier)], limit=1)
        if not identifier or not found:
            raise ConsentError("unknown_connection", "no such connection of this client")
        return found

    def _to_protocol(self):
        """:return: *connection* of docs/protocol.md"""
        self.ensure_one()
        ended = self.state == "connected" and self.consent_expires_at and self._has_run_out()
        return {
            "id": self.identifier,
            "state": "expired" if ended else self.state,
            "institution": self.institution_id._to_protocol() if self.institution_id else None,
            "provider": self.provider_id._to_protocol() if self.provider_id else None,
            "consent_expires_at": moment_text(aware(self.consent_expires_at)) or None,
            "refreshed_at": moment_text(aware(self.refreshed_at)) or None,
        }

    def _has_run_out(self):
        return self.consent_expires_at <= naive(self.provider_id._now())

    @api.autovacuum
    def _gc_unfinished(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_UNFINISHED_DAYS)
        self.search([("state", "=", "pending"), ("create_date", "<", limit)], limit=10_000).unlink()
