"""HTTP whose time and memory are bounded, whatever the other side sends. Does not import Odoo.

The time-outs of ``requests`` count from one byte to the next, and apply only while bytes are read: a slow name server,
a handshake, headers, endless ``100 Continue``, or a body of one byte a minute can each block a worker without limit.
A :class:`Deadline` shuts the socket down instead, in every phase of the request.

The number of received bytes says little about the memory they will need: compressed, they grow a thousandfold, and
30 MB of ``{}`` are 1 GB of Python objects. So they are decompressed piece by piece, and values are counted before they
are created.
"""

import contextlib
import json
import logging
import math
import socket
import threading
import time
import zlib
from functools import lru_cache

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util import connection as sockets

PIECE = 64 * 1024
#: What :func:`read_body` can decompress; sent with each request.
ACCEPT_ENCODING = "gzip"
#: Maximum number of values in one JSON text. 5,000 transactions of 100 values each are half of it.
MAX_VALUES = 1_000_000
#: Maximum nesting of lists and objects. Providers need ten levels.
MAX_DEPTH = 50
#: Rounds of :func:`_is_shallow`. Each removes at most two levels, so it accepts at most 24: less than ``MAX_DEPTH``.
SHALLOW = 12
_NO_BRACKETS = bytes(set(range(256)).difference(b'[]{}"'))

_thread = threading.local()


# -------------------------------------------------------------------------
# TIME
# -------------------------------------------------------------------------


class TookTooLong(requests.Timeout):
    """The deadline has passed; nothing of the answer is used."""


