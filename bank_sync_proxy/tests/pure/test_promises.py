"""No text promises a synchronization that may not happen: before the first connection, or where it is switched off."""

import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
ROOMS = [
    ADDON / "providers",
    ADDON / "models",
    ADDON / "controllers",
    ADDON.parent / "bank_sync_proxy_server/models",
    ADDON.parent / "bank_sync_proxy_server/controllers",
    ADDON.parent / "account_online_synchronization/client",
]
FILES = sorted(path for room in ROOMS if room.exists() for path in room.glob("*.py"))
#: The database says these where it knows that they are true: ``_describe_next_attempt`` of a connection.
PROMISES = ("next synchronization", "do not have to do anything", "need not do anything", "fetches what is missing")


def sentences(path):
    """Texts of a file that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_sentence_promises_a_synchronization(path):
    found = [text for text in sentences(path) if any(promise in text for promise in PROMISES)]
    assert not found


def test_what_is_looked_for_would_be_found():
    assert any("Synchronize Now" in text for text in sentences(ADDON / "providers" / "errors.py"))
