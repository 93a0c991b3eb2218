import base64
import json
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import hooks
from ..providers.types import Completed
from .common import ProxyCase
from .more_providers import MoreProvidersMixin

BANKS = (
    ("1", "Crédit Général", "FR", "CRGEFRPP"),
    ("2", "Générale de Crédit", "FR", "GECRFRPP"),
    ("3", "Deutsche Bank AG", "DE", "DEUTDEFF"),
    ("4", "Deutsche Beta", "DE", "DEBEDEFF", None, "beta"),
    ("5", "Erste Deutsche Sparkasse", "DE", "ERDEDEFF"),
    ("6", "Norddeutsche Landesbank", "DE", "NOLADE2H"),
    ("7", "Łódzki Bank Spółdzielczy", "PL", "LODZPLPW"),
    ("8", "Große Straße Bank", "DE", "AGRIDEFF882"),
    ("9", "Santander Consumer", "ES", "SANTESMM"),
    ("10", "Deutde Ff Bank", "DE"),
    ("11", "Three Letters ABC", "BE"),
)


@tagged("post_install", "-at_install")
class TestDirectorySearch(MoreProvidersMixin, ProxyCase):
    """What people type, and what they find, in which order."""

    def setUp(self):
        super().setUp()
        self.provider.active = False
        self.list_of(self.second, *BANKS)
        self.update()

    def names(self, query=None, **payload):
        answer = self.ask("institutions.search", query=query, **payload)
        self.assertNotIn("error", answer)
        return [institution["name"] for institution in answer["institutions"]]

    def test_the_best_comes_first(self):
        self.assertEqual(
            self.names("deutsche"),
            [
                "Deutsche Bank AG",
                "Deutsche Beta",
                "Erste Deutsche Sparkasse",
                "Norddeutsche Landesbank",
            ],
            "begins the name, beta after stable, begins a word, is contained",
        )

    def test_an_exact_bic_comes_before_everything(self):
        for query in ("deutdeff", "DEUTDEFFXXX", " DEUT DE FF "):
            self.assertEqual(self.names(query)[0], "Deutsche Bank AG")
        self.assertEqual(self.names("AGRIDEFF882"), ["Große Straße Bank"])
        self.assertIn("Große Straße Bank", self.names("agrid"))

    def test_words_may_come_in_any_order(self):
        self.assertEqual(self.names("general credit"), ["Générale de Crédit", "Crédit Général"][::-1])
        self.assertEqual(self.names("sparkasse erste"), ["Erste Deutsche Sparkasse"])

    def test_accents_and_letters_that_are_none_elsewhere_are_forgiven(self):
        self.assertEqual(self.names("lodzki"), ["Łódzki Bank Spółdzielczy"])
        self.assertEqual(self.names("SPOLDZIELCZY"), ["Łódzki Bank Spółdzielczy"])
        self.assertEqual(self.names("grosse strasse"), ["Große Straße Bank"])

    def test_misspellings_are_forgiven(self):
        if not self.env.registry.has_trigram:
            self.skipTest("PostgreSQL has no pg_trgm here")
        for query in ("Santandre", "santnader", "Satander consumer", "consumr santander"):
            self.assertEqual(self.names(query)[:1], ["Santander Consumer"], query)
        self.assertEqual(self.names("Norddeusche")[0], "Norddeutsche Landesbank")

    def test_what_is_spelt_right_comes_before_what_is_only_close(self):
        if not self.env.registry.has_trigram:
            self.skipTest("PostgreSQL has no pg_trgm here")
        self.list_of(self.second, ("12", "Comerz Handel", "DE"), ("13", "Commerzbank", "DE"), *BANKS)
        self.update()
        self.assertEqual(self.names("comerz"), ["Comerz Handel", "Commerzbank"])
        self.assertNotIn("Deutde Ff Bank", self.names("deutsche"), "far, and something else is found")

    def test_what_resembles_nothing_finds_nothing(self):
        for query in ("xqzwvk", "xqz bank", "abd letters", "santander xqzwvk"):
            self.assertEqual(self.names(query), [], query)

    def test_one_letter_is_a_beginning(self):
        self.assertEqual(self.names("s")[0], "Santander Consumer")
        self.assertEqual(self.names("ł")[0], "Łódzki Bank Spółdzielczy")

    def test_a_country_limits_what_is_found(self):
        self.assertEqual(self.names("santander", country="de"), [])
        self.assertEqual(self.names("santander", country="es"), ["Santander Consumer"])
        self.assertEqual(self.names(country="PL"), ["Łódzki Bank Spółdzielczy"])

    def test_signs_of_patterns_mean_nothing(self):
        everything = self.names()
        for query in ("%", "_", "\\", "'; --", "d%e"):
            with self.subTest(query=query):
                expected = self.names("d e") if query == "d%e" else everything
                self.assertEqual(self.names(query), expected)

    def test_a_request_of_any_length_is_answered(self):
        self.assertEqual(self.names("santander " * 200)[:1], ["Santander Consumer"])
        self.assertEqual(self.names("x" * 2000), [])

    def test_pages_have_neither_doubles_nor_gaps(self):
        for query in (None, "deutsche", "bank", "b", "deutdeff", "sant"):
            with self.subTest(query=query):
                expected = self.ask("institutions.search", query=query, limit=100)["institutions"]
                seen, cursor = [], None
                while True:
                    answer = self.ask("institutions.search", query=query, limit=1, cursor=cursor)
                    seen += answer["institutions"]
                    cursor = answer["next_cursor"]
                    if not cursor:
                        break
                self.assertEqual([bank["id"] for bank in seen], [bank["id"] for bank in expected])
                self.assertEqual(len({bank["id"] for bank in seen}), len(seen))

    def test_a_bank_that_appears_between_two_pages_moves_no_other(self):
        first = self.ask("institutions.search", limit=3)
        self.list_of(self.second, ("0", "Aaa Bank", "BE"), *BANKS)
        self.update()
        rest = self.names(limit=100, cursor=first["next_cursor"])
        self.assertEqual([bank["name"] for bank in first["institutions"]] + rest, self.names(limit=100)[1:])

    def test_forged_cursor_is_refused(self):
        for place in (
            [],
            [1, 2],
            "text",
            {"a": 1},
            [0, 0, "a", "b"],
            [0, 0, "a", 10**30],
            [-1, 0, "a", 1],
            [0, float("inf"), "a", 1],
            [10**9, 0, "a", 1],
        ):
            cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
            with self.subTest(place=place):
                answer = self.ask("institutions.search", cursor=cursor)
                if "error" in answer:
                    self.assertEqual(answer["error"]["code"], "invalid_request")
                else:
                    self.assertEqual(answer["institutions"], [])

    def test_without_pg_trgm_only_misspellings_are_not_forgiven(self):
        expected = self.names("deutsche"), self.names("erdedeff"), self.names()
        with patch.object(self.env.registry, "has_trigram", False):
            self.assertEqual((self.names("deutsche"), self.names("erdedeff"), self.names()), expected)
            self.assertEqual(self.names("lodzki"), ["Łódzki Bank Spółdzielczy"])
            self.assertEqual(self.names("Santandre"), [])

    def test_the_index_is_there(self):
        self.env.cr.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'bank_sync_institution'")
        names = {name for (name,) in self.env.cr.fetchall()}
        self.assertLessEqual({"bank_sync_institution_name_index", "bank_sync_institution_country_index"}, names)
        if self.env.registry.has_trigram:
            self.assertIn("bank_sync_institution_trigram_index", names)

    def test_installation_without_pg_trgm_continues_and_says_what_to_do(self):
        original = type(self.env.cr).execute

        def refusing(cr, query, *args, **options):
            if "CREATE EXTENSION" in str(query):
                return original(cr, "CREATE EXTENSION an_extension_that_does_not_exist")
            return original(cr, query, *args, **options)

        with (
            patch.object(self.env.registry, "has_trigram", False),
            patch.object(type(self.env.cr), "execute", refusing),
            mute_logger("odoo.sql_db"),
            self.assertLogs("odoo.addons.bank_sync_proxy.hooks", "WARNING") as logs,
        ):
            hooks.pre_init_hook(self.env)
        self.assertIn("CREATE EXTENSION pg_trgm in database", logs.output[0])
        self.assertIn("update bank_sync_proxy", logs.output[0])


