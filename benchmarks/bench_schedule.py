"""The scheduled action: how long it takes for many links whose banks are slow and have nothing new.

Each link has one account, so its bank gets three requests, or two where the refresh lists the accounts. What is
measured is the whole action as Odoo executes it, in a real process with a real database; only the network is a thread
that sleeps.
"""

import argparse

from . import harness

HEADS = (
    "links",
    "latency ms",
    "answers",
    "threads",
    "seconds",
    "waiting in turn",
    "ms/link",
    "CPU ms/link",
    "queries/link",
    "overlapped",
)


def main(arguments):
    options = parse(arguments)
    results = measure(options)
    if options.json:
        for one in results:
            harness.result(harness.json_line(one))
        return 0
    rows = [
        [
            one["links"],
            one["latency_ms"],
            one["answers"],
            one["threads"],
            one["seconds"],
            one["calls"] * one["latency_ms"] / 1000,
            1000 * one["seconds"] / one["links"],
            1000 * one["cpu_seconds"] / one["links"],
            one["queries"] / one["links"],
            one["overlapped"],
        ]
        for one in results
    ]
    for line in harness.table(HEADS, rows, markdown=options.markdown):
        harness.result(line)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench schedule", description=__doc__.partition("\n")[0])
    parser.add_argument("--links", type=int, default=1000, metavar="N", help="how many are due (default: 1000)")
    parser.add_argument("--latency-ms", type=int, default=200, metavar="N", help="of each answer (default: 200)")
    parser.add_argument(
        "--answers",
        type=int,
        choices=(2, 3),
        nargs="+",
        default=(3, 2),
        metavar="N",
        help="of the bank for each link; 2: its refresh lists the accounts (default: 3 2, one after the other)",
    )
    parser.add_argument(
        "--threads", type=int, default=32, metavar="N", help="how many may ask at once; 0: in turn (default: 32)"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="repetitions, each shown (default: 1)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object per line instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def measure(options):
    """
    :return: list of what ``inside_schedule.measure`` returns, with ``latency_ms`` and ``threads``, one per repetition
    """
    values = {"latency_ms": options.latency_ms, "threads": options.threads}
    with harness.databases() as databases:
        name = databases.company()
        harness.report(f"Connecting {options.links} links …")
        harness.run_inside(name, "inside_schedule", "prepare", links=options.links)
        harness.vacuum_analyze(name)
        return [
            {**harness.run_inside(name, "inside_schedule", "measure", **values, answers=answers), **values}
            for _repetition in range(options.repeat)
            for answers in options.answers
        ]
