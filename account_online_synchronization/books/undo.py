"""Deletes lines of a journal, such as duplicates, in a way that can be undone."""

import json

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.json import json_default
from odoo.tools.misc import format_date

from . import locks, statements


def delete(lines, keeper):
    """Delete the lines of one journal; synchronized ones are remembered as deleted.

    :param lines: ``account.bank.statement.line`` with superuser rights
    :param keeper: record that holds their attachments until then
    :return: what :func:`restore` needs, as JSON
    """
    journal = lines.journal_id
    first = statements.first_statement(journal)
    kept = {
        "journal": journal.id,
        "first_statement": first.id,
        "opening": first.balance_start if first.online_period_start else None,
        "lines": [_remember(line, keeper) for line in lines],
    }
    touched, day = lines.statement_id, min(lines.mapped("date"))
    # Why first: Odoo does not allow deleting lines of a complete statement.
    lines.statement_id = False
    lines.unlink()
    statements.settle(journal, touched, day)
    journal.account_online_account_id._note_journal_balance()
    return json.loads(json.dumps(kept, default=json_default))


def restore(Line, kept, keeper):
    """Recreate deleted lines in their statements; their entries get new numbers.

    References in the kept values are not trusted: the journal is the keeper's, attachments are those that it holds,
    statements and the bank account are those of the journal.

    :param Line: ``account.bank.statement.line`` with superuser rights
    :param dict kept: of :func:`delete`
    :param keeper: the same record as in :func:`delete`, with ``journal_id``
    :return: the lines
    """
    env, journal = Line.env, keeper.journal_id
    _check_days(env, kept, journal)
    Statement = env["account.bank.statement"].with_context(active_test=False)
    attachments = env["ir.attachment"].search(
        [("res_model", "=", keeper._name), ("res_id", "=", keeper.id), ("res_field", "=", False)]
    )
    lines, grouped = Line.browse(), Line.browse()
    for one in kept["lines"]:
        line = _recreate(Line, one["values"], journal)
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


def _kept_fields(Line):
    """Every filled field, also those of other addons, except fields that Odoo computes from others."""
    names = [
        name
        for name, field in Line._fields.items()
        if field.store
        and not field.inherited
        and not field.related
        and (not field.compute or not field.readonly)
        and field.type not in ("one2many", "many2many")
        and name not in (*models.MAGIC_COLUMNS, "move_id", "statement_id")
    ]
    return [*names, "date", "ref", "narration", "journal_id"]


def _remember(line, keeper):
    values = line.read(_kept_fields(line), load=None)[0]
    del values["id"]
    attachments = line.env["ir.attachment"].search(
        [("res_model", "=", "account.move"), ("res_id", "=", line.move_id.id), ("res_field", "=", False)]
    )
    attachments.write({"res_model": keeper._name, "res_id": keeper.id})
    return {"values": values, "statement": line.statement_id.id, "attachments": attachments.ids}


def _check_days(env, kept, journal):
    """Why: Odoo would silently move an entry of a locked period to the first day after it.

    :raise UserError: where a period was locked after its lines were deleted
    """
    locks.hold(journal)
    days = [fields.Date.to_date(one["values"]["date"]) for one in kept["lines"]]
    if locked := locks.locked_days(journal, days):
        raise UserError(
            env._(
                "A deleted transaction is of %s, which is in a locked period by now, so nothing was brought back. "
                "Change the lock date first, then use Undo again.",
                format_date(env, min(locked)),
            )
        )


def _recreate(Line, values, journal):
    """:return: the line; empty if it was imported again in the meantime"""
    names = _kept_fields(Line)
    values = {name: value for name, value in values.items() if name in names} | {"journal_id": journal.id}
    account = Line.env["account.online.account"].browse(values.get("online_account_id") or []).exists()
    if account.company_id != journal.company_id:
        values |= {"online_account_id": False, "online_transaction_identifier": False}
    account_id, identifier = values.get("online_account_id"), values.get("online_transaction_identifier")
    if account_id and identifier:
        same = [("online_account_id", "=", account_id), ("online_transaction_identifier", "=", identifier)]
        if Line.search_count(same, limit=1):
            return Line.browse()
        Line.env["account.online.transaction"].search(
            [
                ("account_online_account_id", "=", account_id),
                ("online_transaction_identifier", "=", identifier),
                ("state", "=", "deleted"),
            ]
        ).unlink()
    return Line.create(values)
