"""Every request of both addons ends in its total time, whatever drips: over real sockets, for all three ways out."""

import socket
import threading
import time
from datetime import datetime, timezone

import pytest

from odoo.addons.bank_sync_common.tools.bounded_http import Deadline, TookTooLong, resolve, time_left

from bank_sync_proxy.providers.errors import TransientError
from bank_sync_proxy.providers.http import Http
from bank_sync_proxy.tests.pure.dripping import DRIPS, HEAD, DrippingServer, certificate, swallowing
from bank_sync_proxy.tools import outbound

LIMIT = 0.3
#: Seconds that a busy machine may add.
SLACK = 2.5


def ask_provider(address, monkeypatch):
    http = Http("test", address, parse_error=lambda answer: TransientError(), now=lambda: datetime.now(timezone.utc))
    http.total_seconds = LIMIT
    with pytest.raises(TransientError) as caught:
        http.get("x")
    assert caught.value.code == "provider_unavailable"


def ask_proxy(address, monkeypatch):
    pytest.importorskip("account_online_synchronization.client")
    from account_online_synchronization.client import remote
    from account_online_synchronization.client.errors import ServiceUnavailable

    # On this machine it would not look for the certificates that the environment names.
    monkeypatch.setattr(remote, "is_loopback", lambda _host: False)
    transport = remote.RemoteTransport(address, sleep=lambda _seconds: pytest.fail("it has taken long enough"))
    transport.whole_timeout = LIMIT
    with pytest.raises(ServiceUnavailable) as caught:
        transport.call("accounts.list", {})
    assert (caught.value.code, caught.value.action) in {("service_slow", "retry"), ("service_firewall", "retry")}


def send_event(address, monkeypatch):
    monkeypatch.setattr(outbound, "TOTAL_TIMEOUT", LIMIT)
    verify = monkeypatch.vouching if hasattr(monkeypatch, "vouching") else True
    with pytest.raises(outbound.OutboundError):
        outbound.post(address, b"{}", {}, allow_private=True, verify=verify)


WAYS = pytest.mark.parametrize("way", [ask_provider, ask_proxy, send_event])


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def assert_ends(way, address, monkeypatch):
    begun = time.monotonic()
    way(address, monkeypatch)
    took = time.monotonic() - begun
    assert LIMIT * 0.8 <= took < LIMIT + SLACK


@WAYS
@pytest.mark.parametrize("drip", DRIPS)
def test_request_ends_whatever_drips(way, drip, monkeypatch):
    with DrippingServer(*DRIPS[drip]) as server:
        assert_ends(way, server.address, monkeypatch)
        assert server.connections == 1, "what has taken long enough is not repeated"


@WAYS
@pytest.mark.parametrize("drip", ["header", "body with its length", "chunks"])
def test_request_over_tls_ends_whatever_drips(way, drip, monkeypatch, tmp_path):
    context, path = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)
    monkeypatch.vouching = path
    with DrippingServer(*DRIPS[drip], context=context) as server:
        assert_ends(way, server.address, monkeypatch)


@WAYS
@pytest.mark.parametrize("begin, drip", [(b"", b""), (b"\x16\x03\x03\x40\x00", b"\x02")], ids=["silent", "dripped"])
def test_handshake_of_tls_ends(way, begin, drip, monkeypatch):
    with DrippingServer(begin, drip) as server:
        assert_ends(way, server.address.replace("http:", "https:"), monkeypatch)


@WAYS
def test_connecting_ends(way, monkeypatch):
    with swallowing() as port:
        assert_ends(way, f"http://127.0.0.1:{port}", monkeypatch)


@pytest.mark.parametrize("way", [ask_proxy, send_event])
def test_connecting_to_a_name_with_many_addresses_ends(way, monkeypatch):
    def lookup(_host, port, **_parameters):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", port)) for last in range(1, 30)]

    with swallowing() as port:
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *a, **k: lookup(host, *a, **k) if host == "many.example" else real(host, *a, **k),
        )
        assert_ends(way, f"http://many.example:{port}", monkeypatch)


@pytest.mark.parametrize("way", [ask_proxy, send_event])
def test_name_server_that_does_not_answer_ends(way, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: over.wait(60) and [])
    assert_ends(way, "http://slow.example", monkeypatch)
    over.set()


def test_connection_that_was_kept_open_ends_too(monkeypatch):
    whole = HEAD + b"Content-Length: 2\r\n\r\n[]"
    with DrippingServer(*DRIPS["header"], first=whole) as server:
        http = Http("test", server.address, parse_error=None, now=lambda: datetime.now(timezone.utc))
        assert http.get("x") == []
        http.total_seconds = LIMIT
        begun = time.monotonic()
        with pytest.raises(TransientError):
            http.get("x")
        assert time.monotonic() - begun < LIMIT + SLACK
        assert server.connections == 1


def test_answer_in_time_is_accepted_although_the_deadline_passes_later():
    whole = HEAD + b"Content-Length: 2\r\n\r\n[]"
    with DrippingServer(b"", b"", first=whole) as server:
        http = Http("test", server.address, parse_error=None, now=lambda: datetime.now(timezone.utc))
        http.total_seconds = LIMIT
        assert http.get("x") == []
        time.sleep(LIMIT)


def test_deadline_inside_of_another_one_ends_with_the_earlier():
    assert time_left() == float("inf")
    with Deadline(1):
        with Deadline(60):
            assert time_left() <= 1
        with Deadline(0.1):
            assert time_left() <= 0.1
        assert 0.5 < time_left() <= 1
    assert time_left() == float("inf")


def test_deadline_of_one_thread_is_none_of_another():
    seen = []
    with Deadline(1):
        thread = threading.Thread(target=lambda: seen.append(time_left()))
        thread.start()
        thread.join()
    assert seen == [float("inf")]


def test_deadline_leaves_no_thread_and_no_socket_behind():
    whole = HEAD + b"Content-Length: 2\r\n\r\n[]"
    with DrippingServer(b"", b"", first=whole) as server:
        http = Http("test", server.address, parse_error=None, now=lambda: datetime.now(timezone.utc))
        for _count in range(3):
            http.get("x")
            http.session.close()
        time.sleep(0.1)
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_name_that_is_none_is_not_found():
    with Deadline(5), pytest.raises(socket.gaierror):
        resolve("a" * 64 + ".example", 443)


def test_deadline_that_is_over_lets_nothing_begin():
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TookTooLong), Deadline(0) as deadline:
        deadline.watch(server)
