"""The Demo Bank as an adapter: consent, refreshes, renewals, expiry."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest

from bank_sync_proxy.providers.errors import ConfigurationError, ConsentError, ProtocolError
from bank_sync_proxy.providers.sandbox import APPROVAL_ENDS_AFTER, APPROVED_AFTER, CONSENT_DAYS, Sandbox
from bank_sync_proxy.providers.sandbox_signatures import MAX_AGE, SIGNATURE_HEADER, sign_webhook
from bank_sync_proxy.providers.types import Challenge, Completed, Flow, Redirect, Refreshed, WebhookEvent, moment_text

NOW = datetime(2026, 5, 13, 14, tzinfo=timezone.utc)
CALLBACK = "https://proxy.example.com/below/bank_sync/callback/sandbox"
RIGHT = {"user": "demo", "password": "demo", "code": "123456"}


class Bank:
    """The adapter with a clock that can be moved."""

    def __init__(self, institution="demo", **settings):
        self.institution = institution
        self.flow = Flow("connect", institution, callback_url=CALLBACK, callback_state="S1")
        self.moment = NOW
        self.adapter = Sandbox(settings=settings, clock=lambda: self.moment)

    def begin(self):
        return self.adapter.start(self.institution, self.flow)

    def walk(self, flow=None, challenge=None, accounts=None, **values):
        """Answer whatever is asked, until the end."""
        flow = replace(flow or Flow("connect", self.institution), callback_url=CALLBACK, callback_state="S1")
        challenge = challenge or self.adapter.start(self.institution, flow)
        while not isinstance(challenge, Completed | Refreshed):
            if isinstance(challenge, Redirect):
                challenge = self.approve_on_the_bank_s_page(flow, challenge)
                continue
            assert not challenge.error
            if challenge.kind == "approval":
                self.moment += timedelta(seconds=APPROVED_AFTER)
            # What is stored between two pages has to survive as JSON.
            challenge = Challenge.from_json(json.loads(json.dumps(challenge.to_json())))
            offered = [option.value for field in challenge.fields for option in field.options]
            answers = {**RIGHT, **values, "accounts": tuple(offered if accounts is None else accounts)}
            challenge = self.adapter.answer(replace(flow, data=challenge.data), answers)
        return challenge

    def approve_on_the_bank_s_page(self, flow, redirect, user="demo", **params):
        """The bank's page sends the browser back, with what it was given."""
        query = dict(parse_qsl(urlsplit(redirect.url).query))
        code = self.adapter.approved(query["institution"], query.get("user") or user, query["state"])
        params = params or {"code": code, "state": query["state"]}
        return self.adapter.complete(replace(flow, data=redirect.data), params)

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
    days = 90 if institution == "demo-reconfirm" else CONSENT_DAYS
    assert completed.consent_expires_at == bank.moment + timedelta(days=days)
    assert completed.refreshed_at == bank.moment
    assert completed.reference
    accounts = bank.adapter.accounts(state)
    assert tuple(accounts) == completed.accounts
    for account in accounts:
        assert account.balance_at == bank.moment
        page = bank.adapter.transactions(state, account.id)
        assert page.transactions
        assert {transaction.currency for transaction in page.transactions} == {account.currency}


def test_a_consent_without_an_end_at_the_bank_is_confirmed_with_us():
    bank = Bank("demo-reconfirm")
    [institution] = [one for one in bank.adapter.institutions() if one.id == "demo-reconfirm"]
    assert institution.capabilities.reconfirm_days == 90
    state, completed = bank.connect()
    bank.moment += timedelta(days=91)
    with pytest.raises(ConsentError, match="consent_expired"):
        bank.adapter.refresh(state)
    flow = Flow("renew", "demo-reconfirm", state=state)
    asked = bank.adapter.renew(state, flow)
    assert (asked.kind, asked.fields) == ("reconfirm", ())
    again = bank.adapter.answer(replace(flow, data=asked.data), {})
    assert again.consent_expires_at == bank.moment + timedelta(days=90)
    assert [account.id for account in again.accounts] == [account.id for account in completed.accounts]
    assert {**again.state, "consent_expires_at": 0, "refreshed_at": 0} == {
        **state,
        "consent_expires_at": 0,
        "refreshed_at": 0,
    }


