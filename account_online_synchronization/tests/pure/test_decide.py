"""Over days, renewals and providers, and for all amounts, the journal gets as many transactions as the bank has."""

from collections import Counter
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ledger import ONE_DAY, Bank, Ledger, friday, later, monday, same, switched

from account_online_synchronization.sync import decide as deciding
from account_online_synchronization.sync.adoption import Candidate
from account_online_synchronization.sync.decide import Policy, Window, decide
from account_online_synchronization.sync.identity import digest, identify
from account_online_synchronization.sync.matching import Known

TODAY = date(2026, 5, 20)

#: The same examples each time, so that a failure is never only the next person's.
SETTINGS = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))

#: Few amounts, so that many are equal.
AMOUNTS = ["-2.80", "-3.00", "-50.00", "1200.00"]
MOVES = {
    "same": same,
    "1 later": later(1),
    "1 earlier": later(-1),
    "2 later": later(2),
    "2 earlier": later(-2),
    "Monday": monday,
    "Friday": friday,
}

histories = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(AMOUNTS), st.sampled_from(["Coffee", "Rent", "Gym"])), max_size=25
)
moves = st.sampled_from([*MOVES])
names = st.sampled_from(["N{}", "T{}", None])


def check(ledger, bank, today, hidden=MappingProxyType({})):
    """Never fewer lines than the bank has; each line too many is marked, or its bearer was asked about."""
    rows = bank.rows()
    booked = Counter(row.amount for row in rows if row.booking_date < today)
    every = Counter(row.amount for row in rows)
    lines, marks = ledger.amounts(), ledger.marks()
    asked = Counter(line.entry.transaction.amount for line in ledger.lines if line.id in ledger.lost)
    for amount in lines | every:
        assert lines[amount] + hidden.get(amount, 0) >= booked[amount], (
            f"{amount}: {booked[amount] - lines[amount]} are missing"
        )
        surplus = lines[amount] - every[amount]
        assert surplus <= marks[amount] + asked[amount], f"{amount}: {surplus} lines too many and nobody is asked"


@SETTINGS
@given(histories, histories, moves, moves, names, st.booleans(), st.integers(0, 3))
@example([(30 - n, AMOUNTS[n % 4], "Rent") for n in range(25)], [], "same", "1 later", "N{}", True, 1)
@example([(n, "-2.80", "Coffee") for n in range(11)], [(0, "-2.80", "Coffee")], "same", "1 later", "N{}", False, 0)
def test_lines_are_as_many_as_the_bank_has_or_marked(before, after, first, second, name, other_texts, pause):
    """A provider, some runs, then another one that dates, names and describes transactions in its own way."""
    bank, ledger = Bank(move=MOVES[first]), Ledger()
    for back, amount, text in sorted(before, reverse=True):
        bank.book(TODAY - back * ONE_DAY, amount, text)
    history = bank.payments
    for back in range(31, 0, -3):
        bank.payments = [one for one in history if one[1] <= TODAY - back * ONE_DAY]
        ledger.run(bank, TODAY - back * ONE_DAY)
    bank.payments = history
    ledger.run(bank, TODAY)
    bank = switched(
        bank, MOVES[second], name.format if name else lambda number: None, "POS {}".format if other_texts else str
    )
    since = TODAY - 10 * ONE_DAY
    # What leaves the window because its day is earlier now; another one on its day may look like it, letter for letter.
    hidden = Counter(
        amount for _n, day, amount, _text in history if MOVES[first](day) >= since and MOVES[second](day) < since
    )
    for back, amount, text in after:
        bank.book(TODAY + (pause - min(back, 7)) * ONE_DAY, amount, text)
    for days in (0, 0, 1, 7, 20):
        today = TODAY + (pause + days) * ONE_DAY
        ledger.run(bank, today)
        check(ledger, bank, today, hidden)


