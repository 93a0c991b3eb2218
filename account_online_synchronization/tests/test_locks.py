from freezegun import freeze_time

from odoo.tests import tagged

from ..books.writer import Writer
from ..books.writer.transactions import CHUNK
from ..sync.identity import identify
from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLocks(OnlineSyncCommon):
    """Nothing is posted into a locked period, and nothing is posted on another day than the bank's."""

    def setUp(self):
        super().setUp()
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids

    def lock(self, day, name="fiscalyear_lock_date", company=None):
        """Another transaction sets a lock date: this one sees it only when it reads it again."""
        company = company or self.company
        self.env.cr.execute(f"UPDATE res_company SET {name} = %s WHERE id = %s", [day, company.id])

    def lock_during_the_request(self, day, **options):
        def locking_page(payload):
            self.lock(day, **options)
            return type(self.proxy)._page(self.proxy, payload)

        self.proxy._page = locking_page

    def assert_kept_as_locked(self, *identifiers):
        kept = self.beside()
        self.assertEqual(set(kept.mapped("online_transaction_identifier")), set(identifiers))
        self.assertEqual(set(kept.mapped("reason_code")), {"locked"} if identifiers else set())

    def test_a_lock_set_during_the_request_is_respected(self):
        for name in ("fiscalyear_lock_date", "hard_lock_date"):
            with self.subTest(name):
                self.link = self.connect_journal(self.journal.copy())
                self.account = self.link.account_online_account_ids
                self.proxy.transactions["A1"] = []
                self.proxy.book(f"{name} old", "1.00", self.days_ago(10))
                self.proxy.book(f"{name} new", "2.00", DAY)
                self.company._get_violated_lock_dates(DAY, False, self.journal)
                self.lock_during_the_request(self.days_ago(5), name=name)
                run = self.synchronize(self.link)
                self.assertEqual(self.lines(self.account.journal_ids).mapped("amount"), [2])
                self.assertEqual(run.skipped_locked, 1)

    def test_the_sales_lock_does_not_concern_a_bank_journal(self):
        self.proxy.book("T1", "1.00", self.days_ago(10))
        self.lock_during_the_request(DAY, name="sale_lock_date")
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [1])

    def test_a_lock_in_the_middle_of_a_first_load_keeps_the_rest_out(self):
        days = 60
        for number in range(3500):
            self.proxy.book(f"T{number}", "1.00", self.days_ago(days - number * days // 3500))
        self.proxy.page_size = 4000
        calls = []

        def checkpoint():
            calls.append(1)
            if len(calls) == 2:
                self.lock(self.days_ago(20))

        self.link._synchronize(user_present=False, checkpoint=checkpoint)
        run = self.link.run_ids
        by_day = {}
        for message in self.proxy.transactions["A1"]:
            by_day[message["id"]] = message["booking_date"]
        lines = self.lines()
        moved = lines.filtered(lambda line: str(line.date) != by_day[line.online_transaction_identifier])
        self.assertFalse(moved, "a line keeps the bank's day")
        kept = self.beside()
        self.assertEqual(len(lines) + len(kept), 3500)
        self.assertEqual(set(kept.mapped("reason_code")), {"locked"})
        self.assertEqual(run.skipped_locked, len(kept))
        self.assertEqual(run.imported, len(lines))
        self.assertTrue(all(str(day) <= str(self.days_ago(20)) for day in kept.mapped("date")))
        self.assertGreaterEqual(len(lines), CHUNK, "the first chunk was stored before the lock")
        after = lines[CHUNK:].filtered(lambda line: line.date <= self.days_ago(20))
        self.assertFalse(after, "what is stored after the lock")

    def test_what_was_kept_as_locked_comes_in_once_when_the_lock_is_gone(self):
        self.proxy.book("T1", "1.00", self.days_ago(10))
        self.lock_during_the_request(self.days_ago(5))
        self.synchronize(self.link)
        self.assert_kept_as_locked("T1")
        self.lock_during_the_request(None)
        for _run in range(2):
            self.synchronize(self.link)
            self.assertEqual(self.lines().mapped("amount"), [1])

    def test_a_lock_of_the_parent_company_counts_too(self):
        self.company.write({"child_ids": [(0, 0, {"name": "Branch"})]})
        branch = self.company.child_ids
        self.env.user.company_ids += branch
        journal = self.env["account.journal"].create(
            {
                "name": "Branch",
                "code": "BRA",
                "type": "bank",
                "company_id": branch.id,
                "suspense_account_id": self.journal.suspense_account_id.id,
            }
        )
        connection = self.proxy.dispatch("connections.get", {"connection_id": "C2"})["connection"]
        link = self.Link.sudo()._create_from_proxy(connection, list(self.proxy.accounts.values()), branch)
        link.account_online_account_ids._link_journal(journal)
        self.proxy.book("T1", "1.00", self.days_ago(10))
        self.lock_during_the_request(self.days_ago(5))
        self.synchronize(link)
        self.assertFalse(self.lines(journal))
        self.assert_kept_as_locked("T1")

    def test_an_exception_that_is_revoked_during_the_request_counts_no_more(self):
        self.company.fiscalyear_lock_date = self.days_ago(5)
        exception = self.env["account.lock_exception"].create(
            {"company_id": self.company.id, "fiscalyear_lock_date": self.days_ago(30)}
        )
        self.proxy.book("T1", "1.00", self.days_ago(10))
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [1])
        page = self.proxy._page

        def revoking_page(payload):
            exception.flush_recordset()
            self.env.cr.execute("UPDATE account_lock_exception SET active = FALSE WHERE id = %s", [exception.id])
            return page(payload)

        self.proxy._page = revoking_page
        self.proxy.book("T2", "2.00", self.days_ago(10))
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [1])
        self.assert_kept_as_locked("T2")

    def test_a_line_that_is_posted_on_another_day_is_refused_by_the_writer(self):
        """Even where the lock was not noticed: the stored day is compared with the bank's."""
        for number in range(30):
            self.proxy.book(f"T{number}", "1.00", self.days_ago(10 if number % 2 else 1))
        self.company.fiscalyear_lock_date = self.days_ago(5)
        entries = identify([self.account._parse(message) for message in self.proxy.transactions["A1"]])
        written = Writer(self.account, entries).write_lines(entries)
        self.assertEqual(len(written.lines), 15)
        self.assertEqual(len(written.locked), 15)
        self.assertFalse(written.refused)
        self.assertEqual(set(written.lines.mapped("date")), {self.days_ago(1)})

    def test_a_change_of_the_bank_moves_no_line_into_a_locked_period(self):
        self.proxy.book("T1", "1.00", DAY)
        self.synchronize(self.link)
        reviews = self.reviews()
        self.proxy.transactions["A1"][0]["booking_date"] = str(self.days_ago(7))
        self.lock_during_the_request(self.days_ago(5))
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("date"), [DAY])
        self.assertEqual(len(reviews), 1)
