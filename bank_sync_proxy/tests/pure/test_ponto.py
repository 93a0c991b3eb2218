"""Quirks of Ponto; what all adapters do is in test_contract."""

import json
from datetime import date, timedelta

import pytest

from bank_sync_proxy.providers.errors import ConsentError, ProtocolError, TransientError
from bank_sync_proxy.providers.ponto import NO_ACCOUNTS, REFUSED_KEYS
from bank_sync_proxy.providers.types import Completed
from bank_sync_proxy.tests.pure.contract import NOW
from bank_sync_proxy.tests.pure.ponto_server import PontoScript
from bank_sync_proxy.tests.pure.scripted import Case

TOKEN = Case("ponto", "token").exchanges
PAGES = Case("ponto", "paging").exchanges
GONE = {"errors": [{"code": "resourceNotFound", "detail": "x"}]}


@pytest.fixture
def script():
    script = PontoScript()
    yield script
    script.server.close()
    script.server.check_all()


def copy(value):
    return json.loads(json.dumps(value))


def listed(**changes):
    """The accounts, with changes in ``meta`` of the first."""
    exchange = copy(Case("ponto", "refresh").exchanges[1])
    exchange["answer"]["data"][0]["meta"] |= changes
    return exchange


def failed(code):
    return {"latestSynchronization": {"attributes": {"status": "error", "errors": [{"code": code, "detail": "x"}]}}}


def test_a_page_that_begins_at_what_is_gone_is_read_from_the_beginning(script):
    first, second = PAGES[1], PAGES[3]
    script.server.expect(
        [*TOKEN, first, *TOKEN, {**second, "status": 404, "answer": GONE}, first, *TOKEN, second, *TOKEN]
    )
    script.server.expect(PAGES[5:])
    pages = script.pages(since=date(2026, 11, 10))
    assert [t.id for page in pages for t in page.transactions] == ["t3", "t4", "t3", "t4", "t2"]


@pytest.mark.parametrize("absolute", [True, False])
def test_pages_are_asked_for_as_their_links_name_them(script, absolute):
    """Ibanity's own client reads ``page[after]``, Ponto's collection ``after``."""
    first, second = copy(PAGES[1]), copy(PAGES[3])
    path = first["ask"].partition("?")[0]
    after = second["ask"].partition("after=")[2].partition("&")[0]
    link = f"{'{base}' if absolute else ''}{path.removeprefix('GET ')}?page%5Bafter%5D={after}&page%5Blimit%5D=100"
    first["answer"]["links"] = {"next": link}
    second["ask"] = f"{path}?page%5Bafter%5D={after}&page%5Blimit%5D=100"
    script.server.expect([*TOKEN, first, *TOKEN, second, *PAGES[4:]])
    pages = script.pages(since=date(2026, 11, 10))
    assert [t.id for page in pages for t in page.transactions] == ["t3", "t4", "t2"]


@pytest.mark.parametrize("link", ["https://elsewhere.example/x?after=t3", "/accounts?before=t3", "/x?after", 7, ["x"]])
def test_a_link_that_leads_nowhere_is_an_error(script, link):
    first = copy(PAGES[1])
    first["answer"]["links"] = {"next": link}
    script.server.expect([*TOKEN, first])
    with pytest.raises(ProtocolError):
        script.pages(since=date(2026, 11, 10))


def test_a_page_that_names_itself_as_the_next_one_ends(script):
    first, second = copy(PAGES[1]), copy(PAGES[3])
    second["answer"]["links"] = first["answer"]["links"]
    second["answer"]["data"] = first["answer"]["data"]
    script.server.expect([*TOKEN, first, *TOKEN, second])
    with pytest.raises(ProtocolError):
        script.pages(since=date(2026, 11, 10))


def test_a_beginning_that_is_always_gone_ends(script):
    first, second = PAGES[1], {**PAGES[3], "status": 404, "answer": GONE}
    script.server.expect([*TOKEN, first, *TOKEN, second, first, *TOKEN, second])
    with pytest.raises(ConsentError):
        script.pages(since=date(2026, 11, 10))


def test_late_bookings_do_not_end_the_list(script):
    """A page that is older than what is asked for, but not by much, may be followed by a newer one."""
    exchanges = copy(PAGES)
    for row in exchanges[1]["answer"]["data"]:
        row["attributes"]["executionDate"] = "2026-11-02T00:00:00.000Z"
    script.server.expect(exchanges)
    assert [t.id for page in script.pages(since=date(2026, 11, 10)) for t in page.transactions] == ["t2"]


def test_one_bank_of_several_that_waits_for_its_user_does_not_stop_the_others(script):
    script.server.expect([*TOKEN, listed(**failed("authorizationExpired"))])
    script.adapter.refresh(script.state)


@pytest.mark.parametrize(
    "code, ours",
    [
        ("authorizationExpired", "consent_expired"),
        ("authorizationInvalid", "consent_expired"),
        ("accountRevoked", "consent_revoked"),
    ],
)
def test_a_synchronization_that_failed_for_want_of_a_consent_says_so(script, code, ours):
    exchange = listed(**failed(code))
    del exchange["answer"]["data"][1]
    script.server.expect([*TOKEN, exchange])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == (ours, code)


def test_failure_of_the_bank_is_not_shown_as_the_user_s_error(script):
    exchange = listed(**failed("financialInstitutionError"))
    del exchange["answer"]["data"][1]
    script.server.expect([*TOKEN, exchange])
    script.adapter.refresh(script.state)


def test_an_account_that_is_left_behind_is_read_again_for_a_while_only(script):
    script.server.expect([*TOKEN, listed(synchronizedAt="2026-01-01T00:00:00.000Z")])
    assert script.adapter.refresh(script.state).refreshed_at == NOW - timedelta(days=60)


def test_keys_that_are_refused_can_be_entered_again(script):
    script.play("refused")
    step = script.walk()
    assert step.error == REFUSED_KEYS and step.fields[0].value == "cc5bcd9b" and not step.fields[1].value


def test_an_integration_without_accounts_says_what_to_do(script):
    exchange = copy(Case("ponto", "refresh").exchanges[1])
    exchange["answer"]["data"] = []
    script.server.expect([*TOKEN, exchange])
    assert script.walk().error == NO_ACCOUNTS


def test_a_renewal_in_the_dashboard_needs_no_keys(script):
    script.play("refresh")
    completed = script.walk("renew", answers={"client_id": "", "client_secret": ""})
    assert isinstance(completed, Completed) and completed.state["client_secret"] == "s3cret-of-ponto"


def test_a_token_that_is_refused_is_asked_for_again(script):
    refused = {**Case("ponto", "empty").exchanges[1], "status": 401, "answer": GONE}
    script.server.expect([*TOKEN, refused, *Case("ponto", "empty").exchanges])
    assert script.pages()[0].transactions == ()


def test_outage_of_the_token_service_is_transient(script):
    down = {**TOKEN[0], "status": 503, "answer": {}}
    script.server.expect([down] * 9)
    with pytest.raises(TransientError):
        script.pages()
    script.server.exchanges.clear()
