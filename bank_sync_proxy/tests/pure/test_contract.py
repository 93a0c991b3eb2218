"""What every adapter has to do, over real HTTP against its scripted server. A provider without a script fails here."""

import json
import logging
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from email.utils import format_datetime

import pytest

from bank_sync_proxy.providers import provider_class
from bank_sync_proxy.providers.errors import (
    ConfigurationError,
    ConsentError,
    ProtocolError,
    ProviderError,
    RateLimited,
    TransientError,
)
from bank_sync_proxy.providers.parts import Part
from bank_sync_proxy.providers.types import Challenge, Completed, Flow, Refreshed
from bank_sync_proxy.providers.web import WebProvider
from bank_sync_proxy.tests.pure.contract import (
    CALLBACK_URL,
    CASES,
    CODES,
    LIBRARIES,
    NO_DAYS,
    NO_NUMBERS,
    NO_TEXTS,
    NOW,
    STATE,
    script_class,
    texts_of,
)
from bank_sync_proxy.tests.pure.scripted import FIXTURES, Case, is_part

pytestmark = pytest.mark.parametrize("code", CODES)


@pytest.fixture(autouse=True)
def have_the_library(code):
    """An adapter may need a library that Python itself does not come with, or that wants a newer Python."""
    if library := LIBRARIES.get(code):
        pytest.importorskip(library)


@pytest.fixture
def script(code, caplog):
    caplog.set_level(logging.DEBUG)
    script = script_class(code)()
    yield script
    script.server.close()
    script.server.check_all()
    logged = caplog.text
    for secret in script.secrets:
        assert secret not in logged, "a secret is in the log"


def possible(case):
    if case.impossible:
        pytest.skip(f"{case.name}: {case.impossible}")
    return case


def replay(script, **answer):
    """Expect the request for transactions, once, with another answer."""
    case = Case(script.code, "empty")
    script.server.expect([*case.exchanges[:-1], {"ask": case.exchanges[-1]["ask"], **answer}])


def repeat_last(script, **answer):
    """Expect it once more, where the adapter may ask again."""
    if script.asks_once:
        return
    script.server.expect([{**script.server.exchanges[-1], **answer}])


def failure(script, family, call=None):
    with pytest.raises(family) as caught:
        call() if call else script.pages()
    error = caught.value
    assert error.provider == script.code
    for secret in script.secrets:
        assert secret not in str(error)
    return error


# -------------------------------------------------------------------------
# THE PROVIDER ITSELF
# -------------------------------------------------------------------------


def test_there_is_a_fixture_for_every_case(code):
    names = {path.stem for path in (FIXTURES / code).glob("*.json")}
    assert set(CASES) | {"state"} <= names
    for path in (FIXTURES / code).glob("*.json"):
        data = json.loads(path.read_text())
        assert path.stem == "state" or data.get("impossible") or data["source"], "a fixture says where it comes from"


def test_what_is_declared_agrees_with_what_is_possible(code):
    adapter = provider_class(code)
    assert issubclass(adapter, WebProvider)
    assert adapter.facts and adapter.docs_url and adapter.production_url and adapter.sandbox_url
    assert adapter.facts.removals != bool(Case(code, "removal").impossible)
    assert adapter.facts.pending != bool(Case(code, "pending_and_booked").impossible)
    assert adapter.facts.webhooks != bool(Case(code, "webhook").impossible)


def test_keys_that_are_missing_are_the_administrator_s_business(code):
    adapter = provider_class(code)()
    if not any(setting.required for setting in adapter.settings_needed):
        adapter.check_settings()
        return
    with pytest.raises(ConfigurationError):
        adapter.check_settings()


# -------------------------------------------------------------------------
# CONSENT
# -------------------------------------------------------------------------


def test_institutions(script):
    case = script.play("institutions")
    institutions = list(script.adapter.institutions(script.country))
    assert is_part(case.gives["institutions"], [vars(i) | vars(i.capabilities) for i in institutions])
    assert len({institution.id for institution in institutions}) == len(institutions)
    json.dumps([asdict(institution) for institution in institutions], allow_nan=False)


