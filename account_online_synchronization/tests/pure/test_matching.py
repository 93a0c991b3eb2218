from datetime import date
from decimal import Decimal

import pytest

from account_online_synchronization.client.messages import Transaction
from account_online_synchronization.sync.identity import Entry, digest, identify
from account_online_synchronization.sync.matching import Known, match

FIRST_DAY = date(2026, 5, 1)


def payment(bank_id="T1", amount="-2.80", day=3, **values):
    day = day if isinstance(day, date) else date(2026, 5, day)
    return Transaction(
        id=bank_id,
        booked=True,
        booking_date=day,
        amount=Decimal(amount),
        currency=values.pop("currency", "EUR"),
        remittance=(values.pop("text", "Coffee"),),
        **values,
    )


def stored(*payments, kind="line"):
    """What an earlier run has stored of these payments: records 0, 1, 2 …"""
    return [
        Known(kind, number, found.entry.identifier, found.entry.digest)
        for number, found in enumerate(match(identify(payments), []))
    ]


def compare(before, now, first_day=FIRST_DAY, removed=(), since=None):
    """:return: for each payment that is shown now: what it is, and the record that it is"""
    before = before if before and isinstance(before[0], Known) else stored(*before)
    found = match(identify(now), before, first_day, frozenset(removed), since)
    return [one.kind if one.known is None else (one.kind, one.known.record_id) for one in found]


def changes(before, now):
    """One run in which only changes are reported."""
    return compare(before, now, first_day=None)


# -------------------------------------------------------------------------------------------------
# The same
# -------------------------------------------------------------------------------------------------


def test_what_was_stored_is_known():
    both = [payment("T1"), payment("T2", "-9.00")]
    assert compare(both, both) == [("same", 0), ("same", 1)]


def test_known_transactions_under_one_id_keep_their_identifiers():
    both = [payment("TAX", "-1.00"), payment("TAX", "-2.00")]
    before = stored(*both)
    assert [found.entry.identifier for found in match(identify(both), before, FIRST_DAY)] == [
        known.identifier for known in before
    ]
    assert len({known.identifier for known in before}) == 2


def test_line_without_a_digest_is_one_transaction_only():
    both = [payment("TAX", "-1.00"), payment("TAX", "-2.00")]
    assert compare([Known("line", 0, "TAX", None)], both) == [("same", 0), "new"]


def test_what_was_never_seen_is_new():
    assert compare([payment("T1")], [payment("T1"), payment("T2")]) == [("same", 0), "new"]


def test_the_order_of_the_bank_is_kept():
    first, second, third = payment("T1"), payment("T2", "-9.00"), payment("T3", "-7.00")
    assert compare([first, second], [third, second, first]) == ["new", ("same", 1), ("same", 0)]


@pytest.mark.parametrize("kind", ["parked", "left_out", "deleted"])
def test_kept_transactions_are_known_too(kind):
    assert compare(stored(payment(), kind=kind), [payment()]) == [("same", 0)]


def test_where_a_line_and_a_remembered_transaction_have_one_id_the_line_counts():
    line, beside = stored(payment())[0], Known("deleted", 7, "T1", digest(payment()))
    assert compare([line, beside], [payment()]) == compare([beside, line], [payment()]) == [("same", 0)]


def test_what_was_stored_before_contents_were_is_known_by_its_id_alone():
    assert compare([Known("line", 0, "T1", None)], [payment("T1", "-9.00", text="Whatever")]) == [("same", 0)]


def test_what_was_stored_before_contents_were_never_counts_as_vanished():
    assert compare([Known("line", 0, "T1", None)], [payment("T2")]) == ["new"]


# -------------------------------------------------------------------------------------------------
# New ids for what is known: a renewed consent, another provider
# -------------------------------------------------------------------------------------------------


def test_the_same_content_under_a_new_id_is_the_same_payment():
    assert compare([payment("OLD")], [payment("NEW")]) == [("moved", 0)]


