"""Decides on each transaction of a window. Pure Python: it reads through :class:`Books` and changes nothing.

The import applies these decisions (:mod:`..books.apply`), *Find Missing Transactions* shows them
(:mod:`..books.compare`), so both always agree.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from .adoption import Wanted, adopt, similar
from .fees import fee_id, is_unknown, take_apart, variants
from .identity import Entry, digest, identify
from .likeness import Texts
from .matching import NEW, SAME, Known, match, money

#: Outcomes: nothing, because it is a line · an existing line is adopted · a new line · kept without a line, with a
#: reason · pending, because its day is in the future · deleted by a user · older than requested.
KNOWN, ADOPT, IMPORT, LEFT_OUT, HELD, DELETED, NOT_REQUESTED = (
    "known",
    "adopt",
    "import",
    "left_out",
    "held",
    "deleted",
    "not_requested",
)

#: Outcome for a transaction that is stored already, by the kind of the stored record. Other kinds are decided again.
OUTCOMES_OF_KNOWN = {"line": KNOWN, "deleted": DELETED}

#: Reasons of :data:`LEFT_OUT`, and of :data:`HELD`.
BEFORE_START, LOCKED, FUTURE = "before_start", "locked", "future"


@dataclass
class Window:
    """What the bank gave in one run, checked.

    ``since`` is the first requested day, None for all; ``is_delta``: changes since a bookmark were requested instead.
    ``unreadable`` holds ``(identifier, reason, message)``, with the reason as a :class:`~..client.words.Sentence`.
    """

    since: date | None = None
    is_delta: bool = False
    booked: list = field(default_factory=list)
    pending: list = field(default_factory=list)
    unreadable: list = field(default_factory=list)
    removed: set = field(default_factory=set)
    cursor: str | None = None

    @property
    def first_day(self):
        """The window is complete from this day on; None if unknown."""
        if self.is_delta or not self.booked:
            return None
        # Why not since alone: the bank's history may not reach as far back.
        return max(self.since or date.min, min(transaction.booking_date for transaction in self.booked))


@dataclass(frozen=True)
class Policy:
    """The settings of an account on which decisions depend.

    ``is_load``: the first load, or a load of older days.
    ``seen_on``: the current day at the bank, see :func:`~.windows.day_at_the_bank`.
    ``reports_fees``: transactions of the account may contain a fee; ``fees_on_own_line``: it becomes a line, see
    :mod:`.fees`.
    """

    seen_on: date
    is_load: bool = False
    start_date: date | None = None
    by_value_date: bool = False
    sign: int = 1
    decimal_places: int = 2
    reports_fees: bool = False
    fees_on_own_line: bool = True

    def line_date(self, transaction):
        return transaction.line_date(self.by_value_date)

    def line_amount(self, transaction):
        return self.exact(transaction.amount * self.sign)

    def exact(self, amount):
        return round(Decimal(str(amount)), self.decimal_places)


class Decision(NamedTuple):
    """One transaction, under its final identifier, with its outcome.

    ``change``: result of matching, see :class:`~.matching.Match` · ``known``: the matched record; with
    ``is_returning``, the record of a transaction of another connection that a user deleted · ``line_id``: the line to
    adopt · ``similar_line_id``: a line that may be it; ``has_gone`` if the bank showed that one before and no longer
    does · ``may_be_deleted``: it may be one that a user has deleted · ``was_held``: it was reported before its day ·
    ``is_retried``: a kept transaction that is not in this window · ``is_locked``: its day is in a locked period, for
    any outcome.
    """

    entry: Entry
    outcome: str
    change: str = NEW
    known: Known | None = None
    reason: str | None = None
    line_id: int | None = None
    similar_line_id: int | None = None
    has_gone: bool = False
    may_be_deleted: bool = False
    was_held: bool = False
    is_returning: bool = False
    is_retried: bool = False
    is_locked: bool = False

    @property
    def is_line(self):
        return bool(self.known and self.known.kind == "line")


@dataclass
class Decisions:
    """``repeats`` counts repeats in the answer. ``withdrawn`` holds identifiers that the bank has withdrawn and that
    have no decision. ``gone`` are stored lines that are missing on days that the window shows completely; ``lost`` are
    those of them that the bank had reported before their day, about which the user is asked."""

    decisions: list
    repeats: int = 0
    withdrawn: frozenset = frozenset()
    gone: list = field(default_factory=list)
    lost: list = field(default_factory=list)

    def __iter__(self):
        return iter(self.decisions)

    @property
    def is_quiet(self):
        """Whether all transactions are known."""
        return not self.withdrawn and all(one.outcome == KNOWN and one.change == SAME for one in self)

    @property
    def changes_nothing(self):
        """Whether nothing has to be written, because all transactions are unchanged lines."""
        return (
            self.is_quiet
            and not self.lost
            and all(one.is_line and one.known.digest and not one.known.is_withdrawn for one in self)
        )


def decide(window, policy, books):
    """
    :param window: :class:`Window`
    :param policy: :class:`Policy`
    :param books: stored transactions: :class:`~..books.read.Books`, or another object with its methods
    :return: :class:`Decisions`: of each booked transaction in the window, in the bank's order, then of retried ones
    """
    return _Deciding(window, policy, books).run()


class _Unclaimed:
    """Stored transactions that have vanished, and lines without a transaction, by day and amount.

    :param vanished: digests of these transactions
    :param candidates: list of :class:`~.adoption.Candidate`
    """

    def __init__(self, policy, vanished=(), candidates=()):
        self.policy = policy
        self.left = Counter(text.rpartition(" ")[0] for text in vanished)
        self.left.update((one.date, one.amount) for one in candidates)

    def claim(self, transactions):
        """:return: whether all of these transactions are available; each can be claimed once"""
        if not self.left:
            return False
        for key in (self._key_of_stored, self._key_of_line):
            wanted = Counter(map(key, transactions))
            if wanted <= self.left:
                self.left -= wanted
                return True
        return False

    @staticmethod
    def _key_of_stored(transaction):
        return digest(transaction).rpartition(" ")[0]

    def _key_of_line(self, transaction):
        return self.policy.line_date(transaction), self.policy.line_amount(transaction)


class _Deciding:
    def __init__(self, window, policy, books):
        self.window, self.policy, self.books = window, policy, books
        self.retried = set()
        #: Transactions that were reported before their day, by identifier and by digest.
        self.held = {}
        #: Booked transactions, split into gross amount and fee if these are two lines; fees no longer charged.
        self.booked, self.waived = window.booked, set()

    def run(self):
        entries, retried, stored = self._read()
        matches = self._match(entries, retried, stored)
        shown = {found.known.identifier for found in matches if found.known}
        missing = [one for one in stored if one.kind == "line" and one.digest and one.identifier not in shown]
        first_day = self.window.first_day
        returning = self._find_deleted_before([found for found in matches if not found.known])
        decisions = [self._begin(found, returning) for found in matches]
        decisions = self._adopt(decisions)
        decisions = self._lock([self._end(one) for one in decisions])
        return Decisions(
            decisions,
            repeats=len(self.booked) - len(entries),
            withdrawn=frozenset((self.window.removed | self.waived) - shown),
            gone=[one for one in missing if first_day and one.day >= first_day],
            lost=self._lost(missing),
        )

    # -------------------------------------------------------------------------
    # WHAT IS KNOWN
    # -------------------------------------------------------------------------

    def _read(self):
        """Read stored transactions, and split transactions with a fee accordingly.

        :return: entries of the window, retried entries, and stored transactions
        """
        window = self.window
        retried = [one for one in self.books.retried() if one.identifier not in window.removed]
        has_fees = self.policy.reports_fees or any(one.fee for one in window.booked)
        entries = identify(variants(window.booked) if has_fees else window.booked)
        names = [name for entry in entries for name in (entry.identifier, entry.shared_identifier)]
        if has_fees:
            # Why of all: a fee that was charged before may no longer be charged.
            names += [fee_id(one.id) for one in window.booked if one.id and not one.fee]
        stored = self.books.stored([*names, *(entry.identifier for entry in retried)])
        held = [known for known in stored if known.kind == "pending"]
        self.held = {name: known for known in held for name in (known.identifier, known.digest)}
        stored = [known for known in stored if known.kind != "pending"]
        if has_fees:
            known = {one.identifier: money(one.digest) if one.digest else "" for one in stored}
            claim = self._unclaimed(stored, {*names}, known).claim
            self.booked, self.waived = take_apart(window.booked, known.get, self.policy.fees_on_own_line, claim)
            entries = identify(self.booked)
            retried = [one for one in retried if one.identifier not in self.waived]
        return entries, retried, stored

    def _unclaimed(self, stored, shown, known):
        """:return: :class:`_Unclaimed`: what transactions with a fee and unknown ids may be in the books"""
        unknown = [one for one in self.window.booked if is_unknown(one, known.get)]
        if not unknown:
            return _Unclaimed(self.policy)
        first, removed = self.window.first_day, self.window.removed
        days = [self.policy.line_date(one) for one in unknown]
        return _Unclaimed(
            self.policy,
            [
                one.digest
                for one in stored
                if one.digest
                and (one.identifier in removed or (first and one.day >= first and one.identifier not in shown))
            ],
            self.books.candidates(min(days), max(days)),
        )

    def _match(self, entries, retried, stored):
        """:return: list of :class:`~.matching.Match` for the entries and retried ones"""
        window, removed = self.window, self.window.removed | self.waived
        matches = match(entries, stored, window.first_day, removed, window.since, self.books.contents)
        # Why after the match: the window may contain a retried one under a new or a shared id.
        shown = {found.known.identifier for found in matches if found.known}
        retried = [entry for entry in retried if entry.identifier not in shown]
        self.retried = {entry.identifier for entry in retried}
        return matches + match(retried, stored)

    def _lost(self, missing):
        """Lines of transactions that the bank reported before their day, and that are missing in a window of that day.

        Why not only from the first day of the window: the missing one may have been the only one.
        """
        if self.window.is_delta:
            return []
        since = self.window.since or date.min
        return [
            known
            for known in missing
            if known.day >= since and not known.is_withdrawn and (known.was_future or known.day > self.policy.seen_on)
        ]

    def _find_deleted_before(self, new):
        """Recognize, by content, transactions of other connections that a user deleted from this journal.

        :return: dict from identifier to :class:`~.matching.Known`
        """
        by_digest = defaultdict(list)
        for known in self.books.deleted_before([found.entry.digest for found in new]) if new else ():
            by_digest[known.digest].append(known)
        # Why one by one: of two equal transactions perhaps only one was deleted.
        return {
            found.entry.identifier: by_digest[found.entry.digest].pop(0)
            for found in new
            if by_digest.get(found.entry.digest)
        }

    # -------------------------------------------------------------------------
    # WHAT IS DECIDED
    # -------------------------------------------------------------------------

    def _begin(self, found, returning):
        """Decide what does not depend on the journal's lines; an outcome of None is still open."""
        entry = found.entry
        if found.kind == SAME and found.known.kind == "line" and not (self.held or self.retried):
            # Why first: nearly all transactions of a window are known lines, to which nothing below applies.
            return Decision(entry, KNOWN, SAME, found.known)
        known = found.known or returning.get(entry.identifier)
        held = self.held.get(entry.identifier) or self.held.get(entry.digest)
        # Why also then: the missing one disappeared on the day on which this one was announced.
        is_deleted = found.similar is not None and found.similar.kind == "deleted"
        similar_id = found.similar.record_id if found.similar and not is_deleted else held and held.similar_id
        is_known = bool(known) and known.kind in OUTCOMES_OF_KNOWN
        decision = Decision(
            entry,
            OUTCOMES_OF_KNOWN[known.kind] if is_known else None,
            found.kind,
            known,
            is_returning=not found.known and known is not None,
            similar_line_id=similar_id,
            has_gone=similar_id is not None,
            may_be_deleted=is_deleted,
            is_retried=entry.identifier in self.retried,
            was_held=held is not None,
        )
        if is_known:
            return decision
        if self._is_future(decision):
            return decision._replace(outcome=HELD, reason=FUTURE)
        if self._was_not_requested(decision):
            return decision._replace(outcome=NOT_REQUESTED)
        return decision

    def _is_future(self, decision):
        """Banks may report announced transactions as booked: they can still move, change their id, or disappear.

        Why by the booking day in any journal: with only a value day in the future, the amount is booked already.
        """
        day, today = decision.entry.transaction.booking_date, self.policy.seen_on
        return day > today or (day == today and decision.was_held)

    def _was_not_requested(self, decision):
        """Some providers return more than was requested; older ones were handled before, or are not wanted."""
        since = self.window.since
        return bool(
            since
            and not self.policy.is_load
            and not self.window.is_delta
            and not decision.is_retried
            and decision.entry.transaction.booking_date < since
        )

    def _adopt(self, decisions):
        """Adopt lines that were typed, or imported from a file or another connection."""
        days = [self.policy.line_date(one.entry.transaction) for one in decisions if not one.outcome]
        candidates = self.books.candidates(min(days), max(days)) if days else []
        if not candidates:
            return decisions
        wanted = [
            Wanted(
                number,
                self.policy.line_date(one.entry.transaction),
                self.policy.line_amount(one.entry.transaction),
                one.entry.digest,
                Texts.of(one.entry.transaction),
            )
            for number, one in enumerate(decisions)
            if not one.outcome
        ]
        adopted, ambiguous = adopt(wanted, candidates)
        named = similar(wanted, candidates, ambiguous)
        return [
            one._replace(outcome=ADOPT, line_id=adopted[number])
            if number in adopted
            else one._replace(similar_line_id=one.similar_line_id or named.get(number))
            for number, one in enumerate(decisions)
        ]

    def _end(self, decision):
        if decision.outcome:
            return decision
        if is_before_start(decision, self.policy):
            return decision._replace(outcome=LEFT_OUT, reason=BEFORE_START)
        return decision._replace(outcome=IMPORT)

    def _lock(self, decisions):
        """Leave out transactions of locked days; they are never re-dated."""
        days = {self.policy.line_date(one.entry.transaction) for one in decisions if one.outcome not in (KNOWN, ADOPT)}
        locked = self.books.locked_days(days) if days else ()
        if not locked:
            return decisions
        marked = []
        for one in decisions:
            is_locked = self.policy.line_date(one.entry.transaction) in locked
            if is_locked and one.outcome == IMPORT:
                one = one._replace(outcome=LEFT_OUT, reason=LOCKED)
            marked.append(one._replace(is_locked=is_locked))
        return marked


def is_before_start(decision, policy):
    """Whether the first load has seen it before the user's start date. Later ones are late bookings."""
    was_early = decision.known and decision.known.reason == BEFORE_START
    start = policy.start_date
    return bool(start and decision.entry.transaction.booking_date < start and (policy.is_load or was_early))
