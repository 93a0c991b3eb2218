from odoo import api, fields, models
from odoo.addons.account_online_synchronization.models.server_fields import as_server
from odoo.exceptions import AccessError, UserError, ValidationError

from ..books.read import JournalReader
from ..matching.decide import decide
from ..matching.replay import compare


class AccountJournal(models.Model):
    _inherit = "account.journal"

    reconcile_automatically = fields.Boolean(
        string="Book Automatically",
        copy=False,
        help="Bank lines with exactly one counterpart, whose amount and reference or partner agree, are booked without "
        "asking. Everything else is proposed.",
    )
    reconcile_charges_limit = fields.Float(
        string="Bank Charges up to",
        copy=False,
        help="A payment with a reference may be this much less than its document; the difference is booked as bank "
        "charges.",
    )
    reconcile_charges_account_id = fields.Many2one(
        "account.account",
        string="Account for Bank Charges",
        copy=False,
        check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost', 'expense_other'))]",
    )
    reconcile_dry_run_at = fields.Datetime(string="Dry Run On", readonly=True, copy=False)
    reconcile_dry_run_total = fields.Integer(string="Lines of the Past Year", readonly=True, copy=False)
    reconcile_dry_run_alike = fields.Integer(string="Booked as You Did", readonly=True, copy=False)
    reconcile_dry_run_different = fields.Integer(string="Booked Differently", readonly=True, copy=False)

    # -------------------------------------------------------------------------
    # CONSTRAINT METHODS
    # -------------------------------------------------------------------------

    @api.constrains("reconcile_automatically")
    def _check_reconcile_automatically(self):
        for journal in self:
            if journal.reconcile_automatically and not journal.reconcile_dry_run_at:
                raise ValidationError(
                    self.env._(
                        "First do a dry run of “%s”: it shows what would have been booked automatically in the past "
                        "year. Then switch automatic booking on.",
                        journal.name,
                    )
                )

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_find_counterparts(self):
        """Look for what the open lines pay; book what is certain, where that is switched on.

        :return: action that shows the proposals
        """
        self._check_may_reconcile()
        # sudo: the group, and access to the journals, were checked above
        as_server(self)._reconcile_lines()
        return self.action_open_reconciliation()

    def action_open_reconciliation(self):
        """:return: action that shows proposals and bookings of these journals"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_reconcile.account_reconcile_decision_action"
        )
        return {**action, "domain": [("journal_id", "in", self.ids)]}

    def action_reconcile(self):
        """*Reconcile*: the journal's open lines, with what was found for them."""
        self.ensure_one()
        self.check_access("read")
        return self._get_reconciliation_action()

    def action_reconcile_dry_run(self):
        """Compare what would have been booked automatically in the past with what was booked. Changes nothing else."""
        self._check_may_reconcile()
        # sudo: the group, and access to the journals, were checked above
        for journal in as_server(self):
            reader = JournalReader(journal)
            lines, books, booked = reader.past()
            outcome = compare(decide(lines, books, reader.policy(is_automatic=True)), booked)
            journal.write(
                {
                    "reconcile_dry_run_at": fields.Datetime.now(),
                    "reconcile_dry_run_total": outcome.total,
                    "reconcile_dry_run_alike": len(outcome.alike),
                    "reconcile_dry_run_different": len(outcome.different),
                }
            )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _check_may_reconcile(self):
        """:raise AccessError: where the user may not reconcile in these journals"""
        if not self.env.user.has_group("account.group_account_basic"):
            raise AccessError(self.env._("Only accountants book bank lines. Please ask one of them."))
        self.check_access("read")
        self.env["account.bank.statement.line"].check_access("write")
        if self.env["account.reconcile.decision"]._is_left_to_enterprise():
            raise UserError(self.env._("The app “Accounting” reconciles bank lines in this database."))

    def _get_reconciliation_action(self, lines=None):
        """Our screen; see the extension point in ``account_online_synchronization``."""
        self.ensure_one()
        if self.env["account.reconcile.decision"]._is_left_to_enterprise():
            return super()._get_reconciliation_action(lines)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_reconcile.account_bank_statement_line_action_reconcile"
        )
        context = {"default_journal_id": self.id, "search_default_not_reconciled": True}
        if lines is not None:
            context["reconcile_line_id"] = lines[:1].id
        return {
            **action,
            "display_name": self.env._("Reconcile %s", self.display_name),
            "domain": [("journal_id", "=", self.id)],
            "context": context,
        }

    @api.model
    def _cron_reconcile(self):
        if self.env["account.reconcile.decision"]._is_left_to_enterprise():
            return
        journals = self.search([("reconcile_automatically", "=", True), ("type", "in", ("bank", "credit"))])
        self.env["ir.cron"]._commit_progress(remaining=len(journals))
        for journal in journals:
            journal._reconcile_lines()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _reconcile_lines(self):
        for journal in self.filtered(lambda journal: journal.type in ("bank", "credit", "cash")):
            self.env["account.reconcile.decision"]._drop_outdated(journal)
            reader = JournalReader(journal)
            policy = reader.policy(journal.reconcile_automatically)
            found = decide(reader.lines(), reader.books(), policy)
            stored = self.env["account.reconcile.decision"]._store(list(found.values()))
            for decision in stored.filtered("is_automatic"):
                decision._book_if_possible()
