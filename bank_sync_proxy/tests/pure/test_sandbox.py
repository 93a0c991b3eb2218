"""The Demo Bank as an adapter: consent, refreshes, renewals, expiry."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bank_sync_proxy.providers.errors import ConfigurationError, ConsentError, ProtocolError
from bank_sync_proxy.providers.sandbox import CONSENT_DAYS, Sandbox
from bank_sync_proxy.providers.types import Challenge, Completed, Flow, Refreshed

NOW = datetime(2026, 5, 13, 14, tzinfo=timezone.utc)
RIGHT = {"user": "demo", "password": "demo", "code": "123456"}


class Bank:
    """The adapter with a clock that can be moved."""

    def __init__(self, institution="demo", **settings):
        self.institution = institution
        self.moment = NOW
        self.adapter = Sandbox(settings=settings, clock=lambda: self.moment)

    def walk(self, flow=None, challenge=None, accounts=None, **values):
        """Answer whatever is asked, until the end."""
        flow = flow or Flow("connect", self.institution)
        challenge = challenge or self.adapter.start(self.institution, flow)
        while isinstance(challenge, Challenge):
            assert not challenge.error
            # What is stored between two pages has to survive as JSON.
            challenge = Challenge.from_json(json.loads(json.dumps(challenge.to_json())))
            offered = [option.value for field in challenge.fields for option in field.options]
            answers = {**RIGHT, **values, "accounts": tuple(offered if accounts is None else accounts)}
            challenge = self.adapter.answer(replace(flow, data=challenge.data), answers)
        return challenge

    def connect(self, **values):
        completed = self.walk(**values)
        assert isinstance(completed, Completed)
        return json.loads(json.dumps(completed.state)), completed


@pytest.fixture
def bank():
    return Bank()


def test_the_institutions_say_that_they_are_demonstrations(bank):
    institutions = list(bank.adapter.institutions())
    assert all("Demo" in institution.name for institution in institutions)
    assert {institution.status for institution in institutions} == {"stable", "beta"}
    assert [i.name for i in institutions if not i.capabilities.auto_sync] == ["Demo Attended Bank"]
    assert all(institution.logo.startswith("data:image/svg+xml;base64,") for institution in institutions)
    assert [i.id for i in bank.adapter.institutions("FR")] == ["demo-beta"]


@pytest.mark.parametrize("institution", [i.id for i in Sandbox().institutions()])
def test_a_consent_brings_accounts_and_their_transactions(institution):
    bank = Bank(institution)
    state, completed = bank.connect()
    assert completed.consent_expires_at == NOW + timedelta(days=CONSENT_DAYS)
    assert completed.refreshed_at == NOW
    accounts = bank.adapter.accounts(state)
    assert tuple(accounts) == completed.accounts
    for account in accounts:
        assert account.balance_at == NOW
        page = bank.adapter.transactions(state, account.id)
        assert page.transactions
        assert {transaction.currency for transaction in page.transactions} == {account.currency}


def test_the_world_bank_has_accounts_in_three_currencies():
    _state, completed = Bank("demo-world").connect()
    assert [account.currency for account in completed.accounts] == ["GBP", "EUR", "USD"]


def test_a_wrong_password_asks_again_and_keeps_the_name(bank):
    flow = Flow("connect", "demo", data={"step": "login"})
    for values in ({"user": "Me ", "password": "x"}, {"user": "me"}, {"password": "demo"}, {}):
        again = bank.adapter.answer(flow, values)
        assert again.error
        assert again.fields[0].value == values.get("user", "").strip().lower()
        assert again.fields[1].value == ""


def test_a_wrong_code_asks_again_and_keeps_the_user():
    bank = Bank("demo-code")
    flow = Flow("connect", "demo-code", data={"step": "code", "user": "me"})
    again = bank.adapter.answer(flow, {"code": "000000"})
    assert again.error
    consent = bank.adapter.answer(replace(flow, data=again.data), {"code": "123 456"})
    assert consent.kind == "consent"
    assert consent.data["user"] == "me"


def test_no_account_is_no_consent(bank):
    flow = Flow("connect", "demo", data={"step": "consent", "user": "demo"})
    for accounts in ((), ("of somebody else",)):
        assert bank.adapter.answer(flow, {"accounts": accounts}).error


def test_a_step_that_does_not_exist_is_refused(bank):
    with pytest.raises(ProtocolError):
        bank.adapter.answer(Flow("connect", "demo", data={}), RIGHT)


def test_an_unknown_institution_is_refused(bank):
    with pytest.raises(ConfigurationError):
        bank.adapter.start("none", Flow("connect", "none"))


def test_nothing_new_before_a_refresh(bank):
    state, completed = bank.connect()
    account = completed.accounts[0].id
    before = bank.adapter.transactions(state, account, since=NOW.date())
    bank.moment += timedelta(days=2)
    assert bank.adapter.transactions(state, account, since=NOW.date()) == before
    assert bank.adapter.accounts(state) == list(completed.accounts)
    refreshed = bank.adapter.refresh(state)
    assert isinstance(refreshed, Refreshed)
    assert refreshed.refreshed_at == bank.moment
    assert bank.adapter.transactions(refreshed.state, account, since=NOW.date()) != before


def test_a_code_at_every_refresh():
    bank = Bank("demo-code")
    state, _completed = bank.connect()
    with pytest.raises(ConsentError) as caught:
        bank.adapter.refresh(state, user_present=False)
    assert caught.value.code == "challenge_required"
    challenge = bank.adapter.refresh(state, user_present=True)
    bank.moment += timedelta(hours=3)
    refreshed = bank.walk(Flow("refresh", "demo-code", state=state), challenge)
    assert isinstance(refreshed, Refreshed)
    assert refreshed.refreshed_at == bank.moment


def test_a_bank_that_wants_the_user_present():
    bank = Bank("demo-attended")
    state, _completed = bank.connect()
    with pytest.raises(ConsentError) as caught:
        bank.adapter.refresh(state, user_present=False)
    assert caught.value.code == "auto_sync_forbidden"
    assert isinstance(bank.adapter.refresh(state, user_present=True), Refreshed)


def test_a_consent_ends_on_its_day_and_is_renewed_with_the_same_accounts(bank):
    state, completed = bank.connect()
    bank.moment = NOW + timedelta(days=CONSENT_DAYS) - timedelta(seconds=1)
    bank.adapter.refresh(state)
    bank.moment += timedelta(seconds=1)
    for ask in (
        lambda: bank.adapter.refresh(state),
        lambda: bank.adapter.accounts(state),
        lambda: bank.adapter.transactions(state, completed.accounts[0].id),
    ):
        with pytest.raises(ConsentError) as caught:
            ask()
        assert caught.value.code == "consent_expired"
    flow = Flow("renew", "demo", state=state)
    renewed = bank.walk(flow, bank.adapter.renew(state, flow))
    assert [account.id for account in renewed.accounts] == [account.id for account in completed.accounts]
    assert renewed.consent_expires_at == bank.moment + timedelta(days=CONSENT_DAYS)


def test_a_renewal_is_for_the_same_user(bank):
    state, _completed = bank.connect()
    flow = Flow("renew", "demo", state=state, data={"step": "login"})
    again = bank.adapter.answer(flow, {"user": "demo2", "password": "demo"})
    assert "another user name" in again.error


def test_a_renewal_may_change_the_accounts(bank):
    state, completed = bank.connect()
    flow = Flow("renew", "demo", state=state)
    less = bank.walk(flow, bank.adapter.renew(state, flow), accounts=[completed.accounts[1].id])
    assert [account.id for account in less.accounts] == [completed.accounts[1].id]
    with pytest.raises(ConsentError) as caught:
        bank.adapter.transactions(less.state, completed.accounts[0].id)
    assert caught.value.code == "unknown_account"


def test_the_clock_of_the_bank_can_be_ahead():
    bank = Bank(clock_offset_hours="24")
    _state, completed = bank.connect()
    assert completed.refreshed_at == NOW + timedelta(days=1)


def test_what_was_seen_once_stays_seen(bank):
    state, _completed = bank.connect()
    bank.moment -= timedelta(days=3)
    assert bank.adapter.refresh(state).refreshed_at == NOW


def test_user_names_do_not_mind_case_and_space(bank):
    first, _completed = bank.connect(user="demo")
    second, _completed = bank.connect(user=" DEMO ")
    assert first == second
