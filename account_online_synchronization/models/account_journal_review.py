from odoo import models


class AccountJournal(models.Model):
    """The tools with which an accountant reviews what the bank has brought."""

    _inherit = "account.journal"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_find_missing_transactions(self):
        """*Find Missing Transactions* in the menu of the card."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_missing_transaction_wizard_action"
        )
        return {**action, "context": {"dialog_size": "large", "default_journal_id": self.id}}

    def action_find_duplicate_transactions(self):
        """*Find Duplicate Transactions* in the menu of the card.

        :return: action that shows what was found in the usual days
        """
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        return self.env["account.duplicate.transaction.wizard"].create({"journal_id": self.id}).action_search()
