from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.sync.adoption import Candidate, Wanted, adopt, similar
from account_online_synchronization.sync.likeness import Texts


def wanted(key, day=10, amount="-20.00", digest=None):
    return Wanted(key, date(2026, 5, day), Decimal(amount), digest or f"digest of {key}")


def line(line_id, day=10, amount="-20.00", digest=None):
    return Candidate(line_id, date(2026, 5, day), Decimal(amount), digest)


def texts(words, number=""):
    return Texts(number, "", "", frozenset(words.split()))


def among(line_id, day=10, amount="-20.00"):
    return line(line_id, day, amount)._replace(is_among=True)


def test_a_line_of_the_same_day_and_amount_is_the_transaction():
    assert adopt([wanted("T1")], [line(1)]) == ({"T1": 1}, set())


def test_an_empty_journal_adopts_nothing():
    assert adopt([wanted("T1")], []) == ({}, set())


def test_another_amount_is_another_payment():
    assert adopt([wanted("T1")], [line(1, amount="-20.01")]) == ({}, set())


def test_money_that_came_is_not_money_that_went():
    assert adopt([wanted("T1", amount="20.00")], [line(1, amount="-20.00")]) == ({}, set())


# -------------------------------------------------------------------------------------------------
# As many lines as transactions
# -------------------------------------------------------------------------------------------------


def test_two_coffees_typed_and_two_coffees_reported_are_two_coffees():
    assert adopt([wanted("T1"), wanted("T2")], [line(1), line(2)]) == ({"T1": 1, "T2": 2}, set())


@pytest.mark.parametrize(("reported", "typed"), [(2, 1), (3, 1), (3, 2)])
def test_fewer_lines_than_equal_transactions_are_all_of_them_adopted(reported, typed):
    """One typed line and two equal transactions give two lines, not three."""
    keys = [f"T{number}" for number in range(reported)]
    adopted, ambiguous = adopt([wanted(key) for key in keys], [line(number) for number in range(typed)])
    assert sorted(adopted.values()) == [*range(typed)]
    assert not ambiguous


def test_more_lines_than_transactions_of_a_day_are_not_certain():
    assert adopt([wanted("T1")], [line(1), line(2)]) == ({}, {"T1"})


def test_one_line_and_two_equal_transactions_of_a_later_day_give_two_lines():
    assert adopt([wanted("T1", 11), wanted("T2", 11)], [line(1, 10)]) == ({"T1": 1}, set())


def test_among_equals_of_one_day_texts_decide_in_any_order():
    ones = [wanted("T1")._replace(texts=texts("rent")), wanted("T2")._replace(texts=texts("gym may"))]
    typed = [line(1)._replace(texts=texts("gym"))]
    assert adopt(ones, typed) == adopt(ones[::-1], typed) == ({"T2": 1}, set())
    both = [*typed, line(2)._replace(texts=texts("rent"))]
    assert adopt(ones, both) == adopt(ones, both[::-1]) == ({"T1": 2, "T2": 1}, set())


def test_the_counterpartys_number_says_more_than_a_text():
    ones = [wanted("T1")._replace(texts=texts("gym")), wanted("T2")._replace(texts=texts("x", number="BE1"))]
    assert adopt(ones, [line(1)._replace(texts=texts("gym", number="BE1"))]) == ({"T2": 1}, set())


def test_the_nearest_line_is_named_where_it_is_not_certain():
    ones, typed = [wanted("T1")], [line(1, 8), line(2, 11), line(3, 13)]
    assert similar(ones, typed, adopt(ones, typed)[1]) == {"T1": 2}


def test_exact_days_go_before_near_days():
    """Typed on the 10th and on the 11th, reported on the 10th and on the 11th: each is its own."""
    assert adopt([wanted("T1", 10), wanted("T2", 11)], [line(2, 11), line(1, 10)]) == ({"T1": 1, "T2": 2}, set())


# -------------------------------------------------------------------------------------------------
# Three days apart
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [7, 8, 9, 11, 12, 13])
def test_a_line_up_to_three_days_away_is_the_transaction_without_alternatives(day):
    assert adopt([wanted("T1")], [line(1, day)]) == ({"T1": 1}, set())


@pytest.mark.parametrize("day", [6, 14])
def test_four_days_are_too_far(day):
    assert adopt([wanted("T1")], [line(1, day)]) == ({}, set())


def test_two_near_lines_leave_it_open_which_one_it_is():
    assert adopt([wanted("T1")], [line(1, 9), line(2, 11)]) == ({}, {"T1"})


