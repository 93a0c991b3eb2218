"""Quirks of Yodlee; what all adapters do is in test_contract."""

from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qs

import pytest

from bank_sync_proxy.providers.errors import CODES, ConfigurationError, ConsentError, ProviderError, TransientError
from bank_sync_proxy.providers.types import Challenge, Completed, Flow, Refreshed
from bank_sync_proxy.providers.yodlee import NOT_UPDATED, RESTARTS, STALE, Yodlee
from bank_sync_proxy.tests.pure.contract import CALLBACK_URL, NOW, STATE
from bank_sync_proxy.tests.pure.scripted import Case
from bank_sync_proxy.tests.pure.yodlee_server import YodleeScript

(TOKEN,) = Case("yodlee", "token").exchanges
ADMIN, REGISTER, _token, NOBODY, _running, DONE, CONSENT, ACCOUNTS = Case("yodlee", "connect").exchanges
SITE = DONE["answer"]["providerAccount"][0]
ROW = Case("yodlee", "unknown_fields").exchanges[1]["answer"]["transaction"][0]
UPDATE = Case("yodlee", "refresh").exchanges[-1]
LIST = "GET /transactions?accountId=10503001&container=bank&fromDate={}&toDate=2026-11-20&skip={}&top=500"
NEXT = {"Link": "</transactions?skip=2&top=500>;rel=next"}


@pytest.fixture
def script():
    script = YodleeScript()
    yield script
    script.server.close()
    script.server.check_all()


def sites(status="SUCCESS", additional="AVAILABLE_DATA_RETRIEVED", **dataset):
    """One provider account, read at 9 o'clock."""
    moment = "2026-11-20T09:00:00Z"
    basic = {**SITE["dataset"][0], "additionalStatus": additional, "lastUpdated": moment, "lastUpdateAttempt": moment}
    site = {**SITE, "status": status, "dataset": [{"name": "ADVANCE_AGG_DATA"}, {**basic, **dataset}]}
    return {"ask": "GET /providerAccounts", "answer": {"providerAccount": [site]}}


def flow(script, kind="connect", challenge=None):
    state = {} if kind == "connect" else script.state
    return Flow(kind, "16441", CALLBACK_URL, STATE, "fr_BE", state, challenge.data if challenge else {})


def extra(challenge):
    return {name: value for name, (value,) in parse_qs(challenge.form.fields["extraParams"]).items()}


# -------------------------------------------------------------------------
# FASTLINK
# -------------------------------------------------------------------------


def test_fastlink_is_opened_by_a_form_with_the_token_of_a_new_user(script):
    script.server.expect([ADMIN, REGISTER, TOKEN])
    challenge = script.adapter.start("16441", flow(script))
    assert challenge.kind == "approval"
    assert challenge.form.url == script.settings["fastlink_url"]
    assert challenge.form.fields["accessToken"] == "Bearer token-of-user"
    assert extra(challenge) == {"configName": "Aggregation", "flow": "add", "providerId": "16441"}
    assert "token-of-user" not in repr(challenge)
    assert Challenge.from_json(challenge.to_json()) == challenge


def test_a_fastlink_url_without_tls_gets_no_token(script):
    script.settings = {**script.settings, "fastlink_url": "http://fl4.example/"}
    script.adapter = script.new_adapter()
    script.server.expect([ADMIN, REGISTER, TOKEN])
    with pytest.raises(ConfigurationError):
        script.adapter.start("16441", flow(script))


def test_two_visits_have_two_users(script):
    logins = []
    for state in ("one", "two"):
        script.server.expect([ADMIN, {key: REGISTER[key] for key in ("ask", "answer")}, TOKEN])
        logins.append(script.adapter.start("16441", replace(flow(script), callback_state=state)).data["login"])
        script.adapter = script.new_adapter()
    assert logins[0] != logins[1]


