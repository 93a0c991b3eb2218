"""A bookkeeper asks the owner of the bank login to renew a consent; the owner, without an Odoo user, does it in
another browser, and the bookkeeper reads that it is done.

Each station leaves a picture, on a screen and on a phone.
"""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from .books import inside
from .conftest import a_company_with_books
from .settled import expect_to_fit
from .test_accessibility import Inspector
from .test_browser import PATIENCE, Tour, a_tour_of
from .test_provider_browser import DESKTOP, PHONE

ENDING = """
from datetime import timedelta
from odoo import fields
link = env["account.online.link"].search([("name", "=", {name!r})])
link.expiring_synchronization_date = fields.Date.today() + timedelta(days=3)
link.account_online_account_ids.journal_ids[:1].show_on_dashboard = True
result = link.id
"""
ADDRESS = """
import re
mail = env["mail.mail"].search([("body_html", "like", "/account_online_synchronization/renew/")], limit=1)
result = re.search(r'href="([^"]*/account_online_synchronization/renew/[^"]+)"', mail.body_html).group(1)
"""
STATE = """
from odoo import fields
link = env["account.online.link"].browse({link})
days = (link.expiring_synchronization_date - fields.Date.today()).days
result = [link.renewal_ids[:1].state, days > 80]
"""


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        wanted = [{"institution": "demo", "user": "demo", "only": "Business account", "days": 20}]
        inside(copy, "connect", [*wanted, {"institution": "demo-reconfirm", "user": "demo", "days": 20}])
        copy.start()
        yield copy


def look(tour, inspector, name, place):
    for size, suffix in ((PHONE, "_phone"), (DESKTOP, "")):
        tour.page.set_viewport_size(size)
        tour.photograph(f"{name}{suffix}")
        expect_to_fit(tour.page, "document.documentElement.scrollWidth > window.innerWidth", f"{name}{suffix}")
        inspector.inspect(tour.page, f"{name}{suffix}", [place])


def ask(tour, inspector, link):
    tour.open("/odoo/accounting")
    tour.sees("The consent ends in 3 days.")
    tour.photograph("renewal_card")
    tour.open(f"/odoo/action-account_online_synchronization.account_online_link_action/{link}")
    tour.sees("Renew it in time")
    tour.photograph("renewal_form")
    tour.click("Request Renewal")
    tour.page.locator(".modal").get_by_label("E-mail").fill("owner@example.com")
    look(tour, inspector, "renewal_ask", ".modal .o_form_view")
    tour.page.locator(".modal").get_by_role("button", name="Send").click()
    tour.sees(re.compile("owner@example.com was asked to renew"))
    expect(tour.page.locator(".modal")).to_have_count(0, timeout=PATIENCE)
    expect(tour.page.get_by_role("button", name="Withdraw")).to_be_visible(timeout=PATIENCE)
    tour.photograph("renewal_asked")


def renew(owner, inspector, address):
    owner.open(address)
    owner.sees("asks you to renew the consent")
    look(owner, inspector, "renewal_link", "main, body")
    owner.click("Continue to the Bank")
    owner.page.get_by_label("User name").fill("demo")
    owner.page.get_by_label("Password").fill("demo")
    owner.click("Sign in")
    owner.sees("Business account")
    owner.click("Give consent")
    owner.sees("The consent is renewed")
    look(owner, inspector, "renewal_done", "main, body")
    owner.open(address)
    owner.sees("This link is no longer valid")
    look(owner, inspector, "renewal_ended", "main, body")


def test_the_owner_of_the_login_renews_the_consent_without_an_odoo_user(served):
    inspector = Inspector()
    link = served.shell(ENDING.format(name="Demo Bank"))
    with a_tour_of(served) as tour:
        ask(tour, inspector, link)
        address = urlsplit(served.shell(ADDRESS)).path
        other_browser = tour.page.context.browser.new_context(viewport=DESKTOP, locale="en-US")
        owner = Tour(other_browser.new_page(), served.url)
        renew(owner, inspector, address)
        assert served.shell(STATE.format(link=link)) == ["done", True]
        tour.open(f"/odoo/action-account_online_synchronization.account_online_link_action/{link}")
        tour.sees(re.compile("was renewed at the bank by owner@example.com"))
        tour.photograph("renewal_told")
        # Chromium notes the answer 410 of the link that is used up.
        assert [error for error in owner.errors if "410" not in error] == []
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)


def test_a_consent_that_is_confirmed_with_us_needs_no_login(served):
    inspector = Inspector()
    link = served.shell(ENDING.format(name="Demo Reconfirm Bank"))
    with a_tour_of(served) as tour:
        tour.open(f"/odoo/action-account_online_synchronization.account_online_link_action/{link}")
        tour.page.get_by_role("tab", name="Consent").click()
        tour.sees("This consent is confirmed every 90 days")
        look(tour, inspector, "reconfirm_form", ".o_notebook_content")
        with tour.at_the_bank(lambda: tour.click("Confirm the Consent")) as window:
            window.sees("Your consent at the bank has no end")
            expect(window.page.locator("input[type=password]")).to_have_count(0)
            look(window, inspector, "reconfirm_page", "body")
            window.click("Confirm the consent")
        tour.sees("Consent Valid Until")
        assert served.shell(STATE.format(link=link)) == [False, True]
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)
