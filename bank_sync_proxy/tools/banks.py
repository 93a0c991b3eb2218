"""Names of banks: how they are compared, and which rows of several providers are one bank. Imports no Odoo.

The rule of :func:`merge`, certain things first; all of it within one country:

1. the first 8 characters of the BIC and the full name are the same;
2. those 8 and the core of the name (without legal form, punctuation, accents);
3. the whole BIC of a branch, and the names are alike;
4. the first 8 characters, and the names are alike;
5. the full name, and the BICs don't contradict (one is missing);
6. the core of the name, and the BICs don't contradict.

Two rows of one provider are never one bank: it offers them as two. Where several rows of one provider come into
question, or a row without a BIC fits several banks, nothing is merged: a bank that is shown twice is a blemish, a user
who is led to the wrong bank is a mistake.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from typing import NamedTuple

#: Letters that Unicode does not take apart.
LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"})
#: ``S.p.A.``, ``a/s``, ``J.P.``: single letters that belong together.
INITIALS = re.compile(r"(?<!\w)(?:\w[./]\s?){1,}\w(?!\w)")
BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def _words(text):
    return frozenset(text.split())


LEGAL_FORMS = _words(
    "ab abp ad ag aktiebolag aktiengesellschaft as asa bv co company corp corporation cv cvba dd doo eg ev gmbh "
    "hf inc incorporated jsc kft kg kgaa limited llc llp ltd na nv nyrt oao oy oyj ojsc ooo pjsc plc pte pty publ "
    "rt sa sab sae sarl sas sca scarl scpa scrl se spa sro srl the ug zrt"
)
#: Of those, the ones that stand before a name.
LEADING = _words("ab ad as jsc oao ooo oy pjsc sa the")
FILLERS = _words("and und et y og och en")
#: Say that it is a bank, not which one.
GENERIC = _words(
    "bank banka banken bankas bankasi bankowy banc banca banche banco bancaria banque banques pank pankki spaarbank "
    "of de del della des di do da du la le les el il der die das het the for fur per pour para van von online"
)
SIMILAR = 0.85


class Row(NamedTuple):
    """A bank, as one provider names it.

    :param str id: unique over all providers; the order of the ids decides where nothing else does
    :param str provider: two rows of the same one are never merged
    :param str country: ISO 3166 alpha-2; without it nothing is merged
    :param str bic: as :func:`clean_bic` gives it, or None
    """

    id: str
    provider: str
    country: str
    bic: str | None
    name: str


def normalize(text):
    """What is compared when people search: small letters and digits without accents, words separated by one space."""
    text = INITIALS.sub(lambda found: re.sub(r"[./\s]", "", found[0]), text or "")
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(LETTERS)
    kept = (c if c.isalnum() else " " for c in folded if not unicodedata.combining(c) and c not in "'’`´")
    return " ".join("".join(kept).split())


def clean_bic(text):
    """:return: a BIC in capitals, 8 characters where it names no branch; None for anything else"""
    bic = re.sub(r"\s", "", text or "").upper()
    return bic.removesuffix("XXX" if len(bic) == 11 else "") if BIC.fullmatch(bic) else None


def core_words(name):
    """The words of a name without what says only which legal form it has, at its ends, while something is left."""
    words = [word for word in normalize(name).split() if word not in FILLERS]
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    while len(words) > 1 and words[0] in LEADING:
        words.pop(0)
    return words


def alike(one, other):
    """Whether names may mean the same bank, when their BIC says so, too.

    All that is distinctive in the shorter one occurs in the longer one; or it is made of the other one's initials.

    :param one, other: :func:`core_words`
    """
    if "".join(one) == "".join(other):
        return True
    short, long = sorted(([word for word in words if word not in GENERIC] for words in (one, other)), key=len)
    if not short:
        return False
    if len("".join(short)) > 4 and "".join(short) in "".join(long):
        return True
    initials = {"".join(word[0] for word in words) for words in (long, max(one, other, key=len))}
    if len(short) == 1 and len(long) > 2 and short[0] in initials:
        return True
    return all(any(_same_word(word, another) for another in long) for word in short)


def _same_word(one, other):
    """Equal, shortened, or one of them misspelt."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 4:
        return False
    return longer.startswith(shorter) or (len(shorter) > 4 and SequenceMatcher(None, one, other).ratio() >= SIMILAR)


# -------------------------------------------------------------------------
# MERGING
# -------------------------------------------------------------------------


class _Bank:
    """A row with what is compared of it."""

    __slots__ = ("bic", "branch", "core", "country", "id", "provider", "text", "words")

    def __init__(self, row):
        self.id, self.provider, self.country = row.id, row.provider, row.country
        self.bic, self.branch = (row.bic or "")[:8], (row.bic or "")[8:]
        self.text, self.words = normalize(row.name), core_words(row.name)
        self.core = "".join(self.words)


def _agree(one, other):
    """Whether BICs don't contradict: one is missing, or the bank is the same and at most one names a branch."""
    if one.bic and other.bic and one.bic != other.bic:
        return False
    return not (one.branch and other.branch and one.branch != other.branch)


def _agree_and_are_alike(one, other):
    return _agree(one, other) and alike(one.words, other.words)


#: In the order of the rule above: what rows must have in common (a falsy last item: the row takes no part), and what
#: each pair must fulfil besides.
PASSES = (
    (lambda bank: (bank.text, bank.bic), _agree),
    (lambda bank: (bank.core, bank.bic), _agree),
    (lambda bank: (bank.bic, bank.branch), _agree_and_are_alike),
    (lambda bank: (bank.bic,), _agree_and_are_alike),
    (lambda bank: (bank.text,), _agree),
    (lambda bank: (bank.core,), _agree),
)


def merge(rows):
    """Find which rows are one bank.

    The order of the rows does not matter. What it takes grows with their number, nearly linearly: rows are compared
    only within what they have in common, and there only one of each provider.

    :param rows: :class:`Row` objects
    :return: by id of the row the key of its bank: the smallest id of the bank's rows
    """
    banks = sorted((_Bank(row) for row in rows), key=lambda bank: bank.id)
    groups = {bank.id: [bank] for bank in banks}
    for in_common, fits in PASSES:
        buckets = defaultdict(dict)
        for bank in banks:
            shared = in_common(bank)
            if bank.country and shared[-1]:
                group = groups[bank.id]
                buckets[(bank.country, *shared)][group[0].id] = group
        for bucket in buckets.values():
            if len(bucket) > 1:
                _join(bucket.values(), fits, groups)
    return {bank.id: min(other.id for other in groups[bank.id]) for bank in banks}


def _join(candidates, fits, groups):
    """Make one group of those that fit each other; ``groups`` (by id of the row) is changed."""
    # Why again: an earlier bucket of the same pass may have joined some of them.
    candidates = {id(group): group for group in (groups[group[0].id] for group in candidates)}.values()
    times = Counter(bank.provider for group in candidates for bank in group)
    clear = [group for group in candidates if all(times[bank.provider] == 1 for bank in group)]
    # Those with a BIC first: they say to how many banks one without may belong.
    clear.sort(key=lambda group: (not any(bank.bic for bank in group), group[0].id))
    joined = []
    for group in clear:
        fitting = [other for other in joined if all(fits(one, another) for one in other for another in group)]
        if len(fitting) == 1:
            fitting[0].extend(group)
            groups.update((bank.id, fitting[0]) for bank in group)
        elif not fitting:
            joined.append(group)
