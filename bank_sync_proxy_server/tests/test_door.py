import logging
from unittest.mock import patch

import psycopg2

from odoo import service
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import bank_sync_error
from .door import DIGEST, SECRET, DoorCase

#: SQL queries of one request, Odoo's own and the savepoint included; 11 and 10 when this was written.
QUERIES = 12


@tagged("post_install", "-at_install")
class TestDoor(DoorCase):
    """The protocol over HTTP: what is answered, and who is let in how often."""

    def refusals(self):
        return self.env["bank.sync.error"].search_count([("address", "!=", False)])

    def parameter(self, name, value):
        self.env["ir.config_parameter"].set_param(f"bank_sync_proxy.{name}", value)

    def test_an_answer_over_http_is_the_one_of_the_embedded_transport(self):
        connection = self.connect_in_process()
        for operation, payload in (
            ("connections.get", {"connection_id": connection}),
            ("accounts.list", {"connection_id": connection}),
            ("institutions.search", {"query": "demo"}),
        ):
            with self.subTest(operation=operation):
                self.assertEqual(self.ask_successfully(operation, **payload), self.ask(operation, **payload))

    def test_an_answer_is_stored_nowhere_and_makes_no_session(self):
        response = self.knock("institutions.search")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8")
        self.assertNotIn("Set-Cookie", response.headers)

    def test_a_failure_has_the_status_of_its_code_and_the_language_of_the_request(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        response = self.knock("connections.get", {"connection_id": "x", "language": "fr_FR"})
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.json()["error"]["code"], "unknown_connection")

    def test_a_request_leaves_one_row_and_does_not_write_the_client(self):
        self.ask_successfully("institutions.search")
        self.env.cr.execute(
            "SELECT xmin::text, xmax::text FROM bank_sync_client WHERE id = %s", [self.client_record.id]
        )
        before = self.env.cr.fetchone()
        rows = self.env["bank.sync.nonce"].search_count([])
        self.ask_successfully("institutions.search")
        self.assertEqual(self.env["bank.sync.nonce"].search_count([]), rows + 1)
        self.env.cr.execute(
            "SELECT xmin::text, xmax::text FROM bank_sync_client WHERE id = %s", [self.client_record.id]
        )
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_a_request_costs_few_queries(self):
        connection = self.connect_in_process()
        for operation in ("connections.get", "accounts.list"):
            self.ask_successfully(operation, connection_id=connection)
            with self.subTest(operation=operation), self.assertQueryCount(QUERIES):
                self.ask_successfully(operation, connection_id=connection)

    def test_retried_transaction_is_not_a_replay(self):
        once = iter([psycopg2.errors.SerializationFailure("crossed"), None])

        def crossed(api_model, client, payload):
            failure = next(once)
            if failure:
                raise failure
            return {"institutions": [], "next_cursor": None}

        with (
            patch.object(self.env.registry["bank.sync.api"], "_institutions_search", crossed),
            patch.object(service.model, "PG_CONCURRENCY_EXCEPTIONS_TO_RETRY", (psycopg2.errors.SerializationFailure,)),
            patch.object(service.model.errorcodes, "lookup", lambda _code: "SERIALIZATION_FAILURE"),
            patch.object(service.model.time, "sleep"),
        ):
            self.assertEqual(self.ask_successfully("institutions.search"), {"institutions": [], "next_cursor": None})
        self.assertIsNone(next(once, None))

    def test_a_request_whose_transaction_fails_is_answered_and_was_used(self):
        def fail(api_model, client, payload):
            raise psycopg2.OperationalError("server closed the connection")

        path, body = "/bank_sync/1/institutions.search", b"{}"
        headers = self.headers(path, body)
        with (
            patch.object(self.env.registry["bank.sync.api"], "_institutions_search", fail),
            self.assertLogs("odoo.addons.bank_sync_proxy_server.controllers.api", "ERROR") as logs,
            mute_logger("odoo.http"),
        ):
            response = self.send(path, body, headers)
        error = response.json()["error"]
        self.assertEqual((response.status_code, error["code"]), (503, "provider_unavailable"))
        self.assertIn(error["reference"], logs.output[0])
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Traceback", response.text)
        self.assertRefused(self.send(path, body, headers), "request_replayed", 401)

    # -------------------------------------------------------------------------
    # HOW OFTEN
    # -------------------------------------------------------------------------

    def test_one_request_too_many_waits_until_the_first_one_is_a_minute_old(self):
        self.parameter("requests_per_minute", "3")
        for _number in range(3):
            self.ask_successfully("institutions.search")
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_nonce SET moment = moment - make_interval(secs => 20)")
        response = self.knock("institutions.search")
        self.assertRefused(response, "too_many_requests", 429)
        seconds = response.json()["error"]["retry_after"]
        self.assertIn(seconds, range(35, 41))
        self.assertEqual(response.headers["Retry-After"], str(seconds))

        self.env.cr.execute("UPDATE bank_sync_nonce SET moment = moment - make_interval(secs => %s)", [seconds])
        self.ask_successfully("institutions.search")

    def test_who_was_refused_does_not_wait_longer_for_having_tried(self):
        self.parameter("requests_per_minute", "1")
        self.ask_successfully("institutions.search")
        for _number in range(3):
            self.assertRefused(self.knock("institutions.search"), "too_many_requests", 429)
        self.env.cr.execute("UPDATE bank_sync_nonce SET moment = moment - make_interval(secs => 60) WHERE is_counted")
        self.ask_successfully("institutions.search")

    def test_zero_means_no_limit(self):
        self.parameter("requests_per_minute", "0")
        for _number in range(3):
            self.ask_successfully("institutions.search")

    def test_a_client_that_never_stops_is_blocked(self):
        self.parameter("requests_per_minute", "1")
        self.parameter("suspicion_burst", "2/10")
        self.ask_successfully("institutions.search")
        for _number in range(2):
            self.assertRefused(self.knock("institutions.search"), "too_many_requests", 429)
        self.env.invalidate_all()
        self.assertRecordValues(self.client_record, [{"state": "blocked", "blocked_by": "suspicion"}])
        suspicions = self.env["bank.sync.suspicion"].search_count([])
        self.knock("institutions.search")
        self.assertEqual(self.env["bank.sync.suspicion"].search_count([]), suspicions, "who is blocked adds no more")

    def test_wrong_signatures_block_the_client_and_a_right_one_does_not(self):
        self.parameter("suspicion_signature", "3/10")
        for _number in range(2):
            self.assertRefused(self.knock("accounts.list", secret="wrong"), "signature_rejected", 401)
        self.ask_successfully("institutions.search")
        self.assertRefused(self.knock("accounts.list", secret="wrong"), "signature_rejected", 401)
        self.assertEqual(self.knock("institutions.search").json()["error"]["code"], "client_blocked")
        suspicion = self.env["bank.sync.suspicion"].search([], limit=1)
        self.assertRecordValues(suspicion, [{"kind": "signature", "address": "127.0.0.1"}])

    def test_refused_requests_cannot_fill_the_table_of_errors(self):
        with patch.object(bank_sync_error, "REFUSED_OF_ADDRESS", 3):
            for _number in range(3):
                self.assertRefused(self.knock("accounts.list", changed={"Bank-Sync-Nonce": ""}), "invalid_request", 400)
            with self.assertLogs("odoo.addons.bank_sync_proxy_server.models.bank_sync_gate", logging.INFO) as logs:
                response = self.knock("accounts.list", changed={"Bank-Sync-Nonce": ""})
        self.assertEqual(self.refusals(), 3)
        self.assertIn(response.json()["error"]["reference"], logs.output[0])

    def test_old_requests_are_forgotten_and_those_that_may_come_again_are_not(self):
        for _number in range(2):
            self.ask_successfully("institutions.search")
        nonces = self.env["bank.sync.nonce"].search([("client", "=", self.client_record.id)], order="id")
        self.env.cr.execute(
            "UPDATE bank_sync_nonce SET moment = moment - make_interval(secs => 700) WHERE id = %s", [nonces[0].id]
        )
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", return_value=60):
            nonces._forget_old()
        self.assertEqual(nonces.exists(), nonces[1:])

    # -------------------------------------------------------------------------
    # SECRETS AND COPIES
    # -------------------------------------------------------------------------

    def test_the_next_secret_counts_from_its_first_use_on(self):
        self.client_record._write_secrets(current=SECRET, next="the next secret, which is long enough, too")
        self.ask_successfully("institutions.search")
        response = self.knock("institutions.search", secret="the next secret, which is long enough, too")
        self.assertEqual(response.status_code, 200)
        self.assertRefused(self.knock("institutions.search"), "signature_rejected", 401)

    def test_copy_of_the_database_is_refused_and_the_original_continues(self):
        self.ask_successfully("institutions.search")
        response = self.knock("institutions.search", database="e" * 64)
        self.assertRefused(response, "database_copied", 403)
        self.assertIn("eeee-eeee-eeee", response.json()["error"]["message"])
        self.ask_successfully("institutions.search")
        self.env.invalidate_all()
        self.assertEqual(self.client_record.database_digest, DIGEST)
        refused = [{"code": "eeee-eeee-eeee", "address": "127.0.0.1"}]
        self.assertRecordValues(self.client_record.refused_database_ids, refused)

    def test_proxy_without_its_key_does_not_reveal_that_and_suspects_no_client(self):
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        with self.assertLogs("odoo.addons.bank_sync_proxy_server.models.bank_sync_gate", "ERROR"):
            self.assertRefused(self.knock("institutions.search"), "signature_rejected", 401)
        self.assertFalse(self.env["bank.sync.suspicion"].search([]))

    # -------------------------------------------------------------------------
    # REGISTRATIONS
    # -------------------------------------------------------------------------

    def register(self, **changed):
        path, body = "/bank_sync/1/clients.register", REGISTRATION
        return self.send(path, body, changed)

    def test_registered_client_signs_with_the_secret_that_it_was_given(self):
        registered = self.register().json()
        client = self.env["bank.sync.client"].search([("identifier", "=", registered["client_id"])])
        signed = {"client": client, "secret": registered["client_secret"], "database": "a" * 64}
        self.assertEqual(self.knock("clients.status", **signed).json()["state"], "phone_required")
        response = self.knock("institutions.search", **signed)
        self.assertEqual((response.status_code, response.json()["error"]["code"]), (403, "phone_required"))
        self.assertRefused(self.knock("clients.status", **{**signed, "database": "b" * 64}), "database_copied", 403)

    def test_registrations_are_few_from_one_address(self):
        self.parameter("registrations_per_hour", "2")
        for _number in range(2):
            self.register()
        response = self.register()
        self.assertRefused(response, "too_many_requests", 429)
        self.assertIn(response.json()["error"]["retry_after"], range(3590, 3601))
        self.env.cr.execute("UPDATE bank_sync_registration SET moment = moment - make_interval(secs => 3600)")
        self.assertNotEqual(self.register().status_code, 429)

    def test_registrations_are_few_in_all(self):
        self.parameter("registrations_per_hour_in_all", "1")
        self.env["bank.sync.registration"].create({"address": "203.0.113.9", "moment": "2020-01-01 00:00:00"})
        self.register()
        self.assertRefused(self.register(), "too_many_requests", 429)

    def test_a_registration_that_fails_counts_as_well(self):
        self.parameter("registrations_per_hour", "1")
        response = self.send("/bank_sync/1/clients.register", b"{}", {})
        self.assertIn("error", response.json())
        self.assertRefused(self.register(), "too_many_requests", 429)


REGISTRATION = (
    b'{"database_uuid": "0e984725-c51c-4bf4-9960-e1c80e27aba0", "name": "A", "url": "https://db.example",'
    b' "contact_email": "a@db.example", "database": "%s"}' % (b"a" * 64)
)
