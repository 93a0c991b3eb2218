import logging

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools.misc import format_date

from .. import legacy
from ..hooks import columns_in_use

_logger = logging.getLogger(__name__)


class AccountOnlineMigration(models.Model):
    """The result of the migration from an earlier module for bank feeds, one record for each row.

    A row that has a record is not migrated again, even if a user has deleted the resulting link.
    """

    _name = "account.online.migration"
    _description = "Taken over from an Earlier Module"
    _order = "kind desc, id"
    _rec_name = "source"

    kind = fields.Selection(
        selection=[
            ("link", "Connection"),
            ("account", "Bank account"),
            ("journal", "Journal"),
            ("problem", "To review"),
        ],
        required=True,
        readonly=True,
    )
    source = fields.Char(string="Table", required=True, readonly=True)
    row_id = fields.Integer(readonly=True)
    account_online_link_id = fields.Many2one(
        comodel_name="account.online.link", string="Connection", readonly=True, ondelete="set null"
    )
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account", string="Bank Account", readonly=True, ondelete="set null"
    )
    journal_id = fields.Many2one(comodel_name="account.journal", readonly=True, ondelete="set null")
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    text = fields.Text(string="What Happened", readonly=True)

    _row = models.Index("(kind, source, row_id)")

    # -------------------------------------------------------------------------
    # INSTALLATION
    # -------------------------------------------------------------------------

    def _auto_init(self):
        """Set tables of earlier modules aside before any table of this addon is created; this model is the first.

        Why here, besides the hook: see data/account_online_migration.xml.
        """
        legacy.set_aside(self.env.cr, columns_in_use(self.env))
        return super()._auto_init()

    @api.model
    def _take_over(self):
        """Migrate the rows that have not been migrated yet.

        :return: :class:`~..legacy.migrate.Report`, None if it failed altogether
        """
        try:
            with self.env.cr.savepoint():
                return self._take_over_all()
        # Why any exception: remains of an earlier module must not prevent the installation of this one.
        except Exception as error:
            _logger.exception("Nothing could be taken over from earlier modules")
            self.env.invalidate_all()
            # sudo: runs when the addon is installed or updated, never for a user
            self.sudo().create(
                {
                    "kind": "problem",
                    "source": "account_online_synchronization",
                    "text": self.env._(
                        "Nothing could be taken over: %s. See the log for details. Your books are unchanged; "
                        "updating this module tries again.",
                        type(error).__name__,
                    ),
                }
            )
            self._give_to_only_company()
            return None

    @api.model
    def _give_to_only_company(self):
        """Assign rows without a company if there is only one; otherwise only the administrator sees them."""
        # sudo: runs when the addon is installed or updated, never for a user
        companies = self.env["res.company"].sudo().with_context(active_test=False).search([], limit=2)
        if len(companies) == 1:
            # sudo: runs when the addon is installed or updated, never for a user
            self.sudo().search([("company_id", "=", False)]).company_id = companies

    @api.model
    def _take_over_all(self):
        self.env.flush_all()
        defaults = {
            self.env[name]._table: self._required_defaults(self.env[name])
            for name in ("account.online.link", "account.online.account")
        }
        report = legacy.migrate(self.env.cr, defaults)
        self.env.invalidate_all()
        self._compute_stored("account.online.link", report.links)
        self._compute_stored("account.online.account", report.accounts)
        self._post_what_happened(self.env["account.online.link"].browse(report.links))
        self._give_to_only_company()
        self._log(report)
        return report

    @api.model
    def _required_defaults(self, model):
        """:return: dict from column to value that a row needs because it is not created by the ORM"""
        return {
            name: field.convert_to_column_insert(field.convert_to_cache(field.default(model), model), model)
            for name, field in model._fields.items()
            if field.required and field.store and field.default and field.column_type
        }

    @api.model
    def _compute_stored(self, model_name, ids):
        """Compute the stored fields of rows that were not created by the ORM."""
        records = self.env[model_name].browse(ids)
        for field in records._fields.values():
            if field.store and field.compute and not field.related and records:
                self.env.add_to_compute(field, records)

    @api.model
    def _log(self, report):
        if not report:
            return
        _logger.info(
            "Taken over from earlier modules: %s connections, %s accounts, %s lines, %s journals; "
            "%s scheduled actions switched off, %s columns with secrets blanked.",
            *(len(rows) for rows in (report.links, report.accounts)),
            report.lines,
            *(len(rows) for rows in (report.journals, report.crons, report.secrets)),
        )
        for problem in report.problems:
            _logger.warning("Taking over %s, row %s: %s", *problem)

    @api.model
    def _post_what_happened(self, links):
        """Post in the chatter what has happened to migrated connections, and what to do."""
        numbers = dict(
            self.env["account.bank.statement.line"]._read_group(
                [("online_account_id", "in", links.account_online_account_ids.ids)], ["online_account_id"], ["__count"]
            )
        )
        problems = self.search([("kind", "=", "problem")]).grouped("account_online_link_id")
        bodies = {}
        for link in links:
            accounts = [
                Markup("<li>%s</li>") % self._describe_account(account, numbers.get(account, 0))
                for account in link.account_online_account_ids
            ]
            sentences = [
                self.env._(
                    "This connection was made with an earlier module. It was disconnected when Online Bank "
                    "Synchronization was installed, and can't be connected again."
                ),
                self.env._(
                    "Use Reconnect, or Connect bank on the journal's card, to make a new connection. Its accounts "
                    "are recognized by their numbers, their journals are proposed, and transactions that you "
                    "already have are not imported again. The transactions in your journals have not been changed."
                ),
                *(problem.text for problem in problems.get(link, ())),
            ]
            body = Markup().join(Markup("<p>%s</p>") % sentence for sentence in sentences)
            bodies[link.id] = body + (Markup("<ul>%s</ul>") % Markup().join(accounts) if accounts else Markup())
        if bodies:
            links._message_log_batch(bodies=bodies)

    @api.model
    def _describe_account(self, account, number):
        """:param int number: of its known transactions"""
        parts = [account.display_name]
        if account.legacy_journal_id:
            parts.append(self.env._("journal %s", account.legacy_journal_id.display_name))
        if account.last_sync:
            parts.append(self.env._("synchronized until %s", format_date(self.env, account.last_sync)))
        parts.append(self.env._("%s known transactions", number))
        return ", ".join(parts)
