"""Reading what providers say: numbers, dates, texts.

What can't be read raises ValueError; :meth:`.web.WebProvider.reading` makes it a ``ProtocolError``.
"""

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache

#: Longer digits are no amount of money, and ``Decimal("1e999999")`` would fill the memory when it is written out.
AMOUNT = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,12})?")
MAX_AMOUNT = 10**18
SMALLEST = Decimal("0.000001")
#: How far the clocks of Central Europe are before UTC.
SUMMER, WINTER = timedelta(hours=2), timedelta(hours=1)
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
TAG = re.compile(r"<[^>]*>?")
CURRENCY = re.compile(r"[A-Z]{3}")
#: ISO 11649. A reference of this form is for machines, wherever it stands.
CREDITOR_REFERENCE = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")


class Number(float):
    """A number with a fraction in JSON, and how it was written: that is what amounts are made of, never the float.

    Why not Decimal at once: what the provider said goes on as JSON (``raw``), and JSON can't be made of Decimals; to
    turn them back in every transaction would take as long as all the rest.
    """

    __slots__ = ("text",)

    def __new__(cls, text):
        self = float.__new__(cls, text)
        self.text = text
        return self


def amount(value):
    """A decimal string, an integer, or a :class:`Number`. Never a float: it has lost what the bank said."""
    kind = type(value)
    if kind is str and AMOUNT.fullmatch(value):
        return Decimal(value)
    if kind is int and abs(value) < MAX_AMOUNT:
        return Decimal(value)
    if kind is Number and abs(value) < MAX_AMOUNT:
        exact = Decimal(value.text)
        # A provider that computes with floats writes 89.40000000000001; no currency has six decimals.
        return exact if len(value.text) < 9 else exact.quantize(SMALLEST).normalize() + 0
    raise ValueError(f"no amount: {value!r}"[:100])


def currency(value):
    """ISO 4217."""
    if type(value) is str and CURRENCY.fullmatch(value):
        return value
    raise ValueError(f"no currency: {value!r}"[:100])


def day(value):
    """``2026-05-03``, also as the beginning of a moment; None stays None."""
    return date.fromisoformat(value[:10]) if value else None


def moment(value):
    """A moment of ISO 8601, aware, in UTC; one without a zone counts as UTC. None stays None."""
    if not value:
        return None
    if value[-1] == "Z" and len(value) in (20, 24):
        # As nearly all write it; this is done for every transaction.
        return datetime.fromisoformat(f"{value[:-1]}+00:00")
    # Why by hand: Python 3.10 reads neither Z nor any number of digits after the seconds.
    main, fraction, zone = re.fullmatch(r"(.{19}|.{16})(\.\d+)?(Z|[+-]\d\d:?\d\d)?", value).groups()
    if zone in (None, "Z"):
        zone = "+00:00"
    elif ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return datetime.fromisoformat(main + (fraction or "")[:7].ljust(7, "0") * bool(fraction) + zone).astimezone(
        timezone.utc
    )


def moment_of_epoch(seconds):
    """Seconds since 1970; None and 0, which some banks send for "not known", give None."""
    return datetime.fromtimestamp(int(seconds), timezone.utc) if seconds else None


def central_european_day(moment):
    """The day of a moment where most euro accounts are: providers give a day as its local midnight, such as 22:00Z.

    Why by hand: the system's list of time zones is missing in small containers.
    """
    is_summer = 3 < moment.month < 10
    if moment.month in (3, 10):
        # Only then: moments with a zone take long to compare, and this is done for every transaction.
        begin, end = _summer_time(moment.year)
        is_summer = begin <= moment < end
    return (moment + (SUMMER if is_summer else WINTER)).date()


@cache
def _summer_time(year):
    """From the last Sunday of March to that of October, at 01:00 UTC."""
    lasts = (date(year, 3, 31), date(year, 10, 31))
    sundays = (last - timedelta(days=last.isoweekday() % 7) for last in lasts)
    return tuple(datetime(day.year, day.month, day.day, 1, tzinfo=timezone.utc) for day in sundays)


def text(value):
    """Without blanks around it; an empty one is None."""
    if value is None:
        return None
    return str(value).strip() or None


def texts(*values):
    """All texts in order, lists taken apart, empty ones and repeats left out."""
    found = {}
    for value in values:
        for item in value if type(value) is list else (value,):
            if item is not None and (item := str(item).strip()):
                found[item] = None
    return tuple(found)


def words(value):
    """What a stranger's server wants to tell a person: one line of plain text, not long, or None."""
    value = "".join(letter if letter.isprintable() else " " for letter in TAG.sub(" ", str(value or "")))
    return " ".join(value.split())[:200] or None


def iban(value):
    """:return: the IBAN without blanks, or None for anything else"""
    value = "".join(str(value or "").split()).upper()
    return value if IBAN.fullmatch(value) else None


def creditor_reference(value):
    """:return: the reference without blanks where the text is an ISO 11649 one, or None"""
    if not value or value[:2] not in ("RF", "rf"):
        return None
    value = "".join(value.split()).upper()
    return value if CREDITOR_REFERENCE.fullmatch(value) else None


def end_to_end_id(value):
    """ISO 20022 obliges banks to write NOTPROVIDED where the payer gave none."""
    value = text(value)
    return None if value is None or value.upper().replace(" ", "") == "NOTPROVIDED" else value
