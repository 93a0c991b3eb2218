import re
from datetime import datetime
from typing import NamedTuple

from odoo import api, fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number

from ..client.errors import ProxyError
from ..client.messages import parse_balance, parse_day, parse_moment
from ..tools.recognition import Keys, recognize
from .server_fields import as_server

#: Accounts of one connection. The bank's name for an account is worth something beside its number, masked or none.
SAME_CONNECTION = Keys(
    own=("id",),
    alike=(("number", "currency", "name"), ("number", "currency"), ("label", "currency")),
    certain=("number", "currency"),
)
#: Ids of two connections have nothing to do with each other, and a name such as "Current account" proves nothing.
OTHER_CONNECTION = Keys(own=("number", "currency", "name"), alike=(("number", "currency"),))
#: What a number is written with; anything else, such as * or •, stands in for digits.
WRITTEN = re.compile(r"[\w\s./:-]+")


class DashboardRow(NamedTuple):
    """What the card of a journal shows of its account; amounts in the account's currency.

    ``unlinked_count`` is that of its connection's accounts of which nobody has said yet what becomes of them.
    """

    link_id: int
    currency_id: int
    pending_count: int
    pending_amount: float
    balance: float
    balance_at: datetime
    difference: float
    opening_to_book: float
    opening_unknown: bool
    parked_count: int
    unlinked_count: int


