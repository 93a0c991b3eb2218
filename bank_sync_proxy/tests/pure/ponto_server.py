"""Ponto as the contract suite needs it."""

import base64

from .contract import SIGNS_IN, Script


class PontoScript(Script):
    code = "ponto"
    institution = "ponto.BE"
    country = "BE"
    account = "953934eb-229a-4fd2-8675-07794078cc7d"
    answers = {"client_id": "cc5bcd9b", "client_secret": " s3cret-of-ponto\n"}
    refused_answers = answers
    accounts_at = ("data",)
    asks_again = {"POST /oauth2/token": SIGNS_IN}
    secrets = ("s3cret-of-ponto", "access-of-ponto")

    def alike(self, account, number):
        about = {**account["attributes"], "currentBalance": number}
        return {**account, "id": f"account-{number}", "attributes": about}

    def check(self, request):
        basic = base64.b64encode(b"cc5bcd9b:s3cret-of-ponto").decode()
        wanted = f"Basic {basic}" if request.path == "/oauth2/token" else "Bearer access-of-ponto"
        assert request.headers["Authorization"] == wanted

    def leave_out_booked(self, answer):
        for account in answer.get("data", ()):
            account["attributes"]["currentBalance"] = None


SCRIPT = PontoScript
