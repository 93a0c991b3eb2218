"""Requests to addresses from untrusted sources, such as client databases. Does not import Odoo.

A user could name an address inside our own network, or a name that leads there: server-side request forgery.
So the address is looked at where it counts: names are resolved once, *every* address that they have must be public, and
the socket is connected to what was looked at, so a name that changes its mind in between changes nothing. Redirects are
answers, not followed. Only https, certificates are verified, proxies of the environment are not used.
"""

from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from odoo.addons.bank_sync_common.tools.addresses import is_public
from odoo.addons.bank_sync_common.tools.bounded_http import ACCEPT_ENCODING, BoundedAdapter, BoundedConnection, Deadline

#: Seconds: to connect, to wait for the next bytes, and for all of it, however slowly bytes drip.
CONNECT_TIMEOUT = 3
READ_TIMEOUT = 5
TOTAL_TIMEOUT = 10
#: Bytes of an answer that anybody reads.
MAX_ANSWER = 16 * 1024


class OutboundError(Exception):
    """Nothing came of the request; the text says why and quotes neither headers nor body."""


class AddressRefused(OutboundError):
    """The address is not allowed for untrusted sources."""


class Answer(NamedTuple):
    status: int
    body: bytes


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
    headers = {"Accept-Encoding": ACCEPT_ENCODING, **headers}
    # Why no session: it would bring cookies, redirects, and the environment's proxies and passwords.
    adapter = PublicAdapter(allow_private)
    try:
        request = requests.Request("POST", url, headers=headers, data=body).prepare()
        with Deadline(TOTAL_TIMEOUT):
            response = adapter.send(request, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), verify=verify)
            return Answer(response.status_code, response.raw.read(MAX_ANSWER, decode_content=False))
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        # Its text would quote the address, and a library's words change.
        raise OutboundError(type(error).__name__) from None
    finally:
        adapter.close()


def check_url(url, allow_private=False):
    """:raise AddressRefused: for reasons that are known without resolving the name"""
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


class _PublicConnection(BoundedConnection):
    def check_addresses(self, addresses):
        if not all(map(is_public, addresses)):
            raise AddressRefused("it leads into a network that is not public")


class PublicAdapter(BoundedAdapter):
    """Sends to nothing but public addresses, whatever a name leads to at that moment.

    :param bool allow_private: send anywhere
    """

    def __init__(self, allow_private=False):
        self.connection = BoundedConnection if allow_private else _PublicConnection
        super().__init__(max_retries=0)
