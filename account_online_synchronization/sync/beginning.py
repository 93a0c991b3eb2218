"""With which balance a journal begins, from the bank's balance and what was booked since. Pure Python."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Row(NamedTuple):
    """What the bank has booked.

    ``day`` is its booking day and ``amount`` has the sign that it has in the journal; None for what can't be read.
    ``is_inside`` says whether it lies after the beginning of the journal.
    """

    day: date | None
    amount: Decimal | None
    is_inside: bool = True


def start_of(balance, balance_day, rows):
    """
    :param Decimal balance: the booked balance at the end of a day, None where it is not known
    :param date balance_day: that day
    :param rows: :class:`Row` of all that the bank has booked since the beginning of the journal; where the balance is
        older than the beginning, also of what was booked in between
    :return: the balance with which the journal begins, None where it is not known
    """
    if balance is None or balance_day is None:
        return None
    start = balance
    for row in rows:
        is_counted = row.day is None or (row.day <= balance_day) == row.is_inside
        if not is_counted:
            # It was booked after the balance, and before the beginning what is in the balance belongs to it.
            continue
        if row.day is None or row.amount is None:
            return None
        start += -row.amount if row.is_inside else row.amount
    return start
