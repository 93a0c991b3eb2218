"""A provider's server as a script: it expects certain requests in a certain order, over real HTTP."""

import json
import threading
import time
from contextlib import suppress
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

FIXTURES = Path(__file__).parents[1] / "fixtures"


class Request:
    """What arrived."""

    def __init__(self, handler):
        parts = urlsplit(handler.path)
        self.method, self.path, self.url = handler.command, parts.path, handler.path
        self.query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = handler.headers
        self.raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.body = {}
        if self.raw and "json" in (handler.headers.get("Content-Type") or ""):
            self.body = json.loads(self.raw)
        elif self.raw:
            self.body = dict(parse_qsl(self.raw.decode()))


class ScriptedServer:
    """Plays exchanges: ``{"ask": "GET /path?query", "with": body, "status": 200, "headers": {}, "answer": JSON}``.

    The query must be the same; of ``with`` every named key. Beside ``answer`` there are ``text``, ``cut`` (bytes that
    are left out of the end), ``wait`` (seconds) and ``type`` (media type).

    :param check: callable(Request) that asserts what every request needs, such as credentials
    """

    def __init__(self, now, check=None, prefix=""):
        self.now, self.check, self.prefix = now, check or (lambda request: None), prefix
        self.exchanges, self.complaints, self.asked = [], [], []
        #: What answers contain instead of these names, beside ``{base}``.
        self.fillings = {}
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                server._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._http.server_port}{prefix}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._http.shutdown()
        self._http.server_close()

    def expect(self, exchanges):
        self.exchanges += exchanges

    def check_all(self):
        """Both directions: nothing unexpected was asked, and everything expected was."""
        assert not self.complaints, self.complaints
        assert not self.exchanges, f"never asked for: {[exchange['ask'] for exchange in self.exchanges]}"

    # -------------------------------------------------------------------------
    # SERVING
    # -------------------------------------------------------------------------

    def _serve(self, handler):
        request = Request(handler)
        with self._lock:
            self.asked.append(request)
        exchange = None
        try:
            with self._lock:
                exchange = self._next(request)
            assert exchange, f"{request.method} {request.url} was not expected any more"
            self._compare(exchange, request)
            self.check(request)
        except AssertionError as error:
            self.complaints.append(str(error) or repr(error))
            exchange = {"status": 418, "answer": {}}
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer(handler, exchange)

    def _next(self, request):
        """:return: the exchange to which a request belongs, or None"""
        return self.exchanges.pop(0) if self.exchanges else None

    def _compare(self, exchange, request):
        method, _blank, url = exchange["ask"].partition(" ")
        parts = urlsplit(url)
        wanted = (method, self.prefix + parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True)))
        assert (request.method, request.path, request.query) == wanted, f"{request.method} {request.url}, not {url}"
        assert is_part(exchange.get("with", {}), request.body), f"{url} with {request.body}, not {exchange['with']}"

    def sign(self, content):
        """:return: headers with the provider's signature of an answer"""
        return {}

    def _answer(self, handler, exchange):
        if exchange.get("wait"):
            time.sleep(exchange["wait"])
        status = exchange.get("status", 200)
        text = exchange.get("text", json.dumps(exchange.get("answer")))
        for name, value in {"{base}": self.base_url, **self.fillings}.items():
            text = text.replace(name, value)
        content = text.encode() if status != 204 else b""
        sent = content[: len(content) - exchange.get("cut", 0)]
        length = len(content) if exchange.get("announce_all") else len(sent)
        handler.send_response_only(status)
        headers = {
            "Date": format_datetime(self.now(), usegmt=True),
            "Content-Type": exchange.get("type", "application/json"),
            "Content-Length": str(length),
            **self.sign(content),
            **exchange.get("headers", {}),
        }
        for name, value in headers.items():
            handler.send_header(name, value.replace("{base}", self.base_url))
        handler.end_headers()
        handler.wfile.write(sent)
        # Waiting for the rest would take as long as the client likes.
        handler.close_connection = length != len(sent)


def is_part(wanted, value):
    """Whether all that is wanted is there; lists must be as long."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and is_part(item, value[key]) for key, item in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(value, list | tuple)
            and len(wanted) == len(value)
            and all(is_part(item, other) for item, other in zip(wanted, value, strict=True))
        )
    return wanted == value


def expanded(value):
    if isinstance(value, dict):
        return {key: expanded(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    found = []
    for item in value:
        if isinstance(item, dict) and set(item) == {"times", "of"}:
            text = json.dumps(item["of"])
            found += [json.loads(text.replace("{n}", str(number))) for number in range(item["times"])]
        else:
            found.append(expanded(item))
    return found


class Case:
    """``tests/fixtures/<provider>/<case>.json``: ``source``, ``exchanges``, and what the adapter ``gives`` for them.

    An exchange ``{"include": "token"}`` includes those of another file. ``impossible`` says why there is no case,
    ``one_page`` why there is never a second page. In a list ``{"times": 998, "of": …}`` is expanded to as many items,
    in whose texts ``{n}`` is the number.
    """

    def __init__(self, code, name):
        self.path = FIXTURES / code / f"{name}.json"
        data = expanded(json.loads(self.path.read_text()))
        self.code, self.name = code, name
        self.impossible = data.get("impossible")
        self.one_page = data.get("one_page")
        self.gives = data.get("gives", {})
        self.given = data.get("given", {})
        self.exchanges = [played for exchange in data.get("exchanges", ()) for played in self._played(exchange)]

    def _played(self, exchange):
        return Case(self.code, exchange["include"]).exchanges if "include" in exchange else [exchange]
