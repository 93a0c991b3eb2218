"""Mutual TLS in the one way to the network, against a real server that wants a client's certificate."""

import os
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bank_sync_proxy.providers import auth
from bank_sync_proxy.providers.auth import ClientCertificate, check_certificate
from bank_sync_proxy.providers.errors import ConfigurationError, ProtocolError, TransientError
from bank_sync_proxy.providers.http import Http
from bank_sync_proxy.providers.types import Setting
from bank_sync_proxy.providers.web import WebProvider
from bank_sync_proxy.tests.pure.enable_banking_server import pem
from bank_sync_proxy.tests.pure.tls_server import DAY, client, issue, key_of, serve, tunnel

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def bank(tmp_path, monkeypatch):
    """:return: (address, names of the clients that were let in); its authority is trusted"""
    with serve(tmp_path) as (url, authority, seen):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
        yield url, seen


def http(url, certificate=None, **options):
    def parse_error(answer):
        return ProtocolError("unexpected_answer", str(answer.status))

    found = Http("acme", url, parse_error=parse_error, now=lambda: NOW, certificate=certificate, **options)
    found.sleep, found.timeout = lambda seconds: None, (5, 5)
    return found


def refusal(url, certificate):
    with pytest.raises(ConfigurationError) as caught:
        http(url, certificate).get("accounts")
    assert caught.value.code == "provider_not_configured"
    return caught.value.detail


# -------------------------------------------------------------------------
# THE CONNECTION
# -------------------------------------------------------------------------


def test_a_request_shows_the_certificate(bank):
    url, seen = bank
    assert http(url, client()).get("accounts") == {"name": "client"}
    assert seen == ["client"]


def test_a_server_that_wants_a_certificate_and_gets_none_is_the_administrator_s_business(bank):
    url, seen = bank
    assert "does not accept the client certificate: none was shown" in refusal(url, None)
    assert not seen


def test_certificate_of_an_unknown_authority_is_distinguished_from_an_outage(bank):
    url, seen = bank
    key_of("another authority")
    assert "authority that the provider does not know" in refusal(url, client("stranger", "another authority"))
    assert not seen


def test_refused_expired_certificate_is_distinguished_from_an_outage(bank):
    url, seen = bank
    assert "it has expired" in refusal(url, client(begin=-2 * DAY, end=-DAY))
    assert not seen


def test_server_with_an_untrusted_certificate_gets_no_client_certificate(tmp_path, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with serve(tmp_path) as (url, _authority, seen):
        with pytest.raises(TransientError):
            http(url, client()).get("accounts")
        assert not seen


def test_a_server_of_another_name_is_shown_no_certificate(tmp_path, monkeypatch):
    with serve(tmp_path, host="elsewhere.example") as (url, authority, seen):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
        with pytest.raises(TransientError):
            http(url, client()).get("accounts")
        assert not seen


def test_a_certificate_opens_no_way_into_our_own_network(bank):
    url, seen = bank
    with pytest.raises(TransientError) as caught:
        http(url, client(), only_public=True).get("accounts")
    assert "not public" in caught.value.detail
    assert not seen


def test_a_certificate_goes_through_the_network_s_own_proxy(bank, monkeypatch):
    url, seen = bank
    with tunnel() as (proxy, asked):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert http(url, client()).get("accounts") == {"name": "client"}
    assert seen == ["client"] and asked == [urlsplit(url).netloc]


# -------------------------------------------------------------------------
# BEFORE ANYTHING IS ASKED
# -------------------------------------------------------------------------


class Acme(WebProvider):
    code = "acme"
    production_url = sandbox_url = "https://api.acme.example"
    settings_needed = (Setting("certificate", "", type="certificate"), Setting("key", "", type="tls_key"))

    def client_certificate(self):
        return self.settings["certificate"], self.settings["key"]


@pytest.mark.parametrize(
    "begin, end, key, sentence",
    [
        (-9 * DAY, -DAY, "client", "the client certificate expired on 2026-11-19: enter a new one"),
        (DAY, 9 * DAY, "client", "the client certificate is valid only from 2026-11-21 on"),
        (-DAY, DAY, "another", "the private key does not belong to the client certificate"),
    ],
)
def test_a_certificate_that_can_t_work_is_named_before_anybody_is_asked(begin, end, key, sentence):
    certificate, _key = client(begin=begin, end=end, moment=NOW)
    adapter = Acme({"certificate": certificate, "key": pem(key_of(key))}, clock=lambda: NOW)
    with pytest.raises(ConfigurationError) as caught:
        adapter.connect()
    assert caught.value.detail == sentence


def test_no_part_of_a_damaged_key_is_in_the_error():
    certificate, key = client(moment=NOW)
    adapter = Acme({"certificate": certificate, "key": key[:300]}, clock=lambda: NOW)
    with pytest.raises(ConfigurationError) as caught:
        adapter.connect()
    assert "no PEM text" in caught.value.detail and key[40:60] not in caught.value.detail


def test_a_key_on_an_elliptic_curve_serves_too():
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue("client", "authority", key=key, moment=NOW)
    check_certificate(certificate, pem(key), NOW)
    ClientCertificate(certificate, pem(key))


# -------------------------------------------------------------------------
# THE KEY
# -------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory")
def test_the_private_key_is_written_to_no_disk(monkeypatch):
    monkeypatch.setattr("tempfile.mkstemp", lambda **options: pytest.fail("a file on a disk"))
    ClientCertificate(*client())


def test_system_without_memory_files_uses_a_private_file_and_removes_it(monkeypatch, tmp_path):
    monkeypatch.setattr(auth, "_memory_file", lambda: (None, None))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with auth._file_of(b"secret") as path:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    ClientCertificate(*client())
    with pytest.raises(ValueError):
        ClientCertificate("nothing", "nothing")
    assert not list(tmp_path.iterdir())


def test_a_file_in_memory_is_gone_after_it_was_read():
    with auth._file_of(b"secret") as path:
        assert os.path.exists(path)
    assert not os.path.exists(path) or b"secret" not in Path(path).read_bytes()


def test_moments_of_a_certificate_are_aware():
    loaded = auth.load_certificate(client(moment=NOW)[0])
    assert auth._certificate_moment(loaded, "not_valid_after") == NOW + timedelta(days=1)
