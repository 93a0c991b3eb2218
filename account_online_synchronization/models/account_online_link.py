import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import AccessError

from ..client.errors import ProxyError
from ..client.messages import parse_moment
from .server_fields import as_server

_logger = logging.getLogger(__name__)


class AccountOnlineLink(models.Model):
    """One consent of one user at one institution. The database's side of a connection of the proxy."""

    _name = "account.online.link"
    _description = "Bank Connection"
    _inherit = ["mail.thread", "mail.activity.mixin", "account.online.server.fields"]
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
        default=True,
        tracking=True,
        help="Fetch transactions by itself, every 12 hours unless the scheduled action says otherwise. "
        "Switch it off for banks that only answer while a user is present.",
    )
    last_refresh = fields.Datetime(
        string="Last Synchronization",
        readonly=True,
        copy=False,
        help="When transactions were last fetched with success.",
    )
    next_refresh = fields.Datetime(
        string="Next Synchronization",
        readonly=True,
        copy=False,
        help="When transactions are fetched automatically again. After a failure it is tried sooner, unless the bank "
        "asks to wait.",
    )
    failure_count = fields.Integer(readonly=True, copy=False, help="Failures in a row.")
    expiring_synchronization_date = fields.Date(
        string="Consent Valid Until", readonly=True, copy=False, help="The bank asks for a new consent after this day."
    )
    connection_identifier = fields.Char(readonly=True, copy=False, groups="base.group_system")
    provider_label = fields.Char(string="Provider", readonly=True)
    logo = fields.Char(readonly=True, help="Address of the institution's logo.")
    error_code = fields.Char(readonly=True, copy=False)
    error_message = fields.Text(string="Error Description", readonly=True, copy=False)
    error_reference = fields.Char(readonly=True, copy=False, help="Tell it to support together with the description.")
    error_action = fields.Char(readonly=True, copy=False)
    error_at = fields.Datetime(readonly=True, copy=False, help="When it was last seen.")
    retry_at = fields.Datetime(
        readonly=True, copy=False, help="Bank or proxy asked not to be asked before this moment."
    )
    account_online_account_ids = fields.One2many(
        comodel_name="account.online.account",
        inverse_name="account_online_link_id",
        string="Bank Accounts",
        readonly=True,
    )
    journal_ids = fields.One2many(comodel_name="account.journal", inverse_name="account_online_link_id", readonly=True)
    run_ids = fields.One2many(comodel_name="account.online.run", inverse_name="account_online_link_id", readonly=True)

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        result = super().write(vals)
        if vals.get("auto_sync"):
            for link in self.filtered(lambda link: link.state != "disconnected"):
                link._wake_schedule(link.next_refresh)
        elif "auto_sync" in vals:
            # Why: that was all that the failure asked for.
            for link in self.filtered(lambda link: link.error_action == "disable_auto_sync"):
                # sudo: the user has just written the link
                as_server(link)._clear_error()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_revoke_connection(self):
        """Give the consent back. A proxy that is out of reach must not keep the user from deleting the link."""
        # sudo: Odoo has checked that the user may delete these links; their accounts and consents go with them
        for link in as_server(self):
            journals = link.journal_ids
            journals._unlink_online_account()
            # Why here: the database would delete them without telling anybody.
            link.account_online_account_ids.unlink()
            if link.connection_identifier:
                link._note_deletion(journals, link._try_to_give_back())

    def _try_to_give_back(self):
        """:return: whether the consent was given back"""
        try:
            self._get_client().delete_connection(self.connection_identifier)
        except ProxyError as error:
            _logger.warning("Online link %s: the consent could not be revoked: %s", self.id, error)
            return False
        return True

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_fetch_transactions(self):
        """*Fetch Transactions* and *Synchronize Now*: fetch with the user present, and tell what came of it."""
        self.ensure_one()
        self._check_may_synchronize()
        # sudo: _check_may_synchronize above has checked the group and read access to the link
        return as_server(self)._synchronize(user_present=True, may_defer=True)

    def action_fetch_accounts(self):
        """*Fetch Accounts*: ask for the accounts that the consent covers, and let the user choose journals for them."""
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        # sudo: the right to connect and write access to the link were checked above
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
                    "The consent covers no bank account. "
                    "Use Update Credentials and tick the accounts that Odoo may read."
                ),
                "warning",
            )
        return self._open_account_selection(refresh=True)

    def action_reconnect(self):
        """*Reconnect*: a new consent for the same connection; a connection that is gone is made anew."""
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        return self.env["account.online.authorization"]._open("consent", link=self)

    def action_update_credentials(self):
        """*Update Credentials*: new credentials, or another choice of accounts, for the same connection."""
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        return self.env["account.online.authorization"]._open("credentials", link=self)

    def action_disconnect(self):
        """*Disconnect*: give the consent back, once the user has confirmed the password."""
        self.ensure_one()
        self._check_may_disconnect()
        return self._disconnect_with_identity()

    @check_identity
    def _disconnect_with_identity(self):
        # Why once more: Odoo comes back here after the password, and not through the button.
        self._check_may_disconnect()
        return self._give_consent_back()

    def _give_consent_back(self):
        """Give the consent back. The link, its journals and what was imported stay.

        :return: action that tells what came of it
        """
        # sudo: _check_may_disconnect has asked for the right to connect and write access to the link
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
                # Why nothing is done: without the connection's identifier the consent could never be given back.
                message = self.env._("The bank is still connected, because its consent could not be given back.")
                return link._notify(f"{message} {error.message}", "danger")
            _logger.info("Online link %s: there was no consent to give back: %s", link.id, error.code)
        link._disconnect()
        return link._notify(
            self.env._("The bank is disconnected. What was imported stays; Reconnect takes it up again."), "success"
        )

    def action_open_lines(self):
        """*Transactions*: what the bank's accounts brought."""
        self.ensure_one()
        return self.account_online_account_ids.action_open_lines()

    def action_open_transactions(self):
        """What the bank reports and is no statement line."""
        self.ensure_one()
        return self.account_online_account_ids.action_open_transactions()

    def action_open_runs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_online_run_action"
        )
        return {**action, "domain": [("account_online_link_id", "=", self.id)]}

    def _open_account_selection(self, journal=None, *, refresh):
        """:param bool refresh: ask the bank for news before the first load; not needed straight after its pages"""
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

    def _check_may_disconnect(self):
        self._check_may_connect()
        self.check_access("write")

    def _check_may_synchronize(self):
        self.check_access("read")
        if not self.env.user.has_group("account.group_account_basic"):
            raise AccessError(self.env._("Only accountants fetch bank transactions. Please ask one of them."))

    @api.model
    def _check_may_restore(self):
        if not self.env.user.has_group("account.group_account_basic"):
            raise AccessError(self.env._("Only accountants change bank transactions. Please ask one of them."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PROXY
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
        # Why first: what is refused must leave no link behind.
        self.browse()._check_connection_is_not_shared(connection["id"])
        institution = connection.get("institution") or {}
        link = self.create({"name": institution.get("name") or self.env._("Bank"), "company_id": company.id})
        link._update_from_proxy(connection, accounts)
        if not (institution.get("capabilities") or {}).get("auto_sync", True):
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
        """Take over what the proxy says of a connection that works."""
        self.ensure_one()
        self._check_connection_is_not_shared(connection["id"])
        expiry = parse_moment(connection.get("consent_expires_at"))
        self.write(
            {
                "connection_identifier": connection["id"],
                "provider_label": (connection.get("provider") or {}).get("label") or False,
                "logo": (connection.get("institution") or {}).get("logo") or False,
                "expiring_synchronization_date": expiry and expiry.date(),
            }
        )
        self._clear_error()
        self.account_online_account_ids._forget_what_the_consent_refused()
        return self.env["account.online.account"]._update_from_proxy(self, accounts)

    def _check_connection_is_not_shared(self, identifier):
        """A consent belongs to one link of one company.

        :raise ProxyError: when the connection service names the connection of another link as this one's
        """
        # sudo: the link that has the connection may belong to a company that the user does not see.
        others = self.sudo().search_count([("connection_identifier", "=", identifier), ("id", "!=", self.id)], limit=1)
        if others:
            raise ProxyError(
                "unexpected_answer",
                self.env._(
                    "The connection service gave this bank connection the consent of another one in this database, so "
                    "nothing was taken over. Please report it to the support of the connection service."
                ),
            )

    def _close_replaced(self):
        """All accounts have moved to another connection: nothing is left to synchronize here."""
        self._clear_error()
        message = self.env._("All accounts are synchronized by another connection now, so this one can be deleted.")
        # Why without an action: there is nothing to do, and Reconnect would only ask for a consent that nobody needs.
        self.write({"state": "disconnected", "error_code": "replaced", "error_message": message})
        self.message_post(body=message)

    def _disconnect(self):
        """Forget the consent, and nothing else: accounts keep their journals and what is known of them."""
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
        # Why: a bookmark belongs to the consent that it was given for.
        self.account_online_account_ids.sync_cursor = False
        open_runs = self.run_ids.filtered(lambda run: run.state in ("planned", "running"))
        open_runs._interrupt(self.env._("The bank was disconnected."))
        self.message_post(
            body=self.env._(
                "The bank was disconnected and the consent was given back. Journals and transactions stay as they are."
            )
        )
        self._send_status("done")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ERRORS
    # -------------------------------------------------------------------------

    def _register_error(self, error):
        """Show an error on the link; the chatter hears of it once, not at every attempt."""
        self.ensure_one()
        is_new, now = error.code != self.error_code, fields.Datetime.now()
        # Why also without an identifier: there is nothing to fetch, whatever has kept the user from connecting.
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
        values = {
            "state": "connected",
            "error_code": False,
            "error_message": False,
            "error_reference": False,
            "error_action": False,
            "error_at": False,
            "retry_at": False,
        }
        # Why: most of the time there is none, and a write costs even where it changes nothing.
        if any(self[name] != value for name, value in values.items()):
            self.write(values)
        self._update_status_activity()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ANSWERS TO THE USER
    # -------------------------------------------------------------------------

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
