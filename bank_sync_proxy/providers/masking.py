"""Secrets leave no trace in logs, error records and printed errors. Imports no Odoo.

Rather too much than too little: what is masked wrongly costs support a word, what is not may cost a user the account.
Account numbers, names, amounts and e-mail addresses stay, because nobody could help without them.
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
#: What a hostile question may nest, and how long a text may be, before the rest is left out.
MAX_DEPTH = 30
MAX_LENGTH = 200_000

# Why no pattern begins with an open repetition: it would be tried at each letter, to the end of the text.
_WORDS = (
    r"(?:pass|pwd|secret|token|key|otp|(?<![a-z])pin(?![a-z])|authorization|cookie|signature|return_url|phone|mobile"
    r"|msisdn|credential|assertion|jwt|session_?id|user_?name|login_hint|code_verifier)[\w.-]{0,40}"
)
_QUERY = r"(?<![\w.-])(?:code|state|nonce|sid|ticket|sig|hmac|login)"


def _pattern(text):
    return re.compile(text, re.IGNORECASE | re.DOTALL)


PATTERNS = (
    # Keys in PEM, whole, cut off, or with their line ends escaped. Certificates are public and stay.
    _pattern(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\Z)"),
    # User and password in an address.
    _pattern(r"(?P<key>://)[^\s/?#\"'<>@]{1,200}@(?:[^\s/?#\"'<>@]{1,200}@)*"),
    # The address of a hosted page serves whoever knows it.
    _pattern(r"(?P<key>/bank_sync/connect/)[\w-]+"),
    # Lines of headers: all that follows is the secret.
    _pattern(r"(?P<key>\b(?:authorization|cookie)2?\s*:\s*)[^\r\n\"']+"),
    _pattern(r"\b(?:Bearer|Basic|DPoP)\s+[\w.~+/=-]+"),
    # JSON, and JSON within JSON: "password": "a\"b", {\"password\": \"a\"}; the same of Python: 'password': 'a'.
    _pattern(rf"(?P<key>{_WORDS}\\+[\"']\s*:\s*\\+[\"'])(?:(?!\\+[\"']).)*"),
    _pattern(rf"(?P<key>{_WORDS}[\"']\s*:\s*b?\")(?:\\.|[^\"\\])*"),
    _pattern(rf"(?P<key>{_WORDS}[\"']\s*:\s*b?')(?:\\.|[^'\\])*"),
    _pattern(rf"(?P<key>{_WORDS}\\*[\"']\s*:\s*)(?!null|none|true|false)[\w.+-]+"),
    # Arguments as Python prints them: password='a b'.
    _pattern(rf"(?P<key>(?:{_WORDS}|{_QUERY})\s*=\s*b?\")(?:\\.|[^\"\\])*"),
    _pattern(rf"(?P<key>(?:{_WORDS}|{_QUERY})\s*=\s*b?')(?:\\.|[^'\\])*"),
    # Parameters of an address or a form, also of an address within an address (%3D is =, %26 is &).
    _pattern(rf"(?P<key>(?:{_WORDS}|{_QUERY})(?:=|%3D))(?:(?!%26)[^\s&\"'<>])+"),
    _pattern(r"(?P<key>%(?:3F|26|23)(?:code|state|nonce|sid|ticket|sig|hmac|login)%3D)(?:(?!%26)[^\s&\"'<>])+"),
    # Words before a colon: X-Api-Key: a, Passwort und pass: a.
    _pattern(rf"(?P<key>{_WORDS}:\s+)[^\s\"',;]+"),
    # Keys that show what they are, wherever they stand: JSON web tokens, our own encryption, keys of providers.
    _pattern(r"\beyJ[\w-]+\.[\w-]*(?:\.[\w-]*){0,3}"),
    _pattern(r"\bgAAAA[\w=-]{20,}"),
    _pattern(r"\b(?:access|public|link|processor)-(?:sandbox|development|production)-[\w-]+"),
    _pattern(r"\b(?:sk|rk|whsec|ghp|xox[abp])[_-]\w{10,}"),
    # International phone numbers, but no amount (+1234567.89) and no time zone (+0200).
    _pattern(r"(?<![\w+])(?!\+\d+[.,]\d{1,2}(?![\d.-]| \d))\+[1-9](?:[ ()./-]{0,3}\d){7,14}(?!\w)"),
    _pattern(r"(?<![\w.,])00[1-9]\d{8,12}(?!\w)"),
)


def mask(value, depth=0):
    """A copy of a JSON value or text in which secrets are replaced; anything that is not JSON becomes text."""
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {_mask_text(str(key)): _mask_item(str(key), item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _mask_text(str(value))


def _mask_item(key, item, depth):
    if item and SECRET_WORDS.search(key):
        return MASK
    if key.lower() == "state" and isinstance(item, str) and not PLAIN_STATE.fullmatch(item):
        return MASK
    return mask(item, depth + 1)


def _mask_text(text):
    text = text[:MAX_LENGTH]
    for pattern in PATTERNS:
        text = pattern.sub(_keep_key, text)
    return text


def _keep_key(match):
    return (match.groupdict().get("key") or "") + MASK
