from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from ..books import restore
from ..client.errors import BadTransaction
from ..sync.identity import OPENING, Entry, digest

#: Records deleted per transaction; Odoo calls the autovacuum again while there are more.
BATCH = 10_000


class AccountOnlineTransaction(models.Model):
    """A reported transaction that is not a statement line, with the reason. No reported transaction is dropped."""

    _name = "account.online.transaction"
    _description = "Bank Transaction Not Imported"
    _inherit = ["account.online.server.fields"]
    _order = "date desc, id desc"
    _rec_name = "payment_ref"

    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        string="Bank Account",
        # Why: a deleted transaction must not be imported again when the bank is reconnected.
        ondelete="set null",
    )
    company_id = fields.Many2one(related="account_online_account_id.company_id", store=True)
    journal_id = fields.Many2one(comodel_name="account.journal", ondelete="set null")
    state = fields.Selection(
        selection=[
            ("pending", "Pending"),
            ("parked", "Could Not Be Imported"),
            ("left_out", "Left Out"),
            ("deleted", "Deleted by a User"),
        ],
        required=True,
        help="Pending: announced by the bank, or booked with a date in the future. Imported once it is booked and its "
        "date has passed. Could not be imported: tried again in each run. "
        "Left out: in a locked period or before the start date. Deleted: it does not come back unless it is restored.",
    )
    reason_code = fields.Selection(
        selection=[
            ("before_start", "Before the start date"),
            ("locked", "In a locked period"),
            ("parked", "Refused"),
            ("deleted", "Deleted"),
            ("future", "Dated in the future"),
        ],
        string="Reason",
    )
    reason = fields.Char(string="Details")
    date = fields.Date()
    currency_id = fields.Many2one(related="account_online_account_id.currency_id")
    amount = fields.Monetary()
    payment_ref = fields.Char(string="Label")
    partner_name = fields.Char(string="Counterparty")
    similar_line_id = fields.Many2one(
        comodel_name="account.bank.statement.line",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The line that may be the same transaction; the bank no longer shows it.",
    )
    #: First reported after the journal's opening balance was determined, which therefore does not contain it.
    is_late = fields.Boolean(string="Late Booking", readonly=True)
    online_transaction_identifier = fields.Char(required=True)
    online_transaction_digest = fields.Char()
    transaction_details = fields.Json(help="The transaction as reported by the bank.")

    _identifier_unique = models.UniqueIndex(
        "(account_online_account_id, online_transaction_identifier) WHERE state != 'pending'",
        "This transaction is known already.",
    )
    _account_day = models.Index("(account_online_account_id, online_transaction_digest)")

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.autovacuum
    def _gc_without_account(self):
        """Delete records without account and journal: they can't be imported again."""
        found = self.search([("account_online_account_id", "=", False), ("journal_id", "=", False)], limit=BATCH)
        found.unlink()
        return len(found), len(found) == BATCH

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_dismiss(self):
        """*Dismiss*: do not retry the import, for instance because the user has entered the transaction."""
        self.env["account.online.link"]._check_may_restore()
        self.check_access("read")
        # sudo: the group and read access to these transactions were checked above
        parked = as_server(self).filtered(lambda one: one.state == "parked")
        reason = self.env._("Dismissed by %s", self.env.user.name)
        parked.write({"state": "deleted", "reason_code": "deleted", "reason": reason})

    def action_restore(self):
        """*Import*: create the lines of deleted and left out transactions after all."""
        self.env["account.online.link"]._check_may_restore()
        self.check_access("read")
        # sudo: the group and read access to these transactions were checked above
        transactions = as_server(self)
        # Why locked: of two users who import the same one, the second would see a unique index error of PostgreSQL.
        transactions.account_online_account_id.account_online_link_id._lock_or_refuse(transactions)
        transactions._check_restorable()
        lines = self.env["account.bank.statement.line"]
        for account in transactions.account_online_account_id:
            chosen = transactions.filtered(lambda one, account=account: one.account_online_account_id == account)
            lines += restore.restore(account, chosen)
        return lines._get_list_action([("id", "in", lines.ids)])

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _entry(self):
        """:return: :class:`~..sync.identity.Entry`, or None if it can't be parsed"""
        try:
            transaction = self.account_online_account_id._parse(self.transaction_details)
        except BadTransaction:
            return None
        return Entry(
            self.online_transaction_identifier, self.online_transaction_digest or digest(transaction), transaction
        )

    @api.model
    def _remember_deleted(self, lines):
        """Remember a line that a user deletes, so that the next run does not import it again."""
        for line in lines.filtered(lambda line: line.online_transaction_identifier == OPENING):
            # Why here: the account offers to book the balance again. Why not a sum: this may be called twice.
            # sudo: Odoo has checked that the user may delete the line
            account = as_server(line.online_account_id)
            account.opening_to_book = account.opening_to_book or line.amount
        known = lines.filtered(
            lambda line: line.online_account_id and line.online_transaction_identifier not in (False, OPENING)
        )
        if not known:
            return
        # Why search: deleting a line may call this twice, for the line and for its entry.
        identifiers = known.mapped("online_transaction_identifier")
        there = self.search([("online_transaction_identifier", "in", identifiers), ("state", "!=", "pending")])
        keys = {(one.account_online_account_id.id, one.online_transaction_identifier) for one in there}
        self.create(
            [
                {
                    "account_online_account_id": line.online_account_id.id,
                    "journal_id": line.journal_id.id,
                    "state": "deleted",
                    "reason_code": "deleted",
                    "reason": self.env._("Deleted by %s", self.env.user.name),
                    "date": line.date,
                    "amount": line.amount,
                    "payment_ref": line.payment_ref,
                    "partner_name": line.partner_name,
                    "online_transaction_identifier": line.online_transaction_identifier,
                    "online_transaction_digest": line.online_transaction_digest,
                    "transaction_details": line.transaction_details,
                }
                for line in known
                if (line.online_account_id.id, line.online_transaction_identifier) not in keys
            ]
        )

    def _check_restorable(self):
        if bad := self.filtered(lambda one: one.state == "pending"):
            raise UserError(
                self.env._(
                    "“%s” is still pending at the bank. It is imported automatically once the bank has booked it and "
                    "its date has passed.",
                    bad[0].payment_ref,
                )
            )
