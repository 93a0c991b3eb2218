"""Quirks of Enable Banking; what all adapters do is in test_contract."""

import json
import logging
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from bank_sync_proxy.providers.enable_banking import EnableBanking
from bank_sync_proxy.providers.errors import (
    ConfigurationError,
    ConsentError,
    ProtocolError,
    ProviderError,
    TransientError,
)
from bank_sync_proxy.providers.types import Challenge, Flow, Redirect, User
from bank_sync_proxy.tests.pure.contract import NOW, STATE
from bank_sync_proxy.tests.pure.enable_banking_server import EnableBankingScript
from bank_sync_proxy.tests.pure.scripted import Case

TX = "GET /accounts/07cc67f4-45d6-494b-adac-09b5cbc7e2b5/transactions?"
LONG = TX + "strategy=longest"


@pytest.fixture
def script():
    script = EnableBankingScript()
    yield script
    script.server.close()
    script.server.check_all()


def row(reference="r1", amount="1.00", **values):
    return {
        "entry_reference": reference,
        "transaction_amount": {"currency": "EUR", "amount": amount},
        "credit_debit_indicator": "CRDT",
        "status": "BOOK",
        "booking_date": "2026-11-18",
        **values,
    }


def page(key, *rows, after=None):
    ask = LONG + (f"&continuation_key={after}" if after else "")
    return {"ask": ask, "answer": {"transactions": list(rows), "continuation_key": key}}


@pytest.mark.parametrize("keys", ["aa", "aba", "abcbc", "abca"], ids=list)
def test_keys_that_go_round_in_a_circle_end(script, keys):
    asked = [page(keys[0], row("first"))]
    asked += [page(key, row(f"r{number}"), after=keys[number]) for number, key in enumerate(keys[1:])]
    # What a bank in a circle would be asked at most: twice the circle and what leads to it.
    circle = keys[keys.index(keys[-1]) + 1 :]
    for number in range(2 * len(keys)):
        asked.append(page(circle[number % len(circle)], after=circle[(number - 1) % len(circle)]))
    script.server.expect(asked)
    pages = script.pages()
    assert len(pages) <= 3 * len(keys)
    script.server.exchanges.clear()


def test_long_history_is_not_mistaken_for_a_loop(script):
    keys = [f"key-{number}" for number in range(40)]
    asked = [page(keys[0])]
    asked += [page(new, row(new), after=old) for old, new in pairwise(keys)]
    script.server.expect([*asked, page(None, after=keys[-1])])
    assert len(script.pages()) == 41


def test_a_cursor_stays_short(script):
    script.server.expect([page("k" * 700)])
    assert len(script.adapter.transactions(script.state, script.account).next_cursor) < 1500


def test_a_key_that_the_bank_rejects_loses_nothing_silently(script):
    body = {"message": "Wrong continuation key", "code": 422, "error": "WRONG_CONTINUATION_KEY", "detail": None}
    script.server.expect([page("k1", row()), {**page(None, after="k1"), "status": 422, "answer": body}])
    with pytest.raises(TransientError) as caught:
        script.pages()
    assert caught.value.provider_code == "WRONG_CONTINUATION_KEY"


def test_a_period_that_is_too_long_is_asked_again_shorter_and_stays_so(script):
    body = {"message": "Wrong transactions period", "code": 422, "error": "WRONG_TRANSACTIONS_PERIOD", "detail": None}
    short = TX + "date_from=2026-08-23"
    script.server.expect(
        [
            {"ask": TX + "date_from=2025-01-01", "status": 422, "answer": body},
            {"ask": short, "answer": {"transactions": [row("a")], "continuation_key": "k"}},
            {"ask": short + "&continuation_key=k", "answer": {"transactions": [row("b")], "continuation_key": None}},
        ]
    )
    assert [t.id for p in script.pages(since=date(2025, 1, 1)) for t in p.transactions] == ["a", "b"]


def test_a_period_that_is_always_too_long_is_an_error(script):
    body = {"message": "Wrong transactions period", "code": 422, "error": "WRONG_TRANSACTIONS_PERIOD", "detail": None}
    days = ("2026-08-23", "2026-09-21", "2026-10-21")
    asked = (LONG, *(f"{TX}date_from={day}" for day in days))
    script.server.expect([{"ask": url, "status": 422, "answer": body} for url in asked])
    with pytest.raises(ProtocolError) as caught:
        script.pages()
    assert (caught.value.code, caught.value.history_days) == ("period_refused", 30)


