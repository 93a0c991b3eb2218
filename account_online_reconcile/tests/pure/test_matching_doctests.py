import doctest
import importlib

import pytest

NAMES = (
    *("candidates", "decide", "documents", "expressions", "facts", "memory", "numbers", "partners"),
    *("reasons", "references", "replay", "rules", "sums", "transfers"),
)


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_hold(name):
    found = doctest.testmod(importlib.import_module(f"account_online_reconcile.matching.{name}"))
    assert found.attempted
    assert not found.failed
