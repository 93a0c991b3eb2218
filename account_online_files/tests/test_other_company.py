import contextlib
from ast import literal_eval

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..models.account_journal import ALIAS_JOURNAL
from .common import FilesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-21 10:00:00")
class TestOtherCompany(FilesCommon):
    """Statement files of one company fill no journal of another one, whichever door its administrator tries."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.setup_other_company(name="Company of the attacker")
        cls.own_journal = other["default_journal_bank"]
        cls.attacker = cls.administrator_of(other["company"])
        cls.journal.name = "Secret account of the chairman"

    @classmethod
    def administrator_of(cls, company):
        return new_test_user(
            cls.env,
            f"administrator-{company.id}",
            groups="account.group_account_manager",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )

    def setUp(self):
        super().setUp()
        self.content = self.statement([self.row(3, "-5")])
        self.before = self.books()

    def books(self):
        """What the attacked company has."""
        mine = [("company_id", "=", self.company.id)]
        return (
            self.lines().ids,
            self.Link.search(mine).ids,
            self.File.search(mine).ids,
            self.journal.account_online_account_id.id,
        )

    def assert_refused(self, function, *arguments):
        with self.assertRaises(AccessError) as refusal, self.env.cr.savepoint():
            function(*arguments)
        self.assertNotIn("chairman", str(refusal.exception))
        self.env.invalidate_all()
        self.assertEqual(self.books(), self.before)

    def preview(self, user=None):
        """A preview of the attacker's own file, whose statement has no journal yet."""
        user = user or self.attacker
        action = self.Import.with_user(user)._open(attachments=self.upload(self.content, user=user))
        return self.env(user=user)["account.online.file.import"].browse(action["res_id"])

    def test_a_card_of_another_company_takes_no_file(self):
        self.assert_refused(lambda: self.drop(self.content, user=self.attacker))

    def test_a_journal_of_another_company_cannot_be_chosen(self):
        wizard = self.preview()
        chosen = {"journal_id": self.journal.id}
        statement = wizard.statement_ids
        self.assert_refused(statement.write, chosen)
        self.assert_refused(wizard.write, {"statement_ids": [(1, statement.id, chosen)]})
        self.assert_refused(wizard.web_save, {"statement_ids": [(1, statement.id, chosen)]}, {})
        self.assert_refused(statement.web_save, chosen, {"journal_id": {"fields": {"display_name": {}}}})
        self.assertFalse(statement.journal_id)

    def test_a_form_reads_no_journal_of_another_company(self):
        """Its name is what Odoo shows of every record that a form refers to; the rest follows its access rules."""
        self.journal.set_bank_account("BE71096123456769")
        statement = self.preview().statement_ids
        asked = {"journal_id": {"fields": {"bank_acc_number": {}, "code": {}}}}
        with contextlib.suppress(AccessError), self.env.cr.savepoint():
            answer = statement.onchange({"journal_id": self.journal.id}, ["journal_id"], asked)
            self.assertNotIn("0961", str(answer))
            self.assertNotIn(f"'{self.journal.code}'", str(answer))
        self.assertFalse(statement.journal_id)

    def test_a_journal_of_another_company_is_neither_previewed_nor_filled(self):
        wizard = self.preview()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_online_file_import_statement SET journal_id = %s, is_confirmed = true, is_ready = true "
            "WHERE id = %s",
            [self.journal.id, wizard.statement_ids.id],
        )
        self.env.invalidate_all()
        answer = wizard.statement_ids.action_confirm
        for action in (wizard.action_preview, wizard.action_read, wizard.action_import, answer):
            self.assert_refused(action)
        self.assert_refused(wizard.write, {"encoding": "cp1252"})

    def test_a_branch_fills_no_journal_of_its_parent(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        user = self.administrator_of(branch)
        # Odoo lets branches read it, which is why reading it allows nothing.
        self.journal.with_user(user).check_access("read")
        self.assert_refused(lambda: self.drop(self.content, user=user))
        self.assert_refused(self.preview(user).statement_ids.write, {"journal_id": self.journal.id})

    def test_a_file_of_another_company_is_neither_undone_nor_imported(self):
        (file,) = self.import_file(self.content)
        self.before = self.books()
        theirs = file.with_user(self.attacker)
        for action in (theirs.action_undo, theirs.action_import_doubtful, theirs.action_dismiss_doubtful):
            self.assert_refused(action)

    def test_an_alias_leads_to_its_own_journal_only(self):
        mine = self.own_journal.with_user(self.attacker)
        mine.alias_name = "files-of-the-attacker"
        halves = f"{{'{ALIAS_JOURNAL[:9]}' '{ALIAS_JOURNAL[9:]}': {self.journal.id}}}"
        for forged in ({ALIAS_JOURNAL: self.journal.id}, str({ALIAS_JOURNAL: self.journal.id}), halves):
            mine.write({"alias_defaults": forged})
            self.assertEqual(literal_eval(self.own_journal.alias_id.alias_defaults), {ALIAS_JOURNAL: mine.id})
