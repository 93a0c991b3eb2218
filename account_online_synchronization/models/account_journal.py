import logging
from datetime import datetime
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError, ValidationError
from odoo.tools.safe_eval import safe_eval

from ..client.banks import read_banks
from ..client.errors import ProxyError

_logger = logging.getLogger(__name__)

#: The reconciliation of OCA's account_reconcile_oca, used where that is installed.
OCA_RECONCILIATION = "account_reconcile_oca.action_bank_statement_line_reconcile"
#: Banks that are proposed before the user searches.
FAVORITES = 6


class DashboardRow(NamedTuple):
    """What the card of a journal shows of its account; amounts in the account's currency.

    ``unlinked_count`` counts the accounts of its connection for which no user has made a choice yet.
    """

    link_id: int
    currency_id: int
    pending_count: int
    pending_amount: float
    balance: float
    balance_at: datetime
    difference: float
    opening_to_book: float
    opening_unknown: bool
    parked_count: int
    unlinked_count: int


class AccountJournal(models.Model):
    _name = "account.journal"
    _inherit = ["account.journal", "account.online.server.fields"]

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
        # Why computed, not a default: the journal's company may differ from the user's current one.
        compute="_compute_bank_statement_creation_groupby",
        store=True,
        readonly=False,
        precompute=True,
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
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("company_id")
    def _compute_bank_statement_creation_groupby(self):
        """Later changes of the company's setting do not affect existing journals."""
        for journal in self:
            journal.bank_statement_creation_groupby = (
                journal.bank_statement_creation_groupby or journal.company_id.bank_statement_creation_groupby or "month"
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
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # Why before the feed moves: the other journal loses it only if this user may set it here.
        self._check_server_fields(*vals_list)
        for vals in vals_list:
            if account_id := vals.get("account_online_account_id"):
                self.browse()._take_over_feed(account_id)
        return super().create(vals_list)

    def write(self, vals):
        self._check_server_fields(vals)
        if account_id := vals.get("account_online_account_id"):
            self._take_over_feed(account_id)
        return super().write(vals)

    def _take_over_feed(self, account_id):
        """An account fills one journal: unlink it from its previous one first, archived or not."""
        # sudo: only the server may set the account of a journal, see _check_server_fields in create() and write()
        others = as_server(self).with_context(active_test=False)
        others = others.search([("account_online_account_id", "=", account_id), ("id", "not in", self.ids)])
        others.account_online_account_id._begin_again()
        others._unlink_online_account()
        # Why flushed: if this journal were written first, the unique index would find the account in two journals.
        others.flush_recordset(["account_online_account_id"])

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_connect_bank(self):
        """*Connect bank* on the card of a journal without a connection."""
        self.ensure_one()
        return self.env["account.online.directory"]._open(self)

    def _get_connected_link(self):
        self.ensure_one()
        if not self.account_online_link_id:
            raise UserError(self.env._("%s is not connected to a bank. Use Connect bank first.", self.display_name))
        return self.account_online_link_id

    def action_synchronize_now(self):
        """*Synchronize Now* on the card; *Enter the Code* where the bank asks for one."""
        return self._get_connected_link().action_fetch_transactions()

    def action_renew_online_link(self):
        """*Renew* on the card of a journal whose consent ends."""
        return self._get_connected_link().action_renew()

    def action_ask_to_renew_online_link(self):
        """*Request Renewal* on the card of a journal whose consent ends."""
        return self._get_connected_link().action_ask_to_renew()

    def action_reconnect_online_link(self):
        """*Reconnect* on the card of a journal whose bank is not connected any more."""
        return self._get_connected_link().action_reconnect()

    def action_update_online_credentials(self):
        """*Update Credentials* on the card of a journal whose bank refuses them."""
        return self._get_connected_link().action_update_credentials()

    def action_reactivate_online_link(self):
        """*Reactivate* on the card of a journal whose connection service refuses this database."""
        return self._get_connected_link().action_reactivate()

    def action_disable_online_auto_sync(self):
        """*Switch Off Automatic Synchronization* on the card of a bank that answers only while a user is present."""
        return self._get_connected_link().action_disable_auto_sync()

    def action_leave_out_refused_accounts(self):
        """*Leave Out* on the card of a connection of which the bank has closed an account."""
        return self._get_connected_link().action_leave_out_refused()

    def action_open_online_settings(self):
        """*Open Settings*: the address of the connection service is missing or unknown."""
        return self._get_connected_link().action_open_settings()

    def action_fetch_online_accounts(self):
        """*Accounts not linked* on the card: choose journals for them."""
        return self._get_connected_link().action_fetch_accounts()

    def action_open_online_account(self):
        """The bank's balance on the card: what the account holds, and *Book Opening Balance*."""
        self.ensure_one()
        return self.account_online_account_id._get_records_action(context={})

    def action_book_online_opening_balance(self):
        """*Opening balance not booked* on the card."""
        self.ensure_one()
        return self.account_online_account_id.action_book_opening_balance()

    def action_open_online_progress(self):
        """*Progress* on the card of a journal that is being filled."""
        self.ensure_one()
        return self.account_online_link_id.action_open_first_load()

    def action_open_online_link(self):
        self.ensure_one()
        return self.account_online_link_id._get_records_action(context={})

    def action_open_online_transactions(self):
        """Transactions of the bank without a statement line; the button's context says which are shown first."""
        self.ensure_one()
        action = self.account_online_account_id.action_open_transactions()
        state = self.env.context.get("online_transaction_state", "pending")
        return {**action, "context": {f"search_default_{state}": 1}}

    def action_unlink_online_account(self):
        """*Stop synchronizing* in the journal's form. What was imported stays."""
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        # sudo: the right to connect and write access to the journals were checked above
        as_server(self)._unlink_online_account()

    def action_find_missing_transactions(self):
        """*Find Missing Transactions* in the menu of the card."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_missing_transaction_wizard_action"
        )
        return {**action, "context": {"dialog_size": "large", "default_journal_id": self.id}}

    def action_find_duplicate_transactions(self):
        """*Find Duplicate Transactions* in the menu of the card."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        return self.env["account.duplicate.transaction.wizard"].create({"journal_id": self.id}).action_search()

    # -------------------------------------------------------------------------
    # EXTENDS account
    # -------------------------------------------------------------------------

    def open_action(self):
        """*Transactions* and *To Review* on the card of a bank: one list, at first with what is left to do."""
        action = super().open_action()
        if self.type not in ("bank", "credit") or self.env.context.get("action_name"):
            return action
        only_to_review = self.env.context.get("search_default_to_check")
        filters = ("to_review",) if only_to_review else ("open", "to_review")
        return self._get_bank_lines_action(**{f"search_default_{name}": True for name in filters})

    def _get_bank_statements_available_sources(self):
        return [*super()._get_bank_statements_available_sources(), ("online_sync", self.env._("Bank Synchronization"))]

    @api.model
    def fetch_online_sync_favorite_institutions(self):
        """A handful of banks of the company's country, under the name that core knows.

        Errors give an empty list, because the caller's page must open in any case; results are cached per country.

        :return: list of dictionaries with ``country``, ``id``, ``name``, ``picture``
        """
        company = self.env.company
        country = company.country_id.code or company.account_fiscal_country_id.code
        if not country or not self.env.user.has_group("account.group_account_manager"):
            return []
        service = self.env["account.online.service"]._get()
        if service.url and (not service._is_known() or service.state != "active"):
            # Why not register: opening a page must not create a client or require a phone number.
            return []
        try:
            return list(self._favorite_institutions(country, service.url or ""))
        except ProxyError as error:
            _logger.info("No favourite banks: %s", error.code)
            return []

    @api.model
    @tools.ormcache("country", "service_url")
    def _favorite_institutions(self, country, service_url):
        """:raise ProxyError: which is not cached, unlike an answer"""
        # sudo: the caller has checked account.group_account_manager; banks of a country are public knowledge
        client = as_server(self.env["account.online.link"])._get_client()
        banks = read_banks(client.search_institutions(country=country, limit=FAVORITES)["institutions"])
        return tuple(
            {"country": bank["country"], "id": bank["id"], "name": bank["name"], "picture": bank["logo"]}
            for bank in banks
        )

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        result = super()._fill_bank_cash_dashboard_data(dashboard_data)
        bank_journals = self.filtered(lambda journal: journal.type in ("bank", "credit"))
        for journal_id, values in bank_journals._get_online_sync_dashboard_data().items():
            dashboard_data[journal_id]["online_sync"] = values
        return result

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _check_own_company(self):
        """:raise AccessError: for journals that the user can't read, or of companies that the user has no access to"""
        self.check_access("read")
        # Why also: Odoo lets users of a branch read the journals of the parent company.
        companies = self.company_id.ids
        self.with_context(allowed_company_ids=companies).env.companies  # noqa: B018  pylint: disable=pointless-statement

    def _get_bank_lines_action(self, **filters):
        """:param filters: keys of the context that switch filters on at first
        :return: action that lists the journal's bank transactions
        """
        self.ensure_one()
        action = self.env["account.bank.statement.line"]._get_list_action(
            [("journal_id", "=", self.id)], default_journal_id=self.id, **filters
        )
        return {**action, "display_name": self.display_name}

    def _get_reconciliation_action(self, lines=None):
        """Extension point: the screen on which users reconcile this journal's bank transactions.

        An addon that reconciles overrides it; it returns ``super()`` for journals that it does not reconcile. The
        list, the form and the summary of a first load offer *Reconcile* where there is an action. Access rights are
        checked by the callers, and again by the screen itself.

        :param lines: ``account.bank.statement.line`` of this journal to show; None: all that are open
        :return: action, or None where no installed addon reconciles
        """
        self.ensure_one()
        if not self.env.ref(OCA_RECONCILIATION, raise_if_not_found=False):
            return None
        action = self.env["ir.actions.act_window"]._for_xml_id(OCA_RECONCILIATION)
        context = safe_eval(action["context"] or "{}", {"active_id": self.id})
        domain = [("journal_id", "=", self.id)]
        if lines is not None:
            # Why not the default filter: a user may open a line that is reconciled, to look or to undo.
            context.pop("search_default_not_reconciled", None)
            domain = [("id", "in", lines.ids)]
        else:
            context["search_default_not_reconciled"] = True
        journal = {"active_id": self.id, "active_ids": self.ids, "active_model": "account.journal"}
        return {**action, "domain": domain, "context": {**context, **journal, "default_journal_id": self.id}}

    def _unlink_online_account(self):
        self.write({"account_online_account_id": False, "bank_statements_source": "undefined"})

    def _get_online_sync_dashboard_data(self):
        """What the cards show, with three queries for any number of cards.

        :return: dict from journal id to what the template needs
        """
        # Why: invoicing users see the dashboard, but have no access to connections.
        # sudo: reads what the card shows of the account of a journal that Odoo has already let the user see
        rows = self.sudo()._get_online_dashboard_rows()
        link_ids = {row.link_id for row in rows.values()}
        # sudo: reads what the card shows of these journals' own connections, nothing that names their secrets
        links = self.env["account.online.link"].sudo().browse(link_ids)
        shared, refused = (links._get_online_sync_cards(), links._get_refusal_cards()) if rows else ({}, {})
        cards = {}
        for journal in self:
            row = rows.get(journal.account_online_account_id.id)
            if not row:
                cards[journal.id] = {"linked": False}
                continue
            cards[journal.id] = {
                "linked": True,
                **shared[row.link_id],
                **refused.get(journal.account_online_account_id.id, {}),
                **self._get_online_balance_card(row),
            }
        return cards

    def _get_online_dashboard_rows(self):
        """What the cards of the dashboard show of each account that fills one of these journals.

        Why not the fields: hundreds of cards are loaded at once, and records cost several times as much as rows.

        :return: dict from account id to :class:`DashboardRow`; the difference is ``balance_difference``, not rounded
        """
        self.flush_model(["account_online_account_id", "active"])
        self.env["account.online.account"].flush_model()
        self.env["account.online.transaction"].flush_model(["account_online_account_id", "state"])
        self.env.cr.execute(
            """
            SELECT account.id, account.account_online_link_id, account.currency_id,
                   COALESCE(account.pending_count, 0), COALESCE(account.pending_amount, 0),
                   COALESCE(account.balance, 0) * CASE WHEN account.inverse_balance_sign THEN -1 ELSE 1 END,
                   account.balance_at,
                   CASE WHEN account.last_sync IS NULL OR account.balance_at IS NULL OR account.opening_unknown THEN 0
                        ELSE COALESCE(account.balance, 0) * CASE WHEN account.inverse_balance_sign THEN -1 ELSE 1 END
                             - COALESCE(account.journal_balance, 0) END,
                   CASE WHEN account.opening_declined THEN 0 ELSE COALESCE(account.opening_to_book, 0) END,
                   -- Why not where the bank reports no balance: nothing would ever change, see the account's form.
                   COALESCE(account.opening_unknown AND account.balance_at IS NOT NULL, FALSE),
                   COALESCE(parked.number, 0), COALESCE(unlinked.number, 0)
              FROM account_online_account account
         LEFT JOIN (SELECT account_online_account_id, COUNT(*) AS number
                      FROM account_online_transaction
                     WHERE account_online_account_id = ANY(%(accounts)s) AND state = 'parked'
                  GROUP BY 1) parked ON parked.account_online_account_id = account.id
         LEFT JOIN (SELECT account_online_link_id, COUNT(*) AS number
                      FROM account_online_account other
                     WHERE account_online_link_id IN (SELECT account_online_link_id FROM account_online_account
                                                       WHERE id = ANY(%(accounts)s))
                       AND other.is_left_out IS NOT TRUE
                       AND NOT EXISTS (SELECT FROM account_journal
                                        WHERE account_online_account_id = other.id AND active)
                  GROUP BY 1) unlinked ON unlinked.account_online_link_id = account.account_online_link_id
             WHERE account.id = ANY(%(accounts)s)
            """,
            {"accounts": self.account_online_account_id.ids},
        )
        return {row[0]: DashboardRow(*row[1:]) for row in self.env.cr.fetchall()}

    @api.model
    def _get_online_balance_card(self, row):
        """The bank's balance for the card, empty where it equals the journal's."""
        currency = self.env["res.currency"].browse(row.currency_id)
        differs = row.difference and not currency.is_zero(row.difference)
        return {
            "pending_count": row.pending_count,
            "pending_amount": currency.format(row.pending_amount) if row.pending_count else "",
            "difference": currency.format(abs(row.difference)) if differs else "",
            "opening_to_book": ""
            if currency.is_zero(row.opening_to_book)
            else currency.format(abs(row.opening_to_book)),
            "opening_unknown": row.opening_unknown,
            "bank_has_more": bool(differs and row.difference > 0),
            "bank_balance": currency.format(row.balance) if differs else "",
            "bank_balance_at": self.env["account.online.link"]._format_moment(row.balance_at) if differs else "",
            "parked_count": row.parked_count,
            "unlinked_count": row.unlinked_count,
        }
