from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..books.ledger import OpeningBalance
from .test_opening import OpeningCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLedger(OpeningCommon):
    """The ledger account agrees with the bank, or the screens show the difference."""

    def setUp(self):
        super().setUp()
        self.book_at("150.00", ("T1", "30.00", self.days_ago(5)), ("T2", "20.00", self.days_ago(1)))
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids
        self.synchronize(self.link)
        self.equity = OpeningBalance(self.account).default_counterpart()

    def ledger(self):
        items = self.env["account.move.line"].search(
            [("account_id", "=", self.journal.default_account_id.id), ("parent_state", "=", "posted")]
        )
        return sum(items.mapped("balance"))

    def card(self):
        self.env.invalidate_all()
        return self.journal._get_online_sync_dashboard_data()[self.journal.id]

    def summary(self):
        self.account.invalidate_recordset()
        load = self.env["account.online.load"].search([("account_online_account_id", "=", self.account.id)], limit=1)
        return load._summary()

    def book(self):
        wizard = self.env[self.account.action_book_opening_balance()["res_model"]].search([], limit=1, order="id desc")
        wizard.action_book()
        self.account.invalidate_recordset()
        return self.lines()[0]

    def assert_asked_for(self, amount):
        self.account.invalidate_recordset()
        self.assertEqual(self.account.opening_balance, amount)
        self.assertEqual(bool(self.card()["opening_to_book"]), bool(amount))

    def test_what_the_ledger_lacks_is_asked_for_until_it_is_booked(self):
        self.assertEqual(self.ledger(), 50)
        self.assert_asked_for(100)
        self.assertTrue(self.summary()["missing_opening"])
        self.assertIn("100.00", self.summary()["explain_opening"])
        line = self.book()
        self.assertEqual(self.ledger(), 150)
        self.assert_asked_for(0)
        self.assertFalse(self.summary()["missing_opening"])
        self.assertEqual((line.amount, line.date), (100, self.days_ago(6)))

    def test_it_is_balanced_against_the_equity_account_of_the_chart(self):
        self.assertEqual(self.equity.account_type, "equity_unaffected")
        line = self.book()
        accounts = self.journal.default_account_id + self.equity
        self.assertEqual(line.move_id.line_ids.account_id, accounts)
        self.assertTrue(line.is_reconciled)

    def test_a_chart_without_such_an_account_lets_the_user_choose(self):
        self.equity.account_type = "equity"
        action = self.account.action_book_opening_balance()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertFalse(wizard.counterpart_account_id)
        with self.assertRaises(UserError):
            wizard.action_book()
        wizard.counterpart_account_id = self.equity
        wizard.action_book()
        self.assertEqual(self.ledger(), 150)

    def test_neither_suspense_nor_the_bank_account_itself_balances_it(self):
        for account in self.journal.suspense_account_id + self.journal.default_account_id:
            with self.assertRaises(UserError):
                OpeningBalance(self.account.sudo()).book(account)

    def test_deleting_the_line_undoes_it(self):
        self.book().unlink()
        self.assert_asked_for(100)
        self.book()
        self.assert_asked_for(0)

    def test_declining_it_ends_the_question_and_can_be_undone(self):
        self.account.action_decline_opening_balance()
        self.assertFalse(self.card()["opening_to_book"])
        self.assertTrue(self.summary()["opening_declined"])
        self.synchronize(self.link)
        self.assertFalse(self.card()["opening_to_book"])
        self.account.action_reconsider_opening_balance()
        self.assert_asked_for(100)

    def test_an_opening_entry_of_the_company_counts(self):
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": "2026-01-01",
                "line_ids": [
                    (0, 0, {"account_id": self.journal.default_account_id.id, "debit": 100, "credit": 0}),
                    (0, 0, {"account_id": self.equity.id, "debit": 0, "credit": 100}),
                ],
            }
        )
        entry.action_post()
        self.synchronize(self.link)
        self.assert_asked_for(0)

    def test_where_the_beginning_is_unknown_nothing_is_asked_for(self):
        self.statements().sudo().online_start_unknown = True
        self.account.balance_at = False
        self.account._refresh_opening()
        self.assert_asked_for(0)
        self.assertFalse(self.card()["opening_unknown"], "the card would say so for ever")
        self.assertFalse(self.card()["difference"])
        self.assertIn("no booked balance", self.summary()["opening_unknown"])
        with self.assertRaises(UserError):
            self.account.action_book_opening_balance()

    def test_the_card_shows_while_an_amount_in_the_balance_cannot_be_read(self):
        self.statements().unlink()
        self.lines().sudo().with_context(online_withdrawn=True).unlink()
        self.account.last_sync = False
        message = self.unreadable("T3")
        self.synchronize(self.link)
        self.assertTrue(self.card()["opening_unknown"])
        self.assert_asked_for(0)
        self.becomes_readable(message, "25.00")
        self.synchronize(self.link)
        self.assertFalse(self.card()["opening_unknown"])
        self.assert_asked_for(75)

    def test_when_older_days_come_in_the_booked_line_is_corrected(self):
        self.book()
        self.account.start_date = "2026-05-10"
        self.proxy.book("T0", "70.00", date(2026, 3, 1))
        self.bank["balance"] = "150.00"
        self.account.start_date = "2026-01-01"
        self.synchronize(self.link)
        self.assertEqual(self.statements()[0].balance_start, 30)
        self.assert_asked_for(-70)
        line = self.book()
        self.assertEqual((line.amount, str(line.date)), (30, "2026-02-28"))
        self.assertEqual(self.ledger(), 150)
        self.assert_asked_for(0)

    def test_a_late_booking_follows_the_line_of_the_opening_balance(self):
        line = self.book()
        self.proxy.book("LATE", "-7.00", self.days_ago(8))
        self.synchronize(self.link)
        self.assertEqual((self.lines()[0], line.date), (line, self.days_ago(9)))
        self.assertEqual((self.ledger(), self.lines()[-1].running_balance), (143, 143))
        self.assertEqual(self.account.balance_difference, 0)
        self.assert_asked_for(0)

    def test_a_journal_keeps_its_opening_balance_when_the_account_moves_to_another_one(self):
        line, other = self.book(), self.journal.copy({"code": "OTHR", "name": "Other"})
        self.account._link_journal(other, False, "month")
        self.proxy.book("T3", "1.00")
        self.synchronize(self.link)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.opening_balance, 150)
        self.book()
        self.assertEqual((line.exists().amount, self.lines(other)[0].amount), (100, 150))

    def test_an_opening_balance_is_not_adopted_as_a_transaction(self):
        line = self.book()
        self.link.account_online_account_ids.sudo().unlink()
        self.proxy.book("T3", str(line.amount), line.date)
        self.proxy.accounts["A1"]["number"] = "BE71096123456769"
        link = self.connect_journal()
        self.synchronize(link)
        self.assertFalse(line.online_adopted)
        self.assertEqual(self.lines().mapped("amount").count(100), 2)

    def test_in_a_locked_period_a_late_booking_does_not_move_the_opening_balance(self):
        line = self.book()
        day = line.date
        self.company.fiscalyear_lock_date = self.days_ago(9)
        self.proxy.book("LATE", "-7.00", self.days_ago(8))
        run = self.synchronize(self.link)
        self.assertEqual((run.state, line.date), ("done", day))

    def test_an_opening_balance_on_another_ledger_account_is_replaced_not_added_to(self):
        self.book()
        self.journal.default_account_id = self.journal.default_account_id.copy({"code": "199999"})
        self.proxy.book("T3", "1.00")
        self.synchronize(self.link)
        self.assert_asked_for(100)
        self.assertEqual(self.book().amount, 100)
        self.assert_asked_for(0)
        self.assertEqual(sum(self.lines().mapped("amount")), 151)

    def test_without_statements_the_ledger_is_compared_all_the_same(self):
        other = self.env["account.journal"].create({"name": "Other", "code": "OTH", "type": "bank"})
        self.proxy.add_account("A9")
        self.proxy.accounts["A9"].update(balance="500.00", balance_date="2026-05-20")
        self.proxy.book("U1", "5.00", account_id="A9")
        self.link._update_from_proxy(
            self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"],
            list(self.proxy.accounts.values()),
        )
        second = self.link.account_online_account_ids - self.account
        second._link_journal(other, False, "none")
        self.synchronize(self.link)
        self.assertEqual(second.opening_balance, 500)

    def test_in_a_locked_period_it_is_refused_with_what_to_do(self):
        self.company.fiscalyear_lock_date = self.days_ago(6)
        with self.assertRaisesRegex(UserError, "locked period"):
            self.book()

    def test_only_accounting_administrators_decide(self):
        accountant = new_test_user(self.env, "accountant", groups="account.group_account_basic")
        account = self.account.with_user(accountant)
        for name in ("book", "decline", "reconsider"):
            with self.assertRaises(AccessError):
                getattr(account, f"action_{name}_opening_balance")()
        action = self.account.action_book_opening_balance()
        with self.assertRaises(AccessError):
            self.env[action["res_model"]].with_user(accountant).browse(action["res_id"]).action_book()
