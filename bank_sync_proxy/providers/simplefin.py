"""SimpleFIN, a protocol that several servers speak. https://www.simplefin.org/protocol.html

SimpleFIN Bridge reaches banks of the United States and Canada; a setup token of any other server on https serves, too.

The user connects banks at the server and pastes a *setup token*: base64 of an address that gives, once, the *access
URL*. It holds user name and password, it is all there is to a consent, and one of them may cover several banks.
"""

import base64
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from urllib.parse import unquote, urlsplit, urlunsplit

from odoo.addons.bank_sync_common.tools.recognition import Keys

from . import reading
from .auth import Basic
from .errors import ProviderError, _lt
from .facts import Facts
from .http import NoAuth, leads_outside
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Field,
    Institution,
    Page,
    Refreshed,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

#: What the bridge gives at most in one answer; it says 90 days, users get 60.
WINDOW = timedelta(days=60)
HISTORY_DAYS = 90
#: The bridge asks for this and switches off what asks more often; one refresh is one request, and so is each account.
REQUESTS_PER_DAY = 24
MAX_NOTES = 5

#: https://github.com/simplefin/simplefin.github.com/blob/error-codes/protocol.md; the longest prefix counts, and what
#: follows it and is not known says no more than the prefix itself. Whatever it is, the answer is not complete.
ERRORS = {
    "gen.auth": "consent_revoked",
    # The request is invalid.
    "gen.api": "unexpected_answer",
    "con.auth": "credentials_rejected",
    "con.": "institution_unavailable",
    # Such as `act.failed` and `act.missingdata`.
    "act.": "institution_unavailable",
    "": "provider_unavailable",
}
BRIDGE = "SimpleFIN Bridge"
#: Id in the directory for servers that are not listed.
OTHER_SERVER = "server"
TOKEN = Challenge(
    title=_lt("Connect with SimpleFIN"),
    message=_lt(
        "Open https://bridge.simplefin.org/simplefin/create in another tab, connect your bank there, and copy the "
        "setup token that is shown. It can be used once."
    ),
    fields=(Field("token", _lt("Setup token"), type="password"),),
    submit=_lt("Connect"),
)
AGAIN = Challenge(
    title=_lt("Renew SimpleFIN"),
    message=_lt(
        "Open https://bridge.simplefin.org in another tab and repair your bank there. Then continue here; a new "
        "setup token is only needed if you have disabled the previous access."
    ),
    fields=(Field("token", _lt("New setup token, if you have one"), type="password", required=False),),
    submit=_lt("Continue"),
)
#: For a server whose pages are unknown.
TOKEN_OF_SERVER = replace(
    TOKEN,
    message=_lt(
        "Open the page of your SimpleFIN server in another tab, connect your bank there, and copy the setup token that "
        "is shown. It can be used once."
    ),
)
AGAIN_AT_SERVER = replace(
    AGAIN,
    message=_lt(
        "Open the page of your SimpleFIN server in another tab and repair your bank there. Then continue here; a new "
        "setup token is only needed if you have disabled the previous access."
    ),
)
NO_TOKEN = _lt("This is not a setup token. Copy the whole text that the SimpleFIN server shows, and paste it again.")
USED_TOKEN = _lt(
    "This setup token was used before. If that was not you, disable it at the SimpleFIN server. Paste a new one."
)
UNPAID = "The SimpleFIN server wants to be paid: see your account there."


