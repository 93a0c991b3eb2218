"""Records the answers of a run for administrators, with secrets masked."""

import functools
import gzip
import json
import re
from itertools import chain

import msgspec

#: Bytes of JSON kept for each run; further answers are only counted.
MAX_SIZE = 5_000_000

MASK = "•••"
#: Maximum length of a key.
MAX_KEY = 200
#: Objects with more keys are checked key by key, so that the cache stays small.
MAX_KEYS = 50
#: Maximum depth of nested values.
MAX_DEPTH = 50
#: Why checked before the call: most values are texts and numbers.
CONTAINERS = (dict, list)
#: Keys of addresses that open a page once.
SECRETS = re.compile(r"token|secret|pass|pin\b|otp|authori[sz]ation|cookie|credential|api_?key|_url$", re.IGNORECASE)

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Recording:
    """Requests and answers of a run, in order."""

    def __init__(self):
        self._parts = []
        self._size = 0
        self._left_out = 0

    def add(self, operation, payload, answer):
        """
        :param str operation: name of the protocol's operation
        :param dict payload: request
        :param answer: unchanged answer
        """
        if self._size > MAX_SIZE:
            self._left_out += 1
            return
        said = {"operation": operation, "request": payload, "answer": answer}
        part = _to_json(said if _is_open(said) else mask(said))
        self._size += len(part)
        # Why decoded: the cut must not split a character.
        self._parts.append(part if len(part) <= MAX_SIZE else part[:MAX_SIZE].decode(errors="ignore").encode())

    def compressed(self):
        """:return: gzip of one JSON object per line, None without requests"""
        if not self._parts:
            return None
        end = [f"… and {self._left_out} more answers".encode()] if self._left_out else []
        # Why the lowest level: the default takes four times as long, and saves a quarter.
        return gzip.compress(b"\n".join([*self._parts, *end]), compresslevel=1)


def mask(value, depth=0):
    """A copy of a JSON value in which the values of secret keys are replaced; the value itself if it has none."""
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        if len(value) > MAX_KEYS or not _are_open(tuple(value)):
            return {
                str(key)[:MAX_KEY]: MASK
                if item and _is_secret(str(key))
                else mask(item, depth + 1)
                if isinstance(item, CONTAINERS)
                else item
                for key, item in value.items()
            }
        inner = {key: mask(item, depth + 1) for key, item in value.items() if isinstance(item, CONTAINERS)}
        return {**value, **inner} if inner else value
    if isinstance(value, list):
        return [mask(item, depth + 1) if isinstance(item, CONTAINERS) else item for item in value]
    return value


def _is_open(value):
    """Whether no key is secret, the usual case. Why level by level: twice as fast as :func:`mask`."""
    level = [value]
    for _depth in range(MAX_DEPTH + 1):
        objects = [item for item in level if isinstance(item, dict)]
        if max(map(len, objects), default=0) > MAX_KEYS or not all(map(_are_open, set(map(tuple, objects)))):
            return False
        inner = chain.from_iterable(item.values() if isinstance(item, dict) else item for item in level)
        level = [item for item in inner if isinstance(item, CONTAINERS)]
        if not level:
            return True
    return False


@functools.lru_cache(maxsize=256)
def _are_open(keys):
    """Whether none of the keys is secret. Why cached together: transactions of a bank have few sets of keys."""
    return all(isinstance(key, str) and not _is_secret(key) for key in keys)


def _is_secret(key):
    return len(key) > MAX_KEY or bool(SECRETS.search(key))


def _to_json(value):
    try:
        return _encode(value)
    except (ValueError, TypeError, OverflowError):
        # Why a second encoder: msgspec rejects lone surrogates and numbers of more than 64 bits.
        return json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "replace")
