import json
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html
from markupsafe import Markup

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..models.account_online_link_notices import ACTIONS_FOR_A_PERSON, MAX_SENTENCES
from .common import DAY, OnlineSyncCommon


class NoticesCommon(OnlineSyncCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls.new_user("accountant", "account.group_account_basic")
        cls.manager = cls.new_user("manager", "account.group_account_manager")

    @classmethod
    def new_user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login=login,
            email=f"{login}@example.com",
            groups=",".join(groups),
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def ending(self, days, **values):
        """A link that fills the journal, whose consent is valid for so many days from today on."""
        end = self.today() + timedelta(days=days)
        return self.connect_journal(
            **{"expiring_synchronization_date": end, "responsible_user_id": self.accountant.id, **values}
        )

    def ending_another(self, days):
        """A second link, with a journal of its own."""
        link = self.connect(
            expiring_synchronization_date=self.today() + timedelta(days=days), responsible_user_id=self.accountant.id
        )
        link.account_online_account_ids._link_journal(link.account_online_account_ids._create_journal())
        return link

    def run_notices(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_notify_expiring").method_direct_trigger()
        self.env.invalidate_all()

    def mails(self, link):
        """What the template made, not what Odoo tells of activities."""
        return self.env["mail.mail"].search([("body_html", "like", f'res_id={link.id}">Renew<')], order="id")

    def activities(self, link):
        return link.activity_ids.sorted("id")

    def meet_error(self, link, action="renew", code=None):
        self.proxy.fail("connections.refresh", code or f"code_of_{action}", action, reference="E-7KQ2")
        self.synchronize(link)

    def succeed(self, link):
        self.proxy.failures.clear()
        self.synchronize(link)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestExpiryMails(NoticesCommon):
    """The end of a consent is told before it comes, to those whom it concerns, and not too often."""

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

    def test_each_threshold_is_told_once(self):
        link = self.ending(16)
        self.assertEqual(self.count_mails_by_day(link, range(0, 30)), [2, 9, 15, 17])

    def test_twice_a_day_is_not_told_twice(self):
        link = self.ending(7)
        self.assertEqual(self.count_mails_by_day(link, [0, 0, 0]), [0])

    def test_after_a_pause_only_the_nearest_threshold_is_told(self):
        link = self.ending(20)
        self.assertEqual(self.count_mails_by_day(link, [0, 19, 20]), [19])

    def test_long_after_the_end_it_is_told_once(self):
        link = self.ending(-40)
        self.assertEqual(self.count_mails_by_day(link, [0, 1, 7]), [0])

    def test_a_new_date_starts_again(self):
        link = self.ending(1)
        self.run_notices()
        link.expiring_synchronization_date += timedelta(days=10)
        self.assertEqual(self.count_mails_by_day(link, range(0, 12)), [0, 4, 10])

    def test_a_consent_without_a_date_is_no_news(self):
        link = self.ending(5, expiring_synchronization_date=False)
        self.run_notices()
        self.assertFalse(self.mails(link) or self.activities(link))

    def test_a_link_that_fills_no_journal_concerns_nobody(self):
        link = self.connect(expiring_synchronization_date="2026-05-22", responsible_user_id=self.accountant.id)
        self.run_notices()
        self.assertFalse(self.mails(link) or self.activities(link))

    def test_a_disconnected_link_is_silent(self):
        """So is every link of a neutralized copy."""
        link = self.ending(1, state="disconnected")
        self.run_notices()
        link.expiring_synchronization_date = self.today()
        self.assertFalse(self.mails(link) or self.activities(link))

    def test_a_link_that_is_not_synchronized_automatically_is_told_of_too(self):
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
            "Nothing is lost",
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
            ["The end of the consent was told by e-mail to accountant@example.com, office@example.com."],
        )

    def test_nobody_receives_it_twice(self):
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

    def test_what_could_not_be_told_is_told_the_next_time_and_the_activity_stands(self):
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
    """Somebody hears of it, also after the one who connected the bank has left."""

    def setUp(self):
        super().setUp()
        self.link = self.ending(7)
        # Why: of the users that the database has besides, none shall take the place of those that a test speaks of.
        administrators = self.env.ref("account.group_account_manager")
        others = self.env["res.users"].search([("all_group_ids", "in", administrators.ids)]) - self.manager
        others.group_ids -= administrators

    def test_who_connects_the_bank_is_responsible(self):
        self.assertEqual(self.Link.with_user(self.manager).create({"name": "B"}).responsible_user_id, self.manager)

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

    def test_where_nobody_is_left_the_activity_is_nobodys(self):
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


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestStatusActivity(NoticesCommon):
    """One activity says what a person has to do about the link, as long as there is something to do."""

    def test_a_consent_that_ends_is_an_activity_until_its_last_day(self):
        link = self.ending(14)
        self.run_notices()
        self.assertRecordValues(
            self.activities(link),
            [{"user_id": self.accountant.id, "date_deadline": DAY + timedelta(days=14), "automated": True}],
        )
        self.assertIn("Renew the consent", self.activities(link).summary)

    def test_a_consent_that_is_valid_for_long_needs_nobody(self):
        link = self.ending(15)
        self.run_notices()
        self.synchronize(link)
        self.assertFalse(self.activities(link))

    def test_a_synchronization_sees_the_end_too_and_sends_no_mail(self):
        link = self.ending(10)
        before = self.env["mail.mail"].search_count([])
        self.synchronize(link)
        self.assertEqual(len(self.activities(link)), 1)
        self.assertEqual(self.env["mail.mail"].search_count([]), before)

    def test_there_is_one_activity_at_a_time(self):
        link = self.ending(14)
        for day in range(0, 18):
            with freeze_time(f"{DAY + timedelta(days=day)} 10:00:00"):
                self.run_notices()
                self.synchronize(link)
            self.assertEqual(len(self.activities(link)), 1)

    def test_what_was_done_comes_back_at_the_next_threshold_only(self):
        link = self.ending(14)
        self.run_notices()
        self.activities(link).action_feedback(feedback="On my list.")
        self.run_notices()
        self.synchronize(link)
        self.assertFalse(self.activities(link))
        with freeze_time("2026-05-27 10:00:00"):
            self.run_notices()
        self.assertEqual(len(self.activities(link)), 1)

    def test_an_error_that_needs_a_person_is_an_activity(self):
        for action in sorted(ACTIONS_FOR_A_PERSON):
            with self.subTest(action):
                link = self.connect_journal(responsible_user_id=self.accountant.id)
                self.meet_error(link, action)
                self.assertRecordValues(
                    self.activities(link), [{"user_id": self.accountant.id, "date_deadline": DAY, "automated": True}]
                )
                for text in (f"Sentence of code_of_{action}.", "E-7KQ2"):
                    self.assertIn(text, self.activities(link).note)
                self.journal._unlink_online_account()

    def test_an_error_that_goes_away_by_itself_is_none(self):
        link = self.connect_journal()
        self.meet_error(link, "retry")
        self.assertFalse(self.activities(link))

    def test_the_responsible_user_is_told_of_an_error_by_mail_once(self):
        link = self.connect_journal(responsible_user_id=self.accountant.id)
        messages = self.env["mail.message"].search_count([("partner_ids", "in", self.accountant.partner_id.ids)])
        self.meet_error(link)
        self.meet_error(link)
        told = self.env["mail.message"].search_count([("partner_ids", "in", self.accountant.partner_id.ids)]) - messages
        self.assertEqual(told, 1)

    def test_a_success_takes_it_away_without_a_word(self):
        link = self.connect_journal(responsible_user_id=self.accountant.id)
        self.meet_error(link)
        messages = link.message_ids
        self.succeed(link)
        self.assertFalse(link.with_context(active_test=False).activity_ids)
        self.assertFalse((link.message_ids - messages).filtered("body"))

    def test_the_same_error_keeps_its_activity_and_its_first_day(self):
        link = self.connect_journal()
        self.meet_error(link)
        activity = self.activities(link)
        with freeze_time("2026-05-23 10:00:00"):
            self.meet_error(link)
        self.assertEqual((self.activities(link), activity.date_deadline), (activity, DAY))

    def test_another_error_is_another_activity(self):
        link = self.connect_journal()
        self.meet_error(link, "renew")
        self.meet_error(link, "contact_support")
        self.assertEqual(len(self.activities(link)), 1)
        self.assertIn("Sentence of code_of_contact_support.", self.activities(link).note)

    def test_an_error_that_a_user_has_marked_as_done_is_left_to_the_user(self):
        link = self.connect_journal()
        self.meet_error(link)
        self.activities(link).action_feedback()
        self.meet_error(link)
        self.assertFalse(self.activities(link))
        self.succeed(link)
        self.meet_error(link)
        self.assertEqual(len(self.activities(link)), 1)

    def test_an_error_wins_over_a_consent_that_ends_and_gives_way_to_it(self):
        link = self.ending(5)
        self.synchronize(link)
        self.meet_error(link, "contact_support")
        self.assertIn("Contact support", self.activities(link).summary)
        self.succeed(link)
        self.assertIn("valid until", self.activities(link).summary)
        self.assertEqual(len(self.activities(link)), 1)

    def test_a_retry_does_not_hide_that_the_consent_has_ended(self):
        link = self.ending(-1)
        self.meet_error(link, "retry")
        self.assertIn("valid until", self.activities(link).summary)

    def test_a_users_own_activities_are_never_touched(self):
        link = self.ending(5)
        connection_type = self.env.ref("account_online_synchronization.mail_activity_type_connection")
        own = self.env["mail.activity"]
        for automated in (False, True):
            own += link.activity_schedule(
                activity_type_id=connection_type.id, summary="Call the bank", automated=automated, user_id=self.env.uid
            )
        self.synchronize(link)
        self.meet_error(link)
        self.succeed(link)
        link.expiring_synchronization_date = "2026-12-31"
        self.assertEqual(self.activities(link), own)
        self.assertEqual(own.mapped("summary"), ["Call the bank"] * 2)

    def test_a_renewed_consent_takes_away_the_activity_and_the_banner(self):
        link = self.ending(3)
        self.run_notices()
        connection = self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"]
        link._update_from_proxy(connection, list(self.proxy.accounts.values()))
        self.assertFalse(self.activities(link))
        self.assertEqual((link.consent_state, link.consent_text), ("valid", False))

    def test_the_schedule_clears_what_concerns_nobody_any_more(self):
        link = self.ending(3)
        self.run_notices()
        self.journal._unlink_online_account()
        self.run_notices()
        self.assertFalse(self.activities(link))

    def test_a_success_with_nothing_to_tell_asks_the_database_nothing(self):
        link = self.connect_journal()
        link._clear_error()
        self.env.flush_all()
        with self.assertQueryCount(0):
            link._update_status_activity()

    def test_an_activity_that_can_not_be_made_does_not_stop_the_synchronization(self):
        self.proxy.book("T1", "1.00")
        link = self.ending(3)
        self.env["mail.activity"].search([]).unlink()
        link.status_activity_key = False
        with (
            patch.object(self.registry["mail.activity"], "create", side_effect=UserError("No.")),
            self.assertLogs("odoo.addons.account_online_synchronization", "ERROR"),
        ):
            run = self.synchronize(link)
        self.assertEqual((run.state, len(self.lines())), ("done", 1))


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestReviewActivity(NoticesCommon):
    """What a person must look at in the books is collected in one activity until it is done."""

    def sentences(self, link):
        return [entry.text_content() for entry in html.fromstring(self.activities(link).note).iter("li")]

    def test_sentences_are_collected_and_each_stands_there_once(self):
        link = self.ending(60)
        link._ask_to_review(["The bank changed T1.", "The bank withdrew T2."])
        link._ask_to_review(["The bank withdrew T2.", "The bank withdrew T3."])
        self.assertEqual(len(self.activities(link)), 1)
        self.assertEqual(self.activities(link).user_id, self.accountant)
        self.assertEqual(
            self.sentences(link), ["The bank changed T1.", "The bank withdrew T2.", "The bank withdrew T3."]
        )

    def test_nothing_to_say_makes_no_activity(self):
        link = self.ending(60)
        link._ask_to_review([])
        self.assertFalse(self.activities(link))

    def test_texts_of_the_bank_are_no_markup(self):
        link = self.ending(60)
        texts = ["<img src=x onerror=alert(1)> & “co”", Markup("<b>bold</b>")]
        link._ask_to_review(texts)
        link._ask_to_review(texts)
        self.assertEqual(self.sentences(link), [str(text) for text in texts])

    def test_the_note_does_not_grow_without_end(self):
        link = self.ending(60)
        for start in (0, 40, 80):
            link._ask_to_review([f"Transaction {number}." for number in range(start, start + 40)])
        sentences = self.sentences(link)
        self.assertEqual(len(sentences), MAX_SENTENCES + 1)
        self.assertEqual((sentences[-2], sentences[-1][:8]), ("Transaction 49.", "And more"))

    def test_what_the_user_wrote_in_the_note_stays(self):
        link = self.ending(60)
        link._ask_to_review(["One."])
        self.activities(link).note += Markup("<p>Asked the bank.</p>")
        link._ask_to_review(["Two."])
        self.assertIn("Asked the bank.", self.activities(link).note)
        self.assertEqual(self.sentences(link), ["One.", "Two."])

    def test_a_success_does_not_take_it_away(self):
        link = self.ending(60)
        link._ask_to_review(["One."])
        self.meet_error(link)
        self.succeed(link)
        self.run_notices()
        self.assertEqual(self.sentences(link), ["One."])

    def test_after_it_is_done_a_new_one_begins(self):
        link = self.ending(60)
        link._ask_to_review(["One."])
        self.activities(link).action_feedback()
        link._ask_to_review(["Two."])
        self.assertEqual(self.sentences(link), ["Two."])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestRenew(NoticesCommon):
    """The end of a consent is seen where the user works, and renewing it is one click."""

    def card(self, user=None):
        self.journal.invalidate_recordset()
        return json.loads(self.journal.with_user(user or self.manager).kanban_dashboard)["online_sync"]

    def test_renew_opens_the_banks_page_with_one_call(self):
        link = self.ending(3)
        for record, method in ((link, "action_renew"), (self.journal, "action_renew_online_link")):
            with self.subTest(method):
                self.proxy.asked.clear()
                action = getattr(record.with_user(self.manager), method)()
                self.assertEqual((action["type"], action["url"]), ("ir.actions.act_url", "/renew"))
                [(operation, payload)] = self.proxy.asked
                self.assertEqual((operation, payload["reason"]), ("connections.renew", "consent"))

    def test_an_accountant_does_not_renew(self):
        link = self.ending(3)
        for record, method in ((link, "action_renew"), (self.journal, "action_renew_online_link")):
            with self.subTest(method), self.assertRaisesRegex(AccessError, "Only accounting administrators"):
                getattr(record.with_user(self.accountant), method)()

    def test_who_may_not_renew_sees_no_button_in_the_form(self):
        for user, buttons in ((self.manager, 2), (self.accountant, 0)):
            arch = self.Link.with_user(user).get_view(view_type="form")["arch"]
            self.assertEqual(len(html.fromstring(arch).xpath("//button[@name='action_renew']")), buttons)

    def test_a_journal_without_a_bank_says_what_to_do(self):
        with self.assertRaisesRegex(UserError, "Use Connect bank first"):
            self.journal.with_user(self.manager).action_renew_online_link()

    def test_the_state_of_the_consent_follows_from_its_date(self):
        link = self.ending(0)
        for days, state, text in (
            (15, "valid", False),
            (14, "ending", "The consent ends in 14 days."),
            (2, "ending", "The consent ends in 2 days."),
            (1, "ending", "The consent ends tomorrow."),
            (0, "ending", "The consent ends today."),
            (-1, "ended", "The consent has ended."),
            (-99, "ended", "The consent has ended."),
        ):
            with self.subTest(days):
                link.expiring_synchronization_date = DAY + timedelta(days=days)
                self.assertRecordValues(
                    link,
                    [{"expiring_synchronization_due_day": days, "consent_state": state, "consent_text": text}],
                )
                self.assertEqual(self.Link.search([("consent_state", "=", state), ("id", "=", link.id)]), link)
                self.assertFalse(self.Link.search([("consent_state", "!=", state), ("id", "=", link.id)]))

    def test_without_a_date_there_is_no_state(self):
        link = self.ending(0, expiring_synchronization_date=False)
        self.assertFalse(link.consent_state)
        self.assertIn(link, self.Link.search([("consent_state", "=", False)]))

    def test_the_journal_knows_the_date(self):
        self.ending(3)
        self.assertRecordValues(
            self.journal,
            [
                {
                    "expiring_synchronization_date": fields.Date.to_date("2026-05-23"),
                    "expiring_synchronization_due_day": 3,
                }
            ],
        )

    def test_the_card_tells_of_the_consent(self):
        link = self.ending(0)
        for days, card in (
            (15, {"consent": "", "consent_text": "", "renew": False}),
            (3, {"consent": "ending", "consent_text": "The consent ends in 3 days.", "renew": True}),
            (-3, {"consent": "ended", "consent_text": "The consent has ended.", "renew": True}),
        ):
            with self.subTest(days):
                link.expiring_synchronization_date = DAY + timedelta(days=days)
                self.assertEqual({**self.card(), **card}, self.card())

    def test_an_error_that_asks_to_renew_is_not_told_twice_on_the_card(self):
        link = self.ending(-3)
        self.meet_error(link, "renew")
        self.assertEqual({**self.card(), "consent": "", "consent_text": "", "renew": True}, self.card())

    def test_the_card_of_a_disconnected_link_says_nothing_of_its_consent(self):
        self.ending(-3, state="disconnected")
        self.assertEqual({**self.card(), "consent": "", "consent_text": "", "renew": False}, self.card())

    def test_an_invoicing_user_still_opens_the_dashboard(self):
        self.ending(3)
        self.assertTrue(self.card(self.new_user("invoicing", "account.group_account_invoice"))["linked"])

    def test_the_form_holds_whom_the_link_tells(self):
        link = self.ending(3)
        with Form(link.with_user(self.manager)) as form:
            form.responsible_user_id = self.manager
            form.renewal_contact_email = "office@example.com"
        self.assertEqual(link.responsible_user_id, self.manager)
