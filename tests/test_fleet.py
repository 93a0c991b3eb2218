"""Many databases ask one proxy with several workers at the same time: each is answered, and with what is its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench_capacity
from benchmarks.capacity import Assumed, Measured, needed
from environment import paths

CAPACITY = paths.ROOT / "docs" / "capacity.md"
PERFORMANCE = paths.ROOT / "docs" / "performance.md"
MEASURED = Measured(odoo_ms=5, postgres_ms=2, worker_mb=100)


def test_a_fleet_gets_no_answer_that_belongs_to_another(thorough):
    clients, seconds = (200, 30) if thorough else (24, 8)
    command = [sys.executable, str(paths.ROOT / "scripts" / "bench"), "fleet", "--json", "--rates", "0"]
    command += ["--clients", str(clients), "--users", "16", "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout)
    assert figures["wrong"] == 0
    assert figures["refused"] == 0, figures["failures"]
    asked = {operation: one["requests"] for operation, one in figures["by_operation"].items()}
    assert set(asked) >= {"connections.get", "connections.refresh", "accounts.list", "transactions.list"}
    assert sum(asked.values()) == figures["requests"] >= clients


def test_twice_the_links_need_twice_as_much():
    one, two = needed(1_000_000, MEASURED), needed(2_000_000, MEASURED)
    for name in ("average", "peak", "odoo_cores", "postgres_cores"):
        assert two[name] == pytest.approx(2 * one[name])


def test_what_waits_for_banks_needs_workers_and_not_cores():
    slow = needed(1_000_000, MEASURED, Assumed(provider_seconds=4))
    fast = needed(1_000_000, MEASURED, Assumed(provider_seconds=1))
    assert slow["workers"] > 3 * fast["workers"]
    assert slow["odoo_cores"] == fast["odoo_cores"]


def test_a_machine_that_is_too_small_in_one_respect_is_too_small():
    assert needed(1_000_000, MEASURED, Assumed(cores=1, memory_gb=1000))["machines"] > 1
    assert needed(1_000_000, MEASURED, Assumed(cores=1000, memory_gb=1))["machines"] > 1


def test_the_page_shows_what_is_computed_from_the_figures_that_it_names():
    text = CAPACITY.read_text(encoding="utf-8")
    command = next(line for line in text.splitlines() if line.startswith("scripts/bench capacity --odoo-ms"))
    options = bench_capacity.parse(command.split("#")[0].split()[2:])
    measured = bench_capacity.from_options(Measured, options)
    for line in bench_capacity.table(options.links, measured):
        assert line in text, f"{Path(CAPACITY).name} does not show: {line}"
