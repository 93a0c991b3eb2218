"""Inside Odoo: fill the proxy's tables as a million connections do, use them, and clean them up."""

import json
import random
import statistics
import time
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.bank_sync_proxy.providers.errors import RateLimited
from odoo.addons.base.models.ir_autovacuum import is_autovacuum
from odoo.sql_db import Cursor
from odoo.tools import SQL

CLIENTS = 10_000
#: Rows of the tables that do not grow with each request.
ERRORS, VISITS, NONCES = 0.2, 0.1, 0.15
#: Rows that one INSERT adds.
PORTION = 1_000_000
#: A table of fewer rows may be read whole.
SMALL = 20_000
#: Models whose clean-up is measured.
CLEANED = (
    *("bank.sync.usage", "bank.sync.event", "bank.sync.error", "bank.sync.visit", "bank.sync.connection"),
    "bank.sync.nonce",
)
#: The growth of a batch's time is measured by comparing this number of first batches with as many last ones.
ENDS = 20

# -------------------------------------------------------------------------
# FILLING
# -------------------------------------------------------------------------


def fill(env, connections, rows):
    """
    :param int connections: nine of ten connected
    :param int rows: of ``bank.sync.usage``, over 10 days, and of ``bank.sync.event``, over 40 days
    :return: ``fill`` in seconds, ``size_gb``
    """
    started = time.perf_counter()
    seeds = _seeds(env)
    with _without_foreign_keys(env):
        _fill_tables(env, seeds, connections, rows)
    env.cr.commit()
    size = env.execute_query(SQL("SELECT pg_database_size(current_database())"))[0][0]
    return {"fill": time.perf_counter() - started, "size_gb": size / 1024**3}


@contextmanager
def _without_foreign_keys(env):
    """PostgreSQL checks each row's references, several per row; checked once at the end they cost a fraction of it.

    All indexes stay, so that they are as full as those of rows that came one by one.
    """
    env.cr.execute(
        "SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),"
        "       format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)"
        "  FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE 'bank_sync_%'"
    )
    constraints = env.cr.fetchall()
    for _add, drop in constraints:
        env.cr.execute(drop)
    yield
    for add, _drop in constraints:
        env.cr.execute(add)


def _fill_tables(env, seeds, connections, rows):
    clients, many = min(CLIENTS, connections), max(connections, 1000)
    first_client = _multiply(env, seeds["client"], clients, identifier="'c' || n", database_uuid="'u' || n")
    banks = f"(ARRAY{_banks(env)})[1 + n %% {len(_banks(env))}]"
    first = _multiply(
        env,
        seeds["connection"],
        connections,
        identifier="md5(n::text)",
        client_id=f"{first_client} + n %% {clients}",
        institution_id=banks,
        provider_reference="'r' || n",
        state="CASE WHEN n %% 10 = 0 THEN 'pending' ELSE 'connected' END",
        create_date="now() AT TIME ZONE 'UTC' - (n %% 300) * interval '1 day'",
        refreshed_at="now() AT TIME ZONE 'UTC' - (n %% 1440) * interval '1 minute'",
        asked_at="now() AT TIME ZONE 'UTC' - (n %% 1440) * interval '1 minute'",
        consent_expires_at="now() AT TIME ZONE 'UTC' + (n %% 180) * interval '1 day'",
        secret_state="repeat(md5(n::text), 20)",
    )
    one, owner = (
        f"{first} + (n::bigint * 7919) %% {connections}",
        f"{first_client} + (n::bigint * 7919) %% {connections} %% {clients}",
    )
    _multiply(env, seeds["usage"], rows, connection_id=one, create_date=_ago(rows, "10 days"))
    # Why a tenth: this share of databases is switched off or unreachable; undelivered events are kept longer.
    state = "CASE WHEN n > {0} * 0.9999 THEN 'pending' WHEN n %% 10 = 0 THEN 'given_up' ELSE 'delivered' END"
    waiting = {"state": state.format(rows), "attempts": f"CASE WHEN n > {rows} * 0.9999 THEN 0 ELSE 1 END"}
    about = {"connection_id": one, "client_id": owner}
    _multiply(env, seeds["event"], rows, create_date=_ago(rows, "40 days"), **about, **waiting)
    number = int(ERRORS * many)
    _multiply(env, seeds["error"], number, reference="'E-' || n", create_date=_ago(number, "120 days"), **about)
    number = int(VISITS * many)
    tokens = {"token_digest": "md5('t' || n)", "public_id": "md5('p' || n)", "state": "'done'"}
    _multiply(env, seeds["visit"], number, connection_id=one, create_date=_ago(number, "10 days"), **tokens)
    number = int(NONCES * many)
    asked = {"client": owner, "nonce": "md5(n::text)", "moment": _ago(number, "20 minutes"), "is_counted": "true"}
    _multiply(env, seeds["nonce"], number, **asked)


