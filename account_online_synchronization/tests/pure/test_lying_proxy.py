"""A connection service that answers anything at all: each answer is right, or an error in a sentence.

Valid answers of docs/protocol.md are damaged at random places. Whatever comes out of the client afterwards can be
stored by PostgreSQL, sent to a browser and shown to a person, and never belongs to another request.
"""

import json
import unicodedata
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.client import texts
from account_online_synchronization.client.answers import read_accounts
from account_online_synchronization.client.banks import read_banks, read_countries
from account_online_synchronization.client.client import MAX_PAGES, MAX_TRANSACTIONS, ProxyClient
from account_online_synchronization.client.errors import ACTIONS, BadTransaction, ProxyError
from account_online_synchronization.client.health import Health, read_health
from account_online_synchronization.client.messages import (
    MAX_AMOUNT,
    parse_balance,
    parse_moment,
    parse_transaction,
    storable,
    transaction_id,
)
from account_online_synchronization.client.recording import Recording
from account_online_synchronization.client.transport import EmbeddedTransport
from account_online_synchronization.tests.lies import JUNK, damaged

TRANSACTION = {
    "id": "T1",
    "status": "booked",
    "booking_date": "2026-05-03",
    "value_date": "2026-05-04",
    "amount": "-12.30",
    "currency": "EUR",
    "foreign_amount": "-14.00",
    "foreign_currency": "USD",
    "counterparty": {"name": "Azure Ltd", "account_number": "BE71096123456769", "bic": None},
    "remittance": ["Invoice 42", "Thank you"],
    "end_to_end_id": "E2E",
    "creditor_reference": None,
    "mandate_id": None,
    "pending_id": "P1",
    "raw": {"amount": {"value": "-12.30"}},
}
ACCOUNT = {
    "reports_fees": True,
    "id": "A1",
    "name": "Current",
    "number": "BE71096123456769",
    "number_type": "iban",
    "currency": "EUR",
    "type": "current",
    "balance": "100.00",
    "balance_at": "2026-05-03T09:15:00Z",
    "balance_date": "2026-05-03",
    "available": "90.00",
    "id_scheme": "transaction_id",
}
BANK = {
    "id": "plaid.1",
    "name": "A Bank",
    "country": "BE",
    "bic": "ABANBEBB",
    "logo": "https://logos.example/a.png",
    "status": "beta",
    "providers": [{"code": "plaid", "label": "Plaid", "institution_id": "plaid.1", "status": "beta"}],
    "capabilities": {"auto_sync": False, "history_days": 90},
    "health": {"failed_of_ten": 3, "answered_at": "2026-05-03T09:00:00Z", "trouble": "institution_unavailable"},
}
CONNECTION = {
    "id": "C1",
    "state": "connected",
    "institution": BANK,
    "provider": {"code": "plaid", "label": "Plaid"},
    "consent_expires_at": "2026-11-16T08:00:00Z",
    "refreshed_at": "2026-05-03T09:15:00Z",
    "reason": None,
}
ERROR = {
    "error": {"code": "rate_limited", "message": "Wait.", "reference": "E-1", "retry_after": 60, "action": "retry"}
    | {"health": BANK["health"]}
}
PAGE = {"page_url": "https://banks.example.com/p/1", "expires_at": "2026-05-03T10:00:00Z"}
STATE = {"state": "active", "client_id": "c" * 32, "blocked_by": None, "reason": "Because.", "phone_hint": "•••• 56"}

AGREEMENT = {
    "firm": {"name": "Abacus"},
    "agreed_at": "2026-05-03T09:15:00Z",
    "client_name": "Bakery",
    "contact_name": "Bea",
    "contact_email": "bea@bakery.example",
}

