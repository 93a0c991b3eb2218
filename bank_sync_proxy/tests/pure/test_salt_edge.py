"""Quirks of Salt Edge; what all adapters do is in test_contract."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bank_sync_proxy.providers.errors import (
    ConfigurationError,
    ConsentError,
    ProtocolError,
    ProviderError,
    RateLimited,
    TransientError,
)
from bank_sync_proxy.providers.types import Challenge, Completed, Flow, Redirect, Refreshed
from bank_sync_proxy.tests.pure.contract import CALLBACK_URL, NOW, STATE
from bank_sync_proxy.tests.pure.salt_edge_server import WEBHOOK_URL, SaltEdgeScript, key_of, public_pem, sign
from bank_sync_proxy.tests.pure.scripted import Case

POSTED, PENDING = Case("salt_edge", "empty").exchanges
CONNECTION, BACKGROUND = Case("salt_edge", "refresh").exchanges
PROVIDER, CUSTOMER, CONNECT, CONNECTIONS, ACCOUNTS, CONSENTS = Case("salt_edge", "connect").exchanges
REFRESH = {"ask": BACKGROUND["ask"].replace("background_refresh", "refresh"), "answer": CONNECT["answer"]}
ROW = Case("salt_edge", "pending_and_booked").exchanges[0]["answer"]["data"][0]


@pytest.fixture
def script():
    script = SaltEdgeScript()
    yield script
    script.server.close()
    script.server.check_all()


def page(exchange, *rows, then="", after=None):
    """An exchange that gives rows; ``then`` is added to what is asked."""
    return {**exchange, "ask": exchange["ask"] + then, "answer": {"data": list(rows), "meta": {"next_id": after}}}


def row(name, amount=1, **values):
    return {**ROW, "id": name, "amount": amount, "extra": {}, **values}


def pending(name):
    return row(name, status="pending")


def connection(exchange=CONNECTION, *, attempt=None, **values):
    """The exchange that shows the connection, changed."""
    known = CONNECTION["answer"]["data"]
    known = {**known, **values, "last_attempt": {**known["last_attempt"], **(attempt or {})}}
    data = [known] if exchange is CONNECTIONS else known
    return {**exchange, "answer": {**exchange["answer"], "data": data}}


def error(exchange, name, status=406):
    return {**exchange, "status": status, "answer": {"error": {"class": name, "message": "x", "request_id": "r-1"}}}


def visit(script, kind="refresh", **data):
    state = {} if kind == "connect" else script.state
    return Flow(kind, script.institution, CALLBACK_URL, STATE, "fr_BE", state, {"state": STATE, **data})


def read(script, row):
    """:return: the transaction that a row becomes"""
    script.server.expect([page(POSTED, row), page(PENDING)])
    return script.pages()[0].transactions[0]


# -------------------------------------------------------------------------
# TRANSACTIONS
# -------------------------------------------------------------------------


def test_the_next_run_goes_on_at_the_last_id_and_hears_what_is_gone(script):
    script.server.expect([page(POSTED, row("1"), row("2")), page(PENDING, pending("p1"), pending("p2"))])
    bookmark = script.pages()[-1].next_cursor
    script.server.expect([page(POSTED, row("2"), row("3"), then="&from_id=2")])
    script.server.expect([page(POSTED, then="&duplicated=true"), page(PENDING, pending("p2"))])
    (news,) = script.pages(cursor=bookmark)
    # Pending ones get new ids at each refresh: without this they would stay for ever.
    assert news.removed_ids == ("p1",)
    assert [transaction.id for transaction in news.transactions] == ["2", "3", "p2"]


def test_the_page_of_a_bookmark_can_be_asked_for_again(script):
    script.server.expect([page(POSTED, row("1")), page(PENDING, pending("p1"))])
    bookmark = script.pages()[-1].next_cursor
    pages = []
    for _time in range(2):
        script.server.expect([page(POSTED, row("1"), then="&from_id=1"), page(POSTED, then="&duplicated=true")])
        script.server.expect([page(PENDING)])
        pages += script.pages(cursor=bookmark)
    assert pages[0] == pages[1]


def test_a_duplicate_is_told_once(script):
    """A line that is reconciled stays, and its user is asked to review it: each time that it is reported."""
    marked = row("1", duplicated=True, updated_at="2026-11-19T08:00:00Z")
    script.server.expect([page(POSTED, row("1"), row("2")), page(PENDING)])
    cursor, told = script.pages()[-1].next_cursor, []
    for _run in range(3):
        script.server.expect([page(POSTED, then="&from_id=2"), page(POSTED, marked, then="&duplicated=true")])
        script.server.expect([page(PENDING)])
        (news,) = script.pages(cursor=cursor)
        cursor = news.next_cursor
        told.append(news.removed_ids)
    assert told == [("1",), (), ()]


def test_lists_that_do_not_know_their_parameters_lose_and_invent_nothing(script):
    """Whether `pending` and `duplicated` are the names in v6 is not certain: then everything comes."""
    script.server.expect([page(POSTED, row("1"), pending("p1")), page(PENDING, row("1"), pending("p1"))])
    first = script.pages()[-1]
    assert [(transaction.id, transaction.status) for transaction in first.transactions] == [
        ("1", "booked"),
        ("p1", "pending"),
    ]
    script.server.expect([page(POSTED, then="&from_id=1"), page(POSTED, row("1"), then="&duplicated=true")])
    script.server.expect([page(PENDING, row("1"), pending("p1"))])
    assert script.pages(cursor=first.next_cursor)[0].removed_ids == ()


def test_no_more_is_asked_for_than_is_wanted(script):
    few = [{**exchange, "ask": exchange["ask"].replace("1000", "20")} for exchange in (POSTED, PENDING)]
    script.server.expect([page(exchange) for exchange in few])
    script.adapter.transactions(script.state, script.account, limit=20)


def test_a_duplicate_is_left_out_wherever_it_stands(script):
    script.server.expect([page(POSTED, row("1"), row("2", duplicated=True)), page(PENDING)])
    assert [transaction.id for transaction in script.pages()[0].transactions] == ["1"]


def test_more_pending_ones_than_fit_into_a_bookmark_are_replaced_as_a_whole(script):
    crowd = [pending(str(444444444444440000 + number)) for number in range(50)]
    script.server.expect([page(POSTED, row("444444444444449999")), page(PENDING, *crowd)])
    assert len(script.pages()[-1].next_cursor) <= 2000
    script.server.expect([page(POSTED), page(PENDING, *crowd, pending("one-more"))])
    assert script.pages()[-1].next_cursor is None


def test_a_page_that_names_itself_as_the_next_is_an_error(script):
    script.server.expect([page(POSTED, row("1"), after="2"), page(POSTED, row("2"), then="&from_id=2", after="2")])
    with pytest.raises(ProtocolError) as caught:
        script.pages()
    assert caught.value.code == "unexpected_answer"


def test_a_state_that_is_not_documented_is_no_booking(script):
    for status in ("authorised", None):
        script.server.expect([page(POSTED, row("1", status=status)), page(PENDING)])
        (given,) = script.pages()
        assert given.transactions == () and [(one.id, one.status) for one in given.unread] == [("1", None)]


def test_bookmark_that_has_to_stay_is_followed_by_nothing_irrevocable(script):
    """Its database keeps the bookmark of the run before, which excludes pending transactions that came later."""
    script.server.expect([page(POSTED, row("1")), page(PENDING, pending("p1"))])
    bookmark = script.pages()[-1].next_cursor
    gone = page(POSTED, then="&duplicated=true")
    script.server.expect([page(POSTED, row("2", "a lot"), then="&from_id=1", after="3")])
    script.server.expect([page(POSTED, row("3"), then="&from_id=3"), gone, page(PENDING, pending("p2"))])
    bad, last = script.pages(cursor=bookmark)
    assert [one.id for one in bad.unread] == ["2"] and last.removed_ids == ("p1",)
    assert [transaction.id for transaction in last.transactions] == ["3"]
    # A pending one keeps no bookmark: it is gone with the next refresh, and booked under another id.
    script.server.expect([page(POSTED, then="&from_id=1"), gone, page(PENDING, {**pending("p3"), "amount": "a lot"})])
    (news,) = script.pages(cursor=bookmark)
    assert not news.unread and news.next_cursor


def test_a_bookmark_names_a_row_that_could_be_read(script):
    script.server.expect([page(POSTED, row("1"), row("2", "a lot")), page(PENDING)])
    (first,) = script.pages()
    script.server.expect([page(POSTED, then="&from_id=1"), page(POSTED, then="&duplicated=true"), page(PENDING)])
    script.pages(cursor=first.next_cursor)


def test_numbers_of_json_never_become_floats(script):
    script.server.expect([page(POSTED, row("1", 777)), page(PENDING)])
    script.server.exchanges[0]["text"] = json.dumps(script.server.exchanges[0]["answer"]).replace("777", "-0.10")
    assert str(script.pages()[0].transactions[0].amount) == "-0.10"
    assert str(read(script, row("1", 1000, currency_code="JPY")).amount) == "1000"


@pytest.mark.parametrize("amount, name, number", [(-5, "Payee", "DE75512108001245126199"), (5, "Payer", None)])
def test_the_other_side_follows_the_direction(script, amount, name, number):
    extra = {"payee": "Payee", "payee_information": "DE75 5121 0800 1245 1261 99", "payer": "Payer"}
    found = read(script, row("1", amount, extra=extra))
    assert (found.counterparty.name, found.counterparty.account_number) == (name, number)
    assert read(script, row("1", amount, extra={"transfer_account_name": "X"})).counterparty.name == "X"


def test_a_row_without_more_than_it_must_have(script):
    found = read(script, {**row("1", -1), "extra": None, "description": None})
    assert (found.remittance, found.counterparty.name, found.foreign_amount) == ((), None, None)
    assert found.booking_date.isoformat() == ROW["made_on"]


def test_a_variable_symbol_is_a_reference_unless_there_is_a_real_one(script):
    assert read(script, row("1", extra={"variable_code": "0815"})).creditor_reference == "0815"
    found = read(script, row("1", description="RF18 5390 0754 7034", extra={"variable_code": "0815"}))
    assert found.creditor_reference == "RF18539007547034"


def test_an_end_to_end_id_that_says_nothing_is_none(script):
    assert read(script, row("1", extra={"end_to_end_id": "NOTPROVIDED"})).end_to_end_id is None


@pytest.mark.parametrize("amount", [-7, 7])
def test_a_foreign_amount_has_the_sign_of_the_amount(script, amount):
    for foreign in (8, -8):
        found = read(script, row("1", amount, extra={"original_amount": foreign, "original_currency_code": "USD"}))
        assert found.foreign_amount == (8 if amount > 0 else -8)


# -------------------------------------------------------------------------
# CONSENT
# -------------------------------------------------------------------------


def test_another_one_s_connection_can_t_be_slipped_in(script):
    """The address to which the browser comes back may name any connection: it is not read there."""
    script.server.expect([PROVIDER, CUSTOMER, CONNECT, CONNECTIONS, ACCOUNTS, CONSENTS])
    done = script.walk(callback={"state": STATE, "connection_id": "999999999999999999", "customer_id": "9"})
    assert done.reference == script.state["connection_id"] and done.state["customer_id"] == script.state["customer_id"]


def test_each_visit_makes_a_customer_that_tells_nothing(script):
    bodies = []
    for _time in range(2):
        script.server.expect([PROVIDER, CUSTOMER, CONNECT])
        script.adapter.start(script.institution, visit(script, "connect"))
        bodies.append(script.server.asked[-2].body["data"])
    assert [set(body) for body in bodies] == [{"identifier"}] * 2
    assert bodies[0] != bodies[1] and all(len(body["identifier"]) == 32 for body in bodies)


def test_a_customer_may_be_named_as_in_v5(script):
    customer = {**CUSTOMER, "answer": {"data": {"id": "222222222222222222"}}}
    script.server.expect([PROVIDER, customer, CONNECT])
    step = script.adapter.start(script.institution, visit(script, "connect"))
    assert step.data["customer_id"] == "222222222222222222"


def test_no_more_history_is_asked_for_than_the_bank_gives(script):
    for days, begin in ((89, "2026-08-24"), (None, "2025-11-21"), (900, "2025-11-21")):
        bank = {**PROVIDER["answer"]["data"], "max_fetch_interval": days, "max_consent_days": None}
        connect = {"ask": CONNECT["ask"], "answer": CONNECT["answer"]}
        script.server.expect([{**PROVIDER, "answer": {"data": bank}}, CUSTOMER, connect])
        script.adapter.start(script.institution, visit(script, "connect"))
        asked = script.server.asked[-1].body["data"]
        assert asked["consent"] == {"scopes": ["accounts", "transactions"], "from_date": begin}
        assert asked["attempt"]["from_date"] == begin


def test_accounts_that_are_still_being_fetched_are_waited_for(script):
    running = connection(CONNECTIONS, attempt={"finished": False}, status="inactive")
    script.server.expect([PROVIDER, CUSTOMER, CONNECT, running])
    step = script.walk()
    assert isinstance(step, Challenge) and step.kind == "approval"
    flow = visit(script, "connect", **step.data)
    script.server.expect([running])
    assert script.adapter.answer(flow, {}) == step
    script.server.expect([CONNECTIONS, ACCOUNTS, CONSENTS])
    assert isinstance(script.adapter.answer(flow, {}), Completed)


@pytest.mark.parametrize("kind", ["connect", "renew", "refresh"])
def test_trying_again_begins_anew(script, kind):
    flow = visit(script, kind, step="again")
    renewal = Case("salt_edge", "renewal").exchanges[:2]
    due = connection(attempt={"automatic_fetch": False})
    script.server.expect({"connect": [PROVIDER, CUSTOMER, CONNECT], "renew": renewal, "refresh": [due, REFRESH]}[kind])
    assert isinstance(script.adapter.answer(flow, {}), Redirect)


def test_a_visit_that_left_nothing_behind_can_be_repeated(script):
    script.server.expect([PROVIDER, CUSTOMER, CONNECT, page({"ask": CONNECTIONS["ask"]})])
    assert script.walk().kind == "consent"


def test_a_connection_is_made_before_anything_was_fetched(script):
    fresh = connection(CONNECTIONS, last_success_at=None)
    script.server.expect([PROVIDER, CUSTOMER, CONNECT, fresh, ACCOUNTS, CONSENTS])
    assert script.walk().refreshed_at is None


def test_a_renewal_that_the_bank_has_refused_is_none(script):
    refused = connection(attempt={"fail_error_class": "InvalidCredentials"})
    script.server.expect([*Case("salt_edge", "renewal").exchanges[:2], refused])
    assert script.walk("renew").data == {"step": "again"}


def test_a_bank_that_does_not_answer_is_not_the_user_s_fault(script):
    script.server.expect([PROVIDER, CUSTOMER, CONNECT])
    with pytest.raises(TransientError) as caught:
        script.walk(callback={"state": STATE, "error_class": "ProviderUnavailable"})
    assert caught.value.code == "institution_unavailable"


def test_the_end_is_that_of_the_present_consent(script):
    ended = CONSENTS["answer"]["data"]
    for listed, end in (
        (ended, "2027-02-18T11:56:00+00:00"),
        ([{**ended[1], "id": "another", "expires_at": "2026-12-01T00:00:00Z"}, ended[1]], "2027-02-18T11:56:00+00:00"),
        ([{**ended[1], "expires_at": None}], None),
        ([{**ended[1], "status": "revoked"}], None),
        ([], None),
    ):
        script.server.expect([PROVIDER, CUSTOMER, CONNECT, CONNECTIONS, ACCOUNTS])
        script.server.expect([page({"ask": CONSENTS["ask"]}, *listed)])
        expiry = script.walk().consent_expires_at
        assert (expiry and expiry.isoformat()) == end


def listed(*changes):
    """The account of the fixtures, again and again with changes."""
    return [{**ACCOUNTS["answer"]["data"][0], **change} for change in changes]


def test_an_id_counts_more_than_a_likeness(script):
    same = {"name": "Account", "extra": {}}
    accounts = listed({"id": "new", **same}, {"id": "old", **same})
    known = script.adapter._identity({**accounts[1]})
    assert list(script.adapter._identify(accounts, {"ours": known})) == ["new", "ours"]


def test_two_accounts_of_one_name_are_not_guessed(script):
    same = {"name": "Account", "extra": {}}
    known = {f"ours-{name}": script.adapter._identity(listed({"id": name, **same})[0]) for name in ("a", "b")}
    assert list(script.adapter._identify(listed({"id": "c", **same}, {"id": "d", **same}), known)) == ["c", "d"]


def test_another_number_is_another_account_whatever_its_name(script):
    known = {"ours": script.adapter._identity(listed({})[0])}
    other = listed({"id": "x", "extra": {"iban": "DE02120300000000202051"}})
    assert list(script.adapter._identify(other, known)) == ["x"]
    other = listed({"id": "x", "currency_code": "USD"})
    assert list(script.adapter._identify(other, known)) == ["x"]


def test_what_is_gone_already_is_given_back_all_the_same(script):
    first, second = Case("salt_edge", "revoke").exchanges
    script.server.expect([error(first, "ConnectionNotFound", 404), error(second, "CustomerNotFound", 404)])
    script.adapter.revoke(script.state)


# -------------------------------------------------------------------------
# NEWS
# -------------------------------------------------------------------------


@pytest.mark.parametrize("user_present", [True, False])
def test_nobody_is_asked_before_the_bank_may_be(script, user_present):
    for values in (
        {"next_refresh_possible_at": "2026-11-20T12:00:01Z"},
        {"next_refresh_possible_at": None},
        {"attempt": {"finished": False}},
    ):
        script.server.expect([connection(**values)])
        refreshed = script.adapter.refresh(script.state, user_present, visit(script) if user_present else None)
        assert refreshed.refreshed_at.isoformat() == "2026-11-20T11:58:00+00:00"


@pytest.mark.parametrize(
    "name, status",
    [
        ("ConnectionCannotBeRefreshed", 406),
        ("ConnectionAlreadyProcessing", 409),
        ("TooManyRequests", 429),
        ("InternalServerError", 500),
        ("RouteNotFound", 404),
    ],
)
def test_a_refresh_that_can_t_begin_hides_nothing(script, name, status):
    script.server.expect([CONNECTION, error(BACKGROUND, name, status)])
    assert isinstance(script.adapter.refresh(script.state), Refreshed)


def test_what_was_never_fetched_is_not_taken_for_an_empty_account(script):
    for flow in (None, visit(script)):
        script.server.expect([connection(last_success_at=None)])
        with pytest.raises(TransientError) as caught:
            script.adapter.complete(flow, {"state": STATE}) if flow else script.adapter.refresh(script.state)
        assert caught.value.code == "provider_busy"


def test_a_consent_that_is_gone_shows_when_the_refresh_begins(script):
    script.server.expect([CONNECTION, error(BACKGROUND, "ConsentRevoked")])
    with pytest.raises(ConsentError):
        script.adapter.refresh(script.state)


def test_a_bank_that_asks_for_codes_gets_its_user_on_salt_edge_s_pages(script):
    due = connection(attempt={"automatic_fetch": False, "interactive": True})
    script.server.expect([due, REFRESH])
    step = script.adapter.refresh(script.state, True, visit(script))
    assert isinstance(step, Redirect) and step.url == CONNECT["answer"]["data"]["connect_url"]
    assert script.server.asked[-1].body["data"]["attempt"]["return_to"] == f"{CALLBACK_URL}?state={STATE}"
    assert "consent" not in script.server.asked[-1].body["data"]
    script.server.expect([connection(last_success_at="2026-11-20T12:03:00Z")])
    done = script.adapter.complete(visit(script, **step.data), {"state": STATE})
    assert isinstance(done, Refreshed) and done.state == script.state and done.refreshed_at.minute == 3


def test_a_wrong_code_at_the_refresh_can_be_entered_again(script):
    step = script.adapter.complete(visit(script), {"state": STATE, "error_class": "InvalidInteractiveCredentials"})
    assert step.kind == "consent" and step.data == {"step": "again"}


def test_what_the_user_has_fetched_lately_is_read_without_the_user(script):
    """The callback after the user's visit begins a run, and no user is present any more."""
    alone = {"automatic_fetch": False, "interactive": True}
    script.server.expect([connection(attempt=alone)])
    assert isinstance(script.adapter.refresh(script.state), Refreshed)
    script.server.expect([connection(attempt=alone, last_success_at="2026-11-18T00:00:00Z")])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == "auto_sync_forbidden"


