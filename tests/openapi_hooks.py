"""How Schemathesis asks the proxy: signed, and often about something that exists. Imported there, not by the tests."""

import itertools
import os
import runpy
import time
from pathlib import Path

import schemathesis
from requests.auth import AuthBase

SIGNING = Path(__file__).parents[1] / "bank_sync_common" / "tools" / "signing.py"
new_headers = runpy.run_path(str(SIGNING))["new_headers"]
KNOWN = {
    "connection_id": os.environ["BANK_SYNC_CONNECTION"],
    "account_id": os.environ["BANK_SYNC_ACCOUNT"],
    "institution_id": "sandbox.demo",
    "return_url": "https://db.example/back",
}
calls = itertools.count()


class Signed(AuthBase):
    """Signs what was generated, so that it reaches the operation. Wrong headers have separate tests."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        path = request.path_url.partition("?")[0]
        client, secret = os.environ["BANK_SYNC_CLIENT"], os.environ["BANK_SYNC_SECRET"]
        request.headers.update(new_headers(secret, client, "d" * 64, time.time(), request.method, path, body))
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """Generate no headers: :class:`Signed` adds the right ones to every request."""
    for item in raw_schema["paths"].values():
        item["post"].pop("parameters", None)


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Put what exists in the place of texts that were made up, three times of four."""
    body, operation = case.body, case.operation.path.rsplit("/", 1)[1]
    if not isinstance(body, dict):
        return
    if operation == "connections.delete":
        # It would end the connection that the other requests need, whose id it finds in answers.
        case.body = (
            {**body, "connection_id": "another"} if body.get("connection_id") == KNOWN["connection_id"] else body
        )
    elif operation == "clients.update" and "url" in body:
        # Elsewhere the ways back would lead to another database.
        case.body = {**body, "url": "https://db.example"}
    elif next(calls) % 4:
        case.body = {
            key: KNOWN[key] if key in KNOWN and isinstance(value, str) else value for key, value in body.items()
        }


@schemathesis.check
def nothing_unexpected(_context, response, _case):
    """502 and 503 are documented, but the Demo Bank always answers: only a text message may not leave here."""
    assert response.status_code < 500 or '"sms_unavailable"' in response.text, response.text


@schemathesis.hook
def after_call(_context, case, response):
    """Report the results to the test."""
    if case.operation.method.upper() == response.request.method:
        with open(os.environ["BANK_SYNC_SEEN"], "a", encoding="utf-8") as seen:
            seen.write(f"{case.operation.path.rsplit('/', 1)[1]} {response.status_code}\n")
