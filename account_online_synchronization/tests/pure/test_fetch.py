import threading
from datetime import date

import pytest

from account_online_synchronization.client.client import ProxyClient
from account_online_synchronization.client.errors import ProxyError, ServiceUnavailable
from account_online_synchronization.sync.fetch import (
    PAGES_AHEAD,
    AccountFetch,
    AccountPlan,
    Fetch,
    FetchPool,
    FetchProgress,
    Plan,
    Stopped,
)

#: Seconds after which a test gives up waiting for other threads; nothing waits so long when all is well.
PATIENCE = 30
SINCE = date(2026, 5, 10)


def transaction(name, day=20):
    return {
        "id": name,
        "status": "booked",
        "booking_date": f"2026-05-{day}",
        "amount": "-5.00",
        "currency": "EUR",
    }


#: *health* of docs/protocol.md
ILL, WELL = {"failed_of_ten": 7}, {"failed_of_ten": 0}


class Proxy:
    """One connection with accounts A1 and A2; any thread may call."""

    threads = 4

    def __init__(self, **answers):
        """:param answers: instead of the usual ones, by operation (``_`` for the dot); exceptions are raised"""
        self.answers = answers
        self.requests = []

    def call(self, operation, payload):
        self.requests.append((operation, payload))
        usual = {
            "connections.get": {"connection": {"id": "C1", "refreshed_at": "2026-05-19T08:00:00Z"}},
            "connections.refresh": {"state": "done", "refreshed_at": "2026-05-20T08:00:00Z"},
            "accounts.list": {"accounts": [{"id": "A1"}, {"id": "A2"}]},
            "transactions.list": {"transactions": [transaction(payload.get("account_id"))], "has_more": False},
        }
        answer = self.answers.get(operation.replace(".", "_"), usual[operation])
        if isinstance(answer, Exception):
            raise answer
        return answer(payload) if callable(answer) else answer

    def operations(self):
        return [operation for operation, _payload in self.requests]

    def transaction_requests(self):
        return [payload for operation, payload in self.requests if operation == "transactions.list"]


def wanted(name, since=SINCE, cursor=None):
    return AccountPlan(int(name[1:]), name, since, cursor, "EUR")


def plan(*accounts, connection_id="C1", **values):
    return Plan(connection_id, "fr_BE", accounts or (wanted("A1"), wanted("A2", None, "bookmark")), **values)


def fetched(proxy, *accounts, **values):
    fetch = Fetch(plan(*accounts, **values))
    fetch.go(ProxyClient(proxy))
    return fetch


def booked(fetch):
    """:return: ids of the transactions by account"""
    return {key: [one.id for one in account.window.booked] for key, account in fetch.accounts.items()}


def test_each_request_is_sent_once():
    proxy = Proxy()
    fetch = fetched(proxy)
    assert proxy.operations() == ["connections.refresh", "accounts.list", "transactions.list", "transactions.list"]
    assert booked(fetch) == {1: ["A1"], 2: ["A2"]}
    fetch.go(ProxyClient(proxy))
    assert len(proxy.requests) == 4


def test_accounts_of_the_refresh_are_not_requested_again():
    done = {"state": "done", "refreshed_at": "2026-05-20T08:00:00Z", "accounts": [{"id": "A1"}]}
    proxy = Proxy(connections_refresh=done)
    fetch = fetched(proxy)
    assert proxy.operations() == ["connections.refresh", "transactions.list"]
    assert [account["id"] for account in fetch.listed] == ["A1"]
    assert booked(fetch) == {1: ["A1"]}


@pytest.mark.parametrize("rubbish", [None, {}, "A1", 7, True])
def test_accounts_are_requested_where_the_refresh_has_no_list_of_them(rubbish):
    proxy = Proxy(connections_refresh={"state": "done", "accounts": rubbish})
    assert booked(fetched(proxy)) == {1: ["A1"], 2: ["A2"]}
    assert proxy.operations()[:2] == ["connections.refresh", "accounts.list"]


def test_days_and_bookmarks_are_requested_as_planned():
    proxy = Proxy()
    fetch = fetched(proxy)
    by_day, by_bookmark = proxy.transaction_requests()
    assert (by_day["since"], by_day.get("cursor")) == ("2026-05-10", None)
    assert (by_bookmark.get("since"), by_bookmark["cursor"]) == (None, "bookmark")
    assert [(one.window.since, one.window.is_delta) for one in fetch.accounts.values()] == [
        (SINCE, False),
        (None, True),
    ]


def test_answers_are_recorded():
    assert fetched(Proxy()).recording.compressed()


def test_without_a_refresh_no_news_are_requested():
    proxy = Proxy()
    assert fetched(proxy, refresh=False).news["refreshed_at"] == "2026-05-19T08:00:00Z"
    assert proxy.operations()[:2] == ["connections.get", "accounts.list"]


