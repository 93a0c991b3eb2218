"""Decides on each line: booked automatically, proposed, or neither. Pure Python, without side effects.

>>> from datetime import date
>>> from decimal import Decimal
>>> invoice = OpenItem(1, Decimal("121.00"), number="INV/2026/00042", partner=7)
>>> line = Line(9, date(2026, 5, 4), Decimal("121.00"), label="Payment inv/2026/42 thank you")
>>> decision = decide([line], Books(candidates=[invoice]), EVERYTHING)[9]
>>> decision.kind, decision.step, [one.key for one in decision.counterparts]
('automatic', 'reference', [1])

The steps are always tried in this order: **reference → document → transfer → rule → memory**. The first answer counts,
with one exception: a document for which only the amount agrees is used as a proposal if no later step has an answer.

A decision is automatic if there is exactly one candidate (or one set of candidates) whose amount and whose reference or
partner agree, and if nothing contradicts it: the line names no other document, and no other line claims the same one.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .candidates import Candidates, identity
from .documents import choose, net, order, settle
from .evidence import read_line
from .facts import (
    ACCOUNT,
    AUTOMATIC,
    BATCH,
    DOCUMENT,
    EVERYTHING,
    ITEM,
    MEMORY,
    NONE,
    OWN_TRANSFER,
    PAYMENT,
    PROPOSAL,
    REFERENCE,
    RETURN,
    RULE,
    STEPS,
    TRANSFER,
    ZERO,
    Counterpart,
    Decision,
    Line,
    Money,
    OpenItem,
    Policy,
    Reason,
)
from .memory import Memory
from .numbers import FULL
from .partners import account_key
from .rules import RuleBook
from .transfers import pair

#: Maximum number of proposals for a line.
MOST_ALTERNATIVES = 5
#: Maximum number of equally good documents among which one is searched that no other line proposes.
MOST_OPTIONS = 50


@dataclass
class Books:
    """The candidates and facts for matching. ``accounts``: the account numbers of own journals; ``other_lines``: lines
    of other journals that may be the other side of a transfer; ``fee_accounts``: from a journal to its account for
    charges."""

    candidates: list = field(default_factory=list)
    rules: list = field(default_factory=list)
    bookings: list = field(default_factory=list)
    accounts: dict = field(default_factory=dict)
    other_lines: list = field(default_factory=list)
    fee_accounts: dict = field(default_factory=dict)


class Answer(NamedTuple):
    """The answer of one step. ``is_certain``: it may be booked automatically. ``others``: equally good answers."""

    step: str
    counterparts: tuple
    reasons: tuple
    is_certain: bool = False
    rest: object = ZERO
    others: tuple = ()


def decide(lines, books, policy=EVERYTHING, taken=()):
    """
    :param taken: (kind, key) of documents that are proposed for other lines already: equally good others are preferred
    :return: dict from a line's key to its :class:`~.facts.Decision`; it does not depend on the order of lines and
        candidates
    """
    return Matcher(books, policy).decide(lines, taken)


class Matcher:
    """Decides on lines, with an index of the books that is built once."""

    def __init__(self, books, policy=EVERYTHING):
        self.books, self.policy = books, policy
        self.candidates = Candidates(books.candidates, policy.prefixes)
        self.rules = RuleBook(books.rules)
        self.memory = Memory(books.bookings)
        self.own = {account_key(number) for number in (*policy.own_accounts, *books.accounts.values())} - {""}

    def decide(self, lines, taken=()):
        lines = list(lines)
        sides = pair([*lines, *self.books.other_lines], self.books.accounts, self.policy.transfer_days)
        answers = {line.key: self._answer(line, sides.get(line.key)) for line in lines}
        answers = self._spread(lines, self._without_conflicts(answers), taken)
        return {line.key: self._decision(line, answers[line.key]) for line in lines}

    # -------------------------------------------------------------------------
    # ONE LINE
    # -------------------------------------------------------------------------

    def _answer(self, line, side):
        """:return: the :class:`Answer` of the first step that has one, or None"""
        if not line.amount:
            return None
        evidence = read_line(line, self.candidates, self.rules)
        is_transfer = bool(line.account) and account_key(line.account) in self.own
        # Why first: a payout of a payment service is not a customer's payment, even if a document has the same amount.
        is_transfer = is_transfer or bool(line.payout or (side and side.is_payout and side.is_certain))
        answer = self._by_reference(line, evidence)
        guess = None
        if not answer and not is_transfer:
            answer = self._by_document(line, evidence)
            guess = None if answer else self._by_amount(line, evidence)
        return (
            answer or self._by_transfer(line, side) or self._by_rule(line, evidence) or self._by_memory(line) or guess
        )

    def _decision(self, line, answer):
        if not answer:
            return Decision(line.key, rest=line.amount)
        is_on, most = answer.step in self.policy.steps, self.policy.most
        reasons = answer.reasons
        if answer.is_certain and not is_on:
            reasons += (Reason("not_switched_on"),)
        elif answer.is_certain and most is not None and abs(line.amount) > most:
            is_on = False
            reasons += (Reason("above_limit", (Money(most, line.currency),)),)
        return Decision(
            line.key,
            AUTOMATIC if answer.is_certain and is_on else PROPOSAL,
            answer.step,
            self._unpacked(answer.counterparts),
            reasons,
            tuple(self._unpacked(other.counterparts) for other in answer.others[: MOST_ALTERNATIVES - 1]),
            answer.rest,
        )

    def _unpacked(self, counterparts):
        """The payments of a batch instead of the batch, if they are known."""
        unpacked = []
        for one in counterparts:
            batch = self.candidates.all[BATCH, one.key] if one.kind == BATCH else None
            keys = [(PAYMENT, key) for key in batch.payments] if batch else []
            if keys and all(key in self.candidates.all for key in keys):
                payments = (self.candidates.all[key] for key in keys)
                unpacked += [
                    Counterpart(PAYMENT, each.key, each.amount, each.amount, partner=each.partner) for each in payments
                ]
            else:
                unpacked.append(one)
        return tuple(unpacked)

    # -------------------------------------------------------------------------
    # REFERENCE
    # -------------------------------------------------------------------------

    def _by_reference(self, line, evidence):
        named = [self.candidates.all[key] for key in evidence.named]
        settled = [one for one in named if getattr(one, "is_settled", False)]
        returned = [one for one in settled if one.amount == -line.amount and one.currency == line.currency]
        named = self._in_transit([one for one in named if not getattr(one, "is_settled", False)])
        if not any((one.amount > 0) == (line.amount > 0) for one in named):
            return self._returned(line, evidence, returned)
        named = self._of_partner(line, sorted(named, key=order), evidence)
        whole = [one for one in named if evidence.named.get(identity(one), FULL) == FULL]
        for some in (named, whole):
            solution = settle(line, some, self.policy) if some else None
            if solution and solution.is_certain and not self._is_less_enough(line, some, solution):
                doubts = self._doubts_of_partner(line, evidence, some) + self._doubts_of_charges(line, some, solution)
                return self._named(evidence, some, solution, not doubts, doubts)
        choices = _choices(line, named)
        if choices:
            is_one = len(choices) == 1
            return _first(self._named_exactly(line, evidence, named, chosen, is_one) for chosen in choices)
        return self._named_with_others(line, evidence, named) or self._named_roughly(line, evidence, named)

    def _named_exactly(self, line, evidence, named, chosen, is_one):
        """
        :param chosen: named documents that add up to the line
        :param is_one: no other selection of them does
        """
        # Why: a named document that is not paid makes it uncertain, unless both have the same reference.
        left = _not_paid(named, chosen)
        doubts = self._doubts_of_partner(line, evidence, chosen) + (() if is_one else (Reason("ambiguous"),))
        solution = settle(line, chosen, self.policy)
        return self._named(evidence, chosen, solution, is_one and not left and not doubts, doubts)

    def _is_less_enough(self, line, some, solution):
        """Whether the line also equals the amount of a part of the documents that it names.

        Then deducted charges are the worse explanation. Without charges the other documents cancel out, and belong to
        the line only if they are named by their own numbers.
        """
        parts = [part for part in choose(line, some, enough=None) if len(part) < len(some)]
        return any("charges" in _codes(solution) or not _not_paid(some, part) for part in parts)

    def _in_transit(self, named):
        """Replace documents by their registered payment, if there is one."""
        found = {}
        for one in named:
            payments = [
                self.candidates.all[key]
                for key in self.candidates.paid_by.get(identity(one), ())
                if not self.candidates.all[key].is_settled
            ]
            for each in payments or [one]:
                found[identity(each)] = each
        return list(found.values())

    def _of_partner(self, line, named, evidence):
        """Among documents with the same number, those of the line's partner."""
        if not evidence.partner:
            return named
        mine = [one for one in named if one.partner == evidence.partner]
        return [one for one in named if one in mine or not any(_share(one, other) for other in mine)]

    def _doubts_of_partner(self, line, evidence, chosen):
        """Reasons against a document that is named, because of its partner.

        With a wrong digit a payer names another customer's invoice, perhaps of the same amount. The same holds for a
        partial number and for a number that the company did not issue: with another partner they prove nothing, and a
        partial number also needs a unique amount.
        """
        if evidence.partner and any(one.partner == evidence.partner for one in chosen):
            return ()
        if any(net(one) == line.amount for one in self.candidates.of_partner(evidence.partner)):
            return (Reason("partner_has_one_too"),)
        partly = [one for one in chosen if evidence.named.get(identity(one), FULL) < FULL]
        if partly and (evidence.partner or not all(map(self._is_only_one, partly))):
            return (Reason("named_in_part", (", ".join(one.number or str(one.key) for one in partly),)),)
        if evidence.partner and not all(identity(one) in evidence.ours for one in chosen):
            return (Reason("other_partner"),)
        return ()

    def _is_only_one(self, candidate):
        """Whether no other open document has this amount."""
        return len(self.candidates.of_amount(net(candidate), candidate.currency)) == 1

    def _doubts_of_charges(self, line, chosen, solution):
        """Reasons against charges: another document may be paid in full."""
        if "charges" not in _codes(solution):
            return ()
        others = [one for partner in {one.partner for one in chosen} for one in self.candidates.of_partner(partner)]
        return (Reason("partner_has_one_too"),) if any(net(one) == line.amount for one in others) else ()

    def _named(self, evidence, chosen, solution, is_certain, more=()):
        reasons = []
        for one in chosen:
            reasons.append(Reason(evidence.why.get(identity(one), "reference"), (one.number or str(one.key),)))
        if evidence.partner and all(one.partner == evidence.partner for one in chosen):
            reasons.append(Reason("partner"))
        reasons = (*reasons, *solution.reasons, *more)
        is_certain = is_certain and solution.is_certain
        return Answer(REFERENCE, solution.counterparts, reasons, is_certain, solution.rest)

    def _named_with_others(self, line, evidence, named):
        """Documents that are named, together with others of their partner that are not."""
        partners = {one.partner for one in named}
        if len(partners) != 1 or None in partners:
            return None
        others = [one for one in self.candidates.of_partner(next(iter(partners))) if one not in named]
        rest = target_of_rest(line, named)
        sets = choose(replace(line, amount=rest), self._in_transit(others)) if rest else []
        if len(sets) != 1 or any(one.currency != line.currency for one in sets[0]):
            return None
        chosen = [*named, *sets[0]]
        solution = settle(line, chosen, self.policy)
        return solution and self._named(evidence, named, solution, False, (Reason("with_others"),))

    def _named_roughly(self, line, evidence, named):
        solution = settle(line, named, self.policy)
        if not solution:
            same = [one for one in named if (one.amount > 0) == (line.amount > 0)]
            solution = settle(line, same, self.policy)
        return solution and self._named(evidence, named, solution, False)

    def _returned(self, line, evidence, returned):
        if len(returned) != 1:
            return None
        one = returned[0]
        has_its_id = evidence.why[identity(one)] == "end_to_end"
        if not has_its_id and any(net(other) == line.amount for other in self.candidates.of_partner(one.partner)):
            # Why: a refund names the invoice, too, and has a credit note.
            return None
        counterpart = Counterpart(RETURN, one.key, -one.amount, partner=one.partner)
        return Answer(REFERENCE, (counterpart,), (Reason("returned", (one.number or str(one.key),)),))

    # -------------------------------------------------------------------------
    # DOCUMENT
    # -------------------------------------------------------------------------

    def _by_document(self, line, evidence):
        if not evidence.partner:
            return None
        mine = self._in_transit(self.candidates.of_partner(evidence.partner))
        mine = [one for one in mine if one.currency == line.currency or line.foreign]
        singles = self._singles(line, mine)
        if singles:
            is_one = len(singles) == 1
            return _first(self._single(line, evidence, *both, is_one) for both in singles[:MOST_OPTIONS])
        choices = choose(line, mine)
        if not choices:
            return None
        is_one = len(choices) == 1
        return _first(self._sum(line, evidence, mine, chosen, is_one) for chosen in choices)

    def _sum(self, line, evidence, mine, chosen, is_one):
        solution = settle(line, chosen, self.policy)
        is_all = is_one and len(chosen) == len(mine)
        doubts = self._doubts(line, evidence, chosen) or (() if is_one else (Reason("ambiguous"),))
        reasons = (Reason("partner"), *solution.reasons, *((Reason("all_open"),) if is_all else ()), *doubts)
        return Answer(DOCUMENT, solution.counterparts, reasons, is_all and not doubts)

    def _singles(self, line, mine):
        """:return: list of (document, solution) of single documents that the line settles exactly, otherwise nearly"""
        mine = sorted(mine, key=lambda one: _nearness(line, [one]))
        solutions = [(one, settle(line, [one], self.policy)) for one in mine]
        solutions = [(one, solution) for one, solution in solutions if solution and not solution.rest]
        nearly = {"charges", "late_discount"}
        exact = [both for both in solutions if both[1].is_certain and not nearly & _codes(both[1])]
        return exact or [both for both in solutions if nearly & _codes(both[1])]

    def _single(self, line, evidence, one, solution, is_one):
        doubts = self._doubts(line, evidence, [one])
        if not is_one:
            doubts += (Reason("ambiguous"),)
        transit = (Reason("in_transit"),) if one.kind != ITEM else ()
        # Why not charges: a slightly different amount may belong to another document.
        is_certain = solution.is_certain and not doubts and "charges" not in _codes(solution)
        return Answer(
            DOCUMENT,
            solution.counterparts,
            (Reason("partner"), *solution.reasons, *transit, *doubts),
            is_certain,
        )

    def _doubts(self, line, evidence, chosen):
        """Reasons against documents that are matched by partner and amount alone."""
        doubts = []
        if evidence.others:
            doubts.append(Reason("names_others", (", ".join(evidence.others),)))
        if evidence.unknown:
            doubts.append(Reason("unknown_reference", (", ".join(evidence.unknown),)))
        named = [self.candidates.all[key] for key in evidence.named]
        settled = sorted(one.number for one in named if getattr(one, "is_settled", False))
        if settled:
            doubts.append(Reason("names_settled", (", ".join(settled),)))
        others = sorted(one.number for one in named if not getattr(one, "is_settled", False))
        if others:
            doubts.append(Reason("names_other_direction", (", ".join(others),)))
        if any(one.day and one.day > line.day for one in chosen):
            doubts.append(Reason("not_dated_yet"))
        if evidence.is_namesake and not all(map(self._is_only_one, chosen)):
            doubts.append(Reason("other_account"))
        return tuple(doubts)

    def _by_amount(self, line, evidence):
        """Proposals by the amount alone, for lines without a better answer."""
        found = self._in_transit(self.candidates.of_amount(line.amount, line.currency))
        found = [one for one in found if net(one) == line.amount and not (evidence.partner and one.partner)]
        if not found or len(found) > MOST_ALTERNATIVES:
            return None
        ambiguous = (Reason("ambiguous"),) if len(found) > 1 else ()
        return _first(
            Answer(
                DOCUMENT,
                settle(line, [one], self.policy).counterparts,
                (*_why_amount(one), *self._doubts(line, evidence, [one]), *ambiguous),
            )
            for one in sorted(found, key=lambda one: _nearness(line, [one]))
        )

    # -------------------------------------------------------------------------
    # TRANSFER, RULE, MEMORY
    # -------------------------------------------------------------------------

    def _by_transfer(self, line, side):
        if not side:
            return None
        if side.is_payout:
            reasons = [Reason("payout" if side.is_certain else "unconfirmed_payout")]
        else:
            reasons = [Reason("own_transfer" if side.is_certain else "unconfirmed_transfer")]
        is_certain = side.is_certain
        if side.fee:
            reasons.append(Reason("payout_fee", (Money(abs(side.fee), line.currency),)))
            if not self.books.fee_accounts.get(side.payer):
                is_certain = False
                reasons.append(Reason("no_fee_account"))
        return Answer(TRANSFER, (Counterpart(OWN_TRANSFER, side.other, line.amount),), tuple(reasons), is_certain)

    def _by_rule(self, line, evidence):
        applied = self.rules.apply(line, evidence.partner)
        if not applied or not applied.counterparts:
            return None
        reasons = [Reason("rule", (applied.rule.name,))]
        if not applied.rule.is_automatic:
            reasons.append(Reason("rule_is_manual"))
        if applied.rest:
            reasons.append(Reason("rule_leaves_rest", (Money(applied.rest, line.currency),)))
        is_certain = applied.rule.is_automatic and not applied.rest and not self.rules.is_given_up(applied.rule)
        return Answer(RULE, applied.counterparts, tuple(reasons), is_certain, applied.rest)

    def _by_memory(self, line):
        habit = self.memory.recall(line)
        if not habit:
            return None
        counterpart = Counterpart(
            ACCOUNT, habit.account, line.amount, None, "", habit.taxes, habit.partner, habit.analytic
        )
        return Answer(MEMORY, (counterpart,), (Reason("memory", (habit.times,)),))

    # -------------------------------------------------------------------------
    # ALL LINES
    # -------------------------------------------------------------------------

    def _without_conflicts(self, answers):
        """Make decisions proposals if several lines claim the same document: the user must decide."""
        claims = defaultdict(set)
        for key, answer in answers.items():
            if answer and answer.is_certain:
                for claimed in self._claimed(answer):
                    claims[claimed].add(key)
        twice = {key for keys in claims.values() if len(keys) > 1 for key in keys}
        return {
            key: answer._replace(is_certain=False, reasons=(*answer.reasons, Reason("claimed_twice")))
            if key in twice
            else answer
            for key, answer in answers.items()
        }

    def _spread(self, lines, answers, taken):
        """Propose different documents if several fit several lines, such as monthly bills.

        Lines with better reasons choose first, then the newest ones; each chooses the nearest earlier document, so that
        earlier documents remain for older lines. They stay proposals: the user must decide.
        """
        taken, choosing, spread = set(taken), [], dict(answers)
        for line in lines:
            answer = answers[line.key]
            if answer and answer.others:
                choosing.append(line)
            elif answer:
                taken |= self._claimed(answer)

        def turn(line):
            answer = answers[line.key]
            is_guess = any(reason.code in ("amount_only", "batch") for reason in answer.reasons)
            return is_guess, STEPS.index(answer.step), -line.day.toordinal(), str(line.key)

        for line in sorted(choosing, key=turn):
            answer = answers[line.key]
            options = (answer, *answer.others)
            best = next((one for one in options if taken.isdisjoint(self._claimed(one))), answer)
            spread[line.key] = best._replace(others=tuple(one for one in options if one is not best))
            taken |= self._claimed(best)
        return spread

    def _claimed(self, answer):
        """Everything that would be settled, including the payments of a batch and the documents of a payment."""
        waiting = [(one.kind, one.key) for one in answer.counterparts if one.kind in (ITEM, PAYMENT, BATCH, RETURN)]
        claimed = set()
        while waiting:
            key = waiting.pop()
            if key in claimed:
                continue
            claimed.add(key)
            candidate = self.candidates.all.get(key)
            waiting += [(ITEM, item) for item in getattr(candidate, "pays", ())]
            waiting += [(PAYMENT, payment) for payment in getattr(candidate, "payments", ())]
        return claimed


