from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

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
