"""A German bank in a real browser: credentials, TAN method, TAN, accounts, first load, renewal with approval by app.

The bank is a scripted one that speaks FinTS over HTTP. Pages leave pictures, as in test_bank_pages.py.
"""

import datetime
import io
import re

import pytest
import qrcode
from playwright.sync_api import expect

from environment import pure

from .test_bank_pages import browser, photograph  # noqa: F401 (a fixture)

pytest.importorskip("fints")
# The script of the bank is one of the tests without Odoo. Nothing else in this process imports Odoo.
pure.enter()

from bank_sync_proxy.tests.pure.fints_server import PRODUCT, FinTSScript  # noqa: E402
from bank_sync_proxy.tests.pure.scripted import Case  # noqa: E402

GOT = "HIRMG:2+0010::Nachricht entgegengenommen."
NO_TAN = ("HIRMS:2:HKTAN+3076::Starke Authentifizierung nicht erforderlich.", "HITAN:7:HKTAN+4++noref+nochallenge")
PIN, TAN = "s3cret-pin", "424242"


class Bank(FinTSScript):
    """Answers requests in any order: Odoo decides what it requests."""

    def __init__(self):
        super().__init__()
        self.server.answer = self.answer
        self.connected = Case("fints", "connect").exchanges
        #: How the next sign-in is confirmed: with a ``tan``, a ``picture``, an ``approval``, or None.
        self.wants, self.approved = "tan", False
        self.dialogs = []

    def check(self, request):
        """Wrong PINs and TANs are part of it."""

    def answer(self, request):
        segments = tuple(request["segments"])
        if request["pin"] != PIN:
            return {"says": ["HIRMG:2+9050::Fehler.+9800::Abgebrochen.", "HIRMS:2:HKIDN+9942::PIN ungültig."]}
        if segments[:1] == ("HKIDN",):
            return self.sign_in(request)
        if segments == ("HKTAN",):
            return self.confirm(request)
        return {"HKSPA": self.accounts, "HKSAL": self.balance, "HKKAZ": self.statement}[segments[0]](request)

    def sign_in(self, request):
        if "HKTAN" not in request["segments"]:
            says = self.connected[0]["says"]
            return {"says": says if "HKSYN" in request["segments"] else says[:-1]}
        methods = "HIRMS:2:HKVVB+0020::Ok.+3920::Verfahren:912:913:923"
        self.dialogs.append(self.wants)
        if self.wants == "tan":
            asks = (
                "HIRMS:2:HKTAN+0030::Freigabe erforderlich.",
                "HITAN:7:HKTAN+4++1+Die TAN wurde an ***789 gesendet.",
            )
        elif self.wants == "picture":
            asks = (
                "HIRMS:2:HKTAN+0030::Freigabe erforderlich.",
                "HITAN:7:HKTAN+4++1+Bitte scannen Sie das Bild.+{picture}",
            )
            return {"says": [GOT, methods, *asks], "binary": {"picture": self.picture()}}
        elif self.wants == "approval":
            asks = ("HIRMS:2:HKTAN+3955::Freigabe in der App.", "HITAN:7:HKTAN+4++1+Bitte bestätigen Sie in Ihrer App.")
        else:
            asks = NO_TAN
        return {"says": [GOT, methods, *asks]}

    def picture(self):
        """What a bank sends for photoTAN: type and content, with their lengths before them."""
        png = io.BytesIO()
        qrcode.make("photoTAN 4711").save(png)
        content = png.getvalue()
        return (b"\x00\x09image/png" + len(content).to_bytes(2, "big") + content).decode("iso-8859-1")

    def confirm(self, request):
        if request["process"] == "S" and not self.approved:
            return {"says": [GOT, "HIRMS:2:HKTAN+3956::Noch nicht.", "HITAN:7:HKTAN+S++1"]}
        if request["process"] == "2" and request["tan"] != TAN:
            return {"says": ["HIRMG:2+9050::Fehler.", "HIRMS:2:HKTAN+9941::TAN ungültig."]}
        self.wants = None
        return {"says": [GOT, "HIRMS:2:HKTAN+0020::Ok.", f"HITAN:7:HKTAN+{request['process']}++1"]}

    def accounts(self, request):
        return {"says": self.connected[3]["says"]}

    def balance(self, request):
        iban, day = request["iban"], datetime.date.today()
        currency = "EUR" if iban == self.account else "USD"
        amount = f"{iban}:BYLADEM1001+Konto+{currency}+C:1200,:{currency}:{day:%Y%m%d}"
        return {"says": [GOT, "HIRMS:2:HKSAL+0020::Ok.", *NO_TAN, f"HISAL:7:HKSAL+{amount}"]}

    def statement(self, request):
        day = datetime.date.today() - datetime.timedelta(days=5)
        start, end = request["start"], request["end"]
        if request["iban"] != self.account or start > f"{day}" or (end and end < f"{day}"):
            return {"says": [GOT, "HIRMS:2:HKKAZ+3010::Keine Umsätze.", *NO_TAN]}
        booked = [
            *("", ":20:START", ":25:10020030/0000202051", ":28C:1/1", f":60F:C{day:%y%m%d}EUR1000,"),
            f":61:{day:%y%m%d%m%d}CR200,NTRFNONREF",
            ":86:166?00GUTSCHRIFT?20SVWZ+Rechnung 4711?31DE88100400000123456789?32Kunde und Soehne KG",
            *(f":62F:C{day:%y%m%d}EUR1200,", "-"),
        ]
        segment = "HIKAZ:7:HKKAZ+{booked}"
        return {"says": [GOT, "HIRMS:2:HKKAZ+0020::Ok.", *NO_TAN, segment], "binary": {"booked": booked}}


