"""Writes statements in the formats of lines, for tests that read them back. Independent of the readers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ISO_NUMBERS = {"EUR": "978", "USD": "840", "JPY": "392", "KWD": "414"}


@dataclass(frozen=True)
class Payment:
    amount: Decimal
    booked: date
    value: date
    text: str
    name: str | None = None
    account: str | None = None
    end_to_end: str | None = None
    mandate: str | None = None


@dataclass(frozen=True)
class Account:
    """``number`` as its country's banks write it, ``iban`` what a reader makes of it."""

    number: str
    iban: str
    currency: str
    places: int
    opening: Decimal
    start: date
    end: date
    payments: tuple

    @property
    def closing(self):
        return self.opening + sum((one.amount for one in self.payments), Decimal(0))

    def total(self, sign):
        return sum((abs(one.amount) for one in self.payments if (one.amount < 0) == (sign < 0)), Decimal(0))

    def count(self, sign):
        return sum((one.amount < 0) == (sign < 0) for one in self.payments)


def put(length, *parts):
    """:param parts: pairs of a position, from 0, and a text"""
    line = [" "] * length
    for position, text in parts:
        assert position + len(text) <= length
        line[position : position + len(text)] = text
    return "".join(line)


def units(amount, places):
    return int(abs(amount).scaleb(places))