def test_a_moved_payment_takes_its_new_id():
    found = match(identify([payment("NEW")]), stored(payment("OLD")), FIRST_DAY)
    assert found[0].entry.identifier == "NEW"


def test_a_second_equal_payment_is_new_while_the_first_is_still_shown():
    assert compare([payment("T1")], [payment("T1"), payment("T2")]) == [("same", 0), "new"]


def test_equal_coffees_with_new_ids_are_recognised_one_by_one():
    before = [payment("OLD1"), payment("OLD2")]
    now = [payment("NEW1"), payment("NEW2"), payment("NEW3")]
    assert compare(before, now) == [("moved", 0), ("moved", 1), "new"]


def test_a_stored_payment_is_never_recognised_twice():
    now = [payment("NEW"), payment("NEW2", text="Coffee, again")]
    assert compare([payment("OLD")], now) == [("moved", 0), "new"]


def test_what_lies_before_the_window_has_not_vanished():
    assert compare([payment("OLD", day=date(2026, 4, 30))], [payment("NEW", day=date(2026, 4, 30))]) == ["new"]


def test_the_first_day_of_the_window_belongs_to_it():
    assert compare([payment("OLD", day=FIRST_DAY)], [payment("NEW", day=FIRST_DAY)]) == [("moved", 0)]


def test_a_history_shorter_than_requested_says_nothing_of_the_days_that_it_lacks():
    before = [payment("OLD", day=2), payment("OLD2", day=9)]
    now = [payment("NEW2", day=9)]
    assert compare(before, now, first_day=date(2026, 5, 9)) == [("moved", 1)]


def test_new_ids_that_several_payments_share_stay_apart():
    """A bank that names all payments of a tax by one code, after one that had an id for each."""
    before = [payment("OLD1", "-1.00"), payment("OLD2", "-2.00")]
    now = [payment("TAX", "-1.00"), payment("TAX", "-2.00"), payment("TAX", "-3.00")]
    found = match(identify(now), stored(*before), FIRST_DAY)
    assert [one.kind for one in found] == ["moved", "moved", "new"]
    assert len({one.entry.identifier for one in found}) == 3


# -------------------------------------------------------------------------------------------------
# Other contents under known ids
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "now",
    [payment(text="Coffee and cake"), payment(amount="-3.80"), payment(day=4), payment(currency="USD")],
    ids=["text", "amount", "day", "currency"],
)
def test_other_content_under_the_same_id_is_a_change(now):
    assert compare([payment()], [now]) == [("changed", 0)]


def test_a_change_may_move_a_payment_out_of_the_window_it_was_in():
    assert compare([payment(day=3)], [payment(day=date(2026, 4, 29))]) == [("changed", 0)]


def test_an_id_with_its_old_content_before_the_window_is_shared_and_not_changed():
    """Changing a line of last year because a tax code comes again would be worse than a second line."""
    assert compare([payment("TAX", day=date(2026, 4, 2))], [payment("TAX", "-9.00")]) == ["new"]


def test_a_new_payment_under_a_known_id_gets_an_identifier_of_its_own():
    """PostgreSQL would refuse it otherwise."""
    old, now = stored(payment("T1", day=date(2026, 4, 20))), payment("T1", "-9.00")
    (found,) = match(identify([now]), old, FIRST_DAY)
    assert found.kind == "new"
    assert found.entry.identifier == Entry("T1", digest(now), now).shared().identifier


def test_the_first_payment_of_the_window_may_move_to_a_later_day():
    """It was asked for on its old day, too, and is not there any more."""
    before, now = [payment(day=3)], [payment(day=5), payment("T2", day=8)]
    assert compare(before, now, first_day=date(2026, 5, 5), since=FIRST_DAY) == [("changed", 0), "new"]


@pytest.mark.parametrize("day", [9, 15])
def test_an_equal_id_and_amount_is_the_same_payment_some_days_later(day):
    day = date(2026, 5, day)
    assert compare([payment("T1", day=3)], [payment("T1", day=day)], first_day=day, since=day) == [("changed", 0)]


