"""Inside Odoo: load the accounting dashboard of many bank journals, with and without what our cards show."""

import contextlib
import time
from datetime import date
from unittest.mock import patch

from lxml import etree

from odoo import Command
from odoo.fields import Datetime

#: Lines per journal, so that there is something to show.
LINES = 3


def prepare(env, journals, links):
    """Bank journals, each filled by a separate account; the accounts belong to the given number of connections."""
    company, euro = env.ref("base.main_company"), env.ref("base.EUR")
    connections = env["account.online.link"].create(
        [
            {
                "name": f"Bank {number}",
                "company_id": company.id,
                "state": "connected",
                "last_refresh": Datetime.subtract(Datetime.now(), minutes=7 * number),
                "expiring_synchronization_date": date(2099, 1, 1),
                "account_online_account_ids": [
                    Command.create(_account(one, euro)) for one in range(number, journals, links)
                ],
            }
            for number in range(links)
        ]
    )
    for number, account in enumerate(connections.account_online_account_ids):
        journal = env["account.journal"].create({"name": account.name, "type": "bank", "code": f"Q{number:04}"})
        account._link_journal(journal, start_date=False)
        account.last_sync = date.today()
        env["account.bank.statement.line"].create(
            [{"journal_id": journal.id, "amount": amount, "payment_ref": "/"} for amount in range(1, LINES + 1)]
        )


def _account(number, currency):
    return {
        "name": f"Account {number}",
        "online_identifier": f"A{number}",
        "currency_id": currency.id,
        "balance": 6,
        "journal_balance": 6,
        "balance_at": Datetime.now(),
    }


def measure(env, repetitions):
    """As the web client asks: all fields of the cards' view, for all bank journals.

    :return: list of ``ours`` and ``core``, each with the ``seconds`` and the ``queries`` of one loading, and the number
        of ``cards``
    """
    Journal = env["account.journal"].with_user(env.ref("base.user_admin"))
    view = env.ref("account.account_journal_dashboard_kanban_view")
    arch = etree.fromstring(Journal.get_views([(view.id, "kanban")])["views"]["kanban"]["arch"])
    names = {field.get("name"): {} for field in arch.iter("field")}
    without = patch.object(type(Journal), "_get_online_sync_dashboard_data", lambda _journals: {})

    def load(is_ours):
        env.invalidate_all()
        with contextlib.nullcontext() if is_ours else without:
            started, queries = time.perf_counter(), env.cr.sql_log_count
            answer = Journal.web_search_read([("type", "=", "bank")], names, limit=1000)
            figures = {"seconds": time.perf_counter() - started, "queries": env.cr.sql_log_count - queries}
        assert answer["length"] == len(answer["records"])
        is_linked = sum('"linked": true' in record["kanban_dashboard"] for record in answer["records"])
        return {**figures, "cards": is_linked if is_ours else len(answer["records"])}

    for is_ours in (True, False):
        # Why: what is loaded once per process is not what a user waits for.
        load(is_ours)
    return [
        {("ours" if is_ours else "core"): load(is_ours) for is_ours in ((True, False), (False, True))[number % 2]}
        for number in range(repetitions)
    ]
