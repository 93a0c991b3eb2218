"""Teller as the contract suite needs it."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

from .contract import NOW, Script
from .scripted import Case
from .tls_server import client


def sign(body, moment, secret="s3cret-of-webhooks"):
    """:return: value of Teller-Signature"""
    sent = str(int(moment.timestamp()))
    return f"t={sent},v1={hmac.new(secret.encode(), f'{sent}.'.encode() + body, hashlib.sha256).hexdigest()}"


CERTIFICATE, KEY = client("the application", moment=NOW, end=timedelta(days=700))


class TellerScript(Script):
    code = "teller"
    settings = {"certificate": CERTIFICATE, "private_key": KEY, "webhook_secret": "s3cret-of-webhooks"}
    institution = "chase"
    country = "US"
    account = "acc_oiin624kqjrg2mp2ea000"
    answers = {"token": " token_s3cret \n"}
    refused_answers = answers
    secrets = ("token_s3cret", "s3cret-of-webhooks", KEY.splitlines()[1])

    def alike(self, account, number):
        return {**account, "id": f"acc_{number}"}

    def list_accounts(self, exchanges, accounts):
        """The answer itself is the list; each account's balance is requested."""
        first = next(e for e in exchanges if e["ask"] == "GET /accounts")
        connected = {account["id"] for account in accounts}
        if any(account["id"] == "acc_new" for account in first["answer"]):
            # Without a new consent: nothing is requested about a new account.
            connected &= {account["id"] for account in self.state["accounts"].values()}
        first["answer"] = accounts
        exchanges[:] = [first, *(self.balance(account["id"]) for account in accounts if account["id"] in connected)]

    def balance(self, identifier):
        ledger = identifier.rpartition("_")[2]
        return {"ask": f"GET /accounts/{identifier}/balances", "answer": {"ledger": ledger, "available": "1.00"}}

    def some_alike(self, numbers):
        account = Case(self.code, "connect").exchanges[0]["answer"][0]
        return [self.alike(account, number) for number in numbers]

    def check(self, request):
        assert request.headers["Teller-Version"] == "2020-10-12"
        if request.path == "/institutions":
            assert not request.headers["Authorization"]
            return
        assert base64.b64decode(request.headers["Authorization"].split()[1]) == b"token_s3cret:"

    def leave_out_booked(self, answer):
        if "ledger" in answer:
            answer["ledger"] = None

    def sign_webhook(self, body, age=timedelta(0), genuine=True):
        content = json.dumps(body).encode()
        secret = "s3cret-of-webhooks" if genuine else "another"
        return {"Teller-Signature": sign(content, NOW - age, secret)}, content

    def expect_key(self, times=1):
        """Nothing is requested: the secret is ours."""


SCRIPT = TellerScript
