from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..books import undo
from ..books.duplicates import find_duplicates

#: Three months, the history that most banks provide.
USUAL_DAYS = 90

#: Maximum number of lines that are shown at once, in complete groups.
MOST_LINES = 400


class AccountDuplicateTransactionWizard(models.TransientModel):
    """*Find Duplicate Transactions*: lines that may be one transaction, with the evidence.

    No line is selected by default, because two real payments may be equal. Deleted lines can be restored as long as the
    wizard's record exists.
    """

    _name = "account.duplicate.transaction.wizard"
    _description = "Find Duplicate Transactions"
    _inherit = ["account.online.server.fields"]

    # Why longer than the default: a mistake can still be undone the next morning.
    _transient_max_hours = 24.0

    journal_id = fields.Many2one(
        comodel_name="account.journal",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_journal_id(),
        domain="[('type', 'in', ('bank', 'credit', 'cash'))]",
    )
    date = fields.Date(
        string="Starting Date",
        required=True,
        default=lambda self: fields.Date.context_today(self) - timedelta(days=USUAL_DAYS - 1),
    )
    is_searched = fields.Boolean(readonly=True)
    summary = fields.Char(readonly=True)
    # Groups, in the shape of account_missing_transaction_sections.py.
    sections = fields.Json(readonly=True)
    groups = fields.Json(
        readonly=True, copy=False, groups=fields.NO_ACCESS, help="Ids of lines by the key of their group."
    )
    chosen = fields.Json(help="Ids of the selected lines, as text.")
    has_groups = fields.Boolean(readonly=True)
    can_delete = fields.Boolean(readonly=True)
    undo = fields.Json(
        readonly=True, copy=False, groups=fields.NO_ACCESS, help="Data needed to restore the deleted lines."
    )
    deleted_count = fields.Integer(readonly=True)

    @api.model
    def _default_journal_id(self):
        """The journal, if there is only one to choose from."""
        journals = self.env["account.journal"].search([("type", "in", ("bank", "credit"))], limit=2)
        return journals if len(journals) == 1 else journals.browse()

    @api.depends("journal_id")
    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = self.env._("Find Duplicate Transactions")

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_search(self):
        """*Search*."""
        self.ensure_one()
        self._server()._search_groups()
        return self._show()

    def action_dismiss_group(self, key):
        """*Not the same*: remember that the lines of a group are different transactions."""
        self.ensure_one()
        wizard = self._server()
        lines = self._lines_of(key)
        # Why first: it checks that the user may write them.
        lines.action_no_duplicate()
        # sudo: write access to the lines was checked by action_no_duplicate
        as_server(lines).online_distinct = True
        wizard._search_groups()

    def action_delete(self):
        """*Delete Selected*.

        :return: action that shows the result, with *Undo*, and the remaining groups
        """
        self.ensure_one()
        wizard = self._server()
        lines = self._chosen_lines()
        lines.check_access("unlink")
        # sudo: unlink access to the lines was checked above; they are of the wizard's journal, see _lines_of
        kept = undo.delete(as_server(lines), wizard)
        wizard.write({"undo": kept, "deleted_count": len(kept["lines"]), "chosen": []})
        wizard._search_groups()
        return {
            "type": "ir.actions.client",
            "tag": "account_online_synchronization.tell_with_undo",
            "params": {
                "message": self._describe_deleted(),
                "model": self._name,
                "id": self.id,
                "next": self._show(),
            },
        }

    def action_undo(self):
        """*Undo*."""
        self.ensure_one()
        wizard = self._server()
        kept = wizard.undo
        if not kept:
            raise UserError(self.env._("There is nothing to undo: the transactions are back already."))
        if kept.get("journal") != self.journal_id.id:
            raise UserError(
                self.env._("The deleted transactions belong to another journal. Choose it again, then use Undo.")
            )
        Line = self.env["account.bank.statement.line"]
        Line.check_access("create")
        # sudo: the user may read this journal (_server) and create lines; restored lines are checked against both
        lines = undo.restore(as_server(Line), kept, wizard)
        # Why again: record rules are checked on the restored lines.
        lines.with_env(self.env).check_access("write")
        wizard.write({"undo": False, "deleted_count": 0})
        wizard._search_groups()
        wizard.summary = (
            self.env._("1 transaction is back in the journal.")
            if len(lines) == 1
            else self.env._("%s transactions are back in the journal.", len(lines))
        )
        return self._show()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _server(self):
        """Check that the user may work with this wizard's journal, now.

        :return: the wizard with superuser rights, for server fields
        """
        self.env["account.online.link"]._check_may_restore()
        self.check_access("write")
        self.journal_id._check_own_company()
        # sudo: the group, the wizard's owner and access to its journal were checked above
        return as_server(self)

    def _show(self):
        return self._get_records_action(name=self.display_name, target="new", context={"dialog_size": "large"})

    def _describe_deleted(self):
        if self.deleted_count == 1:
            return self.env._("1 transaction was deleted.")
        return self.env._("%s transactions were deleted.", self.deleted_count)

    def _group_ids(self):
        # sudo: reads the wizard's own record; _server has checked the user
        return self.sudo().groups or {}

    def _lines_of(self, key):
        """:return: existing lines of the group that the user may read"""
        lines = self.env["account.bank.statement.line"].browse(self._group_ids().get(key, [])).exists()
        lines.check_access("read")
        return lines.filtered(lambda line: line.journal_id == self.journal_id)

    def _chosen_lines(self):
        """:return: the chosen lines
        :raise UserError: if one of them can't be deleted, or no line of a group would remain
        """
        chosen = {key for key in self.chosen if isinstance(key, str)} if isinstance(self.chosen, list) else set()
        lines = self.env["account.bank.statement.line"]
        for key, ids in self._group_ids().items():
            group = self._lines_of(key)
            some = group.filtered(lambda line: str(line.id) in chosen)
            if some and some == group and len(ids) > 1:
                raise UserError(
                    self.env._(
                        "You have selected all transactions like %s. Keep one of them: if none of them is genuine, "
                        "delete them in the journal.",
                        some[0]._describe(),
                    )
                )
            lines += some
        for line in lines:
            if reason := line._why_not_deletable():
                raise UserError(
                    self.env._("%(line)s can't be deleted. %(reason)s", line=line._describe(), reason=reason)
                )
        if not lines:
            raise UserError(self.env._("Select at least one transaction to delete."))
        return lines

    def _search_groups(self):
        found = find_duplicates(self.journal_id, self.date)
        shown, lines = [], 0
        for group in found:
            if shown and lines + len(group.rows) > MOST_LINES:
                break
            shown.append(group)
            lines += len(group.rows)
        sections = [self._section(group) for group in shown]
        rows = [row for section in sections for row in section["rows"]]
        self.write(
            {
                "is_searched": True,
                "summary": self._summary(len(found), len(shown)),
                "sections": sections,
                "has_groups": bool(sections),
                "groups": {self._key(group): [row.line_id for row in group.rows] for group in shown},
                "can_delete": any(row["selectable"] for row in rows),
                "chosen": [],
            }
        )

    def _summary(self, count, shown):
        day, journal = format_date(self.env, self.date), self.journal_id.display_name
        if not count:
            return self.env._(
                "No transactions of %(journal)s since %(date)s look like duplicates.", journal=journal, date=day
            )
        if count == 1:
            return self.env._("1 group of transactions since %s may be duplicates.", day)
        if count > shown:
            return self.env._(
                "%(count)s groups of transactions since %(date)s may be duplicates. The first %(shown)s are listed.",
                count=count,
                date=day,
                shown=shown,
            )
        return self.env._("%(count)s groups of transactions since %(date)s may be duplicates.", count=count, date=day)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHAT IS SHOWN
    # -------------------------------------------------------------------------

    @staticmethod
    def _key(group):
        return "-".join(str(row.line_id) for row in group.rows)

    def _section(self, group):
        lines = self.env["account.bank.statement.line"].browse([row.line_id for row in group.rows])
        days = list(dict.fromkeys(format_date(self.env, day) for day in (lines[0].date, lines[-1].date)))
        return {
            "key": self._key(group),
            "title": f"{lines[0].currency_id.format(lines[0].amount)} · {' – '.join(days)}",
            "text": self._describe_evidence(group),
            "rows": [self._row(line) for line in lines],
            "count": len(lines),
        }

    def _describe_evidence(self, group):
        return {
            "same_id": self.env._("The bank assigned them the same id, so they are most likely duplicates."),
            "flagged": self.env._("According to the provider, one of them may be a duplicate."),
            "marked": self.env._(
                "When the bank reported one of them, it was not certain whether it was already in the journal."
            ),
            "same_number": self.env._("Same day, amount and account number."),
            "same_text": self.env._("Same day, amount and label."),
            "same_day": self.env._("Same day and amount. Nothing indicates that they are different transactions."),
            "near_days": self.env._(
                "Same amount within a few days, with the same label or account number. The bank reports them as "
                "separate transactions, or has reported one of them with two dates."
            ),
            "told_apart": self.env._(
                "Same day and amount, but the bank reports them as separate transactions: they may well be "
                "genuine, such as two purchases."
            ),
        }[group.evidence]

    def _row(self, line):
        reason = line._why_not_deletable()
        details = [
            line.partner_id.display_name or line.partner_name,
            line.account_number,
            self._source(line),
            line.move_id.name,
            reason,
        ]
        return {
            "key": str(line.id),
            "date": format_date(self.env, line.date),
            "label": line.payment_ref or line.move_id.name,
            "details": [text for text in details if text],
            "amount": line.currency_id.format(line.amount),
            "selectable": not reason,
        }

    def _source(self, line):
        if line.online_adopted:
            return self.env._("Matched with the bank")
        if line.online_account_id:
            return self.env._("From the bank")
        if line._fields.get("unique_import_id") and line["unique_import_id"]:
            return self.env._("From a file")
        return self.env._("Entered by %s", line.create_uid.name)
