"""Which of the lines that a journal has already are the bank's new transactions: typed by hand, imported from a file,
or brought by another connection."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

#: People type the day of the invoice, or of the transfer; banks book some days later.
TOLERANCE = timedelta(days=3)


class Candidate(NamedTuple):
    """A line that no transaction of this account belongs to.

    ``digest`` is set where another connection brought it. Such a line has the bank's own date, so only that counts.
    """

    line_id: int
    date: date
    amount: Decimal
    digest: str | None = None


class Wanted(NamedTuple):
    """A new transaction, as a line would say it. ``key`` is whatever the caller knows it by."""

    key: object
    date: date
    amount: Decimal
    digest: str


def adopt(wanted, candidates):
    """Find the lines that are certain to be the transactions.

    Certain are: the same content from another connection; on one day and with one amount, as many lines as
    transactions; and within 3 days one line and one transaction that have nobody else.

    :param wanted: list of :class:`Wanted`
    :param candidates: list of :class:`Candidate`
    :return: dict from key to line id, and the set of keys that may be one of the lines but not for certain
    """
    adopted = {}
    wanted, candidates = _pair_equal_content(wanted, candidates, adopted)
    wanted, candidates = _pair_equal_groups(wanted, candidates, adopted)
    by_amount = _groups([other for other in candidates if not other.digest], lambda candidate: candidate.amount)
    near = [
        (one, other) for one in wanted for other in by_amount[one.amount] if abs(other.date - one.date) <= TOLERANCE
    ]
    lines = Counter(other.line_id for _one, other in near)
    transactions = Counter(one.key for one, _other in near)
    ambiguous = set()
    for one, other in near:
        if lines[other.line_id] == transactions[one.key] == 1:
            adopted[one.key] = other.line_id
        else:
            ambiguous.add(one.key)
    return adopted, ambiguous


def _pair_equal_content(wanted, candidates, adopted):
    by_digest = _groups(candidates, lambda candidate: candidate.digest)
    left = []
    for one in wanted:
        if by_digest[one.digest]:
            adopted[one.key] = by_digest[one.digest].pop(0).line_id
        else:
            left.append(one)
    return left, _without(candidates, adopted)


def _pair_equal_groups(wanted, candidates, adopted):
    groups = _groups(candidates, lambda candidate: (candidate.date, candidate.amount))
    left = []
    for key, ones in _groups(wanted, lambda one: (one.date, one.amount)).items():
        if len(groups[key]) == len(ones):
            adopted.update((one.key, other.line_id) for one, other in zip(ones, groups[key], strict=True))
        else:
            left += ones
    return left, _without(candidates, adopted)


def _groups(items, key):
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _without(candidates, adopted):
    taken = set(adopted.values())
    return [candidate for candidate in candidates if candidate.line_id not in taken]