def test_user_data_that_the_bank_can_t_read_is_left_out_of_the_request(script):
    script.adapter.user = User("93.184.216.34", "Browser")
    body = {"message": "Invalid header", "code": 422, "error": "PSU_HEADER_INVALID", "detail": None}
    script.server.expect([{"ask": LONG, "status": 422, "answer": body}, page(None, row("a"))])
    assert [t.id for p in script.pages() for t in p.transactions] == ["a"]
    sent = [request.headers.get("Psu-Ip-Address") for request in script.server.asked]
    assert sent == ["93.184.216.34", None]


def test_a_header_that_was_not_sent_is_not_left_out_again(script):
    body = {"message": "Invalid header", "code": 422, "error": "PSU_HEADER_INVALID", "detail": None}
    script.server.expect([{"ask": LONG, "status": 422, "answer": body}])
    with pytest.raises(ProtocolError):
        script.pages()


def test_a_first_day_that_has_not_come_yet_brings_nothing(script):
    body = {"message": "In future", "code": 422, "error": "DATE_FROM_IN_FUTURE", "detail": None}
    script.server.expect([{"ask": TX + "date_from=2026-12-01", "status": 422, "answer": body}])
    assert script.pages(since=date(2026, 12, 1))[0].transactions == ()


@pytest.mark.parametrize(
    "name, ours",
    [
        ("WRONG_ASPSP_PROVIDED", "unknown_institution"),
        ("INVALID_HOST", "provider_not_configured"),
        ("ACCOUNT_DOES_NOT_EXIST", "account_refused"),
    ],
)
def test_a_code_names_who_must_act(script, name, ours):
    script.server.expect([{"ask": LONG, "status": 422, "answer": {"message": "x", "code": 422, "error": name}}])
    with pytest.raises(ProviderError) as caught:
        script.pages()
    assert caught.value.code == ours


@pytest.mark.parametrize(
    "status, code",
    [
        ("EXPIRED", "consent_expired"),
        ("CLOSED", "consent_revoked"),
        ("REVOKED", "consent_revoked"),
        ("PENDING_AUTHORIZATION", "connection_unfinished"),
    ],
)
def test_ended_session_is_reported_without_a_request_to_the_bank(script, status, code):
    script.server.expect([{"ask": "GET /sessions/4604aa5b", "answer": {"status": status}}])
    with pytest.raises(ConsentError) as caught:
        script.adapter.refresh(script.state)
    assert caught.value.code == code


def test_a_status_that_is_not_documented_is_ours(script):
    script.server.expect([{"ask": "GET /sessions/4604aa5b", "answer": {"status": "ASLEEP"}}])
    with pytest.raises(ProtocolError):
        script.adapter.refresh(script.state)


def test_a_consent_that_had_ended_is_given_back_all_the_same(script):
    body = {"message": "Closed", "code": 422, "error": "CLOSED_SESSION", "detail": None}
    script.server.expect([{"ask": "DELETE /sessions/4604aa5b", "status": 422, "answer": body}])
    script.adapter.revoke(script.state)


def test_balances_that_the_bank_gives_no_more_today_do_not_hide_the_accounts(script):
    asked = [exchange["ask"] for exchange in Case(script.code, "accounts").exchanges]
    body = {"message": "x", "code": 429, "error": "ASPSP_RATE_LIMIT_EXCEEDED", "detail": None}
    script.server.expect([{"ask": ask, "status": 429, "answer": body} for ask in asked])
    assert [account.balance for account in script.adapter.accounts(script.state)] == [None, None]


def test_an_account_without_uid_is_listed_and_not_asked_for(script):
    state = {**script.state, "accounts": {"x": {**script.state["accounts"][script.account], "uid": None}}}
    assert script.adapter.accounts(state)[0].balance is None
    with pytest.raises(ConsentError) as caught:
        script.adapter.transactions(state, "x")
    assert caught.value.code == "account_refused"


def test_private_and_business_customers_are_distinguished(script):
    script.play("refused")
    step = script.walk(callback=script.refusal)
    assert isinstance(step, Challenge) and step.data == {"step": "again", "psu_type": "business"}


def test_an_error_of_the_bank_s_pages_ends_the_visit(script):
    script.play("refused")
    with pytest.raises(TransientError) as caught:
        script.walk(callback={"state": STATE, "error": "server_error", "error_description": "Bank down"})
    assert caught.value.provider_code == "server_error"


def test_a_code_that_has_run_out_is_an_unfinished_visit(script):
    script.play("refused")
    body = {"message": "x", "code": 422, "error": "EXPIRED_AUTHORIZATION_CODE", "detail": None}
    script.server.expect([{"ask": "POST /sessions", "status": 422, "answer": body}])
    with pytest.raises(ConsentError) as caught:
        script.walk()
    assert caught.value.code == "connection_unfinished"


