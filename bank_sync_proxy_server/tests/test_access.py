from odoo.addons.bank_sync_proxy.tests.common import ProxyCase
from odoo.addons.bank_sync_proxy.tests.test_access import AccessMixin
from odoo.exceptions import AccessError
from odoo.tests import tagged


@tagged("post_install", "-at_install")
class TestServerAccess(AccessMixin, ProxyCase):
    """Support reads and intervenes, administrators write its reasons, and no user reads technical models."""

    allow_inherited_tests_method = True
    desk = (
        "bank.sync.client",
        "bank.sync.concern",
        "bank.sync.connection",
        "bank.sync.error",
        "bank.sync.event",
        "bank.sync.firm",
        "bank.sync.firm.agreement",
        "bank.sync.firm.consent",
        "bank.sync.firm.member",
        "bank.sync.reason",
        "bank.sync.refused.database",
        "bank.sync.suspicion",
    )
    machinery = ("bank.sync.nonce", "bank.sync.phone.code", "bank.sync.registration")
    menus_of_support = (
        "bank_sync_proxy_server.bank_sync_concern_menu",
        "bank_sync_proxy_server.bank_sync_client_menu",
    )
    menus_of_administrators = (
        "bank_sync_proxy_server.bank_sync_reason_menu",
        "bank_sync_proxy_server.bank_sync_firm_menu",
    )

    def test_an_employee_intervenes_nowhere(self):
        with self.assertRaises(AccessError):
            self.env["bank.sync.intervention"].with_user(self.employee).create({"action": "block", "reason": "x"})
        with self.assertRaises(AccessError):
            self.other_client.with_user(self.employee).action_ask_phone_again()

    def test_support_sees_the_phone_number_of_a_client(self):
        secret = self.env["bank.sync.vault"]._encrypt(self.other_client, "secret_phone", {"phone": "+32470123456"})
        self.other_client.secret_phone = secret
        self.assertEqual(self.other_client.with_user(self.support).phone, "+32470123456")

    def test_an_administrator_writes_the_reasons(self):
        self.env["bank.sync.reason"].with_user(self.administrator).create(
            {"name": "Another", "action": "block", "text": "Because."}
        )
