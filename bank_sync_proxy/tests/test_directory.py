from unittest.mock import patch

from odoo.tests import tagged

from ..providers.errors import TransientError
from ..providers.sandbox import Sandbox
from ..providers.types import Institution
from .common import ProxyCase


@tagged("post_install", "-at_install")
class TestDirectory(ProxyCase):
    """The list of banks, and how it is searched."""

    def names(self, **payload):
        answer = self.ask("institutions.search", **payload)
        return [institution["name"] for institution in answer["institutions"]]

    def list_banks(self, *banks):
        with patch.object(Sandbox, "institutions", lambda *_args: [Institution(*bank) for bank in banks]):
            self.env["bank.sync.institution"]._update_directory()

    def test_the_demo_banks_are_there_from_the_start(self):
        kinds = ("App ", "Attended ", "", "Beta ", "Code ", "Limited ", "Reconfirm ", "Redirect ", "World ")
        self.assertEqual(self.names(), [f"Demo {kind}Bank" for kind in kinds])

    def test_institution_lists_its_capabilities(self):
        answer = self.ask("institutions.search", query="attended")
        self.assertEqual(
            answer["institutions"][0]["capabilities"],
            {
                "auto_sync": False,
                "history_days": 120,
                "consent_days": 180,
                "refreshes_per_day": None,
                "fetches_per_day": None,
                "reconfirm_days": None,
            },
        )

    def test_search_by_name_bic_and_country(self):
        self.assertEqual(self.names(query="CODE bank"), ["Demo Code Bank"])
        self.assertEqual(self.names(query="demoBEb0"), ["Demo Bank"])
        self.assertEqual(self.names(country="fr"), ["Demo Beta Bank"])
        self.assertEqual(self.names(query="no such bank"), [])

    def test_accents_are_forgiven_on_both_sides(self):
        self.list_banks(("1", "Crédit Général", "FR"), ("2", "Grune Bank", "DE"))
        self.assertEqual(self.names(query="credit general"), ["Crédit Général"])
        self.assertEqual(self.names(query="Grüne"), ["Grune Bank"])

    def test_pages_give_each_bank_once(self):
        self.list_banks(*((str(number), f"Bank {number % 3}", "BE") for number in range(11)))
        seen, cursor = [], None
        while True:
            answer = self.ask("institutions.search", limit=4, cursor=cursor)
            seen += [institution["id"] for institution in answer["institutions"]]
            cursor = answer["next_cursor"]
            if not cursor:
                break
        self.assertEqual((len(seen), len(set(seen))), (11, 11))

    def test_an_update_keeps_identifiers_and_retires_what_is_gone(self):
        self.list_banks(("1", "Old Name", "BE"), ("2", "Gone", "BE"))
        before = self.env["bank.sync.institution"].search([("name", "=", "Old Name")])
        self.list_banks(("1", "New Name", "BE"))
        self.assertEqual((before.name, before.identifier), ("New Name", "sandbox.1"))
        self.assertEqual(self.names(), ["New Name"])
        self.list_banks(("1", "New Name", "BE"), ("2", "Gone", "BE"))
        self.assertEqual(self.names(), ["Gone", "New Name"])

    def test_a_provider_that_does_not_answer_keeps_its_banks(self):
        before = self.names()
        with patch.object(Sandbox, "institutions", side_effect=TransientError("provider_unavailable")):
            self.env["bank.sync.institution"]._update_directory()
        self.assertEqual(self.names(), before)
        self.assertTrue(self.env["bank.sync.error"].search([("operation", "=", "institutions.update")]))

    def test_banks_of_a_provider_that_is_switched_off_are_not_offered(self):
        self.provider.active = False
        self.assertEqual(self.names(), [])
        self.assertEqual(self.env["bank.sync.institution"]._countries(), [])
