import re
from unittest.mock import patch

from odoo.http import HTTPRequest
from odoo.tests import tagged

from ..controllers.pages import COOKIE, HOST_COOKIE
from ..providers.sandbox import Sandbox
from ..providers.types import Redirect
from .common import PagesCase


@tagged("post_install", "-at_install")
class TestReceiver(PagesCase):
    """Whoever gives a consent sees on every page which database gets the data."""

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

    def test_the_embedded_database_says_that_it_is_this_one(self):
        panel = self.panel(self.enter(self.open_for(self.client_record)))
        self.assertIn("goes to this database", panel)
        self.assertIn(self.env.cr.dbname, panel)
        self.assertNotIn("not confirmed", panel)

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

    def test_the_demo_bank_s_own_page_names_it_to_the_visitor_and_to_nobody_else(self):
        page = self.redirect()
        bank = self.get(f"{page.url}/bank").headers["Location"]
        self.assertIn("books.example.com", self.get(bank).text)
        self.another_browser()
        self.assertNotIn("books.example.com", self.get(bank).text)

    # -------------------------------------------------------------------------
    # WHOM TO LOOK AT TWICE
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

    def test_nobody_is_sent_to_a_bank_by_itself_for_a_doubtful_receiver(self):
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
class TestCookies(PagesCase):
    """The browser's key over https and over plain http, as `proxy_mode` tells them apart."""

    def over_https(self):
        self.startPatcher(patch.object(HTTPRequest, "scheme", "https", create=True))

    def given(self, answer):
        return self.get(answer["page_url"]).headers["Set-Cookie"]

    def test_over_https_no_other_host_can_set_the_key(self):
        self.over_https()
        given = self.given(self.start())
        self.assertRegex(given, rf"(^|, ){HOST_COOKIE}=[\w-]{{43}};")
        part = given[given.index(HOST_COOKIE) :].partition(", ")[0]
        for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            self.assertIn(word, part)
        self.assertNotIn("Domain", part)
        self.assertNotIn(f"; {COOKIE}=", given)

    def test_over_https_a_key_under_the_plain_name_is_not_believed(self):
        answer = self.start()
        page = self.enter(answer)
        self.assertEqual(page.status_code, 200)
        self.over_https()
        self.assertEqual(self.get(page.url).status_code, 403)

    def test_over_plain_http_to_one_s_own_machine_the_pages_work(self):
        given = self.given(self.start())
        self.assertIn(f"{COOKIE}=", given)
        self.assertNotIn("__Host-", given)
        self.assertNotIn("Secure", given)


@tagged("post_install", "-at_install")
class TestHeaders(PagesCase):
    """Every route of this addon is listed here, with what protects its answers."""

    #: By route: a page of ours, a page that caches may keep, or an answer for programs.
    ROUTES = {
        "/bank_sync/connect/<string:token>": "page",
        "/bank_sync/visit/<string:public_id>": "page",
        "/bank_sync/visit/<string:public_id>/bank": "page",
        "/bank_sync/callback/<string:provider>": "page",
        "/bank_sync/sandbox/bank": "page",
        "/bank_sync/institutions": "public page",
        "/bank_sync/webhook/<string:provider>": "program",
        "/bank_sync/<int:version>": "program",
        "/bank_sync/<int:version>/<path:operation>": "program",
    }

    def routes(self):
        http = self.env["ir.http"]
        return {url for url, _endpoint in http._generate_routing_rules(["bank_sync_proxy"], http._get_converters())}

    def addresses(self):
        """An address of each page that answers something else than an error of Odoo."""
        bank = "/bank_sync/sandbox/bank?institution=demo-redirect&state=x"
        public_id = self.visit_of(self.start("demo-redirect")).public_id
        return {
            "/bank_sync/connect/<string:token>": ["/bank_sync/connect/x", self.start()["page_url"]],
            "/bank_sync/visit/<string:public_id>": [f"/bank_sync/visit/{public_id}", "/bank_sync/visit/x"],
            "/bank_sync/visit/<string:public_id>/bank": [f"/bank_sync/visit/{public_id}/bank"],
            "/bank_sync/callback/<string:provider>": ["/bank_sync/callback/sandbox?state=x"],
            "/bank_sync/sandbox/bank": [bank],
            "/bank_sync/institutions": ["/bank_sync/institutions"],
        }

    def test_a_route_that_nobody_has_judged_fails_here(self):
        self.assertEqual(self.routes(), set(self.ROUTES))

    def test_no_page_can_be_framed_scripted_or_passed_on(self):
        for route, addresses in self.addresses().items():
            for address in addresses:
                with self.subTest(address):
                    headers = self.get(address).headers
                    policy = headers["Content-Security-Policy"]
                    for word in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action"):
                        self.assertIn(word, policy)
                    for word in ("script-src", "unsafe", "*"):
                        self.assertNotIn(word, policy)
                    self.assertEqual(headers["X-Frame-Options"], "DENY")
                    self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                    self.assertEqual(headers["Referrer-Policy"], "no-referrer")
                    if self.ROUTES[route] == "page":
                        self.assertEqual(headers["Cache-Control"], "no-store")
        pages = {route for route, kind in self.ROUTES.items() if kind != "program"}
        self.assertEqual(set(self.addresses()), pages)
