import hashlib
import logging
import threading
from collections import Counter
from datetime import datetime
from pathlib import Path

from odoo import api, fields, models, modules
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_common.tools.master_key import KeyUnavailable, read_master_keys
from odoo.addons.bank_sync_common.tools.vault import SecretsUnreadable, Vault, WeakKey
from odoo.addons.bank_sync_common.tools.words import Sentence
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tools import config
from odoo.tools.translate import get_translation

from ..client.addresses import BadAddress, clean_address
from ..client.auth import SignatureAuth
from ..client.client import ProxyClient
from ..client.errors import STRANGERS, ProxyError, ServiceUnavailable
from ..client.messages import parse_moment
from ..client.remote import RemoteTransport
from ..client.transport import EmbeddedTransport

_logger = logging.getLogger(__name__)

PURPOSE = "account_online_synchronization"
STATES = ("phone_required", "active", "blocked", "disconnected")

#: Refusals that the confirmation of a phone number resolves.
PHONE_REFUSALS = ("phone_required", "client_blocked", "client_disconnected")

RETRY_MINUTES = 5


class AccountOnlineService(models.Model):
    """The connection service in use and this database's identity there (singleton).

    At the service this database is a *client*, see docs/protocol.md. The state here is a copy for users; the service
    decides on each request.
    """

    _name = "account.online.service"
    _description = "Connection Service"

    url = fields.Char(string="Address", readonly=True, help="Empty if this database is its own connection service.")
    client_identifier = fields.Char(string="Client ID", readonly=True, copy=False)
    # {"current": …, "next": …}: the shared secrets, encrypted. ``next`` exists during a rotation.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    registered_with = fields.Char(
        readonly=True, copy=False, help="Address of the service that issued the client ID; no other one knows it."
    )
    registered_url = fields.Char(
        readonly=True, copy=False, help="Address of this database at the service, to which its pages lead back."
    )
    state = fields.Selection(
        selection=[
            ("phone_required", "Phone Number Required"),
            ("active", "Active"),
            ("blocked", "Blocked"),
            ("disconnected", "Disconnected"),
        ],
        readonly=True,
        copy=False,
    )
    blocked_by = fields.Char(readonly=True, copy=False)
    reason = fields.Text(readonly=True, copy=False)
    phone_hint = fields.Char(readonly=True, copy=False, help="The last digits of the phone number that reactivates it.")
    # The accounting firm as last reported by the service; account.online.firm requests it again when it is opened.
    firm_name = fields.Char(readonly=True, copy=False)
    firm_agreed_at = fields.Datetime(readonly=True, copy=False)
    provider_activity_id = fields.Many2one(
        comodel_name="mail.activity",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Asks an administrator to switch on a provider. While it is open, nobody is asked again.",
    )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHICH SERVICE
    # -------------------------------------------------------------------------

    @api.model
    def _get(self):
        """:return: the one record, with superuser rights"""
        # sudo: callers are private; only sentences and ids that are not secret reach a client
        return as_server(self).env.ref("account_online_synchronization.account_online_service")

    def _choose(self, url):
        """:param str url: address of a service, empty for this database
        :raise UserError: when it is not a permitted address
        """
        url = self._clean(url)
        if url != self.url:
            # Why the credentials stay: after a typo the user can return to the previous service.
            self.write({"url": url, "state": False, "blocked_by": False, "reason": False, "phone_hint": False})
            self._take_firm(None)

    @api.model
    def _clean(self, url):
        """:return: the address as it is stored, False for this database
        :raise UserError: when it is not a permitted address
        """
        try:
            return clean_address(url) if url else False
        except BadAddress as error:
            raise UserError(self._translate(error.sentence))

    def _is_registered(self):
        """Whether this database is registered at the chosen address, as far as known here."""
        return bool(self.url and self.client_identifier and self.registered_with == self.url)

    def _is_known(self):
        """Whether this database can prove its identity; a copy can't, and must register again."""
        try:
            return bool(self._is_registered() and self._read_secrets())
        except ProxyError:
            return False

    def _test(self):
        """*Test Connection*.

        :return: sentence about a service that answers
        :raise ProxyError: with the sentence for the cause
        """
        if self.url and not self._is_registered():
            # Why unsigned: it only tests whether a connection service answers, without registering this database.
            answer = self._open_transport().call("clients.status", {})
            if not isinstance(answer.get("error"), dict) or answer["error"].get("code") == "unsupported_version":
                raise ProxyError.from_answer(answer.get("error"))
            return self.env._(
                "The connection service at %s answers. This database registers automatically when the first bank "
                "is connected.",
                self.url,
            )
        self._refresh_status()
        if self.state == "active":
            return self.env._("The connection service answers and knows this database. Everything is fine.")
        return self.env._("The connection service answers. %s", self._describe_state())

    def _describe_state(self):
        """:return: sentence about the state"""
        if self.url and not self._is_registered():
            return self.env._("Not registered yet. This happens automatically when the first bank is connected.")
        sentence = {
            "active": self.env._("Active."),
            "phone_required": self.env._("You will be asked for a phone number when the next bank is connected."),
            "blocked": self.env._(
                "This database is blocked. Use Reactivate on a bank connection, or contact support with the client ID."
            ),
            "disconnected": self.env._("This database is disconnected. Use Reconnect on a bank connection."),
        }.get(self.state, "")
        return f"{sentence} {self.reason}" if self.reason else sentence

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - CLIENT
    # -------------------------------------------------------------------------

    def _get_client(self):
        """:return: :class:`ProxyClient` for this database
        :raise ServiceUnavailable: when no connection service is installed or chosen
        :raise ProxyError: when this database is not registered at the chosen one
        """
        if self.url:
            return self._client_over(self._open_transport(self._read_secrets()[0]))
        return self._get_embedded_client()

    def _client_over(self, transport):
        """:return: :class:`ProxyClient` whose failures are in the current user's language"""
        language = self.env["account.online.link"]._language()
        return ProxyClient(transport, language=language, translate=self._translate)

    def _open_transport(self, secret=None):
        """The transport for all requests to the connection service.

        :param str secret: to sign with; None for the registration
        """
        self._check_not_neutralized()
        return RemoteTransport(
            self.url, secret and SignatureAuth(self.client_identifier, secret, self._database_digest())
        )

    @api.model
    def _is_neutralized(self):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        return bool(self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized"))

    @api.model
    def _check_not_neutralized(self):
        if self._is_neutralized():
            raise ProxyError(
                "neutralized",
                self.env._(
                    "This database is a neutralized copy for tests, so it sends no requests to a connection "
                    "service. Use the original, or the Demo Bank of this database's own connection service."
                ),
                action="reconnect",
            )

    def _get_embedded_client(self):
        if "bank.sync.api" not in self.env:
            # Why first: a neutralized copy must not advise users to enter the address of a service.
            self._check_not_neutralized()
            raise ServiceUnavailable(
                self.env._(
                    "There is no connection service, so no bank can be reached. Ask an administrator to enter the "
                    "address of one in the settings of Invoicing, under Bank Synchronization, or to install the app "
                    "“Bank Synchronization Proxy” here."
                ),
                code="no_service",
            )
        # sudo: this database is the client; _dispatch_to_json checks each request as if it came over HTTP
        api_model = as_server(self.env["bank.sync.api"])
        # sudo: the client record of this database itself, for any user
        client = as_server(self.env["bank.sync.client"])._get_embedded()
        return self._client_over(
            EmbeddedTransport(
                lambda operation, payload: api_model._dispatch_to_json(client, operation, payload),
                in_threads=self._get_embedded_transport_for_threads(client),
            )
        )

    @api.model
    def _get_embedded_transport_for_threads(self, client):
        """:return: transport that runs each request in a separate transaction, as over HTTP"""
        # Why not in tests: other threads do not see the test's uncommitted data.
        if modules.module.current_test:
            return None
        registry, user_id = self.env.registry, self.env.uid
        # sudo: an environment without the caller's context
        context = as_server(self).env.context

        def dispatch(operation, payload):
            # Why: Odoo's log takes the name of the database from the thread.
            threading.current_thread().dbname = registry.db_name
            with registry.cursor() as cr:
                # sudo: as above, in a thread: the same client, without the caller's context
                env = api.Environment(cr, user_id, context, su=True)
                mine = client.with_env(env)
                return retrying(lambda: env["bank.sync.api"]._dispatch_to_json(mine, operation, payload), env)

        # Why so few: each uses a database connection that the server's other requests need, too.
        return EmbeddedTransport(dispatch, threads=max(config["db_maxconn"] // 4, 1))

    @api.model
    def _translate(self, sentence):
        """Translate a message of the Odoo-free packages for the current user.

        :param sentence: :class:`~..client.words.Sentence`, whose moments are shown in the user's time zone; any other
            text stays as it is
        """
        if not isinstance(sentence, Sentence):
            return sentence
        show_moment = self.env["account.online.link"]._format_moment
        parameters = {
            name: show_moment(value) if isinstance(value, datetime) else value
            for name, value in sentence.parameters.items()
        }
        module = "account_online_synchronization"
        return get_translation(module, self.env.lang or "en_US", sentence.source, parameters)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - REGISTRATION
    # -------------------------------------------------------------------------

    def _prepare_to_connect(self):
        """Register this database where needed, and keep its address at the service up to date."""
        if not self.url:
            return
        if not self._is_known():
            self._become_client()
        elif self.registered_url != self._base_url():
            self._get_client().update(**self._describe())
            self.registered_url = self._base_url()
            # Why committed: the service has stored it, even if this request fails later.
            self._commit()

    def _describe(self):
        company = self.env.company
        return {
            "name": company.name,
            "url": self._base_url(),
            "contact_email": company.email or self.env.user.email or None,
        }

    def _become_client(self):
        """Register as a new client. Links are disconnected: their connections belong to the previous client."""
        if not self.try_lock_for_update():
            raise ProxyError(
                "registration_runs",
                self.env._("This database is being registered by another user right now. Try again in a moment."),
                action="retry",
            )
        is_first = not self.client_identifier
        answer = self._client_over(self._open_transport()).register(
            **self._describe(),
            database_uuid=self._database_uuid(),
            language=self.env.user.lang or None,
            database=self._database_digest(),
        )
        self.write(
            {
                "client_identifier": answer["client_id"],
                "registered_with": self.url,
                "registered_url": self._base_url(),
                "phone_hint": False,
            }
        )
        self._write_secrets(current=answer["client_secret"])
        self._take_state(answer)
        # Why: an agreement belongs to the previous client.
        self._take_firm(None)
        if not is_first:
            # sudo: all links of the database depend on its registration; the action has checked the user
            as_server(self.env["account.online.link"])._leave_former_client()
        # Why committed before its first use: a crash must not lose a secret that the service has stored.
        self._commit()

    def _commit(self):
        if not modules.module.current_test:
            self.env.cr.commit()  # pylint: disable=invalid-commit

    def _make_way(self, error):
        """Remove the cause of a refusal, where that is possible without the user.

        :return: whether the request is worth another try
        """
        if self.url and error.code in STRANGERS:
            self._become_client()
            return True
        if not self.url and error.code == "client_disconnected":
            # Why without a phone: the connection service is embedded, so its users are users of this database.
            self._take_state(self._get_client().reactivate())
            return True
        return False

    def _request_to_connect(self, send):
        """Send a request for a visit; this database is registered first if needed.

        :param send: ``callable()`` that sends the request
        :return: its result
        :raise ProxyError: when the service refuses it again
        """
        self._prepare_to_connect()
        try:
            return send()
        except ProxyError as error:
            if not self._make_way(error):
                raise
            return send()

    def _wants_phone(self, error):
        return bool(self.url) and error.code in PHONE_REFUSALS

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - IDENTITY
    # -------------------------------------------------------------------------

    @api.model
    def _database_uuid(self):
        # sudo: reads the uuid of this database, which no caller can choose
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    @api.model
    def _database_digest(self):
        """:return: hexadecimal digits that differ for a copy, also on another server, and for a renamed database"""
        cr = self.env.cr
        cr.execute(
            "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()),"
            " has_function_privilege('pg_control_system()', 'EXECUTE')"
        )
        oid, may_ask = cr.fetchone()
        system = ""
        if may_ask:
            cr.execute("SELECT system_identifier FROM pg_control_system()")
            system = cr.fetchone()[0]
        parts = (self._database_uuid(), cr.dbname, system, oid)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()

    @api.model
    def _base_url(self):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        return (self.env["ir.config_parameter"].sudo().get_param("web.base.url") or "").rstrip("/")

    def _institutions_url(self):
        """:return: address of the service's public list of banks; False where this database publishes none"""
        # Why this model: only a proxy that serves databases on other servers has a public list.
        is_published = self.url or "bank.sync.gate" in self.env
        return f"{self.url or self._base_url()}/bank_sync/institutions" if is_published else False

    def _way_back(self, path):
        """:return: address to which the service's pages return; a path for a service in this database"""
        return self.registered_url + path if self.url and self.registered_url else path

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SECRETS
    # -------------------------------------------------------------------------

    def _vault(self):
        name = self.env.cr.dbname
        try:
            keys = read_master_keys(config, Path(config["data_dir"]) / "bank_sync" / f"{name}.key")
            return Vault(keys.current, self._database_uuid(), name, PURPOSE, keys.second)
        except (WeakKey, KeyUnavailable) as error:
            raise ProxyError(
                "weak_key",
                self.env._(
                    "The credentials of this database can't be encrypted, so no request is sent to a connection "
                    "service: %s Ask your system administrator to correct bank_sync_key in odoo.conf.",
                    error,
                ),
            )

    def _read_secrets(self):
        """:return: list that begins with the secret to sign with; never empty
        :raise ProxyError: when there is none, or none that this database can decrypt
        """
        if not self._is_registered():
            raise ProxyError(
                "not_registered",
                self.env._(
                    "The connection service does not know this database yet, so nothing was fetched. Use Reconnect; "
                    "the transactions that you already have stay."
                ),
                action="reconnect",
            )
        try:
            secrets = self._vault().decrypt(self.secret_data or "", *self._secret_place())
        except SecretsUnreadable:
            raise ProxyError(
                "registration_unreadable",
                self.env._(
                    "This database is a copy, was renamed or moved, or its key is missing, so it can't act for the "
                    "original, which goes on working. To use banks here, use Reconnect: this database then gets "
                    "its own registration."
                ),
                action="reconnect",
            ) from None
        return [secrets[name] for name in ("next", "current") if secrets.get(name)]

    def _write_secrets(self, **named):
        self.secret_data = self._vault().encrypt(named, *self._secret_place())

    def _secret_place(self):
        """:return: tuple of texts that the encryption is bound to; a secret copied elsewhere can't be decrypted"""
        return self._name, str(self.id), "secret_data"

    @api.model
    def _bind_secret(self):
        """Bind the secret that version 19.0.1.0 stored to its row. Called by each update of the addon."""
        for service in self.search([("secret_data", "!=", False)]):
            try:
                bound = service._vault().bind(service.secret_data, *service._secret_place())
            except (SecretsUnreadable, ProxyError):
                _logger.warning(
                    "The secret of this database at its connection service can't be read with this master key and "
                    "stays as it is. If the key was not configured during this update (bank_sync_key, or the key file "
                    "in the data directory), update account_online_synchronization again with it."
                )
                continue
            if bound != service.secret_data:
                service.secret_data = bound

    @api.model
    def _reencrypt(self, _progress=None):
        """Encrypt secrets of the previous master key with the current one.

        :return: Counter, as the proxy's ``bank.sync.vault._reencrypt``
        """
        counts = Counter()
        for service in self.search([("secret_data", "!=", False)]):
            try:
                text = service._vault().reencrypt(service.secret_data, *service._secret_place())
            except SecretsUnreadable:
                counts["unreadable"] += 1
                continue
            counts["already" if text == service.secret_data else "reencrypted"] += 1
            service.secret_data = text
        return counts

    def _rotate_secret(self):
        """Sign with a new secret from now on. The old one is kept until a request with the new one succeeds."""
        old = self._read_secrets()[0]
        new = self._get_client().rotate_secret()
        self._write_secrets(current=old, next=new)
        # Why committed before its first use: with that the service forgets the old one.
        self._commit()
        self._refresh_status()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - STATE
    # -------------------------------------------------------------------------

    def _refresh_status(self):
        """Request this database's state at the service; an answer completes the rotation of a secret."""
        if not self.url:
            self._take_state(self._get_client().get_status())
            return
        known = self._read_secrets()
        for number, secret in enumerate(known, start=1):
            try:
                answer = self._client_over(self._open_transport(secret)).get_status()
            except ProxyError as error:
                # Why the old one: the service may not have received the new one.
                if error.code != "signature_rejected" or number == len(known):
                    raise
            else:
                break
        if len(known) > 1:
            self._write_secrets(current=secret)
        self._take_state(answer)

    def _take_state(self, answer):
        """:param dict answer: of ``clients.status`` or another operation that returns the state"""
        state = answer.get("state") if answer.get("state") in STATES else False
        values = {"state": state, "blocked_by": False, "reason": False}
        for name in ("blocked_by", "reason", "phone_hint"):
            if name in answer:
                values[name] = answer[name] if isinstance(answer[name], str) else False
        self._write_changed(values)
        if state == "active":
            # sudo: all links of the database; the service has just answered that it accepts the database again
            as_server(self.env["account.online.link"])._go_on_after_refusal()

    def _take_firm(self, agreement):
        """:param agreement: of :func:`~..client.answers.read_agreement`, or None"""
        agreed_at = agreement and parse_moment(agreement["agreed_at"])
        self._write_changed(
            {"firm_name": (agreement and agreement["firm_name"]) or False, "firm_agreed_at": agreed_at or False}
        )

    def _describe_firm(self):
        """:return: sentence about the accounting firm that sees the state of the bank consents"""
        if not self.firm_name:
            return self.env._("No accounting firm sees the state of your bank connections.")
        return self.env._("%s sees the state of your bank connections.", self.firm_name)

    def _note_refusal(self, code):
        """A request was refused: update the copy of the state without another request."""
        state = {
            "phone_required": "phone_required",
            "client_blocked": "blocked",
            "client_suspended": "blocked",
            "client_disconnected": "disconnected",
        }[code]
        self._write_changed({"state": state})

    def _write_changed(self, values):
        # Why: each request reads this record, and needless writes block each other.
        values = {name: value for name, value in values.items() if self[name] != value}
        if values:
            self.write(values)

    # -------------------------------------------------------------------------
    # SCHEDULED ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _cron_rotate_secret(self):
        service = self._get()
        if not service._is_known():
            return
        try:
            service._rotate_secret()
        except ProxyError as error:
            _logger.info("The secret of the connection service was not changed, the next month will do: %s", error.code)

    @api.model
    def _cron_look_after(self):
        """Daily, and after an event: handle events, and check whether the service still answers."""
        service = self._get()
        events = self.env["account.online.event"]._search_to_handle()
        is_done = events._handle()
        try:
            if service._is_known() or (not service.url and events._about_client()):
                service._refresh_status()
                events._about_client().is_handled = True
        except ProxyError as error:
            _logger.info("The connection service did not report the state of this database: %s", error.code)
            is_done = is_done and not events._about_client()
        if not is_done:
            now = fields.Datetime.now()
            cron = self.env.ref("account_online_synchronization.ir_cron_look_after")
            cron._trigger(at=fields.Datetime.add(now, minutes=RETRY_MINUTES))
