"""Detects the encoding of a file. A declared or proved one is used; an assumed one gives a warning.

>>> decode("Müller".encode())[:2]
('Müller', 'utf-8')
>>> text, encoding, warnings = decode("Überweisung an Müller".encode("cp1252"))
>>> text, encoding, len(warnings)
('Überweisung an Müller', 'cp1252', 1)
"""

import codecs
import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.words import _lt

from .errors import FormatError
from .statement import Options

#: Byte order marks, longest first: that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARATION = re.compile(r"<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9._-]{1,40})")
#: Encodings of banks, the most likely first, with their names in the warning. ISO 8859-1 is part of cp1252.
PLAUSIBLE = {
    "cp1252": _lt("Windows-1252 (Western Europe)"),
    "iso8859-15": _lt("ISO 8859-15 (Western Europe with €)"),
    "cp850": _lt("code page 850 (DOS, Western Europe)"),
    "cp437": _lt("code page 437 (DOS)"),
    "cp1250": _lt("Windows-1250 (Central Europe)"),
    "iso8859-2": _lt("ISO 8859-2 (Central Europe)"),
    "cp1251": _lt("Windows-1251 (Cyrillic)"),
    "gb18030": _lt("GB 18030 (Chinese)"),
    "cp932": _lt("Shift JIS (Japanese)"),
    "latin-1": _lt("ISO 8859-1 (Western Europe)"),
}
#: Aliases, also those of chardet, and subsets.
ALIASES = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift_jisx0213": "cp932",
}
#: Multi-byte encodings. Western letters never form the pairs that they need.
MULTIBYTE = ("gb18030", "cp932")
#: Nearly equal encodings, for which the order above decides.
WESTERN_PAGES = ("cp1252", "iso8859-15", "latin-1")
#: Relevant bytes: those that are not ASCII, with their neighbors.
SAMPLE = 32 * 1024
NOT_ASCII = re.compile(r"[A-Za-z]{0,3}[\x80-\xff]+[A-Za-z\x40-\x7e]{0,3}")
CENTRAL = set("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰăâîșşțţ")
WESTERN = set("äöüßÄÖÜéèêëàâáçñõãåæøíìîïóòôúùûÉÈÊÀÂÁÇÑÅÆØÍÓÚœ€£°§’–“”«»")
COMMON_CHINESE = set(
    "的一在有人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子行余额日期摘要交易账户支付转收入支出银金币种对方名称备注借贷记"
)


def decode(data, options=None, declared=None):
    """
    :param bytes data: the whole file, or a part that begins and ends between letters
    :param Options options: ``encoding`` takes precedence
    :param str declared: what the format's own header names, such as ``1252`` of OFX
    :return: (text, encoding, list of :class:`~.words.Sentence`: what had to be assumed)
    :raise FormatError: when the text is not in the encoding that was chosen or declared
    """
    options = options or Options()
    if options.encoding:
        return _strict(data, options.encoding), options.encoding, []
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _strict(data, encoding), encoding, []
    if wide := _wide(data):
        return _strict(data, wide), wide, []
    match = DECLARATION.match(data[:300].decode("latin-1").lstrip())
    declared = (match and match[1]) or declared
    text = _utf8(data)
    if text is not None:
        # Why regardless of the header: other encodings are practically never valid UTF-8.
        return text, "utf-8", []
    if declared and (known := _known(declared)) and known != "utf-8":
        return _strict(data, known), known, []
    encoding = assume(data)
    text = data.decode(encoding)
    if declared:
        sentence = _lt(
            "The file says that it is in %(declared)s, which it is not; it was read as %(encoding)s. Check names with "
            "accents in the preview.",
            declared=declared[:40],
            encoding=PLAUSIBLE[encoding],
        )
    else:
        sentence = _lt(
            "The file does not say in which encoding it is; %(encoding)s was assumed. Check names with accents in the "
            "preview.",
            encoding=PLAUSIBLE[encoding],
        )
    return text, encoding, [sentence]


