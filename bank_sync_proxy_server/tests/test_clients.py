from datetime import timedelta

from odoo import fields
from odoo.addons.bank_sync_proxy.providers.errors import ProviderError
from odoo.exceptions import AccessError, MissingError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..models.bank_sync_client_registration import KEEP_UNCONFIRMED_DAYS
from ..models.bank_sync_refused_database import KEEP_DAYS, MOST
from .clients import ABOUT, ADDRESS, ANOTHER_DIGEST, DIGEST, NEUTRALIZE, ClientsMixin


class ClientsCase(ClientsMixin, TransactionCase):
    def attempt(self, call, client=None):
        """:return: code of the failure, or None"""
        _answer, error, _record = self.env["bank.sync.error"]._attempt(call, operation="test", client=client)
        return error and error.code


@tagged("post_install", "-at_install")
class TestRegistration(ClientsCase):
    """How a database becomes a client."""

    def refused(self, **about):
        with self.assertRaises(ProviderError) as caught:
            self.env["bank.sync.client"]._register_database({**ABOUT, **about})
        return caught.exception.code

    def test_a_database_registers_and_waits_for_a_phone(self):
        answer = self.env["bank.sync.client"]._register_database(ABOUT, "203.0.113.7")
        self.assertEqual(set(answer), {"client_id", "client_secret", "state"})
        self.assertEqual(answer["state"], "phone_required")
        self.assertRegex(answer["client_id"], r"^[0-9a-f]{32}$")
        self.assertGreaterEqual(len(answer["client_secret"]), 43)
        client = self.env["bank.sync.client"].search([("identifier", "=", answer["client_id"])])
        self.assertRecordValues(
            client,
            [
                {
                    "name": "Books",
                    "url": "https://books.example.com",
                    "contact_email": "ada@example.com",
                    "state": "phone_required",
                    "is_embedded": False,
                    "database_digest": DIGEST,
                    "language": "en_US",
                }
            ],
        )
        self.assertEqual(client._secrets(), {"current": answer["client_secret"]})
        self.assertIn("Registered from 203.0.113.7.", self.chatter(client))

    def test_registration_of_a_database_logs_no_user_in(self):
        nobody = self.env["bank.sync.client"].with_user(self.env.ref("base.public_user"))
        self.assertEqual(nobody._register_database(ABOUT)["state"], "phone_required")
        self.assertEqual(self.env(user=None)["bank.sync.client"]._register_database(ABOUT)["state"], "phone_required")

    def test_the_secret_is_in_no_table(self):
        secret = self.env["bank.sync.client"]._register_database(ABOUT)["client_secret"]
        self.env.flush_all()
        for table in ("bank_sync_client", "mail_message", "mail_tracking_value", "bank_sync_error"):
            self.env.cr.execute(f"SELECT json_agg(t)::text FROM {table} t")  # pylint: disable=sql-injection
            self.assertNotIn(secret, self.env.cr.fetchone()[0] or "")

    def test_a_database_that_registers_again_is_a_second_client_and_the_first_one_stays(self):
        first = self.register()
        second = self.register(name="Books again")
        self.assertNotEqual(first.identifier, second.identifier)
        self.assertNotEqual(first._secrets(), second._secrets())
        self.assertTrue(first.exists())
        self.assertIn("has registered before: Books.", self.chatter(second)[0])

    def test_nothing_is_answered_before_a_phone_is_confirmed(self):
        client = self.register()
        for operation in set(self.api_model._operations()) - self.api_model._always_answered():
            self.assertFailure(self.ask(operation, client), "phone_required", "reactivate")
        self.assertEqual(self.ask("clients.status", client)["state"], "phone_required")

    def test_an_address_that_is_not_public_is_refused(self):
        for url in ("http://books.example.com", "https://localhost:8069", "https://192.168.1.5", "https://a@b.example"):
            self.assertEqual(self.refused(url=url), "url_refused")

    def test_a_private_network_can_be_allowed(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("bank_sync_proxy.allow_private_addresses", "True")
        self.assertEqual(self.register(url="http://127.0.0.1:8069/").url, "http://127.0.0.1:8069")
        self.assertEqual(self.refused(url="http://user@127.0.0.1:8069"), "url_refused")
        parameters.set_param("bank_sync_proxy.allow_private_addresses", "False")
        self.assertEqual(self.refused(url="http://127.0.0.1:8069"), "url_refused")

    def test_value_that_is_missing_or_not_a_text_is_refused(self):
        for name, values in {
            "name": (None, "", 7, "\t\n", "x" * 2001),
            "url": (None, 7, ["https://books.example.com"]),
            "database_uuid": (None, "", "short", "x" * 65, "'; DROP TABLE x; --"),
            "database": ("d" * 63, "D" * 64, 7),
            "contact_email": ("nobody", "a@example.com, b@example.com", "x" * 250 + "@example.com"),
            "language": ("../../etc", "x" * 30),
        }.items():
            for value in values:
                with self.subTest(name=name, value=value):
                    self.assertEqual(self.refused(**{name: value}), "invalid_request")

    def test_what_is_optional_may_be_missing(self):
        client = self.register(contact_email=None, language=None, database=None)
        self.assertFalse(client.contact_email or client.language or client.database_digest)

    def test_a_name_is_one_line_and_no_page(self):
        client = self.register(name="Books\n\u202e<b>of</b> " + "x" * 500)
        self.assertEqual(len(client.name), 100)
        self.assertTrue(client.name.startswith("Books<b>of</b> x"))

    def test_database_reports_its_changes(self):
        client = self.register_active()
        answer = self.ask(
            "clients.update", client, url="https://new.example.com/", name="New", contact_email="b@c.example"
        )
        self.assertEqual(answer, {"state": "active"})
        self.assertRecordValues(
            client, [{"url": "https://new.example.com", "name": "New", "contact_email": "b@c.example"}]
        )
        self.assertFailure(self.ask("clients.update", client, url="http://x"), "url_refused", "contact_support")
        self.assertEqual(client.url, "https://new.example.com")
        self.assertEqual(self.ask("clients.update", client), {"state": "active"})

    def test_a_client_knows_its_own_status(self):
        client = self.register_active()
        expected = {"client_id": client.identifier, "phone_hint": "•••• 56", "blocked_by": None, "reason": None}
        self.assertEqual(self.ask("clients.status", client), {**expected, "state": "active"})
        client._disconnect("You asked for it.")
        self.assertEqual(
            self.ask("clients.status", client), {**expected, "state": "disconnected", "reason": "You asked for it."}
        )

    def test_clients_that_gave_up_are_forgotten_after_thirty_days(self):
        gone, recent, active, asked_again = self.register(), self.register(), self.register_active(), self.register()
        blocked, connected = self.register(), self.register()
        blocked._block("Spam.", by="support")
        self.env["bank.sync.connection"].create({"client_id": connected.id})
        long_ago = fields.Datetime.now() - timedelta(days=KEEP_UNCONFIRMED_DAYS + 1)
        (gone + blocked + connected).awaits_phone_since = long_ago
        self.make_older(active + asked_again, days=KEEP_UNCONFIRMED_DAYS + 1)
        self.env["bank.sync.client"]._gc_unconfirmed()
        self.assertFalse(gone.exists())
        kept = recent + active + asked_again + blocked + connected + self.client_record
        self.assertEqual(kept.exists(), kept)


@tagged("post_install", "-at_install")
class TestCredentials(ClientsCase):
    """A new secret counts from its first use on."""

    def test_lost_answer_locks_no_client_out(self):
        client = self.register_active()
        old = client._secrets()["current"]
        self.ask("clients.rotate_secret", client)
        client._confirm_secret(old)
        self.assertEqual(client._secrets()["current"], old)

    def test_the_first_use_of_the_next_secret_ends_the_one_before(self):
        client = self.register_active()
        old = client._secrets()["current"]
        new = self.ask("clients.rotate_secret", client)["client_secret"]
        self.assertEqual(client._secrets(), {"current": old, "next": new})
        client._confirm_secret(new)
        self.assertEqual(client._secrets(), {"current": new})

    def test_client_that_asks_twice_has_one_next_secret(self):
        client = self.register_active()
        old = client._secrets()["current"]
        first, second = [self.ask("clients.rotate_secret", client)["client_secret"] for _time in range(2)]
        self.assertNotEqual(first, second)
        client._confirm_secret(first)
        self.assertEqual(client._secrets(), {"current": old, "next": second})

    def test_requests_write_nothing_as_long_as_nothing_is_rotated(self):
        client = self.register_active()
        secret = client._secrets()["current"]
        self.env.flush_all()
        self.env.cr.execute("SELECT xmin FROM bank_sync_client WHERE id = %s", [client.id])
        before = self.env.cr.fetchone()
        client._confirm_secret(secret)
        client._check_copy(DIGEST, ADDRESS)
        self.env.flush_all()
        with self.assertQueryCount(0):
            client._confirm_secret(secret)
            client._check_copy(DIGEST, ADDRESS)
            self.env.flush_all()
        self.env.cr.execute("SELECT xmin FROM bank_sync_client WHERE id = %s", [client.id])
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_a_database_within_the_proxy_s_has_no_secret(self):
        self.assertFailure(self.ask("clients.rotate_secret"), "invalid_request", "contact_support")

    def test_neutralized_copy_of_the_proxy_cannot_act_for_clients(self):
        client = self.register_active()
        self.env.flush_all()
        self.env.cr.execute(NEUTRALIZE.read_text())
        self.env.invalidate_all()
        self.assertEqual(client._secrets(), {})
        self.assertFalse(client.phone or client.secret_phone or client.phone_hint)


@tagged("post_install", "-at_install")
class TestCopies(ClientsCase):
    """The first database that is seen with some credentials is the original."""

    def test_copy_is_refused_and_the_original_continues(self):
        client = self.register_active()
        self.assertEqual(self.attempt(lambda: client._check_copy(ANOTHER_DIGEST, ADDRESS), client), "database_copied")
        self.assertIsNone(self.attempt(lambda: client._check_copy(DIGEST, ADDRESS)))
        self.assertEqual(client.state, "active")
        self.assertEqual(self.records_of(client).code, "database_copied")

    def test_first_digest_counts_if_the_registration_contained_none(self):
        client = self.register_active(database=None)
        self.assertIsNone(self.attempt(lambda: client._check_copy(DIGEST, ADDRESS)))
        self.assertEqual(self.attempt(lambda: client._check_copy(ANOTHER_DIGEST, ADDRESS)), "database_copied")

    def test_copy_is_reported_to_support_once_a_day(self):
        client = self.register_active()
        for _time in range(3):
            self.attempt(lambda: client._check_copy(ANOTHER_DIGEST, ADDRESS))
        self.assertEqual(len([text for text in self.chatter(client) if "A copy of this database" in text]), 1)
        client.copy_noted_at -= timedelta(days=1, minutes=1)
        self.attempt(lambda: client._check_copy(ANOTHER_DIGEST, ADDRESS))
        self.assertEqual(len([text for text in self.chatter(client) if "A copy of this database" in text]), 2)

    def test_requests_beyond_the_rate_limit_push_no_database_out_of_the_list(self):
        client = self.register_active()
        moved = self.refuse(client)
        for number in range(20):
            digest = f"{number:064x}"
            refused = self.attempt(lambda digest=digest: client._check_copy(digest, ADDRESS, is_noted=False))
            self.assertEqual(refused, "database_copied")
        self.assertEqual(client.refused_database_ids, moved)

    def refuse(self, client, digest=ANOTHER_DIGEST, address=ADDRESS):
        """:return: the record of a database after a refusal"""
        self.assertEqual(self.attempt(lambda: client._check_copy(digest, address)), "database_copied")
        return client.refused_database_ids.filtered(lambda database: database.digest == digest)

    def support(self):
        return new_test_user(self.env, "sue", name="Sue of Support", groups="bank_sync_proxy.group_support")

    def test_support_accepts_a_move_and_the_chatter_says_who_did(self):
        client = self.register_active()
        self.refuse(client).with_user(self.support()).action_accept()
        self.assertIsNone(self.attempt(lambda: client._check_copy(ANOTHER_DIGEST, ADDRESS)))
        self.refuse(client, DIGEST)
        self.assertTrue(any("Sue of Support accepted" in text for text in self.chatter(client)))
        self.assertTrue(any("eeee-eeee-eeee" in text for text in self.chatter(client)))

    def test_only_the_accepted_database_becomes_the_original_even_if_a_copy_is_first(self):
        client, copy = self.register_active(), "c" * 64
        self.refuse(client, copy)
        self.refuse(client).with_user(self.support()).action_accept()
        self.refuse(client, copy)
        self.assertIsNone(self.attempt(lambda: client._check_copy(ANOTHER_DIGEST, ADDRESS)))

    def test_support_sees_each_refused_database_with_its_code_time_and_address(self):
        client = self.register_active()
        now = fields.Datetime.now()
        self.refuse(client, "c" * 64, "203.0.113.8")
        self.assertRecordValues(
            (self.refuse(client) | self.refuse(client, "c" * 64)).with_user(self.support()).sorted("code"),
            [{"code": "cccc-cccc-cccc", "address": "203.0.113.8"}, {"code": "eeee-eeee-eeee", "address": ADDRESS}],
        )
        for database in client.refused_database_ids:
            self.assertLess(database.last_at - now, timedelta(minutes=1))

    def test_repeated_refusals_of_a_database_update_one_row(self):
        client = self.register_active()
        database = self.refuse(client)
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_refused_database SET first_at = '2026-01-01', last_at = '2026-01-01'")
        self.env.invalidate_all()
        self.assertEqual(self.refuse(client, address="203.0.113.9"), database)
        self.assertEqual((database.first_at.year, database.first_at.month), (2026, 1))
        self.assertGreater(database.last_at, database.first_at)
        self.assertEqual(database.address, "203.0.113.9")

    def test_users_of_the_refused_database_read_the_code_that_support_sees(self):
        client = self.register_active()
        database = self.refuse(client)
        with self.assertRaises(ProviderError) as caught:
            client._check_copy(ANOTHER_DIGEST, ADDRESS)
        sentence = self.env["bank.sync.error"]._sentence(caught.exception)
        self.assertIn(database.code, sentence)
        self.assertNotIn(ANOTHER_DIGEST, sentence)

    def test_acceptance_can_be_used_once(self):
        """It can't be repeated, nor used for other databases that were refused before."""
        client, support = self.register_active(), self.support()
        copy, moved = self.refuse(client, "c" * 64), self.refuse(client)
        moved.with_user(support).action_accept()
        self.refuse(client, DIGEST)
        for earlier in (copy, moved):
            with self.assertRaises(MissingError):
                earlier.with_user(support).action_accept()
        self.assertEqual(client.database_digest, ANOTHER_DIGEST)

    def test_only_support_accepts_a_database(self):
        client = self.register_active()
        database = self.refuse(client)
        with self.assertRaises(AccessError):
            database.with_user(new_test_user(self.env, "eve", groups="base.group_user")).action_accept()
        self.assertEqual(client.database_digest, DIGEST)

    def test_number_of_refused_databases_of_a_client_is_limited(self):
        client = self.register_active()
        for number in range(MOST + 3):
            self.refuse(client, f"{number:064x}")
        self.assertEqual(len(client.refused_database_ids), MOST)
        self.assertIn(f"{MOST + 2:064x}", client.refused_database_ids.mapped("digest"))

    def test_database_that_sends_no_more_requests_is_deleted(self):
        client = self.register_active()
        gone, asking = self.refuse(client), self.refuse(client, "c" * 64)
        gone.last_at -= timedelta(days=KEEP_DAYS, minutes=1)
        gone._gc_refused_databases()
        self.assertEqual(client.refused_database_ids, asking)


@tagged("post_install", "-at_install")
class TestReturnUrls(ClientsCase):
    """Where the browser goes after the bank's pages."""

    def start_for(self, client, url):
        return self.ask("connections.start", client, institution_id="sandbox.demo", return_url=url)

    def test_pages_lead_back_to_the_registered_address_only(self):
        client = self.register_active(url="https://books.example.com/odoo")
        answer = self.start_for(client, "https://books.example.com/odoo/back?book=1")
        self.assertEqual(self.visit_of(answer).return_url, "https://books.example.com/odoo/back?book=1")
        for url in (
            "/odoo/back",
            "https://evil.example/odoo",
            "https://books.example.com.evil.example/odoo",
            "https://books.example.com@evil.example/odoo",
            "https://books.example.com:8443/odoo/back",
            "https://books.example.com/odoo/../web",
            "https://books.example.com/web",
            "http://books.example.com/odoo/back",
        ):
            self.assertFailure(self.start_for(client, url), "invalid_request", "contact_support")

    def test_a_database_within_the_proxy_s_goes_back_by_a_path(self):
        for url in ("https://books.example.com/odoo", "//evil.example", "/\\evil.example"):
            self.assertFailure(self.start_for(self.client_record, url), "invalid_request", "contact_support")
        self.assertEqual(self.visit_of(self.start_for(self.client_record, "/odoo/back")).return_url, "/odoo/back")
