"""Stripe as the contract suite needs it."""

from .contract import Script

#: What "alike" accounts are here: they differ in currency only.
CURRENCIES = ("eur", "usd", "gbp", "chf", "sek", "nok")


class StripeScript(Script):
    code = "stripe"
    always_booked = "`available` and `pending` are required, and together they are the booked balance"
    institution = "stripe.FR"
    country = "FR"
    account = "eur"
    answers = {"secret_key": " rk_live_s3cretOfStripe "}
    refused_answers = answers
    accounts_ask = "GET /balance"
    accounts_at = ("available",)
    secrets = ("rk_live_s3cretOfStripe",)

    def alike(self, account, number):
        return {**account, "currency": CURRENCIES[number], "amount": number * 100}

    def some_alike(self, numbers):
        return [self.alike({}, number) for number in numbers]

    def list_accounts(self, exchanges, accounts):
        for exchange in exchanges:
            if exchange["ask"] == self.accounts_ask:
                exchange["answer"]["available"] = accounts
                exchange["answer"]["pending"] = [{**account, "amount": 0} for account in accounts]

    def check(self, request):
        assert request.headers["Authorization"] == "Bearer rk_live_s3cretOfStripe"
        assert request.headers["Stripe-Version"] == "2026-10-28.endive"


SCRIPT = StripeScript
