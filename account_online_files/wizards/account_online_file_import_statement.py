import contextlib

from odoo import api, fields, models
from odoo.addons.account_online_synchronization.books import readiness
from odoo.addons.account_online_synchronization.books.run import try_lock
from odoo.addons.account_online_synchronization.client.errors import ProxyError
from odoo.addons.account_online_synchronization.sync import accounts
from odoo.addons.account_online_synchronization.sync.decide import ADOPT, DELETED, HELD, IMPORT, KNOWN, LEFT_OUT
from odoo.addons.account_online_synchronization.sync.matching import SAME
from odoo.addons.bank_statement_formats.formats.values import iban, is_same_account
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..books.storing import Reading
from ..models.account_online_file import LONG

#: Maximum number of rows of a section, because longer lists are slow and not helpful.
MOST_ROWS = 200


#: Sections of a preview whose transactions an import would bring, change or ask about.
NEWS = ("new", "doubtful", "adopted", "changed", "unreadable")


class _OnlyLooked(Exception):
    """Rolls back the savepoint of a preview."""


class AccountOnlineFileImportStatement(models.TransientModel):
    """One statement of the files: its account and journal, and what an import would do."""

    _name = "account.online.file.import.statement"
    _description = "Statement to Import"
    _inherit = ["account.online.server.fields"]
    _order = "id"
    _check_company_auto = True

    wizard_id = fields.Many2one(
        comodel_name="account.online.file.import", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="wizard_id.company_id", related_sudo=False)
    attachment_id = fields.Many2one(comodel_name="ir.attachment", readonly=True, ondelete="cascade")
    key = fields.Char(readonly=True)
    filename = fields.Char(string="File", readonly=True)
    format_label = fields.Char(string="Format", readonly=True)
    account_number = fields.Char(readonly=True)
    account_name = fields.Char(readonly=True)
    currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)
    journal_id = fields.Many2one(
        comodel_name="account.journal",
        domain="[('type', 'in', ('bank', 'credit')), ('company_id', '=', company_id)]",
        check_company=True,
        ondelete="cascade",
    )
    is_confirmed = fields.Boolean(
        string="Yes, Import Here", readonly=True, help="The user has answered the question of the preview."
    )
    create_journal = fields.Boolean(string="New Journal")
    read_problem = fields.Text(readonly=True)
    mapping = fields.Json(readonly=True, help="Of a table's columns, with the questions about them.")
    problem = fields.Text(readonly=True, help="Why it can't be imported, and what to do.")
    question = fields.Text(readonly=True, help="What the user has to confirm.")
    warnings = fields.Text(readonly=True)
    notes = fields.Text(readonly=True)
    is_ready = fields.Boolean(readonly=True)
    first_day = fields.Date(string="From", readonly=True)
    last_day = fields.Date(string="To", readonly=True)
    has_balances = fields.Boolean(readonly=True)
    opening_balance = fields.Monetary(string="Balance Before", readonly=True)
    closing_balance = fields.Monetary(string="Balance After", readonly=True)
    new_count = fields.Integer(string="New", readonly=True)
    adopted_count = fields.Integer(string="Recognized", readonly=True)
    known_count = fields.Integer(string="Known", readonly=True)
    doubtful_count = fields.Integer(string="Doubtful", readonly=True)
    left_count = fields.Integer(string="Left Out", readonly=True)
    unreadable_count = fields.Integer(string="Unreadable", readonly=True)

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        """Why before Odoo's own check of companies: its message would contain the name of the journal."""
        is_other_journal = not self.env.su and "journal_id" in vals
        if is_other_journal and vals["journal_id"]:
            self.env["account.journal"].browse(vals["journal_id"])._check_own_company()
        result = super().write(vals)
        if is_other_journal:
            # sudo: the user has just written to these statements; the question about another journal is unanswered
            as_server(self).write({"question": False, "is_confirmed": False})
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_confirm(self):
        """*Yes, Import Here*: the answer to the question that the preview shows."""
        self.ensure_one()
        self.check_access("write")
        statement = self.with_env(self.wizard_id._server().env)
        # Why only then: after another journal was chosen, the question was not shown yet.
        if statement.question:
            statement.is_confirmed = True
        return self.wizard_id.action_preview()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - JOURNAL
    # -------------------------------------------------------------------------

    def _find_journal(self, *, is_only_account):
        """:return: the journal of the statement's account; without a number, the one on which it was dropped"""
        dropped = self.wizard_id.journal_id
        number = accounts.certain_number(self.account_number)
        found = self._journals_with(number) if number else self.env["account.journal"]
        if dropped and (not number or dropped in found or is_only_account):
            return dropped
        return found if len(found) == 1 else self.env["account.journal"]

    def _journals_with(self, number):
        journals = self.env["account.journal"].search(
            [("type", "in", ("bank", "credit")), ("company_id", "=", self.company_id.id)]
        )
        same_currency = journals.filtered(
            lambda journal: (journal.currency_id or journal.company_id.currency_id) == self.currency_id
        )
        return same_currency.filtered(lambda journal: self._is_among(number, self._numbers_of(journal)))

    @api.model
    def _is_among(self, number, numbers):
        """Also if one is an IBAN and the other one the corresponding national number."""
        return any(is_same_account(number, one) for one in numbers)

    @api.model
    def _numbers_of(self, journal):
        """:return: set of a journal's account numbers"""
        numbers = (journal.account_online_account_id.account_number, journal.bank_account_id.acc_number)
        return set(filter(None, map(accounts.certain_number, numbers)))

    def _check(self, read):
        """:return: (why it can't be imported, what has to be confirmed), empty without a problem"""
        if self.read_problem:
            return self.read_problem, ""
        if not read:
            return self.env._("The file has changed since it was read. Choose it again."), ""
        number = accounts.certain_number(self.account_number)
        if self.create_journal and not self.journal_id:
            if not self.env.user.has_group("account.group_account_manager"):
                return self.env._("Only accounting administrators create journals. Please ask one of them."), ""
            return "", ""
        journal = self.journal_id
        if not journal:
            if not self.account_number:
                return self.env._("The file names no account. Choose the journal, or let a new one be created."), ""
            return self.env._(
                "No journal has the account %s. Choose the journal, or let a new one be created.", self.account_number
            ), ""
        if number and (others := self._numbers_of(journal)) and not self._is_among(number, others):
            return self._describe_other_account(journal, number, others), ""
        if reason := self._reason_against(journal):
            return reason, ""
        return "", self._question(journal, number)

    def _describe_other_account(self, journal, number, others):
        sentence = self.env._(
            "The file is for account %(number)s; journal %(journal)s is for account %(other)s. Nothing was imported.",
            number=self.account_number,
            journal=journal.display_name,
            other=", ".join(sorted(others)),
        )
        if right := self._journals_with(number)[:1]:
            sentence += " " + self.env._("Choose the journal %s instead.", right.display_name)
        return sentence

    def _reason_against(self, journal):
        currency = journal.currency_id or journal.company_id.currency_id
        if currency != self.currency_id:
            return self.env._(
                "The file is in %(currency)s, but %(journal)s is in %(journal_currency)s.",
                currency=self.currency_id.name,
                journal=journal.display_name,
                journal_currency=currency.name,
            )
        account = journal.account_online_account_id
        return (account and readiness.reason_against(account, journal)) or ""

    def _question(self, journal, number):
        """Why not always: if a user has imported such a file before, the answer is known."""
        if self._numbers_of(journal) and number:
            return ""
        # Why also undone ones: undoing an import does not revoke the choice of the journal.
        imported = journal.account_online_account_id.file_ids.filtered(lambda one: one.state in ("done", "undone"))
        if not number and imported:
            return ""
        if number:
            return self.env._(
                "The file is for the account %(number)s, and %(journal)s has no account number yet. Is it the same "
                "account?",
                number=self.account_number,
                journal=journal.display_name,
            )
        return self.env._(
            "The file names no account. Are these transactions of %(journal)s?", journal=journal.display_name
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PREVIEW
    # -------------------------------------------------------------------------

    def _preview(self, read):
        """
        :param read: :class:`~..books.reading.ReadStatement`
        :return: list of sections
        """
        problem, question = self._check(read)
        is_ready = not problem and (not question or self.is_confirmed)
        values = {"problem": problem, "question": question, "is_ready": is_ready}
        sections = self._ask_about_columns()
        if not problem:
            try:
                with self._looking() as account:
                    found = Reading(account, read)
                    show = _Showing(self, found)
                    values |= show.values()
                    sections = show.sections()
            except ProxyError as error:
                problem = self.env["account.online.service"]._translate(error.message)
                values |= {"problem": problem, "is_ready": False}
        self.write(values)
        return sections

    def _ask_about_columns(self):
        """:return: a section for each question about the columns of a table; its rows are the choices"""
        if not self.mapping:
            return []
        sample = [" · ".join(cell for cell in row if cell) for row in self.mapping.get("sample") or []]
        sections = []
        for number, question in enumerate(self.mapping["unsure"]):
            rows = [
                {
                    "key": f"{self.id}:column:{number}:{place}",
                    "date": "",
                    "label": str(choice["label"]),
                    "details": [],
                    "amount": "",
                    "selectable": True,
                }
                for place, choice in enumerate(question["choices"])
            ]
            title = self.env._("Select one, then Update Preview: %s", question["sentence"])
            text = self.env._("The first rows: %s", " | ".join(sample[:3])) if sample else ""
            key = f"{self.id}-column-{number}"
            sections.append(
                {"key": key, "title": title, "text": text, "rows": rows, "count": len(rows), "single": True}
            )
        return sections

    @contextlib.contextmanager
    def _looking(self):
        """The account as an import would find or create it; all changes inside are rolled back."""
        account = self.journal_id.account_online_account_id
        if account:
            yield account.with_company(account.company_id)
            return
        with contextlib.suppress(_OnlyLooked), self.env.cr.savepoint():
            yield self._account()
            raise _OnlyLooked

    def _account(self):
        """:return: ``account.online.account`` that the statement fills; created if there is none"""
        journal = self.journal_id or self._create_journal()
        company = journal.company_id
        account = journal.account_online_account_id
        if not account:
            # sudo: the wizard has checked the group and read access to the journal, which has no account yet
            Account = as_server(self.env["account.online.account"])
            account = Account._create_for_file(
                journal.with_env(Account.env), self.account_number, self.currency_id, self.account_name
            )
        elif self._is_better_number(account.account_number):
            account.account_number = self.account_number
        return account.with_company(company)

    def _is_better_number(self, known):
        """Whether the file's number is better: any number if there is none, or the IBAN of a national number."""
        number = self.account_number
        return bool(number) and (not known or (iban(number) and not iban(known) and is_same_account(number, known)))

    def _create_journal(self):
        if not self.env.user.has_group("account.group_account_manager"):
            raise UserError(self.env._("Only accounting administrators create journals. Please ask one of them."))
        company = self.company_id
        account = self.env["account.online.account"].new(
            {"company_id": company.id, "currency_id": self.currency_id.id, "account_type": "current"}
        )
        self.currency_id.active = True
        return self.env["account.journal"].create(
            {
                "name": self._journal_name(),
                "type": "bank",
                "company_id": company.id,
                "code": account._next_journal_code("bank"),
                "currency_id": self.currency_id.id if self.currency_id != company.currency_id else False,
            }
        )

    def _journal_name(self):
        number = (self.account_number or "").replace(" ", "")
        end = f" ••••{number[-4:]}" if len(number) >= 8 else ""
        return f"{self.account_name or self.env._('Bank')}{end}"

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - IMPORT
    # -------------------------------------------------------------------------

    def _import(self, read, chosen, *, may_wait=False):
        """
        :param read: :class:`~..books.reading.ReadStatement`
        :param set chosen: keys of doubtful transactions
        :param bool may_wait: where the account is in use, a scheduled action retries, because no user would
        :return: ``account.online.file``, empty if the same file was imported before
        """
        problem, question = self._check(read)
        if problem or (question and not self.is_confirmed):
            raise UserError(problem or question)
        account = self._account()
        self.journal_id = account.journal_ids
        if account._find_same_file(read.digest) and not chosen:
            return self.env["account.online.file"]
        prefix = f"{self.id}:"
        numbers = [key.removeprefix(prefix) for key in chosen if key.startswith(prefix)]
        numbers = [int(number) for number in numbers if number.isdecimal()]
        options = self.wizard_id._options()
        account._write_changes({"file_options": options})
        file = self.env["account.online.file"]._plan(account, read, self.attachment_id, options, numbers)
        if len(read.messages) >= LONG or (may_wait and not try_lock(account.account_online_link_id)):
            file._import_later()
        else:
            file.with_company(account.company_id)._import_now()
        return file


class _Showing:
    """The preview of one statement: counts and sections.

    :param statement: ``account.online.file.import.statement``
    :param reading: :class:`~..books.storing.Reading`
    """

    def __init__(self, statement, reading):
        self.statement, self.reading, self.env = statement, reading, statement.env
        decisions = list(reading.decide())
        self.new = [one for one in decisions if one.outcome == IMPORT]
        self.adopted = [one for one in decisions if one.outcome == ADOPT]
        self.changed = [one for one in decisions if one.outcome == KNOWN and one.change != SAME]
        self.left = [one for one in decisions if one.outcome in (LEFT_OUT, HELD, DELETED)]
        self.known = [
            one for one in reading.found if one.outcome == "known" and (not one.stored or one.stored.kind == "line")
        ]

    def values(self):
        reading, read = self.reading, self.reading.statement
        has_balances = bool(read.opening and read.closing)
        same = reading.account._find_same_file(read.digest) if reading.found else None
        return {
            "first_day": reading.coverage.first if reading.coverage else read.start,
            "last_day": reading.coverage.last if reading.coverage else read.end,
            "has_balances": has_balances,
            "opening_balance": float(read.opening.amount) if has_balances else 0.0,
            "closing_balance": float(read.closing.amount) if has_balances else 0.0,
            "new_count": len(self.new),
            "adopted_count": len(self.adopted),
            "known_count": len(self.known),
            "doubtful_count": len(reading.doubtful),
            "left_count": len(self.left),
            "unreadable_count": len(reading.window.unreadable),
            "notes": self._notes(same),
        }

    def _notes(self, same):
        notes = []
        if same:
            notes.append(
                self.env._(
                    "This file was already imported on %(day)s by %(user)s.",
                    day=format_date(self.env, same.create_date),
                    user=same.user_id.name,
                )
            )
        if not self.reading.found and not self.reading.window.unreadable:
            notes.append(self.env._("It contains no booked transactions."))
        return "\n".join(notes)

    # -------------------------------------------------------------------------
    # SECTIONS
    # -------------------------------------------------------------------------

    def sections(self):
        env, reading = self.env, self.reading
        doubt = env._(
            "The journal has transactions of the same days and amounts, and the file begins or ends within a day, so "
            "they may be the same. They are left out unless you select them."
        )
        recognized = env._("These lines were typed, or came from elsewhere. They stay, and are matched with the bank.")
        left = env._("In a locked period, dated in the future, or deleted by a user before.")
        parts = [
            self._part("new", env._("New"), "", self._decided(self.new), len(self.new)),
            self._part("doubtful", env._("Doubtful"), doubt, self._doubtful(), len(reading.doubtful)),
            self._part(
                "adopted",
                env._("Recognized in the journal"),
                recognized,
                self._decided(self.adopted),
                len(self.adopted),
            ),
            self._part("changed", env._("Corrected by the bank"), "", self._decided(self.changed), len(self.changed)),
            self._part("left", env._("Left out"), left, self._decided(self.left), len(self.left)),
            self._part("unreadable", env._("Unreadable"), "", self._unreadable(), len(reading.window.unreadable)),
            self._part("known", env._("Known"), "", self._known(), len(self.known)),
        ]
        return [part for part in parts if part["rows"]]

    def _part(self, key, title, text, rows, count):
        if len(self.statement.wizard_id.statement_ids) > 1:
            title = f"{self._name()} – {title}"
        return {"key": f"{self.statement.id}-{key}", "title": title, "text": text, "rows": rows, "count": count}

    def _doubtful(self):
        numbers = {id(one): number for number, one in enumerate(self.reading.found)}
        return [
            self._row(one.transaction, f"{self.statement.id}:{numbers[id(one)]}", is_selectable=True)
            for one in self.reading.doubtful[:MOST_ROWS]
        ]

    def _known(self):
        return [self._row(one.transaction, f"k{number}") for number, one in enumerate(self.known[:MOST_ROWS])]

    def _name(self):
        return self.statement.account_number or self.statement.filename

    def _decided(self, decisions):
        return [self._row(one.entry.transaction, one.entry.identifier) for one in decisions[:MOST_ROWS]]

    def _row(self, transaction, key, *, is_selectable=False):
        sign = self.reading.account._transaction_sign()
        details = [transaction.counterparty_name, transaction.counterparty_number, transaction.reference]
        return {
            "key": key,
            "date": format_date(self.env, transaction.booking_date),
            "label": transaction.label,
            "details": [one for one in details if one and one != transaction.label],
            "amount": self.statement.currency_id.format(float(transaction.amount * sign)),
            "selectable": is_selectable,
        }

    def _day(self, written):
        """:return: a day of a message in the user's format; unchanged if it can't be parsed"""
        try:
            return format_date(self.env, fields.Date.to_date(written)) if written else ""
        except (ValueError, TypeError):
            return str(written)

    def _unreadable(self):
        say = self.env["account.online.service"]._translate
        return [
            {
                "key": identifier,
                "date": self._day(message.get("booking_date")) if isinstance(message, dict) else "",
                "label": say(reason),
                "details": [],
                "amount": str((message or {}).get("amount") or "") if isinstance(message, dict) else "",
                "selectable": False,
            }
            for identifier, reason, message in self.reading.window.unreadable[:MOST_ROWS]
        ]
