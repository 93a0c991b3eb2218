from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import OnlineSyncCommon

LIST = "account_online_synchronization.account_bank_statement_line_action"


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBankLines(OnlineSyncCommon):
    """The list of bank transactions that an accountant works with, its form, and where they lead."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls.user_with("bookkeeper", "account.group_account_basic")

    @classmethod
    def user_with(cls, login, group):
        return new_test_user(
            cls.env, login, groups=group, company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)]
        )

    def line(self, **values):
        values = {"journal_id": self.journal.id, "date": "2026-05-20", "amount": -50, "payment_ref": "Rent", **values}
        return self.Line.create(values)

    def four_lines(self):
        """:return: dict from state to a line of that state"""
        lines = {state: self.line(payment_ref=state) for state in ("open", "to_review", "reconciled", "not_posted")}
        lines["to_review"].move_id.checked = False
        self.reconcile(lines["reconciled"])
        lines["not_posted"].move_id.button_draft()
        return lines

    # -------------------------------------------------------------------------
    # STATE
    # -------------------------------------------------------------------------

    def test_the_state_says_what_is_left_to_do(self):
        for state, line in self.four_lines().items():
            self.assertEqual(line.online_state, state)

    def test_each_state_is_found_by_a_search(self):
        lines = self.four_lines()
        of_journal = ("journal_id", "=", self.journal.id)
        for state, line in lines.items():
            self.assertEqual(self.Line.search([of_journal, ("online_state", "=", state)]), line)
        found = self.Line.search([of_journal, ("online_state", "in", ["open", "to_review"])])
        self.assertEqual(found, lines["open"] | lines["to_review"])
        self.assertEqual(len(self.Line.search([of_journal, ("online_state", "!=", "open")])), 3)

    def test_lines_are_grouped_by_state(self):
        lines = self.four_lines()
        groups = self.Line.with_user(self.accountant).formatted_read_group(
            [("journal_id", "=", self.journal.id)], ["online_state"], ["__count"]
        )
        self.assertEqual({group["online_state"]: group["__count"] for group in groups}, dict.fromkeys(lines, 1))
        for group in groups:
            found = self.Line.search([("journal_id", "=", self.journal.id), *group["__extra_domain"]])
            self.assertEqual(found, lines[group["online_state"]])

    def test_the_list_counts_as_odoo_does_on_the_card(self):
        self.four_lines()
        self.env.flush_all()
        card = self.journal._get_journal_dashboard_data_batched()[self.journal.id]
        for state, number in (("open", "number_to_reconcile"), ("to_review", "number_to_check")):
            domain = [("journal_id", "=", self.journal.id), ("online_state", "=", state)]
            self.assertEqual(self.Line.search_count(domain), card[number])

    # -------------------------------------------------------------------------
    # FROM THE CARD TO THE LIST, AND ON
    # -------------------------------------------------------------------------

    def test_the_card_leads_to_what_is_left_to_do_in_its_journal(self):
        action = self.journal.with_user(self.accountant).open_action()
        self.assertEqual(action["xml_id"], LIST)
        self.assertEqual(action["domain"], [("journal_id", "=", self.journal.id)])
        context = action["context"]
        self.assertEqual(context["default_journal_id"], self.journal.id)
        self.assertTrue(context["search_default_open"] and context["search_default_to_review"])

    def test_to_review_on_the_card_shows_nothing_else(self):
        context = self.journal.with_context(search_default_to_check=True).open_action()["context"]
        self.assertTrue(context["search_default_to_review"])
        self.assertNotIn("search_default_open", context)

    def test_an_action_that_was_asked_for_by_name_is_left_alone(self):
        action = self.journal.with_context(action_name="action_bank_statement_tree").open_action()
        self.assertEqual(action["xml_id"], "account.action_bank_statement_tree")

    def test_other_journals_open_what_they_always_did(self):
        sale = self.company_data["default_journal_sale"]
        self.assertEqual(sale.open_action()["xml_id"], "account.action_move_out_invoice_type")

    def test_the_entry_is_one_click_away(self):
        line = self.line()
        action = line.with_user(self.accountant).action_open_journal_entry()
        self.assertEqual((action["res_model"], action["res_id"]), ("account.move", line.move_id.id))

    # -------------------------------------------------------------------------
    # RECONCILING
    # -------------------------------------------------------------------------

    def test_without_an_addon_that_reconciles_nothing_is_offered(self):
        self.without_our_reconciliation()
        line = self.line()
        self.assertFalse(line.online_can_reconcile)
        self.assertIsNone(self.journal._get_reconciliation_action())

    def test_the_addon_that_reconciles_gets_the_line(self):
        Journal = type(self.env["account.journal"])
        line = self.line()
        action = {"type": "ir.actions.act_window", "name": "Reconcile"}
        with patch.object(Journal, "_get_reconciliation_action", autospec=True, return_value=action) as hook:
            self.assertTrue(line.online_can_reconcile)
            self.assertEqual(line.with_user(self.accountant).action_reconcile(), action)
        self.assertEqual(hook.call_args.args, (self.journal, line))

    def test_reconciling_requires_write_access(self):
        line = self.line()
        with self.assertRaises(AccessError):
            line.with_user(self.user_with("clerk", "account.group_account_invoice")).action_reconcile()

    def test_a_line_is_booked_in_its_entry_where_no_addon_reconciles(self):
        """The steps in the guide for users of Community: reset to draft, change the counterpart, post."""
        line = self.line()
        entry = line.move_id.with_user(self.user_with("full", "account.group_account_user"))
        entry.button_draft()
        expense = self.company_data["default_account_expense"]
        suspense = entry.line_ids.filtered(lambda item: item.account_id == self.journal.suspense_account_id)
        entry.write({"line_ids": [(1, suspense.id, {"account_id": expense.id})]})
        entry.action_post()
        self.assertEqual(line.online_state, "reconciled")
        self.assertIn(expense, line.line_ids.account_id)

    def test_a_payment_booked_in_its_entry_is_offered_on_the_invoice(self):
        invoice = self.init_invoice("out_invoice", partner=self.partner_a, amounts=[50], taxes=[], post=True)
        line = self.line(amount=invoice.amount_total, payment_ref=invoice.name)
        entry = line.move_id
        entry.button_draft()
        suspense = entry.line_ids.filtered(lambda item: item.account_id == self.journal.suspense_account_id)
        receivable = self.partner_a.property_account_receivable_id
        entry.write({"line_ids": [(1, suspense.id, {"account_id": receivable.id, "partner_id": self.partner_a.id})]})
        entry.action_post()
        offered = invoice.invoice_outstanding_credits_debits_widget["content"]
        self.assertIn(suspense.id, [one["id"] for one in offered])
        invoice.js_assign_outstanding_line(suspense.id)
        self.assertEqual(invoice.amount_residual, 0)

    # -------------------------------------------------------------------------
    # THE FORM
    # -------------------------------------------------------------------------

    def synchronized(self, **values):
        self.proxy.book("T1", "-12.30", remittance=["Invoice 42", "May"], **values)
        self.synchronize(self.connect_journal())
        return self.lines()

    def test_the_form_shows_all_that_the_bank_said(self):
        line = self.synchronized(
            counterparty={"name": "Landlord", "account_number": "BE71096123456769", "bic": "GKCCBEBB"},
            value_date="2026-05-19",
            creditor_reference="RF18539007547034",
            end_to_end_id="E2E-1",
            mandate_id="M-7",
            foreign_amount="-1800.00",
            foreign_currency="ISK",
        )
        self.assertEqual(line.online_bank_texts, "Invoice 42\nMay")
        self.assertEqual(line.online_value_date.isoformat(), "2026-05-19")
        self.assertEqual(line.online_counterparty_bic, "GKCCBEBB")
        self.assertEqual(line.online_creditor_reference, "RF18539007547034")
        self.assertEqual(line.online_end_to_end_id, "E2E-1")
        self.assertEqual(line.online_mandate_id, "M-7")
        self.assertEqual(line.online_foreign_amount, "-1800.00 ISK")

    def test_values_that_are_not_an_answer_of_a_bank_do_not_break_the_form(self):
        for details in (False, [], "text", {"counterparty": 5, "remittance": {"a": 1}, "value_date": "soon"}):
            line = self.line(transaction_details=details)
            self.assertFalse(line.online_bank_texts and line.online_value_date)
            self.assertFalse(line.online_counterparty_bic)

    def test_the_raw_record_is_for_administrators_only(self):
        line = self.synchronized()
        with self.assertRaises(AccessError):
            line.with_user(self.accountant).read(["online_raw_record"])
        self.assertIn('"T1"', line.online_raw_record)
        form = "account_online_synchronization.account_bank_statement_line_view_form"
        view = self.Line.with_user(self.accountant).get_view(self.env.ref(form).id)
        self.assertNotIn("online_raw_record", view["arch"])

    def test_a_partner_is_chosen_in_the_form_and_nothing_of_the_bank_changes(self):
        line = self.synchronized().with_user(self.accountant)
        with Form(line, "account_online_synchronization.account_bank_statement_line_view_form") as form:
            form.partner_id = self.partner_a
            with self.assertRaises(AssertionError):
                form.amount = 5
        self.assertEqual(line.partner_id, self.partner_a)
        self.assertEqual(line.line_ids.partner_id, self.partner_a)

    def test_a_line_is_entered_by_hand_in_the_journal(self):
        action = self.journal.with_user(self.accountant).open_action()
        context = {"default_journal_id": action["context"]["default_journal_id"]}
        view = "account_online_synchronization.account_bank_statement_line_view_form"
        form = Form(self.Line.with_user(self.accountant).with_context(**context), view)
        form.payment_ref = "Cheque"
        form.amount = 25
        line = form.save()
        self.assertEqual((line.journal_id, line.online_state, line.state), (self.journal, "open", "posted"))
