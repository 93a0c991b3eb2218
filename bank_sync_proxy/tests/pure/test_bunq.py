"""Quirks of bunq; what all adapters do is in test_contract."""

import base64
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from bank_sync_proxy.providers.auth import load_rsa_key, sign_sha256
from bank_sync_proxy.providers.bunq import KINDS, REFUSED_KEY, STATUSES, USERS, Bunq
from bank_sync_proxy.providers.errors import ConsentError, ProtocolError, RateLimited
from bank_sync_proxy.providers.types import moment_text
from bank_sync_proxy.tests.pure.bunq_server import BunqScript, bunq_s_key
from bank_sync_proxy.tests.pure.contract import CASES, NOW
from bank_sync_proxy.tests.pure.published import published
from bank_sync_proxy.tests.pure.scripted import Case

PUBLISHED = published("bunq")
#: Statuses that mean the same everywhere, see ``WebProvider._usual_code``.
FALLS_TO_THE_STATUS = {400, 405, 429, 500}
#: Kinds of payments, which have no effect: amounts have their sign.
TYPES = {"BUNQ", "EBA_SCT", "EBA_SDD", "FIS", "IDEAL", "SWIFT"}
SUB_TYPES = {"BILLING", "NLO", "PAYMENT", "REQUEST", "REVERSAL", "SCT", "SDD", "WITHDRAWAL"}
PAGE = Case("bunq", "empty").exchanges[0]
ROW = Case("bunq", "same_id_twice").exchanges[0]["answer"]["Response"][0]


@pytest.fixture
def script():
    script = BunqScript()
    yield script
    script.server.close()
    script.server.check_all()


# -------------------------------------------------------------------------
# WHAT BUNQ'S OWN SDK DOCUMENTS
# -------------------------------------------------------------------------


def exchanges():
    for name in CASES:
        for exchange in Case("bunq", name).exchanges:
            yield pytest.param(name, exchange, id=f"{name} {exchange['ask']}")


def objects(value, kind):
    """:return: all objects that stand under a name"""
    found = []
    for name, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += [item] if name == kind else []
        found += objects(item, kind)
    return found


@pytest.mark.parametrize("name, exchange", [*exchanges()])
def test_requests_and_answers_are_those_of_bunq_s_own_sdk(name, exchange):
    method, _blank, url = exchange["ask"].partition(" ")
    path = "/".join("{}" if step.isdigit() else step for step in urlsplit(url).path.split("/")[1:])
    assert f"{method} {path}" in PUBLISHED["paths"]
    allowed = set(PUBLISHED["paths"][f"{method} {path}"])
    assert {key for key, _value in parse_qsl(urlsplit(url).query)} | set(exchange.get("with", ())) <= allowed
    assert exchange.get("status", 200) in {200, *PUBLISHED["statuses"]}
    known = {"payment": set(PUBLISHED["payment"]) | {"id", "type"}, "account": set(PUBLISHED["account"]) | {"id"}}
    if name not in ("unknown_fields", "undocumented"):
        for payment in objects(exchange.get("answer"), "Payment"):
            assert set(payment) <= known["payment"]
            assert set(payment["counterparty_alias"]) <= set(PUBLISHED["label"])
            assert (payment["type"] in TYPES) and (payment["sub_type"] in SUB_TYPES)
    for kind in PUBLISHED["account_kinds"]:
        for account in objects(exchange.get("answer"), kind):
            assert set(account) <= known["account"] and account["status"] in PUBLISHED["account_statuses"]


def test_each_kind_status_and_user_of_the_sdk_is_in_a_table():
    assert set(PUBLISHED["account_kinds"]) == set(KINDS)
    assert set(PUBLISHED["account_statuses"]) == set(STATUSES)
    assert set(PUBLISHED["users"]) == set(USERS)
    assert set(PUBLISHED["payment_types"]) == TYPES
    assert set(PUBLISHED["payment_sub_types"]) == SUB_TYPES
    assert set(PUBLISHED["statuses"]) == {*Bunq.status_codes, *FALLS_TO_THE_STATUS}


# -------------------------------------------------------------------------
# SIGNATURES
# -------------------------------------------------------------------------


@pytest.mark.parametrize("signature", [None, "", "bm9uZQ==", "no base64"])
def test_an_answer_that_bunq_has_not_signed_is_not_believed(script, signature):
    script.server.sign = lambda content: {} if signature is None else {"X-Bunq-Server-Signature": signature}
    script.server.expect([PAGE])
    with pytest.raises(ProtocolError) as caught:
        script.pages()
    assert "signature of the answer" in caught.value.detail