def test_a_page_that_waits_keeps_its_token_until_it_ends(script):
    script.server.expect([ADMIN, REGISTER, TOKEN, NOBODY, NOBODY, TOKEN, NOBODY])
    challenge = script.adapter.start("16441", flow(script))
    for minutes in (0, 1, 29):
        script.moment = NOW + timedelta(minutes=minutes)
        challenge = script.adapter.answer(flow(script, challenge=challenge), {})
    assert challenge.data["token_until"] == "2026-11-20T12:58:59Z"


def test_what_the_bank_refused_can_be_corrected_there_and_goes_on_here(script):
    script.server.expect([ADMIN, REGISTER, TOKEN, sites("FAILED", "INCORRECT_CREDENTIALS")])
    challenge = script.adapter.start("16441", flow(script))
    told = script.adapter.answer(flow(script, challenge=challenge), {})
    assert "did not accept" in told.error
    script.server.expect([sites("FAILED", "INCORRECT_CREDENTIALS"), DONE, CONSENT, ACCOUNTS])
    again = script.adapter.answer(flow(script, challenge=told), {})
    assert extra(again) == {"configName": "Aggregation", "flow": "edit", "providerAccountId": "10502782"}
    assert isinstance(script.adapter.answer(flow(script, challenge=again), {}), Completed)


def test_a_bank_that_is_down_is_not_the_user_s_mistake(script):
    script.server.expect([ADMIN, REGISTER, TOKEN, sites("FAILED", "SITE_UNAVAILABLE")])
    challenge = script.adapter.start("16441", flow(script))
    assert "did not reach" in script.adapter.answer(flow(script, challenge=challenge), {}).error


def test_a_renewal_repairs_the_same_provider_account(script):
    script.server.expect([TOKEN, sites(), sites(), DONE, CONSENT, ACCOUNTS])
    challenge = script.adapter.renew(script.state, flow(script, "renew"))
    assert extra(challenge)["flow"] == "edit"
    challenge = script.adapter.answer(flow(script, "renew", challenge), {})
    assert challenge.kind == "approval", "nothing has happened yet, although the bank was reached before"
    completed = script.adapter.answer(flow(script, "renew", challenge), {})
    assert completed.state == script.state


def test_a_renewal_after_the_user_was_deleted_adds_the_bank_anew(script):
    """Yodlee makes a user of any login name for which a token is asked."""
    script.server.expect([TOKEN, NOBODY])
    assert extra(script.adapter.renew(script.state, flow(script, "renew")))["flow"] == "add"


@pytest.mark.parametrize("before, after", [(["old"], ["1", "2"]), (["old", "older"], ["1"])])
def test_a_masked_number_that_two_accounts_have_identifies_none(script, before, after):
    one = script.state["accounts"]["10503001"]
    script.state["accounts"] = {key: {**one, "id": key, "mark": "bank xxxx1 USD"} for key in before}
    bank = ACCOUNTS["answer"]["account"][0]
    new = [{**bank, "id": int(number), "accountNumber": "xxxx1"} for number in after]
    script.server.expect([TOKEN, NOBODY, DONE, CONSENT, {**ACCOUNTS, "answer": {"account": new}}])
    assert [account.id for account in script.walk("renew").accounts] == after


@pytest.mark.parametrize("until", ["2027-05-19", "2027-05-19T00:00:00Z"])
def test_the_end_of_a_consent_is_what_the_bank_says(script, until):
    consent = {**CONSENT, "answer": {"consent": [{"consentId": 10188, "expirationDate": until}]}}
    script.server.expect([ADMIN, REGISTER, TOKEN, DONE, consent, ACCOUNTS])
    assert script.walk().state["consent_expires_at"] == "2027-05-19T00:00:00Z"


def test_a_bank_without_open_banking_has_no_end_of_consent(script):
    site = {key: value for key, value in SITE.items() if key != "consentId"}
    done = {**DONE, "answer": {"providerAccount": [site]}}
    script.server.expect([ADMIN, REGISTER, TOKEN, done, ACCOUNTS])
    assert script.walk().consent_expires_at is None