def _seeds(env):
    """:return: dict: one row of each table, made by Odoo, which all others are like"""
    bank = env["bank.sync.institution"].browse(_banks(env)[0])
    client = env["bank.sync.client"].create({"name": "One", "database_uuid": "one", "url": "https://one.example"})
    connection = env["bank.sync.connection"].create({"client_id": client.id, "institution_id": bank.id})
    connection.state = "connected"
    visit = env["bank.sync.visit"].sudo()._open(connection, "connect", None, "state", return_url="/x")
    error = {"client_id": client.id, "connection_id": connection.id, "code": "institution_unavailable"}
    return {
        "client": client,
        "connection": connection,
        "usage": env["bank.sync.usage"].create({"connection_id": connection.id, "kind": "refresh"}),
        "event": env["bank.sync.event"].create(
            {"client_id": client.id, "connection_id": connection.id, "kind": "transactions.new"}
        ),
        "error": env["bank.sync.error"].create({**error, "request": "x" * 200, "detail": "x" * 400}),
        "visit": env["bank.sync.visit"]._find(visit["page_url"].rsplit("/", 1)[1]),
        "nonce": env["bank.sync.nonce"].create(
            {"client": client.id, "nonce": "seed", "moment": fields.Datetime.now(), "is_counted": True}
        ),
    }


def _banks(env):
    return sorted(env["bank.sync.institution"].search([("provider_id.code", "=", "sandbox")]).ids)


def _ago(number, days):
    """:return: SQL expression: the time of row ``n`` of ``number``, evenly over the last days, the newest last"""
    return f"now() AT TIME ZONE 'UTC' - ({number} - n) * (interval '{days}' / {number})"


def _multiply(env, seed, number, **expressions):
    """Insert rows like one that is there.

    :param expressions: SQL for columns that differ; ``n`` counts from 1
    :return: id of the first of them
    """
    env.flush_all()
    table = seed._table
    columns = [
        name
        for (name,) in env.execute_query(
            SQL(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'",
                table,
            )
        )
    ]
    values = ", ".join(expressions.get(name, f'seed."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    for first in range(1, number + 1, PORTION):
        env.cr.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} seed, generate_series(%s, %s) n"
            f" WHERE seed.id = %s ORDER BY n",
            [first, min(first + PORTION - 1, number), seed.id],
        )
    env.invalidate_all()
    return env.execute_query(SQL("SELECT min(id) FROM %s WHERE id > %s", SQL.identifier(table), seed.id))[0][0]


# -------------------------------------------------------------------------
# OPERATIONS
# -------------------------------------------------------------------------


def operate(env, each):
    """:return: by operation the milliseconds, the large tables that PostgreSQL reads whole, and the indexes it uses"""
    connections = env["bank.sync.connection"].search(
        [("state", "=", "connected"), ("identifier", "!=", False)], limit=5000
    )
    chance = random.Random(1)
    figures = {}
    for name, operation in _operations(env).items():
        taken = []
        for _time in range(each):
            connection = chance.choice(connections)
            env.flush_all()
            env.invalidate_all()
            values = connection.client_id, connection, connection.identifier, connection.provider_reference
            with _recorded() as queries:
                started = time.perf_counter()
                operation(*values)
                env.flush_all()
                taken.append(1000 * (time.perf_counter() - started))
            env.cr.rollback()
        taken.sort()
        plans = [node for query in queries for node in _plan(env, query)]
        figures[name] = {
            "p50": statistics.median(taken),
            "p95": taken[min(int(0.95 * each), each - 1)],
            "max": taken[-1],
            "whole": sorted({node["Relation Name"] for node in plans if _reads_whole(env, node)}),
            "indexes": sorted({node["Index Name"] for node in plans if _is_index_of_ours(node)}),
        }
    return figures


