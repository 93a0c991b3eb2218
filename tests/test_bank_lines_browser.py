"""An accountant's day with the bank's transactions: from the card to the list, to a line, to its entry, by mouse, by
keyboard and on a phone.

Each station leaves a picture, on a screen and on a phone.
"""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from .conftest import a_company_with_books, demo
from .settled import expect_to_fit
from .test_accessibility import Inspector
from .test_browser import PATIENCE, PHONE, a_tour_of
from .test_provider_browser import WIDER_THAN_THE_SCREEN, look

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

#: One transaction was deleted by a user, and one could not be stored.
SOME_ARE_NOT_IMPORTED = """
from odoo.addons.bank_sync_common.models.server_fields import as_server
lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)], order="id desc")
line = lines.filtered(lambda line: not line.is_reconciled and line.move_id.checked)[0]
account, result = line.online_account_id, [line.payment_ref, line.online_transaction_identifier]
line.move_id.button_draft()
line.move_id.unlink()
as_server(env["account.online.transaction"]).create({
    "account_online_account_id": account.id,
    "journal_id": account.journal_ids.id,
    "state": "parked",
    "reason_code": "parked",
    "reason": "The account of the counterpart is archived.",
    "date": "2026-05-20",
    "amount": -1234.56,
    "payment_ref": "Rent of the workshop",
    "partner_name": "Landlord Ltd",
    "online_transaction_identifier": "parked-1",
})
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


def test_a_phone_shows_what_was_not_imported_as_cards_with_reason_and_buttons(served, journal):
    label, identifier = served.shell(SOME_ARE_NOT_IMPORTED)
    inspector = Inspector()
    with a_tour_of(served, size=PHONE) as tour:
        tour.open("/odoo/bank-transactions-beside-the-books")
        cards = tour.page.locator(".o_kanban_record:not(.o_kanban_ghost)")
        rent = cards.filter(has_text="Rent of the workshop")
        expect(rent).to_contain_text("The account of the counterpart is archived.", timeout=PATIENCE)
        expect(rent).to_contain_text("1,234.56")
        tour.photograph("not_imported_cards")
        expect_to_fit(tour.page, WIDER_THAN_THE_SCREEN, "not_imported_cards")
        inspector.inspect(tour.page, "not_imported_cards", [".o_kanban_renderer"])
        rent.get_by_role("button", name="Dismiss").click()
        expect(rent).to_contain_text("Dismissed by", timeout=PATIENCE)
        deleted = cards.filter(has_text=label).filter(has_text="Deleted by")
        expect(deleted.get_by_role("button", name="Dismiss")).to_have_count(0)
        deleted.get_by_role("button", name="Import").click()
        expect(tour.page.get_by_text("Deleted by")).to_have_count(0, timeout=PATIENCE)
        tour.sees(label)
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)
    restored = f"SELECT 1 FROM account_bank_statement_line WHERE online_transaction_identifier = '{identifier}'"
    assert len(served.sql(restored)) == 1


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
