import json
import time
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import JsonRpcException

from .common import OnlineSyncCommon

WIZARD = "res.users.identitycheck"


@tagged("post_install", "-at_install")
class TestIdentity(OnlineSyncCommon, HttpCase):
    """Who gives a consent back, or lets another service receive them, confirms the password first, as for API keys."""

    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env,
            login="identified",
            password="identified",
            groups="account.group_account_manager,base.group_system",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.link = self.connect_journal()
        self.service = self.env["account.online.service"]._get()
        self.authenticate("identified", "identified")

    # -------------------------------------------------------------------------
    # HELPERS
    # -------------------------------------------------------------------------

    def call(self, model, method, ids, *arguments, **context):
        """:return: answer of a call as the web client makes it"""
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": [ids, *arguments], "kwargs": {"context": context}},
        )

    def call_with_key(self, model, method, ids, **arguments):
        """:return: response of a call as a program makes it"""
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        key = self.env["res.users.apikeys"].with_user(self.user)._generate("rpc", "Test", tomorrow)
        return self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps({"ids": ids, **arguments}),
            headers={"Authorization": f"bearer {key}", "Content-Type": "application/json"},
        )

    def settings(self, url="https://elsewhere.example.com"):
        settings = self.env["res.config.settings"].with_user(self.user)
        return settings.create({"online_sync_service": "elsewhere", "online_sync_url": url}).id

    def confirm(self, action, password="identified"):
        self.assertEqual(action["res_model"], WIZARD)
        return self.call(WIZARD, "run_check", [action["res_id"]], password=password)

    # -------------------------------------------------------------------------
    # DISCONNECT
    # -------------------------------------------------------------------------

    def test_disconnect_asks_for_the_password_and_then_gives_the_consent_back(self):
        action = self.call("account.online.link", "action_disconnect", self.link.ids)
        self.assertEqual(self.link.state, "connected")
        told = self.confirm(action)
        self.assertEqual(told["params"]["type"], "success")
        self.assertEqual(self.link.state, "disconnected")

    def test_a_wrong_password_disconnects_nothing(self):
        action = self.call("account.online.link", "action_disconnect", self.link.ids)
        with self.assertRaisesRegex(JsonRpcException, "UserError"):
            self.confirm(action, "guessed")
        self.assertEqual(self.link.state, "connected")

    def test_an_api_key_is_not_a_confirmation(self):
        for model, method, ids in (
            ("account.online.link", "action_disconnect", self.link.ids),
            ("res.config.settings", "action_register_online_sync", [self.settings()]),
            ("res.config.settings", "action_rotate_online_sync_secret", [self.settings()]),
            ("res.config.settings", "execute", [self.settings()]),
        ):
            with self.subTest(method):
                answer = self.call_with_key(model, method, ids)
                self.assertEqual(answer.status_code, 200, answer.text)
                self.assertEqual(answer.json()["res_model"], WIZARD)
        self.assertEqual(self.link.state, "connected")
        self.assertFalse(self.service.url)

    def test_rights_are_looked_at_before_and_after_the_password(self):
        accountant = new_test_user(
            self.env,
            login="accountant",
            password="accountant",
            groups="account.group_account_basic",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        action = self.call("account.online.link", "action_disconnect", self.link.ids)
        self.user.group_ids -= self.env.ref("account.group_account_manager")
        self.user.group_ids += self.env.ref("account.group_account_basic")
        self.authenticate("accountant", "accountant")
        with self.assertRaisesRegex(JsonRpcException, "AccessError"):
            self.call("account.online.link", "action_disconnect", self.link.ids)
        self.assertTrue(accountant)
        self.authenticate("identified", "identified")
        with self.assertRaisesRegex(JsonRpcException, "AccessError"):
            self.confirm(action)
        self.assertEqual(self.link.state, "connected")

    # -------------------------------------------------------------------------
    # THE CONNECTION SERVICE
    # -------------------------------------------------------------------------

    def test_who_may_not_change_the_service_is_not_even_asked_for_a_password(self):
        manager = new_test_user(
            self.env,
            login="onlymanager",
            password="onlymanager",
            groups="account.group_account_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        wizards = self.env[WIZARD].search_count([])
        self.authenticate(manager.login, manager.login)
        for method in ("action_rotate_online_sync_secret", "action_register_online_sync"):
            with self.subTest(method), self.assertRaisesRegex(JsonRpcException, "UserError|AccessError"):
                self.call("res.config.settings", method, [])
        self.assertEqual(self.env[WIZARD].search_count([]), wizards)

    def test_another_service_is_chosen_only_after_the_password(self):
        action = self.call("res.config.settings", "execute", [self.settings()])
        self.assertFalse(self.service.url)
        self.confirm(action)
        self.assertEqual(self.service.url, "https://elsewhere.example.com")

    def test_the_method_of_the_button_needs_the_confirmation_too(self):
        settings = self.settings()
        with self.assertRaisesRegex(JsonRpcException, "AccessError"):
            self.call("res.config.settings", "set_values", [settings])
        answer = self.call_with_key("res.config.settings", "set_values", [settings])
        self.assertEqual(answer.status_code, 403, answer.text)
        self.assertFalse(self.service.url)

    def test_settings_that_change_no_service_are_saved_without_a_password(self):
        self.service._choose("https://elsewhere.example.com")
        settings = self.settings("elsewhere.example.com/")
        answer = self.call("res.config.settings", "execute", [settings])
        self.assertNotEqual(answer.get("res_model"), WIZARD)

    def test_a_confirmation_counts_for_ten_minutes(self):
        self.confirm(self.call("account.online.link", "action_disconnect", self.link.ids))
        self.session["identity-check-last"] = time.time()
        answer = self.call("res.config.settings", "execute", [self.settings()])
        self.assertNotEqual(answer.get("res_model"), WIZARD)
        self.assertEqual(self.service.url, "https://elsewhere.example.com")
