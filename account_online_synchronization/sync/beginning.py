"""Computes a journal's opening balance from the bank's balance and the transactions since. Pure Python."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Row(NamedTuple):
    """A booked transaction.

    ``day`` is its booking day and ``amount`` has the sign that it has in the journal; None if unreadable.
    ``is_inside``: it is later than the beginning of the journal.
    """

    day: date | None
    amount: Decimal | None
    is_inside: bool = True


def start_of(balance, balance_day, rows):
    """
    :param Decimal balance: the booked balance at the end of a day, None if not known
    :param date balance_day: that day
    :param rows: :class:`Row` of all transactions booked since the beginning of the journal, or since the balance if
        that is older
    :return: the opening balance of the journal, None if not known
    """
    if balance is None or balance_day is None:
        return None
    start = balance
    for row in rows:
        is_counted = row.day is None or (row.day <= balance_day) == row.is_inside
        if not is_counted:
            # Booked between the balance and the beginning of the journal.
            continue
        if row.day is None or row.amount is None:
            return None
        start += -row.amount if row.is_inside else row.amount
    return start
