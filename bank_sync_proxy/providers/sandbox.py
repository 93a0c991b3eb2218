"""The Demo Bank: a provider without a network, for demonstrations, for tests, and as the model of an adapter.

The bank itself is in sandbox_bank (movements and balances), sandbox_texts (what accompanies them), sandbox_names and
sandbox_institutions.
"""

import base64
import hmac
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlencode, urljoin

from . import sandbox_signatures as signatures
from . import sandbox_texts as texts
from .base import Provider
from .errors import ConfigurationError, ConsentError, ProtocolError, _lt
from .facts import Facts
from .sandbox_bank import MAX_PENDING_DAYS, Ledger, hours
from .sandbox_challenges import (
    ANOTHER_USER,
    APPROVAL,
    CODE,
    LOGIN,
    RECONFIRM,
    REFUSED,
    TOO_LATE,
    WRONG_USER,
)
from .sandbox_institutions import BANKS
from .types import (
    Account,
    Capabilities,
    Challenge,
    Completed,
    Field,
    Institution,
    Option,
    Page,
    Redirect,
    Refreshed,
    Setting,
    moment_from_text,
    moment_text,
)

HISTORY_DAYS = 120
CONSENT_DAYS = 180
PAGE_SIZE = 100
PASSWORD = "demo"
SMS_CODE = "123456"
MAX_USER_LENGTH = 40
#: Seconds. The bank's app approves after the first ones; for the user ``slow`` never, until the bank stops waiting.
APPROVED_AFTER = 10
APPROVAL_ENDS_AFTER = 60
SLOW_USER = "slow"

UNTIL_IT_ENDS = _lt(
    "Your books may read balances and transactions of the accounts that you select here, for 180 days. "
    "Nothing can be paid with this consent."
)
CONFIRMED_HERE = _lt(
    "Your books may read balances and transactions of the accounts that you select here, until you withdraw it. Every "
    "90 days you confirm that it goes on. Nothing can be paid with this consent."
)

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="{color}"/>'
    '<path d="M32 12 12 24v4h40v-4zM16 31h6v14h-6zm13 0h6v14h-6zm13 0h6v14h-6zM12 48h40v5H12z" fill="#fff"/></svg>'
)


