import re
from unittest.mock import patch

from odoo.addons.bank_sync_proxy.providers.sandbox import Sandbox
from odoo.addons.bank_sync_proxy.providers.types import Redirect
from odoo.addons.bank_sync_proxy.tests.common import PagesCase
from odoo.addons.bank_sync_proxy.tests.test_receiver import HeadersMixin
from odoo.tests import tagged


@tagged("post_install", "-at_install")
class TestReceiver(PagesCase):
    """A user who gives a consent sees on every page which database gets the data."""

    def setUp(self):
        super().setUp()
        self.remote = self.env["bank.sync.client"].create(
            {"name": "Contoso <b>Books</b>", "database_uuid": "remote", "url": "https://books.example.com:8443/odoo"}
        )

    def open_for(self, client, institution="demo", kind="connect"):
        """:return: answer that leads to the first page of a visit"""
        found = self.env["bank.sync.institution"]._find(f"sandbox.{institution}") if institution else None
        connection = self.env["bank.sync.connection"].create(
            {"client_id": client.id, "institution_id": found.id if found else False}
        )
        state = self.env["bank.sync.visit"]._new_token()
        first = connection._begin(kind, "en_US", state) if found else None
        url = "https://books.example.com:8443/odoo/back" if client == self.remote else "/back"
        return self.env["bank.sync.visit"]._open(connection, kind, first, state, return_url=url)

    def panel(self, page):
        """:return: text of what the page says of the receiver"""
        found = re.findall(r'<section[^>]*class="receiver.*?</section>', page.text, re.DOTALL)
        self.assertEqual(len(found), 1, page.text)
        return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())

    def make_known(self):
        self.remote.confirmed_url = self.remote.url
        self.env["bank.sync.connection"].create(
            {
                "client_id": self.remote.id,
                "institution_id": self.env["bank.sync.institution"]._find("sandbox.demo").id,
                "state": "connected",
            }
        )

    def test_every_page_of_a_visit_names_the_receiver(self):
        for step in (self.choose, self.sign_in, self.consent, self.cancel, self.redirect):
            with self.subTest(step.__name__):
                self.another_browser()
                panel = self.panel(step())
                self.assertIn("books.example.com:8443", panel)
                self.assertIn("Contoso &lt;b&gt;Books&lt;/b&gt;", panel)

    def choose(self):
        return self.enter(self.open_for(self.remote, None))

    def sign_in(self):
        return self.enter(self.open_for(self.remote))

    def consent(self):
        page = self.post(self.sign_in(), user="demo", password="demo")
        text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
        self.assertIn("With your consent, Contoso &lt;b&gt;Books&lt;/b&gt; at books.example.com:8443 can read", text)
        return page

    def cancel(self):
        answer = self.open_for(self.remote)
        self.post(self.enter(answer), action="cancel")
        return self.enter(answer)

    def redirect(self):
        return self.enter(self.open_for(self.remote, "demo-redirect"))

    def test_demo_bank_s_page_names_the_receiver_only_to_the_visitor(self):
        page = self.redirect()
        bank = self.get(f"{page.url}/bank").headers["Location"]
        self.assertIn("books.example.com", self.get(bank).text)
        self.another_browser()
        self.assertNotIn("books.example.com", self.get(bank).text)

    # -------------------------------------------------------------------------
    # DOUBTFUL RECEIVERS
    # -------------------------------------------------------------------------

    def test_a_first_receiver_at_an_address_that_is_not_confirmed_is_marked(self):
        panel = self.panel(self.sign_in())
        self.assertIn("not confirmed", panel)
        self.assertIn("never received bank data", panel)
        self.assertIn("If somebody sent you this page, close it", panel)

    def test_a_known_receiver_is_named_without_a_warning(self):
        self.make_known()
        panel = self.panel(self.sign_in())
        self.assertIn("This address is confirmed", panel)
        self.assertNotIn("close it", panel)

    def test_an_address_that_has_changed_is_not_confirmed_any_more(self):
        self.make_known()
        self.remote.url = "https://elsewhere.example.com"
        self.assertIn("not confirmed", self.panel(self.sign_in()))

    def test_doubtful_receiver_stops_the_automatic_redirect_to_the_bank(self):
        page = self.redirect()
        self.assertNotIn("http-equiv", page.text)
        self.assertIn("/bank", page.text)
        self.make_known()
        self.another_browser()
        self.assertIn("http-equiv", self.redirect().text)

    def test_an_address_in_the_form_of_the_page_is_none_of_the_receiver(self):
        with patch.object(Sandbox, "start", return_value=Redirect("https://bank.example/", {})):
            page = self.enter(self.open_for(self.remote, "demo-redirect"))
        self.assertNotIn("bank.example", self.panel(page))


@tagged("post_install", "-at_install")
class TestServerHeaders(HeadersMixin, PagesCase):
    """Every route of this addon is listed here."""

    allow_inherited_tests_method = True
    addon = "bank_sync_proxy_server"
    ROUTES = {
        "/bank_sync/institutions": "public page",
        "/bank_sync/health": "program",
        "/bank_sync/health/ready": "program",
        "/bank_sync/metrics": "program",
        "/bank_sync/<int:version>": "program",
        "/bank_sync/<int:version>/<path:operation>": "program",
    }

    def addresses(self):
        return {"/bank_sync/institutions": ["/bank_sync/institutions"]}