def test_the_sandbox_s_test_user_has_banks_that_are_not_ours(script):
    script.settings = {**script.settings, "test_user": "sbMem"}
    adapter = script.new_adapter()
    adapter.production = False
    other = {**SITE, "id": 1}
    before = {**DONE, "answer": {"providerAccount": [other]}}
    script.server.expect([TOKEN, before, before, {**DONE, "answer": {"providerAccount": [other, SITE]}}])
    challenge = adapter.start("16441", flow(script))
    challenge = adapter.answer(flow(script, challenge=challenge), {})
    script.server.expect([CONSENT, ACCOUNTS, TOKEN, DONE, {"ask": "DELETE /providerAccounts/10502782", "status": 204}])
    completed = adapter.answer(flow(script, challenge=challenge), {})
    assert (completed.state["login"], completed.state["site"]) == ("sbMem", "10502782")
    adapter.revoke(completed.state)


def test_a_bank_that_is_gone_already_keeps_no_user_at_yodlee(script):
    script.server.expect([TOKEN, NOBODY, {"ask": "DELETE /user/unregister", "status": 204}])
    script.adapter.revoke(script.state)


def test_another_region_has_another_address():
    assert Yodlee(settings={"api_url": "https://api.yodlee.uk/ysl"}).base_url == "https://api.yodlee.uk/ysl"
    assert Yodlee(production=False).base_url == "https://sandbox.api.yodlee.com/ysl"


# -------------------------------------------------------------------------
# NEWS
# -------------------------------------------------------------------------


@pytest.mark.parametrize("additional", [code for code in Yodlee.error_codes if not code.startswith("Y")])
def test_a_failed_update_says_who_must_act(script, additional):
    script.server.expect([TOKEN, sites("FAILED", additional, updateEligibility="DISALLOW_UPDATE")])
    with pytest.raises(ProviderError) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == (Yodlee.error_codes[additional], additional)


