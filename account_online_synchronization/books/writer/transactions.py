"""Writes transactions as statement lines, and applies the bank's later changes to them. It never commits."""

import logging
from dataclasses import dataclass, field

import psycopg2

from odoo.exceptions import UserError

from ...client.errors import BadTransaction
from ...client.messages import parse_transaction
from ..partners import Partners
from .bulk import BULK, Bulk

_logger = logging.getLogger(__name__)

#: Lines created in one savepoint. Large enough for the ORM's batching, small enough to find the bad one quickly.
CHUNK = 2000

#: Exceptions with which Odoo and PostgreSQL refuse a line. Any other is a bug in this addon, or worth a retry.
REFUSALS = (UserError, psycopg2.IntegrityError, psycopg2.DataError)

#: Fields that the bank may still change in a line, unless a user has edited them.
TEXTS = ("payment_ref", "ref", "partner_name", "account_number")
MONEY = ("date", "amount", "foreign_currency_id", "amount_currency")


@dataclass
class Written:
    """Result of a batch: the new lines in booking order, ``(entry, reason)`` of refused ones, and the entries that Odoo
    would have posted on another day than the bank's, because that is locked.
    """

    lines: object
    refused: list = field(default_factory=list)
    locked: list = field(default_factory=list)


class Redated(Exception):
    """Odoo has posted lines on other days than the given ones.

    :param set numbers: their positions
    """

    def __init__(self, numbers):
        super().__init__(f"{len(numbers)} lines were posted on another day")
        self.numbers = numbers


