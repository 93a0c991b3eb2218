"""Stores one window of one account: from what the bank said to lines, statements, and what is kept beside them.

It never commits by itself. Whatever it stores is recognised by the next run, so it may end after any step:
``last_sync`` and the cursor move with the last one only.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from ..proxy.messages import unread_problem
from . import statements
from .adoption import Candidate, Wanted, adopt
from .identity import LEGACY, identify, unreadable_id
from .matching import CHANGED, MOVED, NEW, SAME, Known, match
from .windows import UNREAD_DAYS
from .writer import CHUNK, REFUSALS, Writer
from .writer.tables import analyze_when_fresh


@dataclass
class Window:
    """What the bank gave in one run, checked.

    ``since`` is the first day that was asked for, None for all there is; ``is_delta`` says that the bank was asked for
    what changed since a bookmark instead. ``unreadable`` holds ``(identifier, reason, message)``.
    """

    since: date | None = None
    is_delta: bool = False
    booked: list = field(default_factory=list)
    pending: list = field(default_factory=list)
    unreadable: list = field(default_factory=list)
    removed: set = field(default_factory=set)
    cursor: str | None = None

    @property
    def first_day(self):
        """From this day on everything is in the window; None where nothing can be said."""
        if self.is_delta or not self.booked:
            return None
        # Why not since alone: the bank may not reach as far back as it was asked.
        return max(self.since or date.min, min(transaction.booking_date for transaction in self.booked))


class Storing:
    """
    :param account: ``account.online.account`` with a journal
    :param run: ``account.online.run`` that counts what happens
    :param window: :class:`Window`
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
        self.is_load = not account.last_sync
        #: Beside the books so far, by identifier; what becomes a line is deleted there.
        self.kept = {}
        #: What will be kept beside the books, written at once: a bank may send thousands.
        self.to_keep = []
        #: For a person to look at.
        self.reviews = []

    def store(self):
        with self.env.cr.savepoint():
            new, ambiguous = self._sort_out(self._compare())
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
            with self.env.cr.savepoint():
                self._write(writer, new[start : start + CHUNK], ambiguous, opening)
                self._ask_to_review()

    def _ask_to_review(self):
        """Why with each piece: what is stored is known to the next run, which would have nothing to tell any more."""
        if self.reviews:
            self.link._ask_to_review(self.reviews)
            self.reviews = []

    # -------------------------------------------------------------------------
    # WHAT IS NEW
    # -------------------------------------------------------------------------

    def _compare(self):
        """:return: the entries that are new, after the known ones have taken over what the bank changed"""
        entries = identify(self.window.booked)
        self.run._count("known", len(self.window.booked) - len(entries))
        retried = [one for one in self.account._retried_entries() if one.identifier not in self.window.removed]
        names = [name for entry in entries for name in (entry.identifier, entry.shared().identifier)]
        stored = self._stored([*names, *(entry.identifier for entry in retried)])
        matches = match(entries, stored, self.window.first_day, self.window.removed, self.window.since)
        # Why after the match: what is tried again may be shown under a new id, or under one that it shares.
        shown = {found.known.identifier for found in matches if found.known}
        retried = [entry for entry in retried if entry.identifier not in shown]
        self.retried = {entry.identifier for entry in retried}
        matches += match(retried, stored)
        self._follow_changes([found for found in matches if found.kind in (MOVED, CHANGED)])
        self._follow_removals({found.known.identifier for found in matches if found.known})
        self._note_digests([found for found in matches if found.kind == SAME and found.known.digest is None])
        kept = [found for found in matches if found.known and found.known.kind != "line"]
        self.kept = {found.entry.identifier: self.Transaction.browse(found.known.record_id) for found in kept}
        self.run._count("known", sum(found.known is not None and found.known.kind == "line" for found in matches))
        return [found.entry for found in matches if found.kind == NEW or found.known.kind != "line"]

    def _stored(self, identifiers):
        """:return: list of :class:`~.matching.Known`, with one query whatever the number of transactions"""
        self.Line.flush_model(["online_account_id", "online_transaction_identifier", "online_transaction_digest"])
        self.Transaction.flush_model()
        day = self.window.first_day
        self.env.cr.execute(
            """
            SELECT 'line', id, online_transaction_identifier, online_transaction_digest
              FROM account_bank_statement_line
             WHERE online_account_id = %(account)s AND online_transaction_identifier NOT LIKE %(legacy)s
               AND (online_transaction_identifier = ANY(%(identifiers)s) OR online_transaction_digest >= %(day)s)
         UNION ALL
            SELECT state, id, online_transaction_identifier, online_transaction_digest
              FROM account_online_transaction
             WHERE account_online_account_id = %(account)s AND state != 'pending'
               AND (online_transaction_identifier = ANY(%(identifiers)s) OR online_transaction_digest >= %(day)s)
            """,
            {
                "account": self.account.id,
                "identifiers": [*identifiers, *self.window.removed],
                "day": day and day.isoformat(),
                # Why not those: of what an earlier module brought only day and amount are known, see _candidates.
                "legacy": f"{LEGACY}%",
            },
        )
        return [Known(*row) for row in self.env.cr.fetchall()]

    def _sort_out(self, entries):
        """Leave out what may not become a line, and adopt what is one already.

        :return: the entries to write, in booking order, and the identifiers of those that may be in the journal already
        """
        self._find_deleted_before(entries)
        entries = [entry for entry in entries if not self._is_deleted(entry) and not self._was_not_asked_for(entry)]
        adopted, ambiguous = self._adopt(entries)
        locked_days = self._locked_days(entries)
        new = []
        for entry in entries:
            if entry.identifier in adopted:
                continue
            if self._is_before_start(entry):
                self._keep(entry, "left_out", "before_start")
            elif self.account._line_date(entry.transaction) in locked_days:
                self._keep(entry, "left_out", "locked")
            else:
                new.append(entry)
        # sorted() is stable: within a day the bank's own order stays, and with it the running balance.
        return sorted(new, key=lambda entry: self.account._line_date(entry.transaction)), ambiguous

    def _find_deleted_before(self, entries):
        """What a user deleted from this journal when another connection brought it is recognised by its content."""
        without_account = self.Transaction.search(
            [
                ("account_online_account_id", "=", False),
                ("journal_id", "=", self.journal.id),
                ("online_transaction_digest", "in", [entry.digest for entry in entries]),
            ]
        )
        by_digest = without_account.grouped("online_transaction_digest")
        for entry in entries if by_digest else ():
            # Why one at a time: of two equal transactions perhaps only one was deleted.
            kept = by_digest.get(entry.digest, without_account.browse())[:1]
            if kept and entry.identifier not in self.kept:
                by_digest[entry.digest] -= kept
                kept.write(self.account._prepare_transaction_values(entry))
                self.kept[entry.identifier] = kept

    def _is_deleted(self, entry):
        """The user has deleted its line from this journal; in another journal it may appear."""
        kept = self.kept.get(entry.identifier)
        if not kept or kept.state != "deleted" or kept.journal_id != self.journal:
            return False
        self.run._count("skipped_deleted")
        return True

    def _was_not_asked_for(self, entry):
        """Some providers answer more than the question; what is older has been dealt with, or was never wanted."""
        since = self.window.since
        if (
            self.is_load
            or self.window.is_delta
            or not since
            or entry.transaction.booking_date >= since
            or entry.identifier in self.retried
        ):
            return False
        self.run._count("skipped_before_start")
        return True

    def _is_before_start(self, entry):
        """Seen by the first load, and before the day that the user chose. What appears later is a late booking."""
        start = self.account.start_date
        kept = self.kept.get(entry.identifier)
        was_early = kept and kept.reason_code == "before_start"
        return bool(start and entry.transaction.booking_date < start and (self.is_load or was_early))

    def _locked_days(self, entries):
        days = {self.account._line_date(entry.transaction) for entry in entries}
        return {day for day in days if self.journal.company_id._get_violated_lock_dates(day, False, self.journal)}

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
    # WHAT THE JOURNAL HAS ALREADY
    # -------------------------------------------------------------------------

    def _adopt(self, entries):
        """Lines that were typed, came in a file or by another connection become the transactions that they are.

        :return: identifiers that are lines now, and identifiers that may be one, but not for certain
        """
        sign = self.account._transaction_sign()
        wanted = [
            Wanted(
                entry.identifier,
                self.account._line_date(entry.transaction),
                self._exact(entry.transaction.amount * sign),
                entry.digest,
            )
            for entry in entries
        ]
        adopted, ambiguous = adopt(wanted, self._candidates(wanted) if wanted else [])
        if adopted:
            writer = Writer(self.account, [])
            by_identifier = {entry.identifier: entry for entry in entries}
            loose = self.Line
            for identifier, line_id in adopted.items():
                line, entry = self.Line.browse(line_id), by_identifier[identifier]
                is_before_start = self._is_before_start(entry)
                self.kept.pop(identifier, self.Transaction).unlink()
                writer.adopt(line, entry)
                if not line.statement_id and not is_before_start:
                    loose += line
            statements.group(self.journal, loose)
            self.run._count("adopted", len(adopted))
        return set(adopted), ambiguous

    def _candidates(self, wanted):
        self.Line.flush_model(
            [
                "journal_id",
                "amount",
                "online_account_id",
                "online_transaction_identifier",
                "online_transaction_digest",
            ]
        )
        self.env["account.move"].flush_model(["date", "state"])
        self.env.cr.execute(
            """
            SELECT line.id, move.date, line.amount, line.online_transaction_digest, other.account_number,
                   COALESCE(line.online_transaction_identifier LIKE %s, FALSE) AS is_legacy
              FROM account_bank_statement_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN account_online_account other ON other.id = line.online_account_id
             WHERE line.journal_id = %s AND move.state != 'cancel'
               AND (line.online_account_id IS DISTINCT FROM %s OR line.online_transaction_identifier LIKE %s)
               AND move.date BETWEEN %s::date - 3 AND %s::date + 3
          ORDER BY line.internal_index
            """,
            [
                f"{LEGACY}%",
                self.journal.id,
                self.account.id,
                f"{LEGACY}%",
                min(one.date for one in wanted),
                max(one.date for one in wanted),
            ],
        )
        complete_from = self.window.first_day or date.max
        return [
            Candidate(
                line_id,
                day,
                self._exact(amount),
                None if is_legacy else content,
                is_among=is_legacy and day >= complete_from,
            )
            for line_id, day, amount, content, number, is_legacy in self.env.cr.fetchall()
            # Why: what another bank account brought to this journal is never a transaction of this one.
            if not self.account._is_certainly_another(number)
        ]

    def _exact(self, amount):
        return round(Decimal(str(amount)), self.account.currency_id.decimal_places)

    # -------------------------------------------------------------------------
    # WHAT THE BANK HAS CHANGED
    # -------------------------------------------------------------------------

    def _follow_changes(self, matches):
        """Lines and kept transactions take over new ids and contents."""
        if not matches:
            return
        lines = {found.known.record_id: found for found in matches if found.known.kind == "line"}
        # Why: two transactions may have exchanged their ids, and the database wants them unique at every moment.
        if lines:
            self.Line.browse(lines).online_transaction_identifier = False
            self.Line.flush_model(["online_transaction_identifier"])
        writer = Writer(self.account, [found.entry for found in lines.values()])
        for line_id, found in lines.items():
            line = self.Line.browse(line_id)
            if found.kind == MOVED:
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
        self._follow_changes_beside([found for found in matches if found.known.kind != "line"])

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

    def _follow_removals(self, matched):
        """What the bank says is gone goes, as long as nobody has worked with it."""
        removed = self.window.removed - matched
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
            if found.known.kind == "line":
                self.Line.browse(found.known.record_id).online_transaction_digest = found.entry.digest

    # -------------------------------------------------------------------------
    # WRITING
    # -------------------------------------------------------------------------

    def _opening_balance(self, new):
        """Start balance of the journal's very first statement, so that the last running balance is the bank's.

        :return: a number, or None where it is known already, or can't be known
        """
        if not new:
            return None
        account, sign = self.account, self.account._transaction_sign()
        amounts = {
            entry.identifier: (account._line_date(entry.transaction), float(entry.transaction.amount * sign))
            for entry in new
        }
        first = statements.first_statement(self.journal)
        if first.online_period_start:
            # Why not all: what the bank books late was in no balance before.
            counted = [pair for identifier, pair in amounts.items() if self.is_load or identifier in self.kept]
            return statements.opening_before(first, counted)
        foreign = [("journal_id", "=", self.journal.id), ("online_account_id", "!=", account.id)]
        if first or not self.is_load or not account.balance_at or self.Line.search_count(foreign, limit=1):
            return None
        if account.legacy_journal_id:
            # Why: lines of an earlier module, which may be in no statement, come before.
            return None
        own = sum(self.Line.search([("journal_id", "=", self.journal.id)]).mapped("amount"))
        return account._signed_balance() - own - sum(amount for _day, amount in amounts.values())

    def _write(self, writer, entries, ambiguous, opening):
        days = {self.account._line_date(entry.transaction) for entry in entries}
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
        known = {known.identifier: known.kind for known in self._stored([one[0] for one in self.window.unreadable])}
        waits = False
        for identifier, reason, message in self.window.unreadable:
            if known.get(identifier) == "deleted":
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
            "journal_balance": account._current_journal_balance(),
        }
        if self.is_load:
            values["loaded_since"] = window.since
        account.write(values)

    def _news_day(self):
        """The day up to which everything is stored.

        Why not today: the bank's news may be of an earlier day, and what came since must be asked for.
        """
        if self.refreshed_at:
            # Why not later than today: a clock that is wrong by years would leave years of days out.
            return min(self.refreshed_at.date(), date.today())
        days = [transaction.booking_date for transaction in self.window.booked]
        return max([day for day in days if day <= date.today()], default=self.account.last_sync)
