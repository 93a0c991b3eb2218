"""Quirks of Plaid; what all adapters do is in test_contract."""

import json
from datetime import timedelta

import pytest

from bank_sync_proxy.providers.errors import (
    ConfigurationError,
    ConsentError,
    ProtocolError,
    ProviderError,
    RateLimited,
    TransientError,
)
from bank_sync_proxy.providers.types import Challenge
from bank_sync_proxy.tests.pure.contract import NOW
from bank_sync_proxy.tests.pure.plaid_server import PlaidScript, public_key, sign
from bank_sync_proxy.tests.pure.scripted import Case

EMPTY = Case("plaid", "empty").exchanges[0]


@pytest.fixture
def script():
    script = PlaidScript()
    yield script
    script.server.close()
    script.server.check_all()


def sync(cursor, after, *added, more=False, **answer):
    """An exchange of one page; ``cursor`` None: it is asked for without one."""
    asked = {**EMPTY["with"], **({"cursor": cursor} if cursor else {})}
    rows = [row(name) for name in added]
    return {
        **EMPTY,
        "with": asked,
        "answer": {**EMPTY["answer"], "added": rows, "next_cursor": after, "has_more": more, **answer},
    }


def row(name, amount=1, **values):
    return {
        "transaction_id": name,
        "amount": amount,
        "iso_currency_code": "USD",
        "date": "2026-11-11",
        "pending": False,
        **values,
    }


def error(cursor, kind, code, status=400, **body):
    exchange = sync(cursor, "")
    return {
        **exchange,
        "status": status,
        "answer": {"error_type": kind, "error_code": code, "error_message": "x", **body},
    }


MUTATION = ("TRANSACTIONS_ERROR", "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")


def ids(pages):
    return [transaction.id for page in pages for transaction in page.transactions]


def test_a_list_that_changes_between_two_pages_is_read_again_from_its_beginning(script):
    script.server.expect(
        [
            sync(None, "c1", "a", more=True),
            error("c1", *MUTATION),
            sync(None, "c1b", "a", "b", more=True),
            sync("c1b", "c2", "c"),
        ]
    )
    pages = script.pages()
    assert ids(pages) == ["a", "a", "b", "c"]
    # The bookmark is the one of the end, and the next run begins there: also after a change.
    script.server.expect([sync("c2", "c3", "d", more=True), error("c3", *MUTATION), sync("c2", "c4", "d")])
    assert ids(script.pages(cursor=pages[-1].next_cursor)) == ["d", "d"]


def test_a_list_that_changes_all_the_time_is_left_for_later(script):
    script.server.expect([sync(None, "c1", "a", more=True), error("c1", *MUTATION), error(None, *MUTATION)])
    with pytest.raises(TransientError):
        script.pages()


def test_what_plaid_has_not_loaded_yet_is_not_taken_for_the_end(script):
    script.server.expect([sync(None, "", transactions_update_status="NOT_READY")])
    with pytest.raises(TransientError) as caught:
        script.pages()
    assert caught.value.code == "provider_busy"


def test_the_cursor_of_two_cursors_stays_short(script):
    script.server.expect([sync(None, "c" * 256, more=True)])
    assert len(script.adapter.transactions(script.state, script.account).next_cursor) < 1000


@pytest.mark.parametrize(
    "kind, code, reason, ours",
    [
        ("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", None, "credentials_rejected"),
        ("ITEM_ERROR", "INVALID_MFA", None, "credentials_rejected"),
        ("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", "OAUTH_USER_REVOKED", "consent_revoked"),
        ("ITEM_ERROR", "ACCESS_NOT_GRANTED", None, "consent_revoked"),
        ("ITEM_ERROR", "SOMETHING_NEW", None, "credentials_rejected"),
        ("INVALID_INPUT", "INVALID_ACCESS_TOKEN", None, "consent_revoked"),
        ("INVALID_INPUT", "ADDITIONAL_CONSENT_REQUIRED", None, "consent_expired"),
    ],
)
def test_what_the_user_has_to_repair(script, kind, code, reason, ours):
    script.server.expect([error(None, kind, code, error_code_reason=reason)])
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert caught.value.code == ours


@pytest.mark.parametrize(
    "kind, code, family",
    [
        ("API_ERROR", "INTERNAL_SERVER_ERROR", TransientError),
        ("INSTITUTION_ERROR", "SOMETHING_NEW", TransientError),
        ("ITEM_ERROR", "PRODUCT_NOT_READY", TransientError),
        ("RATE_LIMIT_EXCEEDED", "SOMETHING_NEW", RateLimited),
        ("INVALID_REQUEST", "UNKNOWN_FIELDS", ProtocolError),
        ("INSTITUTION_ERROR", "INSTITUTION_NO_LONGER_SUPPORTED", ConfigurationError),
        ("INSTITUTION_ERROR", "INSTITUTION_REGISTRATION_REQUIRED", ConfigurationError),
        ("INSTITUTION_ERROR", "UNAUTHORIZED_INSTITUTION", ConfigurationError),
        ("RATE_LIMIT_EXCEEDED", "ADDITION_LIMIT", ConfigurationError),
    ],
)
def test_what_is_for_others(script, kind, code, family):
    script.server.expect([error(None, kind, code)])
    with pytest.raises(family):
        script.pages()


