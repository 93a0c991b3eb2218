"""An accountant reconciles by keyboard: from the card to the screen, line after line, until everything is reconciled.

Each station leaves a picture, on a screen and on a phone.
"""

import pytest
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .settled import expect_to_fit
from .test_accessibility import Inspector
from .test_bank_lines_browser import french
from .test_browser import PATIENCE, PHONE, a_tour_of
from .test_provider_browser import WIDER_THAN_THE_SCREEN, look

#: Invoices, a bill with a file, and lines that pay them; an account with a default tax, and an auditor.
BOOKS = """
from datetime import date, timedelta
def day(ago):
    return date.today() - timedelta(days=ago)
customer, supplier = env["res.partner"].create([{"name": "Azure Interior"}, {"name": "Paper Mill"}])
def document(kind, partner, amount, **values):
    item = (0, 0, {"name": "Work", "quantity": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]})
    move = env["account.move"].create(
        {"move_type": kind, "partner_id": partner.id, "invoice_date": day(20), "invoice_line_ids": [item], **values}
    )
    move.action_post()
    return move
invoices = [document("out_invoice", customer, amount) for amount in (100, 200, 300, 41.5)]
bill = document("in_invoice", supplier, 64.9, ref="SUP-4711")
pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
env["ir.attachment"].create(
    {"name": "bill.png", "datas": pixel, "res_model": "account.move", "res_id": bill.id, "mimetype": "image/png"}
)
tax = env["account.tax"].create({"name": "Input 21 %", "amount": 21, "type_tax_use": "purchase"})
env["account.account"].create(
    {"name": "Office Supplies", "code": "699001", "account_type": "expense", "tax_ids": [(6, 0, tax.ids)]}
)
journal = env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1)
def line(ago, amount, label, **values):
    values |= {"journal_id": journal.id, "date": day(ago), "amount": amount, "payment_ref": label}
    return env["account.bank.statement.line"].create(values)
lines = [
    line(1, 100, f"{invoices[0].name} thanks", partner_name="AZURE INTERIOR"),
    line(2, -64.9, "SUP-4711", partner_name="PAPER MILL"),
    line(3, -121, "CARD OFFICE CENTER"),
    line(4, 220, "Transfer"),
    line(5, 300, f"{invoices[2].name}", partner_name="AZURE INTERIOR"),
]
journal.action_find_counterparts()
auditor = env["res.users"].create(
    {"name": "Auditor", "login": "auditor", "group_ids": [(6, 0, env.ref("account.group_account_readonly").ids)]}
)
auditor.password = "auditor"
result = {"journal": journal.name, "invoices": [i.id for i in invoices], "lines": [l.id for l in lines]}
"""

OUTCOME = """
lines = env["account.bank.statement.line"].browse({lines})
result = {{
    "reconciled": lines.mapped("is_reconciled"),
    "open": [invoice.amount_residual for invoice in env["account.move"].browse({invoices})],
    "taxes": [round(item.balance, 2) for item in lines.line_ids.filtered("tax_line_id")],
    "trail": [one.booked_by_id.login for one in env["account.reconcile.decision"].search([("state", "=", "booked")])],
}}
"""


@pytest.fixture
def served():
    with a_company_with_books() as copy:
        copy.start()
        yield copy


@pytest.fixture
def books(served):
    return served.shell(BOOKS)


def shows(tour, label):
    """The line is loaded: its keys act on it from now on."""
    detail = tour.page.locator(".o_reconcile_detail[data-line-id][aria-busy=false]")
    expect(detail.locator(".o_reconcile_label")).to_contain_text(label, timeout=PATIENCE)
    expect(detail).to_have_count(1, timeout=PATIENCE)


def shows_with_focus(tour, label):
    shows(tour, label)
    expect(tour.page.locator(".o_kanban_record[aria-current=true]")).to_be_focused(timeout=PATIENCE)


def open_from_the_card(tour, books):
    tour.open("/odoo/accounting")
    tour.card(books["journal"]).get_by_role("button", name="Reconcile 5").click()


def test_keys_alone_reconcile_lines_until_nothing_is_left(served, books):
    with a_tour_of(served) as tour:
        keyboard = tour.page.keyboard
        open_from_the_card(tour, books)
        shows_with_focus(tour, "thanks")
        tour.photograph("reconcile")
        keyboard.press("Enter")
        shows_with_focus(tour, "SUP-4711")
        keyboard.press("Alt+z")
        shows_with_focus(tour, "thanks")
        keyboard.press("Enter")
        shows_with_focus(tour, "SUP-4711")
        expect(tour.page.locator(".o_reconcile_preview img")).to_be_visible(timeout=PATIENCE)
        tour.photograph("reconcile_bill")
        keyboard.press("Enter")
        # Lines with a proposal come first.
        shows_with_focus(tour, "INV/")
        keyboard.press("Enter")
        shows_with_focus(tour, "OFFICE CENTER")
        write_off_with_tax(tour)
        shows_with_focus(tour, "Transfer")
        split(tour)
        tour.sees("Everything is reconciled")
        tour.photograph("reconcile_done")
        assert tour.errors == []
    outcome = served.shell(OUTCOME.format(**books))
    assert outcome["reconciled"] == [True] * 5
    assert outcome["open"] == [0, 0, 0, 21.5]
    assert outcome["taxes"] == [21]
    assert outcome["trail"] == ["admin"] * 5


