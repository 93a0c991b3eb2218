"""Quirks of Stripe; what all adapters do is in test_contract."""

from decimal import Decimal

import pytest

from bank_sync_proxy.providers import stripe
from bank_sync_proxy.providers.errors import CODES, ConsentError
from bank_sync_proxy.providers.types import Completed
from bank_sync_proxy.tests.pure.published import exchanges, faults, published, request_of
from bank_sync_proxy.tests.pure.scripted import Case
from bank_sync_proxy.tests.pure.stripe_server import StripeScript

PAGE = Case("stripe", "empty").exchanges[0]
ROW = Case("stripe", "unknown_fields").exchanges[0]["answer"]["data"][0]
PUBLISHED = published("stripe")


@pytest.fixture
def script():
    script = StripeScript()
    yield script
    script.server.close()
    script.server.check_all()


def read(script, *rows):
    script.server.expect([{**PAGE, "answer": {"object": "list", "data": list(rows), "has_more": False}}])
    return script.pages()[0]


# -------------------------------------------------------------------------
# WHAT STRIPE HAS PUBLISHED
# -------------------------------------------------------------------------


def test_every_published_type_is_in_the_table_and_no_other():
    assert set(stripe.TYPES) == set(PUBLISHED["types"])
    assert len(stripe.TYPES) == len(PUBLISHED["types"])


def test_every_error_code_of_the_table_is_published_and_the_rest_falls_to_the_status():
    assert set(stripe.ERRORS) <= set(PUBLISHED["error_codes"])
    assert set(stripe.ERRORS.values()) <= set(CODES)
    assert not set(PUBLISHED["error_types"]) & set(stripe.ERRORS), "a type says less than the status"


def test_the_version_is_the_one_of_the_published_document():
    assert PUBLISHED["api_version"] == stripe.API_VERSION
    assert stripe.BALANCE in PUBLISHED["balance_types"]


@pytest.mark.parametrize(
    "case, exchange", list(exchanges("stripe")), ids=lambda value: value if type(value) is str else ""
)
def test_requests_and_answers_are_as_published(case, exchange):
    method, path, query = request_of(exchange)
    is_one = path.startswith("/balance_transactions/")
    allowed = PUBLISHED["parameters"][f"{method} /balance_transactions/{{id}}" if is_one else f"{method} {path}"]
    for name, _value in query:
        base, _bracket, inner = name.rstrip("]").partition("[")
        assert base in allowed and (base != "created" or inner in PUBLISHED["created"]), name
    if exchange.get("status", 200) != 200:
        assert exchange["answer"]["error"]["type"] in PUBLISHED["error_types"]
        return
    if path == "/balance":
        assert not faults(PUBLISHED["schemas"]["balance"], exchange["answer"])
        return
    for row in [exchange["answer"]] if is_one else exchange["answer"]["data"]:
        if case == "undocumented":
            continue
        assert not faults(PUBLISHED["schemas"]["balance_transaction"], row)
        assert row["type"] in PUBLISHED["types"] and row["balance_type"] in PUBLISHED["balance_types"]
        if source := row["source"]:
            assert not faults(PUBLISHED["schemas"][source["object"]], source)


# -------------------------------------------------------------------------
# AMOUNTS
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "currency, amount", [("eur", "12.34"), ("jpy", "1234"), ("kwd", "1.234"), ("isk", "12.34"), ("ugx", "12.34")]
)
def test_amounts_count_the_smallest_unit_of_their_currency(currency, amount):
    assert str(stripe.money(1234, currency)[0]) == amount


@pytest.mark.parametrize("amount", [12.5, "12", None, True])
def test_an_amount_that_is_no_whole_number_is_not_guessed(amount):
    with pytest.raises(ValueError):
        stripe.money(amount, "eur")


def test_gross_less_fee_is_net_or_the_row_is_not_read(script):
    page = read(script, ROW, {**ROW, "id": "txn_wrong", "net": ROW["net"] + 1})
    assert [row.id for row in page.transactions] == ["txn_full"]
    assert [row.id for row in page.unread] == ["txn_wrong"]


