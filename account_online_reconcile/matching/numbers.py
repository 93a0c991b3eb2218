"""Finds numbers of documents in free text, in the ways in which payers and banks write them.

>>> index = NumberIndex({1: ["INV/2026/00042"], 2: ["INV/2026/00043"]})
>>> index.find("Zahlung Rg. inv 2026-42 vielen Dank").named
{1: 3}

Zeros and separators may be missing, and a line break may divide the number:

>>> index.find("INV202600042").named, index.find("RE INV/2026/00\\n042").named
({1: 3}, {1: 3})

Without its prefix or its year a number is weaker evidence; the serial number alone is the weakest:

>>> index.find("Rechnung 2026/00043").named, index.find("facture 00043").named
({2: 2}, {2: 1})

Parts of longer numbers, and months, are not document numbers:

>>> index = NumberIndex({1: ["1234-1234"], 2: ["2026/05"]})
>>> index.find("EREF: SD36-1234-1234-1234").named, index.find("Miete 2026/05").named
({}, {2: 1})

If the text contains a number of the same sequence that matches no candidate, it refers to a document that is no longer
open. That rules out the other candidates:

>>> index = NumberIndex({1: ["INV/2026/00042"]})
>>> index.find("INV/2026/00017")
Named(named={}, others=('INV/2026/00017',))
"""

import re
from collections import defaultdict
from typing import NamedTuple

#: Strength of evidence: serial number alone · with year or prefix · full number.
SERIAL, PARTLY, FULL = 1, 2, 3

#: Characters of one text that are read.
MAX_TEXT = 2000
#: Maximum number of pieces (`2025-2026/INV/03/0001` has five, and a line break may divide one).
MAX_PIECES = 7
#: Minimum number of digits of a serial number alone.
MIN_SERIAL = 4
#: Minimum number of digits of a number in one piece; a shorter one between others is part of them.
LONG_NUMBER = 8
#: Minimum number of digits of a serial number after a year: a month has two.
LEAST_AFTER_YEAR = 3

PIECE = re.compile(r"[^\W\d_]{1,40}|\d{1,30}")
#: Separators between two pieces of one number.
GAP = re.compile(r"[ \t\r\n/._:#°-]{0,3}")
YEAR = re.compile(r"(?:19|20)\d\d")
#: Where a number may be truncated: at the end of the text, and at a line break before digits.
AT_END = re.compile(r"\s{0,3}(?:\Z|(?<=\n)\d)")
#: What joins the pieces of one number; blanks and points also separate a word from the number after it.
JOINT = re.compile(r"[/_-]")

#: Where year, month and day stand in the digits of a day, and how many digits those are.
DAYS = (
    (slice(0, 4), slice(4, 6), slice(6, 8), 8),
    (slice(4, 8), slice(2, 4), slice(0, 2), 8),
    (slice(0, 2), slice(2, 4), slice(4, 6), 6),
    (slice(4, 6), slice(2, 4), slice(0, 2), 6),
)


class Named(NamedTuple):
    """``named``: dict from a candidate's key to the strength of the evidence. ``others``: numbers of the same
    sequences that no candidate has, as they are written."""

    named: dict
    others: tuple


class Piece(NamedTuple):
    text: str
    start: int
    end: int


def pieces(text):
    """Words and numbers of a text; `INV202600042` has two."""
    return [Piece(found[0].upper(), found.start(), found.end()) for found in PIECE.finditer(text[:MAX_TEXT])]


def _bare(words):
    """Numbers without leading zeros."""
    return tuple(word.lstrip("0") or "0" if word.isdigit() else word for word in words)


