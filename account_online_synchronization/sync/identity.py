"""Identifiers of transactions, unique within an online account and constant.

>>> from decimal import Decimal
>>> def coffee(number):
...     return Transaction(number, True, date(2026, 5, 20), Decimal("-2.50"), "EUR")

If the bank gives stable ids, those are used; repeats within an answer are dropped:

>>> [entry.identifier for entry in identify([coffee("A"), coffee("B"), coffee("A")])]
['A', 'B']

Without ids, or with ids that only count the transactions of a day, two equal coffees stay two:

>>> [entry.identifier[-2:] for entry in identify([coffee(None), coffee(None)])]
[':1', ':2']
>>> [entry.identifier[:3] for entry in identify([coffee("2026-05-20-7")])]
['f1:']

The digest summarizes the bank's data, beginning with day and amount:

>>> identify([coffee("A")])[0].digest[:17]
'2026-05-20 -2.5 E'
"""

import hashlib
import json
import re
from collections import Counter
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from ..client.messages import Transaction

#: Add new versions, but never change one: stored identifiers must stay recognizable.
FINGERPRINT_VERSION = "f1"

#: Identifies the line of *Book Opening Balance* among those of its account.
OPENING = "opening"

#: Prefix of identifiers of lines from earlier modules; the former provider and its id follow.
LEGACY = "legacy:"

#: ``2026-05-20-3``: the third of that day. After a late booking it identifies another transaction.
POSITIONAL = re.compile(r"(\d{4}-?\d{2}-?\d{2})[-_./]\d{1,5}")

#: Suffix that :meth:`Entry.shared` adds to an id.
SHARED = re.compile(r" ~[0-9a-f]{32}$")


class Entry(NamedTuple):
    """A booked transaction with its identity.

    ``identifier`` is unique in its account, ``digest`` summarizes the bank's data (see :func:`digest`).
    """

    identifier: str
    digest: str
    transaction: Transaction

    @property
    def shared_identifier(self):
        """Its identifier at a bank that gives one id to several transactions, which differ in content."""
        return f"{self.identifier} ~{self.digest.rpartition(' ')[2]}"

    def shared(self):
        return self._replace(identifier=self.shared_identifier)


def identify(transactions):
    """Give each transaction its identifier; repeats within the answer are dropped.

    It is the bank's id if there is a stable one. Otherwise it is a fingerprint of the content plus the occurrence
    number among equal ones of that day: two real coffees stay two, and the same answer always gives the same
    identifiers, because a window starts at the beginning of a day.

    :param transactions: all booked :class:`~..client.messages.Transaction` of a window
    :return: list of :class:`Entry`; those whose id names two different transactions have the same identifier
    """
    occurrences = Counter()
    entries = {}
    for transaction in transactions:
        identifier = stable_id(transaction)
        if not identifier:
            content = fingerprint(transaction)
            occurrences[content] += 1
            identifier = f"{FINGERPRINT_VERSION}:{content}:{occurrences[content]}"
        content = digest(transaction)
        entries.setdefault((identifier, content), Entry(identifier, content, transaction))
    return list(entries.values())


def bank_id(identifier):
    """The bank's id, also if several transactions share it, see :meth:`Entry.shared`.

    >>> bank_id("T1"), bank_id("TAX ~0123456789abcdef0123456789abcdef"), bank_id("A ~B")
    ('T1', 'TAX', 'A ~B')
    """
    return SHARED.sub("", identifier)


def stable_id(transaction):
    """The bank's id, or None if it is missing or only counts the transactions of a day."""
    if not transaction.id:
        return None
    positional = POSITIONAL.fullmatch(transaction.id)
    if positional and positional[1].replace("-", "") == f"{transaction.booking_date:%Y%m%d}":
        return None
    return transaction.id


def fingerprint(transaction):
    """A digest of date, amount, currency, texts and counterparty: 32 hexadecimal digits."""
    # 12.3 and 12.30 are the same amount.
    return _fingerprint(transaction, _day(transaction), str(transaction.amount.normalize()))


def _fingerprint(transaction, day, amount):
    parts = (
        day,
        amount,
        transaction.currency,
        *transaction.remittance,
        "|",
        transaction.counterparty_name,
        transaction.counterparty_number,
        transaction.reference,
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def digest(transaction):
    """A summary of the bank's data: booking date, amount and currency (``2026-05-20 -12.3 EUR``), and a hash of all.

    The hash may change between versions of the addon; it only has to be constant for the days of a window.
    """
    day, normal = _day(transaction), transaction.amount.normalize()
    amount = str(normal)
    rest = f"{_text(transaction.value_date)}\x1f{transaction.foreign_amount}\x1f{transaction.foreign_currency}"
    text = f"{_fingerprint(transaction, day, amount)}\x1f{rest}"
    content = hashlib.sha256(text.encode()).hexdigest()[:32]
    # Why not always: nearly all are written without an exponent already.
    plain = f"{normal:f}" if "E" in amount else amount
    return f"{day} {plain} {transaction.currency} {content}"


def _day(transaction):
    return _text(transaction.booking_date or date.max)


#: Text of a day in ISO format, or of None. Why cached: a window has few different days.
_text = lru_cache(maxsize=1024)(str)


def unreadable_id(message):
    """An identifier for an unreadable transaction, so that it is parked once, not in each run.

    Why of ``raw`` alone: other keys may change with the version of the connection service, while the transaction must
    be recognized once it becomes readable.

    :param message: result of :func:`~..client.messages.storable`
    """
    said = (isinstance(message, dict) and message.get("raw")) or message
    text = json.dumps(said, sort_keys=True, default=str)
    return f"unreadable:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
