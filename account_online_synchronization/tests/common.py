import os
from contextlib import contextmanager
from datetime import date, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError

from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from ..sync.fetch import AccountFetch
from . import directory
from .prepared import PreparedBooks

#: No test depends on the day on which it runs.
DAY = date(2026, 5, 20)
#: ``scripts/test --thorough`` takes time and varies; ``--complete`` (CI) tests more than the ordinary run.
THOROUGH = bool(os.environ.get("BANK_SYNC_THOROUGH"))
COMPLETE = THOROUGH or bool(os.environ.get("BANK_SYNC_COMPLETE"))


class ScriptedProxy:
    """Speaks the protocol's side of the proxy and says what the test wrote down. No bank is behind it."""

    def __init__(self, currency):
        self.currency = currency
        self.accounts = {}
        self.transactions = {}
        self.failures = {}
        self.requests = []
        self.page_size = 50
        #: With bookmarks, the last page ends with one, and a run that sends it gets only what came since.
        self.has_bookmarks = False
        #: Given as they are, by operation, instead of an answer.
        self.raw_answers = {}
        self.removed = []
        self.capabilities = {"auto_sync": True}
        self.banks = directory.BANKS
        self.banks_per_page = 20
        self.refreshed_at = "2026-05-20T08:00:00Z"
        self.answers = {
            "connections.refresh": {"state": "done", "refreshed_at": "2026-05-20T08:00:00Z"},
            "connections.start": {"connection_id": "C1", "page_url": "/bank", "expires_at": "2026-05-20T09:00:00Z"},
            "connections.renew": {"connection_id": "C1", "page_url": "/renew", "expires_at": "2026-05-20T09:00:00Z"},
            "connections.delete": {"deleted": True},
        }
        self.add_account("A1")

    def add_account(self, account_id, **values):
        self.accounts[account_id] = {
            "id": account_id,
            "name": f"Account {account_id}",
            "number": None,
            "currency": self.currency,
            "type": "current",
            "balance": "0.00",
            "balance_at": "2026-05-20T08:00:00Z",
            "id_scheme": "transaction_id",
            **values,
        }
        self.transactions[account_id] = []

    def book(self, transaction_id, amount, day=DAY, account_id="A1", **values):
        """Let the bank book a transaction; its balance follows."""
        message = {
            "id": transaction_id,
            "status": "booked",
            "booking_date": str(day),
            "amount": str(amount),
            "currency": self.accounts[account_id]["currency"],
            "remittance": [f"Text of {transaction_id}"],
            **values,
        }
        self.transactions[account_id].append(message)
        if message["status"] == "booked":
            account = self.accounts[account_id]
            account["balance"] = str(float(account["balance"]) + float(amount))
        return message

    def withdraw(self, transaction_id, account_id="A1"):
        """The bank no longer shows a transaction, and says so."""
        self.transactions[account_id] = [m for m in self.transactions[account_id] if m["id"] != transaction_id]
        self.removed.append(transaction_id)

    def rename(self, names, account_id="A1"):
        """The same transactions have other ids from now on, as after a renewed consent.

        :param names: function from an old id to a new one
        """
        for message in self.transactions[account_id]:
            message["id"] = names(message["id"])

    def fail(self, operation, code="provider_unavailable", action="retry", **values):
        self.failures[operation] = {"code": code, "message": f"Sentence of {code}.", "action": action, **values}

    def dispatch(self, operation, payload):
        self.requests.append((operation, payload))
        if operation in self.raw_answers:
            return self.raw_answers[operation]
        if operation in self.failures:
            return {"error": self.failures[operation]}
        if operation == "connections.get":
            institution = {"id": "I1", "name": "Scripted Bank", "capabilities": self.capabilities}
            return {
                "connection": {
                    "id": payload["connection_id"],
                    "state": "connected",
                    "institution": institution,
                    "provider": {"code": "scripted", "label": "Scripted"},
                    "consent_expires_at": "2026-11-16T08:00:00Z",
                    "refreshed_at": self.refreshed_at,
                }
            }
        if operation == "institutions.search":
            return directory.search(self.banks, payload, self.banks_per_page)
        if operation == "accounts.list":
            return {"accounts": list(self.accounts.values())}
        if operation == "transactions.list":
            return self._page(payload)
        answer = self.answers[operation]
        return answer(payload) if callable(answer) else answer

    def _page(self, payload):
        mark, _colon, start = (payload.get("cursor") or "0").rpartition(":")
        messages = self.transactions[payload["account_id"]]
        since = "" if mark else payload.get("since", "")
        wanted = [
            message
            for message in messages[int(mark or 0) :]
            if not isinstance(message, dict) or str(message.get("booking_date")) >= since
        ]
        end = int(start) + self.page_size
        has_more = end < len(wanted)
        bookmark = f"{len(messages)}:0" if self.has_bookmarks else None
        return {
            "transactions": wanted[int(start) : end],
            "removed_ids": [] if has_more else self.removed,
            "has_more": has_more,
            "next_cursor": (f"{mark}:{end}" if mark else str(end)) if has_more else bookmark,
        }


