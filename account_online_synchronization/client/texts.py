"""Cleans untrusted texts and objects before they are stored or shown."""

import hashlib
import math
import re

#: Longer texts are truncated: a text of megabytes would slow down every list that shows it.
MAX_TEXT = 2000
MAX_ID = 500
MAX_ITEMS = 100
MAX_DEPTH = 6
#: Approximate maximum of characters of one object; the rest is replaced by a hint.
MAX_OBJECT = 100_000
#: Shorter texts count as this many characters, without measuring them.
SHORT = 40
#: Larger numbers exceed PostgreSQL's JSON or JavaScript's integers, and are kept as text.
MAX_NUMBER = 2**63
#: Joiners, which letters and emoji need; all other invisible characters, such as bidi controls, are removed.
JOINERS = "\u200c\u200d"
#: Identifiers that are not the bank's: of the opening balance, of lines from earlier modules and files, and of
#: transactions without an id, unreadable ones, or ones that change their id.
OURS = re.compile(r"opening$|(legacy|file|f1|unreadable|pending):|~")


def readable(value, limit=MAX_TEXT):
    """Printable text without characters that PostgreSQL or browsers can't handle; white space is collapsed."""
    if value is None:
        return ""
    if type(value) is not str:
        if isinstance(value, dict | list | tuple | bool):
            return ""
        value = _digits(value)
    # Why truncated before, too: collapsing ten megabytes would take long.
    text = value if len(value) <= limit else value[: 2 * limit]
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in JOINERS else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].strip()


def read_id(value):
    """:return: the bank's id of a transaction as it is stored, never one of our own identifiers; ``""`` without one

    >>> read_id(" T1 "), read_id("opening"), read_id(None)
    ('T1', 'bank:opening', '')
    """
    text = readable(value, MAX_ID)
    if type(value) is str and len(value) > MAX_ID:
        # Why not only truncated: ids that differ at the end would be one.
        text = f"{text[: MAX_ID - 33]}#{hashlib.sha256(value.encode(errors='replace')).hexdigest()[:32]}"
    return f"bank:{text}" if OURS.match(text) else text


def read_texts(values):
    """:return: list of what :func:`readable` returns for each value

    Why together: most texts are clean, and cleaning them one by one would take most of the time spent on an answer.
    """
    try:
        joined = " ".join([value for value in values if value is not None])
    except TypeError:
        return [*map(readable, values)]
    # A text that begins or ends with a blank shows as two blanks in the joined text. No other white space is printable.
    is_clean = len(joined) <= MAX_TEXT and joined.isprintable() and "  " not in joined and joined == joined.strip()
    return [value or "" for value in values] if is_clean else [*map(readable, values)]


def is_identifier(value, limit=MAX_ID):
    """Whether a value can be an id or a cursor, which are stored, compared and sent back unchanged."""
    return isinstance(value, str) and 0 < len(value) <= limit and value.isprintable() and not value.isspace()


def storable(value):
    """The same JSON without values that PostgreSQL can't store: NaN, NUL, lone surrogates, excessive size or depth."""
    return value if _is_storable(value, 0, [MAX_OBJECT]) else _storable(value, 0, [MAX_OBJECT])


def _is_storable(value, depth, left):
    """Whether :func:`_storable` would only copy it, which is the usual case and would take three times as long."""
    is_dict = type(value) is dict
    if not (is_dict or type(value) is list) or depth >= MAX_DEPTH or len(value) > MAX_ITEMS or left[0] <= 0:
        return False
    left[0] -= SHORT * len(value)
    if is_dict:
        if not _are_plain(value):
            return False
        value = value.values()
    texts = "".join([item for item in value if type(item) is str])
    # Printable texts contain neither NUL nor lone surrogates. Their joined length limits each of them.
    if len(texts) > MAX_TEXT or not texts.isprintable():
        return False
    left[0] -= len(texts)
    for item in [item for item in value if item is not None and type(item) is not str]:
        kind = type(item)
        if kind is dict or kind is list:
            if not _is_storable(item, depth + 1, left):
                return False
        elif kind is not bool and not (kind is int and abs(item) <= MAX_NUMBER):
            return False
    # Why here, too: the rest is not kept once the limit is reached.
    return left[0] > 0


def _are_plain(keys):
    """Whether all are short texts of printable ASCII. Why together: checking each would take most of the time."""
    try:
        joined = "".join(keys)
    except TypeError:
        return False
    return joined.isascii() and joined.isprintable() and max(map(len, keys), default=0) <= SHORT


def _storable(value, depth, left):
    """:param list left: one number, the approximate number of further characters to keep"""
    if isinstance(value, str):
        # Why first: nearly all values are short plain texts.
        if len(value) <= SHORT and value.isascii() and "\x00" not in value:
            return value
        return _storable_text(value, left)
    if isinstance(value, dict | list | tuple):
        if depth >= MAX_DEPTH or left[0] <= 0:
            return "…"
        left[0] -= SHORT * min(len(value), MAX_ITEMS)
        if isinstance(value, dict):
            items = [*value.items()][:MAX_ITEMS]
            return {_storable(str(key), depth, left): _storable(item, depth + 1, left) for key, item in items}
        return [_storable(item, depth + 1, left) for item in value[:MAX_ITEMS]]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return _digits(value)[:MAX_TEXT]
    return value


def _storable_text(value, left):
    if left[0] <= 0:
        return "…"
    cut = value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]} … ({len(value)} characters)"
    left[0] -= len(cut)
    return cut if cut.isascii() and "\x00" not in cut else cut.replace("\x00", "").encode("utf-8", "replace").decode()


def _digits(value):
    try:
        return str(value)
    except ValueError:
        # Python refuses to format integers of more than some thousand digits.
        return "…"
