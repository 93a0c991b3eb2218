"""What a log or an error record must never contain, and what it must keep for support."""

import json
import time
from functools import reduce

import pytest

from bank_sync_proxy.providers.masking import MASK, MAX_DEPTH, MAX_LENGTH, MAX_TOTAL, mask

S = "s3cretV4lue"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{S}\n{S}==\n-----END RSA PRIVATE KEY-----"

TEXTS = {
    "bearer": f"Authorization: Bearer {S}",
    "basic": f"authorization: Basic {S}==",
    "another scheme": f'Authorization: Signature keyId="x",signature="{S}"',
    "bearer alone": f"sent Bearer {S} to the bank",
    "cookie": f"GET / HTTP/1.1\r\nCookie: a={S}; session={S}\r\nAccept: */*",
    "set-cookie": f"Set-Cookie: id={S}; Path=/; HttpOnly",
    "header of a key": f"X-Api-Key: {S}",
    "headers of a dict": str({"Cookie": f"a={S}", "X-API-KEY": S, "Authorization": f"DPoP {S}"}),
    "user and password in an address": f"https://user:{S}@bank.example/accounts",
    "token as the user of an address": f"connection to https://{S}@bank.example failed",
    "a password with an at sign in an address": f"postgresql://user:{S}@{S}@host/db",
    "code of OAuth": f"GET /callback?code={S}&state={S}&iss=bank",
    "code in a fragment": f"https://odoo.example/back#code={S}&id_token={S}",
    "form": f"grant_type=authorization_code&code={S}&client_secret={S}",
    "form that begins with it": f"code={S}&x=1",
    "address within an address": f"https://a.example/?next=https%3A%2F%2Fb.example%2F%3Fcode%3D{S}%26state%3D{S}",
    "hosted page": f"303 to /bank_sync/connect/{S}",
    "json": json.dumps({"access_token": S, "nested": {"password": f'a"{S}', "otp": S}}),
    "json within json": json.dumps({"body": json.dumps({"refresh_token": S, "client_secret": S})}),
    "quote within json within json": json.dumps({"body": json.dumps({"password": f'a"{S}', "x": 1})}),
    "json within json, three times": json.dumps(json.dumps(json.dumps({"password": f"{S}"}))),
    "json within json, nine times": reduce(lambda v, _n: json.dumps(v), range(9), {"pin": f'"{S}'}),
    "json of Python": str({"password": S, "pin": S, "ok": 1}),
    "bytes": str(f'{{"password": "{S}"}}'.encode()),
    "arguments": f"login(user_name='x', password='{S} {S}', api_key=\"{S}\")",
    "a password with spaces and quotes": f"""call(password='it\\'s {S}')""",
    "number": '{"otp": 9876543, "pin": 9876543}',
    "json web token": "token eyJhbGciOiJub25lIn0.eyJzM2NyZXRWNGx1ZSI6MX0.s3cretV4lue",
    "encrypted json web token": "got eyJhbGciOiJ.aa-b.cc_d.s3cretV4lue.tag back",
    "our own encryption": "gAAAAABs3cretV4lue_s3cretV4lue-s3cretV4lue==",
    "plaid": f"access-production-{S}-0000",
    "stripe": f"sk_live_{S}",
    "private key": f"loading {PEM} failed",
    "private key with escaped lines": json.dumps({"k": PEM}),
    "private key that was cut off": PEM[:60] + S,
    "elliptic key": PEM.replace("RSA ", "EC "),
    "phone number": "Code sent to +32 470 98 76 54.",
    "phone number without spaces": "to +32470987654",
    "phone number with brackets": "to +49 (0)170 / 9876543",
    "phone number with dots": "to +33.1.98.76.54.32",
    "phone number with 00": "to 0032470987654",
    "national phone number under its name": '{"phone": "0470 98 76 54", "mobileNumber": "0470987654"}',
}
LEAKS = (S, "9876543", "98 76 54", "98.76.54", "987654")

STAYS = (
    "BE68 5390 0754 7034 at KREDBEBB",
    "IBAN DE89370400440532013000, amount +1234567.89 EUR, balance -0.05",
    "2026-05-20T10:00:00+0200 and 2026-05-20T10:00:00+02:00",
    "HTTP 503, request 0a1b2c3d-0000-4000-8000-123456789abc",
    "https://bank.example/accounts/1234?since=2026-05-20&limit=100",
    "mail to accountant@example.com",
    "the mapping of opinions was shipped",
    "account_id=BE68539007547034&currency=EUR",
    '{"token": null, "secret": false}',
)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_nothing_secret_passes(text):
    masked = mask(text)
    assert MASK in masked
    assert not [leak for leak in LEAKS if leak in masked], masked


@pytest.mark.parametrize("text", STAYS)
def test_what_support_needs_stays(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "userPassword",
        "x-api-key",
        "apiKey",
        "private_key",
        "otp",
        "pin",
        "user-pin",
        "code",
        "sms_code",
        "phone",
        "Set-Cookie",
        "client_assertion",
        "credentials",
        "session_id",
        "username",
        "return_url",
        "code_verifier",
    ],
)
def test_a_secret_is_known_by_its_key(key):
    assert mask({"list": [{key: S}]}) == {"list": [{key: MASK}]}
    assert mask({key: {"a": [S]}}) == {key: MASK}
    assert mask({key: None}) == {key: None}


@pytest.mark.parametrize("key", ["account_id", "mapping", "shipping", "name", "postal_code", "currency_code", "reason"])
def test_value_that_is_not_a_secret_is_recognized_by_its_key(key):
    assert mask({key: "plain"}) == {key: "plain"}


def test_a_state_of_the_protocol_stays_and_that_of_oauth_goes():
    assert mask({"state": "connected"}) == {"state": "connected"}
    assert mask({"state": "aGVsbG8tMTIz"}) == {"state": MASK}


def test_a_key_may_be_a_secret_itself():
    assert S not in str(mask({f"Bearer {S}": 1}))


def test_hostile_nesting_is_cut_off():
    deep = leaf = []
    for _level in range(900):
        leaf.append([])
        leaf = leaf[0]
    assert str(mask(deep)).count("[") == MAX_DEPTH + 1


@pytest.mark.parametrize(
    "piece",
    [
        "pass",
        "a-",
        "pass=",
        "'pass':'",
        "\\",
        "+1 ",
        "://a",
        "eyJa.",
        "eyJ-",
        "-----BEGIN PRIVATE KEY-----",
        'pin\\":\\"',
    ],
)
@pytest.mark.parametrize("begin", ["", 'pass\\":\\"'])
def test_masking_a_hostile_text_takes_no_time(begin, piece):
    """62 KB, which a request may have, took up to 26 seconds."""
    text = begin + piece * (MAX_LENGTH // len(piece))
    started = time.process_time()
    mask(text)
    assert time.process_time() - started < 2


def test_texts_of_one_value_are_bounded_together():
    started = time.process_time()
    masked = mask({f"text {number}": "pass" * 25_000 for number in range(100)})
    assert time.process_time() - started < 5
    assert sum(map(len, masked.values())) < MAX_TOTAL


def test_overlong_key_hides_its_value():
    assert mask({"x" * 1_000: S}) == {"x" * 1_000: MASK}


def test_a_secret_is_masked_up_to_the_cut():
    assert S not in mask("x" * (MAX_LENGTH - 20) + f' {{"password": "{S * 9}"}}')