def test_from_a_bank_without_news_so_far_they_are_requested():
    proxy = Proxy(connections_get={"connection": {"id": "C1"}})
    assert fetched(proxy, refresh=False).news["refreshed_at"] == "2026-05-20T08:00:00Z"


def test_the_health_of_the_bank_is_that_of_the_last_answer_that_said_so():
    done = {"state": "done", "refreshed_at": "2026-05-20T08:00:00Z", "health": WELL}
    failure = ProxyError("institution_unavailable", "It does not answer.", health=ILL)
    assert fetched(Proxy()).health is None
    assert fetched(Proxy(connections_refresh=done)).health.failed_of_ten == 0
    assert fetched(Proxy(connections_refresh=done, transactions_list=failure)).health.failed_of_ten == 7
    assert fetched(Proxy(connections_refresh=failure)).health.failed_of_ten == 7


def test_without_a_refresh_the_health_is_that_of_the_connection():
    connection = {"id": "C1", "refreshed_at": "2026-05-19T08:00:00Z", "institution": {"health": ILL}}
    assert fetched(Proxy(connections_get={"connection": connection}), refresh=False).health.failed_of_ten == 7


@pytest.mark.parametrize("changed", [wanted("A1", date(2026, 5, 9)), wanted("A1", SINCE, "b"), wanted("A2")])
def test_an_account_that_was_planned_again_is_fetched_and_nothing_else(changed):
    proxy = Proxy()
    fetch = fetched(proxy, wanted("A1"))
    proxy.requests.clear()
    fetch.plan_again([changed])
    assert not fetch.is_complete
    fetch.go(ProxyClient(proxy))
    assert fetch.is_complete
    assert proxy.operations() == ["transactions.list"]
    assert list(booked(fetch).values()) == [[changed.online_identifier]]


def test_plans_differ_by_what_would_be_requested_and_not_by_the_day():
    one = AccountPlan(1, "A1", SINCE, None, "EUR", 2, date(2026, 5, 20))
    assert one == AccountPlan(1, "A1", SINCE, None, "EUR", 2, date(2026, 5, 21))
    assert one != AccountPlan(1, "A1", SINCE, None, "JPY", 0, date(2026, 5, 20))


REFUSED = {"error": {"code": "rate_limited", "message": "Wait.", "action": "retry", "retry_after": 60}}


@pytest.mark.parametrize("failure", [REFUSED, ServiceUnavailable("Nobody answered."), "garbage", None])
@pytest.mark.parametrize("operation", ["connections_refresh", "accounts_list"])
def test_a_failure_is_kept_and_ends_the_fetch(operation, failure):
    proxy = Proxy(**{operation: failure})
    fetch = fetched(proxy)
    assert isinstance(fetch.error, ProxyError)
    assert fetch.is_complete
    assert proxy.operations()[-1].replace(".", "_") == operation


def test_a_failure_of_one_account_leaves_the_other_one():
    proxy = Proxy(
        transactions_list=lambda payload: (
            REFUSED if payload["account_id"] == "A1" else {"transactions": [transaction("A2")]}
        )
    )
    fetch = fetched(proxy)
    assert (fetch.error, fetch.accounts[1].error.message, fetch.accounts[2].error) == (None, "Wait.", None)
    assert booked(fetch) == {1: [], 2: ["A2"]}


def test_where_the_bank_wants_a_code_nothing_more_is_requested():
    proxy = Proxy(connections_refresh={"state": "challenge", "page_url": "/code", "accounts": [{"id": "A1"}]})
    fetch = fetched(proxy)
    assert (fetch.is_complete, fetch.error, fetch.listed) == (True, None, None)
    assert proxy.operations() == ["connections.refresh"]


def test_an_account_that_the_bank_does_not_list_is_not_requested_under_its_old_id():
    proxy = Proxy(accounts_list={"accounts": [{"id": "A2"}]})
    fetch = fetched(proxy)
    assert [payload["account_id"] for payload in proxy.transaction_requests()] == ["A2"]
    assert list(fetch.accounts) == [2]


# -------------------------------------------------------------------------
# BOOKMARKS AND HISTORY
# -------------------------------------------------------------------------


def refusing_bookmarks(payload):
    if payload.get("cursor") == "bookmark":
        return {"error": {"code": "bookmark_refused", "message": "Old.", "action": "retry", "history_days": 3}}
    return {"transactions": [transaction("T1")], "next_cursor": "new", "history_days": 7}


def test_a_refused_bookmark_is_followed_by_a_request_by_day_and_no_new_bookmark():
    proxy = Proxy(transactions_list=refusing_bookmarks)
    one = fetched(proxy, AccountPlan(1, "A1", SINCE, "bookmark", "EUR", 2, date(2026, 5, 20))).accounts[1]
    first, second = proxy.transaction_requests()
    assert (first["cursor"], second.get("cursor"), second["since"]) == ("bookmark", None, "2026-05-17")
    assert (one.is_bookmark_refused, one.error, one.window.cursor, one.window.is_delta) == (True, None, None, False)


