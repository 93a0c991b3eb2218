"""What the matcher reads and answers: frozen values without Odoo.

Amounts are :class:`~decimal.Decimal` and have the sign of the bank line that settles them: a customer's invoice and
money that comes in are positive, a bill, a credit note to a customer and money that goes out are negative. So what a
line settles adds up to the line.

>>> invoice = OpenItem(1, Decimal("121.00"), number="INV/2026/00042")
>>> credit_note = OpenItem(2, Decimal("-21.00"), number="RINV/2026/00003")
>>> Line(9, date(2026, 5, 4), Decimal("100.00")).amount == invoice.amount + credit_note.amount
True
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)

#: What may be done with a decision: book it, show it to a person, nothing.
AUTOMATIC, PROPOSAL, NONE = "automatic", "proposal", "none"

#: The steps, in the order in which they are tried.
REFERENCE, DOCUMENT, TRANSFER, RULE, MEMORY = STEPS = ("reference", "document", "transfer", "rule", "memory")

#: What a counterpart is.
ITEM, PAYMENT, BATCH, ACCOUNT, CHARGES, DISCOUNT, OWN_TRANSFER, RETURN = (
    *("item", "payment", "batch", "account", "charges", "discount", "transfer", "return"),
)


class Money(NamedTuple):
    """
    >>> str(Money(Decimal("12.50"), "EUR"))
    '12.50 EUR'
    """

    amount: Decimal
    currency: str

    def __str__(self):
        return f"{self.amount} {self.currency}"


# -------------------------------------------------------------------------------------------------
# What is to be matched
# -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A bank statement line that is not reconciled.

    ``label``, ``details`` and ``note`` are free text. ``reference`` is the bank's field for a structured reference,
    ``end_to_end`` the id that the payer gave. ``account`` is the counterparty's account number. ``foreign`` is the
    amount before the bank converted it, where it says so. ``payout`` is the id of the payout that the line is, in the
    journal of a payment service, and ``fee`` the part of the amount that the service kept of it.
    """

    key: object
    day: date
    amount: Decimal
    currency: str = "EUR"
    label: str = ""
    details: str = ""
    note: str = ""
    reference: str = ""
    end_to_end: str = ""
    partner: object = None
    name: str = ""
    account: str = ""
    journal: object = None
    foreign: Money | None = None
    decimals: int = 2
    payout: str = ""
    fee: Decimal = ZERO

    @property
    def texts(self):
        return tuple(text for text in (self.label, self.details, self.note) if text)

    @property
    def transferred(self):
        """What arrives at the other side, where the line is a transfer."""
        return self.amount - self.fee


# -------------------------------------------------------------------------------------------------
# What it may be matched with
# -------------------------------------------------------------------------------------------------


class Discount(NamedTuple):
    """Paid up to this day, so much is enough."""

    until: date
    amount: Decimal


@dataclass(frozen=True)
class OpenItem:
    """An open receivable or payable: an invoice, a bill, a credit note, one instalment of them.

    ``references`` are the payment reference, the customer's or supplier's own number, the numbers of orders.
    """

    key: object
    amount: Decimal
    currency: str = "EUR"
    number: str = ""
    references: tuple = ()
    partner: object = None
    name: str = ""
    accounts: tuple = ()
    day: date | None = None
    discount: Discount | None = None
    kind: str = field(default=ITEM, init=False)


@dataclass(frozen=True)
class Payment:
    """A payment that was registered and that the bank has not shown yet. ``pays`` are keys of open items that it pays.

    ``is_settled``: the bank has shown it; it can only come back. Its key is then the first of the journal items by
    which it has settled documents, and its references are those of these documents, too.
    """

    key: object
    amount: Decimal
    currency: str = "EUR"
    number: str = ""
    references: tuple = ()
    partner: object = None
    name: str = ""
    accounts: tuple = ()
    day: date | None = None
    end_to_end: str = ""
    pays: tuple = ()
    is_settled: bool = False
    kind: str = field(default=PAYMENT, init=False)


@dataclass(frozen=True)
class Batch:
    """Payments that the bank shows as one amount: a collection, a payment order, or the payout of a card processor.

    ``amount`` is what they add up to; ``fee`` (negative) is what the processor kept, booked on ``fee_account``.
    ``payments`` are their keys; where they are candidates, too, they are what is settled.
    """

    key: object
    amount: Decimal
    currency: str = "EUR"
    number: str = ""
    references: tuple = ()
    end_to_end: str = ""
    fee: Decimal = ZERO
    fee_account: object = None
    payments: tuple = ()
    partner: object = None
    name: str = ""
    accounts: tuple = ()
    day: date | None = None
    kind: str = field(default=BATCH, init=False)


# -------------------------------------------------------------------------------------------------
# Settings
# -------------------------------------------------------------------------------------------------


class Charges(NamedTuple):
    """What a payment may lack because banks on the way kept it, and the account for it."""

    most: Decimal
    account: object


@dataclass(frozen=True)
class Policy:
    """The settings of a journal.

    ``steps`` are those whose decisions may be automatic; none until the user has switched them on. ``most``: larger
    lines are never automatic; None for no limit. ``discount_days``: so many days after its end an early payment
    discount is still proposed. ``own_accounts`` are the account numbers of the company's own journals. ``prefixes`` are
    those of the journals' sequences, so that the number of a document that is not open any more is recognized as one.
    """

    steps: frozenset = frozenset()
    charges: Charges | None = None
    discount_days: int = 0
    transfer_days: int = 5
    own_accounts: frozenset = frozenset()
    prefixes: frozenset = frozenset()
    most: Decimal | None = None


#: As tests and measurements take it.
EVERYTHING = Policy(steps=frozenset(STEPS))


# -------------------------------------------------------------------------------------------------
# The answer
# -------------------------------------------------------------------------------------------------


class Reason(NamedTuple):
    """Why a decision is what it is: a code, and what its sentence is filled with: texts, numbers, days and
    :class:`Money`. :mod:`.reasons` lists the codes."""

    code: str
    values: tuple = ()


class Counterpart(NamedTuple):
    """What the line is booked against. ``amount`` is in the line's currency, with the line's sign.

    ``settles`` is the part of an open item that is settled, in the item's own currency; more than ``amount`` where a
    discount or charges make up the rest. The amount on an account includes ``taxes``. ``rule``: the key of the
    reconciliation model that it comes from.
    """

    kind: str
    key: object
    amount: Decimal
    settles: Decimal | None = None
    label: str = ""
    taxes: tuple = ()
    partner: object = None
    analytic: object = None
    rule: object = None


@dataclass(frozen=True)
class Decision:
    """``rest`` is the part of the line for which nothing was found; an automatic decision has none."""

    line: object
    kind: str = NONE
    step: str | None = None
    counterparts: tuple = ()
    reasons: tuple = ()
    alternatives: tuple = ()
    rest: Decimal = ZERO
