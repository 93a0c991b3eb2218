"""Checks the form of values that an administrator enters. Only the provider can check whether they work."""

import re

from .auth import load_certificate, load_private_key, load_rsa_key
from .errors import _lt

#: Patterns of settings that several adapters share, and what to say of a value that does not match.
UUID = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
HTTPS = r"https://[^\s/]+\.[^\s/]+(/\S*)?"
NO_ADDRESS = _lt("An address begins with https:// and contains no spaces.")

NO_NUMBER = _lt("Enter a whole number.")
NO_KEY = _lt(
    "This is not an RSA private key without a password. Choose the .pem file that you were given, or paste its whole "
    "text."
)
NO_TLS_KEY = _lt(
    "This is not a private key without a password. Choose the key file that you were given together with the "
    "certificate, or paste its whole text."
)
NO_CERTIFICATE = _lt("This is not a certificate. Choose the .pem file that you were given, or paste its whole text.")

#: Types that are read as files: how, and what to say of a value that can't be read.
FILES = {
    "key": (load_rsa_key, NO_KEY),
    "tls_key": (load_private_key, NO_TLS_KEY),
    "certificate": (load_certificate, NO_CERTIFICATE),
}


def fault(setting, value):
    """
    :param setting: :class:`~.types.Setting`
    :param str value: as it was entered; an empty one is accepted: required settings are checked where they are needed
    :return: one sentence, or None
    """
    if not value:
        return None
    if setting.type == "integer":
        return None if re.fullmatch(r"-?\d+", value.strip()) else NO_NUMBER
    if setting.type in FILES:
        load, sentence = FILES[setting.type]
        try:
            load(value)
        except ValueError:
            return sentence
    if setting.pattern and not re.fullmatch(setting.pattern, value.strip()):
        return setting.expects
    return None
