"""Secrets leave no trace in logs, error records and printed errors."""

import re

MASK = "•••"

#: A key that contains one of these words holds a secret. ``return_url`` carries the database's one-time nonce.
SECRET_WORDS = re.compile(
    r"pass|pwd|secret|token|authorization|cookie|api_?key|private_?key|signature|otp|\bpin\b|^code$|sms|return_url",
    re.IGNORECASE,
)
PATTERNS = (
    re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE),
    re.compile(
        r"""(?P<key>["'][\w-]*(?:pass|pwd|secret|token|key|otp)[\w-]*["']\s*:\s*)["'][^"']*["']""", re.IGNORECASE
    ),
    re.compile(r"(?P<key>\b[\w-]*(?:pass|pwd|secret|token|key|otp)[\w-]*=)[^\s&\"']+", re.IGNORECASE),
    # User and password in a URL.
    re.compile(r"(?P<key>://)[^\s/@]+(?=@)"),
    # A JSON web token, wherever it stands.
    re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?"),
)


def mask(value):
    """A copy of a JSON value or text in which secrets are replaced; anything that is not JSON becomes text."""
    if isinstance(value, dict):
        return {str(key): MASK if SECRET_WORDS.search(str(key)) and item else mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    for pattern in PATTERNS:
        text = pattern.sub(_keep_key, text)
    return text


def _keep_key(match):
    groups = match.groupdict()
    return (groups.get("key") or "") + MASK
