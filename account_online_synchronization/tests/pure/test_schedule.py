from datetime import date, timedelta

import pytest

from account_online_synchronization.sync.schedule import (
    FIRST_BACK_OFF,
    after_failure,
    after_success,
    back_off,
    is_long,
    share,
)

INTERVAL = timedelta(hours=12)


def test_back_off_doubles_up_to_the_interval():
    waits = [back_off(failures, INTERVAL) for failures in range(1, 9)]
    assert waits == [min(FIRST_BACK_OFF * 2**number, INTERVAL) for number in range(8)]
    assert back_off(10_000, INTERVAL) == INTERVAL


def test_what_the_bank_asks_for_is_waited_for():
    assert back_off(1, INTERVAL, retry_after=24 * 3600) == timedelta(days=1)


@pytest.mark.parametrize("action", ["renew", "reconnect", "answer_challenge", "contact_support", "unknown"])
def test_what_needs_a_person_waits_for_the_interval(action):
    assert after_failure(action, 1, INTERVAL, retry_after=60) == INTERVAL
    assert after_failure("retry", 1, INTERVAL) == FIRST_BACK_OFF


def test_links_are_spread_over_a_tenth_of_the_interval():
    waits = {after_success(INTERVAL, share("database", link_id)) for link_id in range(1000)}
    assert len(waits) > 500
    assert INTERVAL * 0.9 <= min(waits) < INTERVAL * 0.91
    assert INTERVAL * 0.99 < max(waits) <= INTERVAL


def test_databases_have_other_moments_for_the_same_link():
    assert share("one", 1) != share("another", 1)


def test_a_load_is_long_before_the_first_one_and_after_a_month():
    today = date(2026, 5, 20)
    assert is_long([today, None], today)
    assert is_long([today - timedelta(days=31)], today)
    assert not is_long([today - timedelta(days=30)], today)
    assert not is_long([], today)
