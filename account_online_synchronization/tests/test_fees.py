from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from ..books.read import Books
from ..sync.decide import IMPORT, decide
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestFees(OnlineSyncCommon):
    """Fees that a payment service keeps: on a separate line or not, as the user chose, and always the whole amount."""

    def setUp(self):
        super().setUp()
        self.asked = self.reviews()
        self.proxy.accounts["A1"]["reports_fees"] = True
        self.sale = self.book("T1", "96.80", "-3.20")

    def book(self, name, amount, fee):
        fee = {"amount": fee, "description": "Processing fee"}
        return self.proxy.book(name, amount, date(2026, 5, 12), fee=fee)

    def amounts(self):
        return {line.online_transaction_identifier: line.amount for line in self.lines()}

    def test_a_fee_becomes_a_line_and_the_journal_has_the_balance_of_the_bank(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(self.amounts(), {"T1": 100, "T1:fee": -3.2})
        self.assertEqual(self.lines().mapped("payment_ref"), ["Text of T1", "Processing fee T1"])
        self.assertEqual(link.account_online_account_ids.balance_difference, 0)

    def test_another_fee_changes_both_lines_and_a_waived_one_is_removed(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.sale.update(amount="97.50", fee={"amount": "-2.50"})
        self.synchronize(link)
        self.assertEqual(self.amounts(), {"T1": 100, "T1:fee": -2.5})
        self.sale.update(amount="100.00", fee=None)
        self.synchronize(link)
        self.assertEqual(self.amounts(), {"T1": 100})
        self.assertFalse(self.asked)

    def test_a_reconciled_fee_that_is_waived_stays_and_a_person_is_asked(self):
        link = self.connect_journal()
        self.synchronize(link)
        fee = self.lines().filtered(lambda line: line.amount == -3.2)
        self.reconcile(fee)
        self.sale.update(amount="100.00", fee=None)
        self.synchronize(link)
        self.assertTrue(fee.exists().online_withdrawn)
        self.assertEqual(len(self.asked), 1)

    def test_another_setting_leaves_imported_transactions_as_they_are(self):
        link = self.connect_journal()
        self.synchronize(link)
        account = link.account_online_account_ids
        account.fee_lines = "net"
        self.book("T2", "96.80", "-3.20")
        self.synchronize(link)
        self.assertEqual(self.amounts(), {"T1": 100, "T1:fee": -3.2, "T2": 96.8})
        account.fee_lines = "own"
        self.assertEqual(self.synchronize(link).changed, 0)
        self.assertEqual(self.amounts(), {"T1": 100, "T1:fee": -3.2, "T2": 96.8})

    def test_the_choice_of_accounts_asks_before_the_first_load(self):
        link = self.connect()
        selection = self.env["account.online.account.selection"]._create_for(link, refresh=False)
        line = selection.line_ids
        self.assertTrue(line.reports_fees)
        line.fee_lines = "net"
        selection.action_confirm()
        self.fetch_planned()
        self.assertEqual(self.amounts(), {"T1": 96.8})

    def test_an_account_without_fees_asks_nothing(self):
        self.proxy.accounts["A1"]["reports_fees"] = False
        self.assertFalse(self.connect().account_online_account_ids.reports_fees)

    def test_what_is_left_out_is_imported_as_it_was_divided(self):
        link = self.connect_journal(start_date=date(2026, 5, 15))
        self.synchronize(link)
        self.assertEqual(self.beside("left_out").mapped("amount"), [100, -3.2])
        self.assertFalse(self.lines())
        link.account_online_account_ids.start_date = date(2026, 5, 1)
        self.synchronize(link)
        self.assertEqual(self.amounts(), {"T1": 100, "T1:fee": -3.2})

    def test_find_missing_shows_gross_and_fee(self):
        account = self.connect_journal().account_online_account_ids
        fetched = self.fetch_window(account)
        books = Books(account.sudo(), fetched.window)
        decisions = decide(fetched.window, books.policy, books)
        self.assertEqual(
            [(one.entry.identifier, one.outcome) for one in decisions], [("T1", IMPORT), ("T1:fee", IMPORT)]
        )
