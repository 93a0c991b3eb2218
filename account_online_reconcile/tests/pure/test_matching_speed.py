"""The work for a line does not grow with the number of open items: counted, not timed. ``scripts/bench reconcile``
measures the time."""

from unittest import mock

from account_online_reconcile.matching import decide as deciding
from account_online_reconcile.tests.pure.many_lines import many


def work(items):
    """:return: how often documents are looked at for 200 lines"""
    lines, books = many(lines=200, items=items, partners=items // 10)
    with mock.patch.object(deciding, "settle", wraps=deciding.settle) as settle:
        decisions = deciding.decide(lines, books)
    assert sum(decision.kind == "automatic" for decision in decisions.values()) > 100
    return settle.call_count


def test_ten_times_as_many_open_items_are_no_more_work_for_a_line():
    assert work(8000) < 1.5 * work(800)
