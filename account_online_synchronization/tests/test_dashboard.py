import json

from freezegun import freeze_time

from odoo.tests import tagged

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

    def test_the_last_synchronization_is_told_in_words(self):
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

    def test_trouble_is_told_on_the_card(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "consent_expired", "renew")
        self.synchronize(link)
        self.assertEqual(self.card()["error"], "Sentence of consent_expired.")

    def test_the_number_of_queries_does_not_grow_with_the_journals(self):
        def count(journals):
            self.env.flush_all()
            self.env.invalidate_all()
            # What core needs for the card anyway.
            journals.mapped("name")
            before = self.env.cr.sql_log_count
            journals._get_online_sync_dashboard_data()
            return self.env.cr.sql_log_count - before

        for number in range(12):
            self.proxy.add_account(f"B{number}")
        link = self.connect()
        for account in link.account_online_account_ids:
            account._link_journal(account._create_journal())
        journals = link.journal_ids
        count(journals)  # fills the caches that live as long as the registry
        self.assertEqual(count(journals[:3]), count(journals))
        self.assertLessEqual(count(journals), 6)

    def test_core_offers_bank_synchronization_as_a_feed(self):
        sources = dict(self.journal._fields["bank_statements_source"]._description_selection(self.env))
        self.assertEqual(sources["online_sync"], "Bank Synchronization")
