import ast
from pathlib import Path

import pytest

TOOLS = sorted((Path(__file__).parents[2] / "tools").glob("*.py"))
#: Parts of the other addons that are pure themselves.
PURE = (
    *("odoo.addons.bank_sync_common.tools.", "odoo.addons.bank_sync_proxy.providers."),
    "odoo.addons.bank_sync_proxy.tools.",
)


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.name)
def test_tools_import_nothing_of_odoo_but_pure_parts_of_others(path):
    found = [name for name in imported_modules(path) if name.split(".")[0] == "odoo"]
    assert not [name for name in found if not f"{name}.".startswith(PURE)]
