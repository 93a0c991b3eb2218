"""How a line settles chosen documents: exactly, with a discount, less charges, in part.

>>> from datetime import date
>>> from .facts import Discount, Line, OpenItem, Policy
>>> invoice = OpenItem(1, Decimal("100.00"), discount=Discount(date(2026, 5, 10), Decimal("98.00")))
>>> solution = settle(Line(9, date(2026, 5, 4), Decimal("98.00")), [invoice], Policy())
>>> [(one.kind, str(one.amount)) for one in solution.counterparts], solution.is_certain
([('item', '100.00'), ('discount', '-2.00')], True)

A part is never certain:

>>> part = settle(Line(9, date(2026, 5, 4), Decimal("40.00")), [invoice], Policy())
>>> [(one.kind, str(one.amount)) for one in part.counterparts], part.is_certain, part.reasons[0].code
([('item', '40.00')], False, 'part')
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .facts import (
    ACCOUNT,
    BATCH,
    CHARGES,
    DISCOUNT,
    ITEM,
    ZERO,
    Counterpart,
    Money,
    Reason,
)
from .sums import subsets


class Solution(NamedTuple):
    """``is_certain``: the amounts agree; it says nothing about the choice of the documents."""

    counterparts: tuple
    reasons: tuple
    is_certain: bool
    rest: Decimal = ZERO


def order(candidate):
    """Sort key: oldest first; the other parts only make the order deterministic."""
    return (candidate.day or date.min, candidate.number, candidate.kind, str(candidate.key))


def net(candidate):
    """The amount that the bank shows, after the fee."""
    return candidate.amount + (candidate.fee if candidate.kind == BATCH else ZERO)


def target(line, candidates):
    """The amount that the candidates must add up to, in their own currency; None if the bank does not report it."""
    currencies = {candidate.currency for candidate in candidates}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    if currency == line.currency:
        return line.amount
    if line.foreign and line.foreign.currency == currency:
        return line.foreign.amount
    return None


def choose(line, candidates, enough=2):
    """Which of the candidates add up to the line.

    :param enough: maximum number of answers, None for all
    :return: list of lists of candidates
    """
    candidates = sorted(candidates, key=order)
    wanted = target(line, candidates)
    if wanted is None:
        return []
    return [
        [candidates[position] for position in chosen]
        for chosen in subsets([net(candidate) for candidate in candidates], wanted, enough)
    ]


def settle(line, candidates, policy):
    """Settle the candidates with the line, as far as its amount allows.

    :return: :class:`Solution`, or None if the amounts are unrelated
    """
    candidates = sorted(candidates, key=order)
    wanted = target(line, candidates)
    if wanted is None:
        return _in_other_currency(line, candidates)
    total = sum(map(net, candidates), ZERO)
    if total == wanted:
        return _exactly(line, candidates, wanted)
    if not total or (total > 0) != (wanted > 0):
        return None
    if wanted != line.amount:
        # Why not: a difference in the foreign currency and one in the line's currency are two separate questions.
        return None
    return (
        _with_discount(line, candidates, policy)
        or _less_charges(line, candidates, total, policy)
        or _in_part(line, candidates, total)
    )


def _counterpart(candidate, amount=None):
    return Counterpart(
        candidate.kind,
        candidate.key,
        candidate.amount if amount is None else amount,
        candidate.amount,
        partner=candidate.partner,
    )


def _whole(candidates):
    """The candidates in full, with their fees."""
    counterparts = []
    for candidate in candidates:
        counterparts.append(_counterpart(candidate))
        if candidate.kind == BATCH and candidate.fee:
            counterparts.append(Counterpart(ACCOUNT, candidate.fee_account, candidate.fee))
    return counterparts


def _exactly(line, candidates, wanted):
    reasons = [Reason("amount") if len(candidates) == 1 else Reason("sum")]
    if candidates[0].currency == line.currency:
        counterparts = _whole(candidates)
    else:
        reasons = [Reason("foreign", (Money(wanted, line.foreign.currency),))]
        counterparts = _shared(line, candidates, wanted)
    fees = [candidate.fee for candidate in candidates if candidate.kind == BATCH and candidate.fee]
    reasons += [Reason("fee", (Money(-fee, line.currency),)) for fee in fees]
    return Solution(tuple(counterparts), tuple(reasons), True)


def _shared(line, candidates, wanted):
    """The converted amount, distributed by the original amounts; the last one takes the rounding difference."""
    unit, left, counterparts = Decimal(1).scaleb(-line.decimals), line.amount, []
    for candidate in candidates[:-1]:
        share = (line.amount * candidate.amount / wanted).quantize(unit)
        counterparts.append(_counterpart(candidate, share))
        left -= share
    return [*counterparts, _counterpart(candidates[-1], left)]


def _with_discount(line, candidates, policy):
    counterparts, reasons, is_certain = _whole(candidates), [], True
    for candidate in candidates:
        discount = candidate.discount if candidate.kind == ITEM else None
        if discount and line.day <= discount.until + timedelta(days=policy.discount_days):
            in_time = line.day <= discount.until
            is_certain &= in_time
            reasons.append(Reason("discount" if in_time else "late_discount", (discount.until,)))
            counterparts.append(Counterpart(DISCOUNT, candidate.key, discount.amount - candidate.amount))
    if reasons and sum((one.amount for one in counterparts), ZERO) == line.amount:
        return Solution(tuple(counterparts), tuple(dict.fromkeys(reasons)), is_certain)
    return None


def _less_charges(line, candidates, total, policy):
    missing = total - line.amount
    # Why only for incoming payments: for outgoing ones the company's own bank reports its charges separately.
    if not policy.charges or not ZERO < missing <= policy.charges.most or line.amount < 0:
        return None
    counterparts = _whole(candidates)
    counterparts.append(Counterpart(CHARGES, policy.charges.account, -missing))
    return Solution(tuple(counterparts), (Reason("charges", (Money(missing, line.currency),)),), True)


def _in_part(line, candidates, total):
    """Settle the oldest first; credit notes count in full."""
    if abs(line.amount) > abs(total):
        rest = line.amount - total
        return Solution(tuple(_whole(candidates)), (Reason("over", (Money(abs(rest), line.currency),)),), False, rest)
    credit_notes = [candidate for candidate in candidates if (candidate.amount > 0) != (line.amount > 0)]
    left = line.amount - sum(map(net, credit_notes), ZERO)
    counterparts = _whole(credit_notes)
    for candidate in candidates:
        if candidate in credit_notes or not left:
            continue
        if candidate.kind != ITEM and abs(net(candidate)) > abs(left):
            # Why: a registered payment appears at the bank in full or not at all.
            return None
        if abs(net(candidate)) <= abs(left):
            counterparts += _whole([candidate])
            left -= net(candidate)
        else:
            counterparts.append(Counterpart(ITEM, candidate.key, left, left, partner=candidate.partner))
            left = ZERO
    return Solution(tuple(counterparts), (Reason("part", (Money(abs(total - line.amount), line.currency),)),), False)


def _in_other_currency(line, candidates):
    if len(candidates) != 1 or (candidates[0].amount > 0) != (line.amount > 0) or line.foreign:
        return None
    return Solution((_counterpart(candidates[0], line.amount),), (Reason("other_currency"),), False)
