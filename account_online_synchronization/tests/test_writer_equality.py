from datetime import date

from odoo.fields import Command
from odoo.tests import tagged

from ..books.writer import BULK
from ..books.writer.bulk import Bulk
from .stored_rows import count_rows, read_rows
from .writer_common import WriterCommon


@tagged("post_install", "-at_install")
class TestWriterEquality(WriterCommon):
    """The bulk writer stores what Odoo stores: every column of every table, in every surrounding that matters."""

    def stored(self, values, create):
        """Create lines, read all that was stored, and take it back."""
        with self.env.cr.savepoint() as savepoint:
            before = count_rows(self.env.cr)
            lines = create([dict(one) for one in values])
            rows = read_rows(lines)
            after = count_rows(self.env.cr)
            savepoint.rollback()
        return rows, {table: after[table] - before[table] for table in after if after[table] != before[table]}

    def assertSameAsOdoo(self, values, env=None):
        # Why with superuser rights: the importer creates them like this, and no user may set the bank's values.
        Line = (env or self.env)["account.bank.statement.line"].sudo()
        bulk = Bulk()
        expected, expected_counts = self.stored(values, Line.create)
        found, counts = self.stored(values, Line.with_context(**{BULK: bulk}).create)
        self.assertIsNone(bulk.reason)
        self.assertEqual(counts, expected_counts)
        for table, rows in expected.items():
            for number, (row, other) in enumerate(zip(found[table], rows, strict=True)):
                self.assertEqual(row, other, f"{table}, row {number}")

    # -------------------------------------------------------------------------
    # AMOUNTS AND CURRENCIES
    # -------------------------------------------------------------------------

    def test_random_batches(self):
        for seed in range(3):
            with self.subTest(seed=seed):
                self.assertSameAsOdoo(self.some_lines(seed))

    def test_amounts_of_zero(self):
        values = self.some_lines()
        for one in values[::3]:
            one.update(amount=0.0, foreign_currency_id=False, amount_currency=0.0)
        self.assertSameAsOdoo(values)

    def test_a_journal_in_a_foreign_currency(self):
        self.journal.currency_id = self.dollar
        self.assertSameAsOdoo(self.some_lines())

    # -------------------------------------------------------------------------
    # PARTNERS
    # -------------------------------------------------------------------------

    def test_partners_with_fiscal_positions(self):
        country = self.env.ref("base.be")
        self.env["account.fiscal.position"].create(
            {"name": "Belgium", "auto_apply": True, "country_id": country.id, "company_id": self.company.id}
        )
        self.partners[:2].country_id = country
        self.assertSameAsOdoo(self.some_lines())

    def test_analytic_distributions_by_partner_and_account(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        analytic = self.env["account.analytic.account"].create({"name": "A", "plan_id": plan.id})
        self.env["account.analytic.distribution.model"].create(
            [
                {"partner_id": self.partners[0].id, "analytic_distribution": {analytic.id: 100}},
                {
                    "account_prefix": self.journal.suspense_account_id.code,
                    "partner_id": self.partners[1].id,
                    "analytic_distribution": {analytic.id: 40},
                },
            ]
        )
        self.assertSameAsOdoo(self.some_lines())

    # -------------------------------------------------------------------------
    # NUMBERS
    # -------------------------------------------------------------------------

    def test_numbers_follow_those_of_the_journal(self):
        for names in (
            ["BNK/2026/00041"],
            ["BNK/2025/00007", "BNK/2026/00041"],
            ["BNK/2026/01/0007"],
            ["B0009"],
            ["B2026-0003"],
        ):
            with self.subTest(names=names), self.env.cr.savepoint() as savepoint:
                for name in names:
                    year = 2025 if "2025" in name else 2026
                    self.create_named(name, date(year, 1, 10))
                self.assertSameAsOdoo(self.some_lines(begin=date(2025, 11, 20), days=200))
                savepoint.rollback()

    def create_named(self, name, day):
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": self.journal.id, "date": day, "amount": 1.0, "payment_ref": name}
        )
        line.move_id.name = name
        self.env.flush_all()

    def test_a_fiscal_year_that_does_not_begin_in_january(self):
        self.company.write({"fiscalyear_last_day": 15, "fiscalyear_last_month": "4"})
        self.assertSameAsOdoo(self.some_lines(begin=date(2025, 12, 20), days=300))

    def test_several_years(self):
        self.assertSameAsOdoo(self.some_lines(begin=date(2023, 1, 1), days=1200))

    def test_a_name_of_the_journals_own_making(self):
        self.create_named("Bank no 500 (paid)", date(2026, 1, 2))
        self.journal.sequence_override_regex = r"^(?P<prefix1>\D*)(?P<seq>\d*)(?P<suffix>\D*)$"
        self.assertSameAsOdoo(self.some_lines())

    # -------------------------------------------------------------------------
    # SETTINGS
    # -------------------------------------------------------------------------

    def test_settings_of_the_company(self):
        settings = {
            "restrictive_audit_trail": True,
            "tax_exigibility": True,
            "account_storno": True,
            "fiscalyear_lock_date": date(2025, 12, 31),
            "tax_lock_date": date(2026, 3, 31),
            "sale_lock_date": date(2026, 6, 30),
        }
        for name, value in settings.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.company[name] = value
                self.assertSameAsOdoo(self.some_lines())
                savepoint.rollback()

    def test_a_suspense_account_that_is_reconciled(self):
        self.journal.suspense_account_id.reconcile = True
        self.assertSameAsOdoo(self.some_lines())

    def test_several_companies_and_journals(self):
        other = self.setup_other_company()
        for journal in (other["default_journal_bank"], self.company_data["default_journal_credit"]):
            with self.subTest(journal.display_name):
                self.assertSameAsOdoo(self.some_lines(journal=journal))

    def test_a_branch(self):
        self.company.child_ids = [Command.create({"name": "Branch"})]
        branch = self.company.child_ids
        journal = self.journal.create({"name": "Branch's", "type": "bank", "code": "BRA", "company_id": branch.id})
        self.assertSameAsOdoo(self.some_lines(journal=journal))

    def test_who_creates_them_follows_and_speaks_another_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        for env in (
            self.env(user=self.env.ref("base.user_root")),
            self.env(user=self.env.user.id, su=True),
            self.env(context={**self.env.context, "lang": "fr_FR"}),
            self.env(context={**self.env.context, "mail_create_nosubscribe": True}),
        ):
            with self.subTest(user=env.user.login, context=env.context):
                self.assertSameAsOdoo(self.some_lines(), env)

    # -------------------------------------------------------------------------
    # STATEMENTS AND EXTRA FIELDS
    # -------------------------------------------------------------------------

    def test_lines_that_belong_to_a_statement(self):
        statement = self.env["account.bank.statement"].create({"name": "S", "balance_start": 10.0})
        self.assertSameAsOdoo([{**one, "statement_id": statement.id} for one in self.some_lines()])

    def test_stored_fields_that_a_user_has_added(self):
        self.addCleanup(self.registry.reset_changes)
        for model, name, depends, compute in (
            ("account.move.line", "x_item", "debit, partner_id", "record.debit * 2 + record.partner_id.id"),
            ("account.move", "x_entry", "amount_total", "record.amount_total + 1"),
            ("account.bank.statement.line", "x_line", "payment_ref", "len(record.payment_ref)"),
        ):
            self.env["ir.model.fields"].create(
                {
                    "model_id": self.env["ir.model"]._get_id(model),
                    "name": name,
                    "field_description": name,
                    "ttype": "float",
                    "store": True,
                    "depends": depends,
                    "compute": f"for record in self: record[{name!r}] = {compute}",
                }
            )
        values = self.some_lines()
        self.assertSameAsOdoo(values)
        lines = self.env["account.bank.statement.line"].sudo().with_context(**{BULK: Bulk()}).create(values)
        self.assertEqual(lines[7].x_line, len(values[7]["payment_ref"]))

    def test_defaults_that_a_user_has_set(self):
        self.env["ir.default"].set("account.move", "narration", "<p>By default</p>")
        self.assertSameAsOdoo(self.some_lines())
