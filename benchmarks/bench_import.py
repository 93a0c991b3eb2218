"""The importer: how fast transactions become statement lines, beside the ORM's floor and OCA's addon.

Variants that follow on one another, such as a first synchronization and a second one, share a database; all others
have a fresh copy of the same one, and every measurement a separate process. In each repetition another variant
begins, and ratios are taken within a repetition.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from environment import extra_packages
from environment.console import Trouble

from . import harness

#: On one database, one after the other: what a variant leaves behind is where the next one begins.
CHAINS = (
    ("floor", "limit"),
    ("ours", "ours_resync", "ours_resync_1pct"),
    ("oca_monthly", "oca_resync", "oca_resync_1pct"),
    ("oca_daily",),
)
VARIANTS = tuple(variant for chain in CHAINS for variant in chain)

#: What a second synchronization is compared with; a first one is with the floor and OCA's statements by month.
RESYNCS = {
    "ours_resync": "oca_resync",
    "ours_resync_1pct": "oca_resync_1pct",
    "oca_resync": "oca_resync",
    "oca_resync_1pct": "oca_resync_1pct",
}

KEYS = (
    "variant",
    "lines",
    "database",
    "seconds",
    "lines_per_second",
    "queries",
    "peak_mb",
    "ratio_to_floor",
    "ratio_to_oca",
)
HEADS = ("variant", "lines", "database", "seconds", "lines/s", "queries", "per line", "peak MB", "× floor", "× OCA")

DATABASES = ("fresh", "preloaded")
PRELOADED_LINES = 3000
OCA_ADDON = "account_statement_import_online"


@dataclass
class Measurement:
    """One variant in one repetition. ``peak_mb`` is memory above that of the idle process, in MiB."""

    variant: str
    lines: int
    database: str
    repetition: int
    seconds: float
    queries: int
    peak_mb: float


def main(arguments):
    options = parse(arguments)
    results = load(options) if options.load else measure(options)
    if not results:
        raise Trouble("Nothing was measured: see --oca-lines.")
    if not options.json:
        print_table(results, options.markdown)
    if options.plot:
        harness.draw("import_plot", options.plot.resolve(), results=results)
        harness.report(f"The picture is {options.plot}.")
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench import", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--lines", type=_list_of(_count), default=(1000, 5000), metavar="N,…", help="how many (default: 1000,5000)"
    )
    parser.add_argument(
        "--database",
        type=_list_of(_one_of(DATABASES)),
        default=DATABASES,
        metavar="D,…",
        help=f"fresh: nothing in it; preloaded: {PRELOADED_LINES} lines (default: both)",
    )
    parser.add_argument(
        "--variants",
        type=_list_of(_one_of(VARIANTS)),
        default=VARIANTS,
        metavar="V,…",
        help=f"of {', '.join(VARIANTS)} (default: all)",
    )
    parser.add_argument("--repeat", type=_count, default=3, metavar="N", help="repetitions (default: 3)")
    parser.add_argument(
        "--oca-lines",
        type=_count,
        default=1000,
        metavar="N",
        help="measure OCA's addon up to so many lines: it takes minutes from some thousand on (default: 1000)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object per line instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown, for docs/performance.md")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the results, as SVG or PNG")
    parser.add_argument(
        "--from", dest="load", type=Path, metavar="FILE", help="measure nothing, show what --json printed earlier"
    )
    return parser.parse_args(arguments)


def _list_of(convert):
    def values(text):
        return tuple(dict.fromkeys(convert(part.strip()) for part in text.split(",")))

    return values


def _one_of(choices):
    def value(text):
        if text not in choices:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return value


def _count(text):
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


# -------------------------------------------------------------------------
# MEASURE
# -------------------------------------------------------------------------


def measure(options):
    """
    :return: list of dictionaries with the keys ``KEYS``, medians over the repetitions
    """
    results = []
    with_oca = any(is_oca(variant) for variant in options.variants) and min(options.lines) <= options.oca_lines
    addons_path = [extra_packages.ensure("oca") / "odoo" / "addons"] if with_oca else []
    with harness.databases() as databases:
        harness.report("Preparing the database that all variants begin with")
        template = databases.company(modules=[OCA_ADDON] if with_oca else [], addons_path=addons_path)
        harness.run_inside(template, "inside_import", "prepare", addons_path)
        for kind in options.database:
            if kind == "preloaded":
                harness.report(f"Loading {PRELOADED_LINES} lines into the preloaded one")
                template = databases.copy(template, "preloaded")
                harness.run_inside(template, "inside_import", "preload", addons_path, lines=PRELOADED_LINES)
                harness.vacuum_analyze(template)
            for lines in options.lines:
                chains = chosen_chains(options.variants, without_oca=lines > options.oca_lines)
                if len(chains) < len(chosen_chains(options.variants)):
                    harness.report(f"{lines} lines: OCA's addon is left out, see --oca-lines")
                measurements = []
                for repetition in range(options.repeat):
                    for chain in harness.rotated(chains, repetition):
                        with databases.temporary_copy(template) as name:
                            measurements += measure_chain(name, chain, lines, kind, repetition, addons_path)
                wanted = [one for one in measurements if one.variant in options.variants]
                found = summarize(wanted, measurements)
                results += found
                show(found, options)
    return results


def measure_chain(name, chain, lines, kind, repetition, addons_path):
    """:return: list of :class:`Measurement`"""
    found = []
    for variant in chain:
        if found:
            # Why: a second synchronization comes hours later.
            harness.vacuum_analyze(name)
        figures = harness.run_inside(name, "inside_import", "measure", addons_path, variant=variant, lines=lines)
        # Why reported: it shows that all variants do the same work.
        statements, partners = figures.pop("statements"), figures.pop("partners")
        harness.report(
            f"{variant}, {lines} lines, {kind}, repetition {repetition + 1}: {figures['seconds']:.2f} s, "
            f"{figures['queries']} queries, {figures['peak_mb']:.0f} MB; "
            f"the journal has {statements} statements and {partners} lines with a partner"
        )
        found.append(Measurement(variant, lines, kind, repetition, **figures))
    return found


def is_oca(variant):
    return variant.startswith("oca_")


def chosen_chains(variants, without_oca=False):
    """:return: the chains that the variants need, each from its beginning, without steps that no variant needs"""
    chains = []
    for first, *following in CHAINS:
        wanted = [variant for variant in following if variant in variants]
        if (first in variants or wanted) and not (without_oca and is_oca(first)):
            chains.append([first, *wanted])
    return chains


# -------------------------------------------------------------------------
# RESULTS
# -------------------------------------------------------------------------


def summarize(wanted, measurements):
    """
    :param wanted: the :class:`Measurement` to report, of one number of lines and one kind of database
    :param measurements: all of them, those that are only compared with included
    :return: list of dictionaries with the keys ``KEYS``; a ratio above 1 says that the variant is faster, and is None
        where there is nothing to compare it with
    """
    seconds = {}
    for one in measurements:
        seconds.setdefault(one.variant, {})[one.repetition] = one.seconds
    results = []
    for variant in dict.fromkeys(one.variant for one in sorted(wanted, key=lambda one: VARIANTS.index(one.variant))):
        own = [one for one in wanted if one.variant == variant]
        median_seconds = harness.median([one.seconds for one in own])
        # Why not the floor for a second synchronization: it has nothing to write.
        floor = None if variant in RESYNCS else "floor"
        references = (floor, RESYNCS.get(variant, "oca_monthly"))
        to_floor, to_oca = (
            harness.median_of_ratios(seconds.get(reference, {}), seconds[variant]) for reference in references
        )
        values = (
            variant,
            own[0].lines,
            own[0].database,
            median_seconds,
            own[0].lines / median_seconds,
            int(harness.median([one.queries for one in own])),
            harness.median([one.peak_mb for one in own]),
            to_floor,
            to_oca,
        )
        results.append(dict(zip(KEYS, values, strict=True)))
    return results


def load(options):
    """:return: the same as :func:`measure`, from what an earlier run has printed"""
    try:
        results = [json.loads(line) for line in options.load.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise Trouble(f"{options.load} does not hold what --json prints: {error}") from None
    if any(set(values) != set(KEYS) for values in results):
        raise Trouble(f"{options.load} has other keys than --json prints now: measure again.")
    show(results, options)
    return results


def show(results, options):
    """At once, so that a run that is stopped has not been in vain."""
    if options.json:
        for values in results:
            harness.result(harness.json_line(values))


def print_table(results, markdown):
    rows = [
        [
            values["variant"],
            values["lines"],
            values["database"],
            values["seconds"],
            values["lines_per_second"],
            values["queries"],
            values["queries"] / values["lines"],
            values["peak_mb"],
            values["ratio_to_floor"],
            values["ratio_to_oca"],
        ]
        for values in results
    ]
    for line in harness.table(HEADS, rows, markdown):
        harness.result(line)
