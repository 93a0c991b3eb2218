"""The transport to a proxy on another server.

All HTTP of this addon goes through :class:`RemoteTransport`: time-outs, retries of idempotent operations, a limit on
the size of answers, TLS always verified, no redirect followed. Anything but an answer of a proxy becomes a
:class:`ServiceUnavailable` that says what happened and what to do, without any part of the request.
"""

import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from odoo.addons.bank_sync_common.tools.bounded_http import (
    Deadline,
    TookTooLong,
    TooLarge,
    TooMany,
    bound,
    parse_json,
    read_body,
)
from odoo.addons.bank_sync_common.tools.words import Sentence, _lt

from .addresses import BadAddress, is_loopback, page_address
from .errors import ProxyError, ServiceUnavailable

#: Seconds to connect, and between two parts of the answer.
TIMEOUTS = (5, 60)
#: Seconds for one request with its retries, from the name server to the last byte, also with a slow server.
WHOLE_TIMEOUT = 120
#: Bytes; parse_json limits the number of values.
MAX_ANSWER = 20 * 1024**2

#: Idempotent operations, which may be retried.
REPEATABLE = frozenset(
    (
        "institutions.search",
        "connections.get",
        "connections.delete",
        "accounts.list",
        "transactions.list",
        "clients.status",
        "clients.update",
        "firms.get",
        "firms.revoke",
    )
)
#: Seconds before each retry, so there are three attempts.
BACK_OFF = (0.5, 2)
UNWELL = (502, 503, 504)

#: Maximum number of threads with a request at the same time.
THREADS = 32


class Attempt(Exception):
    """A failure that may be temporary."""

    def __init__(self, failure):
        super().__init__()
        self.failure = failure


