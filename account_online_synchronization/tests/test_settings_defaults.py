from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestSettingsDefaults(OnlineSyncCommon):
    """What the settings say is what new journals and connections begin with, and nothing else changes."""

    def save(self, **values):
        settings = self.env["res.config.settings"].sudo().with_company(self.company).create(values)
        settings.execute()

    def shown(self, *names):
        settings = self.env["res.config.settings"].sudo().with_company(self.company).create({})
        return [settings[name] for name in names]

    def new_journal(self, company=None):
        return self.env["account.journal"].create(
            {"name": "New", "type": "bank", "code": "NEW9", "company_id": (company or self.company).id}
        )

    # -------------------------------------------------------------------------
    # PERIODICITY
    # -------------------------------------------------------------------------

    def test_new_journals_take_the_periodicity_of_their_company(self):
        self.assertEqual(self.new_journal().bank_statement_creation_groupby, "month")
        other = self.setup_other_company()["company"]
        self.save(bank_statement_creation_groupby="week")
        self.assertEqual(self.shown("bank_statement_creation_groupby"), ["week"])
        journal = self.env["account.journal"].create({"name": "Newer", "type": "bank", "code": "NEW8"})
        self.assertEqual(journal.bank_statement_creation_groupby, "week")
        self.assertEqual(self.new_journal(other).bank_statement_creation_groupby, "month")

    def test_existing_journals_keep_their_periodicity(self):
        self.journal.bank_statement_creation_groupby = "day"
        self.save(bank_statement_creation_groupby="week")
        self.assertEqual(self.journal.bank_statement_creation_groupby, "day")

    def test_a_journal_may_begin_with_another_one(self):
        values = {"name": "New", "type": "bank", "code": "NEW9", "bank_statement_creation_groupby": "none"}
        self.assertEqual(self.env["account.journal"].create(values).bank_statement_creation_groupby, "none")

    # -------------------------------------------------------------------------
    # AUTOMATIC SYNCHRONIZATION
    # -------------------------------------------------------------------------

    def test_new_connections_synchronize_as_the_settings_say(self):
        old = self.connect()
        self.assertTrue(old.auto_sync)
        self.save(online_sync_auto_sync=False)
        self.assertEqual(self.shown("online_sync_auto_sync"), [False])
        self.assertFalse(self.connect().auto_sync)
        self.assertTrue(old.auto_sync)
        self.save(online_sync_auto_sync=True)
        self.assertTrue(self.connect().auto_sync)

    def test_a_bank_that_needs_the_user_begins_without_it_with_any_settings(self):
        self.save(online_sync_auto_sync=True)
        self.proxy.capabilities["auto_sync"] = False
        self.assertFalse(self.connect().auto_sync)

    # -------------------------------------------------------------------------
    # NOTICES
    # -------------------------------------------------------------------------

    def test_a_consent_ends_soon_from_the_first_day_of_notice_on(self):
        link = self.connect_journal(expiring_synchronization_date="2026-06-19")
        self.assertEqual(link.consent_state, "valid")
        self.save(online_sync_notice_days="7,30 , 30,1")
        self.assertEqual(self.shown("online_sync_notice_days"), ["30, 7, 1"])
        link.invalidate_recordset()
        self.assertEqual(link.consent_state, "ending")
        self.assertEqual(link._get_expiry_threshold(), 30)
        self.assertIn(link, self.Link.search([("consent_state", "=", "ending")]))

    def test_an_ended_consent_is_notified_with_any_days(self):
        self.save(online_sync_notice_days="3")
        link = self.connect_journal(expiring_synchronization_date="2026-05-19")
        self.assertEqual(link._get_expiry_threshold(), -1)

    def test_an_empty_list_means_the_usual_days(self):
        self.save(online_sync_notice_days="")
        self.assertEqual(self.shown("online_sync_notice_days"), ["14, 7, 1"])

    def test_an_invalid_list_of_days_is_refused_with_an_example(self):
        for text in ("soon", "14; 7", "0", "-1", "14,,7", "1.5", "366", ",".join(map(str, range(1, 12)))):
            with self.subTest(text), self.assertRaisesRegex(ValidationError, "such as 14, 7, 1"):
                self.save(online_sync_notice_days=text)

    def test_an_unreadable_parameter_means_the_default_days(self):
        self.env["ir.config_parameter"].set_param("account_online_synchronization.notice_days", "whenever")
        self.assertEqual(self.Link._get_notice_days(), [14, 7, 1])

    def test_new_connections_also_notify_the_addresses_of_the_settings(self):
        old = self.connect()
        self.save(online_sync_notice_email="a@example.com, b@example.com")
        self.assertEqual(self.connect().renewal_contact_email, "a@example.com, b@example.com")
        self.assertFalse(old.renewal_contact_email)
        with self.assertRaisesRegex(ValidationError, "not an e-mail address"):
            self.save(online_sync_notice_email="a@example.com, boss")
