"""Inside Odoo: store the same transactions in a bank journal in several ways, and measure each.

A variant is a function that does what comes before the measurement, and returns what is measured: a function without
arguments. Every variant first does a small share of the same work and takes it back, so that what Odoo loads when it
is first needed is not measured.
"""

import ctypes
import gc
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from odoo import sql_db
from odoo.addons.account_online_synchronization.client.client import ProxyClient
from odoo.addons.account_online_synchronization.client.transport import EmbeddedTransport

from .transactions import CURRENCY, DAYS, FIRST_DAY, KNOWN_PARTNERS, news_count, partner, transactions

#: Lines that one ``create`` and one commit of the floor hold.
CHUNK = 500

#: Transactions on a page of the protocol, as our own proxy answers them.
PAGE = 100

#: Lines of the small share before the measurement.
WARM_UP = 20

#: The first day of the lines of a preloaded database: a year before, so that the days don't touch.
PRELOADED_DAY = FIRST_DAY - timedelta(days=365)

#: Tables that the floor asks PostgreSQL to look at after each chunk. Without, its plans become worse and worse.
TABLES = "account_move, account_move_line, account_bank_statement_line"

# -------------------------------------------------------------------------
# BEFORE
# -------------------------------------------------------------------------


def prepare(env):
    """The partners that the transactions name, a journal for the small share before the measurement, a setting."""
    for number in range(KNOWN_PARTNERS):
        name, number = partner(number)
        env["res.partner"].create({"name": name, "bank_ids": [(0, 0, {"acc_number": number})]})
    env["account.journal"].create({"name": "Warm-up", "code": "WARM", "type": "bank"})
    # Why here: changing a setting empties the cache of all settings.
    env["ir.config_parameter"].set_param("account_online_synchronization.overlap_days", str(2 * DAYS))


def preload(env, lines):
    """A journal in use: ``lines`` lines that were imported before, by no variant in particular."""
    _create_in_chunks(env, _values(env, _journal(env), transactions(lines, first_day=PRELOADED_DAY, prefix="OLD")))


# -------------------------------------------------------------------------
# MEASURE
# -------------------------------------------------------------------------


def measure(env, variant, lines):
    """
    :param str variant: a key of ``VARIANTS``
    :param int lines: number of transactions
    :return: ``seconds``, ``queries`` (of all cursors), ``peak_mb`` (above the memory used just before), and how many
        ``statements`` and lines with ``partners`` the journal has then
    :raise AssertionError: when the journal does not hold what it should afterwards
    """
    journal = _journal(env)
    before = env["account.bank.statement.line"].search_count([("journal_id", "=", journal.id)])
    prepare_variant, written = VARIANTS[variant]
    prepare_variant(env, env["account.journal"].search([("code", "=", "WARM")]), WARM_UP)()
    env.cr.rollback()
    env.invalidate_all()
    work = prepare_variant(env, journal, lines)
    env.cr.commit()
    env.invalidate_all()
    memory, queries, started = PeakMemory(), sql_db.sql_counter, time.perf_counter()
    work()
    env.flush_all()
    env.cr.commit()
    figures = {
        "seconds": time.perf_counter() - started,
        "queries": sql_db.sql_counter - queries,
        "peak_mb": memory.megabytes(),
    }
    found = env["account.bank.statement.line"].search([("journal_id", "=", journal.id)])
    news, expected = len(found) - before, written(lines)
    assert news == expected, f"{variant} wrote {news} lines instead of {expected}"
    return {**figures, "statements": len(found.statement_id), "partners": len(found.filtered("partner_id"))}


class PeakMemory:
    """How far the resident memory of this process rises above what it is at the beginning."""

    def __init__(self):
        # Why: memory that is free but not given back would be used first, and hide what is needed.
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        # This sets the peak back, which Odoo's start has raised.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self.idle = self._kilobytes("VmRSS")

    def megabytes(self):
        return (self._kilobytes("VmHWM") - self.idle) / 1024

    @staticmethod
    def _kilobytes(name):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise LookupError(f"Linux tells no {name}.")


def _journal(env):
    return env["account.journal"].search([("type", "=", "bank"), ("code", "!=", "WARM")], limit=1)


# -------------------------------------------------------------------------
# FLOOR
# -------------------------------------------------------------------------


def floor(env, journal, lines):
    """The lower bound with the ORM: complete statement lines, without recognizing anything."""
    values = _values(env, journal, transactions(lines))
    return lambda: _create_in_chunks(env, values, is_warm_up=journal.code == "WARM")


