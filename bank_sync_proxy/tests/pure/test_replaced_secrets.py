"""Secrets that the provider replaces while they are used: none is lost, whatever becomes of the request that got it.

The scripted banks are stricter than any known one: each answer with new secrets ends the previous ones at once.
"""

import copy
import json
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bank_sync_proxy.providers import provider_class
from bank_sync_proxy.providers.auth import ReplacedSecrets, Safe
from bank_sync_proxy.providers.errors import ProviderError, TransientError
from bank_sync_proxy.providers.types import Refreshed
from bank_sync_proxy.tests.pure.contract import CODES, NOW, scripted
from bank_sync_proxy.tests.pure.scripted import Case


class MemorySafe(Safe):
    """As the proxy's: what is written survives every failure, and one process at a time is inside."""

    def __init__(self):
        self.lock, self.content, self.written = threading.Lock(), "{}", 0

    @contextmanager
    def opened(self):
        with self.lock:
            yield

    def load(self):
        return json.loads(self.content)

    def store(self, content):
        self.content = json.dumps(content)
        self.written += 1


class Revolut:
    """A refresh token and an access token end with the next ones."""

    def begin(self, state, number):
        names = {"refresh_token": f"refresh-{number}", "access_token": f"access-{number}"}
        return {**state, **names, "access_until": (NOW + timedelta(hours=1)).isoformat()}

    def is_renewal(self, request):
        return request.path.endswith("/auth/token")

    def is_valid(self, request, number):
        if self.is_renewal(request):
            return request.body["refresh_token"] == f"refresh-{number}"
        return request.headers["Authorization"] == f"Bearer access-{number}"

    def renew(self, exchange, number):
        more = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}"}
        return {**exchange, "answer": {**exchange["answer"], **more}}


class Bunq:
    """A session ends with the next one. The key that opens it stays."""

    def begin(self, state, number):
        return {**state, "session": {"token": f"session-{number}", "until": (NOW + timedelta(hours=1)).isoformat()}}

    def is_renewal(self, request):
        return request.path.endswith("/session-server")

    def is_valid(self, request, number):
        return self.is_renewal(request) or request.headers["X-Bunq-Client-Authentication"] == f"session-{number}"

    def renew(self, exchange, number):
        return json.loads(json.dumps(exchange).replace("session-s3cret", f"session-{number}"))


BANKS = {"bunq": Bunq, "revolut_business": Revolut}


class StrictBank:
    """Answers as the provider's script, but its secrets end.

    :param int lasts: requests after which an access ends before its time
    """

    def __init__(self, script, lasts=1000):
        self.script, self.rules, self.lasts = script, BANKS[script.code](), lasts
        self.number, self.used, self.fails = 0, 0, False
        self.safe = MemorySafe()
        #: As it is stored at the end of an operation that gives a state.
        self.stored = self.rules.begin(script.state, 0)
        self.lock = threading.Lock()
        exchanges = [*script.always, *(e for name in ("refresh", "accounts", "empty") for e in self._of(name))]
        self.exchanges = {e["ask"].partition("?")[0]: e for e in reversed(exchanges)}
        script.server.check = lambda request: None
        script.server._next, script.server._compare = self._answer, lambda exchange, request: None

    def _of(self, name):
        return Case(self.script.code, name).exchanges

    def _answer(self, request):
        exchange = self.exchanges[f"{request.method} {request.path.removeprefix(self.script.prefix)}"]
        is_first = self.rules.is_renewal(request)
        if not self.rules.is_valid(request, self.number):
            return {"ask": "", "status": 400 if is_first else 401, "answer": {"error": "invalid_grant"}}
        if is_first:
            self.number, self.used = self.number + 1, 0
            return self.rules.renew(exchange, self.number)
        self.used += 1
        if self.used > self.lasts:
            return {"ask": "", "status": 401, "answer": {}}
        return {"ask": "", "status": 500, "answer": {}} if self.fails else exchange

    def ask(self, operation):
        """One request of a database: another adapter, and a copy of what is stored."""
        adapter = self.script.new_adapter()
        adapter.safe = self.safe
        answer = operation(adapter, copy.deepcopy(self.stored))
        if isinstance(answer, Refreshed):
            self.stored = json.loads(json.dumps(answer.state))
        return answer

    def run(self):
        """As a database does it."""
        self.ask(lambda adapter, state: adapter.refresh(state))
        self.ask(lambda adapter, state: adapter.accounts(state))
        self.ask(lambda adapter, state: adapter.transactions(state, self.script.account))


@pytest.fixture
def script(code):
    with scripted(code) as script:
        yield script


