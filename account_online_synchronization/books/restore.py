"""Imports on request of users: kept transactions, and the transaction of an adopted line."""

from datetime import date

from odoo import fields
from odoo.exceptions import UserError

from ..sync.identity import Entry, digest
from . import locks, statements
from .ledger import running_balance
from .opening import Beginning
from .writer import Writer


def restore(account, transactions):
    """Import kept transactions into the journal at the user's request.

    :param transactions: ``account.online.transaction`` of the account
    :return: the new lines
    """
    if not account.journal_ids:
        raise UserError(
            account.env._(
                "%s is not linked to a journal. Use Fetch Accounts to choose one first.", account.display_name
            )
        )
    locks.hold(account.journal_ids)
    entries = []
    for one in transactions.sorted(lambda one: (one.date or fields.Date.today(), one.id)):
        entry = one._entry()
        if not entry:
            raise UserError(
                account.env._(
                    "“%(label)s” can't be read as a transaction: %(reason)s. Please enter it by hand.",
                    label=one.payment_ref,
                    reason=one.reason or "",
                )
            )
        entries.append(entry._replace(digest=digest(entry.transaction)))
    _check_not_locked(account, entries)
    sign = account._transaction_sign()
    first = statements.first_statement(account.journal_ids)
    # Late bookings, and former lines of the first statement: its start balance does not contain them.
    outside = transactions.filtered(
        lambda one: (
            one.is_late or (one.state == "deleted" and one.date and (first.online_period_start or date.max) <= one.date)
        )
    ).mapped("online_transaction_identifier")
    opening = statements.opening_before(
        first,
        [
            (account._line_date(entry.transaction), float(entry.transaction.amount * sign))
            for entry in entries
            if entry.identifier not in outside
        ],
    )
    lines = write_entries(account, entries, opening)
    transactions.unlink()
    Beginning(account).settle()
    account._refresh_opening()
    account.journal_balance = running_balance(account)
    return lines


def separate(account, line):
    """Undo an adoption: the line is unlinked, and the transaction gets its own line."""
    locks.hold(account.journal_ids)
    transaction = account._parse(line.transaction_details)
    entry = Entry(line.online_transaction_identifier, digest(transaction), transaction)
    _check_not_locked(account, [entry])
    line._give_back()
    opening = None
    if not line.statement_id:
        # Why: adopted before the start date, so the bank held it before the first statement.
        amount = float(transaction.amount * account._transaction_sign())
        counted = [(account._line_date(transaction), amount)]
        opening = statements.opening_before(statements.first_statement(account.journal_ids), counted)
    lines = write_entries(account, [entry], opening)
    account._refresh_opening()
    account.journal_balance = running_balance(account)
    return lines


def write_entries(account, entries, opening=None):
    """Write lines into their statements: all of them, or none.

    :param entries: list of :class:`~..sync.identity.Entry`
    :param opening: see :func:`.statements.group`
    :return: the lines
    """
    written = Writer(account, entries).write_lines(entries)
    if written.refused:
        raise UserError(written.refused[0][1])
    if written.locked:
        raise UserError(_locked_sentence(account, written.locked[0]))
    statements.group(account.journal_ids, written.lines, opening)
    return written.lines


def _check_not_locked(account, entries):
    days = {entry: account._line_date(entry.transaction) for entry in entries}
    locked = locks.locked_days(account.journal_ids, days.values())
    if entry := next((entry for entry, day in days.items() if day in locked), None):
        raise UserError(_locked_sentence(account, entry))


def _locked_sentence(account, entry):
    return account.env._(
        "“%(label)s” is of %(date)s, which is in a locked period. Change the lock date first.",
        label=entry.transaction.label[:80],
        date=account._line_date(entry.transaction),
    )
