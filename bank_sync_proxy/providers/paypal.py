"""PayPal: the history of an account. https://developer.paypal.com/docs/api/transaction-search/v1/

The user pastes client id and secret of their own app, which may only search transactions; there is no consent that
could expire. Each currency is an account.

Facts come from PayPal's OpenAPI document ``reporting_transactions_v1.json``, version 1.9; the parts that this adapter
depends on are in tests/published/paypal.json. What the document does not say is from memory, and marked so.
"""

import re
from datetime import datetime, time, timedelta, timezone
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.recognition import Keys

from . import reading
from .errors import ConsentError, ProtocolError, _lt
from .facts import EEA, Facts
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Fee,
    Field,
    Page,
    Payout,
    Refreshed,
    Setting,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

#: "The maximum supported range is 31 days."
WINDOW = timedelta(days=31)
#: A period with too many transactions is halved repeatedly, but not below this.
SMALLEST_WINDOW = timedelta(minutes=10)
#: "This call lists transaction for the previous three years."; a day less, because the time of day counts.
HISTORY_DAYS = 3 * 365 - 1
PAGE_SIZE = 500
#: No search returns more than this, from memory. PayPal's library @paypal/paypal-server-sdk 2.5.0 names the error.
MOST_TRANSACTIONS = 10_000
TOO_MANY = "RESULTSET_TOO_LARGE"
#: "It takes a maximum of three hours for executed transactions to appear".
DELAY = timedelta(hours=3)
SECOND = timedelta(seconds=1)

#: `transaction_status`. V was reversed: the reversal is a separate transaction.
STATUSES = {"S": "booked", "V": "booked", "P": "pending"}
DENIED = "D"

#: Groups of event codes, by their first three characters. The document names only the form of a code and refers to a
#: page. Compared with the table of another connector (docs/providers/paypal.md); only the ones that are used decide
#: anything.
PAYOUT, DEPOSIT, CONVERSION = "T04", "T03", "T02"
GROUPS = {
    "T00": "Payment",
    "T01": "Fee",
    "T02": "Currency conversion",
    "T03": "Bank deposit",
    "T04": "Bank withdrawal",
    "T05": "Debit card",
    "T06": "Credit card withdrawal",
    "T07": "Credit card deposit",
    "T08": "Bonus",
    "T09": "Incentive",
    "T10": "Bill pay",
    "T11": "Reversal",
    "T12": "Adjustment",
    "T13": "Authorization",
    "T14": "Dividend",
    "T15": "Temporary hold",
    "T16": "Buyer credit deposit",
    "T17": "Non-bank withdrawal",
    "T18": "Buyer credit withdrawal",
    "T19": "Account correction",
    "T20": "Transfer",
    "T21": "Reserve or release",
    "T22": "Transfer",
    "T23": "Tax withholding",
    "T30": "Payment",
    "T50": "Collection",
    "T97": "Other",
    "T98": "Display only",
    "T99": "Other",
}
#: Holds and releases, which leave the money in the account: whole groups, or single codes. Why not all of T21: T2109
#: and T2110 are gift certificates, and what may have moved money is never left out.
HOLDS = "T1105, T1110, T1111, T15, T2101, T2102, T2103, T2104, T2105, T2106, T2107, T2108, T2111, T2112, T2113, T2114"

#: Names of errors with the same meaning for all requests. Otherwise the status decides.
ERRORS = {
    "AUTHENTICATION_FAILURE": "credentials_rejected",
    "NOT_AUTHORIZED": "permission_missing",
    "INTERNAL_SERVER_ERROR": "provider_unavailable",
    "SERVICE_UNAVAILABLE": "provider_unavailable",
    # Of the token endpoint: RFC 6749.
    "invalid_client": "credentials_rejected",
    "unauthorized_client": "credentials_rejected",
    "invalid_scope": "permission_missing",
}
#: Where companies can open an account and receive payments; a choice, from memory. PayPal names more than 200.
COUNTRIES = (
    *EEA,
    *("AE", "AR", "AU", "BR", "CA", "CH", "CL", "CO", "GB", "HK", "ID", "IL", "IN", "JP", "KE", "KR", "MA", "MX", "MY"),
    *("NZ", "PE", "PH", "RS", "SA", "SG", "TH", "TW", "US", "UY", "VN", "ZA"),
)

