from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestImport(OnlineSyncCommon):
    """From what the bank says to statement lines."""

    def test_a_booked_transaction_becomes_a_posted_line(self):
        self.proxy.book("T1", "-12.30", counterparty={"name": "Azure Ltd", "account_number": "BE71 0961 2345 6769"})
        self.synchronize(self.connect_journal())
        line = self.lines()
        self.assertRecordValues(
            line,
            [
                {
                    "date": DAY,
                    "amount": -12.3,
                    "payment_ref": "Text of T1",
                    "partner_name": "Azure Ltd",
                    "account_number": "BE71 0961 2345 6769",
                    "state": "posted",
                    "online_transaction_identifier": "T1",
                }
            ],
        )
        self.assertEqual(line.transaction_details["id"], "T1")

    def test_pending_transactions_are_counted_but_not_imported(self):
        self.proxy.book("P1", "-5.00", status="pending")
        self.proxy.book("P2", "-7.00", status="pending")
        link = self.connect_journal()
        self.synchronize(link)
        self.assertFalse(self.lines())
        self.assertRecordValues(link.account_online_account_ids, [{"pending_count": 2, "pending_amount": -12.0}])

    def test_synchronizing_again_adds_nothing(self):
        for number in range(7):
            self.proxy.book(f"T{number}", "1.00")
        link = self.connect_journal()
        first, second = self.synchronize(link), self.synchronize(link)
        self.assertEqual((first.imported, first.known), (7, 0))
        self.assertEqual((second.imported, second.known), (0, 7))
        self.assertEqual(len(self.lines()), 7)

    def test_two_identical_coffees_are_two_lines(self):
        self.proxy.book("T1", "-2.80", remittance=["Coffee"])
        self.proxy.book("T2", "-2.80", remittance=["Coffee"])
        self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("amount"), [-2.8, -2.8])

    def test_identical_coffees_without_ids_stay_two_at_each_synchronization(self):
        self.proxy.accounts["A1"]["id_scheme"] = "fingerprint"
        for _number in range(2):
            self.proxy.book(None, "-2.80", remittance=["Coffee"])
        link = self.connect_journal()
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 2)

    def test_one_id_twice_in_an_answer_is_one_line(self):
        self.proxy.book("T1", "-2.80")
        self.proxy.book("T1", "-2.80")
        self.synchronize(self.connect_journal())
        self.assertEqual(len(self.lines()), 1)

    def test_two_transactions_under_one_id_are_not_taken_for_one(self):
        self.proxy.book("TAX", "-100.00")
        self.proxy.book("TAX", "-200.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [-100.0, -200.0])

    def test_an_amount_with_more_decimals_than_its_currency_is_not_rounded_in_silence(self):
        self.proxy.book("T1", "-2.805")
        self.proxy.book("T2", "-2.800")
        run = self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("amount"), [-2.8])
        self.assertIn("2.805", run.parked_text)

    def test_the_same_id_in_two_accounts_is_two_transactions(self):
        self.proxy.add_account("A2")
        self.proxy.book("T1", "1.00", account_id="A1")
        self.proxy.book("T1", "1.00", account_id="A2")
        link = self.connect()
        first, second = link.account_online_account_ids.sorted("online_identifier")
        first._link_journal(self.journal)
        other = second._create_journal()
        second._link_journal(other)
        self.synchronize(link)
        self.assertEqual((len(self.lines()), len(self.lines(other))), (1, 1))

    def test_postgresql_refuses_a_double(self):
        self.proxy.book("T1", "1.00")
        self.synchronize(self.connect_journal())
        line = self.lines()
        with self.assertRaisesRegex(Exception, "already been imported|unique"), self.cr.savepoint():
            line.sudo().copy(
                {
                    "online_account_id": line.online_account_id.id,
                    "online_transaction_identifier": "T1",
                    "journal_id": self.journal.id,
                }
            )
            self.env.flush_all()

    def test_all_pages_are_imported(self):
        self.proxy.page_size = 3
        for number in range(10):
            self.proxy.book(f"T{number}", "1.00")
        self.synchronize(self.connect_journal())
        self.assertEqual(len(self.lines()), 10)

    def test_a_late_booking_of_last_week_is_found(self):
        self.proxy.book("T1", "1.00", self.days_ago(1))
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("T2", "2.00", self.days_ago(8))
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [2.0, 1.0])
        self.assertEqual(self.proxy.requests[-1][1]["since"], str(self.days_ago(10)))

    def test_late_bookings_are_requested_however_late_the_last_news_was_stored(self):
        self.proxy.refreshed_at = "2026-04-10T08:00:00Z"
        link = self.connect_journal()
        link._synchronize(user_present=True, refresh=False)
        self.proxy.book("T1", "1.00", date(2026, 4, 20))
        self.synchronize(link)
        self.assertEqual(self.proxy.requests[-1][1]["since"], "2026-03-31")
        self.assertEqual(len(self.lines()), 1)

    def test_without_any_news_so_far_they_are_requested_first(self):
        self.proxy.refreshed_at = None
        self.connect_journal()._synchronize(user_present=True, refresh=False)
        self.assertIn("connections.refresh", self.requested_operations())

    def test_the_first_load_reaches_as_far_back_as_the_bank_allows(self):
        self.proxy.book("T1", "1.00", self.days_ago(300))
        self.synchronize(self.connect_journal())
        self.assertNotIn("since", self.proxy.requests[-1][1])
        self.assertEqual(len(self.lines()), 1)

    def test_a_journal_with_transactions_continues_on_the_day_after_the_last(self):
        self.Line.create({"journal_id": self.journal.id, "date": "2026-05-10", "amount": 5, "payment_ref": "By hand"})
        self.proxy.book("OLD", "5.00", date(2026, 5, 10))
        self.proxy.book("NEW", "6.00", date(2026, 5, 11))
        link = self.connect()
        link.account_online_account_ids._link_journal(self.journal)
        self.assertEqual(link.account_online_account_ids.start_date, date(2026, 5, 11))
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [5.0, 6.0])

    def test_locked_days_are_left_out_and_counted_never_moved(self):
        self.company.fiscalyear_lock_date = "2026-04-30"
        self.proxy.book("T1", "1.00", date(2026, 4, 30))
        self.proxy.book("T2", "2.00", date(2026, 5, 1))
        run = self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("date"), [date(2026, 5, 1)])
        self.assertEqual(run.skipped_locked, 1)
        self.assertIn("In a locked period, left out: 1.", run._summary())

    def test_what_was_imported_before_the_lock_is_not_said_to_be_left_out(self):
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        _liquidity, suspense, _other = self.lines()._seek_for_lines()
        suspense.account_id = self.company_data["default_account_revenue"]
        self.company.fiscalyear_lock_date = DAY
        run = self.synchronize(link)
        self.assertEqual((run.known, run.skipped_locked), (1, 0))

    def test_one_bad_transaction_is_parked_with_its_reason_and_the_others_go_in(self):
        self.proxy.book("T1", "1.00")
        self.proxy.book("BAD", "1.00")["amount"] = "a lot"
        self.proxy.transactions["A1"].append("garbage")
        self.proxy.book("T2", "2.00")
        run = self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("amount"), [1.0, 2.0])
        self.assertEqual((run.state, run.parked), ("done", 2))
        self.assertIn("BAD · Its amount “a lot” is not a number.", run.parked_text)

    def test_a_line_that_odoo_refuses_is_parked_and_the_others_go_in(self):
        for number in range(3):
            self.proxy.book(f"T{number}", "1.00")
        reason = "This line is not wanted."
        with self.refused("T1", reason):
            run = self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["T0", "T2"])
        self.assertEqual(run.parked_details[0]["reason"], reason)

    def test_a_transaction_in_another_currency_than_its_account_is_parked(self):
        self.proxy.book("T1", "1.00", currency="JPY")
        run = self.synchronize(self.connect_journal())
        self.assertFalse(self.lines())
        self.assertIn("It is in JPY, but the account is in", run.parked_text)

    def test_a_foreign_card_payment_keeps_both_amounts(self):
        foreign = self.setup_other_currency("GBP")
        self.proxy.book("T1", "-12.00", foreign_amount="-10.00", foreign_currency="GBP")
        self.synchronize(self.connect_journal())
        self.assertRecordValues(
            self.lines(), [{"amount": -12.0, "amount_currency": -10.0, "foreign_currency_id": foreign.id}]
        )

    def test_an_inactive_foreign_currency_stays_in_the_details_only(self):
        self.env["res.currency"].with_context(active_test=False).search([("name", "=", "ISK")]).active = False
        self.proxy.book("T1", "-12.00", foreign_amount="-1000", foreign_currency="ISK")
        self.synchronize(self.connect_journal())
        self.assertFalse(self.lines().foreign_currency_id)
        self.assertEqual(self.lines().transaction_details["foreign_currency"], "ISK")

    def test_the_partner_is_found_by_the_account_number_however_it_is_written(self):
        self.env["res.partner.bank"].create({"partner_id": self.partner_a.id, "acc_number": "BE71 0961 2345 6769"})
        self.proxy.book("T1", "1.00", counterparty={"name": "Someone", "account_number": "be71096123456769"})
        self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().partner_id, self.partner_a)

    def test_an_account_number_of_two_partners_proves_nothing(self):
        for partner in self.partner_a + self.partner_b:
            self.env["res.partner.bank"].create({"partner_id": partner.id, "acc_number": "BE71096123456769"})
        self.proxy.book("T1", "1.00", counterparty={"account_number": "BE71096123456769"})
        self.synchronize(self.connect_journal())
        self.assertFalse(self.lines().partner_id)

    def test_the_order_of_the_bank_within_a_day_is_kept(self):
        for number in range(5):
            self.proxy.book(f"T{number}", "1.00")
        self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), [f"T{n}" for n in range(5)])

    def test_a_deleted_line_stays_deleted_when_the_bank_is_connected_again(self):
        self.proxy.book("T1", "1.00")
        self.proxy.book("T2", "2.00")
        link = self.connect_journal(periodicity="none")
        self.synchronize(link)
        self.lines()[0].unlink()
        link.unlink()
        self.proxy.transactions["A1"][0]["id"] = "NEW-ID"
        self.synchronize(self.connect_journal(periodicity="none"))
        self.assertEqual(self.lines().mapped("amount"), [2.0])
