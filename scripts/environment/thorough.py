"""A pytest plugin that decides how much is tested.

The ordinary run   takes minutes; after each change
``--complete``     everything that is not marked ``thorough``; by CI, before a change lands
``--thorough``     also many rounds, many examples and further installations; each night

Whatever is left out is covered by a shorter test that always runs, see the tables of CONTRIBUTING.md.
"""

import os

from . import paths, slow

#: Tests inside Odoo read these variables themselves.
IS_ON = bool(os.environ.get("BANK_SYNC_THOROUGH"))
IS_COMPLETE = IS_ON or bool(os.environ.get("BANK_SYNC_COMPLETE"))


def rounds(ordinary, complete, thorough):
    """:return: the number of examples, or rounds, for this run"""
    return thorough if IS_ON else complete if IS_COMPLETE else ordinary


def pytest_configure(config):
    config.addinivalue_line("markers", "thorough: takes long; runs with scripts/test --thorough only")


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if is_left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def is_left_out(item):
    if item.get_closest_marker("thorough") and not IS_ON:
        return True
    if IS_COMPLETE:
        return False
    file = str(item.path.relative_to(paths.ROOT))
    return file in slow.TESTS or f"{file}::{item.name.partition('[')[0]}" in slow.TESTS
