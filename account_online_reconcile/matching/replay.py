"""A dry run: compares what would have been booked automatically in the past with what was booked.

>>> from decimal import Decimal
>>> from .facts import AUTOMATIC, ITEM, Counterpart, Decision
>>> same = Decision(1, AUTOMATIC, "reference", (Counterpart(ITEM, 5, Decimal("9")),))
>>> compare({1: same, 2: Decision(2)}, {1: {("item", 5)}, 2: {("item", 6)}}).sentence
'would have booked 1 of 2, 0 differently from you'
"""

from dataclasses import dataclass

from .facts import AUTOMATIC, DISCOUNT


@dataclass(frozen=True)
class Outcome:
    """``alike`` and ``different``: the keys of lines that would have been booked equally or differently."""

    total: int
    alike: tuple
    different: tuple

    @property
    def sentence(self):
        booked = len(self.alike) + len(self.different)
        return f"would have booked {booked} of {self.total}, {len(self.different)} differently from you"


def compare(decisions, booked):
    """
    :param dict decisions: from a line's key to its :class:`~.facts.Decision`
    :param dict booked: from a line's key to the set of (kind, key) that it was booked against
    """
    alike, different = [], []
    for key, decision in decisions.items():
        if decision.kind == AUTOMATIC:
            # Why without discounts: the booked counterparts contain only the documents.
            would_be = {(one.kind, one.key) for one in decision.counterparts if one.kind != DISCOUNT}
            (alike if would_be == booked.get(key) else different).append(key)
    return Outcome(len(decisions), tuple(alike), tuple(different))
