"""Quirks of Teller; what all adapters do is in test_contract."""

from datetime import timedelta

import pytest

from bank_sync_proxy.providers import provider_class
from bank_sync_proxy.providers.errors import ConfigurationError, ConsentError, ProtocolError
from bank_sync_proxy.providers.teller import NO_TOKEN, OTHER_BANK, STATUSES, TYPES, Teller
from bank_sync_proxy.tests.pure.contract import NOW
from bank_sync_proxy.tests.pure.openapi import Published
from bank_sync_proxy.tests.pure.scripted import Case
from bank_sync_proxy.tests.pure.teller_server import TellerScript, sign
from bank_sync_proxy.tests.pure.tls_server import client, serve

PUBLISHED = Published("teller")
#: The adapter's requests.
ASKED = [
    ("GET", "/institutions"),
    ("GET", "/accounts"),
    ("DELETE", "/accounts"),
    ("GET", "/accounts/a/balances"),
    ("GET", "/accounts/a/transactions"),
]
#: Statuses that mean the same everywhere, see ``WebProvider._usual_code``.
FALLS_TO_THE_STATUS = {"429"}
#: Errors of Teller's guides, which the OpenAPI document does not have.
NOT_PUBLISHED = ("keys_refused", "server_error", "consent_expired")
#: Kinds of transactions, which have no effect: amounts have their sign.
KINDS = {
    *("card_payment", "transfer", "atm", "deposit", "withdrawal", "digital_payment", "wire", "check", "interest"),
    *("fee", "other"),
}
PAGE = Case("teller", "empty").exchanges[0]
ROW = Case("teller", "same_id_twice").exchanges[0]["answer"][0]


@pytest.fixture
def script():
    script = TellerScript()
    yield script
    script.server.close()
    script.server.check_all()


# -------------------------------------------------------------------------
# THE DOCUMENT
# -------------------------------------------------------------------------


