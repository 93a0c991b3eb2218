"""Signatures of requests and events between a database and the proxy (docs/protocol.md). Imports no Odoo.

The signature covers everything that decides what a request does: client, database, operation, time and nonce. Over HTTP
these are in the headers below; the signature is an HMAC-SHA256 in hexadecimal digits.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

#: First line of what is signed, so that signatures of different versions of the protocol differ.
VERSION = "BANK-SYNC-1"
#: Seconds by which the two clocks may differ. A nonce has to be remembered for twice as long.
MAX_SKEW = 300

CLIENT = "Bank-Sync-Client"
DATABASE = "Bank-Sync-Database"
TIMESTAMP = "Bank-Sync-Timestamp"
NONCE = "Bank-Sync-Nonce"
SIGNATURE = "Bank-Sync-Signature"

SHAPES = {
    CLIENT: re.compile(r"[0-9a-f]{32}"),
    DATABASE: re.compile(r"[0-9a-f]{64}"),
    TIMESTAMP: re.compile(r"[0-9]{1,12}"),
    NONCE: re.compile(r"[0-9A-Za-z_-]{20,64}"),
    SIGNATURE: re.compile(r"[0-9a-f]{64}"),
}


class Malformed(ValueError):
    """A header is missing or malformed; the text names it."""


class Signed(NamedTuple):
    """What the headers claim; not to be trusted before :func:`is_genuine` has confirmed the signature.

    :param str client: client id
    :param str database: digest by which a copied database is distinguished from the original
    :param int timestamp: seconds since 1970, by the sender's clock
    :param str nonce: valid once
    :param str signature: hexadecimal
    """

    client: str
    database: str
    timestamp: int
    nonce: str
    signature: str


def sign(secret, client, database, timestamp, nonce, method, path, body):
    """
    :param str secret: shared by the two sides
    :param str method: ``POST``
    :param str path: from ``/bank_sync/`` or ``/account_online_synchronization/`` on, without a query :param bytes body:
        as it is sent
    :return: hexadecimal digits
    """
    lines = [VERSION, client, database, str(timestamp), nonce, method, path, hashlib.sha256(body).hexdigest()]
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def new_headers(secret, client, database, now, method, path, body):
    """:param float now: seconds since 1970
    :return: dict of the headers of one request; made again for each attempt, because a nonce is valid once
    """
    timestamp, nonce = int(now), secrets.token_urlsafe(18)
    return {
        CLIENT: client,
        DATABASE: database,
        TIMESTAMP: str(timestamp),
        NONCE: nonce,
        SIGNATURE: sign(secret, client, database, timestamp, nonce, method, path, body),
    }


def read_headers(headers):
    """:param headers: case-insensitive mapping
    :raise Malformed: when one is missing or malformed
    """
    found = []
    for name, shape in SHAPES.items():
        value = headers.get(name) or ""
        if not shape.fullmatch(value):
            raise Malformed(f"the header {name} is missing or malformed")
        found.append(int(value) if name == TIMESTAMP else value)
    return Signed(*found)


def is_genuine(signed, known_secrets, method, path, body):
    """:param known_secrets: all secrets that are valid at the moment, usually one
    :return: the secret that was used, or None; the time taken does not depend on which
    """
    used = None
    for secret in known_secrets:
        expected = sign(secret, *signed[:4], method, path, body)
        if hmac.compare_digest(expected, signed.signature):
            used = secret
    return used


def prove(secret, nonce, body):
    """Proof that only the receiver of a signed event can give: it holds the secret, and has read this very event.

    :param str nonce: of the event's headers
    :param bytes body: as it was received
    :return: hexadecimal digits
    """
    lines = [f"{VERSION}-HEARD", nonce, hashlib.sha256(body).hexdigest()]
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def is_fresh(signed, now):
    """:param float now: seconds since 1970"""
    return abs(signed.timestamp - now) <= MAX_SKEW
