"""Quirks of SimpleFIN; what all adapters do is in test_contract."""

import base64
import json
import logging
from datetime import timedelta

import pytest

from bank_sync_proxy.providers.errors import ConsentError, ProtocolError, TransientError
from bank_sync_proxy.providers.simplefin import NO_TOKEN, USED_TOKEN, SimpleFIN
from bank_sync_proxy.providers.types import Challenge, Completed, Flow
from bank_sync_proxy.tests.pure.contract import NOW
from bank_sync_proxy.tests.pure.scripted import Case
from bank_sync_proxy.tests.pure.simplefin_server import SimpleFINScript

RECENT = NOW.date() - timedelta(days=19)


@pytest.fixture
def script():
    script = SimpleFINScript()
    yield script
    script.server.close()
    script.server.check_all()


def window(errlist=(), **account):
    exchange = json.loads(json.dumps(Case("simplefin", "same_id_twice").exchanges[0]))
    exchange["answer"]["errlist"] = list(errlist)
    exchange["answer"]["accounts"][0] |= {"transactions": [], **account}
    return exchange


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/simplefin/claim/x",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost:5432/",
        "https://10.0.0.1/claim",
        "http://93.184.216.34/claim",
        "file:///etc/passwd",
        "https://user:password@93.184.216.34/",
        "no url",
        "",
    ],
)
def test_a_token_does_not_lead_into_our_network(script, url):
    """The scripted server itself is allowed only because the setting names it as the bridge."""
    step = script.walk(answers={"token": script.token(url) if url else ""})
    assert isinstance(step, Challenge) and step.error == NO_TOKEN
    assert not script.server.asked


def test_without_the_setting_the_local_server_is_refused_too(script):
    adapter = SimpleFIN(clock=lambda: NOW)
    step = adapter.answer(Flow("connect", "bridge.US"), {"token": script.token()})
    assert step.error == NO_TOKEN and not script.server.asked


@pytest.mark.parametrize("token", ["nonsense!", "====", "ü", base64.b64encode(b"\xff\xfe").decode()])
def test_text_that_is_not_a_token_is_refused(script, token):
    assert script.walk(answers={"token": token}).error == NO_TOKEN


def test_a_token_survives_line_breaks(script):
    script.play("connect")
    token = script.token()
    assert isinstance(script.walk(answers={"token": f" {token[:20]}\n{token[20:]} "}), Completed)


def test_a_claim_is_made_once(script):
    script.server.expect([{"ask": "POST /claim/one-time-claim", "status": 503, "answer": {}}])
    with pytest.raises(TransientError):
        script.walk()


@pytest.mark.parametrize(
    "text", ["https://10.0.0.1/simplefin", "https://us:pw@10.0.0.1/simplefin", "welcome", "<html>"]
)
def test_an_access_url_that_leads_elsewhere_is_refused(script, text):
    script.server.expect([{"ask": "POST /claim/one-time-claim", "text": text, "type": "text/plain"}])
    with pytest.raises(ProtocolError) as caught:
        script.walk()
    assert "pw" not in str(caught.value)


def test_a_token_that_was_used_says_what_to_do(script):
    script.play("refused")
    assert script.walk().error == USED_TOKEN


def test_the_claim_is_in_no_log(script, caplog):
    caplog.set_level(logging.DEBUG, "bank_sync_proxy")
    script.play("connect")
    script.walk()
    assert "/claim/…" in caplog.text and "one-time-claim" not in caplog.text


def test_a_repaired_bank_needs_no_new_token(script):
    script.server.expect(Case("simplefin", "refresh").exchanges)
    completed = script.walk("renew", answers={"token": ""})
    assert isinstance(completed, Completed) and completed.state["access_url"] == script.access_url


def test_an_unpaid_subscription_says_so(script):
    script.play("consent_expired")
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert "paid" in caught.value.note


