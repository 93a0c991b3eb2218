"""The four kinds of tests, and which of them the user's arguments mean.

pure    <addon>/tests/pure   no Odoo, no database
odoo    <addon>/tests        inside Odoo, browser tours included
whole   tests/               start Odoo themselves, from outside
alone   tests/alone          as whole, but they kill PostgreSQL: nothing else may use it meanwhile
"""

from pathlib import Path

from . import paths
from .console import Trouble

#: Inner folders first: a path belongs to the first suite that it lies in. What runs alone comes early: it mostly waits,
#: and the pure tests, which need no server, use the processors meanwhile.
ORDER = ("pure", "alone", "odoo", "whole")

# pytest's options that take the next word, which is then no path.
TAKES_VALUE = {"-k", "-m", "-p", "-c", "-n", "-o", "-W", "-r", "-h", "--deselect", "--ignore", "--ignore-glob"}
TAKES_VALUE |= {
    "--maxfail",
    "--durations",
    "--durations-min",
    "--junitxml",
    "--tb",
    "--lf",
    "--rootdir",
    "--confcutdir",
    "--basetemp",
}
TAKES_VALUE |= {"--override-ini", "--capture", "--color", "--verbosity", "--hypothesis-seed", "--hypothesis-profile"}


def folders(suite):
    """The folders of a suite, as far as they exist."""
    found = {
        "pure": [paths.ROOT / addon / "tests" / "pure" for addon in paths.ADDONS],
        "alone": [paths.ROOT / "tests" / "alone"],
        "whole": [paths.ROOT / "tests"],
        "odoo": [paths.ROOT / addon / "tests" for addon in paths.ADDONS],
    }[suite]
    return [folder for folder in found if folder.is_dir()]


def split(arguments):
    """Take the paths out of pytest's arguments.

    :return: (options, paths); a path may end in ::class::test.
    """
    options, targets = [], []
    for position, argument in enumerate(arguments):
        is_value = position and arguments[position - 1] in TAKES_VALUE
        is_option = argument.startswith("-") or is_value
        path = argument.split("::")[0]
        if not is_option and not Path(path).exists():
            raise Trouble(f"There is no {path}: name a file or folder of tests, or a choice such as -k statements.")
        (options if is_option else targets).append(argument)
    return options, targets


def targets_of(suite, targets):
    """What a suite is to run: all of it without targets, else its share of them."""
    if not targets:
        return [str(folder) for folder in folders(suite)]
    chosen = []
    for target in targets:
        path = Path(target.split("::")[0]).resolve()
        if _suite_of(path) == suite:
            chosen.append(str(path) + target[len(target.split("::")[0]) :])
        else:
            chosen += [str(folder) for folder in folders(suite) if path in folder.parents]
    return chosen


def _suite_of(path):
    """The suite that a path lies in, or None for one above them."""
    for suite in ORDER:
        if any(folder == path or folder in path.parents for folder in folders(suite)):
            return suite
    return None
