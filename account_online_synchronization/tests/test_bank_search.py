import logging

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import OnlineSyncCommon
from .service_common import ServiceCommon


@tagged("post_install", "-at_install")
class TestBankSearch(OnlineSyncCommon):
    """What the search screen receives, and what it may request."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.be")

    def setUp(self):
        super().setUp()
        # Favourites are remembered.
        self.env.registry.clear_cache()

    def names(self, answer):
        return [bank["name"] for bank in answer["banks"]]

    def test_the_companys_country_is_preselected_where_it_has_banks(self):
        answer = self.Directory.action_begin_bank_search(self.journal.id)
        self.assertEqual((answer["country"], answer["journal"]), ("BE", self.journal.name))
        self.assertEqual(answer["countries"], [["BE", "Belgium"], ["NL", "Netherlands"]])
        self.assertNotIn("Rabobank", self.names(answer))

    def test_a_country_without_banks_is_not_preselected(self):
        self.company.country_id = self.env.ref("base.jp")
        answer = self.Directory.action_begin_bank_search()
        self.assertEqual(answer["country"], "")
        self.assertIn("Rabobank", self.names(answer))
        self.assertEqual(len(answer["countries"]), 2)

    def test_a_service_that_reports_no_countries_leaves_all_to_choose_from(self):
        self.proxy.raw_answers["institutions.search"] = {"institutions": [{"id": "x", "name": "X"}]}
        self.assertGreater(len(self.Directory.action_begin_bank_search()["countries"]), 200)

    def test_more_banks_come_page_by_page(self):
        self.proxy.banks_per_page = 2
        first = self.Directory.action_search_banks("", "BE")
        second = self.Directory.action_search_banks("", "BE", first["cursor"])
        self.assertEqual(self.names(first) + self.names(second), ["KBC Bank", "Belfius", "Argenta Spaarbank", "ING"])
        self.assertFalse(second["cursor"])

    def test_an_empty_directory_is_said_to_be_empty(self):
        self.proxy.banks = ()
        self.assertIn("none", self.Directory.action_begin_bank_search()["hint"])

    def test_what_is_reached_without_being_listed_is_offered_beside_what_was_found(self):
        bridge = {"id": "bridge", "name": "Bridge", "country": "US"}
        self.proxy.raw_answers["institutions.search"] = {"institutions": [], "next_cursor": None, "unlisted": [bridge]}
        answer = self.Directory.action_search_banks("Chase", "US")
        self.assertEqual([bank["id"] for bank in answer["unlisted"]], ["bridge"])

    def test_a_service_that_does_not_answer_is_an_error_on_the_screen_and_no_crash(self):
        self.proxy.fail("institutions.search", "service_unavailable", "retry", reference="E-7")
        error = self.Directory.action_search_banks("x", "")["error"]
        self.assertEqual(
            (error["message"], error["reference"], error["retry"]), ("Sentence of service_unavailable.", "E-7", True)
        )
        self.assertEqual(self.Directory.action_begin_bank_search()["error"], error)

    def test_queries_from_the_keyboard_are_cut_to_what_the_service_takes(self):
        self.Directory.action_search_banks("x" * 500 + "\x00", "BELGIUM")
        self.assertEqual(self.proxy.requests[-1][1]["query"], "x" * 100)
        self.assertEqual(self.proxy.requests[-1][1]["country"], "BE")

    def test_only_accounting_administrators_ask(self):
        accountant = new_test_user(
            self.env,
            login="searcher",
            groups="account.group_account_basic",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        Directory = self.Directory.with_user(accountant)
        for method, arguments in (
            ("action_begin_bank_search", ()),
            ("action_search_banks", ("", "")),
            ("action_open_bank", ("I1",)),
            ("action_bank_not_listed", ()),
            ("action_confirm_phone", ("phone_required",)),
        ):
            with self.subTest(method), self.assertRaisesRegex(AccessError, "Only accounting administrators"):
                getattr(Directory, method)(*arguments)
        self.assertEqual(self.proxy.requests, [])

    def test_the_chosen_bank_and_provider_are_the_ones_that_are_connected(self):
        self.Directory.action_open_bank("ing-two")
        operation, payload = self.proxy.requests[-1]
        self.assertEqual((operation, payload["institution_id"]), ("connections.start", "ing-two"))

    def test_a_journal_of_another_company_is_not_taken_along(self):
        other = self.env["res.company"].create({"name": "Other"})
        journal = self.env["account.journal"].create(
            {"name": "Other Bank", "type": "bank", "code": "OB", "company_id": other.id}
        )
        Directory = self.Directory.with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(Directory.action_begin_bank_search(journal.id)["journal"], "")
        self.assertEqual(Directory.action_begin_bank_search(10**9)["journal"], "")

    def test_a_bank_that_is_not_listed_becomes_a_journal_without_synchronization(self):
        action = self.Directory.action_bank_not_listed()
        wizard = (
            self.env[action["res_model"]]
            .with_context(**action["context"])
            .create({"acc_number": "BE15001559627230", "bank_bic": "GEBABEBB", "linked_journal_id": False})
        )
        answer = wizard.validate()
        journal = wizard.linked_journal_id
        self.assertEqual((journal.type, journal.bank_statements_source), ("bank", "undefined"))
        self.assertEqual(journal.bank_account_id.acc_number, "BE15001559627230")
        self.assertEqual(journal.bank_id.bic, "GEBABEBB")
        self.assertIn(journal.name, answer["params"]["message"])
        self.assertEqual(answer["params"]["next"]["res_model"], "account.journal")

    def test_the_journal_that_the_user_started_from_gets_the_account_number(self):
        context = self.Directory.action_bank_not_listed(self.journal.id)["context"]
        self.assertEqual(context["default_linked_journal_id"], self.journal.id)

    def test_the_favourites_are_a_handful_of_the_companys_country(self):
        banks = self.env["account.journal"].fetch_online_sync_favorite_institutions()
        self.assertEqual({bank["country"] for bank in banks}, {"BE"})
        self.assertEqual(set(banks[0]), {"country", "id", "name", "picture"})
        self.env["account.journal"].fetch_online_sync_favorite_institutions()
        self.assertEqual(self.requested_operations().count("institutions.search"), 1)

    def test_favourites_never_fail(self):
        self.proxy.fail("institutions.search", "service_unavailable")
        with self.assertLogs("odoo.addons.account_online_synchronization", logging.INFO):
            self.assertEqual(self.env["account.journal"].fetch_online_sync_favorite_institutions(), [])


@tagged("post_install", "-at_install")
class TestBankSearchElsewhere(ServiceCommon):
    """The directory of a service on another server."""

    def test_the_first_search_registers_the_database_and_asks_for_a_phone(self):
        error = self.Directory.action_begin_bank_search()["error"]
        self.assertEqual(error["phone"], "phone_required")
        self.assertEqual(self.service.client_identifier, self.proxy.clients[-1])
        wizard = self.wizard(self.Directory.action_confirm_phone(error["phone"]))
        wizard.phone = "0470 12 34 56"
        wizard.action_send()
        wizard.code = self.proxy.CODE
        self.assertEqual(wizard.action_confirm()["type"], "ir.actions.act_window_close")
        self.assertTrue(self.Directory.action_begin_bank_search()["banks"])

    def test_favourites_do_not_register_the_database(self):
        self.company.country_id = self.env.ref("base.be")
        self.assertEqual(self.env["account.journal"].fetch_online_sync_favorite_institutions(), [])
        self.assertEqual(self.proxy.clients, [])


@tagged("post_install", "-at_install")
class TestProvidersOfThisDatabase(OnlineSyncCommon):
    """Where the database is its own connection service: why a bank is not found, and who can change that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "bank.sync.provider" not in cls.env:
            raise cls.skipTest("the addon of the proxy is not installed")
        cls.company.country_id = cls.env.ref("base.be")
        cls.providers = cls.env["bank.sync.provider"].with_context(active_test=False).sudo()
        cls.providers.search([("code", "!=", "sandbox")]).active = False
        cls.providers.search([("code", "=", "sandbox")]).active = True
        rights = {"company_id": cls.company.id, "company_ids": cls.company.ids}
        cls.system = new_test_user(cls.env, "system", groups="base.group_system", **rights)
        administrators = cls.env.ref("base.group_system").all_user_ids.filtered(lambda user: not user.share)
        cls.system = administrators.filtered(lambda user: cls.company in user.company_ids).sorted("id")[0]
        cls.owner = new_test_user(cls.env, "owner", name="Olga Owner", groups="account.group_account_manager", **rights)
        cls.Directory = cls.Directory.with_user(cls.owner)

    def advice(self, query="nowhere", country=""):
        return self.Directory.action_search_banks(query, country)["advice"]

    def requests(self):
        return self.env["mail.activity"].sudo().search([("user_id", "=", self.system.id), ("res_model", "=", False)])

    def test_only_the_demo_bank_is_said_to_those_who_cannot_change_it_with_who_can(self):
        answer = self.Directory.action_begin_bank_search(self.journal.id)
        self.assertEqual(answer["hint"], "demonstration")
        self.assertEqual(answer["administrator"], {"name": self.system.name, "is_asked": False})

    def test_an_administrator_is_led_there_without_another_administrators_name(self):
        self.system.group_ids += self.env.ref("account.group_account_manager")
        answer = self.Directory.with_user(self.system).action_begin_bank_search()
        self.assertEqual((answer["hint"], answer["administrator"]), ("demonstration_here", False))

    def test_the_hint_goes_once_a_real_provider_is_on(self):
        self.providers.search([("code", "=", "simplefin")]).active = True
        self.assertEqual(self.Directory.action_begin_bank_search()["hint"], "")

    def test_a_service_on_another_server_has_no_administrator_here(self):
        self.env["account.online.service"]._get().url = "https://proxy.example.com"
        self.assertEqual(self.Directory._directory_hint({"banks": [{"id": "kbc"}]}), "")
        self.assertFalse(self.Directory._advise("BE"))
        self.assertFalse(self.Directory.action_ask_administrator())
        self.assertFalse(self.requests())

    def test_the_administrator_is_asked_once_while_the_request_is_open(self):
        for _click in range(2):
            answer = self.Directory.action_ask_administrator("NL", self.journal.id)
            self.assertEqual(answer, {"name": self.system.name, "is_asked": True})
        request = self.requests()
        self.assertEqual(len(request), 1)
        self.assertIn("Olga Owner", request.note)
        self.assertIn("Netherlands", request.note)
        self.assertIn("bank_sync_provider_action_choose", request.note)

    def test_a_request_that_was_done_without_effect_can_be_made_again(self):
        self.Directory.action_ask_administrator()
        self.requests().action_done()
        self.assertFalse(self.Directory.action_begin_bank_search()["administrator"]["is_asked"])
        self.Directory.action_ask_administrator()
        self.assertEqual(len(self.requests()), 1)

    def test_the_request_says_nothing_that_the_browser_sent(self):
        self.Directory.action_ask_administrator("<b>")
        self.Directory.action_ask_administrator(["x"], "1")
        self.assertIn("Belgium", self.requests().note)
        self.assertNotIn("&lt;b", self.requests().note)

    def test_a_search_that_finds_nothing_names_the_providers_that_reach_the_country(self):
        advice = self.advice(country="BE")
        self.assertEqual(advice["country"], "Belgium")
        names = [provider["name"] for provider in advice["providers"]]
        self.assertEqual(names[0], "Enable Banking")
        self.assertNotIn("Plaid", names)
        self.assertNotIn("GoCardless", names, "nobody can become its customer")
        self.assertNotIn("Demo Bank", names)
        self.assertEqual(set(advice["providers"][0]), {"id", "name", "audience", "price", "needs"})

    def test_the_countrys_providers_are_no_reason_while_one_of_them_is_on(self):
        self.providers.search([("code", "=", "simplefin")]).active = True
        self.assertFalse(self.advice(country="US"))
        self.assertTrue(self.advice(country="BE"))

    def test_what_is_found_needs_no_advice(self):
        self.assertNotIn("advice", self.Directory.action_search_banks("KBC", "BE"))