class RemoteTransport:
    """Sends requests to a proxy over HTTP. Any thread may use it; each has its own connections.

    :param str address: of the proxy, a result of :func:`~.addresses.clean_address`
    :param auth: ``requests.auth.AuthBase`` that signs; None for unsigned requests
    :param sleep: function that waits some seconds
    """

    threads = THREADS
    timeouts = TIMEOUTS
    whole_timeout = WHOLE_TIMEOUT

    def __init__(self, address, auth=None, sleep=time.sleep):
        self.address = address
        self._auth = auth
        self._sleep = sleep
        self._local = threading.local()

    def for_threads(self):
        return self

    def call(self, operation, payload):
        """:return: JSON object of the proxy, ``{"error": …}`` included; addresses of pages in it are absolute
        :raise ServiceUnavailable: when no proxy has answered
        """
        with Deadline(self.whole_timeout):
            return self._call(operation, json.dumps(payload).encode())

    def _call(self, operation, body):
        pauses = BACK_OFF if operation in REPEATABLE else ()
        for pause in (*pauses, None):
            try:
                return self._attempt(operation, body)
            except Attempt as attempt:
                failure = attempt.failure
            if pause:
                # Why random: many databases lose their proxy at the same moment.
                self._sleep(pause * random.uniform(0.5, 1.5))
        raise failure

    def _attempt(self, operation, body):
        try:
            status, headers, content = self._exchange(operation, body)
            answer = _parse(content)
        except requests.RequestException as error:
            failure = _explain(error, self.address)
            # Why from None: the chained exceptions would put the request with its headers into logs.
            if _may_be_gone(error):
                raise Attempt(failure) from None
            raise failure from None
        if isinstance(answer, dict) and (isinstance(answer.get("error"), dict) or status == 200):
            return self._with_absolute_page(answer)
        failure = _explain_status(status, headers, self.address)
        if status in UNWELL:
            raise Attempt(failure)
        raise failure

    def _exchange(self, operation, body):
        """:return: status, headers, and the content as bytes"""
        with (
            Deadline(self.whole_timeout),
            self._session().post(
                f"{self.address}/bank_sync/1/{operation}",
                data=body,
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                auth=self._auth,
                timeout=self.timeouts,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            return response.status_code, response.headers, read_body(response, MAX_ANSWER)

    def _session(self):
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = bound(requests.Session())
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            # Why not for this machine: local requests would go through the company's HTTP proxy.
            session.trust_env = not is_loopback(urlsplit(self.address).hostname)
        return session

    def _with_absolute_page(self, answer):
        if not isinstance(answer.get("page_url"), str):
            return answer
        try:
            return {**answer, "page_url": page_address(self.address, answer["page_url"])}
        except BadAddress:
            raise ProxyError(
                "unexpected_answer",
                _lt(
                    "The connection service tried to send you to a page at another address, so nothing was opened. "
                    "Please inform the administrator of the connection service."
                ),
            ) from None


def _parse(content):
    """:return: JSON value, None if it is not JSON
    :raise TooLarge: when it has more values than an answer of a proxy
    """
    try:
        return parse_json(content)
    except TooMany:
        raise TooLarge from None
    except ValueError:
        return None


# -------------------------------------------------------------------------
# SENTENCES
# -------------------------------------------------------------------------


def _causes(error):
    """The error, and all its causes, contexts and arguments."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _has(error, kind):
    return any(isinstance(one, kind) for one in _causes(error))


def _is_certificate(error):
    return isinstance(error, requests.exceptions.SSLError) or _has(error, ssl.SSLError)


def _may_be_gone(error):
    """Whether the failure may be temporary. A time-out is not retried, because it took long already."""
    connection = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    lasting = (requests.Timeout, requests.exceptions.ProxyError)
    return isinstance(error, connection) and not isinstance(error, lasting) and not _is_certificate(error)


class Cause(NamedTuple):
    """Why there is no answer; ``%(address)s`` in the sentence is filled in later."""

    applies: Callable
    code: str
    sentence: Sentence


SLOW = _lt(
    "The connection service at %(address)s took too long to answer. Please try again later; if this "
    "persists, ask the administrator of the connection service."
)
#: The first one that applies is used.
CAUSES = (
    Cause(
        lambda error: isinstance(error, TooLarge),
        "service_answer",
        _lt(
            "The answer of the connection service at %(address)s is larger than expected, so it was not read "
            "and nothing was imported. Ask the administrator of the connection service."
        ),
    ),
    # Why before the others: its context may be any error of the closed connection.
    Cause(lambda error: isinstance(error, TookTooLong), "service_slow", SLOW),
    Cause(
        lambda error: isinstance(error, requests.exceptions.ProxyError),
        "service_firewall",
        _lt(
            "The network's proxy server refused the connection to the connection service at %(address)s. Ask "
            "your system administrator to allow this address."
        ),
    ),
    Cause(
        _is_certificate,
        "service_certificate",
        _lt(
            "The certificate of the connection service at %(address)s can't be trusted, so nothing was sent: it "
            "has expired, belongs to another address, or its issuer is unknown here. Ask the administrator of the "
            "connection service to renew it."
        ),
    ),
    Cause(
        lambda error: isinstance(error, requests.ConnectTimeout),
        "service_firewall",
        _lt(
            "The connection service at %(address)s can't be reached: there was no answer. Usually a firewall "
            "is blocking the connection. Ask your system administrator to allow this address."
        ),
    ),
    Cause(lambda error: isinstance(error, requests.ReadTimeout) or _has(error, TimeoutError), "service_slow", SLOW),
    Cause(
        lambda error: _has(error, socket.gaierror) or isinstance(error, requests.exceptions.InvalidURL),
        "service_address",
        _lt(
            "The address %(address)s of the connection service can't be found on the network. Check it in the "
            "settings for typing errors, or ask your system administrator about this server's DNS."
        ),
    ),
    Cause(
        lambda error: _has(error, ConnectionRefusedError),
        "service_refused",
        _lt(
            "Nothing is listening at %(address)s: the connection service is switched off, or its address or "
            "port is different. If this lasts, ask the administrator of the connection service."
        ),
    ),
    Cause(
        lambda _error: True,
        "service_broken",
        _lt(
            "The connection to the connection service at %(address)s broke off before the answer was complete. "
            "Please try again; if this persists, ask your system administrator whether a firewall is blocking it."
        ),
    ),
)


def _explain(error, address):
    """:param requests.RequestException error: why there is no answer
    :return: :class:`ServiceUnavailable` with a sentence for the user
    """
    cause = next(cause for cause in CAUSES if cause.applies(error))
    return ServiceUnavailable(Sentence(cause.sentence.source, address=address), cause.code)


def _explain_status(status, headers, address):
    """:return: :class:`ServiceUnavailable` for an answer that does not come from a proxy"""
    retry_after = headers.get("Retry-After", "")
    wait = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    if 300 <= status < 400:
        return ServiceUnavailable(
            _lt(
                "The address %(address)s of the connection service redirects to another address, which is not "
                "followed. Enter the final address in the settings.",
                address=address,
            ),
            "service_address",
        )
    if status == 429 or status in UNWELL:
        return ServiceUnavailable(
            _lt(
                "The connection service at %(address)s is busy or under maintenance. Please try again later.",
                address=address,
            ),
            "service_busy",
            wait,
        )
    return ServiceUnavailable(
        _lt(
            "Something answers at %(address)s, but it is not a connection service (HTTP status %(status)s). Either "
            "the address in the settings is wrong, or a firewall or sign-in page answers in its place. Ask your "
            "system administrator.",
            address=address,
            status=status,
        ),
        "service_answer",
        wait,
    )
