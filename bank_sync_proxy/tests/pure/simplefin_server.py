"""SimpleFIN Bridge as the contract suite needs it."""

import base64

from .contract import Script


class SimpleFINScript(Script):
    code = "simplefin"
    always_booked = "`balance` is required; the available one has a name of its own"
    prefix = "/simplefin"
    institution = "bridge.US"
    country = "US"
    account = "2930002"
    lists_again = "refresh"
    secrets = ("s3cret", "one-time-claim")

    def __init__(self):
        super().__init__()
        self.server.fillings["{access}"] = self.access_url

    @property
    def answers(self):
        return {"token": self.token()}

    refused_answers = answers

    def alike(self, account, number):
        return {**account, "id": f"account-{number}", "balance": str(number)}

    def token(self, url=None):
        return base64.b64encode((url or f"{self.server.base_url}/claim/one-time-claim").encode()).decode()

    def check(self, request):
        if "/claim/" in request.path:
            assert not request.headers["Authorization"] and not request.raw
        else:
            assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"us%er:s3cret").decode()

    def fill(self, value):
        value = super().fill(value)
        if isinstance(value, dict) and "access_url" in value:
            value["access_url"] = self.access_url
        return value

    @property
    def access_url(self):
        return self.server.base_url.replace("://", "://us%25er:s3cret@")


SCRIPT = SimpleFINScript
