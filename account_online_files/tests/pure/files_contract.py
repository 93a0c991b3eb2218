"""The cases of the contract for statement files: one script for each format that ``bank_statement_formats`` reads.

Test-side, and independent of the readers. A format without a script fails ``test_files_contract.py``; a promise that a
format can't keep, because the format has no place for it, says why in ``impossible``.
"""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

import openpyxl

from bank_statement_formats.tests.pure import renderers
from bank_statement_formats.tests.pure.camt_files import Writer, balance, words
from bank_statement_formats.tests.pure.renderers import Account, Payment

FIRST = date(2026, 3, 10)
OPENING = Decimal("1000.00")
OTHER_ACCOUNT = "FR7630006000011234567890189"
#: What a file must not bring into a log: names, texts and numbers of the payments below.
SECRETS = ("Secret Customer", "Confidential purpose", OTHER_ACCOUNT)
#: What the promises are called, in the order of the tests.
PROMISES = (
    "same_twice",
    "overlap",
    "any_order",
    "truncated",
    "values",
    "currencies",
    "balances",
    "accounts",
    "placeholders",
    "masked_counterparty",
    "masked_account",
    "bomb",
    "archive",
    "limits",
    "logs",
)


@dataclass(frozen=True)
class Entry(Payment):
    """``id`` as a bank gives it, the same in each file that shows the payment."""

    id: str = ""


@dataclass(frozen=True)
class Lossy(Account):
    """Its closing balance is that of an account with more payments."""

    stated: Decimal = Decimal(0)

    @property
    def closing(self):
        return self.stated


@dataclass(frozen=True)
class Script:
    """
    :ivar write: from a list of :class:`Account` to the bytes of a file
    :ivar numbers: of two accounts: as the file has them, and as the reader gives them
    :ivar currencies: (code, decimals), several where the format has more than one
    :ivar spoil: from the bytes of a good file to a file that costs a careless reader its memory
    :ivar impossible: from the name of a promise to the reason
    """

    write: Callable
    numbers: tuple
    spoil: Callable
    currencies: tuple = (("EUR", 2), ("JPY", 0), ("KWD", 3))
    impossible: dict = field(default_factory=dict)


# -------------------------------------------------------------------------
# STATEMENTS
# -------------------------------------------------------------------------


def _month():
    """Fifteen days with two payments each, of which some are equal: two coffees of one day stay two."""
    found = []
    for number in range(15):
        day = FIRST + timedelta(days=number)
        first = Entry(
            amount=Decimal("-2.50") if number % 3 else Decimal("1200.40") + number,
            booked=day,
            value=day,
            text="Coffee" if number % 3 else f"Confidential purpose {number}",
            name="Corner Cafe" if number % 3 else "Secret Customer",
            account=OTHER_ACCOUNT,
            end_to_end=None if number % 3 else f"E2E-{number}",
            id=f"A{number}",
        )
        second = replace(first, id=f"B{number}")
        if number % 3 == 2:
            second = replace(second, amount=Decimal("-30.15") - number, text=f"Books {number}", name="Book Shop")
        found += [first, second]
    return tuple(found)


MONTH = _month()


def account(number, iban, first=0, last=14, payments=MONTH, currency="EUR", places=2):
    """:return: the statement of the days from ``first`` to ``last``, counted from 0"""
    start, end = FIRST + timedelta(days=first), FIRST + timedelta(days=last)
    return Account(
        number=number,
        iban=iban,
        currency=currency,
        places=places,
        opening=OPENING + sum((one.amount for one in payments if one.booked < start), Decimal(0)),
        start=start - timedelta(days=1),
        end=end,
        payments=tuple(one for one in payments if start <= one.booked <= end),
    )


def of_currency(currency, places):
    """:return: payments of both signs around the turn of a year and the end of February"""
    days = (date(2023, 12, 30), date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29), date(2024, 3, 1))
    amounts = (123456, -1, 99, -1000000, 5)
    return tuple(
        Entry(Decimal(units).scaleb(-places), day, day, f"Purpose {number}", "Somebody", id=f"{currency}{number}")
        for number, (day, units) in enumerate(zip(days, amounts, strict=True))
    )


# -------------------------------------------------------------------------
# FILES
# -------------------------------------------------------------------------


def lines(write, end="\r\n"):
    return lambda accounts: end.join([*write(accounts), ""]).encode()


def camt(accounts):
    writer = Writer()

    def entry(one, currency):
        party = {"party": one.name or "", "number": one.account or "", "texts": [one.text]}
        more = {"end_to_end": one.end_to_end or "", "mandate": one.mandate or "", "is_credit": one.amount > 0}
        detail = writer.detail(one.amount, **party, **more, currency=currency)
        days = {"day": str(one.booked), "value_day": str(one.value)}
        return writer.entry(one.amount, detail, **days, currency=currency, reference=one.id)

    def statement(one):
        balances = balance("OPBD", one.opening, str(one.start), one.currency)
        balances += balance("CLBD", one.closing, str(one.end), one.currency)
        entries = (entry(payment, one.currency) for payment in one.payments)
        return writer.statement(*entries, balances=balances, number=one.number, currency=one.currency)

    return writer.document(*map(statement, accounts)).encode()