KEYS = Challenge(
    title=_lt("Connect PayPal"),
    message=_lt(
        "At developer.paypal.com, sign in with your business account, choose Live, open Apps & Credentials and create "
        "an app. Switch on Transaction search, and switch off everything else. Paste its client id and secret here. "
        "It can take up to 9 hours before a new app can search."
    ),
    fields=(Field("client_id", _lt("Client ID")), Field("client_secret", _lt("Secret"), type="password")),
    submit=_lt("Connect"),
)
REFUSED_KEYS = _lt(
    "PayPal does not accept these keys. Check that they are of the app in Live mode, and that Transaction search is "
    "switched on in it; after that PayPal may need some hours. Paste both again."
)
CODE = re.compile(r"T[0-9]{4}")


class PayPal(WebProvider):
    """State: ``client_id``, ``client_secret``, and ``accounts``: our id → currency and PayPal account."""

    code = "paypal"
    label = "PayPal"
    docs_url = "https://developer.paypal.com/docs/api/transaction-search/v1/"
    api_version = "1.9"
    production_url = "https://api-m.paypal.com/v1"
    sandbox_url = "https://api-m.sandbox.paypal.com/v1"
    facts = Facts(
        region=_lt("Business accounts at PayPal: Europe, America, Asia, Africa and the Pacific"),
        countries=COUNTRIES,
        audience=("business",),
        price=_lt("Free for customers of PayPal"),
        needs=_lt("A business account at PayPal"),
        minutes=10,
        signup_url="https://www.paypal.com/business",
        one_bank=True,
        terms=_lt("The app belongs to your own PayPal account and searches its transactions only."),
        terms_urls=(
            (_lt("Apps at PayPal"), "https://developer.paypal.com/dashboard/applications/live"),
            (_lt("Terms of PayPal for developers"), "https://www.paypal.com/legalhub/xdeveloper-full"),
        ),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "The user who connects PayPal signs in at developer.paypal.com, creates an app in Live mode, and "
                "switches on Transaction search in it, and nothing else."
            ),
            _lt("Client ID and secret of the app are pasted when the bank “PayPal” is connected."),
        ),
        connect="pasted key",
        identity="`transaction_id` with `transaction_event_code`",
        sources=(
            "Fields and history: PayPal's OpenAPI document of Transaction Search 1.9. Countries and menus: from memory."
        ),
        pending=True,
        history_days=HISTORY_DAYS,
    )
    settings_needed = (
        Setting(
            "hold_codes",
            _lt("Event codes of holds"),
            required=False,
            default=HOLDS,
            pattern=r"T[0-9]{2}(?:[0-9]{2})?(?:, ?T[0-9]{2}(?:[0-9]{2})?){0,50}",
            expects=_lt("Enter event codes, or their first three characters, with commas: T1110, T15."),
            help=_lt(
                "Holds and releases only say whether money of the account can be used. They are left out, and the "
                "balance contains what is held."
            ),
        ),
    )
    account_keys = Keys(own=("id", "payer"))
    error_codes = ERRORS
    #: The keys are the user's.
    status_codes = {401: "credentials_rejected", 403: "permission_missing"}

    def read_error(self, body):
        issue = reading.at(body, "details", 0, "issue")
        code = "/".join(filter(None, (body.get("name") or body.get("error"), issue)))
        return code or None, body.get("message") or body.get("error_description"), body.get("debug_id")

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        return self.one_of_each_country(country, capabilities=Capabilities(history_days=HISTORY_DAYS))

    def start(self, institution, flow):
        return KEYS

    def answer(self, flow, values):
        keys = {name: "".join(values.get(name, "").split()) for name in ("client_id", "client_secret")}
        if not all(text and text.isascii() for text in keys.values()):
            return KEYS.with_error(REFUSED_KEYS, client_id=keys["client_id"])
        try:
            answer = self._balances(keys)
        except ConsentError:
            return KEYS.with_error(REFUSED_KEYS, client_id=keys["client_id"])
        with self.reading("balances"):
            accounts = self._identify(answer, flow.state.get("accounts", {}))
            identities = {name: identity(one, answer) for name, one in accounts.items()}
            shown = tuple(self._account(name, one, answer) for name, one in accounts.items())
            return Completed({**keys, "accounts": identities}, shown, refreshed_at=self._news_of(answer))

    def _balances(self, keys):
        """All balances as of PayPal's last update."""
        answer = self.connect_with_client(keys).get("reporting/balances")
        with self.reading("balances"):
            if not isinstance(answer["balances"], list):
                raise ValueError("no list of balances")
        return answer

    def _identify(self, answer, known):
        """:return: balances by our id"""
        listed = [one for one in answer["balances"] if reading.has_currency(one["currency"])]
        return self.by_our_id(known, [identity(one, answer) for one in listed], listed)

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def _news_of(self, answer):
        """Transactions that PayPal executed later may be missing."""
        refreshed = reading.moment(answer.get("last_refresh_time"))
        return min(refreshed or self.now() - DELAY, self.now())

    def refresh(self, state, user_present=False, flow=None):
        """PayPal updates on its own schedule; an update can't be requested."""
        answer = self._balances(state)
        with self.reading("balances"):
            return Refreshed(state, self._news_of(answer), accounts=self._accounts_of(answer, state))

    def accounts(self, state):
        answer = self._balances(state)
        with self.reading("balances"):
            return self._accounts_of(answer, state)

    def _accounts_of(self, answer, state):
        accounts = self._identify(answer, state["accounts"])
        return tuple(self._account(name, one, answer) for name, one in accounts.items() if name in state["accounts"])

    def _account(self, name, balance, answer):
        """The total includes held amounts, which belong to the company but can't be used."""
        total, currency = money(balance["total_balance"])
        return Account(
            id=name,
            name=f"PayPal {currency}",
            number=reading.text(answer.get("account_id")),
            number_type="other",
            currency=currency,
            balance=total,
            balance_at=self._news_of(answer),
            reports_fees=True,
        )

    # -------------------------------------------------------------------------
    # TRANSACTIONS
    # -------------------------------------------------------------------------

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """Windows of at most 31 days, each in pages. All bounds are in the cursor, so a page can be repeated."""
        known = self.known_account(state, account)
        if cursor:
            with self.reading("cursor"):
                place = Place.from_json(self.read_cursor(account, cursor))
        else:
            place = Place.of(since, self.now())
        answer, place = self._search(state, known["id"], place)
        with self.reading("transactions"):
            holds = tuple(code.strip() for code in self.settings["hold_codes"].split(","))
            # An empty list may be missing: by the document it has at least one item.
            listed = answer["transaction_details"] if int(answer["total_items"]) else []
            rows, unread = self.read_rows(listed, self._transaction, holds)
            rows.sort(key=lambda row: (row.status == "pending", row.booking_date))
            # Must be a number, or the list would end too early.
            place = place.after(int(answer["total_pages"]))
            after = place and self.write_cursor(account, **place.to_json())
            return Page(tuple(rows), (), after, bool(after), tuple(unread))

    def _search(self, state, currency, place):
        """:return: (answer, its place: a shorter window if there are too many transactions)"""
        http = self.connect_with_client(state)
        while True:
            try:
                answer = http.get("reporting/transactions", **place.parameters(currency))
            except ProtocolError as error:
                if TOO_MANY not in (error.provider_code or "") or not place.can_be_shorter:
                    raise
            else:
                with self.reading("transactions"):
                    if place.page > 1 or int(answer["total_items"]) <= MOST_TRANSACTIONS or not place.can_be_shorter:
                        return answer, place
            place = place.shorter()

    def identify_row(self, row):
        about = row["transaction_info"]
        return row_id(about), STATUSES.get(about.get("transaction_status"))

    def _transaction(self, row, holds):
        """:return: :class:`~.types.Transaction`, or None for denied ones and holds"""
        about = row["transaction_info"]
        get = about.get
        code = about["transaction_event_code"]
        if about["transaction_status"] == DENIED or code.startswith(holds):
            return None
        gross, currency = money(about["transaction_amount"])
        fee, fee_currency = money(get("fee_amount") or {"value": "0", "currency_code": currency})
        if fee and fee_currency != currency:
            raise ValueError(f"the fee is in {fee_currency}, the transaction in {currency}")
        number = reference(about)
        group = code[:3]
        texts = (get("transaction_subject"), get("transaction_note"), number, get("custom_field"))
        pair = get("paypal_reference_id") if group == CONVERSION else None
        return Transaction(
            # "A transaction ID is not unique in the reporting system": a payment and its hold may share it, so the
            # event code is part of the id.
            id=row_id(about),
            status=STATUSES[about["transaction_status"]],
            amount=gross + fee,
            currency=currency,
            # "in the time zone of the account on this side of the payment"
            booking_date=reading.day(about["transaction_initiation_date"]),
            counterparty=Counterparty(name_of(row.get("payer_info") or {})),
            remittance=reading.texts(*texts, pair, words(code)),
            creditor_reference=number,
            fee=Fee(fee, "PayPal fee") if fee else None,
            payout=payout_of(about, gross, currency) if group in (PAYOUT, DEPOSIT) else None,
            raw=row,
        )


