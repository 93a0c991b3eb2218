from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from ..providers.errors import ConsentError, ProtocolError, RateLimited, TransientError
from ..providers.sandbox import Sandbox
from ..tools import health
from .common import ProxyCase


@tagged("post_install", "-at_install")
class TestHealth(ProxyCase):
    """A bank's health: counted from its connections, and shown without revealing that of another client."""

    def setUp(self):
        super().setUp()
        self.bank = self.env["bank.sync.institution"]._find("sandbox.demo")
        self.identifier = self.connect()
        self.mine = self.env["bank.sync.connection"].search([("identifier", "=", self.identifier)])

    def others(self, failed, answered, same_client=False):
        """Connections of other clients, one each: ``failed`` of them failed last time, ``answered`` were answered."""
        now = fields.Datetime.now()
        clients = self.env["bank.sync.client"].create(
            [{"name": f"C{number}", "database_uuid": f"c{number}"} for number in range(failed + answered)]
        )
        return self.env["bank.sync.connection"].create(
            [
                {
                    "client_id": (clients[0] if same_client else client).id,
                    "institution_id": self.bank.id,
                    "state": "connected",
                    "asked_at": now,
                    "answered_at": now,
                    "trouble": "institution_unavailable" if number < failed else False,
                }
                for number, client in enumerate(clients)
            ]
        )

    def searched(self):
        answer = self.ask("institutions.search", query="Demo Bank")
        return next(bank for bank in answer["institutions"] if bank["id"] == "sandbox.demo")

    def refuse(self, error):
        with patch.object(Sandbox, "accounts", side_effect=error):
            return self.ask("accounts.list", connection_id=self.identifier)

    # -------------------------------------------------------------------------
    # WHAT COUNTS
    # -------------------------------------------------------------------------

    def test_an_outage_of_the_bank_counts_until_the_bank_answers_again(self):
        self.refuse(TransientError("institution_unavailable", provider="sandbox"))
        self.assertEqual(self.mine.trouble, "institution_unavailable")
        self.assertTrue(self.mine.asked_at)
        self.ask("accounts.list", connection_id=self.identifier)
        self.assertFalse(self.mine.trouble)
        self.assertTrue(self.mine.answered_at)

    def test_what_users_or_limits_cause_does_not_count(self):
        for error in (
            ConsentError("credentials_rejected", provider="sandbox"),
            ConsentError("consent_expired", provider="sandbox"),
            RateLimited(provider="sandbox"),
            TransientError("provider_busy", provider="sandbox"),
            ProtocolError("unexpected_answer", provider="sandbox"),
        ):
            self.refuse(error)
            self.assertFalse(self.mine.trouble, error.code)
            self.assertFalse(self.mine.asked_at, error.code)

    def test_a_run_writes_its_success_once(self):
        account = self.ask("accounts.list", connection_id=self.identifier)["accounts"][0]["id"]
        with patch.object(type(self.mine), "write", autospec=True) as write:
            self.ask("transactions.list", connection_id=self.identifier, account_id=account)
        # A proxy for other databases also notes when transactions came, once an hour at most.
        self.assertLessEqual({name for call in write.call_args_list for name in call.args[1]}, {"synchronized_at"})
        self.ask("transactions.list", connection_id=self.identifier, account_id=account)
        with patch.object(type(self.mine), "write", autospec=True) as write:
            self.ask("accounts.list", connection_id=self.identifier)
            self.ask("transactions.list", connection_id=self.identifier, account_id=account)
        write.assert_not_called()

    # -------------------------------------------------------------------------
    # WHERE IT IS SHOWN
    # -------------------------------------------------------------------------

    def test_the_search_shows_how_many_of_ten_failed(self):
        self.others(failed=3, answered=7)
        seen = self.searched()
        self.assertEqual((seen["health"]["failed_of_ten"], seen["health"]["trouble"]), (3, "institution_unavailable"))
        self.assertEqual(seen["providers"][0]["health"], seen["health"])

    def test_the_connection_and_its_refresh_show_it(self):
        self.others(failed=5, answered=4)
        seen = self.ask("connections.get", connection_id=self.identifier)["connection"]
        self.assertEqual(seen["institution"]["health"]["failed_of_ten"], 6)
        answer = self.ask("connections.refresh", connection_id=self.identifier, user_present=True)
        # Why fewer: this one has listed the accounts, so the bank has answered.
        self.assertEqual(answer["health"]["failed_of_ten"], 5)

    def test_a_failure_shows_it_too(self):
        self.others(failed=9, answered=0)
        answer = self.refuse(ConsentError("consent_expired", provider="sandbox"))
        self.assertEqual(answer["error"]["health"]["failed_of_ten"], 10)

    def test_moments_are_rounded_to_the_hour(self):
        with freeze_time("2026-05-20 10:47:11"):
            self.others(failed=0, answered=5)
            self.assertEqual(self.searched()["health"]["answered_at"], "2026-05-20T10:00:00Z")

    def test_a_bank_that_answers_everybody_has_no_trouble(self):
        self.others(failed=0, answered=10)
        self.assertEqual((self.searched()["health"]["failed_of_ten"], self.searched()["health"]["trouble"]), (0, None))

    def test_what_the_provider_reports_is_shown_where_too_few_were_asked(self):
        answer = self.ask("institutions.search", query="Demo Beta Bank")
        self.assertEqual(answer["institutions"][0]["health"]["failed_of_ten"], 3)

    def test_entry_that_represents_many_banks_has_no_health(self):
        self.others(failed=10, answered=0)
        self.assertTrue(self.bank._health(self.client_record))
        facts = replace(Sandbox.facts, lists_banks=False)
        with patch.object(Sandbox, "facts", facts):
            self.assertFalse(self.bank._health(self.client_record))

    # -------------------------------------------------------------------------
    # PRIVACY AND COST
    # -------------------------------------------------------------------------

    def test_few_connections_say_nothing(self):
        self.others(failed=4, answered=0)
        self.assertIsNone(self.searched()["health"])

    def test_many_connections_of_few_clients_say_nothing(self):
        self.others(failed=50, answered=0, same_client=True)
        self.assertIsNone(self.searched()["health"])

    def test_database_sees_the_health_of_its_own_connections(self):
        self.others(failed=2, answered=4, same_client=True).client_id = self.client_record
        self.assertEqual(self.searched()["health"]["failed_of_ten"], 3)

    def test_yesterday_is_over(self):
        self.others(failed=10, answered=0).asked_at = fields.Datetime.now() - timedelta(hours=health.HOURS + 1)
        self.assertIsNone(self.searched()["health"])

    def test_only_the_connections_that_were_asked_last_are_read(self):
        old = self.others(failed=10, answered=0)
        old.asked_at = fields.Datetime.now() - timedelta(hours=1)
        self.others(failed=0, answered=10)
        with patch.object(health, "SAMPLE", 10):
            self.assertEqual(self.searched()["health"]["failed_of_ten"], 0)
        self.assertEqual(self.searched()["health"]["failed_of_ten"], 5)

    def test_the_index_serves_the_query(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            "EXPLAIN SELECT client_id, answered_at, trouble FROM bank_sync_connection WHERE institution_id = 1 "
            "AND asked_at > now() ORDER BY asked_at DESC LIMIT 200"
        )
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("bank_sync_connection_health_index", plan)
        self.assertNotIn("Sort", plan)
