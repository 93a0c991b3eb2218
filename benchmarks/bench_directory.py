"""The directory of banks: how long it takes to fill it and to search it.

One provider lists all banks. The searches are measured at the database (as ``institutions.search`` asks it), as a
whole operation of the protocol with its JSON, and over HTTP on the public page, rendering included.
"""

import argparse
import statistics
import time
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlencode

from environment import odoo_command, ports, process

from . import harness
from .institutions import institutions, queries

HEADS = ("searched at", "query", "searches", "found", "p50 ms", "p95 ms", "max ms")
PAGE = "/bank_sync/institutions"


def main(arguments):
    options = parse(arguments)
    results, filling = measure(options)
    if options.json:
        for one in [filling, *results]:
            harness.result(harness.json_line(one))
        return 0
    rows = [[one[key] for key in ("at", "kind", "searches", "found", "p50", "p95", "max")] for one in results]
    for line in harness.table(HEADS, rows, markdown=options.markdown):
        harness.result(line)
    harness.result(
        "\n{banks:,} banks: taken over in {first:.1f} s, again without changes in {again:.1f} s, "
        "{peak_mb:.0f} MB more memory. "
        "{rows:,} rows of two providers: merged in {merge:.1f} s, {entries:,} entries are left.".format(**filling)
    )
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench directory", description=__doc__.partition("\n")[0])
    parser.add_argument("--banks", type=int, default=50_000, metavar="N", help="how many are listed (default: 50000)")
    parser.add_argument("--each", type=int, default=30, metavar="N", help="searches of each kind (default: 30)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object per line instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def measure(options):
    """:return: list of dicts with the keys of the table, and a dict about filling and merging"""
    sizes = {"banks": options.banks, "each": options.each}
    with harness.databases() as databases:
        name = databases.copy(harness.testing.TEMPLATE, "directory")
        harness.report(f"Listing {options.banks:,} banks …")
        filling = harness.run_inside(name, "inside_directory", "prepare", banks=options.banks)
        merging = harness.run_inside(name, "inside_directory", "merge", banks=options.banks)
        harness.vacuum_analyze(name)
        harness.report("Searching …")
        by_kind = harness.run_inside(name, "inside_directory", "search", **sizes)
        results = [_figures("database", kind, **taken) for kind, taken in by_kind.items()]
        results.append(_figures("database", "all of these", *_together(by_kind)))
        taken = harness.run_inside(name, "inside_directory", "protocol", **sizes)
        results.append(_figures("protocol", "all of these", taken))
        with _served(name) as url:
            results.append(_figures("HTTP", "all of these", _over_http(url, options)))
    merging["merge"] = merging.pop("seconds")
    return results, {"banks": options.banks, **filling, **merging}


def _figures(at, kind, ms, found=None):
    ms = sorted(ms)
    return {
        "at": at,
        "kind": kind,
        "searches": len(ms),
        "found": found,
        "p50": statistics.median(ms),
        "p95": ms[min(int(0.95 * len(ms)), len(ms) - 1)],
        "max": ms[-1],
    }


def _together(by_kind):
    """:return: milliseconds and findings of all kinds"""
    return [one for taken in by_kind.values() for one in taken["ms"]], sum(t["found"] for t in by_kind.values())


@contextmanager
def _served(name):
    """Odoo's own HTTP server for a database."""
    port = ports.any_free()
    options = ["-d", name, "--db-filter", f"^{name}$", "--http-port", port, "--max-cron-threads=0"]
    server = odoo_command.serve(options, harness.LOG)
    try:
        ports.wait_until_served(port, server, process.log_path(harness.LOG))
        yield f"http://{ports.HOST}:{port}"
    finally:
        process.stop(server)


def _over_http(url, options):
    """:return: milliseconds of each page"""
    asked = [query for kind in queries(institutions(options.banks), options.each).values() for query in kind]
    taken = []
    for number, (query, country) in enumerate([("", None)] * 3 + asked):
        address = f"{url}{PAGE}?{urlencode({'q': query, 'country': country or ''})}"
        started = time.perf_counter()
        with urllib.request.urlopen(address) as answer:
            answer.read()
        if number >= 3:  # the first ones compile templates
            taken.append(1000 * (time.perf_counter() - started))
    return taken
