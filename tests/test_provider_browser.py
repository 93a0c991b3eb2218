"""From a database that reaches no bank to the search that finds one's own, in a real browser: a provider is chosen by
country, its keys are entered, and one button switches it on.

Each station leaves a picture, on a screen and on a phone.
"""

import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .enable_banking_bank import a_bank
from .settled import expect_to_fit
from .test_accessibility import Inspector
from .test_browser import PATIENCE, a_tour_of
from .test_identity_browser import PROVIDERS, confirm

APPLICATION = "cf589be3-3755-465b-a8df-a90a16a31403"
#: What the menu *Providers* opens.
CHOOSE = "/odoo/action-bank_sync_proxy.bank_sync_provider_action_choose"
BEGIN = """
env["bank.sync.provider"].search([]).active = False
env.company.country_id = env.ref("base.be")
provider = env.ref("bank_sync_proxy.bank_sync_provider_enable_banking")
provider.setting_ids = [(0, 0, {{"name": "base_url", "label": "Server", "type": "text", "plain_value": {url!r}}})]
"""
STATE = """
provider = env.ref("bank_sync_proxy.bank_sync_provider_enable_banking")
result = [provider.active, provider.keys_state, provider.institution_count]
"""
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WIDER_THAN_THE_SCREEN = """() => {
    const wide = document.documentElement.scrollWidth > window.innerWidth;
    const content = document.querySelector(".o_content");
    return wide || content.scrollWidth > content.clientWidth;
}"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with a_bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="module")
def served(bank):
    with a_company_with_books() as copy:
        copy.shell(BEGIN.format(url=bank.url))
        copy.start()
        yield copy


@pytest.fixture
def tour(served):
    with a_tour_of(served) as tour:
        yield tour


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / f"{APPLICATION}.pem"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def look(tour, inspector, name, place):
    """Photograph a station on both screens; on neither anything is cut off, or serious for a screen reader."""
    for size, suffix in ((PHONE, "_phone"), (DESKTOP, "")):
        tour.page.set_viewport_size(size)
        tour.photograph(f"{name}{suffix}")
        expect_to_fit(tour.page, WIDER_THAN_THE_SCREEN, f"{name}{suffix}")
        inspector.inspect(tour.page, f"{name}{suffix}", [place])


def card(tour, name):
    return tour.page.locator(".o_kanban_record:not(.o_kanban_ghost)").filter(
        has=tour.page.get_by_text(name, exact=True)
    )


def choose(tour, inspector):
    tour.open(CHOOSE)
    tour.sees("European Economic Area")
    expect(tour.page.locator(".o_facet_value")).to_have_text("Belgium")
    names = tour.page.locator(".o_bank_provider_name").all_inner_texts()
    assert names[0] == "Enable Banking" and names[-1].startswith("GoCardless"), names
    expect(card(tour, "Plaid")).to_have_count(0)
    look(tour, inspector, "provider_cards", ".o_kanban_renderer")
    card(tour, "Enable Banking").click()
    tour.sees("1. Get keys")


def enter(tour, inspector, key_file):
    tour.sees("/bank_sync/callback/enable_banking")
    look(tour, inspector, "provider_locked", ".o_form_sheet")
    tour.click("Switch On", exact=True)
    tour.sees("Please enter these first: Application ID, Private key.")
    tour.click("Change Keys")
    confirm(tour)
    expect(tour.page.get_by_label("Application ID")).to_be_enabled(timeout=PATIENCE)
    tour.page.get_by_label("Application ID").fill("My Application")
    tour.page.get_by_label("Application ID").press("Tab")
    tour.sees("An application ID has 32 letters and digits")
    look(tour, inspector, "provider_fault", ".o_form_sheet")
    tour.page.get_by_label("Application ID").fill(APPLICATION)
    tour.page.get_by_label("Application ID").press("Tab")
    expect(tour.page.locator(".o_bank_key_fault")).to_have_count(0, timeout=PATIENCE)
    tour.page.get_by_label("Choose the Key File").set_input_files(key_file)
    expect(tour.page.get_by_label("Private key")).to_have_value(re.compile("BEGIN PRIVATE KEY"), timeout=PATIENCE)
    look(tour, inspector, "provider_entered", ".o_form_sheet")


def test_a_bank_is_found_after_its_provider_was_chosen_and_switched_on(tour, served, bank, key_file):
    inspector = Inspector()
    choose(tour, inspector)
    enter(tour, inspector, key_file)
    tour.click("Switch On", exact=True)
    tour.sees("Search your bank")
    tour.page.get_by_label("Country").select_option(label="Belgium")
    tour.sees("Mock Bank")
    tour.photograph("provider_found")
    assert served.shell(STATE) == [True, "work", 1]
    tour.page.go_back()
    tour.sees("On · 1 bank")
    expect(tour.page.get_by_placeholder(re.compile("It is not shown again"))).to_be_visible(timeout=PATIENCE)
    look(tour, inspector, "provider_on", ".o_form_sheet")
    assert not inspector.found, "\n".join(inspector.found)
    assert tour.errors == []


def test_other_countries_are_one_click_away_and_a_country_without_any_is_explained(tour, served):
    inspector = Inspector()
    served.shell("env.company.country_id = env.ref('base.kp')")
    tour.open(CHOOSE)
    tour.sees("No provider is known to reach this country")
    look(tour, inspector, "provider_nowhere", ".o_content")
    tour.page.locator(".o_facet_remove").click()
    tour.sees("Plaid")
    card(tour, "Qonto").click()
    tour.sees("How it works")
    tour.page.get_by_role("tab", name="Technical").click()
    tour.sees("Staging token")
    look(tour, inspector, "provider_technical", "[name=options]")
    assert not inspector.found, "\n".join(inspector.found)
    assert tour.errors == []


def test_the_toggle_in_the_list_does_not_switch_on_what_has_no_keys(tour, served):
    tour.open(f"{PROVIDERS}?view_type=list")
    row = tour.page.locator(".o_data_row").filter(has=tour.page.get_by_text("Plaid", exact=True))
    row.locator("[name=active] input").click()
    tour.sees("Plaid stays off, because its keys have not passed the test yet")
    tour.photograph("provider_refused_toggle")
    assert served.shell("result = env.ref('bank_sync_proxy.bank_sync_provider_plaid').active") is False
