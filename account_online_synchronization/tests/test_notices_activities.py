from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html
from markupsafe import Markup

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.account_online_notices import ACTIONS_FOR_A_PERSON, MAX_SENTENCES
from .common import DAY
from .notices_common import NoticesCommon


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

    def test_a_consent_that_is_valid_for_long_has_no_activity(self):
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
                self.journal.sudo()._unlink_online_account()

    def test_a_temporary_error_has_no_activity(self):
        link = self.connect_journal()
        self.meet_error(link, "retry")
        self.assertFalse(self.activities(link))

    def test_the_responsible_user_gets_one_mail_about_an_error(self):
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

    def test_the_schedule_clears_outdated_activities(self):
        link = self.ending(3)
        self.run_notices()
        self.journal.sudo()._unlink_online_account()
        self.run_notices()
        self.assertFalse(self.activities(link))

    def test_a_success_without_notices_sends_no_query(self):
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

    def test_sentences_are_collected_without_repeats(self):
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
