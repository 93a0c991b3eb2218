"""Enable Banking as the contract suite needs it."""

import base64
import json
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .contract import NOW, STATE, Script


@cache
def application_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def decode(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


class EnableBankingScript(Script):
    code = "enable_banking"
    institution = "FI.Nordea"
    country = "FI"
    account = "WwpbCiJhY2NvdW50"
    answers = {"psu_type": "business"}
    callback = {"state": STATE, "code": "c0de-from-the-bank"}
    refusal = {"state": STATE, "error": "access_denied", "error_description": "Denied by the user"}
    secrets = ("c0de-from-the-bank", "eyJ")
    accounts_ask = "POST /sessions"
    own_id = "hash"
    lists_again = None
    #: A renewal makes another session.
    renewed = ("4604aa5b", "9b1c77de")

    @property
    def settings(self):
        return {"application_id": "cf589be3-3755-465b-a8df-a90a16a31403", "private_key": pem(application_key())}

    def alike(self, account, number):
        """One of the hashes is made of the holder's name; cards have no IBAN."""
        own = f"own-{number}"
        kept = {key: value for key, value in account.items() if key not in ("account_id", "all_account_ids")}
        return {**kept, "uid": f"uid-{number}", "identification_hash": own, "identification_hashes": [own, "holder"]}

    def check(self, request):
        """The signature is verified as the provider would."""
        kind, _blank, token = request.headers["Authorization"].partition(" ")
        assert kind == "Bearer"
        header, claims, signature = token.split(".")
        application_key().public_key().verify(
            decode(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        assert json.loads(decode(header)) == {
            "typ": "JWT",
            "alg": "RS256",
            "kid": "cf589be3-3755-465b-a8df-a90a16a31403",
        }
        issued = int(NOW.timestamp())
        assert json.loads(decode(claims)) == {
            "iss": "enablebanking.com",
            "aud": "api.enablebanking.com",
            "iat": issued,
            "exp": issued + 3600,
        }

    def leave_out_booked(self, answer):
        answer["balances"] = [
            one for one in answer.get("balances", ()) if one["balance_type"] in ("ITAV", "CLAV", "OTHR")
        ]


SCRIPT = EnableBankingScript
