import random
from datetime import date, timedelta

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.fields import Command

LINES = 40


class WriterCommon(AccountTestInvoicingCommon):
    """Partners, currencies, and lines such as banks report them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Why: Odoo's tests usually do without messages and followers.
        cls.env = cls.env(context={})
        cls.company = cls.company_data["company"]
        cls.journal = cls.company_data["default_journal_bank"]
        cls.dollar = cls.setup_other_currency("USD")
        cls.yen = cls.setup_other_currency("JPY", rounding=1.0)
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": "Alone"},
                {"name": "With accounts", "bank_ids": [Command.create({"acc_number": f"A-{n}"}) for n in (1, 2)]},
                {"name": "Company", "is_company": True, "child_ids": [Command.create({"name": "Contact"})]},
            ]
        )
        cls.partners += cls.partners.child_ids

    # -------------------------------------------------------------------------
    # TOOLS
    # -------------------------------------------------------------------------

    def some_lines(self, seed=0, journal=None, count=LINES, begin=date(2026, 1, 20), days=150):
        """Values of lines such as banks report them, by day."""
        chance, journal = random.Random(seed), journal or self.journal
        currency = journal.currency_id or journal.company_id.currency_id
        foreign = (self.dollar + self.yen + journal.company_id.currency_id) - currency
        offsets = sorted(chance.randrange(days) for _number in range(count))
        return [
            self.one_line(chance, journal, begin + timedelta(offset), foreign, number)
            for number, offset in enumerate(offsets)
        ]

    def one_line(self, chance, journal, day, foreign, number):
        amount = chance.choice([round(chance.uniform(-5000, 5000), 2), float(chance.randrange(-50, 50)), 0.01])
        is_foreign = amount and chance.random() < 0.3
        other = chance.choice(foreign)
        other_amount = other.round(amount * chance.uniform(0.5, 150)) if is_foreign else 0.0
        return {
            "journal_id": journal.id,
            "date": day,
            "amount": amount,
            "foreign_currency_id": other.id if other_amount else False,
            "amount_currency": other_amount,
            "payment_ref": chance.choice([f"Payment {number}", "ü “quoted” \\ \t %s", "x" * 300]),
            "ref": chance.choice([False, f"R{chance.randrange(9)}", "RF18 5390"]),
            "partner_id": chance.choice([False, *self.partners.ids]),
            "partner_name": chance.choice([False, "Somebody"]),
            "account_number": chance.choice([False, "DE02 1203"]),
            "transaction_details": {"id": number, "nested": [{"a": "“"}, None, 1.5]},
            "online_transaction_identifier": f"T{number}",
            "online_possible_duplicate": chance.random() < 0.2,
        }
