"""Finds new transactions among the journal's existing lines, which were typed, imported from a file, or synchronized by
another connection or an earlier module.

>>> day = date(2026, 5, 20)
>>> def lines(*days):
...     return [Candidate(number, day + timedelta(days=off), Decimal("-20")) for number, off in enumerate(days, 1)]
>>> def payments(*days):
...     numbered = enumerate(days, 1)
...     return [Wanted(f"T{number}", day + timedelta(days=off), Decimal("-20"), "") for number, off in numbered]

One line and two equal transactions give two lines; it does not matter which of them was typed:

>>> adopt(payments(0, 0), lines(0))
({'T1': 1}, set())

Two lines and one transaction: a user must decide.

>>> adopt(payments(0), lines(-1, 1))
({}, {'T1'})
"""

from collections import Counter, deque
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .likeness import Texts, Thing, group, pair

#: Users type the day of the invoice or of the transfer; banks book some days later.
TOLERANCE = timedelta(days=3)


class Candidate(NamedTuple):
    """A line that is not linked to a transaction of this account.

    ``digest`` is set if another connection imported it. Such a line has the bank's own date, so only that day counts.
    ``is_among``: one of the transactions must be it, because it was imported from a bank, another provider may report
    it with another date, and the window contains its day completely.
    """

    line_id: int
    date: date
    amount: Decimal
    digest: str | None = None
    is_among: bool = False
    texts: Texts | None = None


class Wanted(NamedTuple):
    """A new transaction with the values of its line. ``key`` is chosen by the caller."""

    key: object
    date: date
    amount: Decimal
    digest: str
    texts: Texts | None = None


def adopt(wanted, candidates):
    """Find the lines that are certain to be the transactions.

    Certain are: the same content from another connection; for lines that must be among the transactions, one of that
    amount within 3 days; on one day and with one amount, no more lines than transactions; and within 3 days one line
    and one transaction without alternatives, or transactions of one day with this line only. Among equal ones, texts
    and counterparty decide.

    :param wanted: list of :class:`Wanted`
    :param candidates: list of :class:`Candidate`
    :return: dict from key to line id, and the set of keys that may be one of the lines
    """
    adopted = {}
    wanted, candidates = _pair_equal_content(wanted, candidates, adopted)
    wanted, candidates = _pair_among(wanted, candidates, adopted)
    wanted, candidates = _pair_equal_groups(wanted, candidates, adopted)
    near = _near(wanted, candidates)
    lines_of = Counter(one.key for one, _other in near)
    ambiguous = {one.key for one, _other in near}
    for both in group(near, lambda both: both[1].line_id).values():
        ones = [one for one, _other in both]
        if len({one.date for one in ones}) == 1 and all(lines_of[one.key] == 1 for one in ones):
            best = _pair_equal([both[0][1]], ones)
            adopted.update(best)
            ambiguous -= {one.key for one in ones}
    return adopted, ambiguous


def similar(wanted, candidates, keys):
    """The most similar lines of uncertain transactions, to show them to the user.

    :param keys: of those in ``wanted`` that :func:`adopt` did not decide
    :return: dict from key to the id of the nearest line
    """
    asked = [one for one in wanted if one.key in keys]
    found = {}
    for one, other in sorted(_near(asked, candidates), key=lambda both: abs(both[1].date - both[0].date)):
        found.setdefault(one.key, other.line_id)
    return found


def _near(wanted, candidates):
    """:return: list of pairs of one amount within some days, without lines of other connections"""
    by_amount = group([other for other in candidates if not other.digest], lambda candidate: candidate.amount)
    return [
        (one, other) for one in wanted for other in by_amount[one.amount] if abs(other.date - one.date) <= TOLERANCE
    ]


def _pair_equal(lines, ones):
    """:return: dict from key to line id"""
    things = [Thing(line.line_id, line.date, "", line.texts) for line in lines]
    others = [Thing(one.key, one.date, "", one.texts) for one in ones]
    return {other.key: thing.key for thing, other in pair(things, others)}


def _pair_equal_content(wanted, candidates, adopted):
    by_digest = group(candidates, lambda candidate: candidate.digest)
    left = []
    for one in wanted:
        if by_digest[one.digest]:
            adopted[one.key] = by_digest[one.digest].pop(0).line_id
        else:
            left.append(one)
    return left, _without(candidates, adopted)


def _pair_equal_groups(wanted, candidates, adopted):
    groups = group(candidates, lambda candidate: (candidate.date, candidate.amount))
    left = []
    for key, ones in group(wanted, lambda one: (one.date, one.amount)).items():
        # Why not more lines: a user may have typed one that the bank books later, and it is unknown which.
        if 0 < len(groups[key]) <= len(ones):
            adopted.update(_pair_equal(groups[key], ones))
        left += [one for one in ones if one.key not in adopted]
    return left, _without(candidates, adopted)


def _pair_among(wanted, candidates, adopted):
    """Pair as many lines as possible, so that no transaction is imported twice; which of equal ones does not matter.

    A line gets the transaction of the same day first, but may get another one to allow more pairs: of a coffee on each
    day that another provider dates one day later, only the last one is new.
    """
    groups = group(wanted, lambda one: one.amount)
    for amount, lines in group([other for other in candidates if other.is_among], lambda one: one.amount).items():
        ones = groups[amount]
        pairs = _Pairs(
            [
                sorted(
                    (number for number, one in enumerate(ones) if abs(one.date - line.date) <= TOLERANCE),
                    key=lambda number, line=line: (abs(ones[number].date - line.date), number),
                )
                for line in lines
            ]
        )
        for number, line in enumerate(lines):
            pairs.take_free(number, [option for option in pairs.options[number] if ones[option].date == line.date])
        for number in range(len(lines)):
            pairs.find(number)
        adopted.update((ones[option].key, lines[number].line_id) for number, option in pairs.chosen.items())
    return [one for one in wanted if one.key not in adopted], _without(candidates, adopted)


class _Pairs:
    """Maximum bipartite matching.

    :param options: for each line the numbers of the transactions that it may be, the most likely first
    """

    def __init__(self, options):
        self.options = options
        self.chosen, self.owner = {}, {}

    def take_free(self, line, options):
        for option in options:
            if option not in self.owner:
                self.chosen[line], self.owner[option] = option, line
                return

    def find(self, line):
        """Find an augmenting path for a line, breadth first, so that few other pairs change."""
        if line in self.chosen:
            return
        reached, queue = {}, deque([line])
        while queue:
            line = queue.popleft()
            for option in self.options[line]:
                if option in reached:
                    continue
                reached[option] = line
                if option not in self.owner:
                    self._make_room(option, reached)
                    return
                queue.append(self.owner[option])

    def _make_room(self, option, reached):
        while option is not None:
            line = reached[option]
            before = self.chosen.get(line)
            self.chosen[line], self.owner[option] = option, line
            option = before


def _without(candidates, adopted):
    taken = set(adopted.values())
    return [candidate for candidate in candidates if candidate.line_id not in taken]
