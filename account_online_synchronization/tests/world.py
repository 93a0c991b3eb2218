"""Journals, the banks that fill them, the user, the clock and the wire, with an engine in between.

Each method is something that happens; after each undisturbed run everything is checked, see world_checks.py. Scenarios
call them one by one (test_machine_scenarios.py), the state machine in any order (machine.py).
"""

import contextlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.sql_db import Cursor

from ..books import apply, compare
from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from ..sync.decide import decide
from .simulated_bank import Account, Payment, SimulatedBank
from .world_checks import ABSENT, Checks

START = datetime(2026, 5, 20, 10)

#: Banks book and change some days back, no more: see OVERLAP_DAYS.
LATE_DAYS = 9

NUMBERS = {
    "stable": "BE71096123456769",
    "nameless": "BE35096123456737",
    "cursor": "BE06096123456722",
    "positional": "BE98096123456793",
    "shared": "BE43096123456701",
}

TYPED = {"typed once", "typed twice"}


class Crash(BaseException):
    """The worker dies. Not an Exception: no code gets a chance to clean up."""


class Injected(Exception):
    """An error somewhere in our code."""


#: What may go wrong at any SQL statement.
BREAKDOWNS = {
    "crash": Crash,
    "serialization": psycopg2.errors.SerializationFailure,
    "integrity": psycopg2.IntegrityError,
    "mistake": Injected,
}


