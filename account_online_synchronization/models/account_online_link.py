import logging
import math
import time
from datetime import timedelta

import psycopg2
from babel.dates import format_timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.base.models.ir_cron import _intervalTypes
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import AccessError, UserError
from odoo.modules.module import get_manifest
from odoo.tools import config
from odoo.tools.misc import babel_locale_parse, format_date, format_datetime, format_time, get_lang

from ..books import batch, prefetch
from ..books.run import Interrupted, Synchronization, TakenOver
from ..client.banks import read_capabilities
from ..client.errors import KEY_IS_MISSING, SERVICE_REFUSALS, STRANGERS, ProxyError
from ..client.health import Health
from ..client.messages import parse_moment
from ..sync import schedule
from ..sync.status import ACTION_OF_REFUSAL, SIGN_IN_BUTTONS, LinkFacts, describe, describe_health, is_rate_limited
from .ir_websocket import accountants_of

_logger = logging.getLogger(__name__)

#: Setting: whether new connections synchronize automatically, ``0`` or ``1``, because Odoo stores no False.
AUTO_SYNC = "account_online_synchronization.auto_sync"

#: Columns of the kanban view: what needs a person comes first.
ORDER_OF_STATES = ("error", "connected", "disconnected")

#: Fields of a link that describe an error, besides its state.
ERROR_FIELDS = ("error_code", "error_message", "error_reference", "error_action", "error_at", "retry_at")

#: A bank's health is shown until the period that it counts has passed.
HEALTH_LASTS = timedelta(hours=24)

#: Days that the chart of recent synchronizations shows.
SHOWN_DAYS = 30