@pytest.mark.parametrize(
    "status, failed, code",
    [
        ("inactive", "InvalidCredentials", "credentials_rejected"),
        ("inactive", "InvalidInteractiveCredentials", "challenge_required"),
        ("inactive", "ProviderUnavailable", "consent_expired"),
        ("inactive", None, "consent_expired"),
        ("disabled", None, "consent_revoked"),
        ("disabled", "SomethingNew", "consent_revoked"),
    ],
)
def test_a_connection_that_is_not_active_is_for_its_user(script, status, failed, code):
    script.server.expect([connection(status=status, attempt={"fail_error_class": failed})])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == (code, failed)


# -------------------------------------------------------------------------
# KEYS AND ERRORS
# -------------------------------------------------------------------------


def test_an_application_in_test_mode_does_not_sign(script):
    script.adapter.settings["private_key"] = ""
    script.server.check = lambda request: script_asserts(request, "Signature" not in request.headers)
    script.server.expect([page(POSTED), page(PENDING)])
    script.pages()


def script_asserts(request, condition):
    assert condition and request.headers["App-id"] == "app-id-of-salt-edge"


def test_invented_banks_are_listed_in_the_sandbox_only(script):
    script.adapter.production = False
    ask = "GET /providers?country_code=XF&include_sandboxes=true&per_page=1000"
    script.server.expect([page({"ask": ask}, PROVIDER["answer"]["data"])])
    assert [bank.id for bank in script.adapter.institutions("XF")] == ["fake_client_xf"]


