"""Files as a provider: compares them with stored transactions and stores new ones, like a synchronization."""

import dataclasses
from collections import Counter
from datetime import datetime, time, timedelta
from decimal import Decimal

from odoo import fields
from odoo.addons.account_online_synchronization.books.apply import Storing
from odoo.addons.account_online_synchronization.books.read import Books
from odoo.addons.account_online_synchronization.sync import files
from odoo.addons.account_online_synchronization.sync.decide import Decisions, decide
from odoo.addons.account_online_synchronization.sync.identity import LEGACY, OPENING
from odoo.addons.account_online_synchronization.sync.likeness import Texts

#: Kinds of statements whose balances may be those of the account. Interim reports are followed by others.
FINAL = ("statement", "list")


class FileBooks(Books):
    """Stored transactions for the import of a file, all of whose days are wanted, independent of the start date."""

    def _policy(self):
        return dataclasses.replace(super()._policy(), is_load=True, start_date=None)

    def retried(self):
        """Also those with a day in the future, because no later file reports them again."""
        waiting = self.Transaction.search(
            [
                ("account_online_account_id", "=", self.account.id),
                ("state", "=", "pending"),
                ("reason_code", "=", "future"),
                ("online_transaction_identifier", "=like", f"{files.FILE}%"),
            ]
        )
        due = waiting.filtered(lambda one: one.date and one.date < self.policy.seen_on)
        return super().retried() + [entry for one in due if (entry := one._entry())]


class StoringFile(Storing):
    """Stores the window of a file. The last synchronization and the bookmark of the connection do not change."""

    books_type = FileBooks

    def _progress_values(self, waits):
        account = self.account
        if not account.account_online_link_id.is_files:
            return {}
        return {"last_sync": account._files_stored_until() or self._news_day()}


