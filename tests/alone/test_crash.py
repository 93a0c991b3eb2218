"""Whatever is killed at whatever moment, Odoo or PostgreSQL: nothing is lost and nothing is doubled.

A real server runs the scheduled action, as in production. Several banks are connected and have work for it; the server
dies in the middle, again and again; then one run comes to its end undisturbed, and the books equal the banks.
"""

import itertools
import logging
import os
import random
import signal
import time
from pathlib import Path

import pytest

from environment import locks, postgres, sql

from ..books import Memory, inside

_logger = logging.getLogger(__name__)

JOB = (
    "(SELECT res_id FROM ir_model_data"
    " WHERE module = 'account_online_synchronization' AND name = 'ir_cron_synchronize')"
)
#: Sessions that have written to our tables and have not committed yet. Only writing takes this lock, and it is kept
#: until the end of the transaction.
UNCOMMITTED = """
    SELECT DISTINCT pid, relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock'
      AND relkind = 'r' AND (relname LIKE 'account\\_online\\_%' OR relname = 'account_bank_statement_line')
"""
LINES = "account_bank_statement_line"
DOUBLES = f"""
    SELECT journal_id, online_transaction_identifier, count(*) FROM {LINES} GROUP BY 1, 2 HAVING count(*) > 1
"""
NOTHING_FETCHED = "SELECT count(*) FROM account_online_link WHERE last_refresh IS NULL"
INSTITUTIONS = ("demo", "demo-beta", "demo-world")
#: A first load of this number of days takes some seconds, which leaves time to kill it.
DAYS = 60
PATIENCE = 300


