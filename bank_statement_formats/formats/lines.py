"""Common parts of line formats: reading lines with their numbers, limits, sums and chains of balances."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from .encodings import decode
from .errors import FormatError, TooLarge
from .statement import Format
from .values import plain

#: Two-digit years from here on are of the last century, as SWIFT interprets them.
PIVOT = 80
ZERO = Decimal(0)


class LineFormat(Format):
    """A format whose files are lines of text. Subclasses give :attr:`reader`."""

    #: Class with arguments (:class:`Lines`, :class:`~.statement.Options`) and a method ``statements``.
    reader = None
    #: Length of the records, for files without line ends; None if records have no fixed length.
    record_length = None

    @classmethod
    def statements(cls, stream, options):
        text, _encoding, warnings = decode(whole(stream, options.limits), options)
        lines = Lines(text, options.limits, cls.record_length)
        count, chain = Count(options.limits), Chain()
        for statement in cls.reader(lines, options).statements():
            statement.warnings += warnings
            warnings = []
            chain.begin(statement)
            statement.transactions = checked(statement, statement.transactions, count)
            yield statement
            for _transaction in statement.transactions:
                pass
            chain.end(statement)


def whole(stream, limits):
    """:return: all bytes of a file, after checking its size"""
    content = stream.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise TooLarge(
            _lt("The file is larger than %(size)s MB. Split it by periods.", size=limits.file_bytes // (1024 * 1024))
        )
    return content


def truncated(number, missing):
    """:return: the error for a file whose end is missing
    :param str missing: the missing element
    """
    return FormatError(
        _lt(
            "The file ends before its end record (%(missing)s): a part of it is missing. Download it again.",
            missing=missing,
        ),
        place(number),
    )


def unexpected(number, line):
    """:return: the error for a line that is not allowed there"""
    return FormatError(
        _lt("This line has no place here: “%(line)s”. The file was changed or damaged.", line=printable(line)),
        place(number),
    )


def unreadable(number, what, value):
    """:return: the error for a value without which a statement is not usable
    :param Sentence what: the name of the value
    """
    return FormatError(
        _lt("%(what)s can't be read: “%(value)s”.", what=what, value=printable(value)),
        place(number),
    )


def place(number):
    return f"line {number}"


def printable(line):
    return "".join(letter if letter.isprintable() else " " for letter in line[:60]).strip()


class Lines:
    """The lines of a text, one after the other. Only line feeds and carriage returns end a line: form feeds, and what
    Unicode also counts among line ends, occur within texts of banks.

    :ivar number: of the line that was given last, from 1
    """

    def __init__(self, text, limits, record_length=None):
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.text, self.limits, self.number = text.rstrip("\x1a\x00"), limits, 0
        bare = self.text.rstrip(" \n")
        self.length = record_length if record_length and "\n" not in bare and len(bare) > record_length else None

    def __iter__(self):
        """:return: iterator of lines without their ends; updates :attr:`number`"""
        text, start, size, limit = self.text, 0, len(self.text), self.limits.line
        while start < size:
            self.number += 1
            if self.length:
                end = after = start + self.length
            else:
                end = text.find("\n", start)
                end = size if end < 0 else end
                after = end + 1
            if end - start > limit:
                raise TooLarge(_lt("A line is longer than %(limit)s characters.", limit=limit), place(self.number))
            yield text[start:end]
            start = after


class Count:
    """Checks the maximum number of transactions of a file."""

    def __init__(self, limits):
        self.left = self.limit = limits.transactions

    def add(self):
        self.left -= 1
        if self.left < 0:
            raise TooLarge(_lt("The file has more than %(limit)s transactions. Split it by periods.", limit=self.limit))


@dataclass
class Totals:
    """Sums of the transactions of one statement."""

    credit: Decimal = ZERO
    debit: Decimal = ZERO
    credit_count: int = 0
    debit_count: int = 0
    problems: int = 0

    def add(self, transaction):
        if "problem" in transaction:
            self.problems += 1
        elif transaction["status"] == "booked":
            amount = Decimal(transaction["amount"])
            if amount < 0:
                self.debit -= amount
                self.debit_count += 1
            else:
                self.credit += amount
                self.credit_count += 1


def checked(statement, transactions, count):
    """Count and sum up transactions while they are read. After the last one the statement's warnings are set."""
    totals = Totals()
    for one in transactions:
        count.add()
        totals.add(one)
        yield one
    statement.warnings += differences(statement, totals)


