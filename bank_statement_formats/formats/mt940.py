"""SWIFT MT940 (statement) and MT942 (interim report), as banks write them.

Source: SWIFT, *Standards MT, Category 9 – Cash Management and Customer Status*; for the parts of ``:86:`` Die Deutsche
Kreditwirtschaft, *DFÜ-Abkommen, Anlage 3*, chapter 8, and the format descriptions of Rabobank, ING and ABN AMRO.

Why no library: ``mt-940`` (BSD, maintained) needs Python 3.11, rejects a whole statement at the first unreadable line,
has no line numbers, accepts files without their closing balance, and reads about 20,000 lines a second before any
conversion. The tests use its corpus, and compare with its results.
"""

import calendar
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .lines import LineFormat, iso, truncated, unexpected, unreadable, year_of
from .mt940_details import read_details
from .national import german_iban
from .statement import Balance, Statement

FIELD = re.compile(r":(\d\d[A-Z]?|NS):")
#: Fields that can begin a statement, and those that do after a closing balance.
HEAD = {"20", "21", "25", "25P", "28", "28C", "13", "13D", "34F", "60F", "60M", "60E", "60", "NS"}
AGAIN = {"20", "25", "25P", "28", "28C", "60F", "60M", "60"}
OPENING, CLOSING = {"60F", "60M", "60E", "60"}, {"62F", "62M", "62"}
KNOWN = HEAD | CLOSING | {"61", "86", "64", "65", "90C", "90D", "13C", "NS"}
#: Value date, entry date, mark, funds code, amount, type, and what follows.
LINE = re.compile(
    r"(\d{6})(\d{4}|\s{4})?([REre]?[CDcd])([A-Z])?[\n ]?(\d{1,15}(?:[.,]\d{0,10})?)([A-Z][A-Z0-9 ]{3})?(.*)", re.DOTALL
)
BALANCE = re.compile(r"([CDcd])(\d{6})([A-Z]{3})?(\d{1,18}(?:[.,]\d{0,10})?)")
SUM = re.compile(r"(\d{1,5})([A-Z]{3})(\d{1,18}(?:[.,]\d{0,10})?)")
FLOOR = re.compile(r"([A-Z]{3})")
#: A reversal has the opposite sign: that of a credit is a debit.
SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1, "EC": 1, "ED": -1}
#: German bank code and number of an account.
GERMAN = re.compile(r"(\d{8})/(\d{1,16})")
ORIGINAL = re.compile(r"/OCMT/([A-Z]{3})(\d{1,15}(?:,\d{0,6})?)")


