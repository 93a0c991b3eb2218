"""Which days a run requests, and the current day at the bank."""

from datetime import timedelta, timezone

import pytz

#: Late bookings: a transaction may appear with a date of some days ago.
OVERLAP_DAYS = 10
#: Unreadable transactions are requested again for as long as every bank provides them: 90 days under PSD2.
UNREAD_DAYS = 80


def window_start(start_date, last_sync, loaded_since=None, overlap_days=OVERLAP_DAYS):
    """First day to request.

    The first load looks some days further back than the start date: these transactions are then known as old, so that
    later ones with such a date are recognized as late bookings.

    :param date start_date: chosen by the user; None for as far back as the bank allows
    :param date last_sync: day up to which transactions are stored; None before the first run
    :param date loaded_since: first day of the first load; earlier days are never requested again
    :return: a date, or None for as far back as the bank allows
    """
    if last_sync is None:
        return start_date and start_date - timedelta(days=overlap_days)
    since = last_sync - timedelta(days=overlap_days)
    return max(since, loaded_since) if loaded_since else since


def day_at_the_bank(moment, country_code=None):
    """The calendar day at the bank when its answer was read; later dates are in the future.

    Why by country: in Auckland it is already tomorrow, and transactions of a bank there must not wait for UTC. Why the
    clock, not the time of the bank's data: some providers never update that, so nothing would be booked. Why never
    before the day in UTC: several providers use dates in UTC. A booked balance of a later day counts, too.

    :param datetime moment: in UTC
    :param str country_code: two letters, of the bank or the company; None if not known
    :return: the latest current day anywhere in the country

    >>> from datetime import datetime
    >>> evening = datetime(2026, 5, 20, 22, 30)
    >>> [str(day_at_the_bank(evening, code)) for code in ("US", "GB", "BE", "NZ", None)]
    ['2026-05-20', '2026-05-20', '2026-05-21', '2026-05-21', '2026-05-20']
    """
    moment = moment.replace(tzinfo=timezone.utc)
    zones = pytz.country_timezones.get(country_code or "", [])
    return max([moment.date(), *(moment.astimezone(pytz.timezone(zone)).date() for zone in zones)])
