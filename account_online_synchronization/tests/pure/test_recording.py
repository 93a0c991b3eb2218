"""The answers that a run keeps for an administrator."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_online_synchronization.client.recording import MASK, SECRETS, Recording


def kept(answer):
    recording = Recording()
    recording.add("accounts.list", {}, answer)
    return json.loads(gzip.decompress(recording.compressed()))["answer"]


def test_a_secret_key_keeps_no_value():
    assert kept({"a": [{"access_token": "s3cret", "page_url": "/x", "name": "n"}]}) == {
        "a": [{"access_token": MASK, "page_url": MASK, "name": "n"}]
    }


def test_an_overlong_key_is_truncated_and_its_value_masked():
    assert kept({"x" * 10_000: "s3cret"}) == {"x" * 200: MASK}


def test_a_secret_of_an_object_with_many_keys_is_masked():
    assert kept({f"key {number}": number for number in range(60)} | {"otp": "123456"})["otp"] == MASK


@pytest.mark.parametrize("value", ["\ud83d", 2**70, -(2**70), 1.5e300, "é€😀", 2**53 + 1])
def test_a_value_that_the_fast_encoder_refuses_is_kept(value):
    assert kept([value]) == ["?" if value == "\ud83d" else value]


def test_an_endless_answer_is_cut_and_further_ones_are_counted(monkeypatch):
    monkeypatch.setattr("account_online_synchronization.client.recording.MAX_SIZE", 100)
    recording = Recording()
    for _time in range(3):
        recording.add("accounts.list", {}, {"accounts": "é" * 100})
    first, end = gzip.decompress(recording.compressed()).decode().splitlines()
    assert 98 < len(first.encode()) <= 100
    assert end == "… and 2 more answers"


KEYS = st.sampled_from(["id", "name", "raw", "Pin", "PAGE_URL", "x" * 201]) | st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


def masked(value):
    """:return: what :meth:`Recording.add` has to keep, computed in a simple way"""
    if isinstance(value, dict):
        return {
            key[:200]: MASK if item and (len(key) > 200 or SECRETS.search(key)) else masked(item)
            for key, item in value.items()
        }
    return [*map(masked, value)] if isinstance(value, list) else value


@given(JSON)
def test_everything_but_secrets_is_kept_exactly(answer):
    assert repr(kept(answer)) == repr(json.loads(json.dumps(masked(answer))))
