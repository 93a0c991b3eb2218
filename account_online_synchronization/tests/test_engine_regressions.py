from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..books.run import Interrupted
from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestEngineRegressions(OnlineSyncCommon):
    """What the state machine of test_machine.py has found, one story each."""

    def lock(self, day):
        self.company.fiscalyear_lock_date = day

    def test_a_left_out_transaction_with_a_new_id_is_imported_once(self):
        message = self.proxy.book("T1", "1.00", self.days_ago(7))
        self.proxy.book("T2", "2.00")
        link = self.connect_journal(start_date=self.days_ago(5))
        self.synchronize(link)
        message["id"] = "T1/2"
        link.account_online_account_ids.start_date = False
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [1.0, 2.0])

    def test_what_the_bank_changed_in_a_left_out_transaction_is_not_forgotten(self):
        self.lock(self.days_ago(5))
        message = self.proxy.book("T1", "1.00", self.days_ago(7))
        link = self.connect_journal()
        self.synchronize(link)
        message["amount"] = "5.00"
        self.synchronize(link)
        self.lock(False)
        link.account_online_account_ids.last_sync = DAY
        self.proxy.transactions["A1"].clear()
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [5.0])

    def test_what_the_bank_changed_in_a_deleted_transaction_is_restored_as_it_is_now(self):
        message = self.proxy.book("T1", "1.00", self.days_ago(7))
        link = self.connect_journal(periodicity="none")
        self.synchronize(link)
        self.lines().unlink()
        message["amount"] = "5.00"
        self.synchronize(link)
        link.account_online_account_ids.transaction_ids.sudo(False).action_restore()
        self.assertEqual(self.lines().mapped("amount"), [5.0])

    def test_a_withdrawn_transaction_does_not_come_when_the_lock_is_lifted(self):
        self.lock(self.days_ago(5))
        self.proxy.book("T1", "1.00", self.days_ago(7))
        link = self.connect_journal()
        self.synchronize(link)
        self.lock(False)
        self.proxy.transactions["A1"].clear()
        self.proxy.removed = ["T1"]
        self.synchronize(link)
        self.assertFalse(self.lines())

    def test_the_only_transaction_of_a_window_may_get_a_later_date(self):
        message = self.proxy.book("T1", "1.00", self.days_ago(5))
        link = self.connect_journal()
        self.synchronize(link)
        message["booking_date"] = str(self.days_ago(3))
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("date"), [date(2026, 5, 17)])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestFoundByReading(OnlineSyncCommon):
    """What a reading as an accountant has found, one story each."""

    def test_the_same_number_written_otherwise_is_the_same_account(self):
        self.proxy.accounts["A1"]["number"] = "BE71096123456769"
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        account = link.account_online_account_ids.sudo()
        earlier = account.copy({"online_identifier": "EARLIER", "account_number": "BE71 0961 2345 6769"})
        earlier.account_number = "BE71 0961 2345 6769"
        self.lines().sudo().online_account_id = earlier
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [1.0])

    def test_two_equal_deleted_lines_stay_deleted_after_a_reconnection(self):
        for number in range(2):
            self.proxy.book(f"T{number}", "-2.80", remittance=["Coffee"])
        link = self.connect_journal(periodicity="none")
        self.synchronize(link)
        self.lines().unlink()
        link.unlink()
        for number, message in enumerate(self.proxy.transactions["A1"]):
            message["id"] = f"NEW{number}"
        self.synchronize(self.connect_journal(periodicity="none"))
        self.assertFalse(self.lines())

    def test_separating_in_a_locked_period_is_refused_and_moves_no_date(self):
        typed = self.Line.create({"journal_id": self.journal.id, "date": DAY, "amount": 5, "payment_ref": "Typed"})
        self.proxy.book("T1", "5.00")
        self.synchronize(self.connect_journal())
        self.assertTrue(typed.online_adopted)
        with (
            patch.object(self.registry["res.company"], "_get_violated_lock_dates", lambda *asked: [(DAY, "lock")]),
            self.assertRaisesRegex(UserError, "locked period"),
        ):
            typed.action_separate_online_transaction()
        self.assertTrue(typed.online_adopted)

    def test_what_a_person_must_look_at_is_said_with_the_piece_that_stored_it(self):
        reviews, moments = self.reviews(), []
        for number in range(3):
            self.proxy.book(f"T{number}", "1.00")
        link = self.connect_journal()

        def time_is_over_at_the_second_piece():
            moments.append(1)
            if len(moments) > 1:
                raise Interrupted

        with (
            patch("odoo.addons.account_online_synchronization.books.apply.CHUNK", 1),
            self.refused("T0", "This line is not wanted."),
            self.assertRaises(Interrupted),
        ):
            link.sudo()._synchronize(user_present=False, checkpoint=time_is_over_at_the_second_piece)
        self.assertEqual(len(reviews), 1)

    def test_a_withdrawn_line_that_odoo_does_not_let_go_stops_nothing(self):
        reviews = self.reviews()
        self.proxy.book("T1", "1.00")
        link = self.connect_journal(periodicity="none")
        self.synchronize(link)
        self.proxy.withdraw("T1")
        self.proxy.book("T2", "2.00")
        with patch.object(
            self.registry["account.bank.statement.line"], "unlink", side_effect=UserError("It is hashed.")
        ):
            run = self.synchronize(link)
        self.assertEqual((run.state, self.lines().mapped("amount")), ("done", [1.0, 2.0]))
        self.assertIn("It is hashed.", reviews[0])