def mt940(accounts):
    lines = []
    for account in accounts:

        def money(amount, places=account.places):
            return f"{abs(amount):.{places}f}".replace(".", ",") + ("" if places else ",")

        def mark(amount):
            return "D" if amount < 0 else "C"

        lines += [":20:STARTUMS", f":25:{account.number}", ":28C:1/1"]
        lines.append(f":60F:{mark(account.opening)}{account.start:%y%m%d}{account.currency}{money(account.opening)}")
        for one in account.payments:
            lines.append(f":61:{one.value:%y%m%d}{one.booked:%m%d}{mark(one.amount)}{money(one.amount)}NTRFNONREF")
            purpose = "".join(
                f"{word}+{text}".ljust(-(-(len(word) + 1 + len(text)) // 27) * 27)
                for word, text in (("EREF", one.end_to_end), ("MREF", one.mandate), ("SVWZ", one.text))
                if text
            )
            parts = [purpose[start : start + 27].rstrip() for start in range(0, len(purpose), 27)]
            details = "166" + "".join(f"?{20 + number}{part}" for number, part in enumerate(parts))
            details += f"?31{one.account}" if one.account else ""
            details += f"?32{one.name[:27]}?33{one.name[27:]}" if one.name else ""
            details = f":86:{details}"
            lines += [details[start : start + 65] for start in range(0, len(details), 65)]
        closing = account.closing
        lines += [f":62F:{mark(closing)}{account.end:%y%m%d}{account.currency}{money(closing)}", "-"]
    return lines


def coda(accounts):
    lines = []
    for number, account in enumerate(accounts, start=1):
        holder = account.number.ljust(34) + account.currency
        body = [put(128, (0, "12001"), (5, holder), (42, _coda(account.opening)), (58, f"{account.start:%d%m%y}"))]
        for sequence, one in enumerate(account.payments, start=1):
            ids = f"{(sequence - 1) % 9999 + 1:04}0000"
            text = "0" + one.text
            if one.mandate:
                text = "1127" + f"{one.value:%d%m%y}110" + " " * 35 + one.mandate.ljust(35) + one.text.ljust(62)
            first = [(0, "21"), (2, ids), (31, _coda(one.amount)), (47, f"{one.value:%d%m%y}"), (53, "00150000")]
            body.append(put(128, *first, (61, text[:54]), (115, f"{one.booked:%d%m%y}"), (125, "1")))
            body.append(put(128, (0, "22"), (2, ids), (10, text[54:107]), (63, one.end_to_end or ""), (125, "1")))
            other = (one.account or "").ljust(34) + "EUR"
            body.append(put(128, (0, "23"), (2, ids), (10, other), (47, one.name or ""), (82, text[107:])))
        closing = [(0, "8001"), (4, holder), (41, _coda(account.closing)), (57, f"{account.end:%d%m%y}")]
        body.append(put(128, *closing))
        head = put(128, (0, "00000"), (5, f"{account.end:%d%m%y}"), (11, "72505"), (127, "2"))
        sums = (22, _coda(account.total(-1))[1:]), (37, _coda(account.total(1))[1:])
        last = "2" if number == len(accounts) else "1"
        lines += [head, *body, put(128, (0, "9"), (16, f"{len(body):06}"), *sums, (127, last))]
    return lines


def _coda(amount):
    return ("1" if amount < 0 else "0") + f"{units(amount, 3):015}"


def cfonb(accounts):
    lines = []
    for account in accounts:
        where = [(2, account.number[:5]), (11, account.number[5:10]), (21, account.number[10:21])]
        where += [(16, account.currency), (19, str(account.places))]
        opening = (34, f"{account.start:%d%m%y}"), (90, _cfonb(account.opening, account.places))
        lines.append(put(120, (0, "01"), *where, *opening))
        for one in account.payments:
            days = (34, f"{one.booked:%d%m%y}"), (42, f"{one.value:%d%m%y}")
            money = (90, _cfonb(one.amount, account.places))
            lines.append(put(120, (0, "04"), *where, (32, "B1"), *days, (48, "VIREMENT"), money))
            came = one.amount > 0
            further = [("NPY" if came else "NBE", one.name), ("CPY" if came else "CBE", one.account)]
            further += [("LCC", one.text[:70]), ("LC2", one.text[70:]), ("RCN", one.end_to_end), ("RUM", one.mandate)]
            for qualifier, text in further:
                if text:
                    lines.append(put(120, (0, "05"), *where, (34, f"{one.booked:%d%m%y}"), (45, qualifier), (48, text)))
        closing = (34, f"{account.end:%d%m%y}"), (90, _cfonb(account.closing, account.places))
        lines.append(put(120, (0, "07"), *where, *closing))
    return lines


def _cfonb(amount, places):
    digits = f"{units(amount, places):014}"
    return digits[:-1] + ("}JKLMNOPQR" if amount < 0 else "{ABCDEFGHI")[int(digits[-1])]


def norma43(accounts):
    lines = []
    for account in accounts:
        where = account.number[:8] + account.number[8:]
        currency = ISO_NUMBERS[account.currency]
        opening = f"{account.start:%y%m%d}{account.end:%y%m%d}{_norma(account.opening)}{currency}3"
        lines.append(f"11{where}{opening}".ljust(80))
        for one in account.payments:
            days = f"{one.booked:%y%m%d}{one.value:%y%m%d}"
            lines.append(f"22    {where[4:8]}{days}03123{_norma(one.amount)}{'0' * 22}".ljust(80))
            if one.mandate:
                lines.append(put(80, (0, "2301CORE"), (8, one.name or "")))
                lines.append(put(80, (0, "2302"), (39, one.mandate)))
                lines.append(put(80, (0, "2303"), (12, one.text[:68])))
                lines.append(put(80, (0, "2304"), (4, one.text[68:])))
                lines.append(put(80, (0, "2305")))
            else:
                lines += [put(80, (0, f"230{number}"), (4, part)) for number, part in enumerate(_cut(one.text, 76), 1)]
        sums = "".join(f"{account.count(sign):05}{units(account.total(sign), 2):014}" for sign in (-1, 1))
        lines.append(f"33{where}{sums}{_norma(account.closing)}{currency}".ljust(80))
    return [*lines, put(80, (0, "88" + "9" * 18), (20, f"{len(lines):06}"))]


def _norma(amount):
    return ("1" if amount < 0 else "2") + f"{units(amount, 2):014}"


def _cut(text, length):
    return [text[start : start + length] for start in range(0, len(text), length)]


def bai2(accounts):
    lines, total = ["01,122099999,123456789,260505,0200,1,80,,2/"], 0
    for account in accounts:
        group = [f"02,123456789,122099999,1,{account.end:%y%m%d},2359,{account.currency},2/"]
        sums = units(account.opening, account.places) * (-1 if account.opening < 0 else 1)
        closing = units(account.closing, account.places) * (-1 if account.closing < 0 else 1)
        group.append(f"03,{account.number},{account.currency},010,{sums},,,015,{closing},,/")
        sums += closing
        for one in account.payments:
            money = units(one.amount, account.places)
            sums += money
            code = "475" if one.amount < 0 else "165"
            parts = _cut(one.text, 60)
            group.append(f"16,{code},{money},V,{one.value:%y%m%d},,,,{parts[0]}")
            group += [f"88,{part}" for part in parts[1:]]
        group += [f"49,{sums},{len(group)}/", f"98,{sums},1,{len(group) + 2}/"]
        lines += group
        total += sums
    return [*lines, f"99,{total},{len(accounts)},{len(lines) + 1}/"]


def qif(accounts, order="%d/%m/%Y", point="."):
    lines = []
    for account in accounts:
        lines += ["!Account", f"N{account.number}", "TBank", "^", "!Type:Bank"]
        opening = f"{account.opening:.{account.places}f}".replace(".", point)
        lines += [f"D{account.start:{order}}", f"T{opening}", "POpening Balance", "^"]
        for one in account.payments:
            lines += [f"D{one.booked:{order}}", f"T{one.amount:.{account.places}f}".replace(".", point)]
            lines += [f"P{one.name}"] if one.name else []
            lines += [f"M{one.text}", "^"]
    return lines
