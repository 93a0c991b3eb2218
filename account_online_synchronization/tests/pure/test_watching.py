from datetime import date

import pytest

from account_online_synchronization.client.watching import Heard, Watched


class Pages:
    """A transport with some answers, one after the other."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def call(self, _operation, _payload):
        return self._answers.pop(0)


def watch(*answers, operation="transactions.list"):
    """:return: what was told after each answer, as (pages, transactions)"""
    told = []
    watched = Watched(Pages(*answers), lambda heard: told.append((heard.pages, heard.transactions)))
    for answer in answers:
        assert watched.call(operation, {}) is answer, "the answer is passed on as it is"
    return told


def test_each_page_is_told():
    page = {"transactions": [{"booking_date": "2026-05-20"}, {"booking_date": "2026-05-19"}]}
    assert watch(page, page) == [(1, 2), (2, 4)]


def test_other_questions_are_none_of_its_business():
    assert watch({"transactions": []}, operation="accounts.list") == []


@pytest.mark.parametrize("answer", [None, [], {"transactions": 7}, "<html>"])
def test_an_answer_that_is_none_is_passed_on(answer):
    assert watch(answer) == []


def test_days_are_known_in_whichever_order_they_come():
    heard = Heard()
    heard.add([{"booking_date": "2026-05-20"}])
    heard.add([{"booking_date": "2026-05-01"}, {"booking_date": "2026-05-21"}])
    assert (heard.first_day, heard.last_day) == (date(2026, 5, 1), date(2026, 5, 21))


def test_days_that_are_none_are_passed_over():
    heard = Heard()
    heard.add(["garbage", None, {"booking_date": "soon"}, {"booking_date": 7}, {}])
    assert (heard.transactions, heard.first_day) == (5, None)
