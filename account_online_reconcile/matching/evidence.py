"""The evidence in a line: which documents it names, and who the counterparty is."""

from dataclasses import dataclass, field

from .numbers import FULL, SERIAL
from .partners import account_key, end_to_end_key
from .references import UNMISTAKABLE, read


@dataclass
class Evidence:
    """``named``: dict from a candidate's identity to the strength of the evidence, see :mod:`.numbers`.

    ``why``: dict from the same keys to the text that names it. ``others``: numbers of the company's own sequences that
    no candidate has. ``unknown``: structured references that no candidate has, while other candidates have references
    of that scheme. ``ours``: candidates that are named by a number or an id that the company issued. ``is_namesake``:
    the partner is recognized by its name only, and has other account numbers than the line.
    """

    partner: object = None
    is_namesake: bool = False
    ours: set = field(default_factory=set)
    named: dict = field(default_factory=dict)
    why: dict = field(default_factory=dict)
    others: tuple = ()
    unknown: tuple = ()

    def name(self, keys, says, code):
        for key in keys:
            self.named[key] = max(says, self.named.get(key, 0))
            self.why.setdefault(key, code)


def read_line(line, candidates, rules):
    """:return: :class:`Evidence`"""
    partner, is_namesake = _partner(line, candidates, rules)
    evidence = Evidence(partner, is_namesake)
    keys = candidates.by_end_to_end.get(end_to_end_key(line.end_to_end), ())
    evidence.name(keys, FULL, "end_to_end")
    evidence.ours.update(keys)
    unknown = []
    for text in filter(None, (line.reference, *_texts(line))):
        for reference in read(text):
            keys = candidates.by_reference.get(reference, ())
            evidence.name(keys, FULL, "reference")
            evidence.ours.update(keys)
            if not keys and reference.scheme in candidates.schemes & UNMISTAKABLE:
                unknown.append(reference.number)
        found = candidates.numbers.find(text)
        for key, says in found.named.items():
            evidence.name([key], says, "reference")
            if says == FULL and candidates.numbers.is_own(key, text):
                evidence.ours.add(key)
        evidence.others += found.others
    evidence.unknown = tuple(sorted(set(unknown)))
    evidence.others = tuple(dict.fromkeys(evidence.others))
    for key in [key for key, says in evidence.named.items() if says == SERIAL]:
        # Why: a serial number alone may be anything else.
        if not evidence.partner or candidates.all[key].partner != evidence.partner:
            del evidence.named[key]
    return evidence


def _texts(line):
    """The texts, and the end-to-end id, into which many payers write the invoice number."""
    return dict.fromkeys((*line.texts, line.end_to_end))


def _partner(line, candidates, rules):
    """The line's partner: stored, mapped by a rule, found by account number, or by name.

    :return: (the partner or None, whether it was found by its name only and has other account numbers)
    """
    known = (
        line.partner
        or rules.partner_of(line)
        or (account_key(line.account) and candidates.partner_of_account(line.account))
    )
    if known:
        return known, False
    partner = (line.name and candidates.partner_of_name(line.name)) or None
    return partner, bool(partner and account_key(line.account) and candidates.has_accounts(partner))
