"""What a provider can do and what it takes, declared once: the matrix in README and docs is made of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """Facts about a provider.

    :param str countries: where its banks are, in words
    :param str who: who can sign up, and what it costs
    :param str connect: ``bank's pages`` · ``provider's pages`` · ``provider's window`` (beside ours) · ``pasted key`` ·
        ``our pages``
    :param str identity: which field is the stable id of a transaction
    :param bool pending: pending transactions are told apart from booked ones
    :param bool removals: it says which transactions were withdrawn
    :param bool webhooks: it tells of news by itself
    :param bool bookmark: the next run continues where the last one ended, instead of at a date
    :param int history_days: None: as the bank allows
    :param int consent_days: how long a consent holds at most; None: until it is withdrawn
    :param int fetches_per_day: how often one account may be asked for while no user is present; None: no limit known
    """

    countries: str
    who: str
    connect: str
    identity: str
    pending: bool = False
    removals: bool = False
    webhooks: bool = False
    bookmark: bool = False
    history_days: int | None = None
    consent_days: int | None = None
    fetches_per_day: int | None = None
