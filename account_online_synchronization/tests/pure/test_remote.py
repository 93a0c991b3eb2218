"""What may come between a database and a proxy on another server."""

import datetime
import json
import socket
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from account_online_synchronization.client.auth import SignatureAuth
from account_online_synchronization.client.errors import ProxyError, ServiceUnavailable
from account_online_synchronization.client.remote import RemoteTransport
from account_online_synchronization.tests.proxy_server import (
    CLIENT,
    DATABASE,
    SECRET,
    ProxyServer,
    context_with,
    refusal,
    reply,
    write,
)


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server():
    with ProxyServer(lambda _operation, payload: {"state": "active", "heard": payload}) as one:
        yield one


@pytest.fixture
def waited():
    return []


@pytest.fixture
def transport(server, waited):
    return make_transport(server.address, waited)


def make_transport(address, waited=None, timeout=(1, 1), secret=SECRET):
    waited = [] if waited is None else waited
    transport = RemoteTransport(address, SignatureAuth(CLIENT, secret, DATABASE), waited.append)
    transport.timeouts = timeout
    return transport


def failing(transport, operation="connections.start"):
    with pytest.raises(ServiceUnavailable) as caught:
        transport.call(operation, {"a": 1})
    error = caught.value
    assert error.action == "retry"
    # Nothing of what was sent, and no chain that would print it.
    assert error.__cause__ is None and SECRET not in repr(error) and CLIENT not in str(error)
    assert error.__suppress_context__ or error.__context__ is None
    return error


def raw(content):
    def disturb(handler):
        handler.wfile.write(content)
        handler.close_connection = True

    return disturb


def page(status, content=b"<html>Sign in</html>", content_type="text/html", **headers):
    return lambda handler: write(handler, status, content, content_type, **headers)


# -------------------------------------------------------------------------
# REQUESTS
# -------------------------------------------------------------------------


def test_each_attempt_has_its_own_signature(server, transport):
    server.disturbances = [raw(b""), page(502)]
    assert transport.call("clients.status", {})["state"] == "active"
    nonces = [headers["Bank-Sync-Nonce"] for _operation, headers in server.requests]
    assert len(set(nonces)) == 3


def test_a_wrong_secret_is_the_proxys_answer_not_an_exception(server):
    answer = make_transport(server.address, secret="another secret").call("clients.status", {})
    assert answer["error"]["code"] == "signature_rejected"


def test_registration_is_not_signed(server):
    assert RemoteTransport(server.address).call("clients.register", {"name": "x"})["heard"] == {"name": "x"}
    assert not any(name.startswith("Bank-Sync") for name in server.requests[0][1])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
def test_an_error_of_the_proxy_is_returned_with_any_status_and_not_retried(server, transport, waited, status):
    server.disturbances = [lambda handler: reply(handler, status, refusal("client_blocked", status)[1])]
    assert transport.call("clients.status", {})["error"]["code"] == "client_blocked"
    assert (len(server.requests), waited) == (1, [])


# -------------------------------------------------------------------------
# RETRIES
# -------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [raw(b""), page(502), page(503), page(504)], ids=["closed", "502", "503", "504"])
def test_what_may_be_requested_twice_is_requested_again_after_a_while(server, transport, waited, trouble):
    server.disturbances = [trouble, trouble]
    assert transport.call("transactions.list", {})["state"] == "active"
    assert len(server.requests) == 3
    assert 0 < waited[0] < waited[1] < 4


@pytest.mark.parametrize(
    "operation",
    [
        "connections.start",
        "connections.renew",
        "connections.refresh",
        "clients.register",
        "clients.verify_phone",
        "clients.reactivate",
        "clients.rotate_secret",
        "firms.find",
        "firms.agree",
    ],
)
@pytest.mark.parametrize("trouble", [raw(b""), page(503)], ids=["closed", "503"])
def test_what_does_something_is_requested_once(server, transport, operation, trouble):
    server.disturbances = [trouble]
    failing(transport, operation)
    assert len(server.requests) == 1


def test_three_attempts_are_enough(server, transport):
    server.disturbances = [page(503)] * 9
    assert failing(transport, "accounts.list").code == "service_busy"
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
def test_what_another_attempt_does_not_cure_is_requested_once(server, transport, status):
    server.disturbances = [page(status)]
    failing(transport, "accounts.list")
    assert len(server.requests) == 1


# -------------------------------------------------------------------------
# ANSWERS THAT ARE NONE
# -------------------------------------------------------------------------


def test_a_busy_front_says_how_long_to_wait(server, transport):
    server.disturbances = [page(429, b"", Retry_After="120")]
    error = failing(transport)
    assert (error.code, error.retry_after) == ("service_busy", 120)


