from collections import Counter, defaultdict
from itertools import permutations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from odoo.addons.account_online_synchronization.tests.common import THOROUGH
from odoo.addons.account_online_synchronization.tests.doors_audit import Audit
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ReconcileCommon
from .machine import ReconcileMachine

SETTINGS = settings(
    max_examples=100 if THOROUGH else 12,
    stateful_step_count=30 if THOROUGH else 20,
    derandomize=not THOROUGH,
    # Why: to make a failing sequence shorter takes many minutes.
    phases=[Phase.generate, *([Phase.shrink] if THOROUGH else [])],
    report_multiple_bugs=False,
    print_blob=THOROUGH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
#: The trail itself, and what Odoo writes about changes: they are there to stay.
TRAIL = {"account_reconcile_decision", "mail_message", "mail_tracking_value", "mail_message_res_partner_rel"}
#: Columns that say when a row was written, or are its number.
VOLATILE = {"id", "write_date", "write_uid", "create_date", "create_uid"}


@tagged("post_install", "-at_install")
class TestReconcileMachine(ReconcileCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.journal.copy({"name": "Savings"})
        cls.journal.bank_acc_number = "BE71096123456769"
        cls.other.bank_acc_number = "BE02001234567840"

    # -------------------------------------------------------------------------
    # ANY ORDER OF STEPS
    # -------------------------------------------------------------------------

    def prepare_other_books(self):
        """Another currency, a tax that is due when it is paid, a branch, and another company."""
        self.franc = self.setup_other_currency("CHF", rates=[("2026-01-01", 2.0)])
        self.company.tax_exigibility = True
        account = self.company_data["default_account_expense"]
        transition = account.copy({"code": "199999", "account_type": "liability_current", "reconcile": True})
        self.cash_tax = self.env["account.tax"].create(
            {
                "name": "Due when paid",
                "amount": 50,
                "type_tax_use": "sale",
                "tax_exigibility": "on_payment",
                "cash_basis_transition_account_id": transition.id,
            }
        )
        other = self.setup_other_company()
        self.stranger, self.banks = other["company"], {other["company"]: other["default_journal_bank"]}
        self.branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= self.branch
        journals = self.env["account.journal"].with_context(allowed_company_ids=[self.branch.id, self.company.id])
        self.banks[self.branch] = journals.create(
            {
                "name": "Branch Bank",
                "type": "bank",
                "code": "BRB",
                "suspense_account_id": self.journal.suspense_account_id.id,
            }
        )

    def test_the_books_stay_correct_for_any_actions_in_any_order(self):
        self.prepare_other_books()
        with mute_logger("odoo.addons.account_online_reconcile.models.account_reconcile_decision"):
            machine = type("Machine", (ReconcileMachine,), {"case": self, "done": Counter()})
            run_state_machine_as_test(machine, settings=SETTINGS)
        for happened in ("accepted", "undone", "matched by hand", "reset", "refused"):
            self.assertGreater(machine.done[happened], 2, f"{happened}: {machine.done}")

    # -------------------------------------------------------------------------
    # UNDO
    # -------------------------------------------------------------------------

    def different(self, changes):
        """:return: texts: what is not as it was, in every table but those of the trail"""
        first, last = {}, {}
        for change in changes:
            row = change.old or change.new
            key = change.table, row.get("id") or repr(row)
            first.setdefault(key, change.old)
            last[key] = change.new
        gone, come = self._rows(first), self._rows(last)
        return [f"gone: {row}" for row in gone - come] + [f"come: {row}" for row in come - gone]

    def _rows(self, found):
        """:return: Counter of texts of rows, without volatile and empty columns"""
        rows = Counter()
        for (table, _id), row in found.items():
            if row is not None and table not in TRAIL:
                kept = {name: value for name, value in row.items() if value is not None and name not in VOLATILE}
                rows[f"{table} {sorted(kept.items())}"] += 1
        return rows

    def assert_undo_restores(self, line):
        decision = self.find(line)
        self.assertEqual(len(decision), 1)
        self.env.flush_all()
        audit = Audit(self.env.cr)
        decision.action_accept()
        self.env.flush_all()
        booked = audit.changes()
        self.assertTrue(line.is_reconciled)
        self.assertTrue(self.different(booked), "a booking changes something")
        decision.action_undo()
        self.env.flush_all()
        self.assertFalse(self.different(booked + audit.changes()))

    def test_undo_restores_every_row_of_every_table_of_a_paid_invoice(self):
        self.assert_undo_restores(self.line(100, self.document(100).name))

    def test_undo_restores_every_row_of_every_table_of_a_part(self):
        self.assert_undo_restores(self.line(40, self.document(100).name))

    def test_undo_restores_every_row_of_every_table_of_several_documents(self):
        moves = [self.document(100), self.document(50), self.document(30, "out_refund")]
        self.assert_undo_restores(self.line(120, " ".join(move.name for move in moves)))

    def test_undo_restores_every_row_of_every_table_of_a_transfer(self):
        line = self.line(-500, "To savings", account_number=self.other.bank_acc_number)
        self.line(500, "From current account", self.other)
        self.assert_undo_restores(line)

    # -------------------------------------------------------------------------
    # AUDIT TRAIL
    # -------------------------------------------------------------------------

    def messages(self, line):
        self.env.flush_all()
        # Odoo writes them when a transaction ends.
        self.env.cr.precommit.run()
        on_the_entry = [("model", "=", "account.move"), ("res_id", "=", line.move_id.id)]
        return self.env["mail.message"].search_count(on_the_entry)

    def test_the_audit_trail_keeps_what_a_booking_and_its_undo_changed(self):
        self.company.restrictive_audit_trail = True
        line = self.line(100, self.document(100).name)
        decision = self.find(line).with_context(tracking_disable=False, mail_notrack=False)
        before = self.messages(line)
        decision.action_accept()
        booked = self.messages(line)
        self.assertGreater(booked, before)
        decision.action_undo()
        self.assertGreater(self.messages(line), booked)

    # -------------------------------------------------------------------------
    # ORDER OF LINES
    # -------------------------------------------------------------------------

    def outcome(self, lines):
        """:param lines: list of (amount, label, partner) in the order in which the bank reports them
        :return: dict from a label to what has become of its line"""
        with self.env.cr.savepoint() as savepoint:
            made = [self.line(amount, label, partner_id=partner) for amount, label, partner in lines]
            found = defaultdict(list)
            for decision in self.find(*made):
                found[decision.label].append((decision.state, decision.step, decision.what, decision.is_automatic))
            states = {line.payment_ref: (line.is_reconciled, sorted(found[line.payment_ref])) for line in made}
            self.env.flush_all()
            savepoint.rollback()
            self.env.invalidate_all(flush=False)
        return states

    def test_the_order_of_the_lines_does_not_change_what_is_booked(self):
        self.switch_on()
        first, second, third = (self.document(amount) for amount in (100, 100, 60))
        self.document(80, "in_invoice", self.partner_b, ref="SUP-1")
        lines = [
            (100, f"{first.name} a", False),
            (100, f"{first.name} b", False),
            (160, f"{second.name} {third.name}", False),
            (60, "Thank you", self.partner_a.id),
            (-80, "SUP-1", False),
        ]
        outcomes = [self.outcome(order) for order in list(permutations(lines))[::13]]
        self.assertTrue(any(is_booked for is_booked, _found in outcomes[0].values()))
        self.assertTrue(any(not is_booked for is_booked, _found in outcomes[0].values()))
        for outcome in outcomes[1:]:
            self.assertEqual(outcome, outcomes[0])
