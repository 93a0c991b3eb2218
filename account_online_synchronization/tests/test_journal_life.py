from freezegun import freeze_time

from odoo.tests import tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestJournalLife(OnlineSyncCommon):
    """Whatever becomes of a journal, each transaction is in the books once, or a sentence says what to do."""

    def setUp(self):
        super().setUp()
        for number in range(3):
            self.proxy.book(f"T{number}", f"{number + 1}.00", self.days_ago(number))
        self.proxy.accounts["A1"]["number"] = "BE68539007547034"
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids
        self.synchronize(self.link)

    def new_journal(self, name="Other", code="OTH", **values):
        # sudo: the account is a field that only the server sets.
        Journal = self.env["account.journal"].sudo()
        return Journal.create({"name": name, "code": code, "type": "bank", **values}).sudo(False)

    def all_lines(self):
        return self.Line.search([("online_account_id", "=", self.account.id)])

    def assert_each_once(self, *amounts):
        reasons = self.beside().mapped("reason")
        self.assertEqual(sorted(self.all_lines().mapped("amount")), sorted(amounts), reasons)
        self.assertFalse(self.beside("parked"), reasons)

    # -------------------------------------------------------------------------
    # THE FEED MOVES
    # -------------------------------------------------------------------------

    def test_a_feed_moves_to_another_journal_and_back(self):
        other = self.new_journal()
        self.account._link_journal(other)
        self.proxy.book("T3", "4.00")
        self.synchronize(self.link)
        self.account._link_journal(self.journal)
        self.env.flush_all()
        self.proxy.book("T4", "5.00")
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4, 5)
        self.assertEqual(self.lines(other).mapped("amount"), [4])
        self.assertFalse(other.account_online_account_id)

    def test_code_that_gives_a_feed_to_a_journal_takes_it_from_the_other(self):
        other = self.new_journal()
        for journal in (other, self.journal, other):
            journal.sudo().account_online_account_id = self.account
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual(self.account.journal_ids, journal)
        self.assertEqual(self.journal.bank_statements_source, "undefined")
        self.proxy.book("T3", "4.00")
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4)

    def test_a_journal_that_is_created_with_a_feed_takes_it_from_the_other(self):
        other = self.new_journal(account_online_account_id=self.account.id)
        self.env.invalidate_all()
        self.assertEqual(self.account.journal_ids, other)

    def test_an_archived_journal_lets_its_feed_go(self):
        self.journal.active = False
        other = self.new_journal()
        self.account._link_journal(other)
        self.env.flush_all()
        self.proxy.book("T3", "4.00")
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4)

    def test_two_accounts_exchange_their_journals(self):
        self.proxy.add_account("A2")
        self.proxy.book("U1", "10.00", account_id="A2")
        other = self.new_journal()
        self.link._update_from_proxy(
            self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"],
            list(self.proxy.accounts.values()),
        )
        second = self.link.account_online_account_ids - self.account
        second._link_journal(other)
        self.synchronize(self.link)
        self.account._link_journal(other)
        second._link_journal(self.journal)
        self.env.flush_all()
        self.proxy.book("T3", "4.00")
        self.proxy.book("U2", "20.00", account_id="A2")
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4)
        lines = self.Line.search([("online_account_id", "=", second.id)])
        self.assertEqual(sorted(lines.mapped("amount")), [10, 20])

    def test_a_deleted_journal_makes_room_for_a_new_one_of_the_same_account(self):
        bank_account = self.journal.bank_account_id
        self.assertTrue(bank_account)
        self.statements().unlink()
        self.all_lines().unlink()
        self.journal.unlink()
        self.assertFalse(bank_account.active, "so does Odoo")
        new = self.account._create_journal()
        self.account._link_journal(new, start_date=False)
        self.assertEqual(new.bank_account_id, bank_account)
        self.assertTrue(bank_account.active)
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3)
        self.assertEqual(self.lines(new).mapped("amount"), [3, 2, 1])

    def test_merged_journals_have_each_transaction_once(self):
        """The entries of one journal move to another, and the feed with them."""
        other = self.new_journal()
        self.statements().unlink()
        self.all_lines().move_id.button_draft()
        self.all_lines().move_id.write({"name": False})
        self.all_lines().move_id.write({"journal_id": other.id})
        self.all_lines().move_id.action_post()
        self.account._link_journal(other, start_date=False)
        self.proxy.book("T3", "4.00")
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4)
        self.assertEqual(len(self.lines(other)), 4)

    # -------------------------------------------------------------------------
    # THE JOURNAL CHANGES
    # -------------------------------------------------------------------------

    def assert_refused_as_a_whole(self, *words):
        """Nothing is parked, a sentence says what to do, and afterwards everything comes in once."""
        self.proxy.book("T3", "4.00")
        run = self.synchronize(self.link)
        self.assertEqual(run.state, "failed")
        for word in words:
            self.assertIn(word, run.error_message)
        self.assertFalse(self.beside())
        self.assertEqual(len(self.all_lines()), 3)

    def assert_mended(self):
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4)

    def test_without_a_suspense_account_the_run_says_so_and_parks_nothing(self):
        suspense, self.journal.suspense_account_id = self.journal.suspense_account_id, False
        self.assert_refused_as_a_whole("suspense account", self.journal.display_name)
        self.journal.suspense_account_id = suspense
        self.assert_mended()

    def test_with_an_archived_suspense_account_the_run_says_so_and_parks_nothing(self):
        self.journal.suspense_account_id = self.journal.suspense_account_id.copy()
        self.journal.suspense_account_id.active = False
        self.assert_refused_as_a_whole("archived", self.journal.suspense_account_id.code)
        self.journal.suspense_account_id.active = True
        self.assert_mended()

    def test_before_the_first_load_nothing_is_reported_as_missing(self):
        self.journal.restrict_mode_hash_table = True
        for last_sync, said, not_said in (
            (False, "Nothing has been fetched yet", "next synchronization"),
            ("2026-05-01", "next synchronization", "Nothing has been fetched yet"),
        ):
            self.account.sudo().last_sync = last_sync
            self.synchronize(self.link)
            self.assertIn(said, self.link.error_message)
            self.assertNotIn(not_said, self.link.error_message)

    def test_with_an_archived_bank_account_in_the_chart_the_run_says_so(self):
        self.journal.default_account_id.active = False
        self.assert_refused_as_a_whole("archived", self.journal.default_account_id.code)
        self.journal.default_account_id.active = True
        self.assert_mended()

    def test_a_journal_of_another_type_is_reported(self):
        self.env.cr.execute("UPDATE account_journal SET type = 'general' WHERE id = %s", [self.journal.id])
        self.journal.invalidate_recordset(["type"])
        self.assert_refused_as_a_whole(self.journal.name, "bank journal")
        self.env.cr.execute("UPDATE account_journal SET type = 'bank' WHERE id = %s", [self.journal.id])
        self.journal.invalidate_recordset(["type"])
        self.assert_mended()

    def test_a_journal_with_another_currency_is_reported(self):
        """The company's currency can change as long as nothing is posted; the journal is not checked then."""
        other = self.env.ref("base.CHF")
        self.env.cr.execute("UPDATE account_journal SET currency_id = %s WHERE id = %s", [other.id, self.journal.id])
        self.journal.invalidate_recordset(["currency_id"])
        self.assert_refused_as_a_whole("CHF", self.account.currency_id.name)
        self.env.cr.execute("UPDATE account_journal SET currency_id = NULL WHERE id = %s", [self.journal.id])
        self.journal.invalidate_recordset(["currency_id"])
        self.assert_mended()

    def test_a_bank_that_keeps_an_account_in_another_currency_brings_no_balance_of_it(self):
        self.proxy.accounts["A1"].update(currency="CHF", balance="999.00")
        before = self.account.balance
        self.synchronize(self.link)
        self.assertEqual(self.account.balance, before)
        self.assertEqual(self.account.currency_id, self.company.currency_id)

    def test_with_another_format_of_numbers_each_transaction_comes_once(self):
        self.lines()[-1].move_id.name = "STM-0001/A"
        self.proxy.book("T3", "4.00")
        self.assert_mended()

    def test_a_journal_that_secures_its_entries_when_posted_is_reported(self):
        """Odoo secures reconciled bank transactions only, so it refuses to post any other in such a journal."""
        self.journal.restrict_mode_hash_table = True
        self.assert_refused_as_a_whole("Hash", self.journal.name)
        self.journal.restrict_mode_hash_table = False
        self.assert_mended()

    def test_a_bank_account_of_another_partner_stops_nothing(self):
        partner = self.env["res.partner"].create({"name": "Somebody"})
        self.env.cr.execute(
            "UPDATE res_partner_bank SET partner_id = %s WHERE id = %s", [partner.id, self.journal.bank_account_id.id]
        )
        self.env.invalidate_all()
        self.proxy.book("T3", "4.00")
        self.assert_mended()

    def test_a_kind_of_account_that_changes_at_the_bank_stops_nothing(self):
        self.proxy.accounts["A1"]["type"] = "credit_card"
        self.proxy.book("T3", "4.00")
        self.assert_mended()

    # -------------------------------------------------------------------------
    # ONE TRANSACTION
    # -------------------------------------------------------------------------

    def test_a_foreign_amount_that_rounds_to_zero_parks_nothing(self):
        self.env.ref("base.JPY").active = True
        self.env.ref("base.CHF").active = True
        self.proxy.book("T3", "4.00", foreign_amount="0.4", foreign_currency="JPY")
        self.proxy.book("T4", "5.00", foreign_amount="4.567", foreign_currency="CHF")
        self.synchronize(self.link)
        self.assert_each_once(1, 2, 3, 4, 5)
        line = self.all_lines().filtered(lambda one: one.amount == 4)
        self.assertFalse(line.foreign_currency_id)
        self.assertEqual(line.transaction_details["foreign_amount"], "0.4")
        self.assertEqual(self.all_lines().filtered(lambda one: one.amount == 5).amount_currency, 4.57)
