import collections
import contextlib
import functools
import logging
import math
import time

import psycopg2

from odoo import api, fields, models
from odoo.tools import config

from ..client.conversation import Plan, Talks
from ..client.errors import ProxyError
from .account_online_link_synchronization import FIRST_BACK_OFF, Interrupted, TakenOver

_logger = logging.getLogger(__name__)

#: With the id of a link: what PostgreSQL's advisory locks are about. Any number that nobody else uses.
LOCK = 1129271116

#: So many links at most are stored before they are given back and the dashboards hear of them.
SETTLED_TOGETHER = 16


class Holds:
    """One worker for one link, over all commits of its work; also when the worker dies, its links are free at once.

    Why not the lock on the row alone: it goes with each commit, and another worker may be faster. Why locks of the
    session, not of a transaction: none is to be open while banks are waited for.

    :param cr: cursor for nothing else
    """

    def __init__(self, cr):
        self._cr = cr

    def take(self, link_ids):
        """:return: set of those that nobody else has, from now on until they are given back"""
        rows = self._ask("SELECT id, pg_try_advisory_lock(%s, id) FROM unnest(%s::int[]) AS id", [LOCK, link_ids])
        return {link_id for link_id, is_ours in rows if is_ours}

    def give_back(self, link_ids):
        self._ask("SELECT pg_advisory_unlock(%s, id) FROM unnest(%s::int[]) AS id", [LOCK, link_ids])

    def give_all_back(self):
        """Needed before the session goes back to Odoo's pool, which would keep it, locks included."""
        self._cr.rollback()
        self._ask("SELECT pg_advisory_unlock_all()")

    def _ask(self, query, parameters=None):
        self._cr.execute(query, parameters)
        rows = self._cr.fetchall()
        # Why: nothing has been written; it only ends the transaction that the question has opened.
        self._cr.commit()  # pylint: disable=invalid-commit
        return rows


