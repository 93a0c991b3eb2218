"""Gross amount and fee: one transaction of a payment service becomes two lines of the journal, or one.

A card payment of 100.00 of which the service keeps 3.20 changes the balance by 96.80. An accountant needs both amounts:
the invoice is paid in full, and the fee is an expense. So the transaction becomes two entries whose amounts add up to
it exactly. The first keeps the id, the second appends :data:`FEE` to it.

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

The setting applies to new transactions. Stored ones stay as they are, so that no line changes its amount:

>>> lines(True, ("T1", "96.8 EUR"))
[('T1', '96.80')]
>>> lines(False, ("T1", "100 EUR"), ("T1:fee", "-3.2 EUR"))
[('T1', '100.00'), ('T1:fee', '-3.20')]
"""

from dataclasses import replace

from ..client.messages import Transaction
from .identity import stable_id

#: Suffix of a transaction's id that identifies the line of its fee. Stored, so it must not change.
FEE = ":fee"


def fee_id(identifier):
    return identifier + FEE


def parts(transaction):
    """
    :param transaction: :class:`~..client.messages.Transaction` with an id and a fee
    :return: the gross amount and the fee as two transactions that add up to it
    """
    fee = transaction.fee
    gross = transaction.amount - fee
    # Why the protocol object is split, too: kept transactions are parsed from it again.
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
            # Why without payer and invoice: the fee would be reconciled as a payment.
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
    """:return: all forms that these transactions may have in the books, to search for them"""
    found = []
    for transaction in transactions:
        found.append(transaction)
        if can_be_apart(transaction):
            found.extend(parts(transaction))
    return found


def can_be_apart(transaction):
    """Why only with an id: without it nothing would show that two lines belong together."""
    return bool(transaction.fee and stable_id(transaction))


def take_apart(transactions, find_known, on_own_line, claim=lambda transactions: False):
    """
    :param find_known: callable(identifier) that returns the stored amount and currency in the format of
        :func:`~.matching.money`; an empty text if not known, None if nothing is stored
    :param bool on_own_line: the account's setting for new transactions
    :param claim: callable(transactions) that returns whether all of them may be in the books under other ids, or as
        lines without one; each stored transaction or line can be claimed once
    :return: (transactions, identifiers of stored fees that the service no longer charges)
    """
    found, waived = [], set()
    renamed = _find_renamed(transactions, find_known, on_own_line, claim)
    for transaction in transactions:
        if can_be_apart(transaction):
            apart = _is_apart(transaction, find_known, renamed.get(transaction.id, on_own_line))
            found.extend(parts(transaction) if apart else (_net(transaction),))
            continue
        found.append(transaction)
        if transaction.id and find_known(fee_id(transaction.id)) is not None:
            waived.add(fee_id(transaction.id))
    return found, waived


def is_unknown(transaction, find_known):
    return can_be_apart(transaction) and all(
        find_known(name) is None for name in (transaction.id, fee_id(transaction.id))
    )


def _find_renamed(transactions, find_known, on_own_line, claim):
    """Find the form in which transactions with new ids are in the books: with a changed setting, their amounts would
    otherwise be doubled.

    :return: dict from id to whether it is two lines
    """
    unknown = {one.id: one for one in transactions if is_unknown(one, find_known)}
    renamed = {}
    # Why the form of the setting first, for all: where both forms are possible, it is the more likely one.
    for apart in (on_own_line, not on_own_line):
        for name, transaction in unknown.items():
            if name not in renamed and claim(parts(transaction) if apart else (transaction,)):
                renamed[name] = apart
    return renamed


def _is_apart(transaction, find_known, on_own_line):
    if find_known(fee_id(transaction.id)) is not None:
        return True
    known = find_known(transaction.id)
    gross = f"{(transaction.amount - transaction.fee).normalize():f} {transaction.currency}"
    # Why also then: it was stored before the service reported its fee.
    return on_own_line and known in (None, gross)


def _net(transaction):
    """Why without the foreign amount: that is the gross amount, while this is the net amount."""
    if transaction.foreign_amount is None:
        return transaction
    return replace(transaction, foreign_amount=None, foreign_currency=None)
