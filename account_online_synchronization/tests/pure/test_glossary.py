"""docs/glossary.md names what the code has: a term whose code was renamed or removed is found here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMES = (
    "account_online_synchronization",
    "account_online_reconcile",
    "bank_sync_common",
    "bank_sync_proxy",
    "bank_sync_proxy_server",
    "bank_statement_formats",
    "account_online_files",
)
ADDONS = [ROOT / name for name in NAMES]
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| ([^|]*) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
FILES = [path for addon in ADDONS for path in addon.rglob("*.py") if "tests" not in path.relative_to(ROOT).parts]
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
REFERENCES = [(term, code) for term, codes in ROW.findall(GLOSSARY) for code in CODE.findall(codes)]


def exists(code):
    if code.endswith("/") or code.endswith(".py"):
        return any(f"/{code}" in f"/{path.relative_to(ROOT).as_posix()}" for path in FILES)
    if "." in code:
        return f'"{code}"' in SOURCE
    if code in {addon.name for addon in ADDONS}:
        return True
    name, _equals, value = code.partition(" = ")
    # An asterisk matches the rest of several names.
    pattern = rf"\b{re.escape(name)}\b".replace(r"\*\b", r"\w+")
    return bool(re.search(pattern, SOURCE)) and value in SOURCE


def test_the_glossary_has_the_thirty_terms_of_the_field():
    assert len(ROW.findall(GLOSSARY)) >= 30
    assert len(REFERENCES) >= 40


@pytest.mark.parametrize(("term", "code"), REFERENCES)
def test_what_the_glossary_calls_code_exists(term, code):
    assert exists(code), f"{term}: {code}"


@pytest.mark.parametrize(
    "code", ["sync/nowhere.py", "nowhere/", "account.online.nothing", "no_such_*", 'state = "odd"']
)
def test_what_does_not_exist_is_noticed(code):
    assert not exists(code)