@SETTINGS
@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.lists(st.integers(0, 9), max_size=9))
def test_coffees_of_a_stable_bank_are_as_many_as_it_has(days, late):
    """Equal amounts on any days, booked late in any order: nothing is paired, and nothing is marked."""
    bank, ledger = Bank(), Ledger()
    for some in (days, late):
        for back in some:
            bank.book(TODAY - back * ONE_DAY, "-2.80")
        ledger.run(bank, TODAY)
        assert ledger.amounts()[Decimal("-2.80")] == len(bank.payments)
        assert not ledger.marks()


@pytest.mark.parametrize(("count", "move"), [(80, later(1)), (49, later(-1)), (5, monday)], ids=["80", "49", "5"])
def test_a_window_that_shifts_in_one_way_stays_one_line_each(count, move):
    bank, ledger = Bank(), Ledger()
    for number in range(count):
        bank.book(TODAY - number * ONE_DAY, f"-{number + 1}", f"Payment {number}")
    ledger.run(bank, TODAY)
    ledger.run(switched(bank, move), TODAY)
    assert (len(ledger.lines), ledger.marks(), ledger.held) == (count, Counter(), [])


@SETTINGS
@given(
    period=st.one_of(st.integers(1, 10), st.integers(13, 35)),
    count=st.integers(2, 5),
    gaps=st.lists(st.sampled_from([1, 1, 1, 2, 7, 40]), min_size=1, max_size=9),
)
def test_a_standing_order_whose_payments_have_one_id_loses_none(period, count, gaps):
    bank, ledger = Bank(name=lambda number: "ORDER"), Ledger()
    order = [TODAY + number * period * ONE_DAY for number in range(count)]
    today = TODAY
    while order:
        while order and order[0] <= today:
            bank.book(order.pop(0), "-50.00", "Rent")
        ledger.run(bank, today)
        assert len(ledger.lines) == len(bank.payments)
        today += gaps[len(ledger.lines) % len(gaps)] * ONE_DAY
    # Why one at most: from the second payment on it is known that the bank repeats this id.
    assert len([line for line in ledger.lines if line.similar_line_id]) <= 1


# -------------------------------------------------------------------------------------------------
# The future
# -------------------------------------------------------------------------------------------------


@SETTINGS
@given(st.integers(0, 9), st.integers(-3, 5), st.sampled_from(["T{}", "N{}", None]), st.booleans())
def test_a_future_row_becomes_one_line_however_it_moves(ahead, moves_by, name, vanishes):
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY - ONE_DAY, "-1")
    bank.book(TODAY + ahead * ONE_DAY, "-300", "Rent")
    ledger.run(bank, TODAY)
    assert len(ledger.lines) == (2 if ahead == 0 else 1)
    if ahead:
        bank = switched(bank, later(moves_by), name.format if name else lambda number: None)
        if vanishes:
            bank.payments.pop()
    for number in range(1, 20):
        ledger.run(bank, TODAY + number * ONE_DAY)
    check(ledger, bank, TODAY + 20 * ONE_DAY)
    assert ledger.amounts()[Decimal("-300")] == len(bank.payments) - 1


def test_what_was_seen_before_its_day_waits_until_that_has_passed():
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY + ONE_DAY, "-300")
    lines = []
    for number in range(3):
        ledger.run(bank, TODAY + number * ONE_DAY)
        lines.append(len(ledger.lines))
    assert lines == [0, 0, 1]


@pytest.mark.parametrize("held_before", [True, False])
def test_a_line_of_a_future_row_that_is_gone_is_asked_about_once(held_before):
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY + ONE_DAY, "-300")
    for number in range(3) if held_before else [1]:
        ledger.run(bank, TODAY + number * ONE_DAY)
    bank.payments.clear()
    for number in range(3, 6):
        ledger.run(bank, TODAY + number * ONE_DAY)
    assert ledger.lost == ([1] if held_before else [])


