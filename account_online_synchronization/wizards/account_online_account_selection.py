from odoo import Command, api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from .proposal import Proposal


class AccountOnlineAccountSelection(models.TransientModel):
    """Which bank account fills which journal."""

    _name = "account.online.account.selection"
    _description = "Choose Bank Accounts"
    _inherit = ["account.online.server.fields"]

    account_online_link_id = fields.Many2one(
        comodel_name="account.online.link", required=True, readonly=True, ondelete="cascade"
    )
    # Why without superuser rights here and in the lines: the wizard must not show fields of a connection that the
    # user may not read.
    company_id = fields.Many2one(related="account_online_link_id.company_id", related_sudo=False)
    started_from_id = fields.Many2one(
        comodel_name="account.journal", readonly=True, help="The journal on which the user clicked Connect bank."
    )
    refresh = fields.Boolean(readonly=True, help="Ask the bank for news before the first load.")
    line_ids = fields.One2many(comodel_name="account.online.account.selection.line", inverse_name="selection_id")
    hidden_count = fields.Integer(compute="_compute_hidden_count")
    problem = fields.Text(
        compute="_compute_problem",
        help="What has to be changed before you can continue, one sentence for each account.",
    )
    bank_statement_creation_groupby = fields.Selection(
        selection=lambda self: self.env["account.journal"]._fields["bank_statement_creation_groupby"].selection,
        string="Statement Periodicity",
        default="month",
        required=True,
        help="For journals that are linked now. Each journal's own form changes it later.",
    )

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("account_online_link_id")
    def _compute_display_name(self):
        for selection in self:
            selection.display_name = self.env._("Accounts of %s", selection.account_online_link_id.name)

    @api.depends("account_online_link_id.account_online_account_ids", "line_ids")
    def _compute_hidden_count(self):
        for selection in self:
            shown = selection.line_ids.account_online_account_id
            selection.hidden_count = len(selection.account_online_link_id.account_online_account_ids) - len(shown)

    @api.depends("line_ids.action", "line_ids.journal_id", "line_ids.journal_name")
    def _compute_problem(self):
        for selection in self:
            problems = [problem for line in selection.line_ids if (problem := line._find_problem())]
            selection.problem = "\n".join(
                [*selection._find_missing_chart(), *problems, *selection._find_shared_journals()]
            )

    # -------------------------------------------------------------------------
    # PROPOSALS
    # -------------------------------------------------------------------------

    @api.model
    def _create_for(self, link, journal=None, *, refresh):
        """Show new accounts. Without any, *Fetch Accounts* says so, and a new consent shows all accounts.

        :param journal: journal that the user started from; proposed for the first account in its currency
        :param bool refresh: ask the bank for news before the first load; not needed right after a visit
        """
        accounts = link.account_online_account_ids
        new = accounts.filtered(lambda account: account._is_new())
        link.check_access("write")
        # sudo: write access to the link was checked above; the user only answers in the lines
        selection = as_server(self).create(
            {"account_online_link_id": link.id, "started_from_id": journal and journal.id, "refresh": refresh}
        )
        selection._add_lines(new if new or refresh else accounts)
        selection.bank_statement_creation_groupby = selection._legacy_periodicity()
        return selection.with_env(self.env)

    def _legacy_journals(self):
        """Those of the chosen journals that an earlier module filled.

        They keep their periodicity unless the user chooses one for all.
        """
        domain = [("legacy_journal_id", "in", self.line_ids.journal_id.ids)]
        return self.env["account.online.account"].search(domain).legacy_journal_id

    def _legacy_periodicity(self):
        """The periodicity that these journals have in common, else the company's setting."""
        found = set(self._legacy_journals().mapped("bank_statement_creation_groupby"))
        return found.pop() if len(found) == 1 else self.company_id.bank_statement_creation_groupby

    def _add_lines(self, accounts):
        """Why current accounts first: they take precedence for journals that match several accounts."""
        self.ensure_one()
        # sudo: write access to the link was checked by _create_for and _check_rights; accounts are the link's own
        self, accounts = as_server(self), as_server(accounts)
        taken, names = self.line_ids.journal_id, set(self.line_ids.mapped("journal_name"))
        for account in accounts.sorted(lambda account: (account.account_type != "current", account.id)):
            proposed, reason = self._propose_journal(account, taken)
            name = account._propose_journal_name(names)
            is_moved = bool(proposed & account._filled_elsewhere().journal_ids)
            taken |= proposed
            names.add(name)
            self.line_ids = [
                Command.create(
                    {
                        "account_online_account_id": account.id,
                        "linked_journal_id": account.journal_ids.id,
                        # Why none: a working feed is moved to another connection only if the user chooses that.
                        "action": "none" if account.is_left_out or is_moved else "existing" if proposed else "create",
                        "journal_id": not account.is_left_out and not is_moved and proposed.id,
                        "proposed_journal_id": proposed.id,
                        "proposal_reason": reason,
                        "journal_name": name,
                        "journal_type": account._journal_type(),
                        "start_date": Proposal(account).start_date(proposed),
                        "fee_lines": account.fee_lines,
                    }
                )
            ]

    def _propose_journal(self, account, taken):
        """
        :param taken: journals that are proposed for others
        :return: a journal or none, and a sentence with the reason
        """
        started_from, proposal = self.started_from_id, Proposal(account)
        if account.journal_ids:
            return account.journal_ids, self.env._("It is already used for this account.")
        if elsewhere := account._filled_elsewhere():
            return elsewhere.journal_ids, ""
        if found := proposal.known_journal() - taken:
            return found, self.env._("The journal has this account's number.")
        if (
            started_from
            and started_from not in taken
            and not started_from.account_online_account_id
            and started_from.type in ("bank", "credit")
            and account._fits_currency(started_from)
        ):
            return started_from, self.env._("You started from this journal.")
        found = proposal.unused_journal(taken + started_from)
        return found, found and self.env._("The only journal in %s that is still empty.", account.currency_id.name)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_confirm(self):
        """Link the accounts as chosen, all of them or none, and fetch their transactions."""
        link = self._check_rights()
        self.line_ids._hold_accounts()
        if self.problem:
            raise UserError(self.problem)
        for line in self.line_ids.sorted(lambda line: line.action != "none"):
            line._apply()
        if not link._linked_accounts():
            return link._notify(self.env._("No account was chosen, so nothing was fetched."), "info")
        # sudo: the right to connect and write access to the link were checked by _check_rights
        answer = as_server(link)._synchronize(user_present=True, refresh=self.refresh, may_defer=True)
        # Why not its action: the next screen shows the result. Only the page for the bank's code must be opened.
        is_notification = answer.get("tag") == "display_notification"
        return link.action_open_first_load(None if is_notification else answer)

    def action_show_all(self):
        """*Show All Accounts*: also those that fill a journal, or that a user left out."""
        link = self._check_rights()
        self._add_lines(link.account_online_account_ids - self.line_ids.account_online_account_id)

    def action_later(self):
        self._check_rights()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "account_online_synchronization.account_online_link_action"
            ),
            "res_id": self.account_online_link_id.id,
            "views": [(False, "form")],
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _check_rights(self):
        """:return: the connection, which the user may connect and write at this moment
        :raise AccessError: otherwise
        """
        self.ensure_one()
        self.check_access("write")
        link = self.account_online_link_id
        link._check_may_connect()
        link.check_access("write")
        return link

    def _find_missing_chart(self):
        """Why before journals are created: without a chart of accounts nothing could be posted in them, and Odoo gives
        them no suspense account later.

        :return: list of sentences
        """
        company = self.company_id
        if company.account_journal_suspense_account_id or "create" not in self.line_ids.mapped("action"):
            return []
        return [
            self.env._(
                "%s has no suspense account for bank transactions, so nothing could be booked in a new journal. "
                "Choose a chart of accounts, or a bank suspense account, in the settings of Invoicing. Then use Fetch "
                "Accounts on the connection.",
                company.display_name,
            )
        ]

    def _find_shared_journals(self):
        """:return: a sentence for each journal that several rows have chosen"""
        chosen = self.line_ids.filtered(lambda line: line.action == "existing" and line.journal_id)
        return [
            self.env._(
                "%(journal)s was chosen for several accounts: %(accounts)s. A journal is filled by one account; "
                "please choose another journal, or let a new one be created.",
                journal=journal.name,
                accounts=", ".join(lines.account_online_account_id.mapped("display_name")),
            )
            for journal, lines in chosen.grouped(lambda line: line.journal_id._origin).items()
            if len(lines) > 1
        ]
