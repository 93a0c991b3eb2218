"""Banks answer slowly, and many links are due: what the scheduled action does while it waits."""

from pathlib import Path

import pytest

LINKS = 20

#: Defines what runs inside Odoo; ``bank`` is a SlowBank that all links ask.
BEGIN = """
import pathlib, runpy, threading, time
slow_bank = runpy.run_path({path!r})
class Bank(slow_bank["SlowBank"]):
    pass
"""

#: No request passes the barrier before those of all links are on their way, at each of the three requests; the last
#: one that comes looks around first.
LOOK_AROUND = """
seen = []
def look():
    with env.registry.cursor() as cr:
        cr.execute('''
            SELECT state, query FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
               AND state <> 'idle'
        ''')
        seen.append(cr.fetchall())
barrier = threading.Barrier({links}, look, timeout=120)
Bank.wait = lambda bank, operation: barrier.wait()
bank = Bank(threads={links})
bank.connect(env)
env["account.online.link"]._cron_synchronize()
result = {{"seen": seen, "most": bank.most, "asked": len(bank.requests)}}
"""

#: Each waits until the other one is there.
WORKER = """
here, deadline = pathlib.Path({folder!r}), time.monotonic() + 300
(here / "ready-{number}").touch()
while len(list(here.glob("ready-*"))) < 2:
    assert time.monotonic() < deadline, "the other worker did not come"
    time.sleep(0.01)
bank = Bank(latency=0.05, threads=2)
bank.connect(env)
env["account.online.link"]._cron_synchronize()
result = bank.requests
"""


@pytest.fixture(scope="module")
def links(company):
    """A company with links to slow banks."""
    company.shell(begin() + f"slow_bank['connect'](env, {LINKS})")
    return company


@pytest.fixture(autouse=True)
def due(links):
    links.sql("UPDATE account_online_link SET next_refresh = NULL")
    links.sql("DELETE FROM account_online_run")


def begin():
    return BEGIN.format(path=str(Path(__file__).with_name("slow_bank.py")))


def assert_all_done(links):
    assert links.sql("SELECT count(*) FROM account_online_link WHERE next_refresh IS NULL OR state <> 'connected'") == [
        ["0"]
    ]
    assert links.sql("SELECT state, count(*) FROM account_online_run GROUP BY 1") == [["done", str(LINKS)]]


def test_banks_are_awaited_together_with_no_transaction_open(links):
    answer = links.shell(begin() + LOOK_AROUND.format(links=LINKS))
    assert answer["most"] == LINKS
    assert answer["asked"] == 3 * LINKS
    assert answer["seen"] == [[], [], []]
    assert_all_done(links)


def test_two_workers_never_ask_twice_for_one_link(links, tmp_path):
    scripts = [begin() + WORKER.format(folder=str(tmp_path), number=number) for number in range(2)]
    answers = links.shells(scripts, tmp_path)
    asked = [tuple(request) for requests, _printed in answers for request in requests]
    assert all(requests for requests, _printed in answers), "a worker had nothing to do: they did not share"
    assert len(asked) == len(set(asked)) == 3 * LINKS
    assert_all_done(links)
