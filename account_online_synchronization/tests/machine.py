"""Anything may happen, in any order: the next undisturbed run puts it right.

A state machine for Hypothesis. Its rules are what the bank, the user, the clock and the wire do; after each undisturbed
run the journals must hold what the bank has booked, once each, and whatever is missing must stand beside the books with
its reason. At no time, not even after a crash, are there two lines for one payment.
"""

import contextlib
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from unittest.mock import patch

import psycopg2
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from odoo.exceptions import UserError
from odoo.sql_db import Cursor

from ..importer import storing
from ..proxy.client import ProxyClient
from ..proxy.transport import EmbeddedTransport
from .simulated_bank import BLANK, ERRORS, GARBAGE, TAX, Account, Payment, SimulatedBank

START = datetime(2026, 5, 20, 10)

#: Banks book and change some days back, no more: see OVERLAP_DAYS.
LATE_DAYS = 9

#: Which accounts one consent covers.
LINKS = (("nameless", "stable"), ("cursor",), ("positional",), ("shared",))

NUMBERS = {
    "stable": "BE71096123456769",
    "nameless": "BE35096123456737",
    "cursor": "BE06096123456722",
    "positional": "BE98096123456793",
    "shared": "BE43096123456701",
}

LINE, ABSENT, BEFORE_START, LOCKED, DELETED, PARKED = "line", "absent", "before_start", "locked", "deleted", "parked"

small = st.integers(0, 9)
days_back = st.sampled_from([0, 0, 1, 3, LATE_DAYS])
operations = st.sampled_from(["connections.refresh", "accounts.list", "transactions.list"])


class Crash(BaseException):
    """The worker dies. Not an Exception: nobody gets a chance to clean up."""


class Injected(Exception):
    """A mistake of ours, somewhere."""


#: What may go wrong at any SQL statement.
BREAKDOWNS = {
    "crash": Crash,
    "serialization": psycopg2.errors.SerializationFailure,
    "integrity": psycopg2.IntegrityError,
    "mistake": Injected,
}
faults = st.one_of(
    st.tuples(st.just("sql"), st.integers(1, 200), st.sampled_from([*BREAKDOWNS])),
    st.tuples(st.just("commit"), st.integers(1, 6), st.booleans()),
    st.tuples(st.just("bank"), operations, st.integers(1, 3), st.sampled_from(["time-out", *ERRORS, *GARBAGE])),
    st.tuples(st.just("unreadable"), small, small),
)
how_to_run = st.sampled_from(["user", "schedule", "deferred"])


