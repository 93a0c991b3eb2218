from odoo.tests import tagged

from ..models.bank_sync_suspicion import KEEP_DAYS, ONLY_LIMITED, THRESHOLDS
from .clients import PhoneCase


@tagged("post_install", "-at_install")
class TestSuspicion(PhoneCase):
    """What an attacker would do blocks the client; its users unblock it by their phone."""

    def setUp(self):
        super().setUp()
        for kind in THRESHOLDS:
            self.set_threshold(kind, "3/60")

    def set_threshold(self, kind, text):
        self.env["ir.config_parameter"].set_param(f"bank_sync_proxy.suspicion_{kind}", text)

    def noted(self, client, kind):
        return self.env["bank.sync.suspicion"].search([("client_id", "=", client.id), ("kind", "=", kind)])

    def assertBlocked(self, client):
        self.assertRecordValues(client, [{"state": "blocked", "blocked_by": "suspicion"}])
        self.assertTrue(client.reason)

    def test_each_kind_blocks_at_its_threshold_and_not_below(self):
        for kind in set(THRESHOLDS) - set(ONLY_LIMITED):
            with self.subTest(kind=kind):
                client = self.register_active()
                for number in range(2):
                    client._note_suspicion(kind, str(number) if kind == "institution" else "", "203.0.113.7")
                self.assertEqual(client.state, "active")
                client._note_suspicion(kind, "2" if kind == "institution" else "")
                self.assertBlocked(client)
                self.assertEqual(client.reason, self.env["bank.sync.suspicion"]._reason(kind))
                self.assertEqual(self.noted(client, kind)[-1].address, "203.0.113.7")

    def test_a_kind_that_is_only_limited_never_blocks(self):
        for kind in ONLY_LIMITED:
            client = self.register_active()
            for _time in range(3):
                self.assertEqual(self.env["bank.sync.suspicion"]._seconds_until_one_more(client, kind), 0)
                client._note_suspicion(kind)
            self.assertEqual(client.state, "active")
            self.assertGreater(self.env["bank.sync.suspicion"]._seconds_until_one_more(client, kind), 0)
            self.env["bank.sync.suspicion"]._settle(client)
            self.assertEqual(self.env["bank.sync.suspicion"]._seconds_until_one_more(client, kind), 0)

    def test_the_defaults_are_the_thresholds_of_the_table(self):
        for kind, threshold in THRESHOLDS.items():
            for text in ("", "nonsense", "3", "-1/60"):
                self.set_threshold(kind, text)
                self.assertEqual(self.env["bank.sync.suspicion"]._threshold(kind), threshold)

    def test_a_threshold_of_zero_switches_a_kind_off(self):
        client = self.register_active()
        self.set_threshold("code", "0/60")
        for _time in range(5):
            client._note_suspicion("code")
        self.assertEqual(client.state, "active")
        self.assertFalse(self.noted(client, "code"))

    def test_what_is_long_ago_or_of_another_client_does_not_count(self):
        client, other = self.register_active(), self.register_active()
        for _time in range(2):
            client._note_suspicion("code")
            other._note_suspicion("code")
        self.make_older(self.noted(client, "code"), minutes=61)
        client._note_suspicion("code")
        self.assertEqual((client + other).mapped("state"), ["active", "active"])

    def test_the_database_within_the_proxy_s_is_never_blocked(self):
        for _time in range(5):
            self.client_record._note_suspicion("code")
        self.assertEqual(self.client_record.state, "active")

    def test_the_same_institution_counts_once(self):
        client = self.register_active()
        for _time in range(5):
            client._note_suspicion("institution", "one")
        self.assertEqual(client.state, "active")
        for name in ("two", "three"):
            client._note_suspicion("institution", name)
        self.assertBlocked(client)

    # -------------------------------------------------------------------------
    # WHERE IT IS NOTED
    # -------------------------------------------------------------------------

    def test_an_institution_that_is_chosen_on_the_page_counts_as_well(self):
        client = self.register_active()
        visit = self.visit_of(self.ask("connections.start", client, return_url="https://books.example.com/back"))
        visit._choose_institution("sandbox.demo", "203.0.113.7")
        visit._choose_institution("sandbox.none", "203.0.113.7")
        noted = self.noted(client, "institution")
        self.assertEqual(set(noted.mapped("detail")), {"sandbox.demo", "sandbox.none"})

    def start_at(self, client, institution):
        return self.ask(
            "connections.start", client, institution_id=institution, return_url="https://books.example.com/back"
        )

    def test_connections_to_very_many_banks_block(self):
        client = self.register_active()
        found = [bank["id"] for bank in self.ask("institutions.search", client)["institutions"]]
        for institution in [found[0]] * 4 + found[1:2]:
            self.assertIn("page_url", self.start_at(client, institution))
        self.assertEqual(client.state, "active")
        self.assertFailure(self.start_at(client, found[2]), "client_blocked", "reactivate")
        self.assertBlocked(client)

    def test_a_block_outlives_the_failure_that_caused_it(self):
        client = self.register_active()
        for number in range(2):
            answer = self.start_at(client, f"sandbox.none-{number}")
            self.assertFailure(answer, "unknown_institution", "contact_support")
        self.assertEqual(len(self.noted(client, "institution")), 2)
        self.assertFailure(self.start_at(client, "sandbox.none-2"), "client_blocked", "reactivate")
        self.assertBlocked(client)
        self.start_at(client, "sandbox.none-3")
        self.assertEqual(len(self.noted(client, "institution")), 3, "a blocked client adds nothing")

    def test_wrong_codes_block_and_outlive_their_own_failure(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
        for _time in range(3):
            answer = self.ask("clients.verify_phone", client, code=self.wrong_code())
            self.assertFailure(answer, "code_rejected", "reactivate")
        self.assertEqual(len(self.noted(client, "code")), 3)
        self.assertBlocked(client)
        answer = self.ask("clients.verify_phone", client, code=self.last_code())
        self.assertFailure(answer, "client_blocked", "reactivate")

    # -------------------------------------------------------------------------
    # BLOCKED, AND THE WAY OUT
    # -------------------------------------------------------------------------

    def blocked_client(self):
        client = self.register_active()
        for _time in range(3):
            client._note_suspicion("signature")
        self.assertBlocked(client)
        return client

    def test_a_blocked_client_is_answered_nothing_but_the_way_out(self):
        client = self.blocked_client()
        # A blocked client may still revoke an agreement with an accounting firm; see test_firms.
        ways_out = {"clients.status", "clients.reactivate", "firms.get", "firms.revoke"}
        for operation in set(self.api_model._operations()) - ways_out:
            self.assertFailure(self.ask(operation, client), "client_blocked", "reactivate")
        status = self.ask("clients.status", client)
        self.assertEqual((status["state"], status["blocked_by"]), ("blocked", "suspicion"))
        self.assertIn("wrong signature", status["reason"])
        kinds = self.env["bank.sync.event"].search([("client_id", "=", client.id)]).mapped("kind")
        self.assertEqual(kinds[-1], "client.blocked")

    def test_phone_code_unblocks_and_resets_the_count(self):
        client = self.blocked_client()
        with self.gateway():
            self.ask("clients.reactivate", client)
        self.assertEqual(self.ask("clients.reactivate", client, code=self.last_code()), {"state": "active"})
        for _time in range(2):
            client._note_suspicion("signature")
        self.assertEqual(client.state, "active")
        client._note_suspicion("signature")
        self.assertBlocked(client)
        self.assertEqual(len(self.noted(client, "signature")), 6, "support still sees the older ones")

    def test_wrong_codes_of_a_reactivation_change_nothing(self):
        client = self.blocked_client()
        with self.gateway():
            self.ask("clients.reactivate", client)
        for _time in range(5):
            answer = self.ask("clients.reactivate", client, code=self.wrong_code())
            self.assertFailure(answer, "code_rejected", "reactivate")
        answer = self.ask("clients.reactivate", client, code=self.last_code())
        self.assertFailure(answer, "code_expired", "reactivate")
        self.assertBlocked(client)
        self.assertIn("wrong signature", client.reason)

    def test_suspicion_never_takes_a_block_out_of_support_s_hands(self):
        client = self.register_active()
        client._block("Call us.", by="support")
        for _time in range(5):
            client._note_suspicion("signature")
        self.assertRecordValues(client, [{"state": "blocked", "blocked_by": "support", "reason": "Call us."}])

    def test_notes_are_kept_for_ninety_days(self):
        client = self.register_active()
        client._note_suspicion("code")
        client._note_suspicion("code")
        old, recent = self.noted(client, "code")
        self.make_older(old, days=KEEP_DAYS + 1)
        self.env["bank.sync.suspicion"]._gc_suspicions()
        self.assertFalse(old.exists())
        self.assertTrue(recent.exists())
