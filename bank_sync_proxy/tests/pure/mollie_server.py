"""Mollie as the contract suite needs it."""

from .contract import Script


class MollieScript(Script):
    code = "mollie"
    always_booked = "`availableAmount` is required"
    institution = "mollie.FR"
    country = "FR"
    account = "bal_gVMhHKqSSRYJyPsuoPNFH"
    answers = {"access_token": " access_s3cretOfMollie "}
    refused_answers = answers
    accounts_ask = "GET /balances"
    accounts_at = ("_embedded", "balances")
    secrets = ("access_s3cretOfMollie",)
    media_type = "application/hal+json"

    def alike(self, account, number):
        return {**account, "id": f"bal_{number}", "availableAmount": {"currency": "EUR", "value": f"{number}.00"}}

    def check(self, request):
        assert request.headers["Authorization"] == "Bearer access_s3cretOfMollie"


SCRIPT = MollieScript
