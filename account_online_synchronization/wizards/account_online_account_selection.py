from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class AccountOnlineAccountSelection(models.TransientModel):
    """Which bank account fills which journal."""

    _name = "account.online.account.selection"
    _description = "Choose Bank Accounts"

    account_online_link_id = fields.Many2one(
        comodel_name="account.online.link", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_online_link_id.company_id")
    refresh = fields.Boolean(help="Ask the bank for news before the first load.")
    line_ids = fields.One2many(comodel_name="account.online.account.selection.line", inverse_name="selection_id")
    bank_statement_creation_groupby = fields.Selection(
        selection=lambda self: self.env["account.journal"]._fields["bank_statement_creation_groupby"].selection,
        string="Statement Periodicity",
        default="month",
        required=True,
        help="For journals that are linked now. Each journal's own form changes it later.",
    )

    @api.depends("account_online_link_id")
    def _compute_display_name(self):
        for selection in self:
            selection.display_name = self.env._("Accounts of %s", selection.account_online_link_id.name)

    @api.model
    def _create_for(self, link, journal=None, *, refresh):
        """
        :param journal: journal that the user started from; proposed for the first account in its currency
        :param bool refresh: ask the bank for news before the first load; not needed straight after its pages
        """
        lines = []
        for account in link.account_online_account_ids.sorted(lambda a: (a.account_type != "current", a.id)):
            proposed = account.journal_ids or account._propose_journal()
            if not proposed and journal and not journal.account_online_account_id:
                currency = journal.currency_id or journal.company_id.currency_id
                if currency == account.currency_id and journal.type in ("bank", "credit"):
                    proposed, journal = journal, None
            lines.append(
                Command.create(
                    {
                        "account_online_account_id": account.id,
                        "action": "existing" if proposed else "create",
                        "journal_id": proposed.id,
                        "start_date": account.start_date
                        or (account._default_start_date(proposed) if proposed and not account.journal_ids else False),
                    }
                )
            )
        return self.create({"account_online_link_id": link.id, "refresh": refresh, "line_ids": lines})

    def action_confirm(self):
        """Link the accounts as chosen, fetch their transactions and go to the dashboard."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        link = self.account_online_link_id
        for line in self.line_ids:
            line._apply()
        if not link._linked_accounts():
            return link._notify(self.env._("No account was chosen, so nothing was fetched."), "info")
        answer = link.sudo()._synchronize(user_present=True, refresh=self.refresh, may_defer=True)
        if answer.get("tag") == "display_notification":
            dashboard = "account.open_account_journal_dashboard_kanban"
            # Why "main": the choice is made, there is nothing to go back to.
            answer["params"]["next"] = {**self.env["ir.actions.act_window"]._for_xml_id(dashboard), "target": "main"}
        return answer

    def action_later(self):
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "account_online_synchronization.account_online_link_action"
            ),
            "res_id": self.account_online_link_id.id,
            "views": [(False, "form")],
        }


class AccountOnlineAccountSelectionLine(models.TransientModel):
    _name = "account.online.account.selection.line"
    _description = "Choice for one Bank Account"

    selection_id = fields.Many2one(comodel_name="account.online.account.selection", required=True, ondelete="cascade")
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account", string="Bank Account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="selection_id.company_id")
    account_number = fields.Char(related="account_online_account_id.account_number")
    currency_id = fields.Many2one(related="account_online_account_id.currency_id")
    balance = fields.Monetary(related="account_online_account_id.balance")
    action = fields.Selection(
        selection=[("create", "New journal"), ("existing", "Existing journal"), ("none", "Do not synchronize")],
        default="create",
        required=True,
    )
    journal_id = fields.Many2one(
        comodel_name="account.journal",
        domain="[('company_id', '=', company_id), ('type', 'in', ('bank', 'credit')), "
        "('account_online_account_id', 'in', (False, account_online_account_id))]",
    )
    start_date = fields.Date(
        help="First day to import. Empty: as far back as the bank allows. For a journal that already has transactions "
        "it is the day after the last one."
    )

    @api.onchange("journal_id", "action")
    def _onchange_journal_id(self):
        if self.action != "existing":
            self.journal_id = False
        if self.journal_id and not self.account_online_account_id.journal_ids:
            self.start_date = self.account_online_account_id._default_start_date(self.journal_id)

    def _apply(self):
        self.ensure_one()
        account = self.account_online_account_id
        if self.action == "none":
            account.journal_ids._unlink_online_account()
            return
        if self.action == "existing" and not self.journal_id:
            raise UserError(
                self.env._("Please choose a journal for %s, or let a new one be created.", account.display_name)
            )
        if self.journal_id and self.journal_id == account.journal_ids:
            # Linked already; its periodicity is the journal's own setting by now.
            account.start_date = self.start_date
            return
        journal = self.journal_id or account._create_journal()
        account._link_journal(journal, self.start_date, self.selection_id.bank_statement_creation_groupby)
