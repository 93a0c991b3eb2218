"""Which days a run asks the bank for, and which day it is at the bank."""

from datetime import timedelta, timezone

import pytz

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


def day_at_the_bank(moment, country_code=None):
    """The day of the calendar on which a bank's answer was read: what it dates later lies in the future.

    Why by country: while it is today in UTC it is tomorrow in Auckland, and what a bank there books must not wait.
    Why the clock, and not the day of the bank's news: some providers never move that on, so nothing would be booked.
    Why never before the day in UTC: several providers date in UTC. A booked balance of a later day counts, too.

    :param datetime moment: in UTC
    :param str country_code: of two letters, of the bank or the company; None where it is not known
    :return: the latest day that it is anywhere in the country

    >>> from datetime import datetime
    >>> evening = datetime(2026, 5, 20, 22, 30)
    >>> [str(day_at_the_bank(evening, code)) for code in ("US", "GB", "BE", "NZ", None)]
    ['2026-05-20', '2026-05-20', '2026-05-21', '2026-05-21', '2026-05-20']
    """
    moment = moment.replace(tzinfo=timezone.utc)
    zones = pytz.country_timezones.get(country_code or "", [])
    return max([moment.date(), *(moment.astimezone(pytz.timezone(zone)).date() for zone in zones)])
