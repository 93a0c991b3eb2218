"""GoCardless Bank Account Data as the contract suite needs it."""

from .contract import STATE, Script


class GoCardlessScript(Script):
    code = "gocardless"
    prefix = "/api/v2"
    settings = {"secret_id": "e66e2e4c", "secret_key": "s3cret-of-gocardless"}
    institution = "REVOLUT_REVOGB21"
    country = "GB"
    account = "065da497-e6af-4950-88ed-2edbc0577d20"
    callback = {"state": STATE, "ref": "124151"}
    refusal = {**callback, "error": "UserCancelledSession", "details": "User cancelled the session."}
    secrets = ("s3cret-of-gocardless", "access-of-gocardless")

    def check(self, question):
        if question.path.endswith("/token/new/"):
            assert question.body == {"secret_id": "e66e2e4c", "secret_key": "s3cret-of-gocardless"}
            assert not question.headers["Authorization"]
        else:
            assert question.headers["Authorization"] == "Bearer access-of-gocardless"

    def leave_out_booked(self, answer):
        answer["balances"] = [one for one in answer.get("balances", ()) if not one["balanceType"].endswith("Booked")]


SCRIPT = GoCardlessScript
