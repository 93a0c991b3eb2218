"""Which days a run asks the bank for."""

from datetime import timedelta

#: Banks book late, and providers show late: a transaction may appear with a date of some days ago.
OVERLAP_DAYS = 10
#: While something can't be read it is asked for again, as long as every bank gives it: 90 days under PSD2.
UNREAD_DAYS = 80


def window_start(start_date, last_sync, loaded_since=None, overlap_days=OVERLAP_DAYS):
    """First day to ask for.

    The first load looks some days further back than the user wants: what is seen then is known as old, so that what
    appears later with such a date is recognised as booked late.

    :param date start_date: where the user wants to begin; None for as far back as the bank allows
    :param date last_sync: day of the bank's last news that were stored; None before the first
    :param date loaded_since: what the first load asked for; nothing before it is ever asked for again
    :return: a date, or None for as far back as the bank allows
    """
    if last_sync is None:
        return start_date and start_date - timedelta(days=overlap_days)
    since = last_sync - timedelta(days=overlap_days)
    return max(since, loaded_since) if loaded_since else since
