"""The agreement with an accounting firm, as a user of the database makes and revokes it."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .service_common import ServiceCommon


@tagged("post_install", "-at_install")
class TestFirm(ServiceCommon):
    """Nothing is shown to a firm before an accounting administrator has read its name and agreed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            "firm-manager",
            groups="account.group_account_manager",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
            name="Mia Manager",
            email="mia@books.example",
        )
        # Why: the user who agrees must have access to each company that has a connection.
        cls.env["account.online.link"].search([("company_id", "!=", cls.company.id)]).unlink()

    def open(self, user=None):
        action = self.env["account.online.firm"].with_user(user or self.manager)._open()
        return self.env["account.online.firm"].with_user(user or self.manager).browse(action["res_id"])

    def agree(self, wizard=None):
        wizard = wizard or self.open()
        wizard.code = "abac us22"
        wizard.action_find()
        wizard.action_agree()
        return wizard

    def requests(self, operation):
        return [payload for name, payload in self.proxy.requests if name == operation]

    def test_a_user_reads_the_name_of_the_firm_before_agreeing(self):
        self.register()
        wizard = self.open()
        self.assertEqual((wizard.step, wizard.client_name), ("code", self.company.name))
        wizard.code = "ABAC-US22"
        wizard.action_find()
        self.assertEqual((wizard.step, wizard.firm_name), ("confirm", "Abacus"))
        self.assertFalse(self.requests("firms.agree"))
        self.assertFalse(self.service.firm_name)

    def test_the_service_learns_what_the_user_was_shown_and_has_entered(self):
        self.register()
        wizard = self.open()
        wizard.write({"client_name": " Bakery ", "contact_name": "Bea", "contact_email": "bea@bakery.example"})
        self.agree(wizard)
        (request,) = self.requests("firms.agree")
        request.pop("language")
        self.assertEqual(
            request,
            {
                "code": "abac us22",
                "firm_name": "Abacus",
                "client_name": "Bakery",
                "contact_name": "Bea",
                "contact_email": "bea@bakery.example",
            },
        )
        self.assertEqual((wizard.step, wizard.code), ("agreed", False))
        self.assertEqual(self.service.firm_name, "Abacus")
        self.assertIn("Abacus", self.env["res.config.settings"].get_values()["online_sync_firm"])

    def test_opened_again_it_shows_what_the_service_says(self):
        self.register()
        self.agree()
        again = self.open()
        self.assertEqual((again.step, again.firm_name, again.contact_email), ("agreed", "Abacus", "mia@books.example"))
        self.assertTrue(again.agreed_at)
        self.proxy.agreement = None
        self.assertEqual(self.open().step, "code", "support has ended it")
        self.assertFalse(self.service.firm_name)

    def test_another_contact_is_saved_without_the_code(self):
        self.register()
        self.agree()
        again = self.open()
        again.contact_email = "new@books.example"
        again.action_change()
        self.assertNotIn("code", self.requests("firms.agree")[-1])
        self.assertEqual(again.contact_email, "new@books.example")

    def test_a_user_revokes_at_once(self):
        self.register()
        wizard = self.agree()
        wizard.action_revoke()
        self.assertEqual(len(self.requests("firms.revoke")), 1)
        self.assertEqual((wizard.step, wizard.firm_name), ("code", False))
        self.assertFalse(self.service.firm_name)
        self.assertIn("No accounting firm", self.service._describe_firm())

    def test_each_connection_s_chatter_says_who_agreed_and_revoked(self):
        self.register()
        link = (
            self.env["account.online.link"]
            .sudo()
            .create({"name": "Demo Bank", "company_id": self.company.id, "connection_identifier": "C-FIRM"})
        )
        wizard = self.open()
        wizard.code = "ABAC-US22"
        wizard.action_find()
        self.assertEqual(wizard.bank_names, "Demo Bank")
        wizard.action_agree()
        wizard.action_revoke()
        revoked, agreed = link.message_ids.sorted("id", reverse=True)[:2]
        self.assertIn("Abacus no longer sees", revoked.body)
        self.assertIn("Abacus sees the state of the bank connections", agreed.body)
        self.assertEqual((revoked | agreed).author_id, self.manager.partner_id)

    def test_a_wrong_code_is_a_sentence_and_shows_nothing(self):
        self.register()
        wizard = self.open()
        wizard.code = "WRONG"
        wizard.action_find()
        self.assertEqual(wizard.step, "code")
        self.assertTrue(wizard.refusal)
        wizard.code = " "
        wizard.action_find()
        self.assertIn("Enter the code", wizard.refusal)
        wizard.action_agree()
        self.assertFalse(self.requests("firms.agree"))

    def test_a_firm_that_was_renamed_meanwhile_is_not_agreed_with(self):
        self.register()
        wizard = self.open()
        wizard.code = "ABAC-US22"
        wizard.action_find()
        self.proxy.firm = "Another"
        wizard.action_agree()
        self.assertEqual(wizard.step, "confirm")
        self.assertTrue(wizard.refusal)
        self.assertFalse(self.service.firm_name)

    def test_only_accounting_administrators_decide(self):
        self.register()
        wizard = self.open()
        accountant = new_test_user(self.env, "firm-accountant", groups="account.group_account_basic")
        with self.assertRaises(AccessError):
            self.open(accountant)
        for action in ("action_find", "action_agree", "action_change", "action_revoke", "action_back"):
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(wizard.with_user(accountant), action)()

    def test_users_without_access_to_a_connected_company_may_only_revoke(self):
        self.register()
        other = self.env["res.company"].create({"name": "Somebody else's"})
        hidden = (
            self.env["account.online.link"]
            .sudo()
            .create({"name": "Hidden Bank", "company_id": other.id, "connection_identifier": "C-HIDDEN"})
        )
        wizard = self.open()
        wizard.code = "ABAC-US22"
        for action in (wizard.action_find, wizard.action_agree, wizard.action_change):
            with self.assertRaisesRegex(UserError, "all companies"):
                action()
        self.assertFalse(self.requests("firms.find"))
        before = len(hidden.message_ids)
        wizard.action_revoke()
        self.assertTrue(self.requests("firms.revoke"))
        self.assertEqual(len(hidden.message_ids), before, "nobody writes into another company's chatter")

    def test_a_database_that_the_service_does_not_know_connects_a_bank_first(self):
        with self.assertRaisesRegex(UserError, "Connect a bank first"):
            self.open()

    def test_another_service_or_a_new_registration_knows_no_agreement(self):
        self.register()
        self.agree()
        self.service._become_client()
        self.assertFalse(self.service.firm_name)
        self.proxy.state = "active"
        self.agree()
        self.service._choose("https://another.example.com")
        self.assertFalse(self.service.firm_name)

    def test_a_service_that_does_not_answer_is_a_sentence(self):
        self.register()
        wizard = self.agree()
        self.server.__exit__()
        wizard.action_revoke()
        self.assertEqual(wizard.step, "agreed")
        self.assertTrue(wizard.refusal)
        with self.assertRaises(UserError):
            self.open()
