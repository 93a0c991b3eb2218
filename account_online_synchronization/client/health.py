"""*health* of docs/protocol.md: recent outages of a bank's connections, reported by the connection service."""

from datetime import datetime
from typing import NamedTuple

from .messages import parse_moment


class Health(NamedTuple):
    """How many of ten connections to the bank failed, and when it last answered; None if not known."""

    failed_of_ten: int
    answered_at: datetime | None = None


def read_health(value):
    """
    :param value: the value of the key ``health`` of an answer, if any
    :return: :class:`Health`, None if the value is invalid

    >>> read_health({"failed_of_ten": 3, "answered_at": "2026-05-20T08:00:00Z"})
    Health(failed_of_ten=3, answered_at=datetime.datetime(2026, 5, 20, 8, 0))
    >>> read_health({"failed_of_ten": 11}), read_health({"failed_of_ten": True}), read_health("bad")
    (None, None, None)
    """
    failed = value.get("failed_of_ten") if isinstance(value, dict) else None
    if not isinstance(failed, int) or isinstance(failed, bool) or not 0 <= failed <= 10:
        return None
    answered_at = value.get("answered_at")
    return Health(failed, parse_moment(answered_at) if isinstance(answered_at, str) else None)