def test_a_failure_that_is_not_documented_is_ours(script):
    script.server.expect([TOKEN, sites("FAILED", "BRAND_NEW", updateEligibility="DISALLOW_UPDATE")])
    with pytest.raises(ProviderError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "unexpected_answer"


def test_what_failed_without_anybody_s_fault_is_tried_again(script):
    script.server.expect([TOKEN, sites("FAILED", "SITE_UNAVAILABLE"), UPDATE])
    with pytest.raises(TransientError):
        script.adapter.refresh(script.state)


@pytest.mark.parametrize(
    "answer",
    [
        sites(lastUpdateAttempt="2026-11-20T11:46:00Z"),
        sites("IN_PROGRESS"),
        sites(updateEligibility="DISALLOW_UPDATE"),
    ],
    ids=["a-moment-ago", "running", "forbidden"],
)
def test_an_update_is_asked_for_only_when_it_may_be(script, answer):
    script.server.expect([TOKEN, answer])
    assert script.adapter.refresh(script.state).refreshed_at.hour == 9


def test_a_bank_that_wants_its_user_is_left_alone_while_its_news_are_of_today(script):
    script.server.expect([TOKEN, sites(updateEligibility="ALLOW_UPDATE_WITH_CREDENTIALS")])
    assert isinstance(script.adapter.refresh(script.state), Refreshed)
    script.server.expect(
        [TOKEN, sites(updateEligibility="ALLOW_UPDATE_WITH_CREDENTIALS", lastUpdated="2026-11-19T11:59:59Z")]
    )
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "challenge_required"


def test_a_user_who_is_present_answers_in_fastlink(script):
    asks = sites(updateEligibility="ALLOW_UPDATE_WITH_CREDENTIALS")
    script.server.expect([TOKEN, asks, TOKEN, asks, sites("USER_INPUT_REQUIRED"), DONE])
    challenge = script.adapter.refresh(script.state, True, flow(script, "refresh"))
    assert extra(challenge)["flow"] == "refresh"
    challenge = script.adapter.answer(flow(script, "refresh", challenge), {})
    assert challenge.kind == "approval"
    assert isinstance(script.adapter.answer(flow(script, "refresh", challenge), {}), Refreshed)


def test_a_provider_account_that_is_gone_is_a_consent_that_was_withdrawn(script):
    script.server.expect([TOKEN, NOBODY])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "consent_revoked"


FAILED_ANSWERS = [code for code in Yodlee.error_codes if code.startswith("Y")]


@pytest.mark.parametrize("code", FAILED_ANSWERS)
def test_a_refused_update_hides_nothing_that_can_be_read(script, code):
    """And it does not look like new data: the time stays, and the user is informed."""
    body = {"errorCode": code, "errorMessage": "Words that change", "referenceCode": "x1582529312446ls6Ei0"}
    script.server.expect([TOKEN, sites(), {**UPDATE, "status": 400, "answer": body}])
    if Yodlee.error_codes[code] == "provider_not_configured":
        with pytest.raises(ConfigurationError) as caught:
            script.adapter.refresh(script.state)
        assert caught.value.request_id == "x1582529312446ls6Ei0"
        return
    refreshed = script.adapter.refresh(script.state)
    assert refreshed.refreshed_at.hour == 9 and refreshed.notes == (NOT_UPDATED,)


@pytest.mark.parametrize("code", FAILED_ANSWERS)
def test_a_refused_token_says_who_must_act(script, code):
    body = {"errorCode": code, "errorMessage": "Words that change", "referenceCode": "x1582529312446ls6Ei0"}
    # A busy server is asked three times.
    times = 3 if CODES[Yodlee.error_codes[code]].family == "TransientError" else 1
    script.server.expect([{**TOKEN, "status": 400, "answer": body}] * times)
    with pytest.raises(ProviderError) as caught:
        script.adapter.refresh(script.state)
    error = caught.value
    assert (error.code, error.request_id) == (Yodlee.error_codes[code], "x1582529312446ls6Ei0")
    assert type(error).__name__ == CODES[error.code].family


@pytest.mark.parametrize("status", STALE)
def test_a_bank_that_is_being_migrated_is_read_and_told_of(script, status):
    script.server.expect([TOKEN, sites(status, updateEligibility="DISALLOW_UPDATE")])
    refreshed = script.adapter.refresh(script.state)
    assert refreshed.refreshed_at.hour == 9 and refreshed.notes == (NOT_UPDATED,)


@pytest.mark.parametrize("status", STALE)
def test_a_bank_that_was_never_read_is_not_taken_for_an_empty_one(script, status):
    script.server.expect([TOKEN, sites(status, lastUpdated=None, updateEligibility="DISALLOW_UPDATE")])
    with pytest.raises(TransientError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.provider_code == status


@pytest.mark.parametrize("status", STALE)
def test_a_visit_does_not_wait_for_a_bank_that_is_being_migrated(script, status):
    script.server.expect([ADMIN, REGISTER, TOKEN, sites(status)])
    challenge = script.adapter.start("16441", flow(script))
    challenge = script.adapter.answer(flow(script, challenge=challenge), {})
    assert challenge.kind != "approval" and challenge.error


def test_a_user_is_forgotten_although_the_bank_is_being_migrated(script):
    exchanges = Case("yodlee", "revoke").exchanges
    number = next(i for i, e in enumerate(exchanges) if e["ask"].startswith("DELETE /providerAccounts"))
    refused = {**exchanges[number], "status": 400, "answer": {"errorCode": "Y868", "errorMessage": "x"}}
    script.server.expect([*exchanges[:number], refused, *exchanges[number + 1 :]])
    script.adapter.revoke(script.state)


# -------------------------------------------------------------------------
# TRANSACTIONS
# -------------------------------------------------------------------------


def page(skip, *names, headers=None):
    rows = [{**ROW, "id": name} for name in names]
    ask = LIST.format("2026-11-10", skip)
    return {"ask": ask, "answer": {"transaction": rows}, "headers": headers or {}}


def ids(script):
    return [row.id for page in script.pages(since=date(2026, 11, 10)) for row in page.transactions]


def test_news_between_two_pages_are_no_repeats(script):
    script.server.expect([TOKEN, page(0, 4, 3, headers=NEXT), TOKEN, page(1, 4, 3, 2, 1)])
    assert ids(script) == ["4", "3", "2", "1"]


def test_a_row_that_is_withdrawn_between_two_pages_hides_no_other_one(script):
    script.server.expect([TOKEN, page(0, 4, 3, headers=NEXT), TOKEN, page(1, 2, 1), TOKEN, page(0, 3, 2, 1)])
    assert ids(script) == ["4", "3", "3", "2", "1"]


@pytest.mark.parametrize("nameless", [None, ["x"], ""])
def test_a_row_without_an_id_is_not_searched_for_on_the_next_page(script, nameless):
    script.server.expect([TOKEN, page(0, 6, 5, 4, nameless, headers=NEXT), TOKEN, page(2, 4, nameless, 3)])
    pages = script.pages(since=date(2026, 11, 10))
    assert [row.id for page in pages for row in page.transactions] == ["6", "5", "4", "3"]
    assert [row.id for page in pages for row in page.unread] == [None, None]


def test_a_page_that_ends_without_any_id_is_followed_by_the_next_one(script):
    script.server.expect([TOKEN, page(0, 4, None, headers=NEXT), TOKEN, page(1, None, 3)])
    assert ids(script) == ["4", "3"]


def test_a_status_that_is_not_documented_is_no_booking(script):
    rows = [{**ROW, "id": number, "status": status} for number, status in enumerate(("NEW", None, "FAILED"))]
    script.server.expect([TOKEN, {"ask": LIST.format("2024-11-20", 0), "answer": {"transaction": rows}}])
    (given,) = script.pages()
    assert not given.transactions and [row.id for row in given.unread] == ["0", "1"]


def test_a_list_that_never_rests_is_given_up(script):
    again = [TOKEN, page(0, 4, 3, headers=NEXT), TOKEN, page(1, 2, 1)]
    script.server.expect(again * (RESTARTS + 1))
    with pytest.raises(TransientError):
        ids(script)


@pytest.mark.parametrize("since", [None, date(2020, 1, 1)])
def test_nothing_is_asked_that_is_older_than_two_years(script, since):
    script.server.expect([TOKEN, {"ask": LIST.format("2024-11-20", 0), "answer": {}}])
    assert not script.pages(since=since)[0].transactions


@pytest.mark.parametrize(
    "base, amount, currency, text",
    [
        ("DEBIT", "0.10", "USD", "-0.10"),
        ("CREDIT", "1234567.89", "USD", "1234567.89"),
        ("DEBIT", "1500", "JPY", "-1500"),
        ("CREDIT", "1.375", "KWD", "1.375"),
    ],
)
def test_amounts_are_what_was_written_and_baseType_is_the_sign(script, base, amount, currency, text):
    body = '{"transaction": [{"id": 1, "baseType": "%s", "status": "POSTED", "date": "2026-11-12",'
    body += ' "amount": {"amount": %s, "currency": "%s"}}]}'
    script.server.expect([TOKEN, {"ask": LIST.format("2024-11-20", 0), "text": body % (base, amount, currency)}])
    (row,) = script.pages()[0].transactions
    assert (str(row.amount), row.currency) == (text, currency)


def test_what_is_owed_is_negative_and_other_containers_are_left_out(script):
    loan = {
        **ACCOUNTS["answer"]["account"][0],
        "CONTAINER": "loan",
        "principalBalance": {"amount": 70.5, "currency": "USD"},
    }
    script.server.expect([TOKEN, {**ACCOUNTS, "answer": {"account": [loan, {**loan, "CONTAINER": "insurance"}]}}])
    (account,) = script.adapter.accounts(script.state)
    assert (account.type, str(account.balance)) == ("loan", "-70.5")
