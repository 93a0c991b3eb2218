"""Input and output of the matcher: frozen values without Odoo.

Amounts are :class:`~decimal.Decimal` and have the sign of the bank line that settles them: customer invoices and
incoming payments are positive; bills, credit notes to customers and outgoing payments are negative. So the amounts that
a line settles add up to the line.

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

#: Kinds of decision: book it, show it to the user, nothing.
AUTOMATIC, PROPOSAL, NONE = "automatic", "proposal", "none"

#: The steps, in the order in which they are tried.
REFERENCE, DOCUMENT, TRANSFER, RULE, MEMORY = STEPS = ("reference", "document", "transfer", "rule", "memory")

#: Kinds of counterpart.
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
    amount before the bank's conversion, if reported. In the journal of a payment service, ``payout`` is the id of the
    payout that the line is, and ``fee`` the part of the amount that the service kept.
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
        """The amount that arrives at the other side, if the line is a transfer."""
        return self.amount - self.fee


# -------------------------------------------------------------------------------------------------
# What it may be matched with
# -------------------------------------------------------------------------------------------------


class Discount(NamedTuple):
    """An early payment discount: the reduced amount, and its last day."""

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
    """A registered payment in transit. ``pays`` are keys of open items that it pays.

    ``is_settled``: the bank has shown it, so it can only be returned. Its key is then the first of the journal items by
    which it has settled documents, and its references include those of these documents.
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

    ``amount`` is their total; ``fee`` (negative) is what the processor kept, booked on ``fee_account``. ``payments``
    are their keys; if they are candidates, too, they are settled instead of the batch.
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
    """The maximum of charges that intermediary banks deduct from a payment, and the account for them."""

    most: Decimal
    account: object


@dataclass(frozen=True)
class Policy:
    """The settings of a journal.

    ``steps`` are those whose decisions may be automatic; none until the user enables them. ``most``: larger lines are
    never automatic; None for no limit. ``discount_days``: days after its end on which an early payment discount is
    still proposed. ``own_accounts`` are the account numbers of the company's own journals. ``prefixes`` are those of
    the journals' sequences, by which numbers of documents that are no longer open are recognized.
    """

    steps: frozenset = frozenset()
    charges: Charges | None = None
    discount_days: int = 0
    transfer_days: int = 5
    own_accounts: frozenset = frozenset()
    prefixes: frozenset = frozenset()
    most: Decimal | None = None


#: Policy of tests and measurements.
EVERYTHING = Policy(steps=frozenset(STEPS))


# -------------------------------------------------------------------------------------------------
# The answer
# -------------------------------------------------------------------------------------------------


class Reason(NamedTuple):
    """The reason of a decision: a code, and the values of its sentence: texts, numbers, days and :class:`Money`.
    :mod:`.reasons` lists the codes."""

    code: str
    values: tuple = ()


class Counterpart(NamedTuple):
    """What the line is booked against. ``amount`` is in the line's currency, with the line's sign.

    ``settles`` is the settled part of an open item, in the item's own currency; more than ``amount`` if there is a
    discount, or charges. The amount on an account includes ``taxes``. ``rule``: the key of the reconciliation model
    from which it comes.
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
    """``rest`` is the part of the line without a counterpart; an automatic decision has none."""

    line: object
    kind: str = NONE
    step: str | None = None
    counterparts: tuple = ()
    reasons: tuple = ()
    alternatives: tuple = ()
    rest: Decimal = ZERO
