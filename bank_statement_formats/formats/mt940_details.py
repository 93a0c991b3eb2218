"""Reads ``:86:`` of MT940: numbered parts (Germany and its neighbors), code words between slashes (the Netherlands,
SWIFT), or text."""

import re
from dataclasses import dataclass, field

from . import values

#: Number of the business transaction, what separates parts, and the number of the first part.
NUMBERED = re.compile(r"(?:\d{3})?([?>~^<|@])(?=\d\d)")
#: A part has 27 letters: a full one continues in the next one, perhaps within a word.
PART = 27
#: A line of SWIFT holds 65 letters; some banks count otherwise.
LINE = 64
PURPOSE = {f"{number}" for number in (*range(20, 30), *range(60, 66))}
#: Code words within the purpose, as the German banking industry has agreed upon them.
WORD = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|RREF|MDAT|DDAT|SQTP|ORCR|ORMR)\+")
#: Code words between slashes.
SLASHED = re.compile(
    r"/(TRTP|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|CNTP|BENM|ORDP|ISDT|RTRN|PREF|PURP|SVCL|ADDR|ULTD|ULTC|ULTB|ACNO|BAI|NRTX"
    r"|OCMT|CHGS|EXCH|IREF|KREF|CREF|SVWZ|MREF|CRED|INFO|TXID|ID)/"
)
#: Of :NS: what the German banking industry put there before :86: had parts.
NS_PURPOSE, NS_NAME, NS_POSTING = {f"{number:02}" for number in range(1, 15)}, ("15", "16"), "17"


@dataclass
class Details:
    texts: list = field(default_factory=list)
    posting: str | None = None
    name: str | None = None
    account: str | None = None
    bic: str | None = None
    end_to_end_id: str | None = None
    creditor_reference: str | None = None
    mandate_id: str | None = None


def read_details(text, extension=None):
    """
    :param str text: of ``:86:``, with its line ends
    :param str extension: of ``:NS:``, or None
    :return: :class:`Details`
    """
    found = Details()
    if extension:
        _read_extension(extension, found)
    if not text:
        return found
    text = text.lstrip()
    if match := NUMBERED.match(text):
        _read_numbered(text[match.end(1) :].replace("\n", ""), match[1], found)
    elif text[:1] == "/" and SLASHED.match(text):
        _read_slashed(_unwrapped(text), found)
    else:
        found.texts.append(_unwrapped(text))
    return found


def _unwrapped(text):
    """Join full lines with the next one, because they may end within a word."""
    if "\n" not in text:
        return " ".join(text.split())
    parts = (line if len(line) >= LINE else f"{line} " for line in text.split("\n"))
    return " ".join("".join(parts).split())


def _joined(parts):
    return " ".join("".join(part if len(part) >= PART else f"{part} " for part in parts).split())


def _read_numbered(text, separator, found):
    parts, last = [], None
    for piece in text.split(separator):
        if piece[:2].isdigit():
            last = piece[:2]
            parts.append([last, piece[2:]])
        elif parts:
            # The separator, within a text.
            parts[-1][1] += separator + piece
    purpose = _joined([value for number, value in parts if number in PURPOSE])
    single = dict(reversed(parts))
    found.posting = single.get("00")
    found.name = values.text(_joined([single.get("32", ""), single.get("33", "")]))
    found.account = values.number(single.get("31")) or values.number(single.get("38"))
    found.bic = values.bic(single.get("30"))
    _read_words(purpose, found)


def _read_words(purpose, found):
    pieces = WORD.split(purpose)
    words = {}
    for word, value in zip(pieces[1::2], pieces[2::2], strict=True):
        words.setdefault(word, value.strip())
    found.texts += [pieces[0], words.get("SVWZ")]
    found.end_to_end_id = values.identifier(words.get("EREF"))
    found.mandate_id = values.identifier(words.get("MREF"))
    found.account = found.account or values.iban(words.get("IBAN", "").split(" ")[0])
    found.bic = found.bic or values.bic(words.get("BIC", "").split(" ")[0])
    # ABWA and ABWE name the party behind the counterparty; the money came from, or went to, the counterparty.
    found.texts += [words.get("ABWA"), words.get("ABWE")]
    text = words.get("SVWZ") or pieces[0]
    found.creditor_reference = values.creditor_reference(text.strip())


def _read_slashed(text, found):
    pieces = SLASHED.split(text)
    words = {}
    for word, value in zip(pieces[1::2], pieces[2::2], strict=True):
        value = value.strip("/ ")
        if value:
            words.setdefault(word, value)
    remittance = words.get("REMI", "")
    if remittance.startswith("USTD//"):
        remittance = remittance[6:]
    elif remittance.startswith("STRD/"):
        remittance = remittance.rpartition("/")[2]
        found.creditor_reference = values.structured_reference(remittance)
    found.creditor_reference = found.creditor_reference or values.creditor_reference(remittance)
    account, bic, name = (*words.get("CNTP", "").split("/"), "", "", "")[:3]
    found.account = values.number(account) or values.number(words.get("IBAN")) or values.number(words.get("ACNO"))
    found.bic = values.bic(bic) or values.bic(words.get("BIC"))
    found.name = values.text(name or words.get("NAME") or words.get("BENM") or words.get("ORDP"))
    found.end_to_end_id = values.identifier(words.get("EREF"))
    found.mandate_id = values.identifier(words.get("MARF") or words.get("MREF"))
    found.posting = words.get("TRTP") or words.get("BAI")
    found.texts += [pieces[0], remittance, words.get("SVWZ"), words.get("INFO"), words.get("RTRN")]


def _read_extension(text, found):
    """``:NS:`` has different parts at each bank, or none."""
    lines = text.split("\n")
    parts = {line[:2]: line[2:].strip() for line in reversed(lines) if line[:2].isdigit()}
    if not parts:
        found.texts += lines
        return
    found.name = values.text(" ".join(parts.get(number, "") for number in NS_NAME))
    found.posting = parts.get(NS_POSTING)
    found.texts += [line[2:] for line in lines if line[:2] in NS_PURPOSE]
