from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server


class AccountBankStatement(models.Model):
    _name = "account.bank.statement"
    _inherit = ["account.bank.statement", "account.online.server.fields"]

    # Why: statements are searched by their period, never by their name, which the user may change.
    online_period_start = fields.Date(
        readonly=True, copy=False, help="First day of a statement made by synchronization."
    )
    online_period_end = fields.Date(readonly=True, copy=False, help="Last day of a statement made by synchronization.")
    online_start_unknown = fields.Boolean(
        readonly=True,
        copy=False,
        help="It is the first one of its journal, and the bank's booked balance at its beginning is not known yet. "
        "Until it is, no synchronized statement of the journal is complete.",
    )

    # -------------------------------------------------------------------------
    # EXTENDS account
    # -------------------------------------------------------------------------

    def _compute_is_complete(self):
        result = super()._compute_is_complete()
        complete = self.filtered(lambda one: one.online_period_start and one.is_complete)
        if complete:
            complete._of_unknown_start().is_complete = False
        return result

    def _compute_problem_description(self):
        result = super()._compute_problem_description()
        for statement in self.filtered("online_period_start")._of_unknown_start():
            statement.problem_description = self.env._(
                "The bank's balance at the beginning of this journal is not known yet, so the balances of this "
                "statement are provisional. The synchronization that learns the balance corrects them."
            )
        return result

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.ondelete(at_uninstall=False)
    def _unlink_hand_on_unknown_start(self):
        """Why: without the mark, the remaining statements would count as complete with a provisional start balance."""
        for journal in self.filtered("online_start_unknown").journal_id:
            left = [("journal_id", "=", journal.id), ("online_period_start", "!=", False), ("id", "not in", self.ids)]
            # sudo: Odoo has checked that the user may delete these statements; the mark moves to the first of the rest
            as_server(self).search(left, order="first_line_index", limit=1).online_start_unknown = True

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _of_unknown_start(self):
        """:return: the statements whose journal has an unknown opening balance"""
        waiting = self.search([("journal_id", "in", self.journal_id.ids), ("online_start_unknown", "=", True)])
        return self.filtered(lambda one: one.journal_id in waiting.journal_id)
