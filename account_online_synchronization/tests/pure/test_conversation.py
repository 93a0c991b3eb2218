import threading
from datetime import date

import pytest

from account_online_synchronization.client.client import ProxyClient
from account_online_synchronization.client.conversation import (
    PAGES_AHEAD,
    Answered,
    Plan,
    Range,
    Stopped,
    Talks,
    talk,
)
from account_online_synchronization.client.errors import ProxyError, ServiceUnavailable

#: Seconds after which a test gives up waiting for other threads; nothing waits so long when all is well.
PATIENCE = 30
SINCE = date(2026, 5, 10)


class Proxy:
    """One connection with accounts A1 and A2; any thread may call."""

    threads = 4

    def __init__(self, **answers):
        """:param answers: instead of the usual ones, by operation (``_`` for the dot); exceptions are raised"""
        self.answers = answers
        self.asked = []

    def call(self, operation, payload):
        self.asked.append((operation, payload))
        usual = {
            "connections.refresh": {"state": "done", "refreshed_at": "2026-05-20T08:00:00Z"},
            "accounts.list": {"accounts": [{"id": "A1"}, {"id": "A2"}]},
            "transactions.list": {"transactions": [payload.get("account_id")], "has_more": False},
        }
        answer = self.answers.get(operation.replace(".", "_"), usual[operation])
        if isinstance(answer, Exception):
            raise answer
        return answer(payload) if callable(answer) else answer

    def operations(self):
        return [operation for operation, _payload in self.asked]


def plan(*ranges, connection_id="C1"):
    return Plan(connection_id, "fr_BE", ranges or (Range("A1", SINCE, None), Range("A2", None, "bookmark")))


def have_talked(proxy, *ranges):
    """:return: a client that knows what was said"""
    answers = talk(proxy, plan(*ranges), threading.Event())
    return ProxyClient(Answered(proxy, answers))


def store(client, ranges):
    """What a synchronization asks."""
    client.refresh_connection("C1", user_present=False, language="fr_BE")
    client.list_accounts("C1")
    return [
        [page["transactions"] for page in client.iter_transaction_pages("C1", one.account_id, one.since, one.cursor)]
        for one in ranges
    ]


def test_what_was_asked_ahead_is_not_asked_again():
    proxy = Proxy()
    client = have_talked(proxy)
    assert len(proxy.asked) == 4
    assert store(client, plan().ranges) == [[["A1"]], [["A2"]]]
    assert len(proxy.asked) == 4


@pytest.mark.parametrize(
    "changed", [Range("A1", date(2026, 5, 9), None), Range("A1", None, "b"), Range("B", SINCE, None)]
)
def test_the_answer_to_another_question_is_not_taken(changed):
    proxy = Proxy()
    client = have_talked(proxy, Range("A1", SINCE, None))
    store(client, [changed])
    assert len(proxy.asked) == 4
    expected = {"since": changed.since and str(changed.since), "cursor": changed.cursor}
    assert expected.items() <= {"since": None, "cursor": None, **proxy.asked[-1][1]}.items()


def test_each_answer_is_given_once():
    proxy = Proxy()
    client = have_talked(proxy)
    client.list_accounts("C1")
    client.list_accounts("C1")
    assert proxy.operations().count("accounts.list") == 2


REFUSED = {"error": {"code": "rate_limited", "message": "Wait.", "action": "retry", "retry_after": 60}}


@pytest.mark.parametrize("failure", [REFUSED, ServiceUnavailable("Nobody answered."), "garbage", None])
@pytest.mark.parametrize("operation", ["connections_refresh", "accounts_list"])
def test_a_failure_ends_it_and_the_storing_hears_of_it_without_asking(operation, failure):
    proxy = Proxy(**{operation: failure})
    client = have_talked(proxy)
    assert proxy.operations()[-1].replace(".", "_") == operation
    proxy.asked.clear()
    with pytest.raises(ProxyError):
        store(client, plan().ranges)
    assert not proxy.asked


def test_a_failure_of_one_account_leaves_the_other_one():
    proxy = Proxy(transactions_list=lambda payload: REFUSED if payload["account_id"] == "A1" else {"transactions": []})
    client = have_talked(proxy)
    proxy.asked.clear()
    with pytest.raises(ProxyError, match="Wait"):
        list(client.iter_transaction_pages("C1", "A1", SINCE))
    assert [page["transactions"] for page in client.iter_transaction_pages("C1", "A2", None, "bookmark")] == [[]]
    assert not proxy.asked


def test_where_the_bank_wants_a_code_nothing_more_is_asked():
    proxy = Proxy(connections_refresh={"state": "challenge", "page_url": "/code"})
    have_talked(proxy)
    assert proxy.operations() == ["connections.refresh"]


