"""Enable Banking and a bank behind it, as far as a browser and the adapter meet them: an API, and the bank's page.

The page has TLS, as that of each bank: no browser is sent to one without. Its certificate is self-signed.
"""

import ssl
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.wrappers import Response

from .web import json_response, web_server

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
    """:return: ``ssl.SSLContext`` of a server, with a new certificate for a day"""
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
def a_bank(folder):
    """:return: :class:`Bank` at ``url``, its page at ``page_url``, until the end"""
    bank = Bank()

    def api(asked):
        bank.asked.append((asked.path, asked.headers.get("Authorization", "")))
        body = asked.get_json(force=True) if asked.content_length else {}
        return json_response(*bank.answer(asked.method, asked.path, asked.args, body))

    def page(asked):
        # Why the rest with 200: browsers ask for the icon of a site, and a missing one is an error in their console.
        return Response(bank.page(asked.args["wish"]) if asked.path == "/page" else "", mimetype="text/html")

    with web_server(api) as bank.url, web_server(page, self_signed(folder)) as bank.page_url:
        yield bank
