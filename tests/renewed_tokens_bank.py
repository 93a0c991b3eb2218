"""Revolut Business, as far as the adapter meets it. A refresh token ends with the renewal that gives the next one.

Names of the fields: Revolut's OpenAPI document of the Business API 1.0.
"""

import json
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ACCOUNT = {"id": "0d1848dc-0000-4a9a-0000-cae53cbd4baf", "name": "Main", "currency": "EUR", "state": "active"}
DETAILS = [{"iban": "FR7616798000010000005663951", "bic": "REVOFRPP", "pooled": False}]


class Bank:
    """What it has booked, newest first as it lists them, and the one refresh token that it takes."""

    def __init__(self):
        self.rows, self.tokens = [], 0

    @property
    def refresh_token(self):
        return f"refresh-{self.tokens}"

    def book(self, number, days_ago):
        moment = f"{datetime.now(timezone.utc) - timedelta(days=days_ago):%Y-%m-%dT%H:%M:%S.%fZ}"
        leg = {"leg_id": f"l{number}", "account_id": ACCOUNT["id"], "amount": number, "currency": "EUR"}
        row = {"id": f"r{number}", "type": "topup", "state": "completed", "reference": f"Invoice {number}"}
        self.rows.insert(0, {**row, "created_at": moment, "completed_at": moment, "legs": [leg]})

    def answer(self, path, form=None, authorization=""):
        """:return: (status, JSON)"""
        if path == "/auth/token":
            return self._token(form)
        if authorization != f"Bearer access-of-{self.refresh_token}":
            return 401, {"code": 1000, "message": "The request should be authorized."}
        if path == "/accounts":
            return 200, [{**ACCOUNT, "balance": sum(row["legs"][0]["amount"] for row in self.rows)}]
        return 200, DETAILS if path.endswith("/bank-details") else self.rows

    def _token(self, form):
        if form["grant_type"] == "authorization_code":
            self.tokens += 1
            more = {"refresh_token": self.refresh_token}
        elif form["refresh_token"] == self.refresh_token:
            more = {}
        else:
            return 400, {"error": "invalid_grant", "error_description": "The refresh token was replaced."}
        return 200, {"access_token": f"access-of-{self.refresh_token}", "expires_in": 2399, **more}


@contextmanager
def revolut():
    """:return: (its address, :class:`Bank`), until the end"""
    bank = Bank()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._send(*bank.answer(self.path.partition("?")[0], None, self.headers.get("Authorization", "")))

        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._send(*bank.answer(self.path, {name: values[0] for name, values in form.items()}))

        def _send(self, status, body):
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
        yield f"http://127.0.0.1:{server.server_port}", bank
    finally:
        server.shutdown()
        server.server_close()
