"""Server-side request forgery, run live: real sockets, and only the system's resolver is replaced.

A listener on this machine plays the database, the metadata service or the router that an attacker would like to reach
through the proxy. It counts who connects: that nothing was sent is not enough, because ports are counted that way, too.
"""

import base64
import contextlib
import socket
import threading
from datetime import datetime, timezone

import pytest

from bank_sync_proxy.providers import PROVIDERS, provider_class
from bank_sync_proxy.providers.errors import ProviderError, TransientError
from bank_sync_proxy.providers.http import NoAuth
from bank_sync_proxy.providers.simplefin import NO_TOKEN, SimpleFIN
from bank_sync_proxy.providers.types import Flow
from bank_sync_proxy.providers.web import WebProvider
from bank_sync_proxy.tests.pure.tls_server import client
from bank_sync_proxy.tools import outbound
from bank_sync_proxy.tools.outbound import OutboundError, PublicAdapter, is_public
from bank_sync_proxy.tools.urls import UrlRefused, clean_url

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
PUBLIC = "93.184.216.34"

#: Ways to write this machine, or another one that only it can reach. ``{port}`` is the listener's.
HOSTS = (
    *("127.0.0.1", "127.1", "127.0.1", "127.8.9.10", "0.0.0.0", "0", "2130706433", "017700000001", "0177.0.0.1"),
    *("0x7f000001", "0x7f.0.0.1", "0x7f.1", "0X7F.0x0.0x0.0x1", "127.000.000.001", "127.0.0.1."),
    *("localhost", "LOCALHOST", "localhost.", "ip6-localhost", "①②⑦.⓪.⓪.①", "１２７．０．０．１", "127。0。0。1"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]"),
    *("[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::1]", "[2001:0:7f00:1::1]"),
    *("[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fc00::1]", "[fd00::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]"),
    *(
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.0.8",
        "192.88.99.1",
        "224.0.0.1",
    ),
    *("user@127.0.0.1", f"{PUBLIC}@127.0.0.1", "127.0.0.1#@bank.example", "127.0.0.1\\@bank.example", "127.0.0.1%00"),
)


class Listener:
    """Accepts all connections, on all addresses of this machine, and counts them."""

    def __init__(self):
        self.connections = 0
        self._socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._socket.accept()
                self.connections += 1
                connection.close()

    def close(self):
        self._socket.close()


@pytest.fixture
def listener():
    try:
        one = Listener()
    except OSError:
        pytest.skip("this machine has no IPv6, not even for itself")
    yield one
    one.close()


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def resolver(monkeypatch):
    """:return: dict from a name to the lists of addresses that it has, one for each time that it is asked for; the last
    one stays"""
    names, real = {}, socket.getaddrinfo

    def lookup(host, port, *args, **kwargs):
        if host not in names:
            return real(host, port, *args, **kwargs)
        answers = names[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return names


def send_event(url):
    """As events are delivered to a database that has named its address."""
    with pytest.raises(OutboundError):
        outbound.post(url, b"s3cret", {})


def claim_token(url):
    """As a setup token of SimpleFIN is claimed that a user has pasted."""
    flow = Flow("connect", "bridge.US")
    try:
        step = SimpleFIN(clock=lambda: NOW).answer(flow, {"token": base64.b64encode(url.encode()).decode()})
    except ProviderError as error:
        assert isinstance(error, TransientError)
    else:
        assert step.error == NO_TOKEN


def fetch_access_url(url):
    """As an access URL is asked that a service of SimpleFIN has given, or that was stored before."""
    scheme, _slashes, rest = url.partition("://")
    adapter = SimpleFIN(clock=lambda: NOW)
    with pytest.raises((ProviderError, ValueError)):
        adapter.refresh({"access_url": f"{scheme}://us:s3cret@{rest}", "accounts": {}})


def ask_named_server(url):
    """As any adapter asks a server that is not its provider's: the last look, without any look before."""
    with pytest.raises(ProviderError):
        SimpleFIN(clock=lambda: NOW).connect(NoAuth(), url).get("x")


WAYS = pytest.mark.parametrize("way", [send_event, claim_token, fetch_access_url, ask_named_server])


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("bank_sync_proxy.providers.http.PAUSE_SECONDS", 0)


@WAYS
@pytest.mark.parametrize("host", HOSTS)
def test_untrusted_address_never_leads_into_a_private_network(way, host, listener):
    way(f"https://{host}:{listener.port}/x" if "#" not in host and "\\" not in host else f"https://{host}/x")
    assert listener.connections == 0


@WAYS
def test_name_that_leads_elsewhere_at_the_second_look_is_not_followed(way, listener, resolver):
    """DNS rebinding: public when the address is checked, this machine when it is connected to."""
    resolver["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    if way in (send_event, ask_named_server):
        # These look once: what is checked is what is connected to.
        resolver["rebinding.example"] = [["127.0.0.1"], [PUBLIC]]
    way(f"https://rebinding.example:{listener.port}/x")
    assert listener.connections == 0


@WAYS
@pytest.mark.parametrize(
    "addresses", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["2606:4700::1111", "::1"], ["::ffff:127.0.0.1"], []]
)
def test_name_with_one_address_inside_is_not_connected_to(way, addresses, listener, resolver):
    resolver["two-faced.example"] = [addresses]
    way(f"https://two-faced.example:{listener.port}/x")
    assert listener.connections == 0


@pytest.mark.parametrize("way", [send_event, ask_named_server])
def test_connection_is_made_to_the_address_that_was_checked(way, resolver, monkeypatch):
    connected = []

    def connect(address, *_args, **_kwargs):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("odoo.addons.bank_sync_common.tools.bounded_http.sockets.create_connection", connect)
    resolver["bank.example"] = [[PUBLIC], ["127.0.0.1"]]
    if way is ask_named_server:
        monkeypatch.setattr("bank_sync_proxy.providers.http.ATTEMPTS", 1)
    way("https://bank.example:8443/x")
    assert connected == [(PUBLIC, 8443)]


@pytest.mark.parametrize("code", [code for code, _label, _name in PROVIDERS])
def test_every_adapter_asks_servers_that_users_name_only_where_they_are_public(code):
    try:
        kind = provider_class(code)
    except ProviderError:
        pytest.skip("its library is missing")
    if not issubclass(kind, WebProvider):
        pytest.skip("it has no network")
    certificate, key = client(moment=NOW)
    adapter = kind({"certificate": certificate, "private_key": key}, clock=lambda: NOW)
    session = adapter.connect(NoAuth(), "https://named.example").session
    assert goes_to_public_addresses_only(session.get_adapter("https://named.example"))
    assert adapter.base_url and not goes_to_public_addresses_only(
        adapter.connect(NoAuth()).session.get_adapter(adapter.base_url)
    )


def goes_to_public_addresses_only(adapter):
    return isinstance(adapter, PublicAdapter) and adapter.connection is PublicAdapter().connection


@pytest.mark.parametrize("host", [host for host in HOSTS if "localhost" not in host])
def test_no_address_of_this_kind_is_stored_for_a_database(host):
    with pytest.raises(UrlRefused):
        clean_url(f"https://{host}/")


@pytest.mark.parametrize(
    "address", ["::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "5f00::1", "4000::1", "100::1"]
)
def test_address_outside_of_what_is_given_out_is_not_public(address):
    assert not is_public(address)
