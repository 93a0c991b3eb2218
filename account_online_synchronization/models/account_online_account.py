import logging
from dataclasses import dataclass, field

from odoo import api, fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number

from ..importer import writer
from ..importer.identity import identify
from ..importer.windows import window_start
from ..proxy.errors import BadTransaction
from ..proxy.messages import parse_moment, parse_transaction

_logger = logging.getLogger(__name__)


@dataclass
class Window:
    """What the bank gave in one run, checked: booked and pending transactions, and the bookmark for the next run."""

    booked: list = field(default_factory=list)
    pending: list = field(default_factory=list)
    cursor: str | None = None


class AccountOnlineAccount(models.Model):
    """One bank account of a link. It fills one journal, or none."""

    _name = "account.online.account"
    _description = "Online Bank Account"
    _order = "account_online_link_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
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
    pending_count = fields.Integer(
        readonly=True, help="Transactions that the bank has announced but not booked. They are imported once booked."
    )
    pending_amount = fields.Monetary(readonly=True)
    journal_ids = fields.One2many(
        comodel_name="account.journal", inverse_name="account_online_account_id", check_company=True
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
        help="Transactions before this day are never imported. Empty: as far back as the bank allows."
    )
    last_sync = fields.Date(readonly=True, copy=False, help="Day up to which everything the bank gave has been stored.")
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

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ACCOUNTS
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_account_values(self, message):
        """:param dict message: *account* of docs/protocol.md"""
        currency_name = message.get("currency") or ""
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", currency_name)])
        types = dict(self._fields["account_type"].selection)
        return {
            "name": message.get("name") or message.get("number") or message["id"],
            "account_number": message.get("number"),
            "account_type": message.get("type") if message.get("type") in types else "other",
            "currency_id": currency.id,
            "balance": float(message.get("balance") or 0),
            "balance_at": parse_moment(message.get("balance_at")),
        }

    @api.model
    def _update_from_proxy(self, link, messages):
        """Create what is new and refresh what is known; an account that is no longer reported stays with its journal.

        :param list messages: *account* objects of docs/protocol.md
        :return: the accounts that are new
        """
        known = {account.online_identifier: account for account in link.account_online_account_ids}
        created = self.browse()
        for message in messages:
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
            account = known.get(message["id"])
            if account:
                # Why: the user's own name for the account wins, and a currency never changes.
                account.write({key: values[key] for key in ("account_number", "balance", "balance_at")})
                continue
            schemes = dict(self._fields["id_scheme"].selection)
            values.update(
                account_online_link_id=link.id,
                online_identifier=message["id"],
                id_scheme=message.get("id_scheme") if message.get("id_scheme") in schemes else "transaction_id",
            )
            created += self.create(values)
        return created

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - TRANSACTIONS
    # -------------------------------------------------------------------------

    def _fetch_window(self, client, run):
        """Ask the bank for everything new. Nothing is stored yet.

        :param client: :class:`~..proxy.client.ProxyClient`
        :param run: ``account.online.run`` that counts what happens
        :return: :class:`Window`
        :raise ProxyError: neither ``last_sync`` nor the cursor moves then
        """
        self.ensure_one()
        window = Window()
        pages = client.iter_transaction_pages(
            self.account_online_link_id.connection_identifier,
            self.online_identifier,
            since=window_start(self.start_date or None, self.last_sync or None),
            cursor=self.sync_cursor or None,
        )
        for page in pages:
            window.cursor = page.get("next_cursor")
            messages = page.get("transactions") or []
            run._count("fetched", len(messages))
            for message in messages:
                try:
                    transaction = self._parse(message)
                except BadTransaction as error:
                    run._park(self, isinstance(message, dict) and message.get("id"), str(error))
                    continue
                (window.booked if transaction.booked else window.pending).append(transaction)
        run._count("pending", len(window.pending))
        return window

    def _parse(self, message):
        transaction = parse_transaction(message)
        if transaction.currency != self.currency_id.name:
            raise BadTransaction(
                self.env._(
                    "It is in %(currency)s, but the account is in %(account_currency)s.",
                    currency=transaction.currency,
                    account_currency=self.currency_id.name,
                )
            )
        if transaction.amount.normalize().as_tuple().exponent < -self.currency_id.decimal_places:
            raise BadTransaction(
                self.env._(
                    "Its amount %(amount)s has more decimals than %(currency)s. Ask the bank for the exact amount and "
                    "enter it by hand.",
                    amount=transaction.amount,
                    currency=self.currency_id.name,
                )
            )
        return transaction

    def _clash_reason(self, transaction):
        return self.env._(
            "The bank gave its id to another transaction, too: this one is of %(date)s, %(amount)s %(currency)s, "
            "%(label)s. Enter it by hand if it is missing.",
            date=transaction.date,
            amount=transaction.amount,
            currency=transaction.currency,
            label=transaction.label[:80],
        )

    def _store_window(self, window, run, refreshed_at):
        """Store a window: lines, statements, and only then ``last_sync`` and the cursor, all in one transaction.

        :param datetime refreshed_at: moment of the bank's news, None where it does not tell
        """
        self.ensure_one()
        journal = self.journal_ids
        identified, clashing = identify(window.booked)
        known = writer.known_identifiers(self, [identifier for identifier, _transaction in identified])
        run._count("known", len(known))
        new = [(identifier, transaction) for identifier, transaction in identified if identifier not in known]
        new = self._leave_out_unwanted(new, journal, run)
        clashing = self._leave_out_unwanted([(transaction.id, transaction) for transaction in clashing], journal, run)
        for identifier, transaction in clashing:
            run._park(self, identifier, self._clash_reason(transaction))

        # Why: asked before the lines exist; afterwards it would no longer be an empty journal.
        is_first_load = not self.last_sync and not journal._has_statement_lines()
        written = writer.write_lines(self, journal, new)
        for identifier, reason in written.refused:
            run._park(self, identifier, reason)
        opening = None
        if is_first_load and self.balance_at:
            # Why with what was refused: it belongs to these days, and may be a line one day.
            opening = self.balance - float(sum(transaction.amount for _identifier, transaction in new + clashing))
        writer.group_into_statements(journal, written.lines, opening)

        run._count("imported", len(written.lines))
        self.write(
            {
                # Why not today: the bank's news may be of an earlier day, and what came since must be asked for.
                "last_sync": refreshed_at.date() if refreshed_at else self.last_sync,
                "sync_cursor": window.cursor,
                "pending_count": len(window.pending),
                "pending_amount": float(sum(transaction.amount for transaction in window.pending)),
            }
        )

    def _leave_out_unwanted(self, identified, journal, run):
        """Those of the new transactions that may become lines; what is left out is counted, never re-dated.

        :param identified: list of ``(identifier, Transaction)``
        """
        company, start = journal.company_id, self.start_date
        days = {transaction.date for _identifier, transaction in identified}
        early = {day for day in days if start and day < start}
        locked = {day for day in days - early if company._get_violated_lock_dates(day, False, journal)}
        run._count("skipped_before_start", sum(transaction.date in early for _identifier, transaction in identified))
        run._count("skipped_locked", sum(transaction.date in locked for _identifier, transaction in identified))
        return [pair for pair in identified if pair[1].date not in early | locked]

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - JOURNALS
    # -------------------------------------------------------------------------

    def _default_start_date(self, journal):
        """Where the first load of a journal begins, as the user guide says: the day after its last transaction.

        What this account itself has brought does not count: its transactions are recognised one by one.

        :return: a date, or False for as far back as the bank allows
        """
        last_line = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", journal.id), ("online_account_id", "!=", self.id)], limit=1
        )
        return fields.Date.add(last_line.date, days=1) if last_line else False

    def _propose_journal(self):
        """The existing journal that this account belongs to by its number, without a link so far."""
        self.ensure_one()
        if not self.account_number:
            return self.env["account.journal"]
        return self.env["account.journal"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("type", "in", ("bank", "credit")),
                ("account_online_account_id", "=", False),
                ("bank_account_id.sanitized_acc_number", "=", sanitize_account_number(self.account_number)),
            ],
            limit=1,
        )

    def _create_journal(self):
        """A new bank journal (credit journal for a credit card) for this account."""
        self.ensure_one()
        journal_type = "credit" if self.account_type == "credit_card" else "bank"
        company = self.company_id
        # Why: a bank account in a currency proves that the company uses it.
        self.currency_id.active = True
        return self.env["account.journal"].create(
            {
                "name": self.name,
                "type": journal_type,
                "company_id": company.id,
                "code": self.env["account.journal"]._get_next_journal_default_code(journal_type, company),
                "currency_id": self.currency_id.id if self.currency_id != company.currency_id else False,
            }
        )

    def _link_journal(self, journal, start_date=None, periodicity=None):
        """Let this account fill a journal from now on."""
        self.ensure_one()
        self.journal_ids.filtered(lambda other: other != journal)._unlink_online_account()
        self.start_date = self._default_start_date(journal) if start_date is None else start_date
        journal.write(
            {
                "account_online_account_id": self.id,
                "bank_statements_source": "online_sync",
                **({"bank_statement_creation_groupby": periodicity} if periodicity else {}),
            }
        )
        if journal.type == "bank" and self.account_number and not journal.bank_account_id:
            journal.set_bank_account(self.account_number)
