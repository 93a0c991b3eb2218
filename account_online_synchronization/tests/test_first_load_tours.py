from datetime import date
from unittest.mock import patch

from odoo.tests import HttpCase, new_test_user, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestFirstLoadTours(OnlineSyncCommon, HttpCase):
    """The screens of the choice and of the first load, in a browser."""

    def setUp(self):
        super().setUp()
        self.without_our_reconciliation()
        self.accountant = new_test_user(
            self.env,
            "accountant_of_tours",
            groups="account.group_account_manager,account.group_account_basic",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def tour(self, path, name):
        self.start_tour(path, name, login=self.accountant.login)

    def test_choosing_accounts_and_the_summary(self):
        self.setup_other_currency("GBP")
        self.journal.set_bank_account("BE71 0961 2345 6769")
        pounds = self.journal.copy({"code": "PNDS", "name": "Not in Pounds"})
        pounds.set_bank_account("GB29 NWBK 6016 1331 9268 19")
        self.proxy.accounts["A1"]["number"] = "BE71096123456769"
        self.proxy.add_account("A2", number="GB29NWBK60161331926819", currency="GBP")
        self.proxy.add_account("A3", type="savings")
        self.proxy.book("T1", "12.00", date(2026, 4, 2))
        self.proxy.book("T2", "-2.00", date(2026, 5, 2))
        link = self.connect()
        mine = link.with_user(self.accountant)
        selection = mine.env["account.online.account.selection"]._create_for(mine, refresh=True)
        # Why short: no scheduled action runs beside this test.
        with patch.object(self.registry["account.online.link"], "_is_long", lambda _link: False):
            self.tour(f"/odoo/choose-bank-accounts/{selection.id}", "online_choose_accounts")
        self.assertEqual(set(link.journal_ids.mapped("name")), {"Bank", "Our Pounds"})

    def test_a_load_is_followed_also_by_who_has_left_and_come_back(self):
        self.proxy.book("T1", "12.00")
        link = self.connect_journal()
        self.env["account.online.run"].sudo().create(
            {"account_online_link_id": link.id, "state": "planned", "is_deferred": True}
        )
        self.tour(f"/odoo/first-load/{link.id}", "online_first_load")

    def test_an_error_is_shown_and_tried_again(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", reference="E-7KQ2")
        self.synchronize(link)
        self.tour(f"/odoo/first-load/{link.id}", "online_first_load_error")
        self.assertEqual(len(link.sudo().run_ids), 2)

    def test_the_opening_balance_is_the_last_step(self):
        self.proxy.accounts["A1"]["balance"] = "100.00"
        self.proxy.book("T1", "12.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.tour(f"/odoo/first-load/{link.id}", "online_first_load_opening")
        line = self.lines()[0]
        self.assertEqual((line.payment_ref, line.amount), ("Opening balance", 100))
        self.assertFalse(self.journal._get_online_sync_dashboard_data()[self.journal.id]["opening_to_book"])
