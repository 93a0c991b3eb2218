"""PayPal as the contract suite needs it."""

import base64

from .contract import NOW, SIGNS_IN, Script

#: What "alike" accounts are here: they differ in currency only.
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK")


class PayPalScript(Script):
    code = "paypal"
    always_booked = "`total_balance` is required"
    institution = "paypal.FR"
    country = "FR"
    account = "EUR"
    answers = {"client_id": "client-of-paypal", "client_secret": " s3cret-of-paypal "}
    refused_answers = answers
    accounts_ask = "GET /reporting/balances"
    accounts_at = ("balances",)
    asks_again = {"POST /oauth2/token": SIGNS_IN}
    secrets = ("s3cret-of-paypal", "access-of-paypal")
    bad_rows = (
        ({"transaction_info": {"not": "documented"}}, {"transaction_info": {"not": "documented"}}),
        (None, {"row": None}),
    )

    def alike(self, account, number):
        name = CURRENCIES[number]
        return {**account, "currency": name, "total_balance": {"currency_code": name, "value": f"{number}.00"}}

    def pages(self, since=None, cursor=None, account=None):
        """Three years are many windows: where a test does not say since when, one is enough."""
        return super().pages(since or (None if cursor else NOW.date()), cursor, account)

    def check(self, request):
        basic = base64.b64encode(b"client-of-paypal:s3cret-of-paypal").decode()
        wanted = f"Basic {basic}" if request.path == "/oauth2/token" else "Bearer access-of-paypal"
        assert request.headers["Authorization"] == wanted


SCRIPT = PayPalScript
