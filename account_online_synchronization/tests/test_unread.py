from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestUnread(OnlineSyncCommon):
    """Unreadable transactions wait beside the books, and are imported automatically once they can be read."""

    def setUp(self):
        super().setUp()
        self.enterContext(freeze_time("2026-05-20 10:00:00"))
        self.proxy.book("GOOD", "7.00")

    def unread(self, name="BAD", **values):
        message = self.proxy.book(name, "-5.00", **values)
        message.update(problem="no amount: '5,00'", raw={"amount": "5,00"})
        return message

    def readable(self, message):
        del message["problem"]

    def test_an_unreadable_transaction_stops_nothing_and_is_reported(self):
        self.unread()
        run = self.synchronize(self.connect_journal())
        self.assertEqual((run.state, run.parked), ("done", 1))
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["GOOD"])
        self.assertIn("no amount: '5,00'", self.beside("parked").reason)
        self.assertEqual(self.beside("parked").transaction_details["raw"], {"amount": "5,00"})

    def test_it_becomes_a_line_once_it_can_be_read(self):
        link = self.connect_journal()
        message = self.unread()
        self.synchronize(link)
        self.readable(message)
        self.synchronize(link)
        self.assertFalse(self.beside())
        self.assertEqual(sorted(self.lines().mapped("online_transaction_identifier")), ["BAD", "GOOD"])
        self.assertFalse(link.account_online_account_ids.unread_since)

    def test_meanwhile_its_days_are_requested_again(self):
        """Weeks later it would not be in the usual window any more."""
        link = self.connect_journal()
        message = self.unread()
        self.synchronize(link)
        for day in ("2026-06-10", "2026-06-30"):
            self.enterContext(freeze_time(f"{day} 10:00:00"))
            self.proxy.refreshed_at = f"{day}T09:00:00Z"
            self.synchronize(link)
        self.assertEqual(len(self.beside("parked")), 1)
        self.readable(message)
        self.synchronize(link)
        self.assertIn("BAD", self.lines().mapped("online_transaction_identifier"))

    def test_a_bookmark_stays_before_it(self):
        """A list of changes never repeats what it has reported."""
        self.proxy.has_bookmarks = True
        link = self.connect_journal()
        account = link.account_online_account_ids
        self.synchronize(link)
        bookmark = account.sync_cursor
        message = self.unread()
        self.proxy.book("LATER", "3.00")
        self.synchronize(link)
        self.assertTrue(bookmark)
        self.assertEqual(account.sync_cursor, bookmark)
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["GOOD", "LATER"])
        self.readable(message)
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 3)
        self.assertFalse(self.beside())
        self.assertNotEqual(account.sync_cursor, bookmark)

    def test_a_first_load_sets_no_bookmark_behind_it(self):
        self.proxy.has_bookmarks = True
        link = self.connect_journal()
        message = self.unread()
        self.synchronize(link)
        self.assertFalse(link.account_online_account_ids.sync_cursor)
        self.readable(message)
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 2)
        self.assertTrue(link.account_online_account_ids.sync_cursor)

    def test_without_an_id_it_is_known_again_by_the_bank_s_own_words(self):
        link = self.connect_journal()
        message = self.unread(id=None)
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual(len(self.beside("parked")), 1)
        message["problem"] = "other words of a later version"
        self.synchronize(link)
        self.assertEqual(len(self.beside("parked")), 1)
        self.readable(message)
        self.synchronize(link)
        self.assertFalse(self.beside())
        self.assertEqual(len(self.lines()), 2)

    def test_a_person_hears_of_it_once(self):
        link = self.connect_journal()
        self.unread()
        self.synchronize(link)
        before = len(link.message_ids)
        self.synchronize(link)
        self.assertEqual(len(link.message_ids), before)

    def test_dismissed_it_holds_nothing_up(self):
        link = self.connect_journal()
        self.unread()
        self.synchronize(link)
        self.beside("parked").action_dismiss()
        self.synchronize(link)
        self.assertFalse(link.account_online_account_ids.unread_since)
        self.assertFalse(self.beside("parked"))

    def test_a_pending_one_goes_as_pending_ones_do(self):
        link = self.connect_journal()
        self.unread("P1", status="pending")
        self.synchronize(link)
        self.assertEqual(len(self.beside("parked")), 1)
        self.proxy.transactions["A1"].pop()
        self.synchronize(link)
        self.assertFalse(self.beside())

    def test_after_eighty_days_it_stays_visible_but_is_requested_no_more(self):
        link = self.connect_journal()
        self.unread()
        self.synchronize(link)
        account = link.account_online_account_ids
        self.assertEqual(account.unread_since, date(2026, 5, 20))
        account.unread_since = date(2026, 2, 20)
        self.synchronize(link)
        self.assertFalse(account.unread_since)
        self.assertEqual(len(self.beside("parked")), 1)