def test_a_connection_that_is_broken_says_so_at_the_refresh(script):
    exchange = Case("plaid", "refresh").exchanges[0]
    item = {**exchange["answer"]["item"], "error": {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED"}}
    script.server.expect([{**exchange, "answer": {"item": item}}])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == ("credentials_rejected", "ITEM_ERROR/ITEM_LOGIN_REQUIRED")


def test_a_renewal_that_has_not_repaired_anything_asks_again(script):
    link, accounts = Case("plaid", "renewal").exchanges
    item = {**accounts["answer"]["item"], "error": {"error_code": "ITEM_LOGIN_REQUIRED"}}
    script.server.expect([link, {**accounts, "answer": {**accounts["answer"], "item": item}}])
    step = script.walk("renew")
    assert isinstance(step, Challenge) and step.data == {"step": "again"}


def test_an_item_that_is_gone_is_given_back_all_the_same(script):
    script.server.expect(
        [
            {
                "ask": "POST /item/remove",
                "status": 400,
                "answer": {"error_type": "ITEM_ERROR", "error_code": "ITEM_NOT_FOUND"},
            }
        ]
    )
    script.adapter.revoke(script.state)


def test_a_new_account_without_likeness_gets_its_own_id(script):
    listed = [
        json.loads(json.dumps(account)) for account in Case("plaid", "accounts").exchanges[0]["answer"]["accounts"]
    ]
    listed[0] |= {"account_id": "new", "mask": "9999"}
    assert list(script.adapter._identify(listed, script.state["accounts"])) == [
        "new",
        list(script.state["accounts"])[1],
    ]


def test_a_persistent_id_counts_more_than_a_likeness(script):
    listed = Case("plaid", "accounts").exchanges[0]["answer"]["accounts"][:1]
    known = {"ours": {**script.adapter._identity(listed[0]), "account_id": "old", "persistent_account_id": "p1"}}
    assert list(script.adapter._identify([{**listed[0], "persistent_account_id": "p1", "mask": "77"}], known)) == [
        "ours"
    ]
    assert list(script.adapter._identify([{**listed[0], "persistent_account_id": "p2"}], known)) != ["ours"]


def test_a_card_that_is_overpaid_has_money(script):
    account = {"type": "credit", "name": "Card", "balances": {"current": -5, "iso_currency_code": "USD"}}
    assert str(script.adapter._account("x", account).balance) == "5"
    assert script.adapter._account("x", {**account, "balances": {"iso_currency_code": "USD"}}).balance is None


def test_amounts_of_floats_lose_their_dust(script):
    script.server.expect([sync(None, "c", "x")])
    text = json.dumps(script.server.exchanges[0]["answer"]).replace('"amount": 1', '"amount": 89.40000000000001')
    script.server.exchanges[0]["text"] = text
    assert str(script.pages()[0].transactions[0].amount) == "-89.4"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: sign(body, alg="HS256"),
        lambda body: sign(body, alg="none"),
        lambda body: sign(body, {"request_body_sha256": "0" * 64}),
        lambda body: sign(body, {"request_body_sha256": None}),
        lambda body: sign(body, {"iat": "now"}),
        lambda body: sign(body, {"iat": int(NOW.timestamp()) + 900}),
        lambda body: sign(body).rpartition(".")[0],
        lambda body: "nonsense",
        lambda body: "",
    ],
)
def test_a_forged_webhook_costs_no_request(script, spoil):
    body = b'{"webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": "x"}'
    with pytest.raises(ProtocolError) as caught:
        script.adapter.parse_webhook({"Plaid-Verification": spoil(body)}, body)
    assert caught.value.code == "invalid_request"


def test_a_key_that_has_expired_verifies_nothing(script):
    script.expect_key()
    script.server.exchanges[0]["answer"] = {"key": {**public_key(), "expired_at": 1560466143}}
    body = b'{"webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": "x"}'
    with pytest.raises(ProtocolError):
        script.adapter.parse_webhook({"Plaid-Verification": sign(body)}, body)


def test_the_page_size_follows_the_request(script):
    exchange = replace_count(sync(None, "c"), 20)
    script.server.expect([exchange])
    script.adapter.transactions(script.state, script.account, limit=20)


def replace_count(exchange, count):
    return {**exchange, "with": {**exchange["with"], "count": count}}


def test_forged_webhooks_with_new_keys_cost_little_and_stop_no_genuine_one(script):
    body = b'{"webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": "x"}'
    script.expect_key()
    script.adapter.parse_webhook({"Plaid-Verification": sign(body)}, body)
    unknown = {"error_type": "INVALID_INPUT", "error_code": "INVALID_WEBHOOK_VERIFICATION_KEY_ID"}
    ask = {"ask": "POST /webhook_verification_key/get", "status": 400, "answer": unknown}
    script.server.expect([ask] * 9)
    codes = []
    for number in range(20):
        with pytest.raises(ProviderError) as caught:
            script.adapter.parse_webhook({"Plaid-Verification": sign(body, kid=f"forged-{number}")}, body)
        codes.append(caught.value.code)
    assert codes[9:] == ["provider_busy"] * 11
    assert script.adapter.parse_webhook({"Plaid-Verification": sign(body)}, body)
    script.moment = NOW + timedelta(minutes=2)
    script.server.expect([ask])
    with pytest.raises(ProtocolError):
        script.adapter.parse_webhook(
            {"Plaid-Verification": sign(body, {"iat": int(script.moment.timestamp())}, kid="y")}, body
        )
