"""Which of the lines that a journal has already are the bank's new transactions: typed by hand, imported from a file,
or brought by another connection, or by a module before this one."""

from collections import Counter, defaultdict, deque
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

#: People type the day of the invoice, or of the transfer; banks book some days later.
TOLERANCE = timedelta(days=3)


class Candidate(NamedTuple):
    """A line that no transaction of this account belongs to.

    ``digest`` is set where another connection brought it. Such a line has the bank's own date, so only that counts.
    ``is_among`` says that one of the transactions must be it: a bank has brought it, another provider may tell of it
    under another date, and its day is one that is told completely.
    """

    line_id: int
    date: date
    amount: Decimal
    digest: str | None = None
    is_among: bool = False


class Wanted(NamedTuple):
    """A new transaction, as a line would say it. ``key`` is whatever the caller knows it by."""

    key: object
    date: date
    amount: Decimal
    digest: str


def adopt(wanted, candidates):
    """Find the lines that are certain to be the transactions.

    Certain are: the same content from another connection; for lines that must be among the transactions, one of that
    amount within 3 days; on one day and with one amount, as many lines as transactions; and within 3 days one line and
    one transaction that have nobody else.

    :param wanted: list of :class:`Wanted`
    :param candidates: list of :class:`Candidate`
    :return: dict from key to line id, and the set of keys that may be one of the lines but not for certain
    """
    adopted = {}
    wanted, candidates = _pair_equal_content(wanted, candidates, adopted)
    wanted, candidates = _pair_among(wanted, candidates, adopted)
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


def _pair_among(wanted, candidates, adopted):
    """Which of several equal ones a line is does not matter to the books; that none is there twice does.

    So a line gets the transaction of its own day, and then as many lines as possible get one, although some may have to
    take another for that: of a coffee on each day that another provider dates a day later, only the last one is new.
    """
    groups = _groups(wanted, lambda one: one.amount)
    for amount, lines in _groups([other for other in candidates if other.is_among], lambda one: one.amount).items():
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
    """As many pairs as possible.

    :param options: for each line the numbers of the transactions that it may be, the likeliest first
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
        """Find one for a line, also where others have to make room: breadth first, so that few have to."""
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


def _groups(items, key):
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _without(candidates, adopted):
    taken = set(adopted.values())
    return [candidate for candidate in candidates if candidate.line_id not in taken]
