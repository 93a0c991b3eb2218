"""The funnel itself; what all adapters must make of failures is in test_contract."""

import json
import logging
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
import requests

from bank_sync_proxy.providers.auth import Bearer, Headers, Token
from bank_sync_proxy.providers.errors import ConfigurationError, ProtocolError, RateLimited, TransientError
from bank_sync_proxy.providers.http import MAX_RETRY_AFTER, TOTAL_SECONDS, Answer, Http, leads_outside
from bank_sync_proxy.providers.reading import amount
from bank_sync_proxy.tests.pure.scripted import ScriptedServer

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


class Clock:
    """A clock that only advances with sleep()."""

    def __init__(self):
        self.seconds = 0.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def server():
    server = ScriptedServer(lambda: NOW)
    yield server
    server.close()
    server.check_all()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def http(server, clock):
    http = Http("test", server.base_url, parse_error=lambda answer: RateLimited(detail=answer.excerpt), now=lambda: NOW)
    http.sleep, http.monotonic = clock.sleep, lambda: clock.seconds
    return http


def test_numbers_with_a_fraction_keep_what_was_written(server, http):
    server.expect([{"ask": "GET /x", "text": '{"amount": 0.10, "yen": 1500, "dinar": 1.005}'}])
    answer = http.get("x")
    assert {key: amount(value) for key, value in answer.items()} == {
        "amount": Decimal("0.10"),
        "yen": 1500,
        "dinar": Decimal("1.005"),
    }
    assert str(amount(answer["amount"])) == "0.10"
    assert json.dumps(answer) == '{"amount": 0.1, "yen": 1500, "dinar": 1.005}'


def test_parameters_that_are_none_are_left_out(server, http):
    server.expect([{"ask": "GET /x?a=1", "answer": {}}])
    http.get("x", a=1, b=None)


def test_what_is_not_idempotent_is_sent_once(server, http, clock):
    server.expect([{"ask": "POST /pay", "status": 503, "answer": {}}])
    with pytest.raises(RateLimited):
        http.post("pay", {})
    assert not clock.slept


def test_a_request_by_post_that_only_reads_is_sent_again(server, http, clock):
    busy = {"ask": "POST /read", "with": {"a": 1}, "status": 502, "answer": {}}
    server.expect([busy, busy, {**busy, "status": 200, "answer": {"ok": 1}}])
    assert http.post("read", {"a": 1}, idempotent=True) == {"ok": 1}
    assert clock.slept == [0.5, 1.0]


def test_no_more_than_three_attempts(server, http, clock):
    server.expect([{"ask": "GET /x", "status": 504, "answer": {}}] * 3)
    with pytest.raises(RateLimited):
        http.get("x")
    assert len(clock.slept) == 2


def test_a_gateway_says_when_to_come_back(server, http, clock):
    server.expect(
        [
            {"ask": "GET /x", "status": 503, "headers": {"Retry-After": "7"}, "answer": {}},
            {"ask": "GET /x", "answer": 1},
        ]
    )
    assert http.get("x") == 1
    assert clock.slept == [7]


def test_nobody_waits_longer_than_the_total_time(server, http, clock):
    far = {"Retry-After": str(TOTAL_SECONDS)}
    server.expect([{"ask": "GET /x", "status": 503, "headers": far, "answer": {}}])
    with pytest.raises(RateLimited):
        http.get("x")
    assert not clock.slept


def test_nobody_there(server, http, clock):
    http.base_url = "http://127.0.0.1:9/"
    with pytest.raises(TransientError) as caught:
        http.get("x", secret="s3cret")
    assert len(clock.slept) == 2 and "s3cret" not in str(caught.value)


@pytest.mark.parametrize("location", ["{base}/y", "https://evil.example/", "//evil.example/"])
def test_redirects_are_not_followed(server, http, location):
    server.expect([{"ask": "GET /x", "status": 301, "headers": {"Location": location}, "answer": {}}])
    with pytest.raises(ProtocolError, match="redirect"):
        http.get("x")


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "//evil.example/x", "http://127.0.0.1:1/x", "ftp://127.0.0.1/"]
)
def test_links_of_answers_do_not_lead_to_other_hosts(http, url):
    with pytest.raises(ProtocolError, match="another host"):
        http.get(url)


