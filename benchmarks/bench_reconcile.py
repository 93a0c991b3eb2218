"""Reconciliation: what is matched rightly of 1,000 labelled lines, and how long many lines take.

First without Odoo, then inside it, beside OCA's screen on the same lines and documents.
"""

import argparse
import importlib
import sys
import time

from benchmarks import harness
from environment import bootstrap, extra_packages, paths, process, python_packages

HEADS = ("measured", "figure")
OCA_ADDON = "account_reconcile_oca"
STEPS = ("pure", "labelled", "find", "import", "hook")
#: Lines of the imports that are measured with what follows them and without, the open documents beside them, and how
#: often each is measured.
HOOK_SIZES, HOOK_ITEMS, HOOK_TIMES = (5, 10, 19, 20, 100, 500, 2000), 90, 5


def main(arguments):
    options = parse(arguments)
    code = without_odoo(arguments) if "pure" in options.steps else 0
    if not code and {*options.steps} - {"pure"}:
        show(inside(options), options)
    return code


def without_odoo(arguments):
    """Measure with the environment's Python, which has the libraries."""
    bootstrap.bootstrap(odoo=False, database_server=False)
    variables = {**python_packages.clean_environment(), "PYTHONPATH": f"{paths.ROOT}:{paths.ROOT / 'scripts'}"}
    command = [paths.PYTHON, "-m", "benchmarks.bench_reconcile", *arguments]
    return process.wait(process.start(command, cwd=paths.ROOT, env=variables))


def run(arguments):
    options = parse(arguments)
    importlib.import_module("environment.pure").enter()
    show({**labelled(), **timed(options)}, options)
    return 0


def show(figures, options):
    if options.json:
        harness.result(harness.json_line(figures))
        return
    for line in harness.table(HEADS, [[*pair] for pair in figures.items()], markdown=options.markdown):
        harness.result(line)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench reconcile", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--steps",
        type=lambda text: tuple(text.split(",")),
        default=("pure",),
        metavar="S,…",
        help=f"of {', '.join(STEPS)} (default: pure): pure needs no Odoo, labelled compares with OCA, the others take "
        "many lines",
    )
    parser.add_argument("--without-oca", action="store_true", help="leave OCA's addon out")
    parser.add_argument("--lines", type=int, default=5000, metavar="N", help="bank lines (default: 5,000)")
    parser.add_argument("--items", type=int, default=20_000, metavar="N", help="open items (default: 20,000)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON object instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def inside(options):
    """:return: figures of the same inside Odoo"""
    figures = {}
    with_oca = "labelled" in options.steps and not options.without_oca
    folders = [extra_packages.ensure("reconcile") / "odoo" / "addons"] if with_oca else []
    with harness.databases() as databases:
        empty = databases.company("empty", addons_path=folders)
        if "labelled" in options.steps:
            with databases.temporary_copy(empty, "labelled") as name:
                harness.report("Putting the labelled documents into the books")
                harness.run_inside(name, "inside_reconcile", "prepare_labelled")
                harness.vacuum_analyze(name)
                figures |= labelled_inside(databases, name, folders)
        for step in ("find", "import"):
            if step in options.steps:
                figures |= many_inside(databases, empty, step, options)
        if "hook" in options.steps:
            figures |= hook_inside(databases, empty)
    return figures


def hook_inside(databases, template):
    """:return: processor time and queries of imports, with what follows them and without"""
    figures = {}
    with databases.temporary_copy(template, "hook") as name:
        harness.run_inside(name, "inside_reconcile", "prepare_many", lines=HOOK_ITEMS, items=HOOK_ITEMS)
        harness.vacuum_analyze(name)
        numbers = {"sizes": HOOK_SIZES, "items": HOOK_ITEMS, "times": HOOK_TIMES}
        for size, found in harness.run_inside(name, "inside_reconcile", "measure_hook", **numbers).items():
            figures[f"{size} lines: ms with, without"] = f"{1000 * found['with']:.0f}, {1000 * found['without']:.0f}"
            figures[f"{size} lines: ratio"] = round(found["with"] / found["without"], 2)
            figures[f"{size} lines: queries"] = f"{found['queries with']:.0f}, {found['queries without']:.0f}"
    return figures


def labelled_inside(databases, template, folders):
    """:return: what each system books of the labelled lines, in a copy of the same books"""
    figures = {}
    for system, addons_path in (("ours", []), *((("oca", folders),) if folders else ())):
        with databases.temporary_copy(template, system) as name:
            if system == "oca":
                databases.install(name, [OCA_ADDON], addons_path)
            found = harness.run_inside(name, "inside_reconcile", "labelled", addons_path, system=system)
            harness.report(f"{system}: {found}")
        label = "ours" if system == "ours" else "OCA"
        for key in ("rightly", "wrongly", "not at all", "seconds"):
            figures[f"{label}: {key}"] = found[key]
        figures[f"{label}: % of findable"] = round(100 * found["found"] / found["findable"], 1)
    return figures


def many_inside(databases, template, step, options):
    numbers = {"lines": options.lines, "items": options.items}
    figures = {}
    for with_hook in (True, False) if step == "import" else (None,):
        with databases.temporary_copy(template, "many") as name:
            harness.run_inside(name, "inside_reconcile", "prepare_many", **numbers)
            harness.vacuum_analyze(name)
            if step == "find":
                return harness.run_inside(name, "inside_reconcile", "measure_find", **numbers)
            found = harness.run_inside(name, "inside_reconcile", "measure_import", with_hook=with_hook, **numbers)
            label = "with" if with_hook else "without"
            figures[f"seconds for the import {label} matching"] = found["seconds"]
    return figures


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