@tagged("post_install", "-at_install")
class TestUnlistedBanks(ProxyCase):
    """Providers that reach banks without listing them, and providers that would reach a country."""

    def setUp(self):
        super().setUp()
        self.simplefin = (
            self.env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", "simplefin")])
        )

    def switch_on(self):
        self.simplefin.active = True
        self.env["bank.sync.institution"]._update_directory(self.simplefin)

    def unlisted(self, **payload):
        answer = self.ask("institutions.search", **payload)
        self.assertNotIn("error", answer)
        return [institution["name"] for institution in answer.get("unlisted", ())]

    def test_unlisted_bank_is_looked_for_behind_such_a_provider(self):
        self.assertEqual(self.unlisted(query="First Bank of Nowhere", country="US"), [])
        self.switch_on()
        self.assertEqual(
            self.unlisted(query="First Bank of Nowhere", country="US"),
            ["SimpleFIN Bridge", "SimpleFIN (Another Server)"],
        )
        self.assertEqual(self.unlisted(query="Kiwibank", country="NZ"), ["SimpleFIN (Another Server)"])

    def test_it_is_named_once_and_only_where_a_bank_is_searched(self):
        self.switch_on()
        self.assertEqual(len(self.unlisted(query="First Bank of Nowhere")), 2)
        self.assertEqual(self.unlisted(country="US"), [])
        self.assertNotIn("SimpleFIN Bridge", self.unlisted(query="simplefin bridge", country="US"))

    def test_the_consent_is_given_at_the_server_that_was_chosen(self):
        self.switch_on()
        answer = self.start(None, institution_id="simplefin.server")
        self.assertIn("your SimpleFIN server", self.visit_of(answer)._challenge().message)
        answer = self.start(None, institution_id="simplefin.bridge.US")
        self.assertIn("https://bridge.simplefin.org", self.visit_of(answer)._challenge().message)

    def test_a_connection_has_the_name_of_the_server_that_the_user_chose(self):
        self.switch_on()
        answer = self.start(None, institution_id="simplefin.server")
        self.connection(answer)._take(Completed({"access_url": "x"}, institution_name="bank.example\n.org"))
        seen = self.ask("connections.get", connection_id=answer["connection_id"])["connection"]
        self.assertEqual(seen["institution"]["name"], "bank.example .org")

    def test_those_who_may_switch_on_see_what_reaches_the_country_best_first(self):
        found = self.env["bank.sync.provider"]._describe_choices("US")
        self.assertFalse(found["is_reached"])
        names = [provider["name"] for provider in found["choices"]]
        self.assertEqual(names[:3], ["Plaid", "Teller", "SimpleFIN"])
        self.assertNotIn("Enable Banking", names)
        self.switch_on()
        found = self.env["bank.sync.provider"]._describe_choices("US")
        self.assertTrue(found["is_reached"])
        self.assertNotIn("SimpleFIN", [provider["name"] for provider in found["choices"]])
