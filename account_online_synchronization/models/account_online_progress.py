import logging
import time

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools.misc import format_date, formatLang

_logger = logging.getLogger(__name__)

#: Minimum seconds between two reports of one load. Each is a small transaction and a message on the bus.
EVERY = 1.0


class AccountOnlineProgress(models.Model):
    """The progress of the load of one account, for the screen of the first load. Written in separate transactions.

    Why: a load commits only after 2,000 lines, and not at all while it fetches; the screen must show more. Why not on
    the run or the load: the synchronization writes those, and two writers would block each other. Why a table, not only
    messages on the bus: screens that are opened later, or have no websocket, must show it, too.
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
    transactions = fields.Integer(help="Number of transactions received from the bank so far.")
    first_day = fields.Date()
    last_day = fields.Date()
    stored = fields.Integer(help="New lines so far.")

    _account_unique = models.Constraint("UNIQUE(run_id, account_online_account_id)", "One progress for each account.")

    def _describe(self, account):
        """What the screen shows; ``self`` is empty before the first page.

        :return: dict; ``percent`` is False if the end is not known
        """
        return {"step": self.step or "wait", "text": self._describe_step(), "percent": self._percent(account)}

    def _describe_step(self):
        if not self:
            return self.env._("Waiting for its turn.")
        stored, given = (formatLang(self.env, number, digits=0) for number in (self.stored, self.transactions))
        if self.step == "done":
            return self.env._("New transactions in the journal: %s.", stored)
        if self.step == "store":
            return self.env._(
                "Transactions in the journal so far: %(stored)s of up to %(transactions)s.",
                stored=stored,
                transactions=given,
            )
        if not self.first_day:
            return self.env._("Transactions are being requested from the bank.")
        return self.env._(
            "Transactions received from the bank so far: %(number)s, from %(first)s to %(last)s.",
            number=given,
            first=format_date(self.env, self.first_day),
            last=format_date(self.env, self.last_day),
        )

    def _percent(self, account):
        """The first half is fetching, measured in days; the second half is storing, measured in lines."""
        if self.step == "done":
            return 100
        if self.step == "store":
            return 50 + round(50 * min(1, self.stored / max(1, self.transactions)))
        start = account.start_date or account._first_day_of_the_bank()
        if not self or not start or not self.first_day:
            return False if self else 0
        # Why the span of days: some banks begin with the newest transaction, others with the oldest.
        days = max(1, (fields.Date.context_today(self) - start).days)
        return round(50 * min(1, (self.last_day - self.first_day).days / days))


class Reporter:
    """Reports the progress of one account's load: at most once a second, and without ever blocking the load.

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
        self._reported_at = 0.0

    def fetched(self, progress):
        """:param progress: :class:`~..sync.fetch.FetchProgress`"""
        self._values |= vars(progress)
        self._report()

    def stored(self, number):
        """:param int number: new lines so far"""
        self._values |= {"step": "store", "stored": number}
        self._report()

    def done(self, number):
        self._values |= {"step": "done", "stored": number}
        self._report(at_once=True)

    def _report(self, *, at_once=False):
        now = time.monotonic()
        if not at_once and now - self._reported_at < EVERY:
            return
        self._reported_at = now
        try:
            with self._registry.cursor() as cr:
                self._write(cr)
        except psycopg2.Error as error:
            # Why only logged: a progress bar must not stop a load, and the next report replaces this one.
            _logger.debug("Online link %s: its progress could not be reported: %s", self._link_id, error)

    def _write(self, cr):
        names, changed = ", ".join(self._values), ", ".join(f"{name} = EXCLUDED.{name}" for name in self._values)
        # Why so short: the transaction that has locked the row takes precedence.
        cr.execute("SET LOCAL lock_timeout = '200ms'")
        cr.execute(
            f"""
            INSERT INTO account_online_progress ({names}) VALUES %s
            ON CONFLICT (run_id, account_online_account_id) DO UPDATE SET {changed}
            """,  # pylint: disable=sql-injection
            [tuple(self._values.values())],
            log_exceptions=False,
        )
        # sudo: only sends a message about this link, in a separate transaction
        api.Environment(cr, SUPERUSER_ID, {})["account.online.link"].browse(self._link_id)._send_progress()
