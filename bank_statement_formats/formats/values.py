"""Normalizes single values of files: account numbers, references, placeholders.

Placeholders for "not known" become None, see docs/protocol.md: neither NOTPROVIDED nor zeros are values.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.numbers import creditor_reference, iban, iban_parts, is_bic

#: In upper case, without what separates words.
PLACEHOLDERS = {
    # ISO 20022 and the guidelines of the EPC: where the payer gave no reference, a bank has to write something.
    *("NOTPROVIDED", "NOTPROVID", "NOTAVAILABLE", "UNAVAILABLE", "NA"),
    # SWIFT, field 61 of MT940; NOREF is its short form.
    *("NONREF", "NOREF", "NOREFERENCE"),
    *("UNKNOWN", "UNDEFINED"),
}
#: Null values of programs, case-sensitive: there are people called Null.
NOTHINGS = {"null", "None", "NaN"}
LONGEST_PLACEHOLDER = 20
#: Possible beginnings of a placeholder, apart from separators, to exclude nearly all texts quickly.
FIRST_LETTERS = {letter for word in PLACEHOLDERS | NOTHINGS for letter in (word[0], word[0].lower())}
SEPARATORS = re.compile(r"[\s./\\_*#?+:;,-]+")
#: Of an id or a number: zeros, or a masked number that all payments with one card have.
FILLING = re.compile(r"0+|[Xx]{3,}|[Xx*#\u2022\u25cf]{4,}[ -]?\d{0,6}")
MASKED = re.compile(r"[*\u2022\u25cf\u2026#]|[xX]{3}|\?{2}|\.{2}")
#: One word, or groups of digits: a text with words is for people.
REFERENCE = re.compile(r"[A-Za-z0-9+/*.:_-]{2,35}|(?:[A-Z]{2}\d{2} )?\d[\d -]{2,34}")
#: Between the digits of an account's number.
GROUPING = re.compile(r"[\s./-]+")
#: Minimum length of an account number: a shorter one may be that of a branch or a customer.
SHORTEST_NATIONAL = 7
CURRENCY = re.compile(r"[A-Z]{3}")
#: ISO 4217: "no currency", and the code for tests.
NO_CURRENCIES = {"XXX", "XTS"}
#: Plain notation; longer digits are no amount of money.
AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")
#: Days that mean "not known", such as 0001-01-01 and 9999-12-31, are outside of these years.
YEARS = range(1970, 2201)
#: Keys of *transaction* in docs/protocol.md, with what is not known.
EMPTY = {
    "id": None,
    "status": "booked",
    "booking_date": None,
    "value_date": None,
    "amount": None,
    "currency": None,
    "foreign_amount": None,
    "foreign_currency": None,
    "counterparty": None,
    "remittance": None,
    "end_to_end_id": None,
    "creditor_reference": None,
    "mandate_id": None,
    "raw": None,
}
NO_COUNTERPARTY = {"name": None, "account_number": None, "bic": None}


def transaction(**values):
    """:return: a *transaction* of docs/protocol.md; missing arguments are not known"""
    found = {**EMPTY, **values}
    found["counterparty"] = {**NO_COUNTERPARTY, **(found["counterparty"] or {})}
    found["remittance"] = list(found["remittance"] or ())
    return found


def problem(words, raw, id=None, status=None):
    """:return: the object in place of an unreadable transaction
    :param str words: what is unreadable, in English
    """
    return {"id": id, "status": status, "problem": words, "raw": raw}


@lru_cache(maxsize=4096)
def is_placeholder(value):
    """:param str value: a text without blanks around it"""
    return value in NOTHINGS or (core := SEPARATORS.sub("", value).upper()) in PLACEHOLDERS or not core


def text(value):
    """Without blanks around it; an empty one is None, and so is a placeholder.

    >>> text(" NOT PROVIDED "), text(" Rent ")
    (None, 'Rent')
    """
    value = value.strip() if value else ""
    if not value:
        return None
    if len(value) > LONGEST_PLACEHOLDER or (value[0] not in FIRST_LETTERS and value[0].isalnum()):
        return value
    return None if is_placeholder(value) else value


def texts(*values):
    """:return: list of all texts in order, each once"""
    found = {}
    for value in values:
        if not value:
            continue
        for item in value if type(value) is list else (value,):
            if item := text(item):
                found.setdefault("".join(item.split()), item)
    return list(found.values())


def identifier(value):
    """A bank's id of a transaction. None for placeholders: NONREF, 0000."""
    value = text(value)
    return None if value is None or FILLING.fullmatch(value) else value


