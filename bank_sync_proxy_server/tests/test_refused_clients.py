from odoo.addons.bank_sync_proxy.tests import test_redirects
from odoo.addons.bank_sync_proxy.tests.common import PagesCase, ProxyCase
from odoo.tests import tagged


@tagged("post_install", "-at_install")
class TestRefusedRequests(ProxyCase):
    """A client that is blocked is answered nothing."""

    def test_a_blocked_client_gets_nothing(self):
        connection = self.connect()
        self.client_record.state = "blocked"
        self.assertFailure(self.ask("connections.get", connection_id=connection), "client_blocked", "reactivate")


@tagged("post_install", "-at_install")
class TestRefusedPages(PagesCase):
    """A client that is blocked gets no pages, and guessing on them blocks it."""

    def test_a_blocked_client_s_pages_say_why(self):
        answer = self.start()
        page = self.enter(answer)
        self.client_record.write({"state": "blocked", "blocked_by": "support", "reason": "Please call us."})
        for refused in (self.get(page.url), self.post(page, user="demo", password="demo"), self.enter(answer)):
            self.assertEqual(refused.status_code, 403)
            self.assertIn("has blocked this database", refused.text)
            self.assertIn("Please call us.", refused.text)
            self.assertIn("/back/to?", refused.text)
        self.client_record.write({"state": "active", "blocked_by": False})
        self.assertIn("Sign in", self.get(page.url).text)

    def test_guessing_at_a_bank_is_suspicious(self):
        self.client_record.is_embedded = False
        self.client_record.url = "https://books.example.com"
        self.env["ir.config_parameter"].set_param("bank_sync_proxy.suspicion_credentials", "2/60")
        for state in ("active", "blocked"):
            visits = self.env["bank.sync.visit"]
            connection = self.env["bank.sync.connection"].create(
                {
                    "client_id": self.client_record.id,
                    "institution_id": self.env["bank.sync.institution"]._find("sandbox.demo").id,
                }
            )
            answer = visits._open(connection, "connect", connection._begin("connect", None))
            page = self.enter(answer)
            for number in range(5):
                page = self.post(page, user="demo", password=f"guess {number}")
            self.assertIn("could not be connected", page.text)
            self.assertEqual(self.client_record.state, state)
        noted = self.env["bank.sync.suspicion"].search([("client_id", "=", self.client_record.id)])
        self.assertEqual(noted.mapped("kind"), ["credentials"] * 2)
        self.assertTrue(all(noted.mapped("address")))


@tagged("post_install", "-at_install")
class TestRefusedReturn(test_redirects.TestRedirects):
    """A client that is disconnected finishes no visit."""

    def test_a_blocked_client_s_way_back_says_why_and_changes_nothing(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        self.client_record.write({"state": "disconnected", "reason": "Unpaid."})
        page = self.get(callback)
        self.assertEqual(page.status_code, 403)
        self.assertIn("Unpaid.", page.text)
        self.assertNothingChanged(answer)
