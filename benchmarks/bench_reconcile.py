"""Reconciliation: what is matched rightly of 1,000 labelled lines, and how long many lines take, without Odoo."""

import argparse
import importlib
import sys
import time

from benchmarks import harness
from environment import bootstrap, paths, process, python_packages

HEADS = ("measured", "figure")


def main(arguments):
    """Measure with the environment's Python, which has the libraries."""
    parse(arguments)
    bootstrap.bootstrap(odoo=False, database_server=False)
    variables = {**python_packages.clean_environment(), "PYTHONPATH": f"{paths.ROOT}:{paths.ROOT / 'scripts'}"}
    command = [paths.PYTHON, "-m", "benchmarks.bench_reconcile", *arguments]
    return process.wait(process.start(command, cwd=paths.ROOT, env=variables))


def run(arguments):
    options = parse(arguments)
    importlib.import_module("environment.pure").enter()
    figures = {**labelled(), **timed(options)}
    if options.json:
        harness.result(harness.json_line(figures))
        return 0
    for line in harness.table(HEADS, [[*pair] for pair in figures.items()], markdown=options.markdown):
        harness.result(line)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench reconcile", description=__doc__)
    parser.add_argument("--lines", type=int, default=5000, metavar="N", help="bank lines (default: 5,000)")
    parser.add_argument("--items", type=int, default=20_000, metavar="N", help="open items (default: 20,000)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON object instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def labelled():
    """:return: figures of the labelled lines"""
    counts, wrong, _missed = importlib.import_module("account_online_reconcile.tests.pure.measure").measure()
    return {
        "labelled lines": counts["lines"],
        "booked rightly": counts["booked rightly"],
        "booked wrongly": len(wrong),
        "proposed rightly": counts["proposed rightly"],
        "with a reference or a unique amount": counts["findable"],
        "% of those booked": round(100 * counts["found"] / counts["findable"], 1),
    }


def timed(options):
    """:return: figures of many lines, in seconds of the processor"""
    many = importlib.import_module("account_online_reconcile.tests.pure.many_lines").many
    deciding = importlib.import_module("account_online_reconcile.matching.decide")
    lines, books = many(options.lines, options.items, max(1, options.items // 10))
    begun = time.process_time()
    matcher = deciding.Matcher(books)
    indexed = time.process_time()
    decisions = matcher.decide(lines)
    done = time.process_time()
    return {
        "lines": len(lines),
        "open items": len(books.candidates),
        "booked": sum(decision.kind == "automatic" for decision in decisions.values()),
        "seconds for the index": round(indexed - begun, 2),
        "seconds for the lines": round(done - indexed, 2),
    }


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
