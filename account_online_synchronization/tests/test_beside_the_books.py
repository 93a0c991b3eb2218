from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..books.kept import Kept
from ..books.read import policy_of
from ..sync.decide import Window
from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestPending(OnlineSyncCommon):
    """What the bank has announced is shown, and nothing more; it is imported once it is booked."""

    def shown(self):
        return self.beside("pending").mapped("online_transaction_identifier")

    def test_pending_transactions_are_shown_and_make_no_line(self):
        self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(self.connect_journal())
        self.assertRecordValues(self.beside(), [{"state": "pending", "amount": -5, "payment_ref": "Text of P1"}])
        self.assertFalse(self.lines())

    def test_one_without_a_date_is_shown_too(self):
        self.proxy.book("P1", "-5.00", day=None, status="pending", booking_date=None)
        self.synchronize(self.connect_journal())
        self.assertEqual(self.shown(), ["P1"])

    def test_they_are_replaced_by_what_the_bank_announces_now(self):
        link = self.connect_journal()
        self.proxy.book("P1", "-5.00", status="pending")
        self.proxy.book("P2", "-6.00", status="pending")
        self.synchronize(link)
        self.proxy.transactions["A1"].pop(0)
        self.proxy.book("P3", "-7.00", status="pending")
        self.synchronize(link)
        self.assertEqual(self.shown(), ["P2", "P3"])
        self.assertRecordValues(link.account_online_account_ids, [{"pending_count": 2, "pending_amount": -13}])

    def test_where_nothing_is_pending_one_query_finds_that_out(self):
        account = self.connect_journal().account_online_account_ids
        kept = Kept(account, policy_of(account))
        self.env.flush_all()
        with self.assertQueryCount(1):
            kept.keep_pending(Window())

    def test_what_stays_pending_is_not_written_again(self):
        link = self.connect_journal()
        self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(link)
        account = link.account_online_account_ids
        window = self.fetch_window(account).window
        with patch.object(type(account), "write", side_effect=AssertionError("it writes")):
            Kept(account, policy_of(account)).keep_pending(window)
        self.assertRecordValues(account, [{"pending_count": 1, "pending_amount": -5}])

    def test_a_pending_one_that_changes_is_shown_as_it_is_now(self):
        link = self.connect_journal()
        message = self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(link)
        message["amount"] = "-5.50"
        self.synchronize(link)
        self.assertEqual(self.beside().mapped("amount"), [-5.5])

    def test_once_booked_it_is_a_line_and_pending_no_more(self):
        link = self.connect_journal()
        message = self.proxy.book("T1", "-5.00", status="pending")
        self.synchronize(link)
        message["status"] = "booked"
        self.synchronize(link)
        self.assertEqual((self.shown(), len(self.lines())), ([], 1))

    def test_booked_under_another_id_it_is_pending_no_more(self):
        link = self.connect_journal()
        self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(link)
        self.proxy.book("B1", "-5.00", pending_id="P1")
        self.synchronize(link)
        self.assertEqual((self.shown(), len(self.lines())), ([], 1))

    def test_equal_pending_ones_without_ids_are_all_shown(self):
        for _number in range(2):
            self.proxy.book(None, "-2.80", status="pending", remittance=["Coffee"])
        self.synchronize(self.connect_journal())
        self.assertEqual(len(self.beside("pending")), 2)

    def test_a_list_of_changes_adds_to_what_is_announced_and_takes_away_what_it_names(self):
        self.proxy.has_bookmarks = True
        link = self.connect_journal()
        for name in ("P1", "P2", "P3"):
            self.proxy.book(name, "-1.00", status="pending")
        self.synchronize(link)
        self.proxy.removed.append("P1")
        self.proxy.book("P2", "-1.00")
        self.proxy.book("P4", "-1.00", status="pending")
        self.synchronize(link)
        self.assertEqual(self.shown(), ["P3", "P4"])

    def test_a_pending_one_cannot_be_brought_in_by_hand(self):
        self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(self.connect_journal())
        with self.assertRaisesRegex(UserError, "still pending at the bank"):
            self.beside().action_restore()


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestParked(OnlineSyncCommon):
    """What could not be imported is kept with its reason, and tried again in each run."""

    def test_it_is_kept_with_what_the_bank_said_and_why(self):
        self.proxy.book("T1", "-5.00")
        link = self.connect_journal()
        with self.refused("T1", "Not wanted."):
            self.synchronize(link)
        self.assertRecordValues(
            self.beside(), [{"state": "parked", "amount": -5, "date": DAY, "reason": "Not wanted."}]
        )

    def test_it_becomes_a_line_as_soon_as_nothing_is_in_the_way(self):
        self.proxy.book("T1", "-5.00")
        link = self.connect_journal()
        with self.refused("T1", "Not wanted."):
            self.synchronize(link)
        self.synchronize(link)
        self.assertEqual((len(self.lines()), len(self.beside())), (1, 0))

    def test_it_is_tried_again_when_the_bank_shows_it_no_more(self):
        self.proxy.book("T1", "-5.00")
        link = self.connect_journal()
        with self.refused("T1", "Not wanted."):
            self.synchronize(link)
        self.proxy.transactions["A1"].clear()
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [-5])

    def test_in_each_run_it_is_one_and_a_person_hears_of_it_once(self):
        asked = self.reviews()
        self.proxy.book("T1", "-5.00")
        link = self.connect_journal()
        with self.refused("T1", "Not wanted."):
            runs = [self.synchronize(link) for _number in range(3)]
        self.assertEqual(len(self.beside()), 1)
        self.assertEqual([run.parked for run in runs], [1, 1, 1])
        self.assertEqual(len(asked), 1)

    def test_what_could_not_be_read_becomes_a_line_once_it_can(self):
        message = self.proxy.book("T1", "-5.00")
        message["amount"] = "a lot"
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(self.beside("parked").transaction_details["amount"], "a lot")
        message["amount"] = "-5.00"
        self.synchronize(link)
        self.assertEqual((len(self.lines()), len(self.beside())), (1, 0))

    def test_dismissed_transactions_are_not_retried(self):
        self.proxy.book("BAD", "1.00")["amount"] = "a lot"
        link = self.connect_journal()
        self.synchronize(link)
        self.beside("parked").action_dismiss()
        run = self.synchronize(link)
        self.assertEqual((run.parked, run.skipped_deleted), (0, 1))
        self.assertEqual(self.beside().mapped("state"), ["deleted"])

    def test_new_ids_meanwhile_double_nothing(self):
        self.proxy.book("T1", "-5.00")
        link = self.connect_journal()
        with self.refused("T1", "Not wanted."):
            self.synchronize(link)
        self.proxy.rename("N-{}".format)
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual((len(self.lines()), len(self.beside())), (1, 0))

    def test_one_that_shares_its_id_is_tried_again_once(self):
        self.proxy.book("TAX", "-1.00")
        self.proxy.book("TAX", "-2.00")
        link = self.connect_journal()
        self.synchronize(link)
        second = self.lines()[1].online_transaction_identifier
        self.delete(self.lines()[1])
        self.beside().sudo().unlink()
        with self.refused(second, "Not wanted."):
            self.synchronize(link)
        self.assertEqual(len(self.beside("parked")), 1)
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("amount"), [-1, -2])

    def test_what_the_bank_withdraws_meanwhile_is_not_tried_again(self):
        self.proxy.book("T1", "-5.00")
        link = self.connect_journal()
        with self.refused("T1", "Not wanted."):
            self.synchronize(link)
        self.proxy.withdraw("T1")
        self.synchronize(link)
        self.assertEqual((len(self.lines()), len(self.beside())), (0, 0))

    def test_two_that_exchange_their_ids_stop_nothing(self):
        messages = [self.proxy.book("T1", "-1.00"), self.proxy.book("T2", "-2.00")]
        self.company.fiscalyear_lock_date = DAY
        link = self.connect_journal()
        self.synchronize(link)
        messages[0]["id"], messages[1]["id"] = "T2", "T1"
        self.assertEqual(self.synchronize(link).state, "done")
        self.assertEqual(len(self.beside()), 2)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBesideTheBooksAccess(OnlineSyncCommon):
    """Who sees what is beside the books, and who brings it in."""

    def setUp(self):
        super().setUp()
        self.proxy.book("T1", "-5.00")
        self.link = self.connect_journal()
        self.synchronize(self.link)
        self.delete(self.lines())

    def new_user(self, group, company=None):
        company = company or self.company
        return new_test_user(
            self.env, login=group, groups=group, company_id=company.id, company_ids=[(6, 0, company.ids)]
        )

    def test_an_accountant_brings_it_in(self):
        self.beside().with_user(self.new_user("account.group_account_basic")).action_restore()
        self.assertEqual(len(self.lines()), 1)

    def test_an_invoicing_user_sees_it_and_does_not_bring_it_in(self):
        beside = self.beside().with_user(self.new_user("account.group_account_invoice"))
        self.assertEqual(beside.read(["amount"])[0]["amount"], -5)
        with self.assertRaisesRegex(AccessError, "Only accountants"):
            beside.action_restore()

    def test_an_employee_sees_nothing(self):
        with self.assertRaises(AccessError):
            self.beside().with_user(self.new_user("base.group_user")).read(["amount"])

    def test_kept_transactions_are_read_only(self):
        beside = self.beside().with_user(self.new_user("account.group_account_manager"))
        for change in (lambda: beside.write({"amount": 1}), beside.unlink, beside.copy):
            with self.assertRaises(AccessError):
                change()

    def test_what_belongs_to_another_company_is_hidden(self):
        other = self.env["res.company"].create({"name": "Another company"})
        stranger = self.new_user("account.group_account_manager", other)
        self.assertFalse(self.beside().with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            self.beside().with_user(stranger).read(["amount"])

    def test_what_belongs_to_another_company_cannot_be_acted_on(self):
        self.proxy.book("T2", "-6.00")
        self.synchronize(self.link)
        other = self.env["res.company"].create({"name": "Another company"})
        stranger = self.new_user("account.group_account_manager", other)
        account = self.link.account_online_account_ids
        for records, action in (
            (self.beside(), "action_restore"),
            (self.lines(), "action_no_duplicate"),
            (self.lines(), "action_separate_online_transaction"),
            (account, "action_book_opening_balance"),
            (self.link, "action_fetch_transactions"),
            (self.link, "action_fetch_accounts"),
            (self.link, "action_reconnect"),
            (self.link, "action_update_credentials"),
        ):
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(records.with_user(stranger), action)()
        self.assertEqual(len(self.lines()), 1)
