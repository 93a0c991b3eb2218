"""What card and form show of a link: a style, one sentence, a hint with time or reason, and one button.

Card and form decide nothing themselves. ``tests/pure/failures.py`` lists each failure with its button, so a new code
fails a test until its status is designed.

>>> from datetime import datetime
>>> noon = datetime(2026, 5, 20, 12)
>>> describe(LinkFacts(now=noon))
Status(kind='', sentence='', hint='', button='synchronize')
>>> limited = LinkFacts(now=noon, state="error", error_action="retry", error_message="Too many requests.",
...                     retry_at=datetime(2026, 5, 20, 13))
>>> describe(limited)
Status(kind='warning', sentence='Too many requests.', hint='Available again from 2026-05-20 13:00:00.', button='')
"""

from dataclasses import dataclass
from datetime import datetime

from odoo.addons.bank_sync_common.tools.words import _lt

from ..client.errors import SERVICE_REFUSALS
from ..client.health import Health  # noqa: F401 - of the examples

#: The button for each action that a failure advises.
BUTTON_OF_ACTION = {
    "retry": "synchronize",
    "renew": "renew",
    "reconnect": "reconnect",
    "answer_challenge": "code",
    "disable_auto_sync": "disable_auto_sync",
    "contact_support": "copy",
    "reactivate": "reactivate",
    "leave_out": "leave_out",
    "check_permission": "synchronize",
}

#: Buttons of failures that need another one than their action's.
BUTTON_OF_CODE = {
    "credentials_rejected": "credentials",
    "unknown_account": "credentials",
    "no_service": "settings",
    "service_address": "settings",
}

#: Buttons that need a connection at the proxy; without one they would only lead to the next failure.
BUTTONS_OF_A_CONNECTION = ("synchronize", "code", "renew", "credentials", "disable_auto_sync", "leave_out")

#: Buttons that lead to the bank's pages.
SIGN_IN_BUTTONS = ("code", "renew", "credentials", "reconnect")

#: Failures that end without user action are not dangers. No action: there is nothing to do.
KIND_OF_ACTION = {"retry": "warning", "": "info"}

#: Actions for the refusal of one account, equal to those for the same failure of a connection.
ACTION_OF_REFUSAL = {
    "account_refused": "leave_out",
    "unknown_account": "renew",
    "period_refused": "contact_support",
    "answer_too_large": "contact_support",
}


@dataclass(frozen=True)
class LinkFacts:
    """The facts from which the status of a link is computed."""

    now: datetime
    #: As on the link: ``connected``, ``error`` or ``disconnected``.
    state: str = "connected"
    #: Whether the proxy has a connection for it.
    has_connection: bool = True
    has_consent_ended: bool = False
    auto_sync: bool = True
    next_refresh: datetime | None = None
    error_code: str = ""
    error_action: str = ""
    error_message: str = ""
    #: Time before which bank or proxy do not accept another attempt.
    retry_at: datetime | None = None
    #: Accounts that the bank refuses: (code, sentence).
    refusals: tuple = ()
    service_notes: str = ""
    is_blocked_by_support: bool = False
    #: Why the connection service refuses this database, in its own words.
    service_reason: str = ""
    is_neutralized: bool = False
    #: Whether this database is its own connection service.
    is_embedded: bool = False
    #: Made by an earlier module.
    is_legacy: bool = False


@dataclass(frozen=True)
class Status:
    """What card and form show.

    ``kind`` is ``danger``, ``warning``, ``info`` or empty; ``sentence`` is empty without a problem, ``button`` if none
    helps.
    """

    kind: str
    sentence: str
    hint: str
    button: str


def describe(link):
    """:param LinkFacts link:
    :return: :class:`Status`
    """
    if link.state == "connected":
        return _describe_connected(link)
    if link.state == "disconnected" and not link.has_connection and link.is_neutralized:
        return _describe_copy(link)
    if not link.error_message:
        return Status("info", _describe_disconnected(link), "", "reconnect")
    return _describe_failure(link)