@pytest.mark.parametrize("kind", ["line", "deleted", "left_out"])
@pytest.mark.parametrize("day", [date(2026, 5, 16), date(2026, 6, 3), date(2026, 9, 3)], ids=str)
def test_an_equal_id_weeks_after_a_payment_whose_day_is_not_shown_is_another_one(day, kind):
    """A standing order, all of whose payments have one id."""
    (found,) = match(identify([payment("T1", day=day)]), stored(payment("T1", day=3), kind=kind), day, since=day)
    assert (found.kind, found.similar and found.similar.record_id) == ("new", None if kind == "left_out" else 0)
    assert found.entry.identifier != "T1"


@pytest.mark.parametrize("since", [FIRST_DAY, None])
def test_an_equal_id_weeks_later_is_another_one_where_the_history_does_not_reach_back(since):
    day = date(2026, 6, 3)
    assert compare([payment("T1", day=3)], [payment("T1", day=day)], first_day=day, since=since) == ["new"]


def test_a_payment_moves_by_weeks_if_its_day_is_shown_without_it():
    now = [payment("T0", day=2), payment("T1", day=date(2026, 6, 3))]
    assert compare([payment("T0", day=2), payment("T1", day=3)], now, since=FIRST_DAY) == [("same", 0), ("changed", 1)]


def test_a_payment_moves_by_weeks_if_the_bank_has_withdrawn_it():
    day, before = date(2026, 6, 3), stored(payment("T1", day=3))
    now = [payment("T1", day=day)]
    assert compare(before, now, first_day=day, removed=["T1"], since=day) == [("changed", 0)]
    withdrawn = [known._replace(is_withdrawn=True) for known in before]
    assert compare(withdrawn, now, first_day=day, since=day) == [("changed", 0)]


def test_a_payment_moves_by_weeks_if_a_list_of_changes_says_so():
    assert changes([payment("T1", day=3)], [payment("T1", day=date(2026, 6, 3))]) == [("changed", 0)]


def test_an_equal_id_that_names_several_payments_has_not_moved():
    before = [payment("TAX", day=1), payment("TAX", "-9.00", day=3)]
    assert compare(before, [payment("TAX", day=9)], first_day=date(2026, 5, 9), since=date(2026, 5, 9)) == ["new"]


def test_two_vanished_ones_that_shared_an_id_are_ambiguous():
    before = stored(payment("TAX", "-9.00", day=2), payment("TAX", day=3), payment("TAX", day=4))[1:]
    (found,) = match(identify([payment("TAX", day=7)]), before, FIRST_DAY, since=FIRST_DAY)
    assert (found.kind, found.similar.record_id) == ("new", 2)


def test_one_before_the_window_whose_id_is_shown_has_not_gone():
    before = stored(payment("TAX", "-9.00", day=date(2026, 4, 29)))
    now = identify([payment("TAX", "-5.00", day=3), payment("NEW", "-9.00", day=2)])
    assert [one.similar for one in match(now, before, date(2026, 5, 2), since=date(2026, 5, 2))] == [None, None]


def test_of_two_that_shared_an_id_the_one_that_has_gone_has_moved():
    before = [payment("TAX", day=3), payment("TAX", day=4)]
    assert compare(before, [payment("TAX", day=3), payment("TAX", day=7)]) == [("same", 0), ("changed", 1)]


def test_one_that_shared_its_id_is_found_by_it_on_another_day():
    """The other one of that id has gone since; what is left is known as ``T1 ~…``."""
    before = stored(payment("T1", "-9.00", day=3), payment("T1", day=4))[1:]
    found = compare(before, [payment("T1", day=16)], first_day=date(2026, 5, 16), since=date(2026, 5, 16))
    assert found == [("changed", 1)]


def test_another_amount_after_a_gap_is_not_a_moved_payment():
    before, now = [payment("TAX", day=3)], [payment("TAX", "-9.00", day=9)]
    assert compare(before, now, first_day=date(2026, 5, 9), since=FIRST_DAY) == ["new"]


