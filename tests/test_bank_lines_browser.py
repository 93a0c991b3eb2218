"""An accountant's day with the bank's transactions: from the card to the list, to a line, to its entry, by mouse, by
keyboard and on a phone.

Each station leaves a picture, on a screen and on a phone.
"""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from .conftest import a_company_with_books, demo
from .test_accessibility import Inspector
from .test_browser import PATIENCE, a_tour_of
from .test_provider_browser import look

#: One transaction is reconciled, one is to be reviewed, one may be there twice; the administrator sees all of Odoo.
SOME_WORK_IS_DONE = """
env.ref("base.user_admin").group_ids += env.ref("account.group_account_user")
lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)], order="id")
journal = lines[0].journal_id
lines = lines.filtered(lambda line: line.journal_id == journal)
expense = env["account.account"].search([("account_type", "=", "expense")], limit=1)
lines[0]._seek_for_lines()[1].account_id = expense
lines[1].move_id.checked = False
result = [journal.name, len(lines)]
"""


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        copy.without_our_reconciliation()
        copy.start()
        demo["connect_demo_bank"](copy.url)
        copy.fetch_planned()
        yield copy


@pytest.fixture(scope="module")
def journal(served):
    return served.shell(SOME_WORK_IS_DONE)


@pytest.fixture
def tour(served, journal):
    with a_tour_of(served) as tour:
        yield tour


def open_from_the_card(tour, journal):
    tour.open("/odoo/accounting")
    tour.card(journal).get_by_role("button", name="Transactions").click()
    tour.page.locator(".o_list_renderer .o_data_row").first.wait_for()


def rows(tour):
    return tour.page.locator(".o_data_row")


def test_from_the_card_to_a_line_and_its_entry(tour, journal):
    name, count = journal
    inspector = Inspector()
    open_from_the_card(tour, name)
    expect(tour.page.locator(".o_facet_value").filter(has_text="Open")).to_be_visible(timeout=PATIENCE)
    expect(tour.page.locator(".o_pager_limit")).to_have_text(str(count - 1), timeout=PATIENCE)
    tour.photograph("bank_lines")
    inspector.inspect(tour.page, "bank_lines", [".o_list_renderer"])
    rows(tour).first.locator("td[name=payment_ref]").click()
    tour.sees("How to book a bank transaction")
    look(tour, inspector, "bank_line", ".o_form_sheet")
    tour.page.get_by_role("tab", name="Journal Items").click()
    tour.photograph("bank_line_items")
    tour.page.get_by_role("tab", name="Raw Record").click()
    tour.photograph("bank_line_raw")
    tour.click("Journal Entry")
    tour.sees("Reset to Draft")
    assert not inspector.found, "\n".join(inspector.found)
    assert tour.errors == []


def test_keys_alone_lead_through_the_list_and_from_line_to_line(tour, journal):
    open_from_the_card(tour, journal[0])
    labels = tour.page.locator(".o_data_row td[name=payment_ref]").all_inner_texts()
    tour.page.locator(".o_searchview_input").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        tour.page.keyboard.press(key)
    expect(tour.page.get_by_label("Label")).to_have_value(labels[1], timeout=PATIENCE)
    tour.page.keyboard.press("Alt+n")
    expect(tour.page.get_by_label("Label")).to_have_value(labels[2], timeout=PATIENCE)
    tour.page.keyboard.press("Alt+p")
    expect(tour.page.get_by_label("Label")).to_have_value(labels[1], timeout=PATIENCE)
    tour.page.keyboard.press("Alt+e")
    tour.sees("Reset to Draft")
    assert tour.errors == []


@contextmanager
def french(served):
    """The administrator reads French meanwhile."""
    visitor = served.visitor()
    language = visitor.call("res.lang", "search", [("code", "=", "fr_FR")], active_test=False)
    wizard = visitor.call("base.language.install", "create", {"lang_ids": [(6, 0, language)]})
    visitor.call("base.language.install", "lang_install", [wizard])
    administrator = visitor.call("res.users", "search", [("login", "=", "admin")])
    # Why not in the shell: the server would keep using its cache.
    visitor.call("res.users", "write", administrator, {"lang": "fr_FR"})
    yield
    visitor.call("res.users", "write", administrator, {"lang": "en_US"})


def test_lines_are_grouped_by_state_and_found_on_a_phone(tour):
    inspector = Inspector()
    tour.open("/odoo/bank-transactions")
    rows(tour).first.wait_for()
    tour.page.locator(".o_searchview_dropdown_toggler").click()
    tour.page.get_by_role("menuitemcheckbox", name="State", exact=True).click()
    tour.page.keyboard.press("Escape")
    expect(tour.page.locator(".o_group_header").filter(has_text=re.compile("Open"))).to_be_visible(timeout=PATIENCE)
    tour.photograph("bank_lines_by_state")
    tour.page.set_viewport_size({"width": 390, "height": 844})
    tour.open("/odoo/bank-transactions")
    tour.page.locator(".o_kanban_record").first.wait_for()
    look(tour, inspector, "bank_lines_cards", ".o_kanban_renderer")
    assert not inspector.found, "\n".join(inspector.found)
    assert tour.errors == []


def test_the_list_and_the_form_fit_their_screens_in_french(served, journal):
    inspector = Inspector()
    with french(served), a_tour_of(served) as tour:
        tour.open("/odoo/bank-transactions")
        rows(tour).first.wait_for()
        tour.photograph("bank_lines_fr")
        rows(tour).first.locator("td[name=payment_ref]").click()
        tour.page.locator(".o_form_sheet").wait_for()
        look(tour, inspector, "bank_line_fr", ".o_form_sheet")
        assert not inspector.found, "\n".join(inspector.found)
        assert tour.errors == []
