"""Recognizes known accounts among those that a bank lists.

One rule for all providers and for the database: certain identity comes before similarity, and a new account is
preferred to a wrong one, because a wrong one sends the transactions of one account to the journal of another.
"""

import json
from collections import defaultdict
from itertools import count, product
from typing import NamedTuple


class Keys(NamedTuple):
    """What accounts are recognized by: names of the facts that are stored for each account.

    A fact may be a list, such as several hashes: then each of its values counts for itself.

    :param tuple own: names that together are the bank's identity of an account
    :param tuple alike: tuples of names, most reliable first, used where the bank's identity has changed
    :param tuple certain: facts that stay the same for the life of an account: where both sides know one and it
        differs, the two are never the same by likeness
    """

    own: tuple = ("id",)
    alike: tuple = ()
    certain: tuple = ()


def recognize(known, listed, keys):
    """Find each listed account among the known ones; the order of both does not matter.

    First by equal identity; then by each weaker key, most reliable first. A key counts only if exactly one known and
    exactly one listed account have its value: a value that two accounts share identifies neither of them, even if one
    of the two was found by a better key. An empty value never counts.

    :param dict known: facts of each known account, by our id
    :param list listed: facts of each account that the bank lists now
    :return: list of our ids in the order of ``listed``; None where an account is new or ambiguous
    """
    found = {}
    for names in (keys.own, *keys.alike):
        taken = set(found.values())
        pairs = [
            (index, ours)
            for index, ours in _unique_pairs(known, listed, names)
            if index not in found
            and ours not in taken
            and (names is keys.own or not _contradict(known[ours], listed[index], keys.certain))
        ]
        found.update(_without_rivals(pairs))
    return [found.get(index) for index in range(len(listed))]


def identify(known, listed, keys, proposals):
    """Give each listed account a permanent id: that of the known account it was recognized as, or a new one.

    A new id is never that of a known account, not even of one that is no longer listed: an account with its id would
    continue its journal. Two entries of the list with the same facts are one account.

    :param list proposals: the id that each listed account prefers if it is new
    :return: list of ids in the order of ``listed``
    """
    texts = [json.dumps(facts, sort_keys=True, default=str) for facts in listed]
    first = {text: index for index, text in reversed(list(enumerate(texts)))}
    # Why sorted: where two prefer the same id, the order of the list must not decide which one gets it.
    order = [first[text] for text in sorted(first)]
    ids = dict(zip(order, recognize(known, [listed[index] for index in order], keys), strict=True))
    taken = {*known}
    for index in order:
        if ids[index] is None:
            wishes = (str(proposals[index]) + (f".{number}" if number > 1 else "") for number in count(1))
            ids[index] = next(wish for wish in wishes if wish not in taken)
            taken.add(ids[index])
    return [ids[first[text]] for text in texts]


def _unique_pairs(known, listed, names):
    """:return: (index in ``listed``, our id) of the pairs that alone have a value of a key"""
    owners = defaultdict(lambda: (set(), set()))
    for ours, facts in known.items():
        for value in _values(facts, names):
            owners[value][0].add(ours)
    for index, facts in enumerate(listed):
        for value in _values(facts, names):
            owners[value][1].add(index)
    return {(next(iter(indexes)), next(iter(ids))) for ids, indexes in owners.values() if len(ids) == len(indexes) == 1}


def _values(facts, names):
    """:return: set of an account's values of a key; empty if a part of the key is empty"""
    parts = []
    for name in names:
        value = facts.get(name)
        parts.append([item for item in (value if isinstance(value, list | tuple) else [value]) if item])
    return set(product(*parts))


def _without_rivals(pairs):
    """Several values of one key may point to several accounts: then none of them is certain."""
    by_index, by_id = defaultdict(set), defaultdict(set)
    for index, ours in pairs:
        by_index[index].add(ours)
        by_id[ours].add(index)
    return {index: ours for index, ours in pairs if len(by_index[index]) == len(by_id[ours]) == 1}


def _contradict(old, new, certain):
    return any(old.get(name) and new.get(name) and old[name] != new[name] for name in certain)
