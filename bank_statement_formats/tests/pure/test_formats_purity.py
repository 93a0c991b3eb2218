"""The readers need no Odoo and no network, and say their sentences like the rest of the project."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
PURE = sorted((ADDON / "formats").rglob("*.py"))
FORBIDDEN = {"odoo", "socket", "ssl", "http", "urllib", "requests", "subprocess", "psycopg2"}
COMMON = ADDON.with_name("bank_sync_common")
#: Pure themselves: sentences, and numbers checked by python-stdnum, whose loader Odoo breaks.
SHARED = {f"odoo.addons.{COMMON.name}.tools.{name}" for name in ("numbers", "words")}
IMPORT_ALL = """
import importlib, sys, types
for name, path in (("odoo", ""), ("odoo.addons", ""), ("{name}", "{path}"), ("odoo.addons.{common.name}", "{common}")):
    package = types.ModuleType(name)
    package.__path__ = [path]
    sys.modules[name] = package
for module in {modules}:
    importlib.import_module(module)
found = {{name for name in sys.modules if name.startswith("odoo.")}} - {{"odoo.addons"}}
assert not [name for name in found if not name.startswith("odoo.addons.{common.name}")]
"""


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_readers_import_neither_odoo_nor_the_network(path):
    assert not [name for name in imported_modules(path) if name.split(".")[0] in FORBIDDEN and name not in SHARED]


def test_readers_load_without_odoo():
    modules = [f"{ADDON.name}.formats.{path.stem}".removesuffix(".__init__") for path in PURE]
    program = IMPORT_ALL.format(name=ADDON.name, path=ADDON, common=COMMON, modules=modules)
    subprocess.run([sys.executable, "-c", program], check=True)


def test_readers_check_numbers_by_the_shared_tools_only():
    """Odoo's loader can't open the tables of ``stdnum.iban``: a reader that imports it would load in tests only."""
    assert not [path.name for path in PURE if "stdnum" in {name.split(".")[0] for name in imported_modules(path)}]


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
