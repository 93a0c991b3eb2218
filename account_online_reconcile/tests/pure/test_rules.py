"""What core's help texts say of ``account.reconcile.model`` and its lines."""

from datetime import date
from decimal import Decimal

import pytest

from account_online_reconcile.matching.facts import Line
from account_online_reconcile.matching.rules import Rule, RuleBook, RuleLine

FEES = (RuleLine(account=656),)
#: Core's own example.
BRT = "R:9672938 10/07 AX 9415126318 T:5L:NA BRT: 3358,07 C:"


def line(amount="-12.50", label="Monthly FEE", **values):
    return Line(1, date(2026, 5, 4), Decimal(amount), label=label, **values)


def applies(rule, **values):
    return RuleBook([rule]).apply(line(**values)) is not None


def booked(lines, **values):
    applied = RuleBook([Rule(1, label="contains", label_value="", amount="greater", lines=lines)])
    applied = RuleBook([Rule(1, amount="greater", lines=lines)]).apply(line(**values)) or applied
    return [(one.key, str(one.amount)) for one in applied.counterparts], applied.rest


@pytest.mark.parametrize(
    ("label", "value", "holds"),
    [
        ("contains", "fee", True),
        ("contains", "tax", False),
        ("not_contains", "fee", False),
        ("not_contains", "tax", True),
        ("match_regex", r"^month\w+ fee$", True),
        ("match_regex", r"^fee", False),
        ("match_regex", r"(", False),
    ],
)
def test_the_label_is_compared_in_any_case(label, value, holds):
    assert applies(Rule(1, label=label, label_value=value, lines=FEES)) == holds


@pytest.mark.parametrize("field", ["label", "details", "note"])
def test_the_label_may_be_in_any_of_the_texts(field):
    values = {"label": "x", field: "Account fee"}
    assert applies(Rule(1, label="contains", label_value="fee", lines=FEES), **values)


@pytest.mark.parametrize(
    ("amount", "holds"),
    [("lower", (True, True, False)), ("greater", (False, True, True)), ("between", (False, True, False))],
)
def test_the_amount_is_compared_without_its_sign(amount, holds):
    limits = {"least": Decimal("10"), "most": Decimal("10")}
    rule = Rule(1, amount=amount, lines=FEES, **limits)
    assert tuple(applies(rule, amount=value) for value in ("-9.99", "-10", "10.01")) == holds


def test_the_partner_has_to_be_one_of_the_rule():
    rule = Rule(1, partners=frozenset([7]), lines=FEES)
    assert applies(rule, partner=7)
    assert not applies(rule, partner=8)


def test_the_journal_has_to_be_one_of_the_rule():
    rule = Rule(1, label="contains", label_value="fee", journals=frozenset(["A"]), lines=FEES)
    assert applies(rule, journal="A")
    assert not applies(rule, journal="B")


def test_a_rule_without_a_condition_never_applies():
    assert not applies(Rule(1, lines=FEES))


def test_the_first_rule_in_the_users_order_applies():
    rules = [Rule(key, label="contains", label_value="fee", lines=FEES) for key in (5, 3)]
    assert RuleBook(rules).apply(line()).rule.key == 5


def test_a_rule_with_a_partner_and_no_account_says_who_it_is():
    rule = Rule(1, label="contains", label_value="fee", lines=(RuleLine(partner=7),))
    assert RuleBook([rule]).partner_of(line()) == 7
    assert RuleBook([rule]).apply(line()) is None


def test_a_percentage_is_of_what_the_lines_before_have_left():
    lines = (RuleLine(account=1, amount="50"), RuleLine(account=2, amount="50"), RuleLine(account=3))
    assert booked(lines, amount="100") == ([(1, "50.00"), (2, "25.00"), (3, "25.00")], 0)


def test_a_percentage_of_the_statement_line_is_of_all_of_it():
    lines = (RuleLine(account=1, amount_type="percentage_st_line", amount="40"), RuleLine(account=2))
    assert booked(lines, amount="-100") == ([(1, "-40.00"), (2, "-60.00")], 0)


def test_a_fixed_amount_is_a_credit_if_it_is_positive():
    lines = (RuleLine(account=1, amount_type="fixed", amount="-2"), RuleLine(account=2))
    assert booked(lines, amount="98") == ([(1, "-2.00"), (2, "100.00")], 0)


def test_an_amount_is_read_out_of_the_label():
    lines = (RuleLine(account=1, amount_type="regex", amount=r"BRT: ([\d,]+)"), RuleLine(account=2))
    assert booked(lines, amount="3000", label=BRT) == ([(1, "3358.07"), (2, "-358.07")], 0)


def test_an_expression_that_finds_nothing_books_nothing():
    lines = (RuleLine(account=1, amount_type="regex", amount=r"FEE ([\d,]+)"), RuleLine(account=2))
    assert booked(lines, amount="3000", label=BRT) == ([(2, "3000.00")], 0)


def test_rounding_leaves_no_rest():
    lines = (RuleLine(account=1, amount="33.33"), RuleLine(account=2, amount="50"), RuleLine(account=3))
    assert booked(lines, amount="0.05") == ([(1, "0.02"), (2, "0.02"), (3, "0.01")], 0)


def test_amounts_are_rounded_as_the_currency_has_it():
    lines = (RuleLine(account=1, amount="33"), RuleLine(account=2))
    assert booked(lines, amount="100", decimals=0) == ([(1, "33"), (2, "67")], 0)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "-", "abc", ""])
def test_an_invalid_number_books_nothing(text):
    assert booked((RuleLine(account=1, amount_type="fixed", amount=text),), amount="5")[1] == 5
