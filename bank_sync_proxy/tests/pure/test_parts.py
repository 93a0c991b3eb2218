"""An answer that is too large, of the bank or for the database, arrives in parts: nothing is missing or twice."""

import copy
import json
import math
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.bank_sync_common.tools.bounded_http import MAX_VALUES

from bank_sync_proxy.providers import base, http, parts, provider_class
from bank_sync_proxy.providers.base import Provider
from bank_sync_proxy.providers.errors import ProtocolError
from bank_sync_proxy.providers.parts import ANSWER_LIMIT, AnswerLimit, Part
from bank_sync_proxy.providers.types import Page, Transaction, Unread
from bank_sync_proxy.tests.pure.contract import CODES, NOW, script_class, scripted
from bank_sync_proxy.tests.pure.scripted import Case
from environment import thorough

TODAY = NOW.date()
ACCOUNT = "A"


def days_ago(number):
    return TODAY - timedelta(days=number)


# -------------------------------------------------------------------------
# THE RULE
# -------------------------------------------------------------------------


@given(days=st.integers(0, 800), at_once=st.none() | st.integers(1, 100), halves=st.integers(0, 12))
def test_parts_follow_each_other_without_a_gap(days, at_once, halves):
    part = Part.beginning(days_ago(days), at_once, TODAY)
    for _half in range(halves):
        part = part.half(TODAY) or part
    assert part.since == days_ago(days)
    while part.until:
        assert part.since <= part.until < TODAY
        assert Part.from_json(json.loads(json.dumps(part.to_json()))) == part
        following = part.following(TODAY)
        assert following.since == part.until + timedelta(days=1)
        part = following
    assert part.since <= TODAY and part.following(TODAY) is None, "the last part has no end"


def test_one_day_is_not_halved():
    assert Part(TODAY).half(TODAY) is None
    assert Part(days_ago(5), days_ago(5), 1).half(TODAY) is None
    assert Part(None).half(TODAY).since == TODAY - parts.LONGEST


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], "x", {}, {"since": None, "until": None, "days": None, "inner": None}),
        {"since": "2026-13-01", "until": None, "days": 1, "inner": None},
        {"since": "2026-01-01", "until": None, "days": 0, "inner": None},
        {"since": "2026-01-01", "until": None, "days": "1", "inner": None},
        {"since": "2026-01-01", "until": None, "days": 1, "inner": 7},
        {"since": "2026-01-01", "until": "2025-12-31", "days": 1, "inner": None},
        {"since": "2026-01-01", "until": "9999-12-31", "days": 1, "inner": None},
        {"since": "0001-01-01", "until": None, "days": None, "inner": None},
    ],
)
def test_a_part_that_we_did_not_write_is_refused(value):
    script = script_class("gocardless")()
    try:
        with pytest.raises(ProtocolError) as caught:
            script.adapter.read_part("A", script.adapter.write_cursor("A", part=value))
        assert caught.value.code == "invalid_request"
    finally:
        script.server.close()


class Bank(Provider):
    """Has so many transactions on each of the last days; can give so many at once."""

    code = "bank"
    takes_until = True

    def __init__(self, by_day, most=math.inf, at_once=None, pending=0, unread=0, has_ids=True):
        super().__init__(clock=lambda: NOW)
        self.rows = [
            Transaction(
                f"{day}-{number}" if has_ids else None, "booked", Decimal(1), "EUR", day, raw={"text": "x" * 100}
            )
            for days, count in by_day.items()
            for day in [days_ago(days)]
            for number in range(count)
        ]
        self.rows.sort(key=lambda row: row.booking_date)
        self.pending = [Transaction(f"p{n}", "pending", Decimal(1), "EUR", raw={}) for n in range(pending)]
        self.unread = tuple(Unread(f"u{n}", None, "x") for n in range(unread))
        self.most, self.days_at_once, self.asked, self.refused = most, at_once, [], 0

    def first_day(self, since):
        return since or (days_ago(90) if self.days_at_once else None)

    def read_page(self, state, account, since=None, cursor=None, limit=None, until=None):
        self.asked.append((since, until))
        rows = [r for r in self.rows if (since or date.min) <= r.booking_date <= (until or date.max)]
        if len(rows) > self.most:
            self.refused += 1
            raise ProtocolError("answer_too_large")
        return Page((*rows, *self.pending), unread=self.unread)

    def write_part(self, account, part):
        return json.dumps(part.to_json())

    def read_part(self, account, cursor):
        return Part.from_json(json.loads(cursor))

    def load(self, since):
        return [row.id for row in self.rows_of_load(since)]

    def rows_of_load(self, since):
        """:return: list of the rows of all pages, as a database gets them"""
        page, pages = self.transactions({}, ACCOUNT, since=since), []
        while True:
            pages.append(page)
            if not page.has_more:
                return [row for page in pages for row in page.transactions]
            assert page.next_cursor and len(pages) < 2000
            page = self.transactions({}, ACCOUNT, cursor=page.next_cursor)


