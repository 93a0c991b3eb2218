"""Which transaction is which. An identifier is unique within its online account and never changes."""

import hashlib
from collections import Counter

#: Bump it, never change it: stored identifiers must stay recognisable.
FINGERPRINT_VERSION = "f1"


def identify(transactions):
    """Pair each transaction with its identifier.

    The bank's id where there is one. Otherwise a fingerprint of what the transaction says, plus its occurrence number
    among equal ones of that day: two real coffees stay two, and the same answer gives the same identifiers again.
    That holds because a window always starts at the beginning of a day.

    :param transactions: all booked :class:`~..proxy.messages.Transaction` of a window
    :return: list of ``(identifier, transaction)``, and list of transactions whose id names another one already. A mere
        repeat is in neither.
    """
    occurrences = Counter()
    identified = {}
    clashing = []
    for transaction in transactions:
        identifier = transaction.id
        if not identifier:
            digest = fingerprint(transaction)
            occurrences[digest] += 1
            identifier = f"{FINGERPRINT_VERSION}:{digest}:{occurrences[digest]}"
        first = identified.setdefault(identifier, transaction)
        if first is not transaction and fingerprint(first) != fingerprint(transaction):
            clashing.append(transaction)
    return list(identified.items()), clashing


def fingerprint(transaction):
    """A digest of date, amount, currency, texts and counterparty: 32 hexadecimal digits."""
    parts = (
        transaction.date.isoformat(),
        # 12.3 and 12.30 are the same amount.
        str(transaction.amount.normalize()),
        transaction.currency,
        *transaction.remittance,
        "|",
        transaction.counterparty_name,
        transaction.counterparty_number,
        transaction.reference,
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
