from datetime import date
from unittest.mock import patch

from odoo.tests import HttpCase, new_test_user, tagged

from ..wizards import account_missing_transaction
from .common import OnlineSyncCommon

DASHBOARD = "/odoo/action-account.open_account_journal_dashboard_kanban"


@tagged("post_install", "-at_install")
class TestReviewTours(OnlineSyncCommon, HttpCase):
    """*Find Missing Transactions*, *Find Duplicate Transactions* and the settings, as users reach and see them."""

    def setUp(self):
        super().setUp()
        self.link = self.connect_journal()
        self.synchronize(self.link)
        # The simulated bank lives in its own year, the browser in ours.
        self.link.expiring_synchronization_date = False
        self.accountant = new_test_user(
            self.env,
            "bookkeeper",
            groups="account.group_account_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def book(self, identifier, amount, text, **values):
        self.proxy.book(identifier, amount, day=date.today(), remittance=[text], **values)

    def tour(self, name, url=DASHBOARD, login="bookkeeper"):
        self.start_tour(url, f"account_online_synchronization.{name}", login=login)

    def test_a_missing_transaction_is_imported_and_a_pending_one_is_seen(self):
        self.book("T1", "-700.00", "Rent")
        self.book("P1", "-5.00", "Card payment", status="pending")
        self.tour("find_missing")
        self.assertEqual(self.lines().payment_ref, "Rent")

    def test_nothing_is_missing_and_the_list_leads_there(self):
        self.book("T1", "-700.00", "Rent")
        self.synchronize(self.link)
        action = "account_online_synchronization.account_bank_statement_line_action"
        self.tour("find_missing_nothing", f"/odoo/action-{action}")

    def test_long_answers_are_read_in_parts_while_the_user_waits(self):
        self.proxy.page_size = 1
        for number in range(1, 6):
            self.book(f"T{number}", "-700.00", f"Rent {number}")
        with patch.object(account_missing_transaction, "READ_SECONDS", 0):
            self.tour("find_missing_in_parts")

    def test_an_error_of_the_bank_has_its_button(self):
        self.proxy.fail("transactions.list", "consent_expired", "renew")
        self.tour("find_missing_fails")

    def test_a_duplicate_is_deleted_brought_back_and_dismissed(self):
        for label, amount in (("Coffee", -3), ("Coffee", -3), ("Paper", -9), ("Paper", -9)):
            self.Line.create(
                {"journal_id": self.journal.id, "date": date.today(), "amount": amount, "payment_ref": label}
            )
        self.tour("find_duplicates")
        self.assertEqual(len(self.lines()), 4)
        self.assertEqual(self.lines().filtered("online_distinct").mapped("payment_ref"), ["Coffee", "Coffee"])

    def test_the_settings_are_found_and_saved(self):
        new_test_user(
            self.env,
            "settings-admin",
            groups="base.group_system,account.group_account_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        # Why: the example company's taxes want it, and the form would ask about it.
        self.company.tax_exigibility = True
        self.tour("settings", "/odoo/settings#account", login="settings-admin")
        self.assertEqual(self.Link._get_notice_days(), [30, 7])
