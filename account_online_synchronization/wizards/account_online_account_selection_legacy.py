from odoo import api, models


class AccountOnlineAccountSelection(models.TransientModel):
    """Journals that come from an earlier module keep their periodicity, unless the user chooses another for all."""

    _inherit = "account.online.account.selection"

    @api.model
    def _create_for(self, link, journal=None, *, refresh):
        selection = super()._create_for(link, journal, refresh=refresh)
        selection.bank_statement_creation_groupby = selection._legacy_periodicity()
        return selection

    def _legacy_journals(self):
        """Those of the chosen journals that an earlier module filled."""
        domain = [("legacy_journal_id", "in", self.line_ids.journal_id.ids)]
        return self.env["account.online.account"].search(domain).legacy_journal_id

    def _legacy_periodicity(self):
        """What these journals have in common, else the usual one."""
        found = set(self._legacy_journals().mapped("bank_statement_creation_groupby"))
        return found.pop() if len(found) == 1 else self._default_periodicity(self.company_id)


class AccountOnlineAccountSelectionLine(models.TransientModel):
    _inherit = "account.online.account.selection.line"

    def _apply(self):
        selection, journal = self.selection_id, self.journal_id
        # Why: they may have different ones, and the wizard has one choice for all.
        own = journal in selection._legacy_journals() and journal.bank_statement_creation_groupby
        is_as_proposed = selection.bank_statement_creation_groupby == selection._legacy_periodicity()
        result = super()._apply()
        if own and is_as_proposed:
            journal.bank_statement_creation_groupby = own
        return result
