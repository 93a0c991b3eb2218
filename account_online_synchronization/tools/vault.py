"""Encryption of secrets at rest, with a key outside the database. Imports no Odoo.

Each place in the database has a Fernet key of its own. It follows from a master key, from the database's uuid and name,
and from model, row and field:

- a copied or renamed database can't read what it took along, even on the same server with the same master key;
- who can write into the database can't make one row speak with the secret of another: moved, it can't be read.

Both addons hold this file, because either is installed without the other; a test keeps the two copies equal.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: Shorter master keys are refused: they can be guessed.
MIN_KEY_LENGTH = 32


class SecretsUnreadable(Exception):
    """The secrets were written by another database, or with another key."""


class WeakKey(ValueError):
    """The master key is too short to protect anything."""


class Vault:
    """Encrypts and decrypts JSON objects for places in one database, and digests what has to be compared only.

    A place is any number of texts, such as model, id of the row and field.

    :param bytes master: the master key
    :param str database_uuid: Odoo's ``database.uuid``
    :param str database_name: name of the database
    :param str purpose: name of the addon; what one encrypts no other can read
    """

    def __init__(self, master, database_uuid, database_name, purpose="bank_sync_proxy"):
        if len(master) < MIN_KEY_LENGTH:
            raise WeakKey(f"The master key has {len(master)} characters; it needs at least {MIN_KEY_LENGTH}.")
        self._names = (purpose, database_uuid, database_name)
        self._master = master
        self._digest_key = self._derive(master, *self._names, "digest")

    @staticmethod
    def _derive(master, *names):
        info = json.dumps(names).encode()
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master)

    def _fernet(self, *names):
        return Fernet(base64.urlsafe_b64encode(self._derive(self._master, *self._names, *names)))

    def encrypt(self, value, *place):
        """:return: text that only this database can read, and only in this place"""
        return self._fernet("place", *place).encrypt(json.dumps(value).encode()).decode()

    def decrypt(self, text, *place):
        """
        :raise SecretsUnreadable: when the text was written by another database, with another key, or for another place
        """
        return self._read(self._fernet("place", *place), text)

    def bind(self, text, *place):
        """Give a text of version 19.0.1.0, which could be read in any place, one place for good.

        :return: the text for this place; the same one where it is bound to it
        :raise SecretsUnreadable: as :meth:`decrypt`
        """
        try:
            self.decrypt(text, *place)
        except SecretsUnreadable:
            return self.encrypt(self._read(self._fernet(), text), *place)
        return text

    @staticmethod
    def _read(fernet, text):
        try:
            return json.loads(fernet.decrypt(text.encode()))
        except (InvalidToken, ValueError):
            # The cause is left out: it says nothing, and this exception travels far.
            raise SecretsUnreadable("written by another database, with another key, or for another place") from None

    def digest(self, *texts):
        """:return: hexadecimal digits; without the master key nobody can try out what they stand for"""
        return hmac.new(self._digest_key, json.dumps(texts).encode(), hashlib.sha256).hexdigest()


def read_or_create_master(path):
    """The master key in a file that only the server's user can read; made at the first need.

    :param path: where the file is or will be
    :return: bytes
    """
    path = Path(path)
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Why a draft and a link: another worker must see either no file or a whole key, and the first one wins.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(48)))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_bytes()
