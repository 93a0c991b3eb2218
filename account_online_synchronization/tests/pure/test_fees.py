"""A fee within a transaction: two lines or one, and always the whole amount."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from account_online_synchronization.client.errors import BadTransaction
from account_online_synchronization.client.messages import parse_transaction
from account_online_synchronization.sync.adoption import Candidate
from account_online_synchronization.sync.decide import ADOPT, IMPORT, KNOWN, Policy, Window, decide
from account_online_synchronization.sync.fetch import read_page
from account_online_synchronization.sync.identity import digest
from account_online_synchronization.sync.matching import CHANGED, Known

DAY = date(2026, 5, 20)
SETTINGS = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
cents = st.integers(-100_000, 100_000).map(lambda number: Decimal(number).scaleb(-2))
fees = st.sampled_from([None, Decimal("-1.50"), Decimal(-3)])


def message(identifier, amount, fee=None, **more):
    said = {
        "id": identifier,
        "status": "booked",
        "booking_date": "2026-05-18",
        "currency": "EUR",
        "amount": f"{amount}",
    }
    if fee is not None:
        said["fee"] = {"amount": f"{fee}", "description": "Processing fee"}
    return {**said, **more}


class Books:
    """What is stored, and the effect of decisions, in a dict."""

    def __init__(self, on_own_line=True):
        self.on_own_line, self.entries = on_own_line, {}
        #: Lines of the journal that are not transactions of this account.
        self.typed, self.adopted = [], set()

    def run(self, *messages, removed=()):
        window = Window(since=date(2026, 5, 10))
        read_page({"transactions": list(messages), "removed_ids": list(removed)}, window, "EUR", 2)
        assert not window.unreadable, window.unreadable
        policy = Policy(DAY, reports_fees=True, fees_on_own_line=self.on_own_line)
        decisions = decide(window, policy, self)
        for name in decisions.withdrawn:
            self.entries.pop(name, None)
        for one in decisions:
            assert one.outcome in (IMPORT, KNOWN, ADOPT)
            self.adopted |= {one.line_id} - {None}
            if one.known:
                del self.entries[one.known.identifier]
            self.entries[one.entry.identifier] = one.entry
        return decisions

    @property
    def amounts(self):
        return {name: str(entry.transaction.amount) for name, entry in self.entries.items()}

    def retried(self):
        return []

    def stored(self, identifiers):
        names = set(identifiers)
        return [
            Known("line", number, name, entry.digest)
            for number, (name, entry) in enumerate(self.entries.items())
            if name in names or entry.transaction.booking_date >= date(2026, 5, 10)
        ]

    def contents(self, known):
        return {one.identifier: self.entries[one.identifier].transaction for one in known}

    def deleted_before(self, digests):
        return []

    def candidates(self, first, last):
        return self.typed

    def locked_days(self, days):
        return set()


@SETTINGS
@given(
    st.lists(st.tuples(st.integers(12, 18), st.sampled_from([5, 10]), fees), min_size=2, max_size=6),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.lists(fees, max_size=2)), min_size=1, max_size=4),
    st.booleans(),
)
def test_new_ids_double_no_amounts_whenever_the_setting_changes(rows, later, on_own_line):
    books, ids = Books(on_own_line), "T"

    def run():
        said = [
            message(f"{ids}{number}", amount + (fee or 0), fee, booking_date=f"2026-05-{day}", remittance=[f"{number}"])
            for number, (day, amount, fee) in enumerate(rows)
        ]
        books.run(*said)
        total = sum(Decimal(one["amount"]) for one in said)
        assert sum(one.transaction.amount for one in books.entries.values()) == total

    run()
    for books.on_own_line, is_renamed, new in later:
        ids += "'" * is_renamed
        rows = rows + [(18, 5, fee) for fee in new]
        run()


def test_new_ids_keep_the_form_in_which_a_transaction_was_stored():
    for before in (True, False):
        books = Books(before)
        books.run(message("T1", "96.80", "-3.20"), message("T2", "5.00"))
        amounts = list(books.amounts.values())
        books.on_own_line = not before
        books.run(message("N1", "96.80", "-3.20"), message("N2", "5.00"))
        assert list(books.amounts.values()) == amounts


def test_a_provider_that_begins_to_report_fees_under_new_ids_doubles_no_amounts():
    books = Books()
    books.run(message("T1", "96.80"), message("T2", "5.00"))
    books.run(message("N1", "96.80", "-3.20"), message("N2", "5.00"))
    assert books.amounts == {"N1": "96.80", "N2": "5.00"}


def test_typed_lines_are_adopted_in_their_form():
    for on_own_line, amounts in ((True, ["96.80"]), (False, ["100", "-3.20"])):
        books = Books(on_own_line)
        books.typed = [Candidate(n, date(2026, 5, 18), Decimal(amount)) for n, amount in enumerate(amounts)]
        books.run(message("T1", "96.80", "-3.20"))
        assert books.adopted == set(range(len(amounts)))


@SETTINGS
@given(
    st.lists(st.tuples(cents, st.none() | cents), min_size=1, max_size=8),
    st.lists(st.tuples(st.booleans(), st.lists(st.tuples(cents, st.none() | cents), max_size=8)), max_size=4),
    st.booleans(),
)
def test_lines_add_up_to_the_amounts_with_any_setting_and_any_change(first, later, on_own_line):
    books = Books(on_own_line)
    state = dict(enumerate(first))
    books.run(*(message(f"T{number}", *row) for number, row in state.items()))
    for on_own_line, changes in later:
        books.on_own_line = on_own_line
        state |= dict(enumerate(changes))
        books.run(*(message(f"T{number}", *row) for number, row in state.items()))
        sums = Counter()
        for name, entry in books.entries.items():
            sums[name.removesuffix(":fee")] += entry.transaction.amount
        assert dict(sums) == {f"T{n}": amount for n, (amount, _f) in state.items()}


def test_a_fee_is_a_line_of_its_own_with_the_id_of_its_transaction():
    books = Books()
    books.run(message("T1", "96.80", "-3.20"), message("T2", "5.00"))
    assert books.amounts == {"T1": "100.00", "T1:fee": "-3.20", "T2": "5.00"}
    fee = books.entries["T1:fee"].transaction
    assert fee.label == "Processing fee T1"
    assert fee.booking_date == date(2026, 5, 18)


def test_a_fee_names_neither_payer_nor_invoice():
    books = Books()
    books.run(message("T1", "9.00", "-1.00", counterparty={"name": "Ann"}, remittance=["INV/2026/00042"]))
    fee, sale = books.entries["T1:fee"].transaction, books.entries["T1"].transaction
    assert (sale.counterparty_name, sale.label) == ("Ann", "INV/2026/00042")
    assert "INV" not in fee.label and not fee.counterparty_name


def test_another_setting_is_for_new_transactions_only():
    books = Books(on_own_line=False)
    books.run(message("T1", "96.80", "-3.20"))
    books.on_own_line = True
    decisions = books.run(message("T1", "96.80", "-3.20"), message("T2", "96.80", "-3.20"))
    assert books.amounts == {"T1": "96.80", "T2": "100.00", "T2:fee": "-3.20"}
    assert [one.outcome for one in decisions] == [KNOWN, IMPORT, IMPORT]
    books.on_own_line = False
    assert books.run(message("T1", "96.80", "-3.20"), message("T2", "96.80", "-3.20")).is_quiet


def test_another_fee_changes_both_lines():
    books = Books()
    books.run(message("T1", "96.80", "-3.20"))
    decisions = books.run(message("T1", "96.00", "-3.00"))
    assert books.amounts == {"T1": "99.00", "T1:fee": "-3.00"}
    assert [one.change for one in decisions] == [CHANGED, CHANGED]


def test_a_fee_that_is_waived_is_withdrawn():
    books = Books()
    books.run(message("T1", "96.80", "-3.20"))
    assert books.run(message("T1", "100.00")).withdrawn == {"T1:fee"}
    assert books.amounts == {"T1": "100.00"}


def test_a_fee_that_comes_later_is_a_new_line():
    books = Books()
    books.run(message("T1", "100.00"))
    books.run(message("T1", "96.80", "-3.20"))
    assert books.amounts == {"T1": "100.00", "T1:fee": "-3.20"}


def test_a_withdrawn_transaction_takes_its_fee_along():
    books = Books()
    books.run(message("T1", "96.80", "-3.20"))
    books.run(removed=["T1"])
    assert not books.amounts


def test_what_waits_beside_the_books_is_read_as_it_was_divided():
    books = Books()
    books.run(message("T1", "96.80", "-3.20", payout={"id": "P1"}))
    for entry in books.entries.values():
        again = parse_transaction(entry.transaction.raw)
        assert (again.id, digest(again), again.fee) == (entry.identifier, entry.digest, None)
    assert books.entries["T1"].transaction.raw["payout"] == {"id": "P1"}


def test_the_foreign_amount_belongs_to_the_gross_amount():
    foreign = {"foreign_amount": "110.00", "foreign_currency": "USD"}
    books = Books()
    books.run(message("T1", "96.80", "-3.20", **foreign))
    assert str(books.entries["T1"].transaction.foreign_amount) == "110.00"
    assert books.entries["T1:fee"].transaction.foreign_amount is None
    books = Books(on_own_line=False)
    books.run(message("T1", "96.80", "-3.20", **foreign))
    assert books.entries["T1"].transaction.foreign_amount is None


def test_a_transaction_without_an_id_stays_one_line():
    books = Books()
    books.run(message(None, "96.80", "-3.20"))
    assert list(books.amounts.values()) == ["96.80"]


@pytest.mark.parametrize("fee", ["-3.20", {}, {"amount": -3.2}, {"amount": "NaN"}, {"amount": "1e20"}])
def test_a_fee_that_can_not_be_read_is_not_passed_over(fee):
    with pytest.raises(BadTransaction) as caught:
        parse_transaction({**message("T1", "96.80"), "fee": fee})
    assert "fee" in caught.value.sentence


def test_a_fee_has_no_more_decimals_than_the_currency():
    window = Window()
    read_page({"transactions": [message("T1", "1.00", "-0.001")]}, window, "EUR", 2)
    assert not window.booked and len(window.unreadable) == 1