def assume(data):
    """
    :param bytes data: neither UTF-8 nor marked
    :return: the most likely of :data:`PLAUSIBLE` that can decode all of the data
    """
    found = NOT_ASCII.findall(data[: 8 * SAMPLE].decode("latin-1"))
    sample = " ".join(found)[:SAMPLE].encode("latin-1") or data[-SAMPLE:]
    scores = {}
    for encoding in PLAUSIBLE:
        score = _score(sample, encoding)
        if score is not None:
            scores[encoding] = score
    hint = _detected(data)
    if hint in scores and hint not in WESTERN_PAGES:
        scores[hint] += 0.05
    for encoding in sorted(scores, key=lambda name: -scores[name]):
        if _fits(data, encoding):
            return encoding
    return "latin-1"


def _strict(data, encoding):
    try:
        text = data.decode(encoding)
    except LookupError:
        raise FormatError(_lt("“%(encoding)s” is not the name of an encoding.", encoding=encoding[:40])) from None
    except UnicodeError as error:
        line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise FormatError(
            _lt("The file is not in the encoding %(encoding)s. Choose another one.", encoding=encoding),
            _lt("line %(number)s", number=line),
        ) from None
    return text.removeprefix("\ufeff")


def _utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _fits(data, encoding):
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _known(name):
    """:return: Python's name of a text encoding, None for anything else"""
    name = name.strip().lower()
    if name.isdigit():
        name = f"cp{name}"
    try:
        with suppress(UnicodeError):
            # Why decode: it refuses codecs such as zip and rot13, which turn bytes into something else. Without any
            # bytes it would not even look for the codec.
            b" ".decode(name)
    except LookupError:
        return None
    return codecs.lookup(name).name


def _wide(data):
    """UTF-16 without a mark: every other byte of Latin text is zero.

    :return: its name, or None
    """
    head = data[:4096]
    if len(head) < 8 or b"\0" not in head:
        return None
    half = len(head) // 2
    if head[1::2].count(0) > 0.7 * half and head[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if head[::2].count(0) > 0.7 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _detected(data):
    """:return: chardet's result, under the names used here, or None"""
    try:
        import chardet
    except ImportError:
        return None
    try:
        name = (chardet.detect(data[: 2 * SAMPLE])["encoding"] or "").lower()
    except Exception:
        # chardet is optional, and may fail.
        return None
    known = name and _known(name)
    return ALIASES.get(known, known)


def _score(sample, encoding):
    """:return: how much the text looks like that of a bank, between -1 and 1, or None if this encoding is impossible"""
    errors = "strict" if encoding not in MULTIBYTE else "replace"
    try:
        text = sample.decode(encoding, errors)
    except UnicodeDecodeError:
        return None
    letters = [letter for letter in text if letter > "\x7f"]
    if not letters:
        return 0
    if encoding in MULTIBYTE:
        return _score_multibyte(text, letters, encoding)
    total = sum(_worth(letter, encoding) for letter in letters)
    # An accent belongs to a word, and words are seldom written like tHIS.
    total -= 0.8 * sum(
        1
        for before, letter, after in zip(text, text[1:], text[2:], strict=False)
        if letter > "\x7f" and letter.isupper() and before.islower() and after.islower()
    )
    rank = list(PLAUSIBLE).index(encoding)
    return total / len(letters) - 0.01 * rank


def _score_multibyte(text, letters, encoding):
    wrong = text.count("\ufffd")
    common = sum(letter in COMMON_CHINESE or "\u3040" <= letter <= "\u30ff" for letter in letters)
    ideographs = sum("\u4e00" <= letter <= "\u9fff" or "\u3040" <= letter <= "\u30ff" for letter in letters)
    if wrong * 10 > len(letters):
        return None
    if encoding == "cp932" and any("\uff61" <= letter <= "\uff9f" for letter in letters):
        ideographs += sum("\uff66" <= letter <= "\uff9f" for letter in letters) // 2
    return (ideographs + 2 * common) / (2 * len(letters)) - wrong / len(letters)


@lru_cache(maxsize=4096)
def _worth(letter, encoding):
    """:return: how likely one letter that is not ASCII is in a bank's file"""
    if encoding == "cp1251":
        return 0.95 if "Ѐ" <= letter <= "џ" else -0.5
    if encoding in ("cp1250", "iso8859-2") and letter in CENTRAL:
        return 0.85
    if letter in WESTERN:
        return 0.9
    category = unicodedata.category(letter)
    if category in ("Ll", "Lu"):
        return 0.1 if "LATIN" in unicodedata.name(letter, "") else -0.3
    return {"Zs": 0.5, "Cc": -1, "So": -0.8}.get(category, -0.4)
