import doctest

import pytest

from account_online_synchronization.sync import adoption, identity, likeness, matching, windows


@pytest.mark.parametrize("module", [adoption, identity, likeness, matching, windows], ids=lambda one: one.__name__)
def test_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