@pytest.fixture(scope="module")
def bank(served):
    bank = Bank()
    served.shell(f"""
provider = env.ref('bank_sync_proxy.bank_sync_provider_fints')
provider.setting_ids = [(0, 0, {{'name': 'base_url', 'type': 'text', 'plain_value': {bank.server.base_url!r}}})]
provider.setting_ids.filtered(lambda setting: setting.name == 'product_id').value = {PRODUCT!r}
provider.active = True
env['bank.sync.institution']._update_directory()
env['ir.config_parameter'].set_param('web.base.url', {served.url!r})
""")
    yield bank
    bank.server.close()
    assert not bank.server.complaints, bank.server.complaints


@pytest.fixture
def page(served, browser):  # noqa: F811
    """A window of an accountant."""
    page = browser.page
    page.goto(f"{served.url}/web/login")
    page.fill("#login", "admin")
    page.fill("#password", "admin")
    page.press("#password", "Enter")
    page.wait_for_selector(".o_web_client")
    return page


def go_to_the_bank(page, served, kind):
    """Open the hosted page that a button of Odoo leads to, whatever kind of window that button opens."""
    action = served.shell(f"""
import json
env = env(user=env.ref('base.user_admin'))
link = env['account.online.link'].search([('provider_label', '=', 'FinTS (German banks)')], limit=1)
journal = env['account.journal'].search([('type', '=', 'bank')], limit=1)
authorization = env['account.online.authorization']
result = json.dumps(authorization._open({kind!r}, {kind != "connect"} and link or None, journal), default=str)
""")
    page.goto(served.url + re.search(r"/bank_sync/connect/[\w-]+", action)[0])


def come_back(page):
    page.wait_for_url(re.compile(r"/odoo/|/account_online_synchronization/"))


def sign_in(page, pin):
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name="Sign in").click()


def confirm(page, tan):
    page.get_by_label("TAN").fill(tan)
    page.get_by_role("button", name="Confirm").click()


