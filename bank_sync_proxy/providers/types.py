"""What adapters take and give: frozen, typed, without Odoo.

Amounts are :class:`~decimal.Decimal` in the account's currency, credit positive. A ``date`` has no time and no time
zone. A ``datetime`` is aware and in UTC. ``to_protocol()`` gives the JSON object of docs/protocol.md.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import NamedTuple

from ..tools.outbound import is_public
from .reading import central_european_day


def moment_text(moment):
    """A moment as it travels and as it is stored in states, ``2026-05-03T09:15:00Z``; None stays None."""
    return moment and moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_from_text(text):
    """:return: the aware moment of :func:`moment_text`, or None"""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def amount_text(amount):
    """A decimal string without an exponent; None stays None."""
    return None if amount is None else f"{amount:f}"


# -------------------------------------------------------------------------
# INSTITUTIONS
# -------------------------------------------------------------------------


@dataclass(frozen=True)
class Capabilities:
    """Facts about an institution that feed the user interface.

    :param bool auto_sync: False where the bank answers only while a user is present
    :param int history_days: how far back the bank gives transactions; None: not known
    :param int consent_days: how long a consent holds; None: until it is withdrawn
    :param int reconfirm_days: the bank's consent has no end, and the user confirms it with us after this number of
        days (United Kingdom); None: a renewal is a new consent at the bank
    :param int refreshes_per_day: refreshes allowed while no user is present; None: no limit known
    :param int fetches_per_day: requests allowed for the transactions of one account; None: no limit known
    """

    auto_sync: bool = True
    history_days: int | None = None
    consent_days: int | None = None
    refreshes_per_day: int | None = None
    fetches_per_day: int | None = None
    reconfirm_days: int | None = None

    def to_protocol(self):
        return asdict(self)


@dataclass(frozen=True)
class Institution:
    """A bank, as one provider names it.

    :param str id: the provider's own id
    :param str country: ISO 3166 alpha-2
    :param str logo: URL, or ``data:`` URI
    :param str status: ``stable`` or ``beta``
    :param int failed_of_ten: how many of ten connections fail at the moment, as the provider itself reports; 0: nothing
        reported
    """

    id: str
    name: str
    country: str
    bic: str | None = None
    logo: str | None = None
    status: str = "stable"
    capabilities: Capabilities = Capabilities()
    failed_of_ten: int = 0


@dataclass(frozen=True)
class Setting:
    """Something that an administrator enters once per provider.

    :param str type: ``text`` · ``integer`` · ``secret`` (stored encrypted, never shown again) · ``key`` (a secret of
        several lines: an RSA private key) · ``certificate`` and ``tls_key`` (the same for mutual TLS: a certificate,
        and its private key, which may be on an elliptic curve)
    :param bool generated: a secret that is not entered: each installation generates its own
    :param str pattern: regular expression that the whole value matches; empty: any text
    :param str expects: one sentence about what it looks like, for a value that does not match; a ``pattern``
        always comes with one
    """

    name: str
    label: str
    type: str = "text"
    help: str = ""
    required: bool = True
    default: str = ""
    generated: bool = False
    pattern: str = ""
    expects: str = ""


# -------------------------------------------------------------------------
# ACCOUNTS AND TRANSACTIONS
# -------------------------------------------------------------------------

# Why named tuples for what every row is made of: a frozen dataclass takes three times as long to create.


@dataclass(frozen=True)
class Account:
    """A bank account that a consent covers.

    :param str id: unique within the connection, the same after a renewal
    :param str number: IBAN where there is one
    :param str number_type: ``iban`` or ``other``
    :param str type: ``current`` · ``savings`` · ``credit_card`` · ``loan`` · ``other``
    :param Decimal balance: the booked balance, None where none is known: an available amount is none
    :param datetime balance_at: the moment for which it holds
    :param date balance_date: the last booking day that it contains, in the bank's time
    :param Decimal available: what the bank gives in place of a booked balance
    :param str id_scheme: where ``Transaction.id`` comes from: ``transaction_id`` · ``entry_reference`` ·
        ``fingerprint``
    :param bool reports_fees: its transactions may carry a :class:`Fee`
    """

    id: str
    name: str
    currency: str
    number: str | None = None
    number_type: str = "iban"
    type: str = "current"
    balance: Decimal | None = None
    balance_at: datetime | None = None
    balance_date: date | None = None
    available: Decimal | None = None
    id_scheme: str = "transaction_id"
    reports_fees: bool = False

    def to_protocol(self):
        return {
            "id": self.id,
            "name": self.name,
            "number": self.number,
            "number_type": self.number_type,
            "currency": self.currency,
            "type": self.type,
            "balance": amount_text(self.balance),
            "balance_at": moment_text(self.balance_at),
            "balance_date": self._balance_day(),
            "available": amount_text(self.available),
            "id_scheme": self.id_scheme,
            "reports_fees": self.reports_fees,
        }

    def _balance_day(self):
        if self.balance is None or not (self.balance_date or self.balance_at):
            return None
        return (self.balance_date or central_european_day(self.balance_at)).isoformat()


class Counterparty(NamedTuple):
    """The payer of money that came, the payee of money that went."""

    name: str | None = None
    account_number: str | None = None
    bic: str | None = None

    def to_protocol(self):
        return self._asdict()


class Fee(NamedTuple):
    """What a payment service keeps of a payment.

    :param Decimal amount: in the account's currency, part of the transaction's amount and signed like it: a fee that is
        charged is negative
    :param str description: for a person, in the provider's own words where it has some
    """

    amount: Decimal
    description: str | None = None

    def to_protocol(self):
        return {"amount": amount_text(self.amount), "description": self.description}


class Payout(NamedTuple):
    """The transaction is what a payment service pays out to a bank, or takes back from it.

    :param str id: as the bank's text may have it
    :param Decimal amount: that arrives at the bank, signed as the bank shows it
    """

    id: str
    amount: Decimal
    currency: str

    def to_protocol(self):
        return {"id": self.id, "amount": amount_text(self.amount), "currency": self.currency}


class Transaction(NamedTuple):
    """One transaction of an account.

    :param str id: stable and unique within the account, or None
    :param str status: ``booked`` or ``pending``
    :param date booking_date: every booked transaction has one
    :param Decimal foreign_amount: in ``foreign_currency``, signed like ``amount``; both or none
    :param tuple remittance: all texts of the bank, in order
    :param str pending_id: id under which the same transaction was reported as pending
    :param Fee fee: what ``amount`` contains of fees; ``foreign_amount`` is without it
    :param Payout payout: where the money goes to a bank, or comes from one
    :param dict raw: what the provider said, JSON, without secrets
    """

    id: str | None
    status: str
    amount: Decimal
    currency: str
    booking_date: date | None = None
    value_date: date | None = None
    foreign_amount: Decimal | None = None
    foreign_currency: str | None = None
    counterparty: Counterparty = Counterparty()
    remittance: tuple[str, ...] = ()
    end_to_end_id: str | None = None
    creditor_reference: str | None = None
    mandate_id: str | None = None
    pending_id: str | None = None
    fee: Fee | None = None
    payout: Payout | None = None
    raw: dict | None = None

    def __repr__(self):
        """Without what belongs in no log."""
        return f"Transaction(id={self.id!r}, status={self.status!r}, booking_date={self.booking_date!r})"

    def to_protocol(self):
        more = {name: part.to_protocol() for name, part in (("fee", self.fee), ("payout", self.payout)) if part}
        return more | {
            "id": self.id,
            "status": self.status,
            "booking_date": self.booking_date and self.booking_date.isoformat(),
            "value_date": self.value_date and self.value_date.isoformat(),
            "amount": amount_text(self.amount),
            "currency": self.currency,
            "foreign_amount": amount_text(self.foreign_amount),
            "foreign_currency": self.foreign_currency,
            "counterparty": self.counterparty.to_protocol(),
            "remittance": list(self.remittance),
            "end_to_end_id": self.end_to_end_id,
            "creditor_reference": self.creditor_reference,
            "mandate_id": self.mandate_id,
            "pending_id": self.pending_id,
            "raw": self.raw or {},
        }


@dataclass(frozen=True)
class Unread:
    """One row with undocumented content: the database keeps it for a person, and requests it again.

    :param str id: as :attr:`Transaction.id`, or None where that can't be read either
    :param str status: ``booked`` or ``pending``, or None where that can't be read either
    :param str problem: what can't be read, for a person; without secrets
    :param dict raw: what the provider said
    """

    id: str | None
    status: str | None
    problem: str
    raw: dict = field(default_factory=dict, compare=False, repr=False)

    def to_protocol(self):
        return {"id": self.id, "status": self.status, "problem": self.problem, "raw": self.raw}


@dataclass(frozen=True)
class Page:
    """Some transactions, oldest first.

    :param tuple removed_ids: ids of transactions that the bank has withdrawn
    :param str next_cursor: the next page while ``has_more``; afterwards None or a bookmark for the next run
    :param unread: :class:`Unread` rows, as :meth:`.web.WebProvider.read_rows` gives them
    :param int history_days: how far back the bank went, where that was less than wanted; 0: it takes no first day at
        all, and gave what it calls longest
    """

    transactions: tuple[Transaction, ...] = ()
    removed_ids: tuple[str, ...] = ()
    next_cursor: str | None = None
    has_more: bool = False
    unread: tuple[Unread, ...] = ()
    history_days: int | None = None

    def to_protocol(self):
        limit = {} if self.history_days is None else {"history_days": self.history_days}
        return limit | {
            "transactions": [row.to_protocol() for row in (*self.transactions, *self.unread)],
            "removed_ids": list(self.removed_ids),
            "next_cursor": self.next_cursor,
            "has_more": self.has_more,
        }


# -------------------------------------------------------------------------
# A VISIT OF THE BANK'S PAGES
# -------------------------------------------------------------------------


@dataclass(frozen=True)
class User:
    """The user who waits in front of a browser: banks under PSD2 want to know. Never stored, never logged.

    :param str ip_address: a public one
    :param str agent: of the browser, ASCII, or None
    """

    ip_address: str = field(repr=False)
    agent: str | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, value):
        """:return: the user, or None for data that is useless to a bank, such as a private address"""
        address = value.get("ip_address") if isinstance(value, dict) else None
        if not isinstance(address, str) or not is_public(address):
            return None
        agent = value.get("agent")
        is_sane = isinstance(agent, str) and agent.isascii() and agent.isprintable() and agent.strip()
        return cls(address, agent.strip()[:300] if is_sane else None)


@dataclass(frozen=True)
class Flow:
    """A user's visit, as the adapter sees it.

    :param str kind: ``connect`` · ``renew`` · ``refresh``
    :param str institution: the provider's own id
    :param str callback_url: where a bank's own page sends the browser back to, absolute
    :param str callback_state: what the bank's page has to send along as ``state``; serves once, for this visit
    :param str language: ``fr_BE``
    :param dict state: state of the connection; empty while connecting
    :param dict data: what the adapter's last :class:`Redirect` or :class:`Challenge` asked to keep
    """

    kind: str
    institution: str
    callback_url: str | None = None
    callback_state: str | None = field(default=None, repr=False)
    language: str = "en_US"
    state: dict = field(default_factory=dict, repr=False)
    data: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Redirect:
    """The browser goes to a page of the bank; ``complete`` is called when it comes back.

    :param str url: with ``Flow.callback_url`` and ``Flow.callback_state`` in it, as the provider wants them
    :param dict data: JSON that comes back with ``complete``, encrypted in the meantime
    """

    url: str = field(repr=False)
    data: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Option:
    """One of the possible answers to a question."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True)
