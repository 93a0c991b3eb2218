"""SECURITY.md claims only what a test shows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(test_\w+)\.(test_\w+)`")
DEFINED = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)
#: Of version 5.0.0.
CHAPTERS = 17


def section(title):
    return re.search(rf"^## {title}.*?(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL).group()


def rows(title):
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.fixture(scope="module")
def tests():
    """:return: set of (file, test) of the whole project"""
    found = set()
    # Why these folders only: the environment below the clone holds all of Odoo.
    for folder in (ROOT / "tests", *ROOT.glob("*/tests")):
        for path in folder.rglob("test_*.py"):
            found |= names(path)
    return found


def names(path):
    # Why not ast: it takes seconds for this number of files.
    return {(path.stem, name) for name in DEFINED.findall(path.read_text(encoding="utf-8"))}


def test_each_test_that_is_named_exists(tests):
    named = NAMED.findall(DOCUMENT)
    assert len(named) > 100
    assert not [one for one in named if one not in tests]


@pytest.mark.parametrize(("title", "column"), [("Threat model", 4), ("OWASP ASVS 5.0, level 2", 3)])
def test_each_row_names_a_test_or_says_why_there_is_none(title, column):
    for row in rows(title):
        assert NAMED.search(row[column]) or row[column].startswith("not tested: "), row[0]


def test_each_chapter_of_the_standard_is_answered():
    assert [row[0].split()[0] for row in rows("OWASP ASVS 5.0, level 2")] == [f"V{n}" for n in range(1, CHAPTERS + 1)]
