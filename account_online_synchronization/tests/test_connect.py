from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..client.errors import ProxyError
from .common import OnlineSyncCommon

NEUTRALIZE = Path(__file__).parents[1] / "data" / "neutralize.sql"


@tagged("post_install", "-at_install")
class TestConnect(OnlineSyncCommon):
    """From the bank's pages to a journal that is filled."""

    def come_back(self, action):
        """What the controller does when the browser arrives from the bank's pages."""
        self.address_of_bank(action)
        _operation, payload = next(
            (o, p) for o, p in reversed(self.proxy.requests) if o in ("connections.start", "connections.renew")
        )
        nonce = payload["return_url"].rsplit("/", 1)[1]
        return self.env["account.online.authorization"]._find(nonce)._finish()

    def selection(self, action):
        return self.env["account.online.account.selection"].browse(action["res_id"])

    def test_a_consent_becomes_a_link_with_its_accounts(self):
        self.proxy.add_account("A2", type="credit_card", number="1234")
        _action, link = self.come_back(self.Directory.action_open_bank("I1"))
        self.assertRecordValues(
            link, [{"name": "Scripted Bank", "state": "connected", "company_id": self.company.id, "auto_sync": True}]
        )
        self.assertEqual(str(link.expiring_synchronization_date), "2026-11-16")
        self.assertEqual(len(link.account_online_account_ids), 2)

    def test_an_attempt_that_is_given_up_leaves_no_link(self):
        self.Directory.action_open_bank("I1")
        self.assertFalse(self.Link.search([("company_id", "=", self.company.id)]))

    def test_a_way_back_serves_once_and_only_its_own_user(self):
        self.Directory.action_open_bank("I1")
        authorization = self.env["account.online.authorization"].sudo().search([], order="id desc", limit=1)
        nonce = self.proxy.requests[-1][1]["return_url"].rsplit("/", 1)[1]
        other = self.env["account.online.authorization"].with_user(self.env.ref("base.user_admin"))
        self.assertFalse(other._find(nonce))
        self.assertEqual(self.env["account.online.authorization"]._find(nonce), authorization)
        authorization._finish()
        self.assertFalse(self.env["account.online.authorization"]._find(nonce)._is_open())

    def test_the_nonce_is_stored_as_a_digest_only(self):
        self.Directory.action_open_bank("I1")
        nonce = self.proxy.requests[-1][1]["return_url"].rsplit("/", 1)[1]
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(a)::text FROM account_online_authorization a")
        self.assertNotIn(nonce, str(self.env.cr.fetchall()))

    def test_choosing_accounts_creates_journals_and_fetches(self):
        self.proxy.add_account("A2", type="credit_card")
        self.proxy.book("T1", "1.00")
        action, link = self.come_back(self.Directory.action_open_bank("I1"))
        self.selection(action).action_confirm()
        self.fetch_planned()
        self.assertEqual(sorted(link.journal_ids.mapped("type")), ["bank", "credit"])
        self.assertEqual(set(link.journal_ids.mapped("bank_statements_source")), {"online_sync"})
        self.assertEqual(self.Line.search_count([("online_account_id", "in", link.account_online_account_ids.ids)]), 1)

    def test_an_existing_journal_is_proposed_by_its_account_number(self):
        self.journal.set_bank_account("BE71 0961 2345 6769")
        self.proxy.accounts["A1"]["number"] = "BE71096123456769"
        action, _link = self.come_back(self.Directory.action_open_bank("I1"))
        self.assertRecordValues(
            self.selection(action).line_ids, [{"action": "existing", "journal_id": self.journal.id}]
        )

    def test_the_journal_that_the_user_started_from_is_proposed(self):
        action, _link = self.come_back(self.Directory.action_open_bank("I1", self.journal.id))
        self.assertEqual(self.selection(action).line_ids.journal_id, self.journal)

    def test_an_account_may_be_left_out(self):
        action, link = self.come_back(self.Directory.action_open_bank("I1"))
        selection = self.selection(action)
        selection.line_ids.action = "none"
        selection.action_confirm()
        self.assertFalse(link.journal_ids)
        # A user who has decided is not asked again.
        self.assertFalse(link.unlinked_count)

    def test_an_existing_journal_must_be_named(self):
        action, _link = self.come_back(self.Directory.action_open_bank("I1"))
        selection = self.selection(action)
        selection.line_ids.write({"action": "existing", "journal_id": False})
        with self.assertRaisesRegex(UserError, "choose a journal for Account A1"):
            selection.action_confirm()

    def test_account_in_another_currency_than_the_journal_is_refused_clearly(self):
        self.setup_other_currency("GBP")
        self.proxy.accounts["A1"]["currency"] = "GBP"
        link = self.connect()
        with self.assertRaisesRegex(ValidationError, "is in GBP, but the journal .* is in USD"):
            link.account_online_account_ids._link_journal(self.journal)

    def test_an_account_in_a_currency_that_odoo_does_not_know_is_named_in_the_chatter(self):
        self.proxy.accounts["A1"]["currency"] = "QQQ"
        link = self.connect()
        self.assertFalse(link.account_online_account_ids)
        self.assertIn("in the currency “QQQ”", str(link.message_ids.mapped("body")))

    def test_an_account_in_another_currency_gets_a_journal_in_that_currency(self):
        self.proxy.accounts["A1"]["currency"] = "GBP"
        journal = self.connect().account_online_account_ids._create_journal()
        self.assertEqual(journal.currency_id.name, "GBP")
        self.assertTrue(journal.currency_id.active)

    def test_fetch_accounts_offers_an_account_that_the_bank_added(self):
        link = self.connect_journal()
        self.proxy.add_account("A2")
        selection = self.selection(link.action_fetch_accounts())
        self.assertEqual(selection.line_ids.mapped("name"), ["Account A2"])

    def test_a_company_may_have_more_journals_than_odoo_counts(self):
        journals = self.registry["account.journal"]
        account = self.connect().account_online_account_ids
        with patch.object(journals, "_get_next_journal_default_code", lambda *_arguments: None):
            codes = [account._create_journal().code for _number in range(2)]
        self.assertEqual(codes, ["B0001", "B0002"])

    def test_fetch_accounts_leaves_the_periodicity_of_linked_journals_alone(self):
        link = self.connect_journal(periodicity="week")
        self.proxy.add_account("A2")
        self.selection(link.action_fetch_accounts()).action_confirm()
        self.assertEqual(self.journal.bank_statement_creation_groupby, "week")

    def test_straight_from_the_banks_pages_nothing_is_requested_again(self):
        action, _link = self.come_back(self.Directory.action_open_bank("I1"))
        self.selection(action).action_confirm()
        self.assertNotIn("connections.refresh", self.requested_operations())

    def test_accounts_that_are_fetched_later_bring_the_banks_news(self):
        link = self.connect_journal()
        self.selection(link.action_fetch_accounts()).action_confirm()
        self.assertIn("connections.refresh", self.requested_operations())

    def test_a_journal_that_is_linked_again_to_its_account_goes_on_without_a_gap(self):
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.journal.action_unlink_online_account()
        self.proxy.book("T2", "2.00")
        link.account_online_account_ids._link_journal(self.journal)
        self.synchronize(link)
        self.assertEqual(self.Line.search([("journal_id", "=", self.journal.id)]).mapped("amount"), [2.0, 1.0])

    def test_a_link_without_a_connection_says_how_to_make_one(self):
        link = self.connect_journal(connection_identifier=False)
        for action in (link.action_fetch_transactions(), link.action_fetch_accounts()):
            self.assertIn("Use Reconnect", action["params"]["message"])
        self.assertEqual(link.state, "disconnected")

    def test_fetch_accounts_explains_an_empty_consent(self):
        self.proxy.accounts.clear()
        action = self.connect().action_fetch_accounts()
        self.assertIn("The consent covers no bank account", action["params"]["message"])

    def test_reconnecting_renews_the_same_connection_and_fetches(self):
        link = self.connect_journal()
        link._register_error(ProxyError("consent_expired", "Sentence.", action="renew"))
        self.proxy.book("T1", "1.00")
        action, same = self.come_back(link.action_reconnect())
        self.fetch_planned()
        self.assertEqual(same, link)
        self.assertFalse(action)
        self.assertEqual((link.state, len(self.lines()), link.error_code), ("connected", 1, False))

    def test_update_credentials_says_so_to_the_proxy(self):
        link = self.connect_journal()
        link.action_update_credentials()
        self.assertEqual(self.proxy.requests[-1][1]["reason"], "credentials")

    def test_a_connection_that_the_proxy_no_longer_has_is_replaced_for_the_same_link(self):
        link = self.connect_journal()
        self.proxy.fail("connections.renew", "unknown_connection", "reconnect")
        _action, same = self.come_back(link.action_reconnect())
        self.assertEqual(same, link)
        self.assertEqual(self.journal.account_online_link_id, link)

    def test_a_bank_that_answers_only_attended_is_not_fetched_automatically(self):
        self.proxy.capabilities = {"auto_sync": False}
        link = self.connect()
        self.assertFalse(link.auto_sync)
        self.assertIn("answers only while a user is present", str(link.message_ids[0].body))

    def test_deleting_a_link_gives_the_consent_back_and_keeps_the_lines(self):
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        link.unlink()
        self.assertEqual(self.proxy.requests[-1][0], "connections.delete")
        self.assertEqual(self.journal.bank_statements_source, "undefined")
        self.assertEqual(len(self.lines()), 1)

    def test_a_proxy_out_of_reach_does_not_keep_a_link_from_being_deleted(self):
        link = self.connect_journal()
        self.proxy.fail("connections.delete")
        link.unlink()
        self.assertFalse(link.exists())

    def test_one_account_fills_one_journal(self):
        link = self.connect_journal()
        other = link.account_online_account_ids._create_journal()
        link.account_online_account_ids._link_journal(other)
        self.assertFalse(self.journal.account_online_account_id)
        self.assertEqual(other.account_online_link_id, link)

    def test_a_neutralized_copy_cannot_speak_for_production(self):
        link = self.connect_journal()
        self.env.flush_all()
        self.env.cr.execute(NEUTRALIZE.read_text())
        self.env.invalidate_all()
        self.assertRecordValues(link, [{"state": "disconnected", "auto_sync": False, "connection_identifier": False}])
