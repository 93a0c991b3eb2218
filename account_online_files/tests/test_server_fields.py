from freezegun import freeze_time

from odoo.addons.bank_sync_common.tests.server_doors import ServerDoors
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import FilesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-21 10:00:00")
class TestServerFields(ServerDoors, FilesCommon):
    """What files have brought is set by the server only."""

    allow_inherited_tests_method = True
    mixin = "account.online.server.fields"
    addons = ("account_online_files",)

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
        if not hasattr(self, "sample_file"):
            (self.sample_file,) = self.import_file(self.statement([self.row(3, "-5")]))
            self.sample_source = self.env["account.online.file.source"].create({"name": "Folder", "kind": "folder"})
            self.env["account.online.file.taken"].sudo().create(
                {"source_id": self.sample_source.id, "name": "statement.xml"}
            )
        wizard = self.drop(self.statement([self.row(2, "-5")]), user=self.user)
        records = [
            self.sample_file,
            self.sample_source,
            self.sample_source.sudo().taken_ids,
            wizard,
            wizard.statement_ids,
        ]
        return {record._name: record.with_env(mine) for record in records}

    def test_server_fields_are_refused_by_commands_of_other_records(self):
        """Commands that lead to a file are fields which only the server sets, and statements are made by no command."""
        leading = {
            (model, name)
            for model in self.env.registry
            for name, field in self.env[model]._fields.items()
            if field.type in ("one2many", "many2many") and field.comodel_name == "account.online.file"
        }
        for model, name in leading:
            self.assertIn(name, self.env[model]._server_fields())
        wizard = self.drop(self.statement([self.row(2, "-5")]), user=self.user).with_env(
            self.env(user=self.user, su=False)
        )
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            wizard.statement_ids = [(0, 0, {"filename": "forged"})]
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            wizard.statement_ids = [(1, wizard.statement_ids.id, {"is_ready": True})]

    def test_what_this_addon_adds_to_other_models_is_protected(self):
        self.assertLessEqual({"online_file_id"}, self.env["account.bank.statement.line"]._server_fields())
        self.assertLessEqual({"is_files"}, self.env["account.online.link"]._server_fields())
        self.assertLessEqual({"files_until", "file_options"}, self.env["account.online.account"]._server_fields())
