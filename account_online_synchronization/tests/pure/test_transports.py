"""What every transport promises, asked over each of them: whatever is true here may be relied on by the rest."""

import json
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.client.auth import SignatureAuth
from account_online_synchronization.client.client import ProxyClient
from account_online_synchronization.client.errors import ProxyError
from account_online_synchronization.client.remote import RemoteTransport
from account_online_synchronization.client.transport import EmbeddedTransport
from account_online_synchronization.tests.proxy_server import CLIENT, DATABASE, SECRET, ProxyServer


@pytest.fixture(params=["embedded", "remote"])
def over(request):
    """Function from a proxy's entry point to a transport that reaches it."""
    servers = []

    def connect(dispatch):
        if request.param == "embedded":
            here = EmbeddedTransport(dispatch, threads=4)
            return EmbeddedTransport(dispatch, in_threads=here, threads=4)
        server = ProxyServer(dispatch).__enter__()
        servers.append(server)
        return RemoteTransport(server.address, SignatureAuth(CLIENT, SECRET, DATABASE), sleep=lambda _seconds: None)

    yield connect
    for server in servers:
        server.__exit__()


def answering(answer):
    return lambda _operation, _payload: answer


def test_request_and_answer_arrive_as_they_are(over):
    requests = []
    answer = {"accounts": [{"id": "Ä1", "balance": "-12.30", "number": None, "nested": {"x": [1, 2.5, True]}}]}

    def dispatch(operation, payload):
        requests.append((operation, payload))
        return answer

    payload = {"connection_id": "é€😀", "user_present": True, "limit": 20}
    assert over(dispatch).call("accounts.list", payload) == answer
    assert requests == [("accounts.list", payload)]


def test_a_failure_is_an_answer_with_what_to_do(over):
    error = {"code": "consent_expired", "message": "Renew it.", "reference": "E-1", "retry_after": 7, "action": "renew"}
    transport = over(answering({"error": error}))
    assert transport.call("connections.get", {"connection_id": "c"}) == {"error": error}
    with pytest.raises(ProxyError) as caught:
        ProxyClient(transport).get_connection("c")
    assert (caught.value.code, caught.value.reference, caught.value.retry_after) == ("consent_expired", "E-1", 7)


def test_keys_and_actions_of_a_newer_proxy_do_no_harm(over):
    connection = {"id": "c", "state": "connected", "mood": "fine", "institution": {"id": "i", "colour": "red"}}
    found = ProxyClient(over(answering({"connection": connection, "weather": []}))).get_connection("c")
    assert (found["id"], found["institution"]["id"], found["provider"]) == ("c", "i", {"code": "", "label": ""})
    with pytest.raises(ProxyError, match="Do that") as caught:
        ProxyClient(over(answering({"error": {"code": "new", "message": "Do that.", "action": "dance"}}))).get_status()
    assert caught.value.action == "contact_support"


@pytest.mark.parametrize("answer", [[], "text", 7, None, True])
def test_an_answer_that_is_not_an_object_is_a_sentence_and_not_a_crash(over, answer):
    with pytest.raises(ProxyError):
        ProxyClient(over(answering(answer))).get_status()


@pytest.mark.parametrize("answer", [{}, {"connection": None}, {"connection": []}, {"connection": {"id": 7}}])
def test_an_object_that_is_not_a_connection_is_a_sentence(over, answer):
    with pytest.raises(ProxyError, match="can't be read"):
        ProxyClient(over(answering(answer))).get_connection("c")


def nested(levels):
    return [nested(levels - 1)] if levels else "bottom"


@pytest.mark.parametrize("value", [math.nan, -math.inf, nested(60)], ids=["nan", "inf", "deep"])
def test_json_that_is_no_answer_is_refused_by_the_embedded_transport(value):
    content = json.dumps({"state": "active", "more": value}).encode()
    with pytest.raises(ProxyError):
        ProxyClient(EmbeddedTransport(answering(content))).get_status()


@pytest.mark.parametrize(
    "value", [math.nan, -math.inf, nested(60), [0] * 1_000_001], ids=["nan", "inf", "deep", "many"]
)
def test_json_that_is_no_answer_is_refused_from_the_network(value):
    with ProxyServer(answering({"state": "active", "more": value})) as server:
        transport = RemoteTransport(
            server.address, SignatureAuth(CLIENT, SECRET, DATABASE), sleep=lambda _seconds: None
        )
        with pytest.raises(ProxyError):
            ProxyClient(transport).get_status()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=5),
    max_leaves=30,
)


@given(st.dictionaries(st.text(), JSON), st.booleans())
def test_the_embedded_transport_returns_the_same_as_json_and_shares_no_objects(answer, is_encoded):
    text = json.dumps(answer)
    heard = EmbeddedTransport(answering(text.encode() if is_encoded else answer)).call("accounts.list", {})
    assert repr(heard) == repr(json.loads(text))
    assert not containers(heard) & containers(answer)


def containers(value):
    """:return: identities of all lists and dictionaries in it"""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return set() if inner is None else {id(value)}.union(*map(containers, inner))


def test_the_largest_page_of_a_provider_is_read_by_the_embedded_transport():
    answer = {"more": [0] * 1_000_001}
    assert EmbeddedTransport(answering(json.dumps(answer).encode())).call("transactions.list", {}) == answer


def test_an_embedded_answer_with_too_many_values_is_refused(monkeypatch):
    monkeypatch.setattr("account_online_synchronization.client.transport.MAX_VALUES", 40)
    content = json.dumps({"more": [0] * 50}).encode()
    assert EmbeddedTransport(answering(content)).call("transactions.list", {}) is None


def test_pages_are_followed_over_each_transport(over):
    pages = {None: (["1"], "p2"), "p2": (["2"], None)}

    def dispatch(_operation, payload):
        transactions, following = pages[payload.get("cursor")]
        return {"transactions": transactions, "has_more": bool(following), "next_cursor": following}

    found = ProxyClient(over(dispatch)).iter_transaction_pages("c", "a")
    assert [page["transactions"] for page in found] == [["1"], ["2"]]


def test_threads_may_ask_at_the_same_time(over):
    """Each of them waits for the others, so they are all on their way at once."""
    barrier = threading.Barrier(4, timeout=10)

    def dispatch(_operation, payload):
        barrier.wait()
        return {"state": payload["number"]}

    transport, answers = over(dispatch).for_threads(), {}

    def ask(number):
        answers[number] = transport.call("clients.status", {"number": number})

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: {"state": number} for number in range(4)}


@pytest.mark.parametrize("client_id", ["", "C" * 32, "c" * 31, "c" * 32 + "\n"])
def test_credentials_that_cannot_be_used_are_refused(over, client_id):
    with pytest.raises(ProxyError, match="can't be read"):
        ProxyClient(over(answering({"client_id": client_id, "client_secret": "s" * 32}))).register(name="x")


@pytest.mark.parametrize("secret", [None, "", "short", "s" * 2000, "s" * 20 + "\x00", "é" * 20])
def test_a_secret_that_cannot_be_used_is_refused(over, secret):
    with pytest.raises(ProxyError, match="can't be read"):
        ProxyClient(over(answering({"client_id": "c" * 32, "client_secret": secret}))).register(name="x")
    with pytest.raises(ProxyError, match="can't be read"):
        ProxyClient(over(answering({"client_secret": secret}))).rotate_secret()
