r"""Applies core's ``account.reconcile.model`` to lines.

Core has the model without code that applies it; this module follows the help texts of its fields.

>>> from datetime import date
>>> from .facts import Line
>>> rule = Rule(1, "Bank fees", label="contains", label_value="FEE", lines=(RuleLine(account=610),))
>>> line = Line(9, date(2026, 5, 4), Decimal("-12.50"), label="Monthly fee")
>>> [(one.key, str(one.amount)) for one in RuleBook([rule]).apply(line).counterparts]
[(610, '-12.50')]
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

from .expressions import Expressions
from .facts import ACCOUNT, ZERO, Counterpart

#: A number in a text, with either country's separators.
NUMBER = re.compile(r"\d[\d.,' ]{0,30}")


class RuleLine(NamedTuple):
    """How a part of the line is booked. ``amount`` is the user's text: a number, or an expression for ``regex``."""

    account: object = None
    amount_type: str = "percentage"
    amount: str = "100"
    label: str = ""
    taxes: tuple = ()
    partner: object = None
    analytic: object = None


@dataclass(frozen=True)
class Rule:
    """The condition of an empty field always holds; a rule without any condition never applies automatically."""

    key: object
    name: str = ""
    is_automatic: bool = False
    journals: frozenset = frozenset()
    partners: frozenset = frozenset()
    label: str | None = None
    label_value: str = ""
    amount: str | None = None
    least: Decimal = ZERO
    most: Decimal = ZERO
    lines: tuple = ()

    @property
    def mapped_partner(self):
        """The partner of a rule that only maps partners: with a condition on the label and one line without account."""
        only = self.lines[0] if self.label and len(self.lines) == 1 else None
        return only.partner if only and not only.account else None

    @property
    def has_condition(self):
        """As core's ``can_be_proposed``."""
        return bool(self.label or self.amount or self.partners or self.is_automatic)


class Applied(NamedTuple):
    rule: Rule
    counterparts: tuple
    rest: Decimal


class RuleBook:
    """All rules, in the user's order."""

    def __init__(self, rules=()):
        self.expressions = Expressions()
        self._mappings = [rule for rule in rules if rule.mapped_partner]
        self._rules = [rule for rule in rules if rule.has_condition and any(one.account for one in rule.lines)]

    def partner_of(self, line):
        """:return: the partner of the first rule that maps the line's texts to one, or None"""
        return next((rule.mapped_partner for rule in self._mappings if self._applies(rule, line, None)), None)

    def apply(self, line, partner=None):
        """:return: :class:`Applied` of the first rule whose conditions hold, or None"""
        partner = line.partner if partner is None else partner
        for rule in self._rules:
            if self._applies(rule, line, partner):
                return self._book(rule, line)
        return None

    def is_given_up(self, rule):
        """Whether one of its expressions took too long."""
        written = {rule.label_value, *(one.amount for one in rule.lines)}
        return bool(written & self.expressions.given_up)

    # -------------------------------------------------------------------------
    # CONDITIONS
    # -------------------------------------------------------------------------

    def _applies(self, rule, line, partner):
        return (
            (not rule.journals or line.journal in rule.journals)
            and (not rule.partners or partner in rule.partners)
            and _amount_holds(rule, abs(line.amount))
            and self._label_holds(rule, line)
        )

    def _label_holds(self, rule, line):
        if not rule.label:
            return True
        if rule.label == "match_regex":
            return any(self.expressions.search(rule.label_value, text) for text in line.texts)
        wanted = rule.label_value.casefold()
        contains = bool(wanted) and any(wanted in text.casefold() for text in line.texts)
        return contains if rule.label == "contains" else not contains

    # -------------------------------------------------------------------------
    # COUNTERPARTS
    # -------------------------------------------------------------------------

    def _book(self, rule, line):
        unit, rest, counterparts = Decimal(1).scaleb(-line.decimals), line.amount, []
        for one in rule.lines:
            amount = self._amount_of(one, line, rest).quantize(unit, ROUND_HALF_UP)
            if amount and one.account:
                counterparts.append(
                    Counterpart(
                        ACCOUNT,
                        one.account,
                        amount,
                        label=one.label,
                        taxes=tuple(one.taxes),
                        partner=one.partner,
                        analytic=one.analytic,
                        rule=rule.key,
                    )
                )
                rest -= amount
        return Applied(rule, tuple(counterparts), rest)

    def _amount_of(self, one, line, rest):
        if one.amount_type == "regex":
            found = next(filter(None, (self.expressions.search(one.amount, text) for text in line.texts)), None)
            amount = number_in(found[found.re.groups and 1] or "") if found else ZERO
            # Why the line's sign: amounts in a bank's texts have none.
            return amount if line.amount > 0 else -amount
        written = _decimal(one.amount)
        if one.amount_type == "fixed":
            # Core: "as a debit if it is negative, as a credit if it is positive".
            return written
        base = line.amount if one.amount_type == "percentage_st_line" else rest
        return base * written / 100


def _amount_holds(rule, amount):
    if rule.amount == "lower":
        return amount <= rule.most
    if rule.amount == "greater":
        return amount >= rule.least
    return rule.amount != "between" or rule.least <= amount <= rule.most


def _decimal(text):
    try:
        number = Decimal(str(text).strip() or "0")
    except InvalidOperation:
        return ZERO
    return number if number.is_finite() and abs(number.adjusted()) < 16 else ZERO


def number_in(text):
    """Parse an amount: the last separator is the decimal one unless three digits follow it.

    >>> [str(number_in(text)) for text in ("1.234,50", "1,234.50", "1'234.50", "3358,07", "1.234", "12,5 EUR")]
    ['1234.50', '1234.50', '1234.50', '3358.07', '1234', '12.5']
    """
    found = NUMBER.search(text)
    digits = re.sub(r"[' ]", "", found[0]).rstrip(".,") if found else ""
    place = max(digits.rfind("."), digits.rfind(","))
    decimals = digits[place + 1 :] if place >= 0 and len(digits) - place != 4 else ""
    whole = digits[: place if decimals else len(digits)]
    return _decimal(re.sub(r"[.,]", "", whole) + (f".{decimals}" if decimals else ""))
