"""Teller: banks of the United States. https://teller.io/docs

An application shows the certificate that Teller's dashboard has issued for it (mutual TLS), and an access token
identifies the user whose accounts are requested. Teller Connect, where users sign in at their bank, exists only as a
script to embed in a page, and passes the token to that page; ours run no script of a provider. So it runs on a separate
page, on the computer of the user who connects a bank (see docs/providers/teller.md), and the token is pasted.

Fields, parameters and statuses are those of Teller's OpenAPI document, 2020-10-12; anything else is marked as known
from Teller's guides only.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import date, timedelta

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import reading
from .auth import Basic
from .balances import Balance
from .errors import ConsentError, ProtocolError, ProviderError, _lt
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
    Setting,
    Transaction,
    WebhookEvent,
)
from .web import WebProvider

VERSION = "2020-10-12"
PAGE_SIZE = 100
#: The document names no maximum of `count`, so Teller may have cut a page that is not full. After a page with at least
#: this number of rows, the next one is requested; a limit below that is not expected.
MAYBE_CUT = 25
#: Of a transaction.
STATUSES = {"posted": "booked", "pending": "pending"}
#: Of an account. The document has it as `type`; in Teller's guides `type` is only `depository` or `credit`, and it is
#: in `subtype`.
TYPES = {
    "checking": "current",
    "savings": "savings",
    "money_market": "savings",
    "credit_card": "credit_card",
    "mortgage": "loan",
    "loan": "loan",
    "depository": "current",
    "credit": "credit_card",
}
#: Accounts on which money is owed: the setting `purchases` determines the sign of their amounts.
OWED = ("credit_card", "loan")
#: Of webhooks; from Teller's guides only.
EVENTS = {"enrollment.disconnected": "consent.expiring", "transactions.processed": "transactions.new"}
#: From Teller's guides.
WEBHOOK_AGE = timedelta(minutes=3)
DISCONNECTED = "enrollment.disconnected"

TOKEN = Challenge(
    title=_lt("Connect a bank by Teller"),
    message=_lt(
        "Open the page with Teller Connect that your administrator has given you, sign in at your bank there, and "
        "paste the access token that it shows at the end."
    ),
    fields=(Field("token", _lt("Access token"), type="password"),),
    submit=_lt("Connect"),
)
AGAIN = Challenge(
    title=_lt("Renew the connection by Teller"),
    message=_lt(
        "Open the page with Teller Connect that your administrator has given you, enter the enrollment ID shown here, "
        "and sign in at your bank again. Then continue here; a new access token is only needed if the page shows one."
    ),
    fields=(Field("token", _lt("New access token, if there is one"), type="password", required=False),),
    submit=_lt("Continue"),
)
NO_TOKEN = _lt(
    "Teller does not accept this access token. Copy the whole token that the page with Teller Connect shows, and paste "
    "it again."
)
OTHER_BANK = _lt(
    "This access token belongs to another bank. Sign in at the bank that you have chosen, or go back and choose the "
    "other one."
)


class Teller(WebProvider):
    """State: ``token``, ``enrollment``, and ``accounts``: our id → what identifies one, ``kind`` and ``currency``."""

    code = "teller"
    label = "Teller"
    docs_url = "https://teller.io/docs/api"
    api_version = VERSION
    production_url = "https://api.teller.io"
    #: Certificate and token decide whether it is the sandbox.
    sandbox_url = production_url
    facts = Facts(
        region=_lt("United States"),
        countries=("US",),
        audience=("own", "business"),
        price=_lt("Free for up to 100 connections; beyond that by agreement"),
        needs=_lt("An account at Teller, with the certificate that its dashboard issues"),
        minutes=15,
        signup_url="https://teller.io",
        terms=_lt(
            "Everybody gets an application and its certificate at once. Teller Connect exists only as a script: users "
            "open it on a page outside of Odoo and paste the access token that it gives."
        ),
        terms_urls=(
            (_lt("Documentation of Teller"), "https://teller.io/docs"),
            (_lt("Terms of service"), "https://teller.io/legal/terms-of-service"),
        ),
        steps=(
            _lt("Sign up at teller.io and create an application; its dashboard offers a certificate to download."),
            _lt("Unpack the download, and choose both files here: certificate.pem and private_key.pem."),
            _lt(
                "Enter %(webhook)s as webhook address in the dashboard, and its signing secret here. Without it, new "
                "transactions arrive with each synchronization only."
            ),
            _lt(
                "Save the page with Teller Connect from the documentation of this provider, enter the application ID "
                "in it, and give it to the users who connect banks."
            ),
        ),
        connect="pasted key",
        identity="`id`; a booked transaction has another one than the pending one before",
        sources=(
            "Fields: Teller's OpenAPI document 2020-10-12 and teller-connect-react 0.2.3. Price and webhooks: "
            "from memory."
        ),
        pending=True,
        webhooks=True,
    )
    sends_dates = True
    settings_needed = (
        Setting("certificate", _lt("Certificate"), type="certificate", help=_lt("certificate.pem of the download.")),
        Setting("private_key", _lt("Private key"), type="tls_key", help=_lt("private_key.pem of the download.")),
        Setting(
            "webhook_secret",
            _lt("Signing secret"),
            type="secret",
            required=False,
            help=_lt("Only for webhooks: the dashboard shows it."),
        ),
        Setting(
            "purchases",
            _lt("Purchases by card"),
            required=False,
            default="negative",
            help=_lt(
                "On cards and loans, a purchase is negative by Teller's document. Enter positive where your bank's "
                "arrive the other way round."
            ),
            pattern="negative|positive",
            expects=_lt("Enter negative or positive."),
        ),
    )
    account_keys = Keys(alike=(("mark", "name"), ("mark",)), certain=("mark",))
    #: From Teller's guides; the document has none. Other codes with the same prefix are treated alike.
    error_codes = {
        DISCONNECTED: "consent_expired",
        f"{DISCONNECTED}.account_locked": "credentials_rejected",
        f"{DISCONNECTED}.credentials_invalid": "credentials_rejected",
        f"{DISCONNECTED}.enrollment_inactive": "consent_expired",
        "account.closed": "account_refused",
    }
    status_codes = {401: "consent_revoked", 404: "account_refused", 410: "account_refused"}

    # -------------------------------------------------------------------------
    # KEYS
    # -------------------------------------------------------------------------

    def client_certificate(self):
        return self.settings.get("certificate"), self.settings.get("private_key")

    def connect(self, auth=None, base_url=None, headers=None):
        return super().connect(auth, base_url, {"Teller-Version": VERSION, **(headers or {})})

    def _http(self, token):
        return self.connect(Basic(token, ""))

    def read_error(self, body):
        return reading.at(body, "error", "code"), reading.at(body, "error", "message"), None

    def _our_code(self, code):
        ours = super()._our_code(code)
        return ours or ("consent_expired" if str(code).startswith(f"{DISCONNECTED}.") else None)

    def check_keys(self):
        return f"{len(self._list_institutions())} banks"

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def _list_institutions(self):
        listed = self.http.get("institutions")
        with self.reading("institutions"):
            return [bank for bank in listed if "transactions" in bank.get("products", ("transactions",))]

    def institutions(self, country=None):
        if country not in (None, "US"):
            return
        listed = self._list_institutions()
        with self.reading("institutions"):
            for bank in listed:
                yield Institution(id=bank["id"], name=bank["name"], country="US")

    def start(self, institution, flow):
        return TOKEN

    def renew(self, state, flow):
        """Signing in again at the same enrollment keeps the token and the ids of the accounts."""
        return self._ask_again(state)

    def _ask_again(self, state, error=""):
        return replace(AGAIN, hint=state["enrollment"], error=error)

    def answer(self, flow, values):
        token = "".join((values.get("token") or "").split()) or flow.state.get("token", "")

        def refuse(sentence):
            return self._ask_again(flow.state, sentence) if flow.state else TOKEN.with_error(sentence)

        if not token or not token.isascii():
            return refuse(NO_TOKEN)
        try:
            listed = self._list(token)
        except ConsentError as error:
            if error.code != "consent_revoked":
                # The token is valid, but the bank requires the user.
                raise
            return refuse(NO_TOKEN)
        with self.reading("accounts"):
            if not listed:
                raise self.failure("unknown_account", "no open account")
            if any(account["institution"]["id"] != flow.institution for account in listed):
                return refuse(OTHER_BANK)
            accounts = self._identify(listed, flow.state.get("accounts", {}))
            enrollment = reading.text(listed[0]["enrollment_id"])
        state = {
            "token": token,
            "enrollment": enrollment,
            "accounts": {key: self._identity(account) for key, account in accounts.items()},
        }
        shown = tuple(self._show(state, accounts))
        return Completed(state, shown, refreshed_at=self.now(), reference=enrollment)

    def _list(self, token):
        listed = self._http(token).get("accounts")
        with self.reading("accounts"):
            return [
                account
                for account in listed
                if account.get("status") != "closed" and reading.has_currency(account["currency"])
            ]

    def _identity(self, account):
        kind = TYPES.get(account.get("subtype")) or TYPES.get(account.get("type")) or "other"
        digits = reading.text(account.get("last_four"))
        return {
            "id": account["id"],
            "kind": kind,
            "currency": account["currency"],
            "mark": f"{kind} {digits} {account['currency']}" if digits else None,
            "name": reading.text(account.get("name")),
        }

    def _identify(self, listed, known):
        """Ids last as long as the enrollment; after a new one, accounts are recognized by kind, last digits and
        currency."""
        facts = [self._identity(account) for account in listed]
        ids = identify(known, facts, self.account_keys, [new["id"] for new in facts])
        return dict(zip(ids, listed, strict=True))

    def revoke(self, state):
        try:
            self._http(state["token"]).ask("DELETE", "accounts", kind="none")
        except ProviderError as error:
            # Gone already.
            if error.status not in (401, 404, 410):
                raise

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Teller sends each request on to the bank; a request for the accounts shows whether it still may."""
        return Refreshed(state, self.now(), accounts=tuple(self.accounts(state)))

    def accounts(self, state):
        listed = self._list(state["token"])
        with self.reading("accounts"):
            found = self._identify(listed, state["accounts"])
            found = {key: account for key, account in found.items() if key in state["accounts"]}
        return list(self._show(state, found))

    def _show(self, state, accounts):
        http = self._http(state["token"])
        balances = self.ask_each(accounts, lambda account: http.get(f"accounts/{account['id']}/balances"))
        with self.reading("balances"):
            for key, account in accounts.items():
                kind = self._identity(account)["kind"]
                yield Account(
                    id=key,
                    name=account["name"],
                    number=reading.text(account.get("last_four")),
                    number_type="other",
                    currency=reading.currency(account["currency"]),
                    type=kind,
                    **self._balance(balances[key] or {}, kind).to_account(),
                )

    def _balance(self, answer, kind):
        if answer.get("ledger") is not None:
            return Balance(self._sign(kind) * reading.amount(answer["ledger"]), self.now())
        available = answer.get("available")
        return Balance(available=None if available is None else reading.amount(available))

    def _sign(self, kind):
        return -1 if kind in OWED and self.settings["purchases"] == "positive" else 1

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """The latest first. A page continues after a booked transaction: a pending one may be gone by then, because its
        id changes when it is booked."""
        known = state["accounts"].get(account)
        if not known:
            raise self.failure("unknown_account", "not part of the enrollment")
        place = {"since": since and since.isoformat(), "after": None}
        if cursor:
            place = self.read_cursor(account, cursor)
        rows = self._http(state["token"]).get(
            f"accounts/{known['id']}/transactions",
            count=PAGE_SIZE,
            start_date=place["since"],
            from_id=place["after"],
        )
        with self.reading("transactions"):
            if rows and not any(isinstance(row, dict) for row in rows):
                raise TypeError("a list without objects")
            ids = [row.get("id") if isinstance(row, dict) else None for row in rows]
            after = self._last_of(rows) if len(rows) >= MAYBE_CUT else None
            if after and after == place["after"]:
                if len(rows) >= PAGE_SIZE:
                    raise ValueError("the list does not go on")
                after = None
            # Not documented: whether a page includes the transaction after which it was requested.
            first = 1 if place["after"] and ids[:1] == [place["after"]] else 0
            rows = rows[first : ids.index(after) + 1 if after else None]
            transactions, unread = self.read_rows(rows, self._transaction, known["currency"], self._sign(known["kind"]))
            transactions.sort(key=lambda row: (row.status == "pending", row.booking_date or date.max))
            after = self.write_cursor(account, **{**place, "after": after}) if after else None
            return Page(tuple(transactions), (), after, bool(after), tuple(unread))

    def _last_of(self, rows):
        """:return: the id of the last booked row, else of the last one"""
        rows = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
        booked = [row["id"] for row in rows if row.get("status") == "posted"]
        return (booked or [row["id"] for row in rows])[-1]

    def identify_row(self, row):
        return row["id"], STATUSES.get(row["status"])

    def _transaction(self, row, currency, sign):
        if row["status"] not in STATUSES:
            raise ValueError(f"no status: {row['status']!r}"[:100])
        details = row.get("details") or {}
        description = row.get("description")
        return Transaction(
            # Teller's own. A booked transaction replaces the pending one under another id, and nothing links the two:
            # they are matched by their contents.
            id=reading.identifier(row["id"]),
            status=STATUSES[row["status"]],
            amount=sign * reading.amount(row["amount"]),
            # That of the account: transactions contain none.
            currency=currency,
            booking_date=reading.day(row["date"]),
            counterparty=Counterparty(reading.text((details.get("counterparty") or {}).get("name"))),
            remittance=reading.texts(description),
            creditor_reference=reading.creditor_reference(description),
            raw=row,
        )

    # -------------------------------------------------------------------------
    # WEBHOOKS
    # -------------------------------------------------------------------------

    def parse_webhook(self, headers, body):
        try:
            self._verify(headers.get("Teller-Signature") or "", body)
            event = json.loads(body)
            kind, reference = EVENTS.get(event["type"]), reading.at(event, "payload", "enrollment_id")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ProtocolError("invalid_request", f"a webhook: {type(error).__name__} {error}", provider=self.code)
        return [WebhookEvent(kind, reference)] if kind and isinstance(reference, str) else []

    def _verify(self, header, body):
        """``t=1700000000,v1=…,v1=…``: HMAC-SHA256 of ``t.body``, several while a secret is replaced.

        :raise ValueError: unless Teller has signed it recently
        """
        secret = self.settings.get("webhook_secret")
        if not secret:
            raise ValueError("no signing secret was entered")
        parts = [part.strip().partition("=") for part in header.split(",")]
        sent = next((value for name, _sign, value in parts if name == "t"), "")
        if not sent.isascii() or not sent.isdigit() or len(sent) > 12:
            raise ValueError("not signed")
        if abs(self.now().timestamp() - int(sent)) > WEBHOOK_AGE.total_seconds():
            raise ValueError("signed too long ago")
        right = hmac.new(secret.encode(), f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
        signatures = [value.encode() for name, _sign, value in parts if name == "v1"]
        if not any(hmac.compare_digest(right.encode(), signature) for signature in signatures):
            raise ValueError("Teller has not signed this")
