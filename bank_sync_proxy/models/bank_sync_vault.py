from functools import lru_cache
from pathlib import Path

from odoo import api, models
from odoo.tools import config

from ..providers.errors import ConfigurationError, ConsentError
from ..tools.vault import SecretsUnreadable, Vault, WeakKey, read_or_create_master

#: Deriving a key costs more than using it, and each request reads several secrets.
_vault = lru_cache(maxsize=8)(Vault)


class BankSyncVault(models.AbstractModel):
    """Where Odoo's models reach the encryption of secrets at rest."""

    _name = "bank.sync.vault"
    _description = "Encryption of Bank Secrets"

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
    def _encrypt(self, value):
        """:return: text for a field, or False for nothing"""
        return self._vault().encrypt(value) if value else False

    @api.model
    def _decrypt(self, text):
        """:return: the JSON value, or an empty dict for nothing
        :raise ConsentError: ``secrets_unreadable``
        """
        if not text:
            return {}
        try:
            return self._vault().decrypt(text)
        except SecretsUnreadable as error:
            raise ConsentError("secrets_unreadable", str(error))

    @api.model
    def _digest(self, *texts):
        """:return: what is stored of something that is short, secret, and has to be compared only"""
        return self._vault().digest(*texts)