#: How each operation is requested, and a valid answer to it.
REQUESTS = {
    "register": (lambda client: client.register(name="Books"), {**STATE, "client_secret": "s" * 43}),
    "verify_phone": (
        lambda client: client.verify_phone("+32470123456"),
        {"state": "phone_required", "sent": True, "phone_hint": "•••• 56", "retry_after": 60},
    ),
    "reactivate": (lambda client: client.reactivate(), STATE),
    "get_status": (lambda client: client.get_status(), STATE),
    "rotate_secret": (lambda client: client.rotate_secret(), {"client_secret": "s" * 43}),
    "update": (lambda client: client.update(name="Books"), STATE),
    "find_firm": (lambda client: client.find_firm("CODE"), {"firm": {"name": "Abacus"}}),
    "agree_with_firm": (
        lambda client: client.agree_with_firm(code="CODE", firm_name="Abacus", client_name="Bakery"),
        {"agreement": AGREEMENT},
    ),
    "get_firm_agreement": (lambda client: client.get_firm_agreement(), {"agreement": AGREEMENT}),
    "revoke_firm": (lambda client: client.revoke_firm(), {"revoked": True}),
    "search_institutions": (
        lambda client: client.search_institutions("a", with_countries=True),
        {"institutions": [BANK], "next_cursor": "p2", "countries": ["BE", "NL"]},
    ),
    "start_connection": (lambda client: client.start_connection("/back"), {**PAGE, "connection_id": "C1"}),
    "get_connection": (lambda client: client.get_connection("C1"), {"connection": CONNECTION}),
    "renew_connection": (
        lambda client: client.renew_connection("C1", "consent", "/back"),
        {**PAGE, "connection_id": "C1"},
    ),
    "refresh_connection": (
        lambda client: client.refresh_connection("C1", True),
        {"state": "challenge", "refreshed_at": "2026-05-03T09:15:00Z", "notes": ["A card is missing."], **PAGE}
        | {"health": BANK["health"], "accounts": [ACCOUNT, {**ACCOUNT, "id": "A2"}]},
    ),
    "delete_connection": (lambda client: client.delete_connection("C1"), {"deleted": True}),
    "list_accounts": (lambda client: client.list_accounts("C1"), {"accounts": [ACCOUNT, {**ACCOUNT, "id": "A2"}]}),
    "transaction_pages": (
        lambda client: list(client.iter_transaction_pages("C1", "A1", date(2026, 5, 1))),
        {
            "transactions": [TRANSACTION],
            "removed_ids": ["T0"],
            "next_cursor": "mark",
            "has_more": False,
            "history_days": 90,
        },
    ),
}


def assert_readable(text):
    """What a person reads: no characters that hide, turn or end anything."""
    assert len(text) <= 2100
    assert "\x00" not in text
    text.encode()
    assert not [char for char in text if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "LRI", "RLI")]


def assert_storable(value, depth=0):
    """What PostgreSQL keeps and a browser gets."""
    assert depth < 20
    if isinstance(value, str):
        value.encode()
        assert "\x00" not in value
    elif isinstance(value, dict):
        for key, item in value.items():
            assert_storable(key, depth + 1)
            assert_storable(item, depth + 1)
    elif isinstance(value, list | tuple | set):
        for item in value:
            assert_storable(item, depth + 1)
    elif isinstance(value, float):
        json.dumps(value, allow_nan=False)
    elif isinstance(value, int):
        assert abs(value) <= 2**63


NUMBERS = st.integers(-(2**70), 2**70) | st.floats()
ATOMS = st.none() | st.booleans() | NUMBERS | st.text(max_size=150) | st.sampled_from(["\x00", "\ud800", "a\nb", "é"])
OBJECTS = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=50) | st.just("\ud800"), inner),
    max_leaves=60,
)


@given(OBJECTS)
def test_what_is_kept_without_a_copy_equals_its_copy(value):
    copy = texts._storable(value, 0, [texts.MAX_OBJECT])
    assert json.dumps(storable(value)) == json.dumps(copy)


def test_ordinary_transactions_are_kept_without_a_copy():
    assert storable(TRANSACTION) is TRANSACTION


