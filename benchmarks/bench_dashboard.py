"""The accounting dashboard: what our cards add to its loading time and to its queries.

The dashboard is loaded as the web client does it, alternately with our data and without, in one process; the ratio is
the median over pairs of loadings that follow on one another.
"""

import argparse

from . import harness

HEADS = ("journals", "links", "ours ms", "core ms", "ratio", "our queries", "core's queries")


def main(arguments):
    options = parse(arguments)
    figures = measure(options)
    if options.json:
        harness.result(harness.json_line(figures))
        return 0
    for line in harness.table(HEADS, [[*figures.values()]], markdown=options.markdown):
        harness.result(line)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench dashboard", description=__doc__.partition("\n")[0])
    parser.add_argument("--journals", type=int, default=200, metavar="N", help="bank journals (default: 200)")
    parser.add_argument("--links", type=int, default=20, metavar="N", help="bank connections (default: 20)")
    parser.add_argument("--repeat", type=int, default=25, metavar="N", help="loadings of each kind (default: 25)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON object instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def measure(options):
    """:return: medians of milliseconds and of their ratio, and the queries that are ours and core's"""
    with harness.databases() as databases:
        name = databases.company()
        harness.report(f"Connecting {options.journals} journals …")
        harness.run_inside(name, "inside_dashboard", "prepare", journals=options.journals, links=options.links)
        harness.vacuum_analyze(name)
        loadings = harness.run_inside(name, "inside_dashboard", "measure", repetitions=options.repeat)
    ours, core = ([loading[kind] for loading in loadings] for kind in ("ours", "core"))
    seconds = [dict(enumerate(one["seconds"] for one in kind)) for kind in (ours, core)]
    queries = [harness.median([one["queries"] for one in kind]) for kind in (ours, core)]
    return {
        "journals": ours[0]["cards"],
        "links": options.links,
        "ours_ms": 1000 * harness.median(seconds[0].values()),
        "core_ms": 1000 * harness.median(seconds[1].values()),
        "ratio": harness.median_of_ratios(*seconds),
        "our_queries": int(queries[0] - queries[1]),
        "core_queries": int(queries[1]),
    }
