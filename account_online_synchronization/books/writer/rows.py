"""The columns of an entry that follow from a statement line's values, as Odoo computes them.

Each method names the methods of Odoo whose result it computes; :mod:`.bulk` compares both on a line of each batch.
"""

import functools
from typing import NamedTuple

#: ``MAXINT`` of Odoo's ``internal_index``.
MAX_SEQUENCE = 2**31 - 1


class Unit:
    """A currency with cached values, because each line needs them."""

    def __init__(self, currency):
        self.id, self.currency = currency.id, currency
        self.format = f"%.{currency.decimal_places}f"
        self.zero = self.text(0.0)
        # Why cached: each amount is rounded three times.
        self.round = functools.cache(currency.round)

    def text(self, amount):
        """A rounded amount as Odoo writes it to PostgreSQL; never minus zero."""
        return self.format % (amount + 0.0)


class Amounts(NamedTuple):
    """The amount of a line in the journal's, the transaction's and the company's currency, each rounded.

    ``unit`` is the transaction's currency.
    """

    journal: float
    transaction: float
    company: float
    unit: Unit


class Rows:
    """
    :param journal: ``account.journal`` of all lines
    """

    def __init__(self, journal):
        self.journal, self.company = journal, journal.company_id
        # sudo: reads the currency of the company that is imported into
        company_currency = self.company.sudo().currency_id
        self.units, self.rates = {}, {}
        self.unit = self.unit_of((journal.currency_id or company_currency).id)
        self.company_unit = self.unit_of(company_currency.id)

    def unit_of(self, currency_id):
        if currency_id not in self.units:
            self.units[currency_id] = Unit(self.journal.env["res.currency"].browse(currency_id))
        return self.units[currency_id]

    def amounts(self, values):
        """``_prepare_move_line_default_vals``

        :param dict values: of a line, ``foreign_currency_id`` and ``amount_currency`` together or not at all
        :return: :class:`Amounts`
        """
        amount = self.unit.round(values["amount"] or 0.0)
        foreign_id = values.get("foreign_currency_id")
        if not foreign_id or foreign_id == self.unit.id:
            return Amounts(amount, amount, self._in_company_currency(amount, values["date"]), self.unit)
        foreign = self.unit_of(foreign_id)
        foreign_amount = foreign.round(values["amount_currency"])
        if foreign is self.company_unit:
            company = foreign_amount
        else:
            company = self._in_company_currency(amount, values["date"])
        return Amounts(amount, foreign_amount, company, foreign)

    def _in_company_currency(self, amount, day):
        if self.unit is self.company_unit or not amount:
            return amount
        if day not in self.rates:
            self.rates[day] = self.unit.currency._get_conversion_rate(
                self.unit.currency, self.company_unit.currency, self.company, day
            )
        return self.company_unit.round(amount * self.rates[day])

    def move(self, move_id, line_id, name, values, amounts):
        """``_compute_amount``: the total of the debits.

        :param name: :class:`~.numbers.Name`
        :return: dict from column to value
        """
        unit = amounts.unit
        if amounts.company > 0:
            total = unit.round(amounts.journal)
        else:
            total = -amounts.transaction if amounts.company else 0.0
        return {
            "id": move_id,
            "statement_line_id": line_id,
            "date": values["date"].isoformat(),
            "ref": values.get("ref") or None,
            "partner_id": values.get("partner_id") or None,
            "currency_id": unit.id,
            "amount_total": unit.text(total),
            "amount_total_signed": self.company_unit.text(abs(amounts.company)),
            "amount_total_in_currency_signed": unit.text(abs(total)),
            "name": name.name,
            "sequence_prefix": name.sequence_prefix,
            "sequence_number": name.sequence_number,
        }

    def line(self, line_id, move_id, values, amounts, sequence):
        """``_compute_is_reconciled``, ``_compute_internal_index``; the foreign amount is optional.

        :return: dict from column to value, for columns that are not copied from the values
        """
        is_foreign = amounts.unit is not self.unit
        return {
            "id": line_id,
            "move_id": move_id,
            "amount": self.unit.text(amounts.journal),
            "foreign_currency_id": amounts.unit.id if is_foreign else None,
            "amount_currency": amounts.unit.text(amounts.transaction) if is_foreign else "0.0",
            "amount_residual": 0.0 - amounts.transaction,
            "is_reconciled": not amounts.transaction,
            "internal_index": f"{values['date']:%Y%m%d}{MAX_SEQUENCE - sequence:0>10}{line_id:0>10}",
        }

    def items(self, item_ids, move, values, amounts, can_have_residual):
        """``_prepare_move_line_default_vals``, ``_compute_totals``, ``_compute_amount_residual``.

        :param item_ids: ids of the bank account's item and of its counterpart
        :param dict move: columns of the entry
        :param can_have_residual: for each of the two, whether its account has residual amounts
        :return: two dicts from column to value
        """
        both = {
            "move_id": move["id"],
            "statement_line_id": move["statement_line_id"],
            "statement_id": values.get("statement_id") or None,
            "move_name": move["name"],
            "name": values.get("payment_ref") or None,
            "ref": move["ref"],
            "date": move["date"],
            "partner_id": move["partner_id"],
        }
        bank, counterpart = can_have_residual
        return [
            {"id": item_ids[0], **both, **self._item(amounts.journal, amounts.company, self.unit, bank)},
            {
                "id": item_ids[1],
                **both,
                **self._item(-amounts.transaction, -amounts.company, amounts.unit, counterpart),
            },
        ]

    def _item(self, amount, balance, unit, has_residual):
        amount_text, balance_text, zero = unit.text(amount), self.company_unit.text(balance), self.company_unit.zero
        return {
            "currency_id": unit.id,
            "amount_currency": amount_text,
            "balance": balance_text,
            "debit": balance_text if balance > 0 else zero,
            "credit": self.company_unit.text(-balance) if balance < 0 else zero,
            "price_subtotal": amount_text,
            "price_total": amount_text,
            "amount_residual": balance_text if has_residual else zero,
            "amount_residual_currency": amount_text if has_residual else unit.zero,
            "reconciled": has_residual and not balance and not amount,
        }
