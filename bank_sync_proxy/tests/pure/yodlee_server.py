"""Yodlee as the contract suite needs it."""

from .contract import SIGNS_IN, Script


class YodleeScript(Script):
    code = "yodlee"
    prefix = "/ysl"
    settings = {
        "client_id": "the-client",
        "secret": "s3cret-of-client",
        "admin_login": "admin-of-example",
        "fastlink_url": "https://fl4.sandbox.yodlee.com/authenticate/restserver/fastlink",
    }
    institution = "16441"
    country = "US"
    account = "10503001"
    accounts_at = ("account",)
    asks_again = {"POST /auth/token": SIGNS_IN}
    secrets = ("s3cret-of-client", "admin-of-example", "token-of-user", "token-of-admin")
    renewed = ("10502782", "10509999")

    def alike(self, account, number):
        return {**account, "id": number, "currentBalance": {"amount": number, "currency": "USD"}}

    def check(self, request):
        assert request.headers["Api-Version"] == "1.1"
        if request.path.endswith("/auth/token"):
            assert request.body == {"clientId": "the-client", "secret": "s3cret-of-client"}
            assert request.headers["loginName"].startswith(("odoo-", "sbMem", "admin-of-example"))
            assert not request.headers["Authorization"]
            return
        by_admin = request.path.endswith(("/user/register", "/providers"))
        assert request.headers["Authorization"] == f"Bearer token-of-{'admin' if by_admin else 'user'}"

    def leave_out_booked(self, answer):
        for account in answer.get("account", ()):
            told = account.pop("currentBalance", None) or account.pop("runningBalance", None) or account["balance"]
            account.pop("runningBalance", None)
            if account["CONTAINER"] != "bank":
                account.pop("balance")
                account["availableCredit"] = told
                account.pop("totalCreditLine", None)


SCRIPT = YodleeScript
