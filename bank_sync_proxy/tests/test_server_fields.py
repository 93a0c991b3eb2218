from odoo.addons.bank_sync_common.tests.server_doors import ServerDoors
from odoo.tests import new_test_user, tagged

from .common import ProxyCase


@tagged("post_install", "-at_install")
class TestServerFields(ServerDoors, ProxyCase):
    """State that only the server may set: no door leads to it, for whichever model and field."""

    allow_inherited_tests_method = True
    mixin = "bank.sync.server.fields"
    addons = ("bank_sync_proxy",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(cls.env, "all_rights", groups="base.group_system")

    def samples(self):
        records = [self.other_client, self.provider, self.provider.setting_ids]
        return {record._name: record[:1] for record in records}
