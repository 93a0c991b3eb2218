from odoo.addons.bank_sync_common.tests.server_doors import ServerDoors
from odoo.tests import new_test_user, tagged

from .common import ReconcileCommon


@tagged("post_install", "-at_install")
class TestServerFields(ServerDoors, ReconcileCommon):
    """What was decided and booked is set by the server only."""

    allow_inherited_tests_method = True
    mixin = "account.online.server.fields"
    addons = ("account_online_reconcile",)

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
        decision = self.find(self.line(100, self.document(100).name))
        return {decision._name: decision.with_env(mine)}

    def test_server_fields_are_refused_by_commands_of_other_records(self):
        """No other record has commands that lead to a decision."""
        leading = [
            f"{model}.{name}"
            for model in self.env.registry
            for name, field in self.env[model]._fields.items()
            if field.type in ("one2many", "many2many") and field.comodel_name == "account.reconcile.decision"
        ]
        self.assertFalse(leading)

    def test_what_this_addon_adds_to_a_journal_is_protected(self):
        self.assertLessEqual({"reconcile_dry_run_at"}, self.env["account.journal"]._server_fields())
