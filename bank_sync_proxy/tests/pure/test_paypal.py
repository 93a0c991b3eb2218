"""Quirks of PayPal; what all adapters do is in test_contract."""

from datetime import date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from bank_sync_proxy.providers import paypal
from bank_sync_proxy.providers.errors import CODES, ProtocolError
from bank_sync_proxy.tests.pure.contract import NOW
from bank_sync_proxy.tests.pure.paypal_server import PayPalScript
from bank_sync_proxy.tests.pure.published import exchanges, faults, published, request_of
from bank_sync_proxy.tests.pure.scripted import Case

CASE = Case("paypal", "unknown_fields")
TOKEN, PAGE = CASE.exchanges
ROW = PAGE["answer"]["transaction_details"][0]
SINCE = date(2026, 11, 10)
PUBLISHED = published("paypal")
TOO_LARGE = {"name": "INVALID_REQUEST", "details": [{"issue": "RESULTSET_TOO_LARGE"}]}


@pytest.fixture
def script():
    script = PayPalScript()
    yield script
    script.server.close()
    script.server.check_all()


def read(script, *rows):
    body = {**PAGE["answer"], "transaction_details": list(rows), "total_items": len(rows)}
    script.server.expect([TOKEN, {**PAGE, "answer": body}])
    return script.pages(since=SINCE)[0]


def row(**about):
    return {**ROW, "transaction_info": {**ROW["transaction_info"], **about}}


def all_places(place, pages=1):
    while place:
        yield place
        place = place.after(pages)


# -------------------------------------------------------------------------
# WHAT PAYPAL HAS PUBLISHED
# -------------------------------------------------------------------------


def of_document(name):
    return {"$ref": f"#/components/schemas/{name}", "components": PUBLISHED["components"]}


def test_every_published_status_is_known():
    assert {*paypal.STATUSES, paypal.DENIED} == set(PUBLISHED["statuses"])


def test_every_published_error_is_in_the_table_or_falls_to_the_status():
    by_status = {"INVALID_REQUEST", "RESOURCE_NOT_FOUND", "RESOURCE_CONFLICT", "UNSUPPORTED_MEDIA_TYPE"}
    by_status |= {"UNPROCESSABLE_ENTITY"}
    of_tokens = {"invalid_client", "unauthorized_client", "invalid_scope"}
    assert set(paypal.ERRORS) - of_tokens | by_status == set(PUBLISHED["error_names"])
    assert set(paypal.ERRORS.values()) <= set(CODES)


def test_the_page_size_and_the_version_are_the_published_ones():
    assert PUBLISHED["components"]["parameters"]["page_size"]["schema"]["maximum"] == paypal.PAGE_SIZE
    assert PUBLISHED["version"] == paypal.PayPal.api_version


@pytest.mark.parametrize("case, exchange", list(exchanges("paypal")), ids=lambda v: v if type(v) is str else "")
def test_requests_and_answers_are_as_published(case, exchange):
    _method, path, query = request_of(exchange)
    if path == "/oauth2/token":
        return
    parameters = {name: PUBLISHED["components"]["parameters"][name] for name in PUBLISHED["paths"][path]}
    for name, value in query:
        schema = parameters[name]["schema"]
        assert not faults(schema, int(value) if schema["type"] == "integer" else value), name
    assert {name for name, one in parameters.items() if one.get("required")} <= {name for name, _value in query}
    status = exchange.get("status", 200)
    if status == 429:
        # Not published.
        return
    if status != 200:
        assert not faults(of_document(f"error_{status}"), exchange["answer"])
        return
    answer = exchange["answer"]
    if path == "/reporting/transactions" and not answer["transaction_details"]:
        answer = {name: value for name, value in answer.items() if name != "transaction_details"}
    name = "search_response" if path == "/reporting/transactions" else "balances_response"
    assert not faults(of_document(name), answer)


# -------------------------------------------------------------------------
# AMOUNTS
# -------------------------------------------------------------------------


def test_a_month_adds_up_to_the_balance(script):
    case = script.play("month")
    (account,) = script.adapter.accounts(script.state)
    rows = script.pages(since=SINCE)[0].transactions
    assert str(account.balance) == case.gives["balance"]
    assert sum(one.amount for one in rows) == account.balance
    assert [str(one.fee.amount) for one in rows if one.fee] == ["-3.63", "-1.75", "0.35", "-2.59"]
    (payout,) = [one for one in rows if one.payout]
    assert payout.payout.to_protocol() == {"id": "1029384756", "amount": "50.00", "currency": "EUR"}
    assert [one.creditor_reference for one in rows][:2] == ["INV-2026-00042", "S00017"]


@pytest.mark.parametrize("text, amount", [(".50", "0.50"), ("-.5", "-0.5"), ("-3", "-3"), ("1.234", "1.234")])
def test_amounts_are_written_in_each_way_that_the_document_allows(text, amount):
    assert str(paypal.money({"value": text, "currency_code": "EUR"})[0]) == amount


def test_a_fee_in_another_currency_is_not_subtracted(script):
    page = read(script, ROW, row(fee_amount={"value": "-1.00", "currency_code": "USD"}))
    assert (len(page.transactions), len(page.unread)) == (1, 1)


# -------------------------------------------------------------------------
# ROWS
# -------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["T1105", "T1110", "T1111", "T1503", "T2103", "T2104"])
def test_a_hold_moves_no_money_and_is_left_out(script, code):
    assert [one.id for one in read(script, ROW, row(transaction_event_code=code)).transactions] == [
        "1AB000000000000FF-T0006"
    ]


