import base64
import json

from odoo import api, fields, models
from odoo.addons.bank_statement_formats.formats import tables
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from ..books.reading import read_upload
from ..books.words import say
from .account_online_file_import_statement import NEWS

#: Encodings that banks use. An empty choice detects it.
ENCODINGS = [
    ("utf-8", "Unicode (UTF-8)"),
    ("utf-16", "Unicode (UTF-16)"),
    ("cp1252", "Western Europe (Windows)"),
    ("iso8859-15", "Western Europe (ISO 8859-15)"),
    ("cp1250", "Central Europe (Windows)"),
    ("cp850", "Western Europe (DOS)"),
]


class AccountOnlineFileImport(models.TransientModel):
    """*Import File*: reads statement files, shows a preview, and imports them.

    Nothing is written to the books before *Import*; the preview computes the decisions of an import without applying
    them.
    """

    _name = "account.online.file.import"
    _description = "Import of Statement Files"
    _inherit = ["account.online.server.fields"]

    journal_id = fields.Many2one(
        comodel_name="account.journal",
        readonly=True,
        ondelete="cascade",
        help="The journal on whose card the files were dropped; empty: each finds its own.",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    attachment_ids = fields.Many2many(comodel_name="ir.attachment", string="Files")
    encoding = fields.Selection(selection=ENCODINGS, help="Choose one if letters look wrong in the preview.")
    split_batches = fields.Boolean(
        string="Split Batch Entries",
        default=True,
        help="A batch entry with details becomes one transaction for each of them, otherwise one for the whole.",
    )
    state = fields.Selection(
        selection=[("choose", "Choose"), ("preview", "Preview")], default="choose", required=True, readonly=True
    )
    statement_ids = fields.One2many(
        comodel_name="account.online.file.import.statement", inverse_name="wizard_id", string="Statements"
    )
    summary = fields.Char(readonly=True)
    # What the files hold, as the field online_transaction_choice reads it.
    sections = fields.Json(readonly=True)
    chosen = fields.Json(help="Keys of the doubtful transactions that are to be imported as well.")
    mappings = fields.Json(readonly=True, help="Columns of tables that the user has answered for, by their header.")
    can_import = fields.Boolean(readonly=True)
    has_news = fields.Boolean(readonly=True, help="An import would add or change something.")

    # -------------------------------------------------------------------------
    # COMPUTE AND CRUD METHODS
    # -------------------------------------------------------------------------

    @api.depends("journal_id")
    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = self.env._("Import File")

    def write(self, vals):
        """Why discarded: the preview was computed for other options."""
        result = super().write(vals)
        if not self.env.su and {"encoding", "split_batches"} & vals.keys():
            for wizard in self.filtered(lambda wizard: wizard.state == "preview"):
                wizard.action_read()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _open(self, journal=None, attachments=None):
        """
        :param journal: ``account.journal`` of the files; None to find it by account number
        :param attachments: ``ir.attachment`` that the user has just uploaded; None to ask for them
        :return: action
        """
        self.env["account.online.link"]._check_may_restore()
        journal = journal or self.env["account.journal"]
        journal._check_own_company()
        # sudo: the group and read access to the journal were checked above; uploads are checked when they are read
        wizard = as_server(self).create(
            {
                "journal_id": journal.id,
                "company_id": (journal.company_id or self.env.company).id,
                "attachment_ids": [(6, 0, attachments.ids if attachments else [])],
            }
        )
        wizard = wizard.with_env(self.env)
        return wizard.action_read() if attachments else wizard._show()

    def action_read(self):
        """*Show Preview*: read the files and compare them with the books."""
        self.ensure_one()
        server = self._server()
        if not self.attachment_ids:
            raise UserError(self.env._("Choose at least one statement file."))
        server._read()
        return self._show()

    def action_preview(self):
        """*Update Preview*: after another journal was chosen, or columns of a table."""
        self.ensure_one()
        server = self._server()
        if server._take_answers(self.chosen if isinstance(self.chosen, list) else []):
            server._read()
        else:
            server._preview()
        return self._show()

    def action_back(self):
        """*Other Files*."""
        self.ensure_one()
        server = self._server()
        server.statement_ids.unlink()
        empty = {"sections": [], "chosen": [], "can_import": False, "has_news": False, "attachment_ids": [(5,)]}
        server.write({"state": "choose", **empty})
        return self._show()

    def action_import(self):
        """*Import*.

        :return: action that shows the new lines, or a notification that a scheduled action continues
        """
        self.ensure_one()
        server = self._server()
        chosen = {key for key in self.chosen if isinstance(key, str)} if isinstance(self.chosen, list) else set()
        return server._import(chosen)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _server(self):
        """Check that the user may import here, now.

        :return: the wizard with superuser rights, for what only the server reads and writes
        """
        self.env["account.online.link"]._check_may_restore()
        self.check_access("write")
        (self.journal_id | self.statement_ids.journal_id)._check_own_company()
        for attachment in self.attachment_ids:
            self._check_attachment(attachment)
        # sudo: the group, the wizard's owner, read access to its journals and its uploads were checked above
        return as_server(self)

    def _check_attachment(self, attachment):
        """:raise UserError: for files that another user has uploaded, or that belong to another record"""
        attachment.check_access("read")
        # sudo: reads the creator of the upload, after read access was checked above
        upload = attachment.sudo()
        if upload.create_uid != self.env.user or upload.res_model not in (False, self._name):
            raise UserError(
                self.env._("This file was uploaded by somebody else, or for something else. Please upload it here.")
            )

    def _show(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import File"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - READING
    # -------------------------------------------------------------------------

    def _read(self):
        """Read the files, find the journals of their statements, and compare."""
        self.statement_ids.unlink()
        # Why: they are deleted with the wizard; imported files have a copy.
        self.attachment_ids.write({"res_model": self._name, "res_id": self.id})
        for attachment, statements in self._read_uploads():
            self.statement_ids.create([self._statement_values(attachment, one) for one in statements])
        self.state = "preview"
        self._find_journals()
        self._preview()

    def _read_uploads(self):
        """:return: list of (attachment, list of :class:`~..books.reading.ReadStatement`)"""
        File = self.env["account.online.file"]
        options, uploads = File._read_options(self._options()), []
        # Why sorted: Odoo lists attachments backwards, users choose January before February.
        for attachment in self.attachment_ids.sorted("id"):
            content = base64.b64decode(attachment.with_context(bin_size=False).datas or b"")
            read = read_upload(content, attachment.name, options, self._known_mappings())
            uploads.append((attachment, read))
        return uploads

    def _options(self):
        """:return: the reading options, as stored by ``account.online.file``"""
        currency = (self.journal_id.currency_id or self.company_id.currency_id).name
        return {
            "encoding": self.encoding,
            "split_batches": self.split_batches,
            "currency": currency,
            "mappings": self._known_mappings(),
        }

    def _known_mappings(self):
        """Mappings of columns that users of the company have confirmed; this wizard's answers take precedence."""
        accounts = self.env["account.online.account"].search(
            [("company_id", "=", self.company_id.id), ("file_options", "!=", False)], order="id"
        )
        known = {}
        for account in accounts:
            known |= (account.file_options or {}).get("mappings") or {}
        return {**known, **(self.mappings or {})}

    def _take_answers(self, chosen):
        """Store answers to questions about columns; only the choice comes from the user, the questions from the server.

        :param list chosen: keys of the rows that the user has selected
        :return: whether there are any answers
        """
        answered = dict(self.mappings or {})
        for statement in self.statement_ids.filtered("mapping"):
            mapping = statement.mapping
            for number, question in enumerate(mapping["unsure"]):
                keys = [f"{statement.id}:column:{number}:{place}" for place in range(len(question["choices"]))]
                picked = [place for place, key in enumerate(keys) if key in chosen]
                if len(picked) == 1:
                    value = question["choices"][picked[0]]["value"]
                    answered[mapping["fingerprint"]] = mapping = tables.answer(mapping, question["field"], value)
        if answered == (self.mappings or {}):
            return False
        self.mappings = answered
        return True

    def _statement_values(self, attachment, read):
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", read.currency)])
        return {
            "wizard_id": self.id,
            "attachment_id": attachment.id,
            "key": read.key,
            "filename": read.filename,
            "format_label": read.label,
            "account_number": read.number,
            "account_name": read.name,
            "currency_id": (currency or self.journal_id.currency_id or self.company_id.currency_id).id,
            "read_problem": self._say_problem(read.problem),
            "mapping": read.mapping and self._keep_mapping(read.mapping),
            "warnings": "\n".join(say(self.env, one) for one in read.warnings),
        }

    def _keep_mapping(self, mapping):
        """Store the mapping of a table so far, as JSON, with its questions in the user's language."""
        unsure = [
            {
                **question,
                "sentence": say(self.env, question["sentence"]),
                "choices": [{**one, "label": say(self.env, one["label"])} for one in question["choices"]],
            }
            for question in mapping["unsure"]
        ]
        return json.loads(json.dumps({**mapping, "unsure": unsure}, default=str))

    def _say_problem(self, problem):
        """:param problem: ``FormatError``, or a sentence"""
        if not problem:
            return False
        sentence = say(self.env, getattr(problem, "sentence", problem))
        place = getattr(problem, "place", None)
        return f"{sentence} ({place})" if place else str(sentence)

    def _find_journals(self):
        """Find each statement's journal by its account number."""
        numbers = {one.account_number for one in self.statement_ids if one.account_number}
        for statement in self.statement_ids:
            statement.journal_id = statement._find_journal(is_only_account=len(numbers) < 2)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PREVIEW
    # -------------------------------------------------------------------------

    def _preview(self):
        read = {(attachment, one.key): one for attachment, some in self._read_uploads() for one in some}
        sections = []
        for statement in self.statement_ids.sorted("id"):
            sections += statement._preview(read.get((statement.attachment_id, statement.key)))
        ready = self.statement_ids.filtered("is_ready")
        self.write(
            {
                "sections": sections,
                "can_import": bool(ready),
                "has_news": self._has_news(sections),
                "chosen": self._still_selectable(sections),
                "summary": self._summarize(sections),
            }
        )

    def _still_selectable(self, sections):
        """:return: the user's previous selection, as far as the preview still offers it"""
        chosen = self.chosen if isinstance(self.chosen, list) else []
        keys = [row["key"] for section in sections for row in section["rows"] if row["selectable"]]
        return [key for key in keys if key in chosen]

    def _has_news(self, sections):
        keys = {f"{one.id}-{kind}" for one in self.statement_ids if one.is_ready for kind in NEWS}
        return any(section["key"] in keys for section in sections)

    def _summarize(self, sections):
        ready = self.statement_ids.filtered("is_ready")
        new = sum(ready.mapped("new_count"))
        if not ready:
            return self.env._("Nothing can be imported yet. See below what to do.")
        if not self._has_news(sections) and ready == self.statement_ids:
            return self.env._("Nothing new: all transactions are in the journal already.")
        if not new:
            return self.env._("No new transactions. See below what else the file contains.")
        if new == 1:
            return self.env._("1 new transaction can be imported.")
        return self.env._("%s new transactions can be imported.", new)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - IMPORT
    # -------------------------------------------------------------------------

    def _import(self, chosen):
        """:return: action that shows what has come"""
        files = self._import_ready(chosen)
        waiting = files.filtered(lambda file: file.state == "planned")
        if waiting:
            link = waiting[0].account_online_account_id.account_online_link_id
            return link._notify(self._describe_waiting(), "info")
        new = self.env["account.bank.statement.line"].search([("online_file_id", "in", files.ids)])
        if new:
            return new._get_list_action([("id", "in", new.ids)])
        return self._nothing_new()

    def _import_ready(self, chosen, *, may_wait=False):
        """
        :param set chosen: keys of doubtful transactions
        :param bool may_wait: leave it to a scheduled action while something else fills the account
        :return: ``account.online.file``
        """
        ready = self.statement_ids.filtered("is_ready")
        if not ready:
            raise UserError(self.env._("Nothing can be imported yet. See in the preview what to do."))
        read = {(attachment, one.key): one for attachment, some in self._read_uploads() for one in some}
        files = self.env["account.online.file"]
        # Why in order of days: balances and holes are computed in the order of the bank's statements.
        for statement in ready.sorted(lambda one: (str(one.first_day or ""), one.id)):
            files += statement._import(read[statement.attachment_id, statement.key], chosen, may_wait=may_wait)
        return files

    def _describe_waiting(self):
        return self.env._("The file is being imported. Its transactions appear automatically. You can go on working.")

    @api.model
    def _receive(self, name, content, journal, company):
        """:return: the wizard for a file from an e-mail or a folder"""
        upload = self.env["ir.attachment"].create({"name": name, "datas": base64.b64encode(content)})
        return self.create({"journal_id": journal.id, "company_id": company.id, "attachment_ids": [(6, 0, upload.ids)]})

    def _import_received(self, *, is_confirmed=False):
        """Import files from an e-mail or a folder unless a user has to answer a question first.

        :param bool is_confirmed: users have confirmed the journal of these transactions before
        :return: a sentence with the result
        """
        self._read()
        if is_confirmed:
            self.statement_ids.filtered("question").is_confirmed = True
            self._preview()
        name = self.attachment_ids.name
        unclear = self.statement_ids.filtered(lambda one: not one.is_ready)
        if unclear:
            reason = " ".join(filter(None, [*unclear.mapped("problem"), *unclear.mapped("question")]))
            return self.env._("%(file)s was not imported: %(reason)s", file=name, reason=reason)
        new, doubtful = (sum(self.statement_ids.mapped(count)) for count in ("new_count", "doubtful_count"))
        files = self._import_ready(set(), may_wait=True)
        if "planned" in files.mapped("state"):
            return f"{name}: {self._describe_waiting()}"
        if doubtful:
            return self.env._(
                "%(file)s was imported. New transactions: %(new)s. Doubtful and left out, please review: %(doubtful)s.",
                file=name,
                new=new,
                doubtful=doubtful,
            )
        return self.env._("%(file)s was imported. New transactions: %(new)s.", file=name, new=new)

    def _nothing_new(self):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Import File"),
                "message": self.env._("Nothing new: all transactions were in the journal already."),
                "type": "info",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