class Deadline:
    """All requests that this thread makes inside of ``with Deadline(seconds):`` end by then.

    They must use connections of a :class:`BoundedAdapter`, including those kept alive. Of nested deadlines the earlier
    one applies.
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._outer = self._timer = None
        self._handles = []
        self._lock = threading.Lock()
        self._is_over = False
        self.until = None

    def __enter__(self):
        self._outer = getattr(_thread, "deadline", None)
        self.until = time.monotonic() + min(self._seconds, time_left())
        _thread.deadline = self
        return self

    def __exit__(self, kind, error, trace):
        _thread.deadline = self._outer
        if self._timer:
            self._timer.cancel()
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()
        if self._is_over and (error is None or isinstance(error, Exception)):
            # Why also without an error: a truncated body may look complete.
            raise TookTooLong from None

    def left(self):
        return max(0.0, self.until - time.monotonic())

    def watch(self, sock):
        """Shut this socket down when the time is over.

        :raise TookTooLong: when it is over already
        """
        if not self.left():
            self._is_over = True
            raise TookTooLong
        # Why a second handle: TLS takes over the first one, and a closed connection must not be used.
        handle = socket.fromfd(sock.fileno(), getattr(sock, "family", socket.AF_INET), socket.SOCK_STREAM)
        with self._lock:
            self._handles.append(handle)
        if not self._timer:
            self._timer = threading.Timer(self.left(), self._cut)
            self._timer.daemon = True
            self._timer.start()

    def _cut(self):
        with self._lock:
            self._is_over = bool(self._handles)
            for handle in self._handles:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)


def time_left():
    """:return: seconds until the deadline of this thread; infinity without one"""
    deadline = getattr(_thread, "deadline", None)
    return deadline.left() if deadline else float("inf")


class NoAddresses(logging.Filter):
    """Keeps the requested URLs out of the log of urllib3, which writes them in full at level DEBUG: some are secrets
    themselves, such as that of a setup token, and others contain account numbers."""

    def filter(self, record):
        return not hasattr(_thread, "deadline") or _thread.deadline is None


logging.getLogger("urllib3.connectionpool").addFilter(NoAddresses())


def resolve(host, port):
    """:return: list of IP addresses without duplicates
    :raise OSError: ``socket.gaierror``, or TimeoutError when the name server takes longer than there is time
    """
    found = []

    def ask():
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except UnicodeError:
            found.append(socket.gaierror(socket.EAI_NONAME, "no name"))
        except Exception as error:
            found.append(error)

    left = time_left()
    if left == float("inf"):
        ask()
    else:
        # Why a thread: a query to a name server that does not answer can't be cancelled. The thread ends with it.
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(left)
    if not found:
        raise TimeoutError
    if isinstance(found[0], Exception):
        raise found[0]
    return list(dict.fromkeys(sockaddr[0] for *_how, sockaddr in found[0]))


class BoundedConnection:
    """Mixin for connections of urllib3: they are opened and used within the deadline."""

    _watched_by = None

    def check_addresses(self, addresses):
        """Hook that may raise for addresses that must not be connected to; ``addresses`` are all those of the name."""

    def _new_conn(self):
        try:
            addresses = resolve(self._dns_host, self.port)
        except socket.gaierror as error:
            raise NewConnectionError(self, "the name is not known") from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "the name server did not answer") from error
        self.check_addresses(addresses)
        sock = self._connect(addresses)
        try:
            # Again: whatever went wrong above, nothing is sent to an address that was not checked.
            self.check_addresses([sock.getpeername()[0]])
            self._watch(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _connect(self, addresses):
        failure = None
        for address in addresses:
            if not time_left():
                break
            try:
                # Why the address and not the name: a second resolution could give another address.
                return sockets.create_connection(
                    (address, self.port),
                    min(self.timeout, time_left()) if isinstance(self.timeout, int | float) else self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failure = error
        if failure is None or isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "nobody answered") from failure
        raise NewConnectionError(self, "it could not be connected to") from failure

    def putrequest(self, *args, **kwargs):
        if self.sock is not None:
            # A connection that was kept alive only has the deadline of the previous request.
            self._watch(self.sock)
        return super().putrequest(*args, **kwargs)

    def _watch(self, sock):
        deadline = getattr(_thread, "deadline", None)
        if deadline and self._watched_by is not deadline:
            deadline.watch(sock)
            self._watched_by = deadline


class BoundedAdapter(HTTPAdapter):
    """Sends over connections that are shut down at the :class:`Deadline` of their thread."""

    connection = BoundedConnection

    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        self._use_connections(self.poolmanager, self.connection)
        return result

    def proxy_manager_for(self, proxy, **kwargs):
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            # Why without a check of addresses: the configured proxy of the network may have any address.
            self._use_connections(manager, BoundedConnection)
        return manager

    def _use_connections(self, manager, mixin):
        kinds = {"http": (HTTPConnectionPool, HTTPConnection), "https": (HTTPSConnectionPool, HTTPSConnection)}
        manager.pool_classes_by_scheme = {
            scheme: type("BoundedPool", (pool,), {"ConnectionCls": type("Connection", (mixin, kind), {})})
            for scheme, (pool, kind) in kinds.items()
        }


def bound(session, adapter=BoundedAdapter):
    """Mount the adapter in a session of ``requests``; its adapters of other kinds stay.

    :return: the session
    """
    for prefix, mounted in list(session.adapters.items()):
        if type(mounted) is HTTPAdapter:
            session.mount(prefix, adapter())
    session.headers["Accept-Encoding"] = ACCEPT_ENCODING
    return session


# -------------------------------------------------------------------------
# MEMORY
# -------------------------------------------------------------------------


class TooLarge(requests.RequestException):
    """The answer has more bytes than allowed."""


def read_body(response, max_bytes):
    """
    :param requests.Response response: requested with ``stream=True``
    :return: its content, decompressed, as bytes
    :raise requests.RequestException: :class:`TooLarge` among others
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise requests.exceptions.ContentDecodingError("an encoding that was not requested")
    unpack = _Unzip(max_bytes) if "gzip" in encoding else None
    # Why no list of pieces: pieces of two bytes would take thirty times their memory.
    content = bytearray()
    for piece in _pieces(response):
        content += unpack(piece, len(content)) if unpack else piece
        if len(content) > max_bytes:
            raise TooLarge
    if unpack and not unpack.is_complete:
        raise requests.exceptions.ChunkedEncodingError("cut off")
    return bytes(content)


