"""Names and account numbers of counterparties in a comparable form.

>>> sorted(name_keys("Müller & Söhne GmbH") & name_keys("MUELLER UND SOEHNE"))
['muellersoehne']
>>> account_key("de89 3704 0044 0532 0130 00")
'DE89370400440532013000'
"""

import re
import unicodedata

#: Legal forms and short words, which do not identify a partner and are often left out.
_SILENT_WORDS = """
ab ag and as asbl bv bvba cie co company corp de der die e ek en et eurl gbr gmbh inc kg kgaa la le les limited llc llp
ltd mbh nv oe og ohg oy oyj plc sa sarl sas sasu sca sci se sl snc spa sprl srl ug und van vof vzw
"""
SILENT = frozenset(_SILENT_WORDS.split())
WORD = re.compile(r"[a-z0-9]{1,60}")
GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})
#: Minimum length of a truncated name; shorter ones are ambiguous.
LEAST_CUT = 20
MAX_NAME = 140

#: Placeholders for a missing id; the first one is of ISO 20022.
NOT_GIVEN = frozenset(("NOTPROVIDED", "NOTAVAILABLE", "NONREF", "NOREF", "NONE", "NA", "NULL", "UNKNOWN"))


def name_keys(name):
    """Keys to compare names: with umlauts transcribed and without, independent of the order of words.

    :return: set of texts, empty where nothing is left
    """
    name = name[:MAX_NAME].casefold()
    return {key for key in (_key(name.translate(GERMAN)), _key(name)) if key}


def _key(name):
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    words = [word for word in WORD.findall(plain.replace("'", "").replace(".", "")) if word not in SILENT]
    return "".join(sorted(words))


def beginning(name):
    """The beginning of a name that may be truncated; empty if it is too short.

    >>> beginning("STADTWERKE MUSTERSTADT VERSOR")
    'stadtwerkemusterstadtversor'
    """
    name = name[:MAX_NAME].casefold().translate(GERMAN).replace("ß", "ss")
    plain = "".join(WORD.findall(unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()))
    return plain if len(plain) >= LEAST_CUT else ""


def account_key(number):
    return "".join(filter(str.isalnum, number or "")).upper()


def end_to_end_key(identifier):
    """An end-to-end id in a comparable form; empty if missing, for which banks use placeholders.

    >>> end_to_end_key(" inv-42 "), end_to_end_key("NOTPROVIDED"), end_to_end_key("0000")
    ('INV-42', '', '')
    """
    key = (identifier or "").strip().upper()
    plain = account_key(key)
    return "" if plain in NOT_GIVEN or not plain.strip("0") else key
