from odoo import Command
from odoo.addons.bank_sync_common.tests.server_doors import ServerDoors
from odoo.addons.bank_sync_proxy.tests.common import ProxyCase
from odoo.tests import new_test_user, tagged


@tagged("post_install", "-at_install")
class TestServerFields(ServerDoors, ProxyCase):
    """What this addon adds to the proxy's models, and its own models: only the server sets it."""

    allow_inherited_tests_method = True
    mixin = "bank.sync.server.fields"
    addons = ("bank_sync_proxy", "bank_sync_proxy_server")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(cls.env, "all_rights", groups="base.group_system,bank_sync_proxy_server.group_firm")

    def samples(self):
        mine = self.env(user=self.user, su=True)
        intervention = mine["bank.sync.intervention"].create({"action": "block", "client_ids": self.other_client.ids})
        firm = mine["bank.sync.firm"].create(
            {"name": "Abacus", "member_ids": [Command.create({"user_id": self.user.id})]}
        )
        of_client = mine["bank.sync.firm.agreement"].search([("client_id", "=", self.other_client.id)])
        agreement = of_client or of_client.create(
            {"firm_id": firm.id, "client_id": self.other_client.id, "client_name": "Books"}
        )
        letter = mine["bank.sync.firm.letter"].create({"subject": "x", "body": "y"})
        records = [self.other_client, self.provider, self.provider.setting_ids, intervention]
        records += [firm, firm.member_ids, agreement, letter]
        return {record._name: record[:1] for record in records}

    def test_what_this_addon_adds_to_a_client_is_protected(self):
        self.assertLessEqual({"url", "state", "secret_data"}, self.env["bank.sync.client"]._server_fields())
