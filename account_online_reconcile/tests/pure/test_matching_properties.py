"""What holds of every decision, whatever the lines and the documents are."""

import random
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from account_online_reconcile.matching.decide import Books, decide
from account_online_reconcile.matching.facts import (
    EVERYTHING,
    Batch,
    Charges,
    Discount,
    Line,
    Money,
    OpenItem,
    Payment,
    Policy,
)
from account_online_reconcile.matching.rules import Rule, RuleLine

DAY = date(2026, 5, 4)
#: Few of everything, so that much of it meets.
AMOUNTS = [Decimal(text) for text in ("10", "20", "30", "50", "98", "100", "-10", "-30", "-50", "-100", "0.05")]
PARTNERS = [None, 1, 2]
NUMBERS = ["INV/2026/00001", "INV/2026/00002", "INV/2026/00003", "+++010/8068/17183+++", ""]

days = st.integers(-20, 20).map(lambda days: DAY + timedelta(days=days))
amounts = st.sampled_from(AMOUNTS)
partners = st.sampled_from(PARTNERS)
currencies = st.sampled_from(["EUR", "EUR", "EUR", "USD"])


@st.composite
def items(draw, key):
    amount = draw(amounts)
    return OpenItem(
        key,
        amount,
        draw(currencies),
        number=f"INV/2026/{draw(st.integers(1, 4)):05}",
        references=(draw(st.sampled_from(NUMBERS)),),
        partner=draw(partners),
        day=draw(st.one_of(st.none(), days)),
        discount=draw(st.one_of(st.none(), days.map(lambda day: Discount(day, amount * Decimal("0.98"))))),
    )


@st.composite
def payments(draw, key):
    return Payment(
        key, draw(amounts), partner=draw(partners), end_to_end=draw(st.sampled_from(["", "E1"])),
        pays=tuple(draw(st.sets(st.integers(0, 5), max_size=2))), is_settled=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def batches(draw, key):
    return Batch(
        key, draw(amounts), end_to_end=draw(st.sampled_from(["", "E1"])), fee=Decimal(draw(st.sampled_from([0, -2]))),
        payments=tuple(draw(st.sets(st.integers(0, 3), max_size=2))),
    )  # fmt: skip


@st.composite
def lines(draw, key):
    foreign = draw(st.one_of(st.none(), amounts.map(lambda amount: Money(amount, "USD"))))
    words = draw(st.lists(st.sampled_from([*NUMBERS, "fee", "INV/2026/00099"]), max_size=3))
    return Line(
        key, draw(days), draw(amounts), label=" ".join(words), partner=draw(partners), foreign=foreign,
        end_to_end=draw(st.sampled_from(["", "E1"])), journal=draw(st.sampled_from("AB")),
        account=draw(st.sampled_from(["", "BE11", "BE22"])),
    )  # fmt: skip


RULES = [
    Rule(1, "Fees", True, label="contains", label_value="fee", lines=(RuleLine(1, amount="33"), RuleLine(2))),
    Rule(2, "Small", False, amount="lower", most=Decimal("1"), lines=(RuleLine(3, amount="50"),)),
]


@st.composite
def worlds(draw):
    candidates = [draw(items(key)) for key in range(draw(st.integers(0, 6)))]
    candidates += [draw(payments(key)) for key in range(draw(st.integers(0, 3)))]
    candidates += [draw(batches(key)) for key in range(draw(st.integers(0, 2)))]
    some = [draw(lines(key)) for key in range(draw(st.integers(1, 4)))]
    charges = draw(st.sampled_from([None, Charges(Decimal("5"), 656)]))
    policy = Policy(EVERYTHING.steps, charges, draw(st.integers(0, 5)))
    return some, Books(candidates, RULES, accounts={"A": "BE11", "B": "BE22"}), policy


@given(worlds())
def test_what_a_line_is_booked_against_adds_up_to_it(world):
    some, books, policy = world
    decisions = decide(some, books, policy)
    for line in some:
        decision = decisions[line.key]
        total = sum((one.amount for one in decision.counterparts), Decimal(0))
        assert total + decision.rest == line.amount
        assert decision.kind != "automatic" or not decision.rest


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_candidates_is_of_no_consequence(world, chance: random.Random):
    some, books, policy = world
    mixed, candidates = list(some), list(books.candidates)
    chance.shuffle(mixed)
    chance.shuffle(candidates)
    others = decide(mixed, Books(candidates, books.rules, accounts=books.accounts), policy)
    assert decide(some, books, policy) == others


@given(worlds())
def test_never_more_than_what_is_open_is_settled(world):
    some, books, policy = world
    residuals = {(one.kind, one.key): one.amount for one in books.candidates}
    for decision in decide(some, books, policy).values():
        for one in decision.counterparts:
            if one.settles is not None and (one.kind, one.key) in residuals:
                residual = residuals[one.kind, one.key]
                assert abs(one.settles) <= abs(residual)
                assert (one.settles > 0) == (residual > 0)


@given(worlds())
def test_no_document_is_booked_automatically_for_two_lines(world):
    some, books, policy = world
    booked = [
        (one.kind, one.key)
        for decision in decide(some, books, policy).values()
        for one in decision.counterparts
        if decision.kind == "automatic" and one.kind in ("item", "payment", "batch")
    ]
    assert len(booked) == len(set(booked))


@given(worlds())
def test_what_is_booked_automatically_has_no_alternative(world):
    some, books, policy = world
    for decision in decide(some, books, policy).values():
        assert decision.kind != "automatic" or not decision.alternatives


@given(worlds())
def test_an_automatic_decision_is_one_without_its_competitors(world):
    """A second document of the same number, partner and amount turns every certain document into a question."""
    some, books, policy = world
    for line in some:
        decision = decide([line], books, policy)[line.key]
        claimed = [one.key for one in decision.counterparts if one.kind == "item"]
        if decision.kind == "automatic" and len(claimed) == 1 and len(decision.counterparts) == 1:
            (twin,) = (one for one in books.candidates if (one.kind, one.key) == ("item", claimed[0]))
            twins = [*books.candidates, OpenItem(**{**_values(twin), "key": 99})]
            again = decide([line], Books(twins, books.rules, accounts=books.accounts), policy)[line.key]
            assert again.kind != "automatic"


def _values(item):
    names = ("key", "amount", "currency", "number", "references", "partner", "name", "accounts", "day", "discount")
    return {name: getattr(item, name) for name in names}


@given(worlds())
def test_nothing_is_automatic_where_nothing_is_switched_on(world):
    some, books, _policy = world
    assert "automatic" not in {decision.kind for decision in decide(some, books, Policy()).values()}
