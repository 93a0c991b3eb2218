"""Revolut Business: a company's own accounts, one for each currency. https://developer.revolut.com/docs/business

The company registers a certificate of ours in its settings and allows reading in the browser. We create the key pair:
the certificate is shown to be copied, and the private key never leaves the proxy. Each request for a token contains a
short assertion signed with this key.

Fields, parameters, states and statuses are in Revolut's OpenAPI document, version 1.0. It does not describe how to get
tokens, that an access ends after 90 days, and how far back some plans may read; that is known from Revolut's guides, as
the packages pyrevolut 0.9.1 and revolut-python 0.10.1 implement and quote them.
"""

import re
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import reading
from .auth import SPARE, Bearer, Token, load_rsa_key, new_rsa_key, sign_token
from .errors import ConsentError, _lt
from .facts import EEA, Facts
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Fee,
    Field,
    Institution,
    Page,
    Refreshed,
    Setting,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

COUNTRIES = tuple(sorted({*EEA, "AU", "CH", "GB", "SG", "US"}))
PAGE_SIZE = 1000
#: Transactions are listed by the time of their creation. How much later one may be booked.
LATE = timedelta(days=60)
#: "Businesses on the Revolut Business Freelancer plans can only access information older than 90 days within 5 minutes
#: of the first authorisation" (pyrevolut 0.9.1, list of transactions). Late bookings are not looked for beyond that,
#: because the whole request would be refused, new transactions included.
REACH = timedelta(days=89)
#: The document writes moments with microseconds; `to` is excluded.
STEP = timedelta(microseconds=1)
CONSENT_DAYS = 90
CERTIFICATE_DAYS = 1825
ASSERTION_SECONDS = 300
AUDIENCE = "https://revolut.com"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STATES = {
    "created": "pending",
    "pending": "pending",
    "completed": "booked",
    # Nothing was moved, or it was moved back under the same id.
    "declined": None,
    "failed": None,
    "reverted": None,
}

#: As the document shows it. If it has another form, only the name is missing.
DESCRIBED = re.compile(r"(?:To|From|Payment from) (.{1,140})")
#: Ids in a cursor.
MAX_SEEN = 20

REGISTER = Challenge(
    title=_lt("Connect Revolut Business"),
    message=_lt(
        "In Revolut Business, open Settings, APIs, Business API, and add an API certificate with the two values shown "
        "here. Then paste the client ID that Revolut shows."
    ),
    submit=_lt("Continue"),
)
AGAIN = Challenge(
    title=_lt("Renew Revolut Business"),
    message=_lt(
        "If the certificate of this connection is still listed in Revolut Business under Settings, APIs, Business API, "
        "just continue. Otherwise add an API certificate with the two values shown here, and enter its new client ID."
    ),
    submit=_lt("Continue"),
)
REDIRECT_URI, CERTIFICATE, CLIENT_ID = _lt("OAuth redirect URI"), _lt("X509 public key"), _lt("Client ID")
ALLOW = Challenge(
    title=_lt("Allow reading in Revolut Business"),
    message=_lt(
        "Open this address in another tab and allow reading. Revolut then leads you to a page of this service: copy "
        "its whole address from the address bar, and paste it here within two minutes."
    ),
    submit=_lt("Connect"),
)
CONSENT_PAGE, CODE = _lt("Page of Revolut"), _lt("Address that you were led to")
NO_CLIENT_ID = _lt("This is not a client ID. Copy it from the page of the API certificate in Revolut Business.")
NO_CODE = _lt("This address contains no code. Copy the whole address of the page that Revolut has led you to.")
REFUSED_CODE = _lt(
    "Revolut does not accept this code: it may be older than two minutes, or belong to another client ID. Open the "
    "address again, and paste the new one."
)


