import logging
import re
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from ..controllers.renewal import Links
from ..models import account_online_renewal as renewals
from .notices_common import NoticesCommon

PATH = renewals.PATH
ADDRESS = re.compile(rf'href="[^"]*({PATH}[\w-]+)"')


class RenewalLinkCommon(NoticesCommon):
    def setUp(self):
        super().setUp()
        self.link = self.ending(3)
        self.Renewal = self.env["account.online.renewal"].sudo()
        # The e-mails stay where a test can read them.
        self.env.ref("account_online_synchronization.mail_template_renewal").auto_delete = False

    def request(self, email="owner@example.com", user=None, link=None):
        """A draft, as the dialog shows it."""
        action = (link or self.link).with_user(user or self.manager).action_ask_to_renew()
        draft = self.env[action["res_model"]].with_user(user or self.manager).browse(action["res_id"])
        draft.email = email
        return draft

    def send(self, **values):
        """:return: the request, and the address in its e-mail"""
        draft = self.request(**values)
        draft.action_send()
        mail = self.env["mail.mail"].sudo().search([("body_html", "like", PATH)], order="id desc", limit=1)
        self.assertEqual(mail.email_to, draft.email)
        return self.Renewal.browse(draft.id), ADDRESS.search(mail.body_html).group(1)


@tagged("post_install", "-at_install")
class TestRenewalRequest(RenewalLinkCommon):
    """Asking a person without an Odoo user to renew a consent: who may ask, whom, and what is stored."""

    def test_only_users_who_may_renew_can_ask_others_to_renew(self):
        with self.assertRaisesRegex(AccessError, "Only accounting administrators"):
            self.link.with_user(self.accountant).action_ask_to_renew()
        other = self.new_user("elsewhere", "account.group_account_manager")
        company = self.env["res.company"].create({"name": "Other"})
        other.write({"company_id": company.id, "company_ids": [(6, 0, company.ids)]})
        with self.assertRaises(AccessError):
            self.link.with_user(other).action_ask_to_renew()

    def test_the_card_of_the_journal_asks_too(self):
        action = self.journal.with_user(self.manager).action_ask_to_renew_online_link()
        self.assertEqual((action["res_model"], action["target"]), ("account.online.renewal", "new"))

    def test_the_request_goes_to_one_address(self):
        for address in ("", "nobody", "a@example.com, b@example.com", "a@example.com\nBcc: b@example.com"):
            with self.subTest(address), self.assertRaisesRegex(UserError, "one e-mail address"):
                self.request(address).action_send()

    def test_a_request_is_sent_once_by_its_user_and_its_address_stays(self):
        draft = self.request()
        other = self.new_user("another", "account.group_account_manager")
        with self.assertRaisesRegex(AccessError, "Only the user who started"):
            draft.with_user(other).action_send()
        draft.action_send()
        with self.assertRaisesRegex(AccessError, "once"):
            draft.action_send()
        with self.assertRaisesRegex(UserError, "can't be changed"):
            draft.email = "other@example.com"

    def test_the_secret_of_the_link_is_in_the_email_only(self):
        renewal, address = self.send()
        token = address.removeprefix(PATH)
        self.assertNotIn(token, str(renewal.read()))
        self.assertNotIn(PATH, str(self.link.message_ids.mapped("body")))
        self.assertIn("owner@example.com was asked by e-mail", self.link.message_ids[0].body)
        mail = self.env["mail.mail"].sudo().search([("body_html", "like", PATH)], order="id desc", limit=1)
        self.assertFalse(mail.model)

    def test_the_email_names_company_bank_and_who_asks_and_nothing_else_of_the_books(self):
        self.journal.name = "Secret Journal"
        self.send()
        mail = self.env["mail.mail"].sudo().search([("body_html", "like", PATH)], order="id desc", limit=1)
        self.assertIn("manager@example.com", mail.reply_to)
        self.assertIn(self.link.name, mail.subject)
        for shown in (self.link.name, self.company.name, self.manager.name):
            self.assertIn(shown, mail.body_html)
        for private in ("Account A1", "Secret Journal"):
            self.assertNotIn(private, mail.body_html)

    def test_a_new_link_ends_the_one_before(self):
        self.assertIs(self.link.with_user(self.manager).renewal_text, False)
        first, _address = self.send()
        self.assertIn("owner@example.com", self.link.with_user(self.manager).renewal_text)
        self.send(email="other@example.com")
        self.assertEqual(first.state, "revoked")
        self.assertIn("other@example.com", self.link.with_user(self.manager).renewal_text)

    def test_one_user_sends_no_mass_mail(self):
        self.patch(renewals, "MAX_PER_DAY", 2)
        self.send()
        self.send()
        with self.assertRaisesRegex(UserError, "within a day"):
            self.request().action_send()

    def test_drafts_and_old_requests_are_deleted(self):
        draft, (sent, _address) = self.request(), self.send()
        with freeze_time(fields.Datetime.now() + timedelta(days=2)):
            self.Renewal._gc_renewals()
        self.assertEqual((draft.exists(), sent.exists()), (self.Renewal, sent))
        with freeze_time(fields.Datetime.now() + timedelta(days=91)):
            self.Renewal._gc_renewals()
        self.assertFalse(sent.exists())


