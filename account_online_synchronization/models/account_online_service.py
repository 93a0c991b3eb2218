import hashlib
import logging
import threading
from pathlib import Path

from odoo import api, fields, models, modules
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tools import config
from odoo.tools.translate import get_translation

from ..client.addresses import BadAddress, clean_address
from ..client.auth import SignatureAuth
from ..client.client import ProxyClient
from ..client.errors import ProxyError, ServiceUnavailable
from ..client.remote import RemoteTransport
from ..client.transport import EmbeddedTransport
from ..client.words import Sentence
from ..tools.vault import SecretsUnreadable, Vault, WeakKey, read_or_create_master
from .server_fields import as_server

_logger = logging.getLogger(__name__)

PURPOSE = "account_online_synchronization"
STATES = ("phone_required", "active", "blocked", "disconnected")


class AccountOnlineService(models.Model):
    """Which connection service this database asks, and what that knows it as. One record per database.

    The service's side of it is a client: see docs/protocol.md. Its state here is a mirror, for people to read; what is
    allowed is decided by the service with each question.
    """

    _name = "account.online.service"
    _description = "Connection Service"

    url = fields.Char(string="Address", readonly=True, help="Empty: this database is its own connection service.")
    client_identifier = fields.Char(string="Client ID", readonly=True, copy=False)
    # {"current": …, "next": …}: the shared secrets, encrypted. There is a next one while they are being changed.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    registered_with = fields.Char(
        readonly=True, copy=False, help="Address of the service that gave the client ID: another one does not know it."
    )
    registered_url = fields.Char(
        readonly=True, copy=False, help="Address of this database that the service knows: pages lead back there."
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
    phone_hint = fields.Char(readonly=True, copy=False, help="The end of the phone number that reactivates it.")

    # -------------------------------------------------------------------------
    # WHICH SERVICE
    # -------------------------------------------------------------------------

    @api.model
    def _get(self):
        """:return: the one record, with superuser rights"""
        # sudo: callers are private; what reaches a client of it is sentences and ids that are no secret
        return as_server(self).env.ref("account_online_synchronization.account_online_service")

    def _choose(self, url):
        """:param str url: address of a service, empty for this database
        :raise UserError: when it is no address that may be asked
        """
        url = self._clean(url)
        if url != self.url:
            # Why the credentials stay: whoever made a slip of the keyboard goes back to the service that knows them.
            self.write({"url": url, "state": False, "blocked_by": False, "reason": False, "phone_hint": False})

    @api.model
    def _clean(self, url):
        """:return: the address as it is stored, False for this database
        :raise UserError: when it is no address that may be asked
        """
        try:
            return clean_address(url) if url else False
        except BadAddress as error:
            raise UserError(self._say(error.sentence))

    def _is_registered(self):
        """Whether the service at the chosen address knows this database, as far as we know."""
        return bool(self.url and self.client_identifier and self.registered_with == self.url)

    def _is_known(self):
        """Whether this database can prove who it is; a copy can't, and has to be registered anew."""
        try:
            return bool(self._is_registered() and self._read_secrets())
        except ProxyError:
            return False

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    def _get_client(self):
        """:return: :class:`ProxyClient` for this database
        :raise ServiceUnavailable: when no connection service is installed or chosen
        :raise ProxyError: when the chosen one does not know this database
        """
        self.ensure_one()
        if self.url:
            return self._client_over(self._open_transport(self._read_secrets()[0]))
        return self._get_embedded_client()

    def _client_over(self, transport):
        """:return: :class:`ProxyClient` whose failures are told in the reader's language"""
        language = self.env["account.online.link"]._language()
        return ProxyClient(transport, language=language, translate=self._say)

    @api.model
    def _say(self, sentence):
        """The boundary between the pure rooms, which speak English, and whoever reads.

        :param sentence: :class:`~..client.words.Sentence`; any other text stays as it is
        :return: text in the reader's language
        """
        if not isinstance(sentence, Sentence):
            return sentence
        module = "account_online_synchronization"
        return get_translation(module, self.env.lang or "en_US", sentence.source, sentence.parameters)

    def _open_transport(self, secret=None):
        """The only way out of this database.

        :param str secret: to sign with; None for the registration
        """
        self._check_not_neutralized()
        return RemoteTransport(
            self.url, secret and SignatureAuth(self.client_identifier, secret, self._database_digest())
        )

    @api.model
    def _check_not_neutralized(self):
        # sudo: reads one system parameter that is no secret, under a name of our own
        if self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized"):
            raise ProxyError(
                "neutralized",
                self.env._(
                    "This database is a neutralized copy for tests, so it asks no connection service. "
                    "Use the original, or the Demo Bank of this database's own connection service."
                ),
                action="reconnect",
            )

    def _get_embedded_client(self):
        if "bank.sync.api" not in self.env:
            # Why first: whoever works in a copy is not to enter an address there.
            self._check_not_neutralized()
            raise ServiceUnavailable(
                self.env._(
                    "There is no connection service, so no bank can be reached. Ask an administrator to enter the "
                    "address of one in the settings of Invoicing, under Bank Synchronization, or to install the app "
                    "“Bank Synchronization Proxy” here."
                ),
                code="no_service",
            )
        # sudo: this database is the client; _dispatch checks each question as if it came over HTTP
        api_model = as_server(self.env["bank.sync.api"])
        # sudo: the client of this very database, whoever asks
        client = as_server(self.env["bank.sync.client"])._get_embedded()
        return self._client_over(
            EmbeddedTransport(
                lambda operation, payload: api_model._dispatch(client, operation, payload),
                in_threads=self._get_embedded_transport_for_threads(client),
            )
        )

    @api.model
    def _get_embedded_transport_for_threads(self, client):
        """:return: transport of which each question has a transaction of its own, as a request over HTTP has"""
        # Why not in tests: what they have prepared stands in a transaction that no other thread sees.
        if modules.module.current_test:
            return None
        registry, user_id = self.env.registry, self.env.uid
        # sudo: only its context is taken, without what a caller has put there
        context = as_server(self).env.context

        def dispatch(operation, payload):
            # Why: Odoo's log names the database of the thread.
            threading.current_thread().dbname = registry.db_name
            with registry.cursor() as cr:
                # sudo: as above, in a thread: the same client, and a context without a caller's keys
                env = api.Environment(cr, user_id, context, su=True)
                mine = client.with_env(env)
                return retrying(lambda: env["bank.sync.api"]._dispatch(mine, operation, payload), env)

        # Why so few: each takes one of the server's connections to the database, which its other requests need, too.
        return EmbeddedTransport(dispatch, threads=max(config["db_maxconn"] // 4, 1))

    # -------------------------------------------------------------------------
    # WHO WE ARE
    # -------------------------------------------------------------------------

    @api.model
    def _database_digest(self):
        """:return: hexadecimal digits that are others for a copy, on whatever server, and for a renamed database"""
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
        # sudo: reads the uuid of this database, which no caller can choose
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return hashlib.sha256("\n".join(map(str, (uuid, cr.dbname, system, oid))).encode()).hexdigest()

    @api.model
    def _base_url(self):
        # sudo: reads one system parameter that is no secret, under a name of our own
        return (self.env["ir.config_parameter"].sudo().get_param("web.base.url") or "").rstrip("/")

    def _way_back(self, path):
        """:return: address to which the service's pages lead back; a service in this database takes a path"""
        return self.registered_url + path if self.url and self.registered_url else path

    # -------------------------------------------------------------------------
    # SECRETS
    # -------------------------------------------------------------------------

    def _vault(self):
        configured = config.get("bank_sync_key")
        name = self.env.cr.dbname
        if configured:
            master = configured.encode()
        else:
            master = read_or_create_master(Path(config["data_dir"]) / "bank_sync" / f"{name}.key")
        # sudo: reads the uuid of this database, which no caller can choose
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        try:
            return Vault(master, uuid, name, PURPOSE)
        except WeakKey as error:
            raise ProxyError(
                "weak_key",
                self.env._(
                    "The credentials of this database can't be protected, so no connection service is asked: %s Ask "
                    "your system administrator to correct bank_sync_key in odoo.conf.",
                    error,
                ),
            )

    def _read_secrets(self):
        """:return: list, the one to sign with first; never empty
        :raise ProxyError: when there is none, or none that this database can read
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
                    "This database is a copy, was renamed or moved, or its key is gone, so it may not speak for the "
                    "original, which goes on working. To use banks here, use Reconnect: this database is registered "
                    "anew."
                ),
                action="reconnect",
            ) from None
        return [secrets[name] for name in ("next", "current") if secrets.get(name)]

    def _write_secrets(self, **named):
        self.secret_data = self._vault().encrypt(named, *self._secret_place())

    def _secret_place(self):
        """:return: tuple of texts: where the secret is at home; moved elsewhere, it can't be read"""
        self.ensure_one()
        return self._name, str(self.id), "secret_data"

    @api.model
    def _bind_secret(self):
        """Bind to its row the secret that version 19.0.1.0 has stored. Called by each update of the addon."""
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