def _pieces(response):
    try:
        yield from response.raw.stream(PIECE, decode_content=False)
    except ReadTimeoutError:
        raise requests.ReadTimeout from None
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(type(error).__name__) from None


class _Unzip:
    """Decompresses piece by piece, never more than is allowed at once."""

    def __init__(self, max_bytes):
        self._max_bytes = max_bytes
        self._decompress = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._has_begun = False

    @property
    def is_complete(self):
        return self._decompress.eof or not self._has_begun

    def __call__(self, piece, size):
        self._has_begun = True
        if self._decompress.eof:
            return b""
        try:
            return self._decompress.decompress(piece, self._max_bytes + 1 - size)
        except zlib.error:
            raise requests.exceptions.ContentDecodingError("no gzip") from None


class TooMany(ValueError):
    """The JSON text has more values than allowed."""


class TooDeep(ValueError):
    """The JSON text is nested deeper than allowed."""


def parse_json(content, max_values=MAX_VALUES, parse_float=float):
    """
    :param bytes content: JSON in UTF-8
    :param parse_float: of numbers with a fraction or an exponent, called with their text
    :return: the value; all numbers in it are finite
    :raise ValueError: if it is not valid; also the subclasses :class:`TooMany` and :class:`TooDeep`
    """
    # Each value but the first one follows a comma, a bracket or a brace. The few of them inside strings are counted,
    # too. A content with at most ``max_values`` bytes can't have more values than that.
    if len(content) > max_values and sum(map(content.count, (b",", b"[", b"{"))) > max_values:
        raise TooMany(f"more than {max_values} values")
    finite, decode = _decoder(parse_float)
    try:
        try:
            data = decode(content)
        except (msgspec.DecodeError, ValueError):
            # Why a second decoder: both give the same result for everything that msgspec accepts, but msgspec refuses
            # a byte order mark and lone surrogates, which banks send where they cut a text inside an emoji. Its errors
            # also say less: callers recognise a truncated answer by JSONDecodeError.
            data = json.loads(content.decode("utf-8-sig"), parse_float=finite, parse_constant=_refuse_constant)
    except RecursionError:
        raise TooDeep("nested too deeply") from None
    if not _is_shallow(content):
        _check_depth(data)
    return data


@lru_cache(maxsize=8)
def _decoder(parse_float):
    """:return: (callable(text) that refuses infinite numbers, callable(bytes) that gives the value)"""
    isinf = math.isinf

    def finite(text):
        number = parse_float(text)
        if isinf(number):
            raise ValueError("a number that is too large")
        return number

    return finite, msgspec.json.Decoder(float_hook=finite).decode


def _refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


def _is_shallow(content):
    """Whether the nesting is certainly less than ``MAX_DEPTH``, judged from the bytes: faster than visiting each value.

    :param bytes content: valid JSON
    :return: False if this can't be decided; then :func:`_check_depth` must
    """
    if b"\\" in content and b'\\"' in content:
        return False
    # Only brackets and quotation marks are kept, and pairs of adjacent marks are removed. No mark is escaped, so each
    # begins or ends a string. If no string contains a bracket, all marks stand in pairs and disappear: what is left is
    # the nesting itself. If a string contains one, an odd number of marks directly precedes the first such bracket: two
    # of each complete string, and the one that begins this string. So one mark remains, is never removed below (only
    # brackets are), and the result is False.
    left = content.translate(None, _NO_BRACKETS)
    for marks in (b'"' * 16, b'"' * 4, b'""'):
        left = left.replace(marks, b"")
    for _level in range(SHALLOW):
        # Removes the innermost level.
        left = left.replace(b"[]", b"").replace(b"{}", b"")
        if not left:
            return True
    return False


def _check_depth(data):
    """:param data: decoded JSON: lists and dicts are never subclasses, so comparing the type is enough, and fast"""
    level = [data] if type(data) in (dict, list) else []
    for _depth in range(MAX_DEPTH + 1):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return
    raise TooDeep("nested too deeply")
