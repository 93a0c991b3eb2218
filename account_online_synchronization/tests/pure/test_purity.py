import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
#: Folders without Odoo. Whatever is added to them is pure, too.
PURE = ("client", "legacy", "sync")
#: Pure itself; what databases and the proxy share.
SHARED = "odoo.addons.bank_sync_common.tools"
FILES = [path for folder in PURE for path in sorted((ADDON / folder).rglob("*.py"))]


def imported_modules(path):
    """Yield the dotted names of what a file imports; those of this addon begin with its folders' names."""
    package = path.relative_to(ADDON).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.ImportFrom):
            base = [ADDON.name, *package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            yield from (".".join([*filter(None, base), alias.name]) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pure_folders_import_neither_odoo_nor_what_does(path):
    names = [name.split(".") for name in imported_modules(path)]
    assert not [name for name in names if name[0] == "odoo" and ".".join(name[:4]) != SHARED]
    assert not [name for name in names if name[0] == ADDON.name and name[1] not in PURE]


def test_pure_folders_are_there():
    assert {path.relative_to(ADDON).parts[0] for path in FILES} == set(PURE)
