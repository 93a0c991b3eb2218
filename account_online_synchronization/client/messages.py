"""Protocol objects as checked Python objects. Only transactions that pass these checks are imported."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from odoo.addons.bank_sync_common.tools.words import Sentence, _lt

from .errors import BadTransaction
from .texts import MAX_ITEMS, MAX_TEXT, read_id, read_texts, readable, storable

#: Amounts outside this range can't be stored exactly by Odoo's numeric columns, and are not plausible.
MAX_AMOUNT = Decimal("1e13")
#: Decimal("1e-999999999") takes a gigabyte when it is formatted. No currency has more than four decimals, and services
#: that compute with floats write seventeen digits.
MAX_DECIMALS = 40
#: The usual form of an amount: finite, in range, without further checks.
PLAIN_AMOUNT = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,20})?")
#: Python's own parser also accepts underscores, digits of all scripts, and huge exponents.
AMOUNT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(E[+-]?[0-9]{1,3})?", re.IGNORECASE)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


# Why not frozen: creating one would take almost twice as long, and each run creates thousands.
@dataclass(slots=True, unsafe_hash=True)
class Transaction:
    """One transaction of an online account, see *transaction* in docs/protocol.md.

    ``amount`` is in the account's currency, credit positive. ``foreign_amount`` and ``foreign_currency`` are both set
    or both None. ``booking_date`` may be missing only if it is pending. ``message`` is the protocol object as received;
    with ``is_storable``, a database can store it unchanged. ``fee`` is part of ``amount`` and signed like it; None if
    there is none. ``foreign_amount`` corresponds to the amount before the fee. Transactions are never modified.
    """

    id: str | None
    booked: bool
    booking_date: date | None
    amount: Decimal
    currency: str
    value_date: date | None = None
    foreign_amount: Decimal | None = None
    foreign_currency: str | None = None
    counterparty_name: str = ""
    counterparty_number: str = ""
    remittance: tuple[str, ...] = ()
    reference: str = ""
    pending_id: str | None = None
    fee: Decimal | None = None
    fee_description: str = ""
    message: dict = field(default_factory=dict, compare=False, hash=False, repr=False)
    is_storable: bool = field(default=True, compare=False, hash=False, repr=False)

    @property
    def raw(self):
        """The protocol object without what a database can't store. Why not at once: most transactions are known."""
        return self.message if self.is_storable else storable(self.message)

    @property
    def label(self):
        """All texts of the bank in one line; Odoo requires a label."""
        return " ".join(self.remittance)[:MAX_TEXT] or self.counterparty_name or self.reference or "/"

    def line_date(self, by_value_date):
        """The date of its line in the journal, not converted between time zones."""
        return (by_value_date and self.value_date) or self.booking_date


def parse_transaction(message):
    """Check one protocol transaction.

    :param dict message: as received
    :return: :class:`Transaction`
    :raise BadTransaction: with the reason in a sentence; the caller parks it
    """
    if not isinstance(message, dict):
        raise BadTransaction(_lt("The bank sent something that is not a transaction."))
    if problem := unread_problem(message):
        raise BadTransaction(_lt("The connection service could not read it: %(problem)s.", problem=problem))
    status = message.get("status")
    if status not in ("booked", "pending"):
        raise BadTransaction(_lt("Its status “%(status)s” is neither booked nor pending.", status=_shorten(status)))
    amount = _amount(message.get("amount"))
    counterparty = _counterparty(message)
    currency, name, number, creditor_reference, end_to_end_id, *remittance = read_texts(
        [
            message.get("currency"),
            counterparty.get("name"),
            counterparty.get("account_number"),
            message.get("creditor_reference"),
            message.get("end_to_end_id"),
            *_remittance(message),
        ]
    )
    if len(currency) != 3:
        raise BadTransaction(_lt("It has no currency."))
    fee, fee_description = _fee(message)
    foreign_amount, foreign_currency = _foreign(message, currency, amount, fee)
    booking_date, value_date = _days(message, status)
    return Transaction(
        id=transaction_id(message),
        booked=status == "booked",
        booking_date=booking_date,
        value_date=value_date,
        amount=amount,
        currency=currency.upper(),
        foreign_amount=foreign_amount,
        foreign_currency=foreign_currency,
        counterparty_name=name,
        counterparty_number=number,
        remittance=tuple(filter(None, remittance)),
        reference=creditor_reference or end_to_end_id,
        pending_id=read_id(message.get("pending_id")) or None,
        fee=fee,
        fee_description=fee_description,
        message=message,
        is_storable=False,
    )


def read_details(message):
    """The bank's data of a transaction, for the form of its line.

    Lines also come from files and from earlier modules: unreadable values are empty, and it never fails.

    :param message: *transaction* of docs/protocol.md, or any other value stored with a line
    :return: dict of texts and days
    """
    message = message if isinstance(message, dict) else {}
    counterparty = _counterparty(message)
    foreign = (readable(message.get("foreign_amount")), readable(message.get("foreign_currency")))
    return {
        "texts": "\n".join(filter(None, map(readable, _remittance(message)))),
        "booking_date": parse_day(message.get("booking_date")),
        "value_date": parse_day(message.get("value_date")),
        "counterparty_bic": readable(counterparty.get("bic")),
        "creditor_reference": readable(message.get("creditor_reference")),
        "end_to_end_id": readable(message.get("end_to_end_id")),
        "mandate_id": readable(message.get("mandate_id")),
        "foreign_amount": " ".join(foreign) if all(foreign) else "",
    }


