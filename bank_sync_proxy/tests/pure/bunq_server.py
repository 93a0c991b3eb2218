"""bunq as the contract suite needs it."""

import base64
import json
from functools import cache

from ...providers.auth import load_rsa_key, new_rsa_key, public_pem, sign_sha256, verify_sha256
from .contract import Script
from .scripted import FIXTURES, Case, ScriptedServer

the_key, bunq_s_key = cache(new_rsa_key), cache(lambda: new_rsa_key())


class BunqServer(ScriptedServer):
    """Signs its answers."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.fillings["{server_key}"] = json.dumps(public_pem(load_rsa_key(bunq_s_key())))[1:-1]

    def sign(self, content):
        return {"X-Bunq-Server-Signature": base64.b64encode(sign_sha256(load_rsa_key(bunq_s_key()), content)).decode()}


class BunqScript(Script):
    code = "bunq"
    prefix = "/v1"
    server_class = BunqServer
    institution = "bunq.NL"
    country = "NL"
    account = "42"
    too_soon = 3
    answers = {"api_key": " api-key-s3cret \n"}
    refused_answers = answers
    accounts_ask = "GET /user/7/monetary-account"
    always = tuple(exchange for exchange in Case("bunq", "connect").exchanges if "session-server" in exchange["ask"])
    bad_rows = (
        ({"Payment": {"not": "documented"}}, {"Payment": {"not": "documented"}}),
        (None, {"row": None}),
    )
    secrets = ("api-key-s3cret", "session-s3cret", "installation-s3cret")

    def __init__(self):
        self.client_key = public_pem(load_rsa_key(the_key()))
        super().__init__()

    @property
    def state(self):
        if "state" not in vars(self):
            state = json.loads((FIXTURES / self.code / "state.json").read_text())
            keys = {"private_key": the_key(), "server_key": public_pem(load_rsa_key(bunq_s_key()))}
            vars(self)["state"] = {**state, **keys}
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
        ((kind, about),) = account.items()
        return {kind: {**about, "id": number}}

    def list_accounts(self, exchanges, accounts):
        """The latest payment of each connected account is requested."""
        listed = next(e for e in exchanges if e["ask"].startswith("GET /user/7/monetary-account?"))
        ids = [str(about["id"]) for account in accounts for about in account.values()]
        if any("92" in json.dumps(item) for item in listed["answer"]["Response"]):
            # Without a new key: nothing is requested about a new account.
            ids = [one for one in ids if one in {known["id"] for known in self.state["accounts"].values()}]
        listed["answer"] = {**listed["answer"], "Response": accounts}
        rest = [e for e in exchanges if "/payment" not in e["ask"]]
        exchanges[:] = [*rest, *map(self.latest, ids)]

    def latest(self, identifier):
        payment = {"balance_after_mutation": {"value": f"{identifier}.00", "currency": "EUR"}}
        return {
            "ask": f"GET /user/7/monetary-account/{identifier}/payment?count=1",
            "answer": {"Response": [{"Payment": payment}], "Pagination": {"older_url": None}},
        }

    def some_alike(self, numbers):
        answers = [e["answer"] for e in Case(self.code, "connect").exchanges if e["ask"].startswith(self.accounts_ask)]
        return [self.alike(answers[0]["Response"][0], number) for number in numbers]

    def check(self, request):
        assert request.headers["X-Bunq-Client-Request-Id"] and request.headers["Cache-Control"] == "no-cache"
        if request.path.endswith("/installation"):
            self.client_key = request.body["client_public_key"]
            assert not request.headers["X-Bunq-Client-Authentication"]
            return
        is_first = request.path.endswith(("/device-server", "/session-server"))
        token = "installation-s3cret" if is_first else "session-s3cret"
        assert request.headers["X-Bunq-Client-Authentication"] == token
        signature = base64.b64decode(request.headers["X-Bunq-Client-Signature"])
        try:
            verify_sha256(self.client_key, request.raw, signature)
        except ValueError as error:
            raise AssertionError("the request is not signed") from error

    def leave_out_booked(self, answer):
        for item in answer["Response"]:
            if "Payment" in item:
                item["Payment"].pop("balance_after_mutation", None)


SCRIPT = BunqScript
