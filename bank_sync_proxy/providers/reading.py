"""Parsing of provider data: numbers, dates, texts.

What can't be read raises ValueError; :meth:`.web.WebProvider.reading` makes it a ``ProtocolError``.
"""

import re
import string
from datetime import date, datetime, time, timezone
from decimal import Decimal
from functools import lru_cache

import pytz

from odoo.addons.bank_sync_common.tools.numbers import LONGEST, compact, creditor_reference, iban, is_bic

#: Longer numbers are not amounts of money, and ``Decimal("1e999999")`` would fill the memory when written out.
AMOUNT = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,12})?")
MAX_AMOUNT = 10**18
SMALLEST = Decimal("0.000001")
#: Why pytz: Odoo requires it, and it contains the time zones, which small containers lack.
CENTRAL_EUROPE = pytz.timezone("Europe/Berlin")
TAG = re.compile(r"<[^>]*>?")
CURRENCY = re.compile(r"[A-Z]{3}")

# Placeholders that banks and intermediate programs write where a value is missing. They are not values: two
# transactions with the same placeholder are not the same, and it is not a name.

#: ISO 4217: "no currency", also of accounts in several currencies (Berlin Group); and the code for tests.
NO_CURRENCIES = {"XXX", "XTS"}
#: In upper case, without separators between words.
PLACEHOLDERS = {
    # ISO 20022 and the EPC's guidelines: where the payer gave no reference, a bank has to write something.
    *("NOTPROVIDED", "NOTPROVID", "NOTAVAILABLE", "UNAVAILABLE", "NA"),
    # SWIFT, field 61 of MT940; NOREF is its short form.
    *("NONREF", "NOREF", "NOREFERENCE"),
    # Seen as names in recorded answers.
    *("UNKNOWN", "UNDEFINED"),
}
#: Written by programs for a missing value. Only in this spelling: there are people called Null.
NOTHINGS = {"null", "None", "NaN"}
LONGEST_PLACEHOLDER = 20
#: Nearly all texts begin with one of these, and no placeholder does.
OTHER_INITIALS = {*string.ascii_letters, *string.digits}.difference(
    *((word[0].upper(), word[0].lower()) for word in PLACEHOLDERS | NOTHINGS)
)
#: Maximum number of texts that are compared. A batch may have thousands, one for each of its payments.
MAX_COMPARED = 20
SEPARATORS = re.compile(r"[\s./\\_*#?+:;,-]+")
#: Ids and numbers without information: zeros, or a masked number that all payments with one card have.
FILLING = re.compile(r"0+|[Xx]{3,}|[Xx*#\u2022\u25cf]{4,}[ -]?\d{0,6}")
#: Characters that replace digits. A masked number does not identify an account.
MASKED = re.compile(r"[*\u2022\u25cf\u2026#]|[xX]{3}|\?{2}|\.{2}")
#: Days that mean "not known", such as 0001-01-01, 1970-01-01 and 9999-12-31, are outside of these years.
YEARS = range(1990, 2201)
#: Beginning of references of ISO 11649.
RF = re.compile(r"[Rr][Ff]\d\d")
#: One word, or groups of digits, perhaps after a country's model. Texts with several words are for people.
REFERENCE = re.compile(r"[A-Za-z0-9+/*.:_-]{2,35}|(?:[A-Z]{2}\d{2} )?\d[\d -]{2,34}")


class Number(float):
    """A number with a fraction in JSON, and its original text: amounts are made from the text, never from the float.

    Why not Decimal at once: the provider's data is passed on as JSON (``raw``), which can't contain Decimals; to
    converting them back in every transaction would take as long as all the rest.
    """

    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text


def amount(value):
    """Of a decimal string, an integer, or a :class:`Number`. Never of a float, which lost the bank's exact value."""
    kind = type(value)
    if kind is str and AMOUNT.fullmatch(value):
        return Decimal(value)
    if kind is int and abs(value) < MAX_AMOUNT:
        return Decimal(value)
    if kind is Number and abs(value) < MAX_AMOUNT:
        exact = Decimal(value.text)
        # A provider that computes with floats sends 89.40000000000001; no currency has six decimals. The same goes for
        # exponents: 1e-99999 is short, but has 100 KB when written out.
        return (
            exact if len(value.text) < 9 and "e" not in value.text.lower() else exact.quantize(SMALLEST).normalize() + 0
        )
    raise ValueError(f"no amount: {value!r}"[:100])


