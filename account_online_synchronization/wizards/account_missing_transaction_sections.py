"""The sections of *Find Missing Transactions*, in the format of the web client's field ``online_transaction_choice``.

A section is ``{key, title, text, rows, count}``; ``count`` is larger than the number of rows if not all are listed.
A row is ``{key, date, label, details, amount, selectable}``: texts in the user's language, ``details`` a list of them.
"""

from datetime import timedelta

from odoo.tools.misc import format_date

#: Accounts may have no transactions for this long; only a longer gap before the first one is mentioned.
QUIET_DAYS = timedelta(days=7)

#: Maximum number of rows, because longer lists are slow and not helpful.
MOST_ROWS = 1000


class Sections:
    """:param wizard: ``account.missing.transaction.wizard``, with superuser rights
    :param comparison: :class:`~..books.compare.Comparison`
    """

    def __init__(self, wizard, comparison):
        self.wizard, self.comparison = wizard, comparison
        self.env, self.journal = wizard.env, wizard.journal_id
        self.account = wizard._account()
        self.sign = self.account._transaction_sign()

    # -------------------------------------------------------------------------
    # SENTENCES
    # -------------------------------------------------------------------------

    def summary(self):
        found = self.comparison
        values = {
            "first": format_date(self.env, self.wizard.date_from),
            "last": format_date(self.env, self.wizard.date_to),
            "journal": self.journal.display_name,
            "shown": found.shown,
        }
        missing = found.shown - found.known
        if not found.shown and not found.missing:
            return self.env._("The bank shows no booked transactions between %(first)s and %(last)s.", **values)
        if not found.missing and found.shown == 1:
            return self.env._(
                "Nothing is missing between %(first)s and %(last)s: the one transaction that the bank shows is in "
                "%(journal)s.",
                **values,
            )
        if not found.missing:
            return self.env._(
                "Nothing is missing between %(first)s and %(last)s: all %(shown)s transactions that the bank shows are "
                "in %(journal)s.",
                **values,
            )
        if missing == 1:
            return self.env._(
                "Between %(first)s and %(last)s the bank shows %(shown)s transactions. One of them is not in "
                "%(journal)s.",
                **values,
            )
        return self.env._(
            "Between %(first)s and %(last)s the bank shows %(shown)s transactions. %(missing)s of them are not in "
            "%(journal)s.",
            missing=missing,
            **values,
        )

    def notes(self, window):
        """:return: sentences about what limits the comparison"""
        notes = []
        first = window.first_day
        if first and first - self.wizard.date_from > QUIET_DAYS:
            notes.append(
                self.env._(
                    "The oldest transaction that the bank shows is dated %s. Many banks only show the last 90 "
                    "days, so earlier days can't be compared.",
                    format_date(self.env, first),
                )
            )
        alike = self.comparison.alike
        if alike == 1:
            notes.append(
                self.env._(
                    "One of them is in the journal as a line that was typed, or came in a file or by another "
                    "connection."
                )
            )
        elif alike:
            notes.append(
                self.env._(
                    "%s of them are in the journal as lines that were typed, or came in files or by another "
                    "connection.",
                    alike,
                )
            )
        return notes

    def all(self):
        importable = [one for one in self.comparison.missing if one.is_importable]
        others = [one for one in self.comparison.missing if not one.is_importable]
        sections = [
            self._section("missing", self.env._("Not in the journal"), "", importable, self._row),
            self._section(
                "impossible",
                self.env._("Can't be imported"),
                self.env._("Each transaction shows what to do first."),
                others,
                self._row,
            ),
            self._section(
                "pending",
                self.env._("Pending at the bank"),
                self.env._("For information only. They are imported automatically once the bank has booked them."),
                self.comparison.pending,
                self._pending_row,
            ),
            self._section(
                "gone",
                self.env._("No longer shown by the bank"),
                self.env._(
                    "These transactions are in the journal, but the bank no longer shows them. It may have "
                    "withdrawn or renamed them. Nothing was changed: please review them."
                ),
                self.comparison.gone,
                self._line_row,
            ),
        ]
        return [section for section in sections if section["rows"]]

    # -------------------------------------------------------------------------
    # ROWS
    # -------------------------------------------------------------------------

    def _section(self, key, title, text, found, make_row):
        rows = [make_row(one) for one in found[:MOST_ROWS]]
        return {"key": key, "title": title, "text": text, "rows": rows, "count": len(found)}

    def _row(self, one):
        if not one.entry:
            label = self.env._("Unreadable")
            return self._make_row(one.key, None, label, [one.details, self._reason(one)], None, selectable=False)
        transaction = one.entry.transaction
        details = [transaction.counterparty_name, self._reason(one)]
        day = self.account._line_date(transaction)
        return self._make_row(
            one.key, day, transaction.label, details, transaction.amount * self.sign, selectable=one.is_importable
        )

    def _pending_row(self, transaction):
        details = [transaction.counterparty_name]
        amount = transaction.amount * self.sign
        return self._make_row("", transaction.booking_date, transaction.label, details, amount, selectable=False)

    def _line_row(self, line):
        details = [line.partner_id.display_name or line.partner_name, line.move_id.name]
        if line.is_reconciled:
            details.append(self.env._("Reconciled"))
        return self._make_row(
            str(line.id), line.date, line.payment_ref or line.name, details, line.amount, selectable=False
        )

    def _make_row(self, key, day, label, details, amount, *, selectable):
        return {
            "key": key,
            "date": format_date(self.env, day) if day else "",
            "label": label or "",
            "details": [text for text in details if text],
            "amount": "" if amount is None else self.account.currency_id.format(float(amount)),
            "selectable": selectable,
        }

    def _reason(self, one):
        """Why it is missing, and what to do."""
        reasons = {
            "next": self.env._("New at the bank: it will be imported by the next synchronization."),
            "unseen": self.env._("No synchronization has imported it."),
            "similar": self.env._(
                "The journal has a similar line that may be the same transaction. Check there first."
            ),
            "before_start": self.env._("Before the start date of the account."),
            "parked": self.env._("Could not be imported: %s", one.details),
            "locked": self.env._("In a locked period. Change the lock date first."),
            "unreadable": self.env._("It can't be read as a transaction. Please enter it by hand."),
        }
        return reasons.get(one.reason) or one.details or self.env._("Deleted by a user.")
