from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestIdentifiers(OnlineSyncCommon):
    """Banks change their ids; imported transactions are still recognised."""

    def setUp(self):
        super().setUp()
        for number in range(1, 5):
            self.proxy.book(f"T{number}", f"-{number}.00", self.days_ago(number))
        self.proxy.book("T5", "-4.00", self.days_ago(4), remittance=["Text of T4"])
        self.link = self.connect_journal()
        self.synchronize(self.link)
        self.before = self.lines()

    def identifiers(self):
        return set(self.lines().mapped("online_transaction_identifier"))

    def test_new_ids_for_everything_double_nothing(self):
        self.proxy.rename("N-{}".format)
        run = self.synchronize(self.link)
        self.assertEqual((self.lines(), run.imported, run.known), (self.before, 0, 5))

    def test_the_new_ids_are_taken_over_so_that_later_changes_are_followed(self):
        self.proxy.rename("N-{}".format)
        self.synchronize(self.link)
        self.assertEqual(self.identifiers(), {"N-T1", "N-T2", "N-T3", "N-T4", "N-T5"})
        self.proxy.transactions["A1"][0]["amount"] = "-1.50"
        self.synchronize(self.link)
        self.assertEqual(sorted(self.lines().mapped("amount")), [-4, -4, -3, -2, -1.5])

    def test_new_ids_do_not_touch_what_a_person_did(self):
        self.before[0].payment_ref = "My own text"
        self.reconcile(self.before[1])
        asked = self.reviews()
        self.proxy.rename("N-{}".format)
        self.synchronize(self.link)
        self.assertEqual(self.before[0].payment_ref, "My own text")
        self.assertEqual(asked, [])

    def test_new_ids_and_a_new_transaction_bring_one_line(self):
        self.proxy.rename("N-{}".format)
        self.proxy.book("N-T6", "-4.00", self.days_ago(4), remittance=["Text of T4"])
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 6)

    def test_a_bank_that_stops_giving_ids_doubles_nothing(self):
        self.proxy.rename(lambda name: None)
        self.synchronize(self.link)
        self.synchronize(self.link)
        self.assertEqual(self.lines(), self.before)

    def test_another_provider_with_ids_and_texts_of_its_own_doubles_nothing(self):
        for message in self.proxy.transactions["A1"]:
            message.update(id=f"X{message['id']}", remittance=[f"POS {message['remittance'][0].upper()}"])
        self.synchronize(self.link)
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 5)

    def test_another_provider_that_reaches_less_far_back_doubles_nothing(self):
        self.proxy.transactions["A1"] = self.proxy.transactions["A1"][:2]
        self.proxy.rename("N-{}".format)
        self.synchronize(self.link)
        self.assertEqual(self.identifiers(), {"N-T1", "N-T2", "T3", "T4", "T5"})

    def test_a_day_before_the_first_that_is_shown_has_not_vanished(self):
        """The bank shows one day only; the equal payment of the day before is another one."""
        self.proxy.transactions["A1"].clear()
        self.proxy.book("N1", "-1.00", DAY, remittance=["Text of T1"])
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 6)

    def test_ids_that_two_transactions_exchange_double_nothing(self):
        first, second = self.proxy.transactions["A1"][:2]
        first["id"], second["id"] = second["id"], first["id"]
        self.synchronize(self.link)
        self.assertEqual(sorted(self.lines().mapped("amount")), [-4, -4, -3, -2, -1])

    def test_a_shared_id_after_ids_of_their_own_stops_nothing(self):
        """A new provider names all payments of a tax by one code."""
        self.proxy.rename(lambda name: "TAX")
        self.proxy.book("TAX", "-9.00")
        run = self.synchronize(self.link)
        self.assertEqual((run.state, len(self.lines())), ("done", 6))
        self.assertEqual(self.synchronize(self.link).imported, 0)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestNumbersWithinTheDay(OnlineSyncCommon):
    """``2026-05-19-2`` is a position in a list, not an id: it names another transaction after a late booking."""

    def book(self, *amounts):
        self.proxy.transactions["A1"].clear()
        for number, amount in enumerate(amounts, start=1):
            self.proxy.book(f"2026-05-19-{number}", amount, date(2026, 5, 19), remittance=[f"Payment of {amount}"])

    def test_a_late_booking_that_shifts_the_numbers_changes_and_doubles_nothing(self):
        link = self.connect_journal()
        self.book("-1.00", "-2.00")
        self.synchronize(link)
        self.book("-7.00", "-1.00", "-2.00")
        run = self.synchronize(link)
        self.assertEqual(sorted(self.lines().mapped("amount")), [-7, -2, -1])
        self.assertEqual((run.imported, run.known, run.changed), (1, 2, 0))

    def test_a_second_equal_payment_is_not_lost_in_a_list_of_changes(self):
        self.proxy.has_bookmarks = True
        link = self.connect_journal()
        self.book("-1.00")
        self.synchronize(link)
        self.book("-1.00", "-1.00")
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [-1, -1])

    def test_equal_payments_of_a_day_stay_as_many_as_they_are(self):
        link = self.connect_journal()
        self.book("-1.00", "-1.00")
        self.synchronize(link)
        self.book("-7.00", "-1.00", "-1.00")
        self.synchronize(link)
        self.assertEqual(sorted(self.lines().mapped("amount")), [-7, -1, -1])
