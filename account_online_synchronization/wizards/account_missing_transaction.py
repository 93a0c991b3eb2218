import dataclasses
import json
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_datetime

from ..books import restore
from ..books.compare import compare
from ..books.kept import Kept
from ..books.read import policy_of
from ..books.run import client_for_user, try_lock
from ..client.errors import ProxyError
from ..models.account_online_run import REMEDIES, remedy_of
from ..sync.fetch import AccountFetch
from .account_missing_transaction_sections import Sections

#: The history that most banks provide without another consent.
USUAL_DAYS = 90

#: Seconds for which one request reads pages before the progress is shown.
READ_SECONDS = 2


class AccountMissingTransactionWizard(models.TransientModel):
    """*Find Missing Transactions*: compares the bank's transactions of some days with the journal.

    Plan, fetch and decide are those of a synchronization, but nothing is applied: the date of the last synchronization
    and the bookmark do not change, and nothing is written to the books before the user imports it. The bank's pages are
    stored as long as the wizard, so that an import needs no further requests.
    """

    _name = "account.missing.transaction.wizard"
    _description = "Find Missing Transactions"
    _inherit = ["account.online.server.fields"]

    journal_id = fields.Many2one(
        comodel_name="account.journal",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_journal_id(),
        domain="[('account_online_account_id', '!=', False)]",
    )
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: fields.Date.context_today(self) - timedelta(days=USUAL_DAYS - 1),
    )
    date_to = fields.Date(string="To", required=True, default=fields.Date.context_today)
    state = fields.Selection(
        selection=[("choose", "Choose"), ("reading", "Reading"), ("done", "Compared"), ("failed", "Failed")],
        default="choose",
        required=True,
        readonly=True,
    )
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        readonly=True,
        ondelete="cascade",
        help="Whose transactions were read. Pages of one account are never compared with the journal of another.",
    )
    page_ids = fields.One2many(comodel_name="account.missing.transaction.page", inverse_name="wizard_id", readonly=True)
    read_count = fields.Integer(readonly=True, help="Transactions received from the bank so far.")
    summary = fields.Char(readonly=True)
    notes = fields.Text(readonly=True, help="What limits the comparison.")
    # See account_missing_transaction_sections.py.
    sections = fields.Json(readonly=True)
    chosen = fields.Json(help="Keys of the selected transactions.")
    can_import = fields.Boolean(readonly=True)
    error_message = fields.Text(readonly=True)
    error_action = fields.Char(readonly=True)
    error_reference = fields.Char(readonly=True)

    # -------------------------------------------------------------------------
    # DEFAULT, COMPUTE AND CONSTRAINT METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _default_journal_id(self):
        """The journal, if there is only one to choose from."""
        journals = self.env["account.journal"].search([("account_online_account_id", "!=", False)], limit=2)
        return journals if len(journals) == 1 else journals.browse()

    @api.depends("journal_id")
    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = self.env._("Find Missing Transactions")

    @api.constrains("date_from", "date_to")
    def _check_days(self):
        for wizard in self:
            if wizard.date_from > wizard.date_to:
                raise ValidationError(self.env._("The first day is after the last one. Please swap them."))

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        """Why reset: the pages were read for other days or another journal."""
        result = super().write(vals)
        if not self.env.su and {"journal_id", "date_from", "date_to"} & vals.keys():
            # sudo: the user has just written these wizards; their pages are deleted
            as_server(self)._begin_again()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_compare(self):
        """*Compare with the Bank*, and *Try Again*."""
        self.ensure_one()
        wizard = self._server()
        if not self.journal_id.account_online_account_id:
            raise UserError(
                self.env._("%s is not connected to a bank. Use Connect bank first.", self.journal_id.display_name)
            )
        wizard._begin_again()
        wizard.write(
            {
                "state": "reading",
                "account_online_account_id": wizard.journal_id.account_online_account_id.id,
                "error_message": False,
            }
        )
        self.action_read_on()
        return self._show()

    def action_read_on(self):
        """Read the bank's next pages, for some seconds. The form calls it as long as the state is *reading*."""
        self.ensure_one()
        wizard = self._server()
        if wizard.state != "reading":
            return
        wizard._check_account()
        try:
            wizard._read_on()
        except ProxyError as error:
            wizard._show_error(error)

    def action_change(self):
        """*Other Days*."""
        self.ensure_one()
        self._server()._begin_again()
        return self._show()

    def action_import(self):
        """*Import Selected*."""
        self.ensure_one()
        wizard = self._server()
        chosen = {key for key in self.chosen if isinstance(key, str)} if isinstance(self.chosen, list) else set()
        if not chosen:
            raise UserError(self.env._("Select at least one transaction to import."))
        wizard._check_account()
        lines = wizard._import(chosen)
        return lines._get_list_action([("id", "in", lines.ids)])

    def action_solve(self):
        """The button for the error."""
        self.ensure_one()
        self._server()
        link = self.journal_id.account_online_link_id
        if self.error_action == "answer_challenge":
            return link.action_fetch_transactions()
        remedy = REMEDIES.get(self.error_action)
        return getattr(link, remedy)() if remedy else self.action_compare()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - READING
    # -------------------------------------------------------------------------

    def _server(self):
        """Check that the user may fetch the data of this wizard, now.

        :return: the wizard with superuser rights, for server fields
        """
        self.env["account.online.link"]._check_may_restore()
        self.check_access("write")
        self.journal_id.check_access("read")
        self.journal_id.account_online_link_id.check_access("read")
        # sudo: the group, the wizard's owner and read access to its journal and connection were checked above
        return as_server(self)

    def _check_account(self):
        """:raise UserError: if the journal now has another account than the one that was read"""
        if not self.account_online_account_id or self.account_online_account_id.journal_ids != self.journal_id:
            raise UserError(
                self.env._(
                    "%s has been connected to another account since these transactions were read. Use Other Days to "
                    "compare again.",
                    self.journal_id.display_name,
                )
            )

    def _begin_again(self):
        self.page_ids.unlink()
        self.write(
            {
                "state": "choose",
                "account_online_account_id": False,
                "read_count": 0,
                "sections": [],
                "chosen": [],
                "can_import": False,
            }
        )

    def _show(self):
        return self._get_records_action(name=self.display_name, target="new", context={"dialog_size": "large"})

    def _account(self):
        return self.account_online_account_id.with_company(self.account_online_account_id.company_id)

    def _plan_fetch(self):
        """:return: :class:`~..sync.fetch.AccountPlan`: the account's own one, for the chosen days"""
        account = self._account()
        since = account._within_history(self.date_from)
        return dataclasses.replace(account._plan_fetch(), since=since, cursor=None)

    def _read_on(self):
        """Plan, fetch without a transaction, and store the pages if the plan is still valid, like a synchronization.

        :raise ProxyError: that prevents reading the bank's pages
        """
        link = self._account().account_online_link_id
        connection_id, client = link._get_connection_identifier(), client_for_user(link).without_transaction()
        progress = self._progress()
        fetched, pages = AccountFetch(self._plan_fetch(), self.page_ids.mapped("next_cursor")), []
        # Why: no transaction is open while waiting for a bank. Only the state of this wizard was written so far.
        self.env["account.online.service"]._commit()
        until = time.monotonic() + READ_SECONDS
        while not fetched.is_complete:
            fetched.go(client, connection_id, max_pages=1, on_page=lambda _fetched, page: pages.append(page))
            if time.monotonic() >= until:
                break
        # Why: another tab may have read these pages or chosen other days in the meantime.
        if self.try_lock_for_update() and self._progress() == progress:
            self._take(fetched, pages)

    def _progress(self):
        """The plan and the pages read so far."""
        return self.state, self._plan_fetch(), self.page_ids.ids

    def _take(self, fetched, pages):
        """
        :param fetched: :class:`~..sync.fetch.AccountFetch`
        :param pages: list of its pages
        :raise ProxyError: that prevents reading the rest
        """
        account = self._account()
        if account._learn_history(fetched.history_days):
            # On days that the bank does not show, nothing is missing or deleted.
            self.date_from = account._within_history(self.date_from) or self.date_from
        if fetched.error:
            raise fetched.error
        self.page_ids.create(
            [
                {
                    "wizard_id": self.id,
                    "transactions": json.dumps(page["transactions"]),
                    "removed_ids": page["removed_ids"],
                    "next_cursor": page["has_more"] and page["next_cursor"],
                }
                for page in pages
            ]
        )
        self.read_count += fetched.progress.transactions
        if fetched.is_complete:
            self._show_result()

    def _window(self):
        """:return: :class:`~..sync.decide.Window` of the pages read"""
        fetched = AccountFetch(self._plan_fetch())
        for page in self.page_ids.sorted("id"):
            fetched.take({"transactions": json.loads(page.transactions), "removed_ids": page.removed_ids})
        return fetched.window

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SHOWING
    # -------------------------------------------------------------------------

    def _show_result(self):
        window = self._window()
        comparison = compare(self._account(), window, self.date_from, self.date_to)
        sections = Sections(self, comparison)
        self.write(
            {
                "state": "done",
                "summary": sections.summary(),
                "notes": "\n".join(sections.notes(window)),
                "sections": sections.all(),
                "can_import": any(one.is_importable for one in comparison.missing),
            }
        )

    def _show_error(self, error):
        message = error.message
        if error.retry_after:
            moment = fields.Datetime.now() + timedelta(seconds=error.retry_after)
            message += " " + self.env._(
                "You can compare again from %s on.", format_datetime(self.env, moment, dt_format="short")
            )
        action = remedy_of(error.code, error.action)
        if action in REMEDIES and not self.env.user.has_group("account.group_account_manager"):
            message += " " + self.env._("Please ask an accounting administrator to do it.")
            action = False
        self.page_ids.unlink()
        self.write(
            {
                "state": "failed",
                "error_message": message,
                "error_action": action,
                "error_reference": error.reference,
            }
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - IMPORTING
    # -------------------------------------------------------------------------

    def _import(self, keys):
        """Compare again, under a lock, and import what is still missing.

        :param set keys: of :class:`~..books.compare.Missing`
        :return: the new lines
        """
        account, link = self._account(), self._account().account_online_link_id
        if not try_lock(link):
            raise UserError(self.env._("%s is being synchronized right now. Try again in a minute.", link.display_name))
        found = compare(account, self._window(), self.date_from, self.date_to).missing
        chosen = [one for one in found if one.key in keys and one.is_importable]
        if not chosen:
            raise UserError(
                self.env._(
                    "The selected transactions have come into the journal in the meantime. Use Other Days to compare "
                    "again."
                )
            )
        Transaction = self.env["account.online.transaction"]
        kept, beside = Transaction, Kept(account, policy_of(account))
        for one in chosen:
            values = beside.values(one.entry)
            if not one.kept:
                kept += Transaction.create({**values, "state": "left_out", "reason_code": "before_start"})
                continue
            if one.is_changed:
                # Why: the bank has changed it, and the user has seen the new version.
                one.kept.write(values)
            kept += one.kept
        return restore.restore(account, kept)


class AccountMissingTransactionPage(models.TransientModel):
    """One page of the bank's answer, kept as long as its comparison. Only the server reads, makes and deletes any."""

    _name = "account.missing.transaction.page"
    _description = "Page of the Bank's Transactions"
    _inherit = ["account.online.server.fields"]

    wizard_id = fields.Many2one(
        comodel_name="account.missing.transaction.wizard", required=True, readonly=True, ondelete="cascade"
    )
    # Why a text: it keeps the answer unchanged, even if PostgreSQL's JSON can't store it.
    transactions = fields.Text(readonly=True)
    removed_ids = fields.Json(readonly=True)
    next_cursor = fields.Char(readonly=True)
