import secrets
from contextlib import contextmanager
from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.tools.translate import get_translation

from ..providers.errors import ConsentError, ProviderError, TransientError
from ..providers.masking import one_line
from ..providers.types import Challenge, Completed, Flow, Redirect, Refreshed, User, moment_text
from .bank_sync_connection_secret import ConnectionSafe
from .clean_up import clean_up

#: Days after which connections that were never completed are deleted.
KEEP_UNFINISHED_DAYS = 7
MAX_NAME = 100
#: How many days before the end of a consent the database is notified, each once.
WARNING_DAYS = (14, 7, 1)
#: Time after which a success is written again.
NOTED_EVERY = timedelta(hours=1)


def naive(moment):
    """An aware datetime as Odoo stores it."""
    return moment and moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)


def aware(moment):
    return moment and moment.replace(tzinfo=timezone.utc)


class BankSyncConnection(models.Model):
    """One consent of one user at one institution, with its secrets."""

    _name = "bank.sync.connection"
    _description = "Bank Connection"
    _order = "id desc"
    _rec_name = "identifier"
    _rec_names_search = ["identifier", "institution_id"]

    identifier = fields.Char(
        required=True, readonly=True, copy=False, default=lambda self: secrets.token_urlsafe(18), help="Random."
    )
    client_id = fields.Many2one(
        comodel_name="bank.sync.client", required=True, readonly=True, index=True, ondelete="cascade"
    )
    institution_id = fields.Many2one(comodel_name="bank.sync.institution", readonly=True, ondelete="restrict")
    institution_name = fields.Char(readonly=True, copy=False, help="Where the directory does not know the name.")
    provider_id = fields.Many2one(related="institution_id.provider_id", store=True)
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
    reason = fields.Text(readonly=True, copy=False, help="Why support has disconnected it; its users can read this.")
    provider_reference = fields.Char(
        readonly=True, copy=False, index="btree_not_null", help="How the provider's webhooks name the consent."
    )
    consent_warning = fields.Integer(
        readonly=True, copy=False, help="Days before the end at which the database was last notified; 0: not yet."
    )
    consent_expires_at = fields.Datetime(string="Consent Until", readonly=True, copy=False)
    refreshed_at = fields.Datetime(readonly=True, copy=False, help="When the bank last provided new data.")
    # The health of a bank is counted from these three, see bank.sync.institution.
    asked_at = fields.Datetime(
        readonly=True, copy=False, help="When the bank was last asked and answered, or was in trouble."
    )
    answered_at = fields.Datetime(readonly=True, copy=False, help="When the bank last answered, within the hour.")
    trouble = fields.Char(
        readonly=True, copy=False, help="Code of the failure of the bank or its provider; empty since it answers again."
    )
    # What the adapter needs to act for the user, encrypted.
    secret_state = fields.Text(readonly=True, copy=False, groups="base.group_system")
    visit_ids = fields.One2many(comodel_name="bank.sync.visit", inverse_name="connection_id")
    error_ids = fields.One2many(comodel_name="bank.sync.error", inverse_name="connection_id")
    error_count = fields.Integer(compute="_compute_error_count")

    _identifier_unique = models.UniqueIndex("(identifier)", "Identifiers of connections are unique.")
    # The health of a bank: its connections with the latest requests.
    _health_index = models.Index("(institution_id, asked_at DESC) WHERE asked_at IS NOT NULL")
    # Metrics, which are read every few seconds.
    _provider_state = models.Index("(provider_id, state)")
    _provider_news = models.Index("(provider_id, refreshed_at) WHERE refreshed_at IS NOT NULL")
    # Consents that end soon, and connections that were never completed.
    _consent_end = models.Index("(consent_expires_at) WHERE state = 'connected'")
    _unfinished = models.Index("(create_date) WHERE state = 'pending'")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("error_ids")
    def _compute_error_count(self):
        counts = dict(
            self.env["bank.sync.error"]._read_group(
                [("connection_id", "in", self.ids)], groupby=["connection_id"], aggregates=["__count"]
            )
        )
        for connection in self:
            connection.error_count = counts.get(connection, 0)

    @api.depends("institution_id", "identifier")
    def _compute_display_name(self):
        for connection in self:
            connection.display_name = f"{connection.institution_id.name or '–'} ({connection.identifier[:8]}…)"

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - STATE
    # -------------------------------------------------------------------------

    def _read_state(self):
        """:raise ConsentError: ``secrets_unreadable``"""
        # sudo: callers are private, with a connection of the checked client or visit; only adapters get the secrets
        return self.env["bank.sync.vault"]._decrypt(self.sudo(), "secret_state")

    def _take(self, result):
        """Store what an adapter returned at the end of a consent or of a refresh.

        :param result: :class:`~..providers.types.Completed` or :class:`~..providers.types.Refreshed`
        """
        secret = self.env["bank.sync.vault"]._encrypt(self, "secret_state", result.state)
        values = {"state": "connected", "secret_state": secret}
        if result.refreshed_at:
            values["refreshed_at"] = naive(result.refreshed_at)
        if isinstance(result, Completed):
            values.update(
                consent_expires_at=naive(result.consent_expires_at),
                consent_warning=0,
                provider_reference=result.reference or self.provider_reference,
                reason=False,
                institution_name=result.institution_name and one_line(result.institution_name)[:MAX_NAME],
            )
        self.write(values)

    def _note_failure(self, error):
        """Store what must survive a failed request: that a consent has ended, and that the request counts.

        Called after the request's savepoint, which rolls everything else back.
        """
        if self.state == "connected" and error.code in ("consent_expired", "consent_revoked"):
            self.state = "expired"
        elif self.state in ("connected", "expired") and error.code == "connection_disconnected":
            self.state = "disconnected"
        elif self.state == "connected" and error.code == "credentials_rejected" and error.provider:
            # Why not within the request: what that has written is rolled back.
            state = self._read_state()
            if (kept := self.provider_id._adapter().forget_refused(state)) != state:
                self.secret_state = self.env["bank.sync.vault"]._encrypt(self, "secret_state", kept)
        if error.is_outage:
            self.write({"asked_at": fields.Datetime.now(), "trouble": error.code})
        for connection, kind, account in getattr(error, "spent", ()):
            if connection == self:
                self.env["bank.sync.usage"]._count(self, kind, account)

    def _note_answer(self):
        """Note that the bank has answered. Written once an hour at most: a run makes several requests."""
        now = fields.Datetime.now()
        if self.trouble or not self.answered_at or now - self.answered_at >= NOTED_EVERY:
            self.write({"asked_at": now, "answered_at": now, "trouble": False})

    def _disconnect(self, reason=None):
        """Delete the consent permanently; the record stays for support.

        :param str reason: shown to the database's users
        """
        self.visit_ids._close("cancelled")
        # sudo: callers are private; the secrets of a deleted consent are useless
        as_server(self.env["bank.sync.connection.secret"]).search([("connection_id", "in", self.ids)]).unlink()
        self.write({"state": "disconnected", "secret_state": False, "reason": reason or False})

    def _check_usable(self):
        self.ensure_one()
        if self.state == "pending":
            raise ConsentError("connection_unfinished", "no consent yet")
        if self.state == "disconnected":
            raise ConsentError("connection_disconnected", "disconnected at the proxy", note=self.reason or None)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ASKING THE PROVIDER
    # -------------------------------------------------------------------------

    def _adapter(self):
        """:return: the provider's adapter, once this connection may make a request
        :raise TransientError: ``provider_busy``
        """
        self.provider_id._take_slot()
        adapter = self.provider_id._adapter()
        # Why in the context: it belongs to this request only, and is not stored.
        adapter.user = User.from_json(self.env.context.get("bank_sync_user"))
        adapter.safe = ConnectionSafe(self)
        adapter.answer_limit = self.env.context.get("bank_sync_answer_limit")
        return adapter

    def _flow(self, kind, language, data=None, callback_state=None):
        """:return: the visit, in the form that adapters use"""
        return Flow(
            kind=kind,
            institution=self.institution_id.provider_institution,
            callback_url=f"{self.get_base_url()}/bank_sync/callback/{self.provider_id.code}",
            callback_state=callback_state,
            language=language or "en_US",
            state=self._read_state(),
            data=data or {},
        )

    def _begin(self, kind, language, callback_state=None):
        """Begin a consent.

        :return: :class:`~..providers.types.Challenge` or :class:`~..providers.types.Redirect`
        """
        adapter = self._adapter()
        flow = self._flow(kind, language, callback_state=callback_state)
        if kind == "renew":
            return adapter.renew(flow.state, flow)
        return adapter.start(flow.institution, flow)

    def _refresh(self, user_present, language=None, callback_state=None):
        """Ask the bank to update its data.

        :return: (None when it is up to date, or the challenge or redirect that the bank requires first; dict of
            ``notes``, sentences about problems in the reader's language, and ``accounts`` of docs/protocol.md, each
            where there are any)
        """
        self._check_usable()
        flow = self._flow("refresh", language, callback_state=callback_state)
        if user_present:
            result = self._adapter().refresh(flow.state, user_present=True, flow=flow)
        else:
            with self._spending("refresh"):
                result = self._adapter().refresh(flow.state, user_present=False, flow=flow)
        if isinstance(result, Refreshed):
            self._take(result)
            return None, self._news_of(result)
        if not user_present and isinstance(result, Challenge | Redirect):
            raise ConsentError("challenge_required", "the adapter asks although nobody is present")
        return result, {}

    def _news_of(self, refreshed):
        news, language = {}, self.env.lang or "en_US"
        if refreshed.notes:
            news["notes"] = [get_translation("bank_sync_proxy", language, note, ()) for note in refreshed.notes]
        if refreshed.accounts is not None:
            news["accounts"] = [account.to_protocol() for account in refreshed.accounts]
            self._note_answer()
        return news

    def _accounts(self):
        """:return: *account* objects of docs/protocol.md"""
        self._check_usable()
        accounts = [account.to_protocol() for account in self._adapter().accounts(self._read_state())]
        self._note_answer()
        return accounts

    def _transactions(self, account, since, cursor, limit):
        """:return: :class:`~..providers.types.Page`"""
        self._check_usable()
        state, parameters = self._read_state(), {"since": since, "cursor": cursor, "limit": limit}
        if cursor:
            return self._adapter().transactions(state, account, **parameters)
        with self._spending("fetch", account):
            page = self._adapter().transactions(state, account, **parameters)
        self._note_answer()
        return page

    @contextmanager
    def _spending(self, kind, account=None):
        """Make a request, within the number that the bank allows per day.

        Failed requests count, too, unless there was no answer: ``_note_failure`` adds them, because the savepoint of
        the failed request would roll that back.
        """
        usage = self.env["bank.sync.usage"]
        usage._check(self, kind, account)
        try:
            yield
        except ProviderError as error:
            if not isinstance(error, TransientError) or error.status:
                error.spent = [(self, kind, account)]
            raise
        usage._count(self, kind, account)

    def _revoke(self):
        """Revoke the consent at the provider."""
        if self.state in ("connected", "expired") and self.provider_id:
            self._adapter().revoke(self._read_state())

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - NOTIFYING DATABASES
    # -------------------------------------------------------------------------

    @api.model
    def _emit_for(self, provider, events):
        """Notify the databases of what a provider has reported.

        :param events: :class:`~..providers.types.WebhookEvent` objects
        """
        for event in events:
            # sudo: the adapter has checked the webhook's signature; events only say what to request
            connections = self.sudo().search(
                [
                    ("provider_id", "=", provider.id),
                    ("provider_reference", "=", event.reference),
                    ("state", "in", ("connected", "expired")),
                ]
            )
            for connection in connections:
                self.env["bank.sync.event"]._emit(connection.client_id, event.kind, connection)

    @api.model
    def _cron_warn_of_ends(self):
        """Notify databases that a consent ends soon, 14, 7 and 1 days before; after a pause only the nearest."""
        for provider in self.env["bank.sync.provider"].search([("active", "=", True)]):
            now = naive(provider._now())
            ending = self.search(
                [
                    ("provider_id", "=", provider.id),
                    ("state", "=", "connected"),
                    ("consent_expires_at", ">", now),
                    ("consent_expires_at", "<=", now + timedelta(days=max(WARNING_DAYS))),
                ]
            )
            for connection in ending:
                left = connection.consent_expires_at - now
                nearest = min(days for days in WARNING_DAYS if left <= timedelta(days=days))
                if not connection.consent_warning or nearest < connection.consent_warning:
                    connection.consent_warning = nearest
                    self.env["bank.sync.event"]._emit(connection.client_id, "consent.expiring", connection)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PROTOCOL
    # -------------------------------------------------------------------------

    @api.model
    def _find(self, client, identifier):
        """A connection of this client. Those of other clients do not exist for it.

        :raise ConsentError: ``unknown_connection``
        """
        # sudo: finds only what belongs to the authenticated client
        found = self.sudo().search_fetch([("client_id", "=", client.id), ("identifier", "=", identifier)], limit=1)
        if not identifier or not found:
            raise ConsentError("unknown_connection", "no such connection of this client")
        return found

    def _to_protocol(self):
        """:return: *connection* of docs/protocol.md"""
        self.ensure_one()
        end = self.state == "connected" and self.consent_expires_at
        has_ended = end and end <= naive(self.provider_id._now())
        return {
            "id": self.identifier,
            "state": "expired" if has_ended else self.state,
            "institution": self._institution_to_protocol(),
            "provider": self.provider_id._to_protocol() if self.provider_id else None,
            "consent_expires_at": moment_text(aware(self.consent_expires_at)) or None,
            "refreshed_at": moment_text(aware(self.refreshed_at)) or None,
            "reason": (self.state == "disconnected" and self.reason) or None,
        }

    def _institution_to_protocol(self):
        if not self.institution_id:
            return None
        rows = self.institution_id._rows_of_banks()[self.institution_id.id]
        institution = self.institution_id._to_protocol(rows, rows._health(self.client_id))
        return {**institution, "name": self.institution_name or institution["name"]}

    def _health(self):
        """:return: *health* of docs/protocol.md of the connection's bank through its provider, or None"""
        return self.institution_id._health(self.client_id).get(self.institution_id.id)

    @api.autovacuum
    def _gc_unfinished(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_UNFINISHED_DAYS)
        return clean_up(self, [("state", "=", "pending"), ("create_date", "<", limit)])