def ofx(accounts):
    def tag(name, value):
        return words(name, str(value))

    def row(one):
        other = f"<BANKACCTTO>{tag('ACCTID', one.account)}</BANKACCTTO>" if one.account else ""
        days = tag("DTPOSTED", f"{one.booked:%Y%m%d}") + tag("DTAVAIL", f"{one.value:%Y%m%d}")
        money = tag("TRNAMT", f"{one.amount:f}") + tag("FITID", one.id)
        return f"<STMTTRN>{days}{money}{tag('NAME', one.name or '')}{other}{tag('MEMO', one.text)}</STMTTRN>"

    def statement(one):
        period = tag("DTSTART", f"{one.start + timedelta(days=1):%Y%m%d}") + tag("DTEND", f"{one.end:%Y%m%d}")
        whose = f"<BANKACCTFROM>{tag('ACCTID', one.number)}</BANKACCTFROM>"
        rows = f"<BANKTRANLIST>{period}{''.join(map(row, one.payments))}</BANKTRANLIST>"
        closing = tag("BALAMT", one.closing) + tag("DTASOF", f"{one.end:%Y%m%d}")
        return f"<STMTRS>{tag('CURDEF', one.currency)}{whose}{rows}<LEDGERBAL>{closing}</LEDGERBAL></STMTRS>"

    return f"OFXHEADER:100\nENCODING:UTF-8\n\n<OFX>{''.join(map(statement, accounts))}</OFX>\n".encode()


#: Why the balance last: CSV has no end of the file, and a balance that was cut does not follow from the one before.
HEADER = ("Konto", "Datum", "Valuta", "Name", "IBAN Gegenkonto", "End-to-End-ID", "Verwendungszweck")
HEADER = (*HEADER, "Betrag", "Währung", "Saldo")


def table(accounts, written_day, written_amount):
    for one in accounts:
        running = one.opening
        for payment in one.payments:
            running += payment.amount
            days = written_day(payment.booked), written_day(payment.value)
            other = payment.name or "", payment.account or "", payment.end_to_end or "", payment.text
            yield (one.number, *days, *other, written_amount(payment.amount), one.currency, written_amount(running))


def write_csv(accounts):
    target = io.StringIO()
    writer = csv.writer(target, delimiter=";")
    writer.writerow(HEADER)
    writer.writerows(table(accounts, "{:%d.%m.%Y}".format, lambda amount: f"{amount:f}".replace(".", ",")))
    return target.getvalue().encode()


def write_xlsx(accounts):
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    for row in table(accounts, lambda day: day, float):
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


# -------------------------------------------------------------------------
# FILES THAT COST A CARELESS READER ITS MEMORY
# -------------------------------------------------------------------------


def endless_line(content):
    """The last line never ends."""
    return content.rstrip() + b"9" * 3_000_000


def entities(content):
    """Each entity is ten times the one before: a billion words."""
    declared = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE d [<!ENTITY e0 "laugh">{declared}]>'.encode()
    return content.replace(b"?>\n", b"?>\n" + doctype, 1).replace(b"Coffee", b"&e9;")


def large_sheet(content):
    """A sheet that contains only spaces, which a workbook compresses a thousandfold."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            blanks = b" " * 300_000_000 if name.endswith("sheet1.xml") else b""
            new.writestr(name, old.read(name) + blanks)
    return target.getvalue()


IBANS = (("DE89370400440532013000",) * 2, ("NL91ABNA0417164300",) * 2)
NO_COUNTERPARTY = "has no place for the number of the counterparty"
ONE_DAY = "a group has one date: all its transactions are of the day of the report"
DIGITS = "account numbers consist of digits, so a masked one can't be written"

SCRIPTS = {
    "camt": Script(camt, IBANS, entities),
    "mt940": Script(lines(renderers.mt940), IBANS, endless_line),
    "coda": Script(
        lines(renderers.coda),
        (("BE68539007547034",) * 2, ("BE02123456789002",) * 2),
        endless_line,
    ),
    "cfonb": Script(
        lines(renderers.cfonb),
        (("20041010050500013M026", "FR1420041010050500013M02606"), ("300060000112345678901", OTHER_ACCOUNT)),
        endless_line,
        impossible={"masked_account": DIGITS},
    ),
    "norma43": Script(
        lines(renderers.norma43),
        (("210004180200051332", "ES9121000418450200051332"), ("008153980001414452", "ES0600815398730001414452")),
        endless_line,
        currencies=(("EUR", 2), ("USD", 2)),
        impossible={"masked_account": DIGITS, "masked_counterparty": NO_COUNTERPARTY},
    ),
    "bai2": Script(
        lines(renderers.bai2),
        (("0975312468",) * 2, ("4444",) * 2),
        endless_line,
        impossible={
            "overlap": ONE_DAY,
            "any_order": ONE_DAY,
            "masked_counterparty": NO_COUNTERPARTY,
        },
    ),
    "qif": Script(
        lines(renderers.qif),
        (("Checking", None), ("Savings", None)),
        endless_line,
        currencies=(("EUR", 2),),
        impossible={
            "balances": "has no closing balance",
            "masked_counterparty": NO_COUNTERPARTY,
            "masked_account": "names accounts, and has no place for their numbers",
        },
    ),
    "ofx": Script(
        ofx,
        IBANS,
        None,
        impossible={
            "balances": "has no opening balance",
            "bomb": "tags are read one after the other, without levels and entities, so nothing grows",
        },
    ),
    "csv": Script(write_csv, IBANS, endless_line),
    "xlsx": Script(write_xlsx, IBANS, large_sheet),
}
