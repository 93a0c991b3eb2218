"""Reads structured payment references from fields and free text.

>>> sorted(read("SVWZ+ Danke RF18 5390 0754 7034 Miete"))
[Reference(scheme='rf', number='RF18539007547034')]
>>> sorted(read("+++010/8068/17183+++"))
[Reference(scheme='be', number='010806817183')]
>>> sorted(read("QRR 21 00000 00003 13947\\n14300 09017"))
[Reference(scheme='ch', number='210000000003139471430009017')]

A number with a wrong check digit is ignored:

>>> read("+++010/8068/17180+++")
frozenset()

Norway, Sweden and Denmark use digits with a Luhn check digit, without a mark of the scheme:

>>> sorted(read("+71<000000001234566+12345678<"))
[Reference(scheme='luhn', number='1234566')]

Sources:

======  ==========================================================================================================
rf      ISO 11649: ``stdnum.iso11649``
be      structured communication (OGM-VCS), Febelfin: ``stdnum.be.ogm_vcs``
ch      QR reference, SIX: ``stdnum.ch.esr``
luhn    Norwegian KID with MOD10, Swedish OCR, Danish FI cards 04, 15, 71 and 75: ``stdnum.luhn``; that Norway and
        Sweden use it: Odoo's ``account/tools/structured_reference.py``, ``l10n_no``, ``l10n_se``
no      Norwegian KID with MOD11: the weights of ``stdnum.no.kontonr``, over up to 25 digits
fi      Finnish reference, Finance Finland: as Odoo's ``l10n_fi`` computes it (7, 3, 1); also within RF
nl      betalingskenmerk: as Odoo's ``account/tools/structured_reference.py`` checks it
si      model 01: as Odoo's ``l10n_si`` computes it; other models have other check digits or none, and are not checked
======  ==========================================================================================================
"""

import re
from typing import NamedTuple

from stdnum import iso11649, luhn
from stdnum.be import ogm_vcs
from stdnum.ch import esr

#: Characters of one text that are read. ISO 20022 allows 140 for a remittance; banks put several texts in a row.
MAX_TEXT = 2000

#: Minimum number of digits, and of those after leading zeros: shorter ones may be anything.
MIN_DIGITS, LEAST_DIGITS = 5, 4

#: Schemes whose references can't be mistaken for another number: an unknown one contradicts a candidate.
UNMISTAKABLE = frozenset(("rf", "be", "ch", "si"))

DIGITS = re.compile(r"(?<![^\W_])\d{1,30}(?![^\W_])")
WORD = re.compile(r"[^\W_]+")
#: An RF reference up to the end of letters and digits; it is truncated to the part that its check digits confirm.
RF = re.compile(r"(?<![^\W_])RF\d\d(?:[ \r\n.-]?[A-Z0-9]){1,21}(?![^\W_])", re.IGNORECASE)
SI = re.compile(r"(?<![^\W_])SI ?(\d\d) ?(\d{1,12}(?:-\d{1,12}){0,2})(?![\d-])", re.IGNORECASE)
#: A Danish FI card: its type, the payment's id, the creditor's number.
DANISH = re.compile(r"\+\d\d<(\d{15,16})\+\d{8}<")
#: Separators within one reference: blanks between groups, Belgian slashes, a line break.
BETWEEN = re.compile(r"[ /]?[ \r\n]{0,2}")

#: The longest reference is the Swiss one: 27 digits in six groups, one of which a line break may divide.
MAX_GROUPS = 7


class Reference(NamedTuple):
    scheme: str
    number: str


def read(text):
    """:return: frozenset of every :class:`Reference` in a text whose check digits are right"""
    text, found = text[:MAX_TEXT], set()
    # Why in this order: digits within a reference of a stricter scheme are not one of a less strict scheme.
    for reader in (_creditor_references, _slovenian, _grouped):
        for reference, start, end in list(reader(text)):
            found.add(reference)
            text = f"{text[:start]}{'|' * (end - start)}{text[end:]}"
    found.update(_of_digits(text))
    found.update(
        reference for one in tuple(found) if one.scheme == "rf" for reference in _finnish(one.number[4:].lstrip("0"))
    )
    return frozenset(found)


def read_whole(text):
    """As :func:`read`, of a field that holds one reference and nothing else.

    >>> read_whole("INV/2026/00026"), sorted(read_whole("+++010/8068/17183+++"))
    (frozenset(), [Reference(scheme='be', number='010806817183')])

    The number of a sales invoice is not a reference, even if its check digit is right:

    >>> read_whole("SI-264267")
    frozenset()
    """
    danish = DANISH.search(text[:MAX_TEXT])
    whole = "".join(filter(str.isalnum, danish[1] if danish else text[:MAX_TEXT])).upper()
    return frozenset(
        reference
        for reference in read(text)
        if (whole.removeprefix("SI") if reference.scheme == "si" else whole).lstrip("0") == reference.number.lstrip("0")
        or (reference.scheme == "fi" and whole.startswith("RF"))
    )


