import doctest

import pytest

from account_online_synchronization.sync import accounts, adoption, identity, likeness, matching, status, windows

MODULES = [accounts, adoption, identity, likeness, matching, status, windows]


@pytest.mark.parametrize("module", MODULES, ids=lambda one: one.__name__)
def test_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