def choose_method(page, name):
    expect(page.get_by_role("heading", name="How do you approve?")).to_be_visible()
    page.get_by_text(name, exact=True).click()
    page.get_by_role("button", name="Continue").click()


def lines(served):
    return served.sql("SELECT amount, payment_ref FROM account_bank_statement_line ORDER BY id")


def test_from_the_first_pin_to_a_renewal_in_the_app(page, served, bank):
    go_to_the_bank(page, served, "connect")
    page.get_by_label("Search your bank").fill("FinTS")
    page.get_by_label("Country").select_option("")
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator("button[name=institution]").filter(has_text="FinTS (German banks)").click()
    expect(page.get_by_role("heading", name="Sign in at your bank")).to_be_visible()
    photograph(page, "fints_sign_in")

    page.get_by_label("Bank code").fill("10020030")
    page.get_by_label("FinTS address").fill(f"{bank.server.base_url}/bank")
    page.get_by_label("User name").fill("beispiel1")
    sign_in(page, "wrong-pin")
    expect(page.get_by_role("alert")).to_contain_text("after three wrong PINs")
    expect(page.get_by_label("User name")).to_have_value("beispiel1")
    photograph(page, "fints_wrong_pin")
    sign_in(page, PIN)

    expect(page.get_by_text("photoTAN", exact=True)).to_be_visible()
    photograph(page, "fints_method")
    choose_method(page, "smsTAN")
    expect(page.get_by_text("Die TAN wurde an ***789 gesendet.")).to_be_visible()
    photograph(page, "fints_tan")
    confirm(page, "111111")
    expect(page.get_by_role("alert")).to_contain_text("use the newest TAN")
    photograph(page, "fints_wrong_tan")
    confirm(page, TAN)
    come_back(page)

    assert served.shell("""
env = env(user=env.ref('base.user_admin'))
link = env['account.online.link'].search([('provider_label', '=', 'FinTS (German banks)')])
journal = env['account.journal'].search([('type', '=', 'bank')], limit=1)
wizard = env['account.online.account.selection'].browse(link._open_account_selection(journal, refresh=True)['res_id'])
wizard.action_confirm()
result = sorted(link.account_online_account_ids.mapped('name'))
""") == ["Beispielbank Dollarkonto", "Beispielbank Girokonto"]
    served.fetch_planned()
    assert ["200.00", "Rechnung 4711"] in [[f"{float(amount):.2f}", text[:13]] for amount, text in lines(served)]
    before = lines(served)

    bank.wants, bank.approved = "approval", False
    go_to_the_bank(page, served, "consent")
    expect(page.get_by_role("heading", name="Sign in at your bank again")).to_be_visible()
    photograph(page, "fints_again")
    sign_in(page, PIN)
    choose_method(page, "pushTAN")
    expect(page.get_by_role("heading", name="Approve in your banking app")).to_be_visible()
    photograph(page, "fints_approval")
    bank.approved = True
    # Without a click: the page checks automatically.
    come_back(page)

    served.run_scheduled_action()
    assert lines(served) == before
    assert served.sql("SELECT count(*) FROM account_online_link WHERE state = 'connected'") == [["1"]]
    assert served.sql("SELECT count(*) FROM account_online_account") == [["2"]]


def test_a_picture_to_scan_is_shown(page, served, bank):
    go_to_the_bank(page, served, "connect")
    bank.wants = "picture"
    page.get_by_label("Search your bank").fill("FinTS")
    page.get_by_label("Country").select_option("")
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator("button[name=institution]").filter(has_text="FinTS (German banks)").click()
    page.get_by_label("Bank code").fill("10020030")
    page.get_by_label("FinTS address").fill(f"{bank.server.base_url}/bank")
    page.get_by_label("User name").fill("beispiel1")
    sign_in(page, PIN)
    choose_method(page, "smsTAN")
    picture = page.get_by_role("img", name="Picture to scan with your device")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100, "the browser has read the picture"
    photograph(page, "fints_picture")
