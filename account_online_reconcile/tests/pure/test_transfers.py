from datetime import date
from decimal import Decimal

from account_online_reconcile.matching.facts import Line
from account_online_reconcile.matching.transfers import pair

ACCOUNTS = {"A": "BE71096123456769", "B": "BE02001234567840"}


def line(key, journal, amount, day=4, account="", currency="EUR"):
    return Line(key, date(2026, 5, day), Decimal(amount), currency, journal=journal, account=account)


def test_the_account_number_of_one_side_confirms_a_transfer():
    sides = pair([line(1, "A", "-500", account="BE02 0012 3456 7840"), line(2, "B", "500", day=6)], ACCOUNTS)
    assert (sides[1].other, sides[2].other, sides[1].is_certain) == (2, 1, True)


def test_opposite_amounts_alone_are_not_certain():
    assert not pair([line(1, "A", "-500"), line(2, "B", "500")], ACCOUNTS)[1].is_certain


def test_two_possible_sides_are_no_pair():
    assert not pair([line(1, "A", "-500"), line(2, "B", "500"), line(3, "B", "500")], ACCOUNTS)


def test_the_account_of_a_third_party_is_not_a_transfer():
    assert not pair([line(1, "A", "-500", account="FR7630006000011234567890189"), line(2, "B", "500")], ACCOUNTS)


def test_lines_of_one_journal_are_no_transfer():
    assert not pair([line(1, "A", "-500"), line(2, "A", "500")], ACCOUNTS)


def test_lines_too_many_days_apart_are_no_transfer():
    assert not pair([line(1, "A", "-500"), line(2, "B", "500", day=20)], ACCOUNTS)


def test_lines_of_two_currencies_are_no_transfer():
    assert not pair([line(1, "A", "-500"), line(2, "B", "500", currency="USD")], ACCOUNTS)


def payout(key, journal, amount, day=4, name="po_1Qx7Yz", text="", account=""):
    return Line(key, date(2026, 5, day), Decimal(amount), journal=journal, payout=name, label=text, account=account)


def arrival(key, amount, text="", day=6, account="IE29AIBK93115212345678", **more):
    return Line(key, date(2026, 5, day), Decimal(amount), journal="B", label=text, account=account, **more)


def test_a_payout_is_paired_by_its_id_in_the_text_of_the_bank():
    sides = pair(
        [payout(1, "S", "-500"), arrival(2, "500", "STRIPE PO 1QX7YZ"), arrival(3, "500", "PAYMENT")], ACCOUNTS
    )
    assert (sides[1].other, sides[2].other, sides[1].is_certain, sides[1].is_payout) == (2, 1, True, True)
    assert 3 not in sides


def test_two_payouts_of_one_amount_are_distinguished_by_their_ids():
    lines = [payout(1, "S", "-500", name="po_AAAAAA"), payout(2, "S", "-500", name="po_BBBBBB")]
    sides = pair([*lines, arrival(3, "500", "po_BBBBBB"), arrival(4, "500", "x", end_to_end="po_AAAAAA")], {})
    assert {key: side.other for key, side in sides.items()} == {1: 4, 4: 1, 2: 3, 3: 2}


def test_a_payout_without_a_name_is_paired_by_amount_and_days_but_uncertain():
    sides = pair([payout(1, "S", "-500"), arrival(2, "500", "STRIPE PAYMENTS UK")], ACCOUNTS)
    assert (sides[2].other, sides[2].is_certain, sides[2].is_payout) == (1, False, True)
    assert not pair([payout(1, "S", "-500"), arrival(2, "500", day=20)], ACCOUNTS)


def test_what_a_service_takes_back_from_the_bank_is_paired_too():
    sides = pair([payout(1, "S", "80"), arrival(2, "-80", "PO_1QX7YZ")], ACCOUNTS)
    assert sides[2].is_certain


def test_payouts_of_two_services_are_not_the_two_sides_of_one():
    assert not pair([payout(1, "S", "-500"), payout(2, "M", "500", name="stl_9")], ACCOUNTS)


def test_a_short_id_proves_nothing():
    assert not pair([payout(1, "S", "-500", name="12"), arrival(2, "500", "12 MAY")], ACCOUNTS)[1].is_certain
