"""Adapter × kind of refusal × whether it lasts, over simulated days: no request that was refused for a reason that
lasts is asked in two runs in a row, and what can be read is read.

The runs are those of ``books/run.py`` and ``sync/fetch.py``, reduced to what they ask; the decisions are the same
pure functions.
"""

import json
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from account_online_synchronization.sync import refusals
from account_online_synchronization.sync.windows import window_start

pytest.importorskip("bank_sync_proxy.providers.errors", reason="the proxy's addon is not beside this one")

from bank_sync_proxy.providers.errors import ProviderError
from bank_sync_proxy.tests.pure.contract import LIBRARIES, NOW, script_class
from bank_sync_proxy.tests.pure.scripted import Case
from bank_sync_proxy.tests.pure.test_history import DAYS, REACHES, REFUSALS, first_day
from bank_sync_proxy.tests.pure.test_incomplete import CLOSED

RUNS = 30
START = NOW.date() - timedelta(days=400)
BOOKMARKS = ("plaid", "salt_edge")


class Database:
    """What an account remembers, and what a scheduled run does with it."""

    def __init__(self, script):
        self.script = script
        self.last_sync = self.cursor = self.code = self.refused_at = None
        self.history = 0

    def run(self):
        """:return: whether everything was read"""
        now = self.script.moment
        if not refusals.is_worth_requesting(self.code, self.refused_at, now, user_present=False):
            return False
        try:
            self.cursor = self.read()
        except ProviderError as error:
            self.learn(error.history_days)
            assert error.code in refusals.LASTING_REFUSALS, error
            self.code, self.refused_at = error.code, now
            return False
        self.last_sync, self.code = now.date(), None
        return True

    def read(self):
        """:return: the next bookmark"""
        if self.cursor:
            try:
                return self.ask(cursor=self.cursor)
            except ProviderError as error:
                if error.code not in refusals.REFUSED_BOOKMARKS:
                    raise
                self.cursor = None
                self.by_date()
                return None
        return self.by_date()

    def by_date(self):
        since = window_start(START, self.last_sync)
        return self.ask(since=refusals.within_history(since, self.history, self.script.moment.date()))

    def ask(self, **wanted):
        self.script.adapter = self.script.new_adapter()
        pages = self.script.pages(**wanted)
        self.learn(pages[0].history_days)
        return pages[-1].next_cursor

    def learn(self, days):
        self.history = refusals.learned_history(days) or self.history


@pytest.fixture
def world(code):
    """A scripted provider that answers by path, and counts in which run it has refused."""
    if library := LIBRARIES.get(code):
        pytest.importorskip(library)
    script = script_class(code)()
    script.server.check = lambda request: None
    world = SimpleNamespace(script=script, run=0, refused=[], refuse=lambda request: None)
    exchanges = json.loads(json.dumps(Case(code, "empty").exchanges))
    listed = exchanges[-1]["ask"].split(" ")[1].split("?")[0]

    def find(request):
        path = request.path.removeprefix(script.server.prefix)
        if path == listed and (refusal := world.refuse(request)):
            world.refused.append(world.run)
            return refusal
        same = [e for e in (*exchanges, *script.always) if e["ask"].split(" ")[1].split("?")[0] == path]
        # Salt Edge lists in one place what is booked and what is pending.
        same = [e for e in same if ("pending=" in e["ask"]) == ("pending=" in request.url)] or same
        return same[-1] if same else {"ask": "", "status": 404, "answer": {}}

    script.server._next, script.server._compare = find, lambda exchange, request: None
    world.exchanges = exchanges
    yield world
    script.server.close()


def live(world, lasts):
    """Twice a day for two weeks.

    :return: for each run, whether everything was read
    """
    database, read, refuse = Database(world.script), [], world.refuse
    for world.run in range(RUNS):
        world.script.moment = NOW + timedelta(hours=12 * world.run)
        if not lasts and world.refused and world.run > world.refused[0]:
            world.refuse = lambda request: None
        read.append(database.run())
    assert refuse
    return read


def never_twice_in_a_row(runs):
    runs = sorted(set(runs))
    return all(later - earlier > 1 for earlier, later in pairwise(runs))


@pytest.mark.parametrize("lasts", [True, False], ids=["lasts", "passes"])
@pytest.mark.parametrize("code", DAYS)
def test_a_period_is_refused_in_the_first_run_only(world, code, lasts):
    status, answer = REFUSALS["short"]
    reach = 60 if 60 in REACHES[code] else max(REACHES[code])

    def refuse(request):
        day = first_day(code, request) or date.min
        is_long = day < world.script.moment.date() - timedelta(days=reach)
        return {"ask": "", "status": status, "answer": answer} if is_long else None

    world.refuse = refuse
    assert all(live(world, lasts)), "what the bank gives is read in each run"
    assert set(world.refused) == {0}


@pytest.mark.parametrize("lasts", [True, False], ids=["lasts", "passes"])
@pytest.mark.parametrize("code", BOOKMARKS)
def test_a_bookmark_is_never_refused_twice_in_a_row(world, code, lasts):
    place = {
        "plaid": lambda request: request.body.get("cursor"),
        "salt_edge": lambda request: "from_id" in request.url,
    }
    world.refuse = lambda request: (
        {"ask": "", "status": 400, "answer": {"error_code": "INVALID_FIELD"}} if place[code](request) else None
    )
    if code == "salt_edge":
        # A bookmark without an id asks for all, so the list must hold something.
        world.exchanges[:] = json.loads(json.dumps(Case(code, "same_id_twice").exchanges))
    assert all(live(world, lasts)), "by date everything is read"
    assert world.refused and never_twice_in_a_row(world.refused)
    assert lasts or len(world.refused) == 1


@pytest.mark.parametrize("lasts", [True, False], ids=["lasts", "passes"])
@pytest.mark.parametrize("code", CLOSED)
def test_a_closed_account_is_requested_once_a_week(world, code, lasts):
    refused = CLOSED[code](json.loads(json.dumps(world.exchanges)))[-1]
    world.refuse = lambda request: refused
    read = live(world, lasts)
    assert never_twice_in_a_row(world.refused)
    assert len(set(world.refused)) <= (3 if lasts else 1)
    assert lasts != any(read), "an account that was opened again comes back"
