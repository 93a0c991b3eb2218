"""Protocol objects as checked Python objects. Whatever the proxy sends, only what passes here is imported."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from .errors import BadTransaction

#: Amounts outside this range can't be stored exactly by Odoo's numeric columns and are no bank's amounts.
MAX_AMOUNT = Decimal("1e13")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Transaction:
    """One transaction of an online account, see *transaction* in docs/protocol.md.

    ``amount`` is in the account's currency, credit positive. ``foreign_amount`` and ``foreign_currency`` are both set
    or both None. ``raw`` is the protocol object as it came.
    """

    id: str | None
    booked: bool
    date: date
    amount: Decimal
    currency: str
    foreign_amount: Decimal | None = None
    foreign_currency: str | None = None
    counterparty_name: str = ""
    counterparty_number: str = ""
    remittance: tuple[str, ...] = ()
    reference: str = ""
    raw: dict = field(default_factory=dict, compare=False, hash=False, repr=False)

    @property
    def label(self):
        """All texts of the bank in one line; a line in Odoo must have some label."""
        return " ".join(self.remittance) or self.counterparty_name or self.reference or "/"


def parse_transaction(message):
    """Check one protocol transaction.

    :param dict message: as received
    :return: :class:`Transaction`
    :raise BadTransaction: with the reason in a sentence; the caller parks it
    """
    if not isinstance(message, dict):
        raise BadTransaction("The bank sent something that is not a transaction.")
    status = message.get("status")
    if status not in ("booked", "pending"):
        raise BadTransaction(f"Its status “{_shorten(status)}” is neither booked nor pending.")
    amount = _amount(message.get("amount"), "amount")
    currency = _text(message.get("currency"))
    if len(currency) != 3:
        raise BadTransaction("It has no currency.")
    foreign_amount, foreign_currency = _foreign(message, currency, amount)
    counterparty = message.get("counterparty")
    counterparty = counterparty if isinstance(counterparty, dict) else {}
    remittance = message.get("remittance") or ()
    if isinstance(remittance, str):
        remittance = (remittance,)
    return Transaction(
        id=_text(message.get("id")) or None,
        booked=status == "booked",
        date=_day(message, status),
        amount=amount,
        currency=currency.upper(),
        foreign_amount=foreign_amount,
        foreign_currency=foreign_currency,
        counterparty_name=_text(counterparty.get("name")),
        counterparty_number=_text(counterparty.get("account_number")),
        remittance=tuple(filter(None, map(_text, remittance))),
        reference=_text(message.get("creditor_reference")) or _text(message.get("end_to_end_id")),
        raw=message,
    )


def _text(value):
    """Printable text without the characters that PostgreSQL or a browser would choke on; inner white space folded."""
    if value is None or isinstance(value, dict | list):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def _shorten(value):
    return _text(value)[:40]


def _amount(value, name):
    # A float has already lost the cents that a decimal string keeps; booleans are ints in Python.
    if isinstance(value, bool | float) or value is None:
        raise BadTransaction(f"Its {name} is missing or not a decimal number.")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadTransaction(f"Its {name} “{_shorten(value)}” is not a number.") from None
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        raise BadTransaction(f"Its {name} “{_shorten(value)}” is out of range.")
    return amount


def _foreign(message, currency, amount):
    """The pair, or nothing: half a pair, or a pair in the account's own currency, says nothing."""
    foreign_currency = _text(message.get("foreign_currency")).upper()
    if not foreign_currency or foreign_currency == currency.upper() or message.get("foreign_amount") is None:
        return None, None
    foreign_amount = _amount(message["foreign_amount"], "foreign amount")
    if not foreign_amount or (foreign_amount > 0) != (amount > 0):
        return None, None
    return foreign_amount, foreign_currency


def _day(message, status):
    names = ("booking_date", "value_date") if status == "booked" else ("booking_date", "value_date", "transaction_date")
    for name in names:
        if message.get(name):
            return _date(message[name])
    if status == "pending":
        # Pending ones are only shown, never posted; many banks give them no date at all.
        return date.max
    raise BadTransaction("It has no booking date.")


def _date(value):
    text = str(value).strip()
    try:
        # A date stays a date: a moment would have to be moved between time zones and could change its day.
        # Python's own parser also takes week dates and more, and not the same ones in each version.
        if not ISO_DATE.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise BadTransaction(f"Its date “{_shorten(value)}” is not a date.") from None
    if not 1990 <= day.year <= 2200:
        raise BadTransaction(f"Its date {day.isoformat()} can't be right.")
    return day


def parse_moment(value):
    """A protocol moment as a naive UTC datetime, as Odoo stores it; None when absent or unreadable."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo:
        moment = (moment - moment.utcoffset()).replace(tzinfo=None)
    return moment.replace(microsecond=0)
