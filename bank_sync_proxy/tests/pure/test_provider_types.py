import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from bank_sync_proxy.providers.types import (
    Account,
    Challenge,
    Counterparty,
    Field,
    Option,
    Page,
    Transaction,
    User,
    moment_from_text,
    moment_text,
)

PARIS = timezone(timedelta(hours=2))


def test_moments_travel_in_utc():
    assert moment_text(datetime(2026, 5, 3, 11, 15, tzinfo=PARIS)) == "2026-05-03T09:15:00Z"
    assert moment_from_text("2026-05-03T09:15:00Z") == datetime(2026, 5, 3, 9, 15, tzinfo=timezone.utc)
    assert moment_text(None) is moment_from_text(None) is None


def test_amounts_travel_as_decimal_strings():
    account = Account(id="1", name="A", currency="EUR", balance=Decimal("1E+3"))
    assert account.to_protocol()["balance"] == "1000"
    transaction = Transaction(id="1", status="booked", amount=Decimal("-12.30"), currency="EUR")
    assert transaction.to_protocol()["amount"] == "-12.30"
    assert transaction.to_protocol()["foreign_amount"] is None


def test_a_log_shows_nothing_of_who_paid_for_what():
    transaction = Transaction(
        id="1",
        status="booked",
        amount=Decimal("-12.30"),
        currency="EUR",
        counterparty=Counterparty("Ann"),
        remittance=("Rent",),
        raw={"iban": "DE89"},
    )
    assert not [secret for secret in ("12.30", "Ann", "Rent", "DE89") if secret in repr(Page((transaction,)))]


def test_a_page_is_json():
    transaction = Transaction(
        id=None,
        status="pending",
        amount=Decimal(1),
        currency="EUR",
        value_date=date(2026, 5, 3),
        counterparty=Counterparty("N"),
        remittance=("a", "b"),
    )
    page = json.loads(json.dumps(Page((transaction,), ("gone",), "next", True).to_protocol()))
    assert page["removed_ids"] == ["gone"]
    assert page["transactions"][0]["counterparty"] == {"name": "N", "account_number": None, "bic": None}
    assert page["transactions"][0]["value_date"] == "2026-05-03"
    assert page["transactions"][0]["remittance"] == ["a", "b"]


def test_a_challenge_survives_being_stored():
    challenge = Challenge(
        title="T",
        kind="consent",
        fields=(
            Field("a", "A", type="multichoice", options=(Option("1", "One", "help"),), value=("1",)),
            Field("b", "B"),
        ),
        data={"step": 1},
    )
    assert Challenge.from_json(json.loads(json.dumps(challenge.to_json()))) == challenge


def test_a_challenge_with_an_error_keeps_what_was_entered():
    challenge = Challenge(title="T", fields=(Field("user", "User"), Field("password", "Password", type="password")))
    again = challenge.with_error("Wrong.", user="me")
    assert again.error == "Wrong."
    assert [field.value for field in again.fields] == ["me", ""]
    assert not challenge.error


def test_what_is_printed_shows_no_state():
    challenge = Challenge(title="T", data={"token": "s3cret"})
    assert "s3cret" not in repr(challenge)


@pytest.mark.parametrize(
    "value, user",
    [
        ({"ip_address": "8.8.8.8", "agent": "Firefox"}, User("8.8.8.8", "Firefox")),
        ({"ip_address": "2001:4860:4860::8888"}, User("2001:4860:4860::8888")),
        ({"ip_address": "8.8.8.8", "agent": "a\r\nX-Forged: 1"}, User("8.8.8.8")),
        ({"ip_address": "8.8.8.8", "agent": "x" * 1000}, User("8.8.8.8", "x" * 300)),
        ({"ip_address": "192.168.1.7", "agent": "Firefox"}, None),
        ({"ip_address": "8.8.8.8\r\nX-Forged: 1"}, None),
        ({"ip_address": 7}, None),
        ("8.8.8.8", None),
        (None, None),
    ],
)
def test_a_user_is_known_by_a_public_address(value, user):
    assert User.from_json(value) == user
