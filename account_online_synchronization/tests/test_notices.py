from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html
from markupsafe import Markup

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import DAY
from .notices_common import NoticesCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestExpiryMails(NoticesCommon):
    """The end of a consent is announced in advance, to those whom it concerns, and not too often."""

    def count_mails_by_day(self, link, days):
        """Run the schedule on each of the days.

        :return: the days on which a mail was made
        """
        told, before = [], len(self.mails(link))
        for day in days:
            with freeze_time(f"{DAY + timedelta(days=day)} 10:00:00"):
                self.run_notices()
            if len(self.mails(link)) > before:
                told.append(day)
            before = len(self.mails(link))
        return told

    def test_each_threshold_is_notified_once(self):
        link = self.ending(16)
        self.assertEqual(self.count_mails_by_day(link, range(0, 30)), [2, 9, 15, 17])

    def test_two_runs_on_a_day_send_one_notice(self):
        link = self.ending(7)
        self.assertEqual(self.count_mails_by_day(link, [0, 0, 0]), [0])

    def test_after_a_pause_only_the_nearest_threshold_is_notified(self):
        link = self.ending(20)
        self.assertEqual(self.count_mails_by_day(link, [0, 19, 20]), [19])

    def test_long_after_the_end_one_notice_is_sent(self):
        link = self.ending(-40)
        self.assertEqual(self.count_mails_by_day(link, [0, 1, 7]), [0])

    def test_a_new_date_starts_again(self):
        link = self.ending(1)
        self.run_notices()
        link.expiring_synchronization_date += timedelta(days=10)
        self.assertEqual(self.count_mails_by_day(link, range(0, 12)), [0, 4, 10])

    def test_a_consent_without_a_date_sends_no_notice(self):
        link = self.ending(5, expiring_synchronization_date=False)
        self.run_notices()
        self.assertFalse(self.mails(link) or self.activities(link))

    def test_a_link_without_a_journal_sends_no_notice(self):
        link = self.connect(expiring_synchronization_date="2026-05-22", responsible_user_id=self.accountant.id)
        self.run_notices()
        self.assertFalse(self.mails(link) or self.activities(link))

    def test_a_disconnected_link_is_silent(self):
        """So is every link of a neutralized copy."""
        link = self.ending(1, state="disconnected")
        self.run_notices()
        link.expiring_synchronization_date = self.today()
        self.assertFalse(self.mails(link) or self.activities(link))

    def test_a_link_that_is_not_synchronized_automatically_sends_notices_too(self):
        link = self.ending(1, auto_sync=False)
        self.run_notices()
        self.assertTrue(self.mails(link) and self.activities(link))

    def test_the_mail_says_which_bank_which_journals_until_when_and_leads_to_the_link(self):
        link = self.ending(7)
        self.run_notices()
        mail = self.mails(link)
        self.assertIn("Scripted Bank", mail.subject)
        for text in (
            "Scripted Bank",
            self.journal.name,
            self.company.name,
            "May 27, 2026",
            "in 7 days",
            "No data is lost",
        ):
            self.assertIn(text, mail.body_html)
        [button] = html.fromstring(mail.body_html).xpath("//a[normalize-space()='Renew']")
        self.assertEqual(
            button.get("href"), f"{link.get_base_url()}/mail/view?model=account.online.link&res_id={link.id}"
        )

    def test_the_mail_after_the_end_says_that_it_has_ended(self):
        link = self.ending(-1)
        self.run_notices()
        self.assertIn("It has ended", self.mails(link).body_html)

    def test_the_mail_holds_no_secret(self):
        link = self.ending(7, connection_identifier="TOP-SECRET")
        self.run_notices()
        self.assertNotIn("TOP-SECRET", self.mails(link).body_html)

    def test_the_responsible_user_and_the_further_addresses_receive_it(self):
        link = self.ending(7, renewal_contact_email="office@example.com, Tax <tax@example.com>")
        self.run_notices()
        self.assertEqual(self.mails(link).recipient_ids, self.accountant.partner_id)
        self.assertEqual(self.mails(link).email_to, "office@example.com, tax@example.com")

    def test_the_chatter_holds_one_line_and_not_the_mail(self):
        link = self.ending(7, renewal_contact_email="office@example.com")
        before = link.message_ids
        self.run_notices()
        self.assertEqual(
            [html.fromstring(body).text_content() for body in (link.message_ids - before).mapped("body")],
            ["A notice about the end of the consent was sent to accountant@example.com, office@example.com."],
        )

    def test_each_recipient_gets_one_notice(self):
        link = self.ending(7, renewal_contact_email="Accountant@Example.com")
        self.run_notices()
        self.assertEqual((self.mails(link).recipient_ids, self.mails(link).email_to), (self.accountant.partner_id, ""))

    def test_a_user_without_an_address_does_not_keep_it_from_the_others(self):
        self.accountant.email = False
        link = self.ending(7, renewal_contact_email="office@example.com")
        self.run_notices()
        self.assertEqual((self.mails(link).recipient_ids.ids, self.mails(link).email_to), ([], "office@example.com"))

    def test_without_any_address_there_is_the_activity(self):
        self.accountant.email = False
        link = self.ending(7)
        with self.assertLogs("odoo.addons.account_online_synchronization", "WARNING"):
            self.run_notices()
        self.assertFalse(self.mails(link))
        self.assertEqual(self.activities(link).user_id, self.accountant)

    def test_it_speaks_the_language_of_the_responsible_user(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.accountant.lang = "fr_FR"
        link = self.ending(7)
        self.run_notices()
        self.assertIn("27 mai 2026", self.mails(link).subject)

    def test_what_is_not_an_address_is_refused(self):
        link = self.ending(7)
        for text in ("office", "office@example.com, tax", "a@example.com b@example.com", ","):
            with self.subTest(text), self.assertRaisesRegex(ValidationError, "not an e-mail address"):
                link.renewal_contact_email = text

    def test_one_links_failure_does_not_stop_the_others(self):
        broken, healthy = self.ending(7), self.ending_another(7)
        Link = self.registry["account.online.link"]
        recipients = Link._get_expiry_recipients

        def break_the_first(link, user):
            if link == broken:
                raise ZeroDivisionError
            return recipients(link, user)

        with (
            patch.object(Link, "_get_expiry_recipients", break_the_first),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            self.run_notices()
        self.assertTrue(self.mails(healthy))
        self.assertFalse(self.mails(broken))

    def test_a_failed_notice_is_sent_the_next_time_and_the_activity_is_kept(self):
        template = self.env.ref("account_online_synchronization.mail_template_consent_expiry")
        body, template.body_html = template.body_html, Markup("<p><t t-out='object.no_such_field'/></p>")
        link = self.ending(7)
        with self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"):
            self.run_notices()
        self.assertEqual(len(self.activities(link)), 1)
        self.assertFalse(self.mails(link))
        template.body_html = body
        self.run_notices()
        self.assertEqual(len(self.mails(link)), 1)
        self.assertEqual(len(self.activities(link)), 1)

    def test_a_link_that_is_being_synchronized_is_left_for_later(self):
        link = self.ending(7)
        Link = self.registry["account.online.link"]
        with (
            patch.object(Link, "try_lock_for_update", lambda links, **options: links.browse()),
            self.assertLogs("odoo.addons.base.models.ir_cron", "WARNING"),
        ):
            self.run_notices()
        self.assertFalse(self.mails(link))
        self.run_notices()
        self.assertTrue(self.mails(link))

    def test_the_action_runs_every_day(self):
        cron = self.env.ref("account_online_synchronization.ir_cron_notify_expiring")
        self.assertRecordValues(cron, [{"interval_number": 1, "interval_type": "days", "active": True}])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestResponsibleUser(NoticesCommon):
    """Some user is notified, even after the one who connected the bank has left."""

    def setUp(self):
        super().setUp()
        self.link = self.ending(7)
        # Why: of the users that the database has besides, none shall take the place of those that a test speaks of.
        administrators = self.env.ref("account.group_account_manager")
        others = self.env["res.users"].search([("all_group_ids", "in", administrators.ids)]) - self.manager
        others.group_ids -= administrators

    def test_who_connects_the_bank_is_responsible(self):
        self.assertEqual(
            self.Link.with_user(self.manager).sudo().create({"name": "B"}).responsible_user_id, self.manager
        )

    def test_the_system_is_responsible_for_nothing(self):
        root = self.env.ref("base.user_root")
        self.assertFalse(self.Link.with_user(root).create({"name": "B"}).responsible_user_id)

    def test_an_accountant_may_be_responsible(self):
        self.assertEqual(self.link._get_notice_user(), self.accountant)

    def test_an_administrator_takes_the_place_of(self):
        invoicing = self.new_user("invoicing", "account.group_account_invoice")
        stranger = self.new_user("stranger", "account.group_account_manager")
        main_company = self.env.ref("base.main_company")
        stranger.write({"company_ids": main_company.ids, "company_id": main_company.id})
        gone = self.new_user("gone", "account.group_account_manager")
        gone.action_archive()
        for who, user in (
            ("nobody", gone.browse()),
            ("no accountant", invoicing),
            ("foreign", stranger),
            ("gone", gone),
        ):
            with self.subTest(who):
                self.link.responsible_user_id = user
                self.assertEqual(self.link._get_notice_user(), self.manager)

    def test_an_activity_without_a_responsible_user_is_unassigned(self):
        self.manager.action_archive()
        self.link.responsible_user_id = False
        self.run_notices()
        self.assertEqual(len(self.activities(self.link)), 1)
        self.assertFalse(self.activities(self.link).user_id)

    def test_a_new_responsible_user_takes_over_what_is_open(self):
        self.run_notices()
        activity = self.activities(self.link)
        self.link.responsible_user_id = self.manager
        self.assertEqual((self.activities(self.link), activity.user_id), (activity, self.manager))

    def test_the_successor_of_an_archived_user_hears_of_it(self):
        self.run_notices()
        self.accountant.action_archive()
        self.run_notices()
        self.assertEqual(self.activities(self.link).user_id, self.manager)

    def test_an_activity_that_was_handed_on_stays_with_the_colleague(self):
        self.link.expiring_synchronization_date = "2026-05-28"
        self.run_notices()
        self.activities(self.link).user_id = self.manager
        with freeze_time("2026-05-22 10:00:00"):
            self.run_notices()
        self.assertEqual(self.activities(self.link).user_id, self.manager)
