"""The scripts' own databases come and go whatever PostgreSQL is doing in them at the moment."""

import threading
import time

import pytest

from environment import database, paths, sql
from environment.console import Trouble

NAME = "bank_sync_test_vacuum"


@pytest.fixture
def a_database_being_vacuumed():
    """One whose autovacuum has only begun: a slow one, on a server that looks for work every second."""
    try:
        administrate("SELECT 1")
    except Trouble as trouble:
        pytest.skip(f"Only an administrator's server can be told to vacuum at once: {trouble}")
    administrate("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    administrate("SELECT pg_reload_conf()")
    try:
        sql.query(f"CREATE DATABASE {NAME}")
        sql.query(
            "CREATE TABLE rows WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
            " autovacuum_vacuum_threshold = 1) AS SELECT generate_series(1, 300000) AS number",
            database=NAME,
        )
        sql.query("UPDATE rows SET number = number + 1", database=NAME)
        wait_for_a_worker()
        yield
    finally:
        administrate("ALTER SYSTEM RESET autovacuum_naptime")
        administrate("SELECT pg_reload_conf()")
        sql.query(f"DROP DATABASE IF EXISTS {NAME}")


def administrate(statement):
    sql.query(statement, user=sql.ADMINISTRATOR)


def workers():
    return sql.query(
        f"SELECT pid FROM pg_stat_activity WHERE datname = '{NAME}' AND backend_type = 'autovacuum worker'",
        user=sql.ADMINISTRATOR,
    )


def wait_for_a_worker():
    deadline = time.monotonic() + 30
    while not workers():
        assert time.monotonic() < deadline, "PostgreSQL did not begin to vacuum"
        time.sleep(0.1)


def test_a_database_that_postgresql_is_vacuuming_is_dropped(a_database_being_vacuumed):
    assert workers()
    database.drop(NAME)
    assert not database.exists(NAME)


def test_a_database_in_which_a_session_ends_late_is_copied():
    """Such as that of an autovacuum worker on a busy machine: PostgreSQL itself waits five seconds."""
    copied = f"{NAME}_copied"
    sql.query(f"CREATE DATABASE {NAME}")
    (paths.FILESTORE / NAME).mkdir(parents=True, exist_ok=True)
    session = threading.Thread(target=sql.query, args=("SELECT pg_sleep(7)", NAME))
    try:
        session.start()
        deadline = time.monotonic() + 30
        while not sql.query(f"SELECT pid FROM pg_stat_activity WHERE datname = '{NAME}' AND query LIKE '%pg_sleep%'"):
            assert time.monotonic() < deadline, "the session did not begin"
        database.copy(NAME, copied)
        assert database.exists(copied)
    finally:
        session.join()
        database.drop(copied)
        database.drop(NAME)
