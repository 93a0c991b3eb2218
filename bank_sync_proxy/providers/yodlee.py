"""Envestnet Yodlee, Core API 1.1. https://developer.yodlee.com

The user signs in on Yodlee's page, FastLink 4. Yodlee embeds it by a script, which could do in an Odoo database
whatever its user may; so a form opens it in a new tab, as Yodlee documents it for apps, and we poll meanwhile.
"""

import hashlib
import re
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlencode, urlsplit

from odoo.addons.bank_sync_common.tools.recognition import Keys

from . import reading
from .auth import Bearer, Headers, Token
from .balances import Balance, without_limit
from .errors import ConsentError, ProtocolError, ProviderError, RateLimited, TransientError, _lt
from .facts import Facts
from .forms import HTTPS, NO_ADDRESS
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Form,
    Institution,
    Page,
    Refreshed,
    Setting,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

VERSION = "1.1"
#: Prefix of the login names that we register.
OURS = "odoo-"
PAGE_SIZE = 500
#: Number of rows by which consecutive pages overlap.
OVERLAP = 20
RESTARTS = 3
HISTORY = timedelta(days=730)
#: Minimum time between two updates of a bank.
PAUSE = timedelta(minutes=15)
#: Data up to this age counts as current for a bank that needs its user for each update.
FRESH = timedelta(days=1)
NEXT_PAGE = re.compile(r"""rel=["']?next""")
READY = ("SUCCESS", "PARTIAL_SUCCESS")
#: No new data for now, which no one can change; existing data stays readable.
STALE = ("MIGRATION_IN_PROGRESS", "DATA_RETRIEVAL_FAILED")
#: An update is in progress.
RUNNING = ("LOGIN_IN_PROGRESS", "IN_PROGRESS")
BASIC = "BASIC_AGG_DATA"
CONTAINERS = {"bank": "current", "creditCard": "credit_card", "loan": "loan"}
#: The booked ones. https://developer.yodlee.com/api-reference, Account: ``balance`` of a bank account is "available
#: balance or current balance", whichever there is.
BOOKED = {
    "bank": ("currentBalance",),
    "creditCard": ("runningBalance", "balance"),
    "loan": ("principalBalance", "balance"),
}
#: Other balances, which are used only for their currency.
OTHERS = ("balance", "availableBalance", "availableCredit", "totalCreditLine")
STATUSES = {"POSTED": "booked", "CLEARED": "booked", "PENDING": "pending", "SCHEDULED": None, "FAILED": None}

WINDOW = Challenge(
    kind="approval",
    title=_lt("Sign in at your bank"),
    message=_lt(
        "Yodlee's page opens in its own tab. Sign in at your bank there, choose your accounts, and close the tab "
        "when it says that you have finished."
    ),
    submit=_lt("Open Yodlee's page"),
)
FAILED = Challenge(
    title=_lt("The sign-in has failed"),
    message=_lt("If Yodlee's page is still open, you can correct it there. Then continue here."),
    submit=_lt("Go on"),
)
NOT_ACCEPTED = _lt("The bank did not accept the sign-in. Check on its own website that it works, and try again.")
NOT_UPDATED = _lt(
    "Yodlee could not fetch new transactions from the bank, so only those that it had already were read. If this lasts "
    "for some days, see in the bank's own pages whether it is moving to new online banking, and renew the connection."
)
NOT_REACHED = _lt("Yodlee did not reach the bank. Try again in some minutes.")


