"""OFX 1 (SGML), OFX 2 (XML) and QFX: statements of bank accounts, credit cards, and the cash of investment accounts.

Why no library: ``ofxparse``, which Odoo imports, converts times to UTC, which moves transactions to another day, does
not support original currencies, rejects a whole file for one bad amount, and is many times slower. ``ofxtools`` is
under the GPL, and rejects files of many banks. The part of the format that is needed is a list of tags.

A day is the day that the bank writes, in its own time zone.
"""

import re
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from . import encodings, values
from .currencies import decimals
from .errors import FormatError
from .lines import Count, Totals, differences, place, whole
from .statement import Balance, Format, Statement

TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]{0,31})[ \t\r\n]{0,9}(/?)>")
HEADER = re.compile(r"(ENCODING|CHARSET):[ ]{0,9}([A-Za-z0-9_-]{1,20})")
ENTITY = re.compile(r"&(amp|lt|gt|quot|apos|nbsp|#[0-9]{1,6});")
ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
#: Each begins an account; INVSTMTRS of one with securities.
ACCOUNTS = {"STMTRS", "CCSTMTRS", "INVSTMTRS"}
#: Parts of an account, and of a transaction, that hold further ones: ``PAYEE.NAME`` is not the transaction's NAME.
PARTS = {
    *("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM", "LEDGERBAL", "AVAILBAL"),
    *("PAYEE", "EXTDPAYEE", "CURRENCY", "ORIGCURRENCY", "BANKACCTTO", "CCACCTTO"),
}
BOOKED, PENDING = "STMTTRN", "STMTTRNP"
#: Sales and purchases of securities: they are no transactions of the cash account.
SECURITIES = re.compile(
    r"(?:BUY|SELL|REINVEST|INCOME|TRANSFER|SPLIT|RETOFCAP|JRNLSEC|MARGININTEREST|CLOSUREOPT)[A-Z]{0,9}"
)
DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[^0-9].{0,60}|[0-9]{2,6}(?:[^0-9].{0,60})?)?", re.DOTALL)
AMOUNT = re.compile(r"([+-]?)([0-9.,]{1,30})")
#: A number with these digits behind a comma may have thousands or decimals.
AMBIGUOUS = 3


class OFX(Format):
    code = "ofx"
    label = "OFX"
    extensions = (".ofx", ".qfx", ".qbo")

    @classmethod
    def recognises(cls, head, filename):
        start = head.replace(b"\0", b"").lstrip()[:4096].upper()
        return 100 if start.startswith(b"OFXHEADER") or b"<OFX>" in start or b"<?OFX" in start else 0

    @classmethod
    def statements(cls, stream, options):
        data = whole(stream, options.limits)
        text, _encoding, warnings = encodings.decode(data, options, _declared(data[:1000]))
        yield from _File(text, options).statements(warnings)


def _declared(head):
    """:return: the encoding that the header of OFX 1 names, or None"""
    found = dict(HEADER.findall(head.decode("latin-1")))
    charset, encoding = found.get("CHARSET", "").upper(), found.get("ENCODING", "").upper()
    if encoding in ("UTF-8", "UTF8", "UNICODE"):
        return "utf-8"
    return None if charset in ("", "NONE") else charset.replace("ISO8859", "ISO-8859")


class _Account:
    """What one account's part of a file says.

    :ivar fields: dict from names, such as ``BANKACCTFROM.ACCTID``, to texts
    :ivar rows: list of (line, whether it is booked, fields) of its transactions
    :ivar securities: number of transactions with securities
    """

    def __init__(self):
        self.fields, self.rows, self.securities = {}, [], 0


