"""Writes identified transactions as statement lines and groups them in statements.

The one room of the importer that knows Odoo's tables. It never commits: the caller stores ``last_sync`` and the cursor
in the same transaction as the lines, so a crash repeats work and neither loses nor doubles anything.
"""

import logging
from dataclasses import dataclass, field

import psycopg2

from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import UserError
from odoo.fields import Command

from .periods import period_of

_logger = logging.getLogger(__name__)

#: Lines created in one savepoint. Large enough for the ORM's batching, small enough to find the bad one quickly.
CHUNK = 500

#: How Odoo and PostgreSQL say that a line can't be stored. Anything else is a mistake of ours, or worth another try.
REFUSALS = (UserError, psycopg2.IntegrityError, psycopg2.DataError)


@dataclass
class Written:
    """What came of a batch: the new lines in booking order, and ``(identifier, reason)`` of those that were refused."""

    lines: object
    refused: list = field(default_factory=list)


def known_identifiers(account, identifiers):
    """Those of the identifiers that already have a line for this online account; one query whatever their number."""
    account.env["account.bank.statement.line"].flush_model(["online_account_id", "online_transaction_identifier"])
    account.env.cr.execute(
        """
        SELECT online_transaction_identifier
          FROM account_bank_statement_line
         WHERE online_account_id = %s AND online_transaction_identifier = ANY(%s)
        """,
        [account.id, list(identifiers)],
    )
    return {identifier for (identifier,) in account.env.cr.fetchall()}


def write_lines(account, journal, identified):
    """Create and post one statement line per transaction, oldest first.

    A batch that Odoo refuses is tried again line by line, so that one bad line does not keep the others out.

    :param account: ``account.online.account``
    :param identified: list of ``(identifier, Transaction)``, none of them known
    :return: :class:`Written`
    """
    Line = account.env["account.bank.statement.line"]
    # sorted() is stable: within a day the bank's own order stays, and with it the running balance.
    identified = sorted(identified, key=lambda pair: pair[1].date)
    partners = _partners_by_number(account, journal, [transaction for _identifier, transaction in identified])
    currencies = _active_currencies(account.env, {t.foreign_currency for _i, t in identified if t.foreign_currency})
    values = [
        _line_values(account, journal, identifier, transaction, partners, currencies)
        for identifier, transaction in identified
    ]
    written = Written(Line)
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        try:
            with account.env.cr.savepoint():
                written.lines += Line.create(chunk)
        except REFUSALS:
            for line_values in chunk:
                try:
                    with account.env.cr.savepoint():
                        written.lines += Line.create(line_values)
                except REFUSALS as error:
                    _logger.warning("Online account %s: a transaction was refused: %s", account.id, error)
                    written.refused.append((line_values["online_transaction_identifier"], str(error)))
    return written


def group_into_statements(journal, lines, opening_balance=None):
    """Put new lines into the statements of their periods, then carry the balances forward.

    :param lines: new ``account.bank.statement.line`` records of the journal
    :param opening_balance: start balance of the journal's very first statement, None to leave it to Odoo
    """
    periodicity = journal.bank_statement_creation_groupby
    if periodicity == "none" or not lines:
        return
    Statement = journal.env["account.bank.statement"]
    by_period = {}
    for line in lines:
        by_period.setdefault(period_of(line.date, periodicity), []).append(line.id)
    touched = Statement
    for period, line_ids in sorted(by_period.items()):
        statement = Statement.search(
            [
                ("journal_id", "=", journal.id),
                ("online_period_start", "=", period.start),
                ("online_period_end", "=", period.end),
            ],
            limit=1,
        )
        if statement:
            journal.env["account.bank.statement.line"].browse(line_ids).statement_id = statement
        else:
            statement = Statement.create(
                {
                    "name": f"{journal.code} {period.name}",
                    "reference": journal.account_online_account_id.display_name,
                    "online_period_start": period.start,
                    "online_period_end": period.end,
                    "line_ids": [Command.set(line_ids)],
                }
            )
        touched += statement
    _carry_balances_forward(journal, touched, opening_balance)


def _carry_balances_forward(journal, touched, opening_balance):
    """Each statement starts where the one before it ended; balances always follow from the lines that were kept.

    A late booking changes its own statement and the start of all later ones. Statements that a person made are left as
    they are: theirs are the balances that the person typed.
    """
    Statement = journal.env["account.bank.statement"]
    first_touched = min(touched.mapped("first_line_index"))
    previous = Statement.search(
        [("journal_id", "=", journal.id), ("first_line_index", "<", first_touched)],
        order="first_line_index desc",
        limit=1,
    )
    for statement in Statement.search(
        [("journal_id", "=", journal.id), ("first_line_index", ">=", first_touched)], order="first_line_index"
    ):
        if statement.online_period_start:
            if previous:
                start = previous.balance_end_real + _sum_between(journal, previous, statement)
            else:
                start = statement.balance_start if opening_balance is None else opening_balance
            values = {"balance_start": start, "balance_end_real": start + sum(statement.line_ids.mapped("amount"))}
            if any(statement.currency_id.compare_amounts(statement[name], values[name]) for name in values):
                statement.write(values)
        previous = statement


def _sum_between(journal, previous, statement):
    """Sum of posted lines without a statement that lie between two statements, as core's own start balance counts."""
    lines = journal.env["account.bank.statement.line"].search(
        [
            ("journal_id", "=", journal.id),
            ("statement_id", "=", False),
            ("state", "=", "posted"),
            ("internal_index", ">", previous.first_line_index),
            ("internal_index", "<", statement.first_line_index),
        ]
    )
    return sum(lines.mapped("amount"))


def _line_values(account, journal, identifier, transaction, partners, currencies):
    values = {
        "journal_id": journal.id,
        "date": transaction.date,
        "amount": float(transaction.amount),
        "payment_ref": transaction.label,
        "ref": transaction.reference or False,
        "partner_name": transaction.counterparty_name or False,
        "account_number": transaction.counterparty_number or False,
        "partner_id": partners.get(sanitize_account_number(transaction.counterparty_number)),
        "transaction_details": transaction.raw,
        "online_account_id": account.id,
        "online_transaction_identifier": identifier,
    }
    currency = currencies.get(transaction.foreign_currency)
    if currency:
        # Both or none: Odoo refuses half a pair. An inactive currency stays readable in transaction_details.
        values.update(foreign_currency_id=currency.id, amount_currency=float(transaction.foreign_amount))
    return values


def _active_currencies(env, names):
    return {currency.name: currency for currency in env["res.currency"].search([("name", "in", list(names))])}


def _partners_by_number(account, journal, transactions):
    """Partner ids by sanitized account number, where exactly one partner owns the number; never a guess.

    :return: dict from sanitized number to partner id
    """
    numbers = {sanitize_account_number(t.counterparty_number) for t in transactions if t.counterparty_number}
    owners = {}
    banks = account.env["res.partner.bank"].search(
        [
            ("sanitized_acc_number", "in", list(numbers)),
            ("company_id", "in", [False, journal.company_id.id]),
            ("partner_id.company_id", "in", [False, journal.company_id.id]),
        ]
    )
    for bank in banks:
        owners.setdefault(bank.sanitized_acc_number, set()).add(bank.partner_id.commercial_partner_id.id)
    return {number: partner_ids.pop() for number, partner_ids in owners.items() if len(partner_ids) == 1}