def test_an_answer_that_was_changed_on_its_way_is_not_believed(script):
    signed = script.server.sign(b'{"Response": []}')
    script.server.sign = lambda content: signed
    script.server.expect([PAGE])
    with pytest.raises(ProtocolError) as caught:
        script.pages()
    assert "signature is wrong" in caught.value.detail


def signed_head(content):
    """As `validate_response` of bunq-sdk 1.28.0 builds it: status, bunq's headers in order, an empty line."""
    head = b"200\nX-Bunq-Client-Request-Id: q\nX-Bunq-Client-Response-Id: r\n\n"
    signature = base64.b64encode(sign_sha256(load_rsa_key(bunq_s_key()), head + content)).decode()
    names = {"x-bunq-client-response-id": "r", "X-Bunq-Client-Request-Id": "q"}
    return {**names, "X-Bunq-Server-Signature": signature}


def test_an_answer_that_is_signed_together_with_its_headers_is_accepted(script):
    script.server.sign = signed_head
    script.server.expect([PAGE])
    assert script.pages()[0].transactions == ()


def test_a_changed_header_invalidates_the_signature(script):
    script.server.sign = lambda content: {**signed_head(content), "x-bunq-client-response-id": "another"}
    script.server.expect([PAGE])
    with pytest.raises(ProtocolError, match="signature is wrong"):
        script.pages()


def test_each_connection_has_a_key_of_its_own():
    keys = {Bunq(clock=lambda: NOW)._new_key() for _time in range(2)}
    assert len(keys) == 2


# -------------------------------------------------------------------------
# SESSIONS
# -------------------------------------------------------------------------


def test_a_session_that_has_ended_is_opened_again(script):
    session = next(exchange for exchange in Case("bunq", "connect").exchanges if "session-server" in exchange["ask"])
    script.moment = NOW + timedelta(days=8)
    script.server.expect([session, PAGE])
    script.pages()


def test_a_session_that_is_refused_is_opened_again_once(script):
    session = next(exchange for exchange in Case("bunq", "connect").exchanges if "session-server" in exchange["ask"])
    script.server.expect([{**PAGE, "status": 401, "answer": {}}, session, PAGE])
    assert script.pages()[0].transactions == ()


def test_a_refresh_keeps_the_session_that_it_has_opened(script):
    session = next(exchange for exchange in Case("bunq", "connect").exchanges if "session-server" in exchange["ask"])
    session["answer"]["Response"][1]["Token"]["token"] = "another-session"
    script.moment = NOW + timedelta(days=8)
    script.server.check = lambda request: None
    script.server.expect([session, *Case("bunq", "refresh").exchanges])
    refreshed = script.adapter.refresh(script.state)
    assert refreshed.state["session"] == {"token": "another-session", "until": "2026-12-05T12:00:00Z"}


@pytest.mark.parametrize(
    "user, seconds",
    [
        ({"UserPerson": {"id": 7, "session_timeout": 86400}}, 86400),
        # bunq-sdk 1.28.0, `_get_session_timeout_seconds`: of the user who requested the access.
        ({"UserApiKey": {"id": 7, "requested_by_user": {"UserCompany": {"id": 8, "session_timeout": 3600}}}}, 3600),
        ({"UserApiKey": {"id": 7, "requested_by_user": None}}, 300),
        ({"UserPerson": {"id": 7, "session_timeout": 60}}, 300),
    ],
)
def test_a_session_is_used_for_as_long_as_bunq_says(script, user, seconds):
    """A session that counts as expired at once would be replaced before each request."""
    session = next(exchange for exchange in Case("bunq", "connect").exchanges if "session-server" in exchange["ask"])
    session["answer"]["Response"][2] = user
    script.moment = NOW + timedelta(days=8)
    script.server.expect([session, *Case("bunq", "refresh").exchanges])
    until = script.adapter.refresh(script.state).state["session"]["until"]
    assert until == moment_text(script.moment + timedelta(seconds=seconds))


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_key_that_was_deleted_is_the_user_s_business(script, status):
    revoked, session = Case("bunq", "consent_revoked").exchanges
    script.server.expect([revoked, {**session, "status": status}])
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert (caught.value.code, caught.value.action) == ("credentials_rejected", "renew")


@pytest.mark.parametrize("api_key", ["", "  ", "key-ü"])
def test_text_that_is_not_a_key_is_not_sent(script, api_key):
    assert script.walk(answers={"api_key": api_key}).error == REFUSED_KEY
    assert not script.server.asked


