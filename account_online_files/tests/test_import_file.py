import json
from datetime import timedelta
from email.message import EmailMessage
from itertools import permutations
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..wizards import account_online_file_import_statement
from .common import DAY, FilesCommon

IBAN, OTHER_IBAN = "BE71096123456769", "BE68539007547034"


@tagged("post_install", "-at_install")
@freeze_time("2026-05-21 10:00:00")
class TestImportFile(FilesCommon):
    """A statement file goes the way of a synchronization: nothing is lost, nothing comes twice."""

    def test_a_preview_writes_nothing(self):
        links = self.Link.search_count([])
        wizard = self.drop(self.statement([self.row(3, "-5"), self.row(2, "-7")], opening=100))
        self.assertEqual(self.counts(wizard), {"new": 2})
        self.assertFalse(self.lines())
        self.assertFalse(self.File.search([]))
        self.assertFalse(self.journal.account_online_account_id)
        self.assertEqual(self.Link.search_count([]), links)
        statement = wizard.statement_ids
        self.assertEqual((statement.opening_balance, statement.closing_balance), (100, 88))
        self.assertEqual([section["count"] for section in wizard.sections], [2])

    def test_a_file_fills_the_journal_with_its_balances(self):
        self.import_file(self.statement([self.row(3, "-5"), self.row(2, "-7")], opening=100))
        self.assertEqual(self.amounts(), [-7, -5])
        self.assertEqual(self.balances(), [("2026-05-01", 100, 88)])
        self.assertTrue(self.statements().is_complete)
        self.assertEqual(self.journal.account_online_account_id.balance_difference, 0)

    def test_the_same_file_twice_brings_nothing_new(self):
        content = self.statement([self.row(3, "-5"), self.row(3, "-5"), self.row(2, "-7")])
        self.import_file(content)
        wizard = self.drop(content, name="again.tiny")
        self.assertEqual(self.counts(wizard), {"known": 3})
        self.assertIn("This file was already imported on", wizard.statement_ids.notes)
        self.assertFalse(self.import_file(content))
        self.assertEqual(self.amounts(), [-7, -5, -5])

    def test_what_follows_an_import_follows_a_file_too(self):
        content = self.statement([self.row(3, "-5")])
        with patch.object(self.registry["account.online.run"], "_after_import", autospec=True) as follows:
            self.import_file(content)
            self.import_file(content)
        self.assertEqual([call.args[1].ids for call in follows.call_args_list], [self.journal.ids])

    def test_what_follows_an_import_follows_doubtful_transactions_too(self):
        self.import_file(self.statement([self.row(2, "-2.5")], start=None, end=None))
        (file,) = self.import_file(self.statement([self.row(2, "-2.5"), self.row(2, "-9")], start=None, end=None))
        with patch.object(self.registry["account.online.run"], "_after_import", autospec=True) as follows:
            file.action_import_doubtful()
            file.action_import_doubtful()
        self.assertEqual(
            [(call.args[0], call.args[1]) for call in follows.call_args_list], [(file.run_id, self.journal)]
        )

    def test_a_file_stays_imported_where_what_follows_fails(self):
        fails = patch.object(self.registry["account.online.run"], "_after_import", side_effect=ValueError)
        with fails, self.assertLogs("odoo.addons.account_online_files", "ERROR"):
            self.import_file(self.statement([self.row(3, "-5")]))
        self.assertEqual(self.amounts(), [-5])

    def test_files_that_overlap_bring_each_transaction_once(self):
        rows = [self.row(4, "-1"), self.row(3, "-2"), self.row(3, "-2"), self.row(2, "-3"), self.row(1, "-4")]
        self.import_file(self.statement(rows[:3], opening=0))
        self.import_file(self.statement(rows[1:4], opening=-1))
        self.import_file(self.statement(rows[3:], opening=-5))
        self.assertEqual(self.amounts(), [-4, -3, -2, -2, -1])
        self.assertEqual(self.balances()[0][1:], (0, -12))

    def test_the_wrong_order_gives_the_same_balances(self):
        first, second = [self.row(40, "-1"), self.row(35, "-2")], [self.row(3, "-3"), self.row(1, "-4")]
        self.import_file(self.statement(second, opening=97))
        self.import_file(self.statement(first, opening=100))
        self.assertEqual(self.balances(), [("2026-04-01", 100, 97), ("2026-05-01", 97, 90)])
        self.assertFalse(self.journal.account_online_account_id.file_holes)

    def test_a_hole_between_two_statements_is_shown_with_its_days(self):
        self.import_file(self.statement([self.row(10, "-1")], opening=100))
        self.import_file(self.statement([self.row(3, "-3")], opening=90))
        card = self.journal._get_online_sync_dashboard_data()[self.journal.id]
        self.assertEqual(len(card["files_holes"]), 1)
        self.assertIn("05/10/2026 and 05/17/2026", card["files_holes"][0])
        self.import_file(self.statement([self.row(7, "-9")], opening=99))
        card = self.journal._get_online_sync_dashboard_data()[self.journal.id]
        self.assertFalse(card["files_holes"])

    def test_a_file_without_balances_is_not_compared_with_an_older_balance(self):
        self.import_file(self.statement([self.row(5, "-1")], opening=100))
        self.import_file(self.statement([self.row(3, "-3"), self.row(2, "-4")], kind="list"))
        card = self.journal._get_online_sync_dashboard_data()[self.journal.id]
        self.assertFalse(card["difference"])

    def test_any_order_of_statements_gives_the_balances_of_the_bank(self):
        """Also of two statements of one day, and although the one between them comes last."""
        march, noon, night = (
            self.statement([self.row(40, "-5")], opening=100),
            self.statement([self.row(3, "-1"), self.row(2, "-2.5")], opening=95),
            self.statement([self.row(2, "-3"), self.row(1, "-9")], opening="91.5"),
        )
        night.update(opening=["91.5", night["start"]], start=None)
        for statements in permutations((march, noon, night)):
            with self.subTest([one["opening"] for one in statements]), self.cr.savepoint() as savepoint:
                for one in statements:
                    self.import_file(one)
                self.assertEqual(self.amounts(), [-9, -5, -3, -2.5, -1])
                self.assertEqual([pair[1:] for pair in self.balances()], [(100, 95), (95, 79.5)])
                self.assertFalse(self.journal._get_online_sync_dashboard_data()[self.journal.id]["difference"])
                savepoint.rollback()
            self.env.invalidate_all()

    def test_a_doubtful_transaction_before_the_first_line_is_part_of_the_opening_balance(self):
        self.import_file(self.statement([self.row(2, "-2.5"), self.row(1, "-9")], start=None, closing=["86", str(DAY)]))
        noon = self.statement([self.row(3, "-1"), self.row(2, "-2.5"), self.row(2, "1")], opening=100)
        noon.update(closing=["97.5", noon["start"]], end=None)
        (file,) = self.import_file(noon)
        self.assertEqual((file.doubtful_count, self.balances()[0][1]), (1, 100))
        file.action_import_doubtful()
        self.assertEqual((self.balances()[0][1], self.balances()[-1][2]), (100, 86))

    def test_undo_of_the_oldest_statement_leaves_the_opening_balance_of_the_next_one(self):
        self.import_file(self.statement([self.row(3, "-1")], opening=90))
        (oldest,) = self.import_file(self.statement([self.row(40, "-5")], opening=100))
        self.assertEqual([pair[1:] for pair in self.balances()], [(100, 95), (95, 94)])
        oldest.action_undo()
        self.assertEqual([pair[1:] for pair in self.balances()], [(90, 89)])

    def test_what_a_lock_keeps_before_the_first_line_is_part_of_the_opening_balance(self):
        self.company.fiscalyear_lock_date = DAY - timedelta(days=10)
        self.import_file(self.statement([self.row(12, "-5"), self.row(3, "-1")], opening=100))
        self.assertEqual([pair[1:] for pair in self.balances()], [(95, 94)])
        self.company.fiscalyear_lock_date = False
        self.import_file(self.statement([self.row(1, "-1")], opening=94))
        self.assertEqual([pair[1:] for pair in self.balances()], [(100, 93)])

    def test_what_a_user_deletes_before_the_first_line_is_part_of_the_opening_balance(self):
        self.import_file(self.statement([self.row(45, "-5")], opening=100))
        self.import_file(self.statement([self.row(3, "-1")], opening=95))
        self.delete(self.lines().filtered(lambda line: line.amount == -5))
        self.import_file(self.statement([self.row(1, "-2")], opening=94))
        self.assertEqual(self.balances()[-1][1:], (95, 92))

    def test_what_is_kept_with_an_earlier_value_date_is_part_of_the_opening_balance(self):
        self.import_file(self.statement([self.row(2, "-1")], opening=93))
        self.journal.account_online_account_id.date_choice = "value"
        self.company.fiscalyear_lock_date = DAY - timedelta(days=11)
        interest = self.row(10, "-7", value_date=str(DAY - timedelta(days=12)))
        self.import_file(self.statement([interest, self.row(3, "-1")], opening=101))
        self.assertEqual(self.beside().mapped("state"), ["left_out"])
        self.assertEqual([pair[1:] for pair in self.balances()], [(94, 92)])

    def test_a_part_of_a_day_is_a_question_and_no_loss(self):
        morning = self.statement([self.row(2, "-2.5")], start=None, end=None)
        afternoon = self.statement([self.row(2, "-2.5"), self.row(2, "-9")], start=None, end=None)
        self.import_file(morning)
        (file,) = self.import_file(afternoon)
        self.assertEqual(self.amounts(), [-9, -2.5])
        self.assertEqual(file.doubtful_count, 1)
        card = self.journal._get_online_sync_dashboard_data()[self.journal.id]
        self.assertEqual(card["files_doubtful"], 1)
        file.action_import_doubtful()
        self.assertEqual(self.amounts(), [-9, -2.5, -2.5])
        self.assertEqual(self.lines().filtered("online_possible_duplicate").mapped("amount"), [-2.5])

    def test_a_doubtful_transaction_is_imported_where_a_user_selects_it(self):
        self.import_file(self.statement([self.row(2, "-2.5")], start=None, end=None))
        wizard = self.drop(self.statement([self.row(2, "-2.5"), self.row(2, "-9")], start=None, end=None))
        (section,) = [one for one in wizard.sections if one["key"].endswith("doubtful")]
        wizard.write({"chosen": [section["rows"][0]["key"]]})
        wizard.action_import()
        self.assertEqual(self.amounts(), [-9, -2.5, -2.5])
        doubtful = self.lines().filtered("online_possible_duplicate")
        self.assertEqual(
            doubtful.online_duplicate_of_id, self.lines().filtered(lambda one: one.amount == -2.5) - doubtful
        )

    def test_a_later_file_of_the_whole_day_settles_a_doubt(self):
        self.import_file(self.statement([self.row(2, "-2.5")], start=None, end=None))
        (file,) = self.import_file(self.statement([self.row(2, "-2.5"), self.row(2, "-9")], start=None, end=None))
        self.import_file(self.statement([self.row(3, "-1"), self.row(2, "-2.5"), self.row(2, "-9"), self.row(1, "-1")]))
        self.assertEqual(file.doubtful_count, 0)
        self.assertEqual(self.amounts(), [-9, -2.5, -1, -1])

    def test_a_corrected_file_updates_its_line(self):
        self.import_file(self.statement([self.row(2, "-5", "Wrong", id="A")], opening=100))
        self.import_file(self.statement([self.row(2, "-6", "Right", id="A")], opening=100))
        self.assertEqual([(line.amount, line.payment_ref) for line in self.lines()], [(-6, "Right")])

    def test_lines_that_were_typed_are_recognized(self):
        typed = self.Line.create(
            {"journal_id": self.journal.id, "date": "2026-05-18", "amount": -5, "payment_ref": "x"}
        )
        wizard = self.drop(self.statement([self.row(2, "-5"), self.row(1, "-6")]))
        self.assertEqual(self.counts(wizard), {"new": 1, "adopted": 1})
        self.import_file(self.statement([self.row(2, "-5"), self.row(1, "-6")]))
        self.assertEqual(self.amounts(), [-6, -5])
        self.assertTrue(typed.online_adopted)

    def test_a_deleted_line_does_not_come_back(self):
        content = self.statement([self.row(3, "-5"), self.row(2, "-7")])
        self.import_file(content)
        self.delete(self.lines()[0])
        self.import_file(self.statement([self.row(4, "-1"), self.row(3, "-5"), self.row(2, "-7")]))
        self.assertEqual(self.amounts(), [-7, -1])

    def test_what_cannot_be_read_is_kept_and_shown(self):
        wizard = self.drop(self.statement([self.row(3, "-5"), self.row(2, "much")]))
        self.assertEqual(self.counts(wizard), {"new": 1, "unreadable": 1})
        self.import_file(self.statement([self.row(3, "-5"), self.row(2, "much")]))
        self.assertEqual(len(self.beside("parked")), 1)

    # -------------------------------------------------------------------------
    # ACCOUNTS AND JOURNALS
    # -------------------------------------------------------------------------

    def test_a_file_of_another_account_is_refused_with_both_numbers(self):
        self.journal.set_bank_account(IBAN)
        wizard = self.drop(self.statement([self.row(3, "-5")], number=OTHER_IBAN))
        self.assertIn(IBAN, wizard.statement_ids.problem)
        self.assertIn(OTHER_IBAN, wizard.statement_ids.problem)
        self.assertFalse(wizard.can_import)
        with self.assertRaises(UserError):
            wizard.action_import()
        self.assertFalse(self.lines())

    def test_a_file_without_a_number_asks_once(self):
        wizard = self.drop(self.statement([self.row(3, "-5")]))
        self.assertTrue(wizard.statement_ids.question)
        with self.assertRaises(UserError):
            wizard.action_import()
        wizard.sudo().statement_ids.is_confirmed = True
        wizard.action_preview()
        wizard.action_import()
        self.assertFalse(self.drop(self.statement([self.row(2, "-6")])).statement_ids.question)

    def test_one_press_answers_the_question_and_updates_the_preview(self):
        user = self.new_user("account.group_account_user")
        wizard = self.drop(self.statement([self.row(3, "-5")]), user=user)
        self.assertFalse(wizard.can_import)
        action = wizard.statement_ids.action_confirm()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        self.assertTrue(wizard.can_import)
        self.assertEqual(wizard.summary, "1 new transaction can be imported.")
        self.assertFalse(self.lines())

    def test_only_the_server_says_that_the_question_is_answered(self):
        user = self.new_user("account.group_account_user")
        wizard = self.drop(self.statement([self.row(3, "-5")]), user=user)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            wizard.statement_ids.is_confirmed = True
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            wizard.statement_ids = [(1, wizard.statement_ids.id, {"is_confirmed": True})]
        with self.assertRaises(UserError):
            wizard.action_import()

    def test_import_is_what_the_preview_proposes_only_where_there_is_news(self):
        content = self.statement([self.row(3, "-5")])
        wizard = self.drop(content)
        self.assertFalse(wizard.has_news)
        wizard.statement_ids.action_confirm()
        self.assertTrue(wizard.has_news)
        wizard.action_import()
        again = self.drop(content)
        self.assertTrue(again.can_import)
        self.assertFalse(again.has_news)
        again.action_back()
        self.assertFalse(again.has_news)
        doubtful = self.drop(self.statement([self.row(3, "-5")], start=None, end=None, opening=None), name="part.tiny")
        self.assertEqual(doubtful.has_news, bool(self.counts(doubtful).keys() - {"known"}))

    def test_a_summary_without_new_transactions_counts_none(self):
        self.import_file(self.statement([self.row(3, "-5"), self.row(2, "much")]))
        wizard = self.drop(self.statement([self.row(3, "-5"), self.row(2, "more")]))
        self.assertEqual(self.counts(wizard).get("new"), None)
        self.assertEqual(wizard.summary, "No new transactions. See below what else the file contains.")

    def test_a_summary_does_not_call_known_what_could_not_be_read(self):
        known = self.statement([self.row(3, "-5")])
        self.import_file(known)
        wizard = self.drop(known, name="1.tiny")
        self.assertEqual(wizard.summary, "Nothing new: all transactions are in the journal already.")
        wizard.attachment_ids += self.upload(b"nothing", name="2.txt")
        wizard.action_read()
        self.assertEqual(wizard.summary, "No new transactions. See below what else the file contains.")
        self.assertEqual(wizard.statement_ids.sorted("id").attachment_id.mapped("name"), ["1.tiny", "2.txt"])

    def test_an_unreadable_transaction_has_its_day_as_the_user_writes_it(self):
        user = self.new_user("account.group_account_user")
        user.lang = self.env["res.lang"]._activate_lang("de_DE").code
        wizard = self.drop(self.statement([self.row(3, "-5"), self.row(2, "much")]), user=user)
        wizard.with_context(lang="de_DE").statement_ids.action_confirm()
        (section,) = [one for one in wizard.sections if one["key"].endswith("unreadable")]
        self.assertEqual([row["date"] for row in section["rows"]], ["18.05.2026"])

    def test_a_file_without_a_number_and_without_a_journal_says_so(self):
        action = self.Import._open(attachments=self.upload(self.statement([self.row(3, "-5")])))
        (statement,) = self.Import.browse(action["res_id"]).statement_ids
        self.assertEqual(
            statement.problem, "The file names no account. Choose the journal, or let a new one be created."
        )

    def test_a_number_from_before_ibans_is_recognised_in_the_iban_of_the_journal(self):
        self.journal.set_bank_account("NL91ABNA0417164300")
        action = self.Import._open(attachments=self.upload(self.statement([self.row(3, "-5")], number="417164300")))
        wizard = self.Import.browse(action["res_id"])
        self.assertEqual(wizard.statement_ids.journal_id, self.journal)
        self.assertFalse(wizard.statement_ids.problem or wizard.statement_ids.question)
        other = self.drop(self.statement([self.row(3, "-5")], number="41716430"))
        self.assertIn("is for account NL91ABNA0417164300", other.statement_ids.problem)

    def test_an_account_of_an_old_number_gets_the_iban_of_a_later_file(self):
        self.import_file(self.statement([self.row(3, "-5")], number="417164300"))
        self.import_file(self.statement([self.row(2, "-6")], number="NL91ABNA0417164300"))
        self.assertEqual(self.journal.account_online_account_id.account_number, "NL91ABNA0417164300")
        self.import_file(self.statement([self.row(1, "-7")], number="0417164300"))
        self.assertEqual(self.journal.account_online_account_id.account_number, "NL91ABNA0417164300")
        self.assertEqual(self.amounts(), [-7, -6, -5])

    def test_an_answer_holds_for_the_journal_that_was_asked_about(self):
        other = self.env["account.journal"].create({"name": "Second", "type": "bank", "code": "BNK8"})
        user = self.new_user("account.group_account_user")
        wizard = self.drop(self.statement([self.row(3, "-5")]), user=user)
        wizard.statement_ids.action_confirm()
        wizard.statement_ids.journal_id = other
        with self.assertRaisesRegex(UserError, "names no account"):
            wizard.action_import()
        wizard.statement_ids.action_confirm()
        self.assertFalse(wizard.can_import)
        self.assertIn("Second", wizard.statement_ids.question)
        wizard.statement_ids.action_confirm()
        self.assertTrue(wizard.can_import)

    def test_a_preview_of_another_user_can_not_be_answered(self):
        wizard = self.drop(self.statement([self.row(3, "-5")]))
        user = self.new_user("account.group_account_user")
        with self.assertRaises(AccessError):
            wizard.statement_ids.with_user(user).action_confirm()
        self.assertFalse(wizard.statement_ids.is_confirmed)

    def test_an_answer_keeps_the_selected_doubtful_transactions(self):
        self.import_file(self.statement([self.row(2, "-2.5")], start=None, end=None))
        wizard = self.drop(self.statement([self.row(2, "-2.5"), self.row(2, "-9")], start=None, end=None))
        (section,) = [one for one in wizard.sections if one["key"].endswith("doubtful")]
        wizard.chosen = [section["rows"][0]["key"], "9999:0", 7]
        wizard.statement_ids.action_confirm()
        self.assertEqual(wizard.chosen, [section["rows"][0]["key"]])

    def test_each_account_of_an_upload_finds_its_journal(self):
        self.journal.set_bank_account(IBAN)
        other = self.env["account.journal"].create({"name": "Second", "type": "bank", "code": "BNK8"})
        other.set_bank_account(OTHER_IBAN)
        self.import_file(
            self.statement([self.row(3, "-5")], number=IBAN), self.statement([self.row(3, "-6")], number=OTHER_IBAN)
        )
        self.assertEqual(self.amounts(), [-5])
        self.assertEqual(self.lines(other).mapped("amount"), [-6])

    def test_an_administrator_creates_the_journal_from_the_preview(self):
        action = self.Import._open(None, self.upload(self.statement([self.row(3, "-5")], number=IBAN)))
        wizard = self.Import.browse(action["res_id"])
        self.assertIn(IBAN, wizard.statement_ids.problem)
        wizard.statement_ids.create_journal = True
        wizard.action_preview()
        self.assertEqual(self.counts(wizard), {"new": 1})
        wizard.action_import()
        journal = wizard.statement_ids.journal_id
        self.assertEqual(self.lines(journal).mapped("amount"), [-5])
        self.assertEqual(journal.bank_account_id.sanitized_acc_number, IBAN)

    def test_a_broken_file_says_where(self):
        wizard = self.drop({"broken": True})
        self.assertIn("line 7", wizard.statement_ids.problem)
        self.assertFalse(wizard.can_import)

    # -------------------------------------------------------------------------
    # FILES AND CONNECTIONS
    # -------------------------------------------------------------------------

    def connect_same_account(self):
        self.proxy.accounts["A1"]["number"] = IBAN
        link = self.connect()
        self.assertEqual(link.account_online_account_ids.journal_ids, self.journal)
        return link

    def test_a_connection_takes_the_journal_over_and_nothing_comes_twice(self):
        rows = [self.row(6, "-1"), self.row(5, "-2"), self.row(5, "-2"), self.row(2, "-3")]
        self.import_file(self.statement(rows, opening=100, number=IBAN))
        for number, one in enumerate(rows):
            self.proxy.book(f"T{number}", one["amount"], one["booking_date"])
        self.proxy.book("T9", "-9", self.days_ago(1))
        link = self.connect_same_account()
        self.synchronize(link)
        self.assertEqual(self.amounts(), [-9, -3, -2, -2, -1])
        self.assertFalse(self.lines().filtered("online_possible_duplicate"))
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 5)

    def test_a_file_of_a_connected_account_brings_only_what_is_missing(self):
        self.proxy.accounts["A1"]["number"] = IBAN
        for day, amount in ((6, "-1"), (5, "-2"), (2, "-3")):
            self.proxy.book(f"T{day}", amount, self.days_ago(day))
        link = self.connect_journal()
        self.synchronize(link)
        account = link.account_online_account_ids
        last_sync = account.last_sync
        old = self.statement([self.row(20, "-7"), self.row(6, "-1"), self.row(5, "-2"), self.row(2, "-3")], number=IBAN)
        wizard = self.drop(old)
        self.assertEqual(self.counts(wizard), {"new": 1, "known": 3})
        wizard.action_import()
        self.assertEqual(self.amounts(), [-7, -3, -2, -1])
        self.assertEqual(account.last_sync, last_sync)
        self.assertEqual(self.lines().mapped("online_account_id"), account)
        self.synchronize(link)
        self.assertEqual(self.amounts(), [-7, -3, -2, -1])
        self.assertFalse(self.lines().filtered("online_possible_duplicate"))

    def test_a_list_of_changes_imports_nothing_again_that_a_file_contained(self):
        self.proxy.accounts["A1"]["number"] = IBAN
        self.proxy.has_bookmarks = True
        self.proxy.book("T1", "-1", self.days_ago(3))
        link = self.connect_journal()
        self.synchronize(link)
        self.import_file(self.statement([self.row(1, "-2"), self.row(0, "-3")], number=IBAN))
        self.synchronize(link)
        self.proxy.book("T2", "-2", self.days_ago(1))
        self.proxy.book("T3", "-3", self.days_ago(0))
        self.synchronize(link)
        self.assertEqual(self.amounts(), [-3, -2, -1])
        self.proxy.book("T4", "-4", self.days_ago(0))
        self.synchronize(link)
        self.assertEqual(self.amounts(), [-4, -3, -2, -1])
        self.synchronize(link)
        self.assertIn("cursor", self.proxy.requests[-1][1], "bookmarks are used again")

    def test_files_continue_after_disconnect(self):
        self.proxy.accounts["A1"]["number"] = IBAN
        self.proxy.book("T1", "-1", self.days_ago(6))
        link = self.connect_journal()
        self.synchronize(link)
        link._disconnect()
        self.import_file(self.statement([self.row(6, "-1"), self.row(0, "-2")], number=IBAN))
        self.assertEqual(self.amounts(), [-2, -1])

    def test_no_bank_gets_a_request_for_an_account_of_files(self):
        self.import_file(self.statement([self.row(3, "-5")]))
        link = self.journal.account_online_link_id
        self.assertTrue(link.is_files)
        link.auto_sync = True
        self.assertNotIn(link, self.Link._search_due())
        self.assertEqual(link.action_fetch_transactions()["res_model"], "account.online.file.import")
        self.assertFalse(self.proxy.requests)

    # -------------------------------------------------------------------------
    # UNDO
    # -------------------------------------------------------------------------

    def test_a_whole_file_is_undone_and_can_come_again(self):
        self.import_file(self.statement([self.row(40, "-5")], opening=100))
        content = self.statement([self.row(3, "-6"), self.row(2, "-7")], opening=95)
        (file,) = self.import_file(content)
        file.action_undo()
        self.assertEqual(self.amounts(), [-5])
        self.assertFalse(self.beside())
        self.assertEqual(file.state, "undone")
        self.import_file(content)
        self.assertEqual(self.amounts(), [-7, -6, -5])
        self.assertEqual([pair[1:] for pair in self.balances()], [(100, 95), (95, 82)])

    def test_undo_also_reverts_the_balance_of_the_file(self):
        (wrong,) = self.import_file(self.statement([self.row(0, "-5000")], opening=9000))
        wrong.action_undo()
        self.import_file(self.statement([self.row(10, "-7"), self.row(8, "2")], opening=100))
        self.assertEqual([pair[1:] for pair in self.balances()], [(100, 95)])
        (wrong,) = self.import_file(self.statement([self.row(0, "-5000")], opening=9000))
        wrong.action_undo()
        self.assertFalse(self.journal._get_online_sync_dashboard_data()[self.journal.id]["difference"])

    def test_undo_takes_no_balance_of_an_interim_report(self):
        self.import_file(self.statement([self.row(10, "-5")], opening=100))
        self.import_file(self.statement([self.row(4, "-1")], opening=95, kind="interim"))
        account = self.journal.account_online_account_id
        self.assertEqual((account.balance, account.balance_date), (95, DAY - timedelta(days=10)))
        (wrong,) = self.import_file(self.statement([self.row(0, "-5000")], opening=9000))
        wrong.action_undo()
        self.assertEqual((account.balance, account.balance_date), (95, DAY - timedelta(days=10)))

    def test_undo_keeps_the_answer_and_counts_nothing_as_new(self):
        content = self.statement([self.row(3, "-5")])
        (file,) = self.import_file(content)
        file.action_undo()
        self.assertEqual(file.new_count, 0)
        wizard = self.drop(content)
        self.assertFalse(wizard.statement_ids.question)
        self.assertTrue(wizard.can_import)

    def test_undo_names_the_lines_that_prevent_it(self):
        (file,) = self.import_file(self.statement([self.row(3, "-6", "Rent"), self.row(2, "-7", "Gym")]))
        self.reconcile(self.lines()[0])
        with self.assertRaisesRegex(UserError, "Rent"):
            file.action_undo()
        self.assertEqual(self.amounts(), [-7, -6])

    def test_undo_leaves_what_another_file_shows_as_well(self):
        (one,) = self.import_file(self.statement([self.row(4, "-1"), self.row(3, "-2")]))
        (two,) = self.import_file(self.statement([self.row(3, "-2"), self.row(2, "-3")]))
        one.action_undo()
        self.assertEqual(self.amounts(), [-3, -2])
        two.action_undo()
        self.assertFalse(self.lines())

    def test_undo_gives_recognized_lines_back_to_their_user(self):
        typed = self.Line.create(
            {"journal_id": self.journal.id, "date": "2026-05-18", "amount": -5, "payment_ref": "x"}
        )
        (file,) = self.import_file(self.statement([self.row(2, "-5"), self.row(1, "-6")]))
        file.action_undo()
        self.assertEqual(self.lines(), typed)
        self.assertFalse(typed.online_account_id)

    # -------------------------------------------------------------------------
    # LONG FILES
    # -------------------------------------------------------------------------

    def test_a_long_file_is_imported_by_the_server(self):
        self.patch_long(2)
        wizard = self.drop(self.statement([self.row(3, "-6"), self.row(2, "-7")], opening=100))
        wizard.sudo().statement_ids.is_confirmed = True
        wizard.action_preview()
        wizard.action_import()
        self.assertFalse(self.lines())
        self.assertEqual(self.journal.account_online_account_id.fetching_status, "waiting")
        with self.enter_registry_test_mode():
            self.env.ref("account_online_files.ir_cron_import_files").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.amounts(), [-7, -6])
        self.assertEqual(self.journal.account_online_account_id.fetching_status, "done")

    def test_a_long_file_is_imported_although_a_synchronization_comes_first(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.patch_long(1)
        wizard = self.drop(self.statement([self.row(90, "-6")]))
        wizard.sudo().statement_ids.is_confirmed = True
        wizard.action_preview()
        wizard.action_import()
        file = self.File.search([])
        self.assertEqual(file.state, "planned")
        self.synchronize(link)
        with self.enter_registry_test_mode():
            self.env.ref("account_online_files.ir_cron_import_files").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual((file.state, file.run_id.state), ("done", "done"))
        self.assertEqual(self.amounts().count(-6), 1)

    def patch_long(self, number):
        self.startPatcher(patch.object(account_online_file_import_statement, "LONG", number))

    # -------------------------------------------------------------------------
    # ACCESS
    # -------------------------------------------------------------------------

    def test_an_accountant_imports_and_undoes(self):
        user = self.new_user("account.group_account_user")
        (file,) = self.import_file(self.statement([self.row(3, "-5")]), user=user)
        self.assertEqual(self.amounts(), [-5])
        self.assertEqual(file.user_id, user)
        file.with_user(user).action_undo()
        self.assertFalse(self.lines())

    def test_an_invoicing_user_imports_nothing(self):
        user = self.new_user("account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.drop(self.statement([self.row(3, "-5")]), user=user)

    def test_the_upload_of_another_user_is_refused(self):
        attachment = self.upload(self.statement([self.row(3, "-5")]))
        attachment.public = True
        user = self.new_user("account.group_account_user")
        with self.assertRaisesRegex(UserError, "somebody else"):
            self.Import.with_user(user)._open(self.journal.with_user(user), attachment.with_user(user))

    def test_a_file_that_belongs_to_something_else_is_refused(self):
        attachment = self.upload(self.statement([self.row(3, "-5")]))
        attachment.write({"res_model": "res.partner", "res_id": self.env.user.partner_id.id})
        with self.assertRaisesRegex(UserError, "something else"):
            self.Import._open(self.journal, attachment)
        self.assertEqual(attachment.res_model, "res.partner")

    def test_the_original_is_kept_for_accountants_of_the_company(self):
        (file,) = self.import_file(self.statement([self.row(3, "-5")]))
        original = file._original()
        self.assertTrue(original.with_user(self.new_user("account.group_account_user")).datas)
        with self.assertRaises(AccessError):
            original.with_user(self.new_user("base.group_user")).read(["datas"])

    # -------------------------------------------------------------------------
    # BY E-MAIL
    # -------------------------------------------------------------------------

    def receive(self, sender, *statements):
        """A mail arrives at the journal's alias."""
        self.env["mail.alias.domain"].search([]) or self.env["mail.alias.domain"].create({"name": "files.example"})
        self.journal.alias_name = "statements-of-the-bank"
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, self.journal.alias_email or "statements-of-the-bank@files.example"
        mail["Subject"], mail["Message-Id"] = "Statement", f"<{self.env['mail.message'].search_count([])}@bank.example>"
        mail.set_content("Secret words of the mail")
        content = json.dumps(list(statements)).encode()
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="statement.tiny")
        self.env["mail.thread"].message_process("account.journal", mail.as_bytes())
        return self.journal.message_ids[0]

    def test_a_file_of_an_allowed_sender_is_imported(self):
        self.journal.set_bank_account(IBAN)
        self.journal.online_file_senders = "owner@example.com, statements@bank.example"
        message = self.receive("Bank <statements@bank.example>", self.statement([self.row(3, "-5")], number=IBAN))
        self.assertEqual(self.amounts(), [-5])
        self.assertIn("New transactions: 1", message.body)
        self.assertFalse(self.env["account.move"].search([("journal_id", "=", self.journal.id)]) - self.lines().move_id)

    def test_a_mail_of_an_unknown_sender_is_ignored_and_reported(self):
        for allowed in (False, "statements@bank.example"):
            self.journal.online_file_senders = allowed
            message = self.receive("statements@bank.example.evil", self.statement([self.row(3, "-5")]))
            self.assertIn("was ignored", message.body)
            self.assertNotIn("Secret words", message.body)
            self.assertFalse(message.attachment_ids)
        self.assertFalse(self.lines())

    def test_a_mailed_file_that_needs_an_answer_waits_for_a_person(self):
        self.journal.online_file_senders = "statements@bank.example"
        message = self.receive("statements@bank.example", self.statement([self.row(3, "-5")]))
        self.assertIn("names no account", message.body)
        self.assertFalse(self.lines())
