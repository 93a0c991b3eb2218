"""From an empty database to transactions of a bank, in a real browser, without reading this repository.

Five people walk it, each a way of her own: with a mouse, on a phone, with the keyboard only, and in French. The
providers are scripted behind real HTTP. What is pressed at the bank's own page is not counted.
"""

import re
import time

import polib
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import expect

from .conftest import ROOT, a_company_with_books
from .enable_banking_bank import a_bank
from .qonto_bank import LOGIN, SECRET_KEY, qonto
from .revolut_bank import CLIENT_ID, CODE, revolut
from .settled import expect_found_banks, expect_to_fit
from .simplefin_bridge import a_bridge
from .test_accessibility import Inspector
from .test_browser import PATIENCE, PHONE, Tour, a_tour_of

APPLICATION = "cf589be3-3755-465b-a8df-a90a16a31403"
#: Pressed from the dashboard to the transactions.
MOST_CLICKS = 12
BEGIN = """
env["bank.sync.provider"].search([]).active = False
for code, url in {servers!r}.items():
    provider = env.ref(f"bank_sync_proxy.bank_sync_provider_{{code}}")
    provider.setting_ids = [(0, 0, {{"name": "base_url", "label": "Server", "type": "text", "plain_value": url}})]
"""
FRENCH = """
env["base.language.install"].create({"lang_ids": [(6, 0, env.ref("base.lang_fr").ids)]}).lang_install()
env.ref("base.user_admin").lang = "fr_FR"
"""
COUNTRY = "env.company.country_id = env.ref('base.{}')"
LINES = """
lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)], order="date, id")
result = [[line.online_transaction_identifier, line.amount] for line in lines]
"""
WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with a_bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture
def served(bank):
    with (
        a_bridge("A-CLAIM", "a-password") as bridge,
        qonto() as qonto_url,
        revolut() as revolut_url,
        a_company_with_books() as copy,
    ):
        servers = {"enable_banking": bank.url, "qonto": qonto_url, "simplefin": bridge.url}
        copy.shell(BEGIN.format(servers={**servers, "revolut_business": revolut_url}))
        copy.start(cron_threads=1)
        copy.bridge = bridge
        yield copy


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / f"{APPLICATION}.pem"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def french(text):
    """:return: as our addons translate it"""
    for addon in ("account_online_synchronization", "bank_sync_proxy"):
        entry = polib.pofile(str(ROOT / addon / "i18n" / "fr.po")).find(text)
        if entry:
            return entry.msgstr
    raise AssertionError(f"not translated: {text}")


class Walk:
    """A user at a browser, whose clicks are counted, and who looks at each station.

    :param say: what a label reads on the screen
    :param bool by_keyboard: nothing is clicked
    """

    def __init__(self, tour, name, say=str, by_keyboard=False):
        self.tour, self.page, self.name, self.say = tour, tour.page, name, say
        self.by_keyboard = by_keyboard
        self.pressed, self.began = 0, time.monotonic()
        self.inspector = Inspector()

    def reach(self, locator):
        """Tab until it has the focus: what can't be reached so is closed to people without a mouse."""
        expect(locator).to_be_visible(timeout=PATIENCE)
        for _step in range(80):
            if locator.evaluate("element => element === document.activeElement"):
                return
            # Why: Odoo's search box keeps Tab for itself; the arrow leads to what was found.
            is_searching = self.page.evaluate("Boolean(document.activeElement.closest('.o_searchview'))")
            self.page.keyboard.press("ArrowDown" if is_searching else "Tab")
        at = self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        raise AssertionError(f"the focus is at {at}, {locator} can't be reached by keyboard")

    def press(self, locator):
        self.pressed += 1
        if self.by_keyboard:
            self.reach(locator)
            self.page.keyboard.press("Enter")
        else:
            locator.click()

    def button(self, name):
        return self.page.get_by_role("button", name=self.say(name), exact=True).first

    def fill(self, locator, text):
        if self.by_keyboard:
            self.reach(locator)
            self.page.keyboard.press("Control+A")
            self.page.keyboard.insert_text(text)
        else:
            locator.fill(text)
            locator.blur()

    def field(self, label):
        return self.page.get_by_label(self.say(label), exact=True)

    def sees(self, text):
        self.tour.sees(self.say(text))

    def look(self, station):
        self.tour.photograph(f"first_bank_{self.name}_{station}")
        expect_to_fit(self.page, WIDER_THAN_THE_SCREEN, station)
        self.inspector.inspect(self.page, station, [".o_action_manager"])

    # -------------------------------------------------------------------------
    # STATIONS
    # -------------------------------------------------------------------------

    def to_the_provider(self, name):
        self.tour.open("/odoo/accounting")
        self.press(self.button("Connect bank"))
        self.look("nothing_on")
        self.press(self.button("Bank Providers"))
        card = self.page.locator(".o_kanban_record:not(.o_kanban_ghost)").filter(
            has=self.page.get_by_text(name, exact=True)
        )
        expect(card).to_be_visible(timeout=PATIENCE)
        self.look("providers")
        self.press(card)
        expect(self.button("Switch On")).to_be_visible(timeout=PATIENCE)
        self.look("provider")

    def enter_keys_of_enable_banking(self, key_file):
        self.press(self.button("Change Keys"))
        dialog = self.page.get_by_role("dialog").filter(has=self.page.locator("input[type=password]"))
        self.fill(dialog.locator("input[type=password]"), "admin")
        self.press(dialog.locator("footer .btn-primary"))
        expect(self.field("Application ID")).to_be_enabled(timeout=PATIENCE)
        self.fill(self.field("Application ID"), APPLICATION)
        self.page.locator("input[type=file]").first.set_input_files(key_file)
        expect(self.field("Private key")).to_have_value(re.compile("BEGIN PRIVATE KEY"), timeout=PATIENCE)

    def switch_on(self):
        self.press(self.button("Switch On"))
        self.sees("Search your bank")
        self.look("search")

    def choose_bank(self, name):
        self.fill(self.field("Search your bank"), name)
        expect_found_banks(self.page)
        row = self.page.locator(".o_bank_row").filter(has=self.page.get_by_text(name, exact=True)).first
        expect(row).to_be_visible(timeout=PATIENCE)
        self.press(row)

    def choose_accounts(self):
        expect(self.button("Synchronize")).to_be_visible(timeout=PATIENCE)
        self.look("accounts")
        self.press(self.button("Synchronize"))

    def end(self, served, lines):
        deadline = time.monotonic() + PATIENCE / 1000
        while served.shell(LINES) != lines:
            assert time.monotonic() < deadline, served.shell(LINES)
        self.look("done")
        assert self.pressed <= MOST_CLICKS, f"{self.pressed} presses in {time.monotonic() - self.began:.0f} s"
        assert not self.inspector.found, "\n".join(self.inspector.found)
        assert self.tour.errors == []


