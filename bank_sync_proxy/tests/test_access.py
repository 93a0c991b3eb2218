from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged

from .common import ProxyCase

MODELS = (
    "bank.sync.client",
    "bank.sync.connection",
    "bank.sync.error",
    "bank.sync.event",
    "bank.sync.institution",
    "bank.sync.provider",
    "bank.sync.provider.setting",
    "bank.sync.usage",
    "bank.sync.visit",
)
SECRETS = (
    "browser_digest",
    "callback_digest",
    "encrypted_value",
    "return_url",
    "secret_data",
    "secret_state",
    "token_digest",
)


@tagged("post_install", "-at_install")
class TestAccess(ProxyCase):
    """The back office belongs to the system group; everybody else goes through the protocol."""

    def test_an_employee_reads_nothing(self):
        user = new_test_user(self.env, "employee", groups="base.group_user")
        for model in MODELS:
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(user).search([])

    def test_an_administrator_reads_but_makes_no_consent(self):
        user = new_test_user(self.env, "administrator", groups="base.group_system")
        for model in MODELS:
            self.env[model].with_user(user).search([])
        with self.assertRaises(AccessError):
            self.env["bank.sync.connection"].with_user(user).create({"client_id": self.client_record.id})

    def test_the_protocol_serves_whoever_the_transport_lets_in(self):
        user = new_test_user(self.env, "accountant", groups="base.group_user")
        answer = self.api_model.with_user(user)._dispatch(self.client_record, "institutions.search", {})
        self.assertTrue(answer["institutions"])

    def test_nothing_of_the_protocol_can_be_called_over_rpc(self):
        own = {
            name for parent in type(self.api_model).mro() if parent.__name__ == "BankSyncApi" for name in vars(parent)
        }
        self.assertIn("_dispatch", own)
        self.assertFalse([name for name in own if not name.startswith("_")])
        with self.assertRaises(AccessError):
            get_public_method(self.api_model, "_dispatch")

    def test_secrets_are_not_exported(self):
        self.connect()
        for model in MODELS:
            fields = self.env[model]._fields
            for name in SECRETS:
                if name in fields:
                    self.assertEqual(fields[name].groups, "base.group_system")
                    self.assertFalse(fields[name].copy and name != "return_url")
