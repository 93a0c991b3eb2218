"""Requests the data of one link: plan → pages → :class:`~.decide.Window`.

It uses neither Odoo nor a cursor, so any thread may run it. A user's synchronization, the scheduled actions, first
loads and *Find Missing Transactions* use the same classes. Nothing is stored here: failures and windows are kept until
:mod:`..books.run` applies them. An interrupted fetch continues where it was, so nothing is requested twice.

>>> plan = Plan("C1", accounts=(AccountPlan(7, "A1", date(2026, 5, 10), None, "EUR"),))
>>> fetch = Fetch(plan)
>>> class Client:
...     def recorded_by(self, record): return self
...     def refresh_connection(self, *names, **more): return {"state": "done"}
...     def list_accounts(self, connection_id): return [{"id": "A1"}]
...     def iter_transaction_pages(self, connection_id, account_id, since, cursor, seen):
...         yield {"transactions": [{"id": "T1", "status": "booked", "booking_date": "2026-05-20", "amount": "-5.00",
...                                  "currency": "EUR"}], "removed_ids": [], "has_more": False, "next_cursor": "mark"}
>>> fetch.go(Client())
>>> fetch.is_complete, fetch.error
(True, None)
>>> window = fetch.accounts[7].window
>>> [str(one.amount) for one in window.booked], window.cursor, str(window.since)
(['-5.00'], 'mark', '2026-05-10')
"""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from ..client.client import ProxyClient
from ..client.errors import BadTransaction, ProxyError
from ..client.health import read_health
from ..client.messages import parse_day, parse_transaction, storable, transaction_id
from ..client.recording import Recording
from .decide import Window
from .fees import fee_id
from .identity import unreadable_id
from .refusals import REFUSED_BOOKMARKS, learned_history, within_history

#: Maximum number of pages of one account that a thread of the pool reads, because windows are kept in memory; the rest
#: is read when the link is applied.
PAGES_AHEAD = 20
ZERO = Decimal(0)


@dataclass(frozen=True)
class AccountPlan:
    """Which transactions of an account to request: those since a day, None for all, or since a bookmark.

    Two plans are equal if they lead to the same requests and the same reading of the answers.
    """

    account_id: int
    online_identifier: str
    since: date | None
    cursor: str | None
    currency: str
    decimal_places: int = 2
    today: date = field(default_factory=date.today, compare=False)


@dataclass(frozen=True)
class Plan:
    """The requests for one link: refresh, accounts, and transactions of these accounts."""

    connection_id: str
    language: str | None = None
    accounts: tuple[AccountPlan, ...] = ()
    #: Ask the bank for news; else only request the time of the last refresh.
    refresh: bool = True
    user_present: bool = False
    return_url: str | None = None


@dataclass
class FetchProgress:
    """What was fetched of one account so far. Days are those of the transactions, None before the first."""

    pages: int = 0
    transactions: int = 0
    first_day: date | None = None
    last_day: date | None = None

    def add(self, transactions):
        """:param list transactions: of one page, as the proxy gave them; they may be anything"""
        self.pages += 1
        self.transactions += len(transactions)
        days = [parse_day(one.get("booking_date")) for one in transactions if isinstance(one, dict)]
        days = [day for day in (*days, self.first_day, self.last_day) if day]
        if days:
            self.first_day, self.last_day = min(days), max(days)


class Stopped(Exception):
    """The answers are no longer needed."""


# -------------------------------------------------------------------------
# READING
# -------------------------------------------------------------------------


def read_transaction(message, currency, decimal_places):
    """
    :param message: *transaction* of docs/protocol.md
    :param str currency: of the account, such as ``EUR``
    :return: :class:`~..client.messages.Transaction`
    :raise BadTransaction: with the reason in a sentence
    """
    transaction = parse_transaction(message)
    if transaction.currency != currency:
        raise BadTransaction(
            _lt(
                "It is in %(currency)s, but the account is in %(account_currency)s.",
                currency=transaction.currency,
                account_currency=currency,
            )
        )
    for amount in (transaction.amount, transaction.fee or ZERO):
        # Why rounded first: it is faster, and nearly all amounts equal their rounded value.
        if round(amount, decimal_places) != amount and amount.normalize().as_tuple().exponent < -decimal_places:
            raise BadTransaction(
                _lt(
                    "Its amount %(amount)s has more decimals than %(currency)s. Ask the bank for the exact amount and "
                    "enter it by hand.",
                    amount=amount,
                    currency=currency,
                )
            )
    return transaction