@pytest.mark.parametrize("number", [1, 30, 36, 49, 50, 51, 100, 101])
def test_large_objects_are_cut_at_the_same_place(number):
    wide = {f"key {index}": "x" * 1960 for index in range(number)}
    deep = {f"key {index}": ["é" * 40] * number for index in range(number)}
    for large in (wide, deep):
        assert storable(large) == texts._storable(large, 0, [texts.MAX_OBJECT])


def assert_account(account):
    for name in ("id", "name", "number", "currency", "type", "balance_at", "id_scheme"):
        assert isinstance(account[name], str), name
        assert_readable(account[name])
    assert account["id"]
    balance = parse_balance(account["balance"])
    assert balance is None or abs(balance) < MAX_AMOUNT
    assert_moment(account["balance_at"])


def assert_moment(value):
    moment = parse_moment(value)
    assert moment is None or (moment.tzinfo is None and 1990 <= moment.year <= 2200)


def assert_connection(connection):
    assert connection["id"] == "C1"
    institution, provider = connection["institution"], connection["provider"]
    for text in (connection["state"], connection["reason"], institution["name"], provider["label"]):
        assert_readable(text)
    assert institution["logo"] == "" or institution["logo"].startswith(("https://", "data:image/"))
    assert isinstance(institution["capabilities"]["auto_sync"], bool)
    for name in ("consent_expires_at", "refreshed_at"):
        assert_moment(connection[name])


def assert_page(page):
    assert isinstance(page["transactions"], list)
    assert all(isinstance(one, str) and one for one in page["removed_ids"])
    assert_storable(page["removed_ids"])
    assert page["next_cursor"] is None or 0 < len(page["next_cursor"]) <= 2000
    assert_storable(page["next_cursor"])
    for message in page["transactions"]:
        assert_transaction(message)


def assert_transaction(message):
    assert_storable(storable(message))
    assert_storable(transaction_id(message))
    try:
        transaction = parse_transaction(message)
    except BadTransaction as error:
        assert_readable(str(error.sentence))
        return
    assert isinstance(transaction.amount, Decimal)
    assert abs(transaction.amount) < MAX_AMOUNT
    assert transaction.amount.as_tuple().exponent > -1000, "it can be written out"
    assert str(message["amount"]).strip().isascii()
    assert transaction.booked == (message["status"] == "booked")
    for day in (transaction.booking_date, transaction.value_date):
        assert day is None or 1990 <= day.year <= 2200
    assert not transaction.booked or transaction.booking_date
    for text in (transaction.label, transaction.counterparty_name, transaction.counterparty_number):
        assert_readable(text)
    assert_storable(transaction.raw)


def assert_accounts(accounts):
    ids = [account["id"] for account in accounts]
    assert len(ids) == len(set(ids))
    for account in accounts:
        assert_account(account)


def assert_answer(name, answer):
    if name == "list_accounts":
        assert_accounts(answer)
    elif name == "get_connection":
        assert_connection(answer)
    elif name == "transaction_pages":
        for page in answer:
            assert_page(page)
    elif name == "search_institutions":
        assert answer["next_cursor"] is None or isinstance(answer["next_cursor"], str)
        assert_storable([answer["next_cursor"], read_banks(answer["institutions"])])
        for bank in read_banks(answer["institutions"]):
            assert_readable(bank["name"] + bank["country"] + bank["bic"])
            assert bank["logo"] == "" or bank["logo"].startswith(("https://", "data:image/"))
        assert all(code.isascii() and code.isalpha() for code in read_countries(answer.get("countries")) or [])
    elif name in ("start_connection", "renew_connection"):
        assert isinstance(answer["connection_id"], str)
        assert answer["connection_id"] == "C1" or name == "start_connection"
        assert answer["page_url"].startswith(("https://", "http://", "/"))
        assert not answer["page_url"].startswith("//")
        assert_storable(answer)
    elif name in ("delete_connection", "revoke_firm"):
        assert answer is True
    elif name == "find_firm":
        assert answer
        assert_readable(answer)
    else:
        if name == "refresh_connection":
            assert_accounts(answer.pop("accounts") or ())
        assert_storable(answer)
        for value in answer.values() if isinstance(answer, dict) else ():
            if isinstance(value, str):
                assert_readable(value)


