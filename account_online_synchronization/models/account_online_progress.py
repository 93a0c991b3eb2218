import logging
import time

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models

_logger = logging.getLogger(__name__)

#: Seconds between two things that are told of one load, at least. Each is a small transaction and a message.
EVERY = 1.0


class AccountOnlineProgress(models.Model):
    """How far the load of one account is, for those who wait for it. Written in transactions of its own.

    Why: a load commits after a thousand lines, and nothing while a bank takes its time; whoever looks at it must see
    more. Why not on the run or the account: the load writes those, and two writers would be in each other's way.
    """

    _name = "account.online.progress"
    _description = "Progress of a Synchronization"
    _log_access = False

    run_id = fields.Many2one(comodel_name="account.online.run", required=True, ondelete="cascade")
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account", required=True, ondelete="cascade", index=True
    )
    step = fields.Selection(selection=[("fetch", "Fetching"), ("store", "Storing"), ("done", "Done")], required=True)
    pages = fields.Integer()
    transactions = fields.Integer(help="What the bank has given so far.")
    first_day = fields.Date()
    last_day = fields.Date()
    stored = fields.Integer(help="New lines so far.")

    _account_unique = models.Constraint("UNIQUE(run_id, account_online_account_id)", "One progress for each account.")


class Reporter:
    """Tells how far the load of one account is: at most once a second, and without ever being in the load's way.

    :param account: ``account.online.account``
    :param run: ``account.online.run``, committed
    """

    def __init__(self, account, run):
        self._registry, self._link_id = account.env.registry, account.account_online_link_id.id
        self._values = {
            "run_id": run.id,
            "account_online_account_id": account.id,
            "step": "fetch",
            "pages": 0,
            "transactions": 0,
            "first_day": None,
            "last_day": None,
            "stored": 0,
        }
        self._told_at = 0.0

    def heard(self, heard):
        """:param heard: :class:`~..client.watching.Heard`"""
        self._values |= vars(heard)
        self._tell()

    def stored(self, number):
        """:param int number: new lines so far"""
        self._values |= {"step": "store", "stored": number}
        self._tell()

    def done(self, number):
        self._values |= {"step": "done", "stored": number}
        self._tell(at_once=True)

    def _tell(self, *, at_once=False):
        now = time.monotonic()
        if not at_once and now - self._told_at < EVERY:
            return
        self._told_at = now
        try:
            with self._registry.cursor() as cr:
                self._write(cr)
        except psycopg2.Error as error:
            # Why no more than that: it is a bar on a screen, and the next one tells more.
            _logger.debug("Online link %s: its progress could not be told: %s", self._link_id, error)

    def _write(self, cr):
        names, changed = ", ".join(self._values), ", ".join(f"{name} = EXCLUDED.{name}" for name in self._values)
        cr.execute(
            # Why never wait: whoever has the row does something more important.
            "SET LOCAL lock_timeout = '200ms'",
        )
        cr.execute(
            f"""
            INSERT INTO account_online_progress ({names}) VALUES %s
            ON CONFLICT (run_id, account_online_account_id) DO UPDATE SET {changed}
            """,  # pylint: disable=sql-injection
            [tuple(self._values.values())],
            log_exceptions=False,
        )
        # sudo: only tells that there is news of this link, by a transaction of its own
        api.Environment(cr, SUPERUSER_ID, {})["account.online.link"].browse(self._link_id)._send_progress()
