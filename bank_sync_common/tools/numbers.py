"""Account numbers, banks' identifiers and references, checked by python-stdnum, which Odoo requires. Imports no Odoo.

Odoo replaces the loader of the package ``stdnum`` to patch it when it is imported (``odoo/_monkeypatches``), and the
replacement cannot open the package's tables: ``import stdnum.iban`` fails with "Can't open orphan path" from
python-stdnum 1.20 on. So the package gets a loader that can before its modules are imported.

Results are cached: counterparties repeat, and checking a number takes as long as reading a transaction.
"""

import re
import string
from functools import lru_cache
from importlib.machinery import SourceFileLoader

import stdnum

if not hasattr(stdnum.__spec__.loader, "get_resource_reader"):
    stdnum.__spec__.loader = SourceFileLoader(stdnum.__name__, stdnum.__file__)

from stdnum import bic, iso11649, numdb
from stdnum.iso7064 import mod_97_10

#: Longest number, with the separators of its groups. Longer texts are neither checked nor cached.
LONGEST = 60
REMEMBERED = 4096
#: Separators in a printed IBAN.
GROUPING = str.maketrans("", "", "-.")
#: A part of an account number in the registry of IBANs: 8!n10!n are 18 digits.
PART = re.compile(r"([0-9]{1,2})!([nac])")
LETTERS = {
    "n": frozenset(string.digits),
    "a": frozenset(string.ascii_uppercase),
    "c": frozenset(string.digits + string.ascii_uppercase),
}


def compact(value):
    """:return: the number in capitals and without blanks"""
    return "".join(str(value or "").split()).upper()


def iban(value):
    """:return: the IBAN without separators, or None for anything else, such as a masked IBAN

    >>> iban("de89 3704 0044 0532 0130 00"), iban("DE89-3704-0044-0532-0130-00"), iban("DE89 3704")
    ('DE89370400440532013000', 'DE89370400440532013000', None)
    """
    value = str(value or "")
    return _iban(value) if len(value) <= LONGEST else None


@lru_cache(maxsize=REMEMBERED)
def _iban(value):
    """Same result as ``stdnum.iban.is_valid(value, check_country=False)``, from the same tables. Why not that function:
    it compiles an expression for every number. Why no rules of countries: not all banks follow the national check
    digits, but all follow those of the IBAN."""
    value = compact(value).translate(GROUPING)
    place, parts = 4, iban_parts(value[:2])
    for size, letters in parts:
        if not letters.issuperset(value[place : place + size]):
            return None
        place += size
    is_whole = parts and place == len(value)
    return value if is_whole and mod_97_10.is_valid(value[4:] + value[:4]) else None


@lru_cache(maxsize=REMEMBERED)
def iban_parts(country):
    """:return: tuple of (length, letters) of each part after the check digits; empty for a country without IBANs"""
    found = numdb.get("iban").info(country)
    structure = found[0][1].get("bban", "") if found else ""
    return tuple((int(size), LETTERS[kind]) for size, kind in PART.findall(structure))


def is_bic(value):
    """Whether a text is a BIC. The text NOTPROVIDED has the form of one, too."""
    return len(value) <= LONGEST and _is_bic(value)


_is_bic = lru_cache(maxsize=REMEMBERED)(bic.is_valid)


def creditor_reference(value):
    """:return: the reference without blanks if the text is a creditor reference of ISO 11649, or None

    A text of this form is a structured reference, wherever it appears.
    """
    if not value or value[:2] not in ("RF", "rf") or len(value) > LONGEST:
        return None
    return _creditor_reference(value)


@lru_cache(maxsize=REMEMBERED)
def _creditor_reference(value):
    value = compact(value)
    return value if iso11649.is_valid(value) else None
