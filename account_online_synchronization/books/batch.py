"""Many links at once, as the scheduled actions synchronize them.

Threads fetch the next links while fetched ones are applied, one by one, each in its own transaction, in the order of
the banks' answers. No transaction is open while waiting for a bank.
"""

import collections
import contextlib
import functools
import logging
import time

import psycopg2

from odoo import fields

from ..sync.fetch import FetchPool
from ..sync.schedule import FIRST_BACK_OFF
from .run import LOCK, Interrupted, Synchronization, TakenOver, begin_runs

_logger = logging.getLogger(__name__)

#: Maximum number of links that are applied before their locks are released and the dashboards notified.
RELEASED_TOGETHER = 16


class SessionLocks:
    """Advisory locks: one worker for each link over all commits. PostgreSQL releases them if the worker dies.

    Why not only the lock on the row: each commit releases it. Why locks of the session, not of a transaction: no
    transaction may be open while waiting for banks.

    :param cr: cursor that is used for nothing else
    """

    def __init__(self, cr):
        self._cr = cr

    @classmethod
    @contextlib.contextmanager
    def open(cls, env):
        with env.registry.cursor() as cr:
            locks = cls(cr)
            try:
                yield locks
            finally:
                locks.release_all()

    def acquire(self, link_ids):
        """:return: set of the ids that were free and are locked now, until they are released"""
        rows = self._ask("SELECT id, pg_try_advisory_lock(%s, id) FROM unnest(%s::int[]) AS id", [LOCK, link_ids])
        return {link_id for link_id, is_ours in rows if is_ours}

    def release(self, link_ids):
        self._ask("SELECT pg_advisory_unlock(%s, id) FROM unnest(%s::int[]) AS id", [LOCK, link_ids])

    def release_all(self):
        """Needed before the session is returned to Odoo's pool, which would keep its locks."""
        self._cr.rollback()
        self._ask("SELECT pg_advisory_unlock_all()")

    def _ask(self, query, parameters=None):
        self._cr.execute(query, parameters)
        rows = self._cr.fetchall()
        # Why: nothing was written; it only ends the transaction of the query.
        self._cr.commit()  # pylint: disable=invalid-commit
        return rows


def synchronize_each(links, planned=None):
    """Synchronize as many links as the scheduled action has time for; Odoo calls it again for the rest.

    :param dict planned: runs by link id, None to ask the banks for news
    """
    transport = links._get_transport_for_threads()
    with SessionLocks.open(links.env) as locks, FetchPool(transport) as pool:
        Batch(links, planned, locks, pool, transport).go()