class AccountOnlineAccount(models.Model):
    """One bank account of a link. It fills one journal, or none."""

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
        readonly=True, help="Last running balance of the journal when the bank's balance was compared with it."
    )
    balance_difference = fields.Monetary(
        compute="_compute_balance_difference",
        help="What the bank has more than the journal. It is shown, never forced: transactions that are locked, "
        "deleted or could not be imported explain it, or an opening balance that is missing.",
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
        string="Reverse Balance", help="For a bank that reports the debt of a credit card as positive."
    )
    date_choice = fields.Selection(
        selection=[("booking", "Booking date"), ("value", "Value date")],
        string="Date of Transactions",
        default="booking",
        required=True,
        help="Which of the bank's two dates new transactions have in the journal.",
    )
    transaction_ids = fields.One2many(
        comodel_name="account.online.transaction", inverse_name="account_online_account_id", readonly=True
    )
    journal_ids = fields.One2many(
        comodel_name="account.journal", inverse_name="account_online_account_id", check_company=True, readonly=True
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
        help="What transactions of this account are recognised by. It never changes silently: another scheme would "
        "bring every transaction a second time.",
    )
    start_date = fields.Date(
        help="First day to import. Empty: as far back as the bank allows. An earlier day than before brings the older "
        "transactions with the next synchronization. What the bank books late with an earlier date is imported, too."
    )
    last_sync = fields.Date(readonly=True, copy=False, help="Day up to which everything the bank gave has been stored.")
    loaded_since = fields.Date(readonly=True, copy=False, help="First day that the bank has been asked for.")
    unread_since = fields.Date(
        readonly=True,
        copy=False,
        help="Since when the connection service could not read something that is asked for again.",
    )
    sync_cursor = fields.Char(readonly=True, copy=False, groups="base.group_system")

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
            # Why: the older days have to be asked for. What is known already is recognised.
            # sudo: the user has just written these accounts
            as_server(wider).write({"last_sync": False, "sync_cursor": False})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_transactions(self):
        """Only what users have deleted is remembered without its account."""
        # sudo: Odoo has checked that the user may delete these accounts; what stands beside their books goes with them
        as_server(self.env["account.online.transaction"]).search(
            [("account_online_account_id", "in", self.ids), ("state", "!=", "deleted")]
        ).unlink()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ACCOUNTS
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_account_values(self, message):
        """:param dict message: *account* of docs/protocol.md"""
        currency_name = str(message.get("currency") or "")
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", currency_name)])
        types = dict(self._fields["account_type"].selection)
        number = message.get("number")
        return {
            "name": str(message.get("name") or number or message["id"]),
            "online_name": str(message["name"]) if message.get("name") else False,
            "account_number": str(number) if number else False,
            "account_type": message.get("type") if message.get("type") in types else "other",
            "currency_id": currency.id,
            **self._prepare_balance_values(message),
        }

    @api.model
    def _prepare_balance_values(self, message):
        """:return: nothing where no balance that can be read was asked for: the last one stays with its moment. Where
        the bank gives another amount in place of a booked balance, none is known any more.
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
    def _update_from_proxy(self, link, messages):
        """Create what is new and refresh what is known; an account that is no longer reported stays with its journal.

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
            if returning:
                returning._return_to(link, message)
            else:
                created += self.create(
                    {**values, "account_online_link_id": link.id, **self._prepare_identity_values(message)}
                )
        return created

    @api.model
    def _prepare_identity_values(self, message):
        schemes = dict(self._fields["id_scheme"].selection)
        scheme = message.get("id_scheme")
        return {
            "online_identifier": message["id"],
            "id_scheme": scheme if scheme in schemes else "transaction_id",
        }

    def _take_over(self, messages):
        """Refresh these accounts of one link: by id, else by what stays when a renewed consent brings new ids.

        Where two accounts are alike in that, neither is guessed: a wrong journal would be worse than a new account.

        :return: the messages that belong to none of them
        """
        messages = list({message["id"]: message for message in messages}.values())
        known = {account.id: account._facts() for account in self}
        found = recognize(known, list(map(self._facts_of_message, messages)), SAME_CONNECTION)
        for message, account in zip(messages, map(self.browse, found), strict=True):
            if account:
                if account.online_identifier != message["id"]:
                    account._change_identifier(message)
                account._refresh(message)
        return [message for message, account_id in zip(messages, found, strict=True) if not account_id]

    def _facts(self):
        """What this account is recognised by."""
        return {
            "id": self.online_identifier,
            **self._describe_facts(self.account_number, self.currency_id.name, self.online_name or self.name),
        }

    @api.model
    def _facts_of_message(self, message):
        """:param dict message: *account* of docs/protocol.md"""
        return {
            "id": message["id"],
            **self._describe_facts(message.get("number"), message.get("currency"), message.get("name")),
        }

    @api.model
    def _describe_facts(self, number, currency, name):
        return {
            "number": self._certain_number(number),
            "currency": str(currency or ""),
            "name": str(name or ""),
            "label": f"{number or ''} {name}" if name else "",
        }

    @staticmethod
    def _certain_number(number):
        """:return: a number without blanks, ``""`` for a masked one (•••• 1234, 1234****5678): it proves nothing"""
        number = str(number or "")
        plain = sanitize_account_number(number) or ""
        is_whole = WRITTEN.fullmatch(number) and len(plain) >= 8 and plain.isalnum() and "XXX" not in plain
        return plain if is_whole else ""

    def _is_certainly_another(self, number):
        """Whether a number, however it is written, belongs to another account; a masked one proves nothing."""
        other, own = self._certain_number(number), self._certain_number(self.account_number)
        return bool(other and own and other != own)

    def _refresh(self, message):
        """Why so little: the user's own name for the account wins, and a currency never changes."""
        self._check_is_no_other_account(message)
        # Why not in another currency: the amount means something else there, see _parse for the transactions.
        has_currency = message.get("currency") in ("", None, self.currency_id.name)
        values = self._prepare_balance_values(message) if has_currency else {}
        if message.get("number"):
            values["account_number"] = str(message["number"])
        if message.get("name"):
            values["online_name"] = str(message["name"])
        # Why only what is new: a write costs even where it changes nothing.
        changed = {name: value for name, value in values.items() if (self[name] or None) != (value or None)}
        if changed:
            self.write(changed)
        scheme = self._prepare_identity_values(message)["id_scheme"]
        if message.get("id_scheme") and scheme != self.id_scheme:
            self._change_scheme(scheme)

    def _check_is_no_other_account(self, message):
        """:raise ProxyError: when the service describes another account of this database under this one's id"""
        number = message.get("number")
        if not number or not self._is_certainly_another(number):
            return
        key = self._certain_number(number)
        # sudo: only compared, nothing of it is told: it may be of a company that the user does not see
        others = self.sudo().search(
            [("id", "!=", self.id), ("account_number", "!=", False), ("currency_id", "=", self.currency_id.id)]
        )
        if any(self._certain_number(other.account_number) == key for other in others):
            raise ProxyError(
                "account_mixed_up",
                self.env._(
                    "The connection service now gives %s the account number of another bank account in this database, "
                    "so nothing was imported. Please report it to the support of the connection service.",
                    self.display_name,
                ),
            )

    def _change_scheme(self, scheme):
        """The provider names transactions by something else from now on: said aloud, and known days are compared."""
        self.write({"id_scheme": scheme, "sync_cursor": False})
        self.account_online_link_id.message_post(
            body=self.env._(
                "The bank recognises the transactions of %s by another kind of id from now on. "
                "Those that are known are recognised by their content.",
                self.display_name,
            )
        )

    def _change_identifier(self, message):
        """The same account has another id. Its journal and transactions stay; a bookmark of the old id is of no use."""
        self.write({"online_identifier": message["id"], "sync_cursor": False})

    @api.model
    def _find_returning(self, link, messages):
        """Accounts of other connections that these are, by number and currency. Never a second journal for one.

        :param list messages: *account* objects that are new to the connection
        :return: list of the account that each of them is, an empty recordset where it is none or not certain
        """
        facts = list(map(self._facts_of_message, messages))
        others = self.search([("company_id", "=", link.company_id.id), ("account_online_link_id", "!=", link.id)])
        # Why: what an earlier module has left may be there several times, and fills nothing any more.
        left_over = others.filtered(lambda other: other.legacy_source and not other.journal_ids)
        living = {account.id: account._facts() for account in others - left_over}
        found = recognize(living, facts, OTHER_CONNECTION)
        if left_over:
            numbers = {known["number"] for known in living.values()}
            legacy = {account.id: account._facts() for account in left_over}
            legacy = {key: known for key, known in legacy.items() if known["number"] not in numbers}
            also = recognize(legacy, facts, OTHER_CONNECTION)
            found = [account_id or legacy_id for account_id, legacy_id in zip(found, also, strict=True)]
        return [self.browse(account_id) for account_id in found]

    def _return_to(self, link, message):
        """The account moves to a new connection, with its journal and everything known of its transactions."""
        old = self.account_online_link_id
        self.write({"account_online_link_id": link.id, "sync_cursor": False, **self._prepare_identity_values(message)})
        self._refresh(message)
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

    def _balance_day(self):
        """The last booking day that the bank's balance contains; a connection service that tells none counts in UTC."""
        return self.balance_date or self.balance_at.date()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - DASHBOARD
    # -------------------------------------------------------------------------

    def _get_dashboard_rows(self):
        """What the cards of the dashboard show of each account.

        Why not the fields: hundreds of cards are loaded at once, and records cost several times as much as rows.

        :return: dict from account id to :class:`DashboardRow`; the difference is ``balance_difference``, not rounded
        """
        self.flush_model()
        self.env["account.online.transaction"].flush_model(["account_online_account_id", "state"])
        self.env["account.journal"].flush_model(["account_online_account_id", "active"])
        self.env.cr.execute(
            """
            SELECT account.id, account.account_online_link_id, account.currency_id,
                   COALESCE(account.pending_count, 0), COALESCE(account.pending_amount, 0),
                   COALESCE(account.balance, 0) * CASE WHEN account.inverse_balance_sign THEN -1 ELSE 1 END,
                   account.balance_at,
                   CASE WHEN account.last_sync IS NULL OR account.balance_at IS NULL OR account.opening_unknown THEN 0
                        ELSE COALESCE(account.balance, 0) * CASE WHEN account.inverse_balance_sign THEN -1 ELSE 1 END
                             - COALESCE(account.journal_balance, 0) END,
                   CASE WHEN account.opening_declined THEN 0 ELSE COALESCE(account.opening_to_book, 0) END,
                   -- Why not where the bank reports no balance: nothing would ever change, see the account's form.
                   COALESCE(account.opening_unknown AND account.balance_at IS NOT NULL, FALSE),
                   COALESCE(parked.number, 0), COALESCE(unlinked.number, 0)
              FROM account_online_account account
         LEFT JOIN (SELECT account_online_account_id, COUNT(*) AS number
                      FROM account_online_transaction
                     WHERE account_online_account_id = ANY(%(accounts)s) AND state = 'parked'
                  GROUP BY 1) parked ON parked.account_online_account_id = account.id
         LEFT JOIN (SELECT account_online_link_id, COUNT(*) AS number
                      FROM account_online_account other
                     WHERE account_online_link_id IN (SELECT account_online_link_id FROM account_online_account
                                                       WHERE id = ANY(%(accounts)s))
                       AND other.is_left_out IS NOT TRUE
                       AND NOT EXISTS (SELECT FROM account_journal
                                        WHERE account_online_account_id = other.id AND active)
                  GROUP BY 1) unlinked ON unlinked.account_online_link_id = account.account_online_link_id
             WHERE account.id = ANY(%(accounts)s)
            """,
            {"accounts": self.ids},
        )
        return {row[0]: DashboardRow(*row[1:]) for row in self.env.cr.fetchall()}

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - JOURNALS
    # -------------------------------------------------------------------------

    def _default_start_date(self, journal):
        """Where the first load of a journal begins, as the user guide says: the day after its last transaction.

        What this account itself has brought does not count: its transactions are recognised one by one. Nor does what
        other accounts of its connection have brought: these are other transactions.

        :return: a date, or False for as far back as the bank allows
        """
        accounts = self | self.account_online_link_id.account_online_account_ids
        last_line = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", journal.id), ("online_account_id", "not in", accounts.ids)], limit=1
        )
        return fields.Date.add(last_line.date, days=1) if last_line else False

    def _propose_journal(self):
        """The existing journal that this account belongs to by its number, without a link so far, in its currency.

        None where two accounts are alike in all that tells: which of them it is, only the user knows.
        """
        self.ensure_one()
        found = self._journals_with_number().filtered(self._fits_currency)
        return found.browse() if self._twins() else found[:1]

    def _twins(self):
        """:return: accounts of the connection that nothing but their ids and names tells from this one"""

        def told(account):
            return sanitize_account_number(account.account_number), account.currency_id, account.account_type

        return (self.account_online_link_id.account_online_account_ids - self).filtered(
            lambda other: other._is_new() and told(other) == told(self)
        )

    def _journals_with_number(self):
        """Existing journals without a link whose bank account has the number of this one, whatever their currency."""
        if not self.account_number:
            return self.env["account.journal"]
        return self.env["account.journal"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("type", "in", ("bank", "credit")),
                ("account_online_account_id", "=", False),
                ("bank_account_id.sanitized_acc_number", "=", sanitize_account_number(self.account_number)),
            ]
        )

    def _create_journal(self, name=None, journal_type=None):
        """A new journal for this account.

        :param str name: as proposed, where none is given
        :param str journal_type: ``bank`` or ``credit``; that of the account where none is given
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
        """Odoo counts to 99 and gives none after that; a company may well have more bank accounts."""
        Journal = self.env["account.journal"]
        code = Journal._get_next_journal_default_code(journal_type, self.company_id)
        if not code:
            company = [("company_id", "child_of", self.company_id.root_id.id)]
            taken = set(Journal.with_context(active_test=False).search(company).mapped("code"))
            code = next(code for number in range(1, 10_000) if (code := f"B{number:04}") not in taken)
        return code

    def _link_journal(self, journal, start_date=None, periodicity=None):
        """Let this account fill a journal from now on."""
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

    def _begin_again(self):
        """Another journal is filled from its own beginning; what is known of the transactions is not lost."""
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
        """Let the journal have the bank account with the number of this one.

        Why the archived one first: Odoo archives it when its journal is deleted, and refuses to create it again.
        """
        owner = journal.company_id.partner_id
        archived = self.env["res.partner.bank"].search(
            [
                ("active", "=", False),
                ("partner_id", "=", owner.id),
                ("company_id", "in", (False, journal.company_id.id)),
                ("sanitized_acc_number", "=", sanitize_account_number(self.account_number)),
            ]
        )
        archived[:1].active = True
        journal.set_bank_account(self.account_number)
