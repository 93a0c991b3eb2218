from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import config

from ..models.bank_sync_error import KEEP_DAYS
from .common import ProxyCase

NEUTRALIZE = Path(__file__).parents[1] / "data" / "neutralize.sql"


@tagged("post_install", "-at_install")
class TestSecrets(ProxyCase):
    """What a database, a copy of it, or a person with SQL may learn."""

    def stored(self, table):
        self.env.flush_all()
        self.env.cr.execute(f"SELECT json_agg(t)::text FROM {table} t")  # pylint: disable=sql-injection
        return self.env.cr.fetchone()[0]

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
