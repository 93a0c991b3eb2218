import re

from odoo.tests import new_test_user, tagged

from ..client.errors import ProxyError
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestActs(OnlineSyncCommon):
    """The user who acts on a consent is the author of the message in the chatter."""

    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env,
            login="manager",
            groups="account.group_account_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.link = self.connect_journal()

    def new_messages(self, record, act):
        """:return: list of (author, text) of what an act has left in the chatter"""
        before = record.message_ids
        act()
        self.env.flush_all()
        messages = (record.message_ids - before).sorted("id")
        return [(message.author_id, re.sub(r"<[^>]+>", "", message.body)) for message in messages if message.body]

    def assertDid(self, record, act, *sentences):
        found = self.new_messages(record, act)
        for sentence in sentences:
            self.assertIn((self.user.partner_id, sentence), found)

    def mine(self):
        return self.link.with_user(self.user)

    def visit(self):
        return self.env["account.online.authorization"].sudo().search([("link_id", "=", self.link.id)], limit=1)

    def come_back(self, how):
        visit = self.visit().with_user(self.user).sudo()
        return {
            "done": visit._finish,
            "cancelled": visit._cancel_at_bank,
            "failed": lambda: visit._fail(ProxyError("credentials_rejected", "No.", action="renew")),
        }[how]

    def test_a_bank_that_is_connected(self):
        action = self.Directory.with_user(self.user).action_open_bank("I1")
        visit = self.env["account.online.authorization"].browse(action["params"]["visit_id"]).sudo()
        visit.connection_identifier = "C77"
        visit.with_user(self.user).sudo()._finish()
        link = visit.link_id
        self.assertIn(
            (self.user.partner_id, "The bank was connected: its consent is stored."),
            [(message.author_id, re.sub(r"<[^>]+>", "", message.body)) for message in link.message_ids],
        )

    def test_a_renewal_and_its_end(self):
        for how, sentence in (
            ("done", "The consent was renewed at the bank."),
            ("cancelled", "Reconnect was cancelled. The consent is unchanged."),
            ("failed", "No new consent was given at the bank."),
        ):
            with self.subTest(how):
                self.visit().unlink()
                self.assertDid(
                    self.link,
                    self.mine().action_reconnect,
                    "Reconnect was started: the bank asks for a new consent.",
                )
                self.assertDid(self.link, self.come_back(how), sentence)

    def test_new_credentials_and_their_end(self):
        for how, sentence in (
            ("done", "The credentials, or the choice of accounts, were updated at the bank."),
            ("cancelled", "Update Credentials was cancelled. The consent is as it was before."),
            ("failed", "The credentials were not updated at the bank."),
        ):
            with self.subTest(how):
                self.visit().unlink()
                self.assertDid(
                    self.link, self.mine().action_update_credentials, "Update Credentials was started at the bank."
                )
                self.assertDid(self.link, self.come_back(how), sentence)

    def test_a_bank_that_is_disconnected(self):
        self.assertDid(
            self.link,
            self.mine()._give_consent_back,
            "The bank was disconnected and the consent was revoked. Journals and transactions are unchanged.",
        )

    def test_a_connection_that_is_deleted_stands_in_its_journals(self):
        self.assertDid(
            self.journal,
            self.mine().unlink,
            "The bank connection Scripted Bank of this journal was deleted. Its consent was revoked.",
        )

    def test_a_consent_that_could_not_be_given_back_is_told_in_the_journals(self):
        self.proxy.fail("connections.delete")
        with self.assertLogs("odoo.addons.account_online_synchronization", "WARNING"):
            self.assertDid(
                self.journal,
                self.mine().unlink,
                "The bank connection Scripted Bank of this journal was deleted. Its consent could not be revoked "
                "just now: revoke it at the bank, or wait for it to expire.",
            )

    def test_a_code_for_a_refresh_is_no_act_on_the_consent(self):
        self.proxy.answers["connections.refresh"] = {"state": "challenge", "page_url": "/code"}
        found = self.new_messages(self.link, self.mine().action_fetch_transactions)
        self.assertFalse(found)
