"""Revolut Business, as far as the adapter meets it. Names of the fields: Revolut's document of the Business API."""

import json
import threading
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CLIENT_ID, CODE = "the-client-of-example", "oa_prod_of-this-visit"
ACCOUNT = "0d1848dc-aaaa-4a9a-aaaa-cae53cbd4baf"
ACCESS_TOKEN, REFRESH_TOKEN = "access-of-example", "refresh-of-example"
MOMENT = "2023-01-19T15:15:01.895737Z"


def transaction(number):
    moment = f"{date.today() - timedelta(days=number)}T10:00:00.000000Z"
    leg = {"leg_id": ACCOUNT, "account_id": ACCOUNT, "amount": number, "currency": "EUR"}
    return {
        "id": f"v{number}",
        "type": "topup",
        "state": "completed",
        "created_at": moment,
        "updated_at": moment,
        "completed_at": moment,
        "reference": f"Invoice {number}",
        "legs": [{**leg, "description": "Payment from A customer"}],
    }


def token(form):
    """:return: (status, JSON)"""
    granted = {"authorization_code": ("code", CODE), "refresh_token": ("refresh_token", REFRESH_TOKEN)}
    name, value = granted[form["grant_type"]]
    if form[name] != value or form["client_id"] != CLIENT_ID or form["client_assertion"].count(".") != 2:
        return 400, {"error": "invalid_grant", "error_description": "x"}
    return 200, {
        "access_token": ACCESS_TOKEN,
        "token_type": "bearer",
        "expires_in": 2399,
        "refresh_token": REFRESH_TOKEN,
    }


def answer(path, authorization):
    """:return: (status, JSON)"""
    if authorization != f"Bearer {ACCESS_TOKEN}":
        return 401, {"code": 1000, "error_id": "x", "message": "Access token is invalid or has expired."}
    if path == "/accounts":
        account = {"id": ACCOUNT, "name": "Main", "balance": 4242, "currency": "EUR", "state": "active"}
        return 200, [{**account, "public": False, "created_at": MOMENT, "updated_at": MOMENT}]
    if path.endswith("/bank-details"):
        return 200, [{"iban": "FR7616798000010000005663951", "pooled": False}]
    return 200, [transaction(number) for number in (1, 2, 3)]


@contextmanager
def revolut():
    """:return: its address, until the end"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.say(*answer(urlsplit(self.path).path, self.headers.get("Authorization", "")))

        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.say(*token({name: values[0] for name, values in parse_qs(text).items()}))

        def say(self, status, body):
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
