import doctest
import importlib

import pytest

NAMES = (
    *("accounts", "adoption", "fees", "fetch", "identity", "likeness", "matching", "periods"),
    *("schedule", "status", "windows"),
)


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_hold(name):
    found = doctest.testmod(importlib.import_module(f"account_online_synchronization.sync.{name}"))
    assert found.attempted
    assert not found.failed
