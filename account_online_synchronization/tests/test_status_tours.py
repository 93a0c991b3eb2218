from odoo.tests import HttpCase, tagged

from ..client.errors import ProxyError
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestStatusTours(OnlineSyncCommon, HttpCase):
    """Trouble explains itself in the browser, and its buttons work."""

    def setUp(self):
        super().setUp()
        self.user = self.env.ref("base.user_admin")
        self.user.write(
            {
                "company_id": self.company.id,
                "company_ids": [(4, self.company.id)],
                "group_ids": [(4, self.env.ref("account.group_account_manager").id)],
            }
        )
        self.link = self.connect_journal()

    def trouble(self, code, message, action):
        self.link._register_error(ProxyError(code, message, "E-7KQ2", action=action))

    def test_the_card_shows_the_problem_and_copies_the_details_for_support(self):
        self.journal.name = "Trouble Bank"
        self.trouble("provider_not_configured", "Sentence for support.", "contact_support")
        self.start_tour("/odoo/accounting", "online_status_card", login="admin")

    def test_the_form_shows_the_problem_copies_shows_the_history_and_disconnects(self):
        self.proxy.fail("connections.refresh", "consent_expired", "renew", reference="E-7KQ2")
        self.synchronize(self.link)
        self.start_tour("/odoo/online-synchronization", "online_status_form", login="admin")
        self.assertEqual(self.proxy.requests[-1], ("connections.delete", {"connection_id": "C1"}))
        self.assertEqual(self.link.state, "disconnected")
