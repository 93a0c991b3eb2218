"""What adapters share that speak HTTP. A provider is still one file; this one knows none of them."""

import base64
import hmac
import json
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import urlsplit

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import errors
from .auth import Basic, Bearer, Token, check_certificate
from .base import Provider
from .errors import CODES, ConfigurationError, ProtocolError, ProviderError, TransientError
from .history import PERIOD_CODES, named_periods
from .http import Http, read_http_date
from .masking import mask
from .parts import Part
from .types import Institution, Unread, moment_from_text

#: As the protocol with databases allows; providers allow less.
MAX_SKEW_SECONDS = 300
#: What taking an answer apart raises when it is not as documented.
UNDOCUMENTED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
#: Of an error's body no more is looked through.
MAX_ERROR = 10_000
#: More unreadable rows than this, and more than readable ones, mean that the whole page has another format.
MAX_UNREAD = 10


class WebProvider(Provider):
    """The form of :class:`~.base.Provider`, with the network filled in."""

    # -------------------------------------------------------------------------
    # YOU MUST SET
    # -------------------------------------------------------------------------

    #: Of the API. The sandbox may be the same.
    production_url = None
    sandbox_url = None
    #: By what its accounts are found again: :class:`~odoo.addons.bank_sync_common.tools.recognition.Keys`.
    account_keys = Keys()

    # -------------------------------------------------------------------------
    # YOU MAY SET
    # -------------------------------------------------------------------------

    #: The provider's own codes, or parts of them between slashes, and which of :data:`~.errors.CODES` each of them is.
    error_codes = {}
    #: The same for the HTTP status of a failed answer, where its code says nothing.
    status_codes = {}

    # -------------------------------------------------------------------------
    # YOU MAY IMPLEMENT
    # -------------------------------------------------------------------------

    def authenticate(self):
        """:return: ``requests.auth.AuthBase`` for all requests"""

    def client_certificate(self):
        """:return: (certificate, private key) in PEM that each request shows to the server, or None"""

    def read_error(self, body):
        """:param dict body: JSON object of a failed answer, ``{}`` without one
        :return: (the provider's own code, its words, its id of the request), each may be None
        """
        return None, None, None

    def identify_row(self, row):
        """Say which transaction it is of whose row nothing else can be read; what this raises counts as not known.

        :return: (``Transaction.id``, ``booked`` or ``pending``), each may be None
        """
        return row["id"], None

    # -------------------------------------------------------------------------
    # YOU SHOULD NOT NEED TO OVERRIDE
    # -------------------------------------------------------------------------

    @cached_property
    def http(self):
        return self.connect()

    def connect(self, auth=None, base_url=None, headers=None):
        """:return: :class:`~.http.Http`, with credentials and server of one connection instead of the provider's

        :param dict headers: of every request
        """
        return Http(
            self.code,
            base_url or self.base_url,
            auth=auth or self.authenticate(),
            parse_error=self.parse_error,
            now=self.now,
            headers=headers,
            # Why: whatever is neither ours nor the provider's own server was named by a user.
            only_public=bool(base_url) and not self.is_our_host(base_url),
            certificate=self._checked_certificate(),
        )

    def connect_with_client(self, keys):
        """:param dict keys: ``client_id`` and ``client_secret`` of one connection, for a token by RFC 6749, 4.4
        :return: :class:`~.http.Http`
        """

        def obtain(_old):
            basic, form = Basic(keys["client_id"], keys["client_secret"]), {"grant_type": "client_credentials"}
            answer = self.connect(basic).ask("POST", "oauth2/token", form=form, idempotent=True).data
            with self.reading("token"):
                return Token.from_answer(answer, self.now())

        return self.connect(Bearer(obtain, self.now))

    def _checked_certificate(self):
        certificate = self.client_certificate()
        if certificate:
            self.load_key(lambda pair: check_certificate(*pair, self.now()), certificate)
        return certificate

    @property
    def base_url(self):
        """The setting ``base_url`` is not declared and so on no form: tests and gateways put it in."""
        return self.settings.get("base_url") or (self.production_url if self.production else self.sandbox_url)

    def is_our_host(self, url):
        parts, base = urlsplit(url), urlsplit(self.base_url)
        return (parts.scheme, parts.netloc) == (base.scheme, base.netloc)

    def parse_error(self, response):
        code, words, request_id = self._read_error_of_any_shape(response.json_or_empty())
        text = response.text[:MAX_ERROR]
        if PERIOD_CODES.search(text):
            ours = "period_refused"
        else:
            ours = self._code_of(code, response.status)
        detail = words or response.excerpt
        if CODES[ours].family == "ConfigurationError":
            detail += self._skew(response)
        error = self.failure(ours, detail, response, provider_code=code, request_id=request_id)
        error.answer = response
        error.named_days = named_periods(words or text, self.now().date())
        return error

    def _code_of(self, code, status):
        return self._our_code(code) or self.status_codes.get(status) or self._usual_code(status)

    def _read_error_of_any_shape(self, body):
        """What went wrong must never hide behind how it was said: what has another shape says nothing.

        :return: as :meth:`read_error`, each a text or None
        """
        try:
            found = self.read_error(body)
        except UNDOCUMENTED:
            found = (None, None, None)
        return [str(part) if isinstance(part, str | int) and part != "" else None for part in found]

    def failure(self, code, detail="", response=None, **context):
        """:return: the error of a code of :data:`~.errors.CODES`, with what the answer says about itself"""
        if response is not None:
            context["status"] = response.status
            if (pause := response.retry_after(self.now())) is not None:
                context.setdefault("retry_after", pause)
        return getattr(errors, CODES[code].family)(code, detail, provider=self.code, **context)

    def _our_code(self, code):
        # The last part says most: TYPE/CODE/REASON.
        parts = reversed(str(code or "").split("/"))
        return next((self.error_codes[part] for part in parts if part in self.error_codes), None)

    def _usual_code(self, status):
        if status == 429:
            return "rate_limited"
        if status in (401, 403):
            return "provider_not_configured"
        return "provider_unavailable" if status == 408 or status >= 500 else "unexpected_answer"

    def _skew(self, response):
        """Why: a wrong clock makes signatures and tokens invalid, and the provider says no more than "unauthorized"."""
        moment = read_http_date(response.headers.get("Date"))
        seconds = round((self.now() - moment).total_seconds()) if moment else 0
        if abs(seconds) <= MAX_SKEW_SECONDS:
            return ""
        return (
            f"; the clock of this server is {abs(seconds)} seconds {'fast' if seconds > 0 else 'slow'}, set it by NTP"
        )

    @contextmanager
    def reading(self, what):
        """Inside, an answer is taken apart; what does not fit means that the provider said something undocumented."""
        try:
            yield
        except UNDOCUMENTED as error:
            detail = f"{what}: {type(error).__name__} {error}"
            raise ProtocolError("unexpected_answer", detail, provider=self.code) from error

    def read_rows(self, rows, read, *arguments, status=None):
        """Read the transactions of a page, each for itself: a bad one does not keep the others away.

        :param read: callable(row, *arguments) that gives a :class:`~.types.Transaction`, or None for what is none
        :param str status: of all rows, where it does not stand in them
        :return: (list of transactions, list of :class:`~.types.Unread`), in the order of the rows
        :raise ProtocolError: when hardly any row can be read; then they are not reported one by one
        """
        if not isinstance(rows, list | tuple):
            # A text or an object would be taken for a few bad rows, and its account for an empty one.
            detail = f"{type(rows).__name__} instead of a list of transactions"
            raise ProtocolError("unexpected_answer", detail, provider=self.code)
        found, unread = [], []
        for row in rows:
            try:
                transaction = read(row, *arguments)
                if transaction is not None:
                    if transaction.booking_date is None and transaction.status == "booked":
                        raise ValueError("a booked transaction without a day")
                    found.append(transaction)
            except UNDOCUMENTED as error:
                unread.append(self._unread(row, error, status))
        if len(unread) > MAX_UNREAD and len(unread) > len(found):
            detail = f"{len(unread)} of {len(unread) + len(found)} transactions can't be read: {unread[0].problem}"
            raise ProtocolError("unexpected_answer", detail, provider=self.code)
        return found, unread

    def ask_each(self, accounts, ask):
        """Ask something about each account for itself, such as its balance: one that is refused hides no other one.

        :param dict accounts: by our id
        :param ask: callable(account)
        :return: answers by our id, None for an account that was refused
        :raise ProviderError: if all are refused, or there is no answer
        """
        answers, errors = {}, []
        for key, account in accounts.items():
            try:
                answers[key] = ask(account)
            except ProviderError as error:
                if isinstance(error, TransientError) and not error.status:
                    # The next one would be waited for just as long.
                    raise
                answers[key] = None
                errors.append(error)
        if errors and len(errors) == len(answers):
            raise errors[0]
        return answers

    def _unread(self, row, error, status):
        try:
            identifier, own_status = self.identify_row(row)
        except UNDOCUMENTED:
            identifier = own_status = None
        problem = f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__
        return Unread(
            id=identifier if isinstance(identifier, str) and identifier else None,
            status=status or own_status,
            problem=mask(problem[:200]),
            raw=row if isinstance(row, dict) else {"row": row},
        )

    def one_of_each_country(self, country=None, **facts):
        """For a provider that is a bank itself, or whose banks are chosen elsewhere.

        :param facts: of each :class:`~.types.Institution`
        :return: as :meth:`institutions`
        """
        return [
            Institution(id=f"{self.code}.{code}", name=self.label, country=code, **facts)
            for code in self.facts.countries
            if country in (None, code)
        ]

    def known_account(self, state, account):
        """:return: what the state contains about an account
        :raise ConsentError: ``unknown_account``
        """
        if known := state["accounts"].get(account):
            return known
        raise self.failure("unknown_account", "not part of this connection")

    def by_our_id(self, known, facts, listed):
        """:param facts: of each account in ``listed``: its ``id``, and the keys that :attr:`account_keys` names
        :return: dict from our permanent id to the account as listed by the provider
        """
        facts = list(facts)
        ids = identify(known, facts, self.account_keys, [new["id"] for new in facts])
        return dict(zip(ids, listed, strict=True))

    def check_end(self, until):
        """:param str until: moment at which the consent ends; empty if unknown
        :raise ConsentError: ``consent_expired``
        """
        if until and self.now() >= moment_from_text(until):
            raise self.failure("consent_expired", f"until {until}")

    def check_state(self, flow, params):
        """Of a redirect whose ``data`` has kept ``Flow.callback_state`` as ``state``. The caller has looked, too.

        :raise ProtocolError: when the answer belongs to another visit
        """
        kept, came = flow.data.get("state") or "", params.get("state") or ""
        if not kept or not hmac.compare_digest(kept.encode(), came.encode()):
            raise ProtocolError("invalid_request", "the answer belongs to another visit", provider=self.code)

    def load_key(self, loader, text):
        """:raise ConfigurationError: when a key of the settings can't be read"""
        try:
            return loader(text)
        except ValueError as error:
            raise ConfigurationError("provider_not_configured", str(error), provider=self.code)

    def write_part(self, account, part):
        return self.write_cursor(account, part=part.to_json())

    def read_part(self, account, cursor):
        place = self.read_cursor(account, cursor)
        if "part" not in place:
            return None
        try:
            return Part.from_json(place["part"])
        except UNDOCUMENTED as error:
            raise ProtocolError("invalid_request", f"not a cursor of this account: {error}", provider=self.code)

    # A cursor carries what the next page has to know; it is bound to its account.

    def write_cursor(self, account, **place):
        return base64.urlsafe_b64encode(json.dumps({"account": account, **place}).encode()).decode()

    def read_cursor(self, account, cursor):
        """:return: the place that :meth:`write_cursor` was given
        :raise ProtocolError: for any other text
        """
        try:
            place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            if place.pop("account") != account:
                raise ValueError("of another account")
            return place
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise ProtocolError("invalid_request", f"not a cursor of this account: {error}", provider=self.code)
