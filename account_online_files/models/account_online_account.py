from dataclasses import replace
from datetime import date, datetime, time, timedelta

from odoo import api, fields, models
from odoo.addons.account_online_synchronization.books import locks, statements
from odoo.addons.account_online_synchronization.books.ledger import running_balance
from odoo.addons.account_online_synchronization.books.opening import Beginning
from odoo.addons.account_online_synchronization.books.restore import write_entries
from odoo.addons.account_online_synchronization.sync import files
from odoo.addons.account_online_synchronization.sync.identity import LEGACY, OPENING, identify
from odoo.exceptions import UserError

from ..books.storing import find_holes


class AccountOnlineAccount(models.Model):
    _inherit = "account.online.account"

    is_files = fields.Boolean(related="account_online_link_id.is_files")
    file_ids = fields.One2many(
        comodel_name="account.online.file", inverse_name="account_online_account_id", readonly=True
    )
    file_options = fields.Json(
        readonly=True, copy=False, help="How its last file was read: encoding and columns, as a user has confirmed."
    )
    files_until = fields.Date(
        readonly=True, copy=False, help="Up to this day files had filled the account when a connection took it over."
    )
    # List of {after, before, amount} between its statements.
    file_holes = fields.Json(readonly=True, copy=False)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _create_for_file(self, journal, number, currency, name):
        """Create an account for files.

        :param journal: ``account.journal`` without an online account
        """
        company = journal.company_id
        link = self.env["account.online.link"]._for_files(company)
        account = self.create(
            {
                "name": name or journal.name,
                "account_online_link_id": link.id,
                "online_identifier": f"files:{journal.id}",
                "account_number": number or False,
                "account_type": "credit_card" if journal.type == "credit" else "current",
                "currency_id": currency.id,
                "id_scheme": "fingerprint",
            }
        )
        # Why no start date: the user chooses the files, and existing lines are recognized.
        account._link_journal(journal, start_date=False)
        return account

    def _change_connection(self, link, identity):
        if self.is_files and self.last_sync:
            self.files_until = self.last_sync
        return super()._change_connection(link, identity)

    def _free_journals_domain(self):
        """A connection may replace an account of files, also without an equal account number."""
        domain = super()._free_journals_domain()
        by_files = self.search(
            [("account_online_link_id.is_files", "=", True), ("company_id", "=", self.company_id.id)]
        )
        return [
            (name, operator, (*value, *by_files.ids))
            if name == "account_online_account_id"
            else (name, operator, value)
            for name, operator, value in domain
        ]

    def _plan_fetch(self):
        """Why without a bookmark: in a list of changes, transactions that came from files have ids that are not stored;
        only a window with their days shows that they are the same.
        """
        plan = super()._plan_fetch()
        return replace(plan, cursor=None) if plan.cursor and self._has_recent_of_files(plan.since) else plan

    def _has_recent_of_files(self, since):
        """Whether files contained transactions of these days that the connection has not reported yet."""
        recent = [
            ("online_transaction_identifier", "=like", f"{files.FILE}%"),
            ("online_transaction_digest", ">=", str(since or date.min)),
        ]
        line, transaction = self.env["account.bank.statement.line"], self.env["account.online.transaction"]
        return bool(
            line.search_count([("online_account_id", "=", self.id), *recent], limit=1)
            or transaction.search_count([("account_online_account_id", "=", self.id), *recent], limit=1)
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHAT FILES HAVE SHOWN
    # -------------------------------------------------------------------------

    def _find_same_file(self, digest):
        """:return: the imported file with the same content, if any"""
        return self.env["account.online.file"].search(
            [("account_online_account_id", "=", self.id), ("digest", "=", digest), ("state", "=", "done")], limit=1
        )

    def _coverages(self):
        """:return: list of :class:`~..sync.files.Coverage`: of its files and of its connection"""
        connection = self._coverage_of_connection()
        return self.file_ids._coverages() + ([connection] if connection else [])

    def _coverage_of_connection(self):
        """The days that the bank's connection has shown completely; the last day is incomplete."""
        if self.is_files or not self.last_sync:
            return None
        if self.files_until:
            first = self.files_until - timedelta(days=self._overlap_days())
        elif self.loaded_since:
            first = self.loaded_since
        else:
            line = self.env["account.bank.statement.line"].search(
                [
                    ("online_account_id", "=", self.id),
                    ("online_transaction_digest", "!=", False),
                    ("online_transaction_identifier", "!=", OPENING),
                    ("online_transaction_identifier", "not =like", f"{LEGACY}%"),
                    ("online_transaction_identifier", "not =like", f"{files.FILE}%"),
                ],
                order="online_transaction_digest",
                limit=1,
            )
            if not line:
                return None
            # Why a day later: a bank's history may begin in the middle of a day.
            first = fields.Date.to_date(line.online_transaction_digest[:10]) + timedelta(days=1)
        return files.Coverage(first, self.last_sync, from_start=True) if first <= self.last_sync else None

    def _files_stored_until(self):
        until = files.stored_until(self.file_ids._coverages())
        return until and min(until, fields.Date.today())

    def _balance_of_files(self):
        """:return: values of the balance fields, from the account's latest file with balances"""
        known = self.file_ids._with_balances()
        last = max(known, key=lambda one: (one.last_day, one.id), default=known)
        return {
            "balance": last.closing_balance,
            "balance_at": bool(last) and datetime.combine(last.last_day, time(12)),
            "balance_date": last.last_day,
        }

    def _refresh_opening(self):
        for account in self.filtered("is_files"):
            account._take_opening_of_files()
        return super()._refresh_opening()

    def _take_opening_of_files(self):
        """Begin the journal with the opening balance of the oldest statement, if no line is older.

        Why not with later balances less the lines: statements may come in any order, each with a part of a day, and one
        between them may be missing.
        """
        first = statements.first_statement(self.journal_ids)
        day = first.online_period_start and statements.first_day(first)
        oldest = self.file_ids._oldest_with_balances()
        if not oldest or not day or day < oldest.first_day or statements.of_unknown_start(self.journal_ids):
            return
        beginning = Beginning(self)
        beside = [row for row in beginning._rows_beside(day) if not row.is_inside]
        if beginning._has_dismissed() or any(row.amount is None for row in beside):
            # Only the balance at the end of the files contains these amounts.
            return
        # What a lock, Odoo or a user keeps from becoming a line before the first one is part of the opening balance.
        before = sum(row.amount for row in beside if row.day >= oldest.first_day)
        opening = oldest.opening_balance * (-1 if self.inverse_balance_sign else 1) + float(before)
        if self.currency_id.compare_amounts(first.balance_start, opening):
            statements.settle(self.journal_ids, first, day, opening)

    def _refresh_holes(self):
        for account in self:
            holes = [
                {"after": str(hole.after), "before": str(hole.before), "amount": str(hole.amount)}
                for hole in find_holes(account)
            ]
            if (account.file_holes or []) != holes:
                account.file_holes = holes

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WRITING
    # -------------------------------------------------------------------------

    def _new_file_entries(self, transactions, code):
        """:return: entries under unused identifiers"""
        Line = self.env["account.bank.statement.line"]
        stored = [
            files.Stored(line.online_transaction_identifier, line.online_transaction_digest)
            for line in Line.search(
                [
                    ("online_account_id", "=", self.id),
                    ("online_transaction_identifier", "=like", f"{files.FILE}{code}:%"),
                ]
            )
            if line.online_transaction_digest
        ]
        found = files.as_new(transactions, code, stored)
        return identify(found)

    def _write_file_entries(self, entries):
        """Create lines for doubtful transactions that the user wants to import."""
        if not self.journal_ids:
            raise UserError(self.env._("%s is no longer linked to a journal.", self.display_name))
        days = {self._line_date(entry.transaction) for entry in entries}
        locks.hold(self.journal_ids)
        if locks.locked_days(self.journal_ids, days):
            raise UserError(self.env._("Some of them are in a locked period. Change the lock date first."))
        lines = write_entries(self, entries)
        self._refresh_opening()
        self.journal_balance = running_balance(self)
        return lines

    def _after_undo(self, file):
        """Update the journal's balances, holes and last stored day after a file was undone."""
        if self.is_files:
            values = {"last_sync": self._files_stored_until() or False}
            # Why not after others: the balance may be of a file that shows no balance before its transactions.
            if file.has_balances and not self.currency_id.compare_amounts(file.closing_balance, self.balance):
                values |= self._balance_of_files()
            self._write_changes(values)
        Beginning(self).settle()
        self._refresh_opening()
        # Why last: the opening balance, and the line that books it, are part of it.
        self._write_changes({"journal_balance": running_balance(self)})
        self._refresh_holes()
