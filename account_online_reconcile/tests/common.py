from datetime import date

from odoo.addons.account_online_synchronization.tests.prepared import PreparedBooks

DAY = date(2026, 5, 20)


class ReconcileCommon(PreparedBooks):
    """A company with a bank journal, customers, suppliers, and open documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.journal = cls.company_data["default_journal_bank"]
        cls.company = cls.company_data["company"]
        cls.Line = cls.env["account.bank.statement.line"]
        cls.Decision = cls.env["account.reconcile.decision"]

    def document(self, amount, move_type="out_invoice", partner=None, **values):
        """A posted document without taxes."""
        move = self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": (partner or self.partner_a).id,
                "invoice_date": "2026-05-01",
                "invoice_line_ids": [
                    (0, 0, {"name": "Work", "quantity": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]})
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def line(self, amount, label="", journal=None, **values):
        return self.Line.create(
            {
                "journal_id": (journal or self.journal).id,
                "date": DAY,
                "amount": amount,
                "payment_ref": label or "Payment",
                **values,
            }
        )

    def find(self, *lines):
        """:return: the decisions on these lines"""
        self.journal.action_find_counterparts()
        return self.Decision.search([("statement_line_id", "in", [line.id for line in lines])], order="id")

    def switch_on(self):
        self.journal.action_reconcile_dry_run()
        self.journal.reconcile_automatically = True

    def rows(self, line):
        """What a booking may touch, to compare before and after."""
        self.env.flush_all()
        self.env.invalidate_all()
        items = self.env["account.move.line"].search([("company_id", "=", self.company.id)])
        return {
            "items": sorted(
                (
                    item.move_id.id,
                    item.account_id.id,
                    item.partner_id.id,
                    item.balance,
                    item.amount_currency,
                    item.amount_residual,
                    item.amount_residual_currency,
                    item.reconciled,
                    item.name,
                )
                for item in items
            ),
            "partials": self.env["account.partial.reconcile"].search_count([("company_id", "=", self.company.id)]),
            "full": self.env["account.full.reconcile"].search_count([]),
            "moves": sorted(
                items.move_id.mapped(lambda move: (move.id, move.state, move.payment_state, move.amount_total))
            ),
            "line": line.read(["amount", "partner_id", "is_reconciled", "checked", "payment_ref", "amount_residual"]),
        }
