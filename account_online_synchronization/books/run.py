"""One synchronization of one link: plan → fetch → apply.

*Plan* begins the run and reads what to request, in a short transaction. *Fetch* (:mod:`..sync.fetch`) sends the
requests; it has no cursor, so in scheduled actions no transaction is open while waiting for a bank. *Apply* checks that
the plan is still valid and stores the results. An account that has changed in between, such as its start date or
bookmark, is planned and fetched again; everything else is requested once. Users' requests, scheduled actions and first
loads all use this path; :mod:`.batch` runs it for many links at the same time.
"""

import contextlib
import logging

import psycopg2

from odoo import fields
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.http import request

from ..client.client import ProxyClient
from ..client.errors import ProxyError
from ..client.messages import parse_moment
from ..models.account_online_progress import Reporter
from ..sync.fetch import Fetch, Plan
from . import readiness
from .apply import Storing
from .prefetch import prefetch

_logger = logging.getLogger(__name__)

#: Namespace of PostgreSQL's advisory locks on link ids; an arbitrary number that nothing else uses.
LOCK = 1129271116

#: How often one run repeats a fetch because settings have changed; the next run does the rest.
MAX_FETCHES = 5


class Interrupted(Exception):
    """The scheduled action has no time left. Stored data stays; it is called again at once for the rest."""


class TakenOver(Interrupted):
    """Another worker or a user has locked the link."""


def try_lock(link):
    """Lock a link for one worker. PostgreSQL releases the lock with the transaction, also when the worker dies.

    :return: whether the link was free
    """
    if not link.try_lock_for_update(allow_referencing=True):
        return False
    link.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, link.id])
    return link.env.cr.fetchone()[0]


def begin_runs(links, trigger, planned=None):
    """Begin a run of each link. The links are locked, so runs that are still open were interrupted.

    :param str trigger: of new runs
    :param planned: run that was planned for this one link
    :return: run by link id
    """
    env = links.env
    Run = env["account.online.run"]
    open_runs = Run.search([("account_online_link_id", "in", links.ids), ("state", "in", ("planned", "running"))])
    runs = {}
    for run in planned or open_runs.filtered("is_deferred"):
        runs.setdefault(run.account_online_link_id.id, run)
    continued = Run.union(*runs.values())
    (open_runs - continued)._interrupt(env._("Interrupted before it finished. No data was lost."))
    continued._restart()
    new = Run.create(
        [
            {"account_online_link_id": link.id, "company_id": link.company_id.id, "trigger": trigger}
            for link in links
            if link.id not in runs
        ]
    )
    prefetch(links)
    links._send_status("running")
    return runs | {run.account_online_link_id.id: run for run in new}


def client_for_user(link):
    """:return: client that reports the user's presence, because banks limit requests without a user"""
    client = link._get_client()
    if request:
        return client.for_user(request.httprequest.remote_addr, request.httprequest.user_agent.string)
    return client