def test_a_refused_token_is_renewed_once(server, http):
    tokens = iter("ab")
    http.auth = Bearer(lambda _old: Token(next(tokens)), lambda: NOW)
    server.check = lambda request: used.append(request.headers["Authorization"])
    used = []
    server.expect([{"ask": "POST /x", "status": 401, "answer": {}}] * 2)
    with pytest.raises(RateLimited):
        http.post("x", {})
    assert used == ["Bearer a", "Bearer b"]


def test_no_netrc_is_read(server, http, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.check = lambda request: seen.append(request.headers["Authorization"])
    seen = []
    server.expect([{"ask": "GET /x", "answer": {}}])
    http.get("x")
    assert seen == [None]


def test_logs_show_neither_query_nor_secret_paths_nor_credentials(server, http, caplog):
    caplog.set_level(logging.DEBUG, "bank_sync_proxy.providers.http")
    http.auth = Headers({"Authorization": "s3cret"})
    server.expect([{"ask": "GET /x?iban=BE1", "answer": {}}, {"ask": "POST /claim/s3cret", "answer": {}}])
    http.get("x", iban="BE1")
    http.ask("POST", "claim/s3cret", name="/claim/…")
    ours = [record.getMessage() for record in caplog.records if record.name.endswith("providers.http")]
    assert len(ours) == 2 and not any("s3cret" in line or "BE1" in line for line in ours)


def test_log_of_the_library_shows_no_address_that_we_ask(server, http, caplog):
    caplog.set_level(logging.DEBUG)
    server.expect([{"ask": "POST /claim/s3cret", "answer": {}}, {"ask": "GET /x?iban=BE1", "answer": {}}])
    http.ask("POST", "claim/s3cret", name="/claim/…")
    http.get("x", iban="BE1")
    assert not [line for line in caplog.messages if "s3cret" in line or "BE1" in line]
    server.expect([{"ask": "GET /other", "answer": {}}])
    requests.get(f"{server.base_url}/other", timeout=5)
    assert [line for line in caplog.messages if "/other" in line], "what others ask is logged as before"


def test_tls_is_verified_whatever_the_session_says():
    session = requests.Session()
    session.verify = False
    seen = []
    session.mount("https://", Recorder(seen))
    http = Http("test", "https://bank.example", parse_error=None, now=lambda: NOW, session=session)
    http.sleep = lambda seconds: None
    with pytest.raises(TransientError):
        http.get("x")
    # True, or the file of the authorities that the environment names.
    assert seen and all(seen)


@pytest.mark.parametrize("url", ["http://bank.example", "ftp://127.0.0.1.example", "http://127.0.0.1@evil.example"])
def test_nothing_leaves_this_machine_without_tls(url):
    with pytest.raises(ConfigurationError):
        Http("test", url, parse_error=None, now=None)


class Recorder(requests.adapters.BaseAdapter):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def send(self, request, verify=None, **kwargs):
        self.seen.append(verify)
        raise requests.ConnectionError()

    def close(self):
        pass


@pytest.mark.parametrize(
    "header, seconds",
    [
        ("120", 120),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("99999999999", MAX_RETRY_AFTER),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after(header, seconds):
    answer = Answer(429, requests.structures.CaseInsensitiveDict({"retry-after": header}))
    assert answer.retry_after(NOW) == seconds
    assert Answer(429, {}).retry_after(NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest",
        "https://0x7f000001/",
        "https://[::ffff:127.0.0.1]/",
        "http://93.184.216.34/",
        "https://",
        "https://user@/",
        "file:///etc/passwd",
        "https://host:port/",
    ],
)
def test_an_address_that_is_not_public(url):
    assert not leads_outside(url)


def test_a_public_address():
    assert leads_outside("https://93.184.216.34/x") and leads_outside("https://[2606:4700::1111]:8443/")


@pytest.mark.parametrize("text", ['{"a": nul', '{"a": "b', '{"a": -', '{"a": 1,', "{", '{"a": [1, 2'])
def test_json_that_was_cut_off(server, http, text):
    server.expect([{"ask": "GET /x", "text": text}] * 3)
    with pytest.raises(TransientError, match="cut off"):
        http.get("x")
