from odoo.tests import HttpCase, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestReturn(OnlineSyncCommon, HttpCase):
    """Where the browser arrives after the bank's pages."""

    def begin(self, in_window=False):
        """:return: the visit, and the address that leads back from it"""
        action = self.Directory.action_open_bank("I1", False, "A Bank")
        visit = self.env["account.online.authorization"].browse(action["params"]["visit_id"])
        visit.action_note_window(in_window)
        way_back = self.proxy.requests[-1][1]["return_url"]
        self.authenticate(self.env.user.login, self.env.user.login)
        return visit, way_back

    def links(self):
        return self.Link.search([("company_id", "=", self.company.id)])

    def test_a_consent_that_did_not_come_about_is_explained(self):
        self.proxy.fail("connections.get", "connection_unfinished", "reconnect", reference="E-7KQ2")
        visit, way_back = self.begin()
        page = self.url_open(way_back)
        self.assertEqual(page.status_code, 200)
        for text in ("Sentence of connection_unfinished.", "E-7KQ2", "/odoo/connect-bank"):
            self.assertIn(text, page.text)
        self.assertEqual(visit.action_look()["message"], "Sentence of connection_unfinished.")

    def test_in_the_same_tab_it_leads_on_to_the_accounts(self):
        _visit, way_back = self.begin()
        answer = self.url_open(way_back, allow_redirects=False)
        self.assertIn("account_online_account_selection_action/", answer.headers["Location"])
        self.assertEqual(len(self.links()), 1)

    def test_a_window_notifies_the_waiting_screen_or_redirects_without_one(self):
        visit, way_back = self.begin(in_window=True)
        page = self.url_open(way_back)
        self.assertIn(f'data-visit="{visit.id}"', page.text)
        self.assertRegex(page.text, r'data-onward="/odoo/action-[a-z_.]*account_selection_action/[0-9]+"')
        self.assertIn("static/return/return.js", page.text)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertEqual(len(self.links()), 1)

    def test_a_route_without_a_checked_method_fails_here(self):
        http = self.env["ir.http"]
        rules = http._generate_routing_rules(["account_online_synchronization"], http._get_converters())
        self.assertEqual(
            {url for url, _endpoint in rules},
            {
                "/account_online_synchronization/return/<string:nonce>",
                "/account_online_synchronization/events",
                "/account_online_synchronization/renew/<string:token>",
                "/account_online_synchronization/renew/back/<string:nonce>",
            },
        )

    def test_the_way_back_is_neither_framed_nor_kept_nor_passed_on(self):
        for in_window in (False, True):
            _visit, way_back = self.begin(in_window)
            for address in (way_back, "/account_online_synchronization/return/nobody"):
                with self.subTest(address=address, in_window=in_window):
                    headers = self.url_open(address, allow_redirects=False).headers
                    self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
                    self.assertEqual(headers["X-Frame-Options"], "DENY")
                    self.assertEqual(headers["Referrer-Policy"], "no-referrer")
                    self.assertEqual(headers["Cache-Control"], "no-store")

    def test_the_page_is_reloaded_without_harm(self):
        _visit, way_back = self.begin(in_window=True)
        first, second = self.url_open(way_back), self.url_open(way_back + "?cancelled=1")
        self.assertEqual(
            [page.text.count("Your bank has answered") for page in (first, second)], [1, 1], "it stays as it ended"
        )
        self.assertEqual(len(self.links()), 1)

    def test_who_cancels_at_the_bank_is_led_back_to_the_search(self):
        visit, way_back = self.begin(in_window=True)
        page = self.url_open(way_back + "?cancelled=1")
        self.assertIn('data-onward="/odoo/connect-bank"', page.text)
        self.assertEqual(visit.action_look()["state"], "cancelled")
        self.assertFalse(self.links())
        # The scripted service says that there is a consent: the query is not believed, so it is not given back.
        self.assertNotIn("connections.delete", self.requested_operations())

    def test_what_was_cancelled_before_a_consent_is_given_back_to_the_service(self):
        answer = self.proxy.dispatch("connections.get", {"connection_id": "C1"})
        self.proxy.raw_answers["connections.get"] = {"connection": {**answer["connection"], "state": "pending"}}
        _visit, way_back = self.begin(in_window=True)
        self.url_open(way_back + "?cancelled=1")
        self.assertEqual(self.proxy.requests[-1], ("connections.delete", {"connection_id": "C1"}))

    def test_a_failure_is_tried_again_when_the_page_is_loaded_again(self):
        visit, way_back = self.begin(in_window=True)
        self.proxy.fail("connections.get", "service_unavailable", reference="E-1")
        page = self.url_open(way_back)
        for text in ("Sentence of service_unavailable.", "E-1", f'data-onward="/odoo/bank-visit/{visit.id}"'):
            self.assertIn(text, page.text)
        self.proxy.failures.clear()
        self.assertIn("Your bank has answered", self.url_open(way_back).text)

    def test_a_way_back_that_is_not_the_users_changes_nothing(self):
        visit, way_back = self.begin(in_window=True)
        visit.sudo().user_id = self.env.ref("base.user_admin")
        answer = self.url_open(way_back, allow_redirects=False)
        self.assertIn("account_online_link_action", answer.headers["Location"])
        self.assertFalse(self.links())
