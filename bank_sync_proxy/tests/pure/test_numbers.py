"""python-stdnum reads its tables inside Odoo, too."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from bank_sync_proxy.tools import numbers

NUMBERS = Path(__file__).parents[2] / "tools" / "numbers.py"

#: What Odoo does to the package when it is imported: a loader that only creates and executes.
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
print(*(iban.is_valid(number, check_country=False) for number in ("BE68539007547034", "BE68539007547035")))
"""


def test_tables_of_stdnum_are_read_below_odoo_s_import_hook():
    done = subprocess.run([sys.executable, "-c", AS_IN_ODOO, NUMBERS], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr


REFERENCES = st.builds(
    lambda text, right: f"RF{digits_of(text) if right else '00'}{text}",
    st.text("0123456789ABCXYZ", min_size=1, max_size=24),
    st.booleans(),
)


def digits_of(text):
    return iso11649.mod_97_10.calc_check_digits(f"{text}RF")


@given(REFERENCES | st.text("RF0123456789XÄ٣ .-", max_size=30) | st.text(max_size=8).map("RF".__add__))
def test_creditor_references_are_those_of_stdnum(value):
    assert numbers.is_creditor_reference(value) == iso11649.is_valid(value)


def test_nobody_looks_for_a_creditor_reference_in_a_long_text():
    assert numbers.is_creditor_reference("RF18.5390.0754.7034")
    assert not numbers.is_creditor_reference("RF18539007547034".ljust(100_000, "."))
