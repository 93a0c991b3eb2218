from datetime import date
from unittest.mock import patch

from odoo import api, fields
from odoo.addons.account.models import account_move, account_move_line
from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ..books.writer import BULK, numbers
from ..books.writer.bulk import MIN_LINES, Bulk
from ..books.writer.rows import Rows

LINE, MOVE, ITEM = "account.bank.statement.line", "account.move", "account.move.line"


@tagged("post_install", "-at_install")
class TestWriterFallback(AccountTestInvoicingCommon):
    """Other addons' work is done, and what the bulk writer does not cover goes through Odoo, with the reason."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={})
        cls.journal = cls.company_data["default_journal_bank"]

    def setUp(self):
        super().setUp()
        self.bulk = Bulk()

    def values(self, count=30, **values):
        return [
            {
                "journal_id": self.journal.id,
                "date": date(2026, 5, 1 + number // 2),
                "amount": 10.0 + number,
                "payment_ref": f"Line {number}",
                **values,
            }
            for number in range(count)
        ]

    def create_lines(self, values=None, env=None):
        Line = (env or self.env)[LINE].with_context(**{BULK: self.bulk})
        lines = Line.create(values or self.values()).with_env(env or self.env)
        self.env.flush_all()
        return lines

    def extend(self, model, name, method):
        """What an addon does that is loaded after ours: its method is the first one in the MRO."""
        self.startPatcher(patch.object(self.registry[model], name, method, create=True))

    def assertComplete(self, lines, count=30):
        self.assertEqual(lines.mapped("amount"), [10.0 + number for number in range(count)])
        self.assertEqual(set(lines.mapped("state")), {"posted"})
        self.assertEqual(len(set(lines.mapped("name"))), count)
        self.assertEqual(len(lines.line_ids), 2 * count)

    # -------------------------------------------------------------------------
    # WORK OF OTHER ADDONS THAT IS DONE
    # -------------------------------------------------------------------------

    def test_create_of_another_addon_sees_every_line(self):
        original, seen = self.registry[LINE].create, []

        @api.model_create_multi
        def create(model, vals_list):
            lines = original(model, vals_list)
            seen.extend(lines.mapped("payment_ref"))
            return lines

        self.extend(LINE, "create", create)
        self.create_lines()
        self.assertEqual(seen, [f"Line {number}" for number in range(30)])
        self.assertIsNone(self.bulk.reason)

    def test_values_that_another_addon_adds_are_stored(self):
        original = self.registry[LINE].create

        @api.model_create_multi
        def create(model, vals_list):
            return original(model, [{**values, "transaction_type": values["payment_ref"][-1]} for values in vals_list])

        self.extend(LINE, "create", create)
        self.assertEqual(self.create_lines()[7].transaction_type, "7")
        self.assertIsNone(self.bulk.reason)

    def test_posting_of_another_addon_sees_drafts_before_and_posted_entries_after(self):
        original, seen = self.registry[MOVE]._post, []

        def _post(moves, soft=True):
            before = set(moves.mapped("state"))
            posted = original(moves, soft)
            seen.append((len(moves), before, set(posted.mapped("state")), all(posted.mapped("name"))))
            return posted

        self.extend(MOVE, "_post", _post)
        self.assertComplete(self.create_lines())
        # Why two: the pilot is posted separately.
        self.assertEqual(seen, [(1, {"draft"}, {"posted"}, True), (29, {"draft"}, {"posted"}, True)])
        self.assertIsNone(self.bulk.reason)

    def test_create_and_write_of_entries_and_items_are_called(self):
        seen = []
        for model, name in ((MOVE, "create"), (ITEM, "create")):
            self.extend(model, name, self.noting(self.registry[model].create, seen, model))
        original = self.registry[MOVE].write

        def write(moves, vals):
            if "state" in vals:
                seen.append(("posted", len(moves)))
            return original(moves, vals)

        self.extend(MOVE, "write", write)
        self.assertComplete(self.create_lines())
        self.assertEqual(seen[3:], [(MOVE, 29), (ITEM, 58), ("posted", 29)])
        self.assertIsNone(self.bulk.reason)

    def test_other_addons_see_each_entry_receive_its_line(self):
        original, seen = self.registry[MOVE].write, []

        def write(moves, vals):
            if "statement_line_id" in vals:
                seen.append((moves.id, vals["statement_line_id"], vals["name"]))
            return original(moves, vals)

        self.extend(MOVE, "write", write)
        lines = self.create_lines()
        self.assertEqual(seen, [(line.move_id.id, line.id, False) for line in lines])
        self.assertComplete(lines)
        self.assertIsNone(self.bulk.reason)

    @staticmethod
    def noting(original, seen, name):
        @api.model_create_multi
        def create(model, vals_list):
            records = original(model, vals_list)
            seen.append((name, len(records)))
            return records

        return create

    def test_a_field_that_another_addon_computes_otherwise_is_computed_by_it(self):
        original = self.registry[MOVE]._compute_amount

        def _compute_amount(moves):
            original(moves)
            for move in moves:
                move.amount_total_signed += 1000

        self.extend(MOVE, "_compute_amount", _compute_amount)
        lines = self.create_lines()
        self.assertEqual(lines.mapped("move_id.amount_total_signed"), [1010.0 + number for number in range(30)])
        self.assertIsNone(self.bulk.reason)

    def extend_seeing(self, model, name):
        """Let another addon extend a method without changing what it does.

        :return: set of the ids of the records that it will have been called for
        """
        original, seen = getattr(self.registry[model], name), set()

        def method(records, *arguments, **options):
            seen.update(records.ids)
            return original(records, *arguments, **options)

        self.extend(model, name, method)
        return seen

    def test_steps_of_odoo_that_do_nothing_are_taken_where_another_addon_extends_them(self):
        for model, name, reached in (
            (MOVE, "_creation_message", "move_id"),
            (LINE, "_synchronize_to_moves", "move_id.statement_line_id"),
            (LINE, "write", "move_id.statement_line_id"),
            (ITEM, "_prepare_analytic_lines", "line_ids"),
            (ITEM, "_related_analytic_distribution", "line_ids"),
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.bulk = Bulk()
                seen = self.extend_seeing(model, name)
                lines = self.create_lines()
                self.assertIsNone(self.bulk.reason)
                self.assertLessEqual(set(lines.mapped(reached).ids), seen)
                savepoint.rollback()

    def test_an_extended_method_that_computations_use_is_called_for_every_line(self):
        for model, name, reached in (
            (MOVE, "_is_user_able_to_review", "move_id"),
            (MOVE, "_prepare_product_base_line_for_taxes_computation", "move_id"),
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.bulk = Bulk()
                seen = self.extend_seeing(model, name)
                lines = self.create_lines()
                self.assertIsNone(self.bulk.reason)
                self.assertLessEqual(set(lines.mapped(reached).ids), seen)
                savepoint.rollback()

    def test_questions_that_odoo_asks_for_the_first_entry_alone_are_no_reason(self):
        self.extend_seeing(MOVE, "_get_starting_sequence")
        self.extend_seeing(MOVE, "_get_message_create_ignore_field_names")
        self.extend_seeing(MOVE, "_get_protected_vals")
        self.assertComplete(self.create_lines())
        self.assertIsNone(self.bulk.reason)

    def test_what_other_addons_write_into_new_entries_is_not_tracked(self):
        original = self.registry[MOVE]._post

        def _post(moves, soft=True):
            moves.write({"invoice_origin": "Another addon"})
            return original(moves, soft)

        self.extend(MOVE, "_post", _post)
        lines = self.create_lines()
        self.env.cr.precommit.run()
        self.assertEqual(set(lines.mapped("move_id.invoice_origin")), {"Another addon"})
        self.assertEqual({len(move.message_ids) for move in lines.move_id}, {1})
        self.assertIsNone(self.bulk.reason)

    def test_a_false_that_another_addon_computes_is_stored_as_odoo_stores_it(self):
        original = self.registry[ITEM]._compute_is_storno

        def _compute_is_storno(items):
            original(items)

        self.extend(ITEM, "_compute_is_storno", _compute_is_storno)
        lines = self.create_lines()
        self.env.cr.execute("SELECT DISTINCT is_storno FROM account_move_line WHERE id IN %s", [lines.line_ids._ids])
        self.assertEqual(self.env.cr.fetchall(), [(False,)])
        self.assertIsNone(self.bulk.reason)

    def test_computations_of_fields_that_are_not_stored_are_not_a_reason(self):
        original = self.registry[MOVE]._compute_needed_terms

        def _compute_needed_terms(moves):
            moves.filtered(lambda move: move.is_invoice())
            original(moves)

        self.extend(MOVE, "_compute_needed_terms", _compute_needed_terms)
        self.assertComplete(self.create_lines())
        self.assertIsNone(self.bulk.reason)

    def test_computed_fields_of_records_that_lines_refer_to_are_computed(self):
        self.addCleanup(self.registry.reset_changes)
        partner = self.env["res.partner"].create({"name": "With a total"})
        # Why lines before: what is remembered of the models then must not be what counts afterwards.
        self.create_lines(self.values(partner_id=partner.id))
        self.bulk = Bulk()
        for name, options in (
            ("x_items", {"ttype": "one2many", "relation": ITEM, "relation_field": "partner_id"}),
            (
                "x_total",
                {
                    "ttype": "float",
                    "store": True,
                    "depends": "x_items.debit",
                    "compute": "for record in self: record['x_total'] = sum(record.x_items.mapped('debit'))",
                },
            ),
        ):
            model_id = self.env["ir.model"]._get_id("res.partner")
            described = {"model_id": model_id, "name": name, "field_description": name}
            self.env["ir.model.fields"].create({**described, **options})
        lines = self.create_lines(self.values(partner_id=partner.id))
        self.assertEqual(partner.x_total, 2 * sum(lines.mapped("amount")))
        self.assertIsNone(self.bulk.reason)

    def test_trees_of_triggers_are_merged_once_for_all_imports(self):
        self.create_lines()
        with patch.object(self.registry, "get_trigger_tree", side_effect=AssertionError("merged again")):
            again = self.env[LINE]._others_triggers((MOVE, LINE, ITEM))
        self.assertIs(again, self.env[LINE]._others_triggers((MOVE, LINE, ITEM)))

    def test_constraints_of_other_addons_are_checked(self):
        @api.constrains("payment_ref")
        def _check_label(lines):
            if "Line 17" in lines.mapped("payment_ref"):
                raise ValidationError(lines.env._("Not this one."))

        checks = [*self.env[LINE]._constraint_methods, _check_label]
        self.startPatcher(patch.object(self.registry[LINE], "_constraint_methods", checks))
        with self.assertRaisesRegex(ValidationError, "Not this one"):
            self.create_lines()

    # -------------------------------------------------------------------------
    # WHAT GOES THROUGH ODOO
    # -------------------------------------------------------------------------

    def test_what_would_be_skipped_goes_through_odoo(self):
        original, seen = self.registry[MOVE]._message_log_batch, []

        def _message_log_batch(moves, *arguments, **options):
            seen.extend(moves.ids)
            return original(moves, *arguments, **options)

        self.extend(MOVE, "_message_log_batch", _message_log_batch)
        lines = self.create_lines()
        self.assertComplete(lines)
        self.assertEqual(set(lines.move_id.ids), set(seen))
        self.assertIn("account.move._message_log_batch", self.bulk.reason)

    def test_methods_of_another_addon_behind_ours_go_through_odoo(self):
        """As account_edi's, which is loaded before our addon."""
        for core, name in ((account_move.AccountMove, "_post"), (account_move_line.AccountMoveLine, "create")):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.bulk = Bulk()
                original, seen = getattr(core, name), []

                def method(records, *arguments, _original=original, _seen=seen, **options):
                    _seen.append(1)
                    return _original(records, *arguments, **options)

                if name == "create":
                    method = api.model_create_multi(method)
                with patch.object(core, name, method):
                    lines = self.create_lines()
                self.assertComplete(lines)
                self.assertTrue(seen)
                self.assertIn(name, self.bulk.reason)
                savepoint.rollback()

    def test_a_method_that_odoo_does_not_call_for_the_pilot_goes_through_odoo(self):
        partner = self.env["res.partner"].create({"name": "Of one line only"})
        values = self.values(partner_id=False)
        values[17]["partner_id"] = partner.id
        seen = self.extend_seeing(MOVE, "_inverse_partner_id")
        lines = self.create_lines(values)
        self.assertComplete(lines)
        self.assertIn(lines[17].move_id.id, seen)
        self.assertIn("account.move._inverse_partner_id", self.bulk.reason)

    def test_a_method_called_for_every_computed_field_goes_through_odoo(self):
        """As base_automation does for a rule on changes."""
        seen = self.extend_seeing(MOVE, "_compute_field_value")
        lines = self.create_lines()
        self.assertComplete(lines)
        self.assertLessEqual(set(lines.move_id.ids), seen)
        self.assertIn("follows every computed field of account.move", self.bulk.reason)

    def test_analytic_distributions_by_another_addon_go_through_odoo(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        account = self.env["account.analytic.account"].create({"name": "Account", "plan_id": plan.id})

        def _related_analytic_distribution(item):
            return {str(account.id): 100.0} if item.name == "Line 17" else {}

        self.extend(ITEM, "_related_analytic_distribution", _related_analytic_distribution)
        lines = self.create_lines()
        self.assertComplete(lines)
        self.assertEqual(lines[17].line_ids.mapped("analytic_distribution"), 2 * [{str(account.id): 100.0}])
        self.assertIn("analytically", self.bulk.reason)

    def test_messages_that_differ_go_through_odoo(self):
        original = self.registry[MOVE]._creation_message
        self.extend(MOVE, "_creation_message", lambda move: f"{original(move)} {move.ref or ''}")

        with_refs = [{**values, "ref": f"R{number}"} for number, values in enumerate(self.values())]
        lines = self.create_lines(with_refs)
        self.assertIn("R17", lines[17].move_id.message_ids.body)
        self.assertIn("different messages", self.bulk.reason)

    def test_what_odoo_stores_otherwise_goes_through_odoo(self):
        original = Rows.move

        def move(*arguments):
            return {**original(*arguments), "amount_total": "7.00"}

        with patch.object(Rows, "move", move):
            lines = self.create_lines()
        self.assertComplete(lines)
        self.assertEqual(lines[3].amount_total, 13)
        self.assertIn("amount_total", self.bulk.reason)

    def test_a_number_that_another_transaction_has_taken(self):
        self.create_lines(self.values(1))
        with patch.object(numbers._Period, "draw", lambda period: numbers.Name("BNK1/2026/00001", "BNK1/2026/", 1)):
            lines = self.create_lines()
        self.assertComplete(lines)
        self.assertIn("unique", self.bulk.reason)

    def test_nothing_that_the_bank_said_is_logged_or_kept_as_a_reason(self):
        self.create_lines(self.values(1))
        draw = patch.object(numbers._Period, "draw", lambda period: numbers.Name("BNK1/2026/00001", "BNK1/2026/", 1))
        with (
            draw,
            self.assertNoLogs("odoo.sql_db"),
            self.assertLogs("odoo.addons.account_online_synchronization") as logs,
        ):
            self.create_lines()
        self.assertNotIn("Line 17", f"{logs.output}{self.bulk.reason}")

    def test_reasons_that_the_values_show(self):
        yen = self.env.ref("base.JPY")
        yen.active = True
        for reason, values in (
            ("narration", {"narration": "<p>x</p>"}),
            ("more decimals", {"amount": 1.005}),
            ("more decimals", {"foreign_currency_id": yen.id, "amount_currency": 7.5}),
        ):
            with self.subTest(reason, **values), self.env.cr.savepoint() as savepoint:
                self.bulk = Bulk()
                self.assertEqual(len(self.create_lines(self.values(**values))), 30)
                self.assertIn(reason, self.bulk.reason)
                savepoint.rollback()

    def test_what_odoo_refuses_is_refused(self):
        franc, yen = self.env.ref("base.CHF"), self.env.ref("base.JPY")
        franc.active = True
        for reason, values in (
            ("half of a foreign amount", {"foreign_currency_id": franc.id, "amount": 0.0, "amount_currency": 0.0}),
            ("not active", {"foreign_currency_id": yen.id, "amount_currency": 7.0}),
        ):
            with self.subTest(reason), self.env.cr.savepoint() as savepoint:
                self.bulk = Bulk()
                with self.assertRaises(UserError):
                    self.create_lines(self.values(**values))
                self.assertIn(reason, self.bulk.reason)
                savepoint.rollback()

    def test_a_journal_that_secures_its_entries(self):
        self.journal.restrict_mode_hash_table = True
        with self.assertRaisesRegex(UserError, "inalterability"):
            self.create_lines()
        self.assertIn("hash", self.bulk.reason)

    def test_days_in_a_locked_period_are_odoos_matter(self):
        self.journal.company_id.fiscalyear_lock_date = date(2026, 5, 5)
        lines = self.create_lines()
        self.assertGreater(min(lines.mapped("date")), date(2026, 5, 5))
        self.assertIn("locked", self.bulk.reason)

    def test_a_few_lines_are_created_as_ever(self):
        with patch.object(Rows, "move", side_effect=AssertionError):
            self.assertComplete(self.create_lines(self.values(MIN_LINES - 1)), MIN_LINES - 1)
        self.assertIsNone(self.bulk.reason)

    # -------------------------------------------------------------------------
    # AFTERWARDS
    # -------------------------------------------------------------------------

    def test_odoo_goes_on_counting_where_the_batch_ended(self):
        last = self.create_lines()[-1]
        following = self.env[LINE].create(self.values(1, date=date(2026, 5, 30)))
        self.assertEqual(following.move_id.sequence_number, last.move_id.sequence_number + 1)
        self.assertFalse(following.move_id.made_sequence_gap)

    def test_lines_can_be_worked_with_as_any_other(self):
        line = self.create_lines()[12]
        account = self.company_data["default_account_revenue"]
        line.move_id.button_draft()
        line.line_ids.filtered(lambda item: item.account_id == self.journal.suspense_account_id).account_id = account
        line.move_id.action_post()
        self.assertTrue(line.is_reconciled)
        line.action_undo_reconciliation()
        line.amount = 99.0
        self.assertEqual(line.line_ids.mapped("balance"), [99.0, -99.0])

    def test_what_is_changed_later_in_the_same_transaction_is_not_tracked(self):
        line = self.create_lines()[3]
        line.move_id.ref = "Changed"
        self.env.cr.precommit.run()
        self.assertFalse(line.move_id.message_ids.tracking_value_ids)

    def test_who_may_not_create_entries_may_not_here(self):
        user = new_test_user(self.env, "nobody", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.create_lines(env=self.env(user=user))

    def test_create_date_is_the_transactions(self):
        lines = self.create_lines()
        self.assertEqual(len(set(lines.mapped("create_date"))), 1)
        self.assertLessEqual(lines[0].create_date, fields.Datetime.now())
