"""BAI2, *Cash Management Balance Reporting Specifications*, version 2 (United States, and branches of banks elsewhere).

Source: Bank Administration Institute, *Cash Management Balance Reporting Specifications Version 2*, 2005.
https://www.bai.org/docs/default-source/libraries/site-general-downloads/cash_management_2005.pdf

Why no library: ``bai2`` (MIT, maintained) reads the whole file into objects and fails at the first unexpected value,
without a line number; amounts are integers whose decimals the caller must know. The tests compare with its results.
"""

from decimal import Decimal
from functools import cached_property

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .currencies import decimals
from .errors import FormatError
from .lines import LineFormat, day_before, iso, place, truncated, unexpected, unreadable, ymd
from .statement import Balance, Statement

DEFAULT_CURRENCY = "USD"
#: Type codes of balances: opening and closing ledger.
OPENING, CLOSING = "010", "015"
#: Summaries of credits and debits.
CREDITS, DEBITS = "100", "400"
#: As-of-date modifier of data of the current day, which may change.
INTERIM = {"1", "3"}
#: Group status.
DELETED, TEST = "2", "4"


class Record:
    """A record with its continuations (88)."""

    def __init__(self, line, number):
        self.lines, self.number = [line], number

    @property
    def code(self):
        return self.lines[0][:2]

    @cached_property
    def text(self):
        parts, before = [_bare(self.lines[0])], self.lines[0]
        for line in self.lines[1:]:
            # A slash ends the field; a text without one continues on the next line.
            parts += ["," if before.rstrip().endswith("/") else "\n", _bare(line)[3:]]
            before = line
        return "".join(parts)

    def fields(self, most=-1):
        return self.text.split(",", most)


def _bare(line):
    line = line.rstrip()
    return line.removesuffix("/")


class Reader:
    def __init__(self, lines, options):
        self.lines, self.options = lines, options
        self.records = self._records()
        self.record = None

    def _records(self):
        record = None
        for line in self.lines:
            if not line.strip():
                continue
            line = line.lstrip()
            if line[:2] == "88":
                if record is None:
                    raise unexpected(self.lines.number, line)
                record.lines.append(line)
                continue
            if record:
                yield record
            record = Record(line, self.lines.number)
        if record:
            yield record

    def _next(self, missing):
        self.record = next(self.records, None)
        if self.record is None:
            raise truncated(self.lines.number, missing)
        return self.record

    def statements(self):
        self.record = next(self.records, None)
        while self.record is not None:
            if self.record.code != "01":
                raise unexpected(self.record.number, self.record.text)
            groups, total = 0, 0
            self._next("99")
            while self.record.code == "02":
                groups += 1
                yield from self._group()
                total += self.group_total
                self._next("99")
            if self.record.code != "99":
                raise unexpected(self.record.number, self.record.text)
            self._compare(self.record, groups, total)
            self.record = next(self.records, None)

    def _compare(self, trailer, count, total):
        """Compare with a trailer, which contains the number of parts and the sum of their own trailers."""
        fields = [*trailer.fields(), "", ""]
        if fields[2].strip() and fields[2].strip().lstrip("0") != f"{count or ''}":
            raise FormatError(
                _lt(
                    "The end record states %(stated)s parts, but there are %(count)s: a part is missing. Download the "
                    "file again.",
                    stated=fields[2].strip()[:10],
                    count=count,
                ),
                place(trailer.number),
            )
        stated = fields[1].strip()
        if stated and _integer(stated) != total:
            raise FormatError(
                _lt(
                    "The control total is %(stated)s, but the parts make %(computed)s: a part is missing. Download the "
                    "file again.",
                    stated=stated[:20],
                    computed=str(total),
                ),
                place(trailer.number),
            )

    def _group(self):
        head = self.record
        fields = [*(field.strip() for field in head.fields()), *[""] * 8]
        try:
            day = ymd(fields[4])
        except ValueError:
            raise unreadable(head.number, _lt("The date"), fields[4]) from None
        if fields[3] == DELETED:
            raise FormatError(
                _lt("The bank withdraws what it sent before (group status 2). Undo that file, and do not import this."),
                place(head.number),
            )
        group = {
            "day": day,
            "currency": values.currency(fields[6]) or DEFAULT_CURRENCY,
            "kind": "interim" if fields[7] in INTERIM else "statement",
            "bank": values.text(fields[2]),
            "test": fields[3] == TEST,
        }
        accounts = self.group_total = 0
        self._next("98")
        while self.record.code == "03":
            accounts += 1
            yield self._account(group)
            self.group_total += self.account_total
        if self.record.code != "98":
            raise unexpected(self.record.number, self.record.text)
        self._compare(self.record, accounts, self.group_total)

    def _account(self, group):
        head = self.record
        fields = [field.strip() for field in head.fields()]
        number = values.number(fields[1] if len(fields) > 1 else None)
        currency = values.currency(fields[2] if len(fields) > 2 else None) or group["currency"]
        places = decimals(currency)
        balances, self.account_total = {}, 0
        try:
            for code, amount in summaries(fields[3:]):
                self.account_total += amount
                balances[code] = Decimal(amount).scaleb(-places)
        except ValueError:
            raise unreadable(head.number, _lt("The balance"), head.text) from None
        statement = Statement(
            number=number,
            number_type=values.number_type(number),
            currency=currency,
            transactions=iter(()),
            kind=group["kind"],
            bank=group["bank"],
            opening=Balance(balances[OPENING], day_before(group["day"])) if OPENING in balances else None,
            closing=Balance(balances[CLOSING], group["day"]) if CLOSING in balances else None,
            start=group["day"],
            end=group["day"],
            sums={name: balances[code] for name, code in (("credit", CREDITS), ("debit", DEBITS)) if code in balances},
        )
        if group["test"]:
            statement.warnings.append(_lt("The bank marks this part of the file as a test."))
        statement.transactions = self._transactions(statement, group, places)
        return statement

    def _transactions(self, statement, group, places):
        while (record := self._next("49")).code == "16":
            one, amount = transaction(record, statement.currency, group["day"], places)
            self.account_total += amount
            if one:
                yield one
        if record.code != "49":
            raise unexpected(record.number, record.text)
        stated = [*record.fields(), ""][1].strip()
        if stated and (total := _integer(stated)) != self.account_total:
            statement.warnings.append(
                _lt(
                    "The control total of line %(line)s is %(stated)s, but the amounts make %(computed)s.",
                    line=record.number,
                    stated=stated[:20],
                    computed=str(self.account_total),
                )
            )
            # Why as stated: the trailers above add it up, and one wrong account must not affect the group.
            self.account_total = self.account_total if total is None else total
        self._next("98")