class Sandbox(Provider):
    """Each user name is a user with separate data; every user's password is ``demo``.

    State: ``institution``, ``user``, ``accounts`` (ids that the consent covers), ``consent_expires_at`` and
    ``refreshed_at``, the moment as of which everything is answered.
    """

    code = "sandbox"
    label = "Demo Bank"
    api_version = "1"
    demonstration = True
    facts = Facts(
        region=_lt("Invented banks"),
        price=_lt("Free"),
        needs=_lt("Nothing"),
        minutes=0,
        terms=_lt("A demonstration: it connects to no real bank, and its data is invented."),
        steps=(_lt("There are no keys: switch it on."),),
        connect="our pages",
        identity="`id`",
        sources="This project.",
        pending=True,
        webhooks=True,
        history_days=HISTORY_DAYS,
        consent_days=CONSENT_DAYS,
    )
    settings_needed = (
        Setting(
            "clock_offset_hours",
            "Hours ahead",
            type="integer",
            required=False,
            default="0",
            help="How far the Demo Bank's clock is ahead of the real one. It lets days pass in a demonstration.",
        ),
        Setting(
            "webhook_secret",
            "Webhook secret",
            type="secret",
            required=False,
            generated=True,
            help="With it the Demo Bank signs what it tells without having been asked.",
        ),
    )

    def now(self):
        return super().now() + timedelta(hours=int(self.settings["clock_offset_hours"]))

    # -------------------------------------------------------------------------
    # INSTITUTIONS
    # -------------------------------------------------------------------------

    def institutions(self, country=None):
        for bank in BANKS.values():
            if country in (None, bank.country):
                logo = base64.b64encode(LOGO.format(color=bank.color).encode()).decode()
                yield Institution(
                    id=bank.key,
                    name=bank.name,
                    country=bank.country,
                    bic=bank.bic,
                    logo=f"data:image/svg+xml;base64,{logo}",
                    status=bank.status,
                    failed_of_ten=bank.failed_of_ten,
                    capabilities=Capabilities(
                        auto_sync=bank.auto_sync,
                        history_days=HISTORY_DAYS,
                        consent_days=bank.reconfirm_days or CONSENT_DAYS,
                        refreshes_per_day=bank.refreshes_per_day,
                        fetches_per_day=bank.fetches_per_day,
                        reconfirm_days=bank.reconfirm_days,
                    ),
                )

    # -------------------------------------------------------------------------
    # CONSENT
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        if institution not in BANKS:
            raise ConfigurationError("unknown_institution", f"no demo institution {institution}", provider=self.code)
        return self._to_bank_page(flow) if BANKS[institution].redirect else LOGIN

    def renew(self, state, flow):
        return RECONFIRM if BANKS[flow.institution].reconfirm_days else self.start(flow.institution, flow)

    def answer(self, flow, values):
        step = flow.data.get("step")
        if step == "reconfirm":
            # The same consent: no sign-in, and it covers the same accounts.
            return self._complete(flow, flow.state["user"], flow.state["accounts"])
        if step == "login":
            return self._login(flow, values)
        if step == "bank":
            return self._to_bank_page(flow)
        if step == "approval":
            return self._check_approval(flow)
        if step == "approval again":
            return self._ask_approval(flow.data["user"])
        if step == "code":
            return self._check_code(values, flow.data) or self._ask_consent(flow, flow.data["user"])
        if step == "refresh":
            return self._check_code(values, flow.data) or self._refreshed(flow.state)
        if step == "consent":
            return self._consent(flow, values)
        raise ProtocolError("invalid_request", f"no step {step!r}", provider=self.code)

    def _login(self, flow, values):
        user = values.get("user", "").strip().lower()[:MAX_USER_LENGTH]
        if not user or not hmac.compare_digest(values.get("password", "").encode(), PASSWORD.encode()):
            return LOGIN.with_error(
                _lt("User name and password do not match. Check both and try again; the password is “demo”."), user=user
            )
        if self._is_another(flow, user):
            return LOGIN.with_error(ANOTHER_USER, user=user)
        if BANKS[flow.institution].code_at_login:
            return self._ask_code("code", user=user)
        if BANKS[flow.institution].approval:
            return self._ask_approval(user)
        return self._ask_consent(flow, user)

    def _is_another(self, flow, user):
        # Why it matters: another user has other accounts, and the journals would lose theirs.
        return flow.state and user != flow.state["user"]

    def _ask_code(self, step, **data):
        return replace(CODE, data={"step": step, **data})

    def _check_code(self, values, data):
        """:return: the same challenge again, or None when the code is right"""
        code = "".join(values.get("code", "").split())
        if hmac.compare_digest(code.encode(), SMS_CODE.encode()):
            return None
        return self._ask_code(**data).with_error(_lt("Wrong code. Check it and try again; the code is 123456."))

    def _ask_consent(self, flow, user):
        ledgers = self._ledgers(flow.institution, user)
        known = [account for account in flow.state.get("accounts", ()) if account in ledgers]
        options = tuple(
            Option(
                account_id,
                ledger.bank_account.name,
                f"{texts.account_number(ledger)} · {ledger.bank_account.currency}",
            )
            for account_id, ledger in ledgers.items()
        )
        return Challenge(
            title=_lt("Choose accounts"),
            kind="consent",
            message=CONFIRMED_HERE if BANKS[flow.institution].reconfirm_days else UNTIL_IT_ENDS,
            fields=(
                Field(
                    "accounts",
                    _lt("Accounts"),
                    type="multichoice",
                    options=options,
                    value=tuple(known or ledgers),
                ),
            ),
            submit=_lt("Give consent"),
            data={"step": "consent", "user": user},
        )

    def _consent(self, flow, values):
        user = flow.data["user"]
        ledgers = self._ledgers(flow.institution, user)
        chosen = [account for account in ledgers if account in values.get("accounts", ())]
        if not chosen:
            return self._ask_consent(flow, user).with_error(_lt("Select at least one account."), accounts=())
        return self._complete(flow, user, chosen)

    def _complete(self, flow, user, chosen):
        now = self.now()
        expiry = now + timedelta(days=BANKS[flow.institution].reconfirm_days or CONSENT_DAYS)
        state = {
            "institution": flow.institution,
            "user": user,
            "accounts": chosen,
            "consent_expires_at": moment_text(expiry),
            "refreshed_at": moment_text(self._not_before(now, flow.state)),
        }
        return Completed(
            state,
            tuple(self.accounts(state)),
            expiry,
            moment_from_text(state["refreshed_at"]),
            reference=self.reference(flow.institution, user),
        )

    # -------------------------------------------------------------------------
    # CONSENT IN THE BANK'S APP, AND ON THE BANK'S OWN PAGE
    # -------------------------------------------------------------------------

    def _ask_approval(self, user):
        data = {"step": "approval", "user": user, "asked_at": moment_text(self.now())}
        return replace(APPROVAL, data=data)

    def _check_approval(self, flow):
        """:return: the same challenge, until the app has approved or the bank has stopped waiting"""
        user = flow.data["user"]
        waited = (self.now() - moment_from_text(flow.data["asked_at"])).total_seconds()
        if user != SLOW_USER and waited >= APPROVED_AFTER:
            return self._ask_consent(flow, user)
        if waited >= APPROVAL_ENDS_AFTER:
            return replace(TOO_LATE, data={"step": "approval again", "user": user})
        return replace(APPROVAL, data=flow.data)

    def _to_bank_page(self, flow):
        # The Demo Bank's own page is a page of the proxy: it is served beside the callback.
        page = urljoin(flow.callback_url, "../sandbox/bank")
        parameters = {"institution": flow.institution, "state": flow.callback_state, "user": flow.state.get("user", "")}
        return Redirect(f"{page}?{urlencode(parameters)}")

    def approved(self, institution, user, state):
        """What the Demo Bank's own page sends along as ``code`` when the user has approved."""
        return signatures.write_code(institution, user.strip().lower()[:MAX_USER_LENGTH], state)

    def complete(self, flow, params):
        if params.get("error") == "access_denied":
            return REFUSED
        user = signatures.read_code(params.get("code"), flow.institution, params.get("state") or "")
        if self._is_another(flow, user):
            return WRONG_USER
        # Which accounts it covers was said on the bank's page.
        return self._complete(flow, user, list(self._ledgers(flow.institution, user)))

    def reference(self, institution, user):
        """Under which webhooks name a consent; one for all consents of a user, as they see the same accounts."""
        return blake2b(f"{institution}/{user}".encode(), digest_size=12).hexdigest()

    def parse_webhook(self, headers, body):
        secret = self.settings["webhook_secret"]
        if not secret:
            raise ConfigurationError("provider_not_configured", "no webhook secret", provider=self.code)
        # Why the real clock: the sender of the webhook uses it, and the Demo Bank's can be moved forward.
        return signatures.read_webhook(secret, headers, body, self._clock().timestamp())

    # -------------------------------------------------------------------------
    # NEWS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        self._check_consent(state)
        bank = BANKS[state["institution"]]
        if not user_present and bank.code_at_refresh:
            raise ConsentError("challenge_required", "a code at every refresh", provider=self.code)
        if not user_present and not bank.auto_sync:
            raise ConsentError("auto_sync_forbidden", "only while a user is present", provider=self.code)
        if bank.code_at_refresh:
            return self._ask_code("refresh")
        return self._refreshed(state)

    def _refreshed(self, state):
        state = {**state, "refreshed_at": moment_text(self._not_before(self.now(), state))}
        return Refreshed(state, moment_from_text(state["refreshed_at"]), accounts=tuple(self.accounts(state)))

    def _not_before(self, moment, state):
        # An administrator may set the bank's clock back; what was seen once stays seen.
        return max(moment, moment_from_text(state.get("refreshed_at")) or moment)

    def accounts(self, state):
        self._check_consent(state)
        as_of = moment_from_text(state["refreshed_at"])
        return [
            Account(
                id=account_id,
                name=ledger.bank_account.name,
                number=texts.account_number(ledger),
                number_type="other" if ledger.bank_account.type == "credit_card" else "iban",
                currency=ledger.bank_account.currency,
                type=ledger.bank_account.type,
                balance=texts.amount(ledger.balance(hours(as_of))),
                balance_at=as_of,
                balance_date=as_of.date(),
            )
            for account_id, ledger in self._ledgers(state["institution"], state["user"]).items()
            if account_id in state["accounts"]
        ]

    def read_page(self, state, account, since=None, cursor=None, limit=None):
        self._check_consent(state)
        ledger = self._ledgers(state["institution"], state["user"]).get(account)
        if not ledger or account not in state["accounts"]:
            raise ConsentError("unknown_account", "not part of the consent", provider=self.code)
        start, as_of = 0, moment_from_text(state["refreshed_at"])
        if cursor:
            start, as_of, since = self._read_cursor(cursor, ledger, as_of)
        movements = self._window(ledger, as_of, since)
        end = start + max(1, min(limit or PAGE_SIZE, PAGE_SIZE))
        more = end < len(movements)
        return Page(
            transactions=tuple(texts.describe(ledger, movement, hours(as_of)) for movement in movements[start:end]),
            next_cursor=self._write_cursor(ledger, end, as_of, since) if more else None,
            has_more=more,
        )

    def _window(self, ledger, as_of, since):
        """The movements that the bank shows: booked ones in the order of their dates, then what is pending."""
        hour, today = hours(as_of), as_of.date()
        first = max(since or date.min, today - timedelta(days=HISTORY_DAYS))
        known = [
            movement
            for movement in ledger.movements(first - timedelta(days=MAX_PENDING_DAYS), today)
            if movement.begun <= hour
        ]
        booked = [m for m in known if m.visible <= hour and m.booking_date >= first]
        booked.sort(key=lambda m: (m.booking_date, m.visible, m.day, m.index))
        return booked + [m for m in known if m.visible > hour]

    def _check_consent(self, state):
        if self.now() >= moment_from_text(state["consent_expires_at"]):
            raise ConsentError("consent_expired", f"until {state['consent_expires_at']}", provider=self.code)

    def _ledgers(self, institution, user):
        """:return: ledgers by account id; the id depends on the user only, so a renewal finds the same accounts"""
        ledgers = [Ledger(institution, account.key, user) for account in BANKS[institution].accounts]
        return {blake2b("/".join(ledger).encode(), digest_size=8).hexdigest(): ledger for ledger in ledgers}

    # A cursor says where the next page begins in the list of one moment: paging stays stable while the clock moves on.

    def _write_cursor(self, ledger, start, as_of, since):
        place = [start, moment_text(as_of), since and since.isoformat()]
        return base64.urlsafe_b64encode(json.dumps([*place, self._seal(ledger, place)]).encode()).decode()

    def _read_cursor(self, cursor, ledger, latest):
        try:
            *place, seal = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            start, as_of, since = place
            if seal != self._seal(ledger, place):
                raise ValueError("the seal is of another account")
            as_of = min(moment_from_text(as_of), latest)
            return int(start), as_of, since and datetime.fromisoformat(since).date()
        except (ValueError, TypeError, AttributeError) as error:
            raise ProtocolError("invalid_request", f"not a cursor of this account: {error}", provider=self.code)

    def _seal(self, ledger, place):
        """Ties a cursor to its account; it is a check against mix-ups, there is nothing to steal."""
        return blake2b("/".join([*ledger, *map(str, place)]).encode(), digest_size=6).hexdigest()