BY_DAY = st.dictionaries(st.integers(0, 400), st.integers(1, 9), max_size=20)


@given(
    by_day=BY_DAY,
    most=st.integers(9, 60),
    at_once=st.none() | st.integers(1, 60),
    begin=st.none() | st.integers(0, 400),
)
def test_everything_arrives_once_if_the_bank_gives_too_much(by_day, most, at_once, begin):
    bank = Bank(by_day, most, at_once, pending=2)
    since = None if begin is None else days_ago(begin)
    first = bank.first_day(since) or date.min
    wanted = [row.id for row in bank.rows if row.booking_date >= first] + ["p0", "p1"]
    assert bank.load(since) == wanted
    assert bank.refused <= 10 * (1 + len(by_day)), "a part that was granted is the measure of the following ones"


@given(by_day=BY_DAY, size=st.integers(6_000, 60_000), unread=st.integers(0, 3))
def test_everything_arrives_once_if_the_database_reads_less(by_day, size, unread):
    bank = Bank(by_day, pending=2, unread=unread)
    bank.answer_limit = AnswerLimit(size, 10_000)
    few, parts.FEW_ROWS = parts.FEW_ROWS, 0
    try:
        assert bank.load(days_ago(401)) == [*(row.id for row in bank.rows), "p0", "p1"]
    finally:
        parts.FEW_ROWS = few
    assert not bank.refused, "what the bank has given is not thrown away"


def test_each_answer_is_as_large_as_allowed():
    bank, sizes = Bank(dict.fromkeys(range(100), 9)), []
    bank.answer_limit = AnswerLimit(50_000, 1_000_000)
    page = bank.transactions({}, ACCOUNT, since=days_ago(200))
    while page.has_more:
        sizes.append(len(json.dumps(page.to_protocol())))
        page = bank.transactions({}, ACCOUNT, cursor=page.next_cursor)
    assert len(sizes) > 5 and max(sizes) <= 50_000 and min(sizes) > 40_000


def test_one_day_that_is_too_large_says_so():
    bank = Bank({3: 50, 2: 51, 1: 2}, most=50)
    page = bank.transactions({}, ACCOUNT, since=days_ago(9))
    with pytest.raises(ProtocolError) as caught:
        while True:
            page = bank.transactions({}, ACCOUNT, cursor=page.next_cursor)
    assert caught.value.code == "answer_too_large" and "single day" in caught.value.sentence
    bank = Bank({3: 300})
    bank.answer_limit = AnswerLimit(5_000, 1_000_000)
    with pytest.raises(ProtocolError) as caught:
        bank.load(since=days_ago(9))
    assert caught.value.code == "answer_too_large"


@pytest.mark.parametrize("pending", [0, 250])
@pytest.mark.parametrize("has_ids", [True, False])
def test_what_is_older_than_the_first_day_comes_once(has_ids, pending):
    """Of rows without an id a repeat would be another transaction to the database."""
    bank = Bank({30: 200, 5: 100, 1: 100, 0: 3}, pending=pending, has_ids=has_ids)
    wanted = Counter(row.booking_date for row in bank.rows)
    ask = bank.read_page
    bank.read_page = lambda *args, since=None, **named: ask(*args, since=min(since, days_ago(30)), **named)
    bank.answer_limit = AnswerLimit(270 * len(json.dumps(bank.rows[-1].to_protocol())), 1_000_000)
    found = Counter(row.booking_date for row in bank.rows_of_load(days_ago(10)) if row.status == "booked")
    assert found == wanted
    assert all(since <= TODAY for since, _until in bank.asked), "no bank knows tomorrow"


