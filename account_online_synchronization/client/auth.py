"""Signs requests to the proxy."""

import time
from urllib.parse import urlsplit

import requests

from odoo.addons.bank_sync_common.tools import signing

#: The signed part of an address begins here, because a reverse proxy may mount the service below another path.
ROOT = "/bank_sync/"


class SignatureAuth(requests.auth.AuthBase):
    """Signs each attempt separately, because a nonce is valid once.

    :param str client: client id
    :param str secret: shared with the proxy; not in this object's ``repr``
    :param str database: digest that distinguishes a copied database from the original
    """

    def __init__(self, client, secret, database):
        self._client, self._secret, self._database = client, secret, database

    def __call__(self, request):
        path = urlsplit(request.url).path
        path = path[path.rindex(ROOT) :]
        request.headers.update(
            signing.new_headers(
                self._secret, self._client, self._database, time.time(), request.method, path, request.body
            )
        )
        return request