def test_two_payments_that_exchange_their_ids_are_both_followed():
    before = [payment("T1", "-1.00"), payment("T2", "-2.00")]
    found = compare(before, [payment("T1", "-2.00"), payment("T2", "-1.00")])
    assert found == [("changed", 0), ("changed", 1)]


def test_an_id_that_is_given_to_another_payment_loses_none_of_the_two():
    before = [payment("T1", "-1.00", text="Rent")]
    now = [payment("T9", "-1.00", text="Rent"), payment("T1", "-5.00", text="Shoes")]
    assert compare(before, now) == ["new", ("changed", 0)]


# -------------------------------------------------------------------------------------------------
# One id for several payments
# -------------------------------------------------------------------------------------------------


def test_payments_that_share_an_id_are_distinguished_by_content_in_any_order():
    one, other = payment("TAX", "-1.00"), payment("TAX", "-2.00")
    assert compare([one, other], [one, other]) == [("same", 0), ("same", 1)]
    assert compare([one, other], [other, one]) == [("same", 1), ("same", 0)]


def test_a_further_payment_with_the_shared_id_is_new():
    one, other = payment("TAX", "-1.00"), payment("TAX", "-2.00")
    assert compare([one], [one, other]) == [("same", 0), "new"]


def test_shared_ids_get_unique_identifiers():
    found = match(identify([payment("TAX", "-1.00"), payment("TAX", "-2.00"), payment("TAX", "-3.00")]), [])
    assert len({one.entry.identifier for one in found}) == 3


def test_what_shared_its_id_is_still_known_when_it_comes_alone():
    one, other = payment("TAX", "-1.00"), payment("TAX", "-2.00", day=8)
    assert compare([one, other], [other], first_day=date(2026, 5, 8)) == [("same", 1)]


def test_a_new_text_of_one_that_shares_its_id_is_a_change():
    one, other = payment("TAX", "-1.00"), payment("TAX", "-2.00")
    now = [one, payment("TAX", "-2.00", text="Tax of May")]
    assert compare([one, other], now) == [("same", 0), ("changed", 1)]


# -------------------------------------------------------------------------------------------------
# Numbers within the day, and no ids at all
# -------------------------------------------------------------------------------------------------


def test_numbers_within_the_day_that_shift_move_nothing():
    before = [payment("2026-05-03-1", "-1.00"), payment("2026-05-03-2", "-2.00")]
    now = [payment("2026-05-03-1", "-7.00"), payment("2026-05-03-2", "-1.00"), payment("2026-05-03-3", "-2.00")]
    assert compare(before, now) == ["new", ("same", 0), ("same", 1)]


def test_a_third_equal_coffee_without_id_is_one_new_coffee():
    coffee = payment(None)
    assert compare([coffee, coffee], [coffee, coffee, coffee]) == [("same", 0), ("same", 1), "new"]


def test_a_bank_that_begins_to_give_ids_doubles_nothing():
    assert compare([payment(None), payment(None)], [payment("T1"), payment("T2")]) == [("moved", 0), ("moved", 1)]


def test_a_bank_that_stops_giving_ids_doubles_nothing():
    assert compare([payment("T1"), payment("T2")], [payment(None), payment(None)]) == [("moved", 0), ("moved", 1)]


# -------------------------------------------------------------------------------------------------
# Vanished, and something alike appeared
# -------------------------------------------------------------------------------------------------


def test_a_new_text_under_a_new_id_is_a_change_where_day_and_amount_are_the_same():
    assert compare([payment("OLD")], [payment("NEW", text="Coffee, Main Street")]) == [("changed", 0)]


@pytest.mark.parametrize(
    "now",
    [payment("NEW", day=4, text="x"), payment("NEW", "-2.81", text="x"), payment("NEW", currency="USD", text="x")],
    ids=["day", "amount", "currency"],
)
def test_another_day_amount_or_currency_under_a_new_id_is_another_payment(now):
    assert compare([payment("OLD")], [now]) == ["new"]


