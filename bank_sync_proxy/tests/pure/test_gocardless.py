"""Quirks of GoCardless; what all adapters do is in test_contract."""

from decimal import Decimal

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


@pytest.mark.parametrize(
    "texts, remittance, reference",
    [
        (
            {"Unstructured": "Invoice", "Structured": "21 00000 00003 13947 14300 09017"},
            2,
            "21 00000 00003 13947 14300 09017",
        ),
        ({"StructuredArray": ["+++090/9337/55493+++"]}, 1, "+++090/9337/55493+++"),
        ({"Structured": {"reference": "RF18539007547034"}}, 1, "RF18539007547034"),
        # Commerzbank, Sparkassen and easybank put the whole text there.
        ({"Structured": "N Rechnung 17 Dauerauftrag"}, 1, None),
        # Commerzbank sends the text and its lines.
        ({"Unstructured": "A\nB", "UnstructuredArray": ["A", "B"]}, 1, None),
    ],
)
def test_each_text_comes_once_and_only_a_reference_is_one(script, texts, remittance, reference):
    row = one(script, **{f"remittanceInformation{name}": value for name, value in texts.items()})
    assert (len(row.remittance), row.creditor_reference) == (remittance, reference)


def test_a_structured_text_stays_beside_what_the_bank_adds(script):
    """Stadtsparkasse Düsseldorf, as recorded in actual's tests: both are needed."""
    row = one(script, remittanceInformationStructured="Rechnung RE-2024-17", additionalInformation="GUTSCHRIFT")
    assert row.remittance == ("Rechnung RE-2024-17", "GUTSCHRIFT") and row.creditor_reference is None


def test_a_name_on_the_wrong_side_is_found_by_the_number_of_the_account(script):
    """A payment that names its own account as the one that got the money."""
    own, shop = {"iban": "GB33BUKB20201555555555"}, {"iban": "GB94BARC10201530093459"}
    row = one(script, creditorName="Us", creditorAccount=own, debtorName="Shop", debtorAccount=shop)
    assert (row.counterparty.name, row.counterparty.account_number) == ("Shop", shop["iban"])
    assert one(script, debtorName="Us", debtorAccount=own).counterparty.name is None


PURCHASE = {"internalTransactionId": "1", "bookingDate": "2026-11-02", "additionalInformation": "SUPERMARKET"}


@pytest.mark.parametrize(
    "institution", ["SEB_KORT_AB_SE_SKHSFI21", "SEB_CARD_ESSESESS", "CETELEM_CETMPTP1XXX", "OTHER"]
)
def test_a_purchase_with_a_card_is_money_spent_whatever_its_sign_is(script, institution):
    sign = 1 if institution == "OTHER" else -1
    state = {**script.state, "institution": institution}
    rows = [{**PURCHASE, "transactionAmount": {"amount": "250.00", "currency": "GBP"}, "creditorName": "Market"}]
    script.server.expect([*TOKEN, {**PAGE, "answer": {"transactions": {"booked": rows, "pending": rows}}}])
    page = script.adapter.transactions(state, script.account)
    assert [row.amount for row in page.transactions] == [250 * sign] * 2
    assert page.transactions[0].counterparty.name == ("Market" if sign < 0 else None)
    script.adapter = script.new_adapter()
    script.play("accounts")
    assert script.adapter.accounts(state)[0].balance == Decimal("657.49") * sign


def test_a_renewal_does_not_turn_what_its_user_has_reversed(script):
    """A consent from before the institution was kept: the account was reversed by hand, where it had to be."""
    script.state = {name: value for name, value in script.state.items() if name != "institution"}
    script.play("renewal")
    assert "institution" not in script.walk("renew").state


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