class Writer:
    """Writes statement lines of one account in its journal.

    :param account: ``account.online.account``
    :param entries: all :class:`~...sync.identity.Entry` to write, whose partners are searched together
    """

    def __init__(self, account, entries):
        self.account = account
        self.journal = account.journal_ids
        self.env = account.env
        self.sign = account._transaction_sign()
        self.bulk = Bulk()
        self.partners = Partners(account, [entry.transaction for entry in entries])
        # Why all of them: an earlier version of a transaction may have another currency.
        self.currencies = {currency.name: currency for currency in self.env["res.currency"].search([])}

    # -------------------------------------------------------------------------
    # NEW LINES
    # -------------------------------------------------------------------------

    def write_lines(self, entries, possible_duplicates=frozenset(), statements=None):
        """Create and post one statement line per entry, in their order.

        :param possible_duplicates: identifiers of those that may be in the journal already
        :param dict statements: ``account.bank.statement`` by date; the caller updates their balances
        :return: :class:`Written`
        """
        values = [self.values(entry) for entry in entries]
        for entry, line_values in zip(entries, values, strict=True):
            line_values["online_possible_duplicate"] = entry.identifier in possible_duplicates
            if statements:
                line_values["statement_id"] = statements[line_values["date"]].id
        written = Written(self.env["account.bank.statement.line"])
        self._write([*zip(entries, values, strict=True)], written)
        return written

    def _write(self, pairs, written):
        """Retry a refused batch by halves, so that one bad line does not prevent the import of the others."""
        if not pairs:
            return
        try:
            with self.env.cr.savepoint():
                Line = self.env["account.bank.statement.line"].with_context(**{BULK: self.bulk})
                # Why copies: a failed create() may have changed the values.
                lines = Line.create([dict(values) for _entry, values in pairs])
                self._check_days(lines, [values["date"] for _entry, values in pairs])
            written.lines += lines.with_env(self.env)
        except Redated as redated:
            written.locked += [entry for number, (entry, _values) in enumerate(pairs) if number in redated.numbers]
            self._write([pair for number, pair in enumerate(pairs) if number not in redated.numbers], written)
        except REFUSALS as error:
            if len(pairs) > 1:
                middle = len(pairs) // 2
                self._write(pairs[:middle], written)
                self._write(pairs[middle:], written)
                return
            _logger.warning("Online account %s: a transaction was refused: %s", self.account.id, error)
            written.refused.append((pairs[0][0], str(error)))

    def _check_days(self, lines, days):
        """Check that Odoo has not moved entries out of a locked period. A bank's transaction keeps its day.

        :raise Redated: when a line is stored with another day than the given one
        """
        self.env["account.move"].flush_model(["date"])
        self.env.cr.execute(
            """
            SELECT wanted.number
              FROM unnest(%s, %s::date[]) WITH ORDINALITY AS wanted (line_id, day, number)
              JOIN account_bank_statement_line line ON line.id = wanted.line_id
              JOIN account_move move ON move.id = line.move_id
             WHERE move.date != wanted.day
            """,
            [lines.ids, days],
        )
        if found := self.env.cr.fetchall():
            raise Redated({number - 1 for (number,) in found})

    def values(self, entry):
        """:return: values of a new ``account.bank.statement.line``"""
        return {
            "journal_id": self.journal.id,
            "partner_id": self.partners.find(entry.transaction),
            **self.bank_values(entry.transaction),
            **self.identity_values(entry),
        }

    def identity_values(self, entry):
        """Values that identify a line, and the bank's raw data."""
        return {
            "online_account_id": self.account.id,
            "online_transaction_identifier": entry.identifier,
            "online_transaction_digest": entry.digest,
            "online_partner_information": self.partners.key(entry.transaction) or False,
            "transaction_details": entry.transaction.raw,
        }

    def bank_values(self, transaction):
        """The bank's data of a transaction as values of a line."""
        currency = self.currencies.get(transaction.foreign_currency)
        foreign_amount = currency.round(float(transaction.foreign_amount * self.sign)) if currency else 0.0
        return {
            "date": self.account._line_date(transaction),
            "amount": float(transaction.amount * self.sign),
            "payment_ref": transaction.label,
            "ref": transaction.reference or False,
            "partner_name": transaction.counterparty_name or False,
            "account_number": transaction.counterparty_number or False,
            # Both or none: Odoo refuses one without the other, and an amount that rounds to zero counts as missing.
            # The original stays readable in transaction_details, as does an inactive currency.
            "foreign_currency_id": currency.id if foreign_amount else False,
            "amount_currency": foreign_amount,
        }

    # -------------------------------------------------------------------------
    # CHANGES BY THE BANK
    # -------------------------------------------------------------------------

    def adopt(self, line, entry):
        """Link an existing line to its transaction. The user's texts stay."""
        values = self.identity_values(entry)
        bank = self.bank_values(entry.transaction)
        values.update({name: bank[name] for name in ("partner_name", "account_number") if not line[name]})
        line.write({**values, "online_adopted": True})

    def change(self, line, entry):
        """Apply the bank's changes of a transaction to its line.

        :return: whether the bank has changed any of the line's fields, and the reason why a user must review it, or
            None
        """
        new = self.bank_values(entry.transaction)
        # The bank's previous version is known even if a user has edited the line since.
        old = self._earlier_values(line)
        changed = [name for name in (*TEXTS, *MONEY) if old and old[name] != new[name]]
        reason = None
        if changed:
            reason = self._write_changes(line, {name: new[name] for name in changed}, old)
        line.write(self.identity_values(entry))
        return bool(changed), reason

    def _earlier_values(self, line):
        try:
            return self.bank_values(parse_transaction(line.transaction_details))
        except BadTransaction:
            return None

    def _write_changes(self, line, changes, old):
        edited = {name for name in changes if not self._equals(line, name, old[name])}
        changes = {name: value for name, value in changes.items() if not self._equals(line, name, value)}
        money = set(changes) & set(MONEY)
        if not line._is_open_for_the_bank([*filter(None, [changes.get("date")])]):
            return self.env._("it is reconciled or in a locked period") if money else None
        if money & edited:
            return self.env._("it was edited by hand")
        values = {name: value for name, value in changes.items() if name not in edited}
        if {"foreign_currency_id", "amount_currency"} & set(values):
            values.update(foreign_currency_id=changes.get("foreign_currency_id", old["foreign_currency_id"]))
        try:
            with self.env.cr.savepoint():
                line.write(values)
                if "date" in values and line.date != values["date"]:
                    raise UserError(self.env._("its new day is in a locked period"))
        except REFUSALS as error:
            return str(error)
        return None

    def _equals(self, line, name, value):
        field_value = line._fields[name].convert_to_write(line[name], line)
        if name in ("amount", "amount_currency"):
            return abs((field_value or 0.0) - (value or 0.0)) < 1e-9
        return (field_value or False) == (value or False)
