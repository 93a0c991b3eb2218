"""Several workers synchronize at the same time: they share the work, and none is in another's way."""

import re

import pytest

from .books import assert_books_equal_the_bank, inside

DAYS = 5

#: Each waits until all of them are there. Its user shows which worker made a run.
WORKER = """
import pathlib, time
here, deadline = pathlib.Path({folder!r}), time.monotonic() + 300
(here / "ready-{number}").touch()
while len(list(here.glob("ready-*"))) < {workers}:
    assert time.monotonic() < deadline, "the other workers did not come"
    time.sleep(0.01)
worker = env(user={user}, su=True)
worker["account.online.link"]._cron_synchronize()
result = worker["account.online.run"].search_count([("create_uid", "=", {user}), ("imported", ">", 0)])
"""
USERS = """
result = env["res.users"].create([{{"name": f"Worker {{n}}", "login": f"worker{{n}}"}} for n in range({workers})]).ids
"""
TROUBLE = re.compile(r"ERROR|CRITICAL|Traceback|deadlock detected|could not serialize|could not obtain lock")


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.thorough)])
def test_workers_share_the_links(installation, tmp_path, thorough, workers):
    links = 50 if thorough else 16
    installation.prepare_company()
    account = {"institution": "demo-beta", "only": "Business account", "days": DAYS}
    inside(installation, "connect", [{**account, "user": f"user{number}"} for number in range(links)])
    users = installation.shell(USERS.format(workers=workers))
    scripts = [
        WORKER.format(folder=str(tmp_path), number=number, workers=workers, user=user)
        for number, user in enumerate(users)
    ]
    answers = installation.shells(scripts, tmp_path)

    for _served, printed in answers:
        assert not TROUBLE.search(printed), printed[-4000:]
    assert all(served for served, _printed in answers), "a worker had nothing to do: they did not work side by side"
    lines = assert_books_equal_the_bank(installation)
    assert count(installation, "account_online_link WHERE last_refresh IS NULL") == 0
    assert count(installation, "account_online_run WHERE state <> 'done'") == 0
    # Why the rest: what is done twice counts twice.
    assert count(installation, "account_online_run WHERE imported > 0") == links
    assert count(installation, "account_online_run", "sum(imported)") == lines


def count(installation, of, what="count(*)"):
    return int(installation.sql(f"SELECT {what} FROM {of}")[0][0])
