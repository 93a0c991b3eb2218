from unittest.mock import patch

from odoo import api, fields
from odoo.addons.account.tests import test_account_bank_statement as core
from odoo.tests import tagged

from ..books.writer import BULK, bulk
from ..models.account_bank_statement_line import AccountBankStatementLine


def by_number(values):
    """The order in which Odoo gives numbers."""
    return fields.Date.to_date(values["date"]), values.get("ref") or ""


@tagged("post_install", "-at_install")
class TestWriterCore(core.TestAccountBankStatementLine):
    """Odoo's own tests of bank statements pass over lines that the bulk writer wrote."""

    # Why: without it Odoo runs none of them.
    allow_inherited_tests_method = True

    @classmethod
    def setUpClass(cls):
        cls.written = 0
        create = AccountBankStatementLine.create

        @api.model_create_multi
        def create_lines(model, vals_list):
            is_covered = all(values.get("date") and values.get("journal_id") for values in vals_list)
            if BULK in model.env.context or not vals_list or not is_covered:
                return create(model, vals_list)
            return cls.write_lines(model, vals_list, create)

        cls.startClassPatcher(patch.object(bulk, "MIN_LINES", 2))
        # Why our class instead of the registry's: the lines of setUpClass() are written, too.
        cls.startClassPatcher(patch.object(AccountBankStatementLine, "create", create_lines))
        super().setUpClass()

    @classmethod
    def write_lines(cls, model, vals_list, create):
        """Most tests create one line at a time, and the first of a batch is Odoo's. So one more is created before it,
        and deleted: all that the test sees is written.
        """
        first = min(vals_list, key=by_number)
        # Why in no statement: from one that is complete nothing may be deleted.
        one_more = {name: False if name == "statement_id" else value for name, value in first.items()}
        writer = bulk.Bulk()
        lines = create(model.with_context(**{BULK: writer}), [one_more, *vals_list]).with_env(model.env)
        if not writer.reason:
            cls.written += len(vals_list)
        lines[0].unlink()
        # Why: what statements add up to is left to who writes their lines; he knows when all are there.
        lines[1:].modified(["statement_id"])
        return lines[1:]

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        assert cls.written, "No line was written by the bulk writer, so that nothing was tested."
