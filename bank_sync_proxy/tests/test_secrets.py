import json
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import config

from ..models.bank_sync_error import KEEP_DAYS
from ..providers.errors import ConsentError
from .common import ProxyCase

NEUTRALIZE = Path(__file__).parents[1] / "data" / "neutralize.sql"


class SecretsMixin:
    """What of the secrets holds for those of each addon."""

    def stored(self, table):
        self.env.flush_all()
        self.env.cr.execute(f"SELECT json_agg(t)::text FROM {table} t")  # pylint: disable=sql-injection
        return self.env.cr.fetchone()[0]

    def filled(self):
        """:return: dict: two records of each model that has secrets, all of them filled"""
        records = self.records_with_secrets()
        vault = self.env["bank.sync.vault"]
        for model, name in vault._secret_fields():
            for record in records.get(model, ()):
                record[name] = vault._encrypt(record, name, {"of": f"{record.id} {name}"})
        return records

    def records_with_secrets(self):
        raise NotImplementedError

    def test_all_fields_that_hold_secrets_are_known(self):
        found = {
            (model, name)
            for model in self.env.registry
            if model.startswith("bank.sync.") and not self.env[model]._abstract
            for name, field in self.env[model]._fields.items()
            if field.store and field.type in ("text", "char") and name.startswith(("secret_", "encrypted_"))
        }
        self.assertEqual(found, set(self.env["bank.sync.vault"]._secret_fields()))

    def test_secret_is_unreadable_in_every_other_row_and_field(self):
        """Who can write into the database exchanges two ciphertexts, and one client speaks for the other."""
        records, vault = self.filled(), self.env["bank.sync.vault"]
        places = [(record, name) for model, name in vault._secret_fields() for record in records.get(model, ())]
        for record, name in places:
            own = record[name]
            self.assertEqual(vault._decrypt(record, name), {"of": f"{record.id} {name}"})
            for other, other_name in places:
                if (other, other_name) != (record, name):
                    record[name] = other[other_name]
                    with self.assertRaises(ConsentError) as caught:
                        vault._decrypt(record, name)
                    self.assertEqual(caught.exception.code, "secrets_unreadable")
            record[name] = own

    def test_update_binds_the_secrets_of_the_first_version_and_loses_none(self):
        records, vault = self.filled(), self.env["bank.sync.vault"]
        first = vault._vault()._fernet()
        places = [(record, name) for model, name in vault._secret_fields() for record in records.get(model, ())]
        for record, name in places:
            record[name] = first.encrypt(json.dumps(vault._decrypt(record, name)).encode()).decode()
        for record, name in places:
            with self.assertRaises(ConsentError):
                vault._decrypt(record, name)
        vault._bind_secrets()
        for record, name in places:
            self.assertEqual(vault._decrypt(record, name), {"of": f"{record.id} {name}"})


