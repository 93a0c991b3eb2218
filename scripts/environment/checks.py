"""The checks of scripts/check. Each one runs, so that one start shows everything."""

import subprocess

from . import bootstrap, paths, python_packages
from .console import Trouble, complain, say

XML = """
import sys
from lxml import etree
bad = 0
for name in sys.argv[1:]:
    try:
        etree.parse(name)
    except etree.XMLSyntaxError as error:
        bad = 1
        print(f"{name}: {error}")
sys.exit(bad)
"""

# Why not compileall: it would leave its files beside the sources.
SYNTAX = """
import sys, warnings
bad = 0
warnings.simplefilter("error", SyntaxWarning)
for name in sys.argv[1:]:
    with open(name, "rb") as source:
        try:
            compile(source.read(), name, "exec")
        except SyntaxError as error:
            bad = 1
            print(f"{name}:{error.lineno}: {error.msg}")
sys.exit(bad)
"""


READMES = """
import sys
sys.path.insert(0, "scripts")
from environment import readmes
sys.exit(readmes.main(["--check"]))
"""


def main(arguments):
    if arguments:
        raise Trouble("usage: scripts/check (no arguments)")
    bootstrap.bootstrap(odoo=False, database_server=False)
    addons = [addon for addon in paths.ADDONS if (paths.ROOT / addon).is_dir()]
    failed = [title for title, command in commands(addons) if not passes(title, command)]
    if failed:
        complain(f"Failed: {', '.join(failed)}.")
        return 1
    say("All checks passed.")
    return 0


def commands(addons):
    yield "ruff", ["-m", "ruff", "check", "."]
    yield "formatting (ruff format repairs it)", ["-m", "ruff", "format", "--check", "."]
    yield (
        "Python syntax",
        ["-c", SYNTAX, *files("*.py", addons), *files("*.py", ["benchmarks", "migration", "scripts", "tests"])],
    )
    yield "README.rst and store pages (scripts/readme writes them)", ["-c", READMES]
    yield "XML", ["-c", XML, *files("*.xml", addons)]
    if addons:
        yield "pylint-odoo", ["-m", "pylint", "--rcfile=.pylintrc", "--jobs=2", *addons]


def files(pattern, folders):
    return sorted(str(file) for folder in folders for file in (paths.ROOT / folder).rglob(pattern))


def passes(title, command):
    done = subprocess.run(
        [str(paths.PYTHON), *command],
        cwd=paths.ROOT,
        env=python_packages.clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    say(f"{title}: {'failed' if done.returncode else 'passed'}")
    if done.returncode:
        say((done.stdout + done.stderr).strip())
    return done.returncode == 0
