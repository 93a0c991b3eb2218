"""The only way from an adapter to the network: no other module of this package calls ``requests``."""

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from odoo.addons.bank_sync_common.tools.bounded_http import (
    BoundedAdapter,
    Deadline,
    TookTooLong,
    TooLarge,
    TooMany,
    bound,
    parse_json,
    read_body,
    resolve,
    time_left,
)

from ..tools.outbound import AddressRefused, PublicAdapter, check_url, is_public
from .auth import ClientCertificate, certificate_refusal
from .errors import ConfigurationError, ProtocolError, TransientError
from .masking import mask, one_line
from .reading import Number

_logger = logging.getLogger(__name__)

RESOLVE_SECONDS = 10
CONNECT_SECONDS = 10
READ_SECONDS = 60
#: Time limit of one request, all attempts and pauses included: a worker waits for it.
TOTAL_SECONDS = 90
ATTEMPTS = 3
#: Before the second attempt, twice as long before the third.
PAUSE_SECONDS = 0.5
#: Larger answers are refused. Some providers give years of transactions in one.
MAX_BYTES = 32 * 1024 * 1024
MAX_EXCERPT = 500
#: Of one request, if other processes get new credentials all the time.
MAX_RENEWALS = 3
#: A longer Retry-After is a mistake, or means a point in time instead of seconds.
MAX_RETRY_AFTER = 7 * 86400
#: A gateway could not reach the service; requested again at once, it often can. Why not 500: the service itself failed,
#: and banks count such an attempt among the few that they allow per day.
GATEWAY_FAILURES = {502, 503, 504}
#: The only hosts that may be reached without TLS: a gateway on this machine, or a test.
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
IDEMPOTENT = {"GET", "HEAD", "PUT", "DELETE"}


class NoAuth(AuthBase):
    """Sends no credentials. Why not None: ``requests`` would then look for some in a .netrc file."""

    def __call__(self, request):
        return request


@dataclass(frozen=True)
class Answer:
    """The answer: complete, decompressed, not larger than allowed.

    :param data: the JSON value, numbers with a fraction as :class:`~.reading.Number`; None where none was expected
    """

    status: int
    headers: dict = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    data: object = field(default=None, repr=False)

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def media_type(self):
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def text(self):
        return self.content.decode("utf-8", "replace")

    @property
    def excerpt(self):
        """The beginning of the content, for error records; of HTML, which is useless there, only its kind."""
        if self.media_type == "text/html":
            return "a page of HTML"
        return " ".join(self.text[:MAX_EXCERPT].split())

    def retry_after(self, now):
        """
        :param datetime now: the current moment, aware
        :return: seconds of the header Retry-After, whether it names seconds or a date; None without a usable one
        """
        value = self.headers.get("Retry-After", "").strip()
        if (seconds := read_seconds(value)) is not None:
            return seconds
        moment = read_http_date(value)
        return moment and min(max(0, round((moment - now).total_seconds())), MAX_RETRY_AFTER)

    def json(self):
        """:raise ValueError: if it is not JSON"""
        return parse_json(self.content, parse_float=Number)

    def json_or_empty(self):
        """:return: the JSON object of a failed answer; ``{}`` where there is none"""
        try:
            data = self.json()
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


