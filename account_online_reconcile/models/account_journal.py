from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError, ValidationError

from ..books.read import JournalReader
from ..matching.decide import decide
from ..matching.facts import PROPOSAL
from ..matching.replay import compare

#: Bookings per transaction of the scheduled action.
BOOKED_TOGETHER = 20
#: Maximum number of bookings for which a user waits.
BOOKED_AT_ONCE = 200
#: Maximum number of open lines and of documents for a search as part of an import. Why so few: more of either would
#: take more than a fifth of the time of the import (docs/performance.md).
MOST_LINES, MOST_DOCUMENTS = 19, 100
#: The scheduled action searches again in journals with lines that were created within this time.
RECENT = timedelta(hours=3)


class AccountJournal(models.Model):
    _inherit = "account.journal"

    reconcile_automatically = fields.Boolean(
        string="Book Automatically",
        copy=False,
        help="Bank lines with exactly one counterpart, whose amount and reference or partner agree, are booked without "
        "asking. Everything else is proposed.",
    )
    reconcile_limit = fields.Float(
        string="Automatically up to",
        copy=False,
        help="Larger payments, in or out, are only proposed. 0 means no limit. In the currency of the journal.",
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
        """Search counterparts of the open lines; book certain ones, if that is enabled.

        :return: action that shows the proposals
        """
        self._check_may_reconcile()
        self._check_own_company()
        # sudo: the group, and access to the journals, were checked above
        for journal in as_server(self)._with_bank_lines():
            journal._book_certain(journal._find_counterparts())
        return self.action_open_reconciliation()

    def action_open_reconciliation(self):
        """:return: action that shows proposals and bookings of these journals"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_reconcile.account_reconcile_decision_action"
        )
        return {**action, "domain": [("journal_id", "in", self.ids)]}

    def action_reconcile(self):
        """*Reconcile*: the journal's open lines with their proposals."""
        self.ensure_one()
        self.check_access("read")
        return self._get_reconciliation_action()

    def action_reconcile_dry_run(self):
        """Compare what would have been booked automatically in the past with what was booked. Changes nothing else."""
        self._check_may_reconcile()
        self._check_own_company()
        # sudo: the group, and access to the journals, were checked above
        for journal in as_server(self):
            reader = JournalReader(journal)
            policy, decisions, booked = reader.policy(is_automatic=True), {}, {}
            for lines, books, documents in reader.past():
                decisions.update(decide(lines, books, policy))
                booked.update(documents)
            outcome = compare(decisions, booked)
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
        self.env["account.reconcile.decision"]._check_not_left_to_enterprise()

    def _get_reconciliation_action(self, lines=None):
        """This addon's screen; see the extension point in ``account_online_synchronization``."""
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
        """Search counterparts in journals that book automatically or have recent lines; book certain ones."""
        if self.env["account.reconcile.decision"]._is_left_to_enterprise():
            return
        cron = self.env["ir.cron"]
        journals = self._search_to_reconcile()
        cron._commit_progress(remaining=len(journals))
        for position, journal in enumerate(journals, 1):
            decisions = journal._find_counterparts()
            has_time = cron._commit_progress(1)
            while decisions and has_time:
                batch, decisions = decisions[:BOOKED_TOGETHER], decisions[BOOKED_TOGETHER:]
                batch._book_if_possible()
                # Why so often: the locks on these documents block other users until the commit.
                has_time = cron._commit_progress(remaining=len(journals) - position + bool(decisions))
            if not has_time:
                break

    def _search_to_reconcile(self):
        recent = self.env["account.bank.statement.line"]._read_group(
            [("is_reconciled", "=", False), ("create_date", ">=", fields.Datetime.now() - RECENT)], ["journal_id"]
        )
        automatic = self.search([("reconcile_automatically", "=", True)])
        return (automatic | self.union(*(journal for (journal,) in recent)))._with_bank_lines()

    def _reconcile_after_import(self):
        """Propose immediately if that is fast. The scheduled action, which is triggered, does the rest and books, so
        that documents locked by other users delay neither the import nor the waiting user."""
        if self.env["account.reconcile.decision"]._is_left_to_enterprise():
            return
        is_left = False
        for journal in self._with_bank_lines():
            is_small = journal._is_quickly_searched()
            is_left |= not is_small or bool(journal._find_counterparts())
        if is_left:
            self.env.ref("account_online_reconcile.ir_cron_reconcile")._trigger()

    def _is_quickly_searched(self):
        lines = [("journal_id", "=", self.id), ("is_reconciled", "=", False)]
        # The other side of a transfer is searched among them.
        other_lines = [
            ("company_id", "=", self.company_id.id),
            ("journal_id", "!=", self.id),
            ("is_reconciled", "=", False),
        ]
        documents = [
            ("company_id", "=", self.company_id.id),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("account_type", "in", ("asset_receivable", "liability_payable")),
        ]
        Line = self.env["account.bank.statement.line"]
        return (
            Line.search_count(lines, limit=MOST_LINES + 1) <= MOST_LINES
            and Line.search_count(other_lines, limit=MOST_DOCUMENTS + 1) <= MOST_DOCUMENTS
            and self.env["account.move.line"].search_count(documents, limit=MOST_DOCUMENTS + 1) <= MOST_DOCUMENTS
        )

    def _with_bank_lines(self):
        return self.filtered(lambda journal: journal.type in ("bank", "credit", "cash"))

    def _find_counterparts(self):
        """Search counterparts of the open lines, and store the decisions without booking.

        :return: decisions that may be booked automatically
        """
        self.ensure_one()
        self.env["account.reconcile.decision"]._drop_outdated(self)
        reader = JournalReader(self)
        lines = reader.lines()
        found = decide(lines, reader.books(lines), reader.policy(self.reconcile_automatically))
        return self.env["account.reconcile.decision"]._store(list(found.values())).filtered("is_automatic")

    def _renew_proposals(self, lines):
        """Replace the proposals for some open lines of this journal, without booking."""
        self.ensure_one()
        reader, decisions = JournalReader(self), self.env["account.reconcile.decision"]
        policy, taken = reader.policy(self.reconcile_automatically), decisions._named_beside(lines)
        read = reader.lines(lines.ids)
        found = decide(read, reader.books(read), policy, taken)
        decisions._store(
            [replace(decision, kind=PROPOSAL) if decision.step else decision for decision in found.values()]
        )

    def _book_certain(self, decisions):
        """Book certain decisions; if there are many, the scheduled action books the rest."""
        decisions[:BOOKED_AT_ONCE]._book_if_possible()
        if len(decisions) > BOOKED_AT_ONCE:
            self.env.ref("account_online_reconcile.ir_cron_reconcile")._trigger()
