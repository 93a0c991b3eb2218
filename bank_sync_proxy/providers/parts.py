"""A period that is requested in parts, oldest first: the provider limits it, or its answer would be too large.

An answer that is too large for us, or for the database that waits for it, would be so in each run, and the account
would never be filled. If the provider's answer is too large, the period is halved, down to one day. If only the
database's is, it gets the first days of it, and the next request is for the rest.
"""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta

#: First day of what is halved where no first day was requested: no bank of an adapter goes further back.
LONGEST = timedelta(days=730)
#: Days of a period; outside them, sums of days would overflow.
FIRST, LAST = date(1900, 1, 1), date(2999, 12, 31)
#: Rows of a page below which its size is not measured.
FEW_ROWS = 200


@dataclass(frozen=True)
class Part:
    """
    :param date since: first day; None: as far back as the bank goes
    :param date until: last day; None: to the end, with what is pending or dated ahead
    :param int days: length of the parts that follow; None: the rest in one
    :param str inner: the adapter's own cursor within this part
    :param bool is_cut: all that is older has arrived, because the rest of an earlier answer begins here
    """

    since: date | None
    until: date | None = None
    days: int | None = None
    inner: str | None = None
    is_cut: bool = False

    @classmethod
    def beginning(cls, since, days, today):
        """
        :param date since: first day, None only without ``days``
        :return: the part of at most so many days that begins there; the one that has today has no end
        """
        if not days:
            return cls(since)
        until = since + timedelta(days=days - 1)
        return cls(since, until if until < today else None, days)

    def half(self, today):
        """:return: the first half, None where this is one day, or has begun already"""
        since = self.since or today - LONGEST
        days = ((self.until or today) - since).days + 1
        if self.inner or days < 2:
            return None
        return replace(self.beginning(since, days // 2, today), is_cut=self.is_cut)

    def following(self, today):
        """:return: what comes after this part, None after the last one"""
        return self.beginning(self.until + timedelta(days=1), self.days, today) if self.until else None

    def has(self, row):
        """:param row: :class:`~.types.Transaction`; what is pending belongs to the last part, whatever its day"""
        return row.status != "booked" or not self.since or row.booking_date >= self.since

    def to_json(self):
        days = {name: day and day.isoformat() for name, day in (("since", self.since), ("until", self.until))}
        return {**days, "days": self.days, "inner": self.inner, "is_cut": self.is_cut}

    @classmethod
    def from_json(cls, value):
        """:raise ValueError: for a value that :meth:`to_json` has not made; also other errors of reading"""
        since, until = (value[name] and date.fromisoformat(value[name]) for name in ("since", "until"))
        days, inner = value["days"], value["inner"]
        if (days is not None and not (isinstance(days, int) and 1 <= days <= 10_000)) or not since:
            raise ValueError("no part of a period")
        if not FIRST <= since <= (until or since) <= LAST:
            raise ValueError("no period")
        if inner is not None and not isinstance(inner, str):
            raise ValueError("no cursor")
        return cls(since, until, days, inner, value.get("is_cut") is True)


@dataclass(frozen=True)
class AnswerLimit:
    """How large an answer to a database may be.

    :param int size: bytes of JSON
    :param int values: as the database counts them before it reads an answer
    """

    size: int
    values: int

    def allows(self, page):
        """:param page: :class:`~.types.Page`"""
        if len(page.transactions) + len(page.unread) <= FEW_ROWS:
            return True
        return self._has_room(*_measured(page.to_protocol()))

    def _has_room(self, size, values):
        return size <= self.size and values <= self.values

    def first_days(self, page, since):
        """The first days of a page that is too large, all of each day; what is pending comes with the last days.

        :param date since: first day of the page's part, or None
        :return: (the shortened page; the day after), None where not even the first day has room
        """
        booked = [row for row in page.transactions if row.status == "booked"]
        booked.sort(key=lambda row: row.booking_date)
        size, values = _measured([row.to_protocol() for row in page.unread])
        kept, day, of_day = [], None, []
        for row in booked:
            # Some banks show what is older than the first day, too: the next part has to begin later.
            if (its_day := max(row.booking_date, since or row.booking_date)) != day:
                kept, day, of_day = [*kept, *of_day], its_day, []
            more = _measured(row.to_protocol())
            size, values = size + more[0] + 2, values + more[1] + 1
            if not self._has_room(size, values):
                break
            of_day.append(row)
        else:
            # Only what is pending, or the rest of the answer, is too much.
            kept, day = [*kept, *of_day], day and day + timedelta(days=1)
        return (replace(page, transactions=tuple(kept), next_cursor=None), day) if kept else None


#: Over the network: less than databases read (20 MB and 1,000,000 values), because of what is around a page.
ANSWER_LIMIT = AnswerLimit(16 * 1024**2, 800_000)


def _measured(value):
    """:return: (bytes, number of values) of a JSON value, as the database counts them"""
    content = json.dumps(value)
    return len(content), sum(map(content.count, ",[{"))
