from datetime import date

from odoo import fields, models
from odoo.exceptions import UserError

from ..books import locks, statements
from ..books.apply import Storing
from ..books.opening import Beginning
from ..books.writer import Writer
from ..client.conversation import Range
from ..client.errors import BadTransaction, ProxyError
from ..client.messages import parse_transaction, storable, transaction_id
from ..sync.decide import FUTURE, Window
from ..sync.identity import Entry, digest, unreadable_id
from ..sync.refusals import REFUSED_BOOKMARKS
from ..sync.windows import OVERLAP_DAYS, UNREAD_DAYS, window_start


class AccountOnlineAccount(models.Model):
    """How transactions of an account reach its journal. The steps stand in books/apply.py."""

    _inherit = "account.online.account"

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open_transactions(self):
        """What the bank reports and is no statement line: pending, could not be imported, left out, deleted."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_online_transaction_action"
        )
        return {**action, "domain": [("account_online_account_id", "in", self.ids)]}

    def action_open_lines(self):
        """The lines that this account has brought, or that were recognised as its transactions."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_bank_statement_line_action"
        )
        return {**action, "domain": [("online_account_id", "in", self.ids)]}

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ASKING THE BANK
    # -------------------------------------------------------------------------

    def _fetch_window(self, client, run):
        """Ask the bank for everything new. Nothing is stored yet.

        :param client: :class:`~..client.client.ProxyClient`
        :param run: ``account.online.run`` that counts what happens
        :return: :class:`~..sync.decide.Window`
        :raise ProxyError: neither ``last_sync`` nor the cursor moves then
        """
        self.ensure_one()
        wanted = self._wanted_range()
        try:
            return self._ask_for_window(client, run, wanted)
        except ProxyError as error:
            if not wanted.cursor or error.code not in REFUSED_BOOKMARKS:
                raise
            # Why at once: with the same bookmark each run would end here. It is gone also if what follows fails.
            self.sync_cursor = False
        window = self._ask_for_window(client, run, self._wanted_range())
        # Why: a bank that takes none at all would refuse the next one, too. The next run asks by date, and brings one.
        window.cursor = None
        return window

    def _ask_for_window(self, client, run, wanted):
        window = Window(since=wanted.since, is_delta=bool(wanted.cursor))
        pages = client.iter_transaction_pages(
            self.account_online_link_id.connection_identifier, wanted.account_id, wanted.since, wanted.cursor
        )
        try:
            for page in pages:
                if self._learn_history(page.get("history_days")):
                    # Why: days that the bank does not show are no days on which something has vanished.
                    window.since = self._within_history(wanted.since)
                self._read_page(page, window)
                run._count("fetched", len(page["transactions"]))
        except ProxyError as error:
            self._learn_history(error.history_days)
            raise
        return window

    def _read_page(self, page, window):
        """Add to a window what a page of ``transactions.list`` says; what can't be read is kept word for word."""
        bookmark = page.get("next_cursor")
        window.cursor = bookmark if isinstance(bookmark, str) and not page.get("has_more") else None
        removed = page.get("removed_ids")
        if isinstance(removed, list):
            window.removed.update(one for one in removed if isinstance(one, str))
        for message in page["transactions"]:
            try:
                transaction = self._parse(message)
            except BadTransaction as error:
                kept = storable(message)
                identifier = transaction_id(message) or unreadable_id(kept)
                reason = self.env["account.online.service"]._translate(error.sentence)
                window.unreadable.append((identifier, reason, kept))
                continue
            (window.booked if transaction.booked else window.pending).append(transaction)

    def _check_journal(self):
        """What keeps Odoo from posting any line in the journal is told once, instead of with each transaction.

        :raise ProxyError: with a sentence that says what to do
        """
        self.ensure_one()
        if reason := self._reason_against_journal(self.journal_ids):
            message = self.env._(
                "%(reason)s Nothing is lost: afterwards the next synchronization fetches what is missing.",
                reason=reason,
            )
            raise ProxyError("journal_not_ready", message, action="retry")

    def _reason_against_journal(self, journal):
        currency = journal.currency_id or journal.company_id.currency_id
        names = {"journal": journal.display_name, "account": self.display_name}
        if journal.type not in ("bank", "credit", "cash"):
            return self.env._(
                "%(journal)s is not a bank journal anymore, so the transactions of %(account)s can't be imported into "
                "it. Change its type back, or choose another journal with Fetch Accounts on the connection.",
                **names,
            )
        if currency != self.currency_id:
            return self.env._(
                "%(journal)s is in %(journal_currency)s, but %(account)s is in %(currency)s. Change the currency of "
                "the journal back, or choose another journal with Fetch Accounts on the connection.",
                journal_currency=currency.name,
                currency=self.currency_id.name,
                **names,
            )
        if journal.restrict_mode_hash_table:
            return self.env._(
                "%(journal)s secures its entries when they are posted, but Odoo can secure bank transactions only once "
                "they are reconciled, so no transaction of %(account)s can be imported. Switch off “Secure Posted "
                "Entries with Hash” in the journal.",
                **names,
            )
        return self._reason_against_accounts(journal, names)

    def _reason_against_accounts(self, journal, names):
        if not journal.suspense_account_id:
            return self.env._(
                "%(journal)s has no suspense account, so no transaction of %(account)s can be posted. Set one in the "
                "journal.",
                **names,
            )
        for account in journal.default_account_id + journal.suspense_account_id:
            if not account.active:
                return self.env._(
                    "The account %(code)s of %(journal)s is archived, so no transaction of %(account)s can be posted. "
                    "Unarchive it in the chart of accounts, or choose another one in the journal.",
                    code=account.display_name,
                    **names,
                )
        return None

    def _wanted_range(self):
        """:return: :class:`~..client.conversation.Range` of what the bank is asked for next"""
        since = window_start(
            self.start_date or None, self.last_sync or None, self.loaded_since or None, self._overlap_days()
        )
        return Range(self.online_identifier, self._within_history(since), (self.last_sync and self.sync_cursor) or None)

    def _overlap_days(self):
        """Setting: how many days each window looks back. Further while something waits to be read."""
        # sudo: reads one system parameter that is no secret, under a name of our own
        days = self.env["ir.config_parameter"].sudo().get_param("account_online_synchronization.overlap_days")
        least = UNREAD_DAYS if self.unread_since else OVERLAP_DAYS
        return max(int(days), least) if days and days.isdigit() else least

    def _parse(self, message):
        """:raise BadTransaction: with the reason in a sentence"""
        transaction = parse_transaction(message)
        if transaction.currency != self.currency_id.name:
            raise BadTransaction(
                self.env._(
                    "It is in %(currency)s, but the account is in %(account_currency)s.",
                    currency=transaction.currency,
                    account_currency=self.currency_id.name,
                )
            )
        if transaction.amount.normalize().as_tuple().exponent < -self.currency_id.decimal_places:
            raise BadTransaction(
                self.env._(
                    "Its amount %(amount)s has more decimals than %(currency)s. Ask the bank for the exact amount and "
                    "enter it by hand.",
                    amount=transaction.amount,
                    currency=self.currency_id.name,
                )
            )
        return transaction

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - STORING
    # -------------------------------------------------------------------------

    def _store_window(self, window, run, refreshed_at, checkpoint=None):
        """Store a window: lines, statements, and only with the last of them ``last_sync`` and the cursor."""
        self.ensure_one()
        Storing(self, run, window, refreshed_at, checkpoint).store()

    def _line_date(self, transaction):
        """The date of a transaction in the journal. A date stays a date: no time zone moves it."""
        if self.date_choice == "value" and transaction.value_date:
            return transaction.value_date
        return transaction.booking_date

    def _transaction_sign(self):
        return -1 if self.inverse_transaction_sign else 1

    def _signed_balance(self):
        return -self.balance if self.inverse_balance_sign else self.balance

    def _current_journal_balance(self):
        """Last running balance of the journal, as its last posted line shows it.

        Why not from that line: Odoo finds it among all lines of the journal, and computes its balance with five
        queries. Why by company: that is how Odoo's index finds the last one.
        """
        self.env["account.bank.statement.line"].flush_model(
            ["amount", "company_id", "internal_index", "journal_id", "move_id"]
        )
        self.env["account.bank.statement"].flush_model(["balance_start", "first_line_index", "journal_id"])
        self.env["account.move"].flush_model(["state"])
        self.env.cr.execute(
            """
            WITH company AS (
                  SELECT id
                    FROM res_company
                   WHERE parent_path LIKE (SELECT parent_path FROM res_company WHERE id = %(company)s) || '%%'
            ), last AS (
                  SELECT MAX(line.internal_index) AS internal_index
                    FROM company
                    JOIN LATERAL (
                              SELECT line.internal_index
                                FROM account_bank_statement_line line
                                JOIN account_move move ON move.id = line.move_id
                               WHERE line.journal_id = %(journal)s AND line.company_id = company.id
                                 AND move.state = 'posted'
                            ORDER BY line.internal_index DESC LIMIT 1
                         ) line ON TRUE
            ), anchor AS (
                  SELECT first_line_index, balance_start
                    FROM account_bank_statement
                   WHERE journal_id = %(journal)s AND first_line_index <= (SELECT internal_index FROM last)
                ORDER BY first_line_index DESC LIMIT 1
            )
            SELECT COALESCE((SELECT balance_start FROM anchor), 0) + COALESCE(SUM(line.amount), 0)
              FROM company
              JOIN account_bank_statement_line line ON line.company_id = company.id
              JOIN account_move move ON move.id = line.move_id
             WHERE line.journal_id = %(journal)s AND move.state = 'posted'
               AND line.internal_index >= COALESCE((SELECT first_line_index FROM anchor), '')
            """,
            {"journal": self.journal_ids.id or None, "company": self.company_id.id},
        )
        return float(self.env.cr.fetchone()[0])

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - BESIDE THE BOOKS
    # -------------------------------------------------------------------------

    def _retried_entries(self):
        """What could not be imported before and may be now: refused once, locked no more, after an earlier start."""
        beside = self.env["account.online.transaction"].search(
            [("account_online_account_id", "=", self.id), ("state", "in", ("parked", "left_out"))]
        )
        locked = locks.locked_days(self.journal_ids, beside.mapped("date"))
        return [
            entry
            for one in beside
            if one.state == "parked"
            or (one.reason_code == "locked" and one.date not in locked)
            or (one.reason_code == "before_start" and not (self.start_date and one.date < self.start_date))
            if (entry := one._entry())
        ]

    def _prepare_transaction_values(self, entry):
        """What is kept of a transaction that is no line, without state and reason.

        :param entry: :class:`~..sync.identity.Entry`
        """
        return {
            "account_online_account_id": self.id,
            "journal_id": self.journal_ids.id,
            "online_transaction_identifier": entry.identifier,
            "online_transaction_digest": entry.digest,
            "transaction_details": entry.transaction.raw,
            "date": entry.transaction.booking_date and self._line_date(entry.transaction),
            "amount": float(entry.transaction.amount * self._transaction_sign()),
            "payment_ref": entry.transaction.label,
            "partner_name": entry.transaction.counterparty_name,
        }

    def _prepare_unreadable_values(self, identifier, reason, message):
        return {
            "account_online_account_id": self.id,
            "journal_id": self.journal_ids.id,
            "state": "parked",
            "reason_code": "parked",
            "reason": reason[:500],
            "online_transaction_identifier": identifier,
            "transaction_details": message,
            "payment_ref": self.env._("Unreadable"),
        }

    def _keep_pending(self, window, held=()):
        """Show what the bank has announced. A full window replaces what was known, a list of changes adds to it.

        :param held: list of :class:`~..sync.decide.Decision` on what is shown as booked before its day has passed
        """
        Transaction = self.env["account.online.transaction"]
        booked = {transaction.id for transaction in window.booked} | {t.pending_id for t in window.booked}
        shown = {}
        for number, transaction in enumerate(window.pending):
            if not transaction.id or transaction.id not in booked:
                content = digest(transaction)
                identifier = transaction.id or f"pending:{content}:{number}"
                shown[identifier] = Entry(identifier, content, transaction)
        reasons = {one.entry.identifier: FUTURE for one in held}
        similar = {one.entry.identifier: one.similar_line_id for one in held}
        shown.update((one.entry.identifier, one.entry) for one in held)
        known = Transaction.search([("account_online_account_id", "=", self.id), ("state", "=", "pending")])
        if not shown and not known and not self.pending_count:
            return
        same = known.filtered(
            lambda one: (
                one.online_transaction_identifier in shown
                and shown[one.online_transaction_identifier].digest == one.online_transaction_digest
                and reasons.get(one.online_transaction_identifier, False) == one.reason_code
            )
        )
        if window.is_delta:
            over = {*booked, *window.removed, *shown}
            gone = (known - same).filtered(lambda one: one.online_transaction_identifier in over)
        else:
            gone = known - same
        for identifier in same.mapped("online_transaction_identifier"):
            del shown[identifier]
        kept = known - gone
        gone.unlink()
        kept += Transaction.create(
            [
                {
                    **self._prepare_transaction_values(entry),
                    "state": "pending",
                    "reason_code": reasons.get(identifier),
                    "similar_line_id": similar.get(identifier),
                }
                for identifier, entry in shown.items()
            ]
        )
        values = {"pending_count": len(kept), "pending_amount": sum(kept.mapped("amount"))}
        if any(self[name] != value for name, value in values.items()):
            self.write(values)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - UNDO
    # -------------------------------------------------------------------------

    def _restore_transactions(self, transactions):
        """Bring what stands beside the books into the journal, as the user asks for it.

        :return: the new lines
        """
        self.ensure_one()
        if not self.journal_ids:
            raise UserError(
                self.env._("%s fills no journal. Use Fetch Accounts to choose one first.", self.display_name)
            )
        locks.hold(self.journal_ids)
        entries = []
        for one in transactions.sorted(lambda one: (one.date or fields.Date.today(), one.id)):
            entry = one._entry()
            if not entry:
                raise UserError(
                    self.env._(
                        "“%(label)s” can't be read as a transaction: %(reason)s. Please enter it by hand.",
                        label=one.payment_ref,
                        reason=one.reason or "",
                    )
                )
            entries.append(entry._replace(digest=digest(entry.transaction)))
        self._check_not_locked(entries)
        sign = self._transaction_sign()
        first = statements.first_statement(self.journal_ids)
        # Why not those: they were lines of the first statement, whose start does not contain them.
        inside = transactions.filtered(
            lambda one: one.state == "deleted" and one.date and (first.online_period_start or date.max) <= one.date
        ).mapped("online_transaction_identifier")
        opening = statements.opening_before(
            first,
            [
                (self._line_date(entry.transaction), float(entry.transaction.amount * sign))
                for entry in entries
                if entry.identifier not in inside
            ],
        )
        written = Writer(self, entries).write_lines(entries)
        self._check_written(written)
        statements.group(self.journal_ids, written.lines, opening)
        transactions.unlink()
        Beginning(self).settle()
        self.journal_balance = self._current_journal_balance()
        self._refresh_opening()
        return written.lines

    def _check_not_locked(self, entries):
        days = {entry: self._line_date(entry.transaction) for entry in entries}
        locked = locks.locked_days(self.journal_ids, days.values())
        if entry := next((entry for entry, day in days.items() if day in locked), None):
            raise UserError(self._locked_sentence(entry))

    def _locked_sentence(self, entry):
        return self.env._(
            "“%(label)s” is of %(date)s, which is in a locked period. Change the lock date first.",
            label=entry.transaction.label[:80],
            date=self._line_date(entry.transaction),
        )

    def _check_written(self, written):
        if written.refused:
            raise UserError(written.refused[0][1])
        if written.locked:
            raise UserError(self._locked_sentence(written.locked[0]))

    def _separate_line(self, line):
        """Undo an adoption: the line is the user's own again, and the transaction gets a line of its own."""
        locks.hold(self.journal_ids)
        transaction = self._parse(line.transaction_details)
        entry = Entry(line.online_transaction_identifier, digest(transaction), transaction)
        self._check_not_locked([entry])
        identity = {
            "online_account_id": False,
            "online_transaction_identifier": False,
            "online_transaction_digest": False,
            "online_partner_information": False,
            "transaction_details": False,
            "online_adopted": False,
        }
        line.write(identity)
        written = Writer(self, [entry]).write_lines([entry])
        self._check_written(written)
        statements.group(self.journal_ids, written.lines)
        return written.lines
