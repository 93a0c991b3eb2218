"""Ponto: banks of Belgium, the Netherlands, France and others, for businesses. https://documentation.myponto.com

A *custom integration* of one organisation: the holder of its keys reads the accounts that were linked in the Ponto
dashboard. So the keys belong to the user's connection and not to the proxy. Banks are linked, and consents renewed, in
the dashboard.
"""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

from odoo.addons.bank_sync_common.tools.recognition import Keys

from . import reading
from .balances import Balance
from .errors import ConsentError, ProviderError, _lt
from .facts import Facts
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Field,
    Page,
    Refreshed,
    Transaction,
    moment_text,
)
from .web import WebProvider

COUNTRIES = ("BE", "DE", "FR", "LU", "NL")
PAGE_SIZE = 100
#: How the parameter of a page is named, and beside it the one of its size.
LIMITS = {"after": "limit", "page[after]": "page[limit]"}
CONSENT_DAYS = 180
#: Pages are read from the newest to the oldest; what a bank books late is that far out of order.
LATE = timedelta(days=14)
#: An account that stays behind for longer does not make everything be read again each time.
MAX_LAG = timedelta(days=60)

KEYS = (
    Field("client_id", _lt("Client ID")),
    Field("client_secret", _lt("Client secret"), type="password"),
)
CONNECT = Challenge(
    title=_lt("Connect with Ponto"),
    message=_lt(
        "In the Ponto dashboard, open Integrations, choose Custom Integration, select the accounts, and paste its keys "
        "here."
    ),
    fields=KEYS,
    submit=_lt("Connect"),
)
RENEW = Challenge(
    title=_lt("Renew Ponto"),
    message=_lt(
        "Sign in to the Ponto dashboard in another tab and renew the authorization of your bank there. Then continue "
        "here; keys are only needed if you have made new ones."
    ),
    fields=tuple(Field(field.name, field.label, type=field.type, required=False) for field in KEYS),
    submit=_lt("Continue"),
)
REFUSED_KEYS = _lt("Ponto does not accept these keys. Copy both from the integration's page, and paste them again.")
NO_ACCOUNTS = _lt("No account was selected for this integration. Select one in the Ponto dashboard, then try again.")


