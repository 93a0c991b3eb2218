"""A bank that lives: it books, books late, announces, changes, withdraws, renames, and sometimes fails.

Nothing here knows the engine. Each message carries the number of its payment under a separate key, which is kept in
``transaction_details``: so a test knows which line is which payment, however the ids have changed.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ..client.errors import ServiceUnavailable
from .common import ScriptedProxy

#: Ids of a ``shared`` account that say nothing: one for all payments to the tax office, and none at all.
TAX, BLANK = "TAX", " "

#: What an answer may be instead of an answer.
GARBAGE = {
    "text": "<html>502</html>",
    "nothing": None,
    "list": [],
    "no list": {"transactions": None, "accounts": None, "state": None},
    "wrong type": {"transactions": {"a": 1}, "accounts": 7, "state": 1},
    "not a number": {"transactions": float("nan"), "accounts": float("nan"), "state": float("nan")},
    "endless": {"transactions": [], "has_more": True, "next_cursor": "again", "accounts": "?", "state": 0},
}
ERRORS = {
    "consent_expired": {"action": "renew"},
    "rate_limited": {"action": "retry", "retry_after": 7200},
    "provider_unavailable": {"action": "retry"},
    "unexpected_answer": {"action": "contact_support"},
}

#: How a single transaction may be unreadable.
UNREADABLE = ({"amount": "NaN"}, {"amount": 12.3}, {"booking_date": "soon", "value_date": None}, {"status": "maybe"})


@dataclass
class Payment:
    """One payment, as the bank knows it, and what the machine knows of its line."""

    number: int
    day: date
    amount: Decimal
    text: str
    #: Equal payments of one day have one ``kin``: which line belongs to which of them can't be distinguished.
    kin: int
    #: ``own``, :data:`TAX` or :data:`BLANK`
    id_style: str = "own"
    #: ``pending`` · ``booked`` · ``vanished`` (no longer shown, nothing said) · ``withdrawn`` (in ``removed_ids``)
    state: str = "booked"
    pending_id: str | None = None
    #: Position in the list of changes.
    position: int = 0
    #: Marks of the machine, see there.
    marks: set = field(default_factory=set)


class Account:
    """One bank account. ``kind`` is how the bank names its transactions:

    ``stable`` ids · ``cursor``: stable ids and a list of changes · ``shared``: some ids are blank or not unique ·
    ``nameless``: no ids · ``positional``: ``2026-05-20-3``, which shift when the bank books late.
    """

    def __init__(self, kind, number, currency, tag=""):
        """:param tag: distinguishes accounts that are equal in everything but their id"""
        self.kind, self.number, self.currency, self.tag = kind, number, currency, tag
        self.payments = []
        self.removed = []
        self.position = 1
        self.version = self.id_version = 1
        self.base = Decimal("500.00")

    @property
    def id(self):
        return f"{self.kind}{self.tag}-{self.version}"

    @property
    def balance(self):
        today = date.today()
        return self.base + sum(payment.amount for payment in self.shown("booked") if payment.day <= today)

    def shown(self, *states):
        """Payments in the order in which the bank lists them."""
        return sorted((payment for payment in self.payments if payment.state in states), key=lambda one: one.day)

    def touch(self, payment):
        """The payment appears in the list of changes (again)."""
        self.position += 1
        payment.position = self.position

    def add(self, payment, first_of_its_day=False):
        if first_of_its_day:
            self.payments.insert(0, payment)
        else:
            self.payments.append(payment)
        self.touch(payment)

    def remove_id(self, identifier):
        self.position += 1
        self.removed.append((self.position, identifier))

    def id_of(self, payment):
        if self.kind == "nameless" or (self.kind == "positional" and payment.state == "pending"):
            return None
        if self.kind == "positional":
            of_that_day = [one for one in self.shown("booked") if one.day == payment.day]
            return f"{payment.day}-{of_that_day.index(payment) + 1}"
        if payment.id_style != "own":
            return payment.id_style
        if payment.state == "pending" or "same id" in payment.marks:
            return payment.pending_id
        return f"T{payment.number}" if self.id_version == 1 else f"T{payment.number}/{self.id_version}"

    def message(self, payment):
        return {
            "id": self.id_of(payment),
            "status": payment.state,
            "booking_date": str(payment.day),
            "amount": str(payment.amount),
            "currency": self.currency,
            "remittance": [payment.text],
            "pending_id": payment.pending_id if payment.state == "booked" else None,
            "payment": payment.number,
        }

    def describe(self):
        return {
            "id": self.id,
            "name": f"Account {self.kind}",
            "number": self.number,
            "currency": self.currency,
            "type": "current",
            "balance": str(self.balance),
            "id_scheme": "fingerprint" if self.kind == "nameless" else "transaction_id",
        }


class SimulatedBank(ScriptedProxy):
    """Several connections, each with its accounts, behind the protocol."""

    def __init__(self, currency, now):
        """:param now: ``callable() -> datetime``"""
        super().__init__(currency)
        self.now = now
        #: Accounts by connection id.
        self.connections = {}
        self.page_size = 3
        #: ``(operation, number of the call, what happens)``, once
        self.trouble = None
        #: ``(number of the booked transaction, how it is unreadable)``, once
        self.unreadable = None
        #: Payments that were reported in an unreadable way since the machine last asked.
        self.told_badly = []
        self.calls = {}

    def calm_down(self):
        self.trouble = self.unreadable = None
        self.calls = {}

    def dispatch(self, operation, payload):
        self.calls[operation] = self.calls.get(operation, 0) + 1
        if self.trouble and self.trouble[:2] == (operation, self.calls[operation]):
            happens, self.trouble = self.trouble[2], None
            if happens == "time-out":
                raise ServiceUnavailable("Nobody answered.")
            if happens in ERRORS:
                return {"error": {"code": happens, "message": f"Sentence of {happens}.", **ERRORS[happens]}}
            return GARBAGE[happens]
        if operation == "connections.refresh":
            return {"state": "done", "refreshed_at": self._moment()}
        if operation == "connections.get":
            self.refreshed_at = self._moment()
        if operation == "accounts.list":
            return {"accounts": self.describe(payload["connection_id"])}
        return super().dispatch(operation, payload)

    def describe(self, connection_id):
        return [{**account.describe(), "balance_at": self._moment()} for account in self.connections[connection_id]]

    def _moment(self):
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"

    def _page(self, payload):
        """Cursors read ``account id:since:first position:last position:start``."""
        account = next(
            (one for one in self.connections[payload["connection_id"]] if one.id == payload["account_id"]), 0
        )
        if not account:
            return {"error": {"code": "unknown_account", "message": "Unknown account.", "action": "renew"}}
        fields = [account.id, payload.get("since", ""), "0", str(account.position), "0"]
        if payload.get("cursor"):
            fields = payload["cursor"].split("|")
            if fields[0] != account.id:
                return {"error": {"code": "invalid_request", "message": "Unknown cursor.", "action": "contact_support"}}
        since, first, last, start = fields[1], int(fields[2]), int(fields[3] or account.position), int(fields[4])
        messages = [
            account.message(payment)
            for payment in account.shown("booked", "pending")
            if first < payment.position <= last and (payment.state == "pending" or str(payment.day) >= since)
        ]
        self._spoil(account, messages)
        end = start + self.page_size
        has_more = end < len(messages)
        bookmark = f"{account.id}||{last}||0" if account.kind == "cursor" else None
        return {
            "transactions": messages[start:end],
            "removed_ids": [name for position, name in account.removed if first and first < position <= last],
            "has_more": has_more,
            "next_cursor": f"{account.id}|{since}|{first}|{last}|{end}" if has_more else bookmark,
        }

    def _spoil(self, account, messages):
        """Why not only once: each page is cut from the whole list."""
        booked = [number for number, message in enumerate(messages) if message["status"] == "booked"]
        if not self.unreadable or not booked:
            return
        index, how = self.unreadable
        number = booked[index % len(booked)]
        self.told_badly.append((account, messages[number]["payment"]))
        messages[number] = {**messages[number], **UNREADABLE[how % len(UNREADABLE)]}
        messages.append("garbage")
