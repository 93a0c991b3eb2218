from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import ReconcileCommon


@tagged("post_install", "-at_install")
class TestBooks(ReconcileCommon):
    """What a booking leaves in the books is right, and undo takes all of it back."""

    def balances(self):
        """:return: what the company's accounts show"""
        self.env.flush_all()
        self.env.invalidate_all()
        groups = self.env["account.move.line"]._read_group(
            [("company_id", "=", self.company.id), ("parent_state", "=", "posted")], ["account_id"], ["balance:sum"]
        )
        return {account: self.company.currency_id.round(total) for account, total in groups if abs(total) > 0.001}

    def check_accept_and_undo(self, line, invoice, residual=0):
        """:return: the decision, undone; what was done while it was booked is checked by the caller's ``seen``"""
        before, open_before = self.balances(), invoice.amount_residual
        decision = self.find(line)
        decision.action_accept()
        self.assertEqual(self.company.currency_id.round(sum(line.line_ids.mapped("balance"))), 0)
        self.assertEqual(invoice.amount_residual, residual)
        self.assertIn(invoice.payment_state, ("partial",) if residual else ("paid", "in_payment"))
        during = self.balances()
        decision.action_undo()
        self.assertEqual(self.balances(), before)
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (open_before, "not_paid"))
        return during

    # -------------------------------------------------------------------------
    # ENTRIES THAT ODOO ADDS
    # -------------------------------------------------------------------------

    def cash_basis_invoice(self):
        self.company.tax_exigibility = True
        account = self.company_data["default_account_expense"]
        transition = account.copy({"name": "Transition", "account_type": "liability_current", "reconcile": True})
        due = account.copy({"name": "Tax due", "account_type": "liability_current"})
        lines = [
            Command.create({"repartition_type": "base"}),
            Command.create({"repartition_type": "tax", "account_id": due.id}),
        ]
        tax = self.env["account.tax"].create(
            {
                "name": "Cash basis 20 %",
                "amount": 20,
                "tax_exigibility": "on_payment",
                "cash_basis_transition_account_id": transition.id,
                "invoice_repartition_line_ids": lines,
                "refund_repartition_line_ids": lines,
            }
        )
        item = {"name": "Work", "price_unit": 100, "tax_ids": [Command.set(tax.ids)]}
        return self.document(100, invoice_line_ids=[Command.create(item)]), due

    def test_a_cash_basis_tax_becomes_due_and_undo_takes_that_back(self):
        invoice, due = self.cash_basis_invoice()
        during = self.check_accept_and_undo(self.line(120, invoice.name), invoice)
        self.assertEqual(during[due], -20)

    def test_a_part_makes_a_part_of_a_cash_basis_tax_due(self):
        invoice, due = self.cash_basis_invoice()
        during = self.check_accept_and_undo(self.line(60, invoice.name), invoice, residual=60)
        self.assertEqual(during[due], -10)

    def test_the_exchange_difference_of_a_document_is_booked_and_taken_back(self):
        franc = self.setup_other_currency("CHF", rates=[("2026-01-01", 2.0)])
        invoice = self.document(100, currency_id=franc.id)
        line = self.line(48, invoice.name, foreign_currency_id=franc.id, amount_currency=100)
        during = self.check_accept_and_undo(line, invoice)
        self.assertEqual(during[self.company.expense_currency_exchange_account_id], 2)

    def test_a_journal_in_another_currency_settles_documents_in_it(self):
        franc = self.setup_other_currency("CHF", rates=[("2026-01-01", 2.0), ("2026-05-10", 4.0)])
        journal = self.journal.copy({"name": "Francs", "currency_id": franc.id})
        invoice = self.document(100, currency_id=franc.id)
        line = self.line(100, invoice.name, journal)
        journal.action_find_counterparts()
        decision = self.Decision.search([("statement_line_id", "=", line.id)])
        before = self.balances()
        decision.action_accept()
        self.assertEqual((invoice.amount_residual, invoice.amount_residual_signed), (0, 0))
        self.assertEqual(self.balances()[self.company.expense_currency_exchange_account_id], 25)
        decision.action_undo()
        self.assertEqual(self.balances(), before)

    # -------------------------------------------------------------------------
    # WHAT MAY NOT BE CHANGED
    # -------------------------------------------------------------------------

    def test_a_secured_bank_entry_is_left_as_it_is(self):
        self.switch_on()
        line = self.line(100, self.document(100).name)
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_move SET inalterable_hash = 'x' WHERE id = %s", [line.move_id.id])
        self.env.invalidate_all()
        decision = self.find(line)
        self.assertEqual((decision.state, decision.is_automatic, line.is_reconciled), ("proposed", False, False))

    def test_with_an_audit_trail_bookings_are_made_and_undone(self):
        self.company.restrictive_audit_trail = True
        invoice = self.document(100)
        self.check_accept_and_undo(self.line(100, invoice.name), invoice)

    # -------------------------------------------------------------------------
    # DRY RUN
    # -------------------------------------------------------------------------

    def dry_run(self):
        self.journal.action_reconcile_dry_run()
        journal = self.journal
        return journal.reconcile_dry_run_total, journal.reconcile_dry_run_alike, journal.reconcile_dry_run_different

    def paid(self, day, invoiced_on="2026-05-01", amount=100):
        """An invoice of partner_a that a user has matched with a line without reference."""
        invoice = self.document(amount, invoice_date=invoiced_on)
        line = self.line(amount, "Thank you", date=day, partner_id=self.partner_a.id)
        _liquidity, suspense, _others = line._seek_for_lines()
        item = invoice.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
        suspense.write({"account_id": item.account_id.id, "partner_id": item.partner_id.id})
        (suspense + item).reconcile()

    def test_a_dry_run_leaves_out_documents_of_later(self):
        self.paid("2026-11-02")
        self.document(100, invoice_date="2026-11-20")
        self.assertEqual(self.dry_run(), (1, 1, 0))

    def test_a_dry_run_leaves_out_documents_that_were_paid_before(self):
        self.paid("2026-09-02")
        self.paid("2026-11-02", "2026-10-01")
        self.assertEqual(self.dry_run(), (2, 2, 0))

    def test_a_dry_run_sees_what_was_open_then_and_was_paid_later(self):
        self.paid("2026-11-10")
        self.paid("2026-10-05")
        # Why one: on the first day two invoices of the partner had the amount.
        self.assertEqual(self.dry_run(), (2, 1, 0))

    def test_a_dry_run_looks_back_twelve_months(self):
        self.paid("2025-01-05", "2025-01-01")
        self.paid("2026-11-10")
        self.assertEqual(self.dry_run(), (1, 1, 0))

    # -------------------------------------------------------------------------
    # WHAT PEOPLE SEE AND SET
    # -------------------------------------------------------------------------

    def test_amounts_and_days_of_reasons_are_written_as_the_reader_does(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        decision = self.find(self.line(1040.5, self.document(3000).name))
        self.assertIn(self.company.currency_id.format(1959.5), decision.why)
        self.assertIn("1959,50", "".join(decision.with_context(lang="fr_FR").why.split()))

    def test_above_the_limit_of_the_journal_nothing_is_booked_automatically(self):
        self.switch_on()
        self.journal.reconcile_limit = 150
        small, large = (self.line(amount, self.document(amount).name) for amount in (150, 151))
        self.find(small, large)
        self.assertEqual((small.is_reconciled, large.is_reconciled), (True, False))

    def test_an_auditor_reads_decisions_and_books_nothing(self):
        auditor = new_test_user(self.env, "auditor", "account.group_account_readonly", company_id=self.company.id)
        decision = self.find(self.line(100, self.document(100).name)).with_user(auditor)
        self.assertTrue(decision.read(["why", "what", "state", "label", "amount"]))
        for action in (decision.action_accept, decision.action_undo, decision.action_make_rule):
            with self.assertRaises(AccessError):
                action()

    # -------------------------------------------------------------------------
    # RULES OF EARLIER BOOKINGS
    # -------------------------------------------------------------------------

    def remembered(self, label="CARD SPOTIFY STOCKHOLM", **values):
        """:return: the proposal for the third line of its kind"""
        account = self.company_data["default_account_expense"]
        for month in ("03", "04"):
            line = self.line(-9.99, f"{label} {month}", date=f"2026-{month}-05", **values)
            line._seek_for_lines()[1].account_id = account
        return self.find(self.line(-9.99, f"{label} 05", **values))

    def test_one_click_makes_a_rule_that_books_the_next_ones(self):
        self.switch_on()
        decision = self.remembered()
        self.assertEqual((decision.step, decision.state), ("memory", "proposed"))
        rule = self.env["account.reconcile.model"].browse(decision.action_make_rule()["res_id"])
        line = self.line(-9.99, "CARD SPOTIFY STOCKHOLM 06")
        booked = self.find(line)
        self.assertEqual((booked.step, booked.state, booked.is_automatic), ("rule", "booked", True))
        rule.unlink()
        self.assertEqual(self.find(self.line(-9.99, "CARD SPOTIFY STOCKHOLM 07")).step, "memory")

    def test_no_rule_is_made_that_would_have_booked_other_lines(self):
        decision = self.remembered()
        other = self.line(-500, "CARD SPOTIFY STOCKHOLM PARTY ROOM")
        other._seek_for_lines()[1].account_id = self.company_data["default_account_revenue"]
        with self.assertRaises(UserError):
            decision.action_make_rule()

    def test_no_rule_is_made_for_a_counterparty_that_rules_cannot_name(self):
        decision = self.remembered("SEPA DIRECT DEBIT", account_number="BE02001234567840")
        with self.assertRaises(UserError):
            decision.action_make_rule()
