"""QIF, *Quicken Interchange Format*: cash accounts (Bank, CCard, Cash, Oth A, Oth L).

Source: Intuit, *Quicken Interchange Format (QIF) files*, 1997, from Quicken's help.
https://web.archive.org/web/20100222214101/http://web.intuit.com/support/quicken/docs/d_qif.html

Why no library: ``quiffen`` (MIT, maintained) needs pydantic, decides the order of day and month for each date
separately, and assumes a point as decimal separator. A file contains neither: both are deduced from all rows or asked
for (:class:`~.errors.MappingNeeded`), never guessed.
"""

import hashlib
import re
from collections import deque
from itertools import chain

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .errors import FormatError, MappingNeeded
from .lines import LineFormat, Lines, iso, place, unexpected, year_of
from .statement import Balance, Statement
from .table_cells import ORDERS, day_of, is_ambiguous, number_of, orders, separators

MONEY = {"bank", "ccard", "cash", "oth a", "oth l"}
#: Sections without transactions of a cash account.
LISTS = {"cat", "class", "memorized", "security", "prices", "budget", "tax", "tag", "template", "invitem", "payee"}
DATE = re.compile(r"([0-9]{1,4})([./'-])([0-9]{1,2})([./'-])([0-9]{1,4})")
SECTION = re.compile(r"[\r\n]!(?:type:|account|option:|clear:)", re.IGNORECASE)
OPENING = "opening balance"
#: First letters of the lines of a transaction; those of loans and securities among them.
FIELDS = set("DTUPMNLCAIOQYBFSE$%&VXKZRWJG123456789")
ASKED = {
    "dmy": _lt("Day before month"),
    "mdy": _lt("Month before day"),
    "ymd": _lt("Year, month, day"),
}


def tidy(text):
    """A date with a four-digit year: ``1/ 5'21`` is in this century, ``1/5/98`` in the last one.

    >>> tidy("1/ 5'21"), tidy("1/5/98"), tidy("13.05.2026")
    ('1/5/2021', '1/5/1998', '13.05.2026')
    """
    match = DATE.fullmatch(text.replace(" ", ""))
    if not match:
        return text
    first, separator, second, mark, third = match.groups()
    if len(first) < 4 and len(third) <= 2:
        third = str(2000 + int(third) if mark == "'" else year_of(third))
    separator = "/" if separator == "'" else separator
    return f"{first}{separator}{second}{separator}{third}"


class Record(dict):
    """The lines up to ``^`` by their first letter; if a letter repeats, the first line."""

    def __init__(self, lines, number, is_whole):
        super().__init__()
        self.lines, self.number, self.is_whole = lines, number, is_whole
        for line in lines:
            if line[0] not in "SE$%":
                self.setdefault(line[0], line[1:].strip())

    @property
    def amount(self):
        return self.get("T") or self.get("U") or ""


class Section:
    """The lines from one ``!`` to the next.

    :ivar kind: such as ``bank``, ``account``
    """

    def __init__(self, lines):
        self.lines, self.source = lines, iter(lines)
        self.kind = self.header = None
        for line in self.source:
            if line[:1] == "!":
                self.header = line
            elif line.strip() and line[0] not in "#^":
                # Some banks omit the first line.
                self.header, self.source = "!Type:Bank", chain([line], self.source)
            if self.header:
                break

    def begin(self):
        """:return: whether there is another section"""
        if not self.header:
            return False
        header, self.header = self.header.strip().casefold(), None
        self.kind = header.removeprefix("!type:").removeprefix("!").strip()
        if self.kind.startswith(("option", "clear")):
            self.kind = "tag"
        return True

    def records(self):
        collected, start = [], 0
        for line in map(str.rstrip, self.source):
            if line[:1] == "!":
                self.header = line
                break
            if line[:1] == "^":
                if collected:
                    yield Record(collected, start, True)
                collected = []
            elif line:
                if self.kind in MONEY and line[0] not in FIELDS:
                    raise unexpected(self.lines.number, line)
                start = start if collected else self.lines.number
                collected.append(line)
        if collected:
            yield Record(collected, start, False)


