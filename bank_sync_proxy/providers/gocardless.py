"""GoCardless Bank Account Data, once Nordigen: banks of Europe. https://developer.gocardless.com/bank-account-data/

For accounts at GoCardless that exist already: new ones have not been possible since July 2025. A consent is a
*requisition* with an *agreement*; every request reaches the bank, and requests are counted per account and
kind.
"""

import re
import secrets
from datetime import date, timedelta
from itertools import chain

from odoo.addons.bank_sync_common.tools.recognition import Keys

from ..tools.urls import with_query
from . import reading
from .auth import Bearer, Token
from .balances import CLOSING, OPENING, PREVIOUS, UNKNOWN, of_list
from .errors import ConsentError, ProtocolError, ProviderError, RateLimited, TransientError, _lt
from .facts import EEA, Facts
from .http import NoAuth, read_seconds
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Counterparty,
    Institution,
    Page,
    Redirect,
    Refreshed,
    Setting,
    Transaction,
    moment_from_text,
    moment_text,
)
from .web import WebProvider

FETCHES_PER_DAY = 4
MAX_CONSENT_DAYS = 180
#: A time that is named in words, where the header is missing: "Please try again in 85092 seconds".
TRY_AGAIN = re.compile(r"try again in (\d+) second")
LIMITS = ("HTTP_X_RATELIMIT_ACCOUNT_SUCCESS", "HTTP_X_RATELIMIT")
BALANCES = {
    "closingBooked": CLOSING,
    "interimBooked": CLOSING,
    "previouslyClosedBooked": PREVIOUS,
    "openingBooked": OPENING,
}
AVAILABLE = ("closingAvailable", "interimAvailable", "forwardAvailable")
TYPES = {"CACC": "current", "TRAN": "current", "SVGS": "savings", "CARD": "credit_card", "LOAN": "loan"}
SCOPES = ("balances", "details", "transactions")
SCOPE = re.compile(r"\b(balances|details|transactions)\b")
#: Lists within a text, such as "supported are ['transactions']".
LISTED = re.compile(r"\[[^\[\]]*\]")
#: What has become of an account, by GoCardless's own word. https://developer.gocardless.com/bank-account-data/statuses
ACCOUNT_STATES = {
    **dict.fromkeys(("DISCOVERED", "PROCESSING"), "provider_busy"),
    "EXPIRED": "consent_expired",
    # Only a new consent ends it.
    "SUSPENDED": "consent_revoked",
    "ERROR": "institution_unavailable",
}
#: https://developer.gocardless.com/bank-account-data/statuses
REQUISITION_ENDS = {
    "EX": "consent_expired",
    "RJ": "consent_revoked",
    "SU": "consent_revoked",
    "ID": "consent_revoked",
    "ER": "consent_revoked",
}
#: Card issuers that report a purchase as positive, and what is owed, too. Found by the users of Actual Budget, whose
#: adapters turn them: https://github.com/actualbudget/actual/tree/master/packages/sync-server/src/app-gocardless/banks
#: (seb_kort_bank_ab.js with its three ids, cetelem).
TURNED = {
    "SEB_KORT_AB_NO_SKHSFI21",
    "SEB_KORT_AB_SE_SKHSFI21",
    "SEB_CARD_ESSESESS",
    "CETELEM_CETMPTP1XXX",
}
REFUSED = Challenge(
    title=_lt("No consent given"),
    kind="consent",
    message=_lt("The bank reports that you have not given your consent, so nothing was connected. You can try again."),
    submit=_lt("Try again"),
    data={"step": "again"},
)