def test_a_consent_brings_state_accounts_and_its_end(script):
    case = script.play("connect")
    completed = script.walk()
    assert isinstance(completed, Completed), completed
    assert json.loads(json.dumps(completed.state)) == script.state
    assert is_part(case.gives["accounts"], [account.to_protocol() for account in completed.accounts])
    expiry = completed.consent_expires_at
    assert (expiry and expiry.isoformat()) == case.gives["consent_expires_at"]
    assert completed.reference == case.gives.get("reference")
    assert all(secret not in repr(completed) for secret in script.secrets)


def test_user_who_refuses_can_try_again_or_gets_an_error(script):
    case = possible(script.play("refused"))
    try:
        step = script.walk(answers=script.refused_answers, callback=script.refusal)
    except ConsentError as error:
        assert error.code == case.gives["code"]
    else:
        assert isinstance(step, Challenge) and step.kind == case.gives["kind"]
        assert bool(step.error) == (step.kind == "credentials")


def test_an_answer_of_another_visit_is_refused(script):
    case = Case(script.code, "connect")
    adapter = script.adapter
    for wrong in ({}, {**script.callback, "state": "of-another-visit"}, {**script.callback, "state": ""}):
        flow = Flow("connect", script.institution, CALLBACK_URL, STATE, data={"state": STATE})
        if adapter.facts.connect in ("bank's pages", "provider's pages"):
            with pytest.raises(ProtocolError):
                adapter.complete(flow, wrong)
        else:
            with pytest.raises(NotImplementedError):
                adapter.complete(flow, wrong)
    assert case.exchanges and not script.server.asked


def test_a_renewal_keeps_the_ids_of_the_accounts(script):
    case = script.play("renewal")
    completed = script.walk("renew")
    assert isinstance(completed, Completed), completed
    assert [account.id for account in completed.accounts] == case.gives["ids"]
    if not case.gives.get("same_state"):
        assert completed.state != script.state


def walk_listing(script, kind, numbers):
    """The user gives a consent, and the bank lists accounts that differ only in their ids.

    :return: our ids by the provider's own, in the order of the list
    """
    exchanges = Case(script.code, "renewal" if kind == "renew" else "connect").exchanges
    script.list_accounts(exchanges, script.some_alike(numbers))
    script.server.expect(exchanges)
    completed = script.walk(kind)
    assert isinstance(completed, Completed), completed
    assert [account.id for account in completed.accounts] == list(completed.state["accounts"])
    script.state = json.loads(json.dumps(completed.state))
    return {account[script.own_id]: key for key, account in completed.state["accounts"].items()}


@pytest.mark.parametrize(
    "numbers",
    [
        *[(2, 1), (3, 2, 1), (3, 2)],
        *(
            pytest.param(numbers, marks=pytest.mark.thorough)
            for numbers in [(1, 2), (1,), (2,), (3, 1, 2), (2, 3), (3,)]
        ),
    ],
    ids=lambda numbers: "-".join(map(str, numbers)),
)
def test_a_renewal_keeps_alike_accounts_apart_however_they_are_listed(script, numbers):
    """Listed in another order; one closed or not ticked any more; a new one beside them, or instead of them."""
    before = walk_listing(script, "connect", (1, 2))
    known = dict(zip((1, 2), before, strict=True))
    after = walk_listing(script, "renew", numbers)
    for number, name in zip(numbers, after, strict=True):
        if number in known:
            assert name == known[number] and after[name] == before[name]
        else:
            assert after[name] not in before.values()


def test_alike_accounts_whose_ids_are_all_new_are_not_guessed(script):
    before = walk_listing(script, "connect", (1, 2))
    after = walk_listing(script, "renew", (4, 5))
    assert len(after) == 2 and not set(after.values()) & set(before.values())


