from odoo.tests import HttpCase, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestReturn(OnlineSyncCommon, HttpCase):
    """Where the browser arrives after the bank's pages."""

    def come_back(self):
        """:return: the page on which the user ends up"""
        self.Link.action_open_bank("I1")
        way_back = self.proxy.asked[-1][1]["return_url"]
        self.authenticate(self.env.user.login, self.env.user.login)
        return self.url_open(way_back)

    def test_a_consent_that_did_not_come_about_is_explained(self):
        self.proxy.fail("connections.get", "connection_unfinished", "reconnect", reference="E-7KQ2")
        page = self.come_back()
        self.assertEqual(page.status_code, 200)
        for text in ("Sentence of connection_unfinished.", "E-7KQ2", "account_online_link_action_connect"):
            self.assertIn(text, page.text)