def test_days_before_the_history_are_no_part_of_the_window():
    proxy = Proxy(transactions_list={"transactions": [transaction("T1")], "history_days": 7})
    one = fetched(proxy, AccountPlan(1, "A1", date(2026, 1, 1), None, "EUR", 2, date(2026, 5, 20))).accounts[1]
    assert (one.history_days, one.window.since) == (7, date(2026, 5, 13))


def test_what_can_not_be_read_is_kept_with_its_reason():
    odd = [{**transaction("T1"), "currency": "USD"}, {**transaction("T2"), "amount": "-5.001"}, "garbage"]
    proxy = Proxy(transactions_list={"transactions": [*odd, transaction("T3")]})
    window = fetched(proxy, wanted("A1")).accounts[1].window
    assert [one.id for one in window.booked] == ["T3"]
    assert [(identifier, message) for identifier, _reason, message in window.unreadable][:2] == [
        ("T1", odd[0]),
        ("T2", odd[1]),
    ]
    reasons = [reason for _identifier, reason, _message in window.unreadable]
    assert reasons[0] == "It is in USD, but the account is in EUR."
    assert "more decimals than EUR" in reasons[1]
    assert all(hasattr(reason, "source") for reason in reasons), "they can be said in another language"


# -------------------------------------------------------------------------
# PAGES
# -------------------------------------------------------------------------


def many_pages(count):
    def page(payload):
        number = int(payload.get("cursor", 0)) + 1
        return {"transactions": [transaction(f"T{number}")], "has_more": number < count, "next_cursor": str(number)}

    return page


def test_a_fetch_that_was_left_early_goes_on_where_it_was():
    pages = PAGES_AHEAD + 5
    proxy = Proxy(transactions_list=many_pages(pages))
    fetch = Fetch(plan(wanted("A1")))
    fetch.go(ProxyClient(proxy), max_pages=PAGES_AHEAD)
    assert (len(proxy.transaction_requests()), fetch.is_complete) == (PAGES_AHEAD, False)
    fetch.go(ProxyClient(proxy))
    assert (len(proxy.transaction_requests()), fetch.is_complete) == (pages, True)
    assert proxy.operations().count("connections.refresh") == 1
    assert booked(fetch) == {1: [f"T{number + 1}" for number in range(pages)]}


def test_a_fetch_continues_in_another_process_after_the_pages_that_are_stored():
    proxy, cursors, transactions = Proxy(transactions_list=many_pages(3)), [], []
    for _process in range(3):
        one = AccountFetch(wanted("A1"), cursors)
        one.go(ProxyClient(proxy), "C1", max_pages=1, on_page=lambda _one, page: cursors.append(page["next_cursor"]))
        transactions += [transaction.id for transaction in one.window.booked]
        assert (one.window.since, one.window.is_delta) == (SINCE, False)
    assert one.is_complete
    assert transactions == ["T1", "T2", "T3"]
    assert [payload.get("cursor") for payload in proxy.transaction_requests()] == [None, "1", "2"]


def test_a_cursor_that_comes_again_ends_a_fetch_also_in_another_process():
    proxy = Proxy(transactions_list={"transactions": [], "has_more": True, "next_cursor": "1"})
    one = AccountFetch(wanted("A1"), ["1"])
    one.go(ProxyClient(proxy), "C1")
    assert one.error.code == "unexpected_answer"
    assert len(proxy.requests) == 1


def test_as_many_pages_as_a_thread_may_read_are_complete():
    fetch = Fetch(plan(wanted("A1")))
    fetch.go(ProxyClient(Proxy(transactions_list=many_pages(2))), max_pages=2)
    assert fetch.is_complete


def test_each_page_is_reported():
    seen = []
    fetch = Fetch(plan(wanted("A1")))
    fetch.go(
        ProxyClient(Proxy(transactions_list=many_pages(3))),
        on_page=lambda one, page: seen.append((one.plan.account_id, one.progress.pages, one.progress.transactions)),
    )
    assert seen == [(1, 1, 1), (1, 2, 2), (1, 3, 3)]


def test_days_are_known_in_whichever_order_they_come():
    progress = FetchProgress()
    progress.add([{"booking_date": "2026-05-20"}])
    progress.add([{"booking_date": "2026-05-01"}, {"booking_date": "2026-05-21"}])
    assert (progress.first_day, progress.last_day) == (date(2026, 5, 1), date(2026, 5, 21))


def test_days_that_are_none_are_passed_over():
    progress = FetchProgress()
    progress.add(["garbage", None, {"booking_date": "soon"}, {"booking_date": 7}, {}])
    assert (progress.transactions, progress.first_day) == (5, None)


