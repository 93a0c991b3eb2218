from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.bank_sync_proxy.models import bank_sync_error as bank_sync_error_proxy
from odoo.addons.bank_sync_proxy.models import bank_sync_visit
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError
from odoo.addons.base.models.ir_autovacuum import is_autovacuum
from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models import bank_sync_error
from .door import DoorCase

MODELS = "odoo.addons.bank_sync_proxy.models"
ADDONS = (
    "odoo.addons.bank_sync_proxy.",
    "odoo.addons.bank_sync_proxy_server.",
    "odoo.addons.account_online_synchronization.",
)
#: What gets rows with each request, visit or failure, and is cleaned up.
GROWING = (
    *("bank.sync.usage", "bank.sync.event", "bank.sync.error", "bank.sync.visit", "bank.sync.connection"),
    *("bank.sync.nonce", "bank.sync.suspicion", "bank.sync.registration"),
)


@tagged("post_install", "-at_install")
class TestGrowth(DoorCase):
    """No table grows without limit, however often callers make requests."""

    def records(self):
        return self.env["bank.sync.error"].search([("client_id", "=", self.client_record.id)])

    def start(self, client=None):
        payload = {"return_url": "https://db.example/x", "institution_id": "sandbox.demo"}
        return self.knock("connections.start", payload).json()

    @mute_logger(f"{MODELS}.bank_sync_api", "odoo.addons.bank_sync_proxy_server.models.bank_sync_gate")
    def test_client_without_a_phone_number_leaves_few_records(self):
        self.client_record.write({"state": "phone_required", "awaits_phone_since": "2026-01-01"})
        with patch.object(bank_sync_error, "DAILY_OF_UNVERIFIED", 3):
            for _number in range(5):
                error = self.knock("accounts.list", {"connection_id": "x"}).json()["error"]
                self.assertEqual(error["code"], "phone_required")
                self.assertRegex(error["reference"], r"^E-")
        self.assertEqual(len(self.records()), 3)

    @mute_logger(f"{MODELS}.bank_sync_api", "odoo.addons.bank_sync_proxy_server.models.bank_sync_gate")
    def test_client_leaves_a_limited_number_of_records_a_day(self):
        with patch.object(bank_sync_error_proxy, "DAILY_OF_CLIENT", 3):
            for _number in range(5):
                error = self.knock("accounts.list", {"connection_id": "x"}).json()["error"]
                self.assertEqual(error["code"], "unknown_connection")
                self.assertTrue(error["message"])
        self.assertEqual(len(self.records()), 3)

    @mute_logger(f"{MODELS}.bank_sync_api", "odoo.addons.bank_sync_proxy_server.models.bank_sync_gate")
    def test_unverified_requests_do_not_use_up_the_limit_of_the_client_they_name(self):
        with (
            patch.object(bank_sync_error, "DAILY_OF_UNVERIFIED", 2),
            patch.object(bank_sync_error_proxy, "DAILY_OF_CLIENT", 1),
        ):
            for _number in range(3):
                self.knock("accounts.list", secret="wrong, and long enough to be a secret")
            self.knock("accounts.list", {"connection_id": "x"})
        self.assertEqual(sorted(self.records().mapped("code")), ["signature_rejected"] * 2 + ["unknown_connection"])

    def test_failure_without_a_stored_record_still_has_its_effects(self):
        connection = self.env["bank.sync.connection"].browse(
            self.env["bank.sync.connection"]._find(self.client_record, self.connect_in_process()).id
        )
        refused = ConsentError("consent_revoked", "gone", provider="sandbox")
        with (
            patch.object(bank_sync_error_proxy, "DAILY_OF_CLIENT", 0),
            patch.object(type(connection), "_accounts", side_effect=refused, autospec=True),
            mute_logger(f"{MODELS}.bank_sync_api"),
        ):
            answer = self.knock("accounts.list", {"connection_id": connection.identifier}).json()
        self.assertEqual(answer["error"]["code"], "consent_revoked")
        self.assertFalse(self.records())
        self.assertEqual(connection.state, "expired")

    def test_visit_that_fails_without_a_stored_record_ends(self):
        page = self.start()
        visit = self.env["bank.sync.visit"]._find(page["page_url"].rsplit("/", 1)[1])
        refused = ConsentError("consent_revoked", "gone", provider="sandbox")
        with (
            patch.object(bank_sync_error_proxy, "DAILY_OF_CLIENT", 0),
            patch.object(type(visit), "_ask_adapter", side_effect=refused, autospec=True),
        ):
            visit._answer({"user": ["demo"], "password": ["demo"]})
        self.assertRecordValues(visit, [{"state": "failed", "error_id": False}])

    @mute_logger(f"{MODELS}.bank_sync_api")
    def test_client_begins_a_limited_number_of_visits_an_hour(self):
        with patch.object(bank_sync_visit, "PER_HOUR", 3):
            for _number in range(3):
                self.assertNotIn("error", self.start())
            self.env.flush_all()
            in_half_an_hour = fields.Datetime.now() + timedelta(minutes=30)
            self.env.cr.execute("UPDATE bank_sync_visit SET create_date = %s", [in_half_an_hour])
            self.env.invalidate_all()
            answer = self.start()
        self.assertEqual(answer["error"]["code"], "too_many_requests")
        self.assertTrue(3600 < answer["error"]["retry_after"] <= 5400)
        connections = self.env["bank.sync.connection"].search([("client_id", "=", self.client_record.id)])
        self.assertEqual(len(connections), 3)

    # -------------------------------------------------------------------------
    # CLEAN-UP
    # -------------------------------------------------------------------------

    def test_clean_up_says_whether_there_is_more(self):
        suspicions = self.env["bank.sync.suspicion"]
        for _number in range(5):
            suspicions.create({"client_id": self.client_record.id, "kind": "burst"})
        domain = [("client_id", "=", self.client_record.id)]
        self.assertEqual([clean_up(suspicions, domain, 2) for _time in range(3)], [(2, True), (2, True), (1, False)])
        self.assertFalse(suspicions.search(domain))

    def indexed(self, partial=False):
        """:return: set of (table, first column) of all indexes; without those that hold a part of the rows"""
        self.env.cr.execute(
            "SELECT t.relname, a.attname, i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ="
            "       format('(%I IS NOT NULL)', a.attname)"
            "  FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
            "  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]"
            " WHERE t.relname LIKE 'bank_sync_%'"
        )
        return {(table, column) for table, column, is_whole in self.env.cr.fetchall() if is_whole or partial}

    def test_deleting_a_row_reads_no_other_table_whole(self):
        """PostgreSQL looks for each deleted row into the tables that refer to it."""
        tables = [self.env[name]._table for name in GROWING]
        self.env.cr.execute(
            "SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c"
            "  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND c.confrelid = ANY(%s::regclass[])",
            [tables],
        )
        found = self.env.cr.fetchall()
        self.assertIn(("bank_sync_visit", "error_id"), found)
        self.assertFalse(set(found) - self.indexed())

    def test_clean_up_begins_at_the_oldest_row_by_an_index(self):
        for name in GROWING:
            with self.subTest(name):
                moment = "moment" if "moment" in self.env[name]._fields else "create_date"
                self.assertIn((self.env[name]._table, moment), self.indexed(partial=True))

    def test_clean_up_reads_no_event_that_stays(self):
        """Events that were given up are kept longer; where many databases can't be reached they are millions."""
        events = self.env["bank.sync.event"]
        events.search([]).unlink()
        values = {"client_id": self.client_record.id, "kind": "transactions.new"}
        events.create([{**values, "state": "given_up"} for _number in range(1000)])
        events.create([{**values, "state": "delivered"} for _number in range(10)])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_sync_event SET create_date ="
            " create_date - interval '5 days' - (%s - id) * interval '1 second'",
            [max(events.search([]).ids)],
        )
        self.env.cr.execute("ANALYZE bank_sync_event")
        with self.recorded_searches("bank_sync_event") as searches:
            self.assertEqual(events._gc_events(), (10, False))
        self.assertEqual(len(searches), 2)
        self.assertEqual([row for plan in searches for row in plan if "Rows Removed by Filter" in row], [])

    def test_emitting_an_event_reads_no_event_of_another_kind(self):
        """Many events were delivered, and many wait where databases can't be reached."""
        events = self.env["bank.sync.event"]
        events.search([]).unlink()
        connection = self.env["bank.sync.connection"]._find(self.client_record, self.connect_in_process())
        other = self.env["bank.sync.client"].create(
            {"name": "Other", "database_uuid": "other", "url": "https://other.example"}
        )
        for client, kind, state, number in (
            (self.client_record, "transactions.new", "delivered", 1000),
            (self.client_record, "consent.expiring", "pending", 500),
            (other, "transactions.new", "delivered", 2000),
            (other, "transactions.new", "pending", 500),
        ):
            values = {"client_id": client.id, "kind": kind, "state": state}
            own = connection.id if client == self.client_record else False
            events.create([{**values, "connection_id": number % 2 and own} for number in range(number)])
        self.env.flush_all()
        self.env.cr.execute("ANALYZE bank_sync_event")
        for of_one in (connection, None):
            with self.subTest(connection=of_one):
                with self.recorded_searches("bank_sync_event") as searches:
                    first = events._emit(self.client_record, "transactions.new", of_one)
                    self.assertEqual(events._emit(self.client_record, "transactions.new", of_one), first)
                self.assertEqual((first.connection_id, first.state), (of_one or events.connection_id, "pending"))
                plans = [plan for plan in searches if not any("LockRows" in row for row in plan)]
                self.assertEqual(len(plans), 2)
                for plan in plans:
                    self.assertIn("bank_sync_event_waiting", "\n".join(plan))
                    self.assertFalse([row for row in plan if "Rows Removed by Filter" in row or "Sort" in row], plan)

    @contextmanager
    def recorded_searches(self, table):
        """:return: list that gets for each search of a table the rows of PostgreSQL's plan, with what it read"""
        searches, execute = [], Cursor.execute

        def recorded(cr, query, *arguments, **options):
            if isinstance(query, SQL) and query.code.startswith(f'SELECT "{table}"."id"'):
                execute(cr, SQL("EXPLAIN ANALYZE %s", query))
                searches.append([row for (row,) in cr.fetchall()])
            return execute(cr, query, *arguments, **options)

        with patch.object(Cursor, "execute", recorded):
            yield searches

    def test_every_clean_up_continues_while_there_is_more(self):
        """One batch a day would be too slow for a table to which unauthenticated callers add rows."""
        found = {
            f"{name}.{attribute}"
            for name, model in self.env.items()
            for cls in type(model).__mro__
            if cls.__module__.startswith(ADDONS)
            for attribute, value in vars(cls).items()
            if is_autovacuum(value)
        }
        self.assertGreater(len(found), 8)
        for name in sorted(found):
            model, _dot, method = name.rpartition(".")
            with self.subTest(name):
                self.assertEqual(len(getattr(self.env[model], method)()), 2)