@pytest.mark.parametrize(
    "error, code",
    [
        ({"code": "con.auth", "msg": "Sign in", "conn_id": "CON-1"}, "credentials_rejected"),
        ({"code": "con.auth.captcha", "message": "Sign in", "conn_id": "CON-1"}, "credentials_rejected"),
        ({"code": "con.", "msg": "x", "conn_id": "CON-1"}, "institution_unavailable"),
        ({"code": "con.new", "msg": "x", "conn_id": "CON-1"}, "institution_unavailable"),
        ({"code": "gen.auth", "msg": "x"}, "consent_revoked"),
        ({"code": "act.failed", "msg": "x", "account_id": "2930002"}, "institution_unavailable"),
        # Of another bank, or of another account.
        ({"code": "con.auth", "msg": "x", "conn_id": "CON-2"}, None),
        ({"code": "act.failed", "msg": "x", "conn_id": "CON-1", "account_id": "ACT-2"}, None),
        ({"code": "act.", "msg": "x", "account_id": "ACT-2"}, None),
        # What is wrong with the answer, whatever the code says beyond its prefix.
        ({"code": "act.missingdata", "msg": "x", "account_id": "2930002"}, "institution_unavailable"),
        ({"code": "act.missingdata", "msg": "x"}, "institution_unavailable"),
        ({"code": "act.", "msg": "x", "account_id": "2930002"}, "institution_unavailable"),
        ({"code": "act.new", "msg": "x", "account_id": "2930002"}, "institution_unavailable"),
        ({"code": "con.", "msg": "x"}, "institution_unavailable"),
        ({"code": "gen.", "msg": "x"}, "provider_unavailable"),
        ({"code": "gen.new", "msg": "x"}, "provider_unavailable"),
        ({"code": "gen.api", "msg": "x"}, "unexpected_answer"),
        ({"code": "new", "msg": "x"}, "provider_unavailable"),
    ],
)
def test_whose_error_it_is(script, error, code):
    script.server.expect([window([error])])
    if not code:
        script.pages(since=RECENT)
        return
    with pytest.raises((ConsentError, TransientError, ProtocolError)) as caught:
        script.pages(since=RECENT)
    assert (caught.value.code, caught.value.provider_code) == (code, error["code"])


def test_words_of_the_bridge_are_plain_text(script):
    words = "<script>alert(1)</script>Please\n\x1b[31m<b>sign in" + "!" * 500
    script.server.expect([window([{"code": "con.auth", "msg": words, "conn_id": "CON-1"}])])
    with pytest.raises(ConsentError) as caught:
        script.pages(since=RECENT)
    note = caught.value.note
    assert "<" not in note and "\x1b" not in note and "\n" not in note and len(note) < 230
    assert note.startswith("SimpleFIN Bridge: alert(1) Please")


def test_the_older_list_of_words_concludes_nothing(script):
    exchange = window()
    del exchange["answer"]["errlist"]
    exchange["answer"]["errors"] = ["<a href='https://evil.example'>You must reauthenticate</a>"]
    script.server.expect([exchange])
    assert script.pages(since=RECENT)[0].transactions == ()


def test_words_of_an_older_server_reach_the_user(script):
    exchange = json.loads(json.dumps(Case("simplefin", "refresh").exchanges[0]))
    exchange["answer"].pop("errlist", None)
    exchange["answer"]["errors"] = ["<b>Connection to Bank may need attention</b>", None, "", "\x1b Second"] + ["x"] * 9
    script.server.expect([exchange])
    assert script.adapter.refresh(script.state).notes == (
        "SimpleFIN Bridge: Connection to Bank may need attention",
        "SimpleFIN Bridge: Second",
        "SimpleFIN Bridge: x",
    )


