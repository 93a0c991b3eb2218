from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..books import apply, statements, writer
from .common import THOROUGH, OnlineSyncCommon
from .simulated_bank import BLANK, TAX
from .world import START, World


@tagged("post_install", "-at_install")
class TestMachineScenarios(OnlineSyncCommon):
    """One danger each, in the world of the state machine: every undisturbed run checks everything, see world.py."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.journals = cls.journal.concat(cls.journal.copy({"code": "SYN1", "name": "Bank 1"}))

    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(freeze_time(START))
        self.enterContext(mute_logger("odoo.addons.account_online_synchronization"))
        self.renew_world()

    def renew_world(self):
        self.world = World(self)
        self.addCleanup(self.world.close)

    def load(self, kind, *backs, **options):
        """:return: an account after its first run, and its payments"""
        (account,) = self.world.connect(kind, **options)
        payments = [self.world.bank_books(account, back) for back in backs]
        self.world.run()
        return account, payments

    def line_of(self, account, payment):
        return self.world.lines(account).filtered(lambda line: self.world._payment_of(line) is payment)

    # -------------------------------------------------------------------------
    # CHANGES AND IDS
    # -------------------------------------------------------------------------

    def test_another_amount(self):
        account, payments = self.load("stable", 3, 1)
        self.world.bank_changes(account, payments[0], "amount")
        self.world.settle()

    def test_another_date(self):
        account, payments = self.load("stable", 5, 3, 1, periodicity="day")
        self.world.bank_changes(account, payments[1], "date", 0)
        self.world.settle()

    def test_other_texts_where_there_are_no_ids(self):
        account, payments = self.load("nameless", 3, 1)
        self.world.bank_changes(account, payments[1], "text")
        self.world.settle()

    def test_find_missing_decides_as_the_run_that_follows(self):
        for kind in ("stable", "nameless", "positional", "shared"):
            with self.subTest(kind=kind), patch.object(World, "check_foreseen") as check:
                account, payments = self.load(kind, 8, 5, 5, 1, start=20)
                self.world.user_deletes(account, self.line_of(account, payments[0]))
                self.world.user_types_what_the_bank_books_later(account, 0, True)
                self.world.bank_books_what_the_user_typed(self.world.typed[0])
                self.world.bank_books(account, 9)
                self.world.bank_books_ahead(account, 2)
                self.world.bank_announces(account)
                self.world.run()
                ((foreseen,), (decided,)) = (found.values() for found in check.call_args.args)
                self.assertEqual(foreseen, decided)
                self.assertLessEqual({"known", "deleted", "import", "held"}, {one.outcome for one in foreseen})
                self.world.close()
                self.renew_world()

    def test_new_ids(self):
        self.load("stable", 3, 1, 1)
        self.world.consent_is_renewed("C0")
        self.world.settle()

    def test_two_accounts_alike_whose_order_changes(self):
        for account in self.world.connect("stable", "stable"):
            for back in (3, 1, 1):
                self.world.bank_books(account, back)
        self.world.run()
        for new_transaction_ids in (False, True):
            self.world.consent_is_renewed("C0", False, new_transaction_ids, in_another_order=True)
            self.world.settle()

    def test_all_days_a_day_later_and_a_day_earlier(self):
        for kind in ("stable", "nameless"):
            for days in (1, -1):
                with self.subTest(kind=kind, days=days):
                    account, _payments = self.load(kind, 9, 7, 4, 4, 2, 0)
                    self.world.bank_dates_otherwise(account, days)
                    self.world.settle()
                    self.world.time_passes(hours=72)
                    self.world.settle()
                    self.world.close()
                    self.renew_world()

    def test_a_statement_adds_up_after_its_last_line_has_moved_to_the_next_one(self):
        for what in ("one", "all"):
            with self.subTest(moves=what):
                # 17 May 2026 is a Sunday.
                account, payments = self.load("stable", 6, 3, 1, periodicity="week")
                if what == "one":
                    self.world.bank_changes(account, payments[1], "date", 2)
                else:
                    self.world.bank_dates_otherwise(account, 1)
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_a_standing_order_that_is_shown_before_its_day(self):
        # Why two by day: pure/test_decide.py moves such a row in every way, for names of each kind.
        for kind in ("stable", "nameless", "cursor", "positional", "shared") if THOROUGH else ("cursor", "positional"):
            for what in ("date", "id", "vanished", None):
                with self.subTest(kind=kind, what=what):
                    account, _payments = self.load(kind, 3)
                    payment = self.world.bank_books_ahead(account, 3)
                    self.world.settle()
                    if what:
                        self.world.bank_changes_what_is_ahead(account, payment, what, 5)
                    for _ in range(4):
                        self.world.time_passes(hours=48)
                        self.world.settle()
                    self.world.close()
                    self.renew_world()

    def test_a_first_load_with_something_that_can_not_be_read(self):
        (account,) = self.world.connect("stable")
        for back in (5, 3, 1):
            self.world.bank_books(account, back)
        self.world.bank_books_ahead(account, 2)
        self.world.disturbed_run(("unreadable", 1, 0))
        self.world.settle()

    def test_new_ids_and_another_amount_of_one(self):
        account, payments = self.load("stable", 3, 1, 1)
        self.world.consent_is_renewed("C0")
        self.world.settle()
        self.world.bank_changes(account, payments[1], "amount")
        self.world.settle()

    def test_new_ids_and_another_text_of_one(self):
        account, payments = self.load("stable", 3, 1, 1)
        self.world.consent_is_renewed("C0")
        self.world.bank_changes(account, payments[1], "text")
        self.world.settle()

    def test_new_ids_for_two_of_one_day_and_amount(self):
        """Only the texts say which is which: the bank lists the one that came last first."""
        account, (first, _second) = self.load("stable", 1, 1)
        other = self.world.bank_books(account, 1, amount=first.amount)
        self.world.run()
        self.world.user_reconciles(self.line_of(account, other))
        self.world.consent_is_renewed("C0")
        self.world.settle()

    def test_new_ids_where_ids_were_not_renewed_but_the_account(self):
        account, _payments = self.load("cursor", 3, 1)
        self.world.consent_is_renewed("C0", new_transaction_ids=False)
        self.world.bank_books(account)
        self.world.settle()

    def test_two_coffees(self):
        for kind in ("nameless", "stable", "positional", "shared"):
            with self.subTest(kind):
                account, payments = self.load(kind, 3, 1)
                if kind == "shared":
                    payments.append(self.world.bank_books(account, id_style=BLANK))
                self.world.bank_books_the_same_again(account, payments[-1])
                self.world.settle()
                self.world.bank_books_the_same_again(account, payments[-1])
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_one_id_for_all_payments_to_the_tax_office(self):
        account, _payments = self.load("shared", 3)
        for back in (1, 1, 0):
            self.world.bank_books(account, back, id_style=TAX)
        self.world.settle()
        self.world.bank_books(account, 2, id_style=TAX)
        self.world.settle()

    def test_a_late_booking_shifts_the_ids_of_its_day(self):
        account, payments = self.load("positional", 3, 1, 1)
        late = self.world.bank_books(account, 1)
        self.world.settle()
        self.world.user_edits(self.line_of(account, late), "payment_ref")
        self.world.user_reconciles(self.line_of(account, payments[1]))
        self.world.bank_books(account, 1)
        self.world.settle()

    def test_a_late_booking_shifts_the_id_of_what_a_user_deleted(self):
        account, payments = self.load("positional", 3, 1, 1)
        self.world.user_deletes(account, self.line_of(account, payments[2]))
        self.world.bank_books(account, 1)
        self.world.settle()

    # -------------------------------------------------------------------------
    # WINDOWS AND BOOKMARKS
    # -------------------------------------------------------------------------

    def test_a_late_booking_after_some_runs(self):
        account, _payments = self.load("nameless", 3, 1, periodicity="week")
        self.world.time_passes(days=1)
        self.world.run()
        self.world.bank_books(account, 9)
        self.world.settle()

    def test_more_than_one_page(self):
        for kind in ("stable", "cursor"):
            with self.subTest(kind):
                account, _payments = self.load(kind, 9, 8, 7, 6, 5, 4, 3)
                for back in (2, 1, 0, 0):
                    self.world.bank_books(account, back)
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_a_page_fails(self):
        for kind in ("stable", "cursor"):
            with self.subTest(kind):
                account, payments = self.load(kind, 3, 1)
                for back in (20, 2, 1, 0, 0):
                    self.world.bank_books(account, back if kind == "cursor" else min(back, 9))
                if kind == "cursor":
                    self.world.bank_withdraws(account, payments[0])
                self.world.disturbed_run(("bank", "transactions.list", 2, "time-out"))
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_the_bank_withdraws(self):
        account, payments = self.load("cursor", 3, 1, 0, periodicity="day")
        self.world.bank_withdraws(account, payments[1])
        self.world.settle()

    def test_the_bank_withdraws_a_reconciled_transaction(self):
        account, payments = self.load("cursor", 3, 1)
        self.world.user_reconciles(self.line_of(account, payments[1]))
        self.world.bank_withdraws(account, payments[1])
        self.world.settle()

    def test_pending_becomes_booked(self):
        for kind, becomes in (
            ("stable", "booked"),
            ("stable", "booked with the same id"),
            ("cursor", "booked"),
            ("nameless", "booked"),
            ("cursor", "vanished"),
        ):
            with self.subTest(f"{kind} {becomes}"):
                account, _payments = self.load(kind, 3)
                payment = self.world.bank_announces(account)
                self.world.settle()
                self.world.time_passes(days=1)
                self.world.bank_decides_on_what_it_announced(account, payment, becomes)
                self.world.settle()
                self.world.close()
                self.renew_world()

    # -------------------------------------------------------------------------
    # DISTURBANCES
    # -------------------------------------------------------------------------

    def test_the_worker_dies_at_any_commit_of_a_load(self):
        for number in range(1, 7):
            for before in (True, False):
                with self.subTest(commit=number, before=before):
                    (account,) = self.world.connect("nameless")
                    for back in (60, 45, 33, 20, 20, 8, 0):
                        self.world.bank_books(account, back)
                    self.world.disturbed_run(("commit", number, before), "schedule")
                    self.world.time_passes(days=2)
                    self.world.settle()
                    self.world.close()
                    self.renew_world()

    def test_a_mistake_of_ours_leaves_no_half_work(self):
        dangers = (
            (statements, "group"),
            (writer.Writer, "identity_values"),
            (writer.Writer, "change"),
            (apply.Storing, "_follow_removals"),
            (apply.Storing, "_note_opening"),
            (apply.Storing, "_opening_from"),
            (apply.Storing, "_settle_opening"),
            (apply.Storing, "_news_day"),
        )
        for danger in dangers:
            with self.subTest(danger[1]):
                account, payments = self.load("stable", 20, 5, 3, 1, 0)
                self.world.consent_is_renewed("C0")
                self.world.bank_changes(account, payments[3], "text")
                self.world.bank_books(account, 2)
                self.world.disturbed_run(("call", *danger))
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_odoo_refuses_for_a_while(self):
        account, _payments = self.load("stable", 5)
        payment = self.world.bank_books(account, 1)
        with self.refused(account.id_of(payment), "No."):
            self.world.disturbed_run(("nothing",))
            self.world.time_passes(days=15)
            self.world.disturbed_run(("nothing",))
        self.world.settle()

    def test_unreadable_for_a_while(self):
        account, _payments = self.load("stable", 5)
        self.world.bank_books(account, 1)
        self.world.disturbed_run(("unreadable", 1, 1))
        self.world.settle()

    # -------------------------------------------------------------------------
    # WHAT IS KEPT BESIDE THE BOOKS
    # -------------------------------------------------------------------------

    def test_deleted_stays_deleted_with_new_ids(self):
        for how in ("line", "entry"):
            with self.subTest(how):
                account, payments = self.load("stable", 5, 3, 1)
                self.world.user_deletes(account, self.line_of(account, payments[1]), how)
                self.world.settle()
                self.world.consent_is_renewed("C0")
                self.world.settle()
                self.world.bank_is_connected_once_more([account])
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_locked_until_the_lock_is_lifted(self):
        for days in (0, 15):
            with self.subTest(days=days):
                (account,) = self.world.connect("stable")
                self.world.user_locks(2)
                for back in (20, 5, 3, 1):
                    self.world.bank_books(account, back)
                self.world.run()
                for _time in range(2):
                    self.world.time_passes(days=days)
                    self.world.run()
                self.world.user_locks(None)
                self.world.settle()
                self.world.close()
                self.renew_world()

    def test_locked_and_changed(self):
        account, payments = self.load("stable", 5, 3, 1)
        self.world.user_locks(2)
        self.world.bank_changes(account, payments[0], "amount")
        self.world.bank_books(account, 4)
        self.world.settle()
        self.world.user_locks(None)
        self.world.settle()

    def test_before_the_start_until_it_is_moved(self):
        account, _payments = self.load("nameless", 12, 8, 3, 1, start=5)
        self.world.bank_books(account, 7)
        self.world.settle()
        self.world.user_moves_the_start(account, 30)
        self.world.settle()

    # -------------------------------------------------------------------------
    # WHAT WAS TYPED
    # -------------------------------------------------------------------------

    def test_typed_once(self):
        account, _payments = self.load("stable", 3)
        self.world.user_types_what_the_bank_books_later(account, 2)
        self.world.bank_books_what_the_user_typed(self.world.typed[0])
        self.world.settle()

    def test_typed_twice(self):
        account, _payments = self.load("stable", 3)
        self.world.user_types_what_the_bank_books_later(account, 2, twice=True)
        self.world.bank_books_what_the_user_typed(self.world.typed[0])
        self.world.settle()