class Round:
    """One execution of a scheduled action over links: who is next, whose bank is being asked, what is left to do.

    Banks are asked about the next links while others are stored; links are stored one by one, each in a transaction of
    its own, in the order in which the banks answer. No transaction is open while banks are waited for. Links with a
    long load come at the end and ask for themselves, page by page.

    :param links: in the order in which they are to be begun
    :param dict planned: runs by link id, None to ask the banks for news
    :param holds: :class:`Holds`
    :param talks: :class:`Talks`, with no conversation in it
    :param float deadline: see :meth:`AccountOnlineLink._deadline`
    """

    def __init__(self, links, planned, holds, talks, deadline):
        self.env, self.Link = links.env, links.browse()
        self.planned, self.holds, self.talks, self.deadline = planned, holds, talks, deadline
        self.left = len(links)
        #: Ids of links that ask for themselves: their answers are not kept in memory.
        self.alone = {link.id for link in links if planned is not None or link._is_long()}
        self.waiting = collections.deque(sorted(links.ids, key=self.alone.__contains__))
        #: Runs that have begun and are not stored yet, by link id.
        self.runs = {}
        #: Links that are stored, but still held, and of which nobody has been told.
        self.stored = self.Link

    def go(self):
        has_time = True
        self._commit(0)
        while time.monotonic() <= self.deadline:
            if has_time:
                has_time = self._begin_talks()
            if len(self.stored) >= SETTLED_TOGETHER or not self.talks.has_answers:
                self._settle()
            if self.talks:
                link_id, talk = self.talks.next()
            elif has_time and self.waiting:
                link_id, talk = self.waiting.popleft(), None
            else:
                break
            try:
                has_time = self._synchronize(self.Link.browse(link_id), talk) and has_time
            except Interrupted:
                _logger.info("Online link %s: the synchronization goes on at once", link_id)
                break
        self._put_off()

    def _settle(self):
        """Tell the dashboards of what is stored, and give it back.

        Why not with each link: every message on the bus costs a new connection to PostgreSQL.
        """
        if self.stored:
            self.stored._send_status("done")
            self._commit(0)
            # Why after the commit: whoever comes next must see what has been done.
            self.holds.give_back(self.stored.ids)
            self.stored = self.Link

    def _commit(self, done):
        """:return: whether the scheduled action has time left"""
        self.left -= done
        return bool(self.env["ir.cron"]._commit_progress(done, remaining=self.left))

    # -------------------------------------------------------------------------
    # ASKING
    # -------------------------------------------------------------------------

    def _begin_talks(self):
        """Let banks be asked about the next links, as far as there is room.

        :return: whether the scheduled action has time left
        """
        batch = []
        while self.waiting and len(batch) < self.talks.room and self.waiting[0] not in self.alone:
            batch.append(self.waiting.popleft())
        if not batch:
            return True
        ours = self.holds.take(batch)
        try:
            # Why asked once more: another worker may have done it before it was held.
            due = self.Link._search_due([("id", "in", list(ours))])
            free = due.try_lock_for_update(allow_referencing=True)
            runs = free._begin_runs("schedule") if free else {}
            plans = {link.id: link._in_its_language()._plan() for link in free}
            if len(ours) < len(batch) or len(free) < len(due):
                self._wake_later()
            # Why: others see that they are running, and should the server die, that they were.
            has_time = self._commit(len(batch) - len(free))
        except Exception:
            self.env.cr.rollback()
            _logger.exception("Online links %s could not be begun together, so each is synchronized by itself", batch)
            self.holds.give_back(list(ours))
            self.alone.update(batch)
            self.waiting.extend(batch)
            return True
        if len(free) < len(ours):
            self.holds.give_back(list(ours.difference(free.ids)))
        self.runs |= runs
        for link_id, plan in plans.items():
            self.talks.begin(link_id, plan)
        return has_time

    def _wake_later(self):
        """Why later: usually the other worker does all of a link, but it may fail, too."""
        self.Link._wake_schedule(fields.Datetime.now() + FIRST_BACK_OFF)

    def _put_off(self):
        """Nobody waits for the banks that have not answered; what they say is asked again."""
        self._commit(0)
        self.talks.stop()
        for run in self.runs.values():
            run._pause()
        self.stored |= self.Link.browse(self.runs)
        self._settle()

    # -------------------------------------------------------------------------
    # STORING
    # -------------------------------------------------------------------------

    def _synchronize(self, link, talk):
        """Store one link; whatever goes wrong with it is noted on it, and on no other.

        :param talk: ``Future`` of the answers of its bank, None to ask it now
        :return: whether the scheduled action has time left
        :raise Interrupted: what is stored of it stays
        """
        run = self.runs.pop(link.id) if talk else (self.planned or {}).get(link.id)
        is_ours = bool(talk or self.holds.take([link.id]))
        # Why: of those that take no time the dashboards hear together.
        link = link._in_its_language().with_context(online_status_is_told_later=bool(talk))
        try:
            if not is_ours:
                raise TakenOver
            link._synchronize(
                user_present=False,
                refresh=self.planned is None,
                run=run,
                answers=talk.result() if talk else None,
                checkpoint=functools.partial(link._checkpoint, self.left, self.deadline),
            )
            # Why here: what can't be written is this link's failure, not that of the whole pass.
            self.env.flush_all()
        except TakenOver:
            self.env.cr.rollback()
            if talk:
                run._pause(self.env._("It stopped before the end. Nothing is lost by that."))
            self._wake_later()
        except Interrupted:
            if talk:
                self._let_go(link, talk, is_ours)
            raise
        except psycopg2.errors.SerializationFailure:
            # Somebody has changed the same rows meanwhile. The link stays due, the action is executed again.
            self.env.cr.rollback()
            self._let_go(link, talk, is_ours)
            return True
        except Exception as error:
            self.env.cr.rollback()
            _logger.exception("Online link %s: the synchronization was interrupted and is repeated", link.id)
            link._note_interruption(error)
        has_time = self._commit(1)
        self._let_go(link, talk, is_ours)
        return has_time

    def _let_go(self, link, talk, is_ours):
        if talk:
            self.stored += self.Link.browse(link.id)
        elif is_ours:
            self.holds.give_back([link.id])