def _values(env, journal, messages):
    """:return: what ``create`` takes, partners included"""
    banks = env["res.partner.bank"].search([])
    owners = {bank.sanitized_acc_number: bank.partner_id.id for bank in banks}
    return [
        {
            "journal_id": journal.id,
            "date": message["booking_date"],
            "amount": float(message["amount"]),
            "payment_ref": " ".join(message["remittance"]),
            "ref": message["end_to_end_id"],
            "partner_name": message["counterparty"]["name"],
            "account_number": message["counterparty"]["account_number"],
            "partner_id": owners.get(message["counterparty"]["account_number"]),
        }
        for message in messages
    ]


def _create_in_chunks(env, values, is_warm_up=False):
    for start in range(0, len(values), CHUNK):
        env["account.bank.statement.line"].create(values[start : start + CHUNK])
        if not is_warm_up:
            env.cr.commit()
            env.cr.execute(f"ANALYZE {TABLES}")


# -------------------------------------------------------------------------
# LIMIT
# -------------------------------------------------------------------------

#: Why one statement: entries and lines name each other, which PostgreSQL checks at its end.
COPY = """
WITH moves AS (INSERT INTO account_move ({move_columns}) SELECT {move_values} FROM account_move row
               JOIN pairs ON pairs.move_id = row.id),
     lines AS (INSERT INTO account_bank_statement_line ({line_columns}) SELECT {line_values}
               FROM account_bank_statement_line row JOIN pairs ON pairs.line_id = row.id)
INSERT INTO account_move_line ({item_columns}) SELECT {item_values} FROM account_move_line row
               JOIN pairs ON pairs.move_id = row.move_id
"""


