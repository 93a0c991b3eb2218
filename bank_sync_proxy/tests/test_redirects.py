import logging
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from odoo import fields
from odoo.tests import tagged

from ..providers.errors import TransientError
from ..providers.sandbox import Sandbox
from ..providers.types import Challenge, Form, Redirect
from .common import PagesCase


@tagged("post_install", "-at_install")
class TestRedirects(PagesCase):
    """To a bank's own page and back, over HTTP."""

    def begin(self, **values):
        """:return: (answer, the proxy's page, the bank's page) with the browser at the bank"""
        answer = self.start("demo-redirect", **values)
        page = self.enter(answer)
        return answer, page, self.go_to_the_bank(page)

    def go_to_the_bank(self, page):
        sent = self.get(f"{page.url}/bank")
        self.assertEqual(sent.status_code, 303)
        return self.get(sent.headers["Location"])

    def decide(self, bank_page, decision="approve", user="demo"):
        """:return: where the bank's page sends the browser"""
        asked = dict(parse_qsl(urlsplit(bank_page.url).query))
        values = {**self.hidden(bank_page), "institution": asked["institution"], "state": asked["state"]}
        sent = self.url_open(
            urlsplit(bank_page.url).path, data={**values, "user": user, "decision": decision}, allow_redirects=False
        )
        self.assertEqual(sent.status_code, 303)
        return sent.headers["Location"]

    def errors(self):
        return self.env["bank.sync.error"].search([("operation", "=", "visit.callback")])

    def assertNothingChanged(self, answer):
        visit = self.visit_of(answer)
        self.assertEqual((visit.state, visit.connection_id.state), ("open", "pending"))
        self.assertTrue(visit.callback_digest)
        self.assertTrue(visit._redirect())

    # -------------------------------------------------------------------------
    # THE WAY
    # -------------------------------------------------------------------------

    def test_from_the_proxy_s_page_over_the_bank_s_to_the_way_back(self):
        answer, page, bank = self.begin()
        self.assertIn("Continue at your bank", page.text)
        self.assertIn(f'content="1;url={self.visit_of(answer).public_id}/bank"', page.text)
        self.assertIn("Demonstration bank.", bank.text)
        self.assertIn("plays the bank", bank.text)
        end = self.get(self.decide(bank))
        self.assertEqual(end.status_code, 303)
        self.assertURLEqual(end.headers["Location"], f"/back/to?book=1&connection_id={answer['connection_id']}")
        self.assertEqual(self.connection(answer).state, "connected")
        self.assertTrue(self.connection(answer).provider_reference)
        accounts = self.ask("accounts.list", connection_id=answer["connection_id"])["accounts"]
        self.assertEqual([account["currency"] for account in accounts], ["GBP", "EUR"])

    def test_state_is_stored_as_a_digest_and_in_none_of_our_pages(self):
        answer, page, bank = self.begin()
        state = dict(parse_qsl(urlsplit(bank.url).query))["state"]
        self.assertGreater(len(state), 40)
        self.assertNotIn(state, f"{self.visit_of(answer).read()}")
        self.assertNotIn(state, page.text)

    def test_redirect_to_the_bank_is_automatic_only_once(self):
        _answer, page, _bank = self.begin()
        back = self.get(page.url)
        self.assertNotIn("http-equiv", back.text)
        self.assertIn("have not come back", back.text)
        again = self.post(back, action="again")
        self.assertIn("http-equiv", again.text)

    def test_starting_over_at_the_bank_makes_the_old_way_back_useless(self):
        answer, page, bank = self.begin()
        old = self.decide(bank)
        self.post(self.get(page.url), action="again")
        self.assertEqual(self.get(old).status_code, 404)
        self.assertNothingChanged(answer)
        self.assertEqual(self.get(self.decide(self.go_to_the_bank(page))).status_code, 303)
        self.assertEqual(self.connection(answer).state, "connected")

    def test_a_renewal_over_the_bank_s_page_keeps_the_connection(self):
        answer, _page, bank = self.begin()
        self.get(self.decide(bank, user="me"))
        renewal = self.ask("connections.renew", connection_id=answer["connection_id"], return_url="/x")
        page = self.enter(renewal)
        other = self.enter(self.get(self.decide(self.go_to_the_bank(page), user="somebody")).headers["Location"])
        self.assertIn("Another user has signed in", other.text)
        again = self.post(other)
        end = self.get(self.decide(self.go_to_the_bank(again), user="me"))
        self.assertTrue(end.headers["Location"].startswith("/x?"))
        self.assertEqual(self.visit_of(renewal).state, "done")

    def test_a_bank_that_is_chosen_on_our_page_is_gone_to_from_a_page_of_its_own(self):
        """Browsers would hold back a form whose redirections leave the host."""
        answer = self.start(institution=None)
        page = self.post(self.enter(answer), institution="sandbox.demo-redirect")
        self.assertEqual(page.status_code, 200)
        self.assertIn("Continue at your bank", page.text)
        self.assertIn("Choose another bank", page.text)

    def test_the_database_may_be_elsewhere(self):
        answer, _page, bank = self.begin()
        self.visit_of(answer).return_url = "https://books.example.com/back"
        end = self.get(self.decide(bank))
        self.assertEqual(end.status_code, 200)
        self.assertIn('content="0;url=https://books.example.com/back?connection_id=', end.text)

    # -------------------------------------------------------------------------
    # NO
    # -------------------------------------------------------------------------

    def test_user_who_refuses_at_the_bank_gets_an_error_and_further_choices(self):
        answer, _page, bank = self.begin()
        page = self.enter(self.get(self.decide(bank, "refuse")).headers["Location"])
        self.assertIn("You have refused at the bank", page.text)
        self.assertIn('value="cancel"', page.text)
        again = self.post(page)
        self.assertIn("Continue at your bank", again.text)
        self.assertEqual(self.get(self.decide(self.go_to_the_bank(again))).status_code, 303)
        self.assertEqual(self.connection(answer).state, "connected")

    def test_a_provider_that_fails_afterwards_can_be_tried_again(self):
        answer, _page, bank = self.begin()
        with patch.object(Sandbox, "complete", side_effect=TransientError("provider_unavailable", status=503)):
            page = self.enter(self.get(self.decide(bank)).headers["Location"])
        self.assertIn("does not answer at the moment", page.text)
        page = self.post(page, action="again")
        self.assertEqual(self.get(self.decide(self.go_to_the_bank(page))).status_code, 303)
        self.assertEqual(self.connection(answer).state, "connected")

    def test_a_code_that_the_bank_did_not_give(self):
        answer, _page, bank = self.begin()
        state = dict(parse_qsl(urlsplit(bank.url).query))["state"]
        page = self.enter(self.get(f"/bank_sync/callback/sandbox?state={state}&code=invented").headers["Location"])
        self.assertIn("could not be connected", page.text)
        self.assertEqual(self.visit_of(answer).state, "failed")
        self.assertEqual(self.connection(answer).state, "pending")

    # -------------------------------------------------------------------------
    # ATTACKS
    # -------------------------------------------------------------------------

    def test_a_state_serves_once(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        self.get(callback)
        before = self.errors()
        again = self.get(callback)
        self.assertEqual(again.status_code, 404)
        self.assertIn("Nothing is waiting for this answer", again.text)
        self.assertEqual(len(self.errors() - before), 1)
        self.assertEqual(self.connection(answer).state, "connected")

    def test_a_state_that_was_never_given(self):
        answer, _page, _bank = self.begin()
        for query in ("", "?state=", "?state=invented&code=x", "?state=%00&code=x", "?code=x", "?sealed=rubbish"):
            with self.subTest(query=query):
                before = self.errors()
                self.assertEqual(self.get(f"/bank_sync/callback/sandbox{query}").status_code, 404)
                self.assertEqual(len(self.errors() - before), 1)
        self.assertNothingChanged(answer)

    def test_a_state_of_another_provider(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        for provider in ("another", "%3Cscript%3E"):
            page = self.get(callback.replace("/callback/sandbox", f"/callback/{provider}"))
            self.assertEqual(page.status_code, 404)
            self.assertNotIn("<script", page.text)
        self.assertNothingChanged(answer)
        self.assertEqual(self.get(callback).status_code, 303)

    def test_another_browser_can_neither_finish_nor_spoil_a_visit(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        mine = self.opener.cookies.copy()
        self.another_browser()
        for _attempt in range(2):
            page = self.get(callback)
            self.assertEqual(page.status_code, 403)
            self.assertIn("another browser", page.text)
            self.assertNotIn("Demo Redirect", page.text)
            # A browser with another key is another one, too.
            self.enter(self.start("demo-beta"))
        self.assertNothingChanged(answer)
        self.assertEqual(self.errors()[0].connection_id, self.connection(answer))
        self.opener.cookies.update(mine)
        self.assertEqual(self.get(callback).status_code, 303)
        self.assertEqual(self.connection(answer).state, "connected")

    def test_a_visit_that_has_expired_in_the_meantime(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        self.visit_of(answer).expires_at = fields.Datetime.now() - timedelta(seconds=1)
        page = self.get(callback)
        self.assertEqual(page.status_code, 410)
        self.assertIn("has expired", page.text)
        self.assertTrue(self.errors())
        self.assertEqual(self.connection(answer).state, "pending")

    def test_a_new_visit_makes_the_old_way_back_useless(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        self.ask("connections.renew", connection_id=answer["connection_id"], return_url="/x")
        self.assertEqual(self.get(callback).status_code, 404)
        self.assertEqual(self.connection(answer).state, "pending")

    def test_nothing_in_the_callback_changes_where_it_leads(self):
        _answer, _page, bank = self.begin()
        callback = self.decide(bank)
        end = self.get(f"{callback}&return_url=https://evil.example/&next=//evil.example&redirect=//evil.example")
        self.assertTrue(urlsplit(end.headers["Location"]).path == "/back/to")

    def test_codes_and_tickets_appear_in_no_log_and_no_record(self):
        answer, _page, bank = self.begin()
        callback = self.decide(bank)
        brought = dict(parse_qsl(urlsplit(callback).query))
        self.get(callback)
        self.get(callback)
        records = f"{self.env['bank.sync.error'].search([]).read()}"
        log = "\n".join(map(self.logged, (callback, answer["page_url"], bank.url, f"{answer['page_url']}?q=x")))
        for secret in (brought["code"], brought["state"], answer["page_url"].rsplit("/", 1)[1]):
            self.assertNotIn(secret, records)
            self.assertNotIn(secret, log)
        self.assertIn("/bank_sync/callback/sandbox?•••", log)
        self.assertIn("/bank_sync/connect/•••", log)
        self.assertIn("/web/login?a=1", self.logged("/web/login?a=1"))

    def logged(self, address):
        """What the server's log says of a request."""
        record = logging.LogRecord("werkzeug", logging.INFO, "", 0, '"%s" %s', (f"GET {address} HTTP/1.1", 303), None)
        self.assertTrue(logging.getLogger("werkzeug").filter(record))
        return record.getMessage()

    def test_unauthenticated_requests_cannot_fill_the_table_of_errors(self):
        with patch("odoo.addons.bank_sync_proxy.controllers.callbacks.MAX_RECORDS", 3):
            for _attempt in range(6):
                self.get("/bank_sync/callback/sandbox?state=invented")
        self.assertEqual(len(self.errors()), 3)

    def test_browser_is_only_sent_to_addresses_that_are_pages_of_a_bank(self):
        for url in (
            "javascript:alert(1)",
            "http://bank.example/",
            "//bank.example",
            "https://a@b.example/",
            "https://[",
        ):
            with self.subTest(url):
                redirect = Redirect(url)
                with patch.object(Sandbox, "start", lambda _self, *_asked, redirect=redirect: redirect):
                    answer = self.ask("connections.start", return_url="/back", institution_id="sandbox.demo-redirect")
                self.assertFailure(answer, "unexpected_answer", "contact_support")

    def test_form_only_leads_to_addresses_that_are_pages_of_a_provider(self):
        challenge = Challenge("Approve", kind="approval", form=Form("javascript:alert(1)", {}))
        with patch.object(Sandbox, "start", lambda _self, *_asked: challenge):
            answer = self.ask("connections.start", return_url="/back", institution_id="sandbox.demo")
        self.assertFailure(answer, "unexpected_answer", "contact_support")

    def test_untrusted_path_ends_in_a_page_without_a_traceback(self):
        with self.assertNoLogs("odoo.http", logging.ERROR), self.assertNoLogs("odoo.sql_db", logging.ERROR):
            for path in ("visit/%00", "visit/a%00b/bank", "callback/%00?state=%00", "connect/%00"):
                self.assertEqual(self.get(f"/bank_sync/{path}").status_code, 404, path)
            for path in ("callback/a%0d%0aX:y", "callback/%00", "callback/unknown", "webhook/%00"):
                answer = self.url_open(f"/bank_sync/{path}", data={"state": "x"}, allow_redirects=False)
                self.assertEqual(answer.status_code, 404, path)

    def test_choice_of_a_bank_with_a_nul_is_an_unknown_bank(self):
        page = self.enter(self.start(institution=None))
        page = self.post(page, institution="sandbox\0demo")
        self.assertEqual(page.status_code, 200)

    def test_requests_with_a_known_state_cannot_fill_the_table_of_errors(self):
        _answer, _page, bank = self.begin()
        callback = self.decide(bank)
        self.another_browser()
        with patch("odoo.addons.bank_sync_proxy.models.bank_sync_error.DAILY_OF_CLIENT", 3):
            for _attempt in range(6):
                self.assertEqual(self.get(callback).status_code, 403)
        self.assertEqual(len(self.errors()), 3)

    # -------------------------------------------------------------------------
    # BANKS THAT NAME NO VISIT
    # -------------------------------------------------------------------------

    def test_address_without_a_visit_is_copied_where_the_provider_names_none(self):
        providers = self.env["bank.sync.provider"].with_context(active_test=False)
        provider = providers.search([("code", "=", "revolut_business")])
        address = "/bank_sync/callback/revolut_business?code=oa_prod_c0de"
        self.assertEqual(self.get(address).status_code, 404, "it is switched off")
        provider.write({"keys_state": "work", "active": True})
        page = self.get(address)
        self.assertEqual(page.status_code, 200)
        self.assertIn("Copy the whole address of this page", page.text)
        self.assertNotIn("oa_prod_c0de", page.text)
        self.assertEqual(self.get(f"{address}&state=invented").status_code, 404)
        self.assertEqual(self.get("/bank_sync/callback/sandbox?code=x").status_code, 404)

    # -------------------------------------------------------------------------
    # BANKS THAT SEND A FORM
    # -------------------------------------------------------------------------

    def test_a_bank_that_sends_a_form(self):
        answer, _page, bank = self.begin()
        brought = dict(parse_qsl(urlsplit(self.decide(bank)).query))
        mine = self.opener.cookies.copy()
        # From another site the browser sends no cookies along.
        self.another_browser()
        sent = self.url_open("/bank_sync/callback/sandbox", data=brought, allow_redirects=False)
        self.assertEqual(sent.status_code, 303)
        self.assertNotIn(brought["code"], sent.headers["Location"])
        self.assertNothingChanged(answer)
        self.assertEqual(self.get(sent.headers["Location"]).status_code, 403)
        self.another_browser()
        self.opener.cookies.update(mine)
        self.assertEqual(self.get(sent.headers["Location"]).status_code, 303)
        self.assertEqual(self.connection(answer).state, "connected")

    def test_form_of_another_site_does_not_sign_the_user_out(self):
        """Its request has no session cookie, and a new session in the answer would replace the user's."""
        self.another_browser()
        sent = self.url_open("/bank_sync/callback/sandbox", data={"state": "x"}, allow_redirects=False)
        self.assertEqual(sent.status_code, 303)
        self.assertNotIn("Set-Cookie", sent.headers)

    def test_a_large_form_is_refused(self):
        sent = self.url_open("/bank_sync/callback/sandbox", data={"code": "x" * 5000}, allow_redirects=False)
        self.assertEqual(sent.status_code, 413)

    def test_the_demo_bank_s_page_is_for_the_demo_bank(self):
        for query in ("", "?institution=demo-redirect", "?institution=none&state=x", "?institution=%00&state=x"):
            self.assertEqual(self.get(f"/bank_sync/sandbox/bank{query}").status_code, 404)
        self.provider.active = False
        self.assertEqual(self.get("/bank_sync/sandbox/bank?institution=demo-redirect&state=x").status_code, 404)