class AccountOnlineLink(models.Model):
    """How scheduled actions synchronize links."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SCHEDULED ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _cron_synchronize(self):
        """Fetch for every link that is due. Each is stored by itself; no failure stops another."""
        self._search_due()._synchronize_each()

    @api.model
    def _search_due(self, domain=()):
        return self.search(
            [
                ("auto_sync", "=", True),
                ("state", "in", ("connected", "error")),
                ("journal_ids", "!=", False),
                "|",
                ("next_refresh", "=", False),
                ("next_refresh", "<=", fields.Datetime.now()),
                *domain,
            ],
            # Why: whoever waited longest comes first, should the time not suffice for all.
            order="last_refresh nulls first, id",
        )

    @api.model
    def _cron_fetch_planned(self):
        """Do what users have asked for and is too long to wait for. A dead worker's run is taken up again."""
        runs = self.env["account.online.run"].search(
            [("is_deferred", "=", True), ("state", "in", ("planned", "running"))], order="id"
        )
        planned = {run.account_online_link_id.id: run for run in runs}
        self.browse(planned)._synchronize_each(planned)

    def _synchronize_each(self, planned=None):
        """One :class:`Round`, as long as the scheduled action has time; what is left goes on at once.

        :param dict planned: runs by link id, None to ask the banks for news
        """
        with self._open_holds() as holds, Talks(self._get_transport_for_threads()) as talks:
            Round(self, planned, holds, talks, self._deadline()).go()

    @api.model
    def _get_transport_for_threads(self):
        """:return: transport of :mod:`..client.transport`, None where links have to ask one after the other"""
        try:
            return self._get_client().for_threads()
        except ProxyError:
            # Why no matter here: each link hears of it again and shows it.
            return None

    @contextlib.contextmanager
    def _open_holds(self):
        with self.env.registry.cursor() as cr:
            holds = Holds(cr)
            try:
                yield holds
            finally:
                holds.give_all_back()

    def _try_hold(self):
        """:return: whether nobody else has the link, from now to the end of the transaction"""
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, self.id])
        return self.env.cr.fetchone()[0]

    def _plan(self):
        """:return: :class:`Plan` of what its synchronization asks, None for nothing, as in a neutralized copy"""
        self.ensure_one()
        if not self.connection_identifier:
            return None
        ranges = tuple(account._wanted_range() for account in self._accounts_worth_asking(user_present=False))
        return Plan(self.connection_identifier, self._language(), ranges)

    def _deadline(self):
        """:return: moment (monotonic seconds) at which a long load stops; endless outside of a scheduled action

        Why not Odoo's own 10 seconds: every stop asks the bank again, and requests are few. Half of the time after
        which Odoo ends a worker is left to the others.
        """
        end = self.env.context.get("cron_end_time", math.inf)
        limit = config["limit_time_real_cron"]
        limit = config["limit_time_real"] if limit < 0 else limit
        return end + (limit / 2 or math.inf)

    def _checkpoint(self, left, deadline):
        """Make what is stored so far last, and hold the link again.

        :param int left: links that the scheduled action has not finished
        :raise Interrupted: when there is no time left, or another worker has the link now
        """
        self.env["ir.cron"]._commit_progress(1, remaining=left)
        if not self.try_lock_for_update(allow_referencing=True):
            raise TakenOver
        if time.monotonic() > deadline:
            raise Interrupted

    def _note_interruption(self, error):
        """In a transaction of its own, after whatever went wrong has been taken back."""
        try:
            with self.env.cr.savepoint():
                run = self.run_ids.filtered(lambda run: run.state == "running")
                run._interrupt(str(error))
                message = self.env._(
                    "The synchronization was interrupted: %s. Nothing is lost, and it is tried again by itself.", error
                )
                reference = run and f"RUN-{run[0].id}"
                self._register_error(ProxyError("interrupted", message, reference or None, action="retry"))
                self.failure_count += 1
                self._plan_next(self._back_off())
                self._send_status("failed")
        except psycopg2.Error:
            _logger.warning("Online link %s: the interruption could not be noted", self.id, exc_info=True)