def read_page(page, window, currency, decimal_places):
    """Add a page to a window; unreadable messages are kept unchanged, with the reason.

    :param dict page: as returned by :func:`~..client.answers.read_page`, or only its ``transactions``
    """
    window.cursor = None if page.get("has_more") else page.get("next_cursor")
    for one in page.get("removed_ids") or ():
        window.removed |= {one, fee_id(one)}
    for message in page["transactions"]:
        try:
            transaction = read_transaction(message, currency, decimal_places)
        except BadTransaction as error:
            kept = storable(message)
            window.unreadable.append((transaction_id(message) or unreadable_id(kept), error.sentence, kept))
            continue
        (window.booked if transaction.booked else window.pending).append(transaction)


# -------------------------------------------------------------------------
# FETCHING
# -------------------------------------------------------------------------


class AccountFetch:
    """The transactions of one account, as far as they have been fetched.

    ``history_days``: limit of the bank's history, if an answer contained it · ``is_bookmark_refused``: the bookmark of
    the plan is permanently invalid · ``error``: failure that ended the fetch.

    :param AccountPlan plan: what to request
    :param cursors: of pages that were fetched earlier, in order: the fetch continues after the last of them, and its
        window contains only later pages; see :meth:`take` for the earlier ones
    """

    def __init__(self, plan, cursors=()):
        self.plan, self._cursors = plan, tuple(cursors)
        self.progress = FetchProgress()
        self.history_days = None
        self.is_bookmark_refused = False
        self.is_complete = False
        self.error = None
        self._begin(plan.cursor)

    def _begin(self, cursor):
        self.window = Window(since=self._since(), is_delta=bool(cursor))
        self._cursor, self._pages = cursor, None

    def _since(self):
        """Why not always the planned day: missing transactions mean nothing on days that the bank does not show."""
        plan = self.plan
        return within_history(plan.since, learned_history(self.history_days) or 0, plan.today)

    def go(self, client, connection_id, *, max_pages=None, check=lambda: None, on_page=lambda *_page: None):
        """Fetch the rest.

        :param int max_pages: pause after this number of pages; the next :meth:`go` continues there
        :param check: called before each request; it may raise
        :param on_page: ``callable(account_fetch, page)``
        """
        try:
            self._read(client, connection_id, max_pages, check, on_page)
        except ProxyError as error:
            self._learn(error.history_days)
            if self._cursor and error.code in REFUSED_BOOKMARKS:
                # Why immediately: with the same bookmark each run would end here.
                self.is_bookmark_refused = True
                self._begin(None)
                self.go(client, connection_id, max_pages=max_pages, check=check, on_page=on_page)
                return
            self.error, self.is_complete = error, True

    def _read(self, client, connection_id, max_pages, check, on_page):
        if not self._pages:
            cursor = self._cursors[-1] if self._cursors else self._cursor
            self._pages = client.iter_transaction_pages(
                connection_id, self.plan.online_identifier, self.window.since, cursor, self._cursors
            )
        pages = 0
        while max_pages is None or pages < max_pages:
            check()
            page = next(self._pages)
            pages += 1
            self.take(page)
            on_page(self, page)
            if not page["has_more"]:
                self.is_complete = True
                if self.is_bookmark_refused:
                    # Why: a bank that accepts no bookmarks would refuse this one, too. The next run requests by date,
                    # and may get a bookmark again.
                    self.window.cursor = None
                return

    def take(self, page):
        """:param dict page: of ``transactions.list``, fetched now or earlier"""
        self._learn(page.get("history_days"))
        read_page(page, self.window, self.plan.currency, self.plan.decimal_places)
        self.progress.add(page["transactions"])

    def _learn(self, days):
        if learned_history(days) is not None:
            self.history_days = days
            self.window.since = self._since()


