"""Find a benchmark by its name: ``scripts/bench NAME`` is ``main(arguments)`` of benchmarks/bench_NAME.py."""

import ast
import contextlib
import importlib
import sys

from . import paths
from .console import Trouble, say

FOLDER = paths.ROOT / "benchmarks"
PREFIX = "bench_"


def main(arguments):
    known = available()
    if not arguments or arguments[0] in ("-h", "--help"):
        say("usage: scripts/bench NAME [options], where NAME is one of:")
        for name, sentence in known.items():
            say(f"  {name:<12}{sentence}")
        return 0
    name = arguments[0]
    if name not in known:
        raise Trouble(f"There is no benchmark {name}: choose one of {', '.join(known) or 'none'}.")
    sys.path.insert(0, str(paths.ROOT))
    benchmark = importlib.import_module(f"benchmarks.{PREFIX}{name}")
    asks_for_help = {"-h", "--help"} & {*arguments}
    # Why: stdout is for results only, which may be read by a program; the set-up only prints progress.
    with contextlib.nullcontext() if asks_for_help else contextlib.redirect_stdout(sys.stderr):
        return benchmark.main(arguments[1:])


def available():
    """:return: the first line of each benchmark's docstring, by name; nothing is imported for that"""
    found = {}
    for file in sorted(FOLDER.glob(f"{PREFIX}*.py")):
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        found[file.stem.removeprefix(PREFIX)] = docstring.partition("\n")[0]
    return found
