"""From what one machine was measured to do, what many links need. Plain arithmetic; docs/capacity.md explains it."""

import math
from dataclasses import dataclass

DAY = 24 * 3600


@dataclass(frozen=True)
class Measured:
    """What `scripts/bench fleet` found.

    :param float odoo_ms: CPU milliseconds of Odoo per question
    :param float postgres_ms: of PostgreSQL
    :param float worker_mb: memory of one HTTP worker, MiB
    """

    odoo_ms: float
    postgres_ms: float
    worker_mb: float


@dataclass(frozen=True)
class Assumed:
    """What nobody can measure beforehand; each is an option of `scripts/bench capacity`.

    :param float runs: synchronizations of a link per day
    :param float questions: per run: one for news, one for the accounts, one for each of two accounts
    :param float peak: how much more than on average is asked in the busiest minutes
    :param float provider_seconds: what a question waits for the provider and the bank
    :param float utilization: of a core, so that nobody waits for one
    :param int cores: of one machine
    :param int memory_gb: of one machine, for workers
    """

    runs: float = 2.2
    questions: float = 4
    peak: float = 3
    provider_seconds: float = 1.0
    utilization: float = 0.6
    cores: int = 8
    memory_gb: int = 28


def needed(links, measured, assumed=None):
    """
    :return: dict of questions per second (``average``, ``peak``), ``odoo_cores``, ``postgres_cores``, HTTP ``workers``,
        their memory ``memory_gb``, and ``machines`` for Odoo besides the one for PostgreSQL
    """
    assumed = assumed or Assumed()
    average = links * assumed.runs * assumed.questions / DAY
    peak = average * assumed.peak
    odoo_cores = peak * measured.odoo_ms / 1000 / assumed.utilization
    # Why so many: a worker serves one question at a time, and most of that time it waits for a bank.
    workers = math.ceil(peak * (assumed.provider_seconds + measured.odoo_ms / 1000))
    memory = workers * measured.worker_mb / 1024
    return {
        "links": links,
        "average": average,
        "peak": peak,
        "odoo_cores": odoo_cores,
        "postgres_cores": peak * measured.postgres_ms / 1000 / assumed.utilization,
        "workers": workers,
        "memory_gb": memory,
        "machines": max(1, math.ceil(odoo_cores / assumed.cores), math.ceil(memory / assumed.memory_gb)),
    }
