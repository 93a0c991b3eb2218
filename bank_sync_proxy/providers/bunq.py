"""bunq: a Dutch bank with an API for each customer. https://doc.bunq.com

The user pastes an API key from the bunq app. With it we register a key pair of our own (installation), register
ourselves as a device that may use the API key (device-server), and open sessions, which expire. Each request is signed
with our key, and each answer with bunq's, whose public key the installation returned.

Names of fields, kinds of accounts and payments, headers and signatures are those of bunq's own Python SDK, bunq-sdk
1.28.0. The rate limit, and that moments are in UTC, come from the package @bunq-community/bunq-js-client 1.1.2. Nothing
was tested with a live account.
"""

import base64
import uuid
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

from requests.auth import AuthBase

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import reading
from .auth import SPARE, load_rsa_key, new_rsa_key, public_pem, sign_sha256, verify_sha256
from .balances import Balance
from .errors import ConsentError, ProtocolError, ProviderError, RateLimited, _lt
from .facts import Facts
from .types import (
    Account,
    Challenge,
    Completed,
    Counterparty,
    Field,
    Institution,
    Page,
    Refreshed,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

COUNTRIES = ("AT", "BE", "DE", "ES", "FR", "IE", "IT", "NL", "PT")
#: bunq's maximum.
PAGE_SIZE = 200
#: Three GETs in three seconds; bunq-js-client waits a little longer, because bunq counts requests when they arrive.
REQUESTS, SECONDS = 3, 3.35
#: Attempts for a request that exceeds this limit: each page of a long list may be read by another adapter object, and
#: none of them counts the requests of the others.
ATTEMPTS = 3
#: Seconds to wait after too many requests, if the answer does not name them.
PAUSE = 30
#: The shortest time for which a session is used. If bunq ends it earlier, its refusal leads to a new one.
SESSION_SECONDS = 300
#: Kinds of accounts, with ours; None if the payments of that kind are not bunq's.
KINDS = {
    "MonetaryAccountBank": "current",
    "MonetaryAccountJoint": "current",
    "MonetaryAccountLight": "current",
    "MonetaryAccountSavings": "savings",
    "MonetaryAccountExternalSavings": "savings",
    "MonetaryAccountCard": "credit_card",
    "MonetaryAccountExternal": None,
    "MonetaryAccountInvestment": None,
    "MonetaryAccountSwitchService": None,
}
#: Whether an account with this status can be read.
STATUSES = {"ACTIVE": True, "BLOCKED": True, "CANCELLED": False, "PENDING_REOPEN": False}
#: Kinds of users who can own a session.
USERS = ("UserPerson", "UserCompany", "UserApiKey", "UserPaymentServiceProvider")
SIGNATURE = "X-Bunq-Server-Signature"
HEADERS = {
    "Cache-Control": "no-cache",
    "X-Bunq-Geolocation": "0 0 0 0 000",
    "X-Bunq-Language": "en_US",
    "X-Bunq-Region": "nl_NL",
}

KEY = Challenge(
    title=_lt("Connect bunq"),
    message=_lt(
        "In the bunq app, open Profile, Security & Settings, Developers, API keys, make a key, and paste it here. This "
        "service only reads with it, but bunq's keys allow everything, so keep it nowhere else."
    ),
    fields=(Field("api_key", _lt("API key"), type="password"),),
    submit=_lt("Connect"),
)
REFUSED_KEY = _lt(
    "bunq does not accept this key. Copy the whole key from the bunq app, and paste it again; a key that was used from "
    "another network address before needs to be a new one."
)


class Signed(AuthBase):
    """Signs the body of each request, as bunq's SDK does.

    :param key: RSA private key
    :param str token: of the installation
    """

    def __init__(self, key, token):
        self._key, self._token = key, token

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        request.headers["X-Bunq-Client-Request-Id"] = str(uuid.uuid4())
        request.headers["X-Bunq-Client-Authentication"] = self._token
        request.headers["X-Bunq-Client-Signature"] = base64.b64encode(sign_sha256(self._key, body)).decode()
        return request


class Session(Signed):
    """The same with the token of a session, which is replaced before it expires, and once after a refusal.

    :param dict session: ``token``, ``until``
    :param open_session: callable that gives (another one, whether it is new)
    :param now: callable that returns the current moment, aware
    """

    def __init__(self, key, session, open_session, now):
        super().__init__(key, session["token"])
        self.session, self._open, self._now = session, open_session, now

    def __call__(self, request):
        if self._now() + SPARE >= moment_from_text(self.session["until"]):
            self.renew()
        return super().__call__(request)

    def renew(self):
        """:return: whether it is new; else another process has opened it"""
        self.session, is_new = self._open()
        self._token = self.session["token"]
        return is_new


class Bunq(WebProvider):
    """State: ``api_key``, ``private_key``, ``server_key``, ``installation`` (token), ``session`` (token and end),
    ``user``, and ``accounts``: our id → what identifies one."""

    code = "bunq"
    label = "bunq"
    docs_url = "https://doc.bunq.com"
    api_version = "1"
    production_url = "https://api.bunq.com/v1"
    sandbox_url = "https://public-api.sandbox.bunq.com/v1"
    facts = Facts(
        region=_lt("Accounts at bunq: Netherlands, Germany, France, Belgium, Spain and others"),
        countries=COUNTRIES,
        audience=("own", "business"),
        price=_lt("Free for customers of bunq"),
        needs=_lt("An account at bunq, and its app"),
        minutes=5,
        one_bank=True,
        terms=_lt(
            "The key belongs to your own account. It allows everything, also payments; only reading is asked for."
        ),
        terms_urls=((_lt("API of bunq"), "https://doc.bunq.com"),),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "Users make an API key in the bunq app, Profile ‣ Security & Settings ‣ Developers ‣ API keys, and "
                "paste it. It then works from the network address of this service only."
            ),
        ),
        connect="pasted key",
        identity="`id` of the payment",
        sources=(
            "Fields, signatures and sessions: bunq-sdk 1.28.0. Limits and time zone: bunq-js-client 1.1.2. "
            "Countries, price and menus: from memory."
        ),
    )
    account_keys = Keys(alike=(("number",),), certain=("number",))
    replaced_secrets = ("session",)
    #: bunq's errors have texts but no codes. The key belongs to the user. 405 and 500 mean the same everywhere.
    status_codes = {401: "credentials_rejected", 403: "permission_missing", 404: "account_refused"}

    def read_error(self, body):
        return None, reading.at(body, "Error", 0, "error_description"), None

    def parse_error(self, response):
        error = super().parse_error(response)
        if error.code == "rate_limited" and response.retry_after(self.now()) is None:
            error.retry_after = PAUSE
        return error

    # -------------------------------------------------------------------------
    # SESSIONS
    # -------------------------------------------------------------------------

    def _new_key(self):
        return new_rsa_key()

    def _connect(self, auth, server_key):
        http = self.connect(auth, headers=HEADERS)
        http.check_answer = lambda answer: verify_answer(server_key, answer)
        return http

    def _install(self, api_key):
        """:return: the state, except for the accounts"""
        private_key = self._new_key()
        key = load_rsa_key(private_key)
        http = self.connect(headers={**HEADERS, "X-Bunq-Client-Request-Id": str(uuid.uuid4())})
        answer = http.post("installation", {"client_public_key": public_pem(key)})
        with self.reading("installation"):
            found = merged(answer)
            state = {
                "api_key": api_key,
                "private_key": private_key,
                "server_key": found["ServerPublicKey"]["server_public_key"],
                "installation": found["Token"]["token"],
            }
        device = {"description": "Odoo", "secret": api_key}
        self._connect(Signed(key, state["installation"]), state["server_key"]).post("device-server", device)
        return {**state, **self._open_session(state)}

    def _open_session(self, state):
        """:return: ``session`` and ``user`` of the state"""
        key = self.load_key(load_rsa_key, state["private_key"])
        http = self._connect(Signed(key, state["installation"]), state["server_key"])
        try:
            answer = http.post("session-server", {"secret": state["api_key"]})
        except (ConsentError, ProtocolError) as error:
            if error.status not in (400, 403):
                raise
            # Nothing else in this request can be wrong.
            raise self.failure("credentials_rejected", error.detail, error.answer) from error
        with self.reading("session"):
            found = merged(answer)
            user = next(found[name] for name in USERS if name in found)
            until = self.now() + timedelta(seconds=max(session_timeout(user), SESSION_SECONDS))
            session = {"token": found["Token"]["token"], "until": moment_text(until)}
            return {"session": session, "user": str(user["id"])}

    def _http(self, state):
        key = self.load_key(load_rsa_key, state["private_key"])
        session = Session(key, state["session"], lambda: self._renew_session(state), self.now)
        return self._connect(session, state["server_key"])

    def _renew_session(self, state):
        is_new = self.replace_secrets(
            state,
            lambda state: self.now() + SPARE < moment_from_text(state["session"]["until"]),
            lambda state: {"session": self._open_session(state)["session"]},
        )
        return state["session"], is_new

    def _get(self, http, path, **params):
        """Send a GET within the rate limit, and repeat it if other adapter objects have used the limit up."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._send_in_turn(http, path, **params)
            except RateLimited as error:
                is_named = error.retry_after != PAUSE
                if attempt == ATTEMPTS or (is_named and error.retry_after > SECONDS):
                    raise
                http.sleep(SECONDS)

    def _send_in_turn(self, http, path, **params):
        recent = [moment for moment in self.__dict__.setdefault("_sent_at", []) if http.monotonic() - moment < SECONDS]
        if len(recent) >= REQUESTS:
            http.sleep(SECONDS - (http.monotonic() - recent[-REQUESTS]))
        self._sent_at = [*recent, http.monotonic()]
        return http.get(path, **params)

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        return [
            Institution(id=f"bunq.{code}", name="bunq", country=code, bic="BUNQNL2AXXX")
            for code in COUNTRIES
            if country in (None, code)
        ]

    def start(self, institution, flow):
        return KEY

    def answer(self, flow, values):
        api_key = "".join((values.get("api_key") or "").split())
        if not api_key or not api_key.isascii():
            return KEY.with_error(REFUSED_KEY)
        try:
            state = self._install(api_key)
        except ProviderError as error:
            if isinstance(error, ConsentError) or error.status == 400:
                return KEY.with_error(REFUSED_KEY)
            raise
        http = self._http(state)
        listed = self._list(http, state)
        with self.reading("accounts"):
            accounts = self._identify(listed, flow.state.get("accounts", {}))
            if not accounts:
                raise self.failure("unknown_account", "no open account")
        state["accounts"] = {key: self._identity(account) for key, account in accounts.items()}
        return Completed(state, self._show(http, state, accounts), refreshed_at=self.now())

    def _list(self, http, state):
        """:return: list of accounts, each with its kind"""
        found, older, seen = [], None, set()
        while True:
            answer = self._get(http, f"user/{state['user']}/monetary-account", count=PAGE_SIZE, older_id=older)
            with self.reading("accounts"):
                found += [account for item in answer["Response"] if (account := self._readable(item))]
                older = older_id(answer)
                if older in seen:
                    raise ValueError("the list of accounts does not end")
            if not older:
                return found
            seen.add(older)

    def _readable(self, item):
        (kind, account), *_others = item.items()
        is_readable = KINDS.get(kind) and STATUSES.get(account["status"], True)
        return {**account, "kind": KINDS[kind]} if is_readable and reading.has_currency(account["currency"]) else None

    def _identity(self, account):
        numbers = [alias.get("value") for alias in account.get("alias") or () if alias.get("type") == "IBAN"]
        return {"id": str(account["id"]), "number": next(filter(None, map(reading.iban, numbers)), None)}

    def _identify(self, listed, known):
        facts = [self._identity(account) for account in listed]
        ids = identify(known, facts, self.account_keys, [new["id"] for new in facts])
        return dict(zip(ids, listed, strict=True))

    def revoke(self, state):
        """A key can only be deleted in the bunq app."""

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """The bank itself answers. A session opened for this request is used for the following ones."""
        accounts = self._read_accounts(self._http(state), state)
        return Refreshed(state, self.now(), accounts=accounts)

    def accounts(self, state):
        return self._read_accounts(self._http(state), state)

    def _read_accounts(self, http, state):
        listed = self._list(http, state)
        with self.reading("accounts"):
            found = self._identify(listed, state["accounts"])
        return self._show(http, state, {key: account for key, account in found.items() if key in state["accounts"]})

    def _show(self, http, state, accounts):
        """``balance`` is documented as the *available* one, so the booked balance is the one after the latest payment.

        A card without a payment has "the current real balance" instead.
        """
        path = f"user/{state['user']}/monetary-account/%s/payment"
        latest = self.ask_each(accounts, lambda account: self._get(http, path % account["id"], count=1))
        with self.reading("balances"):
            return tuple(self._account(key, account, latest[key]) for key, account in accounts.items())

    def _account(self, key, account, latest):
        number = self._identity(account)["number"]
        booked = reading.at(latest, "Response", 0, "Payment", "balance_after_mutation", "value")
        booked = booked if booked is not None else reading.at(account, "balance_real", "value")
        if booked is not None:
            balance = Balance(reading.amount(booked), self.now())
        else:
            available = reading.at(account, "balance", "value")
            balance = Balance(available=None if available is None else reading.amount(available))
        return Account(
            id=key,
            name=account.get("description") or "bunq",
            number=number,
            number_type="iban" if number else "other",
            currency=reading.currency(account["currency"]),
            type=account["kind"],
            **balance.to_account(),
        )

    # -------------------------------------------------------------------------
    # PAYMENTS
    # -------------------------------------------------------------------------

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """The latest first; a page continues after an id, so new payments do not shift the following pages."""
        known = state["accounts"].get(account)
        if not known:
            raise self.failure("unknown_account", "not part of this key")
        place = {"since": since and since.isoformat(), "older": None}
        if cursor:
            place = self.read_cursor(account, cursor)
        path = f"user/{state['user']}/monetary-account/{known['id']}/payment"
        answer = self._get(self._http(state), path, count=PAGE_SIZE, older_id=place["older"])
        with self.reading("payments"):
            rows, unread = self.read_rows(answer["Response"], self._transaction)
            since = reading.day(place["since"]) or date.min
            older = older_id(answer)
            if older and older == place["older"]:
                raise ValueError("the list does not go on")
            # If no row of a page can be read, it is unknown whether it was the last one.
            more = older and (any(row.booking_date >= since for row in rows) or (unread and not rows))
            rows = [row for row in rows if row.booking_date >= since]
            rows.sort(key=lambda row: row.booking_date)
            after = self.write_cursor(account, **{**place, "older": older}) if more else None
            return Page(tuple(rows), (), after, bool(more), tuple(unread))

    def identify_row(self, row):
        return reading.identifier(row["Payment"]["id"]), "booked"

    def _transaction(self, row):
        payment = row["Payment"]
        get, other = payment.get, payment.get("counterparty_alias") or {}
        created = reading.moment(payment["created"])
        number = other.get("iban") or other.get("swift_account_number")
        description = get("description")
        return Transaction(
            # Assigned once, when the payment is executed; nothing is announced before.
            id=reading.identifier(payment["id"]),
            status="booked",
            amount=reading.amount(payment["amount"]["value"]),
            currency=reading.currency(payment["amount"]["currency"]),
            booking_date=created and reading.central_european_day(created),
            counterparty=Counterparty(
                reading.text(other.get("display_name")), reading.number(number), reading.bic(other.get("swift_bic"))
            ),
            remittance=reading.texts(description, get("merchant_reference")),
            creditor_reference=reading.creditor_reference(description),
            raw=row,
        )


def merged(answer):
    """:return: the objects of an answer by their kind, where there is one of each"""
    return {kind: value for item in answer["Response"] for kind, value in item.items()}


def older_id(answer):
    """:return: id after which the list continues, None at its end"""
    url = answer["Pagination"]["older_url"]
    return parse_qs(urlsplit(url).query)["older_id"][0] if url else None


def session_timeout(user):
    """:return: seconds; if another user of bunq has granted the access, those of the user who requested it"""
    anchored = user.get("requested_by_user")
    for who in (user, *(anchored.values() if isinstance(anchored, dict) else ())):
        if isinstance(who, dict) and who.get("session_timeout"):
            return int(who["session_timeout"])
    return 0


def verify_answer(server_key, answer):
    """bunq signs the body. Its SDK also accepts a signature of status, headers and body, and tries that one first.

    :raise ValueError: for an answer that bunq has not signed
    """
    signature = base64.b64decode(answer.headers.get(SIGNATURE) or "", validate=True)
    try:
        verify_sha256(server_key, answer.content, signature)
    except ValueError:
        verify_sha256(server_key, head(answer) + answer.content, signature)


def head(answer):
    """:return: what precedes the body if headers are signed, too"""
    signed = {"-".join(map(str.capitalize, name.split("-"))): value for name, value in answer.headers.items()}
    lines = [f"{name}: {value}" for name, value in sorted(signed.items()) if name.startswith("X-Bunq-")]
    return "\n".join([str(answer.status), *(line for line in lines if not line.startswith(SIGNATURE)), "\n"]).encode()
