import json

from odoo import api, fields, models, tools
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..books import restore
from ..books.writer import BULK
from ..books.writer.overrides import others_triggers
from ..client.messages import read_details

#: State of a line → what Odoo stores of it. The same conditions count the lines on the journal's card.
STATE_DOMAINS = {
    "open": [("state", "=", "posted"), ("checked", "=", True), ("is_reconciled", "=", False)],
    "to_review": [("state", "=", "posted"), ("checked", "=", False)],
    "reconciled": [("state", "=", "posted"), ("checked", "=", True), ("is_reconciled", "=", True)],
    "not_posted": [("state", "!=", "posted")],
}


class AccountBankStatementLine(models.Model):
    _name = "account.bank.statement.line"
    _inherit = ["account.bank.statement.line", "account.online.server.fields"]

    online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        readonly=True,
        copy=False,
        # Why: lines outlive the online account that imported them.
        ondelete="set null",
        help="The bank account that this transaction was synchronized from.",
    )
    online_transaction_identifier = fields.Char(
        readonly=True,
        copy=False,
        help="The bank's identifier of the transaction, or a fingerprint where the bank provides none.",
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
        string="No Duplicate", readonly=True, copy=False, help="Reviewed by a user: not a duplicate."
    )
    # Why not stored: it follows from stored fields, and PostgreSQL groups by them (_field_to_sql).
    online_state = fields.Selection(
        selection=[
            ("open", "Open"),
            ("to_review", "To Review"),
            ("reconciled", "Reconciled"),
            ("not_posted", "Not Posted"),
        ],
        string="State",
        compute="_compute_online_state",
        search="_search_online_state",
        help="Open: without a counterpart. To Review: its entry is marked for review. Not Posted: its entry is a draft "
        "or cancelled.",
    )
    online_can_reconcile = fields.Boolean(
        compute="_compute_online_can_reconcile", help="An installed addon reconciles lines of this journal."
    )
    online_bank_texts = fields.Text(string="Bank Text", compute="_compute_online_details")
    online_booking_date = fields.Date(string="Booking Date", compute="_compute_online_details")
    online_value_date = fields.Date(string="Value Date", compute="_compute_online_details")
    online_counterparty_bic = fields.Char(string="BIC", compute="_compute_online_details")
    online_creditor_reference = fields.Char(string="Creditor Reference", compute="_compute_online_details")
    online_end_to_end_id = fields.Char(string="End-to-End ID", compute="_compute_online_details")
    online_mandate_id = fields.Char(string="Mandate", compute="_compute_online_details")
    online_foreign_amount = fields.Char(string="Original Amount", compute="_compute_online_details")
    online_raw_record = fields.Text(
        string="Raw Record",
        compute="_compute_online_raw_record",
        groups="base.group_system",
        help="The transaction as the connection service sent it.",
    )

    # Why in the database: of two workers that import the same transaction at the same time, one is refused.
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
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("state", "checked", "is_reconciled")
    def _compute_online_state(self):
        for state, domain in STATE_DOMAINS.items():
            self.filtered_domain(domain).online_state = state

    def _search_online_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(STATE_DOMAINS[state] for state in value if state in STATE_DOMAINS)

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr != "online_state":
            return super()._field_to_sql(alias, field_expr, query)
        return SQL(
            "CASE WHEN %s IS DISTINCT FROM 'posted' THEN 'not_posted' WHEN %s IS NOT TRUE THEN 'to_review' "
            "WHEN %s THEN 'reconciled' ELSE 'open' END",
            self._field_to_sql(alias, "state", query),
            self._field_to_sql(alias, "checked", query),
            self._field_to_sql(alias, "is_reconciled", query),
        )

    @api.depends("journal_id")
    def _compute_online_can_reconcile(self):
        for journal, lines in self.grouped("journal_id").items():
            lines.online_can_reconcile = bool(journal and journal._get_reconciliation_action())

    @api.depends("transaction_details")
    def _compute_online_details(self):
        for line in self:
            details = read_details(line.transaction_details)
            line.online_bank_texts = details["texts"]
            line.online_booking_date = details["booking_date"]
            line.online_value_date = details["value_date"]
            line.online_counterparty_bic = details["counterparty_bic"]
            line.online_creditor_reference = details["creditor_reference"]
            line.online_end_to_end_id = details["end_to_end_id"]
            line.online_mandate_id = details["mandate_id"]
            line.online_foreign_amount = details["foreign_amount"]

    @api.depends("transaction_details")
    def _compute_online_raw_record(self):
        for line in self:
            details = line.transaction_details
            line.online_raw_record = details and json.dumps(details, indent=2, ensure_ascii=False)

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Batches of a synchronization go to the bulk writer; the ``create()`` of other addons still runs around it."""
        bulk = self.env.context.get(BULK)
        return bulk.create_lines(self, vals_list, super().create) if bulk else super().create(vals_list)

    @api.model
    @tools.ormcache("models", cache="stable")
    def _others_triggers(self, models):
        """What :func:`~..books.writer.overrides.others_triggers` finds out.

        Why cached: merging the trees takes tens of milliseconds. Odoo empties this cache whenever it sets up
        models, so that another addon or a field of a user is noticed.

        :param tuple models: names of models
        """
        return others_triggers(self.env, models)

    def write(self, vals):
        """Protect the bank's data of synchronized lines; on other lines, such as imported files, users may set it."""
        if "transaction_details" in vals and not self.env.su and self.online_account_id:
            raise AccessError(self.env._("What the bank reported about a transaction can't be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_remember_online_transaction(self):
        # Why no context key of a caller counts: without this record the next run would import the deleted line again.
        if not (self.env.su and self.env.context.get("online_withdrawn")):
            # sudo: Odoo has checked that the user may delete these lines; this notes what was deleted
            as_server(self.env["account.online.transaction"])._remember_deleted(self)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open_journal_entry(self):
        """*Journal Entry*: the entry behind the line, in which it can also be booked."""
        self.ensure_one()
        return self.move_id._get_records_action(name=self.env._("Journal Entry"), context={})

    def action_reconcile(self):
        """*Reconcile*: the line in the addon that reconciles, see ``account.journal._get_reconciliation_action``."""
        self.ensure_one()
        self.check_access("write")
        if action := self.journal_id._get_reconciliation_action(self):
            return action
        raise UserError(
            self.env._("No installed addon reconciles bank transactions. Book this one in its journal entry.")
        )

    def action_separate_online_transaction(self):
        """*Not the same*: undo the adoption of a line; the bank's transaction gets a separate line."""
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
        return self._get_list_action([("id", "in", (self + new_line).ids)])

    def action_no_duplicate(self):
        """*No duplicate*: remember the user's decision."""
        self.env["account.online.link"]._check_may_restore()
        self.check_access("write")
        # sudo: write access to the lines was checked above
        as_server(self).write({"online_possible_duplicate": False, "online_duplicate_of_id": False})

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _get_list_action(self, domain, **context):
        """:param context: default filters of the list; none if empty
        :return: action that lists bank transactions
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_bank_statement_line_action"
        )
        return {**action, "domain": domain, "context": context}

    def _is_open_for_the_bank(self, dates=()):
        """Whether changes by the bank may be applied to the line: it is not reconciled, and its days are not locked.

        :param dates: new days of the line
        """
        self.ensure_one()
        if self.state != "posted" or self.is_reconciled or self._seek_for_lines()[2]:
            return False
        company = self.company_id
        return not any(company._get_violated_lock_dates(day, False, self.journal_id) for day in (self.date, *dates))

    def _why_not_deletable(self):
        """:return: a sentence that says why this line stays, or None where a user may delete it"""
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
        return self.env._(
            "%(label)s of %(date)s, %(amount)s",
            label=(self.payment_ref or self.name or "")[:80],
            date=fields.Date.to_string(self.date),
            amount=self.currency_id.format(self.amount),
        )

    def _give_back(self):
        """Undo the adoption of these lines, which users had entered before the synchronization."""
        self.write(
            {
                "online_account_id": False,
                "online_transaction_identifier": False,
                "online_transaction_digest": False,
                "online_partner_information": False,
                "transaction_details": False,
                "online_adopted": False,
            }
        )
