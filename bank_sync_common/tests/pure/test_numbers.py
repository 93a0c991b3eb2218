"""python-stdnum can read its tables also inside Odoo."""

import subprocess
import sys
from pathlib import Path

import pytest

from odoo.addons.bank_sync_common.tools import numbers

NUMBERS = Path(__file__).parents[2] / "tools" / "numbers.py"

#: As Odoo patches the package when it is imported: its loader only creates and executes modules.
AS_IN_ODOO = """
import importlib.util, sys
from types import SimpleNamespace
spec = importlib.util.find_spec("stdnum")
spec.loader = SimpleNamespace(create_module=spec.loader.create_module, exec_module=spec.loader.exec_module)
package = importlib.util.module_from_spec(spec)
sys.modules["stdnum"] = package
spec.loader.exec_module(package)
import runpy
iban = runpy.run_path(sys.argv[1])["iban"]
print(*(bool(iban(number)) for number in ("BE68539007547034", "BE68539007547035")))
"""


def test_tables_of_stdnum_are_read_below_odoo_s_import_hook():
    done = subprocess.run([sys.executable, "-c", AS_IN_ODOO, NUMBERS], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_long_texts_are_neither_checked_nor_remembered():
    caches = (numbers._iban, numbers._is_bic, numbers._creditor_reference)
    for cached in caches:
        cached.cache_clear()
    long = "XX99 " * 1000
    assert (numbers.iban(long), numbers.is_bic(long)) == (None, False)
    assert numbers.creditor_reference("RF18539007547034".ljust(100_000, ".")) is None
    assert [cached.cache_info().currsize for cached in caches] == [0, 0, 0]


@pytest.mark.parametrize("value", ["", "D", "12", "DE", "0000", "ÄÖ89370400440532013000", None])
def test_what_names_no_country_is_no_iban(value):
    assert numbers.iban(value) is None
