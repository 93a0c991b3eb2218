"""Encryption of secrets at rest, with a key outside the database. Imports no Odoo.

Each place in the database has its own Fernet key, derived from a master key, the database's uuid and name, and model,
row and field:

- a copied or renamed database can't read the secrets it contains, even on the same server with the same master key; -
  an attacker who can write to the database can't use the secret of one row in another: moved, it can't be decrypted.
"""

import base64
import hashlib
import hmac
import json
from contextlib import suppress

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: Shorter master keys are refused: they can be guessed.
MIN_KEY_LENGTH = 32


class SecretsUnreadable(Exception):
    """The secrets were written by another database, or with another key."""


class WeakKey(ValueError):
    """The master key is too short to protect anything."""


class Vault:
    """Encrypts and decrypts JSON objects for places in one database, and makes digests of values that are only
    compared.

    A place is any number of texts, such as model, id of the row and field.

    :param bytes master: the master key
    :param str database_uuid: Odoo's ``database.uuid``
    :param str database_name: name of the database
    :param str purpose: name of the addon; another addon cannot read what it encrypts
    :param bytes second: another master key, only used to decrypt
    """

    def __init__(self, master, database_uuid, database_name, purpose="bank_sync_proxy", second=None):
        self._masters = (master, second) if second else (master,)
        for one in self._masters:
            if len(one) < MIN_KEY_LENGTH:
                raise WeakKey(f"The master key has {len(one)} characters; it needs at least {MIN_KEY_LENGTH}.")
        self._names = (purpose, database_uuid, database_name)
        self._digest_keys = [self._derive(one, *self._names, "digest") for one in self._masters]

    @staticmethod
    def _derive(master, *names):
        info = json.dumps(names).encode()
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master)

    def _fernet(self, *names):
        """Encrypts with the current key, and decrypts with each."""
        return MultiFernet([self._fernet_of(master, *names) for master in self._masters])

    def _fernet_of(self, master, *names):
        return Fernet(base64.urlsafe_b64encode(self._derive(master, *self._names, *names)))

    def encrypt(self, value, *place):
        """:return: text that only this database can read, and only in this place"""
        return self._fernet("place", *place).encrypt(json.dumps(value).encode()).decode()

    def decrypt(self, text, *place):
        """
        :raise SecretsUnreadable: when the text was written by another database, with another key, or for another place
        """
        return self._read(self._fernet("place", *place), text)

    def bind(self, text, *place):
        """Bind a text of version 19.0.1.0, which could be read in any place, to one place.

        :return: the text for this place; unchanged if it is bound to it already
        :raise SecretsUnreadable: as :meth:`decrypt`
        """
        try:
            self.decrypt(text, *place)
        except SecretsUnreadable:
            return self.encrypt(self._read(self._fernet(), text), *place)
        return text

    def reencrypt(self, text, *place):
        """Encrypt with the current key a text that was written with the second one.

        :return: the text for this place; unchanged if it was written with the current key
        :raise SecretsUnreadable: as :meth:`decrypt`
        """
        with suppress(SecretsUnreadable):
            self._read(self._fernet_of(self._masters[0], "place", *place), text)
            return text
        return self.encrypt(self.decrypt(text, *place), *place)

    @staticmethod
    def _read(fernet, text):
        try:
            return json.loads(fernet.decrypt(text.encode()))
        except (InvalidToken, ValueError):
            # The cause is left out: it adds nothing, and this exception may be shown or recorded.
            raise SecretsUnreadable("written by another database, with another key, or for another place") from None

    def digest(self, *texts):
        """:return: hexadecimal digits; without the master key they cannot be brute-forced"""
        return self._digest(self._digest_keys[0], texts)

    def is_digest(self, digest, *texts):
        """:return: whether it is the digest of these texts, with the current or with the second key"""
        return any(hmac.compare_digest(digest, self._digest(key, texts)) for key in self._digest_keys)

    @staticmethod
    def _digest(key, texts):
        return hmac.new(key, json.dumps(texts).encode(), hashlib.sha256).hexdigest()
