"""One tour through a real browser, start to end: dashboard, bank, accounts, journal, form.

Each station leaves a picture in `.environment/screenshots`: look at them after a change of a page.
"""

import os
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from .conftest import a_company_with_books
from .settled import expect_found_banks

SCREENSHOTS = Path(__file__).parents[1] / ".environment" / "screenshots"
#: Milliseconds. A first page of a fresh database builds its assets.
PATIENCE = 90_000
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


class Tour:
    """A signed-in browser window; trouble on a page is collected in ``errors``."""

    def __init__(self, page, url):
        self.page = page
        self.url = url
        self.errors = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))

    def open(self, path):
        self.page.goto(self.url + path)

    def sign_in(self, login="admin"):
        """:param str login: of a user whose password is the same"""
        self.open("/web/login")
        self.page.fill("#login", login)
        self.page.fill("#password", login)
        self.page.press("#password", "Enter")
        self.page.wait_for_selector(".o_web_client")

    def click(self, name, **options):
        self.page.get_by_role("button", name=name, **options).first.click()

    def sees(self, text):
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    def photograph(self, name):
        # Why a pause and not only a page at rest: pages that were resized sooner kept parts of the other size.
        self.page.wait_for_timeout(800)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def mark_the_page(self):
        self.page.evaluate("window.isTheSame = true")

    def is_the_same_page(self):
        return self.page.evaluate("window.isTheSame === true")

    def card(self, journal):
        name = self.page.get_by_text(journal, exact=True)
        return self.page.locator(".o_kanban_record").filter(has=name)

    def close_notifications(self):
        # Why at once: one may disappear while another one is closed.
        self.page.evaluate("document.querySelectorAll('.o_notification_close').forEach((button) => button.click())")
        expect(self.page.locator(".o_notification")).to_have_count(0, timeout=PATIENCE)

    @contextmanager
    def at_the_bank(self, press):
        """The bank's page, in a separate window, while Odoo waits; it closes automatically.

        :param press: what opens it
        :return: a :class:`Tour` of that window
        """
        with self.page.expect_popup(timeout=PATIENCE) as opened:
            press()
        window = Tour(opened.value, self.url)
        window.errors = self.errors
        self.sees("Continue in the window of")
        yield window
        if not window.page.is_closed():
            window.page.wait_for_event("close", timeout=PATIENCE)

    def choose_bank(self, name):
        """In Odoo's own search, in whatever country it is."""
        self.sees("Search your bank")
        self.page.get_by_label("Country").select_option(label="All countries")
        self.page.get_by_label("Search your bank").fill(name)
        expect_found_banks(self.page)
        return self.page.locator(".o_bank_row").filter(has=self.page.get_by_text(name, exact=True))

    def sign_in_at_the_demo_bank(self, press):
        """:param press: what opens the bank's window"""
        with self.at_the_bank(press) as bank:
            bank.page.get_by_label("User name").fill("demo")
            bank.page.get_by_label("Password").fill("demo")
            bank.photograph("bank_sign_in")
            bank.click("Sign in")
            bank.sees("Business account")
            bank.photograph("bank_consent")
            self.photograph("bank_waiting")
            bank.click("Give consent")


@pytest.fixture(scope="module")
def served():
    """As everywhere, and scheduled actions run: a long load is left to them."""
    with a_company_with_books() as copy:
        copy.start(cron_threads=1)
        yield copy


@pytest.fixture
def tour(served):
    with a_tour_of(served) as tour:
        yield tour


@contextmanager
def a_tour_of(installation, login="admin", size=DESKTOP):
    """A browser in which a user has signed in."""
    chromium = os.environ.get("BANK_SYNC_CHROMIUM")
    if not chromium:
        pytest.skip("no Chromium that Playwright can drive on this machine: scripts/test tells what to install")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        # Why: the certificate of a test's bank is self-signed.
        options = {"viewport": size, "locale": "en-US", "ignore_https_errors": True}
        tour = Tour(browser.new_page(**options), installation.url)
        tour.sign_in(login)
        yield tour
        browser.close()


