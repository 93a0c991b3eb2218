from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from ..books.duplicates import find_duplicates
from ..books.read import Books
from ..sync.decide import decide
from .common import DAY, OnlineSyncCommon


class ShiftCommon(OnlineSyncCommon):
    """A bank whose transactions come by another provider, or after a renewal, under other days and ids."""

    def book_daily(self, count, amount=lambda number: f"-{number + 1}.00"):
        for number in range(count):
            day = self.days_ago(count - 1 - number)
            self.proxy.book(f"T{number}", amount(number), day=day, remittance=[f"Payment {number}"])

    def load(self):
        self.link = self.connect_journal()
        self.synchronize(self.link)

    def move(self, move, name="N-{}".format):
        """From now on each transaction has the day that ``move`` makes of its day, and another id."""
        for message in self.proxy.transactions["A1"]:
            message["booking_date"] = str(move(date.fromisoformat(message["booking_date"])))
            message["id"] = name(message["id"])

    def check_once_each(self):
        """As many lines of each amount as the bank has, after this and the next run."""
        for _ in range(2):
            self.synchronize(self.link)
            wanted = Counter(float(message["amount"]) for message in self.proxy.transactions["A1"])
            self.assertEqual(Counter(self.lines().mapped("amount")), wanted)
        self.assertFalse(self.lines().filtered("online_possible_duplicate"))


