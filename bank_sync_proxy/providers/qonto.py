"""Qonto: a bank with its own API, and the model for similar adapters. https://docs.qonto.com/api-reference

The user pastes the login and the secret key of their organisation; the consent does not expire.
"""

from datetime import date
from decimal import Decimal

from odoo.addons.bank_sync_common.tools.recognition import Keys

from . import reading
from .auth import Headers
from .errors import ConsentError, _lt
from .facts import Facts
from .types import (
    Account,
    Challenge,
    Completed,
    Counterparty,
    Field,
    Page,
    Refreshed,
    Setting,
    Transaction,
)
from .web import WebProvider

COUNTRIES = ("AT", "BE", "DE", "ES", "FR", "IT", "NL", "PT")
PAGE_SIZE = 100
CENTS = Decimal("0.01")
STATUSES = {"completed": "booked", "pending": "pending"}
#: Where the details of the other side stand, by kind of operation.
SUBJECTS = ("transfer", "income", "direct_debit", "swift_income", "direct_debit_collection", "financing_income")

KEYS = Challenge(
    title=_lt("Connect Qonto"),
    message=_lt("In Qonto, open Settings ‣ Integrations and Partnerships ‣ API key, and paste both parts here."),
    fields=(Field("login", _lt("Login")), Field("secret_key", _lt("Secret key"), type="password")),
    submit=_lt("Connect"),
)
REFUSED_KEYS = _lt("Qonto does not accept this key. Copy the login and the secret key, and paste both again.")


