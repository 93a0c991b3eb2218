from datetime import timedelta

from babel.dates import format_timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import babel_locale_parse, get_lang


class AccountJournal(models.Model):
    _inherit = "account.journal"

    # Why: core hands its own function object to the field; a lambda asks the method, so that it can be extended.
    bank_statements_source = fields.Selection(selection=lambda self: self._get_bank_statements_available_sources())
    bank_statement_creation_groupby = fields.Selection(
        selection=[
            ("none", "No statements"),
            ("day", "One statement per day"),
            ("week", "One statement per week"),
            ("bimonthly", "Two statements per month"),
            ("month", "One statement per month"),
        ],
        string="Statement Periodicity",
        default="month",
        required=True,
        help="How synchronized transactions are grouped in bank statements. A change applies to new transactions.",
    )
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        string="Online Account",
        copy=False,
        readonly=True,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
    )
    account_online_link_id = fields.Many2one(
        related="account_online_account_id.account_online_link_id", string="Bank Connection", store=True
    )
    account_online_link_state = fields.Selection(related="account_online_link_id.state")
    online_sync_fetching_status = fields.Selection(related="account_online_account_id.fetching_status")
    expiring_synchronization_date = fields.Date(related="account_online_link_id.expiring_synchronization_date")
    expiring_synchronization_due_day = fields.Integer(related="account_online_link_id.expiring_synchronization_due_day")

    _online_account_unique = models.Constraint(
        "UNIQUE(account_online_account_id)", "This online account already fills another journal."
    )

    # -------------------------------------------------------------------------
    # CONSTRAINT METHODS
    # -------------------------------------------------------------------------

    @api.constrains("account_online_account_id", "currency_id")
    def _check_online_account_currency(self):
        for journal in self.filtered("account_online_account_id"):
            online_account = journal.account_online_account_id
            currency = journal.currency_id or journal.company_id.currency_id
            if currency != online_account.currency_id:
                raise ValidationError(
                    self.env._(
                        "The account %(account)s is in %(account_currency)s, but the journal %(journal)s is in "
                        "%(journal_currency)s. Choose a journal in %(account_currency)s, or let a new one be created.",
                        account=online_account.display_name,
                        account_currency=online_account.currency_id.name,
                        journal=journal.name,
                        journal_currency=currency.name,
                    )
                )

    # -------------------------------------------------------------------------
    # EXTENDS account
    # -------------------------------------------------------------------------

    def _get_bank_statements_available_sources(self):
        return [*super()._get_bank_statements_available_sources(), ("online_sync", self.env._("Bank Synchronization"))]

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        result = super()._fill_bank_cash_dashboard_data(dashboard_data)
        bank_journals = self.filtered(lambda journal: journal.type in ("bank", "credit"))
        for journal_id, values in bank_journals._get_online_sync_dashboard_data().items():
            dashboard_data[journal_id]["online_sync"] = values
        return result

    def _get_online_sync_dashboard_data(self):
        """What the cards show; the same few queries whatever the number of cards.

        :return: dict from journal id to what the template needs
        """
        # Why: invoicing users see the dashboard, but have no access to connections. Fetched for all cards at once.
        journals = self.with_prefetch()
        accounts = journals.account_online_account_id.sudo()
        accounts.fetch(["account_online_link_id", "pending_count", "pending_amount", "balance", "currency_id"])
        accounts.account_online_link_id.fetch(
            ["state", "error_action", "error_message", "last_refresh", "expiring_synchronization_date"]
        )
        parked = self.env["account.online.transaction"].sudo()
        parked = parked._read_group(
            [("account_online_account_id", "in", accounts.ids), ("state", "=", "parked")],
            ["account_online_account_id"],
            ["__count"],
        )
        return {journal.id: journal._get_online_sync_card(dict(parked)) for journal in journals}

    def _get_online_sync_card(self, parked):
        """:param dict parked: number of transactions that could not be imported, by online account"""
        self.ensure_one()
        account = self.account_online_account_id.sudo()
        link = account.account_online_link_id
        if not link:
            return {"linked": False}
        difference = account.balance_difference
        return {
            "linked": True,
            "state": link.state,
            "action": link.error_action or "",
            "error": link.error_message or "",
            "last_refresh": self._format_ago(link.last_refresh),
            "fetching": account.fetching_status,
            "pending_count": account.pending_count,
            "pending_amount": account.currency_id.format(account.pending_amount),
            "difference": "" if account.currency_id.is_zero(difference) else account.currency_id.format(difference),
            **link._get_consent_card(),
            "parked_count": parked.get(account, 0),
            "unlinked_count": len(link.account_online_account_ids.filtered(lambda one: not one.journal_ids)),
        }

    def _format_ago(self, moment):
        """“2 hours ago” in the user's language, or an empty string."""
        if not moment:
            return ""
        passed = fields.Datetime.now() - moment
        if passed < timedelta(minutes=1):
            return self.env._("just now")
        return format_timedelta(-passed, add_direction=True, locale=babel_locale_parse(get_lang(self.env).code))

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_connect_bank(self):
        """*Connect bank* on the card of a journal without a connection."""
        self.ensure_one()
        return self.env["account.online.link"]._connect_bank(self)

    def action_synchronize_now(self):
        """*Synchronize Now* on the card."""
        self.ensure_one()
        if not self.account_online_link_id:
            raise UserError(self.env._("%s is not connected to a bank. Use Connect bank first.", self.display_name))
        return self.account_online_link_id.action_fetch_transactions()

    def action_renew_online_link(self):
        """*Renew* on the card of a journal whose consent ends."""
        self.ensure_one()
        if not self.account_online_link_id:
            raise UserError(self.env._("%s is not connected to a bank. Use Connect bank first.", self.display_name))
        return self.account_online_link_id.action_renew()

    def action_open_online_link(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.online.link",
            "res_id": self.account_online_link_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_open_online_transactions(self):
        """What the bank reports and is no statement line; the button's context says which of it comes first."""
        self.ensure_one()
        action = self.account_online_account_id.action_open_transactions()
        state = self.env.context.get("online_transaction_state", "pending")
        return {**action, "context": {f"search_default_{state}": 1}}

    def action_unlink_online_account(self):
        """*Stop synchronizing* in the journal's form. What was imported stays."""
        self.env["account.online.link"]._check_may_connect()
        self._unlink_online_account()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _unlink_online_account(self):
        self.write({"account_online_account_id": False, "bank_statements_source": "undefined"})