class Reader:
    def __init__(self, lines, options):
        self.lines, self.options = lines, options
        self.fields = self._fields()
        self.field = None
        self.blocks = self.ended = 0

    def _fields(self):
        """:return: iterator of (tag, number of its first line, text); tag ``-`` is the end mark of a message"""
        tag, number, text = None, 0, []
        for line in self.lines:
            match = FIELD.match(line) if line[:1] in ":-" else None
            if match is None and "{4:" in line:
                self.blocks += 1
            if match and (match[1] in KNOWN or tag != "86"):
                if tag:
                    yield tag, number, "\n".join(text)
                tag, number, text = match[1], self.lines.number, [line[match.end() :]]
                if tag not in KNOWN and text[0].strip():
                    raise unexpected(number, line)
            elif is_end(line) or line[:1] == "{":
                if tag:
                    yield tag, number, "\n".join(text)
                if line[0] == "-":
                    yield "-", self.lines.number, line
                tag = None
            elif tag:
                text.append(line)
            elif line[:1] == ":" and line.strip() not in (":940:", ":942:"):
                raise unexpected(self.lines.number, line)
        if tag:
            yield tag, number, "\n".join(text)

    def _next(self):
        self.field = next(self.fields, None)
        return self.field

    def statements(self):
        self._next()
        while self._skip_ends():
            yield self._statement()

    def _skip_ends(self):
        while self.field and self.field[0] == "-":
            self._next()
        return self.field

    def _statement(self):
        head, opening, currency = {}, None, None
        while self.field and self.field[0] in HEAD and self.field[0] not in head:
            tag, number, text = self.field
            head[tag] = text
            if tag in OPENING:
                opening, currency = self._balance(number, text)
            self._next()
        if not head:
            raise unexpected(self.field[1], f":{self.field[0]}:{self.field[2]}")
        is_interim = opening is None and "34F" in head
        if is_interim:
            match = FLOOR.match(head["34F"])
            currency = match and values.currency(match[1])
        bank, number, named = account_of(head.get("25") or head.get("25P") or "")
        statement = Statement(
            number=number,
            number_type=values.number_type(number),
            currency=currency or named,
            transactions=iter(()),
            kind="interim" if is_interim else "statement",
            bank=bank,
            reference=values.text(head.get("28C") or head.get("28")),
            opening=opening,
        )
        statement.transactions = self._transactions(statement)
        return statement

    def _balance(self, number, text):
        match = BALANCE.match(text)
        if not match:
            raise unreadable(number, _lt("The balance"), text)
        mark, day, currency, amount = match.groups()
        try:
            found = Balance(SIGNS[mark.upper()] * number_of(amount), day_of(day))
        except ValueError:
            raise unreadable(number, _lt("The balance"), text) from None
        return found, values.currency(currency)

    def _transactions(self, statement):
        current = None
        while self.field:
            tag, number, text = self.field
            if tag == "61":
                if current:
                    yield transaction(current, statement.currency)
                current = [number, text, None, None]
            elif tag == "86" and current and current[2] is None:
                current[2] = text
            elif tag == "NS" and current and current[3] is None:
                current[3] = text
            elif tag in CLOSING:
                break
            elif tag in ("90C", "90D"):
                self._sum(statement, tag, number, text)
            elif tag == "-" or tag in AGAIN:
                break
            self._next()
        if current:
            yield transaction(current, statement.currency)
        self._end(statement)

    def _end(self, statement):
        if self.field and self.field[0] in CLOSING:
            statement.closing, _currency = self._balance(*self.field[1:])
            statement.end = statement.closing.day
            self._next()
        elif statement.kind == "statement":
            raise truncated(self.field[1] if self.field else self.lines.number, ":62F:")
        while self.field and self.field[0] not in AGAIN and self.field[0] not in ("-", "61"):
            if self.field[0] in ("90C", "90D"):
                self._sum(statement, *self.field)
            self._next()
        if self.field and self.field[0] == "-":
            self.ended += 1
        elif self.blocks > self.ended:
            raise truncated(self.lines.number, "-}")
        elif statement.kind == "interim" or self.ended:
            statement.warnings.append(
                _lt("The end mark of a statement is missing. Check that its last transactions are there.")
            )

    def _sum(self, statement, tag, number, text):
        match = SUM.match(text.strip())
        if not match:
            raise unreadable(number, _lt("The sums"), text)
        name = "credit" if tag == "90C" else "debit"
        statement.sums[f"{name}_count"] = int(match[1])
        statement.sums[name] = number_of(match[3])


def is_end(line):
    """Whether it is the end mark of a message: ``-``, ``-}`` with SWIFT's trailer, ``-XXX``."""
    return line[:1] == "-" and (line[1:2] == "}" or not line.strip("X-\x03 "))


def account_of(text):
    """
    >>> account_of("37040044/532013000"), account_of("NL71RABO0123456789EUR")
    (('37040044', 'DE89370400440532013000', None), (None, 'NL71RABO0123456789', 'EUR'))

    :return: (bank, number, currency), each None if missing
    """
    text = "".join(text.split())
    named = values.currency(text[-3:])
    bare = text[:-3] if named else text
    bank = None
    for part in (bare, text, *bare.split("/")):
        if found := values.iban(part):
            return next((one for one in bare.split("/") if values.bic(one)), None), found, named
    if match := GERMAN.fullmatch(bare):
        bank, bare = match.groups()
        bare = german_iban(bank, bare) or bare
    elif values.bic(bare.partition("/")[0]):
        bank, _slash, bare = bare.strip("/").partition("/")
    return bank, values.number(bare), named


def number_of(text):
    """An amount with a comma; some banks write a point.

    >>> number_of("12,"), number_of("000000001000,50")
    (Decimal('12'), Decimal('1000.50'))
    """
    return Decimal(text.replace(",", "."))


