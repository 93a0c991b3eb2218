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


def test_the_account_of_somebody_else_is_no_transfer():
    assert not pair([line(1, "A", "-500", account="FR7630006000011234567890189"), line(2, "B", "500")], ACCOUNTS)


def test_lines_of_one_journal_are_no_transfer():
    assert not pair([line(1, "A", "-500"), line(2, "A", "500")], ACCOUNTS)


def test_lines_too_many_days_apart_are_no_transfer():
    assert not pair([line(1, "A", "-500"), line(2, "B", "500", day=20)], ACCOUNTS)


def test_lines_of_two_currencies_are_no_transfer():
    assert not pair([line(1, "A", "-500"), line(2, "B", "500", currency="USD")], ACCOUNTS)
