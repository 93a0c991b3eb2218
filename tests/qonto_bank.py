"""Qonto, as far as the adapter meets it. Names of the fields: docs.qonto.com, Business API."""

import json
import threading
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOGIN, SECRET_KEY = "example-sas-1234", "s3cret-of-qonto"
ACCOUNT = {
    "id": "018f71db-c635-78b5-b90a-ea05de98c2bf",
    "name": "Main account",
    "iban": "FR7616798000010000005663951",
    "currency": "EUR",
    "balance_cents": 4242,
}


def transaction(number):
    day = f"{date.today() - timedelta(days=number)}T10:00:00.000Z"
    return {
        "id": f"q{number}",
        "amount_cents": 100 * number,
        "local_amount_cents": 100 * number,
        "side": "credit",
        "currency": "EUR",
        "local_currency": "EUR",
        "label": "A customer",
        "settled_at": day,
        "emitted_at": day,
        "status": "completed",
        "reference": f"Invoice {number}",
        "note": None,
    }


def answer(path, authorization):
    """:return: (status, JSON)"""
    if authorization != f"{LOGIN}:{SECRET_KEY}":
        return 401, {"errors": [{"code": "unauthorized", "detail": "Invalid credentials"}]}
    if path == "/organization":
        return 200, {"organization": {"bank_accounts": [ACCOUNT]}}
    return 200, {"transactions": [transaction(number) for number in (1, 2, 3)], "meta": {"next_page": None}}


@contextmanager
def qonto():
    """:return: its address, until the end"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answer(self.path.partition("?")[0], self.headers.get("Authorization", ""))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
