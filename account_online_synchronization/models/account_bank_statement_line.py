from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..books import restore
from ..books.writer import BULK
from .server_fields import as_server


class AccountBankStatementLine(models.Model):
    _name = "account.bank.statement.line"
    _inherit = ["account.bank.statement.line", "account.online.server.fields"]

    online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        readonly=True,
        copy=False,
        # Why: the account may go, what it brought stays.
        ondelete="set null",
        help="The bank account that this transaction was synchronized from.",
    )
    online_transaction_identifier = fields.Char(
        readonly=True,
        copy=False,
        help="The bank's identifier of the transaction, or a fingerprint where the bank gives none.",
    )
    online_transaction_digest = fields.Char(
        readonly=True, copy=False, help="Date, amount, currency and a fingerprint of the bank's last version."
    )
    online_partner_information = fields.Char(
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The counterparty as reported by the bank. The partner of a line is proposed for later lines with the "
        "same counterparty.",
    )
    online_adopted = fields.Boolean(
        string="Matched with the Bank",
        readonly=True,
        copy=False,
        help="It was in the journal before the bank reported it and was recognized as the same transaction.",
    )
    online_possible_duplicate = fields.Boolean(
        string="Possible Duplicate",
        readonly=True,
        copy=False,
        help="The journal already had similar transactions, so the matching line could not be determined.",
    )
    online_duplicate_of_id = fields.Many2one(
        comodel_name="account.bank.statement.line",
        string="Possible Duplicate Of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The line that may be the same transaction.",
    )
    online_was_future = fields.Boolean(
        readonly=True, copy=False, help="The bank showed the transaction as booked before its date."
    )
    online_withdrawn = fields.Boolean(
        string="Withdrawn by the Bank",
        readonly=True,
        copy=False,
        help="The bank no longer shows the transaction. The line was kept, because a person has to decide about it.",
    )
    online_distinct = fields.Boolean(
        string="No Duplicate",
        readonly=True,
        copy=False,
        help="Reviewed by a user: not a duplicate.",
    )

    # The last word on doubles is PostgreSQL's: whatever two workers do at the same time, one of them is refused.
    _online_transaction_unique = models.UniqueIndex(
        "(online_account_id, online_transaction_identifier) WHERE online_transaction_identifier IS NOT NULL",
        "This bank transaction has already been imported.",
    )
    _online_withdrawn = models.Index("(online_account_id) WHERE online_withdrawn")
    _online_shared_id = models.Index(
        "(online_account_id, split_part(online_transaction_identifier, ' ~', 1)) "
        "WHERE online_transaction_identifier LIKE '% ~%'"
    )
    # Why: the digest begins with the day, so this finds what the window of a run covers.
    _online_account_day = models.Index(
        "(online_account_id, online_transaction_digest) WHERE online_account_id IS NOT NULL"
    )

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """The importer's batches are written set-wise. What other addons do in ``create()`` stays around it."""
        bulk = self.env.context.get(BULK)
        return bulk.create_lines(self, vals_list, super().create) if bulk else super().create(vals_list)

    def write(self, vals):
        """What the bank said of a line that it brought stays as it said it; other lines may have it from a file."""
        if "transaction_details" in vals and not self.env.su and self.online_account_id:
            raise AccessError(self.env._("What the bank said about a transaction can't be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_remember_online_transaction(self):
        # Why only the server's word: with the key of a caller, a deleted line would come back with the next run.
        if not (self.env.su and self.env.context.get("online_withdrawn")):
            # sudo: Odoo has checked that the user may delete these lines; this notes what was deleted
            as_server(self.env["account.online.transaction"])._remember_deleted(self)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_separate_online_transaction(self):
        """*Not the same*: undo that a line was taken for a transaction of the bank; the transaction gets its own line.

        :return: action that shows both lines
        """
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        self.check_access("write")
        account = self.online_account_id
        if not self.online_adopted or not account.journal_ids:
            raise UserError(
                self.env._("This line has not been matched with a bank transaction, so there is nothing to undo.")
            )
        # sudo: write access to the line was checked above; the account is the line's own, which only the server sets
        new_line = restore.separate(as_server(account), as_server(self))
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "account_online_synchronization.account_bank_statement_line_action"
            ),
            "domain": [("id", "in", (self + new_line).ids)],
        }

    def action_no_duplicate(self):
        """*No duplicate*: the user has looked."""
        self.env["account.online.link"]._check_may_restore()
        self.check_access("write")
        # sudo: write access to the lines was checked above
        as_server(self).write({"online_possible_duplicate": False, "online_duplicate_of_id": False})

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _is_open_for_the_bank(self, dates=()):
        """Whether the bank's changes may reach the line: nobody has reconciled it, and its days are not locked.

        :param dates: days that the line would be moved to
        """
        self.ensure_one()
        if self.state != "posted" or self.is_reconciled or self._seek_for_lines()[2]:
            return False
        company = self.company_id
        return not any(company._get_violated_lock_dates(day, False, self.journal_id) for day in (self.date, *dates))

    def _why_not_deletable(self):
        """:return: a sentence that says why this line stays, or None where a user may delete it"""
        self.ensure_one()
        if self.is_reconciled:
            return self.env._("Reconciled. Undo the reconciliation first.")
        if self._seek_for_lines()[2]:
            return self.env._("Partially reconciled. Undo the reconciliation first.")
        if self.company_id._get_violated_lock_dates(self.date, False, self.journal_id):
            return self.env._("In a locked period.")
        statement = self.statement_id
        # Why not those of synchronization: their balances follow from their lines.
        if statement and not statement.online_period_start and statement.is_valid and statement.is_complete:
            return self.env._(
                "Part of the complete statement %s. Remove it from the statement first.", statement.display_name
            )
        return None

    def _describe(self):
        """The line in a sentence for a person."""
        self.ensure_one()
        return self.env._(
            "%(label)s of %(date)s, %(amount)s",
            label=(self.payment_ref or self.name or "")[:80],
            date=fields.Date.to_string(self.date),
            amount=self.currency_id.format(self.amount),
        )
