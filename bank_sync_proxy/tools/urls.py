"""Addresses that the browser is sent to, and those of databases. Imports no Odoo."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from .outbound import is_public

MAX_LENGTH = 2000
#: Banks put signed requests into the addresses of their pages.
MAX_PAGE_LENGTH = 8000
PORTS = {"http": 80, "https": 443}
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
#: Names that lead to the machine itself or into its own network, no matter where they are resolved.
LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa")
#: What a browser, or an old resolver, takes for an IPv4 address: ``127.1``, ``0x7f000001``, ``2130706433``.
NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


class UrlRefused(ValueError):
    """No database is served at this address; the text says why."""


class _Address(NamedTuple):
    """An absolute URL, taken apart in one way only.

    :param str origin: such as ``https://books.example.com:8443``; the usual port left out
    """

    scheme: str
    host: str
    origin: str
    path: str
    query: str


def is_local_path(url):
    """Whether a URL is a path on the same host, whatever a browser makes of it.

    Browsers drop tabs and line breaks, and take a backslash for a slash: ``/\\t/evil.example`` would leave the host.
    """
    return (
        isinstance(url, str)
        and len(url) <= MAX_LENGTH
        and url.startswith("/")
        and not url.startswith("//")
        and _is_plain(url)
    )


def is_page(url, own=""):
    """Whether a browser may be sent to a page that a provider names: encrypted, and read by all programs in one way.

    :param str own: address of this server; its own pages may be served without TLS, as the Demo Bank's
    """
    if not isinstance(url, str) or len(url) > MAX_PAGE_LENGTH or not _is_plain(url):
        return False
    try:
        parts, ours = urlsplit(url), urlsplit(own)
        _port = parts.port
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)


def clean_url(url, allow_private=False):
    """The address of a database as it is stored: it is compared with others, pages lead there, events go there.

    Whether a name leads into a private network is not known before it is resolved, so the sender of a request has to
    check the address again.

    :param bool allow_private: also http, and addresses that only one's own network knows
    :return: scheme, host and path, without a slash at the end
    :raise UrlRefused: also for what is written so that programs could disagree about where it leads
    """
    address = _split(url)
    if address.query or url.endswith("?"):
        raise UrlRefused("it has a query")
    if "%" in address.path or "//" in address.path or not _stays(address.path):
        raise UrlRefused("its path is not plain")
    if not allow_private:
        if address.scheme != "https":
            raise UrlRefused("it does not begin with https")
        _check_public(address.host)
    return address.origin + address.path.rstrip("/")


def is_below(url, base):
    """Whether an absolute URL leads to a database, whatever a browser makes of it.

    :param str base: its address, from :func:`clean_url`
    """
    try:
        address, ours = _split(url), _split(base)
    except UrlRefused:
        return False
    below = ours.path.rstrip("/")
    return (
        address.origin == ours.origin
        and (address.path == below or address.path.startswith(below + "/"))
        and _stays(address.path)
    )


def with_query(url, **parameters):
    """The URL with parameters added to its query, or replaced there."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*query, *parameters.items()])))


def _is_plain(text):
    """No control character, no space, no backslash: nothing that a browser drops or takes for something else."""
    return all("!" <= character <= "~" and character != "\\" for character in text)


def _split(url):
    """
    :return: :class:`_Address`
    :raise UrlRefused: when it is none
    """
    if not isinstance(url, str) or len(url) > MAX_LENGTH or not _is_plain(url):
        raise UrlRefused("it is no address")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise UrlRefused("it is no address") from None
    if parts.scheme not in PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise UrlRefused("it does not begin with https")
    if "@" in parts.netloc:
        raise UrlRefused("it names a user")
    if "#" in url:
        raise UrlRefused("it has a fragment")
    host = _clean_host(host)
    if port == 0 or parts.netloc.endswith(":"):
        raise UrlRefused("its port is none")
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port and port != PORTS[parts.scheme] else "")
    return _Address(parts.scheme, host, origin, parts.path, parts.query)


def _clean_host(host):
    """
    :return: a name, an IPv4 address, or an IPv6 address in brackets, in the one way of writing it
    :raise UrlRefused: when it is none of them
    """
    host = host or ""
    address = _ip_address(host)
    if address:
        return f"[{address}]" if address.version == 6 else str(address)
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise UrlRefused("it names no host")
    if NUMERIC_LABEL.fullmatch(labels[-1]):
        raise UrlRefused("it hides an IP address")
    return host


def _ip_address(host):
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check_public(host):
    """:raise UrlRefused: when it is an address, or a name, of one's own network"""
    address = _ip_address(host.strip("[]"))
    if address:
        if not is_public(str(address)):
            raise UrlRefused("it is not public")
    elif "." not in host or any(f".{host}".endswith(f".{name}") for name in LOCAL_NAMES):
        raise UrlRefused("it is not public")


def _stays(path):
    """No way upwards, and none that only shows after decoding: browsers take ``%2e%2e`` for ``..``."""
    while True:
        if "\\" in path or any(segment in (".", "..") for segment in path.split("/")):
            return False
        decoded = unquote(path)
        if decoded == path:
            return True
        path = decoded
