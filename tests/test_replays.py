"""A request is answered once, however many copies of it arrive at the same moment, and by whichever process."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .conftest import a_copy_of_the_template
from .remote import TIMEOUT, register

COPIES = 8


@pytest.fixture(scope="module", params=[0, 4], ids=["threads", "processes"])
def proxy(request):
    with a_copy_of_the_template() as copy:
        copy.start(workers=request.param)
        yield copy


@pytest.fixture(scope="module")
def remote(proxy):
    return register(proxy)


def post_all(posts):
    """Send requests at the same moment, each in a separate thread.

    :param posts: list of (URL, headers, body)
    :return: list of (HTTP status, code of the failure or None)
    """
    together = threading.Barrier(len(posts))

    def post(url, headers, body):
        together.wait()
        answer = requests.post(url, data=body, headers=headers, timeout=TIMEOUT)
        return answer.status_code, answer.json().get("error", {}).get("code")

    with ThreadPoolExecutor(len(posts)) as threads:
        return list(threads.map(lambda arguments: post(*arguments), posts))


def test_of_copies_that_arrive_together_one_is_answered(proxy, remote, thorough):
    rounds = 40 if thorough else 8
    for _round in range(rounds):
        request = remote.signed("institutions.search", {"query": "demo", "limit": 2})
        answers = Counter(post_all([request] * COPIES))
        assert answers == {(200, None): 1, (401, "request_replayed"): COPIES - 1}
    nonces = proxy.sql("SELECT count(*), count(DISTINCT nonce) FROM bank_sync_nonce")
    assert nonces == [[str(rounds), str(rounds)]]


def test_copies_of_a_request_that_fails_fail_once(proxy, remote):
    request = remote.signed("connections.get", {"connection_id": "none"})
    answers = Counter(post_all([request] * COPIES))
    assert answers == {(404, "unknown_connection"): 1, (401, "request_replayed"): COPIES - 1}
    assert proxy.sql("SELECT count(*) FROM bank_sync_error WHERE code = 'unknown_connection'") == [["1"]]


def test_different_requests_at_the_same_moment_are_all_answered(remote):
    signed = [remote.signed("institutions.search", {"query": "demo"}) for _number in range(3 * COPIES)]
    assert Counter(post_all(signed)) == {(200, None): 3 * COPIES}


def test_a_replay_is_refused_after_the_server_was_killed(proxy, remote):
    url, headers, body = remote.signed("institutions.search", {})
    assert post_all([(url, headers, body)]) == [(200, None)]
    old = proxy.url
    proxy.kill()
    proxy.start()
    remote.url = proxy.url
    assert post_all([(url.replace(old, proxy.url), headers, body)]) == [(401, "request_replayed")]
