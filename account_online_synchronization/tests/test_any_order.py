from contextlib import ExitStack
from datetime import date, datetime, timedelta

from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from ..books import undo
from ..books.ledger import OpeningBalance
from ..sync.identity import OPENING
from .common import COMPLETE, THOROUGH, OnlineSyncCommon

HELD = 1000

SETTINGS = settings(
    max_examples=300 if THOROUGH else 30 if COMPLETE else 8,
    derandomize=not THOROUGH,
    # Why: to make a failing sequence shorter takes many minutes.
    phases=[Phase.generate, *([Phase.shrink] if THOROUGH else [])],
    print_blob=THOROUGH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("book", "book", "order", "order", "withdraw", "pass", "pass", "run", "run", "refuse"),
                *("delete", "restore", "undo", "opening", "lock", "start"),
            ]
        ),
        st.integers(0, 9),
    ),
    max_size=25,
)


@tagged("post_install", "-at_install")
class TestAnyOrder(OnlineSyncCommon):
    """Late bookings, refusals, locks, deletions, their undoing, older days and an id that is repeated, in any order:
    in the end each payment is one line, and the statements begin with what the bank held before them."""

    @SETTINGS
    @given(
        history=st.lists(st.integers(0, 30), min_size=1, max_size=5),
        start=st.sampled_from([None, 3, 8]),
        periodicity=st.sampled_from(["month", "day", "week"]),
        steps=steps,
    )
    def test_each_payment_is_one_line_and_the_balances_are_those_of_the_bank(self, history, start, periodicity, steps):
        with freeze_time("2026-05-20 10:00:00") as self.clock, self.env.cr.savepoint() as savepoint:
            self._begin(history, start, periodicity)
            for name, number in steps:
                getattr(self, f"_do_{name}")(number)
                self._check_balances()
            self._settle()
            savepoint.rollback()
        self.env.invalidate_all()

    def _begin(self, history, start, periodicity):
        self.proxy.transactions["A1"], self.proxy.removed = [], []
        self.bank = self.proxy.accounts["A1"]
        self.bank["balance"] = f"{HELD}.00"
        self.number, self.undone, self.last_order = 0, [], date.min
        #: Statements of which a user has deleted a line: Odoo leaves their balances as they were.
        self.by_hand = self.env["account.bank.statement"]
        for back in history:
            self._book(self._today() - timedelta(days=back))
        link = self.connect_journal(start_date=start is not None and self.days_ago(start), periodicity=periodicity)
        self.link, self.account = link.sudo(), link.sudo().account_online_account_ids
        self._do_run()

    @staticmethod
    def _today():
        return datetime.now().date()

    def _book(self, day):
        self.number += 1
        self.proxy.book(f"T{self.number}", f"-{self.number * 10 + 1}.00", day)

    def _payments(self):
        return self.proxy.transactions["A1"]

    def _bank_lines(self):
        return self.lines().filtered(lambda line: line.online_transaction_identifier != OPENING)

    # -------------------------------------------------------------------------
    # WHAT HAPPENS
    # -------------------------------------------------------------------------

    def _do_book(self, back):
        self._book(self._today() - timedelta(days=back))

    def _do_order(self, back):
        day = self._today() - timedelta(days=back // 5)
        if (day - self.last_order).days >= 13:
            self.last_order = day
            self.proxy.book("ORDER", "-500.00", day, remittance=["Rent"])

    def _do_withdraw(self, number):
        payments = [one for one in self._payments() if one["id"] != "ORDER"]
        if number < len(payments):
            self.proxy.withdraw(payments[number]["id"])
            self.bank["balance"] = str(float(self.bank["balance"]) - float(payments[number]["amount"]))

    def _do_pass(self, days):
        self.clock.tick(timedelta(days=days + 1))

    def _do_run(self, _number=0):
        moment = f"{self._today()}T08:00:00Z"
        self.proxy.refreshed_at = self.proxy.answers["connections.refresh"]["refreshed_at"] = moment
        self.bank.update(balance_at=moment, balance_date=str(self._today()))
        run = self.synchronize(self.link)
        self.assertEqual(run.state, "done", run.error_message)
        self.env.invalidate_all()

    def _do_refuse(self, number):
        with ExitStack() as stack:
            for payment in self._payments()[-1 - number :]:
                stack.enter_context(self.refused(payment["id"], "This line is not wanted."))
            self._do_run()

    def _do_delete(self, number):
        for line in self._bank_lines()[number : number + 1]:
            self.by_hand |= line.statement_id
            self.delete(line)

    def _do_restore(self, _number):
        lock = self.company.fiscalyear_lock_date
        kept = self.beside().filtered(
            lambda one: one.state in ("deleted", "left_out", "parked") and not (lock and one.date <= lock)
        )
        if kept:
            kept.action_restore()

    def _do_undo(self, number):
        if self.undone:
            undo.restore(self.Line.sudo(), *self.undone.pop())
        elif lines := self._bank_lines()[number : number + 2]:
            keeper = self.env["account.duplicate.transaction.wizard"].sudo().create({"journal_id": self.journal.id})
            self.undone.append((undo.delete(lines.sudo(), keeper), keeper))

    def _do_opening(self, _number):
        self.account.invalidate_recordset()
        opening = OpeningBalance(self.account)
        lock = self.company.fiscalyear_lock_date
        if self.account.opening_balance and not (lock and opening.day() <= lock):
            opening.book(opening.default_counterpart())

    def _do_lock(self, number):
        first = self.lines()[:1].date
        is_free = number % 2 and first and not self.company.fiscalyear_lock_date
        self.company.fiscalyear_lock_date = is_free and first - timedelta(days=1)

    def _do_start(self, number):
        start = self.account.start_date
        if start:
            self.account.start_date = number % 3 and start - timedelta(days=number)

    # -------------------------------------------------------------------------
    # WHAT MUST HOLD
    # -------------------------------------------------------------------------

    def _check_balances(self):
        self.env.flush_all()
        self.env.invalidate_all()
        for statement in self.statements() - self.by_hand:
            total = statement.balance_start + sum(statement.line_ids.mapped("amount"))
            self.assertAlmostEqual(statement.balance_end_real, total)

    def _settle(self):
        self.company.fiscalyear_lock_date = False
        while self.undone:
            self._do_undo(0)
        for _ in range(2):
            self._do_run()
            self._do_restore(0)
        self._do_run()
        wanted = sorted((one["booking_date"], float(one["amount"])) for one in self._payments())
        found = sorted((str(line.date), line.amount) for line in self._bank_lines())
        # Why: days that were never asked for are no lines.
        missing = [one for one in wanted if one not in found]
        self.assertEqual(found, [one for one in wanted if one not in missing])
        since = self.account.loaded_since
        self.assertFalse([day for day, _amount in missing if not since or day >= str(since)])
        statements, lines = self.statements(), self._bank_lines()
        if not lines:
            return
        self.assertAlmostEqual(statements[0].balance_start, HELD + sum(amount for _day, amount in missing))
        self.assertAlmostEqual(statements[-1].balance_end_real, float(self.bank["balance"]))
        for statement in statements:
            end = str(max(statement.line_ids.mapped("date")))
            held = HELD + sum(amount for day, amount in wanted if day <= end)
            self.assertAlmostEqual(statement.balance_end_real, held, msg=f"{statement.name}: {wanted}")
        opening = self.lines() - lines
        self.assertLessEqual(len(opening), 1)
        if opening:
            self.assertEqual(opening, self.lines()[0])
        self.assertAlmostEqual(self.lines()[-1].running_balance, float(self.bank["balance"]))
