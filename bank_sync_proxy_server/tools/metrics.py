"""Counters of requests for Prometheus, right with several worker processes. Imports no Odoo.

``prometheus-client`` keeps the counters of each process in files, and adds them up when it is asked. The files belong
to one run of the server, whose workers are one process group, so counters begin at zero when it starts, as Prometheus
expects. https://prometheus.github.io/client_python/multiprocess/
"""

import os
import shutil
import threading
from pathlib import Path

import psutil

#: Upper ends of the classes of durations, in seconds. A database gives up after 120.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: Process groups of two runs may have the same number, but not the same start.
SEPARATOR = "-"


class RequestMetrics:
    """How many requests of the protocol were answered, how, and how fast.

    :param folder: where the counters of all servers of this machine are kept
    """

    def __init__(self, folder):
        self._folder, self._lock = Path(folder), threading.Lock()
        self._registry = self._requests = self._seconds = None

    def count(self, operation, outcome, seconds):
        """
        :param str operation: one of a fixed list, so that strangers can't make new time series
        :param str outcome: ``ok``, or the code of the error
        :param float seconds: that the answer took
        """
        self._prepare()
        self._requests.labels(operation, outcome).inc()
        self._seconds.labels(operation).observe(seconds)

    def expose(self, families):
        """
        :param families: metric families that were read from the database
        :return: bytes, Prometheus' text format
        """
        self._prepare()
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess, values

        registry = CollectorRegistry()
        registry.register(_Given(families))
        if issubclass(values.ValueClass, values.MutexValue):
            # Another addon has imported the library before: each process counts for itself.
            return generate_latest(registry) + generate_latest(self._registry)
        multiprocess.MultiProcessCollector(registry, path=os.environ[VARIABLE])
        return generate_latest(registry)

    def _prepare(self):
        """Why only now: the library decides when it is imported where it counts, and a server that nobody asks for
        metrics leaves no files."""
        with self._lock:
            if self._registry:
                return
            if VARIABLE not in os.environ:
                os.environ[VARIABLE] = str(folder_of_this_server(self._folder))
            from prometheus_client import CollectorRegistry, Counter, Histogram

            registry = CollectorRegistry()
            self._requests = Counter(
                "bank_sync_requests", "Requests of databases.", ["operation", "outcome"], registry=registry
            )
            self._seconds = Histogram(
                "bank_sync_request_seconds",
                "Time until a request is answered, including that of the provider.",
                ["operation"],
                buckets=SECONDS,
                registry=registry,
            )
            self._registry = registry


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
