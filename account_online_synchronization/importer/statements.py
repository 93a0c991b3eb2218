"""Groups lines in bank statements by the journal's periodicity, and lets the balances follow from the lines."""

from datetime import timedelta

from odoo.fields import Command

from .periods import Period, period_of


def group(journal, lines, opening_balance=None):
    """Put lines into the statements of their periods, then carry the balances forward.

    :param lines: ``account.bank.statement.line`` records of the journal that belong to no statement, or to a wrong one
    :param opening_balance: start balance of the journal's very first statement, None to leave it as it is
    """
    if journal.bank_statement_creation_groupby == "none" or not lines:
        return
    first_index = min(lines.mapped("internal_index"))
    emptied = lines.statement_id
    by_period = {}
    periods = _Periods(journal)
    for line in lines:
        by_period.setdefault(periods.find(line.date), []).append(line.id)
    for period, line_ids in sorted(by_period.items()):
        statement = periods.statements.get(period)
        if statement:
            lines.browse(line_ids).statement_id = statement
        else:
            _create(journal, period, line_ids)
    emptied.filtered(lambda statement: statement.online_period_start and not statement.line_ids).unlink()
    carry_balances_forward(journal, first_index, opening_balance)


def carry_balances_forward(journal, first_index, opening_balance=None):
    """Each statement starts where the one before it ended; balances always follow from the lines that were kept.

    A late booking changes its own statement and the start of all later ones. Statements that a person made are left as
    they are: theirs are the balances that the person typed.

    :param str first_index: ``internal_index`` of the first line that is new, or the beginning of one: ``20260520``
    """
    Statement = journal.env["account.bank.statement"]
    statements = Statement.search([("journal_id", "=", journal.id)], order="first_line_index")
    previous = Statement
    for statement in statements:
        is_affected = statement.date and f"{statement.date:%Y%m%d}" >= first_index[:8]
        if is_affected and statement.online_period_start:
            if previous:
                start = previous.balance_end_real + _sum_between(journal, previous, statement)
            else:
                start = statement.balance_start if opening_balance is None else opening_balance
            values = {"balance_start": start, "balance_end_real": start + sum(statement.line_ids.mapped("amount"))}
            if any(statement.currency_id.compare_amounts(statement[name], values[name]) for name in values):
                statement.write(values)
        previous = statement


def regroup(journal, lines):
    """Put lines whose date has changed into the statement of their new day; a person's statements keep their lines."""

    def has_left(line):
        statement = line.statement_id
        return statement.online_period_start and not (
            statement.online_period_start <= line.date <= statement.online_period_end
        )

    group(journal, lines.filtered(has_left))


def first_statement(journal):
    return journal.env["account.bank.statement"].search(
        [("journal_id", "=", journal.id)], order="first_line_index", limit=1
    )


def opening_before(first, amounts):
    """The new start balance of a journal, when transactions appear that its start balance has counted so far.

    :param first: the journal's first ``account.bank.statement``, as it was made by synchronization
    :param amounts: list of ``(date, amount)``
    :return: a number, or None where nothing is older than the books
    """
    begin = first.line_ids.sorted("internal_index")[:1].date
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
        """The period of a day: that of a statement which covers it, else a new one that overlaps none.

        Why: after a change of the periodicity a new month must not reach over the weeks that stand already.
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


def _create(journal, period, line_ids):
    """A statement takes along what the account brought for its days and what belongs to no statement so far."""
    loose = journal.env["account.bank.statement.line"].search(
        [
            ("journal_id", "=", journal.id),
            ("online_account_id", "=", journal.account_online_account_id.id),
            ("statement_id", "=", False),
            ("state", "=", "posted"),
            ("date", ">=", period.start),
            ("date", "<=", period.end),
        ]
    )
    return journal.env["account.bank.statement"].create(
        {
            "name": f"{journal.code} {period.name}",
            "reference": journal.account_online_account_id.display_name,
            "online_period_start": period.start,
            "online_period_end": period.end,
            "line_ids": [Command.set([*{*line_ids, *loose.ids}])],
        }
    )


def _sum_between(journal, previous, statement):
    """Sum of posted lines without a statement that lie between two statements, as core's own start balance counts."""
    lines = journal.env["account.bank.statement.line"].search(
        [
            ("journal_id", "=", journal.id),
            ("statement_id", "=", False),
            ("state", "=", "posted"),
            ("internal_index", ">", previous.first_line_index),
            ("internal_index", "<", statement.first_line_index),
        ]
    )
    return sum(lines.mapped("amount"))
