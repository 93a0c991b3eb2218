"""Norma 43 (Cuaderno 43, AEB43) of the Spanish banks: records of 80 characters.

Source: AEB/CECA, *Serie normas y procedimientos bancarios, nº 43*, June 2012, with its appendix 4 on SEPA.
https://docs.bankinter.com/stf/plataformas/empresas/gestion/ficheros/formatos_fichero/norma_43_castellano.pdf

Why no library: ``csb43`` (LGPL, maintained) reads the whole file into objects, at a seventh of the speed, and needs
``pycountry``; ``aeb43`` and ``norma43`` reject a whole file at its first unusual value and have no line numbers. The
tests compare our results with theirs.
"""

from decimal import Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .currencies import BY_NUMBER
from .errors import FormatError
from .lines import LineFormat, day_before, digits, iso, place, truncated, unexpected, unreadable, ymd
from .national import spanish_iban
from .statement import Balance, Statement

SIGNS = {"1": -1, "2": 1}
#: Number of complementary records of a SEPA direct debit.
FURTHER = 5


class Reader:
    def __init__(self, lines, options):
        self.lines, self.options = lines, options
        self.count = 0
        self.records = (line.ljust(80) for line in lines if line.strip())
        self.line = None

    def statements(self):
        self.line = next(self.records, None)
        if self.line is not None and self.line[:2] == "00":
            self.line = next(self.records, None)
        while True:
            if self.line is None:
                raise truncated(self.lines.number, "88")
            if self.line[:2] == "88":
                break
            yield self._statement()
        self._end()

    def _end(self):
        if self.line[20:26].strip() and self.line[20:26] != f"{self.count:06}":
            raise FormatError(
                _lt(
                    "The end record counts %(stated)s records, but there are %(count)s: a part is missing. Download "
                    "the file again.",
                    stated=self.line[20:26].lstrip("0"),
                    count=self.count,
                ),
                place(self.lines.number),
            )
        if (line := next(self.records, None)) is not None and line.strip("\x1a\x00 "):
            raise unexpected(self.lines.number, line)

    def _statement(self):
        head = self.line
        if head[:2] != "11":
            raise unexpected(self.lines.number, head)
        self.count += 1
        number = spanish_iban(head[2:6], head[6:10], head[10:20]) or values.number(head[10:20])
        currency = BY_NUMBER.get(head[47:50])
        if not currency:
            raise unreadable(self.lines.number, _lt("The currency"), head[47:50])
        start, end = self._day(head[20:26]), self._day(head[26:32])
        statement = Statement(
            number=number,
            number_type=values.number_type(number),
            currency=currency,
            transactions=iter(()),
            name=values.text(head[51:77]),
            bank=head[2:6],
            opening=Balance(self._money(head[32:47]), day_before(start)),
            start=start,
            end=end,
        )
        statement.transactions = self._transactions(statement)
        return statement

    def _day(self, value):
        try:
            return ymd(value)
        except ValueError:
            raise unreadable(self.lines.number, _lt("The date"), value) from None

    def _money(self, value):
        try:
            return money(value)
        except ValueError:
            raise unreadable(self.lines.number, _lt("The balance"), value) from None

    def _transactions(self, statement):
        found, start = [], 0
        while True:
            line = self.line = next(self.records, None)
            if line is None:
                raise truncated(self.lines.number, "33")
            self.count += 1
            if line[:2] in ("23", "24") and found:
                found.append(line)
                continue
            if found:
                yield transaction(found, start, statement.currency)
            if line[:2] == "33":
                break
            if line[:2] != "22":
                raise unexpected(self.lines.number, line)
            found, start = [line], self.lines.number
        statement.closing = Balance(self._money(line[58:73]), statement.end)
        try:
            statement.sums = {
                "debit_count": digits(line[20:25]),
                "debit": cents(line[25:39]),
                "credit_count": digits(line[39:44]),
                "credit": cents(line[44:58]),
            }
        except ValueError:
            raise unreadable(self.lines.number, _lt("The sums"), line) from None
        self.line = next(self.records, None)


def transaction(lines, number, currency):
    """:param list lines: record 22 with its records 23 and 24"""
    line, raw = lines[0], {"norma43": lines}
    try:
        amount = money(line[27:42])
        booked = ymd(line[10:16])
        value_day = ymd(line[16:22])
        if not booked:
            raise ValueError("no booking date")
    except ValueError as error:
        return values.problem(f"line {number}: {error}"[:120], raw, status="booked")
    concepts = [one[4:80] for one in lines[1:] if one[:2] == "23"]
    details = sepa_debit(concepts) or {"remittance": [" ".join(text.split()) for text in concepts]}
    foreign, foreign_currency = original_amount(lines, currency)
    references = [text for text in (line[42:52], line[52:64], line[64:80]) if values.identifier(text)]
    return values.transaction(
        amount=values.plain(amount),
        currency=currency,
        booking_date=iso(booked),
        value_date=iso(value_day),
        foreign_amount=foreign and values.plain(foreign.copy_sign(amount)),
        foreign_currency=foreign_currency,
        counterparty={"name": details.get("name")},
        remittance=values.texts(details["remittance"], references),
        creditor_reference=details.get("creditor_reference"),
        mandate_id=details.get("mandate_id"),
        raw=raw,
    )


def sepa_debit(concepts):
    """Appendix 4: the five records of a SEPA direct debit have fixed places.

    :return: dict, or None for other movements
    """
    if len(concepts) != FURTHER or concepts[0][:4] not in ("CORE", "B2B "):
        return None
    text = f"{concepts[2][8:]}{concepts[3][:72]}"
    reference = concepts[4][:35].strip()
    return {
        "name": values.text(concepts[0][4:74]),
        "mandate_id": values.identifier(concepts[1][35:70]),
        "remittance": [" ".join(text.split()), reference],
        "creditor_reference": values.creditor_reference(reference),
    }


def original_amount(lines, currency):
    """Record 24: the original amount in another currency.

    :return: (amount, currency), or (None, None)
    """
    for line in lines:
        if line[:2] == "24":
            found = BY_NUMBER.get(line[4:7])
            if found and found != currency and line[7:21].isdigit():
                return cents(line[7:21]), found
    return None, None


def money(field):
    """Sign and 14 digits.

    >>> money("100000000001098"), money("200000000000005")
    (Decimal('-10.98'), Decimal('0.05'))
    """
    return cents(field[1:]) * SIGNS[field[0]] if field[0] in SIGNS else _no_sign(field)


def _no_sign(field):
    raise ValueError(f"no sign: {field}")


def cents(field):
    return Decimal(digits(field)).scaleb(-2)


class Norma43(LineFormat):
    code = "norma43"
    label = "Norma 43"
    extensions = (".n43", ".q43", ".aeb", ".csb", ".txt")
    reader = Reader
    record_length = 80

    @classmethod
    def recognises(cls, head, filename):
        lines = [line for line in head.lstrip(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n")[:6] if line.strip()]
        if lines and lines[0][:2] == b"00":
            lines = lines[1:]
        line = lines[0] if lines else b""
        return 95 if line[:2] == b"11" and len(line) >= 50 and line[2:50].isdigit() else 0
