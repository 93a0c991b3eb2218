import json
from types import SimpleNamespace
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from ..books.ledger import OpeningBalance
from ..models.ir_websocket import accountants_of
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestDashboard(OnlineSyncCommon):
    """What the journal's card shows."""

    def card(self, journal=None):
        journal = journal or self.journal
        journal.invalidate_recordset()
        return json.loads(journal.kanban_dashboard)["online_sync"]

    def test_a_journal_without_a_bank_offers_to_connect_one(self):
        self.assertEqual(self.card(), {"linked": False})

    def test_the_last_synchronization_is_shown_in_words(self):
        link = self.connect_journal(last_refresh="2026-05-20 08:00:00")
        self.assertEqual(self.card()["last_refresh"], "2 hours ago")
        self.assertEqual(self.card()["state"], link.state)

    def test_a_synchronization_of_this_minute_was_just_now(self):
        self.connect_journal(last_refresh="2026-05-20 10:00:00")
        self.assertEqual(self.card()["last_refresh"], "just now")

    def test_pending_transactions_are_shown_with_their_sum(self):
        self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(self.connect_journal())
        self.assertEqual(self.card()["pending_count"], 1)
        self.assertIn("5.00", self.card()["pending_amount"])

    def test_errors_are_shown_on_the_card(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "consent_expired", "renew")
        self.synchronize(link)
        self.assertEqual(self.card()["error"], "Sentence of consent_expired.")

    def test_while_the_server_fetches_the_card_says_so(self):
        link = self.connect_journal()
        self.assertEqual(self.card()["fetching"], "done")
        run = (
            self.env["account.online.run"]
            .sudo()
            .create({"account_online_link_id": link.id, "state": "planned", "is_deferred": True})
        )
        self.assertEqual(self.card()["fetching"], "waiting")
        run.state = "running"
        self.assertEqual(self.card()["fetching"], "processing")
        run.state = "failed"
        self.assertEqual(self.card()["fetching"], "done")

    def test_a_run_that_died_with_its_server_does_not_stay_on_the_card(self):
        link = self.connect_journal()
        run = self.env["account.online.run"].sudo().create({"account_online_link_id": link.id, "state": "running"})
        run.flush_recordset()
        self.env.cr.execute(
            "UPDATE account_online_run SET write_date = write_date - interval '2 hours' WHERE id = %s", [run.id]
        )
        run.invalidate_recordset()
        self.assertEqual(self.card()["fetching"], "waiting", "so that Synchronize Now is offered again")

    def test_pending_transactions_are_one_click_away(self):
        self.proxy.book("P1", "-5.00", status="pending")
        link = self.connect_journal()
        self.synchronize(link)
        bookkeeper = new_test_user(self.env, "bookkeeper", groups="account.group_account_invoice")
        action = self.journal.with_user(bookkeeper).action_open_online_transactions()
        self.assertEqual(action["context"], {"search_default_pending": 1})
        found = self.env[action["res_model"]].with_user(bookkeeper).search(action["domain"])
        self.assertEqual(found.mapped("online_transaction_identifier"), ["P1"])

    def test_transactions_that_could_not_be_imported_are_counted_and_one_click_away(self):
        self.proxy.book("T1", "5.00")
        self.proxy.book("T2", "5.001")
        self.synchronize(self.connect_journal())
        self.assertEqual(self.card()["parked_count"], 1)
        journal = self.journal.with_context(online_transaction_state="parked")
        self.assertEqual(journal.action_open_online_transactions()["context"], {"search_default_parked": 1})

    def test_accounts_that_fill_no_journal_are_counted(self):
        self.proxy.add_account("B1")
        self.proxy.add_account("B2")
        link = self.connect_journal()
        self.assertEqual(self.card()["unlinked_count"], 2)
        account = link.account_online_account_ids[1]
        account._link_journal(account._create_journal())
        self.assertEqual(self.card()["unlinked_count"], 1)

    def test_an_account_that_a_user_left_out_is_not_offered_again(self):
        self.proxy.add_account("B1")
        link = self.connect_journal()
        link.account_online_account_ids[1].is_left_out = True
        self.assertEqual(self.card()["unlinked_count"], 0)
        self.assertEqual(link.unlinked_count, 0)

    def test_a_difference_to_the_bank_is_shown_and_none_is_not(self):
        self.proxy.book("T1", "5.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(self.card()["difference"], "")
        link.account_online_account_ids.balance += 2
        self.assertIn("2.00", self.card()["difference"])

    def test_a_missing_opening_balance_is_shown_until_it_is_booked(self):
        self.proxy.accounts["A1"]["balance"] = "100.00"
        self.proxy.book("T1", "5.00")
        account = self.connect_journal().account_online_account_ids
        self.assertFalse(account.opening_balance, "nothing is known before the first synchronization")
        self.synchronize(account.account_online_link_id)
        self.assertEqual(account.opening_balance, 100)
        self.assertIn("100.00", self.card()["opening_to_book"])
        OpeningBalance(account.sudo()).book(OpeningBalance(account).default_counterpart())
        account.invalidate_recordset()
        self.assertFalse(account.opening_balance)
        self.assertFalse(self.card()["opening_to_book"])

    def subscriptions(self, **values):
        """:return: channels of the bus that a user of these groups and companies listens to"""
        user = new_test_user(self.env, f"listener{self.env['res.users'].search_count([])}", **values)
        request = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch("odoo.addons.bus.models.ir_websocket.wsrequest", request):
            channels = self.env["ir.websocket"].with_user(user)._build_bus_channel_list([])
        return [channel for channel in channels if isinstance(channel, tuple)]

    def test_accountants_listen_to_their_companies_and_those_above(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        other = self.setup_other_company()["company"]
        accountant = {"groups": "account.group_account_basic"}
        for company, hears in ((self.company, True), (branch, True), (other, False)):
            channels = self.subscriptions(**accountant, company_id=company.id, company_ids=company.ids)
            self.assertEqual(accountants_of(self.company) in channels, hears, company.name)
        channels = self.subscriptions(
            groups="account.group_account_invoice", company_id=self.company.id, company_ids=self.company.ids
        )
        self.assertNotIn(accountants_of(self.company), channels, "invoicing users see no bank connections")

    def test_every_status_is_sent_to_accountants_with_the_journals(self):
        link = self.connect_journal()
        sent = []
        with patch.object(self.registry["bus.bus"], "_sendone", lambda _bus, *message: sent.append(message)):
            self.synchronize(link)
        channel, kind, message = sent[-1]
        self.assertEqual(channel, accountants_of(self.company))
        self.assertEqual(kind, "account_online_synchronization/status")
        self.assertEqual(message, {"journal_ids": self.journal.ids, "status": "done"})

    def test_the_number_of_queries_does_not_grow_with_the_journals(self):
        def count(journals):
            self.env.flush_all()
            self.env.invalidate_all()
            # What core needs for the card anyway.
            journals.mapped("name")
            before = self.env.cr.sql_log_count
            journals._get_online_sync_dashboard_data()
            return self.env.cr.sql_log_count - before

        journals = self.env["account.journal"]
        for number in range(20):
            # Why several of both: neither connections nor their accounts may cost a query each.
            if number % 4 == 0:
                for name in range(number, number + 4):
                    self.proxy.add_account(f"B{name}")
                accounts = self.connect().account_online_account_ids[-4:]
            journal = self.journal.copy({"code": f"DSH{number}", "name": f"Bank {number}"})
            accounts[number % 4]._link_journal(journal)
            journals += journal
        count(journals)  # fills the caches that live as long as the registry
        self.assertEqual(count(journals[:2]), count(journals))
        # Six, and three of account_online_files for what files have brought, where it is installed.
        self.assertLessEqual(count(journals), 9)

    def test_an_account_whose_journal_is_archived_is_counted_as_filling_none(self):
        self.proxy.add_account("B1")
        link = self.connect_journal()
        other = link.account_online_account_ids[1]
        other._link_journal(other._create_journal())
        self.assertEqual(self.card()["unlinked_count"], 0)
        other.journal_ids.active = False
        self.assertEqual(self.card()["unlinked_count"], 1)

    def test_core_offers_bank_synchronization_as_a_feed(self):
        sources = dict(self.journal._fields["bank_statements_source"]._description_selection(self.env))
        self.assertEqual(sources["online_sync"], "Bank Synchronization")


@tagged("post_install", "-at_install")
class TestSettings(OnlineSyncCommon):
    """How far back each synchronization looks, and how long its history is kept."""

    def save(self, **values):
        self.env["res.config.settings"].create(values).set_values()

    def test_defaults_are_those_of_the_code(self):
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.online_sync_overlap_days, 10)
        self.assertEqual(settings.online_sync_keep_runs_days, 365)
        self.assertEqual(settings.online_sync_keep_answers_days, 14)

    def test_the_synchronization_looks_back_as_the_settings_say(self):
        self.save(online_sync_overlap_days=20)
        self.assertEqual(self.connect().account_online_account_ids._overlap_days(), 20)

    def test_less_than_ten_days_would_miss_late_bookings(self):
        with self.assertRaisesRegex(ValidationError, "Days to Look Back.*from 10 to"):
            self.save(online_sync_overlap_days=9)

    def test_a_history_of_no_days_is_a_slip(self):
        for name in ("online_sync_keep_runs_days", "online_sync_keep_answers_days"):
            for days in (0, -1, 1_000_000):
                with self.assertRaisesRegex(ValidationError, "Days to Keep"):
                    self.save(**{name: days})
