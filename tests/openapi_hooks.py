"""How Schemathesis asks the proxy: signed, and often about something that exists. Imported there, not by the tests."""

import os
import runpy
import time
import zlib
from pathlib import Path

import schemathesis
from requests.auth import AuthBase

SIGNING = Path(__file__).parents[1] / "bank_sync_proxy" / "tools" / "signing.py"
new_headers = runpy.run_path(str(SIGNING))["new_headers"]
KNOWN = {
    "connection_id": os.environ["BANK_SYNC_CONNECTION"],
    "account_id": os.environ["BANK_SYNC_ACCOUNT"],
    "institution_id": "sandbox.demo",
    "return_url": "https://db.example/back",
}
#: They would end what the other questions are about.
KEPT = ("connections.delete", "connections.renew")


class Signed(AuthBase):
    """Signs what was generated, so that it reaches the operation. Wrong headers are tests of their own."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        path = request.path_url.partition("?")[0]
        client, secret = os.environ["BANK_SYNC_CLIENT"], os.environ["BANK_SYNC_SECRET"]
        request.headers.update(new_headers(secret, client, "d" * 64, time.time(), request.method, path, body))
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def map_body(context, body):
    """Put what exists in the place of half of the texts that were made up."""
    if not isinstance(body, dict) or context.operation.path.endswith(KEPT):
        return body
    return {key: KNOWN[key] if key in KNOWN and is_chosen(value) else value for key, value in body.items()}


def is_chosen(value):
    return isinstance(value, str) and zlib.crc32(value.encode("utf-8", "surrogatepass")) % 2 == 0


@schemathesis.check
def nothing_unexpected(_context, response, _case):
    """The protocol documents 502 and 503. The Demo Bank always answers, so one of them is a mistake of ours."""
    assert response.status_code < 500, response.text
