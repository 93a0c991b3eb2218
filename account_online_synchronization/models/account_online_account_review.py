from odoo import models
from odoo.exceptions import UserError


class AccountOnlineAccount(models.Model):
    """The tools with which an accountant reviews what this account has brought."""

    _inherit = "account.online.account"  # pylint: disable=consider-merging-classes-inherited

    def action_find_missing_transactions(self):
        """*Find Missing Transactions* in the form."""
        return self._journal_to_review().action_find_missing_transactions()

    def action_find_duplicate_transactions(self):
        """*Find Duplicate Transactions* in the form."""
        return self._journal_to_review().action_find_duplicate_transactions()

    def _journal_to_review(self):
        self.ensure_one()
        if not self.journal_ids:
            raise UserError(
                self.env._("%s fills no journal. Use Fetch Accounts to choose one first.", self.display_name)
            )
        return self.journal_ids

    def action_reverse_transactions(self):
        """*Reverse Transactions*: ask what becomes of the transactions that are in the journal already."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        return self.env["account.online.reversal"]._open(self)

    def _note_journal_balance(self):
        """The journal's lines have changed by a user: what the bank's balance is compared with follows."""
        for account in self.filtered("last_sync"):
            account.journal_balance = account._current_journal_balance()
