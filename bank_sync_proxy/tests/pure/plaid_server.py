"""Plaid as the contract suite needs it."""

import base64
import hashlib
import json
from datetime import timedelta
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .contract import NOW, STATE, Script


@cache
def webhook_key(name):
    return ec.generate_private_key(ec.SECP256R1())


def segment(value):
    value = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def sign(body, claims=None, key="genuine", **header):
    """:return: value of Plaid-Verification"""
    claims = {"iat": int(NOW.timestamp()), "request_body_sha256": hashlib.sha256(body).hexdigest(), **(claims or {})}
    message = f"{segment({'alg': 'ES256', 'typ': 'JWT', 'kid': 'bfbd5111', **header})}.{segment(claims)}"
    pair = decode_dss_signature(webhook_key(key).sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{message}.{segment(b''.join(number.to_bytes(32, 'big') for number in pair))}"


def public_key():
    numbers = webhook_key("genuine").public_key().public_numbers()
    return {
        "alg": "ES256",
        "crv": "P-256",
        "kid": "bfbd5111",
        "kty": "EC",
        "use": "sig",
        "x": segment(numbers.x.to_bytes(32, "big")),
        "y": segment(numbers.y.to_bytes(32, "big")),
        "created_at": 1560466150,
        "expired_at": None,
    }


class PlaidScript(Script):
    code = "plaid"
    settings = {"client_id": "57c4acc30080d14816e41654", "secret": "s3cret-of-plaid", "countries": "US,CA"}
    institution = "ins_3"
    country = "US"
    account = "BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp"
    callback = refusal = {"state": STATE}
    knows_key = False
    accounts_ask = "POST /accounts/get"
    own_id = "account_id"
    secrets = ("s3cret-of-plaid", "access-sandbox", "public-sandbox")

    def alike(self, account, number):
        """https://plaid.com/docs/api/accounts/: "mask may be non-unique between an Item's accounts"."""
        balances = {**account["balances"], "current": number}
        return {**account, "account_id": f"account-{number}", "balances": balances}

    def check(self, request):
        assert request.headers["PLAID-CLIENT-ID"] == "57c4acc30080d14816e41654"
        assert request.headers["PLAID-SECRET"] == "s3cret-of-plaid"
        assert request.headers["Plaid-Version"] == "2020-09-14"

    def sign_webhook(self, body, age=timedelta(0), genuine=True):
        """:return: (headers, body) as Plaid sends them"""
        content = json.dumps(body, indent=2).encode()
        claims = {"iat": int((NOW - age).timestamp())}
        return {"Plaid-Verification": sign(content, claims, "genuine" if genuine else "forged")}, content

    def expect_key(self, times=1):
        """The key is asked for once, and known from then on."""
        if times and self.knows_key:
            return
        self.knows_key, times = True, 1
        ask = {"ask": "POST /webhook_verification_key/get", "with": {"key_id": "bfbd5111"}}
        self.server.expect([{**ask, "answer": {"key": public_key(), "request_id": "RZ6Omi1bzzwDaLo"}}] * times)

    def leave_out_booked(self, answer):
        for account in answer.get("accounts", ()):
            account["balances"].update(current=None, available=account["balances"]["available"] or 10, limit=None)


SCRIPT = PlaidScript
