import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
PURE = [*sorted((ADDON / "providers").glob("*.py")), *sorted((ADDON / "tools").glob("*.py"))]
#: The addon of what databases and the proxy share; its tools are pure themselves.
COMMON = ADDON.with_name("bank_sync_common")
SHARED = "odoo.addons.bank_sync_common.tools"
OPTIONAL = {"fints_client": "fints", "fints_statements": "mt940"}
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
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def is_loadable(path):
    """Some need an optional library, which Python 3.10 can't have."""
    library = OPTIONAL.get(path.stem)
    return library is None or find_spec(library) is not None


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_providers_and_tools_do_not_import_odoo(path):
    found = [name for name in imported_modules(path) if name.split(".")[0] == "odoo"]
    assert not [name for name in found if not f"{name}.".startswith(f"{SHARED}.")]


def test_providers_and_tools_load_without_odoo():
    pure = [path for path in PURE if path.stem != "__init__" and is_loadable(path)]
    modules = [f"{ADDON.name}.{path.parent.name}.{path.stem}" for path in pure]
    program = IMPORT_ALL.format(name=ADDON.name, path=ADDON, common=COMMON, modules=modules)
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_proxy_names_no_addon_that_extends_it():
    files = [path for path in ADDON.rglob("*") if path.suffix in (".py", ".xml", ".csv", ".sql")]
    shipped = [path for path in files if not {"tests", "migrations"} & set(path.relative_to(ADDON).parts)]
    assert not [path for path in shipped if f"{ADDON.name}_server" in path.read_text(encoding="utf-8")]
