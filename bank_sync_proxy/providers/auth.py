"""How adapters prove who they are: ``requests.auth.AuthBase`` objects, and a certificate for mutual TLS."""

import base64
import hashlib
import json
import os
import re
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from requests.auth import AuthBase, HTTPBasicAuth

from ..tools.outbound import PublicAdapter

#: A token that expires within this time is renewed before it is used: requests take time, and clocks differ.
SPARE = timedelta(seconds=60)
# Why the content ends at five hyphens: read to the next END, many BEGINs would each be followed to the end of the text.
PEM = re.compile(r"(-----BEGIN [A-Z0-9 ]{1,40}-----)((?:[^-]|-(?!----))*)(-----END [A-Z0-9 ]{1,40}-----)")


class KeyMemory:
    """Public keys with which a provider signs, kept by this process for all operations.

    An attacker who forges webhooks with ever new key names must not cause a request to the provider each time. Known
    keys cost no request, so genuine webhooks are still accepted.
    """

    KEEP = timedelta(hours=1)
    REQUESTS_PER_MINUTE = 10
    MAX_KEYS = 100

    def __init__(self):
        self._keys = {}
        self._requests = {}
        self._lock = threading.Lock()

    def get(self, address, name, now, ask):
        """
        :param str address: of the provider
        :param datetime now: the current moment
        :param ask: callable that requests the key from the provider
        :return: the key; None if too many were requested
        """
        with self._lock:
            key, since = self._keys.get((address, name), (None, None))
            if since and now - since < self.KEEP:
                return key
            recent = [moment for moment in self._requests.get(address, ()) if now - moment < timedelta(minutes=1)]
            if len(recent) >= self.REQUESTS_PER_MINUTE:
                return None
            self._requests[address] = [*recent, now]
        key = ask()
        with self._lock:
            while len(self._keys) >= self.MAX_KEYS:
                del self._keys[next(iter(self._keys))]
            self._keys[address, name] = key, now
        return key


class Basic(HTTPBasicAuth):
    """User name and password, in UTF-8. ``requests`` itself would send texts in Latin-1."""

    def __init__(self, user, password):
        super().__init__(user.encode(), password.encode())


class Headers(AuthBase):
    """Secrets as they are, in headers.

    :param dict headers: value by name
    """

    def __init__(self, headers):
        self._headers = headers

    def __call__(self, request):
        request.headers.update(self._headers)
        return request


