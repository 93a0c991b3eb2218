"""Protocol objects as checked Python objects. Whatever the proxy sends, only what passes here is imported."""

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from .errors import BadTransaction
from .words import Sentence, _lt

#: Amounts outside this range can't be stored exactly by Odoo's numeric columns and are no bank's amounts.
MAX_AMOUNT = Decimal("1e13")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Longer texts are cut. Banks stay far below; a text of megabytes would slow down every list that shows it.
MAX_TEXT = 2000
MAX_ID = 500
MAX_ITEMS = 100
MAX_DEPTH = 6
#: Joiners hold letters and emoji together; all other invisible characters go, also those that turn the reading order.
JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Transaction:
    """One transaction of an online account, see *transaction* in docs/protocol.md.

    ``amount`` is in the account's currency, credit positive. ``foreign_amount`` and ``foreign_currency`` are both set
    or both None. ``booking_date`` may be missing for a pending one only. ``raw`` is the protocol object as it came,
    without what a database can't store, see :func:`storable`.
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
    raw: dict = field(default_factory=dict, compare=False, hash=False, repr=False)

    @property
    def label(self):
        """All texts of the bank in one line; a line in Odoo must have some label."""
        return " ".join(self.remittance)[:MAX_TEXT] or self.counterparty_name or self.reference or "/"


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
    currency = _text(message.get("currency"))
    if len(currency) != 3:
        raise BadTransaction(_lt("It has no currency."))
    foreign_amount, foreign_currency = _foreign(message, currency, amount)
    counterparty = message.get("counterparty")
    counterparty = counterparty if isinstance(counterparty, dict) else {}
    remittance = message.get("remittance") or ()
    if not isinstance(remittance, list | tuple):
        remittance = (remittance,)
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
        counterparty_name=_text(counterparty.get("name")),
        counterparty_number=_text(counterparty.get("account_number")),
        remittance=tuple(filter(None, map(_text, remittance[:MAX_ITEMS]))),
        reference=_text(message.get("creditor_reference")) or _text(message.get("end_to_end_id")),
        pending_id=_text(message.get("pending_id"), MAX_ID) or None,
        raw=storable(message),
    )


def transaction_id(message):
    """The id that something claims to have, readable or not; None where it has none."""
    return (_text(message.get("id"), MAX_ID) or None) if isinstance(message, dict) else None


def unread_problem(message):
    """What the connection service could not read of it; empty for everything else."""
    return _text(message.get("problem"), 200) if isinstance(message, dict) else ""


def storable(value, depth=0):
    """The same JSON as PostgreSQL can keep it: no NaN, no zero bytes, no halves of characters, nothing endless."""
    if isinstance(value, str):
        if len(value) <= MAX_TEXT and value.isascii() and "\x00" not in value:
            return value
        cut = value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]} … ({len(value)} characters)"
        return cut.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {storable(str(key)): storable(item, depth + 1) for key, item in [*value.items()][:MAX_ITEMS]}
    if isinstance(value, list | tuple):
        return [storable(item, depth + 1) for item in value[:MAX_ITEMS]]
    if isinstance(value, int) and abs(value) > 2**63:
        return str(value)[:MAX_TEXT]
    return value


def _text(value, limit=MAX_TEXT):
    """Printable text without the characters that PostgreSQL or a browser would choke on; inner white space folded."""
    if value is None or isinstance(value, dict | list | bool):
        return ""
    # Why cut before, too: nobody folds the white space of ten megabytes.
    text = str(value)[: 2 * limit]
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in JOINERS else " " for c in text)
    return " ".join(text.split())[:limit].strip()


def _shorten(value):
    return _text(value, 40)


#: What is wrong with an amount: missing, unreadable, out of range.
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


def _amount(value, sentences=OF_AMOUNTS):
    missing, unreadable, out_of_range = sentences
    # A float has already lost the cents that a decimal string keeps; booleans are ints in Python.
    if isinstance(value, bool | float) or value is None:
        raise BadTransaction(missing)
    try:
        amount = Decimal(str(value)[:100].strip())
    except InvalidOperation:
        raise BadTransaction(Sentence(unreadable, value=_shorten(value))) from None
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        raise BadTransaction(Sentence(out_of_range, value=_shorten(value)))
    return amount


def _foreign(message, currency, amount):
    """The pair, or nothing: half a pair, or a pair in the account's own currency, says nothing."""
    foreign_currency = _text(message.get("foreign_currency")).upper()
    if not foreign_currency or foreign_currency == currency.upper() or message.get("foreign_amount") is None:
        return None, None
    foreign_amount = _amount(message["foreign_amount"], OF_FOREIGN_AMOUNTS)
    if not foreign_amount or (foreign_amount > 0) != (amount > 0):
        return None, None
    return foreign_amount, foreign_currency


def _days(message, status):
    """Booking date and value date; either may stand in for the other."""
    value_date = _date_or_none(message.get("value_date"))
    for name in ("booking_date", "value_date", "transaction_date")[: 2 if status == "booked" else 3]:
        if message.get(name):
            return _date(message[name]), value_date
    if status == "pending":
        # Pending ones are only shown, never posted; many banks give them no date at all.
        return None, None
    raise BadTransaction(_lt("It has no booking date."))


def _date_or_none(value):
    try:
        return _date(value)
    except BadTransaction:
        return None


def _date(value):
    text = str(value)[:40].strip()
    try:
        # A date stays a date: a moment would have to be moved between time zones and could change its day.
        # Python's own parser also takes week dates and more, and not the same ones in each version.
        if not ISO_DATE.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise BadTransaction(_lt("Its date “%(date)s” is not a date.", date=_shorten(value))) from None
    if not 1990 <= day.year <= 2200:
        raise BadTransaction(_lt("Its date %(date)s can't be right.", date=day.isoformat()))
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
