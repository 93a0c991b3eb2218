from odoo.tests import tagged

from .common import OnlineSyncCommon

NUMBER = "BE71 0961 2345 6769"


@tagged("post_install", "-at_install")
class TestPartners(OnlineSyncCommon):
    """Whose transaction it is: by who owns the account number, then by what users have taught."""

    def setUp(self):
        super().setUp()
        self.link = None

    def book(self, name="Shop", number=None):
        """The bank books one more transaction with a counterparty.

        :return: its line
        """
        identifier = f"T{len(self.proxy.transactions['A1'])}"
        self.proxy.book(identifier, "-1.00", counterparty={"name": name, "account_number": number})
        self.link = self.link or self.connect_journal()
        self.synchronize(self.link)
        return self.lines().filtered(lambda line: line.online_transaction_identifier == identifier)

    def own(self, *partners, **values):
        for partner in partners:
            self.env["res.partner.bank"].create({"partner_id": partner.id, "acc_number": NUMBER, **values})

    # -------------------------------------------------------------------------
    # TAUGHT
    # -------------------------------------------------------------------------

    def test_a_partner_that_was_chosen_once_is_taken_over(self):
        first = self.book()
        self.assertFalse(first.partner_id)
        first.partner_id = self.partner_a
        self.assertEqual(self.book().partner_id, self.partner_a)
        self.assertFalse(self.book("Another shop").partner_id)

    def test_a_number_is_learned_with_any_name(self):
        self.book("Shop", NUMBER).partner_id = self.partner_a
        self.assertEqual(self.book("SHOP 17 BRUSSELS", NUMBER.replace(" ", "").lower()).partner_id, self.partner_a)
        self.assertFalse(self.book("Shop").partner_id, "a name teaches nothing about who has told a number")

    def test_two_partners_of_one_counterparty_teach_nothing(self):
        self.book().partner_id = self.partner_a
        self.book().partner_id = self.partner_b
        self.assertFalse(self.book().partner_id)

    def test_an_archived_partner_is_not_taken_over(self):
        self.book().partner_id = self.partner_a
        self.partner_a.active = False
        self.assertFalse(self.book().partner_id)

    def test_an_archived_partner_does_not_keep_another_from_being_learned(self):
        self.book().partner_id = self.partner_a
        self.partner_a.active = False
        self.book().partner_id = self.partner_b
        self.assertEqual(self.book().partner_id, self.partner_b)

    def test_what_another_company_has_taught_does_not_count(self):
        self.book().partner_id = self.partner_a
        other = self.setup_other_company()["company"]
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_bank_statement_line SET company_id = %s WHERE id IN %s", [other.id, self.lines()._ids]
        )
        self.env.invalidate_all()
        self.assertFalse(self.book().partner_id)

    def test_who_owns_the_number_wins_over_what_was_taught(self):
        self.book("Shop", NUMBER).partner_id = self.partner_a
        self.own(self.partner_b)
        self.assertEqual(self.book("Shop", NUMBER).partner_id, self.partner_b)

    # -------------------------------------------------------------------------
    # OWNED NUMBERS
    # -------------------------------------------------------------------------

    def test_an_archived_partner_owns_no_number(self):
        self.own(self.partner_a)
        self.partner_a.active = False
        self.assertFalse(self.book("Shop", NUMBER).partner_id)

    def test_an_archived_partner_does_not_make_a_number_ambiguous(self):
        self.own(self.partner_a, self.partner_b)
        self.partner_a.active = False
        self.assertEqual(self.book("Shop", NUMBER).partner_id, self.partner_b)

    def test_a_contact_of_an_archived_company_owns_no_number(self):
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": self.partner_a.id})
        self.own(contact)
        self.partner_a.active = False
        contact.active = True
        self.assertFalse(self.book("Shop", NUMBER).partner_id)