class Field:
    """One question of a :class:`Challenge`.

    :param str type: ``text`` · ``password`` · ``code`` · ``choice`` · ``multichoice`` · ``info`` and ``image`` (only
        shown)
    :param value: what is filled in already: a text, or a tuple of option values for ``multichoice``; a ``data:`` URI of
        an ``image``; never a secret
    """

    name: str
    label: str
    type: str = "text"
    help: str = ""
    options: tuple[Option, ...] = ()
    value: str | tuple[str, ...] = ""
    required: bool = True


@dataclass(frozen=True)
class Form:
    """A page of the provider that is opened by posting a form, from ours and in a separate tab.

    Why not a script of the provider in our page: it could do there whatever its user may do in the database.

    :param str url: https
    :param dict fields: texts by name, such as a token that serves this user only
    """

    url: str
    fields: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Challenge:
    """Questions to the user, rendered by the proxy's own pages; ``answer`` is called with what was entered.

    :param str kind: ``credentials`` · ``code`` · ``choice`` · ``consent`` · ``approval`` (in the bank's app) ·
        ``reconfirm`` (the user confirms on our page that a consent continues, without the bank; it has no fields)
    :param str hint: shown with emphasis, such as the credentials of a demonstration
    :param str error: why the last answer was not accepted; counts as a failed attempt
    :param dict data: JSON that comes back with the answer, encrypted in the meantime
    :param int poll_seconds: of an ``approval``: how often ``answer`` is called, without values, while the user approves
    :param form: of an ``approval``: :class:`Form` of the page on which the user does it; ``submit`` opens it
    """

    title: str
    message: str = ""
    kind: str = "credentials"
    fields: tuple[Field, ...] = ()
    submit: str = "Continue"
    hint: str = ""
    error: str = ""
    data: dict = field(default_factory=dict, repr=False)
    poll_seconds: int = 5
    form: Form | None = None

    def with_error(self, error, **values):
        """The same questions again, with what was entered.

        :param values: names of fields and what is filled in there
        """
        fields = tuple(replace(item, value=values.get(item.name, item.value)) for item in self.fields)
        return replace(self, error=error, fields=fields)

    def to_json(self):
        return asdict(self)

    @classmethod
    def from_json(cls, values):
        fields = tuple(
            Field(
                **{
                    **item,
                    "options": tuple(Option(**option) for option in item["options"]),
                    "value": tuple(item["value"]) if isinstance(item["value"], list) else item["value"],
                }
            )
            for item in values["fields"]
        )
        form = Form(**values["form"]) if values.get("form") else None
        return cls(**{**values, "fields": fields, "form": form})


