from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import config

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestDoctor(OnlineSyncCommon):
    """What ``odoo bank_sync doctor`` says about a database."""

    def findings(self, subject):
        found = self.env["account.online.doctor"]._examine()
        return [(level, sentence) for level, about, sentence in found if about == subject]

    def action(self):
        return self.env.ref("account_online_synchronization.ir_cron_synchronize")

    def test_action_that_is_late_is_named_with_its_time(self):
        self.action().nextcall = late = fields.Datetime.now().replace(microsecond=0) - timedelta(hours=2)
        problems = [sentence for level, sentence in self.findings("scheduled actions") if level == "problem"]
        self.assertEqual(len(problems), 1)
        self.assertIn(f"should have run at {late} UTC", problems[0])

    def test_action_that_is_switched_off_is_a_problem(self):
        self.action().active = False
        problems = [sentence for level, sentence in self.findings("scheduled actions") if level == "problem"]
        self.assertEqual(len(problems), 1)
        self.assertIn("is switched off", problems[0])

    def test_key_that_is_not_there_is_named_with_its_option(self):
        with patch.dict(config.options, {"bank_sync_key": "env:NOT_THERE"}):
            ((level, sentence),) = self.findings("master key")
        self.assertEqual(level, "problem")
        self.assertIn("the environment has no NOT_THERE", sentence)

    def test_second_key_that_was_forgotten_is_mentioned(self):
        with patch.dict(config.options, {"bank_sync_second_key": "a second key that is long enough"}):
            self.assertIn("advice", [level for level, _sentence in self.findings("master key")])

    def test_address_that_the_service_does_not_know_is_a_problem(self):
        service = self.env["account.online.service"]._get()
        service.write({"url": "https://proxy.example", "registered_url": "https://old.example"})
        self.env["ir.config_parameter"].set_param("web.base.url", "https://new.example")
        levels = [level for level, sentence in self.findings("address") if "https://old.example" in sentence]
        self.assertEqual(levels, ["problem"])
