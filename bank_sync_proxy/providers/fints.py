"""FinTS: German banks directly, by the protocol that they all speak. https://www.fints.org/de/spezifikation

There is no third party between the proxy and the bank, so the only credentials are the user's: a user name, a PIN,
and TANs. A TAN, or an approval in the bank's app, is asked for when the connection is made and every 90 to 180 days; in
between the bank answers without. What each bank speaks in detail is the business of the optional library ``fints``
(LGPL-3).
"""

import base64
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property

from odoo.addons.bank_sync_common.tools.recognition import Keys, identify

from . import fints_challenges as pages
from . import reading
from .errors import ConfigurationError, ConsentError, ProtocolError, TransientError, _lt
from .facts import Facts
from .http import leads_outside
from .types import Account, Capabilities, Challenge, Completed, Field, Institution, Option, Page, Refreshed, Setting
from .web import WebProvider

#: What banks give without a TAN. https://eur-lex.europa.eu/eli/reg_del/2018/389/oj, article 10
HISTORY_DAYS = 90
#: No answer contains more days, so that it is not too large.
DAYS_AT_ONCE = 31
#: How far back a request reaches if its only purpose is that the bank asks for a TAN.
PROBE = timedelta(days=3)
#: Kinds of accounts begin with these numbers, up to the next one (HIUPD, "Kontoart").
ACCOUNT_TYPES = ((60, "other"), (50, "credit_card"), (40, "loan"), (30, "other"), (10, "savings"), (1, "current"))
PICTURES = ("image/png", "image/jpeg", "image/gif")
MAX_WORDS = 1500
POLL_SECONDS, MAX_POLLS = 5, 60


