"""CODA, *coded statement of account* of the Belgian banks, version 2: records of 128 characters.

Source: Febelfin, *Standards: coded statement of account (CODA)*, version 2.6.
https://febelfin.be/en/publications/2021/coded-statement-of-account-coda

Why no library: ``febelfin-coda`` (BSD, maintained) fails with an AssertionError for the whole file if one value is
unexpected, without a line number, and keeps the file in memory. The tests compare with it. ``pycoda`` is not
maintained, and does not read statements.
"""

from decimal import Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .errors import FormatError
from .lines import LineFormat, digits, dmy, iso, place, truncated, unexpected, unreadable
from .national import belgian_iban, structured_communication
from .statement import Balance, Statement

MILLE = Decimal(1000)
#: Types of details of a batch that are payments, by the type of its total. Other details are parts of one amount.
PARTS = {"1": ("5",), "2": ("6", "7")}
#: Structured communications that are one structured reference, by where it is.
REFERENCES = {"101": slice(4, 16), "102": slice(4, 16), "105": slice(49, 61)}
#: Structured communication of a SEPA direct debit: creditor, mandate, text.
SEPA_DEBIT = "127"


class Movement:
    """Records 21, 22 and 23 with one pair of numbers, and the details below it."""

    __slots__ = ("account", "bic", "booked", "end_to_end", "lines", "name", "number", "parts", "text")

    def __init__(self, line, number):
        self.lines, self.number, self.parts = [line], number, []
        self.text, self.booked = line[61:115], line[115:121]
        self.end_to_end = self.bic = self.account = self.name = ""

    def add(self, line):
        self.lines.append(line)
        if line[1] == "2":
            self.text += line[10:63]
            self.end_to_end, self.bic = line[63:98], line[98:109]
        elif line[1] == "3":
            self.account, self.name = line[10:47], line[47:82]
            self.text += line[82:125]

    @property
    def amount(self):
        return signed(self.lines[0][31:47])

    @property
    def kind(self):
        return self.lines[0][53]


class Reader:
    def __init__(self, lines, options):
        self.lines, self.options = lines, options
        self.records = self._records()
        self.line = None

    def _records(self):
        for line in self.lines:
            if line.strip():
                yield line.ljust(128)

    def statements(self):
        self.line = next(self.records, None)
        while self.line is not None:
            yield self._statement()

    def _statement(self):
        head = self.line
        if head[0] != "0":
            raise unexpected(self.lines.number, head)
        if head[127] != "2":
            raise FormatError(
                _lt("Only version 2 of CODA can be read, this is version %(version)s.", version=head[127]),
                place(self.lines.number),
            )
        line = self._next()
        if line[0] != "1":
            raise unexpected(self.lines.number, line)
        number, currency = account_of(line[1], line[5:42])
        opening, day = self._balance(line[42:58]), self._day(line[58:64])
        statement = Statement(
            number=number,
            number_type=values.number_type(number),
            currency=currency,
            transactions=iter(()),
            name=values.text(line[64:90]),
            bank=values.bic(head[60:71]),
            reference=line[125:128].strip() or None,
            opening=Balance(opening, day),
        )
        statement.warnings += [_lt("The bank marks this file as a duplicate.")] if head[16] == "D" else []
        statement.transactions = self._transactions(statement)
        return statement

    def _next(self):
        """:return: the next record, which is required"""
        self.line = next(self.records, None)
        if self.line is None:
            raise truncated(self.lines.number, "9")
        return self.line

    def _balance(self, value):
        try:
            return signed(value)
        except ValueError:
            raise unreadable(self.lines.number, _lt("The balance"), value) from None

    def _day(self, value):
        try:
            return dmy(value)
        except ValueError:
            raise unreadable(self.lines.number, _lt("The date"), value) from None

    def _transactions(self, statement):
        count, movement = 1, None
        while (line := self._next())[0] in "234":
            count += line[0] != "4"
            if line[:2] == "21":
                is_detail = movement and line[6:10] != "0000" and line[2:6] == movement.lines[0][2:6]
                if is_detail:
                    current = Movement(line, self.lines.number)
                    movement.parts.append(current)
                else:
                    yield from self._finished(movement, statement)
                    movement = current = Movement(line, self.lines.number)
            elif movement is None and line[0] in "23":
                raise unexpected(self.lines.number, line)
            elif line[:2] in ("22", "23"):
                current.add(line)
            elif line[:2] in ("31", "32", "33"):
                movement.lines.append(line)
            elif line[0] != "4":
                raise unexpected(self.lines.number, line)
        yield from self._finished(movement, statement)
        self._end(statement, count)

    def _end(self, statement, count):
        if self.line[0] == "8":
            count += 1
            statement.closing = Balance(self._balance(self.line[41:57]), self._day(self.line[57:63]))
            statement.end = statement.closing.day
            self._next()
            while self.line[0] == "4":
                self._next()
        else:
            # The standard allows omitting it if nothing has changed.
            statement.closing = statement.opening
        line = self.line
        if line[0] != "9":
            raise unexpected(self.lines.number, line)
        try:
            stated, debit, credit = digits(line[16:22]), digits(line[22:37]), digits(line[37:52])
        except ValueError:
            raise unreadable(self.lines.number, _lt("The sums"), line) from None
        statement.sums = {"debit": money(debit), "credit": money(credit)}
        if stated != count:
            raise FormatError(
                _lt(
                    "The end record counts %(stated)s records, but there are %(count)s: a part is missing. Download "
                    "the file again.",
                    stated=stated,
                    count=count,
                ),
                place(self.lines.number),
            )
        self.line = next(self.records, None)
        if self.line is None and line[127] == "1":
            # Occurs at banks that split a delivery into files.
            statement.warnings.append(
                _lt("The bank says that another statement follows, but the file ends here. Import that one, too.")
            )

    def _finished(self, movement, statement):
        if movement is None:
            return
        parts = self._payments(movement)
        for one in parts or [movement]:
            try:
                yield transaction(one, movement, statement.currency)
            except ValueError as error:
                words = f"line {one.number}: {error}"[:120]
                yield values.problem(words, {"coda": one.lines}, status="booked")

    def _payments(self, movement):
        """:return: the payments of a batch if splitting is enabled and they add up to its amount, else an empty list"""
        wanted = PARTS.get(movement.kind) if self.options.split_batches else None
        parts = [one for one in movement.parts if one.kind in wanted] if wanted else []
        try:
            return parts if parts and sum(one.amount for one in parts) == movement.amount else []
        except ValueError:
            return []


