"""Data that the provider calls incomplete is not used, and a refusal affects only what it is about."""

import json

import pytest

from bank_sync_proxy.providers import provider_class
from bank_sync_proxy.providers.errors import ProviderError
from bank_sync_proxy.tests.pure.contract import CODES, OFFLINE, scripted
from bank_sync_proxy.tests.pure.scripted import Case


def changed(change):
    """:return: function that changes the last answer of a case in place"""

    def spoil(exchanges):
        change(exchanges[-1]["answer"])
        return exchanges

    return spoil


def failed(status, answer):
    def spoil(exchanges):
        exchanges[-1] = {"ask": exchanges[-1]["ask"], "status": status, "answer": answer}
        return exchanges

    return spoil


def simplefin(code, **concerns):
    return changed(lambda answer: answer.update(errlist=[{"code": code, "msg": "x", **concerns}]))


#: By adapter: how its answer says that it is not all there is.
INCOMPLETE = {
    "simplefin": {
        "missing data": simplefin("act.missingdata", account_id="2930002"),
        "account": simplefin("act.", account_id="2930002"),
        "new code of the account": simplefin("act.brandnew", account_id="2930002"),
        "general": simplefin("gen."),
        "new general code": simplefin("gen.brandnew"),
        "bank": simplefin("con.", conn_id="CON-1"),
        "new kind": simplefin("brandnew"),
    },
    "plaid": {
        "not loaded yet": changed(lambda answer: answer.update(transactions_update_status="NOT_READY")),
        "item error": failed(400, {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED"}),
    },
    "bunq": {"no place of the next page": changed(lambda answer: answer.pop("Pagination"))},
    "enable_banking": {"page taken back": failed(422, {"error": "WRONG_CONTINUATION_KEY", "code": 422})},
    "gocardless": {"bank broken": failed(503, {"type": "ServiceError", "status_code": 503})},
    "ponto": {"half a list": changed(lambda answer: answer.update(data=None))},
    "qonto": {"no place of the next page": changed(lambda answer: answer.update(meta={}))},
    "revolut_business": {"no list": failed(200, {"transactions": []})},
    "salt_edge": {
        "still being fetched": failed(406, {"error": {"class": "ConnectionAlreadyProcessing", "message": "x"}}),
        "no list": changed(lambda answer: answer.update(data=None)),
    },
    "mollie": {
        "no word on more": changed(lambda answer: answer.pop("_links")),
        "a next page without its place": changed(
            lambda answer: answer["_links"].update(next={"href": "https://api.mollie.com/v2/x", "type": "text/html"})
        ),
    },
    "paypal": {
        "no number of pages": changed(lambda answer: answer.pop("total_pages")),
        "no list": changed(lambda answer: (answer.update(total_items=1), answer.pop("transaction_details"))),
    },
    "stripe": {
        "no word on more": changed(lambda answer: answer.pop("has_more")),
        "more without an id": changed(lambda answer: answer.update(has_more=True, data=[{"id": None}])),
    },
    "teller": {"no list": failed(200, {"transactions": []})},
    "yodlee": {"no list": changed(lambda answer: answer.update(transaction="none"))},
    "fints": {},
}


@pytest.fixture
def script(code):
    with scripted(code) as script:
        yield script


def play(script, exchanges):
    """Answer by path, any number of times, so that repeated requests get the same answer."""

    def find(request):
        path = script.server.prefix
        same = [e for e in exchanges if f"{path}{e['ask'].split(' ')[1].split('?')[0]}" == request.path]
        return same[-1] if same else {"ask": "", "status": 404, "answer": {}}

    script.server._next, script.server._compare = find, lambda exchange, request: None


@pytest.mark.parametrize(
    "code, name", [(code, name) for code, cases in INCOMPLETE.items() for name in cases], ids=lambda value: value
)
def test_an_incomplete_answer_gives_no_page(script, code, name):
    exchanges = json.loads(json.dumps(Case(code, "empty").exchanges))
    play(script, INCOMPLETE[code][name](exchanges))
    with pytest.raises(ProviderError):
        script.pages()


def test_each_adapter_declares_how_it_reports_incomplete_answers():
    assert set(INCOMPLETE) == set(CODES) - OFFLINE


#: By adapter: how it says that one account is closed, or no longer given; the whole consent has not ended.
CLOSED = {
    "bunq": failed(404, {"Error": [{"error_description": "x"}]}),
    "enable_banking": failed(422, {"error": "ASPSP_ACCOUNT_NOT_ACCESSIBLE", "code": 422}),
    "gocardless": failed(409, {"type": "AccountInactiveError", "status_code": 409}),
    "plaid": failed(400, {"error_type": "INVALID_INPUT", "error_code": "INVALID_ACCOUNT_ID"}),
    "simplefin": changed(lambda answer: answer.update(accounts=[])),
    "ponto": failed(404, {"errors": [{"code": "resourceNotFound", "detail": "x"}]}),
    "qonto": failed(404, {"errors": [{"code": "not_found", "detail": "x"}]}),
    "mollie": failed(404, {"status": 404, "title": "Not Found", "detail": "x"}),
    "revolut_business": failed(404, {"code": 3001, "error_id": "x", "message": "x"}),
    "salt_edge": failed(404, {"error": {"class": "AccountNotFound", "message": "x"}}),
    "teller": failed(410, {"error": {"code": "account.closed", "message": "x"}}),
}


@pytest.mark.parametrize("code", CLOSED)
def test_one_account_that_is_refused_does_not_end_the_consent(script, code):
    exchanges = json.loads(json.dumps(Case(code, "empty").exchanges))
    play(script, CLOSED[code](exchanges))
    with pytest.raises(ProviderError) as caught:
        script.pages()
    # The database remembers these with the account; see ``account_online_account.py`` in the database's addon.
    assert caught.value.code in ("account_refused", "unknown_account")


@pytest.mark.parametrize("status", [400, 404, 406, 422])
@pytest.mark.parametrize("code", [code for code in CODES if provider_class(code).facts.bookmark])
def test_refused_bookmark_is_distinguished_from_a_failure(script, code, status):
    """So that the database asks by date instead of with the same bookmark for ever."""
    exchanges = json.loads(json.dumps(Case(code, "empty").exchanges))
    play(script, exchanges)
    bookmark = script.pages()[-1].next_cursor
    exchanges[-1] = {"ask": exchanges[-1]["ask"], "status": status, "answer": {"error_code": "INVALID_FIELD"}}
    play(script, exchanges)
    script.adapter = script.new_adapter()
    with pytest.raises(ProviderError) as caught:
        script.pages(cursor=bookmark)
    assert (caught.value.code, caught.value.action) == ("bookmark_refused", "retry")


@pytest.mark.parametrize("code", [code for code in CODES if provider_class(code).facts.bookmark])
def test_a_failure_that_passes_does_not_cost_the_bookmark(script, code):
    exchanges = json.loads(json.dumps(Case(code, "empty").exchanges))
    play(script, exchanges)
    bookmark = script.pages()[-1].next_cursor
    for status in (429, 500):
        exchanges[-1] = {"ask": exchanges[-1]["ask"], "status": status, "answer": {}}
        play(script, exchanges)
        script.adapter = script.new_adapter()
        with pytest.raises(ProviderError) as caught:
            script.pages(cursor=bookmark)
        assert caught.value.code != "bookmark_refused"


# -------------------------------------------------------------------------
# ONE ACCOUNT OF SEVERAL
# -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
@pytest.mark.parametrize("number", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("code", ["enable_banking", "gocardless", "teller"])
def test_a_balance_that_is_refused_hides_no_other_account(script, code, number, status):
    """Of adapters that ask for each balance; the others get all of them in one answer."""
    exchanges = json.loads(json.dumps(Case(code, "accounts").exchanges))
    balances = [exchange for exchange in exchanges if "/balances" in exchange["ask"]]
    good = next(exchange for exchange in balances if exchange.get("status", 200) == 200)
    for exchange in balances:
        exchange |= {"status": 200, "answer": good["answer"]}
    balances[number] |= {"status": status, "answer": {}}
    play(script, exchanges)
    accounts = script.adapter.accounts(script.state)
    assert len(accounts) == len(script.state["accounts"]) > 1
    assert accounts[number].balance is None


@pytest.mark.parametrize("code", ["enable_banking", "gocardless", "teller"])
def test_balances_that_are_all_refused_are_a_failure(script, code):
    exchanges = json.loads(json.dumps(Case(code, "accounts").exchanges))
    for exchange in exchanges:
        if "/balances" in exchange["ask"]:
            exchange |= {"status": 500, "answer": {}}
    play(script, exchanges)
    with pytest.raises(ProviderError):
        script.adapter.accounts(script.state)