def ask(name, answer):
    """:return: what the client makes of one answer, or the error"""
    recording = Recording()
    client = ProxyClient(EmbeddedTransport(lambda operation, payload: answer)).recorded_by(recording.add)
    try:
        return REQUESTS[name][0](client)
    except ProxyError as error:
        return error
    finally:
        recording.compressed()


@pytest.mark.parametrize("name", REQUESTS)
def test_a_valid_answer_of_each_operation_is_taken(name):
    answer = ask(name, REQUESTS[name][1])
    assert not isinstance(answer, ProxyError), answer
    assert_answer(name, answer)


def test_nothing_that_is_used_is_lost_of_a_valid_answer():
    connection = ask("get_connection", {"connection": CONNECTION})
    assert connection == {
        **CONNECTION,
        "reason": "",
        "provider": {"code": "plaid", "label": "Plaid"},
        "institution": {
            "id": "plaid.1",
            "name": "A Bank",
            "logo": "https://logos.example/a.png",
            "capabilities": {"auto_sync": False, "history_days": 90, "reconfirm_days": 0},
            "health": Health(3, datetime(2026, 5, 3, 9)),
        },
    }
    accounts = ask("list_accounts", {"accounts": [ACCOUNT]})
    assert accounts == [{name: value for name, value in ACCOUNT.items() if name != "number_type"}]
    page = REQUESTS["transaction_pages"][1]
    assert ask("transaction_pages", page) == [page]
    refreshed = ask("refresh_connection", REQUESTS["refresh_connection"][1])
    assert refreshed["notes"] == ["A card is missing."]
    assert refreshed["accounts"] == ask("list_accounts", {"accounts": refreshed["accounts"]})
    assert [account["id"] for account in refreshed["accounts"]] == ["A1", "A2"]
    assert refreshed["health"] == Health(3, datetime(2026, 5, 3, 9))
    assert read_health(ask("refresh_connection", ERROR).health) == refreshed["health"]


def test_every_method_of_the_client_that_sends_requests_is_lied_to():
    requesting = {
        name
        for name, method in vars(ProxyClient).items()
        if not name.startswith("_") and callable(method) and {"_request", "_request_page"} & {*method.__code__.co_names}
    }
    assert requesting == {name.replace("transaction_pages", "iter_transaction_pages") for name in REQUESTS}


@pytest.mark.parametrize("name", REQUESTS)
@given(data=st.data())
def test_a_damaged_answer_is_right_or_an_error_in_a_sentence(name, data):
    answer = ask(name, data.draw(damaged(REQUESTS[name][1])))
    if isinstance(answer, ProxyError):
        assert_readable(answer.message)
        assert answer.message
    else:
        assert_answer(name, answer)


@given(data=st.data())
def test_a_damaged_failure_is_a_failure_in_a_sentence(data):
    failure = data.draw(damaged(ERROR))
    answer = ask("get_status", failure)
    assert isinstance(answer, ProxyError)
    assert answer.message
    for text in (answer.message, answer.code, answer.reference or ""):
        assert_readable(text)
    assert answer.action in ACTIONS
    assert answer.retry_after is None or 0 < answer.retry_after <= 7 * 24 * 3600


@given(JUNK)
def test_anything_at_all_in_place_of_a_transaction_is_parked_or_read(message):
    assert_transaction(message)


@given(damaged(TRANSACTION))
def test_a_damaged_transaction_is_parked_or_read(message):
    assert_transaction(message)


@given(JUNK)
def test_anything_at_all_in_place_of_a_moment_is_a_moment_or_none(value):
    assert_moment(value)


