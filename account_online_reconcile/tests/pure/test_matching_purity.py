import ast
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "matching").glob("*.py"))
#: What the matcher is made of beside the standard library.
LIBRARIES = {"regex", "stdnum"}


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_matcher_imports_neither_odoo_nor_what_lies_beside_it(path):
    names = list(imported_modules(path))
    assert not [name for name in names if name.split(".")[0] == "odoo"]
    assert not [name for name in names if name.startswith("..")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_matcher_never_computes_with_floats(path):
    tree = ast.parse(path.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "float"]
    amounts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    assert {node.value for node in amounts} <= ({0.1} if path.stem == "expressions" else set())


def test_the_matcher_is_there():
    assert {"decide", "documents", "facts", "references", "rules"} <= {path.stem for path in FILES}