class Ponto(WebProvider):
    """State: ``client_id``, ``client_secret``, ``expires_at``, and ``accounts``: our id → what identifies one."""

    code = "ponto"
    label = "Ponto"
    docs_url = "https://documentation.myponto.com"
    api_version = "1"
    production_url = sandbox_url = "https://api.myponto.com"
    facts = Facts(
        region=_lt("Belgium, Netherlands, France, Germany, Luxembourg"),
        countries=COUNTRIES,
        audience=("business",),
        price=_lt("Paid per bank account to Ponto, by the company that uses it"),
        needs=_lt("A Ponto account of the company with its banks linked there"),
        minutes=30,
        signup_url="https://myponto.com",
        terms=_lt("Each company signs its own contract with Ponto; its keys read the accounts of that company only."),
        terms_urls=((_lt("Ponto"), "https://myponto.com"),),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "Each company signs up at Ponto, links its banks there, and makes an integration: Integrations ‣ "
                "Custom Integration. The user who connects the bank pastes its client ID and client secret."
            ),
        ),
        connect="pasted key",
        identity="`id`, a UUID",
        sources=(
            "Fields: Ibanity's Postman collection and its library for Java. Consent: Ponto's pages. Countries: "
            "from memory."
        ),
        pending=True,
        consent_days=CONSENT_DAYS,
    )
    account_keys = Keys(alike=(("number", "currency", "name"), ("number", "currency")), certain=("number", "currency"))
    #: Keys are the user's. 403: the account is no longer part of the integration.
    status_codes = {401: "credentials_rejected", 403: "consent_revoked", 404: "unknown_account"}
    error_codes = {
        **dict.fromkeys(("authorizationExpired", "authorizationInvalid", "authorizationRequired"), "consent_expired"),
        **dict.fromkeys(("accountRevoked", "authorizationRevoked"), "consent_revoked"),
    }

    def read_error(self, body):
        path = ("errors", 0)
        found = (("code",), ("detail",), ("meta", "requestId"))
        return tuple(reading.at(body, *path, *names) for names in found)

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        """Banks are linked in the dashboard."""
        return self.one_of_each_country(country, capabilities=Capabilities(consent_days=CONSENT_DAYS))

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        return RENEW if flow.state else CONNECT

    def answer(self, flow, values):
        keys = {
            name: "".join(values.get(name, "").split()) or flow.state.get(name, "")
            for name in ("client_id", "client_secret")
        }
        page = self.start(flow.institution, flow)
        try:
            listed = self._list(self.connect_with_client(keys))
        except ConsentError as error:
            if error.code == "credentials_rejected":
                return page.with_error(REFUSED_KEYS, client_id=keys["client_id"])
            raise
        if not listed:
            return page.with_error(NO_ACCOUNTS, client_id=keys["client_id"])
        with self.reading("accounts"):
            accounts = self._identify(listed, flow.state.get("accounts", {}))
            expiry = min(filter(None, (self._expiry(account) for account in accounts.values())), default=None)
            identities = {key: self._identity(account) for key, account in accounts.items()}
            state = {**keys, "expires_at": moment_text(expiry), "accounts": identities}
            shown = tuple(self._account(key, account) for key, account in accounts.items())
            return Completed(state, shown, expiry, self._news_of(accounts.values()))

    def _list(self, http):
        """:return: all accounts of the integration, as Ponto gives them"""
        found, path = [], f"accounts?limit={PAGE_SIZE}"
        while path:
            answer = http.get(path)
            with self.reading("accounts"):
                found += answer["data"]
                path = (answer.get("links") or {}).get("next")
        return found

    def _expiry(self, account):
        return reading.moment(account["attributes"].get("authorizationExpirationExpectedAt"))

    def _identity(self, account):
        about = account["attributes"]
        return {
            "id": account["id"],
            "number": about.get("reference"),
            "currency": about["currency"],
            "name": about.get("description") or about.get("product"),
        }

    def _identify(self, listed, known):
        """An account that was linked again has another id; number and currency are the same. A card or a pot may have
        the number of its current account, so the name helps to distinguish them."""
        listed = [account for account in listed if reading.has_currency(account["attributes"]["currency"])]
        return self.by_our_id(known, map(self._identity, listed), listed)

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Ponto asks the banks on its own, at 2, 8, 14 and 20 o'clock.

        To ask at once (``/synchronizations``) wants the user's network address, which is not passed on.
        """
        self.check_end(state["expires_at"])
        ours = self._list_ours(state)
        with self.reading("accounts"):
            # One bank of several may wait for its user; the others are synchronized.
            errors = [error for error in map(self._error_of, ours.values()) if error]
            if errors and len(errors) == len(ours):
                raise errors[0]
            return Refreshed(state, self._news_of(ours.values()), accounts=self._accounts_of(ours))

    def _error_of(self, account):
        """:return: ConsentError of the last synchronization with the bank, or None"""
        last = (account.get("meta") or {}).get("latestSynchronization") or {}
        last = last.get("attributes") or last
        for error in (last.get("errors") or ()) if last.get("status") == "error" else ():
            if ours := self.error_codes.get(error.get("code")):
                return self.failure(ours, error.get("detail"), provider_code=error["code"])
        return None

    def _news_of(self, accounts):
        now = self.now()
        moments = [reading.moment((account.get("meta") or {}).get("synchronizedAt")) or now for account in accounts]
        return max(min([now, *moments]), now - MAX_LAG)

    def accounts(self, state):
        self.check_end(state["expires_at"])
        ours = self._list_ours(state)
        with self.reading("accounts"):
            return self._accounts_of(ours)

    def _list_ours(self, state):
        """:return: dict from our id to an account of the consent, as Ponto gives it"""
        listed = self._list(self.connect_with_client(state))
        with self.reading("accounts"):
            accounts = self._identify(listed, state["accounts"])
            return {key: account for key, account in accounts.items() if key in state["accounts"]}

    def _accounts_of(self, ours):
        return tuple(self._account(key, account) for key, account in ours.items())

    def _account(self, key, account):
        about = account["attributes"]
        return Account(
            id=key,
            name=about.get("description") or about.get("product") or about.get("holderName") or about["reference"],
            number=reading.text(about.get("reference")),
            number_type="iban" if reading.iban(about.get("reference")) else "other",
            currency=reading.currency(about["currency"]),
            type={"checking": "current", "savings": "savings", "card": "credit_card"}.get(
                about.get("subtype"), "other"
            ),
            **self._balance(about).to_account(),
        )

    def _balance(self, about):
        current, available = (
            None if about.get(name) is None else reading.amount(about[name])
            for name in ("currentBalance", "availableBalance")
        )
        if current is None:
            return Balance(available=available)
        return Balance(current, reading.moment(about.get("currentBalanceReferenceDate")))

    # -------------------------------------------------------------------------
    # TRANSACTIONS
    # -------------------------------------------------------------------------

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """Pages from the newest to the oldest, each of them turned round; pending ones come with the last."""
        self.check_end(state["expires_at"])
        known = self.known_account(state, account)
        place = {"since": since and since.isoformat(), "after": None, "again": False}
        if cursor:
            place = self.read_cursor(account, cursor)
        http, path = self.connect_with_client(state), f"accounts/{known['id']}/transactions"
        try:
            name = place.get("name") or "after"
            answer = http.get(path, **{LIMITS[name]: PAGE_SIZE, name: place["after"]})
        except ProviderError as error:
            if not place["after"] or place["again"] or error.status not in (400, 404):
                raise
            # The transaction at which the page begins is gone; what is read twice is recognised by its id.
            place |= {"after": None, "again": True}
            answer = http.get(path, limit=PAGE_SIZE)
        with self.reading("transactions"):
            rows, unread = self.read_rows(answer["data"], self._transaction, "booked", status="booked")
            since = reading.day(place["since"]) or date.min
            begin = since - LATE if place["since"] else since
            # If no row of a page can be read, it is unknown whether it was the last one.
            more = any(row.booking_date >= begin for row in rows) or (unread and not rows)
            name, after = self._after(answer) if more else (None, None)
            if after and after == place["after"]:
                raise ValueError(f"the page after {after} names itself as the next one")
            rows = [row for row in rows if row.booking_date >= since]
            rows.sort(key=lambda row: row.booking_date)
            if after:
                after = self.write_cursor(account, **{**place, "name": name, "after": after})
                return Page(tuple(rows), (), after, True, tuple(unread))
        pending = http.get(f"accounts/{known['id']}/pending-transactions", limit=PAGE_SIZE)
        with self.reading("pending transactions"):
            announced = self.read_rows(pending["data"], self._transaction, "pending", status="pending")
            return Page((*rows, *announced[0]), unread=(*unread, *announced[1]))

    def _after(self, answer):
        """Ponto's own pages and Ibanity's client write the parameters of a page in two ways; who is asked in another
        way than the link's may give the first page again.

        :return: (name of the parameter, id after which the next page begins), both None where there is none
        """
        link = (answer.get("links") or {}).get("next")
        if not link:
            return None, None
        if urlsplit(link).netloc and not self.is_our_host(link):
            raise ValueError("a link to another host")
        query = parse_qs(urlsplit(link).query)
        name = next((name for name in LIMITS if name in query), None)
        if not name:
            raise ValueError("a link that names no page")
        return name, query[name][0]

    def _transaction(self, row, status):
        get = row["attributes"].get
        executed, value = reading.moment(get("executionDate")), reading.moment(get("valueDate"))
        reference = get("remittanceInformation")
        is_structured = get("remittanceInformationType") == "structured"
        moment = executed or value
        structured = reading.structured_reference(reference) if is_structured else None
        return Transaction(
            # A UUID of Ponto's; `internalReference` and `digest` are the bank's and may repeat. Those of pending ones
            # are not those of the booked ones that follow.
            id=reading.identifier(row["id"]),
            status=status,
            amount=reading.amount(get("amount")),
            currency=reading.currency(get("currency")),
            # A day is given as midnight, of UTC or of the bank.
            booking_date=moment and reading.central_european_day(moment),
            value_date=value and reading.central_european_day(value),
            counterparty=Counterparty(
                reading.text(get("counterpartName")), reading.number(get("counterpartReference"))
            ),
            remittance=reading.texts(reference, get("description"), get("additionalInformation")),
            end_to_end_id=reading.end_to_end_id(get("endToEndId")),
            creditor_reference=structured or reading.creditor_reference(reference),
            mandate_id=reading.text(get("mandateId")),
            raw=row,
        )
