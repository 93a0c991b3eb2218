from odoo import models


class AccountJournal(models.Model):
    """The tools with which an accountant reviews what the bank has brought."""

    _inherit = "account.journal"

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_find_missing_transactions(self):
        """*Find Missing Transactions* in the menu of the card."""
        return self._open_review("account_missing_transaction_wizard_action")

    def action_find_duplicate_transactions(self):
        """*Find Duplicate Transactions* in the menu of the card."""
        return self._open_review("account_duplicate_transaction_wizard_action")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _open_review(self, name):
        """:return: action that opens a wizard for this journal"""
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        action = self.env["ir.actions.act_window"]._for_xml_id(f"account_online_synchronization.{name}")
        return {**action, "context": {"dialog_size": "large", "default_journal_id": self.id}}