def write_off_with_tax(tour):
    tour.page.keyboard.press("Alt+a")
    expect(tour.page.locator("#o_reconcile_panel input")).to_be_focused(timeout=PATIENCE)
    tour.page.keyboard.type("Office Supplies")
    expect(tour.page.get_by_role("option", name="Office Supplies")).to_be_visible(timeout=PATIENCE)
    tour.page.keyboard.press("Enter")
    expect(tour.page.locator(".o_reconcile_tax")).to_contain_text("21.00", timeout=PATIENCE)
    expect(tour.page.locator(".o_reconcile_validate")).to_be_focused(timeout=PATIENCE)
    tour.photograph("reconcile_account")
    tour.page.keyboard.press("Enter")


def split(tour):
    """Two documents, found by their amounts; the second one is paid in part."""
    for amount, remaining in (("200", "20.00"), ("41.5", "0.00")):
        tour.page.keyboard.press("Alt+d")
        expect(tour.page.locator("#o_reconcile_panel input")).to_be_focused(timeout=PATIENCE)
        # Why: what is typed while the list is being read again may be replaced.
        documents = tour.page.locator(".o_reconcile_documents")
        expect(documents).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
        tour.page.keyboard.press("Control+a")
        tour.page.keyboard.type(amount)
        tour.page.keyboard.press("Enter")
        expect(tour.page.locator(".o_reconcile_remaining")).to_contain_text(f"Remaining{remaining}", timeout=PATIENCE)
    expect(tour.page.locator(".o_reconcile_validate")).to_be_focused(timeout=PATIENCE)
    tour.photograph("reconcile_split")
    tour.page.keyboard.press("Enter")


def test_several_lines_are_accepted_together_and_what_is_left_says_why(served, books):
    with a_tour_of(served) as tour:
        open_from_the_card(tour, books)
        shows(tour, "thanks")
        for label in ("thanks", "OFFICE CENTER"):
            tour.page.locator(".o_kanban_record", has_text=label).get_by_role("checkbox").check()
        tour.click("Accept Proposals")
        expect(tour.page.locator(".o_reconcile_result")).to_have_text("1 booked, 1 left", timeout=PATIENCE)
        tour.photograph("reconcile_batch")
        tour.page.locator(".modal-footer").get_by_role("button", name="Close").click()
        expect(tour.page.locator(".o_kanban_record", has_text="thanks")).to_have_count(0, timeout=PATIENCE)
        assert tour.errors == []


def test_the_list_and_the_line_fit_their_screens_and_screen_readers(served, books):
    inspector = Inspector()
    with a_tour_of(served) as tour:
        open_from_the_card(tour, books)
        shows(tour, "thanks")
        tour.page.locator(".o_kanban_record", has_text="OFFICE CENTER").click()
        shows(tour, "OFFICE CENTER")
        write_off_with_tax_until_it_is_ready(tour)
        look(tour, inspector, "reconcile_line", ".o_reconcile")
        tour.page.set_viewport_size(PHONE)
        tour.open("/odoo/bank-reconciliation")
        tour.page.locator(".o_kanban_record", has_text="SUP-4711").click()
        shows(tour, "SUP-4711")
        tour.click("Back to the list")
        expect(tour.page.locator(".o_kanban_record", has_text="SUP-4711")).to_be_visible(timeout=PATIENCE)
        tour.photograph("reconcile_list_phone")
        expect_to_fit(tour.page, WIDER_THAN_THE_SCREEN, "the screen to reconcile")
        inspector.inspect(tour.page, "reconcile_list_phone", [".o_reconcile"])
        tour.page.locator(".o_kanban_record", has_text="SUP-4711").click()
        shows(tour, "SUP-4711")
        tour.click("Validate")
        shows(tour, "INV/")
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)


def write_off_with_tax_until_it_is_ready(tour):
    tour.page.get_by_role("tab", name="Account").click()
    tour.page.locator("#o_reconcile_panel input").fill("Office Supplies")
    tour.page.get_by_role("option", name="Office Supplies").click()
    expect(tour.page.locator(".o_reconcile_tax")).to_be_visible(timeout=PATIENCE)


def test_an_auditor_sees_the_proposals_and_no_buttons(served, books):
    with a_tour_of(served, login="auditor") as tour:
        tour.open("/odoo/bank-reconciliation")
        shows(tour, "thanks")
        expect(tour.page.locator(".o_reconcile_reasons li").first).to_be_visible(timeout=PATIENCE)
        for name in ("Validate", "To Review", "Find Counterparts"):
            expect(tour.page.get_by_role("button", name=name)).to_have_count(0)
        assert tour.errors == []


@pytest.mark.thorough
def test_the_screen_fits_in_french(served, books):
    inspector = Inspector()
    with french(served), a_tour_of(served) as tour:
        tour.open("/odoo/bank-reconciliation")
        shows(tour, "thanks")
        look(tour, inspector, "reconcile_fr", ".o_reconcile")
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)
