from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..client.errors import ProxyError
from .common import OnlineSyncCommon


class DoorsCommon(OnlineSyncCommon):
    """Company A with its bank, and people who have no business there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.setup_other_company(name="Company B")
        cls.stranger = cls.new_person("stranger", "account.group_account_manager", cls.other["company"])
        cls.accountant = cls.new_person("basic", "account.group_account_basic", cls.company)
        cls.colleague = cls.new_person("colleague", "account.group_account_manager", cls.company)

    @classmethod
    def new_person(cls, login, group, company):
        return new_test_user(cls.env, login, groups=group, company_id=company.id, company_ids=[(6, 0, company.ids)])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestDoors(DoorsCommon):
    """What a wizard acts on is decided by the server, from records that its user may see at that moment."""

    # -------------------------------------------------------------------------
    # UNDO OF DELETED DUPLICATES
    # -------------------------------------------------------------------------

    def forged_undo(self, journal, **values):
        attachment = self.env["ir.attachment"].sudo().create({"name": "Salaries", "raw": b"secret"})
        line = {"journal_id": journal.id, "date": "2026-05-20", "amount": 1.0, "payment_ref": "Forged"}
        kept = {"values": {**line, **values}, "statement": False, "attachments": attachment.ids}
        return {"first_statement": False, "opening": None, "lines": [kept]}, attachment

    def test_a_forged_undo_in_the_context_brings_no_line_and_no_attachment(self):
        undo, attachment = self.forged_undo(self.other["default_journal_bank"])
        Wizard = self.env["account.duplicate.transaction.wizard"].with_user(self.accountant)
        with self.assertRaises(AccessError):
            Wizard.with_context(default_undo=undo).create({"journal_id": self.journal.id})
        wizard = Wizard.create({"journal_id": self.journal.id})
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            wizard.with_context(default_undo=undo).action_undo()
        self.assertFalse(attachment.res_model)
        self.assertFalse(self.Line.sudo().search([("payment_ref", "=", "Forged")]))

    def test_undo_believes_nothing_of_what_was_kept_but_its_own_journal_and_attachments(self):
        """Even if another user could write the record, other companies would not be reachable."""
        wizard = self.env["account.duplicate.transaction.wizard"].create({"journal_id": self.journal.id})
        undo, attachment = self.forged_undo(self.other["default_journal_bank"])
        wizard.sudo().undo = undo
        with self.assertRaises(UserError):
            wizard.with_user(self.env.user).action_undo()
        undo["lines"][0]["values"]["journal_id"] = self.journal.id
        wizard.sudo().undo = {**undo, "journal": self.journal.id}
        wizard.action_undo()
        self.assertFalse(attachment.res_model, "an attachment that was not the wizard's own")

    # -------------------------------------------------------------------------
    # CONSENTS
    # -------------------------------------------------------------------------

    def test_a_foreign_connection_in_the_phone_wizard_opens_no_consent_page(self):
        link = self.connect_journal()
        with self.assertRaises(AccessError):
            wizard = (
                self.env["account.online.phone"]
                .with_user(self.stranger)
                .create({"mode": "verify", "kind": "consent", "link_id": link.id})
            )
            wizard._go_on({"state": "active"})
        self.assertNotIn("connections.renew", self.requested_operations())

    def test_the_one_door_to_consents_checks_rights_connection_and_journal(self):
        link = self.connect_journal()
        Authorization = self.env["account.online.authorization"]
        for user, values in (
            (self.stranger, {"kind": "consent", "link": link}),
            (self.stranger, {"kind": "connect", "journal": self.journal}),
            (self.accountant, {"kind": "consent", "link": link}),
            (self.accountant, {"kind": "connect"}),
        ):
            with self.subTest(user.login), self.assertRaises(AccessError):
                mine = {name: value if name == "kind" else value.with_user(user) for name, value in values.items()}
                Authorization.with_user(user)._open(**mine)
        self.assertFalse({"connections.renew", "connections.start"} & set(self.requested_operations()))

    def test_a_visit_is_not_gone_on_with_after_its_rights_are_gone(self):
        link = self.connect_journal()
        action = link.with_user(self.colleague).action_reconnect()
        visit = self.env["account.online.authorization"].with_user(self.colleague).browse(action["params"]["visit_id"])
        self.colleague.group_ids -= self.env.ref("account.group_account_manager")
        before = len(self.proxy.requests)
        with self.assertRaises(AccessError):
            visit.action_open_again()
        self.assertEqual(len(self.proxy.requests), before)

    # -------------------------------------------------------------------------
    # CHOICE OF ACCOUNTS
    # -------------------------------------------------------------------------

    def test_a_choice_about_a_foreign_connection_shows_and_changes_nothing(self):
        link = self.connect_journal()
        account = link.account_online_account_ids
        Selection = self.env["account.online.account.selection"].with_user(self.stranger)
        line = {"account_online_account_id": account.id, "action": "none", "journal_name": "x"}
        shown = {"line_ids": {"fields": {"name": {}, "account_number": {}, "balance": {}}}, "company_id": {}}
        with self.assertRaises(AccessError):
            selection = Selection.create({"account_online_link_id": link.id, "line_ids": [(0, 0, line)]})
            selection.web_read(shown)
        with self.assertRaises(AccessError):
            Selection.onchange({"account_online_link_id": link.id, "line_ids": [(0, "new", line)]}, [], shown)
        self.assertEqual(self.journal.account_online_account_id, account)

    def test_a_choice_can_not_be_bent_to_a_foreign_account_or_journal(self):
        foreign = self.connect_journal().account_online_account_ids
        mine = self.Link.sudo()._create_from_proxy(
            {**self.proxy.dispatch("connections.get", {"connection_id": "C2"})["connection"]},
            [{**self.proxy.accounts["A1"], "id": "B1", "number": "B"}],
            self.other["company"],
        )
        selection = (
            self.env["account.online.account.selection"].with_user(self.stranger)._create_for(mine, refresh=False)
        )
        line = selection.line_ids.with_user(self.stranger)
        for values in (
            {"account_online_account_id": foreign.id},
            {"journal_id": self.journal.id, "action": "existing"},
        ):
            with self.subTest(values), self.assertRaises(UserError), self.env.cr.savepoint():
                line.write(values)
                selection.with_user(self.stranger).action_confirm()
        self.assertEqual(self.journal.account_online_account_id, foreign)

    def test_wizards_of_another_user_are_not_accessible(self):
        """Odoo 19 has no rule for that: a user who may use a wizard's model could use the wizards of all users."""
        link = self.connect_journal()
        selection = self.env["account.online.account.selection"].with_user(self.colleague)
        selection = selection._create_for(link.with_user(self.colleague), refresh=False)
        me = self.new_person("me", "account.group_account_manager", self.company)
        with self.assertRaises(AccessError):
            selection.with_user(me).web_read({"line_ids": {}})

    # -------------------------------------------------------------------------
    # FROM THE BANK
    # -------------------------------------------------------------------------

    def test_an_invented_page_of_the_bank_is_not_imported(self):
        self.synchronize(self.connect_journal())
        wizard = self.env["account.missing.transaction.wizard"].with_user(self.accountant)
        wizard = wizard.create({"journal_id": self.journal.id})
        wizard.action_compare()
        page = {"wizard_id": wizard.id, "transactions": '[{"id": "T9", "status": "booked"}]'}
        with self.assertRaises(AccessError):
            self.env["account.missing.transaction.page"].with_user(self.accountant).create(page)
        with self.assertRaises(AccessError):
            wizard.write({"page_ids": [(0, 0, {"transactions": "[]"})]})
        with self.assertRaises(AccessError):
            wizard.page_ids.write({"transactions": "[]"})

    def test_pages_of_one_account_are_not_imported_into_another_journal(self):
        self.proxy.book("T1", "5.00")
        self.connect_journal()
        wizard = self.env["account.missing.transaction.wizard"].with_user(self.accountant)
        wizard = wizard.create({"journal_id": self.journal.id})
        wizard.action_compare()
        self.assertTrue(wizard.can_import)
        key = wizard.sections[0]["rows"][0]["key"]
        self.proxy.add_account("A2")
        second = self.connect_journal_to_account_2()
        wizard.write({"journal_id": second.id, "chosen": [key]})
        with self.assertRaises(UserError):
            wizard.action_import()
        self.assertFalse(self.lines(second))

    def connect_journal_to_account_2(self):
        link = self.Link.sudo().search([("company_id", "=", self.company.id)])
        account = self.env["account.online.account"].sudo()._update_from_proxy(link, list(self.proxy.accounts.values()))
        journal = account._create_journal("Second")
        account._link_journal(journal)
        return journal

    def test_data_of_the_bank_is_written_by_the_server_only(self):
        self.proxy.book("T1", "5.00")
        link = self.connect_journal()
        self.synchronize(link)
        line = self.lines().with_user(self.accountant)
        for values in (
            {"online_transaction_identifier": "T2"},
            {"online_account_id": False},
            {"online_adopted": True},
            {"transaction_details": {"id": "T2"}},
        ):
            with self.subTest(values), self.assertRaises(AccessError), self.env.cr.savepoint():
                line.write(values)
        with self.assertRaises(AccessError):
            self.Line.with_user(self.accountant).create(
                {
                    "journal_id": self.journal.id,
                    "amount": 1,
                    "payment_ref": "x",
                    "online_account_id": link.account_online_account_ids.id,
                    "online_transaction_identifier": "T9",
                }
            )

    def test_an_administrator_moves_no_account_or_connection_to_another_company(self):
        link = self.connect_journal().with_user(self.colleague)
        account, other = link.account_online_account_ids, self.other["company"]
        self.colleague.company_ids += other
        for record, values in (
            (link, {"company_id": other.id}),
            (link, {"connection_identifier": "C9"}),
            (link, {"state": "connected", "error_message": "Call 555"}),
            (account, {"company_id": other.id}),
            (account, {"account_online_link_id": False}),
            (account, {"balance": 5.0}),
            (self.journal.with_user(self.colleague), {"account_online_account_id": False}),
        ):
            with self.subTest(values), self.assertRaises(AccessError), self.env.cr.savepoint():
                record.write(values)
        with self.assertRaises(AccessError):
            self.Link.with_user(self.colleague).create({"name": "x", "state": "connected"})

    def test_a_phone_is_asked_for_what_the_server_has_begun(self):
        with self.assertRaises(AccessError):
            self.env["account.online.phone"].with_user(self.colleague).create({"mode": "verify", "kind": "consent"})
        action = (
            self.env["account.online.phone"]
            .with_user(self.colleague)
            ._open(ProxyError("phone_required", ""), "connect", None, self.journal.with_user(self.colleague))
        )
        wizard = self.env["account.online.phone"].with_user(self.colleague).browse(action["res_id"])
        wizard.phone = "0470 12 34 56"
        with self.assertRaises(AccessError):
            wizard.kind = "consent"
