from odoo import fields, models

#: Counters that a run begins anew when it is restarted after an interruption. It keeps those of stored transactions.
COUNTED_AGAIN = ("fetched", "known", "pending", "skipped_before_start", "skipped_locked", "skipped_deleted", "parked")


class AccountOnlineCounters(models.AbstractModel):
    """Counters of the results of a run, or of the load of one account."""

    _name = "account.online.counters"
    _description = "Counters of a Synchronization"

    fetched = fields.Integer(help="Transactions that the bank provided, including known ones.")
    imported = fields.Integer(help="New statement lines.")
    possible_duplicates = fields.Integer(help="New lines that may be duplicates of lines already in the journal.")
    adopted = fields.Integer(
        string="Matched", help="Lines typed by hand or imported from a file, recognized as the bank's transactions."
    )
    known = fields.Integer(help="Booked transactions that had been imported before, and repeats.")
    changed = fields.Integer(help="Lines that the bank has changed.")
    removed = fields.Integer(string="Withdrawn", help="Lines that the bank has withdrawn.")
    pending = fields.Integer(help="Announced by the bank, not booked yet.")
    skipped_before_start = fields.Integer(string="Before Start Date", help="Dated before the account's start date.")
    skipped_locked = fields.Integer(string="In Locked Period", help="Dated on or before the journal's lock date.")
    skipped_deleted = fields.Integer(string="Deleted Before", help="Transactions whose lines a user has deleted.")
    parked = fields.Integer(help="Could not be imported; see the reasons below.")

    def _count(self, counter, number=1):
        """:param str counter: name of one of the integer fields"""
        # Why checked: each write is one SQL statement.
        if self and number:
            self[counter] += number

    def _reset_counters(self):
        """Reset before a restart, except those of stored records."""
        self.write(dict.fromkeys(COUNTED_AGAIN, 0))
