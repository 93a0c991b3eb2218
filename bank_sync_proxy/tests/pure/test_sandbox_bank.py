"""The Demo Bank's books: what every bank keeps true, and what the simulation promises."""

import time
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import stdnum.iban
from stdnum import bic
from stdnum.iso11649 import is_valid as is_valid_reference

from bank_sync_proxy.providers import sandbox_bank, sandbox_texts
from bank_sync_proxy.providers.errors import ProtocolError
from bank_sync_proxy.providers.sandbox import HISTORY_DAYS, PAGE_SIZE, Sandbox
from bank_sync_proxy.providers.sandbox_bank import Ledger
from bank_sync_proxy.providers.sandbox_institutions import BANKS, creditor_reference
from bank_sync_proxy.providers.types import moment_text

NOW = datetime(2026, 5, 13, 14, tzinfo=timezone.utc)
LEDGERS = [Ledger(bank.key, account.key, "demo") for bank in BANKS.values() for account in bank.accounts]


class Book:
    """One account at the Demo Bank, seen at any moment."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.id = next(key for key, value in Sandbox()._ledgers(ledger.bank, ledger.user).items() if value == ledger)

    def state(self, moment):
        return {
            "institution": self.ledger.bank,
            "user": self.ledger.user,
            "accounts": [self.id],
            "consent_expires_at": moment_text(moment + timedelta(days=1)),
            "refreshed_at": moment_text(moment),
        }

    def page(self, moment, **parameters):
        return Sandbox(clock=lambda: moment).transactions(self.state(moment), self.id, **parameters)

    def transactions(self, moment, **parameters):
        found, cursor = [], None
        while True:
            page = self.page(moment, cursor=cursor, **parameters)
            found += page.transactions
            cursor = page.next_cursor
            if not page.has_more:
                return found

    def booked(self, moment, **parameters):
        return [t for t in self.transactions(moment, **parameters) if t.status == "booked"]

    def account(self, moment):
        return Sandbox(clock=lambda: moment).accounts(self.state(moment))[0]

    def balance(self, moment):
        return self.account(moment).balance


@pytest.fixture(params=LEDGERS, ids=lambda ledger: f"{ledger.bank}/{ledger.account}")
def book(request):
    return Book(request.param)


@pytest.fixture
def current():
    return Book(Ledger("demo", "current", "demo"))


@pytest.mark.parametrize(
    ("start", "hours"),
    [(NOW, 1), (NOW, 7), (NOW, 24), (NOW - timedelta(days=20), 24 * 20), (NOW.replace(day=1), 24 * 45)],
)
def test_the_balance_moves_by_what_becomes_visible(book, start, hours):
    end = start + timedelta(hours=hours)
    before = {transaction.id for transaction in book.booked(start)}
    came = [t for t in book.booked(end) if t.id not in before and t.booking_date >= start.date() - timedelta(days=4)]
    assert book.balance(end) - book.balance(start) == sum((t.amount for t in came), Decimal(0))


def test_every_hour_of_a_month_balances(current):
    known, balance = {t.id for t in current.booked(NOW)}, current.balance(NOW)
    for hours in range(1, 24 * 31):
        moment = NOW + timedelta(hours=hours)
        new = [t for t in current.booked(moment, since=moment.date() - timedelta(days=6)) if t.id not in known]
        balance += sum((t.amount for t in new), Decimal(0))
        known.update(t.id for t in new)
        assert balance == current.balance(moment), moment


def test_booked_transactions_have_unique_ids_and_never_change(book):
    then, now = book.booked(NOW), book.booked(NOW + timedelta(days=40))
    assert len({t.id for t in now}) == len(now)
    later = {t.id: t for t in now}
    for transaction in then:
        if transaction.booking_date >= (NOW + timedelta(days=40 - HISTORY_DAYS)).date():
            assert later[transaction.id] == transaction


def test_asking_again_gives_the_same(book):
    first = book.transactions(NOW)
    sandbox_bank._day.cache_clear()
    sandbox_bank._month_total.cache_clear()
    sandbox_bank._month_result.cache_clear()
    assert book.transactions(NOW) == first


def test_nothing_depends_on_the_process():
    """The same figures on every installation, in every year: here are some, written down once."""
    book = Book(Ledger("demo", "current", "demo"))
    first = book.transactions(NOW)[0]
    assert (first.id, str(first.amount)) == ("20260113-14d120e3ebda5ff6", "293.50")
    assert str(book.balance(NOW)) == "48094.41"
    assert book.account(NOW).number == "BE56988053028088"


def test_users_have_books_of_their_own(current):
    other = Book(current.ledger._replace(user="demo2"))
    assert other.id != current.id
    assert other.account(NOW).number != current.account(NOW).number
    assert not {t.id for t in other.transactions(NOW)} & {t.id for t in current.transactions(NOW)}


def test_a_business_account_is_used_daily(current):
    assert 2 <= len(current.booked(NOW)) / HISTORY_DAYS <= 4


def test_history_ends_but_the_balance_knows_more(current):
    limit = NOW.date() - timedelta(days=HISTORY_DAYS)
    found = current.booked(NOW, since=date(2020, 1, 1))
    assert found == current.booked(NOW)
    assert min(t.booking_date for t in found) >= limit
    assert current.balance(NOW) - sum(t.amount for t in found) not in (Decimal(0), Decimal(18500))


def test_since_is_a_booking_date(current):
    since = NOW.date() - timedelta(days=9)
    everything = current.booked(NOW)
    assert current.booked(NOW, since=since) == [t for t in everything if t.booking_date >= since]
    assert not current.booked(NOW, since=NOW.date() + timedelta(days=1))


def test_news_arrive_during_the_day(current):
    morning = NOW.replace(hour=0)
    sizes = {len(current.booked(morning + timedelta(days=d, hours=h))) for d in range(5) for h in range(24)}
    assert len(sizes) > 5


def test_transactions_come_in_booking_order_and_pending_ones_last(book):
    found = book.transactions(NOW)
    dates = [t.booking_date for t in found if t.status == "booked"]
    assert dates == sorted(dates)
    states = [t.status for t in found]
    assert states == sorted(states)


def test_a_card_payment_is_pending_and_then_booked_under_another_id(current):
    seen = 0
    for day in range(20):
        moment = NOW + timedelta(days=day)
        pending = [t for t in current.transactions(moment) if t.status == "pending"]
        later = {t.pending_id: t for t in current.booked(moment + timedelta(days=4))}
        for transaction in pending:
            booked = later[transaction.id]
            assert booked.id != transaction.id
            assert booked.amount == transaction.amount
            assert 1 <= (booked.booking_date - transaction.value_date).days <= 3
            seen += 1
    assert seen > 5


def test_two_coffees_are_two(current):
    keys = Counter((t.booking_date, t.value_date, t.amount, t.remittance) for t in current.booked(NOW))
    assert max(keys.values()) == 2


def test_some_bookings_appear_late(current):
    late = 0
    for day in range(30):
        before, after = NOW + timedelta(days=day), NOW + timedelta(days=day + 1)
        known = {t.id for t in current.booked(before)}
        for transaction in current.booked(after):
            if transaction.id not in known:
                # Both ends of a day's new transactions are between these two dates, unless the bank was late.
                late += transaction.booking_date < before.date()
                assert transaction.booking_date >= before.date() - timedelta(days=4)
    assert late


def test_payments_abroad_carry_both_amounts(book):
    abroad = [t for t in book.transactions(NOW) if t.foreign_currency]
    for transaction in abroad:
        assert transaction.foreign_currency != transaction.currency
        assert transaction.foreign_amount < 0 and transaction.amount < 0
        assert Decimal("0.05") < transaction.amount / transaction.foreign_amount < 2
    assert abroad or book.ledger.bank_account.profile == "savings"


def test_texts_are_as_rich_as_a_bank_s(current):
    found = current.booked(NOW)
    assert any(len(t.remittance) > 1 for t in found)
    assert any(t.creditor_reference for t in found)
    assert any(t.end_to_end_id for t in found)
    assert any(t.mandate_id for t in found)
    assert any(t.amount > 0 and t.counterparty.account_number for t in found)
    assert all(t.remittance and t.amount for t in found)


def test_money_between_own_accounts_arrives(current):
    def own(key):
        other = Book(current.ledger._replace(account=key))
        return [
            (t.booking_date, t.amount, t.counterparty.account_number)
            for t in other.booked(NOW)
            if t.raw["kind"] == "own"
        ]

    left, arrived = own("current"), own("savings")
    assert [(day, -amount) for day, amount, _number in left] == [(day, amount) for day, amount, _number in arrived]
    assert left[0][2] == Book(current.ledger._replace(account="savings")).account(NOW).number


def test_the_card_is_paid_by_the_current_account(current):
    def paid(key):
        other = Book(current.ledger._replace(account=key))
        return [(t.booking_date, t.amount) for t in other.booked(NOW) if t.raw["kind"] == "settlement"]

    assert paid("current")
    assert [(day, -amount) for day, amount in paid("current")] == paid("card")


def test_balances_stay_in_proportion_over_the_years():
    for ledger in LEDGERS:
        for year in range(2024, 2034):
            cents = ledger.balance(sandbox_bank.hours(datetime(year, 12, 31, tzinfo=timezone.utc)))
            assert -5_000_00 < cents < 300_000_00, (ledger, year, cents)


@pytest.mark.parametrize("bank", BANKS.values(), ids=lambda bank: bank.key)
def test_account_numbers_are_valid_and_of_no_real_bank(bank):
    for account in bank.accounts:
        for user in ("demo", "demo2", "someone.else"):
            number = sandbox_texts.account_number(Ledger(bank.key, account.key, user))
            if account.profile != "credit_card":
                # Belgium's own check also wants a bank that exists; these exist nowhere, on purpose.
                assert stdnum.iban.is_valid(number, check_country=bank.country != "BE")
                assert number[:2] == bank.country
                if bank.country == "BE":
                    assert int(number[4:14]) % 97 in (int(number[14:]), 0)
    assert bic.is_valid(bank.bic)
    assert bank.bic[4:6] == bank.country
    assert bank.bic[7] == "0", "the mark of a test BIC"


def test_belgian_demo_accounts_are_of_a_bank_code_that_is_not_assigned():
    from stdnum import numdb

    assert not numdb.get("be/banks").info(BANKS["demo"].bank_code)[0][1]


def test_structured_references_have_valid_check_digits():
    assert is_valid_reference(creditor_reference(539007547034, belgian=False))
    assert creditor_reference(909337554, belgian=True) == "+++090/9337/55493+++"


# -------------------------------------------------------------------------
# PAGES
# -------------------------------------------------------------------------


def test_pages_give_everything_once_and_in_order(current):
    everything = current.transactions(NOW)
    assert len(current.page(NOW).transactions) == PAGE_SIZE
    for limit in (1, 7, 100, 1000):
        assert current.transactions(NOW, limit=limit) == everything


def test_a_page_may_be_asked_for_twice(current):
    cursor = current.page(NOW).next_cursor
    assert current.page(NOW, cursor=cursor) == current.page(NOW, cursor=cursor)


def test_paging_stays_stable_while_the_clock_moves_on(current):
    expected = current.transactions(NOW)
    page = current.page(NOW, limit=50)
    found, moment = list(page.transactions), NOW
    while page.has_more:
        moment += timedelta(days=1)
        page = current.page(moment, limit=50, cursor=page.next_cursor)
        found += page.transactions
    assert found == expected


def test_a_cursor_keeps_the_date_that_paging_began_with(current):
    since = NOW.date() - timedelta(days=60)
    page = current.page(NOW, since=since, limit=20)
    rest = current.page(NOW, cursor=page.next_cursor)
    assert [*page.transactions, *rest.transactions] == current.transactions(NOW, since=since)[: 20 + PAGE_SIZE]


@pytest.mark.parametrize("cursor", ["rubbish", "é", "W10=", "WzEsMiwzLDRd", "bnVsbA=="])
def test_a_wrong_cursor_is_a_clean_error(current, cursor):
    with pytest.raises(ProtocolError) as caught:
        current.page(NOW, cursor=cursor)
    assert caught.value.code == "invalid_request"


def test_a_cursor_of_another_account_is_refused(current):
    cursor = current.page(NOW).next_cursor
    with pytest.raises(ProtocolError):
        Book(current.ledger._replace(account="card")).page(NOW, cursor=cursor)


# -------------------------------------------------------------------------
# SPEED
# -------------------------------------------------------------------------


def test_an_account_is_computed_quickly(current):
    """120 days take about 10 ms, years of balance about 40 ms; the limits leave room for a busy machine."""
    sandbox_bank._day.cache_clear()
    sandbox_bank._month_total.cache_clear()
    sandbox_bank._month_result.cache_clear()
    start = time.process_time()
    current.transactions(NOW)
    history = time.process_time() - start
    start = time.process_time()
    current.balance(NOW + timedelta(days=365))
    balance = time.process_time() - start
    assert history < 0.15
    assert balance < 0.5