def test_a_history_without_a_first_day_that_is_halved_says_how_far_it_goes():
    bank = Bank(dict.fromkeys(range(100), 9), most=500)
    assert bank.transactions({}, ACCOUNT).history_days == parts.LONGEST.days
    assert bank.transactions({}, ACCOUNT, since=days_ago(99)).history_days is None
    assert Bank({3: 1}).transactions({}, ACCOUNT).history_days is None


# -------------------------------------------------------------------------
# EVERY ADAPTER THAT REQUESTS PARTS
# -------------------------------------------------------------------------


class GoCardless:
    """All transactions of a period in one answer."""

    def rows_of(self, exchange):
        return exchange["answer"]["transactions"]["booked"]

    def move(self, row, day, number):
        name = f"{day}-{number}"
        return {**row, "bookingDate": f"{day}", "transactionId": name, "internalTransactionId": name}

    def period(self, query):
        return [query.get(name) and date.fromisoformat(query[name]) for name in ("date_from", "date_to")]

    def answer(self, exchange, rows):
        return {**exchange["answer"], "transactions": {"booked": rows, "pending": []}}


class EnableBanking(GoCardless):
    """The bank decides how much is in a page."""

    def rows_of(self, exchange):
        return exchange["answer"]["transactions"]

    def move(self, row, day, number):
        return {**row, "booking_date": f"{day}", "status": "BOOK", "entry_reference": f"{day}-{number}"}

    def answer(self, exchange, rows):
        return {"transactions": rows, "continuation_key": None}


class SimpleFin:
    """A period at a time, with its end."""

    def rows_of(self, exchange):
        return exchange["answer"]["accounts"][0]["transactions"]

    def move(self, row, day, number):
        midnight = int((day - date(1970, 1, 1)).total_seconds())
        return {**row, "id": f"{day}-{number}", "posted": midnight, "pending": False}

    def period(self, query):
        moments = [query.get(name) for name in ("start-date", "end-date")]
        first, end = [moment and date(1970, 1, 1) + timedelta(seconds=int(moment)) for moment in moments]
        return [first, end and end - timedelta(days=1)]

    def answer(self, exchange, rows):
        answer = copy.deepcopy(exchange["answer"])
        answer["accounts"][0]["transactions"] = rows
        return answer


BANKS = {"enable_banking": EnableBanking, "gocardless": GoCardless, "simplefin": SimpleFin}
#: FinTS has another language: its requests with an end are tested in test_fints.py, its parts above.
OTHER_LANGUAGE = {"fints"}


@pytest.fixture
def script(code):
    with scripted(code) as script:
        yield script


class LargeBank:
    """Answers each period with all of its transactions, so many a day, made from one of the adapter's fixtures."""

    def __init__(self, script, days, a_day):
        self.script, self.rules = script, BANKS[script.code]()
        exchanges = Case(script.code, "unknown_fields").exchanges
        self.others, self.listed = {e["ask"].partition("?")[0]: e for e in exchanges[:-1]}, exchanges[-1]
        row = self.rules.rows_of(self.listed)[0]
        self.days = {
            days_ago(n): [self.rules.move(row, days_ago(n), number) for number in range(a_day)] for n in range(days)
        }
        self.asked = []
        script.server._next, script.server._compare = self._answer, lambda exchange, request: None

    def _answer(self, request):
        if request.path != f"{self.script.server.prefix}{self.listed['ask'].split(' ')[1].partition('?')[0]}":
            return self.others[f"{request.method} {request.path.removeprefix(self.script.server.prefix)}"]
        first, last = self.rules.period(dict(request.query))
        self.asked.append((first, last))
        rows = [row for day, rows in self.days.items() if (first or day) <= day <= (last or day) for row in rows]
        return {**self.listed, "answer": self.rules.answer(self.listed, rows)}

    @property
    def ids(self):
        return {f"{day}-{number}" for day, rows in self.days.items() for number in range(len(rows))}


def test_all_adapters_that_request_parts_are_tested():
    assert {code for code in CODES if provider_class(code).takes_until} == set(BANKS) | OTHER_LANGUAGE


