import re
from unittest.mock import patch

from odoo.http import HTTPRequest
from odoo.tests import tagged

from ..controllers.pages import COOKIE, HOST_COOKIE
from .common import PagesCase


@tagged("post_install", "-at_install")
class TestReceiver(PagesCase):
    """A user who gives a consent sees on every page which database gets the data."""

    def panel(self, page):
        """:return: text of what the page says of the receiver"""
        found = re.findall(r'<section[^>]*class="receiver.*?</section>', page.text, re.DOTALL)
        self.assertEqual(len(found), 1, page.text)
        return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())

    def test_the_embedded_database_says_that_it_is_this_one(self):
        panel = self.panel(self.enter(self.start()))
        self.assertIn("goes to this database", panel)
        self.assertIn(self.env.cr.dbname, panel)
        self.assertNotIn("not confirmed", panel)


@tagged("post_install", "-at_install")
class TestCookies(PagesCase):
    """The browser's key over https and over plain http, as `proxy_mode` distinguishes them."""

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


class HeadersMixin:
    """Every route of an addon is listed, with what protects its answers."""

    addon = None

    #: By route: one of our pages, a page that caches may keep, or an answer for programs.
    ROUTES = {}

    def routes(self):
        http = self.env["ir.http"]
        return {url for url, _endpoint in http._generate_routing_rules([self.addon], http._get_converters())}

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


@tagged("post_install", "-at_install")
class TestHeaders(HeadersMixin, PagesCase):
    """Every route of this addon is listed here."""

    allow_inherited_tests_method = True
    addon = "bank_sync_proxy"
    ROUTES = {
        "/bank_sync/connect/<string:token>": "page",
        "/bank_sync/visit/<string:public_id>": "page",
        "/bank_sync/visit/<string:public_id>/bank": "page",
        "/bank_sync/callback/<string:provider>": "page",
        "/bank_sync/sandbox/bank": "page",
        "/bank_sync/webhook/<string:provider>": "program",
    }

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
        }
