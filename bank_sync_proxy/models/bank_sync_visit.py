import hashlib
import hmac
import math
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.tools.translate import get_translation

from ..providers.errors import ConsentError, ProtocolError, RateLimited
from ..providers.types import Challenge, Completed, Redirect, Refreshed, moment_text
from ..tools.urls import is_page, with_query
from .bank_sync_connection import aware
from .clean_up import clean_up

MINUTES = 30
MAX_ATTEMPTS = 5
MAX_VALUE_LENGTH = 500
KEEP_DAYS = 7
#: Visits that a database on another server may begin within an hour: each is a row, and usually a request to a bank.
PER_HOUR = 120


class BankSyncVisit(models.Model):
    """A user's way through the hosted pages: one ticket that admits one browser.

    The state is kept here, encrypted; the browser has only a key. A page shows the state of the visit. The step counts
    changes, so that a form of an outdated page (browser back, double click) changes nothing.
    """

    _name = "bank.sync.visit"
    _description = "Visit of the Bank's Pages"
    _order = "id desc"

    create_date = fields.Datetime(readonly=True, index=True)
    connection_id = fields.Many2one(
        comodel_name="bank.sync.connection", required=True, index=True, ondelete="cascade", readonly=True
    )
    kind = fields.Selection(
        selection=[("connect", "New Consent"), ("renew", "Renewal"), ("refresh", "Refresh")],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        selection=[("open", "Open"), ("done", "Finished"), ("cancelled", "Cancelled"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="open",
    )
    public_id = fields.Char(
        string="Address",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: secrets.token_urlsafe(12),
        help="Part of the page's address. It is not a secret: it works only in the browser that opened the ticket.",
    )
    # Digests of the one-time ticket, of the key of the admitted browser, and of the state that the bank's page returns.
    token_digest = fields.Char(required=True, readonly=True, copy=False, groups="base.group_system")
    browser_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")
    callback_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")
    step = fields.Integer(readonly=True)
    attempts = fields.Integer(readonly=True, help="Answers that were not accepted.")
    expires_at = fields.Datetime(required=True, readonly=True)
    redirected_at = fields.Datetime(readonly=True, help="When the browser was sent to the bank's own page.")
    polled_at = fields.Datetime(readonly=True, help="When the bank was last asked whether its app has approved.")
    return_url = fields.Char(readonly=True, groups="base.group_system")
    language = fields.Char(readonly=True)
    country_code = fields.Char(size=2, readonly=True, help="Which banks are proposed first.")
    may_choose = fields.Boolean(readonly=True, help="The user chooses the bank on our page.")
    # The challenge or redirect, and the adapter's state until it is answered, encrypted.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    # Why an index: without it, PostgreSQL reads all visits for each error record that is deleted.
    error_id = fields.Many2one(
        comodel_name="bank.sync.error", readonly=True, ondelete="set null", index="btree_not_null"
    )

    _token_digest_unique = models.UniqueIndex("(token_digest)", "A ticket serves one visit.")
    _public_id_unique = models.UniqueIndex("(public_id)", "An address serves one visit.")
    _callback_digest_unique = models.UniqueIndex("(callback_digest)", "A bank's page leads back to one visit.")

    # -------------------------------------------------------------------------
    # OPENING AND CLOSING
    # -------------------------------------------------------------------------

    @api.model
    def _open(self, connection, kind, result=None, callback_state=None, **values):
        """Begin a visit, and end an older one of the same connection.

        :param result: the first challenge or redirect; None: the user chooses the bank first
        :param str callback_state: state that the adapter was given at the beginning
        :param values: ``return_url``, ``language``, ``country_code``, ``may_choose``
        :return: ``connection_id``, ``page_url`` and ``expires_at`` of docs/protocol.md
        """
        self._check_room(connection.client_id)
        connection.visit_ids._close("cancelled")
        token = self._new_token()
        visit = self.create(
            {
                "may_choose": result is None,
                **values,
                "connection_id": connection.id,
                "kind": kind,
                "token_digest": self._digest(token),
                "expires_at": fields.Datetime.now() + timedelta(minutes=MINUTES),
            }
        )
        if result is not None:
            visit._take(result, callback_state)
        return {
            "connection_id": connection.identifier,
            "page_url": f"/bank_sync/connect/{token}",
            "expires_at": moment_text(aware(visit.expires_at)),
        }

    @api.model
    def _check_room(self, client):
        """:raise RateLimited: ``too_many_requests``"""
        if client.is_embedded:
            return
        now = fields.Datetime.now()
        since = now - timedelta(hours=1)
        begun = self.search([("connection_id.client_id", "=", client.id), ("create_date", ">", since)], limit=PER_HOUR)
        if len(begun) == PER_HOUR:
            seconds = (begun[-1].create_date - since).total_seconds()
            raise RateLimited(
                "too_many_requests", f"more than {PER_HOUR} visits in an hour", retry_after=max(1, math.ceil(seconds))
            )

    @api.model
    def _new_token(self):
        """:return: a secret that is valid once"""
        return secrets.token_urlsafe(32)

    @api.model
    def _digest(self, token):
        return hashlib.sha256((token or "").encode()).hexdigest()

    @api.model
    def _find(self, token):
        """:return: the visit of a ticket in any state, or an empty recordset"""
        # sudo: found by its ticket of 256 bits only
        return as_server(self).search([("token_digest", "=", self._digest(token))], limit=1)

    @api.model
    def _find_returned(self, provider_code, callback_state):
        """:return: the visit that waits for this state from a provider's page, or an empty recordset"""
        # sudo: found by a state of 256 bits only, of the provider that sent the browser
        found = as_server(self).search([("callback_digest", "=", self._digest(callback_state))], limit=1)
        return found.filtered(lambda visit: visit.connection_id.provider_id.code == provider_code)

    def _admit(self, browser_key):
        """Admit the first browser that presents the ticket, and no other one.

        :param str browser_key: random, kept in a cookie
        :return: whether this browser is admitted
        """
        if not self.browser_digest:
            self.browser_digest = self._digest(browser_key)
        return self._is_of(browser_key)

    def _is_of(self, browser_key):
        return bool(self.browser_digest and browser_key) and hmac.compare_digest(
            self.browser_digest, self._digest(browser_key)
        )

    def _is_open(self):
        return self.state == "open" and self.expires_at > fields.Datetime.now()

    def _close(self, state):
        self.filtered(lambda visit: visit.state == "open").write(
            {"state": state, "secret_data": False, "callback_digest": False}
        )

    def _way_back(self, **parameters):
        """:return: where the browser goes when it leaves, or None"""
        if not self.return_url:
            return None
        return with_query(self.return_url, connection_id=self.connection_id.identifier, **parameters)

    def _refusal(self):
        """Extension point.

        :return: the error for which the client's pages are refused at the moment, or None
        """
        return None

    # -------------------------------------------------------------------------
    # STEPS
    # -------------------------------------------------------------------------

    def _choose_institution(self, identifier, address=None):
        """The user has chosen a bank."""
        if not self.may_choose:
            return
        identifier = identifier.replace("\x00", "")

        def call():
            self.connection_id.institution_id = self.env["bank.sync.institution"]._find(identifier)
            self._begin("connect")

        self._ask("visit.choose", call, {"institution_id": identifier}, address)

    def _choose_again(self):
        """The user wants another bank."""
        if self.may_choose:
            self.connection_id.institution_id = False
            self._advance({})

    def _begin_again(self, address=None):
        """Start the bank's page again: its result was unusable, or the user wants to repeat it."""
        if self.connection_id.institution_id and not self._challenge():
            self._ask("visit.again", lambda: self._begin(self.kind), address=address)

    def _begin(self, kind):
        callback_state = self._new_token()
        if kind == "refresh":
            result, _news = self.connection_id._refresh(True, self.language, callback_state)
            if result is None:
                self._close("done")
                return
        else:
            result = self.connection_id._begin(kind, self.language, callback_state)
        self._take(result, callback_state)

    def _answer(self, values, address=None):
        """The user has answered the challenge.

        :param dict values: by name of the field, texts or tuples
        """

        def call():
            challenge = self._challenge()
            if challenge:
                self._ask_adapter(lambda adapter, flow: adapter.answer(flow, self._accepted(challenge, values)))

        self._ask("visit.answer", call, address=address)

    def _poll(self, address=None):
        """Check at the bank whether the user has approved in its app, unless the last request is too recent."""
        challenge = self._challenge()
        now = fields.Datetime.now()
        if not challenge or challenge.kind != "approval":
            return
        if self.polled_at and now < self.polled_at + timedelta(seconds=challenge.poll_seconds):
            return
        # Another window is asking already: this one shows the stored state.
        if self.try_lock_for_update(allow_referencing=True):
            self.polled_at = now
            self._answer({}, address)

    def _complete(self, params, address=None):
        """The browser came back from the bank's page.

        :param dict params: parameters of the callback, texts; never recorded, because an authorization code is a
            credential
        """
        # Why outside of the savepoint: the state is valid once, even if the callback is refused.
        self.callback_digest = False
        self._ask(
            "visit.callback",
            lambda: self._ask_adapter(lambda adapter, flow: adapter.complete(flow, params)),
            {"parameters": sorted(params)},
            address,
        )
        if self.state == "open" and not self.callback_digest and self._redirect():
            # It has failed: the user can only try again.
            self._store({})

    def _ask_adapter(self, call):
        stored = self._stored()
        shown = stored.get("challenge") or stored.get("redirect") or {}
        callback_state = self._new_token()
        flow = self.connection_id._flow(self.kind, self.language, shown.get("data"), callback_state)
        self._take(call(self.connection_id._adapter(), flow), callback_state)

    def _accepted(self, challenge, values):
        """Keep only the requested fields, within limits of length, and for choices only the offered options."""
        accepted = {}
        for field in challenge.fields:
            options = {option.value for option in field.options}
            if field.type == "multichoice":
                accepted[field.name] = tuple(value for value in values.get(field.name, ()) if value in options)
            elif field.type not in ("info", "image"):
                value = "".join(values.get(field.name, ()))[:MAX_VALUE_LENGTH].replace("\x00", "")
                accepted[field.name] = value if field.type != "choice" or value in options else ""
        return accepted

    def _ask(self, operation, call, request=None, address=None):
        """Call the adapter; a failure ends the visit, or is shown on the page if another attempt makes sense."""
        _answer, error, record = self.env["bank.sync.error"]._attempt(
            call,
            operation=operation,
            client=self.connection_id.client_id,
            connection=self.connection_id,
            request=request,
        )
        if error and error.action == "retry":
            self.write({"error_id": record.id or False, "step": self.step + 1})
        elif error:
            self._fail(error, record, address)

    def _fail(self, error, record, address=None):
        """:param str address: where the request came from"""
        if self.kind != "connect":
            self.connection_id._note_failure(error)
        self._close("failed")
        self.error_id = record.id or False

    def _take(self, result, callback_state=None):
        """Take the next step according to the adapter's answer."""
        if isinstance(result, Completed | Refreshed):
            if isinstance(result, Refreshed) and self.kind != "refresh":
                raise ProtocolError("unexpected_answer", "a consent ended without a consent")
            self.connection_id._take(result)
            self._close("done")
        elif isinstance(result, Challenge):
            if result.form:
                self._check_page(result.form.url)
            # Choosing no account is not counted as guessing a credential.
            failed = bool(result.error) and result.kind in ("credentials", "code")
            attempts = self.attempts + failed
            if attempts >= MAX_ATTEMPTS:
                raise ConsentError("credentials_rejected", f"{attempts} answers were not accepted")
            before = self._challenge() if result.kind == "approval" and not result.error else None
            if before and before.kind == "approval":
                # It is still the same approval: there is no new step, and the buttons of the page still work.
                self._store({"challenge": result.to_json()})
            else:
                self._advance({"challenge": result.to_json()}, attempts=attempts)
        elif isinstance(result, Redirect) and callback_state:
            self._check_page(result.url)
            self._advance(
                {"redirect": {"url": result.url, "data": result.data}},
                callback_digest=self._digest(callback_state),
                redirected_at=False,
            )
        else:
            raise ProtocolError("unexpected_answer", f"an adapter gave {type(result).__name__}")

    def _check_page(self, url):
        """:raise ProtocolError: for an address of a provider to which no browser may be sent"""
        if not is_page(url, self.get_base_url() or ""):
            provider = self.connection_id.provider_id.code
            raise ProtocolError("unexpected_answer", f"no address of a page: {str(url)[:200]}", provider=provider)

    def _advance(self, stored, **values):
        self._store(stored)
        self.write({"callback_digest": False, **values, "step": self.step + 1, "error_id": False})

    def _store(self, stored):
        self.secret_data = self.env["bank.sync.vault"]._encrypt(self, "secret_data", stored)

    # -------------------------------------------------------------------------
    # WHAT THE PAGES SHOW
    # -------------------------------------------------------------------------

    def _stored(self):
        """:raise ConsentError: ``secrets_unreadable``"""
        return self.env["bank.sync.vault"]._decrypt(self, "secret_data")

    def _challenge(self):
        """:return: the current :class:`~..providers.types.Challenge`, or None
        :raise ConsentError: ``secrets_unreadable``
        """
        stored = self._stored().get("challenge")
        return Challenge.from_json(stored) if stored else None

    def _redirect(self):
        """:return: address of the bank's page, to which the user is sent, or None"""
        return self._stored().get("redirect", {}).get("url")

    def _receiver(self):
        """:return: where the data goes, see :meth:`BankSyncClient._describe_receiver`; None without a visit"""
        return self.connection_id.client_id._describe_receiver() if self else None

    def _translate(self, text):
        """Texts of adapters are English; they are exported for translation with the addon's own."""
        return get_translation("bank_sync_proxy", self.env.lang or "en_US", text, ()) if text else ""

    @api.autovacuum
    def _gc_visits(self):
        return clean_up(self, [("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))])
