import json
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestCounters(OnlineSyncCommon):
    """Every transaction that the bank gave is counted under what became of it."""

    RESULTS = (
        "imported",
        "adopted",
        "known",
        "pending",
        "skipped_before_start",
        "skipped_locked",
        "skipped_deleted",
        "parked",
    )

    def assert_counted(self, run, **expected):
        self.assertEqual({name: run[name] for name in self.RESULTS if run[name]}, expected)
        self.assertEqual(run.fetched, sum(run[name] for name in self.RESULTS))

    def test_the_reasons_add_up_to_what_was_fetched(self):
        self.company.fiscalyear_lock_date = "2026-04-30"
        link = self.connect_journal(start_date="2026-04-20")
        self.Line.create({"journal_id": self.journal.id, "date": DAY, "amount": -9, "payment_ref": "Typed"})
        self.proxy.book("BEFORE", "1.00", "2026-04-15")
        self.proxy.book("LOCKED", "2.00", "2026-04-30")
        self.proxy.book("TYPED", "-9.00")
        self.proxy.book("NEW", "3.00")
        self.proxy.book("GONE", "4.00")
        self.proxy.book("PENDING", "5.00", status="pending")
        self.proxy.book("BAD", "6.00")["amount"] = "six"
        run = self.synchronize(link)
        self.assert_counted(run, imported=2, adopted=1, pending=1, skipped_before_start=1, skipped_locked=1, parked=1)
        self.delete(self.lines().filtered(lambda line: line.online_transaction_identifier == "GONE"))
        run = self.synchronize(link)
        self.assert_counted(run, known=2, skipped_deleted=1, pending=1, parked=1)

    def test_what_the_bank_changes_is_known_and_changed(self):
        message = self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        message["remittance"] = ["Another text"]
        run = self.synchronize(link)
        self.assert_counted(run, known=1)
        self.assertEqual(run.changed, 1)

    def test_what_the_bank_shows_beyond_the_request_is_counted_as_too_old(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("OLD", "1.00", self.days_ago(40))
        page = {"transactions": self.proxy.transactions["A1"], "removed_ids": [], "has_more": False}
        self.proxy.raw_answers["transactions.list"] = page
        self.assert_counted(self.synchronize(link), skipped_before_start=1)

    def test_the_reason_of_each_parked_one_can_be_read(self):
        self.proxy.book("BAD", "6.00")["amount"] = "six"
        run = self.synchronize(self.connect_journal())
        self.assertIn("BAD · Its amount “six” is not a number.", run.parked_text)

    def test_the_summary_says_it_in_a_sentence(self):
        self.proxy.book("T1", "1.00")
        self.proxy.book("P1", "1.00", status="pending")
        run = self.synchronize(self.connect_journal())
        self.assertEqual(run._summary(), "New transactions: 1. Pending at the bank, imported once booked: 1.")

    def test_a_run_says_who_requested_it(self):
        run = self.synchronize(self.connect_journal())
        self.assertRecordValues(run, [{"trigger": "user", "started_at": fields.Datetime.now(), "state": "done"}])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestRetention(OnlineSyncCommon):
    """The history is kept for a year, and what the bank said word by word for two weeks."""

    def setUp(self):
        super().setUp()
        self.proxy.book("T1", "1.00")
        self.run = self.synchronize(self.connect_journal())

    def age(self, days, **values):
        self.run.write({"started_at": fields.Datetime.now() - timedelta(days=days), **values})
        self.run._gc_runs()
        return self.run.exists()

    def test_after_a_year_a_run_goes(self):
        self.assertTrue(self.age(365))
        self.assertFalse(self.age(366))

    def test_after_two_weeks_the_answers_go_and_the_run_stays(self):
        self.assertTrue(self.age(14).raw_answers)
        self.assertFalse(self.age(15).raw_answers)
        self.assertEqual(self.run.imported, 1)

    def test_running_and_waiting_runs_are_not_deleted_as_history(self):
        for state in ("planned", "running"):
            self.assertTrue(self.age(1000, state=state).raw_answers)

    def test_how_long_is_a_setting(self):
        settings = self.env["ir.config_parameter"].sudo()
        settings.set_param("account_online_synchronization.keep_runs_days", "30")
        settings.set_param("account_online_synchronization.keep_answers_days", "3")
        self.assertFalse(self.age(4).raw_answers)
        self.assertFalse(self.age(31))

    def test_a_setting_that_is_not_a_number_deletes_nothing_early(self):
        settings = self.env["ir.config_parameter"].sudo()
        settings.set_param("account_online_synchronization.keep_runs_days", "for ever")
        settings.set_param("account_online_synchronization.keep_answers_days", "-1")
        self.assertTrue(self.age(13).raw_answers)
        self.assertTrue(self.age(364))

    def test_lines_outlive_the_run(self):
        self.age(366)
        self.assertEqual(len(self.lines()), 1)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestRawAnswers(OnlineSyncCommon):
    """An administrator can read the bank's answers; secrets in them can't be read by any user."""

    def answers(self, run):
        return [json.loads(part) for part in run.sudo().raw_answers_text.splitlines()]

    def new_user(self, group):
        return new_test_user(
            self.env,
            login=group,
            groups=f"{group},account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_requests_and_answers_are_kept_in_order(self):
        self.proxy.book("T1", "1.00")
        parts = self.answers(self.synchronize(self.connect_journal()))
        self.assertEqual(
            [part["operation"] for part in parts], ["connections.refresh", "accounts.list", "transactions.list"]
        )
        self.assertEqual(parts[2]["answer"]["transactions"][0]["id"], "T1")

    def test_a_failure_is_kept_too(self):
        link = self.connect_journal()
        self.proxy.fail("accounts.list", "consent_expired", "renew")
        self.assertEqual(self.answers(self.synchronize(link))[-1]["answer"]["error"]["code"], "consent_expired")

    def test_secrets_and_addresses_that_open_once_are_masked(self):
        self.proxy.answers["connections.refresh"].update(
            access_token="s3cret", page_url="https://bank/s3cret", nested=[{"Authorization": "s3cret", "PIN": "s3cret"}]
        )
        run = self.synchronize(self.connect_journal())
        self.assertNotIn("s3cret", run.sudo().raw_answers_text)
        self.assertEqual(self.answers(run)[0]["answer"]["access_token"], "•••")

    def test_addresses_of_pages_are_masked_in_the_history(self):
        run = self.synchronize(self.connect_journal())
        self.assertEqual(self.answers(run)[0]["request"]["return_url"], "•••")

    def test_only_the_system_reads_them(self):
        run = self.synchronize(self.connect_journal())
        self.assertTrue(run.with_user(self.new_user("base.group_system")).raw_answers_text)
        accountant = self.new_user("base.group_user")
        self.assertTrue(run.with_user(accountant).read(["fetched"]))
        for name in ("raw_answers", "raw_answers_text"):
            with self.assertRaises(AccessError):
                run.with_user(accountant).read([name])

    def test_no_user_changes_the_history(self):
        run = self.synchronize(self.connect_journal())
        manager = run.with_user(self.new_user("base.group_system"))
        for change in (lambda: manager.write({"imported": 99}), manager.unlink, lambda: manager.copy()):
            with self.assertRaises(AccessError):
                change()

    def test_long_answers_are_shown_in_part_and_kept_in_whole(self):
        for number in range(400):
            self.proxy.book(f"T{number}", "1.00", raw="x" * 1000)
        self.proxy.page_size = 500
        run = self.synchronize(self.connect_journal()).sudo()
        self.assertLess(len(run.raw_answers_text), 101_000)
        self.assertTrue(run.raw_answers_text.endswith(" …"))
