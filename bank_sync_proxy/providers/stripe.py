"""Stripe: the balance of a payment service. https://docs.stripe.com/api/balance_transactions

The user pastes a restricted key of their Stripe account, which can only read; there is no consent that could expire.
Each currency of the balance is an account.

Facts come from Stripe's own library ``stripe`` 16.1.0, which is generated from its OpenAPI document; the parts
that this adapter depends on are in tests/published/stripe.json. Decimals come from https://docs.stripe.com/currencies,
as Odoo's addon ``payment_stripe`` has them, too.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.recognition import Keys

from . import reading
from .auth import Headers
from .errors import ConsentError, ProtocolError, _lt
from .facts import Facts
from .types import (
    Account,
    Challenge,
    Completed,
    Counterparty,
    Fee,
    Field,
    Page,
    Payout,
    Refreshed,
    Transaction,
)
from .web import WebProvider

#: Pinned, so that an answer never changes its shape: ``stripe._api_version`` of the library named above.
API_VERSION = "2026-10-28.endive"
PAGE_SIZE = 100
#: Where companies can open an account, as https://stripe.com/global lists them; from memory.
COUNTRIES = (
    *("AE", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR"),
    *("HK", "HR", "HU", "IE", "IT", "JP", "LI", "LT", "LU", "LV", "MT", "MX", "MY", "NL", "NO", "NZ", "PL", "PT", "RO"),
    *("SE", "SG", "SI", "SK", "TH", "US"),
)

#: Currencies whose smallest unit is not a hundredth. Not ISK and UGX: they have no cents, but Stripe uses hundredths.
ZERO_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))

#: Kinds of ``type`` of a balance transaction. Only ids of payouts are searched for at the bank; only sales and refunds
#: have an amount in the customer's currency.
SALE, BACK, PAYOUT, OTHER = "sale", "back", "payout", "other"
TYPES = {
    "charge": SALE,
    "payment": SALE,
    "refund": BACK,
    "payment_refund": BACK,
    "payment_failure_refund": BACK,
    "payment_reversal": BACK,
    "payout": PAYOUT,
    **dict.fromkeys(
        (
            *("adjustment", "advance", "advance_funding", "anticipation_repayment", "application_fee"),
            *("application_fee_refund", "climate_order_purchase", "climate_order_refund"),
            *("connect_collection_transfer", "contribution", "fee_credit_funding", "inbound_transfer"),
            *("inbound_transfer_reversal", "issuing_authorization_hold", "issuing_authorization_release"),
            *("issuing_dispute", "issuing_dispute_provisional_credit", "issuing_dispute_provisional_credit_reversal"),
            *("issuing_transaction", "obligation_outbound", "obligation_reversal_inbound"),
            *("payment_network_reserve_hold", "payment_network_reserve_release", "payment_unreconciled"),
            *("payout_cancel", "payout_failure", "payout_minimum_balance_hold", "payout_minimum_balance_release"),
            *("refund_failure", "reserve_hold", "reserve_release", "reserve_transaction", "reserved_funds"),
            *("stripe_balance_payment_debit", "stripe_balance_payment_debit_reversal", "stripe_fee", "stripe_fx_fee"),
            *("tax_fee", "tax_fund", "topup", "topup_reversal", "transfer", "transfer_cancel", "transfer_failure"),
            "transfer_refund",
        ),
        OTHER,
    ),
}
#: Of the balances that a transaction may be part of, the one whose amounts ``GET /v1/balance`` has as ``available`` and
#: ``pending``. The others (cards that the company issues, prefunding, reserves) are no part of it and left out.
BALANCE = "payments"
#: Metadata keys for the number of an order or an invoice, most reliable first. Odoo's own payments use ``reference``.
REFERENCES = ("reference", "invoice_number", "invoice_id", "invoice", "order_number", "order_id", "order")
#: https://docs.stripe.com/api/errors: codes with the same meaning for all requests. Otherwise the status decides.
ERRORS = {
    "api_key_expired": "credentials_rejected",
    "platform_api_key_expired": "credentials_rejected",
    "secret_key_required": "credentials_rejected",
    "livemode_mismatch": "credentials_rejected",
    "testmode_charges_only": "credentials_rejected",
    "account_invalid": "credentials_rejected",
    "lock_timeout": "provider_unavailable",
    "rate_limit": "rate_limited",
}

KEY = re.compile(r"rk_(live|test)_[A-Za-z0-9_]{8,250}")
KEYS = Challenge(
    title=_lt("Connect Stripe"),
    message=_lt(
        "In Stripe, open Developers ‣ API keys and create a restricted key with the permission Read for Balance, "
        "Charges and Refunds, Payouts, and Disputes, and None for everything else. Paste it here. It starts with rk_."
    ),
    fields=(Field("secret_key", _lt("Restricted key"), type="password"),),
    submit=_lt("Connect"),
)
NO_KEY = _lt("This is not a restricted key of Stripe. Copy the whole key, which starts with rk_, and paste it again.")
TOO_MIGHTY = _lt(
    "This is a secret key, which can do everything in your Stripe account. Create a restricted key that can only read, "
    "and paste that one."
)
OTHER_MODE = _lt(
    "This key is for the other mode of Stripe. Create the key in the mode that is used here: live or test."
)
REFUSED_KEY = _lt(
    "Stripe does not accept this key. Check that it exists and can read Balance, Charges and Refunds, Payouts, and "
    "Disputes, and paste it again."
)
OTHER_ACCOUNT = _lt(
    "This key belongs to another Stripe account than the connection. Paste a key of the same account, or connect the "
    "other account as a new connection."
)


@lru_cache(maxsize=256)
def decimals(currency):
    """:return: (ISO code, number of decimals of Stripe's amounts in this currency)"""
    code = reading.currency(currency.upper())
    return code, 0 if code in ZERO_DECIMALS else 3 if code in THREE_DECIMALS else 2


def money(amount, currency):
    """:return: (amount, ISO code)"""
    code, places = decimals(currency)
    return whole(amount, places), code


def whole(amount, places):
    """Amounts are integers in the smallest unit."""
    if type(amount) is not int or abs(amount) >= reading.MAX_AMOUNT:
        raise ValueError(f"no amount: {amount!r}"[:100])
    return Decimal(amount).scaleb(-places)


class Stripe(WebProvider):
    """State: ``secret_key``, ``anchor`` (id of a transaction, by which the Stripe account is recognised), and
    ``accounts``: our id → currency."""

    code = "stripe"
    label = "Stripe"
    docs_url = "https://docs.stripe.com/api/balance_transactions"
    api_version = API_VERSION
    production_url = "https://api.stripe.com/v1"
    sandbox_url = "https://api.stripe.com/v1"
    facts = Facts(
        region=_lt("Balances at Stripe: Europe, America, Asia and the Pacific"),
        countries=COUNTRIES,
        audience=("business",),
        price=_lt("Free for customers of Stripe"),
        needs=_lt("A Stripe account, and an administrator of it"),
        minutes=5,
        signup_url="https://dashboard.stripe.com/register",
        one_bank=True,
        terms=_lt("The key belongs to your own Stripe account and reads it only."),
        terms_urls=(
            (_lt("Restricted keys at Stripe"), "https://docs.stripe.com/keys/restricted-api-keys"),
            (_lt("Terms of Stripe"), "https://stripe.com/legal/ssa"),
        ),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "The user who connects Stripe opens Developers ‣ API keys there, and creates a restricted key with the "
                "permission Read for Balance, Charges and Refunds, Payouts, and Disputes."
            ),
            _lt("That key is pasted when the bank “Stripe” is connected."),
        ),
        connect="pasted key",
        identity="`id` of the balance transaction",
        sources="Fields and pages: Stripe's library stripe 16.1.0. Countries and menus: from memory.",
    )
    #: A currency exists once in a Stripe account.
    account_keys = Keys(own=("id",))
    error_codes = ERRORS
    #: The key is the user's. 402 is for payments, which are never requested.
    status_codes = {401: "credentials_rejected", 403: "permission_missing"}

    def read_error(self, body):
        error = body.get("error") or {}
        code = "/".join(filter(None, (error.get("type"), error.get("code"))))
        return code or None, error.get("message"), reading.at(error, "request_log_url")

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        return self.one_of_each_country(country)

    def _http(self, key):
        return self.connect(Headers({"Authorization": f"Bearer {key}"}), headers={"Stripe-Version": API_VERSION})

    def start(self, institution, flow):
        return KEYS

    def answer(self, flow, values):
        key = "".join(values.get("secret_key", "").split())
        if fault := self._fault_of(key):
            return KEYS.with_error(fault)
        state, http = flow.state, self._http(key)
        try:
            balance = http.get("balance")
            # The same requests as in a synchronization, so that a missing permission is noticed now.
            newest = http.get("balance_transactions", **{"limit": 1, "expand[]": "data.source"})
            if state.get("anchor"):
                http.get(f"balance_transactions/{state['anchor']}")
        except ConsentError:
            return KEYS.with_error(REFUSED_KEY)
        except ProtocolError as error:
            if error.status == 404 and state.get("anchor"):
                return KEYS.with_error(OTHER_ACCOUNT)
            raise
        with self.reading("balance"):
            anchor = state.get("anchor") or reading.at(newest["data"], 0, "id")
            accounts = self._identify(balance, state.get("accounts", {}))
            shown = tuple(self._account(name, entry, balance) for name, entry in accounts.items())
            state = {"secret_key": key, "anchor": anchor, "accounts": accounts}
            return Completed(state, shown, refreshed_at=self.now())

    def _fault_of(self, key):
        """:return: what is wrong with the pasted key, or None"""
        if key.startswith("sk_"):
            return TOO_MIGHTY
        found = KEY.fullmatch(key)
        if not found:
            return NO_KEY
        return None if found[1] == ("live" if self.production else "test") else OTHER_MODE

    def _identify(self, balance, known):
        """:return: currency by our id, in the order of the answer"""
        names = [item["currency"] for item in (*balance["available"], *balance["pending"])]
        listed = [{"id": name} for name in dict.fromkeys(names)]
        return self.by_our_id(known, listed, listed)

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Stripe's data is always current; the request for the balance checks that the key still works."""
        return Refreshed(state, self.now(), accounts=tuple(self.accounts(state)))

    def accounts(self, state):
        balance = self._http(state["secret_key"]).get("balance")
        with self.reading("balance"):
            accounts = self._identify(balance, state["accounts"])
            return [
                self._account(name, entry, balance) for name, entry in accounts.items() if name in state["accounts"]
            ]

    def _account(self, name, entry, balance):
        """Pending amounts are booked and only not paid out yet, so both together are the booked balance."""
        amounts = [
            money(item["amount"], item["currency"])[0]
            for item in (*balance["available"], *balance["pending"])
            if item["currency"] == entry["id"]
        ]
        code, places = decimals(entry["id"])
        now = self.now()
        return Account(
            id=name,
            name=f"Stripe {code}" if balance["livemode"] is True else f"Stripe {code} (test mode)",
            number_type="other",
            currency=code,
            balance=sum(amounts, Decimal(0).scaleb(-places)),
            balance_at=now,
            balance_date=now.date(),
            reports_fees=True,
        )

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """The newest first: a row that is added between two pages shifts nothing, because a page begins after an id."""
        known = self.known_account(state, account)
        place = {"since": since and since.isoformat(), "after": None}
        if cursor:
            place = self.read_cursor(account, cursor)
        first = reading.day(place["since"])
        params = {
            "currency": known["id"],
            "limit": PAGE_SIZE,
            "created[gte]": first and (first.toordinal() - EPOCH) * 86400,
            "starting_after": place["after"],
            "expand[]": "data.source",
        }
        answer = self._http(state["secret_key"]).ask("GET", "balance_transactions", params=params).data
        with self.reading("balance transactions"):
            listed = answer["data"]
            rows, unread = self.read_rows(listed, self._transaction)
            rows.reverse()
            rows.sort(key=booking_date)
            after = None
            if answer["has_more"]:
                # Why an error without an id: the list would end too early.
                after = self.write_cursor(account, **{**place, "after": self._id_of(listed[-1])})
            return Page(tuple(rows), (), after, bool(after), tuple(unread))

    @staticmethod
    def _id_of(row):
        """:raise ValueError: without an id after which the next page could begin"""
        if not isinstance(row["id"], str) or not row["id"]:
            raise ValueError("no id to go on after")
        return row["id"]

    def identify_row(self, row):
        return row["id"], "booked"

    def _transaction(self, row):
        """:return: :class:`~.types.Transaction`, or None for one of another balance than that of payments"""
        get = row.get
        if get("balance_type") not in (None, BALANCE):
            return None
        kind = TYPES.get(row["type"], OTHER)
        currency, places = decimals(row["currency"])
        gross, fee, net = whole(row["amount"], places), whole(row["fee"], places), whole(row["net"], places)
        if gross - fee != net:
            raise ValueError(f"{gross} less a fee of {fee} is not {net}")
        source = get("source")
        # Only an id if Stripe has no details.
        source = source if type(source) is dict else {"id": source} if source else {}
        foreign_amount, foreign_currency = foreign(kind, source, gross, currency)
        number = reference(source)
        return Transaction(
            # https://docs.stripe.com/api/balance_transactions/object: "Unique identifier for the object." It stays when
            # `status` goes from pending to available, which only says that the money can be paid out.
            id=reading.identifier(row["id"]),
            status="booked",
            amount=net,
            currency=currency,
            # In UTC, independent of the shop's time zone.
            booking_date=day(row["created"]),
            value_date=day(get("available_on")),
            foreign_amount=foreign_amount,
            foreign_currency=foreign_currency,
            counterparty=Counterparty(payer(source)) if kind is SALE else NOBODY,
            remittance=reading.texts(get("description"), number, label(row), *said_by(source)),
            creditor_reference=number,
            fee=Fee(-fee, described(get("fee_details"))) if fee else None,
            payout=Payout(self._id_of(source), -gross, currency) if kind is PAYOUT and source else None,
            raw=row,
        )


