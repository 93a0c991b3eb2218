from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestReversal(OnlineSyncCommon):
    """A bank that reports expenses as positive amounts; a user decides how the existing lines are treated."""

    def begin(self, *amounts):
        for number, amount in enumerate(amounts):
            self.proxy.book(f"T{number}", amount)
        self.link = self.connect_journal()
        self.synchronize(self.link)
        self.account = self.journal.account_online_account_id

    def wizard(self):
        return self.env["account.online.reversal"].browse(self.account.action_reverse_transactions()["res_id"])

    def reverse(self, scope="open", **values):
        wizard = self.wizard()
        wizard.write({"scope": scope, **values})
        wizard.action_reverse()
        return wizard

    def amounts(self):
        return {line.online_transaction_identifier: line.amount for line in self.lines()}

    def test_only_what_comes_from_now_on_is_reversed_where_a_user_wants_that(self):
        self.begin("250.00")
        self.reverse("new")
        self.proxy.book("NEW", "40.00")
        self.synchronize(self.link)
        self.assertEqual(self.amounts(), {"T0": 250.0, "NEW": -40.0})

    def test_open_transactions_are_turned_where_a_user_wants_that(self):
        self.begin("250.00", "-30.00")
        self.reverse("open")
        self.assertEqual(self.amounts(), {"T0": -250.0, "T1": 30.0})
        self.assertTrue(self.account.inverse_transaction_sign)
        self.assertRecordValues(
            self.lines()[0].move_id.line_ids.sorted("balance"), [{"balance": -250.0}, {"balance": 250.0}]
        )

    def test_turned_transactions_stay_turned_and_come_once(self):
        self.begin("250.00")
        self.reverse("open")
        self.synchronize(self.link)
        self.assertEqual(self.amounts(), {"T0": -250.0})

    def test_both_amounts_of_a_foreign_payment_are_turned(self):
        self.setup_other_currency("GBP")
        self.proxy.book("F", "12.00", foreign_amount="10.00", foreign_currency="GBP")
        self.begin()
        self.reverse("open")
        self.assertRecordValues(self.lines(), [{"amount": -12.0, "amount_currency": -10.0}])

    def check_difference(self, with_balance):
        self.begin("250.00", "-30.00")
        before = self.account.balance_difference
        self.reverse("open", with_balance=with_balance)
        self.assertEqual(self.account.inverse_balance_sign, with_balance)
        self.assertEqual(self.account.balance_difference, before)
        self.synchronize(self.link)
        self.assertEqual(self.account.balance_difference, before)

    def test_the_difference_to_the_bank_stays_what_it_was(self):
        self.check_difference(False)

    def test_the_difference_stays_where_the_balance_is_reversed_too(self):
        self.check_difference(True)

    def test_what_is_reconciled_locked_changed_or_adopted_is_left_alone_and_named(self):
        self.proxy.book("LOCKED", "5.00", "2026-03-31")
        self.begin("1.00", "2.00", "3.00", "4.00")
        reconciled, changed, adopted, free, locked = (
            self.lines().filtered(lambda line, name=name: line.online_transaction_identifier == name)
            for name in ("T0", "T1", "T2", "T3", "LOCKED")
        )
        self.reconcile(reconciled)
        changed.amount = 2.5
        adopted.sudo().online_adopted = True
        # Why by SQL: Odoo does not allow locking a period with open lines, but an import of lock dates does.
        self.env.cr.execute(
            "UPDATE res_company SET fiscalyear_lock_date = '2026-04-30' WHERE id = %s", [self.company.id]
        )
        self.company.invalidate_recordset()
        wizard = self.wizard()
        self.assertEqual((wizard.open_count, wizard.left_count), (1, 4))
        for reason in ("Reconciled", "changed by hand", "before the bank reported it", "locked period"):
            self.assertIn(reason, wizard.left_text)
        self.reverse("open")
        self.assertEqual(self.amounts(), {"T0": 1.0, "T1": 2.5, "T2": 3.0, "T3": -4.0, "LOCKED": 5.0})
        self.assertIn("Text of T0", str(self.link.message_ids[:1].body))
        self.assertTrue(locked and free)

    def test_a_user_is_asked_where_there_is_something_to_ask(self):
        self.begin("1.00")
        with self.assertRaises(UserError):
            self.wizard().action_reverse()
        self.statements().unlink()
        self.lines().unlink()
        self.wizard().action_reverse()
        self.assertTrue(self.account.inverse_transaction_sign)

    def test_reversing_twice_is_as_before(self):
        self.begin("250.00", "-30.00")
        before, balance = self.amounts(), self.statements()[-1:].balance_end_real
        self.reverse("open")
        self.reverse("open")
        self.assertEqual((self.amounts(), self.account.inverse_transaction_sign), (before, False))
        self.assertEqual(self.statements()[-1:].balance_end_real, balance)

    def test_a_second_open_window_does_not_turn_the_signs_back(self):
        self.begin("250.00", "-30.00")
        first, second = self.wizard(), self.wizard()
        (first | second).write({"scope": "open"})
        first.action_reverse()
        after = self.amounts()
        with self.assertRaisesRegex(UserError, "already"):
            second.action_reverse()
        self.assertEqual((self.amounts(), self.account.inverse_transaction_sign), (after, True))

    def test_only_who_connects_banks_reverses_an_account(self):
        self.begin("1.00")
        user = new_test_user(
            self.env, "basic", "account.group_account_basic,account.group_account_user", company_id=self.company.id
        )
        with self.assertRaises(AccessError):
            self.account.with_user(user).action_reverse_transactions()
        wizard = self.wizard()
        with self.assertRaises(AccessError):
            wizard.with_user(user).action_reverse()
