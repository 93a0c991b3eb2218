"""Secrets leave no trace in logs, error records and printed errors. Imports no Odoo.

Rather too much than too little: what is masked wrongly costs support a word, what is not may cost a user the account.
Account numbers, names, amounts and e-mail addresses stay, because support needs them.
"""

import re

MASK = "•••"

#: A key that contains one of these words holds a secret. ``return_url`` carries the database's one-time nonce.
SECRET_WORDS = re.compile(
    r"pass|pwd|secret|token|authorization|cookie|(?:api|private|access|signing|encryption)[_-]?key|signature|otp"
    r"|(?<![a-z])pin(?![a-z])|^code$|^auth_?code$|^key$|sms|return_url|phone|mobile|msisdn|credential|assertion|jwt"
    r"|session_?id|user_?name|^login$|login_hint|code_verifier",
    re.IGNORECASE,
)
#: ``state`` is a word of the protocol (``connected``) or OAuth's random number, which is as good as a key.
PLAIN_STATE = re.compile(r"[a-z_]{1,24}")
#: Limits for hostile requests: levels of nesting, and characters of a text, the rest of which is left out. A text is
#: cut before it is masked; what follows the name of a secret is masked up to the end, so the cut uncovers nothing.
MAX_DEPTH = 30
MAX_LENGTH = 64_000
#: Longer names are cut: none of them is useful.
MAX_KEY = 200
#: The same for all texts of one value together.
MAX_TOTAL = 128_000

# Each pattern masks what it has read, or fails within a bounded number of characters. One that reads far and then fails
# is tried again from the next letters, and takes time with the square of the text: tests/pure/test_patterns.py.
_WORDS = (
    r"(?:pass|pwd|secret|token|key|otp|(?<![a-z])pin(?![a-z])|authorization|cookie|signature|return_url|phone|mobile"
    r"|msisdn|credential|assertion|jwt|session_?id|user_?name|login_hint|code_verifier)[\w.-]{0,40}"
)
_QUERY = r"(?<![\w.-])(?:code|state|nonce|sid|ticket|sig|hmac|login)"


#: JSON within JSON doubles the backslashes before a quote with each level; from the fifth level on one more has to do.
MANY_BACKSLASHES = re.compile(r"\\{16,}")


def _pattern(text):
    return re.compile(text, re.IGNORECASE | re.DOTALL)


PATTERNS = (
    # Keys in PEM, whole, cut off, or with their line ends escaped. Certificates are public and stay.
    _pattern(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\Z)"),
    # User and password in an address.
    _pattern(r"(?P<key>://)[^\s/?#\"'<>@]{1,200}@(?:[^\s/?#\"'<>@]{1,200}@)*"),
    # The address of a hosted page works for anyone who knows it.
    _pattern(r"(?P<key>/bank_sync/connect/)[\w-]+"),
    # Lines of headers: all that follows is the secret.
    _pattern(r"(?P<key>\b(?:authorization|cookie)2?\s*:\s*)[^\r\n\"']+"),
    _pattern(r"\b(?:Bearer|Basic|DPoP)\s+[\w.~+/=-]+"),
    # JSON within JSON: {\"password\": \"a\\\"b\"}. It ends at a quote with as many backslashes as the first.
    _pattern(
        rf"(?P<key>{_WORDS}(?P<deep>\\{{1,40}})(?P<quote>[\"'])\s*:\s*(?P=deep)(?P=quote))"
        r"(?:(?!(?<!\\)(?P=deep)(?P=quote)).)*"
    ),
    # JSON: "password": "a\"b"; the same of Python: 'password': 'a'.
    _pattern(rf"(?P<key>{_WORDS}[\"']\s*:\s*b?\")(?:\\.|[^\"\\])*"),
    _pattern(rf"(?P<key>{_WORDS}[\"']\s*:\s*b?')(?:\\.|[^'\\])*"),
    _pattern(rf"(?P<key>{_WORDS}\\{{0,40}}[\"']\s*:\s*)(?!null|none|true|false)[\w.+-]+"),
    # Arguments as Python prints them: password='a b'.
    _pattern(rf"(?P<key>(?:{_WORDS}|{_QUERY})\s*=\s*b?\")(?:\\.|[^\"\\])*"),
    _pattern(rf"(?P<key>(?:{_WORDS}|{_QUERY})\s*=\s*b?')(?:\\.|[^'\\])*"),
    # Parameters of an address or a form, also of an address within an address (%3D is =, %26 is &).
    _pattern(rf"(?P<key>(?:{_WORDS}|{_QUERY})(?:=|%3D))(?:(?!%26)[^\s&\"'<>])+"),
    _pattern(r"(?P<key>%(?:3F|26|23)(?:code|state|nonce|sid|ticket|sig|hmac|login)%3D)(?:(?!%26)[^\s&\"'<>])+"),
    # Words before a colon: X-Api-Key: a, Passwort und pass: a.
    _pattern(rf"(?P<key>{_WORDS}:\s+)[^\s\"',;]+"),
    # Keys that show what they are, wherever they stand: JSON web tokens, our own encryption, keys of providers.
    re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{6,}(?:\.[\w-]*){0,4}"),
    _pattern(r"\bgAAAA[\w=-]{20,}"),
    _pattern(r"\b(?:access|public|link|processor)-(?:sandbox|development|production)-[\w-]+"),
    _pattern(r"\b(?:sk|rk|whsec|ghp|xox[abp])[_-]\w{10,}"),
    # International phone numbers, but no amount (+1234567.89) and no time zone (+0200).
    _pattern(r"(?<![\w+])(?!\+\d+[.,]\d{1,2}(?![\d.-]| \d))\+[1-9](?:[ ()./-]{0,3}\d){7,14}(?!\w)"),
    _pattern(r"(?<![\w.,])00[1-9]\d{8,12}(?!\w)"),
)


def mask(value):
    """A copy of a JSON value or text in which secrets are replaced; anything that is not JSON becomes text."""
    return _Copy().mask(value)


class _Copy:
    """One value on its way through; what all its texts together may take is counted."""

    def __init__(self):
        self._left = MAX_TOTAL

    def mask(self, value, depth=0):
        if depth > MAX_DEPTH or self._left <= 0:
            return "…"
        if isinstance(value, dict):
            return {self._text(str(key)): self._item(str(key), item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask(item, depth + 1) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._text(str(value))

    def _item(self, key, item, depth):
        if item and (len(key) > MAX_KEY or SECRET_WORDS.search(key)):
            return MASK
        if key.lower() == "state" and isinstance(item, str) and not PLAIN_STATE.fullmatch(item):
            return MASK
        return self.mask(item, depth + 1)

    def _text(self, text):
        text = text[: max(0, min(MAX_LENGTH, self._left))]
        self._left -= len(text)
        text = MANY_BACKSLASHES.sub(lambda found: found[0][: 11 + len(found[0]).bit_length()], text)
        for pattern in PATTERNS:
            text = pattern.sub(_keep_key, text)
        return text


def one_line(text):
    """A text for the server's log: line breaks in untrusted text would begin forged log lines."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def _keep_key(match):
    return (match.groupdict().get("key") or "") + MASK
