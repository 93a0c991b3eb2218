"""Stores one window of one account: applies what :mod:`..sync.decide` decides.

Nothing else in a synchronization writes lines and statements.

It commits only where the caller's ``checkpoint`` does. The next run recognizes what is stored, so a run may end after
any step: ``last_sync`` and the bookmark are updated in the last one.
"""

import contextlib
from collections import Counter
from datetime import date, timedelta

from odoo.tools.misc import format_date

from ..client.messages import unread_problem
from ..sync.decide import ADOPT, DELETED, HELD, IMPORT, KNOWN, LEFT_OUT, NOT_REQUESTED, decide, is_before_start
from ..sync.identity import stable_id, unreadable_id
from ..sync.matching import CHANGED, MOVED, SAME, SHIFTED
from ..sync.windows import UNREAD_DAYS
from . import locks, readiness, statements
from .kept import Kept
from .ledger import running_balance
from .opening import Beginning
from .read import Books
from .writer import CHUNK, REFUSALS, Writer
from .writer.tables import analyze_when_fresh

#: Users are asked to review a transaction that the bank has moved by more than this.
FAR = timedelta(days=14)


class Storing:
    """Extension point: another source of windows, such as files, has a subclass with its own :attr:`books_type` and
    :meth:`_progress_values`.

    :param account: ``account.online.account`` with a journal
    :param run: ``account.online.run`` that counts what happens
    :param window: :class:`~..sync.decide.Window`
    :param refreshed_at: time of the bank's data, None if unknown
    :param checkpoint: called between chunks; it may commit what is stored so far, and raise to end the work
    """

    #: Stored transactions, as decide() reads them.
    books_type = Books

    def __init__(self, account, run, window, refreshed_at=None, checkpoint=None):
        self.account, self.run, self.window, self.refreshed_at = account, run, window, refreshed_at
        self.checkpoint = checkpoint or (lambda: None)
        self.env, self.journal = account.env, account.journal_ids
        self.link = account.account_online_link_id
        self.Line = self.env["account.bank.statement.line"]
        self.Statement = self.env["account.bank.statement"]
        self.Transaction = self.env["account.online.transaction"]
        self.books = self.books_type(account, window, for_writing=True)
        self.policy = self.books.policy
        self.beside = Kept(account, self.policy)
        #: Kept transactions by identifier; those that become lines are deleted.
        self.kept = {}
        #: Values of new kept transactions, created together, because a bank may send thousands.
        self.to_keep = []
        #: :class:`~..sync.decide.Decision` on booked transactions with a day in the future.
        self.held = []
        #: :class:`~..sync.decide.Decision` by identifier of possible duplicates and of those reported before their day.
        self.doubtful, self.was_held = {}, {}
        #: Sentences for the review activity.
        self.reviews = []
        self.has_new = False
        #: Start balance of the journal's first statement before the new lines, ``(date, amount)`` of older entries that
        #: it contains, and the day of the first new line.
        self.opening, self.in_opening, self.written_from = 0.0, [], date.max
        #: Counters of the run. Why collected: otherwise each savepoint would write them.
        self.counts = Counter()

    def store(self):
        decisions = decide(self.window, self.policy, self.books)
        # Why none for most runs: nothing is written that could be incomplete, and a savepoint costs three statements.
        with contextlib.nullcontext() if self._has_nothing_to_store(decisions) else self.env.cr.savepoint():
            if not decisions.is_quiet:
                readiness.check(self.account)
            new = self._apply(decisions)
            self.has_new = bool(new)
            self._note_opening(new)
            self._write_kept()
            # Why here: most runs find nothing new, and need no further chunk.
            if not new:
                self._finish()
            self._ask_to_review()
        if new:
            self._write_counts()
            self._write_all(new)
            with self.env.cr.savepoint():
                self._finish()
                self._ask_to_review()
        self._write_counts()

    def _has_nothing_to_store(self, decisions):
        window, account = self.window, self.account
        is_noted = window.pending or window.unreadable or account.pending_count or account.unread_since
        return decisions.changes_nothing and not is_noted

    def _write_all(self, new):
        writer = Writer(self.account, new)
        for start in range(0, len(new), CHUNK):
            if start:
                analyze_when_fresh(self.env.cr)
                self.checkpoint()
                # Why again: the checkpoint may have committed.
                locks.hold(self.journal)
            with self.env.cr.savepoint():
                self._write(writer, self._without_locked(new[start : start + CHUNK]))
                self._ask_to_review()
            self._write_counts()

    def _without_locked(self, entries):
        """Leave out entries whose days users have locked since the decisions were made."""
        locked = locks.locked_days(self.journal, (self.policy.line_date(entry.transaction) for entry in entries))
        if not locked:
            return entries
        for entry in entries:
            if self.policy.line_date(entry.transaction) in locked:
                self._keep(entry, "left_out", "locked")
        return [entry for entry in entries if self.policy.line_date(entry.transaction) not in locked]

    def _ask_to_review(self):
        """Why with each chunk: after an interruption the next run knows the stored ones, and would not report them."""
        if self.reviews:
            self.link._ask_to_review(self.reviews)
            self.reviews = []

    def _count(self, counter, number=1):
        self.counts[counter] += number

    def _write_counts(self):
        for counter, number in self.counts.items():
            self.run._count(counter, number)
        self.counts.clear()

    # -------------------------------------------------------------------------
    # APPLYING DECISIONS
    # -------------------------------------------------------------------------

    def _apply(self, decisions):
        """Everything except the new lines, which are written in chunks.

        :param decisions: :class:`~..sync.decide.Decisions`
        :return: the entries to write, in booking order
        """
        known = [one for one in decisions if one.known]
        changed = [one for one in known if one.change in (MOVED, CHANGED, SHIFTED)]
        if changed or decisions.withdrawn:
            locks.hold(self.journal)
        self._follow_changes(changed)
        self._follow_removals(decisions.withdrawn)
        self._follow_losses(decisions.lost)
        self._follow_returns([one for one in known if one.known.is_withdrawn])
        self._note_digests([one for one in known if one.change == SAME and one.known.digest is None])
        beside = self.Transaction.browse([one.known.record_id for one in known if not one.is_line])
        by_id = {record.id: record for record in beside}
        self.kept = {one.entry.identifier: by_id[one.known.record_id] for one in known if not one.is_line}
        for one in decisions:
            if one.is_returning:
                self.kept[one.entry.identifier].write(self.beside.values(one.entry))
        self._count_decisions(decisions)
        new = [one for one in decisions if one.outcome == IMPORT]
        self._adopt([one for one in decisions if one.outcome == ADOPT], [one.entry for one in new])
        for one in decisions:
            if one.outcome == LEFT_OUT:
                self._keep(one.entry, "left_out", one.reason)
        # Why not known ones: they are kept already, for another reason.
        self.held = [one for one in decisions if one.outcome == HELD and not one.known]
        # Why exists: the bank may have withdrawn that line in this window.
        there = set(self.Line.browse([one.similar_line_id for one in new if one.similar_line_id]).exists().ids)
        self.doubtful = {one.entry.identifier: one for one in new if one.similar_line_id in there or one.may_be_deleted}
        self.was_held = {one.entry.identifier: one for one in new if one.was_held}
        # sorted() is stable: within a day the bank's own order stays, and with it the running balance.
        return sorted((one.entry for one in new), key=lambda entry: self.policy.line_date(entry.transaction))

    def _count_decisions(self, decisions):
        outcomes = [one.outcome for one in decisions]
        self._count("known", decisions.repeats + outcomes.count(KNOWN))
        self._count("skipped_deleted", outcomes.count(DELETED))
        self._count("skipped_before_start", outcomes.count(NOT_REQUESTED))
        self._count("adopted", outcomes.count(ADOPT))

    def _adopt(self, decisions, new):
        """Link lines that were typed or imported from elsewhere to their transactions.

        :param new: entries that become lines afterwards
        """
        if not decisions:
            return
        writer = Writer(self.account, [])
        loose, counted = self.Line, []
        for one in decisions:
            line, is_in_opening = self.Line.browse(one.line_id), self._is_in_opening(one.entry.identifier)
            self.kept.pop(one.entry.identifier, self.Transaction).unlink()
            writer.adopt(line, one.entry)
            if not line.statement_id and not is_before_start(one, self.policy):
                loose += line
                counted += [(line.date, line.amount)] * is_in_opening
        if loose:
            # Why: the journal begins with an adopted line then, so _note_opening() counts only those before it.
            begin = min(loose.mapped("date"))
            counted += [pair for pair in self._pairs_in_opening(new) if pair[0] >= begin]
        opening = statements.opening_before(statements.first_statement(self.journal), counted)
        statements.group(self.journal, loose, opening)

    def _keep(self, entry, state, reason_code, reason=None):
        """Keep a transaction that did not become a line, with the reason."""
        counters = {"before_start": "skipped_before_start", "locked": "skipped_locked"}
        if reason_code in counters:
            self._count(counters[reason_code])
        values = {"state": state, "reason_code": reason_code, "reason": reason and reason[:500]}
        kept = self.kept.get(entry.identifier)
        if not kept:
            self.to_keep.append({**self.beside.values(entry), **values, "is_late": not self.policy.is_load})
        elif any(kept[name] != (value or False) for name, value in values.items()):
            kept.write(values)
        return not kept

    def _write_kept(self):
        self.Transaction.create(self.to_keep)
        self.to_keep = []

    # -------------------------------------------------------------------------
    # WHAT THE BANK HAS CHANGED
    # -------------------------------------------------------------------------

    def _follow_changes(self, matches):
        """Update the ids and contents of lines and kept transactions."""
        if not matches:
            return
        lines = {found.known.record_id: found for found in matches if found.is_line}
        # Why two steps: two transactions may have exchanged their ids, which the unique index does not allow in one.
        if lines:
            self.Line.browse(lines).online_transaction_identifier = False
            self.Line.flush_model(["online_transaction_identifier"])
        writer = Writer(self.account, [found.entry for found in lines.values()])
        # Why before the changes: it precedes the first line, whichever line is the first one afterwards.
        opening = statements.opening_of(self.journal)
        for line_id, found in lines.items():
            line = self.Line.browse(line_id)
            if found.change == MOVED:
                line.write(writer.identity_values(found.entry))
                continue
            day, amount = line.date, line.amount
            has_changed, reason = writer.change(line, found.entry)
            self._count("changed", has_changed)
            self._note_new_day(line, found)
            # Why not after a shift of all: there is nothing that a user could check or do.
            if reason and found.change != SHIFTED:
                self.reviews.append(
                    self.env._("The bank has changed %(line)s, but %(reason)s.", line=line._describe(), reason=reason)
                )
            elif (line.date, line.amount) != (day, amount):
                statements.regroup(self.journal, line, opening)
                statements.settle(self.journal, line.statement_id, min(day, line.date), opening)
        self._follow_changes_beside([found for found in matches if not found.is_line])

    def _note_new_day(self, line, decision):
        before, after = decision.known.digest and decision.known.day, decision.entry.transaction.booking_date
        if after > self.policy.seen_on:
            line.online_was_future = True
        if before and abs(after - before) > FAR:
            # Why: an equal id proves identity, unless this bank repeats ids, and then only a user can decide.
            self.reviews.append(
                self.env._(
                    "The bank has moved %(line)s from %(before)s to %(after)s. If these are two transactions, use Find "
                    "Missing Transactions to import the other one.",
                    line=line._describe(),
                    before=format_date(self.env, before),
                    after=format_date(self.env, after),
                )
            )

    def _follow_changes_beside(self, matches):
        for found in matches:
            self.Transaction.browse(found.known.record_id).online_transaction_identifier = f"~{found.known.record_id}"
        self.Transaction.flush_model(["online_transaction_identifier"])
        for found in matches:
            # Why the contents, too: it may become a line later, in a run whose window no longer contains it.
            kept = self.Transaction.browse(found.known.record_id)
            # Why its journal stays: it is the journal from which the user deleted the line.
            values = self.beside.values(found.entry)
            kept.write({**values, "journal_id": kept.journal_id.id})

    def _follow_removals(self, removed):
        """Delete what the bank has withdrawn, unless users have worked with it."""
        if not removed:
            return
        names = ("online_transaction_identifier", "in", list(removed))
        self.Transaction.search([("account_online_account_id", "=", self.account.id), names]).unlink()
        for line in self.Line.search([("online_account_id", "=", self.account.id), names]):
            if not line._is_open_for_the_bank():
                line.online_withdrawn = True
                self.reviews.append(
                    self.env._(
                        "The bank has withdrawn %s, but it is reconciled or in a locked period.", line._describe()
                    )
                )
                continue
            day, statement, description = line.date, line.statement_id, line._describe()
            opening = statements.opening_of(self.journal)
            try:
                with self.env.cr.savepoint():
                    line.statement_id = False
                    line.with_context(online_withdrawn=True).unlink()
            except REFUSALS as error:
                # Why continue: one line that Odoo can't delete must not stop the rest of the account.
                self.reviews.append(
                    self.env._("The bank has withdrawn %(line)s, but %(reason)s", line=description, reason=error)
                )
                continue
            statements.settle(self.journal, statement, day, opening)
            self._count("removed")

    def _follow_losses(self, lost):
        """Report lines of transactions that were announced, booked and are now missing; only a user can decide."""
        lines = self.Line.browse([known.record_id for known in lost])
        lines.online_withdrawn = True
        for line in lines:
            self.reviews.append(
                self.env._(
                    "The bank showed %s as booked before its date and no longer shows it. Check with the bank whether "
                    "it was executed. If it was not, delete the transaction.",
                    line._describe(),
                )
            )

    def _follow_returns(self, decisions):
        """Handle transactions that the bank had withdrawn and reports again."""
        self.Line.browse([one.known.record_id for one in decisions if one.is_line]).online_withdrawn = False

    def _note_digests(self, matches):
        for found in matches:
            if found.is_line:
                self.Line.browse(found.known.record_id).online_transaction_digest = found.entry.digest

    # -------------------------------------------------------------------------
    # WRITING
    # -------------------------------------------------------------------------

    def _note_opening(self, new):
        """Note which entries the start balance of the journal's first statement contains until they become lines."""
        first = statements.first_statement(self.journal) if new else self.Statement
        begin = statements.first_day(first) if first.online_period_start else None
        if begin:
            self.opening = first.balance_start
            self.in_opening = [(day, amount) for day, amount in self._pairs_in_opening(new) if day < begin]

    def _opening_from(self, days):
        """New start balance of the journal's first statement, when the earliest of these entries became lines.

        Why not all: what was refused before the first line is part of the start balance until it becomes a line.

        :param days: of the entries that have become lines
        :return: a number, or None to leave it as it is
        """
        self.written_from = min([self.written_from, *days])
        amounts = [amount for day, amount in self.in_opening if day >= self.written_from]
        return self.opening - sum(amounts) if amounts else None

    def _pairs_in_opening(self, new):
        """:return: list of ``(date, amount)`` of the entries that the opening balance contains so far"""
        policy = self.policy
        return [
            (policy.line_date(entry.transaction), float(entry.transaction.amount * policy.sign))
            for entry in new
            if self._is_in_opening(entry.identifier)
        ]

    def _is_in_opening(self, identifier):
        """Why not all: late bookings are not part of the opening balance, even if they were kept in the meantime."""
        kept = self.kept.get(identifier)
        return not kept.is_late if kept else self.policy.is_load

    def _settle_opening(self):
        """Set the journal's opening balance from the bank's balance, once the window is stored.

        Why not in each run: most have no effect on it.
        """
        account = self.account
        # Why those, too: the line that books it has to stay before the first one, which they may have changed.
        has_moved = self.has_new or any(self.counts[name] for name in ("adopted", "changed", "removed"))
        if not (has_moved or self.policy.is_load or account.opening_unknown or account.opening_to_book):
            return
        beginning = Beginning(self.account)
        if self.policy.is_load and self.window.unreadable:
            beginning.doubt()
        beginning.settle()
        account._refresh_opening()

    def _write(self, writer, entries):
        if not entries:
            self._write_kept()
            return
        days = {self.policy.line_date(entry.transaction) for entry in entries}
        by_day = statements.open_for(self.journal, days)
        with statements.undisturbed(by_day):
            written = writer.write_lines(entries, self.doubtful, by_day)
        refused = {entry.identifier for entry in [entry for entry, _reason in written.refused] + written.locked}
        stored = [entry for entry in entries if entry.identifier not in refused]
        opening = self._opening_from(self.policy.line_date(entry.transaction) for entry in stored)
        if by_day:
            statements.settle(self.journal, self.Statement.union(*by_day.values()), min(days), opening)
        if writer.bulk.reason:
            self.run.one_by_one_reason = writer.bulk.reason
        for entry, reason in written.refused:
            self._park(entry.identifier, reason, is_new=self._keep(entry, "parked", "parked", reason))
        for entry in written.locked:
            self._keep(entry, "left_out", "locked")
        imported = {entry.identifier for entry in stored}
        self._write_kept()
        for identifier in imported & self.kept.keys():
            self.kept[identifier].unlink()
        self._mark(written.lines)
        self._count("imported", len(written.lines))
        self._count("possible_duplicates", len(imported & self.doubtful.keys()))

    def _mark(self, lines):
        """Mark new lines as possible duplicates, or as reported before their day."""
        if not self.was_held and not self.doubtful:
            return
        for line in lines.filtered(lambda one: one.online_transaction_identifier in self.was_held):
            line.online_was_future = True
        for line in lines.filtered(lambda one: one.online_transaction_identifier in self.doubtful):
            decision = self.doubtful[line.online_transaction_identifier]
            if decision.may_be_deleted:
                self.reviews.append(
                    self.env._(
                        "%s may be a transaction that a user has deleted: the bank no longer shows that one or now "
                        "shows it under another date. If they are the same, delete it. If not, use No Duplicate.",
                        line._describe(),
                    )
                )
                continue
            line.online_duplicate_of_id = decision.similar_line_id
            if decision.has_gone and line.online_duplicate_of_id:
                self.reviews.append(
                    self.env._(
                        "%(line)s may be the same transaction as %(other)s, which the bank no longer shows or now "
                        "shows under another date. If they are the same, delete one of them. If not, use No "
                        "Duplicate.",
                        line=line._describe(),
                        other=line.online_duplicate_of_id._describe(),
                    )
                )

    def _park(self, identifier, reason, is_new):
        """Count what could not be imported, and ask for a review once."""
        self.run._park(self.account, identifier, reason)
        if is_new:
            self.reviews.append(
                self.env._(
                    "A transaction of %(account)s could not be imported: %(reason)s",
                    account=self.account.display_name,
                    reason=reason,
                )
            )

    def _park_unreadable(self):
        """Keep the raw messages of unreadable transactions, and request them again.

        :return: whether one of them is still waiting: neither dismissed by a user nor in the journal already
        """
        self._forget_read()
        if not self.window.unreadable:
            return False
        identifiers = [one[0] for one in self.window.unreadable]
        # Why not pending ones: they are shown only while the bank reports them, and this one is unreadable now.
        known = {known.identifier: known.kind for known in self.books.stored(identifiers) if known.kind != "pending"}
        waits = False
        say = self.env["account.online.service"]._translate
        for identifier, sentence, message in self.window.unreadable:
            reason = say(sentence)
            if known.get(identifier) in ("deleted", "elsewhere"):
                self._count("skipped_deleted")
                continue
            # Why lines in a list of changes, too: the change is not applied, and later runs do not repeat it.
            is_changed_line = known.get(identifier) == "line" and self.window.is_delta
            self._park(identifier, reason, is_new=identifier not in known or is_changed_line)
            # Why not others: what this database refuses is kept as raw data and retried from there.
            waits = waits or (bool(unread_problem(message)) and known.get(identifier) != "line")
            if identifier not in known:
                known[identifier] = "parked"
                values = self.beside.unreadable_values(identifier, reason, message)
                self.to_keep.append({**values, "is_late": not self.policy.is_load})
        self._write_kept()
        return waits

    def _forget_read(self):
        """Delete unreadable ones that are readable now and had a generated id, or that the bank no longer shows.

        They are recognized by the same raw message. Pending unreadable ones are replaced like pending ones: a full
        window contains all that remain.
        """
        if not self.account.unread_since:
            return
        parked = self.Transaction.search(
            [
                ("account_online_account_id", "=", self.account.id),
                ("state", "=", "parked"),
                ("online_transaction_digest", "=", False),
            ]
        )
        window = self.window
        read = {unreadable_id(transaction.raw) for transaction in (*window.booked, *window.pending)} if parked else ()
        shown = {one[0] for one in window.unreadable}
        for one in parked.filtered(lambda one: unread_problem(one.transaction_details)):
            identifier, is_pending = (
                one.online_transaction_identifier,
                one.transaction_details.get("status") == "pending",
            )
            if identifier in read or (is_pending and not window.is_delta and identifier not in shown):
                one.unlink()

    def _unread_since(self, waits):
        """:return: since when an unreadable one waits; False without any, or if it is older than the bank's data"""
        today = date.today()
        since = self.account.unread_since or today
        return waits and since > today - timedelta(days=UNREAD_DAYS) and since

    def _bookmark(self, unread_since):
        if not all(map(stable_id, self.window.booked)):
            # Why: in a list of changes, equal transactions can't be distinguished from repeated ones if they have no
            # ids, or ids that only count the transactions of a day.
            return False
        if self.held:
            # Why: a bookmark does not return unchanged transactions, so one with a future day would not be seen again.
            return False
        if unread_since:
            # Why: a bookmark does not return unreadable transactions again.
            return self.window.is_delta and self.account.sync_cursor
        return self.window.cursor

    def _finish(self):
        """The last step: only now the bookmark is updated."""
        waits = self._park_unreadable()
        self.beside.keep_pending(self.window, self.held)
        self._count("pending", self.account.pending_count)
        account = self.account
        account._write_changes(self._progress_values(waits))
        self._settle_opening()
        account._write_changes({"journal_balance": running_balance(account)})

    def _progress_values(self, waits):
        """:return: values of the account with the progress of the synchronization"""
        unread_since = self._unread_since(waits)
        values = {
            "last_sync": self._news_day(),
            "sync_cursor": self._bookmark(unread_since),
            "unread_since": unread_since,
        }
        if self.policy.is_load:
            values["loaded_since"] = self.window.since
        return values

    def _news_day(self):
        """The day up to which everything is stored.

        Why not today: the bank's data may be of an earlier day, and newer transactions must be requested.
        """
        if self.refreshed_at:
            # Why not later than today: a wrong clock would leave out the days until then.
            return min(self.refreshed_at.date(), date.today())
        days = [transaction.booking_date for transaction in self.window.booked]
        return max([day for day in days if day <= date.today()], default=self.account.last_sync)
