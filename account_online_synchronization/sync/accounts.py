"""What a bank account is recognised by: within the answers of one connection, and across connections.

>>> certain_number("BE71 0961 2345 6769")
'BE71096123456769'
>>> certain_number("•••• 6769")
''
"""

import re

from odoo.addons.bank_sync_common.tools.recognition import Keys

#: Accounts of one connection. The bank's name for an account is worth something beside its number, masked or none.
SAME_CONNECTION = Keys(
    own=("id",),
    alike=(("number", "currency", "name"), ("number", "currency"), ("label", "currency")),
    certain=("number", "currency"),
)

#: Ids of two connections have nothing to do with each other, and a name such as "Current account" proves nothing.
OTHER_CONNECTION = Keys(own=("number", "currency", "name"), alike=(("number", "currency"),))

#: Characters that numbers are written with; anything else, such as * or •, replaces digits.
WRITTEN = re.compile(r"[\w\s./:-]+")

#: A shorter number may be that of a branch, or the end of a masked one.
MIN_LENGTH = 8

#: Digits at the end of a masked number that are enough for a proposal; the user decides.
LAST_DIGITS = 4


def plain_number(number):
    """:return: letters and digits of a number, upper case"""
    return re.sub(r"\W+", "", str(number or "")).upper()


def certain_number(number):
    """:return: a number without blanks, ``""`` for a masked one (•••• 1234, 1234****5678): it proves nothing"""
    number = str(number or "")
    plain = plain_number(number)
    is_whole = WRITTEN.fullmatch(number) and len(plain) >= MIN_LENGTH and plain.isalnum() and "XXX" not in plain
    return plain if is_whole else ""


def are_certainly_different(number, other):
    """Whether two numbers, however they are written, belong to different accounts; a masked one proves nothing."""
    number, other = certain_number(number), certain_number(other)
    return bool(number and other and number != other)


def may_be_the_same(number, other):
    """Whether ``other``, masked or only its end, may be the same number.

    >>> may_be_the_same("BE71096123456769", "**** 6769")
    True
    """
    is_known = certain_number(number) and certain_number(other)
    end = plain_number(other)[-LAST_DIGITS:]
    return not is_known and len(end) == LAST_DIGITS and end.isdigit() and plain_number(number).endswith(end)


def facts(identifier, number, currency, name):
    """:return: dict for :func:`~odoo.addons.bank_sync_common.tools.recognition.recognize`"""
    return {
        "id": identifier,
        "number": certain_number(number),
        "currency": str(currency or ""),
        "name": str(name or ""),
        "label": f"{number or ''} {name}" if name else "",
    }


def facts_of_message(message):
    """:param dict message: *account* of docs/protocol.md"""
    return facts(message["id"], message.get("number"), message.get("currency"), message.get("name"))
