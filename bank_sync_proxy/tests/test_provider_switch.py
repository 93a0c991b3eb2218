from contextlib import closing

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged
from odoo.tests.common import HOST, JsonRpcException, _super_send

from .pure.contract import NOW, script_class

REFUSAL = {"ask": "GET /application", "status": 401, "answer": {"error": "x", "message": "The key is unknown"}}
ACCEPTANCE = {"ask": "GET /application", "answer": {"name": "Books", "environment": "PRODUCTION", "active": True}}
BANKS = {
    "ask": "GET /aspsps?service=AIS",
    "answer": {
        "aspsps": [
            {"name": name, "country": country, "psu_types": ["business"], "maximum_consent_validity": 7_776_000}
            for name, country in (("Mock Bank", "BE"), ("Second Bank", "BE"), ("Third Bank", "FI"))
        ]
    },
}


class SwitchCase(TransactionCase):
    @classmethod
    def _request_handler(cls, session, request, /, **options):
        # Why: Odoo's own compares the time-out with a number, and ours are two, to connect and to read.
        if request.url.startswith(f"http://{HOST}:"):
            return _super_send(session, request, **options)
        raise AssertionError(f"{request.url} is not the scripted server")

    def setUp(self):
        super().setUp()
        self.administrator = new_test_user(self.env, "switch", "base.group_user,bank_sync_proxy.group_administrator")

    def provider(self, code, user=None):
        providers = self.env["bank.sync.provider"].with_context(active_test=False)
        return providers.search([("code", "=", code)]).with_user(user or self.administrator)

    def enter(self, code):
        """:return: (provider with the keys of its script, that script), which the test closes"""
        script = script_class(code)()
        provider = self.provider(code)
        provider.sudo().setting_ids = [
            Command.create({"name": "base_url", "type": "text", "plain_value": script.server.base_url})
        ]
        for setting in provider.sudo().setting_ids:
            setting.value = script.settings.get(setting.name, setting.plain_value)
        return provider, script

    def switch_on(self, *exchanges):
        provider, script = self.enter("enable_banking")
        with closing(script.server), freeze_time(NOW):
            script.server.expect(list(exchanges))
            action = provider.action_switch_on()
            script.server.check_all()
        return provider, action