class Place:
    """A position in the list: a window of time, and a page in it.

    :param datetime start: of the window
    :param datetime end: of the window, inclusive
    :param datetime until: end of the whole period
    :param timedelta step: length of a window
    """

    def __init__(self, start, end, until, step, page=1):
        self.start, self.end, self.until, self.step, self.page = start, end, until, step, page

    @classmethod
    def of(cls, since, now):
        """Windows of equal length: a last one that begins an hour ago would be refused, because its start is later than
        PayPal's last update."""
        until = now.replace(microsecond=0)
        first = until - timedelta(days=HISTORY_DAYS)
        # Why a day earlier: days are in the time zone of the PayPal account.
        start = datetime.combine(since, time(), timezone.utc) - timedelta(days=1) if since else first
        start = min(max(start, first), until - timedelta(days=1))
        seconds = int((until - start).total_seconds())
        windows = -(-seconds // int(WINDOW.total_seconds()))
        # One second more than the distance to the end: the end is inclusive, and the next window begins after it.
        step = timedelta(seconds=seconds // windows + 1)
        return cls(start, min(start + step - SECOND, until), until, step)

    @classmethod
    def from_json(cls, said):
        start, end, until = (moment_from_text(said[name]) for name in ("start", "end", "until"))
        return cls(start, end, until, timedelta(seconds=int(said["step"])), int(said["page"]))

    def to_json(self):
        moments = {name: moment_text(getattr(self, name)) for name in ("start", "end", "until")}
        return {**moments, "step": int(self.step.total_seconds()), "page": self.page}

    def parameters(self, currency):
        return {
            "transaction_currency": currency,
            "start_date": moment_text(self.start),
            "end_date": moment_text(self.end),
            "fields": "transaction_info,payer_info",
            "balance_affecting_records_only": "Y",
            "page_size": PAGE_SIZE,
            "page": self.page,
        }

    @property
    def can_be_shorter(self):
        return self.step > SMALLEST_WINDOW and self.page == 1

    def shorter(self):
        step = timedelta(seconds=(self.end - self.start).total_seconds() // 2 + 1)
        return Place(self.start, min(self.start + step - SECOND, self.end), self.until, step)

    def after(self, pages):
        """:return: the next place, or None at the end"""
        if self.page < pages:
            return Place(self.start, self.end, self.until, self.step, self.page + 1)
        if self.end >= self.until:
            return None
        start = self.end + SECOND
        return Place(start, min(start + self.step - SECOND, self.until), self.until, self.step)


def identity(balance, answer):
    return {"id": balance["currency"], "payer": answer.get("account_id")}


def row_id(about):
    name = reading.identifier(about["transaction_id"])
    return name and f"{name}-{code_of(about['transaction_event_code'])}"


@lru_cache(maxsize=512)
def code_of(code):
    if not CODE.fullmatch(code):
        raise ValueError(f"no event code: {code!r}"[:100])
    return code


def money(value):
    """:return: (amount, currency)"""
    text = value["value"]
    # ".50" and "-.50" are amounts by the document, too.
    text = re.sub(r"^(-?)\.", r"\g<1>0.", text) if "." in text[:2] else text
    return reading.amount(text), reading.currency(value["currency_code"])


def payout_of(about, gross, currency):
    """:return: the amount that reaches the bank, or comes from it; None without a name by which to find it there"""
    name = reading.identifier(about.get("bank_reference_id")) or reading.identifier(about.get("transaction_id"))
    return Payout(name, -gross, currency) if name else None


def reference(about):
    """The shop's number of the invoice, or its custom field if that is a reference and not free text."""
    return reading.text(about.get("invoice_id")) or reading.structured_reference(about.get("custom_field"))


def name_of(payer):
    name = payer.get("payer_name") or {}
    whole = reading.text(name.get("alternate_full_name")) or reading.text(name.get("full_name"))
    if whole:
        return whole
    parts = " ".join(filter(None, (reading.text(name.get(part)) for part in ("given_name", "surname"))))
    return reading.text(parts) or reading.text(payer.get("email_address"))


@lru_cache(maxsize=512)
def words(code):
    """A description: the group of an event code in words, and the code."""
    return f"{GROUPS.get(code[:3], 'Transaction')} {code}"
