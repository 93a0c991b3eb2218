"""The names that Odoo would give to a batch of entries: the next numbers of their journal, period by period.

Format, period and last number come from Odoo's own methods, once for each period; only the counting is done here.
As usual, the unique index on posted names refuses a concurrent transaction with the same number.
"""

import re
from typing import NamedTuple


class Name(NamedTuple):
    name: str
    sequence_prefix: str
    sequence_number: int


def draw(virtual, days):
    """
    :param virtual: ``callable(date)`` that returns a new, unsaved ``account.move`` of the journal on that day
    :param days: dates in ascending order
    :return: list of :class:`Name`, one for each day
    """
    names, period = [], None
    for day in days:
        if not period or not period.start <= day <= period.end:
            period = _Period(virtual(day))
        names.append(period.draw())
    return names


class _Period:
    """The days that share a sequence. Why the cache: Odoo continues from it until the transaction ends."""

    def __init__(self, move):
        self.format, self.values = move._get_next_sequence_format()
        last = self.values.pop("seq")
        self.key = (self.format.format(**self.values, seq=0), move.journal_id)
        self.cache = move._get_sequence_cache()
        self.cache.setdefault(self.key, last)
        reset = move._deduce_sequence_number_reset(self.format.format(**self.values, seq=last + 1))
        self.start, self.end = move._get_sequence_date_range(reset)[:2]
        number = move._make_regex_non_capturing(move._sequence_fixed_regex.replace(r"?P<seq>", ""))
        self.number = re.compile(number)

    def draw(self):
        self.cache[self.key] += 1
        name = self.format.format(**self.values, seq=self.cache[self.key])
        found = self.number.match(name)
        return Name(name, name[: found.start(1)], int(found.group(1) or 0))


def is_uniform(move):
    """Whether all names of the journal have one format; otherwise each depends on entries of neighboring days.

    :param move: unsaved ``account.move`` of the journal
    """
    move.env.cr.execute(
        """
        SELECT DISTINCT ON (sequence_prefix) name
          FROM account_move
         WHERE journal_id = %s AND name IS NOT NULL AND name NOT IN ('', '/')
      ORDER BY sequence_prefix, sequence_number DESC
        """,
        [move.journal_id.id],
    )
    return len({move._deduce_sequence_number_reset(name) for (name,) in move.env.cr.fetchall()}) <= 1