class SimpleFIN(WebProvider):
    """State: ``access_url``, and ``accounts``: our id → what identifies one, and its balance at the last refresh."""

    code = "simplefin"
    label = "SimpleFIN"
    docs_url = "https://www.simplefin.org/protocol.html"
    api_version = "2"
    production_url = "https://bridge.simplefin.org/simplefin"
    sandbox_url = "https://beta-bridge.simplefin.org/simplefin"
    facts = Facts(
        region=_lt("United States, Canada; elsewhere by other SimpleFIN servers"),
        countries=("CA", "US"),
        audience=("own",),
        price=_lt("SimpleFIN Bridge: 1.50 USD a month or 15 USD a year, paid by each user"),
        needs=_lt("A subscription at a SimpleFIN server, with your banks connected there"),
        minutes=10,
        signup_url="https://bridge.simplefin.org",
        terms=_lt(
            "SimpleFIN is a protocol with several servers: each has its own terms, prices and countries, and sees what "
            "your bank tells it."
        ),
        terms_urls=(
            (_lt("SimpleFIN Bridge"), "https://bridge.simplefin.org"),
            (_lt("The protocol"), "https://www.simplefin.org/protocol.html"),
        ),
        steps=(
            _lt("There is nothing to enter: switch the provider on."),
            _lt(
                "Each user subscribes at a SimpleFIN server such as SimpleFIN Bridge, connects banks there, and pastes "
                "the setup token that it shows. It serves once."
            ),
        ),
        lists_banks=False,
        connect="pasted key",
        identity="`id`, unique in its account",
        sources=(
            "Fields and errors: the protocol and its draft 2. Price, history and requests a day: pages and "
            "reports of users of SimpleFIN Bridge."
        ),
        pending=True,
        history_days=HISTORY_DAYS,
        fetches_per_day=REQUESTS_PER_DAY,
    )
    #: A bank's ids are unique within the bank, whose name may change; a new access URL may give new ids.
    account_keys = Keys(own=("id", "bank"), alike=(("id",), ("bank", "name", "currency")), certain=("currency",))
    sends_dates = True
    takes_until = True
    days_at_once = WINDOW.days
    status_codes = {402: "consent_expired", 403: "consent_revoked"}

    def parse_error(self, response):
        error = super().parse_error(response)
        if response.status == 402:
            error.note = UNPAID
        return error

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        """Banks are chosen at a server; the one without a country is for users of another server."""
        limits = Capabilities(history_days=HISTORY_DAYS, fetches_per_day=REQUESTS_PER_DAY)
        listed = [
            Institution(id=f"bridge.{code}", name=BRIDGE, country=code, capabilities=limits)
            for code in ("CA", "US")
            if country in (None, code)
        ]
        return [
            *listed,
            Institution(id=OTHER_SERVER, name="SimpleFIN (Another Server)", country="", capabilities=limits),
        ]

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        if institution == OTHER_SERVER:
            return AGAIN_AT_SERVER if flow.state else TOKEN_OF_SERVER
        return AGAIN if flow.state else TOKEN

    def answer(self, flow, values):
        page = self.start(flow.institution, flow)
        token = "".join(values.get("token", "").split())
        if token or not flow.state:
            access_url, error = self._claim(token)
            if error:
                return page.with_error(error)
        else:
            access_url = flow.state["access_url"]
        accounts, _notes = self._fetch_accounts(access_url, flow.state.get("accounts", {}))
        state = {"access_url": access_url, "accounts": accounts}
        return Completed(
            state,
            tuple(self.accounts(state)),
            refreshed_at=self._news_of(accounts),
            institution_name=self._server_of(access_url),
        )

    def _claim(self, token):
        """:return: (access URL, None) or (None, what is wrong with the token)"""
        try:
            url = base64.b64decode(token, validate=True).decode("ascii")
        except ValueError:
            return None, NO_TOKEN
        if not self._may_ask(url):
            return None, NO_TOKEN
        try:
            # The address is the secret, so it is not logged. Not sent again: it serves once.
            answer = self.connect(NoAuth(), url).ask("POST", url, form="", kind="text", name="/claim/…")
        except ProviderError as error:
            if error.status == 403:
                return None, USED_TOKEN
            raise
        access_url = answer.text.strip()
        if not urlsplit(access_url).username or not self._may_ask(self._split(access_url)[0]):
            raise self.failure("unexpected_answer", "no access URL")
        return access_url, None

    def _server_of(self, access_url):
        """:return: what people call the server"""
        url, _auth = self._split(access_url)
        return BRIDGE if self.is_our_host(url) else urlsplit(url).hostname

    def _may_ask(self, url):
        """Why: a token is an address that a user names; it may not lead into the network of the proxy."""
        return self.is_our_host(url) or leads_outside(url)

    def _split(self, access_url):
        """:return: (URL without credentials, AuthBase)"""
        parts = urlsplit(access_url)
        host = parts.netloc.rpartition("@")[2]
        return (
            urlunsplit((parts.scheme, host, parts.path, "", "")),
            Basic(unquote(parts.username or ""), unquote(parts.password or "")),
        )

    def _ask(self, access_url, **params):
        url, auth = self._split(access_url)
        if not self._may_ask(url):
            raise self.failure("consent_revoked", "the access URL leads to no public address")
        return self.connect(auth, url).get("accounts", version="2", **params)

    # -------------------------------------------------------------------------
    # ACCOUNTS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """One request gives all balances; they are kept in the state, because the bridge counts requests."""
        accounts, notes = self._fetch_accounts(state["access_url"], state["accounts"])
        state = {**state, "accounts": accounts}
        return Refreshed(state, self._news_of(accounts), notes, accounts=tuple(self.accounts(state)))

    def _fetch_accounts(self, access_url, known):
        """:return: (our id → what identifies an account and its balance, notes for the user)"""
        answer = self._ask(access_url, **{"balances-only": "1"})
        with self.reading("accounts"):
            listed = []
            for account in answer["accounts"]:
                if not reading.has_currency(account["currency"]):
                    # The address of a custom currency, such as miles or points, in which no books are kept.
                    continue
                entry = {
                    "id": account["id"],
                    "name": reading.words(account["name"]) or account["id"],
                    "currency": account["currency"],
                    "bank": self._bank(account, answer),
                    "balance": str(reading.amount(account["balance"])),
                    "balance_at": moment_text(reading.moment_of_epoch(account["balance-date"])),
                }
                listed.append(entry)
            if not listed:
                self._check(answer, self._server_of(access_url))
            found = self.by_our_id(known, listed, listed)
            if answer.get("errlist") or answer.get("errors"):
                # What is missing while something is wrong is not gone: it keeps its place, and its old balance.
                found = {**{key: old for key, old in known.items() if key not in found}, **found}
            return found, self._notes(answer, self._server_of(access_url))

    def _bank(self, account, answer):
        org = account.get("org") or {}
        names = {connection["conn_id"]: connection.get("name") for connection in answer.get("connections") or ()}
        return names.get(account.get("conn_id")) or org.get("domain") or org.get("name")

    def _news_of(self, accounts):
        """The oldest balance, because one bank of several may have been left behind; at most a window ago."""
        now = self.now()
        moments = [moment_from_text(account["balance_at"]) or now for account in accounts.values()]
        return max(min([now, *moments]), now - WINDOW)

    def accounts(self, state):
        return [
            Account(
                id=key,
                name=" ".join(filter(None, (account["bank"], account["name"]))),
                currency=account["currency"],
                number_type="other",
                balance=reading.amount(account["balance"]),
                balance_at=moment_from_text(account["balance_at"]),
            )
            for key, account in state["accounts"].items()
        ]

    # -------------------------------------------------------------------------
    # TRANSACTIONS
    # -------------------------------------------------------------------------

    def first_day(self, since):
        return since or self.now().date() - timedelta(days=HISTORY_DAYS)

    def read_page(self, state, account, since=None, cursor=None, limit=None, until=None):
        known = self.known_account(state, account)
        params = {"account": known["id"], "start-date": epoch(since)}
        # The end is not included. `pending=0` would mean the same as 1.
        params |= {"end-date": epoch(until + timedelta(days=1))} if until else {"pending": "1"}
        answer = self._ask(state["access_url"], **params)
        with self.reading("transactions"):
            found = self._find(answer, known)
            server = self._server_of(state["access_url"])
            self._check(answer, server, known["id"], (found or {}).get("conn_id"))
            if not found:
                raise self.failure("unknown_account", "the access does not cover it any more")
            rows, unread = self.read_rows(found.get("transactions") or (), self._transaction, known["currency"])
            rows.sort(key=lambda row: (row.status == "pending", row.booking_date or date.max))
            return Page(tuple(rows), unread=tuple(unread))

    def _find(self, answer, known):
        """:return: the account in an answer, or None; another bank may use the same id"""
        same = [item for item in answer["accounts"] if item["id"] == known["id"]]
        of_bank = [item for item in same if self._bank(item, answer) == known["bank"]]
        return next(iter(of_bank or (same if len(same) == 1 else ())), None)

    def identify_row(self, row):
        return reading.identifier(row["id"]), "pending" if reading.truth(row.get("pending")) else None

    def _check(self, answer, server, account=None, connection=None):
        """Raise what is wrong with one account; other banks of the same access are none of its business.

        ``errors``, the older list, has nothing but words, so nothing is concluded from it: :meth:`_notes`.
        """
        for error in answer.get("errlist") or ():
            code = error["code"]
            ours = next(ERRORS[prefix] for prefix in sorted(ERRORS, reverse=True) if code.startswith(prefix))
            of_account, of_connection = error.get("account_id"), error.get("conn_id")
            if of_account:
                is_ours = account in (None, of_account)
            elif of_connection:
                # An account that does not say to which bank it belongs may belong to this one.
                is_ours = account is None or connection in (None, of_connection)
            else:
                is_ours = True
            if is_ours:
                # One of the two is in the text of the protocol, the other in its example.
                note = reading.words(error.get("msg") or error.get("message"))
                raise self.failure(ours, provider_code=code, note=note and f"{server}: {note}")

    def _notes(self, answer, server):
        """Messages of servers of version 1 to their users: texts without a code. Clients have to show them."""
        listed = () if answer.get("errlist") else answer.get("errors") or ()
        said = dict.fromkeys(filter(None, map(reading.words, listed)))
        return tuple(f"{server}: {words}" for words in said)[:MAX_NOTES]

    def _transaction(self, row, currency):
        get = row.get
        # A day is the one of UTC, the protocol knows no other.
        posted, transacted = reading.moment_of_epoch(row["posted"]), reading.moment_of_epoch(get("transacted_at"))
        # 0 while it is pending, also where the flag is missing, which is optional: it has not been posted yet.
        is_pending = reading.truth(get("pending")) or not posted
        moment = posted or transacted
        return Transaction(
            # Unique in its account, and never used again. https://www.simplefin.org/protocol.html#transaction
            id=reading.identifier(row["id"]),
            status="pending" if is_pending else "booked",
            amount=reading.amount(row["amount"]),
            currency=currency,
            booking_date=moment and moment.date(),
            value_date=transacted and transacted.date(),
            # There are no account numbers. Payee and memo are additions of the bridge, not part of the protocol.
            counterparty=Counterparty(reading.text(get("payee"))),
            remittance=reading.texts(get("description"), get("memo")),
            raw=row,
        )


def epoch(day):
    return int(datetime.combine(day, time(), timezone.utc).timestamp())