class OnlineSyncCommon(PreparedBooks):
    """A company with a bank journal, a connected link with one account, and a scripted proxy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Line = cls.env["account.bank.statement.line"]
        cls.Link = cls.env["account.online.link"]
        cls.Directory = cls.env["account.online.directory"]
        cls.journal = cls.company_data["default_journal_bank"]
        cls.company = cls.company_data["company"]

    def without_our_reconciliation(self):
        """As in a database without ``account_online_reconcile``, which that of the tests has."""
        if "account.reconcile.decision" in self.env:
            decisions = self.registry["account.reconcile.decision"]
            self.patch(decisions, "_is_left_to_enterprise", lambda _self: True)

    def setUp(self):
        super().setUp()
        self.proxy = ScriptedProxy(self.company.currency_id.name)
        client = ProxyClient(EmbeddedTransport(self.proxy.dispatch))
        self.startPatcher(patch.object(self.registry["account.online.link"], "_get_client", lambda link: client))

    def address_of_bank(self, action):
        """:return: address of the page to which a visit of the bank leads"""
        self.assertEqual(action["tag"], "account_online_synchronization.bank_visit", action)
        return action["params"]["url"]

    def connect(self, **values):
        """A link in the state after the user came back from the bank, without journals."""
        # Why counted: a consent belongs to one link.
        identifiers = self.Link.sudo().search([]).mapped("connection_identifier")
        identifier = next(name for number in range(1, 10_000) if (name := f"C{number}") not in identifiers)
        proxy_connection = self.proxy.dispatch("connections.get", {"connection_id": identifier})["connection"]
        link = self.Link.sudo()._create_from_proxy(proxy_connection, list(self.proxy.accounts.values()), self.company)
        link.write(values)
        return link

    def connect_journal(self, journal=None, start_date=False, periodicity="month", **values):
        """A link whose first account fills the journal."""
        link = self.connect(**values)
        link.account_online_account_ids[0]._link_journal(journal or self.journal, start_date, periodicity)
        return link

    def fetch_window(self, account):
        """:return: :class:`~..sync.fetch.AccountFetch` of what a synchronization would fetch now; nothing is stored"""
        fetched = AccountFetch(account._plan_fetch())
        link = account.account_online_link_id.sudo()
        fetched.go(link._get_client(), link.connection_identifier)
        return fetched

    def synchronize(self, link):
        """:return: the run"""
        link.sudo()._synchronize(user_present=True)
        return link.sudo().run_ids.sorted("id")[-1]

    def fetch_planned(self):
        """What the server does while the user continues to work."""
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_fetch_planned").method_direct_trigger()
        self.env.invalidate_all()

    def reviews(self):
        """:return: list that fills with what persons are asked to look at"""
        sentences = []
        Link = self.registry["account.online.link"]
        self.startPatcher(
            patch.object(Link, "_ask_to_review", lambda link, asked, *more, **options: sentences.extend(asked))
        )
        return sentences

    def reconcile(self, line):
        """A person has worked with the line."""
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = self.company_data["default_account_revenue"]

    @staticmethod
    def delete(lines):
        """As users do it: Odoo does not allow deleting from a valid statement."""
        lines.statement_id = False
        lines.unlink()

    def beside(self, state=None):
        """Transactions of the bank that are not stored as statement lines."""
        domain = [("state", "=", state)] if state else []
        return self.env["account.online.transaction"].search(domain, order="date, id")

    def balances(self):
        """:return: for each statement: its first day, start and end balance"""
        return [(str(one.online_period_start), one.balance_start, one.balance_end_real) for one in self.statements()]

    @contextmanager
    def refused(self, identifier, reason):
        """Odoo refuses to store one transaction, for a reason outside our control."""
        create = type(self.Line).create

        def refuse(lines, vals_list):
            vals_list = vals_list if isinstance(vals_list, list) else [vals_list]
            if any(values["online_transaction_identifier"] == identifier for values in vals_list):
                raise ValidationError(reason)
            return create(lines, vals_list)

        with patch.object(type(self.Line), "create", refuse):
            yield

    def requested_operations(self):
        return [operation for operation, _payload in self.proxy.requests]

    def lines(self, journal=None):
        return self.Line.search([("journal_id", "=", (journal or self.journal).id)], order="internal_index")

    def statements(self, journal=None):
        return self.env["account.bank.statement"].search(
            [("journal_id", "=", (journal or self.journal).id)], order="first_line_index"
        )

    @staticmethod
    def days_ago(days):
        return DAY - timedelta(days=days)

    @staticmethod
    def today():
        return fields.Date.today()
