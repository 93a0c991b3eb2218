"""Plaid: banks of the United States and Canada, elsewhere by contract. https://plaid.com/docs/api/

A consent is an *Item*, named by an access token that does not end. Users give it on Plaid's own pages (Hosted Link).
Plaid fetches on its own, several times a day; what it has is read by a cursor.
"""

import hashlib
import hmac
import json
import secrets
from datetime import date

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from ..tools.urls import with_query
from . import reading
from .auth import Headers, KeyMemory, decode_segment, verify_es256
from .balances import Balance, without_limit
from .errors import ProtocolError, ProviderError, _lt
from .facts import Facts
from .forms import HTTPS, NO_ADDRESS
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Institution,
    Page,
    Redirect,
    Refreshed,
    Setting,
    Transaction,
    WebhookEvent,
    moment_text,
)
from .web import WebProvider

HISTORY_DAYS = 730
PAGE_SIZE = 500
MAX_INSTITUTIONS = 100_000
#: Older webhooks must be refused. https://plaid.com/docs/api/webhooks/webhook-verification/
MAX_WEBHOOK_SECONDS = 300
WEBHOOK_KEYS = KeyMemory()
LANGUAGES = {"da", "de", "en", "es", "et", "fr", "hi", "it", "lt", "lv", "nl", "no", "pl", "pt", "ro", "sv", "vi"}
SAVINGS = {"savings", "money market", "cd"}
EVENTS = {
    "SYNC_UPDATES_AVAILABLE": "transactions.new",
    "LOGIN_REPAIRED": "transactions.new",
    "ERROR": "consent.expiring",
    "PENDING_EXPIRATION": "consent.expiring",
    "PENDING_DISCONNECT": "consent.expiring",
    "USER_PERMISSION_REVOKED": "connection.disconnected",
    "USER_ACCOUNT_REVOKED": "connection.disconnected",
}
UNFINISHED = Challenge(
    title=_lt("Not connected yet"),
    kind="consent",
    message=_lt("You left Plaid's pages before the end, so nothing was connected. You can try again."),
    submit=_lt("Try again"),
    data={"step": "again"},
)


