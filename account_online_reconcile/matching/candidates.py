"""An index of everything that lines may be matched with, by reference, number, amount and partner.

>>> from decimal import Decimal
>>> from .facts import OpenItem
>>> index = Candidates([OpenItem(1, Decimal("10"), number="INV/2026/00001", partner=7, name="Azure Interior")])
>>> index.partner_of_name("AZURE INTERIOR"), [one.key for one in index.of_amount(Decimal("10"), "EUR")]
(7, [1])
"""

from bisect import bisect_left
from collections import defaultdict

from .documents import net
from .numbers import NumberIndex
from .partners import account_key, beginning, end_to_end_key, name_keys
from .references import UNMISTAKABLE, read_whole


def identity(candidate):
    return candidate.kind, candidate.key


class Candidates:
    """
    :param candidates: :class:`~.facts.OpenItem`, :class:`~.facts.Payment` and :class:`~.facts.Batch` in any order
    :param prefixes: of the journals' sequences
    """

    def __init__(self, candidates=(), prefixes=()):
        self.all = {identity(candidate): candidate for candidate in candidates}
        self.by_reference = defaultdict(list)
        self.by_end_to_end = defaultdict(list)
        self._by_amount = defaultdict(list)
        self._by_partner = defaultdict(list)
        self._partners_by_name = defaultdict(set)
        self._partners_by_account = defaultdict(set)
        self._with_accounts = set()
        self.paid_by = defaultdict(list)
        numbers = {}
        for key, candidate in self.all.items():
            self._index(key, candidate)
            numbers[key] = {text for text in (candidate.number, *candidate.references) if text}
        own = {key: candidate.number for key, candidate in self.all.items() if candidate.number}
        self.numbers = NumberIndex(numbers, prefixes, own)
        #: Schemes of the candidates' references: an unknown reference of one of them belongs to another document.
        self.schemes = {reference.scheme for reference in self.by_reference} & UNMISTAKABLE
        self._beginnings = sorted(
            {(beginning(one.name), one.partner) for one in self.all.values() if one.partner and beginning(one.name)},
            key=lambda both: (both[0], str(both[1])),
        )

    def _index(self, key, candidate):
        for reference in {found for text in candidate.references for found in read_whole(text)}:
            self.by_reference[reference].append(key)
        if identifier := end_to_end_key(getattr(candidate, "end_to_end", "")):
            self.by_end_to_end[identifier].append(key)
        for item in getattr(candidate, "pays", ()):
            self.paid_by["item", item].append(key)
        if getattr(candidate, "is_settled", False):
            return
        self._by_amount[net(candidate), candidate.currency].append(key)
        if candidate.partner:
            self._by_partner[candidate.partner].append(key)
            for name in name_keys(candidate.name):
                self._partners_by_name[name].add(candidate.partner)
            for number in candidate.accounts:
                self._partners_by_account[account_key(number)].add(candidate.partner)
                self._with_accounts.add(candidate.partner)

    def of_amount(self, amount, currency):
        return [self.all[key] for key in self._by_amount.get((amount, currency), ())]

    def of_partner(self, partner):
        return [self.all[key] for key in self._by_partner.get(partner, ())]

    def partner_of_account(self, number):
        return _only(self._partners_by_account.get(account_key(number), ()))

    def has_accounts(self, partner):
        return partner in self._with_accounts

    def partner_of_name(self, name):
        """:return: the only partner with that name, or whose name begins with it if the bank may have truncated it"""
        found = set().union(*(self._partners_by_name.get(key, set()) for key in name_keys(name)))
        if found:
            return _only(found)
        cut, begun = beginning(name), set()
        if cut:
            for whole, partner in self._beginnings[bisect_left(self._beginnings, cut, key=lambda both: both[0]) :]:
                if not whole.startswith(cut) or len(begun) > 1:
                    break
                begun.add(partner)
        return _only(begun)


def _only(found):
    return next(iter(found)) if len(found) == 1 else None
