"""Salt Edge, Account Information API v6: banks of some fifty countries, by contract. https://docs.saltedge.com/v6/

A *connection* belongs to a *customer*; we create one for each connection, so that a database can't see another's. Users
give consents and codes on Salt Edge's pages (*Connect*). Salt Edge fetches on its own, or on request, and stores the
data that is read here. What could not be verified is listed in docs/providers/salt_edge.md.
"""

import base64
import json
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from odoo.addons.bank_sync_common.tools.recognition import Keys

from ..tools.urls import with_query
from . import reading
from .auth import Headers, RequestSignature, load_rsa_key, verify_sha256
from .balances import Balance, without_limit
from .errors import CODES, ConsentError, ProtocolError, RateLimited, TransientError, _lt
from .facts import EEA, Facts
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
from .web import MAX_SKEW_SECONDS, WebProvider

HISTORY_DAYS = 365
PAGE_SIZE = 1000
#: No user has more; an endless list is an error of the provider.
MAX_PAGES = 1000
#: Ids of pending transactions that fit into a bookmark, which has at most 2,000 characters.
MAX_KEPT = 50
#: Data up to this age counts as current where only the user can start an update.
FRESH = timedelta(days=1)
SCOPES = ["accounts", "transactions"]
#: Languages of its pages.
LOCALES = "bg de en es fi fr hr hu it nl pl pt ro ru sk sv tr uk zh"
STATUSES = {"posted": "booked", "pending": "pending"}
TYPES = {
    **dict.fromkeys(("account", "checking", "debit_card"), "current"),
    **dict.fromkeys(("loan", "mortgage", "credit"), "loan"),
    "credit_card": "credit_card",
    "savings": "savings",
}

#: Its classes of errors. https://docs.saltedge.com/v6/#errors
ERRORS = {
    "consent_expired": "ConsentExpired",
    "consent_revoked": "ConsentRevoked ConsentNotFound ConnectionNotFound ConnectionDisabled CustomerNotFound",
    "credentials_rejected": "InvalidCredentials ProviderAccessNotGranted",
    "challenge_required": "InvalidInteractiveCredentials InteractiveTimeout",
    "unknown_account": "AccountNotFound AllAccountsExcluded",
    "institution_unavailable": "ProviderError ProviderUnavailable ProviderInactive ConnectionFailed ExecutionTimeout "
    "FetchingTimeout RefreshTimeout InteractiveAdapterTimeout",
    "unknown_institution": "ProviderNotFound ProviderDisabled",
    "provider_busy": "ConnectionAlreadyProcessing",
    "provider_unavailable": "InternalServerError",
    "rate_limited": "RateLimitExceeded TooManyRequests ConnectionCannotBeRefreshed",
    "provider_not_configured": "ApiKeyNotFound AppIdNotProvided SecretNotProvided ClientNotFound ClientDisabled "
    "ClientPending ClientRestricted ActionNotAllowed ConnectionLimitReached MissingSignature SignatureNotMatch "
    "PublicKeyNotProvided MissingExpiresAt ExpiresAtInvalid RequestExpired",
}

WAITING = Challenge(
    title=_lt("Salt Edge is fetching your accounts"),
    kind="approval",
    message=_lt(
        "The bank has accepted the sign-in at Salt Edge. Fetching the accounts can take some minutes; you can wait "
        "here."
    ),
    poll_seconds=10,
)
UNFINISHED = Challenge(
    title=_lt("Not finished yet"),
    kind="consent",
    message=_lt(
        "The bank's pages were left before the end, or the bank did not accept the input, so nothing was changed. "
        "You can try again."
    ),
    submit=_lt("Try again"),
    data={"step": "again"},
)