def test_from_the_dashboard_to_a_filled_journal_and_through_the_forms_buttons(tour, served):
    tour.open("/odoo/accounting")
    tour.sees("Connect bank")
    tour.photograph("dashboard_before")
    tour.click("Connect bank", exact=True)

    bank = tour.choose_bank("Demo Bank")
    tour.photograph("bank_choice")
    tour.sign_in_at_the_demo_bank(bank.click)

    tour.sees("Choose the journal that each bank account fills")
    tour.photograph("choose_accounts")
    tour.click("Synchronize", exact=True)
    tour.sees("or leave this page")
    tour.photograph("first_load")
    tour.mark_the_page()
    tour.sees("The bank statements agree with the bank.")
    assert tour.is_the_same_page(), "nobody has reloaded the page: the summary has come by itself"
    tour.photograph("first_load_summary")
    tour.page.reload()
    tour.sees("The bank statements agree with the bank.")
    tour.click("Dashboard", exact=True)
    tour.sees(re.compile("Synchronized (just now|.* ago)"))
    expect(tour.card("Bank")).to_contain_text("Balance", timeout=PATIENCE)
    tour.photograph("dashboard")

    tour.click("Synchronize Now")
    tour.sees("There are no new transactions.")
    tour.close_notifications()

    tour.page.get_by_text(re.compile(r"Synchronized (just now|.* ago)")).first.click()
    tour.sees("Automatic Synchronization")
    tour.photograph("connection")
    tour.click("Fetch Transactions")
    tour.sees("There are no new transactions.")
    tour.close_notifications()
    tour.click("Fetch Accounts")
    tour.sees("There is nothing new")
    tour.click("Show All Accounts")
    tour.sees("It is already used for this account.")
    tour.photograph("fetch_accounts_all")
    tour.click("Later")
    tour.sign_in_at_the_demo_bank(lambda: tour.click("Update Credentials"))
    tour.sees("Automatic Synchronization")

    served.move_demo_clock(24 * 200)
    tour.click("Fetch Transactions")
    tour.sees("Your consent at the bank has expired")
    tour.close_notifications()
    tour.photograph("connection_expired")
    tour.sign_in_at_the_demo_bank(lambda: tour.click("Renew"))
    expect(tour.page.get_by_text("Your consent at the bank has expired")).to_have_count(1)  # the chatter remembers
    tour.photograph("connection_renewed")

    tour.open("/odoo/online-synchronization")
    tour.sees("Demo Bank")
    tour.photograph("connections")
    assert tour.errors == []


def test_over_the_bank_s_own_site_in_a_window_and_with_the_tab_closed(tour, served):
    """The window leaves our pages and comes back; as no page waits any more, it continues automatically."""
    tour.open("/odoo/connect-bank")
    bank = tour.choose_bank("Demo Redirect Bank")
    with tour.page.expect_popup(timeout=PATIENCE) as opened:
        bank.press("Enter")
    window = Tour(opened.value, tour.url)
    window.page.wait_for_url("**/bank_sync/sandbox/bank?**", timeout=PATIENCE)
    assert window.page.evaluate("window.opener") is None, "the bank's site can't reach the tab"
    address = tour.page.url
    assert "/bank-visit/" in address

    tour.page.reload()
    tour.sees("You have started to connect Demo Redirect Bank")
    tour.photograph("bank_visit_resumed")
    tour.open("/web/image/res.users/2/avatar_128")
    window.click("Allow", exact=True)
    window.sees("Choose the journal that each bank account fills")
    assert window.errors == []
    tour.open(address.removeprefix(tour.url))
    tour.sees("Choose the journal that each bank account fills")


#: What the synchronization does when it begins, continues and ends, without a bank.
SET_STATE = """
link = env["account.online.link"].search([("journal_ids", "!=", False)], limit=1)
run = link.run_ids.filtered(lambda run: run.state in ("planned", "running"))
run = run or run.create({{"account_online_link_id": link.id}})
run.state = "{state}"
link._send_status("{state}")
"""


def test_the_card_follows_the_server_and_leaves_everything_else_as_it_is(tour, served):
    tour.open("/odoo/accounting")
    card = tour.card("Bank")
    button = card.get_by_role("button", name="Synchronize Now")
    status = card.get_by_role("status")
    expect(status).to_contain_text("Synchronized", timeout=PATIENCE)
    tour.mark_the_page()
    element = status.element_handle()
    card.hover()
    card.locator(".o_dropdown_kanban button").click()

    served.shell(SET_STATE.format(state="planned"))
    expect(status).to_contain_text("Waiting to be fetched", timeout=PATIENCE)
    expect(button).to_be_enabled()
    expect(tour.page.get_by_role("menuitem", name="Statements")).to_be_visible()

    served.shell(SET_STATE.format(state="running"))
    expect(status).to_contain_text("Fetching transactions…", timeout=PATIENCE)
    expect(button).to_be_disabled()

    tour.page.context.set_offline(True)
    served.shell(SET_STATE.format(state="done"))
    tour.page.wait_for_timeout(1000)
    expect(status).to_contain_text("Fetching transactions…")
    tour.page.context.set_offline(False)
    expect(status).to_contain_text("Synchronized", timeout=PATIENCE)
    expect(button).to_be_enabled()
    expect(tour.page.get_by_role("menuitem", name="Statements")).to_be_visible()
    assert tour.is_the_same_page()
    assert element.evaluate("element => element.isConnected"), "a screen reader still listens to it"


def test_no_message_is_listened_to_once_the_dashboard_is_left(tour, served):
    tour.open("/odoo/accounting")
    expect(tour.card("Bank").get_by_role("status")).to_contain_text("Synchronized", timeout=PATIENCE)
    tour.page.get_by_text(re.compile(r"Synchronized (just now|.* ago)")).first.click()
    tour.sees("Automatic Synchronization")
    requests = []
    tour.page.on("request", lambda request: "account.journal" in request.url and requests.append(request.url))
    served.shell(SET_STATE.format(state="planned"))
    served.shell(SET_STATE.format(state="done"))
    tour.page.wait_for_timeout(1500)
    assert requests == []
    assert tour.errors == []
