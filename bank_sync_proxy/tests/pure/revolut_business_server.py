"""Revolut Business as the contract suite needs it."""

import json
from functools import cache

from ...providers.auth import decode_segment, new_rsa_key
from .contract import CALLBACK_URL, NOW, Script
from .scripted import FIXTURES, Case

the_key = cache(new_rsa_key)


class RevolutBusinessScript(Script):
    code = "revolut_business"
    always_booked = "`balance` is required"
    prefix = "/api/1.0"
    institution = "revolut_business.FR"
    country = "FR"
    account = "0d1848dc-aaaa-4a9a-aaaa-cae53cbd4baf"
    answers = {"client_id": " the-client \n", "code": f"{CALLBACK_URL}?code=oa_prod_c0de"}
    refused_answers = answers
    always = tuple(Case(code, "refresh").exchanges)
    secrets = ("refresh-s3cret", "access-s3cret", "oa_prod_c0de", "eyJ0eXAi")

    @property
    def state(self):
        if "state" not in vars(self):
            state = self.fill(json.loads((FIXTURES / self.code / "state.json").read_text()))
            vars(self)["state"] = {**state, "private_key": the_key()}
        return vars(self)["state"]

    @state.setter
    def state(self, state):
        vars(self)["state"] = state

    def new_adapter(self):
        adapter = super().new_adapter()
        # The suite compares states.
        adapter._new_key = the_key
        return adapter

    def alike(self, account, number):
        return {**account, "id": f"account-{number}", "balance": number}

    def list_accounts(self, exchanges, accounts):
        """The answer itself is the list; the bank details of each account are requested once."""
        listed = next(e for e in exchanges if e["ask"] == "GET /accounts")
        listed["answer"] = accounts
        rest = [e for e in exchanges if not e["ask"].startswith("GET /accounts/")]
        if len(rest) != len(exchanges):
            rest += [{"ask": f"GET /accounts/{account['id']}/bank-details", "answer": []} for account in accounts]
        exchanges[:] = rest

    def some_alike(self, numbers):
        listed = next(e for e in Case(self.code, "connect").exchanges if e["ask"] == "GET /accounts")
        return [self.alike(listed["answer"][0], number) for number in numbers]

    def check(self, request):
        if request.path.endswith("/auth/token"):
            assert not request.headers["Authorization"]
            message = request.body["client_assertion"].split(".")[:2]
            header, claims = (json.loads(decode_segment(part)) for part in message)
            assert header == {"typ": "JWT", "alg": "RS256"}
            assert claims["sub"] == request.body["client_id"] == "the-client"
            assert claims["aud"] == "https://revolut.com" and "/" not in claims["iss"]
            assert NOW.timestamp() < claims["exp"] <= NOW.timestamp() + 600
        else:
            assert request.headers["Authorization"] == "Bearer access-s3cret"


SCRIPT = RevolutBusinessScript