@tagged("post_install", "-at_install")
class TestRenewalLink(RenewalLinkCommon, HttpCase):
    """The link for a person without an Odoo user: it leads to the bank for one consent, and nowhere else."""

    def get(self, address, **options):
        return self.url_open(address, allow_redirects=False, **options)

    def press(self, address, page=None):
        page = page or self.get(address)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
        return self.url_open(address, data={"csrf_token": token}, allow_redirects=False)

    def way_back(self):
        return next(
            payload["return_url"] for name, payload in reversed(self.proxy.requests) if name == "connections.renew"
        )

    def another_browser(self):
        self.opener.cookies.clear()

    def assertEnded(self, page):
        self.assertEqual(page.status_code, 410)
        self.assertIn("no longer valid", page.text)
        self.assertNotIn(self.link.name, page.text)

    def renewals_requested(self):
        return self.requested_operations().count("connections.renew")

    def test_the_consent_is_renewed_and_the_sender_is_notified_by_whom(self):
        renewal, address = self.send()
        page = self.get(address)
        for text in (self.link.name, self.company.name, self.manager.name):
            self.assertIn(text, page.text)
        answer = self.press(address, page)
        self.assertEqual((answer.status_code, answer.headers["Location"][-6:]), (303, "/renew"))
        end = self.get(self.way_back())
        self.assertIn("The consent is renewed", end.text)
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "done")
        self.assertEqual(str(self.link.expiring_synchronization_date), "2026-11-16")
        note = self.link.message_ids.filtered(lambda message: "was renewed at the bank" in message.body)
        self.assertIn("by owner@example.com, whom manager", note.body)
        self.assertEqual(note.author_id, self.env.ref("base.partner_root"))
        self.assertIn(self.manager.partner_id, note.notified_partner_ids)

    def test_looking_at_the_link_changes_nothing(self):
        renewal, address = self.send()
        for _look in range(3):
            self.assertEqual(self.get(address).status_code, 200)
            self.assertEqual(self.opener.head(self.base_url() + address, timeout=30).status_code, 200)
            self.another_browser()
        self.env.invalidate_all()
        self.assertEqual((renewal.attempts, renewal.browser_digest, self.renewals_requested()), (0, False, 0))

    def test_only_a_form_of_our_own_page_goes_on(self):
        _renewal, address = self.send()
        self.get(address)
        answer = self.url_open(address, data={"csrf_token": "guessed"}, allow_redirects=False)
        self.assertEqual((answer.status_code, self.renewals_requested()), (400, 0))

    def test_the_pages_show_nothing_else_of_the_books(self):
        _renewal, address = self.send()
        page = self.get(address)
        self.press(address, page)
        for text in (page.text, self.get(self.way_back()).text):
            for private in ("Account A1", self.journal.name, "C1", "/odoo/action"):
                self.assertNotIn(f">{private}<", text)

    def test_the_link_is_used_up_by_the_consent(self):
        _renewal, address = self.send()
        self.press(address)
        self.get(self.way_back())
        self.assertEnded(self.get(address))
        self.another_browser()
        self.assertEnded(self.get(address))
        self.assertEqual(self.renewals_requested(), 1)

    def test_who_left_the_banks_pages_may_come_again(self):
        renewal, address = self.send()
        self.press(address)
        self.assertIn("Nothing was changed", self.get(f"{self.way_back()}?cancelled=1").text)
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "sent")
        self.assertEqual(self.press(address).status_code, 303)
        self.assertIn("The consent is renewed", self.get(self.way_back()).text)

    def test_the_banks_pages_are_not_opened_without_end(self):
        self.patch(renewals, "MAX_ATTEMPTS", 2)
        _renewal, address = self.send()
        page = self.get(address)
        answers = [self.press(address, page).status_code for _attempt in range(4)]
        self.assertEqual((answers, self.renewals_requested()), ([303, 303, 410, 410], 2))

    def test_another_browser_neither_goes_on_nor_comes_back(self):
        _renewal, address = self.send()
        page = self.get(address)
        self.press(address, page)
        way_back = self.way_back()
        self.another_browser()
        self.assertEqual(self.get(address).status_code, 403)
        self.assertEnded(self.get(way_back))
        self.env.invalidate_all()
        self.assertFalse(self.Renewal.search([("state", "=", "done")]))
        self.assertEqual(self.renewals_requested(), 1)

    def test_an_expired_or_withdrawn_link_opens_nothing(self):
        _renewal, address = self.send()
        self.link.with_user(self.manager).action_revoke_renewal()
        self.assertEnded(self.get(address))
        renewal, address = self.send()
        renewal.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assertEnded(self.get(address))

    def test_a_link_that_was_withdrawn_at_the_bank_brings_nothing_back(self):
        renewal, address = self.send()
        self.press(address)
        self.link.with_user(self.manager).action_revoke_renewal()
        self.assertEnded(self.get(self.way_back()))
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "revoked")

    def test_forged_and_guessed_addresses_open_nothing(self):
        renewal, address = self.send()
        token = address.removeprefix(PATH)
        sign = renewals.hash_sign
        forged = [
            "x",
            "AAAA",
            token[:-1],
            token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
            sign(self.env(su=True), "another.scope", [renewal.id, "x"], expiration_hours=1),
            sign(self.env(su=True), renewals.SCOPE, [renewal.id, "guessed"], expiration_hours=1),
            sign(self.env(su=True), renewals.SCOPE, [renewal.id + 1, "guessed"], expiration_hours=1),
            "é%00",
        ]
        for guess in forged:
            with self.subTest(guess):
                self.assertEnded(self.get(PATH + guess))
        self.assertEnded(self.get(f"{PATH}back/guessed"))
        self.assertEqual(self.get(address).status_code, 200)

    def test_a_visit_of_a_user_is_not_finished_here(self):
        self.link.with_user(self.manager).action_renew()
        nonce = self.way_back().rsplit("/", 1)[1]
        self.assertEnded(self.get(f"{PATH}back/{nonce}"))

    def test_who_has_asked_and_lost_the_right_leaves_a_dead_link(self):
        _renewal, address = self.send()
        self.press(address)
        self.manager.group_ids -= self.env.ref("account.group_account_manager")
        self.assertEnded(self.get(address))
        self.assertEnded(self.get(self.way_back()))
        self.manager.group_ids += self.env.ref("account.group_account_manager")
        self.manager.active = False
        self.assertEnded(self.get(address))

    def test_the_link_renews_the_connection_for_which_it_was_sent_and_no_other(self):
        renewal, address = self.send()
        self.link.sudo().connection_identifier = "another"
        self.assertEnded(self.get(address))
        self.link.sudo().connection_identifier = "C1"
        renewal.connection_digest = renewal._digest("C1")
        self.link.sudo().state = "disconnected"
        self.assertEnded(self.get(address))

    def test_a_forgotten_connection_is_not_started_again_by_the_recipient(self):
        _renewal, address = self.send()
        self.proxy.fail("connections.renew", "unknown_connection", "reconnect", reference="E-7KQ2")
        page = self.press(address)
        self.assertIn("E-7KQ2", page.text)
        self.assertNotIn("Use Reconnect", page.text)
        self.assertNotIn("connections.start", self.requested_operations())

    def test_a_missing_consent_is_reported_to_recipient_and_sender(self):
        renewal, address = self.send()
        self.press(address)
        self.proxy.fail("connections.get", "consent_revoked", "renew", reference="E-7KQ2")
        self.assertIn("The consent was not renewed", self.get(self.way_back()).text)
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "sent")
        self.assertIn("No new consent was given", str(self.link.message_ids.mapped("body")))

    def test_a_user_who_renews_himself_ends_the_link(self):
        _renewal, address = self.send()
        self.link.with_user(self.manager).action_renew()
        self.env["account.online.authorization"].with_user(self.manager)._find(
            self.way_back().rsplit("/", 1)[1]
        )._finish()
        self.assertEnded(self.get(address))

    def test_the_link_is_neither_framed_nor_kept_nor_passed_on(self):
        _renewal, address = self.send()
        page = self.get(address)
        for answer in (page, self.press(address, page), self.get(self.way_back()), self.get(f"{PATH}nothing")):
            self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")

    def test_the_secret_is_not_logged(self):
        _renewal, address = self.send()
        self.press(address)
        for secret in (address, self.way_back(), f"{address}?x=1"):
            line = logging.makeLogRecord({"msg": '"GET %s HTTP/1.1" 200', "args": (secret,)})
            [links] = [one for one in logging.getLogger("werkzeug").filters if isinstance(one, Links)]
            links.filter(line)
            self.assertIn("•••", line.getMessage())
            self.assertNotIn(secret.partition("?")[0].rsplit("/", 1)[1], line.getMessage())

    def test_no_parameter_leads_elsewhere(self):
        _renewal, address = self.send()
        page = self.get(f"{address}?redirect=https://evil.example.com&next=https://evil.example.com")
        self.assertNotIn("evil", page.text)
        answer = self.press(f"{address}?redirect=https://evil.example.com", page)
        self.assertNotIn("evil", answer.headers["Location"])

    def test_a_link_of_a_copy_is_dead(self):
        renewal, address = self.send()
        self.env.flush_all()
        from odoo.modules.neutralize import get_neutralization_queries

        for query in get_neutralization_queries(["account_online_synchronization"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "revoked")
        self.assertEnded(self.get(address))
