from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.bank_sync_common.cli import bank_sync
from odoo.tests import tagged
from odoo.tools import config

from ..client.errors import ProxyError
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestDoctor(OnlineSyncCommon):
    """What ``odoo bank_sync doctor`` says about a database."""

    def findings(self, subject):
        found = self.env["account.online.doctor"]._examine()
        return [(level, sentence) for level, about, sentence in found if about == subject]

    def test_versions_of_the_disk_and_of_the_database_lead_to_what_to_do(self):
        ((_name, _state, version),) = found = [("bank_sync_common", "installed", self.version_on_disk())]
        self.assertEqual(self.versions(*found), [("ok", f"bank_sync_common {version}")])
        for name, state, stored, advice in (
            ("bank_sync_common", "installed", "19.0.0.9", f"19.0.0.9 in the database and {version} on the disk. Stop"),
            ("bank_sync_common", "installed", None, "-u bank_sync_common --stop-after-init"),
            ("bank_sync_common", "to upgrade", version, "its state is “to upgrade”. Stop Odoo, and run: odoo -c "),
            ("bank_sync_common", "installed", "19.0.99.0", "Put the newer files back"),
            ("no_such_addon", "installed", version, "Correct addons_path in odoo.conf"),
        ):
            with self.subTest(advice=advice):
                ((level, sentence),) = self.versions((name, state, stored))
                self.assertEqual(level, "problem")
                self.assertIn(advice, sentence)

    def test_one_command_updates_all_addons_that_are_behind(self):
        behind = [(name, "installed", "19.0.0.9") for name in ("bank_sync_common", "account_online_synchronization")]
        for _level, sentence in self.versions(*behind):
            self.assertIn("-d books -u bank_sync_common,account_online_synchronization --stop-after-init", sentence)

    def version_on_disk(self):
        return self.env.ref("base.module_bank_sync_common").installed_version

    def versions(self, *addons):
        found = list(bank_sync.compare_with_disk("books", addons))
        self.assertEqual({subject for _level, subject, _sentence in found}, {"version"})
        return [(level, sentence) for level, _subject, sentence in found]

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

    def test_a_service_that_takes_a_restored_database_for_a_copy_is_recognised(self):
        service = self.env["account.online.service"]
        refused = ProxyError("database_copied", "This database is a copy.", action="reconnect")
        with (
            patch.object(type(service), "_is_known", lambda _self: True),
            patch.object(type(service), "_get_client", side_effect=refused),
        ):
            ((level, sentence),) = self.findings("connection service")
        self.assertEqual(level, "problem")
        self.assertIn("This database is a copy. If this is the original", sentence)
        self.assertIn("“Accept New Database”", sentence)

    def test_address_that_the_service_does_not_know_is_a_problem(self):
        service = self.env["account.online.service"]._get()
        service.write({"url": "https://proxy.example", "registered_url": "https://old.example"})
        self.env["ir.config_parameter"].set_param("web.base.url", "https://new.example")
        levels = [level for level, sentence in self.findings("address") if "https://old.example" in sentence]
        self.assertEqual(levels, ["problem"])