def test_a_month_adds_up_to_the_balance(script):
    case = script.play("month")
    (account,) = [one for one in script.adapter.accounts(script.state) if one.id == "eur"]
    rows = script.pages()[0].transactions
    assert str(account.balance) == case.gives["balance"]
    assert sum(row.amount for row in rows) == account.balance
    assert sum(row.amount - (row.fee.amount if row.fee else 0) for row in rows) - account.balance == Decimal("28.19")
    (payout,) = [row for row in rows if row.payout]
    assert payout.payout.to_protocol() == {"id": "po_1QxMonth", "amount": "50.00", "currency": "EUR"}
    assert [row.creditor_reference for row in rows][:2] == ["INV/2026/00042", "S00017"]
    assert "Fraudulent" in rows[4].remittance and rows[4].fee.description == "Dispute fee"


def test_a_fee_that_is_given_back_is_positive(script):
    row = {**ROW, "type": "refund", "amount": -1000, "fee": -30, "net": -970}
    (found,) = read(script, row).transactions
    assert (str(found.amount), str(found.fee.amount)) == ("-9.70", "0.30")


# -------------------------------------------------------------------------
# ROWS
# -------------------------------------------------------------------------


def test_what_is_part_of_another_balance_is_left_out(script):
    rows = [{**ROW, "id": f"txn_{name}", "balance_type": name} for name in PUBLISHED["balance_types"]]
    assert [row.id for row in read(script, *rows).transactions] == ["txn_payments"]


def test_a_type_that_is_new_is_read_as_any_other(script):
    row = {**ROW, "type": "brand_new", "reporting_category": "brand_new", "source": None, "description": None}
    (found,) = read(script, row).transactions
    assert (found.remittance, found.payout, found.counterparty.name) == (("Brand new",), None, None)


def test_a_payout_is_named_also_where_only_its_id_comes(script):
    row = {**ROW, "type": "payout", "amount": -500, "fee": 50, "net": -550, "source": "po_9", "description": None}
    (found,) = read(script, row).transactions
    assert found.payout.to_protocol() == {"id": "po_9", "amount": "5.00", "currency": "EUR"}
    assert str(found.amount) == "-5.50"


@pytest.mark.parametrize("kind", ["payout_failure", "payout_cancel"])
def test_a_payout_that_comes_back_is_none_at_the_bank(script, kind):
    (found,) = read(script, {**ROW, "type": kind, "source": {"id": "po_9"}}).transactions
    assert found.payout is None


def test_the_day_is_the_one_of_utc(script):
    (found,) = read(script, {**ROW, "created": 1793491199}).transactions
    assert found.booking_date.isoformat() == "2026-10-31"


# -------------------------------------------------------------------------
# KEYS
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key, error",
    [
        ("", stripe.NO_KEY),
        ("pk_live_12345678", stripe.NO_KEY),
        ("rk_live_ü2345678", stripe.NO_KEY),
        ("sk_live_12345678", stripe.TOO_MIGHTY),
        ("rk_test_12345678", stripe.OTHER_MODE),
    ],
)
def test_what_is_no_restricted_key_of_this_mode_is_not_sent(script, key, error):
    assert script.walk(answers={"secret_key": key}).error == error
    assert not script.server.asked


def test_a_key_that_may_not_read_transactions_is_refused_at_once(script):
    script.server.expect(Case("stripe", "connect").exchanges[:1])
    ask = Case("stripe", "connect").exchanges[1]["ask"]
    script.server.expect([{"ask": ask, "status": 403, "answer": {"error": {"type": "invalid_request_error"}}}])
    assert script.walk().error == stripe.REFUSED_KEY


def test_a_key_of_another_stripe_account_does_not_renew_the_connection(script):
    first, second, third = Case("stripe", "renewal").exchanges
    missing = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}}
    script.server.expect([first, second, {"ask": third["ask"], "status": 404, "answer": missing}])
    assert script.walk("renew").error == stripe.OTHER_ACCOUNT


def test_an_account_without_transactions_is_remembered_by_its_first_one(script):
    exchanges = Case("stripe", "connect").exchanges
    exchanges[1]["answer"]["data"] = []
    script.server.expect(exchanges)
    completed = script.walk()
    assert completed.state["anchor"] is None
    script.__dict__["state"] = completed.state
    script.server.expect(Case("stripe", "renewal").exchanges[:2])
    renewed = script.walk("renew")
    assert isinstance(renewed, Completed) and renewed.state["anchor"] == "txn_newest"


def test_a_new_key_of_the_same_account_keeps_its_journals(script):
    script.play("consent_revoked")
    with pytest.raises(ConsentError):
        script.pages()
    script.play("renewal")
    assert {"eur", "usd"} <= set(script.walk("renew").state["accounts"])
