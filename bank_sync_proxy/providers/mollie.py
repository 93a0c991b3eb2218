"""Mollie: balances of a payment service. https://docs.mollie.com/reference/balances-api

The user pastes an access token of their organisation; the consent does not expire. Each balance is an account.

Facts come from Mollie's own library ``mollie-api-py`` 1.10.20, which is generated from its OpenAPI document;
the parts that this adapter depends on are in tests/published/mollie.json.
"""

import re
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import reading
from .auth import Headers
from .errors import ConsentError, ProviderError, _lt
from .facts import EEA, Facts
from .types import (
    Account,
    Challenge,
    Completed,
    Fee,
    Field,
    Institution,
    Page,
    Payout,
    Refreshed,
    Setting,
    Transaction,
)
from .web import WebProvider

#: "Defaults to 50. Maximum 250.": Mollie's own library for Node, @mollie/api-client 4.6.0.
PAGE_SIZE = 250
#: Where companies can open an account, according to Mollie's help pages; from memory.
COUNTRIES = (*EEA, "CH", "GB")

#: What a transaction is: ``type``. Only ids of payouts are looked for at the bank.
PAYOUT, OTHER = "payout", "other"
TYPES = {
    "outgoing-transfer": PAYOUT,
    "outgoing-custom-amount-transfer": PAYOUT,
    **dict.fromkeys(
        (
            *("api-payment-rolling-reserve-release", "application-fee", "balance-charge-fee", "balance-correction"),
            *("balance-reserve", "balance-reserve-return", "balance-topup", "bank-charged-failure-fee"),
            *("canceled-transfer", "capture", "cash-collateral-issuance", "cash-collateral-release", "chargeback"),
            *("chargeback-compensation", "chargeback-reversal", "failed-payment", "failed-payment-fee"),
            *("failed-platform-split-payment", "failed-split-payment-compensation", "fee-prepayment"),
            *("held-rolling-reserve", "incoming-transfer", "invoice-compensation", "invoice-rounding-compensation"),
            *("loan", "movement", "payment", "payment-fee", "pending-rolling-reserve", "platform-payment-chargeback"),
            *("platform-payment-refund", "post-payment-split-payment", "refund", "refund-compensation"),
            *("released-rolling-reserve", "repayment", "returned-platform-payment-refund", "returned-refund"),
            *("returned-refund-compensation", "returned-transfer", "reversed-chargeback-compensation"),
            *("reversed-platform-payment-chargeback", "rolling-reserve-hold", "rolling-reserve-release"),
            *("split-payment", "split-transaction", "to-be-released-rolling-reserve", "topup"),
        ),
        OTHER,
    ),
}
#: Texts of a transaction's context, the most specific first.
TEXTS = ("refundDescription", "chargebackDescription", "captureDescription", "paymentDescription")

TOKEN = re.compile(r"access_[A-Za-z0-9]{8,250}")
KEYS = Challenge(
    title=_lt("Connect Mollie"),
    message=_lt(
        "In Mollie, open Developers ‣ API keys ‣ Organization access tokens and create a token with the permissions "
        "balances.read and settlements.read. Paste it here. It starts with access_."
    ),
    fields=(Field("access_token", _lt("Organisation access token"), type="password"),),
    submit=_lt("Connect"),
)
NO_TOKEN = _lt(
    "This is not an organisation access token of Mollie. Copy the whole token, which starts with access_, and paste it "
    "again. API keys, which start with live_ or test_, can't read balances."
)
REFUSED_TOKEN = _lt(
    "Mollie does not accept this token. Check that it exists and has the permissions balances.read and "
    "settlements.read, and paste it again."
)