class SaltEdge(WebProvider):
    """State: ``customer_id``, ``connection_id``, ``expires_at`` or None, ``accounts``: our id → what identifies one."""

    code = "salt_edge"
    label = "Salt Edge"
    docs_url = "https://docs.saltedge.com/v6/"
    api_version = "6"
    production_url = sandbox_url = "https://www.saltedge.com/api/v6"
    facts = Facts(
        region=_lt("Europe, and others worldwide"),
        countries=(*EEA, "GB"),
        audience=("contract",),
        price=_lt("By contract: depends on connections and countries"),
        needs=_lt("A contract with Salt Edge; in Europe also a PSD2 licence, your own or Salt Edge's"),
        signup_url="https://www.saltedge.com/client_users/sign_up",
        terms=_lt("A new client is pending and reaches invented banks only; real banks need a contract."),
        terms_urls=((_lt("Salt Edge's documentation"), "https://docs.saltedge.com/v6/"),),
        steps=(
            _lt("Sign up at Salt Edge, and agree on a contract for real banks."),
            _lt("Under API keys, create one of the type Service."),
            _lt(
                "Make a key pair with openssl (openssl genrsa -out salt_edge.pem 2048), and enter its public half at "
                "Salt Edge. A pending client may leave the private key out."
            ),
            _lt("At Salt Edge, Callbacks, enter for success and fail this address: %(webhook)s"),
            _lt("Enter the same address below as callback URL, and Salt Edge's public key from its documentation."),
        ),
        connect="provider's pages",
        identity="`id`; another one while pending",
        sources=(
            "Fields: Salt Edge's examples of v6 and the package saltedge 0.1.3 (v5). History and price: from memory."
        ),
        pending=True,
        removals=True,
        webhooks=True,
        bookmark=True,
        history_days=HISTORY_DAYS,
        consent_days=180,
    )
    settings_needed = (
        Setting("app_id", _lt("App ID"), help=_lt("Salt Edge's dashboard ‣ API keys, a key of the type Service.")),
        Setting("secret", _lt("Secret"), type="secret", help=_lt("The one of the same key.")),
        Setting("private_key", _lt("Private key"), type="key", required=False, help=_lt("Live clients need it.")),
        Setting(
            "webhook_url",
            _lt("Callback URL"),
            required=False,
            help=_lt("As at Salt Edge: it is signed, too."),
            pattern=HTTPS,
            expects=NO_ADDRESS,
        ),
        Setting("webhook_key", _lt("Public key of callbacks"), required=False, help=_lt("Salt Edge documents it.")),
    )
    #: Accounts with numbers have no label: equal names do not make them the same.
    account_keys = Keys(
        alike=(("number", "currency", "name"), ("number", "currency"), ("label", "currency")),
        certain=("number", "currency"),
    )
    error_codes = {error: ours for ours, errors in ERRORS.items() for error in errors.split()}

    def authenticate(self):
        headers = {"App-id": self.settings["app_id"], "Secret": self.settings["secret"]}
        if not self.settings["private_key"]:
            # An application in test mode need not sign.
            return Headers(headers)
        key = self.load_key(load_rsa_key, self.settings["private_key"])
        # Valid for the clock difference that we allow elsewhere; Salt Edge allows an hour.
        return RequestSignature(key, self.now, headers, timedelta(seconds=MAX_SKEW_SECONDS))

    def read_error(self, body):
        return tuple(reading.at(body, "error", name) for name in ("class", "message", "request_id"))

    def check_keys(self):
        with self.reading("countries"):
            return f"{len(self.http.get('countries')['data'])} countries"

    def _list(self, path, **params):
        """:return: all items of a list, from all its pages"""
        found, after = [], None
        for _page in range(MAX_PAGES):
            answer = self.http.get(path, **params, from_id=after)
            with self.reading(path):
                found += answer["data"]
                after = self._after(answer, after)
            if not after:
                return found
        raise self.failure("unexpected_answer", f"more than {MAX_PAGES} pages of {path}")

    def _after(self, answer, before):
        """:return: id at which the next page begins, or None"""
        after = (answer.get("meta") or {}).get("next_id") or None
        if after and after == before:
            raise ValueError(f"the page at {after} names itself as the next one")
        return after

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        """Salt Edge's fictional banks, in the country XF, are requested only outside of production."""
        sandboxes = None if self.production else "true"
        listed = self._list("providers", country_code=country, include_sandboxes=sandboxes, per_page=PAGE_SIZE)
        with self.reading("providers"):
            return [
                Institution(
                    id=bank["code"],
                    name=bank["name"],
                    country=bank["country_code"],
                    bic=reading.text(next(iter(bank.get("bic_codes") or ()), None)),
                    logo=reading.text(bank.get("logo_url")),
                    capabilities=Capabilities(
                        auto_sync=self._goes_alone(bank),
                        history_days=self._history(bank),
                        consent_days=bank.get("max_consent_days"),
                    ),
                )
                for bank in listed
                # An upload of files is not a bank feed.
                if bank["status"] == "active" and bank["mode"] != "file"
            ]

    def _history(self, bank):
        return min(HISTORY_DAYS, bank.get("max_fetch_interval") or HISTORY_DAYS)

    def _goes_alone(self, thing):
        """Of a bank or an attempt: whether Salt Edge can fetch without the user. v6 seems to rename the first field."""
        alone = thing.get("automatic_fetch", thing.get("automatic_refresh"))
        return not thing.get("interactive") if alone is None else bool(alone)

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        body = self._consent(institution)
        with self.reading("customer"):
            # Nothing about the database is passed on. v5 names the id `id`.
            customer = self.http.post("customers", {"data": {"identifier": secrets.token_hex(16)}})["data"]
            customer_id = customer.get("customer_id") or customer["id"]
        body |= {"customer_id": customer_id, "provider": {"code": institution}, "automatic_refresh": True}
        return self._visit("connections/connect", body, flow, customer_id=customer_id)

    def renew(self, state, flow):
        """The same connection; its accounts and transactions stay."""
        body = {**self._consent(flow.institution), "automatic_refresh": True}
        return self._visit(f"connections/{state['connection_id']}/reconnect", body, flow)

    def _consent(self, institution):
        with self.reading("provider"):
            bank = self.http.get(f"providers/{institution}")["data"]
            # A day less because of time zones.
            begin = self.now().date() - timedelta(days=self._history(bank) - 1)
            consent = {"scopes": SCOPES, "from_date": begin.isoformat()}
            if bank.get("max_consent_days"):
                consent["period_days"] = bank["max_consent_days"]
            return {"consent": consent, "attempt": {"from_date": begin.isoformat()}}

    def _visit(self, path, body, flow, **data):
        """:return: :class:`~.types.Redirect` to Salt Edge's pages"""
        language = flow.language[:2]
        attempt = {
            **body.get("attempt", {}),
            **self._attempt(),
            "locale": language if language in LOCALES.split() else "en",
            "return_to": with_query(flow.callback_url, state=flow.callback_state),
        }
        with self.reading("connect"):
            answer = self.http.post(path, {"data": {**body, "attempt": attempt, "return_error_class": True}})
            return Redirect(answer["data"]["connect_url"], {"state": flow.callback_state, **data})

    def _attempt(self):
        # Transactions that were fetched twice are marked instead of deleted: otherwise they would not be reported.
        return {"fetch_scopes": SCOPES, "unduplication_strategy": "mark_as_duplicate"}

    def complete(self, flow, params):
        self.check_state(flow, params)
        if params.get("error_class"):
            return self._unfinished(params["error_class"])
        return self._arrive(flow)

    def answer(self, flow, values):
        if flow.data.get("step") == "wait":
            return self._arrive(flow)
        if flow.kind == "refresh":
            return self.refresh(flow.state, user_present=True, flow=flow)
        return self.renew(flow.state, flow) if flow.state else self.start(flow.institution, flow)

    def _unfinished(self, error_class):
        """Errors that the user can correct lead to another question."""
        ours = self._our_code(error_class)
        if ours and not self._for_the_user(error_class):
            raise self.failure(ours, f"on Salt Edge's pages: {error_class}", provider_code=error_class)
        return UNFINISHED

    def _for_the_user(self, error_class):
        """:return: our code of an error that only the user can correct, or None"""
        ours = self._our_code(error_class)
        return ours if ours and CODES[ours].family == "ConsentError" else None

    def _arrive(self, flow):
        """Called when the user has returned."""
        connection = self._connection_of(flow)
        if not connection:
            return UNFINISHED
        with self.reading("connection"):
            attempt = connection.get("last_attempt") or {}
            failed = attempt.get("fail_error_class")
            if not failed and not attempt.get("finished", True):
                return replace(WAITING, data={**flow.data, "step": "wait"})
            if failed or connection["status"] != "active":
                return self._unfinished(failed)
            if flow.kind == "refresh":
                return Refreshed(flow.state, self._news_of(connection))
            listed = self._list("accounts", connection_id=connection["id"])
            accounts, expiry = self._identify(listed, flow.state.get("accounts", {})), self._expiry(connection)
            state = {
                "customer_id": connection["customer_id"],
                "connection_id": connection["id"],
                "expires_at": moment_text(expiry),
                "accounts": {key: self._identity(account) for key, account in accounts.items()},
            }
            shown = tuple(self._account(key, account) for key, account in accounts.items())
            news = reading.moment(connection.get("last_success_at"))
            return Completed(state, shown, expiry, news, connection["id"])

    def _connection_of(self, flow):
        """The browser could name another user's connection, so its value is not used: our customer has only this one.

        :return: as Salt Edge gives it, or None
        """
        if flow.state:
            return self._connection(flow.state)
        listed = self._list("connections", customer_id=flow.data["customer_id"])
        with self.reading("connections"):
            # A user who has tried twice has two connections.
            return max(listed, key=lambda one: (one["status"] == "active", one["created_at"]), default=None)

    def _connection(self, state):
        with self.reading("connection"):
            return self.http.get(f"connections/{state['connection_id']}")["data"]

    def _expiry(self, connection):
        """:return: end of the connection's current consent, or None"""
        listed = self._list("consents", connection_id=connection["id"])
        active = [consent for consent in listed if consent["status"] == "active"]
        last = [consent for consent in active if consent["id"] == connection.get("last_consent_id")]
        ends = [consent.get("expires_at") for consent in last or active]
        return reading.moment(ends[0]) if ends else None

    def revoke(self, state):
        """Withdraw the consent and delete the customer, which was created only for it."""
        for path in (f"connections/{state['connection_id']}", f"customers/{state['customer_id']}"):
            with suppress(ConsentError):
                # It is gone already.
                self.http.ask("DELETE", path, kind="none")

    # -------------------------------------------------------------------------
    # ACCOUNTS
    # -------------------------------------------------------------------------

    def _identity(self, account):
        extra = account.get("extra") or {}
        number = reading.iban(extra.get("iban")) or reading.text(extra.get("bban") or extra.get("account_number"))
        return {
            "id": account["id"],
            "number": number,
            "name": f"{account['nature']} {account['name']}",
            "label": None if number else f"{account['nature']} {account['name']}",
            "currency": reading.currency(account["currency_code"]),
        }

    def _identify(self, listed, known):
        """Give accounts permanent ids. A reconnection keeps the accounts; if a bank renames them, they change.

        The documentation calls ``id`` the account's id and no more, so number or name stand in for it.
        """
        # Accounts in points have no place in the books.
        listed = [one for one in listed if one["nature"] != "bonus" and reading.has_currency(one["currency_code"])]
        return self.by_our_id(known, map(self._identity, listed), listed)

    def accounts(self, state):
        self.check_end(state["expires_at"])
        listed = self._list("accounts", connection_id=state["connection_id"])
        with self.reading("accounts"):
            accounts = self._identify(listed, state["accounts"])
            return [self._account(key, account) for key, account in accounts.items() if key in state["accounts"]]

    def _account(self, key, account):
        number = self._identity(account)["number"]
        return Account(
            id=key,
            name=reading.text((account.get("extra") or {}).get("account_name")) or account["name"],
            number=number,
            number_type="iban" if reading.iban(number) else "other",
            currency=reading.currency(account["currency_code"]),
            type=TYPES.get(account["nature"], "other"),
            **self._balance(account).to_account(),
        )

    def _balance(self, account):
        balance, moment = reading.amount(account["balance"]), reading.moment(account["updated_at"])
        extra = account.get("extra") or {}
        available, limit = (
            None if extra.get(name) is None else reading.amount(extra[name])
            for name in ("available_amount", "credit_limit")
        )
        if TYPES.get(account["nature"]) == "credit_card" and limit and balance == available:
            # A balance that equals the available amount contains the limit: some banks report nothing else of a card.
            return without_limit(available, limit, moment)
        return Balance(balance, moment)

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Salt Edge begins to fetch and needs some minutes; a callback reports the end, or the next run sees it.

        If a bank asks for codes, the user enters them on Salt Edge's pages. Before ``next_refresh_possible_at`` no
        refresh is requested, because the data can't get newer.
        """
        self.check_end(state["expires_at"])
        connection = self._connection(state)
        with self.reading("connection"):
            attempt = connection.get("last_attempt") or {}
            if (status := connection["status"]) != "active":
                failed = attempt.get("fail_error_class")
                ours = self._for_the_user(failed) or ("consent_revoked" if status == "disabled" else "consent_expired")
                raise self.failure(ours, f"the connection is {status}", provider_code=failed)
            news = self._news_of(connection)
            due = reading.moment(connection.get("next_refresh_possible_at"))
        possible = due and due <= self.now() and attempt.get("finished", True)
        path = f"connections/{connection['id']}"
        if not self._goes_alone(attempt):
            if user_present and possible:
                return self._visit(f"{path}/refresh", {}, flow)
            if not user_present and news < self.now() - FRESH:
                raise self.failure("auto_sync_forbidden", "the bank asks its user for a code")
        elif possible:
            # The existing data can still be read, and Salt Edge fetches once a day on its own.
            with suppress(TransientError, RateLimited, ProtocolError):
                self.http.ask("POST", f"{path}/background_refresh", body={"data": {"attempt": self._attempt()}})
        return Refreshed(state, news)

    def _news_of(self, connection):
        """:return: moment of the last successful fetch"""
        if not connection.get("last_success_at"):
            # Returning the current moment would end the first load before it has begun.
            raise self.failure("provider_busy", "nothing was fetched yet")
        return reading.moment(connection["last_success_at"])

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """By id: later transactions have higher ones, so the next run continues after the last that was seen.

        Pending transactions come with the last page, under new ids after each refresh; those of the previous run are
        then withdrawn. https://docs.saltedge.com/v6/#transactions
        """
        self.check_end(state["expires_at"])
        known = self.known_account(state, account)
        place = {"since": since and since.isoformat(), "from": None, "marked": None, "pending": None}
        if cursor:
            place = self.read_cursor(account, cursor)
        is_delta = place["pending"] is not None
        size = max(1, min(limit or PAGE_SIZE, PAGE_SIZE))
        parameters = {"connection_id": state["connection_id"], "account_id": known["id"], "per_page": size}
        answer = self.http.get("transactions", **parameters, from_id=place["from"])
        with self.reading("transactions"):
            since = reading.day(place["since"]) or date.min
            posted, unread = self.read_rows(answer["data"], self._transaction, "posted")
            rows = sorted((row for row in posted if row.booking_date >= since), key=lambda row: row.booking_date)
            after = self._after(answer, place["from"])
            place["from"] = after or (posted[-1].id if posted else place["from"])
        if after:
            if unread and is_delta:
                place["unread"] = True
            return Page(tuple(rows), (), self.write_cursor(account, **place), True, tuple(unread))
        removed, marked = self._withdrawn(parameters, place)
        listed = self._list("transactions", **parameters, pending="true")
        with self.reading("pending transactions"):
            pending, unread_pending = self.read_rows(listed, self._transaction, "pending")
            there = [row.id for row in (*pending, *unread_pending) if row.id]
        removed += [key for key in place["pending"] or () if key not in there]
        if is_delta:
            # What can't be read holds the bookmark, which takes back only the pending ones that it names itself: others
            # would stay for ever. The booked one that follows has another id, so nothing is lost with them.
            unread_pending = []
            if unread or place.get("unread"):
                pending = [row for row in pending if row.id in place["pending"]]
        place = {"since": None, "from": place["from"], "marked": marked, "pending": there}
        # Without a bookmark the next run reads everything, and replaces all pending ones.
        bookmark = self.write_cursor(account, **place) if len(there) <= MAX_KEPT else None
        return Page((*rows, *pending), tuple(removed), bookmark, unread=(*unread, *unread_pending))

    def _withdrawn(self, parameters, place):
        """Transactions that Salt Edge has marked as fetched twice since the last run, old ones included.

        :return: (ids, moment of the latest, as a text)
        """
        if place["pending"] is None:
            # The first run has not imported them.
            return [], place["marked"]
        listed = self._list("transactions", **parameters, duplicated="true")
        with self.reading("duplicates"):
            # Also if the parameter is ignored, and all transactions come.
            listed = [row for row in listed if isinstance(row, dict) and row.get("duplicated")]
            found = [row["id"] for row in listed if row["updated_at"] > (place["marked"] or "")]
            return found, max([place["marked"] or "", *(row["updated_at"] for row in listed)]) or None

    def identify_row(self, row):
        return row["id"], STATUSES.get(row["status"])

    def _transaction(self, row, wanted):
        """The fields in ``extra`` depend on the bank.

        :param str wanted: its status, as Salt Edge calls it
        :return: :class:`~.types.Transaction`, or None for one of another status or one that was fetched twice
        """
        if row["status"] not in STATUSES:
            raise ValueError(f"no status: {row['status']!r}"[:100])
        if row["status"] != wanted or row.get("duplicated"):
            return None
        extra = row.get("extra") or {}
        get, amount, currency = extra.get, reading.amount(row["amount"]), reading.currency(row["currency_code"])
        name, about = ("payee", "payee_information") if amount < 0 else ("payer", "payer_information")
        about = get(about)
        number = about and reading.iban(about)
        foreign, foreign_currency = get("original_amount"), get("original_currency_code")
        if foreign is None or foreign_currency == currency or not reading.has_currency(foreign_currency):
            foreign = foreign_currency = None
        else:
            foreign = reading.amount(foreign)
            # Some banks write it without a sign.
            foreign = -foreign if (foreign < 0) != (amount < 0) else foreign
        remittance = reading.texts(
            row.get("description"), get("information"), get("additional"), None if number else about
        )
        reference = next(filter(None, map(reading.creditor_reference, remittance)), None)
        return Transaction(
            # Salt Edge's own, unique; `extra.id` is the bank's and may repeat. What is pending is deleted and created
            # again by each refresh, so its id says nothing about the booked one. https://docs.saltedge.com/v6/#transactions
            id=reading.identifier(row["id"]),
            status=STATUSES[row["status"]],
            amount=amount,
            currency=currency,
            booking_date=reading.day(get("posting_date")) or reading.day(row["made_on"]),
            foreign_amount=foreign,
            foreign_currency=foreign_currency,
            counterparty=Counterparty(reading.text(get(name)) or reading.text(get("transfer_account_name")), number),
            remittance=remittance,
            end_to_end_id=reading.end_to_end_id(get("end_to_end_id")),
            # The variable symbol, by which Czech and Slovak creditors recognise payments.
            creditor_reference=reference or reading.structured_reference(get("variable_code")),
            raw=row,
        )

    # -------------------------------------------------------------------------
    # CALLBACKS
    # -------------------------------------------------------------------------

    def parse_webhook(self, headers, body):
        try:
            is_gone = self._verify(headers.get("Signature") or "", body)
            event = json.loads(body)
            sent, data = reading.moment(event["meta"]["time"]), event["data"]
            if abs((self.now() - sent).total_seconds()) > MAX_SKEW_SECONDS:
                raise ValueError("signed too long ago")
            kind, reference = "connection.disconnected" if is_gone else self._kind(data), data["connection_id"]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ProtocolError("invalid_request", f"a callback: {type(error).__name__} {error}", provider=self.code)
        return [WebhookEvent(kind, reference)] if kind else []

    def _kind(self, data):
        if data.get("error_class"):
            return "consent.expiring" if self._for_the_user(data["error_class"]) else None
        # Success is reported up to three times; only the last time all data is available.
        return "transactions.new" if data.get("stage") in (None, "finish") else None

    def _verify(self, signature, body):
        """The URL is signed, too, so each kind of callback has its own one: the body does not name its kind.

        :return: whether it reports that a connection is gone
        :raise ValueError: if Salt Edge has not signed it
        """
        url, signed = self.settings["webhook_url"], base64.b64decode(signature, validate=True)
        for address, is_gone in ((url, False), (with_query(url, kind="destroy"), True)):
            with suppress(ValueError):
                verify_sha256(self.settings["webhook_key"], f"{address}|".encode() + body, signed)
                return is_gone
        raise ValueError("Salt Edge has not signed this for our address")
