import logging
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.modules import module
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.bank_sync_phone_code import KEEP_DAYS, MAX_ATTEMPTS, MINUTES
from .clients import ANOTHER_PHONE, NEUTRALIZE, PHONE, PhoneCase


@tagged("post_install", "-at_install")
class TestPhone(PhoneCase):
    """A user's phone confirms a new database, and unblocks a blocked one."""

    def test_a_number_is_confirmed_by_the_code_that_was_sent_to_it(self):
        client = self.register()
        with self.gateway():
            answer = self.verify(client, "0470 12 34 56", country="be")
        self.assertEqual(answer, {"state": "phone_required", "sent": True, "phone_hint": "•••• 56", "retry_after": 60})
        self.assertEqual([sms["number"] for sms in self._sms], [PHONE])
        self.assertEqual(self.ask("clients.verify_phone", client, code=self.last_code()), {"state": "active"})
        self.assertEqual((client.state, client.phone, client.awaits_phone_since), ("active", PHONE, False))
        self.assertEqual(self.ask("clients.status", client)["phone_hint"], "•••• 56")
        events = self.env["bank.sync.event"].search([("client_id", "=", client.id)])
        self.assertEqual(events.mapped("kind"), ["client.active"])
        self.assertTrue(self.ask("institutions.search", client)["institutions"])

    def test_the_message_names_the_database_and_the_purpose_and_warns(self):
        client = self.register(name="Books of Ada")
        with self.gateway():
            self.verify(client)
        text = self._sms[-1]["body"]
        self.assertRegex(text, r"^\d{6} confirms your phone")
        for words in ("Odoo database Books of Ada", "10 minutes", "Don't share it"):
            self.assertIn(words, text)
        self.assertLessEqual(len(text), 160)

    def test_the_name_of_a_database_cannot_make_a_message_of_its_own(self):
        client = self.register(name="https://evil.example/login?x=1 call +32470000000\n" + "x" * 80)
        with self.gateway():
            self.verify(client)
        self.assertNotRegex(self._sms[-1]["body"], r"://|evil\.example|\+32")
        self.assertIn("https evil example login x 1 c.", self._sms[-1]["body"])

    def test_the_message_is_in_the_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        languages, client = [], self.register(language="fr_FR")
        text = type(self.env["bank.sync.phone.code"])._text

        def listen(codes, *arguments):
            languages.append(codes.env.lang)
            return text(codes, *arguments)

        with self.gateway(), patch.object(type(self.env["bank.sync.phone.code"]), "_text", listen):
            self.verify(client)
            self.make_older(self.codes(client), minutes=2)
            self.verify(client, language="en_US")
            self.make_older(self.codes(client), minutes=2)
            self.verify(client, language="xx_XX")
        self.assertEqual(languages, ["fr_FR", "en_US", "fr_FR"])

    def test_numbers_that_take_no_text_message_are_refused(self):
        client = self.register()
        with self.gateway():
            for phone in (
                "abc",
                "0470123456",
                "+3247",
                "+32 2 555 12 12",
                "+32 900 12 345",
                "+1 800 555 0199",
                "+999 1",
            ):
                answer = self.verify(client, phone)
                self.assertFailure(answer, "phone_invalid", "reactivate")
            self.assertFailure(self.verify(client, "0470123456", country="ZZ"), "phone_invalid", "reactivate")
            self.assertFailure(self.ask("clients.verify_phone", client), "invalid_request", "contact_support")
            self.assertFailure(self.verify(client, 32470123456), "invalid_request", "contact_support")
        self.assertFalse(self._sms)

    def test_only_the_last_code_counts_and_only_once(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
            first = self.last_code()
            self.make_older(self.codes(client), minutes=2)
            self.verify(client)
        second = self.last_code()
        self.assertNotEqual(first, second)
        self.assertFailure(self.ask("clients.verify_phone", client, code=first), "code_rejected", "reactivate")
        self.assertEqual(
            self.ask("clients.verify_phone", client, code=f" {second[:3]} {second[3:]}")["state"], "active"
        )
        client.action_ask_phone_again()
        self.assertFailure(self.ask("clients.verify_phone", client, code=second), "code_expired", "reactivate")

    def test_a_repeated_request_of_an_active_client_changes_nothing(self):
        client = self.register_active()
        with self.gateway():
            self.assertEqual(self.verify(client, ANOTHER_PHONE), {"state": "active"})
        self.assertFalse(self._sms)
        self.assertEqual(client.phone, PHONE)

    def test_a_code_lasts_ten_minutes(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
        self.make_older(self.codes(client), minutes=MINUTES)
        answer = self.ask("clients.verify_phone", client, code=self.last_code())
        self.assertFailure(answer, "code_expired", "reactivate")

    def test_no_code_was_sent(self):
        client = self.register()
        self.assertFailure(self.ask("clients.verify_phone", client, code="123456"), "code_expired", "reactivate")

    def test_a_code_is_tried_five_times(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
        for _attempt in range(MAX_ATTEMPTS):
            answer = self.ask("clients.verify_phone", client, code=self.wrong_code())
            self.assertFailure(answer, "code_rejected", "reactivate")
        answer = self.ask("clients.verify_phone", client, code=self.last_code())
        self.assertFailure(answer, "code_expired", "reactivate")
        self.assertEqual(client.state, "phone_required")

    def test_the_fifth_attempt_may_be_the_right_one(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
        for _attempt in range(MAX_ATTEMPTS - 1):
            self.ask("clients.verify_phone", client, code=self.wrong_code())
        self.assertEqual(self.ask("clients.verify_phone", client, code=self.last_code()), {"state": "active"})

    def test_a_code_of_one_client_says_nothing_to_another(self):
        client, other = self.register(), self.register()
        with self.gateway():
            self.verify(client)
            code = self.last_code()
            self.verify(other, ANOTHER_PHONE)
        if code != self.last_code():
            answer = self.ask("clients.verify_phone", other, code=code)
            self.assertFailure(answer, "code_rejected", "reactivate")
        self.assertNotEqual(self.codes(client).code_digest, self.codes(other).code_digest)

    # -------------------------------------------------------------------------
    # LIMITS
    # -------------------------------------------------------------------------

    def assertTooEarly(self, answer, least, most):
        self.assertFailure(answer, "too_many_requests", "retry")
        self.assertTrue(least <= answer["error"]["retry_after"] <= most, answer)

    def test_a_minute_passes_between_two_messages(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
            self.assertTooEarly(self.verify(client), 50, 60)
            self.assertTooEarly(self.verify(client, ANOTHER_PHONE), 50, 60)
            self.make_older(self.codes(client), seconds=61)
            self.assertTrue(self.verify(client)["sent"])
        self.assertEqual(len(self._sms), 2)

    def test_minute_passes_between_two_messages_to_one_number_for_all_clients(self):
        with self.gateway():
            self.verify(self.register())
            self.assertTooEarly(self.verify(self.register()), 50, 60)
        self.assertEqual(len(self._sms), 1)

    def test_a_client_sends_five_messages_an_hour(self):
        client = self.register()
        with self.gateway():
            for number in range(5):
                self.assertTrue(self.verify(client, f"+3247012345{number}")["sent"])
                self.make_older(self.codes(client), minutes=2)
            self.assertTooEarly(self.verify(client, "+32470123459"), 3000 - 60, 3000)
            self.make_older(self.codes(client), minutes=51)
            self.assertTrue(self.verify(client, "+32470123459")["sent"])

    def test_a_number_gets_five_messages_a_day_over_all_clients(self):
        sent = self.env["bank.sync.phone.code"]
        with self.gateway():
            for _number in range(5):
                client = self.register()
                self.assertTrue(self.verify(client)["sent"])
                sent += self.codes(client)
                self.make_older(sent, hours=2)
            self.assertTooEarly(self.verify(self.register()), 14 * 3600 - 60, 14 * 3600)
            self.assertTrue(self.verify(self.register(), ANOTHER_PHONE)["sent"])
            self.make_older(sent, hours=15)
            self.assertTrue(self.verify(self.register())["sent"])

    def test_third_parties_do_not_use_up_the_messages_of_a_number_s_owner(self):
        sent, owner = self.env["bank.sync.phone.code"], self.register_active()
        with self.gateway():
            for _number in range(5):
                client = self.register()
                self.assertTrue(self.verify(client, owner.phone)["sent"])
                sent += self.codes(client)
                self.make_older(sent, hours=2)
            self.assertTooEarly(self.verify(self.register(), owner.phone), 1, 14 * 3600)
            owner._block("Suspicious.")
            self.assertTrue(self.ask("clients.reactivate", client=owner)["sent"])

    def test_codes_are_forgotten_when_no_limit_needs_them(self):
        client = self.register()
        with self.gateway():
            self.verify(client)
        self.env["bank.sync.phone.code"]._gc_codes()
        self.assertTrue(self.codes(client))
        self.make_older(self.codes(client), days=KEEP_DAYS + 1)
        self.env["bank.sync.phone.code"]._gc_codes()
        self.assertFalse(self.codes(client))

    # -------------------------------------------------------------------------
    # SENDING
    # -------------------------------------------------------------------------

    def test_a_message_that_cannot_be_sent_is_a_clear_answer(self):
        for failure in ("credit", "unregistered", "wrong_number_format", "server_error", "jsonrpc_exception"):
            client = self.register()
            with self.gateway(sim_error=failure):
                self.assertFailure(self.verify(client), "sms_unavailable", "retry")
            self.assertFalse(self._new_sms.exists())
            self.assertFalse(self.codes(client).is_sent)
            self.assertIn("sms_", self.records_of(client).detail)
            self.make_older(self.codes(client), minutes=2)

    def test_what_was_not_sent_is_not_counted_but_there_is_a_pause(self):
        for _time in range(5):
            client = self.register()
            with self.gateway(sim_error="credit"):
                self.verify(client)
                self.assertTooEarly(self.verify(client), 50, 60)
            self.make_older(self.codes(client), minutes=2)
        with self.gateway():
            self.assertTrue(self.verify(self.register())["sent"])

    def test_a_database_without_a_gateway_s_account_is_a_clear_answer(self):
        account = type(self.env["iap.account"])
        with self.gateway(), patch.object(account, "get", side_effect=UserError("none")):
            self.assertFailure(self.verify(self.register()), "sms_unavailable", "retry")
        self.assertFalse(self._new_sms.exists())

    def test_a_neutralized_copy_of_the_proxy_accepts_no_code_and_sends_none(self):
        client, blocked = self.register(), self.register_active()
        blocked._block("Strange.")
        with self.gateway():
            self.verify(client, ANOTHER_PHONE)
            code = self.last_code()
            self.env.flush_all()
            self.env.cr.execute(NEUTRALIZE.read_text())
            self.env.invalidate_all()
            self.assertFailure(self.ask("clients.verify_phone", client, code=code), "code_expired", "reactivate")
            self.assertEqual(self.ask("clients.reactivate", blocked), {"state": "phone_required"})
        self.assertEqual(len(self._sms), 1)

    def test_neither_number_nor_code_stays_anywhere(self):
        client = self.register()
        with self.gateway(), self.assertLogs("odoo", level=logging.INFO) as logs:
            self.verify(client)
            self.ask("clients.verify_phone", client, code=self.wrong_code())
            self.ask("clients.verify_phone", client, code=self.last_code())
            self.ask("clients.verify_phone", self.register(), phone="0470123456")
            client._block("Test.")
            self.make_older(self.codes(client), minutes=2)
            self.ask("clients.reactivate", client)
        self.assertFalse(self._new_sms.exists())
        self.env.flush_all()
        for table in (
            "sms_sms",
            "mail_message",
            "mail_tracking_value",
            "bank_sync_client",
            "bank_sync_phone_code",
            "bank_sync_error",
            "bank_sync_suspicion",
            "bank_sync_event",
        ):
            self.env.cr.execute(f"SELECT json_agg(t)::text FROM {table} t")  # pylint: disable=sql-injection
            stored = self.env.cr.fetchone()[0] or ""
            for secret in ("470123456", self.last_code()):
                self.assertNotIn(secret, stored, table)
        printed = "\n".join(logs.output)
        for secret in ("470123456", self.last_code()):
            self.assertNotIn(secret, printed)

    def test_only_support_sees_a_number(self):
        client = self.register_active()
        support = new_test_user(self.env, "support", groups="bank_sync_proxy.group_support")
        self.assertEqual(client.with_user(support).phone, PHONE)
        self.assertEqual(client._fields["phone"].groups, "bank_sync_proxy.group_support")
        self.assertEqual(client._fields["secret_phone"].groups, "base.group_system")
        self.assertFalse(client.copy_data()[0].get("secret_phone"))

    def test_a_real_gateway_over_http_that_does_not_answer(self):
        """Odoo refuses to ask its gateway in tests; here it may, at a closed port."""
        self.env["ir.config_parameter"].set_param("sms.endpoint", "http://127.0.0.1:9")
        client = self.register()
        with (
            mute_logger("odoo.addons.iap.tools.iap_tools", "odoo.tools.translate"),
            patch.object(module, "current_test", None),
        ):
            self.assertFailure(self.verify(client), "sms_unavailable", "retry")
        self.assertIn("sms_server", self.records_of(client).detail)


@tagged("post_install", "-at_install")
class TestReactivation(PhoneCase):
    """The way out of a block."""

    def reactivate(self, client):
        with self.gateway():
            answer = self.ask("clients.reactivate", client)
        self.assertEqual(answer["sent"], True)
        self.assertEqual(self._sms[-1]["number"], PHONE)
        return self.ask("clients.reactivate", client, code=self.last_code())

    def test_a_blocked_client_is_unblocked_by_the_phone_that_is_known(self):
        client = self.register_active()
        client._block("Strange.")
        self.assertEqual(self.reactivate(client), {"state": "active"})
        self.assertRecordValues(client, [{"state": "active", "blocked_by": False, "reason": False}])

    def test_the_message_says_what_it_is_for(self):
        client = self.register_active()
        client._block("Strange.")
        self.reactivate(client)
        self.assertIn("switches bank synchronization of the Odoo database Books on again", self._sms[-1]["body"])

    def test_a_disconnected_client_is_connected_again(self):
        client = self.register_active()
        client._disconnect("Cleaning up.")
        self.assertFailure(self.ask("institutions.search", client), "client_disconnected", "reconnect")
        self.assertEqual(self.reactivate(client), {"state": "active"})

    def test_a_number_given_now_is_not_asked(self):
        client = self.register_active()
        client._block("Strange.")
        with self.gateway():
            self.ask("clients.reactivate", client, phone=ANOTHER_PHONE, country="BE")
        self.assertEqual([sms["number"] for sms in self._sms], [PHONE])

    def test_support_s_block_is_not_lifted_by_a_phone(self):
        client = self.register_active()
        client._block("Call us.", by="support")
        with self.gateway():
            for payload in ({}, {"code": "123456"}):
                answer = self.ask("clients.reactivate", client, **payload)
                self.assertFailure(answer, "client_suspended", "contact_support")
                self.assertIn("Call us.", answer["error"]["message"])
            self.assertFailure(self.verify(client), "client_suspended", "contact_support")
        self.assertFalse(self._sms)

    def test_support_blocks_while_a_code_is_on_its_way(self):
        client = self.register_active()
        client._block("Strange.")
        with self.gateway():
            self.ask("clients.reactivate", client)
        client._block("Call us.", by="support")
        answer = self.ask("clients.reactivate", client, code=self.last_code())
        self.assertFailure(answer, "client_suspended", "contact_support")
        self.assertEqual(client.blocked_by, "support")

    def test_a_code_for_one_purpose_serves_no_other(self):
        client = self.register_active()
        client._block("Strange.")
        with self.gateway():
            self.ask("clients.reactivate", client)
        client.write({"state": "phone_required"})
        answer = self.ask("clients.verify_phone", client, code=self.last_code())
        self.assertFailure(answer, "code_expired", "reactivate")

    def test_a_client_that_never_had_a_phone_begins_where_it_was(self):
        client = self.register()
        client._block("Strange.")
        self.assertFailure(self.verify(client), "client_blocked", "reactivate")
        self.assertEqual(self.ask("clients.reactivate", client), {"state": "phone_required"})
        self.assertEqual(client.state, "phone_required")
        with self.gateway():
            self.assertTrue(self.verify(client)["sent"])

    def test_unblocking_does_not_replace_a_phone(self):
        client = self.register()
        client._block("Strange.", by="support")
        client._unblock()
        self.assertEqual(client.state, "phone_required")

    def test_an_active_client_needs_no_code(self):
        client = self.register_active()
        with self.gateway():
            self.assertEqual(self.ask("clients.reactivate", client), {"state": "active"})
        self.assertFalse(self._sms)

    def test_support_asks_for_a_phone_again(self):
        client = self.register_active()
        client._block("Strange.")
        with self.gateway():
            self.ask("clients.reactivate", client)
        user = new_test_user(self.env, "sue", name="Sue of Support", groups="base.group_system")
        client.with_user(user).action_ask_phone_again()
        self.assertEqual((client.state, client.phone), ("phone_required", False))
        self.assertFailure(self.ask("connections.get", client), "phone_required", "reactivate")
        self.assertEqual(self.ask("clients.reactivate", client, code=self.last_code()), {"state": "phone_required"})
        self.assertTrue(any("Sue of Support asked" in text for text in self.chatter(client)))
        self.make_older(self.codes(client), minutes=2)
        with self.gateway():
            self.verify(client, ANOTHER_PHONE)
        self.assertEqual(self.ask("clients.verify_phone", client, code=self.last_code()), {"state": "active"})
        self.assertEqual(client.phone, ANOTHER_PHONE)

    def test_support_s_block_is_not_lifted_by_asking_for_a_phone(self):
        client = self.register_active()
        client._block("Call us.", by="support")
        for refused in (client, self.client_record):
            with self.assertRaises(UserError):
                refused.action_ask_phone_again()
        self.assertEqual(client.phone, PHONE)

    def test_a_database_within_the_proxy_s_is_never_asked_for_a_phone(self):
        client = self.client_record
        with self.gateway():
            for operation in ("clients.reactivate", "clients.verify_phone"):
                client._disconnect("Cleaning up.")
                self.assertEqual(self.ask(operation), {"state": "active"})
            self.assertEqual(self.ask("clients.verify_phone", phone=PHONE), {"state": "active"})
            client._block("Call us.", by="support")
            for operation in ("clients.reactivate", "clients.verify_phone"):
                self.assertFailure(self.ask(operation), "client_suspended", "contact_support")
        self.assertFalse(self._sms)
