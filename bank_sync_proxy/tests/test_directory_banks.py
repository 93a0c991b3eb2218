from odoo.tests import tagged

from ..providers.types import Capabilities
from .common import ProxyCase
from .more_providers import MoreProvidersMixin


@tagged("post_install", "-at_install")
class TestDirectoryBanks(MoreProvidersMixin, ProxyCase):
    """Several providers reach the same bank: it is found once, with all ways to it."""

    def setUp(self):
        super().setUp()
        self.list_of(
            self.second,
            ("fortis", "BNP Paribas Fortis", "BE", "GEBABEBB", None, "stable", Capabilities(history_days=730)),
            ("only", "Only Here", "BE"),
        )
        self.list_of(
            self.third,
            ("bnpf", "BNP Paribas Fortis SA/NV", "BE", None, "https://example.com/logo.png", "beta"),
            ("attended", "Demo Attended Bank N.V.", "NL", "DEMANLA0"),
        )
        self.update()

    def found(self, **payload):
        return self.ask("institutions.search", **payload)["institutions"]

    def providers(self, institution):
        return [provider["code"] for provider in institution["providers"]]

    def test_a_bank_is_found_once_with_all_ways_to_it(self):
        (bank,) = self.found(query="fortis")
        self.assertEqual((bank["id"], bank["status"], bank["bic"]), ("second.fortis", "stable", "GEBABEBB"))
        self.assertEqual(bank["capabilities"]["history_days"], 730)
        self.assertEqual(bank["logo"], "https://example.com/logo.png", "another one's, before none")
        self.assertEqual(
            bank["providers"],
            [
                {
                    "code": "second",
                    "label": "Second Provider",
                    "institution_id": "second.fortis",
                    "status": "stable",
                    "health": None,
                },
                {
                    "code": "third",
                    "label": "Third Provider",
                    "institution_id": "third.bnpf",
                    "status": "beta",
                    "health": None,
                },
            ],
        )
        self.assertEqual(self.providers(self.found(query="only here")[0]), ["second"])

    def test_it_is_found_by_what_only_another_provider_says(self):
        self.third.sequence = 0
        for query in ("gebabebb", "SA/NV", "fortis"):
            self.assertEqual([bank["id"] for bank in self.found(query=query)], ["third.bnpf"])

    def test_the_order_of_the_providers_decides_which_one_is_proposed(self):
        self.assertEqual(self.found(query="attended")[0]["id"], "third.attended")
        self.provider.sequence = 0
        (bank,) = self.found(query="attended")
        self.assertEqual((bank["id"], self.providers(bank)), ("sandbox.demo-attended", ["sandbox", "third"]))
        self.assertFalse(bank["capabilities"]["auto_sync"])

    def test_at_the_same_place_a_stable_row_is_proposed(self):
        self.second.sequence = self.third.sequence = 3
        self.assertEqual(self.found(query="fortis")[0]["id"], "second.fortis")
        self.list_of(self.second, ("fortis", "BNP Paribas Fortis", "BE", "GEBABEBB", None, "beta"), ("only", "O", "BE"))
        self.list_of(self.third, ("bnpf", "BNP Paribas Fortis SA/NV", "BE", None, None, "stable"))
        self.update()
        self.assertEqual(self.found(query="fortis")[0]["id"], "third.bnpf")

    def test_a_provider_that_is_switched_off_leaves_the_bank_to_the_others(self):
        self.second.active = False
        (bank,) = self.found(query="fortis")
        self.assertEqual((bank["id"], self.providers(bank)), ("third.bnpf", ["third"]))
        self.assertEqual(self.found(query="only here"), [])
        self.assertEqual(
            self.ask("connections.start", institution_id="second.fortis", return_url="/x")["error"]["code"],
            "unknown_institution",
        )
        self.second.active = True
        self.assertEqual(self.providers(self.found(query="fortis")[0]), ["second", "third"])

    def test_a_bank_that_one_provider_drops_stays_with_the_other(self):
        self.list_of(self.second, ("only", "Only Here", "BE"))
        self.update()
        self.assertEqual(self.found(query="fortis")[0]["id"], "third.bnpf")
        self.assertEqual(self.row("third.bnpf").merge_key, "third.bnpf")

    def test_each_way_can_be_chosen(self):
        for identifier, provider in (("second.fortis", self.second), ("third.bnpf", self.third)):
            answer = self.ask("connections.start", institution_id=identifier, return_url="/x")
            self.assertNotIn("error", answer)
            connection = self.ask("connections.get", connection_id=answer["connection_id"])["connection"]
            self.assertEqual(
                (connection["institution"]["id"], connection["provider"]["code"]), (identifier, provider.code)
            )
            self.assertEqual(self.providers(connection["institution"]), ["second", "third"])

    def test_a_bank_counts_once(self):
        counts = {}
        for bank in self.found(limit=100):
            counts[bank["country"]] = counts.get(bank["country"], 0) + 1
        self.assertEqual(self.env["bank.sync.institution"]._count_by_country(), counts)
        self.assertGreater(self.env["bank.sync.institution"].search_count([]), sum(counts.values()))
