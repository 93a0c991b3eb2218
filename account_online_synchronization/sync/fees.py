"""Gross and fee: what a payment service says in one transaction becomes two lines of the journal, or one.

A card payment of 100.00 of which the service keeps 3.20 changes the balance by 96.80. An accountant wants the sale and
the fee apart: the invoice is paid in full, and the fee is an expense. So the transaction becomes two entries whose
amounts add up to it exactly. The first keeps the id, the second has it with :data:`FEE` behind it.

>>> from datetime import date
>>> from decimal import Decimal
>>> sale = Transaction("T1", True, date(2026, 5, 20), Decimal("96.80"), "EUR", fee=Decimal("-3.20"))
>>> def lines(on_own_line, *known):
...     found, _waived = take_apart([sale], {name: money for name, money in known}.get, on_own_line)
...     return [(one.id, str(one.amount)) for one in found]
>>> lines(True)
[('T1', '100.00'), ('T1:fee', '-3.20')]
>>> lines(False)
[('T1', '96.80')]

The setting decides on new transactions. What is stored stays as it is, so that no line changes its amount:

>>> lines(True, ("T1", "96.8 EUR"))
[('T1', '96.80')]
>>> lines(False, ("T1", "100 EUR"), ("T1:fee", "-3.2 EUR"))
[('T1', '100.00'), ('T1:fee', '-3.20')]
"""

from dataclasses import replace

from ..client.messages import Transaction
from .identity import stable_id

#: Behind the id of a transaction, it identifies the line of its fee. Stored, so never changed.
FEE = ":fee"


def fee_id(identifier):
    return identifier + FEE


def parts(transaction):
    """
    :param transaction: :class:`~..client.messages.Transaction` with an id and a fee
    :return: the gross amount and the fee, each as a transaction of its own that adds up to it
    """
    fee = transaction.fee
    gross = transaction.amount - fee
    # Why the protocol object is divided, too: what waits beside the books is read from it again.
    said = {name: value for name, value in transaction.raw.items() if name != "fee"}
    texts = tuple(filter(None, (transaction.fee_description, transaction.id)))
    return (
        replace(transaction, amount=gross, fee=None, fee_description="", message={**said, "amount": f"{gross:f}"}),
        Transaction(
            id=fee_id(transaction.id),
            booked=transaction.booked,
            booking_date=transaction.booking_date,
            value_date=transaction.value_date,
            amount=fee,
            currency=transaction.currency,
            # Why nothing of the payer or the invoice: the fee would be taken for a payment of it.
            remittance=texts,
            message={
                "id": fee_id(transaction.id),
                "status": said.get("status"),
                "booking_date": said.get("booking_date"),
                "value_date": said.get("value_date"),
                "currency": said.get("currency"),
                "amount": f"{fee:f}",
                "remittance": list(texts),
                "fee_of": transaction.id,
            },
        ),
    )


def variants(transactions):
    """:return: everything that these transactions may become, whatever is decided: to look for it in the books"""
    found = []
    for transaction in transactions:
        found.append(transaction)
        if can_be_apart(transaction):
            found.extend(parts(transaction))
    return found


def can_be_apart(transaction):
    """Why not without an id: nothing would tell that two lines belong together."""
    return bool(transaction.fee and stable_id(transaction))


def take_apart(transactions, find_known, on_own_line):
    """
    :param find_known: callable(identifier) that gives amount and currency of what is stored, as
        :func:`~.matching.money` has them; an empty text where they are not known, None where nothing is stored
    :param bool on_own_line: the setting of the account for what is new
    :return: (transactions, identifiers of stored fees that the service does not charge any more)
    """
    found, waived = [], set()
    for transaction in transactions:
        if can_be_apart(transaction):
            apart = _is_apart(transaction, find_known, on_own_line)
            found.extend(parts(transaction) if apart else (_net(transaction),))
            continue
        found.append(transaction)
        if transaction.id and find_known(fee_id(transaction.id)) is not None:
            waived.add(fee_id(transaction.id))
    return found, waived


def _is_apart(transaction, find_known, on_own_line):
    if find_known(fee_id(transaction.id)) is not None:
        return True
    known = find_known(transaction.id)
    gross = f"{(transaction.amount - transaction.fee).normalize():f} {transaction.currency}"
    # Why also then: it was stored before the service charged its fee.
    return on_own_line and known in (None, gross)


def _net(transaction):
    """Why without the amount in the foreign currency: that is the gross amount, and this one is not."""
    if transaction.foreign_amount is None:
        return transaction
    return replace(transaction, foreign_amount=None, foreign_currency=None)