class Mollie(WebProvider):
    """State: ``access_token``, and ``accounts``: our id → the balance's id."""

    code = "mollie"
    label = "Mollie"
    docs_url = "https://docs.mollie.com/reference/balances-api"
    api_version = "2"
    production_url = "https://api.mollie.com/v2"
    sandbox_url = "https://api.mollie.com/v2"
    facts = Facts(
        region=_lt("Balances at Mollie: European Economic Area, Switzerland, United Kingdom"),
        countries=COUNTRIES,
        audience=("business",),
        price=_lt("Free for customers of Mollie"),
        needs=_lt("An organisation at Mollie, and an owner of it"),
        minutes=5,
        signup_url="https://my.mollie.com/dashboard/signup",
        one_bank=True,
        terms=_lt("The token belongs to your own organisation at Mollie and reads what its permissions name."),
        terms_urls=(
            (_lt("Organisation access tokens at Mollie"), "https://docs.mollie.com/reference/authentication"),
            (_lt("Terms of Mollie"), "https://www.mollie.com/user-agreement"),
        ),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "The user who connects Mollie opens Developers ‣ API keys ‣ Organization access tokens there, and "
                "creates a token with the permissions balances.read and settlements.read."
            ),
            _lt("That token is pasted when the bank “Mollie” is connected."),
        ),
        connect="pasted key",
        identity="`id` of the balance transaction",
        sources=(
            "Fields and pages: Mollie's libraries mollie-api-py 1.10.20 and @mollie/api-client 4.6.0. Countries, "
            "price and menus: from memory."
        ),
    )
    settings_needed = (
        Setting(
            "booked_balance",
            _lt("Booked balance"),
            required=False,
            default="available",
            pattern="available|available and pending",
            expects=_lt("Enter “available” or “available and pending”."),
            help=_lt(
                "What the transactions of a balance add up to. Change it only if balances differ by what is pending at "
                "Mollie; the documentation does not say it in so many words."
            ),
        ),
    )
    account_keys = Keys(own=("id",))
    #: Errors have no codes, only the status. The token belongs to the user.
    status_codes = {401: "credentials_rejected", 403: "permission_missing", 404: "account_refused"}

    def read_error(self, body):
        return None, body.get("detail") or body.get("title"), None

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        return [
            Institution(id=f"mollie.{code}", name="Mollie", country=code)
            for code in COUNTRIES
            if country in (None, code)
        ]

    def _http(self, token):
        return self.connect(Headers({"Authorization": f"Bearer {token}"}))

    def _request(self, token, path, **params):
        """An organisation's token works in both modes; requests for balances name the mode, others can't."""
        is_test = not self.production and path.startswith("balances")
        return self._http(token).get(path, **params, testmode="true" if is_test else None)

    def start(self, institution, flow):
        return KEYS

    def answer(self, flow, values):
        token = "".join(values.get("access_token", "").split())
        if not TOKEN.fullmatch(token):
            return KEYS.with_error(NO_TOKEN)
        try:
            listed = self._list(token)
            # Requested once, so that a missing permission is found now.
            self._request(token, "settlements", limit=1)
        except ConsentError:
            return KEYS.with_error(REFUSED_TOKEN)
        with self.reading("balances"):
            accounts = self._identify(listed, flow.state.get("accounts", {}))
            state = {"access_token": token, "accounts": {name: {"id": one["id"]} for name, one in accounts.items()}}
            shown = tuple(self._account(name, one) for name, one in accounts.items())
            return Completed(state, shown, refreshed_at=self.now())

    def _list(self, token):
        """:return: all balances of the organisation"""
        found, after = [], None
        while True:
            answer = self._request(token, "balances", limit=PAGE_SIZE, **{"from": after})
            with self.reading("balances"):
                found += answer["_embedded"]["balances"]
                after = next_id(answer)
            if not after:
                return found

    def _identify(self, listed, known):
        """:return: balances by our id"""
        listed = [balance for balance in listed if reading.has_currency(balance["currency"])]
        facts = [{"id": balance["id"]} for balance in listed]
        ids = identify(known, facts, self.account_keys, [balance["id"] for balance in listed])
        return dict(zip(ids, listed, strict=True))

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Mollie itself answers, always with current data; a request for the balances shows whether it still does."""
        return Refreshed(state, self.now(), accounts=tuple(self.accounts(state)))

    def accounts(self, state):
        listed = self._list(state["access_token"])
        with self.reading("balances"):
            accounts = self._identify(listed, state["accounts"])
            return [self._account(name, one) for name, one in accounts.items() if name in state["accounts"]]

    def _account(self, name, balance):
        """What is pending is "not yet available on your balance", so it is not part of the booked balance."""
        booked, currency = money(balance["availableAmount"])
        if self.settings["booked_balance"] == "available and pending":
            booked += money(balance["pendingAmount"])[0]
        label = reading.words(balance["description"]) or currency
        mode = "" if balance["mode"] == "live" else " (test mode)"
        return Account(
            id=name,
            name=f"Mollie {label}{mode}",
            number_type="other",
            currency=currency,
            balance=booked,
            balance_at=self.now(),
            reports_fees=True,
        )

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """Mollie accepts no first day: pages are read from the newest on, until one ends before that day.

        New transactions between two pages hide nothing, because a page begins at an id.
        """
        known = state["accounts"].get(account)
        if not known:
            raise self.failure("unknown_account", "not part of the organisation")
        place = {"since": since and since.isoformat(), "from": None}
        if cursor:
            place = self.read_cursor(account, cursor)
        path = f"balances/{known['id']}/transactions"
        answer = self._request(state["access_token"], path, limit=PAGE_SIZE, **{"from": place["from"]})
        with self.reading("balance transactions"):
            listed = answer["_embedded"]["balance_transactions"]
            names = self._names_of_payouts(state, listed)
            found, unread = self.read_rows(listed, self._transaction, names)
            first = reading.day(place["since"])
            rows = [row for row in found if not first or row.booking_date >= first]
            after = next_id(answer)
            if after and is_before(found, first):
                after = None
            rows.reverse()
            rows.sort(key=booking_date)
            after = after and self.write_cursor(account, **{**place, "from": after})
            return Page(tuple(rows), (), after, bool(after), tuple(unread))

    def _names_of_payouts(self, state, listed):
        """:return: dict from a settlement's id to its reference, "as found on your bank statement" """
        ids = [context(row).get("settlementId") for row in listed if is_payout(row)]
        ids = [name for name in ids if isinstance(name, str) and name]
        if not ids:
            return {}
        try:
            answer = self._request(state["access_token"], "settlements", limit=PAGE_SIZE, **{"from": ids[0]})
        except ProviderError as error:
            # 400: the list refuses to begin at an id that it does not know.
            if error.status not in (400, 403, 404, 422):
                raise
            # Why no failure: only the payout's name is missing; its amount and day are known.
            return {}
        found = answer["_embedded"]["settlements"]
        return {one["id"]: reading.text(one.get("reference")) for one in found}

    def identify_row(self, row):
        return row["id"], "booked"

    def _transaction(self, row, names):
        """:return: :class:`~.types.Transaction`"""
        net, currency = money(row["resultAmount"])
        gross, gross_currency = money(row["initialAmount"])
        if gross_currency != currency:
            raise ValueError(f"the gross amount is in {gross_currency}, the net amount in {currency}")
        said = context(row)
        moment = reading.moment(row["createdAt"])
        texts = [said[name] for name in TEXTS if name in said]
        fee = net - gross
        payout = None
        if is_payout(row):
            name = said.get("settlementId") or said.get("transferId")
            name = reading.identifier(names.get(name) or name)
            payout = name and Payout(name, -gross, currency)
        return Transaction(
            # "The identifier uniquely referring to this balance transaction."
            id=reading.identifier(row["id"]),
            status="booked",
            amount=net,
            currency=currency,
            booking_date=moment and reading.central_european_day(moment),
            remittance=reading.texts(*texts, payout and payout.id, words(row["type"])),
            creditor_reference=reference(texts),
            fee=Fee(fee, described(row.get("deductionDetails"))) if fee else None,
            payout=payout,
            raw=row,
        )


