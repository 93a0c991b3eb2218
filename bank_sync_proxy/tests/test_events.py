import runpy
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common import ProxyCase


@tagged("post_install", "-at_install")
class TestEvents(ProxyCase):
    """Events for the proxy's own database."""

    def setUp(self):
        super().setUp()
        self.model = self.env["bank.sync.event"]
        self.model.search([]).unlink()
        # Why: a test's transaction is rolled back as a whole.
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda _cron, processed=0, **_rest: float("inf"))

    def deliver(self):
        self.model._cron_deliver()

    def connection_of(self, client):
        return self.env["bank.sync.connection"].create(
            {
                "client_id": client.id,
                "institution_id": self.env["bank.sync.institution"]._find("sandbox.demo").id,
                "state": "connected",
            }
        )

    def test_proxy_s_own_database_is_notified_in_its_own_process(self):
        if "account.online.link" not in self.env:
            self.skipTest("only where both addons are installed")
        connection = self.connection_of(self.client_record)
        event = self.model._emit(self.client_record, "transactions.new", connection)
        received = []

        def receive(_links, kind, identifier):
            received.append((kind, identifier))

        with patch.object(type(self.env["account.online.link"]), "_receive_event", receive, create=True):
            self.deliver()
        self.assertEqual(received, [("transactions.new", connection.identifier)])
        self.assertEqual(event.state, "delivered")

    def test_an_event_is_delivered_on_demand_and_retried_on_demand(self):
        def moments():
            found = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).mapped("call_at")
            self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()
            return found

        cron = self.env.ref("bank_sync_proxy.ir_cron_deliver_events")
        moments()
        now = fields.Datetime.now()
        event = self.model._emit(self.client_record, "transactions.new", self.connection_of(self.client_record))
        self.assertLessEqual(max(moments()), fields.Datetime.add(now, minutes=1))
        with patch.object(type(event), "_deliver_here", lambda _event: "Trouble"):
            self.deliver()
        self.assertEqual(event.state, "pending")
        self.assertEqual(moments(), [max(event.next_attempt_at, fields.Datetime.add(now, seconds=30))])
        event.next_attempt_at = now
        self.deliver()
        self.assertEqual((event.state, moments()), ("delivered", []))

    def test_update_slows_the_delivery_down_unless_an_administrator_has_set_it(self):
        path = Path(__file__).parents[1] / "migrations" / "19.0.1.2.0" / "post-events_on_demand.py"
        script = runpy.run_path(str(path))
        cron = self.env.ref("bank_sync_proxy.ir_cron_deliver_events")
        for before, after in (((10, "minutes"), (1, "days")), ((30, "minutes"), (30, "minutes"))):
            cron.write({"interval_number": before[0], "interval_type": before[1]})
            cron.flush_recordset()
            script["migrate"](self.env.cr, "19.0.1.1.0")
            cron.invalidate_recordset()
            self.assertEqual((cron.interval_number, cron.interval_type), after)

    def test_user_who_disconnects_is_not_notified(self):
        identifier = self.connect()
        self.ask("connections.delete", connection_id=identifier)
        self.assertFalse(self.model.search([("kind", "=", "connection.disconnected")]))
        self.assertIsNone(self.ask("connections.get", connection_id=identifier)["connection"]["reason"])

    def test_the_end_of_a_consent_is_announced_three_times(self):
        connection = self.connection_of(self.client_record)
        now = fields.Datetime.now()
        connection.consent_expires_at = now + timedelta(days=15)
        announced = []
        for days_left in (15, 14, 13, 10, 7, 7, 3, 1, 0.5, 0, -1):
            with freeze_time(now + timedelta(days=15 - days_left)):
                before = self.model.search([])
                self.env["bank.sync.connection"]._cron_warn_of_ends()
                new = self.model.search([]) - before
                announced += [(days_left, event.kind) for event in new]
                new.state = "delivered"
        kind = "consent.expiring"
        self.assertEqual(announced, [(14, kind), (7, kind), (1, kind)])
