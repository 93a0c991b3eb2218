"""Each test runs once: a class of tests that another file imports by its name would run with that file as well."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def imported_test_classes(source):
    """:return: names by which a file gets classes of tests from other files"""
    return [
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name).startswith("Test")
    ]


def test_an_imported_class_of_tests_is_found():
    assert imported_test_classes("from .test_adapters import DAY, TestAdapters") == ["TestAdapters"]


def test_no_class_of_tests_runs_with_two_files():
    files = [path for path in ROOT.glob("*/tests/**/test_*.py") if ".environment" not in path.parts]
    assert len(files) > 200
    found = {path.name: imported_test_classes(path.read_text(encoding="utf-8")) for path in files}
    assert not {name: classes for name, classes in found.items() if classes}
