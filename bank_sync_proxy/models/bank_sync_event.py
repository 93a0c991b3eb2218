import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from .clean_up import clean_up

_logger = logging.getLogger(__name__)

#: How many events one commit covers.
BATCH = 32
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=12)
GIVE_UP_AFTER = timedelta(days=3)
#: Days that delivered events are kept: few, as a million connections have millions of events each day.
KEEP_DELIVERED_DAYS = 3
KEEP_DAYS = 30


class BankSyncEvent(models.Model):
    """An event that notifies a database. It only says what to request; the database always requests the data itself.

    So an event may arrive twice, late or never: a database that polls misses nothing.
    """

    _name = "bank.sync.event"
    _description = "Bank Synchronization Event"
    _order = "id"

    create_date = fields.Datetime(string="When", readonly=True, index=True)
    client_id = fields.Many2one(
        comodel_name="bank.sync.client", required=True, readonly=True, index=True, ondelete="cascade"
    )
    connection_id = fields.Many2one(
        comodel_name="bank.sync.connection", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    kind = fields.Selection(
        selection=[
            ("transactions.new", "New Transactions"),
            ("consent.expiring", "Consent Ends Soon"),
            ("connection.disconnected", "Connection Disconnected"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        selection=[("pending", "To Be Delivered"), ("delivered", "Delivered"), ("given_up", "Given Up")],
        required=True,
        readonly=True,
        default="pending",
    )
    attempts = fields.Integer(readonly=True)
    next_attempt_at = fields.Datetime(readonly=True, default=lambda self: fields.Datetime.now())
    last_error = fields.Char(readonly=True)

    _due = models.Index("(next_attempt_at, id) WHERE state = 'pending'")
    #: In the order of the search in :meth:`_emit`, which reads one row of it, also for events without a connection.
    _waiting = models.Index("(client_id, kind, connection_id, id) WHERE state = 'pending'")
    #: Without undeliverable events, which are kept longer: the clean-up would read all of them for each batch.
    _delivered = models.Index("(create_date) WHERE state = 'delivered'")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - EMITTING
    # -------------------------------------------------------------------------

    @api.model
    def _emit(self, client, kind, connection=None):
        """Queue an event for a database. Nothing is sent here, so the calling code neither waits nor fails.

        :param str kind: of docs/protocol.md, "Events"
        :return: the event, or an equal one that is still pending
        """
        # sudo: callers are private and have checked what happened to the client or connection
        event_sudo = as_server(self)
        about = {"client_id": client.id, "kind": kind, "connection_id": connection.id if connection else False}
        waiting = event_sudo.search(
            [*((name, "=", value) for name, value in about.items()), ("state", "=", "pending")],
            # Why not by id alone: PostgreSQL would read all events in the order of their ids until it finds one.
            order="connection_id.id, id",
            limit=1,
        )
        # Why the lock: an equal event that is being delivered may have been received before this change was stored.
        waiting = waiting.try_lock_for_update() or event_sudo.create(about)
        # sudo: wakes up one scheduled action, which decides itself what there is to do
        self.env.ref("bank_sync_proxy.ir_cron_deliver_events").sudo()._trigger()
        return waiting

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - DELIVERING
    # -------------------------------------------------------------------------

    @api.model
    def _cron_deliver(self):
        """Deliver what is due, a batch at a time. Workers share the work by the rows' locks."""
        remaining = float("inf")
        while remaining > 0:
            now = fields.Datetime.now()
            due = self.search([("state", "=", "pending"), ("next_attempt_at", "<=", now)], limit=BATCH * 4)
            due = due.try_lock_for_update(allow_referencing=True, limit=BATCH)
            if not due:
                break
            due._deliver()
            # One commit per batch: what was delivered stays delivered even if the next batch fails.
            remaining = self.env["ir.cron"]._commit_progress(len(due))
        self._wake_up_again()

    def _deliver(self):
        """Extension point: deliver the events to the databases."""
        for event in self:
            event._note(event._deliver_here())

    def _deliver_here(self):
        """Notify the database in which this proxy is installed.

        :return: None, or a text that says what went wrong
        """
        if "account.online.link" not in self.env or not hasattr(self.env["account.online.link"], "_receive_event"):
            return None
        try:
            with self.env.cr.savepoint():
                # sudo: the scheduled action notifies this database of what to request
                self.env["account.online.link"].sudo()._receive_event(self.kind, self.connection_id.identifier or None)
        except Exception as error:  # of any kind, from the other addon; it must not stop the other events
            _logger.exception("The event %s could not be delivered in this database", self.id)
            return type(error).__name__
        return None

    def _note(self, trouble):
        """:param str trouble: None when the event was delivered"""
        now = fields.Datetime.now()
        attempts = self.attempts + 1
        if not trouble:
            self.write({"state": "delivered", "attempts": attempts, "last_error": False})
            return
        pause = min(FIRST_PAUSE * 2 ** min(self.attempts, 20), LONGEST_PAUSE)
        given_up = now + pause > self.create_date + GIVE_UP_AFTER
        self.write(
            {
                "state": "given_up" if given_up else "pending",
                "attempts": attempts,
                "next_attempt_at": now + pause,
                "last_error": trouble,
            }
        )

    @api.model
    def _wake_up_again(self):
        """Trigger the scheduled action again when the next event is due."""
        following = self.search([("state", "=", "pending")], order="next_attempt_at", limit=1)
        if following:
            # sudo: wakes up one scheduled action, which decides itself what there is to do
            self.env.ref("bank_sync_proxy.ir_cron_deliver_events").sudo()._trigger(
                max(following.next_attempt_at, fields.Datetime.now() + timedelta(seconds=30))
            )

    @api.autovacuum
    def _gc_events(self):
        deleted, has_more = self._clean_up("delivered", KEEP_DELIVERED_DAYS)
        if not has_more:
            given_up, has_more = self._clean_up("given_up", KEEP_DAYS)
            deleted += given_up
        return deleted, has_more

    @api.model
    def _clean_up(self, state, days):
        return clean_up(
            self, [("state", "=", state), ("create_date", "<", fields.Datetime.now() - timedelta(days=days))]
        )
