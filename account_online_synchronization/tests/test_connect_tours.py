from urllib.parse import urlsplit

from odoo.tests import HttpCase, new_test_user, tagged

from .common import OnlineSyncCommon
from .service_common import ServiceCommon

SCREEN = "/odoo/connect-bank"


class ConnectTours(HttpCase):
    """Walks through the search for a bank in a browser."""

    def walk(self, tour, path=SCREEN):
        self.company.country_id = self.env.ref("base.be")
        self.env.user.company_id = self.company
        self.start_tour(path, f"connect_bank_{tour}", login=self.env.user.login)

    def let_the_bank_agree(self):
        """The bank's page leads back at once: the user has given his consent."""
        self.proxy.answers["connections.start"] = lambda payload: {
            "connection_id": "C1",
            "page_url": urlsplit(payload["return_url"]).path,
            "expires_at": "2099-01-01T00:00:00Z",
        }

    def institution(self):
        """:return: id of the bank that was connected last"""
        return next(p["institution_id"] for o, p in reversed(self.proxy.requests) if o == "connections.start")

    def links(self):
        self.env.invalidate_all()
        return self.Link.search([("company_id", "=", self.company.id)])


@tagged("post_install", "-at_install")
class TestConnectTours(OnlineSyncCommon, ConnectTours):
    def test_a_bank_is_found_and_connected_by_keyboard(self):
        self.let_the_bank_agree()
        self.walk("keyboard")
        self.assertEqual((self.institution(), len(self.links())), ("kbc", 1))

    def test_the_provider_is_chosen_and_beta_explained(self):
        self.let_the_bank_agree()
        self.walk("provider")
        self.assertEqual((self.institution(), len(self.links())), ("ing-two", 1))

    def test_a_bank_that_is_not_listed_becomes_a_journal(self):
        self.walk("not_listed")
        journal = self.env["account.journal"].search([("bank_account_id.acc_number", "=", "BE15001559627230")])
        self.assertEqual((journal.type, journal.account_online_link_id.id), ("bank", False))

    def test_where_windows_are_blocked_the_same_tab_goes_to_the_bank_and_comes_back(self):
        self.let_the_bank_agree()
        self.walk("blocked")
        self.assertEqual(len(self.links()), 1)

    def test_a_visit_is_resumed_and_cancelled(self):
        answer = self.proxy.dispatch("connections.get", {"connection_id": "C1"})
        self.proxy.raw_answers["connections.get"] = {"connection": {**answer["connection"], "state": "pending"}}
        for operation in ("connections.start", "connections.renew"):
            self.proxy.answers[operation]["expires_at"] = "2099-01-01T00:00:00Z"
        self.walk("resume_and_cancel")
        self.assertIn("connections.delete", self.requested_operations())
        self.assertFalse(self.links())

    def test_a_consent_that_did_not_come_about_is_explained_where_the_user_waits(self):
        open_bank = type(self.Directory).action_open_bank

        def fails(directory, *arguments):
            action = open_bank(directory, *arguments)
            visit = directory.env["account.online.authorization"].sudo().browse(action["params"]["visit_id"])
            visit.write({"state": "failed", "error_message": "Sentence of connection_unfinished."})
            visit.error_reference = "E-7KQ2"
            return action

        self.patch(self.registry["account.online.directory"], "action_open_bank", fails)
        self.walk("failed")

    def test_a_bank_that_refuses_is_explained_where_it_was_chosen_and_once(self):
        self.proxy.fail("connections.start", "institution_unavailable")
        self.walk("refused")

    def test_a_service_that_does_not_answer_leaves_a_way_on(self):
        self.proxy.fail("institutions.search", "service_unavailable")
        self.walk("unreachable")

    def test_users_who_may_not_connect_see_who_does(self):
        accountant = new_test_user(
            self.env,
            login="tour-accountant",
            password="tour-accountant",
            groups="account.group_account_basic",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.start_tour(SCREEN, "connect_bank_denied", login=accountant.login)

    def test_the_card_of_a_journal_leads_there_and_is_remembered(self):
        self.walk("entry_points", "/odoo/action-account.open_account_journal_dashboard_kanban")


@tagged("post_install", "-at_install")
class TestConnectToursElsewhere(ServiceCommon, ConnectTours):
    def test_a_service_that_does_not_know_this_database_asks_for_a_phone_first(self):
        self.walk("phone")
