"""What a bank refuses, and when it is worth asking again: what is refused for a reason that lasts is not repeated."""

from datetime import timedelta

#: Refusals of one account that last: the other accounts go on, and the bank is not asked the same question in each run.
LASTING_REFUSALS = ("account_refused", "unknown_account", "period_refused")
#: What is said of a bookmark that will never serve again. The second comes from services that have no word of their own
#: for it; a question by date follows at most once, so nothing is lost where it means something else.
REFUSED_BOOKMARKS = ("bookmark_refused", "invalid_request")
#: After this time a scheduled run asks once more, so that an account that was opened again comes back.
ASK_AGAIN_AFTER = timedelta(days=7)
#: Of an account whose bank takes no first day: it gives what it calls longest.
NO_FIRST_DAY = -1
MAX_HISTORY_DAYS = 10_000


def learned_history(days):
    """
    :param days: ``history_days`` of an answer, whatever it is
    :return: what is kept of it: a number of days, :data:`NO_FIRST_DAY`, or None where the answer does not say it
    """
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MAX_HISTORY_DAYS:
        return None
    return days or NO_FIRST_DAY


def within_history(since, history, today):
    """The first day to ask for: not earlier than the bank goes back.

    :param date since: first day that is wanted, None for as far back as possible
    :param int history: as :func:`learned_history` gives it; 0 where nothing is known
    :return: a date, or None for as far back as possible
    """
    if history == NO_FIRST_DAY:
        return None
    if not history:
        return since
    first = today - timedelta(days=history)
    return max(since, first) if since else first


def is_worth_asking(code, refused_at, now, user_present):
    """
    :param code: of the last refusal, empty for none
    :param datetime refused_at: when that was
    :param bool user_present: somebody asks for it, so perhaps something has changed
    """
    return not code or user_present or not refused_at or refused_at + ASK_AGAIN_AFTER <= now
