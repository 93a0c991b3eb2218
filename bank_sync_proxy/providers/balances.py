"""Which of the amounts that a provider lists for an account is its booked balance.

Opening balances are computed from it, so an amount that contains an overdraft, a credit limit or pending payments never
passes as one: it is handed on as an *available* amount, which is shown and never computed with.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from . import reading

#: When a booked balance holds, by its kind. A kind that needs its day is worth nothing without one.
CLOSING, PREVIOUS, OPENING = "at the end of its day", "at the end of its day, which is not today", "before its day"


@dataclass(frozen=True)
class Balance:
    """What is known about the balance of one account; all None if it was not requested.

    :param Decimal booked: the booked balance
    :param datetime at: the moment for which it holds
    :param date day: its last booking day, in the bank's time
    :param Decimal available: what the bank gives in place of a booked balance
    """

    booked: Decimal | None = None
    at: datetime | None = None
    day: date | None = None
    available: Decimal | None = None

    def to_account(self):
        """:return: values of :class:`~.types.Account`"""
        return {
            "balance": self.booked,
            "balance_at": self.at,
            "balance_date": self.day,
            "available": self.available,
        }

    def signed(self, sign):
        """:return: the same with its booked balance turned round, where ``sign`` is -1"""
        return replace(self, booked=self.booked and sign * self.booked)


UNKNOWN = Balance()


def of_list(listed, currency, kinds, available, now, limit=None):
    """
    :param listed: (kind, ``{"amount", "currency"}``, day or None) as the provider says them
    :param dict kinds: when a booked balance holds by its kind, the best kind first
    :param tuple available: kinds that are booked balance + credit limit, the best first
    :param datetime now: the current moment, aware
    :param Decimal limit: credit limit of a card, None if it is unknown or the account is not a card
    :return: :class:`Balance`
    """
    own = [
        (kind, reading.amount(money["amount"]), reading.day(said))
        for kind, money, said in listed
        if money["currency"] == currency
    ]
    for kind, holds in kinds.items():
        # The latest one: some banks list the balance of several days.
        found = sorted((day or date.min, number) for name, number, day in own if name == kind)
        if not found or (holds != CLOSING and found[-1][0] == date.min):
            continue
        day, number = found[-1]
        return Balance(number, *_moment(day, holds, now))
    amounts = {kind: number for kind, number, _day in reversed(own)}
    number = next((amounts[kind] for kind in (*available, *amounts) if kind in amounts), None)
    if limit is not None and number is not None and set(available) & set(amounts):
        return without_limit(number, limit, now)
    return Balance(available=number)


def without_limit(available, limit, now):
    """What a card owes is its limit less what is still available."""
    return Balance(available - limit, now, reading.central_european_day(now))


def _moment(day, holds, now):
    today = reading.central_european_day(now)
    day = today if day == date.min else day - timedelta(days=holds == OPENING)
    ended = datetime.combine(day, time(23, 59, 59), timezone.utc)
    return min(ended, now), min(day, today)