class BankMachine(RuleBasedStateMachine):
    """:cvar case: the running ``OnlineSyncCommon`` with ``journals`` and ``clock`` (of freezegun)"""

    case = None

    # -------------------------------------------------------------------------
    # BEGINNING AND END
    # -------------------------------------------------------------------------

    def __init__(self):
        super().__init__()
        # Why as a superuser: who may do what is tested elsewhere.
        self.env, self.cr = self.case.env(su=True), self.case.env.cr
        self.clock = self.case.clock
        self.clock.move_to(START)
        self.company = self.case.company.with_env(self.env)
        self.accounts, self.journals, self.starts = [], {}, {}
        self.oldest_asked, self.was_load = {}, {}
        self.typed = defaultdict(list)
        #: Accounts whose running balance is no longer the bank's, and journals whose statements a user has touched.
        self.unbalanced, self.disarranged = set(), set()
        self.number = 0
        self.commits, self.dies_at = 0, None
        self.bank = SimulatedBank(self.company.currency_id.name, datetime.now)
        self.client = ProxyClient(EmbeddedTransport(self.bank.dispatch))
        self.stack = contextlib.ExitStack()
        registry = self.case.registry
        for target, name, replacement in (
            (registry["account.online.link"], "_get_client", lambda link: self.client),
            (registry["ir.cron"], "_commit_progress", self._commit_progress),
            (self.cr, "rollback", self.rollback),
            # Why so few: a crash between two chunks must be possible with a handful of transactions.
            (storing, "CHUNK", 2),
        ):
            self.stack.enter_context(patch.object(target, name, replacement))
        self.example = self.cr.savepoint()
        self.transaction = self.cr.savepoint()

    @initialize(
        links=st.lists(st.sampled_from(LINKS), min_size=1, max_size=2, unique=True),
        start=st.sampled_from([None, None, 5, 20]),
        periodicity=st.sampled_from(["month", "week", "day", "bimonthly", "none"]),
        history=st.lists(st.tuples(small, st.sampled_from([0, 1, 2, 4, 8, 12, 20, 35])), min_size=3, max_size=8),
        twins=st.lists(small, max_size=3),
        loaded=st.booleans(),
    )
    def connect(self, links, start, periodicity, history, twins, loaded):
        for number, kinds in enumerate(links):
            accounts = [Account(kind, NUMBERS[kind], self.bank.currency) for kind in kinds]
            self.bank.connections[f"C{number}"] = accounts
            self.accounts += accounts
            link = self._new_link(f"C{number}")
            for account, record in zip(
                accounts, link.account_online_account_ids.sorted(lambda one: one.id), strict=True
            ):
                self.journals[account] = self.case.journals[len(self.journals)].with_env(self.env)
                self.starts[account] = start if start is None else self.today - timedelta(days=start)
                record._link_journal(self.journals[account], self.starts[account] or False, periodicity)
        for index, back in history:
            self._book(self._pick(self.accounts, index), back)
        for index in twins:
            self.bank_books_the_same_again(index, index)
        self.commit()
        if loaded:
            self._run("user", None)

    def teardown(self):
        try:
            if not sys.exc_info()[0] and self.accounts:
                self.settle()
        finally:
            self.stack.close()
            self.transaction.close()
            self.example.close()
            self.env.invalidate_all()

    # -------------------------------------------------------------------------
    # THE DATABASE
    # -------------------------------------------------------------------------

    def commit(self):
        self.transaction.close(rollback=False)
        self.transaction = self.cr.savepoint()

    def rollback(self):
        self.transaction.rollback()

    def _commit_progress(self, *_arguments, **_options):
        """What the scheduled action calls to make its work last; a worker may die before or after."""
        self.commits += 1
        dies = self.dies_at and self.dies_at[0] == self.commits
        if dies and self.dies_at[1]:
            raise Crash
        self.commit()
        if dies:
            raise Crash
        return float("inf")

    @contextlib.contextmanager
    def _breaking_down(self, count, exception):
        """Something goes wrong at one SQL statement, the machine's own savepoints excepted."""
        execute, left = Cursor.execute, [count]

        def execute_or_fail(cr, query, *arguments, **options):
            if not str(query).startswith(("SAVEPOINT", "ROLLBACK", "RELEASE")):
                left[0] -= 1
                if left[0] == 0:
                    raise exception
            return execute(cr, query, *arguments, **options)

        with patch.object(Cursor, "execute", execute_or_fail):
            yield

    # -------------------------------------------------------------------------
    # WORDS
    # -------------------------------------------------------------------------

    @property
    def today(self):
        return date.today()

    @property
    def links(self):
        return self.env["account.online.link"].search([("journal_ids", "in", self._journals().ids)])

    def _journals(self):
        return self.env["account.journal"].browse([journal.id for journal in self.journals.values()])

    def _record(self, account):
        return self.journals[account].account_online_account_id

    @staticmethod
    def _pick(things, index):
        return things[index % len(things)] if things else None

    def _new_link(self, connection_id):
        connection = self.bank.dispatch("connections.get", {"connection_id": connection_id})["connection"]
        return self.env["account.online.link"]._create_from_proxy(
            connection, self.bank.describe(connection_id), self.company
        )

    def _book(self, account, back, **values):
        self.number += 1
        payment = Payment(
            self.number,
            self.today - timedelta(days=back),
            # Why so odd: only what is meant to be equal is equal.
            Decimal(-1000 - 7 * self.number) / 100,
            f"Text {self.number}",
            self.number,
        )
        for name, value in values.items():
            setattr(payment, name, value)
        account.add(payment, first_of_its_day=back > 0)
        return payment

    def _payments(self, account):
        """Booked payments that the bank may still change."""
        first = self.today - timedelta(days=LATE_DAYS)
        return [
            payment
            for payment in account.shown("booked")
            if payment.day >= max(first, self.oldest_asked.get(account) or date.min)
        ]

    def _is_alone(self, account, payment):
        return sum(other.kin == payment.kin for other in account.payments) == 1

    def _lock_date(self):
        return self.company.fiscalyear_lock_date or date.min

    # -------------------------------------------------------------------------
    # WHAT THE BANK DOES
    # -------------------------------------------------------------------------

    @rule(index=small, back=days_back, style=st.sampled_from(["own", TAX, BLANK]))
    def bank_books(self, index, back, style):
        account = self._pick(self.accounts, index)
        self._book(account, back, id_style=style if account.kind == "shared" else "own")

    @rule(index=small, which=small)
    def bank_books_the_same_again(self, index, which):
        """Two coffees."""
        account = self._pick(self.accounts, index)
        first = self._pick(self._payments(account), which)
        if not first or first.id_style == TAX or first.marks & {"typed once", "typed twice"}:
            return
        back = (self.today - first.day).days
        twin = self._book(account, back, amount=first.amount, text=first.text, kin=first.kin, id_style=first.id_style)
        if self._lock_date() >= twin.day:
            twin.marks.add("was locked")

    @rule(index=small)
    def bank_announces(self, index):
        account = self._pick(self.accounts, index)
        payment = self._book(account, 0, state="pending")
        payment.pending_id = None if account.kind in ("nameless", "positional") else f"P{payment.number}"

    @rule(index=small, which=small, becomes=st.sampled_from(["booked", "booked with the same id", "vanished"]))
    def bank_decides_on_what_it_announced(self, index, which, becomes):
        account = self._pick(self.accounts, index)
        payment = self._pick(account.shown("pending"), which)
        if not payment:
            return
        if becomes == "vanished":
            payment.state = "forgotten"
            account.remove_id(payment.pending_id)
            return
        payment.state, payment.day = "booked", self.today
        if becomes != "booked":
            payment.marks.add("same id")
        elif payment.pending_id:
            account.remove_id(payment.pending_id)
        account.touch(payment)

    @rule(index=small, which=small, what=st.sampled_from(["text", "amount", "date"]), back=st.integers(0, LATE_DAYS))
    def bank_changes(self, index, which, what, back):
        account = self._pick(self.accounts, index)
        if account.kind not in ("stable", "cursor"):
            return
        payment = self._pick(self._payments(account), which)
        if not payment:
            return
        day = max(self.today - timedelta(days=back), self.oldest_asked.get(account) or date.min)
        self._forget_expectations(account, payment)
        if what == "text":
            payment.text += "!"
        elif what == "amount":
            self.number += 1
            payment.amount = Decimal(-1000 - 7 * self.number) / 100
        else:
            if self._lock_date() >= payment.day:
                payment.marks.add("was locked")
            payment.day = day
        if self._lock_date() >= payment.day:
            payment.marks.add("was locked")
        self.unbalanced.add(account)
        account.touch(payment)

    def _forget_expectations(self, account, payment):
        if payment.marks & {"typed once", "typed twice"}:
            payment.marks -= {"typed once", "typed twice"}
            payment.marks.add("unclear")
        if not self._is_alone(account, payment):
            payment.marks.add("unclear")

    @rule(index=small, which=small)
    def bank_withdraws(self, index, which):
        account = self._pick(self.accounts, index)
        payment = self._pick(self._payments(account), which)
        if not payment or payment.id_style == TAX or not self._is_alone(account, payment):
            return
        self.unbalanced.add(account)
        if account.kind == "cursor":
            account.remove_id(account.id_of(payment))
            payment.state = "withdrawn"
            if not self._record(account).sync_cursor:
                payment.marks.add("silent")
        else:
            became = self._what_became(account)[payment.kin]
            payment.marks.add(f"was {(became or [ABSENT])[-1]}")
            payment.state = "vanished"

    @rule(index=small, new_ids=st.booleans(), new_transaction_ids=st.booleans())
    def consent_is_renewed(self, index, new_ids, new_transaction_ids):
        connection_id, accounts = self._pick(sorted(self.bank.connections.items()), index)
        link = self.env["account.online.link"].search([("connection_identifier", "=", connection_id)])
        for account in accounts:
            if self._record(account).account_online_link_id == link:
                self._new_ids(account, new_ids, new_transaction_ids)
        link._update_from_proxy(
            self.bank.dispatch("connections.get", {"connection_id": connection_id})["connection"],
            self.bank.describe(connection_id),
        )
        self.commit()

    @rule(index=small, all_accounts=st.booleans(), new_transaction_ids=st.booleans())
    def bank_is_connected_once_more(self, index, all_accounts, new_transaction_ids):
        _connection_id, accounts = self._pick(sorted(self.bank.connections.items()), index)
        accounts = accounts if all_accounts else accounts[:1]
        new_id = f"C{len(self.bank.connections)}"
        self.bank.connections[new_id] = accounts
        for account in accounts:
            self._new_ids(account, True, new_transaction_ids)
        self._new_link(new_id)
        self.commit()

    def _new_ids(self, account, new_ids, new_transaction_ids):
        account.version += new_ids
        if new_ids:
            for payment in account.payments:
                if payment.state == "withdrawn":
                    payment.marks.add("silent")
        # Why only with a new account id: no bank renames what its own list of changes refers to.
        if new_transaction_ids and (new_ids or account.kind != "cursor"):
            account.id_version += 1

    # -------------------------------------------------------------------------
    # WHAT THE USER DOES
    # -------------------------------------------------------------------------

    @rule(index=small, back=st.integers(0, 3), twice=st.booleans())
    def user_types_what_the_bank_books_later(self, index, back, twice):
        account = self._pick(self.accounts, index)
        self.number += 1
        day = self.today - timedelta(days=back)
        amount = Decimal(-1000 - 7 * self.number) / 100
        days = [day, day - timedelta(days=1)] if twice else [day]
        if self._lock_date() >= min(days):
            return
        lines = self.env["account.bank.statement.line"].create(
            [
                {
                    "journal_id": self.journals[account].id,
                    "date": one,
                    "amount": float(amount),
                    "payment_ref": "By hand",
                }
                for one in days
            ]
        )
        self.typed[account].append((amount, day, lines, "typed twice" if twice else "typed once"))
        self.unbalanced.add(account)
        self.commit()

    @rule(index=small, which=small)
    def bank_books_what_the_user_typed(self, index, which):
        account = self._pick(self.accounts, index)
        typed = self._pick(self.typed[account], which)
        if not typed:
            return
        self.typed[account].remove(typed)
        amount, day, _lines, mark = typed
        # Why a day later where there are two: on one of their own days it would be clear which one it is.
        later = day + timedelta(days=mark == "typed twice")
        if not self.today - timedelta(days=LATE_DAYS) <= later <= self.today:
            return
        self._book(account, (self.today - later).days, amount=amount, marks={mark})

    @rule(index=small, which=small, partner=st.booleans())
    def user_edits(self, index, which, partner):
        line = self._pick(self._lines(self._pick(self.accounts, index)), which)
        if line and self._try(
            line.write, {"partner_id": self.case.partner_a.id} if partner else {"payment_ref": "Mine"}
        ):
            self._mark(line, None if partner else "edited")

    @rule(index=small, which=small)
    def user_reconciles(self, index, which):
        line = self._pick(self._lines(self._pick(self.accounts, index)), which)
        if not line or line.is_reconciled:
            return
        suspense = line._seek_for_lines()[1]
        if self._try(suspense.write, {"account_id": self.case.company_data["default_account_expense"].id}):
            self._mark(line, "reconciled")

    @rule(index=small, which=small, how=st.sampled_from(["line", "entry"]))
    def user_deletes(self, index, which, how):
        account = self._pick(self.accounts, index)
        line = self._pick(self._lines(account).filtered("online_transaction_identifier"), which)
        if not line or line.date <= self._lock_date():
            return
        payment = self._one_of(line, lambda marks: "deleted" not in marks)

        def delete():
            if line.statement_id.is_valid and line.statement_id.is_complete:
                # Core wants it so.
                line.statement_id.unlink()
            if how == "line":
                line.unlink()
            else:
                line.move_id.button_draft()
                line.move_id.unlink()

        if self._try(delete):
            payment.marks.add("deleted")
            payment.marks -= {"restored", "typed once", "typed twice"}
            self.unbalanced.add(account)
            self.disarranged.add(account)

    @rule(index=small, which=small)
    def user_deletes_a_statement(self, index, which):
        account = self._pick(self.accounts, index)
        statement = self._pick(self._statements(account), which)
        if statement and self._try(statement.unlink):
            self.disarranged.add(account)

    @rule(index=small, which=small)
    def user_restores(self, index, which):
        account = self._pick(self.accounts, index)
        kept = self._pick(self._kept(account).filtered(lambda one: one.state in ("deleted", "left_out")), which)
        if not kept or not (kept.transaction_details or {}).get("payment"):
            return
        payment = self._one_of(kept, lambda marks: ("deleted" in marks) == (kept.state == "deleted"))
        if self._try(kept.action_restore):
            payment.marks.add("restored")
            payment.marks -= {"deleted"}
            if payment.marks & {"typed once", "typed twice"}:
                payment.marks -= {"typed once", "typed twice"}
                payment.marks.add("unclear")
            self.unbalanced.add(account)
        else:
            assert kept.date <= self._lock_date(), "Only a lock date keeps a user from restoring."

    @rule(back=st.sampled_from([None, 0, 2, 5, 12, 25]))
    def user_locks(self, back):
        """Core asks to reconcile all lines first. Here it does not matter how the lock came about."""
        day = back is not None and self.today - timedelta(days=back)
        if day and day <= self._lock_date():
            return
        with patch.object(self.case.registry["res.company"], "_validate_locks", lambda company, values: None):
            self.company.fiscalyear_lock_date = day
        for account in self.accounts:
            self.unbalanced.add(account)
            for payment in account.payments:
                if day and payment.day <= day:
                    payment.marks.add("was locked")
        self.commit()

    @rule(index=small, back=st.sampled_from([None, 10, 30]))
    def user_moves_the_start(self, index, back):
        account = self._pick(self.accounts, index)
        start = back and self.today - timedelta(days=back)
        if self.starts[account] and (not start or start < self.starts[account]):
            self._record(account).start_date = start or False
            self.starts[account] = start
            self.unbalanced.add(account)
            self.commit()

    @rule(index=small, periodicity=st.sampled_from(["month", "week", "day", "bimonthly", "none"]))
    def user_changes_the_periodicity(self, index, periodicity):
        account = self._pick(self.accounts, index)
        self.journals[account].bank_statement_creation_groupby = periodicity
        self.disarranged.add(account)
        self.commit()

    def _try(self, action, *arguments):
        """What Odoo refuses has not happened."""
        try:
            with self.cr.savepoint():
                action(*arguments)
        except UserError:
            return False
        self.commit()
        return True

    def _mark(self, line, mark):
        payment = self._payment_of(line)
        if payment and mark:
            payment.marks.add(mark)

    # -------------------------------------------------------------------------
    # TIME AND RUNS
    # -------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 13, 24, 72, 24 * 15]))
    def time_passes(self, hours):
        self.clock.tick(timedelta(hours=hours))

    @rule(how=how_to_run, index=small)
    def run(self, how, index):
        self._run(how, index)

    @rule(how=how_to_run, index=small, fault=faults)
    def disturbed_run(self, how, index, fault):
        kind, *details = fault
        breakdown = contextlib.nullcontext()
        if kind == "sql":
            breakdown = self._breaking_down(details[0], BREAKDOWNS[details[1]])
        elif kind == "commit":
            self.dies_at = details
        elif kind == "bank":
            self.bank.trouble = tuple(details)
        else:
            self.bank.unreadable = tuple(details)
        self._run(how, index, breakdown)

    @rule(index=small)
    def another_worker_has_the_link(self, index):
        link = self._pick(self.links, index)
        runs = len(link.run_ids)
        self.bank.calm_down()
        with patch.object(self.case.registry["account.online.link"], "try_lock_for_update", lambda link, **_: link[:0]):
            link._synchronize(user_present=True)
        assert not self.bank.calls and len(link.run_ids) == runs, "Two workers at one link."

    @rule()
    def settle(self):
        """Fetch everything, undisturbed; once more, and nothing is new."""
        for _once_more in range(2):
            self._run("user", None)
        for link in self.links:
            last = link.run_ids.sorted("id")[-1]
            assert (last.imported, last.adopted, last.changed, last.removed) == (0, 0, 0, 0), (
                "It was not the last word."
            )

    def _run(self, how, index, breakdown=None):
        self.clock.tick(timedelta(minutes=1))
        for account in self.accounts:
            record = self._record(account)
            self.was_load[account] = not record.last_sync
            asked = self.starts[account] - timedelta(days=10) if self.starts[account] else None
            known = self.oldest_asked.get(account, asked)
            self.oldest_asked[account] = asked and known and min(asked, known)
            if self.was_load[account]:
                for payment in account.shown("booked"):
                    payment.marks.add("in a load")
        links = self.links if index is None else self._pick(self.links, index)
        self.commits, started = 0, datetime.now()
        try:
            with breakdown or contextlib.nullcontext():
                self._start(how, links)
        except (Crash, psycopg2.Error, Injected):
            if not breakdown:
                raise
            self.rollback()
        finally:
            self.bank.trouble = self.bank.unreadable = self.dies_at = None
        self.bank.calm_down()
        self.commit()
        self._note_bad_words()
        if not breakdown:
            self._check_runs(links if how == "user" else self.links.filtered(lambda link: link.last_refresh == started))

    def _start(self, how, links):
        Link = self.env["account.online.link"]
        if how == "schedule":
            Link._cron_synchronize()
            return
        for link in links:
            link._synchronize(user_present=True, may_defer=how == "deferred")
        if how == "deferred":
            self.commit()
            Link._cron_fetch_planned()

    def _note_bad_words(self):
        """A list of changes tells each thing once; a window is asked for as long as it is recent."""
        for account, number in self.bank.told_badly:
            payment = next(one for one in account.payments if one.number == number)
            lasting = account.kind == "cursor" or payment.day < self.today - timedelta(days=LATE_DAYS)
            payment.marks.add("unreadable for good" if lasting else "unreadable once")
        self.bank.told_badly.clear()

    # -------------------------------------------------------------------------
    # WHAT MUST HOLD
    # -------------------------------------------------------------------------

    @invariant()
    def no_payment_is_twice_in_a_journal(self):
        for account, journal in self.journals.items():
            self.env.flush_all()
            self.cr.execute(
                "SELECT transaction_details->>'payment' FROM account_bank_statement_line"
                " WHERE journal_id = %s AND online_transaction_identifier IS NOT NULL",
                [journal.id],
            )
            kin = {payment.number: payment.kin for payment in account.payments}
            there = Counter(kin[int(number)] for (number,) in self.cr.fetchall())
            for one, count in (there - Counter(kin.values())).items():
                raise AssertionError(f"{account.kind}: {count} lines too many for payment {one}")

    def _check_runs(self, links):
        for link in links:
            last = link.run_ids.sorted(lambda run: (run.started_at, run.id))[-1:]
            assert last.state == "done", f"{last.state}: {last.error_message}"
        for account in self.accounts:
            if self._record(account).account_online_link_id in links:
                self._check_account(account)

    def _check_account(self, account):
        became = self._what_became(account)
        by_kin = defaultdict(list)
        for payment in account.payments:
            by_kin[payment.kin].append(payment)
        for kin in by_kin.values():
            found = became[kin[0].kin]
            # What was unreadable once may stand there still; what was read later counts.
            while PARKED in found and len(found) > len(kin):
                found.remove(PARKED)
            assert len(found) <= len(kin), f"{account.kind}: {kin} became {found}"
            found = found + [ABSENT] * (len(kin) - len(found))
            allowed = [self._allowed(account, payment) for payment in kin]
            assert any(
                all(one in may for one, may in zip(order, allowed, strict=True)) for order in permutations(found)
            ), f"{account.kind}: {kin} became {found}, allowed is {allowed}"
        self._check_contents(account, by_kin)
        self._check_pending(account)
        self._check_statements(account)

    def _what_became(self, account):
        """:return: dict from kin to a list of :data:`LINE` and reasons, lines last"""
        became = defaultdict(list)
        kin = {payment.number: payment.kin for payment in account.payments}
        for one in self._kept(account).filtered(lambda one: one.state != "pending"):
            if isinstance(one.transaction_details, dict):
                became[kin[one.transaction_details["payment"]]].append(one.reason_code)
        for line in self._lines(account):
            if payment := self._payment_of(line):
                became[payment.kin].append(LINE)
        return became

    def _allowed(self, account, payment):
        """What may have become of a payment after an undisturbed run."""
        marks = payment.marks
        if payment.state in ("pending", "forgotten"):
            return {ABSENT}
        if payment.state == "withdrawn":
            is_held = marks & {"silent", "was locked", "reconciled"}
            return {ABSENT, LINE, LOCKED, BEFORE_START, DELETED, PARKED} if is_held else {ABSENT, DELETED}
        if "deleted" in marks:
            return {DELETED}
        if payment.state == "vanished":
            if "restored" in marks or "was line" in marks:
                return {LINE}
            return {LINE, ABSENT, BEFORE_START, LOCKED, PARKED}
        if "restored" in marks:
            return {LINE}
        allowed = {LINE}
        start, asked = self.starts[account], self.oldest_asked[account]
        if asked and payment.day < asked:
            allowed |= {ABSENT}
        if start and payment.day < start and "in a load" in marks:
            allowed |= {BEFORE_START}
        if payment.day <= self._lock_date():
            allowed |= {LOCKED}
        if "unreadable for good" in marks:
            allowed |= {PARKED}
        return allowed

    def _check_contents(self, account, by_kin):
        free = {"was locked", "reconciled", "unreadable for good", "unclear", "typed once", "typed twice"}
        lines = defaultdict(list)
        for line in self._lines(account):
            if payment := self._payment_of(line):
                lines[payment.kin].append(line)
        for kin, payments in by_kin.items():
            marks = set().union(*(payment.marks for payment in payments))
            if "typed once" in marks and len(lines[kin]) == 1:
                assert lines[kin][0].online_adopted, f"{account.kind}: {payments} was typed, and came once more"
            if "typed twice" in marks and lines[kin]:
                assert lines[kin][0].online_possible_duplicate, f"{account.kind}: nobody is asked about {payments}"
            if marks & free or any(payment.state != "booked" for payment in payments):
                continue
            told = {(payment.day, float(payment.amount), payment.text) for payment in payments}
            for line in lines[kin]:
                text = payments[0].text if "edited" in marks else line.payment_ref
                found = (line.date, line.amount, text)
                assert found in told, f"{account.kind}: the bank says {told}, the line {found}"

    def _check_pending(self, account):
        shown = self._kept(account).filtered(lambda one: one.state == "pending").mapped("amount")
        wanted = [float(payment.amount) for payment in account.shown("pending")]
        assert sorted(shown) == sorted(wanted), f"{account.kind}: pending is {wanted}, shown is {shown}"
        assert self._record(account).pending_count == len(wanted)

    def _check_statements(self, account):
        currency = self.company.currency_id
        statements = self._statements(account)
        loose = self._lines(account).filtered(lambda line: not line.statement_id)
        for statement in statements:
            total = statement.balance_start + sum(statement.line_ids.mapped("amount"))
            assert not currency.compare_amounts(statement.balance_end_real, total), f"{statement.name} does not add up"
            assert statement.is_complete, f"{statement.name} is not complete"
            days = statement.line_ids.mapped("date")
            assert statement.online_period_start <= min(days) <= max(days) <= statement.online_period_end, days
            assert statement.is_valid or loose, f"{statement.name} does not start where the one before ended"
        if statements and self._is_balanced(account):
            running = self._lines(account)[-1].running_balance
            difference = currency.compare_amounts(running, float(account.balance))
            assert not difference, f"{account.kind}: the bank has {account.balance}, the journal {running}"

    def _is_balanced(self, account):
        """Whether nothing has kept the opening balance from being the bank's."""
        marks = set().union(*(payment.marks for payment in account.payments))
        return (
            account not in self.unbalanced | self.disarranged
            and not self.starts[account]
            and "in a load" in marks
            and not marks & {"unreadable once", "unreadable for good", "was locked"}
        )

    # -------------------------------------------------------------------------
    # WHAT STANDS IN THE DATABASE
    # -------------------------------------------------------------------------

    def _lines(self, account):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journals[account].id)], order="internal_index"
        )

    def _statements(self, account):
        return self.env["account.bank.statement"].search(
            [("journal_id", "=", self.journals[account].id)], order="first_line_index"
        )

    def _kept(self, account):
        return self.env["account.online.transaction"].search(
            [("account_online_account_id", "=", self._record(account).id)], order="id"
        )

    def _one_of(self, record, is_it):
        """The payment that a line or a kept transaction is; among equal ones the first that has the right marks."""
        payments = [payment for account in self.accounts for payment in account.payments]
        found = next(one for one in payments if one.number == record.transaction_details["payment"])
        return next((one for one in payments if one.kin == found.kin and is_it(one.marks)), found)

    def _payment_of(self, line):
        """The payment that a line of a bank is, or None for a typed one."""
        number = line.online_transaction_identifier and line.transaction_details["payment"]
        payments = (payment for account in self.accounts for payment in account.payments if payment.number == number)
        return next(payments, None)
