"""Requests received over HTTP: from untrusted bytes to an object that is safe to handle. Does not import Odoo."""

import json
from dataclasses import dataclass, field
from typing import Any

from odoo.addons.bank_sync_common.tools import signing
from odoo.addons.bank_sync_proxy.providers.errors import ConfigurationError, ProtocolError

#: Bytes of a body. The largest request is an address and a few ids.
MAX_BODY = 64 * 1024
#: Objects and lists inside one another. The protocol's own requests have one level.
MAX_DEPTH = 16
PATH = "/bank_sync/1/"


@dataclass
class ReceivedRequest:
    """One HTTP request and its progress. Kept while Odoo retries a transaction: it is authenticated and counted once.

    :param str method: HTTP method
    :param int version: of the protocol, from the path
    :param str path: decoded, without the query
    :param bool has_query: whether something follows ``?``
    :param headers: case-insensitive mapping
    :param body: bytes, or None if there are more than :data:`MAX_BODY`
    :param str address: the sender's, as determined by Odoo's ``proxy_mode``
    """

    method: str
    version: int
    path: str
    has_query: bool
    headers: dict
    body: bytes | None
    address: str
    #: id of the client that the headers name; only :attr:`proof` proves it.
    client: int | None = field(default=None, init=False)
    #: What the gate has verified and committed.
    proof: Any = field(default=None, init=False)

    @property
    def operation(self):
        """:return: name of the operation, or an empty text if the path contains no valid one"""
        name = self.path.removeprefix(PATH) if self.path.startswith(PATH) else ""
        return name if name.isascii() and name.replace(".", "").replace("_", "").isalnum() else ""

    def payload(self):
        """:return: the JSON object
        :raise ProviderError: if the request does not have the documented form
        """
        if self.version != 1:
            raise ConfigurationError("unsupported_version", f"version {self.version}")
        if self.method != "POST":
            raise ProtocolError("invalid_request", "only POST is understood")
        if self.body is None:
            raise ProtocolError("request_too_large", f"more than {MAX_BODY} bytes")
        if self.has_query:
            raise ProtocolError("invalid_request", "there is a query string, which the signature does not cover")
        if "Content-Length" in self.headers and "Transfer-Encoding" in self.headers:
            # Conflicting lengths are used to smuggle one request inside another.
            raise ProtocolError("invalid_request", "Content-Length and Transfer-Encoding exclude each other")
        if not is_json(self.headers.get("Content-Type", "")):
            raise ProtocolError("invalid_request", "the Content-Type is not application/json")
        if not self.operation:
            raise ProtocolError("invalid_request", "the path names no operation")
        try:
            return read_object(self.body)
        except ValueError as error:
            raise ProtocolError("invalid_request", str(error))

    def signed(self):
        """:return: :class:`~.signing.Signed`
        :raise ProtocolError: if a header is missing or malformed
        """
        try:
            return signing.read_headers(self.headers)
        except signing.Malformed as error:
            raise ProtocolError("invalid_request", str(error))


def is_json(content_type):
    """Whether a Content-Type is JSON in UTF-8, the only encoding for JSON between systems (RFC 8259)."""
    kind, _semicolon, parameters = content_type.lower().replace(" ", "").partition(";")
    return kind == "application/json" and parameters in ("", "charset=utf-8", 'charset="utf-8"')


def read_object(body):
    """
    :param bytes body: UTF-8
    :return: dict
    :raise ValueError: with a text that does not quote the body
    """
    try:
        # Why decoded here: json.loads would guess the encoding of bytes, and accept UTF-16 and byte order marks.
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise ValueError("the body is not UTF-8") from None
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")
    _check_contents(value)
    return value


def _refuse_constant(_name):
    raise ValueError("NaN and Infinity are not JSON")


def _check_contents(value):
    """Refuse valid JSON that can't be stored, forwarded or traversed."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        below = []
        for item in level:
            if isinstance(item, dict):
                below += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str):
                _check_text(item)
            elif isinstance(item, float) and item in (float("inf"), float("-inf")):
                raise ValueError("the body holds a number that is too large")
        if not below:
            return
        level = below
    raise ValueError("the body is nested too deeply")


def _check_text(text):
    if "\x00" in text:
        raise ValueError("the body holds a NUL character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the body holds half of a surrogate pair")
