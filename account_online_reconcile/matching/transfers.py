"""The two sides of a transfer between own journals.

>>> from datetime import date
>>> from .facts import Line
>>> from decimal import Decimal
>>> out = Line(1, date(2026, 5, 4), Decimal("-500"), journal="A", account="BE71 0961 2345 6769")
>>> into = Line(2, date(2026, 5, 5), Decimal("500"), journal="B")
>>> pair([out, into], {"B": "BE71096123456769"})[1]
Side(other=2, is_certain=True)
"""

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from .partners import account_key


class Side(NamedTuple):
    """``is_certain``: an account number of one of both lines is the other journal's."""

    other: object
    is_certain: bool


def pair(lines, accounts, days=5):
    """Pair lines that are each other's only possible side.

    :param lines: of all own journals
    :param dict accounts: from a journal to its account number
    :param int days: so many days apart at most
    :return: dict from a line's key to its :class:`Side`
    """
    own = {journal: account_key(number) for journal, number in accounts.items() if account_key(number)}
    groups = defaultdict(list)
    for line in lines:
        if line.amount:
            groups[abs(line.amount), line.currency].append(line)
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
            # Why both ways: where one side has two possible other sides, nobody knows which it is.
            if len(others) == 1 and len(sides[others[0].key]) == 1:
                found[one.key] = Side(others[0].key, only_certain)
                found[others[0].key] = Side(one.key, only_certain)
        if found or (only_certain and any(sides.values())):
            return found
    return {}


def _may_be_one(one, other, own, days):
    if one.journal == other.journal or abs(one.day - other.day) > timedelta(days=days):
        return False
    # An account number that is nobody's own, or another journal's, says that the money went elsewhere.
    return all(
        not account_key(line.account) or account_key(line.account) == own.get(opposite.journal)
        for line, opposite in ((one, other), (other, one))
    )


def _is_confirmed(one, other, own):
    return any(
        own.get(opposite.journal) and account_key(line.account) == own.get(opposite.journal)
        for line, opposite in ((one, other), (other, one))
    )