@pytest.mark.parametrize("code", ["T2109", "T2110", "T2301"])
def test_what_may_have_moved_money_is_not_taken_for_a_hold(script, code):
    assert len(read(script, ROW, row(transaction_event_code=code)).transactions) == 2


def test_which_codes_are_holds_is_a_setting(script):
    script.settings = {"hold_codes": "T00"}
    script.adapter = script.new_adapter()
    assert [one.id[-5:] for one in read(script, ROW, row(transaction_event_code="T1110")).transactions] == ["T1110"]


def test_a_transaction_and_another_event_under_its_id_are_two(script):
    ids = [one.id for one in read(script, ROW, row(transaction_event_code="T1106")).transactions]
    assert ids == ["1AB000000000000FF-T0006", "1AB000000000000FF-T1106"]


def test_an_event_of_an_unknown_group_is_read_as_any_other(script):
    (found,) = read(script, row(transaction_event_code="T8899")).transactions
    assert (found.remittance[-1], found.payout) == ("Transaction T8899", None)


def test_what_comes_from_the_bank_is_the_other_side_of_its_line(script):
    (found,) = read(script, row(transaction_event_code="T0300", bank_reference_id="998877665")).transactions
    assert found.payout.to_protocol() == {"id": "998877665", "amount": "-121.00", "currency": "EUR"}


@pytest.mark.parametrize(
    "name, said",
    [
        ({"alternate_full_name": "Example Ltd", "given_name": "Ann"}, "Example Ltd"),
        ({"given_name": "Ann", "surname": "Example"}, "Ann Example"),
        ({}, "ann@example.com"),
    ],
)
def test_the_payer_is_named_as_well_as_paypal_can(name, said):
    assert paypal.name_of({"payer_name": name, "email_address": "ann@example.com"}) == said


# -------------------------------------------------------------------------
# WINDOWS
# -------------------------------------------------------------------------


@pytest.mark.parametrize("days", [None, 0, 1, 10, 30, 31, 32, 61, 62, 63, 400, 1093, 5000])
def test_windows_cover_the_whole_period_without_gap_and_none_is_too_long(days):
    since = None if days is None else NOW.date() - timedelta(days=days)
    places = list(all_places(paypal.Place.of(since, NOW)))
    assert places[-1].end == NOW
    assert all(place.end - place.start <= paypal.WINDOW for place in places)
    assert all(after.start - before.end == paypal.SECOND for before, after in pairwise(places))
    first = datetime.combine(since, datetime.min.time(), timezone.utc) if since else NOW - timedelta(days=1094)
    assert places[0].start <= max(first, NOW - timedelta(days=1094))
    assert places[-1].start <= NOW - timedelta(hours=12), "a window that begins after the last update is refused"


def test_a_place_in_a_cursor_is_the_same_place():
    place = paypal.Place.of(SINCE, NOW).after(2)
    assert vars(paypal.Place.from_json(place.to_json())) == vars(place)


@pytest.mark.parametrize("how", ["refused", "counted"])
def test_a_window_with_too_many_transactions_is_cut_in_halves(script, how):
    many = {**PAGE["answer"], "total_items": 10_001, "total_pages": 21}
    answer = {"status": 400, "answer": TOO_LARGE} if how == "refused" else {"answer": many}
    first, second = paypal.Place.of(SINCE, NOW).shorter(), paypal.Place.of(SINCE, NOW).shorter().after(1)
    ask = PAGE["ask"]
    script.server.expect([TOKEN, {"ask": ask, **answer}])
    for place in (first, second):
        asked = ask.replace("2026-11-09T00:00:00Z", paypal.moment_text(place.start))
        asked = asked.replace("2026-11-20T12:00:00Z", paypal.moment_text(place.end))
        script.server.expect([{"ask": asked, "answer": PAGE["answer"]}, TOKEN])
    script.server.exchanges.pop()
    assert len(script.pages(since=SINCE)) == 2
    assert first.end + paypal.SECOND == second.start and second.end == NOW


def test_ten_minutes_with_too_many_transactions_are_an_error(script):
    place = paypal.Place.of(SINCE, NOW)
    while place.can_be_shorter:
        place = place.shorter()
    assert place.end - place.start <= paypal.SMALLEST_WINDOW
    cursor = script.adapter.write_cursor("EUR", **place.to_json())
    asked = PAGE["ask"].replace("2026-11-20T12:00:00Z", paypal.moment_text(place.end))
    script.server.expect([TOKEN, {"ask": asked, "status": 400, "answer": TOO_LARGE}])
    with pytest.raises(ProtocolError):
        script.pages(cursor=cursor)


def test_news_are_as_old_as_paypals_last_update(script):
    exchanges = Case("paypal", "refresh").exchanges
    del exchanges[1]["answer"]["last_refresh_time"]
    script.server.expect(exchanges)
    assert script.adapter.refresh(script.state).refreshed_at == NOW - timedelta(hours=3)


# -------------------------------------------------------------------------
# KEYS
# -------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [{"client_id": "x"}, {"client_id": "", "client_secret": "y"}])
def test_half_a_key_is_not_sent(script, answers):
    assert script.walk(answers=answers).error == paypal.REFUSED_KEYS
    assert not script.server.asked


def test_keys_of_another_paypal_account_bring_accounts_of_their_own(script):
    exchanges = Case("paypal", "renewal").exchanges
    exchanges[1]["answer"]["account_id"] = "H7G6F5E4D3C2B"
    script.server.expect(exchanges)
    assert not set(script.walk("renew").state["accounts"]) & set(script.state["accounts"])