def transaction(movement, whole, currency):
    """
    :param Movement movement:
    :param Movement whole: the same, or the batch that it belongs to
    """
    amount = movement.amount
    if movement is whole:
        details = [line for part in movement.parts for line in part.lines]
        lines = movement.lines + details
    else:
        lines = movement.lines + whole.lines[:1]
    remittance, reference, mandate = communication(movement.text)
    number, _currency = account_of(None, movement.account)
    foreign, foreign_currency = foreign_amount([movement, *movement.parts], currency)
    return values.transaction(
        amount=values.plain(amount),
        currency=currency,
        booking_date=iso(dmy(movement.booked) or dmy(whole.booked)) or missing("booking date"),
        value_date=iso(dmy(movement.lines[0][47:53])),
        foreign_amount=foreign and values.plain(foreign.copy_sign(amount)),
        foreign_currency=foreign_currency,
        counterparty={
            "name": values.text(movement.name),
            "account_number": number,
            "bic": values.bic(movement.bic),
        },
        remittance=remittance,
        end_to_end_id=values.identifier(movement.end_to_end),
        creditor_reference=reference,
        mandate_id=mandate,
        raw={"coda": lines},
    )


def missing(what):
    raise ValueError(f"no {what}")


def communication(text):
    """:return: (list of texts, structured reference or None, mandate or None)"""
    kind = text[1:4]
    if text[:1] != "1":
        return values.texts(" ".join(text[1:].split())), None, None
    if kind == "100":
        reference = values.creditor_reference(text[4:].strip())
        return values.texts(text[4:]), reference, None
    if kind in REFERENCES:
        number = text[REFERENCES[kind]].strip()
        reference = structured_communication(number)
        return values.texts(reference or number), reference, None
    if kind == SEPA_DEBIT:
        return values.texts(text[83:145]), None, values.identifier(text[48:83])
    return values.texts(" ".join(text[4:].split())), None, None


def foreign_amount(movements, currency):
    """Communication 105: the amount in the original currency.

    :return: (amount, currency), or (None, None)
    """
    for one in movements:
        text = one.text
        if text[:4] == "1105":
            found = values.currency(text[46:49])
            if found and found != currency and text[19:34].isdigit():
                return money(int(text[19:34])), found
    return None, None


def account_of(structure, field):
    """
    :param str structure: 0 Belgian number · 1 foreign number · 2 Belgian IBAN · 3 foreign IBAN; None for the other
        side, where only its format shows it
    :param str field: 37 characters
    :return: (number, currency), each None if missing
    """
    if structure == "0" or (structure is None and field[:12].isdigit() and not field[12:13].strip()):
        number = field[:12]
        currency = values.currency(field[13:16])
        return belgian_iban(number) or values.number(number), currency
    return values.number(field[: 31 if structure == "2" else 34]), values.currency(field[34:37])


def signed(value):
    """Sign and 15 digits, three of them decimals."""
    if value[:1] not in ("0", "1"):
        raise ValueError(f"no sign: {value}")
    amount = money(digits(value[1:16]))
    return -amount if value[0] == "1" else amount


def money(thousandths):
    """Two decimals if the third one is zero, because few currencies have three."""
    return Decimal(thousandths) / MILLE if thousandths % 10 else Decimal(thousandths // 10).scaleb(-2)


class CODA(LineFormat):
    code = "coda"
    label = "CODA"
    extensions = (".cod", ".coda", ".txt")
    reader = Reader
    record_length = 128

    @classmethod
    def recognises(cls, head, filename):
        line = head.lstrip(b"\xef\xbb\xbf\r\n").split(b"\n", 1)[0]
        return 95 if line[:5] == b"00000" and line[5:11].isdigit() and line[127:128] in (b"1", b"2") else 0
