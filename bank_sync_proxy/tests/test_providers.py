from cryptography.hazmat.primitives.asymmetric import rsa

from odoo.tests import TransactionCase, tagged

from ..providers import PROVIDERS, provider_class
from .pure.enable_banking_server import pem


@tagged("post_install", "-at_install")
class TestProviders(TransactionCase):
    """Providers as an administrator finds them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.providers = cls.env["bank.sync.provider"].with_context(active_test=False).search([])
        cls.institutions = cls.env["bank.sync.institution"]

    def provider(self, code):
        return self.providers.filtered(lambda provider: provider.code == code)

    def test_every_adapter_is_offered_and_only_the_demo_bank_is_on(self):
        self.assertEqual(set(self.providers.mapped("code")), {code for code, _label, _name in PROVIDERS})
        self.assertEqual(self.providers.filtered("active").mapped("code"), ["sandbox"])

    def test_its_settings_are_the_ones_of_its_adapter(self):
        for provider in self.providers:
            declared = [setting.name for setting in provider_class(provider.code).settings_needed]
            self.assertEqual(provider.setting_ids.mapped("name"), declared, provider.code)
            self.assertFalse(provider.setting_ids.filtered(lambda s: s.type == "secret" and s.plain_value))

    def test_a_provider_without_keys_stops_no_directory(self):
        """Those that need keys are noted, all others have their banks."""
        # Why past the test of the keys: a provider that was on before an update stays on.
        self.env.cr.execute("UPDATE bank_sync_provider SET active = true")
        self.providers.invalidate_recordset(["active"])
        before = self.env["bank.sync.error"].search_count([])
        self.institutions._update_directory()
        listed = {
            provider.code: self.institutions.search_count([("provider_id", "=", provider.id)])
            for provider in self.providers
        }
        needs_keys = {
            provider.code
            for provider in self.providers
            if any(
                setting.required and not setting.default for setting in provider_class(provider.code).settings_needed
            )
        } - {"sandbox"}
        self.assertEqual({code for code, count in listed.items() if not count}, needs_keys)
        errors = self.env["bank.sync.error"].search([], limit=self.env["bank.sync.error"].search_count([]) - before)
        self.assertEqual(set(errors.mapped("code")), {"provider_not_configured"})
        self.assertEqual(set(errors.mapped("provider_code")), needs_keys)

    def test_banks_of_a_provider_that_is_switched_off_are_not_found(self):
        ponto = self.provider("ponto")
        ponto.active = True
        self.institutions._update_directory(ponto)
        self.assertTrue(self.institutions._search_page("ponto")[0])
        ponto.active = False
        self.assertFalse(self.institutions._search_page("ponto")[0])

    def test_a_private_key_pasted_into_one_line_comes_back_as_it_was_pasted(self):
        key = self.provider("enable_banking").setting_ids.filtered(lambda setting: setting.name == "private_key")
        pasted = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)).replace("\n", " ")
        key.value = pasted
        self.assertFalse(key.plain_value)
        self.assertTrue(key.is_set)
        self.assertEqual(key._as_values(), {"private_key": pasted})