class _File:
    def __init__(self, text, options):
        self.text, self.options = _without_cdata(text), options
        self.position, self.line = 0, 1
        self.message = None

    def statements(self, warnings):
        count, is_empty = Count(replace(self.options.limits, transactions=self.options.limits.held)), True
        for account in self._accounts(count):
            is_empty = False
            yield self._statement(account, warnings)
            warnings = []
        if is_empty:
            raise FormatError(
                _lt("The file holds no statement. The bank says: “%(message)s”.", message=self.message[:200])
                if self.message
                else _lt("The file holds no statement, although it is OFX.")
            )

    def _line_of(self, position):
        """Why cached: counting from the start each time would take quadratic time."""
        self.line += self.text.count("\n", self.position, position)
        self.position = position
        return self.line

    def _tokens(self):
        """:return: iterator of (position, whether it closes, name in capitals, text behind it)"""
        before, end = None, 0
        for match in TAG.finditer(self.text):
            if before:
                yield (*before, self.text[end : match.start()])
            before, end = (match.start(), bool(match[1]), match[2].upper()), match.end()
        if before:
            yield (*before, self.text[end:])

    def _accounts(self, count):
        account = row = part = None
        closed = False
        for position, closes, name, value in self._tokens():
            value = value.strip()
            if closes:
                if name in (BOOKED, PENDING):
                    row = None
                elif name in ACCOUNTS and account is not None:
                    yield account
                    account = row = None
                elif name == "OFX":
                    closed = True
                if name == part:
                    part = None
            elif name in ACCOUNTS:
                account, row, part = _Account(), None, None
            elif name == "MESSAGE":
                self.message = _unescaped(value)
            elif account is None:
                continue
            elif name in (BOOKED, PENDING):
                count.add()
                row, part = {}, None
                account.rows.append((self._line_of(position), name == BOOKED, row))
            elif name in PARTS:
                part = name
            elif value:
                target = account.fields if row is None else row
                target.setdefault(f"{part}.{name}" if part else name, _unescaped(value))
            elif row is None and SECURITIES.fullmatch(name):
                account.securities += 1
        if account is not None or not closed:
            raise FormatError(
                _lt("The file ends in the middle: a part of it is missing. Download it again."),
                place(self._line_of(len(self.text))),
            )

    def _statement(self, account, warnings):
        fields = account.fields
        currency = values.currency(fields.get("CURDEF", "").upper()) or self.options.currency
        number = next(
            filter(None, (fields.get(f"{part}.ACCTID") for part in ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM"))), None
        )
        number = values.number(number)
        statement = Statement(
            number,
            currency,
            iter(()),
            kind="list",
            number_type=values.number_type(number),
            bank=values.text(fields.get("BANKACCTFROM.BANKID") or fields.get("INVACCTFROM.BROKERID")),
            start=_day_or_none(fields.get("DTSTART")),
            end=_day_or_none(fields.get("DTEND")),
            closing=_balance(fields),
            warnings=list(warnings),
        )
        ids = _trusted(account.rows, statement.warnings)
        statement.id_scheme = "transaction_id" if ids or not account.rows else "fingerprint"
        reader = _Rows(currency, ids)
        statement.transactions = _transactions(statement, reader, account)
        return statement


def _transactions(statement, reader, account):
    """Why one after the other: a transaction takes several times the memory of its row."""
    totals = Totals()
    for row in account.rows:
        one = reader.transaction(*row)
        totals.add(one)
        yield one
    statement.warnings += _notes(statement, totals, reader, account)


def _notes(statement, totals, reader, account):
    yield from differences(statement, totals)
    if reader.computed:
        yield _lt(
            "%(count)s amounts are in another currency and were converted with the rate in the file. Compare them "
            "with the bank.",
            count=reader.computed,
        )
    if account.securities:
        yield _lt(
            "%(count)s transactions with securities were left out: only the cash of the account was read.",
            count=account.securities,
        )


def _trusted(rows, warnings):
    """Ids that are unique. Some banks give the same one to several transactions, which must not be merged.

    :return: set of ids
    """
    contents, shared = {}, {}
    for _line, _booked, row in rows:
        if name := values.identifier(row.get("FITID")):
            content = hash(tuple(row.get(key) for key in ("DTPOSTED", "TRNAMT", "NAME", "MEMO", "CHECKNUM")))
            if contents.setdefault(name, content) != content:
                shared[name] = True
    if shared:
        warnings.append(
            _lt(
                "The bank assigned the same id to different transactions (%(count)s ids, such as %(example)s): these "
                "are recognised by their contents.",
                count=len(shared),
                example=next(iter(shared))[:40],
            )
        )
    return contents.keys() - set(shared)


class _Rows:
    """Reads transactions of one account.

    :ivar computed: number of amounts that were converted
    """

    def __init__(self, currency, ids):
        self.currency, self.ids, self.computed = currency, ids, 0

    def transaction(self, line, booked, row):
        """:return: transaction, or problem"""
        status = "booked" if booked else "pending"
        name = values.identifier(row.get("FITID"))
        name = name if name in self.ids else None
        try:
            if not self.currency:
                raise ValueError("no currency")
            day = _day(row.get("DTPOSTED") or row.get("DTTRAN"))
            if booked and not day:
                raise ValueError("no DTPOSTED")
            amount, foreign, foreign_currency = self._amounts(row, _amount(row.get("TRNAMT"), self.currency))
            value_day = _day_or_none(row.get("DTAVAIL") or row.get("VALUEDATE"))
        except ValueError as error:
            return values.problem(f"line {line}: {str(error)[:60]}", row, name, status)
        return values.transaction(
            id=name,
            status=status,
            booking_date=day and day.isoformat(),
            value_date=value_day and value_day.isoformat(),
            amount=values.plain(amount),
            currency=self.currency,
            foreign_amount=foreign and values.plain(foreign),
            foreign_currency=foreign_currency,
            counterparty={
                "name": values.text(row.get("PAYEE.NAME") or row.get("NAME")),
                "account_number": values.number(row.get("BANKACCTTO.ACCTID") or row.get("CCACCTTO.ACCTID")),
                "bic": values.bic(row.get("BANKACCTTO.BANKID")),
            },
            remittance=values.texts(row.get("NAME"), row.get("EXTDNAME"), row.get("MEMO"), _check(row)),
            raw=row,
        )

    def _amounts(self, row, amount):
        """OFX 2.2, 5.2: CURRENCY says in what the amount is, ORIGCURRENCY from what it was converted.

        :return: (amount in the account's currency, amount before, its currency); the last two may be None
        """
        for part in ("CURRENCY", "ORIGCURRENCY"):
            currency = values.currency(row.get(f"{part}.CURSYM", "").upper())
            if not currency or currency == self.currency:
                continue
            rate = values.amount(row.get(f"{part}.CURRATE"))
            if not Decimal("1e-9") < rate < Decimal("1e9"):
                raise ValueError(f"CURRATE {rate}")
            if part == "CURRENCY":
                self.computed += 1
                return _rounded(amount * rate, self.currency), amount, currency
            return amount, _rounded(amount / rate, currency), currency
        return amount, None, None


def _check(row):
    return row.get("CHECKNUM", "").strip("0") and row["CHECKNUM"]


def _rounded(amount, currency):
    return amount.quantize(Decimal(1).scaleb(-decimals(currency)), ROUND_HALF_EVEN)


def _balance(fields):
    """The booked balance; ``AVAILBAL`` contains credit limits and what is pending."""
    try:
        amount = _amount(fields.get("LEDGERBAL.BALAMT"), fields.get("CURDEF", ""))
    except ValueError:
        return None
    return Balance(amount, _day_or_none(fields.get("LEDGERBAL.DTASOF")))


def _amount(value, currency):
    """``-12.30``, and ``-12,30``, which OFX allows as well. Banks also write thousands.

    :raise ValueError: for anything else
    """
    match = AMOUNT.fullmatch("".join((value or "").split()))
    if not match:
        raise ValueError(f"TRNAMT {value or 'missing'}")
    sign, digits = match.groups()
    if "," in digits:
        before, _comma, after = digits.rpartition(",")
        if "." in after:
            digits = digits.replace(",", "")
        elif "." in before or "," in before:
            digits = before.replace(".", "").replace(",", "") + "." + after
        elif len(after) == AMBIGUOUS and decimals(currency) != AMBIGUOUS:
            raise ValueError(f"TRNAMT {value} may have thousands or decimals")
        else:
            digits = f"{before}.{after}"
    return values.amount(sign + digits)


def _day(value):
    """``20260504120000.000[-5:EST]``: the first digits. Zeros are None.

    :raise ValueError: if it is not a date
    """
    value = (value or "").strip()
    if not value or value[:8] == "00000000":
        return None
    match = DAY.fullmatch(value)
    if not match:
        raise ValueError(f"date {value[:40]}")
    found = date(int(match[1]), int(match[2]), int(match[3]))
    return found if found.year in values.YEARS else None


def _day_or_none(value):
    try:
        return _day(value)
    except ValueError:
        return None


def _unescaped(value):
    return ENTITY.sub(_letter, value) if "&" in value else value


def _letter(match):
    name = match[1]
    if name[0] != "#":
        return ENTITIES[name]
    number = int(name[1:])
    return chr(number) if 31 < number < 0xD800 or 0xDFFF < number < 0x110000 else " "


def _without_cdata(text):
    """Marked text as text that is escaped."""
    if "<![CDATA[" not in text:
        return text
    first, *parts = text.split("<![CDATA[")
    found = [first]
    for part in parts:
        marked, _end, rest = part.partition("]]>")
        found += [marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), rest]
    return "".join(found)