@tagged("post_install", "-at_install")
class TestSwitch(SwitchCase):
    """*Switch On*: only with keys that have passed, and never without the list of banks."""

    def test_one_button_tests_switches_on_and_lists_the_banks(self):
        provider, action = self.switch_on(ACCEPTANCE, BANKS)
        self.assertTrue(provider.active)
        self.assertEqual((provider.keys_state, provider.status), ("work", "on"))
        self.assertEqual(provider.status_message, "On · 3 banks in 2 countries")
        self.assertEqual(action["params"]["message"], "3 banks in 2 countries")

    def test_refused_keys_leave_it_off_and_the_form_says_why(self):
        provider, action = self.switch_on(REFUSAL)
        self.assertIsNone(action)
        self.assertFalse(provider.active)
        self.assertEqual(provider.keys_state, "refused")
        self.assertIn("The key is unknown", provider.keys_message)

    def test_without_keys_no_request_is_made_and_the_provider_stays_off(self):
        provider = self.provider("plaid")
        self.assertIsNone(provider.action_switch_on())
        self.assertFalse(provider.active)
        self.assertEqual(provider.keys_message, "Please enter these first: Client ID, Secret.")

    def test_a_list_that_fails_leaves_it_on_and_the_form_says_why(self):
        provider, action = self.switch_on(ACCEPTANCE, {"ask": "GET /aspsps?service=AIS", "status": 500, "answer": {}})
        self.assertTrue(provider.active)
        self.assertTrue(provider.directory_error_id)
        self.assertEqual(action["tag"], "soft_reload")

    def test_keys_of_users_need_the_button_only(self):
        for code in ("qonto", "ponto", "simplefin"):
            with self.subTest(code):
                provider = self.provider(code)
                provider.action_switch_on()
                self.assertTrue(provider.active)
                self.assertTrue(provider.institution_count)

    def test_keys_that_cannot_be_tested_have_to_be_complete(self):
        provider = self.provider("fints")
        provider.action_switch_on()
        self.assertFalse(provider.active)
        provider.setting_ids.filtered(lambda setting: setting.name == "product_id").value = "9FA6681DEC0CF3046BFC2F8A6"
        provider.action_switch_on()
        self.assertTrue(provider.active)

    def test_no_other_way_switches_it_on_without_keys_that_passed(self):
        provider, script = self.enter("enable_banking")
        script.server.close()
        for values in (
            {"active": True},
            {"active": True, "name": "Other"},
            {"active": True, "environment": "sandbox"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError), self.env.cr.savepoint():
                provider.write(values)
        with self.assertRaises(AccessError):
            provider.write({"keys_state": "work", "active": True})

    def test_old_keys_that_passed_do_not_switch_on_new_ones(self):
        provider, _action = self.switch_on(ACCEPTANCE, BANKS)
        provider.active = False
        key = provider.setting_ids.filtered(lambda setting: setting.name == "application_id")
        command = Command.update(key.id, {"value": "0f589be3-3755-465b-a8df-a90a16a31403"})
        try:
            with self.env.cr.savepoint():
                provider.write({"active": True, "setting_ids": [command]})
        except ValidationError:
            provider.invalidate_recordset()
        self.assertFalse(provider.active)

    def test_other_keys_switch_it_off_until_they_have_passed(self):
        provider, _action = self.switch_on(ACCEPTANCE, BANKS)
        key = provider.setting_ids.filtered(lambda setting: setting.name == "application_id")
        key.value = "0f589be3-3755-465b-a8df-a90a16a31403"
        self.assertFalse(provider.active)

    def test_keys_that_are_refused_later_leave_it_on(self):
        """Its connections fail one by one and say why; which of them still work is unknown."""
        provider, script = self.enter("enable_banking")
        with closing(script.server), freeze_time(NOW):
            script.server.expect([ACCEPTANCE, BANKS, REFUSAL])
            provider.action_switch_on()
            provider.action_test_keys()
        self.assertTrue(provider.active)
        self.assertEqual(provider.keys_state, "refused")

    def test_the_toggle_leads_to_the_list_of_banks_too(self):
        cron = self.env.ref("bank_sync_proxy.ir_cron_update_directory")
        before = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.provider("qonto").active = True
        self.assertEqual(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]), before + 1)

    def test_a_provider_that_was_on_before_an_update_stays_on(self):
        provider = self.provider("plaid")
        self.env.cr.execute("UPDATE bank_sync_provider SET active = true WHERE id = %s", [provider.id])
        provider.invalidate_recordset(["active"])
        self.env["bank.sync.provider"]._update_settings()
        self.env.flush_all()
        self.assertTrue(provider.active)
        provider.max_concurrent = 3
        self.assertTrue(provider.active)

    def test_only_an_administrator_switches(self):
        support = new_test_user(self.env, "desk", "base.group_user,bank_sync_proxy.group_support")
        with self.assertRaises(AccessError):
            self.provider("qonto", support).action_switch_on()


@tagged("post_install", "-at_install")
class TestSwitchOverRpc(HttpCase):
    def test_a_program_does_not_switch_on_what_has_no_keys(self):
        new_test_user(
            self.env, login="rpc", password="rpc", groups="base.group_user,bank_sync_proxy.group_administrator"
        )
        provider = self.env.ref("bank_sync_proxy.bank_sync_provider_plaid")
        self.authenticate("rpc", "rpc")
        for method, arguments in (("write", [provider.ids, {"active": True}]), ("action_unarchive", [provider.ids])):
            with self.subTest(method), self.assertRaisesRegex(JsonRpcException, "ValidationError"):
                self.make_jsonrpc_request(
                    f"/web/dataset/call_kw/bank.sync.provider/{method}",
                    {"model": "bank.sync.provider", "method": method, "args": arguments, "kwargs": {}},
                )
        self.assertFalse(provider.active)