def test_a_key_that_can_t_be_read_is_the_administrator_s_business(script):
    script.adapter.settings["private_key"] = "none"
    with pytest.raises(ConfigurationError):
        script.pages()


@pytest.mark.parametrize(
    "name, status, family, code",
    [
        ("ConsentRevoked", 406, ConsentError, "consent_revoked"),
        ("ConnectionDisabled", 406, ConsentError, "consent_revoked"),
        ("InvalidCredentials", 406, ConsentError, "credentials_rejected"),
        ("InvalidInteractiveCredentials", 406, ConsentError, "challenge_required"),
        ("AccountNotFound", 404, ConsentError, "unknown_account"),
        ("ProviderUnavailable", 406, TransientError, "institution_unavailable"),
        ("ExecutionTimeout", 406, TransientError, "institution_unavailable"),
        ("ConnectionAlreadyProcessing", 409, TransientError, "provider_busy"),
        ("TooManyRequests", 429, RateLimited, "rate_limited"),
        ("ConnectionCannotBeRefreshed", 406, RateLimited, "rate_limited"),
        ("SignatureNotMatch", 400, ConfigurationError, "provider_not_configured"),
        ("RequestExpired", 400, ConfigurationError, "provider_not_configured"),
        ("ClientDisabled", 403, ConfigurationError, "provider_not_configured"),
        ("ProviderNotFound", 404, ConfigurationError, "unknown_institution"),
        ("WrongRequestFormat", 400, ProtocolError, "unexpected_answer"),
        ("RouteNotFound", 404, ProtocolError, "unexpected_answer"),
    ],
)
def test_each_class_of_error_names_who_must_act(script, name, status, family, code):
    script.server.expect([error(POSTED, name, status)])
    with pytest.raises(ProviderError) as caught:
        script.pages()
    assert type(caught.value) is family and caught.value.code == code
    assert (caught.value.provider_code, caught.value.request_id) == (name, "r-1")


