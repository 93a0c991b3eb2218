import logging
from collections import Counter
from functools import lru_cache
from pathlib import Path

import psycopg2

from odoo import api, models
from odoo.addons.bank_sync_common.tools.master_key import KeyUnavailable, read_master_keys
from odoo.addons.bank_sync_common.tools.vault import SecretsUnreadable, Vault, WeakKey
from odoo.tools import SQL, config

from ..providers.errors import ConfigurationError, ConsentError

_logger = logging.getLogger(__name__)

#: Deriving a key costs more than using it, and each request reads several secrets.
_vault = lru_cache(maxsize=8)(Vault)
#: Rows that are locked together while the master key is changed, for about 50 ms.
REENCRYPTED_AT_ONCE = 500


class BankSyncVault(models.AbstractModel):
    """Encryption of secrets at rest, for Odoo's models."""

    _name = "bank.sync.vault"
    _description = "Encryption of Bank Secrets"

    @api.model
    def _secret_fields(self):
        """Extension point.

        :return: tuple of all (model, field) that hold a secret
        """
        return (
            ("bank.sync.connection", "secret_state"),
            ("bank.sync.connection.secret", "secret_content"),
            ("bank.sync.provider.setting", "encrypted_value"),
            ("bank.sync.visit", "secret_data"),
        )

    @api.model
    def _vault(self):
        # sudo: reads the uuid of this database, which no caller can choose
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        path = Path(config["data_dir"]) / "bank_sync" / f"{self.env.cr.dbname}.key"
        try:
            keys = read_master_keys(config, path)
            return _vault(keys.current, uuid, self.env.cr.dbname, second=keys.second)
        except WeakKey as error:
            raise ConfigurationError("provider_not_configured", f"bank_sync_key: {error}")
        except KeyUnavailable as error:
            raise ConfigurationError("provider_not_configured", str(error))

    @api.model
    def _place(self, record, name):
        """:return: tuple of texts: the place that a secret is bound to"""
        record.ensure_one()
        if not isinstance(record.id, int):
            raise ValueError(f"{record._name} is not stored yet, so its {name} has no place")
        return record._name, str(record.id), name

    @api.model
    def _encrypt(self, record, name, value):
        """:return: text for this field of this record, or False for nothing"""
        return self._seal(value, *self._place(record, name)) if value else False

    @api.model
    def _decrypt(self, record, name):
        """:return: the JSON value of the field, or an empty dict for nothing
        :raise ConsentError: ``secrets_unreadable``
        """
        return self._unseal(record[name], *self._place(record, name)) if record[name] else {}

    @api.model
    def _seal(self, value, *place):
        """:return: text that only this database can read, and only with the same place"""
        return self._vault().encrypt(value, *place)

    @api.model
    def _unseal(self, text, *place):
        """:raise ConsentError: ``secrets_unreadable``"""
        try:
            return self._vault().decrypt(text, *place)
        except SecretsUnreadable as error:
            raise ConsentError("secrets_unreadable", str(error))

    @api.model
    def _bind_secrets(self):
        """Bind the secrets that version 19.0.1.0 has stored to their rows. Called by each update of the addon.

        Why not when they are read: then a secret of an old backup could be moved to any row, at any time.
        """
        vault, unreadable = self._vault(), 0
        for model, name in self._secret_fields():
            records = self.env[model].with_context(active_test=False, tracking_disable=True)
            for record in records.search([(name, "!=", False)]):
                try:
                    bound = vault.bind(record[name], *self._place(record, name))
                except SecretsUnreadable:
                    unreadable += 1
                    continue
                if bound != record[name]:
                    record[name] = bound
        if unreadable:
            _logger.warning(
                "%s secrets can't be read with this master key and stay as they are. If the key was not configured "
                "during this update (bank_sync_key, or the key file in the data directory), update bank_sync_proxy "
                "again with it.",
                unreadable,
            )

    # -------------------------------------------------------------------------
    # CHANGING THE MASTER KEY
    # -------------------------------------------------------------------------

    @api.model
    def _reencrypt(self, progress=lambda done, left: None):
        """Encrypt with the current master key what was encrypted with the second one, in small commits.

        It may be interrupted at any moment and started again: each secret can always be read with one of the two keys.

        :param progress: ``callable(done, left)`` after each batch
        :return: Counter: how many secrets were ``reencrypted``, used the current key ``already``, and are
            ``unreadable`` with either
        """
        counts, places = Counter(), self._secret_fields()
        self.env.flush_all()
        left = sum(
            self.env[model].with_context(active_test=False).search_count([(name, "!=", False)])
            for model, name in places
        )
        for model, name in places:
            last_id = 0
            while batch := self._reencrypt_batch(model, name, last_id):
                last_id, outcomes = batch
                counts += outcomes
                left = max(0, left - outcomes.total())
                progress(counts.total(), left)
        return counts

    @api.model
    def _reencrypt_batch(self, model, name, last_id):
        """:return: (id of the last row, Counter of outcomes), None where no row is left"""
        # Why a new transaction: an older one can't lock rows that were changed since it began.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        try:
            rows = self._lock_secrets(model, name, last_id)
            outcomes = Counter(self._reencrypt_row(model, name, *row) for row in rows)
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except psycopg2.errors.SerializationFailure:
            # A request has changed one of them at the same time: read them again.
            self.env.cr.rollback()
            return last_id, Counter()
        return (rows[-1][0], outcomes) if rows else None

    @api.model
    def _lock_secrets(self, model, name, last_id):
        """Why SQL: the ORM would keep the secrets of a million records in memory.

        :return: list of (id, text)
        """
        table, column = SQL.identifier(self.env[model]._table), SQL.identifier(name)
        return self.env.execute_query(
            SQL(
                "SELECT id, %(column)s FROM %(table)s WHERE id > %(last_id)s AND %(column)s IS NOT NULL"
                " ORDER BY id LIMIT %(batch)s FOR NO KEY UPDATE",
                table=table,
                column=column,
                last_id=last_id,
                batch=REENCRYPTED_AT_ONCE,
            )
        )

    @api.model
    def _reencrypt_row(self, model, name, record_id, text):
        try:
            renewed = self._vault().reencrypt(text, model, str(record_id), name)
        except SecretsUnreadable:
            return "unreadable"
        if renewed == text:
            return "already"
        table, column = SQL.identifier(self.env[model]._table), SQL.identifier(name)
        self.env.cr.execute(SQL("UPDATE %s SET %s = %s WHERE id = %s", table, column, renewed, record_id))
        return "reencrypted"

    @api.model
    def _is_digest(self, digest, *texts):
        """:return: whether it is the digest of these texts, also where it was made before the key was changed"""
        return self._vault().is_digest(digest or "", *texts)

    @api.model
    def _digest(self, *texts):
        """:return: digest to store for a short secret that only has to be compared"""
        return self._vault().digest(*texts)
