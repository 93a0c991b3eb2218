from freezegun import freeze_time

from odoo.tests import tagged

from .common import OnlineSyncCommon

TROUBLE = {"failed_of_ten": 3, "answered_at": None, "trouble": "institution_unavailable"}
SENTENCE = "3 of 10 connections to this bank failed in the last 24 hours."


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBankHealth(OnlineSyncCommon):
    """Known problems of a bank are shown before the user signs in there."""

    def setUp(self):
        super().setUp()
        self.link = self.connect_journal()

    def card(self):
        self.env.flush_all()
        return self.journal._get_online_sync_dashboard_data()[self.journal.id]["health"]

    def expire(self, health=TROUBLE):
        self.proxy.fail("connections.refresh", "consent_expired", "renew", health=health)
        self.synchronize(self.link)

    def test_the_card_warns_before_a_consent_is_renewed(self):
        self.expire()
        self.assertEqual(self.card(), SENTENCE)

    def test_the_card_says_when_the_bank_last_answered(self):
        self.expire({**TROUBLE, "failed_of_ten": 10, "answered_at": "2026-05-20T06:00:00Z"})
        self.assertIn("10 of 10 connections to this bank failed in the last 24 hours.", self.card())
        self.assertIn("The bank last answered around", self.card())

    def test_the_card_is_silent_while_all_is_well_here(self):
        self.proxy.answers["connections.refresh"]["health"] = TROUBLE
        self.synchronize(self.link)
        self.assertEqual(self.link.bank_failed_of_ten, 3)
        self.assertEqual(self.card(), "")

    def test_a_consent_that_ends_soon_is_renewed_at_a_bank_whose_trouble_is_known(self):
        self.proxy.answers["connections.refresh"]["health"] = TROUBLE
        self.link.expiring_synchronization_date = "2026-05-25"
        self.synchronize(self.link)
        self.assertEqual(self.card(), SENTENCE)

    def test_a_healthy_bank_is_not_worth_a_word(self):
        self.expire({**TROUBLE, "failed_of_ten": 0})
        self.assertEqual(self.card(), "")

    def test_what_was_known_yesterday_is_not_shown(self):
        self.expire()
        with freeze_time("2026-05-21 10:00:01"):
            self.assertEqual(self.card(), "")

    def test_an_older_service_says_nothing_and_what_was_known_is_forgotten(self):
        self.expire()
        self.expire(health=None)
        self.assertFalse(self.link.bank_health_at)
        self.assertEqual(self.card(), "")

    def test_a_failure_of_one_account_reports_the_health_too(self):
        self.proxy.fail("transactions.list", "institution_unavailable", "retry", health=TROUBLE)
        self.synchronize(self.link)
        self.assertEqual(self.card(), SENTENCE)

    def test_the_search_says_it_beside_the_bank_and_each_provider(self):
        self.proxy.banks = (
            {
                "id": "b",
                "name": "B",
                "country": "BE",
                "health": TROUBLE,
                "providers": [
                    {"label": "One", "institution_id": "b", "health": TROUBLE},
                    {"label": "Two", "institution_id": "c", "health": None},
                ],
            },
        )
        bank = self.env["account.online.directory"].action_search_banks("", "BE")["banks"][0]
        self.assertEqual(bank["trouble"], SENTENCE)
        self.assertEqual([one["trouble"] for one in bank["providers"]], [SENTENCE, ""])
