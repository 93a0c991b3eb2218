from datetime import timedelta
from unittest.mock import patch

from prometheus_client import values
from prometheus_client.parser import text_string_to_metric_families

from odoo.addons.bank_sync_proxy.models.bank_sync_provider import MAX_SLOTS, SLOTS
from odoo.addons.bank_sync_proxy.providers.errors import TransientError
from odoo.addons.bank_sync_proxy.providers.sandbox import Sandbox
from odoo.addons.bank_sync_proxy.tests.common import PagesCase
from odoo.addons.bank_sync_proxy_server.models.bank_sync_metrics import METRICS
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import config


@tagged("post_install", "-at_install")
class TestMetrics(PagesCase):
    """What Prometheus reads, and who may read it."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)
        # Why separate: the processes of a server add up their counters, and other test workers are such processes.
        self.startPatcher(patch.object(values, "ValueClass", values.MutexValue))
        self.startPatcher(patch.dict(METRICS.__dict__, _registry=None, _is_off=False))

    def metrics(self, **headers):
        return self.url_open("/bank_sync/metrics", headers=headers)

    def values(self, name, *labels):
        """:return: dict: values of the labels → number"""
        families = text_string_to_metric_families(self.metrics().text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return {tuple(sample.labels[label] for label in labels): sample.value for sample in samples}

    # -------------------------------------------------------------------------
    # READ FROM THE DATABASE
    # -------------------------------------------------------------------------

    def test_metrics_can_be_parsed_and_count_what_is_there(self):
        clients = self.values("bank_sync_clients", "state")
        self.assertEqual(sum(clients.values()), self.env["bank.sync.client"].search_count([]))
        self.assertEqual(set(self.values("bank_sync_consents_ending", "days")), {("7",), ("14",)})

    def test_connections_are_counted_by_state_and_provider(self):
        before = self.values("bank_sync_connections", "state", "provider").get(("connected", "sandbox"), 0)
        self.connect("demo")
        after = self.values("bank_sync_connections", "state", "provider")
        self.assertEqual(after["connected", "sandbox"], before + 1)

    def test_consent_that_ends_within_a_week_is_counted_in_both_periods(self):
        before = self.values("bank_sync_consents_ending", "days")
        self.connect("demo")
        connection = self.env["bank.sync.connection"].search([], limit=1)
        connection.consent_expires_at = self.env.cr.now() + timedelta(days=6)
        self.assertEqual(
            self.values("bank_sync_consents_ending", "days"), {days: count + 1 for days, count in before.items()}
        )

    def test_newest_success_of_a_provider_has_an_age(self):
        self.connect("demo")
        self.env["bank.sync.connection"].search([]).refreshed_at = self.env.cr.now() - timedelta(hours=30)
        age = self.values("bank_sync_newest_success_age_seconds", "provider")[("sandbox",)]
        self.assertAlmostEqual(age, 30 * 3600, delta=600)

    def test_errors_are_counted_by_code_and_actor(self):
        self.env["bank.sync.error"].search([]).unlink()
        connection = self.connect("demo")
        with patch.object(Sandbox, "accounts", side_effect=TransientError("institution_unavailable")):
            self.ask("accounts.list", connection_id=connection)
        found = self.values("bank_sync_errors_recent", "code", "actor")
        self.assertEqual(found, {("institution_unavailable", "nobody"): 1})

    def test_events_that_wait_are_counted(self):
        before = self.values("bank_sync_events_waiting")[()]
        client = self.env["bank.sync.client"].search([], limit=1)
        self.env["bank.sync.event"].create({"client_id": client.id, "kind": "transactions.new"})
        self.assertEqual(self.values("bank_sync_events_waiting")[()], before + 1)

    def test_quota_of_a_bank_is_what_it_allows_a_day_without_what_was_used(self):
        self.env["bank.sync.usage"].search([]).unlink()
        self.assertFalse(self.values("bank_sync_provider_quota_left_ratio", "provider", "kind"))
        connection = self.connect("demo-limited")
        self.ask("connections.refresh", connection_id=connection)
        left = self.values("bank_sync_provider_quota_left_ratio", "provider", "kind")
        self.assertEqual(left["sandbox", "refresh"], 0.75)

    def test_quota_that_was_used_yesterday_is_there_again(self):
        connection = self.connect("demo-limited")
        self.ask("connections.refresh", connection_id=connection)
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_usage SET create_date = create_date - interval '25 hours'")
        self.assertFalse(self.values("bank_sync_provider_quota_left_ratio", "provider", "kind"))

    def test_calls_that_run_at_once_are_counted_on_every_machine(self):
        provider = self.env["bank.sync.provider"].search([("code", "=", "sandbox")])
        provider.max_concurrent = 3
        self.assertEqual(self.values("bank_sync_provider_slots", "provider"), {("sandbox",): 3})
        before = self.values("bank_sync_provider_slots_used", "provider")[("sandbox",)]
        free = provider.id * MAX_SLOTS + MAX_SLOTS - 1
        with db_connect(self.env.cr.dbname).cursor() as elsewhere:
            elsewhere.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SLOTS, free])
            self.assertEqual(self.values("bank_sync_provider_slots_used", "provider")[("sandbox",)], before + 1)

    def test_checks_of_readiness_are_metrics_too(self):
        with patch.dict(config.options, {"bank_sync_key": "file:/not/there"}):
            checks = self.values("bank_sync_check_passed", "check")
        self.assertEqual(checks[("master_key",)], 0)
        self.assertEqual(checks[("database_connections",)], 1)

    # -------------------------------------------------------------------------
    # COUNTED BY THE PROCESSES
    # -------------------------------------------------------------------------

    def test_request_is_counted_by_operation_and_outcome(self):
        self.url_open("/bank_sync/1/accounts.list", data="{}")
        self.url_open("/bank_sync/1/no.such.operation", data="{}")
        text = self.metrics().text
        self.assertRegex(text, r'bank_sync_requests_total\{operation="accounts.list",outcome="[a-z_]+"\} [1-9]')
        self.assertNotIn("no.such.operation", text)
        self.assertIn('operation="unknown"', text)

    def test_call_of_a_provider_is_counted_with_its_time_and_outcome(self):
        connection = self.connect("demo")
        self.ask("accounts.list", connection_id=connection)
        with patch.object(Sandbox, "accounts", side_effect=TransientError("institution_unavailable")):
            self.ask("accounts.list", connection_id=connection)
        with (
            patch.object(Sandbox, "accounts", side_effect=ZeroDivisionError),
            self.assertLogs("odoo.addons.bank_sync_proxy.models.bank_sync_error", "ERROR"),
        ):
            self.ask("accounts.list", connection_id=connection)
        counted = self.values("bank_sync_provider_calls_total", "provider", "call", "outcome")
        expected = {("sandbox", "accounts", outcome): 1 for outcome in ("ok", "institution_unavailable", "crash")}
        self.assertEqual({key: number for key, number in counted.items() if key[1] == "accounts"}, expected)
        durations = self.values("bank_sync_provider_call_seconds_count", "provider", "call")
        self.assertEqual(durations["sandbox", "accounts"], 3)

    # -------------------------------------------------------------------------
    # WHO MAY READ THEM
    # -------------------------------------------------------------------------

    def test_metrics_without_a_token_are_for_the_own_network_only(self):
        self.assertEqual(self.metrics().status_code, 200)
        for header in ("X-Forwarded-For", "Forwarded", "Via"):
            self.assertEqual(self.metrics(**{header: "127.0.0.1"}).status_code, 403)

    def test_metrics_with_a_token_are_for_those_who_have_it(self):
        with patch.dict(config.options, {"bank_sync_metrics_token": "a token"}):
            for header, status in (("", 403), ("Bearer another", 403), ("Basic a token", 403), ("Bearer a token", 200)):
                self.assertEqual(self.metrics(Authorization=header).status_code, status, header)

    def test_token_that_cannot_be_read_opens_nothing(self):
        with (
            patch.dict(config.options, {"bank_sync_metrics_token": "env:NOT_THERE"}),
            self.assertLogs("odoo.addons.bank_sync_proxy_server.controllers.health", "ERROR"),
        ):
            self.assertEqual(self.metrics(Authorization="Bearer ").status_code, 403)
