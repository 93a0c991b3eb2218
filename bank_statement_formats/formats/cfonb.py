"""CFONB 120, *relevé de compte sur support informatique* of the French banks: records of 120 characters.

Source: CFONB, *Relevé de compte sur support informatique*, brochure of July 2004, with the qualifiers of SEPA of 2013.
https://www.cfonb.org/documentation

Why no library: ``python-cfonb`` (LGPL) had its last release in 2021, puts all statements of an account into one, checks
nothing, and leaves amounts and dates to its caller. The tests read its samples.
"""

from decimal import Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .lines import LineFormat, dmy, iso, truncated, unexpected, unreadable
from .national import french_iban
from .statement import Balance, Statement

#: Last digit and sign of an amount. In files that were converted from the French ISO 646, é and è stand for braces.
OVERPUNCHED = {
    **{letter: (str(digit), "") for digit, letter in enumerate("{ABCDEFGHI")},
    **{letter: (str(digit), "-") for digit, letter in enumerate("}JKLMNOPQR")},
    "é": ("0", ""),
    "è": ("0", "-"),
}
#: Qualifiers of record 05 whose text belongs to the remittance. LC2 continues the text of LCC.
TEXTS = {"LIB", "LCC", "LC2", "LCS", "REF", "BDF", "   "}


class Reader:
    def __init__(self, lines, options):
        self.lines, self.options = lines, options
        self.records = (line.ljust(120) for line in lines if line.strip())
        self.line = None

    def statements(self):
        self.line = next(self.records, None)
        while self.line is not None:
            yield self._statement()

    def _statement(self):
        head = self.line
        if head[:2] != "01":
            raise unexpected(self.lines.number, head)
        bank, branch, account = head[2:7], head[11:16], head[21:32]
        number = french_iban(bank, branch, account) or values.number(account)
        statement = Statement(
            number=number,
            number_type=values.number_type(number),
            currency=values.currency(head[16:19]),
            transactions=iter(()),
            bank=values.text(bank),
            opening=self._balance(head),
        )
        if not statement.currency:
            raise unreadable(self.lines.number, _lt("The currency"), head[16:19])
        statement.transactions = self._transactions(statement, head)
        return statement

    def _balance(self, line):
        try:
            return Balance(amount(line[90:104], line[19]), dmy(line[34:40]))
        except ValueError:
            raise unreadable(self.lines.number, _lt("The balance"), line[34:104]) from None

    def _transactions(self, statement, head):
        same = head[2:7], head[11:32]
        found, start = [], 0
        while True:
            line = self.line = next(self.records, None)
            if line is None:
                raise truncated(self.lines.number, "07")
            if (line[2:7], line[11:16], line[21:32]) != (same[0], head[11:16], head[21:32]):
                # Another account: its balance must not close this statement.
                raise unexpected(self.lines.number, line)
            kind = line[:2]
            if kind == "05" and found:
                found.append(line)
                continue
            if found:
                yield transaction(found, start, statement.currency)
            if kind == "07":
                break
            if kind != "04":
                raise unexpected(self.lines.number, line)
            found, start = [line], self.lines.number
        statement.closing = self._balance(line)
        statement.end = statement.closing.day
        self.line = next(self.records, None)


def transaction(lines, number, currency):
    """:param list lines: record 04 and its records 05"""
    line, raw = lines[0], {"cfonb": lines}
    try:
        money = amount(line[90:104], line[19])
        booked, value_day = dmy(line[34:40]), dmy(line[42:48])
        if not booked:
            raise ValueError("no booking date")
        texts, parties, references = further(lines[1:])
        original, original_currency = original_amount(lines[1:], currency)
    except ValueError as error:
        return values.problem(f"line {number}: {error}"[:120], raw, status="booked")
    # The sign decides which of the two parties is the counterparty.
    came = money > 0
    texts = [" ".join(line[48:79].split()), *texts, line[104:120]]
    return values.transaction(
        amount=values.plain(money),
        currency=values.currency(line[16:19]) or currency,
        booking_date=iso(booked),
        value_date=iso(value_day),
        foreign_amount=original and values.plain(original.copy_sign(money)),
        foreign_currency=original_currency,
        counterparty={
            "name": parties.get("NPY" if came else "NBE"),
            "account_number": parties.get("CPY" if came else "CBE"),
        },
        remittance=[text for text in values.texts(texts) if values.identifier(text)],
        end_to_end_id=references.get("RCN"),
        creditor_reference=values.structured_reference(references.get("LCS")),
        mandate_id=references.get("RUM"),
        raw=raw,
    )


def further(lines):
    """:return: (texts of records 05, names and accounts by qualifier, references by qualifier)"""
    texts, parties, references, last = [], {}, {}, None
    for line in lines:
        qualifier, text = line[45:48], line[48:118]
        stripped = text.strip()
        if qualifier in ("NPY", "NBE"):
            parties[qualifier] = values.text(stripped)
        elif qualifier in ("CPY", "CBE"):
            parties[qualifier] = values.number(stripped.split(" ")[0])
        elif qualifier in ("RCN", "RUM"):
            references[qualifier] = values.identifier(text[:35])
        elif qualifier == "LC2" and last == "LCC":
            texts[-1] = f"{texts[-1]}{text}"
        elif qualifier in TEXTS or qualifier not in ("MMO", "IPY", "IBE", "NPO", "NBU"):
            texts.append(text)
            if qualifier == "LCS":
                references[qualifier] = stripped[:35].strip()
        last = qualifier
    return [" ".join(text.split()) for text in texts], parties, references


def original_amount(lines, currency):
    """Qualifier MMO: currency, number of decimals, amount of 14 digits.

    :return: (amount, currency), or (None, None)
    """
    for line in lines:
        if line[45:48] == "MMO":
            found, number = values.currency(line[48:51]), line[52:66]
            if found and found != currency and number.isdigit() and line[51] in "01234":
                return Decimal(int(number)).scaleb(-int(line[51])), found
    return None, None


def amount(field, decimals):
    """
    >>> amount("0000000012345E", "2"), amount("0000000000010}", "0"), amount("0000000000000{", "3")
    (Decimal('1234.55'), Decimal('-100'), Decimal('0.000'))
    """
    field = field.strip()
    last, sign = OVERPUNCHED.get(field[-1:], (None, None))
    number = f"{field[:-1]}{last}"
    if last is None or not (number.isascii() and number.isdigit()) or decimals not in "01234" or not decimals:
        raise ValueError(f"no amount: {field}")
    return Decimal(f"{sign}{number}").scaleb(-int(decimals))


class CFONB(LineFormat):
    code = "cfonb"
    label = "CFONB 120"
    extensions = (".cfo", ".dat", ".txt", ".asc")
    reader = Reader
    record_length = 120

    @classmethod
    def recognises(cls, head, filename):
        line = head.lstrip(b"\xef\xbb\xbf\r\n ").split(b"\n", 1)[0]
        is_head = line[:2] == b"01" and len(line) >= 104 and line[16:19].isalpha() and line[19:20].isdigit()
        return 95 if is_head and line[2:7].isalnum() and line[34:40].isdigit() else 0
