import json
from datetime import timedelta

from freezegun import freeze_time
from lxml import html

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import DAY
from .notices_common import NoticesCommon


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
                self.proxy.requests.clear()
                action = getattr(record.with_user(self.manager), method)()
                self.assertEqual(self.address_of_bank(action), "/renew")
                [(operation, payload)] = self.proxy.requests
                self.assertEqual((operation, payload["reason"]), ("connections.renew", "consent"))

    def test_a_consent_that_is_confirmed_with_the_service_needs_no_bank_login(self):
        self.assertEqual(self.ending(3).reconfirm_days, 0)
        self.proxy.capabilities = {"auto_sync": True, "reconfirm_days": 90}
        link = self.connect()
        self.assertEqual(link.reconfirm_days, 90)
        self.assertIn("confirmed every 90 days", link.renewal_hint)
        self.proxy.capabilities = {"auto_sync": True}
        connection = self.proxy.dispatch("connections.get", {"connection_id": link.connection_identifier})["connection"]
        link._update_from_proxy(connection, list(self.proxy.accounts.values()))
        self.assertEqual(link.reconfirm_days, 0)
        self.assertIn("needs the bank login", link.renewal_hint)

    def test_an_accountant_does_not_renew(self):
        link = self.ending(3)
        for record, method in ((link, "action_renew"), (self.journal, "action_renew_online_link")):
            with self.subTest(method), self.assertRaisesRegex(AccessError, "Only accounting administrators"):
                getattr(record.with_user(self.accountant), method)()

    def test_who_may_not_renew_sees_no_button_in_the_form(self):
        for user, buttons in ((self.manager, 4), (self.accountant, 0)):
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

    def test_a_consent_without_a_date_has_no_state(self):
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

    def test_the_card_shows_the_consent(self):
        link = self.ending(0)
        for days, card in (
            (15, {"consent": "", "consent_text": "", "renew": False}),
            (3, {"consent": "ending", "consent_text": "The consent ends in 3 days.", "renew": True}),
            (-3, {"consent": "ended", "consent_text": "The consent has ended.", "renew": True}),
        ):
            with self.subTest(days):
                link.expiring_synchronization_date = DAY + timedelta(days=days)
                self.assertEqual({**self.card(), **card}, self.card())

    def test_an_error_that_asks_to_renew_is_shown_once_on_the_card(self):
        link = self.ending(-3)
        self.meet_error(link, "renew")
        self.assertEqual({**self.card(), "consent": "", "consent_text": "", "renew": True}, self.card())

    def test_the_card_of_a_disconnected_link_says_nothing_of_its_consent(self):
        self.ending(-3, state="disconnected")
        self.assertEqual({**self.card(), "consent": "", "consent_text": "", "renew": False}, self.card())

    def test_an_invoicing_user_still_opens_the_dashboard(self):
        self.ending(3)
        self.assertTrue(self.card(self.new_user("invoicing", "account.group_account_invoice"))["linked"])

    def test_the_form_has_the_recipients_of_notices(self):
        link = self.ending(3)
        with Form(link.with_user(self.manager)) as form:
            form.responsible_user_id = self.manager
            form.renewal_contact_email = "office@example.com"
        self.assertEqual(link.responsible_user_id, self.manager)
