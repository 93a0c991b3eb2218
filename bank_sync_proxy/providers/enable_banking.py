"""Enable Banking: banks of the European Economic Area, over their PSD2 interfaces. https://enablebanking.com/docs/api/

A consent is a *session*. It names accounts by a ``uid`` that dies with it; a renewal is a whole new session. Nothing is
stored there: each request goes to the bank, and banks count them.
"""

from contextlib import suppress
from datetime import date, timedelta
from hashlib import blake2b

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import reading
from .auth import SignedToken, load_rsa_key
from .balances import CLOSING, OPENING, PREVIOUS, UNKNOWN, of_list
from .errors import ConsentError, ProviderError, RateLimited, _lt
from .facts import EEA, Facts
from .forms import UUID
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Field,
    Institution,
    Option,
    Page,
    Redirect,
    Refreshed,
    Setting,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

#: PSD2 lets a bank refuse more requests per account and day while no user is present.
FETCHES_PER_DAY = 4
MAX_CONSENT = timedelta(days=180)
MAX_PAGES = 1000
#: HOLD is an amount that is reserved, such as a card payment; OTHR says nothing, so nothing is booked for it.
PENDING = {"PDNG", "HOLD", "OTHR"}
#: Cancelled, rejected, scheduled: no money has moved.
NO_MOVEMENT = {"CNCL", "RJCT", "SCHD"}
#: Booked balances, best first. XPCD contains what is pending, OTHR says nothing.
BALANCES = {"CLBD": CLOSING, "ITBD": CLOSING, "PRCD": PREVIOUS, "OPBD": OPENING}
#: They contain an overdraft or the limit of a card.
AVAILABLE = ("CLAV", "ITAV")
TYPES = {"CACC": "current", "TRAN": "current", "SVGS": "savings", "CARD": "credit_card", "LOAN": "loan"}
SESSION_ENDS = {
    "EXPIRED": "consent_expired",
    "CLOSED": "consent_revoked",
    "REVOKED": "consent_revoked",
    "CANCELLED": "consent_revoked",
    "INVALID": "consent_revoked",
    "PENDING_AUTHORIZATION": "connection_unfinished",
    "RETURNED_FROM_BANK": "connection_unfinished",
}
#: What is passed on about a user who waits.
USER_HEADERS = {"psu-ip-address", "psu-user-agent"}
#: One account that the bank refuses; the session stays valid, and a new consent would not change it.
ACCOUNT_CODES = ("ACCOUNT_DOES_NOT_EXIST", "ASPSP_ACCOUNT_NOT_ACCESSIBLE", "INVALID_ACCOUNT_ID")

WHICH_CUSTOMER = Challenge(
    title=_lt("Business or personal?"),
    kind="choice",
    message=_lt("The bank has different pages for its business customers and for private persons."),
    fields=(
        Field(
            "psu_type",
            _lt("I sign in as"),
            type="choice",
            options=(Option("business", _lt("Business customer")), Option("personal", _lt("Private person"))),
            value="business",
        ),
    ),
    submit=_lt("Continue to the bank"),
    data={"step": "psu_type"},
)
REFUSED = Challenge(
    title=_lt("No consent given"),
    kind="consent",
    message=_lt("The bank reports that you have not given your consent, so nothing was connected. You can try again."),
    submit=_lt("Try again"),
    data={"step": "again"},
)


def required(bank):
    """:return: names of the headers about the user without which the bank gives nothing"""
    return {name.lower() for name in bank.get("required_psu_headers") or ()}


def digest(text):
    return blake2b(text.encode(), digest_size=8).hexdigest()