class Reader:
    def __init__(self, lines, options):
        self.lines, self.options = lines, options
        self.order = self.decimal = None

    def statements(self):
        self._decide()
        found, account, skipped = False, {}, False
        sections = self._sections(self.lines)
        for kind, records in sections:
            if kind == "account":
                account = (deque(records, maxlen=1) or [account])[0]
            elif kind in MONEY:
                found = True
                yield self._statement(account, records)
            else:
                skipped = skipped or kind not in LISTS
                for _record in records:
                    pass
        if not found:
            raise FormatError(
                _lt("The file has no transactions of a bank, card or cash account; securities are not read.")
                if skipped
                else _lt("The file has no transactions of a bank, card or cash account.")
            )

    @staticmethod
    def _sections(lines):
        """:return: iterator of (kind in lower case, iterator of :class:`Record`)"""
        section = Section(lines)
        while section.begin():
            yield section.kind, section.records()

    def _decide(self):
        """Determine both notations from all rows, before the first one is read."""
        dates, amounts = set(), set()
        for kind, records in self._sections(Lines(self.lines.text, self.options.limits)):
            for record in records:
                if kind in MONEY:
                    dates.add(tidy(record.get("D", "")))
                    amounts.add(record.amount)
        mapping, unsure = self.options.mapping or {}, []
        self.order = mapping.get("date_order") or self._order(dates, unsure)
        self.decimal = mapping.get("decimal") or self._decimal(amounts, unsure)
        if unsure:
            proposal = {"date_order": self.order, "decimal": self.decimal, "unsure": unsure}
            # Why of the whole file: there is no sign that another file has the same notation.
            proposal["fingerprint"] = hashlib.sha256(self.lines.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
            proposal["sample"] = [list(pair) for pair in zip(sorted(dates), sorted(amounts), strict=False)][:3]
            raise MappingNeeded(unsure[0]["sentence"], proposal)

    @staticmethod
    def _order(dates, unsure):
        allowed = [found for found in map(orders, dates) if found]
        proved = [order for order in ORDERS if all(order in found for found in allowed)]
        if not proved:
            # A row in another notation is reported as a problem.
            return max(ORDERS, key=lambda order: sum(order in found for found in allowed))
        example = next((cell for cell in sorted(dates) if len({day_of(cell, order) for order in proved}) > 1), None)
        if example:
            unsure.append(
                {
                    "field": "date_order",
                    "sentence": _lt(
                        "The dates can be read in two ways, because no day is after the 12th. Which is right?"
                    ),
                    "choices": [
                        {
                            "value": order,
                            "label": _lt(
                                "%(order)s: %(example)s is %(day)s",
                                order=ASKED[order],
                                example=example,
                                day=iso(day_of(example, order)),
                            ),
                        }
                        for order in proved
                    ],
                }
            )
        return proved[0]

    @staticmethod
    def _decimal(amounts, unsure):
        allowed = {cell: found for cell, found in ((cell, separators(cell)) for cell in amounts) if found}
        certain = {found[0] for found in allowed.values() if len(found) == 1}
        if certain:
            return max(certain, key=lambda one: sum(one in found for found in allowed.values()))
        example = next((cell for cell in sorted(allowed) if is_ambiguous(cell)), None)
        if example:
            unsure.append(
                {
                    "field": "decimal",
                    "sentence": _lt("The amounts can be read in two ways. What is “%(example)s”?", example=example),
                    "choices": [{"value": one, "label": values.plain(number_of(example, one))} for one in (".", ",")],
                }
            )
        return "."

    def _statement(self, account, records):
        name = values.text(account.get("N"))
        number = values.iban(name)
        statement = Statement(
            number=number,
            number_type=values.number_type(number),
            currency=self.options.currency,
            transactions=iter(()),
            kind="list",
            name=name,
        )
        first = next(records, None)
        if first is not None and first.get("P", "").casefold() == OPENING:
            amount, day = number_of(first.amount, self.decimal), day_of(tidy(first.get("D", "")), self.order)
            if amount is not None and day:
                statement.opening = Balance(amount, day)
                first = None
        statement.transactions = self._transactions(statement, first, records)
        return statement

    def _transactions(self, statement, first, records):
        if first is not None:
            yield self._transaction(first)
        for record in records:
            if not record.is_whole:
                statement.warnings.append(
                    _lt("The file ends within a transaction: a part of it may be missing. Download it again.")
                )
            yield self._transaction(record)

    def _transaction(self, record):
        raw = {"qif": record.lines}
        amount, day = number_of(record.amount, self.decimal), day_of(tidy(record.get("D", "")), self.order)
        if amount is None or not day or not record.is_whole:
            what = "no amount" if amount is None else "no date" if not day else "not whole"
            return values.problem(f"{place(record.number)}: {what}", raw, status="booked")
        return values.transaction(
            amount=values.plain(amount),
            currency=self.options.currency,
            booking_date=iso(day),
            counterparty={"name": values.text(record.get("P"))},
            remittance=values.texts(record.get("M"), values.identifier(record.get("N"))),
            raw=raw,
        )


class QIF(LineFormat):
    code = "qif"
    label = "QIF"
    extensions = (".qif",)
    reader = Reader

    @classmethod
    def recognises(cls, head, filename):
        text = head.replace(b"\0", b"").decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe \r\n\t")
        if SECTION.search(f"\n{text}"):
            return 95
        lines = text.replace("\r", "\n").split("\n", 40)
        starts = {line[:1] for line in lines}
        return 60 if {"D", "T", "^"} <= starts and lines[0][:1] == "D" else 0