def _counterparty(message):
    counterparty = message.get("counterparty")
    return counterparty if isinstance(counterparty, dict) else {}


def _remittance(message):
    texts = message.get("remittance") or ()
    return texts[:MAX_ITEMS] if isinstance(texts, list | tuple) else (texts,)


def transaction_id(message):
    """The id of a message, also of an unreadable one; None without an id."""
    return (read_id(message.get("id")) or None) if isinstance(message, dict) else None


def unread_problem(message):
    """Why the connection service could not read it; empty if it could."""
    return readable(message.get("problem"), 200) if isinstance(message, dict) else ""


def _shorten(value):
    return readable(value, 40)


#: Sentences about an amount: missing, unreadable, out of range.
OF_AMOUNTS = (
    _lt("Its amount is missing or not a decimal number."),
    _lt("Its amount “%(value)s” is not a number."),
    _lt("Its amount “%(value)s” is out of range."),
)
OF_FOREIGN_AMOUNTS = (
    _lt("Its amount in the foreign currency is missing or not a decimal number."),
    _lt("Its amount in the foreign currency “%(value)s” is not a number."),
    _lt("Its amount in the foreign currency “%(value)s” is out of range."),
)
OF_FEES = (
    _lt("The amount of its fee is missing or not a decimal number."),
    _lt("The amount “%(value)s” of its fee is not a number."),
    _lt("The amount “%(value)s” of its fee is out of range."),
)


def _amount(value, sentences=OF_AMOUNTS):
    if type(value) is str and PLAIN_AMOUNT.fullmatch(value):
        return _without_sign_of_zero(Decimal(value))
    missing, unreadable, out_of_range = sentences
    # Why no floats: they may have lost decimals. Booleans are ints in Python.
    if isinstance(value, bool | float) or value is None:
        raise BadTransaction(missing)
    try:
        text = str(value)[:100].strip()
        # Why not by Python's own parser alone: it accepts “NaN”, which needs another sentence.
        amount = Decimal(text)
        if amount.is_finite() and not AMOUNT.fullmatch(text):
            raise ValueError(text)
    except (InvalidOperation, ValueError):
        raise BadTransaction(Sentence(unreadable, value=_shorten(value))) from None
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT or amount.as_tuple().exponent < -MAX_DECIMALS:
        raise BadTransaction(Sentence(out_of_range, value=_shorten(value)))
    return _without_sign_of_zero(amount)


def _without_sign_of_zero(amount):
    """Why: Decimal distinguishes 0.00 from -0.00, and so would the identity of a transaction without an id."""
    return amount or amount.copy_abs()


def _foreign(message, currency, amount, fee):
    """The foreign amount and its currency; None if one is missing, or if it is the account's currency."""
    if message.get("foreign_amount") is None:
        return None, None
    foreign_currency = readable(message.get("foreign_currency")).upper()
    if not foreign_currency or foreign_currency == currency.upper():
        return None, None
    foreign_amount = _amount(message["foreign_amount"], OF_FOREIGN_AMOUNTS)
    if not foreign_amount or (foreign_amount > 0) != (amount - (fee or 0) > 0):
        return None, None
    return foreign_amount, foreign_currency


def _fee(message):
    """:return: (amount, description) of the fee that the amount contains; (None, "") without a fee"""
    fee = message.get("fee")
    if fee is None:
        return None, ""
    # Why an error otherwise: an ignored fee would be booked as part of the sale.
    fee = fee if isinstance(fee, dict) else {}
    return _amount(fee.get("amount"), OF_FEES) or None, readable(fee.get("description"))


def _days(message, status):
    """Booking date and value date; either may replace the other."""
    value_date = _date_or_none(message.get("value_date"))
    for name in ("booking_date", "value_date", "transaction_date")[: 2 if status == "booked" else 3]:
        if message.get(name):
            return _date(message[name]), value_date
    if status == "pending":
        # Pending ones are never posted, and many banks give them no date.
        return None, None
    raise BadTransaction(_lt("It has no booking date."))


def _date_or_none(value):
    try:
        return _date(value)
    except BadTransaction:
        return None


def _date(value):
    # Why cached: transactions of a page have few different days.
    return _date_of(value if type(value) is str and len(value) <= 40 else readable(value, 40))


@lru_cache(maxsize=1024)
def _date_of(text):
    text = readable(text, 40)
    try:
        # Why no times: converting one between time zones could change its day.
        # Python's own parser also accepts week dates and others, depending on its version.
        if not ISO_DATE.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise BadTransaction(_lt("Its date “%(date)s” is not a date.", date=text)) from None
    if not 1990 <= day.year <= 2200:
        raise BadTransaction(_lt("Its date %(date)s can't be correct.", date=day.isoformat()))
    return day


def parse_balance(value):
    """A protocol balance as Decimal; None when absent or unreadable."""
    try:
        return _amount(value)
    except BadTransaction:
        return None


def parse_day(value):
    """A protocol date; None when absent or unreadable."""
    return _date_or_none(value) if value else None


def parse_moment(value):
    """A protocol moment as a naive UTC datetime, as Odoo stores it; None when absent or unreadable."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        if moment.tzinfo:
            moment = (moment - moment.utcoffset()).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    if not 1990 <= moment.year <= 2200:
        return None
    return moment.replace(microsecond=0)