class Synchronization:
    """One run of one link.

    :param link: ``account.online.link``
    :param bool user_present: a user waits for it, so the bank may ask for a code
    :param bool refresh: ask the bank for news first; not needed right after a visit that returned some
    :param bool may_defer: leave long work to the scheduled action, so that the user can continue
    :param run: ``account.online.run`` that was planned earlier
    :param bool has_begun: that run is running, and the link is locked
    :param checkpoint: called when a part is stored; it may commit, and raise :class:`Interrupted`
    :param commit: called before the requests to the bank, None for the checkpoint
    :param transport: of :mod:`..client.transport`, without a database transaction; None for the default one
    """

    def __init__(
        self,
        link,
        *,
        user_present=False,
        refresh=True,
        may_defer=False,
        run=None,
        has_begun=False,
        checkpoint=None,
        commit=None,
        transport=None,
    ):
        self.link, self.env = link, link.env
        self.user_present, self.refresh, self.may_defer = user_present, refresh, may_defer
        self.run = run and run.with_env(self.env)
        self.has_begun, self.checkpoint, self.transport = has_begun, checkpoint, transport
        self.commit = commit or checkpoint
        #: Action that notifies the user of the result, or opens the page where the bank asks for a code.
        self.answer = None
        self._nonce = None
        #: Ids of applied accounts, and their failures.
        self._applied = self.env["account.online.account"]
        self._errors = []
        #: Journals that may have got new lines.
        self._grown = self.env["account.journal"]
        self._has_applied_news = False
        self._fetches = 0
        self._reporters = {}
        #: Ids of accounts whose pages were reported while they were fetched.
        self._reported = set()

    def go(self):
        """Run all steps in the caller's thread.

        :return: see :attr:`answer`
        """
        link = self.link
        if not self._lock():
            return link._notify(self.env._("%s is being synchronized right now.", link.name), "info")
        if self.checkpoint and not self._is_due():
            return link._notify(self.env._("%s has just been synchronized.", link.name), "info")
        self.run = begin_runs(link, "user" if self.user_present else "schedule", self.run)[link.id]
        self.has_begun = True
        return self.finish(self.plan())

    def finish(self, fetch):
        """Fetch what has not been fetched yet, and apply.

        :param fetch: of :meth:`plan`
        :return: see :attr:`answer`
        """
        while fetch:
            if self.commit and not fetch.is_complete:
                with self._pausing():
                    # Why committed: other sessions see that it is running, also after a crash.
                    self.commit()
            self.fetch(fetch)
            if self.checkpoint:
                self._lock_row()
            fetch = self.apply(fetch)
        return self.answer

    # -------------------------------------------------------------------------
    # PLAN
    # -------------------------------------------------------------------------

    def _lock(self):
        """:return: whether the link was free. Scheduled actions hold its advisory lock in another session"""
        if not self.checkpoint:
            return try_lock(self.link)
        self._lock_row()
        return True

    def _lock_row(self):
        """:raise TakenOver: when another worker has locked it"""
        if not self.link.try_lock_for_update(allow_referencing=True):
            raise TakenOver

    def _is_due(self):
        """Why checked again: another worker may have synchronized it between the search and the lock."""
        if self.run:
            self.run.invalidate_recordset(["state"])
            return self.run.state in ("planned", "running")
        return not self.link.next_refresh or self.link.next_refresh <= fields.Datetime.now()

    def plan(self):
        """:return: :class:`~..sync.fetch.Fetch` of all requests to the bank, none of which has been sent"""
        # Why not earlier: values that are read before the lock may be outdated.
        link = self.link = self.link.with_company(self.link.company_id)
        self.env, self.run = link.env, self.run.with_env(link.env)
        try:
            connection_id = link._get_connection_identifier()
        except ProxyError as error:
            return Fetch(None, error)
        authorization = self.env["account.online.authorization"]
        self._nonce = authorization._new_nonce() if self.user_present else None
        return Fetch(
            Plan(
                connection_id,
                link._language(),
                self._plan_accounts() if not self._is_to_defer() else (),
                refresh=self.refresh,
                user_present=self.user_present,
                return_url=self._nonce and authorization._return_url(self._nonce),
            )
        )

    def _plan_accounts(self):
        accounts = [
            account
            for account in self._accounts_worth_requesting()
            if not readiness.reason_against(account, account.journal_ids)
        ]
        if self.checkpoint:
            # Why only then: otherwise a user waits for the answer, and other sessions do not see the uncommitted run.
            self._reporters = {
                account.id: Reporter(account, self.run)
                for account in accounts
                if not account.last_sync or self.run.is_deferred
            }
        return tuple(account._plan_fetch() for account in accounts)

    def _accounts_worth_requesting(self):
        is_users_request = self.run.trigger == "user"
        return self.link._linked_accounts().filtered(lambda account: account._is_worth_requesting(is_users_request))

    def _is_to_defer(self):
        return self.may_defer and not self.run.is_deferred and self.link._is_long()

    # -------------------------------------------------------------------------
    # FETCH
    # -------------------------------------------------------------------------

    def fetch(self, fetch):
        """Send the requests to the bank, in this thread."""
        if fetch.is_complete:
            return
        try:
            client = self._client(fetch)
        except ProxyError as error:
            fetch.error, fetch.is_complete = error, True
            return
        fetch.go(client, on_page=self._report_page)

    def _client(self, fetch):
        if self.transport:
            return ProxyClient(self.transport, language=fetch.plan.language)
        return client_for_user(self.link) if self.user_present else self.link._get_client()

    def _report_page(self, fetched, _page):
        account_id = fetched.plan.account_id
        if account_id in self._reporters:
            self._reported.add(account_id)
            self._reporters[account_id].fetched(fetched.progress)

    # -------------------------------------------------------------------------
    # APPLY
    # -------------------------------------------------------------------------

    def apply(self, fetch):
        """Store the results, and end the run unless something must be fetched again.

        :param fetch: :class:`~..sync.fetch.Fetch`, complete
        :return: the fetch, planned again for accounts that have changed since the plan; None when the run has ended
        :raise Interrupted: when there is no time left; what is stored stays
        """
        link, run = self.link, self.run
        try:
            with self._pausing(fetch):
                plans = self._apply(fetch)
        except ProxyError as failure:
            error = failure
        else:
            self._fetches += 1
            if plans and self._fetches < MAX_FETCHES:
                fetch.plan_again(plans)
                return fetch
            if self.answer:
                return None
            if plans:
                self._errors.append(self._never_settled(plans))
            error = next(filter(None, self._errors), None)
        run._keep_answers(fetch.recording)
        self._after_import()
        if error:
            error.message = self._say(error.message)
            self.answer = link._fail(run, error, self.user_present)
            return None
        link._succeed(run)
        # Why not in scheduled actions: there the result is not shown to a user.
        if not self.checkpoint:
            self.answer = link._notify(run._summary(), "success" if run.imported or run.adopted else "info")
        return None

    @contextlib.contextmanager
    def _pausing(self, fetch=None):
        try:
            yield
        except TakenOver:
            raise
        except Interrupted:
            if fetch:
                self.run._keep_answers(fetch.recording)
            self.run._pause()
            self.link._send_status("planned")
            raise

    def _apply(self, fetch):
        """:return: list of :class:`~..sync.fetch.AccountPlan` to fetch again"""
        self.link._take_health(fetch.health)
        if fetch.error:
            raise fetch.error
        prefetch(self.link)
        if not self._has_applied_news:
            self._apply_news(fetch)
        if self.answer:
            return []
        refreshed_at = parse_moment(fetch.news.get("refreshed_at"))
        again = []
        for number, account in enumerate(self._accounts_worth_requesting() - self._applied):
            if number and self.checkpoint:
                self.checkpoint()
            is_applied, error = self._import_account(account, fetch.accounts.get(account.id), refreshed_at)
            self._errors.append(error)
            if is_applied:
                self._applied += account
                # Why dropped: a window of years takes much memory.
                fetch.accounts.pop(account.id, None)
            else:
                again.append(account._plan_fetch())
        return again

    def _apply_news(self, fetch):
        """Store the state of the connection and its accounts. It may end the run with an :attr:`answer`."""
        link, run = self.link, self.run
        self._has_applied_news = True
        visit = self._visit(fetch.news) if fetch.news["state"] == "challenge" else None
        link._take_notes(fetch.news)
        if visit:
            run.write({"state": "waiting", "ended_at": fields.Datetime.now()})
            link._send_status("done")
            self.answer = visit
            return
        # Why only known ones: users add new accounts of the consent with Fetch Accounts.
        link.account_online_account_ids._take_over(fetch.listed)
        if self._is_to_defer():
            self.answer = self._defer()

    def _visit(self, news):
        """:return: action that opens the page where the bank asks for a code"""
        if not self.user_present or not isinstance(news.get("page_url"), str):
            raise ProxyError(
                "challenge_required",
                self.env._("The bank asks for a code. Use Synchronize Now and enter it."),
                action="answer_challenge",
            )
        authorization = self.env["account.online.authorization"]
        return authorization._remember("refresh", self._nonce, news, self.link)._show(news["page_url"])

    def _defer(self):
        self.run.write({"state": "planned", "is_deferred": True})
        # sudo: triggers one fixed scheduled action, which searches for what is due
        self.env.ref("account_online_synchronization.ir_cron_fetch_planned").sudo()._trigger()
        self.link._send_status("planned")
        return self.link._notify(
            self.env._("The transactions are being fetched and appear automatically. You can continue working."), "info"
        )

    def _import_account(self, account, fetched, refreshed_at):
        """
        :param fetched: :class:`~..sync.fetch.AccountFetch`, None if nothing was fetched
        :param datetime refreshed_at: time of the bank's data, None if unknown
        :return: whether the account is done, False to fetch it again; the :class:`ProxyError` that prevented the
            import, or None
        """
        try:
            if not fetched:
                # Why: nothing was planned if its journal is not ready.
                readiness.check(account)
            if not fetched or fetched.plan != account._plan_fetch():
                return False, None
            self._store(account, fetched, refreshed_at)
        except ProxyError as error:
            error.message = self._say(error.message)
            # Why not a failure of the run: the other accounts are up to date, and the link shows the refused one.
            return True, None if account._note_refusal(error) else error
        except (Interrupted, psycopg2.OperationalError):
            # Serialization failures and lost connections: Odoo repeats the whole request.
            raise
        except Exception as error:
            _logger.exception("Online account %s: the import failed", account.id)
            return True, self._import_failed(account, error)
        return True, None

    def _store(self, account, fetched, refreshed_at):
        # sudo: part of a synchronization, whose caller has checked the link
        load = as_server(self.env["account.online.load"])._begin(account, self.run)
        reporter = self._reporters.get(account.id)

        def checkpoint():
            self.checkpoint()
            # Why after it: other sessions see only committed data.
            reporter.stored(load.imported)

        if reporter and account.id not in self._reported:
            reporter.fetched(fetched.progress)
        self._take_over_facts(account, fetched)
        checkpoint = checkpoint if reporter else self.checkpoint
        storing = Storing(account, self.run, fetched.window, refreshed_at, checkpoint)
        storing.store()
        # Why every long load: lines stored by an earlier call of the scheduled action are not new to this one.
        if storing.has_new or reporter:
            self._grown |= account.journal_ids
        account._forget_refusal()
        if reporter:
            reporter.done(load.imported)

    def _after_import(self):
        """Call the extension point in a savepoint, so that its errors do not affect the import."""
        if not self._grown:
            return
        try:
            with self.env.cr.savepoint():
                self.run._after_import(self._grown)
        except Exception:
            _logger.exception("Run %s: what follows an import failed; the import itself is complete", self.run.id)

    def _take_over_facts(self, account, fetched):
        """:raise ProxyError: that ended the fetch; learned facts are stored before"""
        if fetched.history_days is not None:
            account._learn_history(fetched.history_days)
        if fetched.is_bookmark_refused:
            # Why before a failure: with the same bookmark each run would end here.
            account.sync_cursor = False
        self.run._count("fetched", fetched.progress.transactions)
        if fetched.error:
            raise fetched.error

    def _never_settled(self, plans):
        accounts = self._applied.browse([plan.account_id for plan in plans])
        sentence = self.env._(
            "%s changed again and again while its transactions were being fetched, so none were stored. No data "
            "was lost: the next synchronization fetches them again.",
            ", ".join(accounts.mapped("display_name")),
        )
        return self._temporary("interrupted", sentence)

    def _import_failed(self, account, reason):
        sentence = self.env._(
            "The transactions of %(account)s could not be stored: %(reason)s. No data was lost: the next "
            "synchronization continues where this one stopped.",
            account=account.display_name,
            reason=reason,
        )
        return self._temporary("import_failed", sentence)

    def _temporary(self, code, sentence):
        return ProxyError(code, sentence, reference=f"RUN-{self.run.id}", action="retry")

    def _say(self, sentence):
        return self.env["account.online.service"]._translate(sentence)
