"""Salt Edge as the contract suite needs it."""

import base64
import json
from datetime import timedelta
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ...tools.urls import with_query
from .contract import NOW, STATE, Script

WEBHOOK_URL = "https://proxy.example/bank_sync/webhook/salt_edge"


@cache
def key_of(name):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key):
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def sign(body, url=WEBHOOK_URL, key="salt_edge"):
    """:return: value of the header Signature"""
    message = f"{url}|".encode() + body
    return base64.b64encode(key_of(key).sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


class SaltEdgeScript(Script):
    code = "salt_edge"
    always_booked = "`balance` is required, and only with the limit of a card it can be told from an available amount"
    prefix = "/api/v6"
    institution = "fake_client_xf"
    country = "XF"
    account = "333333333333333333"
    callback = {"state": STATE}
    accounts_at = ("data",)
    refusal = {"state": STATE, "error_class": "InvalidCredentials"}
    secrets = ("s3cret-of-salt-edge", "connect-token-of-a-visit", "PRIVATE KEY")

    @property
    def settings(self):
        return {
            "app_id": "app-id-of-salt-edge",
            "secret": "s3cret-of-salt-edge",
            # As it is after pasting into one line.
            "private_key": private_pem(key_of("application")).replace("\n", " "),
            "webhook_url": WEBHOOK_URL,
            "webhook_key": public_pem(key_of("salt_edge")).replace("\n", " "),
        }

    def alike(self, account, number):
        return {**account, "id": f"account-{number}", "balance": number}

    def check(self, request):
        """The signature is verified as Salt Edge would."""
        assert request.headers["App-id"] == "app-id-of-salt-edge"
        assert request.headers["Secret"] == "s3cret-of-salt-edge"
        expires = int(request.headers["Expires-at"])
        assert 0 < expires - int(self.moment.timestamp()) <= 3600
        address = self.server.base_url.removesuffix(self.prefix) + request.url
        message = f"{expires}|{request.method}|{address}|".encode() + request.raw
        signature = base64.b64decode(request.headers["Signature"])
        key_of("application").public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())

    def sign_webhook(self, body, age=timedelta(0), genuine=True):
        """:return: (headers, body) as Salt Edge sends them; the fixture's ``kind`` is part of the address"""
        kind, told = body.get("kind"), {key: value for key, value in body.items() if key != "kind"}
        sent = (NOW - age).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        content = json.dumps({**told, "meta": {"version": "6", "time": sent}}).encode()
        url = with_query(WEBHOOK_URL, kind=kind) if kind else WEBHOOK_URL
        return {"Signature": sign(content, url, "salt_edge" if genuine else "forged")}, content

    def expect_key(self):
        """The key is a setting, so nothing is asked."""


SCRIPT = SaltEdgeScript
