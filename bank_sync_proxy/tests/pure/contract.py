"""What the contract suite needs to know about a provider: a :class:`Script` in ``<code>_server.py``."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import cached_property
from importlib import import_module

from ...providers import PROVIDERS, provider_class
from ...providers.types import Challenge, Flow, Redirect
from .scripted import FIXTURES, Case, ScriptedServer

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
CALLBACK_URL = "https://proxy.example/bank_sync/callback"
STATE = "the-state-of-this-visit"

#: Has no network, so there is nothing to script.
OFFLINE = {"sandbox"}
#: Why some requests for tokens are repeated.
SIGNS_IN = "an adapter lives for one operation, and its token is not stored"
#: Which optional library an adapter needs; without it, its script can't be imported either.
LIBRARIES = {"fints": "fints"}
CODES = [code for code, _label, _name in PROVIDERS if code not in OFFLINE]

#: Each provider has a file for each of these.
CASES = (
    *("institutions", "connect", "refused", "renewal", "accounts", "refresh", "revoke", "keys", "keys_refused"),
    *(
        "paging",
        "empty",
        "unknown_fields",
        "pending_and_booked",
        "removal",
        "same_id_twice",
        "two_currencies",
        "undocumented",
    ),
    *("consent_expired", "consent_revoked", "rate_limited", "server_error", "webhook"),
)


class Script:
    """One provider's side of the suite.

    :cvar dict settings: texts; ``{base}`` is the server
    :cvar str institution: the one that is connected
    :cvar str country: whose institutions are listed
    :cvar str account: id of the account whose transactions are requested
    :cvar dict answers: to all challenges of a connection, by name of the field
    :cvar dict callback: parameters with which the browser comes back; ``refusal`` when the user has refused
    :cvar tuple secrets: texts that may be in no log and in no error
    :cvar tuple renewed: id in the requests of ``revoke``, and the one that ``renewal`` has put in its place, if it has
    :cvar str always_booked: why the provider reports the booked balance of each account; empty where it may leave it
        out
    :cvar tuple bad_rows: two (unreadable transaction, how it is kept), of the kind of ``unknown_fields``
    :cvar server_class: what speaks the provider's language
    :cvar str media_type: of its answers
    :cvar str accounts_ask: beginning of the request whose answer lists the accounts, at ``accounts_at`` in the answer
    :cvar str own_id: name under which a state keeps what the provider calls an account
    :cvar str lists_again: case in which the accounts are listed without a new consent, None where there is none
    :cvar tuple always: exchanges that precede any request some days later, such as for an expired token
    :cvar int too_soon: how often a request is sent if it is refused for coming too soon, without a longer pause
    :cvar str asks_once: why no request is ever repeated; empty if requests that only read may be
    :cvar dict asks_again: requests (``POST /token``) that one synchronization sends several times, each with the reason
    """

    code = None
    prefix = ""
    settings = {}
    institution = None
    country = None
    account = None
    answers = {}
    refused_answers = {}
    callback = {}
    refusal = {}
    secrets = ()
    renewed = ("", "")
    server_class = ScriptedServer
    media_type = "application/json"
    too_soon = 1
    asks_once = ""
    asks_again = {}
    always = ()
    accounts_ask = "GET /accounts"
    accounts_at = ("accounts",)
    own_id = "id"
    lists_again = "accounts"
    always_booked = ""
    bad_rows = (({"not": "documented"}, {"not": "documented"}), (None, {"row": None}))

    def __init__(self):
        self.moment = NOW
        self.server = self.server_class(lambda: NOW, self.check, self.prefix)
        self.slept = []
        self.adapter = self.new_adapter()

    def new_adapter(self):
        settings = {name: self.fill(value) for name, value in self.settings.items()}
        settings["base_url"] = self.server.base_url
        adapter = provider_class(self.code)(settings=settings, clock=lambda: self.moment)
        connect = adapter.connect

        def connect_without_pauses(*args, **options):
            http = connect(*args, **options)
            http.sleep = self.slept.append
            return http

        adapter.connect = connect_without_pauses
        return adapter

    def check(self, request):
        """Assert what every request needs, such as credentials."""

    def fill(self, value):
        return json.loads(json.dumps(value).replace("{base}", self.server.base_url))

    @cached_property
    def state(self):
        """What ``connect`` makes; the suite compares."""
        return self.fill(json.loads((FIXTURES / self.code / "state.json").read_text()))

    def play(self, name):
        """:return: the case, whose exchanges are expected from now on"""
        case = Case(self.code, name)
        self.server.expect(case.exchanges)
        return case

    def walk(self, kind="connect", answers=None, callback=None):
        """Do what a user does, until the end or until the adapter repeats itself.

        :return: the adapter's last word
        """
        state = self.state if kind == "renew" else {}
        flow = Flow(kind, self.institution, CALLBACK_URL, STATE, "fr_BE", state)
        step = self.adapter.renew(state, flow) if kind == "renew" else self.adapter.start(self.institution, flow)
        for _step in range(5):
            # What is kept meanwhile has to survive as JSON.
            flow = replace(flow, data=json.loads(json.dumps(getattr(step, "data", {}))))
            # An object lives for one operation, so nothing that it has kept may be needed.
            self.adapter = self.new_adapter()
            if isinstance(step, Redirect):
                step = self.adapter.complete(flow, self.callback if callback is None else callback)
                if isinstance(step, Challenge):
                    return step
            elif isinstance(step, Challenge):
                if step.error:
                    return step
                step = self.adapter.answer(flow, self.fill(answers or self.answers))
            else:
                return step
        raise AssertionError("the visit has no end")

    def alike(self, account, number):
        """:param dict account: the first of the case ``connect``, as the provider lists it
        :return: the same as another account: equal in all but the provider's own id and the balance
        """
        raise NotImplementedError

    def list_accounts(self, exchanges, accounts):
        """Let the exchanges list these accounts instead of their own."""
        for exchange in exchanges:
            if exchange["ask"].startswith(self.accounts_ask):
                *path, last = self.accounts_at
                answer = exchange["answer"]
                for name in path:
                    answer = answer[name]
                answer[last] = accounts

    def some_alike(self, numbers):
        """:return: accounts that differ only in their ids"""
        answers = [e["answer"] for e in Case(self.code, "connect").exchanges if e["ask"].startswith(self.accounts_ask)]
        account = answers[-1]
        for name in (*self.accounts_at, 0):
            account = account[name]
        return [self.alike(account, number) for number in numbers]

    def placeholders(self, row):
        """:param row: ``Transaction.raw`` of a good one
        :return: rows like it, each with one text that is only there because something had to be
        """
        return [replaced(row, path, text) for path, said in texts_of(row) for text in placeholders_for(said)]

    def put_beside(self, row, exchanges, bad):
        """Change the exchanges, so that bad rows stand before the good ones.

        :param row: ``Transaction.raw`` of a good one
        """
        *_others, rows = (found for exchange in exchanges for found in lists_with(row, exchange.get("answer")))
        rows[:0] = bad

    def leave_out_booked(self, answer):
        """Change an answer of the case ``accounts``, so that only available amounts are left of the balances."""
        raise NotImplementedError

    def pages(self, since=None, cursor=None, account=None):
        """:return: all pages of one request"""
        pages = []
        while not pages or pages[-1].has_more:
            cursor = pages[-1].next_cursor if pages else cursor
            pages.append(self.adapter.transactions(self.state, account or self.account, since=since, cursor=cursor))
            json.dumps(pages[-1].to_protocol(), allow_nan=False)
            assert len(pages) < 50, "the pages have no end"
        return pages


#: What recorded answers have where the bank has nothing to say: texts, numbers, currencies and days.
NO_TEXTS = ("NOTPROVIDED", "NONREF", "n/a", "null", "-")
NO_NUMBERS = ("0000000000", "************1111", "XXXXXXXX")
NO_DAYS = ("0000-00-00", "0001-01-01", "1970-01-01", "9999-12-31")


def placeholders_for(said):
    if re.match(r"\d{4}-\d{2}-\d{2}", said):
        return [day + said[10:] for day in NO_DAYS]
    return ["XXX"] if re.fullmatch(r"[A-Z]{3}", said) else [*NO_TEXTS, *NO_NUMBERS]


def texts_of(value, path=()):
    """:return: (path, text) of all texts within JSON"""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if isinstance(item, str):
            yield (*path, name), item
        else:
            yield from texts_of(item, (*path, name))


def replaced(value, path, text):
    value = json.loads(json.dumps(value))
    *parents, last = path
    place = value
    for name in parents:
        place = place[name]
    place[last] = text
    return value


def lists_with(row, value):
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from lists_with(row, item)
    if isinstance(value, list) and row in value:
        yield value


def script_class(code):
    """:raise ModuleNotFoundError: a provider was registered without its script"""
    return import_module(f".{code}_server", __package__).SCRIPT


@contextmanager
def scripted(code):
    """:return: context manager of a new :class:`Script`; skips the test where the provider's library is missing"""
    # Why here: the tests inside Odoo use this module, too, perhaps without pytest.
    import pytest

    if library := LIBRARIES.get(code):
        pytest.importorskip(library)
    script = script_class(code)()
    yield script
    script.server.close()
