"""What the Demo Bank's payments pay: the invoices and bills of the company that has the account.

A payment's remittance text names documents that a company has issued or received before. Here both follow from the same
hashes, so that a demonstration can put the documents into the books, and the payments find them: in full and in part,
several at once, with a discount or less charges, with a reference as printed, as people write it, or without one.

That holds for the user ``books`` only. What other users' banks report is known to databases, and never changes.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from .sandbox_bank import EPOCH, Dice
from .sandbox_institutions import BANKS, creditor_reference
from .sandbox_names import CUSTOMERS, SERVICES, SUPPLIERS

#: Whose payments pay documents.
USER = "books"
#: Days from an invoice to its payment; of one that is paid with a discount.
LAG = (14, 30)
DISCOUNT_LAG = 5
#: What banks on the way keep, in cents.
CHARGES = 4_50
#: Of 100 customers who write no structured reference: up to this number they pay like this.
CUSTOMER_FORMS = (
    (22, "printed"),
    (36, "polite"),
    (46, "without_zeros"),
    (54, "with_blanks"),
    (60, "discount"),
    (74, "several"),
    (82, "part"),
    (86, "charges"),
    (94, "silent"),
    (100, "unknown"),
)


class Document(NamedTuple):
    """An invoice or bill that a payment settles.

    :param str number: the company's own number of an invoice, the supplier's number of a bill
    :param str reference: the structured payment reference that is printed on it, if any
    :param int cents: its total, with the sign of the payment
    """

    party: str
    number: str
    reference: str
    cents: int
    issued: date
    has_discount: bool = False


class Payment(NamedTuple):
    """:param str form: how it refers to its documents: ``reference`` or one of ``CUSTOMER_FORMS``; bills: ``number``,
    ``reference``, ``debit`` (without a number) or ``unknown``"""

    form: str
    documents: tuple = ()


class _Draft(NamedTuple):
    cents: int
    lag: int


def payment_of(ledger, movement):
    """:return: the :class:`Payment`, or None for what pays no document, such as a card payment"""
    if ledger.user != USER:
        return None
    if movement.kind == "customer":
        return _of_customer(ledger, movement)
    if movement.kind == "supplier":
        return _of_supplier(ledger, movement)
    if movement.kind == "service" and SERVICES[movement.detail[0]].debit:
        return _of_debit(ledger, movement)
    return None


def structured_reference(ledger, number):
    return creditor_reference(number, BANKS[ledger.bank].country == "BE")


# -------------------------------------------------------------------------
# INVOICES
# -------------------------------------------------------------------------


def customer_reference(ledger, movement):
    """:return: (end-to-end id, structured reference or an empty text)"""
    dice = Dice(*ledger, movement.day.toordinal(), movement.index, "texts")
    end_to_end = f"E2E-{dice.between(10**7, 10**8 - 1)}"
    has_reference = dice.chance(45)
    return end_to_end, structured_reference(ledger, dice.between(10**8, 10**9 - 1)) if has_reference else ""


def _of_customer(ledger, movement):
    form, drafts = _drafted(ledger, movement)
    reference = customer_reference(ledger, movement)[1]
    party = CUSTOMERS[movement.detail[0]]
    documents = []
    for place, draft in enumerate(drafts):
        issued = movement.day - timedelta(days=draft.lag)
        serial = _serials(ledger, issued.year).get((movement.day, movement.index, place), 0)
        number = f"INV/{issued.year}/{serial:05d}"
        documents.append(Document(party, number, reference, draft.cents, issued, form == "discount"))
    return Payment(form, tuple(documents))


def _drafted(ledger, movement):
    """:return: (form, the documents without their numbers)"""
    dice = Dice(*ledger, movement.day.toordinal(), movement.index, "invoices")
    drawn, lag, share = dice.between(1, 100), dice.between(*LAG), dice.between(25, 75)
    form = next(form for most, form in CUSTOMER_FORMS if drawn <= most)
    if customer_reference(ledger, movement)[1]:
        form = "reference"
    cents = movement.cents
    if form == "unknown":
        return form, ()
    if form == "several":
        first = cents * share // 100
        return form, (_Draft(first, lag), _Draft(cents - first, lag - 2))
    if form == "part":
        return form, (_Draft(2 * cents, lag),)
    if form == "charges":
        return form, (_Draft(cents + CHARGES, lag),)
    if form == "discount":
        return form, (_Draft(_before_discount(cents), DISCOUNT_LAG),)
    return form, (_Draft(cents, lag),)


def _before_discount(cents):
    """The invoice amount in cents whose 98 %, after a discount, are ``cents``."""
    # Why it is always found: 98 % of a cent more are at most a cent more.
    return next(whole for whole in range(cents * 100 // 98 - 1, cents * 2) if (whole * 98 + 50) // 100 == cents)


@lru_cache(maxsize=256)
def _serials(ledger, year):
    """The company numbers its invoices in the order of their dates.

    :return: dict from (day of the payment, its index, place in it) to the serial number
    """
    first, last = max(EPOCH, date(year, 1, 1)), date(year, 12, 31) + timedelta(days=LAG[1])
    found = []
    for movement in ledger.movements(first, last):
        if movement.kind == "customer":
            for place, draft in enumerate(_drafted(ledger, movement)[1]):
                issued = movement.day - timedelta(days=draft.lag)
                if issued.year == year:
                    found.append((issued, movement.day, movement.index, place))
    return {tuple(key): serial for serial, (_issued, *key) in enumerate(sorted(found), 1)}


# -------------------------------------------------------------------------
# BILLS
# -------------------------------------------------------------------------


def supplier_reference(ledger, movement):
    """:return: (the supplier's number, structured reference or an empty text, number of the order)"""
    dice = Dice(*ledger, movement.day.toordinal(), movement.index, "texts")
    number = dice.between(1000, 99999)
    if dice.chance(30):
        return number, structured_reference(ledger, number * 1000 + 17), 0
    return number, "", dice.between(10, 99)


def _of_supplier(ledger, movement):
    dice = Dice(*ledger, movement.day.toordinal(), movement.index, "invoices")
    number, reference, _order = supplier_reference(ledger, movement)
    issued = movement.day - timedelta(days=dice.between(*LAG))
    if dice.chance(10):
        return Payment("unknown")
    document = Document(SUPPLIERS[movement.detail[0]], str(number), reference, movement.cents, issued)
    return Payment("reference" if reference else "number", (document,))


def _of_debit(ledger, movement):
    """A direct debit names its mandate only; the bill has come before."""
    service = SERVICES[movement.detail[0]]
    number = f"{service.name[:3].upper()}-{movement.day:%Y%m}"
    document = Document(service.name, number, "", movement.cents, movement.day - timedelta(days=LAG[0]))
    return Payment("debit", (document,))
