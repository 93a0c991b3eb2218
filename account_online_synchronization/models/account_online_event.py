from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..client.errors import ProxyError

KEEP_DAYS = 30
#: Events deleted per transaction; Odoo calls the autovacuum again while there are more.
BATCH = 10_000

#: Events make a link due no sooner after its last synchronization than this.
PAUSE_AFTER_SYNCHRONIZATION = timedelta(minutes=10)

#: Events of these kinds say only what to ask; the link shows what there is to do.
KINDS_TO_ASK = ("consent.expiring", "connection.disconnected")


class AccountOnlineEvent(models.Model):
    """Events of the connection service: each only says what to request.

    Requests only add events and never change one, so that no request waits for another; a scheduled action handles them
    and marks them as handled.
    """

    _name = "account.online.event"
    _description = "Event of the Connection Service"
    _order = "id desc"

    create_date = fields.Datetime(string="When", readonly=True, index=True)
    identifier = fields.Char(string="Event ID", readonly=True)
    kind = fields.Char(required=True, readonly=True)
    connection_identifier = fields.Char(readonly=True, groups="base.group_system")
    nonce = fields.Char(readonly=True, groups="base.group_system")
    is_handled = fields.Boolean(readonly=True)

    # Empty for events of a connection service in this database.
    _nonce_unique = models.UniqueIndex("(nonce)", "An event is received once.")
    _to_handle = models.Index("(id) WHERE is_handled IS NOT TRUE")

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.autovacuum
    def _gc_events(self):
        found = self.search([("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))], limit=BATCH)
        found.unlink()
        return len(found), len(found) == BATCH

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - RECEIVING
    # -------------------------------------------------------------------------

    @api.model
    def _receive(self, kind, connection_identifier=None, identifier=None, nonce=None):
        """Store an event, and trigger the scheduled action that handles it."""
        # sudo: the event was signed (controllers/events.py) or comes from the service in this database
        event = as_server(self).create(
            {"kind": kind, "connection_identifier": connection_identifier, "identifier": identifier, "nonce": nonce}
        )
        # sudo: triggers one fixed scheduled action, which searches for what is due
        self.sudo().env.ref("account_online_synchronization.ir_cron_look_after")._trigger()
        return event

    @api.model
    def _search_to_handle(self):
        """Why not older ones: the regular synchronization has shown the same in the meantime."""
        since = fields.Datetime.now() - timedelta(days=1)
        return self.search([("is_handled", "=", False), ("create_date", ">=", since)], order="id")

    def _about_client(self):
        return self.filtered(lambda event: event.kind.startswith("client."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - HANDLING
    # -------------------------------------------------------------------------

    def _handle(self):
        """Handle events about links. No transaction is open during requests to the service.

        :return: whether all were handled; events of links that are being synchronized stay open
        """
        to_ask = self.filtered(lambda event: event.kind in KINDS_TO_ASK)
        news = self.filtered(lambda event: event.kind == "transactions.new")
        # Why unknown kinds, too: a newer service may send kinds that this version does not know.
        (self - to_ask - news - self._about_client()).is_handled = True
        busy = news - news._make_links_due()
        (news - busy).is_handled = True
        self.env["ir.cron"]._commit_progress(len(self) - len(busy), remaining=len(to_ask))
        for identifier in set(to_ask.mapped("connection_identifier")):
            if not self._look_at_connection(identifier):
                busy += to_ask.filtered(lambda event, same=identifier: event.connection_identifier == same)
        (to_ask - busy).is_handled = True
        return not busy

    def _make_links_due(self):
        """Schedule the synchronization of links with new transactions.

        :return: the handled events
        """
        links = self.env["account.online.link"].search(
            [
                ("connection_identifier", "in", self.mapped("connection_identifier")),
                ("auto_sync", "=", True),
                ("state", "in", ("connected", "error")),
            ]
        )
        free = links.try_lock_for_update(allow_referencing=True)
        # Why not after a failure: the bank may have asked to wait until the next attempt.
        for link in free.filtered(lambda link: not link.failure_count):
            moment = fields.Datetime.now()
            if link.last_refresh:
                moment = max(moment, link.last_refresh + PAUSE_AFTER_SYNCHRONIZATION)
            if not link.next_refresh or link.next_refresh > moment:
                link.next_refresh = moment
            link._wake_schedule(moment)
        busy = set((links - free).mapped("connection_identifier"))
        return self.filtered(lambda event: event.connection_identifier not in busy)

    @api.model
    def _look_at_connection(self, identifier):
        """Request the state of a connection, and update the link.

        :return: whether the event was handled
        """
        link = self.env["account.online.link"].search([("connection_identifier", "=", identifier)], limit=1)
        if not identifier or not link or link.state == "disconnected":
            return True
        try:
            client = link._get_client()
            self.env["ir.cron"]._commit_progress(0)
            connection = client.get_connection(identifier)
        except ProxyError as error:
            if error.action == "retry":
                return False
            connection = error
        # Why locked only now: the transaction was ended before the request to the service.
        if not link.try_lock_for_update(allow_referencing=True):
            return False
        if isinstance(connection, ProxyError):
            link._register_error(connection)
        else:
            link._take_news_of_connection(connection)
        return True
