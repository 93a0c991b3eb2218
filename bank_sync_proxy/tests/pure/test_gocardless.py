"""Quirks of GoCardless; what all adapters do is in test_contract."""

import pytest

from bank_sync_proxy.providers.errors import ConfigurationError, ConsentError, RateLimited
from bank_sync_proxy.providers.types import Challenge
from bank_sync_proxy.tests.pure.gocardless_server import GoCardlessScript
from bank_sync_proxy.tests.pure.scripted import Case

TOKEN = Case("gocardless", "token").exchanges
PAGE = Case("gocardless", "empty").exchanges[1]


@pytest.fixture
def script():
    script = GoCardlessScript()
    yield script
    script.server.close()
    script.server.check_all()


def one(script, **row):
    script.adapter = script.new_adapter()
    row = {
        "internalTransactionId": "x",
        "bookingDate": "2026-11-11",
        "transactionAmount": {"amount": "-1.00", "currency": "GBP"},
        **row,
    }
    script.server.expect([*TOKEN, {**PAGE, "answer": {"transactions": {"booked": [row], "pending": []}}}])
    return script.pages()[0].transactions[0]


@pytest.mark.parametrize(
    "headers, detail, seconds",
    [
        ({"HTTP_X_RATELIMIT_REMAINING": "0", "HTTP_X_RATELIMIT_RESET": "41"}, "", 41),
        (
            {"HTTP_X_RATELIMIT_REMAINING": "5", "HTTP_X_RATELIMIT_RESET": "41"},
            "Please try again in 85092 seconds",
            85092,
        ),
        ({}, "Please try again in 1 second", 1),
        ({"HTTP_X_RATELIMIT_REMAINING": "0", "HTTP_X_RATELIMIT_RESET": "soon", "Retry-After": "9"}, "", 9),
        ({}, "Slow down", 3600),
    ],
)
def test_how_long_to_wait(script, headers, detail, seconds):
    script.server.expect([*TOKEN, {**PAGE, "status": 429, "headers": headers, "answer": {"detail": detail}}])
    with pytest.raises(RateLimited) as caught:
        script.pages()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "exchange",
    [
        {"instructedAmount": {"amount": "5.00", "currency": "USD"}},
        [
            {"instructedAmount": {"amount": "5.00", "currency": "USD"}},
            {"instructedAmount": {"amount": "9", "currency": "X"}},
        ],
    ],
    ids=["object", "array"],
)
def test_an_exchange_is_an_object_or_an_array(script, exchange):
    transaction = one(script, currencyExchange=exchange)
    assert (str(transaction.foreign_amount), transaction.foreign_currency) == ("-5.00", "USD")


@pytest.mark.parametrize(
    "exchange",
    [
        None,
        [],
        {},
        {"exchangeRate": "1.1"},
        {"instructedAmount": {"amount": "1.00", "currency": "GBP"}},
        {"instructedAmount": {"currency": "USD"}},
    ],
)
def test_an_exchange_without_an_amount_in_another_currency_is_none(script, exchange):
    transaction = one(script, currencyExchange=exchange)
    assert transaction.foreign_amount is None and transaction.foreign_currency is None


def test_an_account_that_is_a_mere_text(script):
    assert one(script, creditorAccount="GB94BARC10201530093459").counterparty.account_number == "GB94BARC10201530093459"


def test_the_other_side_depends_on_the_direction(script):
    names = {"creditorName": "To", "debtorName": "From", "ultimateDebtor": "Behind"}
    assert one(script, **names).counterparty.name == "To"
    assert one(script, **names, transactionAmount={"amount": "1.00", "currency": "GBP"}).counterparty.name == "From"
    assert one(script, ultimateCreditor="Behind").counterparty.name == "Behind"


def test_ids(script):
    assert one(script, transactionId="bank").id == "x"
    assert one(script, internalTransactionId=None, transactionId="bank").id == "bank"
    assert one(script, internalTransactionId=None).id is None


def test_a_structured_reference_is_a_text_where_there_is_no_other(script):
    transaction = one(script, remittanceInformationStructuredArray=["+++090/9337/55493+++"])
    assert (
        transaction.remittance == ("+++090/9337/55493+++",) and transaction.creditor_reference == "+++090/9337/55493+++"
    )


def test_a_booking_that_only_has_a_moment(script):
    assert str(one(script, bookingDate=None, bookingDateTime="2026-11-12T10:00:00Z").booking_date) == "2026-11-12"


@pytest.mark.parametrize(
    "status, code",
    [("EX", "consent_expired"), ("SU", "consent_revoked"), ("RJ", "consent_revoked"), ("GA", "connection_unfinished")],
)
def test_a_requisition_that_is_not_linked_is_told_before_the_bank_is_asked(script, status, code):
    exchange = Case("gocardless", "refresh").exchanges[1]
    script.server.expect([*TOKEN, {**exchange, "answer": {**exchange["answer"], "status": status}}])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == (code, status)


def test_what_the_browser_brings_does_not_make_a_consent(script):
    """Somebody returns without an error, and the requisition is not linked."""
    script.play("refused")
    assert isinstance(script.walk(callback=script.callback), Challenge)


def test_a_bank_that_is_not_listed_any_more(script):
    exchange = Case("gocardless", "connect").exchanges[1]
    script.server.expect([*TOKEN, {**exchange, "status": 404, "answer": {"summary": "Not found."}}])
    with pytest.raises(ConfigurationError) as caught:
        script.walk()
    assert caught.value.code == "unknown_institution"


def test_a_requisition_that_is_gone_is_given_back_all_the_same(script):
    exchange = Case("gocardless", "revoke").exchanges[1]
    script.server.expect([*TOKEN, {**exchange, "status": 404, "answer": {"summary": "Not found."}}])
    script.adapter.revoke(script.state)


def test_no_balance_today_is_no_failure_and_another_error_is(script):
    script.play("accounts")
    assert [account.balance is None for account in script.adapter.accounts(script.state)] == [False, True]
