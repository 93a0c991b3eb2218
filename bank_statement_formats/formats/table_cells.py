"""Parsing of single cells of a table: days and numbers, in the notation of the whole column.

A notation is deduced from all cells: :func:`orders` and :func:`separators` return which ones a cell allows, and the
notations that all cells allow remain.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from .currencies import BY_NUMBER
from .table_words import CREDIT_WORDS, DEBIT_WORDS, MONTHS, plain

#: Order of day, month and year.
ORDERS = ("dmy", "mdy", "ymd")
YEARS = range(1990, 2080)
BOTH = (".", ",")
#: Longer cells are neither days nor numbers. Why checked first: results are cached.
LONGEST = 40

TOKENS = re.compile(r"[0-9]+|[^\W\d_]+")
NUMERIC_DAY = re.compile(r"([0-9]{1,4})([./\-年 ])[ ]?([0-9]{1,2})[./\-月 ][ ]?([0-9]{1,4})(?:日|$|[ T,].*)", re.DOTALL)
COMPACT = re.compile(r"([0-9]{8})(?:$|[ T][0-9:.]{4,12}$)")
#: The time of day after a date.
CLOCK = re.compile(r"[T ,]{0,3}[0-9]{1,2}[:.h][0-9]{2}.{0,20}")
#: A number: sign, digits with separators, sign. Surrounding text, such as a currency, is removed before.
NUMBER = re.compile(r"([+-]?)([0-9][0-9.,']*|[.,][0-9]+)([+-]?)")
#: Also groups of two digits, as in India, where the last one has three.
GROUPED_POINT = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})+(?:\.[0-9]*)?|[0-9]*(?:\.[0-9]*)?")
GROUPED_COMMA = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?|[0-9]*(?:,[0-9]*)?")
#: A shortcut for nearly all amounts; all others are analysed in detail.
SIMPLE = re.compile(r"-?[0-9]{1,15}(?:([.,])[0-9]{1,2})?")
#: Words that may accompany an amount, apart from currency codes.
AROUND_WORDS = {
    *("cr", "dr", "db", "c", "d", "s", "h", "credit", "debit", "kr", "zł", "fr", "sfr", "rs", "r$", "us$", "a$", "hk$"),
    *("$", "€", "£", "¥", "₹", "₽", "₺", "₩", "元", "円"),
}
CURRENCIES = frozenset(BY_NUMBER.values())
AROUND = re.compile(r"[A-Za-zÀ-ž¥€$£₹₽₺₩元円zł]{1,4}")
#: Invisible characters: spaces of any width, and marks of the writing direction.
UNSEEN = " \t\u00a0\u202f\ufeff\u200b\u200e\u200f\u061c" + "".join(
    map(chr, (*range(0x2000, 0x200B), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
MINUS_SIGNS = "−–\u2010\u2011\ufe63\uff0d"
NUMBER_BLANKS = str.maketrans({**dict.fromkeys(UNSEEN), **dict.fromkeys(MINUS_SIGNS, "-"), "’": "'"})


@lru_cache(maxsize=65536)
def days(cell):
    """
    :param str cell: such as ``03/05/2026``, ``3. Mai 2026``, ``20260503``
    :return: dict from each order that the cell allows to its day; empty if it is not a date

    >>> sorted(days("03/05/2026")), sorted(days("13/05/2026")), sorted(days("03.05.2026")), days("Total")
    (['dmy', 'mdy'], ['dmy'], ['dmy'], {})
    """
    cell = cell.strip()
    if len(cell) < 6:
        return {}
    if match := NUMERIC_DAY.match(cell):
        first, separator, second, third = match.groups()
        rest = cell[match.end(4) :].lstrip("日")
        return _numeric(first, second, third, separator) if not rest or CLOCK.fullmatch(rest) else {}
    if match := COMPACT.match(cell):
        digits = match[1]
        found = {"ymd": _date(digits[:4], digits[4:6], digits[6:]), "dmy": _date(digits[4:], digits[2:4], digits[:2])}
        found["mdy"] = _date(digits[4:], digits[:2], digits[2:4])
        return {order: day for order, day in found.items() if day}
    return _named(cell)


def _numeric(first, second, third, separator):
    # Why: no country uses points with the month first. The year comes first only if it has four digits.
    allowed = ("dmy", "ymd") if separator == "." else ORDERS
    found = {}
    for order in allowed:
        parts = dict(zip(order, (first, second, third), strict=True))
        if len(first) == 3 or (len(first) == 4) != (order == "ymd"):
            continue
        day = _date(parts["y"], parts["m"], parts["d"])
        if day:
            found[order] = day
    return found


def _named(cell):
    tokens = TOKENS.findall(cell)
    if len(tokens) < 3 or (len(tokens) > 3 and not CLOCK.search(cell)):
        return {}
    tokens = tokens[:3]
    for place, token in enumerate(tokens[:2]):
        month = MONTHS.get(plain(token)) if not token.isdigit() else None
        if month:
            others = [other for number, other in enumerate(tokens) if number != place]
            if not all(other.isdigit() for other in others):
                return {}
            day, year = others if len(others[0]) < 4 else others[::-1]
            found = _date(year, str(month), day)
            return dict.fromkeys(ORDERS, found) if found else {}
    return {}


def _date(year, month, day):
    if len(year) not in (2, 4) or len(day) > 2 or len(month) > 2:
        return None
    number = int(year) + (2000 if len(year) == 2 else 0)
    if number not in YEARS:
        return None
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def day_of(cell, order):
    """:return: the day in this order, None if the cell is not a date"""
    if type(cell) is date:
        return cell
    return days(cell).get(order) if type(cell) is str and len(cell) <= LONGEST else None


def orders(cell):
    """:return: tuple of the orders that the cell allows; a date cell of a workbook allows all of them"""
    if type(cell) is date:
        return ORDERS
    return tuple(days(cell)) if type(cell) is str and len(cell) <= LONGEST else ()


@lru_cache(maxsize=65536)
def _number(cell):
    """:return: (whether it is negative, digits with separators) of a text cell, or None"""
    text = cell.translate(NUMBER_BLANKS)
    if not text:
        return None
    negative = False
    if text[0] == "(" and text[-1] == ")":
        negative, text = True, text[1:-1]
    match = NUMBER.fullmatch(text)
    if not match:
        text, side = _without_words(text)
        match = text and NUMBER.fullmatch(text)
        if not match:
            return None
        negative = negative or side
    before, digits, after = match.groups()
    if before and after:
        return None
    # Why the two do not cancel out: (-12.30) and -12.30 DR mark the debit twice.
    return negative or "-" in (before, after), digits


def _without_words(text):
    """Remove the currency or a mark such as CR.

    :return: (the rest, None if that is not a number; whether the mark means a debit)
    """
    negative = False
    for _end in range(2):
        match = AROUND.match(text)
        if match:
            word, text = match[0], text[match.end() :]
        else:
            cut = len(text.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz¥€$£₹₽₺₩元円ł.")) if text else 0
            word, text = text[cut:].rstrip("."), text[:cut]
        if not word:
            break
        if word.strip(".").casefold() not in AROUND_WORDS and word.strip(".").upper() not in CURRENCIES:
            return None, False
        if word.casefold() in ("dr", "d", "db", "debit", "s"):
            negative = True
        # The sign may precede the currency: -€12.30.
        if text[:1] and text[0] in "+-" and text[1:2] and not text[1].isdigit():
            text = text[0] + AROUND.sub("", text[1:], count=1)
    if text[:1] in ("+", "-") and AROUND.match(text[1:]):
        text = text[0] + AROUND.sub("", text[1:], count=1)
    return (text or None), negative


def separators(cell):
    """
    :return: tuple of the decimal separators that a cell allows, ``.`` and ``,``; empty if it is not a number

    >>> separators("1,234.50"), separators("12,30"), separators("1.234"), separators("12"), separators("abc")
    (('.',), (',',), ('.', ','), ('.', ','), ())
    """
    if type(cell) is Decimal:
        return BOTH
    if type(cell) is not str or len(cell) > LONGEST:
        return ()
    if simple := SIMPLE.fullmatch(cell):
        return BOTH if simple[1] is None else (simple[1],)
    found = _number(cell)
    if not found:
        return ()
    digits = found[1].replace("'", "")
    allowed = []
    if _is_with_point(digits):
        allowed.append(".")
    if GROUPED_COMMA.fullmatch(digits):
        allowed.append(",")
    return tuple(allowed)


def _is_with_point(digits):
    """Whether digits can be written with a decimal point."""
    if not GROUPED_POINT.fullmatch(digits):
        return False
    return "," not in digits or len(digits.partition(".")[0].rpartition(",")[2]) == 3


def is_ambiguous(cell):
    """Whether the amount depends on the separator: ``1.234`` is either about one, or more than a thousand."""
    return len(separators(cell)) == 2 and number_of(cell, ".") != number_of(cell, ",")


def number_of(cell, decimal):
    """
    :param str decimal: separator
    :return: :class:`~decimal.Decimal`, None if the cell is not a number

    >>> number_of("-1.234,50 €", ","), number_of("(12.30)", "."), number_of("12,30-", ","), number_of("5.00 CR", ".")
    (Decimal('-1234.50'), Decimal('-12.30'), Decimal('-12.30'), Decimal('5.00'))
    """
    if type(cell) is Decimal:
        return cell
    if type(cell) is not str or len(cell) > LONGEST:
        return None
    if simple := SIMPLE.fullmatch(cell):
        if simple[1] is None or simple[1] == decimal:
            return Decimal(cell.replace(",", ".")) + 0
        return None
    found = _number(cell)
    if not found:
        return None
    negative, digits = found
    digits = digits.replace("'", "")
    if decimal == ".":
        if not _is_with_point(digits):
            return None
        digits = digits.replace(",", "")
    else:
        if not GROUPED_COMMA.fullmatch(digits):
            return None
        digits = digits.replace(".", "").replace(",", ".")
    whole, _point, fraction = digits.partition(".")
    if len(whole) > 18 or len(fraction) > 12 or not (whole or fraction):
        return None
    value = Decimal(digits)
    return -value if negative and value else value


def side_of(cell):
    """:return: 1 for a credit, -1 for a debit, None for other texts

    >>> side_of("Haben"), side_of("Af"), side_of("-"), side_of("?")
    (1, -1, -1, None)
    """
    text = str(cell)[:LONGEST].strip()
    words = text if text in ("+", "-", "−") else plain(text)
    if words in DEBIT_WORDS:
        return -1
    if words in CREDIT_WORDS:
        return 1
    return None