def _creditor_references(text):
    for found in RF.finditer(text):
        # Why each end: nothing separates the reference from following words.
        for end in _ends(found):
            number = "".join(filter(str.isalnum, text[found.start() : end])).upper()
            if len(number) > 4 and iso11649.is_valid(number):
                yield Reference("rf", number), found.start(), end


def _ends(found):
    """:return: the positions at which words of the match end"""
    return [found.start() + word.end() for word in WORD.finditer(found[0])]


def _slovenian(text):
    for found in SI.finditer(text):
        digits = found[2].replace("-", "")
        if found[1] != "01" or _is_slovenian(digits):
            yield Reference("si", found[1] + digits), found.start(), found.end()


def _grouped(text):
    """Swiss, Belgian and Dutch references, in groups or in one piece: the longest first."""
    runs, position = list(DIGITS.finditer(text)), 0
    while position < len(runs):
        spans = list(_joined(text, runs[position:]))
        taken = 1
        for count, digits in reversed(spans):
            scheme = _scheme_of_length(digits)
            if scheme:
                yield Reference(*scheme), runs[position].start(), runs[position + count - 1].end()
                taken = count
                break
        position += taken


def _joined(text, runs):
    """:return: (number of runs, their digits) of the first adjacent runs of digits"""
    digits, last = "", None
    for count, run in enumerate(runs[:MAX_GROUPS], 1):
        if last and not BETWEEN.fullmatch(text, last.end(), run.start()):
            return
        digits, last = digits + run[0], run
        if len(digits) > 27:
            return
        yield count, digits


def _scheme_of_length(digits):
    if len(digits) == 27 and esr.is_valid(digits) and digits.strip("0"):
        return "ch", digits.lstrip("0")
    if len(digits) == 12 and ogm_vcs.is_valid(digits):
        return "be", digits
    if len(digits) == 16 and _is_dutch(digits):
        return "nl", digits
    return None


def _of_digits(text):
    """References that have only one check digit, which is right by chance in every tenth number."""
    runs = list(DIGITS.finditer(text))
    for position, run in enumerate(runs):
        digits = run[0]
        if MIN_DIGITS <= len(digits) <= 25 and len(digits.lstrip("0")) >= LEAST_DIGITS:
            yield from _finnish(digits)
            if luhn.is_valid(digits):
                yield Reference("luhn", digits.lstrip("0"))
            if _is_mod11(digits):
                yield Reference("no", digits.lstrip("0"))
        for count, joined in _joined(text, runs[position:]):
            # Finland prints groups of five, from the right.
            if count > 1 and all(len(group[0]) == 5 for group in runs[position + 1 : position + count]):
                yield from _finnish(joined)


def _finnish(digits):
    if digits.isdecimal() and 4 <= len(digits) <= 20 and _is_finnish(digits):
        yield Reference("fi", digits.lstrip("0"))


# -------------------------------------------------------------------------------------------------
# Check digits that python-stdnum does not have
# -------------------------------------------------------------------------------------------------

_DUTCH_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)


def _weighted(digits, weights):
    """:return: the digits, from the right, each multiplied with its weight"""
    return sum(int(digit) * weights[position % len(weights)] for position, digit in enumerate(reversed(digits)))


def _is_finnish(digits):
    """
    >>> _is_finnish("1232"), _is_finnish("1233")
    (True, False)
    """
    return (_weighted(digits[:-1], (7, 3, 1)) + int(digits[-1])) % 10 == 0 and bool(digits.strip("0"))


def _is_mod11(digits):
    """
    >>> _is_mod11("12345678903")
    True
    """
    return bool(digits.strip("0")) and (_weighted(digits[:-1], (2, 3, 4, 5, 6, 7)) + int(digits[-1])) % 11 == 0


def _is_dutch(digits):
    check = 11 - _weighted(digits[1:], _DUTCH_WEIGHTS) % 11
    return int(digits[0]) == {11: 0, 10: 1}.get(check, check)


def _is_slovenian(digits):
    """
    >>> _is_slovenian("126349"), _is_slovenian("126342")
    (True, False)
    """
    check = 11 - _weighted(digits[:-1], tuple(range(2, 14))) % 11
    return len(digits) > 1 and digits[-1] == str({10: 0, 11: 0}.get(check, check))
