import math
import threading
import time
from concurrent.futures import wait
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..books import batch
from ..books.batch import Batch
from ..books.run import LOCK, Interrupted, Synchronization
from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from .common import OnlineSyncCommon

THREADS = 4
#: Seconds after which a thread gives up waiting for the others; nothing waits so long when all is well.
PATIENCE = 30


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestAhead(OnlineSyncCommon):
    """Several links are requested at the same time; whatever happens meanwhile, each is stored as if alone."""

    def setUp(self):
        super().setUp()
        self.proxy.book("T1", "1.00")
        self.links = self.Link.sudo()
        for number in range(THREADS):
            link = self.connect(connection_identifier=f"C{number}")
            link.account_online_account_ids._link_journal(
                self.journal.copy({"name": f"Bank {number}", "code": f"AHD{number}"}), start_date=False
            )
            # Why not as a user: that would hold the link until the end of the test's transaction.
            link.sudo()._synchronize(user_present=False, checkpoint=lambda: None)
            self.links += link
        self.links.next_refresh = False
        self.old_runs = self.links.run_ids
        self.proxy.requests.clear()
        #: Called by the threads before the bank answers them.
        self.before_answer = lambda operation, payload: None
        #: Names of connections that were requested in a thread of their own.
        self.requested_in_threads = []
        in_threads = EmbeddedTransport(self.answer_in_thread, threads=THREADS)
        client = ProxyClient(EmbeddedTransport(lambda *request: self.proxy.dispatch(*request), in_threads))
        self.startPatcher(patch.object(self.registry["account.online.link"], "_get_client", lambda link: client))

    def answer_in_thread(self, operation, payload):
        if threading.current_thread() is not threading.main_thread():
            self.requested_in_threads.append(payload["connection_id"])
        self.before_answer(operation, payload)
        return self.proxy.dispatch(operation, payload)

    def run_schedule(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_synchronize").method_direct_trigger()
        self.env.invalidate_all()

    def new_runs(self):
        """:return: the run of each link, in their order"""
        runs = self.links.run_ids - self.old_runs
        return runs.sorted(lambda run: self.links.ids.index(run.account_online_link_id.id))

    def requests_about(self, link, operation):
        name = link.connection_identifier
        return [
            payload for sent, payload in self.proxy.requests if sent == operation and payload["connection_id"] == name
        ]

    def assert_done(self, links=None):
        links = self.links if links is None else links
        for link in links:
            self.assertEqual((link.state, link.failure_count), ("connected", 0))
            self.assertGreater(link.next_refresh, link.last_refresh)
        runs = self.new_runs().filtered(lambda run: run.account_online_link_id in links)
        self.assertEqual(set(runs.mapped("state")), {"done"})

    # -------------------------------------------------------------------------
    # AS LONG AS ALL IS WELL
    # -------------------------------------------------------------------------

    def test_requests_go_to_all_banks_at_the_same_time(self):
        # Why a barrier: no thread passes it before all have arrived, at each request.
        barrier = threading.Barrier(THREADS, timeout=PATIENCE)
        self.before_answer = lambda operation, payload: barrier.wait()
        self.run_schedule()
        self.assert_done()

    def test_each_request_is_sent_once(self):
        self.run_schedule()
        for link in self.links:
            for operation in ("connections.refresh", "accounts.list", "transactions.list"):
                self.assertEqual(len(self.requests_about(link, operation)), 1)

    def test_news_are_stored(self):
        self.proxy.book("T2", "2.00")
        self.run_schedule()
        self.assert_done()
        self.assertEqual(self.new_runs().mapped("imported"), [1] * THREADS)
        for journal in self.links.journal_ids:
            self.assertEqual(self.lines(journal).mapped("amount"), [1.0, 2.0])
        self.assertEqual(len(self.requested_operations()), 3 * THREADS)

    def test_the_run_keeps_the_answers(self):
        self.run_schedule()
        for run in self.new_runs():
            self.assertEqual(run.raw_answers_text.count('"operation"'), 3)

    def test_dashboards_are_notified_of_each_journal_once_it_is_stored(self):
        Bus = self.env["bus.bus"].sudo()
        last = Bus.search([], order="id desc", limit=1).id
        self.run_schedule()
        told = [one.message for one in Bus.search([("id", ">", last)]) if '"done"' in one.message]
        for journal in self.links.journal_ids:
            self.assertTrue(any(str(journal.id) in message for message in told))

    def test_a_planned_run_goes_on(self):
        planned = self.env["account.online.run"].sudo()
        planned = planned.create({"account_online_link_id": self.links[0].id, "is_deferred": True, "state": "planned"})
        self.run_schedule()
        self.assert_done()
        self.assertEqual(planned.state, "done")
        self.assertEqual(len(self.new_runs()), THREADS)

    def test_what_a_dead_server_left_is_closed(self):
        dead = self.env["account.online.run"].sudo().create({"account_online_link_id": self.links[0].id})
        self.run_schedule()
        self.assertEqual(dead.state, "interrupted")

    def test_a_long_load_asks_for_itself_after_the_others(self):
        self.links[0].account_online_account_ids.last_sync = False
        self.run_schedule()
        self.assert_done()
        self.assertNotIn("C0", self.requested_in_threads)
        self.assertEqual({payload["connection_id"] for _operation, payload in self.proxy.requests[-3:]}, {"C0"})

    def test_no_transaction_is_open_while_the_bank_of_a_long_load_is_waited_for(self):
        self.links[0].account_online_account_ids.last_sync = False
        commit_progress = self.registry["ir.cron"]._commit_progress
        committed, counts = [], []

        def commit(cron, *arguments, **options):
            result = commit_progress(cron, *arguments, **options)
            committed.append((cron.env.cr, cron.env.cr.sql_log_count))
            return result

        def count_statements(_operation, payload):
            if payload["connection_id"] == "C0":
                cr, before = committed[-1]
                counts.append(cr.sql_log_count - before)

        self.before_answer = count_statements
        with patch.object(self.registry["ir.cron"], "_commit_progress", commit):
            self.run_schedule()
        self.assert_done()
        self.assertEqual(counts, [0, 0, 0], "statements between the last commit and each request")

    # -------------------------------------------------------------------------
    # FAILURES
    # -------------------------------------------------------------------------

    def test_a_bank_that_fails_concerns_its_link_only(self):
        failed, dispatch = self.links[1], self.proxy.dispatch
        error = {"code": "rate_limited", "message": "Wait.", "action": "retry", "retry_after": 7200}
        self.proxy.dispatch = lambda operation, payload: (
            dispatch(operation, payload) and {"error": error}
            if payload["connection_id"] == "C1"
            else dispatch(operation, payload)
        )
        self.run_schedule()
        self.assert_done(self.links - failed)
        self.assertEqual((failed.state, failed.failure_count), ("error", 1))
        self.assertEqual(str(failed.next_refresh), "2026-05-20 12:00:00")
        self.assertEqual(self.new_runs()[1].error_code, "rate_limited")
        self.assertEqual(len(self.requests_about(failed, "connections.refresh")), 1)

    def test_a_mistake_in_a_thread_concerns_its_link_only(self):
        def break_one(_operation, payload):
            if payload["connection_id"] == "C1":
                raise ZeroDivisionError

        self.before_answer = break_one
        with self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"):
            self.run_schedule()
        broken = self.links[1]
        self.assert_done(self.links - broken)
        self.assertEqual((broken.error_code, broken.failure_count), ("interrupted", 1))
        self.assertEqual(self.new_runs()[1].state, "interrupted")

    def test_a_batch_that_can_not_be_begun_is_synchronized_one_by_one(self):
        begin_runs = batch.begin_runs

        def break_batches(links, *arguments):
            return begin_runs(links, *arguments) if len(links) == 1 else 1 / 0

        with (
            patch.object(batch, "begin_runs", break_batches),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            self.run_schedule()
        self.assert_done()
        self.assertEqual(self.requested_in_threads, [])

    def test_without_a_connection_nothing_is_requested_and_the_link_says_so(self):
        self.links[0].connection_identifier = False
        self.run_schedule()
        self.assert_done(self.links[1:])
        self.assertEqual(self.links[0].error_code, "no_connection")
        self.assertEqual(len(self.requested_operations()), 3 * (THREADS - 1))

    # -------------------------------------------------------------------------
    # OTHERS
    # -------------------------------------------------------------------------

    def test_an_account_that_has_changed_meanwhile_is_requested_again(self):
        link = self.links[0]
        finish = Synchronization.finish

        def change_first(synchronization, *arguments, **options):
            if synchronization.link == link:
                synchronization.link.account_online_account_ids.last_sync = "2026-05-18"
            return finish(synchronization, *arguments, **options)

        with patch.object(Synchronization, "finish", change_first):
            self.run_schedule()
        self.assert_done()
        self.assertEqual(
            [payload["since"] for payload in self.requests_about(link, "transactions.list")],
            ["2026-05-10", "2026-05-08"],
        )

    def test_a_link_that_another_worker_has_costs_no_request(self):
        # Why another connection: an advisory lock is never in its own session's way.
        with self.env.registry.cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, self.links[2].id])
            self.run_schedule()
        self.assert_done(self.links - self.links[2])
        self.assertEqual(self.requests_about(self.links[2], "connections.refresh"), [])
        triggers = self.env["ir.cron.trigger"].search([]).mapped("call_at")
        self.assertIn("2026-05-20 10:05:00", [str(moment) for moment in triggers])

    def test_afterwards_no_link_is_held_any_more(self):
        self.run_schedule()
        with self.env.registry.cursor() as other:
            for link in self.links:
                other.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, link.id])
                self.assertTrue(other.fetchone()[0])

    def row_is_taken(self, taken, *, at_once):
        """Another transaction has locked the row of a link, from the beginning or only when its bank has answered."""
        Link = self.registry["account.online.link"]
        lock = Link.try_lock_for_update

        def try_lock(links, **options):
            return lock(links - taken.with_env(links.env) if at_once or len(links) == 1 else links, **options)

        return patch.object(Link, "try_lock_for_update", try_lock)

    def test_a_link_whose_row_is_taken_costs_no_request(self):
        taken = self.links[3]
        with self.row_is_taken(taken, at_once=True):
            self.run_schedule()
        self.assert_done(self.links - taken)
        self.assertEqual(self.requests_about(taken, "connections.refresh"), [])
        self.assertFalse(taken.next_refresh)

    def test_link_locked_when_its_bank_answers_is_left_to_the_next_run(self):
        taken = self.links[3]
        with self.row_is_taken(taken, at_once=False):
            self.run_schedule()
        self.assert_done(self.links - taken)
        self.assertEqual(self.new_runs()[3].state, "interrupted")
        self.assertFalse(taken.next_refresh)

    # -------------------------------------------------------------------------
    # TIME
    # -------------------------------------------------------------------------

    def test_time_limit_stores_what_was_fetched_and_begins_nothing_new(self):
        self.registry["account.online.link"]._get_client(self.links).for_threads().threads = 1
        commit_progress = self.registry["ir.cron"]._commit_progress

        def without_time(cron, *arguments, **options):
            commit_progress(cron, *arguments, **options)
            return 0

        with (
            patch.object(self.registry["ir.cron"], "_commit_progress", without_time),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            batch.synchronize_each(self.links.with_env(self.env(cr=cr, su=True)))
        begun = self.links.filtered("next_refresh")
        self.assertEqual(len(begun), 2)
        self.assert_done(begun)
        self.assertEqual(
            {payload["connection_id"] for _operation, payload in self.proxy.requests},
            {*begun.mapped("connection_identifier")},
        )

    @mute_logger("odoo.addons.account_online_synchronization.books.batch")
    def test_no_thread_is_left_running_after_an_early_end(self):
        with patch.object(Batch, "_synchronize", side_effect=Interrupted):
            self.run_schedule()
        self.assertEqual(set((self.links.run_ids - self.old_runs).mapped("state")), {"interrupted"})
        self.assertFalse([thread for thread in threading.enumerate() if thread.name.startswith("bank-fetch")])
        self.run_schedule()
        self.assert_done_at_last()

    def assert_done_at_last(self):
        for link in self.links:
            self.assertEqual(link.run_ids.sorted("id")[-1].state, "done")

    def test_time_limit_loses_no_complete_answer(self):
        """Otherwise the banks would be asked a second time for what they have answered."""
        synchronize = Batch._synchronize

        def at_the_time_limit(batch_, link, future):
            wait(batch_.pool._futures)
            batch_.deadline = -math.inf
            return synchronize(batch_, link, future)

        with patch.object(Batch, "_synchronize", at_the_time_limit):
            self.run_schedule()
        self.run_schedule()
        self.assert_done()
        self.assertEqual(len(self.new_runs()), THREADS)
        self.assertEqual(len(self.requested_operations()), 3 * THREADS)

    def test_without_time_left_no_bank_gets_a_request(self):
        with patch.object(self.registry["account.online.link"], "_deadline", lambda links: time.monotonic() - 1):
            self.run_schedule()
        self.assertEqual(self.requested_operations(), [])
        self.assertFalse(self.links.run_ids - self.old_runs)