def test_two_near_transactions_leave_it_open_which_one_it_is():
    assert adopt([wanted("T1", 9), wanted("T2", 11)], [line(1, 10)]) == ({}, {"T1", "T2"})


def test_a_chain_of_neighbours_leaves_it_open():
    """The line of the 10th could be either; so the one of the 7th is not certain to have only one partner."""
    adopted, ambiguous = adopt([wanted("T1", 8), wanted("T2", 12)], [line(1, 6), line(2, 10)])
    assert adopted == {}
    assert ambiguous == {"T1", "T2"}


def test_certain_pairs_are_not_candidates_for_others():
    """The line of the 10th belongs to the transaction of the 10th, so the one of the 12th is left with one line."""
    assert adopt([wanted("T1", 10), wanted("T2", 12)], [line(1, 10), line(2, 13)]) == ({"T1": 1, "T2": 2}, set())


def test_ambiguity_of_one_amount_does_not_touch_another_amount():
    found = adopt([wanted("T1"), wanted("T2", amount="-7.00")], [line(1), line(2), line(3, 11, "-7.00")])
    assert found == ({"T2": 3}, {"T1"})


# -------------------------------------------------------------------------------------------------
# The same content from another connection
# -------------------------------------------------------------------------------------------------


def test_what_another_connection_brought_is_recognised_by_its_content():
    """Three lines of one day and amount, two transactions: the contents say which."""
    lines = [line(1, digest="a"), line(2, digest="b"), line(3, digest="c")]
    found = adopt([wanted("T1", digest="c"), wanted("T2", digest="a")], lines)
    assert found == ({"T1": 3, "T2": 1}, set())


def test_equal_contents_are_given_out_one_by_one():
    lines = [line(1, digest="a"), line(2, digest="a")]
    adopted, ambiguous = adopt([wanted("T1", digest="a"), wanted("T2", digest="a"), wanted("T3", digest="a")], lines)
    assert adopted == {"T1": 1, "T2": 2}
    assert not ambiguous


def test_a_typed_line_has_no_content_that_could_be_equal():
    assert adopt([wanted("T1", 10, digest="a")], [line(1, 20)]) == ({}, set())


def test_no_line_is_given_to_two_transactions():
    lines = [line(1, digest="a"), line(2), line(3, 11), line(4, 12, "-7.00")]
    reported = [wanted("T1", digest="a"), wanted("T2"), wanted("T3", 12), wanted("T4", 13, "-7.00")]
    adopted, _ambiguous = adopt(reported, lines)
    assert len(set(adopted.values())) == len(adopted) == 4


# -------------------------------------------------------------------------------------------------
# Lines of a module before this one
# -------------------------------------------------------------------------------------------------


def test_lines_that_must_match_are_adopted_also_among_more_transactions():
    found, ambiguous = adopt([wanted(key) for key in "abc"], [among(1), among(2)])
    assert (found, ambiguous) == ({"a": 1, "b": 2}, set())


def test_of_coffees_on_each_day_that_are_dated_a_day_later_only_the_last_is_new():
    lines = [among(number, day=number) for number in range(1, 6)]
    found, ambiguous = adopt([wanted(number, day=number) for number in range(2, 7)], lines)
    assert (len(found), ambiguous) == (5, set())


def test_a_line_gets_the_transaction_of_its_own_day_before_any_other():
    found, _ambiguous = adopt([wanted("late", day=4), wanted("own", day=5)], [among(1, day=5)])
    assert found == {"own": 1}


def test_what_is_too_far_away_is_another():
    found, ambiguous = adopt([wanted("a", day=9)], [among(1, day=5)])
    assert (found, ambiguous) == ({}, set())


@given(st.lists(st.integers(1, 12), max_size=8), st.lists(st.integers(1, 12), max_size=8))
def test_as_many_lines_as_possible_are_found(line_days, days):
    lines = [among(number, day=day) for number, day in enumerate(line_days)]
    found, _ambiguous = adopt([wanted(number, day=day) for number, day in enumerate(days)], lines)
    assert len(set(found.values())) == len(found)
    assert all(abs(days[key] - line_days[line]) <= 3 for key, line in found.items())
    assert len(found) == most_pairs(line_days, days)


def most_pairs(line_days, days):
    """In order of days the first that fits is never wrong, because all reach equally far."""
    free, number = sorted(days), 0
    for day in sorted(line_days):
        fitting = [other for other in free if abs(other - day) <= 3]
        if fitting:
            free.remove(fitting[0])
            number += 1
    return number
