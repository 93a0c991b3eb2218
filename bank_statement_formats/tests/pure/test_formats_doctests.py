import doctest
import importlib
from pathlib import Path

import pytest

FORMATS = Path(__file__).parents[2] / "formats"
NAMES = sorted(path.stem for path in FORMATS.glob("*.py") if ">>>" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_hold(name):
    found = doctest.testmod(importlib.import_module(f"bank_statement_formats.formats.{name}"))
    assert found.attempted and not found.failed
