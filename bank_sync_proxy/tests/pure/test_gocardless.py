"""Quirks of GoCardless; what all adapters do is in test_contract."""

import json
from decimal import Decimal

import pytest

from bank_sync_proxy.providers.errors import ConfigurationError, ConsentError, ProviderError, RateLimited
from bank_sync_proxy.providers.types import Challenge, Completed
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
def test_unlinked_requisition_is_reported_without_a_request_to_the_bank(script, status, code):
    exchange = Case("gocardless", "refresh").exchanges[1]
    script.server.expect([*TOKEN, {**exchange, "answer": {**exchange["answer"], "status": status}}])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert (caught.value.code, caught.value.provider_code) == (code, status)


def test_what_the_browser_brings_does_not_make_a_consent(script):
    """A user returns without an error, and the requisition is not linked."""
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


def test_missing_balance_is_accepted_and_another_error_is_a_failure(script):
    script.play("accounts")
    assert [account.balance is None for account in script.adapter.accounts(script.state)] == [False, True]


# -------------------------------------------------------------------------
# REFUSALS, AS THE SERVICE'S OWN DESCRIPTION HAS THEM
# -------------------------------------------------------------------------

REQUISITION = Case("gocardless", "refresh").exchanges[1]
ACCOUNT = PAGE["ask"].partition("transactions/")[0]
ENDED = {"summary": "End User Agreement (EUA) 2dea1b84 has expired", "detail": "connect once more", "status_code": 401}
NONE = {"summary": "No valid End User Agreement", "detail": "x", "status_code": 403}
NOT_OURS = {"summary": "IP address access denied", "detail": "x", "status_code": 403}
SUSPENDED = {"summary": "Account suspended", "detail": "due to numerous errors", "status_code": 409}


def refused(answer):
    return {**PAGE, "status": answer["status_code"], "answer": answer}


@pytest.mark.parametrize("answer", [ENDED, NONE], ids=["ended", "none"])
@pytest.mark.parametrize("status", ["EX", "LN"])
def test_an_ended_agreement_without_a_type_is_for_the_user(script, answer, status):
    twice = [refused(answer), *TOKEN, refused(answer)] if answer["status_code"] == 401 else [refused(answer)]
    script.server.expect([*TOKEN, *twice, {**REQUISITION, "answer": {"status": status}}])
    with pytest.raises(ConsentError) as caught:
        script.pages()
    assert caught.value.code == "consent_expired" and caught.value.status == answer["status_code"]


def test_a_refusal_of_everything_is_about_the_keys(script):
    script.server.expect([*TOKEN, refused(NOT_OURS), {**REQUISITION, "status": 403, "answer": NOT_OURS}])
    with pytest.raises(ConfigurationError) as caught:
        script.pages()
    assert caught.value.code == "provider_not_configured"


@pytest.mark.parametrize(
    "status, code",
    [
        ("SUSPENDED", "consent_revoked"),
        ("EXPIRED", "consent_expired"),
        ("PROCESSING", "provider_busy"),
        ("SOMETHING_NEW", "institution_unavailable"),
        (["odd"], "institution_unavailable"),
    ],
)
def test_an_account_that_is_in_its_own_way_says_who_must_act(script, status, code):
    script.server.expect([*TOKEN, refused(SUSPENDED), {"ask": ACCOUNT, "answer": {"id": "x", "status": status}}])
    with pytest.raises(ProviderError) as caught:
        script.pages()
    assert (caught.value.code, caught.value.status) == (code, 409)


def test_a_free_usage_that_is_used_up_is_the_administrator_s_business(script):
    script.server.expect([*TOKEN, refused({"summary": "Free usage limit exceeded", "status_code": 402})])
    with pytest.raises(ConfigurationError):
        script.pages()


# -------------------------------------------------------------------------
# A CONSENT THAT BRINGS LESS THAN WAS WANTED
# -------------------------------------------------------------------------


def connecting(**changes):
    """The exchanges of a visit, by name, with others in the place of some."""
    names = ("token", "bank", "agreement", "requisition", "token2", "back", "agreed", "first", "second")
    exchanges = dict(zip(names, json.loads(json.dumps(Case("gocardless", "connect").exchanges)), strict=True))
    for name, change in changes.items():
        exchanges[name] = {**exchanges[name], **change}
    return exchanges


FIRST, SECOND = "065da497-e6af-4950-88ed-2edbc0577d20", "8126e9fb-93c9-4228-937c-68f0383c2df7"
LIMITED = {"status": 429, "answer": {"detail": "Please try again in 85092 seconds", "status_code": 429}}


@pytest.mark.parametrize("name, gone, left", [("first", FIRST, SECOND), ("second", SECOND, FIRST)])
@pytest.mark.parametrize("how", ["limited", "suspended", "unreadable"])
def test_one_account_that_can_t_be_read_keeps_no_other_one_away(script, name, gone, left, how):
    exchange = connecting()[name]
    answer = {
        "limited": LIMITED,
        "suspended": {"status": 409, "answer": SUSPENDED},
        "unreadable": {"answer": {"account": "nothing"}},
    }[how]
    exchanges = list(connecting(**{name: answer}).values())
    if how == "suspended":
        asked = exchange["ask"].removesuffix("details/")
        place = next(number for number, one in enumerate(exchanges) if one["ask"] == exchange["ask"])
        exchanges.insert(place + 1, {"ask": asked, "answer": {"status": "SUSPENDED"}})
    script.server.expect(exchanges)
    completed = script.walk()
    assert isinstance(completed, Completed)
    assert [account.id for account in completed.accounts] == [left] and completed.state["unread"] == [gone]
    # The next refresh asks for it again, and only for it.
    script.adapter = script.new_adapter()
    script.server.expect([*TOKEN, {**REQUISITION}, connecting()[name]])
    state = script.adapter.refresh(completed.state).state
    assert set(state["accounts"]) == {FIRST, SECOND} and "unread" not in state


