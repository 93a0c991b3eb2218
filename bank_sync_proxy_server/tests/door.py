"""Asks the proxy over HTTP, as a database on another server does."""

import json
import time

from odoo.addons.bank_sync_common.tools import signing
from odoo.addons.bank_sync_proxy.tests.common import ProxyMixin
from odoo.tests import HttpCase

DIGEST = "d" * 64
SECRET = "the secret of the client, which is long enough"


class DoorCase(ProxyMixin, HttpCase):
    """``client_record`` is a client on another server, with :data:`SECRET`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clients = cls.env["bank.sync.client"]
        cls.client_record = clients.create({"name": "Remote", "database_uuid": "remote", "url": "https://db.example"})
        cls.client_record._write_secrets(current=SECRET)

    def headers(self, path, body, *, client=None, secret=SECRET, database=DIGEST, moved=0):
        """The headers of a request, signed."""
        client = client or self.client_record
        now = time.time() + moved
        return signing.new_headers(secret, client.identifier, database, now, "POST", path, body)

    def send(self, path, body, headers, method="POST"):
        """:return: the response, as it comes"""
        headers = {"Content-Type": "application/json", **headers}
        return self.opener.request(
            method,
            self.base_url() + path,
            data=body,
            headers={name: value for name, value in headers.items() if value is not None},
            timeout=30,
            allow_redirects=False,
        )

    def knock(self, operation, payload=None, *, path=None, body=None, changed=None, **signed):
        """Send a request.

        :param changed: headers that differ from the signed ones; None takes one away
        :param signed: parameters of :meth:`headers`
        :return: the response
        """
        path = path or f"/bank_sync/1/{operation}"
        body = json.dumps(payload or {}).encode() if body is None else body
        return self.send(path, body, {**self.headers(path, body, **signed), **(changed or {})})

    def ask_successfully(self, operation, **payload):
        """:return: the JSON object of a successful answer"""
        response = self.knock(operation, payload)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def connect_in_process(self):
        """:return: id of a connection of the remote client, made without its consent pages"""
        connection = self.env["bank.sync.connection"].create(
            {
                "client_id": self.client_record.id,
                "institution_id": self.env["bank.sync.institution"]._find("sandbox.demo").id,
            }
        )
        page = self.env["bank.sync.visit"]._open(
            connection,
            "connect",
            connection._begin("connect", "en_US"),
            return_url="https://db.example/x",
            language=None,
        )
        self.answer_all(self.visit_of(page))
        return connection.identifier

    def assertRefused(self, response, code, status, *, logged=True):
        """:return: the error record"""
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8", response.text[:300])
        error = response.json()["error"]
        self.assertEqual((error["code"], response.status_code), (code, status), response.text)
        self.assertEqual(set(error), {"code", "message", "reference", "retry_after", "action"})
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertNotIn("Set-Cookie", response.headers)
        record = self.env["bank.sync.error"].search([("reference", "=", error["reference"])])
        self.assertEqual((len(record), record.code), (1, code))
        self.assertNotIn(SECRET, f"{record.read()}")
        return record