@pytest.mark.parametrize("numbers", [(2, 1), (2,), (3, 2, 1), (3, 2)], ids=lambda numbers: "-".join(map(str, numbers)))
def test_alike_accounts_are_kept_apart_whenever_they_are_listed(script, numbers):
    if not script.lists_again:
        pytest.skip("the accounts are listed with a consent only")
    walk_listing(script, "connect", (1, 2))
    shown = []
    for listing in ((1, 2), numbers):
        exchanges = Case(script.code, script.lists_again).exchanges
        script.list_accounts(exchanges, script.some_alike(listing))
        script.server.expect(exchanges)
        state = script.state
        if script.lists_again == "refresh":
            state = script.adapter.refresh(state).state
        shown.append({account.id: account.balance for account in script.adapter.accounts(state)})
    known = {key: balance for key, balance in shown[1].items() if key in script.state["accounts"]}
    assert known == {key: balance for key, balance in shown[0].items() if balance in numbers}


def test_a_consent_is_given_back(script):
    script.play("revoke")
    script.adapter.revoke(script.state)


def test_a_refresh(script):
    case = script.play("refresh")
    refreshed = script.adapter.refresh(script.state)
    assert isinstance(refreshed, Refreshed)
    assert refreshed.refreshed_at.isoformat() == case.gives.get("refreshed_at", NOW.isoformat())
    assert json.loads(json.dumps(refreshed.state)) == {**script.state, **case.gives.get("state", {})}


def test_keys_can_be_tested(script):
    case = possible(script.play("keys"))
    assert script.adapter.check_keys() == case.gives["says"]


def test_keys_that_are_refused_say_who_must_act(script):
    case = script.play("keys_refused")
    # Keys of the proxy are its administrator's business, keys that a user has pasted are the user's.
    ours = any(setting.required for setting in script.adapter.settings_needed)
    error = failure(script, ConfigurationError if ours else ConsentError)
    assert error.code == case.gives["code"]


# -------------------------------------------------------------------------
# ACCOUNTS AND TRANSACTIONS
# -------------------------------------------------------------------------


def test_accounts_come_with_their_booked_balances(script):
    case = script.play("accounts")
    accounts = [account.to_protocol() for account in script.adapter.accounts(script.state)]
    assert is_part(case.gives["accounts"], accounts), accounts
    json.dumps(accounts, allow_nan=False)


def test_an_available_amount_never_arrives_as_a_booked_balance(script):
    if script.always_booked:
        pytest.skip(script.always_booked)
    case = script.play("accounts")
    for exchange in case.exchanges:
        if exchange.get("status", 200) == 200 and isinstance(exchange.get("answer"), dict):
            script.leave_out_booked(exchange["answer"])
    accounts = [account.to_protocol() for account in script.adapter.accounts(script.state)]
    assert any(account["available"] for account in accounts)
    assert not [
        account for account in accounts if account["balance"] or account["balance_at"] or account["balance_date"]
    ]


def test_a_balance_says_up_to_which_day_it_counts(script):
    script.play("accounts")
    for account in script.adapter.accounts(script.state):
        reported = account.to_protocol()
        assert bool(reported["balance"]) == bool(reported["balance_at"]) == bool(reported["balance_date"])
        assert not reported["balance_date"] or reported["balance_date"] <= NOW.date().isoformat()


@pytest.mark.parametrize(
    "name", ["paging", "empty", "unknown_fields", "pending_and_booked", "removal", "same_id_twice", "two_currencies"]
)
def test_transactions(script, name):
    case = possible(script.play(name))
    since = case.given.get("since")
    pages = script.pages(
        since=since and NOW.date().fromisoformat(since),
        cursor=case.given.get("cursor"),
        account=case.given.get("account"),
    )
    given = [transaction.to_protocol() for page in pages for transaction in page.transactions]
    assert is_part(case.gives["transactions"], given), json.dumps(given, indent=1)
    assert [removed for page in pages for removed in page.removed_ids] == case.gives.get("removed", [])
    assert len(pages) == case.gives.get("pages", 1)
    assert bool(pages[-1].next_cursor) == script.adapter.facts.bookmark
    for page in pages:
        days = [transaction.booking_date for transaction in page.transactions if transaction.status == "booked"]
        assert days == sorted(days), "a page is oldest first, and what is booked has a day"
    for transaction in given:
        assert transaction["raw"], "what the provider said is kept"


