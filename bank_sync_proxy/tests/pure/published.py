"""What a provider has published, as far as its adapter depends on it: ``tests/published/<provider>.json``.

Each file names its source. All requests and answers of the fixtures are compared with it.
"""

import json
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

from .scripted import FIXTURES, Case

FOLDER = Path(__file__).parents[1] / "published"


@lru_cache
def published(code):
    return json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))


def exchanges(code):
    """Yield (case, exchange) of all fixtures of a provider."""
    for path in sorted((FIXTURES / code).glob("*.json")):
        if path.stem != "state":
            for exchange in Case(code, path.stem).exchanges:
                yield path.stem, exchange


def request_of(exchange):
    """:return: (method, path, list of (name, value) of its query)"""
    method, _blank, url = exchange["ask"].partition(" ")
    parts = urlsplit(url)
    return method, parts.path, parse_qsl(parts.query, keep_blank_values=True)


def faults(schema, value, definitions=None):
    """:return: what is wrong with a value, one text each"""
    schema = {**schema, "$defs": definitions or {}}
    found = Draft202012Validator(schema).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]
