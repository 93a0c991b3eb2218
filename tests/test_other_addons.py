"""Beside other addons the importer stores what Odoo would, lets them work, and stays fast."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from environment import extra_packages
from environment.console import Trouble

from .test_browser import PATIENCE, a_tour_of

LINES = 300

#: A tenth of the lines of a usual first load, so that starting up counts; measured was 5.
TIMES_AS_FAST = 2


def inside(installation, function, *arguments):
    """Call a function of inside_other_addons.py inside Odoo's shell, behind ``env``.

    :return: what it returned
    """
    here = str(Path(__file__).with_name("inside_other_addons.py"))
    return installation.shell(f"import runpy\nresult = runpy.run_path({here!r})[{function!r}](env, *{arguments!r})")


def install_oca(installation):
    try:
        folder = extra_packages.ensure("reconcile")
    except Trouble as trouble:
        pytest.skip(f"There is nothing to stand beside: {trouble}")
    installation.addons_path = (folder / "odoo" / "addons",)
    installation.install("account_reconcile_oca")
    installation.prepare_company()


# Why only then: it installs other addons. Without one, test_writer_fallback extends what the importer skips, and
# test_bank_lines checks where a line is shown with and without an addon that reconciles.
@pytest.mark.thorough
def test_first_load_beside_an_addon_that_reconciles_lines_automatically(installation):
    installation.without_our_reconciliation()
    install_oca(installation)

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


# Why only then: a second installation, with a browser.
@pytest.mark.thorough
def test_our_reconciliation_and_that_of_oca_work_on_the_same_lines(installation):
    install_oca(installation)
    books = inside(installation, "books_of_both")
    assert inside(installation, "oca_sees_what_ours_books", books) == {
        "booked": [True, "paid", "manual"],
        "opened_by_oca": [False, "not_paid"],
        "our_trail": "undone",
        "proposed_again": True,
    }
    assert inside(installation, "ours_sees_what_oca_books", books) == {
        "booked": [True, "paid"],
        "our_screen": [False, False, 1],
        "accepting": "refused",
        "our_proposals": 0,
        "booked_again": [1, 1],
    }
    payment = inside(installation, "payment_of_an_invoice", books)
    assert payment["is_proposed"]
    installation.start()
    with a_tour_of(installation) as tour:
        tour.open("/odoo/bank-reconciliation")
        expect(tour.page.locator(".o_reconcile_label")).to_contain_text("many thanks", timeout=PATIENCE)
        tour.photograph("reconcile_beside_oca")
        reconcile_in_the_screen_of_oca(tour, payment)
        assert inside(installation, "outcome", payment) == {"booked": [True, "paid"], "times": 1}
        sees_in_our_screen_what_oca_booked(tour, payment)
        assert tour.errors == []


def reconcile_in_the_screen_of_oca(tour, payment):
    """From the journal's card."""
    tour.open("/odoo/accounting")
    tour.card(payment["card"]).get_by_role("button", name=re.compile(r"Reconcile \d+ Items")).click()
    line = tour.page.locator(".o_kanban_record").filter(has_text=payment["label"])
    line.click()
    selected = tour.page.locator(".o_kanban_record_reconcile_oca_selected")
    expect(selected).to_contain_text(payment["label"], timeout=PATIENCE)
    detail = tour.page.locator(".o_account_reconcile_oca_info")
    expect(detail.locator(".o_reconcile_widget_table")).to_contain_text(payment["label"], timeout=PATIENCE)
    detail.locator(".o_data_row").filter(has_text=payment["name"]).click()
    expect(detail.locator(".o_data_row.table-info")).to_contain_text(payment["name"], timeout=PATIENCE)
    tour.photograph("oca_beside_ours")
    detail.locator("button[name=reconcile_bank_line]:not(.disabled)").click()
    expect(line).to_have_count(0, timeout=PATIENCE)


def sees_in_our_screen_what_oca_booked(tour, payment):
    tour.open("/odoo/bank-reconciliation")
    tour.page.locator(".o_facet_remove").click()
    tour.page.locator(".o_kanban_record").filter(has_text=payment["label"]).click()
    detail = tour.page.locator(".o_reconcile_detail[aria-busy=false]")
    expect(detail.locator(".o_reconcile_label")).to_contain_text(payment["label"], timeout=PATIENCE)
    booked = detail.get_by_role("region", name="Booked Against")
    expect(booked).to_contain_text(payment["name"], timeout=PATIENCE)
    expect(detail.locator(".o_reconcile_validate")).to_have_count(0)
    tour.photograph("reconcile_booked_by_oca")


# Why only then: it installs half of Odoo. test_writer_equality compares the same columns without those addons.
@pytest.mark.thorough
def test_beside_sales_purchases_and_inventory_lines_are_stored_as_odoo_stores_them(installation):
    installation.install("sale_management", "purchase", "stock_account", "sale_stock", "purchase_stock")
    installation.prepare_company()
    answer = inside(installation, "differences", 60)
    assert answer == {"reason": None, "differences": []}