class Http:
    """Requests to one provider. TLS is always verified, redirects are never followed, time and memory are bounded.

    :param str provider: code, for logs and errors
    :param str base_url: requests are relative to it, and a full URL may not leave its host
    :param auth: ``requests.auth.AuthBase``; one with ``renew()`` is asked for new credentials after a 401, once, and
        again if it says that it has only found others
    :param session: ``requests.Session``
    :param dict headers: of every request
    :param parse_error: callable(Answer) that gives the ProviderError of a failed answer
    :param now: callable that gives the current moment, aware
    :param bool only_public: the address comes from a user: connect only if it resolves to public addresses at the
        moment of connecting, whatever it resolved to when it was checked
    :param tuple certificate: (certificate, private key) in PEM, shown to the server: mutual TLS
    """

    def __init__(
        self,
        provider,
        base_url,
        *,
        parse_error,
        now,
        auth=None,
        session=None,
        headers=None,
        only_public=False,
        certificate=None,
    ):
        self.provider = provider
        if urlsplit(base_url).scheme != "https" and urlsplit(base_url).hostname not in LOOPBACK:
            raise ConfigurationError("provider_not_configured", "its address is not https", provider=provider)
        self.base_url = base_url.rstrip("/") + "/"
        self.auth = auth or NoAuth()
        self.session = bound(session or requests.Session(), PublicAdapter if only_public else BoundedAdapter)
        if certificate:
            self.session.mount("https://", ClientCertificate(*certificate, only_public=only_public))
        self.headers = {"Accept": "application/json", "User-Agent": "bank_sync_proxy", **(headers or {})}
        self.parse_error = parse_error
        self.now = now
        self.timeout = (CONNECT_SECONDS, READ_SECONDS)
        self.total_seconds = TOTAL_SECONDS
        self.max_bytes = MAX_BYTES
        #: callable(Answer) that raises ValueError for a successful answer that the provider has not signed.
        self.check_answer = None
        self.sleep = time.sleep
        self.monotonic = time.monotonic

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    def get(self, path, **params):
        """:return: JSON of a GET; parameters that are None are left out"""
        return self.ask("GET", path, params=params).data

    def post(self, path, body=None, *, idempotent=False):
        """:return: JSON of a POST; an ``idempotent`` one only reads, so it may be sent again"""
        return self.ask("POST", path, body=body, idempotent=idempotent).data

    def ask(
        self, method, path, *, params=None, body=None, form=None, auth=None, idempotent=None, kind="json", name=None
    ):
        """One request, retried where that can't do harm.

        :param body: JSON; ``form`` is a form instead
        :param auth: instead of the usual one
        :param bool idempotent: whether it may be sent twice; None: depends on the method
        :param str kind: ``json`` · ``text`` · ``none``: the expected content of the answer
        :param str name: is logged instead of a path that is a secret itself
        :return: :class:`Answer`
        :raise ProviderError: for every kind of failure
        """
        idempotent = method in IDEMPOTENT if idempotent is None else idempotent
        auth = auth or self.auth
        request = {"params": {k: v for k, v in (params or {}).items() if v is not None}, "json": body, "data": form}
        url = self._url(path)
        name = name or urlsplit(url).path
        deadline = self.monotonic() + min(self.total_seconds, time_left())
        attempt, renewals = 0, 0
        while True:
            attempt += 1
            answer, failure = self._once(method, url, name, deadline, kind, auth=auth, **request)
            if answer and answer.status == 401 and renewals < MAX_RENEWALS and hasattr(auth, "renew"):
                # A refused request had no effect, so sending it again is not a repetition.
                renewals = renewals + 1 if auth.renew() is False else MAX_RENEWALS
                continue
            if failure is None and answer.ok:
                return answer
            pause = self._pause(attempt, answer, failure) if idempotent else None
            if pause is None or self.monotonic() + pause >= deadline:
                raise failure or self.parse_error(answer)
            self.sleep(pause)

    def _url(self, path):
        url = urljoin(self.base_url, path)
        parts, base = urlsplit(url), urlsplit(self.base_url)
        if (parts.scheme, parts.netloc) != (base.scheme, base.netloc):
            # Why: links of answers are followed with our credentials.
            raise ProtocolError("unexpected_answer", f"a link to another host: {parts.netloc}", provider=self.provider)
        return url

    def _pause(self, attempt, answer, failure):
        """:return: seconds until the next attempt, or None if the request is not retried"""
        if attempt >= ATTEMPTS:
            return None
        pause = PAUSE_SECONDS * 2 ** (attempt - 1)
        if failure is not None:
            return pause if isinstance(failure, TransientError) else None
        if answer.status not in GATEWAY_FAILURES:
            return None
        return max(pause, answer.retry_after(self.now()) or 0)

    # -------------------------------------------------------------------------
    # ONE ATTEMPT
    # -------------------------------------------------------------------------

    def _once(self, method, url, name, deadline, kind, **request):
        """:return: (answer, None), (answer, failure to read it) or (None, failure to reach the server)"""
        begun = self.monotonic()
        connect, read = self.timeout
        try:
            with (
                Deadline(deadline - begun),
                self.session.request(
                    method,
                    url,
                    headers=self.headers,
                    timeout=(connect, read),
                    allow_redirects=False,
                    verify=True,
                    stream=True,
                    **request,
                ) as response,
            ):
                answer = Answer(response.status_code, response.headers, read_body(response, self.max_bytes))
        except TooLarge:
            return None, self._too_large(f"more than {self.max_bytes} bytes")
        except TookTooLong:
            return None, self._failure(TransientError, "the answer takes too long")
        except AddressRefused as error:
            return None, self._failure(TransientError, str(error))
        except UnicodeError as error:
            # The provider's token or link contains characters that are not allowed in a request.
            return None, self._failure(ProtocolError, type(error).__name__, None)
        except requests.RequestException as error:
            # Why not the error's text: it contains the URL with all parameters.
            _logger.info("%s %s %s: %s", self.provider, method, one_line(mask(name)), type(error).__name__)
            return None, self._not_reached(error)
        except TransientError as error:
            # Raised by the request for a token, before this one was sent.
            return None, error
        milliseconds = (self.monotonic() - begun) * 1000
        _logger.debug("%s %s %s: %s in %d ms", self.provider, method, one_line(mask(name)), answer.status, milliseconds)
        return self._check(*self._read(answer, kind))

    def _check(self, answer, failure):
        """Why after reading: the signature of a truncated answer is wrong, too."""
        if failure is None and answer.ok and self.check_answer:
            try:
                self.check_answer(answer)
            except ValueError as error:
                return answer, self._failure(ProtocolError, f"signature of the answer: {error}", answer.status)
        return answer, failure

    def _not_reached(self, error):
        """:return: the ProviderError for a request without an answer"""
        if reason := certificate_refusal(error):
            detail = f"the provider does not accept the client certificate: {reason}"
            return ConfigurationError("provider_not_configured", detail, provider=self.provider)
        return self._failure(TransientError, type(error).__name__)

    def _read(self, answer, kind):
        """Check that a successful answer has the expected kind of content."""
        if 300 <= answer.status < 400:
            return answer, self._failure(ProtocolError, "a redirect, which is not followed", answer.status)
        if not answer.ok or kind == "none":
            return answer, None
        if answer.media_type == "text/html":
            # A gateway's error page (maintenance, overload). The service itself never answers with HTML.
            return answer, self._failure(TransientError, "a page of HTML instead of an answer", answer.status)
        if kind == "text":
            return answer, None
        if answer.media_type and answer.media_type.rpartition("/")[2].rpartition("+")[2] != "json":
            return answer, self._failure(ProtocolError, f"{answer.media_type} instead of JSON", answer.status)
        try:
            return Answer(answer.status, answer.headers, answer.content, answer.json()), None
        except json.JSONDecodeError as error:
            text = error.doc.strip()
            if text.startswith(("{", "[")) and not text.endswith(("}", "]")):
                return answer, self._failure(TransientError, "the answer was cut off", answer.status)
            return answer, self._failure(ProtocolError, f"no JSON: {error.msg}", answer.status)
        except TooMany as error:
            return answer, self._too_large(str(error))
        except ValueError as error:
            return answer, self._failure(ProtocolError, f"no JSON: {error}", answer.status)

    def _too_large(self, detail):
        return ProtocolError("answer_too_large", detail, provider=self.provider)

    def _failure(self, family, detail, status=None):
        code = "provider_unavailable" if family is TransientError else "unexpected_answer"
        return family(code, detail, provider=self.provider, status=status)


def read_seconds(text):
    """:return: the number of seconds in a header, at most ``MAX_RETRY_AFTER``; None for anything else"""
    if not text.isascii() or not text.isdigit():
        return None
    # The length first: Python refuses to read thousands of digits.
    return min(int(text[:20]), MAX_RETRY_AFTER)


def read_http_date(text):
    """:return: the aware moment of a date in the format of HTTP, or None"""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def leads_outside(url):
    """Whether a URL that a user entered uses https and resolves only to public addresses at this moment.

    This is only for the user's error message. The name could resolve to another address a moment later, so
    :class:`Http` checks again when it connects.
    """
    try:
        check_url(url)
        parts = urlsplit(url)
        with Deadline(RESOLVE_SECONDS):
            found = resolve(parts.hostname, parts.port or 443)
    except (AddressRefused, OSError, ValueError):
        return False
    return all(map(is_public, found))