def describe_health(health):
    """Whether connecting or renewing is likely to fail, from the health of other connections to the same bank.

    :param health: :class:`~..client.health.Health`, or None
    :return: a sentence; empty without a problem, or if nothing is known

    >>> describe_health(Health(3))
    '3 of 10 connections to this bank failed in the last 24 hours.'
    >>> describe_health(Health(0)) or describe_health(None)
    ''
    """
    if not health or not health.failed_of_ten:
        return ""
    facts = {"failed": health.failed_of_ten, "moment": health.answered_at}
    if health.failed_of_ten == 10 and not health.answered_at:
        return _lt("No connection to this bank worked in the last 24 hours.")
    if not health.answered_at:
        return _lt("%(failed)s of 10 connections to this bank failed in the last 24 hours.", **facts)
    return _lt(
        "%(failed)s of 10 connections to this bank failed in the last 24 hours. The bank last answered around "
        "%(moment)s.",
        **facts,
    )


def is_rate_limited(error_action, retry_at, now):
    """Whether bank or proxy do not accept another attempt yet."""
    return bool(error_action == "retry" and retry_at and retry_at > now)


def _describe_connected(link):
    # Why by the date: the bank will refuse the next request.
    if link.has_consent_ended:
        return Status("", "", "", "renew")
    if link.refusals:
        code = link.refusals[0][0]
        button = BUTTON_OF_CODE.get(code) or BUTTON_OF_ACTION[ACTION_OF_REFUSAL.get(code, "contact_support")]
        return Status("danger", "\n".join(sentence for _code, sentence in link.refusals), "", button)
    return Status("warning" if link.service_notes else "", link.service_notes, "", "synchronize")


def _describe_copy(link):
    if link.is_embedded:
        sentence = _lt(
            "This database is a copy for tests: its banks were disconnected, and nothing is fetched. The original "
            "goes on working. To try things out here, use Reconnect and choose the Demo Bank."
        )
        return Status("info", sentence, "", "reconnect")
    sentence = _lt(
        "This database is a copy for tests: its banks were disconnected, and nothing is fetched. The original "
        "goes on working; there is nothing to do here."
    )
    return Status("info", sentence, "", "")


def _describe_disconnected(link):
    if link.is_legacy:
        return _lt(
            "This connection was made with an earlier module and can't fetch transactions any more. Use Reconnect "
            "to make a new one; your journals and their transactions stay as they are."
        )
    return _lt(
        "This bank is not connected, so nothing is fetched. Use Reconnect to go on; the transactions that you "
        "already have stay."
    )


def _describe_failure(link):
    kind = KIND_OF_ACTION.get(link.error_action, "danger")
    button = BUTTON_OF_CODE.get(link.error_code) or BUTTON_OF_ACTION.get(link.error_action, "")
    if not link.has_connection and button in BUTTONS_OF_A_CONNECTION:
        button = "reconnect"
    hint = ""
    if link.error_code in SERVICE_REFUSALS:
        button = "copy" if link.is_blocked_by_support else button
        hint = link.service_reason and _lt(
            "Message from the connection service: %(reason)s", reason=link.service_reason
        )
    elif is_rate_limited(link.error_action, link.retry_at, link.now):
        # Why no button: the limit applies to users, too, and some banks count the attempts.
        button = "" if button == "synchronize" else button
        hint = _lt("Available again from %(moment)s.", moment=link.retry_at)
    elif link.error_action == "retry":
        hint = _describe_next_attempt(link)
    return Status(kind, link.error_message, hint, button)


def _describe_next_attempt(link):
    """:return: a sentence; empty if no automatic attempt follows"""
    if not link.auto_sync or link.state != "error" or not link.next_refresh:
        return ""
    if link.next_refresh <= link.now:
        return _lt("The next attempt follows in a moment; missing transactions are fetched then.")
    return _lt("Next attempt at %(moment)s; missing transactions are fetched then.", moment=link.next_refresh)