def _integer(text):
    """:return: an amount without its decimal separator, None if invalid"""
    text = text.strip()
    digits = text.lstrip("+-")
    if not (digits.isascii() and digits.isdigit()) or len(text) - len(digits) > 1 or len(digits) > 18:
        return None
    return int(text)


def summaries(fields):
    """Groups of type code, amount, number of items, funds type, and the fields of the funds type.

    :return: iterator of (type code, amount); without groups that have no amount
    """
    place = 0
    while place < len(fields):
        code, text, _count, funds = (*fields[place : place + 4], "", "", "")[:4]
        if not code:
            # A comma too many, at the end of a line.
            place += 1
            continue
        place += 4 + further(funds, fields[place + 4 :])
        if not text:
            continue
        amount = _integer(text)
        if amount is None or not code.isdigit():
            raise ValueError(text)
        yield code, amount


def further(funds, fields):
    """:return: how many fields belong to a funds type"""
    if funds == "S":
        return 3
    if funds == "V":
        return 2
    if funds == "D":
        count = (fields or ["0"])[0]
        return 1 + 2 * int(count) if count.isdigit() and len(count) < 3 else 1
    return 0


def transaction(record, currency, day, places):
    """:return: (*transaction* or None if it is not a payment, its amount as the control total counts it)"""
    raw = {"bai2": record.lines}
    fields = record.fields()
    code, text = (*(field.strip() for field in fields[1:3]), "", "")[:2]
    amount = _integer(text or "0")
    funds = fields[3].strip() if len(fields) > 3 else ""
    try:
        sign = sign_of(code)
        if amount is None:
            raise ValueError(f"no amount: {text}")
        if not day:
            raise ValueError("no date")
    except ValueError as error:
        return values.problem(f"line {record.number}: {error}"[:120], raw, status="booked"), amount or 0
    if not sign:
        return None, amount
    start = 4 + further(funds, fields[4:])
    bank, customer, words = (*(record.fields(start + 2)[start:]), "", "", "")[:3]
    value_day = None
    if funds == "V":
        try:
            value_day = ymd("".join(fields[4:5]).strip())
        except ValueError:
            value_day = None
    return (
        values.transaction(
            amount=values.plain(Decimal(sign * amount).scaleb(-places)),
            currency=currency,
            booking_date=iso(day),
            value_date=iso(value_day),
            remittance=values.texts(
                [" ".join(line.split()) for line in words.split("\n")],
                values.identifier(customer),
                values.identifier(bank),
            ),
            raw=raw,
        ),
        amount,
    )


def sign_of(code):
    """1xx to 3xx are credits, 4xx to 6xx debits; banks' own codes are 920 to 959 for credits, 960 to 999 for debits.

    :return: 1, -1, or 0 for non-monetary information (890)
    :raise ValueError: for codes of loans, which have no direction
    """
    number = int(code) if code.isdigit() and len(code) == 3 else 0
    if 100 <= number < 400 or 920 <= number < 960:
        return 1
    if 400 <= number < 700 or number >= 960:
        return -1
    if number == 890:
        return 0
    raise ValueError(f"type code {code} tells no direction")


class BAI2(LineFormat):
    code = "bai2"
    label = "BAI2"
    extensions = (".bai", ".bai2", ".bt", ".txt")
    reader = Reader

    @classmethod
    def recognises(cls, head, filename):
        lines = head.lstrip(b"\xef\xbb\xbf\r\n ").replace(b"\r", b"\n").split(b"\n", 8)
        lines = [line for line in lines if line]
        return 95 if len(lines) > 1 and lines[0][:3] == b"01," and lines[1][:3] in (b"02,", b"88,") else 0
