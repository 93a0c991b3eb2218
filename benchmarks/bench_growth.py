"""A proxy with a million connections: how fast its tables are searched and cleaned up.

Rows are made by PostgreSQL itself: so many connections of 10,000 databases, and so many rows in each of the two tables
that grow fastest (requests to banks with limits, and events), most of them old enough to be deleted. Measured
are the operations of the request path and of the scheduled actions while all of that is there, then the daily clean-up,
batch by batch as Odoo calls it, then the operations again.
"""

import argparse
import time

from . import harness

HEADS = ("operation", "p50 ms", "p95 ms", "max ms", "reads whole", "indexes", "p95 ms afterwards")
CLEAN_UP_HEADS = (
    *("clean-up", "deleted", "seconds", "rows a second"),
    *("first batches s", "last batches s", "slowest batch s"),
)


def main(arguments):
    options = parse(arguments)
    figures = measure(options)
    if options.json:
        harness.result(harness.json_line(figures))
        return 0
    after = figures["after"]
    rows = [
        [*(name, one["p50"], one["p95"], one["max"]), *_shown(one, "whole", "indexes"), after[name]["p95"]]
        for name, one in figures["before"].items()
    ]
    for line in harness.table(HEADS, rows, markdown=options.markdown):
        harness.result(line)
    harness.result("")
    rows = [
        [
            *(name, one["deleted"], one["seconds"], one["deleted"] / one["seconds"]),
            *(one["first"], one["last"], one["slowest"]),
        ]
        for name, one in figures["clean_up"].items()
    ]
    for line in harness.table(CLEAN_UP_HEADS, rows, markdown=options.markdown):
        harness.result(line)
    harness.result(
        "\n{connections:,} connections, {rows:,} rows in each of the two tables, {size_gb:.1f} GB. "
        "Filled in {fill:.0f} s; vacuumed in {vacuum:.0f} s after the clean-up.".format(**figures)
    )
    return 0


def _shown(one, *names):
    return [", ".join(name.removeprefix("bank_sync_") for name in one[key]) or "–" for key in names]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--connections", type=int, default=1_000_000, metavar="N", help="default: 1000000")
    parser.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="of each table (default: 10000000)")
    parser.add_argument("--each", type=int, default=40, metavar="N", help="how often each is measured (default: 40)")
    parser.add_argument(
        "--batches", type=int, metavar="N", help="of each clean-up, 10000 rows each (default: until nothing is left)"
    )
    parser.add_argument(
        "--during-backup", action="store_true", help="clean up while another transaction sees the database as it was"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    output.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    return parser.parse_args(arguments)


def measure(options):
    """:return: dict: ``before`` and ``after`` the clean-up, ``clean_up``, and how much there was"""
    sizes = {"connections": options.connections, "rows": options.rows}
    options_of_clean_up = {"batches": options.batches, "during_backup": options.during_backup}
    with harness.databases() as databases:
        name = databases.copy(harness.testing.TEMPLATE, "growth")
        harness.report(f"Filling in {options.connections:,} connections and 2 × {options.rows:,} rows …")
        filled = harness.run_inside(name, "inside_growth", "fill", **sizes)
        harness.vacuum_analyze(name)
        harness.report("Measuring …")
        before = harness.run_inside(name, "inside_growth", "operate", each=options.each)
        harness.report("Cleaning up …")
        clean_up = harness.run_inside(name, "inside_growth", "clean_up", **options_of_clean_up)
        started = time.perf_counter()
        harness.vacuum_analyze(name)
        vacuum = time.perf_counter() - started
        harness.report("Measuring again …")
        after = harness.run_inside(name, "inside_growth", "operate", each=options.each)
    return {**sizes, **filled, "vacuum": vacuum, "before": before, "clean_up": clean_up, "after": after}