@pytest.mark.parametrize("trouble", [{"errlist": [{"code": "con.", "conn_id": "CON-9"}]}, {"errors": ["x"]}])
def test_an_account_that_is_missing_while_something_is_wrong_keeps_its_place(script, trouble):
    exchange = json.loads(json.dumps(Case("simplefin", "refresh").exchanges[0]))
    exchange["answer"] |= {"errlist": [], **trouble}
    exchange["answer"]["accounts"].append({**exchange["answer"]["accounts"][0], "id": "another"})
    del exchange["answer"]["accounts"][0]
    script.server.expect([exchange])
    state = script.adapter.refresh(script.state).state
    assert set(script.state["accounts"]) <= set(state["accounts"])


def test_an_account_that_is_gone_is_for_the_user(script):
    exchange = window()
    exchange["answer"]["accounts"] = []
    script.server.expect([exchange])
    with pytest.raises(ConsentError) as caught:
        script.pages(since=RECENT)
    assert caught.value.code == "unknown_account"


@pytest.mark.parametrize("more", [{}, {"transacted_at": 1795000000}, {"pending": False}, {"pending": "true"}])
def test_what_was_not_posted_yet_is_pending_whatever_the_flag_says(script, more):
    """ "posted: … If the transaction is pending, this may be 0"; the flag is optional."""
    row = {"id": "1", "posted": 0, "amount": "1", "description": "x", **more}
    script.server.expect([window(transactions=[row])])
    (page,) = script.pages(since=RECENT)
    assert [transaction.status for transaction in page.transactions] == ["pending"] and not page.unread


def test_two_banks_may_use_one_id(script):
    """ "unique within the organization": an access may cover several."""
    exchange = json.loads(json.dumps(Case("simplefin", "refresh").exchanges[0]))
    first = exchange["answer"]["accounts"][0]
    exchange["answer"]["accounts"] = [
        {**first, "conn_id": name, "balance": balance} for name, balance in (("CON-1", "1.00"), ("CON-2", "2.00"))
    ]
    script.server.expect([exchange])
    state = script.adapter.refresh({**script.state, "accounts": {}}).state
    balances = {key: account["balance"] for key, account in state["accounts"].items()}
    assert sorted(balances.values()) == ["1.00", "2.00"]
    exchange["answer"]["accounts"].reverse()
    script.server.expect([exchange])
    again = script.adapter.refresh(state).state["accounts"]
    assert {key: account["balance"] for key, account in again.items()} == balances
    for key, balance in balances.items():
        answer = window()
        answer["ask"] = answer["ask"].replace("account=2930002", f"account={first['id']}")
        answer["answer"]["connections"] = exchange["answer"]["connections"]
        answer["answer"]["accounts"] = [
            {**one, "transactions": [{"id": one["balance"], "posted": 1795000000, "amount": "1", "description": "x"}]}
            for one in exchange["answer"]["accounts"]
        ]
        script.server.expect([answer])
        (page,) = script.adapter.transactions(state, key, since=RECENT).transactions
        assert page.id == balance


def test_a_bank_that_is_left_behind_does_not_move_the_window_for_ever(script):
    exchange = json.loads(json.dumps(Case("simplefin", "refresh").exchanges[0]))
    exchange["answer"]["accounts"][0]["balance-date"] = 1_500_000_000
    script.server.expect([exchange])
    assert script.adapter.refresh(script.state).refreshed_at == NOW - timedelta(days=60)


def test_an_access_url_never_leads_into_our_network_later(script):
    script.state["access_url"] = "https://us:s3cret@10.0.0.1/simplefin"
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert "s3cret" not in str(caught.value)


def test_another_server_is_called_by_its_own_name(script):
    script.play("connect")
    assert script.walk().institution_name == "SimpleFIN Bridge"
    elsewhere = SimpleFIN(clock=lambda: NOW)
    assert elsewhere._server_of("https://user:secret@Bank.example.org/x") == "bank.example.org"


def test_a_user_of_another_server_is_not_sent_to_the_bridge():
    adapter = SimpleFIN(clock=lambda: NOW)
    for state in ({}, {"access_url": "x"}):
        step = adapter.start("server", Flow("connect", "server", state=state))
        assert "bridge.simplefin.org" not in step.message and "your SimpleFIN server" in step.message
