import re
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from ..providers.errors import ConsentError, RateLimited, TransientError
from ..providers.sandbox import Sandbox
from ..providers.sandbox_challenges import APPROVAL
from ..providers.types import Challenge, Field, Form, Option
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

    def test_a_failure_after_a_wrong_password_is_not_shown_beside_the_password_s_error(self):
        page = self.post(self.enter(self.start()), user="demo", password="wrong")
        with patch.object(Sandbox, "answer", side_effect=TransientError("institution_unavailable")):
            page = self.post(page, user="demo", password="demo")
        self.assertEqual(page.text.count('role="alert"'), 1)
        self.assertNotIn("do not match", page.text)

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

    def test_a_failure_while_connecting_speaks_of_no_connection_that_there_is_not_yet(self):
        for error in (
            ConsentError("consent_expired"),
            ConsentError("consent_revoked"),
            RateLimited(),
            TransientError("institution_unavailable"),
        ):
            with self.subTest(error.code), patch.object(Sandbox, "answer", side_effect=error):
                page = self.post(self.enter(self.start()), user="demo", password="demo")
                self.assertIn("not connected", page.text)
                for word in ("Renew", "fetched", "missed", "Synchronize"):
                    self.assertNotIn(word, page.text)

    def test_a_failed_renewal_is_not_called_a_failed_connection(self):
        connection = self.connect()
        answer = self.ask("connections.renew", connection_id=connection, reason="consent", return_url="/back")
        page = self.enter(answer)
        with patch.object(Sandbox, "answer", side_effect=ConsentError("credentials_rejected")):
            page = self.post(page, user="demo", password="demo")
        self.assertIn("The consent was not renewed", page.text)
        self.assertIn("Update Credentials", page.text)

    def test_a_consent_that_is_confirmed_with_us_asks_for_no_login(self):
        connection = self.connect("demo-reconfirm")
        record = self.env["bank.sync.connection"].search([("identifier", "=", connection)])
        record.consent_expires_at = fields.Datetime.now() + timedelta(days=1)
        accounts = self.ask("accounts.list", connection_id=connection)["accounts"]
        answer = self.ask("connections.renew", connection_id=connection, reason="consent", return_url="/back")
        page = self.enter(answer)
        self.assertIn("Confirm your consent", page.text)
        self.assertIn(self.client_record._describe_receiver()["name"], page.text)
        self.assertNotIn('type="password"', page.text)
        self.assertNotIn(accounts[0]["number"], page.text)
        end = self.post(page)
        self.assertTrue(end.headers["Location"].startswith("/back"))
        self.env.invalidate_all()
        self.assertGreater(record.consent_expires_at, fields.Datetime.now() + timedelta(days=80))
        after = self.ask("accounts.list", connection_id=connection)["accounts"]
        self.assertEqual([account["id"] for account in after], [account["id"] for account in accounts])

    def test_addresses_in_what_a_bank_says_are_links_and_nothing_else_is(self):
        said = Challenge(title="T", message="Open https://example.org/pay, <b>now</b>.")
        with patch.object(Sandbox, "answer", return_value=said):
            page = self.post(self.enter(self.start()), user="demo", password="demo")
        self.assertIn('<a href="https://example.org/pay" target="_blank" rel="noopener noreferrer">', page.text)
        self.assertIn("&lt;b&gt;now", page.text)

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
        self.assertIn("Already done", again.text)
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
        first = self.enter(url)
        for page in (first, self.get(url), self.get("/bank_sync/connect/none"), self.post(first, follow=False)):
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
        with self.assertLogs("odoo.addons.bank_sync_proxy.controllers.connect", "WARNING"):
            refused = self.url_open(page.url, data={**self.hidden(page), "csrf_token": "x", "user": "demo"})
        self.assertEqual(refused.status_code, 400)
        self.assertEqual(self.visit_of(answer).step, 1)

    def test_a_form_of_another_browser_or_visit_is_refused(self):
        first = self.hidden(self.enter(self.start()))
        self.another_browser()
        page = self.enter(self.start())
        self.assertNotEqual(self.hidden(page)["csrf_token"], first["csrf_token"])
        with self.assertLogs("odoo.addons.bank_sync_proxy.controllers.connect", "WARNING"):
            refused = self.url_open(page.url, data={**first, "user": "demo"})
        self.assertEqual(refused.status_code, 400)

    def test_pages_keep_nothing_in_a_session_which_is_a_file_on_one_machine(self):
        page = self.enter(self.start())
        for cookie in [cookie for cookie in self.opener.cookies if cookie.name == "session_id"]:
            self.opener.cookies.clear(cookie.domain, cookie.path, cookie.name)
        page = self.post(page, user="demo", password="demo")
        self.assertIn("Choose accounts", page.text)
        self.assertNotIn("session_id", page.cookies)

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

    def test_consent_without_an_account_is_refused(self):
        url = self.start()["page_url"]
        page = self.post(self.enter(url), user="demo", password="demo")
        page = self.post(page)
        self.assertIn("Select at least one account", page.text)
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

    # -------------------------------------------------------------------------
    # THE TICKET
    # -------------------------------------------------------------------------

    def test_a_ticket_leads_to_an_address_without_a_secret(self):
        answer = self.start()
        page = self.enter(answer)
        self.assertEqual(page.status_code, 200)
        token = answer["page_url"].rsplit("/", 1)[1]
        self.assertNotIn(token, page.url)
        self.assertNotIn(token, page.text)
        self.assertURLEqual(page.url, f"/bank_sync/visit/{self.visit_of(answer).public_id}")

    def test_a_ticket_may_be_used_again_in_the_same_browser(self):
        answer = self.start()
        self.post(self.enter(answer), user="demo", password="demo")
        self.assertIn("Choose accounts", self.enter(answer).text)

    def test_a_ticket_may_say_where_the_choice_begins(self):
        answer = self.start(institution=None, country="DE")
        self.assertNotIn("Demo World Bank", self.enter(answer).text)
        self.another_browser()
        answer = self.start(institution=None, country="DE")
        page = self.enter(f"{answer['page_url']}?q=world&country=")
        self.assertIn("Demo World Bank", page.text)
        self.assertNotIn("Demo Code Bank", page.text)

    def test_a_ticket_lets_no_second_browser_in(self):
        answer = self.start("demo-code")
        mine = self.enter(answer)
        self.another_browser()
        page = self.enter(answer)
        self.assertEqual(page.status_code, 410)
        self.assertIn("has been used already", page.text)
        for foreign in (page, self.get(mine.url), self.url_open(mine.url, data={"action": "cancel"})):
            self.assertNotIn("Demo Code Bank", foreign.text)
            self.assertNotIn("/back/to", foreign.text)
        self.assertEqual(self.visit_of(answer).state, "open")

    def test_the_address_of_a_visit_is_of_no_use_before_its_ticket_and_elsewhere(self):
        answer = self.start()
        visit = self.visit_of(answer)
        for _browser in range(2):
            page = self.get(f"/bank_sync/visit/{visit.public_id}")
            self.assertEqual(page.status_code, 403)
            self.assertIn("another browser", page.text)
            self.enter(answer)
            self.another_browser()
        self.enter(self.start("demo-beta"))
        self.assertEqual(self.get(f"/bank_sync/visit/{visit.public_id}").status_code, 403)

    def test_what_looks_at_a_ticket_before_the_user_does_not_burn_it(self):
        answer = self.start()
        self.url_open(answer["page_url"], method="HEAD")
        for headers in (
            {"Sec-Purpose": "prefetch;prerender"},
            {"Purpose": "prefetch"},
            {"X-Moz": "prefetch"},
            {"X-Purpose": "preview"},
            {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        ):
            page = self.get(answer["page_url"], headers=headers)
            self.assertEqual(page.status_code, 200)
            self.assertIn("Open this address in your browser", page.text)
        self.assertFalse(self.visit_of(answer).browser_digest)
        self.assertIn("Sign in", self.enter(answer).text)

    def test_a_program_without_cookies_burns_no_ticket_even_when_it_follows_redirects(self):
        answer = self.start()
        first = self.get(answer["page_url"])
        self.another_browser()
        page = self.get(first.headers["Location"])
        self.assertEqual(page.status_code, 403)
        self.assertIn("does not accept cookies", page.text)
        self.assertFalse(self.visit_of(answer).browser_digest)
        self.assertIn("Sign in", self.enter(answer).text)

    def test_the_browser_s_key_is_kept_as_a_digest_and_safe_from_scripts(self):
        answer = self.start()
        given = self.get(answer["page_url"]).headers["Set-Cookie"]
        self.assertRegex(given, r"bank_sync_browser=[\w-]{43};.*HttpOnly;.*SameSite=Lax")
        self.assertNotIn("Secure", given)
        self.enter(answer)
        key = re.search(r"bank_sync_browser=([\w-]+)", given).group(1)
        self.assertNotIn(key, f"{self.visit_of(answer).read()}")

    def test_cookie_that_is_not_a_key_is_replaced(self):
        answer = self.start()
        for rubbish in ("short", "x" * 5000, "a.b"):
            self.another_browser()
            self.opener.cookies.set("bank_sync_browser", rubbish)
            self.assertIn("bank_sync_browser=", self.get(answer["page_url"]).headers["Set-Cookie"])
        self.assertFalse(self.visit_of(answer).browser_digest)

    def test_an_unfinished_connection_is_resumed_with_a_new_ticket(self):
        answer = self.start(institution=None)
        page = self.post(self.enter(answer), institution="sandbox.demo")
        self.assertIn("Sign in", page.text)
        resumed = self.ask("connections.renew", connection_id=answer["connection_id"], return_url="/x")
        self.assertEqual(self.enter(answer).status_code, 410)
        self.another_browser()
        page = self.enter(resumed)
        self.assertIn("Choose another bank", page.text)
        page = self.post(page, user="demo", password="demo")
        self.assertEqual(self.post(page, **self.consent_values(page)).status_code, 303)
        self.assertEqual(self.connection(answer).state, "connected")

    # -------------------------------------------------------------------------
    # QUESTIONS OF ALL KINDS
    # -------------------------------------------------------------------------

    def test_an_approval_is_waited_for_without_scripts_and_counts_no_attempts(self):
        answer = self.start("demo-app")
        with freeze_time("2026-05-04 08:00:00"):
            self.visit_of(answer).expires_at = "2026-05-04 08:30:00"
            page = self.post(self.enter(answer), user="demo", password="demo")
            self.assertIn('http-equiv="refresh" content="3"', page.text)
            self.assertNotIn("<script", page.text)
            step = self.visit_of(answer).step
            with patch.object(Sandbox, "answer", autospec=True, side_effect=Sandbox.answer) as asked:
                for _look in range(3):
                    self.assertIn("Approve in your app", self.get(page.url).text)
                    self.assertIn("Approve in your app", self.post(page, action="approved").text)
                self.assertLessEqual(asked.call_count, 1)
        with freeze_time("2026-05-04 08:00:05"):
            self.assertIn("Approve in your app", self.get(page.url).text)
            self.assertEqual((self.visit_of(answer).step, self.visit_of(answer).attempts), (step, 0))
        with freeze_time("2026-05-04 08:00:10"):
            page = self.get(page.url)
            self.assertIn("Choose accounts", page.text)
            self.assertNotIn("http-equiv", page.text)
            self.assertEqual(self.post(page, **self.consent_values(page)).status_code, 303)

    def test_an_approval_on_a_provider_s_page_is_opened_by_a_form_and_without_scripts(self):
        form = Form("https://provider.example/open", {"accessToken": 'Bearer "quoted"', "extraParams": "flow=add&id=1"})
        page = self.enter(self.start("demo-app"))
        with patch.object(Sandbox, "answer", return_value=replace(APPROVAL, form=form)):
            page = self.post(page, user="demo", password="demo")
        opener = re.search(r'<form[^>]*action="https://provider.example/open".*?</form>', page.text, re.DOTALL).group()
        self.assertIn('target="_blank"', opener)
        self.assertIn('rel="noopener"', opener)
        self.assertIn('name="extraParams" value="flow=add&amp;id=1"', opener)
        self.assertRegex(opener, r'name="accessToken" value="Bearer (&#34;|&quot;)quoted(&#34;|&quot;)"')
        self.assertNotIn("csrf_token", opener)
        self.assertNotIn("<script", page.text)
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("form-action 'self' https://provider.example;", policy)
        self.assertIn("default-src 'none'", policy)

    def test_missing_approval_is_shown_and_can_be_requested_again(self):
        answer = self.start("demo-app")
        with freeze_time("2026-05-04 08:00:00"):
            self.visit_of(answer).expires_at = "2026-05-04 08:30:00"
            page = self.post(self.enter(answer), user="slow", password="demo")
        with freeze_time("2026-05-04 08:01:00"):
            page = self.get(page.url)
            self.assertIn("withdrew the request", page.text)
            page = self.post(page)
            self.assertIn("Approve in your app", page.text)
            end = self.post(page, action="cancel")
            self.assertIn("cancelled=1", end.headers["Location"])

    def test_a_choice_offers_one_of_several(self):
        answer = self.start()
        choice = Challenge(
            title="How?",
            kind="choice",
            fields=(
                Field(
                    "method",
                    "Send the code",
                    type="choice",
                    options=(Option("sms", "By text message", "•••• 56"), Option("mail", "By e-mail")),
                ),
            ),
        )
        self.visit_of(answer)._take(choice)
        page = self.enter(answer)
        self.assertEqual(page.text.count('type="radio"'), 2)
        with patch.object(Sandbox, "answer", autospec=True, return_value=choice) as asked:
            self.post(page, method="mail")
            self.assertEqual(asked.call_args.args[2], {"method": "mail"})
            self.post(self.enter(answer), method="carrier pigeon")
            self.assertEqual(asked.call_args.args[2], {"method": ""})

    def test_pages_of_languages_that_run_from_right_to_left(self):
        self.env["res.lang"]._activate_lang("ar_001")
        self.assertIn('dir="rtl"', self.enter(self.start(language="ar_001")).text)
        self.assertIn('dir="ltr"', self.enter(self.start()).text)

    def test_the_last_form_may_lead_to_the_database_and_nowhere_else(self):
        answer = self.start()
        self.visit_of(answer).return_url = "https://books.example.com:8443/back?book=1"
        page = self.enter(answer)
        self.assertIn("form-action 'self' https://books.example.com:8443;", page.headers["Content-Security-Policy"])
        page = self.post(page, user="demo", password="demo", return_url="https://evil.example/")
        end = self.post(page, **self.consent_values(page), return_url="https://evil.example/")
        self.assertEqual(
            end.headers["Location"],
            f"https://books.example.com:8443/back?book=1&connection_id={answer['connection_id']}",
        )
