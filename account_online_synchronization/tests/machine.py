"""Anything may happen, in any order: the next undisturbed run puts it right.

A state machine for Hypothesis. Its rules draw what happens in a :class:`~.world.World`, out of what is possible there.
After each undisturbed run the journals must hold what the bank has booked, once each, and whatever is missing must
stand beside the books with its reason. At no time, not even after a crash, are there two lines for one payment.
"""

import sys
from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from .simulated_bank import BLANK, ERRORS, GARBAGE, TAX
from .world import BREAKDOWNS, LATE_DAYS, TYPED, World

#: What one consent covers: one kind of account is enough for most things, two for what they may do to each other.
KINDS = [
    ("nameless",),
    ("stable",),
    ("cursor",),
    ("positional",),
    ("shared",),
    ("stable", "nameless"),
    ("stable", "stable"),
]

small = st.integers(0, 9)
days_back = st.sampled_from([0, 0, 1, 3, LATE_DAYS])
periodicities = st.sampled_from(["month", "week", "day", "bimonthly", "none"])
operations = st.sampled_from(["connections.refresh", "accounts.list", "transactions.list"])
faults = st.one_of(
    st.tuples(st.just("sql"), st.integers(20, 200), st.sampled_from([*BREAKDOWNS])),
    st.tuples(st.just("commit"), st.integers(1, 6), st.booleans()),
    st.tuples(st.just("bank"), operations, st.integers(1, 3), st.sampled_from(["time-out", *ERRORS, *GARBAGE])),
    st.tuples(st.just("unreadable"), small, small),
)
how_to_run = st.sampled_from(["user", "schedule", "deferred"])


def event(possible=None, **strategies):
    """A rule that is drawn only where something is possible, and half of the time with a run after it.

    :param possible: name of the method that lists the possible picks; the rule gets the pick and no ``index``
    """

    def decorate(method):
        def happen(self, then, index=0, **drawn):
            if possible:
                things = getattr(self, possible)()
                drawn["picked"] = things[index % len(things)]
            method(self, **drawn)
            if then:
                self.world.run(then)

        happen.__name__, happen.__doc__ = method.__name__, method.__doc__
        if possible:
            strategies["index"] = small
        then = st.sampled_from([None, None, None, "user", "user", "schedule"])
        happening = rule(then=then, **strategies)(happen)
        return precondition(lambda self: bool(getattr(self, possible)()))(happening) if possible else happening

    return decorate