# -------------------------------------------------------------------------
# LIMITS
# -------------------------------------------------------------------------


def test_at_most_three_requests_are_sent_in_three_seconds(script):
    moment, waited, sent = 0.0, [], []

    class Http:
        """A clock that only moves with requests and pauses."""

        def monotonic(self):
            return moment

        def sleep(self, seconds):
            nonlocal moment
            waited.append(seconds)
            moment += seconds

        def get(self, path, **params):
            nonlocal moment
            sent.append(moment)
            moment += 0.1

    for _request in range(9):
        script.adapter._get(Http(), "x")
    assert waited and all(later - earlier >= 3 - 1e-9 for earlier, later in zip(sent, sent[3:], strict=False))


def test_too_many_requests_fail_after_few_attempts(script):
    script.play("rate_limited")
    with pytest.raises(Exception, match="rate_limited") as caught:
        script.pages()
    assert caught.value.retry_after == 30
    assert script.slept == [3.35, 3.35]


def test_a_page_refused_by_the_rate_limit_is_requested_again(script):
    """Each page may be read by another adapter object, which does not count the requests of the others."""
    refused = Case("bunq", "rate_limited").exchanges[0]
    script.server.expect([refused, PAGE])
    assert script.pages()[0].transactions == ()


def test_a_long_pause_named_by_bunq_fails_without_waiting(script):
    refused = Case("bunq", "rate_limited").exchanges[0]
    script.server.expect([{**refused, "headers": {"Retry-After": "600"}}])
    with pytest.raises(RateLimited) as caught:
        script.pages()
    assert (caught.value.retry_after, script.slept) == (600, [])


# -------------------------------------------------------------------------
# READ
# -------------------------------------------------------------------------


def test_a_list_that_does_not_go_on_is_an_error(script):
    first, second, _third = Case("bunq", "paging").exchanges
    pagination = {"older_url": "/v1/user/7/monetary-account/42/payment?older_id=12"}
    script.server.expect([first, {**second, "answer": {**second["answer"], "Pagination": pagination}}])
    with pytest.raises(ProtocolError) as caught:
        script.pages(since=NOW.date().replace(day=10))
    assert "does not go on" in caught.value.detail


def test_unreadable_page_does_not_end_the_list(script):
    first, second, third = Case("bunq", "paging").exchanges
    row = {"Payment": {"id": 13}}
    script.server.expect([{**first, "answer": {**first["answer"], "Response": [row]}}, second, third])
    pages = script.pages(since=NOW.date().replace(day=10))
    assert [row.id for page in pages for row in page.transactions] == ["11"]
    assert [row.id for page in pages for row in page.unread] == ["13"]


def test_an_account_without_a_payment_has_an_available_amount_only(script):
    listed, first, second = Case("bunq", "accounts").exchanges
    nothing = {"Response": [], "Pagination": {"older_url": None}}
    script.server.expect([listed, {**first, "answer": nothing}, second])
    main, savings = script.adapter.accounts(script.state)
    assert (main.balance, str(main.available)) == (None, "12345.67")
    assert str(savings.balance) == "500.00"


def test_a_card_without_a_payment_has_a_real_balance(script):
    """MonetaryAccountCard of bunq-sdk 1.28.0: `balance_real`, beside the available `balance`."""
    listed, first, second = Case("bunq", "accounts").exchanges
    ((_kind, main),) = listed["answer"]["Response"][0].items()
    card = {"MonetaryAccountCard": {**main, "balance_real": {"value": "12000.00", "currency": "EUR"}}}
    nothing = {"Response": [], "Pagination": {"older_url": None}}
    listed["answer"]["Response"][0] = card
    script.server.expect([listed, {**first, "answer": nothing}, second])
    main, _savings = script.adapter.accounts(script.state)
    assert (main.type, str(main.balance)) == ("credit_card", "12000.00")


def test_the_other_side_may_have_no_iban(script):
    other = {"display_name": "Someone", "iban": None, "swift_bic": "CHASUS33XXX", "swift_account_number": "000123"}
    row = {"Payment": {**ROW["Payment"], "counterparty_alias": other}}
    script.server.expect([{**PAGE, "answer": {"Response": [row], "Pagination": {"older_url": None}}}])
    found = script.pages()[0].transactions[0].counterparty
    assert (found.name, found.account_number, found.bic) == ("Someone", "000123", "CHASUS33XXX")
