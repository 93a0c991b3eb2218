"""GoCardless Bank Account Data as the contract suite needs it."""

from .contract import SIGNS_IN, STATE, Script


class GoCardlessScript(Script):
    code = "gocardless"
    prefix = "/api/v2"
    settings = {"secret_id": "e66e2e4c", "secret_key": "s3cret-of-gocardless"}
    institution = "REVOLUT_REVOGB21"
    country = "GB"
    account = "065da497-e6af-4950-88ed-2edbc0577d20"
    callback = {"state": STATE, "ref": "124151"}
    refusal = {**callback, "error": "UserCancelledSession", "details": "User cancelled the session."}
    lists_again = None
    asks_again = {"POST /token/new/": SIGNS_IN}
    secrets = ("s3cret-of-gocardless", "access-of-gocardless")

    def some_alike(self, numbers):
        return [f"account-{number}" for number in numbers]

    def list_accounts(self, exchanges, accounts):
        """A requisition lists ids, and each of them is asked for its details: cards with one masked number."""
        asked = [exchange for exchange in exchanges if exchange["ask"].endswith("/details/")]
        card = {**asked[0]["answer"]["account"], "iban": None, "maskedPan": "1234********5678"}
        exchanges[:] = [exchange for exchange in exchanges if exchange not in asked]
        for exchange in exchanges:
            if exchange["ask"].startswith("GET /requisitions/"):
                exchange["answer"]["accounts"] = accounts
        exchanges += [{"ask": f"GET /accounts/{key}/details/", "answer": {"account": card}} for key in accounts]

    def check(self, request):
        if request.path.endswith("/token/new/"):
            assert request.body == {"secret_id": "e66e2e4c", "secret_key": "s3cret-of-gocardless"}
            assert not request.headers["Authorization"]
        else:
            assert request.headers["Authorization"] == "Bearer access-of-gocardless"

    def leave_out_booked(self, answer):
        answer["balances"] = [one for one in answer.get("balances", ()) if not one["balanceType"].endswith("Booked")]


SCRIPT = GoCardlessScript