def bank_window(walk, served, press):
    with walk.page.expect_popup(timeout=PATIENCE) as opened:
        press()
    window = Tour(opened.value, served.url)
    window.errors = walk.tour.errors
    return window


# -------------------------------------------------------------------------
# THE WALKS
# -------------------------------------------------------------------------


def through_enable_banking(walk, served, key_file):
    walk.to_the_provider("Enable Banking")
    walk.enter_keys_of_enable_banking(key_file)
    walk.look("keys")
    walk.switch_on()
    window = bank_window(walk, served, lambda: walk.choose_bank("Mock Bank"))
    window.page.get_by_role("link", name="Allow").click()
    walk.choose_accounts()
    walk.end(served, [[f"r{number}", number + 0.5] for number in (5, 4, 3, 2, 1)])


def test_with_a_mouse_to_a_bank_of_enable_banking(served, key_file):
    served.shell(COUNTRY.format("be"))
    with a_tour_of(served) as tour:
        through_enable_banking(Walk(tour, "mouse"), served, key_file)


@pytest.mark.thorough
def test_in_french_to_a_bank_of_enable_banking(served, key_file):
    served.shell(COUNTRY.format("be") + FRENCH)
    with a_tour_of(served) as tour:
        through_enable_banking(Walk(tour, "french", say=french), served, key_file)


def test_with_the_keyboard_to_an_account_at_qonto(served):
    served.shell(COUNTRY.format("fr"))
    with a_tour_of(served) as tour:
        walk = Walk(tour, "keyboard", by_keyboard=True)
        walk.to_the_provider("Qonto")
        walk.switch_on()
        window = bank_window(walk, served, lambda: walk.choose_bank("Qonto"))
        window.page.get_by_label("Login").fill(LOGIN)
        window.page.get_by_label("Secret key").fill(SECRET_KEY)
        window.page.keyboard.press("Enter")
        walk.choose_accounts()
        walk.end(served, [["q3", 3.0], ["q2", 2.0], ["q1", 1.0]])


def test_on_a_phone_to_a_bank_of_simplefin(served):
    served.shell(COUNTRY.format("us"))
    with a_tour_of(served, size=PHONE) as tour:
        walk = Walk(tour, "phone")
        walk.to_the_provider("SimpleFIN")
        walk.switch_on()
        window = bank_window(walk, served, lambda: walk.choose_bank("SimpleFIN Bridge"))
        window.page.get_by_label("Setup token").fill(served.bridge.token)
        window.page.keyboard.press("Enter")
        walk.choose_accounts()
        walk.end(served, [["T1", -12.3]])


def test_with_a_certificate_to_an_account_at_revolut_business(served):
    """The certificate is copied to Revolut, and the address with the code back from there."""
    served.shell(COUNTRY.format("fr"))
    with a_tour_of(served) as tour:
        walk = Walk(tour, "certificate")
        walk.to_the_provider("Revolut Business")
        walk.switch_on()
        window = bank_window(walk, served, lambda: walk.choose_bank("Revolut Business"))
        certificate = window.page.locator(".file pre")
        expect(certificate).to_have_text(re.compile("^-----BEGIN CERTIFICATE-----\n"))
        window.photograph("first_bank_certificate_to_copy")
        assert not window.page.evaluate(WIDER_THAN_THE_SCREEN)
        window.page.set_viewport_size(PHONE)
        window.photograph("first_bank_certificate_to_copy_phone")
        assert not window.page.evaluate(WIDER_THAN_THE_SCREEN), "a long line of the certificate moves the page"
        # Why each: what is too long is cut off at the edge of the page.
        cut = "paragraphs => paragraphs.filter(item => item.scrollWidth > item.clientWidth).length"
        assert window.page.locator("p.info").evaluate_all(cut) == 0, "an address is cut off"
        window.page.get_by_label("Client ID").fill(CLIENT_ID)
        window.page.keyboard.press("Enter")
        page = window.page.locator("a[href*='business.revolut.com/app-confirm']")
        expect(page).to_have_attribute("target", "_blank", timeout=PATIENCE)
        window.photograph("first_bank_certificate_code")
        assert not window.page.evaluate(WIDER_THAN_THE_SCREEN), "a long address moves the page"
        assert window.page.locator("p.info").evaluate_all(cut) == 0, "an address is cut off"
        window.page.get_by_label("Address that you were led to").fill(
            f"{served.url}/bank_sync/callback/revolut_business?code={CODE}"
        )
        window.page.keyboard.press("Enter")
        walk.choose_accounts()
        walk.end(served, [["v3", 3.0], ["v2", 2.0], ["v1", 1.0]])