def forms(number):
    """Every way to write a number: a dict from the form to the strength of its evidence.

    A form is a tuple of pieces without zeros, or a text without separators.

    >>> sorted(form for form, says in forms("INV/2026/00042").items() if says == FULL and isinstance(form, str))
    ['INV202600042', 'INV202642', 'INV2600042', 'INV2642']
    """
    words = [piece.text for piece in pieces(number)]
    digits = [word for word in words if word.isdigit()]
    if not digits or len("".join(words)) < MIN_SERIAL:
        return {}
    found = {}
    if _is_day(words):
        # Why not more: `20260512` and `May 2026` occur in many lines.
        _add(found, words, SERIAL)
    elif len(words) > 1 or len(digits[0]) > 5:
        _add(found, words, FULL)
    elif len(digits[0]) >= MIN_SERIAL and not YEAR.fullmatch(digits[0]):
        # Why not more: four or five digits may also be the number of a customer, a contract, a postal code.
        _add(found, words, SERIAL)
    years = [position for position, word in enumerate(words) if YEAR.fullmatch(word) and position < len(words) - 1]
    if years and len(words) > 2:
        short = [word[2:] if position == years[0] else word for position, word in enumerate(words)]
        _add(found, short, FULL)
    letters = [position for position, word in enumerate(words) if not word.isdigit()]
    if letters and len(digits) > 1:
        _add(found, digits, SERIAL if _is_day(digits) else PARTLY)
    if years and letters:
        _add(found, [word for position, word in enumerate(words) if position != years[0]], PARTLY)
    if len(words) > 1 and words[-1].isdigit() and len(words[-1]) >= MIN_SERIAL and not YEAR.fullmatch(words[-1]):
        found.setdefault(words[-1], SERIAL)
    return found


def _is_day(words):
    """Whether this is only a day, a month, or a word with a year. Payers write for which month they pay.

    >>> [_is_day(words) for words in (["20260512"], ["12", "05", "2026"], ["MAY", "2026"], ["INV", "2026", "5"])]
    [True, True, True, False]
    >>> [_is_day(words) for words in (["2026", "05"], ["1", "2026"], ["2026", "105"])]
    [True, True, False]
    """
    others = [word for word in words if not YEAR.fullmatch(word)]
    if 0 < len(others) < len(words) and all(word.isdigit() and len(word) <= 2 for word in others):
        return True
    digits = "".join(words)
    if digits.isdigit():
        return len(words) in (1, 3) and any(_is_date(digits, places) for places in DAYS if len(digits) == places[-1])
    return len(words) == 2 and not words[0].isdigit() and bool(YEAR.fullmatch(words[1]))


def _is_date(digits, places):
    year, month, day, _length = places
    return (
        bool(YEAR.fullmatch(digits[year].rjust(4, "-").replace("--", "20")))
        and 1 <= int(digits[month]) <= 12
        and 1 <= int(digits[day]) <= 31
    )


def _add(found, words, says):
    bare = _bare(words)
    for form in (bare, "".join(words), "".join(bare)):
        if len(form) > 1 and (isinstance(form, tuple) or len(form) >= MIN_SERIAL):
            found[form] = max(says, found.get(form, 0))