@lru_cache(maxsize=4096)
def day_of(text):
    """``YYMMDD``. At some banks all months have 30 days: 30 February means the last day. Zeros are None."""
    if text[2:] == "0000":
        return None
    year, month, day = year_of(text[:2]), int(text[2:4]), int(text[4:])
    if month == 2 and day in (29, 30):
        day = calendar.monthrange(year, 2)[1]
    return date(year, month, day)


@lru_cache(maxsize=4096)
def entry_day(value, entry):
    """The entry date ``MMDD`` has no year: the one nearest to the value date is used.

    >>> entry_day("251230", "0102"), entry_day("260102", "1230")
    (datetime.date(2026, 1, 2), datetime.date(2025, 12, 30))
    """
    value_day = day_of(value)
    if not entry or not entry.strip("0 ") or not value_day:
        return value_day
    found = []
    for year in (value_day.year, value_day.year - 1, value_day.year + 1):
        try:
            found.append(day_of(f"{year % 100:02}{entry}"))
        except ValueError:
            # 29 February is not in every year.
            continue
    if not found:
        raise ValueError(f"no day: {entry}")
    return min(found, key=lambda day: abs(day - value_day))


def transaction(parts, currency):
    """:param list parts: number of the first line, ``:61:``, ``:86:``, ``:NS:``"""
    number, text, details, extension = parts
    raw = {
        "mt940": ":61:" + text + (f"\n:NS:{extension}" if extension else "") + (f"\n:86:{details}" if details else "")
    }
    try:
        match = LINE.match(text)
        if not match:
            raise ValueError("no statement line")
        value, entry, mark, _funds, digits, kind, rest = match.groups()
        mark = mark.upper()
        amount = SIGNS[mark] * number_of(digits)
        booked = entry_day(value, entry)
        if not booked or not currency:
            raise ValueError("no date" if currency else "no currency")
    except ValueError as error:
        return values.problem(f"line {number}: {error}"[:120], raw, status="booked")
    reference, _lf, extra = rest.partition("\n")
    found = read_details(details or "", extension)
    foreign, foreign_currency = original_amount(raw["mt940"], currency)
    counterparty = {"name": found.name, "account_number": found.account, "bic": found.bic}
    if not found.account and extra:
        # Rabobank: begins with the counterparty's account number.
        counterparty["account_number"] = values.iban(extra.split("\n", 1)[0])
    further = [
        line for line in extra.split("\n") if "/OCMT/" not in line and line.strip() != counterparty["account_number"]
    ]
    remittance = values.texts(found.texts, further, found.posting)
    own = values.identifier(reference.partition("//")[0])
    if own and own.rstrip("+") not in ("EREF", "KREF") and own != kind and not any(own in text for text in remittance):
        remittance.append(own)
    return values.transaction(
        # E marks what is expected.
        status="pending" if mark[0] == "E" else "booked",
        amount=values.plain(amount),
        currency=currency,
        booking_date=iso(booked),
        value_date=iso(day_of(value)),
        foreign_amount=foreign and values.plain(foreign.copy_sign(amount)),
        foreign_currency=foreign_currency,
        counterparty=counterparty,
        remittance=remittance,
        end_to_end_id=found.end_to_end_id,
        creditor_reference=found.creditor_reference,
        mandate_id=found.mandate_id,
        raw=raw,
    )


def original_amount(text, currency):
    """:return: (amount, currency) of the code word OCMT, or (None, None)"""
    match = ORIGINAL.search(text) if "/OCMT/" in text else None
    if match and match[1] != currency and values.currency(match[1]):
        return number_of(match[2]), match[1]
    return None, None


class MT940(LineFormat):
    code = "mt940"
    label = "MT940, MT942"
    extensions = (".sta", ".940", ".942", ".mt940", ".mt942", ".swi", ".txt")
    reader = Reader

    @classmethod
    def recognises(cls, head, filename):
        # Written in two bytes a letter it is recognised, too.
        text = head.replace(b"\0", b"")
        if b":20:" in text and b":25:" in text and (b":28" in text or b":60" in text or b":34F:" in text):
            return 90
        return 60 if b":60F:" in text and b":61:" in text else 0
