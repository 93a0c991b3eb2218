"""What all benchmarks share: copies of one database, processes inside Odoo, medians, tables. Standard library only."""

import json
import statistics
import subprocess
import sys
from contextlib import contextmanager

from environment import (
    bootstrap,
    console,
    database,
    extra_packages,
    locks,
    odoo_command,
    odoo_package,
    paths,
    process,
    python_packages,
    sql,
    testing,
)

from . import RESULT

PREFIX = "bank_sync_bench"
LOG = "bench"

#: For progress and remarks: stdout belongs to the results.
report = console.complain

# -------------------------------------------------------------------------
# DATABASES
# -------------------------------------------------------------------------


@contextmanager
def databases():
    """Have the environment and, until the end of the block, :class:`Databases`; whatever happens they are dropped."""
    bootstrap.bootstrap()
    database.ensure_template(testing.TEMPLATE)
    process.log_path(LOG).write_text("", encoding="utf-8")
    prefix, lock = _free_prefix()
    own = Databases(prefix)
    try:
        own.drop_all()
        yield own
    finally:
        own.drop_all()
        locks.release(lock)


def _free_prefix():
    """Names that no other run uses at the moment; a killed run may have left databases under them.

    :return: (prefix, lock)
    """
    number = 1
    while (lock := locks.try_lock(f"run-{PREFIX}_{number}")) is None:
        number += 1
    return f"{PREFIX}_{number}", lock


class Databases:
    """The databases of one run, all copied from the one that the tests use: both addons, freshly installed.

    :param str prefix: begins all their names
    """

    def __init__(self, prefix):
        self.prefix = prefix

    def copy(self, template, name):
        """
        :param str template: full name of a database without sessions
        :param str name: of the copy, after the prefix; an earlier one with this name is replaced
        :return: full name of the copy
        """
        full_name = f"{self.prefix}_{name}"
        database.copy(template, full_name)
        return full_name

    @contextmanager
    def temporary_copy(self, template, name="work"):
        """The same, dropped at the end of the block."""
        full_name = self.copy(template, name)
        try:
            yield full_name
        finally:
            database.drop(full_name)

    def company(self, name="template", modules=(), addons_path=()):
        """A database with a company that can keep books: the template of what is measured.

        :param modules: further addons to install
        :param addons_path: folders that hold them
        :return: its full name
        """
        full_name = self.copy(testing.TEMPLATE, name)
        if modules:
            self.install(full_name, modules, addons_path)
        run_inside(full_name, "inside_company", "prepare", addons_path=addons_path)
        return full_name

    def install(self, full_name, modules, addons_path):
        """Install what is compared with."""
        arguments = ["--no-http", "--max-cron-threads=0", "--stop-after-init", "-d", full_name]
        arguments += ["-i", ",".join(modules), "--addons-path", ",".join(map(str, (paths.ROOT, *addons_path)))]
        odoo_command.run(arguments, LOG, "Odoo could not install what is compared with: the log tells why.")

    def drop_all(self):
        # Why look: a process that is stopped while a copy is made or dropped does not know how much of it exists.
        beginning = f"{self.prefix}_"
        rows = sql.query(f"SELECT datname FROM pg_database WHERE starts_with(datname, {sql.literal(beginning)})")
        folders = paths.FILESTORE.glob(f"{beginning}*")
        for full_name in {*(name for (name,) in rows), *(folder.name for folder in folders)}:
            database.drop(full_name)


def vacuum_analyze(full_name):
    """What PostgreSQL does on its own in the hours between two synchronizations."""
    sql.query("VACUUM ANALYZE", database=full_name)


# -------------------------------------------------------------------------
# PROCESSES
# -------------------------------------------------------------------------


