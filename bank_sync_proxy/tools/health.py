"""How well a bank answers, counted from its connections, without revealing the state of any client's connection."""

from datetime import datetime
from typing import NamedTuple

#: Period that is counted.
HOURS = 24
#: The most recently used connections represent all, so that the cost of counting does not depend on their number.
SAMPLE = 200
#: Fewer connections prove nothing, and from fewer clients each could work out what became of the others.
FEWEST_CONNECTIONS = 5
FEWEST_CLIENTS = 5


class Outcomes(NamedTuple):
    """Results of the most recently used connections to one bank.

    ``trouble``: the most frequent code among the failures.
    """

    connections: int
    failed: int
    clients: int
    has_others: bool
    answered_at: datetime | None
    trouble: str | None


def describe(outcomes):
    """
    :param Outcomes outcomes: the client that sent the request may be among them
    :return: ``failed_of_ten``, ``answered_at`` (the hour of the newest success) and ``trouble``; None where there are
        too few to say anything

    >>> describe(Outcomes(5, 2, 5, True, datetime(2026, 5, 20, 8, 45), "institution_unavailable"))["failed_of_ten"]
    4
    >>> describe(Outcomes(200, 199, 4, True, None, "institution_unavailable")) is None
    True
    """
    if outcomes.connections < FEWEST_CONNECTIONS or (outcomes.has_others and outcomes.clients < FEWEST_CLIENTS):
        return None
    failed_of_ten = (20 * outcomes.failed + outcomes.connections) // (2 * outcomes.connections)
    answered_at = outcomes.answered_at and outcomes.answered_at.replace(minute=0, second=0, microsecond=0)
    # Why no trouble below one of ten: the cause would be a single client's connection.
    return {
        "failed_of_ten": failed_of_ten,
        "answered_at": answered_at,
        "trouble": outcomes.trouble if failed_of_ten else None,
    }
