from datetime import date
from decimal import Decimal

import pytest

from account_online_reconcile.matching.documents import choose, settle
from account_online_reconcile.matching.facts import Batch, Charges, Discount, Line, Money, OpenItem, Payment, Policy

DAY = date(2026, 5, 4)


def line(amount, **values):
    return Line(1, DAY, Decimal(amount), **values)


def item(key, amount, **values):
    return OpenItem(key, Decimal(amount), number=f"INV/2026/{key:05}", **values)


def shown(solution):
    return [(one.kind, one.key, str(one.amount), str(one.settles)) for one in solution.counterparts]


def test_one_document_of_the_amount_is_settled():
    assert shown(settle(line("121.00"), [item(1, "121.00")], Policy())) == [("item", 1, "121.00", "121.00")]


def test_several_documents_that_add_up_are_settled():
    solution = settle(line("30"), [item(2, "20"), item(1, "10")], Policy())
    assert solution.is_certain
    assert [one.key for one in solution.counterparts] == [1, 2]


def test_a_credit_note_is_netted():
    assert settle(line("90"), [item(1, "100"), item(2, "-10")], Policy()).is_certain


def test_a_part_leaves_the_newest_document_open():
    old, new = item(1, "60", day=date(2026, 1, 1)), item(2, "60", day=date(2026, 2, 1))
    solution = settle(line("80"), [new, old], Policy())
    assert shown(solution) == [("item", 1, "60", "60"), ("item", 2, "20", "20")]
    left = Money(Decimal("40"), "EUR")
    assert (solution.is_certain, solution.reasons[0].code, solution.reasons[0].values) == (False, "part", (left,))


def test_too_much_leaves_a_rest():
    solution = settle(line("150"), [item(1, "100")], Policy())
    assert (solution.is_certain, solution.rest) == (False, Decimal("50"))


def test_the_other_direction_settles_nothing():
    assert settle(line("-100"), [item(1, "100")], Policy()) is None


@pytest.mark.parametrize(("until", "is_certain"), [(DAY, True), (date(2026, 5, 3), False)])
def test_a_discount_is_certain_only_in_time(until, is_certain):
    invoice = item(1, "100", discount=Discount(until, Decimal("98")))
    solution = settle(line("98"), [invoice], Policy(discount_days=3))
    assert solution.is_certain == is_certain
    assert shown(solution) == [("item", 1, "100", "100"), ("discount", 1, "-2", "None")]


def test_a_discount_long_ago_is_a_part():
    invoice = item(1, "100", discount=Discount(date(2026, 4, 1), Decimal("98")))
    assert settle(line("98"), [invoice], Policy(discount_days=3)).reasons[0].code == "part"


def test_the_discount_of_a_bill_is_money_that_is_kept():
    bill = item(1, "-100", discount=Discount(DAY, Decimal("-97")))
    assert shown(settle(line("-97"), [bill], Policy())) == [("item", 1, "-100", "-100"), ("discount", 1, "3", "None")]


@pytest.mark.parametrize(("amount", "code"), [("92.50", "charges"), ("92.49", "part")])
def test_charges_are_taken_up_to_the_limit(amount, code):
    policy = Policy(charges=Charges(Decimal("7.50"), 656))
    assert settle(line(amount), [item(1, "100")], policy).reasons[0].code == code


def test_charges_are_never_taken_of_money_that_goes_out():
    policy = Policy(charges=Charges(Decimal("7.50"), 656))
    assert not settle(line("-95"), [item(1, "-100")], policy).is_certain


def test_the_amount_before_the_conversion_settles_a_document_in_its_currency():
    paid = line("92.11", foreign=Money(Decimal("100"), "USD"))
    solution = settle(paid, [item(1, "100", currency="USD")], Policy())
    assert solution.is_certain
    assert shown(solution) == [("item", 1, "92.11", "100")]


def test_the_converted_amount_is_shared_out_without_a_rest():
    paid = line("100.00", foreign=Money(Decimal("3"), "USD"))
    solution = settle(paid, [item(key, "1", currency="USD") for key in (1, 2, 3)], Policy())
    assert [str(one.amount) for one in solution.counterparts] == ["33.33", "33.33", "33.34"]


def test_without_the_amount_before_the_conversion_nothing_is_certain():
    solution = settle(line("92.11"), [item(1, "100", currency="USD")], Policy())
    assert (solution.is_certain, solution.reasons[0].code) == (False, "other_currency")


def test_a_payout_is_the_payments_less_the_fee():
    payout = Batch(7, Decimal("100.00"), fee=Decimal("-1.40"), fee_account=627)
    solution = settle(line("98.60"), [payout], Policy())
    assert solution.is_certain
    assert [(one.kind, one.key, str(one.amount)) for one in solution.counterparts] == [
        ("batch", 7, "100.00"),
        ("account", 627, "-1.40"),
    ]


def test_a_payment_in_transit_is_settled_whole_or_not_at_all():
    assert settle(line("50"), [Payment(1, Decimal("100"))], Policy()) is None


def test_the_sums_of_many_equal_amounts_are_ambiguous_and_bounded():
    items = [item(key, "10") for key in range(300)]
    assert len(choose(line("20"), items)) == 2
