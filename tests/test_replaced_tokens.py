"""A bank whose refresh token ends with the next one: none is lost, whenever a run ends, and whoever runs beside it."""

import pytest

from environment import paths

from .conftest import a_copy_of_the_template
from .renewed_tokens_bank import CONNECT_REVOLUT, CONSENT, FIND_REVOLUT, REVOLUT, SYNCHRONIZE, TAKE_OVER, revolut

#: A run of the proxy that ends before its transaction is committed.
KILLED = """
import os, signal
connection.{call}
os.kill(os.getpid(), signal.SIGKILL)
"""
ROLLED_BACK = "connection.{call}\nenv.cr.rollback()\n"
#: Each waits until both are there, then asks the bank; both have the same stored token.
AT_ONCE = """
import odoo.service.model, pathlib, time
connection._read_state()
here, deadline = pathlib.Path({folder!r}), time.monotonic() + 300
(here / "ready-{number}").touch()
while len(list(here.glob("ready-*"))) < 2:
    assert time.monotonic() < deadline, "the other process did not come"
    time.sleep(0.01)
def ask():
    connection.env.invalidate_all()
    assert connection._refresh(False) == (None, {{}})
    return len(connection._accounts())
for _time in range(5):
    # As a request: both change the connection.
    result = odoo.service.model.retrying(ask, env)
"""
#: As `odoo bank_sync reencrypt` does it in another process.
ENCRYPTED_AGAIN = """
from odoo.addons.bank_sync_proxy.models.bank_sync_connection_secret import ConnectionSafe
safe = ConnectionSafe(connection)
with safe.opened():
    before = safe.load()
    with env.registry.cursor() as cr:
        cr.execute("UPDATE bank_sync_connection_secret SET write_date = now()")
    safe.store({**before, "parts": {"refresh_token": "the-next"}})
with safe.opened():
    result = safe.load()["parts"]
    safe.store(before)
"""


@pytest.fixture(scope="module")
def company():
    with revolut() as (address, bank), a_copy_of_the_template(*paths.EMBEDDED) as company:
        company.prepare_company()
        bank.book(1, days_ago=9)
        company.shell(CONNECT_REVOLUT.format(address=address) + CONSENT.format(kind="connect") + TAKE_OVER)
        company.bank = bank
        bank.is_strict = True
        yield company


def assert_connected(company):
    state, code, _action, sentence, known = company.shell(SYNCHRONIZE + REVOLUT)
    assert (state, code) == ("connected", None), sentence
    assert sorted(known) == sorted(row["id"] for row in company.bank.rows)


def test_a_week_of_runs_works_whose_access_ends_in_the_middle(company):
    bank, before = company.bank, company.bank.tokens
    bank.lasts = 1
    for day in range(7):
        bank.book(10 + day, days_ago=8 - day)
        assert_connected(company)
    bank.lasts = 1000
    assert bank.tokens >= before + 14, "each run gets another token in its middle"


@pytest.mark.parametrize("end", [KILLED, ROLLED_BACK], ids=["killed", "rolled_back"])
@pytest.mark.parametrize("call", ["_refresh(False)", "_accounts()"])
def test_a_token_is_stored_before_the_request_that_got_it_ends(company, call, end):
    # Afterwards the connection's own state is the latest one.
    assert_connected(company)
    bank, before = company.bank, company.bank.tokens
    # Of the stored access nothing is left, so that accounts.list needs another one, too.
    bank.used = bank.lasts = 1
    script = FIND_REVOLUT + end.format(call=call)
    if end is KILLED:
        with pytest.raises(AssertionError):
            company.shell(script)
    else:
        company.shell(script)
    bank.lasts = 1000
    assert bank.tokens == before + 1
    assert_connected(company)


def test_of_two_processes_at_once_neither_uses_a_token_that_has_ended(company, tmp_path):
    scripts = [FIND_REVOLUT + AT_ONCE.format(folder=str(tmp_path), number=number) for number in range(2)]
    for result, printed in company.shells(scripts, tmp_path):
        assert result == 1, printed
    assert_connected(company)


def test_new_secrets_are_stored_although_their_row_is_encrypted_again_meanwhile(company):
    assert_connected(company)
    assert company.shell(FIND_REVOLUT + ENCRYPTED_AGAIN) == {"refresh_token": "the-next"}
    assert_connected(company)


def test_nothing_is_left_of_a_connection_that_was_deleted(company):
    assert_connected(company)
    assert company.sql("SELECT count(*) FROM bank_sync_connection_secret") == [["1"]]
    ((content,),) = company.sql("SELECT secret_content FROM bank_sync_connection_secret")
    assert content.startswith("gAAAA") and "refresh" not in content
    company.shell(FIND_REVOLUT + "connection._disconnect()")
    assert company.sql("SELECT count(*) FROM bank_sync_connection_secret") == [["0"]]