class FinTS(WebProvider):
    """State: ``bank_code``, ``url``, ``user``, ``customer``, ``pin``, what the library keeps (``system_id``,
    ``client``), and ``accounts``: our id, which is the IBAN, → what names an account to the bank.
    """

    code = "fints"
    label = "FinTS (German banks)"
    docs_url = "https://www.fints.org/de/spezifikation"
    api_version = "3.0"
    #: Each bank has its own, which the user names.
    production_url = sandbox_url = "https://www.fints.org"
    facts = Facts(
        region=_lt("Germany"),
        countries=("DE",),
        audience=("own",),
        price=_lt("Free"),
        needs=_lt("A registration with the German banking industry, and each user's online banking with PIN and TAN"),
        signup_url="https://www.fints.org/de/hersteller/produktregistrierung",
        terms=_lt(
            "The registration names the product to the banks; whose accounts it may read is up to each bank's terms."
        ),
        terms_urls=((_lt("Product registration"), "https://www.fints.org/de/hersteller/produktregistrierung"),),
        steps=(
            _lt("Open the product registration of the German banking industry and send its form: free, some days."),
            _lt("The answer is a registration number of 25 letters and digits: enter it below."),
            _lt(
                "On the server, install the library where Odoo's Python looks: pip install 'fints>=5.0.1' "
                "'mt-940>=5.1.1'"
            ),
        ),
        connect="our pages",
        identity="none: told apart by content",
        sources=(
            "Fields and dialogues: fints 5.0.1 and mt-940 5.1.1. History: practice of banks under PSD2, from memory."
        ),
        pending=True,
        history_days=HISTORY_DAYS,
    )
    account_keys = Keys(own=("mark",), alike=(("iban", "currency"),))
    takes_until = True
    days_at_once = DAYS_AT_ONCE
    settings_needed = (
        Setting(
            "product_id",
            _lt("Product registration"),
            help=_lt("25 letters and digits that the German banking industry gave to the operator of this proxy."),
            pattern="[0-9A-Za-z]{25}",
            expects=_lt("A product registration has exactly 25 letters and digits."),
        ),
    )

    @cached_property
    def library(self):
        """What needs the library. Why so late: it is optional, and the list of providers is for everybody."""
        try:
            from . import fints_client, fints_statements
        except ImportError as error:
            detail = (
                f"{error}: the library is missing, pip install 'fints>=5.0.1' 'mt-940>=5.1.1' (Python 3.11 or later)"
            )
            raise ConfigurationError("provider_not_configured", detail, provider=self.code)
        return fints_client, fints_statements

    def institutions(self, country=None):
        """There is no public list of banks and their addresses."""
        limits = Capabilities(history_days=HISTORY_DAYS)
        bank = Institution(id="fints.DE", name=self.label, country="DE", capabilities=limits)
        return [bank] if country in (None, "DE") else []

    def _client(self, access):
        """Why the look at the address: a user names it; it may not lead into the network of the proxy."""
        if not access.get("pin"):
            raise ConsentError("credentials_rejected", "the PIN was refused before", provider=self.code)
        if not self._may_ask(access["url"]):
            # Or its name is not known at the moment.
            raise TransientError("institution_unavailable", "its address is not public", provider=self.code)
        client_module, _statements = self.library
        return client_module.Client(self, access)

    def _may_ask(self, url):
        return self.is_our_host(url) or leads_outside(url)

    def forget_refused(self, state):
        """Why: of the next wrong PINs one would lock the account, and what asks may be a schedule."""
        return {**state, "pin": ""}

    # -------------------------------------------------------------------------
    # SIGNING IN
    # -------------------------------------------------------------------------

    def start(self, institution, flow):
        return pages.NEW_PIN if flow.state else pages.LOGIN

    def answer(self, flow, values):
        steps = {"login": self._login, "method": self._method, "medium": self._medium, "tan": self._tan}
        step = steps.get(flow.data["step"])
        return step(flow, values) if step else self._sign_in(flow, flow.data["access"])

    def _login(self, flow, values):
        page = self.start(flow.institution, flow)
        access = {**flow.state, "pin": values.get("pin", "").strip()}
        # The methods are requested again, but by the same computer as before.
        access.pop("client", None)
        if not flow.state:
            access |= {name: "".join(values.get(name, "").split()) for name in ("bank_code", "url", "user", "customer")}
        shown = {name: access[name] for name in ("bank_code", "url", "user", "customer")} if not flow.state else {}
        if error := self._mistake(access):
            return page.with_error(error, **shown)
        client = self._client(access)
        try:
            methods = client.methods()
        except ConsentError as error:
            if error.code != "credentials_rejected":
                raise
            return page.with_error(pages.LOCKED if error.note else pages.WRONG_PIN, **shown)
        except (ProtocolError, TransientError) as error:
            # What a server that is not a bank's answers. A bank that was reached before only has an outage.
            if flow.state or error.provider_code:
                raise
            return page.with_error(pages.NO_FINTS, **shown)
        access |= client.keep()
        if len(methods) > 1:
            options = tuple(Option(method.security_function, method.name) for method in methods)
            # A TAN method is chosen already, so the dialog can't continue without it.
            first = client.selected_security_function
            field = Field("method", pages.METHOD_LABEL, "choice", options=options, value=first)
            return self._choice(pages.METHOD, field, access)
        return self._choose_method(flow, access, client, methods[0].security_function if methods else None)

    def _mistake(self, access):
        if not (access["bank_code"].isdigit() and access["bank_code"].isascii() and len(access["bank_code"]) == 8):
            return pages.NO_BANK_CODE
        if not self._may_ask(access["url"]):
            return pages.NO_ADDRESS
        if not access["user"]:
            return pages.NO_USER
        return None if access["pin"] else pages.NO_PIN

    def _choice(self, page, field, access):
        return Challenge(**{**vars(page), "fields": (field,), "data": {**page.data, "access": access}})

    def _method(self, flow, values):
        access = flow.data["access"]
        return self._choose_method(flow, access, self._client(access), values.get("method"))

    def _choose_method(self, flow, access, client, method):
        if method:
            client.set_tan_mechanism(method)
        media = client.media()
        access = {**access, **client.keep()}
        if len(media) > 1:
            options = tuple(Option(name, name) for name in media)
            field = Field("medium", pages.MEDIUM_LABEL, "choice", options=options, value=media[0])
            return self._choice(pages.MEDIUM, field, access)
        return self._choose_medium(flow, access, media[0] if media else "")

    def _medium(self, flow, values):
        return self._choose_medium(flow, flow.data["access"], values.get("medium", ""))

    def _choose_medium(self, flow, access, medium):
        client = self._client(access)
        client.selected_tan_medium = medium
        return self._sign_in(flow, {**access, **client.keep()})

    def _sign_in(self, flow, access):
        """Open a dialog, and ask in it all that the bank could want a TAN for, while the user is present to enter
        one."""
        client = self._client(access)
        todo = list(access["accounts"]) if flow.kind == "refresh" else ["accounts"]
        with client.dialog():
            return self._continue_dialog(flow, access, client, "sign_in", client.init_tan_response, todo)

    def _continue_dialog(self, flow, access, client, step, result, todo):
        """
        :param str step: what was asked last: ``sign_in``, ``accounts``, or the id of an account
        :param result: what came of it
        :param list todo: the steps that follow
        """
        while True:
            if self._is_question(result):
                data = {"step": "tan", "access": {**access, **client.keep()}, "at": step, "todo": todo, "polls": 0}
                return self._ask(client, result, {**data, "paused": client.pause(result)})
            if step == "accounts":
                access = {**access, "accounts": self._identify(client, result, access.get("accounts", {}))}
                todo = list(access["accounts"])
            if not todo:
                break
            step, *todo = todo
            if step == "accounts":
                result = client.get_sepa_accounts()
            else:
                result = self._probe(client, access["accounts"][step])
        state = {**access, **client.keep()}
        if flow.kind == "refresh":
            return Refreshed(state, self.now())
        return Completed(state, tuple(map(self._account, state["accounts"].items())), refreshed_at=self.now())

    def _probe(self, client, account):
        """Make a request only to learn whether the bank requires a TAN. An account that it refuses does not affect
        others."""
        try:
            return client.probe(account, self.now().date() - PROBE)
        except ProtocolError:
            return None

    def _identify(self, client, listed, known):
        """An IBAN names one account, whatever the consent, so it is the id; a few banks keep several under one IBAN,
        by a mark of their own, and know accounts that have none."""
        entries = []
        bank = client.bpa and reading.text(client.bpa.bank_name)
        for item in listed:
            described = client.description(item.iban, item.subaccount)
            product = described and reading.text(described.account_product_name)
            entry = {
                "iban": item.iban,
                "bic": item.bic,
                "number": item.accountnumber,
                "subaccount": item.subaccount,
                "bank_code": item.blz,
                # Of all banks the connection has the same name.
                "name": " ".join(filter(None, (bank, product))) or item.iban,
                "currency": reading.currency(described.account_currency, "EUR") if described else "EUR",
                "type": int(described.account_type or 0) if described else 1,
            }
            entries.append({**entry, "name": entry["name"] or entry["number"]})
        numbers = [entry["iban"] for entry in entries]
        facts = [self._facts(entry) for entry in entries]
        proposals = [
            fact["iban"] if numbers.count(fact["iban"]) == 1 and fact["iban"] else fact["mark"] for fact in facts
        ]
        before = {key: self._facts(entry) for key, entry in known.items()}
        return dict(zip(identify(before, facts, self.account_keys, proposals), entries, strict=True))

    def _facts(self, entry):
        number = entry["iban"] or f"{entry['bank_code']}.{entry['number']}"
        mark = ".".join(filter(None, (number, entry["subaccount"])))
        return {"mark": mark, "iban": entry["iban"], "currency": entry["currency"]}

    # -------------------------------------------------------------------------
    # TANS
    # -------------------------------------------------------------------------

    def _is_question(self, result):
        client_module, _statements = self.library
        return isinstance(result, client_module.NeedTANResponse)

    def _ask(self, client, asked, data):
        """:return: the page for a question of the bank, in the bank's own words"""
        words = reading.TAG.sub(" ", asked.challenge or "")
        words = " ".join(words.split())[:MAX_WORDS]
        if asked.decoupled:
            pause = getattr(client.method, "wait_before_next_poll", None) or POLL_SECONDS
            return Challenge(**{**vars(pages.APPROVAL), "hint": words, "data": data, "poll_seconds": int(pause)})
        fields = [Field("tan", pages.TAN_LABEL, "code" if client.takes_digits() else "text")]
        if asked.challenge_matrix and asked.challenge_matrix[0] in PICTURES:
            kind, content = asked.challenge_matrix
            picture = f"data:{kind};base64,{base64.b64encode(content).decode()}"
            fields.insert(0, Field("picture", pages.PICTURE_LABEL, "image", value=picture, required=False))
        elif asked.challenge_hhduc:
            fields.insert(0, Field("flicker", "", "info", value=pages.FLICKER, required=False))
        return Challenge(**{**vars(pages.TAN), "hint": words, "fields": tuple(fields), "data": data})

    def _tan(self, flow, values):
        data = flow.data
        client = self._client(data["access"])
        asked = client.asked(data["paused"])
        tan = "".join(values.get("tan", "").split())
        if not tan and not asked.decoupled:
            return self._ask(client, asked, data).with_error(pages.NO_TAN)
        try:
            with client.dialog(data["paused"]):
                result = client.send_tan(asked, tan)
                if asked.decoupled and self._is_question(result):
                    return self._wait(client, result, data)
                return self._continue_dialog(flow, data["access"], client, data["at"], result, data["todo"])
        except ConsentError as error:
            if error.provider_code not in self.library[0].TAN_CODES:
                raise
        if asked.decoupled:
            return self._too_late(data)
        page = self._sign_in(flow, data["access"])
        return page.with_error(pages.WRONG_TAN) if isinstance(page, Challenge) else page

    def _wait(self, client, asked, data):
        """The user has not approved yet."""
        polls = data["polls"] + 1
        if polls >= (getattr(client.method, "decoupled_max_poll_number", None) or MAX_POLLS):
            return self._too_late(data)
        return self._ask(client, asked, {**data, "polls": polls, "paused": client.pause(asked)})

    def _too_late(self, data):
        return Challenge(**{**vars(pages.TOO_LATE), "data": {"step": "again", "access": data["access"]}})

    def _alone(self, result):
        """:raise ConsentError: when the bank asks and no user is present"""
        if self._is_question(result):
            raise ConsentError("challenge_required", "the bank wants a TAN", provider=self.code)
        return result

    # -------------------------------------------------------------------------
    # ACCOUNTS
    # -------------------------------------------------------------------------

    def refresh(self, state, user_present=False, flow=None):
        """The bank itself answers, always with its news; what is in question is whether it wants a TAN first."""
        if user_present:
            return self._sign_in(flow, state)
        client = self._client(state)
        with client.dialog():
            self._alone(client.init_tan_response)
        return Refreshed({**state, **client.keep()}, self.now())

    def accounts(self, state):
        client = self._client(state)
        with client.dialog():
            self._alone(client.init_tan_response)
            balances = self.ask_each(state["accounts"], lambda one: self._alone(client.balance(one)))
            return [self._account(item, balances[item[0]]) for item in state["accounts"].items()]

    def _account(self, item, balance=None):
        key, account = item
        day = balance and date(balance.date.year, balance.date.month, balance.date.day)
        today = reading.central_european_day(self.now())
        return Account(
            id=key,
            name=account["name"],
            number=account["iban"] or account["number"],
            number_type="iban" if account["iban"] else "other",
            currency=account["currency"],
            type=next((name for first, name in ACCOUNT_TYPES if account["type"] >= first), "other"),
            balance=balance and reading.amount(f"{balance.amount.amount:f}"),
            # A day means its end.
            balance_at=balance and (self.now() if day >= today else datetime.combine(day, time(23), timezone.utc)),
            balance_date=balance and min(day, today),
            id_scheme="fingerprint",
        )

    # -------------------------------------------------------------------------
    # TRANSACTIONS
    # -------------------------------------------------------------------------

    def first_day(self, since):
        return max(since or date.min, self.now().date() - timedelta(days=HISTORY_DAYS - 1))

    def read_page(self, state, account, since=None, cursor=None, limit=None, until=None):
        known = self.known_account(state, account)
        client = self._client(state)
        with client.dialog():
            self._alone(client.init_tan_response)
            # Without an end, the last part has what is dated ahead, too.
            found = self._alone(client.statements(known, since, until))
        rows, unread = self._read(found, known, with_pending=not until)
        return Page(tuple(rows), unread=tuple(unread))

    def _read(self, found, known, with_pending):
        """What is pending comes with every window and counts in the last one.

        :return: (rows, oldest first; rows that can't be read)
        """
        _client, statements = self.library
        is_camt, *parts = found
        rows, unread = [], []
        with self.reading("statements"):
            for documents, status in zip(parts, ("booked", "pending"), strict=True):
                if is_camt:
                    # Each booked one says itself whether it is pending.
                    entries = [entry for document in documents for entry in statements.split_camt(document)]
                    status = status if status == "pending" else None
                    read = self.read_rows(entries, statements.read_entry, status, known["iban"], status=status)
                else:
                    lines = [line for document in documents for line in statements.split_mt940(document)]
                    read = self.read_rows(lines, statements.read_line, known["currency"], status, status=status)
                rows += read[0]
                unread += read[1]
        rows = [row for row in rows if with_pending or row.status == "booked"]
        rows.sort(key=lambda row: (row.status == "pending", row.booking_date or date.max))
        return rows, [row for row in unread if with_pending or row.status != "pending"]

    def identify_row(self, row):
        """Nothing names it: its database knows it again by its words."""
        return None, self.library[1].status_of(row)
