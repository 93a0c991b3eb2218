"""How much of the labelled lines of :mod:`.bank_lines` is matched rightly, wrongly, not at all."""

from collections import Counter

from account_online_reconcile.matching.decide import Books, decide
from account_online_reconcile.matching.facts import STEPS, Discount, Line, OpenItem, Policy
from account_online_reconcile.tests.pure.bank_lines import SEED, worlds


def books_of(world):
    return Books(
        candidates=[
            OpenItem(
                one.key,
                one.amount,
                world.currency,
                number=one.number,
                references=(one.reference,),
                partner=one.partner,
                name=one.name,
                accounts=(one.account,),
                day=one.day,
                discount=one.discount and Discount(*one.discount),
            )
            for one in world.documents
        ],
        accounts=world.own_accounts,
    )


def lines_of(world):
    return [
        Line(
            one.key,
            one.day,
            one.amount,
            world.currency,
            label=one.label,
            reference=one.reference,
            name=one.name,
            account=one.account,
            journal="bank",
        )
        for one in world.lines
    ]


def measure(seed=SEED):
    """:return: Counter of outcomes; list of (line, decision) that were booked wrongly; of those that were not booked"""
    counts, wrong, missed = Counter(), [], []
    for world in worlds(seed):
        policy = Policy(steps=frozenset(STEPS), prefixes=frozenset(world.prefixes))
        decisions = decide(lines_of(world), books_of(world), policy)
        for line in world.lines:
            decision = decisions[line.key]
            found = frozenset(one.key for one in decision.counterparts if one.kind == "item")
            is_right = found == line.answer
            counts["lines"] += 1
            counts["findable"] += line.is_findable
            if decision.kind == "automatic":
                counts["booked"] += 1
                counts["booked rightly"] += is_right
                counts["found"] += line.is_findable and is_right
                if not is_right:
                    wrong.append((line, decision))
            else:
                counts["proposed rightly"] += decision.kind == "proposal" and is_right and bool(line.answer)
                if line.is_findable:
                    missed.append((line, decision))
    return counts, wrong, missed
