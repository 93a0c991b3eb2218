from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ReconcileCommon


@tagged("post_install", "-at_install")
class TestPayments(ReconcileCommon):
    """Batches, payments that come back, and payouts of payment services."""

    def register(self, invoices, **values):
        """Payments of documents, one for each partner."""
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoices.ids)
        return wizard.create({"journal_id": self.journal.id, "group_payment": True, **values})._create_payments()

    def without_entries(self):
        """Payments get no entry of their own, as where an addon brings the state *In Payment*."""
        methods = self.journal.outbound_payment_method_line_ids + self.journal.inbound_payment_method_line_ids
        methods.payment_account_id = False
        self.startPatcher(
            patch.object(self.registry["account.move"], "_get_invoice_in_payment_state", lambda self: "in_payment")
        )

    def documents(self, *amounts, move_type="in_invoice"):
        partners = (self.partner_a, self.partner_b)
        moves = self.env["account.move"]
        for number, amount in enumerate(amounts):
            moves += self.document(amount, move_type, partners[number % 2], ref=f"SUP-{number + 101}")
        return moves

    def proposal(self, line):
        return self.find(line).filtered(lambda one: one.state == "proposed")

    def assert_books_and_undoes(self, line, decision):
        """:return: the rows before"""
        before = self.rows(line)
        decision.action_accept()
        self.assertTrue(line.is_reconciled)
        self.assertEqual(self.company.currency_id.round(sum(line.line_ids.mapped("balance"))), 0)
        self.assertNotEqual(self.rows(line), before)
        decision.action_undo()
        self.assertEqual(self.rows(line), before)
        self.assertEqual((decision.state, decision.undone_by_id), ("undone", self.env.user))

    # -------------------------------------------------------------------------
    # BATCHES
    # -------------------------------------------------------------------------

    def test_an_end_to_end_id_of_several_payments_books_all_of_them(self):
        payments = self.register(self.documents(60, 40))
        self.assertEqual(len(payments), 2)
        payments.payment_reference = "BATCH-2026-07"
        line = self.line(-100, "Collective order", transaction_details={"end_to_end_id": "BATCH-2026-07"})
        self.switch_on()
        before = self.rows(line)
        decision = self.find(line)
        self.assertEqual((decision.state, decision.is_automatic, decision.step), ("booked", True, "reference"))
        self.assertEqual(payments.mapped("is_matched"), [True, True])
        decision.action_undo()
        self.assertEqual(self.rows(line), before)

    def test_payments_of_one_day_are_proposed_for_a_line_of_their_sum(self):
        payments = self.register(self.documents(60, 40))
        line = self.line(-100, "Collective order")
        self.switch_on()
        decision = self.find(line)
        self.assertEqual((decision.state, decision.is_automatic), ("proposed", False))
        self.assertEqual({one["kind"] for one in decision.counterparts}, {"payment"})
        self.assertIn("add up", decision.why)
        self.assert_books_and_undoes(line, decision)
        self.proposal(line).action_accept()
        self.assertEqual(payments.mapped("is_matched"), [True, True])

    def test_payments_without_entries_lead_to_their_documents(self):
        self.without_entries()
        bills = self.documents(60, 40)
        payments = self.register(bills)
        self.assertFalse(payments.move_id)
        payments.payment_reference = "BATCH-2026-08"
        line = self.line(-100, "Collective order BATCH-2026-08")
        decision = self.find(line)
        self.assertEqual({one["kind"] for one in decision.counterparts}, {"item"})
        self.assert_books_and_undoes(line, decision)
        self.proposal(line).action_accept()
        self.assertEqual(bills.mapped("amount_residual"), [0, 0])
        self.assertEqual(payments.mapped("state"), ["paid", "paid"])

    # -------------------------------------------------------------------------
    # RETURNED PAYMENTS
    # -------------------------------------------------------------------------

    def paid(self, *amounts, **values):
        """Invoices that one line of the bank has paid."""
        invoices = [self.document(amount) for amount in amounts]
        names = " ".join(invoice.name for invoice in invoices)
        line = self.line(sum(amounts), names, transaction_details={"end_to_end_id": "E2E-4711"}, **values)
        self.find(line).action_accept()
        return invoices, line

    def returned(self, amount=-100, label="RETURN MD06", **values):
        return self.line(amount, label, transaction_details={"end_to_end_id": "E2E-4711"}, **values)

    def test_a_return_opens_the_invoice_again_and_undo_pays_it_again(self):
        (invoice,), payment = self.paid(100)
        line = self.returned()
        self.switch_on()
        decision = self.find(line)
        self.assertEqual((decision.state, decision.counterparts[0]["kind"]), ("proposed", "return"))
        self.assertIn("return of the payment", decision.why)
        self.assert_books_and_undoes(line, decision)
        self.assertFalse(invoice.amount_residual)
        self.proposal(line).action_accept()
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (100, "not_paid"))
        self.assertTrue(line.is_reconciled and payment.is_reconciled)
        receivable = (line + payment).line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        self.assertEqual(set(receivable.mapped("reconciled")), {True})

    def test_a_return_that_names_the_invoice_is_recognized_without_an_id(self):
        (invoice,), _payment = self.paid(100)
        decision = self.find(self.line(-100, f"Return direct debit {invoice.name}"))
        self.assertEqual(decision.counterparts[0]["kind"], "return")

    def test_a_return_opens_all_invoices_that_the_payment_had_paid(self):
        invoices, _payment = self.paid(60, 40)
        line = self.returned()
        self.assert_books_and_undoes(line, self.find(line))
        self.proposal(line).action_accept()
        self.assertEqual([invoice.amount_residual for invoice in invoices], [60, 40])

    def test_a_returned_registered_payment_opens_its_bill(self):
        bill = self.documents(80)
        payment = self.register(bill)
        payment.payment_reference = "E2E-4711"
        paying = self.line(-80, "x", transaction_details={"end_to_end_id": "E2E-4711"})
        self.find(paying).action_accept()
        self.assertTrue(payment.is_matched)
        line = self.returned(80)
        decision = self.find(line)
        self.assertEqual(decision.counterparts[0]["kind"], "return")
        self.assert_books_and_undoes(line, decision)
        self.proposal(line).action_accept()
        self.assertEqual(bill.amount_residual, 80)

    def test_a_returned_payment_without_an_entry_is_rejected(self):
        self.without_entries()
        bill = self.documents(80)
        payment = self.register(bill)
        payment.payment_reference = "E2E-4711"
        self.find(self.line(-80, "x", transaction_details={"end_to_end_id": "E2E-4711"})).action_accept()
        self.assertEqual(payment.state, "paid")
        line = self.returned(80)
        decision = self.find(line)
        decision.action_accept()
        self.assertEqual((payment.state, bill.payment_state), ("rejected", "not_paid"))
        decision.action_undo()
        self.assertEqual((payment.state, bill.amount_residual), ("paid", 0))

    def test_a_payment_that_came_back_can_not_be_undone_before_its_return(self):
        _invoices, payment = self.paid(100)
        booked = self.Decision.search([("statement_line_id", "=", payment.id), ("state", "=", "booked")])
        returned = self.find(self.returned())
        returned.action_accept()
        with self.assertRaises(UserError) as refused:
            booked.action_undo()
        self.assertIn("Undo the booking of the return first", str(refused.exception))
        returned.action_undo()
        booked.action_undo()
        self.assertFalse(payment.is_reconciled)

    def test_a_return_is_not_undone_when_the_invoice_was_paid_since(self):
        (invoice,), _payment = self.paid(100)
        returned = self.find(self.returned())
        returned.action_accept()
        second = self.find(self.line(100, invoice.name))
        second.action_accept()
        with self.assertRaises(UserError) as refused:
            returned.action_undo()
        self.assertIn("paid or changed since", str(refused.exception))
        second.action_undo()
        returned.action_undo()
        self.assertFalse(invoice.amount_residual)

    def test_a_payment_comes_back_once(self):
        self.paid(100)
        self.find(self.returned()).action_accept()
        self.assertFalse(self.find(self.returned()))

    def test_a_refund_of_an_invoice_is_not_a_return(self):
        (invoice,), _payment = self.paid(100)
        credit_note = self.document(100, "out_refund")
        decision = self.find(self.line(-100, f"Refund {invoice.name}", partner_id=self.partner_a.id))
        self.assertEqual(decision.what, credit_note.name)

    def test_a_return_with_charges_of_the_bank_is_not_taken_for_the_payment(self):
        self.paid(100)
        self.assertFalse(self.find(self.returned(-103)))

    # -------------------------------------------------------------------------
    # PAYOUTS
    # -------------------------------------------------------------------------

    def service(self, **values):
        return self.journal.copy({"name": "Payment Service", **values})

    def payout(self, service, amount, arrives, currency="EUR"):
        currency = self.company.currency_id.name
        said = {"id": "po_1Qx7Yz99", "amount": arrives, "currency": currency}
        return self.line(amount, "Payout", service, transaction_details={"payout": said})

    def test_a_payout_is_a_transfer_to_the_bank_by_its_id(self):
        payout = self.payout(self.service(), -500, "500.00")
        line = self.line(500, "STRIPE PO 1QX7YZ99")
        self.switch_on()
        before = self.rows(line)
        decision = self.find(line)
        self.assertEqual((decision.state, decision.step, decision.is_automatic), ("booked", "transfer", True))
        self.assertTrue(payout.is_reconciled)
        self.assertIn(self.company.transfer_account_id, line.line_ids.account_id)
        decision.action_undo()
        self.assertEqual(self.rows(line), before)
        self.assertFalse(payout.is_reconciled)

    def test_the_fee_of_a_payout_is_booked_in_the_journal_of_the_service(self):
        expense = self.company_data["default_account_expense"]
        service = self.service(reconcile_charges_account_id=expense.id)
        payout = self.payout(service, -505, "500.00")
        line = self.line(500, "STRIPE PO 1QX7YZ99")
        before = self.rows(line), self.rows(payout)
        self.switch_on()
        decision = self.find(line)
        self.assertEqual((decision.state, decision.is_automatic), ("booked", True))
        self.assertIn("5.00", decision.why)
        self.assertEqual(payout.line_ids.filtered(lambda item: item.account_id == expense).balance, 5)
        transfers = (line + payout).line_ids.filtered(lambda item: item.account_id == self.company.transfer_account_id)
        self.assertEqual((sum(transfers.mapped("balance")), set(transfers.mapped("reconciled"))), (0, {True}))
        self.assertNotIn(expense, line.line_ids.account_id)
        decision.action_undo()
        self.assertEqual((self.rows(line), self.rows(payout)), before)

    def test_a_fee_without_an_account_is_proposed_and_says_what_is_missing(self):
        self.payout(self.service(), -505, "500.00")
        self.switch_on()
        decision = self.find(self.line(500, "STRIPE PO 1QX7YZ99"))
        self.assertEqual(decision.state, "proposed")
        self.assertIn("account for bank charges", decision.why)
        with self.assertRaises(UserError) as refused:
            decision.action_accept()
        self.assertIn("no account for bank charges", str(refused.exception))

    def test_a_payout_in_another_currency_is_not_a_transfer_of_its_amount(self):
        said = {"id": "po_1Qx7Yz99", "amount": "500.00", "currency": "CHF"}
        self.line(-505, "Payout", self.service(), transaction_details={"payout": said})
        self.assertFalse(self.find(self.line(500, "STRIPE PO 1QX7YZ99")))

    def test_a_service_can_not_make_a_fee_of_anything(self):
        for arrives in ("abc", "-5000", "NaN", "99999999"):
            payout = self.payout(self.service(), -505, arrives)
            self.assertFalse(self.find(self.line(500, "STRIPE PO 1QX7YZ99")))
            payout.unlink()