def test_a_bank_that_is_not_listed_any_more(script):
    script.institution = "FI.Gone"
    script.server.expect(Case(script.code, "connect").exchanges[:1])
    with pytest.raises(ConfigurationError) as caught:
        script.walk()
    assert caught.value.code == "unknown_institution"


def test_the_sign_comes_from_the_indicator(script):
    rows = [
        row("1", "5.00", credit_debit_indicator="DBIT"),
        row("2", "-5.00", credit_debit_indicator="DBIT"),
        row("3", "-5.00"),
        row("4", "1500", transaction_amount={"currency": "JPY", "amount": "1500"}),
        row("5", transaction_amount={"currency": "KWD", "amount": "1.005"}),
    ]
    script.server.expect([page(None, *rows)])
    amounts = [transaction.amount for transaction in script.pages()[0].transactions]
    assert amounts == [Decimal(text) for text in ("-5.00", "-5.00", "5.00", "1500", "1.005")]


@pytest.mark.parametrize(
    "values, reference, mandate",
    [
        ({"reference_number": "MANDATE-77", "reference_number_schema": "SDDM"}, None, "MANDATE-77"),
        ({"reference_number": "RF18 5390 0754 7034", "reference_number_schema": "INTL"}, "RF18539007547034", None),
        ({"reference_number": "1234561", "reference_number_schema": "FIRF"}, "1234561", None),
        ({"reference_number": "NOTPROVIDED"}, None, None),
    ],
)
def test_mandate_is_not_a_creditor_reference(script, values, reference, mandate):
    script.server.expect([page(None, row(**values))])
    (given,) = script.pages()[0].transactions
    assert (given.creditor_reference, given.mandate_id) == (reference, mandate)


def test_free_text_in_the_place_of_a_reference_is_a_text(script):
    script.server.expect([page(None, row(reference_number="Miete Mai", remittance_information=["Haus 7"]))])
    (given,) = script.pages()[0].transactions
    assert (given.creditor_reference, given.remittance) == (None, ("Haus 7", "Miete Mai"))


def test_a_transaction_in_no_currency_is_in_that_of_its_account(script):
    money = {"currency": "XXX", "amount": "1.00"}
    script.server.expect([page(None, row(transaction_amount=money, exchange_rate={"instructed_amount": money}))])
    (given,) = script.pages()[0].transactions
    assert (given.currency, given.foreign_currency) == ("EUR", None)


@pytest.mark.parametrize("currencies, there", [(["EUR", "EUR"], True), (["EUR", "USD"], False), ([], False)])
def test_an_account_in_no_currency_has_the_one_of_its_balances(script, currencies, there):
    """XXX means "several". An account without a usable currency does not affect the others."""
    *before, session = Case("enable_banking", "connect").exchanges
    session["answer"]["accounts"][0]["currency"] = "XXX"
    uid = session["answer"]["accounts"][0]["uid"]
    balances = [{"balance_type": "CLBD", "balance_amount": {"currency": one, "amount": "1"}} for one in currencies]
    script.server.expect([*before, session, {"ask": f"GET /accounts/{uid}/balances", "answer": {"balances": balances}}])
    completed = script.walk()
    assert [account.currency for account in completed.accounts] == ["EUR"] * there + ["SEK"]


def test_a_name_that_the_bank_put_into_the_address_is_found(script):
    party = {"name": None, "postal_address": {"address_line": ["Muster GmbH", "Ulm"]}}
    script.server.expect([page(None, row(debtor=party, debtor_account={"other": {"identification": "123"}}))])
    counterparty = script.pages()[0].transactions[0].counterparty
    assert (counterparty.name, counterparty.account_number) == ("Muster GmbH Ulm", "123")


def test_several_currencies_under_one_number_are_several_accounts(script):
    listed = [
        {"uid": "u1", "identification_hash": "h", "account_id": {"iban": "FI7349600000000000"}, "currency": currency}
        for currency in ("EUR", "USD")
    ]
    first = script.adapter._identify(listed, {})
    assert list(first) == ["h.EUR", "h.USD"]
    assert list(script.adapter._identify(listed[::-1], first)) == ["h.USD", "h.EUR"]


