"""Texts that make a regular expression backtrack, made from the expression itself.

What makes an expression quadratic or worse is a part that reads far and then fails, tried again from the next letters.
So each hostile text reaches a part of the expression, repeats what that part accepts, and ends where nothing fits.
"""

import itertools
import re
import time

try:
    from re import _parser as parser  # Python 3.11 and later
except ImportError:
    import sre_parse as parser

#: Characters; the longest text is eight times as long.
SMALL = 8 * 1024
#: Eight times as much text may take at most this many times as long; a quadratic expression takes 64 times as long.
MAX_RATIO = 24
#: Seconds. What is faster with a short text takes a quarter of a second with a long one, even if it is quadratic.
NEGLIGIBLE = 0.004
#: How many short pieces are combined, and of how many letters of the whole a text begins with.
MAX_PIECES, MAX_START = 10, 40
#: What ends a hostile text, so that what was begun fails at the very end.
ENDS = ("\x00", "", "\n")
#: Letters for classes, the ones first that lead furthest.
LETTERS = "aA0-_. \t\n\\\"'/:=<>@+&%é\x00!" + "".join(map(chr, range(33, 127)))


def hostile_texts(pattern):
    """:return: set of (beginning, piece that is repeated, end)"""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    whole, parts = _samples(tree, pattern)
    pieces = {part for part in parts if part} | {whole}
    # Letters of words are many and alike; what separates them leads somewhere else.
    ordered = sorted(pieces, key=lambda piece: (len(piece), piece.isalnum(), piece))
    short = [piece for piece in ordered if len(piece) <= 2][:MAX_PIECES]
    starts = [whole[:length] for length in range(1, min(len(whole), MAX_START))]
    pieces |= {"".join(pair) for pair in itertools.permutations(ordered[:MAX_PIECES], 2)}
    pieces |= {start + piece for start in starts for piece in ("", *short)}
    texts = {("", piece, ENDS[0]) for piece in pieces}
    return texts | {(begin, piece, end) for begin in ("", *starts) for piece in short for end in ENDS}


def find_slow(pattern, small=SMALL, negligible=NEGLIGIBLE):
    """:return: how a text is made that takes more than MAX_RATIO times as long when it is 8 times as long, or None"""
    for text in sorted(hostile_texts(pattern)):
        before = _seconds(pattern, text, small)
        # Four times the text in less than six times the time: not worth the whole measurement.
        if before < negligible or before < 6 * _seconds(pattern, text, small // 4):
            continue
        before = min(before, _seconds(pattern, text, small))
        # Why twice: what else the machine does must not look like a slow expression.
        for factor in (2, 4, 8):
            if all(_seconds(pattern, text, small * factor) > before * MAX_RATIO for _attempt in range(2)):
                return "{!r} + {!r} * n + {!r}".format(*text)
    return None


def _seconds(pattern, text, size):
    begin, piece, end = text
    whole = begin + piece * (size // len(piece)) + end
    began = time.process_time()
    pattern.sub("", whole)
    return time.process_time() - began


# -------------------------------------------------------------------------
# SAMPLES
# -------------------------------------------------------------------------


def _samples(tree, pattern):
    """:return: (a text that the tree accepts, texts that its repeated and alternative parts accept)"""
    text, parts = "", set()
    for name, value in tree:
        made, inner = _sample(str(name), value, pattern)
        text += made
        parts |= inner
    return text, parts


def _sample(name, value, pattern):
    if name == "LITERAL":
        return chr(value), {chr(value)}
    if name in ("NOT_LITERAL", "IN", "ANY"):
        accepted = _letters(name, value)
        return accepted[:1], set(accepted[:4])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _most, body = value
        text, parts = _samples(body, pattern)
        return text * max(1, least), parts | {text}
    if name == "SUBPATTERN":
        text, parts = _samples(value[-1], pattern)
        return text, parts | {text}
    if name == "BRANCH":
        made = [_samples(branch, pattern) for branch in value[1]]
        return made[0][0], {text for text, _parts in made[:3]} | set().union(*(parts for _text, parts in made[:3]))
    if name in ("ASSERT", "ASSERT_NOT"):
        text, parts = _samples(value[1], pattern)
        return "", parts | {text}
    # Places, and references to groups, which are empty often enough.
    return "", set()


def _letters(name, value):
    if name == "ANY":
        return "a\\\n"
    if name == "NOT_LITERAL":
        return "".join(letter for letter in "a\\ \n" if ord(letter) != value)
    return "".join(letter for letter in LETTERS if _is_in(letter, value))


def _is_in(letter, items):
    code, negated, found = ord(letter), False, False
    for name, value in items:
        name = str(name)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found |= code == value
        elif name == "RANGE":
            found |= value[0] <= code <= value[1]
        elif name == "CATEGORY":
            found |= bool(re.match(CATEGORIES[str(value)], letter))
    return found != negated


CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
