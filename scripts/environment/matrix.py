"""Write what adapters declare into the documentation; a test compares the two."""

import importlib
import sys

from . import bootstrap, paths, pure
from .console import say


def main(_arguments):
    bootstrap.need_packages()
    sys.path.insert(0, str(paths.ROOT))
    pure.enter()
    matrix = importlib.import_module("bank_sync_proxy.providers.matrix")
    for name, table in (("README.md", matrix.short_table()), ("docs/providers/README.md", matrix.full_table())):
        page = paths.ROOT / name
        page.write_text(matrix.replaced(page.read_text(encoding="utf-8"), table), encoding="utf-8")
        say(f"{name} tells of all providers.")
    return 0