def test_an_undocumented_row_is_given_as_it_came(script):
    """Its database keeps it for a person; the rest of the page goes in."""
    case = script.play("undocumented")
    unread = script.adapter.transactions(script.state, script.account).unread
    assert unread and is_part(case.gives.get("unread", []), [vars(row) for row in unread])
    for row in unread:
        assert row.problem and "\n" not in row.problem
        assert row.raw, "what the provider said is kept"
        assert row.status in (None, "booked", "pending")


def beside_a_good_row(script, bad):
    """Expect a page once as documented, and once with bad rows before the good ones.

    :return: what both times of asking give
    """
    case = Case(script.code, "unknown_fields")
    since = case.given.get("since")
    asked = {"since": since and NOW.date().fromisoformat(since), "account": case.given.get("account")}
    script.server.expect(case.exchanges)
    good = script.pages(**asked)
    row = good[-1].transactions[-1].raw
    exchanges = Case(script.code, "unknown_fields").exchanges
    script.put_beside(row, exchanges, bad)
    script.server.expect(exchanges)
    script.adapter = script.new_adapter()
    return good, lambda: script.pages(**asked)


def test_a_bad_row_does_not_keep_the_others_away(script):
    good, ask = beside_a_good_row(script, [said for said, _kept in script.bad_rows])
    pages = ask()
    assert [page.transactions for page in pages] == [page.transactions for page in good]
    assert [page.next_cursor for page in pages] == [page.next_cursor for page in good]
    unread = [row for page in pages for row in page.to_protocol()["transactions"] if "problem" in row]
    assert [row["raw"] for row in unread] == [kept for _said, kept in script.bad_rows]


def test_placeholder_is_not_a_value(script):
    """Each text of a transaction, one after the other, is a placeholder for a missing value."""
    case = Case(script.code, "unknown_fields")
    since = case.given.get("since")
    asked = {"since": since and NOW.date().fromisoformat(since), "account": case.given.get("account")}
    script.server.expect(case.exchanges)
    row = script.pages(**asked)[-1].transactions[-1].raw
    variants = script.placeholders(row)
    assert len(variants) > 10
    for begin in range(0, len(variants), 10):
        # More than ten rows that can't be read would be another mistake.
        exchanges = Case(script.code, "unknown_fields").exchanges
        script.put_beside(row, exchanges, variants[begin : begin + 10])
        script.server.expect(exchanges)
        script.adapter = script.new_adapter()
        for page in script.pages(**asked):
            for transaction in page.transactions:
                reported = transaction.to_protocol()
                del reported["raw"]
                values = [text.rpartition(":")[2].strip() for _path, text in texts_of(reported)]
                assert not {*values} & {"XXX", *NO_TEXTS, *NO_DAYS}, reported
                numbers = {reported["id"], reported["counterparty"]["account_number"], reported["counterparty"]["bic"]}
                assert not numbers & {*NO_NUMBERS}, reported


def test_page_of_unreadable_rows_is_refused(script):
    """When a provider has changed its API, transactions are not kept one by one for review."""
    _good, ask = beside_a_good_row(script, [script.bad_rows[0][0]] * 11)
    assert "11 of" in failure(script, ProtocolError, ask).detail
    # Pages after the bad one are not requested.
    script.server.exchanges.clear()


def test_the_case_of_a_name_is_what_it_says(code):
    """A case must have an effect, so that it is not only filled in."""
    rows = {name: Case(code, name).gives.get("transactions", []) for name in CASES}
    paging = Case(code, "paging")
    assert (paging.gives["pages"] > 1) != bool(paging.one_page), "one page only where the API knows no more"
    assert not rows["empty"] and rows["unknown_fields"]
    assert Case(code, "removal").impossible or Case(code, "removal").gives["removed"]
    statuses = {row["status"] for row in rows["pending_and_booked"]}
    assert Case(code, "pending_and_booked").impossible or statuses == {"pending", "booked"}
    ids = [row["id"] for row in rows["same_id_twice"]]
    assert len(ids) > len(set(ids))
    currencies = {
        row[key] for row in rows["two_currencies"] for key in ("currency", "foreign_currency") if row.get(key)
    }
    currencies |= {account["currency"] for account in Case(code, "accounts").gives["accounts"]}
    assert len(currencies) > 1


