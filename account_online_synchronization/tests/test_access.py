from odoo.exceptions import AccessError
from odoo.models import BaseModel
from odoo.tests import new_test_user, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestAccess(OnlineSyncCommon):
    """Accountants synchronize, accounting administrators connect, only the system reads secrets."""

    def new_user(self, *groups):
        return new_test_user(
            self.env,
            login="-".join(groups),
            groups=",".join(groups),
            company_id=self.company.id,
            company_ids=self.company.ids,
        )

    def test_an_accountant_synchronizes(self):
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        accountant = self.new_user("account.group_account_basic")
        self.journal.with_user(accountant).action_synchronize_now()
        self.fetch_planned()
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(link.run_ids.user_id, accountant)

    def test_an_accountant_does_not_connect_banks(self):
        accountant = self.new_user("account.group_account_basic")
        link = self.connect_journal()
        for action in ("action_connect_bank", "action_reconnect", "action_update_credentials", "action_fetch_accounts"):
            with self.subTest(action), self.assertRaisesRegex(AccessError, "Only accounting administrators"):
                getattr(link.with_user(accountant), action)()

    def test_an_invoicing_user_does_not_synchronize(self):
        self.connect_journal()
        invoicing = self.new_user("account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.journal.with_user(invoicing).action_synchronize_now()

    def test_an_invoicing_user_still_opens_the_dashboard(self):
        self.connect_journal()
        invoicing = self.new_user("account.group_account_invoice")
        self.assertIn("online_sync", self.journal.with_user(invoicing).kanban_dashboard)

    def test_an_accounting_administrator_connects(self):
        manager = self.new_user("account.group_account_manager")
        self.assertEqual(self.address_of_bank(self.Directory.with_user(manager).action_open_bank("I1")), "/bank")

    def test_connection_identifier_is_readable_by_the_system_only(self):
        link = self.connect_journal()
        manager = self.new_user("account.group_account_manager")
        with self.assertRaises(AccessError):
            link.with_user(manager).read(["connection_identifier"])
        with self.assertRaises(AccessError):
            link.account_online_account_ids.with_user(manager).read(["online_identifier"])

    def test_links_of_another_company_are_invisible(self):
        link = self.connect_journal()
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="account.group_account_manager",
            company_id=self.env.ref("base.main_company").id,
            company_ids=self.env.ref("base.main_company").ids,
        )
        self.assertNotIn(link, self.Link.with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            link.with_user(stranger).read(["name"])

    def test_a_question_is_answered_by_the_one_who_was_asked(self):
        """Odoo has no rule for transient models: they hold account numbers and amounts, and what is done with them."""
        account = self.connect_journal().account_online_account_ids
        asked = self.new_user("account.group_account_manager")
        other = new_test_user(
            self.env,
            login="other",
            groups="account.group_account_manager",
            company_id=self.env.ref("base.main_company").id,
            company_ids=self.env.ref("base.main_company").ids,
        )
        opening = {"account_online_account_id": account.id, "company_id": self.company.id, "amount": 7.0}
        for name, values in (
            ("account.online.opening", opening),
            ("account.online.reversal", {"account_id": account.id}),
        ):
            with self.subTest(name):
                wizard = self.env[name].with_user(asked).sudo().create(values).sudo(False)
                self.assertEqual(wizard.search([]), wizard)
                self.assertFalse(wizard.with_user(other).search([]))
                self.assertFalse(wizard.with_user(other).has_access("read"))
                self.assertFalse(wizard.with_user(other).has_access("write"))
                self.assertFalse(wizard.with_user(other).has_access("unlink"))

    def test_settings_are_neither_shown_nor_saved_over_rpc_without_a_record(self):
        """Their methods are public, and without a record Odoo has no rights to check."""
        Settings = self.env["res.config.settings"].with_user(self.new_user("account.group_account_manager"))
        self.assertNotIn("online_sync_client_identifier", Settings.get_values())
        with self.assertRaises(AccessError):
            Settings.set_values()

    def test_connections_and_accounts_are_made_by_the_server_only(self):
        manager = self.new_user("account.group_account_manager")
        for model in ("account.online.link", "account.online.account"):
            self.assertFalse(self.env[model].with_user(manager).has_access("create"), model)

    def test_private_methods_are_private(self):
        """What synchronizes with superuser rights must not be callable over RPC."""
        for model in (
            *("account.online.link", "account.online.directory", "account.online.account"),
            "account.online.authorization",
        ):
            public = {
                name
                for cls in type(self.env[model]).__mro__
                if cls.__module__.startswith("odoo.addons.account_online_synchronization.")
                for name in vars(cls)
                if callable(getattr(self.env[model], name, None)) and not name.startswith("_")
            }
            orm = {name for name in public if hasattr(BaseModel, name)}
            # What a screen asks; it checks who asks, as actions do.
            orm.add("get_first_load")
            self.assertFalse([name for name in public - orm if not name.startswith("action_")], model)
