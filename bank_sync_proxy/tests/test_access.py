from odoo import Command
from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged

from .common import ProxyCase

#: Fields that only the system reads, although most of them are encrypted.
SECRETS = (
    "secret_state",
    "secret_content",
    "secret_data",
    "secret_phone",
    "encrypted_value",
    "token_digest",
    "return_url",
    "database_digest",
    "browser_digest",
    "callback_digest",
    "code_digest",
)


class AccessMixin:
    """Who reads what of an addon's models."""

    #: What support reads.
    desk = ()
    #: What administrators read, and support does not.
    closed = ()
    #: Models that no user reads.
    machinery = ()
    menus_of_support = ()
    menus_of_administrators = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.employee = new_test_user(cls.env, "employee", groups="base.group_user")
        cls.support = new_test_user(cls.env, "sam", groups="bank_sync_proxy.group_support")
        cls.administrator = new_test_user(cls.env, "ada", groups="bank_sync_proxy.group_administrator")

    def test_an_employee_reads_nothing(self):
        for model in (*self.desk, *self.closed, *self.machinery):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.employee).search([])

    def test_the_machinery_is_the_system_s(self):
        for model in self.machinery:
            for user in (self.support, self.administrator):
                with self.subTest(model=model, user=user.login), self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])

    def test_support_reads_its_desk_and_changes_nothing_directly(self):
        for model in self.desk:
            with self.subTest(model=model):
                records = self.env[model].with_user(self.support)
                records.search([], limit=1)
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(records.has_access(operation), operation)

    def test_support_sees_no_secret(self):
        self.connect()
        for user in (self.support, self.administrator):
            for model in (*self.desk, *self.closed, *self.machinery):
                for name in set(SECRETS) & set(self.env[model]._fields):
                    with self.subTest(user=user.login, model=model, name=name), self.assertRaises(AccessError):
                        self.env[model].with_user(user).search([], limit=1).read([name])
                        self.env[model].with_user(user).search([(name, "!=", False)])

    def test_odoo_administrators_administer_the_proxy(self):
        user = new_test_user(self.env, "system", groups="base.group_system")
        self.assertTrue(user.has_group("bank_sync_proxy.group_administrator"))
        for model in (*self.desk, *self.closed):
            self.env[model].with_user(user).search([])

    def test_menus_follow_the_groups(self):
        def seen(user, name):
            menus = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            return self.env.ref(name).id in menus

        for name in self.menus_of_support:
            self.assertFalse(seen(self.employee, name))
            self.assertTrue(seen(self.support, name))
        for name in self.menus_of_administrators:
            self.assertFalse(seen(self.support, name))
            self.assertTrue(seen(self.administrator, name))

    def test_each_view_opens_for_support(self):
        for model in self.desk:
            views = self.env["ir.ui.view"].search([("model", "=", model), ("type", "!=", "qweb")])
            for view in views:
                with self.subTest(view=view.name):
                    self.env[model].with_user(self.support).get_view(view.id, view.type)

    def test_secrets_are_not_exported(self):
        self.connect()
        for model in (*self.desk, *self.closed):
            fields = self.env[model]._fields
            for name in SECRETS:
                if name in fields:
                    self.assertEqual(fields[name].groups, "base.group_system")
                    self.assertFalse(fields[name].copy and name != "return_url")


@tagged("post_install", "-at_install")
class TestAccess(AccessMixin, ProxyCase):
    """The back office is for support and administrators; all others use the protocol."""

    allow_inherited_tests_method = True
    desk = (
        "bank.sync.client",
        "bank.sync.connection",
        "bank.sync.error",
        "bank.sync.event",
        "bank.sync.institution",
        "bank.sync.provider",
        "bank.sync.visit",
    )
    closed = ("bank.sync.provider.setting",)
    machinery = ("bank.sync.connection.secret", "bank.sync.usage")
    menus_of_support = ("bank_sync_proxy.bank_sync_error_menu",)
    menus_of_administrators = ("bank_sync_proxy.bank_sync_provider_menu",)

    def test_support_sees_no_key(self):
        with self.assertRaises(AccessError):
            self.env["bank.sync.provider.setting"].with_user(self.support).search([])
        with self.assertRaises(AccessError):
            self.provider.with_user(self.support).read(["setting_ids"])

    def test_support_does_not_run_the_proxy(self):
        provider = self.provider.with_user(self.support)
        for action in ("action_update_directory", "action_one_day_later"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(provider, action)()
        with self.assertRaises(AccessError):
            provider.write({"active": False})

    def test_an_administrator_runs_it_and_does_what_support_does(self):
        self.assertTrue(self.administrator.has_group("bank_sync_proxy.group_support"))
        provider = self.provider.with_user(self.administrator)
        self.env["bank.sync.institution"].search([("provider_id", "=", provider.id)], limit=1).sudo().name = "Renamed"
        provider.action_update_directory()
        self.assertFalse(self.env["bank.sync.institution"].search([("name", "=", "Renamed")]))
        provider.write({"sequence": 3})

    def test_an_administrator_enters_a_key_and_never_sees_it_again(self):
        setting = self.env["bank.sync.provider.setting"].create(
            {"provider_id": self.provider.id, "name": "key", "label": "Key", "type": "secret"}
        )
        own = setting.with_user(self.administrator)
        own.write({"value": "recognizable"})
        self.env.invalidate_all()
        self.assertEqual(own.read(["value", "is_set"]), [{"id": own.id, "value": False, "is_set": True}])
        self.assertEqual(self.provider.setting_ids._as_values()["key"], "recognizable")

    def test_users_cannot_create_a_consent(self):
        for user in (self.support, self.administrator):
            with self.assertRaises(AccessError):
                self.env["bank.sync.connection"].with_user(user).create({"client_id": self.client_record.id})

    def test_a_support_that_lost_its_group_lost_its_rights(self):
        self.support.group_ids = [Command.unlink(self.env.ref("bank_sync_proxy.group_support").id)]
        with self.assertRaises(AccessError):
            self.env["bank.sync.client"].with_user(self.support).search([])

    def test_protocol_serves_the_client_that_the_transport_has_authenticated(self):
        answer = self.api_model.with_user(self.employee)._dispatch(self.client_record, "institutions.search", {})
        self.assertTrue(answer["institutions"])

    def test_nothing_of_the_protocol_can_be_called_over_rpc(self):
        own = {
            name for parent in type(self.api_model).mro() if parent.__name__ == "BankSyncApi" for name in vars(parent)
        }
        self.assertIn("_dispatch", own)
        self.assertFalse([name for name in own if not name.startswith("_")])
        with self.assertRaises(AccessError):
            get_public_method(self.api_model, "_dispatch")
