import logging
from contextlib import contextmanager

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from ..providers.auth import Safe
from ..providers.errors import ConsentError, TransientError

_logger = logging.getLogger(__name__)

#: Class id of our advisory locks on connections; an arbitrary number that nothing else uses.
LOCK = 1_651_731_316
#: Another process that gets new secrets takes no longer than one request to a provider.
LOCK_SECONDS = 60
BUSY_FOR = 30
#: To store new secrets, if another transaction has changed their row, such as an encryption with another key.
ATTEMPTS = 5


class BankSyncConnectionSecret(models.Model):
    """Secrets that a provider has replaced while they were used, such as a refresh token, one row per connection.

    Why not in ``secret_state`` of the connection: they have to be committed at once, while the transaction of the
    request may have changed the connection's row and may still be rolled back. See
    :class:`~..providers.auth.ReplacedSecrets`.
    """

    _name = "bank.sync.connection.secret"
    _description = "Replaced Secrets of a Bank Connection"

    connection_id = fields.Many2one(
        comodel_name="bank.sync.connection", required=True, readonly=True, ondelete="cascade"
    )
    secret_content = fields.Text(readonly=True, copy=False, groups="base.group_system", help="Encrypted.")

    _connection_unique = models.UniqueIndex("(connection_id)", "A connection has one row of replaced secrets.")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _read_content(self, connection_id):
        """:return: what is stored for a connection, or an empty dict"""
        found = self.search([("connection_id", "=", connection_id)])
        try:
            return self.env["bank.sync.vault"]._decrypt(found, "secret_content") if found else {}
        except ConsentError:
            # The key was lost: the state is of another one, so of a later consent.
            return {}

    @api.model
    def _write_content(self, connection_id, content):
        # Why SQL: nothing is stored for a connection that another transaction has not committed yet, or has deleted.
        self.env.cr.execute(
            SQL(
                "INSERT INTO bank_sync_connection_secret (connection_id)"
                " SELECT id FROM bank_sync_connection WHERE id = %s AND state <> 'disconnected'"
                " ON CONFLICT (connection_id) DO NOTHING",
                connection_id,
            )
        )
        for record in self.search([("connection_id", "=", connection_id)]):
            record.secret_content = self.env["bank.sync.vault"]._encrypt(record, "secret_content", content)
        self.env.flush_all()


class ConnectionSafe(Safe):
    """Stores replaced secrets of a connection in a transaction of their own.

    :param connection: ``bank.sync.connection``
    """

    def __init__(self, connection):
        self._registry, self._connection_id = connection.env.registry, connection.id
        self._provider = connection.provider_id.code
        self._secrets = None

    @contextmanager
    def opened(self):
        with self._registry.cursor() as cr:
            self._lock(cr)
            try:
                # A new transaction sees what another process has stored while this one was waiting.
                cr.commit()  # pylint: disable=invalid-commit
                # sudo: a transaction of its own; the caller's connection is of the checked client or visit
                self._secrets = api.Environment(cr, SUPERUSER_ID, {})["bank.sync.connection.secret"]
                yield
            finally:
                self._secrets = None
                # Why by hand: the lock belongs to the session, which goes back to the pool.
                cr.rollback()
                cr.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, self._connection_id])

    def _lock(self, cr):
        cr.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_SECONDS}s"])
        try:
            cr.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, self._connection_id], log_exceptions=False)
        except psycopg2.errors.LockNotAvailable:
            detail = "another process is getting new secrets"
            raise TransientError("provider_busy", detail, provider=self._provider, retry_after=BUSY_FOR) from None

    def load(self):
        content = self._secrets._read_content(self._connection_id)
        # No transaction is open while the provider is waited for. The lock belongs to the session, so it stays.
        self._secrets.env.cr.commit()  # pylint: disable=invalid-commit
        return content

    def store(self, content):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._try_to_store(content)
                return
            except psycopg2.Error as error:
                self._secrets.env.cr.rollback()
                self._secrets.env.invalidate_all()
                if attempt < ATTEMPTS and isinstance(error, psycopg2.errors.SerializationFailure):
                    continue
                # Why not raised: the new secrets are valid, and a successful refresh stores them with its result.
                _logger.warning(
                    "New secrets of bank connection %s could not be stored: %s",
                    self._connection_id,
                    type(error).__name__,
                )
                return

    def _try_to_store(self, content):
        self._secrets._write_content(self._connection_id, content)
        self._secrets.env.cr.commit()  # pylint: disable=invalid-commit
