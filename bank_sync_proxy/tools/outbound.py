"""Requests to addresses that strangers have given us: databases, for instance. Imports no Odoo.

Whoever names an address could name one inside our own network, or a name that leads there: server-side request forgery.
So the address is looked at where it counts: names are resolved once, *every* address that they have must be public, and
the socket is connected to what was looked at, so a name that changes its mind in between changes nothing. Redirects are
answers, not followed. Only https, certificates are verified, proxies of the environment are not used.
"""

import contextlib
import ipaddress
import socket
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import connection as sockets

#: Seconds: to connect, to wait for the next bytes, and for all of it, however slowly bytes drip.
CONNECT_TIMEOUT = 3
READ_TIMEOUT = 5
TOTAL_TIMEOUT = 10
#: Bytes of an answer that anybody reads.
MAX_ANSWER = 16 * 1024
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutboundError(Exception):
    """Nothing came of the request; the text says why and quotes neither headers nor body."""


class AddressRefused(OutboundError):
    """The address is not one that a stranger may send us to."""


class Answer(NamedTuple):
    status: int
    body: bytes


def is_public(address):
    """
    :param str address: an IP address
    :return: whether it is one of the internet, and carries none of another network inside
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inside = [parsed]
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return is_public(str(parsed.ipv4_mapped))
        inside += [parsed.sixtofour, *(parsed.teredo or ())]
        if parsed in NAT64:
            inside.append(ipaddress.ip_address(int(parsed) & 0xFFFFFFFF))
    return all(item.is_global and not item.is_multicast for item in inside if item)


def post(url, body, headers, allow_private=False, verify=True):
    """
    :param bytes body: as it travels
    :param dict headers: complete
    :param bool allow_private: also http, and addresses of one's own network
    :param verify: as in requests: True, or the path of a file with certificates
    :return: :class:`Answer`, whatever its status
    :raise OutboundError: when there is none
    """
    check_url(url, allow_private)
    request = requests.Request("POST", url, headers=headers, data=body).prepare()
    # Why no session: it would bring cookies, redirects, and the environment's proxies and passwords.
    adapter = _Guarded(allow_private)
    try:
        response = adapter.send(request, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), verify=verify)
        return Answer(response.status_code, response.raw.read(MAX_ANSWER, decode_content=False))
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        # Its text would quote the address, and a library's words change.
        raise OutboundError(type(error).__name__) from None
    finally:
        adapter.close()


def check_url(url, allow_private=False):
    """:raise AddressRefused: for what can be seen without asking for the name"""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise AddressRefused("it is no address") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise AddressRefused("it does not begin with https")
    if not parts.hostname or "@" in parts.netloc or "\\" in url or any(character <= " " for character in url):
        raise AddressRefused("it is written so that programs could disagree about where it leads")


# -------------------------------------------------------------------------
# THE SOCKET
# -------------------------------------------------------------------------


class _Watched:
    """A connection that is made only to addresses that were looked at, and is cut when it lasts too long."""

    allow_private = False
    _alarm = None

    def _new_conn(self):
        with self._as_trouble():
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(sockaddr[0] for *_how, sockaddr in found))
        if not self.allow_private and not all(map(is_public, addresses)):
            raise AddressRefused("it leads into a network that is not public")
        with self._as_trouble():
            # Why the address and not the name: asked again, the name could lead elsewhere.
            sock = sockets.create_connection(
                (addresses[0], self.port), self.timeout, socket_options=self.socket_options
            )
        if not self.allow_private and not is_public(sock.getpeername()[0]):
            sock.close()
            raise AddressRefused("it leads into a network that is not public")
        self._watch(sock)
        return sock

    @contextlib.contextmanager
    def _as_trouble(self):
        try:
            yield
        except OSError as error:
            raise OutboundError(type(error).__name__) from None

    def _watch(self, sock):
        # Why a second handle: TLS takes the first one over.
        handle = sock.dup()
        self._alarm = threading.Timer(TOTAL_TIMEOUT, _cut, [handle])
        self._alarm.daemon = True
        self._alarm.handle = handle
        self._alarm.start()

    def close(self):
        if self._alarm:
            self._alarm.cancel()
            self._alarm.handle.close()
            self._alarm = None
        return super().close()


def _cut(handle):
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


class _Guarded(HTTPAdapter):
    """Sends over connections of the kind above, one for each request."""

    def __init__(self, allow_private):
        self._allow_private = allow_private
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments, **parameters):
        result = super().init_poolmanager(*arguments, **parameters)
        allowed = {"allow_private": self._allow_private}
        kinds = {
            "http": (HTTPConnectionPool, type("Connection", (_Watched, HTTPConnection), allowed)),
            "https": (HTTPSConnectionPool, type("Connection", (_Watched, HTTPSConnection), allowed)),
        }
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": kind}) for scheme, (pool, kind) in kinds.items()
        }
        return result