@pytest.mark.parametrize(
    "amount", ["1_000", "١٢", "１２", "1e", " 1 2", "0x10", "+-1", "--1", "1.2.3", "1,5", "1e-999999999"]
)
def test_digits_that_only_python_takes_for_a_number_are_no_amount(amount):
    with pytest.raises(BadTransaction, match="amount"):
        parse_transaction({**TRANSACTION, "amount": amount})
    assert parse_balance(amount) is None


# -------------------------------------------------------------------------
# ANSWERS TO ANOTHER REQUEST
# -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["get_connection", "renew_connection"])
def test_the_answer_for_another_connection_is_refused(name):
    answer = json.loads(json.dumps(REQUESTS[name][1]).replace('"C1"', '"C2"'))
    assert ask(name, answer).code == "unexpected_answer"


def test_a_consent_that_was_not_given_back_is_not_taken_for_one():
    for deleted in (False, None, "true", 1, []):
        assert ask("delete_connection", {"deleted": deleted}).code == "unexpected_answer"


def test_accounts_that_share_an_id_and_contradict_each_other_are_left_out():
    other = {**ACCOUNT, "currency": "USD"}
    good = {**ACCOUNT, "id": "A2"}
    assert [account["id"] for account in ask("list_accounts", {"accounts": [ACCOUNT, other, good]})] == ["A2"]
    assert [account["id"] for account in ask("list_accounts", {"accounts": [ACCOUNT, ACCOUNT]})] == ["A1"]


# -------------------------------------------------------------------------
# NEVER AN END
# -------------------------------------------------------------------------


def endless(page):
    """:return: the error in which a list ends whose pages always have a next one, and how many were requested"""
    requests = []

    def dispatch(operation, payload):
        requests.append(payload)
        return {**page, "has_more": True, "next_cursor": f"p{len(requests)}"}

    client = ProxyClient(EmbeddedTransport(dispatch))
    with pytest.raises(ProxyError, match="does not end") as caught:
        for _page in client.iter_transaction_pages("C1", "A1"):
            pass
    return caught.value, len(requests)


def test_two_balances_of_one_account_are_none():
    one = {"id": "A1", "currency": "EUR", "number": "BE68539007547034", "balance": "1.00", "name": "Current"}
    (account,) = read_accounts([one, {**one, "balance": "2.00", "name": "Other name"}])
    assert (account["id"], account["name"], account["balance"]) == ("A1", "Current", None)
    (account,) = read_accounts([one, dict(one)])
    assert account["balance"] == "1.00"


def test_a_currency_in_small_letters_is_the_same_currency():
    (account,) = read_accounts([{"id": "A1", "currency": "eur"}, {"id": "A1", "currency": "EUR"}])
    assert account["currency"] == "EUR"


def test_ever_new_cursors_end_in_an_error():
    error, requests = endless({"transactions": []})
    assert (error.code, requests) == ("unexpected_answer", MAX_PAGES + 1)


def test_more_transactions_than_any_account_has_end_in_an_error():
    _error, requests = endless({"transactions": [{}] * 10_000})
    assert requests < 100


def test_a_page_with_more_transactions_than_any_account_has_is_refused():
    answer = {"transactions": [None] * (MAX_TRANSACTIONS + 1)}
    assert ask("transaction_pages", answer).code == "unexpected_answer"


def test_more_accounts_than_a_bank_gives_one_customer_are_refused():
    accounts = [{**ACCOUNT, "id": f"A{number}"} for number in range(1001)]
    assert ask("list_accounts", {"accounts": accounts}).code == "unexpected_answer"
    assert ask("refresh_connection", {"state": "done", "accounts": accounts}).code == "unexpected_answer"


def test_what_is_kept_of_a_transaction_of_megabytes_is_small():
    wide = {f"k{number}": ["x" * 2000] * 100 for number in range(100)}
    assert len(json.dumps(storable({**TRANSACTION, "raw": {f"r{number}": wide for number in range(5)}}))) < 200_000