def limit(env, journal, lines):
    """How fast PostgreSQL itself stores the same rows, with all indexes and constraints: a copy of what floor wrote."""
    env.cr.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS pairs ON COMMIT PRESERVE ROWS AS
        SELECT id AS line_id, move_id, nextval('account_bank_statement_line_id_seq')::int AS new_line_id,
               nextval('account_move_id_seq')::int AS new_move_id
          FROM account_bank_statement_line WHERE journal_id = %s ORDER BY id DESC LIMIT %s
        """,
        [journal.id, lines],
    )
    env.cr.execute("ANALYZE pairs")
    new_move, new_line = "pairs.new_move_id", "pairs.new_line_id"
    parts = {
        # Why another name: within a journal no two posted entries have the same one.
        "move": ("account_move", {"id": new_move, "statement_line_id": new_line, "name": "row.name || ' copy'"}),
        "line": ("account_bank_statement_line", {"id": new_line, "move_id": new_move}),
        "item": (
            "account_move_line",
            {"id": "nextval('account_move_line_id_seq')", "move_id": new_move, "statement_line_id": new_line},
        ),
    }
    texts = {}
    for part, (table, replaced) in parts.items():
        env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        columns = [name for (name,) in env.cr.fetchall()]
        texts[f"{part}_columns"] = ", ".join(f'"{name}"' for name in columns)
        texts[f"{part}_values"] = ", ".join(replaced.get(name, f'row."{name}"') for name in columns)
    return lambda: env.cr.execute(COPY.format(**texts))


# -------------------------------------------------------------------------
# OURS
# -------------------------------------------------------------------------


class Bank:
    """The proxy's side of the protocol, with one account: answers pages, and takes no time worth mentioning.

    :param messages: the *transaction* objects it has, by day
    """

    ACCOUNT = "A1"

    def __init__(self, messages):
        self.messages = messages
        self.refreshed_at = f"{messages[-1]['booking_date']}T20:00:00Z"

    def client(self):
        return ProxyClient(EmbeddedTransport(self.dispatch))

    def connection(self):
        return {
            # Why its own: a consent belongs to one link.
            "id": f"C{id(self)}",
            "state": "connected",
            "institution": {"id": "I1", "name": "Bank", "capabilities": {"auto_sync": True}},
            "provider": {"code": "benchmark", "label": "Benchmark"},
            "consent_expires_at": None,
            "refreshed_at": self.refreshed_at,
        }

    def accounts(self):
        cents = sum(round(float(message["amount"]) * 100) for message in self.messages)
        return [
            {
                "id": self.ACCOUNT,
                "name": "Current account",
                "number": None,
                "currency": CURRENCY,
                "type": "current",
                "balance": f"{cents / 100:.2f}",
                "balance_at": self.refreshed_at,
                "id_scheme": "transaction_id",
            }
        ]

    def dispatch(self, operation, payload):
        return {
            "connections.get": lambda: {"connection": self.connection()},
            "connections.refresh": lambda: {"state": "done", "refreshed_at": self.refreshed_at},
            "accounts.list": lambda: {"accounts": self.accounts()},
            "transactions.list": lambda: self.page(int(payload.get("cursor") or 0), payload.get("since")),
        }[operation]()

    def page(self, start, since):
        # Why not filtered by day: every request of the benchmark begins before the first transaction.
        assert start or not since or since <= self.messages[0]["booking_date"]
        end = start + PAGE
        has_more = end < len(self.messages)
        return {
            "transactions": self.messages[start:end],
            "removed_ids": [],
            "has_more": has_more,
            "next_cursor": str(end) if has_more else None,
        }


def ours(env, journal, lines):
    """The first load of a new connection, by the scheduled action: statements by month, a commit per chunk."""
    bank = Bank(transactions(lines))
    link = env["account.online.link"]._create_from_proxy(bank.connection(), bank.accounts(), env.company)
    link.account_online_account_ids._link_journal(journal, periodicity="month")
    return _synchronization(env, link, bank)


def ours_resync(env, journal, lines, more=0):
    """All transactions are reported once more, and ``more`` new ones: by a setting the bank is asked for all days."""
    bank = Bank(transactions(lines, more))
    link = journal.account_online_account_id.account_online_link_id
    if not link:
        ours(env, journal, lines)()
        link = journal.account_online_account_id.account_online_link_id
    link.next_refresh = False
    return _synchronization(env, link, bank)


def _synchronization(env, link, bank):
    client = bank.client()
    env.registry["account.online.link"]._get_client = lambda link: client
    is_warm_up = link.journal_ids.code == "WARM"

    def synchronize():
        # Why without commits: a warm-up is taken back.
        link._synchronize(user_present=False, checkpoint=(lambda: None) if is_warm_up else env.cr.commit)
        run = link.run_ids.sorted("id")[-1]
        assert run.state == "done" and not run.adopted, run.error_message or f"{run.adopted} lines adopted"

    return synchronize


# -------------------------------------------------------------------------
# OCA
# -------------------------------------------------------------------------


def oca(env, journal, lines, mode="monthly", more=0):
    """One pull of ``account_statement_import_online``, from a service that answers at once."""
    provider = journal.online_bank_statement_provider_id
    if not provider:
        journal.bank_statements_source = "online"
        provider = env["online.bank.statement.provider"].create({"journal_id": journal.id, "service": "dummy"})
        journal.online_bank_statement_provider_id = provider
        provider.write({"statement_creation_mode": mode, "create_statement": True})
    answers = [
        {
            "date": date.fromisoformat(message["booking_date"]),
            "amount": float(message["amount"]),
            "payment_ref": " ".join(message["remittance"]),
            "ref": message["end_to_end_id"],
            "unique_import_id": message["id"],
            "partner_name": message["counterparty"]["name"],
            "account_number": message["counterparty"]["account_number"],
        }
        for message in transactions(lines, more)
    ]

    def obtain(provider, date_since, date_until):
        since, until = date_since.date(), date_until.date()
        # Why copies: it changes what it is given.
        return [dict(answer) for answer in answers if since <= answer["date"] < until], {}

    type(provider)._obtain_statement_data = obtain
    since = datetime.combine(answers[0]["date"], datetime.min.time())
    until = datetime.combine(answers[-1]["date"], datetime.min.time()) + timedelta(days=1)
    return lambda: provider._pull(since, until)


def oca_daily(env, journal, lines):
    return oca(env, journal, lines, mode="daily")


#: Each variant, and how many lines it leaves in the journal.
VARIANTS = {
    "floor": (floor, lambda lines: lines),
    "limit": (limit, lambda lines: lines),
    "ours": (ours, lambda lines: lines),
    "ours_resync": (ours_resync, lambda lines: 0),
    "ours_resync_1pct": (lambda env, j, lines: ours_resync(env, j, lines, news_count(lines)), news_count),
    "oca_daily": (oca_daily, lambda lines: lines),
    "oca_monthly": (oca, lambda lines: lines),
    "oca_resync": (oca, lambda lines: 0),
    "oca_resync_1pct": (lambda env, j, lines: oca(env, j, lines, more=news_count(lines)), news_count),
}
