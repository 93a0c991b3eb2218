import json
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.json import json_default
from odoo.tools.misc import format_date

from ..books import locks, statements
from ..sync.duplicates import TOLERANCE, Row, find_groups
from ..sync.identity import OPENING
from ..sync.likeness import NEAR


class AccountBankStatementLine(models.Model):
    """What an accountant may do with lines that are in the journal twice, and how it is undone."""

    _inherit = "account.bank.statement.line"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - FINDING
    # -------------------------------------------------------------------------

    def _find_duplicates(self, journal, since):
        """
        :param date since: first day that is looked at
        :return: list of :class:`~..sync.duplicates.Group`
        """
        self.flush_model()
        self.env["account.move"].flush_model(["date", "state", "journal_id"])
        # Why windows: PostgreSQL finds the few lines that have a double among hundreds of thousands in one pass.
        self.env.cr.execute(
            """
            WITH line AS (
                  SELECT line.id, move.date, line.amount, line.currency_id,
                         upper(regexp_replace(COALESCE(line.account_number, ''), '[^[:alnum:]]', '', 'g')) AS number,
                         lower(trim(COALESCE(line.payment_ref, ''))) AS text,
                         line.online_account_id, line.online_transaction_identifier AS identifier,
                         COALESCE(line.online_possible_duplicate, FALSE) AS is_marked,
                         COALESCE(line.transaction_details->>'duplicate' = 'true', FALSE) AS is_flagged,
                         COALESCE(line.online_distinct, FALSE) AS is_distinct,
                         line.online_duplicate_of_id AS similar_id
                    FROM account_bank_statement_line line
                    JOIN account_move move ON move.id = line.move_id
                   WHERE line.journal_id = %(journal)s AND move.state = 'posted' AND move.date >= %(since)s
                     AND line.online_transaction_identifier IS DISTINCT FROM %(opening)s
            ), counted AS (
                  SELECT line.*,
                         COUNT(*) OVER (PARTITION BY amount, date) AS of_day,
                         COUNT(*) FILTER (WHERE is_marked OR is_flagged) OVER (PARTITION BY amount) AS marked,
                         COUNT(identifier) OVER (PARTITION BY identifier) AS of_id,
                         date - LAG(date) OVER of_amount AS since_last,
                         LEAD(date) OVER of_amount - date AS until_next
                    FROM line
                  WINDOW of_amount AS (PARTITION BY amount ORDER BY date)
            )
            SELECT id, date, amount, currency_id, number, text, online_account_id, identifier,
                   is_marked, is_flagged, is_distinct, similar_id
              FROM counted
             WHERE of_day > 1 OR marked > 0 OR of_id > 1 OR since_last <= %(near)s OR until_next <= %(near)s
            """,
            {
                "journal": journal.id,
                "since": since - max(TOLERANCE, NEAR),
                "opening": OPENING,
                "near": NEAR.days,
            },
        )
        rows = [
            Row(line_id, day, Decimal(str(amount)), *values) for line_id, day, amount, *values in self.env.cr.fetchall()
        ]
        return [group for group in find_groups(rows) if group.rows[-1].date >= since]

    def _why_not_deletable(self):
        """:return: a sentence that says why this line stays, or None where a user may delete it"""
        self.ensure_one()
        if self.is_reconciled:
            return self.env._("Reconciled: undo that first.")
        if self._seek_for_lines()[2]:
            return self.env._("Matched in part: undo that first.")
        if self.company_id._get_violated_lock_dates(self.date, False, self.journal_id):
            return self.env._("In a locked period.")
        statement = self.statement_id
        # Why not those of synchronization: their balances follow from their lines.
        if statement and not statement.online_period_start and statement.is_valid and statement.is_complete:
            return self.env._("In the complete statement %s: take it out there first.", statement.display_name)
        return None

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - DELETING AND UNDOING
    # -------------------------------------------------------------------------

    def _delete_to_undo(self, keeper):
        """Delete the lines of one journal; what the bank brought is remembered as deleted.

        :param keeper: record that keeps their attachments meanwhile
        :return: what :meth:`_undo_deletion` needs, as JSON
        """
        journal = self.journal_id
        first = statements.first_statement(journal)
        kept = {
            "journal": journal.id,
            "first_statement": first.id,
            "opening": first.balance_start if first.online_period_start else None,
            "lines": [line._remember_for_undo(keeper) for line in self],
        }
        touched, day = self.statement_id, min(self.mapped("date"))
        # Why first: Odoo lets nobody delete from a statement that is complete.
        self.statement_id = False
        self.unlink()
        statements.settle(journal, touched, day)
        journal.account_online_account_id._note_journal_balance()
        return json.loads(json.dumps(kept, default=json_default))

    def _names_to_undo(self):
        """Every field that somebody has filled, also those of other addons; not what Odoo computes from others."""
        names = [
            name
            for name, field in self._fields.items()
            if field.store
            and not field.inherited
            and not field.related
            and (not field.compute or not field.readonly)
            and field.type not in ("one2many", "many2many")
            and name not in (*models.MAGIC_COLUMNS, "move_id", "statement_id")
        ]
        return [*names, "date", "ref", "narration", "journal_id"]

    def _remember_for_undo(self, keeper):
        values = self.read(self._names_to_undo(), load=None)[0]
        del values["id"]
        attachments = self.env["ir.attachment"].search(
            [("res_model", "=", "account.move"), ("res_id", "=", self.move_id.id), ("res_field", "=", False)]
        )
        attachments.write({"res_model": keeper._name, "res_id": keeper.id})
        return {"values": values, "statement": self.statement_id.id, "attachments": attachments.ids}

    def _undo_deletion(self, kept, keeper):
        """Bring deleted lines back, with their place in the statements; their entries get new numbers.

        Nothing of what was kept is believed that could lead elsewhere: the journal is the keeper's, attachments are
        those that it keeps, statements and the bank's account are those of the journal.

        :param dict kept: of :meth:`_delete_to_undo`
        :param keeper: record with ``journal_id``, the one that was given then
        :return: the lines
        """
        journal = keeper.journal_id
        self._check_days_to_undo(kept, journal)
        Statement = self.env["account.bank.statement"].with_context(active_test=False)
        attachments = self.env["ir.attachment"].search(
            [("res_model", "=", keeper._name), ("res_id", "=", keeper.id), ("res_field", "=", False)]
        )
        lines, grouped = self.browse(), self.browse()
        for one in kept["lines"]:
            line = self._recreate(one["values"], journal)
            if not line:
                continue
            lines += line
            attachments.filtered(lambda attachment, ids=one["attachments"]: attachment.id in ids).write(
                {"res_model": "account.move", "res_id": line.move_id.id}
            )
            statement = Statement.search([("id", "=", one["statement"]), ("journal_id", "=", journal.id)])
            if statement and not statement.online_period_start:
                line.statement_id = statement
            elif one["statement"]:
                grouped += line
        if grouped:
            has_gone = not Statement.browse(kept["first_statement"] or []).exists()
            statements.group(journal, grouped, kept["opening"] if has_gone else None)
        journal.account_online_account_id._note_journal_balance()
        return lines

    def _check_days_to_undo(self, kept, journal):
        """Why: into a locked period Odoo posts nothing, but does so without a word on the first day after it.

        :raise UserError: where a period was locked after its lines were deleted
        """
        locks.hold(journal)
        days = [fields.Date.to_date(one["values"]["date"]) for one in kept["lines"]]
        if locked := locks.locked_days(journal, days):
            raise UserError(
                self.env._(
                    "A deleted transaction is of %s, which is in a locked period by now, so nothing was brought back. "
                    "Change the lock date first, then use Undo again.",
                    format_date(self.env, min(locked)),
                )
            )

    def _recreate(self, values, journal):
        """:return: the line, empty where it has come back by another way"""
        names = self._names_to_undo()
        values = {name: value for name, value in values.items() if name in names} | {"journal_id": journal.id}
        account = self.env["account.online.account"].browse(values.get("online_account_id") or []).exists()
        if account.company_id != journal.company_id:
            values |= {"online_account_id": False, "online_transaction_identifier": False}
        account_id, identifier = values.get("online_account_id"), values.get("online_transaction_identifier")
        if account_id and identifier:
            same = [("online_account_id", "=", account_id), ("online_transaction_identifier", "=", identifier)]
            if self.search_count(same, limit=1):
                return self.browse()
            self.env["account.online.transaction"].search(
                [
                    ("account_online_account_id", "=", account_id),
                    ("online_transaction_identifier", "=", identifier),
                    ("state", "=", "deleted"),
                ]
            ).unlink()
        return self.create(values)