def differences(statement, totals):
    """:return: list of sentences about differences"""
    found = []
    opening, closing, sums = statement.opening, statement.closing, statement.sums
    if totals.problems:
        found.append(_lt("%(count)s transactions can't be read; the others are not affected.", count=totals.problems))
    if opening and closing:
        computed = opening.amount + totals.credit - totals.debit
        if computed != closing.amount:
            found.append(
                _lt(
                    "The balances do not add up: the opening balance and the transactions make %(computed)s, the "
                    "closing balance is %(closing)s. Compare the statement with the bank before you import it.",
                    computed=plain(computed),
                    closing=plain(closing.amount),
                )
            )
    credit, debit = sums.get("credit", totals.credit), sums.get("debit", totals.debit)
    if (credit, debit) != (totals.credit, totals.debit):
        found.append(
            _lt(
                "The file states credits of %(credit)s and debits of %(debit)s; its transactions are credits of "
                "%(read_credit)s and debits of %(read_debit)s.",
                credit=plain(credit),
                debit=plain(debit),
                read_credit=plain(totals.credit),
                read_debit=plain(totals.debit),
            )
        )
    credit = sums.get("credit_count", totals.credit_count)
    debit = sums.get("debit_count", totals.debit_count)
    if (credit, debit) != (totals.credit_count, totals.debit_count):
        found.append(
            _lt(
                "The file states %(credit)s credits and %(debit)s debits; it has %(read_credit)s and %(read_debit)s.",
                credit=credit,
                debit=debit,
                read_credit=totals.credit_count,
                read_debit=totals.debit_count,
            )
        )
    return found


class Chain:
    """Checks that each statement of an account begins with the closing balance of the previous one."""

    def __init__(self):
        self.last = {}

    def begin(self, statement):
        before = self.last.get((statement.number, statement.currency))
        if before and statement.opening and statement.opening.amount != before.amount:
            statement.warnings.append(
                _lt(
                    "This statement begins with a balance of %(opening)s, but the one before it in the file ends with "
                    "%(closing)s: a statement between them is missing, or they are not in order.",
                    opening=plain(statement.opening.amount),
                    closing=plain(before.amount),
                )
            )

    def end(self, statement):
        if statement.closing and statement.kind == "statement":
            self.last[statement.number, statement.currency] = statement.closing


# -------------------------------------------------------------------------
# Values of fixed positions
# -------------------------------------------------------------------------


def year_of(two_digits):
    """
    >>> year_of("26"), year_of("79"), year_of("80")
    (2026, 2079, 1980)
    """
    year = int(two_digits)
    return year + (1900 if year >= PIVOT else 2000)


_DAYS = {}


def dmy(value):
    """``DDMMYY``; zeros and blanks are None.

    :raise ValueError: for anything else
    """
    return _day(value, 4, 2, 0)


def ymd(value):
    """``YYMMDD``; zeros and blanks are None.

    :raise ValueError: for anything else
    """
    return _day(value, 0, 2, 4)


def _day(value, year, month, day):
    key = value, year
    found = _DAYS.get(key, key)
    if found is key:
        if len(value) != 6:
            raise ValueError(value)
        if not value.strip("0 "):
            found = None
        elif not (value.isascii() and value.isdigit()):
            raise ValueError(value)
        else:
            found = date(year_of(value[year : year + 2]), int(value[month : month + 2]), int(value[day : day + 2]))
        if len(_DAYS) < 100_000:
            _DAYS[key] = found
    return found


def digits(value):
    """:return: the number that digits make
    :raise ValueError: for anything else, also for blanks and signs
    """
    if not (value.isascii() and value.isdigit()):
        raise ValueError(value)
    return int(value)


def iso(day):
    """:return: a day as the protocol writes it"""
    return day and day.isoformat()


def day_before(day):
    return day and day - timedelta(days=1)
