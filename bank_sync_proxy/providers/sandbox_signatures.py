"""What the Demo Bank signs and seals: the code that a browser brings back from its page, and its webhooks."""

import base64
import hashlib
import hmac
import json

from .errors import ProtocolError
from .sandbox_institutions import hash_of
from .types import WebhookEvent

SIGNATURE_HEADER = "Demo-Bank-Signature"
#: Seconds. An older webhook may be a replay.
MAX_AGE = 300
KINDS = ("transactions.new", "consent.expiring", "connection.disconnected")


# -------------------------------------------------------------------------
# THE CODE OF THE BANK'S PAGE
# -------------------------------------------------------------------------


def write_code(institution, user, state):
    """What the bank's page sends along when the user has approved.

    A real bank keeps a random code; this one keeps nothing, so its code says what there is to know.
    """
    place = [institution, user]
    return base64.urlsafe_b64encode(json.dumps([*place, _seal(*place, state)]).encode()).decode()


def read_code(code, institution, state):
    """:return: the user who has approved
    :raise ProtocolError: when the code is of another bank or of another visit
    """
    try:
        bank, user, seal = json.loads(base64.urlsafe_b64decode(code.encode()))
        is_name = isinstance(user, str)
        genuine = is_name and bank == institution and hmac.compare_digest(seal, _seal(bank, user, state))
    except (ValueError, TypeError, AttributeError):
        genuine = False
    if not genuine:
        raise ProtocolError("unexpected_answer", "the code is not of this bank and this visit", provider="sandbox")
    return user


def _seal(*words):
    """Ties a code to its visit; it is a check against mix-ups, there is nothing to steal."""
    return hash_of(*words)[:12].hex()


# -------------------------------------------------------------------------
# WEBHOOKS
# -------------------------------------------------------------------------


def sign_webhook(secret, timestamp, body):
    """
    :param int timestamp: seconds since 1970
    :return: value of the header, ``t=1779000000,v1=<hexadecimal digits>``
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def read_webhook(secret, headers, body, now):
    """:param float now: seconds since 1970
    :return: list of :class:`WebhookEvent`
    :raise ProtocolError: ``invalid_request``
    """
    header = headers.get(SIGNATURE_HEADER) or ""
    timestamp = header.removeprefix("t=").partition(",")[0]
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise _refusal("the signature is missing or malformed")
    # Why the signature first: an attacker should learn nothing about our clock.
    if not hmac.compare_digest(header.encode(), sign_webhook(secret, int(timestamp), body).encode()):
        raise _refusal("the signature is wrong")
    if abs(int(timestamp) - now) > MAX_AGE:
        raise _refusal("it was signed long ago")
    try:
        events = json.loads(body)["events"]
        return [WebhookEvent(event["kind"], str(event["reference"])) for event in events if event["kind"] in KINDS]
    except (ValueError, TypeError, KeyError):
        raise _refusal("it is signed, but no list of events") from None


def _refusal(detail):
    return ProtocolError("invalid_request", f"webhook: {detail}", provider="sandbox")
