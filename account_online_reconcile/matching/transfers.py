"""Finds the two sides of transfers between own journals.

>>> from datetime import date
>>> from .facts import Line
>>> from decimal import Decimal
>>> out = Line(1, date(2026, 5, 4), Decimal("-500"), journal="A", account="BE71 0961 2345 6769")
>>> into = Line(2, date(2026, 5, 5), Decimal("500"), journal="B")
>>> pair([out, into], {"B": "BE71096123456769"})[1]
Side(other=2, is_certain=True, is_payout=False, fee=Decimal('0'), payer=None)

A payment service pays out from its own account, whose number proves nothing. The payout's id does, if the bank's text
contains it:

>>> out = Line(1, date(2026, 5, 4), Decimal("-500"), journal="A", payout="po_1Qx7")
>>> into = Line(2, date(2026, 5, 6), Decimal("500"), journal="B", label="STRIPE PO1QX7", account="IE29")
>>> pair([out, into], {})[2]
Side(other=1, is_certain=True, is_payout=True, fee=Decimal('0'), payer='A')
"""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from .facts import ZERO
from .partners import account_key

#: Minimum length of an id; a shorter one may occur in any text.
LEAST_ID = 6


class Side(NamedTuple):
    """``is_certain``: the account number of one line is that of the other journal, or the bank's text contains the
    payout's id. ``is_payout``: one line is the payout of a payment service, which kept ``fee`` of it. ``payer``: the
    journal of that service."""

    other: object
    is_certain: bool
    is_payout: bool = False
    fee: Decimal = ZERO
    payer: object = None


def pair(lines, accounts, days=5):
    """Pair lines that are each other's only possible side.

    :param lines: of all own journals
    :param dict accounts: from a journal to its account number
    :param int days: maximum number of days between both
    :return: dict from a line's key to its :class:`Side`
    """
    own = {journal: account_key(number) for journal, number in accounts.items() if account_key(number)}
    groups = defaultdict(list)
    for line in lines:
        if line.amount:
            # Why not the amount: a service may deduct a fee from its payout.
            groups[abs(line.transferred), line.currency].append(line)
    pairs = {}
    for group in groups.values():
        incoming = [line for line in group if line.amount > 0]
        outgoing = [line for line in group if line.amount < 0]
        if incoming and outgoing:
            pairs.update(_pair_group(incoming, outgoing, own, days))
    return pairs


def _pair_group(incoming, outgoing, own, days):
    for only_certain in (True, False):
        sides = defaultdict(list)
        for one in incoming:
            for other in outgoing:
                if _may_be_one(one, other, own, days) and (not only_certain or _is_confirmed(one, other, own)):
                    sides[one.key].append(other)
                    sides[other.key].append(one)
        found = {}
        for one in incoming:
            others = sides[one.key]
            # Why both directions: if one side has two possible other sides, it is ambiguous.
            if len(others) == 1 and len(sides[others[0].key]) == 1:
                found[one.key] = _side(one, others[0], only_certain)
                found[others[0].key] = _side(others[0], one, only_certain)
        if found or (only_certain and any(sides.values())):
            return found
    return {}


def _side(line, other, is_certain):
    payouts = [each for each in (line, other) if each.payout]
    payer = payouts[0].journal if payouts else None
    return Side(other.key, is_certain, bool(payouts), sum((each.fee for each in payouts), ZERO), payer)


def _may_be_one(one, other, own, days):
    if one.journal == other.journal or abs(one.day - other.day) > timedelta(days=days):
        return False
    if one.payout or other.payout:
        # Why not by account numbers: the service pays from its own account.
        return not (one.payout and other.payout)
    # The account number of a third party or of another journal excludes this transfer.
    return all(
        not account_key(line.account) or account_key(line.account) == own.get(opposite.journal)
        for line, opposite in ((one, other), (other, one))
    )


def _is_confirmed(one, other, own):
    if one.payout or other.payout:
        return _names(other, one.payout) or _names(one, other.payout)
    return any(
        own.get(opposite.journal) and account_key(line.account) == own.get(opposite.journal)
        for line, opposite in ((one, other), (other, one))
    )


def _names(line, payout):
    """Why without punctuation: banks use capitals, and omit characters that are not in their character set."""
    payout = account_key(payout)
    return len(payout) >= LEAST_ID and any(
        payout in account_key(text) for text in (*line.texts, line.reference, line.end_to_end)
    )
