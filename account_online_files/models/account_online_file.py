import base64
import logging
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.addons.account_online_synchronization.books import statements
from odoo.addons.account_online_synchronization.books.run import try_lock
from odoo.addons.account_online_synchronization.client.errors import BadTransaction, ProxyError
from odoo.addons.account_online_synchronization.models.account_online_progress import Reporter
from odoo.addons.account_online_synchronization.sync.fetch import FetchProgress
from odoo.addons.account_online_synchronization.sync.files import FILE, Coverage
from odoo.addons.bank_statement_formats import formats
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from ..books.reading import read_upload
from ..books.storing import FINAL, Reading

_logger = logging.getLogger(__name__)

#: Number of transactions from which on a scheduled action imports them, so that the user does not wait.
LONG = 2_000

#: Delay until an import that met a synchronization is retried.
AGAIN = timedelta(minutes=2)

#: Maximum number of lines that an error message lists; further ones are counted.
MAX_NAMED = 10


class AccountOnlineFile(models.Model):
    """One statement of an imported file: its coverage, its lines, and the original.

    The coverage of earlier files decides which transactions of the next one are known, see ``sync/files.py``.
    """

    _name = "account.online.file"
    _description = "Imported Statement File"
    _inherit = ["account.online.server.fields"]
    _order = "last_day desc, id desc"

    name = fields.Char(required=True, readonly=True)
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account",
        string="Bank Account",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="account_online_account_id.company_id", store=True)
    currency_id = fields.Many2one(related="account_online_account_id.currency_id")
    journal_id = fields.Many2one(comodel_name="account.journal", readonly=True, ondelete="set null", index=True)
    run_id = fields.Many2one(comodel_name="account.online.run", readonly=True, ondelete="set null")
    user_id = fields.Many2one(
        comodel_name="res.users", string="Imported By", readonly=True, default=lambda self: self.env.user
    )
    state = fields.Selection(
        selection=[("planned", "Waiting"), ("done", "Imported"), ("undone", "Undone"), ("failed", "Failed")],
        default="planned",
        required=True,
        readonly=True,
    )
    format_code = fields.Char(readonly=True)
    format_label = fields.Char(string="Format", readonly=True)
    kind = fields.Char(readonly=True, help="Statement, interim, advice or list, as stated in the file.")
    statement_key = fields.Char(readonly=True, help="Which statement of the original it is.")
    options = fields.Json(readonly=True, help="How a user chose to have the file read.")
    chosen = fields.Json(readonly=True, help="Numbers of the doubtful transactions that a user chose to import.")
    digest = fields.Char(readonly=True, index=True)
    first_day = fields.Date(string="From", readonly=True)
    last_day = fields.Date(string="To", readonly=True)
    from_start = fields.Boolean(readonly=True, help="It shows the first day from its beginning.")
    to_end = fields.Boolean(readonly=True, help="It shows the last day to its end.")
    is_contiguous = fields.Boolean(readonly=True, help="It shows all transactions between its days.")
    has_balances = fields.Boolean(readonly=True)
    opening_balance = fields.Monetary(readonly=True)
    closing_balance = fields.Monetary(readonly=True)
    transaction_count = fields.Integer(string="Transactions", readonly=True)
    new_count = fields.Integer(string="New", readonly=True)
    doubtful = fields.Json(
        string="Doubtful Transactions", readonly=True, help="Transactions that may be in the journal already."
    )
    doubtful_count = fields.Integer(string="Doubtful", readonly=True)
    error_message = fields.Text(readonly=True)
    line_ids = fields.Many2many(
        comodel_name="account.bank.statement.line",
        relation="account_online_file_line_rel",
        column1="file_id",
        column2="line_id",
        string="Bank Transactions",
        readonly=True,
        help="The lines of all transactions that the file shows, also of those that were known.",
    )

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open_lines(self):
        """*Transactions*: the lines imported from the file."""
        self.ensure_one()
        return self.env["account.bank.statement.line"]._get_list_action([("online_file_id", "=", self.id)])

    def action_undo(self):
        """*Undo Import*: delete lines that only this file contains."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        self.check_access("read")
        self.journal_id.check_access("read")
        # sudo: the group and read access to the file and its journal were checked above; the lines are the file's own
        return as_server(self)._undo()

    def action_import_doubtful(self):
        """*Import Doubtful*: all of them, marked as possible duplicates."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_restore()
        self.check_access("read")
        # sudo: the group and read access to the file were checked above
        return as_server(self)._import_doubtful()

    def action_dismiss_doubtful(self):
        """*Already in the Journal*: the user has decided that they are known."""
        self.env["account.online.link"]._check_may_restore()
        self.check_access("read")
        # sudo: the group and read access to the files were checked above
        as_server(self).write({"doubtful": [], "doubtful_count": 0})

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHAT FILES HAVE SHOWN
    # -------------------------------------------------------------------------

    def _coverage(self):
        """:return: :class:`~..sync.files.Coverage`"""
        self.ensure_one()
        amounts = [
            Decimal(str(self.currency_id.round(amount))) if self.has_balances else None
            for amount in (self.opening_balance, self.closing_balance)
        ]
        return Coverage(self.first_day, self.last_day, self.from_start, self.to_end, self.is_contiguous, *amounts)

    def _coverages(self):
        """:return: list of the coverages of the imported files with transactions"""
        return [one._coverage() for one in self if one.state == "done" and one.first_day]

    def _with_balances(self):
        """:return: those whose balances are final. Files imported before their kind was stored count as statements."""
        return self.filtered(
            lambda one: (
                one.state == "done" and one.has_balances and one.is_contiguous and (not one.kind or one.kind in FINAL)
            )
        )

    def _oldest_with_balances(self):
        """:return: the one before whose transactions no other file has any; empty if that is not certain"""
        known = self._with_balances()
        if not known:
            return known
        day = min(known.mapped("first_day"))
        oldest = known.filtered(lambda one: one.first_day == day)
        # Why: of several statements of one day, each begins with the closing balance of the one before.
        closing = {one: one.closing_balance for one in oldest}
        heads = oldest.filtered(
            lambda one: (
                not any(
                    other != one and not one.currency_id.compare_amounts(balance, one.opening_balance)
                    for other, balance in closing.items()
                )
            )
        )
        whole = heads.filtered("from_start")
        if not whole and any(coverage.part(day) for coverage in (self - oldest)._coverages()):
            return self.browse()
        heads = whole or heads
        return heads[:1] if len(set(heads.mapped("opening_balance"))) == 1 else self.browse()

    def _forget_doubts(self, is_certain):
        """:param is_certain: function from a day: whether another file contains all of it"""
        left = []
        for message in self.doubtful or []:
            day = message.get("booking_date") or message.get("value_date")
            if not (day and is_certain(fields.Date.to_date(day))):
                left.append(message)
        if len(left) != self.doubtful_count:
            self.write({"doubtful": left, "doubtful_count": len(left)})

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - IMPORTING
    # -------------------------------------------------------------------------

    @api.model
    def _plan(self, account, statement, attachment, options, chosen):
        """Create a file to be imported, with its original.

        :param account: ``account.online.account`` with a journal
        :param statement: :class:`~..books.reading.ReadStatement`
        :param attachment: ``ir.attachment`` of the upload
        :param dict options: see :meth:`_read_options`
        :param chosen: numbers of doubtful transactions
        """
        file = self.create(
            {
                "name": statement.filename or attachment.name,
                "account_online_account_id": account.id,
                "journal_id": account.journal_ids.id,
                "format_code": statement.code,
                "format_label": statement.label,
                "kind": statement.kind,
                "statement_key": statement.key,
                "digest": statement.digest,
                "options": options,
                "chosen": chosen,
                "transaction_count": len(statement.messages),
            }
        )
        attachment.copy({"name": attachment.name, "res_model": self._name, "res_id": file.id})
        return file

    def _original(self):
        return self.env["ir.attachment"].search(
            [("res_model", "=", self._name), ("res_id", "=", self.id), ("res_field", "=", False)], order="id", limit=1
        )

    @api.model
    def _read_options(self, values, currency=None):
        """:param dict values: stored ``encoding``, ``split_batches``, ``currency``
        :return: :class:`~odoo.addons.bank_statement_formats.formats.Options`
        """
        values = values or {}
        return formats.Options(
            split_batches=values.get("split_batches", True),
            encoding=values.get("encoding") or None,
            currency=currency or values.get("currency") or None,
        )

    def _import_now(self, checkpoint=None):
        """
        :return: the run
        :raise UserError: if the journal can't be filled, or the account is in use
        """
        self.ensure_one()
        account, link = self._lock_account()
        run = self.run_id or self._begin_run()
        content = base64.b64decode(self._original().with_context(bin_size=False).datas or b"")
        options = self._read_options(self.options, account.currency_id.name)
        read = read_upload(content, self._original().name, options, (self.options or {}).get("mappings"))
        statement = next(one for one in read if one.key == self.statement_key)
        try:
            Reading(account, statement).store(run, self, self.chosen or (), checkpoint)
        except ProxyError as error:
            raise UserError(self.env["account.online.service"]._translate(error.message)) from None
        account._refresh_holes()
        if self.new_count:
            self._after_import()
        now = fields.Datetime.now()
        run.write({"state": "done", "ended_at": now})
        link._note_file(now)
        return run

    def _lock_account(self):
        """:return: the account and its link, which stays locked until the end of the database transaction"""
        account = self.account_online_account_id
        link = account.account_online_link_id
        if not try_lock(link):
            raise UserError(
                self.env._("%s is being synchronized right now. Try again in a moment.", account.display_name)
            )
        return account, link

    def _after_import(self):
        """Call the extension point in a savepoint, so that its errors do not affect the import."""
        try:
            with self.env.cr.savepoint():
                self.run_id._after_import(self.account_online_account_id.journal_ids)
        except Exception:
            _logger.exception("File %s: what follows an import failed; the import itself is complete", self.id)

    def _begin_run(self, state="running"):
        link = self.account_online_account_id.account_online_link_id
        self.run_id = self.env["account.online.run"].create(
            {"account_online_link_id": link.id, "trigger": "file", "state": state, "user_id": self.user_id.id}
        )
        return self.run_id

    def _import_later(self, moment=None):
        """Let a scheduled action import it; the card shows that it is waiting.

        :param datetime moment: not earlier than this
        """
        if self.run_id:
            self.run_id.state = "planned"
        else:
            self._begin_run("planned")
        # sudo: triggers one fixed scheduled action, which searches for what is due
        self.env.ref("account_online_files.ir_cron_import_files").sudo()._trigger(moment)
        self.account_online_account_id.account_online_link_id._send_status("planned")

    @api.model
    def _cron_import(self):
        """Import waiting files, one after the other."""
        # Why in any state of its run: a synchronization of the same link interrupts runs that have not ended.
        waiting = self.search([("state", "=", "planned")], order="id")
        self.env["ir.cron"]._commit_progress(remaining=len(waiting))
        for file in waiting:
            file._import_alone()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _import_alone(self):
        """Import in a scheduled action, with progress and error reports."""
        run, link = self.run_id or self._begin_run(), self.account_online_account_id.account_online_link_id
        run._restart()
        run.error_message = False
        link._send_status("running")
        # Why committed: other sessions see that it is running.
        self.env["ir.cron"]._commit_progress()
        if not try_lock(link):
            # A synchronization fills the account at this moment.
            self._import_later(fields.Datetime.now() + AGAIN)
            return
        reporter = Reporter(self.account_online_account_id, run)
        reporter.fetched(FetchProgress(1, self.transaction_count, self.first_day or None, self.last_day or None))
        company = self.with_company(self.company_id)
        try:
            with self.env.cr.savepoint():
                company._import_now(checkpoint=lambda: reporter.stored(run.imported))
        except UserError as error:
            self._fail(str(error))
        else:
            link._send_status("done")

    def _fail(self, message):
        self.write({"state": "failed", "error_message": message})
        self.run_id.write({"state": "failed", "ended_at": fields.Datetime.now(), "error_message": message})
        link = self.account_online_account_id.account_online_link_id
        sentence = self.env._("%(file)s was not imported: %(reason)s", file=self.name, reason=message)
        link.message_post(body=sentence)
        if self.user_id == self.env.ref("base.user_root"):
            # Why: the file came from a folder or by e-mail, so no user is looking at the card.
            link._ask_to_review([sentence])
        link._send_status("failed")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - DOUBTFUL TRANSACTIONS
    # -------------------------------------------------------------------------

    def _import_doubtful(self):
        account = self.account_online_account_id.with_company(self.company_id)
        transactions = []
        for message in self.doubtful or []:
            try:
                transactions.append(account._parse(message))
            except BadTransaction as error:
                raise UserError(self.env["account.online.service"]._translate(error.sentence)) from None
        entries = account._new_file_entries(transactions, self.format_code)
        lines = account._write_file_entries(entries)
        lines.write({"online_file_id": self.id, "online_possible_duplicate": True})
        self.write(
            {
                "doubtful": [],
                "doubtful_count": 0,
                "line_ids": [(4, line.id) for line in lines],
                "new_count": self.new_count + len(lines),
            }
        )
        if lines:
            self.with_company(self.company_id)._after_import()
        return lines._get_list_action([("id", "in", lines.ids)])

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - UNDO
    # -------------------------------------------------------------------------

    def _undo(self):
        if self.state != "done":
            raise UserError(self.env._("%s is not imported, so there is nothing to undo.", self.name))
        account, link = self._lock_account()
        mine = self._lines_of_its_own()
        adopted = mine.filtered("online_adopted")
        self._check_undo(mine - adopted)
        # Why: the same file can be imported again, so its lines are not remembered as deleted.
        self._delete(mine - adopted)
        adopted._give_back()
        self._hand_on()
        self._unlink_beside()
        self.write({"state": "undone", "new_count": 0, "doubtful": [], "doubtful_count": 0, "line_ids": [(5,)]})
        account._after_undo(self)
        link.message_post(
            body=self.env._(
                "The import of %(file)s was undone by %(user)s. Transactions deleted: %(count)s.",
                file=self.name,
                user=self.env.user.name,
                count=len(mine - adopted),
            )
        )
        link._send_status("done")
        return link._notify(self.env._("The import of %s was undone.", self.name), "success")

    def _lines_of_its_own(self):
        """Lines that no other file and no connection contains."""
        lines = self.line_ids.filtered(
            lambda line: (
                line.online_account_id == self.account_online_account_id
                and (line.online_transaction_identifier or "").startswith(FILE)
                and (line.online_file_id == self or line.online_adopted)
            )
        )
        others = self.search([("line_ids", "in", lines.ids), ("id", "!=", self.id), ("state", "=", "done")])
        return lines - others.line_ids

    def _check_undo(self, lines):
        """:raise UserError: with the lines that users have worked with"""
        reasons = [(line, reason) for line in lines if (reason := line._why_not_deletable())]
        if not reasons:
            return
        named = [
            self.env._("%(line)s: %(reason)s", line=line._describe(), reason=reason)
            for line, reason in reasons[:MAX_NAMED]
        ]
        if len(reasons) > MAX_NAMED:
            named.append(self.env._("And %s more.", len(reasons) - MAX_NAMED))
        raise UserError(
            self.env._(
                "The import of %(file)s can't be undone, because of these transactions:\n%(lines)s",
                file=self.name,
                lines="\n".join(named),
            )
        )

    def _delete(self, lines):
        if not lines:
            return
        journal, touched, day = lines.journal_id, lines.statement_id, min(lines.mapped("date"))
        first = statements.first_statement(journal)
        start, amounts = first.balance_start, [(line.internal_index, line.amount) for line in lines]
        lines.statement_id = False
        lines.with_context(online_withdrawn=True).unlink()
        left = min(first.line_ids.mapped("internal_index"), default=None) if first.online_period_start else None
        # Why: the journal begins later now, so the start balance of its first statement includes these amounts.
        gone = [amount for index, amount in amounts if left and index < left]
        statements.settle(journal, touched, day, start + sum(gone) if gone else None)

    def _hand_on(self):
        """Assign lines that other files contain, too, to one of those."""
        for line in self.env["account.bank.statement.line"].search([("online_file_id", "=", self.id)]):
            line.online_file_id = self.search(
                [("line_ids", "in", line.ids), ("id", "!=", self.id), ("state", "=", "done")], limit=1
            )

    def _unlink_beside(self):
        """Delete kept transactions of this file alone, such as those of a locked period."""
        if not self.first_day:
            return
        covered = (self.account_online_account_id.file_ids - self)._coverages()
        beside = self.env["account.online.transaction"].search(
            [
                ("account_online_account_id", "=", self.account_online_account_id.id),
                ("state", "in", ("left_out", "parked", "pending")),
                ("online_transaction_identifier", "=like", f"{FILE}%"),
                ("date", ">=", self.first_day),
                ("date", "<=", self.last_day),
            ]
        )
        beside.filtered(lambda one: not any(other.part(one.date) for other in covered)).unlink()