class Reading:
    """One statement of a file, compared with its account.

    :param account: ``account.online.account`` with a journal
    :param statement: :class:`.reading.ReadStatement`
    """

    def __init__(self, account, statement):
        self.account, self.env, self.statement = account, account.env, statement
        currency = account.currency_id
        self.window = statement.window(currency.name, currency.decimal_places)
        self.coverage = statement.coverage(self.window.booked)
        self.found = self._recognise()
        self.doubtful = [one for one in self.found if one.outcome == files.DOUBTFUL]
        self.window.booked = [one.transaction for one in self.found if self._is_to_decide(one)]
        #: Identifiers that the statement's transactions have, or would have as lines.
        self.identifiers = [one.transaction.id for one in self.found]

    @property
    def known_count(self):
        return sum(one.outcome == files.KNOWN and not self._is_to_decide(one) for one in self.found)

    @staticmethod
    def _is_to_decide(found):
        """Why not known lines: there is nothing to do. Kept transactions may become lines."""
        if found.outcome == files.DOUBTFUL:
            return False
        return found.outcome != files.KNOWN or bool(found.stored and found.stored.kind != "line")

    def _recognise(self):
        rows = self.window.booked
        if not rows:
            return []
        same = self.account._find_same_file(self.statement.digest)
        others = self.account._coverages()
        if same:
            # Why: if the same file is imported twice, nothing of it is new.
            others.append(dataclasses.replace(self.coverage, from_start=True, to_end=True))
            coverage = others[-1]
        else:
            coverage = self.coverage
        found = files.recognise(rows, coverage, self.statement.code, self._stored(rows), others)
        if not same:
            return found
        # Why: doubtful ones do not become certain because the file is imported again.
        return [one._replace(outcome=files.DOUBTFUL) if one.outcome == files.NEW else one for one in found]

    def _stored(self, rows):
        days = [one.booking_date for one in rows]
        bounds = (min(days).isoformat(), (max(days) + timedelta(days=1)).isoformat())
        names = files.identifiers(rows, self.statement.code)
        domain = [
            "|",
            ("online_transaction_identifier", "in", names),
            "&",
            ("online_transaction_digest", ">=", bounds[0]),
            ("online_transaction_digest", "<", bounds[1]),
        ]
        lines = self.env["account.bank.statement.line"].search_read(
            [
                ("online_account_id", "=", self.account.id),
                ("online_transaction_identifier", "not in", (False, OPENING)),
                ("online_transaction_identifier", "not =like", f"{LEGACY}%"),
                *domain,
            ],
            [
                "online_transaction_identifier",
                "online_transaction_digest",
                "payment_ref",
                "partner_name",
                "account_number",
            ],
            load=None,
        )
        beside = self.env["account.online.transaction"].search_read(
            [("account_online_account_id", "=", self.account.id), ("state", "!=", "pending"), *domain],
            ["online_transaction_identifier", "online_transaction_digest", "payment_ref", "partner_name", "state"],
            load=None,
        )
        return [
            files.Stored(
                one["online_transaction_identifier"],
                one["online_transaction_digest"],
                one.get("state", "line"),
                Texts.of_line(one["payment_ref"], one["partner_name"], one.get("account_number")),
            )
            for one in (*lines, *beside)
            if one["online_transaction_digest"]
        ]

    def decide(self):
        """The decisions of an import, without applying them.

        :return: :class:`~..sync.decide.Decisions`
        """
        if not self.account.journal_ids:
            return Decisions([])
        books = FileBooks(self.account, self.window)
        return decide(self.window, books.policy, books)

    def store(self, run, file, chosen=(), checkpoint=None):
        """Store new transactions and the coverage of the file.

        :param run: ``account.online.run``
        :param file: ``account.online.file``
        :param chosen: numbers of doubtful transactions that the user wants to import
        """
        chosen = [one for number, one in enumerate(self.found) if number in chosen and one.outcome == files.DOUBTFUL]
        self.window.booked += [one.transaction for one in chosen]
        left = [one for one in self.doubtful if one not in chosen]
        run._count("fetched", len(self.found) + len(self.window.unreadable))
        run._count("known", self.known_count)
        self._write_file(file, left)
        self._take_balance()
        before = set(self._lines().ids)
        StoringFile(self.account, run, self.window, checkpoint=checkpoint).store()
        self._mark(file, before, chosen)
        self._settle_doubts(file)

    def _write_file(self, file, left):
        coverage = self.coverage
        values = {"doubtful": [one.transaction.raw for one in left], "doubtful_count": len(left)}
        if coverage:
            has_balances = None not in (coverage.opening, coverage.closing)
            values |= {
                "first_day": coverage.first,
                "last_day": coverage.last,
                "from_start": coverage.from_start,
                "to_end": coverage.to_end,
                "is_contiguous": coverage.is_complete,
                "has_balances": has_balances,
                "opening_balance": float(coverage.opening) if has_balances else 0.0,
                "closing_balance": float(coverage.closing) if has_balances else 0.0,
            }
        # Why before the lines: the date up to which files reach is written with the last of them.
        file.write({**values, "state": "done", "transaction_count": len(self.found)})

    def _lines(self):
        return self.env["account.bank.statement.line"].search(
            [
                ("online_account_id", "=", self.account.id),
                ("online_transaction_identifier", "in", self.identifiers),
            ]
        )

    def _mark(self, file, before, chosen):
        lines = self._lines()
        file.line_ids = lines
        new = lines.filtered(lambda line: line.id not in before)
        new.online_file_id = file
        file.new_count = len(new)
        doubted = {one.transaction.id: one.stored.identifier for one in chosen if one.stored}
        for line in new.filtered(lambda line: line.online_transaction_identifier in doubted):
            similar = line.search(
                [
                    ("online_account_id", "=", self.account.id),
                    ("online_transaction_identifier", "=", doubted[line.online_transaction_identifier]),
                ]
            )
            line.write({"online_possible_duplicate": True, "online_duplicate_of_id": similar.id})

    def _settle_doubts(self, file):
        """Clear the doubts of other files about days which this one contains completely."""
        if not self.coverage:
            return
        for other in self.account.file_ids.filtered("doubtful_count") - file:
            other._forget_doubts(lambda day: self.coverage.part(day) == files.WHOLE)

    def _take_balance(self):
        """Store the balance if it is of a later day than the stored one."""
        account, closing = self.account, self.statement.closing
        if not closing or self.statement.kind not in FINAL or not self.coverage:
            return
        day = closing.day or self.coverage.last
        known = account.balance_at and account._balance_day()
        if known and known >= day and not (known == day and account.account_online_link_id.is_files):
            return
        account._write_changes(
            {
                "balance": float(closing.amount),
                "balance_at": datetime.combine(day, time(12)),
                "balance_date": day,
            }
        )


# -------------------------------------------------------------------------
# HOLES
# -------------------------------------------------------------------------


def find_holes(account):
    """:return: list of :class:`~..sync.files.Hole` between the statements of an account"""
    coverages = account.file_ids._coverages()
    if len(coverages) < 2:
        return []
    groups = account.env["account.bank.statement.line"]._read_group(
        [
            ("online_account_id", "=", account.id),
            ("state", "=", "posted"),
            ("online_transaction_identifier", "!=", OPENING),
        ],
        ["date:day"],
        ["amount:sum"],
    )
    sums = Counter()
    for day, amount in groups:
        sums[fields.Date.to_date(day)] += Decimal(str(account.currency_id.round(amount)))
    sign = account._transaction_sign()

    def sum_between(first, last):
        return sign * sum(amount for day, amount in sums.items() if first < day < last)

    return [
        hole for hole in files.find_holes(coverages, sum_between) if not account.currency_id.is_zero(float(hole.amount))
    ]
