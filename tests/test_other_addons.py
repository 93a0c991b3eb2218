"""Beside other addons the importer stores what Odoo would, lets them work, and stays fast."""

from pathlib import Path

import pytest

from environment import extra_packages
from environment.console import Trouble

LINES = 300

#: A tenth of the lines of a usual first load, so that starting up counts; measured was 5.
TIMES_AS_FAST = 2


def inside(installation, function, *arguments):
    """Call a function of inside_other_addons.py inside Odoo's shell, behind ``env``.

    :return: what it returned
    """
    here = str(Path(__file__).with_name("inside_other_addons.py"))
    return installation.shell(f"import runpy\nresult = runpy.run_path({here!r})[{function!r}](env, *{arguments!r})")


def test_a_first_load_beside_an_addon_that_reconciles_lines_by_itself(installation):
    try:
        folder = extra_packages.ensure("reconcile")
    except Trouble as trouble:
        pytest.skip(f"There is nothing to stand beside: {trouble}")
    installation.addons_path = (folder / "odoo" / "addons",)
    installation.without_our_reconciliation()
    installation.install("account_reconcile_oca")
    installation.prepare_company()

    answer = inside(installation, "first_load", LINES)
    fast, odoo = answer["fast"], answer["odoo"]
    assert not answer["reason"]
    assert fast["lines"] == odoo["lines"] == LINES
    # Its create() has seen every line: it reconciles the one that pays the invoice, and prepares it for all others.
    assert fast["prepared"] == odoo["prepared"] == LINES - 1
    assert fast["paid"] == odoo["paid"]
    assert fast["paid"][1:] == [0.0, True]
    assert odoo["seconds"] > TIMES_AS_FAST * fast["seconds"]

    reconciliation = "account_reconcile_oca.action_bank_statement_line_reconcile"
    assert inside(installation, "ways_on") == {
        "card": "account_online_synchronization.account_bank_statement_line_action",
        "is_offered": True,
        "shows_the_line": [reconciliation, True, "account_reconcile_oca.bank_statement_line_form_reconcile_view"],
        "shows_open_ones": [reconciliation, True],
    }


# Why only then: it installs half of Odoo. test_writer_equality compares the same columns without those addons.
@pytest.mark.thorough
def test_beside_sales_purchases_and_inventory_lines_are_stored_as_odoo_stores_them(installation):
    installation.install("sale_management", "purchase", "stock_account", "sale_stock", "purchase_stock")
    installation.prepare_company()
    answer = inside(installation, "differences", 60)
    assert answer == {"reason": None, "differences": []}
