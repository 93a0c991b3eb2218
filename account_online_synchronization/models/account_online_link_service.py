from datetime import timedelta

from odoo import api, fields, models

from ..client.errors import ProxyError
from ..client.messages import parse_moment
from .account_online_service_registration import REFUSALS

#: Events make a link due no sooner after its last synchronization than this.
PAUSE_AFTER_SYNCHRONIZATION = timedelta(minutes=10)

#: The link shows what else there is to do; these say only what to ask.
KINDS_TO_ASK = ("consent.expiring", "connection.disconnected")


class AccountOnlineLink(models.Model):
    """What the connection service says of this database, and of its links without being asked."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    client_identifier = fields.Char(
        string="Client ID",
        compute="_compute_client_identifier",
        # sudo: shows the client id, which is no secret, to account.group_account_manager only
        compute_sudo=True,
        groups="account.group_account_manager",
        help="Tell it to the support of the connection service; it is no secret.",
    )

    def _compute_client_identifier(self):
        service = self.env["account.online.service"]._get()
        self.client_identifier = service._is_registered() and service.client_identifier

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_reactivate(self):
        """*Reactivate*: confirm the phone number, so that the connection service answers this database again."""
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        service = self.env["account.online.service"]._get()
        try:
            service._refresh_status()
        except ProxyError as error:
            return self._notify(error.message, "danger")
        if service.state == "active":
            return self._notify(self.env._("The connection service answers again. Nothing has to be done."), "success")
        if service.state == "blocked" and service.blocked_by == "support":
            return self._notify(self._describe_block_by_support(service.reason), "danger")
        code = {"phone_required": "phone_required", "disconnected": "client_disconnected"}.get(service.state)
        error = ProxyError(code or "client_blocked", "")
        if not service._wants_phone(error):
            return self._notify(self.error_message or service._describe_state(), "danger")
        return self.env["account.online.phone"]._open(error, "synchronize", self)

    def action_open_settings(self):
        """*Open Settings*: where the address of the connection service stands."""
        return self.env["ir.actions.act_window"]._for_xml_id("account.action_account_config")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - THIS DATABASE AS A CLIENT
    # -------------------------------------------------------------------------

    def _register_error(self, error):
        result = super()._register_error(error)
        if error.code in REFUSALS:
            self.env["account.online.service"]._get()._note_refusal(error.code)
        return result

    @api.model
    def _describe_block_by_support(self, reason):
        message = self.env._(
            "The support of the connection service has blocked this database, and only it can lift that. Use Copy "
            "Details, and send them to support."
        )
        return f"{message} {self.env._('The connection service says: %s', reason)}" if reason else message

    @api.model
    def _go_on_after_refusal(self):
        """The service answers this database again, so all links that were refused for its sake are synchronized."""
        links = self.search([("error_code", "in", REFUSALS), ("connection_identifier", "!=", False)])
        for link in links:
            link._clear_error()
        if links:
            links.write({"next_refresh": fields.Datetime.now(), "failure_count": 0})
            links._wake_schedule(None)

    @api.model
    def _leave_former_client(self):
        """This database has registered anew: no connection of the former registration answers it."""
        error = ProxyError(
            "registered_anew",
            self.env._(
                "This database was registered anew at the connection service, which knows none of its connections "
                "any more. Use Reconnect to connect the bank again; accounts, journals and transactions stay."
            ),
            action="reconnect",
        )
        for link in self.search([("connection_identifier", "!=", False), ("state", "!=", "disconnected")]):
            link._register_error(error)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - EVENTS
    # -------------------------------------------------------------------------

    @api.model
    def _receive_event(self, kind, connection_identifier=None):
        """An event from a connection service in this very database."""
        self.env["account.online.event"]._receive(kind, connection_identifier)

    @api.model
    def _handle_events(self, events):
        """Do what events of links want. No transaction is open while the service is asked.

        :return: whether all were handled; what is being synchronized at the moment is not
        """
        to_ask = events.filtered(lambda event: event.kind in KINDS_TO_ASK)
        news = events.filtered(lambda event: event.kind == "transactions.new")
        # Why the others, too: a newer service may tell what this version does not know.
        (events - to_ask - news - events._about_client()).is_handled = True
        busy = news - self._become_due(news)
        (news - busy).is_handled = True
        self.env["ir.cron"]._commit_progress(len(events) - len(busy), remaining=len(to_ask))
        for identifier in set(to_ask.mapped("connection_identifier")):
            if not self._look_at_connection(identifier):
                busy += to_ask.filtered(lambda event, same=identifier: event.connection_identifier == same)
        (to_ask - busy).is_handled = True
        return not busy

    @api.model
    def _become_due(self, events):
        """:param events: that tell of new transactions
        :return: those that are handled
        """
        links = self.search(
            [
                ("connection_identifier", "in", events.mapped("connection_identifier")),
                ("auto_sync", "=", True),
                ("state", "in", ("connected", "error")),
            ]
        )
        free = links.try_lock_for_update(allow_referencing=True)
        for link in free:
            moment = max(
                fields.Datetime.now(),
                (link.last_refresh or fields.Datetime.now() - PAUSE_AFTER_SYNCHRONIZATION)
                + PAUSE_AFTER_SYNCHRONIZATION,
            )
            # Why not after a failure: then its next attempt is what the bank asked to wait for.
            if not link.failure_count and (not link.next_refresh or link.next_refresh > moment):
                link.next_refresh = moment
            if not link.failure_count:
                link._wake_schedule(moment)
        busy = set((links - free).mapped("connection_identifier"))
        return events.filtered(lambda event: event.connection_identifier not in busy)

    @api.model
    def _look_at_connection(self, identifier):
        """Ask what became of a connection, and show it.

        :return: whether that is settled
        """
        link = self.search([("connection_identifier", "=", identifier)], limit=1)
        if not identifier or not link or link.state == "disconnected":
            return True
        try:
            client = self._get_client()
            self.env["ir.cron"]._commit_progress(0)
            connection = client.get_connection(identifier)
        except ProxyError as error:
            if error.action == "retry":
                return False
            # Why looked again: the transaction has changed while the service was asked.
            connection = error
        if not link.try_lock_for_update(allow_referencing=True):
            return False
        if isinstance(connection, ProxyError):
            link._register_error(connection)
        else:
            link._take_news_of_connection(connection)
        return True

    def _take_news_of_connection(self, connection):
        """:param dict connection: *connection* of docs/protocol.md"""
        if connection.get("state") == "disconnected":
            message = self.env._(
                "This connection was cut by the support of the connection service, so nothing is fetched any more. "
                "Use Reconnect to connect the bank again; the transactions that you already have stay."
            )
            reason = connection.get("reason")
            if isinstance(reason, str) and reason:
                message += " " + self.env._("Support says: %s", reason)
            self._register_error(ProxyError("connection_disconnected", message, action="reconnect"))
            return
        expiry = parse_moment(connection.get("consent_expires_at"))
        if (expiry and expiry.date()) != (self.expiring_synchronization_date or None):
            self.expiring_synchronization_date = expiry and expiry.date()
