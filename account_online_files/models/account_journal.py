from ast import literal_eval

from odoo import api, fields, models
from odoo.addons.account_online_synchronization.sync.files import Hole
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError
from odoo.tools.mail import email_normalize, email_normalize_all
from odoo.tools.misc import format_date

#: Key in the defaults of a mail alias: the journal for its statement files.
ALIAS_JOURNAL = "online_statement_journal_id"


class AccountJournal(models.Model):
    _inherit = "account.journal"

    online_file_senders = fields.Char(
        string="Allowed Senders",
        help="E-mail addresses, separated by commas, whose statement files are imported when they arrive at the alias. "
        "E-mails from other addresses are ignored.",
    )

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        """Why: Odoo writes an alias's defaults with superuser rights, and these determine which journal mails fill."""
        if not self.env.su and vals.get("alias_defaults") and self._names_a_journal(vals["alias_defaults"]):
            vals = {name: value for name, value in vals.items() if name != "alias_defaults"}
            if len(self) == 1:
                vals["alias_defaults"] = {ALIAS_JOURNAL: self.id}
        return super().write(vals)

    @api.model
    def _names_a_journal(self, defaults):
        """:param defaults: of a mail alias, as Odoo reads them"""
        try:
            return ALIAS_JOURNAL in dict(literal_eval(str(defaults)))
        except (ValueError, SyntaxError, TypeError):
            return False

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_import_online_file(self):
        """*Import File* on the card."""
        self.ensure_one()
        return self.env["account.online.file.import"]._open(self)

    def action_open_online_files(self):
        """*Imported Files* in the menu of the card."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_online_files.account_online_file_action")
        return {**action, "domain": [("journal_id", "=", self.id)]}

    # -------------------------------------------------------------------------
    # EXTENDS account
    # -------------------------------------------------------------------------

    def create_document_from_attachment(self, attachment_ids):
        """Import files that are dropped on the card of a bank as statements, not as invoices."""
        journal = self or self.browse(self.env.context.get("default_journal_id"))
        is_statement = self.env.context.get("online_statement_files") or journal.type in ("bank", "credit")
        if not is_statement:
            return super().create_document_from_attachment(attachment_ids)
        attachments = self.env["ir.attachment"].browse(attachment_ids)
        return self.env["account.online.file.import"]._open(journal.exists(), attachments)

    def _get_online_sync_dashboard_data(self):
        cards = super()._get_online_sync_dashboard_data()
        linked = self.filtered(lambda journal: cards.get(journal.id, {}).get("linked"))
        # sudo: reads what the card shows of the account of a journal that Odoo has already let the user see
        linked = linked.sudo()
        if not linked:
            return cards
        groups = linked.env["account.online.file"]._read_group(
            [("account_online_account_id", "in", linked.account_online_account_id.ids), ("state", "=", "done")],
            ["account_online_account_id"],
            ["last_day:max", "doubtful_count:sum"],
        )
        by_account = {account.id: (last, doubtful) for account, last, doubtful in groups}
        for journal in linked:
            account = journal.account_online_account_id
            last, doubtful = by_account.get(account.id, (None, 0))
            cards[journal.id] |= {
                "files_until": format_date(self.env, last) if last else "",
                "files_doubtful": doubtful or 0,
                "files_holes": [self._describe_hole(account, hole) for hole in account.file_holes or []],
            }
            if account.is_files and last and account.balance_date and account.balance_date < last:
                # Why: after a file without balances, the last balance is older than the transactions.
                cards[journal.id]["difference"] = ""
        return cards

    @api.model
    def _describe_hole(self, account, hole):
        days = [fields.Date.to_date(hole[name]) for name in ("after", "before")]
        return account.account_online_link_id._describe_hole(Hole(*days, hole["amount"]), account.currency_id)

    # -------------------------------------------------------------------------
    # FILES BY E-MAIL
    # -------------------------------------------------------------------------

    def _alias_get_creation_values(self):
        """The alias of a bank journal imports statement files instead of creating entries."""
        values = super()._alias_get_creation_values()
        if self.id and self.type in ("bank", "credit"):
            values["alias_model_id"] = self.env.ref("account.model_account_journal").id
            values["alias_defaults"] = {ALIAS_JOURNAL: self.id}
        return values

    # Why private: over RPC any user could forge the sender of the mail.
    @api.private
    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Handle a mail to the alias of a bank journal. It is posted in the journal's chatter, with the result.

        Why without the content of unknown senders: it is unsolicited and not trusted.
        """
        journal = self.browse((custom_values or {}).get(ALIAS_JOURNAL)).exists()
        if not journal or not self.env.su:
            return super().message_new(msg_dict, custom_values)
        if journal._is_allowed_sender(msg_dict.get("email_from")):
            notes = [
                journal._receive_file(name, content) for name, content, *_more in msg_dict.get("attachments") or []
            ]
            msg_dict["body"] = "\n".join(notes) or self.env._("The e-mail has no attachment, so nothing was imported.")
        else:
            msg_dict["attachments"] = []
            msg_dict["body"] = self.env._(
                "An e-mail from %s was ignored: the address is not among the allowed senders of this journal.",
                msg_dict.get("email_from") or "?",
            )
        return journal

    def _is_allowed_sender(self, sender):
        allowed = email_normalize_all(self.online_file_senders or "")
        return bool(allowed) and email_normalize(sender or "") in allowed

    def _receive_file(self, name, content):
        """:return: a sentence about the result of one attachment"""
        content = content.encode() if isinstance(content, str) else content
        # sudo: Odoo has routed the mail to this journal's alias, and its sender is allowed for the journal
        wizard = as_server(self).env["account.online.file.import"]
        try:
            with self.env.cr.savepoint():
                return wizard._receive(name, content, self, self.company_id)._import_received()
        except UserError as error:
            return self.env._("%(file)s was not imported: %(reason)s", file=name, reason=error)