@pytest.mark.parametrize("stop_at", ["connections_refresh", "accounts_list"])
def test_once_stopped_it_requests_nothing_anymore(stop_at):
    stopped = threading.Event()
    answers = {
        "connections_refresh": {"state": "done"},
        "accounts_list": {"accounts": [{"id": "A1"}]},
    }
    proxy = Proxy(**{stop_at: lambda _payload: stopped.set() or answers[stop_at]})
    with pytest.raises(Stopped):
        Fetch(plan()).go(ProxyClient(proxy), stopped=stopped)
    assert proxy.operations()[-1].replace(".", "_") == stop_at


# -------------------------------------------------------------------------
# MANY AT ONCE
# -------------------------------------------------------------------------


def new(number, *accounts):
    return Fetch(plan(*accounts, connection_id=f"C{number}"))


def results(pool):
    """:return: the outcome of each fetch by key, a :class:`Fetch` or an exception"""
    found = {}
    while pool:
        key, future = pool.next()
        found[key] = future.exception() or future.result()
    return found


def test_the_requests_overlap():
    # Why a barrier: no thread passes it before all four have arrived, at each of the three requests.
    barrier = threading.Barrier(4, timeout=PATIENCE)

    class Slow(Proxy):
        def call(self, operation, payload):
            barrier.wait()
            return super().call(operation, payload)

    with FetchPool(Slow()) as pool:
        for number in range(4):
            pool.submit(number, new(number, wanted("A1")))
        found = results(pool)
    assert sorted(found) == [0, 1, 2, 3]
    assert all(booked(fetch) == {1: ["A1"]} for fetch in found.values())


def test_who_answers_first_comes_first():
    others_are_done = threading.Event()

    class OneIsSlow(Proxy):
        def call(self, operation, payload):
            assert payload["connection_id"] != "C0" or others_are_done.wait(PATIENCE)
            return super().call(operation, payload)

    with FetchPool(OneIsSlow()) as pool:
        for number in range(3):
            pool.submit(number, new(number))
        first = {pool.next()[0], pool.next()[0]}
        assert not pool.has_results
        others_are_done.set()
        assert first == {1, 2}
        assert pool.next()[0] == 0


def test_a_bug_concerns_one_fetch_only():
    class Broken(Proxy):
        def call(self, operation, payload):
            return super().call(operation, payload) if payload["connection_id"] != "C1" else 1 / 0

    with FetchPool(Broken()) as pool:
        for number in range(3):
            pool.submit(number, new(number))
        found = results(pool)
    assert isinstance(found[1], ZeroDivisionError)
    assert [booked(found[key]) for key in (0, 2)] == [{1: ["A1"], 2: ["A2"]}] * 2


def test_only_so_many_pages_are_kept_in_memory():
    proxy = Proxy(transactions_list=many_pages(PAGES_AHEAD + 5))
    with FetchPool(proxy) as pool:
        pool.submit(0, new(1, wanted("A1")))
        fetch = results(pool)[0]
    assert (len(booked(fetch)[1]), fetch.is_complete) == (PAGES_AHEAD, False)


def test_a_fetch_that_failed_before_it_began_requests_nothing():
    proxy = Proxy()
    with FetchPool(proxy) as pool:
        pool.submit(0, Fetch(None, ProxyError("no_connection", "Not connected.")))
        assert results(pool)[0].error.code == "no_connection"
    assert not proxy.requests


def test_there_is_room_for_two_per_thread_and_not_for_one_more():
    with FetchPool(Proxy()) as pool:
        assert pool.room == 8
        for number in range(8):
            pool.submit(number, new(number))
        assert (len(pool), pool.room) == (8, 0)
        pool.next()
        assert pool.room == 0, "a batch of one is not worth a transaction"
        pool.next()
        assert pool.room == 2


def test_no_thread_runs_after_the_end():
    entered = threading.Semaphore(0)

    class Waiting(Proxy):
        def call(self, operation, payload):
            entered.release()
            # Why this event: the bank answers only when the answer is no longer wanted.
            assert pool._stopped.wait(PATIENCE)
            return super().call(operation, payload)

    proxy = Waiting()
    before = set(threading.enumerate())
    with FetchPool(proxy) as pool:
        for number in range(8):
            pool.submit(number, new(number))
        for _thread in range(proxy.threads):
            assert entered.acquire(timeout=PATIENCE)
        pool.stop()
        assert len(proxy.requests) == 4, "one that had not begun, or was at a later request, still sent one"
        assert set(threading.enumerate()) <= before


def test_a_pool_without_a_transport_has_no_room():
    with FetchPool(None) as pool:
        assert (pool.room, len(pool), pool.has_results) == (0, 0, False)