class EnableBanking(WebProvider):
    """State: ``session_id``, ``psu_type``, ``valid_until``, ``user_headers`` that the bank requires, and ``accounts``:
    our id → its uid and more.
    """

    code = "enable_banking"
    label = "Enable Banking"
    docs_url = "https://enablebanking.com/docs/api/reference/"
    api_version = "1.0.0"
    production_url = sandbox_url = "https://api.enablebanking.com"
    facts = Facts(
        region=_lt("European Economic Area"),
        countries=EEA,
        audience=("own", "contract"),
        price=_lt("Free for your own accounts; for others' accounts by contract"),
        needs=_lt("An e-mail address, your online banking, and this server reachable by https"),
        minutes=15,
        signup_url="https://enablebanking.com/cp/",
        terms=_lt(
            "Before you have a contract, Enable Banking's page on linked accounts speaks of evaluation and "
            "non-commercial use, while its FAQ lets a company activate restricted mode for its own accounts: read "
            "both, and ask Enable Banking what applies to you."
        ),
        terms_urls=(
            (_lt("Linked accounts"), "https://enablebanking.com/docs/api/linked-accounts/"),
            (_lt("FAQ"), "https://enablebanking.com/docs/faq/"),
        ),
        steps=(
            _lt("Sign up at Enable Banking and open its Control Panel ‣ API applications."),
            _lt(
                "Register a new application for the production environment, and let the browser make the private key: "
                "it downloads a .pem file. Keep this file: Enable Banking does not have it."
            ),
            _lt("As redirect URL, enter exactly this address: %(callback)s"),
            _lt(
                "Activate the application by linking your own accounts (restricted mode). For other people's accounts, "
                "ask Enable Banking for a contract."
            ),
            _lt("Copy the application ID: it is also the name of the .pem file."),
        ),
        connect="bank's pages",
        identity="`entry_reference`, a fingerprint where the bank gives none",
        sources=(
            "Fields, limits and consent: Enable Banking's OpenAPI document 1.0. Price and terms: its FAQ. "
            "Requests a day: rules of PSD2."
        ),
        pending=True,
        consent_days=180,
        fetches_per_day=FETCHES_PER_DAY,
    )
    sends_dates = True
    takes_until = True
    settings_needed = (
        Setting(
            "application_id",
            _lt("Application ID"),
            help=_lt("Control Panel ‣ API applications."),
            pattern=UUID,
            expects=_lt(
                "An application ID has 32 letters and digits in five groups: 12345678-90ab-cdef-1234-567890abcdef."
            ),
        ),
        Setting(
            "private_key",
            _lt("Private key"),
            type="key",
            help=_lt("The whole text of the .pem file that you got when you registered the application."),
        ),
    )
    #: `identification_hash` "can be used for matching accounts between multiple sessions". Of `identification_hashes`
    #: "not all … can be used to uniquely identify an account": one may be made of the holder's name, which all
    #: accounts of a company share. https://enablebanking.com/docs/api/reference/#accountresource
    account_keys = Keys(
        own=("hash", "currency"),
        alike=(
            ("hash", "currency", "number", "type", "name"),
            ("iban", "currency", "type", "name"),
            ("iban", "currency"),
            ("hashes", "currency"),
            ("number", "currency", "type", "name"),
            ("number", "currency"),
        ),
        certain=("currency", "iban", "other_number", "type"),
    )
    #: https://enablebanking.com/docs/api/reference/#errorcode
    error_codes = {
        **dict.fromkeys(("EXPIRED_SESSION", "ASPSP_PSU_ACTION_REQUIRED"), "consent_expired"),
        **dict.fromkeys(
            ("CLOSED_SESSION", "REVOKED_SESSION", "SESSION_DOES_NOT_EXIST", "WRONG_SESSION_STATUS"), "consent_revoked"
        ),
        **dict.fromkeys(
            ("ALREADY_AUTHORIZED", "EXPIRED_AUTHORIZATION_CODE", "WRONG_AUTHORIZATION_CODE"), "connection_unfinished"
        ),
        **dict.fromkeys(ACCOUNT_CODES, "account_refused"),
        **dict.fromkeys(("ASPSP_ERROR", "ASPSP_TIMEOUT"), "institution_unavailable"),
        # The bank has taken back the page that it announced; only asking again helps, and nothing was stored yet.
        "WRONG_CONTINUATION_KEY": "institution_unavailable",
        "ASPSP_RATE_LIMIT_EXCEEDED": "rate_limited",
        "PSU_HEADER_NOT_PROVIDED": "auto_sync_forbidden",
        **dict.fromkeys(("REDIRECT_URI_NOT_ALLOWED", "INVALID_HOST"), "provider_not_configured"),
        "WRONG_ASPSP_PROVIDED": "unknown_institution",
        "NO_ACCOUNTS_ADDED": "unknown_account",
        **dict.fromkeys(("WRONG_TRANSACTIONS_PERIOD", "WRONG_DATE_INTERVAL"), "period_refused"),
    }

    def authenticate(self):
        key = self.load_key(load_rsa_key, self.settings["private_key"])
        claims = {"iss": "enablebanking.com", "aud": "api.enablebanking.com"}
        return SignedToken(key, self.settings["application_id"], claims, self.now)

    def read_error(self, body):
        return body.get("error"), body.get("message"), None

    def check_keys(self):
        with self.reading("application"):
            application = self.http.get("application")
            state = "active" if application["active"] else "not active yet"
            return f"{application['name']}, {application['environment']}, {state}"

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        with self.reading("aspsps"):
            listed = self.http.get("aspsps", country=country, service="AIS")["aspsps"]
            # The same bank may be listed once for each kind of customer.
            found = {self._institution_id(bank): bank for bank in listed}
            return [
                Institution(
                    id=key,
                    name=bank["name"],
                    country=bank["country"],
                    bic=reading.text(bank.get("bic")),
                    logo=reading.text(bank.get("logo")),
                    # A bank that requires more data about the user than we have can't be used.
                    status="beta" if bank.get("beta") or required(bank) - USER_HEADERS else "stable",
                    capabilities=Capabilities(
                        auto_sync=not required(bank),
                        consent_days=max(1, self._validity(bank).days),
                        fetches_per_day=FETCHES_PER_DAY,
                    ),
                )
                for key, bank in found.items()
            ]

    def _institution_id(self, bank):
        # Banks have no id: name and country together are the key. https://enablebanking.com/docs/api/reference/#aspsp
        return f"{bank['country']}.{bank['name']}"

    def _validity(self, bank):
        # Why a default: a bank without it must not hide all the others.
        seconds = bank.get("maximum_consent_validity")
        return min(timedelta(seconds=int(seconds)), MAX_CONSENT) if seconds else MAX_CONSENT

    def _bank(self, institution):
        country, _dot, name = institution.partition(".")
        with self.reading("aspsps"):
            banks = [b for b in self.http.get("aspsps", country=country, service="AIS")["aspsps"] if b["name"] == name]
            if not banks:
                raise self.failure("unknown_institution", f"{institution} is not listed any more")
            types = sorted({psu_type for bank in banks for psu_type in bank["psu_types"]})
            wanted = sorted(set().union(*map(required, banks)))
            return {"name": name, "country": country}, types, min(self._validity(bank) for bank in banks), wanted

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        return self._authorize(flow, flow.state.get("psu_type"))

    def answer(self, flow, values):
        return self._authorize(flow, values.get("psu_type") or flow.data.get("psu_type"))

    def _authorize(self, flow, psu_type):
        bank, types, validity, wanted = self._bank(flow.institution)
        if psu_type not in types:
            if len(types) > 1:
                return WHICH_CUSTOMER
            psu_type = types[0] if types else "business"
        with self.reading("auth"):
            answer = self.http.post(
                "auth",
                {
                    # A minute less: clocks differ, and a moment too late is refused.
                    "access": {"valid_until": moment_text(self.now() + validity - timedelta(minutes=1))},
                    "aspsp": bank,
                    "state": flow.callback_state,
                    "redirect_url": flow.callback_url,
                    "psu_type": psu_type,
                    "language": flow.language[:2],
                },
            )
            kept = {"state": flow.callback_state, "psu_type": psu_type, "user_headers": wanted}
            return Redirect(answer["url"], kept)

    def complete(self, flow, params):
        self.check_state(flow, params)
        if params.get("error") == "access_denied":
            return Challenge(**{**REFUSED.__dict__, "data": {"step": "again", "psu_type": flow.data.get("psu_type")}})
        if params.get("error"):
            words = f"{params['error']}: {params.get('error_description', '')}"
            raise self.failure("institution_unavailable", words, provider_code=params["error"])
        session = self.http.post("sessions", {"code": params.get("code", "")})
        with self.reading("session"):
            state = {
                "session_id": session["session_id"],
                "psu_type": session.get("psu_type") or flow.data.get("psu_type"),
                "valid_until": moment_text(reading.moment(session["access"]["valid_until"])),
                "accounts": self._identify(self._usable(session["accounts"]), flow.state.get("accounts", {})),
            }
            if flow.data.get("user_headers"):
                state["user_headers"] = flow.data["user_headers"]
            # Why no balances: they count as requests, and the first synchronization requests them.
            accounts = tuple(self._account(key, account) for key, account in state["accounts"].items())
            # Every request reaches the bank itself: there is nothing newer to refresh.
            return Completed(state, accounts, moment_from_text(state["valid_until"]), self.now())

    def _usable(self, listed):
        """An account of several currencies is said to be in none: its balances show it if it really has only one.

        :return: accounts in which books can be kept
        """
        usable = []
        for account in listed:
            if not reading.has_currency(account["currency"]) and account.get("uid"):
                answer = self.http.get(f"accounts/{account['uid']}/balances")
                currencies = {balance["balance_amount"]["currency"] for balance in answer["balances"]}
                account = {**account, "currency": currencies.pop() if len(currencies) == 1 else None}
            if reading.has_currency(account["currency"]):
                usable.append(account)
        return usable

    def _identify(self, listed, known):
        """Give accounts ids that outlive the session.

        :param dict known: accounts of the session before, by our id
        """
        entries = [self._entry(account) for account in listed]
        hashes = [entry["hash"] for entry in entries]
        proposals = []
        for entry in entries:
            key = entry["hash"] or entry["number"] or entry["uid"]
            # Several currencies may stand under one number, and under its hash.
            is_shared = hashes.count(entry["hash"]) > 1 or not entry["hash"]
            proposals.append(f"{key}.{entry['currency']}" if is_shared else key)
        before = {key: self._facts(entry, key) for key, entry in known.items()}
        ids = identify(before, list(map(self._facts, entries)), self.account_keys, proposals)
        return dict(zip(ids, entries, strict=True))

    def _entry(self, account):
        """:return: what is kept of an account"""
        identification = account.get("account_id") or {}
        other = identification.get("other") or {}
        main = account.get("identification_hash")
        entry = {
            # Some banks leave it out for blocked accounts.
            "uid": account.get("uid"),
            "hash": main,
            "hashes": sorted({main, *(account.get("identification_hashes") or ())} - {None}),
            "iban": reading.iban(identification.get("iban")),
            "number": reading.text(identification.get("iban") or other.get("identification")),
            "currency": reading.currency(account["currency"]),
            "name": reading.text(account.get("details") or account.get("product") or account.get("name")),
            "type": TYPES.get(account.get("cash_account_type"), "other"),
        }
        if entry["type"] == "credit_card" and (limit := account.get("credit_limit")):
            entry["limit"] = str(reading.amount(limit["amount"]))
        return entry

    def _facts(self, entry, key=""):
        """What an account is recognised by. States of earlier versions did not keep the main hash: it is our id."""
        main = next((found for found in (entry.get("hash"), key.split(".")[0]) if found in entry["hashes"]), None)
        return {
            **{name: entry[name] for name in ("hashes", "iban", "number", "currency", "name", "type")},
            "hash": main,
            # Of a card, for example. A bank may write one account's number in several ways.
            "other_number": None if entry["iban"] else entry["number"],
        }

    def revoke(self, state):
        with suppress(ConsentError):
            # A session that has ended already is not an error.
            self.http.ask("DELETE", f"sessions/{state['session_id']}", kind="none")

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        # A session ends at that moment even if the bank's consent lasts longer, so no request is needed.
        self.check_end(state["valid_until"])
        with self.reading("session"):
            status = self.http.get(f"sessions/{state['session_id']}")["status"]
            if status != "AUTHORIZED":
                raise self.failure(SESSION_ENDS[status], f"the session is {status}", provider_code=status)
        return Refreshed(state, self.now())

    def accounts(self, state):
        self.check_end(state["valid_until"])
        balances = self.ask_each(state["accounts"], lambda one: self._balance(state, one))
        return [self._account(key, one, balances[key] or UNKNOWN) for key, one in state["accounts"].items()]

    def _bank_http(self, state):
        """Requests that are passed on to the bank name the present user, so they don't count against the daily limit.

        All headers that the bank requires, or none: a part of them is refused.
        https://enablebanking.com/docs/api/reference/#psu-headers
        """
        headers = {"Psu-Ip-Address": self.user.ip_address, "Psu-User-Agent": self.user.agent} if self.user else {}
        headers = {name: value for name, value in headers.items() if value}
        if not headers or set(state.get("user_headers", ())) - {name.lower() for name in headers}:
            return self.http
        return self.connect(headers=headers)

    def _account(self, key, account, balance=UNKNOWN):
        return Account(
            id=key,
            name=account["name"] or account["number"] or key,
            number=account["number"],
            number_type="iban" if account["iban"] else "other",
            currency=account["currency"],
            type=account["type"],
            **balance.to_account(),
            id_scheme="entry_reference",
        )

    def _balance(self, state, account):
        """:return: :class:`~.balances.Balance`, unknown where the bank does not give it now: the others matter, too"""
        try:
            if not account["uid"]:
                return UNKNOWN
            answer = self._ask_bank(state, lambda http: http.get(f"accounts/{account['uid']}/balances"))
        except RateLimited:
            return UNKNOWN
        except ProviderError as error:
            if error.provider_code in ACCOUNT_CODES:
                return UNKNOWN
            raise
        with self.reading("balances"):
            balances = [(b["balance_type"], b["balance_amount"], b.get("reference_date")) for b in answer["balances"]]
            limit = reading.amount(account["limit"]) if account.get("limit") else None
            return of_list(balances, account["currency"], BALANCES, AVAILABLE, self.now(), limit)

    def read_page(self, state, account, since=None, cursor=None, limit=None, until=None):
        """The bank decides how large a page is."""
        self.check_end(state["valid_until"])
        known = self.known_account(state, account)
        if not known["uid"]:
            raise self.failure("account_refused", "the bank has named it without giving access to it")
        # Many banks give all they have only in the first minutes after the consent; `longest` asks for that.
        place = {"since": since and since.isoformat(), "key": None, "page": 1, "mark": None}
        if until:
            place["until"] = until.isoformat()
        if cursor:
            place = self.read_cursor(account, cursor)
        answer = self._ask_bank(state, lambda http: self._page(http, known["uid"], place))
        with self.reading("transactions"):
            rows, unread = self.read_rows(answer["transactions"], self._transaction, known)
            rows.sort(key=lambda row: row.booking_date or date.max)
            key = answer.get("continuation_key") or None
            is_last = key is None or self._is_circle(place, key)
        # A page without transactions may have a next one, it is documented.
        if is_last:
            return Page(tuple(rows), unread=tuple(unread))
        if place["page"] >= MAX_PAGES:
            raise self.failure("unexpected_answer", f"more than {MAX_PAGES} pages")
        mark = digest(key) if place["page"] & (place["page"] - 1) == 0 else place["mark"]
        place = {**place, "key": key, "page": place["page"] + 1, "mark": mark}
        return Page(tuple(rows), (), self.write_cursor(account, **place), True, tuple(unread))

    def _is_circle(self, place, key):
        """Some banks give the same keys for ever. A key kept at pages 1, 2, 4, 8 … finds any circle."""
        return key == place["key"] or digest(key) == place["mark"]

    def _ask_bank(self, state, ask):
        """Send the user's data that the bank requires, and retry without it if the bank can't read it.

        :param ask: function from :class:`~.http.Http` to the answer
        """
        http = self._bank_http(state)
        try:
            return ask(http)
        except ProviderError as error:
            if error.provider_code != "PSU_HEADER_INVALID" or http is self.http:
                raise
        self.user = None
        return ask(self.http)

    def _page(self, http, uid, place):
        period = {"date_from": place["since"]} if place["since"] else {"strategy": "longest"}
        period["date_to"] = place.get("until")
        try:
            return http.get(f"accounts/{uid}/transactions", **period, continuation_key=place["key"])
        except ProviderError as error:
            if error.provider_code != "DATE_FROM_IN_FUTURE":
                raise
            # Nothing can have been booked since a day that has not come yet.
            return {"transactions": ()}

    def identify_row(self, row):
        return reading.identifier(row.get("entry_reference")), "pending" if row.get("status") in PENDING else None

    def _transaction(self, row, known):
        """:return: :class:`~.types.Transaction`, or None for one that moves no money: cancelled, rejected, scheduled"""
        get = row.get
        status = row["status"]
        day = reading.first_day(get("booking_date"), get("value_date"), get("transaction_date"))
        if status in NO_MOVEMENT:
            return None
        if status not in PENDING and status != "BOOK":
            raise ValueError(f"no status: {status!r}"[:100])
        is_debit = {"DBIT": True, "CRDT": False}[row["credit_debit_indicator"]]
        money = row["transaction_amount"]
        # The indicator decides; some banks put the sign before the amount as well.
        amount = abs(reading.amount(money["amount"]))
        sides = ("creditor", "debtor") if is_debit else ("debtor", "creditor")
        parties = [self._party(get(side), get(f"{side}_account"), get(f"{side}_agent")) for side in sides]
        currency = reading.currency(money["currency"], known["currency"])
        foreign = (get("exchange_rate") or {}).get("instructed_amount") or {}
        is_foreign = (
            foreign.get("amount") and reading.has_currency(foreign["currency"]) and foreign["currency"] != currency
        )
        remittance = reading.texts(get("remittance_information"), get("note"))
        structured, mandate = reading.text(get("reference_number")), None
        if get("reference_number_schema") == "SDDM":
            # https://enablebanking.com/docs/api/reference/#transaction: the reference of a SEPA direct debit mandate
            structured, mandate = None, structured
        reference = reading.structured_reference(structured)
        if structured and not reference:
            remittance = reading.texts(list(remittance), structured)
        return Transaction(
            # Unique and unchangeable among the accounts with one identification hash; optional. `transaction_id` only
            # opens the details and may change. https://enablebanking.com/docs/api/reference/#transaction
            id=reading.identifier(get("entry_reference")),
            # A transaction without any date can't be booked.
            status="booked" if status == "BOOK" and day else "pending",
            amount=-amount if is_debit else amount,
            currency=currency,
            booking_date=day,
            value_date=reading.day(get("value_date")),
            foreign_amount=(abs(reading.amount(foreign["amount"])) * (-1 if is_debit else 1)) if is_foreign else None,
            foreign_currency=foreign["currency"] if is_foreign else None,
            counterparty=reading.other_side(*parties, known["iban"]),
            remittance=remittance,
            creditor_reference=reference or next(filter(None, map(reading.creditor_reference, remittance)), None),
            mandate_id=mandate,
            raw=row,
        )

    def _party(self, party, account, agent):
        party, account, agent = party or {}, account or {}, agent or {}
        # ING writes the name into the address. Recorded by users of invoiceninja and actual.
        name = reading.text(party.get("name")) or " ".join(
            (party.get("postal_address") or {}).get("address_line") or ()
        )
        number = account.get("iban") or (account.get("other") or {}).get("identification")
        return Counterparty(reading.text(name), reading.number(number), reading.bic(agent.get("bic_fi")))
