"""An opening balance is computed from what is decided here."""

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest

from bank_sync_proxy.providers import provider_class
from bank_sync_proxy.providers.balances import CLOSING, OPENING, PREVIOUS, Balance, of_list

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
TODAY = date(2026, 11, 20)
KINDS = {"closed": CLOSING, "interim": CLOSING, "previous": PREVIOUS, "opening": OPENING}


def end_of(day):
    return datetime(2026, 11, day, 23, 59, 59, tzinfo=timezone.utc)


def choose(*listed, limit=None, now=NOON):
    said = [(kind, {"amount": amount, "currency": "EUR"}, day) for kind, amount, day in listed]
    said.append(("closed", {"amount": "99", "currency": "USD"}, None))
    return of_list(said, "EUR", KINDS, ("available", "forward"), now, limit)


@pytest.mark.parametrize(
    "listed, balance",
    [
        ([("interim", "1", None), ("closed", "2.50", None)], Balance(Decimal("2.50"), NOON, TODAY)),
        ([("closed", "1", "2026-11-19")], Balance(Decimal(1), end_of(19), date(2026, 11, 19))),
        ([("closed", "1", "2026-11-20")], Balance(Decimal(1), NOON, TODAY)),
        ([("closed", "1", "2026-12-24")], Balance(Decimal(1), NOON, TODAY)),
        (
            [("closed", "1", "2026-11-18"), ("closed", "2", "2026-11-19")],
            Balance(Decimal(2), end_of(19), date(2026, 11, 19)),
        ),
        ([("opening", "1", "2026-11-20")], Balance(Decimal(1), end_of(19), date(2026, 11, 19))),
        ([("previous", "1", "2026-11-18")], Balance(Decimal(1), end_of(18), date(2026, 11, 18))),
        ([("opening", "1", None), ("previous", "1", None)], Balance(available=Decimal(1))),
        ([("unheard of", "1", None)], Balance(available=Decimal(1))),
        ([("unheard of", "1", None), ("available", "2", None)], Balance(available=Decimal(2))),
        ([], Balance()),
    ],
    ids=[
        "best",
        "end-of-its-day",
        "not-later-than-now",
        "not-later-than-today",
        "latest-of-several-days",
        "opening-is-the-end-of-the-day-before",
        "previous",
        "no-day-no-moment",
        "unknown-kind-is-none",
        "available-is-none",
        "nothing",
    ],
)
def test_the_booked_balance_of_several(listed, balance):
    assert choose(*listed) == balance


def test_what_a_card_owes_is_its_limit_less_what_is_available():
    assert choose(("available", "5000", None), limit=Decimal(6000)) == Balance(Decimal(-1000), NOON, TODAY)
    assert choose(("unheard of", "5000", None), limit=Decimal(6000)) == Balance(available=Decimal(5000))
    assert choose(("closed", "-900", None), ("available", "5000", None), limit=Decimal(6000)).booked == -900


def test_a_balance_of_this_moment_is_of_the_bank_s_own_day():
    late = datetime(2026, 11, 20, 23, 30, tzinfo=timezone.utc)
    assert choose(("closed", "1", None), now=late).day == date(2026, 11, 21)


CARD = {
    "enable_banking": {"name": "Card", "number": "1", "iban": None, "currency": "EUR", "type": "credit_card"},
}


@pytest.mark.parametrize("limit, reported", [("6000.00", ("-1000.00", None)), (None, (None, "5000.00"))])
@pytest.mark.parametrize("kind", ["ITAV", "CLAV"])
def test_enable_banking_card_with_only_an_available_balance(kind, limit, reported):
    adapter = provider_class("enable_banking")(settings={}, clock=lambda: NOON)
    listed = {"balances": [{"balance_type": kind, "balance_amount": {"amount": "5000.00", "currency": "EUR"}}]}
    adapter.__dict__["http"] = type("Http", (), {"get": lambda _self, _path: listed})()
    account = {**CARD["enable_banking"], "uid": "u", **({"limit": limit} if limit else {})}
    shown = adapter._account("card", account, adapter._balance({}, account)).to_protocol()
    assert (shown["balance"], shown["available"]) == reported


def test_the_limit_of_a_card_is_kept_with_the_session():
    adapter = provider_class("enable_banking")(settings={}, clock=lambda: NOON)
    card = {
        "uid": "u",
        "identification_hash": "h",
        "currency": "EUR",
        "cash_account_type": "CARD",
        "credit_limit": {"currency": "EUR", "amount": "6000.00"},
    }
    assert adapter._identify([card], {})["h"]["limit"] == "6000.00"
    assert "limit" not in adapter._identify([{**card, "cash_account_type": "CACC"}], {})["h"]


@pytest.mark.parametrize(
    "reported, booked",
    [
        ({"current": 1000, "available": 5000, "limit": 6000}, -1000),
        ({"current": None, "available": 5000, "limit": 6000}, -1000),
        ({"current": None, "available": 5000, "limit": None}, None),
    ],
)
def test_a_card_of_plaid(reported, booked):
    adapter = provider_class("plaid")(settings={}, clock=lambda: NOON)
    card = {"type": "credit", "name": "Card", "balances": {**reported, "iso_currency_code": "USD"}}
    assert adapter._account("x", card).balance == booked


@pytest.mark.parametrize(
    "container, reported, booked",
    [
        ("bank", {"balance": 100}, None),
        ("bank", {"balance": 100, "currentBalance": 90}, 90),
        ("bank", {"availableBalance": 100}, None),
        ("creditCard", {"availableCredit": 5000, "totalCreditLine": 6000}, -1000),
        ("creditCard", {"availableCredit": 5000}, None),
        ("creditCard", {"balance": 1000, "availableCredit": 5000, "totalCreditLine": 6000}, -1000),
    ],
)
def test_an_account_of_yodlee(container, reported, booked):
    adapter = provider_class("yodlee")(settings={}, clock=lambda: NOON)
    amounts = {name: {"amount": amount, "currency": "EUR"} for name, amount in reported.items()}
    assert adapter._account("x", {"CONTAINER": container, **amounts}).balance == booked


@pytest.mark.parametrize(
    "balance, extra, booked",
    [
        (5000, {"available_amount": 5000, "credit_limit": 6000}, -1000),
        (-1000, {"available_amount": 5000, "credit_limit": 6000}, -1000),
        (5000, {"available_amount": 5000}, 5000),
    ],
)
def test_a_card_of_salt_edge(balance, extra, booked):
    adapter = provider_class("salt_edge")(settings={}, clock=lambda: NOON)
    card = {"nature": "credit_card", "balance": balance, "extra": extra, "updated_at": "2026-11-20T11:57:30Z"}
    assert adapter._balance(card).booked == booked


def test_a_balance_of_gocardless_that_includes_the_limit_is_an_available_amount():
    adapter = provider_class("gocardless")(settings={}, clock=lambda: NOON)
    listed = {
        "balances": [
            {
                "balanceType": "interimBooked",
                "balanceAmount": {"amount": "5000", "currency": "EUR"},
                "creditLimitIncluded": True,
            }
        ]
    }
    adapter.__dict__["http"] = type("Http", (), {"get": lambda _self, _path, **_params: listed})()
    assert adapter._balance({}, {"id": "x", "currency": "EUR"}) == Balance(available=Decimal(5000))
