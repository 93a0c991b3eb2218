"""Ask live providers, with keys from environment variables; off unless these are set.

``BANK_SYNC_LIVE_<PROVIDER>_<NAME>`` is a setting of the provider, or, where keys belong to the user's connection, an
answer to its first question. A value that begins with ``@`` names a file that holds it. ``…_ENVIRONMENT`` is
``sandbox`` (if it is not set) or ``production``, ``…_INSTITUTION`` a bank, ``…_COUNTRY`` whose banks are listed,
``…_CALLBACK_URL`` the one that is registered at the provider. Nothing that is printed is a secret, nothing is stored.
"""

import argparse
import importlib
import os
import sys
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from . import bootstrap, pure
from .console import say

PREFIX = "BANK_SYNC_LIVE_"
STATE = "state-of-the-live-walk"
DAYS = 30
#: Pages of transactions that are read at most: one shows whether they can be read.
PAGES = 3


def main(arguments):
    options = parse(arguments)
    bootstrap.need_packages()
    if "odoo.addons" not in sys.modules:
        pure.enter()
    providers = importlib.import_module("bank_sync_proxy.providers")
    known = [code for code, _label, _name in providers.PROVIDERS if code != "sandbox"]
    # Who names a provider and walks is there to answer its questions.
    answers = options.walk and bool(options.codes)
    results = [
        Live(code, providers.provider_class(code), options.walk, answers).run() for code in options.codes or known
    ]
    asked = [result for result in results if result is not None]
    say(f"{len(asked)} of {len(results)} providers asked, {asked.count(False)} with failures.")
    return int(False in asked)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="scripts/live", description="Ask live providers with keys of the environment."
    )
    parser.add_argument("codes", nargs="*", metavar="CODE", help="providers (default: all)")
    parser.add_argument("--walk", action="store_true", help="connect a bank, too, where that needs a person: you")
    return parser.parse_args(arguments)


class Live:
    """One provider, asked step by step. A step that fails ends it."""

    def __init__(self, code, adapter_class, walk=False, answers=False):
        self.code, self.adapter_class, self.walk, self.answers = code, adapter_class, walk, answers

    def variable(self, name):
        value = os.environ.get(self.name_of(name), "")
        return Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value

    def name_of(self, name):
        return f"{PREFIX}{self.code}_{name}".upper()

    def run(self):
        """:return: whether all went well; None without keys"""
        errors = importlib.import_module("bank_sync_proxy.providers.errors")
        declared = self.adapter_class.settings_needed
        settings = {setting.name: self.variable(setting.name) for setting in declared}
        settings["base_url"] = self.variable("base_url")
        self.adapter = self.adapter_class(settings=settings, production=self.variable("environment") == "production")
        missing = [s.name for s in declared if s.required and not s.default and not settings[s.name]]
        self.has_own_keys = any(setting.required for setting in declared)
        questions = () if self.has_own_keys or self.answers else self.first_question().fields
        missing += [field.name for field in questions if field.type != "info" and not self.variable(field.name)]
        if missing:
            say(f"{self.code}: not asked. Set {', '.join(map(self.name_of, missing))}.")
            return None
        try:
            self.ask()
        except errors.ProviderError as error:
            say(f"{self.code}: FAILED. {error}")
            return False
        return True

    def ask(self):
        if self.has_own_keys:
            say(f"{self.code}: the keys work: {self.adapter.check_keys()}")
        banks = list(self.adapter.institutions(self.variable("country") or None))
        say(f"{self.code}: {len(banks)} banks")
        state = self.consent(banks)
        if state is None:
            say(f"{self.code}: no accounts without a person; --walk connects a bank.")
            return
        accounts = self.adapter.accounts(state)
        say(f"{self.code}: {len(accounts)} accounts, {sum(one.balance is not None for one in accounts)} with a balance")
        for account in accounts:
            self.read(state, account)

    def read(self, state, account):
        rows, unread, cursor, more = [], 0, None, True
        for _page in range(PAGES):
            page = self.adapter.transactions(state, account.id, date.today() - timedelta(days=DAYS), cursor)
            rows += page.transactions
            unread += len(page.unread)
            cursor, more = page.next_cursor, page.has_more
            if not more:
                break
        pending = sum(row.status == "pending" for row in rows)
        nameless = sum(not row.id for row in rows)
        say(
            f"{self.code}: {account.currency} account: {len(rows)} transactions of {DAYS} days{' and more' * more}, "
            f"{pending} pending, {nameless} without an id, {unread} unreadable"
        )

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def flow(self, banks=(), data=None):
        types = importlib.import_module("bank_sync_proxy.providers.types")
        institution = self.variable("institution") or (banks[0].id if banks else "")
        callback = self.variable("callback_url") or "https://localhost/bank_sync/callback"
        return types.Flow("connect", institution, callback, STATE, "en_US", {}, data or {})

    def first_question(self):
        return self.adapter.start("", self.flow())

    def consent(self, banks):
        """:return: state of a connection, or None where that needs a person"""
        if self.code in WITHOUT_A_PERSON and not self.adapter.production:
            return WITHOUT_A_PERSON[self.code](self.adapter)
        if self.has_own_keys and not self.walk:
            return None
        types = importlib.import_module("bank_sync_proxy.providers.types")
        step = self.adapter.start(self.flow(banks).institution, self.flow(banks))
        while not isinstance(step, types.Completed):
            flow = self.flow(banks, step.data)
            if isinstance(step, types.Redirect):
                say(f"Open {step.url}")
                address = input("Paste the address to which the bank sends you back: ")
                step = self.adapter.complete(flow, dict(parse_qsl(urlsplit(address.strip()).query)))
            elif step.error or (not self.walk and any(not self.variable(field.name) for field in step.fields)):
                say(f"{self.code}: {step.error or step.title}")
                return None
            else:
                step = self.adapter.answer(flow, {field.name: self.answer_to(field) for field in step.fields})
        return step.state

    def answer_to(self, field):
        if field.type == "info":
            # Such as a certificate that is to be copied to the bank.
            say(f"{field.label}: {field.value}")
            return field.value
        choices = f" ({', '.join(option.value for option in field.options)})" if field.options else ""
        return self.variable(field.name) or field.value or input(f"{field.label}{choices}: ")


def plaid(adapter):
    """Plaid's sandbox makes a connection without its pages. https://plaid.com/docs/api/sandbox/"""
    wanted = {"institution_id": "ins_109508", "initial_products": ["transactions"]}
    token = adapter.http.post("sandbox/public_token/create", wanted)["public_token"]
    item = adapter.http.post("item/public_token/exchange", {"public_token": token})
    listed = adapter.http.post("accounts/get", {"access_token": item["access_token"]})["accounts"]
    accounts = {one["account_id"]: adapter._identity(one) for one in listed}
    return {
        "access_token": item["access_token"],
        "item_id": item["item_id"],
        "expires_at": None,
        "accounts": accounts,
    }


#: Sandboxes that need no user to sign in, by provider: adapter → state.
WITHOUT_A_PERSON = {"plaid": plaid}
