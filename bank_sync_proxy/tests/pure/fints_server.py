"""A German bank as the contract suite needs it."""

import base64
import re

from fints.client import DATA_BLOB_MAGIC
from fints.utils import compress_datablob
from stdnum import iban

from .contract import NO_NUMBERS, NO_TEXTS, Script
from .fints_bank import GOODBYE, FinTSServer, read, write

PRODUCT = "9FA6681DEC0CF3046BFC2F8A6"


class FinTSScript(Script):
    code = "fints"
    always_booked = "HISAL begins with the booked balance (DIN 47, gebuchter Saldo)"
    prefix = "/fints"
    settings = {"product_id": PRODUCT}
    institution = "fints.DE"
    country = "DE"
    account = "DE02120300000000202051"
    secrets = ("s3cret-pin", "424242")
    server_class = FinTSServer
    own_id = "iban"
    lists_again = None
    media_type = "text/plain"
    asks_again = {"POST /bank": "all messages of FinTS have one address"}
    asks_once = "a bank counts PINs, and the messages of a dialog have numbers"

    bad_rows = (
        (":61:not documented", {"mt940": ":61:not documented"}),
        (":61:2611991199DR1,N005NONREF\r\n:86:x", {"mt940": ":61:2611991199DR1,N005NONREF\n:86:x"}),
    )

    @property
    def answers(self):
        return {
            "bank_code": " 100 200 30",
            "url": f"{self.server.base_url}/bank",
            "user": "beispiel1",
            "customer": "",
            "pin": "s3cret-pin",
            "method": "912",
            "tan": "424 242",
        }

    refused_answers = answers

    def check(self, request):
        body = request.body
        assert body["pin"] == "s3cret-pin" and body["user"] == "beispiel1" and body["bank_code"] == "10020030"
        assert body.get("product", PRODUCT) == PRODUCT
        assert body["tan"] in (None, "424242")

    def fill(self, value):
        """What the library keeps is compressed; the fixture shows what is in it."""
        value = super().fill(value)
        if isinstance(value, dict) and isinstance(value.get("client"), dict):
            kept = {
                name: item.encode("iso-8859-1") if name.endswith("_bin") else item
                for name, item in value["client"].items()
            }
            value["client"] = base64.b64encode(compress_datablob(DATA_BLOB_MAGIC, 1, kept)).decode()
        return value

    def some_alike(self, numbers):
        """An IBAN is what the bank calls an account; all else is the same."""
        numbers = [f"10020030{number:010}" for number in numbers]
        return [f"DE{iban.calc_check_digits(f'DE00{number}')}{number}" for number in numbers]

    def list_accounts(self, exchanges, accounts):
        """The bank lists them, and is then asked for the transactions of each."""
        groups = [f"J:{number}:BYLADEM1001:{number[-10:]}::280:10020030" for number in accounts]
        probes = [exchange for exchange in exchanges if exchange["with"]["segments"][0] == "HKKAZ"]
        exchanges[:] = [exchange for exchange in exchanges if exchange not in probes]
        for exchange in exchanges:
            said = [part for part in exchange["says"] if not part.startswith("HISPA")]
            if said != exchange["says"]:
                exchange["says"] = [*said, "HISPA:1:HKSPA+" + "+".join(groups)]
        exchanges += [{**probes[0], "with": {**probes[0]["with"], "iban": number}} for number in accounts]

    def placeholders(self, row):
        """Days, currencies and signs of a row have fixed forms; the rest is the text."""
        parts = re.split(r"(\?\d\d)", row["mt940"].replace("\n", "\r\n"))
        texts = [number for number in range(2, len(parts), 2) if parts[number]]
        return [
            "".join([*parts[:number], text, *parts[number + 1 :]])
            for number in texts
            for text in (*NO_TEXTS, *NO_NUMBERS)
        ]

    def put_beside(self, row, exchanges, bad):
        lines = exchanges[-1]["binary"]["booked"]
        place = lines.index(row["mt940"].split("\n")[0])
        lines[place:place] = bad

    @staticmethod
    def from_memory(script, case, count):
        """For the benchmark: (None, bytes of one transaction, callable(request) that gives bytes)"""
        sign_in, statement = case["exchanges"]
        lines = statement["binary"]["booked"]
        first, last = (next(i for i, line in enumerate(lines) if line.startswith(tag)) for tag in (":61:", ":62F:"))
        row = lines[first:last]
        statement = {**statement, "binary": {"booked": [*lines[:first], *row * count, *lines[last:]]}}

        def answer(request):
            message = read(request.body)
            message["answers_as"] = "DIALOG-1"
            kinds = {"HKIDN": sign_in, "HKKAZ": statement, "HKEND": GOODBYE}
            return base64.b64encode(write(kinds[message["segments"][0]], message))

        return None, len("".join(row)), answer


SCRIPT = FinTSScript
