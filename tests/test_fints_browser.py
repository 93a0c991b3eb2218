"""A German bank in a real browser: credentials, TAN method, TAN, accounts, first load, renewal with approval by app.

The bank is a scripted one that speaks FinTS over HTTP. Pages leave pictures, as in test_bank_pages.py.
"""

import datetime
import re

import pytest
from environment import pure
from playwright.sync_api import expect

from .test_bank_pages import browser, photograph  # noqa: F401 (a fixture)

pytest.importorskip("fints")
pure.pytest_configure(None)

from bank_sync_proxy.tests.pure.fints_server import PRODUCT, FinTSScript
from bank_sync_proxy.tests.pure.scripted import Case

GOT = "HIRMG:2+0010::Nachricht entgegengenommen."
NO_TAN = ("HIRMS:2:HKTAN+3076::Starke Authentifizierung nicht erforderlich.", "HITAN:7:HKTAN+4++noref+nochallenge")
PIN, TAN = "s3cret-pin", "424242"


class Bank(FinTSScript):
    """Answers whatever comes, instead of one question after the other: Odoo decides what it asks."""

    def __init__(self):
        super().__init__()
        self.server.answer = self.answer
        self.connected = Case("fints", "connect").exchanges
        #: How the next sign-in is confirmed: with a ``tan``, an ``approval``, or None.
        self.wants, self.approved = "tan", False
        self.dialogs = []

    def answer(self, question):
        segments = tuple(question["segments"])
        if question["pin"] != PIN:
            return {"says": ["HIRMG:2+9050::Fehler.+9800::Abgebrochen.", "HIRMS:2:HKIDN+9942::PIN ungültig."]}
        if segments[:1] == ("HKIDN",):
            return self.sign_in(question)
        if segments == ("HKTAN",):
            return self.confirm(question)
        return {"HKSPA": self.accounts, "HKSAL": self.balance, "HKKAZ": self.statement}[segments[0]](question)

    def sign_in(self, question):
        if "HKTAN" not in question["segments"]:
            says = self.connected[0]["says"]
            return {"says": says if "HKSYN" in question["segments"] else says[:-1]}
        methods = "HIRMS:2:HKVVB+0020::Ok.+3920::Verfahren:912:913:923"
        self.dialogs.append(self.wants)
        if self.wants == "tan":
            asks = ("HIRMS:2:HKTAN+0030::Freigabe erforderlich.", "HITAN:7:HKTAN+4++1+Die TAN wurde an ***789 gesendet.")
        elif self.wants == "approval":
            asks = ("HIRMS:2:HKTAN+3955::Freigabe in der App.", "HITAN:7:HKTAN+4++1+Bitte bestätigen Sie in Ihrer App.")
        else:
            asks = NO_TAN
        return {"says": [GOT, methods, *asks]}

    def confirm(self, question):
        if question["process"] == "S" and not self.approved:
            return {"says": [GOT, "HIRMS:2:HKTAN+3956::Noch nicht.", "HITAN:7:HKTAN+S++1"]}
        if question["process"] == "2" and question["tan"] != TAN:
            return {"says": ["HIRMG:2+9050::Fehler.", "HIRMS:2:HKTAN+9941::TAN ungültig."]}
        self.wants = None
        return {"says": [GOT, "HIRMS:2:HKTAN+0020::Ok.", f"HITAN:7:HKTAN+{question['process']}++1"]}

    def accounts(self, question):
        return {"says": self.connected[3]["says"]}

    def balance(self, question):
        iban, day = question["iban"], datetime.date.today()
        currency = "EUR" if iban == self.account else "USD"
        amount = f"{iban}:BYLADEM1001+Konto+{currency}+C:1200,:{currency}:{day:%Y%m%d}"
        return {"says": [GOT, "HIRMS:2:HKSAL+0020::Ok.", *NO_TAN, f"HISAL:7:HKSAL+{amount}"]}

    def statement(self, question):
        day = datetime.date.today() - datetime.timedelta(days=5)
        start, end = question["start"], question["end"]
        if question["iban"] != self.account or start > f"{day}" or (end and end < f"{day}"):
            return {"says": [GOT, "HIRMS:2:HKKAZ+3010::Keine Umsätze.", *NO_TAN]}
        booked = [
            *("", ":20:START", ":25:10020030/0000202051", ":28C:1/1", f":60F:C{day:%y%m%d}EUR1000,"),
            f":61:{day:%y%m%d%m%d}CR200,NTRFNONREF",
            ":86:166?00GUTSCHRIFT?20SVWZ+Rechnung 4711?31DE88100400000123456789?32Kunde und Soehne KG",
            *(f":62F:C{day:%y%m%d}EUR1200,", "-"),
        ]
        segment = "HIKAZ:7:HKKAZ+{booked}"
        return {"says": [GOT, "HIRMS:2:HKKAZ+0020::Ok.", *NO_TAN, segment], "binary": {"booked": booked}}


@pytest.fixture
def bank(served):
    bank = Bank()
    served.shell(f"""
provider = env.ref('bank_sync_proxy.bank_sync_provider_fints')
provider.active = True
provider.setting_ids = [(0, 0, {{'name': 'base_url', 'type': 'text', 'plain_value': {bank.server.base_url!r}}})]
provider.setting_ids.filtered(lambda setting: setting.name == 'product_id').value = {PRODUCT!r}
env['bank.sync.institution']._update_directory()
env['ir.config_parameter'].set_param('web.base.url', {served.url!r})
""")
    yield bank
    bank.server.close()
    assert not bank.server.complaints, bank.server.complaints


def visit(served, browser, action):  # noqa: F811
    """Go where a user's button leads, as this browser."""
    page = browser.page
    if not page.url.startswith(served.url):
        page.goto(f"{served.url}/web/login")
        page.fill("#login", "admin")
        page.fill("#password", "admin")
        page.press("#password", "Enter")
        page.wait_for_selector(".o_web_client")
    page.goto(served.url + served.shell(action).removeprefix(served.url))
    return page


CONNECT = """
user = env.ref('base.user_admin')
link = env['account.online.link'].with_user(user)
journal = env['account.journal'].search([('type', '=', 'bank')], limit=1)
institution = env['bank.sync.institution'].search([('identifier', '=', 'fints.fints.DE')])
PLACEHOLDER
"""
