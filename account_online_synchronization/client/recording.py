"""Keeps the answers of a run for an administrator to read, without what must not be read."""

import functools
import gzip
import json
import re

#: Characters of JSON that are kept of one run; what comes after is only counted.
MAX_SIZE = 5_000_000

MASK = "•••"
#: Nobody has given a longer name to anything that is worth reading.
MAX_KEY = 200
#: Of larger objects each key is looked at, so that what is remembered stays small.
MAX_KEYS = 50
#: Nothing that a person reads is nested deeper.
MAX_DEPTH = 50
#: Why looked at before the call: most values are texts and numbers.
CONTAINERS = (dict, list)
#: Addresses of pages carry the right to open them once.
SECRETS = re.compile(r"token|secret|pass|pin\b|otp|authori[sz]ation|cookie|credential|api_?key|_url$", re.IGNORECASE)


class Recording:
    """What was asked and answered, in order."""

    def __init__(self):
        self._parts = []
        self._size = 0
        self._left_out = 0

    def add(self, operation, payload, answer):
        """
        :param str operation: name of the protocol's operation
        :param dict payload: question
        :param answer: as it came
        """
        if self._size > MAX_SIZE:
            self._left_out += 1
            return
        part = json.dumps(
            {"operation": operation, "question": mask(payload), "answer": mask(answer)}, default=str, ensure_ascii=False
        )
        self._size += len(part)
        self._parts.append(part[:MAX_SIZE])

    def compressed(self):
        """:return: gzip of one JSON object per line, None where nothing was asked"""
        if not self._parts:
            return None
        end = [f"… and {self._left_out} more answers"] if self._left_out else []
        # Why the lowest level: the usual one takes four times as long, and saves a quarter of very little.
        return gzip.compress("\n".join([*self._parts, *end]).encode("utf-8", "replace"), compresslevel=1)


def mask(value, depth=0):
    """A copy of a JSON value in which the values of secret keys are replaced; of what has none, the value itself."""
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


@functools.lru_cache(maxsize=256)
def _are_open(keys):
    """Whether none of them is secret. Why together: all transactions of a bank have the same few sets of keys."""
    return all(isinstance(key, str) and not _is_secret(key) for key in keys)


def _is_secret(key):
    return len(key) > MAX_KEY or bool(SECRETS.search(key))