def test_accounts_that_share_the_hash_of_their_holder_stay_apart(script):
    """ "Not all of these hashes can be used to uniquely identify an account": one is made of the holder's name."""
    listed = [
        {
            "uid": iban,
            "identification_hash": f"own-{iban}",
            "identification_hashes": [f"own-{iban}", "holder"],
            "account_id": {"iban": iban},
            "currency": "EUR",
        }
        for iban in ("FI2112345600000785", "FI5542345670000081", "FI7349600000000000")
    ]
    first = script.adapter._identify(listed[:2], {})
    for now in (listed[1::-1], listed[1:2], listed[2:], listed[::-1]):
        found = script.adapter._identify(now, first)
        assert {key: entry["iban"] for key, entry in found.items()} == {f"own-{a['uid']}": a["uid"] for a in now}


def test_states_from_before_the_main_hash_was_kept_are_read(script):
    listed = [
        {"uid": number, "identification_hash": number, "identification_hashes": [number, "all"], "currency": "EUR"}
        for number in ("one", "two")
    ]
    before = script.adapter._identify(listed, {})
    old = {key: {name: value for name, value in entry.items() if name != "hash"} for key, entry in before.items()}
    assert list(script.adapter._identify(listed[::-1], old)) == ["two", "one"]


def test_accounts_without_a_hash_are_known_by_their_number(script):
    listed = [{"uid": "u1", "account_id": {"iban": "FI7349600000000000"}, "currency": "EUR"}]
    first = script.adapter._identify(listed, {})
    assert (
        list(script.adapter._identify([{**listed[0], "uid": "u2"}], first)) == list(first) == ["FI7349600000000000.EUR"]
    )


def test_a_private_key_that_is_none_is_the_administrator_s_business():
    adapter = EnableBanking({"application_id": "x", "private_key": "nonsense"}, clock=lambda: NOW)
    with pytest.raises(ConfigurationError, match="PEM"):
        adapter.check_keys()


def test_a_bank_with_one_kind_of_customer_needs_no_question(script):
    script.institution = "FI.Holvi"
    script.server.expect([Case(script.code, "institutions").exchanges[0]])
    script.server.expect(
        [
            {
                "ask": "POST /auth",
                "with": {"psu_type": "business", "access": {"valid_until": "2027-02-18T11:59:00Z"}},
                "answer": {"url": "https://x.example"},
            }
        ]
    )
    assert isinstance(
        script.adapter.start("FI.Holvi", Flow("connect", "FI.Holvi", "https://p.example", STATE)), Redirect
    )


@pytest.mark.parametrize(
    "wanted, user, sent",
    [
        ([], User("8.8.8.8", "Firefox"), ("8.8.8.8", "Firefox")),
        ([], User("8.8.8.8"), ("8.8.8.8", None)),
        (["psu-ip-address"], User("8.8.8.8", "Firefox"), ("8.8.8.8", "Firefox")),
        # All that the bank requires, or none: a part is refused.
        (["psu-geo-location"], User("8.8.8.8", "Firefox"), (None, None)),
        (["psu-user-agent"], User("8.8.8.8"), (None, None)),
        ([], None, (None, None)),
    ],
    ids=["known", "no-agent", "required", "more-required", "agent-required", "nobody-waits"],
)
def test_bank_gets_the_data_of_the_present_user(script, caplog, wanted, user, sent):
    caplog.set_level(logging.DEBUG)
    script.adapter.user = user
    script.state["user_headers"] = wanted
    script.server.expect(Case("enable_banking", "empty").exchanges)
    script.pages()
    (request,) = script.server.asked
    assert (request.headers["Psu-Ip-Address"], request.headers["Psu-User-Agent"]) == sent
    assert "8.8.8.8" not in caplog.text and "8.8.8.8" not in repr(user)


def test_what_the_bank_wants_to_know_of_the_user_is_kept_with_the_consent(script):
    exchanges = json.loads(json.dumps(Case("enable_banking", "connect").exchanges))
    for exchange in exchanges:
        for bank in exchange["answer"].get("aspsps", ()):
            bank["required_psu_headers"] = ["Psu-Ip-Address", "PSU-User-Agent"]
    script.server.expect(exchanges)
    assert script.walk().state["user_headers"] == ["psu-ip-address", "psu-user-agent"]


def test_a_bank_that_wants_to_know_more_than_we_do_is_marked(script):
    exchanges = json.loads(json.dumps(Case("enable_banking", "institutions").exchanges))
    first, second = exchanges[0]["answer"]["aspsps"]
    first["required_psu_headers"], second["required_psu_headers"] = ["Psu-Ip-Address"], ["Psu-Geo-Location"]
    second["beta"] = False
    script.server.expect(exchanges)
    found = list(script.adapter.institutions(script.country))
    assert [(bank.status, bank.capabilities.auto_sync) for bank in found] == [("stable", False), ("beta", False)]