class World(Checks):
    """:param case: the running ``OnlineSyncCommon`` with ``journals`` and ``clock`` (of freezegun)"""

    # -------------------------------------------------------------------------
    # BEGINNING AND END
    # -------------------------------------------------------------------------

    def __init__(self, case):
        self.case = case
        # Why as a superuser: who may do what is tested elsewhere.
        self.env, self.cr = case.env(su=True), case.env.cr
        self.clock = case.clock
        self.clock.move_to(START)
        self.company = case.company.with_env(self.env)
        self.accounts, self.journals, self.starts = [], {}, {}
        self.oldest_requested = {}
        #: ``(account, amount, day, mark)`` of what the user typed and the bank has not booked so far
        self.typed = []
        #: Payments that persons have worked with, by line id: the line stays theirs.
        self.worked_with = {}
        #: Accounts whose running balance is no longer the bank's, and journals whose statements a user has touched.
        self.unbalanced, self.disarranged = set(), set()
        #: Accounts of which a user has deleted a line that was in no statement any more.
        self.unsettled = set()
        self.number = 0
        self.commits, self.dies_at = 0, None
        self.bank = SimulatedBank(self.company.currency_id.name, datetime.now)
        # Why one thread: what the bank is asked ahead, it is asked in the same order each time.
        in_a_thread = EmbeddedTransport(self.bank.dispatch, threads=1)
        self.client = ProxyClient(EmbeddedTransport(self.bank.dispatch, in_a_thread))
        self.stack = contextlib.ExitStack()
        registry = case.registry
        for target, name, replacement in (
            (registry["account.online.link"], "_get_client", lambda link: self.client),
            (registry["ir.cron"], "_commit_progress", self._commit_progress),
            (self.cr, "rollback", self.rollback),
            # Why so few: a crash between two chunks must be possible with a handful of transactions.
            (apply, "CHUNK", 2),
        ):
            self.stack.enter_context(patch.object(target, name, replacement))
        self.example = self.cr.savepoint()
        self.transaction = self.cr.savepoint()

    def connect(self, *kinds, start=None, periodicity="month"):
        """A link with one account for each kind, each of which fills a journal.

        :param int start: days back
        :return: the accounts
        """
        are_twins = len(set(kinds)) < len(kinds)
        accounts = [
            Account(kind, None if are_twins else NUMBERS[kind], self.bank.currency, str(number) if are_twins else "")
            for number, kind in enumerate(kinds)
        ]
        connection_id = f"C{len(self.bank.connections)}"
        self.bank.connections[connection_id] = accounts
        self.accounts += accounts
        link = self._new_link(connection_id)
        for account, record in zip(accounts, link.account_online_account_ids.sorted("id"), strict=True):
            self.journals[account] = self.case.journals[len(self.journals)].with_env(self.env)
            self.starts[account] = start if start is None else self.today - timedelta(days=start)
            record._link_journal(self.journals[account], self.starts[account] or False, periodicity)
        self.commit()
        return accounts

    def close(self):
        self.stack.close()
        self.transaction.close()
        self.example.close()
        self.env.invalidate_all()

    # -------------------------------------------------------------------------
    # THE DATABASE
    # -------------------------------------------------------------------------

    def commit(self):
        """As Odoo does it: what is known of the database is read again afterwards."""
        self.env.flush_all()
        self.env.invalidate_all()
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
        """Something goes wrong at one SQL statement, the savepoints of this world excepted."""
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
    def day_at_the_bank(self):
        """All banks are in Belgium, two hours ahead of UTC in May."""
        return (datetime.now() + timedelta(hours=2)).date()

    @property
    def links(self):
        journals = self.env["account.journal"].browse([journal.id for journal in self.journals.values()])
        return self.env["account.online.link"].search([("journal_ids", "in", journals.ids)])

    def _new_link(self, connection_id):
        connection = self.bank.dispatch("connections.get", {"connection_id": connection_id})["connection"]
        return self.env["account.online.link"]._create_from_proxy(
            connection, self.bank.describe(connection_id), self.company
        )

    def _new_amount(self):
        # Why so odd: only what is meant to be equal is equal.
        self.number += 1
        return Decimal(-1000 - 7 * self.number) / 100

    def _lock_date(self):
        return self.company.fiscalyear_lock_date or date.min

    def changeable(self, account):
        """Booked payments that the bank may still change."""
        first = max(self.today - timedelta(days=LATE_DAYS), self.oldest_requested.get(account) or date.min)
        return [payment for payment in account.shown("booked") if first <= payment.day <= self.today]

    def ahead(self, account):
        """What the bank shows as booked before its day."""
        booked = account.shown("booked")
        marks = [one for one in booked if "ahead" in one.marks and "shifted" not in one.marks]
        return [one for one in marks if one.day > self.day_at_the_bank]

    def is_alone(self, account, payment):
        return sum(other.kin == payment.kin for other in account.payments) == 1

    def late_typed(self):
        """What the bank may book now of what the user has typed."""
        return [typed for typed in self.typed if self.today - timedelta(days=LATE_DAYS) <= typed[2] <= self.today]

    # -------------------------------------------------------------------------
    # WHAT THE BANK DOES
    # -------------------------------------------------------------------------

    def bank_books(self, account, back=0, **values):
        amount = self._new_amount()
        payment = Payment(self.number, self.today - timedelta(days=back), amount, f"Text {self.number}", self.number)
        for name, value in values.items():
            setattr(payment, name, value)
        account.add(payment, first_of_its_day=back > 0)
        return payment

    def bank_books_the_same_again(self, account, first):
        """Two coffees."""
        back = (self.today - first.day).days
        twin = self.bank_books(account, back, **{name: getattr(first, name) for name in ("amount", "text", "kin")})
        twin.id_style = first.id_style
        return twin

    def bank_announces(self, account):
        payment = self.bank_books(account, 0, state="pending")
        payment.pending_id = None if account.kind in ("nameless", "positional") else f"P{payment.number}"
        return payment

    def bank_books_ahead(self, account, days):
        """A standing order, shown as booked before its day."""
        self.unbalanced.add(account)
        return self.bank_books(account, -days, marks={"ahead"})

    def bank_changes_what_is_ahead(self, account, payment, what, days=1):
        """:param what: ``date``, ``id`` or ``vanished``"""
        old = account.id_of(payment)
        if what == "vanished":
            payment.state = "forgotten"
            account.remove_id(old)
            return
        if what == "date":
            payment.day = self.today + timedelta(days=days)
        elif account.kind in ("stable", "cursor") and payment.id_style == "own":
            payment.pending_id = f"A{payment.number}/{account.position}"
            payment.marks.add("same id")
            account.remove_id(old)
        account.touch(payment)

    def bank_dates_otherwise(self, account, days):
        """Another provider, or another kind of day: all transactions have other days, and other ids."""
        for payment in account.shown("booked"):
            if payment.day <= self.today:
                payment.day += timedelta(days=days)
                payment.marks |= {"was moved", "shifted"}
        self.unbalanced.add(account)
        self.disarranged.add(account)
        account.id_version += 1

    def bank_decides_on_what_it_announced(self, account, payment, becomes):
        """:param becomes: ``booked``, ``booked with the same id`` or ``vanished``"""
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

    def bank_changes(self, account, payment, what, back=0):
        """:param what: ``text``, ``amount`` or ``date``"""
        if payment.marks & TYPED or not self.is_alone(account, payment):
            payment.marks -= TYPED
            payment.marks.add("unclear")
        if what == "text":
            payment.text += "!"
        elif what == "amount":
            payment.amount = self._new_amount()
        else:
            if self._lock_date() >= payment.day:
                payment.marks.add("was locked")
            payment.day = max(self.today - timedelta(days=back), self.oldest_requested.get(account) or date.min)
            payment.marks |= {"was moved", "moved unseen"}
        if self._lock_date() >= payment.day:
            payment.marks.add("was locked")
        if what != "text":
            self.unbalanced.add(account)
        account.touch(payment)

    def bank_withdraws(self, account, payment):
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

    def consent_is_renewed(self, connection_id, new_ids=True, new_transaction_ids=True, in_another_order=False):
        if in_another_order:
            self.bank.connections[connection_id].reverse()
        # Why not for twins: alike in all that stays, they could not be recognised.
        new_ids = new_ids and not self.has_twins(connection_id)
        link = self.env["account.online.link"].search([("connection_identifier", "=", connection_id)])
        for account in self.bank.connections[connection_id]:
            if self._record(account).account_online_link_id == link:
                self._new_ids(account, new_ids, new_transaction_ids)
        link._update_from_proxy(
            self.bank.dispatch("connections.get", {"connection_id": connection_id})["connection"],
            self.bank.describe(connection_id),
        )
        self.commit()

    def has_twins(self, connection_id):
        return not all(account.number for account in self.bank.connections[connection_id])

    def bank_is_connected_once_more(self, accounts, new_transaction_ids=True):
        new_id = f"C{len(self.bank.connections)}"
        self.bank.connections[new_id] = accounts
        for account in accounts:
            self._new_ids(account, True, new_transaction_ids)
        for account in self._new_link(new_id).account_online_account_ids.filtered("duplicate_of_id"):
            # Why: the earlier connection works, so the user is asked, and moves the journal.
            account.duplicate_of_id._replace(account)
        self.commit()

    def _new_ids(self, account, new_ids, new_transaction_ids):
        account.version += new_ids
        if new_ids:
            for payment in account.payments:
                if payment.state == "withdrawn":
                    payment.marks.add("silent")
        # Why only with a new account id: no bank renames what its own list of changes refers to.
        # Why not where one has just moved: after a change of both id and day it can't be identified.
        is_moving = any("moved unseen" in payment.marks for payment in account.payments)
        if new_transaction_ids and (new_ids or account.kind != "cursor") and not is_moving:
            account.id_version += 1

    # -------------------------------------------------------------------------
    # WHAT THE USER DOES
    # -------------------------------------------------------------------------

    def user_types_what_the_bank_books_later(self, account, back=0, twice=False):
        day, amount = self.today - timedelta(days=back), self._new_amount()
        days = [day, day - timedelta(days=1)] if twice else [day]
        if self._lock_date() >= min(days):
            return
        for one in days:
            self.env["account.bank.statement.line"].create(
                {
                    "journal_id": self.journals[account].id,
                    "date": one,
                    "amount": float(amount),
                    "payment_ref": "By hand",
                }
            )
        # Why a day later where there are two: on one of their own days it would be clear which one it is.
        self.typed.append((account, amount, day + timedelta(days=twice), "typed twice" if twice else "typed once"))
        self.unbalanced.add(account)
        self.commit()

    def bank_books_what_the_user_typed(self, typed):
        self.typed.remove(typed)
        account, amount, day, mark = typed
        return self.bank_books(account, (self.today - day).days, amount=amount, marks={mark})

    def user_edits(self, line, what):
        """:param what: ``partner_id`` or ``payment_ref``"""
        value = self.case.partner_a.id if what == "partner_id" else "Mine"
        if self._try(line.write, {what: value}):
            self._mark(line, "edited" if what == "payment_ref" else None)

    def user_reconciles(self, line):
        suspense = line._seek_for_lines()[1]
        if self._try(suspense.write, {"account_id": self.case.company_data["default_account_expense"].id}):
            self._mark(line, "reconciled")

    def _mark(self, line, mark):
        if payment := self._payment_of(line):
            self.worked_with[line.id] = payment
            payment.marks |= {mark} - {None}

    def user_deletes(self, account, line, how="line"):
        payment = self._one_of(line, lambda marks: "deleted" not in marks)
        self._note_ambiguous(account, payment)

        if not line.statement_id:
            # Odoo lets no balance follow what is in no statement.
            self.unsettled.add(account)

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
            payment.marks -= {"restored", *TYPED}
            self.unbalanced.add(account)
            self.disarranged.add(account)

    def _note_ambiguous(self, account, payment):
        """Which of two equal payments it was."""
        if not self.is_alone(account, payment):
            for other in account.payments:
                other.marks |= {"unclear"} if other.kin == payment.kin else set()

    def user_deletes_a_statement(self, account, statement):
        if self._try(statement.unlink):
            self.disarranged.add(account)

    def user_restores(self, account, kept):
        payment = self._one_of(
            kept, lambda marks: "restored" not in marks and ("deleted" in marks) == (kept.state == "deleted")
        )
        self._note_ambiguous(account, payment)
        if self._try(kept.action_restore):
            payment.marks.add("restored")
            payment.marks -= {"deleted"}
            if payment.marks & TYPED:
                payment.marks -= TYPED
                payment.marks.add("unclear")
            self.unbalanced.add(account)
        else:
            assert kept.date <= self._lock_date(), "Only a lock date keeps a user from restoring."

    def user_locks(self, back):
        """Core asks to reconcile all lines first. Here it does not matter how the lock came about.

        :param back: last locked day, in days back; None lifts the lock
        """
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

    def user_moves_the_start(self, account, back):
        """:param back: the new first day, in days back; None for as far back as the bank allows"""
        start = back and self.today - timedelta(days=back)
        if self.starts[account] and (not start or start < self.starts[account]):
            self._record(account).start_date = start or False
            self.starts[account] = start
            self.unbalanced.add(account)
            self.commit()

    def user_changes_the_periodicity(self, account, periodicity):
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

    # -------------------------------------------------------------------------
    # TIME AND RUNS
    # -------------------------------------------------------------------------

    def time_passes(self, **span):
        self.clock.tick(timedelta(**span))

    def another_worker_has(self, link):
        runs = len(link.run_ids)
        self.bank.calm_down()
        with patch.object(self.case.registry["account.online.link"], "try_lock_for_update", lambda link, **_: link[:0]):
            link._synchronize(user_present=True)
        assert not self.bank.calls and len(link.run_ids) == runs, "Two workers at one link."

    def settle(self):
        """Fetch everything, undisturbed; once more, and nothing is new."""
        self.run()
        self.run()
        for link in self.links:
            last = link.run_ids.sorted("id")[-1]
            news = (last.imported, last.adopted, last.changed, last.removed)
            assert news == (0, 0, 0, 0), f"It was not the last word: {news}"

    def disturbed_run(self, fault, how="user", link=None):
        """
        :param fault: ``("sql", number of the statement, breakdown)``, ``("commit", number, whether it dies before)``,
            ``("bank", operation, number of the call, what happens)``, ``("unreadable", index, index)``,
            ``("call", object, name)`` for an error of our code in a function, or ``("nothing",)``: the caller disturbs
        """
        kind, *details = fault
        breakdown = contextlib.nullcontext()
        if kind == "sql":
            breakdown = self._breaking_down(details[0], BREAKDOWNS[details[1]])
        elif kind == "call":
            breakdown = patch.object(*details, side_effect=Injected)
        elif kind == "commit":
            self.dies_at = details
        elif kind == "bank":
            self.bank.trouble = tuple(details)
        elif kind == "unreadable":
            self.bank.unreadable = tuple(details)
        self.run(how, link, breakdown)

    def run(self, how="user", link=None, breakdown=None):
        """:param how: ``user``, ``schedule`` (what is due) or ``deferred`` (asked by a user, done by the server)
        :param link: None for all
        :param breakdown: what disturbs the run, as a context manager; without it everything is checked afterwards
        """
        self.clock.tick(timedelta(minutes=1))
        for account in self.accounts:
            self._note_what_is_requested(account)
        links = self.links if link is None else link
        foreseen = self._find_missing(links) if how == "user" and not breakdown else {}
        self.commits, started = 0, datetime.now()
        try:
            with breakdown or contextlib.nullcontext(), self._noting(apply) as decided:
                self._start(how, links)
        except (Crash, psycopg2.Error, Injected):
            if not breakdown:
                raise
            self.rollback()
        finally:
            self.bank.trouble = self.bank.unreadable = self.dies_at = None
        self.bank.calm_down()
        self.commit()
        self._note_reported()
        if not breakdown:
            self.check_foreseen(foreseen, decided)
            for account in self.accounts if how == "user" and link is None else ():
                for payment in account.payments:
                    payment.marks.discard("moved unseen")
            self.check(links if how == "user" else self.links.filtered(lambda one: one.last_refresh == started))

    def _find_missing(self, links):
        """:return: dict from account id to what *Find Missing Transactions* decides just before a run"""
        with self._noting(compare) as foreseen:
            for record in links.account_online_account_ids.filtered("journal_ids"):
                plan = record._plan_fetch()
                # Why not with a bookmark: the run asks for changes then, not for days.
                if not plan.cursor:
                    values = {"journal_id": record.journal_ids.id, "date_from": plan.since or date(2000, 1, 1)}
                    self.env["account.missing.transaction.wizard"].create(values).action_compare()
        self.bank.calm_down()
        return foreseen

    @staticmethod
    @contextlib.contextmanager
    def _noting(module):
        """:return: dict from account id to the decisions that are taken for a module of ``books``"""
        found = {}

        def note(window, policy, books):
            found[books.account.id] = decide(window, policy, books)
            return found[books.account.id]

        with patch.object(module, "decide", note):
            yield found

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

    def _note_what_is_requested(self, account):
        is_load = not self._record(account).last_sync
        requested = self.starts[account] - timedelta(days=10) if self.starts[account] else None
        known = self.oldest_requested.get(account, requested)
        self.oldest_requested[account] = requested and known and min(requested, known)
        for payment in account.shown("booked"):
            if is_load:
                payment.marks |= {"in a load"} if "seen" in payment.marks else {"in a load", "in the first load"}
            if payment.day > self._lock_date():
                payment.marks.add("was open")

    def _note_reported(self):
        """A list of changes reports each change once; a window of days is asked for as long as it is recent."""
        for account, number in self.bank.told_badly:
            payment = next(one for one in account.payments if one.number == number)
            lasting = account.kind == "cursor" or payment.day < self.today - timedelta(days=LATE_DAYS)
            payment.marks.add("unreadable for good" if lasting else "unreadable once")
        self.bank.told_badly.clear()
        for account in self.accounts:
            if self._record(account).last_sync:
                for payment in account.shown("booked"):
                    payment.marks.add("seen")
