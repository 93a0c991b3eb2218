"""Groups lines in bank statements by the journal's periodicity, and computes the balances from the lines."""

from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from ..sync.identity import OPENING
from ..sync.periods import Period, period_of
from .writer.overrides import others_compute

#: Fields of a statement that Odoo computes by reading each of its lines.
OF_LINES = ("journal_id", "date", "first_line_index", "balance_end", "is_complete")


def group(journal, lines, opening_balance=None):
    """Assign lines to the statements of their periods, then update the balances.

    :param lines: ``account.bank.statement.line`` records of the journal without a statement, or with a wrong one
    :param opening_balance: start balance of the journal's very first statement, None to keep it
    """
    by_day = open_for(journal, set(lines.mapped("date")), lines)
    if not by_day:
        return
    touched = lines.statement_id.union(*by_day.values())
    for statement, some in lines.grouped(lambda line: by_day[line.date]).items():
        some.statement_id = statement
    settle(journal, touched, min(by_day), opening_balance)


def open_for(journal, days, joining=None):
    """Find or create the statements of days.

    :param days: set of dates
    :param joining: existing lines that the caller assigns to them
    :return: dict from date to ``account.bank.statement``; empty if the journal has no periodicity
    """
    if journal.bank_statement_creation_groupby == "none" or not days:
        return {}
    periods = _Periods(journal)
    by_day = {day: periods.find(day) for day in sorted(days)}
    new = sorted(set(by_day.values()) - set(periods.statements))
    periods.statements.update(zip(new, _create(journal, new, joining), strict=True))
    return {day: periods.statements[period] for day, period in by_day.items()}


@contextmanager
def undisturbed(by_day):
    """Suspend Odoo's computation of statements, which reads all their lines for each new line; :func:`settle` follows.

    :param by_day: dict from date to ``account.bank.statement``
    """
    statements = next(iter(by_day.values())).union(*by_day.values()) if by_day else None
    if not statements or others_compute(statements):
        yield
        return
    with statements.env.protecting([statements._fields[name] for name in OF_LINES], statements):
        yield


def settle(journal, touched, first_day, opening_balance=None):
    """Recompute balances: each statement starts with the end balance of the one before it.

    A late booking changes its own statement and the start of all later ones. Statements of users are not changed: they
    have entered their balances.

    :param touched: ``account.bank.statement`` records whose lines have changed; those without lines are deleted
    :param date first_day: of the first line that has changed
    :param opening_balance: start balance of the journal's very first statement, None to keep it
    """
    new = touched.filtered(lambda one: not one.first_line_index)
    is_unknown = any(touched.mapped("online_start_unknown"))
    touched = _follow_lines(touched)
    ordered = touched.search([("journal_id", "=", journal.id)], order="first_line_index, id")
    if is_unknown and not any(ordered.mapped("online_start_unknown")):
        # Why here: a statement that has lost its lines, and was deleted with the mark, has no journal any more.
        ordered.filtered("online_period_start")[:1].online_start_unknown = True
    affected = ordered.filtered(
        lambda one: (
            # Why touched ones, too: a statement ends earlier if its last line was moved.
            one.online_period_start and one.first_line_index and one.date and (one in touched or one.date >= first_day)
        )
    )
    if not affected:
        return
    sums = _read_lines(affected)
    is_known = not any(ordered.mapped("online_start_unknown"))
    loose = _loose_before(journal, affected, ordered)
    has_start = (ordered - new)[:1].online_period_start
    for previous, statement in pairwise([touched.browse(), *ordered]):
        if statement not in affected:
            continue
        if previous:
            start = previous.balance_end_real + loose[statement.id]
        elif opening_balance is None:
            # Why only then: a new first statement takes over the start balance of the previous one, see _create().
            start = loose[statement.id] if statement in new and not has_start else statement.balance_start
        else:
            start = opening_balance
        # Why some have none: PostgreSQL deletes lines with their entries without updating their statements.
        lines = sums.get(statement.id, NO_LINES)
        _write(
            statement,
            balance_start=start,
            balance_end_real=start + lines.amount,
            balance_end=start + lines.posted,
            is_complete=is_known
            and lines.has_posted
            and not statement.currency_id.compare_amounts(lines.amount, lines.posted),
        )


