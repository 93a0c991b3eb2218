from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestAccountChoice(OnlineSyncCommon):
    """What is proposed for the accounts of a connection, and why; and that a choice is applied as a whole."""

    def choose(self, link=None, journal=None, refresh=False):
        link = link or self.connect()
        return self.env["account.online.account.selection"]._create_for(link, journal, refresh=refresh)

    def type_in(self, journal, day):
        self.Line.create({"journal_id": journal.id, "date": day, "amount": 1, "payment_ref": "Typed"})

    # -------------------------------------------------------------------------
    # WHICH JOURNAL
    # -------------------------------------------------------------------------

    def test_the_only_empty_journal_in_the_currency_is_proposed_to_the_current_account(self):
        self.proxy.add_account("A0", type="savings")
        lines = self.choose().line_ids
        self.assertRecordValues(
            lines.sorted("name", reverse=True),
            [
                {"action": "existing", "journal_id": self.journal.id, "name": "Account A1"},
                {"action": "create", "journal_id": False, "name": "Account A0"},
            ],
        )
        self.assertIn("still empty", lines.filtered("journal_id").note)

    def test_a_journal_with_transactions_is_not_proposed_by_its_currency_alone(self):
        self.type_in(self.journal, self.days_ago(3))
        self.assertRecordValues(self.choose().line_ids, [{"action": "create", "journal_id": False}])

    def test_of_two_empty_journals_none_is_guessed(self):
        self.journal.copy({"code": "OTHER", "name": "Another Bank"})
        self.assertEqual(self.choose().line_ids.action, "create")

    def test_one_journal_is_proposed_once(self):
        self.proxy.add_account("A2")
        self.assertEqual(self.choose(journal=self.journal).line_ids.mapped("action"), ["existing", "create"])

    def test_the_number_counts_more_than_where_the_user_started(self):
        numbered = self.journal.copy({"code": "NUMB", "name": "Numbered"})
        numbered.set_bank_account("BE71 0961 2345 6769")
        self.proxy.accounts["A1"]["number"] = "BE71096123456769"
        line = self.choose(journal=self.journal).line_ids
        self.assertEqual((line.journal_id, line.note), (numbered, "The journal has this account's number."))

    def test_a_journal_with_the_number_of_two_alike_accounts_is_not_guessed(self):
        """A pot may have the number of its current account, and the bank may call both a current account."""
        self.journal.set_bank_account("BE71 0961 2345 6769")
        self.proxy.accounts["A1"]["number"] = "BE71096123456769"
        self.proxy.add_account("A2", number="BE71096123456769")
        self.assertEqual(self.choose().line_ids.mapped("action"), ["create", "create"])

    def test_a_card_does_not_get_the_journal_of_the_account_whose_number_it_has(self):
        self.env["account.journal"].search([("type", "=", "credit")]).active = False
        self.journal.set_bank_account("BE71 0961 2345 6769")
        self.proxy.accounts["A1"] |= {"number": "BE71096123456769", "type": "credit_card"}
        self.proxy.add_account("A2", number="BE71096123456769")
        lines = self.choose().line_ids.sorted("name")
        self.assertEqual(lines.mapped("journal_id"), self.journal)
        self.assertEqual(lines.mapped("action"), ["create", "existing"])

    def test_a_credit_card_gets_a_credit_journal(self):
        self.env["account.journal"].search([("type", "=", "credit")]).active = False
        self.proxy.accounts["A1"]["type"] = "credit_card"
        line = self.choose().line_ids
        self.assertEqual((line.action, line.journal_type), ("create", "credit"), "the empty bank journal is not for it")
        line.selection_id.action_confirm()
        self.assertEqual(line.account_online_account_id.journal_ids.type, "credit")

    def test_an_empty_credit_journal_is_proposed_to_a_credit_card(self):
        credit = self.env["account.journal"].create({"name": "Card", "type": "credit", "code": "CARD"})
        self.env["account.journal"].search([("type", "=", "credit"), ("id", "!=", credit.id)]).active = False
        self.proxy.accounts["A1"]["type"] = "credit_card"
        self.assertEqual(self.choose().line_ids.journal_id, credit)

    # -------------------------------------------------------------------------
    # CURRENCIES
    # -------------------------------------------------------------------------

    def test_journals_in_another_currency_are_not_offered_and_the_row_says_why(self):
        self.setup_other_currency("GBP")
        self.journal.set_bank_account("BE71 0961 2345 6769")
        self.proxy.accounts["A1"].update(number="BE71096123456769", currency="GBP")
        line = self.choose().line_ids
        self.assertEqual(line.action, "create")
        self.assertNotIn(self.journal, line.allowed_journal_ids)
        self.assertIn("Bank is in USD and this account in GBP, so a new journal is proposed", line.note)

    def test_starting_journal_in_another_currency_is_explained(self):
        self.setup_other_currency("GBP")
        self.proxy.accounts["A1"]["currency"] = "GBP"
        self.assertIn("Bank is in USD and this account in GBP", self.choose(journal=self.journal).line_ids.note)

    def test_a_mismatch_is_a_problem_of_the_row_and_nothing_is_done(self):
        self.setup_other_currency("GBP")
        self.proxy.add_account("A2", currency="GBP")
        selection = self.choose()
        journals = self.env["account.journal"].search_count([])
        selection.line_ids[1].write({"action": "existing", "journal_id": self.journal.id})
        selection.line_ids[0].action = "create"
        self.assertRegex(
            selection.line_ids[1].problem, "is in GBP, but the journal Bank is in USD. Choose a journal in"
        )
        with self.assertRaisesRegex(UserError, "is in GBP, but the journal Bank is in USD"):
            selection.action_confirm()
        self.assertEqual(self.env["account.journal"].search_count([]), journals)

    # -------------------------------------------------------------------------
    # ALL OR NONE
    # -------------------------------------------------------------------------

    def test_no_journal_is_created_in_a_company_without_a_chart_of_accounts(self):
        selection = self.choose()
        selection.line_ids.action = "create"
        self.assertFalse(selection.problem)
        self.company.account_journal_suspense_account_id = False
        selection.line_ids.action = "none"
        self.assertFalse(selection.problem)
        selection.line_ids.action = "create"
        journals = self.env["account.journal"].search_count([])
        with self.assertRaisesRegex(UserError, "no suspense account for bank transactions"):
            selection.action_confirm()
        self.assertEqual(self.env["account.journal"].search_count([]), journals)

    def test_two_rows_with_one_journal_are_reported_before_any_change(self):
        self.proxy.add_account("A2")
        self.proxy.add_account("A3")
        selection = self.choose()
        selection.line_ids[:2].write({"action": "existing", "journal_id": self.journal.id})
        self.assertIn("Bank was chosen for several accounts: Account A1", selection.problem)
        with self.assertRaisesRegex(UserError, "A journal is filled by one account"):
            selection.action_confirm()
        self.assertFalse(selection.account_online_link_id.journal_ids)

    def test_all_problems_are_reported_together(self):
        self.proxy.add_account("A2")
        selection = self.choose()
        selection.line_ids[0].write({"action": "existing", "journal_id": False})
        selection.line_ids[1].write({"action": "create", "journal_name": " "})
        self.assertIn("choose a journal for Account A1", selection.problem)
        self.assertIn("name the new journal for Account A2", selection.problem)

    def test_choice_that_was_made_meanwhile_is_not_made_again(self):
        first = self.choose()
        second = self.choose(first.account_online_link_id)
        for selection in (first, second):
            selection.line_ids.write({"action": "create", "journal_id": False})
        first.action_confirm()
        linked = first.account_online_link_id.journal_ids
        count = self.env["account.journal"].search_count([])
        for selection in (first, second):
            with self.assertRaisesRegex(UserError, "Another journal was chosen for"):
                selection.action_confirm()
        self.assertEqual(first.account_online_link_id.journal_ids, linked)
        self.assertEqual(self.env["account.journal"].search_count([]), count)

    def test_a_choice_does_not_wait_for_a_concurrent_one(self):
        selection = self.choose()
        nothing = self.env["account.online.account"]
        with (
            patch.object(type(nothing), "try_lock_for_update", lambda *_args, **_named: nothing),
            self.assertRaisesRegex(UserError, "Try again in a moment"),
        ):
            selection.action_confirm()
        self.assertFalse(selection.account_online_link_id.journal_ids)

    def test_a_journal_that_another_account_has_taken_meanwhile_is_refused(self):
        selection = self.choose(journal=self.journal)
        self.proxy.accounts = {"B1": {**self.proxy.accounts["A1"], "id": "B1", "name": "Account B1"}}
        self.connect_journal()
        with self.assertRaisesRegex(UserError, "Bank is filled by Account B1"):
            selection.action_confirm()

    # -------------------------------------------------------------------------
    # NAME OF A NEW JOURNAL
    # -------------------------------------------------------------------------

    def test_a_new_journal_is_called_after_the_bank_and_the_end_of_the_number(self):
        self.type_in(self.journal, self.days_ago(3))
        self.proxy.accounts["A1"]["number"] = "BE71 0961 2345 6769"
        self.proxy.add_account("A2", number="BE99 0961 0000 6769")
        self.assertEqual(
            self.choose().line_ids.mapped("journal_name"), ["Scripted Bank ••••6769", "Scripted Bank Account A2 6769"]
        )

    def test_a_bank_that_an_account_is_called_after_is_not_named_twice(self):
        self.type_in(self.journal, self.days_ago(3))
        self.proxy.accounts["A1"].update(name="Scripted Bank EUR", number=None)
        self.assertEqual(self.choose().line_ids.mapped("journal_name"), ["Scripted Bank EUR"])

    def test_the_name_can_be_changed_and_each_gets_a_short_code_of_its_own(self):
        self.proxy.add_account("A2")
        selection = self.choose()
        selection.line_ids.write({"action": "create", "journal_id": False})
        selection.line_ids[0].journal_name = "  Our Account "
        selection.action_confirm()
        journals = selection.account_online_link_id.journal_ids
        self.assertEqual(set(journals.mapped("name")), {"Our Account", "Scripted Bank Account A2"})
        self.assertEqual(len(set(journals.mapped("code"))), 2)

    # -------------------------------------------------------------------------
    # FROM WHICH DAY
    # -------------------------------------------------------------------------

    def test_a_journal_with_transactions_begins_the_day_after_the_last(self):
        self.type_in(self.journal, date(2026, 5, 10))
        line = self.choose(journal=self.journal).line_ids
        self.assertEqual(line.start_date, date(2026, 5, 11))
        self.assertEqual(line.start_reason, "The day after the last transaction in Bank, of 05/10/2026.")

    def test_an_earlier_day_warns_of_what_is_there_already(self):
        self.type_in(self.journal, date(2026, 5, 10))
        line = self.choose(journal=self.journal).line_ids
        line.start_date = date(2026, 5, 1)
        self.assertIn("Bank has transactions up to 05/10/2026", line.start_reason)

    def test_nothing_is_proposed_before_the_lock_date(self):
        self.company.fiscalyear_lock_date = date(2026, 4, 30)
        line = self.choose().line_ids
        self.assertEqual((line.start_date, line.start_reason), (date(2026, 5, 1), "The day after your lock date."))
        line.start_date = False
        self.assertEqual(
            line.start_reason,
            "Your books are locked up to 04/30/2026: transactions dated on or before that day are left out.",
        )

    def test_the_last_transaction_counts_when_it_is_after_the_lock_date(self):
        self.type_in(self.journal, date(2026, 5, 10))
        self.company.fiscalyear_lock_date = date(2026, 4, 30)
        self.assertEqual(self.choose(journal=self.journal).line_ids.start_date, date(2026, 5, 11))

    def test_without_either_it_is_as_far_back_as_the_bank_allows(self):
        line = self.choose().line_ids
        self.assertFalse(line.start_date)
        self.assertIn("it does not say how far", line.start_reason)

    def test_the_limit_of_the_bank_is_shown_if_known(self):
        self.proxy.capabilities = {"auto_sync": True, "history_days": 90}
        line = self.choose().line_ids
        self.assertIn("As far back as the bank allows: 90 days", line.start_reason)
        line.start_date = self.today() - timedelta(days=200)
        self.assertIn("As far back as the bank allows: 90 days", line.start_reason)
        line.start_date = self.today() - timedelta(days=20)
        self.assertEqual(line.start_reason, "The day you chose.")

    def test_a_limit_that_is_not_a_number_of_days_is_ignored(self):
        for days in ("90", -1, 10**12, None, [90]):
            self.proxy.capabilities = {"history_days": days}
            self.assertFalse(self.connect().history_days)

    def test_choosing_another_journal_changes_the_proposed_day(self):
        self.type_in(self.journal, date(2026, 5, 10))
        selection = self.choose()
        with Form(selection) as form, form.line_ids.edit(0) as line:
            self.assertFalse(line.start_date)
            line.action = "existing"
            line.journal_id = self.journal
            self.assertEqual(line.start_date, date(2026, 5, 11))
            line.action = "create"
            self.assertFalse(line.start_date)

    # -------------------------------------------------------------------------
    # LATER
    # -------------------------------------------------------------------------

    def test_fetch_accounts_says_when_nothing_is_new_and_shows_all_on_demand(self):
        selection = self.choose(self.connect_journal(), refresh=True)
        self.assertFalse(selection.line_ids)
        self.assertEqual(selection.hidden_count, 1)
        selection.action_show_all()
        self.assertRecordValues(selection.line_ids, [{"action": "existing", "journal_id": self.journal.id}])
        self.assertEqual(selection.line_ids.note, "It is already used for this account.")
        self.assertFalse(selection.hidden_count)

    def test_an_account_that_was_left_out_is_not_offered_again_but_can_be_reached(self):
        selection = self.choose()
        selection.line_ids.action = "none"
        selection.action_confirm()
        again = self.choose(selection.account_online_link_id, refresh=True)
        self.assertFalse(again.line_ids)
        again.action_show_all()
        self.assertEqual(again.line_ids.action, "none")
        again.line_ids.write({"action": "create"})
        again.action_confirm()
        account = again.line_ids.account_online_account_id
        self.assertTrue(account.journal_ids)
        self.assertFalse(account.is_left_out)

    def test_after_a_new_consent_without_new_accounts_all_are_shown(self):
        link = self.connect_journal()
        self.assertEqual(len(self.choose(link).line_ids), 1)

    def test_unlinking_and_linking_elsewhere_say_what_stays(self):
        selection = self.choose(self.connect_journal())
        line = selection.line_ids
        line.action = "none"
        self.assertIn("No new transactions will arrive in Bank. Imported transactions stay there", line.note)
        line.write({"action": "create", "journal_id": False})
        self.assertIn("What was imported stays in Bank", line.note)

    def test_choosing_nothing_fetches_nothing(self):
        selection = self.choose()
        selection.line_ids.action = "none"
        self.assertIn("No account was chosen", selection.action_confirm()["params"]["message"])
        self.assertNotIn("connections.refresh", self.requested_operations())
