"""A pytest plugin: what is marked ``thorough`` takes long, and runs with scripts/test --thorough only (each night).

Every such test has a short relative that runs always, so that no promise is looked after by the nightly run alone.
"""

import os

#: Whether there is time for many rounds. Tests inside Odoo read the variable themselves.
IS_ON = bool(os.environ.get("BANK_SYNC_THOROUGH"))


def pytest_configure(config):
    config.addinivalue_line("markers", "thorough: takes long; runs with scripts/test --thorough only")


def pytest_collection_modifyitems(config, items):
    if IS_ON:
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
