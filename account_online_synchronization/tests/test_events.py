import json
import time
from datetime import timedelta

from odoo import fields
from odoo.addons.bank_sync_common.tools import signing
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..controllers.events import PATH
from .service_common import ServiceCommon

CONTROLLER = "odoo.addons.account_online_synchronization.controllers.events"


@tagged("post_install", "-at_install")
class TestEvents(ServiceCommon, HttpCase):
    """Events that the service sends: only the real service may, each once, and an event only says what to fetch."""

    def setUp(self):
        super().setUp()
        self.register()
        self.event = {"id": "E1", "kind": "transactions.new", "connection_id": "C1"}

    def send(self, event=None, secret=None, headers=(), body=None, **signed):
        body = json.dumps(self.event if event is None else event).encode() if body is None else body
        values = {
            "client": self.service.client_identifier,
            "database": self.service._database_digest(),
            "now": time.time(),
            **signed,
        }
        made = signing.new_headers(secret or self.secrets()[0], method="POST", path=PATH, body=body, **values)
        return self.url_open(PATH, data=body, headers={"Content-Type": "application/json", **made, **dict(headers)})

    def events(self):
        return self.env["account.online.event"].search([])

    # -------------------------------------------------------------------------
    # AT THE DOOR
    # -------------------------------------------------------------------------

    def test_an_event_is_kept_and_wakes_up_the_scheduled_action(self):
        cron = self.env.ref("account_online_synchronization.ir_cron_look_after")
        before = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.assertEqual(self.send().status_code, 200)
        self.assertRecordValues(
            self.events(),
            [{"kind": "transactions.new", "identifier": "E1", "connection_identifier": "C1", "is_handled": False}],
        )
        self.assertEqual(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]), before + 1)

    def test_the_answer_proves_that_this_database_has_read_the_event(self):
        body = json.dumps(self.event).encode()
        nonce, now = "n" * 24, int(time.time())
        client, database = self.service.client_identifier, self.service._database_digest()
        signature = signing.sign(self.secrets()[0], client, database, now, nonce, "POST", PATH, body)
        answer = self.send(headers={signing.NONCE: nonce, signing.SIGNATURE: signature, signing.TIMESTAMP: str(now)})
        self.assertEqual(answer.json(), {"proof": signing.prove(self.secrets()[0], nonce, body)})

    def test_the_door_opens_for_the_service_only(self):
        refused = {
            "another secret": self.send(secret="guessed"),
            "another client": self.send(client="e" * 32),
            "another database": self.send(database="e" * 64),
            "an old clock": self.send(now=time.time() - 400),
            "a clock ahead": self.send(now=time.time() + 400),
            "another nonce than signed": self.send(headers={signing.NONCE: "n" * 24}),
        }
        self.assertEqual({name: answer.status_code for name, answer in refused.items()}, dict.fromkeys(refused, 403))
        self.assertEqual({answer.text for answer in refused.values()}, {""}, "the answer does not tell why")
        self.assertFalse(self.events())

    def test_an_event_comes_once(self):
        nonce = "n" * 24
        body = json.dumps(self.event).encode()
        client, database, now = self.service.client_identifier, self.service._database_digest(), int(time.time())
        signature = signing.sign(self.secrets()[0], client, database, now, nonce, "POST", PATH, body)
        headers = {signing.NONCE: nonce, signing.SIGNATURE: signature, signing.TIMESTAMP: str(now)}
        self.assertEqual(self.send(headers=headers).status_code, 200)
        self.assertEqual(self.send(headers=headers).status_code, 409)
        self.assertEqual(len(self.events()), 1)

    def test_a_copy_and_an_unregistered_database_accept_no_events(self):
        self.service.secret_data = self.service.secret_data[:-4] + "AAA="
        self.assertEqual(self.send().status_code, 403)
        self.service.url = False
        self.assertEqual(self.send().status_code, 403)

    @mute_logger("odoo.http")
    def test_rubbish_is_refused_with_any_signature(self):
        bodies = [b"[]", b"{", b'{"id": "E"}', b'{"id": 1, "kind": "x"}', b'{"id": "E", "kind": ""}', b"\xff"]
        strange = [{"kind": "x" * 200}, {"kind": "x\x00"}, {"connection_id": {"a": 1}}, {"connection_id": ""}]
        bodies += [json.dumps({**self.event, **values}).encode() for values in strange] + [b"[" * 5000]
        self.assertEqual([self.send(body=body).status_code for body in bodies], [400] * len(bodies))
        self.assertEqual(self.send(body=b" " * 9000).status_code, 413)
        self.assertEqual(self.url_open(PATH, data=b"{}").status_code, 400, "no headers")
        self.assertEqual(self.url_open(PATH).status_code, 405)
        self.assertFalse(self.events())

    def test_while_the_secret_is_changed_either_one_counts(self):
        old = self.secrets()[0]
        self.service._write_secrets(current=old, next="the next secret of tests")
        for secret in (old, "the next secret of tests"):
            self.assertEqual(self.send(secret=secret).status_code, 200)

    # -------------------------------------------------------------------------
    # WHAT THEY LEAD TO
    # -------------------------------------------------------------------------

    def tell(self, kind, connection="C1"):
        self.Link.sudo()._receive_event(kind, connection)
        self.look_after()

    def linked(self, **values):
        link = self.connect_journal()
        now = fields.Datetime.now()
        link.write({"last_refresh": now - timedelta(hours=1), "next_refresh": now + timedelta(hours=11), **values})
        return link

    def test_new_transactions_make_the_link_due_now(self):
        link = self.linked()
        self.tell("transactions.new")
        self.assertLessEqual(link.next_refresh, fields.Datetime.now())
        self.assertTrue(self.events().is_handled)

    def test_a_link_is_not_synchronized_more_often_than_every_ten_minutes(self):
        now = fields.Datetime.now()
        link = self.linked(last_refresh=now - timedelta(minutes=4))
        self.tell("transactions.new")
        self.assertEqual(link.next_refresh, link.last_refresh + timedelta(minutes=10))

    def test_links_that_are_not_synchronized_automatically_do_not_change(self):
        link = self.linked(auto_sync=False)
        before = link.next_refresh
        self.tell("transactions.new")
        self.assertEqual(link.next_refresh, before)
        self.assertTrue(self.events().is_handled)

    def test_what_a_bank_asked_to_wait_for_is_waited_for(self):
        link = self.linked(failure_count=1)
        before = link.next_refresh
        self.tell("transactions.new")
        self.assertEqual(link.next_refresh, before)

    def test_a_connection_that_support_has_cut_is_shown_with_the_reason(self):
        link = self.linked()
        get = self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"]
        self.proxy.raw_answers["connections.get"] = {
            "connection": {**get, "state": "disconnected", "reason": "The bank asked for it."}
        }
        self.tell("connection.disconnected")
        self.assertEqual((link.state, link.error_action), ("disconnected", "reconnect"))
        self.assertIn("The bank asked for it.", str(link.message_ids[0].body))

    def test_a_consent_that_ends_sooner_is_known(self):
        link = self.linked(expiring_synchronization_date="2027-12-31")
        self.tell("consent.expiring")
        self.assertEqual(str(link.expiring_synchronization_date), "2026-11-16")

    def test_what_can_not_be_requested_now_is_requested_later(self):
        self.linked()
        self.proxy.fail("connections.get")
        self.tell("consent.expiring")
        self.assertFalse(self.events().is_handled)
        self.proxy.failures.clear()
        self.look_after()
        self.assertTrue(self.events().is_handled)

    def test_a_database_that_support_unblocks_continues_automatically(self):
        link = self.linked()
        self.proxy.state, self.proxy.blocked_by = "blocked", "support"
        self.synchronize(link)
        self.assertEqual(link.error_code, "client_suspended")
        self.proxy.state = "active"
        self.tell("client.active", None)
        self.assertEqual((link.state, self.service.state), ("connected", "active"))

    def test_a_block_is_known_before_the_next_synchronization(self):
        self.proxy.state, self.proxy.blocked_by, self.proxy.reason = "blocked", "suspicion", "Many wrong codes."
        self.tell("client.blocked", None)
        self.assertRecordValues(self.service, [{"state": "blocked", "reason": "Many wrong codes."}])

    def test_kinds_of_a_newer_service_and_unknown_connections_do_no_harm(self):
        for kind, connection in (("moon.full", None), ("transactions.new", "unknown"), ("consent.expiring", None)):
            self.tell(kind, connection)
        self.assertEqual(self.events().mapped("is_handled"), [True] * 3)

    def test_events_are_forgotten_after_a_month(self):
        self.tell("moon.full", None)
        event = self.events()
        self.env.cr.execute("UPDATE account_online_event SET create_date = now() - interval '31 days'")
        event.invalidate_recordset()
        event.sudo()._gc_events()
        self.assertFalse(event.exists())
