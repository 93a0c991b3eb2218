import logging
from functools import lru_cache
from pathlib import Path

from odoo import api, models
from odoo.tools import config

from ..providers.errors import ConfigurationError, ConsentError
from ..tools.vault import SecretsUnreadable, Vault, WeakKey, read_or_create_master

_logger = logging.getLogger(__name__)

#: Deriving a key costs more than using it, and each request reads several secrets.
_vault = lru_cache(maxsize=8)(Vault)


class BankSyncVault(models.AbstractModel):
    """Where Odoo's models reach the encryption of secrets at rest."""

    _name = "bank.sync.vault"
    _description = "Encryption of Bank Secrets"

    @api.model
    def _secret_fields(self):
        """Extension point.

        :return: tuple of all (model, field) that hold a secret
        """
        return (
            ("bank.sync.connection", "secret_state"),
            ("bank.sync.provider.setting", "encrypted_value"),
            ("bank.sync.visit", "secret_data"),
        )

    @api.model
    def _vault(self):
        # sudo: reads the uuid of this database, which no caller can choose
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        configured = config.get("bank_sync_key")
        if configured:
            master = configured.encode()
        else:
            master = read_or_create_master(Path(config["data_dir"]) / "bank_sync" / f"{self.env.cr.dbname}.key")
        try:
            return _vault(master, uuid, self.env.cr.dbname)
        except WeakKey as error:
            raise ConfigurationError("provider_not_configured", f"bank_sync_key: {error}")

    @api.model
    def _place(self, record, name):
        """:return: tuple of texts: where a secret is at home and can be read"""
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
        """:return: text that only this database can read, and only where it knows the same place"""
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
        """Bind to their rows the secrets that version 19.0.1.0 has stored. Called by each update of the addon.

        Why not when they are read: a secret of an old backup could be put into any row, for ever.
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

    @api.model
    def _digest(self, *texts):
        """:return: what is stored of something that is short, secret, and has to be compared only"""
        return self._vault().digest(*texts)
