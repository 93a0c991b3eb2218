"""A journal without a database: what :func:`decide` asks for and the effect of its decisions, in lists.

Beside it a bank whose transactions may come under other days, ids and texts from some day on.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from account_online_synchronization.client.messages import Transaction
from account_online_synchronization.sync import decide as deciding
from account_online_synchronization.sync.decide import Policy, Window, decide
from account_online_synchronization.sync.likeness import NEAR
from account_online_synchronization.sync.matching import Known

ONE_DAY = timedelta(days=1)


def same(day):
    return day


def later(days):
    return lambda day: day + days * ONE_DAY


def monday(day):
    return day + (8 - day.isoweekday()) * ONE_DAY if day.isoweekday() > 5 else day


def friday(day):
    return day - max(0, day.isoweekday() - 5) * ONE_DAY


@dataclass
class Bank:
    """``move``, ``name`` and ``say`` turn the actual transactions into what the bank reports."""

    payments: list = field(default_factory=list)
    move: object = same
    name: object = "T{}".format
    say: object = "{}".format

    def book(self, day, amount, text="Coffee"):
        self.payments.append((len(self.payments), day, Decimal(amount), text))

    def rows(self):
        return [
            Transaction(self.name(number), True, self.move(day), amount, "EUR", remittance=(self.say(text),))
            for number, day, amount, text in self.payments
        ]


@dataclass
class Line:
    id: int
    entry: object
    similar_line_id: int | None = None
    was_held: bool = False
    is_withdrawn: bool = False


class Ledger:
    """The reading methods of ``Books``, and :meth:`run`."""

    def __init__(self, start_date=None):
        self.start_date, self.last_sync = start_date, None
        self.lines, self.held, self.lost, self.deleted, self.typed, self.beside = [], [], [], [], [], []
        #: Entries that wait beside the books, and days in a locked period.
        self.waiting, self.locked = [], set()
        self.window, self.reads = None, Counter()

    # -------------------------------------------------------------------------
    # READING
    # -------------------------------------------------------------------------

    def retried(self):
        return self.waiting

    def stored(self, identifiers):
        self.reads["stored"] += 1
        first = min((day for day in (self.window.first_day, self.window.since) if day), default=None)
        first = first and (first - NEAR).isoformat()
        names = set(identifiers)
        return (
            [
                Known(
                    "line",
                    line.id,
                    line.entry.identifier,
                    line.entry.digest,
                    is_withdrawn=line.is_withdrawn,
                    was_future=line.was_held,
                )
                for line in self.lines
                if (first and line.entry.digest >= first)
                or line.is_withdrawn
                or names & {line.entry.identifier, line.entry.identifier.partition(" ~")[0]}
            ]
            + self.beside
            + [
                Known("pending", 0, one.entry.identifier, one.entry.digest, "future", similar_id=one.similar_line_id)
                for one in self.held
            ]
        )

    def contents(self, known):
        self.reads["contents"] += 1
        by_id = {line.id: line.entry.transaction for line in self.lines}
        return {one.identifier: by_id[one.record_id] for one in known}

    def deleted_before(self, digests):
        return [known for known in self.deleted if known.digest in digests]

    def candidates(self, first, last):
        return self.typed

    def locked_days(self, days):
        return self.locked & set(days)

    # -------------------------------------------------------------------------
    # RUNNING
    # -------------------------------------------------------------------------

    def run(self, bank, today, back=10, reach=999):
        """
        :param back: number of days before the last run that are asked for
        :param reach: number of days that the bank shows at most
        :return: the decisions, after they were applied
        """
        since = (self.last_sync or self.start_date or date(2000, 1, 1)) - back * ONE_DAY
        rows = [row for row in bank.rows() if row.booking_date >= max(since, today - reach * ONE_DAY)]
        self.window = Window(since=since, booked=rows)
        policy = Policy(seen_on=today, is_load=not self.last_sync, start_date=self.start_date)
        decisions = decide(self.window, policy, self)
        by_id = {line.id: line for line in self.lines}
        self.held = []
        for known in decisions.lost:
            by_id[known.record_id].is_withdrawn = True
            self.lost.append(known.record_id)
        for one in decisions:
            if one.is_line:
                by_id[one.known.record_id].entry = one.entry
                by_id[one.known.record_id].is_withdrawn = False
            elif one.outcome == deciding.HELD:
                self.held.append(one)
            elif one.outcome == deciding.IMPORT:
                self.lines.append(Line(len(self.lines) + 1, one.entry, one.similar_line_id, one.was_held))
        names = [line.entry.identifier for line in self.lines]
        assert len(names) == len(set(names)), "PostgreSQL refuses two lines of one identifier"
        self.last_sync = today
        return decisions

    def amounts(self):
        return Counter(line.entry.transaction.amount for line in self.lines)

    def marks(self):
        return Counter(line.entry.transaction.amount for line in self.lines if line.similar_line_id)


def switched(bank, move, name="N{}".format, say="{}".format):
    """The same bank, reported by another provider."""
    return replace(bank, move=move, name=name, say=say)