@pytest.mark.parametrize("limit", ["bytes", "values"])
@pytest.mark.parametrize("code", BANKS)
def test_an_adapter_whose_bank_gives_too_much_gets_everything(script, code, limit, monkeypatch):
    bank = LargeBank(script, days=80, a_day=5)
    content = json.dumps(bank.rules.answer(bank.listed, [row for rows in bank.days.values() for row in rows]))
    if limit == "bytes":
        monkeypatch.setattr(http, "MAX_BYTES", len(content) // 7)
    else:
        monkeypatch.setattr(http, "parse_json", lambda text, **named: limited_parse_json(text, content, **named))
    ids = Counter(row.id for page in script.pages(since=days_ago(79)) for row in page.transactions)
    assert set(ids) == bank.ids and set(ids.values()) == {1}
    assert len(bank.asked) < 25


def limited_parse_json(text, content, **named):
    most = sum(map(content.encode().count, (b",", b"[", b"{"))) // 7
    return parse_json(text, most, **named)


parse_json = http.parse_json


@pytest.mark.parametrize("code", [code for code in CODES if code not in {*BANKS, *OTHER_LANGUAGE}])
def test_another_adapter_s_answer_that_is_too_large_says_so(script, code, monkeypatch):
    monkeypatch.setattr(http, "MAX_BYTES", 1)
    script.server._next, script.server._compare = lambda request: {"ask": "", "answer": {}}, lambda *arguments: None
    with pytest.raises(ProtocolError) as caught:
        script.adapter.transactions(script.state, script.account)
    assert caught.value.code == "answer_too_large"


# -------------------------------------------------------------------------
# 200,000 TRANSACTIONS, FROM THE BANK TO THE DATABASE
# -------------------------------------------------------------------------


#: The nightly run takes the limits as they are: 32 MB from the bank, 20 MB and a million values for the database.
SCALE = 1 if thorough.IS_ON else 20


@pytest.mark.parametrize("code", ["gocardless"])
def test_a_first_load_of_200_000_transactions_arrives_through_a_remote_proxy(script, code, monkeypatch):
    """In the ordinary run everything is a twentieth of it: transactions and limits."""
    client = pytest.importorskip("account_online_synchronization.client.client")
    fetch = pytest.importorskip("account_online_synchronization.sync.fetch")
    remote = pytest.importorskip("account_online_synchronization.client.remote")
    server = pytest.importorskip("account_online_synchronization.tests.proxy_server")
    auth = pytest.importorskip("account_online_synchronization.client.auth")
    bank = LargeBank(script, days=400, a_day=500 // SCALE)
    monkeypatch.setattr(http, "MAX_BYTES", http.MAX_BYTES // SCALE)
    monkeypatch.setattr(http, "parse_json", lambda text, **named: parse_json(text, MAX_VALUES // SCALE, **named))
    monkeypatch.setattr(remote, "parse_json", lambda text: parse_json(text, MAX_VALUES // SCALE))
    monkeypatch.setattr(remote, "MAX_ANSWER", remote.MAX_ANSWER // SCALE)

    def dispatch(operation, payload):
        assert operation == "transactions.list"
        adapter = script.new_adapter()
        adapter.answer_limit = AnswerLimit(ANSWER_LIMIT.size // SCALE, ANSWER_LIMIT.values // SCALE)
        since, cursor = payload.get("since"), payload.get("cursor")
        page = adapter.transactions(script.state, script.account, since and date.fromisoformat(since), cursor)
        return page.to_protocol()

    with server.ProxyServer(dispatch) as proxy:
        transport = remote.RemoteTransport(
            proxy.address, auth.SignatureAuth(server.CLIENT, server.SECRET, server.DATABASE)
        )
        currency = script.state["accounts"][script.account]["currency"]
        plan = fetch.AccountPlan(7, script.account, days_ago(500), None, currency, today=TODAY)
        account = fetch.AccountFetch(plan)
        account.go(client.ProxyClient(transport), "connection")
    assert account.error is None and account.is_complete
    ids = Counter(one.id for one in account.window.booked)
    assert len(ids) == 200_000 // SCALE and set(ids) == bank.ids and set(ids.values()) == {1}
    assert len(bank.asked) < 60


def test_the_limit_is_below_that_of_a_database():
    remote = pytest.importorskip("account_online_synchronization.client.remote")
    bounded = pytest.importorskip("odoo.addons.bank_sync_common.tools.bounded_http")
    assert ANSWER_LIMIT.size < remote.MAX_ANSWER and ANSWER_LIMIT.values < bounded.MAX_VALUES
    assert base.Provider.answer_limit is None, "in the same process, no limit"
