"""Two accountants book the same line, or the same invoice, at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import a_company_with_books
from .test_reconcile_browser import BOOKS, OUTCOME

LINE = "account.bank.statement.line"
#: What the slower one reads: the line is booked, or another user is booking it.
SENTENCES = ("was changed since", "Somebody else is working", "is open, so", "booked already")


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        copy.start()
        yield copy


@pytest.fixture(scope="module")
def books(served):
    return served.shell(BOOKS)


def at_once(served, calls):
    """:return: for each call its answer, or the sentence that the user reads"""
    visitors = [served.visitor() for _call in calls]

    def press(visitor, call):
        try:
            return visitor.call(LINE, *call)
        except RuntimeError as error:
            return str(error)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(press, visitors, calls))


def check_one_of(answers):
    booked = [answer for answer in answers if isinstance(answer, int)]
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert len(booked) == 1, answers
    assert all(any(sentence in answer for sentence in SENTENCES) for answer in refused), answers


def item_of(served, invoice):
    return served.shell(
        f"lines = env['account.move'].browse({invoice}).line_ids\n"
        "result = lines.filtered(lambda item: item.account_type == 'asset_receivable').id"
    )


def test_a_line_that_two_accept_at_once_is_booked_once(served, books):
    line = books["lines"][0]
    decision = served.visitor().call(LINE, "reconcile_read", [line])["decision"]["id"]
    check_one_of(at_once(served, [("reconcile_accept", [line], decision)] * 2))
    outcome = served.shell(OUTCOME.format(**books))
    assert outcome["open"][0] == 0
    assert len(outcome["trail"]) == 1


def test_an_invoice_that_two_lines_pay_at_once_is_paid_once(served, books):
    paid = item_of(served, books["invoices"][3])
    calls = []
    for line, amount in ((books["lines"][3], 220), (books["lines"][4], 300)):
        account = served.shell("result = env['account.account'].search([('code', '=', '699001')]).id")
        rest = {"kind": "account", "id": account, "amount": amount - 41.5}
        calls.append(("reconcile_book", [line], [{"kind": "item", "id": paid, "amount": 41.5}, rest]))
    check_one_of(at_once(served, calls))
    assert served.shell(OUTCOME.format(**books))["open"][3] == 0
