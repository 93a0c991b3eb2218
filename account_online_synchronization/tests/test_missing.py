from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.sql_db import Cursor
from odoo.tests import new_test_user, tagged

from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from ..wizards import account_missing_transaction
from .common import OnlineSyncCommon, ScriptedProxy


class MissingCommon(OnlineSyncCommon):
    def wizard(self, **values):
        values = {"journal_id": self.journal.id, "date_from": self.days_ago(60), "date_to": self.days_ago(0), **values}
        return self.env["account.missing.transaction.wizard"].create(values)

    def compare(self, **values):
        wizard = self.wizard(**values)
        wizard.action_compare()
        return wizard

    @staticmethod
    def rows(wizard, key):
        """:return: list of (label, details) of one section"""
        sections = [section for section in wizard.sections if section["key"] == key]
        return [(row["label"], " ".join(row["details"])) for section in sections for row in section["rows"]]

    def labels(self, wizard, key):
        return [label for label, _details in self.rows(wizard, key)]

    def choose(self, wizard, *labels):
        rows = [row for section in wizard.sections for row in section["rows"]]
        wizard.chosen = [row["key"] for row in rows if row["label"] in labels]
        return wizard


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestMissing(MissingCommon):
    """What the bank shows is compared with the journal, and nothing moves by that."""

    # -------------------------------------------------------------------------
    # WHAT IS MISSING, AND WHY
    # -------------------------------------------------------------------------

    def test_nothing_is_missing_after_a_synchronization(self):
        for number in range(1, 4):
            self.proxy.book(f"T{number}", "5.00")
        self.synchronize(self.connect_journal())
        wizard = self.compare()
        self.assertFalse(wizard.sections)
        self.assertFalse(wizard.can_import)
        self.assertIn("Nothing is missing between 03/21/2026 and 05/20/2026: all 3 transactions", wizard.summary)

    def test_an_empty_bank_is_shown_as_such(self):
        self.synchronize(self.connect_journal())
        self.assertIn("The bank shows no booked transactions between", self.compare().summary)

    def test_nothing_moves_by_a_comparison(self):
        self.proxy.book("T1", "5.00")
        account = self.connect_journal().account_online_account_ids.sudo()
        self.synchronize(account.account_online_link_id)
        self.proxy.book("T2", "6.00")
        before = account.read(["last_sync", "sync_cursor", "balance", "journal_balance"])
        runs, beside = len(account.account_online_link_id.run_ids), len(self.beside())
        self.assertEqual(self.labels(self.compare(), "missing"), ["Text of T2"])
        self.assertEqual(account.read(["last_sync", "sync_cursor", "balance", "journal_balance"]), before)
        self.assertEqual((len(account.account_online_link_id.run_ids), len(self.beside())), (runs, beside))
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(self.requested_operations()[-1:], ["transactions.list"])
        self.assertEqual(self.proxy.requests[-1][1]["since"], "2026-03-21")

    def test_each_reason_is_shown(self):
        for number, days in (("old", 40), ("locked", 20), ("deleted", 3), ("kept", 2), ("new", 0), ("late", 30)):
            if number not in ("new", "late"):
                self.proxy.book(number, f"{days + 1}.00", day=self.days_ago(days))
        link = self.connect_journal(start_date=self.days_ago(35))
        self.company.fiscalyear_lock_date = self.days_ago(19)
        self.synchronize(link)
        self.delete(self.lines().filtered(lambda line: line.online_transaction_identifier == "deleted"))
        self.company.fiscalyear_lock_date = False
        self.proxy.book("new", "1.00")
        self.proxy.book("late", "31.00", day=self.days_ago(30))
        with self.subTest("without a lock date"):
            reasons = dict(self.rows(self.compare(), "missing"))
            self.assertEqual(
                set(reasons), {"Text of old", "Text of late", "Text of locked", "Text of deleted", "Text of new"}
            )
            self.assertIn("Before the start date", reasons["Text of old"])
            self.assertIn("Deleted by", reasons["Text of deleted"])
            self.assertIn("next synchronization", reasons["Text of new"])
            self.assertIn("No synchronization has imported it", reasons["Text of late"])
        self.company.fiscalyear_lock_date = self.days_ago(19)
        with self.subTest("with a lock date"):
            self.assertEqual(
                set(self.labels(self.compare(), "impossible")), {"Text of old", "Text of late", "Text of locked"}
            )

    def test_transactions_that_could_not_be_imported_are_shown_with_the_reason(self):
        self.proxy.book("T1", "5.00")
        self.proxy.book("T2", "5.001")
        link = self.connect_journal()
        with self.refused("T1", "No bank may do that."):
            self.synchronize(link)
        wizard = self.compare()
        self.assertIn("No bank may do that.", dict(self.rows(wizard, "missing"))["Text of T1"])
        self.assertIn("more decimals", self.rows(wizard, "impossible")[0][1])

    def test_pending_ones_can_only_be_seen(self):
        self.proxy.book("P1", "-5.00", status="pending")
        self.synchronize(self.connect_journal())
        wizard = self.compare()
        self.assertEqual(self.labels(wizard, "pending"), ["Text of P1"])
        self.assertFalse(wizard.sections[0]["rows"][0]["selectable"])
        self.assertFalse(wizard.can_import)

    def test_lines_that_were_typed_are_not_called_missing(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.Line.create({"journal_id": self.journal.id, "date": self.days_ago(1), "amount": 5, "payment_ref": "Typed"})
        self.proxy.book("T1", "5.00", day=self.days_ago(2))
        wizard = self.compare()
        self.assertFalse(wizard.sections)
        self.assertIn("typed", wizard.notes)
        self.assertFalse(self.lines().online_transaction_identifier, "nothing was matched by looking")

    def test_a_similar_line_is_shown(self):
        link = self.connect_journal()
        self.synchronize(link)
        for days in (1, 2):
            self.Line.create(
                {"journal_id": self.journal.id, "date": self.days_ago(days), "amount": 5, "payment_ref": "Typed"}
            )
        self.proxy.book("T1", "5.00", day=self.days_ago(3))
        self.assertIn("similar line", self.rows(self.compare(), "missing")[0][1])

    def test_two_equal_transactions_without_ids_stay_two(self):
        self.proxy.book(None, "-3.00", remittance=["Coffee"])
        self.synchronize(self.connect_journal())
        self.proxy.book(None, "-3.00", remittance=["Coffee"])
        self.assertEqual(self.labels(self.compare(), "missing"), ["Coffee"])

    def test_lines_that_the_bank_no_longer_shows_are_information(self):
        self.proxy.book("T1", "5.00", day=self.days_ago(4))
        self.proxy.book("T2", "6.00", day=self.days_ago(3))
        self.proxy.book("T3", "7.00", day=self.days_ago(2))
        self.synchronize(self.connect_journal())
        del self.proxy.transactions["A1"][1]
        wizard = self.compare()
        self.assertEqual(self.labels(wizard, "gone"), ["Text of T2"])
        self.assertEqual(len(self.lines()), 3)

    def test_days_before_the_banks_first_are_no_news(self):
        """A bank that shows 90 days has not withdrawn what is older."""
        self.proxy.book("T1", "5.00", day=self.days_ago(50))
        self.proxy.book("T2", "6.00", day=self.days_ago(3))
        self.synchronize(self.connect_journal())
        del self.proxy.transactions["A1"][0]
        wizard = self.compare()
        self.assertFalse(wizard.sections)
        self.assertIn("The oldest transaction that the bank shows is dated 05/17/2026", wizard.notes)

    def test_only_the_days_that_were_chosen_are_compared(self):
        self.synchronize(self.connect_journal())
        for days in (30, 20, 10):
            self.proxy.book(f"T{days}", "5.00", day=self.days_ago(days))
        wizard = self.compare(date_from=self.days_ago(25), date_to=self.days_ago(15))
        self.assertEqual(self.labels(wizard, "missing"), ["Text of T20"])

    # -------------------------------------------------------------------------
    # THE SAME DECISION AS THE IMPORT
    # -------------------------------------------------------------------------

    def test_of_two_equal_payments_only_the_deleted_one_is_called_deleted(self):
        """The link is deleted and the bank connected again, with other ids and a later start."""
        for name in ("T1", "T2"):
            self.proxy.book(name, "-2.80", day=self.days_ago(3), remittance=["Coffee"])
        link = self.connect_journal()
        self.synchronize(link)
        self.delete(self.lines()[0])
        link.unlink()
        self.proxy.rename("N-{}".format)
        self.synchronize(self.connect_journal(start_date=self.days_ago(1)))
        wizard = self.compare()
        self.assertEqual(len(self.rows(wizard, "missing")), 1)
        self.assertIn("Deleted by", self.rows(wizard, "missing")[0][1])
        self.choose(wizard, "Coffee").action_import()
        self.assertEqual(len(self.lines()), 2, "as many as the bank has")
        self.assertFalse(self.compare().sections)

    def test_the_deleted_one_of_two_equal_payments_is_shown_before_the_first_load(self):
        for name in ("T1", "T2"):
            self.proxy.book(name, "-2.80", day=self.days_ago(3), remittance=["Coffee"])
        link = self.connect_journal()
        self.synchronize(link)
        self.delete(self.lines()[0])
        link.unlink()
        self.proxy.rename("N-{}".format)
        self.connect_journal(start_date=self.days_ago(1))
        wizard = self.compare()
        self.assertEqual(len(self.rows(wizard, "missing")), 1)
        self.choose(wizard, "Coffee").action_import()
        self.assertEqual(len(self.lines()), 2)

    def test_late_bookings_are_shown_as_part_of_the_next_synchronization(self):
        link = self.connect_journal(start_date=self.days_ago(5))
        self.synchronize(link)
        self.proxy.book("LATE", "5.00", day=self.days_ago(7))
        self.assertIn("next synchronization", self.rows(self.compare(), "missing")[0][1])
        self.assertEqual(self.synchronize(link).imported, 1)

    # -------------------------------------------------------------------------
    # IMPORTING
    # -------------------------------------------------------------------------

    def test_what_is_chosen_is_imported_once(self):
        self.synchronize(self.connect_journal(start_date=self.days_ago(5)))
        self.proxy.book("T1", "5.00", day=self.days_ago(30))
        self.proxy.book("T2", "6.00", day=self.days_ago(30))
        wizard = self.choose(self.compare(), "Text of T1")
        action = wizard.action_import()
        self.assertEqual(self.Line.search(action["domain"]).payment_ref, "Text of T1")
        self.assertTrue(self.lines().statement_id, "it goes into the statement of its days")
        with self.assertRaisesRegex(UserError, "in the meantime"):
            wizard.action_import()
        self.assertEqual(self.labels(self.compare(), "missing"), ["Text of T2"])

    def test_a_synchronization_does_not_bring_what_was_imported_again(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("T1", "5.00")
        self.choose(self.compare(), "Text of T1").action_import()
        run = self.synchronize(link)
        self.assertEqual((run.imported, len(self.lines())), (0, 1))

    def test_what_came_in_the_meantime_is_not_imported_again(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("T1", "5.00")
        self.proxy.book("T2", "6.00")
        wizard = self.choose(self.compare(), "Text of T1", "Text of T2")
        self.proxy.transactions["A1"].pop()
        self.synchronize(link)
        wizard.action_import()
        self.assertEqual(sorted(self.lines().mapped("payment_ref")), ["Text of T1", "Text of T2"])

    def test_deleted_and_parked_ones_come_back_by_will(self):
        self.proxy.book("T1", "5.00")
        self.proxy.book("T2", "6.00")
        link = self.connect_journal()
        with self.refused("T1", "No bank may do that."):
            self.synchronize(link)
        self.delete(self.lines())
        self.choose(self.compare(), "Text of T1", "Text of T2").action_import()
        self.assertEqual(sorted(self.lines().mapped("amount")), [5, 6])
        self.assertFalse(self.beside())

    def test_what_the_bank_has_changed_since_is_imported_as_it_was_shown(self):
        message = self.proxy.book("T1", "5.00")
        self.synchronize(self.connect_journal())
        self.delete(self.lines())
        message["remittance"] = ["Another text"]
        self.choose(self.compare(), "Another text").action_import()
        self.assertEqual(self.lines().payment_ref, "Another text")

    def test_locked_and_unreadable_ones_are_not_imported_with_any_choice(self):
        self.synchronize(self.connect_journal())
        self.proxy.book("T1", "5.00", day=self.days_ago(20))
        wizard = self.choose(self.compare(), "Text of T1")
        self.company.fiscalyear_lock_date = self.days_ago(10)
        with self.assertRaises(UserError):
            wizard.action_import()
        self.assertFalse(self.lines())

    def test_nothing_chosen_is_refused(self):
        self.synchronize(self.connect_journal())
        with self.assertRaisesRegex(UserError, "at least one"):
            self.compare().action_import()

    # -------------------------------------------------------------------------
    # ASKING THE BANK
    # -------------------------------------------------------------------------

    def test_long_answers_are_read_in_parts(self):
        self.synchronize(self.connect_journal())
        self.proxy.page_size = 2
        for number in range(1, 6):
            self.proxy.book(f"T{number}", f"{number}.00")
        with patch.object(account_missing_transaction, "READ_SECONDS", 0):
            wizard = self.compare()
            self.assertEqual((wizard.state, wizard.read_count), ("reading", 2))
            wizard.action_read_on()
            self.assertEqual((wizard.state, wizard.read_count), ("reading", 4))
            wizard.action_read_on()
        self.assertEqual((wizard.state, wizard.read_count), ("done", 5))
        self.assertEqual(len(self.rows(wizard, "missing")), 5)
        wizard.action_read_on()
        self.assertEqual(wizard.read_count, 5, "nothing is asked once it is over")

    def test_no_transaction_is_open_during_the_request(self):
        self.synchronize(self.connect_journal())
        events, execute = [], Cursor.execute

        def note_query(cr, *arguments, **options):
            events.append("query")
            return execute(cr, *arguments, **options)

        def answer(operation, payload):
            events.append("bank")
            return ScriptedProxy.dispatch(self.proxy, operation, payload)

        wizard, self.proxy.page_size = self.wizard(), 1
        for number in range(3):
            self.proxy.book(f"T{number}", "5.00")
        client = ProxyClient(EmbeddedTransport(answer))
        with (
            patch.object(self.registry["account.online.link"], "_get_client", lambda link: client),
            patch.object(self.registry["account.online.service"], "_commit", lambda _service: events.append("commit")),
            patch.object(Cursor, "execute", note_query),
        ):
            wizard.action_compare()
        first = events.index("bank")
        self.assertEqual(events[first - 1 : first + 3], ["commit", "bank", "bank", "bank"])
        self.assertEqual(events.count("bank"), 3)

    def test_pages_that_another_tab_has_read_meanwhile_are_kept_once(self):
        self.synchronize(self.connect_journal())
        self.proxy.book("T1", "5.00")
        wizard, dispatch = self.wizard(), self.proxy.dispatch

        def answer(operation, payload):
            self.proxy.dispatch = dispatch
            wizard.action_read_on()
            return dispatch(operation, payload)

        self.proxy.dispatch = answer
        client = ProxyClient(EmbeddedTransport(lambda *request: self.proxy.dispatch(*request)))
        with patch.object(self.registry["account.online.link"], "_get_client", lambda link: client):
            wizard.action_compare()
        self.assertEqual((wizard.state, wizard.read_count, len(wizard.sudo().page_ids)), ("done", 1, 1))
        self.assertEqual(self.labels(wizard, "missing"), ["Text of T1"])

    def test_a_bank_that_takes_no_first_day_is_compared_for_the_chosen_days(self):
        self.proxy.book("T1", "5.00", day=self.days_ago(40))
        self.proxy.book("T2", "6.00", day=self.days_ago(3))
        link = self.connect_journal(start_date=self.days_ago(1))
        link.account_online_account_ids.sudo().history_days = -1
        wizard = self.compare(date_from=self.days_ago(10))
        self.assertNotIn("since", self.proxy.requests[-1][1])
        self.assertEqual(self.labels(wizard, "missing"), ["Text of T2"])

    def test_a_failure_has_its_button_and_leaves_the_link_alone(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.fail("transactions.list", "consent_expired", "renew")
        wizard = self.compare()
        self.assertEqual((wizard.state, wizard.error_action), ("failed", "renew"))
        self.assertIn("Sentence of consent_expired.", wizard.error_message)
        self.assertEqual(link.state, "connected")
        self.assertEqual(wizard.action_solve()["tag"], "account_online_synchronization.bank_visit")

    def test_the_button_is_the_one_that_the_sentence_names(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.fail("transactions.list", "unknown_account", "renew")
        wizard = self.compare()
        self.assertEqual((wizard.state, wizard.error_action), ("failed", "credentials"))
        self.assertEqual(wizard.action_solve()["tag"], "account_online_synchronization.bank_visit")
        self.assertIn("connections.renew", self.requested_operations())
        self.assertEqual(self.proxy.requests[-1][1]["reason"], "credentials")

    def test_a_limit_of_the_bank_says_when_it_ends(self):
        self.synchronize(self.connect_journal())
        self.proxy.raw_answers["transactions.list"] = {
            "error": {"code": "rate_limited", "message": "Four a day.", "action": "retry", "retry_after": 7200}
        }
        self.assertRegex(self.compare().error_message, r"Four a day\. You can compare again from .*2.* on\.")

    def test_after_a_failure_it_can_be_tried_again(self):
        self.synchronize(self.connect_journal())
        self.proxy.book("T1", "5.00")
        self.proxy.fail("transactions.list")
        wizard = self.compare()
        self.assertEqual((wizard.state, wizard.error_action), ("failed", "retry"))
        self.proxy.failures.clear()
        wizard.action_solve()
        self.assertEqual(self.labels(wizard, "missing"), ["Text of T1"])

    def test_a_link_that_is_not_connected_says_what_to_do(self):
        self.connect_journal().connection_identifier = False
        self.assertEqual(self.compare().error_action, "reconnect")

    def test_a_journal_without_a_bank_can_not_be_compared(self):
        with self.assertRaisesRegex(UserError, "not connected to a bank"):
            self.compare()

    def test_days_in_the_wrong_order_are_refused(self):
        self.connect_journal()
        with self.assertRaisesRegex(ValidationError, "swap"):
            self.wizard(date_from=date(2026, 5, 2), date_to=date(2026, 5, 1))

    # -------------------------------------------------------------------------
    # WHO
    # -------------------------------------------------------------------------

    def new_user(self, group):
        return new_test_user(
            self.env, group, groups=group, company_id=self.company.id, company_ids=[(6, 0, self.company.ids)]
        )

    def test_an_accountant_compares_and_imports(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("T1", "5.00")
        accountant = self.new_user("account.group_account_basic")
        action = self.journal.with_user(accountant).action_find_missing_transactions()
        self.assertEqual(action["context"]["default_journal_id"], self.journal.id)
        wizard = self.wizard().with_user(accountant)
        wizard = wizard.create({"journal_id": self.journal.id})
        wizard.action_compare()
        self.assertEqual(wizard.sections[0]["rows"][0]["label"], "Text of T1")
        self.choose(wizard, "Text of T1").action_import()
        self.assertEqual(len(self.lines()), 1)

    def test_an_accountant_sees_whom_to_ask_for_a_new_consent(self):
        self.synchronize(self.connect_journal())
        self.proxy.fail("transactions.list", "consent_expired", "renew")
        wizard = self.env["account.missing.transaction.wizard"].with_user(self.new_user("account.group_account_basic"))
        wizard = wizard.create({"journal_id": self.journal.id})
        wizard.action_compare()
        self.assertIn("ask an accounting administrator", wizard.error_message)
        self.assertFalse(wizard.error_action)

    def test_an_invoicing_user_sees_no_comparison(self):
        self.connect_journal()
        invoicing = self.new_user("account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.journal.with_user(invoicing).action_find_missing_transactions()
        with self.assertRaises(AccessError):
            self.env["account.missing.transaction.wizard"].with_user(invoicing).create({"journal_id": self.journal.id})
