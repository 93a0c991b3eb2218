"""Run the suites, each in the surroundings it needs and on all processors, the pure one beside the others."""

import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

from . import bootstrap, browser, database, locks, odoo_command, paths, postgres, process, python_packages, sql, suites
from .console import Trouble, complain, say

TEMPLATE = "bank_sync_template"
#: The same with the company that most tests inside Odoo work in.
BOOKS = "bank_sync_template_books"
PREPARED = paths.ROOT / "account_online_synchronization" / "tests" / "prepared.py"
DATABASE = "bank_sync_test"
NOTHING_COLLECTED = 5
#: Options with which pytest has to run everything itself: they select, stop, show or debug.
SINGLE_PROCESS = ("-k", "-n", "-s", "--pdb", "--lf", "--last-failed", "--ff", "--step", "--capture", "--collect")

#: The order is ours, not that of xdist.
LONGEST_FIRST = ("-p", "environment.longest_first", "--no-loadscope-reorder")

# Ours; everything else is pytest's.
SWITCHES = ("--pure", "--complete", "--thorough")


def main(arguments):
    only_pure, complete, thorough = (switch in arguments for switch in SWITCHES)
    options, targets = suites.split([argument for argument in arguments if argument not in SWITCHES])
    # Why here: the pytest of every suite inherits them.
    if thorough:
        os.environ["BANK_SYNC_THOROUGH"] = "1"
    # Why also for paths and selections: tests that are named should run.
    if complete or thorough or targets or is_single(options):
        os.environ["BANK_SYNC_COMPLETE"] = "1"
    wanted = [suite for suite in suites.ORDER if suites.targets_of(suite, targets)]
    if only_pure:
        wanted = [suite for suite in wanted if suite == "pure"]
    if not wanted:
        raise Trouble("There are no such tests: name a folder or file below tests/ or <addon>/tests/.")
    needs_odoo = wanted != ["pure"]
    bootstrap.bootstrap(odoo=needs_odoo, database_server=needs_odoo)
    results, left = {}, list(wanted)
    hurry = postgres.no_waiting_for_the_disk() if needs_odoo else nullcontext()
    with hurry, pure_beside(left, options, targets) as finish_pure:
        if left != ["pure"]:
            browser.ensure()
            database.ensure_template(TEMPLATE)
        for suite in left:
            results[suite] = RUN[suite]([*options, *suites.targets_of(suite, targets)])
            if results[suite] not in (0, NOTHING_COLLECTED) and stops_early(options):
                break
        results |= finish_pure()
    return verdict(results, options or targets)


@contextmanager
def pure_beside(left, options, targets):
    """Start the tests without a database, and show what they print when the others have ended.

    Why: the others wait for servers, browsers and the creation of databases. What they find is the same in any order.

    :param list left: suites that will run; loses ``pure`` where it runs beside them
    :return: function that waits for them and returns their result by suite
    """
    if "pure" not in left or len(left) == 1 or is_single(options) or stops_early(options):
        yield dict
        return
    left.remove("pure")
    log = process.log_path("tests-pure")
    with log.open("w", encoding="utf-8") as output:
        command, variables = pure_command([*options, *suites.targets_of("pure", targets)])
        child = process.start(command, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def finish():
        code = process.wait(child)
        say("Tests without a database, which ran beside")
        sys.stdout.write(log.read_text(encoding="utf-8"))
        return {"pure": code}

    try:
        yield finish
    finally:
        process.stop(child)


def is_single(options):
    return any(option.startswith(SINGLE_PROCESS) for option in options)


def stops_early(options):
    return any(option in ("-x", "--exitfirst") or option.startswith("--maxfail") for option in options)


def verdict(results, narrowed):
    """One exit code for all suites: the first that is not success."""
    failed = {suite: code for suite, code in results.items() if code not in (0, NOTHING_COLLECTED)}
    empty = [suite for suite, code in results.items() if code == NOTHING_COLLECTED]
    if len(empty) == len(results):
        complain("No test was run." if narrowed else "No test was found.")
        return NOTHING_COLLECTED
    if failed:
        complain(f"Failed: {', '.join(failed)}.")
        return next(iter(failed.values()))
    return 0


def run_pure(arguments):
    say("Tests without a database")
    command, variables = pure_command(arguments)
    return process.wait(process.start(command, env=variables))


def pure_command(arguments):
    """:return: (command, variables)"""
    variables = {**python_packages.clean_environment(), "PYTHONPATH": str(paths.ROOT / "scripts")}
    # Why one more than processors: tests of deadlines mostly wait.
    options = ["-p", "no:odoo", "-p", "environment.pure", "-p", "environment.thorough"]
    return pytest_command([*options, *workers(arguments, spare=1), *arguments]), variables


def run_whole(arguments):
    say("Tests of the whole")
    return whole(["--ignore", paths.ROOT / "tests" / "alone", *workers(arguments), *arguments])


def run_alone(arguments):
    say("Tests during which nothing else may run")
    return whole(arguments)


def whole(arguments):
    variables = with_plugins(odoo_command.environment(BANK_SYNC_TEMPLATE=TEMPLATE, **browser.variables()))
    return pytest(["-p", "no:odoo", "-rs", *LONGEST_FIRST, *arguments], variables)


def run_odoo(arguments):
    database.ensure_prepared(BOOKS, TEMPLATE, PREPARED)
    say("Tests inside Odoo")
    with a_database() as name:
        options = ["--odoo-database", name, "--odoo-http", "--odoo-extra", "max-cron-threads=0"]
        # Why the whole list of skips: a browser test that did not run must be seen by name.
        options += ["-rs", "--no-fold-skipped", "--ignore-glob", "*/tests/pure", "-p", "environment.thorough"]
        # Why the path: each worker copies the database with PostgreSQL's own programs.
        variables = odoo_command.environment(PATH=f"{sql.program('createdb').parent}:{os.environ['PATH']}")
        return pytest([*options, *LONGEST_FIRST, *workers(arguments), *arguments], with_plugins(variables))


def with_plugins(variables):
    """Let pytest find the plugins of this package."""
    folders = [str(paths.ROOT / "scripts"), variables.get("PYTHONPATH")]
    return {**variables, "PYTHONPATH": os.pathsep.join(filter(None, folders))}


def workers(arguments, spare=0):
    """Options that spread test files over the processors.

    Not where it would not be faster, or would hide output: a single file, a selection of tests, a debugger.
    """
    options, targets = suites.split(arguments)
    files = sum(2 if Path(target).is_dir() else 1 for target in targets)
    if is_single(options) or files < 2:
        return []
    return ["-n", str(processors() + spare), "--dist", "loadfile"]


def processors():
    return len(os.sched_getaffinity(0))


def pytest(arguments, variables):
    return process.wait(process.start(pytest_command(arguments), env=variables))


def pytest_command(arguments):
    return [paths.PYTHON, "-m", "pytest", "-o", f"cache_dir={paths.HERE / 'pytest-cache'}", *arguments]


class a_database:
    """A fresh copy of the template under a name that no other run uses at the moment."""

    def __enter__(self):
        number = 1
        while True:
            self.name = DATABASE if number == 1 else f"{DATABASE}_{number}"
            self.lock = locks.try_lock(f"run-{self.name}")
            if self.lock is not None:
                break
            number += 1
        database.copy(BOOKS, self.name)
        return self.name

    def __exit__(self, *failure):
        locks.release(self.lock)


RUN = {"pure": run_pure, "whole": run_whole, "odoo": run_odoo, "alone": run_alone}
