import base64
import json
from datetime import date, timedelta
from decimal import Decimal
from unittest.mock import patch

from odoo.addons.account_online_synchronization.tests.common import OnlineSyncCommon
from odoo.addons.bank_statement_formats import formats
from odoo.addons.bank_statement_formats.formats import Balance, FormatError, Sentence, Statement
from odoo.tests import new_test_user

DAY = date(2026, 5, 20)


class Tiny(formats.Format):
    """A format whose files contain a reader's result as JSON: these tests are about how that result is processed."""

    code, label, extensions = "tiny", "Tiny", (".tiny",)

    @classmethod
    def recognises(cls, head, filename):
        return 100 if head.startswith(b"[{") else 0

    @classmethod
    def statements(cls, stream, options):
        for one in json.load(stream):
            if one.get("broken"):
                raise FormatError(Sentence("Line %(line)s is cut off.", line=7), "line 7")
            yield Statement(
                one.get("number"),
                one.get("currency"),
                iter(one["rows"]),
                kind=one.get("kind", "statement"),
                opening=cls._balance(one.get("opening")),
                closing=cls._balance(one.get("closing")),
                start=cls._day(one.get("start")),
                end=cls._day(one.get("end")),
                warnings=[Sentence(text) for text in one.get("warnings", ())],
            )

    @staticmethod
    def _day(text):
        return date.fromisoformat(text) if text else None

    @classmethod
    def _balance(cls, pair):
        return Balance(Decimal(pair[0]), cls._day(pair[1])) if pair else None


class FilesCommon(OnlineSyncCommon):
    """A company whose bank gives files in a tiny format."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.File = cls.env["account.online.file"]
        cls.Import = cls.env["account.online.file.import"]
        cls.journal.bank_account_id = False

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(formats, "FORMATS", {"tiny": None}))
        self.startPatcher(patch.object(formats, "format_class", lambda code: Tiny))

    def new_user(self, *groups):
        return new_test_user(
            self.env,
            f"files-{'-'.join(groups)}",
            groups=",".join(groups),
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def row(self, day, amount, text="Coffee", **values):
        return {
            "id": None,
            "status": "booked",
            "booking_date": str(DAY - timedelta(days=day)),
            "amount": str(amount),
            "currency": self.company.currency_id.name,
            "remittance": [text],
            **values,
        }

    def statement(self, rows, opening=None, **values):
        """A statement of whole days; with an opening balance it has a closing one."""
        days = [one["booking_date"] for one in rows]
        message = {
            "number": None,
            "currency": self.company.currency_id.name,
            "rows": rows,
            "start": min(days, default=None),
            "end": max(days, default=None),
            **values,
        }
        if opening is not None:
            before = str(date.fromisoformat(message["start"]) - timedelta(days=1))
            closing = Decimal(str(opening)) + sum(Decimal(one["amount"]) for one in rows)
            message |= {"opening": [str(opening), before], "closing": [str(closing), message["end"]]}
        return message

    def upload(self, *statements, name="statement.tiny", user=None):
        content = (
            json.dumps(list(statements)).encode()
            if statements and not isinstance(statements[0], bytes)
            else b"".join(statements)
        )
        env = self.env(user=user) if user else self.env
        return env["ir.attachment"].create({"name": name, "datas": base64.b64encode(content)})

    def drop(self, *statements, journal=None, **options):
        """Files are dropped on the card of a journal.

        :return: the wizard with the preview
        """
        attachment = self.upload(*statements, **options)
        journal = journal or self.journal
        action = (
            journal.with_env(attachment.env)
            .with_context(default_journal_id=journal.id)
            .create_document_from_attachment(attachment.ids)
        )
        return attachment.env["account.online.file.import"].browse(action["res_id"])

    def import_file(self, *statements, **options):
        """Drop, confirm, import.

        :return: the files
        """
        before = self.File.search([])
        wizard = self.drop(*statements, **options)
        wizard.sudo().statement_ids.is_confirmed = True
        wizard.action_preview()
        self.assertFalse(wizard.statement_ids.filtered("problem"), wizard.statement_ids.mapped("problem"))
        wizard.action_import()
        return self.File.search([]) - before

    def amounts(self):
        return sorted(self.lines().mapped("amount"))

    def counts(self, wizard):
        """:return: dict of those numbers of the preview that are not 0"""
        names = ("new", "adopted", "known", "doubtful", "left", "unreadable")
        sums = {name: sum(wizard.statement_ids.mapped(f"{name}_count")) for name in names}
        return {name: number for name, number in sums.items() if number}
