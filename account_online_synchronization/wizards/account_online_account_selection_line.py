from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from .proposal import Proposal


class AccountOnlineAccountSelectionLine(models.TransientModel):
    """The choice for one account, validated before anything is done."""

    _name = "account.online.account.selection.line"
    _description = "Choice for one Bank Account"
    _inherit = ["account.online.server.fields"]

    selection_id = fields.Many2one(
        comodel_name="account.online.account.selection", required=True, readonly=True, ondelete="cascade"
    )
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account", string="Bank Account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="selection_id.company_id", related_sudo=False)
    name = fields.Char(related="account_online_account_id.name", related_sudo=False)
    account_number = fields.Char(related="account_online_account_id.account_number", related_sudo=False)
    account_type = fields.Selection(related="account_online_account_id.account_type", related_sudo=False)
    currency_id = fields.Many2one(related="account_online_account_id.currency_id", related_sudo=False)
    balance = fields.Monetary(related="account_online_account_id.balance", related_sudo=False)
    action = fields.Selection(
        selection=[("create", "New journal"), ("existing", "Existing journal"), ("none", "Do not synchronize")],
        string="Transactions Go To",
        default="create",
        required=True,
    )
    allowed_journal_ids = fields.Many2many(comodel_name="account.journal", compute="_compute_allowed_journal_ids")
    journal_id = fields.Many2one(comodel_name="account.journal", domain="[('id', 'in', allowed_journal_ids)]")
    linked_journal_id = fields.Many2one(
        comodel_name="account.journal", readonly=True, help="What the account filled when this window was opened."
    )
    proposed_journal_id = fields.Many2one(comodel_name="account.journal", readonly=True)
    proposal_reason = fields.Char(readonly=True)
    journal_name = fields.Char(string="Name of the New Journal")
    journal_type = fields.Selection(
        selection=[("bank", "Bank"), ("credit", "Credit Card")],
        string="Kind of Journal",
        default="bank",
        required=True,
    )
    start_date = fields.Date(string="From", help="First day to import. Empty: as far back as the bank allows.")
    reports_fees = fields.Boolean(related="account_online_account_id.reports_fees", related_sudo=False)
    fee_lines = fields.Selection(
        selection=lambda self: self.env["account.online.account"]._fields["fee_lines"].selection,
        string="Fees",
        default="own",
        required=True,
        help="Whether the fee that a payment service deducts from a payment becomes a transaction of its own.",
    )
    start_reason = fields.Char(compute="_compute_start_reason", help="Why the first load begins on that day.")
    note = fields.Text(compute="_compute_note", help="Why this is proposed, or what it means.")
    problem = fields.Text(compute="_compute_problem", help="What has to be changed before you can continue.")

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("account_online_account_id")
    def _compute_allowed_journal_ids(self):
        for line in self:
            line.allowed_journal_ids = self.env["account.journal"].search(
                line.account_online_account_id._free_journals_domain()
            )

    @api.depends("start_date", "journal_id", "action")
    def _compute_start_reason(self):
        for line in self:
            account, journal = line.account_online_account_id, line._chosen_journal()
            line.start_reason = line.action != "none" and Proposal(account).explain_start_date(line.start_date, journal)

    @api.depends("action", "journal_id", "journal_name")
    def _compute_problem(self):
        for line in self:
            line.problem = line._find_problem()

    @api.depends("action", "journal_id")
    def _compute_note(self):
        for line in self:
            line.note = line._explain()

    # -------------------------------------------------------------------------
    # ONCHANGE METHODS
    # -------------------------------------------------------------------------

    @api.onchange("journal_id", "action")
    def _onchange_journal_id(self):
        if self.action != "existing":
            self.journal_id = False
        elif not self.journal_id:
            self.journal_id = self.proposed_journal_id
        if self.action != "none":
            self.start_date = Proposal(self.account_online_account_id).start_date(self._chosen_journal())

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _chosen_journal(self):
        """:return: the existing journal, or an empty recordset for a new one or none"""
        return self.journal_id._origin if self.action == "existing" else self.env["account.journal"]

    def _find_problem(self):
        """:return: a sentence with the problem and what to do, or False"""
        account, journal = self.account_online_account_id, self._chosen_journal()
        if self.action == "create" and not (self.journal_name or "").strip():
            return self.env._("Please name the new journal for %s.", account.display_name)
        if self.action != "existing":
            return False
        if not journal:
            return self.env._("Please choose a journal for %s, or let a new one be created.", account.display_name)
        if not account._fits_currency(journal):
            return self.env._(
                "%(account)s is in %(account_currency)s, but the journal %(journal)s is in %(journal_currency)s. "
                "Choose a journal in %(account_currency)s, or let a new one be created.",
                account=account.display_name,
                account_currency=account.currency_id.name,
                journal=journal.name,
                journal_currency=(journal.currency_id or journal.company_id.currency_id).name,
            )
        if journal.account_online_account_id - account - account._filled_elsewhere():
            return self.env._(
                "%(journal)s is filled by %(other)s. Choose another journal for %(account)s, or let a new one be "
                "created.",
                journal=journal.name,
                other=journal.account_online_account_id.display_name,
                account=account.display_name,
            )
        return False

    def _explain(self):
        """:return: a sentence with the reason of the proposal, or False"""
        account, journal = self.account_online_account_id, self._chosen_journal()
        linked, elsewhere = account.journal_ids, account._filled_elsewhere()
        if elsewhere and not linked:
            return self._explain_elsewhere(elsewhere, journal)
        if linked and self.action == "none":
            return self.env._(
                "No new transactions will arrive in %s. Imported transactions stay there, and you can link it "
                "again later.",
                linked.name,
            )
        if linked and journal != linked:
            return self.env._(
                "What was imported stays in %s. The journal that you choose begins with its own start date.",
                linked.name,
            )
        if self.action == "none":
            return self.env._("Its transactions are not imported. Fetch Accounts brings you back to this choice.")
        if journal:
            return journal == self.proposed_journal_id and self.proposal_reason
        return self._explain_other_currency()

    def _explain_elsewhere(self, elsewhere, journal):
        """:param elsewhere: the same bank account, which fills its journal through another connection"""
        names = {"journal": elsewhere.journal_ids.name, "link": elsewhere.account_online_link_id.name}
        if journal == elsewhere.journal_ids:
            return self.env._(
                "%(journal)s moves from the connection %(link)s to this one, with everything that was imported.",
                **names,
            )
        if self.action == "none":
            return self.env._(
                "The connection %(link)s already imports this account into %(journal)s and will keep doing so. To "
                "move %(journal)s to this connection instead, choose Existing journal.",
                **names,
            )
        return self.env._(
            "The connection %(link)s already imports this account into %(journal)s. In a second journal its "
            "transactions would be booked twice.",
            **names,
        )

    def _explain_other_currency(self):
        """Why a new journal is proposed: the one with the account's number has another currency."""
        account, started_from = self.account_online_account_id, self.selection_id.started_from_id
        others = account._journals_with_number() + started_from.filtered(lambda one: not one.account_online_account_id)
        other = others.filtered(lambda journal: not account._fits_currency(journal))[:1]
        return bool(other) and self.env._(
            "%(journal)s is in %(journal_currency)s and this account in %(account_currency)s, so a new journal is "
            "proposed. To use %(journal)s instead, correct its currency first, which Odoo allows as long as it has "
            "no entries.",
            journal=other.name,
            journal_currency=(other.currency_id or other.company_id.currency_id).name,
            account_currency=account.currency_id.name,
        )

    def _hold_accounts(self):
        """Lock the accounts, and compare them with the state that the user has seen.

        Why: two windows, or a double confirmation, would each create a journal, and move the account between them.

        :raise UserError: when an account is in use, or fills another journal in the meantime
        """
        for line in self:
            account = line.account_online_account_id
            account.account_online_link_id._lock_or_refuse(account)
            if account.journal_ids != line.linked_journal_id:
                raise UserError(
                    self.env._(
                        "Another journal was chosen for %s after this window was opened, so nothing was changed now. "
                        "Close the window, and use Fetch Accounts on the connection to see the current choice.",
                        account.display_name,
                    )
                )

    def _check_rights(self):
        """Why only account and journal: the selection has checked the user and the connection."""
        account, journal = self.account_online_account_id, self._chosen_journal()
        account.check_access("write")
        if account.account_online_link_id != self.selection_id.account_online_link_id:
            raise UserError(self.env._("%s belongs to another connection.", account.display_name))
        (account.journal_ids + journal).check_access("write")
        if journal and journal == account._filled_elsewhere().journal_ids:
            account.duplicate_of_id.check_access("write")
            account.duplicate_of_id.account_online_link_id.check_access("write")
        if self.action == "create":
            journal.check_access("create")
        if journal and (journal.company_id != account.company_id or journal.type not in ("bank", "credit")):
            raise UserError(
                self.env._(
                    "%(journal)s can't be filled by %(account)s: choose a bank or credit card journal of %(company)s.",
                    journal=journal.display_name,
                    account=account.display_name,
                    company=account.company_id.display_name,
                )
            )

    def _apply(self):
        """Apply a choice without problems. An error here rolls all choices back."""
        self.ensure_one()
        self._check_rights()
        # sudo: _check_rights has checked the account and the journal; bookmarks of the synchronization are the system's
        account, journal = as_server(self.account_online_account_id), as_server(self._chosen_journal())
        if self.action == "none":
            account.journal_ids._unlink_online_account()
            account.is_left_out = True
            return
        if journal and journal == account._filled_elsewhere().journal_ids:
            account = self._move_here(account)
        account.fee_lines = self.fee_lines
        if journal and journal == account.journal_ids:
            # Linked already; its periodicity is now the journal's own setting.
            account.start_date = self.start_date
            return
        journal = journal or account._create_journal((self.journal_name or "").strip(), self.journal_type)
        account._link_journal(journal, self.start_date, self._chosen_periodicity(journal))

    def _chosen_periodicity(self, journal):
        """Why not always the wizard's: journals of an earlier module may have different ones, which are kept if the
        user has not changed the proposal.
        """
        selection = self.selection_id
        chosen = selection.bank_statement_creation_groupby
        if chosen == selection._legacy_periodicity() and journal in selection._legacy_journals():
            return journal.bank_statement_creation_groupby
        return chosen

    def _move_here(self, duplicate):
        """Let this connection fill the journal that another connection has filled so far.

        :return: the account that fills it, which replaces its duplicate
        """
        account = duplicate.duplicate_of_id
        link = account.account_online_link_id
        # Why: a running synchronization of the other connection would still write to the journal.
        link._lock_or_refuse(link)
        # Why first: the line would be deleted with its account.
        # sudo: _check_rights has checked both accounts and the connection that loses one
        as_server(self).account_online_account_id = account
        account._replace(duplicate)
        return account
