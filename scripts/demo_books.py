"""The books of the demonstration: customers, suppliers, and the documents that the Demo Bank's payments pay.

Called by demo.py inside Odoo's shell. What is there already is left alone, so that each start adds what is new.
"""

from datetime import date, timedelta

from odoo import Command
from odoo.addons.bank_sync_proxy.providers.sandbox import HISTORY_DAYS
from odoo.addons.bank_sync_proxy.providers.sandbox_bank import Ledger
from odoo.addons.bank_sync_proxy.providers.sandbox_invoices import LAG, USER, payment_of
from odoo.addons.bank_sync_proxy.providers.sandbox_names import CUSTOMERS
from odoo.addons.bank_sync_proxy.providers.sandbox_texts import party

LEDGER = Ledger("demo", "current", USER)
#: Of three customers the account number of one is not known: the name has to do.
UNKNOWN_ACCOUNT = 3
#: Label of the bank line, account of the chart, name of the rule.
RULES = (
    ("Account fee", "expense_finance", "Account fees"),
    ("Rent office", "expense_rent", "Office rent"),
    ("Station Sud Fuel", "expense", "Fuel"),
    ("City Parking", "expense", "Parking"),
    ("Corner Coffee", "expense", "Refreshments"),
    ("Le Petit Midi", "expense", "Meals"),
    ("Fieldnotes Subscription", "expense", "Subscriptions"),
)


def prepare(env):
    """Partners, documents and rules of the demonstration's company."""
    company = env.ref("base.main_company")
    books = _Books(env(context={**env.context, "allowed_company_ids": company.ids, "tracking_disable": True}), company)
    books.add_rules()
    books.add_documents()
    env.cr.commit()  # the server is another process


def prepare_journal(journal):
    """Payments may lack what banks on the way keep."""
    chart = journal.env["account.chart.template"].with_company(journal.company_id)
    account = chart.ref("expense_finance")
    journal.write({"reconcile_charges_limit": 5, "reconcile_charges_account_id": account.id})


class _Books:
    def __init__(self, env, company):
        self.env, self.company = env, company
        self.chart = env["account.chart.template"].with_company(company)
        self.partners = {}

    def add_rules(self):
        rules = self.env["account.reconcile.model"]
        known = set(rules.search([("company_id", "=", self.company.id)]).mapped("name"))
        rules.create(
            [
                {
                    "name": name,
                    "company_id": self.company.id,
                    "trigger": "auto_reconcile",
                    "match_label": "contains",
                    "match_label_param": label,
                    "line_ids": [
                        Command.create(
                            {
                                "account_id": self.chart.ref(account).id,
                                "amount_type": "percentage",
                                "amount_string": "100",
                                "label": name,
                            }
                        )
                    ],
                }
                for label, account, name in RULES
                if name not in known
            ]
        )

    def add_documents(self):
        documents = self._new(self._documents())
        moves = self.env["account.move"].create([self._values(document) for document in documents])
        moves.action_post()
        if moves and not self.company.sale_lock_date:
            # Why: sales up to there are closed, so Odoo misses no earlier numbers. Invoices that were paid before the
            # bank's history begins are not there.
            gaps = moves.filtered(lambda move: move.move_type == "out_invoice" and move.made_sequence_gap)
            self.company.sale_lock_date = max((gaps or moves[:1]).mapped("date"))

    def _documents(self):
        """:return: those that the payments of the bank's history pay, and of the next weeks as far as issued today"""
        today = date.today()
        first, last = today - timedelta(days=HISTORY_DAYS), today + timedelta(days=LAG[1])
        payments = filter(None, (payment_of(LEDGER, movement) for movement in LEDGER.movements(first, last)))
        documents = [document for payment in payments for document in payment.documents if document.issued <= today]
        return sorted(documents, key=lambda document: (document.issued, document.number))

    def _new(self, documents):
        moves = self.env["account.move"].search([("company_id", "=", self.company.id)])
        invoices = set(moves.filtered(lambda move: move.move_type == "out_invoice").mapped("name"))
        bills = moves.filtered(lambda move: move.move_type == "in_invoice")
        known = {(bill.partner_id.name, bill.ref, bill.invoice_date) for bill in bills}
        return [
            document
            for document in documents
            if document.number not in invoices and (document.party, document.number, document.issued) not in known
        ]

    def _values(self, document):
        is_invoice = document.cents > 0
        term = "account.account_payment_term_30days"
        if document.has_discount:
            term = "account.account_payment_term_30days_early_discount"
        values = {
            "move_type": "out_invoice" if is_invoice else "in_invoice",
            "company_id": self.company.id,
            "partner_id": self._partner(document.party).id,
            "invoice_date": document.issued,
            "date": document.issued,
            "invoice_payment_term_id": self.env.ref(term).id,
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": "Consulting" if is_invoice else "Goods and services",
                        "quantity": 1,
                        "price_unit": abs(document.cents) / 100,
                        # Why none: the payments were made without taxes in mind, and amounts have to be equal.
                        "tax_ids": [Command.clear()],
                    }
                )
            ],
        }
        if is_invoice:
            values["name"] = document.number
        else:
            values["ref"] = document.number
        if document.reference:
            values["payment_reference"] = document.reference
        return values

    def _partner(self, name):
        if name not in self.partners:
            partner = self.env["res.partner"].search([("name", "=", name)], limit=1)
            self.partners[name] = partner or self._new_partner(name)
        return self.partners[name]

    def _new_partner(self, name):
        partner = self.env["res.partner"].create({"name": name, "is_company": True})
        if name not in CUSTOMERS or CUSTOMERS.index(name) % UNKNOWN_ACCOUNT:
            number = party(name, name).account_number
            self.env["res.partner.bank"].create({"partner_id": partner.id, "acc_number": number})
        return partner