@tagged("post_install", "-at_install")
class TestSecrets(SecretsMixin, ProxyCase):
    """What a database, a copy of it, or a person with SQL may learn."""

    allow_inherited_tests_method = True

    def records_with_secrets(self):
        provider = {"provider_id": self.provider.id, "label": "Key", "type": "secret"}
        self.connect()
        self.connect()
        return {
            "bank.sync.connection": self.env["bank.sync.connection"].search([], limit=2),
            "bank.sync.visit": self.env["bank.sync.visit"].search([], limit=2),
            "bank.sync.provider.setting": self.env["bank.sync.provider.setting"].create(
                [{**provider, "name": name} for name in ("one", "two")]
            ),
        }

    def test_a_connection_s_state_is_encrypted(self):
        self.connect(user="recognizable")
        self.assertNotIn("recognizable", self.stored("bank_sync_connection"))
        self.assertIn("gAAAA", self.stored("bank_sync_connection"))

    def test_a_visit_is_encrypted_and_its_address_is_a_digest(self):
        answer = self.start()
        visit = self.visit_of(answer)
        visit._answer({"user": ["recognizable"], "password": ["demo"]})
        stored = self.stored("bank_sync_visit")
        self.assertNotIn("recognizable", stored)
        self.assertNotIn(answer["page_url"].rsplit("/", 1)[1], stored)

    def test_a_password_is_never_stored_nor_recorded(self):
        visit = self.visit_of(self.start())
        for _attempt in range(5):
            visit._answer({"user": ["demo"], "password": ["recognizable"]})
        for table in ("bank_sync_visit", "bank_sync_connection", "bank_sync_error"):
            self.assertNotIn("recognizable", self.stored(table) or "")

    def test_a_renamed_copy_cannot_read_the_secrets(self):
        connection = self.connect()
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        answer = self.ask("accounts.list", connection_id=connection)
        self.assertFailure(answer, "secrets_unreadable", "reconnect")

    def test_a_lost_key_is_a_clear_answer(self):
        connection = self.connect()
        with patch.dict(config.options, {"bank_sync_key": "another key, which is long enough to be one"}):
            answer = self.ask("accounts.list", connection_id=connection)
        self.assertFailure(answer, "secrets_unreadable", "reconnect")

    def test_a_key_of_the_configuration_is_used(self):
        with patch.dict(config.options, {"bank_sync_key": "a key of the configuration, long enough to be one"}):
            connection = self.connect()
            self.assertTrue(self.ask("accounts.list", connection_id=connection)["accounts"])
        self.assertFailure(self.ask("accounts.list", connection_id=connection), "secrets_unreadable", "reconnect")

    def test_a_short_key_is_refused(self):
        with patch.dict(config.options, {"bank_sync_key": "short"}):
            answer = self.ask("connections.start", institution_id="sandbox.demo", return_url="/x")
        self.assertFailure(answer, "provider_not_configured", "contact_support")

    def test_a_setting_that_is_secret_is_encrypted_and_not_shown_again(self):
        setting = self.env["bank.sync.provider.setting"].create(
            {"provider_id": self.provider.id, "name": "key", "label": "Key", "type": "secret"}
        )
        setting.value = "recognizable"
        self.env.invalidate_all()
        self.assertRecordValues(setting, [{"value": False, "is_set": True}])
        self.assertNotIn("recognizable", self.stored("bank_sync_provider_setting"))
        self.assertEqual(self.provider.setting_ids._as_values()["key"], "recognizable")
        setting.value = False
        self.assertEqual(self.provider.setting_ids._as_values()["key"], "recognizable")

    def test_exchanged_consents_open_no_account_of_the_other_one(self):
        one, two = (
            self.env["bank.sync.connection"].search([("identifier", "=", self.connect(user=user))])
            for user in ("demo", "demo2")
        )
        one.secret_state, two.secret_state = two.secret_state, one.secret_state
        for connection in (one, two):
            answer = self.ask("accounts.list", connection_id=connection.identifier)
            self.assertFailure(answer, "secrets_unreadable", "reconnect")

    def test_secret_has_no_place_in_a_record_that_is_not_stored(self):
        new = self.env["bank.sync.client"].new({"name": "x"})
        with self.assertRaisesRegex(ValueError, "not stored"):
            self.env["bank.sync.vault"]._encrypt(new, "secret_data", {"a": 1})

    def test_update_without_the_key_keeps_the_secrets_and_says_what_to_do(self):
        records, vault = self.filled(), self.env["bank.sync.vault"]
        connection = records["bank.sync.connection"][0]
        connection.secret_state = kept = vault._vault()._fernet().encrypt(b'{"current": "x"}').decode()
        with (
            patch.dict(config.options, {"bank_sync_key": "another key, which is long enough to be one"}),
            self.assertLogs("odoo.addons.bank_sync_proxy.models.bank_sync_vault", "WARNING") as logs,
        ):
            vault._bind_secrets()
        self.assertIn("update bank_sync_proxy again", logs.output[0])
        self.assertEqual(connection.secret_state, kept)
        vault._bind_secrets()
        self.assertEqual(connection._read_state(), {"current": "x"})

    def test_a_neutralized_copy_holds_no_consent(self):
        connection = self.connect()
        page = self.start()
        self.env.flush_all()
        self.env.cr.execute(NEUTRALIZE.read_text())
        self.env.invalidate_all()
        answer = self.ask("accounts.list", connection_id=connection)
        self.assertFailure(answer, "connection_disconnected", "reconnect")
        self.assertEqual(self.visit_of(page).state, "cancelled")
        self.assertFalse(self.env["bank.sync.connection"].search([("secret_state", "!=", False)]))
        self.connect()

    def test_error_records_go_after_ninety_days(self):
        answer = self.ask("connections.get", connection_id="none")
        record = self.env["bank.sync.error"].search([("reference", "=", answer["error"]["reference"])])
        self.assertRegex(record.reference, r"^E-[2-9A-Z]{4}-[2-9A-Z]{4}$")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_sync_error SET create_date = now() AT TIME ZONE 'UTC' - make_interval(days => %s)",
            [KEEP_DAYS + 1],
        )
        self.env.invalidate_all()
        self.env["bank.sync.error"]._gc_errors()
        self.assertFalse(record.exists())
