"""What an answer may cost, in memory and in time, whatever the other side sends."""

import gzip
import json
import threading
import tracemalloc
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from requests.adapters import HTTPAdapter

from odoo.addons.bank_sync_common.tools.bounded_http import (
    MAX_DEPTH,
    MAX_VALUES,
    BoundedAdapter,
    TooDeep,
    TooLarge,
    TooMany,
    bound,
    parse_json,
    read_body,
)

from bank_sync_proxy.providers.auth import ClientCertificate
from bank_sync_proxy.providers.errors import ProtocolError
from bank_sync_proxy.providers.http import Http
from bank_sync_proxy.providers.reading import Number, amount

MB = 1024 * 1024


@contextmanager
def serving(content, **headers):
    """:return: address of a server that always answers the same bytes"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def http_of(address):
    http = Http("test", address, parse_error=None, now=lambda: datetime.now(timezone.utc))
    http.sleep = lambda _seconds: None
    return http


def peak_of(function):
    """:return: most MB that the function has held at once, beside what there was"""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()


# -------------------------------------------------------------------------
# VALUES
# -------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [b"{}", b"[]", b'{"a":1}', b"1", b'""', b"[[[]]]"])
def test_values_beyond_the_limit_are_refused_before_they_are_made(piece):
    """30 MB of {} became 955 MB."""
    text = b"[" + b",".join([piece] * (30 * MB // 3 if piece == b"{}" else MAX_VALUES + 1)) + b"]"

    def parse():
        with pytest.raises(TooMany):
            parse_json(text)

    assert peak_of(parse) < 1


@pytest.mark.parametrize("transactions, values, text", [(500, 300, "a, b [c], {d}"), (5_000, 150, "a b")])
def test_page_of_many_transactions_is_read(transactions, values, text):
    page = [{f"key {key}": text for key in range(values)} for _one in range(transactions)]
    assert len(parse_json(json.dumps(page).encode())) == transactions


def test_nesting_within_the_limit_is_read_and_beyond_it_refused():
    def nested(depth):
        return b"[" * depth + b"]" * depth

    assert parse_json(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 2, 900, 100_000, MAX_VALUES):
        with pytest.raises(TooDeep):
            parse_json(nested(depth))
    with pytest.raises(TooDeep):
        parse_json(b'{"a":' * 60 + b"1" + b"}" * 60)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e999999999", "9" * 5_000])
def test_number_that_is_none_is_refused(number):
    with pytest.raises(ValueError):
        parse_json(f'{{"amount": {number}}}'.encode(), parse_float=Number)


@pytest.mark.parametrize("number", ["1e-99999", "1e-999999999", "1E-9999", "0." + "0" * 5_000 + "1"])
def test_amount_that_is_almost_nothing_does_not_grow_when_it_is_written_out(number):
    value = parse_json(f"[{number}]".encode(), parse_float=Number)[0]
    assert len(format(amount(value), "f")) < 20


def test_json_of_a_provider_is_read_within_the_limits():
    with serving(b"[" + b"{}," * MAX_VALUES + b"{}]") as address, pytest.raises(ProtocolError, match="more than"):
        http_of(address).get("x")
    with serving(b"[" * 100 + b"]" * 100) as address, pytest.raises(ProtocolError, match="nested"):
        http_of(address).get("x")


# -------------------------------------------------------------------------
# BYTES
# -------------------------------------------------------------------------


def bomb(megabytes):
    return gzip.compress(b"[" + b" " * (megabytes * MB) + b"]")


def test_zipped_answer_is_unpacked_no_further_than_is_read():
    """1 MB becomes 1 GB."""
    content = bomb(200)
    with serving(content, Content_Encoding="gzip") as address:
        http = http_of(address)
        http.max_bytes = 2 * MB

        def ask():
            with pytest.raises(ProtocolError, match="more than"):
                http.get("x")

        assert peak_of(ask) < 12


def test_zipped_answer_is_read():
    with serving(bomb(1), Content_Encoding="gzip") as address:
        assert http_of(address).get("x") == []


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate", "zstd"])
def test_encoding_that_was_not_asked_for_is_not_unpacked(encoding):
    with serving(gzip.compress(bomb(1)), Content_Encoding=encoding) as address:
        with pytest.raises(Exception) as caught:
            http_of(address).get("x")
        assert caught.value.code == "provider_unavailable"


@pytest.mark.parametrize("content", [bomb(1)[:-20], b"no gzip"])
def test_zipped_answer_that_is_cut_off_is_no_answer(content):
    with serving(content, Content_Encoding="gzip") as address:
        with pytest.raises(Exception) as caught:
            http_of(address).get("x")
        assert caught.value.code == "provider_unavailable"


def test_many_small_pieces_take_no_more_than_their_bytes():
    class Raw:
        def stream(self, _amount, decode_content):
            assert not decode_content
            return (bytes([32]) for number in range(300_000))

    class Response:
        headers, raw = {}, Raw()

    assert peak_of(lambda: read_body(Response(), MB)) < 2
    with pytest.raises(TooLarge):
        read_body(Response(), MB // 4)


# -------------------------------------------------------------------------
# SESSIONS
# -------------------------------------------------------------------------


def test_sessions_send_over_bounded_connections_only():
    session = bound(requests.Session())
    assert all(isinstance(adapter, BoundedAdapter) for adapter in session.adapters.values())
    assert issubclass(ClientCertificate, BoundedAdapter)
    assert not [
        pool
        for pool in session.get_adapter("https://x").poolmanager.pool_classes_by_scheme.values()
        if not hasattr(pool.ConnectionCls, "check_addresses")
    ]


def test_network_s_own_proxy_is_reached_over_bounded_connections_too():
    adapter = bound(requests.Session()).get_adapter("http://x")
    for pool in adapter.proxy_manager_for("http://10.0.0.1:3128").pool_classes_by_scheme.values():
        assert hasattr(pool.ConnectionCls, "check_addresses")


def test_adapter_of_another_kind_stays():
    class Own(HTTPAdapter):
        pass

    session = requests.Session()
    session.mount("https://", own := Own())
    assert bound(session).get_adapter("https://x") is own
