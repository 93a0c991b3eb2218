from freezegun import freeze_time

from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_common.tests.server_doors import ServerDoors
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestServerFields(ServerDoors, OnlineSyncCommon):
    """State that only the server may set: no door leads to it, for whichever model and field."""

    allow_inherited_tests_method = True
    mixin = "account.online.server.fields"
    addons = ("account_online_synchronization",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env,
            "all_rights",
            groups="account.group_account_manager,base.group_system",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def samples(self):
        mine = self.env(user=self.user, su=True)
        if not hasattr(self, "sample_link"):
            self.proxy.book("T1", "5.00")
            self.sample_link = self.connect_journal()
            self.synchronize(self.sample_link)
        link = self.sample_link.with_env(mine)
        selection = mine["account.online.account.selection"]._create_for(link, refresh=False)
        # Why deleted: each call creates new samples, and a run has one load for each account.
        mine["account.online.load"].search([("run_id", "in", link.run_ids.ids)]).unlink()
        missing = mine["account.missing.transaction.wizard"].create({"journal_id": self.journal.id})
        records = [
            link,
            link.account_online_account_ids,
            self.journal,
            self.lines(),
            self.statements(),
            selection,
            selection.line_ids,
            missing,
            mine["account.missing.transaction.page"].create({"wizard_id": missing.id}),
            mine["account.duplicate.transaction.wizard"].create({"journal_id": self.journal.id}),
            mine["account.online.firm"].create({"client_name": "Books"}),
            mine["account.online.phone"].create({"mode": "verify", "kind": "connect"}),
            mine["account.online.opening"].create(
                {"account_online_account_id": link.account_online_account_ids.id, "company_id": self.company.id}
            ),
            mine["account.online.renewal"].create({"link_id": link.id}),
            mine["account.online.reversal"].create({"account_id": link.account_online_account_ids.id}),
            mine["account.online.authorization"]._remember("connect", "nonce", {}, link),
            link.run_ids,
            mine["account.online.load"].create(
                {"run_id": link.run_ids[:1].id, "account_online_account_id": link.account_online_account_ids.id}
            ),
            mine["account.online.transaction"].create(
                {
                    "account_online_account_id": link.account_online_account_ids.id,
                    "state": "pending",
                    "online_transaction_identifier": f"P{mine['account.online.transaction'].search_count([])}",
                }
            ),
        ]
        return {record._name: record[:1] for record in records}

    def test_superuser_rights_begin_without_the_context_of_the_caller(self):
        caller = self.env(user=self.user, su=False)["account.online.link"].with_context(
            default_state="connected", force_delete=True, skip_checks=True, online_withdrawn=True, lang="fr_FR"
        )
        self.assertEqual(dict(as_server(caller).env.context), {"lang": "fr_FR"})
        self.assertTrue(as_server(caller).env.su)
        self.assertEqual(as_server(caller).env.user, self.user)

    def test_superuser_rights_do_not_begin_in_a_company_of_others(self):
        other = self.setup_other_company()["company"]
        caller = self.env(user=self.user, su=False)["account.online.link"]
        with self.assertRaises(AccessError):
            as_server(caller.with_context(allowed_company_ids=other.ids))

    def test_superuser_rights_keep_what_the_server_itself_has_set(self):
        server = self.Link.sudo().with_context(online_withdrawn=True, default_state="connected")
        self.assertTrue(as_server(server).env.context["online_withdrawn"])
        self.assertNotIn("default_state", as_server(server).env.context)