def monday(day):
    return day + timedelta(days=max(0, 8 - day.isoweekday())) if day.isoweekday() > 5 else day


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestShifts(ShiftCommon):
    """A whole window that shifts in one way is certain: one line each, and no mark."""

    def test_a_provider_that_dates_a_day_later_doubles_none_of_80(self):
        self.book_daily(80)
        self.load()
        self.move(lambda day: day + timedelta(days=1))
        with freeze_time("2026-05-21 10:00:00"):
            self.check_once_each()
        self.assertEqual(len(self.lines()), 80)

    def test_a_provider_that_dates_a_day_later_doubles_none_on_the_same_day(self):
        """The newest transaction lies in the future then: it is the line that is there."""
        self.book_daily(80)
        self.load()
        self.move(lambda day: day + timedelta(days=1))
        self.check_once_each()
        self.assertFalse(self.beside())

    def test_a_provider_that_dates_a_day_earlier_doubles_none_of_49(self):
        self.book_daily(49)
        self.load()
        self.move(lambda day: day - timedelta(days=1))
        self.check_once_each()
        self.assertEqual(len(self.lines()), 49)

    def test_a_renewal_that_books_weekends_on_monday_doubles_none_of_5(self):
        for number, back in enumerate((11, 10, 4, 3, 2)):
            # Friday is the 15th: two weekends, and the Monday after the second of them
            self.proxy.book(f"T{number}", f"-{number + 1}.00", day=self.days_ago(back))
        self.load()
        self.move(monday)
        self.check_once_each()
        self.assertEqual(len(self.lines()), 5)

    def test_other_texts_by_the_other_provider_change_nothing_in_that(self):
        self.book_daily(30)
        self.load()
        self.move(lambda day: day + timedelta(days=1))
        for message in self.proxy.transactions["A1"]:
            message["remittance"] = [f"POS {message['id']}"]
        with freeze_time("2026-05-21 10:00:00"):
            self.check_once_each()

    def test_a_new_payment_beside_those_that_shifted_is_one_more_line(self):
        self.book_daily(30)
        self.load()
        self.move(lambda day: day + timedelta(days=1))
        with freeze_time("2026-05-21 10:00:00"):
            self.proxy.book("N-NEW", "-99.00", day=self.days_ago(-1))
            self.check_once_each()
        self.assertEqual(len(self.lines()), 31)

    def test_what_was_deleted_does_not_come_back_under_another_day(self):
        self.book_daily(30)
        self.load()
        self.delete(self.lines()[-3])
        self.move(lambda day: day + timedelta(days=1))
        with freeze_time("2026-05-21 10:00:00"):
            self.synchronize(self.link)
        self.assertEqual((len(self.lines()), self.beside().mapped("state")), (29, ["deleted"]))

    def test_reconciled_lines_keep_their_day_without_a_review(self):
        self.book_daily(30)
        self.load()
        line = self.lines()[-3]
        self.reconcile(line)
        day, asked = line.date, self.reviews()
        self.move(lambda day: day + timedelta(days=1))
        with freeze_time("2026-05-21 10:00:00"):
            self.check_once_each()
        self.assertEqual((line.date, asked, line.online_transaction_identifier), (day, [], "N-T27"))

    def test_coffees_of_each_day_stay_as_many_as_the_bank_has(self):
        """All of one amount, and another payment or two that say how the days have shifted."""
        self.book_daily(30, amount=lambda number: "-2.80" if number % 5 else f"-{number + 5}.00")
        self.load()
        self.move(lambda day: day + timedelta(days=1))
        with freeze_time("2026-05-21 10:00:00"):
            self.check_once_each()


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestQueries(ShiftCommon):
    """However much is known: what is asked of the database does not grow with it."""

    def queries(self, action):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        action()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_known_transactions_cost_no_query_each(self):
        self.proxy.page_size = 1000
        counts = []
        for size in (20, 200):
            for number in range(size):
                self.proxy.book(f"T{size}-{number}", f"-{number + 1}.00", day=self.days_ago(number % 9))
            if not counts:
                self.load()
            # Why twice: the first run without new transactions in a process also fills Odoo's caches.
            for _time in range(2):
                self.synchronize(self.link)
            counts.append(self.queries(lambda: self.synchronize(self.link)))
        self.assertEqual(counts[0], counts[1])

    def test_to_decide_on_a_window_that_has_shifted_costs_no_query_each(self):
        counts = []
        account = self.connect_journal().account_online_account_ids
        self.link = account.account_online_link_id
        self.proxy.page_size = 1000
        for size in (20, 200):
            for number in range(size):
                self.proxy.book(f"T{size}-{number}", f"-{number + 1}.00", day=self.days_ago(1 + number % 8))
            self.synchronize(self.link)
            window = self.fetch_window(account).window
            window.booked = [
                replace(one, id=f"N{one.id}", booking_date=one.booking_date + timedelta(days=1))
                for one in window.booked
            ]
            books = Books(account, window)
            counts.append(self.queries(lambda books=books, window=window: decide(window, books.policy, books)))
        self.assertEqual(counts[0], counts[1])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestNearlyAlike(ShiftCommon):
    """One gone and one come, nearly the same: a question for a person, with the partner named."""

    def load_one(self, back=2, amount="-300.00"):
        self.proxy.book("T0", "-20.00", day=self.days_ago(4))
        self.message = self.proxy.book("T1", amount, day=self.days_ago(back))
        self.load()
        self.first = self.lines().filtered(lambda line: line.online_transaction_identifier == "T1")
        self.asked = self.reviews()

    def check_marked(self):
        second = self.lines() - self.first
        second = second.filtered(lambda line: line.amount == self.first.amount)
        self.assertRecordValues(second, [{"online_possible_duplicate": True, "online_duplicate_of_id": self.first.id}])
        self.assertTrue([sentence for sentence in self.asked if "may be the same transaction" in sentence])
        return second

    def test_a_stable_id_is_the_same_transaction_twelve_days_later(self):
        self.load_one(back=13)
        self.message["booking_date"] = str(self.days_ago(1))
        self.check_once_each()
        self.assertRecordValues(self.first, [{"date": self.days_ago(1)}])

    def test_an_id_that_comes_again_weeks_later_is_another_transaction_about_which_a_user_is_asked(self):
        self.load_one(back=60)
        self.message["booking_date"] = str(self.days_ago(1))
        for _ in range(2):
            self.synchronize(self.link)
        self.check_marked()
        self.assertEqual((len(self.lines()), len(self.asked)), (3, 1))
        self.assertEqual(self.first.date, self.days_ago(60))

    def test_an_id_of_several_transactions_is_looked_for_beyond_the_window(self):
        """``T1`` was two payments; of the second one the date moves by twelve days."""
        self.proxy.book("T1", "-1.00", day=self.days_ago(13))
        self.proxy.book("T1", "-2.00", day=self.days_ago(13))
        self.load()
        self.delete(self.lines()[0])
        self.beside().sudo().unlink()
        self.proxy.transactions["A1"].pop(0)
        self.proxy.transactions["A1"][0]["booking_date"] = str(self.days_ago(1))
        self.check_once_each()

    def test_one_that_moves_by_a_day_under_another_id_is_marked(self):
        self.load_one()
        self.move(
            lambda day: day + timedelta(days=1) if day == self.days_ago(2) else day,
            lambda name: f"{name}" if name == "T0" else "X",
        )
        self.synchronize(self.link)
        self.check_marked()

    def test_it_is_asked_once(self):
        self.load_one()
        self.message.update(id="X", booking_date=str(self.days_ago(1)))
        for _ in range(3):
            self.synchronize(self.link)
        self.assertEqual((len(self.lines()), len(self.asked)), (3, 1))

    def test_one_that_a_user_has_deleted_is_marked_when_it_comes_under_another_day(self):
        self.load_one()
        self.delete(self.first)
        self.message.update(id="X", booking_date=str(self.days_ago(1)))
        self.synchronize(self.link)
        self.assertRecordValues(self.lines()[-1], [{"online_possible_duplicate": True, "amount": -300}])
        self.assertIn("that a user has deleted", self.asked[-1])

    def test_find_missing_shows_the_similar_line(self):
        self.load_one()
        self.message.update(id="X", booking_date=str(self.days_ago(1)))
        wizard = self.env["account.missing.transaction.wizard"].create(
            {"journal_id": self.journal.id, "date_from": self.days_ago(10), "date_to": DAY}
        )
        wizard.action_compare()
        rows = [row for section in wizard.sections if section["key"] == "missing" for row in section["rows"]]
        self.assertIn("similar line", " ".join(rows[0]["details"]))

    def test_find_duplicates_shows_both_as_one_group(self):
        self.load_one()
        self.message.update(id="X", booking_date=str(self.days_ago(-2) - timedelta(days=2)))
        self.synchronize(self.link)
        second = self.check_marked()
        (group,) = find_duplicates(self.journal, self.days_ago(30))
        self.assertEqual(({row.line_id for row in group.rows}, group.evidence), ({self.first.id, second.id}, "marked"))

    def test_a_reconciled_one_that_was_withdrawn_and_comes_a_day_later_is_marked(self):
        for has_bookmarks in (False, True):
            with self.subTest(has_bookmarks=has_bookmarks), self.cr.savepoint() as savepoint:
                self.proxy.has_bookmarks = has_bookmarks
                self.load_one()
                self.reconcile(self.first)
                self.proxy.withdraw("T1")
                self.synchronize(self.link)
                self.assertTrue(self.first.online_withdrawn)
                self.proxy.removed.clear()
                self.proxy.book("X", "-300.00", day=self.days_ago(1))
                self.synchronize(self.link)
                self.check_marked()
                savepoint.rollback()
                self.env.invalidate_all()
                self.proxy.transactions["A1"].clear()

    def test_one_that_was_withdrawn_and_comes_a_day_later_is_one_line(self):
        self.load_one()
        self.proxy.withdraw("T1")
        self.proxy.book("X", "-300.00", day=self.days_ago(1))
        self.check_once_each()

    def test_a_coffee_that_comes_while_the_other_is_still_shown_is_not_marked(self):
        self.load_one()
        self.proxy.book("X", "-300.00", day=self.days_ago(1))
        self.check_once_each()

    def test_texts_decide_among_equals_of_one_day(self):
        for text in ("Rent", "Gym"):
            self.proxy.book(text, "-40.00", day=self.days_ago(2), remittance=[text], counterparty={"name": text})
        self.load()
        by_text = {line.payment_ref: line for line in self.lines()}
        for message in self.proxy.transactions["A1"]:
            message.update(id=f"N-{message['id']}", remittance=[f"POS {message['remittance'][0]}"])
        self.proxy.transactions["A1"].reverse()
        self.check_once_each()
        self.assertEqual(
            {text: line.online_transaction_identifier for text, line in by_text.items()},
            {"Rent": "N-Rent", "Gym": "N-Gym"},
        )

    def test_one_typed_line_and_two_equal_transactions_give_two_lines(self):
        typed = self.Line.create(
            {"journal_id": self.journal.id, "date": self.days_ago(1), "amount": -20, "payment_ref": "Gym in May"}
        )
        self.proxy.book("T1", "-20.00", day=self.days_ago(1), remittance=["Rent"])
        self.proxy.book("T2", "-20.00", day=self.days_ago(1), remittance=["Gym"])
        self.load()
        self.assertEqual((len(self.lines()), typed.online_transaction_identifier), (2, "T2"))