class Feeds:
    """Connected banks with the server that synchronizes them, and what has been done to it."""

    def __init__(self, installation):
        self.installation = installation
        self.memory = Memory()
        self.customers = itertools.count()
        self.hours = 0
        # Why: Odoo's other scheduled actions would only take time.
        installation.sql(f"UPDATE ir_cron SET active = (id = {JOB})")

    def connect(self, count):
        """Users of different institutions, so that currencies, numbers of accounts and of transactions differ."""
        users = list(itertools.islice(self.customers, count))
        wanted = [{"institution": INSTITUTIONS[n % len(INSTITUTIONS)], "user": f"user{n}", "days": DAYS} for n in users]
        inside(self.installation, "connect", wanted)

    def without_first_load(self):
        return int(self.installation.sql(NOTHING_FETCHED)[0][0])

    def pass_days(self, days):
        self.hours += 24 * days
        self.installation.move_demo_clock(self.hours)
        self.make_due()

    def make_due(self):
        """Only the bank's clock moves on; without this, nothing would be due before tomorrow."""
        self.installation.sql("UPDATE account_online_link SET next_refresh = NULL")

    # -------------------------------------------------------------------------
    # THE SERVER
    # -------------------------------------------------------------------------

    def start(self):
        self.installation.start(cron_threads=1)

    def begin(self):
        """Return when Odoo has begun to execute the scheduled action."""
        before = self._executions()
        deadline = time.monotonic() + PATIENCE
        # Why repeatedly: Odoo receives a call only while it listens, it passes over an action that a dying session
        # still holds, and it leaves one out that has been killed three times in a row.
        while self._executions() == before:
            self.alive_until(deadline)
            self._call()
            time.sleep(0.1)

    def finish(self):
        """Let the scheduled action come to its end, undisturbed."""
        self.begin()
        deadline = time.monotonic() + PATIENCE
        while self._is_due():
            self.alive_until(deadline)
            # Why: an action that has used up its time leaves the rest to its next execution.
            self._notify()
            time.sleep(0.3)

    def wait_for_lines(self):
        """Return when the synchronization holds statement lines that are not committed.

        :return: the number of the process that PostgreSQL works for it with
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            for process_id, table in self.installation.sql(UNCOMMITTED):
                if table == LINES:
                    return int(process_id)
            self.alive_until(deadline)
            time.sleep(0.02)

    def alive_until(self, deadline):
        assert self.installation.server.poll() is None, "the server has ended by itself"
        assert time.monotonic() < deadline, "the scheduled action does not get on"

    def kill(self, only_with_lines=False):
        """``kill -9``.

        :param bool only_with_lines: spare a server that holds no statement lines at this moment
        :return: the tables to which something had been written that is lost now, None for a server that was spared
        """
        # Why frozen first: what is seen then is what the kill hits.
        self.installation.freeze()
        lost = {table for _process_id, table in self.installation.sql(UNCOMMITTED)}
        if only_with_lines and LINES not in lost:
            self.installation.thaw()
            return None
        self.installation.kill()
        return lost

    def _executions(self):
        return self.installation.sql(f"SELECT max(id) FROM ir_cron_progress WHERE cron_id = {JOB}")

    def _is_due(self):
        return self.installation.sql(f"SELECT 1 FROM ir_cron WHERE id = {JOB} AND nextcall <= now() AT TIME ZONE 'utc'")

    def _call(self):
        # Why not a plain UPDATE: it would wait until an execution that has just begun is over.
        self.installation.sql(
            "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'utc' - interval '1 minute'"
            f" WHERE id = (SELECT id FROM ir_cron WHERE id = {JOB} FOR UPDATE SKIP LOCKED)"
        )
        self._notify()

    def _notify(self):
        sql.query(f"SELECT pg_notify('cron_trigger', {sql.literal(self.installation.name)})")

    # -------------------------------------------------------------------------
    # WHAT MUST HOLD
    # -------------------------------------------------------------------------

    def assert_nothing_doubled(self):
        """Holds at any time, whatever is not yet finished."""
        assert self.installation.sql(DOUBLES) == []

    def assert_books_equal_the_bank(self):
        assert self.without_first_load() == 0
        assert self.memory.assert_books_equal_the_bank(self.installation)


class Kills:
    """Kills at random moments, and how many of them hit something: a test that never hits proves nothing."""

    def __init__(self, feeds):
        self.feeds = feeds
        self.seed = int(os.environ.get("BANK_SYNC_SEED") or random.randrange(10**6))
        self.dice = random.Random(self.seed)
        self.hits = []
        _logger.warning("the moments of the kills follow from BANK_SYNC_SEED=%s", self.seed)

    def kill_at_a_random_moment(self, longest):
        """Start the server, let it synchronize, and kill it.

        :param float longest: seconds that may pass since the begin of the scheduled action
        """
        self.feeds.start()
        self.feeds.begin()
        # Why every other time: whole runs are to be hit at any moment, the writing of lines in its own.
        with_lines = len(self.hits) % 2 == 1
        hit = None
        while hit is None:
            if with_lines:
                self.feeds.wait_for_lines()
            delay = self.dice.uniform(0, longest / 10 if with_lines else longest)
            time.sleep(delay)
            hit = self.feeds.kill(only_with_lines=with_lines)
        self.hits.append(hit)
        _logger.warning("kill %s, after %.2f s, hit %s", len(self.hits), delay, sorted(hit) or "nothing")
        self.feeds.assert_nothing_doubled()

    def assert_many_hit(self):
        running = sum(bool(tables) for tables in self.hits)
        with_lines = sum(LINES in tables for tables in self.hits)
        _logger.warning("%s kills, %s during a synchronization, %s with lines", len(self.hits), running, with_lines)
        assert running >= len(self.hits) / 2
        assert with_lines >= len(self.hits) // 2


@pytest.fixture(scope="module")
def feeds(company):
    return Feeds(company)


@pytest.fixture(autouse=True)
def stopped_in_the_end(company):
    """Each test starts its own servers."""
    yield
    company.stop()


def test_a_server_killed_during_first_loads(feeds, thorough):
    kills = Kills(feeds)
    for _round in range(15 if thorough else 2):
        if feeds.without_first_load() < 2:
            feeds.connect(2)
        kills.kill_at_a_random_moment(longest=5)
    kills.assert_many_hit()
    feeds.start()
    feeds.finish()
    feeds.assert_books_equal_the_bank()


def test_a_server_killed_during_refreshes(feeds, thorough):
    if not feeds.memory.booked:
        feeds.connect(2)
        feeds.start()
        feeds.finish()
        feeds.assert_books_equal_the_bank()
        feeds.installation.kill()
    kills = Kills(feeds)
    for _round in range(15 if thorough else 2):
        feeds.pass_days(3)
        kills.kill_at_a_random_moment(longest=1.5)
    kills.assert_many_hit()
    feeds.start()
    feeds.finish()
    feeds.assert_books_equal_the_bank()


@pytest.fixture
def our_postgresql():
    """The project's own server, which may be killed and which runs again afterwards, whatever happens.

    Other programs of this clone that use it at the same time lose their sessions.
    """
    # Why not sql.is_external(): the scripts let the variables name the project's own server, too.
    if os.environ.get("PGHOST") != str(postgres.socket_folder()):
        pytest.skip("The PG variables name a PostgreSQL server that is not ours to kill.")
    # Why: PostgreSQL takes sequences back when it recovers a database that was copied after its last checkpoint.
    sql.query("CHECKPOINT", user=sql.ADMINISTRATOR)
    yield
    if not is_true_within(10, postgres.answers):
        shut_down_at_once()
    start_postgresql()


def start_postgresql():
    with locks.locked("setup"):
        postgres.ensure()


def shut_down_at_once():
    """What ``pg_ctl stop -m immediate`` does."""
    if postgres.is_running():
        os.kill(int(postgres.PID_FILE.read_text(encoding="utf-8").split()[0]), signal.SIGQUIT)
        assert is_true_within(PATIENCE, lambda: not postgres.is_running())


def kill_session(process_id):
    """What the kernel does when memory is short. PostgreSQL then ends all sessions and recovers automatically."""
    os.kill(process_id, signal.SIGKILL)
    # Why this first: until PostgreSQL has noticed, it answers as if nothing had happened.
    assert is_true_within(PATIENCE, lambda: not Path(f"/proc/{process_id}").exists())
    assert is_true_within(PATIENCE, postgres.answers)


def kill_server(_process_id):
    """All of PostgreSQL at once; it has to be started again."""
    shut_down_at_once()
    start_postgresql()


def is_true_within(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("kill", [kill_session, pytest.param(kill_server, marks=pytest.mark.thorough)])
def test_postgresql_killed_in_the_middle_of_a_first_load(feeds, our_postgresql, kill):
    feeds.connect(1)
    feeds.start()
    feeds.begin()
    kill(feeds.wait_for_lines())
    assert feeds.without_first_load() == 1, "the kill came too late: nothing was tested"
    feeds.assert_nothing_doubled()
    # Why: Odoo's thread for scheduled actions ends permanently when it meets a PostgreSQL that is still recovering.
    feeds.installation.stop()
    feeds.start()
    feeds.finish()
    feeds.assert_books_equal_the_bank()
