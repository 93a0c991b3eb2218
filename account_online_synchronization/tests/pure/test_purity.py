import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
PURE = [
    *sorted((ADDON / "proxy").glob("*.py")),
    *sorted((ADDON / "tools").glob("*.py")),
    *sorted((ADDON / "legacy").glob("*.py")),
    *(
        ADDON / "importer" / f"{n}.py"
        for n in (
            "adoption",
            "beginning",
            "decide",
            "duplicates",
            "identity",
            "likeness",
            "matching",
            "periods",
            "windows",
        )
    ),
]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pure_modules_do_not_import_odoo(path):
    assert not [name for name in imported_modules(path) if name.split(".")[0] == "odoo"]
