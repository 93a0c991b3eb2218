import json
from contextlib import closing
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, TransactionCase, new_test_user, tagged
from odoo.tests.common import HOST, JsonRpcException, _super_send

from ..providers import PROVIDERS, provider_class
from ..providers.base import Provider
from .pure.contract import NOW, script_class
from .pure.enable_banking_server import pem
from .pure.scripted import Case

#: An unused key, and a text that resembles one.
PEM = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
OURS, THEIRS = "11111111-3755-465b-a8df-a90a16a31403", "22222222-3755-465b-a8df-a90a16a31403"
NO_PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\n"
APPLICATION, ANOTHER_APPLICATION = "cf589be3-3755-465b-a8df-a90a16a31403", "0f589be3-3755-465b-a8df-a90a16a31403"


@tagged("post_install", "-at_install")
class TestProviderKeys(TransactionCase):
    """*Test These Keys* says in one sentence what is wrong and who must act, and never shows a key again."""

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        # Why: Odoo's own compares the time-out with a number, and ours are two, to connect and to read.
        if request.url.startswith(f"http://{HOST}:"):
            return _super_send(session, request, **options)
        raise AssertionError(f"{request.url} is not the scripted server")

    def setUp(self):
        super().setUp()
        self.administrator = new_test_user(self.env, "keys", "base.group_user,bank_sync_proxy.group_administrator")

    def provider(self, code):
        return self.env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", code)])

    def settings(self, provider):
        return provider.setting_ids.grouped("name")

    def enter(self, script):
        """Enter the keys of a script, and lead the adapter to its server."""
        provider = self.provider(script.code)
        self.settings(provider).get("base_url", provider.setting_ids.browse()).unlink()
        provider.setting_ids = [Command.create({"name": "base_url", "type": "text"})]
        self.settings(provider)["base_url"].value = script.server.base_url
        for name, value in script.settings.items():
            self.settings(provider)[name].value = value
        return provider

    def ask(self, code, exchanges):
        script = script_class(code)()
        with closing(script.server), freeze_time(NOW):
            provider = self.enter(script)
            script.server.expect(exchanges)
            provider.with_user(self.administrator).action_test_keys()
            script.server.check_all()
        return provider

    def test_working_keys_show_the_result_of_their_test(self):
        for code in ("enable_banking", "plaid", "gocardless", "salt_edge", "teller", "yodlee"):
            with self.subTest(code):
                case = Case(code, "keys")
                provider = self.ask(code, case.exchanges)
                self.assertEqual(provider.keys_state, "work", provider.keys_message)
                self.assertIn(case.gives["says"], provider.keys_message)
                self.assertTrue(provider.keys_tested_at)
                self.assertFalse(provider.active, "they are tested before anybody can use it")

    def test_keys_that_are_refused(self):
        answer = {"status": 401, "answer": {"error": "x", "message": "The key is unknown"}}
        provider = self.ask("enable_banking", [{"ask": "GET /application", **answer}])
        self.assertEqual(provider.keys_state, "refused")
        self.assertIn("The key is unknown", provider.keys_message)
        record = self.env["bank.sync.error"].search([], limit=1)
        self.assertIn(record.reference, provider.keys_message)
        self.assertEqual((record.operation, record.code), ("providers.test_keys", "provider_not_configured"))

    def test_a_provider_that_fails_says_nothing_about_the_keys(self):
        for answer, words in (
            ({"status": 500, "answer": {}}, "can't be reached"),
            ({"status": 429, "answer": {}, "headers": {"Retry-After": "600"}}, "in 10 minutes"),
            ({"answer": {"undocumented": True}}, "unexpected way"),
        ):
            with self.subTest(words):
                provider = self.ask("enable_banking", [{"ask": "GET /application", **answer}])
                self.assertEqual(provider.keys_state, "unknown")
                self.assertIn(words, provider.keys_message)

    def test_missing_key_is_named_and_no_request_is_made(self):
        provider = self.provider("enable_banking")
        provider.setting_ids.sudo().write({"plain_value": False, "encrypted_value": False})
        provider.action_test_keys()
        self.assertEqual(
            (provider.keys_state, provider.keys_message),
            ("unknown", "Please enter these first: Application ID, Private key."),
        )

    def test_a_key_that_is_none_is_refused_without_asking(self):
        """One that an older version has stored; today its form is checked when it is entered."""
        provider = self.provider("enable_banking")
        self.settings(provider)["application_id"].value = APPLICATION
        key = self.settings(provider)["private_key"]
        key.sudo().encrypted_value = self.env["bank.sync.vault"]._encrypt(key, "encrypted_value", NO_PEM)
        provider.action_test_keys()
        self.assertEqual(provider.keys_state, "refused")
        self.assertNotIn("AAAA", provider.keys_message)

    def test_a_value_of_the_wrong_form_is_not_stored_and_not_repeated(self):
        settings = self.settings(self.provider("enable_banking"))
        for name, field, value in (
            ("application_id", "value", "My-Application"),
            ("application_id", "plain_value", "My-Application"),
            ("private_key", "value", NO_PEM),
            ("private_key", "long_value", NO_PEM),
        ):
            with self.subTest(name, field=field), self.assertRaises(ValidationError) as raised:
                settings[name].with_user(self.administrator)[field] = value
                settings[name].flush_recordset()
            self.assertNotIn(value[30:40] or value, str(raised.exception))

    def test_the_form_says_at_once_that_a_value_can_t_be_right(self):
        provider = self.provider("enable_banking").with_user(self.administrator)
        form = Form(provider)
        with form.setting_ids.edit(0) as setting:
            setting.value = "My Application"
            self.assertIn("32 letters and digits", setting.fault)
            setting.value = APPLICATION
            self.assertFalse(setting.fault)
        with form.setting_ids.edit(1) as setting:
            setting.long_value = NO_PEM
            self.assertIn("not an RSA private key", setting.fault)
            setting.long_value = PEM
            self.assertFalse(setting.fault)

    def test_space_around_a_pasted_value_is_not_kept(self):
        settings = self.settings(self.provider("plaid"))
        settings["client_id"].value, settings["secret"].value = " client\n", "\tsecret "
        values = self.provider("plaid").setting_ids._as_values()
        self.assertEqual((values["client_id"], values["secret"]), ("client", "secret"))

    def test_other_keys_have_not_been_tested(self):
        provider = self.ask("enable_banking", Case("enable_banking", "keys").exchanges)
        with Form(provider.with_user(self.administrator)) as form, form.setting_ids.edit(0) as setting:
            setting.value = ANOTHER_APPLICATION
        self.assertFalse(provider.keys_state or provider.keys_message or provider.keys_tested_at)

    def test_private_key_keeps_its_lines_and_is_never_shown(self):
        provider = self.provider("enable_banking").with_user(self.administrator)
        with Form(provider) as form, form.setting_ids.edit(1) as setting:
            setting.long_value = PEM
        key = self.settings(provider)["private_key"]
        self.assertEqual(key.type, "key")
        self.assertEqual((key.value, key.long_value, key.plain_value, key.is_set), (False, False, False, True))
        self.assertEqual(key.sudo()._as_values(), {"private_key": PEM})
        key.long_value = False
        self.assertTrue(key.is_set, "an empty field is not touched")

    def test_keys_of_users_are_not_asked_for_here(self):
        owners = {code: self.provider(code).keys_owner for code in ("qonto", "ponto", "simplefin", "sandbox", "plaid")}
        self.assertEqual(
            owners, {"qonto": "user", "ponto": "user", "simplefin": "user", "sandbox": "nobody", "plaid": "proxy"}
        )

    def test_every_adapter_with_keys_of_the_proxy_can_test_them(self):
        for code, _label, _name in PROVIDERS:
            adapter = provider_class(code)
            if self.provider(code).keys_owner == "proxy" and not Case(code, "keys").impossible:
                self.assertIsNot(adapter.check_keys, Provider.check_keys, code)

    def test_keys_that_cannot_be_tested(self):
        """The registration for FinTS counts only together with a user's PIN."""
        provider = self.provider("fints")
        self.settings(provider)["product_id"].value = "9FA6681DEC0CF3046BFC2F8A6"
        provider.action_test_keys()
        self.assertEqual(provider.keys_state, "unknown")
        self.assertIn("when a user connects a bank", provider.keys_message)

    def test_who_only_helps_users_tests_no_keys(self):
        support = new_test_user(self.env, "helper", "base.group_user,bank_sync_proxy.group_support")
        with self.assertRaises(AccessError):
            self.provider("plaid").with_user(support).action_test_keys()

    def test_an_update_brings_what_the_adapters_declare_now(self):
        key = self.settings(self.provider("enable_banking"))["private_key"]
        key.value = PEM
        key.write({"type": "secret", "label": "Old", "is_required": False})
        self.env["bank.sync.provider"]._update_settings()
        self.assertEqual((key.type, key.label, key.is_required, key.is_set), ("key", "Private key", True, True))

    def test_a_key_that_is_written_directly_has_not_been_tested_either(self):
        provider = self.ask("enable_banking", Case("enable_banking", "keys").exchanges)
        self.settings(provider)["application_id"].with_user(self.administrator).value = ANOTHER_APPLICATION
        self.assertFalse(provider.keys_state)


