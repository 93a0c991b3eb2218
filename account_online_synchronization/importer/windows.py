"""Which days a run asks the bank for."""

from datetime import timedelta

#: Banks book late, and providers show late: a transaction may appear with a date of some days ago.
OVERLAP_DAYS = 10


def window_start(start_date, last_sync, overlap_days=OVERLAP_DAYS):
    """First day to ask for.

    :param date start_date: nothing before it is ever wanted; None for as far back as the bank allows
    :param date last_sync: day of the bank's last news that were stored; None before the first
    :return: a date, or None for as far back as the bank allows
    """
    if last_sync is None:
        return start_date
    since = last_sync - timedelta(days=overlap_days)
    return max(since, start_date) if start_date else since
