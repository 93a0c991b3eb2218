"""python-stdnum reads its tables inside Odoo, too."""

import subprocess
import sys
from pathlib import Path

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
