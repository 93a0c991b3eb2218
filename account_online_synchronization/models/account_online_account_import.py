from datetime import date

from odoo import fields, models
from odoo.exceptions import UserError

from ..books import locks, statements
from ..books.apply import Storing
from ..books.opening import Beginning
from ..books.writer import Writer
from ..client.errors import ProxyError
from ..sync.fetch import AccountPlan, read_transaction
from ..sync.identity import Entry, digest
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

    def _plan_fetch(self):
        """:return: :class:`~..sync.fetch.AccountPlan` of what the bank is asked for next"""
        since = window_start(
            self.start_date or None, self.last_sync or None, self.loaded_since or None, self._overlap_days()
        )
        return AccountPlan(
            self.id,
            self.online_identifier,
            self._within_history(since),
            (self.last_sync and self.sync_cursor) or None,
            self.currency_id.name,
            self.currency_id.decimal_places,
            fields.Date.today(),
        )

    def _overlap_days(self):
        """Setting: how many days each window looks back. Further while something waits to be read."""
        # sudo: reads one system parameter that is no secret, under a name of our own
        days = self.env["ir.config_parameter"].sudo().get_param("account_online_synchronization.overlap_days")
        least = UNREAD_DAYS if self.unread_since else OVERLAP_DAYS
        return max(int(days), least) if days and days.isdigit() else least

    def _parse(self, message):
        """:raise BadTransaction: with the reason in a sentence"""
        return read_transaction(message, self.currency_id.name, self.currency_id.decimal_places)

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
