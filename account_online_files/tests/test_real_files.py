import base64
import io
import zipfile

from freezegun import freeze_time

from odoo.addons.account_online_synchronization.tests.common import OnlineSyncCommon
from odoo.tests import tagged

CSV = "Date,Description,Amount\n03/04/2026,Coffee,-2.50\n05/04/2026,Tea,-3.00\n"
LATER = "Date,Description,Amount\n06/04/2026,Cake,-4.00\n"


@tagged("post_install", "-at_install")
@freeze_time("2026-05-21 10:00:00")
class TestRealFiles(OnlineSyncCommon):
    """What the readers of formats give reaches the books."""

    def preview(self, **files):
        """:param files: content by name
        :return: the wizard
        """
        attachments = self.env["ir.attachment"].create(
            [
                {"name": name, "datas": base64.b64encode(content if isinstance(content, bytes) else content.encode())}
                for name, content in files.items()
            ]
        )
        action = self.journal.with_context(default_journal_id=self.journal.id).create_document_from_attachment(
            attachments.ids
        )
        return self.env["account.online.file.import"].browse(action["res_id"])

    def confirm(self, wizard):
        wizard.sudo().statement_ids.is_confirmed = True
        wizard.action_preview()
        wizard.action_import()

    def test_a_question_about_columns_is_asked_once(self):
        wizard = self.preview(**{"april.csv": CSV})
        self.assertFalse(wizard.can_import)
        (question,) = [one for one in wizard.sections if "two ways" in one["title"]]
        self.assertIn("03/04/2026", question["text"])
        self.assertTrue(question["single"], "the browser lets several be chosen")
        wizard.chosen = [question["rows"][0]["key"]]
        wizard.action_preview()
        self.assertEqual(wizard.statement_ids.new_count, 2)
        self.confirm(wizard)
        self.assertEqual(self.lines().mapped(lambda line: str(line.date)), ["2026-04-03", "2026-04-05"])
        later = self.preview(**{"later.csv": LATER})
        self.assertEqual((later.statement_ids.new_count, later.can_import), (1, True))

    def test_a_zip_is_read_with_all_that_is_in_it(self):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("one.csv", "Date,Description,Amount\n2026-04-03,Coffee,-2.50\n")
            archive.writestr("two.csv", "Date,Description,Amount\n2026-04-05,Tea,-3.00\n")
        wizard = self.preview(**{"both.zip": content.getvalue()})
        self.confirm(wizard)
        self.assertEqual(sorted(self.lines().mapped("amount")), [-3, -2.5])

    def test_bombs_and_files_without_statements_give_a_sentence(self):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.csv", b"0" * 300_000_000)
        wizard = self.preview(**{"bomb.zip": content.getvalue(), "picture.png": b"\x89PNG\r\n\x1a\n\0\0"})
        self.assertTrue(all(wizard.statement_ids.mapped("problem")))
        self.assertFalse(wizard.can_import)
        self.assertFalse(self.lines())

    def test_two_formats_of_the_same_days_give_each_transaction_once(self):
        rows = "Date,Description,Amount\n2026-04-02,Rent,-9.00\n2026-04-03,Coffee,-2.50\n2026-04-04,Tea,-3.00\n"
        self.confirm(self.preview(**{"one.csv": rows}))
        qif = "!Type:Bank\nD2026-04-03\nT-2.50\nPCafe\n^\n"
        wizard = self.preview(**{"two.qif": qif})
        self.assertEqual((wizard.statement_ids.new_count, wizard.statement_ids.known_count), (0, 1))
