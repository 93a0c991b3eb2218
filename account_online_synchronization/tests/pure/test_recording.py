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


def test_a_key_that_nobody_would_read_is_cut_and_hides_its_value():
    assert kept({"x" * 10_000: "s3cret"}) == {"x" * 200: MASK}