NOBODY = Counterparty()
#: Day 0 of Unix time.
EPOCH = 719163


def booking_date(transaction):
    return transaction.booking_date


def day(seconds):
    """:return: the day of a moment in UTC"""
    seconds = int(seconds or 0)
    return date.fromordinal(EPOCH + seconds // 86400) if seconds > 0 else None


def label(row):
    """What it is, in words: Stripe's category for accounting, which distinguishes disputes from other adjustments."""
    return words(row.get("reporting_category") or row["type"])


@lru_cache(maxsize=256)
def words(name):
    return str(name).replace("_", " ").capitalize()


def payer(source):
    """Who paid: by name, else by e-mail address."""
    billing = source.get("billing_details") or {}
    shipping = source.get("shipping") or {}
    names = (billing.get("name"), shipping.get("name"), billing.get("email"), source.get("receipt_email"))
    return next(filter(None, map(reading.text, names)), None)


def reference(source):
    """The number of the order or the invoice, as the shop stored it in the payment."""
    metadata = source.get("metadata") or {}
    for name in REFERENCES:
        if name in metadata and (found := reading.text(metadata[name])):
            return found
    return None


def said_by(source):
    """The statement text of a payout, and the reasons for refunds and disputes."""
    reason = source.get("reason")
    return source.get("statement_descriptor"), words(str(reason)) if reason else None


def foreign(kind, source, gross, currency):
    """The amount that the customer paid or got back, if in another currency than that of the balance.

    :return: (amount, currency), None and None where there is none
    """
    other = source.get("currency")
    if kind not in (SALE, BACK) or not other or other.upper() == currency:
        return None, None
    amount, code = money(source["amount"], other)
    return (abs(amount) if gross > 0 else -abs(amount)), code


def described(details):
    """:return: Stripe's descriptions of the parts of a fee, without duplicates"""
    parts = [part.get("description") or part.get("type") for part in details or ()]
    if len(parts) == 1:
        return reading.text(parts[0])
    return ", ".join(reading.texts(parts)) or None
