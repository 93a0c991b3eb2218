import re
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..providers.errors import TransientError
from ..providers.sandbox import Sandbox
from .common import PagesCase


@tagged("post_install", "-at_install")
class TestPages(PagesCase):
    """The hosted pages as a browser without JavaScript sees them."""

    def consent_values(self, page, count=None):
        return {"accounts": re.findall(r'name="accounts" value="([^"]+)"', page.text)[:count]}

    def test_from_the_choice_of_the_bank_to_the_way_back(self):
        answer = self.start(institution=None, return_url="/back?book=1")
        url = answer["page_url"]
        page = self.enter(url)
        self.assertIn("Demo World Bank", page.text)
        page = self.post(page, institution="sandbox.demo-code")
        self.assertIn("Demo Code Bank", page.text)
        page = self.post(page, user="demo", password="demo")
        self.assertIn('autocomplete="one-time-code"', page.text)
        page = self.post(page, code="123 456")
        self.assertEqual(page.text.count('checked="checked"'), 2)
        end = self.post(page, **self.consent_values(page, 1))
        self.assertEqual(end.status_code, 303)
        self.assertURLEqual(end.headers["Location"], f"/back?book=1&connection_id={answer['connection_id']}")
        accounts = self.ask("accounts.list", connection_id=answer["connection_id"])["accounts"]
        self.assertEqual(len(accounts), 1)

    def test_every_page_of_the_demo_bank_says_so(self):
        answer = self.start("demo-code")
        url = answer["page_url"]
        page = self.enter(url)
        for values in ({"user": "demo", "password": "demo"}, {"code": "123456"}, None):
            self.assertIn("Demonstration bank.", page.text)
            if values:
                page = self.post(page, **values)

    def test_a_wrong_password_loses_nothing_and_is_explained(self):
        url = self.start()["page_url"]
        page = self.post(self.enter(url), user="demo2", password="wrong")
        self.assertIn('role="alert"', page.text)
        self.assertIn("User name and password do not match", page.text)
        self.assertIn('value="demo2"', page.text)
        self.assertNotIn("wrong", page.text)
        page = self.post(page, user="demo2", password="demo")
        self.assertIn("Choose accounts", page.text)

    def test_guessing_ends_the_visit(self):
        answer = self.start("demo-code")
        url = answer["page_url"]
        page = self.post(self.enter(url), user="demo", password="demo")
        for number in range(5):
            page = self.post(page, code=f"00000{number}")
        self.assertIn("could not be connected", page.text)
        self.assertIn("did not accept the credentials", page.text)
        self.assertRegex(page.text, r"E-[2-9A-Z]{4}-[2-9A-Z]{4}")
        self.assertIn("cancelled=1", page.text)
        self.assertEqual(self.connection(answer).state, "pending")

    def test_cancel_goes_back_and_says_so(self):
        answer = self.start()
        end = self.post(self.enter(answer), action="cancel")
        self.assertEqual(end.status_code, 303)
        self.assertIn("cancelled=1", end.headers["Location"])
        self.assertTrue(end.headers["Location"].startswith("/back/to?"))
        self.assertEqual(self.enter(answer).status_code, 410)

    def test_an_address_serves_one_visit(self):
        answer = self.start()
        url = answer["page_url"]
        first = self.enter(url)
        page = self.post(first, user="demo", password="demo")
        self.assertEqual(self.post(page, **self.consent_values(page)).status_code, 303)
        again = self.enter(url)
        self.assertEqual(again.status_code, 410)
        self.assertIn("done already", again.text)
        self.assertEqual(self.post(page, **self.consent_values(page)).status_code, 410)

    def test_an_address_that_never_was(self):
        page = self.get("/bank_sync/connect/never")
        self.assertEqual(page.status_code, 404)
        self.assertIn("does not exist", page.text)

    def test_an_address_expires(self):
        answer = self.start()
        self.visit_of(answer).expires_at = fields.Datetime.now() - timedelta(seconds=1)
        page = self.enter(answer)
        self.assertEqual(page.status_code, 410)
        self.assertIn("has expired", page.text)

    def test_a_new_visit_ends_the_older_one(self):
        connection = self.connect()
        first = self.ask("connections.renew", connection_id=connection, return_url="/x")
        second = self.ask("connections.renew", connection_id=connection, return_url="/x")
        self.assertEqual(self.enter(first).status_code, 410)
        self.assertEqual(self.enter(second).status_code, 200)

    def test_going_back_and_posting_an_old_page_changes_nothing(self):
        answer = self.start("demo-code")
        url = answer["page_url"]
        login = self.enter(url)
        code = self.post(login, user="demo", password="demo")
        self.assertIn("Confirm with a code", code.text)
        again = self.post(login, user="demo2", password="wrong")
        self.assertIn("Confirm with a code", again.text)
        self.assertNotIn('role="alert"', again.text)
        page = self.post(code, code="123456")
        self.assertIn("Choose accounts", page.text)

    def test_another_bank_can_be_chosen_until_the_end(self):
        answer = self.start(institution=None)
        url = answer["page_url"]
        page = self.post(self.enter(url), institution="sandbox.demo")
        self.assertIn("Choose another bank", page.text)
        page = self.post(page, action="back")
        self.assertIn("Search your bank", page.text)
        page = self.post(page, institution="sandbox.demo-beta")
        self.assertIn("Demo Beta Bank", page.text)

    def test_a_bank_that_was_asked_for_stays(self):
        url = self.start("demo")["page_url"]
        page = self.enter(url)
        self.assertNotIn("Choose another bank", page.text)
        page = self.post(page, institution="sandbox.demo-beta")
        self.assertNotIn("Demo Beta Bank", page.text)

    def test_the_search_finds_filters_and_explains_an_empty_list(self):
        page = self.enter(self.start(institution=None, country="DE"))
        self.assertNotIn("Demo World Bank", page.text)
        url = page.url
        self.assertIn("Demo World Bank", self.get(f"{url}?q=world&country=").text)
        self.assertIn("No bank found", self.get(f"{url}?q=nothing&country=").text)
        beta = self.get(f"{url}?q=beta&country=")
        self.assertIn("it may be interrupted", beta.text)

    def test_what_the_user_types_is_shown_as_text(self):
        url = self.enter(self.start(institution=None)).url
        page = self.get(f"{url}?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&country=%22%3E%3Cb%3E&cursor=rubbish")
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("<script", page.text)
        login = self.start()["page_url"]
        page = self.post(self.enter(login), user='"><script>alert(1)</script>', password="x")
        self.assertNotIn("<script", page.text)

    def test_the_pages_cannot_be_framed_cached_or_scripted(self):
        url = self.start()["page_url"]
        page = self.enter(url)
        for page in (self.get(url), page, self.get("/bank_sync/connect/none"), self.post(page, follow=False)):
            policy = page.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("script-src", policy)
            self.assertEqual(page.headers["X-Frame-Options"], "DENY")
            self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(page.headers["Cache-Control"], "no-store")

    def test_a_form_without_the_session_s_token_is_refused(self):
        answer = self.start()
        page = self.enter(answer)
        with self.assertLogs("odoo.http", "WARNING"):
            refused = self.url_open(page.url, data={**self.hidden(page), "csrf_token": "x", "user": "demo"})
        self.assertEqual(refused.status_code, 400)
        self.assertEqual(self.visit_of(answer).step, 1)

    def test_a_bank_that_does_not_answer_can_be_tried_again(self):
        answer = self.start()
        url = answer["page_url"]
        page = self.enter(url)
        with patch.object(Sandbox, "answer", side_effect=TransientError("institution_unavailable")):
            page = self.post(page, user="demo", password="demo")
        self.assertIn("The bank does not answer", page.text)
        self.assertIn("Sign in", page.text)
        page = self.post(page, user="demo", password="demo")
        self.assertIn("Choose accounts", page.text)
        self.assertNotIn("The bank does not answer", page.text)

    def test_no_account_is_no_consent(self):
        url = self.start()["page_url"]
        page = self.post(self.enter(url), user="demo", password="demo")
        page = self.post(page)
        self.assertIn("Tick at least one account", page.text)
        self.assertFalse(self.env["bank.sync.visit"]._find(url.rsplit("/", 1)[1]).attempts)

    def test_accounts_that_were_not_offered_are_ignored(self):
        answer = self.start()
        url = answer["page_url"]
        page = self.post(self.enter(url), user="demo", password="demo")
        values = self.consent_values(page, 1)
        self.post(page, accounts=[*values["accounts"], "of-somebody-else"])
        accounts = self.ask("accounts.list", connection_id=answer["connection_id"])["accounts"]
        self.assertEqual([account["id"] for account in accounts], values["accounts"])

    def test_a_renewal_keeps_the_user_and_ticks_what_was_chosen(self):
        connection = self.connect(accounts=1)
        answer = self.ask("connections.renew", connection_id=connection, return_url="/x")
        url = answer["page_url"]
        page = self.post(self.enter(url), user="demo2", password="demo")
        self.assertIn("another user name", page.text)
        page = self.post(page, user="demo", password="demo")
        self.assertEqual(page.text.count('checked="checked"'), 1)

    def test_a_page_without_a_way_back_says_that_it_is_done(self):
        connection = self.connect("demo-code")
        answer = self.ask("connections.refresh", connection_id=connection, user_present=True)
        page = self.post(self.enter(answer), code="123456")
        self.assertEqual(page.status_code, 200)
        self.assertIn("You can close this page", page.text)

    def test_secrets_of_another_key_end_the_visit_with_a_sentence(self):
        answer = self.start()
        visit = self.visit_of(answer)
        visit.secret_data = "gAAAAA-not-ours"
        page = self.enter(answer)
        self.assertIn("can&#39;t be read", page.text)
        self.assertEqual(visit.state, "failed")

    def test_the_pages_speak_the_user_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        answer = self.start(language="fr_FR")
        self.assertIn('lang="fr-FR"', self.enter(answer).text)
        self.assertIn('lang="en-US"', self.enter(self.start(language="xx_XX")).text)
