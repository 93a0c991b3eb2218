from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.sync.duplicates import Row, _similar, find_groups

DAY = date(2026, 5, 20)


def row(line_id, days=0, amount="-3.00", number="", text="", **values):
    return Row(line_id, DAY - timedelta(days=days), Decimal(amount), 1, number, text, **values)


def found(*rows):
    return [([one.line_id for one in group.rows], group.evidence) for group in find_groups(list(rows))]


def test_one_day_and_amount_is_a_group():
    assert found(row(1), row(2), row(3, days=1), row(4, amount="3.00")) == [([1, 2], "same_day")]


def test_two_account_numbers_are_two_transactions():
    assert found(row(1, number="A"), row(2, number="B")) == []


def test_one_account_number_is_stronger_than_none():
    assert found(row(1, number="A"), row(2, number="A"), row(3, number="B")) == [([1, 2], "same_number")]


def test_an_unknown_number_may_be_any():
    """The line that was typed knows no account number, the bank's has one: the most frequent double."""
    assert found(row(1), row(2, number="A", account_id=1, identifier="T1")) == [([1, 2], "same_day")]


def test_equal_texts_speak_for_one_transaction():
    assert found(row(1, text="Rent"), row(2, text="Rent")) == [([1, 2], "same_text")]


def test_lines_with_different_ids_of_the_bank_come_last():
    """Two coffees: the bank itself says that they are two."""
    coffees = [row(1, account_id=1, identifier="T1"), row(2, account_id=1, identifier="T2")]
    assert found(*coffees, row(3, amount="9"), row(4, amount="9")) == [([3, 4], "same_day"), ([1, 2], "told_apart")]


def test_an_id_that_came_by_two_connections_is_the_strongest_evidence():
    rows = [row(1, account_id=1, identifier="T1"), row(2, days=2, account_id=2, identifier="T1")]
    assert found(row(3, amount="9"), row(4, amount="9"), *rows) == [([2, 1], "same_id"), ([3, 4], "same_day")]


def test_an_id_of_another_amount_is_not_evidence():
    """Some banks give one id to several transactions."""
    assert found(row(1, account_id=1, identifier="T"), row(2, amount="4", account_id=2, identifier="T")) == []


def test_what_the_import_has_named_comes_with_it_however_far_away():
    assert found(row(1, days=12), row(2, is_marked=True, similar_id=1)) == [([1, 2], "marked")]


def test_a_line_of_one_account_twice_within_some_days_is_found():
    """A provider was changed before such doubles were marked, and dates a day later."""
    twice = [row(n, days=n, text="Rent", account_id=1, identifier=f"T{n}") for n in (0, 1)]
    assert found(*twice) == [([1, 0], "near_days")]
    assert found(twice[0], twice[1]._replace(text="Gym")) == []
    assert found(twice[0], twice[1]._replace(date=DAY - timedelta(days=6))) == []


def test_an_amount_that_comes_again_and_again_is_a_habit():
    assert found(*(row(n, days=n, text="Coffee", account_id=1, identifier=f"T{n}") for n in range(3))) == []


def test_what_the_import_has_marked_comes_with_what_is_similar():
    assert found(row(1, days=3), row(2, is_marked=True), row(3, days=4)) == [([1, 2], "marked")]


def test_a_marked_line_whose_double_is_gone_is_none():
    assert found(row(1, is_marked=True), row(2, days=4)) == []


def test_what_the_provider_flags_is_shown_even_alone():
    assert found(row(1, is_flagged=True)) == [([1], "flagged")]


def test_a_group_that_a_user_has_seen_does_not_come_back_before_a_line_joins_it():
    seen = [row(1, is_distinct=True), row(2, is_distinct=True)]
    assert found(*seen) == []
    assert found(*seen, row(3)) == [([1, 2, 3], "same_day")]


def test_the_latest_days_come_first():
    assert [group for group, _evidence in found(row(1, days=5), row(2, days=5), row(3), row(4))] == [[3, 4], [1, 2]]


rows = st.builds(
    row,
    st.integers(1, 1000),
    st.integers(0, 6),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["", "A", "B"]),
    st.sampled_from(["", "x"]),
    account_id=st.sampled_from([None, 1, 2]),
    identifier=st.sampled_from([None, "T1", "T2"]),
    is_marked=st.booleans(),
    is_distinct=st.booleans(),
)


@given(st.lists(rows, unique_by=lambda one: one.line_id))
def test_each_line_is_in_one_group_at_most_and_amounts_are_never_mixed(some):
    groups = find_groups(some)
    ids = [one.line_id for group in groups for one in group.rows]
    assert len(ids) == len(set(ids))
    assert all(len({one.amount for one in group.rows}) == 1 for group in groups)


def test_a_bank_that_flags_everything_costs_no_more_than_it_has_lines():
    some = [row(number, days=number % 3, is_flagged=True) for number in range(2000)]
    assert sum(map(len, _similar(some))) == len(some)
    ((line_ids, evidence),) = found(*some)
    assert (sorted(line_ids), evidence) == (list(range(2000)), "flagged")


def test_flagged_ones_far_apart_are_groups_of_their_own():
    some = [row(1, days=0, is_flagged=True), row(2, days=3), row(3, days=20, is_flagged=True), row(4, days=22)]
    assert sorted(sorted(line_ids) for line_ids, _evidence in found(*some)) == [[1, 2], [3, 4]]
