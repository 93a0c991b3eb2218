from odoo import api, fields, models


class AccountJournal(models.Model):
    """What new journals take over from the settings of their company."""

    _inherit = "account.journal"  # pylint: disable=consider-merging-classes-inherited

    # Why computed, and not a default: the company may be another one than the user's current one.
    bank_statement_creation_groupby = fields.Selection(
        compute="_compute_bank_statement_creation_groupby", store=True, readonly=False, precompute=True, default=None
    )

    @api.depends("company_id")
    def _compute_bank_statement_creation_groupby(self):
        """Once chosen it stays, whatever the settings say later."""
        for journal in self:
            journal.bank_statement_creation_groupby = (
                journal.bank_statement_creation_groupby or journal.company_id.bank_statement_creation_groupby or "month"
            )
