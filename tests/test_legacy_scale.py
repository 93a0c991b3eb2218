"""Ten years of a large group move in a minute."""

import logging
import time
from contextlib import closing

import psycopg2
import pytest

from .legacy_worlds import World
from .test_legacy import BOOKS

_logger = logging.getLogger(__name__)

LINKS, LINES = 2_000, 200_000
SECONDS = 60
TAKE_OVER = """
import time
begun = time.monotonic()
report = env["account.online.migration"]._take_over()
env.cr.commit()
result = [time.monotonic() - begun, len(report.links), len(report.accounts), report.lines, len(report.problems)]
"""


# Why only then: making the rows takes longer than taking them over.
@pytest.mark.thorough
def test_a_large_database_moves_in_time(installation):
    installation.prepare_company()
    installation.shell(f"import runpy\nrunpy.run_path({BOOKS!r})['prepare'](env)")
    with closing(psycopg2.connect(dbname=installation.name)) as connection, connection, connection.cursor() as cr:
        world = World(cr, "13").build()
        multiply(world)
        expected = len(world.identifiers("online_identifier"))
    seconds, links, accounts, lines, problems = installation.shell(TAKE_OVER)
    _logger.warning("%s connections with %s lines were taken over in %.1f s.", links, lines, seconds)
    assert (lines, problems) == (expected, 3) and links > LINKS and accounts > LINKS and lines > LINES
    assert seconds <= SECONDS
    begun = time.monotonic()
    assert installation.shell(TAKE_OVER)[1:] == [0, 0, 0, 0]
    assert time.monotonic() - begun <= SECONDS


def multiply(world):
    """Copies of the first journal with its lines, each with its own connection."""
    journal = world.journals[0][0]
    clone(
        world,
        "account_journal",
        f"id = {journal}",
        LINKS,
        code="'C' || number",
        account_online_journal_id="10 + number",
    )
    world.cr.execute(
        f"""
        INSERT INTO account_online_provider (id, name, provider_type, company_id, ponto_token)
             SELECT 10 + number, 'Bank ' || number, 'plaid', {world.journals[0][1]}, 'hush-hush'
               FROM generate_series(1, {LINKS}) number;
        INSERT INTO account_online_journal (id, name, account_online_provider_id, online_identifier)
             SELECT 10 + number, 'Account ' || number, 10 + number, 'A' || number
               FROM generate_series(1, {LINKS}) number
        """
    )
    world.cr.execute("SELECT min(id), max(move_id) FROM account_bank_statement_line WHERE journal_id = %s", [journal])
    line, _move = world.cr.fetchone()
    ((first, number),) = world.rows("SELECT min(id), count(*) FROM account_journal WHERE code ~ '^C[0-9]+$'")
    move = f"id = (SELECT move_id FROM account_bank_statement_line WHERE id = {line})"
    place = f"{first} + number % {number}"
    (begin,) = world.rows("SELECT max(id) FROM account_move")[0]
    clone(
        world,
        "account_move",
        move,
        LINES + LINES // 100,
        name="NULL",
        state="'draft'",
        journal_id=place,
        date="date '2026-05-18' - number % 3600",
        statement_line_id="NULL",
        sequence_number="NULL",
        sequence_prefix="NULL",
    )
    clone(
        world,
        "account_bank_statement_line",
        f"id = {line}",
        LINES + LINES // 100,
        move_id=f"{begin} + number",
        journal_id=place,
        amount="number % 977",
        online_identifier="'T' || number",
    )
    world.cr.execute("ANALYZE")


def clone(world, table, where, number, **values):
    """Rows that are like one that is there but for some columns."""
    columns = [
        row[0]
        for row in world.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name != 'id'", table
        )
    ]
    if table == "account_move":
        values["id"] = "(SELECT max(id) FROM account_move) + number"
        columns.append("id")
    names = ", ".join(f'"{column}"' for column in columns)
    found = ", ".join(values.get(column, f'"{column}"') for column in columns)
    world.cr.execute(
        f"INSERT INTO {table} ({names}) SELECT {found} FROM {table}, generate_series(1, {number}) number WHERE {where}"
    )
