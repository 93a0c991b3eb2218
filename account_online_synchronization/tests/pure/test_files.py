"""Files that overlap, come twice, in any order, or begin and end within a day, together give the true history."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from account_online_synchronization.client.messages import Transaction
from account_online_synchronization.sync.files import (
    BEGINNING,
    CHANGED,
    DOUBTFUL,
    END,
    KNOWN,
    MIDDLE,
    NEW,
    WHOLE,
    Coverage,
    Stored,
    find_holes,
    identifiers,
    recognise,
)
from account_online_synchronization.sync.identity import digest
from environment import thorough

FIRST = date(2026, 5, 4)


def row(day, amount, text="Coffee", name=None):
    return Transaction(name, True, FIRST + timedelta(days=day), Decimal(amount), "EUR", remittance=(text,))


class Books:
    """What files have brought so far, without a database."""

    def __init__(self):
        self.stored, self.coverages, self.doubtful = {}, [], Counter()

    def take(self, rows, coverage, code="csv"):
        """:return: the outcomes of the rows"""
        days = {one.booking_date for one in rows}
        names = set(identifiers(rows, code))
        near = [one for one in self.stored.values() if one.day in days or one.identifier in names]
        found = recognise(rows, coverage, code, near, self.coverages)
        new = [one for one in found if one.outcome == NEW]
        assert len({one.transaction.id for one in new} | set(self.stored)) == len(new) + len(self.stored)
        for one in found:
            if one.outcome in (NEW, CHANGED):
                self.stored[one.transaction.id] = Stored(one.transaction.id, digest(one.transaction))
            if one.outcome == DOUBTFUL:
                self.doubtful[key(one.transaction)] += 1
        self.coverages.append(coverage)
        return [one.outcome for one in found]

    def counts(self):
        return Counter((one.day, Decimal(one.key[1].split()[0])) for one in self.stored.values())


def key(transaction):
    return transaction.booking_date, transaction.amount


# -------------------------------------------------------------------------
# ANY CUT OF A HISTORY
# -------------------------------------------------------------------------

HISTORIES = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from((0, 0, 1)), st.sampled_from(("-1", "-2", "1")), st.sampled_from("ab")),
    min_size=1,
    max_size=12,
)


@st.composite
def cut_histories(draw):
    """A history, and files of it: (first row, end, knows its days, has balances, format)."""
    day, rows = 0, []
    for step, more, amount, text in draw(HISTORIES):
        day += step * more
        rows.append(row(day, amount, text))
    places = st.integers(0, len(rows))
    cut = st.tuples(places, places, st.booleans(), st.booleans(), st.sampled_from(("csv", "camt")))
    files = [one for one in draw(st.lists(cut, min_size=1, max_size=6)) if one[0] < one[1]]
    return rows, files


def coverage_of(rows, start, end, knows_days, has_balances):
    """What an honest file says of itself."""
    sums = [Decimal(0), *accumulate(one.amount for one in rows)]
    first, last = rows[start].booking_date, rows[end - 1].booking_date
    return Coverage(
        first,
        last,
        from_start=knows_days and (start == 0 or rows[start - 1].booking_date < first),
        to_end=knows_days and (end == len(rows) or rows[end].booking_date > last),
        opening=sums[start] if has_balances else None,
        closing=sums[end] if has_balances else None,
    )


def reported(rows, code):
    """The formats say the same in other words."""
    return [row((one.booking_date - FIRST).days, one.amount, f"{code} {one.remittance[0]}") for one in rows]


@settings(max_examples=thorough.rounds(60, 200, 1500))
@given(cut_histories())
def test_any_files_of_a_history_give_it_exactly_or_ask(world):
    history, files = world
    books, covered = Books(), set()
    for start, end, knows_days, has_balances, code in files:
        covered |= set(range(start, end))
        part = history[start:end]
        books.take(reported(part, code), coverage_of(history, start, end, knows_days, has_balances), code)
    truth, stored = Counter(key(history[number]) for number in covered), books.counts()
    for one in truth | stored:
        assert stored[one] <= truth[one], "a double"
        assert stored[one] + books.doubtful[one] >= truth[one], "a silent loss"


@settings(max_examples=thorough.rounds(20, 60, 300))
@given(cut_histories())
def test_files_of_whole_days_need_no_question(world):
    history, files = world
    books, covered = Books(), set()
    for start, end, _knows, has_balances, code in files:
        while start and history[start - 1].booking_date == history[start].booking_date:
            start -= 1
        while end < len(history) and history[end].booking_date == history[end - 1].booking_date:
            end += 1
        covered |= set(range(start, end))
        books.take(reported(history[start:end], code), coverage_of(history, start, end, True, has_balances), code)
    assert books.counts() == Counter(key(history[number]) for number in covered)
    assert not books.doubtful


# -------------------------------------------------------------------------
# CASES
# -------------------------------------------------------------------------

DAY = FIRST


@pytest.mark.parametrize(
    "part, other, outcome",
    [
        (WHOLE, WHOLE, KNOWN),
        (WHOLE, MIDDLE, KNOWN),
        (MIDDLE, WHOLE, KNOWN),
        (BEGINNING, BEGINNING, KNOWN),
        (END, END, KNOWN),
        (BEGINNING, END, DOUBTFUL),
        (END, BEGINNING, DOUBTFUL),
        (MIDDLE, MIDDLE, DOUBTFUL),
    ],
)
def test_equal_amounts_are_one_transaction_only_where_the_parts_of_the_day_say_so(part, other, outcome):
    def covering(one):
        return Coverage(DAY, DAY, from_start=one in (WHOLE, BEGINNING), to_end=one in (WHOLE, END))

    books = Books()
    assert books.take([row(0, "-1")], covering(other)) == [NEW]
    assert books.take([row(0, "-1")], covering(part)) == [outcome]


def test_balances_that_meet_within_a_day_prove_two_transactions():
    books = Books()
    books.take([row(0, "-1")], Coverage(DAY, DAY, opening=Decimal(10), closing=Decimal(9)))
    assert books.take([row(0, "-1")], Coverage(DAY, DAY, opening=Decimal(9), closing=Decimal(8))) == [NEW]


def test_what_adds_up_to_nothing_is_doubtful_although_the_balances_meet():
    books = Books()
    rows = [row(0, "1"), row(0, "-1")]
    books.take([row(0, "5"), *rows], Coverage(DAY, DAY, opening=Decimal(0), closing=Decimal(5)))
    again = Coverage(DAY, DAY, opening=Decimal(5), closing=Decimal(5))
    assert DOUBTFUL in books.take(rows, again)


def test_a_correction_under_the_same_id_changes_the_line():
    books, whole = Books(), Coverage(DAY, DAY, from_start=True, to_end=True)
    books.take([row(0, "-1", name="A")], whole)
    assert books.take([row(0, "-3", name="A")], whole) == [CHANGED]
    assert list(books.counts()) == [(DAY, Decimal(-3))]


def test_an_id_that_comes_again_on_another_day_is_another_transaction():
    books = Books()
    books.take([row(0, "-1", name="1")], Coverage(DAY, DAY, from_start=True, to_end=True))
    later = DAY + timedelta(days=1)
    assert books.take([row(1, "-7", name="1")], Coverage(later, later, from_start=True, to_end=True)) == [NEW]


def test_single_entries_never_prove_that_something_is_new_or_known():
    books = Books()
    books.take([row(0, "-1")], Coverage(DAY, DAY, from_start=True, to_end=True, is_complete=False))
    advice = Coverage(DAY, DAY, is_complete=False)
    assert books.take([row(0, "-1", "other words")], advice) == [DOUBTFUL]


def test_what_a_connection_brought_keeps_its_words():
    stored = [Stored("T1", digest(row(0, "-1", "what the API said")))]
    whole = Coverage(DAY, DAY, from_start=True, to_end=True)
    (found,) = recognise([row(0, "-1", "what the file says")], whole, "csv", stored, [whole])
    assert (found.outcome, found.transaction.id) == (KNOWN, "T1")


def test_the_same_format_may_correct_its_own_words():
    books, whole = Books(), Coverage(DAY, DAY, from_start=True, to_end=True)
    books.take([row(0, "-1", "Cofee")], whole)
    assert books.take([row(0, "-1", "Coffee")], whole) == [CHANGED]
    assert books.take([row(0, "-1", "C.")], whole, "mt940") == [KNOWN]


def test_a_repeat_of_an_id_within_a_file_is_one_transaction():
    books = Books()
    rows = [row(0, "-1", name="A"), row(0, "-1", name="A")]
    assert books.take(rows, Coverage(DAY, DAY)) == [NEW, KNOWN]


def test_a_hole_is_seen_in_whichever_order_the_statements_come():
    def statement(first, last, opening, closing):
        days = [FIRST + timedelta(days=number) for number in (first, last)]
        return Coverage(*days, from_start=True, to_end=True, opening=Decimal(opening), closing=Decimal(closing))

    one, two, three = statement(0, 6, 0, 10), statement(7, 13, 10, 15), statement(14, 20, 15, 9)

    def nothing(*_days):
        return Decimal(0)

    assert find_holes([one, three], nothing) == find_holes([three, one], nothing) != []
    assert find_holes([three, one, two], nothing) == []
