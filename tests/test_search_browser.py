"""The search that finds nothing, in a real browser: it says why, names providers that reach the bank, and the user to
contact.

Each station leaves a picture, on a screen and on a phone.
"""

import pytest
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .test_accessibility import Inspector
from .test_browser import PATIENCE, a_tour_of
from .test_provider_browser import look

BEGIN = """
env.company.country_id = env.ref("base.be")
env["bank.sync.provider"].search([("code", "!=", "sandbox")]).active = False
env.ref("base.user_admin").name = "Mitchell Admin"
owner = env["res.users"].create({
    "name": "Olga Owner", "login": "owner", "password": "owner",
    "group_ids": [(4, env.ref("account.group_account_manager").id)],
})
"""
SWITCH_ON = """
provider = env.ref("bank_sync_proxy.bank_sync_provider_simplefin")
provider.active = True
env["bank.sync.institution"]._update_directory(provider)
"""
REQUESTS = "result = env['mail.activity'].search_count([('summary', '=', 'Switch on a bank provider')])"
PAGE = ".o_connect_bank_page"


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        copy.shell(BEGIN)
        copy.start()
        yield copy


def search(tour, words):
    tour.open("/odoo/connect-bank")
    tour.sees("Search your bank")
    tour.page.get_by_label("Search your bank").fill(words)


def test_who_may_switch_on_a_provider_is_led_to_those_that_reach_the_bank(served):
    inspector = Inspector()
    with a_tour_of(served) as tour:
        search(tour, "Commerzbank")
        tour.sees("No provider that reaches banks in Belgium is switched on")
        look(tour, inspector, "search_nothing", PAGE)
        tour.page.get_by_role("button", name="Switch On Enable Banking").click()
        tour.sees("1. Get keys")
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)


def test_who_may_not_asks_the_administrator_once(served):
    inspector = Inspector()
    with a_tour_of(served, login="owner") as tour:
        tour.open("/odoo/connect-bank")
        tour.sees("can switch on a provider")
        look(tour, inspector, "search_ask", PAGE)
        search(tour, "Commerzbank")
        tour.sees("No provider that reaches banks in Belgium is switched on")
        expect(tour.page.get_by_role("button", name="Switch On")).to_have_count(0)
        tour.click("Ask Mitchell Admin")
        tour.sees("Mitchell Admin has been asked.")
        look(tour, inspector, "search_asked", PAGE)
        tour.open("/odoo/connect-bank")
        tour.sees("Mitchell Admin has been asked.")
        expect(tour.page.get_by_role("button", name="Ask Mitchell Admin")).to_have_count(0)
        assert tour.errors == []
    assert served.shell(REQUESTS) == 1
    with a_tour_of(served) as tour:
        tour.open("/odoo/accounting")
        tour.page.locator(".o-mail-ActivityMenu-counter").wait_for()
        tour.page.locator("button:has(.fa-clock-o)").first.click()
        tour.photograph("search_activity")
    assert not inspector.found, "\n".join(inspector.found)


def test_a_bank_is_found_by_name_where_a_provider_does_not_list_it(served):
    inspector = Inspector()
    served.shell(SWITCH_ON)
    with a_tour_of(served) as tour:
        search(tour, "Chase")
        tour.page.get_by_label("Country").select_option(label="United States")
        tour.sees("Your bank is not among them?")
        look(tour, inspector, "search_unlisted", PAGE)
        tour.page.get_by_label("Search your bank").press("ArrowDown")
        expect(tour.page.locator(".o_bank_unlisted .o_bank_row").first).to_be_focused(timeout=PATIENCE)
        with tour.page.expect_popup(timeout=PATIENCE) as opened:
            tour.page.get_by_role("button", name="SimpleFIN Bridge").click()
        expect(opened.value.get_by_text("Connect with SimpleFIN").first).to_be_visible(timeout=PATIENCE)
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)
