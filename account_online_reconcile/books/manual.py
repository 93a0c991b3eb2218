"""Books what the user has chosen on the reconciliation screen: documents with amounts, and accounts with taxes.

The parts come from a browser and are not trusted: :func:`read_parts` accepts only known keys and values, :func:`book`
checks them against the books under a lock. An amount has the sign of the bank line, as everywhere in the matcher, and
is in the line's currency.
"""

from decimal import Decimal, InvalidOperation

from odoo.exceptions import UserError

from ..matching.facts import ACCOUNT, ITEM, Counterpart
from . import apply

#: Maximum number of parts, because each costs time under the lock.
MOST_PARTS = 200


def book(line, parts):
    """
    :param line: ``account.bank.statement.line``; the caller has checked that the user may reconcile it
    :param parts: list of dictionaries sent by the browser, see :func:`read_parts`
    :return: (list of :class:`~..matching.facts.Counterpart`, result of :func:`.apply.book`)
    :raise UserError: if that can't be booked
    """
    counterparts = read_parts(line, parts)
    rest = Decimal(repr(line.amount)) - sum(one.amount for one in counterparts)
    if not line.currency_id.is_zero(float(rest)):
        raise UserError(
            line.env._(
                "The counterparts do not add up to the payment: %s is left. Add another counterpart.",
                line.currency_id.format(float(rest)),
            )
        )
    _check_accounts(line, counterparts)
    return counterparts, apply.book(line, counterparts, is_by_hand=True)


def read_parts(line, parts):
    """
    :param parts: list of dictionaries with ``kind`` (item, account), ``id`` and ``amount``; for an account also
        ``label``, ``tax_ids``, ``partner_id`` and ``analytic``, for a document in another currency ``is_paid_in_full``
    :return: list of :class:`~..matching.facts.Counterpart`
    """
    if not isinstance(parts, list) or not parts or len(parts) > MOST_PARTS:
        raise _not_understood(line)
    read = [_read_part(line, part) for part in parts]
    documents = [one.key for one in read if one.kind == ITEM]
    if len(set(documents)) != len(documents):
        raise UserError(line.env._("The same document was chosen twice. Remove one of them."))
    return read


def amount_on_line(line, item):
    """The open amount of a document, in the line's currency."""
    if item.currency_id == line.currency_id:
        return item.amount_residual_currency
    if item.currency_id == line.foreign_currency_id and line.amount_currency:
        return line.currency_id.round(item.amount_residual_currency * line.amount / line.amount_currency)
    return item.currency_id._convert(item.amount_residual_currency, line.currency_id, line.company_id, line.date)


def _check_accounts(line, counterparts):
    accounts = line.env["account.account"].browse([one.key for one in counterparts if one.kind == ACCOUNT])
    own = line.journal_id.default_account_id + line.journal_id.suspense_account_id
    if both := accounts & own:
        raise UserError(
            line.env._("“%s” is the account of the bank line itself. Choose another account.", both[:1].display_name)
        )


# -------------------------------------------------------------------------
# READING
# -------------------------------------------------------------------------


def _not_understood(line):
    return UserError(line.env._("This can't be booked. Reload the page and try again."))


def _read_part(line, part):
    if not isinstance(part, dict):
        raise _not_understood(line)
    key, amount = _read_id(line, part.get("id")), _read_amount(line, part.get("amount"))
    if part.get("kind") == ITEM:
        return _read_document(line, key, amount, bool(part.get("is_paid_in_full")))
    if part.get("kind") != ACCOUNT:
        raise _not_understood(line)
    taxes, partner = part.get("tax_ids") or [], part.get("partner_id") or None
    label = part.get("label") or ""
    if not isinstance(taxes, list) or not isinstance(label, str):
        raise _not_understood(line)
    return Counterpart(
        ACCOUNT,
        key,
        amount,
        label=label[:500],
        taxes=tuple(_read_id(line, tax) for tax in taxes),
        partner=partner and _read_id(line, partner),
        analytic=_read_analytic(line, part.get("analytic")),
    )


def _read_id(line, value):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
        raise _not_understood(line)
    return value


def _read_amount(line, value):
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _not_understood(line)
    try:
        amount = Decimal(str(value)[:30])
    except InvalidOperation:
        raise _not_understood(line) from None
    if not amount.is_finite() or abs(amount) > 10**15:
        raise _not_understood(line)
    rounded = Decimal(repr(line.currency_id.round(float(amount))))
    if not rounded:
        raise UserError(line.env._("A counterpart has no amount. Enter one, or remove it."))
    return rounded


def _read_document(line, key, amount, is_paid_in_full):
    item = line.env["account.move.line"].browse(key).exists()
    if not item or item.company_id != line.company_id:
        raise UserError(line.env._("A document that was chosen does not exist any more. Choose another one."))
    settles = amount
    if item.currency_id != line.currency_id:
        settles = _settled_in_its_currency(line, item, amount, is_paid_in_full)
    left = Decimal(repr(item.amount_residual_currency))
    if item.reconciled or (settles > 0) != (left > 0) or abs(settles) > abs(left):
        raise UserError(
            line.env._(
                "Of “%(document)s” %(open)s is open, so %(amount)s can't be booked on it. Change the amount.",
                document=item.move_name or item.display_name,
                open=item.currency_id.format(item.amount_residual_currency),
                amount=item.currency_id.format(float(settles)),
            )
        )
    return Counterpart(ITEM, key, amount, settles)


def _settled_in_its_currency(line, item, amount, is_paid_in_full):
    """The settled amount of a document in another currency, at the rate of the day, or all of it."""
    left = Decimal(repr(item.amount_residual_currency))
    if item.currency_id == line.company_id.currency_id:
        # Why: the entry of the line balances in this currency, so the value of the payment is that of the bank's item.
        counted = line._prepare_counterpart_amounts_using_st_line_rate(line.currency_id, None, float(amount))["balance"]
        return Decimal(repr(counted))
    if is_paid_in_full:
        return left
    whole = amount_on_line(line, item)
    share = float(amount) / whole * float(left) if whole else 0.0
    return Decimal(repr(item.currency_id.round(share)))


def _read_analytic(line, analytic):
    if not analytic:
        return None
    if not isinstance(analytic, dict) or len(analytic) > 50:
        raise _not_understood(line)
    read, asked = {}, set()
    for keys, percentage in analytic.items():
        ids = str(keys).split(",")
        if not all(one.isdecimal() for one in ids) or isinstance(percentage, bool):
            raise _not_understood(line)
        if not isinstance(percentage, int | float) or not 0 < percentage <= 1000:
            raise _not_understood(line)
        asked |= {int(one) for one in ids}
        read[str(keys)] = percentage
    accounts = line.env["account.analytic.account"].browse(asked).exists()
    if len(accounts) != len(asked) or accounts.company_id - line.company_id.parent_ids:
        raise _not_understood(line)
    return read