def test_an_account_that_has_another_id_now_is_left_to_the_storing():
    proxy = Proxy(accounts_list={"accounts": [{"id": "A2"}]})
    have_talked(proxy)
    assert [payload["account_id"] for operation, payload in proxy.asked if operation == "transactions.list"] == ["A2"]


def test_only_so_many_pages_are_kept_in_memory_and_the_others_follow():
    pages = PAGES_AHEAD + 5

    def page(payload):
        number = int(payload.get("cursor", 0)) + 1
        return {"transactions": [number], "has_more": number < pages, "next_cursor": str(number)}

    proxy = Proxy(transactions_list=page)
    client = have_talked(proxy, Range("A1", None, None))
    assert proxy.operations().count("transactions.list") == PAGES_AHEAD
    assert store(client, [Range("A1", None, None)]) == [[[number + 1] for number in range(pages)]]
    assert proxy.operations().count("transactions.list") == pages


def test_without_a_plan_nothing_is_asked():
    proxy = Proxy()
    assert talk(proxy, None, threading.Event()) == {}
    assert not proxy.asked


def test_once_stopped_it_asks_nothing_any_more():
    stopped = threading.Event()
    proxy = Proxy(accounts_list=lambda _payload: stopped.set() or {"accounts": [{"id": "A1"}]})
    with pytest.raises(Stopped):
        talk(proxy, plan(), stopped)
    assert proxy.operations() == ["connections.refresh", "accounts.list"]


# -------------------------------------------------------------------------
# MANY AT ONCE
# -------------------------------------------------------------------------


def heard(talks):
    """:return: for each conversation its key and what it came to, in the order in which they end"""
    found = []
    while talks:
        key, future = talks.next()
        found.append((key, future.exception() or future.result()))
    return found


def test_the_questions_overlap():
    # Why a barrier: nobody passes it before all four are there, at each of the three questions.
    barrier = threading.Barrier(4, timeout=PATIENCE)

    class Slow(Proxy):
        def call(self, operation, payload):
            barrier.wait()
            return super().call(operation, payload)

    with Talks(Slow()) as talks:
        for number in range(4):
            talks.begin(number, plan(Range("A1", SINCE, None), connection_id=f"C{number}"))
        results = dict(heard(talks))
    assert sorted(results) == [0, 1, 2, 3]
    assert all(len(answers) == 3 for answers in results.values())


def test_who_answers_first_comes_first():
    others_are_done = threading.Event()

    class OneIsSlow(Proxy):
        def call(self, operation, payload):
            assert payload["connection_id"] != "C0" or others_are_done.wait(PATIENCE)
            return super().call(operation, payload)

    with Talks(OneIsSlow()) as talks:
        for number in range(3):
            talks.begin(number, plan(connection_id=f"C{number}"))
        first = {talks.next()[0], talks.next()[0]}
        assert not talks.has_answers
        others_are_done.set()
        assert first == {1, 2}
        assert talks.next()[0] == 0


def test_a_mistake_concerns_one_conversation_only():
    class Broken(Proxy):
        def call(self, operation, payload):
            return super().call(operation, payload) if payload["connection_id"] != "C1" else 1 / 0

    with Talks(Broken()) as talks:
        for number in range(3):
            talks.begin(number, plan(connection_id=f"C{number}"))
        results = dict(heard(talks))
    assert isinstance(results[1], ZeroDivisionError)
    assert [len(results[0]), len(results[2])] == [4, 4]


def test_there_is_room_for_two_per_thread_and_not_for_one_more():
    with Talks(Proxy()) as talks:
        assert talks.room == 8
        for number in range(8):
            talks.begin(number, plan())
        assert (len(talks), talks.room) == (8, 0)
        talks.next()
        assert talks.room == 0, "a batch of one is not worth a transaction"
        talks.next()
        assert talks.room == 2


def test_nobody_talks_any_more_after_the_end():
    entered = threading.Semaphore(0)

    class Waiting(Proxy):
        def call(self, operation, payload):
            entered.release()
            # Why this one: the bank answers only when nobody wants to hear it any more.
            assert talks._stopped.wait(PATIENCE)
            return super().call(operation, payload)

    proxy = Waiting()
    before = threading.active_count()
    with Talks(proxy) as talks:
        for number in range(8):
            talks.begin(number, plan(connection_id=f"C{number}"))
        for _thread in range(proxy.threads):
            assert entered.acquire(timeout=PATIENCE)
        talks.stop()
        assert len(proxy.asked) == 4, "who had not begun, or was at a later question, was still asked"
        assert threading.active_count() == before


def test_without_a_transport_there_is_no_room():
    with Talks(None) as talks:
        assert (talks.room, len(talks), talks.has_answers) == (0, 0, False)