@tagged("post_install", "-at_install")
class TestIdentity(HttpCase):
    """Keys of providers can only be changed by a user who has just confirmed the password."""

    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env,
            login="keeper",
            password="keeper",
            groups="base.group_user,bank_sync_proxy.group_administrator",
        )
        self.provider = self.env.ref("bank_sync_proxy.bank_sync_provider_enable_banking")
        self.key = self.provider.setting_ids.filtered(lambda setting: setting.name == "application_id")
        self.key.value = OURS
        self.authenticate("keeper", "keeper")

    def call(self, model, method, ids, *arguments, **context):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": [ids, *arguments], "kwargs": {"context": context}},
        )

    def ways_to_change_a_key(self):
        setting, provider = "bank.sync.provider.setting", "bank.sync.provider"
        yield setting, "write", self.key.ids, {"value": THEIRS}
        yield setting, "write", self.key.ids, {"plain_value": THEIRS}
        yield setting, "write", self.key.ids, {"long_value": THEIRS}
        yield provider, "write", self.provider.ids, {"setting_ids": [(1, self.key.id, {"value": THEIRS})]}
        yield provider, "write", self.provider.ids, {"environment": "production"}

    def test_without_it_nothing_changes(self):
        before = (self.key.plain_value, self.provider.environment)
        for way in self.ways_to_change_a_key():
            with self.subTest(way=way), self.assertRaisesRegex(JsonRpcException, "AccessError"):
                self.call(*way)
        self.assertEqual((self.key.plain_value, self.provider.environment), before)
        self.assertTrue(
            self.call("bank.sync.provider", "read", self.provider.ids, ["are_keys_locked"])[0]["are_keys_locked"]
        )

    def test_api_key_does_not_confirm_the_password(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        token = self.env["res.users.apikeys"].with_user(self.user)._generate("rpc", "Test", tomorrow)
        answer = self.url_open(
            "/json/2/bank.sync.provider.setting/write",
            data=json.dumps({"ids": self.key.ids, "vals": {"value": THEIRS}}),
            headers={"Authorization": f"bearer {token}", "Content-Type": "application/json"},
        )
        self.assertEqual(answer.status_code, 403, answer.text)
        self.assertEqual(self.key.plain_value, OURS)

    def test_with_it_they_are_entered(self):
        action = self.call("bank.sync.provider", "action_change_keys", self.provider.ids)
        self.call("res.users.identitycheck", "run_check", [action["res_id"]], password="keeper")
        self.call("bank.sync.provider.setting", "write", self.key.ids, {"value": THEIRS})
        self.assertEqual(self.key.plain_value, THEIRS)

    def test_setting_that_is_not_a_key_needs_no_confirmation(self):
        self.call("bank.sync.provider", "write", self.provider.ids, {"max_concurrent": 3})
        sandbox = self.env["bank.sync.provider"].search([("code", "=", "sandbox")])
        self.call("bank.sync.provider", "action_one_day_later", sandbox.ids)
        self.assertEqual(self.provider.max_concurrent, 3)
