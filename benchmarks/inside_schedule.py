"""Inside Odoo: let the scheduled action synchronize many links whose banks are slow and have nothing new."""

import time

from odoo import sql_db
from odoo.fields import Datetime

from tests.slow_bank import SlowBank, connect

#: By the number of answers for each link.
REQUESTS = {
    2: ("connections.refresh", "transactions.list"),
    3: ("connections.refresh", "accounts.list", "transactions.list"),
}
ACTION = "account_online_synchronization.ir_cron_synchronize"


def prepare(env, links):
    """``links`` links, each with an account that fills a journal and whose few transactions are known."""
    connect(env, links)


def measure(env, latency_ms, threads, answers):
    """As Odoo executes it, time limits included, until no link is due any more.

    :param int latency_ms: milliseconds that the bank takes for each answer
    :param int threads: how many may ask at the same time; 0: one link after the other
    :param int answers: of the bank for each link; 2: its refresh lists the accounts
    :return: ``links``, ``answers``, ``seconds``, ``cpu_seconds`` of this process, ``queries`` of all its cursors,
        ``calls`` to the bank, ``overlapped``: most of them at the same time, ``executions`` of the action
    :raise AssertionError: when a link was not synchronized exactly once; a machine that is too slow for the time limits
        ends an execution before all banks have answered, and they are asked again
    """
    Link = env["account.online.link"]
    links = Link.search([("next_refresh", "=", False)])
    bank = SlowBank(latency_ms / 1000, threads, lists_at_once=answers == 2)
    bank.connect(env)
    if not threads:
        bank.for_threads = lambda: None
    action, executions = env.ref(ACTION), 0
    started, cpu, queries = time.perf_counter(), time.process_time(), sql_db.sql_counter
    while Link.search_count([("next_refresh", "=", False)], limit=1):
        result = action.method_direct_trigger()
        # Why: Odoo logs what goes wrong, and gives an action that shows it.
        assert result is True, result["params"]
        env.cr.commit()
        executions += 1
    figures = {
        "links": len(links),
        "answers": answers,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "queries": sql_db.sql_counter - queries,
        "calls": len(bank.requests),
        "overlapped": bank.most,
        "executions": executions,
    }
    wrong = _requested_otherwise_than_once(links, bank, REQUESTS[answers])
    assert not wrong, f"In {executions} executions not every bank was asked once:\n" + "\n".join(wrong)
    assert all(link.last_refresh and link.next_refresh > Datetime.now() for link in links)
    links.next_refresh = False
    return figures


def _requested_otherwise_than_once(links, bank, requests):
    """:return: a line for each link whose bank got one of the requests twice or not at all, or another one"""
    began = min(bank.requested_at, default=0)
    times = {}
    for (operation, name), moment in zip(bank.requests, bank.requested_at, strict=True):
        times.setdefault(name, {}).setdefault(operation, []).append(f"{moment - began:.2f} s")
    lines = []
    links.invalidate_recordset(["run_ids"])
    for link in links:
        asked = times.get(link.connection_identifier, {})
        if {operation: len(moments) for operation, moments in asked.items()} != dict.fromkeys(requests, 1):
            moments = "; ".join(
                f"{operation} at {', '.join(asked.get(operation, ['no time']))}" for operation in REQUESTS[3]
            )
            runs = ", ".join(link.run_ids.sorted("id").mapped("state"))
            lines.append(f"link {link.id} ({link.connection_identifier}): {moments}; its runs: {runs}")
    return lines
