from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..wizards import account_duplicate_transaction
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestDuplicates(OnlineSyncCommon):
    """Lines that may be one transaction: a person decides, and can think better of it."""

    def type_line(self, amount=-3.0, days=0, **values):
        return self.Line.create(
            {
                "journal_id": self.journal.id,
                "date": self.days_ago(days),
                "amount": amount,
                "payment_ref": "Coffee",
                **values,
            }
        )

    def search(self, user=None, **values):
        wizard = self.env["account.duplicate.transaction.wizard"].with_user(user or self.env.user)
        wizard = wizard.create({"journal_id": self.journal.id, **values})
        wizard.action_search()
        return wizard

    def delete_lines(self, wizard, *lines):
        wizard.chosen = [str(line.id) for line in lines]
        return wizard.action_delete()

    @staticmethod
    def texts(wizard):
        return [section["text"] for section in wizard.sections]

    @staticmethod
    def rows(wizard):
        return [row for section in wizard.sections for row in section["rows"]]

    def accountant(self):
        return new_test_user(
            self.env,
            "accountant",
            groups="account.group_account_basic",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    # -------------------------------------------------------------------------
    # WHAT IS FOUND
    # -------------------------------------------------------------------------

    def test_nothing_looks_like_a_duplicate(self):
        self.type_line()
        self.type_line(amount=3)
        wizard = self.search()
        self.assertFalse(wizard.sections)
        self.assertIn("No transactions of Bank since 02/20/2026 look like duplicates", wizard.summary)

    def test_equal_lines_are_a_group_with_the_evidence(self):
        self.type_line()
        self.type_line()
        wizard = self.search()
        self.assertIn("1 group", wizard.summary)
        self.assertEqual(self.texts(wizard), ["Same day, amount and label."])
        self.assertIn("05/20/2026", wizard.sections[0]["title"])
        self.assertFalse(wizard.chosen, "nothing is chosen beforehand")

    def test_account_numbers_are_compared_however_they_are_written(self):
        self.type_line(account_number="BE71 0961 2345 6769", payment_ref="A")
        self.type_line(account_number="be71096123456769", payment_ref="B")
        self.type_line(account_number="BE35096123456737", payment_ref="C")
        wizard = self.search()
        self.assertEqual(self.texts(wizard), ["Same day, amount and account number."])
        self.assertEqual([row["label"] for row in self.rows(wizard)], ["A", "B"])

    def test_lines_with_different_ids_of_the_bank_are_called_probably_real(self):
        self.proxy.book("T1", "-3.00")
        self.proxy.book("T2", "-3.00")
        self.synchronize(self.connect_journal())
        wizard = self.search()
        self.assertIn("they may well be genuine", self.texts(wizard)[0])
        self.assertIn("From the bank", self.rows(wizard)[0]["details"])

    def test_what_the_import_was_not_certain_of_is_found_some_days_apart(self):
        self.type_line(days=1)
        self.type_line(days=2)
        self.proxy.book("T1", "-3.00", day=self.days_ago(3))
        self.synchronize(self.connect_journal())
        wizard = self.search()
        self.assertIn("it was not certain", self.texts(wizard)[0])
        self.assertEqual(wizard.sections[0]["count"], 3)

    def test_two_of_one_account_some_days_apart_are_found_and_a_habit_is_not(self):
        for name, amount, days in (("T1", -3, 1), ("T2", -3, 6), *((f"C{days}", -2, days) for days in range(4))):
            self.proxy.book(name, amount, day=self.days_ago(days), remittance=["Coffee"])
        self.synchronize(self.connect_journal())
        (text,) = self.texts(self.search())
        self.assertIn("within a few days", text)

    def test_what_the_provider_flags_is_shown(self):
        self.proxy.book("T1", "-3.00", duplicate=True)
        self.proxy.book("T2", "-4.00", duplicate=False)
        self.synchronize(self.connect_journal())
        self.assertEqual(self.texts(self.search()), ["According to the provider, one of them may be a duplicate."])

    def test_the_starting_date_counts(self):
        self.type_line(days=10)
        self.type_line(days=10)
        self.assertFalse(self.search(date=self.days_ago(9)).sections)
        self.assertTrue(self.search(date=self.days_ago(10)).sections)

    def test_of_many_groups_the_first_are_shown_and_all_are_counted(self):
        for amount in (1, 1, 2, 2, 3, 3):
            self.type_line(amount=amount)
        with patch.object(account_duplicate_transaction, "MOST_LINES", 5):
            wizard = self.search()
        self.assertEqual(len(wizard.sections), 2)
        self.assertIn("3 groups of transactions since 02/20/2026 may be duplicates. The first 2", wizard.summary)

    def test_the_opening_balance_and_other_journals_are_no_duplicates(self):
        self.type_line()
        self.type_line(journal_id=self.company_data["default_journal_cash"].id)
        self.type_line().sudo().online_transaction_identifier = "opening"
        self.assertFalse(self.search().sections)

    # -------------------------------------------------------------------------
    # NOT THE SAME
    # -------------------------------------------------------------------------

    def test_a_dismissed_group_does_not_come_back_before_another_line_joins_it(self):
        self.type_line()
        marked = self.type_line()
        marked.sudo().online_possible_duplicate = True
        wizard = self.search()
        wizard.action_dismiss_group(wizard.sections[0]["key"])
        self.assertFalse(wizard.sections)
        self.assertFalse(marked.online_possible_duplicate)
        self.assertFalse(self.search().sections)
        self.type_line()
        self.assertEqual(self.search().sections[0]["count"], 3)

    def test_a_group_of_another_journal_can_not_be_dismissed_here(self):
        line = self.type_line(journal_id=self.company_data["default_journal_cash"].id)
        wizard = self.search()
        wizard.sudo().groups = {"x": line.ids}
        wizard.action_dismiss_group("x")
        self.assertFalse(line.online_distinct)

    # -------------------------------------------------------------------------
    # WHAT STAYS
    # -------------------------------------------------------------------------

    def test_reconciled_and_locked_lines_say_why_they_stay(self):
        reconciled, other = self.type_line(), self.type_line()
        self.reconcile(reconciled)
        self.type_line(days=20)
        self.type_line(days=20)
        # Why in the database: Odoo locks no days with open lines, but users can lock theirs, and an import can be late.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_company SET fiscalyear_lock_date = %s WHERE id = %s", [self.days_ago(10), self.company.id]
        )
        self.env.invalidate_all()
        rows = {row["key"]: row for row in self.rows(self.search())}
        self.assertFalse(rows[str(reconciled.id)]["selectable"])
        self.assertIn("Reconciled. Undo the reconciliation first.", rows[str(reconciled.id)]["details"])
        self.assertTrue(rows[str(other.id)]["selectable"])
        self.assertEqual(sum("In a locked period." in row["details"] for row in rows.values()), 2)

    def test_lines_stay_with_any_choice(self):
        reconciled, _other = self.type_line(), self.type_line()
        wizard = self.search()
        self.reconcile(reconciled)
        with self.assertRaisesRegex(UserError, "can't be deleted. Reconciled"):
            self.delete_lines(wizard, reconciled)

    def test_lines_of_a_complete_statement_of_a_person_stay(self):
        lines = self.type_line() + self.type_line()
        self.env["account.bank.statement"].create(
            {"name": "Paper", "balance_start": 0, "balance_end_real": -6, "line_ids": [(6, 0, lines.ids)]}
        )
        self.assertIn("complete statement Paper", " ".join(self.rows(self.search())[0]["details"]))

    def test_one_of_a_group_must_stay(self):
        lines = self.type_line() + self.type_line()
        wizard = self.search()
        with self.assertRaisesRegex(UserError, "Keep one of them"):
            self.delete_lines(wizard, *lines)

    def test_lines_that_were_not_found_are_not_deleted(self):
        """A request with forged ids deletes nothing."""
        line = self.type_line(amount=7)
        self.type_line()
        self.type_line()
        wizard = self.search()
        with self.assertRaisesRegex(UserError, "at least one"):
            self.delete_lines(wizard, line)

    # -------------------------------------------------------------------------
    # DELETING AND UNDOING
    # -------------------------------------------------------------------------

    def test_what_was_deleted_is_gone_until_it_is_undone(self):
        partner = self.env["res.partner"].create({"name": "Café"})
        keep = self.type_line()
        line = self.type_line(partner_id=partner.id, ref="R1", narration="Note", account_number="BE1", sequence=7)
        attachment = self.env["ir.attachment"].create(
            {"name": "Receipt", "res_model": "account.move", "res_id": line.move_id.id, "raw": b"1"}
        )
        wizard = self.search()
        action = self.delete_lines(wizard, line)
        self.assertEqual(action["params"]["message"], "1 transaction was deleted.")
        self.assertEqual((self.lines(), wizard.deleted_count), (keep, 1))
        self.assertTrue(attachment.exists())
        wizard.action_undo()
        back = self.lines() - keep
        self.assertEqual((back.amount, back.date, back.payment_ref), (-3, self.days_ago(0), "Coffee"))
        self.assertEqual((back.partner_id, back.ref, back.account_number, back.sequence), (partner, "R1", "BE1", 7))
        self.assertIn("Note", back.narration)
        self.assertEqual(back.move_id.state, "posted")
        self.assertEqual(attachment.res_id, back.move_id.id)
        self.assertEqual(wizard.summary, "1 transaction is back in the journal.")
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            wizard.action_undo()

    def test_nothing_comes_back_into_a_period_that_was_locked_meanwhile(self):
        """Odoo would post it there without a word, on another day."""
        keep = self.type_line(days=20)
        line = self.type_line(days=20)
        wizard = self.search()
        self.delete_lines(wizard, line)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_company SET fiscalyear_lock_date = %s WHERE id = %s", [self.days_ago(10), self.company.id]
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "locked period by now"):
            wizard.action_undo()
        self.assertEqual(self.lines(), keep)
        self.company.fiscalyear_lock_date = False
        wizard.action_undo()
        self.assertEqual((self.lines() - keep).date, self.days_ago(20))

    def test_a_synchronization_does_not_bring_deleted_ones_back_and_knows_undone_ones(self):
        self.proxy.book("T1", "-3.00")
        self.proxy.book("T2", "-3.00")
        link = self.connect_journal()
        self.synchronize(link)
        balances, first = self.balances(), self.lines()[0]
        details = first.transaction_details
        wizard = self.search()
        self.delete_lines(wizard, first)
        self.assertEqual(self.synchronize(link).imported, 0)
        self.assertEqual(len(self.lines()), 1)
        self.assertNotEqual(self.balances(), balances)
        wizard.action_undo()
        self.assertEqual(self.balances(), balances)
        self.assertFalse(self.beside())
        self.assertEqual(self.synchronize(link).imported, 0)
        self.assertEqual(self.lines().mapped("transaction_details").count(details), 1)
        self.assertFalse(link.account_online_account_ids.balance_difference)

    def test_a_statement_that_became_empty_comes_back_with_its_start(self):
        self.proxy.accounts["A1"]["balance"] = "100.00"
        self.proxy.book("T1", "-3.00", day=self.days_ago(0))
        self.synchronize(self.connect_journal(periodicity="day"))
        self.assertEqual(self.balances(), [("2026-05-20", 100, 97)])
        line = self.lines()
        self.type_line()
        wizard = self.search()
        self.delete_lines(wizard, line)
        self.assertFalse(self.statements())
        wizard.action_undo()
        self.assertEqual(self.balances(), [("2026-05-20", 100, 97)])

    def test_a_line_of_a_persons_open_statement_comes_back_into_it(self):
        lines = self.type_line() + self.type_line()
        statement = self.env["account.bank.statement"].create(
            {"name": "Paper", "balance_start": 0, "balance_end_real": -99, "line_ids": [(6, 0, lines.ids)]}
        )
        wizard = self.search()
        self.delete_lines(wizard, lines[0])
        self.assertEqual(statement.line_ids, lines[1])
        wizard.action_undo()
        self.assertEqual(len(statement.line_ids), 2)

    def test_what_came_back_by_another_way_is_not_doubled_by_undo(self):
        self.proxy.book("T1", "-3.00")
        self.proxy.book("T2", "-3.00")
        self.synchronize(self.connect_journal())
        wizard = self.search()
        self.delete_lines(wizard, self.lines()[0])
        self.beside("deleted").action_restore()
        wizard.action_undo()
        self.assertEqual(len(self.lines()), 2)

    # -------------------------------------------------------------------------
    # WHO
    # -------------------------------------------------------------------------

    def test_an_accountant_finds_deletes_and_undoes(self):
        keep, line = self.type_line(), self.type_line()
        accountant = self.accountant()
        self.journal.with_user(accountant).action_find_duplicate_transactions()
        wizard = self.search(accountant)
        self.delete_lines(wizard, line)
        self.assertEqual(self.lines(), keep)
        wizard.action_undo()
        self.assertEqual(len(self.lines()), 2)

    def test_only_deleted_lines_can_be_restored(self):
        self.type_line()
        self.type_line()
        wizard = self.search(self.accountant())
        with self.assertRaises(AccessError):
            wizard.write({"undo": {"first_statement": False, "opening": None, "lines": []}})
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            wizard.action_undo()

    def test_an_invoicing_user_sees_no_duplicates(self):
        invoicing = new_test_user(self.env, "invoicing", groups="account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.journal.with_user(invoicing).action_find_duplicate_transactions()
        with self.assertRaises(AccessError):
            self.search(invoicing)

    def test_a_branch_sees_no_lines_of_its_parent(self):
        self.type_line()
        self.type_line()
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        user = new_test_user(
            self.env,
            "accountant_of_the_branch",
            groups="account.group_account_manager",
            company_id=branch.id,
            company_ids=[(6, 0, branch.ids)],
        )
        # Odoo lets branches read it, which is why reading it allows nothing.
        self.journal.with_user(user).check_access("read")
        with self.assertRaises(AccessError):
            self.search(user)
