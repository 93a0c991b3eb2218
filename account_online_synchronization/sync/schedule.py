"""When a link is synchronized next. Pure Python.

>>> interval = timedelta(hours=12)
>>> [str(back_off(failures, interval)) for failures in (1, 2, 3, 500)]
['0:05:00', '0:10:00', '0:20:00', '12:00:00']
>>> str(back_off(3, interval, retry_after=7200))
'2:00:00'

Links of one database are spread over time; the offset of each is constant.

>>> str(after_success(interval, 0)), str(after_success(interval, 0.5)), str(after_success(interval, 1))
('12:00:00', '11:24:00', '10:48:00')
>>> share("b2c4", 1), share("b2c4", 2), share("b2c4", 1)
(0.782, 0.716, 0.782)
"""

import zlib
from datetime import timedelta

#: Back-off after the first failure; it doubles with each further one, up to the regular interval.
FIRST_BACK_OFF = timedelta(minutes=5)

#: Maximum part of the interval by which a link is due earlier.
SPREAD = 0.1

#: A scheduled action fetches more than this many days of transactions, so that the user does not wait.
LONG_DAYS = 30


def back_off(failures, interval, retry_after=None):
    """
    :param int failures: number of consecutive failures
    :param timedelta interval: between two automatic synchronizations
    :param int retry_after: seconds that the bank or the proxy asks to wait
    :return: timedelta until the next attempt
    """
    if retry_after:
        return timedelta(seconds=retry_after)
    return min(FIRST_BACK_OFF * 2 ** min(failures - 1, 20), interval)


def after_failure(action, failures, interval, retry_after=None):
    """:param str action: advised by the proxy. Why the interval for all but ``retry``: a user must act first"""
    return back_off(failures, interval, retry_after) if action == "retry" else interval


def after_success(interval, link_share):
    """:param float link_share: of :func:`share`"""
    return interval * (1 - SPREAD * link_share)


def share(database, link_id):
    """:return: a number from 0 to 1, always the same for one link of one database"""
    return zlib.crc32(f"{database}:{link_id}".encode()) % 1000 / 1000


def is_long(last_syncs, today):
    """
    :param last_syncs: day up to which each account is stored, empty before the first
    :return: whether a user would have to wait too long
    """
    limit = today - timedelta(days=LONG_DAYS)
    return any(not day or day < limit for day in last_syncs)
