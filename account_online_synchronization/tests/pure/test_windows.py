from datetime import date

from account_online_synchronization.sync.windows import window_start


def test_the_first_run_requests_everything():
    assert window_start(None, None) is None


def test_the_first_run_looks_some_days_before_the_start_date_to_know_what_is_old():
    assert window_start(date(2026, 5, 11), None) == date(2026, 5, 1)


def test_later_runs_look_back_ten_days_for_late_bookings():
    assert window_start(None, date(2026, 5, 20)) == date(2026, 5, 10)


def test_looking_back_never_passes_what_the_first_run_has_seen():
    assert window_start(date(2026, 5, 25), date(2026, 5, 20), date(2026, 5, 15)) == date(2026, 5, 15)


def test_an_administrator_may_look_back_further():
    assert window_start(None, date(2026, 5, 20), overlap_days=15) == date(2026, 5, 5)
