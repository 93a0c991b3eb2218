"""The documentation leads to what there is: pictures, pages and headings."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)

shipped = pytest.mark.skipif(not DOCS.exists(), reason="docs/ is not shipped beside this addon")


def targets(page):
    return LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))


def anchors(page):
    """The anchors that a forge makes of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@shipped
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page):
    for target in targets(page):
        if re.match(r"[a-z]+:", target):
            continue
        name, _hash, anchor = unquote(target).partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{target} is not there"
        if anchor and other.suffix == ".md":
            assert anchor in anchors(other), f"{target}: there is no such heading"


@shipped
def test_each_picture_is_small():
    large = [path.name for path in (DOCS / "images").glob("*.png") if path.stat().st_size > 150_000]
    assert not large
    assert sum(path.stat().st_size for path in (DOCS / "images").iterdir()) < 6_000_000