class GoCardless(WebProvider):
    """State: ``requisition``, ``institution`` (missing where the consent is older than that), ``expires_at``, and
    ``accounts``: our id → what identifies one."""

    code = "gocardless"
    label = "GoCardless (existing accounts only)"
    docs_url = "https://developer.gocardless.com/bank-account-data/overview"
    api_version = "2"
    production_url = sandbox_url = "https://bankaccountdata.gocardless.com/api/v2"
    facts = Facts(
        region=_lt("Europe"),
        countries=(*EEA, "GB"),
        audience=("own", "business"),
        price=_lt("As agreed when your account at GoCardless was opened"),
        needs=_lt("An account for Bank Account Data at GoCardless from before July 2025"),
        minutes=5,
        closed=_lt("closed to new customers since July 2025; existing accounts still work"),
        steps=(
            _lt("Sign in at bankaccountdata.gocardless.com and open Developers ‣ User secrets."),
            _lt("Make a pair of secrets. If you bind it to network addresses, this server's must be among them."),
        ),
        connect="bank's pages",
        identity="`internalTransactionId`, else `transactionId`, else a fingerprint",
        sources=(
            "Fields, consent and requests a day: GoCardless's Swagger document. Closing: public reports of 2025 "
            "and 2026."
        ),
        pending=True,
        consent_days=MAX_CONSENT_DAYS,
        fetches_per_day=FETCHES_PER_DAY,
    )
    sends_dates = True
    takes_until = True
    settings_needed = (
        Setting("secret_id", _lt("Secret ID"), help=_lt("Bank Account Data ‣ Developers ‣ User secrets.")),
        Setting("secret_key", _lt("Secret key"), type="secret"),
    )
    account_keys = Keys(
        alike=(("number", "currency", "name", "type"), ("number", "currency")), certain=("iban", "currency", "type")
    )
    error_codes = {
        "AccessExpiredError": "consent_expired",
        "AccountInactiveError": "account_refused",
        "AccountAccessForbidden": "consent_revoked",
    }
    #: 402: the free usage of these keys is used up. 409: the account is suspended or still being prepared, see
    #: :meth:`_ask_account`. 500 and 503 are those of the bank. https://developer.gocardless.com/bank-account-data/endpoints
    status_codes = {
        402: "provider_not_configured",
        **dict.fromkeys((409, 500, 503), "institution_unavailable"),
    }

    def authenticate(self):
        keys = {name: self.settings[name] for name in ("secret_id", "secret_key")}

        def obtain(_old):
            # Not refreshed: an object lives for one operation, a token for a day.
            try:
                data = self.connect(NoAuth()).ask("POST", "token/new/", body=keys, idempotent=True).data
            except ProviderError as error:
                # So that it differs from an account that is refused.
                error.provider_code = error.provider_code or "token"
                raise
            with self.reading("token"):
                return Token(data["access"], self.now() + timedelta(seconds=int(data["access_expires"])))

        return Bearer(obtain, self.now)

    def read_error(self, body):
        return body.get("type"), body.get("detail") or body.get("summary"), None

    def parse_error(self, response):
        error = super().parse_error(response)
        if isinstance(error, RateLimited):
            error.retry_after = self._reset(response) or error.retry_after
        return error

    def _reset(self, response):
        """:return: seconds, from the headers of the limit that is used up, else from the words"""
        for limit in LIMITS:
            if response.headers.get(f"{limit}_REMAINING") == "0" and (
                seconds := read_seconds(response.headers.get(f"{limit}_RESET", ""))
            ):
                return seconds
        found = TRY_AGAIN.search(response.text)
        return found and read_seconds(found[1])

    def check_keys(self):
        with self.reading("institutions"):
            return f"{len(self.http.get('institutions/', country='gb'))} banks in the United Kingdom"

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        listed = self.http.get("institutions/", country=country and country.lower())
        with self.reading("institutions"):
            return [
                Institution(
                    id=bank["id"],
                    name=bank["name"],
                    country=country or bank["countries"][0].upper(),
                    bic=reading.text(bank.get("bic")),
                    logo=reading.text(bank.get("logo")),
                    capabilities=Capabilities(
                        history_days=self._history_days(bank),
                        consent_days=self._consent_days(bank),
                        fetches_per_day=FETCHES_PER_DAY,
                    ),
                )
                for bank in listed
            ]

    def _history_days(self, bank):
        return int(bank.get("transaction_total_days") or 90)

    def _consent_days(self, bank):
        # Both are texts. Banks without one allow 90 days.
        return min(int(bank.get("max_access_valid_for_days") or 90), MAX_CONSENT_DAYS)

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        try:
            bank = self.http.get(f"institutions/{institution}/")
        except ProviderError as error:
            if error.status == 404:
                raise self.failure("unknown_institution", f"{institution} is not listed any more")
            raise
        with self.reading("requisition"):
            agreement = self._agree(
                {
                    "institution_id": institution,
                    "max_historical_days": self._history_days(bank),
                    "access_valid_for_days": self._consent_days(bank),
                    "access_scope": list(SCOPES),
                }
            )
            requisition = self.http.post(
                "requisitions/",
                {
                    "redirect": with_query(flow.callback_url, state=flow.callback_state),
                    "institution_id": institution,
                    "agreement": agreement["id"],
                    "reference": secrets.token_hex(16),
                    "user_language": flow.language[:2].upper(),
                },
            )
            kept = {"state": flow.callback_state, "requisition": requisition["id"], "agreement": agreement["id"]}
            return Redirect(requisition["link"], kept)

    def _agree(self, body):
        """Some banks offer only a part of what is asked for, and name it when they refuse the rest."""
        try:
            return self.http.post("agreements/enduser/", body)
        except ProviderError as error:
            offered = self._offered(error.answer)
            if error.status != 400 or not offered or offered == set(SCOPES):
                raise
        return self.http.post("agreements/enduser/", {**body, "access_scope": sorted(offered)})

    def _offered(self, answer):
        """:return: the scopes of the last list that a refusal names"""
        listed = [SCOPE.findall(found) for found in LISTED.findall(answer.text if answer else "")]
        return next((set(scopes) for scopes in reversed(listed) if scopes), set())

    def answer(self, flow, values):
        return self.start(flow.institution, flow)

    def complete(self, flow, params):
        self.check_state(flow, params)
        requisition = self.http.get(f"requisitions/{flow.data['requisition']}/")
        with self.reading("requisition"):
            # What the requisition says counts, not what came with the browser.
            if requisition["status"] != "LN":
                return REFUSED
            agreement = self.http.get(f"agreements/enduser/{flow.data['agreement']}/")
            accepted = reading.moment(agreement.get("accepted")) or self.now()
            expiry = accepted + timedelta(days=int(agreement["access_valid_for_days"]))
            state = {"requisition": requisition["id"], "expires_at": moment_text(expiry)}
            if scopes := agreement.get("access_scope"):
                missing = sorted(set(SCOPES) - set(scopes))
                state |= {"not_offered": missing} if missing else {}
            read, unread, error = self._read_accounts(state, requisition["accounts"])
            if error and not read:
                raise error
            accounts = self._identify(read, flow.state.get("accounts", {}))
            state["accounts"] = accounts
            if unread:
                # Which of those that were known it is can only be seen once it can be read.
                known = flow.state.get("accounts", {}).items()
                state |= {"unread": unread, "before": {key: old for key, old in known if key not in accounts}}
            # Why not in a renewal, too: there, users have reversed the account themselves.
            if institution := flow.state.get("institution") if flow.state else flow.institution:
                state["institution"] = institution
            shown = tuple(self._account(key, account) for key, account in accounts.items())
            return Completed(state, shown, moment_from_text(state["expires_at"]), self.now())

    def _read_accounts(self, state, ids):
        """One account that can't be read now keeps no other one away; :meth:`refresh` asks for it again.

        :return: (what identifies the accounts that could be read, ids of the others, the first failure or None)
        """
        read, unread, first = [], [], None
        for account_id in ids:
            try:
                with self.reading("details"):
                    read.append(self._details(state, account_id))
            except (ConsentError, TransientError, RateLimited, ProtocolError) as error:
                unread.append(account_id)
                first = first or error
        return read, unread, first

    def _details(self, state, account_id):
        """Requested once and kept, because the bank counts these requests."""
        if "details" in state.get("not_offered", ()):
            # What GoCardless itself knows, without asking the bank.
            account = self.http.get(f"accounts/{account_id}/")
        else:
            account = self._ask_account(state, account_id, "details")["account"]
        number = reading.text(
            account.get("iban") or account.get("bban") or account.get("maskedPan") or account.get("resourceId")
        )
        return {
            "id": account_id,
            "iban": reading.iban(account.get("iban")),
            "number": number,
            "currency": self._currency(state, account_id, account.get("currency")),
            "name": reading.text(account.get("name") or account.get("product") or account.get("ownerName")),
            "type": TYPES.get(account.get("cashAccountType"), "current"),
        }

    def _currency(self, state, account_id, said):
        """Of an account whose details don't say it, or say XXX for "several": what its amounts are in.

        :raise ValueError: where they are in none, or in several
        """
        if reading.has_currency(said):
            return said
        found = set()
        if "balances" not in state.get("not_offered", ()):
            balances = self._ask_account(state, account_id, "balances")["balances"]
            found = {balance["balanceAmount"]["currency"] for balance in balances}
        elif "transactions" not in state.get("not_offered", ()):
            listed = self._ask_account(state, account_id, "transactions")["transactions"]
            found = {row["transactionAmount"]["currency"] for rows in listed.values() for row in rows}
        found = set(filter(reading.has_currency, found))
        if len(found) != 1:
            raise ValueError(f"the account has no currency of its own: {sorted(found)}")
        return found.pop()

    def _ask_account(self, state, account_id, what, **params):
        """Ask the bank. If it refuses without a reason, GoCardless has more information: the state of the
        consent, or of the account.
        """
        path = f"accounts/{account_id}"
        try:
            return self.http.get(f"{path}/{what}/", **params)
        except ProviderError as error:
            if error.provider_code or error.status not in (401, 403, 409):
                raise
            reason = self._why_suspended(path) if error.status == 409 else self._why_forbidden(state)
            if not reason:
                raise
            raise self.failure(reason, error.detail, error.answer) from error

    def _why_forbidden(self, state):
        """An agreement that has ended is refused as wrong keys are; but with those nothing else is answered, either.

        :return: our code, None where it is about the keys
        """
        try:
            requisition = self.http.get(f"requisitions/{state['requisition']}/")
        except ProviderError:
            return None
        return REQUISITION_ENDS.get(reading.at(requisition, "status"), "consent_expired")

    def _why_suspended(self, path):
        """:return: our code of what an account that is in the way of itself is; None where that is not known"""
        try:
            account = self.http.get(f"{path}/")
        except ProviderError:
            return None
        status = reading.at(account, "status")
        return ACCOUNT_STATES.get(status) if isinstance(status, str) else None

    def _identify(self, listed, known):
        """Ids are usually the same for an IBAN at an institution, but this is not guaranteed. Cards may share a masked
        number, and a card the IBAN of its current account."""
        return self.by_our_id(known, listed, listed)

    def revoke(self, state):
        try:
            self.http.ask("DELETE", f"requisitions/{state['requisition']}/", kind="none")
        except ProviderError as error:
            # It was deleted already.
            if error.status != 404:
                raise

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        self.check_end(state["expires_at"])
        with self.reading("requisition"):
            status = self.http.get(f"requisitions/{state['requisition']}/")["status"]
            if status != "LN":
                code = REQUISITION_ENDS.get(status, "connection_unfinished")
                raise self.failure(code, f"the requisition is {status}", provider_code=status)
            return Refreshed(self._read_the_rest(state), self.now())

    def _read_the_rest(self, state):
        """:return: the state with the accounts that could not be read when the consent was given, if they can now"""
        if not state.get("unread"):
            return state
        read, unread, _error = self._read_accounts(state, state["unread"])
        found = self._identify(read, {**state.get("before", {}), **state["accounts"]})
        state = {**state, "accounts": {**state["accounts"], **found}, "unread": unread}
        return state if unread else {name: value for name, value in state.items() if name not in ("unread", "before")}

    def accounts(self, state):
        self.check_end(state["expires_at"])
        sign = self._sign(state)
        balances = self.ask_each(state["accounts"], lambda one: self._balance(state, one).signed(sign))
        return [self._account(key, one, balances[key] or UNKNOWN) for key, one in state["accounts"].items()]

    def _sign(self, state):
        return -1 if state.get("institution") in TURNED else 1

    def _account(self, key, account, balance=UNKNOWN):
        return Account(
            id=key,
            name=account["name"] or account["number"] or key,
            number=account["number"],
            number_type="iban" if account["iban"] else "other",
            currency=account["currency"],
            type=account["type"],
            **balance.to_account(),
        )

    def _balance(self, state, account):
        """:return: :class:`~.balances.Balance`, unknown where the bank does not give it now: the others matter, too"""
        if "balances" in state.get("not_offered", ()):
            return UNKNOWN
        try:
            answer = self._ask_account(state, account["id"], "balances")
        except RateLimited:
            return UNKNOWN
        except ProviderError as error:
            if error.code == "account_refused" or error.status == 409:
                # The request for its transactions reports it.
                return UNKNOWN
            raise
        with self.reading("balances"):
            balances = [
                # A booked balance that includes the credit limit is an available amount.
                (
                    "withLimit" if b.get("creditLimitIncluded") else b["balanceType"],
                    b["balanceAmount"],
                    b.get("referenceDate"),
                )
                for b in answer["balances"]
            ]
            return of_list(balances, account["currency"], BALANCES, AVAILABLE, self.now())

    def read_page(self, state, account, since=None, cursor=None, limit=None, until=None):
        """There is one page, however long it is."""
        if cursor:
            raise self.failure("invalid_request", "there is no other page")
        self.check_end(state["expires_at"])
        known = self.known_account(state, account)
        if "transactions" in state.get("not_offered", ()):
            raise self.failure("account_refused", "the bank does not offer transactions")
        period = {"date_from": since and since.isoformat(), "date_to": until and until.isoformat()}
        answer = self._ask_account(state, known["id"], "transactions", **period)
        with self.reading("transactions"):
            listed, sign = answer["transactions"], self._sign(state)
            rows, unread = self.read_rows(listed["booked"], self._transaction, "booked", known, sign, status="booked")
            pending = listed.get("pending") or ()
            pending = self.read_rows(pending, self._transaction, "pending", known, sign, status="pending")
            rows.sort(key=lambda row: row.booking_date)
            pending[0].sort(key=lambda row: row.booking_date or date.max)
            return Page((*rows, *pending[0]), unread=(*unread, *pending[1]))

    def identify_row(self, row):
        return self._identifier(row), None

    def _identifier(self, row):
        # GoCardless's own id; the bank's is missing or not unique at some banks.
        # https://developer.gocardless.com/bank-account-data/transactions
        return reading.identifier(row.get("internalTransactionId")) or reading.identifier(row.get("transactionId"))

    def _transaction(self, row, status, known, sign):
        get = row.get
        money = row["transactionAmount"]
        amount = sign * reading.amount(money["amount"])
        currency = reading.currency(money["currency"], known["currency"])
        sides = ("creditor", "debtor") if amount < 0 else ("debtor", "creditor")
        # Some banks put the whole text into the place for references.
        structured = [*self._structured(get("remittanceInformationStructured"))]
        structured += self._structured(get("remittanceInformationStructuredArray"))
        remittance = reading.texts(
            get("remittanceInformationUnstructured"),
            get("remittanceInformationUnstructuredArray"),
            structured,
            get("additionalInformation"),
        )
        references = chain(
            map(reading.creditor_reference, (*structured, *remittance)),
            map(reading.structured_reference, structured),
        )
        foreign = self._foreign(get("currencyExchange"), currency)
        return Transaction(
            id=self._identifier(row),
            status=status,
            amount=amount,
            currency=currency,
            booking_date=reading.first_day(
                get("bookingDate"), get("bookingDateTime"), get("valueDate"), get("valueDateTime")
            ),
            value_date=reading.day(get("valueDate")),
            foreign_amount=foreign and abs(reading.amount(foreign["amount"])) * (-1 if amount < 0 else 1),
            foreign_currency=foreign and foreign["currency"],
            counterparty=reading.other_side(*(self._party(row, side) for side in sides), known["iban"]),
            remittance=remittance,
            end_to_end_id=reading.end_to_end_id(get("endToEndId")),
            creditor_reference=next(filter(None, references), None),
            mandate_id=reading.text(get("mandateId")),
            raw=row,
        )

    def _structured(self, value):
        """:return: texts of what is a text, or an object with a reference, or a list of them"""
        items = value if type(value) is list else [value]
        return reading.texts([item.get("reference") if type(item) is dict else item for item in items])

    def _party(self, row, side):
        # An object; a mere text in older answers.
        account = row.get(f"{side}Account") or {}
        number = account if type(account) is str else account.get("iban") or account.get("bban")
        name = row.get(f"{side}Name") or row.get(f"ultimate{side.capitalize()}")
        return Counterparty(reading.text(name), reading.number(number))

    def _foreign(self, exchange, currency):
        """:return: the amount that was ordered, where it is in another currency: an object, or the first of a list"""
        exchange = (exchange[0] if exchange else None) if type(exchange) is list else exchange
        ordered = (exchange or {}).get("instructedAmount") or {}
        is_foreign = reading.has_currency(ordered.get("currency")) and ordered["currency"] != currency
        return ordered if ordered.get("amount") and is_foreign else None