def test_a_withdrawn_line_is_named_when_a_like_one_comes_later():
    """The bank shows nothing of the days around it any more."""
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY - 2 * ONE_DAY, "-300")
    ledger.run(bank, TODAY)
    ledger.lines[0].is_withdrawn = True
    bank.payments = [(1, TODAY + ONE_DAY, Decimal("-300"), "Coffee"), (2, TODAY + 9 * ONE_DAY, Decimal("-1"), "Tea")]
    ledger.run(bank, TODAY + 12 * ONE_DAY, back=11)
    assert [line.similar_line_id for line in ledger.lines] == [None, 1, None]


def test_of_two_equal_payments_one_was_deleted_by_a_user():
    bank, ledger = Bank(), Ledger()
    for _ in range(2):
        bank.book(TODAY, "-2.80")
    ledger.deleted = [Known("deleted", 7, "OLD", digest(bank.rows()[0]), "deleted")]
    outcomes = [one.outcome for one in ledger.run(bank, TODAY)]
    assert outcomes == [deciding.DELETED, deciding.IMPORT]


def test_before_the_start_is_what_the_first_load_has_seen():
    bank, ledger = Bank(), Ledger(start_date=TODAY - 5 * ONE_DAY)
    bank.book(TODAY - 9 * ONE_DAY, "-1")
    (decision,) = ledger.run(bank, TODAY)
    assert (decision.outcome, decision.reason) == (deciding.LEFT_OUT, deciding.BEFORE_START)
    ledger.beside = [Known("left_out", 7, "T0", decision.entry.digest, deciding.BEFORE_START)]
    assert ledger.run(bank, TODAY).decisions[0].outcome == deciding.LEFT_OUT
    bank.book(TODAY - 8 * ONE_DAY, "-2")
    assert ledger.run(bank, TODAY).decisions[1].outcome == deciding.IMPORT


def test_the_first_requested_day_is_requested():
    bank, ledger = Bank(), Ledger()
    ledger.run(bank, TODAY)
    for back in (10, 11):
        bank.book(TODAY - back * ONE_DAY, "-1")
    window = Window(since=TODAY - 10 * ONE_DAY, booked=bank.rows())
    ledger.window = window
    outcomes = [one.outcome for one in decide(window, Policy(seen_on=TODAY), ledger)]
    assert outcomes == [deciding.IMPORT, deciding.NOT_REQUESTED]


def test_a_monthly_rent_is_not_doubtful():
    """Nothing of the days of the window is known, so no id can have changed."""
    bank, ledger = Bank(), Ledger()
    for months in range(3):
        today = TODAY + 14 * months * ONE_DAY
        bank.book(today - ONE_DAY, "-500", "Rent")
        ledger.run(bank, today)
    assert (len(ledger.lines), ledger.marks()) == (3, Counter())


@pytest.mark.parametrize("reach", [0, 1, 2, 4])
@pytest.mark.parametrize("name", ["T{}".format, lambda number: None], ids=["ids", "no ids"])
def test_a_bank_that_shows_few_days_has_not_shifted_what_it_does_not_show(reach, name):
    """A coffee and a bus ticket each day: what is a day later is another one."""
    bank, ledger = Bank(name=name), Ledger()
    for number in range(14):
        for amount in ("-2.80", "-3.00"):
            bank.book(TODAY + number * ONE_DAY, amount)
        if number:
            ledger.run(bank, TODAY + number * ONE_DAY, reach=reach if number > 2 else 99)
    assert set(ledger.amounts().values()) == {14}


def test_a_typed_line_that_may_be_it_is_named():
    bank, ledger = Bank(), Ledger()
    ledger.typed = [Candidate(number, TODAY - number * ONE_DAY, Decimal("-5")) for number in (2, 1)]
    bank.book(TODAY, "-5")
    (decision,) = ledger.run(bank, TODAY)
    assert (decision.outcome, decision.similar_line_id, decision.has_gone) == (deciding.IMPORT, 1, False)