def _operations(env):
    """:return: dict: name → callable(client, connection, its identifier, its reference at the provider)"""
    connections, events = env["bank.sync.connection"], env["bank.sync.event"]
    usage, nonces, errors = env["bank.sync.usage"], env["bank.sync.nonce"], env["bank.sync.error"]
    metrics, now = env["bank.sync.metrics"], fields.Datetime.now()
    waiting = [("state", "=", "pending"), ("next_attempt_at", "<=", now)]
    ending = [("state", "=", "connected"), ("consent_expires_at", ">", now)]
    ending += [("consent_expires_at", "<=", now + timedelta(days=1))]
    return {
        "find a connection": lambda client, _c, identifier, _r: connections._find(client, identifier),
        "note a request": lambda client, *_c: nonces._add(client.id, str(random.random()), now, 600, 60),
        "quota of a connection": lambda _client, connection, *_i: _check_quota(usage, connection),
        "health of its bank": lambda client, connection, *_i: connection.institution_id._health(client),
        "record an error": lambda client, connection, *_i: errors.create(
            {"client_id": client.id, "connection_id": connection.id, "code": "rate_limited"}
        ),
        "room for an error": lambda client, *_c: errors._has_room(client, {}),
        "visits of an hour": lambda client, *_c: env["bank.sync.visit"].search(
            [("connection_id.client_id", "=", client.id), ("create_date", ">", now)], limit=120
        ),
        "connection of a webhook": lambda _client, connection, _i, reference: connections.search(
            [("provider_id", "=", connection.provider_id.id), ("provider_reference", "=", reference)]
        ),
        "emit an event": lambda client, connection, *_i: events._emit(client, "transactions.new", connection),
        "events that are due": lambda *_: events.search(waiting, limit=128),
        "oldest event": lambda *_: env["bank.sync.doctor"]._oldest_event(),
        "consents that end": lambda *_: connections.search(ending, limit=1000),
        "metrics: connections": lambda *_: metrics._connections(),
        "metrics: consents": lambda *_: metrics._consents_ending(),
        "metrics: newest success": lambda *_: metrics._newest_success(),
        "metrics: quota": lambda *_: metrics._quota(),
        "metrics: events": lambda *_: metrics._events(),
        "metrics: errors": lambda *_: metrics._errors(),
        "list of connections": lambda *_: connections.search([], limit=80),
        "list of errors": lambda *_: errors.search([], limit=80),
    }


def _check_quota(usage, connection):
    # Why: only few of the demo banks have a limit.
    with patch.object(type(usage), "_limit", lambda *_: 4), suppress(RateLimited):
        usage._check(connection, "refresh")


@contextmanager
def _recorded():
    """:return: list that gets the queries that are sent meanwhile"""
    queries, execute = [], Cursor.execute

    def recorded(cursor, query, params=None, *arguments, **options):
        queries.append((query, params))
        return execute(cursor, query, params, *arguments, **options)

    with patch.object(Cursor, "execute", recorded):
        yield queries


def _plan(env, query):
    """:return: nodes of PostgreSQL's plan for a query, each a dict"""
    text, params = query
    code = text.code if isinstance(text, SQL) else text
    if not code.lstrip().upper().startswith(("SELECT", "WITH")):
        return
    env.cr.execute(
        SQL("EXPLAIN (FORMAT JSON) %s", text) if isinstance(text, SQL) else f"EXPLAIN (FORMAT JSON) {text}", params
    )
    (plan,) = env.cr.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        yield node


def _reads_whole(env, node):
    if node["Node Type"] != "Seq Scan" or not node["Relation Name"].startswith("bank_sync_"):
        return False
    env.cr.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [node["Relation Name"]])
    return env.cr.fetchone()[0] > SMALL


def _is_index_of_ours(node):
    return node.get("Index Name", "").startswith("bank_sync_")


# -------------------------------------------------------------------------
# CLEANING UP
# -------------------------------------------------------------------------


def clean_up(env, batches, during_backup=False):
    """Call each clean-up until it says that nothing is left, as Odoo's scheduled action does.

    :param batches: stop after this number; None for all
    :param bool during_backup: another transaction sees the database as it was before, as pg_dump does
    :return: by model how many rows were deleted, in how many seconds, the slowest batch, and the medians of the first
        and of the last batches
    """
    figures = {}
    with _backup(env) if during_backup else nullcontext():
        for name in CLEANED:
            model = env[name]
            before = _rows(env, name)
            taken, has_more = [], True
            while has_more and len(taken) != batches:
                started = time.perf_counter()
                has_more = _batch(env, model)
                env.cr.commit()
                env.invalidate_all()
                taken.append(time.perf_counter() - started)
            figures[name] = {
                "deleted": before - _rows(env, name),
                "seconds": sum(taken),
                "slowest": max(taken),
                # Why without the last one: it is not full.
                "first": statistics.median(taken[:ENDS]),
                "last": statistics.median(taken[:-1][-ENDS:] or taken),
            }
    return figures


@contextmanager
def _backup(env):
    """Keep PostgreSQL from forgetting any row that is deleted meanwhile."""
    with env.registry.cursor() as cr:
        cr.execute("SELECT pg_current_xact_id()")
        yield


def _batch(env, model):
    """:return: whether there may be more"""
    if model._name == "bank.sync.nonce":
        with patch.object(type(env["ir.cron"]), "_commit_progress", lambda *_, **__: 1):
            model._forget_old()
        return False
    (method,) = [name for name in dir(type(model)) if name.startswith("_gc_") and is_autovacuum(getattr(model, name))]
    return getattr(model, method)()[1]


def _rows(env, name):
    return env.execute_query(SQL("SELECT count(*) FROM %s", SQL.identifier(env[name]._table)))[0][0]
