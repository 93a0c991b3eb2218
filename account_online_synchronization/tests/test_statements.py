from datetime import date

from freezegun import freeze_time

from odoo.tests import Form, new_test_user, tagged

from ..books.ledger import running_balance
from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestStatements(OnlineSyncCommon):
    """Lines are grouped by the journal's periodicity, and balances follow from the lines."""

    def book_three_months(self):
        self.proxy.accounts["A1"]["balance"] = "1000.00"
        self.proxy.book("MAR", "10.00", date(2026, 3, 31))
        self.proxy.book("APR", "20.00", date(2026, 4, 1))
        self.proxy.book("APR2", "5.00", date(2026, 4, 30))
        self.proxy.book("MAY", "-40.00", date(2026, 5, 20))

    def balances(self):
        return [(s.name[-7:], s.balance_start, s.balance_end_real) for s in self.statements()]

    def test_the_first_load_makes_one_statement_per_month(self):
        self.book_three_months()
        self.synchronize(self.connect_journal())
        self.assertEqual(self.balances(), [("2026-03", 1000, 1010), ("2026-04", 1010, 1035), ("2026-05", 1035, 995)])

    def test_the_last_running_balance_is_the_banks_balance(self):
        self.book_three_months()
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(self.lines()[-1].running_balance, link.account_online_account_ids.balance)

    def test_statements_are_complete_and_valid(self):
        self.book_three_months()
        self.synchronize(self.connect_journal())
        self.assertEqual(self.statements().mapped("is_complete"), [True] * 3)
        self.assertEqual(self.statements().mapped("is_valid"), [True] * 3)

    def test_new_transactions_join_the_statement_of_their_month(self):
        self.book_three_months()
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("MAY2", "1.00", date(2026, 5, 20))
        self.synchronize(link)
        self.assertEqual(self.balances()[-1], ("2026-05", 1035, 996))

    def test_a_late_booking_moves_the_balances_of_all_later_statements(self):
        self.book_three_months()
        link = self.connect_journal()
        self.synchronize(link)
        link.account_online_account_ids.last_sync = "2026-05-05"
        self.proxy.book("LATE", "100.00", date(2026, 4, 29))
        self.synchronize(link)
        self.assertEqual(self.balances(), [("2026-03", 1000, 1010), ("2026-04", 1010, 1135), ("2026-05", 1135, 1095)])

    def test_a_renamed_statement_still_receives_its_lines(self):
        self.book_three_months()
        link = self.connect_journal()
        self.synchronize(link)
        self.statements()[-1].name = "My own name"
        self.proxy.book("MAY2", "1.00", date(2026, 5, 20))
        self.synchronize(link)
        self.assertEqual(len(self.statements()), 3)

    def form(self, statement):
        accountant = new_test_user(
            self.env,
            login="accountant",
            groups="account.group_account_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        view = "account_online_synchronization.account_bank_statement_view_form"
        return Form(statement.with_user(accountant), view)

    def test_the_bank_s_lines_can_t_be_added_changed_or_removed_in_the_form_of_their_statement(self):
        self.book_three_months()
        self.synchronize(self.connect_journal())
        stored = self.lines().read(["date", "amount", "payment_ref", "partner_id", "statement_id"], load=None)
        with self.form(self.statements()[-1]) as form:
            lines = form.line_ids
            self.assertEqual(len(lines), 1)
            for act in (lines.new, lambda: lines.edit(0), lambda: lines.remove(0)):
                with self.assertRaisesRegex(AssertionError, "not editable"):
                    act()
            form.name = "May"
        self.assertEqual(self.statements()[-1].name, "May")
        self.assertEqual(self.lines().read([*stored[0]], load=None), stored)

    def test_the_lines_of_a_statement_made_by_hand_can_be_changed_in_its_form(self):
        line = self.Line.create({"journal_id": self.journal.id, "date": DAY, "amount": 7, "payment_ref": "Cheque"})
        statement = self.env["account.bank.statement"].create({"name": "Mine", "line_ids": [(6, 0, line.ids)]})
        with self.form(statement) as form, form.line_ids.edit(0) as edited:
            edited.payment_ref = "Cheque 7"
        self.assertEqual(line.payment_ref, "Cheque 7")

    def test_each_periodicity_makes_its_own_number_of_statements(self):
        for periodicity, count in [("none", 0), ("day", 4), ("week", 3), ("bimonthly", 4), ("month", 3)]:
            with self.subTest(periodicity), self.cr.savepoint() as savepoint:
                self.book_three_months()
                self.synchronize(self.connect_journal(periodicity=periodicity))
                self.assertEqual(len(self.lines()), 4)
                self.assertEqual(len(self.statements()), count)
                savepoint.rollback()
                self.proxy.transactions["A1"].clear()

    def test_the_opening_balance_counts_a_transaction_that_odoo_refused(self):
        self.book_three_months()
        link = self.connect_journal()
        with self.refused("APR", "This line is not wanted."):
            self.synchronize(link)
        self.assertEqual(self.balances()[0], ("2026-03", 1000, 1010))
        link.account_online_account_ids.last_sync = "2026-04-01"
        self.synchronize(link)
        self.assertEqual(self.balances()[-1], ("2026-05", 1035, 995))

    def test_a_statement_made_by_hand_keeps_its_balances(self):
        line = self.Line.create({"journal_id": self.journal.id, "date": "2026-03-01", "amount": 7, "payment_ref": "x"})
        statement = self.env["account.bank.statement"].create(
            {"name": "By hand", "line_ids": line.ids, "balance_start": 3, "balance_end_real": 10}
        )
        self.proxy.book("APR", "20.00", date(2026, 4, 1))
        self.synchronize(self.connect_journal())
        self.assertEqual((statement.balance_start, statement.balance_end_real), (3, 10))
        self.assertEqual(self.balances()[-1], ("2026-04", 10, 30))

    def test_a_month_whose_entries_are_gone_keeps_no_later_run_from_its_work(self):
        self.book_three_months()
        link = self.connect_journal()
        self.synchronize(link)
        # Why in PostgreSQL: a cascading delete does not notify the statement.
        self.env.cr.execute("DELETE FROM account_move WHERE id = ANY(%s)", [self.statements()[1].line_ids.move_id.ids])
        self.env.invalidate_all()
        self.proxy.book("LATE", "7.00", date(2026, 3, 30))
        link.account_online_account_ids.last_sync = date(2026, 4, 1)
        del self.proxy.transactions["A1"][1:3]
        run = self.synchronize(link)
        self.assertEqual(run.state, "done", run.error_message)
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["LATE", "MAR", "MAY"])
        march, april, may = self.balances()
        self.assertEqual((april[1], april[2]), (march[2], march[2]))
        self.assertEqual((may[1], may[2]), (april[2], april[2] - 40))

    def test_the_balance_of_the_journal_is_the_running_balance_of_its_last_posted_line(self):
        self.book_three_months()
        account = self.connect_journal().account_online_account_ids
        self.assertEqual(running_balance(account), 0)
        self.synchronize(account.account_online_link_id)

        def assert_same():
            last = self.Line.search([("journal_id", "=", self.journal.id), ("state", "=", "posted")], limit=1)
            last.invalidate_recordset(["running_balance"])
            self.assertEqual(running_balance(account), last.running_balance)

        assert_same()
        by_hand = self.Line.create(
            {"journal_id": self.journal.id, "date": "2026-06-01", "amount": 7.25, "payment_ref": "By hand"}
        )
        assert_same()
        statement = self.env["account.bank.statement"].create(
            {"name": "By hand", "line_ids": by_hand.ids, "balance_start": 3, "balance_end_real": 10.25}
        )
        assert_same()
        later = self.Line.create(
            {"journal_id": self.journal.id, "date": "2026-06-02", "amount": 0.75, "payment_ref": "Later"}
        )
        assert_same()
        later.move_id.button_draft()
        assert_same()
        statement.balance_start = 4
        assert_same()
        self.assertEqual(running_balance(account), 11.25)