def test_other_banks_are_asked_when_a_consent_is_renewed(bank):
    state, _completed = bank.connect()
    assert bank.adapter.renew(state, Flow("renew", "demo", state=state)).kind == "credentials"


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


def test_consent_without_an_account_is_refused(bank):
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


# -------------------------------------------------------------------------
# THE BANK'S OWN PAGE
# -------------------------------------------------------------------------


def test_the_bank_s_page_is_a_page_of_the_proxy_wherever_that_is_mounted():
    redirect = Bank("demo-redirect").begin()
    address, _mark, query = redirect.url.partition("?")
    assert address == "https://proxy.example.com/below/bank_sync/sandbox/bank"
    assert dict(parse_qsl(query)) == {"institution": "demo-redirect", "state": "S1"}
    assert "S1" not in repr(redirect)


def test_user_who_refuses_at_the_bank_gets_an_error_and_may_try_again():
    bank = Bank("demo-redirect")
    refused = bank.approve_on_the_bank_s_page(bank.flow, bank.begin(), error="access_denied", state="S1")
    assert (refused.kind, refused.error) == ("choice", "")
    assert isinstance(bank.adapter.answer(replace(bank.flow, data=refused.data), {}), Redirect)


def test_a_code_of_another_visit_bank_or_hand_is_refused():
    bank = Bank("demo-redirect")
    of_another_visit = bank.adapter.approved("demo-redirect", "demo", "S2")
    of_another_bank = bank.adapter.approved("demo", "demo", "S1")
    for code in (of_another_visit, of_another_bank, "rubbish", "", None, "\u00e9"):
        with pytest.raises(ProtocolError):
            bank.adapter.complete(bank.flow, {"code": code, "state": "S1"})


def test_a_renewal_on_the_bank_s_page_is_for_the_same_user():
    bank = Bank("demo-redirect")
    state, completed = bank.connect()
    flow = replace(bank.flow, kind="renew", state=state)
    redirect = bank.adapter.renew(state, flow)
    assert dict(parse_qsl(urlsplit(redirect.url).query))["user"] == "demo"
    code = bank.adapter.approved("demo-redirect", "somebody", "S1")
    assert isinstance(bank.adapter.complete(flow, {"code": code, "state": "S1"}), Challenge)
    renewed = bank.walk(flow, redirect)
    assert [account.id for account in renewed.accounts] == [account.id for account in completed.accounts]
    assert renewed.reference == completed.reference


# -------------------------------------------------------------------------
# THE BANK'S APP
# -------------------------------------------------------------------------


def test_the_app_approves_by_the_clock():
    bank = Bank("demo-app")
    waiting = bank.adapter.answer(replace(bank.flow, data={"step": "login"}), RIGHT)
    assert waiting.kind == "approval"
    flow = replace(bank.flow, data=waiting.data)
    bank.moment += timedelta(seconds=APPROVED_AFTER - 1)
    assert bank.adapter.answer(flow, {}) == waiting
    bank.moment += timedelta(seconds=1)
    assert bank.adapter.answer(flow, {}).kind == "consent"


def test_approval_that_the_slow_user_does_not_give_ends_with_an_error():
    bank = Bank("demo-app")
    waiting = bank.adapter.answer(replace(bank.flow, data={"step": "login"}), {**RIGHT, "user": "slow"})
    bank.moment += timedelta(seconds=APPROVAL_ENDS_AFTER - 1)
    assert bank.adapter.answer(replace(bank.flow, data=waiting.data), {}).kind == "approval"
    bank.moment += timedelta(seconds=1)
    ended = bank.adapter.answer(replace(bank.flow, data=waiting.data), {})
    assert (ended.kind, bool(ended.error)) == ("choice", True)
    again = bank.adapter.answer(replace(bank.flow, data=ended.data), {})
    assert again.kind == "approval"
    assert again.data["asked_at"] != waiting.data["asked_at"]


