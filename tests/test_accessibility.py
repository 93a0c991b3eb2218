"""axe-core looks at our screens as they are in a real browser: nothing serious may be wrong with them."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .settled import settle
from .test_browser import PATIENCE, a_tour_of

#: Odoo's own, the same in every addon; their defects can only be fixed there.
NOT_OURS = [
    # The frame of each page.
    ".o_navbar",
    ".o_control_panel",
    ".o_form_statusbar",
    ".o-mail-Form-chatter",
    # Widgets of fields: `aria-selected` without a role, avatars without a text, the colours of badges.
    ".o_tag",
    ".o_select_menu",
    ".o_avatar",
    ".o_field_many2one_avatar_user",
    ".o_field_badge",
    ".o_multi_record_selector",
    # The tabs of a form, and the columns of its lists.
    ".o_notebook_headers",
    ".o_optional_columns_dropdown",
    # The boxes that select the rows of a list.
    ".o_list_record_selector",
]

#: What users may be unable to work with; the others are advice.
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        copy.start()
        yield copy


class Inspector:
    """Collects what axe finds, so that one run reports everything."""

    def __init__(self):
        self.axe = Axe()
        self.found = []

    def inspect(self, page, screen, where):
        """
        :param str screen: name of the screen, for the message
        :param where: selectors of what is ours on it
        """
        settle(page)
        present = [selector for selector in where if page.locator(selector).count()]
        assert present, f"{screen}: nothing of {where} is on the page"
        there = [[selector] for selector in NOT_OURS if page.locator(selector).count()]
        context = {"include": [[selector] for selector in present], "exclude": there}
        options = {"resultTypes": ["violations"]}
        for violation in self.axe.run(page, context=context, options=options).response["violations"]:
            if violation["impact"] in GRAVE:
                for node in violation["nodes"]:
                    self.found.append(f"{screen}: {violation['id']} ({violation['help']}): {node['html'][:300]}")


def test_nothing_serious_is_wrong_with_any_of_our_screens(served):
    inspector = Inspector()
    with a_tour_of(served) as tour:
        connect(tour, inspector)
        load(tour, served, inspector)
        look_after(tour, inspector)
    assert not inspector.found, "\n".join(inspector.found)


def connect(tour, inspector):
    tour.open("/odoo/connect-bank")
    bank = tour.choose_bank("Demo Beta Bank")
    tour.page.wait_for_timeout(1000)
    bank.click()
    tour.sees("What does Beta mean?")
    inspector.inspect(tour.page, "search", [".o_connect_bank_page"])
    bank = tour.choose_bank("Demo Bank")
    tour.page.wait_for_timeout(1000)
    with tour.at_the_bank(bank.click) as window:
        window.page.get_by_label("User name").fill("demo")
        window.page.get_by_label("Password").fill("demo")
        inspector.inspect(window.page, "page of the proxy: sign in", ["body"])
        inspector.inspect(tour.page, "visit", [".o_bank_visit"])
        window.click("Sign in")
        window.sees("Business account")
        inspector.inspect(window.page, "page of the proxy: accounts", ["body"])
        window.click("Give consent")
    tour.sees("Choose the journal that each bank account fills")
    inspector.inspect(tour.page, "choice of accounts", [".o_form_sheet"])


def load(tour, served, inspector):
    tour.click("Synchronize", exact=True)
    tour.sees("or leave this page")
    inspector.inspect(tour.page, "first load", [".o_online_first_load"])
    served.fetch_planned()
    tour.sees("The bank statements agree with the bank.")
    inspector.inspect(tour.page, "summary", [".o_online_first_load"])


def look_after(tour, inspector):
    tour.open("/odoo/accounting")
    tour.sees(re.compile("Synchronized (just now|.* ago)"))
    inspector.inspect(tour.page, "card", [".o_online_sync_status"])
    for item, screen in (("Find Missing Transactions", "missing"), ("Find Duplicate Transactions", "duplicates")):
        tour.card("Bank").hover()
        tour.card("Bank").locator(".o_dropdown_kanban button").click()
        tour.page.get_by_role("menuitem", name=item).click()
        tour.page.locator(".modal").wait_for()
        inspector.inspect(tour.page, screen, [".modal .o_form_view"])
        tour.page.keyboard.press("Escape")
        expect(tour.page.locator(".modal")).to_have_count(0, timeout=PATIENCE)
    tour.page.locator(".o_online_sync_status a").first.click()
    tour.sees("Automatic Synchronization")
    inspector.inspect(tour.page, "connection", [".o_form_view"])
    tour.open("/odoo/online-synchronization")
    tour.page.locator(".o_kanban_record").first.wait_for()
    inspector.inspect(tour.page, "connections", [".o_kanban_renderer"])
    tour.open("/odoo/settings#account")
    tour.page.locator("#online_sync_service").wait_for()
    inspector.inspect(tour.page, "settings", [f"#online_sync_{name}" for name in ("service", "notices", "history")])
    tour.open("/bank_sync/institutions")
    tour.sees("Demo Bank")
    inspector.inspect(tour.page, "list of institutions", ["body"])