def number(value):
    """A normalized account number; None if masked or zeros.

    >>> number("DE89 3704 0044 0532 0130 00"), number("0000000000"), number("******1234")
    ('DE89370400440532013000', None, None)
    """
    value = text(value)
    if value is None or FILLING.fullmatch(value):
        return None
    return iban(value) or (None if MASKED.search(value) else value)


def is_same_account(one, other):
    """Whether two numbers are of the same account: equal, or one is the IBAN of the other, which has only the bank's
    own part of it, with or without leading zeros and the check digits at its end.

    >>> is_same_account("NL91ABNA0417164300", "417164300"), is_same_account("NL91ABNA0417164300", "17164300")
    (True, False)
    """
    one, other = (GROUPING.sub("", number or "").upper() for number in (one, other))
    if not one or not other or one == other:
        return bool(one and other)
    if iban(other):
        one, other = other, one
    other = other.lstrip("0")
    if not iban(one) or iban(other) or len(other) < SHORTEST_NATIONAL:
        return False
    return any(part.lstrip("0") == other for part in _national_numbers(one))


def _national_numbers(iban):
    """:return: iterator of the national notations of an IBAN's account: its last parts, up to all of them"""
    sizes = [size for size, _letters in iban_parts(iban[:2])]
    starts = [4 + sum(sizes[:place]) for place in range(len(sizes) + 1)]
    for end in starts[-2:] if sizes[-1] <= 2 else starts[-1:]:
        yield from (iban[start:end] for start in starts if start < end)


def number_type(value):
    """:return: ``iban`` or ``other``, as *account* of docs/protocol.md"""
    return "iban" if value and iban(value) else "other"


def bic(value):
    """:return: the BIC, or None for anything else: NOTPROVIDED has its form, too"""
    value = text(value)
    return value.upper() if value and is_bic(value) else None


def structured_reference(value):
    """The content of a format's field for references: some banks put free text there.

    >>> structured_reference("21 00000 00003 13947 14300 09017"), structured_reference("Rent for May")
    ('21 00000 00003 13947 14300 09017', None)
    """
    value = text(value)
    if value is None or value[:2] in ("RF", "rf"):
        return creditor_reference(value)
    return value if REFERENCE.fullmatch(value) and any(map(str.isdecimal, value)) else None


def currency(value):
    """:return: the code of ISO 4217, or None for anything else"""
    value = (value or "").strip()
    return value if CURRENCY.fullmatch(value) and value not in NO_CURRENCIES else None


def amount(value):
    """:return: :class:`~decimal.Decimal`
    :raise ValueError: for anything but a number in plain notation
    """
    value = (value or "").strip()
    if not AMOUNT.fullmatch(value):
        raise ValueError(value[:40])
    return Decimal(value)


def plain(value):
    """:return: a Decimal as the protocol writes it

    >>> plain(Decimal("-0.00")), plain(Decimal("1E+3"))
    ('0.00', '1000')
    """
    written = f"{value:f}"
    return written[1:] if written[0] == "-" and not value else written


@lru_cache(maxsize=4096)
def day(value):
    """``2026-05-03``, also as the beginning of a moment. None for what means "not known".

    :raise ValueError: for anything else
    """
    value = (value or "").strip()[:10]
    if not value or value == "0000-00-00":
        return None
    if len(value) != 10 or value[4] != "-":
        raise ValueError(value)
    found = date.fromisoformat(value)
    return found if found.year in YEARS else None
