from decimal import Decimal

from account_online_reconcile.matching.facts import AUTOMATIC, DISCOUNT, ITEM, Counterpart, Decision
from account_online_reconcile.matching.replay import compare


def test_a_document_that_was_paid_with_its_discount_is_booked_alike():
    """What is booked names the document; the discount belongs to it."""
    parts = (Counterpart(ITEM, 7, Decimal("495.50")), Counterpart(DISCOUNT, 7, Decimal("-9.91")))
    outcome = compare({1: Decision(1, AUTOMATIC, counterparts=parts)}, {1: {(ITEM, 7)}})
    assert (outcome.alike, outcome.different) == ((1,), ())


def test_another_document_is_booked_differently():
    parts = (Counterpart(ITEM, 8, Decimal("495.50")),)
    assert compare({1: Decision(1, AUTOMATIC, counterparts=parts)}, {1: {(ITEM, 7)}}).different == (1,)
