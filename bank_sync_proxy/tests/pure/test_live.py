"""scripts/live makes no requests without keys, and with keys all requests that need no user."""

from contextlib import closing

import pytest

from bank_sync_proxy.tests.pure.contract import script_class
from bank_sync_proxy.tests.pure.scripted import Case
from environment import live


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in [name for name in live.os.environ if name.startswith(live.PREFIX)]:
        monkeypatch.delenv(name)


def enter(monkeypatch, code, **values):
    for name, value in values.items():
        monkeypatch.setenv(f"{live.PREFIX}{code}_{name}".upper(), value)


def test_without_keys_no_request_is_made_and_every_variable_is_named(capsys):
    assert live.main([]) == 0
    said = capsys.readouterr().out
    assert "0 of" in said
    for name in ("PLAID_CLIENT_ID", "PLAID_SECRET", "ENABLE_BANKING_PRIVATE_KEY", "QONTO_LOGIN", "QONTO_SECRET_KEY"):
        assert f"BANK_SYNC_LIVE_{name}" in said


def test_keys_are_tested_and_what_needs_a_person_is_said(monkeypatch, capsys, tmp_path):
    script = script_class("gocardless")()
    enter(monkeypatch, "gocardless", **script.settings, base_url=script.server.base_url, country=script.country)
    (tmp_path / "key").write_text(script.settings["secret_key"])
    enter(monkeypatch, "gocardless", secret_key=f"@{tmp_path / 'key'}")
    with closing(script.server):
        script.play("keys")
        exchanges = Case("gocardless", "institutions").exchanges
        script.server.expect([exchange for exchange in exchanges if "token" not in exchange["ask"]])
        assert live.main(["gocardless"]) == 0
        script.server.check_all()
    said = capsys.readouterr().out
    assert "the keys work" in said and "--walk" in said
    assert not any(secret in said for secret in script.secrets)


def test_keys_that_are_refused_are_a_failure(monkeypatch, capsys):
    script = script_class("gocardless")()
    enter(monkeypatch, "gocardless", **script.settings, base_url=script.server.base_url)
    with closing(script.server):
        script.server.expect([{"ask": "POST /token/new/", "status": 401, "answer": {}}])
        assert live.main(["gocardless"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_a_user_s_own_keys_read_accounts_and_transactions(monkeypatch, capsys):
    script = script_class("qonto")()
    enter(monkeypatch, "qonto", **script.answers, base_url=script.server.base_url)
    organization = Case("qonto", "accounts").exchanges
    # Days are of today here, and no concern of this test.
    script.server._compare = lambda exchange, request: None
    with closing(script.server):
        listed = Case("qonto", "accounts").gives["accounts"]
        script.server.expect(Case("qonto", "connect").exchanges + organization)
        script.server.expect(Case("qonto", "empty").exchanges * len(listed))
        assert live.main(["qonto"]) == 0
        script.server.check_all()
    assert f"{len(listed)} accounts" in capsys.readouterr().out


def test_who_walks_is_shown_what_to_copy_and_asked_for_the_rest(monkeypatch, capsys):
    script = script_class("revolut_business")()
    enter(monkeypatch, "revolut_business", base_url=script.server.base_url)
    answers = iter([script.answers["client_id"], script.answers["code"]])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    # Days and moments are of today here, and no concern of this test.
    script.server._compare, script.server.check = lambda exchange, request: None, lambda request: None
    with closing(script.server):
        listed = Case("revolut_business", "accounts").gives["accounts"]
        script.server.expect(
            Case("revolut_business", "connect").exchanges + Case("revolut_business", "accounts").exchanges
        )
        script.server.expect(Case("revolut_business", "empty").exchanges * len(listed))
        assert live.main(["revolut_business", "--walk"]) == 0
        script.server.check_all()
    said = capsys.readouterr().out
    assert "-----BEGIN CERTIFICATE-----" in said and "sandbox-business.revolut.com/app-confirm" in said
    assert "PRIVATE KEY" not in said and f"{len(listed)} accounts" in said