def test_what_is_held_says_so():
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY + ONE_DAY, "-300")
    (decision,) = ledger.run(bank, TODAY)
    assert (decision.outcome, decision.reason) == (deciding.HELD, deciding.FUTURE)


def decided(ledger, bank, **window):
    """:return: the decisions on a window of a bank, without a load"""
    ledger.window = Window(**window, booked=bank.rows())
    return decide(ledger.window, Policy(seen_on=TODAY), ledger)


def test_what_waits_is_retried_however_old_it_is():
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY - 90 * ONE_DAY, "-1")
    ledger.waiting = identify(bank.rows())
    (decision,) = decided(ledger, Bank(), since=TODAY - 10 * ONE_DAY)
    assert (decision.outcome, decision.is_retried) == (deciding.IMPORT, True)


def test_what_the_bank_withdraws_is_not_retried():
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY, "-1")
    ledger.waiting = identify(bank.rows())
    decisions = decided(ledger, Bank(), is_delta=True, removed={"T0"})
    assert (decisions.decisions, decisions.withdrawn) == ([], {"T0"})


def test_what_the_bank_shows_is_not_withdrawn():
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY - ONE_DAY, "-1")
    ledger.run(bank, TODAY)
    assert decided(ledger, bank, is_delta=True, removed={"T0"}).withdrawn == set()


def test_a_list_of_changes_may_reach_back_before_the_requested_day():
    bank = Bank()
    bank.book(TODAY - 30 * ONE_DAY, "-1")
    (decision,) = decided(Ledger(), bank, since=TODAY, is_delta=True)
    assert decision.outcome == deciding.IMPORT


def test_a_locked_day_leaves_out_only_what_would_become_a_line():
    bank, ledger = Bank(), Ledger()
    for ahead in (-1, 1):
        bank.book(TODAY + ahead * ONE_DAY, "-1")
    ledger.locked = {TODAY - ONE_DAY, TODAY + ONE_DAY}
    decisions = decided(ledger, bank)
    assert [(one.outcome, one.reason, one.is_locked) for one in decisions] == [
        (deciding.LEFT_OUT, deciding.LOCKED, True),
        (deciding.HELD, deciding.FUTURE, True),
    ]


def test_only_lines_that_say_the_same_as_before_change_nothing():
    bank, ledger = Bank(), Ledger()
    bank.book(TODAY - ONE_DAY, "-1")
    ledger.run(bank, TODAY)
    assert decided(ledger, bank).changes_nothing
    ledger.lines[0].is_withdrawn = True
    returned = decided(ledger, bank)
    assert (returned.is_quiet, returned.changes_nothing) == (True, False)
    bank.book(TODAY, "-2")
    assert not decided(ledger, bank).changes_nothing


# -------------------------------------------------------------------------------------------------
# Speed
# -------------------------------------------------------------------------------------------------


def work(count, move):
    """How many lines of Python a renewal of ``count`` transactions executes, all of one amount and day or of many."""
    import sys

    bank, ledger = Bank(), Ledger()
    for number in range(count):
        bank.book(TODAY - (number % 10) * ONE_DAY, "-2.80" if number % 2 else f"-{number}", f"Payment {number}")
    ledger.run(bank, TODAY)
    bank, steps = switched(bank, move, say="POS {}".format), 0

    def trace(frame, event, argument):
        nonlocal steps
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ledger.run(bank, TODAY)
    finally:
        sys.settrace(before)
    return steps, ledger.reads


@pytest.mark.parametrize("move", [same, later(1), monday], ids=["same", "later", "monday"])
def test_twice_as_many_transactions_are_twice_the_work(move):
    """No search through the window for each of its transactions; what is read does not grow at all."""
    (some, reads), (twice, more_reads) = work(400, move), work(800, move)
    assert twice < 2.5 * some
    assert reads == more_reads