class Yodlee(WebProvider):
    """State: ``login`` of the user whom we registered for this connection, ``site`` (provider account), perhaps
    ``consent_expires_at``, and ``accounts``: our id → what identifies one."""

    code = "yodlee"
    label = "Yodlee"
    docs_url = "https://developer.yodlee.com/api-reference"
    api_version = VERSION
    production_url = "https://production.api.yodlee.com/ysl"
    sandbox_url = "https://sandbox.api.yodlee.com/ysl"
    facts = Facts(
        region=_lt("United States, Canada, Australia, United Kingdom, India and others"),
        countries=("AU", "CA", "GB", "IN", "US"),
        audience=("contract",),
        price=_lt("By contract, negotiated; a sandbox is free"),
        needs=_lt("A contract with Envestnet Yodlee"),
        signup_url="https://developer.yodlee.com",
        terms=_lt("Everybody gets keys of the sandbox; real banks need a contract with Envestnet."),
        terms_urls=((_lt("Yodlee for developers"), "https://developer.yodlee.com"),),
        steps=(
            _lt("Sign up at Yodlee for the sandbox, or agree on a contract with Envestnet for real banks."),
            _lt(
                "Copy what Yodlee's dashboard shows: client ID, client secret, admin login name, FastLink URL, and the "
                "API endpoint where it is another one than ours."
            ),
        ),
        connect="provider's window",
        identity="`id`, within an account",
        sources="Fields and history: Yodlee's Swagger document of 2025. FastLink, countries and price: from memory.",
        pending=True,
        history_days=HISTORY.days,
    )
    sends_dates = True
    settings_needed = (
        Setting("client_id", _lt("Client ID")),
        Setting("secret", _lt("Client secret"), type="secret"),
        Setting("admin_login", _lt("Login Name of the Administrator"), type="secret"),
        Setting(
            "fastlink_url",
            _lt("FastLink URL"),
            help=_lt("As Yodlee's dashboard shows it, with https://."),
            pattern=HTTPS,
            expects=NO_ADDRESS,
        ),
        Setting("config_name", _lt("FastLink configuration"), default="Aggregation"),
        Setting(
            "api_url",
            _lt("API endpoint"),
            required=False,
            help=_lt("Only if Yodlee's dashboard shows another one than ours, such as that of another region."),
            pattern=HTTPS,
            expects=NO_ADDRESS,
        ),
        Setting(
            "test_user",
            _lt("Test user"),
            type="secret",
            required=False,
            help=_lt("Only for the sandbox, which registers nobody: login name of one of its test users."),
        ),
    )
    account_keys = Keys(alike=(("mark", "name"), ("mark",)))
    error_codes = {
        # Of failed answers. https://developer.yodlee.com/api-reference, error codes: of `auth/token` 400 and not 401.
        **dict.fromkeys(("Y004", "Y301", "Y303", "Y305", "Y806"), "provider_not_configured"),
        # The data is being migrated to the bank's own interface.
        "Y868": "institution_unavailable",
        "Y800": "unexpected_answer",
        "Y831": "provider_busy",
        "Y901": "provider_not_configured",
        # `additionalStatus` of a provider account.
        "INCORRECT_CREDENTIALS": "credentials_rejected",
        "CREDENTIALS_UPDATE_NEEDED": "credentials_rejected",
        "ACCOUNT_LOCKED": "credentials_rejected",
        "USER_ACTION_NEEDED_AT_SITE": "credentials_rejected",
        "ADDL_AUTHENTICATION_REQUIRED": "challenge_required",
        "NEW_AUTHENTICATION_REQUIRED": "challenge_required",
        "INVALID_ADDL_INFO_PROVIDED": "challenge_required",
        "CONSENT_REQUIRED": "consent_expired",
        "CONSENT_EXPIRED": "consent_expired",
        "INCORRECT_OAUTH_TOKEN": "consent_expired",
        "CONSENT_REVOKED": "consent_revoked",
        "SITE_UNAVAILABLE": "institution_unavailable",
        "SITE_BLOCKING_ERROR": "institution_unavailable",
        "SITE_SESSION_INVALIDATED": "institution_unavailable",
        "UNEXPECTED_SITE_ERROR": "institution_unavailable",
        "REQUEST_TIME_OUT": "institution_unavailable",
        # The bank is being moved to another interface, or is only partly supported: this takes days.
        **dict.fromkeys(
            (
                *("MIGRATION_IN_PROGRESS", "BETA_SITE_DEV_IN_PROGRESS", "DATASET_NOT_SUPPORTED"),
                *("PROPERTY_VALUE_NOT_AVAILABLE", "DATA_NOT_AVAILABLE"),
            ),
            "institution_unavailable",
        ),
        "ENROLLMENT_REQUIRED_FOR_DATASET": "credentials_rejected",
        "TECH_ERROR": "provider_unavailable",
        "DATA_RETRIEVAL_FAILED": "provider_unavailable",
        "SITE_NOT_SUPPORTED": "unknown_institution",
    }

    @property
    def base_url(self):
        return self.settings.get("base_url") or self.settings["api_url"] or super().base_url

    def read_error(self, body):
        return body.get("errorCode"), body.get("errorMessage"), body.get("referenceCode")

    # -------------------------------------------------------------------------
    # KEYS
    # -------------------------------------------------------------------------

    def connect(self, auth=None, base_url=None):
        http = super().connect(auth, base_url)
        http.headers["Api-Version"] = VERSION
        return http

    def authenticate(self):
        return Bearer(lambda _old: self._new_token(self.settings["admin_login"]), self.now)

    def _http(self, login, visit=None):
        """:param dict visit: keeps the token while a page sends a request every few seconds"""
        visit = {} if visit is None else visit
        token = visit.get("token") and Token(visit["token"], moment_from_text(visit["token_until"]))

        def keep(token):
            visit.update(token=token.value, token_until=moment_text(token.expires_at))

        return self.connect(Bearer(lambda _old: self._new_token(login), self.now, token or None, keep))

    def _new_token(self, login):
        form = {"clientId": self.settings["client_id"], "secret": self.settings["secret"]}
        answer = self.connect(Headers({"loginName": login})).ask("POST", "auth/token", form=form, idempotent=True)
        with self.reading("token"):
            token = answer.data["token"]
            return Token(token["accessToken"], self.now() + timedelta(seconds=int(token["expiresIn"])))

    def check_keys(self):
        self.http.auth.renew()
        return f"{urlsplit(self.base_url).hostname} accepts the keys"

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        skip, seen = 0, set()
        while skip is not None:
            rows, skip = self._page(self.http, "providers", "provider", skip)
            with self.reading("providers"):
                for row in rows:
                    # `status` is Supported, Beta or Unsupported.
                    status, where = str(row.get("status") or "").lower(), row.get("countryISOCode")
                    if row["id"] not in seen and where and country in (None, where) and not status.startswith("un"):
                        seen.add(row["id"])
                        yield Institution(
                            id=str(row["id"]),
                            name=row["name"],
                            country=where,
                            logo=row.get("logo"),
                            status="beta" if status == "beta" else "stable",
                            capabilities=Capabilities(history_days=HISTORY.days),
                        )

    def _page(self, http, path, key, skip, **params):
        """:return: (rows, where the next page begins or None)"""
        answer = http.ask("GET", path, params={**params, "skip": skip, "top": PAGE_SIZE})
        with self.reading(path):
            # An empty result is `{}`.
            rows = answer.data.get(key, [])
            more = rows and (len(rows) >= PAGE_SIZE or NEXT_PAGE.search(answer.headers.get("Link", "")))
            return rows, skip + len(rows) if more else None

    def start(self, institution, flow):
        # One user per connection: no user can see another's accounts, and revoking leaves nothing behind.
        login = f"{OURS}{hashlib.sha256(flow.callback_state.encode()).hexdigest()[:32]}"
        if test_user := not self.production and self.settings["test_user"]:
            login = test_user
        else:
            self.http.ask("POST", "user/register", body={"user": {"loginName": login}})
        visit = {"login": login, "open": {"flow": "add", "providerId": institution}, "seen": {}}
        http = self._http(login, visit)
        if test_user:
            visit["seen"] = self._attempts(self._sites(http))
        else:
            http.auth.renew()
        return self._window(visit)

    def renew(self, state, flow):
        """Renew in place: the provider account stays, and with it the ids of its accounts."""
        return self._reopen(state, flow, "edit")

    def _reopen(self, state, flow, kind):
        visit = {"login": state["login"], "open": {"flow": "add", "providerId": flow.institution}}
        sites = self._sites(self._http(state["login"], visit))
        visit["seen"] = self._attempts(sites)
        # Requesting a token for a deleted user creates a new user of that name, without any bank.
        if state["site"] in visit["seen"]:
            visit["open"] = {"flow": kind, "providerAccountId": state["site"]}
        return self._window(visit)

    def _window(self, visit):
        url = self.settings["fastlink_url"]
        if urlsplit(url).scheme != "https":
            raise self.failure("provider_not_configured", "the FastLink URL is not https")
        extra = urlencode({"configName": self.settings["config_name"], **visit["open"]})
        form = Form(url, {"accessToken": f"Bearer {visit['token']}", "extraParams": extra})
        return replace(WINDOW, data=visit, form=form)

    def answer(self, flow, values):
        """FastLink reports only to the page that embeds it, so we read the state of the provider account."""
        visit = dict(flow.data)
        http = self._http(visit["login"], visit)
        sites = self._sites(http)
        attempts = self._attempts(sites)
        with self.reading("providerAccounts"):
            new = [site for site in sites if attempts[str(site["id"])] != visit["seen"].get(str(site["id"]))]
            for site in new:
                if site["status"] in READY:
                    return self._finish(flow, http, visit["login"], site, attempts)
            failed = [site for site in new if site["status"] in ("FAILED", *STALE)]
            if failed and len(failed) == len(new):
                visit["seen"] = attempts
                visit["open"] = {"flow": "edit", "providerAccountId": str(failed[0]["id"])}
                error = self._error_of(failed[0])
                reason = NOT_ACCEPTED if isinstance(error, ConsentError) else NOT_REACHED
                return replace(FAILED, data=visit, error=reason)
        return self._window(visit)

    def _finish(self, flow, http, login, site, listed):
        news = self._news_of(site)
        if flow.kind == "refresh":
            return Refreshed(flow.state, news)
        state, old = {"login": login, "site": str(site["id"])}, flow.state.get("site")
        # Only open banking connections have one. https://developer.yodlee.com/api-reference, Consents
        if consent := site.get("consentId"):
            answer = http.get("consents", consentIds=consent)
            with self.reading("consents"):
                until = answer["consent"][0].get("expirationDate") or ""
                until = reading.moment(f"{until}T00:00" if len(until) == 10 else until)
                state["consent_expires_at"] = moment_text(until)
        found = self._identify(self._list(http, state), flow.state.get("accounts", {}))
        state["accounts"] = {key: self._identity(account) for key, account in found.items()}
        shown = tuple(self._account(key, account) for key, account in found.items())
        if old in listed and old != state["site"]:
            # The user has added the bank again: the old consent would stay active, unnoticed.
            http.ask("DELETE", f"providerAccounts/{old}", kind="none")
        return Completed(state, shown, moment_from_text(state.get("consent_expires_at")), news)

    def _sites(self, http):
        answer = http.get("providerAccounts")
        with self.reading("providerAccounts"):
            return [site for site in answer.get("providerAccount", []) if not site.get("isManual")]

    def _attempts(self, sites):
        """:return: id → value that changes with each attempt to reach the bank"""
        with self.reading("providerAccounts"):
            return {str(s["id"]): f"{s['status']} {self._basic(s).get('lastUpdateAttempt')}" for s in sites}

    def _basic(self, site):
        return next((item for item in site.get("dataset", ()) if item["name"] == BASIC), {})

    def _error_of(self, site):
        """:return: ProviderError of the last attempt, or None"""
        if site["status"] not in ("FAILED", "USER_INPUT_REQUIRED", *STALE):
            return None
        code = self._basic(site).get("additionalStatus")
        if site["status"] in STALE:
            code = site["status"]
        ours = self._our_code(code) or "unexpected_answer"
        if site["status"] == "USER_INPUT_REQUIRED":
            ours = "challenge_required"
        return self.failure(ours, f"the bank's last answer: {code}", provider_code=code)

    def _news_of(self, site):
        moment = reading.moment(self._basic(site).get("lastUpdated"))
        if not moment:
            raise self.failure("provider_busy", "the bank has not been read yet")
        return min(moment, self.now())

    def revoke(self, state):
        http = self._http(state["login"])
        # If the provider account is gone already, the user must still be unregistered.
        if state["site"] in self._attempts(self._sites(http)):
            try:
                http.ask("DELETE", f"providerAccounts/{state['site']}", kind="none")
            except ProviderError as error:
                # Y868: it is being migrated. It is deleted with its user, unless that is the sandbox's.
                if error.provider_code != "Y868" or not state["login"].startswith(OURS):
                    raise
        # Not the sandbox's shared test user.
        if state["login"].startswith(OURS):
            http.ask("DELETE", "user/unregister", kind="none")

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """Yodlee asks the banks once a day, and sooner on request. A request takes minutes, for which we do not wait:
        the next synchronization brings the result. If the bank needs its user, the request is made in FastLink."""
        self.check_end(state.get("consent_expires_at"))
        http = self._http(state["login"])
        with self.reading("providerAccounts"):
            site = next((site for site in self._sites(http) if str(site["id"]) == state["site"]), None)
            if not site:
                raise self.failure("consent_revoked", "Yodlee does not know the provider account any more")
            error, notes = self._error_of(site) or self._wish_of(site, user_present), ()
            if isinstance(error, ConsentError):
                if user_present and flow:
                    return self._reopen(state, flow, "refresh" if error.code == "challenge_required" else "edit")
                raise error
            if self._may_update(site, "ALLOW_UPDATE"):
                notes = self._update(http, state["site"])
            if site["status"] in STALE and self._basic(site).get("lastUpdated"):
                # The data that Yodlee has can still be read.
                error, notes = None, (NOT_UPDATED,)
            if error:
                raise error
            return Refreshed(state, self._news_of(site), notes)

    def _update(self, http, site):
        """Request an update. If Yodlee can't fetch new data, the existing data can still be read.

        :return: notes for the user
        """
        try:
            http.ask("PUT", "providerAccounts", params={"providerAccountIds": site})
        except (TransientError, RateLimited, ProtocolError):
            return (NOT_UPDATED,)
        return ()

    def _wish_of(self, site, user_present):
        """:return: ConsentError if the bank needs its user for each update and one is due, else None"""
        is_wanted = user_present or self.now() >= self._news_of(site) + FRESH
        if is_wanted and self._may_update(site, "ALLOW_UPDATE_WITH_CREDENTIALS"):
            return self.failure("challenge_required", "the bank wants its user each time")
        return None

    def _may_update(self, site, eligibility):
        basic = self._basic(site)
        attempt = reading.moment(basic.get("lastUpdateAttempt"))
        is_due = not attempt or self.now() >= attempt + PAUSE
        return basic.get("updateEligibility") == eligibility and is_due and site["status"] not in RUNNING

    def _list(self, http, state):
        answer = http.get("accounts", providerAccountId=state["site"])
        with self.reading("accounts"):
            return [
                account
                for account in answer.get("account", [])
                if account["CONTAINER"] in CONTAINERS
                and account.get("accountStatus") not in ("CLOSED", "DELETED")
                # Without an amount the currency is unknown, too.
                and reading.has_currency((self._balance(account) or {}).get("currency"))
            ]

    def _balance(self, account):
        names = (*BOOKED[account["CONTAINER"]], *OTHERS)
        return next((account[name] for name in names if account.get(name)), None)

    def _booked_balance(self, account):
        amounts = {
            name: reading.amount(account[name]["amount"])
            for name in (*BOOKED[account["CONTAINER"]], *OTHERS)
            if account.get(name)
        }
        moment = reading.moment(account.get("lastUpdated")) or self.now()
        booked = next((amounts[name] for name in BOOKED[account["CONTAINER"]] if name in amounts), None)
        if booked is not None:
            # Yodlee reports debts as positive.
            return Balance(booked if account["CONTAINER"] == "bank" else -booked, moment)
        if account["CONTAINER"] == "creditCard" and {"availableCredit", "totalCreditLine"} <= set(amounts):
            return without_limit(amounts["availableCredit"], amounts["totalCreditLine"], moment)
        kinds = ("availableBalance", "balance", "availableCredit")
        return Balance(available=next((amounts[name] for name in kinds if name in amounts), None))

    def _identity(self, account):
        currency = self._balance(account)["currency"]
        number = account.get("accountNumber")
        return {
            "id": str(account["id"]),
            "container": account["CONTAINER"],
            "mark": f"{account['CONTAINER']} {number} {currency}" if number else None,
            "name": account.get("accountName"),
        }

    def _identify(self, listed, known):
        """Ids stay while the provider account does. After adding the bank again there are new ones: then kind, masked
        number and currency decide, where only one account has them."""
        with self.reading("accounts"):
            return self.by_our_id(known, map(self._identity, listed), listed)

    def accounts(self, state):
        self.check_end(state.get("consent_expires_at"))
        found = self._identify(self._list(self._http(state["login"]), state), state["accounts"])
        return [self._account(key, account) for key, account in found.items() if key in state["accounts"]]

    def _account(self, key, account):
        with self.reading("accounts"):
            container, balance = account["CONTAINER"], self._balance(account)
            number = reading.text(account.get("accountNumber"))
            return Account(
                id=key,
                name=account.get("nickname") or account.get("accountName") or account["CONTAINER"],
                number=reading.iban(number) or number,
                number_type="iban" if reading.iban(number) else "other",
                currency=reading.currency(balance["currency"]),
                type="savings" if account.get("accountType") == "SAVINGS" else CONTAINERS[container],
                **self._booked_balance(account).to_account(),
            )

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        """Pages are offsets, so a row that is withdrawn between two pages would make the next page skip one. Each page
        therefore overlaps with the one before; if the last row of that one is missing, the list is read again."""
        self.check_end(state.get("consent_expires_at"))
        known = self.known_account(state, account)
        today = self.now().date()
        first = today - HISTORY
        place = {"from": max(since or first, first).isoformat(), "to": today.isoformat(), "skip": 0, "again": 0}
        if cursor:
            place = self.read_cursor(account, cursor)
        ids = {"accountId": known["id"], "container": known["container"]}
        days = {"fromDate": place["from"], "toDate": place["to"]}
        rows, following = self._page(
            self._http(state["login"]), "transactions", "transaction", place["skip"], **ids, **days
        )
        with self.reading("transactions"):
            names = list(map(self._name, rows))
            if last := place.get("last"):
                if last not in names:
                    return self._again(account, place)
                rows = rows[names.index(last) + 1 :]
            found, unread = self.read_rows(rows, self._transaction)
            found.sort(key=lambda row: (row.status == "pending", row.booking_date or date.max))
            if following:
                overlap = min(OVERLAP, len(names) // 2)
                # A row without an id can't be found again; where none of the overlap has one, nothing is compared.
                named = [name for name in names[len(names) - overlap :] if name]
                place |= {"skip": following - overlap, "last": named[-1] if named else None}
            after = self.write_cursor(account, **place) if following else None
            return Page(tuple(found), (), after, bool(following), tuple(unread))

    def _again(self, account, place):
        if place["again"] >= RESTARTS:
            raise self.failure("provider_busy", "the list of transactions changes while it is read")
        place = {"from": place["from"], "to": place["to"], "skip": 0, "again": place["again"] + 1}
        return Page((), (), self.write_cursor(account, **place), True)

    def _name(self, row):
        """:return: the id of a row, None where it has none"""
        name = row.get("id") if isinstance(row, dict) else None
        return reading.identifier(name) if type(name) in (int, str) else None

    def identify_row(self, row):
        return self._name(row), STATUSES.get(row["status"])

    def _transaction(self, row):
        """:return: :class:`~.types.Transaction`, or None for one that is only planned or has failed"""
        get, name = row.get, self._name(row)
        if name is None:
            raise ValueError(f"no id: {get('id')!r}"[:100])
        if get("status") not in STATUSES:
            raise ValueError(f"no status: {get('status')!r}"[:100])
        if STATUSES[row["status"]] is None:
            return None
        money, description = row["amount"], get("description") or {}
        original = description.get("original") or description.get("simple")
        # Amounts have no sign, not even for cards: a purchase is a debit.
        sign = {"DEBIT": -1, "CREDIT": 1}[row["baseType"]]
        return Transaction(
            # Unique together with CONTAINER, of which an account has one. https://developer.yodlee.com/api-reference,
            # Transaction. It is not documented that a pending one keeps its id, and nothing links the two.
            id=name,
            status=STATUSES[row["status"]],
            amount=sign * reading.amount(money["amount"]),
            currency=reading.currency(money["currency"]),
            booking_date=reading.first_day(get("postDate"), get("transactionDate")) or reading.day(row["date"]),
            counterparty=Counterparty(reading.text((get("merchant") or {}).get("name"))),
            remittance=reading.texts(original, get("checkNumber")),
            creditor_reference=reading.creditor_reference(original),
            raw=row,
        )