class NumberIndex:
    """The numbers of all candidates, indexed by all ways to write them.

    :param dict numbers: from a candidate's key to its numbers
    :param prefixes: further prefixes of the journals' sequences, such as ``INV``
    :param dict own: from a candidate's key to the number that the company issued
    """

    def __init__(self, numbers, prefixes=(), own=None):
        self._own = own or {}
        self._forms = defaultdict(dict)
        self._widths = {}
        self._shapes = defaultdict(set)
        self._whole = set()
        for key, written in numbers.items():
            for number in written:
                self._learn(key, number)
        for prefix in prefixes:
            words = [piece.text for piece in pieces(prefix)]
            if words and not words[0].isdigit():
                self._shapes[words[0]].add(None)

    def _learn(self, key, number):
        for form, says in forms(number).items():
            keys = self._forms[form]
            keys[key] = max(says, keys.get(key, 0))
        words = [piece.text for piece in pieces(number)]
        self._whole.add((key, "".join(words)))
        if len(words) > 1 and words[-1].isdigit():
            self._widths[key] = max(len(words[-1]), self._widths.get(key, 0))
            if not words[0].isdigit():
                self._shapes[words[0]].add(len(words))

    def is_own(self, key, text):
        """Whether the text contains the number that the company issued for the candidate."""
        number = self._own.get(key)
        return bool(number) and NumberIndex({key: [number]})._find(text)[0].get(key) == FULL

    def find(self, text):
        """:return: :class:`Named`"""
        named, others = self._find(text)
        if "\n" in text:
            # Why again: a line break may also divide a prefix.
            joined, more = self._find(text.replace("\n", ""))
            for key, says in joined.items():
                named[key] = max(says, named.get(key, 0))
            others += more
        return Named(named, tuple(dict.fromkeys(others)))

    def _find(self, text):
        found = pieces(text)
        hits, spans = {}, []
        for start, end in self._spans(text, found):
            words = [piece.text for piece in found[start:end]]
            for form in {_bare(words), "".join(words)} - {()}:
                for key, says in self._forms.get(form, {}).items():
                    says = self._believed(key, says, form, found, start, end, text)
                    if says:
                        spans.append((says, start, end, key))
        full = [(start, end) for says, start, end, _key in spans if says == FULL]
        for says, start, end, key in spans:
            # Why: pieces within a full number are part of it.
            if says < FULL and any(first <= start and end <= last for first, last in full):
                continue
            hits[key] = max(says, hits.get(key, 0))
        return hits, list(
            self._others(text, found, [(start, end) for says, start, end, _key in spans if says > SERIAL])
        )

    def _spans(self, text, found):
        """:return: the first and last piece of each group without a gap"""
        for start in range(len(found)):
            for end in range(start + 1, min(start + MAX_PIECES, len(found)) + 1):
                if end > start + 1 and not GAP.fullmatch(text, found[end - 2].end, found[end - 1].start):
                    break
                # Why: a number begins and ends at a word boundary, `XINV2026` is not `INV2026`.
                if found[end - 1].text[-1:].isdigit():
                    yield start, end

    def _believed(self, key, says, form, found, start, end, text):
        """The strength of a number at its place: weaker if it may be the beginning of another one."""
        first, last = found[start], found[end - 1]
        if end < len(found) and found[end].start == last.end:
            return 0
        if start and says < FULL and self._belongs_to(found[start - 1], first, text):
            return 0
        if says == FULL and self._is_within_digits(found, start, end, text):
            return 0
        if says == PARTLY and self._is_something_else(found, start, end, text):
            return SERIAL
        if end < len(found) and found[end].text.isdigit() and JOINT.fullmatch(text, last.end, found[end].start):
            # Why: `INV 42/2025` is of another year, and `INV/2026/00042-44` names three.
            if says < FULL:
                return 0
            says = PARTLY
        if (key, form) not in self._whole and len(last.text) < self._widths.get(key, 0):
            # Why: payers omit all leading zeros or none; a truncated number lacks its last digits.
            if last.text.startswith("0"):
                return 0
            if AT_END.match(text, last.end):
                return min(says, PARTLY)
        return says

    def _is_within_digits(self, found, start, end, text):
        """Whether a number without letters continues to the left or to the right."""
        if not all(piece.text.isdigit() for piece in found[start:end]):
            return False
        if end == start + 1 and len(found[start].text) >= LONG_NUMBER:
            return False
        neighbours = [(found[start - 1], found[start])] if start else []
        neighbours += [(found[end - 1], found[end])] if end < len(found) else []
        return any(
            JOINT.fullmatch(text, left.end, right.start) and left.text.isdigit() and right.text.isdigit()
            for left, right in neighbours
        )

    def _is_something_else(self, found, start, end, text):
        """Whether it is a day, or groups of digits such as those of an account number."""
        words, before = [piece.text for piece in found[start:end]], found[start - 1] if start else None
        is_group = before and before.text.isdigit() and text[before.end : found[start].start] == " "
        return _is_day(words) or (words[0].isdigit() and is_group)

    def _belongs_to(self, before, first, text):
        """Whether this is the rest of a longer number, or of another sequence."""
        gap = text[before.end : first.start]
        return not gap or bool(JOINT.fullmatch(gap)) or (before.text in self._shapes and bool(GAP.fullmatch(gap)))

    def _others(self, text, found, known):
        """Unknown numbers that begin with a sequence's prefix, or with a year."""
        done = 0
        for start, piece in enumerate(found):
            if start < done or any(first <= start < last for first, last in known):
                continue
            is_prefix = piece.text in self._shapes
            if not is_prefix and not YEAR.fullmatch(piece.text):
                continue
            end = start + 1
            while (
                end < min(start + MAX_PIECES, len(found))
                and found[end].text.isdigit()
                and (GAP if is_prefix else JOINT).fullmatch(text, found[end - 1].end, found[end].start)
            ):
                end += 1
            digits = "".join(one.text for one in found[start + 1 : end])
            is_day = not is_prefix and len(found[start + 1 : end]) > 1
            if len(digits) >= (MIN_SERIAL if is_prefix else LEAST_AFTER_YEAR) and not is_day:
                done = end
                yield text[piece.start : found[end - 1].end]
