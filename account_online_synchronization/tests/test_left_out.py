from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import DAY, OnlineSyncCommon

APRIL = date(2026, 4, 28)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLocked(OnlineSyncCommon):
    """A locked period is not changed; once it is open, the skipped transactions are imported automatically."""

    def setUp(self):
        super().setUp()
        self.company.fiscalyear_lock_date = "2026-04-30"
        self.message = self.proxy.book("T1", "-5.00", APRIL)
        self.proxy.book("T2", "-6.00")
        self.link = self.connect_journal()
        self.synchronize(self.link)

    def test_what_is_locked_is_left_out_and_shown_with_its_reason(self):
        self.assertEqual(self.lines().mapped("amount"), [-6])
        self.assertRecordValues(self.beside(), [{"state": "left_out", "reason_code": "locked", "date": APRIL}])

    def test_once_the_lock_is_lifted_it_comes_on_its_own_day(self):
        self.company.fiscalyear_lock_date = False
        run = self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("date"), [APRIL, DAY])
        self.assertEqual((run.imported, len(self.beside())), (1, 0))

    def test_locked_transactions_stay_left_out(self):
        self.synchronize(self.link)
        self.assertEqual((len(self.lines()), len(self.beside())), (1, 1))

    def test_what_the_bank_changes_meanwhile_is_what_comes_in_the_end(self):
        self.link.account_online_account_ids.last_sync = "2026-05-05"
        self.message["amount"] = "-5.50"
        self.synchronize(self.link)
        self.proxy.transactions["A1"].clear()
        self.company.fiscalyear_lock_date = False
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [-5.5, -6])

    def test_it_cannot_be_brought_in_while_it_is_locked(self):
        with self.assertRaisesRegex(UserError, "is in a locked period"):
            self.beside().action_restore()

    def test_import_reports_a_concurrent_import_of_the_same_one(self):
        self.company.fiscalyear_lock_date = False
        nothing = self.env["account.online.transaction"]
        with (
            patch.object(type(nothing), "try_lock_for_update", lambda *_args, **_named: nothing),
            self.assertRaisesRegex(UserError, "Try again in a moment"),
        ):
            self.beside().action_restore()

    def test_import_brings_it_in_at_once_when_it_is_open(self):
        self.company.fiscalyear_lock_date = False
        action = self.beside().action_restore()
        self.assertEqual(self.lines().mapped("date"), [APRIL, DAY])
        self.assertEqual(action["domain"], [("id", "in", self.lines()[0].ids)])

    def test_the_balances_are_right_afterwards(self):
        before = [(start, end) for _day, start, end in self.balances()][-1]
        self.company.fiscalyear_lock_date = False
        self.synchronize(self.link)
        _april, may = self.balances()
        self.assertEqual(may[2] - may[1], before[1] - before[0])
        self.assertEqual(_april[2], may[1])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestDeleted(OnlineSyncCommon):
    """A line that a user deleted stays deleted, until a user wants it back."""

    def setUp(self):
        super().setUp()
        self.proxy.book("T1", "-5.00", APRIL)
        self.proxy.book("T2", "-6.00")
        self.link = self.connect_journal()
        self.synchronize(self.link)
        self.line = self.lines().filtered(lambda line: line.date == DAY)

    def assert_it_stays_deleted(self):
        run = self.synchronize(self.link)
        self.assertEqual(self.lines().filtered(lambda line: line.date == DAY).ids, [])
        self.assertRecordValues(self.beside(), [{"state": "deleted", "amount": -6, "payment_ref": "Text of T2"}])
        self.assertEqual((run.imported, run.skipped_deleted), (0, 1))

    def test_deleted_as_a_line(self):
        self.delete(self.line)
        self.assert_it_stays_deleted()

    def test_deleted_as_a_journal_entry(self):
        move = self.line.move_id
        move.button_draft()
        move.unlink()
        self.assert_it_stays_deleted()

    def test_deleted_together_with_its_statement(self):
        self.line.statement_id.unlink()
        self.line.unlink()
        self.assert_it_stays_deleted()

    def test_deleting_a_statement_alone_leaves_its_lines(self):
        self.line.statement_id.unlink()
        self.synchronize(self.link)
        self.assertTrue(self.line.exists())
        self.assertFalse(self.beside())

    def test_the_user_who_deleted_it_is_shown(self):
        self.delete(self.line)
        self.assertEqual(self.beside().reason, f"Deleted by {self.env.user.name}")

    def test_it_stays_deleted_under_a_new_id(self):
        self.delete(self.line)
        self.proxy.rename("N-{}".format)
        self.assert_it_stays_deleted()

    def test_it_stays_deleted_when_the_bank_changes_it(self):
        self.delete(self.line)
        self.proxy.transactions["A1"][1]["remittance"] = ["Another text"]
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 1)

    def test_it_stays_deleted_when_the_bank_once_says_something_unreadable(self):
        self.delete(self.line)
        message = self.proxy.transactions["A1"][1]
        message["amount"] = "a lot"
        self.synchronize(self.link)
        message["amount"] = "-6.00"
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 1)

    def test_import_brings_it_back_with_its_statement(self):
        self.delete(self.line)
        self.beside().action_restore()
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [-5, -6])
        self.assertTrue(all(line.statement_id for line in self.lines()))
        self.assertFalse(self.beside())

    def test_brought_back_it_is_the_banks_again_and_can_be_deleted_again(self):
        self.delete(self.line)
        self.beside().action_restore()
        self.line = self.lines().filtered(lambda line: line.date == DAY)
        self.delete(self.line)
        self.assert_it_stays_deleted()

    def test_a_line_that_no_bank_brought_leaves_nothing_behind(self):
        self.Line.create({"journal_id": self.journal.id, "date": DAY, "amount": 1, "payment_ref": "x"}).unlink()
        self.assertFalse(self.beside())

    def test_without_a_journal_nothing_can_be_brought_back(self):
        self.delete(self.line)
        self.journal.sudo()._unlink_online_account()
        with self.assertRaisesRegex(UserError, "is not linked to a journal"):
            self.beside().action_restore()


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestStartDate(OnlineSyncCommon):
    """Older transactions than wanted stay out, until the user wants them."""

    def setUp(self):
        super().setUp()
        self.proxy.accounts["A1"]["balance"] = "1000.00"
        self.proxy.book("MAR", "10.00", date(2026, 3, 15))
        self.proxy.book("APR", "20.00", APRIL)
        self.proxy.book("MAY", "-40.00", date(2026, 5, 12))
        self.link = self.connect_journal(start_date="2026-05-01")
        self.account = self.link.account_online_account_ids

    def test_what_is_before_the_start_date_stays_out(self):
        run = self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [-40])
        self.assertRecordValues(self.beside(), [{"state": "left_out", "reason_code": "before_start", "date": APRIL}])
        self.assertEqual(run.skipped_before_start, 1)

    def test_it_stays_out_in_all_later_runs(self):
        self.synchronize(self.link)
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [-40])

    def test_what_the_bank_books_late_with_such_a_date_comes_in(self):
        self.synchronize(self.link)
        self.account.last_sync = "2026-05-05"
        self.proxy.book("LATE", "5.00", date(2026, 4, 29))
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [5, -40])

    def test_the_statements_begin_with_the_banks_balance_of_that_day(self):
        self.synchronize(self.link)
        self.assertEqual(self.balances(), [("2026-05-01", 1030, 990)])

    def test_an_earlier_start_date_brings_the_older_ones(self):
        self.synchronize(self.link)
        self.account.start_date = "2026-03-01"
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [10, 20, -40])
        self.assertFalse(self.beside())

    def test_no_start_date_any_more_brings_all_there_is(self):
        self.synchronize(self.link)
        self.account.start_date = False
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [10, 20, -40])

    def test_with_the_older_ones_the_opening_balance_moves_back_and_the_end_stays(self):
        self.synchronize(self.link)
        self.account.start_date = "2026-03-01"
        self.synchronize(self.link)
        self.assertEqual(
            self.balances(), [("2026-03-01", 1000, 1010), ("2026-04-01", 1010, 1030), ("2026-05-01", 1030, 990)]
        )

    def test_import_brings_one_of_them_in(self):
        self.synchronize(self.link)
        self.beside().action_restore()
        self.assertEqual(self.lines().mapped("amount"), [20, -40])