class _Lines(NamedTuple):
    """Totals of the lines of a statement."""

    journal_id: int
    first_line_index: str
    date: object
    amount: float
    posted: float
    has_posted: bool


NO_LINES = _Lines(journal_id=0, first_line_index="", date=None, amount=0.0, posted=0.0, has_posted=False)


def _read_lines(statements):
    """:return: dict from statement id to :class:`_Lines`, without those that have no lines"""
    env = statements.env
    env["account.bank.statement.line"].flush_model(["statement_id", "internal_index", "amount", "journal_id"])
    env["account.move"].flush_model(["date", "state"])
    env.cr.execute(
        """
        SELECT line.statement_id, min(line.journal_id), min(line.internal_index),
               (array_agg(move.date ORDER BY line.internal_index DESC) FILTER (WHERE move.state = 'posted'))[1],
               sum(line.amount)::float, coalesce(sum(line.amount) FILTER (WHERE move.state = 'posted'), 0)::float,
               bool_or(move.state = 'posted')
          FROM account_bank_statement_line line
          JOIN account_move move ON move.id = line.move_id
         WHERE line.statement_id = ANY(%s)
      GROUP BY line.statement_id
        """,
        [statements.ids],
    )
    return {statement_id: _Lines(*found) for statement_id, *found in env.cr.fetchall()}


def _follow_lines(statements):
    """Update journal, days and order from the lines; delete synchronized statements without lines.

    :return: the remaining statements
    """
    found = _read_lines(statements)
    empty = statements.filtered(lambda one: one.online_period_start and one.id not in found)
    left = statements - empty
    empty.unlink()
    for statement in left:
        if lines := found.get(statement.id):
            # Why first: the amounts are in its currency.
            _write(statement, journal_id=lines.journal_id)
            _write(
                statement,
                first_line_index=lines.first_line_index,
                date=lines.date or False,
                balance_end=statement.balance_start + lines.posted,
            )
    return left


def _loose_before(journal, affected, ordered):
    """:return: dict from the affected statements' ids to the sum of posted lines without a statement between the
    previous statement and this one, which Odoo's own start balance includes
    """
    bounds = [
        (statement.id, previous.first_line_index or "", statement.first_line_index)
        for previous, statement in pairwise([ordered.browse(), *ordered])
        if statement in affected
    ]
    journal.env.cr.execute(
        """
        SELECT bound.id, coalesce(sum(line.amount) FILTER (WHERE move.state = 'posted'), 0)::float
          FROM unnest(%s, %s, %s) AS bound (id, after, before)
     LEFT JOIN account_bank_statement_line line
               ON line.journal_id = %s AND line.statement_id IS NULL
               AND line.internal_index > bound.after AND line.internal_index < bound.before
     LEFT JOIN account_move move ON move.id = line.move_id
      GROUP BY bound.id
        """,
        [*map(list, zip(*bounds, strict=True)), journal.id],
    )
    return dict(journal.env.cr.fetchall())


def _write(statement, **values):
    """Write changed values. Why protected: Odoo would read every line to compute the same."""
    fields = statement._fields
    changed = {
        name: value
        for name, value in values.items()
        if (
            statement.currency_id.compare_amounts(statement[name], value)
            if fields[name].type == "monetary"
            else fields[name].convert_to_write(statement[name], statement) != value
        )
    }
    if not changed:
        return
    if others_compute(statement):
        statement.write({name: value for name, value in changed.items() if name not in OF_LINES})
        return
    # Why both: if only the start is written, Odoo recomputes the end.
    if "balance_start" in changed:
        changed["balance_end_real"] = values["balance_end_real"]
    with statement.env.protecting([fields[name] for name in OF_LINES], statement):
        statement.write(changed)


def regroup(journal, lines, opening_balance=None):
    """Move lines whose date has changed to the statement of their new day; users' statements keep their lines.

    :param opening_balance: start balance of the journal's very first statement, None to keep it
    """

    def has_left(line):
        statement = line.statement_id
        return statement.online_period_start and not (
            statement.online_period_start <= line.date <= statement.online_period_end
        )

    group(journal, lines.filtered(has_left), opening_balance)


def first_statement(journal):
    return journal.env["account.bank.statement"].search(
        [("journal_id", "=", journal.id)], order="first_line_index", limit=1
    )


def first_day(statement):
    """The day of a statement's first line. Why a search: it may have thousands of lines."""
    Line = statement.env["account.bank.statement.line"]
    return Line.search([("statement_id", "in", statement.ids)], order="internal_index", limit=1).date


