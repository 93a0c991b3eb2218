from datetime import timedelta

from babel.dates import format_timedelta

from odoo import api, fields, models
from odoo.modules.module import get_manifest
from odoo.tools.misc import babel_locale_parse, format_date, format_datetime, format_time, get_lang

from .account_online_service_registration import REFUSALS

#: The one button that helps, by what a failure says is next. A test looks whether each failure leads somewhere.
BUTTON_OF_ACTION = {
    "retry": "synchronize",
    "renew": "renew",
    "reconnect": "reconnect",
    "answer_challenge": "code",
    "disable_auto_sync": "disable_auto_sync",
    "contact_support": "copy",
    "reactivate": "reactivate",
    "leave_out": "leave_out",
}

#: Failures whose sentences ask for more than their action says.
BUTTON_OF_CODE = {
    "credentials_rejected": "credentials",
    "unknown_account": "credentials",
    "no_service": "settings",
    "service_address": "settings",
}

#: Where nothing is known at the proxy, these would only bring the next failure.
BUTTONS_OF_A_CONNECTION = ("synchronize", "code", "renew", "credentials", "disable_auto_sync", "leave_out")

#: What goes away by itself is no danger.
KIND_OF_ACTION = {"retry": "warning", False: "info"}

#: Where somebody has to look comes first.
ORDER_OF_STATES = ("error", "connected", "disconnected")

#: Days that the picture of the history shows.
SHOWN_DAYS = 30