def without_nulls(value):
    """The document omits that missing values may be null; Teller's guides show that."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def as_published(exchange):
    exchange = {**exchange, "answer": without_nulls(exchange.get("answer"))}
    for row in exchange["answer"] if isinstance(exchange["answer"], list) else ():
        # Teller's guides have `depository` and `credit`, with the document's kinds in `subtype`.
        if isinstance(row, dict) and row.get("type") in ("depository", "credit"):
            row["type"] = row["subtype"]
        # An undocumented kind, in the case of unknown fields.
        if isinstance(row, dict) and row.get("type") == "ach":
            row["type"] = "other"
    return exchange


@pytest.mark.parametrize(
    "name, exchange",
    [(name, exchange) for name, exchange in PUBLISHED.exchanges() if name not in NOT_PUBLISHED],
    ids=lambda value: value if isinstance(value, str) else value["ask"],
)
def test_requests_and_answers_are_those_of_the_document(name, exchange):
    PUBLISHED.check(as_published(exchange))


def test_a_request_that_is_not_in_the_document_would_be_found():
    for ask in ("GET /account", "GET /accounts/a/transactions?size=5", "GET /accounts/a/transactions?count=x"):
        with pytest.raises((AssertionError, ValueError)):
            PUBLISHED.check({"ask": ask, "answer": []})


def test_each_status_and_kind_of_the_document_is_in_a_table():
    assert set(STATUSES) == PUBLISHED.values("Transaction", "properties", "status")
    assert set(TYPES) - {"depository", "credit"} == PUBLISHED.values("Account", "properties", "type")
    assert PUBLISHED.values("Transaction", "properties", "type") == KINDS
    assert PUBLISHED.values("Account", "properties", "status") == {"open", "closed"}


def test_each_http_status_of_the_document_is_in_a_table():
    assert {*map(str, Teller.status_codes), *FALLS_TO_THE_STATUS} >= PUBLISHED.statuses(ASKED)


# -------------------------------------------------------------------------
# THE CERTIFICATE
# -------------------------------------------------------------------------


def test_the_certificate_is_shown_on_a_real_connection(tmp_path, monkeypatch):
    with serve(tmp_path) as (url, authority, seen):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
        certificate, key = client()
        adapter = provider_class("teller")({"certificate": certificate, "private_key": key, "base_url": url})
        with pytest.raises(ProtocolError):
            # The server returns an undocumented answer.
            adapter.accounts({"token": "token_x", "accounts": {}})
    assert seen == ["client"]


def test_an_expired_certificate_is_the_administrator_s_business(script):
    script.moment = NOW + timedelta(days=701)
    with pytest.raises(ConfigurationError) as caught:
        script.adapter.refresh(script.state)
    assert "expired on 2028-" in caught.value.detail
    assert not script.server.asked


# -------------------------------------------------------------------------
# CONNECT
# -------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "  ", "tökén"])
def test_text_that_is_not_a_token_is_not_sent(script, token):
    assert script.walk(answers={"token": token}).error == NO_TOKEN
    assert not script.server.asked


def test_a_token_of_another_bank_connects_nothing(script):
    accounts = Case("teller", "connect").exchanges[0]
    script.institution = "citi"
    script.server.expect([accounts])
    assert script.walk().error == OTHER_BANK


def test_renewal_without_a_new_token_keeps_the_old_one(script):
    script.play("connect")
    completed = script.walk("renew", answers={"token": ""})
    assert completed.state == script.state


def test_a_renewal_names_the_enrollment_to_repair(script):
    challenge = script.adapter.renew(script.state, None)
    assert challenge.hint == "enr_oiin624rqaojse22oe000"


@pytest.mark.parametrize(
    "code, ours",
    [
        ("enrollment.disconnected", "consent_expired"),
        ("enrollment.disconnected.credentials_invalid", "credentials_rejected"),
        ("enrollment.disconnected.brand_new", "consent_expired"),
        ("enrollment.other", "account_refused"),
    ],
)
def test_a_disconnected_enrollment_is_the_user_s_business(script, code, ours):
    script.server.expect([{**PAGE, "status": 404, "answer": {"error": {"code": code, "message": "x"}}}])
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert caught.value.code == ours


@pytest.mark.parametrize("status", [401, 404, 410])
def test_a_connection_that_is_gone_can_be_left(script, status):
    script.server.expect([{**Case("teller", "revoke").exchanges[0], "status": status, "answer": {}}])
    script.adapter.revoke(script.state)


# -------------------------------------------------------------------------
# READ
# -------------------------------------------------------------------------


def test_page_continues_after_a_booked_transaction():
    """A pending one may be gone by then."""
    assert Case("teller", "paging").exchanges[0]["answer"][-1]["status"] == "pending"
    assert Case("teller", "paging").exchanges[1]["ask"].endswith("from_id=txn_002")


def test_a_page_that_begins_with_the_one_before_gives_it_once(script):
    first, second = Case("teller", "paging").exchanges
    last = next(row for row in first["answer"] if row["id"] == "txn_002")
    script.server.expect([first, {**second, "answer": [last, *second["answer"]]}])
    given = [row.id for page in script.pages(since=NOW.date().replace(day=1)) for row in page.transactions]
    assert given.count("txn_002") == 1 and len(given) == 102


def rows(begin, end, status="posted"):
    return [{**ROW, "id": f"txn_{status}_{number}", "status": status} for number in range(begin, end)]


@pytest.mark.parametrize("size", [25, 50, 99])
def test_a_page_with_fewer_rows_than_requested_is_not_the_last(script, size):
    """The document names no maximum of `count`."""
    after = f"{PAGE['ask']}&from_id=txn_posted_{size - 1}"
    script.server.expect([{**PAGE, "answer": rows(0, size)}, {"ask": after, "answer": rows(size, size + 3)}])
    assert [len(page.transactions) for page in script.pages()] == [size, 3]


def test_no_page_is_requested_after_a_very_short_one(script):
    script.server.expect([{**PAGE, "answer": rows(0, 24)}])
    assert [len(page.transactions) for page in script.pages()] == [24]


def test_a_short_page_without_anything_new_is_the_last(script):
    """Pending transactions may follow the booked one after which the page begins."""
    first, waiting = rows(0, 30), rows(0, 30, "pending")
    after = f"{PAGE['ask']}&from_id=txn_posted_29"
    script.server.expect([{**PAGE, "answer": first}, {"ask": after, "answer": [first[-1], *waiting]}])
    assert [len(page.transactions) for page in script.pages()] == [30, 30]


def test_a_list_that_does_not_go_on_is_an_error(script):
    first, second = Case("teller", "paging").exchanges
    last = next(row for row in first["answer"] if row["id"] == "txn_002")
    script.server.expect([first, {**second, "answer": [last] + [{**ROW, "status": "pending"}] * 99}])
    with pytest.raises(ProtocolError) as caught:
        script.pages(since=NOW.date().replace(day=1))
    assert "does not go on" in caught.value.detail


@pytest.mark.parametrize("purchases, amount, balance", [("negative", "-5.00", "10.00"), ("positive", "5.00", "-10.00")])
def test_the_signs_of_a_card_follow_the_setting(script, purchases, amount, balance):
    script.settings = {**script.settings, "purchases": purchases}
    script.adapter = script.new_adapter()
    card = list(script.state["accounts"])[1]
    accounts, _current, _card = Case("teller", "accounts").exchanges
    script.server.expect(
        [
            {"ask": PAGE["ask"].replace(script.account, card), "answer": [{**ROW, "amount": "-5.00"}]},
            accounts,
            _current,
            {**_card, "answer": {"ledger": "10.00"}},
        ]
    )
    assert str(script.pages(account=card)[0].transactions[0].amount) == amount
    current, card = script.adapter.accounts(script.state)
    assert (str(current.balance), str(card.balance)) == ("28596.37", balance)


# -------------------------------------------------------------------------
# WEBHOOKS
# -------------------------------------------------------------------------


def test_a_webhook_is_taken_with_either_secret_while_one_is_replaced(script):
    body = b'{"type": "webhook.test", "payload": {}}'
    good = sign(body, NOW)
    other = sign(body, NOW, "the secret before").partition(",")[2]
    assert script.adapter.parse_webhook({"Teller-Signature": f"{good},{other}"}, body) == []
    assert script.adapter.parse_webhook({"Teller-Signature": f"t={int(NOW.timestamp())},{other},{good}"}, body) == []


def test_without_a_signing_secret_nothing_is_believed(script):
    script.settings = {name: value for name, value in script.settings.items() if name != "webhook_secret"}
    body = b'{"type": "webhook.test", "payload": {}}'
    with pytest.raises(ProtocolError):
        script.new_adapter().parse_webhook({"Teller-Signature": sign(body, NOW, "")}, body)
