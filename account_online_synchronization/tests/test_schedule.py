from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestSchedule(OnlineSyncCommon):
    """The scheduled action fetches for everyone who is due, and nobody stops the others."""

    def run_schedule(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_synchronize").method_direct_trigger()
        self.env.invalidate_all()

    def test_transactions_arrive_by_themselves(self):
        self.connect_journal()
        self.proxy.book("T1", "1.00")
        self.run_schedule()
        self.assertEqual(len(self.lines()), 1)

    def test_the_action_runs_every_12_hours(self):
        cron = self.env.ref("account_online_synchronization.ir_cron_synchronize")
        self.assertRecordValues(cron, [{"interval_number": 12, "interval_type": "hours", "active": True}])

    def test_without_automatic_synchronization_the_bank_is_left_alone(self):
        self.connect_journal(auto_sync=False)
        self.proxy.asked.clear()
        self.run_schedule()
        self.assertEqual(self.asked_operations(), [])

    def test_a_link_without_journals_costs_no_request(self):
        self.connect()
        self.proxy.asked.clear()
        self.run_schedule()
        self.assertEqual(self.asked_operations(), [])

    def test_a_rate_limited_link_is_not_asked_before_its_time(self):
        self.connect_journal(next_refresh="2026-05-20 14:00:00")
        self.proxy.asked.clear()
        self.run_schedule()
        self.assertEqual(self.asked_operations(), [])

    def test_the_user_is_not_said_to_be_present(self):
        self.connect_journal()
        self.run_schedule()
        refresh = next(payload for operation, payload in self.proxy.asked if operation == "connections.refresh")
        self.assertIs(refresh["user_present"], False)

    def test_a_bank_that_forbids_it_asks_in_the_chatter_to_disable_automatic_synchronization(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "auto_sync_forbidden", "disable_auto_sync", reference="E-1")
        self.run_schedule()
        self.assertIn("disable the automatic synchronization", str(link.message_ids.mapped("body")))

    def test_one_broken_link_does_not_stop_the_others(self):
        broken, healthy = self.connect_journal(), self.connect()
        healthy.account_online_account_ids._link_journal(healthy.account_online_account_ids._create_journal())
        synchronize = self.registry["account.online.link"]._synchronize

        def break_the_first(link, **arguments):
            if link == broken:
                raise ZeroDivisionError
            return synchronize(link, **arguments)

        with (
            patch.object(self.registry["account.online.link"], "_synchronize", break_the_first),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            self.run_schedule()
        self.assertTrue(healthy.last_refresh)
        self.assertFalse(broken.last_refresh)
