"""Quirks of Mollie; what all adapters do is in test_contract."""

from datetime import date

import pytest

from bank_sync_proxy.providers import mollie
from bank_sync_proxy.providers.errors import TransientError
from bank_sync_proxy.tests.pure.mollie_server import MollieScript
from bank_sync_proxy.tests.pure.published import exchanges, faults, published, request_of
from bank_sync_proxy.tests.pure.scripted import Case

PAGE = Case("mollie", "empty").exchanges[0]
ROW = Case("mollie", "unknown_fields").exchanges[0]["answer"]["_embedded"]["balance_transactions"][0]
PUBLISHED = published("mollie")


@pytest.fixture
def script():
    script = MollieScript()
    yield script
    script.server.close()
    script.server.check_all()


def answer(*rows, after=None):
    link = after and {"href": f"https://api.mollie.com/v2/x?limit=250&from={after}", "type": "application/hal+json"}
    return {**PAGE["answer"], "_embedded": {"balance_transactions": list(rows)}, "_links": {"next": link}}


def read(script, *rows):
    script.server.expect([{**PAGE, "answer": answer(*rows)}])
    return script.pages()[0]


def on(day, name="baltr_1"):
    return {**ROW, "id": name, "createdAt": f"2026-11-{day:02d}T10:00:00+00:00"}


# -------------------------------------------------------------------------
# WHAT MOLLIE HAS PUBLISHED
# -------------------------------------------------------------------------


def test_every_published_type_is_in_the_table_and_no_other():
    assert set(mollie.TYPES) == set(PUBLISHED["types"])
    assert len(mollie.TYPES) == len(PUBLISHED["types"])


def test_every_name_of_a_text_is_published():
    assert {*mollie.TEXTS, "settlementId", "transferId"} <= set(PUBLISHED["context_names"])


@pytest.mark.parametrize("case, exchange", list(exchanges("mollie")), ids=lambda v: v if type(v) is str else "")
def test_requests_and_answers_are_as_published(case, exchange):
    _method, path, query = request_of(exchange)
    is_list = path.endswith("/transactions")
    path = "/balances/{balanceId}/transactions" if is_list else path
    assert {name for name, _value in query} <= set(PUBLISHED["parameters"][path])
    if case == "undocumented":
        return
    schema = path if exchange.get("status", 200) == 200 else "error"
    assert not faults(PUBLISHED["schemas"][schema], exchange["answer"])
    for row in exchange["answer"].get("_embedded", {}).get("balance_transactions", ()):
        assert row["type"] in PUBLISHED["types"]


# -------------------------------------------------------------------------
# AMOUNTS
# -------------------------------------------------------------------------


def test_a_month_adds_up_to_the_balance(script):
    case = script.play("month")
    (account,) = script.adapter.accounts(script.state)
    rows = script.pages()[0].transactions
    assert str(account.balance) == case.gives["balance"]
    assert sum(row.amount for row in rows) == account.balance
    assert [str(row.fee.amount) for row in rows if row.fee] == ["-1.60", "-0.90", "-0.25", "-1.35", "-15.00"]
    (payout,) = [row for row in rows if row.payout]
    assert payout.payout.to_protocol() == {"id": "1234567.2611.09", "amount": "50.00", "currency": "EUR"}
    assert [row.creditor_reference for row in rows][:2] == ["INV/2026/00042", "S00017"]


def test_gross_and_net_in_two_currencies_are_not_subtracted(script):
    page = read(script, ROW, {**ROW, "initialAmount": {"currency": "USD", "value": "121.00"}})
    assert (len(page.transactions), len(page.unread)) == (1, 1)


@pytest.mark.parametrize("setting, amount", [("", "905.25"), ("available and pending", "915.25")])
def test_whether_what_is_pending_is_booked_is_a_setting(script, setting, amount):
    script.settings = {"booked_balance": setting}
    script.adapter = script.new_adapter()
    script.play("refresh")
    assert str(script.adapter.accounts(script.state)[0].balance) == amount


# -------------------------------------------------------------------------
# PAGES
# -------------------------------------------------------------------------


def test_pages_end_before_the_day_that_is_wanted(script):
    script.server.expect([{**PAGE, "answer": answer(on(12), on(9), after="baltr_8")}])
    (page,) = script.pages(since=date(2026, 11, 10))
    assert [row.booking_date.day for row in page.transactions] == [12]


def test_pages_in_no_order_are_read_to_the_end(script):
    script.server.expect([{**PAGE, "answer": answer(on(9), on(12), on(8), after="baltr_8")}])
    script.server.expect([{**PAGE, "ask": f"{PAGE['ask']}&from=baltr_8", "answer": answer(on(15, "baltr_8"))}])
    pages = script.pages(since=date(2026, 11, 10))
    assert [row.booking_date.day for page in pages for row in page.transactions] == [12, 15]


def test_all_pages_of_balances_are_read(script):
    exchange = Case("mollie", "refresh").exchanges[0]
    first, second = exchange["answer"]["_embedded"]["balances"]
    link = {"href": "https://api.mollie.com/v2/balances?from=bal_usd&limit=250", "type": "application/hal+json"}
    for name, balance, after in (("", first, link), ("&from=bal_usd", second, None)):
        body = {**exchange["answer"], "_embedded": {"balances": [balance]}, "_links": {"next": after}}
        script.server.expect([{"ask": exchange["ask"] + name, "answer": body}])
    assert len(script.adapter.accounts(script.state)) == 2


# -------------------------------------------------------------------------
# PAYOUTS
# -------------------------------------------------------------------------

PAID_OUT = {**ROW, "type": "outgoing-transfer", "context": {"settlementId": "stl_1", "transferId": "trf_1"}}
SETTLEMENTS = "GET /settlements?limit=250&from=stl_1"


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_payout_whose_settlement_can_not_be_read_has_its_id(script, status):
    script.server.expect([{**PAGE, "answer": answer(PAID_OUT)}, {"ask": SETTLEMENTS, "status": status, "answer": {}}])
    assert script.pages()[0].transactions[0].payout.id == "stl_1"


def test_settlements_that_fail_for_a_moment_end_the_page(script):
    script.server.expect([{**PAGE, "answer": answer(PAID_OUT)}, {"ask": SETTLEMENTS, "status": 500, "answer": {}}])
    with pytest.raises(TransientError):
        script.pages()


# -------------------------------------------------------------------------
# TOKENS
# -------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "live_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM", "test_x", "access_ü2345678", "access_1"])
def test_text_that_is_not_an_organisation_token_is_not_sent(script, token):
    assert script.walk(answers={"access_token": token}).error == mollie.NO_TOKEN
    assert not script.server.asked


def test_a_token_that_may_not_read_settlements_is_refused_at_once(script):
    balances, settlements = Case("mollie", "connect").exchanges
    script.server.expect([balances, {"ask": settlements["ask"], "status": 403, "answer": {}}])
    assert script.walk().error == mollie.REFUSED_TOKEN


def test_the_sandbox_asks_for_test_balances(script):
    script.adapter.production = False
    script.server.expect([{**PAGE, "ask": f"{PAGE['ask']}&testmode=true"}])
    script.pages()
