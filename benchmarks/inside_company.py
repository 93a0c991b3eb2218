"""Inside Odoo: the company of the benchmarks."""

import runpy
from pathlib import Path

DEMONSTRATION = Path(__file__).parents[1] / "scripts" / "demo.py"


def prepare(env):
    """The demonstration's company, so that both know the same one: euros, a chart of accounts, a bank journal."""
    runpy.run_path(str(DEMONSTRATION))["prepare_company"](env)
