"""pre-commit and scripts/check look with the same versions of the same tools."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PINNED = re.compile(r"^([\w-]+)==([\w.]+)", re.MULTILINE)
ASKED = re.compile(r"\[([\w-]+)==([\w.]+)\]")


@pytest.mark.parametrize("tool", ["ruff", "pylint-odoo", "docutils"])
def test_a_tool_has_one_version(tool):
    pins = {}
    for name in ("development.txt", "odoo.txt"):
        pins.update(PINNED.findall((ROOT / "requirements" / name).read_text(encoding="utf-8")))
    asked = ASKED.findall((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {version for name, version in asked if name == tool} == {pins[tool]}
