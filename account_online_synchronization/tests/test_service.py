import contextlib
import json
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import config

from ..client.errors import ProxyError, ServiceUnavailable
from .service_common import ServiceCommon
from .test_connect import NEUTRALIZE


@tagged("post_install", "-at_install")
class TestService(ServiceCommon):
    """A connection service on another server: who asks it, as whom, and what happens when it does not know us."""

    def test_the_first_bank_registers_the_database_and_asks_for_a_phone(self):
        wizard = self.wizard(self.Directory.action_open_bank("I1"))
        self.assertEqual((wizard.mode, wizard.step, wizard.kind), ("verify", "phone", "connect"))
        _operation, about = self.proxy.requests[0]
        self.assertEqual(about["url"], "https://books.example.com")
        self.assertEqual(about["database"], self.service._database_digest())
        self.assertEqual(about["database_uuid"], self.env["ir.config_parameter"].get_param("database.uuid"))
        self.assertEqual(self.service.client_identifier, self.proxy.clients[-1])
        self.assertEqual(self.service.state, "phone_required")

    def test_the_secret_is_stored_encrypted_only(self):
        self.register()
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(s)::text FROM account_online_service s")
        self.assertNotIn(self.secrets()[0], self.env.cr.fetchone()[0])
        self.assertEqual(self.service._read_secrets(), self.secrets())

    def test_secret_of_another_place_is_unreadable(self):
        self.register()
        for place in (("account.online.service", "0", "secret_data"), ("account.online.link", "1", "secret_data")):
            self.service.secret_data = self.service._vault().encrypt({"current": "x"}, *place)
            with self.assertRaises(ProxyError) as caught:
                self.service._read_secrets()
            self.assertEqual(caught.exception.code, "registration_unreadable")

    def test_update_binds_the_secret_of_the_first_version_and_loses_none(self):
        self.register()
        first = self.service._vault()._fernet()
        self.service.secret_data = first.encrypt(json.dumps({"current": self.secrets()[0]}).encode()).decode()
        with self.assertRaises(ProxyError):
            self.service._read_secrets()
        self.env["account.online.service"].sudo()._bind_secret()
        self.assertEqual(self.service._read_secrets(), self.secrets())
        bound = self.service.secret_data
        self.env["account.online.service"].sudo()._bind_secret()
        self.assertEqual(self.service.secret_data, bound)

    def test_update_without_the_key_keeps_the_secret_and_says_what_to_do(self):
        self.register()
        self.service.secret_data = kept = self.service._vault()._fernet().encrypt(b'{"current": "x"}').decode()
        with (
            patch.dict(config.options, {"bank_sync_key": "another key, which is long enough to be one"}),
            self.assertLogs("odoo.addons.account_online_synchronization.models.account_online_service") as logs,
        ):
            self.env["account.online.service"].sudo()._bind_secret()
        self.assertIn("update account_online_synchronization again", logs.output[0])
        self.assertEqual(self.service.secret_data, kept)

    def test_the_address_of_the_way_back_is_the_one_that_the_service_knows(self):
        self.register()
        action = self.Directory.action_open_bank("I1")
        self.assertEqual(self.address_of_bank(action), f"{self.server.address}/bank")
        return_url = self.proxy.requests[-1][1]["return_url"]
        self.assertTrue(return_url.startswith("https://books.example.com/account_online_synchronization/return/"))

    def test_a_new_address_of_this_database_is_sent_before_pages_return_to_it(self):
        self.register()
        self.env["ir.config_parameter"].set_param("web.base.url", "https://new.example.com/")
        self.Directory.action_open_bank("I1")
        self.assertEqual(self.proxy.requests[-2][0], "clients.update")
        self.assertEqual(self.proxy.requests[-2][1]["url"], "https://new.example.com")
        self.assertTrue(self.proxy.requests[-1][1]["return_url"].startswith("https://new.example.com/account_online"))

    def test_a_synchronization_goes_over_http(self):
        self.register()
        link = self.connect_journal()
        self.proxy.book("T1", "1.00")
        self.synchronize(link)
        self.assertEqual((link.state, len(self.lines())), ("connected", 1))

    def test_links_ask_it_in_threads(self):
        self.register()
        transport = self.Link.sudo()._get_transport_for_threads()
        self.assertEqual(transport.threads, 32)

    def test_without_a_service_the_message_says_what_to_do(self):
        self.service._choose(False)
        with (
            patch.object(type(self.env), "__contains__", lambda *_arguments: False),
            self.assertRaisesRegex(ServiceUnavailable, "enter the address .* install the app"),
        ):
            self.service._get_client()

    def test_a_service_out_of_reach_is_a_sentence_on_the_link_and_no_crash(self):
        self.register()
        link = self.connect_journal()
        self.server.__exit__()
        self.server.__exit__ = lambda *_failure: None
        run = self.synchronize(link)
        self.assertEqual((run.state, link.state, link.error_action), ("failed", "error", "retry"))
        self.assertIn("Nothing is listening", link.error_message)

    # -------------------------------------------------------------------------
    # UNKNOWN CALLERS
    # -------------------------------------------------------------------------

    def lose_the_key(self):
        """As in a copy, a renamed database, or after its key file was lost."""
        self.service.secret_data = self.service.secret_data[:-4] + "AAA="

    def test_a_copy_says_so_and_sends_no_request(self):
        self.register()
        link = self.connect_journal()
        self.lose_the_key()
        before = len(self.server.requests)
        self.synchronize(link)
        self.assertEqual((link.state, link.error_code), ("disconnected", "registration_unreadable"))
        self.assertIn("can't act for the original", link.error_message)
        self.assertEqual(len(self.server.requests), before)

    def test_reconnect_registers_a_copy_again_and_continues(self):
        self.register()
        link = self.connect_journal()
        self.lose_the_key()
        self.synchronize(link)
        wizard = self.wizard(link.action_reconnect())
        self.assertEqual(len(self.proxy.clients), 2)
        self.assertEqual((wizard.kind, wizard.link_id), ("consent", link))

    def test_a_copy_that_the_service_recognises_is_registered_again_by_reconnect(self):
        self.register()
        link = self.connect_journal()
        self.server.databases[self.proxy.clients[-1]] = "another one"
        self.synchronize(link)
        self.assertEqual((link.state, link.error_code), ("disconnected", "database_copied"))
        self.wizard(link.action_reconnect())
        self.assertEqual(len(self.proxy.clients), 2)

    def refused_link(self):
        """:return: a link that nothing synchronizes, because the service does not recognise this database"""
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(link.state, "disconnected")
        return link

    def assertGoesOn(self, link):
        """The scheduled actions fetch what was booked meanwhile; no user and no bank's page is needed."""
        self.proxy.book("T1", "1.00")
        self.look_after()
        self.assertEqual((link.state, link.error_code), ("connected", False))
        self.assertIn(link, self.Link._search_due())
        self.synchronize(link)
        self.assertEqual((link.state, len(self.lines())), ("connected", 1))

    def test_restored_database_goes_on_once_the_service_has_accepted_it(self):
        self.register()
        self.server.databases[self.proxy.clients[-1]] = "the one before the restore"
        link = self.refused_link()
        self.look_after()
        self.assertEqual((link.state, link.error_code), ("disconnected", "database_copied"))
        del self.server.databases[self.proxy.clients[-1]]
        self.assertGoesOn(link)

    def test_database_goes_on_once_its_own_key_is_back(self):
        self.register()
        kept = self.service.secret_data
        self.lose_the_key()
        link = self.refused_link()
        self.service.secret_data = kept
        self.assertGoesOn(link)

    def test_database_goes_on_once_the_service_has_its_key_back(self):
        self.register()
        kept = dict(self.server.secrets)
        self.server.secrets.clear()
        link = self.refused_link()
        self.server.secrets.update(kept)
        self.assertGoesOn(link)

    def test_refused_link_of_a_former_registration_does_not_go_on_with_the_new_one(self):
        self.register()
        self.server.databases[self.proxy.clients[-1]] = "another one"
        link = self.refused_link()
        self.register()
        self.look_after()
        self.assertEqual((link.state, link.error_code), ("disconnected", "registered_anew"))

    def test_reconnect_registers_again_at_a_service_that_has_forgotten_this_database(self):
        self.register()
        link = self.connect_journal()
        self.server.secrets.clear()
        self.synchronize(link)
        self.assertEqual((link.state, link.error_code), ("disconnected", "signature_rejected"))
        self.wizard(link.action_reconnect())
        self.assertEqual(self.service.client_identifier, self.proxy.clients[1])

    def test_links_of_a_former_registration_say_that_they_have_to_be_connected_again(self):
        self.register()
        link = self.connect_journal()
        self.service._become_client()
        self.assertEqual((link.state, link.error_code), ("disconnected", "registered_anew"))
        self.assertIn("Use Reconnect", link.error_message)

    def test_a_registration_that_fails_changes_nothing(self):
        self.register()
        before = self.service.read(["client_identifier", "secret_data", "state"])
        self.proxy.fail("clients.register", "url_refused", "contact_support")
        with self.assertRaises(ProxyError):
            self.service._become_client()
        self.assertEqual(self.service.read(["client_identifier", "secret_data", "state"]), before)

    def test_going_back_to_a_service_finds_the_registration_there(self):
        self.register()
        self.service._choose("https://other.example.com")
        self.assertFalse(self.service._is_known())
        self.service._choose(self.server.address)
        self.assertTrue(self.service._is_known())

    def test_each_database_has_another_digest_and_keeps_it(self):
        digest = self.service._database_digest()
        self.assertEqual(digest, self.service._database_digest())
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        self.assertNotEqual(digest, self.service._database_digest())

    # -------------------------------------------------------------------------
    # NEUTRALIZED COPIES
    # -------------------------------------------------------------------------

    def test_a_neutralized_copy_has_nothing_to_ask_with(self):
        self.register()
        self.env.flush_all()
        self.env.cr.execute(NEUTRALIZE.read_text())
        self.env.invalidate_all()
        self.assertRecordValues(self.service, [{"url": False, "client_identifier": False, "secret_data": False}])

    def test_neutralized_copy_has_no_answer_of_a_bank_word_for_word(self):
        self.register()
        link = self.connect_journal()
        self.synchronize(link)
        stored = [("res_model", "=", "account.online.run"), ("res_field", "=", "raw_answers")]
        self.assertTrue(self.env["ir.attachment"].search_count(stored))
        self.env.flush_all()
        self.env.cr.execute(NEUTRALIZE.read_text())
        self.env.invalidate_all()
        self.assertFalse(self.env["ir.attachment"].search_count(stored))

    def test_a_neutralized_copy_sends_no_request_with_any_settings(self):
        self.register()
        link = self.connect_journal()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        before = len(self.server.requests)
        self.synchronize(link)
        self.assertIn("neutralized copy", link.error_message)
        self.assertIn("neutralized copy", self.message(link.action_reconnect()))
        settings = self.env["res.config.settings"].create({})
        for action in (settings.action_test_online_sync, settings._register_online_sync):
            self.assertIn("neutralized copy", self.message(action()))
        self.look_after()
        self.assertEqual(len(self.server.requests), before)

    # -------------------------------------------------------------------------
    # SECRET
    # -------------------------------------------------------------------------

    def test_a_new_secret_replaces_the_old_one_on_both_sides(self):
        self.register()
        old = self.secrets()[0]
        self.service._rotate_secret()
        self.assertEqual(len(self.secrets()), 1)
        self.assertNotEqual(self.secrets()[0], old)
        self.assertEqual(self.service._read_secrets(), self.secrets())

    def test_a_server_that_dies_while_the_secret_is_changed_loses_nothing(self):
        self.register()
        old = self.secrets()[0]
        dead = patch.object(type(self.service), "_refresh_status", side_effect=ServiceUnavailable("Dead."))
        # Why not assertRaises: Odoo's takes back what was stored, and here it was committed.
        with dead, contextlib.suppress(ServiceUnavailable):
            self.service._rotate_secret()
        self.assertEqual(self.service._read_secrets(), [self.secrets()[1], old])
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(link.state, "connected")
        self.look_after()
        self.assertEqual(self.service._read_secrets(), self.secrets())

    def test_a_new_secret_that_the_service_has_lost_is_given_up(self):
        self.register()
        old = self.secrets()[0]
        self.service._write_secrets(current=old, next="never heard of it")
        self.look_after()
        self.assertEqual(self.service._read_secrets(), [old])

    def test_the_scheduled_action_changes_the_secret_and_never_fails(self):
        cron = self.env.ref("account_online_synchronization.ir_cron_rotate_secret")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertFalse(self.proxy.requests, "nobody is asked before this database is registered")
        self.register()
        old = self.secrets()[0]
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertNotEqual(self.secrets()[0], old)
        self.proxy.fail("clients.rotate_secret")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()

    # -------------------------------------------------------------------------
    # SETTINGS
    # -------------------------------------------------------------------------

    def settings(self, **values):
        settings = self.env["res.config.settings"].create(values)
        settings.set_values()
        return self.env["res.config.settings"].create({})

    def test_the_service_is_chosen_in_the_settings(self):
        settings = self.settings(online_sync_service="elsewhere", online_sync_url=" banks.example.com/ ")
        self.assertEqual(self.service.url, "https://banks.example.com")
        self.assertEqual(settings.online_sync_url, "https://banks.example.com")
        self.assertEqual(settings.online_sync_institutions_url, "https://banks.example.com/bank_sync/institutions")
        settings = self.settings(online_sync_service="here")
        self.assertFalse(self.service.url)
        self.assertEqual(bool(settings.online_sync_institutions_url), "bank.sync.gate" in self.env)

    def test_other_settings_leave_the_service_alone(self):
        self.settings(online_sync_overlap_days=20)
        self.assertEqual(self.service.url, self.server.address)

    def test_an_address_that_is_none_is_refused_with_the_reason(self):
        with self.assertRaisesRegex(UserError, "must begin with https"):
            self.settings(online_sync_service="elsewhere", online_sync_url="http://banks.example.com")
        with self.assertRaisesRegex(UserError, "Enter the address"):
            self.settings(online_sync_service="elsewhere", online_sync_url=False)

    def test_the_connection_is_tested_before_and_after_the_registration(self):
        settings = self.env["res.config.settings"].create({})
        self.assertIn("registers automatically", self.message(settings.action_test_online_sync()))
        self.assertFalse(self.proxy.clients)
        self.register()
        self.assertIn("Everything is fine", self.message(settings.action_test_online_sync()))
        self.proxy.state, self.proxy.blocked_by, self.proxy.reason = "blocked", "support", "Unpaid."
        self.assertIn("blocked", self.message(settings.action_test_online_sync()))
        self.assertIn("Unpaid.", self.message(settings.action_test_online_sync()))

    def test_each_thing_that_is_in_the_way_has_its_own_sentence(self):
        settings = self.env["res.config.settings"].create({})
        self.register()
        for code in ("clock_skew", "unsupported_version"):
            self.proxy.fail("clients.status", code, "contact_support")
            self.assertIn(f"Sentence of {code}", self.message(settings.action_test_online_sync()))
        self.proxy.failures.clear()
        self.server.secrets.clear()
        self.assertIn("signature_rejected", self.message(settings.action_test_online_sync()))
        self.service._choose("http://localhost:1")
        self.assertIn("Nothing is listening", self.message(settings.action_test_online_sync()))

    def test_settings_register_the_database_again(self):
        self.register()
        settings = self.env["res.config.settings"].create({})
        self.assertIn("registered as a new client", self.message(settings._register_online_sync()))
        self.assertEqual(len(self.proxy.clients), 2)

    def test_the_client_id_is_shown_and_the_secret_is_not(self):
        self.register()
        link = self.connect_journal()
        self.assertEqual(link.client_identifier, self.proxy.clients[-1])
        accountant = new_test_user(
            self.env, "accountant", "account.group_account_basic", company_id=self.company.id, company_ids=self.company
        )
        with self.assertRaises(AccessError):
            link.with_user(accountant).read(["client_identifier"])
        manager = new_test_user(
            self.env, "manager", "account.group_account_manager", company_id=self.company.id, company_ids=self.company
        )
        self.assertEqual(link.with_user(manager).client_identifier, self.proxy.clients[-1])
        with self.assertRaises(AccessError):
            self.service.with_user(manager).with_env(self.env(user=manager, su=False)).read(["client_identifier"])
        with self.assertRaises(UserError):
            self.env["res.config.settings"].with_user(manager).sudo().new({}).with_user(
                manager
            )._rotate_online_sync_secret()