# -------------------------------------------------------------------------
# WEBHOOKS
# -------------------------------------------------------------------------

BODY = b'{"events": [{"kind": "transactions.new", "reference": "R1"}, {"kind": "never.heard", "reference": "R1"}]}'


def parse(bank, body=BODY, header=None):
    return bank.adapter.parse_webhook({SIGNATURE_HEADER: header} if header else {}, body)


def test_a_webhook_is_read_when_the_bank_has_signed_it():
    bank = Bank(webhook_secret="s3cret")
    now = int(NOW.timestamp())
    for timestamp in (now, now - MAX_AGE, now + MAX_AGE):
        assert parse(bank, header=sign_webhook("s3cret", timestamp, BODY)) == [WebhookEvent("transactions.new", "R1")]


def test_the_clock_of_the_demo_bank_does_not_age_webhooks():
    bank = Bank(webhook_secret="s3cret", clock_offset_hours="48")
    assert parse(bank, header=sign_webhook("s3cret", int(NOW.timestamp()), BODY))


def test_altered_old_or_foreign_webhook_is_refused():
    bank = Bank(webhook_secret="s3cret")
    now = int(NOW.timestamp())
    good = sign_webhook("s3cret", now, BODY)
    for body, header in (
        (BODY, None),
        (BODY, "rubbish"),
        (BODY, "t=,v1="),
        (BODY, "t=\u0661,v1=0"),
        (BODY, good[:-1]),
        (BODY, good.replace(f"t={now}", f"t={now + 1}")),
        (BODY.replace(b"R1", b"R2"), good),
        (BODY, sign_webhook("another", now, BODY)),
        (BODY, sign_webhook("s3cret", now - MAX_AGE - 1, BODY)),
        (BODY, sign_webhook("s3cret", now + MAX_AGE + 1, BODY)),
        (b"rubbish", sign_webhook("s3cret", now, b"rubbish")),
        (b"[]", sign_webhook("s3cret", now, b"[]")),
        (b'{"events": [7]}', sign_webhook("s3cret", now, b'{"events": [7]}')),
    ):
        with pytest.raises(ProtocolError) as caught:
            parse(bank, body, header)
        assert caught.value.http_status == 400


def test_without_a_secret_no_webhook_is_believed():
    with pytest.raises(ConfigurationError):
        parse(Bank(), header=sign_webhook("", int(NOW.timestamp()), BODY))


# -------------------------------------------------------------------------
# WHAT STAYS
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("institution", "digest"),
    [
        ("demo", "f067b6314f0fb9c4"),
        ("demo-attended", "34bd69ef4cc96c0b"),
        ("demo-beta", "354626b3b183922c"),
        ("demo-code", "b43c5d0c7c810d43"),
        ("demo-world", "f709c18ced459c73"),
    ],
)
def test_what_the_first_banks_report_never_changes(institution, digest):
    """A bank more must not move the others' counterparties: databases know these transactions."""
    bank = Bank(institution)
    state = {
        "institution": institution,
        "user": "demo",
        "accounts": list(bank.adapter._ledgers(institution, "demo")),
        "consent_expires_at": "2026-09-01T00:00:00Z",
        "refreshed_at": moment_text(NOW),
    }
    reported = hashlib.sha256()
    for account in state["accounts"]:
        page = bank.adapter.transactions(state, account, limit=100).to_protocol()
        reported.update(json.dumps(page["transactions"], sort_keys=True).encode())
    assert reported.hexdigest()[:16] == digest
