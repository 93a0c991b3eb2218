import re

from odoo.tests import HttpCase, TransactionCase

OWN_PATHS = ("/bank_sync/connect/", "/bank_sync/visit/")


class ProxyMixin:
    """Asks the proxy as an embedded database does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api_model = cls.env["bank.sync.api"]
        cls.client_record = cls.env["bank.sync.client"]._get_embedded()
        cls.other_client = cls.env["bank.sync.client"].create({"name": "Another", "database_uuid": "another"})
        cls.provider = cls.env["bank.sync.provider"].search([("code", "=", "sandbox")])

    def ask(self, operation, client=None, **payload):
        return self.api_model._dispatch(client or self.client_record, operation, payload)

    def start(self, institution="demo", **payload):
        payload = {"return_url": "/back/to?book=1", **payload}
        if institution:
            payload["institution_id"] = f"sandbox.{institution}"
        answer = self.ask("connections.start", **payload)
        self.assertNotIn("error", answer)
        return answer

    def visit_of(self, answer):
        return self.env["bank.sync.visit"]._find(answer["page_url"].rsplit("/", 1)[1])

    def connection(self, answer):
        return self.env["bank.sync.connection"].search([("identifier", "=", answer["connection_id"])])

    def answer_all(self, visit, user="demo", accounts=None):
        """Go through the Demo Bank's questions as a user does."""
        while visit.state == "open":
            challenge = visit._challenge()
            values = {"user": [user], "password": ["demo"], "code": ["123456"]}
            if challenge.kind == "consent":
                options = [option.value for option in challenge.fields[0].options]
                values = {"accounts": options if accounts is None else options[:accounts]}
            visit._answer(values)

    def connect(self, institution="demo", **values):
        """:return: id of a connection that a user has just made"""
        answer = self.start(institution)
        self.answer_all(self.visit_of(answer), **values)
        self.assertEqual(self.connection(answer).state, "connected")
        return answer["connection_id"]

    def assertFailure(self, answer, code, action):
        self.assertIn("error", answer)
        self.assertEqual((answer["error"]["code"], answer["error"]["action"]), (code, action))
        self.assertTrue(self.env["bank.sync.error"].search([("reference", "=", answer["error"]["reference"])]))


class ProxyCase(ProxyMixin, TransactionCase):
    pass


class PagesCase(ProxyMixin, HttpCase):
    """Walks the hosted pages over HTTP, without JavaScript."""

    def get(self, url, **options):
        return self.url_open(url, allow_redirects=False, **options)

    def enter(self, answer):
        """Show the ticket as a browser does.

        :return: the page that it leads to
        """
        page = self.get(answer["page_url"] if isinstance(answer, dict) else answer)
        for _hop in range(4):
            if page.status_code != 303 or not page.headers["Location"].startswith(OWN_PATHS):
                break
            page = self.get(page.headers["Location"])
        return page

    def another_browser(self):
        """Delete all cookies, to act as another user's browser."""
        self.opener.cookies.clear()

    def hidden(self, page):
        return {
            name: re.search(rf'name="{name}" value="([^"]*)"', page.text).group(1)
            for name in ("csrf_token", "step")
            if f'name="{name}"' in page.text
        }

    def post(self, page, follow=True, **values):
        """Submit a form of a page.

        :return: the page that it leads to, or, at the end, the redirection
        """
        url = page.url.partition("?")[0]
        answer = self.url_open(url, data={**self.hidden(page), **values}, allow_redirects=False)
        if follow and answer.status_code == 303 and "/bank_sync/visit/" in answer.headers["Location"]:
            return self.get(answer.headers["Location"])
        return answer
