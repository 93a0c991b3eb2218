import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.addons.bank_sync_common.tools import signing
from odoo.addons.bank_sync_proxy.tests.common import ProxyCase
from odoo.tests import tagged

from ..models.bank_sync_event import PATH

SECRET = "s" * 43


class Database:
    """A database's door for events, over real HTTP."""

    def __init__(self):
        self.received, self.status = [], 200
        #: function from headers and body to what is answered
        self.answer = lambda headers, body: b""
        database = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                database.received.append((self.path, dict(self.headers), body))
                answer = database.answer(self.headers, body)
                self.send_response(database.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}/below"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def kinds(self):
        return sorted(json.loads(body)["kind"] for _path, _headers, body in self.received)


@tagged("post_install", "-at_install")
class TestEvents(ProxyCase):
    """Events to databases, and how often their delivery is retried."""

    def setUp(self):
        super().setUp()
        self.env["bank.sync.event"].search([]).unlink()
        self.database = Database()
        self.addCleanup(self.database.close)
        self.remote = self.env["bank.sync.client"].create(
            {"name": "Remote", "database_uuid": "remote", "url": self.database.url}
        )
        self.remote._write_secrets(current=SECRET, next="another")
        self.parameters = self.env["ir.config_parameter"]
        self.parameters.set_param("bank_sync_proxy.allow_private_addresses", "True")
        self.model = self.env["bank.sync.event"]
        # Why: a test's transaction is rolled back as a whole.
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda _cron, processed=0, **_rest: float("inf"))

    def deliver(self):
        self.model._cron_deliver()

    def connection_of(self, client):
        return self.env["bank.sync.connection"].create(
            {
                "client_id": client.id,
                "institution_id": self.env["bank.sync.institution"]._find("sandbox.demo").id,
                "state": "connected",
            }
        )

    # -------------------------------------------------------------------------
    # DELIVERING
    # -------------------------------------------------------------------------

    def test_an_event_arrives_signed_with_the_current_secret(self):
        connection = self.connection_of(self.remote)
        event = self.model._emit(self.remote, "transactions.new", connection)
        self.assertFalse(self.database.received, "whoever emits does not wait for the database")
        self.deliver()
        ((path, headers, body),) = self.database.received
        self.assertEqual(path, "/below" + PATH)
        self.assertEqual(
            json.loads(body),
            {"id": str(event.id), "kind": "transactions.new", "connection_id": connection.identifier},
        )
        signed = signing.read_headers(headers)
        self.assertEqual(signed.client, self.remote.identifier)
        self.assertTrue(signing.is_fresh(signed, time.time()))
        self.assertEqual(signing.is_genuine(signed, [SECRET], "POST", PATH, body), SECRET)
        self.assertIsNone(signing.is_genuine(signed, ["another"], "POST", PATH, body))
        self.assertRecordValues(event, [{"state": "delivered", "attempts": 1, "last_error": False}])
        self.deliver()
        self.assertEqual(len(self.database.received), 1)

    # -------------------------------------------------------------------------
    # THE ADDRESS
    # -------------------------------------------------------------------------

    def prove(self, secret=SECRET, nonce=None, other=b""):
        return lambda headers, body: json.dumps(
            {"proof": signing.prove(secret, nonce or headers[signing.NONCE], body + other)}
        ).encode()

    def test_address_is_confirmed_by_the_proof_of_the_secret_s_holder(self):
        self.database.answer = self.prove()
        self.model._emit(self.remote, "client.active")
        self.assertFalse(self.remote.is_address_confirmed)
        self.deliver()
        self.assertTrue(self.remote.is_address_confirmed)
        self.remote.url = "https://elsewhere.example.com"
        self.assertFalse(self.remote.is_address_confirmed)

    def test_an_address_where_anybody_else_answers_is_not_confirmed(self):
        answers = (
            lambda headers, body: b"",
            lambda headers, body: b"<html>welcome</html>",
            lambda headers, body: b"[]",
            lambda headers, body: b"[" * 10_000,
            lambda headers, body: b'{"proof": 7}',
            lambda headers, body: json.dumps({"proof": headers[signing.SIGNATURE]}).encode(),
            lambda headers, body: json.dumps({"proof": "\u00e9" * 64}).encode(),
            self.prove(secret="x" * 43),
            self.prove(nonce="n" * 24),
            self.prove(other=b" "),
        )
        for answer in answers:
            self.database.answer = answer
            self.model._emit(self.remote, "client.active")
            self.deliver()
            self.assertFalse(self.remote.is_address_confirmed)
        self.assertEqual(len(self.database.received), len(answers))

    def test_a_visit_asks_a_database_to_confirm_its_address_until_it_has(self):
        connection = self.connection_of(self.remote)
        self.env["bank.sync.visit"]._open(connection, "connect")
        self.assertEqual(self.model.search([]).mapped("kind"), ["client.active"])
        self.database.answer = self.prove()
        self.deliver()
        self.env["bank.sync.visit"]._open(connection, "connect")
        self.assertEqual(len(self.model.search([])), 1)

    def test_many_events_arrive_once_each(self):
        connections = [self.connection_of(self.remote) for _index in range(70)]
        for connection in connections:
            self.model._emit(self.remote, "transactions.new", connection)
        self.deliver()
        received = [json.loads(body)["connection_id"] for _path, _headers, body in self.database.received]
        self.assertEqual(sorted(received), sorted(connection.identifier for connection in connections))

    def test_blocked_client_is_notified(self):
        self.remote._block("Too many wrong codes.")
        self.deliver()
        self.assertEqual(self.database.kinds(), ["client.blocked"])

    def test_an_equal_event_that_waits_is_enough(self):
        connection, other = self.connection_of(self.remote), self.connection_of(self.remote)
        for _time in range(3):
            self.model._emit(self.remote, "transactions.new", connection)
        self.model._emit(self.remote, "transactions.new", other)
        self.model._emit(self.remote, "consent.expiring", connection)
        self.assertEqual(self.model.search_count([("client_id", "=", self.remote.id)]), 3)
        self.deliver()
        self.model._emit(self.remote, "transactions.new", connection)
        self.assertEqual(self.model.search_count([("state", "=", "pending")]), 1)

    def test_what_cannot_be_delivered_is_tried_again_later_and_later(self):
        event = self.model._emit(self.remote, "client.active")
        begun = event.next_attempt_at
        self.database.status = 503
        pauses, now = [], begun + timedelta(seconds=1)
        while event.state == "pending":
            with freeze_time(now):
                self.deliver()
            pauses.append((event.next_attempt_at - now) / timedelta(minutes=1))
            now = event.next_attempt_at
        self.assertEqual(pauses[:5], [1, 2, 4, 8, 16])
        self.assertEqual(max(pauses), 720)
        self.assertEqual(event.state, "given_up")
        self.assertGreater(now, begun + timedelta(days=2, hours=12))
        self.assertIn("503", event.last_error)
        self.assertEqual(len(self.database.received), event.attempts)

    def test_what_is_not_due_yet_is_left_alone(self):
        event = self.model._emit(self.remote, "client.active")
        event.next_attempt_at = fields.Datetime.now() + timedelta(minutes=5)
        self.deliver()
        self.assertFalse(self.database.received)

    def test_one_database_that_fails_stops_no_other(self):
        gone = self.env["bank.sync.client"].create(
            {"name": "Gone", "database_uuid": "gone", "url": "http://127.0.0.1:9"}
        )
        gone._write_secrets(current=SECRET)
        nowhere = self.env["bank.sync.client"].create({"name": "No address", "database_uuid": "nowhere"})
        copied = self.env["bank.sync.client"].create(
            {"name": "Copied", "database_uuid": "copied", "url": self.database.url, "secret_data": "gAAAAA"}
        )
        events = [self.model._emit(client, "client.active") for client in (gone, nowhere, copied, self.remote)]
        self.deliver()
        self.assertEqual([event.state for event in events], ["pending"] * 3 + ["delivered"])
        self.assertTrue(all(event.last_error for event in events[:3]))
        self.assertNotIn(SECRET, f"{events[0].read()}")

    def test_redirects_are_not_followed(self):
        event = self.model._emit(self.remote, "client.active")
        self.database.status = 307
        self.deliver()
        self.assertEqual((event.state, len(self.database.received)), ("pending", 1))

    def test_nothing_is_sent_into_private_networks(self):
        self.parameters.set_param("bank_sync_proxy.allow_private_addresses", False)
        events = []
        for url in (self.database.url, self.database.url.replace("http:", "https:"), "https://localhost/"):
            self.remote.url = url
            events.append(self.model._emit(self.remote, "client.active"))
            self.deliver()
            events[-1].next_attempt_at = fields.Datetime.now()
        self.assertFalse(self.database.received)
        self.assertIn("public", events[-1].last_error)

    # -------------------------------------------------------------------------
    # THE PROXY'S OWN DATABASE
    # -------------------------------------------------------------------------

    def test_a_mistake_in_this_database_stops_no_other_event(self):
        if "account.online.link" not in self.env:
            self.skipTest("only where both addons are installed")
        mine = self.model._emit(self.client_record, "client.active")
        theirs = self.model._emit(self.remote, "client.active")

        def fail(_links, *_arguments):
            raise ZeroDivisionError

        with (
            patch.object(type(self.env["account.online.link"]), "_receive_event", fail, create=True),
            self.assertLogs("odoo.addons.bank_sync_proxy.models.bank_sync_event", "ERROR"),
        ):
            self.deliver()
        self.assertRecordValues(mine + theirs, [{"state": "pending"}, {"state": "delivered"}])
        self.assertEqual(mine.last_error, "ZeroDivisionError")

    # -------------------------------------------------------------------------
    # WHAT IS EMITTED
    # -------------------------------------------------------------------------

    def test_support_disconnects_a_connection_and_its_users_read_why(self):
        identifier = self.connect()
        connection = self.env["bank.sync.connection"].search([("identifier", "=", identifier)])
        connection._disconnect_by_support("The bank has asked us to.")
        event = self.model.search([("connection_id", "=", connection.id)])
        self.assertEqual(event.kind, "connection.disconnected")
        seen = self.ask("connections.get", connection_id=identifier)["connection"]
        self.assertEqual((seen["state"], seen["reason"]), ("disconnected", "The bank has asked us to."))
        answer = self.ask("accounts.list", connection_id=identifier)
        self.assertFailure(answer, "connection_disconnected", "reconnect")
        self.assertIn("The bank has asked us to.", answer["error"]["message"])

    def test_after_a_pause_only_the_nearest_end_is_announced_and_a_renewal_restarts_it(self):
        connection = self.connection_of(self.remote)
        connection.consent_expires_at = fields.Datetime.now() + timedelta(days=5)
        for _time in range(2):
            self.env["bank.sync.connection"]._cron_warn_of_ends()
        self.assertEqual((connection.consent_warning, len(self.model.search([]))), (7, 1))
        answer = self.ask("connections.renew", self.remote, connection_id=connection.identifier, return_url="/x")
        self.assertIn("error", answer)

    def test_event_is_kept_for_days_once_delivered_and_for_a_month_where_it_never_was(self):
        delivered, given_up = (
            self.model.create({"client_id": self.remote.id, "kind": "transactions.new", "state": state})
            for state in ("delivered", "given_up")
        )
        for days, left in ((2, delivered | given_up), (2, given_up), (27, self.model)):
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE bank_sync_event SET create_date = create_date - make_interval(days => %s)", [days]
            )
            self.env.invalidate_all()
            self.model._gc_events()
            self.assertEqual((delivered | given_up).exists(), left)

    def test_finished_events_are_deleted_after_a_month(self):
        event = self.model._emit(self.remote, "client.active")
        self.deliver()
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_event SET create_date = create_date - make_interval(days => 31)")
        self.env.invalidate_all()
        waiting = self.model._emit(self.remote, "client.active")
        self.model._gc_events()
        self.assertFalse(event.exists())
        self.assertTrue(waiting.exists())