# -------------------------------------------------------------------------
# EVERY ADAPTER WHOSE SECRETS ARE REPLACED
# -------------------------------------------------------------------------


def test_all_adapters_with_replaced_secrets_are_tested():
    assert {code for code in CODES if provider_class(code).replaced_secrets} == set(BANKS)


@pytest.mark.parametrize("lasts", [1, 2, 3, 1000])
@pytest.mark.parametrize("code", BANKS)
def test_a_week_of_runs_works_wherever_an_access_ends(script, lasts):
    bank = StrictBank(script, lasts=max(lasts, 3) if script.code == "bunq" else lasts)
    for day in range(7):
        script.moment = NOW + timedelta(days=day)
        bank.run()
        bank.run()
    # A session of bunq lasts a week.
    assert bank.number >= 7 or (script.code, bank.number) == ("bunq", 1)


@pytest.mark.parametrize("code", BANKS)
def test_new_secrets_are_kept_if_the_request_that_got_them_fails(script):
    bank = StrictBank(script)
    operations = (
        lambda adapter, state: adapter.accounts(state),
        lambda adapter, state: adapter.transactions(state, script.account),
    )
    for number, operation in enumerate(operations * 3, start=1):
        script.moment = NOW + timedelta(days=10 * number)
        bank.fails = True
        with pytest.raises(TransientError):
            bank.ask(operation)
        assert bank.number == number
        bank.fails = False
    bank.ask(operations[0])
    assert bank.number == bank.safe.written == number, "the last ones were taken over"
    bank.run()


@pytest.mark.parametrize("code", BANKS)
def test_of_two_processes_at_once_one_gets_new_secrets_for_both(script):
    bank, failures, begin = StrictBank(script), [], threading.Barrier(2)
    script.moment = NOW + timedelta(days=1)

    def run():
        try:
            begin.wait(10)
            bank.run()
        except ProviderError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    bank.run()


@pytest.mark.parametrize("code", BANKS)
def test_a_new_consent_is_not_replaced_by_what_an_earlier_one_has_left(script):
    bank = StrictBank(script)
    script.moment = NOW + timedelta(days=1)
    bank.ask(lambda adapter, state: adapter.accounts(state))
    bank.number = 50
    bank.stored = bank.rules.begin(script.state, 50)
    bank.run()
    assert bank.number > 50


# -------------------------------------------------------------------------
# THE RULE
# -------------------------------------------------------------------------


def test_a_state_that_was_left_far_behind_still_finds_the_latest_secrets():
    safe, first = MemorySafe(), {"token": 0}
    for number in range(1, ReplacedSecrets.MAX_REPLACED):
        secrets = ReplacedSecrets(("token",), safe)
        secrets.replace(dict(first), lambda state: False, lambda state, number=number: {"token": number})
    state = {**first, "other": "stays"}
    ReplacedSecrets(("token",), safe).replace(state, lambda state: True, None)
    assert state == {"token": ReplacedSecrets.MAX_REPLACED - 1, "other": "stays"}


def test_what_is_stored_for_each_connection_is_bounded():
    safe, state = MemorySafe(), {"token": 0}
    for number in range(1, 3 * ReplacedSecrets.MAX_REPLACED):
        ReplacedSecrets(("token",), safe).replace(state, lambda state: True, lambda state, n=number: {"token": n})
    assert len(safe.content) < 20_000


def test_secrets_are_stored_before_they_are_used():
    stored = []

    class Broken(MemorySafe):
        def store(self, content):
            super().store(content)
            stored.append(content["parts"])
            raise SystemExit("killed")

    safe = Broken()
    with pytest.raises(SystemExit):
        ReplacedSecrets(("token",), safe).replace({"token": 0}, None, lambda state: {"token": 1})
    assert stored == [{"token": 1}] and safe.load()["parts"] == {"token": 1}


@pytest.mark.parametrize("code", CODES)
def test_a_refresh_changes_no_secret_that_is_not_declared(script):
    """Another adapter that gets a new token would have to store it at once."""
    exchanges = Case(script.code, "refresh").exchanges
    if not exchanges:
        pytest.skip("nothing is asked")
    script.play("refresh")
    before = copy.deepcopy(script.state)
    given = script.adapter.refresh(copy.deepcopy(before))
    changed = {name for name, value in given.state.items() if value != before.get(name)}
    # What is not secret: facts of the accounts, and what the library of FinTS knows of the bank.
    assert changed - {"accounts", "unread", "expires_at", "data"} <= set(script.adapter.replaced_secrets)
