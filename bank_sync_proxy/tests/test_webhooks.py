import json
import time
from unittest.mock import patch

from odoo.tests import tagged

from ..providers.sandbox_signatures import MAX_AGE, SIGNATURE_HEADER, sign_webhook
from .common import PagesCase

SECRET = "a secret of this test"


@tagged("post_install", "-at_install")
class TestWebhooks(PagesCase):
    """Webhooks of providers."""

    def setUp(self):
        super().setUp()
        self.provider.setting_ids.filtered(lambda setting: setting.name == "webhook_secret").value = SECRET
        self.connection_id = self.connect()
        self.record = self.env["bank.sync.connection"].search([("identifier", "=", self.connection_id)])
        self.env["bank.sync.event"].search([]).unlink()

    def body(self, kind="transactions.new", reference=None):
        return json.dumps({"events": [{"kind": kind, "reference": reference or self.record.provider_reference}]})

    def send(self, body, secret=SECRET, age=0, provider="sandbox", **headers):
        signature = sign_webhook(secret, int(time.time()) - age, body.encode())
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature, **headers}
        return self.url_open(f"/bank_sync/webhook/{provider}", data=body.encode(), headers=headers).status_code

    def events(self):
        return self.env["bank.sync.event"].search([])

    def test_an_event_is_noted_for_the_connection_that_it_names(self):
        self.connect("demo-beta")
        self.assertEqual(self.send(self.body()), 204)
        self.assertRecordValues(
            self.events(),
            [
                {
                    "kind": "transactions.new",
                    "client_id": self.client_record.id,
                    "connection_id": self.record.id,
                    "state": "pending",
                }
            ],
        )

    def test_repeated_webhook_is_acknowledged_and_noted_once(self):
        for _time in range(3):
            self.assertEqual(self.send(self.body()), 204)
        self.assertEqual(len(self.events()), 1)

    def test_webhook_whose_transaction_is_repeated_is_taken(self):
        """Such as while an update changes the tables: Odoo calls the controller again, with the same request."""
        connections = type(self.env["bank.sync.connection"])
        emit, failures = connections._emit_for, ["DO 'BEGIN RAISE deadlock_detected; END'"]

        def fail_once(records, *arguments):
            if failures:
                records.env.cr.execute(failures.pop(), log_exceptions=False)
            return emit(records, *arguments)

        with (
            patch.object(connections, "_emit_for", fail_once),
            patch("odoo.service.model.random.uniform", lambda *_: 0),
        ):
            self.assertEqual(self.send(self.body()), 204)
        self.assertFalse(failures)
        self.assertEqual(len(self.events()), 1)

    def test_webhook_about_an_unknown_or_disconnected_connection_is_ignored(self):
        self.assertEqual(self.send(self.body(reference="unknown")), 204)
        self.assertEqual(self.send(self.body(kind="never.heard")), 204)
        self.record._disconnect()
        self.assertEqual(self.send(self.body()), 204)
        self.assertFalse(self.events())

    def test_what_the_provider_has_not_signed_is_refused_and_recorded(self):
        body = self.body()
        good = sign_webhook(SECRET, int(time.time()), body.encode())
        for parameters in (
            {"body": body, "secret": "another"},
            {"body": body, "age": MAX_AGE + 60},
            {"body": body, "age": -MAX_AGE - 60},
            {"body": body + " ", SIGNATURE_HEADER: good},
            {"body": body, SIGNATURE_HEADER: ""},
            {"body": "[]"},
        ):
            with self.subTest(parameters=parameters):
                before = self.env["bank.sync.error"].search([])
                self.assertEqual(self.send(**parameters), 400)
                record = self.env["bank.sync.error"].search([]) - before
                self.assertEqual((record.operation, record.provider_code), ("webhook", "sandbox"))
                self.assertNotIn(self.record.provider_reference, f"{record.read()}")
        self.assertFalse(self.events())

    def test_what_is_too_large_is_not_even_read(self):
        self.assertEqual(self.send(self.body() + " " * 70_000), 413)
        self.assertFalse(self.events())

    def test_providers_that_are_unknown_or_switched_off(self):
        self.assertEqual(self.send(self.body(), provider="nobody"), 404)
        self.provider.active = False
        self.assertEqual(self.send(self.body()), 404)
        self.assertFalse(self.events())

    def test_form_is_not_a_webhook(self):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.send(self.body(), **headers), 400)

    def test_secret_is_generated_and_replaced_in_a_copy(self):
        setting = self.provider.setting_ids.filtered(lambda setting: setting.name == "webhook_secret")
        self.assertTrue(setting.is_set)
        setting.encrypted_value = "gAAAAA-of-the-original"
        self.assertEqual(self.provider._adapter().settings["webhook_secret"], "")
        self.assertEqual(self.ask("accounts.list", connection_id=self.connection_id).keys(), {"accounts"})
        self.provider._ensure_settings()
        self.assertGreater(len(self.provider._adapter().settings["webhook_secret"]), 40)