class Qonto(WebProvider):
    """State: ``login``, ``secret_key``, and ``accounts``: our id → Qonto's id and the IBAN."""

    code = "qonto"
    label = "Qonto"
    docs_url = "https://docs.qonto.com/api-reference"
    api_version = "2"
    production_url = "https://thirdparty.qonto.com/v2"
    sandbox_url = "https://thirdparty-sandbox.staging.qonto.co/v2"
    facts = Facts(
        region=_lt("Accounts at Qonto: France, Germany, Italy, Spain, Belgium, Netherlands, Austria, Portugal"),
        countries=COUNTRIES,
        audience=("business",),
        price=_lt("Free for customers of Qonto"),
        needs=_lt("An account at Qonto, and an administrator of it"),
        minutes=5,
        one_bank=True,
        terms=_lt("The key belongs to your own organisation at Qonto and reads its accounts only."),
        terms_urls=(
            (_lt("API keys at Qonto"), "https://docs.qonto.com/get-started/business-api/authentication/api-key"),
        ),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "The user who connects the bank finds login and secret key in Qonto, Settings ‣ Integrations and "
                "Partnerships ‣ API key, and pastes both."
            ),
        ),
        connect="pasted key",
        identity="`id`, a UUID",
        sources="Fields and limits: Qonto's documentation. Countries: from memory.",
        pending=True,
    )
    sends_dates = True
    settings_needed = (
        Setting(
            "staging_token",
            _lt("Staging token"),
            type="secret",
            required=False,
            help=_lt("Only for the sandbox: Qonto's developer portal shows it."),
        ),
    )
    account_keys = Keys(alike=(("iban",),), certain=("iban",))
    #: The key is the user's.
    status_codes = {401: "credentials_rejected", 403: "permission_missing", 404: "account_refused"}

    def read_error(self, body):
        words = reading.at(body, "errors", 0, "detail") or body.get("message")
        return reading.at(body, "errors", 0, "code"), words, body.get("trace_id")

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        return self.one_of_each_country(country, bic="QNTOFRP1XXX")

    def _http(self, keys):
        # Neither Basic nor Bearer. https://docs.qonto.com/get-started/business-api/authentication/api-key
        headers = {"Authorization": f"{keys['login']}:{keys['secret_key']}"}
        if self.settings["staging_token"]:
            headers["X-Qonto-Staging-Token"] = self.settings["staging_token"]
        return self.connect(Headers(headers))

    def start(self, institution, flow):
        return KEYS

    def answer(self, flow, values):
        keys = {name: "".join(values.get(name, "").split()) for name in ("login", "secret_key")}
        if not all(text and text.isascii() for text in keys.values()):
            return KEYS.with_error(REFUSED_KEYS, login=keys["login"])
        try:
            listed = self._list(keys)
        except ConsentError as error:
            if error.code == "permission_missing":
                raise
            return KEYS.with_error(REFUSED_KEYS, login=keys["login"])
        with self.reading("organization"):
            accounts = self._identify(listed, flow.state.get("accounts", {}))
            identities = {key: self._identity(account) for key, account in accounts.items()}
            shown = tuple(self._account(key, account) for key, account in accounts.items())
            return Completed({**keys, "accounts": identities}, shown, refreshed_at=self.now())

    def _list(self, keys):
        with self.reading("organization"):
            return self._http(keys).get("organization")["organization"]["bank_accounts"]

    def _identify(self, listed, known):
        listed = [account for account in listed if reading.has_currency(account["currency"])]
        return self.by_our_id(known, map(self._identity, listed), listed)

    def _identity(self, account):
        # Accounts at other banks, which Qonto only shows, may have no IBAN.
        return {"id": account["id"], "iban": account["iban"]}

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """The bank itself answers, always with current data; a request for the accounts shows whether it still does."""
        return Refreshed(state, self.now(), accounts=tuple(self.accounts(state)))

    def accounts(self, state):
        listed = self._list(state)
        with self.reading("organization"):
            accounts = self._identify(listed, state["accounts"])
            return [self._account(key, account) for key, account in accounts.items() if key in state["accounts"]]

    def _account(self, key, account):
        return Account(
            id=key,
            name=account["name"],
            number=reading.text(account["iban"]),
            currency=reading.currency(account["currency"]),
            # `authorized_balance` is the one without what is pending.
            balance=reading.amount(account["balance_cents"]) * CENTS,
            balance_at=self.now(),
        )

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """Asked for by the day of the last change, because what is booked late was made long before.

        The last change first: what changes between two pages moves to the front and pushes nothing out of sight.
        """
        known = self.known_account(state, account)
        place = {"since": since and since.isoformat(), "page": 1}
        if cursor:
            place = self.read_cursor(account, cursor)
        params = {
            "bank_account_id": known["id"],
            "status[]": list(STATUSES),
            "sort_by": "updated_at:desc",
            "per_page": PAGE_SIZE,
            "page": place["page"],
        }
        if place["since"]:
            begin = reading.central_european_midnight(date.fromisoformat(place["since"]))
            params["updated_at_from"] = f"{begin:%Y-%m-%dT%H:%M:%S.000Z}"
        answer = self._http(state).ask("GET", "transactions", params=params).data
        with self.reading("transactions"):
            since = reading.day(place["since"])
            rows, unread = self.read_rows(answer["transactions"], self._transaction)
            # An old transaction that was only labelled is not new.
            rows = [row for row in rows if row.status == "pending" or not since or row.booking_date >= since]
            rows.sort(key=lambda row: (row.status == "pending", row.booking_date))
            page = answer["meta"]["next_page"]
            after = self.write_cursor(account, **{**place, "page": page}) if page else None
            return Page(tuple(rows), (), after, bool(page), tuple(unread))

    def identify_row(self, row):
        return row["id"], STATUSES.get(row["status"])

    def _transaction(self, row):
        """:return: :class:`~.types.Transaction`, or None for one that was declined or reversed"""
        get = row.get
        if row["status"] not in STATUSES:
            return None
        # Amounts have no sign, and cents are exact.
        sign = {"debit": -1, "credit": 1}[row["side"]]
        is_foreign = get("local_currency") not in (None, row["currency"])
        moment = reading.moment(get("settled_at")) or reading.moment(row["emitted_at"])
        subject = next((get(name) for name in SUBJECTS if get(name)), {})
        is_iban = subject.get("counterparty_account_number_format") in (None, "IBAN")
        number = subject.get("counterparty_account_number")
        reference = get("reference")
        return Transaction(
            # The same from pending to booked; `transaction_id` is made of names and a counter.
            id=reading.identifier(row["id"]),
            status=STATUSES[row["status"]],
            amount=sign * reading.amount(row["amount_cents"]) * CENTS,
            currency=reading.currency(row["currency"]),
            booking_date=reading.central_european_day(moment),
            foreign_amount=sign * reading.amount(row["local_amount_cents"]) * CENTS if is_foreign else None,
            foreign_currency=reading.currency(row["local_currency"]) if is_foreign else None,
            # The label is the name of the other side.
            counterparty=Counterparty(
                reading.text(get("label")),
                (reading.iban(number) if is_iban else None) or reading.number(number),
                reading.bic(subject.get("counterparty_bank_identifier")),
            ),
            remittance=reading.texts(reference, get("note")),
            creditor_reference=reading.creditor_reference(reference),
            raw=row,
        )
