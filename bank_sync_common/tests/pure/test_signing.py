from pathlib import Path

import pytest

from odoo.addons.bank_sync_common.tools import signing

ROOT = Path(__file__).parents[3]
ADDONS = ("account_online_synchronization", "bank_sync_proxy_server")

NOW = 1_790_000_000.5
CLIENT, DATABASE = "c" * 32, "d" * 64
PATH, BODY = "/bank_sync/1/accounts.list", b'{"connection_id": "x"}'


def signed(**changed):
    return signing.read_headers({**signing.new_headers("secret", CLIENT, DATABASE, NOW, "POST", PATH, BODY), **changed})


def test_what_was_signed_is_recognised_by_the_secret_that_signed_it():
    assert signing.is_genuine(signed(), ["other", "secret"], "POST", PATH, BODY) == "secret"


@pytest.mark.parametrize(
    "header, value",
    [
        (signing.CLIENT, "e" * 32),
        (signing.DATABASE, "e" * 64),
        (signing.TIMESTAMP, "1790000001"),
        (signing.NONCE, "n" * 24),
        (signing.SIGNATURE, "0" * 64),
    ],
)
def test_no_header_can_be_changed(header, value):
    assert signing.is_genuine(signed(**{header: value}), ["secret"], "POST", PATH, BODY) is None


@pytest.mark.parametrize(
    "method, path, body",
    [("GET", PATH, BODY), ("POST", PATH + "2", BODY), ("POST", PATH, BODY + b" "), ("POST", PATH, b"")],
)
def test_neither_method_nor_path_nor_body_can_be_changed(method, path, body):
    assert signing.is_genuine(signed(), ["secret"], method, path, body) is None


def test_without_a_secret_nothing_is_genuine():
    assert signing.is_genuine(signed(), [], "POST", PATH, BODY) is None


@pytest.mark.parametrize("seconds, fresh", [(0, True), (299, True), (-299, True), (302, False), (-302, False)])
def test_clocks_may_differ_by_five_minutes(seconds, fresh):
    assert signing.is_fresh(signed(), NOW + seconds) is fresh


@pytest.mark.parametrize(
    "header, value",
    [
        (signing.CLIENT, ""),
        (signing.CLIENT, "C" * 32),
        (signing.CLIENT, "c" * 32 + "\n"),
        (signing.TIMESTAMP, "-1"),
        (signing.TIMESTAMP, "1e9"),
        (signing.TIMESTAMP, "٣"),
        (signing.NONCE, "short"),
        (signing.SIGNATURE, "é" * 64),
    ],
)
def test_a_header_of_another_shape_is_refused_before_anything_is_computed(header, value):
    with pytest.raises(signing.Malformed, match=header):
        signed(**{header: value})


def test_each_request_has_a_new_nonce():
    assert signed().nonce != signed().nonce


@pytest.mark.parametrize(
    "changed", [("another", "n" * 24, b"{}"), ("secret", "m" * 24, b"{}"), ("secret", "n" * 24, b"")]
)
def test_a_proof_is_of_one_secret_one_event_and_one_body(changed):
    assert signing.prove(*changed) != signing.prove("secret", "n" * 24, b"{}")


def test_proof_and_signature_do_not_replace_each_other():
    headers = signing.new_headers("secret", "c" * 32, "d" * 64, 0, "POST", "/x", b"{}")
    assert signing.prove("secret", headers[signing.NONCE], b"{}") != headers[signing.SIGNATURE]


def test_database_and_proxy_sign_with_the_same_file_because_either_is_installed_without_the_other():
    first, second = (ROOT / addon / "tools" / "signing.py" for addon in ADDONS)
    if not first.exists():
        pytest.skip("the other addon is not beside this one")
    assert first.read_bytes() == second.read_bytes()
