from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from ..books.run import Synchronization
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestSchedule(OnlineSyncCommon):
    """The scheduled action fetches for all links that are due; one failure does not stop the others."""

    def run_schedule(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_synchronize").method_direct_trigger()
        self.env.invalidate_all()

    def test_transactions_arrive_automatically(self):
        self.connect_journal()
        self.proxy.book("T1", "1.00")
        self.run_schedule()
        self.assertEqual(len(self.lines()), 1)

    def test_the_action_runs_every_12_hours(self):
        cron = self.env.ref("account_online_synchronization.ir_cron_synchronize")
        self.assertRecordValues(cron, [{"interval_number": 12, "interval_type": "hours", "active": True}])

    def test_without_automatic_synchronization_the_bank_is_left_alone(self):
        self.connect_journal(auto_sync=False)
        self.proxy.requests.clear()
        self.run_schedule()
        self.assertEqual(self.requested_operations(), [])

    def test_a_link_without_journals_costs_no_request(self):
        self.connect()
        self.proxy.requests.clear()
        self.run_schedule()
        self.assertEqual(self.requested_operations(), [])

    def test_a_rate_limited_link_gets_no_request_before_its_time(self):
        self.connect_journal(next_refresh="2026-05-20 14:00:00")
        self.proxy.requests.clear()
        self.run_schedule()
        self.assertEqual(self.requested_operations(), [])

    def test_the_user_is_not_said_to_be_present(self):
        self.connect_journal()
        self.run_schedule()
        refresh = next(payload for operation, payload in self.proxy.requests if operation == "connections.refresh")
        self.assertIs(refresh["user_present"], False)

    def test_bank_that_forbids_automatic_synchronization_is_named_in_the_chatter(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "auto_sync_forbidden", "disable_auto_sync", reference="E-1")
        self.run_schedule()
        self.assertIn("disable the automatic synchronization", str(link.message_ids.mapped("body")))

    def test_link_whose_service_has_its_key_back_goes_on(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "secrets_unreadable", "reconnect")
        self.run_schedule()
        self.assertEqual((link.state, link.error_code), ("disconnected", "secrets_unreadable"))
        self.proxy.failures.clear()
        self.proxy.book("T1", "1.00")
        link.next_refresh = False
        self.run_schedule()
        self.assertEqual((link.state, link.error_code, len(self.lines())), ("connected", False, 1))

    def test_one_broken_link_does_not_stop_the_others(self):
        broken, healthy = self.connect_journal(), self.connect()
        healthy.account_online_account_ids._link_journal(healthy.account_online_account_ids._create_journal())
        finish = Synchronization.finish

        def break_the_first(synchronization, *arguments, **options):
            if synchronization.link == broken:
                raise ZeroDivisionError
            return finish(synchronization, *arguments, **options)

        with (
            patch.object(Synchronization, "finish", break_the_first),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            self.run_schedule()
        self.assertTrue(healthy.last_refresh)
        self.assertFalse(broken.last_refresh)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestWhen(OnlineSyncCommon):
    """When a link is due again: spread after success, sooner after a failure, and never before it may."""

    def setUp(self):
        super().setUp()
        self.link = self.connect_journal()
        self.cron = self.env.ref("account_online_synchronization.ir_cron_synchronize")

    def wait(self):
        """:return: time until the link is due, in minutes"""
        return (self.link.next_refresh - fields.Datetime.now()).total_seconds() / 60

    def fail(self, **values):
        self.proxy.fail("connections.refresh", **values)
        self.synchronize(self.link)
        return self.wait()

    def test_after_success_it_is_due_up_to_a_tenth_before_the_interval(self):
        self.synchronize(self.link)
        self.assertLessEqual(self.wait(), 12 * 60)
        self.assertGreaterEqual(self.wait(), 12 * 60 * 0.9)

    def test_one_link_always_has_the_same_time(self):
        self.synchronize(self.link)
        first = self.wait()
        self.synchronize(self.link)
        self.assertEqual(self.wait(), first)

    def test_links_do_not_ask_all_at_one_moment(self):
        links = self.Link.sudo().create([{"name": f"Bank {number}"} for number in range(30)])
        self.assertGreater(len({link._share() for link in links}), 20)
        self.assertTrue(all(0 <= link._share() <= 1 for link in links))

    def test_the_interval_is_that_of_the_scheduled_action(self):
        self.cron.write({"interval_number": 2, "interval_type": "days"})
        self.synchronize(self.link)
        self.assertGreaterEqual(self.wait(), 2 * 24 * 60 * 0.9)
        self.assertLessEqual(self.wait(), 2 * 24 * 60)

    def test_after_a_failure_it_is_tried_after_5_minutes_then_after_the_double(self):
        self.assertEqual([self.fail() for _attempt in range(4)], [5, 10, 20, 40])

    def test_the_wait_never_exceeds_the_interval(self):
        self.link.failure_count = 500
        self.assertEqual(self.fail(), 12 * 60)

    def test_success_forgets_the_failures(self):
        self.fail()
        self.fail()
        self.proxy.failures.clear()
        self.synchronize(self.link)
        self.assertEqual(self.fail(), 5)

    def test_the_bank_says_how_long_to_wait(self):
        self.link.failure_count = 3
        self.assertEqual(self.fail(code="rate_limited", retry_after=3 * 3600), 3 * 60)

    def test_what_needs_a_person_waits_for_the_interval(self):
        for action in ("renew", "answer_challenge", "disable_auto_sync", "contact_support", "reactivate"):
            self.assertEqual(self.fail(code=action, action=action), 12 * 60)

    def test_the_scheduled_action_is_woken_at_that_moment(self):
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])
        self.fail()
        new = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)]) - triggers
        self.assertIn(self.link.next_refresh, new.mapped("call_at"))

    def test_without_automatic_synchronization_no_action_is_triggered(self):
        self.link.auto_sync = False
        before = self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)])
        self.fail()
        self.assertEqual(self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)]), before)
