import pytest

from account_online_synchronization.client.client import ProxyClient
from account_online_synchronization.client.errors import ProxyError
from account_online_synchronization.client.transport import EmbeddedTransport


def client_answering(*answers):
    """A client whose proxy gives these answers one after the other, and the list of its requests."""
    requests, left = [], list(answers)

    def dispatch(operation, payload):
        requests.append((operation, payload))
        return left.pop(0) if len(left) > 1 else left[0]

    return ProxyClient(EmbeddedTransport(dispatch)), requests


def test_pages_are_followed_to_the_end():
    client, requests = client_answering(
        {"transactions": [1], "has_more": True, "next_cursor": "p2"},
        {"transactions": [2], "has_more": False, "next_cursor": None},
    )
    assert [page["transactions"] for page in client.iter_transaction_pages("c", "a")] == [[1], [2]]
    assert requests[1] == ("transactions.list", {"connection_id": "c", "account_id": "a", "cursor": "p2"})


@pytest.mark.parametrize("cursor", [None, "same"])
def test_paging_that_does_not_end_is_an_error_and_not_a_loop(cursor):
    client, _requests = client_answering({"transactions": [], "has_more": True, "next_cursor": cursor})
    with pytest.raises(ProxyError, match="does not end"):
        list(client.iter_transaction_pages("c", "a"))


def test_what_the_importer_computes_with_comes_through():
    """The checked objects contain every value of the protocol that is used."""
    account = {"id": "A", "balance": None, "balance_at": "2026-05-20T22:30:00Z", "balance_date": "2026-05-21"}
    client, _requests = client_answering({"accounts": [{**account, "available": "7.00"}]})
    (read,) = client.list_accounts("c")
    assert (read["balance"], read["available"], read["balance_date"]) == (None, "7.00", "2026-05-21")
    client, _requests = client_answering({"transactions": [], "has_more": False, "history_days": 90})
    assert [page["history_days"] for page in client.iter_transaction_pages("c", "a")] == [90]
    client, _requests = client_answering({"state": "done", "notes": ["One card is missing.", 7]})
    assert client.refresh_connection("c", user_present=False)["notes"] == ["One card is missing."]


@pytest.mark.parametrize("rubbish", [None, True, [], {}, 1.5, "x"])
def test_rubbish_in_their_place_is_left_out(rubbish):
    client, _requests = client_answering({"accounts": [{"id": "A", "available": rubbish, "balance_date": rubbish}]})
    (read,) = client.list_accounts("c")
    assert read["available"] in (None, "x")
    assert isinstance(read["balance_date"], str)
    client, _requests = client_answering({"state": "done", "notes": rubbish})
    assert client.refresh_connection("c", user_present=False)["notes"] == []


def test_a_failure_carries_what_to_do():
    error = {"code": "consent_expired", "message": "Renew it.", "reference": "E-1", "action": "renew"}
    client, _requests = client_answering({"error": error})
    with pytest.raises(ProxyError) as caught:
        client.get_connection("c")
    assert (caught.value.code, caught.value.reference, caught.value.action) == ("consent_expired", "E-1", "renew")


def test_an_action_of_a_newer_proxy_does_not_hide_the_message():
    client, _requests = client_answering({"error": {"code": "x", "message": "Do that.", "action": "dance"}})
    with pytest.raises(ProxyError, match="Do that") as caught:
        client.get_connection("c")
    assert caught.value.action == "contact_support"


def test_what_is_not_an_answer_is_an_error():
    client, _requests = client_answering("<html>")
    with pytest.raises(ProxyError, match="can't be read"):
        client.get_connection("c")


def test_the_embedded_transport_passes_only_json():
    with pytest.raises(TypeError):
        ProxyClient(EmbeddedTransport(lambda operation, payload: {"x": object()})).get_connection("c")


def test_presence_of_the_user_is_sent_to_the_bank_only_and_not_recorded():
    requests, recorded = [], []

    def dispatch(operation, payload):
        requests.append((operation, "user" in payload))
        return {"accounts": [], "state": "done", "deleted": True}

    client = ProxyClient(EmbeddedTransport(dispatch)).recorded_by(lambda *heard: recorded.append(heard))
    client = client.for_user("8.8.8.8", "Firefox")
    client.refresh_connection("c", True)
    client.list_accounts("c")
    client.delete_connection("c")
    assert requests == [("connections.refresh", True), ("accounts.list", True), ("connections.delete", False)]
    assert "8.8.8.8" not in str(recorded)
    requests.clear()
    client.for_user(None, None).list_accounts("c")
    assert requests == [("accounts.list", False)]
