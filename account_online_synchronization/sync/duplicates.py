"""Groups lines of a journal that may be one transaction, with the evidence. Real payments may be equal, too.

Pure Python; the rows come from PostgreSQL, which has found days and amounts that occur more than once.
"""

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .likeness import NEAR, group

#: Kinds of evidence, the strongest first.
EVIDENCE = ("same_id", "flagged", "marked", "same_number", "same_text", "same_day", "near_days", "told_apart")
SAME_ID, FLAGGED, MARKED, SAME_NUMBER, SAME_TEXT, SAME_DAY, NEAR_DAYS, TOLD_APART = EVIDENCE

#: Dates of typed lines may differ by some days.
TOLERANCE = timedelta(days=3)


class Row(NamedTuple):
    """A line. ``number`` is the counterparty's account, ``""`` if not known; ``account_id`` and ``identifier`` belong
    to its bank transaction, None for lines that were typed or imported from a file.

    ``is_marked``: the import marked it as a possible duplicate, of ``similar_id`` · ``is_flagged``: the provider calls
    it a duplicate · ``is_distinct``: a user has decided that it is none.
    """

    line_id: int
    date: date
    amount: Decimal
    currency_id: int
    number: str
    text: str
    account_id: int | None = None
    identifier: str | None = None
    is_marked: bool = False
    is_flagged: bool = False
    is_distinct: bool = False
    similar_id: int | None = None


class Group(NamedTuple):
    """Lines in the order of their days, with the strongest evidence that they are one transaction."""

    rows: tuple
    evidence: str


def find_groups(rows):
    """
    :param rows: list of :class:`Row` of one journal
    :return: list of :class:`Group`, strongest evidence first, then the latest days
    """
    pairs = [*_same_id(rows), *_same_day(rows), *_similar(rows), *_named(rows), *_near(rows)]
    found = [_describe(rows) for rows in _connect(pairs) if not all(row.is_distinct for row in rows)]
    found.sort(key=lambda one: one.rows[-1].date, reverse=True)
    # Why two sorts: one key is ascending, the other one descending.
    return sorted(found, key=lambda one: EVIDENCE.index(one.evidence))


def _same_id(rows):
    """The same id was imported by two connections to one account."""
    named = [row for row in rows if row.identifier]
    by_id = group(named, lambda row: (row.identifier, row.currency_id, row.amount))
    return [same for same in by_id.values() if len(same) > 1]


def _same_day(rows):
    """Equal day, amount, currency and account number. An unknown number equals any."""
    groups = []
    for same in group(rows, lambda row: (row.date, row.currency_id, row.amount)).values():
        numbers = group(same, lambda row: row.number)
        unknown = numbers.pop("", [])
        if len(numbers) == 1 or (numbers and unknown):
            groups.append(same)
        else:
            groups += [*numbers.values(), unknown]
    return [some for some in groups if len(some) > 1]


def _similar(rows):
    """Marked or flagged lines, with those of the same amount within some days."""
    groups = []
    for same in _by_amount(rows):
        end = 0
        for row in same:
            if not row.is_marked and not row.is_flagged:
                continue
            first = bisect_left(same, row.date - TOLERANCE, key=_day)
            last = bisect_right(same, row.date + TOLERANCE, key=_day)
            # Why not a marked one alone: the other line no longer exists.
            if not row.is_flagged and last - first == 1:
                continue
            # Why merged here: groups that share lines are one; a bank that flags everything would block the worker.
            if groups and first < end:
                groups[-1] += same[end:last]
            else:
                groups.append(same[first:last])
            end = last
    return groups


def _named(rows):
    """Marked lines with the similar line that the import stored, at any distance in days."""
    by_id = {row.line_id: row for row in rows}
    return [[row, by_id[row.similar_id]] for row in rows if row.is_marked and row.similar_id in by_id]


def _near(rows):
    """Two lines of one bank account within some days, with the same counterparty or text, as after a change to a
    provider with later dates. Why only two: an amount that recurs more often is regular."""
    groups = []
    for same in _by_amount(rows):
        first = 0
        for number, row in enumerate(same, start=1):
            if number < len(same) and same[number].date - row.date <= NEAR:
                continue
            cluster, first = same[first:number], number
            if len(cluster) == 2 and _is_one_twice(*cluster):
                groups.append(cluster)
    return groups


def _is_one_twice(one, other):
    return (
        one.account_id is not None
        and one.account_id == other.account_id
        and one.date != other.date
        and ((one.number or one.text) == (other.number or other.text) != "")
    )


def _by_amount(rows):
    """:return: lists of rows of one amount, each in the order of days"""
    return group(sorted(rows, key=_day), lambda row: (row.currency_id, row.amount)).values()


def _day(row):
    return row.date


def _connect(groups):
    """Merge groups that share a line."""
    rows = {row.line_id: row for some in groups for row in some}
    parent = {key: key for key in rows}

    def root(key):
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    for some in groups:
        for row in some[1:]:
            parent[root(row.line_id)] = root(some[0].line_id)
    connected = group(rows.values(), lambda row: root(row.line_id))
    return [sorted(some, key=lambda row: (row.date, row.line_id)) for some in connected.values()]


def _describe(rows):
    identifiers = [row.identifier for row in rows if row.identifier]
    if len(set(identifiers)) < len(identifiers):
        evidence = SAME_ID
    elif any(row.is_flagged for row in rows):
        evidence = FLAGGED
    elif any(row.is_marked for row in rows):
        evidence = MARKED
    elif len({row.account_id for row in rows}) == 1 and rows[0].account_id:
        evidence = TOLD_APART if rows[0].date == rows[-1].date else NEAR_DAYS
    elif rows[0].number and len({row.number for row in rows}) == 1:
        evidence = SAME_NUMBER
    elif rows[0].text and len({row.text for row in rows}) == 1:
        evidence = SAME_TEXT
    else:
        evidence = SAME_DAY
    return Group(tuple(rows), evidence)
