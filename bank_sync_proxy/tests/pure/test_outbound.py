"""Requests to untrusted addresses, over real sockets: nothing is sent into a private network."""

import contextlib
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from odoo.addons.bank_sync_common.tools import bounded_http

from bank_sync_proxy.tools import outbound
from bank_sync_proxy.tools.outbound import AddressRefused, OutboundError, check_url, is_public, post


class Listener:
    """A server on this machine that remembers who has spoken to it."""

    def __init__(self, answer=b"HTTP/1.1 204 No Content\r\n\r\n", pause=0):
        self.received, self.connections = [], 0
        self._answer, self._pause = answer, pause
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection):
        with connection:
            connection.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                # Head and body come apart.
                while piece := connection.recv(65536):
                    self.received.append(piece)
            try:
                for byte in self._answer:
                    connection.sendall(bytes([byte]))
                    time.sleep(self._pause)
            except OSError:
                pass

    def close(self):
        self._socket.close()


@contextmanager
def listening(*arguments, **parameters):
    listener = Listener(*arguments, **parameters)
    try:
        yield listener
    finally:
        listener.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2001:db8::1",
        "not an address",
        "",
    ],
)
def test_addresses_that_are_not_of_the_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_internet(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
def test_nothing_is_sent_to_this_machine_however_it_is_written(host):
    with listening() as listener:
        with pytest.raises(AddressRefused):
            post(f"https://{host}:{listener.port}/events", b"{}", {})
        assert listener.connections == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "192.168.0.1", "[fd00::1]", "[fe80::1]", "224.0.0.1"])
def test_nothing_is_sent_into_private_networks(host):
    begun = time.monotonic()
    with pytest.raises(AddressRefused):
        post(f"https://{host}/latest/meta-data", b"{}", {})
    assert time.monotonic() - begun < 1, "nobody has even tried to connect"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "https:///x",
        "https://user@example.com/",
        "https://example.com:443@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: 1",
        "https://example.com:99999/",
        "https://[::1/",
        "",
    ],
)
def test_addresses_that_are_refused_as_they_are_written(url):
    with pytest.raises(AddressRefused):
        check_url(url)
    with pytest.raises(AddressRefused):
        post(url, b"", {})


def test_a_name_that_also_leads_inside_is_refused(monkeypatch):
    def resolve(_host, port, **_parameters):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.7")
        ]

    monkeypatch.setattr(bounded_http.socket, "getaddrinfo", resolve)
    with pytest.raises(AddressRefused):
        post("https://two-faced.example/", b"", {})


def test_a_name_is_resolved_once_and_connected_as_it_was_seen(monkeypatch):
    """DNS rebinding: public when it is looked at, this machine when it is connected to."""
    asked = []
    real = socket.getaddrinfo

    def resolve(host, port, *arguments, **parameters):
        if host == "rebinding.example":
            asked.append(host)
            address = "192.0.2.1" if len(asked) > 1 else "1.1.1.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        return real(host, port, *arguments, **parameters)

    connected = []

    def connect(address, *_arguments, **_parameters):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(bounded_http.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(bounded_http.sockets, "create_connection", connect)
    with pytest.raises(OutboundError):
        post("https://rebinding.example/", b"", {})
    assert asked == ["rebinding.example"]
    assert connected == [("1.1.1.1", 443)]


def test_the_address_at_the_other_end_counts_whatever_the_name_said(monkeypatch):
    """Were the look at the name's addresses ever wrong, the socket itself is looked at before a byte is sent."""
    with listening() as listener:
        monkeypatch.setattr(outbound, "is_public", _once_true())
        with pytest.raises(AddressRefused):
            post(f"https://127.0.0.1:{listener.port}/", b"secret", {})
        time.sleep(0.1)
        assert b"".join(listener.received) == b""


def _once_true():
    answers = iter([True])
    return lambda _address: next(answers, False)


def test_private_addresses_when_the_administrator_allows_them():
    with listening() as listener:
        answer = post(f"http://127.0.0.1:{listener.port}/events?a=1", b"body", {"X-One": "1"}, allow_private=True)
        assert answer == (204, b"")
        assert listener.received[0].startswith(b"POST /events?a=1 HTTP/1.1\r\n")
        assert b"X-One: 1" in listener.received[0]


def test_redirects_are_answers():
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/inside\r\nContent-Length: 0\r\n\r\n"
    with listening() as inside, listening(redirect % inside.port) as listener:
        assert post(f"http://127.0.0.1:{listener.port}/", b"", {}, allow_private=True).status == 302
        assert inside.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with listening() as proxy, listening() as listener:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        post(f"http://127.0.0.1:{listener.port}/", b"", {}, allow_private=True)
        assert (proxy.connections, listener.connections) == (0, 1)


def test_a_large_answer_is_cut_off():
    class Large(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            try:
                for _piece in range(1000):
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Large)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        answer = post(f"http://127.0.0.1:{server.server_port}/", b"", {}, allow_private=True)
        assert len(answer.body) == outbound.MAX_ANSWER
    finally:
        server.shutdown()
        server.server_close()


def test_bytes_that_drip_for_ever_are_cut_off(monkeypatch):
    monkeypatch.setattr(outbound, "TOTAL_TIMEOUT", 0.6)
    with listening(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000, pause=0.05) as listener:
        begun = time.monotonic()
        with contextlib.suppress(OutboundError):
            post(f"http://127.0.0.1:{listener.port}/", b"", {}, allow_private=True)
        assert time.monotonic() - begun < 3


def test_closed_port_and_unknown_name_are_errors():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/s3cret", "http://no-such-name.invalid/s3cret"):
        with pytest.raises(OutboundError) as caught:
            post(url, b"", {}, allow_private=True)
        assert "s3cret" not in str(caught.value)


def test_self_signed_certificate_is_refused():
    """Real TLS: this listener speaks none, so the handshake fails before anything is sent."""
    with listening() as listener:
        with pytest.raises(OutboundError):
            post(f"https://127.0.0.1:{listener.port}/", b"s3cret", {}, allow_private=True)
        assert b"s3cret" not in b"".join(listener.received)
