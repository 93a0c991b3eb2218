from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ReconcileCommon


@tagged("post_install", "-at_install")
class TestBesideEnterprise(ReconcileCommon):
    """Where the app *Accounting* is installed, which reconciles automatically, ours does nothing. None of its code is
    needed here, only the record that says that it is installed."""

    def setUp(self):
        super().setUp()
        self.pending = self.line(100, self.document(100).name)
        self.proposal = self.find(self.pending)
        self.switch_on()
        modules = self.env["ir.module.module"].sudo()
        module = modules.search([("name", "=", "account_accountant")]) or modules.create({"name": "account_accountant"})
        module.state = "installed"
        self.env.registry.clear_cache("stable")
        self.addCleanup(self.env.registry.clear_cache, "stable")

    def test_nothing_is_proposed_or_booked(self):
        new = self.line(50, self.document(50).name)
        with self.enter_registry_test_mode():
            self.env.ref("account_online_reconcile.ir_cron_reconcile").method_direct_trigger()
        self.journal._reconcile_after_import()
        self.assertFalse(self.Decision.search([("statement_line_id", "=", new.id)]))
        self.assertFalse(self.pending.is_reconciled)

    def test_what_was_proposed_before_is_not_booked(self):
        for action in (
            self.proposal.action_accept,
            self.journal.action_find_counterparts,
            lambda: self.pending.reconcile_accept(self.proposal.id),
            lambda: self.pending.reconcile_accept_all(),
            lambda: self.pending.reconcile_book([]),
        ):
            with self.assertRaises(UserError) as refused:
                action()
            self.assertIn("The app “Accounting”", str(refused.exception))
        self.assertFalse(self.pending.is_reconciled)

    def test_the_screen_says_so_and_buttons_lead_elsewhere(self):
        self.assertIn("The app “Accounting”", self.pending.reconcile_read()["why_not"])
        self.assertNotEqual(
            (self.journal._get_reconciliation_action() or {}).get("xml_id"),
            "account_online_reconcile.account_bank_statement_line_action_reconcile",
        )