class AccountOnlineLink(models.Model):
    """What people see of a link, on the journal's card and in its own views: one sentence, one button, and when.

    A failure is designed here, not in the views: they show the button that :meth:`_get_status` names.
    """

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    # sudo: says in words what the link's readable fields and the presence of a consent mean; no identifier is shown
    status_kind = fields.Char(compute="_compute_status", compute_sudo=True, help="How the sentence looks.")
    # sudo: as for status_kind, nothing but sentences
    status_text = fields.Text(
        string="What Happened", compute="_compute_status", compute_sudo=True, help="Empty when all is well."
    )
    # sudo: as for status_kind, nothing but sentences
    status_hint = fields.Char(compute="_compute_status", compute_sudo=True, help="When it is tried again, or why.")
    # sudo: as for status_kind, nothing but the name of a button
    status_button = fields.Char(compute="_compute_status", compute_sudo=True, help="The one button that helps.")
    next_refresh_text = fields.Char(string="Next", compute="_compute_refresh_texts")
    last_refresh_text = fields.Char(string="Synchronized", compute="_compute_refresh_texts")
    # sudo: shows the client id and the reference, which are meant to be told, to readers of the link
    support_details = fields.Text(compute="_compute_support_details", compute_sudo=True)
    account_count = fields.Integer(string="Number of Bank Accounts", compute="_compute_account_counts")
    unlinked_count = fields.Integer(string="Accounts Not Linked", compute="_compute_account_counts")
    recent_days = fields.Json(
        string="Last 30 Days",
        compute="_compute_recent_days",
        help="List of {label, imported, failures, runs}, one for each day up to today.",
    )

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
        for link in self:
            status = link._get_status(refused.get(link, self.env["account.online.account"]))
            link.status_kind, link.status_text, link.status_hint, link.status_button = status

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

    @api.depends("account_online_account_ids.journal_ids", "account_online_account_ids.is_left_out")
    def _compute_account_counts(self):
        for link in self:
            accounts = link.account_online_account_ids
            link.account_count = len(accounts)
            link.unlinked_count = len(accounts.filtered(lambda account: account._is_new()))

    @api.depends("run_ids.imported", "run_ids.state")
    @api.depends_context("lang", "tz")
    def _compute_recent_days(self):
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=number) for number in reversed(range(SHOWN_DAYS))]
        rows = self.env["account.online.run"]._read_group(
            # Why a day more: days are those of the user's time zone.
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
        """Order of the columns; a state that no connection has gets none."""
        return [state for state in ORDER_OF_STATES if state in states]

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_disable_auto_sync(self):
        """*Switch Off*: for a bank that answers only while a user is present."""
        self.ensure_one()
        self._check_may_connect()
        self.auto_sync = False
        return self._notify(
            self.env._("Automatic synchronization is off. Use Synchronize Now when you want new transactions."),
            "success",
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ONE SENTENCE, ONE BUTTON
    # -------------------------------------------------------------------------

    def _get_status(self, refused):
        """
        :param refused: accounts that the bank refuses
        :return: how it looks (``danger``, ``warning``, ``info``), the sentence (empty when all is well), a second one
            that says when or why, and the button that helps (empty where none does)
        """
        self.ensure_one()
        if self.state == "connected":
            # Why by the date: the bank refuses the next question, also where it has not been asked yet.
            if self.consent_state == "ended":
                return "", "", "", "renew"
            return self._get_status_of_a_part("synchronize", refused)
        if self._is_cut_in_a_copy():
            can_connect = "bank.sync.api" in self.env
            return "info", self._describe_copy(can_connect), "", "reconnect" if can_connect else ""
        if not self.error_message:
            return "info", self._describe_disconnected(), "", "reconnect"
        action = self.error_action
        kind = KIND_OF_ACTION.get(action, "danger")
        button = BUTTON_OF_CODE.get(self.error_code) or BUTTON_OF_ACTION.get(action, "")
        if not self.connection_identifier and button in BUTTONS_OF_A_CONNECTION:
            button = "reconnect"
        if self.error_code in REFUSALS:
            return kind, self.error_message, *self._get_status_of_refusal(button)
        if action != "retry":
            return kind, self.error_message, "", button
        if self._is_told_to_wait():
            # Why no button: whoever says how long to wait answers nobody sooner, and some count the attempts.
            hint = self.env._("It answers again from %s on.", self._format_moment(self.retry_at))
            return kind, self.error_message, hint, "" if button == "synchronize" else button
        return kind, self.error_message, self._describe_next_attempt(), button

    def _get_status_of_refusal(self, button):
        """:return: hint and button for a connection service that refuses this database"""
        service = self.env["account.online.service"]._get()
        if service.state == "blocked" and service.blocked_by == "support":
            button = "copy"
        reason = service.reason if service.state in ("blocked", "disconnected") else ""
        return reason and self.env._("The connection service says: %s", reason), button

    def _is_told_to_wait(self):
        """Whether bank or proxy said until when nobody is to ask."""
        return bool(self.error_action == "retry" and self.retry_at and self.retry_at > fields.Datetime.now())

    @api.model
    def _is_neutralized(self):
        # sudo: reads one system parameter that is no secret, under a name of our own
        return bool(self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized"))

    def _is_cut_in_a_copy(self):
        return self.state == "disconnected" and not self.connection_identifier and self._is_neutralized()

    @api.model
    def _describe_copy(self, can_connect):
        if can_connect:
            return self.env._(
                "This database is a copy for tests: its banks were disconnected, and nothing is fetched. The original "
                "goes on working. To try things out here, use Reconnect and choose the Demo Bank."
            )
        return self.env._(
            "This database is a copy for tests: its banks were disconnected, and nothing is fetched. The original "
            "goes on working; there is nothing to do here."
        )

    def _describe_disconnected(self):
        if self.legacy_source:
            return self.env._(
                "This connection was made with an earlier module and can't fetch transactions any more. Use Reconnect "
                "to make a new one; your journals and their transactions stay as they are."
            )
        return self.env._(
            "This bank is not connected, so nothing is fetched. Use Reconnect to go on; the transactions that you "
            "already have stay."
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHEN, IN WORDS
    # -------------------------------------------------------------------------

    def _describe_next_attempt(self):
        """When what failed is tried again, and what becomes of what was missed: only here is known whether it is.

        :return: a sentence; empty where there is nothing to try again
        """
        if not self.auto_sync or self.state != "error" or not self.next_refresh:
            return ""
        if self.next_refresh <= fields.Datetime.now():
            return self.env._("It is tried again in a moment; what is missing is fetched then.")
        return self.env._(
            "It is tried again at %s; what is missing is fetched then.", self._format_moment(self.next_refresh)
        )

    def _describe_next(self, locale):
        """“in 5 hours (14:10)”, in the user's language."""
        if self.state == "disconnected" or not self.auto_sync or not self.next_refresh:
            return ""
        left = self.next_refresh - fields.Datetime.now()
        if left < timedelta(minutes=1):
            return self.env._("in a moment")
        return f"{format_timedelta(left, add_direction=True, locale=locale)} ({self._format_moment(self.next_refresh)})"

    def _format_moment(self, moment):
        """In the user's time zone; the day only where it is another one."""
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

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - CARDS
    # -------------------------------------------------------------------------

    def _get_online_sync_cards(self):
        """What the cards of all journals of a link have in common.

        :return: dict from link id to what the template needs
        """
        # Why all at once: one query, whatever the number of connections.
        self.fetch(
            [
                "state",
                "error_code",
                "error_action",
                "error_message",
                "error_reference",
                "error_at",
                "retry_at",
                "last_refresh",
                "next_refresh",
                "auto_sync",
                "expiring_synchronization_date",
                "legacy_source",
                "connection_identifier",
                "name",
                "provider_label",
                "service_notes",
                "has_refused_accounts",
            ]
        )
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
                "wait_until": fields.Datetime.to_string(link.retry_at) if link._is_told_to_wait() else "",
                "details": link.support_details if may_copy and link.status_button == "copy" else "",
                "last_refresh": link.last_refresh_text,
                "fetching": fetching.get(link.id, "done"),
                **link._get_consent_card(),
            }
            for link in self
        }
