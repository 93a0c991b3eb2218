"""A pytest plugin: the longest test files begin first, so that no worker is left alone with one of them in the end.

Why a list: xdist begins with the files that hold the most tests, which says little about how long they take. It is only
about speed: a file that is missing here comes after them, in xdist's own order.
"""

from collections import Counter

import pytest

from . import paths

#: Files that take longest, the longest first, see ``scripts/test --durations``.
FILES = (
    # The whole
    "tests/test_restore.py",
    "tests/test_server_addon_update.py",
    "tests/test_canaries.py",
    "tests/test_files_browser.py",
    "tests/test_migration.py",
    "tests/test_first_bank_browser.py",
    "tests/test_firm_browser.py",
    "tests/test_browser.py",
    "tests/test_reconcile_browser.py",
    "tests/test_provider_browser.py",
    "tests/test_bank_lines_browser.py",
    "tests/test_two_machines.py",
    "tests/test_renewal_browser.py",
    "tests/test_remote_browser.py",
    "tests/test_demonstration.py",
    "tests/test_visits_at_once.py",
    "tests/test_demo_bank.py",
    "tests/test_doctor.py",
    "tests/test_accessibility.py",
    "tests/test_enable_banking_browser.py",
    "tests/test_search_browser.py",
    "tests/test_payment_service.py",
    "tests/test_lifecycle.py",
    # Inside Odoo
    "account_online_synchronization/tests/test_every_door.py",
    "account_online_synchronization/tests/test_machine.py",
    "account_online_reconcile/tests/test_reconcile_machine.py",
    "account_online_synchronization/tests/test_writer_calls.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    place = {paths.ROOT / file: number for number, file in enumerate(FILES)}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (place.get(item.path, len(place)), -tests[item.path]))