def currency(value, default=None):
    """ISO 4217.

    :param default: the account's currency, for a transaction without one
    """
    if type(value) is str and len(value) == 3 and _is_currency(value):
        return value
    if default and (not value or value in NO_CURRENCIES):
        return default
    raise ValueError(f"no currency: {value!r}"[:100])


def has_currency(value):
    """Whether it is a currency in which books can be kept."""
    return type(value) is str and len(value) == 3 and _is_currency(value)


@lru_cache(maxsize=1024)
def _is_currency(value):
    return value not in NO_CURRENCIES and bool(CURRENCY.fullmatch(value))


def day(value):
    """``2026-05-03``, also as the beginning of a moment. None for None and for days that mean "not known"."""
    if not value or value[:10] == "0000-00-00":
        return None
    found = date.fromisoformat(value[:10])
    return found if found.year in YEARS else None


def first_day(*values):
    """:return: the first of the values that is a known day, or None"""
    return next(filter(None, map(day, values)), None)


def moment(value):
    """A moment of ISO 8601, aware, in UTC; one without a zone counts as UTC. None for None and for "not known"."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(_usual_moment(value))
    except ValueError:
        if value[:4].isdigit() and int(value[:4]) not in YEARS:
            return None
        found = datetime.fromisoformat(_plain_moment(value))
    if found.year not in YEARS:
        return None
    return found if found.tzinfo is timezone.utc else found.astimezone(timezone.utc)


def _usual_moment(value):
    """The usual format, with seconds or a fraction of them and the zone, in the way that Python 3.10 can read it.

    :raise ValueError: for all other forms
    """
    if value[-1] == "Z":
        value = f"{value[:-1]}+00:00"
    elif value[-6:-5] not in ("+", "-"):
        value = f"{value}+00:00"
    if len(value) not in (25, 29, 32) or value[16] != ":" or value[19] not in ".+-" or value[-3] != ":":
        raise ValueError("not the usual form")
    return value


def _plain_moment(value):
    """Why by hand: Python 3.10 reads neither a zone without a colon nor any number of digits after the seconds."""
    main, fraction, zone = re.fullmatch(r"(.{19}|.{16})(\.\d+)?(Z|[+-]\d\d:?\d\d)?", value).groups()
    if zone in (None, "Z"):
        zone = "+00:00"
    elif ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return main + (fraction or "")[:7].ljust(7, "0") * bool(fraction) + zone


def moment_of_epoch(seconds):
    """Seconds since 1970; None and 0, which some banks send for "not known", give None."""
    seconds = int(seconds or 0)
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds > 0 else None


def truth(value):
    """:return: whether it is true, in the notation of JSON or XML"""
    return value is True or value == 1 or (type(value) is str and value.strip().lower() in ("true", "1"))


def central_european_day(moment):
    """The day of a moment where most euro accounts are: providers give a day as its local midnight, such as 22:00Z."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    return _central_european_day(moment.year, moment.month, moment.day, moment.hour)


@lru_cache(maxsize=4096)
def _central_european_day(*hour):
    """Why cached by hour: local days begin at a full hour, and converting takes longer than all the rest."""
    return datetime(*hour, tzinfo=timezone.utc).astimezone(CENTRAL_EUROPE).date()


def central_european_midnight(day):
    """:return: the moment at which a day of :func:`central_european_day` begins, aware, in UTC

    Why requests begin there: midnight in UTC is one or two hours later, and earlier transactions would be missing.
    """
    return CENTRAL_EUROPE.localize(datetime.combine(day, time())).astimezone(timezone.utc)


def at(value, *path):
    """:return: the value at a path of names and positions, None where the JSON has another shape"""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def is_placeholder(value):
    """:param str value: a text without surrounding spaces"""
    if value[:1] in OTHER_INITIALS or len(value) > LONGEST_PLACEHOLDER:
        # A shortcut for nearly all texts: this is called several times for every transaction.
        return False
    return value in NOTHINGS or (core := SEPARATORS.sub("", value).upper()) in PLACEHOLDERS or not core


def text(value):
    """Without surrounding spaces; None for empty texts and placeholders."""
    if value is None:
        return None
    value = (value if type(value) is str else str(value)).strip()
    if value[:1] in OTHER_INITIALS:
        # Nearly all texts. Why here and not only in is_placeholder: a call takes as long as the rest of this function.
        return value
    return None if not value or is_placeholder(value) else value