def test_account_that_a_renewal_could_not_read_continues_unchanged(script):
    """Our id need not be the one of this consent: which account it is can only be seen once it can be read."""
    state = json.loads(json.dumps(script.state))
    state["accounts"] = {f"ours-{key}": {**account, "id": f"old-{key}"} for key, account in state["accounts"].items()}
    script.state = state
    script.server.expect(list(connecting(first=LIMITED).values()))
    completed = script.walk("renew")
    assert list(completed.state["accounts"]) == [f"ours-{SECOND}"]
    script.adapter = script.new_adapter()
    script.server.expect([*TOKEN, {**REQUISITION}, connecting()["first"]])
    state = script.adapter.refresh(completed.state).state
    assert set(state["accounts"]) == {f"ours-{FIRST}", f"ours-{SECOND}"} and "before" not in state


@pytest.mark.parametrize("currencies, there", [(["GBP", "GBP"], True), (["GBP", "EUR"], False)])
def test_an_account_in_no_currency_has_the_one_of_its_balances(script, currencies, there):
    """XXX means "several"."""
    exchanges = connecting()
    exchanges["first"]["answer"]["account"]["currency"] = "XXX"
    balances = [{"balanceType": "expected", "balanceAmount": {"amount": "1", "currency": one}} for one in currencies]
    *before, second = exchanges.values()
    asked = {"ask": f"GET /accounts/{FIRST}/balances/", "answer": {"balances": balances}}
    script.server.expect([*before, asked, second])
    completed = script.walk()
    assert [account.currency for account in completed.accounts] == ["GBP"] * there + ["EUR"]


def test_a_consent_of_which_no_account_can_be_read_is_a_failure(script):
    script.server.expect(list(connecting(first=LIMITED, second=LIMITED).values()))
    with pytest.raises(RateLimited) as caught:
        script.walk()
    assert caught.value.retry_after == 85092


def test_an_account_without_a_currency_has_that_of_its_balances(script):
    exchanges = connecting(first={"answer": {"account": {"iban": "GB33BUKB20201555555555"}}})
    balances = [{"balanceAmount": {"amount": "1.00", "currency": "GBP"}, "balanceType": "expected"}]
    asked = {"ask": exchanges["first"]["ask"].replace("details", "balances"), "answer": {"balances": balances}}
    second = exchanges.pop("second")
    script.server.expect([*exchanges.values(), asked, second])
    assert [account.currency for account in script.walk().accounts] == ["GBP", "EUR"]


UNSUPPORTED = {
    "access_scope": ["Unsupported access scope"],
    "summary": "Unsupported access scope selected.",
    "detail": "Access scopes ['balances', 'details'] are not supported by X. Supported access scopes are {}",
    "status_code": 400,
}


@pytest.mark.parametrize("offered", [["transactions"], ["balances", "transactions"], ["balances", "details"]])
def test_a_bank_that_offers_less_is_asked_for_what_it_offers(script, offered):
    exchanges = connecting()
    detail = UNSUPPORTED["detail"].format(offered)
    refusal = {**exchanges["agreement"], "status": 400, "answer": {**UNSUPPORTED, "detail": detail}}
    exchanges["agreed"]["answer"]["access_scope"] = offered
    exchanges["back"]["answer"]["accounts"] = [FIRST]
    of_first, _second = exchanges.pop("first"), exchanges.pop("second")
    again = {**exchanges.pop("agreement")}
    again["with"] = {**again["with"], "access_scope": offered}
    expected = [exchanges.pop("token"), exchanges.pop("bank"), refusal, again, *exchanges.values()]
    if "details" not in offered:
        known = {"id": FIRST, "iban": "GB33BUKB20201555555555", "status": "READY", "owner_name": "x"}
        expected.append({"ask": ACCOUNT, "answer": known})
        what = "balances" if "balances" in offered else "transactions"
        money = {"amount": "1.00", "currency": "GBP"}
        answer = {
            "balances": {"balances": [{"balanceAmount": money, "balanceType": "expected"}]},
            "transactions": {"transactions": {"booked": [{"transactionAmount": money}], "pending": []}},
        }[what]
        expected.append({"ask": f"{ACCOUNT}{what}/", "answer": answer})
    else:
        expected.append(of_first)
    script.server.expect(expected)
    completed = script.walk()
    assert [(account.id, account.currency) for account in completed.accounts] == [(FIRST, "GBP")]
    script.adapter = script.new_adapter()
    if "balances" not in offered:
        assert script.adapter.accounts(completed.state)[0].balance is None
    if "transactions" not in offered:
        with pytest.raises(ConsentError) as caught:
            script.adapter.transactions(completed.state, FIRST)
        assert caught.value.code == "account_refused"


@pytest.mark.parametrize("detail", ["{}".format(["balances", "details", "transactions"]), "none", "[]"])
def test_a_refusal_that_names_nothing_else_is_not_asked_again(script, detail):
    exchanges = connecting()
    refusal = {**exchanges["agreement"], "status": 400, "answer": {"detail": detail}}
    script.server.expect([exchanges["token"], exchanges["bank"], refusal])
    with pytest.raises(ProviderError):
        script.walk()