class BankMachine(RuleBasedStateMachine):
    """:cvar case: the running ``OnlineSyncCommon`` with ``journals`` and ``clock`` (of freezegun)"""

    case = None

    def __init__(self):
        super().__init__()
        self.world = World(self.case)

    @initialize(
        kinds=st.sampled_from(KINDS),
        start=st.sampled_from([None, None, 5, 20]),
        periodicity=periodicities,
        # Why so odd: several days, and two coffees on one of them.
        history=st.lists(st.sampled_from([0, 1, 2, 4, 8, 12, 35]), min_size=2, max_size=5),
        twin=small,
        ahead=st.lists(st.integers(1, 6), max_size=2),
        unreadable=st.sampled_from([None, None, (0, 0), (1, 2), (2, 3)]),
    )
    def connect(self, kinds, start, periodicity, history, twin, ahead, unreadable):
        for account in self.world.connect(*kinds, start=start, periodicity=periodicity):
            booked = [self.world.bank_books(account, back) for back in history]
            self.world.bank_books_the_same_again(account, booked[twin % len(booked)])
            for days in ahead:
                self.world.bank_books_ahead(account, days)
        if unreadable:
            self.world.disturbed_run(("unreadable", *unreadable))
        self.world.run()

    def teardown(self):
        try:
            if not sys.exc_info()[0] and self.world.accounts:
                self.world.settle()
        finally:
            self.world.close()

    @invariant()
    def no_payment_is_twice_in_a_journal(self):
        self.world.check_doubles()

    # -------------------------------------------------------------------------
    # WHAT THERE IS
    # -------------------------------------------------------------------------

    def accounts(self):
        return self.world.accounts

    def connections(self):
        return sorted(self.world.bank.connections)

    def connections_of_numbers(self):
        return [one for one in self.connections() if not self.world.has_twins(one)]

    def links(self):
        return self.world.links

    def changeable(self):
        return [(account, one) for account in self.world.accounts for one in self.world.changeable(account)]

    def doubled(self):
        return [(account, one) for account, one in self.changeable() if one.id_style != TAX and not one.marks & TYPED]

    def renamed(self):
        """Where the bank gives no ids, a changed amount or day can't be distinguished from another transaction."""
        return [(account, one) for account, one in self.changeable() if account.kind in ("stable", "cursor")]

    def reworded(self):
        return [(account, one) for account, one in self.changeable() if account.kind != "shared"]

    def withdrawn(self):
        return [(account, one) for account, one in self.doubled() if self.world.is_alone(account, one)]

    def announced(self):
        return [(account, one) for account in self.world.accounts for one in account.shown("pending")]

    def ahead(self):
        return [(account, one) for account in self.world.accounts for one in self.world.ahead(account)]

    def dated_otherwise(self):
        """Where neither a start nor a lock decides by the day."""
        return [
            account
            for account in self.world.accounts
            if account.kind in ("stable", "nameless")
            and not self.world.starts[account]
            and self.world._lock_date() == date.min
        ]

    def late_typed(self):
        return self.world.late_typed()

    def lines(self):
        """Of the bank, on open days."""
        return [
            (account, line)
            for account in self.world.accounts
            for line in self.world.lines(account)
            if line.online_transaction_identifier and line.date > self.world._lock_date()
        ]

    def statements(self):
        return [(account, one) for account in self.world.accounts for one in self.world.statements(account)]

    def restorable(self):
        return [
            (account, kept)
            for account in self.world.accounts
            for kept in self.world.kept(account)
            if kept.state in ("deleted", "left_out") and (kept.transaction_details or {}).get("payment")
        ]

    # -------------------------------------------------------------------------
    # WHAT THE BANK DOES
    # -------------------------------------------------------------------------

    @event("accounts", backs=st.lists(days_back, min_size=1, max_size=5), style=st.sampled_from(["own", TAX, BLANK]))
    def bank_books(self, picked, backs, style):
        for back in backs:
            self.world.bank_books(picked, back, id_style=style if picked.kind == "shared" else "own")

    @event("doubled")
    def bank_books_the_same_again(self, picked):
        self.world.bank_books_the_same_again(*picked)

    @event("accounts")
    def bank_announces(self, picked):
        self.world.bank_announces(picked)

    @event("accounts", days=st.integers(1, 6))
    def bank_books_ahead(self, picked, days):
        self.world.bank_books_ahead(picked, days)

    @event("ahead", what=st.sampled_from(["date", "id", "vanished"]), days=st.integers(0, 6))
    def bank_changes_what_is_ahead(self, picked, what, days):
        self.world.bank_changes_what_is_ahead(*picked, what, days)

    @event("dated_otherwise", days=st.sampled_from([-1, 1]))
    def bank_dates_otherwise(self, picked, days):
        self.world.bank_dates_otherwise(picked, days)

    @event("announced", becomes=st.sampled_from(["booked", "booked with the same id", "vanished"]))
    def bank_decides_on_what_it_announced(self, picked, becomes):
        self.world.bank_decides_on_what_it_announced(*picked, becomes)

    @event("renamed", what=st.sampled_from(["amount", "date"]), back=st.integers(0, LATE_DAYS))
    def bank_changes(self, picked, what, back):
        self.world.bank_changes(*picked, what, back)

    @event("reworded")
    def bank_changes_the_text(self, picked):
        self.world.bank_changes(*picked, "text")

    @event("withdrawn")
    def bank_withdraws(self, picked):
        self.world.bank_withdraws(*picked)

    @event("connections", new_ids=st.booleans(), new_transaction_ids=st.booleans(), in_another_order=st.booleans())
    def consent_is_renewed(self, picked, new_ids, new_transaction_ids, in_another_order):
        self.world.consent_is_renewed(picked, new_ids, new_transaction_ids, in_another_order)

    @event("connections_of_numbers", all_accounts=st.booleans(), new_transaction_ids=st.booleans())
    def bank_is_connected_once_more(self, picked, all_accounts, new_transaction_ids):
        accounts = self.world.bank.connections[picked]
        self.world.bank_is_connected_once_more(accounts if all_accounts else accounts[:1], new_transaction_ids)

    # -------------------------------------------------------------------------
    # WHAT THE USER DOES
    # -------------------------------------------------------------------------

    @event("accounts", back=st.integers(0, 3), twice=st.booleans())
    def user_types_what_the_bank_books_later(self, picked, back, twice):
        self.world.user_types_what_the_bank_books_later(picked, back, twice)

    @event("late_typed")
    def bank_books_what_the_user_typed(self, picked):
        self.world.bank_books_what_the_user_typed(picked)

    @event("lines", what=st.sampled_from(["partner_id", "payment_ref"]))
    def user_edits(self, picked, what):
        self.world.user_edits(picked[1], what)

    @event("lines")
    def user_reconciles(self, picked):
        if not picked[1].is_reconciled:
            self.world.user_reconciles(picked[1])

    @event("lines", how=st.sampled_from(["line", "entry"]))
    def user_deletes(self, picked, how):
        self.world.user_deletes(*picked, how)

    @event("statements")
    def user_deletes_a_statement(self, picked):
        self.world.user_deletes_a_statement(*picked)

    @event("restorable")
    def user_restores(self, picked):
        self.world.user_restores(*picked)

    @event(back=st.sampled_from([None, 0, 2, 5, 12, 25]))
    def user_locks(self, back):
        self.world.user_locks(back)

    @event("accounts", back=st.sampled_from([None, 10, 30]))
    def user_moves_the_start(self, picked, back):
        self.world.user_moves_the_start(picked, back)

    @event("accounts", periodicity=periodicities)
    def user_changes_the_periodicity(self, picked, periodicity):
        self.world.user_changes_the_periodicity(picked, periodicity)

    # -------------------------------------------------------------------------
    # TIME AND RUNS
    # -------------------------------------------------------------------------

    @event(hours=st.sampled_from([1, 13, 24, 72, 24 * 15]))
    def time_passes(self, hours):
        self.world.time_passes(hours=hours)

    @rule(how=how_to_run, index=small)
    def run(self, how, index):
        self.world.run(how, self._link(index))

    @rule(how=how_to_run, index=small, fault=faults)
    def disturbed_run(self, how, index, fault):
        self.world.disturbed_run(fault, how, self._link(index))

    @rule(index=small)
    def another_worker_has_the_link(self, index):
        self.world.another_worker_has(self._link(index))

    @rule()
    def settle(self):
        self.world.settle()

    def _link(self, index):
        return self.world.links[index % len(self.world.links)]
