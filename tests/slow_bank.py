"""A bank that takes its time, behind a transport for threads. Runs inside Odoo's shell or a benchmark, not outside."""

import threading
import time
from datetime import date, timedelta

from odoo.addons.account_online_synchronization.client.client import ProxyClient


class SlowBank:
    """Each connection has one account with a few booked transactions of the last days, always the same.

    :param float latency: seconds until an answer
    :param int threads: how many may ask at the same time
    :param int known: number of transactions
    :param bool lists_at_once: its refresh lists the accounts
    """

    def __init__(self, latency=0.0, threads=32, known=5, lists_at_once=False):
        self.latency, self.threads, self.known, self.lists_at_once = latency, threads, known, lists_at_once
        #: Requests: (operation, connection id).
        self.requests = []
        #: When each of them was asked, in seconds of a clock that only goes forward.
        self.requested_at = []
        #: Most requests that were on their way at the same time.
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def connect(self, env):
        """From now on this is what the database's links ask."""
        env.registry["account.online.link"]._get_client = lambda _link: ProxyClient(self)

    def for_threads(self):
        return self

    def call(self, operation, payload):
        with self._lock:
            self.requests.append((operation, payload["connection_id"]))
            self.requested_at.append(time.monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        self.wait(operation)
        with self._lock:
            self._now -= 1
        return getattr(self, operation.replace(".", "_"))(payload["connection_id"])

    def wait(self, _operation):
        time.sleep(self.latency)

    def connections_refresh(self, connection_id):
        accounts = self.accounts_list(connection_id) if self.lists_at_once else {}
        return {"state": "done", "refreshed_at": f"{date.today()}T00:00:00Z", **accounts}

    def accounts_list(self, connection_id):
        return {"accounts": [self.account(connection_id)]}

    def transactions_list(self, connection_id):
        return {
            "transactions": [self._transaction(connection_id, number) for number in range(self.known)],
            "has_more": False,
        }

    def account(self, connection_id):
        return {
            "id": f"A-{connection_id}",
            "name": f"Account {connection_id}",
            "currency": "EUR",
            "type": "current",
            "balance": f"{-10 * self.known}.00",
            "balance_at": f"{date.today()}T00:00:00Z",
            "id_scheme": "transaction_id",
        }

    @staticmethod
    def _transaction(connection_id, number):
        return {
            "id": f"{connection_id}-{number}",
            "status": "booked",
            "booking_date": str(date.today() - timedelta(days=number % 9)),
            "amount": "-10.00",
            "currency": "EUR",
            "remittance": [f"Text {number}"],
            "counterparty": {"name": f"Shop {number}"},
        }


def connect(env, links, known=5):
    """Links with one account each that fills a separate journal; everything the bank has is stored already.

    :param int links: how many
    """
    bank = SlowBank(known=known)
    bank.connect(env)
    company = env.ref("base.main_company")
    # Why with separate accounts: for each journal, Odoo again tries one code after the other until one is free.
    accounts = env["account.account"].create(
        [{"code": f"Q{number:04}", "name": f"Bank {number}", "account_type": "asset_cash"} for number in range(links)]
    )
    for number, account in enumerate(accounts):
        name = f"{number:04}"
        link = env["account.online.link"]._create_from_proxy(
            {"id": name, "institution": {"name": f"Bank {name}"}}, [bank.account(name)], company
        )
        journal = env["account.journal"].create(
            {"name": f"Bank {name}", "type": "bank", "code": f"Q{name}", "default_account_id": account.id}
        )
        link.account_online_account_ids._link_journal(journal, start_date=date.today() - timedelta(days=15))
        link._synchronize(user_present=False)
        if number % 50 == 49:
            env.flush_all()
            env.invalidate_all()
    env["account.online.link"].search([]).next_refresh = False
