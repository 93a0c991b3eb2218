from odoo import Command
from odoo.addons.account_online_reconcile.books.taxes import tax_lines
from odoo.tests import tagged

from .common import DAY, ReconcileCommon


@tagged("post_install", "-at_install")
class TestTaxes(ReconcileCommon):
    """Counterparts with taxes: what the bank shows includes them, and their grids are those of a document."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expense = cls.company_data["default_account_expense"]
        cls.currency = cls.company.currency_id
        cls.base_tag, cls.tax_tag = cls.env["account.account.tag"].create(
            [{"name": name, "applicability": "taxes", "country_id": cls.company.country_id.id} for name in "BT"]
        )

    def tax(self, amount=20, **values):
        """A purchase tax with a grid for its base and one for itself."""
        account = self.expense.copy({"name": "Input tax", "account_type": "asset_current"})
        lines = [
            Command.create({"repartition_type": "base", "tag_ids": self.base_tag.ids}),
            Command.create({"repartition_type": "tax", "tag_ids": self.tax_tag.ids, "account_id": account.id}),
        ]
        return self.env["account.tax"].create(
            {
                "name": f"Input {amount} {len(self.env['account.tax'].search([]))}",
                "amount": amount,
                "type_tax_use": "purchase",
                "invoice_repartition_line_ids": lines,
                "refund_repartition_line_ids": lines,
                **values,
            }
        )

    def lines(self, taxes, amount=120.0, **options):
        return tax_lines(
            self.env, self.expense, taxes, amount, self.currency, DAY, self.partner_a, self.company, **options
        )

    def rule(self, taxes, **values):
        item = {"account_id": self.expense.id, "amount_type": "percentage", "amount_string": "100"}
        return self.env["account.reconcile.model"].create(
            {
                "name": "Fees",
                "match_label": "contains",
                "match_label_param": "fee",
                "line_ids": [Command.create({**item, "tax_ids": taxes.ids, **values})],
            }
        )

    # -------------------------------------------------------------------------
    # THE VALUES
    # -------------------------------------------------------------------------

    def test_without_taxes_there_is_one_item(self):
        (item,) = self.lines(self.env["account.tax"])
        self.assertEqual((item["balance"], item["account_id"]), (120, self.expense.id))

    def test_the_amount_includes_taxes_however_prices_include_them(self):
        for included in ("tax_included", "tax_excluded"):
            with self.subTest(included):
                base, tax = self.lines(self.tax(price_include_override=included))
                self.assertEqual((base["balance"], tax["balance"]), (100, 20))

    def test_grids_and_accounts_are_those_of_the_repartition(self):
        tax = self.tax()
        base, item = self.lines(tax)
        self.assertEqual(base["tax_ids"], [Command.set(tax.ids)])
        self.assertEqual(base["tax_tag_ids"], [Command.set(self.base_tag.ids)])
        self.assertEqual(item["tax_tag_ids"], [Command.set(self.tax_tag.ids)])
        repartition = tax.invoice_repartition_line_ids.filtered(lambda one: one.repartition_type == "tax")
        self.assertEqual(item["tax_repartition_line_id"], repartition.id)
        self.assertEqual(item["account_id"], repartition.account_id.id)

    def test_money_that_comes_back_of_a_purchase_is_a_refund(self):
        tax = self.tax()
        _base, item = self.lines(tax, -120.0)
        self.assertEqual(item["balance"], -20)
        self.assertIn(item["tax_repartition_line_id"], tax.refund_repartition_line_ids.ids)

    def test_base_and_taxes_add_up_to_the_amount_in_both_currencies(self):
        franc = self.setup_other_currency("CHF", rates=[("2026-01-01", 3.0)])
        taxes = self.tax(21) + self.tax(5.5) + self.tax(0.7, amount_type="fixed")
        for amount in (0.01, 0.03, 9.99, 100.0, -77.77, 1234567.89):
            for currency in (self.currency, franc):
                balance = self.currency.round(amount / (3 if currency == franc else 1))
                items = tax_lines(
                    self.env, self.expense, taxes, amount, currency, DAY, self.partner_a, self.company, balance=balance
                )
                self.assertAlmostEqual(sum(one["amount_currency"] for one in items), amount, 6)
                self.assertAlmostEqual(sum(one["balance"] for one in items), balance, 6)

    def test_a_reverse_charge_adds_nothing(self):
        lines = [
            Command.create({"repartition_type": "base"}),
            Command.create({"repartition_type": "tax"}),
            Command.create({"repartition_type": "tax", "factor_percent": -100}),
        ]
        base, *more = self.lines(self.tax(invoice_repartition_line_ids=lines, refund_repartition_line_ids=lines))
        self.assertEqual((base["balance"], sorted(one["balance"] for one in more)), (120, [-24, 24]))

    def test_a_cash_basis_tax_is_due_at_once_unless_the_entry_has_receivables(self):
        transition = self.expense.copy({"name": "Transition", "account_type": "asset_current", "reconcile": True})
        self.company.tax_exigibility = True
        tax = self.tax(tax_exigibility="on_payment", cash_basis_transition_account_id=transition.id)
        _base, due = self.lines(tax)
        _base, later = self.lines(tax, is_exigible=False)
        self.assertNotEqual(due["account_id"], transition.id)
        self.assertEqual(due["tax_tag_ids"], [Command.set(self.tax_tag.ids)])
        self.assertEqual((later["account_id"], later["tax_tag_ids"]), (transition.id, [Command.set([])]))

    # -------------------------------------------------------------------------
    # RULES AND MEMORY
    # -------------------------------------------------------------------------

    def test_a_rule_with_taxes_books_base_and_tax_and_undo_takes_both_back(self):
        tax = self.tax()
        rule = self.rule(tax)
        line = self.line(-12, "Monthly FEE")
        before = self.rows(line)
        decision = self.find(line)
        decision.action_accept()
        items = line.line_ids - line._seek_for_lines()[0]
        self.assertEqual(items.sorted("balance").mapped("balance"), [2, 10])
        self.assertEqual(items.filtered("tax_line_id").tax_line_id, tax)
        self.assertEqual(items.reconcile_model_id, rule)
        decision.action_undo()
        self.assertEqual(self.rows(line), before)

    def test_a_rule_with_analytic_distribution_books_it(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        analytic = self.env["account.analytic.account"].create({"name": "Shop", "plan_id": plan.id})
        self.rule(self.tax(analytic=True), analytic_distribution={str(analytic.id): 100})
        line = self.line(-12, "Monthly FEE")
        self.find(line).action_accept()
        items = line.line_ids.filtered("analytic_distribution")
        self.assertEqual(sum(items.mapped("balance")), 12)
        self.assertEqual(sum(items.analytic_line_ids.mapped("amount")), -12)

    def test_a_rule_reads_an_amount_with_tax_out_of_the_text(self):
        rule = self.rule(self.tax(), amount_type="regex", amount_string=r"BRT: ([\d,]+)")
        rest = {"account_id": self.company_data["default_account_revenue"].id, "amount_string": "100"}
        rule.line_ids = [Command.create({**rest, "sequence": 20})]
        line = self.line(-100, "fee BRT: 12,00 C:")
        self.find(line).action_accept()
        booked = {item.account_id: item.balance for item in line.line_ids if item.account_id == self.expense}
        self.assertEqual(booked, {self.expense: 10})
        self.assertEqual(self.currency.round(sum(line.line_ids.mapped("balance"))), 0)

    def test_what_was_booked_twice_with_a_tax_is_proposed_with_it(self):
        tax = self.tax()
        rule = self.rule(tax)
        for _month in range(2):
            self.find(self.line(-12, "FEE STOCKHOLM")).action_accept()
        rule.active = False
        line = self.line(-12, "FEE STOCKHOLM")
        decision = self.find(line)
        self.assertEqual((decision.step, decision.counterparts[0]["taxes"]), ("memory", tax.ids))
        decision.action_accept()
        self.assertEqual(line.line_ids.filtered("tax_line_id").balance, 2)