class AccountOnlineLink(models.Model):
    """One consent of one user at one institution. The database's side of a connection of the proxy.

    See ``books/run.py`` for the synchronization, ``sync/status.py`` for what card and form show, and
    ``account.online.directory`` for the bank search.
    """

    _name = "account.online.link"
    _description = "Bank Connection"
    _inherit = ["account.online.notices", "account.online.server.fields"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, help="Name of the institution.")
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        selection=[("connected", "Connected"), ("error", "Error"), ("disconnected", "Disconnected")],
        default="disconnected",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        group_expand="_sort_states",
    )

    auto_sync = fields.Boolean(
        string="Automatic Synchronization",
        default=lambda self: self._default_auto_sync(),
        tracking=True,
        help="Fetch transactions automatically (by default every 12 hours). Switch it off for banks that only answer "
        "while a user is present.",
    )

    last_refresh = fields.Datetime(
        string="Last Synchronization", readonly=True, copy=False, help="Last successful synchronization."
    )
    next_refresh = fields.Datetime(
        string="Next Synchronization",
        readonly=True,
        copy=False,
        help="Next automatic synchronization. Sooner after a failure, unless the bank asks to wait.",
    )
    failure_count = fields.Integer(readonly=True, copy=False, help="Consecutive failures.")
    expiring_synchronization_date = fields.Date(
        string="Consent Valid Until", readonly=True, copy=False, help="The bank asks for a new consent after this day."
    )
    connection_identifier = fields.Char(readonly=True, copy=False, groups="base.group_system")
    provider_label = fields.Char(string="Provider", readonly=True)
    logo = fields.Char(readonly=True, help="Address of the bank's logo.")
    history_days = fields.Integer(
        readonly=True, copy=False, help="Days of transactions that the bank provides; 0 if it does not say."
    )
    reconfirm_days = fields.Integer(
        readonly=True,
        copy=False,
        help="The consent is confirmed every so many days with the connection service; 0: renewed at the bank.",
    )
    renewal_hint = fields.Char(compute="_compute_renewal_hint")
    service_notes = fields.Text(
        readonly=True,
        copy=False,
        help="Notes of the connection service on its last answer, such as missing or outdated data.",
    )
    # Health of the bank, which the connection service reports with each answer.
    bank_failed_of_ten = fields.Integer(
        readonly=True, copy=False, help="Of ten connections to this bank, how many failed within a day."
    )
    bank_answered_at = fields.Datetime(readonly=True, copy=False, help="When the bank last answered any of them.")
    bank_health_at = fields.Datetime(readonly=True, copy=False, help="When the connection service reported it.")
    client_identifier = fields.Char(
        string="Client ID",
        compute="_compute_client_identifier",
        # sudo: shows the client id, which is not secret, to account.group_account_manager only
        compute_sudo=True,
        groups="account.group_account_manager",
        help="Give it to the support of the connection service. It is not a secret.",
    )
    error_code = fields.Char(readonly=True, copy=False)
    error_message = fields.Text(string="Error Description", readonly=True, copy=False)
    error_reference = fields.Char(readonly=True, copy=False, help="Give it to support together with the description.")
    error_action = fields.Char(readonly=True, copy=False)
    error_at = fields.Datetime(readonly=True, copy=False, help="Last occurrence of the error.")
    retry_at = fields.Datetime(
        readonly=True, copy=False, help="Earliest next attempt, as requested by the bank or the proxy."
    )
    account_online_account_ids = fields.One2many(
        comodel_name="account.online.account",
        inverse_name="account_online_link_id",
        string="Bank Accounts",
        readonly=True,
    )
    journal_ids = fields.One2many(comodel_name="account.journal", inverse_name="account_online_link_id", readonly=True)
    renewal_ids = fields.One2many(comodel_name="account.online.renewal", inverse_name="link_id", readonly=True)
    renewal_text = fields.Char(compute="_compute_renewal_text", groups="account.group_account_manager")
    run_ids = fields.One2many(comodel_name="account.online.run", inverse_name="account_online_link_id", readonly=True)
    has_refused_accounts = fields.Boolean(compute="_compute_has_refused_accounts", store=True)
    account_count = fields.Integer(string="Number of Bank Accounts", compute="_compute_account_counts")
    unlinked_count = fields.Integer(string="Accounts Not Linked", compute="_compute_account_counts")
    # sudo: computed from readable fields and the existence of a consent; no identifier is shown
    status_kind = fields.Char(compute="_compute_status", compute_sudo=True, help="danger, warning, info or empty.")
    # Empty if there is no problem.
    # sudo: as for status_kind, nothing but sentences
    status_text = fields.Text(string="What Happened", compute="_compute_status", compute_sudo=True)
    # Time of the next attempt, or the reason.
    # sudo: as for status_kind, nothing but sentences
    status_hint = fields.Char(compute="_compute_status", compute_sudo=True)
    # sudo: as for status_kind, nothing but the name of a button
    status_button = fields.Char(compute="_compute_status", compute_sudo=True, help="The button that helps.")
    next_refresh_text = fields.Char(string="Next", compute="_compute_refresh_texts")
    last_refresh_text = fields.Char(string="Synchronized", compute="_compute_refresh_texts")
    # sudo: shows the client id and the reference, which are meant for support, to readers of the link
    support_details = fields.Text(compute="_compute_support_details", compute_sudo=True)
    # List of {label, imported, failures, runs}, one for each day up to today.
    recent_days = fields.Json(string="Last 30 Days", compute="_compute_recent_days")
    legacy_source = fields.Char(
        string="Earlier Module's Table", readonly=True, copy=False, help="Where the connection was taken over from."
    )
    legacy_provider = fields.Char(string="Earlier Provider", readonly=True, copy=False)
    legacy_reference = fields.Char(
        string="Earlier Reference",
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The connection's id at the earlier provider, shown for its support only.",
    )
    legacy_institution = fields.Char(
        string="Earlier Institution Id", readonly=True, copy=False, groups="base.group_system"
    )

    # -------------------------------------------------------------------------
    # DEFAULT METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _default_auto_sync(self):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        return self.env["ir.config_parameter"].sudo().get_param(AUTO_SYNC) != "0"

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends(
        "state",
        "error_code",
        "error_message",
        "error_action",
        "retry_at",
        "next_refresh",
        "auto_sync",
        "expiring_synchronization_date",
        "legacy_source",
        "connection_identifier",
        "service_notes",
        "account_online_account_ids.refusal_message",
        "account_online_account_ids.journal_ids",
    )
    @api.depends_context("lang", "tz")
    def _compute_status(self):
        refused = self._refused_accounts()
        translate = self.env["account.online.service"]._translate
        for link in self:
            status = link._get_status(refused.get(link, self.env["account.online.account"]))
            link.status_kind, link.status_button = status.kind, status.button
            link.status_text, link.status_hint = translate(status.sentence), translate(status.hint)

    @api.depends("last_refresh", "next_refresh", "auto_sync", "state")
    @api.depends_context("lang", "tz")
    def _compute_refresh_texts(self):
        locale = babel_locale_parse(get_lang(self.env).code)
        for link in self:
            link.last_refresh_text = self._format_ago(link.last_refresh, locale)
            link.next_refresh_text = link._describe_next(locale)

    @api.depends("error_code", "error_reference", "error_at", "name", "provider_label")
    @api.depends_context("lang", "tz")
    def _compute_support_details(self):
        service = self.env["account.online.service"]._get()
        client = service._is_registered() and service.client_identifier
        version = get_manifest("account_online_synchronization").get("version", "")
        for link in self:
            moment = link.error_at and format_datetime(
                self.env, link.error_at, tz="UTC", dt_format="yyyy-MM-dd HH:mm:ss"
            )
            parts = [
                client and self.env._("Client ID: %s", client),
                link.error_reference and self.env._("Reference: %s", link.error_reference),
                link.error_code and self.env._("Code: %s", link.error_code),
                moment and self.env._("Time: %s UTC", moment),
                self.env._("Bank: %s", link.name),
                link.provider_label and self.env._("Provider: %s", link.provider_label),
                self.env._("Version: %s", version),
            ]
            link.support_details = "\n".join(part for part in parts if part)

    @api.depends("reconfirm_days")
    @api.depends_context("lang")
    def _compute_renewal_hint(self):
        for link in self:
            if link.reconfirm_days:
                link.renewal_hint = self.env._(
                    "This consent is confirmed every %s days with the connection service. Nobody has to sign in at the "
                    "bank: Renew takes one click.",
                    link.reconfirm_days,
                )
            else:
                link.renewal_hint = self.env._(
                    "The bank asks for a new consent when this one ends: the person who renews it needs the bank login."
                )

    @api.depends("renewal_ids.state", "renewal_ids.expires_at")
    def _compute_renewal_text(self):
        now = fields.Datetime.now()
        for link in self:
            sent = link.renewal_ids.filtered(lambda renewal: renewal.state == "sent" and renewal.expires_at > now)[:1]
            link.renewal_text = bool(sent) and self.env._(
                "%(address)s was asked to renew the consent. The link works until %(date)s.",
                address=sent.email,
                date=format_date(self.env, sent.expires_at),
            )

    @api.depends("account_online_account_ids.journal_ids", "account_online_account_ids.is_left_out")
    def _compute_account_counts(self):
        for link in self:
            accounts = link.account_online_account_ids
            link.account_count = len(accounts)
            link.unlinked_count = len(accounts.filtered(lambda account: account._is_new()))

    @api.depends("account_online_account_ids.refusal_code")
    def _compute_has_refused_accounts(self):
        for link in self:
            link.has_refused_accounts = any(link.account_online_account_ids.mapped("refusal_code"))

    def _compute_client_identifier(self):
        service = self.env["account.online.service"]._get()
        self.client_identifier = service._is_registered() and service.client_identifier

    @api.depends("run_ids.imported", "run_ids.state")
    @api.depends_context("lang", "tz")
    def _compute_recent_days(self):
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=number) for number in reversed(range(SHOWN_DAYS))]
        rows = self.env["account.online.run"]._read_group(
            # Why a day more: days are counted in the user's time zone.
            [("account_online_link_id", "in", self.ids), ("started_at", ">=", days[0] - timedelta(days=1))],
            ["account_online_link_id", "started_at:day"],
            ["imported:sum", "failures:sum", "__count"],
        )
        sums = {(link.id, day.date()): tuple(numbers) for link, day, *numbers in rows}
        labels = {day: format_date(self.env, day) for day in days}
        for link in self:
            link.recent_days = [
                {"label": labels[day], "imported": imported, "failures": failures, "runs": runs}
                for day in days
                for imported, failures, runs in [sums.get((link._origin.id, day), (0, 0, 0))]
            ]

    @api.model
    def _sort_states(self, states, _domain):
        """Order of the columns; empty ones are not shown."""
        return [state for state in ORDER_OF_STATES if state in states]

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        result = super().write(vals)
        if vals.get("auto_sync"):
            for link in self.filtered(lambda link: link.state != "disconnected"):
                link._wake_schedule(link.next_refresh)
        elif "auto_sync" in vals:
            # Why cleared: the failure asked for nothing else.
            for link in self.filtered(lambda link: link.error_action == "disable_auto_sync"):
                # sudo: the user has just written the link
                as_server(link)._clear_error()
        if not {"expiring_synchronization_date", "responsible_user_id"}.isdisjoint(vals):
            for link in self:
                link._update_status_activity()
        return result

    def try_lock_for_update(self, *, allow_referencing=False, limit=None):
        """Why overridden: every caller reads the locked links next, so one query does both."""
        if not self or not self.env.su or not allow_referencing or limit is not None:
            return super().try_lock_for_update(allow_referencing=allow_referencing, limit=limit)
        return prefetch.lock(self)

    @api.ondelete(at_uninstall=False)
    def _unlink_revoke_connection(self):
        """Revoke the consent. An unreachable proxy must not prevent the deletion of a link."""
        # sudo: Odoo has checked that the user may delete these links; their accounts and consents go with them
        for link in as_server(self):
            journals = link.journal_ids
            journals._unlink_online_account()
            # Why here: ON DELETE CASCADE would not call ``unlink()`` of the accounts.
            link.account_online_account_ids.unlink()
            if link.connection_identifier:
                link._note_deletion(journals, link._try_to_give_back())

    def _try_to_give_back(self):
        """:return: whether the consent was revoked"""
        try:
            self._get_client().delete_connection(self.connection_identifier)
        except ProxyError as error:
            _logger.warning("Online link %s: the consent could not be revoked: %s", self.id, error)
            return False
        return True

    def _note_deletion(self, journals, is_given_back):
        """Note in the journals who deleted the connection, because its own chatter is deleted with it.

        :param journals: the journals that it filled
        :param bool is_given_back: False if the service was not reachable, so that the consent is valid until its end
        """
        if is_given_back:
            consent = self.env._("Its consent was revoked.")
        else:
            consent = self.env._(
                "Its consent could not be revoked just now: revoke it at the bank, or wait for it to expire."
            )
        for journal in journals:
            journal.message_post(
                body=self.env._(
                    "The bank connection %(name)s of this journal was deleted. %(consent)s",
                    name=self.name,
                    consent=consent,
                )
            )

    # -------------------------------------------------------------------------
    # ACTIONS - SYNCHRONIZE
    # -------------------------------------------------------------------------

    def action_fetch_transactions(self):
        """*Fetch Transactions* and *Synchronize Now*: fetch with the user present, and report the result."""
        self.ensure_one()
        self._check_may_synchronize()
        # sudo: _check_may_synchronize above has checked the group and read access to the link
        return as_server(self)._synchronize(user_present=True, may_defer=True)

    def action_fetch_accounts(self):
        """*Fetch Accounts*: request the accounts that the consent covers, and let the user choose journals for them."""
        self._check_may_change()
        # sudo: _check_may_change above has checked the right to connect and write access to the link
        link = as_server(self)
        try:
            client, connection_id = link._get_client(), link._get_connection_identifier()
            link.env["account.online.account"]._update_from_proxy(link, client.list_accounts(connection_id))
        except ProxyError as error:
            link._register_error(error)
            return link._notify(error.message, "danger")
        if not link.account_online_account_ids:
            return link._notify(
                self.env._(
                    "The consent covers no bank account. Use Update Credentials and select the accounts that Odoo "
                    "may read."
                ),
                "warning",
            )
        return self._open_account_selection(refresh=True)

    def action_disable_auto_sync(self):
        """*Switch Off*: for a bank that answers only while a user is present."""
        self._check_may_change()
        self.auto_sync = False
        return self._notify(
            self.env._("Automatic synchronization is off. Use Synchronize Now when you want new transactions."),
            "success",
        )

    def action_leave_out_refused(self):
        """*Leave Out*: disconnect accounts that the bank has closed from their journals. Their transactions stay."""
        self._check_may_change()
        accounts = self.account_online_account_ids._refused_ones().filtered(
            lambda account: ACTION_OF_REFUSAL.get(account.refusal_code) == "leave_out"
        )
        names = ", ".join(accounts.mapped("display_name"))
        # sudo: _check_may_change above has checked the right to connect and write access; the accounts are its own
        accounts, link = as_server(accounts), as_server(self)
        accounts.journal_ids._unlink_online_account()
        accounts.write({"is_left_out": True})
        accounts._forget_refusal()
        if link.error_action == "leave_out":
            link._clear_error()
        link._update_status_activity()
        if not names:
            return self._notify(
                self.env._("The bank refuses no account of %s, so none was left out.", self.name), "info"
            )
        link.message_post(body=self.env._("Left out, because the bank refuses it: %s.", names))
        return self._notify(
            self.env._(
                "%s is no longer synchronized. Its journal and its transactions stay; Fetch Accounts brings it back.",
                names,
            ),
            "success",
        )

    # -------------------------------------------------------------------------
    # ACTIONS - CONNECT
    # -------------------------------------------------------------------------

    @api.model
    def action_connect_bank(self):
        """*Add a Bank Account*: let the user choose a bank."""
        return self.env["account.online.directory"]._open()

    def action_reconnect(self):
        """*Reconnect*: a new consent for the same connection; one that the proxy no longer has is created again.

        A connection of an earlier module can't be reconnected. A new one is made: its accounts are recognized by their
        numbers, and their journals are proposed.
        """
        self._check_may_change()
        if self.legacy_source:
            journals = self.account_online_account_ids._legacy_journals()
            directory = self.env["account.online.directory"].with_company(self.company_id)
            return directory._open(journals if len(journals) == 1 else None)
        return self.env["account.online.authorization"]._open("consent", link=self)

    def action_renew(self):
        """*Renew*: open the bank's page for a new consent; accounts, journals and transactions stay."""
        return self.action_reconnect()

    def action_ask_to_renew(self):
        """*Request Renewal*: an e-mail to the person who has the bank's login."""
        self.ensure_one()
        return self.env["account.online.renewal"]._open_for(self)

    def action_revoke_renewal(self):
        """*Withdraw*: invalidate the link that was sent."""
        self._check_may_change()
        # sudo: _check_may_change above has checked the right to connect and write access to the link
        as_server(self).renewal_ids._revoke()

    def action_update_credentials(self):
        """*Update Credentials*: new credentials, or another choice of accounts, for the same connection."""
        if self.legacy_source:
            return self.action_reconnect()
        self._check_may_change()
        return self.env["account.online.authorization"]._open("credentials", link=self)

    def action_reactivate(self):
        """*Reactivate*: confirm the phone number, so that the connection service accepts this database again."""
        self._check_may_change()
        service = self.env["account.online.service"]._get()
        try:
            service._refresh_status()
        except ProxyError as error:
            return self._notify(error.message, "danger")
        if service.state == "active":
            return self._notify(self.env._("The connection service answers again. No action is needed."), "success")
        if service.state == "blocked" and service.blocked_by == "support":
            return self._notify(self._describe_block_by_support(service.reason), "danger")
        code = {"phone_required": "phone_required", "disconnected": "client_disconnected"}.get(service.state)
        error = ProxyError(code or "client_blocked", "")
        if not service._wants_phone(error):
            return self._notify(self.error_message or service._describe_state(), "danger")
        return self.env["account.online.phone"]._open(error, "synchronize", self)

    @api.model
    def _describe_block_by_support(self, reason):
        message = self.env._(
            "The support of the connection service has blocked this database, and only support can unblock it. Use "
            "Copy Details and send them to support."
        )
        if reason:
            message += " " + self.env._("Message from the connection service: %(reason)s", reason=reason)
        return message

    def action_disconnect(self):
        """*Disconnect*: revoke the consent after the user has confirmed the password."""
        self._check_may_change()
        return self._disconnect_with_identity()

    @check_identity
    def _disconnect_with_identity(self):
        # Why once more: after the password check Odoo calls this method directly, not through the button.
        self._check_may_change()
        return self._give_consent_back()

    def _give_consent_back(self):
        """Revoke the consent. The link, its journals and imported lines stay."""
        # sudo: _check_may_change has checked the right to connect and write access to the link
        link = as_server(self)
        if not link.try_lock_for_update(allow_referencing=True):
            return link._notify(
                self.env._("%s is being synchronized right now. Try again in a moment.", self.name), "info"
            )
        try:
            if link.connection_identifier:
                link._get_client().delete_connection(link.connection_identifier)
        except ProxyError as error:
            if error.action == "retry" or error.code == "unexpected_answer":
                # Why nothing is deleted: without the connection's identifier the consent could never be revoked.
                message = self.env._("The bank is still connected, because its consent could not be revoked.")
                return link._notify(f"{message} {error.message}", "danger")
            _logger.info("Online link %s: there was no consent to give back: %s", link.id, error.code)
        link._disconnect()
        return link._notify(
            self.env._("The bank is disconnected. Imported transactions stay; Reconnect resumes the connection."),
            "success",
        )

    # -------------------------------------------------------------------------
    # ACTIONS - OPEN
    # -------------------------------------------------------------------------

    def action_open_first_load(self, challenge=None):
        """The screen with the progress of the load and its summary.

        :param dict challenge: action that opens the page where the bank asks for a code, if it does
        """
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "account_online_synchronization.first_load",
            "name": self.env._("First Load"),
            "params": {"link_id": self.id, "challenge": challenge or False},
            # Why "main": the account selection is finished, so the breadcrumb must not lead back to it.
            "target": "main",
        }

    def get_first_load(self):
        """:return: what the screen of the first load shows; it calls this after each message on the bus"""
        self.ensure_one()
        self._check_may_synchronize()
        # sudo: _check_may_synchronize above has checked the group and read access to the link; nothing is written
        link = as_server(self)
        return link.env["account.online.run"]._describe_first_load(link)

    def action_open_reconciliation(self, journal_id):
        """Open an installed addon's reconciliation, else the list of the journal's transactions."""
        self.ensure_one()
        self._check_may_synchronize()
        journal = self.journal_ids.filtered(lambda journal: journal.id == journal_id)
        if not journal:
            return self.action_open_lines()
        return journal._get_reconciliation_action() or journal._get_bank_lines_action()

    def action_open_lines(self):
        """*Transactions*: lines imported from the accounts of this link."""
        self.ensure_one()
        return self.account_online_account_ids.action_open_lines()

    def action_open_transactions(self):
        """Kept transactions of the accounts of this link."""
        self.ensure_one()
        return self.account_online_account_ids.action_open_transactions()

    def action_open_runs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_online_run_action"
        )
        return {**action, "domain": [("account_online_link_id", "=", self.id)]}

    def action_open_settings(self):
        """*Open Settings*: the page with the address of the connection service."""
        return self.env["ir.actions.act_window"]._for_xml_id("account.action_account_config")

    def action_open_migration(self):
        """*Taken Over*: the rows of the earlier module that were migrated, and what to review."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_online_migration_action"
        )
        return {**action, "domain": ["|", ("account_online_link_id", "=", self.id), ("kind", "=", "problem")]}

    def _open_account_selection(self, journal=None, *, refresh):
        """:param bool refresh: ask the bank for news before the first load; not needed right after a visit"""
        self.ensure_one()
        selection = self.env["account.online.account.selection"]._create_for(self, journal, refresh=refresh)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "account_online_synchronization.account_online_account_selection_action"
            ),
            "res_id": selection.id,
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ACCESS
    # -------------------------------------------------------------------------

    @api.model
    def _check_may_connect(self):
        if not self.env.user.has_group("account.group_account_manager"):
            raise AccessError(
                self.env._("Only accounting administrators connect banks. Please ask one of them to do it for you.")
            )

    def _check_may_change(self):
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")

    def _lock_or_refuse(self, records):
        """Lock records of these connections until the end of the transaction.

        :raise UserError: if one of them is in use
        """
        if len(records.try_lock_for_update(allow_referencing=True)) < len(records):
            names = ", ".join(self.mapped("name"))
            raise UserError(self.env._("%s is being synchronized right now. Try again in a moment.", names))

    def _check_may_synchronize(self):
        self.check_access("read")
        if not self.env.user.has_group("account.group_account_basic"):
            raise AccessError(self.env._("Only accountants fetch bank transactions. Please ask one of them."))

    @api.model
    def _check_may_restore(self):
        if not self.env.user.has_group("account.group_account_basic"):
            raise AccessError(self.env._("Only accountants change bank transactions. Please ask one of them."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SYNCHRONIZATION
    # -------------------------------------------------------------------------

    def _synchronize(self, **options):
        """Fetch and store the news of all linked accounts.

        :param options: of :class:`~..books.run.Synchronization`
        :return: action that reports the result, or opens the page where the bank asks for a code
        """
        self.ensure_one()
        return Synchronization(self, **options).go()

    def _is_long(self):
        # Why not refused accounts: their request is a single short one.
        accounts = self._linked_accounts().filtered(lambda account: not account.refusal_code)
        return schedule.is_long(accounts.mapped("last_sync"), fields.Date.today())

    def _linked_accounts(self):
        return self.account_online_account_ids.filtered("journal_ids")

    @api.model
    def _language(self):
        """:return: language of the current user, such as ``fr_BE``, cached over transactions"""
        return self.env.context.get("lang") or self.env["res.users"].context_get().get("lang")

    def _in_its_language(self):
        """For scheduled actions: they write messages on the link in the language of its responsible user."""
        return self.with_context(lang=self.responsible_user_id.lang or self._language())

    def _succeed(self, run):
        now = fields.Datetime.now()
        run.write({"state": "done", "ended_at": now})
        self._clear_error()
        delay = schedule.after_success(self._interval(), self._share())
        self._plan_next(delay, last_refresh=now, failure_count=0)
        self._send_status("done")

    def _fail(self, run, error, user_present):
        run.write(
            {
                "state": "failed",
                "ended_at": fields.Datetime.now(),
                "error_code": error.code,
                "error_message": error.message,
                "error_reference": error.reference,
            }
        )
        self._register_error(error)
        self.failure_count += 1
        self._plan_next(schedule.after_failure(error.action, self.failure_count, self._interval(), error.retry_after))
        self._send_status("failed")
        return self._notify(error.message, "warning" if user_present and error.action == "renew" else "danger")

    def _send_status(self, status):
        """Notify the dashboards of accountants, which then refresh their cards.

        :param str status: ``planned``, ``running``, ``done`` or ``failed``
        """
        if self.env.context.get("online_status_is_sent_later"):
            return
        for links in self.grouped("company_id").values():
            links._send_to_accountants(
                "account_online_synchronization/status", {"journal_ids": links.journal_ids.ids, "status": status}
            )

    def _send_to_accountants(self, kind, message):
        """:param str kind: of the message, for the accountants of the one company to which these links belong"""
        self.env["bus.bus"]._sendone(accountants_of(self.company_id), kind, message)

    def _send_progress(self):
        """Notify open screens of the first load, which then request the progress."""
        self._send_to_accountants("account_online_synchronization/progress", {"link_id": self.id})

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SCHEDULE
    # -------------------------------------------------------------------------

    @api.model
    def _scheduled_action(self):
        """``ref`` of one of this addon's scheduled actions, cached over transactions, with superuser rights."""
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "account_online_synchronization.ir_cron_synchronize", raise_if_not_found=True
        )
        # sudo: a scheduled action of this addon; callers pass fixed names
        return self.env["ir.cron"].sudo().browse(cron_id)

    def _interval(self):
        """:return: timedelta between two automatic synchronizations, from the scheduled action"""
        cron = self._scheduled_action()
        now = fields.Datetime.now()
        return now + _intervalTypes[cron.interval_type](cron.interval_number) - now

    def _share(self):
        """:return: a number from 0 to 1, constant for each link, that spreads the links over the interval"""
        return schedule.share(self.env["account.online.service"]._database_uuid(), self.id)

    def _plan_next(self, delay, **values):
        self.write({"next_refresh": fields.Datetime.now() + delay, **values})
        if self.auto_sync:
            self._wake_schedule(self.next_refresh)

    def _wake_schedule(self, moment):
        """Why a trigger besides the interval: each link is due at its own time."""
        self._scheduled_action()._trigger(at=moment or None)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - CONNECTION
    # -------------------------------------------------------------------------

    @api.model
    def _get_client(self):
        """:return: :class:`ProxyClient` for this database
        :raise ProxyError: when there is no connection service, or it does not know this database
        """
        return self.env["account.online.service"]._get()._get_client()

    def _get_connection_identifier(self):
        """:raise ProxyError: when there is no connection, as in a neutralized copy"""
        self.ensure_one()
        if not self.connection_identifier:
            raise ProxyError(
                "no_connection",
                self.env._(
                    "%s is not connected, so nothing can be fetched. Use Reconnect to connect the bank; "
                    "the transactions that you already have stay.",
                    self.name,
                ),
                action="reconnect",
            )
        return self.connection_identifier

    @api.model
    def _create_from_proxy(self, connection, accounts, company):
        """A new link for a connection that the user has just made.

        :param dict connection: *connection* of docs/protocol.md
        :param list accounts: *account* objects
        """
        # Why first: a refused connection must not leave a link behind.
        self.browse()._check_connection_is_not_shared(connection["id"])
        institution = connection.get("institution") or {}
        link = self.create({"name": institution.get("name") or self.env._("Bank"), "company_id": company.id})
        link._update_from_proxy(connection, accounts)
        if not read_capabilities(institution.get("capabilities"))["auto_sync"]:
            link.auto_sync = False
            link.message_post(
                body=self.env._(
                    "%s answers only while a user is present, so automatic synchronization is off. "
                    "Use Synchronize Now to fetch new transactions.",
                    link.name,
                )
            )
        return link

    def _update_from_proxy(self, connection, accounts):
        """Update the link from the proxy's data of a working connection."""
        self.ensure_one()
        self._check_connection_is_not_shared(connection["id"])
        institution = connection.get("institution") or {}
        capabilities = read_capabilities(institution.get("capabilities"))
        expiry = parse_moment(connection.get("consent_expires_at"))
        self.write(
            {
                "connection_identifier": connection["id"],
                "provider_label": (connection.get("provider") or {}).get("label") or False,
                "logo": institution.get("logo") or False,
                "expiring_synchronization_date": expiry and expiry.date(),
                "history_days": capabilities["history_days"] or self.history_days,
                "reconfirm_days": capabilities["reconfirm_days"],
            }
        )
        self._clear_error()
        self.account_online_account_ids._forget_what_the_consent_refused()
        return self.env["account.online.account"]._update_from_proxy(self, accounts)

    def _has_consent(self):
        """Whether the consent is valid as far as known; temporary failures do not end it."""
        expiry = self.expiring_synchronization_date
        return (
            self.state != "disconnected"
            and self.error_action not in ("renew", "reconnect")
            and not (expiry and expiry < fields.Date.today())
        )

    def _check_connection_is_not_shared(self, identifier):
        """A consent belongs to one link of one company.

        :raise ProxyError: when the connection service returns the connection of another link
        """
        # sudo: the link that has the connection may belong to a company that the user does not see.
        others = self.sudo().search_count([("connection_identifier", "=", identifier), ("id", "!=", self.id)], limit=1)
        if others:
            raise ProxyError(
                "unexpected_answer",
                self.env._(
                    "The connection service returned the consent of another connection of this database, so "
                    "nothing was changed. Please report this to the support of the connection service."
                ),
            )

    def _take_news_of_connection(self, connection):
        """Update the link with the state that was requested after an event."""
        if connection.get("state") == "disconnected":
            message = self.env._(
                "This connection was cut by the support of the connection service, so nothing is fetched any more. "
                "Use Reconnect to connect the bank again; the transactions that you already have stay."
            )
            if reason := connection.get("reason"):
                message += " " + self.env._("Message from support: %s", reason)
            self._register_error(ProxyError("connection_disconnected", message, action="reconnect"))
            return
        expiry = parse_moment(connection.get("consent_expires_at"))
        self._write_changes({"expiring_synchronization_date": expiry and expiry.date()})

    def _take_notes(self, answer):
        """Store the notes of an answer of ``connections.refresh``, see :func:`..client.answers.read_visit`."""
        self._write_changes({"service_notes": "\n".join(answer.get("notes", ())) or False})

    def _take_health(self, health):
        """:param health: :class:`~..client.health.Health`; None where the answers do not contain it"""
        if health or self.bank_health_at:
            self.write(
                {
                    "bank_failed_of_ten": health.failed_of_ten if health else 0,
                    "bank_answered_at": health.answered_at if health else False,
                    "bank_health_at": fields.Datetime.now() if health else False,
                }
            )

    def _get_health_card(self):
        """The card's warning that connections to this bank currently fail for others, too.

        :return: a sentence; empty if the bank is healthy, or the information is outdated
        """
        leads_to_the_bank = self.status_button in SIGN_IN_BUTTONS or self._get_consent_card()["renew"]
        is_recent = self.bank_health_at and fields.Datetime.now() - self.bank_health_at < HEALTH_LASTS
        if not is_recent or not (leads_to_the_bank or self.state == "error"):
            return ""
        sentence = describe_health(Health(self.bank_failed_of_ten, self.bank_answered_at or None))
        return self.env["account.online.service"]._translate(sentence) if sentence else ""

    def _close_replaced(self):
        """Close the link, all of whose accounts have moved to another connection."""
        self._clear_error()
        message = self.env._("All accounts are synchronized by another connection now, so this one can be deleted.")
        # Why without an action: Reconnect would request a consent without any use.
        self.write({"state": "disconnected", "error_code": "replaced", "error_message": message})
        self.message_post(body=message)

    def _disconnect(self):
        """Forget the consent. Accounts keep their journals and transactions."""
        self._clear_error()
        self.write(
            {
                "state": "disconnected",
                "connection_identifier": False,
                "expiring_synchronization_date": False,
                "next_refresh": False,
                "failure_count": 0,
            }
        )
        # Why: a bookmark is valid only with the consent under which it was issued.
        self.account_online_account_ids.sync_cursor = False
        open_runs = self.run_ids.filtered(lambda run: run.state in ("planned", "running"))
        open_runs._interrupt(self.env._("The bank was disconnected."))
        self.message_post(
            body=self.env._(
                "The bank was disconnected and the consent was revoked. Journals and transactions are unchanged."
            )
        )
        self._send_status("done")

    @api.model
    def _go_on_after_refusal(self):
        """Make links due that were refused because of the database, now that the service accepts it again."""
        refused = SERVICE_REFUSALS + STRANGERS
        links = self.search([("error_code", "in", refused), ("connection_identifier", "!=", False)])
        for link in links:
            link._clear_error()
        if links:
            links.write({"next_refresh": fields.Datetime.now(), "failure_count": 0})
            links._wake_schedule(None)

    @api.model
    def _leave_former_client(self):
        """Disconnect all links after a new registration: their connections belong to the previous client."""
        error = ProxyError(
            "registered_anew",
            self.env._(
                "This database was registered again at the connection service, so its connections are no longer "
                "valid there. Use Reconnect to connect the bank again; accounts, journals and transactions stay."
            ),
            action="reconnect",
        )
        # Why those, too: otherwise they would be retried as soon as the service accepts the new registration.
        valid = ["|", ("state", "!=", "disconnected"), ("error_code", "in", STRANGERS)]
        for link in self.search([("connection_identifier", "!=", False), *valid]):
            link._register_error(error)

    @api.model
    def _receive_event(self, kind, connection_identifier=None):
        """Receive an event from the connection service in this database."""
        self.env["account.online.event"]._receive(kind, connection_identifier)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ERRORS
    # -------------------------------------------------------------------------

    def _register_error(self, error):
        """Show an error on the link. It is posted in the chatter once, not after each attempt."""
        self.ensure_one()
        is_new, now = error.code != self.error_code, fields.Datetime.now()
        # Why also without an identifier: there is no connection to retry, whatever the error advises.
        is_gone = error.action == "reconnect" or not self.connection_identifier
        self.write(
            {
                "state": "disconnected" if is_gone else "error",
                "error_code": error.code,
                "error_message": error.message,
                "error_reference": error.reference,
                "error_action": error.action,
                "error_at": now,
                "retry_at": error.retry_after and now + timedelta(seconds=error.retry_after),
            }
        )
        self._update_status_activity()
        if error.code in SERVICE_REFUSALS:
            self.env["account.online.service"]._get()._note_refusal(error.code)
        if not is_new:
            return
        body = error.message
        if error.action == "disable_auto_sync":
            body += " " + self.env._(
                "Please disable the automatic synchronization of this connection and use Synchronize Now instead."
            )
        if error.reference:
            body += "\n" + self.env._("Reference: %s", error.reference)
        self.message_post(body=body)

    def _clear_error(self):
        self._write_changes({"state": "connected", **dict.fromkeys(ERROR_FIELDS, False)})
        self._update_status_activity()

    def _refused_accounts(self):
        """:return: dict from a link to its accounts that fill a journal and are refused by the bank

        Why a search: the dashboard calls it for hundreds of links, very few of which have such an account.
        """
        links = self.filtered("has_refused_accounts")
        accounts = self.env["account.online.account"].search(
            [("account_online_link_id", "in", links.ids), ("refusal_code", "!=", False), ("journal_ids", "!=", False)]
        )
        return accounts.grouped("account_online_link_id")

    def _notify(self, message, kind):
        """:param str kind: ``success``, ``info``, ``warning`` or ``danger``"""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": message,
                "type": kind,
                "sticky": kind in ("warning", "danger"),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - STATUS
    # -------------------------------------------------------------------------

    def _get_status(self, refused):
        """:param refused: accounts that the bank refuses
        :return: :class:`~..sync.status.Status`
        """
        service = self.env["account.online.service"]
        refusal = service._get() if self.error_code in SERVICE_REFUSALS else service
        is_connected = bool(self.connection_identifier)
        return describe(
            LinkFacts(
                now=fields.Datetime.now(),
                state=self.state,
                has_connection=is_connected,
                has_consent_ended=self.consent_state == "ended",
                auto_sync=self.auto_sync,
                next_refresh=self.next_refresh or None,
                error_code=self.error_code or "",
                error_action=self.error_action or "",
                error_message=self.error_message or "",
                retry_at=self.retry_at or None,
                refusals=tuple((account.refusal_code, account._describe_refusal()) for account in refused),
                service_notes=self.service_notes or "",
                is_blocked_by_support=refusal.state == "blocked" and refusal.blocked_by == "support",
                service_reason=(refusal.state in ("blocked", "disconnected") and refusal.reason) or "",
                is_neutralized=not is_connected and service._is_neutralized(),
                is_embedded="bank.sync.api" in self.env,
                is_legacy=bool(self.legacy_source),
            )
        )

    def _is_rate_limited(self):
        return is_rate_limited(self.error_action, self.retry_at, fields.Datetime.now())

    def _describe_next(self, locale):
        """“in 5 hours (14:10)”, in the user's language."""
        if self.state == "disconnected" or not self.auto_sync or not self.next_refresh:
            return ""
        left = self.next_refresh - fields.Datetime.now()
        if left < timedelta(minutes=1):
            return self.env._("in a moment")
        return f"{format_timedelta(left, add_direction=True, locale=locale)} ({self._format_moment(self.next_refresh)})"

    def _format_moment(self, moment):
        """A time in the user's time zone, with the day unless it is today."""
        zone = str(self.env.tz)
        if fields.Datetime.context_timestamp(self, moment).date() == fields.Date.context_today(self):
            return format_time(self.env, moment, tz=zone, time_format="short")
        return format_datetime(self.env, moment, tz=zone, dt_format="short")

    @api.model
    def _format_ago(self, moment, locale):
        """“2 hours ago” in the user's language, or an empty string."""
        if not moment:
            return ""
        passed = fields.Datetime.now() - moment
        if passed < timedelta(minutes=1):
            return self.env._("just now")
        return format_timedelta(-passed, add_direction=True, locale=locale)

    def _get_online_sync_cards(self):
        """:return: dict from link id to the values that the cards of its journals share"""
        fetching = self.env["account.online.run"]._get_fetching_status(self)
        may_copy = self.env.user.has_group("account.group_account_basic")
        return {
            link.id: {
                "state": link.state,
                "action": link.error_action or "",
                "kind": link.status_kind,
                "error": link.status_text,
                "hint": link.status_hint,
                "button": link.status_button,
                "wait_until": fields.Datetime.to_string(link.retry_at) if link._is_rate_limited() else "",
                "details": link.support_details if may_copy and link.status_button == "copy" else "",
                "last_refresh": link.last_refresh_text,
                "fetching": fetching.get(link.id, "done"),
                "health": link._get_health_card(),
                **link._get_consent_card(),
            }
            for link in self
        }

    def _get_refusal_cards(self):
        """What cards show instead of the status of the link, which names all refused accounts.

        :return: dict from the id of a refused account
        """
        translate = self.env["account.online.service"]._translate
        may_copy = self.env.user.has_group("account.group_account_basic")
        cards = {}
        for link, accounts in self._refused_accounts().items():
            for account in accounts:
                status = link._get_status(account)
                cards[account.id] = {
                    "kind": status.kind,
                    "error": translate(status.sentence),
                    "hint": translate(status.hint),
                    "button": status.button,
                    "details": link.support_details if may_copy and status.button == "copy" else "",
                }
        return cards

    # -------------------------------------------------------------------------
    # SCHEDULED ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _cron_synchronize(self):
        """Synchronize every link that is due, each in a separate transaction; one failure does not stop the others."""
        batch.synchronize_each(self._search_due())

    @api.model
    def _search_due(self, domain=()):
        return self.search(
            [
                ("auto_sync", "=", True),
                "|",
                ("state", "in", ("connected", "error")),
                # Why, although disconnected: no event says that the secret is available again.
                ("error_code", "=", KEY_IS_MISSING),
                ("journal_ids", "!=", False),
                "|",
                ("next_refresh", "=", False),
                ("next_refresh", "<=", fields.Datetime.now()),
                *domain,
            ],
            # Why ordered: if the time is not sufficient for all, the ones that have waited longest are done.
            order="last_refresh nulls first, id",
        )

    @api.model
    def _cron_fetch_planned(self):
        """Do the long synchronizations that users have requested, and continue runs of workers that died."""
        runs = self.env["account.online.run"].search(
            [("is_deferred", "=", True), ("state", "in", ("planned", "running"))], order="id"
        )
        planned = {run.account_online_link_id.id: run for run in runs}
        batch.synchronize_each(self.browse(planned), planned)

    @api.model
    def _get_transport_for_threads(self):
        """:return: transport of :mod:`..client.transport`, None where links must be fetched one after the other"""
        try:
            return self._get_client().for_threads()
        except ProxyError:
            # Why ignored here: each link runs into the same error and shows it.
            return None

    def _deadline(self):
        """:return: moment (monotonic seconds) at which a long load stops; endless outside of a scheduled action

        Why not Odoo's own 10 seconds: each continuation repeats requests to the bank, whose number is limited. Half of
        the time after which Odoo stops a worker is left to other actions.
        """
        end = self.env.context.get("cron_end_time", math.inf)
        limit = config["limit_time_real_cron"]
        limit = config["limit_time_real"] if limit < 0 else limit
        return end + (limit / 2 or math.inf)

    def _checkpoint(self, left, deadline):
        """Commit what is stored so far, and lock the link again.

        :param int left: number of links that the scheduled action has not finished
        :raise Interrupted: when there is no time left, or another worker has locked the link
        """
        self.env["ir.cron"]._commit_progress(1, remaining=left)
        if not self.try_lock_for_update(allow_referencing=True):
            raise TakenOver
        if time.monotonic() > deadline:
            raise Interrupted

    def _note_interruption(self, error):
        """Note it in a separate transaction, after the failed one was rolled back."""
        try:
            with self.env.cr.savepoint():
                run = self.run_ids.filtered(lambda run: run.state == "running")
                run._interrupt(str(error))
                message = self.env._(
                    "The synchronization was interrupted: %s. No data was lost; it is retried automatically.", error
                )
                reference = run and f"RUN-{run[0].id}"
                self._register_error(ProxyError("interrupted", message, reference or None, action="retry"))
                self.failure_count += 1
                self._plan_next(schedule.back_off(self.failure_count, self._interval()))
                self._send_status("failed")
        except psycopg2.Error:
            _logger.warning("Online link %s: the interruption could not be noted", self.id, exc_info=True)
