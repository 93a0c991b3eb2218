"""Encryption of secrets at rest, with a key outside the database. Imports no Odoo.

The Fernet key follows from a master key and from the database's uuid and name: a copied or renamed database derives
another key and can't read what it took along, even on the same server with the same master key.

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
    """Encrypts and decrypts JSON objects for one database, and digests what has to be compared only.

    :param bytes master: the master key
    :param str database_uuid: Odoo's ``database.uuid``
    :param str database_name: name of the database
    :param str purpose: name of the addon; what one encrypts no other can read
    """

    def __init__(self, master, database_uuid, database_name, purpose="bank_sync_proxy"):
        if len(master) < MIN_KEY_LENGTH:
            raise WeakKey(f"The master key has {len(master)} characters; it needs at least {MIN_KEY_LENGTH}.")
        self._fernet = Fernet(base64.urlsafe_b64encode(self._derive(master, purpose, database_uuid, database_name)))
        self._digest_key = self._derive(master, purpose, database_uuid, database_name, "digest")

    @staticmethod
    def _derive(master, *names):
        info = json.dumps(names).encode()
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master)

    def encrypt(self, value):
        """:return: text that only this database can read"""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def decrypt(self, text):
        """:raise SecretsUnreadable: when the text was written by another database or with another key"""
        try:
            return json.loads(self._fernet.decrypt(text.encode()))
        except (InvalidToken, ValueError):
            # The cause is left out: it says nothing, and this exception travels far.
            raise SecretsUnreadable("written by another database or with another key") from None

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
