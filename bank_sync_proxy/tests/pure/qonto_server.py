"""Qonto as the contract suite needs it."""

from .contract import Script


class QontoScript(Script):
    code = "qonto"
    always_booked = "`balance_cents` is required"
    prefix = "/v2"
    institution = "qonto.FR"
    country = "FR"
    account = "018f71db-c635-78b5-b90a-ea05de98c2bf"
    answers = {"login": "example-sas-1234", "secret_key": " s3cret-of-qonto "}
    refused_answers = answers
    accounts_ask = "GET /organization"
    accounts_at = ("organization", "bank_accounts")
    secrets = ("s3cret-of-qonto",)

    def alike(self, account, number):
        """Accounts at other banks have no IBAN here."""
        return {**account, "id": f"account-{number}", "iban": "", "balance_cents": number * 100}

    def check(self, request):
        assert request.headers["Authorization"] == "example-sas-1234:s3cret-of-qonto"
        assert not request.headers["X-Qonto-Staging-Token"]


SCRIPT = QontoScript
