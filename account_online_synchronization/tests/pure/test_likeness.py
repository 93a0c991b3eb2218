from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.sync.likeness import NEAR, Texts, Thing, find_shift, nearest, pair, pair_shifted

# A Monday.
DAY = date(2026, 5, 18)


def thing(key, days=0, money="-9 EUR", text="", **values):
    return Thing(key, DAY + timedelta(days=days), money, Texts("", "", "", frozenset(text.split())), **values)


def things(*days, first=0, **values):
    """One of each amount."""
    return [thing(first + number, day, f"-{number} EUR", **values) for number, day in enumerate(days)]


def shift(gone, come, first=DAY - timedelta(days=10)):
    found = find_shift(gone, come, first)
    return found and found.name


# -------------------------------------------------------------------------------------------------
# A whole window
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "name"),
    [
        ((1, 2, 3), (2, 3, 4), "1 day later"),
        ((1, 2, 3), (0, 1, 2), "1 day earlier"),
        ((-2, -1, 2), (0, 0, 2), "weekends on Monday"),
        ((0, 0, 2), (-2, -1, 2), "weekends on Monday"),
        ((-2, -1, 2), (-3, -3, 2), "weekends on Friday"),
        ((0, 1, 2), (4, 5, 6), "4 days later"),
        ((0, 1, 2), (6, 7, 8), None),
        ((0, 1, 2), (0, 1, 2), None),
        ((0, 1, 2), (1, 0, 4), None),
    ],
)
def test_a_window_shifts_in_one_way(before, now, name):
    assert shift(things(*before), things(*now, first=10)) == name


def test_what_equal_days_explain_as_well_has_not_shifted():
    """Of two amounts on two days each the later ones are there: the first ones were withdrawn."""
    gone = [thing(0, 0, "-1 EUR"), thing(1, 0, "-2 EUR"), thing(2, 1, "-1 EUR"), thing(3, 1, "-2 EUR")]
    come = [thing(4, 1, "-1 EUR"), thing(5, 1, "-2 EUR")]
    assert shift(gone, come) is None


def test_one_amount_is_not_a_shift():
    assert shift([thing(0), thing(1, 1)], [thing(2, 1), thing(3, 2)]) is None


def test_more_than_one_in_five_contradictions_exclude_a_shift():
    gone, come = things(*range(5)), things(*range(1, 6), first=10)
    assert shift(gone, [*come[:4], thing(20, 5)]) == "1 day later"
    assert shift(gone, [*come[:3], thing(20, 5)]) is None


def test_days_that_were_not_requested_are_evidence_for_nothing():
    assert shift(things(0, 1, may_be=True, is_requested=False), things(1, 2, first=10)) is None


def test_days_that_the_window_does_not_reach_are_evidence_for_what_is_usual_only():
    assert shift(things(0, 1, may_be=True), things(1, 2, first=10)) == "1 day later"
    assert shift(things(0, 1, may_be=True), things(3, 4, first=10)) is None


def test_what_moves_out_of_the_requested_days_is_not_missed():
    gone = things(0, 1, 2)
    assert shift(gone, things(0, 0, 1, first=10)[1:], first=DAY) == "1 day earlier"


def test_what_has_certainly_gone_goes_before_what_may_still_be_there():
    gone = [thing("perhaps", may_be=True), thing("gone")]
    (found,) = pair_shifted(gone, [thing("come", 1)], find_shift(things(1, 2), things(2, 3, first=10)))
    assert [one.key for one in found] == ["gone", "come"]


# -------------------------------------------------------------------------------------------------
# Among equals
# -------------------------------------------------------------------------------------------------


def keys(pairs):
    return sorted((one.key, other.key) for one, other in pairs)


def test_equal_texts_are_one_in_any_order():
    gone = [thing(1, text="rent may"), thing(2, text="gym")]
    come = [thing(3, text="gym"), thing(4, text="rent may")]
    assert keys(pair(gone, come)) == keys(pair(gone[::-1], come[::-1])) == [(1, 4), (2, 3)]


def test_alike_texts_are_one():
    gone = [thing(1, text="rent may"), thing(2, text="gym")]
    assert keys(pair(gone, [thing(3, text="pos gym"), thing(4, text="pos rent may")])) == [(1, 4), (2, 3)]


def test_nothing_in_common_is_paired_in_the_order_of_the_lists():
    assert keys(pair([thing(1), thing(2)], [thing(3, text="a"), thing(4, text="b")])) == [(1, 3), (2, 4)]


def test_as_many_pairs_as_the_shorter_list_has_also_where_there_are_very_many():
    assert len(pair([thing(n, text=f"{n}") for n in range(2000)], [thing(n, text="x") for n in range(3000)])) == 2000


# -------------------------------------------------------------------------------------------------
# Nearly alike
# -------------------------------------------------------------------------------------------------


def test_equal_texts_are_nearer_than_days():
    gone = [thing(1, 0, text="gym")]
    assert keys(nearest(gone, [thing(2, 1, text="rent"), thing(3, 3, text="gym")])) == [(1, 3)]


def test_another_amount_and_a_far_day_are_not_near():
    gone = [thing(1)]
    assert nearest(gone, [thing(2, 1, "-8 EUR"), thing(3, NEAR.days + 1)]) == []
    assert keys(nearest(gone, [thing(2, NEAR.days)])) == keys(nearest(gone, [thing(2, -NEAR.days)])) == [(1, 2)]


@given(st.lists(st.integers(0, 20), max_size=9), st.lists(st.integers(0, 20), max_size=9))
def test_each_is_in_one_pair_at_most_and_near(before, now):
    found = nearest([thing(n, day) for n, day in enumerate(before)], [thing(n, day) for n, day in enumerate(now)])
    assert len({one.key for one, _other in found}) == len({other.key for _one, other in found}) == len(found)
    assert all(abs(one.day - other.day) <= NEAR for one, other in found)
