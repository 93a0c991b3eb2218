import re
from pathlib import Path

import pytest

from bank_sync_proxy.providers import errors
from bank_sync_proxy.providers.errors import (
    CODES,
    ConsentError,
    ProtocolError,
    ProviderError,
    RateLimited,
    TransientError,
)
from bank_sync_proxy.providers.masking import MASK, mask

ADDON = Path(__file__).parents[2]
PROTOCOL = ADDON.parent / "docs" / "protocol.md"
ACTIONS = {
    "leave_out",
    "check_permission",
    "retry",
    "renew",
    "reconnect",
    "answer_challenge",
    "disable_auto_sync",
    "contact_support",
    "reactivate",
}


@pytest.mark.skipif(not PROTOCOL.exists(), reason="docs/protocol.md is not shipped beside this addon")
def test_the_table_is_the_one_of_the_protocol():
    failures = PROTOCOL.read_text().partition("## Failures")[2]
    documented = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", failures, re.MULTILINE))
    assert documented == {code.code: code.action for code in CODES.values()}


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_a_code_has_a_known_action_an_error_class_and_a_sentence(code):
    assert code.action in ACTIONS
    assert issubclass(getattr(errors, code.family), ProviderError)
    assert len(re.findall(r"[.:]( |$)", code.sentence)) >= 2, "what happened, what it means, what to do"


def test_an_error_carries_what_support_needs():
    error = TransientError(
        "provider_unavailable", "no answer", provider="plaid", status=503, provider_code="DOWN", request_id="r-1"
    )
    assert str(error) == "provider_unavailable (plaid, HTTP 503, DOWN, request r-1): no answer"
    assert str(ConsentError("consent_expired")) == "consent_expired"


def test_an_error_travels_as_the_protocol_says():
    assert RateLimited(retry_after=60).to_protocol("E-1") == {
        "code": "rate_limited",
        "message": CODES["rate_limited"].sentence,
        "reference": "E-1",
        "retry_after": 60,
        "action": "retry",
    }


def test_a_code_belongs_to_one_class():
    with pytest.raises(ValueError, match="is a ConsentError"):
        TransientError("consent_expired")
    with pytest.raises(KeyError):
        ProtocolError("made_up")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret",
        "Authorization: Basic s3cret==",
        '{"access_token": "s3cret", "ok": 1}',
        "{'password': 's3cret'}",
        "https://bank.example/?client_secret=s3cret&x=1",
        "token eyJhbGciOi.eyJzdWIiOi.s3cret",
        "https://user:s3cret@bridge.example/simplefin",
    ],
)
def test_an_error_prints_no_secret(text):
    assert "s3cret" not in str(ProtocolError("unexpected_answer", text))


def test_masking_keeps_text_that_is_not_secret():
    masked = mask(
        {
            "account": "BE1",
            "password": "x",
            "list": [{"apiKey": "y", "amount": 3}],
            "code": "123",
            "phone": "+32470123456",
            "none": None,
        }
    )
    assert masked == {
        "account": "BE1",
        "password": MASK,
        "list": [{"apiKey": MASK, "amount": 3}],
        "code": MASK,
        "phone": MASK,
        "none": None,
    }


def test_error_with_untrusted_text_is_one_line_in_the_log():
    forged = "x\n2026-01-01 00:00:00,000 1 CRITICAL forged\r\u2028\x1b[31m\u202e"
    for error in (
        ProtocolError("unexpected_answer", forged),
        ConsentError("consent_revoked", "", provider="p", provider_code=forged, request_id=forged),
    ):
        assert str(error).isprintable()
        assert "CRITICAL forged" in str(error)
