"""Quirks of Revolut Business; what all adapters do is in test_contract."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bank_sync_proxy.providers.auth import decode_segment
from bank_sync_proxy.providers.errors import ConsentError, ProtocolError
from bank_sync_proxy.providers.revolut_business import (
    NO_CLIENT_ID,
    NO_CODE,
    PAGE_SIZE,
    REFUSED_CODE,
    STATES,
    RevolutBusiness,
)
from bank_sync_proxy.providers.types import Challenge, Flow
from bank_sync_proxy.tests.pure.contract import CALLBACK_URL, NOW, STATE
from bank_sync_proxy.tests.pure.openapi import Published
from bank_sync_proxy.tests.pure.revolut_business_server import RevolutBusinessScript
from bank_sync_proxy.tests.pure.scripted import Case

PUBLISHED = Published("revolut_business")
#: Kinds of transactions, of which only `topup` has an effect: amounts have their sign.
KINDS = {
    *("atm", "card_payment", "card_refund", "card_chargeback", "card_credit", "charge", "charge_refund", "exchange"),
    *("transfer", "loan", "fee", "refund", "topup", "topup_return", "tax", "tax_refund", "rev_payment"),
}
#: Codes that mean what their HTTP status does everywhere.
FALLS_TO_THE_STATUS = {"5000", "5003"}
PAGE = Case("revolut_business", "empty").exchanges[0]
ROW = Case("revolut_business", "same_id_twice").exchanges[0]["answer"][0]


@pytest.fixture
def script():
    script = RevolutBusinessScript()
    yield script
    script.server.close()
    script.server.check_all()


def flow(kind="connect", state=None, data=None):
    return Flow(kind, "revolut_business.FR", CALLBACK_URL, STATE, "fr_BE", state or {}, data or {})


def shown(challenge, name):
    return next(field.value for field in challenge.fields if field.name == name)


# -------------------------------------------------------------------------
# THE DOCUMENT
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, exchange",
    # How to get tokens is in Revolut's guides, not in the document.
    [(name, exchange) for name, exchange in PUBLISHED.exchanges() if "/auth/token" not in exchange["ask"]],
    ids=lambda value: value if isinstance(value, str) else value["ask"],
)
def test_requests_and_answers_are_those_of_the_document(name, exchange):
    if name == "undocumented":
        pytest.skip("it is there because it is not in the document")
    PUBLISHED.check(exchange)


def test_a_request_that_is_not_in_the_document_would_be_found():
    for ask in ("GET /account", "GET /transactions?size=5", "GET /transactions?count=1001"):
        with pytest.raises(Exception, match=r"."):
            PUBLISHED.check({"ask": ask, "answer": []})


def test_each_state_and_kind_of_the_document_is_in_a_table():
    assert PUBLISHED.values("TransactionState") == set(STATES)
    assert PUBLISHED.values("TransactionType") == KINDS
    assert PUBLISHED.values("Account", "properties", "state") == {"active", "inactive"}


def test_each_code_of_an_error_in_the_document_is_in_a_table():
    codes = set()

    def walk(node):
        if isinstance(node, dict):
            if {"code", "message"} <= set(node) and isinstance(node["code"], int):
                codes.add(str(node["code"]))
            for item in node.values():
                walk(item)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(PUBLISHED.document["components"]["responses"])
    assert codes and codes <= {*RevolutBusiness.error_codes, *FALLS_TO_THE_STATUS}


# -------------------------------------------------------------------------
# CONNECT
# -------------------------------------------------------------------------


def test_the_certificate_that_is_shown_belongs_to_the_key_that_signs(script):
    challenge = script.adapter.start("revolut_business.FR", flow())
    certificate = x509.load_pem_x509_certificate(shown(challenge, "certificate").encode())
    script.play("connect")
    script.walk()
    message, _dot, signature = script.server.asked[0].body["client_assertion"].rpartition(".")
    # Raises where it is another key.
    certificate.public_key().verify(decode_segment(signature), message.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_each_connection_has_a_key_of_its_own():
    keys = set()
    for _time in range(2):
        challenge = RevolutBusiness(clock=lambda: NOW).start("revolut_business.FR", flow())
        certificate = x509.load_pem_x509_certificate(shown(challenge, "certificate").encode())
        keys.add(certificate.public_key().public_numbers().n)
        assert "PRIVATE" not in f"{challenge}{[field.value for field in challenge.fields]}"
    assert len(keys) == 2


def test_the_consent_asks_for_reading_only(script):
    challenge = script.adapter.start("revolut_business.FR", flow())
    challenge = script.adapter.answer(flow(data=challenge.data), {"client_id": "the-client"})
    url = urlsplit(shown(challenge, "page"))
    assert url.netloc == "business.revolut.com"
    assert parse_qs(url.query) == {
        "client_id": ["the-client"],
        "redirect_uri": [CALLBACK_URL],
        "response_type": ["code"],
        "scope": ["READ"],
    }


@pytest.mark.parametrize("client_id", ["", " ", "clïent"])
def test_text_that_is_not_a_client_id_is_refused(script, client_id):
    challenge = script.walk(answers={"client_id": client_id})
    assert challenge.error == NO_CLIENT_ID
    assert shown(challenge, "certificate").startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("code", ["", "https://proxy.example/bank_sync/callback", f"{CALLBACK_URL}?error=x", "a b"])
def test_an_address_without_a_code_is_not_sent(script, code):
    assert script.walk(answers={"client_id": "the-client", "code": code}).error == NO_CODE
    assert not script.server.asked


def test_a_code_alone_serves_as_well_as_its_address(script):
    script.play("connect")
    assert not isinstance(script.walk(answers={"client_id": "the-client", "code": "oa_prod_c0de"}), Challenge)


def test_a_code_that_came_too_late_can_be_replaced(script):
    script.play("refused")
    challenge = script.walk()
    assert challenge.error == REFUSED_CODE
    assert shown(challenge, "page").startswith("https://business.revolut.com/")


def test_a_renewal_with_the_same_client_id_keeps_the_key(script):
    old = script.state["private_key"]
    adapter = RevolutBusiness(clock=lambda: NOW)
    challenge = adapter.renew(script.state, flow("renew", script.state))
    assert shown(challenge, "client_id") == "the-client"
    same = adapter.answer(flow("renew", script.state, challenge.data), {"client_id": "the-client"})
    other = adapter.answer(flow("renew", script.state, challenge.data), {"client_id": "another"})
    assert same.data["private_key"] == old
    assert other.data["private_key"] == challenge.data["new_key"] != old


def test_the_end_of_a_consent_is_a_setting(script):
    script.settings = {"consent_days": "0"}
    script.adapter = script.new_adapter()
    script.play("connect")
    completed = script.walk()
    assert completed.consent_expires_at is None and completed.state["consent_expires_at"] is None


def test_a_pooled_number_is_not_the_account_s(script):
    exchanges = Case("revolut_business", "connect").exchanges
    exchanges[-1]["answer"] = exchanges[-1]["answer"][:1]
    script.server.expect(exchanges)
    assert [account.number for account in script.walk().accounts] == ["FR1420041010050500013M02606", None]


# -------------------------------------------------------------------------
# TOKENS
# -------------------------------------------------------------------------


def test_a_token_serves_until_it_ends(script):
    script.play("empty")
    script.pages()
    script.moment = NOW + timedelta(minutes=39)
    script.play("refresh")
    script.play("empty")
    script.adapter = script.new_adapter()
    script.server.check = lambda request: None
    script.pages()


def test_a_refresh_token_that_was_replaced_is_kept(script):
    """revolut-python 0.10.1 reads `refresh_token` from each answer, "if any"."""
    (exchange,) = Case("revolut_business", "refresh").exchanges
    script.server.check = lambda request: None
    for answer, kept in ({**exchange["answer"], "refresh_token": "the-next"}, "the-next"), (exchange["answer"], None):
        script.server.expect([{**exchange, "answer": answer}])
        refreshed = script.adapter.refresh(dict(script.state))
        assert refreshed.state["refresh_token"] == (kept or script.state["refresh_token"])


# -------------------------------------------------------------------------
# READ
# -------------------------------------------------------------------------


def rows(script, *answer):
    script.server.expect([{**PAGE, "answer": list(answer)}])
    return script.pages()[0].transactions


@pytest.mark.parametrize("fees, amount", [("beside", "-100.1"), ("inside", "-100")])
def test_a_fee_is_charged_as_the_setting_says(script, fees, amount):
    script.settings = {"fees": fees}
    script.adapter = script.new_adapter()
    leg = {**ROW["legs"][0], "amount": -100, "fee": 0.1}
    (found,) = rows(script, {**ROW, "legs": [leg]})
    assert (str(found.amount), found.fee.to_protocol()["amount"]) == (amount, "-0.1")


def test_an_exchange_is_one_transaction_in_each_account(script):
    row = Case("revolut_business", "two_currencies").exchanges[0]["answer"][0]
    first, second = script.state["accounts"]
    for account, amount, currency in ((first, "1.07", "EUR"), (second, "-1", "GBP")):
        script.server.expect([{"ask": PAGE["ask"].replace(first, account), "answer": [row]}])
        (leg,) = script.pages(account=account)[0].transactions
        assert (str(leg.amount), leg.currency, leg.id) == (amount, currency, row["id"])


def test_both_legs_within_one_account_are_two_transactions(script):
    leg = ROW["legs"][0]
    found = rows(script, {**ROW, "legs": [{**leg, "amount": -100}, {**leg, "amount": 100}]})
    assert [(row.id, str(row.amount)) for row in found] == [("t1", "-100"), ("t1/1", "100")]


def test_a_transaction_that_was_booked_late_is_news(script):
    script.play("paging")
    found = [row.id for page in script.pages(since=date(2026, 11, 1)) for row in page.transactions]
    assert "late" in found and "old" not in found


def test_transactions_of_one_moment_are_not_lost_between_two_pages(script):
    script.play("paging")
    found = [row.id for page in script.pages(since=date(2026, 11, 1)) for row in page.transactions]
    assert "same" in found and found.count("last-1") == 1


def test_more_transactions_of_one_moment_than_a_page_has_are_an_error(script):
    first, second = Case("revolut_business", "paging").exchanges
    script.server.expect(
        [first, {**second, "answer": [{**ROW, "created_at": "2026-11-10T10:00:00.000001Z"}] * PAGE_SIZE}]
    )
    with pytest.raises(ProtocolError) as caught:
        script.pages(since=date(2026, 11, 1))
    assert "more transactions of one moment" in caught.value.detail


@pytest.mark.parametrize("days, requested", [(10, 70), (28, 88), (30, 89), (60, 89), (88, 89)])
def test_late_bookings_are_not_looked_for_where_reading_needs_a_new_consent(script, days, requested):
    """ "… can only access information older than 90 days within 5 minutes of the first authorisation": pyrevolut 0.9.1,
    list of transactions."""
    since, first = (NOW.date() - timedelta(days=number) for number in (days, requested))
    script.server.expect([{**PAGE, "ask": f"{PAGE['ask']}&from={first}"}])
    script.pages(since=since)


@pytest.mark.parametrize("days, asked", [(90, 150), (200, 260)])
def test_a_first_load_from_long_ago_reads_what_was_booked_late(script, days, asked):
    """A card payment of the evening before is booked on the first day, or later. The opening balance counts on it."""
    since, first = (NOW.date() - timedelta(days=number) for number in (days, asked))
    script.server.expect([{**PAGE, "ask": f"{PAGE['ask']}&from={first}"}])
    script.pages(since=since)


@pytest.mark.parametrize(
    "state, day, status",
    [
        ("created", "2026-12-24", None),
        ("created", f"{NOW:%Y-%m-%d}", "pending"),
        ("created", None, "pending"),
        ("pending", "2026-12-24", "pending"),
        ("completed", "2026-12-24", "booked"),
    ],
)
def test_a_payment_that_is_scheduled_for_later_is_not_reported(script, state, day, status):
    """TransactionState: "created and is either processed asynchronously or scheduled for a later time"."""
    found = rows(script, {**ROW, "state": state, "scheduled_for": day})
    assert [row.status for row in found] == [status] * bool(status)


def between_pockets(script, *texts, amounts=(100, 100), currencies=("EUR", "EUR")):
    """:return: pages of the document's example "Internal transfer", read in each of the two accounts"""
    own, other = (script.state["accounts"][key]["id"] for key in script.state["accounts"])
    legs = [
        {**ROW["legs"][0], "account_id": account, "amount": amount, "currency": currency, "description": text}
        for account, amount, currency, text in zip((own, other), amounts, currencies, texts, strict=True)
    ]
    pages = []
    for account in script.state["accounts"]:
        ask = PAGE["ask"].replace(script.account, script.state["accounts"][account]["id"])
        script.server.expect([{"ask": ask, "answer": [{**ROW, "legs": legs}]}])
        pages += script.pages(account=account)
    return pages


