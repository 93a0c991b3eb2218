"""Stores one window of one account: applies what :mod:`.decide` decides. Nothing else writes lines and statements.

It never commits by itself. Whatever it stores is recognised by the next run, so it may end after any step:
``last_sync`` and the cursor move with the last one only.
"""

from datetime import date, timedelta

from ..proxy.messages import unread_problem
from . import locks, statements
from .books import Books
from .decide import ADOPT, DELETED, IMPORT, KNOWN, LEFT_OUT, NOT_ASKED, decide, is_before_start
from .identity import unreadable_id
from .matching import CHANGED, MOVED, SAME
from .opening import Beginning
from .windows import UNREAD_DAYS
from .writer import CHUNK, REFUSALS, Writer
from .writer.tables import analyze_when_fresh


class Storing:
    """
    :param account: ``account.online.account`` with a journal
    :param run: ``account.online.run`` that counts what happens
    :param window: :class:`~.decide.Window`
    :param refreshed_at: moment of the bank's news, None where it does not tell
    :param checkpoint: called between chunks; it may commit what is stored so far, and raise to end the work
    """

    def __init__(self, account, run, window, refreshed_at=None, checkpoint=None):
        self.account, self.run, self.window, self.refreshed_at = account, run, window, refreshed_at
        self.checkpoint = checkpoint or (lambda: None)
        self.env, self.journal = account.env, account.journal_ids
        self.link = account.account_online_link_id
        self.Line = self.env["account.bank.statement.line"]
        self.Statement = self.env["account.bank.statement"]
        self.Transaction = self.env["account.online.transaction"]
        self.books = Books(account, window, for_writing=True)
        self.policy = self.books.policy
        #: Beside the books so far, by identifier; what becomes a line is deleted there.
        self.kept = {}
        #: What will be kept beside the books, written at once: a bank may send thousands.
        self.to_keep = []
        #: For a person to look at.
        self.reviews = []
        self.has_new = False

    def store(self):
        with self.env.cr.savepoint():
            new, ambiguous = self._apply(decide(self.window, self.policy, self.books))
            self.has_new = bool(new)
            opening = self._opening_balance(new)
            self._write_kept()
            # Why here: most runs find nothing new, and need no further piece.
            if not new:
                self._finish()
            self._ask_to_review()
        if new:
            self._write_all(new, ambiguous, opening)
            with self.env.cr.savepoint():
                self._finish()
                self._ask_to_review()

    def _write_all(self, new, ambiguous, opening):
        writer = Writer(self.account, new)
        for start in range(0, len(new), CHUNK):
            if start:
                analyze_when_fresh(self.env.cr)
                self.checkpoint()
                # Why again: the checkpoint may have ended the transaction.
                locks.hold(self.journal)
            with self.env.cr.savepoint():
                self._write(writer, self._without_locked(new[start : start + CHUNK]), ambiguous, opening)
                self._ask_to_review()

    def _without_locked(self, entries):
        """Days that somebody has locked since the decisions were taken are left out, like all locked ones."""
        locked = locks.locked_days(self.journal, (self.policy.line_date(entry.transaction) for entry in entries))
        if not locked:
            return entries
        for entry in entries:
            if self.policy.line_date(entry.transaction) in locked:
                self._keep(entry, "left_out", "locked")
        return [entry for entry in entries if self.policy.line_date(entry.transaction) not in locked]

    def _ask_to_review(self):
        """Why with each piece: what is stored is known to the next run, which would have nothing to tell any more."""
        if self.reviews:
            self.link._ask_to_review(self.reviews)
            self.reviews = []

    # -------------------------------------------------------------------------
    # APPLYING DECISIONS
    # -------------------------------------------------------------------------

    def _apply(self, decisions):
        """Everything except the new lines, which are written in pieces.

        :param decisions: :class:`~.decide.Decisions`
        :return: the entries to write, in booking order, and the identifiers of those that may be in the journal already
        """
        known = [one for one in decisions if one.known]
        changed = [one for one in known if one.change in (MOVED, CHANGED)]
        if changed or decisions.withdrawn:
            locks.hold(self.journal)
        self._follow_changes(changed)
        self._follow_removals(decisions.withdrawn)
        self._note_digests([one for one in known if one.change == SAME and one.known.digest is None])
        beside = self.Transaction.browse([one.known.record_id for one in known if not one.is_line])
        by_id = {record.id: record for record in beside}
        self.kept = {one.entry.identifier: by_id[one.known.record_id] for one in known if not one.is_line}
        for one in decisions:
            if one.is_returning:
                self.kept[one.entry.identifier].write(self.account._prepare_transaction_values(one.entry))
        self._count_decisions(decisions)
        self._adopt([one for one in decisions if one.outcome == ADOPT])
        for one in decisions:
            if one.outcome == LEFT_OUT:
                self._keep(one.entry, "left_out", one.reason)
        new = [one for one in decisions if one.outcome == IMPORT]
        # sorted() is stable: within a day the bank's own order stays, and with it the running balance.
        entries = sorted((one.entry for one in new), key=lambda entry: self.policy.line_date(entry.transaction))
        return entries, {one.entry.identifier for one in new if one.is_similar}

    def _count_decisions(self, decisions):
        outcomes = [one.outcome for one in decisions]
        self.run._count("known", decisions.repeats + outcomes.count(KNOWN))
        self.run._count("skipped_deleted", outcomes.count(DELETED))
        self.run._count("skipped_before_start", outcomes.count(NOT_ASKED))
        self.run._count("adopted", outcomes.count(ADOPT))

    def _adopt(self, decisions):
        """Lines that were typed, came in a file or by another connection become the transactions that they are."""
        if not decisions:
            return
        writer = Writer(self.account, [])
        loose = self.Line
        for one in decisions:
            line = self.Line.browse(one.line_id)
            self.kept.pop(one.entry.identifier, self.Transaction).unlink()
            writer.adopt(line, one.entry)
            if not line.statement_id and not is_before_start(one, self.policy):
                loose += line
        statements.group(self.journal, loose)

    def _keep(self, entry, state, reason_code, reason=None):
        """Remember a transaction that did not become a line, and why."""
        counters = {"before_start": "skipped_before_start", "locked": "skipped_locked"}
        if reason_code in counters:
            self.run._count(counters[reason_code])
        values = {"state": state, "reason_code": reason_code, "reason": reason and reason[:500]}
        kept = self.kept.get(entry.identifier)
        if not kept:
            self.to_keep.append({**self.account._prepare_transaction_values(entry), **values})
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
        """Lines and kept transactions take over new ids and contents."""
        if not matches:
            return
        lines = {found.known.record_id: found for found in matches if found.is_line}
        # Why: two transactions may have exchanged their ids, and the database wants them unique at every moment.
        if lines:
            self.Line.browse(lines).online_transaction_identifier = False
            self.Line.flush_model(["online_transaction_identifier"])
        writer = Writer(self.account, [found.entry for found in lines.values()])
        for line_id, found in lines.items():
            line = self.Line.browse(line_id)
            if found.change == MOVED:
                line.write(writer.identity_values(found.entry))
                continue
            day, amount = line.date, line.amount
            has_changed, reason = writer.change(line, found.entry)
            self.run._count("changed", has_changed)
            if reason:
                self.reviews.append(
                    self.env._("The bank has changed %(line)s, but %(reason)s.", line=line._told(), reason=reason)
                )
            elif (line.date, line.amount) != (day, amount):
                statements.regroup(self.journal, line)
                statements.settle(self.journal, line.statement_id, min(day, line.date))
        self._follow_changes_beside([found for found in matches if not found.is_line])

    def _follow_changes_beside(self, matches):
        for found in matches:
            self.Transaction.browse(found.known.record_id).online_transaction_identifier = f"~{found.known.record_id}"
        self.Transaction.flush_model(["online_transaction_identifier"])
        for found in matches:
            # Why the contents, too: it may become a line later, in a run that does not show it any more.
            kept = self.Transaction.browse(found.known.record_id)
            # Why its journal stays: it says where a user has deleted the line.
            values = self.account._prepare_transaction_values(found.entry)
            kept.write({**values, "journal_id": kept.journal_id.id})

    def _follow_removals(self, removed):
        """What the bank says is gone goes, as long as nobody has worked with it."""
        if not removed:
            return
        names = ("online_transaction_identifier", "in", list(removed))
        self.Transaction.search([("account_online_account_id", "=", self.account.id), names]).unlink()
        for line in self.Line.search([("online_account_id", "=", self.account.id), names]):
            if not line._is_open_for_the_bank():
                self.reviews.append(
                    self.env._("The bank has withdrawn %s, but it is reconciled or in a locked period.", line._told())
                )
                continue
            day, statement, told = line.date, line.statement_id, line._told()
            try:
                with self.env.cr.savepoint():
                    line.statement_id = False
                    line.with_context(online_withdrawn=True).unlink()
            except REFUSALS as error:
                # Why not an end: everything else of the account would wait for a line that Odoo does not let go.
                self.reviews.append(
                    self.env._("The bank has withdrawn %(line)s, but %(reason)s", line=told, reason=error)
                )
                continue
            statements.settle(self.journal, statement, day)
            self.run._count("removed")

    def _note_digests(self, matches):
        for found in matches:
            if found.is_line:
                self.Line.browse(found.known.record_id).online_transaction_digest = found.entry.digest

    # -------------------------------------------------------------------------
    # WRITING
    # -------------------------------------------------------------------------

    def _opening_balance(self, new):
        """New start balance of the journal's first statement, where what it has counted so far becomes lines.

        :return: a number, or None to leave it as it is
        """
        first = statements.first_statement(self.journal)
        if not new or not first.online_period_start:
            return None
        policy = self.policy
        amounts = {
            entry.identifier: (policy.line_date(entry.transaction), float(entry.transaction.amount * policy.sign))
            for entry in new
        }
        # Why not all: what the bank books late was in no balance before.
        counted = [pair for identifier, pair in amounts.items() if policy.is_load or identifier in self.kept]
        return statements.opening_before(first, counted)

    def _settle_opening(self):
        """Let the journal begin with the bank's balance, now that everything of the window is stored.

        Why not in each run: most of them bring nothing that has a bearing on it.
        """
        account = self.account
        if not (self.has_new or self.policy.is_load or account.opening_unknown or account.opening_to_book):
            return
        beginning = Beginning(self.account)
        if self.policy.is_load and self.window.unreadable:
            beginning.doubt()
        beginning.settle()
        account._refresh_opening()

    def _write(self, writer, entries, ambiguous, opening):
        if not entries:
            self._write_kept()
            return
        days = {self.policy.line_date(entry.transaction) for entry in entries}
        by_day = statements.open_for(self.journal, days)
        with statements.undisturbed(by_day):
            written = writer.write_lines(entries, ambiguous, by_day)
        if by_day:
            statements.settle(self.journal, self.Statement.union(*by_day.values()), min(days), opening)
        if writer.bulk.reason:
            self.run.one_by_one_reason = writer.bulk.reason
        refused = {entry.identifier for entry, _reason in written.refused}
        for entry, reason in written.refused:
            self._park(entry.identifier, reason, is_new=self._keep(entry, "parked", "parked", reason))
        for entry in written.locked:
            self._keep(entry, "left_out", "locked")
        refused |= {entry.identifier for entry in written.locked}
        self._write_kept()
        for entry in entries:
            if entry.identifier not in refused and entry.identifier in self.kept:
                self.kept[entry.identifier].unlink()
        self.run._count("imported", len(written.lines))
        self.run._count("possible_duplicates", len(written.lines.filtered("online_possible_duplicate")))

    def _park(self, identifier, reason, is_new):
        """Count what could not be imported; a person hears of it once."""
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
        """What is no transaction that anybody could read is kept word for word, and asked for again.

        :return: whether something of it waits to be read: neither dismissed by a person nor in the journal already
        """
        self._forget_read()
        if not self.window.unreadable:
            return False
        identifiers = [one[0] for one in self.window.unreadable]
        known = {known.identifier: known.kind for known in self.books.stored(identifiers)}
        waits = False
        for identifier, reason, message in self.window.unreadable:
            if known.get(identifier) in ("deleted", "elsewhere"):
                self.run._count("skipped_deleted")
                continue
            # Why told of a line in a list of changes: the change is lost on it, and no other run shows it again.
            is_changed_line = known.get(identifier) == "line" and self.window.is_delta
            self._park(identifier, reason, is_new=identifier not in known or is_changed_line)
            # Why not the others: what this database refuses it has word for word, and tries again by itself.
            waits = waits or (bool(unread_problem(message)) and known.get(identifier) != "line")
            if identifier not in known:
                known[identifier] = "parked"
                self.to_keep.append(self.account._prepare_unreadable_values(identifier, reason, message))
        self._write_kept()
        return waits

    def _forget_read(self):
        """What could not be read before and had no id of its own has come in under another name, or is shown no more.

        The same words of the bank tell it from all others. A pending one that could not be read goes as pending ones
        do: the bank shows all that are left in each full window.
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
        """:return: since when something waits to be read; False where nothing does, or for longer than it is shown"""
        today = date.today()
        since = self.account.unread_since or today
        return waits and since > today - timedelta(days=UNREAD_DAYS) and since

    def _bookmark(self, unread_since):
        if not all(transaction.id for transaction in self.window.booked):
            # Why: in a list of changes two equal transactions without ids could not be told from a repeat.
            return False
        if unread_since:
            # Why: a bookmark never comes back to what could not be read.
            return self.window.is_delta and self.account.sync_cursor
        return self.window.cursor

    def _finish(self):
        """The last step: only now the bookmark moves."""
        waits = self._park_unreadable()
        self.account._keep_pending(self.window)
        self.run._count("pending", self.account.pending_count)
        account, window = self.account, self.window
        unread_since = self._unread_since(waits)
        values = {
            "last_sync": self._news_day(),
            "sync_cursor": self._bookmark(unread_since),
            "unread_since": unread_since,
        }
        if self.policy.is_load:
            values["loaded_since"] = window.since
        account.write(values)
        self._settle_opening()
        account.journal_balance = account._current_journal_balance()

    def _news_day(self):
        """The day up to which everything is stored.

        Why not today: the bank's news may be of an earlier day, and what came since must be asked for.
        """
        if self.refreshed_at:
            # Why not later than today: a clock that is wrong by years would leave years of days out.
            return min(self.refreshed_at.date(), date.today())
        days = [transaction.booking_date for transaction in self.window.booked]
        return max([day for day in days if day <= date.today()], default=self.account.last_sync)