@tagged("post_install", "-at_install")
class TestChoice(SwitchCase):
    """The cards: what reaches one's country, best first, with what a choice needs."""

    def cards(self, country):
        found = self.env.ref(f"base.{country}")
        providers = self.env["bank.sync.provider"].with_user(self.administrator).with_context(active_test=False)
        return providers.search([("country_id", "=", found.id)], order="rank, sequence, id").mapped("code")

    def test_the_country_comes_first_and_the_best_provider_first(self):
        self.assertEqual(
            self.cards("be"),
            [
                *("enable_banking", "ponto", "bunq", "mollie", "paypal", "qonto", "revolut_business", "stripe"),
                *("salt_edge", "gocardless"),
            ],
        )
        self.assertEqual(
            self.cards("us"), ["plaid", "teller", "simplefin", "paypal", "revolut_business", "stripe", "yodlee"]
        )
        self.assertEqual(self.cards("de")[:2], ["enable_banking", "fints"])

    def test_country_without_a_provider_has_no_card(self):
        self.assertEqual(self.cards("aq"), [])

    def test_a_country_is_found_by_its_name(self):
        providers = self.env["bank.sync.provider"].with_context(active_test=False)
        by_name = providers.search([("country_id", "ilike", "Finland")])
        self.assertEqual(by_name, providers.search([("country_id", "=", self.env.ref("base.fi").id)]))
        self.assertTrue(by_name)

    def test_the_menu_begins_with_the_company_s_country(self):
        self.env.company.country_id = self.env.ref("base.fr")
        context = self.env["bank.sync.provider"].with_user(self.administrator).action_choose()["context"]
        self.assertEqual(context["search_default_country_id"], self.env.ref("base.fr").id)

    def test_card_shows_the_provider_s_state(self):
        states = {code: self.provider(code).status_message for code in ("plaid", "gocardless", "qonto")}
        self.assertEqual(
            states,
            {
                "plaid": "Keys missing",
                "gocardless": "Can't be used: closed to new customers since July 2025; existing accounts still work",
                "qonto": "Ready to switch on",
            },
        )
        self.assertIn("On · ", self.provider("sandbox").status_message)

    def test_support_reads_the_cards_too(self):
        support = new_test_user(self.env, "desk2", "base.group_user,bank_sync_proxy.group_support")
        self.assertEqual(self.provider("plaid", support).status_message, "Keys missing")

    def test_archived_banks_are_not_counted(self):
        provider = self.provider("qonto")
        provider.action_switch_on()
        before = provider.institution_count
        bank = self.env["bank.sync.institution"].search([("provider_id", "=", provider.id)], limit=1)
        bank.active = False
        provider.invalidate_recordset()
        self.assertEqual(provider.institution_count, before - 1)

    def test_steps_contain_our_addresses(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "https://books.example.com")
        provider = self.provider("enable_banking")
        self.assertEqual(provider.callback_url, "https://books.example.com/bank_sync/callback/enable_banking")
        self.assertIn(provider.callback_url, provider.steps)
        self.assertFalse(provider.webhook_url or provider.lacks_https)
        self.assertEqual(self.provider("plaid").webhook_url, "https://books.example.com/bank_sync/webhook/plaid")

    def test_server_without_https_is_warned_before_a_user_signs_up(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "http://books.example.com")
        self.assertTrue(self.provider("enable_banking").lacks_https)
        self.assertFalse(self.provider("qonto").lacks_https)

    def test_numbers_are_written_as_the_user_s_language_does(self):
        describe = self.env["bank.sync.provider"]._describe_reach
        self.assertEqual(describe(2431, 29), "2,431 banks in 29 countries")
        self.assertEqual(describe(8, 1), "8 banks in 1 country")
        self.assertEqual(describe(1, 1), "1 bank")
