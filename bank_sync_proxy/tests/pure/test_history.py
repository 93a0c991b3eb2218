"""A refusal of the period: what is asked for next, by every adapter alike."""

import inspect
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_sync_proxy.providers import history, provider_class, reading
from bank_sync_proxy.providers.base import Provider
from bank_sync_proxy.providers.errors import ProtocolError, ProviderError, RateLimited
from bank_sync_proxy.providers.types import Page
from bank_sync_proxy.tests.pure.contract import CODES, NOW, scripted
from bank_sync_proxy.tests.pure.scripted import Case

TODAY = NOW.date()


class Bank(Provider):
    """Gives ``reach`` days; -1: takes no first day; counts what it is asked."""

    code = "bank"

    def __init__(self, reach, named=()):
        super().__init__(clock=lambda: NOW)
        self.reach, self.named, self.asked = reach, named, []

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        self.asked.append(since)
        if since is None or (self.reach >= 0 and since >= TODAY - timedelta(days=self.reach)):
            return Page()
        error = ProtocolError("period_refused", provider="bank", status=400)
        error.named_days = self.named
        raise error


def days_ago(number):
    return TODAY - timedelta(days=number)


@given(reach=st.integers(-1, 800), wanted=st.integers(0, 2000), named=st.lists(st.integers(1, 900), max_size=4))
def test_what_the_bank_gives_is_found_and_no_period_is_asked_for_twice(reach, wanted, named):
    bank = Bank(reach, tuple(days_ago(days) for days in named))
    page = bank.transactions({}, "a", since=days_ago(wanted))
    assert len(set(bank.asked)) == len(bank.asked) <= 2 + len(history.RUNGS) + len(named)
    days = [day for day in bank.asked if day]
    assert days == sorted(days), "what was refused is not asked for again by asking for more"
    if reach >= wanted:
        assert page.history_days is None, "nothing was refused, so nothing is known"
        return
    # No less than what was asked for by its step, and the next run asks for it and nothing else.
    expected = [n for n in (*history.RUNGS, *named) if n <= reach and n < wanted and n >= 1]
    assert page.history_days >= (min(expected, default=0) if reach >= 0 else 0)
    again = Bank(reach)
    again.transactions({}, "a", since=days_ago(page.history_days) if page.history_days else None)
    assert len(again.asked) == 1


@given(reach=st.integers(30, 800), wanted=st.integers(31, 2000))
def test_a_limit_that_the_bank_names_is_used_to_the_day(reach, wanted):
    bank = Bank(reach, (days_ago(reach),))
    page = bank.transactions({}, "a", since=days_ago(wanted))
    assert page.history_days == (None if reach >= wanted else reach)
    assert len(bank.asked) <= 2


def test_bank_that_refuses_every_range_is_an_error_with_the_next_first_day():
    bank = Bank(-1)
    bank.read_page = lambda *args, **options: (_ for _ in ()).throw(ProtocolError("period_refused", status=400))
    with pytest.raises(ProtocolError) as caught:
        bank.transactions({}, "a", since=days_ago(400))
    assert caught.value.code == "period_refused" and caught.value.history_days == 0


def test_a_rate_limit_during_the_search_keeps_its_progress():
    bank, answers = Bank(40), iter([ProtocolError("period_refused"), RateLimited()])
    bank.read_page = lambda *args, **options: (_ for _ in ()).throw(next(answers))
    with pytest.raises(RateLimited) as caught:
        bank.transactions({}, "a", since=days_ago(400))
    assert caught.value.history_days == 89 and caught.value.to_protocol()["history_days"] == 89


@pytest.mark.parametrize(
    "text, named",
    [
        ("Date must not be before 2026-09-06", [date(2026, 9, 6)]),
        ("only the last 60 days are available", [days_ago(60), days_ago(59)]),
        ("maximal 45 Tage", [days_ago(45), days_ago(44)]),
        ("from 2026-13-45 or 2027-01-01", []),
        ("error 400 at 10:00", []),
        ("", []),
    ],
)
def test_what_a_refusal_names(text, named):
    assert list(history.named_periods(text, TODAY)) == named


def test_date_that_is_not_a_limit_does_not_shorten_the_history():
    """Such as the moment of the answer, or the day of the consent."""
    bank = Bank(89, history.named_periods(f"{TODAY} consent of {days_ago(5)}, retry in 2 days", TODAY))
    assert bank.transactions({}, "a", since=days_ago(400)).history_days == 89


# -------------------------------------------------------------------------
# EVERY ADAPTER WHOSE REQUESTS CONTAIN THE FIRST DAY
# -------------------------------------------------------------------------

