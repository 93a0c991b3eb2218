"""The columns of an entry that follow from a statement line's values, as Odoo computes them.

Each method names the methods of Odoo whose result it gives; :mod:`.bulk` compares the two on a line of each batch.
"""

from typing import NamedTuple

from odoo.tools import float_repr

#: ``MAXINT`` of Odoo's ``internal_index``.
MAX_SEQUENCE = 2**31 - 1

class Amounts(NamedTuple):
    """What a line moves: in the journal's, the transaction's and the company's currency, each rounded.

    ``currency`` is the transaction's.
    """

    journal: float
    transaction: float
    company: float
    currency: object


class Rows:
    """
    :param journal: ``account.journal`` of all lines
    :param partner_columns: ``callable(partner id, currency)`` that returns the columns of ``account.move`` which
        follow from the partner
    """

    def __init__(self, journal, partner_columns):
        self.journal = journal
        self.company = journal.company_id
        self.company_currency = self.company.sudo().currency_id
        self.currency = journal.currency_id or self.company_currency
        self.partner_columns = partner_columns
        self.rates = {}

    def amounts(self, values):
        """``_prepare_move_line_default_vals``

        :param dict values: of a line, ``foreign_currency_id`` and ``amount_currency`` together or not at all
        :return: :class:`Amounts`
        """
        amount = self.currency.round(values["amount"] or 0.0)
        foreign_id = values.get("foreign_currency_id")
        if not foreign_id or foreign_id == self.currency.id:
            return Amounts(amount, amount, self._in_company_currency(amount, values["date"]), self.currency)
        foreign = self.currency.browse(foreign_id)
        foreign_amount = foreign.round(values["amount_currency"])
        if self.currency == self.company_currency or foreign != self.company_currency:
            company = self._in_company_currency(amount, values["date"])
        else:
            company = foreign_amount
        return Amounts(amount, foreign_amount, company, foreign)

    def _in_company_currency(self, amount, day):
        if self.currency == self.company_currency or not amount:
            return self.company_currency.round(amount)
        if day not in self.rates:
            self.rates[day] = self.currency._get_conversion_rate(
                self.currency, self.company_currency, self.company, day
            )
        return self.company_currency.round(amount * self.rates[day])

    def move(self, move_id, line_id, name, values, amounts):
        """``_compute_amount``: the total of the debits.

        :param name: :class:`~.numbers.Name`
        :return: dict from column to value
        """
        currency = amounts.currency
        if amounts.company > 0:
            total = currency.round(amounts.journal)
        elif amounts.company < 0:
            total = -amounts.transaction
        else:
            total = 0.0
        return {
            "id": move_id,
            "statement_line_id": line_id,
            "date": values["date"].isoformat(),
            "ref": values.get("ref") or None,
            "partner_id": values.get("partner_id") or None,
            "currency_id": currency.id,
            "amount_total": money(total, currency),
            "amount_total_signed": money(abs(amounts.company), self.company_currency),
            "amount_total_in_currency_signed": money(abs(total), currency),
            **name._asdict(),
            **self.partner_columns(values.get("partner_id") or None, currency),
        }

    def line(self, line_id, move_id, values, amounts, sequence):
        """``_compute_is_reconciled``, ``_compute_internal_index``; a line has a foreign amount or none.

        :return: dict from column to value, for those that the values do not give as they are
        """
        is_foreign = amounts.currency != self.currency
        return {
            "id": line_id,
            "move_id": move_id,
            "amount": money(amounts.journal, self.currency),
            "foreign_currency_id": amounts.currency.id if is_foreign else None,
            "amount_currency": money(amounts.transaction, amounts.currency) if is_foreign else "0.0",
            "amount_residual": 0.0 - amounts.transaction,
            "is_reconciled": amounts.currency.is_zero(amounts.transaction),
            "internal_index": f"{values['date']:%Y%m%d}{MAX_SEQUENCE - sequence:0>10}{line_id:0>10}",
        }

    def items(self, item_ids, move, values, amounts, can_have_residual):
        """``_prepare_move_line_default_vals``, ``_compute_totals``, ``_compute_amount_residual``.

        :param item_ids: ids of the bank account's item and of its counterpart
        :param dict move: columns of the entry
        :param can_have_residual: for each of the two, whether its account keeps what is not reconciled
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
        sides = (
            (amounts.journal, amounts.company, self.currency),
            (-amounts.transaction, -amounts.company, amounts.currency),
        )
        return [
            {"id": item_id, **both, **self._item(*side, has_residual)}
            for item_id, side, has_residual in zip(item_ids, sides, can_have_residual, strict=True)
        ]

    def _item(self, amount, balance, currency, has_residual):
        amount_text, balance_text = money(amount, currency), money(balance, self.company_currency)
        none = money(0.0, currency), money(0.0, self.company_currency)
        return {
            "currency_id": currency.id,
            "amount_currency": amount_text,
            "balance": balance_text,
            "debit": balance_text if balance > 0 else none[1],
            "credit": money(-balance, self.company_currency) if balance < 0 else none[1],
            "price_subtotal": amount_text,
            "price_total": amount_text,
            "amount_residual": balance_text if has_residual else none[1],
            "amount_residual_currency": amount_text if has_residual else none[0],
            "reconciled": has_residual and self.company_currency.is_zero(balance) and currency.is_zero(amount),
        }


def money(amount, currency):
    """A rounded amount as Odoo writes it to PostgreSQL."""
    return float_repr(amount + 0.0, currency.decimal_places)