def next_id(answer):
    """:return: the id with which the next page begins, None on the last one"""
    link = answer["_links"].get("next")
    if not link:
        return None
    return re.search(r"[?&]from=([A-Za-z0-9_]{1,100})(?:&|$)", link["href"])[1]


def is_before(rows, first):
    """Whether nothing from this day on can follow. Why checked: the order, newest first, is not documented."""
    days = [row.booking_date for row in rows]
    return bool(first and days and days[-1] < first and days == sorted(days, reverse=True))


def booking_date(transaction):
    return transaction.booking_date


def money(value):
    """:return: (amount, currency)"""
    return reading.amount(value["value"]), reading.currency(value["currency"])


def is_payout(row):
    return isinstance(row, dict) and TYPES.get(row.get("type")) is PAYOUT


def context(row):
    """What the transaction is about. The documentation shows the values both directly and below the type's name."""
    value = row.get("context") or {}
    inner = [one for one in value.values() if type(one) is dict]
    return {**value, **inner[0]} if inner else value


def reference(texts):
    """Mollie has no field for an order's number, so shops use the description: it is a reference if it contains nothing
    else."""
    return next(filter(None, map(reading.structured_reference, texts)), None)


@lru_cache(maxsize=256)
def words(name):
    return str(name).replace("-", " ").capitalize()


def described(details):
    """:return: what Mollie deducted, by its own names: fees, commissions, loan repayments, reservations"""
    parts = [words(name) for name, value in (details or {}).items() if value]
    return ", ".join(parts) or "Deductions"
