from datetime import timedelta
from unittest.mock import patch

from odoo.sql_db import db_connect
from odoo.tests import tagged

from ..models import bank_sync_provider
from ..providers.errors import ConsentError, TransientError
from ..providers.sandbox import Sandbox
from .common import ProxyCase


@tagged("post_install", "-at_install")
class TestFairness(ProxyCase):
    """No client monopolizes a provider, and no bank is asked more often than it allows."""

    def age(self, **interval):
        """Let what was asked have been asked earlier."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_usage SET create_date = create_date - %s", [timedelta(**interval)])
        self.env.invalidate_all()

    def refresh(self, connection, user_present=False):
        return self.ask("connections.refresh", connection_id=connection, user_present=user_present)

    # -------------------------------------------------------------------------
    # WHAT A BANK ALLOWS A DAY
    # -------------------------------------------------------------------------

    def test_refreshes_without_the_user_are_as_many_as_the_bank_allows(self):
        connection = self.connect("demo-limited")
        for _time in range(4):
            self.assertEqual(self.refresh(connection)["state"], "done")
            self.age(hours=2)
        answer = self.refresh(connection)
        self.assertFailure(answer, "rate_limited", "retry")
        self.assertAlmostEqual(answer["error"]["retry_after"], 16 * 3600, delta=60)
        self.age(seconds=answer["error"]["retry_after"])
        self.assertEqual(self.refresh(connection)["state"], "done")
        self.assertFailure(self.refresh(connection), "rate_limited", "retry")

    def test_a_refresh_that_was_refused_costs_nothing(self):
        connection = self.connect("demo-limited")
        for _time in range(4):
            self.refresh(connection)
        with patch.object(Sandbox, "refresh", side_effect=AssertionError("the bank was asked")):
            waits = [self.refresh(connection)["error"]["retry_after"] for _time in range(3)]
        self.assertLessEqual(max(waits), 24 * 3600)
        self.assertEqual(self.env["bank.sync.usage"].search_count([]), 4)

    def test_a_user_who_is_present_costs_nothing(self):
        connection = self.connect("demo-limited")
        for _time in range(6):
            self.assertEqual(self.refresh(connection, user_present=True)["state"], "done")
        self.assertEqual(self.refresh(connection)["state"], "done")

    def test_each_connection_has_its_own_share(self):
        first, second = self.connect("demo-limited"), self.connect("demo-limited", user="another")
        for _time in range(4):
            self.refresh(first)
        self.assertIn("error", self.refresh(first))
        self.assertEqual(self.refresh(second)["state"], "done")

    def test_what_has_failed_at_the_bank_counts(self):
        connection = self.connect("demo-limited")
        for error in (
            ConsentError("challenge_required", provider="sandbox"),
            TransientError("institution_unavailable", provider="sandbox", status=503),
        ):
            with patch.object(Sandbox, "refresh", side_effect=error):
                self.assertIn("error", self.refresh(connection))
        self.assertEqual(self.env["bank.sync.usage"].search_count([]), 2)

    def test_request_without_an_answer_does_not_count(self):
        connection = self.connect("demo-limited")
        with patch.object(Sandbox, "refresh", side_effect=TransientError("provider_unavailable")):
            self.assertIn("error", self.refresh(connection))
        self.assertFalse(self.env["bank.sync.usage"].search_count([]))

    def test_banks_without_a_known_limit_are_not_counted(self):
        connection = self.connect()
        for _time in range(6):
            self.assertEqual(self.refresh(connection)["state"], "done")
        self.assertFalse(self.env["bank.sync.usage"].search_count([]))

    def test_transactions_of_an_account_are_fetched_as_often_as_the_bank_allows(self):
        connection = self.connect("demo-limited")
        account = self.ask("accounts.list", connection_id=connection)["accounts"][0]["id"]
        request = {"connection_id": connection, "account_id": account, "limit": 20}
        for _time in range(8):
            page = self.ask("transactions.list", **request)
            # Further pages belong to the first one.
            self.assertNotIn("error", self.ask("transactions.list", **request, cursor=page["next_cursor"]))
        answer = self.ask("transactions.list", **request)
        self.assertFailure(answer, "rate_limited", "retry")
        self.assertAlmostEqual(answer["error"]["retry_after"], 24 * 3600, delta=60)
        self.assertNotIn("error", self.ask("transactions.list", **request, cursor=page["next_cursor"]))
        self.assertEqual(self.refresh(connection)["state"], "done")

    def test_bank_s_limits_are_reported(self):
        answer = self.ask("institutions.search", query="limited")
        capabilities = answer["institutions"][0]["capabilities"]
        self.assertEqual((capabilities["refreshes_per_day"], capabilities["fetches_per_day"]), (4, 8))

    def test_what_no_longer_counts_is_forgotten(self):
        connection = self.connect("demo-limited")
        self.refresh(connection)
        self.age(days=3)
        self.refresh(connection)
        self.env["bank.sync.usage"]._gc_usage()
        self.assertEqual(self.env["bank.sync.usage"].search_count([]), 1)

    # -------------------------------------------------------------------------
    # HOW MANY AT ONCE
    # -------------------------------------------------------------------------

    def others(self, count):
        """Sessions of other workers, which are taken back at the end."""
        cursors = [db_connect(self.env.cr.dbname).cursor() for _index in range(count)]
        for cursor in cursors:
            self.addCleanup(cursor.close)
            self.addCleanup(cursor.rollback)
        return cursors

    def test_a_provider_is_asked_by_so_many_at_once(self):
        self.provider.max_concurrent = 2
        (first,) = self.others(1)
        connection = self.connect()
        # Ours holds a slot until the test ends.
        slots = "SELECT pg_try_advisory_xact_lock(%s, %s)"
        taken = []
        for cursor, slot in ((first, 0), (first, 1)):
            cursor.execute(slots, [bank_sync_provider.SLOTS, self.provider.id * bank_sync_provider.MAX_SLOTS + slot])
            taken.append(cursor.fetchone()[0])
        self.assertEqual(sorted(taken), [False, True], "one slot is ours, the other one was free")
        # Ours is granted again, whatever the others hold.
        self.assertNotIn("error", self.ask("accounts.list", connection_id=connection))

    def test_request_that_waits_too_long_gets_the_time_of_the_next_retry(self):
        connection = self.connect()
        self.provider.max_concurrent = 3
        self.env.flush_all()
        (other,) = self.others(1)
        for slot in range(3):
            place = self.provider.id * bank_sync_provider.MAX_SLOTS + slot
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [bank_sync_provider.SLOTS, place])
        with patch.object(bank_sync_provider, "PATIENCE", 0.3):
            answer = self.ask("accounts.list", connection_id=connection)
            self.assertFailure(answer, "provider_busy", "retry")
            self.assertEqual(answer["error"]["retry_after"], bank_sync_provider.BUSY_FOR)
            other.rollback()
            self.assertNotIn("error", self.ask("accounts.list", connection_id=connection))

    def test_busy_providers_cost_no_budget(self):
        connection = self.connect("demo-limited")
        busy = TransientError("provider_busy", retry_after=15)
        with patch.object(type(self.provider), "_take_slot", side_effect=busy):
            self.assertFailure(self.refresh(connection), "provider_busy", "retry")
        self.assertFalse(self.env["bank.sync.usage"].search_count([]))

    def test_zero_means_no_limit(self):
        self.provider.max_concurrent = 0
        connection = self.connect()
        self.assertNotIn("error", self.ask("accounts.list", connection_id=connection))
        self.env.cr.execute(
            "SELECT count(*) FROM pg_locks WHERE classid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [bank_sync_provider.SLOTS],
        )
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_visit_at_a_busy_provider_continues_at_the_same_step(self):
        answer = self.start()
        visit = self.visit_of(answer)
        busy = TransientError("provider_busy", retry_after=15)
        with patch.object(type(self.provider), "_take_slot", side_effect=busy):
            visit._answer({"user": ["demo"], "password": ["demo"]})
        self.assertEqual((visit.state, visit.error_id.code), ("open", "provider_busy"))
        self.answer_all(visit)
        self.assertEqual(visit.state, "done")