# -------------------------------------------------------------------------
# CALLBACKS
# -------------------------------------------------------------------------


def told(**data):
    return json.dumps(
        {"data": {"connection_id": "1", **data}, "meta": {"time": NOW.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    ).encode()


def test_only_the_address_says_that_a_connection_was_destroyed(script):
    body = told(stage="finish")
    for url, kind in ((WEBHOOK_URL, "transactions.new"), (f"{WEBHOOK_URL}?kind=destroy", "connection.disconnected")):
        (event,) = script.adapter.parse_webhook({"Signature": sign(body, url)}, body)
        assert (event.kind, event.reference) == (kind, "1")
    with pytest.raises(ProtocolError):
        script.adapter.parse_webhook({"Signature": sign(body, "https://elsewhere.example/")}, body)


@pytest.mark.parametrize("signature", ["", "nonsense", "ü", base64.b64encode(b"short").decode()])
def test_what_is_no_signature_is_refused(script, signature):
    with pytest.raises(ProtocolError) as caught:
        script.adapter.parse_webhook({"Signature": signature}, told())
    assert caught.value.code == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"\xff",
        b'{"data": {}, "meta": {"time": null}}',
        b'{"data": {"connection_id": "1"}, "meta": {"time": "now"}}',
    ],
)
def test_what_is_signed_but_not_documented_is_refused(script, body):
    with pytest.raises(ProtocolError) as caught:
        script.adapter.parse_webhook({"Signature": sign(body)}, body)
    assert caught.value.code == "invalid_request"


@pytest.mark.parametrize("name", ["webhook_key", "webhook_url"])
def test_without_the_settings_nobody_is_believed(script, name):
    script.adapter.settings[name] = ""
    with pytest.raises(ProtocolError):
        script.adapter.parse_webhook({"Signature": sign(told())}, told())


def test_a_callback_of_our_own_clock_s_future_is_refused(script):
    script.moment = NOW - timedelta(minutes=6)
    with pytest.raises(ProtocolError):
        script.adapter.parse_webhook({"Signature": sign(told())}, told())


def test_the_key_of_another_kind_verifies_nothing(script):
    for key in (public_pem(key_of("forged")), public_pem(ec.generate_private_key(ec.SECP256R1()))):
        script.adapter.settings["webhook_key"] = key
        with pytest.raises(ProtocolError):
            script.adapter.parse_webhook({"Signature": sign(told())}, told())
