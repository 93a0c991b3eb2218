"""Revolut Business, as far as the adapter meets it. A refresh token ends with the next one.

Names of the fields: Revolut's OpenAPI document of the Business API 1.0.
"""

import json
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

#: In Odoo's shell: switch the provider on with this bank, give a consent, begin a link of the database.
CONNECT_REVOLUT = """
code = "revolut_business"
provider = env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", code)])
provider.setting_ids = [(0, 0, {{"name": "base_url", "type": "text", "plain_value": {address!r}}})]
provider.write({{"keys_state": "work", "active": True}})
values = {{"name": "Revolut Business", "identifier": "revolut_business.FR", "country_code": "FR", "status": "stable"}}
values["provider_institution"] = values["identifier"]
institution = env["bank.sync.institution"].search([("identifier", "=", values["identifier"])])
institution = institution or institution.create({{**values, "provider_id": provider.id}})
client = env["bank.sync.client"]._get_embedded()
connection = env["bank.sync.connection"].create({{"client_id": client.id, "institution_id": institution.id}})
"""
CONSENT = """
adapter = connection.provider_id._adapter()
data = connection._begin({kind!r}, "en_US").data
for values in ({{"client_id": "the-client"}}, {{"code": "oa_code"}}):
    given = adapter.answer(connection._flow({kind!r}, "en_US", data), values)
    data = getattr(given, "data", None)
connection._take(given)
"""
TAKE_OVER = """
link = env["account.online.link"]._create_from_proxy(
    connection._to_protocol(), connection._accounts(), env.ref("base.main_company")
)
account = link.account_online_account_ids
account._link_journal(account._create_journal())
"""
FIND_REVOLUT = """
connection = env["bank.sync.connection"].search([("institution_id.identifier", "=", "revolut_business.FR")])
"""
SYNCHRONIZE = 'env["account.online.link"].search([])._synchronize(user_present=True)\n'
REVOLUT = """
link = env["account.online.link"].search([])
lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)])
result = [link.state, link.error_code or None, link.error_action or None, link.error_message or "",
          sorted(lines.mapped("online_transaction_identifier"))]
"""

ACCOUNT = {"id": "0d1848dc-0000-4a9a-0000-cae53cbd4baf", "name": "Main", "currency": "EUR", "state": "active"}
DETAILS = [{"iban": "FR7616798000010000005663951", "bic": "REVOFRPP", "pooled": False}]


class Bank:
    """What it has booked, newest first as it lists them, and the one refresh token that it takes.

    :ivar bool is_strict: each renewal gives another refresh token and ends the previous one, not only a new consent
    :ivar int lasts: requests after which an access ends before its time
    """

    def __init__(self):
        self.rows, self.tokens, self.is_strict, self.lasts, self.used = [], 0, False, 1000, 0
        self.lock = threading.Lock()

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
        with self.lock:
            if path == "/auth/token":
                self.used = 0
                return self._token(form)
            self.used += 1
        if authorization != f"Bearer access-of-{self.refresh_token}" or self.used > self.lasts:
            return 401, {"code": 1000, "message": "The request should be authorized."}
        if path == "/accounts":
            return 200, [{**ACCOUNT, "balance": sum(row["legs"][0]["amount"] for row in self.rows)}]
        return 200, DETAILS if path.endswith("/bank-details") else self.rows

    def _token(self, form):
        is_consent = form["grant_type"] == "authorization_code"
        if not is_consent and form["refresh_token"] != self.refresh_token:
            return 400, {"error": "invalid_grant", "error_description": "The refresh token was replaced."}
        more = {}
        if is_consent or self.is_strict:
            self.tokens += 1
            more = {"refresh_token": self.refresh_token}
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
