import ast
from pathlib import Path

import pytest

TOOLS = sorted((Path(__file__).parents[2] / "tools").glob("*.py"))


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.name)
def test_shared_tools_do_not_import_odoo(path):
    assert not [name for name in imported_modules(path) if name.split(".")[0] == "odoo"]