def exact(moment):
    """:return: a moment as the document writes it, with microseconds"""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def certificate_of(private_key, name, now):
    """:return: a self-signed certificate in PEM: it only carries the public key"""
    key = load_rsa_key(private_key)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class RevolutBusiness(WebProvider):
    """State: ``client_id``, ``private_key``, ``issuer``, ``refresh_token``, ``access_token`` and ``access_until``,
    perhaps ``consent_expires_at``, and ``accounts``: our id → what identifies one, and its ``number``."""

    code = "revolut_business"
    label = "Revolut Business"
    docs_url = "https://developer.revolut.com/docs/business/business-api"
    api_version = "1.0"
    production_url = "https://b2b.revolut.com/api/1.0"
    sandbox_url = "https://sandbox-b2b.revolut.com/api/1.0"
    facts = Facts(
        region=_lt("Accounts at Revolut Business: European Economic Area, United Kingdom, Switzerland and others"),
        countries=COUNTRIES,
        audience=("business",),
        price=_lt("Free for customers of Revolut Business whose plan includes the API"),
        needs=_lt("An account at Revolut Business, and an administrator of it"),
        minutes=10,
        one_bank=True,
        signup_url="https://business.revolut.com",
        terms=_lt("The access belongs to your own company and reads its accounts only; it can't pay."),
        terms_urls=(
            (_lt("Business API of Revolut"), "https://developer.revolut.com/docs/business/business-api"),
            (_lt("Revolut Business"), "https://www.revolut.com/business"),
        ),
        steps=(
            _lt("There is nothing to enter: switch the provider on. This service must be reached by https."),
            _lt(
                "An administrator of the company adds the certificate that the page shows in Revolut Business, "
                "Settings ‣ APIs ‣ Business API, pastes the client ID, and allows reading in Revolut."
            ),
        ),
        connect="pasted key",
        identity="`id` of the transaction, in its account",
        sources=(
            "Fields: Revolut's OpenAPI document 1.0. Consent and history: pyrevolut 0.9.1 and revolut-python "
            "0.10.1. Countries and price: from memory."
        ),
        pending=True,
        removals=True,
        consent_days=CONSENT_DAYS,
    )
    sends_dates = True
    replaced_secrets = ("refresh_token", "access_token", "access_until")
    #: No document says that `state` comes back. A code works only with the client ID and the key of this connection.
    copies_callback = True
    settings_needed = (
        Setting(
            "consent_days",
            _lt("Days until a consent ends"),
            type="integer",
            required=False,
            default=str(CONSENT_DAYS),
            help=_lt("Revolut does not say when a consent ends. 0: until it is withdrawn."),
        ),
        Setting(
            "fees",
            _lt("Fees"),
            required=False,
            default="beside",
            help=_lt("beside: a fee is charged in addition to the amount; inside: the amount contains it."),
            pattern="beside|inside",
            expects=_lt("Enter beside or inside."),
        ),
    )
    #: An IBAN may be the same for several currencies.
    account_keys = Keys(alike=(("mark",), ("currency", "name")), certain=("currency",))
    error_codes = {
        # Of requests. The document shows these three; for others, the HTTP status decides.
        "1000": "consent_revoked",
        # The user, the plan or the scope of the token lacks something: "insufficient permissions".
        "9002": "permission_missing",
        "3162": "rate_limited",
        # Of `auth/token`: those of OAuth 2.0 (RFC 6749, 5.2).
        "invalid_grant": "consent_revoked",
        "invalid_client": "consent_revoked",
        "unauthorized_client": "consent_revoked",
        "invalid_request": "consent_revoked",
    }
    #: The access belongs to the user.
    status_codes = {401: "consent_revoked", 403: "permission_missing", 404: "account_refused"}

    def read_error(self, body):
        code = body.get("error") if isinstance(body.get("error"), str) else body.get("code")
        return code, body.get("message") or body.get("error_description"), body.get("error_id")

    # -------------------------------------------------------------------------
    # TOKENS
    # -------------------------------------------------------------------------

    def _request_token(self, visit, **grant):
        """:param dict visit: ``client_id``, ``private_key`` and ``issuer``"""
        claims = {"iss": visit["issuer"], "sub": visit["client_id"], "aud": AUDIENCE}
        key = self.load_key(load_rsa_key, visit["private_key"])
        now = self.now()
        until = int((now + timedelta(seconds=ASSERTION_SECONDS)).timestamp())
        form = {
            **grant,
            "client_id": visit["client_id"],
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign_token(key, {**claims, "iat": int(now.timestamp()), "exp": until}),
        }
        answer = self.connect().ask("POST", "auth/token", form=form)
        with self.reading("token"):
            return Token.from_answer(answer.data, now)

    def _http(self, state):
        self._check_consent(state)
        token = Token(state["access_token"], moment_from_text(state["access_until"]))
        return self.connect(Bearer(lambda _old: self._renew_token(state), self.now, token))

    def _renew_token(self, state):
        """:return: the new access token; a new refresh token is stored with it, whatever becomes of the request"""
        tokens = []

        def request(state):
            token = self._request_token(state, grant_type="refresh_token", refresh_token=state["refresh_token"])
            tokens.append(token)
            # Not documented, but revolut-python 0.10.1 replaces it by a new one: the old one may end with that.
            return {"refresh_token": token.refresh_value or state["refresh_token"], **self._access(token)}

        if self.replace_secrets(state, self._is_usable, request):
            return tokens[0]
        return Token(state["access_token"], moment_from_text(state["access_until"]), is_new=False)

    def _is_usable(self, state):
        return self.now() + SPARE < moment_from_text(state["access_until"])

    def _check_consent(self, state):
        if (until := state.get("consent_expires_at")) and self.now() >= moment_from_text(until):
            raise self.failure("consent_expired", f"until {until}")

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        days = self._consent_days()
        return [
            Institution(
                id=f"revolut_business.{code}",
                name="Revolut Business",
                country=code,
                capabilities=Capabilities(consent_days=days),
            )
            for code in COUNTRIES
            if country in (None, code)
        ]

    def _consent_days(self):
        return int(self.settings["consent_days"]) or None

    def _new_key(self):
        return new_rsa_key()

    def start(self, institution, flow):
        return self._register(REGISTER, flow, {})

    def renew(self, state, flow):
        """The previous client ID keeps using the previous key; a new client ID belongs to the new certificate."""
        return self._register(AGAIN, flow, state)

    def _register(self, challenge, flow, state):
        key, issuer = self._new_key(), urlsplit(flow.callback_url).hostname
        certificate = certificate_of(key, issuer, self.now())
        data = {"new_key": key, "issuer": issuer, "certificate": certificate}
        return self._ask_client_id(challenge, flow, data, state.get("client_id", ""))

    def _ask_client_id(self, challenge, flow, data, client_id, error=""):
        fields = (
            Field("redirect_uri", REDIRECT_URI, type="info", value=flow.callback_url),
            Field("certificate", CERTIFICATE, type="info", value=data["certificate"]),
            Field("client_id", CLIENT_ID, value=client_id),
        )
        return replace(challenge, fields=fields, error=error, data=data)

    def answer(self, flow, values):
        if "client_id" not in flow.data:
            return self._take_client_id(flow, "".join((values.get("client_id") or "").split()))
        text = (values.get("code") or "").strip()
        code = (parse_qs(urlsplit(text).query).get("code") or [""])[0] if "://" in text or "=" in text else text
        if not code or not code.isascii() or len(code.split()) != 1:
            return self._ask_code(flow.data, NO_CODE)
        try:
            token = self._request_token(flow.data, grant_type="authorization_code", code=code)
        except ConsentError:
            return self._ask_code(flow.data, REFUSED_CODE)
        return self._finish(flow, token)

    def _take_client_id(self, flow, client_id):
        if not client_id or not client_id.isascii():
            challenge = AGAIN if flow.state else REGISTER
            return self._ask_client_id(challenge, flow, dict(flow.data), "", NO_CLIENT_ID)
        is_same = client_id == flow.state.get("client_id")
        return self._ask_code(
            {
                "client_id": client_id,
                "private_key": flow.state["private_key"] if is_same else flow.data["new_key"],
                "issuer": flow.state["issuer"] if is_same else flow.data["issuer"],
                "redirect_uri": flow.callback_url,
            }
        )

    def _ask_code(self, data, error=""):
        host = "business.revolut.com" if self.production else "sandbox-business.revolut.com"
        query = {
            "client_id": data["client_id"],
            "redirect_uri": data["redirect_uri"],
            "response_type": "code",
            "scope": "READ",
        }
        fields = (
            Field("page", CONSENT_PAGE, type="info", value=f"https://{host}/app-confirm?{urlencode(query)}"),
            Field("code", CODE, type="password"),
        )
        return replace(ALLOW, fields=fields, error=error, data=dict(data))

    def _finish(self, flow, token):
        days = self._consent_days()
        expiry = days and self.now() + timedelta(days=days)
        state = {
            **{name: flow.data[name] for name in ("client_id", "private_key", "issuer")},
            "refresh_token": token.refresh_value,
            **self._access(token),
            "consent_expires_at": moment_text(expiry),
            "accounts": {},
        }
        http = self._http(state)
        listed = self._list(http)
        numbers = self.ask_each(
            {account["id"]: account for account in listed},
            lambda account: http.get(f"accounts/{account['id']}/bank-details"),
        )
        with self.reading("accounts"):
            facts = [self._identity(account, numbers[account["id"]]) for account in listed]
            ids = identify(flow.state.get("accounts", {}), facts, self.account_keys, [fact["id"] for fact in facts])
            state["accounts"] = dict(zip(ids, facts, strict=True))
            shown = tuple(self._account(state, *pair) for pair in zip(ids, listed, strict=True))
        if not shown:
            raise self.failure("unknown_account", "no active account")
        return Completed(state, shown, expiry, self.now())

    def _access(self, token):
        # A token without a stated end is requested again each time.
        return {"access_token": token.value, "access_until": moment_text(token.expires_at or self.now())}

    def _list(self, http):
        listed = http.get("accounts")
        with self.reading("accounts"):
            return [row for row in listed if row["state"] == "active" and reading.has_currency(row["currency"])]

    def _identity(self, account, details):
        # A pooled account number is shared by many companies.
        own = [detail for detail in details or () if not detail.get("pooled")]
        numbers = [reading.iban(detail.get("iban")) or reading.number(detail.get("account_no")) for detail in own]
        number = next(filter(None, numbers), None)
        return {
            "id": account["id"],
            "currency": account["currency"],
            "name": reading.text(account.get("name")),
            "number": number,
            "mark": number and f"{number} {account['currency']}",
        }

    def revoke(self, state):
        """An access can only be withdrawn in Revolut's own pages."""

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """The bank itself answers. The token requested here is used for the following requests."""
        self._check_consent(state)
        self._renew_token(state)
        return Refreshed(state, self.now())

    def accounts(self, state):
        listed = self._list(self._http(state))
        with self.reading("accounts"):
            by_id = {account["id"]: account for account in listed}
            return [
                self._account(state, key, by_id[known["id"]])
                for key, known in state["accounts"].items()
                if known["id"] in by_id
            ]

    def _account(self, state, key, account):
        number = state["accounts"][key]["number"]
        return Account(
            id=key,
            name=account.get("name") or f"Revolut {account['currency']}",
            number=number,
            number_type="iban" if reading.iban(number) else "other",
            currency=reading.currency(account["currency"]),
            balance=reading.amount(account["balance"]),
            balance_at=self.now(),
            reports_fees=True,
        )

    # -------------------------------------------------------------------------
    # TRANSACTIONS
    # -------------------------------------------------------------------------

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """The latest first, by creation. A page begins at the moment at which the previous one ended, and leaves out
        those that the previous one contained: ``to`` alone would lose transactions of the same moment."""
        self._check_consent(state)
        known = state["accounts"].get(account)
        if not known:
            raise self.failure("unknown_account", "not part of the consent")
        place = {"since": since and since.isoformat(), "to": None, "seen": []}
        if cursor:
            place = self.read_cursor(account, cursor)
        since = reading.day(place["since"])
        rows = self._http(state).get(
            "transactions",
            account=known["id"],
            count=PAGE_SIZE,
            to=place["to"],
            **{"from": since and self._begin(since)},
        )
        with self.reading("transactions"):
            if rows and not any(isinstance(row, dict) for row in rows):
                raise TypeError("a list without objects")
            after = self._place_after(rows, place)
            rows = [row for row in rows if reading.at(row, "id") not in place["seen"]] if place["seen"] else rows
            removed = self._removed(rows)
            found, unread = self.read_rows(rows, self._transaction, known["id"])
            # It is not documented that both legs may be in one account; if they are, neither is lost.
            twice = [row for row in rows if len(self._legs_of(row, known["id"])) > 1]
            found += self.read_rows(twice, self._transaction, known["id"], 1)[0]
            found = [row for row in found if row.status == "pending" or not since or row.booking_date >= since]
            found.sort(key=lambda row: (row.status == "pending", row.booking_date or date.max))
            after = self.write_cursor(account, **after) if after else None
            return Page(tuple(found), removed, after, bool(after), tuple(unread))

    def _begin(self, since):
        """:return: day or moment of the earliest creation of transactions that may be booked from ``since`` on"""
        reach = self.now().date() - REACH
        # Why not limited for older days: such a period is granted or refused, with or without late bookings.
        day = since - LATE if since < reach else max(since - LATE, reach)
        return day.isoformat() if day < since else exact(reading.central_european_midnight(since))

    def _place_after(self, rows, place):
        """:return: where the next page begins, None after the last one"""
        if len(rows) < PAGE_SIZE:
            return None
        moments = [reading.moment(reading.at(row, "created_at")) for row in rows]
        last = min(filter(None, moments))
        to = exact(last + STEP)
        if to == place["to"]:
            raise ValueError("more transactions of one moment than a page has")
        seen = [reading.at(row, "id") for row, moment in zip(rows, moments, strict=True) if moment == last]
        return {**place, "to": to, "seen": [*filter(None, seen)][:MAX_SEEN]}

    def _removed(self, rows):
        gone = [name for name, ours in STATES.items() if ours is None]
        return tuple(
            row["id"]
            for row in rows
            if isinstance(row, dict) and row.get("state") in gone and isinstance(row.get("id"), str)
        )

    def identify_row(self, row):
        return row["id"], STATES.get(row["state"])

    def _legs_of(self, row, own):
        legs = row.get("legs") if isinstance(row, dict) else None
        if not isinstance(legs, list) or len(legs) < 2:
            return ()
        return [leg for leg in legs if reading.at(leg, "account_id") == own]

    def _transaction(self, row, own, number=0):
        """
        :param str own: id of the account
        :param int number: of its legs
        :return: :class:`~.types.Transaction`, or None for one that has moved nothing
        """
        get = row.get
        if get("state") not in STATES:
            raise ValueError(f"no state: {get('state')!r}"[:100])
        if STATES[row["state"]] is None or self._is_planned(row):
            return None
        legs = [leg for leg in row["legs"] if leg["account_id"] == own]
        if len(legs) <= number:
            raise ValueError("no leg of this account")
        leg = legs[number]
        amount, fee = signed(leg, row["legs"]), reading.amount(leg.get("fee") or 0)
        if self.settings["fees"] == "beside":
            amount -= fee
        currency, foreign_currency = reading.currency(leg["currency"]), leg.get("bill_currency")
        is_foreign = foreign_currency != currency and reading.has_currency(foreign_currency)
        moment = reading.moment(get("completed_at") if row["state"] == "completed" else row["created_at"])
        reference = get("reference")
        return Transaction(
            # The same from pending to completed; both legs of an exchange have the same `leg_id` in the document.
            id=(name := reading.identifier(row["id"])) and (f"{name}/{number}" if number else name),
            status=STATES[row["state"]],
            amount=amount,
            currency=currency,
            booking_date=moment and reading.central_european_day(moment),
            foreign_amount=reading.amount(leg["bill_amount"]) if is_foreign else None,
            foreign_currency=foreign_currency if is_foreign else None,
            counterparty=Counterparty(self._other_side(row, leg)),
            remittance=reading.texts(reference, leg.get("description")),
            fee=Fee(-fee) if fee else None,
            creditor_reference=reading.creditor_reference(reference),
            raw=row,
        )

    def _is_planned(self, row):
        """`created`: "is either processed asynchronously or scheduled for a later time"."""
        day = row["state"] == "created" and reading.day(row.get("scheduled_for"))
        return bool(day) and day > reading.central_european_day(self.now())

    def _other_side(self, row, leg):
        """A transfer has the name in the description only: "To John Smith"."""
        if merchant := row.get("merchant"):
            return reading.text(merchant.get("name"))
        if row.get("type") != "topup" and not leg.get("counterparty"):
            return None
        said = DESCRIBED.fullmatch(leg.get("description") or "")
        return reading.text(said[1]) if said else None


def signed(leg, legs):
    """:return: the amount of a leg, negative if it pays

    The document's transfer between two own pockets has the same positive amount in both legs. Both can't receive money:
    the leg whose text names the destination ("To GBP Deposit pocket") has paid.

    :raise ValueError: if both have the same sign and the texts do not tell
    """
    amount = reading.amount(leg["amount"])
    others = [other for other in legs if other is not leg and other["currency"] == leg["currency"]]
    if len(legs) != 2 or not others or reading.amount(others[0]["amount"]) != amount or not amount:
        return amount
    texts = [one.get("description") or "" for one in (leg, *others)]
    pays = [text.startswith("To ") for text in texts]
    gets = [text.startswith("From ") for text in texts]
    if pays == gets[::-1] and sum(pays) == 1:
        return -abs(amount) if pays[0] else abs(amount)
    raise ValueError("both legs have the same sign")
