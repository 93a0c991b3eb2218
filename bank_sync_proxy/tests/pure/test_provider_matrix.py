from pathlib import Path

import pytest

from bank_sync_proxy.providers import PROVIDERS, matrix, provider_class
from bank_sync_proxy.providers.facts import Facts

ROOT = Path(__file__).parents[3]
PAGES = {"README.md": matrix.short_table, "docs/providers/README.md": matrix.full_table}
CODES = [code for code, _label, _name in PROVIDERS]

shipped = pytest.mark.skipif(
    not (ROOT / "docs" / "providers").exists(), reason="docs/ is not shipped beside this addon"
)


@shipped
@pytest.mark.parametrize("name", PAGES)
def test_the_table_is_what_the_adapters_declare(name):
    page = (ROOT / name).read_text()
    assert matrix.replaced(page, PAGES[name]()) == page, "run scripts/matrix"


@shipped
@pytest.mark.parametrize("code", CODES)
def test_every_provider_has_a_page(code):
    page = (ROOT / "docs" / "providers" / f"{code}.md").read_text()
    if code != "sandbox":
        for heading in ("## Keys", "## Limits", "## Quirks", "## Test it live"):
            assert heading in page
        assert f"bank_sync_proxy/providers/{code}.py" in page


@shipped
@pytest.mark.parametrize("code", CODES)
def test_facts_from_memory_are_marked_in_the_table(code):
    page = (ROOT / "docs" / "providers" / f"{code}.md").read_text()
    assert "from memory" not in page or "from memory" in provider_class(code).facts.sources


@pytest.mark.parametrize("code", CODES)
def test_every_provider_declares_its_facts(code):
    facts = provider_class(code).facts
    assert isinstance(facts, Facts)
    assert facts.connect in ("bank's pages", "provider's pages", "provider's window", "pasted key", "our pages")
    words = (facts.region, facts.price, facts.needs, facts.terms, facts.closed, facts.identity)
    assert "|" not in "".join(words)


def test_the_table_names_every_provider():
    table = matrix.full_table()
    assert table.count("\n") == len(PROVIDERS) + 1
    assert all(f"]({code}.md)" in table for code in CODES)


def test_a_page_without_marks_is_not_written():
    with pytest.raises(ValueError):
        matrix.replaced("no marks", "table")
