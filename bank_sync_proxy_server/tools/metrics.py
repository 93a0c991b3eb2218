"""Counters for Prometheus, right with several worker processes. Imports no Odoo.

``prometheus-client`` keeps the counters of each process in files, and adds them up for each request. The files belong
to one run of the server, whose workers are one process group, so counters begin at zero when it starts, as Prometheus
expects. https://prometheus.github.io/client_python/multiprocess/

Why files and not PostgreSQL: a request needs no further write and no lock in the database, and Prometheus adds up
machines anyway: each is scraped and has its own label ``instance``.
"""

import fcntl
import functools
import itertools
import logging
import os
import shutil
import threading
import time
from pathlib import Path

import psutil

_logger = logging.getLogger(__name__)

#: Upper ends of the classes of durations, in seconds. A database gives up after 120.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: Process groups of two runs may have the same number, but not the same start.
SEPARATOR = "-"
#: Methods of an adapter that send requests to a provider. Others, such as ``parse_webhook``, only compute.
CALLS = (
    *("institutions", "check_keys", "start", "answer", "complete", "renew", "refresh", "accounts", "transactions"),
    "revoke",
)


class Metrics:
    """Counts requests of databases, and calls of providers.

    Every label has few values, all from our own lists, so that callers can't create new time series.

    :param folder: where the counters of all servers of this machine are kept
    :param codes: of the errors that a provider's adapter raises
    """

    def __init__(self, folder, codes=()):
        self._folder, self._codes, self._lock = Path(folder), frozenset(codes), threading.Lock()
        self._registry, self._is_off = None, False

    def count_request(self, operation, outcome, seconds):
        """
        :param str operation: of the protocol, or ``unknown``
        :param str outcome: ``ok``, or the code of the error
        :param float seconds: that the answer took
        """
        if self._prepare():
            self._requests.labels(operation, outcome).inc()
            self._request_seconds.labels(operation).observe(seconds)

    def count_call(self, provider, call, outcome, seconds):
        """
        :param str provider: code
        :param str call: one of :data:`CALLS`
        :param str outcome: ``ok``, the code of the error, or ``crash`` for what is our own mistake
        :param float seconds: that the call took, all its HTTP requests and pauses included
        """
        if self._prepare():
            self._calls.labels(provider, call, outcome).inc()
            self._call_seconds.labels(provider, call).observe(seconds)

    def observe(self, adapter):
        """Count the requests of an adapter from now on.

        :return: the adapter
        """
        inner = {call: getattr(adapter, call) for call in CALLS}
        running = []
        for call, method in inner.items():
            setattr(adapter, call, self._counted(adapter.code, call, method, running))
        return adapter

    def _counted(self, provider, call, method, running):
        """:param list running: the call that the proxy has made; those within the adapter are parts of it"""

        @functools.wraps(method)
        def counted(*args, **kwargs):
            if running:
                return method(*args, **kwargs)
            running.append(call)
            started, outcome = time.monotonic(), "crash"
            try:
                result = method(*args, **kwargs)
                if call == "institutions":
                    # Why: a generator sends its requests while it is read.
                    result = list(result)
                outcome = "ok"
                return result
            except Exception as error:
                code = getattr(error, "code", None)
                outcome = code if isinstance(code, str) and code in self._codes else outcome
                raise
            finally:
                running.clear()
                self.count_call(provider, call, outcome, time.monotonic() - started)

        return counted

    def expose(self, families):
        """
        :param families: metric families that were read from the database
        :return: bytes, Prometheus' text format
        """
        is_counting = self._prepare()
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess, values

        registry = CollectorRegistry()
        registry.register(_Given(families))
        if not is_counting:
            return generate_latest(registry)
        if issubclass(values.ValueClass, values.MutexValue):
            # Another addon has imported the library before: each process counts for itself.
            return generate_latest(registry) + generate_latest(self._registry)
        multiprocess.MultiProcessCollector(registry, path=os.environ[VARIABLE])
        return generate_latest(registry)

    def _prepare(self):
        """Why only now: the library decides at import where it counts, and a server whose metrics are not requested
        creates no files.

        :return: whether this process can count; no request fails because it can't
        """
        with self._lock:
            if self._registry or self._is_off:
                return not self._is_off
            try:
                if VARIABLE not in os.environ:
                    os.environ[VARIABLE] = str(folder_of_this_server(self._folder))
            except OSError as error:
                self._is_off = True
                _logger.warning(
                    "Requests are not counted for metrics, because %s can't be used: %s", self._folder, error
                )
                return False
            from prometheus_client import CollectorRegistry, values

            if not issubclass(values.ValueClass, values.MutexValue):
                values.ValueClass = values.MultiProcessValue(Seats(os.environ[VARIABLE]).number)
            registry = CollectorRegistry()
            self._define(registry)
            self._registry = registry
            return True

    def _define(self, registry):
        from prometheus_client import Counter, Histogram

        self._requests = Counter(
            "bank_sync_requests",
            "Requests of databases to this machine.",
            ["operation", "outcome"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "bank_sync_request_seconds",
            "Time until this machine has answered a request, including that of the provider.",
            ["operation"],
            buckets=SECONDS,
            registry=registry,
        )
        self._calls = Counter(
            "bank_sync_provider_calls",
            "Calls of providers from this machine.",
            ["provider", "call", "outcome"],
            registry=registry,
        )
        self._call_seconds = Histogram(
            "bank_sync_provider_call_seconds",
            "Time until a provider has answered a call of this machine, with all its HTTP requests.",
            ["provider", "call"],
            buckets=SECONDS,
            registry=registry,
        )


class Seats:
    """Gives each process of this server a number that no other living one has; the next process takes over the number,
    and the counters, of one that has ended.

    Why not the process id, as the library does by default: Odoo replaces its workers again and again
    (``limit_request``, ``limit_memory_soft``), and a file for each that ever lived would make every scrape slower than
    the one before.

    :param folder: of the counters
    """

    def __init__(self, folder):
        self._folder, self._process, self._file, self._number = Path(folder), None, None, None
        self._lock = threading.Lock()

    def number(self):
        with self._lock:
            if self._process != os.getpid():
                # Why not closed: it is the parent's, whose lock a child does not inherit.
                self._number, self._file = self._take()
                self._process = os.getpid()
            return self._number

    def _take(self):
        for number in itertools.count():
            file = (self._folder / f"seat_{number}.lock").open("a")
            try:
                # Why lockf: such a lock belongs to the process, ends with it, and no child inherits it.
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return number, file
            except OSError:
                file.close()


class _Given:
    """A collector of families that are there already."""

    def __init__(self, families):
        self._families = families

    def collect(self):
        return self._families


def folder_of_this_server(parent):
    """The folder for the counters of this run; those of runs that have ended are deleted.

    :return: path, which exists
    """
    own = _name(os.getpgrp())
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in parent.iterdir():
        group = folder.name.partition(SEPARATOR)[0]
        if folder.name != own and group.isdecimal() and folder.name != _name(int(group)):
            shutil.rmtree(folder, ignore_errors=True)
    (parent / own).mkdir(mode=0o700, exist_ok=True)
    return parent / own


def _name(group):
    """:return: name of a process group and of the time when its leader was started"""
    try:
        started = psutil.Process(group).create_time()
    except psutil.NoSuchProcess:
        # The leader of a group may end before the others.
        started = 0
    return f"{group}{SEPARATOR}{started:.0f}"