def test_a_cursor_serves_one_account(script):
    with pytest.raises(ProtocolError) as caught:
        script.adapter.transactions(script.state, script.account, cursor="bm9uZQ==")
    assert caught.value.code == "invalid_request"


def test_an_account_outside_the_consent_is_not_asked_for(script):
    with pytest.raises(ConsentError) as caught:
        script.adapter.transactions(script.state, "another")
    assert caught.value.code == "unknown_account"


# -------------------------------------------------------------------------
# ONE SYNCHRONIZATION
# -------------------------------------------------------------------------


def test_a_synchronization_sends_no_request_twice(script):
    """Each operation with its own adapter, as in the proxy: refresh, accounts unless it has listed them, transactions.

    Of another account or page the requests are other ones.
    """
    script.play("refresh")
    refreshed = script.adapter.refresh(script.state)
    script.state = json.loads(json.dumps(refreshed.state))
    if refreshed.accounts is None:
        script.play("accounts")
        script.new_adapter().accounts(script.state)
    script.adapter = script.new_adapter()
    since = script.play("empty").given.get("since")
    script.pages(since=since and NOW.date().fromisoformat(since))
    sent = Counter(
        (f"{request.method} {request.path.removeprefix(script.prefix)}", *request.query)
        for request in script.server.asked
    )
    assert {name for (name, *_query), times in sent.items() if times > 1} == set(script.asks_again)


def test_accounts_of_a_refresh_are_those_of_the_list(script):
    script.play("refresh")
    refreshed = script.adapter.refresh(script.state)
    if refreshed.accounts is None:
        pytest.skip("this refresh does not list the accounts")
    if Case(script.code, "accounts").exchanges:
        script.play("refresh")
    assert list(refreshed.accounts) == list(script.new_adapter().accounts(refreshed.state))


# -------------------------------------------------------------------------
# FAILURES, AS DOCUMENTED
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, family",
    [
        ("consent_expired", ConsentError),
        ("consent_revoked", ConsentError),
        ("rate_limited", RateLimited),
        ("server_error", TransientError),
    ],
)
def test_a_documented_failure(script, name, family):
    case = possible(script.play(name))
    error = failure(script, family)
    assert error.code == case.gives["code"]
    assert error.provider_code == case.gives.get("provider_code")
    if "retry_after" in case.gives:
        assert error.retry_after == case.gives["retry_after"]


def test_too_many_requests_with_seconds(script):
    replay(script, status=429, headers={"Retry-After": "77"}, answer={})
    assert failure(script, RateLimited).retry_after == 77


def test_too_many_requests_with_a_date(script):
    later = format_datetime(NOW + timedelta(minutes=5), usegmt=True)
    replay(script, status=429, headers={"Retry-After": later}, answer={})
    assert failure(script, RateLimited).retry_after == 300


def test_too_many_requests_without_a_header(script):
    replay(script, status=429, answer={})
    for _time in range(1, script.too_soon):
        script.server.expect(script.server.exchanges[-1:])
    assert failure(script, RateLimited).retry_after > 0


@pytest.mark.parametrize("status", [500, 501])
def test_failure_of_the_service_is_transient(script, status):
    replay(script, status=status, text="<h1>Oops</h1>", type="text/html")
    failure(script, TransientError)
    assert not script.slept, "a service that has failed is not asked again at once"


def test_a_gateway_that_fails_once_is_asked_again(script):
    replay(script, status=503, text="busy", type="text/plain")
    if script.asks_once:
        failure(script, TransientError)
        assert not script.slept, script.asks_once
        return
    script.server.expect(Case(script.code, "empty").exchanges[-1:])
    assert not [transaction for page in script.pages() for transaction in page.transactions]
    assert script.slept == [0.5]


def test_time_out_is_transient(script):
    replay(script, wait=1.5, answer={})
    repeat_last(script)
    repeat_last(script)
    connect = script.adapter.connect
    script.adapter.connect = lambda *args, **options: hurried(connect(*args, **options), script.server)
    assert failure(script, TransientError).detail