@dataclass(frozen=True)
class Completed:
    """The user has given a consent.

    :param dict state: JSON, everything the adapter needs from now on; stored encrypted
    :param datetime consent_expires_at: None where it holds until it is withdrawn
    :param datetime refreshed_at: moment of the data that the consent already brought; None: a refresh is needed
    :param str reference: under which the provider's webhooks name this consent; None where it sends none
    :param str institution_name: of the institution, where the directory has no name for what the user has chosen
    """

    state: dict = field(repr=False)
    accounts: tuple[Account, ...] = ()
    consent_expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    reference: str | None = None
    institution_name: str | None = None


@dataclass(frozen=True)
class Refreshed:
    """The bank has given its news.

    :param tuple notes: what its users should know although it worked, such as that some of the news are missing:
        sentences for a person, plain text
    :param tuple accounts: what :meth:`~.base.Provider.accounts` would return now, where the refresh itself lists the
        accounts, so that they are not requested again; None where it does not, or where the list may be older
    """

    state: dict = field(repr=False)
    refreshed_at: datetime
    notes: tuple[str, ...] = ()
    accounts: tuple[Account, ...] | None = None


# -------------------------------------------------------------------------
# WEBHOOKS
# -------------------------------------------------------------------------


@dataclass(frozen=True)
class WebhookEvent:
    """A notice that a provider sends by webhook. It only says what to request.

    :param str kind: ``transactions.new`` · ``consent.expiring`` · ``connection.disconnected``
    :param str reference: ``Completed.reference`` of the consent
    """

    kind: str
    reference: str
