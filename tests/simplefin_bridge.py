"""SimpleFIN Bridge, as far as the adapter meets it; it can fail, and then repeats what it was sent."""

import base64
import json
import time
from contextlib import contextmanager

from werkzeug.wrappers import Response

from .web import web_server

PREFIX = "/simplefin"


class Bridge:
    """One account.

    :param str claim: the secret part of a setup token's address
    :param str password: of the access URL
    """

    def __init__(self, claim, password):
        self.claim, self.password = claim, password
        self.fails = False

    @property
    def token(self):
        return base64.b64encode(f"{self.url}/claim/{self.claim}".encode()).decode()

    @property
    def access_url(self):
        return self.url.replace("://", f"://user:{self.password}@")

    def answer(self, path, headers):
        """:return: (status, media type, text)"""
        if path == f"{PREFIX}/claim/{self.claim}":
            return 200, "text/plain", self.access_url
        if self.fails:
            said = f"{headers.get('Authorization')} is refused for {self.access_url}accounts, password={self.password}"
            return 500, "application/json", json.dumps({"error": said})
        now = int(time.time())
        row = {"id": "T1", "posted": now - 86400, "amount": "-12.30", "description": "Coffee", "payee": "A cafe"}
        account = {"id": "A1", "conn_id": "C1", "name": "Everyday", "currency": "USD", "balance": "100.00"}
        accounts = [{**account, "balance-date": now, "transactions": [row]}]
        connections = [{"conn_id": "C1", "name": "My Bank", "org_id": "O1"}]
        return 200, "application/json", json.dumps({"errlist": [], "connections": connections, "accounts": accounts})


@contextmanager
def a_bridge(claim, password):
    """:return: :class:`Bridge` at ``url``, until the end"""
    bridge = Bridge(claim, password)

    def respond(asked):
        status, kind, text = bridge.answer(asked.path, asked.headers)
        return Response(text, status, mimetype=kind)

    with web_server(respond) as url:
        bridge.url = url + PREFIX
        yield bridge
