"""What the scheduled action asks the proxy about a link, before the link is stored, in a thread of its own.

Nothing is interpreted here. The questions are asked by the same :class:`~.client.ProxyClient` with which the link is
stored later; the storing asks again, and a question that is the same to the letter has its answer. So whatever has
changed in between, an account's bookmark for example, the answer to another question is never taken for it.
"""

import contextlib
import itertools
import json
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date

from .client import ProxyClient
from .errors import ProxyError

#: More pages than this are left to the storing, one after the other: answers are kept in memory until then.
PAGES_AHEAD = 20


@dataclass(frozen=True)
class Range:
    """Which transactions of an account are wanted: from a day on, None for all there are, or from a bookmark on."""

    account_id: str
    since: date | None
    cursor: str | None


@dataclass(frozen=True)
class Plan:
    """What will be asked about one link, if nothing comes in between."""

    connection_id: str
    language: str | None
    ranges: tuple[Range, ...]


class Stopped(Exception):
    """Nobody waits for the conversation any more."""


class Remembering:
    """A transport that keeps what it hears, and asks nothing any more once it is stopped.

    :param threading.Event stopped: set by another thread
    """

    def __init__(self, transport, stopped):
        self._transport = transport
        self._stopped = stopped
        self.answers = {}

    def call(self, operation, payload):
        """:raise Stopped: instead of asking"""
        if self._stopped.is_set():
            raise Stopped
        try:
            answer = self._transport.call(operation, payload)
        except ProxyError as error:
            self.answers[_key(operation, payload)] = error
            raise
        self.answers[_key(operation, payload)] = answer
        return answer


class Answered:
    """A transport that has been told some answers before; each is given once, everything else is asked.

    :param dict answers: as :func:`talk` returns them
    """

    def __init__(self, transport, answers):
        self._transport = transport
        self._answers = dict(answers)

    def for_threads(self):
        return None

    def call(self, operation, payload):
        key = _key(operation, payload)
        if key not in self._answers:
            return self._transport.call(operation, payload)
        answer = self._answers.pop(key)
        if isinstance(answer, ProxyError):
            raise answer
        return answer


def _key(operation, payload):
    # Why without the language: it is the same question, whoever reads of its failure.
    payload = {name: value for name, value in payload.items() if name != "language"}
    return json.dumps([operation, payload], sort_keys=True)


def talk(transport, plan, stopped):
    """Ask for a link's news, its accounts and their transactions, as far as the proxy says yes.

    :param transport: may be called by this thread
    :param Plan plan: what to ask, None for nothing
    :param threading.Event stopped: ends the conversation before its next question
    :return: dict from question to answer, or to the :class:`ProxyError` that came instead
    :raise Stopped: when it was ended
    """
    heard = Remembering(transport, stopped)
    # Why failures are no matter here: the storing hears of each of them again, where something is done about it.
    with contextlib.suppress(ProxyError):
        if plan:
            _ask_all(ProxyClient(heard, language=plan.language), plan)
    return heard.answers


def _ask_all(client, plan):
    answer = client.refresh_connection(plan.connection_id, user_present=False)
    if answer["state"] != "done":
        return
    known = {account["id"] for account in client.list_accounts(plan.connection_id)}
    for one in plan.ranges:
        # Why only known ones: an account that has another id now is asked for under it, once that is stored.
        if one.account_id in known:
            pages = client.iter_transaction_pages(plan.connection_id, one.account_id, one.since, one.cursor)
            with contextlib.suppress(ProxyError):
                for _page in itertools.islice(pages, PAGES_AHEAD):
                    pass


class Talks:
    """Conversations about many links at the same time. When it is left, no thread is running any more.

    :param transport: with an attribute ``threads``; None for no conversation at all
    """

    def __init__(self, transport):
        self._transport = transport
        self._threads = transport.threads if transport else 0
        self._pool = ThreadPoolExecutor(self._threads, "bank-conversation") if transport else None
        self._stopped = threading.Event()
        #: Keys by future, in the order in which they have begun.
        self._begun = {}

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stop()

    def stop(self):
        """Let nobody ask any more, and wait for the questions that are on their way."""
        self._stopped.set()
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __len__(self):
        """Conversations whose answers have not been taken; so many are in memory at most."""
        return len(self._begun)

    @property
    def has_answers(self):
        """Whether :meth:`next` does not have to wait."""
        return any(future.done() for future in self._begun)

    @property
    def room(self):
        """How many more are to begin now; 0 as long as there is enough to talk about for all threads."""
        free = 2 * self._threads - len(self._begun)
        return free if free >= self._threads / 2 else 0

    def begin(self, key, plan):
        """:param key: says later whose answers they are"""
        self._begun[self._pool.submit(talk, self._transport, plan, self._stopped)] = key

    def next(self):
        """Wait for the first that is over, whichever it is: a slow bank keeps nobody waiting.

        :return: its key, and a ``Future`` of what :func:`talk` returns or raises
        """
        over, _others = wait(self._begun, return_when=FIRST_COMPLETED)
        future = next(future for future in self._begun if future in over)
        return self._begun.pop(future), future
