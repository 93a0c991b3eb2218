from datetime import date
from decimal import Decimal

import pytest

from account_online_synchronization.client.messages import Transaction
from account_online_synchronization.sync.identity import identify


def coffee(**changes):
    values = {
        "id": None,
        "booked": True,
        "booking_date": date(2026, 5, 3),
        "amount": Decimal("-2.80"),
        "currency": "EUR",
        "remittance": ("Coffee",),
    }
    return Transaction(**(values | changes))


def identifiers(*transactions):
    return [entry.identifier for entry in identify(transactions)]


def test_the_banks_id_is_the_identifier():
    assert identifiers(coffee(id="T1"), coffee(id="T2")) == ["T1", "T2"]


def test_an_id_that_comes_twice_in_one_answer_counts_once():
    assert identifiers(coffee(id="T1"), coffee(id="T1")) == ["T1"]


def test_an_id_that_comes_with_two_contents_hides_none_of_them():
    entries = identify([coffee(id="TAX"), coffee(id="TAX", amount=Decimal("-9.00"))])
    assert [entry.transaction.amount for entry in entries] == [Decimal("-2.80"), Decimal("-9.00")]
    assert len({entry.shared().identifier for entry in entries}) == 2


@pytest.mark.parametrize("positional", ["2026-05-03-1", "20260503-12", "2026-05-03/2"])
def test_a_number_within_the_day_is_not_an_id(positional):
    assert identifiers(coffee(id=positional)) == identifiers(coffee())


@pytest.mark.parametrize("stable", ["2026-05-02-1", "T-2026-05-03-1", "20260503123456789"])
def test_an_id_that_only_looks_like_a_date_is_one(stable):
    assert identifiers(coffee(id=stable)) == [stable]


def test_two_equal_coffees_without_id_stay_two():
    first, second = identifiers(coffee(), coffee())
    assert first != second


def test_the_same_answer_gives_the_same_identifiers_again():
    assert identifiers(coffee(), coffee()) == identifiers(coffee(), coffee())


def test_an_identifier_does_not_depend_on_what_else_is_in_the_window():
    assert identifiers(coffee(booking_date=date(2026, 5, 2)), coffee())[1] == identifiers(coffee())[0]


def test_trailing_zeros_do_not_make_another_transaction():
    assert identifiers(coffee(amount=Decimal("-2.8"))) == identifiers(coffee(amount=Decimal("-2.80")))


def test_each_part_of_the_fingerprint_distinguishes_transactions():
    changes = [
        {"booking_date": date(2026, 5, 4)},
        {"amount": Decimal("-2.81")},
        {"currency": "USD"},
        {"remittance": ("Tea",)},
        {"counterparty_name": "Café"},
        {"counterparty_number": "BE71096123456769"},
        {"reference": "R1"},
    ]
    assert len(set(identifiers(coffee(), *(coffee(**change) for change in changes)))) == len(changes) + 1
