"""The answers that a run keeps for an administrator."""

import gzip
import json

from account_online_synchronization.client.recording import MASK, Recording


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
