"""Finds amounts that add up to another one, with a bounded and deterministic search.

>>> subsets([10, 20, 30], 50)
[(1, 2)]

It stops after two answers, which prove that it is ambiguous:

>>> subsets([10, 20, 30], 30)
[(2,), (0, 1)]
"""

from collections import defaultdict

#: Maximum number of amounts of which all combinations are tried (meet in the middle); of more, only pairs.
MOST = 14
#: Maximum number of amounts of which pairs are tried.
MOST_IN_PAIRS = 200


def subsets(amounts, target, enough=2):
    """:return: list of tuples of positions whose amounts add up to the target; the shorter and earlier ones first, no
    more than ``enough``, all of them for None"""
    if len(amounts) <= MOST:
        found = _in_halves(amounts, target)
    else:
        found = _pairs(amounts[:MOST_IN_PAIRS], target)
    return sorted(found, key=lambda chosen: (len(chosen), chosen))[:enough]


def _in_halves(amounts, target):
    middle = len(amounts) // 2
    first = _sums(amounts, range(middle))
    found = []
    for total, chosen in _sums(amounts, range(middle, len(amounts))).items():
        for one in first.get(target - total, ()):
            for other in chosen:
                if one or other:
                    found.append(one + other)
    return found


def _sums(amounts, positions):
    """:return: dict from a total to the tuples of positions that make it"""
    totals = {0: [()]}
    for position in positions:
        more = defaultdict(list)
        for total, chosen in totals.items():
            more[total + amounts[position]] += [(*one, position) for one in chosen]
        for total, chosen in more.items():
            totals.setdefault(total, []).extend(chosen)
    return totals


def _pairs(amounts, target):
    found = [(position,) for position, amount in enumerate(amounts) if amount == target]
    where = defaultdict(list)
    for position, amount in enumerate(amounts):
        found += [(other, position) for other in where[target - amount]]
        where[amount].append(position)
    return found
