"""The readers need no Odoo and no network, and say their sentences like the rest of the project."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
PURE = sorted((ADDON / "formats").rglob("*.py"))
FORBIDDEN = {"odoo", "socket", "ssl", "http", "urllib", "requests", "subprocess", "psycopg2"}
SENTENCES = ADDON.parent / "account_online_synchronization" / "client" / "words.py"
IMPORT_ALL = """
import importlib, sys, types
package = types.ModuleType("{name}")
package.__path__ = ["{path}"]
sys.modules["{name}"] = package
for module in {modules}:
    importlib.import_module(module)
assert "odoo" not in sys.modules
"""


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_readers_import_neither_odoo_nor_the_network(path):
    assert not [name for name in imported_modules(path) if name.split(".")[0] in FORBIDDEN]


def test_readers_load_without_odoo():
    modules = [f"{ADDON.name}.formats.{path.stem}".removesuffix(".__init__") for path in PURE]
    program = IMPORT_ALL.format(name=ADDON.name, path=ADDON, modules=modules)
    subprocess.run([sys.executable, "-c", program], check=True)


def test_sentences_are_made_as_in_the_other_addons():
    assert (ADDON / "formats" / "words.py").read_text() == SENTENCES.read_text()


def test_the_loader_of_stdnum_is_repaired_as_in_the_proxy():
    """Odoo replaces it by one that can't open the tables of ``stdnum.iban``: a reader would load in tests only."""
    repaired = (ADDON / "formats" / "numbers.py").read_text()
    assert repaired == (ADDON.parent / "bank_sync_proxy" / "tools" / "numbers.py").read_text()
    others = [path.name for path in PURE if path.name != "numbers.py" and "stdnum" in imported_modules(path)]
    assert others == []


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_every_sentence_can_be_translated(path):
    """An f-string, or a text without ``_lt``, is out of the sight of translators."""
    raised = {"FormatError", "UnknownFormat", "TooLarge"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(getattr(node, "func", None), "id", None)
        if name in raised or name == "_lt":
            first = node.args[0]
            assert not isinstance(first, ast.JoinedStr), f"{path.name}:{node.lineno}"
            assert name == "_lt" or not isinstance(first, ast.Constant), f"{path.name}:{node.lineno}"
