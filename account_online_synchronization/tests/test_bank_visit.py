from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from ..client.errors import ProxyError
from ..wizards.account_online_authorization import VISIT
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestBankVisit(OnlineSyncCommon):
    """The screen that waits: it may be closed, reloaded and opened again, and nothing is orphaned by that."""

    def begin(self):
        """:return: the visit of a bank that the user has chosen"""
        action = self.Directory.action_open_bank("kbc", self.journal.id, "KBC Bank")
        return self.env["account.online.authorization"].browse(action["params"]["visit_id"])

    def nonce(self):
        operation = ("connections.start", "connections.renew")
        payload = next(payload for asked, payload in reversed(self.proxy.requests) if asked in operation)
        return payload["return_url"].rsplit("/", 1)[1]

    def come_back(self):
        self.env["account.online.authorization"]._find(self.nonce())._finish()

    def state_at_the_service(self, state):
        answer = self.proxy.dispatch("connections.get", {"connection_id": "C1"})
        self.proxy.raw_answers["connections.get"] = {"connection": {**answer["connection"], "state": state}}

    def test_the_screen_knows_the_bank_and_goes_on_to_the_accounts(self):
        visit = self.begin()
        looked = visit.action_look()
        self.assertEqual((looked["state"], looked["name"], looked["action"]), ("open", "KBC Bank", False))
        self.come_back()
        looked = visit.action_look()
        self.assertEqual(looked["state"], "done")
        self.assertEqual(looked["action"]["res_model"], "account.online.account.selection")

    def test_a_renewal_goes_on_to_its_connection_and_says_what_came(self):
        link = self.connect_journal(last_refresh=self.env.cr.now())
        action = link.action_reconnect()
        visit = self.env["account.online.authorization"].browse(action["params"]["visit_id"])
        self.come_back()
        following = visit.action_look()["action"]
        self.assertEqual(following["tag"], "display_notification")
        self.assertEqual((following["params"]["next"]["res_id"]), link.id)

    def test_the_users_bus_hears_of_the_end_and_of_no_secret(self):
        visit = self.begin()
        sent = []
        send = lambda user, kind, message, **_options: sent.append((user, kind, message))  # noqa: E731
        with patch.object(self.registry["res.users"], "_bus_send", send):
            self.come_back()
        self.assertIn((self.env.user, VISIT, {"visit_id": visit.id, "state": "done"}), sent)

    def test_a_page_that_is_opened_again_makes_the_former_way_back_useless(self):
        visit = self.begin()
        former = self.nonce()
        self.state_at_the_service("pending")
        answer = visit.action_open_again()
        self.assertEqual((answer["state"], answer["url"]), ("open", "/renew"))
        self.assertNotEqual(self.nonce(), former)
        self.assertFalse(visit._find(former))
        self.assertEqual(visit._find(self.nonce()).id, visit.id)

    def test_a_consent_whose_way_back_was_closed_is_taken_over(self):
        visit = self.begin()
        answer = visit.action_open_again()
        self.assertEqual((answer["state"], answer["action"]["res_model"]), ("done", "account.online.account.selection"))
        self.assertEqual(len(self.Link.search([("company_id", "=", self.company.id)])), 1)
        self.assertEqual(visit.action_open_again()["state"], "done")
        self.assertEqual(len(self.Link.search([("company_id", "=", self.company.id)])), 1)

    def test_a_connection_that_the_service_has_forgotten_is_started_at_the_same_bank(self):
        visit = self.begin()
        self.proxy.fail("connections.get", "unknown_connection", "reconnect")
        self.proxy.fail("connections.renew", "unknown_connection", "reconnect")
        self.assertEqual(visit.action_open_again()["url"], "/bank")
        self.assertEqual(self.proxy.requests[-1][1]["institution_id"], "kbc")

    def test_an_unreachable_service_is_reported_and_the_visit_stays_open(self):
        visit = self.begin()
        self.proxy.fail("connections.get", "service_unavailable")
        answer = visit.action_open_again()
        self.assertEqual((answer["state"], answer["message"]), ("open", "Sentence of service_unavailable."))
        self.assertNotIn("url", answer)

    def test_cancelling_leaves_nothing_here_and_at_the_service(self):
        visit = self.begin()
        self.assertEqual(visit.action_cancel()["state"], "cancelled")
        self.assertEqual(self.proxy.requests[-1], ("connections.delete", {"connection_id": "C1"}))
        self.assertFalse(visit._find(self.nonce())._is_open())
        self.assertFalse(self.Link.search([("company_id", "=", self.company.id)]))

    def test_cancelling_a_renewal_keeps_the_connection(self):
        link = self.connect_journal()
        action = link.action_reconnect()
        self.env["account.online.authorization"].browse(action["params"]["visit_id"]).action_cancel()
        self.assertNotIn("connections.delete", self.requested_operations())
        self.assertEqual(link.state, "connected")

    def test_a_take_over_that_fails_half_way_leaves_no_connection(self):
        visit = self.begin()
        failure = ProxyError("account_mixed_up", "Another account.")
        with (
            patch.object(self.registry["account.online.account"], "_update_from_proxy", side_effect=failure),
            self.assertRaises(ProxyError),
        ):
            self.come_back()
        self.assertFalse(self.Link.search([("company_id", "=", self.company.id)]))
        self.assertEqual(visit.action_look()["state"], "open")

    def test_a_consent_that_a_connection_holds_is_never_given_back_by_cancelling(self):
        """Whatever the visit believes: a failure may come late, and a service may name a connection twice."""
        other = self.setup_other_company()["company"]
        for company in (self.company, other):
            for cancel in ("action_cancel", "_cancel_at_bank"):
                with self.subTest(company=company.name, cancel=cancel), self.cr.savepoint() as savepoint:
                    visit = self.begin()
                    self.connect(company_id=company.id)
                    self.state_at_the_service("pending")
                    visit.sudo()._fail(ProxyError("provider_unavailable", "Too late."))
                    getattr(visit if cancel == "action_cancel" else visit.sudo(), cancel)()
                    self.assertNotIn("connections.delete", self.requested_operations())
                    self.assertEqual(visit.action_look()["state"], "cancelled")
                    savepoint.rollback()
                    self.env.invalidate_all()
                    self.proxy.raw_answers.clear()

    def test_a_visit_that_is_finished_cannot_be_cancelled(self):
        visit = self.begin()
        self.come_back()
        self.assertEqual(visit.action_cancel()["state"], "done")
        self.assertNotIn("connections.delete", self.requested_operations())

    def test_what_was_begun_is_offered_on_the_search_screen_until_it_is_forgotten(self):
        visit = self.begin()
        begun = self.Directory.action_begin_bank_search()["begun"]
        self.assertEqual([(item["id"], item["name"]) for item in begun], [(visit.id, "KBC Bank")])
        self.assertFalse(begun[0]["action"]["params"]["url"], "nobody is led away without a click")
        visit.action_cancel()
        self.assertEqual(self.Directory.action_begin_bank_search()["begun"], [])

    def test_the_page_that_waits_no_longer_is_said_to_be_expired(self):
        visit = self.begin()
        self.assertTrue(visit.action_look()["is_expired"], "the scripted service's page ended long ago")
        visit.sudo().expires_at = False
        self.assertFalse(visit.action_look()["is_expired"])

    def test_a_code_for_a_refresh_is_asked_for_again_as_another_visit(self):
        link = self.connect_journal()
        self.proxy.answers["connections.refresh"] = {"state": "challenge", "page_url": "/bank/code"}
        visit = self.env["account.online.authorization"].browse(link.action_fetch_transactions()["params"]["visit_id"])
        answer = visit.action_open_again()
        self.assertEqual(answer["action"]["params"]["url"], "/bank/code")
        self.assertNotEqual(answer["action"]["params"]["visit_id"], visit.id)
        self.assertEqual(visit.action_look()["state"], "cancelled")

    def test_another_user_sees_and_changes_nothing(self):
        visit = self.begin()
        other = new_test_user(
            self.env,
            login="other-manager",
            groups="account.group_account_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        theirs = visit.with_user(other)
        for method in ("action_look", "action_open_again", "action_cancel"):
            self.assertEqual(getattr(theirs, method)(), {"state": "gone"}, method)
        theirs.action_note_window(True)
        self.assertEqual(visit.action_look()["state"], "open")
        self.assertFalse(visit.sudo().is_in_window)
        self.assertEqual(self.Directory.with_user(other).action_begin_bank_search()["begun"], [])
