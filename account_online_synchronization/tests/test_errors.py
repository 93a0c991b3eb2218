from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ..books.apply import Storing
from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestErrors(OnlineSyncCommon):
    """Trouble is shown with description and reference, and loses nothing."""

    def messages(self, link):
        return [str(body) for body in link.message_ids.sorted("id").mapped("body")]

    def test_an_error_is_on_the_link_and_in_the_chatter_with_its_reference(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "consent_expired", "renew", reference="E-7KQ2")
        self.synchronize(link)
        self.assertRecordValues(
            link,
            [{"state": "error", "error_message": "Sentence of consent_expired.", "error_reference": "E-7KQ2"}],
        )
        self.assertIn("Sentence of consent_expired.", self.messages(link)[-1])
        self.assertIn("E-7KQ2", self.messages(link)[-1])

    def test_the_same_error_is_posted_once(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "consent_expired", "renew")
        self.synchronize(link)
        before = len(link.message_ids)
        self.synchronize(link)
        self.assertEqual(len(link.message_ids), before)

    def test_after_a_failure_nothing_moves_on_and_nothing_is_lost(self):
        link = self.connect_journal()
        self.synchronize(link)
        account = link.account_online_account_ids
        account.last_sync = "2026-05-01"
        self.proxy.book("T1", "1.00", self.days_ago(5))
        self.proxy.fail("transactions.list")
        run = self.synchronize(link)
        self.assertEqual((run.state, str(account.last_sync)), ("failed", "2026-05-01"))
        self.proxy.failures.clear()
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual((link.state, account.last_sync), ("connected", DAY))

    def test_half_a_list_is_not_stored(self):
        link = self.connect_journal()
        self.proxy.page_size = 2
        for number in range(5):
            self.proxy.book(f"T{number}", "1.00")
        page, calls = self.proxy._page, []

        def fail_on_the_second_page(payload):
            calls.append(payload)
            return page(payload) if len(calls) == 1 else {"error": {"code": "x", "message": "No.", "action": "retry"}}

        with patch.object(self.proxy, "_page", fail_on_the_second_page):
            self.synchronize(link)
        self.assertFalse(self.lines())
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 5)

    def test_one_accounts_failure_does_not_stop_the_other_account(self):
        self.proxy.add_account("A2")
        self.proxy.book("T1", "1.00", account_id="A2")
        link = self.connect()
        for account in link.account_online_account_ids:
            account._link_journal(account._create_journal())
        page = self.proxy._page

        def fail_for_the_first(payload):
            if payload["account_id"] == "A1":
                return {"error": {"code": "x", "message": "No.", "action": "retry"}}
            return page(payload)

        self.proxy._page = fail_for_the_first
        run = self.synchronize(link)
        self.assertEqual((run.state, run.imported, link.state), ("failed", 1, "error"))

    def test_a_bug_in_storing_is_shown_as_a_sentence_and_not_as_a_traceback(self):
        link = self.connect_journal()
        self.proxy.book("T1", "1.00")
        with (
            patch.object(Storing, "store", side_effect=ZeroDivisionError("oops")),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            run = self.synchronize(link)
        self.assertEqual((run.error_code, run.error_reference), ("import_failed", f"RUN-{run.id}"))
        self.assertIn("could not be stored: oops", link.error_message)
        self.assertFalse(link.account_online_account_ids.last_sync)

    def test_a_connection_cut_by_support_becomes_disconnected(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "connection_disconnected", "reconnect")
        self.synchronize(link)
        self.assertEqual(link.state, "disconnected")

    def test_a_rate_limit_is_waited_for(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "rate_limited", "retry", retry_after=7200)
        self.synchronize(link)
        self.assertEqual(str(link.next_refresh), "2026-05-20 12:00:00")

    def test_a_bank_that_asks_for_a_code_sends_the_user_to_its_page(self):
        link = self.connect_journal()
        self.proxy.answers["connections.refresh"] = {"state": "challenge", "page_url": "/bank/code"}
        action = link.action_fetch_transactions()
        self.assertEqual(self.address_of_bank(action), "/bank/code")
        self.assertEqual(link.run_ids.state, "waiting")
