from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.bank_sync_proxy.tests.common import PagesCase
from odoo.tests import tagged
from odoo.tools import config

READY = "/bank_sync/health/ready"


@tagged("post_install", "-at_install")
class TestHealth(PagesCase):
    """What a load balancer and the command line learn about the state of the proxy."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)
        self.actions = self.env.ref("bank_sync_proxy.ir_cron_deliver_events")
        self.env["ir.cron"].search([]).nextcall = fields.Datetime.now() + timedelta(hours=1)
        self.env["bank.sync.event"].search([]).unlink()

    def findings(self, subject):
        self.env.invalidate_all()
        found = self.env["bank.sync.doctor"]._examine()
        return [(level, sentence) for level, about, sentence in found if about == subject]

    def test_machine_that_answers_is_alive_and_ready(self):
        self.assertEqual(self.get("/bank_sync/health").json(), {"status": "alive"})
        page = self.get(READY)
        self.assertEqual((page.status_code, page.json()["status"]), (200, "ready"))

    def test_nothing_but_yes_and_no_is_public(self):
        checks = self.get(READY).json()["checks"]
        self.assertEqual({type(value) for value in checks.values()}, {bool})

    def test_missing_master_key_takes_the_machine_out(self):
        with patch.dict(config.options, {"bank_sync_key": "file:/not/there"}):
            page = self.get(READY)
            self.assertEqual(page.status_code, 503)
            self.assertFalse(page.json()["checks"]["master_key"])
            ((level, sentence),) = self.findings("proxy's master key")
        self.assertEqual(level, "problem")
        self.assertIn("bank_sync_key can't be read, because /not/there can't be opened", sentence)

    def test_stopped_scheduled_action_is_noticed(self):
        self.actions.nextcall = fields.Datetime.now() - timedelta(hours=2)
        self.assertFalse(self.get(READY).json()["checks"]["scheduled_actions"])
        ((level, sentence),) = self.findings("scheduled actions")
        self.assertEqual(level, "problem")
        self.assertIn(self.actions.name, sentence)

    def test_undelivered_event_is_noticed(self):
        client = self.env["bank.sync.client"].search([], limit=1)
        event = self.env["bank.sync.event"].create({"client_id": client.id, "kind": "transactions.new"})
        self.assertTrue(self.get(READY).json()["checks"]["events"])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_sync_event SET create_date = create_date - interval '40 minutes' WHERE id = %s", [event.id]
        )
        self.assertFalse(self.get(READY).json()["checks"]["events"])
        ((level, sentence),) = self.findings("events")
        self.assertEqual(level, "problem")
        self.assertIn("40 minutes", sentence)

    def test_secret_that_cannot_be_read_is_counted_by_its_kind(self):
        self.env["bank.sync.provider.setting"].search([]).encrypted_value = False
        setting = self.env["bank.sync.provider.setting"].search([], limit=1)
        setting.encrypted_value = "gAAAAA of another key"
        problems = [sentence for level, sentence in self.findings("proxy's secrets") if level == "problem"]
        self.assertEqual(len(problems), 1)
        self.assertIn(f"{setting._description}: 1 of", problems[0])

    def test_provider_whose_keys_are_refused_is_named_with_the_reason(self):
        provider = self.env["bank.sync.provider"].search([], limit=1)
        provider.write({"keys_state": "refused", "keys_message": "The provider does not know them."})
        levels = [level for level, sentence in self.findings("providers") if "does not know them" in sentence]
        self.assertEqual(levels, ["problem"])
