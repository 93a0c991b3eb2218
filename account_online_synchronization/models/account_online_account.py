from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_common.tools.recognition import recognize
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..books import ledger, statements
from ..client.errors import ProxyError
from ..client.messages import parse_balance, parse_day, parse_moment
from ..legacy.lines import continue_lines
from ..sync import accounts
from ..sync.fetch import AccountPlan, read_transaction
from ..sync.identity import LEGACY
from ..sync.refusals import LASTING_REFUSALS, NO_FIRST_DAY, is_worth_requesting, learned_history, within_history
from ..sync.windows import OVERLAP_DAYS, UNREAD_DAYS, window_start


class AccountOnlineAccount(models.Model):
    """One bank account of a link. It fills one journal, or none.

    See ``wizards/proposal.py`` for the journals that are proposed for it, ``books/`` for the import of its transactions
    and ``books/ledger.py`` for its opening balance.
    """

    _name = "account.online.account"
    _description = "Online Bank Account"
    _inherit = ["account.online.server.fields"]
    _order = "account_online_link_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    online_name = fields.Char(readonly=True, copy=False, help="The bank's own name for the account.")
    account_online_link_id = fields.Many2one(
        comodel_name="account.online.link", string="Connection", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_online_link_id.company_id", store=True)
    online_identifier = fields.Char(
        required=True, readonly=True, copy=False, groups="base.group_system", help="The account's id at the proxy."
    )
    account_number = fields.Char(readonly=True)
    account_type = fields.Selection(
        selection=[
            ("current", "Current account"),
            ("savings", "Savings"),
            ("credit_card", "Credit card"),
            ("loan", "Loan"),
            ("other", "Other"),
        ],
        default="current",
        required=True,
        readonly=True,
    )
    currency_id = fields.Many2one(comodel_name="res.currency", required=True, readonly=True)
    balance = fields.Monetary(readonly=True, help="Booked balance as the bank reports it.")
    balance_at = fields.Datetime(readonly=True)
    balance_date = fields.Date(readonly=True, help="Last booking day that the balance contains, in the bank's time.")
    available_balance = fields.Monetary(
        readonly=True,
        help="What the bank reports in place of a booked balance. It may contain an overdraft, a credit limit or "
        "pending payments, so it is only shown.",
    )
    pending_count = fields.Integer(
        readonly=True, help="Transactions that the bank has announced but not booked. They are imported once booked."
    )
    pending_amount = fields.Monetary(readonly=True)
    journal_balance = fields.Monetary(
        readonly=True, help="Running balance of the journal at the last comparison with the bank."
    )
    balance_difference = fields.Monetary(
        compute="_compute_balance_difference",
        help="Bank balance minus journal balance, for information only. It is explained by transactions that are "
        "locked, deleted or could not be imported, or by a missing opening balance.",
    )
    opening_balance = fields.Monetary(
        string="Missing Opening Balance",
        compute="_compute_opening_balance",
        help="The bank's balance before the first imported transaction, minus the part that the journal's ledger "
        "account already contains. Until it is booked, the ledger account differs from the bank by this "
        "amount.",
    )
    opening_to_book = fields.Monetary(
        readonly=True, copy=False, help="The missing opening balance when the bank was last synchronized."
    )
    opening_unknown = fields.Boolean(
        readonly=True,
        copy=False,
        help="The opening balance of the journal is not known: the bank provides no booked balance, or it contains "
        "transactions that could not be read.",
    )
    opening_declined = fields.Boolean(
        string="Opening Balance Not Needed",
        readonly=True,
        copy=False,
        help="A user has decided that no opening balance needs to be booked in this journal.",
    )
    fetching_status = fields.Selection(
        selection=[("waiting", "Waiting"), ("processing", "Processing"), ("done", "Done")],
        compute="_compute_fetching_status",
        help="Whether its transactions are being fetched right now.",
    )
    inverse_transaction_sign = fields.Boolean(
        string="Reverse Transactions",
        help="For a bank that reports money spent as positive. It applies to new transactions.",
    )
    inverse_balance_sign = fields.Boolean(
        string="Reverse Balance", help="For banks that report credit card debt as positive."
    )
    date_choice = fields.Selection(
        selection=[("booking", "Booking date"), ("value", "Value date")],
        string="Date of Transactions",
        default="booking",
        required=True,
        help="Which of the bank's two dates new transactions have in the journal.",
    )
    reports_fees = fields.Boolean(
        readonly=True, copy=False, help="The provider reports the fee that the amount of a transaction contains."
    )
    fee_lines = fields.Selection(
        selection=[("own", "Own line"), ("net", "Part of the transaction")],
        string="Fees",
        default="own",
        required=True,
        help="Own line: a payment of 100.00 with a fee of 3.20 becomes a transaction of 100.00, which pays the invoice "
        "in full, and one of -3.20. Part of the transaction: it becomes one transaction of 96.80. A change applies to "
        "new transactions only: imported ones stay as they are.",
    )
    transaction_ids = fields.One2many(
        comodel_name="account.online.transaction", inverse_name="account_online_account_id", readonly=True
    )
    journal_ids = fields.One2many(
        comodel_name="account.journal", inverse_name="account_online_account_id", check_company=True, readonly=True
    )
    duplicate_of_id = fields.Many2one(
        comodel_name="account.online.account",
        string="Same Account As",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The same bank account in another connection, which filled a journal when this connection reported it.",
    )
    is_left_out = fields.Boolean(
        readonly=True,
        copy=False,
        help="A user chose not to synchronize it. Fetch Accounts lists it with Show All Accounts, not as a new "
        "account.",
    )
    id_scheme = fields.Selection(
        selection=[
            ("transaction_id", "Transaction id"),
            ("entry_reference", "Entry reference"),
            ("fingerprint", "Fingerprint"),
        ],
        default="transaction_id",
        required=True,
        readonly=True,
        help="How transactions of this account are identified. It never changes silently: with another scheme "
        "every transaction would be imported again.",
    )
    start_date = fields.Date(
        help="First day to import. Empty: as far back as the bank allows. If you choose an earlier day, the next "
        "synchronization also fetches the older transactions. Late bookings with an earlier date are "
        "imported, too."
    )
    last_sync = fields.Date(readonly=True, copy=False, help="All transactions up to this day have been stored.")
    loaded_since = fields.Date(readonly=True, copy=False, help="First day requested from the bank.")
    unread_since = fields.Date(
        readonly=True,
        copy=False,
        help="Since when the connection service has been unable to read a transaction that is requested again.",
    )
    sync_cursor = fields.Char(readonly=True, copy=False, groups="base.group_system")
    history_days = fields.Integer(
        readonly=True,
        copy=False,
        help="Days of transactions that the bank provides, learned when it refused more. 0: it has refused nothing. "
        "-1: it accepts no first day.",
    )
    history_text = fields.Char(string="History at the Bank", compute="_compute_history_text")
    refusal_code = fields.Char(readonly=True, copy=False)
    refusal_message = fields.Text(string="Refused by the Bank", readonly=True, copy=False)
    refused_at = fields.Datetime(readonly=True, copy=False)
    legacy_source = fields.Char(string="Earlier Module's Table", readonly=True, copy=False)
    legacy_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Earlier Journal",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The journal that an earlier module filled from this account. It is proposed when the bank is connected "
        "again.",
    )

    _identifier_unique = models.Constraint(
        "UNIQUE(account_online_link_id, online_identifier)", "This bank account is already part of the connection."
    )

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("name", "account_number", "currency_id")
    def _compute_display_name(self):
        for account in self:
            parts = [account.name, account.account_number, account.currency_id.name]
            account.display_name = " · ".join(part for part in parts if part)

    @api.depends("account_online_link_id.run_ids.state")
    def _compute_fetching_status(self):
        status = self.env["account.online.run"]._get_fetching_status(self.account_online_link_id)
        for account in self:
            account.fetching_status = status.get(account.account_online_link_id.id, "done")

    @api.depends("balance", "journal_balance", "inverse_balance_sign", "last_sync", "opening_unknown")
    def _compute_balance_difference(self):
        for account in self:
            known = account.last_sync and account.balance_at and not account.opening_unknown
            account.balance_difference = account._signed_balance() - account.journal_balance if known else 0.0

    @api.depends("balance", "inverse_balance_sign", "last_sync", "journal_ids", "opening_to_book", "opening_unknown")
    def _compute_opening_balance(self):
        for account in self:
            # sudo: reads amounts of the account's own journal, for users whom Odoo lets read the account
            account.opening_balance = ledger.OpeningBalance(account.sudo()).missing()

    @api.depends("history_days")
    @api.depends_context("lang")
    def _compute_history_text(self):
        for account in self:
            account.history_text = account._describe_history()

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        wider = self.browse()
        if "start_date" in vals:
            start = fields.Date.to_date(vals["start_date"])
            wider = self.filtered(lambda account: account.start_date and (not start or start < account.start_date))
        result = super().write(vals)
        if wider:
            # Why: older days have to be requested; transactions that are stored already are recognized.
            # sudo: the user has just written these accounts
            as_server(wider).write({"last_sync": False, "sync_cursor": False})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_transactions(self):
        """Delete the kept transactions, except those that users have deleted, which must not be imported again."""
        # sudo: Odoo has checked that the user may delete these accounts; their kept transactions are deleted with them
        as_server(self.env["account.online.transaction"]).search(
            [("account_online_account_id", "in", self.ids), ("state", "!=", "deleted")]
        ).unlink()

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_book_opening_balance(self):
        """*Book Opening Balance*: open the dialog for the counterpart account."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        # sudo: the right to connect and write access to the account were checked above
        wizard = as_server(self.env["account.online.opening"])._create_for(as_server(self))
        name = self.env._("Opening Balance of %s", self.journal_ids.display_name)
        return wizard._get_records_action(name=name, target="new", context={})

    def action_decline_opening_balance(self):
        """*Not Needed*: the user books it in another way, or not at all."""
        self._decide_on_opening(True)

    def action_reconsider_opening_balance(self):
        """*Ask Again*: undo *Not Needed*."""
        self._decide_on_opening(False)

    def _decide_on_opening(self, is_declined):
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        # sudo: the right to connect and write access to the account were checked above
        as_server(self).opening_declined = is_declined

    def action_find_missing_transactions(self):
        """*Find Missing Transactions* in the form."""
        return self._journal_to_review().action_find_missing_transactions()

    def action_find_duplicate_transactions(self):
        """*Find Duplicate Transactions* in the form."""
        return self._journal_to_review().action_find_duplicate_transactions()

    def _journal_to_review(self):
        self.ensure_one()
        if not self.journal_ids:
            raise UserError(
                self.env._("%s is not linked to a journal. Use Fetch Accounts to choose one first.", self.display_name)
            )
        return self.journal_ids

    def action_reverse_transactions(self):
        """*Reverse Transactions*: choose what happens to the transactions that are in the journal already."""
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        return self.env["account.online.reversal"]._open(self)

    def action_open_transactions(self):
        """Kept transactions: pending, could not be imported, left out, deleted."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_online_transaction_action"
        )
        return {**action, "domain": [("account_online_account_id", "in", self.ids)]}

    def action_open_lines(self):
        """The lines that were imported from this account or adopted as its transactions."""
        return self.env["account.bank.statement.line"]._get_list_action([("online_account_id", "in", self.ids)])

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ANSWERS OF THE PROXY
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_account_values(self, message):
        """:param dict message: *account* of docs/protocol.md"""
        name, number, kind = message.get("name"), message.get("number"), message.get("type")
        Currency = self.env["res.currency"].with_context(active_test=False)
        currency = Currency.search([("name", "=", message.get("currency") or "")])
        return {
            "name": name or number or message["id"],
            "online_name": name or False,
            "account_number": number or False,
            "account_type": kind if kind in dict(self._fields["account_type"].selection) else "other",
            "currency_id": currency.id,
            "reports_fees": bool(message.get("reports_fees")),
            **self._prepare_balance_values(message),
        }

    @api.model
    def _prepare_balance_values(self, message):
        """:return: values of the balance; empty where the message has no readable balance, so that the last one stays.
        If the bank gives another kind of balance than a booked one, the booked balance becomes unknown.
        """
        balance, available = parse_balance(message.get("balance")), parse_balance(message.get("available"))
        if balance is None and available is None:
            return {}
        moment = balance is not None and parse_moment(message.get("balance_at"))
        return {
            "balance": float(balance or 0),
            "balance_at": moment,
            "balance_date": moment and parse_day(message.get("balance_date")),
            "available_balance": float(available or 0),
        }

    @api.model
    def _prepare_identity_values(self, message):
        schemes = dict(self._fields["id_scheme"].selection)
        scheme = message.get("id_scheme")
        return {"online_identifier": message["id"], "id_scheme": scheme if scheme in schemes else "transaction_id"}

    @api.model
    def _update_from_proxy(self, link, messages):
        """Create new accounts and update known ones; an account that is no longer reported keeps its journal.

        :param list messages: *account* objects of docs/protocol.md
        :return: the accounts that are new
        """
        created = self.browse()
        new = link.account_online_account_ids._take_over(messages)
        for message, returning in zip(new, self._find_returning(link, new), strict=True):
            values = self._prepare_account_values(message)
            if not values["currency_id"]:
                link.message_post(
                    body=self.env._(
                        "The bank offers the account %(account)s in the currency “%(currency)s”, which Odoo does not "
                        "know, so it can't be synchronized. Please ask an administrator to create that currency.",
                        account=values["name"],
                        currency=message.get("currency"),
                    )
                )
                continue
            if returning and not returning._is_in_use():
                returning._change_connection(link, self._prepare_identity_values(message))
                returning._refresh(message)
                continue
            values |= {"account_online_link_id": link.id, "duplicate_of_id": returning.id}
            created += self.create({**values, **self._prepare_identity_values(message)})
        created._say_which_are_duplicates()
        return created

    def _take_over(self, messages):
        """Update these accounts of one link, found by id, or by number, currency and name after the ids have changed.

        An ambiguous account is not matched: a wrong journal would be worse than a new account.

        :return: the messages that match none of them
        """
        messages = list({message["id"]: message for message in messages}.values())
        known = {account.id: account._facts() for account in self}
        found = recognize(known, list(map(accounts.facts_of_message, messages)), accounts.SAME_CONNECTION)
        for message, account in zip(messages, map(self.browse, found), strict=True):
            if account:
                if account.online_identifier != message["id"]:
                    account._change_identifier(message)
                account._refresh(message)
        return [message for message, account_id in zip(messages, found, strict=True) if not account_id]

    def _facts(self):
        """The facts by which this account is recognized under another id."""
        name = self.online_name or self.name
        return accounts.facts(self.online_identifier, self.account_number, self.currency_id.name, name)

    def _is_certainly_another(self, number):
        """Whether a normalized number proves that this is another account; a masked number proves nothing."""
        return accounts.are_certainly_different(number, self.account_number)

    def _refresh(self, message):
        """Why so few fields: users may rename accounts, and the currency of an account never changes."""
        self._check_is_same_account(message)
        # Why not in another currency: the amount would be wrong; _parse() refuses such transactions, too.
        has_currency = message.get("currency") in ("", None, self.currency_id.name)
        values = self._prepare_balance_values(message) if has_currency else {}
        if message.get("number"):
            values["account_number"] = message["number"]
        if message.get("name"):
            values["online_name"] = message["name"]
        values["reports_fees"] = bool(message.get("reports_fees"))
        self._write_changes(values)
        scheme = self._prepare_identity_values(message)["id_scheme"]
        if message.get("id_scheme") and scheme != self.id_scheme:
            self._change_scheme(scheme)

    def _check_is_same_account(self, message):
        """:raise ProxyError: when the service describes another account of this database under this one's id"""
        number = message.get("number")
        if not number or not self._is_certainly_another(number):
            return
        key = accounts.certain_number(number)
        # sudo: only compared, never shown; the account may belong to a company that the user can't read
        others = self.sudo().search(
            [("id", "!=", self.id), ("account_number", "!=", False), ("currency_id", "=", self.currency_id.id)]
        )
        if any(accounts.certain_number(other.account_number) == key for other in others):
            raise ProxyError(
                "account_mixed_up",
                self.env._(
                    "The connection service now reports the account number of another bank account in this database "
                    "for %s, so nothing was imported. Please report it to the support of the connection service.",
                    self.display_name,
                ),
            )

    def _change_scheme(self, scheme):
        """The provider has changed its transaction ids: note it in the chatter, and compare the known days again."""
        self.write({"id_scheme": scheme, "sync_cursor": False})
        self.account_online_link_id.message_post(
            body=self.env._(
                "The bank now identifies the transactions of %s by another kind of id. Transactions already "
                "imported are recognized by their content.",
                self.display_name,
            )
        )

    def _change_identifier(self, message):
        """The account has a new id. Its journal and transactions stay; the bookmark of the old id is invalid."""
        self.write({"online_identifier": message["id"], "sync_cursor": False})
        self._forget_what_the_consent_refused()

    @api.model
    def _find_returning(self, link, messages):
        """Find the accounts of other connections that are the same bank accounts, so that none gets a second journal.

        :param list messages: *account* objects that are new to the connection
        :return: list with the same account for each message; an empty recordset where there is none or several
        """
        facts = list(map(accounts.facts_of_message, messages))
        others = self.search([("company_id", "=", link.company_id.id), ("account_online_link_id", "!=", link.id)])
        others -= others.filtered(lambda other: other.duplicate_of_id and not other.journal_ids)
        # Why: earlier modules may have left several copies of an account, none of which fills a journal.
        left_over = others.filtered(lambda other: other.legacy_source and not other.journal_ids)
        living = {account.id: account._facts() for account in others - left_over}
        found = recognize(living, facts, accounts.OTHER_CONNECTION)
        if left_over:
            numbers = {known["number"] for known in living.values()}
            legacy = {account.id: account._facts() for account in left_over}
            legacy = {key: known for key, known in legacy.items() if known["number"] not in numbers}
            also = recognize(legacy, facts, accounts.OTHER_CONNECTION)
            found = [account_id or legacy_id for account_id, legacy_id in zip(found, also, strict=True)]
        return [self.browse(account_id) for account_id in found]

    def _is_in_use(self):
        """Whether it fills a journal through a working connection. Then only a user may move it to another one.

        Why: a bank that reports the account number of another customer would otherwise stop a working feed.
        """
        return bool(self.journal_ids) and self.account_online_link_id._has_consent()

    def _filled_elsewhere(self):
        """:return: the same bank account in another connection, if it fills a journal"""
        return self.duplicate_of_id.filtered("journal_ids")

    def _say_which_are_duplicates(self):
        for account in self.filtered("duplicate_of_id"):
            account.account_online_link_id.message_post(
                body=self.env._(
                    "%(account)s is already imported by the connection %(link)s, which will keep doing so. To move its "
                    "journal to this connection instead, use Fetch Accounts.",
                    account=account.display_name,
                    link=account.duplicate_of_id.account_online_link_id.name,
                )
            )

    def _replace(self, duplicate):
        """Move the account to the connection of its duplicate, and delete the duplicate."""
        link = duplicate.account_online_link_id
        identity = {name: duplicate[name] for name in ("online_identifier", "id_scheme")}
        duplicate.unlink()
        self._change_connection(link, identity)

    def _change_connection(self, link, identity):
        """Move the account to another connection, with its journal and transactions."""
        old = self.account_online_link_id
        self.write({"account_online_link_id": link.id, "sync_cursor": False, **identity})
        old.message_post(
            body=self.env._("%(account)s is synchronized by another connection now.", account=self.display_name)
        )
        link.message_post(
            body=self.env._(
                "%(account)s was known from an earlier connection. Its journal and its transactions continue here.",
                account=self.display_name,
            )
        )
        if not old.account_online_account_ids:
            old._close_replaced()
        self._forget_what_the_consent_refused()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - JOURNAL
    # -------------------------------------------------------------------------

    def _is_new(self):
        """Whether no user has chosen a journal for it or left it out."""
        return not self.journal_ids and not self.is_left_out

    def _journal_type(self):
        return "credit" if self.account_type == "credit_card" else "bank"

    def _fits_currency(self, journal):
        return (journal.currency_id or journal.company_id.currency_id) == self.currency_id

    def _free_journals_domain(self):
        """Journals in its currency that it may fill: its own, its duplicate's, and those without an online account."""
        same = [self.currency_id.id] + [False] * (self.currency_id == self.company_id.currency_id)
        return [
            ("company_id", "=", self.company_id.id),
            ("type", "in", ("bank", "credit")),
            ("account_online_account_id", "in", (False, self.id, *self._filled_elsewhere().ids)),
            ("currency_id", "in", same),
        ]

    def _journals_with_number(self):
        """Existing journals without a link whose bank account has the number of this one, whatever their currency."""
        if not self.account_number:
            return self.env["account.journal"]
        return self.env["account.journal"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("type", "in", ("bank", "credit")),
                ("account_online_account_id", "=", False),
                ("bank_account_id.sanitized_acc_number", "=", accounts.plain_number(self.account_number)),
            ]
        )

    def _propose_journal_name(self, taken=()):
        """“Bank ••••1234”; if that name is taken, with the bank's name of the account, then the currency.

        :param taken: names proposed for other accounts
        """
        bank, number = self.account_online_link_id.name, (self.account_number or "").replace(" ", "")
        end = number[-4:] if number[-4:].isalnum() and len(number) >= 4 else ""
        # Payment services call their accounts after themselves, such as “Stripe EUR”.
        whole = self.name if self.name.casefold().startswith(bank.casefold()) else f"{bank} {self.name}"
        names = [f"{bank} ••••{end}" if end else whole, f"{whole} {end}".strip()]
        names.append(f"{names[1]} {self.currency_id.name}")
        company = [("company_id", "child_of", self.company_id.root_id.id)]
        Journal = self.env["account.journal"].with_context(active_test=False)
        taken = {*taken, *Journal.search([*company, ("name", "in", names)]).mapped("name")}
        return next((name for name in names if name not in taken), names[-1])

    def _create_journal(self, name=None, journal_type=None):
        """A new journal for this account.

        :param str name: the proposed name by default
        :param str journal_type: ``bank`` or ``credit``; the account's type by default
        """
        self.ensure_one()
        journal_type = journal_type or self._journal_type()
        company = self.company_id
        # Why: a bank account in a currency proves that the company uses it.
        self.currency_id.active = True
        return self.env["account.journal"].create(
            {
                "name": name or self._propose_journal_name(),
                "type": journal_type,
                "company_id": company.id,
                "code": self._next_journal_code(journal_type),
                "currency_id": self.currency_id.id if self.currency_id != company.currency_id else False,
            }
        )

    def _next_journal_code(self, journal_type):
        """Why not Odoo's own: it ends at 99, and a company may have more bank accounts."""
        Journal = self.env["account.journal"]
        code = Journal._get_next_journal_default_code(journal_type, self.company_id)
        if not code:
            company = [("company_id", "child_of", self.company_id.root_id.id)]
            taken = set(Journal.with_context(active_test=False).search(company).mapped("code"))
            code = next(code for number in range(1, 10_000) if (code := f"B{number:04}") not in taken)
        return code

    def _default_start_date(self, journal):
        """The first day of a journal's first load: the day after its last transaction.

        Lines of this account do not count, because its transactions are recognized one by one, and lines of the other
        accounts of its connection are different transactions. After lines of an earlier module some days are requested
        again, because of late bookings.

        :return: a date, or False for as far back as the bank allows
        """
        Line = self.env["account.bank.statement.line"]
        of_journal = [("journal_id", "=", journal.id)]
        is_legacy = [("online_transaction_identifier", "=like", f"{LEGACY}%")]
        last = Line.search([*of_journal, "|", ("online_account_id", "!=", self.id), *is_legacy], limit=1)
        if (last.online_transaction_identifier or "").startswith(LEGACY):
            return fields.Date.add(last.date, days=1 - self._overlap_days())
        own = self | self.account_online_link_id.account_online_account_ids
        last = Line.search([*of_journal, ("online_account_id", "not in", own.ids)], limit=1)
        return fields.Date.add(last.date, days=1) if last else False

    def _link_journal(self, journal, start_date=None, periodicity=None):
        """Link this account to the journal that it fills from now on."""
        self.ensure_one()
        journal = journal.with_env(self.env)
        if self.journal_ids != journal:
            self.journal_ids._unlink_online_account()
            self._begin_again()
        start = self._default_start_date(journal) if start_date is None else start_date
        self.write({"start_date": start, "is_left_out": False})
        self._forget_refusal()
        journal.write(
            {
                "account_online_account_id": self.id,
                "bank_statements_source": "online_sync",
                **({"bank_statement_creation_groupby": periodicity} if periodicity else {}),
            }
        )
        if journal.type == "bank" and self.account_number and not journal.bank_account_id:
            self._set_bank_account(journal)
        self._continue_legacy(journal)

    def _begin_again(self):
        """Restart the load for another journal; kept transactions stay known."""
        self.write(
            {
                "last_sync": False,
                "sync_cursor": False,
                "opening_declined": False,
                "opening_to_book": 0.0,
                "opening_unknown": False,
            }
        )

    def _set_bank_account(self, journal):
        """Set the journal's bank account to the one with this account's number.

        Why the archived one first: Odoo archives it when its journal is deleted, and refuses to create it again.
        """
        owner = journal.company_id.partner_id
        archived = self.env["res.partner.bank"].search(
            [
                ("active", "=", False),
                ("partner_id", "=", owner.id),
                ("company_id", "in", (False, journal.company_id.id)),
                ("sanitized_acc_number", "=", accounts.plain_number(self.account_number)),
            ]
        )
        archived[:1].active = True
        journal.set_bank_account(self.account_number)

    def _note_journal_balance(self):
        """Update the journal's balance, which is compared with the bank's, after users have changed its lines."""
        for account in self.filtered("last_sync"):
            account.journal_balance = ledger.running_balance(account)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - TRANSACTIONS
    # -------------------------------------------------------------------------

    def _plan_fetch(self):
        """:return: :class:`~..sync.fetch.AccountPlan` of the next request to the bank"""
        since = window_start(
            self.start_date or None, self.last_sync or None, self.loaded_since or None, self._overlap_days()
        )
        return AccountPlan(
            self.id,
            self.online_identifier,
            self._within_history(since),
            (self.last_sync and self.sync_cursor) or None,
            self.currency_id.name,
            self.currency_id.decimal_places,
            fields.Date.today(),
        )

    def _overlap_days(self):
        """The look-back setting in days; longer while unreadable transactions are retried."""
        # sudo: reads one system parameter of this addon that is not a secret
        days = self.env["ir.config_parameter"].sudo().get_param("account_online_synchronization.overlap_days")
        least = UNREAD_DAYS if self.unread_since else OVERLAP_DAYS
        return max(int(days), least) if days and days.isdigit() else least

    def _parse(self, message):
        """:raise BadTransaction: with the reason in a sentence"""
        return read_transaction(message, self.currency_id.name, self.currency_id.decimal_places)

    def _line_date(self, transaction):
        return transaction.line_date(self.date_choice == "value")

    def _transaction_sign(self):
        return -1 if self.inverse_transaction_sign else 1

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - BALANCES
    # -------------------------------------------------------------------------

    def _signed_balance(self):
        return -self.balance if self.inverse_balance_sign else self.balance

    def _balance_day(self):
        """The last booking day that the bank's balance contains; the day in UTC if the service does not report it."""
        return self.balance_date or self.balance_at.date()

    def _refresh_opening(self):
        """Store the opening difference that the dashboard shows, after a run or after booking the opening balance."""
        for account in self:
            opening = ledger.OpeningBalance(account)
            opening.keep_first()
            missing = opening.missing()
            unknown = bool(statements.of_unknown_start(account.journal_ids))
            if account.opening_unknown != unknown or account.currency_id.compare_amounts(
                account.opening_to_book, missing
            ):
                account.write({"opening_to_book": missing, "opening_unknown": unknown})

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - HISTORY
    # -------------------------------------------------------------------------

    def _first_day_of_the_bank(self):
        """:return: approximately the earliest day that the bank still reports; None if its limit is not known"""
        days = self.account_online_link_id.history_days
        return (days and fields.Date.subtract(fields.Date.context_today(self), days=days)) or None

    def _learn_history(self, days):
        """Store how many days of history the bank gives, and note it once in the chatter.

        :param days: ``history_days`` of an answer, unchecked
        :return: whether it is a valid limit
        """
        known = learned_history(days)
        if known is None:
            return False
        if self.history_days != known:
            self.history_days = known
            self.account_online_link_id.message_post(body=self._describe_history())
        return True

    def _within_history(self, since):
        """:return: the first day to request, within the bank's history; None for as far back as possible"""
        return within_history(since, self.history_days, fields.Date.today())

    def _describe_history(self):
        if not self.history_days:
            return False
        if self.history_days == NO_FIRST_DAY:
            return self.env._(
                "%s: the bank does not allow a start date to be chosen. It returned as many transactions as it "
                "provides; import older ones from a file if you need them.",
                self.display_name,
            )
        first = fields.Date.today() - timedelta(days=self.history_days)
        return self.env._(
            "%(account)s: the bank provides transactions of the last %(days)s days only, so currently from %(date)s "
            "on. Import older ones from a file if you need them.",
            account=self.display_name,
            days=self.history_days,
            date=format_date(self.env, first),
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - REFUSALS
    # -------------------------------------------------------------------------

    def _note_refusal(self, error):
        """Store that the bank refuses this account, if the error is such a refusal.

        :param error: :class:`~..client.errors.ProxyError`
        :return: whether the run can continue with the other accounts
        """
        if error.code not in LASTING_REFUSALS:
            return False
        message = error.message
        if error.reference:
            message += " " + self.env._("Reference: %s", error.reference)
        is_new = self.refusal_code != error.code
        self.write({"refusal_code": error.code, "refusal_message": message, "refused_at": fields.Datetime.now()})
        if is_new:
            self.account_online_link_id.message_post(body=self._describe_refusal())
        return True

    def _describe_refusal(self):
        return f"{self.display_name}: {self.refusal_message}"

    def _forget_refusal(self):
        """Clear the refusal: the bank accepts requests again, or its cause was changed."""
        refused = self.filtered("refusal_code")
        refused.write({"refusal_code": False, "refusal_message": False, "refused_at": False})

    def _forget_what_the_consent_refused(self):
        """Clear the refusals: a new consent may cover more, and many banks give more history just after it."""
        self._forget_refusal()
        self.filtered("history_days").write({"history_days": 0})

    def _is_worth_requesting(self, user_present):
        """:param bool user_present: a user requested it, perhaps after solving the problem at the bank"""
        return is_worth_requesting(self.refusal_code, self.refused_at, fields.Datetime.now(), user_present)

    def _refused_ones(self):
        """:return: those of which users are notified: they fill a journal, and the bank refuses them"""
        return self.filtered(lambda account: account.refusal_code and account.journal_ids)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - EARLIER MODULES
    # -------------------------------------------------------------------------

    def _legacy_journals(self):
        """The journals that these accounts filled and that have no online account now."""
        return self.legacy_journal_id.filtered(
            lambda journal: (
                journal.active and journal.type in ("bank", "credit") and not journal.account_online_account_id
            )
        )

    def _continue_legacy(self, journal):
        """Take over the lines that an earlier module's account, also under another number, imported into this journal.

        Deleted ones are taken over, too, so that they are not imported again.
        """
        others = self._legacy_accounts_of(journal)
        if not others:
            return
        self.env["account.bank.statement.line"].flush_model()
        self.env["account.online.transaction"].flush_model()
        continue_lines(self.env.cr, self.id, others.ids, journal.id)
        self.env.invalidate_all()
        self.legacy_journal_id = journal

    def _legacy_accounts_of(self, journal):
        """Accounts of an earlier module with lines in the journal that fill no journal now and may be this account."""
        groups = self.env["account.bank.statement.line"]._read_group(
            [
                ("journal_id", "=", journal.id),
                ("online_account_id", "!=", self.id),
                ("online_transaction_identifier", "=like", f"{LEGACY}%"),
            ],
            ["online_account_id"],
        )
        found = self.browse().union(*(account for (account,) in groups))
        return found.filtered(
            lambda other: not other.journal_ids and not self._is_certainly_another(other.account_number)
        )
