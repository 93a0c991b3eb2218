"""Enable Banking and a bank behind it, as far as a browser and the adapter meet them: an API, and the bank's page.

The page has TLS, as that of each bank: no browser is sent to one without. Its certificate is signed by nobody.
"""

import json
import ssl
import threading
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PAGE = """<!DOCTYPE html><html lang="en"><title>Mock Bank</title><h1>Mock Bank</h1>
<p>An application asks for your balances and transactions.</p>
<a href="{yes}">Allow</a> <a href="{no}">Refuse</a></html>"""


class Bank:
    """One account whose uid changes with each consent, as at Enable Banking."""

    def __init__(self):
        self.sessions, self.wishes, self.asked = {}, {}, []
        self.rows = [self.row(f"r{number}", f"{number}.50", number) for number in range(1, 6)]

    def row(self, reference, amount, days_ago):
        return {
            "entry_reference": reference,
            "transaction_amount": {"currency": "EUR", "amount": amount},
            "credit_debit_indicator": "CRDT",
            "status": "BOOK",
            "booking_date": str(date.today() - timedelta(days=days_ago)),
            "debtor": {"name": "A customer"},
            "remittance_information": [f"Invoice {reference}"],
        }

    def answer(self, method, path, query, body):
        """:return: (status, JSON)"""
        parts = path.strip("/").split("/")
        if path == "/application":
            return 200, {"name": "Books", "environment": "SANDBOX", "active": True}
        if path == "/aspsps":
            bank = {"name": "Mock Bank", "country": "BE", "psu_types": ["business"], "bic": "MOCKFIHH"}
            return 200, {"aspsps": [{**bank, "maximum_consent_validity": 7_776_000, "required_psu_headers": []}]}
        if path == "/auth":
            number = str(len(self.wishes) + 1)
            self.wishes[number] = body
            return 200, {"url": f"{self.page_url}/page?{urlencode({'wish': number})}"}
        if path == "/sessions":
            wish, uid = self.wishes[body["code"]], f"uid-{len(self.sessions) + 1}"
            self.sessions[f"session-{uid}"] = uid
            account = {
                "uid": uid,
                "identification_hash": "hash-of-the-account",
                "account_id": {"iban": "FI7349600000000000"},
                "currency": "EUR",
                "details": "Everyday",
                "cash_account_type": "CACC",
            }
            return 200, {"session_id": f"session-{uid}", "accounts": [account], "access": wish["access"]}
        if parts[0] == "sessions":
            return 200, {"status": "AUTHORIZED"}
        if parts[1] != list(self.sessions.values())[-1]:
            return 401, {"error": "EXPIRED_SESSION", "message": "of an older session"}
        if parts[2] == "balances":
            total = f"{sum(float(row['transaction_amount']['amount']) for row in self.rows):.2f}"
            money = {"currency": "EUR", "amount": total}
            return 200, {"balances": [{"balance_type": "CLBD", "balance_amount": money}]}
        since = query.get("date_from", "")
        return 200, {"transactions": [r for r in self.rows if r["booking_date"] >= since], "continuation_key": None}

    def page(self, wish):
        wish, number = self.wishes[wish], wish
        back = {"state": wish["state"]}
        yes, no = {**back, "code": number}, {**back, "error": "access_denied"}
        return PAGE.format(
            **{
                name: f"{wish['redirect_url']}?{urlencode(q)}".replace("&", "&amp;")
                for name, q in (("yes", yes), ("no", no))
            }
        )


def self_signed(folder):
    """:return: ``ssl.SSLContext`` of a server, with a certificate of its own for a day"""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "bank.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def served_at(handler, context=None):
    """:return: its address, until the end"""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def a_bank(folder):
    """:return: :class:`Bank` at ``url``, its page at ``page_url``, until the end"""
    bank = Bank()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if parts.path == "/favicon.ico":
                self.send("image/x-icon", 200, "")
                return
            if parts.path == "/page":
                self.send("text/html; charset=utf-8", 200, bank.page(query["wish"]))
                return
            bank.asked.append((parts.path, self.headers.get("Authorization", "")))
            status, answer = bank.answer(self.command, parts.path, query, json.loads(content) if content else {})
            self.send("application/json", status, json.dumps(answer))

        do_GET = do_POST = do_DELETE = handle_any

        def send(self, kind, status, text):
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    with ExitStack() as stack:
        bank.url = stack.enter_context(served_at(Handler))
        bank.page_url = stack.enter_context(served_at(Handler, self_signed(folder)))
        yield bank