#: Place of the first day in the request, by adapter.
DAYS = {
    "enable_banking": lambda query: query.get("date_from", [None])[0],
    "gocardless": lambda query: query.get("date_from", [None])[0],
    "yodlee": lambda query: query.get("fromDate", [None])[0],
    "qonto": lambda query: query.get("updated_at_from", [None])[0],
    "simplefin": lambda query: query.get("start-date", [None])[0],
    "teller": lambda query: query.get("start_date", [None])[0],
    "revolut_business": lambda query: query.get("from", [None])[0],
}
#: How far back the scripted bank goes. The request to Revolut reaches further back than needed, up to its only limit.
REACHES = {code: (89,) if code == "revolut_business" else (89, 75, 60, 31) for code in DAYS}
#: How refusals look. The last one says nothing but its status.
REFUSALS = {
    "berlin group": (400, {"tppMessages": [{"category": "ERROR", "code": "PERIOD_INVALID", "text": "x"}]}),
    "short": (400, {"code": "PERIOD_INVALID"}),
    "text in text": (422, {"error": "ASPSP_ERROR", "detail": '{"code": "PERIOD_INVALID"}'}),
    "status only": (400, {}),
}


@pytest.fixture
def script(code):
    with scripted(code) as script:
        yield script


def first_day(code, request):
    text = DAYS[code](parse_qs(urlsplit(request.url).query))
    if text is None:
        return None
    if "T" in text:
        return reading.central_european_day(reading.moment(text))
    return date.fromtimestamp(int(text)) if text.isdigit() else date.fromisoformat(text)


def bank_that_reaches(script, reach, refusal):
    """Let the scripted server refuse every request with an earlier first day."""
    exchanges = Case(script.code, "empty").exchanges
    listed = exchanges[-1]["ask"].split(" ")[1].split("?")[0]
    days = []

    def find(request):
        if request.path != f"{script.server.prefix}{listed}":
            return exchanges[0]
        day = first_day(script.code, request)
        days.append(day)
        if day is None or day < days_ago(reach):
            status, answer = REFUSALS[refusal]
            return {"ask": "", "status": status, "answer": answer}
        return exchanges[-1]

    script.server._next, script.server._compare = find, lambda exchange, request: None
    return days


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("code, reach", [(code, reach) for code in DAYS for reach in REACHES[code]])
def test_an_adapter_finds_what_the_bank_gives(script, code, reach, refusal):
    days = bank_that_reaches(script, reach, refusal)
    page = script.adapter.transactions(script.state, script.account, since=days_ago(400))
    assert page.history_days == max(rung for rung in history.RUNGS if rung <= reach)
    refused = [day for day in days if day < days_ago(reach)]
    assert len(refused) == len(set(refused))
    # The next run asks for no more, so nothing is refused.
    del days[:]
    script.adapter = script.new_adapter()
    script.adapter.transactions(script.state, script.account, since=days_ago(page.history_days))
    assert all(day >= days_ago(reach) for day in days)


@pytest.mark.parametrize("code", DAYS)
def test_a_usual_request_that_is_refused_as_invalid_is_not_repeated(script, code):
    """Days that every bank gives are not refused for their number."""
    days = bank_that_reaches(script, -1, "status only")
    with pytest.raises(ProviderError):
        script.adapter.transactions(script.state, script.account, since=days_ago(11))
    assert len(days) == 1


#: Adapters whose rows have moments; their day in Central Europe is the booking date. With first days that are requested
#: as they are: of Revolut, mostly earlier ones are requested, because of late bookings.
MOMENTS = {"qonto": (date(2026, 3, 1), date(2026, 7, 1)), "revolut_business": (days_ago(89),)}


@pytest.mark.parametrize("code, day", [(code, day) for code, days in MOMENTS.items() for day in days])
def test_the_first_hour_of_the_first_day_is_requested(script, code, day):
    """In UTC it belongs to the previous day: its transactions would be missing after a first load."""
    bank_that_reaches(script, 10_000, "status only")
    script.adapter.transactions(script.state, script.account, since=day)
    requested = reading.moment(DAYS[code](parse_qs(urlsplit(script.server.asked[-1].url).query)))
    first = reading.central_european_midnight(day)
    assert requested == first and reading.central_european_day(first) == day
    assert reading.central_european_day(first - timedelta(seconds=1)) == day - timedelta(days=1)


def test_adapters_that_read_moments_are_all_in_the_matrix():
    """These adapters rely on the bank for the rows of a day. Others read on until a row is older."""
    reads = [
        code
        for code in DAYS
        if "central_european_day(moment)" in inspect.getsource(inspect.getmodule(provider_class(code)))
    ]
    assert set(reads) == set(MOMENTS)


def test_adapters_that_send_dates_are_all_in_the_matrix():
    assert {code for code in CODES if provider_class(code).sends_dates} == set(DAYS)
