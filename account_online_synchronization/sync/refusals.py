"""Refusals by a bank, and when to retry: requests that are refused for a lasting reason are not repeated."""

from datetime import timedelta

#: Lasting refusals of one account: the run continues with the others, and the request is not repeated in each run.
LASTING_REFUSALS = ("account_refused", "unknown_account", "period_refused", "answer_too_large")
#: Codes for a bookmark that is permanently invalid. The second one is sent by services without a specific code; at most
#: one request by date follows, so it is harmless if it means something else.
REFUSED_BOOKMARKS = ("bookmark_refused", "invalid_request")
#: After this time a scheduled run retries, so that a reopened account is synchronized again.
ASK_AGAIN_AFTER = timedelta(days=7)
#: For an account whose bank accepts no first day, only its longest period.
NO_FIRST_DAY = -1
MAX_HISTORY_DAYS = 10_000


def learned_history(days):
    """
    :param days: ``history_days`` of an answer, unchecked
    :return: a number of days, :data:`NO_FIRST_DAY`, or None if the answer contains no valid limit
    """
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MAX_HISTORY_DAYS:
        return None
    return days or NO_FIRST_DAY


def within_history(since, history, today):
    """The first day to request, within the bank's history.

    :param date since: first day that is wanted, None for as far back as possible
    :param int history: result of :func:`learned_history`; 0 if nothing is known
    :return: a date, or None for as far back as possible
    """
    if history == NO_FIRST_DAY:
        return None
    if not history:
        return since
    first = today - timedelta(days=history)
    return max(since, first) if since else first


def is_worth_requesting(code, refused_at, now, user_present):
    """
    :param code: of the last refusal, empty for none
    :param datetime refused_at: when that was
    :param bool user_present: a user requested it, perhaps after solving the problem at the bank
    """
    return not code or user_present or not refused_at or refused_at + ASK_AGAIN_AFTER <= now