def of_unknown_start(journal):
    """:return: the statements that wait for the journal's opening balance; usually none"""
    return journal.env["account.bank.statement"].search(
        [("journal_id", "=", journal.id), ("online_start_unknown", "=", True)]
    )


def opening_of(journal):
    """:return: the start balance of the first statement; None if there is none, or a user has created it"""
    first = first_statement(journal)
    return first.balance_start if first.online_period_start else None


def opening_before(first, amounts):
    """The new start balance of a journal when transactions are imported that its start balance has contained so far.

    :param first: the journal's first ``account.bank.statement``, created by synchronization
    :param amounts: list of ``(date, amount)`` of these; without late bookings, which it has not contained
    :return: a number, or None if no amount is older than the first statement
    """
    begin = first_day(first)
    if not begin or not first.online_period_start:
        return None
    older = [amount for day, amount in amounts if day < begin]
    return first.balance_start - sum(older) if older else None


class _Periods:
    """The online statements of a journal by their periods, and where a day belongs."""

    def __init__(self, journal):
        self.periodicity = journal.bank_statement_creation_groupby
        found = journal.env["account.bank.statement"].search(
            [("journal_id", "=", journal.id), ("online_period_start", "!=", False)]
        )
        self.statements = {
            Period(statement.online_period_start, statement.online_period_end, ""): statement for statement in found
        }
        self.known = list(self.statements)

    def find(self, day):
        """The period of a day: that of a statement which covers it, else a new one without overlap.

        Why: after a change of the periodicity a new month must not overlap existing weeks.
        """
        for period in self.known:
            if period.start <= day <= period.end:
                return period
        start, end, name = period_of(day, self.periodicity)
        one_day = timedelta(days=1)
        start = max([start, *(period.end + one_day for period in self.known if period.end < day)])
        end = min([end, *(period.start - one_day for period in self.known if period.start > day)])
        period = Period(start, end, name)
        self.known.append(period)
        return period


def _create(journal, periods, joining):
    """Create statements, and assign to them the account's lines of their days that have no statement.

    :param list periods: :class:`~..sync.periods.Period`, in order
    :param joining: lines that the caller assigns
    :return: ``account.bank.statement`` records in the same order
    """
    if not periods:
        return journal.env["account.bank.statement"]
    first = first_statement(journal)
    loose = _loose_lines(journal, periods) - (joining or journal.env["account.bank.statement.line"])
    created = journal.env["account.bank.statement"].create(
        [
            {
                "name": f"{journal.code} {period.name}",
                "reference": journal.account_online_account_id.display_name,
                "online_period_start": period.start,
                "online_period_end": period.end,
                # Why all of them: those that stay without lines are deleted. The start balance is set in opening.py.
                "online_start_unknown": not first,
                # Why set: otherwise Odoo would search for lines. Why this amount: it is that of the statement that
                # becomes the journal's first one through a late booking; others start where the previous one ends.
                "balance_start": _start_of_earlier(first, loose),
                "balance_end_real": 0.0,
            }
            for period in periods
        ]
    )
    if loose:
        for period, statement in zip(periods, created, strict=True):
            joining = loose.filtered(lambda line, period=period: period.start <= line.date <= period.end)
            joining.statement_id = statement
    return created


def _loose_lines(journal, periods):
    """:return: the account's lines of these days without a statement, for example because a user has deleted it"""
    return journal.env["account.bank.statement.line"].search(
        [
            ("journal_id", "=", journal.id),
            ("online_account_id", "=", journal.account_online_account_id.id),
            # Why not this line: it is the start balance of the statements.
            ("online_transaction_identifier", "!=", OPENING),
            ("statement_id", "=", False),
            ("state", "=", "posted"),
            ("date", ">=", periods[0].start),
            ("date", "<=", periods[-1].end),
        ]
    )


def _start_of_earlier(first, loose):
    """Start balance of a statement before the journal's first one.

    Why not simply the first one's: that contains older lines whose statement a user has deleted.
    """
    if not first.online_period_start:
        return 0.0
    # Why some have no index: users may have deleted their lines.
    older = loose.filtered(lambda line: line.internal_index < (first.first_line_index or ""))
    return first.balance_start - sum(older.mapped("amount"))