@pytest.mark.parametrize("value", ["soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "٣", "1e9"])
def test_a_waiting_time_that_is_none_is_ignored(server, transport, value):
    server.disturbances = [page(429, b"", Retry_After=value.encode().decode("latin-1"))]
    assert failing(transport).retry_after is None


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>Sign in</html>", b'{"state": "act', b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "html", "truncated", "list", "text", "bytes", "nested", "number"],
)
def test_an_answer_that_is_not_an_object_is_reported_as_another_server(server, transport, content):
    server.disturbances = [page(200, content)]
    error = failing(transport)
    assert error.code == "service_answer"
    assert "it is not a connection service" in error.message


def test_an_object_without_an_error_and_with_a_failed_status_is_not_an_answer(server, transport):
    server.disturbances = [lambda handler: reply(handler, 500, {"state": "active"})]
    assert failing(transport).code == "service_answer"


def test_a_redirect_is_not_followed(server, transport):
    server.disturbances = [page(307, b"", Location=f"{server.address}/bank_sync/1/clients.status")]
    assert "redirects to another" in failing(transport).message
    assert len(server.requests) == 1


def test_a_huge_answer_is_not_read_to_its_end(server, transport):
    sent = []

    def pour(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _count in range(200):
                handler.wfile.write(b" " * 1024**2)
                sent.append(1)
        except OSError:
            pass
        handler.close_connection = True

    server.disturbances = [pour]
    assert "larger than expected" in failing(transport).message
    assert len(sent) < 60


def test_a_promised_length_that_does_not_come_is_a_broken_connection(server, transport):
    server.disturbances = [raw(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"state": ')]
    assert failing(transport).code == "service_broken"


def test_a_slow_proxy_is_given_up(server):
    transport = make_transport(server.address, timeout=(1, 0.2))
    server.disturbances = [lambda handler: time.sleep(0.6)]
    assert failing(transport, "accounts.list").code == "service_slow"
    assert len(server.requests) == 1, "it has taken long enough already"


def test_cookies_are_not_kept(server, transport):
    server.disturbances = [lambda handler: write(handler, 200, b'{"state": "active"}', Set_Cookie="session=1; Path=/")]
    transport.call("clients.status", {})
    transport.call("clients.status", {})
    assert "Cookie" not in server.requests[1][1]


# -------------------------------------------------------------------------
# NO ANSWER
# -------------------------------------------------------------------------


def test_a_port_without_a_listener():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "Nothing is listening" in failing(make_transport(f"http://127.0.0.1:{port}")).message


def test_a_firewall_that_swallows_everything():
    """A queue of connections that is full: the system drops what comes, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _number in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        error = failing(make_transport(f"http://127.0.0.1:{port}", timeout=(0.3, 1)))
        for filler in fillers:
            filler.close()
    assert error.code == "service_firewall"
    assert "firewall" in error.message


def test_an_unknown_host_name():
    error = failing(make_transport("https://banks.invalid"))
    assert error.code == "service_address"
    assert "typing errors" in error.message


def test_an_untrusted_certificate(tmp_path):
    with ProxyServer(lambda _operation, _payload: {}, self_signed(tmp_path)) as server:
        error = failing(make_transport(server.address), "clients.status")
        assert error.code == "service_certificate"
        assert server.requests == [], "nothing was sent"


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return context_with(*paths)


# -------------------------------------------------------------------------
# PAGES
# -------------------------------------------------------------------------


def test_the_address_of_a_page_is_joined_with_the_proxys(server, transport):
    server.dispatch = lambda _operation, _payload: {"connection_id": "c", "page_url": "/bank_sync/connect/t"}
    assert transport.call("connections.start", {})["page_url"] == f"{server.address}/bank_sync/connect/t"


@pytest.mark.parametrize(
    "page_url", ["https://elsewhere.example/x", "//elsewhere.example/x", "javascript:alert(1)", "x"]
)
def test_a_page_at_another_address_is_not_opened(server, transport, page_url):
    server.dispatch = lambda _operation, _payload: {"page_url": page_url}
    try:
        found = transport.call("connections.start", {})["page_url"]
    except ProxyError as error:
        assert error.code == "unexpected_answer"
    else:
        assert found.startswith(server.address + "/")


def test_what_was_sent_is_what_was_signed_to_the_byte(server, transport):
    payload = {"text": "é\u2028😀", "numbers": [1, 2.5]}
    assert transport.call("clients.status", payload)["heard"] == json.loads(json.dumps(payload))