def _first(answers):
    """:return: the first answer, with the equally good others"""
    first, *others = answers
    return first._replace(others=tuple(others))


def _why_amount(one):
    if one.kind == BATCH and one.payments:
        return (Reason("batch", (one.day,)),)
    return (Reason("amount_only"),)


def _nearness(line, documents):
    """Sort key: the nearest before the payment first, then the nearest after it, then those without a date."""
    days = [one.day for one in documents if one.day]
    distance = (line.day - max(days)).days if days else 0
    return (not days, distance < 0, abs(distance), [order(one) for one in documents])


def _choices(line, named):
    """Selections of documents that add up to the line; single documents first, the nearest in date first."""
    choices = choose(line, named)
    if len(choices) < 2:
        return choices
    alone = [[one] for one in named if choose(line, [one])]
    # Why not fewer: several choices must stay ambiguous, so that none is booked automatically.
    return sorted(alone, key=lambda chosen: _nearness(line, chosen))[:MOST_OPTIONS] if len(alone) > 1 else choices


def target_of_rest(line, named):
    """The rest of the line after the documents that it names, if it has the line's sign."""
    if any(one.currency != line.currency for one in named):
        return ZERO
    return line.amount - sum(map(net, named), ZERO)


def _not_paid(named, chosen):
    """Named documents that are not chosen, and whose reference none of the chosen ones has."""
    return [one for one in named if one not in chosen and not any(_share(one, other) for other in chosen)]


def _share(one, other):
    """Whether both have the same number or reference, like instalments of one invoice."""
    return bool({one.number, *one.references} & {other.number, *other.references} - {""})


def _codes(solution):
    return {reason.code for reason in solution.reasons}


__all__ = ["EVERYTHING", "NONE", "STEPS", "Answer", "Books", "Line", "Matcher", "OpenItem", "Policy", "decide"]