def identifier(value):
    """The bank's id of a transaction. None for values that all transactions share: NOTPROVIDED, 0000."""
    if type(value) is int:
        # A counter: its first value may be 0.
        return str(value)
    if value is not None and type(value) is not str:
        raise ValueError(f"no id: {value!r}"[:100])
    value = text(value)
    return None if value is None or FILLING.fullmatch(value) else value


def number(value):
    """The number of a counterparty's account in any notation. None for a masked one, and for zeros."""
    value = text(value)
    return value and (_number if len(value) <= LONGEST else _number.__wrapped__)(value)


# Why cached: counterparties recur, each run reads some days again, and the library takes as long for one number as all
# the rest of a transaction. Long texts are not cached, so that they can't fill the memory.


@lru_cache(maxsize=4096)
def _number(value):
    return None if FILLING.fullmatch(value) or (MASKED.search(value) and not iban(value)) else value


def texts(*values):
    """All texts in order, each once: lists are flattened; empty texts, placeholders and repetitions are left out.

    A bank may send a text together with its single lines.
    """
    items = []
    for value in values:
        if value is None:
            continue
        if type(value) is list:
            items += filter(None, map(text, value))
        elif (item := text(value)) is not None:
            items.append(item)
    if len(items) < 2 or (_begin_differently(items) and "\n" not in "".join(items)):
        # The usual case.
        return tuple(items)
    found = {}
    for item in items:
        found.setdefault("".join(item.split()), item)
    if not 2 <= len(found) <= MAX_COMPARED or not _may_say_again(found):
        return tuple(found.values())
    again = _said_again(found)
    return tuple(item for joined, item in found.items() if joined not in again)


def _begin_differently(items):
    """Whether certainly no text begins as another one does, ignoring spaces; False if this is not known.

    :param list items: texts without surrounding spaces
    """
    count = len(items)
    if len({item[0] for item in items}) == count:
        return True
    pairs = {item[:2] for item in items}
    letters = "".join(pairs)
    return len(pairs) == count and len(letters) == 2 * count and len(letters.split()) == 1


def _may_say_again(found):
    """Whether one of the texts has several lines, or begins with another one: only then is a closer look needed."""
    order = sorted(found)
    # In sorted order a text comes directly before one that begins with it, if there is any.
    return any(map(str.startswith, order[1:], order)) or "\n" in "".join(found.values())


def _said_again(found):
    """:param dict found: texts by their form without spaces
    :return: those that are lines, or consecutive parts, of another one
    """
    again, order = set(), list(found)
    for whole, item in found.items():
        again.update("".join(line.split()) for line in item.splitlines() if "\n" in item)
        for first, part in enumerate(order):
            rest, parts = whole, []
            for part in order[first:]:
                if part == whole or not rest.startswith(part):
                    break
                rest = rest[len(part) :]
                parts.append(part)
            if parts and not rest:
                again.update(parts)
    return again


def words(value):
    """A text of an external server for the user: one short line of plain text, or None."""
    value = "".join(letter if letter.isprintable() else " " for letter in TAG.sub(" ", str(value or "")))
    return " ".join(value.split())[:200] or None


def bic(value):
    """:return: the BIC, or None for anything else"""
    value = text(value)
    return value if value and is_bic(value) else None


def structured_reference(value):
    """A structured reference from the bank's field for it: some banks put free text there.

    :return: the reference, or None for a text for people
    """
    value = text(value)
    if value is None or RF.match(value):
        return creditor_reference(value)
    return value if REFERENCE.fullmatch(value) and any(map(str.isdecimal, value)) else None


def end_to_end_id(value):
    """The payer's id of the payment."""
    return text(value)


def other_side(other, own, own_number):
    """The counterparty of a payment. Some banks report it on the wrong side.

    The account's own number decides: the party that has it is the holder of the account, on whichever side it is.

    :param other: :class:`~.types.Counterparty` of the side where it should be
    :param own: the same of the account's own side
    :param own_number: of the account, or None
    """
    own_number = iban(own_number)
    # Why not parsed as IBANs: a text that is equal to an IBAN is one.
    is_own = own_number is not None and compact(other.account_number) == own_number
    is_other = own.account_number is not None and own_number is not None and compact(own.account_number) != own_number
    if is_own and (is_other or (own.name and not own.account_number)):
        return own
    if not (other.name or other.account_number) and is_other:
        return own
    return other