class Batch:
    """One execution of a scheduled action: the queue of links, those being fetched, and those left.

    Links with a long load come last: the main thread fetches their pages, one link at a time.

    :param links: in the order in which they are to begin
    :param dict planned: runs by link id, None to ask the banks for news
    :param locks: :class:`SessionLocks`
    :param pool: :class:`~..sync.fetch.FetchPool`, empty
    :param transport: transport of the main thread that needs no transaction; None without one
    """

    def __init__(self, links, planned, locks, pool, transport):
        self.env, self.Link = links.env, links.browse()
        self.planned, self.locks, self.pool, self.transport = planned, locks, pool, transport
        self.deadline = links._deadline()
        self.left = len(links)
        #: Ids of links that the pool does not fetch.
        self.alone = {link.id for link in links if planned is not None or link._is_long()}
        self.waiting = collections.deque(sorted(links.ids, key=self.alone.__contains__))
        #: :class:`Synchronization` by link id that the pool is fetching.
        self.begun = {}
        #: Links that are done but still locked; dashboards have not been notified.
        self.done = self.Link

    def go(self):
        has_time = True
        self._commit(0)
        while time.monotonic() <= self.deadline:
            if has_time:
                has_time = self._fill_pool()
            if len(self.done) >= RELEASED_TOGETHER or not self.pool.has_results:
                self._release()
            if self.pool:
                link_id, future = self.pool.next()
            elif has_time and self.waiting:
                link_id, future = self.waiting.popleft(), None
            else:
                break
            try:
                has_time = self._synchronize(self.Link.browse(link_id), future) and has_time
            except Interrupted:
                _logger.info("Online link %s: the synchronization goes on at once", link_id)
                break
        self._stop()

    def _release(self):
        """Notify the dashboards of finished links, and release the locks.

        Why not for each link: every message on the bus opens a new connection to PostgreSQL.
        """
        if self.done:
            self.done._send_status("done")
            self._commit(0)
            # Why after the commit: the next worker must see what has been done.
            self.locks.release(self.done.ids)
            self.done = self.Link

    def _stop(self):
        """Make links due again whose banks have not answered in time."""
        self._commit(0)
        self.pool.stop()
        self._apply_complete()
        for synchronization in self.begun.values():
            synchronization.run._pause()
        self.done |= self.Link.browse(self.begun)
        self._release()

    def _apply_complete(self):
        """Store what banks have answered completely.

        Why even after the deadline: otherwise the banks would be asked again, and some allow only four requests a day.
        There are at most as many answers as the pool holds, and half of the worker's time limit is left.
        """
        for link_id, future in self.pool.take_complete():
            try:
                self._synchronize(self.Link.browse(link_id), future)
            except Interrupted:
                break

    def _commit(self, done):
        """:return: whether the scheduled action has time left"""
        self.left -= done
        return bool(self.env["ir.cron"]._commit_progress(done, remaining=self.left))

    def _wake_later(self):
        """Why later: usually the other worker finishes the link, but it may fail."""
        self.Link._wake_schedule(fields.Datetime.now() + FIRST_BACK_OFF)

    # -------------------------------------------------------------------------
    # PLAN
    # -------------------------------------------------------------------------

    def _fill_pool(self):
        """Begin the next links, as many as the pool accepts.

        :return: whether the scheduled action has time left
        """
        batch = []
        while self.waiting and len(batch) < self.pool.room and self.waiting[0] not in self.alone:
            batch.append(self.waiting.popleft())
        if not batch:
            return True
        ours = self.locks.acquire(batch)
        try:
            # Why checked again: another worker may have synchronized it before it was locked.
            due = self.Link._search_due([("id", "in", list(ours))])
            free = due.try_lock_for_update(allow_referencing=True)
            begun = self._begin(free)
            fetches = {link_id: one.plan() for link_id, one in begun.items()}
            if len(ours) < len(batch) or len(free) < len(due):
                self._wake_later()
            # Why committed: other sessions see that they are running, also after a crash.
            has_time = self._commit(len(batch) - len(free))
        except Exception:
            self.env.cr.rollback()
            _logger.exception("Could not start online links %s as one batch; synchronizing them one by one", batch)
            self.locks.release(list(ours))
            self.alone.update(batch)
            self.waiting.extend(batch)
            return True
        if len(free) < len(ours):
            self.locks.release(list(ours.difference(free.ids)))
        self.begun |= begun
        for link_id, fetch in fetches.items():
            self.pool.submit(link_id, fetch)
        return has_time

    def _begin(self, links):
        """:return: :class:`Synchronization` by link id"""
        runs = begin_runs(links, "schedule") if links else {}
        return {
            # Why later: the dashboards are notified of many short synchronizations together.
            link.id: self._new(link.with_context(online_status_is_sent_later=True), runs[link.id], has_begun=True)
            for link in links
        }

    def _new(self, link, run=None, *, has_begun=False):
        return Synchronization(
            link._in_its_language(),
            refresh=self.planned is None,
            run=run,
            has_begun=has_begun,
            checkpoint=lambda: link._checkpoint(self.left, self.deadline),
            commit=functools.partial(self._commit, 0),
            transport=self.transport,
        )

    # -------------------------------------------------------------------------
    # APPLY
    # -------------------------------------------------------------------------

    def _synchronize(self, link, future):
        """Finish one link; its failure is noted on it and does not affect others.

        :param future: of the :class:`~..sync.fetch.Fetch` of the pool; None if the link has not begun
        :return: whether the scheduled action has time left
        :raise Interrupted: when there is no time left; what is stored stays
        """
        one = self.begun.pop(link.id) if future else self._new(link, (self.planned or {}).get(link.id))
        link = one.link
        is_ours = bool(future or self.locks.acquire([link.id]))
        try:
            if not is_ours:
                raise TakenOver
            if future:
                one.finish(future.result())
            else:
                one.go()
            # Why flushed here: an error while writing is a failure of this link, not of all.
            self.env.flush_all()
        except TakenOver:
            self.env.cr.rollback()
            if one.has_begun:
                one.run._pause(self.env._("Interrupted before it finished. No data was lost."))
            self._wake_later()
        except Interrupted:
            if future:
                self._let_go(link, future, is_ours)
            raise
        except psycopg2.errors.SerializationFailure:
            # Serialization failure: the link stays due, and the action is executed again.
            self.env.cr.rollback()
            self._let_go(link, future, is_ours)
            return True
        except Exception as error:
            self.env.cr.rollback()
            _logger.exception("Online link %s: synchronization interrupted; it will be retried", link.id)
            link._note_interruption(error)
        has_time = self._commit(1)
        self._let_go(link, future, is_ours)
        return has_time

    def _let_go(self, link, future, is_ours):
        if future:
            self.done += self.Link.browse(link.id)
        elif is_ours:
            self.locks.release([link.id])