class Fetch:
    """Plan and results of one link.

    ``news``: answer of ``connections.refresh`` · ``listed``: its accounts, or those of ``accounts.list`` ·
    ``accounts``: :class:`AccountFetch` by id · ``error``: failure before any transactions.

    :param Plan plan: what to request
    """

    def __init__(self, plan, error=None):
        self.plan, self.error = plan, error
        self.recording = Recording()
        self.news = self.listed = None
        self.accounts = {}
        self.is_complete = bool(error)
        if plan:
            self._expect(plan.accounts)

    @property
    def health(self):
        """Health of the bank in the last answer, see :mod:`..client.health`; None if not known."""
        errors = [self.error, *(one.error for one in self.accounts.values())]
        said = [read_health(error.health) for error in errors if error]
        return next(filter(None, said), None) or (self.news or {}).get("health")

    def _expect(self, plans):
        self.accounts = {one.account_id: AccountFetch(one) for one in plans}

    def plan_again(self, plans):
        """Plan the requests of changed accounts again; results of the others are kept.

        :param plans: list of :class:`AccountPlan`
        """
        self._expect(plans)
        self.is_complete = not plans

    def go(self, client, *, max_pages=None, stopped=None, on_page=lambda *_page: None):
        """Fetch the rest, as far as the proxy answers. Failures are kept until the fetch is applied.

        :param client: :class:`~..client.client.ProxyClient`
        :param int max_pages: see :meth:`AccountFetch.go`
        :param threading.Event stopped: ends it before the next request
        :raise Stopped: when it was ended
        """

        def check():
            if stopped and stopped.is_set():
                raise Stopped

        if self.is_complete:
            return
        client = client.recorded_by(self.recording.add)
        try:
            if self.listed is None:
                self._fetch_news(client, check)
            if self.listed is not None:
                for one in self.accounts.values():
                    if not one.is_complete:
                        one.go(client, self.plan.connection_id, max_pages=max_pages, check=check, on_page=on_page)
        except ProxyError as error:
            self.error = error
        self.is_complete = bool(
            self.error or self.listed is None or all(one.is_complete for one in self.accounts.values())
        )

    def _fetch_news(self, client, check):
        plan = self.plan
        check()
        self.news = self._request_news(client)
        if self.news["state"] != "done":
            return
        self.listed = self.news.get("accounts")
        if self.listed is None:
            check()
            self.listed = client.list_accounts(plan.connection_id)
        known = {account["id"] for account in self.listed}
        # Why only those: an account with a new id is planned again under it, after that is stored.
        self.accounts = {key: one for key, one in self.accounts.items() if one.plan.online_identifier in known}

    def _request_news(self, client):
        plan = self.plan
        if not plan.refresh:
            connection = client.get_connection(plan.connection_id)
            if refreshed_at := connection.get("refreshed_at"):
                return {
                    "state": "done",
                    "refreshed_at": refreshed_at,
                    "health": connection["institution"]["health"],
                }
        return client.refresh_connection(
            plan.connection_id, plan.user_present, return_url=plan.return_url, language=plan.language
        )


class FetchPool:
    """Fetches many links at the same time. No thread is running after the context manager exits.

    :param transport: with an attribute ``threads``; None if threads can't be used
    """

    def __init__(self, transport):
        self._transport = transport
        self._threads = transport.threads if transport else 0
        self._pool = ThreadPoolExecutor(self._threads, "bank-fetch") if transport else None
        self._stopped = threading.Event()
        #: Keys by future, in the order of submission.
        self._futures = {}

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stop()

    def stop(self):
        """Send no further requests, and wait for the open ones."""
        self._stopped.set()
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __len__(self):
        """Number of fetches whose result has not been taken; they are kept in memory."""
        return len(self._futures)

    @property
    def has_results(self):
        """Whether :meth:`next` returns at once."""
        return any(future.done() for future in self._futures)

    @property
    def room(self):
        """How many more to submit now; 0 while all threads are busy."""
        free = 2 * self._threads - len(self._futures)
        return free if free >= self._threads / 2 else 0

    def submit(self, key, fetch):
        """:param key: returned with the result"""
        self._futures[self._pool.submit(self._fetch, fetch)] = key

    def _fetch(self, fetch):
        if fetch.plan:
            client = ProxyClient(self._transport, language=fetch.plan.language)
            fetch.go(client, max_pages=PAGES_AHEAD, stopped=self._stopped)
        return fetch

    def next(self):
        """Wait for the first completed one, so that a slow bank does not delay others.

        :return: its key, and a ``Future`` of its :class:`Fetch`
        """
        over, _others = wait(self._futures, return_when=FIRST_COMPLETED)
        future = next(future for future in self._futures if future in over)
        return self._futures.pop(future), future

    def take_complete(self):
        """:return: list of what :meth:`next` would give, of those whose bank has answered everything; does not wait"""
        complete = [future for future in self._futures if _is_complete(future)]
        return [(self._futures.pop(future), future) for future in complete]


def _is_complete(future):
    return future.done() and not future.cancelled() and not future.exception() and future.result().is_complete
