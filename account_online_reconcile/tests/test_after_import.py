from unittest.mock import patch

from freezegun import freeze_time

from odoo.addons.account_online_reconcile.models import account_journal
from odoo.addons.account_online_synchronization.tests.common import OnlineSyncCommon
from odoo.tests import tagged

from .common import ReconcileCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestAfterImport(OnlineSyncCommon, ReconcileCommon):
    """Lines are matched in the run that stores them, and no import fails or waits because of it."""

    def setUp(self):
        super().setUp()
        self.cron = self.env.ref("account_online_reconcile.ir_cron_reconcile")

    def triggered(self):
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)])

    def run_scheduled_action(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.env.invalidate_all()

    def decisions(self):
        return self.Decision.search([("journal_id", "=", self.journal.id)])

    def pay(self, amount=100, name="T1"):
        """An invoice, and a payment of it at the bank."""
        invoice = self.document(amount)
        self.proxy.book(name, amount, remittance=[invoice.name])
        return invoice

    def test_a_line_is_proposed_in_the_run_that_stores_it(self):
        invoice = self.pay()
        self.synchronize(self.connect_journal())
        decision = self.decisions()
        self.assertEqual((decision.state, decision.statement_line_id), ("proposed", self.lines()))
        self.assertIn(invoice.name, decision.what)
        self.assertFalse(self.triggered())

    def test_what_is_certain_is_booked_by_the_scheduled_action_at_once(self):
        self.switch_on()
        invoice = self.pay()
        self.synchronize(self.connect_journal())
        self.assertEqual(self.triggered(), 1)
        self.assertFalse(self.lines().is_reconciled)
        self.run_scheduled_action()
        self.assertEqual((self.decisions().state, self.decisions().is_automatic), ("booked", True))
        self.assertFalse(invoice.amount_residual)

    def test_many_lines_are_left_to_the_scheduled_action(self):
        self.pay()
        with patch.object(account_journal, "MOST_LINES", 0):
            self.synchronize(self.connect_journal())
        self.assertFalse(self.decisions())
        self.assertEqual(self.triggered(), 1)
        self.run_scheduled_action()
        self.assertEqual(self.decisions().state, "proposed")

    def test_many_documents_are_left_to_the_scheduled_action(self):
        self.pay()
        with patch.object(account_journal, "MOST_DOCUMENTS", 0):
            self.synchronize(self.connect_journal())
        self.assertFalse(self.decisions())
        self.assertEqual(self.triggered(), 1)

    def test_many_open_lines_of_other_journals_are_left_to_the_scheduled_action(self):
        other = self.journal.copy()
        with patch.object(account_journal, "MOST_DOCUMENTS", 1):
            self.line(-10, journal=other)
            self.assertTrue(self.journal._is_quickly_searched())
            self.line(-11, journal=other)
            self.assertFalse(self.journal._is_quickly_searched())

    def test_an_import_of_20_lines_leaves_them_to_the_scheduled_action(self):
        """What it would take is more than a fifth of the import."""
        for number in range(20):
            self.proxy.book(f"T{number}", 100 + number)
        self.synchronize(self.connect_journal())
        self.assertFalse(self.decisions())
        self.assertEqual(self.triggered(), 1)

    def test_a_failure_of_the_matcher_changes_nothing_of_the_import(self):
        self.pay()
        failures = (RuntimeError("Matcher"), None)
        for failure in failures:
            with self.subTest(failure), self.assertLogs("odoo.addons.account_online_synchronization.books.run") as log:

                def fail(journal, failure=failure):
                    if failure:
                        raise failure
                    journal.env.cr.execute("SELECT 1 / 0")

                with patch.object(self.registry["account.journal"], "_find_counterparts", fail):
                    run = self.synchronize(self.connect_journal(self.journal.copy()))
                self.assertEqual((run.state, run.imported), ("done", 1))
                self.assertIn("the import itself is complete", log.output[0])

    def test_a_run_that_finds_nothing_new_looks_for_no_counterparts(self):
        self.pay()
        link = self.connect_journal()
        self.synchronize(link)
        self.synchronize(link)
        with patch.object(self.registry["account.journal"], "_reconcile_after_import") as looked:
            self.synchronize(link)
        looked.assert_not_called()

    def test_a_run_in_which_another_account_fails_matches_what_was_stored(self):
        self.proxy.add_account("A2")
        self.pay()
        link = self.connect_journal()
        link.account_online_account_ids[1]._link_journal(self.journal.copy(), False, "month")
        answer = self.proxy._page

        def page(payload):
            if payload["account_id"] == "A2":
                return {"error": {"code": "provider_unavailable", "message": "No.", "action": "retry"}}
            return answer(payload)

        with patch.object(self.proxy, "_page", page):
            run = self.synchronize(link)
        self.assertEqual((run.state, self.decisions().state), ("failed", "proposed"))

    def test_the_scheduled_action_books_in_batches(self):
        self.switch_on()
        for number in range(5):
            self.pay(100 + number, f"T{number}")
        self.synchronize(self.connect_journal())
        Cron = self.registry["ir.cron"]
        commit, sizes = Cron._commit_progress, []

        def count(cron, *args, **options):
            sizes.append(self.Decision.search_count([("state", "=", "booked")]))
            return commit(cron, *args, **options)

        with patch.object(account_journal, "BOOKED_TOGETHER", 2), patch.object(Cron, "_commit_progress", count):
            self.run_scheduled_action()
        self.assertEqual(sizes, [0, 0, 2, 4, 5])

    def test_a_proposal_that_is_the_same_stays(self):
        self.pay()
        self.synchronize(self.connect_journal())
        before = self.decisions()
        self.pay(50, "T2")
        self.journal.action_find_counterparts()
        self.env.invalidate_all()
        self.assertTrue(before.exists())

    def test_queries_of_matching_do_not_grow_with_the_lines(self):
        def count(numbers):
            for number in numbers:
                self.pay(100 + number, f"T{number}")
            with patch.object(self.registry["account.journal"], "_reconcile_after_import"):
                self.synchronize(link)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            with patch.object(account_journal, "MOST_LINES", 100):
                self.journal.sudo()._reconcile_after_import()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        link = self.connect_journal()
        count([0])
        few = count([1])
        self.assertEqual(count(range(2, 30)), few)
