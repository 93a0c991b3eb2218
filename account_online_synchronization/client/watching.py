"""How far a list of transactions has come, seen from outside: neither the client nor what stores it knows of it."""

from dataclasses import dataclass
from datetime import date


@dataclass
class Heard:
    """What the bank has given of one account so far. Days are those of the transactions, None before the first."""

    pages: int = 0
    transactions: int = 0
    first_day: date | None = None
    last_day: date | None = None

    def add(self, transactions):
        """:param list transactions: of one page, as the proxy gave them; nothing is expected of them"""
        self.pages += 1
        self.transactions += len(transactions)
        days = [*filter(None, (_day(message) for message in transactions)), self.first_day, self.last_day]
        days = [day for day in days if day]
        if days:
            self.first_day, self.last_day = min(days), max(days)


def _day(message):
    """:return: the day of a transaction, or None where it can't be read: that is the business of others"""
    day = message.get("booking_date") if isinstance(message, dict) else None
    try:
        return date.fromisoformat(day) if isinstance(day, str) else None
    except ValueError:
        return None


class Watched:
    """A transport that tells after each page of transactions how far the list has come.

    :param tell: ``callable(heard: Heard)``
    """

    def __init__(self, transport, tell):
        self._transport = transport
        self._tell = tell
        self._heard = Heard()

    def for_threads(self):
        return None

    def call(self, operation, payload):
        answer = self._transport.call(operation, payload)
        transactions = answer.get("transactions") if isinstance(answer, dict) else None
        if operation == "transactions.list" and isinstance(transactions, list):
            self._heard.add(transactions)
            self._tell(self._heard)
        return answer