def run_inside(full_name, module, function, addons_path=(), **arguments):
    """Call a function of this package in a new process, with Odoo's registry of a database.

    :param str module: such as ``inside_import``
    :param str function: it is called with ``env`` and the arguments; what it changes is committed
    :param addons_path: folders with addons besides our own
    :return: what it returned; as the arguments it passes through JSON
    :raise Trouble: when it fails
    """
    task = {
        "database": full_name,
        "addons_path": [str(folder) for folder in (paths.ROOT, *addons_path)],
        "module": module,
        "function": function,
        "arguments": arguments,
    }
    command = [paths.PYTHON, "-m", "benchmarks.inside", json.dumps(task)]
    # Why the folder by name: Python does not look into the folder where it is started in all of its settings.
    variables = odoo_command.environment(PYTHONPATH=f"{odoo_package.source()}:{paths.ROOT}")
    log = process.log_path(LOG)
    with log.open("a", encoding="utf-8") as errors:
        child = process.start(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        printed = read(child)
    answers = [line for line in printed.splitlines() if line.startswith(RESULT)]
    if child.returncode or not answers:
        raise console.Trouble(f"{module}.{function} did not come to its end: the log tells why.", log, lines=15)
    return json.loads(answers[-1].removeprefix(RESULT))


def draw(module, file, **arguments):
    """Let ``draw(file, **arguments)`` of a module of this package draw a picture, with matplotlib at hand.

    :param str file: path of an SVG or PNG
    """
    bootstrap.bootstrap(odoo=False, database_server=False)
    folder = extra_packages.ensure("plot")
    script = f"import json, sys; from benchmarks import {module}; {module}.draw(**json.loads(sys.argv[1]))"
    variables = {**python_packages.clean_environment(), "PYTHONPATH": f"{folder}:{paths.ROOT}", "MPLBACKEND": "Agg"}
    command = [paths.PYTHON, "-c", script, json.dumps({"file": str(file), **arguments})]
    process.run(command, "bench-plot", "The picture could not be drawn: the log tells why.", env=variables)


def read(child):
    """What a process prints until its end; when we are asked to stop, it stops first."""
    try:
        return child.communicate()[0].decode()
    except BaseException:
        process.stop(child)
        raise


# -------------------------------------------------------------------------
# FIGURES
# -------------------------------------------------------------------------


def median(values):
    """:return: the median of the numbers, None where there are none"""
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def median_of_ratios(numerators, denominators):
    """Pairs are of one repetition, so that what slows the machine down for a while slows down both.

    :param numerators, denominators: numbers by repetition
    :return: median over the repetitions that both have, None where there are none
    """
    return median([numerators[number] / denominators[number] for number in numerators if number in denominators])


def rotated(items, by):
    """Alternate who comes first: the first one of a round finds the machine in another state than the last one."""
    by %= len(items) or 1
    return [*items[by:], *items[:by]]


# -------------------------------------------------------------------------
# OUTPUT
# -------------------------------------------------------------------------


def result(text):
    """Print to the real stdout, which the dispatcher keeps free for this."""
    print(text, file=sys.__stdout__, flush=True)


def json_line(values):
    """:return: one JSON object on one line; numbers with no more digits than a measurement has"""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
    return json.dumps(rounded)


def table(heads, rows, markdown=False):
    """
    :param heads: titles of the columns
    :param rows: lists of texts and numbers; None is shown as a dash, numbers stand to the right
    :return: the lines of a table, plain or in Markdown
    """
    right = [any(isinstance(row[column], int | float) for row in rows) for column in range(len(heads))]
    cells = [list(heads), *([_shown(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    columns = [*zip(widths, right, strict=True)]
    lines = [
        [f"{text:{'>' if is_right else '<'}{width}}" for text, (width, is_right) in zip(row, columns, strict=True)]
        for row in cells
    ]
    if markdown:
        rule = ["-" * (width - 1) + (":" if is_right else "-") for width, is_right in columns]
        return [f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:])]
    return ["  ".join(line).rstrip() for line in (lines[0], ["─" * width for width in widths], *lines[1:])]


def _shown(value):
    """Such a measurement is not more precise than three digits."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value
