from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from .common import OnlineSyncCommon
from .service_common import ServiceCommon


@tagged("post_install", "-at_install")
class TestPhone(ServiceCommon):
    """A phone number is confirmed once, and reactivates what was blocked."""

    def test_a_confirmed_number_leads_on_to_the_bank(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        self.assertEqual(wizard.country_id, self.company.country_id)
        wizard.phone = " 0470 12 34 56 "
        self.assertEqual(self.wizard(wizard.action_send()), wizard)
        self.assertEqual((wizard.step, wizard.phone_hint), ("code", "•••• 56"))
        self.assertIn("seconds", wizard.wait_text)
        request = next(payload for operation, payload in self.proxy.requests if operation == "clients.verify_phone")
        self.assertEqual(request["phone"], "0470 12 34 56")
        wizard.code = " 123 456 "
        action = wizard.action_confirm()
        self.assertEqual(self.address_of_bank(action), f"{self.server.address}/bank")
        self.assertEqual(self.service.state, "active")

    def test_what_was_typed_is_not_lost_by_an_error(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        wizard.action_send()
        self.assertIn("Enter the number", wizard.refusal)
        wizard.phone = "0470"
        wizard.action_send()
        self.assertEqual((wizard.step, wizard.phone), ("phone", "0470"))
        self.assertIn("phone_invalid", wizard.refusal)
        wizard.phone = "0470 12 34 56"
        wizard.action_send()
        self.assertFalse(wizard.refusal)
        wizard.action_confirm()
        self.assertIn("Enter the code", wizard.refusal)
        wizard.code = "000000"
        wizard.action_confirm()
        self.assertEqual((wizard.step, wizard.code), ("code", "000000"))
        self.assertIn("code_rejected", wizard.refusal)

    def test_another_code_is_sent_after_a_while_and_the_wizard_says_when(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        wizard.phone = "0470 12 34 56"
        wizard.action_send()
        before = len(self.proxy.requests)
        wizard.action_send()
        self.assertIn("Another code can be sent in", wizard.refusal)
        self.assertEqual(len(self.proxy.requests), before)
        wizard.sudo().wait_until = False
        wizard.action_send()
        self.assertFalse(wizard.refusal)
        self.assertEqual(len(self.proxy.requests), before + 1)

    def test_another_number_may_be_entered(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        wizard.phone = "0470 12 34 56"
        wizard.action_send()
        wizard.action_back()
        self.assertEqual((wizard.step, wizard.phone), ("phone", "0470 12 34 56"))

    def test_the_services_own_waiting_time_is_shown(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        self.proxy.fail("clients.verify_phone", "too_many_requests", "retry", retry_after=600)
        wizard.phone = "0470 12 34 56"
        wizard.action_send()
        self.assertIn("too_many_requests", wizard.refusal)
        self.assertGreater(wizard._seconds_to_wait(), 590)

    def blocked(self):
        self.register()
        links = self.connect_journal() + self.connect_journal(self.company_data["default_journal_bank"].copy())
        links[1].connection_identifier = "C2"
        self.proxy.state, self.proxy.blocked_by, self.proxy.reason = "blocked", "suspicion", "Many wrong codes."
        for link in links:
            self.synchronize(link)
        return links

    def test_one_reactivation_is_enough_for_all_links(self):
        links = self.blocked()
        self.assertEqual(links.mapped("error_code"), ["client_blocked"] * 2)
        self.assertEqual(self.service.state, "blocked")
        links.failure_count = 5
        wizard = self.wizard(links[0].action_reactivate())
        self.assertEqual((wizard.mode, wizard.phone_hint), ("reactivate", "•••• 56"))
        self.assertEqual(wizard.reason, "Many wrong codes.")
        wizard.action_send()
        wizard.code = "123456"
        self.assertIn("accepts requests of this database again", self.message(wizard.action_confirm()))
        self.assertRecordValues(links, [{"state": "connected", "error_code": False, "failure_count": 0}] * 2)
        self.assertEqual(len(links._search_due([("id", "in", links.ids)])), 2)

    def test_the_card_offers_it(self):
        links = self.blocked()
        card = links[0].journal_ids._get_online_sync_dashboard_data()[links[0].journal_ids.id]
        self.assertEqual(card["button"], "reactivate")
        self.wizard(links[0].journal_ids.action_reactivate_online_link())
        self.proxy.state = "active"
        links[0].journal_ids.action_reactivate_online_link()
        card = links[0].journal_ids._get_online_sync_dashboard_data()[links[0].journal_ids.id]
        self.assertNotEqual(card["button"], "reactivate")

    def test_what_was_unblocked_meanwhile_needs_no_code(self):
        links = self.blocked()
        self.proxy.state = "active"
        self.assertIn("answers again", self.message(links[0].action_reactivate()))
        self.assertEqual(links.mapped("state"), ["connected"] * 2)

    def test_what_support_has_blocked_only_support_unblocks(self):
        links = self.blocked()
        self.proxy.blocked_by, self.proxy.reason = "support", "Ask Ms Miller."
        self.assertIn("Ask Ms Miller.", self.message(links[0].action_reactivate()))
        self.synchronize(links[0])
        self.assertEqual(links[0].error_action, "contact_support")

    def test_a_disconnected_database_reconnects_with_its_phone_and_keeps_its_connections(self):
        links = self.blocked()
        self.proxy.state, self.proxy.blocked_by = "disconnected", None
        self.synchronize(links[0])
        self.assertEqual((links[0].state, links[0].error_code), ("disconnected", "client_disconnected"))
        wizard = self.wizard(links[0].action_reconnect())
        self.assertEqual((wizard.mode, wizard.kind), ("reactivate", "consent"))
        wizard.action_send()
        wizard.code = "123456"
        self.assertEqual(self.address_of_bank(wizard.action_confirm()), f"{self.server.address}/renew")
        self.assertEqual(links.mapped("state"), ["connected"] * 2)
        self.assertEqual(links.mapped("connection_identifier"), ["C1", "C2"])

    def test_a_database_that_never_confirmed_a_number_is_asked_for_one(self):
        links = self.blocked()
        wizard = self.wizard(links[0].action_reactivate())
        self.proxy.clients_reactivate = lambda _payload: {"state": "phone_required"}
        self.assertEqual(self.wizard(wizard.action_send()), wizard)
        self.assertEqual((wizard.mode, wizard.step), ("verify", "phone"))

    def test_accounting_administrators_only(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        accountant = new_test_user(self.env, "accountant", "account.group_account_basic")
        for method in (wizard.action_send, wizard.action_confirm, wizard.action_back):
            with self.assertRaises(AccessError):
                getattr(self.env["account.online.phone"].with_user(accountant).browse(wizard.id), method.__name__)()


@tagged("post_install", "-at_install")
class TestPhoneIsNotAskedHere(OnlineSyncCommon):
    """Users of a database are also users of its embedded connection service."""

    def test_reconnect_is_enough(self):
        link = self.connect_journal()
        for operation in ("connections.refresh", "connections.renew", "connections.start"):
            self.proxy.fail(operation, "client_disconnected", "reconnect")
        self.synchronize(link)
        self.assertEqual((link.state, link.error_code), ("disconnected", "client_disconnected"))

        def reactivate(operation, payload):
            if operation == "clients.reactivate":
                self.proxy.failures.clear()
                return {"state": "active"}
            return dispatch(operation, payload)

        dispatch = self.proxy.dispatch
        client = ProxyClient(EmbeddedTransport(reactivate))
        with (
            patch.object(self.registry["account.online.service"], "_get_embedded_client", lambda _service: client),
            patch.object(self.registry["account.online.link"], "_get_client", lambda _link: client),
        ):
            action = link.action_reconnect()
        self.assertEqual(self.address_of_bank(action), "/renew")
        self.assertEqual(link.state, "connected")