def test_like_amounts_are_no_change_while_the_first_is_still_shown():
    assert compare([payment("T1")], [payment("T1"), payment("T2", text="Tea")]) == [("same", 0), "new"]


def test_equal_content_is_stronger_evidence_than_equal_day_and_amount():
    before = [payment("OLD1", text="Coffee"), payment("OLD2", text="Tea")]
    now = [payment("NEW1", text="Tea"), payment("NEW2", text="Coffee, Main Street")]
    assert compare(before, now) == [("moved", 1), ("changed", 0)]


def test_an_id_is_stronger_evidence_than_equal_day_and_amount():
    now = [payment("NEW", text="Tea"), payment("T1", text="Coffee, Main Street")]
    assert compare([payment("T1")], now) == ["new", ("changed", 0)]


# -------------------------------------------------------------------------------------------------
# Lists of changes, and what the bank says is gone
# -------------------------------------------------------------------------------------------------


def test_a_list_of_changes_says_nothing_of_what_it_does_not_name():
    assert changes([payment("OLD")], [payment("NEW")]) == ["new"]


def test_a_list_of_changes_changes_what_it_names_however_old():
    old = payment("T1", day=date(2025, 1, 2))
    assert changes([old], [payment("T1", "-9.00", day=date(2025, 1, 2))]) == [("changed", 0)]


def test_what_is_withdrawn_and_comes_under_a_new_id_is_the_same_payment():
    assert compare([payment("OLD")], [payment("NEW")], first_day=None, removed=["OLD"]) == [("moved", 0)]


def test_what_is_withdrawn_and_comes_with_a_new_text_is_a_change():
    now = [payment("NEW", text="Coffee, Main Street")]
    assert compare([payment("OLD")], now, first_day=None, removed=["OLD"]) == [("changed", 0)]


def test_what_is_withdrawn_before_the_window_may_come_back_in_it():
    old = payment("OLD", day=date(2026, 4, 2))
    assert compare([old], [payment("NEW", day=date(2026, 4, 2))], removed=["OLD"]) == [("moved", 0)]


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_one_that_was_withdrawn_long_ago_is_named_in_a_list_of_changes(is_withdrawn):
    before = [known._replace(is_withdrawn=is_withdrawn) for known in stored(payment("OLD", day=3))]
    (found,) = match(identify([payment("NEW", day=4)]), before)
    assert (found.kind, found.similar and found.similar.record_id) == ("new", 0 if is_withdrawn else None)


def test_a_withdrawn_one_is_not_named_for_another_amount_or_a_far_day():
    before = [known._replace(is_withdrawn=True) for known in stored(payment("OLD", day=3))]
    for other in (payment("NEW", "-2.81", day=4), payment("NEW", day=9)):
        assert match(identify([other]), before)[0].similar is None


def test_withdrawing_something_else_proves_nothing():
    assert compare([payment("OLD")], [payment("NEW")], first_day=None, removed=["OTHER"]) == ["new"]


# -------------------------------------------------------------------------------------------------
# Whatever happens
# -------------------------------------------------------------------------------------------------


def test_identifiers_after_a_match_are_always_unique():
    before = stored(payment("A", "-1.00"), payment("A", "-2.00"), payment(None), payment("B", "-3.00"))
    now = [payment("B", "-1.00"), payment("B", "-2.00"), payment("B"), payment("A", "-3.00"), payment(None)]
    identifiers = [one.entry.identifier for one in match(identify(now), before, FIRST_DAY)]
    assert len(identifiers) == len(set(identifiers))


def test_many_equal_payments_with_new_ids_are_compared_in_a_moment():
    before = [Known("line", number, f"OLD{number}", digest(payment())) for number in range(20_000)]
    now = [Entry(f"NEW{number}", digest(payment()), payment(f"NEW{number}")) for number in range(20_000)]
    assert {found.kind for found in match(now, before, FIRST_DAY)} == {"moved"}