class Plaid(WebProvider):
    """State: ``access_token``, ``item_id``, ``expires_at`` (or None), ``accounts``: our id → what identifies one."""

    code = "plaid"
    label = "Plaid"
    docs_url = "https://plaid.com/docs/api/"
    api_version = "2020-09-14"
    production_url = "https://production.plaid.com"
    sandbox_url = "https://sandbox.plaid.com"
    facts = Facts(
        region=_lt("United States, Canada; Europe by contract"),
        countries=("CA", "US"),
        audience=("business",),
        price=_lt("10 connections free, then pay as you go"),
        needs=_lt("An account at Plaid; large banks require a registration that takes Plaid days to weeks"),
        minutes=15,
        signup_url="https://dashboard.plaid.com/signup",
        terms=_lt(
            "The trial covers 10 connections, and a removed connection still counts; after that Plaid's own "
            "prices count."
        ),
        terms_urls=((_lt("Plaid's terms"), "https://plaid.com/legal/"),),
        steps=(
            _lt("Sign up at Plaid, and open Developers ‣ Keys in its dashboard."),
            _lt("Copy the client ID, and the secret of Sandbox or of Production: choose the same environment below."),
            _lt(
                "To get new transactions at once, enter this address below as webhook URL; Plaid must be able to reach "
                "it: %(webhook)s"
            ),
        ),
        connect="provider's pages",
        identity="`transaction_id`; a booked one names its pending one",
        sources="Fields and history: Plaid's OpenAPI document 2020-09-14. Price: its pages on plans.",
        pending=True,
        removals=True,
        webhooks=True,
        bookmark=True,
        history_days=HISTORY_DAYS,
    )
    settings_needed = (
        Setting("client_id", _lt("Client ID"), help=_lt("Plaid Dashboard ‣ Developers ‣ Keys.")),
        Setting("secret", _lt("Secret"), type="secret", help=_lt("The one of the environment that is chosen here.")),
        Setting(
            "client_name",
            _lt("Name shown to users"),
            default="Bank Synchronization",
            help=_lt("Up to 30 letters."),
            pattern=".{1,30}",
            expects=_lt("The name has 30 letters at most."),
        ),
        Setting(
            "countries",
            _lt("Countries"),
            default="US,CA",
            help=_lt("Codes with commas, as enabled at Plaid."),
            pattern="[A-Z]{2}(, ?[A-Z]{2})*",
            expects=_lt("Countries are codes of two capital letters with commas between them: US,CA."),
        ),
        Setting(
            "webhook_url",
            _lt("Webhook URL"),
            required=False,
            help=_lt("Plaid sends its webhooks there."),
            pattern=HTTPS,
            expects=NO_ADDRESS,
        ),
    )
    #: "mask may be non-unique between an Item's accounts". https://plaid.com/docs/api/accounts/
    account_keys = Keys(
        own=("account_id",),
        alike=(
            ("persistent_account_id",),
            ("mask", "subtype", "currency", "name"),
            ("mask", "subtype", "currency"),
        ),
        certain=("persistent_account_id", "currency"),
    )
    #: Types, and the codes that are more specific than their type. https://plaid.com/docs/errors/
    error_codes = {
        "RATE_LIMIT_EXCEEDED": "rate_limited",
        # The trial's connections are used up: a retry does not help.
        "ADDITION_LIMIT": "provider_not_configured",
        "INSTITUTION_ERROR": "institution_unavailable",
        # Errors that do not end without an action.
        **dict.fromkeys(
            ("INSTITUTION_NO_LONGER_SUPPORTED", "INSTITUTION_NOT_FOUND", "INVALID_INSTITUTION", "ITEM_NOT_SUPPORTED"),
            "unknown_institution",
        ),
        **dict.fromkeys(
            (
                *("INSTITUTION_REGISTRATION_REQUIRED", "UNAUTHORIZED_INSTITUTION", "UNAUTHORIZED_ROUTE_ACCESS"),
                "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT",
            ),
            "provider_not_configured",
        ),
        # The user can give it in update mode.
        "ADDITIONAL_CONSENT_REQUIRED": "consent_expired",
        "API_ERROR": "provider_unavailable",
        "PRODUCT_NOT_READY": "provider_busy",
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION": "provider_busy",
        # Errors of an Item are repaired by its user on Plaid's pages.
        "ITEM_ERROR": "credentials_rejected",
        "OAUTH_CONSENT_EXPIRED": "consent_expired",
        "ACCESS_NOT_GRANTED": "consent_revoked",
        "OAUTH_USER_REVOKED": "consent_revoked",
        "ITEM_NOT_FOUND": "consent_revoked",
        "INVALID_ACCESS_TOKEN": "consent_revoked",
        "INVALID_ACCOUNT_ID": "unknown_account",
        "INVALID_API_KEYS": "provider_not_configured",
        "UNAUTHORIZED_ENVIRONMENT": "provider_not_configured",
        "INVALID_PRODUCT": "provider_not_configured",
    }

    def authenticate(self):
        return Headers(
            {
                "PLAID-CLIENT-ID": self.settings["client_id"],
                "PLAID-SECRET": self.settings["secret"],
                "Plaid-Version": self.api_version,
            }
        )

    def read_error(self, body):
        parts = [body.get(name) for name in ("error_type", "error_code", "error_code_reason")]
        return (
            "/".join(part for part in parts if isinstance(part, str) and part) or None,
            body.get("error_message"),
            body.get("request_id"),
        )

    def _read(self, path, **body):
        """All requests are POSTs; these only read, so they may be sent again."""
        return self.http.post(path, body, idempotent=True)

    @property
    def _countries(self):
        return [code.strip().upper() for code in self.settings["countries"].split(",") if code.strip()]

    def check_keys(self):
        with self.reading("institutions"):
            answer = self._read("institutions/get", count=1, offset=0, country_codes=self._countries)
            return f"{answer['total']} banks in {', '.join(self._countries)}"

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        countries = [country] if country else self._countries
        found = {}
        for offset in range(0, MAX_INSTITUTIONS, PAGE_SIZE):
            with self.reading("institutions"):
                answer = self._read(
                    "institutions/get",
                    count=PAGE_SIZE,
                    offset=offset,
                    country_codes=countries,
                    options={"products": ["transactions"]},
                )
                for bank in answer["institutions"]:
                    home = next((code for code in countries if code in bank["country_codes"]), bank["country_codes"][0])
                    found[bank["institution_id"]] = Institution(
                        id=bank["institution_id"],
                        name=bank["name"],
                        country=home,
                        capabilities=Capabilities(history_days=HISTORY_DAYS),
                    )
                if offset + PAGE_SIZE >= answer["total"] or not answer["institutions"]:
                    break
        return list(found.values())

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        language = flow.language[:2]
        body = {
            "client_name": self.settings["client_name"][:30],
            "language": language if language in LANGUAGES else "en",
            "country_codes": self._countries,
            "user": {"client_user_id": secrets.token_hex(8)},
            "hosted_link": {"completion_redirect_uri": with_query(flow.callback_url, state=flow.callback_state)},
            "webhook": self.settings["webhook_url"] or None,
        }
        if flow.state:
            # Update mode: the same Item, access token and cursors. Products may not be named then.
            body |= {"access_token": flow.state["access_token"], "update": {"account_selection_enabled": True}}
        else:
            # The number of days can't be increased later without a new Item.
            body |= {"products": ["transactions"], "transactions": {"days_requested": HISTORY_DAYS}}
        with self.reading("link token"):
            answer = self.http.post(
                "link/token/create", {key: value for key, value in body.items() if value is not None}
            )
            kept = {"state": flow.callback_state, "link_token": answer["link_token"]}
            return Redirect(answer["hosted_link_url"], kept)

    def answer(self, flow, values):
        return self.start(flow.institution, flow)

    def complete(self, flow, params):
        self.check_state(flow, params)
        state = flow.state
        if not state:
            with self.reading("link token"):
                public_token = self._public_token(self._read("link/token/get", link_token=flow.data["link_token"]))
                if not public_token:
                    return UNFINISHED
                token = self.http.post("item/public_token/exchange", {"public_token": public_token})
                state = {"access_token": token["access_token"], "item_id": token["item_id"], "accounts": {}}
        answer = self._read("accounts/get", access_token=state["access_token"])
        with self.reading("accounts"):
            if answer["item"].get("error"):
                # Still not repaired.
                return UNFINISHED
            expiry = reading.moment(answer["item"].get("consent_expiration_time"))
            accounts = self._identify(answer["accounts"], state["accounts"])
            identities = {key: self._identity(account) for key, account in accounts.items()}
            state = {**state, "expires_at": moment_text(expiry), "accounts": identities}
            shown = tuple(self._account(key, account) for key, account in accounts.items())
            return Completed(state, shown, expiry, reference=state["item_id"])

    def _public_token(self, answer):
        for session in answer.get("link_sessions") or ():
            for result in (session.get("results") or {}).get("item_add_results") or ():
                return result["public_token"]
        return None

    def _identity(self, account):
        identity = {
            name: account.get(name) for name in ("account_id", "persistent_account_id", "mask", "name", "subtype")
        }
        return {**identity, "currency": account["balances"]["iso_currency_code"]}

    def _identify(self, listed, known):
        """Give accounts permanent ids: ``account_id`` changes when the bank renames one, or with a new Item.

        ``persistent_account_id`` exists at few banks only. https://plaid.com/docs/api/accounts/#accounts-get-response
        """
        # Miles and cryptocurrencies have no place in the books.
        listed = [one for one in listed if reading.has_currency(one["balances"].get("iso_currency_code"))]
        facts = [self._identity(account) for account in listed]
        ids = identify(known, facts, self.account_keys, [account["account_id"] for account in listed])
        return dict(zip(ids, listed, strict=True))

    def revoke(self, state):
        try:
            self.http.post("item/remove", {"access_token": state["access_token"]})
        except ProviderError as error:
            # It was removed already.
            if error.code != "consent_revoked":
                raise

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Plaid asks the banks on its own; an immediate update (``/transactions/refresh``) costs extra."""
        self.check_end(state["expires_at"])
        with self.reading("item"):
            answer = self._read("item/get", access_token=state["access_token"])
            if error := answer["item"].get("error"):
                code, words, _request = self.read_error(error)
                raise self.failure(self._our_code(code) or "credentials_rejected", words, provider_code=code)
            status = (answer.get("status") or {}).get("transactions") or {}
            return Refreshed(state, reading.moment(status.get("last_successful_update")) or self.now())

    def accounts(self, state):
        self.check_end(state["expires_at"])
        with self.reading("accounts"):
            listed = self._read("accounts/get", access_token=state["access_token"])["accounts"]
            return [self._account(key, account) for key, account in self._identify(listed, state["accounts"]).items()]

    def _account(self, key, account):
        kind, balances = account["type"], account["balances"]
        types = {"depository": "savings" if account.get("subtype") in SAVINGS else "current", "credit": "credit_card"}
        return Account(
            id=key,
            name=account.get("official_name") or account["name"],
            number=reading.text(account.get("mask")),
            number_type="other",
            currency=reading.currency(balances["iso_currency_code"]),
            type=types.get(kind, "loan" if kind == "loan" else "other"),
            **self._balance(kind, balances).to_account(),
        )

    def _balance(self, kind, balances):
        current, available, limit = (
            None if balances.get(name) is None else reading.amount(balances[name])
            for name in ("current", "available", "limit")
        )
        if current is not None:
            # Plaid reports debts as positive.
            current = -current if current and kind in ("credit", "loan") else current
            return Balance(current, self.now())
        if kind == "credit" and None not in (available, limit):
            return without_limit(available, limit, self.now())
        return Balance(available=available)

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """All that has changed since the cursor, from then on by bookmark: each account is a separate stream."""
        self.check_end(state["expires_at"])
        known = self.known_account(state, account)
        place = {"start": None, "at": None, "since": since and since.isoformat()}
        if cursor:
            place = self.read_cursor(account, cursor)
        try:
            answer = self._sync(state, known, place["at"], limit)
        except ProviderError as error:
            if "MUTATION_DURING_PAGINATION" not in (error.provider_code or "") or place["at"] == place["start"]:
                raise
            # The list has changed between two pages; it must be read again from its first page.
            answer = self._sync(state, known, place["start"], limit)
        with self.reading("transactions"):
            if answer.get("transactions_update_status") == "NOT_READY":
                # The first load takes Plaid some time. An empty page would end it here.
                raise self.failure(
                    "provider_busy", "the first transactions are not there yet", provider_code="NOT_READY"
                )
            since = reading.day(place["since"]) or date.min
            rows, unread = self.read_rows([*answer["added"], *answer["modified"]], self._transaction)
            rows = [row for row in rows if (row.booking_date or date.max) >= since]
            rows.sort(key=lambda row: row.booking_date or date.max)
            removed = tuple(row["transaction_id"] for row in answer["removed"])
            more, after = answer["has_more"], answer["next_cursor"]
            place = {"start": place["start"], "at": after, "since": place["since"]}
            if not more:
                place = {"start": after, "at": after, "since": None}
            return Page(tuple(rows), removed, self.write_cursor(account, **place), more, tuple(unread))

    def _sync(self, state, known, at, limit):
        body = {
            "access_token": state["access_token"],
            "count": max(1, min(limit or PAGE_SIZE, PAGE_SIZE)),
            "options": {"account_id": known["account_id"], "include_original_description": True},
        }
        return self._read("transactions/sync", **body, **({"cursor": at} if at else {}))

    def identify_row(self, row):
        return row.get("transaction_id"), "pending" if row.get("pending") is True else None

    def _transaction(self, row):
        get = row.get
        # Outgoing amounts are positive. https://plaid.com/docs/api/products/transactions/#transactions-sync-response
        amount = -reading.amount(row["amount"])
        meta = get("payment_meta") or {}
        party = (get("counterparties") or [{}])[0]
        accounts = party.get("account_numbers") or {}
        name = get("merchant_name") or party.get("name") or meta.get("payee" if amount < 0 else "payer")
        check = get("check_number")
        remittance = reading.texts(
            get("original_description"), get("name"), meta.get("reason"), meta.get("reference_number"), check
        )
        return Transaction(
            # Unique and case-sensitive. A pending transaction is removed when the booked one comes, whose new id names
            # the old one: `pending_transaction_id`.
            id=reading.identifier(row["transaction_id"]),
            status="pending" if row["pending"] else "booked",
            amount=amount,
            currency=reading.currency(get("iso_currency_code") or get("unofficial_currency_code")),
            booking_date=reading.day(row["date"]),
            counterparty=Counterparty(
                reading.text(name), reading.number((accounts.get("international") or {}).get("iban"))
            ),
            remittance=remittance,
            pending_id=reading.identifier(get("pending_transaction_id")),
            raw=row,
        )

    # -------------------------------------------------------------------------
    # WEBHOOKS
    # -------------------------------------------------------------------------

    def parse_webhook(self, headers, body):
        try:
            self._verify(headers.get("Plaid-Verification") or "", body)
            event = json.loads(body)
            kind, reference = EVENTS.get(event["webhook_code"]), event.get("item_id")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ProtocolError("invalid_request", f"a webhook: {type(error).__name__} {error}", provider=self.code)
        return [WebhookEvent(kind, reference)] if kind and reference else []

    def _verify(self, token, body):
        """:raise Exception: ValueError or another one, if Plaid has not signed it recently

        https://plaid.com/docs/api/webhooks/webhook-verification/
        """
        message, _dot, signature = token.rpartition(".")
        header, claims = (json.loads(decode_segment(part)) for part in message.split("."))
        if header["alg"] != "ES256":
            raise ValueError(f"signed with {header['alg']}")
        # The cheap check first: the key may need a request.
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), claims["request_body_sha256"]):
            raise ValueError("signed for another body")
        if abs(self.now().timestamp() - claims["iat"]) > MAX_WEBHOOK_SECONDS:
            raise ValueError("signed too long ago")
        name = str(header["kid"])[:100]
        key = WEBHOOK_KEYS.get(
            self.base_url, name, self.now(), lambda: self._read("webhook_verification_key/get", key_id=name)["key"]
        )
        if key is None:
            # Plaid will send it again.
            raise self.failure("provider_busy", "too many webhooks with unknown keys")
        if key.get("expired_at"):
            raise ValueError("signed with a key that has expired")
        verify_es256(key, message.encode(), decode_segment(signature))
