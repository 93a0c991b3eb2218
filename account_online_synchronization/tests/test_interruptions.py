import time
from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ..books import apply
from ..books.run import MAX_FETCHES, Interrupted, Synchronization
from .common import OnlineSyncCommon


class InterruptionsCommon(OnlineSyncCommon):
    def trigger(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"account_online_synchronization.{name}").method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestInterruptions(InterruptionsCommon):
    """A run that ends half-way loses nothing, doubles nothing, and says so."""

    def setUp(self):
        super().setUp()
        for number in range(6):
            self.proxy.book(f"T{number}", f"{number + 1}.00", self.days_ago(number))
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids
        self.startPatcher(patch.object(apply, "CHUNK", 2))

    def die_at(self, number, error):
        """:return: checkpoint that ends the work when it is called for the n-th time"""
        calls = []

        def checkpoint():
            calls.append(1)
            if len(calls) == number:
                raise error

        return checkpoint

    def begin(self, error, number=3):
        # Why not assertRaises: Odoo's own takes back what was stored until then.
        with suppress(Interrupted):
            self.link._synchronize(user_present=False, checkpoint=self.die_at(number, error))

    def assert_the_rest_follows(self, stored):
        self.assertEqual(len(self.lines()), stored)
        self.assertFalse(self.account.last_sync)
        self.synchronize(self.link)
        self.assertEqual(sorted(self.lines().mapped("amount")), [1, 2, 3, 4, 5, 6])
        self.assertEqual(str(self.account.last_sync), "2026-05-20")

    def test_after_a_crash_between_two_chunks_the_rest_follows(self):
        with self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"):
            self.begin(ZeroDivisionError("crash"))
        self.assert_the_rest_follows(stored=4)

    def test_when_the_time_is_up_the_rest_follows(self):
        self.begin(Interrupted())
        self.assert_the_rest_follows(stored=4)

    def test_statements_are_complete_after_the_rest_has_followed(self):
        self.begin(Interrupted(), number=2)
        self.assertEqual(len(self.lines()), 2)
        self.synchronize(self.link)
        self.assertEqual(self.statements().line_ids, self.lines())
        self.assertEqual(self.lines()[-1].running_balance, self.account.balance)

    def test_a_run_whose_time_is_up_is_marked_with_the_reason(self):
        self.begin(Interrupted())
        self.assertEqual(self.link.run_ids.state, "interrupted")
        self.assertIn("ran out", self.link.run_ids.error_message)

    def test_a_run_that_a_dead_server_left_is_marked_by_the_next_one(self):
        dead = (
            self.env["account.online.run"]
            .sudo()
            .create({"account_online_link_id": self.link.id, "trigger": "schedule"})
        )
        run = self.synchronize(self.link)
        self.assertEqual((dead.state, run.state), ("interrupted", "done"))
        self.assertIn("Interrupted before it finished", dead.error_message)

    def test_a_bug_in_the_schedule_is_noted_on_the_link_and_tried_again_soon(self):
        Account = self.registry["account.online.account"]
        with (
            patch.object(Account, "_take_over", side_effect=ZeroDivisionError("oops")),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            self.trigger("ir_cron_synchronize")
        self.assertEqual(self.link.failure_count, 1)
        self.assertEqual(str(self.link.next_refresh), "2026-05-20 10:05:00")
        self.trigger_later()
        self.assertEqual(len(self.lines()), 6, self.link.run_ids.mapped("error_message"))

    def trigger_later(self):
        with freeze_time("2026-05-20 10:06:00"):
            self.trigger("ir_cron_synchronize")

    def test_without_time_left_no_bank_gets_a_request(self):
        self.proxy.requests.clear()
        with patch.object(self.registry["account.online.link"], "_deadline", lambda links: time.monotonic() - 1):
            self.trigger("ir_cron_synchronize")
        self.assertEqual(self.requested_operations(), [])

    def test_a_checkpoint_ends_the_work_when_the_time_is_up(self):
        with patch.object(self.registry["ir.cron"], "_commit_progress", lambda cron, *done, **left: 0):
            with self.assertRaises(Interrupted):
                self.link._checkpoint(1, time.monotonic() - 1)
            self.link._checkpoint(1, time.monotonic() + 60)

    def test_an_account_that_always_changes_is_left_to_the_next_run_which_says_so(self):
        link = self.connect_journal(start_date=self.days_ago(5))
        account, page = link.account_online_account_ids.sudo(), self.proxy._page

        def change_meanwhile(payload):
            account.start_date -= timedelta(days=1)
            return page(payload)

        with patch.object(self.proxy, "_page", change_meanwhile):
            run = self.synchronize(link)
        self.assertEqual(self.requested_operations().count("transactions.list"), MAX_FETCHES)
        self.assertEqual(self.requested_operations().count("connections.refresh"), 1)
        self.assertEqual((run.state, run.error_code, link.state), ("failed", "interrupted", "error"))
        self.assertIn("changed again and again", run.error_message)
        self.assertFalse(self.lines())
        run = self.synchronize(link)
        booked = len(self.proxy.transactions["A1"])
        self.assertEqual((run.state, run.imported, link.state), ("done", booked, "connected"))

    def test_pages_without_an_end_are_left_to_the_next_run_which_says_so(self):
        link, page = self.connect_journal(), self.proxy._page({"account_id": "A1"})
        with patch.object(self.proxy, "_page", lambda _payload: {**page, "has_more": True, "next_cursor": "1"}):
            run = self.synchronize(link)
        self.assertEqual((run.state, len(self.lines())), ("failed", 0))
        self.assertIn("does not end", run.error_message)
        run = self.synchronize(link)
        self.assertEqual((run.state, run.imported), ("done", len(self.proxy.transactions["A1"])))

    def test_runs_outside_of_the_schedule_have_no_deadline(self):
        self.assertEqual(self.link._deadline(), float("inf"))

    def test_a_link_that_another_worker_has_is_left_alone(self):
        self.proxy.requests.clear()
        with patch.object(
            self.registry["account.online.link"], "try_lock_for_update", lambda links, **options: links[:0]
        ):
            answer = self.link._synchronize(user_present=True)
        self.assertIn("is being synchronized right now", answer["params"]["message"])
        self.assertEqual(self.requested_operations(), [])
        self.assertFalse(self.link.run_ids)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLongLoads(InterruptionsCommon):
    """Users do not wait for months of transactions: the server fetches them in the background."""

    def setUp(self):
        super().setUp()
        self.proxy.book("T1", "1.00", self.days_ago(300))
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids

    def status(self):
        self.account.invalidate_recordset(["fetching_status"])
        return self.account.fetching_status

    def test_a_long_first_load_goes_on_behind_the_user(self):
        answer = self.link.action_fetch_transactions()
        self.assertIn("You can continue working", answer["params"]["message"])
        self.assertEqual((self.link.run_ids.state, self.status(), len(self.lines())), ("planned", "waiting", 0))

    def test_the_server_does_what_was_planned(self):
        self.link.action_fetch_transactions()
        self.trigger("ir_cron_fetch_planned")
        self.assertEqual((self.link.run_ids.state, self.status(), len(self.lines())), ("done", "done", 1))

    def test_the_server_is_woken_for_it_at_once(self):
        cron = self.env.ref("account_online_synchronization.ir_cron_fetch_planned")
        self.link.action_fetch_transactions()
        self.assertTrue(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]))

    def test_news_are_requested_once_and_not_again_behind_the_user(self):
        self.link.action_fetch_transactions()
        self.trigger("ir_cron_fetch_planned")
        self.assertEqual(self.requested_operations().count("connections.refresh"), 1)

    def test_a_second_click_does_it_at_once(self):
        self.link.action_fetch_transactions()
        answer = self.link.action_fetch_transactions()
        self.assertIn("New transactions: 1.", answer["params"]["message"])
        self.assertEqual((len(self.link.run_ids), self.link.run_ids.state, len(self.lines())), (1, "done", 1))

    def test_a_planned_run_of_a_dead_worker_is_taken_up_again(self):
        self.link.action_fetch_transactions()
        self.link.run_ids.state = "running"
        self.assertEqual(self.status(), "processing")
        self.trigger("ir_cron_fetch_planned")
        self.assertEqual((len(self.link.run_ids), self.link.run_ids.state, len(self.lines())), (1, "done", 1))

    def test_a_planned_run_whose_time_is_up_stays_planned(self):
        self.link.action_fetch_transactions()
        run = self.link.run_ids
        with suppress(Interrupted), patch.object(apply.Storing, "store", side_effect=Interrupted):
            Synchronization(self.link, refresh=False, run=run).go()
        self.assertEqual((run.state, self.status()), ("planned", "waiting"))

    def test_a_few_days_are_fetched_while_the_user_waits(self):
        self.synchronize(self.link)
        self.proxy.book("T2", "1.00")
        answer = self.link.action_fetch_transactions()
        self.assertIn("New transactions: 1.", answer["params"]["message"])

    def test_nothing_is_fetched_behind_the_user_while_nothing_is_planned(self):
        self.proxy.requests.clear()
        self.trigger("ir_cron_fetch_planned")
        self.assertEqual(self.requested_operations(), [])

    def test_while_nothing_runs_the_status_is_done(self):
        self.assertEqual(self.status(), "done")
