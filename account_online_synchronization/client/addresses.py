"""Addresses of proxies."""

import ipaddress
from urllib.parse import urlsplit

from odoo.addons.bank_sync_common.tools.words import _lt


class BadAddress(ValueError):
    """The address is not valid for a proxy.

    :param sentence: the reason, for the user; a :class:`~.words.Sentence`
    """

    def __init__(self, sentence):
        super().__init__(sentence)
        self.sentence = sentence


def clean_address(text):
    """:return: the address as it is stored: with its scheme, without a slash at the end
    :raise BadAddress: when it is invalid, or would send bank data unencrypted
    """
    text = (text or "").strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts = port = None
    if not parts or not parts.hostname or parts.scheme not in ("http", "https") or any(c.isspace() for c in text):
        raise BadAddress(
            _lt("This is not a valid address of a connection service. It looks like https://banks.example.com.")
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadAddress(
            _lt(
                "The address of the connection service must not contain a user name, “?” or “#”. Please enter it "
                "without them."
            )
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise BadAddress(
            _lt(
                "Bank data is never sent unencrypted, so the address of the connection service must begin with "
                "https://."
            )
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def is_loopback(host):
    """Whether the address is on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def page_address(base, page):
    """The absolute address of a page for the user's browser.

    :param str base: address of the proxy
    :param str page: ``page_url`` of an answer; relative to it, or absolute
    :raise BadAddress: when it is on another server
    """
    address = base + page if page.startswith("/") else page
    if _origin(address) != _origin(base) or any(c.isspace() or c == "\\" for c in address):
        raise BadAddress(_lt("The connection service returned a page at another address."))
    return address


def _origin(address):
    try:
        parts = urlsplit(address)
        # Why the user part, too: “https://banks.example.com@elsewhere.example” is another server.
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme), parts.username
    except ValueError:
        return None
