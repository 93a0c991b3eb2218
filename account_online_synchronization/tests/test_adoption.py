from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import DAY, OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestAdoption(OnlineSyncCommon):
    """What is in the journal already is recognised, not doubled; where it is not certain, a person decides."""

    def type_line(self, amount=-20.0, day=DAY, **values):
        """A line as a person types it, or as a file import makes it."""
        return self.Line.create(
            {"journal_id": self.journal.id, "date": day, "amount": amount, "payment_ref": "Typed", **values}
        )

    def load(self, **values):
        self.link = self.connect_journal(**values)
        return self.synchronize(self.link)

    # -------------------------------------------------------------------------
    # CERTAIN
    # -------------------------------------------------------------------------

    def test_a_typed_line_becomes_the_transaction(self):
        typed = self.type_line()
        self.proxy.book("T1", "-20.00", self.days_ago(1))
        run = self.load()
        self.assertEqual(self.lines(), typed)
        self.assertRecordValues(typed, [{"online_transaction_identifier": "T1", "online_adopted": True}])
        self.assertEqual((run.adopted, run.imported), (1, 0))

    def test_its_text_date_and_partner_stay_those_of_the_person(self):
        typed = self.type_line(partner_id=self.partner_a.id)
        self.proxy.book("T1", "-20.00", self.days_ago(2))
        self.load()
        self.assertRecordValues(typed, [{"payment_ref": "Typed", "date": DAY, "partner_id": self.partner_a.id}])

    def test_what_the_person_left_empty_is_what_the_bank_says(self):
        typed = self.type_line(partner_name="My name for it")
        self.proxy.book("T1", "-20.00", counterparty={"name": "Azure Ltd", "account_number": "BE71096123456769"})
        self.load()
        self.assertRecordValues(typed, [{"partner_name": "My name for it", "account_number": "BE71096123456769"}])

    def test_a_reconciled_line_is_adopted_and_stays_reconciled(self):
        typed = self.type_line()
        self.reconcile(typed)
        self.proxy.book("T1", "-20.00")
        self.load()
        self.assertTrue(typed.is_reconciled and typed.online_adopted)

    def test_once_adopted_it_is_known(self):
        self.type_line()
        self.proxy.book("T1", "-20.00")
        self.load()
        run = self.synchronize(self.link)
        self.assertEqual((len(self.lines()), run.known, run.adopted), (1, 1, 0))

    def test_a_line_typed_between_two_runs_is_adopted_too(self):
        self.load()
        typed = self.type_line()
        self.proxy.book("T1", "-20.00")
        self.synchronize(self.link)
        self.assertEqual(self.lines(), typed)

    def test_a_line_of_the_locked_period_is_adopted_and_not_touched(self):
        typed = self.type_line(day=date(2026, 5, 12))
        self.reconcile(typed)
        self.company.fiscalyear_lock_date = "2026-05-15"
        self.proxy.book("T1", "-20.00", date(2026, 5, 12))
        self.load()
        self.assertEqual((self.lines(), typed.payment_ref, typed.amount), (typed, "Typed", -20))

    def test_a_file_of_a_month_is_recognised_line_by_line(self):
        for number in range(1, 11):
            self.type_line(-number, self.days_ago(number), payment_ref=f"From the file {number}")
            self.proxy.book(f"T{number}", f"-{number}.00", self.days_ago(number))
        self.proxy.book("T11", "-11.00")
        run = self.load(start_date=False)
        self.assertEqual((run.adopted, run.imported, len(self.lines())), (10, 1, 11))

    def test_two_coffees_in_the_file_and_at_the_bank_are_two_coffees(self):
        for name in ("T1", "T2"):
            self.type_line(-2.8)
            self.proxy.book(name, "-2.80", remittance=["Coffee"])
        self.load()
        self.assertEqual(len(self.lines()), 2)
        self.assertEqual(set(self.lines().mapped("online_transaction_identifier")), {"T1", "T2"})

    def test_what_the_old_connection_brought_is_recognised_by_the_new_one(self):
        """Equal amounts of one day, and one of them is gone: only the content says which is which."""
        for number in range(3):
            self.proxy.book(f"T{number}", "-5.00", remittance=[f"Ticket {number}"])
        self.load()
        self.link.unlink()
        self.delete(self.lines()[1])
        self.proxy.rename("N-{}".format)
        self.load(start_date=False)
        self.assertEqual(sorted(self.lines().mapped("payment_ref")), ["Ticket 0", "Ticket 1", "Ticket 2"])

    # -------------------------------------------------------------------------
    # NOT CERTAIN
    # -------------------------------------------------------------------------

    def test_where_it_is_not_certain_it_is_imported_and_marked(self):
        self.type_line(day=self.days_ago(1))
        self.type_line(day=self.days_ago(2))
        self.proxy.book("T1", "-20.00")
        run = self.load(start_date=False)
        imported = self.lines().filtered("online_transaction_identifier")
        self.assertEqual((len(self.lines()), imported.online_possible_duplicate), (3, True))
        self.assertEqual((run.imported, run.possible_duplicates), (1, 1))
        self.assertIn("Possible duplicates, please review: 1.", run._summary())

    def test_a_user_decides_that_it_is_not_a_duplicate(self):
        self.type_line(day=self.days_ago(1))
        self.type_line(day=self.days_ago(2))
        self.proxy.book("T1", "-20.00")
        self.load(start_date=False)
        imported = self.lines().filtered("online_possible_duplicate")
        imported.action_no_duplicate()
        self.assertFalse(imported.online_possible_duplicate)

    def test_a_line_of_another_journal_is_another_line(self):
        other = self.journal.copy()
        self.type_line(journal_id=other.id)
        self.proxy.book("T1", "-20.00")
        self.load()
        self.assertEqual(len(self.lines()), 1)
        self.assertFalse(self.lines().online_adopted)

    def test_a_cancelled_line_is_not_adopted(self):
        typed = self.type_line()
        typed.move_id.button_draft()
        typed.move_id.button_cancel()
        self.proxy.book("T1", "-20.00")
        self.load(start_date=False)
        self.assertFalse(typed.online_transaction_identifier)
        self.assertEqual(len(self.lines()), 2)

    # -------------------------------------------------------------------------
    # STATEMENTS
    # -------------------------------------------------------------------------

    def test_an_adopted_line_joins_the_statement_of_its_month(self):
        typed = self.type_line()
        self.proxy.book("T1", "-20.00")
        self.proxy.book("T2", "-1.00")
        self.load(start_date=False)
        self.assertEqual(self.statements().line_ids, self.lines())
        self.assertTrue(typed.statement_id.is_valid)

    def test_an_adopted_line_stays_in_the_statement_that_a_person_made(self):
        typed = self.type_line()
        statement = self.env["account.bank.statement"].create(
            {"name": "Mine", "line_ids": [Command.set(typed.ids)], "balance_start": 0, "balance_end_real": -20}
        )
        self.proxy.book("T1", "-20.00")
        self.load()
        self.assertEqual(typed.statement_id, statement)

    # -------------------------------------------------------------------------
    # UNDO
    # -------------------------------------------------------------------------

    def test_undone_the_line_is_the_persons_again_and_the_transaction_has_its_own(self):
        typed = self.type_line()
        self.proxy.book("T1", "-20.00", self.days_ago(1))
        self.load(start_date=False)
        action = typed.action_separate_online_transaction()
        own = self.lines() - typed
        self.assertRecordValues(own, [{"online_transaction_identifier": "T1", "date": self.days_ago(1)}])
        self.assertRecordValues(typed, [{"online_transaction_identifier": False, "online_adopted": False}])
        self.assertEqual(action["domain"], [("id", "in", (typed + own).ids)])

    def test_undone_it_is_not_adopted_again(self):
        typed = self.type_line()
        self.proxy.book("T1", "-20.00")
        self.load(start_date=False)
        typed.action_separate_online_transaction()
        run = self.synchronize(self.link)
        self.assertEqual((len(self.lines()), run.known, run.adopted), (2, 1, 0))

    def test_what_was_not_adopted_cannot_be_undone(self):
        self.proxy.book("T1", "-20.00")
        self.load()
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            self.lines().action_separate_online_transaction()

    def test_an_invoicing_user_neither_undoes_nor_decides(self):
        typed = self.type_line()
        self.proxy.book("T1", "-20.00")
        self.load()
        invoicing = new_test_user(
            self.env,
            login="invoicing",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for action in (
            typed.with_user(invoicing).action_separate_online_transaction,
            typed.with_user(invoicing).action_no_duplicate,
        ):
            with self.assertRaisesRegex(AccessError, "Only accountants"):
                action()
