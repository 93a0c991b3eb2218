from freezegun import freeze_time

from odoo.tests import tagged

from .common import OnlineSyncCommon
from .test_missing import MissingCommon


class FutureCommon(OnlineSyncCommon):
    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(freeze_time("2026-05-20 10:00:00"))

    def go_to(self, moment):
        self.clock.move_to(moment)
        self.proxy.refreshed_at = f"{moment[:10]}T08:00:00Z"
        self.proxy.answers["connections.refresh"]["refreshed_at"] = self.proxy.refreshed_at

    def in_days(self, days):
        return self.days_ago(-days)

    def amounts(self):
        return self.lines().mapped("amount")


@tagged("post_install", "-at_install")
class TestFuture(FutureCommon):
    """What the bank shows as booked before its day is pending until that day has passed."""

    def load(self, *, name="T1", amount="-300.00", days=5, **values):
        self.proxy.book("T0", "-20.00", day=self.days_ago(2))
        self.message = self.proxy.book(name, amount, day=self.in_days(days), **values)
        self.link = self.connect_journal()
        self.asked = self.reviews()
        return self.synchronize(self.link)

    # -------------------------------------------------------------------------
    # UNTIL ITS DAY HAS PASSED
    # -------------------------------------------------------------------------

    def test_a_future_row_is_pending_with_its_day_in_the_first_load(self):
        run = self.load()
        self.assertEqual((self.amounts(), run.imported, run.pending), ([-20], 1, 1))
        self.assertRecordValues(
            self.beside(), [{"state": "pending", "reason_code": "future", "date": self.in_days(5), "amount": -300}]
        )
        self.assertRecordValues(self.message_account(), [{"pending_count": 1, "pending_amount": -300}])

    def message_account(self):
        return self.link.account_online_account_ids

    def test_a_future_row_is_pending_on_its_day_and_booked_on_the_next(self):
        self.load()
        self.go_to("2026-05-25 10:00:00")
        self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside("pending"))), ([-20], 1))
        self.go_to("2026-05-26 10:00:00")
        self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside())), ([-20, -300], 0))
        self.assertEqual(self.lines()[-1].date, self.in_days(5))
        self.assertFalse(self.asked)

    def test_a_row_first_seen_on_its_own_day_is_booked_at_once(self):
        self.load(days=0)
        self.assertEqual(self.amounts(), [-20, -300])

    def test_it_is_shown_once_however_often_it_is_fetched(self):
        self.load()
        for _ in range(2):
            self.synchronize(self.link)
        self.assertEqual(len(self.beside("pending")), 1)

    # -------------------------------------------------------------------------
    # MOVED, RENAMED, VANISHED
    # -------------------------------------------------------------------------

    def test_booked_a_day_later_under_another_id_it_is_one_line(self):
        self.load()
        self.go_to("2026-05-26 10:00:00")
        self.message.update(id="OTHER", booking_date="2026-05-26")
        for _ in range(2):
            self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside())), ([-20, -300], 0))

    def test_booked_a_day_later_without_ids_it_is_one_line(self):
        self.load(name=None, remittance=["Rent"])
        self.go_to("2026-05-26 10:00:00")
        self.message["booking_date"] = "2026-05-26"
        for _ in range(2):
            self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside())), ([-20, -300], 0))

    def test_booked_earlier_than_announced_it_is_one_line(self):
        self.load()
        self.go_to("2026-05-23 10:00:00")
        self.message.update(id="OTHER", booking_date="2026-05-22")
        self.synchronize(self.link)
        self.go_to("2026-05-28 10:00:00")
        self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside())), ([-20, -300], 0))

    def test_one_that_vanishes_before_its_day_leaves_nothing(self):
        self.load()
        self.proxy.transactions["A1"].remove(self.message)
        self.go_to("2026-05-26 10:00:00")
        self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside()), self.asked), ([-20], 0, []))

    def test_a_person_is_asked_once_when_one_that_became_a_line_is_gone(self):
        self.load()
        self.go_to("2026-05-26 10:00:00")
        self.synchronize(self.link)
        self.proxy.transactions["A1"].remove(self.message)
        for _ in range(2):
            self.synchronize(self.link)
        self.assertEqual(len(self.asked), 1)
        self.assertIn("no longer shows it", self.asked[0])
        self.assertTrue(self.lines()[-1].online_withdrawn)

    def test_a_person_is_asked_also_when_it_was_all_that_the_bank_showed(self):
        self.message = self.proxy.book("T1", "-300.00", day=self.in_days(5))
        self.link = self.connect_journal()
        self.asked = self.reviews()
        for moment in ("2026-05-20 10:00:00", "2026-05-26 10:00:00"):
            self.go_to(moment)
            self.synchronize(self.link)
        self.proxy.transactions["A1"].clear()
        self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.asked)), ([-300], 1))

    def test_gone_as_a_line_and_booked_a_day_later_it_is_marked_with_its_partner(self):
        self.load()
        self.go_to("2026-05-26 10:00:00")
        self.synchronize(self.link)
        self.message.update(id="OTHER", booking_date="2026-05-26")
        self.synchronize(self.link)
        first, second = self.lines()[1:]
        self.assertEqual((second.online_possible_duplicate, second.online_duplicate_of_id), (True, first))

    # -------------------------------------------------------------------------
    # LISTS OF CHANGES
    # -------------------------------------------------------------------------

    def test_a_list_of_changes_that_never_repeats_it_loses_nothing(self):
        self.proxy.has_bookmarks = True
        self.proxy.book("T0", "-20.00", day=self.days_ago(2))
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("T1", "-300.00", day=self.in_days(5))
        self.synchronize(link)
        self.assertIn("cursor", self.proxy.requests[-1][1])
        self.assertEqual(len(self.beside("pending")), 1)
        self.go_to("2026-05-26 10:00:00")
        for _ in range(2):
            self.synchronize(link)
        self.assertEqual((self.amounts(), len(self.beside())), ([-20, -300], 0))
        self.assertTrue(link.account_online_account_ids.sudo().sync_cursor, "the list of changes goes on")

    def test_one_that_a_list_of_changes_renames_is_one_line(self):
        self.proxy.has_bookmarks = True
        self.load()
        self.go_to("2026-05-26 10:00:00")
        self.proxy.withdraw("T1")
        self.proxy.book("OTHER", "-300.00", day=self.in_days(6))
        for _ in range(2):
            self.synchronize(self.link)
        self.assertEqual((self.amounts(), len(self.beside())), ([-20, -300], 0))

    # -------------------------------------------------------------------------
    # WHICH DAY
    # -------------------------------------------------------------------------

    def test_a_value_day_in_the_future_is_not_an_announcement(self):
        self.proxy.book("T1", "-5.00", day=self.days_ago(1), value_date=str(self.in_days(3)))
        link = self.connect_journal()
        link.account_online_account_ids.date_choice = "value"
        self.synchronize(link)
        self.assertRecordValues(self.lines(), [{"date": self.in_days(3)}])

    def test_a_booking_day_in_the_future_is_an_announcement_with_any_value_day(self):
        self.proxy.book("T1", "-5.00", day=self.in_days(1), value_date=str(self.days_ago(1)))
        link = self.connect_journal()
        link.account_online_account_ids.date_choice = "value"
        self.synchronize(link)
        self.assertRecordValues(self.beside("pending"), [{"date": self.days_ago(1)}])

    def test_a_bank_in_auckland_is_a_day_ahead_and_nothing_waits(self):
        self.company.country_id = self.env.ref("base.nz")
        self.clock.move_to("2026-05-20 18:00:00")
        self.load(days=1)
        self.assertEqual(self.amounts(), [-20, -300])

    def test_news_of_the_bank_that_never_move_on_hold_nothing_back(self):
        self.load()
        self.clock.move_to("2026-05-26 10:00:00")
        self.proxy.book("T2", "-1.00", day=self.in_days(6))
        self.synchronize(self.link)
        self.assertEqual(self.amounts(), [-20, -300, -1])

    # -------------------------------------------------------------------------
    # BESIDE OTHER RULES
    # -------------------------------------------------------------------------

    def test_a_line_that_the_bank_moves_into_the_future_stays_one_line(self):
        self.load(days=-1)
        self.message["booking_date"] = str(self.in_days(3))
        self.synchronize(self.link)
        self.go_to("2026-05-25 10:00:00")
        self.synchronize(self.link)
        self.assertEqual(self.amounts(), [-20, -300])
        self.assertFalse(self.beside())

    def test_what_a_user_has_deleted_is_not_announced_again(self):
        self.load(days=0)
        self.delete(self.lines()[-1])
        self.message["booking_date"] = str(self.in_days(3))
        self.synchronize(self.link)
        self.assertEqual((self.beside().mapped("state"), self.amounts()), (["deleted"], [-20]))

    def test_what_was_typed_ahead_is_adopted_when_its_day_has_passed(self):
        typed = self.Line.create(
            {"journal_id": self.journal.id, "date": self.in_days(5), "amount": -300, "payment_ref": "Rent"}
        )
        self.load()
        self.assertFalse(typed.online_account_id)
        self.go_to("2026-05-26 10:00:00")
        self.synchronize(self.link)
        self.assertEqual((self.amounts(), typed.online_adopted), ([-20, -300], True))


@tagged("post_install", "-at_install")
class TestFutureInReview(FutureCommon, MissingCommon):
    def test_find_missing_shows_it_as_pending(self):
        self.proxy.book("T0", "-20.00", day=self.days_ago(2))
        self.proxy.book("T1", "-300.00", day=self.in_days(5))
        link = self.connect_journal()
        for is_synchronized in (True, False):
            with self.subTest(is_synchronized=is_synchronized):
                if is_synchronized:
                    self.synchronize(link)
                else:
                    self.beside().sudo().unlink()
                wizard = self.compare(date_from=self.days_ago(10), date_to=self.days_ago(0))
                self.assertEqual(self.labels(wizard, "pending"), ["Text of T1"])
                self.assertFalse(wizard.can_import)