@pytest.mark.parametrize(
    "texts, amounts",
    [
        (("To GBP Deposit pocket", "From GBP Regular pocket"), ["-100", "100"]),
        (("From GBP Regular pocket", "To GBP Deposit pocket"), ["100", "-100"]),
    ],
)
def test_a_transfer_between_two_pockets_has_one_payer(script, texts, amounts):
    pages = between_pockets(script, *texts)
    assert [str(row.amount) for page in pages for row in page.transactions] == amounts


@pytest.mark.parametrize("texts", [("Vers poche", "De poche"), ("To A", "To B"), (None, None)])
def test_the_payer_of_a_transfer_is_not_guessed(script, texts):
    pages = between_pockets(script, *texts)
    assert [(page.transactions, len(page.unread)) for page in pages] == [((), 1), ((), 1)]


@pytest.mark.parametrize("amounts, currencies", [((-100, 100), ("EUR", "EUR")), ((100, 100), ("EUR", "GBP"))])
def test_legs_that_do_not_contradict_each_other_stay_as_they_are(script, amounts, currencies):
    pages = between_pockets(script, "Something", "else", amounts=amounts, currencies=currencies)
    assert [str(row.amount) for page in pages for row in page.transactions] == [str(amount) for amount in amounts]


@pytest.mark.parametrize(
    "description, counterparty, kind, name",
    [
        ("To John Smith", {"account_type": "external"}, "transfer", "John Smith"),
        ("From JOHN SMITH", {"account_type": "revolut"}, "transfer", "JOHN SMITH"),
        ("Payment from John Smith", None, "topup", "John Smith"),
        ("To GBP Deposit pocket", None, "transfer", None),
        ("Something else", {"account_type": "external"}, "transfer", None),
        (None, {"account_type": "external"}, "transfer", None),
    ],
)
def test_the_other_side_of_a_transfer_is_in_its_description(script, description, counterparty, kind, name):
    leg = {key: value for key, value in ROW["legs"][0].items() if key != "counterparty"} | {"description": description}
    leg |= {"counterparty": counterparty} if counterparty else {}
    assert rows(script, {**ROW, "type": kind, "legs": [leg]})[0].counterparty.name == name


def test_a_withdrawn_access_is_the_user_s_business(script):
    script.play("consent_revoked")
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert caught.value.action == "renew"