# -------------------------------------------------------------------------
# BEARER TOKENS
# -------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """An access token, and what gives the next one.

    :param datetime expires_at: aware; None: until it is refused
    :param bool is_new: the provider has just given it; else another process got it, and it may have ended since
    """

    value: str = field(repr=False)
    expires_at: datetime | None = None
    refresh_value: str | None = field(default=None, repr=False)
    is_new: bool = field(default=True, repr=False)

    @classmethod
    def from_answer(cls, data, now):
        """The answer of OAuth 2.0: ``access_token``, ``expires_in`` (seconds), ``refresh_token``."""
        seconds = data.get("expires_in")
        expires_at = now + timedelta(seconds=int(seconds)) if seconds is not None else None
        return cls(data["access_token"], expires_at, data.get("refresh_token"))


class Bearer(AuthBase):
    """A bearer token that is renewed before it ends, and once when it is refused.

    :param obtain: callable(old :class:`Token` or None) that requests a new one
    :param now: callable that returns the current moment, aware
    :param token: the one that is stored
    :param keep: callable(:class:`Token`) that stores a new one permanently, before it is used. Why: where refreshing
        ends the old token, a new one that is lost with a rolled back transaction locks us out.
    """

    def __init__(
        self,
        obtain: Callable[[Token | None], Token],
        now: Callable[[], datetime],
        token: Token | None = None,
        keep: Callable[[Token], None] | None = None,
    ):
        self._obtain, self._now, self._token, self._keep = obtain, now, token, keep

    def __call__(self, request):
        if self._token is None or self._is_ending():
            self.renew()
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request

    def renew(self):
        """Replace the token. If that fails, the request that needs it fails with the same error.

        :return: whether it is new; else it may be refused, too
        """
        token = self._obtain(self._token)
        if self._keep:
            self._keep(token)
        self._token = token
        return token.is_new

    def _is_ending(self):
        return self._token.expires_at is not None and self._now() + SPARE >= self._token.expires_at


# -------------------------------------------------------------------------
# SECRETS THAT THE PROVIDER REPLACES
# -------------------------------------------------------------------------


class Safe:
    """Where a connection's replaced secrets are stored at once, whatever becomes of the request that has got them.

    This one stores nothing: for adapters without a connection.
    """

    @contextmanager
    def opened(self):
        """Inside, no other process replaces secrets of this connection.

        :return: a context manager
        """
        yield

    def load(self):
        """:return: what :meth:`store` was last given by any process, or an empty dict"""
        return {}

    def store(self, content):
        """:param dict content: JSON; stored permanently when this returns"""


class ReplacedSecrets:
    """Replaces some parts of a connection's state. The one rule for secrets that end when the provider gives the next
    ones: a refresh token, the token of a session.

    The state is stored by the caller, at the end of some operations, and only if they succeed. New secrets are stored
    here instead, before they are used, with the digests of all those that they have replaced: who has one of these
    takes the new ones over instead of using a secret that has ended. A state with other secrets is more recent, such as
    that of a new consent.

    :param names: of the parts
    :param Safe safe: of the connection
    """

    #: More often than this, a state is not left behind: each successful run stores it.
    MAX_REPLACED = 200

    def __init__(self, names, safe):
        self._names, self._safe = names, safe

    def replace(self, state, is_usable, request):
        """Change a state in place.

        :param dict state: of one operation
        :param is_usable: ``callable(state)``: whether another process has got secrets that do not end at once
        :param request: ``callable(state)`` that gets the new parts from the provider, by name
        :return: whether the provider was asked
        """
        with self._safe.opened():
            content = self._safe.load()
            replaced = content.get("replaced", [])
            if self._digest(state) in replaced:
                state.update(content["parts"])
                if is_usable(state):
                    return False
            elif self._digest(state) != self._digest(content.get("parts", {})):
                replaced = []
            digest, parts = self._digest(state), request(state)
            state.update(parts)
            self._safe.store({"parts": parts, "replaced": [*replaced, digest][-self.MAX_REPLACED :]})
            return True

    def _digest(self, state):
        text = json.dumps([state.get(name) for name in self._names], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


# -------------------------------------------------------------------------
# SIGNATURES
# -------------------------------------------------------------------------


def restore_pem(text):
    """A PEM text as it has to be, also where pasting into one line has turned its line breaks into spaces.

    :return: bytes; several blocks stay several
    :raise ValueError: without any block
    """
    blocks = []
    for begin, content, end in PEM.findall(text or ""):
        letters = "".join(content.replace("\\n", "").split())
        lines = [letters[start : start + 64] for start in range(0, len(letters), 64)]
        blocks.append("\n".join([begin, *lines, end, ""]))
    if not blocks:
        raise ValueError("this is no PEM text: it begins with -----BEGIN and ends with a line -----END")
    return "".join(blocks).encode()


def load_private_key(text):
    """
    :param str text: PEM, without a password
    :return: private key of ``cryptography``, RSA or on an elliptic curve
    :raise ValueError: with a reason that an administrator understands, without any part of the key
    """
    try:
        key = serialization.load_pem_private_key(restore_pem(text), password=None)
    except (TypeError, UnsupportedAlgorithm):
        raise ValueError("the private key has a password or is of an unknown kind")
    except ValueError as error:
        raise ValueError("this is no private key") if "PEM text" not in str(error) else error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("the private key is neither RSA nor on an elliptic curve")
    return key


@lru_cache(maxsize=8)
def load_rsa_key(text):
    """The key is kept: to check its numbers takes longer than to sign with it.

    :param str text: PEM, without a password
    :return: private key of ``cryptography``
    :raise ValueError: with a reason that an administrator understands, without any part of the key
    """
    key = load_private_key(text)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the private key is no RSA key")
    return key


def new_rsa_key():
    """:return: another private key, in PEM"""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, kind, encryption).decode()


def public_pem(key):
    """:return: the public part of a private key, in PEM"""
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


def sign_sha256(key, message):
    """:return: RSA signature (PKCS #1 v1.5, SHA-256) of bytes"""
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def verify_sha256(key, message, signature):
    """
    :param str key: public RSA key, PEM
    :param bytes signature: as :func:`sign_sha256` makes it
    :raise ValueError: when the key's owner has not signed the message, or when the key is none
    """
    try:
        public_key = serialization.load_pem_public_key(restore_pem(key))
        if not isinstance(public_key, rsa.RSAPublicKey):
            raise ValueError("the public key is no RSA key")
        public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise ValueError("the signature is wrong")
    except UnsupportedAlgorithm:
        raise ValueError("the public key is of an unknown kind")


def decode_segment(segment):
    """One part of a JSON web token: base64url without padding."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def verify_es256(key, message, signature):
    """
    :param dict key: public key of curve P-256, as a JSON web key
    :param bytes signature: as JSON web tokens carry it, two numbers of 32 bytes
    :raise ValueError: when the key's owner has not signed the message
    """
    if len(signature) != 64:
        raise ValueError("no signature of this kind")
    x, y = (int.from_bytes(decode_segment(key[name]), "big") for name in "xy")
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public_key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public_key.verify(pair, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ValueError("the signature is wrong")


def _segment(value):
    if not isinstance(value, bytes):
        value = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def sign_token(key, claims, **header):
    """
    :param key: RSA private key
    :param dict claims: complete
    :param header: beside ``typ`` and ``alg``
    :return: a JSON web token (RS256)
    """
    message = f"{_segment({'typ': 'JWT', 'alg': 'RS256', **header})}.{_segment(claims)}"
    return f"{message}.{_segment(sign_sha256(key, message.encode()))}"


class SignedToken(AuthBase):
    """A JSON web token that we sign ourselves (RS256), new before it ends.

    :param key: RSA private key
    :param str key_id: ``kid`` of its header
    :param dict claims: beside ``iat`` and ``exp``
    :param now: callable that gives the current moment, aware
    """

    def __init__(self, key, key_id, claims, now, lifetime=timedelta(hours=1)):
        self._key, self._key_id, self._claims, self._now, self._lifetime = key, key_id, claims, now, lifetime
        self._bearer = Bearer(lambda _old: self._sign(), now)

    def __call__(self, request):
        return self._bearer(request)

    def _sign(self):
        issued = self._now()
        claims = {
            **self._claims,
            "iat": int(issued.timestamp()),
            "exp": int((issued + self._lifetime).timestamp()),
        }
        return Token(sign_token(self._key, claims, kid=self._key_id), issued + self._lifetime)


class RequestSignature(AuthBase):
    """Signs method, URL and body of each request with RSA and SHA-256, as Salt Edge requires.

    What is signed is ``expiry|METHOD|URL|body``. The URL is the final one, with its query; no redirect is followed.

    :param dict headers: sent with each request, such as the application's id
    """

    def __init__(self, key, now, headers=None, lifetime=timedelta(minutes=1)):
        self._key, self._now, self._headers, self._lifetime = key, now, headers or {}, lifetime

    def __call__(self, request):
        expiry = str(int((self._now() + self._lifetime).timestamp()))
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        message = f"{expiry}|{request.method}|{request.url}|".encode() + body
        request.headers.update(self._headers)
        request.headers["Expires-at"] = expiry
        request.headers["Signature"] = base64.b64encode(sign_sha256(self._key, message)).decode()
        return request


# -------------------------------------------------------------------------
# MUTUAL TLS
# -------------------------------------------------------------------------


#: What a server says, in OpenSSL's words, when it does not accept the certificate that it was shown, or was shown none.
CERTIFICATE_ALERTS = {
    "SSLV3_ALERT_BAD_CERTIFICATE": "it is damaged, or not one that this provider has issued",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "it was revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it is not known there",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "it is of a kind that the provider does not take",
    "TLSV1_ALERT_ACCESS_DENIED": "it has no access",
    "TLSV1_ALERT_UNKNOWN_CA": "it was issued by an authority that the provider does not know",
    "TLSV1_ALERT_DECRYPT_ERROR": "the private key does not belong to it",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "none was shown",
}


def certificate_refusal(error):
    """
    :param error: an exception of a request
    :return: why the other side refused our certificate, in words, or None where the failure is about something else
    """
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        if isinstance(error, ssl.SSLError) and (reason := CERTIFICATE_ALERTS.get(error.reason)):
            return reason
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((item for item in inner if isinstance(item, BaseException) and item not in seen), None)
    return None


def load_certificate(text):
    """
    :param str text: PEM, with the chain where there is one
    :return: the first certificate, of ``cryptography``
    :raise ValueError: with a reason that an administrator understands
    """
    try:
        return x509.load_pem_x509_certificate(restore_pem(text))
    except ValueError as error:
        raise ValueError("this is no certificate") if "PEM text" not in str(error) else error


def check_certificate(certificate, key, now):
    """Why before the first request: a server only closes the connection, often without a reason.

    :param datetime now: the current moment, aware
    :raise ValueError: with a reason that an administrator understands
    """
    if not (certificate and key):
        raise ValueError("client certificate and private key are needed together")
    begin, end = _validity(certificate, key)
    if now >= end:
        raise ValueError(f"the client certificate expired on {end:%Y-%m-%d}: enter a new one")
    if now < begin:
        raise ValueError(f"the client certificate is valid only from {begin:%Y-%m-%d} on")


@lru_cache(maxsize=8)
def _validity(certificate, key):
    """Kept: to check the numbers of the key takes longer than to read a page of transactions.

    :return: the first and the last moment of a certificate
    :raise ValueError: where the key is not the one of the certificate
    """
    loaded = load_certificate(certificate)
    # Why bytes: older versions of the library compare keys by identity.
    if _public_bytes(loaded) != _public_bytes(load_private_key(key)):
        raise ValueError("the private key does not belong to the client certificate")
    return tuple(_certificate_moment(loaded, name) for name in ("not_valid_before", "not_valid_after"))


def _public_bytes(owner):
    return owner.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _certificate_moment(certificate, name):
    """Why by name: the aware moments are as new as version 42 of the library, and the naive ones are going."""
    moment = getattr(certificate, f"{name}_utc", None)
    return moment or getattr(certificate, name).replace(tzinfo=timezone.utc)


@contextmanager
def _file_of(content):
    """A path under which OpenSSL can read secret bytes; it is removed afterwards.

    Why a path: Python's binding of OpenSSL reads a private key from nowhere else. Why memory: a file on a disk can be
    recovered after it was deleted, and a crash in between would leave it. Where the system has no such files (it is
    Linux that has them), it is one in the folder for temporary files, for this user only, gone before the first byte is
    sent.
    """
    handle, path = _memory_file()
    is_on_disk = handle is None
    if is_on_disk:
        handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            yield path
    finally:
        if is_on_disk:
            os.unlink(path)


def _memory_file():
    """:return: (handle, path), both None where the system has no files in memory"""
    try:
        handle = os.memfd_create("certificate", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        return None, None
    path = f"/proc/self/fd/{handle}"
    if not os.access(path, os.R_OK):
        os.close(handle)
        return None, None
    return handle, path


class ClientCertificate(PublicAdapter):
    """Shows our certificate to the other side, and still verifies theirs. Addresses are looked at as everywhere.

    :param str certificate: PEM, with the chain where there is one
    :param str key: PEM of its private key, without a password
    :param str authorities: PEM of the authorities to trust instead of the usual ones
    :param bool only_public: send to nothing but public addresses
    """

    def __init__(self, certificate, key, authorities=None, only_public=False):
        # Why without authorities: `requests` adds its usual ones, or those of the environment, as to each context.
        self._context = ssl.create_default_context(cadata=authorities) if authorities else _context()
        self._has_own_authorities = authorities is not None
        with _file_of(restore_pem(certificate) + restore_pem(key)) as path:
            self._context.load_cert_chain(path)
        super().__init__(allow_private=not only_public)

    def init_poolmanager(self, *args, **kwargs):
        return super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, proxy, **kwargs):
        return super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)

    def build_connection_pool_key_attributes(self, request, verify, cert=None):
        # Why: `requests` would add its own list of authorities to the context, which then trusts both.
        host, attributes = super().build_connection_pool_key_attributes(request, verify, cert)
        if not self._has_own_authorities:
            return host, attributes
        return host, {"cert_reqs": "CERT_REQUIRED"} if "cert_reqs" in attributes else attributes

    def cert_verify(self, conn, url, verify, cert):
        if not self._has_own_authorities:
            return super().cert_verify(conn, url, verify, cert)
        conn.cert_reqs = "CERT_REQUIRED"
        return None


def _context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