def hurried(http, server):
    """Why only where the answer comes late: on a busy machine a sign-in before it can take a tenth of a second, too."""
    send = http.session.send

    def send_hurriedly(request, **options):
        if server.exchanges and "wait" in server.exchanges[0]:
            options["timeout"] = (1, 0.1)
        return send(request, **options)

    http.session.send = send_hurriedly
    return http


@pytest.mark.parametrize("announce_all", [True, False], ids=["against-its-length", "complete-by-its-length"])
def test_truncated_answer_is_transient(script, announce_all):
    original = Case(script.code, "paging").exchanges
    last = next(
        e for e in original if e["ask"].split("?")[0] == Case(script.code, "empty").exchanges[-1]["ask"].split("?")[0]
    )
    # JSON, or what a server of another kind makes its answers of.
    last = {key: last[key] for key in ("answer", "says", "binary") if key in last}
    replay(script, **last, cut=25, announce_all=announce_all)
    repeat_last(script)
    repeat_last(script)
    failure(script, TransientError)


def test_html_page_instead_of_json_is_transient(script):
    replay(script, text="<html>Back soon</html>", type="text/html; charset=utf-8")
    repeat_last(script)
    repeat_last(script)
    failure(script, TransientError)


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "%PDF-1.4", "type": "application/pdf"},
        {"text": "{'single': 'quotes'}"},
        {"text": '{"amount": NaN}'},
        {"text": '["not", "an", "object"]'},
        {"text": "null"},
        {"status": 302, "headers": {"Location": "https://elsewhere.example/"}, "text": ""},
        {"text": "[" * 100_000 + "]" * 100_000},
    ],
    ids=["pdf", "no-json", "nan", "array", "null", "redirect", "deep"],
)
def test_what_is_not_documented_is_ours(script, answer):
    replay(script, **answer)
    assert failure(script, ProtocolError).code == "unexpected_answer"


def test_an_answer_without_end_is_refused(script, monkeypatch):
    # A shorter period is requested in test_parts.py.
    monkeypatch.setattr(Part, "half", lambda *_today: None)
    replay(script, answer={"transactions": ["x" * 2000]})
    connect = script.adapter.connect

    def connect_small(*args, **options):
        http = connect(*args, **options)
        http.max_bytes = 1500
        return http

    script.adapter.connect = connect_small
    error = failure(script, ProtocolError)
    assert error.code == "answer_too_large" and "more than 1500 bytes" in error.detail


def test_a_wrong_clock_is_named(script):
    case = Case(script.code, "keys_refused")
    skewed = format_datetime(NOW - timedelta(minutes=20), usegmt=True)
    script.server.expect([*case.exchanges[:-1], {**case.exchanges[-1], "headers": {"Date": skewed}}])
    error = failure(script, ProviderError)
    if isinstance(error, ConfigurationError):
        assert "1200 seconds fast" in error.detail


def test_an_expired_consent_is_not_asked_for(script):
    if Case(script.code, "connect").gives["consent_expires_at"] is None:
        assert script.adapter.facts.consent_days is None
        return
    script.moment = NOW + timedelta(days=400)
    for call in (
        lambda: script.adapter.refresh(script.state),
        lambda: script.adapter.accounts(script.state),
        lambda: script.pages(),
    ):
        assert failure(script, ConsentError, call).code == "consent_expired"
    assert not script.server.asked


def test_webhooks(script):
    case = possible(script.play("webhook"))
    for hook in case.gives["webhooks"]:
        script.expect_key()
        headers, body = script.sign_webhook(hook["body"])
        events = script.adapter.parse_webhook(headers, body)
        assert [[event.kind, event.reference] for event in events] == hook["events"]
    body = case.gives["webhooks"][0]["body"]
    headers, signed = script.sign_webhook(body)
    # Only one of four forged ones leads to a request.
    script.expect_key()
    for wrong_headers, wrong_body in (
        ({}, signed),
        (headers, signed + b" "),
        (script.sign_webhook(body, age=timedelta(minutes=10))[0], signed),
        (script.sign_webhook(body, genuine=False)[0], signed),
    ):
        with pytest.raises(ProtocolError) as caught:
            script.adapter.parse_webhook(wrong_headers, wrong_body)
        assert caught.value.code == "invalid_request"
