import hmac
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

from odoo import api, fields, models

from ..providers.errors import ProviderError
from ..tools import outbound, signing
from .clean_up import clean_up
from .server_fields import as_server

_logger = logging.getLogger(__name__)

PATH = "/account_online_synchronization/events"
#: How many databases are told at the same time, and how many events one commit covers.
THREADS = 8
BATCH = 32
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=12)
GIVE_UP_AFTER = timedelta(days=3)
KEEP_DAYS = 30
#: In place of a digest that the database has not told yet.
UNKNOWN = "0" * 64


class BankSyncEvent(models.Model):
    """What a database is told without having asked. It only says what to ask about; the database always asks.

    So an event may come twice, late or never: a database that asks by itself misses nothing.
    """

    _name = "bank.sync.event"
    _description = "Bank Synchronization Event"
    _order = "id"

    create_date = fields.Datetime(string="When", readonly=True)
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
            ("client.active", "Client Active"),
            ("client.blocked", "Client Blocked"),
            ("client.disconnected", "Client Disconnected"),
            ("client.phone_required", "Phone Number Required"),
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

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - EMITTING
    # -------------------------------------------------------------------------

    @api.model
    def _emit(self, client, kind, connection=None):
        """Tell a database soon. Nothing is sent here: whoever emits neither waits nor fails.

        :param str kind: of docs/protocol.md, "Events"
        :return: the event, or the equal one that still waits
        """
        # sudo: callers are private and have checked what happened to the client or connection
        event_sudo = as_server(self)
        waiting = event_sudo.search(
            [
                ("client_id", "=", client.id),
                ("kind", "=", kind),
                ("connection_id", "=", connection.id if connection else False),
                ("state", "=", "pending"),
            ],
            limit=1,
        )
        # Why the lock: one that is being delivered at this moment may have been heard before this news was there.
        waiting = waiting.try_lock_for_update()
        if not waiting:
            waiting = event_sudo.create(
                {"client_id": client.id, "kind": kind, "connection_id": connection.id if connection else False}
            )
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
            # Each batch for itself: what was told stays told, whatever becomes of the next one.
            remaining = self.env["ir.cron"]._commit_progress(len(due))
        self._wake_up_again()

    def _deliver(self):
        allow_private = self._allows_private()
        letters = {event: event._letter() for event in self if not event.client_id.is_embedded}
        with ThreadPoolExecutor(THREADS) as threads:
            sent = {
                event: threads.submit(_send, *letter, allow_private)
                for event, letter in letters.items()
                if not isinstance(letter, str)
            }
            for event in self:
                if event in sent:
                    trouble, answer = sent[event].result()
                    event._note(trouble)
                    if answer:
                        event._confirm_address(letters[event], answer.body)
                else:
                    event._note(letters[event] if event in letters else event._deliver_here())

    def _letter(self):
        """:return: (url, headers, body), or a text that says why there is none"""
        self.ensure_one()
        client = self.client_id
        if not client.url:
            return "the client has no address"
        try:
            secret = client._secrets().get("current")
        except ProviderError as error:
            return error.code
        if not secret:
            return "the client has no secret"
        url = client.url.rstrip("/") + PATH
        body = json.dumps(
            {"id": str(self.id), "kind": self.kind, "connection_id": self.connection_id.identifier or None}
        ).encode()
        headers = signing.new_headers(
            secret,
            client.identifier,
            client.database_digest or UNKNOWN,
            time.time(),
            "POST",
            PATH,
            body,
        )
        return url, {**headers, "Content-Type": "application/json"}, body

    def _confirm_address(self, letter, answered):
        """Note that the client itself has answered at its address, as far as the answer proves it.

        :param tuple letter: of :meth:`_letter`, as it was sent
        :param bytes answered: what came back
        """
        client, (url, headers, body) = self.client_id, letter
        if url != client.url.rstrip("/") + PATH or client.confirmed_url == client.url:
            return
        try:
            proof = json.loads(answered).get("proof")
        except (ValueError, AttributeError, RecursionError):
            return
        expected = signing.prove(client._secrets()["current"], headers[signing.NONCE], body)
        if isinstance(proof, str) and hmac.compare_digest(proof.encode(), expected.encode()):
            client.confirmed_url = client.url

    def _deliver_here(self):
        """Tell the database that this proxy lives in.

        :return: None, or a text that says what went wrong
        """
        if "account.online.link" not in self.env or not hasattr(self.env["account.online.link"], "_receive_event"):
            return None
        try:
            with self.env.cr.savepoint():
                # sudo: the scheduled action tells this very database what to ask about
                self.env["account.online.link"].sudo()._receive_event(self.kind, self.connection_id.identifier or None)
        except Exception as error:  # the other addon's, and nothing may stop the other events
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
        """Let the scheduled action come back when the next event is due."""
        following = self.search([("state", "=", "pending")], order="next_attempt_at", limit=1)
        if following:
            # sudo: wakes up one scheduled action, which decides itself what there is to do
            self.env.ref("bank_sync_proxy.ir_cron_deliver_events").sudo()._trigger(
                max(following.next_attempt_at, fields.Datetime.now() + timedelta(seconds=30))
            )

    @api.model
    def _allows_private(self):
        # sudo: reads one system parameter that is no secret, under a name of our own
        value = self.env["ir.config_parameter"].sudo().get_param("bank_sync_proxy.allow_private_addresses")
        return (value or "").strip().lower() in ("1", "true", "yes")

    @api.autovacuum
    def _gc_events(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        return clean_up(self, [("state", "!=", "pending"), ("create_date", "<", limit)])


def _send(url, headers, body, allow_private):
    """In a thread, without Odoo.

    :return: (None, the answer) when the database has taken the event, or (a text that says what went wrong, None)
    """
    try:
        answer = outbound.post(url, body, headers, allow_private=allow_private)
    except outbound.OutboundError as error:
        return f"{urlsplit(url).hostname}: {error}", None
    if 200 <= answer.status < 300:
        return None, answer
    return f"{urlsplit(url).hostname}: HTTP {answer.status}", None
